//! Who reports an incident, contains, acknowledges and closes it, and when. R34, R35.

use std::collections::BTreeSet;

use statute::{
    Article, IncidentField, Refusal, RefusalReason, Role, check_answers_for_it,
    check_incident_stated, check_may_close, check_noticed,
};

use super::{
    IncidentAct, IncidentEvent, IncidentPhase, IncidentReport, IncidentState, IncidentStep,
    MAX_CONCERNED, MAX_INCIDENT_STEPS, MAX_SUSPENDED_AT_ONCE, Measure,
};
use crate::act::{ActBody, Doer, VerifiedAct, at_most};
use crate::docket::{DocketId, Opening};

/// R35: what a report brings about at the node where it happened. That the data concerned is known there, and of what grade, the home looks up.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn open(
    act: &VerifiedAct,
    report: &IncidentReport,
    opening: &Opening<'_>,
) -> Result<IncidentEvent, Refusal> {
    check_answers_for_it(opening.from == opening.here, true)?;
    at_most(report.dockets.len(), MAX_CONCERNED, Article::R35)?;
    at_most(report.entries.len(), MAX_CONCERNED, Article::R35)?;
    // By the clock of whoever reports, which the node has bounded.
    check_noticed(report.noticed.as_millis(), act.act().at.as_millis())?;
    check_incident_stated(&[(IncidentField::Happened, &report.happened)])?;
    Ok(IncidentEvent::Reported {
        act: act.signed().clone(),
        place: opening.here.clone(),
        report: report.clone(),
    })
}

/// What a person's act brings about in an incident's docket.
pub(super) fn step(state: &IncidentState, act: &VerifiedAct) -> Result<IncidentEvent, Refusal> {
    let ActBody::Incident(IncidentAct::Step { docket, step }) = &act.act().body else {
        return Err(wrong_state("another docket", state));
    };
    if *docket != state.docket {
        return Err(wrong_state("another docket", state));
    }
    let doer = act.doer();
    match step {
        IncidentStep::StartPlan { plan } => {
            answers_for_it(state, doer)?;
            stated(IncidentField::Plan, plan)?;
            not_started(state)?;
        }
        IncidentStep::Contain(measure) => {
            contains(state, doer, measure)?;
            still_open(state)?;
        }
        IncidentStep::Progress { text } => {
            answers_for_it(state, doer)?;
            stated(IncidentField::Progress, text)?;
            still_open(state)?;
        }
        IncidentStep::Acknowledge { instructions } => {
            stands_above(state, doer)?;
            stated(IncidentField::Instructions, instructions)?;
            still_open(state)?;
        }
        IncidentStep::Close {
            cause,
            remedy,
            report,
        } => {
            answers_for_it(state, doer)?;
            check_incident_stated(&[
                (IncidentField::Cause, cause),
                (IncidentField::Remedy, remedy),
                (IncidentField::Report, report),
            ])?;
            still_open(state)?;
            check_may_close(state.plan_started(), state.measures)?;
        }
    }
    at_most(
        state.steps as usize + 1,
        MAX_INCIDENT_STEPS as usize,
        Article::R35,
    )?;
    Ok(IncidentEvent::Stepped {
        act: act.signed().clone(),
        step: step.clone(),
    })
}

/// R34: at the node where it happened, its authority or the department that reported it.
fn answers_for_it(state: &IncidentState, doer: &Doer) -> Result<(), Refusal> {
    let authority = match doer.role {
        Role::AuthorityReviewer | Role::AuthorityHead => true,
        Role::Operator
        | Role::SharingOfficeHead
        | Role::DepartmentHead
        | Role::Government
        | Role::Auditor => false,
    };
    check_answers_for_it(
        doer.node == state.place.code(),
        authority || doer.department == state.department,
    )
}

/// Grants are suspended where the data is provided; all else is done where the incident happened.
fn contains(state: &IncidentState, doer: &Doer, measure: &Measure) -> Result<(), Refusal> {
    match measure {
        Measure::SuspendGrants {
            grants, reasons, ..
        } => {
            let provides = state.concerns_data_of(doer.node);
            check_answers_for_it(provides || doer.node == state.place.code(), true)?;
            at_most(grants.len(), MAX_SUSPENDED_AT_ONCE, Article::R35)?;
            if grants.is_empty() {
                return stated(IncidentField::Measure, "");
            }
            each_once(grants)?;
            stated(IncidentField::Measure, reasons)
        }
        Measure::CutOff { .. } | Measure::KeysRotated { .. } => answers_for_it(state, doer),
        Measure::Other { what } => {
            answers_for_it(state, doer)?;
            stated(IncidentField::Measure, what)
        }
    }
}

fn each_once(grants: &[DocketId]) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    match grants.iter().find(|it| !seen.insert(**it)) {
        None => Ok(()),
        Some(twice) => Err(RefusalReason::Duplicate {
            what: twice.to_string(),
        }
        .under(Article::R35)),
    }
}

/// R35: the authorities above that were told.
fn stands_above(state: &IncidentState, doer: &Doer) -> Result<(), Refusal> {
    if state.told().iter().any(|above| above.code() == doer.node) {
        return Ok(());
    }
    Err(RefusalReason::NotTheSupervisor {
        orderer: doer.node.to_string(),
        of: state.place.to_string(),
    }
    .under(Article::R35))
}

fn stated(field: IncidentField, text: &str) -> Result<(), Refusal> {
    check_incident_stated(&[(field, text)])
}

fn not_started(state: &IncidentState) -> Result<(), Refusal> {
    match &state.phase {
        IncidentPhase::Reported => Ok(()),
        IncidentPhase::Responding { .. } | IncidentPhase::Closed => {
            Err(wrong_state("incident-reported", state))
        }
    }
}

fn still_open(state: &IncidentState) -> Result<(), Refusal> {
    match &state.phase {
        IncidentPhase::Reported | IncidentPhase::Responding { .. } => Ok(()),
        IncidentPhase::Closed => Err(wrong_state("incident-reported or responding", state)),
    }
}

fn wrong_state(expected: &str, state: &IncidentState) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.to_owned(),
        found: state.phase.name().to_owned(),
    }
    .under(Article::R35)
}
