//! The clock: what is done because time has passed.

use identity::{Chain, Moment};
use sharing::docket::DocketId;

use super::tables::{View, counter, decode_row, meta};
use super::{Context, Core, LinkId};
use crate::health::{HealthReport, MAX_REPORTS_PER_FRAME, Observed};
use crate::store::{Fault, Read, Table};
use crate::wire::Frame;

/// Health goes up this often, milliseconds.
const HEALTH_EVERY_MS: i64 = 5_000;
/// What failed or was cut off is tried again this often, milliseconds.
const RETRY_EVERY_MS: i64 = 5_000;
/// Duties judged in one tick.
pub(super) const DUTIES_AT_ONCE: usize = 256;
/// Days within which the last two working days of any time limit lie: the longest holiday has nine days, with weekends and the days worked.
const WARNED_AHEAD_DAYS: i64 = 20;
/// Reports older than this are no longer passed on, milliseconds.
const REPORT_LIFE_MS: i64 = 600_000;
/// Most nodes below this one whose reports are kept.
const MAX_OBSERVED: usize = 8_192;

impl Core {
    pub(super) fn tick(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if self.member.is_none() || self.membership(ctx.now).is_err() {
            self.expired(ctx)?;
            return match self.membership_at_home(ctx.now) {
                Ok(_) => self.tick_at_home(ctx),
                Err(_) => Ok(()),
            };
        }
        self.recount_terms(ctx)?;
        self.judge_duties(ctx)?;
        self.warn_of_duties(ctx)?;
        self.judge_copies(ctx)?;
        self.sign_checkpoint(ctx)?;
        self.offer_checkpoint(ctx)?;
        if elapsed(self.last_health, ctx.now, HEALTH_EVERY_MS) {
            self.last_health = Some(ctx.now);
            self.send_health(ctx, false)?;
        }
        if elapsed(self.last_retry, ctx.now, RETRY_EVERY_MS) {
            self.last_retry = Some(ctx.now);
            self.warn_of_expiry(ctx)?;
            self.ask_witnesses(ctx)?;
            self.ask_pending_chains(ctx)?;
            self.resume_fetches(ctx)?;
            self.resume_erasures(ctx)?;
            self.expire_envelopes(ctx)?;
            self.close_revoked(ctx)?;
            self.forget_searches(ctx.now);
        }
        Ok(())
    }

    /// R35: at a node that was cut off the time limits of its own dockets run on.
    fn tick_at_home(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        self.judge_duties(ctx)?;
        self.warn_of_duties(ctx)
    }

    /// Without a valid certificate nothing is signed; links end until a new one is installed.
    fn expired(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        for link in self.links.keys().copied().collect::<Vec<LinkId>>() {
            self.leave(ctx, link, "no valid certificate")?;
        }
        if let Some(chain) = ctx.txn.row::<Chain>(Table::Meta, meta::CHAIN)? {
            self.adopt(ctx, &chain)?;
        }
        Ok(())
    }

    /// Duties whose time has passed, recorded once by the docket's home. The table holds those of dockets at home here alone; whoever holds a
    /// copy judges it by a clock of its own ([`super::own_clock`]).
    fn judge_duties(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let mut late: Vec<DocketId> = Vec::new();
        let mut after: Option<Vec<u8>> = None;
        'pages: while late.len() < DUTIES_AT_ONCE {
            let page = ctx
                .txn
                .raw_scan(Table::Duties, b"", after.as_deref(), DUTIES_AT_ONCE)?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(last.clone());
            for (key, row) in page {
                let due = key
                    .first_chunk::<8>()
                    .map_or(i64::MAX, |head| i64::from_be_bytes(*head));
                if Moment::from_millis(due) > ctx.now {
                    break 'pages;
                }
                let docket: DocketId = decode_row(Table::Duties, &row)?;
                // What a node that was cut off must leave alone holds up nothing behind it.
                if self
                    .home_row(ctx, &docket)?
                    .is_some_and(|row| self.may_go_on(&row))
                {
                    late.push(docket);
                }
            }
        }
        for docket in late {
            let Some(row) = self.home_row(ctx, &docket)? else {
                continue;
            };
            let events = row.state.tick(&self.calendar, ctx.now);
            self.append_or_tell(ctx, docket, events)?;
        }
        Ok(())
    }

    /// Once a day, and after a start: duties at home here whose end is near.
    fn warn_of_duties(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let today = statute::beijing_date(ctx.now.as_millis());
        if self.last_warned == Some(today) {
            return Ok(());
        }
        self.last_warned = Some(today);
        let horizon = ctx.now.plus_days(WARNED_AHEAD_DAYS).as_millis();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = ctx
                .txn
                .raw_scan(Table::Duties, b"", after.as_deref(), DUTIES_AT_ONCE)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            for (key, row) in page {
                let due = key.first_chunk::<8>().map(|head| i64::from_be_bytes(*head));
                if due.is_none_or(|due| due > horizon) {
                    return Ok(());
                }
                let docket: DocketId = decode_row(Table::Duties, &row)?;
                if let Some(row) = self.home_row(ctx, &docket)?
                    && self.may_go_on(&row)
                {
                    let events = row.state.tick(&self.calendar, ctx.now);
                    self.append_or_tell(ctx, docket, events)?;
                }
            }
        }
    }

    /// This node's own report.
    pub(super) fn own_report<V: View + ?Sized>(
        &self,
        view: &V,
        now: Moment,
    ) -> Result<HealthReport, Fault> {
        let (node, name) = self.member.as_ref().map_or_else(
            || (identity::Path::hub(), String::new()),
            |member| (member.place().clone(), member.certificate().name.clone()),
        );
        let (mut open_dockets, mut open_incidents) = (0, 0);
        let (mut due_soon, mut overdue) = (0, 0);
        for (_, row) in view.raw_scan(Table::Dockets, b"", None, MAX_DOCKETS_COUNTED)? {
            let row: super::tables::DocketRow = decode_row(Table::Dockets, &row)?;
            if row.home != node {
                continue;
            }
            open_dockets += u64::from(row.state.case.is_open());
            open_incidents += u64::from(row.state.case.is_open_incident());
            for duty in row.state.duties() {
                let due = duty.term.due;
                let late = now >= due;
                overdue += u64::from(late);
                let soon = statute::is_due_soon(due.as_millis(), now.as_millis(), &self.calendar);
                due_soon += u64::from(!late && soon);
            }
        }
        Ok(HealthReport {
            node,
            name,
            at: now,
            software: self.me.software.clone(),
            own_entries: counter(view, meta::OWN_ENTRIES)?,
            catalogue: counter(view, meta::CATALOGUE)?,
            outbox: view
                .raw_scan(Table::Outbox, b"", None, MAX_QUEUE_COUNTED)?
                .len() as u64,
            unsealed: view
                .raw_scan(Table::Unsealed, b"", None, MAX_QUEUE_COUNTED)?
                .len() as u64,
            open_dockets,
            open_incidents,
            due_soon,
            overdue,
            ledger: counter(view, meta::LEAVES)?,
            cosigned: counter(view, meta::COSIGNED)?,
        })
    }

    /// Own report to the parent; at a greeting also what is known of the subtree.
    pub(super) fn send_health(
        &mut self,
        ctx: &mut Context<'_, '_>,
        greeting: bool,
    ) -> Result<(), Fault> {
        let Some(parent) = self.parent_link() else {
            return Ok(());
        };
        let mut reports = vec![self.own_report(&*ctx.txn, ctx.now)?];
        if greeting {
            let fresh = self
                .observed
                .values()
                .filter(|seen| ctx.now.millis_since(seen.received) < REPORT_LIFE_MS);
            reports.extend(fresh.map(|seen| seen.report.clone()));
        }
        for page in reports.chunks(MAX_REPORTS_PER_FRAME) {
            ctx.send(
                parent,
                Frame::Health {
                    reports: page.to_vec(),
                },
            );
        }
        Ok(())
    }

    /// A child's reports, of itself and of nodes below it only; what is new goes on upward at once.
    pub(super) fn health_received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        reports: Vec<HealthReport>,
    ) -> Result<(), Fault> {
        let Some(peer) = self.peer(link).filter(|peer| !peer.parent) else {
            return Ok(());
        };
        let mut news = Vec::new();
        for report in reports.into_iter().take(MAX_REPORTS_PER_FRAME) {
            let in_place =
                report.node == *peer.place() || peer.place().is_ancestor_of(&report.node);
            let code = report.node.code();
            // Reports come one way and in order, so another time is a newer report, even when a clock was set back.
            let newer = self
                .observed
                .get(&code)
                .is_none_or(|seen| seen.report.at != report.at);
            let bounded = report.name.len() <= MAX_REPORT_TEXT_BYTES
                && report.software.len() <= MAX_REPORT_TEXT_BYTES;
            if in_place
                && newer
                && bounded
                && (self.observed.len() < MAX_OBSERVED || self.observed.contains_key(&code))
            {
                news.push(report.clone());
                self.observed.insert(
                    code,
                    Observed {
                        report,
                        received: ctx.now,
                    },
                );
            }
        }
        if let (Some(parent), false) = (self.parent_link(), news.is_empty()) {
            ctx.send(parent, Frame::Health { reports: news });
        }
        Ok(())
    }

    /// For tests and drivers that want to know whether everything sent has arrived.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    pub fn is_quiet(&self, read: &dyn Read) -> Result<bool, Fault> {
        let empty = |table| read.scan(table, b"", None, 1).map(|rows| rows.is_empty());
        Ok(empty(Table::Outbox)? && empty(Table::Unsealed)? && empty(Table::Objects)?)
    }
}

/// Most bytes of a name or version in a report: those of a certificate's name, with room.
const MAX_REPORT_TEXT_BYTES: usize = 256;
/// Dockets looked at for one report.
const MAX_DOCKETS_COUNTED: usize = 100_000;
/// Queue places counted for one report; beyond, the report says this number.
const MAX_QUEUE_COUNTED: usize = 10_000;

pub(super) fn elapsed(last: Option<Moment>, now: Moment, every_ms: i64) -> bool {
    // A clock that was set back must not stop what it drives.
    last.is_none_or(|last| now < last || now.millis_since(last) >= every_ms)
}
