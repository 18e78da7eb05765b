//! Matching supply and need (供需对接): a need that no published entry meets is put on record, matched to a department that could provide, and
//! followed up. R20.
//!
//! ```text
//!            ┌─passed on to the authority above─┐
//!            ▼                                  │
//! Reported: Open ──────────────────────────────┘──declined──► Declined
//!   ▲ ▲       │ └──an existing entry is pointed to──────────────┐
//!   │ │    matched (another may be, while it is silent or late) │
//!   │ │       ▼                                                 ▼
//!   │ └─cannot── Matched ──will, by a date──► Promised ──entry──► Offered ──met──► Met
//!   └───────────────────────────not met, with reasons─────────────┘
//! any of these but the last ──the department that needs it──► Withdrawn
//! ```
//!
//! The home is the node of the department that needs, whose authority is the first to match. What lies beyond that authority's reach is passed on, one
//! level at a time; every authority and department that the need reached keeps a copy and acts through its own node. The law sets no terms here: the
//! date that the department matched names itself is watched.

mod act;
mod decide;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{Duty, Refusal};

use crate::act::{ActBody, SignedAct, VerifiedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};

pub use act::{
    Considered, EntryAt, Found, LevelAsked, MAX_CONSIDERED, Need, NeedAct, NeedStep, Said,
};
pub use decide::open;

/// Most nodes that one need reaches: the four of its own line, and more departments' nodes than an authority would try.
pub const MAX_REACHED: usize = 32;

/// Facts of one need's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeedEvent {
    /// It was put on record.
    Reported {
        /// The signed act.
        act: SignedAct,
        /// The need.
        need: Need,
        /// Who has it.
        department: Party,
    },
    /// A step was taken.
    Taken {
        /// The signed act.
        act: SignedAct,
        /// The step.
        step: NeedStep,
    },
}

/// Where a need stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeedPhase {
    /// The authority is to match it.
    Open,
    /// A department was matched and has not answered.
    Matched {
        /// Which.
        department: Party,
    },
    /// It will provide.
    Promised {
        /// Which department.
        department: Party,
        /// By when.
        term: Term,
    },
    /// An entry is there; the department that needs is to say whether it does.
    Offered {
        /// Which.
        entry: EntryAt,
    },
    /// Met.
    Met {
        /// By which entry.
        entry: EntryAt,
    },
    /// The authority declined.
    Declined {
        /// Why.
        reasons: String,
    },
    /// Withdrawn.
    Withdrawn,
}

/// A need as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedState {
    /// Which docket: the digest of the act that reports it.
    pub docket: DocketId,
    /// Who has it; the home is this department's node.
    pub department: Party,
    /// What is needed.
    pub need: Need,
    /// The place of the authority that is to match it.
    pub authority: Path,
    /// Every node that it reached, the home first; each keeps its copy.
    pub reached: Vec<Path>,
    /// Where it stands.
    pub phase: NeedPhase,
}

impl Fact<NeedState> for NeedEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "need-reported",
            Self::Taken { step, .. } => step.name(),
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Reported { act, .. } | Self::Taken { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, before: Option<&NeedState>) -> bool {
        let (Self::Reported { act, .. } | Self::Taken { act, .. }) = self;
        let Some(ActBody::Need(said)) = act.body() else {
            return false;
        };
        match (self, said) {
            (
                Self::Reported {
                    need, department, ..
                },
                NeedAct::Report(it),
            ) => {
                let signed_so = act.signer.holder().is_some_and(|holder| {
                    holder.department == department.department
                        && holder.node == department.node.code()
                });
                it == *need && signed_so
            }
            (Self::Taken { step, .. }, NeedAct::Take { docket, step: it }) => {
                it == *step && Some(docket) == before.map(|state| state.docket)
            }
            (Self::Reported { .. }, NeedAct::Take { .. })
            | (Self::Taken { .. }, NeedAct::Report(_)) => false,
        }
    }
}

impl NeedPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Open => "need-open",
            Self::Matched { .. } => "need-matched",
            Self::Promised { .. } => "need-promised",
            Self::Offered { .. } => "entry-offered",
            Self::Met { .. } => "need-met",
            Self::Declined { .. } => "need-declined",
            Self::Withdrawn => "need-withdrawn",
        }
    }
}

impl NeedState {
    /// The department that is to provide, while one is.
    pub fn matched(&self) -> Option<&Party> {
        match &self.phase {
            NeedPhase::Matched { department } | NeedPhase::Promised { department, .. } => {
                Some(department)
            }
            NeedPhase::Open
            | NeedPhase::Offered { .. }
            | NeedPhase::Met { .. }
            | NeedPhase::Declined { .. }
            | NeedPhase::Withdrawn => None,
        }
    }

    fn reach(&mut self, place: &Path) {
        if !self.reached.contains(place) {
            self.reached.push(place.clone());
        }
    }

    /// The phase after a step that the home ordered at `at`; `None` when the step cannot follow.
    fn after(&self, step: &NeedStep, at: Moment) -> Option<NeedPhase> {
        use NeedPhase as Phase;
        match (step, &self.phase) {
            (NeedStep::PassOn { .. }, Phase::Open) => Some(Phase::Open),
            (
                NeedStep::Match { department },
                Phase::Open | Phase::Matched { .. } | Phase::Promised { .. },
            ) => Some(Phase::Matched {
                department: department.clone(),
            }),
            (NeedStep::PointTo { entry }, Phase::Open)
            | (NeedStep::Fulfil { entry, .. }, Phase::Matched { .. } | Phase::Promised { .. }) => {
                Some(Phase::Offered {
                    entry: entry.clone(),
                })
            }
            (NeedStep::Decline { reasons }, Phase::Open) => Some(Phase::Declined {
                reasons: reasons.clone(),
            }),
            (NeedStep::Promise { by }, Phase::Matched { department }) => Some(Phase::Promised {
                department: department.clone(),
                term: Term::fixed(at, *by),
            }),
            (NeedStep::Cannot { .. }, Phase::Matched { .. } | Phase::Promised { .. })
            | (NeedStep::NotMet { .. }, Phase::Offered { .. }) => Some(Phase::Open),
            (NeedStep::ConfirmMet, Phase::Offered { entry }) => Some(Phase::Met {
                entry: entry.clone(),
            }),
            (NeedStep::Withdraw, _) if self.is_open() => Some(Phase::Withdrawn),
            (
                NeedStep::PassOn { .. }
                | NeedStep::Match { .. }
                | NeedStep::PointTo { .. }
                | NeedStep::Decline { .. }
                | NeedStep::Promise { .. }
                | NeedStep::Cannot { .. }
                | NeedStep::Fulfil { .. }
                | NeedStep::ConfirmMet
                | NeedStep::NotMet { .. }
                | NeedStep::Withdraw,
                _,
            ) => None,
        }
    }

    fn taken(mut self, step: &NeedStep, at: Moment) -> Result<Self, Misstep> {
        let out_of_order = Misstep::OutOfOrder {
            event: step.name(),
            phase: self.phase.name(),
        };
        let phase = self.after(step, at);
        self.phase = phase.ok_or_else(|| out_of_order.clone())?;
        match step {
            NeedStep::PassOn { .. } => {
                let above = self.authority.parent().ok_or(out_of_order)?;
                self.reach(&above);
                self.authority = above;
            }
            NeedStep::Match { department } => self.reach(&department.node),
            NeedStep::PointTo { .. }
            | NeedStep::Decline { .. }
            | NeedStep::Promise { .. }
            | NeedStep::Cannot { .. }
            | NeedStep::Fulfil { .. }
            | NeedStep::ConfirmMet
            | NeedStep::NotMet { .. }
            | NeedStep::Withdraw => {}
        }
        Ok(self)
    }
}

impl Workflow for NeedState {
    type Event = NeedEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &NeedEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (
                None,
                NeedEvent::Reported {
                    act,
                    need,
                    department,
                },
            ) if docket.0 == act.id().0 => Ok(Self {
                docket,
                department: department.clone(),
                need: need.clone(),
                authority: department.node.clone(),
                reached: vec![department.node.clone()],
                phase: NeedPhase::Open,
            }),
            (None, NeedEvent::Reported { .. }) => Err(Misstep::WrongOpeningAct {
                expected: "act after which the docket is named",
            }),
            (None, NeedEvent::Taken { .. }) => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
            (Some(_), NeedEvent::Reported { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), NeedEvent::Taken { step, .. }) => state.taken(step, at),
        }
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<NeedEvent>, Refusal> {
        decide::step(self, act, step).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match &self.phase {
            NeedPhase::Promised { department, term } => vec![OpenDuty {
                duty: Duty::MeetNeed,
                term: *term,
                who: Debtor::Department(department.clone()),
            }],
            NeedPhase::Open
            | NeedPhase::Matched { .. }
            | NeedPhase::Offered { .. }
            | NeedPhase::Met { .. }
            | NeedPhase::Declined { .. }
            | NeedPhase::Withdrawn => Vec::new(),
        }
    }

    fn parties(&self) -> Vec<Path> {
        self.reached.clone()
    }

    /// Whom it is matched to is not known when it is reported.
    fn finds_parties(&self) -> bool {
        self.is_open()
    }

    fn is_open(&self) -> bool {
        match &self.phase {
            NeedPhase::Open
            | NeedPhase::Matched { .. }
            | NeedPhase::Promised { .. }
            | NeedPhase::Offered { .. } => true,
            NeedPhase::Met { .. } | NeedPhase::Declined { .. } | NeedPhase::Withdrawn => false,
        }
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

#[cfg(test)]
mod tests;
