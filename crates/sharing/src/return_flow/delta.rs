//! What changed in a part since a delivery that its recipient holds: rows inserted, updated, deleted. What it leads to is the whole part, to the byte,
//! and is verified as such: a difference proves nothing by itself and needs to be trusted by nobody.
//!
//! Both parts stand in tree order, so rows that stayed keep their order, and a change names where it belongs by counting the rows of the base.

use std::collections::{BTreeMap, BTreeSet};

use identity::{Digest, codec};
use serde::{Deserialize, Serialize};

use super::table::{MAX_ROW_BYTES, RowReader, TableError};

/// Most bytes of an encoded difference: beyond, the whole part is sent.
pub const MAX_DELTA_BYTES: usize = codec::MAX_ENCODED;

/// The difference between two parts of one dataset and area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The part it builds on.
    pub base: Digest,
    /// The part it leads to.
    pub whole: Digest,
    changes: Vec<Change>,
}

/// One row that changed; `at` counts the rows of the base from 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Change {
    /// A new row, before row `at` of the base.
    Insert { at: u64, row: String },
    /// Row `old` of the base has become another, which stands before row `at`.
    Update { old: u64, at: u64, row: String },
    /// Row `at` of the base is no more.
    Delete { at: u64 },
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
    /// It names a row the base does not have, or one twice.
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

impl Delta {
    /// The difference between two parts; none where their headers differ or their rows do not stand in one order. `key` is the column by which a
    /// row is the same row after a change; without one, a changed row is a deleted and an inserted one.
    ///
    /// # Errors
    /// [`TableError`] when one of them cannot be read.
    pub fn between(
        base: &[u8],
        whole: &[u8],
        key: Option<&str>,
    ) -> Result<Option<Self>, TableError> {
        let (header, old) = rows(base, key)?;
        let (other, new) = rows(whole, key)?;
        if header != other {
            return Ok(None);
        }
        let mut left: BTreeMap<&str, i64> = BTreeMap::new();
        old.iter()
            .for_each(|(row, _)| *left.entry(row).or_default() += 1);
        // Of equal rows the first ones stay.
        let mut stays: BTreeMap<&str, i64> = BTreeMap::new();
        for (row, _) in &new {
            if let Some(count) = left.get_mut(row).filter(|count| **count > 0) {
                *count -= 1;
                *stays.entry(row).or_default() += 1;
            }
        }
        let mut stays_in_new = stays.clone();
        let take = |counts: &mut BTreeMap<&str, i64>, row: &str| {
            let count = counts.get_mut(row).filter(|count| **count > 0);
            count.map(|count| *count -= 1).is_some()
        };
        let mut deleted: Vec<(u64, &[u8])> = Vec::new();
        let mut kept: Vec<(u64, &str)> = Vec::new();
        for (at, (row, key)) in (0u64..).zip(&old) {
            if take(&mut stays, row) {
                kept.push((at, row));
            } else {
                deleted.push((at, key.as_slice()));
            }
        }
        let mut kept = kept.into_iter().peekable();
        let mut inserted: Vec<(u64, &str, &[u8])> = Vec::new();
        for (row, key) in &new {
            if take(&mut stays_in_new, row) {
                if kept.next().is_none_or(|(_, stayed)| stayed != *row) {
                    return Ok(None);
                }
            } else {
                let at = kept.peek().map_or(old.len() as u64, |(at, _)| *at);
                inserted.push((at, row, key.as_slice()));
            }
        }
        let changes = changes(deleted, inserted, key.is_some());
        Ok(Some(Self {
            base: Digest::object(base),
            whole: Digest::object(whole),
            changes,
        }))
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what travelled.
    ///
    /// # Errors
    /// [`DeltaError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        Ok(codec::decode(bytes, MAX_DELTA_BYTES)?)
    }

    /// How many rows changed.
    pub fn counts(&self) -> Changes {
        let mut counts = Changes::default();
        for change in &self.changes {
            match change {
                Change::Insert { .. } => counts.inserts += 1,
                Change::Update { .. } => counts.updates += 1,
                Change::Delete { .. } => counts.deletes += 1,
            }
        }
        counts
    }

    /// The whole part, from the base.
    ///
    /// # Errors
    /// [`DeltaError`] when this does not build on the base, or does not lead to what it says.
    pub fn apply(&self, base: &[u8]) -> Result<Vec<u8>, DeltaError> {
        let found = Digest::object(base);
        if found != self.base {
            let expected = self.base;
            return Err(DeltaError::OtherBase { expected, found });
        }
        let (header, old) = rows(base, None)?;
        let Placed { gone, new } = self.placed(old.len() as u64)?;
        let mut bytes = Vec::with_capacity(base.len());
        let mut line = |row: &str| {
            bytes.extend_from_slice(row.as_bytes());
            bytes.push(b'\n');
        };
        line(header);
        for (at, row) in (0u64..).zip(old.iter().map(|(row, _)| Some(row)).chain([None])) {
            new.get(&at).into_iter().flatten().for_each(|row| line(row));
            if let Some(row) = row.filter(|_| !gone.contains(&at)) {
                line(row);
            }
        }
        let found = Digest::object(&bytes);
        if found != self.whole {
            let expected = self.whole;
            return Err(DeltaError::OtherWhole { expected, found });
        }
        Ok(bytes)
    }

    /// Which rows of the base go, and which rows come before each of them.
    fn placed(&self, rows: u64) -> Result<Placed<'_>, DeltaError> {
        let mut gone = BTreeSet::new();
        let mut new: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for change in &self.changes {
            let (goes, comes) = match change {
                Change::Insert { at, row } => (None, Some((at, row))),
                Change::Update { old, at, row } => (Some(old), Some((at, row))),
                Change::Delete { at } => (Some(at), None),
            };
            if let Some(at) = goes
                && (*at >= rows || !gone.insert(*at))
            {
                return Err(DeltaError::Row(*at));
            }
            if let Some((at, row)) = comes {
                if *at > rows {
                    return Err(DeltaError::Row(*at));
                }
                if row.len() > MAX_ROW_BYTES {
                    return Err(DeltaError::RowTooLong);
                }
                new.entry(*at).or_default().push(row);
            }
        }
        Ok(Placed { gone, new })
    }
}

/// A difference by the rows of its base.
struct Placed<'d> {
    /// Rows that go.
    gone: BTreeSet<u64>,
    /// Rows that come, by the row before which they stand.
    new: BTreeMap<u64, Vec<&'d str>>,
}

/// Pairs what went and what came by key; without keys nothing is paired.
fn changes(
    deleted: Vec<(u64, &[u8])>,
    inserted: Vec<(u64, &str, &[u8])>,
    keyed: bool,
) -> Vec<Change> {
    let mut by_key: BTreeMap<&[u8], Vec<u64>> = BTreeMap::new();
    let mut gone = Vec::new();
    for (at, key) in deleted {
        if keyed {
            by_key.entry(key).or_default().push(at);
        } else {
            gone.push(at);
        }
    }
    let came = inserted.into_iter().map(|(at, row, key)| {
        let row = row.to_owned();
        match by_key.get_mut(key).and_then(Vec::pop) {
            Some(old) => Change::Update { old, at, row },
            None => Change::Insert { at, row },
        }
    });
    let mut changes: Vec<Change> = came.collect();
    gone.extend(by_key.into_values().flatten());
    gone.sort_unstable();
    changes.extend(gone.into_iter().map(|at| Change::Delete { at }));
    changes
}

/// A row and its key; without a key column the key is empty.
type Keyed<'t> = (&'t str, Vec<u8>);

/// The header and the rows of a part, each with its key.
fn rows<'t>(part: &'t [u8], key: Option<&str>) -> Result<(&'t str, Vec<Keyed<'t>>), TableError> {
    let mut reader = RowReader::open(part)?;
    let column = key.map(|key| reader.column(key)).transpose()?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        let field = column.and_then(|column| reader.record.get(column));
        rows.push((row, field.unwrap_or_default().to_vec()));
    }
    Ok((reader.header, rows))
}

#[cfg(test)]
mod tests;
