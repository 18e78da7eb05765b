//! Source departments (R19), and whether what a department wants to collect is shared already (R40(1)).

use axum::Json;
use axum::extract::State;
use federation::core::query::{self, Already, SourceView};
use serde::Deserialize;
use sharing::catalogue::{MAX_ITEMS, MAX_NAME_CHARS};
use sharing::source::Matter;

use super::Api;
use super::extract::{List, Page, Params};
use super::problem::Problem;

/// What is asked of the sources.
#[derive(Debug, Deserialize)]
pub(super) struct SourcesQuery {
    matter: Option<Matter>,
}

pub(super) async fn sources(
    State(api): State<Api>,
    Params(asked): Params<SourcesQuery>,
) -> Result<List<SourceView>, Problem> {
    let found = api
        .read(move |read| query::sources(read, asked.matter.as_ref()))
        .await?;
    Ok(List::whole(found))
}

/// What a department wants to collect: names of items with commas between, and the matter.
#[derive(Debug, Deserialize)]
pub(super) struct AlreadyQuery {
    items: String,
    matter: Option<Matter>,
    limit: Option<usize>,
}

pub(super) async fn already(
    State(api): State<Api>,
    Params(asked): Params<AlreadyQuery>,
) -> Result<Json<Already>, Problem> {
    let wanted: Vec<String> = asked
        .items
        .split([',', '，', '、'])
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let long = wanted
        .iter()
        .any(|name| name.chars().count() > MAX_NAME_CHARS);
    if wanted.is_empty() || wanted.len() > MAX_ITEMS || long {
        return Err(Problem::malformed(
            format!("参数 items 应有 1 至 {MAX_ITEMS} 个数据项名称，以逗号分隔"),
            format!("items must be 1 to {MAX_ITEMS} names of items with commas between"),
        ));
    }
    let limit = Page {
        after: None,
        limit: asked.limit,
    }
    .limit();
    let found = api
        .read(move |read| query::already(read, &wanted, asked.matter.as_ref(), limit))
        .await?;
    Ok(Json(found))
}
