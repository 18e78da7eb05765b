//! Source departments (R19), and whether what a department wants to collect is shared already (R40(1)).

use axum::Json;
use axum::extract::State;
use federation::core::query::{self, Already, SourceView};
use federation::wire::SearchHit;
use serde::{Deserialize, Serialize};
use sharing::catalogue::{MAX_ITEMS, MAX_NAME_CHARS};
use sharing::need::{LevelAsked, Said};
use sharing::source::{Matter, names_of};

use super::Api;
use super::catalogue::{merge, wait};
use super::extract::{List, Page, Params};
use super::problem::Problem;
use crate::runtime::LevelState;

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
    wait_ms: Option<u64>,
}

/// What is shared already, here and above.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlreadyAnswer {
    /// What this node's own catalogue holds.
    #[serde(flatten)]
    pub here: Already,
    /// Entries of the levels above that hold some of it, without those that this node's catalogue has, best first.
    pub above: Vec<SearchHit>,
    /// Every level above that was asked, the nearest first: whether it answered, and what it holds whole. A need that is reported states it.
    pub asked: Vec<LevelAsked>,
}

pub(super) async fn already(
    State(api): State<Api>,
    Params(asked): Params<AlreadyQuery>,
) -> Result<Json<AlreadyAnswer>, Problem> {
    let wanted = names_of(&asked.items);
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
    let names = wanted.clone();
    let here = api
        .read(move |read| query::already(read, &names, asked.matter.as_ref(), limit))
        .await?;
    let levels = api.backend().ask_above(wanted, wait(asked.wait_ms)).await?;
    Ok(Json(with_above(here, levels, limit)))
}

/// What this node holds, and what the levels above said.
fn with_above(
    here: Already,
    levels: Vec<(identity::Path, LevelState)>,
    limit: usize,
) -> AlreadyAnswer {
    let (mut hits, mut asked) = (Vec::new(), Vec::new());
    for (node, state) in levels {
        match state {
            LevelState::Answered(answer) => {
                asked.push(answer.of_a_need());
                hits.extend(answer.hits);
            }
            LevelState::Unreachable => asked.push(LevelAsked {
                node,
                said: Said::Silent,
            }),
        }
    }
    hits.retain(|hit| {
        let same = |it: &sharing::source::Coverage| {
            it.entry.publisher == hit.publisher && it.entry.entry.id == hit.id
        };
        !here.entries.iter().any(same)
    });
    let above = merge(hits, limit);
    AlreadyAnswer { here, above, asked }
}
