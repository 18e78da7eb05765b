//! Who may ask, and what an answer must say.

use statute::{Article, Duty, Refusal, RefusalReason};

use super::{
    CorrectionAct, CorrectionEvent, CorrectionOutcome, CorrectionPhase, CorrectionRequest,
    CorrectionState,
};
use crate::act::{ActBody, VerifiedAct, at_most};
use crate::application::{ApplicationState, GrantTerms, object_is_named};
use crate::catalogue::MAX_ITEMS;
use crate::docket::{Case, Opening};

/// A holder of the data asks; the term runs from receipt here.
///
/// # Errors
/// `NotYourDepartment`, `UnknownDocket`, `TooLong`, `MissingField`, `NotProvidedWithData`, `ScopeExceeded`; R26.
pub fn open(
    request: &CorrectionRequest,
    act: &VerifiedAct,
    opening: &Opening<'_>,
) -> Result<CorrectionEvent, Refusal> {
    let application = application(request, opening)?;
    let requester = &application.requester;
    if !requester.includes(act.doer()) || requester.node != *opening.from {
        return Err(RefusalReason::NotYourDepartment.under(Article::R26));
    }
    at_most(request.items.len(), MAX_ITEMS, Article::R26)?;
    let (wrong, evidence) = (!request.wrong.is_empty(), !request.evidence.is_empty());
    statute::check_correction_stated(&request.items, wrong, evidence)?;
    let held: Option<&GrantTerms> = application.held();
    let granted = held.map(|terms| terms.items.as_slice());
    statute::check_may_ask_correction(granted, &request.items)?;
    Ok(CorrectionEvent::Asked {
        act: act.signed().clone(),
        request: request.clone(),
        requester: requester.clone(),
        provider: application.provider.clone(),
        entry: application.entry.entry.id.clone(),
        entry_name: application.entry.entry.name.clone(),
        until: held.map_or(opening.now, |terms| terms.until),
        term: opening.law.term(Duty::Correct, opening.now),
    })
}

/// The application that the request is about, at home here.
fn application<'a>(
    request: &CorrectionRequest,
    opening: &Opening<'a>,
) -> Result<&'a ApplicationState, Refusal> {
    match opening.about.map(|about| &about.case) {
        Some(Case::Application(state)) => Ok(state),
        Some(_) | None => Err(RefusalReason::UnknownDocket {
            docket: request.about.to_string(),
        }
        .under(Article::R26)),
    }
}

/// The provider answers, once: what was corrected, or why nothing was.
pub(super) fn answer(
    state: &CorrectionState,
    act: &VerifiedAct,
) -> Result<CorrectionEvent, Refusal> {
    let ActBody::Correction(CorrectionAct::Answer { docket, outcome }) = &act.act().body else {
        return Err(wrong_state("another docket", state));
    };
    if *docket != state.docket {
        return Err(RefusalReason::UnknownDocket {
            docket: docket.to_string(),
        }
        .under(Article::R26));
    }
    if !state.provider.includes(act.doer()) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R26));
    }
    match &state.phase {
        CorrectionPhase::Asked { .. } => {}
        CorrectionPhase::Answered(_) => return Err(wrong_state("correction-asked", state)),
    }
    match outcome {
        CorrectionOutcome::Corrected { what, object } => {
            statute::check_correction_answer(true, !what.is_empty())?;
            object
                .iter()
                .try_for_each(|object| object_is_named(object, Article::R26))?;
        }
        CorrectionOutcome::Upheld { reasons } => {
            statute::check_correction_answer(false, !reasons.is_empty())?
        }
    }
    Ok(CorrectionEvent::Answered {
        act: act.signed().clone(),
        outcome: outcome.clone(),
    })
}

fn wrong_state(expected: &str, state: &CorrectionState) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: state.phase.name().to_owned(),
    }
    .under(Article::R26)
}
