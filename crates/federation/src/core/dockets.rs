//! Dockets at this node: commands decided and events ordered where the home is here, verified copies kept where it is not.

use identity::{Chain, Code, Digest, Member, Path, Signed, codec};
use sharing::act::{ActBody, MAX_ACT_BYTES, VerifiedAct};
use sharing::application;
use sharing::dispute::{self, Bench};
use sharing::docket::{
    self, DocketBody, DocketCopy, DocketError, DocketEvent, DocketId, DocketState, Entering, Tip,
};
use sharing::return_flow;
use statute::{Article, Refusal, RefusalReason};

use super::project::PersonRow;
use super::tables::{DocketRow, View, act_key, docket_key, event_key, meta};
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
        let decided = match &row.state {
            DocketState::Application(state) => application::decide(
                Some(state),
                &application::Command::Act(act.clone()),
                &self.law(),
                ctx.now,
            )
            .map(bodies(DocketBody::Application)),
            DocketState::Dispute(state) => match self.bench(ctx)? {
                Some(bench) => {
                    dispute::decide(Some(state), &dispute::Command::Act(act.clone()), &bench)
                        .map(bodies(DocketBody::Dispute))
                }
                None => Err(no_authority()),
            },
            DocketState::ReturnFlow(_) => Err(RefusalReason::WrongState {
                expected: "an application or a dispute".into(),
                found: "return flow".into(),
            }
            .under(Article::R24)),
        };
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

    fn record_event(
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
        let parties: Vec<Code> = parties(&row.state)
            .iter()
            .map(Path::code)
            .filter(|code| *code != member.code())
            .collect();
        self.send_events(ctx, &docket, from, row.released, &parties)
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

    /// A verified copy of a docket held here.
    pub(super) fn copy(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
    ) -> Result<Option<DocketCopy>, Fault> {
        let Some(row) = self.docket_row(ctx, docket)? else {
            return Ok(None);
        };
        // Whoever hears the case verifies the chain; that the home's certificate is over must not keep the case from being heard.
        let Some(home) = self.known_chain(ctx, &row.home.code())? else {
            return Ok(None);
        };
        let mut events = Vec::new();
        for sequence in 0..row.next {
            events.push(self.stored_event(ctx, docket, sequence)?);
        }
        Ok(Some(DocketCopy {
            home: home.chain,
            events,
        }))
    }

    /// Events from a docket's home, in its order: each is verified before it is kept.
    pub(super) fn copy_events(
        &mut self,
        ctx: &mut Context<'_, '_>,
        sender: &Member,
        home: &Chain,
        events: &[Signed<DocketEvent>],
    ) -> Result<(), Fault> {
        // A home speaks for itself; what others relay comes as a dispute's copy.
        if home
            .claimed()
            .map(|certificate| certificate.place)
            .ok()
            .as_ref()
            != Some(sender.place())
        {
            return Ok(());
        }
        for signed in events {
            let Ok(claimed) = signed.claimed(docket::MAX_EVENT_BYTES) else {
                continue;
            };
            let id = claimed.docket;
            let row = self.docket_row(ctx, &id)?;
            match docket::verify_event(
                row.as_ref().and_then(tip),
                signed,
                sender.place(),
                sender.signing_key(),
            ) {
                Ok(event) => {
                    let state = match DocketState::evolve(
                        row.as_ref().map(|row| row.state.clone()),
                        &event,
                    ) {
                        Ok(state) => state,
                        Err(error) => {
                            self.docket_finding(ctx, &id, sender, &error.to_string())?;
                            break;
                        }
                    };
                    if let Err(reason) = self.may_copy(ctx, sender, row.as_ref(), &event, &state)? {
                        self.docket_finding(ctx, &id, sender, reason)?;
                        break;
                    }
                    let event = self.record_event(ctx, signed, sender.place())?;
                    self.react_to_copy(ctx, &event)?;
                }
                Err(DocketError::Known(_)) => {}
                Err(DocketError::Gap { expected, .. }) => {
                    self.queue(
                        ctx,
                        sender.code(),
                        Payload::EventsWanted {
                            docket: id,
                            from: expected,
                        },
                    )?;
                    break;
                }
                Err(error) => {
                    self.docket_finding(ctx, &id, sender, &error.to_string())?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an event that its sender signed may stand in the copy kept here. Signing is not enough: a docket has one home, which the law
    /// names and not the sender; it concerns this node; and no home speaks for this node's people.
    fn may_copy(
        &self,
        ctx: &Context<'_, '_>,
        sender: &Member,
        row: Option<&DocketRow>,
        event: &DocketEvent,
        state: &DocketState,
    ) -> Result<Result<(), &'static str>, Fault> {
        let Some(member) = &self.member else {
            return Ok(Err("无有效证书 (no certificate here)"));
        };
        if row.is_some_and(|row| row.home != *sender.place()) {
            return Ok(Err("不是该案卷的所在节点 (not this docket's home)"));
        }
        if !parties(state).contains(member.place()) {
            return Ok(Err("与本节点无关 (this node is no party)"));
        }
        if row.is_none() && !self.opens_at_its_home(ctx, sender, event)? {
            return Ok(Err("该案卷不应由此节点受理 (not the node to open it)"));
        }
        let before = row.map(|row| &row.state);
        if !rests_on_its_act(before, &event.body) {
            return Ok(Err("与所载行为不符 (it alters the act in it)"));
        }
        for act in event.body.acts() {
            let ours = act
                .signer
                .holder()
                .is_none_or(|it| it.node == member.code());
            let done_here = ctx.txn.raw(Table::Seen, &act_key(&act.id()))?.is_some();
            if ours && !done_here && act.verify(member.certificate(), event.at).is_err() {
                return Ok(Err(
                    "所载本节点人员的行为无效 (an act of this node's people does not hold)",
                ));
            }
        }
        Ok(Ok(()))
    }

    /// Whether the first event of a docket comes from the node that owes its first step: the provider's for an application (R20), the source's for
    /// return flow (R24), a common superior's for a dispute about a docket held here (R28).
    fn opens_at_its_home(
        &self,
        ctx: &Context<'_, '_>,
        sender: &Member,
        event: &DocketEvent,
    ) -> Result<bool, Fault> {
        use sharing::application::ApplicationEvent;
        use sharing::dispute::DisputeEvent;
        use sharing::return_flow::ReturnFlowEvent;
        Ok(match &event.body {
            DocketBody::Application(ApplicationEvent::Received { apply, .. }) => {
                let said = apply.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                let there = |asked: &Path| asked == sender.place();
                apply.id().0 == event.docket.0
                    && matches!(said, Ok(ActBody::Apply { application }) if there(&application.provider_node))
            }
            DocketBody::ReturnFlow(ReturnFlowEvent::Subscribed { act, .. }) => {
                let said = act.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                let there = |source: Code| source == sender.code();
                act.id().0 == event.docket.0
                    && matches!(said, Ok(ActBody::Subscribe { source, .. }) if there(source))
            }
            DocketBody::Dispute(DisputeEvent::Referred {
                complainant,
                respondent,
                about,
                ..
            }) => {
                let common = Path::common_path(&complainant.node, &respondent.node);
                let above = *sender.place() == common || sender.place().is_ancestor_of(&common);
                above && self.docket_row(ctx, about)?.is_some()
            }
            DocketBody::Application(_) | DocketBody::ReturnFlow(_) | DocketBody::Dispute(_) => {
                false
            }
        })
    }

    fn docket_finding(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: &DocketId,
        sender: &Member,
        error: &str,
    ) -> Result<(), Fault> {
        ctx.finding(
            format!(
                "{}送来的案卷{}事件未被接受：{error}",
                sender.code(),
                docket.0.short()
            ),
            format!(
                "an event of docket {} from {} was not accepted: {error}",
                docket.0.short(),
                sender.code()
            ),
            Some(Article::R29),
        )
    }
}

/// Whether the home left what a person said as the person said it.
fn rests_on_its_act(before: Option<&DocketState>, body: &DocketBody) -> bool {
    match (before, body) {
        (Some(DocketState::Application(state)), DocketBody::Application(event)) => {
            application::rests_on_its_act(Some(state), event)
        }
        (_, DocketBody::Application(event)) => application::rests_on_its_act(None, event),
        (_, DocketBody::Dispute(event)) => dispute::rests_on_its_act(event),
        // Its only act is the opening, whose fields are compared there.
        (_, DocketBody::ReturnFlow(_)) => true,
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

/// The nodes of a docket's parties, its home included where it is one.
pub(super) fn parties(state: &DocketState) -> Vec<Path> {
    match state {
        DocketState::Application(state) => {
            vec![state.requester.node.clone(), state.provider.node.clone()]
        }
        DocketState::Dispute(state) => vec![
            state.complainant.node.clone(),
            state.respondent.node.clone(),
        ],
        DocketState::ReturnFlow(state) => vec![state.recipient.clone()],
    }
}

/// Whether a docket still owes something.
pub(super) fn is_open(state: &DocketState) -> bool {
    use sharing::application::{DisputeStage, Phase};
    match state {
        DocketState::Application(state) => {
            let settled = matches!(state.phase, Phase::Refused { .. } | Phase::Provided { .. });
            let quiet = matches!(
                state.dispute,
                DisputeStage::None | DisputeStage::Settled | DisputeStage::Concluded { .. }
            );
            !(settled && quiet)
        }
        DocketState::Dispute(state) => state.outcome().is_none(),
        DocketState::ReturnFlow(state) => !matches!(
            state.phase(),
            return_flow::SubscriptionPhase::Delivered(_)
                | return_flow::SubscriptionPhase::Subscribed
        ),
    }
}

/// Wraps a workflow's events as docket bodies.
pub(super) fn bodies<E>(wrap: fn(E) -> DocketBody) -> impl Fn(Vec<E>) -> Vec<DocketBody> {
    move |events| events.into_iter().map(wrap).collect()
}

pub(super) fn no_authority() -> Refusal {
    RefusalReason::WrongState {
        expected: "an authority's head enrolled here".into(),
        found: "none".into(),
    }
    .under(Article::R28)
}
