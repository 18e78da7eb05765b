//! The catalogue: own entries, published entries of every known publisher, and search through the levels.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use federation::core::query;
use federation::core::view::OwnEntry;
use federation::wire::SearchHit;
use identity::Moment;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sharing::catalogue::{FieldChange, PublishedEntry, difference};
use statute::{Collection, CollectionMark};

use super::Api;
use super::extract::{List, Page, Params, code, entry_id};
use super::problem::Problem;

/// Longest wait for the levels above, milliseconds.
pub const MAX_SEARCH_WAIT_MS: u64 = 10_000;
/// Wait for the levels above when the caller does not say, milliseconds.
pub const DEFAULT_SEARCH_WAIT_MS: u64 = 2_000;
/// Most hits asked for.
pub const MAX_SEARCH_HITS: u16 = 100;
/// Hits when the caller does not say.
pub const DEFAULT_SEARCH_HITS: u16 = 20;
/// Longest query, characters.
pub const MAX_QUERY_CHARS: usize = 200;

/// What a search found, here and above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// The query.
    pub q: String,
    /// Hits of all levels merged by publisher and id, best first.
    pub hits: Vec<SearchHit>,
    /// What each level said, this node first, then upward.
    pub levels: Vec<SearchLevel>,
}

/// What one level said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchLevel {
    /// Which node.
    pub node: String,
    /// Whether it is this node.
    pub local: bool,
    /// Whether it answered in time.
    pub status: LevelStatus,
    /// As of when its catalogue is, if it answered.
    pub as_of: Option<Moment>,
    /// Entries it knows, if it answered.
    pub catalogue: Option<u64>,
    /// Hits it gave.
    pub hits: usize,
}

/// Whether a level answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LevelStatus {
    /// It did.
    Answered,
    /// It did not within the wait.
    Unreachable,
}

/// Merges the hits of all levels by publisher and entry: the newest version stands, best first.
pub fn merge(levels: impl IntoIterator<Item = SearchHit>, limit: usize) -> Vec<SearchHit> {
    let mut merged: Vec<SearchHit> = Vec::new();
    for hit in levels {
        match merged
            .iter_mut()
            .find(|known| known.publisher == hit.publisher && known.id == hit.id)
        {
            Some(known) => {
                let score = known.score.max(hit.score);
                if hit.version > known.version {
                    *known = hit;
                }
                known.score = score;
            }
            None => merged.push(hit),
        }
    }
    merged.sort_by(|a, b| {
        b.score
            .cmp(&a.score)
            .then_with(|| (&a.publisher, &a.id).cmp(&(&b.publisher, &b.id)))
    });
    merged.truncate(limit);
    merged
}

pub(super) async fn own(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<OwnEntry>, Problem> {
    let limit = page.limit();
    let after = page.after.as_deref().map(entry_id).transpose()?;
    let items = api
        .read(move |read| query::own_entries(read, after.as_ref(), limit))
        .await?;
    Ok(List::page(items, limit, |own| {
        String::from(own.entry.id.clone())
    }))
}

pub(super) async fn own_entry(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<OwnEntry>, Problem> {
    let id = entry_id(&id)?;
    let wanted = id.clone();
    let found = api
        .read(move |read| query::own_entry(read, &wanted))
        .await?;
    found
        .map(Json)
        .ok_or_else(|| unknown_entry(&String::from(id)))
}

fn unknown_entry(id: &str) -> Problem {
    Problem::not_found(
        format!("没有目录条目 {id}"),
        format!("there is no catalogue entry {id}"),
    )
    .advise(
        "核对目录代码（斜杠写作 %2F）",
        "check the entry's id (a slash is written %2F)",
    )
}

/// Which published entries.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PublishedQuery {
    publisher: Option<String>,
    collection: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn published(
    State(api): State<Api>,
    Params(asked): Params<PublishedQuery>,
) -> Result<List<PublishedEntry>, Problem> {
    let limit = Page {
        after: None,
        limit: asked.limit,
    }
    .limit();
    let publisher = asked.publisher.as_deref().map(code).transpose()?;
    let collection: Option<Collection> = match asked.collection.as_deref().map(str::parse) {
        None => None,
        Some(Ok(collection)) => Some(collection),
        Some(Err(unknown)) => {
            return Err(Problem::malformed(
                format!(
                    "没有这样的基础数据或者主题数据集合；可用：{}",
                    unknown.expected
                ),
                unknown.to_string(),
            ));
        }
    };
    let after = match &asked.after {
        None => None,
        Some(text) => {
            let (of, id) = text.split_once(':').ok_or_else(|| {
                Problem::malformed(
                    "参数 after 应为“发布节点:目录代码”",
                    "after is written publisher:id",
                )
            })?;
            Some((code(of)?, entry_id(id)?))
        }
    };
    let items = api
        .read(move |read| {
            query::published_where(read, publisher, after, limit, |published| {
                let marked = published.entry.collection.map(CollectionMark::collection);
                collection.is_none() || marked == collection
            })
        })
        .await?;
    Ok(List::page(items, limit, |p| {
        format!(
            "{}:{}",
            p.publisher.code(),
            String::from(p.entry.id.clone())
        )
    }))
}

pub(super) async fn published_entry(
    State(api): State<Api>,
    Path((publisher, id)): Path<(String, String)>,
) -> Result<Json<PublishedEntry>, Problem> {
    let (publisher, id) = (code(&publisher)?, entry_id(&id)?);
    let wanted = id.clone();
    let found = api
        .read(move |read| query::published_entry(read, publisher, &wanted))
        .await?;
    found
        .map(Json)
        .ok_or_else(|| unknown_entry(&format!("{publisher}:{}", String::from(id))))
}

/// One published version and what it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// The version as published.
    pub published: PublishedEntry,
    /// What it changed in the version before; nothing for the first.
    pub changes: Vec<FieldChange>,
}

/// Which versions.
#[derive(Debug, Default, Deserialize)]
pub(super) struct VersionsQuery {
    after: Option<u32>,
}

pub(super) async fn versions(
    State(api): State<Api>,
    Path((publisher, id)): Path<(String, String)>,
    Params(asked): Params<VersionsQuery>,
) -> Result<List<VersionView>, Problem> {
    let (publisher, id) = (code(&publisher)?, entry_id(&id)?);
    let found = api
        .read(move |read| {
            let before = match asked.after {
                Some(seen) => query::version(read, publisher, &id, seen)?,
                None => None,
            };
            Ok((before, query::versions(read, publisher, &id, asked.after)?))
        })
        .await?;
    let (mut before, versions) = found;
    let view = |published: PublishedEntry| {
        let changes = before.as_ref().map_or_else(Vec::new, |before| {
            difference(&before.entry, &published.entry)
        });
        before = Some(published.clone());
        VersionView { published, changes }
    };
    let items: Vec<VersionView> = versions.into_iter().map(view).collect();
    Ok(List::page(items, query::MAX_VERSIONS, |it| {
        it.published.entry.version.to_string()
    }))
}

pub(super) async fn publishers(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let known = api.read(query::publishers).await?;
    let items: Vec<Value> = known
        .into_iter()
        .map(|(publisher, sequence, as_of)| json!({ "publisher": publisher, "sequence": sequence, "as_of": as_of }))
        .collect();
    Ok(Json(json!({ "items": items, "next": null })))
}

/// What is searched.
#[derive(Debug, Deserialize)]
pub(super) struct SearchQuery {
    q: String,
    limit: Option<u16>,
    wait_ms: Option<u64>,
}

pub(super) async fn search(
    State(api): State<Api>,
    Params(asked): Params<SearchQuery>,
) -> Result<Json<SearchAnswer>, Problem> {
    let q = asked.q.trim().to_owned();
    if q.is_empty() || q.chars().count() > MAX_QUERY_CHARS {
        return Err(Problem::malformed(
            format!("参数 q 应有 1 至 {MAX_QUERY_CHARS} 个字"),
            format!("q must have 1 to {MAX_QUERY_CHARS} characters"),
        ));
    }
    let limit = asked
        .limit
        .unwrap_or(DEFAULT_SEARCH_HITS)
        .clamp(1, MAX_SEARCH_HITS);
    Ok(Json(
        api.backend().search(q, limit, wait(asked.wait_ms)).await?,
    ))
}

/// How long the levels above are waited for.
pub(super) fn wait(asked_ms: Option<u64>) -> Duration {
    let wait = asked_ms.unwrap_or(DEFAULT_SEARCH_WAIT_MS);
    Duration::from_millis(wait.min(MAX_SEARCH_WAIT_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: &str, version: u32, score: u32) -> SearchHit {
        SearchHit {
            publisher: identity::Path::hub(),
            id: EntryIdOf(id).into(),
            version,
            name: format!("第{version}版"),
            provider_name: "民政部".into(),
            class: statute::ShareClass::Unconditional,
            score,
            method: None,
            items: Vec::new(),
        }
    }

    struct EntryIdOf<'a>(&'a str);

    impl From<EntryIdOf<'_>> for sharing::catalogue::EntryId {
        fn from(id: EntryIdOf<'_>) -> Self {
            Self::try_from(id.0.to_owned()).unwrap()
        }
    }

    #[test]
    fn hits_of_several_levels_are_one_and_the_newest_version_stands() {
        let merged = merge(
            [hit("A/1", 1, 900), hit("A/2", 1, 500), hit("A/1", 2, 700)],
            10,
        );
        let seen: Vec<_> = merged
            .iter()
            .map(|h| (String::from(h.id.clone()), h.version, h.score))
            .collect();
        assert_eq!(
            seen,
            [("A/1".to_owned(), 2, 900), ("A/2".to_owned(), 1, 500)]
        );
        assert_eq!(merge([hit("A/1", 1, 1), hit("A/2", 1, 2)], 1).len(), 1);
    }
}
