//! A dispute (争议) before the common superior: R28.
//!
//! ```text
//! Referred ──opinion──► OpinionGiven ──both accept──► Settled
//!                            └──────one rejects─────► AwaitingDecision ──government decides──► Decided (final)
//! ```

use identity::{CreditCode, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{Article, Refusal, RefusalReason};

use crate::act::{ActBody, Doer, MAX_ACT_BYTES, SignedAct, VerifiedAct, text_within_bounds};
use crate::application::{ApplicationState, DisputeStage, Misstep};
use crate::docket::{DocketCopy, DocketId};

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
    },
    /// The authority gave its opinion.
    OpinionGiven {
        /// The signed act.
        act: SignedAct,
        /// The opinion.
        opinion: Opinion,
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
    /// Coordination failed; the government is to decide.
    AwaitingDecision {
        /// The opinion.
        opinion: Opinion,
    },
    /// Settled by coordination.
    Settled {
        /// The opinion.
        opinion: Opinion,
    },
    /// Decided.
    Decided {
        /// The decision.
        decision: Decision,
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

impl DisputeEvent {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Referred { .. } => "referred",
            Self::OpinionGiven { .. } => "opinion-given",
            Self::Answered { .. } => "answered",
            Self::Settled => "settled",
            Self::Decided { .. } => "decided",
        }
    }
}

impl DisputeState {
    /// What came of the case, for the disputed docket; `None` while it is open.
    pub fn outcome(&self) -> Option<String> {
        match &self.phase {
            DisputePhase::Settled { opinion } => Some(format!("双方接受协调意见：{}", opinion.proposal)),
            DisputePhase::Decided { decision } => Some(format!("本级人民政府决定：{}", decision.holding)),
            DisputePhase::Referred | DisputePhase::OpinionGiven { .. } | DisputePhase::AwaitingDecision { .. } => None,
        }
    }

    /// The party a doer acts for, if any.
    fn party_of(&self, doer: &Doer) -> Option<&Party> {
        [&self.complainant, &self.respondent].into_iter().find(|party| party.includes(doer))
    }
}

impl Party {
    /// Whether a doer acts for this party: the department, on the node that hosts it.
    pub fn includes(&self, doer: &Doer) -> bool {
        self.department == doer.department && self.node.code() == doer.node
    }
}

/// The authority before which a dispute comes: its place in the tree, and its own department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bench {
    /// The hearing node.
    pub node: Path,
    /// The competent authority's own department.
    pub authority: CreditCode,
}

impl Bench {
    /// Whether this authority may hear these parties: it stands at or above both and is neither of them (R28).
    pub fn may_hear(&self, complainant: &Party, respondent: &Party) -> bool {
        let above = |party: &Party| self.node == party.node || self.node.is_ancestor_of(&party.node);
        let is_party = [complainant, respondent].iter().any(|party| party.department == self.authority);
        above(complainant) && above(respondent) && !is_party
    }
}

/// The place whose authority hears a dispute: the common superior of both parties, or the next above whose authority is not itself a party
/// (R28). `authority_of` names the department that is the competent authority of a place, where that is known. None when even the hub's
/// authority is a party: the State Council hears it, outside this system.
pub fn hearing_place(
    complainant: &Party,
    respondent: &Party,
    authority_of: impl Fn(&Path) -> Option<CreditCode>,
) -> Option<Path> {
    let is_party = |place: &Path| {
        authority_of(place).is_some_and(|it| it == complainant.department || it == respondent.department)
    };
    let mut place = Path::common_path(&complainant.node, &respondent.node);
    while is_party(&place) {
        place = place.parent()?;
    }
    Some(place)
}

/// The two sides of a disputed application, the complainant first, with the docket under which the common superior hears them; none before
/// negotiation failed.
pub fn case(disputed: &ApplicationState) -> Option<(DocketId, Party, Party)> {
    match &disputed.dispute {
        DisputeStage::Failed { dispute, by, .. } => {
            let (requester, provider) = (disputed.requester.clone(), disputed.provider.clone());
            let (complainant, respondent) =
                if requester.department == *by { (requester, provider) } else { (provider, requester) };
            Some((*dispute, complainant, respondent))
        }
        DisputeStage::None
        | DisputeStage::Negotiating { .. }
        | DisputeStage::Settled
        | DisputeStage::Concluded { .. } => None,
    }
}

/// What happens to a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A party refers a failed negotiation, with its own copy of the docket, what that copy was verified to say, and the place that
    /// [`hearing_place`] found.
    Refer {
        /// The docket in dispute.
        about: DocketId,
        /// The complainant's verified copy of it.
        copy: Box<DocketCopy>,
        /// What that copy was verified to say.
        disputed: Box<ApplicationState>,
        /// The place that hears it.
        common_superior: Path,
    },
    /// A person's act.
    Act(VerifiedAct),
}

/// The events that a command brings about before this bench. No event means that the command changes nothing (the case is here already).
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn decide(state: Option<&DisputeState>, command: &Command, bench: &Bench) -> Result<Vec<DisputeEvent>, Refusal> {
    match (state, command) {
        (None, Command::Refer { about, copy, disputed, common_superior }) => {
            refer(*about, copy, disputed, common_superior, bench).map(|event| vec![event])
        }
        (Some(state), Command::Refer { about, .. }) if state.about == *about => Ok(Vec::new()),
        (Some(state), Command::Refer { .. }) => {
            Err(RefusalReason::Duplicate { what: state.docket.to_string() }.under(Article::R28))
        }
        (None, Command::Act(_)) => Err(wrong_state("referred", "none")),
        (Some(state), Command::Act(act)) => person_acts(state, act, bench),
    }
}

/// R28: only after negotiation failed, and only before the common superior.
fn refer(
    about: DocketId,
    copy: &DocketCopy,
    disputed: &ApplicationState,
    common_superior: &Path,
    bench: &Bench,
) -> Result<DisputeEvent, Refusal> {
    let Some((_, complainant, respondent)) = case(disputed).filter(|_| disputed.docket == about) else {
        return Err(RefusalReason::NotNegotiated.under(Article::R28));
    };
    let own: Vec<&Path> = [&complainant, &respondent]
        .into_iter()
        .filter(|party| party.department == bench.authority)
        .map(|_| &bench.node)
        .collect();
    statute::check_hearer(&&bench.node, &common_superior, &own)?;
    if !bench.may_hear(&complainant, &respondent) {
        let (hearer, common_superior) = (
            bench.node.to_string(),
            Path::common_path(&complainant.node, &respondent.node).to_string(),
        );
        return Err(RefusalReason::NotCommonSuperior { hearer, common_superior }.under(Article::R28));
    }
    Ok(DisputeEvent::Referred { complainant, respondent, about, copy: copy.clone() })
}

fn person_acts(state: &DisputeState, act: &VerifiedAct, bench: &Bench) -> Result<Vec<DisputeEvent>, Refusal> {
    let body = &act.act().body;
    if body.docket() != Some(state.docket) {
        return Err(RefusalReason::UnknownDocket { docket: state.docket.to_string() }.under(Article::R28));
    }
    match body {
        ActBody::Coordinate { opinion, .. } => {
            of_the_bench(act, bench)?;
            statute::check_may_coordinate(state.phase.stage())?;
            reasoned(&opinion.proposal, &opinion.grounds)?;
            Ok(vec![DisputeEvent::OpinionGiven { act: act.signed().clone(), opinion: opinion.clone() }])
        }
        ActBody::AnswerOpinion { accepted, grounds, .. } => answer(state, act, *accepted, grounds),
        ActBody::Decide { decision, .. } => {
            of_the_bench(act, bench)?;
            statute::check_may_decide(state.phase.stage())?;
            reasoned(&decision.holding, &decision.grounds)?;
            Ok(vec![DisputeEvent::Decided { act: act.signed().clone(), decision: decision.clone() }])
        }
        ActBody::EnrolPerson { .. }
        | ActBody::CompileEntries { .. }
        | ActBody::ApproveEntries { .. }
        | ActBody::SubmitEntries { .. }
        | ActBody::ReviewEntries { .. }
        | ActBody::WithdrawEntry { .. }
        | ActBody::Apply { .. }
        | ActBody::ConsentToApply { .. }
        | ActBody::TellMissing { .. }
        | ActBody::Supplement { .. }
        | ActBody::ProposeReply { .. }
        | ActBody::ConsentToReply { .. }
        | ActBody::Provide { .. }
        | ActBody::RecordUse { .. }
        | ActBody::RaiseDispute { .. }
        | ActBody::Negotiate { .. }
        | ActBody::Subscribe { .. }
        | ActBody::ReturnTable { .. }
        | ActBody::CertifyMember { .. }
        | ActBody::RevokeMember { .. } => Err(wrong_state("another docket", state.phase.name())),
    }
}

/// R28: each party answers once; both acceptances settle the case, one rejection ends coordination.
fn answer(
    state: &DisputeState,
    act: &VerifiedAct,
    accepted: bool,
    grounds: &str,
) -> Result<Vec<DisputeEvent>, Refusal> {
    let party =
        state.party_of(act.doer()).ok_or_else(|| RefusalReason::NotYourDepartment.under(Article::R28))?;
    let before = match &state.phase {
        DisputePhase::OpinionGiven { accepted, .. } => accepted,
        DisputePhase::Referred
        | DisputePhase::AwaitingDecision { .. }
        | DisputePhase::Settled { .. }
        | DisputePhase::Decided { .. } => return Err(wrong_state("opinion-given", state.phase.name())),
    };
    if before.contains(&party.department) {
        return Err(RefusalReason::Duplicate { what: party.department.to_string() }.under(Article::R28));
    }
    text_within_bounds([grounds], Article::R28)?;
    if !accepted && grounds.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R28));
    }
    let answered = DisputeEvent::Answered {
        act: act.signed().clone(),
        by: party.department,
        accepted,
        grounds: grounds.to_owned(),
    };
    let other = [&state.complainant, &state.respondent].into_iter().find(|it| it.department != party.department);
    let both = accepted && other.is_none_or(|it| before.contains(&it.department));
    Ok(if both { vec![answered, DisputeEvent::Settled] } else { vec![answered] })
}

/// The person acts for the authority or the government of the hearing node; which of the two, the role has settled.
fn of_the_bench(act: &VerifiedAct, bench: &Bench) -> Result<(), Refusal> {
    if act.doer().node == bench.node.code() {
        return Ok(());
    }
    let (hearer, common_superior) = (act.doer().node.to_string(), bench.node.code().to_string());
    Err(RefusalReason::NotCommonSuperior { hearer, common_superior }.under(Article::R28))
}

/// An opinion or decision says what and why.
fn reasoned(what: &str, why: &str) -> Result<(), Refusal> {
    if what.trim().is_empty() || why.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R28));
    }
    text_within_bounds([what, why], Article::R28)
}

fn wrong_state(expected: &str, found: &str) -> Refusal {
    RefusalReason::WrongState { expected: expected.to_owned(), found: found.to_owned() }.under(Article::R28)
}

/// Whether an event says what the person's act in it says: what a hearing node may not alter.
pub fn rests_on_its_act(event: &DisputeEvent) -> bool {
    let said = |act: &SignedAct| act.act.claimed(MAX_ACT_BYTES).ok().map(|act| act.body);
    match event {
        DisputeEvent::OpinionGiven { act, opinion } => {
            matches!(said(act), Some(ActBody::Coordinate { opinion: it, .. }) if it == *opinion)
        }
        DisputeEvent::Answered { act, by, accepted, grounds } => {
            let answer = matches!(
                said(act),
                Some(ActBody::AnswerOpinion { accepted: it, grounds: why, .. }) if it == *accepted && why == *grounds
            );
            answer && act.signer.holder().is_some_and(|holder| holder.department == *by)
        }
        DisputeEvent::Decided { act, decision } => {
            matches!(said(act), Some(ActBody::Decide { decision: it, .. }) if it == *decision)
        }
        DisputeEvent::Referred { .. } | DisputeEvent::Settled => true,
    }
}

/// The state of the docket `docket` after `event`.
///
/// # Errors
/// [`Misstep`] when the event cannot follow.
pub fn evolve(state: Option<DisputeState>, docket: DocketId, event: &DisputeEvent) -> Result<DisputeState, Misstep> {
    let Some(state) = state else {
        return match event {
            DisputeEvent::Referred { complainant, respondent, about, copy: _ } => Ok(DisputeState {
                docket,
                complainant: complainant.clone(),
                respondent: respondent.clone(),
                about: *about,
                phase: DisputePhase::Referred,
            }),
            DisputeEvent::OpinionGiven { .. }
            | DisputeEvent::Answered { .. }
            | DisputeEvent::Settled
            | DisputeEvent::Decided { .. } => Err(Misstep::NotAnOpening { event: event.name() }),
        };
    };
    let phase = next_phase(&state, event)
        .ok_or_else(|| Misstep::OutOfOrder { event: event.name(), phase: state.phase.name() })?;
    Ok(DisputeState { phase, ..state })
}

/// Where `event` leads, if it may follow.
fn next_phase(state: &DisputeState, event: &DisputeEvent) -> Option<DisputePhase> {
    match (&state.phase, event) {
        (DisputePhase::Referred, DisputeEvent::OpinionGiven { opinion, .. }) => {
            Some(DisputePhase::OpinionGiven { opinion: opinion.clone(), accepted: Vec::new() })
        }
        (DisputePhase::OpinionGiven { opinion, accepted }, DisputeEvent::Answered { by, accepted: yes, .. }) => {
            if accepted.contains(by) {
                return None;
            }
            if !yes {
                return Some(DisputePhase::AwaitingDecision { opinion: opinion.clone() });
            }
            let mut accepted = accepted.clone();
            accepted.push(*by);
            Some(DisputePhase::OpinionGiven { opinion: opinion.clone(), accepted })
        }
        (DisputePhase::OpinionGiven { opinion, accepted }, DisputeEvent::Settled) => {
            let both = [&state.complainant, &state.respondent].iter().all(|party| accepted.contains(&party.department));
            both.then(|| DisputePhase::Settled { opinion: opinion.clone() })
        }
        (DisputePhase::AwaitingDecision { .. }, DisputeEvent::Decided { decision, .. }) => {
            Some(DisputePhase::Decided { decision: decision.clone() })
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
