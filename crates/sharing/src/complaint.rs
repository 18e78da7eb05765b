//! Complaints (投诉、举报): the public complains of an infringement in the sharing of government data, and is answered. R37.
//!
//! ```text
//!            ┌──passed on: to a department here, to another place's authority, department or government──┐
//!            ▼                                                                                           │
//! Received: with the authority of the place ─────────────────────────────────────────────────────────────┤
//!            └──whoever it is with, or the authority of the home, answers──► Answered
//! ```
//!
//! The home is the node that received it, for there the receipt is read. A place that it is passed on to holds a copy from its first event on, and
//! its people's acts go to the home. R37 sets no term: one runs only where the home's profile of law sets it.

mod decide;

use identity::{CreditCode, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Duty, Refusal};

use crate::act::{ActBody, Deed, SignedAct, VerifiedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};
use crate::private::Private;
use crate::public::Intake;

pub use decide::receive;

/// Most times that one complaint is passed on: up and down the tree, and back.
pub const MAX_PASSED_ON: u32 = 16;

/// What people do about a complaint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComplaintAct {
    /// An authority or a government hands it to whoever is to deal with it.
    PassOn {
        /// Which docket.
        docket: DocketId,
        /// To whom.
        to: Debtor,
        /// What the next one should know, where there is something: of whom it is, and so personal content.
        note: Option<Private>,
    },
    /// Whoever it is with answers.
    Answer {
        /// Which docket.
        docket: DocketId,
        /// What came of it; whoever complained reads it.
        answer: String,
    },
}

impl Deed for ComplaintAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::PassOn { .. } => ActKind::PassOnComplaint,
            Self::Answer { .. } => ActKind::AnswerComplaint,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::PassOn { docket, .. } | Self::Answer { docket, .. } => Some(*docket),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::PassOn { .. } => Vec::new(),
            Self::Answer { answer, .. } => vec![answer],
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::PassOn { note, .. } => note.iter().copied().collect(),
            Self::Answer { .. } => Vec::new(),
        }
    }
}

/// Facts of one complaint's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComplaintEvent {
    /// The node received it.
    Received {
        /// What was said.
        intake: Box<Intake>,
        /// The place whose authority has it now.
        place: Path,
        /// The time limit, where the profile of law sets one.
        term: Option<Term>,
    },
    /// It was passed on.
    PassedOn {
        /// The signed act.
        act: SignedAct,
        /// To whom.
        to: Debtor,
        /// What the next one should know.
        note: Option<Private>,
    },
    /// It was answered.
    Answered {
        /// The signed act.
        act: SignedAct,
        /// What came of it.
        answer: String,
    },
}

/// Where a complaint stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComplaintPhase {
    /// It waits for an answer.
    Waiting {
        /// Who has it.
        with: Debtor,
    },
    /// It was answered.
    Answered {
        /// Who had it.
        with: Debtor,
        /// What came of it.
        answer: String,
        /// When.
        at: Moment,
    },
}

impl ComplaintPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Waiting { .. } => "complaint-waits",
            Self::Answered { .. } => "complaint-answered",
        }
    }
}

/// A complaint as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComplaintState {
    /// What was said.
    pub intake: Intake,
    /// The place that received it.
    pub place: Path,
    /// The time limit, where one runs.
    pub term: Option<Term>,
    /// The nodes that hold it: its home, and every one that it was passed on to.
    pub holders: Vec<Path>,
    /// How often it was passed on.
    pub passed_on: u32,
    /// Where it stands.
    pub phase: ComplaintPhase,
}

impl ComplaintState {
    /// The department complained of, where whoever complains knows its code.
    pub fn about(&self) -> Option<CreditCode> {
        self.intake.request.complained_of()
    }

    /// Who has it, or had it when it was answered.
    pub fn with(&self) -> &Debtor {
        match &self.phase {
            ComplaintPhase::Waiting { with } | ComplaintPhase::Answered { with, .. } => with,
        }
    }
}

impl Fact<ComplaintState> for ComplaintEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "complaint-received",
            Self::PassedOn { .. } => "complaint-passed-on",
            Self::Answered { .. } => "complaint-answered",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Received { .. } => Vec::new(),
            Self::PassedOn { act, .. } | Self::Answered { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, _before: Option<&ComplaintState>) -> bool {
        match self {
            // No person signed it: that it names its docket is checked where it is taken.
            Self::Received { .. } => true,
            Self::PassedOn { act, to, note } => matches!(
                act.body(),
                Some(ActBody::Complaint(ComplaintAct::PassOn { to: t, note: n, .. }))
                    if t == *to && n == *note
            ),
            Self::Answered { act, answer } => matches!(
                act.body(),
                Some(ActBody::Complaint(ComplaintAct::Answer { answer: a, .. })) if a == *answer
            ),
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::Received { intake, .. } => intake.private(),
            Self::PassedOn { note, .. } => note.iter().copied().collect(),
            Self::Answered { .. } => Vec::new(),
        }
    }
}

impl Workflow for ComplaintState {
    type Event = ComplaintEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &ComplaintEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (
                None,
                ComplaintEvent::Received {
                    intake,
                    place,
                    term,
                },
            ) if intake.docket() == docket => Ok(Self {
                intake: Intake::clone(intake),
                place: place.clone(),
                term: *term,
                holders: vec![place.clone()],
                passed_on: 0,
                phase: ComplaintPhase::Waiting {
                    with: Debtor::Authority(place.clone()),
                },
            }),
            (None, ComplaintEvent::Received { .. }) => Err(Misstep::WrongOpeningAct {
                expected: "intake after which the docket is named",
            }),
            (None, ComplaintEvent::PassedOn { .. } | ComplaintEvent::Answered { .. }) => {
                Err(Misstep::NotAnOpening {
                    event: event.name(),
                })
            }
            (Some(_), ComplaintEvent::Received { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), _) if !state.is_open() => Err(Misstep::OutOfOrder {
                event: event.name(),
                phase: state.phase.name(),
            }),
            (Some(mut state), ComplaintEvent::PassedOn { to, .. }) => {
                if !state.holders.contains(to.node()) {
                    state.holders.push(to.node().clone());
                }
                state.passed_on += 1;
                state.phase = ComplaintPhase::Waiting { with: to.clone() };
                Ok(state)
            }
            (Some(state), ComplaintEvent::Answered { answer, .. }) => Ok(Self {
                phase: ComplaintPhase::Answered {
                    with: state.with().clone(),
                    answer: answer.clone(),
                    at,
                },
                ..state
            }),
        }
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<ComplaintEvent>, Refusal> {
        decide::step(self, act, step).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match (&self.phase, self.term) {
            (ComplaintPhase::Waiting { with }, Some(term)) => vec![OpenDuty {
                duty: Duty::AnswerComplaint,
                term,
                who: with.clone(),
            }],
            (ComplaintPhase::Waiting { .. }, None) | (ComplaintPhase::Answered { .. }, _) => {
                Vec::new()
            }
        }
    }

    fn parties(&self) -> Vec<Path> {
        self.holders.clone()
    }

    /// The authority that received it answers for what was written, and so does whoever has it.
    fn departments(&self) -> Vec<Debtor> {
        let received_by = Debtor::Authority(self.place.clone());
        vec![received_by, self.with().clone()]
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, ComplaintPhase::Waiting { .. })
    }

    /// It is passed on to whoever is concerned, as later events say.
    fn finds_parties(&self) -> bool {
        true
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

#[cfg(test)]
mod tests;
