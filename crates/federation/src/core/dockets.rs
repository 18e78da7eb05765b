//! Dockets at this node: commands decided and events ordered where the home is here, verified copies kept where it is not.

use identity::planted::{self, Bug};
use identity::{Code, Digest, Member, Path, Signed, codec};
use sharing::act::VerifiedAct;
use sharing::dispute::Bench;
use sharing::docket::{self, DocketBody, DocketEvent, DocketId, Entering, Tip};
use statute::{Article, Refusal, RefusalReason};

use super::project::PersonRow;
use super::tables::{DocketRow, View, docket_key, event_key, meta};
use super::{Context, Core, Record};
use crate::store::{Fault, Table};
use crate::wire::{MAX_ENVELOPE_BYTES, Payload};

/// Events in one payload; the next follow in another, in order.
const EVENTS_PER_PAYLOAD: usize = 16;
/// Bytes of a payload around its events: the home's chain of eight certificates, and lengths.
const EVENTS_FRAME_BYTES: usize = 20 << 10;
/// Most bytes of what happened in one event: with place, order and signature it still travels in one envelope.
const MAX_BODY_BYTES: usize = MAX_ENVELOPE_BYTES - EVENTS_FRAME_BYTES - (4 << 10);
/// Events sent again for one question; with the next event, what is still lacking is asked for.
const EVENTS_SENT_AGAIN: u32 = 256;

/// The tip of a stored docket.
pub(super) fn tip(row: &DocketRow) -> Option<Tip> {
    row.next.checked_sub(1).map(|sequence| Tip {
        sequence,
        digest: row.last,
    })
}

impl Core {
    pub(super) fn docket_row(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
    ) -> Result<Option<DocketRow>, Fault> {
        ctx.txn.row(Table::Dockets, &docket_key(docket))
    }

    /// A docket whose home is here: only there are events ordered.
    pub(super) fn home_row(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
    ) -> Result<Option<DocketRow>, Fault> {
        let row = self.docket_row(ctx, docket)?;
        Ok(row.filter(|row| Some(&row.home) == self.place()))
    }

    /// What a person's act brings about in a docket whose home is here.
    pub(super) fn decide_step(
        &self,
        ctx: &Context<'_, '_>,
        row: &DocketRow,
        act: &VerifiedAct,
    ) -> Result<Result<Vec<DocketBody>, Refusal>, Fault> {
        let bench = self.bench(ctx)?;
        let decided = row.state.decide(act, self.law(), bench.as_ref(), ctx.now);
        Ok(decided.and_then(|bodies| room(row.next, &bodies).map(|()| bodies)))
    }

    /// The authority of this place as a bench: its node and its own department, known from its head's certificate.
    pub(super) fn bench(&self, ctx: &Context<'_, '_>) -> Result<Option<Bench>, Fault> {
        let Some(certificate) = self.member.as_ref().map(Member::certificate) else {
            return Ok(None);
        };
        // The head whom the certificate names now; a predecessor may still be among the people known here.
        let key = certificate.authority_head.to_string().into_bytes();
        let head: Option<PersonRow> = ctx.txn.row(Table::People, &key)?;
        Ok(head.map(|head| Bench {
            node: certificate.place.clone(),
            authority: head.certificate.department,
            local: self.me.profile.coordination(),
        }))
    }

    /// Orders events at home: signed, linked, recorded, released to the other parties, and acted on. All of them, or none with the refusal
    /// when one is too large to travel or the docket is full.
    pub(super) fn append(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        bodies: Vec<DocketBody>,
    ) -> Result<Result<(), Refusal>, Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(Ok(()));
        };
        let row = self.docket_row(ctx, &docket)?;
        if let Err(refusal) = room(row.as_ref().map_or(0, |row| row.next), &bodies) {
            return Ok(Err(refusal));
        }
        let released = row.map_or(0, |row| row.released);
        let mut events = Vec::with_capacity(bodies.len());
        for body in bodies {
            let tip = self.docket_row(ctx, &docket)?.as_ref().and_then(tip);
            let entering = Entering {
                docket,
                home: member.place(),
                at: ctx.now,
                checkpoint: self.newest_checkpoint(ctx)?,
            };
            let signed = docket::append(tip, entering, body, &self.me.signing)
                .map_err(|error| Fault(format!("docket {docket}: {error}")))?;
            events.push(self.record_event(ctx, &signed, member.place())?);
        }
        self.release(ctx, docket, released)?;
        for event in events {
            self.react_at_home(ctx, &event)?;
        }
        Ok(Ok(()))
    }

    /// As [`Self::append`], for what follows by itself: nobody waits for a refusal, so the operator is told.
    pub(super) fn append_or_tell(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        bodies: Vec<DocketBody>,
    ) -> Result<(), Fault> {
        match self.append(ctx, docket, bodies)? {
            Ok(()) => Ok(()),
            Err(refusal) => ctx.finding(
                format!("案卷{}未能记入新事件：{}", docket.0.short(), refusal.zh()),
                format!(
                    "docket {} could not take an event: {}",
                    docket.0.short(),
                    refusal.en()
                ),
                Some(refusal.article),
            ),
        }
    }

    fn newest_checkpoint(&self, ctx: &Context<'_, '_>) -> Result<(u64, Digest), Fault> {
        let signed: Option<Signed<sharing::ledger::Checkpoint>> =
            ctx.txn.row(Table::Meta, meta::CHECKPOINT)?;
        let claimed = signed.and_then(|signed| {
            signed
                .claimed(super::checkpoints::MAX_CHECKPOINT_BYTES)
                .ok()
        });
        Ok(claimed.map_or((0, Digest::from_bytes([0; 32])), |claimed| {
            (claimed.size, claimed.root)
        }))
    }

    pub(super) fn record_event(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &Signed<DocketEvent>,
        home: &Path,
    ) -> Result<DocketEvent, Fault> {
        let event = signed
            .claimed(docket::MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("own event: {error}")))?;
        let body = ctx.body(signed);
        let at = ctx.now;
        ctx.record(&Record::Event {
            docket: event.docket,
            sequence: event.sequence,
            body,
            home: home.clone(),
            at,
        })?;
        Ok(event)
    }

    /// Sends the events that may be known by now, in order, to every party's node.
    fn release(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        from: u32,
    ) -> Result<(), Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(());
        };
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let parties: Vec<Code> = row
            .state
            .case
            .parties()
            .iter()
            .map(Path::code)
            .filter(|code| *code != member.code())
            .collect();
        let withheld = !planted::is(Bug::ReleasedBeforeConsent);
        let until = if withheld { row.released } else { row.next };
        self.send_events(ctx, &docket, from, until, &parties)
    }

    pub(super) fn send_events(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: &DocketId,
        from: u32,
        until: u32,
        to: &[Code],
    ) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let mut page: Vec<Signed<DocketEvent>> = Vec::new();
        let mut bytes = 0;
        for sequence in from..until {
            let event = self.stored_event(ctx, docket, sequence)?;
            let length = codec::encode(&event).len();
            let full = bytes + length > MAX_ENVELOPE_BYTES - EVENTS_FRAME_BYTES;
            if page.len() == EVENTS_PER_PAYLOAD || (full && !page.is_empty()) {
                self.send_page(ctx, &member, std::mem::take(&mut page), to)?;
                bytes = 0;
            }
            bytes += length;
            page.push(event);
        }
        if page.is_empty() {
            return Ok(());
        }
        self.send_page(ctx, &member, page, to)
    }

    fn send_page(
        &mut self,
        ctx: &mut Context<'_, '_>,
        member: &Member,
        events: Vec<Signed<DocketEvent>>,
        to: &[Code],
    ) -> Result<(), Fault> {
        for code in to {
            let home = member.chain().clone();
            let events = events.clone();
            self.queue(ctx, *code, Payload::Events { home, events })?;
        }
        Ok(())
    }

    /// Released events of a docket at home here, again, for a party that lacks them.
    pub(super) fn send_again(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: &DocketId,
        row: &DocketRow,
        from: u32,
        to: Code,
    ) -> Result<(), Fault> {
        let until = row.released.min(from.saturating_add(EVENTS_SENT_AGAIN));
        self.send_events(ctx, docket, from, until, &[to])
    }

    pub(super) fn stored_event(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
        sequence: u32,
    ) -> Result<Signed<DocketEvent>, Fault> {
        let body: Digest = ctx
            .txn
            .row(Table::DocketEvents, &event_key(docket, sequence))?
            .ok_or_else(|| Fault(format!("event {sequence} of {docket} is missing")))?;
        ctx.txn.body_as(&body)
    }
}

/// Whether these events fit the docket and, each, an envelope.
fn room(next: u32, bodies: &[DocketBody]) -> Result<(), Refusal> {
    let found = (next as usize).saturating_add(bodies.len());
    let limit = docket::MAX_DOCKET_EVENTS;
    if found > limit {
        return Err(RefusalReason::TooLong { found, limit }.under(Article::R20));
    }
    let longest = bodies.iter().map(|body| codec::encode(body).len()).max();
    match longest {
        Some(found) if found > MAX_BODY_BYTES => {
            let limit = MAX_BODY_BYTES;
            Err(RefusalReason::TooLong { found, limit }.under(Article::R20))
        }
        Some(_) | None => Ok(()),
    }
}

/// Wraps a workflow's events as docket bodies.
pub(super) fn bodies<E>(wrap: fn(E) -> DocketBody) -> impl Fn(Vec<E>) -> Vec<DocketBody> {
    move |events| events.into_iter().map(wrap).collect()
}
