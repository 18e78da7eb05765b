//! The opening catalogue (开放目录), and what somebody of the public is told of a case.

use identity::{Code, Digest};
use serde::{Deserialize, Serialize};
use sharing::catalogue::{EntryId, PublishedEntry};
use sharing::docket::{DocketId, DocketState};
use sharing::open_data::OpeningMark;
use statute::{OpenClass, ProtectedContent};

use super::{leading_code, published_in};
use crate::core::tables::{DocketRow, View, decode_row, docket_key, entry_key, receipt_key};
use crate::store::{Fault, Read, Table};

/// Most entries of the opening catalogue in one page.
pub const MAX_OPEN_PAGE: usize = 200;

/// An entry of the opening catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEntry {
    /// The entry as it stands published.
    pub published: PublishedEntry,
    /// How it is opened.
    pub mark: OpeningMark,
}

/// Where a page of the opening catalogue begins: after this entry of this publisher.
pub type OpenCursor = (Code, EntryId);

/// Entries of the opening catalogue, by publisher and id; those that no longer stand published are left out, and so is what its mark would leak by
/// now (S36). The second value is where the next page begins.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn open_entries(
    read: &dyn Read,
    after: Option<&OpenCursor>,
    limit: usize,
) -> Result<(Vec<OpenEntry>, Option<OpenCursor>), Fault> {
    let after = after.map(|(code, id)| entry_key(code, id));
    let limit = limit.clamp(1, MAX_OPEN_PAGE);
    let rows = read.scan(Table::Openings, b"", after.as_deref(), limit)?;
    let (mut found, mut last) = (Vec::new(), None);
    for (key, row) in &rows {
        let mark: OpeningMark = decode_row(Table::Openings, row)?;
        if let Some(publisher) = leading_code(key) {
            last = Some((publisher, mark.entry.clone()));
            found.extend(standing(read, &publisher, mark)?);
        }
    }
    Ok((found, last.filter(|_| rows.len() == limit)))
}

/// One entry of the opening catalogue.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn open_entry(
    read: &dyn Read,
    publisher: Code,
    id: &EntryId,
) -> Result<Option<OpenEntry>, Fault> {
    match opening_of(read, &publisher, id)? {
        Some(mark) => standing(read, &publisher, mark),
        None => Ok(None),
    }
}

/// How an entry is marked, whether it still stands or not.
pub(in crate::core) fn opening_of<V: View + ?Sized>(
    view: &V,
    publisher: &Code,
    id: &EntryId,
) -> Result<Option<OpeningMark>, Fault> {
    view.row(Table::Openings, &entry_key(publisher, id))
}

fn standing(
    read: &dyn Read,
    publisher: &Code,
    mark: OpeningMark,
) -> Result<Option<OpenEntry>, Fault> {
    let Some(published) = published_in(read, publisher, &mark.entry)? else {
        return Ok(None);
    };
    let leaks = mark.terms.class() == OpenClass::Unconditional
        && (published.entry.personal_information
            || mark
                .contains
                .contains(&ProtectedContent::PersonalInformation));
    Ok((!leaks).then_some(OpenEntry { published, mark }))
}

/// The case of whoever has the receipt of this commitment.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn public_case(
    read: &dyn Read,
    receipt: &Digest,
) -> Result<Option<(DocketId, DocketState)>, Fault> {
    let Some(docket) = read.row::<DocketId>(Table::Receipts, &receipt_key(receipt))? else {
        return Ok(None);
    };
    let row: Option<DocketRow> = read.row(Table::Dockets, &docket_key(&docket))?;
    Ok(row.map(|row| (docket, row.state)))
}
