//! What a complaint must say, who passes it on and who answers.

use identity::Path;
use statute::{Article, Duty, Refusal, RefusalReason, Role};

use super::{ComplaintAct, ComplaintEvent, ComplaintPhase, ComplaintState, MAX_PASSED_ON};
use crate::act::{ActBody, Doer, VerifiedAct, at_most};
use crate::clock::{Debtor, Law};
use crate::docket::Step;
use crate::public::Intake;

/// R37: what a complaint brings about at the node that receives it. A term runs where the profile of law sets one, and not otherwise.
///
/// # Errors
/// `TooLong`, `MissingField`; R37.
pub fn receive(intake: Intake, here: &Path, law: &Law<'_>) -> Result<ComplaintEvent, Refusal> {
    let statement = intake.request.statement();
    statement.check_bounds(Article::R37)?;
    statute::check_complaint_stated(statement.subject.is_some(), statement.text.is_some())?;
    let duty = Duty::AnswerComplaint;
    let term = law.profile.sets(duty).then(|| law.term(duty, intake.at));
    Ok(ComplaintEvent::Received {
        intake: Box::new(intake),
        place: here.clone(),
        term,
    })
}

/// What a person's act in a complaint's docket brings about.
pub(super) fn step(
    state: &ComplaintState,
    act: &VerifiedAct,
    step: &Step<'_>,
) -> Result<ComplaintEvent, Refusal> {
    let ActBody::Complaint(said) = &act.act().body else {
        return Err(wrong_state("another docket", state));
    };
    let doer = act.doer();
    let with = match &state.phase {
        ComplaintPhase::Waiting { with } => with,
        ComplaintPhase::Answered { .. } => return Err(wrong_state("complaint-waits", state)),
    };
    // Whoever received it answers for it, whoever has it.
    let at_home = Debtor::Authority(state.place.clone()).includes(doer);
    if !at_home && !with.includes(doer) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R37));
    }
    let act = act.signed().clone();
    match said {
        ComplaintAct::PassOn { to, note, .. } => {
            if to == with {
                let what = to.node().to_string();
                return Err(RefusalReason::Duplicate { what }.under(Article::R37));
            }
            let back = back_to_the_authority_itself(state, to, step);
            statute::check_deals_with_complaint(back, &to.node().to_string())?;
            let (found, limit) = (state.passed_on + 1, MAX_PASSED_ON);
            at_most(found as usize, limit as usize, Article::R37)?;
            Ok(ComplaintEvent::PassedOn {
                act,
                to: to.clone(),
                note: *note,
            })
        }
        ComplaintAct::Answer { answer, .. } => {
            let of_itself = of_the_authority_itself(state, doer, step);
            statute::check_deals_with_complaint(of_itself, &doer.node.to_string())?;
            statute::check_complaint_answer(answer)?;
            Ok(ComplaintEvent::Answered {
                act,
                answer: answer.clone(),
            })
        }
    }
}

/// Whether the one who answers is of the very authority that is complained of.
fn of_the_authority_itself(state: &ComplaintState, doer: &Doer, step: &Step<'_>) -> bool {
    let own = state.about() == Some(doer.department);
    let bench = step.bench.map(|bench| bench.authority);
    let authority = matches!(doer.role, Role::AuthorityReviewer | Role::AuthorityHead)
        || bench == Some(doer.department);
    own && authority
}

/// Whether it would go back to the very authority that received it and is complained of: that may not answer, and after the last passing on nobody
/// else could.
fn back_to_the_authority_itself(state: &ComplaintState, to: &Debtor, step: &Step<'_>) -> bool {
    let received_by = step.bench.map(|bench| bench.authority);
    let Some(itself) = received_by.filter(|it| state.about() == Some(*it)) else {
        return false;
    };
    match to {
        Debtor::Authority(node) => *node == state.place,
        Debtor::Department(party) => party.department == itself,
        Debtor::Government(_) => false,
    }
}

fn wrong_state(expected: &str, state: &ComplaintState) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: state.phase.name().to_owned(),
    }
    .under(Article::R37)
}
