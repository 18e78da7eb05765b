//! How the departments here shared in a period (R38), and what was reported and published of it.

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use sharing::docket::Case;
use sharing::evaluation::{Computed, EvaluationPhase, EvaluationState};
use statute::EvaluationPeriod;

use super::{MAX_COUNTED, MAX_PAGE, own_chain};
use crate::core::evaluations::computed;
use crate::core::tables::{DocketRow, decode_row};
use crate::store::{Fault, Read, Table};

/// Rows looked through at a time.
const ROWS_AT_ONCE: usize = 256;

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

/// The reports known here, one's own and those of the levels below, the newest first; at most [`MAX_PAGE`].
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evaluations(read: &dyn Read) -> Result<Vec<EvaluationState>, Fault> {
    reports(read, |_| true)
}

/// The reports of this place on a period that its government published, the newest first.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_evaluations(
    read: &dyn Read,
    period: EvaluationPeriod,
) -> Result<Vec<EvaluationState>, Fault> {
    let Some(here) = place(read)? else {
        return Ok(Vec::new());
    };
    reports(read, |state| {
        let published = match state.phase {
            EvaluationPhase::Published { .. } => true,
            EvaluationPhase::Reported => false,
        };
        published && state.report.period == period && state.report.place == here
    })
}

fn place(read: &dyn Read) -> Result<Option<Path>, Fault> {
    let certificate = own_chain(read)?.and_then(|chain| chain.claimed().ok());
    Ok(certificate.map(|certificate| certificate.place))
}

fn reports(
    read: &dyn Read,
    wanted: impl Fn(&EvaluationState) -> bool,
) -> Result<Vec<EvaluationState>, Fault> {
    let mut found: Vec<EvaluationState> = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    let mut looked = 0;
    while looked < MAX_COUNTED {
        let rows = read.scan(Table::Dockets, b"", after.as_deref(), ROWS_AT_ONCE)?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        looked += rows.len();
        for (_, row) in &rows {
            let row: DocketRow = decode_row(Table::Dockets, row)?;
            if let Case::Evaluation(state) = row.state.case
                && wanted(&state)
            {
                found.push(*state);
            }
        }
    }
    found.sort_by_key(|state| std::cmp::Reverse((state.reported_at, state.docket)));
    found.truncate(MAX_PAGE);
    Ok(found)
}
