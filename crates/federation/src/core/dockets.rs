//! Dockets at this node: commands decided and events ordered where the home is here, verified copies kept where it is not.

use identity::{Chain, Code, Digest, Member, Path, Signed};
use sharing::act::VerifiedAct;
use sharing::application;
use sharing::dispute::{self, Bench};
use sharing::docket::{
    self, DocketBody, DocketCopy, DocketError, DocketEvent, DocketId, DocketState, Entering, Tip,
};
use sharing::return_flow;
use statute::{Article, Refusal, RefusalReason, Role};

use super::project::PersonRow;
use super::tables::{DocketRow, View, decode_row, docket_key, event_key, meta};
use super::{Context, Core, Record};
use crate::store::{Fault, Table};
use crate::wire::Payload;

/// Events in one payload; the next follow in another, in order.
const EVENTS_PER_PAYLOAD: usize = 16;

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

    /// What a person's act brings about in a docket whose home is here.
    pub(super) fn decide_step(
        &self,
        ctx: &Context<'_, '_>,
        row: &DocketRow,
        act: &VerifiedAct,
    ) -> Result<Result<Vec<DocketBody>, Refusal>, Fault> {
        Ok(match &row.state {
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
        })
    }

    /// The authority of this place as a bench: its node and its own department, known from its head's certificate.
    pub(super) fn bench(&self, ctx: &Context<'_, '_>) -> Result<Option<Bench>, Fault> {
        let Some(node) = self.place().cloned() else {
            return Ok(None);
        };
        for (_, bytes) in ctx.txn.raw_scan(Table::People, b"", None, MAX_PEOPLE)? {
            let person: PersonRow = decode_row(Table::People, &bytes)?;
            if person.certificate.role == Role::AuthorityHead {
                return Ok(Some(Bench {
                    node,
                    authority: person.certificate.department,
                }));
            }
        }
        Ok(None)
    }

    /// Orders events at home: signed, linked, recorded, released to the other parties, and acted on.
    pub(super) fn append(
        &mut self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        bodies: Vec<DocketBody>,
    ) -> Result<(), Fault> {
        let Some(member) = self.member.clone() else {
            return Ok(());
        };
        let released = self.docket_row(ctx, &docket)?.map_or(0, |row| row.released);
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
        Ok(())
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
        let mut events = Vec::new();
        for sequence in from..until {
            events.push(self.stored_event(ctx, docket, sequence)?);
        }
        for page in events.chunks(EVENTS_PER_PAYLOAD) {
            for code in to {
                self.queue(
                    ctx,
                    *code,
                    Payload::Events {
                        home: member.chain().clone(),
                        events: page.to_vec(),
                    },
                )?;
            }
        }
        Ok(())
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
        let Some(home) = self.known_member(ctx, &row.home.code())? else {
            return Ok(None);
        };
        let mut events = Vec::new();
        for sequence in 0..row.next {
            events.push(self.stored_event(ctx, docket, sequence)?);
        }
        Ok(Some(DocketCopy {
            home: home.chain().clone(),
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
                    let state = row.map(|row| row.state);
                    if let Err(error) = DocketState::evolve(state, &event) {
                        self.docket_finding(ctx, &id, sender, &error)?;
                        break;
                    }
                    if !self.concerns_me(ctx, &event)? {
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
                    self.docket_finding(ctx, &id, sender, &error)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// A docket is copied here only when this node is a party to it: no one can fill it with others' cases.
    fn concerns_me(&self, ctx: &Context<'_, '_>, event: &DocketEvent) -> Result<bool, Fault> {
        let Some(here) = self.place() else {
            return Ok(false);
        };
        let state = self.docket_row(ctx, &event.docket)?.map(|row| row.state);
        Ok(DocketState::evolve(state, event).is_ok_and(|state| parties(&state).contains(here)))
    }

    fn docket_finding(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: &DocketId,
        sender: &Member,
        error: &DocketError,
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

/// Most people of one node looked through for its authority's head.
const MAX_PEOPLE: usize = 4_096;

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
