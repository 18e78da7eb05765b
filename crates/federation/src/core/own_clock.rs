//! The clock of whoever holds a copy (R21, R28, R39(4)): what is overdue by this node's own clock when the docket's home says nothing, and what a
//! home's dates are worth here. The law stands in [`sharing::clock::bounds`].

use identity::planted::{self, Bug};
use identity::{Member, Moment, Path, Signed, codec};
use sharing::clock::OpenDuty;
use sharing::clock::bounds::{
    Arrival, Doubt, DoubtedTime, HomeStanding, IN_FLIGHT_MS, doubts, words,
};
use sharing::docket::{DocketEvent, DocketId, DocketState, MAX_EVENT_BYTES};
use sharing::ledger::{Checkpoint, Evidence};
use statute::Article;

use super::checkpoints::MAX_CHECKPOINT_BYTES;
use super::clock::DUTIES_AT_ONCE;
use super::dockets::tip;
use super::project::{MAX_RECORD_BYTES, found_before};
use super::supervision::debtor;
use super::tables::{DocketRow, View, code_key, decode_row, event_key};
use super::{Context, Core, Record, query};
use crate::health::{Condition, condition};
use crate::store::{Fault, Read, Table};
use crate::wire::Payload;

/// How far the watch over copies has come in this run.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Since when this node has been awake without a break.
    since: Option<Moment>,
    /// Its last tick.
    last: Option<Moment>,
    /// Which duty was looked at last, while more are late than one tick judges.
    after: Option<Vec<u8>>,
}

impl Watch {
    /// Whether this node has been awake for as long as a message may be under way. One that slept has not heard yet what was said meanwhile.
    fn has_listened(&mut self, now: Moment) -> bool {
        let slept = self
            .last
            .is_none_or(|last| now < last || now.millis_since(last) >= IN_FLIGHT_MS);
        self.last = Some(now);
        if slept {
            self.since = Some(now);
        }
        self.since
            .is_some_and(|since| now.millis_since(since) >= IN_FLIGHT_MS)
    }
}

impl Core {
    /// Duties of dockets at other homes that are overdue by the clock here and of which their home has said nothing: recorded once.
    pub(super) fn judge_copies(&mut self, ctx: &mut Context<'_, '_>) -> Result<(), Fault> {
        if !self.watch.has_listened(ctx.now) || planted::is(Bug::CopiesNotWatched) {
            return Ok(());
        }
        let after = self.watch.after.take();
        let latest = ctx.now.plus_millis(-IN_FLIGHT_MS);
        let page = ctx
            .txn
            .raw_scan(Table::Watched, b"", after.as_deref(), DUTIES_AT_ONCE)?;
        let more = page.len() == DUTIES_AT_ONCE;
        let last = page.last().map(|(key, _)| key.clone()).filter(|_| more);
        for (key, row) in page {
            let due = key.first_chunk::<8>().map(|head| i64::from_be_bytes(*head));
            if due.is_none_or(|due| Moment::from_millis(due) > latest) {
                return Ok(());
            }
            let docket: DocketId = decode_row(Table::Watched, &row)?;
            if let Some(row) = self.docket_row(ctx, &docket)? {
                for open in row.state.overdue_here(&self.law(), ctx.now) {
                    self.see_overdue(ctx, docket, &row, open)?;
                }
            }
        }
        self.watch.after = last;
        Ok(())
    }

    fn see_overdue(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        row: &DocketRow,
        open: OpenDuty,
    ) -> Result<(), Fault> {
        if found_before(&*ctx.txn, &docket, &open)? {
            return Ok(());
        }
        let home = self.standing_of_home(ctx, docket, row, open.term.due)?;
        let OpenDuty { duty, term, who } = open;
        let (zh, en, _) = debtor(&who, duty);
        let last = statute::beijing_date(term.due.as_millis().saturating_sub(1));
        let (short, code) = (docket.0.short(), row.home.code());
        let (how_zh, how_en) = match home {
            HomeStanding::Unreachable => ("失联".to_owned(), "cannot be reached".to_owned()),
            HomeStanding::Silent => ("无消息".to_owned(), "says nothing".to_owned()),
            HomeStanding::Contradicts { their_clock } => (
                format!("时钟不符，为{their_clock}"),
                format!("has another time, {their_clock}"),
            ),
        };
        let article = duty.article();
        let at = ctx.now;
        ctx.record(&Record::SeenOverdue {
            docket,
            duty,
            article,
            term,
            who,
            home,
            at,
        })?;
        ctx.finding(
            format!("逾期（本节点所见）：{zh}未按期“{}”，期限至{last}，案卷{short}；主办节点{code}{how_zh}", duty.zh()),
            format!(
                "overdue as this node sees it: {en} did not in time {}, due by {last}, docket {short}; its home {code} {how_en}",
                duty.en()
            ),
            Some(article),
        )
    }

    /// What is known here of a docket's home whose time limit passed in silence.
    fn standing_of_home(
        &self,
        ctx: &Context<'_, '_>,
        docket: DocketId,
        row: &DocketRow,
        due: Moment,
    ) -> Result<HomeStanding, Fault> {
        let (Some(here), home) = (self.place(), row.home.code()) else {
            return Ok(HomeStanding::Unreachable);
        };
        let hop = Path::route(here, &row.home).get(1).copied();
        let link = hop.and_then(|hop| self.by_code.get(&hop));
        let Some(peer) = link.and_then(|link| self.peer(*link)) else {
            return Ok(HomeStanding::Unreachable);
        };
        let mut clocks = Vec::new();
        if here.is_ancestor_of(&row.home) {
            match self.observed.get(&home) {
                Some(seen) if condition(seen.received, ctx.now) != Condition::Down => {
                    let ahead = seen.report.at.millis_since(seen.received);
                    clocks.push(ctx.now.plus_millis(ahead));
                }
                Some(_) | None => return Ok(HomeStanding::Unreachable),
            }
        }
        if hop == Some(home) {
            clocks.push(ctx.now.plus_millis(peer.clock_offset_ms));
        }
        if let Some(last) = tip(row)
            && row.updated >= due
        {
            clocks.push(self.time_of(ctx, &docket, last.sequence)?);
        }
        let behind = clocks.into_iter().find(|clock| *clock < due);
        Ok(behind.map_or(HomeStanding::Silent, |their_clock| {
            HomeStanding::Contradicts { their_clock }
        }))
    }

    fn time_of(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
        sequence: u32,
    ) -> Result<Moment, Fault> {
        let event = self.stored_event(ctx, docket, sequence)?;
        let event = event
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("stored event: {error}")))?;
        Ok(event.at)
    }

    /// Why the time of an event that came for the copy `row` is in doubt here. `state` is the one after it.
    pub(super) fn doubts(
        &self,
        ctx: &Context<'_, '_>,
        row: Option<&DocketRow>,
        event: &DocketEvent,
        state: &DocketState,
    ) -> Result<Vec<Doubt>, Fault> {
        let previous = match row.and_then(tip) {
            Some(last) => Some(self.time_of(ctx, &event.docket, last.sequence)?),
            None => None,
        };
        let cosigned = ctx
            .txn
            .row::<Signed<Checkpoint>>(Table::Cosigned, &code_key(&event.home.code()))?
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
        let arrival = Arrival {
            event,
            previous,
            cosigned: cosigned.as_ref(),
            received: ctx.now,
        };
        let before = row.map(|row| &row.state);
        let ran = before.map(DocketState::duties).unwrap_or_default();
        let said = words(&ran, &state.duties(), &event.body);
        let clock = before.map(|before| &before.clock).unwrap_or(&state.clock);
        Ok(doubts(&arrival, clock, &said))
    }

    /// Records that an event's time is in doubt, shows a claim to have been in time with both times, and asks the home for better proof of it.
    pub(super) fn doubt_time(
        &mut self,
        ctx: &mut Context<'_, '_>,
        event: &DocketEvent,
        doubts: Vec<Doubt>,
    ) -> Result<(), Fault> {
        if doubts.is_empty() {
            return Ok(());
        }
        let (docket, sequence, at) = (event.docket, event.sequence, ctx.now);
        let first = ctx
            .txn
            .raw_scan(Table::DoubtedTimes, docket.0.as_bytes(), None, 1)?
            .is_empty();
        let claim = doubts.iter().find_map(|doubt| match doubt {
            Doubt::ClaimedInTime { duty, due, .. } => Some((*duty, *due)),
            Doubt::FromTheFuture { .. }
            | Doubt::BeforeThePrevious { .. }
            | Doubt::BeforeItsCheckpoint { .. }
            | Doubt::SignedLater { .. } => None,
        });
        ctx.record(&Record::TimeDoubted {
            docket,
            sequence,
            claimed: event.at,
            doubts,
            at,
        })?;
        let (short, code, claimed) = (docket.0.short(), event.home.code(), event.at);
        match claim {
            Some((duty, due)) => {
                self.queue(ctx, code, Payload::TimeAsked { docket, sequence })?;
                ctx.finding(
                    format!("答复时间存疑：案卷{short}第{sequence}项，主办节点{code}称{claimed}已“{}”，期限{due}，本节点收到时间{at}；可提出异议（第二十八条）", duty.zh()),
                    format!("time in doubt: event {sequence} of docket {short} says that its home {code} did at {claimed} {}, due {due}; it came here at {at}; it may be disputed (R28)", duty.en()),
                    Some(duty.article()),
                )
            }
            // A wrong clock shows in every event of its node: told once a docket.
            None if first => ctx.finding(
                format!("时间存疑：案卷{short}第{sequence}项，主办节点{code}所记{claimed}，本节点收到时间{at}"),
                format!("time in doubt: event {sequence} of docket {short}, dated {claimed} by its home {code}, came here at {at}"),
                Some(Article::R29),
            ),
            None => Ok(()),
        }
    }

    /// A party asks by when others had an event that was ordered here: the first cosigned checkpoint that covers it says so.
    pub(super) fn time_asked(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        sequence: u32,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return Ok(());
        };
        let party = row.state.case.parties().contains(from.place());
        if !party || sequence >= row.released {
            return Ok(());
        }
        let view: &dyn Read = &*ctx.txn;
        match query::first_attested(view, docket, sequence)? {
            Some(evidence) => {
                let evidence = Box::new(evidence);
                let shown = Payload::TimeShown {
                    docket,
                    sequence,
                    evidence,
                };
                self.queue(ctx, from.code(), shown)
            }
            None => Ok(()),
        }
    }

    /// The home shows by when others had an event whose time was in doubt here: believed as far as it proves itself.
    pub(super) fn time_shown(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        (docket, sequence): (DocketId, u32),
        evidence: &Evidence,
    ) -> Result<(), Fault> {
        let key = event_key(&docket, sequence);
        let doubted: Option<DoubtedTime> = ctx.txn.row(Table::DoubtedTimes, &key)?;
        let home = self.docket_row(ctx, &docket)?.map(|row| row.home);
        if doubted.is_none_or(|it| it.borne_out.is_some()) || home.as_ref() != Some(from.place()) {
            return Ok(());
        }
        let Ok(verdict) = evidence.verify(&self.me.root) else {
            return Ok(());
        };
        let held: Option<identity::Digest> = ctx.txn.row(Table::DocketEvents, &key)?;
        let about = match codec::decode(&evidence.record, MAX_RECORD_BYTES) {
            Ok(Record::Event { body, .. }) => Some(body),
            Ok(_) | Err(_) => None,
        };
        let first = verdict.cosigned.iter().min_by_key(|it| it.at);
        match first {
            Some(first) if about.is_some() && about == held && verdict.node == *from.place() => {
                let evidence = ctx.body(evidence);
                ctx.record(&Record::TimeBorneOut {
                    docket,
                    sequence,
                    evidence,
                    cosigned: first.at,
                    by: first.by.clone(),
                    at: ctx.now,
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}
