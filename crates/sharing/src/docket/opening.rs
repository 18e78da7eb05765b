//! Dockets that one act opens by itself: under what, and what comes of it.

use identity::{Moment, Path};
use statute::{Refusal, RefusalReason};

use super::{DocketBody, DocketState};
use crate::act::{ActBody, VerifiedAct};
use crate::application::{self, DirectAct};
use crate::catalogue::{Entry, PublishedEntry};
use crate::clock::Law;
use crate::correction::{self, CorrectionAct};
use crate::evaluation::{self, Computed, EvaluationAct};
use crate::incident::{self, IncidentAct};
use crate::need::{self, NeedAct};
use crate::reading::{self, ReadingAct};
use crate::supervision::{self, SupervisionAct};
use crate::update;

/// Under what a docket is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The place of the node whose person opens it.
    pub from: &'a Path,
    /// The home.
    pub here: &'a Path,
    /// The law in force at the home.
    pub law: Law<'a>,
    /// The home's clock.
    pub now: Moment,
    /// The docket that the act is about, where it names one that is held at the home.
    pub about: Option<&'a DocketState>,
    /// The home's own entry that the act is about, where a version of it stands published.
    pub entry: Option<&'a Entry>,
    /// What the home has published under the id that the act names, where it takes an entry straight from the platform.
    pub published: Option<&'a PublishedEntry>,
    /// What the home's ledger gives for the period that the act reports on.
    pub evaluation: Option<&'a Computed>,
}

/// What an act that opens a docket by itself brings about at its home.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn open(act: &VerifiedAct, opening: &Opening<'_>) -> Result<Vec<DocketBody>, Refusal> {
    let body = &act.act().body;
    let opened = match body {
        ActBody::Update(said) => {
            let events = update::report(act, said, opening)?;
            return Ok(events.into_iter().map(DocketBody::Update).collect());
        }
        ActBody::Correction(CorrectionAct::Ask(request)) => {
            DocketBody::Correction(correction::open(request, act, opening)?)
        }
        ActBody::Supervision(SupervisionAct::Order(order)) => {
            DocketBody::Supervision(supervision::open(act, order, opening)?)
        }
        ActBody::Direct(DirectAct::Take { application }) => {
            DocketBody::Application(application::direct::take(act, application, opening)?)
        }
        ActBody::Need(NeedAct::Report(need)) => DocketBody::Need(need::open(need, act, opening)?),
        ActBody::Incident(IncidentAct::Report(report)) => {
            DocketBody::Incident(incident::open(act, report, opening)?)
        }
        ActBody::Reading(ReadingAct::Order(order)) => {
            DocketBody::Inspection(reading::open(act, order, opening)?)
        }
        ActBody::Evaluation(EvaluationAct::Report(report)) => {
            DocketBody::Evaluation(evaluation::open(act, report, opening)?)
        }
        _ => {
            let kind = body.kind();
            return Err(RefusalReason::WrongState {
                expected: "an act that opens a docket".into(),
                found: kind.id().into(),
            }
            .under(statute::required_role(kind).1));
        }
    };
    Ok(vec![opened])
}

/// What can be said of an act that opens a docket before it leaves the node at `from`, whose person signed it; the home judges it in full.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn may_leave(act: &VerifiedAct, from: &Path) -> Result<(), Refusal> {
    match &act.act().body {
        ActBody::Reading(ReadingAct::Order(order)) => {
            reading::check_ordered_from_above(order, from)
        }
        _ => Ok(()),
    }
}
