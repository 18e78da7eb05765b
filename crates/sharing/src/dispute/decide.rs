//! Who hears a dispute, and what follows from a command before that bench.

use identity::{CreditCode, Path};
use statute::{Article, Refusal, RefusalReason};

use super::{DisputeEvent, DisputePhase, DisputeState, Party};
use crate::act::{ActBody, VerifiedAct, text_within_bounds};
use crate::application::{ApplicationState, DisputeStage};
use crate::docket::{DocketCopy, DocketId};

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
        let above =
            |party: &Party| self.node == party.node || self.node.is_ancestor_of(&party.node);
        let is_party = [complainant, respondent]
            .iter()
            .any(|party| party.department == self.authority);
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
        authority_of(place)
            .is_some_and(|it| it == complainant.department || it == respondent.department)
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
            let (complainant, respondent) = if requester.department == *by {
                (requester, provider)
            } else {
                (provider, requester)
            };
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
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, on its way through decide"
)]
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
pub fn decide(
    state: Option<&DisputeState>,
    command: &Command,
    bench: &Bench,
) -> Result<Vec<DisputeEvent>, Refusal> {
    match (state, command) {
        (
            None,
            Command::Refer {
                about,
                copy,
                disputed,
                common_superior,
            },
        ) => refer(*about, copy, disputed, common_superior, bench).map(|event| vec![event]),
        (Some(state), Command::Refer { about, .. }) if state.about == *about => Ok(Vec::new()),
        (Some(state), Command::Refer { .. }) => Err(RefusalReason::Duplicate {
            what: state.docket.to_string(),
        }
        .under(Article::R28)),
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
    let Some((_, complainant, respondent)) = case(disputed).filter(|_| disputed.docket == about)
    else {
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
        return Err(RefusalReason::NotCommonSuperior {
            hearer,
            common_superior,
        }
        .under(Article::R28));
    }
    Ok(DisputeEvent::Referred {
        complainant,
        respondent,
        about,
        copy: copy.clone(),
    })
}

fn person_acts(
    state: &DisputeState,
    act: &VerifiedAct,
    bench: &Bench,
) -> Result<Vec<DisputeEvent>, Refusal> {
    let body = &act.act().body;
    if body.docket() != Some(state.docket) {
        return Err(RefusalReason::UnknownDocket {
            docket: state.docket.to_string(),
        }
        .under(Article::R28));
    }
    match body {
        ActBody::Coordinate { opinion, .. } => {
            of_the_bench(act, bench)?;
            statute::check_may_coordinate(state.phase.stage())?;
            reasoned(&opinion.proposal, &opinion.grounds)?;
            Ok(vec![DisputeEvent::OpinionGiven {
                act: act.signed().clone(),
                opinion: opinion.clone(),
            }])
        }
        ActBody::AnswerOpinion {
            accepted, grounds, ..
        } => answer(state, act, *accepted, grounds),
        ActBody::Decide { decision, .. } => {
            of_the_bench(act, bench)?;
            statute::check_may_decide(state.phase.stage())?;
            reasoned(&decision.holding, &decision.grounds)?;
            Ok(vec![DisputeEvent::Decided {
                act: act.signed().clone(),
                decision: decision.clone(),
            }])
        }
        _ => Err(wrong_state("another docket", state.phase.name())),
    }
}

/// R28: each party answers once; both acceptances settle the case, one rejection ends coordination.
fn answer(
    state: &DisputeState,
    act: &VerifiedAct,
    accepted: bool,
    grounds: &str,
) -> Result<Vec<DisputeEvent>, Refusal> {
    let party = state
        .party_of(act.doer())
        .ok_or_else(|| RefusalReason::NotYourDepartment.under(Article::R28))?;
    let before = match &state.phase {
        DisputePhase::OpinionGiven { accepted, .. } => accepted,
        DisputePhase::Referred
        | DisputePhase::AwaitingDecision { .. }
        | DisputePhase::Settled { .. }
        | DisputePhase::Decided { .. } => {
            return Err(wrong_state("opinion-given", state.phase.name()));
        }
    };
    if before.contains(&party.department) {
        return Err(RefusalReason::Duplicate {
            what: party.department.to_string(),
        }
        .under(Article::R28));
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
    let other = [&state.complainant, &state.respondent]
        .into_iter()
        .find(|it| it.department != party.department);
    let both = accepted && other.is_none_or(|it| before.contains(&it.department));
    Ok(if both {
        vec![answered, DisputeEvent::Settled]
    } else {
        vec![answered]
    })
}

/// The person acts for the authority or the government of the hearing node; which of the two, the role has settled.
fn of_the_bench(act: &VerifiedAct, bench: &Bench) -> Result<(), Refusal> {
    if act.doer().node == bench.node.code() {
        return Ok(());
    }
    let (hearer, common_superior) = (act.doer().node.to_string(), bench.node.code().to_string());
    Err(RefusalReason::NotCommonSuperior {
        hearer,
        common_superior,
    }
    .under(Article::R28))
}

/// An opinion or decision says what and why.
fn reasoned(what: &str, why: &str) -> Result<(), Refusal> {
    if what.trim().is_empty() || why.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R28));
    }
    text_within_bounds([what, why], Article::R28)
}

fn wrong_state(expected: &str, found: &str) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: found.to_owned(),
    }
    .under(Article::R28)
}
