//! What departments here could join from all their grants (R25).

use identity::{CreditCode, Moment};
use serde::{Deserialize, Serialize};
use sharing::act::{ActBody, MAX_ACT_BYTES, SignedAct};
use sharing::aggregation::{self, Exposure};
use sharing::docket::DocketId;
use statute::AggregationRules;

use super::MAX_PAGE;
use crate::core::aggregation::holdings;
use crate::core::project::DraftRow;
use crate::core::tables::decode_row;
use crate::store::{Fault, Read, Table};

/// A risk, of a draft or of what is held already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskView {
    /// The draft that it is of; none for what is held.
    pub draft: Option<DocketId>,
    /// What could be joined.
    pub exposure: Exposure,
    /// The authority's last answer to the draft, whether or not the exposure is still the same.
    pub answer: Option<SignedAct>,
}

/// The risks of the drafts that await consent, and of what a department holds where one is named.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn risks(
    read: &dyn Read,
    department: Option<CreditCode>,
    rules: &AggregationRules,
    now: Moment,
) -> Result<Vec<RiskView>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::Drafts, b"", None, MAX_PAGE)? {
        let draft: DraftRow = decode_row(Table::Drafts, &row)?;
        let docket = DocketId(draft.act.id().0);
        let Ok(act) = draft.act.act.claimed(MAX_ACT_BYTES) else {
            continue;
        };
        let ActBody::Apply { application } = act.body else {
            continue;
        };
        let requester = application.requester;
        if department.is_some_and(|it| it != requester) {
            continue;
        }
        let held = holdings(read, &requester, now)?;
        let wanted = aggregation::wanted(docket, &application);
        found.push(RiskView {
            draft: Some(docket),
            exposure: aggregation::exposure(requester, &wanted, &held, rules),
            answer: draft.answer,
        });
    }
    if let Some(department) = department {
        let held = holdings(read, &department, now)?;
        let joined = aggregation::exposures(department, &held, rules);
        found.extend(joined.into_iter().map(|exposure| RiskView {
            draft: None,
            exposure,
            answer: None,
        }));
    }
    Ok(found)
}
