//! Correction (校核纠错): who holds shared data and finds it wrong asks the provider, who verifies, corrects and reports back; whoever else
//! holds the data learns of it. R26.
//!
//! ```text
//! Asked ──the provider corrects──► Corrected ──► every holder's own docket tells it
//!   └─────the provider finds it right───► Upheld, with reasons
//! ```
//!
//! The home is that of the application under which the asker holds the data: the provider's node, so that the term of ten working days runs from
//! receipt there.

mod decide;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Duty, Refusal};

use crate::act::{ActBody, Deed, ObjectRef, Opens, SignedAct, VerifiedAct};
use crate::application::{ApplicationEvent, ApplicationState};
use crate::catalogue::EntryId;
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};
use crate::private::Private;

pub use decide::open;

/// What a requester finds wrong (政务数据校核申请).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionRequest {
    /// The application under which the asker holds the data.
    pub about: DocketId,
    /// The data items in question, some of those granted.
    pub items: Vec<String>,
    /// What is inaccurate or incomplete: whose record, and what in it.
    pub wrong: Private,
    /// What it was found by.
    pub evidence: Private,
}

/// The provider's answer (校核处理结果).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrectionOutcome {
    /// It was corrected.
    Corrected {
        /// What was corrected: in whose record, and so personal content. Every other holder of the data is told the items and the file.
        what: Private,
        /// The corrected file for whoever asked, where there is one.
        object: Option<ObjectRef>,
    },
    /// It was verified and is right as it stands.
    Upheld {
        /// Why: what the record is, and so whose.
        reasons: Private,
    },
}

impl CorrectionRequest {
    fn private(&self) -> Vec<Private> {
        vec![self.wrong, self.evidence]
    }
}

impl CorrectionOutcome {
    fn private(&self) -> Vec<Private> {
        match self {
            Self::Corrected { what, .. } => vec![*what],
            Self::Upheld { reasons } => vec![*reasons],
        }
    }
}

/// What people do about a correction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrectionAct {
    /// A holder of the data asks for its correction.
    Ask(CorrectionRequest),
    /// The provider answers.
    Answer {
        /// Which docket.
        docket: DocketId,
        /// What came of it.
        outcome: CorrectionOutcome,
    },
}

impl Deed for CorrectionAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Ask(_) => ActKind::AskCorrection,
            Self::Answer { .. } => ActKind::AnswerCorrection,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Ask(_) => None,
            Self::Answer { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Ask(request) => Some(Opens::HomeOf(request.about)),
            Self::Answer { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Ask(_) | Self::Answer { .. } => Vec::new(),
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::Ask(request) => request.private(),
            Self::Answer { outcome, .. } => outcome.private(),
        }
    }
}

/// Facts of one correction's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "of every two of these events one is the larger"
)]
pub enum CorrectionEvent {
    /// The provider's node received the request; the term runs from here.
    Asked {
        /// The signed act.
        act: SignedAct,
        /// The request.
        request: CorrectionRequest,
        /// Who asks.
        requester: Party,
        /// Who is to verify and correct.
        provider: Party,
        /// The entry whose data it is.
        entry: EntryId,
        /// Its name as shown.
        entry_name: String,
        /// Until when the asker may use, and so be given, the data.
        until: Moment,
        /// The time limit.
        term: Term,
    },
    /// The provider verified it and reports back.
    Answered {
        /// The signed act.
        act: SignedAct,
        /// What came of it.
        outcome: CorrectionOutcome,
    },
}

/// Where a correction stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CorrectionPhase {
    /// The provider is to verify it.
    Asked {
        /// The time limit.
        term: Term,
    },
    /// The provider answered.
    Answered(CorrectionOutcome),
}

impl CorrectionPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "correction-asked",
            Self::Answered(CorrectionOutcome::Corrected { .. }) => "corrected",
            Self::Answered(CorrectionOutcome::Upheld { .. }) => "upheld",
        }
    }
}

/// A correction as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectionState {
    /// Which docket: the digest of the act that asks.
    pub docket: DocketId,
    /// Who asks.
    pub requester: Party,
    /// Who is to verify and correct.
    pub provider: Party,
    /// The entry whose data it is.
    pub entry: EntryId,
    /// Its name as shown.
    pub entry_name: String,
    /// What is found wrong.
    pub request: CorrectionRequest,
    /// Until when the asker may be given the data.
    pub until: Moment,
    /// Where it stands.
    pub phase: CorrectionPhase,
}

impl CorrectionState {
    /// The corrected file for whoever asked, if there is one.
    pub fn object(&self) -> Option<&ObjectRef> {
        match &self.phase {
            CorrectionPhase::Answered(CorrectionOutcome::Corrected { object, .. }) => {
                object.as_ref()
            }
            CorrectionPhase::Asked { .. }
            | CorrectionPhase::Answered(CorrectionOutcome::Upheld { .. }) => None,
        }
    }

    /// What an application's docket is told of this correction: nothing unless data was corrected that its requester holds, of the same entry
    /// and provider, with at least one of the items (R26).
    pub fn told_to(&self, application: &ApplicationState) -> Option<ApplicationEvent> {
        let CorrectionPhase::Answered(CorrectionOutcome::Corrected { object, .. }) = &self.phase
        else {
            return None;
        };
        let granted = &application.held()?.items;
        let same =
            application.provider == self.provider && application.entry.entry.id == self.entry;
        let items = &self.request.items;
        let concerned = same && items.iter().any(|item| granted.contains(item));
        concerned.then(|| ApplicationEvent::CorrectionTold {
            correction: self.docket,
            items: items.clone(),
            object: object.clone(),
        })
    }
}

/// Whoever holds the data of an application, and so learns of its correction (R26): its requester. Recipients to whom the grant lets it pass
/// the data on (R25) are named here.
pub fn holders(application: &ApplicationState) -> Vec<Party> {
    vec![application.requester.clone()]
}

impl Fact<CorrectionState> for CorrectionEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "correction-asked",
            Self::Answered { outcome, .. } => match outcome {
                CorrectionOutcome::Corrected { .. } => "corrected",
                CorrectionOutcome::Upheld { .. } => "upheld",
            },
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Asked { act, .. } | Self::Answered { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, _before: Option<&CorrectionState>) -> bool {
        match (self, said(self)) {
            (
                Self::Asked {
                    act,
                    request,
                    requester,
                    ..
                },
                Some(CorrectionAct::Ask(it)),
            ) => {
                let asker = act.signer.holder();
                it == *request
                    && asker.is_some_and(|it| {
                        it.department == requester.department && it.node == requester.node.code()
                    })
            }
            (Self::Answered { outcome, .. }, Some(CorrectionAct::Answer { outcome: it, .. })) => {
                it == *outcome
            }
            (Self::Asked { .. } | Self::Answered { .. }, _) => false,
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::Asked { request, .. } => request.private(),
            Self::Answered { outcome, .. } => outcome.private(),
        }
    }
}

/// What the act in an event claims to say.
fn said(event: &CorrectionEvent) -> Option<CorrectionAct> {
    match event.acts().first()?.body()? {
        ActBody::Correction(act) => Some(act),
        _ => None,
    }
}

impl Workflow for CorrectionState {
    type Event = CorrectionEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        _at: Moment,
        event: &CorrectionEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (
                None,
                CorrectionEvent::Asked {
                    act,
                    request,
                    requester,
                    provider,
                    entry,
                    entry_name,
                    until,
                    term,
                },
            ) if docket.0 == act.id().0 => Ok(Self {
                docket,
                requester: requester.clone(),
                provider: provider.clone(),
                entry: entry.clone(),
                entry_name: entry_name.clone(),
                request: request.clone(),
                until: *until,
                phase: CorrectionPhase::Asked { term: *term },
            }),
            (None, CorrectionEvent::Asked { .. }) => Err(Misstep::WrongOpeningAct {
                expected: "act after which the docket is named",
            }),
            (None, CorrectionEvent::Answered { .. }) => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
            (Some(_), CorrectionEvent::Asked { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), CorrectionEvent::Answered { outcome, .. }) => match state.phase {
                CorrectionPhase::Asked { .. } => Ok(Self {
                    phase: CorrectionPhase::Answered(outcome.clone()),
                    ..state
                }),
                CorrectionPhase::Answered(_) => Err(Misstep::OutOfOrder {
                    event: event.name(),
                    phase: state.phase.name(),
                }),
            },
        }
    }

    fn decide(&self, act: &VerifiedAct, _step: &Step<'_>) -> Result<Vec<CorrectionEvent>, Refusal> {
        decide::answer(self, act).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match &self.phase {
            CorrectionPhase::Asked { term } => vec![OpenDuty {
                duty: Duty::Correct,
                term: *term,
                who: Debtor::Department(self.provider.clone()),
            }],
            CorrectionPhase::Answered(_) => Vec::new(),
        }
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.requester.node.clone(), self.provider.node.clone()]
    }

    fn departments(&self) -> Vec<Debtor> {
        let both = [&self.requester, &self.provider];
        both.map(|it| Debtor::Department(it.clone())).into()
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, CorrectionPhase::Asked { .. })
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

#[cfg(test)]
mod tests;
