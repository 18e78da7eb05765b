//! Security incidents (安全事件): reported upward by themselves, the plan started, the harm contained, the cause removed. R34, R35.
//!
//! ```text
//! Reported ──plan started (启动应急预案)──► Responding ──cause, remedy, report──► Closed
//!    │                                        │
//!    └── measures (应急处置措施), progress, what the authorities above say: as often as needed, before and after the plan ──┘
//! ```
//!
//! The home is the node where it happened. Copies go to the authorities above, how far up says [`statute::told_at_every_level`], and to the nodes
//! from which data concerned was provided, so that these can act too. A measure that the software can take is taken by the act that records it:
//! grants are suspended at their homes, a child is cut off, the new certificate of a node whose keys were rotated is looked up.

mod decide;

use identity::{Code, CreditCode, Moment, Path, RevocationReason};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Grade, Refusal, Severity};

use crate::act::{ActBody, Deed, Opens, SignedAct, VerifiedAct};
use crate::application::GrantStep;
use crate::catalogue::EntryId;
use crate::clock::OpenDuty;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};

pub use decide::open;

/// Most dockets, and most entries, that one incident concerns: what a department of a county holds, many times.
pub const MAX_CONCERNED: usize = 256;
/// Most grants suspended by one act; it becomes an event of each of their dockets.
pub const MAX_SUSPENDED_AT_ONCE: usize = 64;
/// Most steps in one incident: well below [`crate::docket::MAX_DOCKET_EVENTS`].
pub const MAX_INCIDENT_STEPS: u32 = 1_024;

/// Data that an incident concerns: what was provided under an application or a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concerned {
    /// Its docket.
    pub docket: DocketId,
    /// The docket's home: the node that provided the data.
    pub home: Path,
}

/// The report of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// What happened.
    pub happened: String,
    /// When it was noticed.
    pub noticed: Moment,
    /// How severe it is.
    pub severity: Severity,
    /// The grade of the strictest data concerned.
    pub grade: Grade,
    /// Data concerned that was provided, here or to here.
    pub dockets: Vec<Concerned>,
    /// Own entries of this node whose data is concerned.
    pub entries: Vec<EntryId>,
}

/// What is done to contain an incident (应急处置措施).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// The authority of the node that provides the data suspends grants, each as under R27; access is restored as under R27.
    SuspendGrants {
        /// Which.
        grants: Vec<DocketId>,
        /// Why: the requesters read it.
        reasons: String,
        /// By when the requesters are to rectify.
        rectify_by: Moment,
    },
    /// The head of the authority revokes a child's certificate: its links and circuits end at once.
    CutOff {
        /// Which child.
        node: Code,
        /// The number of its certificate.
        serial: u64,
        /// Why.
        reason: RevocationReason,
    },
    /// A node's keys were rotated: a certificate issued since the incident is in force.
    KeysRotated {
        /// Which node.
        node: Code,
        /// The number of its new certificate.
        serial: u64,
    },
    /// Something done outside this system.
    Other {
        /// What.
        what: String,
    },
}

/// A step in the course of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentStep {
    /// The plan is started (启动应急预案).
    StartPlan {
        /// Which plan.
        plan: String,
    },
    /// A measure is taken.
    Contain(Measure),
    /// How far it has come.
    Progress {
        /// What is reported.
        text: String,
    },
    /// An authority above has the report and instructs.
    Acknowledge {
        /// What it instructs.
        instructions: String,
    },
    /// The hidden danger is removed: the incident is closed.
    Close {
        /// What caused it.
        cause: String,
        /// How the danger was removed.
        remedy: String,
        /// The report on the whole.
        report: String,
    },
}

/// What people do about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentAct {
    /// Report it (R35).
    Report(IncidentReport),
    /// A step in its course.
    Step {
        /// Which docket.
        docket: DocketId,
        /// What is done.
        step: IncidentStep,
    },
}

/// Facts of one incident's course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentEvent {
    /// It was reported.
    Reported {
        /// The signed act.
        act: SignedAct,
        /// Where it happened.
        place: Path,
        /// The report.
        report: IncidentReport,
    },
    /// A step was taken.
    Stepped {
        /// The signed act.
        act: SignedAct,
        /// What was done.
        step: IncidentStep,
    },
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum IncidentPhase {
    /// Reported; the plan is to be started.
    Reported,
    /// The plan runs.
    Responding {
        /// Which plan.
        plan: String,
    },
    /// Closed.
    Closed,
}

/// An incident as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentState {
    /// Which docket: the digest of the act that reported it.
    pub docket: DocketId,
    /// Where it happened.
    pub place: Path,
    /// The department that reported it, or the authority itself.
    pub department: CreditCode,
    /// The report.
    pub report: IncidentReport,
    /// Where it stands.
    pub phase: IncidentPhase,
    /// Measures taken so far.
    pub measures: u32,
    /// The authorities above that have acknowledged it, in their order.
    pub acknowledged: Vec<Code>,
    /// Steps taken so far.
    pub steps: u32,
}

impl IncidentPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Reported => "incident-reported",
            Self::Responding { .. } => "responding",
            Self::Closed => "incident-closed",
        }
    }
}

impl IncidentState {
    /// The places above whose authorities are told, the next above first (R35).
    pub fn told(&self) -> Vec<Path> {
        let every_level = statute::told_at_every_level(self.report.severity, self.report.grade);
        let mut told: Vec<Path> = Vec::new();
        let mut next = self.place.parent();
        while let Some(above) = next {
            next = every_level.then(|| above.parent()).flatten();
            told.push(above);
        }
        told
    }

    /// Whether the plan was started.
    pub fn plan_started(&self) -> bool {
        match &self.phase {
            IncidentPhase::Reported => false,
            IncidentPhase::Responding { .. } | IncidentPhase::Closed => true,
        }
    }

    /// Whether data concerned was provided by this node.
    pub fn concerns_data_of(&self, node: Code) -> bool {
        self.report.dockets.iter().any(|it| it.home.code() == node)
    }
}

/// The suspension that a measure brings to one grant, if it names it.
pub fn suspension_of(act: &ActBody, grant: DocketId) -> Option<GrantStep> {
    match act {
        ActBody::Incident(IncidentAct::Step {
            step:
                IncidentStep::Contain(Measure::SuspendGrants {
                    grants,
                    reasons,
                    rectify_by,
                }),
            ..
        }) if grants.contains(&grant) => Some(GrantStep::Suspend {
            reasons: reasons.clone(),
            rectify_by: *rectify_by,
        }),
        _ => None,
    }
}

impl Deed for IncidentAct {
    fn kind(&self) -> ActKind {
        let Self::Step { step, .. } = self else {
            return ActKind::ReportIncident;
        };
        match step {
            IncidentStep::StartPlan { .. } => ActKind::StartPlan,
            IncidentStep::Contain(Measure::CutOff { .. }) => ActKind::CutOffNode,
            IncidentStep::Contain(
                Measure::SuspendGrants { .. } | Measure::KeysRotated { .. } | Measure::Other { .. },
            ) => ActKind::ContainIncident,
            IncidentStep::Progress { .. } => ActKind::ReportProgress,
            IncidentStep::Acknowledge { .. } => ActKind::AcknowledgeIncident,
            IncidentStep::Close { .. } => ActKind::CloseIncident,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Report(_) => None,
            Self::Step { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Report(_) => Some(Opens::Here),
            Self::Step { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        let step = match self {
            Self::Report(report) => return vec![&report.happened],
            Self::Step { step, .. } => step,
        };
        match step {
            IncidentStep::StartPlan { plan: text }
            | IncidentStep::Contain(
                Measure::SuspendGrants { reasons: text, .. } | Measure::Other { what: text },
            )
            | IncidentStep::Progress { text }
            | IncidentStep::Acknowledge { instructions: text } => vec![text],
            IncidentStep::Contain(Measure::CutOff { .. } | Measure::KeysRotated { .. }) => {
                Vec::new()
            }
            IncidentStep::Close {
                cause,
                remedy,
                report,
            } => vec![cause, remedy, report],
        }
    }
}

impl Fact<IncidentState> for IncidentEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "incident-reported",
            Self::Stepped { step, .. } => match step {
                IncidentStep::StartPlan { .. } => "plan-started",
                IncidentStep::Contain(Measure::SuspendGrants { .. }) => "grants-suspended",
                IncidentStep::Contain(Measure::CutOff { .. }) => "node-cut-off",
                IncidentStep::Contain(Measure::KeysRotated { .. }) => "keys-rotated",
                IncidentStep::Contain(Measure::Other { .. }) => "measure-taken",
                IncidentStep::Progress { .. } => "progress-reported",
                IncidentStep::Acknowledge { .. } => "acknowledged",
                IncidentStep::Close { .. } => "incident-closed",
            },
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Reported { act, .. } | Self::Stepped { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, before: Option<&IncidentState>) -> bool {
        match self {
            Self::Reported { act, place, report } => {
                let there = |node| node == place.code();
                let signed_there = act.signer.holder().is_some_and(|it| there(it.node));
                let said = matches!(act.body(), Some(ActBody::Incident(IncidentAct::Report(it))) if it == *report);
                before.is_none() && signed_there && said
            }
            Self::Stepped { act, step } => matches!(
                act.body(),
                Some(ActBody::Incident(IncidentAct::Step { docket, step: it }))
                    if it == *step && Some(docket) == before.map(|state| state.docket)
            ),
        }
    }
}

impl Workflow for IncidentState {
    type Event = IncidentEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        _at: Moment,
        event: &IncidentEvent,
    ) -> Result<Self, Misstep> {
        evolve(state, docket, event)
    }

    fn decide(&self, act: &VerifiedAct, _step: &Step<'_>) -> Result<Vec<IncidentEvent>, Refusal> {
        decide::step(self, act).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        // R35 sets no time (按照规定): nothing runs that a rule outside does not set.
        Vec::new()
    }

    fn parties(&self) -> Vec<Path> {
        let mut parties = vec![self.place.clone()];
        let others = self.report.dockets.iter().map(|it| it.home.clone());
        for node in self.told().into_iter().chain(others) {
            if !parties.contains(&node) {
                parties.push(node);
            }
        }
        parties
    }

    fn is_open(&self) -> bool {
        match &self.phase {
            IncidentPhase::Reported | IncidentPhase::Responding { .. } => true,
            IncidentPhase::Closed => false,
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
    state: Option<IncidentState>,
    docket: DocketId,
    event: &IncidentEvent,
) -> Result<IncidentState, Misstep> {
    let (mut state, act, step) = match (state, event) {
        (None, IncidentEvent::Reported { act, place, report }) => {
            return reported(docket, act, place, report);
        }
        (None, IncidentEvent::Stepped { .. }) => {
            return Err(Misstep::NotAnOpening {
                event: event.name(),
            });
        }
        (Some(_), IncidentEvent::Reported { .. }) => return Err(Misstep::OpenedTwice),
        (Some(state), IncidentEvent::Stepped { act, step }) => (state, act, step),
    };
    state.phase = next_phase(&state, step).ok_or_else(|| Misstep::OutOfOrder {
        event: event.name(),
        phase: state.phase.name(),
    })?;
    state.steps = state.steps.saturating_add(1);
    state.measures += u32::from(matches!(step, IncidentStep::Contain(_)));
    if let (IncidentStep::Acknowledge { .. }, Some(holder)) = (step, act.signer.holder())
        && !state.acknowledged.contains(&holder.node)
    {
        state.acknowledged.push(holder.node);
    }
    Ok(state)
}

fn reported(
    docket: DocketId,
    act: &SignedAct,
    place: &Path,
    report: &IncidentReport,
) -> Result<IncidentState, Misstep> {
    let holder = act.signer.holder().ok_or(Misstep::WrongOpeningAct {
        expected: "report of an incident",
    })?;
    Ok(IncidentState {
        docket,
        place: place.clone(),
        department: holder.department,
        report: report.clone(),
        phase: IncidentPhase::Reported,
        measures: 0,
        acknowledged: Vec::new(),
        steps: 0,
    })
}

/// Where a step leads, if it may follow.
fn next_phase(state: &IncidentState, step: &IncidentStep) -> Option<IncidentPhase> {
    match (&state.phase, step) {
        (IncidentPhase::Reported, IncidentStep::StartPlan { plan }) => {
            Some(IncidentPhase::Responding { plan: plan.clone() })
        }
        (
            IncidentPhase::Reported | IncidentPhase::Responding { .. },
            IncidentStep::Contain(_)
            | IncidentStep::Progress { .. }
            | IncidentStep::Acknowledge { .. },
        ) => Some(state.phase.clone()),
        (
            IncidentPhase::Reported | IncidentPhase::Responding { .. },
            IncidentStep::Close { .. },
        ) => {
            statute::check_may_close(state.plan_started(), state.measures).ok()?;
            Some(IncidentPhase::Closed)
        }
        (IncidentPhase::Responding { .. }, IncidentStep::StartPlan { .. })
        | (IncidentPhase::Closed, _) => None,
    }
}

#[cfg(test)]
mod tests;
