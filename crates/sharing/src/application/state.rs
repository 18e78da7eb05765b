//! The state of an application, and how events change it.

use std::collections::BTreeMap;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ApplicationMaterial, Duty, Profile, Reader, Refusal};

use super::rules::reply_document;
use super::standing::Standing;
use super::{
    Application, ApplicationEvent, DirectAct, DisputeStage, GrantTerms, Phase, Provision, Reply,
};
use crate::act::{ActBody, ObjectRef, SignedAct, VerifiedAct};
use crate::aggregation::{self, Risk};
use crate::catalogue::PublishedEntry;
use crate::clock::{Debtor, OpenDuty};
use crate::dispute::{NegotiationOutcome, Party};
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};
use crate::private::Private;
use crate::reading::{ReadingAct, reader_of};

/// An application as its events left it, with what the rules need to know of its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationState {
    /// Which docket: the digest of the signed application, which is also the document that was consented to (R20).
    pub docket: DocketId,
    /// The department that asks, and its node.
    pub requester: Party,
    /// The department that owes the reply, and its node, the docket's home.
    pub provider: Party,
    /// The entry as it was published when the application was received.
    pub entry: PublishedEntry,
    /// What was asked, with supplemented materials added.
    pub application: Application,
    /// When the home received it; the term of R21 runs from here.
    pub received_at: Moment,
    /// The law in force at the provider's node when the application was received.
    pub profile: Profile,
    /// What the requester could join with it, where that is a risk (R25).
    pub risk: Option<Risk>,
    /// Where it stands.
    pub phase: Phase,
    /// Where its dispute stands (R28).
    pub dispute: DisputeStage,
    /// Where the grant stands after it was given (R25, R27).
    pub standing: Standing,
    /// Whether missing materials were told already: R21 allows it once.
    pub told_missing_once: bool,
    /// Uses recorded (R29).
    pub uses: u32,
    /// How often the records of use were read, by readers of each kind (R29).
    pub readings: BTreeMap<Reader, u32>,
    /// Replies proposed and objects provided so far.
    pub attempts: u32,
    /// Negotiation steps so far.
    pub negotiation_steps: u32,
}

impl ApplicationState {
    /// The terms under which the requester holds the data; none while nothing is at its disposal.
    pub fn held(&self) -> Option<&GrantTerms> {
        self.phase.object()?;
        self.phase.terms()
    }
}

impl Application {
    /// The scenarios that it states (使用场景).
    pub fn scenarios(&self) -> Vec<&str> {
        self.materials
            .iter()
            .filter(|it| it.kind == ApplicationMaterial::Scenario && !it.text.trim().is_empty())
            .map(|it| it.text.as_str())
            .collect()
    }
}

impl Phase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "received",
            Self::Incomplete { .. } => "incomplete",
            Self::ReplyProposed { .. } => "reply-proposed",
            Self::Granted { .. } => "granted",
            Self::Refused { .. } => "refused",
            Self::Providing { .. } => "providing",
            Self::Provided { .. } => "provided",
        }
    }

    /// The grant in force or fulfilled, if there is one.
    pub fn terms(&self) -> Option<&GrantTerms> {
        match self {
            Self::Granted { terms, .. }
            | Self::Providing { terms, .. }
            | Self::Provided { terms, .. } => Some(terms),
            Self::Received { .. }
            | Self::Incomplete { .. }
            | Self::ReplyProposed { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// The grant, to be amended.
    pub(super) fn terms_mut(&mut self) -> Option<&mut GrantTerms> {
        match self {
            Self::Granted { terms, .. }
            | Self::Providing { terms, .. }
            | Self::Provided { terms, .. } => Some(terms),
            Self::Received { .. }
            | Self::Incomplete { .. }
            | Self::ReplyProposed { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// The object at the requester's disposal, if one was put there.
    pub fn object(&self) -> Option<&ObjectRef> {
        match self {
            Self::Providing { object, .. } | Self::Provided { object, .. } => Some(object),
            Self::Received { .. }
            | Self::Incomplete { .. }
            | Self::ReplyProposed { .. }
            | Self::Granted { .. }
            | Self::Refused { .. } => None,
        }
    }

    /// Whether the provider has given its answer (R21).
    pub fn is_answered(&self) -> bool {
        match self {
            Self::Granted { .. }
            | Self::Refused { .. }
            | Self::Providing { .. }
            | Self::Provided { .. } => true,
            Self::Received { .. } | Self::Incomplete { .. } | Self::ReplyProposed { .. } => false,
        }
    }
}

impl DisputeStage {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Negotiating { .. } => "negotiating",
            Self::Settled => "settled",
            Self::Failed { .. } => "failed",
            Self::Concluded { .. } => "concluded",
        }
    }
}

impl Fact<ApplicationState> for ApplicationEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "received",
            Self::Taken { .. } => "taken",
            Self::MissingTold { .. } => "missing-told",
            Self::Supplemented { .. } => "supplemented",
            Self::ReplyProposed { .. } => "reply-proposed",
            Self::Granted { .. } => "granted",
            Self::Refused { .. } => "refused",
            Self::Providing { .. } => "providing",
            Self::Provided { .. } => "provided",
            Self::UseRecorded { .. } => "use-recorded",
            Self::UsesRead { .. } => "uses-read",
            Self::DisputeRaised { .. } => "dispute-raised",
            Self::Negotiated { .. } => "negotiated",
            Self::DisputeConcluded { .. } => "dispute-concluded",
            Self::CorrectionTold { .. } => "correction-told",
            Self::Grant(event) => event.name(),
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Received {
                apply,
                consent,
                risk,
                ..
            } => {
                let answer = risk.as_ref().and_then(|risk| risk.consent.as_ref());
                [apply, consent].into_iter().chain(answer).collect()
            }
            Self::MissingTold { act, .. }
            | Self::Supplemented { act, .. }
            | Self::ReplyProposed { act, .. }
            | Self::Granted { consent: act, .. }
            | Self::Refused { consent: act, .. }
            | Self::Taken { act, .. }
            | Self::Providing {
                by: Provision::Act(act),
                ..
            }
            | Self::UseRecorded { act, .. }
            | Self::UsesRead { act, .. }
            | Self::DisputeRaised { act, .. }
            | Self::Negotiated { act, .. } => vec![act],
            Self::Grant(event) => vec![&event.act],
            Self::Provided { .. }
            | Self::Providing {
                by: Provision::Placed(_),
                ..
            }
            | Self::DisputeConcluded { .. }
            | Self::CorrectionTold { .. } => Vec::new(),
        }
    }

    fn rests_on_its_act(&self, before: Option<&ApplicationState>) -> bool {
        let said = SignedAct::body;
        let consented = |consent: &SignedAct, reply: &Reply| match (
            before.map(|it| &it.phase),
            said(consent),
        ) {
            (
                Some(Phase::ReplyProposed { document, .. }),
                Some(ActBody::ConsentToReply {
                    document: named, ..
                }),
            ) => *document == named && *document == reply_document(reply),
            _ => false,
        };
        match self {
            ApplicationEvent::Received {
                apply,
                consent,
                risk,
                ..
            } => {
                let document = apply.id().0;
                let consented = risk.as_ref().is_none_or(|risk| {
                    let act = risk.consent.as_ref();
                    act.is_none_or(|it| {
                        aggregation::consents(it, DocketId(document), &risk.exposure)
                    })
                });
                if !consented {
                    return false;
                }
                matches!(said(apply), Some(ActBody::Apply { .. }))
                    && matches!(said(consent), Some(ActBody::ConsentToApply { document: named, .. }) if named == document)
            }
            ApplicationEvent::MissingTold { act, missing } => {
                matches!(said(act), Some(ActBody::TellMissing { missing: it, .. }) if it == *missing)
            }
            ApplicationEvent::Supplemented {
                act,
                materials,
                until,
                ..
            } => {
                matches!(said(act), Some(ActBody::Supplement { materials: it, until: ends, .. }) if it == *materials && ends == *until)
            }
            ApplicationEvent::ReplyProposed { act, reply } => {
                matches!(said(act), Some(ActBody::ProposeReply { reply: it, .. }) if it == *reply)
            }
            ApplicationEvent::Granted { consent, terms, .. } => consented(
                consent,
                &Reply::Grant {
                    terms: terms.clone(),
                },
            ),
            ApplicationEvent::Refused {
                consent,
                reasons,
                basis,
            } => consented(
                consent,
                &Reply::Refuse {
                    reasons: reasons.clone(),
                    basis: basis.clone(),
                },
            ),
            ApplicationEvent::Taken { act, terms, .. } => {
                matches!(said(act), Some(ActBody::Direct(DirectAct::Take { application })) if terms.items == application.items && Some(terms.until) == application.until)
            }
            ApplicationEvent::Providing {
                by: Provision::Act(act),
                object,
            } => {
                matches!(said(act), Some(ActBody::Provide { object: it, .. }) if it == *object)
            }
            ApplicationEvent::UseRecorded { act, record } => {
                matches!(said(act), Some(ActBody::RecordUse { record: it, .. }) if it == *record)
            }
            ApplicationEvent::UsesRead { act, reader } => {
                let as_whom = before.zip(act.signer.holder());
                let as_whom = as_whom.map(|(state, person)| reader_of(state, &person.into()));
                matches!(said(act), Some(ActBody::Reading(ReadingAct::Read { .. })))
                    && as_whom == Some(*reader)
            }
            ApplicationEvent::DisputeRaised { act, claim } => {
                matches!(said(act), Some(ActBody::RaiseDispute { claim: it, .. }) if it == *claim)
            }
            ApplicationEvent::Negotiated { act, step } => {
                matches!(said(act), Some(ActBody::Negotiate { step: it, .. }) if it == *step)
            }
            // That it was placed is in the home's ledger.
            ApplicationEvent::Providing {
                by: Provision::Placed(_),
                ..
            }
            | ApplicationEvent::Provided { .. }
            | ApplicationEvent::DisputeConcluded { .. }
            | ApplicationEvent::CorrectionTold { .. } => true,
            ApplicationEvent::Grant(event) => {
                before.is_some_and(|state| event.rests_on_its_act(state.docket))
            }
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::UseRecorded { record, .. } => vec![record.said],
            Self::Received { .. }
            | Self::MissingTold { .. }
            | Self::Supplemented { .. }
            | Self::ReplyProposed { .. }
            | Self::Granted { .. }
            | Self::Refused { .. }
            | Self::Taken { .. }
            | Self::Providing { .. }
            | Self::Provided { .. }
            | Self::UsesRead { .. }
            | Self::DisputeRaised { .. }
            | Self::Negotiated { .. }
            | Self::Grant(_)
            | Self::DisputeConcluded { .. }
            | Self::CorrectionTold { .. } => Vec::new(),
        }
    }
}

impl Workflow for ApplicationState {
    type Event = ApplicationEvent;

    fn evolve(
        state: Option<Self>,
        _docket: DocketId,
        at: Moment,
        event: &ApplicationEvent,
    ) -> Result<Self, Misstep> {
        evolve(state, event, at)
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<ApplicationEvent>, Refusal> {
        super::decide(Some(self), &super::Command::Act(act.clone()), step)
    }

    fn duties(&self) -> Vec<OpenDuty> {
        let running = match &self.phase {
            Phase::Received { term } | Phase::ReplyProposed { term, .. } => {
                Duty::reply_to(self.entry.entry.terms.class()).map(|duty| (duty, *term))
            }
            // While access is suspended nothing may be provided, and the time to provide rests.
            Phase::Granted { term, .. } if self.standing.lets_provide() => {
                Some((Duty::Provide, *term))
            }
            Phase::Granted { .. }
            | Phase::Incomplete { .. }
            | Phase::Refused { .. }
            | Phase::Providing { .. }
            | Phase::Provided { .. } => None,
        };
        let open = |(duty, term)| OpenDuty {
            duty,
            term,
            who: Debtor::Department(self.provider.clone()),
        };
        let grant = self.standing.duties(&self.requester);
        running.map(open).into_iter().chain(grant).collect()
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.requester.node.clone(), self.provider.node.clone()]
    }

    /// Both hold what is said of the use.
    fn departments(&self) -> Vec<Debtor> {
        let both = [&self.requester, &self.provider];
        both.map(|it| Debtor::Department(it.clone())).into()
    }

    fn is_open(&self) -> bool {
        let settled = matches!(self.phase, Phase::Refused { .. } | Phase::Provided { .. })
            || self.standing.access.is_over();
        let quiet = matches!(
            self.dispute,
            DisputeStage::None | DisputeStage::Settled | DisputeStage::Concluded { .. }
        );
        !(settled && quiet && self.standing.is_quiet())
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }

    fn profile(&self) -> Option<&Profile> {
        Some(&self.profile)
    }
}

/// The state after `event`, which its home ordered at `at`.
///
/// # Errors
/// [`Misstep`] when the event cannot follow; a home that keeps to [`super::decide()`] never signs such an event, so a copy that holds one is proof.
pub fn evolve(
    state: Option<ApplicationState>,
    event: &ApplicationEvent,
    at: Moment,
) -> Result<ApplicationState, Misstep> {
    let Some(mut state) = state else {
        return opened(event, at);
    };
    match event {
        ApplicationEvent::Received { .. } | ApplicationEvent::Taken { .. } => {
            return Err(Misstep::OpenedTwice);
        }
        ApplicationEvent::MissingTold { .. }
        | ApplicationEvent::Supplemented { .. }
        | ApplicationEvent::ReplyProposed { .. }
        | ApplicationEvent::Granted { .. }
        | ApplicationEvent::Refused { .. }
        | ApplicationEvent::Providing { .. }
        | ApplicationEvent::Provided { .. } => {
            let provides = matches!(event, ApplicationEvent::Providing { .. });
            if provides && !state.standing.lets_provide() {
                return Err(misstep(&state, event));
            }
            state.phase = next_phase(&state.phase, event).ok_or_else(|| misstep(&state, event))?;
            remember(&mut state, event);
        }
        ApplicationEvent::UseRecorded { .. } => {
            state.phase.object().ok_or_else(|| misstep(&state, event))?;
            if !state.standing.lets_use() {
                return Err(misstep(&state, event));
            }
            state.uses = state.uses.saturating_add(1);
        }
        ApplicationEvent::UsesRead { reader, .. } => {
            let before = state.readings.entry(*reader).or_default();
            *before = before.saturating_add(1);
        }
        ApplicationEvent::CorrectionTold { .. } => {
            state.held().ok_or_else(|| misstep(&state, event))?;
        }
        ApplicationEvent::DisputeRaised { .. }
        | ApplicationEvent::Negotiated { .. }
        | ApplicationEvent::DisputeConcluded { .. } => {
            state.dispute =
                next_stage(&state.dispute, event).ok_or_else(|| misstep(&state, event))?;
            if let ApplicationEvent::Negotiated { .. } = event {
                state.negotiation_steps = state.negotiation_steps.saturating_add(1);
            }
        }
        ApplicationEvent::Grant(done) => {
            let (standing, phase) = (state.standing.clone(), state.phase.clone());
            (state.standing, state.phase) = standing
                .evolve(phase, done, at)
                .ok_or_else(|| misstep(&state, event))?;
        }
    }
    Ok(state)
}

/// The state that the opening event makes.
fn opened(event: &ApplicationEvent, at: Moment) -> Result<ApplicationState, Misstep> {
    let (act, requester_node, entry, profile, risk, phase) = match event {
        ApplicationEvent::Received {
            apply,
            consent: _,
            requester_node,
            entry,
            term,
            profile,
            risk,
        } => (
            apply,
            requester_node,
            entry,
            profile,
            risk.clone(),
            Phase::Received { term: *term },
        ),
        ApplicationEvent::Taken {
            act,
            requester_node,
            entry,
            terms,
            term,
            profile,
        } => {
            let (terms, term) = (terms.clone(), *term);
            (
                act,
                requester_node,
                entry,
                profile,
                None,
                Phase::Granted { terms, term },
            )
        }
        _ => {
            return Err(Misstep::NotAnOpening {
                event: event.name(),
            });
        }
    };
    let application = match (act.body(), &phase) {
        (Some(ActBody::Apply { application }), Phase::Received { .. })
        | (Some(ActBody::Direct(DirectAct::Take { application, .. })), Phase::Granted { .. }) => {
            application
        }
        _ => return Err(Misstep::WrongOpeningAct { expected: "apply" }),
    };
    Ok(ApplicationState {
        docket: DocketId(act.id().0),
        requester: Party {
            department: application.requester,
            node: requester_node.clone(),
        },
        provider: Party {
            department: entry.entry.provider,
            node: entry.publisher.clone(),
        },
        entry: entry.clone(),
        application,
        received_at: at,
        profile: profile.clone(),
        phase,
        risk,
        dispute: DisputeStage::None,
        standing: Standing::default(),
        told_missing_once: false,
        uses: 0,
        readings: BTreeMap::new(),
        attempts: 0,
        negotiation_steps: 0,
    })
}

fn misstep(state: &ApplicationState, event: &ApplicationEvent) -> Misstep {
    Misstep::OutOfOrder {
        event: event.name(),
        phase: state.phase.name(),
    }
}

/// Where `event` leads from `phase`, if it may follow there.
fn next_phase(phase: &Phase, event: &ApplicationEvent) -> Option<Phase> {
    match (phase, event) {
        (Phase::Received { .. }, ApplicationEvent::MissingTold { missing, .. }) => {
            Some(Phase::Incomplete {
                missing: missing.clone(),
            })
        }
        (Phase::Incomplete { .. }, ApplicationEvent::Supplemented { term, .. }) => {
            Some(Phase::Received { term: *term })
        }
        (
            Phase::Received { term } | Phase::ReplyProposed { term, .. },
            ApplicationEvent::ReplyProposed { reply, .. },
        ) => Some(Phase::ReplyProposed {
            term: *term,
            reply: reply.clone(),
            document: reply_document(reply),
        }),
        (Phase::ReplyProposed { .. }, ApplicationEvent::Granted { terms, term, .. }) => {
            Some(Phase::Granted {
                terms: terms.clone(),
                term: *term,
            })
        }
        (Phase::ReplyProposed { .. }, ApplicationEvent::Refused { reasons, .. }) => {
            Some(Phase::Refused {
                reasons: reasons.clone(),
            })
        }
        (
            Phase::Granted { terms, term } | Phase::Providing { terms, term, .. },
            ApplicationEvent::Providing { object, .. },
        ) => Some(Phase::Providing {
            terms: terms.clone(),
            object: object.clone(),
            term: *term,
        }),
        (
            Phase::Providing { terms, object, .. },
            ApplicationEvent::Provided {
                object: received, ..
            },
        ) if object == received => Some(Phase::Provided {
            terms: terms.clone(),
            object: object.clone(),
        }),
        (
            Phase::Received { .. }
            | Phase::Incomplete { .. }
            | Phase::ReplyProposed { .. }
            | Phase::Granted { .. }
            | Phase::Refused { .. }
            | Phase::Providing { .. }
            | Phase::Provided { .. },
            _,
        ) => None,
    }
}

/// What a change of phase leaves behind in the state.
fn remember(state: &mut ApplicationState, event: &ApplicationEvent) {
    match event {
        ApplicationEvent::MissingTold { .. } => state.told_missing_once = true,
        ApplicationEvent::Supplemented {
            materials, until, ..
        } => {
            let application = &mut state.application;
            application.materials.extend(materials.iter().cloned());
            application.until = until.or(application.until);
        }
        ApplicationEvent::ReplyProposed { .. } | ApplicationEvent::Providing { .. } => {
            state.attempts = state.attempts.saturating_add(1);
        }
        ApplicationEvent::Received { .. }
        | ApplicationEvent::Taken { .. }
        | ApplicationEvent::Granted { .. }
        | ApplicationEvent::Refused { .. }
        | ApplicationEvent::Provided { .. }
        | ApplicationEvent::UseRecorded { .. }
        | ApplicationEvent::UsesRead { .. }
        | ApplicationEvent::DisputeRaised { .. }
        | ApplicationEvent::Negotiated { .. }
        | ApplicationEvent::DisputeConcluded { .. }
        | ApplicationEvent::CorrectionTold { .. }
        | ApplicationEvent::Grant(_) => {}
    }
}

/// Where `event` leads from `stage`, if it may follow there: negotiation first, the common superior only after it failed (R28).
fn next_stage(stage: &DisputeStage, event: &ApplicationEvent) -> Option<DisputeStage> {
    match (stage, event) {
        (
            DisputeStage::None | DisputeStage::Settled,
            ApplicationEvent::DisputeRaised { act, claim },
        ) => {
            let by = act.signer.holder()?.department;
            Some(DisputeStage::Negotiating {
                dispute: DocketId(act.id().0),
                by,
                claim: claim.clone(),
            })
        }
        (
            DisputeStage::Negotiating { dispute, by, claim },
            ApplicationEvent::Negotiated { step, .. },
        ) => Some(match step.outcome {
            NegotiationOutcome::Continues => stage.clone(),
            NegotiationOutcome::Settled => DisputeStage::Settled,
            NegotiationOutcome::Failed => DisputeStage::Failed {
                dispute: *dispute,
                by: *by,
                claim: claim.clone(),
            },
        }),
        (
            DisputeStage::Failed { dispute, .. },
            ApplicationEvent::DisputeConcluded {
                dispute: concluded, ..
            },
        ) if dispute == concluded => Some(DisputeStage::Concluded { dispute: *dispute }),
        (
            DisputeStage::None
            | DisputeStage::Negotiating { .. }
            | DisputeStage::Settled
            | DisputeStage::Failed { .. }
            | DisputeStage::Concluded { .. },
            _,
        ) => None,
    }
}
