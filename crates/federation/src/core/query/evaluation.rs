//! How the departments here shared in a period (R38), and what was reported and published of it.

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use sharing::docket::Case;
use sharing::evaluation::{Computed, EvaluationPhase, EvaluationState};
use statute::EvaluationPeriod;

use super::{MAX_PAGE, own_chain};
use crate::core::evaluations::computed;
use crate::core::tables::{DocketRow, View, docket_key, docket_of_key, evaluations_of};
use crate::store::{Fault, Read, Table};

/// The figures of a period as this node's ledger gives them now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvaluationView {
    /// The report, and whether it was made already.
    pub computed: Computed,
    /// Whether the period still runs, so that the figures may change.
    pub provisional: bool,
}

/// How the departments here shared in a period; none while this node has no place.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evaluation(
    read: &dyn Read,
    period: EvaluationPeriod,
    now: Moment,
) -> Result<Option<EvaluationView>, Fault> {
    let Some(here) = place(read)? else {
        return Ok(None);
    };
    Ok(Some(EvaluationView {
        computed: computed(read, &here, period)?,
        provisional: !period.is_over(now.as_millis()),
    }))
}

/// The reports known here, one's own and those of the levels below, on one period or on all, the newest first; at most [`MAX_PAGE`].
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evaluations(
    read: &dyn Read,
    period: Option<EvaluationPeriod>,
) -> Result<Vec<EvaluationState>, Fault> {
    let prefix = period.map_or_else(Vec::new, evaluations_of);
    let mut found = Vec::new();
    for (key, _) in read.scan(Table::Evaluations, &prefix, None, MAX_PAGE)? {
        let Some(docket) = docket_of_key(&key) else {
            continue;
        };
        let row: Option<DocketRow> = read.row(Table::Dockets, &docket_key(&docket))?;
        if let Some(Case::Evaluation(state)) = row.map(|row| row.state.case) {
            found.push(*state);
        }
    }
    found.sort_by_key(|state| std::cmp::Reverse((state.reported_at, state.docket)));
    Ok(found)
}

/// The reports of this place on a period that its government published, the newest first.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_evaluations(
    read: &dyn Read,
    period: EvaluationPeriod,
) -> Result<Vec<EvaluationState>, Fault> {
    let here = place(read)?;
    let mut found = evaluations(read, Some(period))?;
    found.retain(|state| {
        let published = match state.phase {
            EvaluationPhase::Published { .. } => true,
            EvaluationPhase::Reported => false,
        };
        published && Some(&state.report.place) == here.as_ref()
    });
    Ok(found)
}

fn place(read: &dyn Read) -> Result<Option<Path>, Fault> {
    let certificate = own_chain(read)?.and_then(|chain| chain.claimed().ok());
    Ok(certificate.map(|certificate| certificate.place))
}
