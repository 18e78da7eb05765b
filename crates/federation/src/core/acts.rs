//! A person's act at this node: verified, taken at most once, carried out here or sent to the docket's home.

use identity::Chain;
use identity::planted::{self, Bug};
use sharing::act::{ActBody, ActError, SignedAct, VerifiedAct};
use sharing::application::DirectAct;
use sharing::catalogue::EntryCommand;
use sharing::docket::DocketId;
use sharing::incident::{IncidentAct, IncidentStep};
use sharing::node_act::NodeAct;
use sharing::open_data::OpenDataAct;
use sharing::reading::ReadingAct;
use statute::{Article, Refusal, RefusalReason};

use super::project::DraftRow;
use super::tables::{DocketRow, SeenRow, View, act_key, docket_key};
use super::{Answer, Context, Core, Effect, Record, Refused, Token};
use crate::store::{Fault, Table};
use crate::wire::{MAX_ENVELOPE_BYTES, Payload};

/// Most bytes of an act that goes to another node: the event that it becomes holds the act, what it says once more, and the home's chain.
const MAX_TRAVELLING_ACT_BYTES: usize = MAX_ENVELOPE_BYTES / 2 - (32 << 10);

/// What a rule made of an act.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It stands.
    Accepted {
        docket: Option<DocketId>,
        warnings: Vec<String>,
    },
    /// It stands, and a child has a certificate.
    Certified(Chain),
    /// The law does not allow it.
    Refused(Refusal),
    /// It cannot be meant: not a question of law.
    Invalid(String),
}

impl Core {
    pub(super) fn act(
        &mut self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        signed: &SignedAct,
    ) -> Result<(), Fault> {
        let answer = self.take_act(ctx, signed)?;
        ctx.effects.push(Effect::Answer { token, answer });
        Ok(())
    }

    fn take_act(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &SignedAct,
    ) -> Result<Result<Answer, Refused>, Fault> {
        let member = match self.membership_at_home(ctx.now) {
            Ok(member) => member.clone(),
            Err(refused) => return Ok(Err(refused)),
        };
        let act = match signed.verify(member.certificate(), ctx.now) {
            Ok(act) => act,
            Err(ActError::Refused(refusal)) => {
                let refusal = self.as_ordered(ctx, signed, refusal)?;
                // The chain and the signature held: it is on record who was refused.
                if let Some(person) = signed.signer.holder() {
                    ctx.refusal(signed.id(), person.into(), &refusal)?;
                }
                return Ok(Err(Refused::Lawful(refusal)));
            }
            Err(error) => return Ok(Err(Refused::NotAuthentic(error.to_string()))),
        };
        let seen: Option<SeenRow> = ctx.txn.row(Table::Seen, &act_key(&act.id()))?;
        let seen = seen.filter(|_| !planted::is(Bug::ActTakenTwice));
        if let Some(SeenRow::Act { docket, at }) = seen {
            return Ok(Ok(Answer {
                act: Some(act.id()),
                docket,
                repeated: true,
                ..Answer::at(at)
            }));
        }
        if let Err(refusal) = self.check_enrolment(ctx, signed)? {
            ctx.refusal(act.id(), act.doer().clone(), &refusal)?;
            return Ok(Err(Refused::Lawful(refusal)));
        }
        let mut answer = Answer {
            act: Some(act.id()),
            ..Answer::at(ctx.now)
        };
        let reaches = self.check_cut_off(ctx, &act)?;
        let outcome = match travels_lightly(&act).and(reaches) {
            Ok(()) => self.judge(ctx, &act)?,
            Err(refusal) => Outcome::Refused(refusal),
        };
        match outcome {
            Outcome::Accepted { docket, warnings } => {
                answer.docket = docket;
                answer.warnings = warnings;
            }
            Outcome::Certified(chain) => {
                answer.warnings = few_witnesses(&chain);
                answer.chain = Some(chain);
            }
            Outcome::Invalid(reason) => return Ok(Err(Refused::NotAuthentic(reason))),
            Outcome::Refused(refusal) => {
                ctx.refusal(act.id(), act.doer().clone(), &refusal)?;
                return Ok(Err(Refused::Lawful(refusal)));
            }
        }
        // What the act needs from the tables is read before its record changes them.
        let draft: Option<DraftRow> = match &act.act().body {
            ActBody::ConsentToApply { docket, .. } => {
                ctx.txn.row(Table::Drafts, &docket_key(docket))?
            }
            _ => None,
        };
        let body = ctx.body(signed);
        let (id, doer, at) = (act.id(), act.doer().clone(), ctx.now);
        ctx.record(&Record::Act { id, doer, body, at })?;
        let late = self.carry_out(ctx, signed, &act, draft, answer.chain.as_ref())?;
        Ok(match late {
            Some(refusal) => {
                let docket = act.act().body.docket();
                let docket = docket.unwrap_or(DocketId(signed.id().0));
                self.refused_with_content(ctx, member.code(), docket, signed.id())?;
                Err(Refused::Lawful(refusal))
            }
            None => {
                answer.uses = self.read_uses(ctx, &act)?;
                Ok(answer)
            }
        })
    }

    /// Whether the act may stand, before anything is written.
    fn judge(&mut self, ctx: &mut Context<'_, '_>, act: &VerifiedAct) -> Result<Outcome, Fault> {
        match &act.act().body {
            ActBody::EnrolPerson { certificate, .. } => self.judge_enrolment(ctx, act, certificate),
            ActBody::CompileEntries { entries } => self.compile(ctx, act, entries),
            ActBody::ApproveEntries { entries } => self.step_entries(
                ctx,
                act,
                entries.iter().map(|it| (it, EntryCommand::Approve(it))),
            ),
            ActBody::SubmitEntries { entries } => self.step_entries(
                ctx,
                act,
                entries.iter().map(|it| (it, EntryCommand::Submit(it))),
            ),
            ActBody::ReviewEntries { entries, verdict } => self.step_entries(
                ctx,
                act,
                entries
                    .iter()
                    .map(|it| (it, EntryCommand::Review(it, verdict))),
            ),
            ActBody::WithdrawEntry { entry, .. } => self.step_entries(
                ctx,
                act,
                std::iter::once((entry, EntryCommand::Withdraw(entry))),
            ),
            ActBody::Apply { application } => Ok(
                match sharing::application::requester_states_its_need(act, application) {
                    Ok(()) => Outcome::Accepted {
                        docket: Some(DocketId(act.id().0)),
                        warnings: self.warnings_of_risk(ctx, act.id(), application)?,
                    },
                    Err(refusal) => Outcome::Refused(refusal),
                },
            ),
            ActBody::ConsentToApply { docket, .. } => self.judge_consent(ctx, act, *docket),
            ActBody::Subscribe(_) => Ok(Outcome::Accepted {
                docket: Some(DocketId(act.id().0)),
                warnings: Vec::new(),
            }),
            ActBody::ReturnTable { .. } => Ok(Outcome::Accepted {
                docket: None,
                warnings: Vec::new(),
            }),
            ActBody::CertifyMember {
                request,
                witnesses,
                valid_days,
            } => self.certify(ctx, act, request, witnesses, *valid_days),
            ActBody::RevokeMember { node, serial, .. } => {
                let child = self
                    .child_chain(ctx, node)?
                    .and_then(|chain| chain.claimed().ok());
                Ok(match child {
                    Some(certificate) if certificate.serial == *serial => Outcome::Accepted {
                        docket: None,
                        warnings: Vec::new(),
                    },
                    _ => Outcome::Invalid(format!(
                        "本节点没有向 {node} 签发过第 {serial} 号证书，或者已另发新证书 (no such certificate in force here)"
                    )),
                })
            }
            ActBody::Node(NodeAct::InstallCalendar { text }) => self.judge_notice(ctx, act, text),
            ActBody::Node(NodeAct::EndEnrolment { person, ending }) => {
                self.judge_ending(ctx, act, person, ending)
            }
            ActBody::Source(said) => Ok(self.judge_source(ctx, act, said)),
            ActBody::Incident(IncidentAct::Step {
                docket,
                step: IncidentStep::Contain(measure),
            }) => self.judge_measure(ctx, act, *docket, measure),
            ActBody::Direct(DirectAct::Place { entry, .. }) => self.judge_placing(ctx, act, entry),
            // Without an application nobody consents to a risk of aggregation: where one is needed, it is applied for.
            ActBody::Direct(DirectAct::Take { application, .. }) => {
                let docket = DocketId(act.id().0);
                match self.risk_may_go_out(ctx, docket, application, None)? {
                    Ok(()) => self.judge_in_docket(ctx, act),
                    Err(refusal) => Ok(Outcome::Refused(refusal)),
                }
            }
            ActBody::Need(said) => match self.check_need(ctx, act, said)? {
                Ok(()) => self.judge_in_docket(ctx, act),
                Err(refusal) => Ok(Outcome::Refused(refusal)),
            },
            ActBody::Aggregation(said) => self.judge_risk_answered(ctx, said),
            ActBody::OpenData(said @ (OpenDataAct::Mark { .. } | OpenDataAct::Publish { .. })) => {
                self.judge_open_data(ctx, act, said)
            }
            ActBody::Reading(ReadingAct::Read { docket, .. }) => {
                self.judge_reading(ctx, act, *docket)
            }
            _ => self.judge_in_docket(ctx, act),
        }
    }

    /// An act that opens a docket by itself, or steps one.
    fn judge_in_docket(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Outcome, Fault> {
        let body = &act.act().body;
        match (body.opens(), body.docket()) {
            (Some(opens), _) => self.judge_opening(ctx, act, opens),
            (None, Some(docket)) => self.judge_step(ctx, act, docket),
            (None, None) => Ok(Outcome::Invalid("an act of no known effect".into())),
        }
    }

    /// R20: the consent names exactly the drafted document; the whole is checked again at the provider's node.
    fn judge_consent(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        docket: DocketId,
    ) -> Result<Outcome, Fault> {
        let Some(draft) = ctx
            .txn
            .row::<DraftRow>(Table::Drafts, &docket_key(&docket))?
        else {
            return Ok(Outcome::Refused(
                RefusalReason::UnknownDocket {
                    docket: docket.to_string(),
                }
                .under(Article::R20),
            ));
        };
        let member = match self.membership_at_home(ctx.now) {
            Ok(member) => member,
            Err(refused) => return Ok(Outcome::Invalid(refused.to_string())),
        };
        let drafted = match draft.act.verify(member.certificate(), draft.at) {
            Ok(drafted) => drafted,
            Err(error) => return Ok(Outcome::Invalid(error.to_string())),
        };
        let consented = sharing::application::consent_to_apply(&drafted, act);
        let risk = match (&consented, &drafted.act().body) {
            (Ok(()), ActBody::Apply { application }) => {
                self.risk_may_go_out(ctx, docket, application, draft.answer.as_ref())?
            }
            (Ok(()) | Err(_), _) => Ok(()),
        };
        Ok(match consented.and(risk) {
            Ok(()) => Outcome::Accepted {
                docket: Some(docket),
                warnings: Vec::new(),
            },
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    /// A step in a docket known here: judged at once where this is the home, else by the home when it arrives there.
    fn judge_step(
        &mut self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
        docket: DocketId,
    ) -> Result<Outcome, Fault> {
        let Some(row) = ctx
            .txn
            .row::<DocketRow>(Table::Dockets, &docket_key(&docket))?
        else {
            let article = act.act().body.article();
            let docket = docket.to_string();
            return Ok(Outcome::Refused(
                RefusalReason::UnknownDocket { docket }.under(article),
            ));
        };
        if Some(&row.home) == self.place()
            && let Err(refusal) = self.decide_step(ctx, &row, act)?
        {
            return Ok(Outcome::Refused(refusal));
        }
        Ok(Outcome::Accepted {
            docket: Some(docket),
            warnings: Vec::new(),
        })
    }

    /// After the act's record: what follows from it. A refusal can still come from a docket opened on this very node.
    fn carry_out(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &SignedAct,
        act: &VerifiedAct,
        draft: Option<DraftRow>,
        chain: Option<&Chain>,
    ) -> Result<Option<Refusal>, Fault> {
        match &act.act().body {
            ActBody::ReviewEntries { entries, verdict } => {
                self.after_review(ctx, entries, verdict)?;
                self.updates_reviewed(ctx, act.id(), entries, verdict)?
            }
            ActBody::WithdrawEntry { entry, reason } => {
                self.after_withdrawal(ctx, entry, reason)?;
                self.updates_withdrawn(ctx, act.id(), entry, reason)?
            }
            ActBody::SubmitEntries { entries } => self.updates_submitted(ctx, act.id(), entries)?,
            ActBody::ConsentToApply { .. } => {
                if let Some(draft) = draft
                    && let Some(ActBody::Apply { application }) = draft.act.body()
                {
                    let risk = self.risk_sent(ctx, &draft, &application)?;
                    self.queue(
                        ctx,
                        application.provider_node.code(),
                        Payload::OpenApplication {
                            apply: draft.act,
                            consent: signed.clone(),
                            risk: risk.map(Box::new),
                        },
                    )?;
                }
            }
            ActBody::Subscribe(subscription) => self.queue(
                ctx,
                subscription.source,
                Payload::Subscribe {
                    act: signed.clone(),
                },
            )?,
            ActBody::ReturnTable { table } => self.split(ctx, act.id(), table)?,
            ActBody::CertifyMember { .. } => {
                if let Some(chain) = chain {
                    self.after_certify(ctx, chain)?;
                }
            }
            ActBody::RevokeMember {
                node,
                serial,
                reason,
            } => self.after_revoke(ctx, *node, *serial, *reason)?,
            ActBody::Source(said) => self.name_source(ctx, act, said)?,
            ActBody::Incident(IncidentAct::Step {
                docket,
                step: IncidentStep::Contain(measure),
            }) => return self.carry_measure(ctx, signed, act, (*docket, measure)),
            ActBody::OpenData(said @ (OpenDataAct::Mark { .. } | OpenDataAct::Publish { .. })) => {
                return self.carry_open_data(ctx, act, said);
            }
            ActBody::Node(NodeAct::InstallCalendar { .. }) => self.install_notice(ctx, signed)?,
            ActBody::Node(NodeAct::EndEnrolment { .. })
            | ActBody::Direct(DirectAct::Place { .. })
            | ActBody::EnrolPerson { .. }
            | ActBody::CompileEntries { .. }
            | ActBody::ApproveEntries { .. }
            | ActBody::Aggregation(_)
            | ActBody::Apply { .. } => {}
            other => match (other.opens(), other.docket()) {
                (Some(opens), _) => return self.carry_opening(ctx, signed, act, opens),
                (None, Some(docket)) => return self.carry_step(ctx, signed, act, docket),
                (None, None) => {}
            },
        }
        Ok(None)
    }

    /// A step in a docket: taken here where the home is here, else sent there.
    pub(super) fn carry_step(
        &mut self,
        ctx: &mut Context<'_, '_>,
        signed: &SignedAct,
        act: &VerifiedAct,
        docket: DocketId,
    ) -> Result<Option<Refusal>, Fault> {
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(None);
        };
        if Some(&row.home) != self.place() {
            let act = signed.clone();
            self.queue(ctx, row.home.code(), Payload::Command { docket, act })?;
            return Ok(None);
        }
        match self.decide_step(ctx, &row, act)? {
            Ok(bodies) => Ok(self.append(ctx, docket, bodies)?.err()),
            Err(refusal) => Ok(Some(refusal)),
        }
    }
}

/// An act that goes to another node must fit an envelope, with a consent and the chains beside it.
fn travels_lightly(act: &VerifiedAct) -> Result<(), Refusal> {
    let body = &act.act().body;
    let goes = body.docket().is_some()
        || body.opens().is_some()
        || matches!(body, ActBody::Apply { .. } | ActBody::Subscribe(_));
    let (found, limit) = (act.signed().act.bytes().len(), MAX_TRAVELLING_ACT_BYTES);
    if goes && found > limit {
        let article = body.article();
        return Err(RefusalReason::TooLong { found, limit }.under(article));
    }
    Ok(())
}

/// Witnesses a node should have outside its own line.
const WITNESSES: usize = 2;

/// A certificate may name fewer than [`WITNESSES`]; whoever issues it is told what that means.
fn few_witnesses(chain: &Chain) -> Vec<String> {
    let named = chain
        .claimed()
        .map_or(0, |certificate| certificate.witnesses.len());
    if named < WITNESSES {
        vec![format!(
            "证书列明{named}个见证节点，应为{WITNESSES}个：上下级合谋改写账本时将缺少旁证 ({named} of {WITNESSES} witnesses named)"
        )]
    } else {
        Vec::new()
    }
}
