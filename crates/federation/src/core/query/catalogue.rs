//! The catalogue: own entries in any state, and what stands published.

use identity::{Code, Digest, Moment, Path};
use sharing::catalogue::{Change, EntryId, PublishedEntry};

use super::{MAX_COUNTED, MAX_PAGE, leading_code};
use crate::core::tables::{
    HeadRow, PublishedRow, View, code_key, counter, decode_row, entry_key, meta, version_key,
    versions_of,
};
use crate::core::view::OwnEntry;
use crate::store::{Fault, Read, Table};
use crate::sync;

/// Most versions of an entry in one answer: each lies in a segment of its own that must be opened.
pub const MAX_VERSIONS: usize = 100;

/// Own entries in any state, in id order.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_entries(
    read: &dyn Read,
    after: Option<&EntryId>,
    limit: usize,
) -> Result<Vec<OwnEntry>, Fault> {
    let after = after.map(|id| id.as_str().as_bytes());
    let rows = read.scan(Table::OwnEntries, b"", after, limit.min(MAX_PAGE))?;
    rows.iter()
        .map(|(_, row)| decode_row(Table::OwnEntries, row))
        .collect()
}

/// One own entry.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn own_entry(read: &dyn Read, id: &EntryId) -> Result<Option<OwnEntry>, Fault> {
    crate::core::project::own_entry(read, id)
}

/// Entries standing published, by publisher and id; with their keys as the cursor of the next page.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published(
    read: &dyn Read,
    publisher: Option<Code>,
    after: Option<(Code, EntryId)>,
    limit: usize,
) -> Result<Vec<PublishedEntry>, Fault> {
    published_page(read, publisher, after, limit, |_| true)
}

/// The published entries that `wanted` keeps, in the order of [`published`].
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_where(
    read: &dyn Read,
    publisher: Option<Code>,
    after: Option<(Code, EntryId)>,
    limit: usize,
    wanted: impl Fn(&PublishedEntry) -> bool,
) -> Result<Vec<PublishedEntry>, Fault> {
    published_page(read, publisher, after, limit, wanted)
}

pub(in crate::core) fn published_page<V: View + ?Sized>(
    view: &V,
    publisher: Option<Code>,
    after: Option<(Code, EntryId)>,
    limit: usize,
    wanted: impl Fn(&PublishedEntry) -> bool,
) -> Result<Vec<PublishedEntry>, Fault> {
    let prefix = publisher.map_or_else(Vec::new, |code| code_key(&code));
    let mut cursor = after.map(|(code, id)| entry_key(&code, &id));
    let limit = limit.min(MAX_PAGE);
    let mut segments = Segments::default();
    let mut found = Vec::new();
    while found.len() < limit {
        let rows = view.raw_scan(Table::Published, &prefix, cursor.as_deref(), MAX_PAGE)?;
        let Some((last, _)) = rows.last() else { break };
        cursor = Some(last.clone());
        for (key, row) in &rows {
            let row: PublishedRow = decode_row(Table::Published, row)?;
            if let (true, Some(code)) = (row.live, leading_code(key)) {
                let entry = segments.entry(view, &code, &row)?;
                found.extend(entry.filter(&wanted));
                if found.len() == limit {
                    break;
                }
            }
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// One published entry.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_entry(
    read: &dyn Read,
    publisher: Code,
    id: &EntryId,
) -> Result<Option<PublishedEntry>, Fault> {
    published_in(read, &publisher, id)
}

pub(in crate::core) fn published_in<V: View + ?Sized>(
    view: &V,
    publisher: &Code,
    id: &EntryId,
) -> Result<Option<PublishedEntry>, Fault> {
    match view.row::<PublishedRow>(Table::Published, &entry_key(publisher, id))? {
        Some(row) if row.live => Segments::default().entry(view, publisher, &row),
        Some(_) | None => Ok(None),
    }
}

/// The published versions of an entry, the first first, at most [`MAX_VERSIONS`]; withdrawn ones too. `after` is the number of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn versions(
    read: &dyn Read,
    publisher: Code,
    id: &EntryId,
    after: Option<u32>,
) -> Result<Vec<PublishedEntry>, Fault> {
    let prefix = versions_of(&publisher, id);
    let after = after.map(|version| version_key(&publisher, id, version));
    let rows = read.scan(Table::Versions, &prefix, after.as_deref(), MAX_VERSIONS)?;
    let mut segments = Segments::default();
    let mut found = Vec::with_capacity(rows.len());
    for (_, row) in &rows {
        let row: PublishedRow = decode_row(Table::Versions, row)?;
        found.extend(segments.entry(read, &publisher, &row)?);
    }
    Ok(found)
}

/// One published version of an entry.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn version(
    read: &dyn Read,
    publisher: Code,
    id: &EntryId,
    version: u32,
) -> Result<Option<PublishedEntry>, Fault> {
    match read.row::<PublishedRow>(Table::Versions, &version_key(&publisher, id, version))? {
        Some(row) => Segments::default().entry(read, &publisher, &row),
        None => Ok(None),
    }
}

/// The segment decoded last: neighbouring entries lie in the same one.
#[derive(Default)]
struct Segments {
    newest: Option<(Digest, Vec<Change>)>,
    place: Option<Path>,
}

impl Segments {
    fn entry<V: View + ?Sized>(
        &mut self,
        view: &V,
        publisher: &Code,
        row: &PublishedRow,
    ) -> Result<Option<PublishedEntry>, Fault> {
        if self
            .newest
            .as_ref()
            .is_none_or(|(digest, _)| *digest != row.body)
        {
            let body = view
                .raw_body(&row.body)?
                .ok_or_else(|| Fault(format!("segment body {} is missing", row.body)))?;
            let changes =
                sync::changes(&body).map_err(|error| Fault(format!("stored segment: {error}")))?;
            self.newest = Some((row.body, changes));
        }
        if self
            .place
            .as_ref()
            .is_none_or(|place| place.code() != *publisher)
        {
            self.place = view
                .row::<HeadRow>(Table::Heads, &code_key(publisher))?
                .map(|head| head.publisher);
        }
        let change = self
            .newest
            .as_ref()
            .and_then(|(_, changes)| changes.get(row.index as usize));
        Ok(match (change, &self.place) {
            (Some(Change::Published { entry, at }), Some(place)) => Some(PublishedEntry {
                publisher: place.clone(),
                published_at: *at,
                entry: entry.clone(),
            }),
            _ => None,
        })
    }
}

/// Publishers known, with the length of their log and as of when.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn publishers(read: &dyn Read) -> Result<Vec<(Code, u64, Moment)>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(Table::Heads, b"", None, MAX_COUNTED)? {
        let row: HeadRow = decode_row(Table::Heads, &row)?;
        found.push((row.publisher.code(), row.log.last, row.as_of));
    }
    Ok(found)
}

/// Published changes projected so far, which the search index compares with its own count.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn published_changes(read: &dyn Read) -> Result<u64, Fault> {
    counter(read, meta::CHANGES)
}

/// As of when the catalogue here is known: its newest accepted head.
pub(in crate::core) fn catalogue_as_of<V: View + ?Sized>(
    view: &V,
) -> Result<Option<Moment>, Fault> {
    let mut newest = None;
    for (_, row) in view.raw_scan(Table::Heads, b"", None, MAX_COUNTED)? {
        let row: HeadRow = decode_row(Table::Heads, &row)?;
        newest = newest.max(Some(row.as_of));
    }
    Ok(newest)
}

/// As of when the catalogue here is known.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn as_of(read: &dyn Read) -> Result<Option<Moment>, Fault> {
    catalogue_as_of(read)
}
