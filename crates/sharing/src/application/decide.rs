//! What follows from a command: which events, or which refusal. Commands of people come as [`VerifiedAct`]s, so that signature, chain,
//! term, address and role are settled; here stands whether the case allows it.

use identity::{Digest, Moment, Path};
use statute::standing::{check_may_provide, check_may_use};
use statute::{Article, Duty, Method, Refusal, RefusalReason};

use super::rules::{self, acts_for, acts_for_either};
use super::{
    ApplicationEvent, ApplicationState, DisputeStage, GrantAct, GrantTerms, MissingItem, Phase,
    Provision, Reply, grant, standing,
};
use crate::act::{ActBody, ActId, Deed, ObjectRef, VerifiedAct, text_within_bounds};
use crate::aggregation::{Risk, check_risk};
use crate::catalogue::{EntryVersion, PublishedEntry};
use crate::clock::Clock;
use crate::dispute::NegotiationStep;
use crate::docket::{DocketId, Step};
use crate::incident::suspension_of;
use crate::reading::{self, ReadingAct};

/// What happens to an application's docket.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, on its way through decide"
)]
pub enum Command {
    /// The requester's consented application arrived; `entry` is what the provider's node has published under its id, if anything.
    Open {
        /// The signed application.
        apply: VerifiedAct,
        /// The signed consent.
        consent: VerifiedAct,
        /// The requester's place.
        requester_node: Path,
        /// Which entry.
        entry: Option<Box<PublishedEntry>>,
        /// What the requester could join with it, and the verified consent of its authority, where one came.
        risk: Option<Box<(Risk, Option<VerifiedAct>)>>,
    },
    /// A person's act in this docket.
    Act(VerifiedAct),
    /// The requester's node received and verified an object.
    Fetched {
        /// The object, by content.
        object: Digest,
        /// When.
        at: Moment,
    },
    /// The provider had placed this object on the platform for whoever takes its entry.
    Placed {
        /// With this act.
        placed: ActId,
        /// Of exactly this version.
        entry: EntryVersion,
        /// The object, by content.
        object: ObjectRef,
    },
    /// The hearing node told what came of the dispute.
    DisputeConcluded {
        /// The docket at the common superior.
        dispute: DocketId,
        /// What came of it.
        outcome: String,
    },
}

/// The events that a command brings about. No event means that the command changes nothing (it was carried out before).
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn decide(
    state: Option<&ApplicationState>,
    command: &Command,
    step: &Step<'_>,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    match (state, command) {
        (
            None,
            Command::Open {
                apply,
                consent,
                requester_node,
                entry,
                risk,
            },
        ) => {
            let risk = risk.as_deref();
            open(
                apply,
                consent,
                (requester_node, risk),
                entry.as_deref(),
                step,
            )
        }
        (Some(state), Command::Open { .. }) => Err(RefusalReason::Duplicate {
            what: state.docket.to_string(),
        }
        .under(Article::R20)),
        (
            None,
            Command::Act(_)
            | Command::Fetched { .. }
            | Command::Placed { .. }
            | Command::DisputeConcluded { .. },
        ) => Err(RefusalReason::WrongState {
            expected: "received".into(),
            found: "none".into(),
        }
        .under(Article::R20)),
        (Some(state), Command::Act(act)) => person_acts(state, act, step),
        (Some(state), Command::Fetched { object, at }) => fetched(state, object, *at),
        (
            Some(state),
            Command::Placed {
                placed,
                entry,
                object,
            },
        ) => Ok(placed_there(state, *placed, entry, object)),
        (Some(state), Command::DisputeConcluded { dispute, outcome }) => {
            dispute_concluded(state, *dispute, outcome)
        }
    }
}

/// R16, R20: a consented application for a published entry starts the term of R21.
fn open(
    apply: &VerifiedAct,
    consent: &VerifiedAct,
    (requester_node, risk): (&Path, Option<&(Risk, Option<VerifiedAct>)>),
    entry: Option<&PublishedEntry>,
    step: &Step<'_>,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    let ActBody::Apply { application } = &apply.act().body else {
        return Err(wrong_state("apply", "another act", Article::R20));
    };
    rules::requester_states_its_need(apply, application)?;
    if requester_node.code() != apply.doer().node {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    rules::consent_to_apply(apply, consent)?;
    let published = rules::entry_may_be_applied_for(application, entry)?;
    rules::within_the_entry(application, published)?;
    if let Some((risk, answer)) = risk {
        let draft = DocketId(apply.id().0);
        check_risk(risk, answer.as_ref(), draft, application.requester)?;
    }
    let class = published.entry.terms.class();
    let duty =
        Duty::reply_to(class).ok_or_else(|| RefusalReason::EntryNotShared.under(Article::R14))?;
    Ok(vec![ApplicationEvent::Received {
        apply: apply.signed().clone(),
        consent: consent.signed().clone(),
        requester_node: requester_node.clone(),
        entry: published.clone(),
        term: step.law.term(duty, step.now),
        profile: step.law.profile.clone(),
        risk: risk.map(|(risk, _)| risk.clone()),
    }])
}

/// A person's act in an open docket.
fn person_acts(
    state: &ApplicationState,
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    let body = &act.act().body;
    if let Some(suspend) = suspension_of(body, state.docket) {
        let docket = state.docket;
        let named = GrantAct {
            docket,
            step: suspend,
        };
        return grant_acts(state, &named, act, step);
    }
    if body.docket() != Some(state.docket) {
        return Err(RefusalReason::UnknownDocket {
            docket: state.docket.to_string(),
        }
        .under(Article::R20));
    }
    let event = match body {
        ActBody::TellMissing { missing, .. } => tell_missing(state, act, missing, step)?,
        ActBody::Supplement {
            materials, until, ..
        } => {
            acts_for(&state.requester, act, Article::R21)?;
            let Phase::Incomplete { missing } = &state.phase else {
                return Err(not_in(state, "incomplete", Article::R21));
            };
            rules::supplement_is_whole(state, missing, (materials, *until))?;
            let duty = Duty::reply_to(state.entry.entry.terms.class())
                .ok_or_else(|| RefusalReason::EntryNotShared.under(Article::R14))?;
            let term = step.law.term(duty, step.now);
            ApplicationEvent::Supplemented {
                act: act.signed().clone(),
                materials: materials.clone(),
                until: *until,
                term,
            }
        }
        ActBody::ProposeReply { reply, .. } => propose_reply(state, act, reply, step)?,
        ActBody::ConsentToReply { document, .. } => consent_to_reply(state, act, *document, step)?,
        ActBody::Provide { object, .. } => provide(state, act, object, step.now)?,
        ActBody::RecordUse { record, .. } => {
            acts_for(&state.requester, act, Article::R29)?;
            let terms = at_disposal(state, Article::R29)?;
            check_may_use(state.standing.access.standing())?;
            grant::grant_runs(terms, step.now)?;
            grant::use_record_is_whole(state, record)?;
            ApplicationEvent::UseRecorded {
                act: act.signed().clone(),
                record: record.clone(),
            }
        }
        ActBody::Reading(ReadingAct::Read { .. }) => reading::reads(state, act)?,
        ActBody::RaiseDispute { claim, .. } => raise_dispute(state, act, claim, step.clock)?,
        ActBody::Negotiate { step, .. } => negotiate(state, act, step)?,
        ActBody::Grant(done) => return grant_acts(state, done, act, step),
        _ => {
            return Err(not_in(state, "another docket", Article::R20));
        }
    };
    Ok(vec![event])
}

/// R25, R27, R35: a step in the life of a grant that was given: of data at the requester's disposal, or of what an incident suspends before.
fn grant_acts(
    state: &ApplicationState,
    done: &GrantAct,
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    let terms = match &state.phase {
        Phase::Granted { terms, .. }
            if state
                .standing
                .precedes_provision(&done.step, &act.act().body) =>
        {
            terms
        }
        Phase::Granted { .. }
        | Phase::Received { .. }
        | Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Refused { .. }
        | Phase::Providing { .. }
        | Phase::Provided { .. } => at_disposal(state, statute::required_role(done.kind()).1)?,
    };
    let event = standing::decide(state, terms, done, act, step)?;
    Ok(vec![ApplicationEvent::Grant(event)])
}

/// R21: once, and everything.
fn tell_missing(
    state: &ApplicationState,
    act: &VerifiedAct,
    missing: &[MissingItem],
    step: &Step<'_>,
) -> Result<ApplicationEvent, Refusal> {
    acts_for(&state.provider, act, Article::R21)?;
    rules::missing_is_told_once(state, missing)?;
    rules::missing_is_told_in_time(state, step)?;
    match &state.phase {
        Phase::Received { .. } => Ok(ApplicationEvent::MissingTold {
            act: act.signed().clone(),
            missing: missing.to_vec(),
        }),
        Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Granted { .. }
        | Phase::Refused { .. }
        | Phase::Providing { .. }
        | Phase::Provided { .. } => Err(not_in(state, "received", Article::R21)),
    }
}

/// R21: a lawful reply to a complete application.
fn propose_reply(
    state: &ApplicationState,
    act: &VerifiedAct,
    reply: &Reply,
    step: &Step<'_>,
) -> Result<ApplicationEvent, Refusal> {
    acts_for(&state.provider, act, Article::R21)?;
    grant::reply_follows_completeness(state, reply, step)?;
    match &state.phase {
        Phase::Received { .. } | Phase::ReplyProposed { .. } => {}
        Phase::Incomplete { missing } => return Err(incomplete(missing, reply)),
        Phase::Granted { .. }
        | Phase::Refused { .. }
        | Phase::Providing { .. }
        | Phase::Provided { .. } => {
            return Err(not_in(state, "received", Article::R21));
        }
    }
    grant::reply_is_lawful(state, reply, step.law.profile, step.now)?;
    rules::may_try_again(state, Article::R21)?;
    Ok(ApplicationEvent::ReplyProposed {
        act: act.signed().clone(),
        reply: reply.clone(),
    })
}

/// R20, R21: the consent makes the proposed reply the answer; R22's term runs from here.
fn consent_to_reply(
    state: &ApplicationState,
    act: &VerifiedAct,
    consented: Digest,
    step: &Step<'_>,
) -> Result<ApplicationEvent, Refusal> {
    acts_for(&state.provider, act, Article::R20)?;
    let Phase::ReplyProposed {
        reply, document, ..
    } = &state.phase
    else {
        return Err(not_in(state, "reply-proposed", Article::R20));
    };
    grant::consent_to_reply(*document, consented)?;
    grant::reply_is_lawful(state, reply, step.law.profile, step.now)?;
    let consent = act.signed().clone();
    Ok(match reply {
        Reply::Grant { terms } => ApplicationEvent::Granted {
            consent,
            terms: terms.clone(),
            term: step.law.term(Duty::Provide, step.now),
        },
        Reply::Refuse { reasons, basis } => ApplicationEvent::Refused {
            consent,
            reasons: reasons.clone(),
            basis: basis.clone(),
        },
    })
}

/// R22: intent only; [`Command::Fetched`] is the outcome.
fn provide(
    state: &ApplicationState,
    act: &VerifiedAct,
    object: &ObjectRef,
    now: Moment,
) -> Result<ApplicationEvent, Refusal> {
    acts_for(&state.provider, act, Article::R22)?;
    check_may_provide(state.standing.access.standing())?;
    let terms = match &state.phase {
        Phase::Granted { terms, .. } | Phase::Providing { terms, .. } => terms,
        Phase::Received { .. }
        | Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Refused { .. }
        | Phase::Provided { .. } => return Err(not_in(state, "granted", Article::R22)),
    };
    grant::may_provide(terms, object, now)?;
    rules::may_try_again(state, Article::R22)?;
    Ok(ApplicationEvent::Providing {
        by: Provision::Act(act.signed().clone()),
        object: object.clone(),
    })
}

/// S20, R22: what lies on the platform goes to whoever took all of exactly that version, at once. Else the provider provides by an act of its own.
fn placed_there(
    state: &ApplicationState,
    placed: ActId,
    entry: &EntryVersion,
    object: &ObjectRef,
) -> Vec<ApplicationEvent> {
    let Phase::Granted { terms, .. } = &state.phase else {
        return Vec::new();
    };
    let all = state
        .entry
        .entry
        .items
        .iter()
        .all(|item| terms.items.contains(&item.name));
    if !all || state.entry.entry.version_ref() != *entry || terms.method == Method::ServiceInterface
    {
        return Vec::new();
    }
    vec![ApplicationEvent::Providing {
        by: Provision::Placed(placed),
        object: object.clone(),
    }]
}

/// R22: the requester's node has all of it. Told twice, it is recorded once.
fn fetched(
    state: &ApplicationState,
    received: &Digest,
    at: Moment,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    match &state.phase {
        Phase::Providing { object, .. } if object.digest == *received => {
            Ok(vec![ApplicationEvent::Provided {
                object: object.clone(),
                received_at: at,
            }])
        }
        Phase::Provided { object, .. } if object.digest == *received => Ok(Vec::new()),
        Phase::Received { .. }
        | Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Granted { .. }
        | Phase::Refused { .. }
        | Phase::Providing { .. }
        | Phase::Provided { .. } => Err(not_in(state, "providing", Article::R22)),
    }
}

/// R28: a party raises a dispute about an answer or about its being overdue.
fn raise_dispute(
    state: &ApplicationState,
    act: &VerifiedAct,
    claim: &str,
    clock: &Clock,
) -> Result<ApplicationEvent, Refusal> {
    acts_for_either(&state.requester, &state.provider, act)?;
    rules::claim_is_stated(claim)?;
    rules::there_is_something_to_dispute(state, clock)?;
    match &state.dispute {
        DisputeStage::None | DisputeStage::Settled => {}
        DisputeStage::Negotiating { .. }
        | DisputeStage::Failed { .. }
        | DisputeStage::Concluded { .. } => {
            return Err(wrong_state(
                "none or settled",
                state.dispute.name(),
                Article::R28,
            ));
        }
    }
    rules::may_negotiate_again(state)?;
    Ok(ApplicationEvent::DisputeRaised {
        act: act.signed().clone(),
        claim: claim.to_owned(),
    })
}

/// R28: negotiation comes first.
fn negotiate(
    state: &ApplicationState,
    act: &VerifiedAct,
    step: &NegotiationStep,
) -> Result<ApplicationEvent, Refusal> {
    acts_for_either(&state.requester, &state.provider, act)?;
    let DisputeStage::Negotiating { by, .. } = &state.dispute else {
        return Err(wrong_state(
            "negotiating",
            state.dispute.name(),
            Article::R28,
        ));
    };
    rules::negotiation_step_is_lawful(state, by, step, act)?;
    Ok(ApplicationEvent::Negotiated {
        act: act.signed().clone(),
        step: step.clone(),
    })
}

/// R28: what the common superior recorded. Told twice, it is recorded once.
fn dispute_concluded(
    state: &ApplicationState,
    dispute: DocketId,
    outcome: &str,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    match &state.dispute {
        DisputeStage::Failed {
            dispute: failed, ..
        } if *failed == dispute => {
            text_within_bounds([outcome], Article::R28)?;
            Ok(vec![ApplicationEvent::DisputeConcluded {
                dispute,
                outcome: outcome.to_owned(),
            }])
        }
        DisputeStage::Concluded { dispute: concluded } if *concluded == dispute => Ok(Vec::new()),
        DisputeStage::None
        | DisputeStage::Negotiating { .. }
        | DisputeStage::Settled
        | DisputeStage::Failed { .. }
        | DisputeStage::Concluded { .. } => {
            Err(wrong_state("failed", state.dispute.name(), Article::R28))
        }
    }
}

/// The terms of what lies at the requester's disposal.
fn at_disposal(state: &ApplicationState, article: Article) -> Result<&GrantTerms, Refusal> {
    match &state.phase {
        Phase::Providing { terms, .. } | Phase::Provided { terms, .. } => Ok(terms),
        Phase::Received { .. }
        | Phase::Incomplete { .. }
        | Phase::ReplyProposed { .. }
        | Phase::Granted { .. }
        | Phase::Refused { .. } => Err(not_in(state, "providing", article)),
    }
}

/// While the requester supplements, nothing can be answered, least of all refused (R21).
fn incomplete(missing: &[MissingItem], reply: &Reply) -> Refusal {
    match reply {
        Reply::Refuse { .. } => {
            let missing = missing.iter().map(|it| it.kind).collect();
            RefusalReason::IncompleteMayNotBeRefused { missing }.under(Article::R21)
        }
        Reply::Grant { .. } => wrong_state("received", "incomplete", Article::R21),
    }
}

fn not_in(state: &ApplicationState, expected: &str, article: Article) -> Refusal {
    wrong_state(expected, state.phase.name(), article)
}

fn wrong_state(expected: &str, found: &str, article: Article) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
    .under(article)
}
