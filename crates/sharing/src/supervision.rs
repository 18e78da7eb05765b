//! Supervision (监督检查): a breach is found, its correction ordered (责令改正), reported, accepted or rejected, and circulated (通报).
//! R29, R39 to R41.
//!
//! ```text
//! Ordered ──the accused reports──► Reported ──accepted──► Closed
//!    ▲                                │
//!    └────────rejected, new date──────┘
//! Ordered or Reported ──correction refused, or serious (拒不改正或者情节严重)──► Escalated: discipline (处分) is recommended
//! ```
//!
//! The home is at whoever orders; the accused holds a copy. A justification for what was late is stated in the docket that it was late in, by
//! that docket's clock. What a recommended discipline leads to lies outside. A circulated notice goes to the places it names as a notice: they
//! learn what the authority says to them and not the case.

mod decide;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, Duty, EscalationGround, Liable, Refusal, Supervisor};

use crate::act::{ActBody, Deed, Doer, Opens, SignedAct, VerifiedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};

pub use decide::{finds_breach, open};

/// Most places that one notice is circulated to: the counties of a large prefecture, several times.
pub const MAX_CIRCULATED_TO: usize = 64;
/// Most notices circulated in one docket.
pub const MAX_CIRCULATED: usize = 16;
/// Most reports rejected in one docket; beyond, discipline is recommended or the report accepted.
pub const MAX_REJECTED: usize = 16;

/// Whose breach it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Accused {
    /// A department, R39, R40.
    Department(Party),
    /// The competent authority of a place, R41.
    Authority(Path),
}

/// The lapse that an order follows from: a duty that the clock of a docket recorded overdue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Which docket.
    pub docket: DocketId,
    /// Which duty.
    pub duty: Duty,
    /// When the duty arose.
    pub arises: Moment,
}

/// A finding of a breach with the order to correct it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Whose breach.
    pub against: Accused,
    /// The item of R39, R40 or R41.
    pub breach: Article,
    /// The lapse that it follows from, if it follows from one.
    pub about: Option<About>,
    /// What was found.
    pub facts: String,
    /// What is to be done.
    pub measures: String,
    /// By when.
    pub correct_by: Moment,
}

/// What people do in supervision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupervisionAct {
    /// Find a breach and order its correction (责令改正, R39 to R41).
    Order(Order),
    /// The accused reports what was done.
    Report {
        /// Which docket.
        docket: DocketId,
        /// What was done.
        done: String,
    },
    /// Whoever ordered accepts the report: the case is closed.
    Accept {
        /// Which docket.
        docket: DocketId,
    },
    /// Whoever ordered rejects the report and sets a new date.
    Reject {
        /// Which docket.
        docket: DocketId,
        /// Why.
        reasons: String,
        /// The new date.
        correct_by: Moment,
    },
    /// The authority circulates a notice (通报, R29).
    Circulate {
        /// Which docket.
        docket: DocketId,
        /// The notice.
        text: String,
        /// To which places, at or below its own.
        to: Vec<Path>,
    },
    /// Whoever ordered recommends discipline (处分): the correction is refused, or the circumstances are serious.
    Escalate {
        /// Which docket.
        docket: DocketId,
        /// Which of the two.
        ground: EscalationGround,
        /// Why.
        reasons: String,
    },
}

/// Facts of one order's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupervisionEvent {
    /// A breach was found and its correction ordered.
    Ordered {
        /// The signed act.
        act: SignedAct,
        /// The place of whoever ordered.
        by: Path,
        /// As what it ordered.
        supervisor: Supervisor,
        /// The order.
        order: Order,
        /// The time limit of the correction.
        term: Term,
    },
    /// The accused reported.
    Reported {
        /// The signed act.
        act: SignedAct,
        /// What was done.
        done: String,
    },
    /// The report was accepted.
    Accepted {
        /// The signed act.
        act: SignedAct,
    },
    /// The report was rejected.
    Rejected {
        /// The signed act.
        act: SignedAct,
        /// Why.
        reasons: String,
        /// The time limit from now on.
        term: Term,
    },
    /// A notice was circulated.
    Circulated {
        /// The signed act.
        act: SignedAct,
        /// The notice.
        text: String,
        /// To which places.
        to: Vec<Path>,
    },
    /// Discipline was recommended.
    Escalated {
        /// The signed act.
        act: SignedAct,
        /// On which ground.
        ground: EscalationGround,
        /// Why.
        reasons: String,
    },
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SupervisionPhase {
    /// To be corrected.
    Ordered {
        /// By when.
        term: Term,
    },
    /// A report awaits judgement.
    Reported {
        /// What was done.
        done: String,
    },
    /// Corrected, and accepted.
    Closed,
    /// Discipline was recommended.
    Escalated {
        /// On which ground.
        ground: EscalationGround,
    },
}

/// An order as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisionState {
    /// Which docket: the digest of the act that ordered.
    pub docket: DocketId,
    /// The place of whoever ordered.
    pub by: Path,
    /// As what it ordered.
    pub supervisor: Supervisor,
    /// The order.
    pub order: Order,
    /// Where it stands.
    pub phase: SupervisionPhase,
    /// Reports rejected so far.
    pub rejected: u32,
    /// Notices circulated so far.
    pub circulated: u32,
}

impl Accused {
    /// The node at which it acts.
    pub fn node(&self) -> &Path {
        match self {
            Self::Department(party) => &party.node,
            Self::Authority(node) => node,
        }
    }

    /// As whom it owes the correction.
    pub fn debtor(&self) -> Debtor {
        match self {
            Self::Department(party) => Debtor::Department(party.clone()),
            Self::Authority(node) => Debtor::Authority(node.clone()),
        }
    }

    /// Whether a doer acts at its place and, for a department, for it.
    fn includes(&self, doer: &Doer) -> bool {
        match self {
            Self::Department(party) => party.includes(doer),
            Self::Authority(node) => doer.node == node.code(),
        }
    }
}

impl Order {
    /// As what the accused answers for the breach.
    pub fn liable(&self) -> Liable {
        match self.against {
            Accused::Authority(_) => Liable::Authority,
            Accused::Department(_) => Liable::of_breach(self.breach).unwrap_or(Liable::Provider),
        }
    }

    /// The kind of act by which it is given.
    pub fn kind(&self) -> ActKind {
        match self.against {
            Accused::Department(_) => ActKind::OrderCorrection,
            Accused::Authority(_) => ActKind::OrderAuthority,
        }
    }
}

impl SupervisionAct {
    /// The article that it rests on in the docket of this order.
    pub fn article_in(&self, order: &Order) -> Article {
        match self {
            Self::Circulate { .. } => self.article(),
            Self::Order(_)
            | Self::Report { .. }
            | Self::Accept { .. }
            | Self::Reject { .. }
            | Self::Escalate { .. } => order.liable().article(),
        }
    }
}

impl SupervisionPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ordered { .. } => "ordered",
            Self::Reported { .. } => "reported",
            Self::Closed => "corrected",
            Self::Escalated { .. } => "escalated",
        }
    }
}

impl Deed for SupervisionAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Order(order) => order.kind(),
            Self::Report { .. } => ActKind::ReportOrderDone,
            Self::Accept { .. } | Self::Reject { .. } => ActKind::JudgeRectification,
            Self::Circulate { .. } => ActKind::Circulate,
            Self::Escalate { .. } => ActKind::RecommendDiscipline,
        }
    }

    fn article(&self) -> Article {
        match self {
            Self::Order(order) => order.liable().article(),
            Self::Report { .. }
            | Self::Accept { .. }
            | Self::Reject { .. }
            | Self::Circulate { .. }
            | Self::Escalate { .. } => statute::required_role(self.kind()).1,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Order(_) => None,
            Self::Report { docket, .. }
            | Self::Accept { docket }
            | Self::Reject { docket, .. }
            | Self::Circulate { docket, .. }
            | Self::Escalate { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Order(_) => Some(Opens::Here),
            Self::Report { .. }
            | Self::Accept { .. }
            | Self::Reject { .. }
            | Self::Circulate { .. }
            | Self::Escalate { .. } => None,
        }
    }

    fn about(&self) -> Option<DocketId> {
        match self {
            Self::Order(order) => order.about.as_ref().map(|about| about.docket),
            Self::Report { .. }
            | Self::Accept { .. }
            | Self::Reject { .. }
            | Self::Circulate { .. }
            | Self::Escalate { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Order(order) => vec![&order.facts, &order.measures],
            Self::Report { done: text, .. }
            | Self::Reject { reasons: text, .. }
            | Self::Circulate { text, .. }
            | Self::Escalate { reasons: text, .. } => vec![text],
            Self::Accept { .. } => Vec::new(),
        }
    }
}

impl Fact<SupervisionState> for SupervisionEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Ordered { .. } => "ordered",
            Self::Reported { .. } => "reported",
            Self::Accepted { .. } => "accepted",
            Self::Rejected { .. } => "rejected",
            Self::Circulated { .. } => "circulated",
            Self::Escalated { .. } => "escalated",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Ordered { act, .. }
            | Self::Reported { act, .. }
            | Self::Accepted { act }
            | Self::Rejected { act, .. }
            | Self::Circulated { act, .. }
            | Self::Escalated { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, before: Option<&SupervisionState>) -> bool {
        let (Self::Ordered { act, .. }
        | Self::Reported { act, .. }
        | Self::Accepted { act }
        | Self::Rejected { act, .. }
        | Self::Circulated { act, .. }
        | Self::Escalated { act, .. }) = self;
        let Some(ActBody::Supervision(said)) = act.body() else {
            return false;
        };
        if said.docket() != before.map(|state| state.docket) {
            return false;
        }
        match (self, said) {
            (
                Self::Ordered {
                    by,
                    supervisor,
                    order,
                    term,
                    ..
                },
                SupervisionAct::Order(it),
            ) => {
                let signed_so = act.signer.holder().is_some_and(|holder| {
                    holder.node == by.code() && Supervisor::of_role(holder.role) == *supervisor
                });
                signed_so && it == *order && term.due == order.correct_by
            }
            (Self::Reported { done, .. }, SupervisionAct::Report { done: it, .. }) => it == *done,
            (Self::Accepted { .. }, SupervisionAct::Accept { .. }) => true,
            (
                Self::Rejected { reasons, term, .. },
                SupervisionAct::Reject {
                    reasons: it,
                    correct_by,
                    ..
                },
            ) => it == *reasons && correct_by == term.due,
            (
                Self::Circulated { text, to, .. },
                SupervisionAct::Circulate {
                    text: it,
                    to: places,
                    ..
                },
            ) => it == *text && places == *to,
            (
                Self::Escalated {
                    ground, reasons, ..
                },
                SupervisionAct::Escalate {
                    ground: it,
                    reasons: why,
                    ..
                },
            ) => it == *ground && why == *reasons,
            (
                Self::Ordered { .. }
                | Self::Reported { .. }
                | Self::Accepted { .. }
                | Self::Rejected { .. }
                | Self::Circulated { .. }
                | Self::Escalated { .. },
                _,
            ) => false,
        }
    }
}

impl Workflow for SupervisionState {
    type Event = SupervisionEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        _at: Moment,
        event: &SupervisionEvent,
    ) -> Result<Self, Misstep> {
        evolve(state, docket, event)
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<SupervisionEvent>, Refusal> {
        decide::step(self, act, step)
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match &self.phase {
            SupervisionPhase::Ordered { term } => vec![OpenDuty {
                duty: Duty::RectifyOrder,
                term: *term,
                who: self.order.against.debtor(),
            }],
            SupervisionPhase::Reported { .. }
            | SupervisionPhase::Closed
            | SupervisionPhase::Escalated { .. } => Vec::new(),
        }
    }

    fn parties(&self) -> Vec<Path> {
        let accused = self.order.against.node();
        if *accused == self.by {
            vec![self.by.clone()]
        } else {
            vec![self.by.clone(), accused.clone()]
        }
    }

    fn is_open(&self) -> bool {
        match &self.phase {
            SupervisionPhase::Ordered { .. } | SupervisionPhase::Reported { .. } => true,
            SupervisionPhase::Closed | SupervisionPhase::Escalated { .. } => false,
        }
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

/// The state of the docket `docket` after `event`.
///
/// # Errors
/// [`Misstep`] when the event cannot follow.
pub fn evolve(
    state: Option<SupervisionState>,
    docket: DocketId,
    event: &SupervisionEvent,
) -> Result<SupervisionState, Misstep> {
    let Some(state) = state else {
        return match event {
            SupervisionEvent::Ordered {
                by,
                supervisor,
                order,
                term,
                ..
            } => Ok(SupervisionState {
                docket,
                by: by.clone(),
                supervisor: *supervisor,
                order: order.clone(),
                phase: SupervisionPhase::Ordered { term: *term },
                rejected: 0,
                circulated: 0,
            }),
            SupervisionEvent::Reported { .. }
            | SupervisionEvent::Accepted { .. }
            | SupervisionEvent::Rejected { .. }
            | SupervisionEvent::Circulated { .. }
            | SupervisionEvent::Escalated { .. } => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
        };
    };
    if let SupervisionEvent::Circulated { .. } = event {
        let circulated = state.circulated.saturating_add(1);
        return Ok(SupervisionState {
            circulated,
            ..state
        });
    }
    let phase = next_phase(&state.phase, event).ok_or_else(|| Misstep::OutOfOrder {
        event: event.name(),
        phase: state.phase.name(),
    })?;
    let again = u32::from(matches!(event, SupervisionEvent::Rejected { .. }));
    Ok(SupervisionState {
        phase,
        rejected: state.rejected.saturating_add(again),
        ..state
    })
}

/// Where `event` leads, if it may follow.
fn next_phase(phase: &SupervisionPhase, event: &SupervisionEvent) -> Option<SupervisionPhase> {
    match (phase, event) {
        (SupervisionPhase::Ordered { .. }, SupervisionEvent::Reported { done, .. }) => {
            Some(SupervisionPhase::Reported { done: done.clone() })
        }
        (SupervisionPhase::Reported { .. }, SupervisionEvent::Accepted { .. }) => {
            Some(SupervisionPhase::Closed)
        }
        (SupervisionPhase::Reported { .. }, SupervisionEvent::Rejected { term, .. }) => {
            Some(SupervisionPhase::Ordered { term: *term })
        }
        (
            SupervisionPhase::Ordered { .. } | SupervisionPhase::Reported { .. },
            SupervisionEvent::Escalated { ground, .. },
        ) => Some(SupervisionPhase::Escalated { ground: *ground }),
        (
            SupervisionPhase::Ordered { .. }
            | SupervisionPhase::Reported { .. }
            | SupervisionPhase::Closed
            | SupervisionPhase::Escalated { .. },
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests;
