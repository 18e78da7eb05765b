//! The calendar from the hub down: who installs a holiday notice, how it travels, and what it changes. R8.
//!
//! ```text
//! head of the national authority ──act──► hub: recorded, in force ──Frame::Notices──► children ──► their children …
//!                                          └─ at each node: provisional time limits of dockets at home are computed again
//! ```
//!
//! Every node proves a notice for itself: the hub's chain leads to the root, and the act was signed by the head whom that chain names.

use identity::{Moment, Path};
use sharing::act::{ActBody, MAX_ACT_AHEAD_MS, SignedAct, VerifiedAct};
use sharing::docket::DocketId;
use sharing::node_act::NodeAct;
use statute::{Calendar, MAX_NOTICE_BYTES, NOTICE_YEARS, RefusalReason, YearNotice};

use super::acts::Outcome;
use super::tables::{NoticeRow, View, decode_row, notice_key};
use super::{Context, Core, LinkId, Record};
use crate::store::{Fault, Table};
use crate::wire::{Frame, MAX_NOTICES_PER_FRAME, Notice};

/// Most bytes of an act that installs a notice: the file, and nonce, time, node and lengths around it.
const MAX_NOTICE_ACT_BYTES: usize = MAX_NOTICE_BYTES + 256;
/// Most notices in force: one a year.
const MAX_NOTICES: usize = (*NOTICE_YEARS.end() - *NOTICE_YEARS.start()) as usize + 1;
/// Duties looked through in one input, for time limits that a notice changes.
const RECOUNTED_AT_ONCE: usize = 256;

/// A notice as its act states it.
#[derive(Debug)]
pub(super) struct Installed {
    pub(super) notice: YearNotice,
    pub(super) signed: Moment,
}

/// Which duty was looked at last; `None` at the beginning.
#[derive(Debug, Default)]
pub(super) struct Recounting(Option<Vec<u8>>);

/// What a notice *claims* to install, its signatures not looked at.
pub(super) fn installed_notice(notice: &Notice) -> Option<Installed> {
    let act = notice.act.act.claimed(MAX_NOTICE_ACT_BYTES).ok()?;
    let ActBody::Node(NodeAct::InstallCalendar { text }) = act.body else {
        return None;
    };
    Some(Installed {
        notice: YearNotice::parse(&text).ok()?,
        signed: act.at,
    })
}

/// This calendar with the notices that were installed.
pub(super) fn with_installed<V: View + ?Sized>(
    view: &V,
    calendar: Calendar,
) -> Result<Calendar, Fault> {
    let found = in_force(view)?;
    Ok(found
        .iter()
        .filter_map(|(_, notice)| installed_notice(notice))
        .fold(calendar, |known, it| known.with_notice(it.notice)))
}

/// The notices in force, by year.
pub(super) fn in_force<V: View + ?Sized>(view: &V) -> Result<Vec<(NoticeRow, Notice)>, Fault> {
    let rows = view.raw_scan(Table::Notices, b"", None, MAX_NOTICES)?;
    let of = |(_, row): &(Vec<u8>, Vec<u8>)| {
        let row: NoticeRow = decode_row(Table::Notices, row)?;
        let notice = view.body_as(&row.body)?;
        Ok((row, notice))
    };
    rows.iter().map(of).collect()
}

/// Whether a notice signed at a time is later than what stands for its year.
fn is_later<V: View + ?Sized>(view: &V, year: i16, signed: Moment) -> Result<bool, Fault> {
    let stands: Option<NoticeRow> = view.row(Table::Notices, &notice_key(year))?;
    Ok(stands.is_none_or(|row| row.signed < signed))
}

impl Core {
    /// Working days as they are counted from now on. Time limits are looked through again: after a crash nobody knows how far that had come.
    pub(super) fn read_calendar(&mut self, ctx: &Context<'_, '_>) -> Result<(), Fault> {
        self.calendar = with_installed(&*ctx.txn, self.me.calendar.clone())?;
        self.recounting = Some(Recounting::default());
        Ok(())
    }

    /// R8: installed by the head of the national authority, at the hub, once.
    pub(super) fn judge_notice(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        text: &str,
    ) -> Result<Outcome, Fault> {
        let at_hub = self.place() == Some(&Path::hub());
        let notice = match statute::national_notice(text, at_hub) {
            Ok(notice) => notice,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let year = notice.year();
        if !is_later(&*ctx.txn, year, act.act().at)? {
            let article = statute::required_role(act.act().body.kind()).1;
            let reason = RefusalReason::NoticeSuperseded { year };
            return Ok(Outcome::Refused(reason.under(article)));
        }
        Ok(Outcome::Accepted {
            docket: None,
            warnings: Vec::new(),
        })
    }

    /// In force at the hub, and on its way down.
    pub(super) fn install_notice(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let Some(issuer) = self.member.as_ref().map(|member| member.chain().clone()) else {
            return Ok(());
        };
        let act = act.clone();
        self.take_notices(ctx, vec![Notice { act, issuer }])
    }

    /// At a greeting a child hears of every notice in force here.
    pub(super) fn send_notices(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
    ) -> Result<(), Fault> {
        let notices: Vec<Notice> = in_force(&*ctx.txn)?.into_iter().map(|it| it.1).collect();
        for page in notices.chunks(MAX_NOTICES_PER_FRAME) {
            let list = page.to_vec();
            ctx.send(link, Frame::Notices { list });
        }
        Ok(())
    }

    /// The parent's word is heard and the hub's is believed.
    pub(super) fn notices_received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        link: LinkId,
        list: &[Notice],
    ) -> Result<(), Fault> {
        if self.parent_link() != Some(link) || list.len() > MAX_NOTICES_PER_FRAME {
            return Ok(());
        }
        let mut news = Vec::new();
        for notice in list {
            let Some(claimed) = installed_notice(notice) else {
                continue;
            };
            if is_later(&*ctx.txn, claimed.notice.year(), claimed.signed)?
                && self.is_the_hubs(ctx, notice, claimed.signed)?
            {
                news.push(notice.clone());
            }
        }
        self.take_notices(ctx, news)
    }

    /// Whether a notice is proved: by the hub's chain and by its head's signature, as they stood when it was signed.
    fn is_the_hubs(
        &self,
        ctx: &Context<'_, '_>,
        notice: &Notice,
        signed: Moment,
    ) -> Result<bool, Fault> {
        if signed.millis_since(ctx.now) > MAX_ACT_AHEAD_MS {
            return Ok(false);
        }
        let Ok(issuer) = self.prove_at(ctx, &notice.issuer, signed)? else {
            return Ok(false);
        };
        Ok(*issuer.place() == Path::hub()
            && notice.act.verify(issuer.certificate(), signed).is_ok())
    }

    /// Records proved notices, counts by them and passes them on.
    fn take_notices(&mut self, ctx: &mut Context<'_, '_>, news: Vec<Notice>) -> Result<(), Fault> {
        if news.is_empty() {
            return Ok(());
        }
        let at = ctx.now;
        for notice in &news {
            let notice = ctx.body(notice);
            ctx.record(&Record::NoticeTaken { notice, at })?;
        }
        self.read_calendar(ctx)?;
        for below in self.child_links() {
            let list = news.clone();
            ctx.send(below, Frame::Notices { list });
        }
        self.recount_terms(ctx)
    }

    /// Time limits that were provisional are computed again, those due first, one page in one input. What is overdue is not in the table
    /// and stays so; what is due for certain is decided and stays too.
    pub(super) fn recount_terms(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        let Some(Recounting(after)) = self.recounting.take() else {
            return Ok(());
        };
        let page = ctx
            .txn
            .raw_scan(Table::Duties, b"", after.as_deref(), RECOUNTED_AT_ONCE)?;
        if page.len() == RECOUNTED_AT_ONCE {
            let last = page.last().map(|(key, _)| key.clone());
            self.recounting = Some(Recounting(last));
        }
        for (_, row) in page {
            let docket: DocketId = decode_row(Table::Duties, &row)?;
            if let Some(row) = self.home_row(ctx, &docket)? {
                let events = row.state.recompute(&self.law());
                self.append_or_tell(ctx, docket, events)?;
            }
        }
        Ok(())
    }
}
