//! Who may report, match, answer, confirm and withdraw, and what each must say.

use identity::Path;
use statute::{Article, Duty, NeedField, Refusal, RefusalReason};

use super::{
    EntryAt, MAX_CONSIDERED, MAX_REACHED, Need, NeedAct, NeedEvent, NeedPhase, NeedState, NeedStep,
};
use crate::act::{ActBody, VerifiedAct, at_most};
use crate::catalogue::{Entry, MAX_ITEMS};
use crate::dispute::Party;
use crate::docket::{Opening, Step, Workflow};
use crate::source::lacking;

/// R20: a department puts its need on record at its own node.
///
/// # Errors
/// `TooLong`, `MissingField`, `NotLookedUp`, `SharedAlready`; R20.
pub fn open(need: &Need, act: &VerifiedAct, opening: &Opening<'_>) -> Result<NeedEvent, Refusal> {
    at_most(need.items.len(), MAX_ITEMS, Article::R20)?;
    at_most(need.considered.len(), MAX_CONSIDERED, Article::R20)?;
    let most = need.asked.iter().map(|it| it.said.whole().len()).max();
    at_most(most.unwrap_or(0), MAX_CONSIDERED, Article::R20)?;
    statute::check_need_stated(&blank(need))?;
    statute::check_levels_asked(unasked(need, opening.here).map(|it| it.to_string()))?;
    let found = need.found_above().map(|it| {
        let code = it.publisher.code();
        format!("{code} {}《{}》", it.entry, it.name)
    });
    statute::check_not_shared_already(found)?;
    Ok(NeedEvent::Reported {
        act: act.signed().clone(),
        need: need.clone(),
        department: Party {
            department: act.doer().department,
            node: opening.here.clone(),
        },
    })
}

/// The first level above a place that a need does not state in its turn, or one that it states and that is none.
fn unasked(need: &Need, here: &Path) -> Option<Path> {
    let mut stated = need.asked.iter().map(|it| &it.node);
    for level in std::iter::successors(here.parent(), Path::parent) {
        if stated.next() != Some(&level) {
            return Some(level);
        }
    }
    stated.next().cloned()
}

/// What a need leaves out.
fn blank(need: &Need) -> Vec<NeedField> {
    let empty = |text: &str| text.trim().is_empty();
    let fields = [
        (NeedField::Title, empty(&need.title)),
        (
            NeedField::Items,
            need.items.is_empty() || need.items.iter().any(|it| empty(it)),
        ),
        (NeedField::Purpose, empty(&need.purpose)),
        (NeedField::Basis, empty(&need.basis)),
        (NeedField::Searched, empty(&need.searched)),
        (
            NeedField::WhyNot,
            need.considered.iter().any(|it| empty(&it.why_not)),
        ),
    ];
    let blank = fields.into_iter().filter(|(_, blank)| *blank);
    blank.map(|(field, _)| field).collect()
}

/// What a step brings about at home.
pub(super) fn step(
    state: &NeedState,
    act: &VerifiedAct,
    under: &Step<'_>,
) -> Result<NeedEvent, Refusal> {
    let ActBody::Need(NeedAct::Take { docket, step }) = &act.act().body else {
        return Err(wrong_state("another docket", state));
    };
    if *docket != state.docket {
        return Err(RefusalReason::UnknownDocket {
            docket: docket.to_string(),
        }
        .under(Article::R20));
    }
    match step {
        NeedStep::PassOn { .. }
        | NeedStep::Match { .. }
        | NeedStep::PointTo { .. }
        | NeedStep::Decline { .. } => authority_answers(state, act, step, under)?,
        NeedStep::Promise { .. } | NeedStep::Cannot { .. } | NeedStep::Fulfil { .. } => {
            matched_answers(state, act, step, under)?;
        }
        NeedStep::ConfirmMet | NeedStep::NotMet { .. } | NeedStep::Withdraw => {
            its_department_says(state, act, step)?;
        }
    }
    Ok(NeedEvent::Taken {
        act: act.signed().clone(),
        step: step.clone(),
    })
}

/// The authority that has the need: of the department's own level, or above once it was passed on.
fn authority_answers(
    state: &NeedState,
    act: &VerifiedAct,
    step: &NeedStep,
    under: &Step<'_>,
) -> Result<(), Refusal> {
    if act.doer().node != state.authority.code() {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    match step {
        NeedStep::Match { department } => {
            if !may_be_matched(state, under) {
                return Err(wrong_state("open, matched, or promised and overdue", state));
            }
            matches(state, department)
        }
        NeedStep::PassOn { reasons } | NeedStep::Decline { reasons } => {
            must_be_open(state)?;
            statute::check_need_reasons(reasons)?;
            let passes_on = matches!(step, NeedStep::PassOn { .. });
            match state.authority.parent() {
                Some(above) if passes_on => has_room(state, &above),
                None if passes_on => Err(RefusalReason::WrongState {
                    expected: "an authority above".into(),
                    found: "the hub".into(),
                }
                .under(Article::R20)),
                Some(_) | None => Ok(()),
            }
        }
        NeedStep::PointTo { entry } => {
            must_be_open(state)?;
            let publisher = &entry.publisher;
            within_reach(&state.authority, publisher, &state.department.node)
        }
        NeedStep::Promise { .. }
        | NeedStep::Cannot { .. }
        | NeedStep::Fulfil { .. }
        | NeedStep::ConfirmMet
        | NeedStep::NotMet { .. }
        | NeedStep::Withdraw => Err(RefusalReason::NotYourDepartment.under(Article::R20)),
    }
}

/// Not yet matched; or the department matched is silent, or later than it said.
fn may_be_matched(state: &NeedState, under: &Step<'_>) -> bool {
    match &state.phase {
        NeedPhase::Open | NeedPhase::Matched { .. } => true,
        NeedPhase::Promised { term, .. } => under.clock.is_overdue(Duty::MeetNeed, term.arises),
        NeedPhase::Offered { .. }
        | NeedPhase::Met { .. }
        | NeedPhase::Declined { .. }
        | NeedPhase::Withdrawn => false,
    }
}

/// A department other than the one that needs, within the authority's reach.
fn matches(state: &NeedState, department: &Party) -> Result<(), Refusal> {
    if *department == state.department {
        return Err(RefusalReason::Duplicate {
            what: department.department.to_string(),
        }
        .under(Article::R20));
    }
    within_reach(&state.authority, &department.node, &state.department.node)?;
    has_room(state, &department.node)
}

fn within_reach(authority: &Path, place: &Path, needing: &Path) -> Result<(), Refusal> {
    let common = Path::common_superior(needing, place);
    statute::check_matches_within(authority, place, common, |authority, place| {
        authority == place || authority.is_ancestor_of(place)
    })
}

fn has_room(state: &NeedState, place: &Path) -> Result<(), Refusal> {
    let more = usize::from(!state.reached.contains(place));
    at_most(state.reached.len() + more, MAX_REACHED, Article::R20)
}

/// The department matched: whether it provides, by when, and with what.
fn matched_answers(
    state: &NeedState,
    act: &VerifiedAct,
    step: &NeedStep,
    under: &Step<'_>,
) -> Result<(), Refusal> {
    let Some(department) = state.matched() else {
        return Err(wrong_state("matched or promised", state));
    };
    if !department.includes(act.doer()) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    match step {
        NeedStep::Promise { by } => {
            // A date is named once: a second would only move the first.
            if let NeedPhase::Promised { .. } = &state.phase {
                return Err(wrong_state("need-matched", state));
            }
            let latest = under.law.term(Duty::MeetNeed, under.now).due.as_millis();
            let (by, now) = (by.as_millis(), under.now.as_millis());
            statute::check_date_set(Duty::MeetNeed, by, now, latest)
        }
        NeedStep::Cannot { reasons } => statute::check_need_reasons(reasons),
        NeedStep::Fulfil { entry, held } => {
            published_by(department, entry, held)?;
            statute::check_holds_items(lacking(held, &state.need.wanted()))
        }
        NeedStep::PassOn { .. }
        | NeedStep::Match { .. }
        | NeedStep::PointTo { .. }
        | NeedStep::Decline { .. }
        | NeedStep::ConfirmMet
        | NeedStep::NotMet { .. }
        | NeedStep::Withdraw => Err(RefusalReason::NotYourDepartment.under(Article::R20)),
    }
}

/// The entry stands at the department's own node, is that department's and says what is held before the home; that it stands there, its node has
/// looked up before the act left it.
fn published_by(department: &Party, entry: &EntryAt, held: &Entry) -> Result<(), Refusal> {
    if held.provider != department.department {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    let says_so = entry.publisher == department.node && held.version_ref() == entry.entry;
    statute::check_meets_published(says_so)
}

/// The department that needs: whether what was offered does, or that it needs it no more.
fn its_department_says(
    state: &NeedState,
    act: &VerifiedAct,
    step: &NeedStep,
) -> Result<(), Refusal> {
    if !state.department.includes(act.doer()) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R20));
    }
    if let NeedStep::Withdraw = step {
        return match state.is_open() {
            true => Ok(()),
            false => Err(wrong_state("an open need", state)),
        };
    }
    match &state.phase {
        NeedPhase::Offered { .. } => step.reasons().map_or(Ok(()), statute::check_need_reasons),
        NeedPhase::Open
        | NeedPhase::Matched { .. }
        | NeedPhase::Promised { .. }
        | NeedPhase::Met { .. }
        | NeedPhase::Declined { .. }
        | NeedPhase::Withdrawn => Err(wrong_state("entry-offered", state)),
    }
}

fn must_be_open(state: &NeedState) -> Result<(), Refusal> {
    match &state.phase {
        NeedPhase::Open => Ok(()),
        NeedPhase::Matched { .. }
        | NeedPhase::Promised { .. }
        | NeedPhase::Offered { .. }
        | NeedPhase::Met { .. }
        | NeedPhase::Declined { .. }
        | NeedPhase::Withdrawn => Err(wrong_state("need-open", state)),
    }
}

fn wrong_state(expected: &str, state: &NeedState) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: state.phase.name().to_owned(),
    }
    .under(Article::R20)
}
