//! What arrives in an envelope, opened: each payload believed as far as its sender may be.

use identity::{Code, Member, Moment};
use sharing::act::{ActBody, SignedAct, VerifiedAct};
use sharing::aggregation::Risk;
use sharing::application;
use sharing::clock::Clock;
use sharing::docket::{Case, DocketBody, DocketId};
use statute::{Article, Refusal, RefusalReason};

use super::dockets::bodies;
use super::tables::{View, act_key, envelope_key};
use super::{Context, Core};
use crate::store::{Fault, Table};
use crate::wire::Payload;

impl Core {
    /// Takes a payload from a verified member (this node itself, when it is both ends).
    pub(super) fn received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        payload: Payload,
    ) -> Result<(), Fault> {
        match payload {
            Payload::OpenApplication {
                apply,
                consent,
                risk,
            } => self.open_application(ctx, from, (&apply, &consent), risk),
            Payload::Command { docket, act } => self.command(ctx, from, docket, &act),
            Payload::Events { home, events } => self.copy_events(ctx, from, &home, &events),
            Payload::EventsWanted {
                docket,
                from: sequence,
            } => self.events_wanted(ctx, from, docket, sequence),
            Payload::Refused {
                docket,
                act,
                refusal,
            } => self.refused_by_home(ctx, from, docket, act, &refusal),
            Payload::Open { act } => self.opened_from(ctx, from, &act),
            Payload::Subscribe { act } => self.subscribed(ctx, from, &act),
            Payload::ObjectReceived { docket, object, at } => {
                self.object_received(ctx, from, docket, object, at)
            }
            Payload::Destroyed {
                docket,
                contents,
                at,
            } => self.said_destroyed(ctx, from, docket, &contents, at),
            Payload::PartVerified {
                docket,
                delivery,
                rows,
                finding,
                at,
            } => self.part_verified(ctx, from, docket, delivery, rows, finding, at),
            Payload::ReferDispute {
                about,
                copy,
                passed_on,
            } => self.dispute_referred(ctx, from, about, copy, passed_on),
            Payload::DisputeConcluded {
                dispute,
                about,
                outcome,
            } => self.dispute_concluded(ctx, from, dispute, about, &outcome),
            Payload::Undeliverable {
                envelope,
                reason,
                at,
            } => {
                // Only of an envelope that left from here or passed through.
                match ctx.txn.raw(Table::Seen, &envelope_key(&envelope))? {
                    Some(_) => self.undeliverable(ctx, envelope, reason, &at, None),
                    None => Ok(()),
                }
            }
            Payload::WitnessWanted {
                checkpoint,
                from: size,
                proof,
            } => self.witness_wanted(ctx, from, &checkpoint, size, &proof),
            Payload::Witnessed { size, cosignature } => {
                self.witnessed(ctx, from, size, cosignature)
            }
            Payload::WitnessRefused { newest, reason } => {
                self.witness_refused(ctx, from, newest.as_ref(), &reason)
            }
            Payload::LapseTold {
                docket,
                duty,
                due,
                who,
            } => self.lapse_told(ctx, from, (docket, duty, due), &who),
            Payload::Circular { act } => self.circular_received(ctx, from, &act),
            Payload::TimeAsked { docket, sequence } => self.time_asked(ctx, from, docket, sequence),
            Payload::TimeShown {
                docket,
                sequence,
                evidence,
            } => self.time_shown(ctx, from, (docket, sequence), &evidence),
        }
    }

    /// An act from another node's person: proved under that node's certificate.
    pub(super) fn foreign_act(
        &self,
        ctx: &Context<'_, '_>,
        from: &Member,
        act: &SignedAct,
    ) -> Result<VerifiedAct, Refusal> {
        act.verify(from.certificate(), ctx.now)
            .map_err(|error| match error {
                sharing::act::ActError::Refused(refusal) => refusal,
                other => RefusalReason::WrongState {
                    expected: "a valid act".into(),
                    found: other.to_string(),
                }
                .under(Article::R20),
            })
    }

    pub(super) fn refuse(
        &mut self,
        ctx: &mut Context<'_, '_>,
        to: Code,
        docket: DocketId,
        act: &SignedAct,
        refusal: Refusal,
    ) -> Result<(), Fault> {
        if let Some(holder) = act.signer.holder() {
            ctx.refusal(act.id(), holder.into(), &refusal)?;
        }
        self.queue(
            ctx,
            to,
            Payload::Refused {
                docket,
                act: act.id(),
                refusal,
            },
        )
    }

    /// Orders what was decided on a foreign act, or tells its node why not.
    pub(super) fn order_or_refuse(
        &mut self,
        ctx: &mut Context<'_, '_>,
        to: Code,
        docket: DocketId,
        act: &SignedAct,
        decided: Result<Vec<DocketBody>, Refusal>,
    ) -> Result<(), Fault> {
        let refusal = match decided {
            Ok(bodies) => self.append(ctx, docket, bodies)?.err(),
            Err(refusal) => Some(refusal),
        };
        match refusal {
            None => Ok(()),
            Some(refusal) => self.refuse(ctx, to, docket, act, refusal),
        }
    }

    /// R20, R21: the term runs from here.
    fn open_application(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        (apply, consent): (&SignedAct, &SignedAct),
        risk: Option<Box<Risk>>,
    ) -> Result<(), Fault> {
        let docket = DocketId(apply.id().0);
        if self.docket_row(ctx, &docket)?.is_some() {
            return Ok(());
        }
        let verified = self
            .foreign_act(ctx, from, apply)
            .and_then(|apply| Ok((apply, self.foreign_act(ctx, from, consent)?)))
            .and_then(|(apply, consent)| {
                let answer = risk.as_ref().and_then(|risk| risk.consent.as_ref());
                let answer = answer.map(|act| self.foreign_act(ctx, from, act));
                Ok((apply, consent, answer.transpose()?))
            });
        let (verified_apply, verified_consent, answer) = match verified {
            Ok(pair) => pair,
            Err(refusal) => return self.refuse(ctx, from.code(), docket, apply, refusal),
        };
        let entry = match (&verified_apply.act().body, self.place()) {
            (ActBody::Apply { application }, Some(here)) => {
                super::query::published_in(&*ctx.txn, &here.code(), &application.entry)?
            }
            _ => None,
        };
        let command = application::Command::Open {
            apply: verified_apply,
            consent: verified_consent,
            requester_node: from.place().clone(),
            entry: entry.map(Box::new),
            risk: risk.map(|risk| Box::new((*risk, answer))),
        };
        let clock = Clock::default();
        let decided = application::decide(None, &command, &self.step(ctx.now, &clock));
        let decided = decided.map(bodies(DocketBody::Application));
        self.order_or_refuse(ctx, from.code(), docket, apply, decided)
    }

    fn command(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return self.refuse(
                ctx,
                from.code(),
                docket,
                act,
                RefusalReason::UnknownDocket {
                    docket: docket.to_string(),
                }
                .under(Article::R20),
            );
        };
        if ctx.txn.raw(Table::Seen, &act_key(&act.id()))?.is_some() {
            // Carried out before, whatever envelope brings it again.
            return Ok(());
        }
        let decided = match self.foreign_act(ctx, from, act) {
            Ok(verified) if verified.act().body.docket() == Some(docket) => {
                self.decide_step(ctx, &row, &verified)?
            }
            Ok(_) => Err(RefusalReason::UnknownDocket {
                docket: docket.to_string(),
            }
            .under(Article::R20)),
            Err(refusal) => Err(refusal),
        };
        self.order_or_refuse(ctx, from.code(), docket, act, decided)
    }

    /// Only a party may ask for events again, and only for released ones.
    fn events_wanted(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        sequence: u32,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return Ok(());
        };
        if row.state.case.parties().contains(from.place()) {
            self.send_again(ctx, &docket, &row, sequence, from.code())?;
        }
        Ok(())
    }

    /// A refusal is heard only of what was asked: an act of this node's people, or a docket held here.
    fn refused_by_home(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        act: sharing::act::ActId,
        refusal: &Refusal,
    ) -> Result<(), Fault> {
        let asked = ctx.txn.raw(Table::Seen, &act_key(&act))?.is_some()
            || self.docket_row(ctx, &docket)?.is_some();
        if !asked {
            return Ok(());
        }
        self.refused_with_content(ctx, from.code(), docket, act)?;
        ctx.finding(
            format!(
                "{}不予受理案卷{}中的行为：{}。{}",
                from.code(),
                docket.0.short(),
                refusal.zh(),
                refusal.what_to_do_zh()
            ),
            format!(
                "{} refused an act in docket {}: {}. {}",
                from.code(),
                docket.0.short(),
                refusal.en(),
                refusal.what_to_do_en()
            ),
            Some(refusal.article),
        )
    }

    /// R22: the requester's node holds all of it, verified.
    fn object_received(
        &mut self,
        ctx: &mut Context<'_, '_>,
        from: &Member,
        docket: DocketId,
        object: identity::Digest,
        at: Moment,
    ) -> Result<(), Fault> {
        let Some(row) = self.home_row(ctx, &docket)? else {
            return Ok(());
        };
        let Case::Application(state) = &row.state.case else {
            return Ok(());
        };
        if state.requester.node != *from.place() {
            return Ok(());
        }
        // A repeated or late confirmation changes nothing.
        if let Ok(events) = application::decide(
            Some(state),
            &application::Command::Fetched {
                object,
                at: at.min(ctx.now),
            },
            &self.step(ctx.now, &row.state.clock),
        ) {
            self.append_or_tell(ctx, docket, bodies(DocketBody::Application)(events))?;
        }
        Ok(())
    }
}
