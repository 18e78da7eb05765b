//! A dispute (争议) before the common superior: R28.
//!
//! ```text
//! Referred ──opinion──► OpinionGiven ──both accept──► Settled
//!                            └──────one rejects─────► AwaitingDecision ──government decides──► Decided (final) ──each party reports──► carried out
//! ```

mod decide;

use identity::{CreditCode, Moment, Path};
use serde::{Deserialize, Serialize};

use statute::rule::{self, Rule};
use statute::{Article, Duty, Refusal, RefusalReason};

use crate::act::{ActBody, Doer, SignedAct, VerifiedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::docket::{DocketCopy, DocketId, Fact, Misstep, Step, Workflow};

pub use decide::{Bench, Command, Hearing, case, decide, hearing_place};

/// A step in negotiation between the parties (R28: it comes first).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NegotiationStep {
    /// What is said.
    pub statement: String,
    /// What becomes of it.
    pub outcome: NegotiationOutcome,
}

/// What a negotiation step says of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NegotiationOutcome {
    /// Goes on.
    Continues,
    /// Agreed.
    Settled,
    /// No agreement (协商不成): the common superior is asked.
    Failed,
}

/// The coordination opinion (协调意见) of the authority that hears the case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    /// What the authority proposes.
    pub proposal: String,
    /// On which grounds.
    pub grounds: String,
}

/// The decision (决定) of the people's government at the authority's level. Final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is decided.
    pub holding: String,
    /// On which grounds.
    pub grounds: String,
    /// By when the parties must act.
    pub comply_by: Moment,
}

/// One side of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The department.
    pub department: CreditCode,
    /// The node that hosts it.
    pub node: Path,
}

/// Facts of one dispute's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputeEvent {
    /// The case arrived with the complainant's verified copy of the disputed docket.
    Referred {
        /// Who raised it.
        complainant: Party,
        /// Against whom.
        respondent: Party,
        /// The docket in dispute.
        about: DocketId,
        /// The complainant's verified copy of it.
        copy: DocketCopy,
        /// Who hears it.
        hearer: Hearer,
    },
    /// The authority gave its opinion.
    OpinionGiven {
        /// The signed act.
        act: SignedAct,
        /// The opinion.
        opinion: Opinion,
        /// The local article under which the authority coordinates beside R28, where its profile has one.
        local: Option<Article>,
    },
    /// A party answered it.
    Answered {
        /// The signed act.
        act: SignedAct,
        /// Which party.
        by: CreditCode,
        /// Whether it is accepted.
        accepted: bool,
        /// Why.
        grounds: String,
    },
    /// Both accepted.
    Settled,
    /// The government decided.
    Decided {
        /// The signed act.
        act: SignedAct,
        /// The decision.
        decision: Decision,
    },
    /// A party reported what it did to carry the decision out.
    Complied {
        /// The signed act.
        act: SignedAct,
        /// Which party.
        by: CreditCode,
        /// What was done.
        statement: String,
    },
}

/// Who hears a dispute at a place (R28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hearer {
    /// Its competent authority coordinates; failing that, its government decides.
    Authority,
    /// The national authority is itself a party and no authority stands above it: the State Council (国务院), which is the government of the
    /// hub's level, decides.
    StateCouncil,
}

/// The state of a dispute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DisputePhase {
    /// Waiting for the authority's opinion.
    Referred,
    /// Waiting for the parties' answers.
    OpinionGiven {
        /// The opinion.
        opinion: Opinion,
        /// Whether it is accepted.
        accepted: Vec<CreditCode>,
    },
    /// Coordination failed, or no authority may coordinate; the government is to decide.
    AwaitingDecision {
        /// The opinion that did not bring agreement, if one was given.
        opinion: Option<Opinion>,
    },
    /// Settled by coordination.
    Settled {
        /// The opinion.
        opinion: Opinion,
    },
    /// Decided; the parties carry it out.
    Decided {
        /// The decision.
        decision: Decision,
        /// When it was made.
        at: Moment,
        /// Who reported to have carried it out.
        complied: Vec<CreditCode>,
    },
}

/// A dispute as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeState {
    /// Which docket: the digest of the act by which the dispute was raised.
    pub docket: DocketId,
    /// Who raised it.
    pub complainant: Party,
    /// Against whom.
    pub respondent: Party,
    /// The docket in dispute.
    pub about: DocketId,
    /// Where it stands.
    pub phase: DisputePhase,
}

impl DisputePhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Referred => "referred",
            Self::OpinionGiven { .. } => "opinion-given",
            Self::AwaitingDecision { .. } => "awaiting-decision",
            Self::Settled { .. } => "settled",
            Self::Decided { .. } => "decided",
        }
    }
}

impl DisputePhase {
    /// Where the statute's course of a dispute this is.
    pub fn stage(&self) -> statute::DisputeStage {
        match self {
            Self::Referred => statute::DisputeStage::NegotiationFailed,
            Self::OpinionGiven { .. } => statute::DisputeStage::Coordinating,
            Self::AwaitingDecision { .. } => statute::DisputeStage::CoordinationFailed,
            Self::Settled { .. } => statute::DisputeStage::Settled,
            Self::Decided { .. } => statute::DisputeStage::Decided,
        }
    }
}

impl DisputeState {
    /// What came of the case, for the disputed docket; `None` while it is open.
    pub fn outcome(&self) -> Option<String> {
        match &self.phase {
            DisputePhase::Settled { opinion } => {
                Some(format!("双方接受协调意见：{}", opinion.proposal))
            }
            DisputePhase::Decided { decision, .. } => {
                Some(format!("本级人民政府决定：{}", decision.holding))
            }
            DisputePhase::Referred
            | DisputePhase::OpinionGiven { .. }
            | DisputePhase::AwaitingDecision { .. } => None,
        }
    }

    /// The party a doer acts for, if any.
    fn party_of(&self, doer: &Doer) -> Option<&Party> {
        [&self.complainant, &self.respondent]
            .into_iter()
            .find(|party| party.includes(doer))
    }
}

impl Party {
    /// Whether a doer acts for this party: the department, on the node that hosts it.
    pub fn includes(&self, doer: &Doer) -> bool {
        self.department == doer.department && self.node.code() == doer.node
    }
}

impl Fact<DisputeState> for DisputeEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Referred { .. } => "referred",
            Self::OpinionGiven { .. } => "opinion-given",
            Self::Answered { .. } => "answered",
            Self::Settled => "settled",
            Self::Decided { .. } => "decided",
            Self::Complied { .. } => "complied",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::OpinionGiven { act, .. }
            | Self::Answered { act, .. }
            | Self::Decided { act, .. }
            | Self::Complied { act, .. } => vec![act],
            Self::Referred { .. } | Self::Settled => Vec::new(),
        }
    }

    fn rests_on_its_act(&self, _before: Option<&DisputeState>) -> bool {
        let said = SignedAct::body;
        match self {
            DisputeEvent::OpinionGiven { act, opinion, .. } => {
                matches!(said(act), Some(ActBody::Coordinate { opinion: it, .. }) if it == *opinion)
            }
            DisputeEvent::Answered {
                act,
                by,
                accepted,
                grounds,
            } => {
                let answer = matches!(
                    said(act),
                    Some(ActBody::AnswerOpinion { accepted: it, grounds: why, .. }) if it == *accepted && why == *grounds
                );
                answer
                    && act
                        .signer
                        .holder()
                        .is_some_and(|holder| holder.department == *by)
            }
            DisputeEvent::Decided { act, decision } => {
                matches!(said(act), Some(ActBody::Decide { decision: it, .. }) if it == *decision)
            }
            DisputeEvent::Complied { act, by, statement } => {
                let told = matches!(said(act), Some(ActBody::Comply { statement: it, .. }) if it == *statement);
                told && act
                    .signer
                    .holder()
                    .is_some_and(|holder| holder.department == *by)
            }
            DisputeEvent::Referred { .. } | DisputeEvent::Settled => true,
        }
    }
}

impl Workflow for DisputeState {
    type Event = DisputeEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &DisputeEvent,
    ) -> Result<Self, Misstep> {
        evolve(state, docket, event, at)
    }

    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<DisputeEvent>, Refusal> {
        let bench = step.bench.ok_or_else(no_authority)?;
        decide(Some(self), &Command::Act(act.clone()), bench)
    }

    fn duties(&self) -> Vec<OpenDuty> {
        let DisputePhase::Decided {
            decision,
            at,
            complied,
        } = &self.phase
        else {
            return Vec::new();
        };
        // Both owe the same from the same moment: the second counts from the next, which tells the two apart.
        let parties = [
            (&self.complainant, *at),
            (&self.respondent, at.plus_millis(1)),
        ];
        parties
            .into_iter()
            .filter(|(party, _)| !complied.contains(&party.department))
            .map(|(party, arises)| OpenDuty {
                duty: Duty::Comply,
                term: Term::fixed(arises, decision.comply_by),
                who: Debtor::Department(party.clone()),
            })
            .collect()
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.complainant.node.clone(), self.respondent.node.clone()]
    }

    fn is_open(&self) -> bool {
        self.outcome().is_none() || !self.duties().is_empty()
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

/// The refusal where the hearing node does not know its authority's head yet (R28).
pub fn no_authority() -> Refusal {
    RefusalReason::WrongState {
        expected: "an authority's head enrolled here".into(),
        found: "none".into(),
    }
    .under(Article::R28)
}

/// The state of the docket `docket` after `event`.
///
/// # Errors
/// [`Misstep`] when the event cannot follow.
pub fn evolve(
    state: Option<DisputeState>,
    docket: DocketId,
    event: &DisputeEvent,
    at: Moment,
) -> Result<DisputeState, Misstep> {
    let Some(state) = state else {
        return match event {
            DisputeEvent::Referred {
                complainant,
                respondent,
                about,
                copy: _,
                hearer,
            } => Ok(DisputeState {
                docket,
                complainant: complainant.clone(),
                respondent: respondent.clone(),
                about: *about,
                phase: match hearer {
                    Hearer::Authority => DisputePhase::Referred,
                    Hearer::StateCouncil => DisputePhase::AwaitingDecision { opinion: None },
                },
            }),
            DisputeEvent::OpinionGiven { .. }
            | DisputeEvent::Answered { .. }
            | DisputeEvent::Settled
            | DisputeEvent::Decided { .. }
            | DisputeEvent::Complied { .. } => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
        };
    };
    let phase = next_phase(&state, event, at).ok_or_else(|| Misstep::OutOfOrder {
        event: event.name(),
        phase: state.phase.name(),
    })?;
    Ok(DisputeState { phase, ..state })
}

/// Whether coordination is over without agreement, so that the government decides (R28).
fn awaits_decision(phase: &DisputePhase) -> bool {
    matches!(phase, DisputePhase::AwaitingDecision { .. }) || rule::is_off(Rule::Decision)
}

/// Where `event` leads, if it may follow.
fn next_phase(state: &DisputeState, event: &DisputeEvent, at: Moment) -> Option<DisputePhase> {
    match (&state.phase, event) {
        (DisputePhase::Referred, DisputeEvent::OpinionGiven { opinion, .. }) => {
            Some(DisputePhase::OpinionGiven {
                opinion: opinion.clone(),
                accepted: Vec::new(),
            })
        }
        (
            DisputePhase::OpinionGiven { opinion, accepted },
            DisputeEvent::Answered {
                by, accepted: yes, ..
            },
        ) => {
            if accepted.contains(by) {
                return None;
            }
            if !yes {
                let opinion = Some(opinion.clone());
                return Some(DisputePhase::AwaitingDecision { opinion });
            }
            let mut accepted = accepted.clone();
            accepted.push(*by);
            Some(DisputePhase::OpinionGiven {
                opinion: opinion.clone(),
                accepted,
            })
        }
        (DisputePhase::OpinionGiven { opinion, accepted }, DisputeEvent::Settled) => {
            let both = [&state.complainant, &state.respondent]
                .iter()
                .all(|party| accepted.contains(&party.department));
            both.then(|| DisputePhase::Settled {
                opinion: opinion.clone(),
            })
        }
        (before, DisputeEvent::Decided { decision, .. }) if awaits_decision(before) => {
            Some(DisputePhase::Decided {
                decision: decision.clone(),
                at,
                complied: Vec::new(),
            })
        }
        (
            DisputePhase::Decided {
                decision,
                at,
                complied,
            },
            DisputeEvent::Complied { by, .. },
        ) if !complied.contains(by) => {
            let complied = complied.iter().copied().chain([*by]).collect();
            Some(DisputePhase::Decided {
                decision: decision.clone(),
                at: *at,
                complied,
            })
        }
        (
            DisputePhase::Referred
            | DisputePhase::OpinionGiven { .. }
            | DisputePhase::AwaitingDecision { .. }
            | DisputePhase::Settled { .. }
            | DisputePhase::Decided { .. },
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests;
