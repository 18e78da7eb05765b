//! Who is the source of what (R19), and what is shared already (R40(1)).

use identity::{Code, Path};
use serde::{Deserialize, Serialize};
use sharing::source::{self, Coverage, Matter, NamedSource};

use super::{MAX_PAGE, published};
use crate::core::tables::{decode_row, sources_of};
use crate::store::{Fault, Read, Table};
use crate::wire::{MAX_HIT_ITEMS_BYTES, SearchHit, WHOLE};

/// Entries looked through for one question: a province's catalogue.
pub const MAX_LOOKED_THROUGH: usize = 50_000;

/// A source department and the authority that named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceView {
    /// The place of the authority.
    pub by: Path,
    /// What it named.
    pub source: NamedSource,
}

/// What is shared already of what a department wants to collect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Already {
    /// Entries that hold some of it, those that hold most first.
    pub entries: Vec<Coverage>,
    /// The source departments named for the matter.
    pub sources: Vec<SourceView>,
    /// Whether every entry known here was looked through, or only the first [`MAX_LOOKED_THROUGH`].
    pub complete: bool,
}

impl Already {
    /// The entries as hits of a search for items.
    pub fn hits(&self) -> Vec<SearchHit> {
        self.entries.iter().map(hit).collect()
    }
}

/// Source departments named, of one matter or of all, at most [`MAX_PAGE`].
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn sources(read: &dyn Read, matter: Option<&Matter>) -> Result<Vec<SourceView>, Fault> {
    let prefix = matter.map_or_else(Vec::new, sources_of);
    let rows = read.scan(Table::Sources, &prefix, None, MAX_PAGE)?;
    rows.iter()
        .map(|(_, row)| decode_row(Table::Sources, row))
        .collect()
}

/// What this node answers to a search for items: the published entries that hold some of them.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn holding(read: &dyn Read, wanted: &[String], limit: usize) -> Result<Vec<SearchHit>, Fault> {
    Ok(already(read, wanted, None, limit)?.hits())
}

/// An entry that holds some of the items, as a hit: its score tells how many, and is [`WHOLE`] when it is all of them.
fn hit(found: &Coverage) -> SearchHit {
    let entry = found.entry.entry.clone();
    let mut items = found.covers.clone();
    let many = u32::try_from(items.len()).map_or(WHOLE, |many| many.min(WHOLE - 1));
    if items.iter().map(String::len).sum::<usize>() > MAX_HIT_ITEMS_BYTES {
        items.clear();
    }
    SearchHit {
        publisher: found.entry.publisher.clone(),
        class: entry.terms.class(),
        method: entry.methods.first().copied(),
        id: entry.id,
        version: entry.version,
        name: entry.name,
        provider_name: entry.provider_name,
        score: match found.whole {
            true => WHOLE,
            false => many,
        },
        items,
    }
}

/// Which published entries hold the wanted items, and who is the source of the matter.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn already(
    read: &dyn Read,
    wanted: &[String],
    matter: Option<&Matter>,
    limit: usize,
) -> Result<Already, Fault> {
    let limit = limit.min(MAX_PAGE);
    let mut entries = Vec::new();
    let mut after: Option<(Code, _)> = None;
    let mut looked = 0;
    let complete = loop {
        let page = published(read, None, after.take(), MAX_PAGE)?;
        looked += page.len();
        let Some(last) = page.last().filter(|_| page.len() == MAX_PAGE) else {
            entries.extend(page.iter().filter_map(|it| source::coverage(it, wanted)));
            break true;
        };
        after = Some((last.publisher.code(), last.entry.id.clone()));
        entries.extend(page.iter().filter_map(|it| source::coverage(it, wanted)));
        source::rank(&mut entries, limit);
        if looked >= MAX_LOOKED_THROUGH {
            break false;
        }
    };
    source::rank(&mut entries, limit);
    let sources = match matter {
        Some(matter) => sources(read, Some(matter))?,
        None => Vec::new(),
    };
    Ok(Already {
        entries,
        sources,
        complete,
    })
}
