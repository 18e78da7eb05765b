//! What departments here could join from all their grants (R25).

use axum::extract::State;
use federation::core::query::{self, RiskView};
use identity::CreditCode;
use serde::Deserialize;

use super::Api;
use super::extract::{List, Params};
use super::problem::{Kind, Problem};

/// Of which department.
#[derive(Debug, Deserialize)]
pub(super) struct RisksQuery {
    department: Option<CreditCode>,
}

pub(super) async fn risks(
    State(api): State<Api>,
    Params(asked): Params<RisksQuery>,
) -> Result<List<RiskView>, Problem> {
    let now = api.backend().now();
    let Some(rules) = api.backend().status().risks else {
        return Err(Problem::new(
            Kind::NotReady,
            "节点尚未就绪",
            "the node is not ready",
        ));
    };
    let found = api
        .read(move |read| query::risks(read, asked.department, &rules, now))
        .await?;
    Ok(List::whole(found))
}
