//! How departments shared (R38): the figures of a period, and the reports known here.

use axum::Json;
use axum::extract::State;
use federation::core::query::{self, EvaluationView};
use serde::Deserialize;
use sharing::evaluation::EvaluationState;
use statute::EvaluationPeriod;

use super::Api;
use super::extract::{List, Params};
use super::problem::Problem;

/// Which period.
#[derive(Debug, Deserialize)]
pub(super) struct PeriodQuery {
    period: EvaluationPeriod,
}

pub(super) async fn evaluation(
    State(api): State<Api>,
    Params(asked): Params<PeriodQuery>,
) -> Result<Json<EvaluationView>, Problem> {
    let now = api.backend().now();
    let found = api
        .read(move |read| query::evaluation(read, asked.period, now))
        .await?;
    let not_enrolled = || Problem::not_found("节点尚未入网", "the node is not enrolled");
    Ok(Json(found.ok_or_else(not_enrolled)?))
}

/// One period, or every one.
#[derive(Debug, Deserialize)]
pub(super) struct ReportsQuery {
    period: Option<EvaluationPeriod>,
}

pub(super) async fn reports(
    State(api): State<Api>,
    Params(asked): Params<ReportsQuery>,
) -> Result<List<EvaluationState>, Problem> {
    let found = api
        .read(move |read| query::evaluations(read, asked.period))
        .await?;
    Ok(List::whole(found))
}
