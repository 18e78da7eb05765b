//! What a report opens, and what follows in an update from the steps of the catalogue.

use identity::Moment;
use statute::{Article, Duty, Refusal, RefusalReason, Role};

use super::{ReportedChange, UpdateAct, UpdateEvent, UpdatePhase, UpdateState};
use crate::act::{ActId, VerifiedAct};
use crate::catalogue::{EntryVersion, ReviewVerdict};
use crate::clock::Law;
use crate::dispute::Party;
use crate::docket::{Opening, Workflow};

/// R17: a change that has happened to a published entry of this node opens an update.
///
/// # Errors
/// `NotYourDepartment`, `ChangeToCome`, `EntryNotPublished`, `ReasonsRequired`, all under R17.
pub fn report(
    act: &VerifiedAct,
    said: &UpdateAct,
    opening: &Opening<'_>,
) -> Result<Vec<UpdateEvent>, Refusal> {
    let UpdateAct::Report {
        entry,
        provider,
        changed_on,
        cause,
        text,
    } = said;
    let doer = act.doer();
    let own = doer.role != Role::Operator || doer.department == *provider;
    if doer.node != opening.here.code() || !own {
        return Err(RefusalReason::NotYourDepartment.under(Article::R17));
    }
    if !opening
        .entry
        .is_some_and(|held| held.id == *entry && held.provider == *provider)
    {
        return Err(RefusalReason::EntryNotPublished.under(Article::R17));
    }
    statute::check_has_happened(changed_on.as_millis(), opening.now.as_millis())?;
    if text.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R17));
    }
    let change = ReportedChange {
        changed_on: *changed_on,
        cause: *cause,
        text: text.clone(),
        term: opening.law.term(Duty::UpdateEntry, *changed_on),
    };
    Ok(vec![UpdateEvent::Reported {
        act: act.signed().clone(),
        entry: entry.clone(),
        provider: Party {
            department: *provider,
            node: opening.here.clone(),
        },
        change,
    }])
}

/// R17: a version that the department submits meets what is due; the authority's two working days begin.
pub fn submitted(
    state: &UpdateState,
    act: ActId,
    version: &EntryVersion,
    law: Law<'_>,
    now: Moment,
) -> Option<UpdateEvent> {
    let awaited = state.awaits_a_version() && state.entry == version.id;
    awaited.then(|| new_version(act, state.provider.clone(), version, law, now))
}

/// R17: a new version with which the authority's two working days begin.
pub fn new_version(
    act: ActId,
    provider: Party,
    version: &EntryVersion,
    law: Law<'_>,
    now: Moment,
) -> UpdateEvent {
    UpdateEvent::Submitted {
        act,
        provider,
        version: version.clone(),
        term: law.term(Duty::ReviewUpdate, now),
    }
}

/// R17: the authority's verdict on the version that it was to review.
pub fn returned_or_published(
    state: &UpdateState,
    act: ActId,
    version: &EntryVersion,
    verdict: &ReviewVerdict,
) -> Option<UpdateEvent> {
    let version = version.clone();
    state.reviews(&version).then_some(match verdict {
        ReviewVerdict::Publish => UpdateEvent::Published { act, version },
        ReviewVerdict::Return { reason } => UpdateEvent::Returned {
            act,
            version,
            reason: reason.clone(),
        },
    })
}

/// R17: with the entry, what was due of it is gone.
pub fn withdrawn(state: &UpdateState, act: ActId, reason: &str) -> Option<UpdateEvent> {
    let reason = reason.to_owned();
    state
        .is_open()
        .then_some(UpdateEvent::Withdrawn { act, reason })
}

/// The steps of an update are steps of the catalogue: none is taken in its docket.
pub(super) fn no_step(act: &VerifiedAct, phase: &UpdatePhase) -> Refusal {
    let kind = act.act().body.kind();
    RefusalReason::WrongState {
        expected: "another docket".into(),
        found: phase.name().into(),
    }
    .under(statute::required_role(kind).1)
}
