//! Who hears a dispute, and what follows from a command before that bench.

use identity::planted::{self, Bug};
use identity::{CreditCode, Path};
use statute::rule::{self, Rule};
use statute::{Article, Refusal, RefusalReason};

use super::{DisputeEvent, DisputePhase, DisputeState, Hearer, Party};
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
    /// The article of the profile in force there that is cited beside R28 (Shenyang S21). It never changes who hears the case.
    pub local: Option<Article>,
}

impl Bench {
    /// Whether this place stands at or above both parties (R28).
    fn is_above(&self, complainant: &Party, respondent: &Party) -> bool {
        [complainant, respondent]
            .iter()
            .all(|party| self.node == party.node || self.node.is_ancestor_of(&party.node))
    }

    /// Whether this authority is one of the parties: then it never hears the case (R28).
    pub fn is_party(&self, complainant: &Party, respondent: &Party) -> bool {
        let own = |party: &&Party| party.department == self.authority;
        let heard = rule::is_off(Rule::Hearing) || planted::is(Bug::OwnCaseHeard);
        [complainant, respondent].iter().any(own) && !heard
    }
}

/// Where a dispute is heard, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hearing {
    /// The place.
    pub place: Path,
    /// Who hears it there.
    pub hearer: Hearer,
}

/// Who hears a dispute: the authority of the common superior of both parties, or of the next above which is not itself a party; the State
/// Council when even the hub's is (R28). A ministry and its offices are departments and no authorities: what they fall out over among
/// themselves comes before the division above, which is the hub. `is_party` says of which places the authority is known to be a party.
pub fn hearing_place(
    complainant: &Party,
    respondent: &Party,
    is_party: impl Fn(&Path) -> bool,
) -> Hearing {
    let mut place = Path::common_path(&complainant.node, &respondent.node);
    while !place.code().is_division() || is_party(&place) {
        place = match place.parent() {
            Some(above) => above,
            None => {
                let hearer = Hearer::StateCouncil;
                return Hearing { place, hearer };
            }
        };
    }
    let hearer = Hearer::Authority;
    Hearing { place, hearer }
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
        /// The place that hears it, and who.
        hearing: Hearing,
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
                hearing,
            },
        ) => refer(*about, copy, disputed, hearing, bench).map(|event| vec![event]),
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
    hearing: &Hearing,
    bench: &Bench,
) -> Result<DisputeEvent, Refusal> {
    let Some((_, complainant, respondent)) = case(disputed).filter(|_| disputed.docket == about)
    else {
        return Err(RefusalReason::NotNegotiated.under(Article::R28));
    };
    let own = match hearing.hearer {
        Hearer::Authority if bench.is_party(&complainant, &respondent) => vec![&bench.node],
        Hearer::Authority | Hearer::StateCouncil => Vec::new(),
    };
    statute::check_hearer(&&bench.node, &&hearing.place, &own)?;
    if !bench.is_above(&complainant, &respondent) {
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
        hearer: hearing.hearer,
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
                local: bench.local,
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
        ActBody::Comply { statement, .. } => comply(state, act, statement),
        _ => Err(wrong_state("another docket", state.phase.name())),
    }
}

/// R28: a decision is carried out, and each party says once how.
fn comply(
    state: &DisputeState,
    act: &VerifiedAct,
    statement: &str,
) -> Result<Vec<DisputeEvent>, Refusal> {
    let party = state
        .party_of(act.doer())
        .ok_or_else(|| RefusalReason::NotYourDepartment.under(Article::R28))?;
    let DisputePhase::Decided { complied, .. } = &state.phase else {
        return Err(wrong_state("decided", state.phase.name()));
    };
    if complied.contains(&party.department) {
        let what = party.department.to_string();
        return Err(RefusalReason::Duplicate { what }.under(Article::R28));
    }
    if statement.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R28));
    }
    text_within_bounds([statement], Article::R28)?;
    Ok(vec![DisputeEvent::Complied {
        act: act.signed().clone(),
        by: party.department,
        statement: statement.to_owned(),
    }])
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
