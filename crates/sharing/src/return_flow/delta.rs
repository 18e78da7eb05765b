//! What changed in a part since a delivery that its recipient holds: rows inserted, updated, deleted. What it leads to is the whole part, to the byte,
//! and is verified as such: a difference proves nothing by itself and needs to be trusted by nobody.
//!
//! Both parts stand in tree order, so rows that stayed keep their order, and a change names where it belongs by counting the rows of the base.
//! Parts are compared, and a difference is applied, while their rows pass by: it travels in sections, and neither its length nor the parts' is
//! bounded by memory.

use std::collections::VecDeque;

use identity::{Digest, codec};
use serde::{Deserialize, Serialize};

use super::intake::Intake;
use super::order::Sorting;
use super::table::{MAX_ROW_BYTES, TableError};

mod passing;

pub use passing::{Line, apply, compare};

/// Bytes of changes after which a section ends.
const SECTION_BYTES: usize = 256 << 10;
/// Most bytes of an encoded section: with the row that ends it, and room.
pub const MAX_SECTION_BYTES: usize = SECTION_BYTES + MAX_ROW_BYTES + 4_096;
/// Bytes before a section: its length.
pub const SECTION_HEAD: usize = 4;
/// What a change counts beside its row.
const CHANGE_BYTES: usize = 16;
/// The difference between two parts of one dataset and area, in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// The part it builds on.
    pub base: Digest,
    /// The part it leads to.
    pub whole: Digest,
    changes: Vec<Change>,
}

/// Some of the changes, in order, as they travel.
#[derive(Debug, Serialize, Deserialize)]
struct Section {
    base: Digest,
    whole: Digest,
    changes: Vec<Change>,
}

/// One row that changed; `at` counts the rows of the base from 0 and never falls from a change to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Change {
    /// A new row, before row `at` of the base.
    Insert { at: u64, row: String },
    /// A row before row `at` of the base, which one that was deleted has become.
    Update { at: u64, row: String },
    /// Row `at` of the base is no more.
    Delete { at: u64 },
    /// Row `at` of the base has become one that was inserted.
    Replace { at: u64 },
}

/// How many rows changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New rows.
    pub inserts: u64,
    /// Rows of which the key stayed and the rest did not.
    pub updates: u64,
    /// Rows that are no more.
    pub deletes: u64,
}

/// Why a difference leads nowhere. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeltaError {
    /// The bytes are no difference.
    #[error("not a difference: {0}")]
    Malformed(#[from] codec::CodecError),
    /// It ends within a section.
    #[error("the difference breaks off")]
    BrokenOff,
    /// It builds on another part.
    #[error("the difference builds on {expected}, not on {found}")]
    OtherBase {
        /// The part it builds on.
        expected: Digest,
        /// The one it was applied to.
        found: Digest,
    },
    /// The base cannot be read.
    #[error("the base cannot be read: {0}")]
    Table(#[from] TableError),
    /// It names a row the base does not have, one twice, or one out of order.
    #[error("the difference names row {0} of the base wrongly")]
    Row(u64),
    /// A row is too long.
    #[error("a row of the difference is longer than {MAX_ROW_BYTES} bytes")]
    RowTooLong,
    /// What comes out is not the part it leads to.
    #[error("the difference leads to {found}, not to {expected}")]
    OtherWhole {
        /// The part it should lead to.
        expected: Digest,
        /// What it leads to.
        found: Digest,
    },
}

impl Section {
    fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        Ok(codec::decode(bytes, MAX_SECTION_BYTES)?)
    }
}

/// Changes on their way into sections.
struct Writer {
    section: Section,
    bytes: usize,
}

impl Writer {
    fn new(base: Digest, whole: Digest) -> Self {
        let changes = Vec::new();
        Self {
            section: Section {
                base,
                whole,
                changes,
            },
            bytes: 0,
        }
    }

    /// Takes a change, and gives the section that it ends.
    fn put(&mut self, change: Change) -> Option<Vec<u8>> {
        self.bytes += CHANGE_BYTES + change.row().map_or(0, str::len);
        self.section.changes.push(change);
        (self.bytes >= SECTION_BYTES).then(|| self.end())
    }

    fn end(&mut self) -> Vec<u8> {
        let encoded = codec::encode(&self.section);
        self.section.changes.clear();
        self.bytes = 0;
        // A section is far shorter than 4 GiB.
        let mut bytes = (encoded.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(&encoded);
        bytes
    }
}

impl Change {
    fn at(&self) -> u64 {
        match self {
            Self::Insert { at, .. }
            | Self::Update { at, .. }
            | Self::Delete { at }
            | Self::Replace { at } => *at,
        }
    }

    /// The row that comes; none when one goes.
    fn row(&self) -> Option<&str> {
        match self {
            Self::Insert { row, .. } | Self::Update { row, .. } => Some(row),
            Self::Delete { .. } | Self::Replace { .. } => None,
        }
    }
}

impl Delta {
    /// The difference between two parts in memory; none where their headers differ or their rows do not stand in one order. `division` is the
    /// column that names the division; `key` the column by which a row is the same row after a change: without one, a changed row is a
    /// deleted and an inserted one.
    ///
    /// # Errors
    /// [`TableError`] when one of them cannot be read.
    pub fn between(
        (base, whole): (&[u8], &[u8]),
        (division, key): (&str, Option<&str>),
        sorting: &Sorting<'_>,
    ) -> Result<Option<Self>, TableError> {
        let (header, mut old) = lines(base, division, key, sorting)?;
        let (other, mut new) = lines(whole, division, key, sorting)?;
        if header != other {
            return Ok(None);
        }
        let (base, whole) = (Digest::object(base), Digest::object(whole));
        let mut sections = Vec::new();
        let ordered = compare::<TableError>(
            (base, whole),
            || Ok(old.pop_front()),
            || Ok(new.pop_front()),
            key.is_some(),
            |section| {
                sections.extend(section);
                Ok(())
            },
        )?;
        // What was just written is read.
        Ok(Self::decode(&sections).ok().filter(|_| ordered))
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new(self.base, self.whole);
        let changes = self.changes.iter().cloned();
        let mut bytes: Vec<u8> = changes.filter_map(|it| writer.put(it)).flatten().collect();
        bytes.extend(writer.end());
        bytes
    }

    /// Reads what travelled.
    ///
    /// # Errors
    /// [`DeltaError::Malformed`], [`DeltaError::BrokenOff`], and [`DeltaError::OtherBase`] or [`DeltaError::OtherWhole`] where its sections are of
    /// different ones.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        let mut found: Option<Self> = None;
        let mut rest = bytes;
        while let Some(bytes) = section(&mut rest)? {
            let Section {
                base,
                whole,
                changes,
            } = Section::decode(bytes)?;
            let delta = found.get_or_insert(Self {
                base,
                whole,
                changes: Vec::new(),
            });
            if delta.base != base {
                let (expected, found) = (delta.base, base);
                return Err(DeltaError::OtherBase { expected, found });
            }
            if delta.whole != whole {
                let (expected, found) = (delta.whole, whole);
                return Err(DeltaError::OtherWhole { expected, found });
            }
            delta.changes.extend(changes);
        }
        found.ok_or(DeltaError::BrokenOff)
    }

    /// How many rows changed.
    pub fn counts(&self) -> Changes {
        let mut counts = Changes::default();
        let (mut replaced, mut updated) = (0, 0);
        for change in &self.changes {
            match change {
                Change::Insert { .. } => counts.inserts += 1,
                Change::Update { .. } => updated += 1,
                Change::Delete { .. } => counts.deletes += 1,
                Change::Replace { .. } => replaced += 1,
            }
        }
        // One of the two rows of an update was counted when it came or went.
        counts.inserts = counts.inserts.saturating_sub(replaced);
        counts.deletes = counts.deletes.saturating_sub(updated);
        counts.updates = updated + replaced;
        counts
    }

    /// The whole part, from the base.
    ///
    /// # Errors
    /// [`DeltaError`] when this does not build on the base, or does not lead to what it says.
    pub fn apply(&self, base: &[u8]) -> Result<Vec<u8>, DeltaError> {
        let found = Digest::object(base);
        let mut intake = Intake::any();
        let mut rows = VecDeque::new();
        intake.read(base, true, |_, row| rows.push_back(row.to_owned()))?;
        let mut bytes = Vec::with_capacity(base.len());
        let mut put = |row: &str| {
            bytes.extend_from_slice(row.as_bytes());
            bytes.push(b'\n');
        };
        intake.header().into_iter().for_each(&mut put);
        let encoded = self.encode();
        let mut rest = encoded.as_slice();
        apply::<DeltaError>(
            (found, self.whole),
            || Ok(section(&mut rest)?.map(<[u8]>::to_vec)),
            || Ok(rows.pop_front()),
            |row| {
                put(row);
                Ok(())
            },
        )?;
        let found = Digest::object(&bytes);
        if found != self.whole {
            let expected = self.whole;
            return Err(DeltaError::OtherWhole { expected, found });
        }
        Ok(bytes)
    }
}

/// Takes the next section off the front of a difference.
fn section<'b>(rest: &mut &'b [u8]) -> Result<Option<&'b [u8]>, DeltaError> {
    if rest.is_empty() {
        return Ok(None);
    }
    let broken = || DeltaError::BrokenOff;
    let (head, after) = rest
        .split_first_chunk::<SECTION_HEAD>()
        .ok_or_else(broken)?;
    let length = u32::from_le_bytes(*head) as usize;
    let (section, after) = after.split_at_checked(length).ok_or_else(broken)?;
    *rest = after;
    Ok(Some(section))
}

/// The header and the rows of a part.
fn lines(
    part: &[u8],
    division: &str,
    key: Option<&str>,
    sorting: &Sorting<'_>,
) -> Result<(String, VecDeque<Line>), TableError> {
    let mut intake = Intake::new(division).naming(key);
    let mut lines = VecDeque::new();
    intake.read_named(part, true, |field, name, row| {
        lines.push_back(Line {
            order: sorting.key(field).order(),
            row: row.to_owned(),
            name: name.to_vec(),
        });
    })?;
    let header = intake.header().unwrap_or_default().to_owned();
    Ok((header, lines))
}

#[cfg(test)]
mod tests;
