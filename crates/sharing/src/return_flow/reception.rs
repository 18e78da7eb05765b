//! A part verified by its recipient from rows that come one by one, in memory that does not grow with them.

use super::area::Area;
use super::committed::Committed;
use super::divisions::Divisions;
use super::growth::{Growth, Keep};
use super::leaves::{LEAF_BYTES, packed};
use super::manifest::{PartError, PartVerdict, expected_rows, lies_in, shown, top_of};
use super::order::{RowKey, Sorting};
use super::sum_tree::{Top, fold};
use super::{Manifest, Proof};
use identity::planted::{self, Bug};

/// A part whose rows still come.
#[derive(Debug, Clone)]
pub struct Reception<'d> {
    manifest: Manifest,
    area: Area,
    proof: Proof,
    salt: [u8; 32],
    divisions: &'d Divisions,
    sorting: Sorting<'d>,
    top: Top,
    expected: u64,
    growth: Growth<'d>,
    rows: u64,
    /// The row before: its order and its bytes.
    last: Option<(u64, String)>,
    faults: Faults,
}

/// What is wrong with the rows that came, first of each kind.
#[derive(Debug, Clone, Default)]
struct Faults {
    header: Option<String>,
    foreign: Option<(u64, String)>,
    unsorted: Option<u64>,
    overflow: bool,
}

impl<'d> Reception<'d> {
    /// A part without rows. The caller has verified the manifest's signature; `divisions` is the tree the source split by, as the
    /// recipient knows it. The certificates of `areas` can be given when the part holds.
    ///
    /// # Errors
    /// [`PartError`] when the manifest or the proof does not hold by itself.
    pub fn new<'a>(
        manifest: &Manifest,
        area: &Area,
        (proof, salt): (&Proof, &[u8; 32]),
        divisions: &'d Divisions,
        areas: impl IntoIterator<Item = &'a Area>,
    ) -> Result<Self, PartError> {
        let tops = areas.into_iter().filter_map(|area| top_of(area, divisions));
        let keep = Keep::above(tops, divisions);
        Self::keeping(manifest, area, (proof, salt), divisions, keep)
    }

    pub(super) fn keeping(
        manifest: &Manifest,
        area: &Area,
        (proof, salt): (&Proof, &[u8; 32]),
        divisions: &'d Divisions,
        keep: Keep,
    ) -> Result<Self, PartError> {
        let unknown = || PartError::UnknownDivision(shown(area.as_str()));
        let top = top_of(area, divisions).ok_or_else(unknown)?;
        let sorting = Sorting::new(divisions, &manifest.assigned)?;
        let expected = expected_rows(manifest, proof, &top, divisions)?;
        Ok(Self {
            manifest: manifest.clone(),
            area: area.clone(),
            proof: proof.clone(),
            salt: *salt,
            divisions,
            sorting,
            top,
            expected,
            growth: Growth::new(divisions, top, *salt, keep),
            rows: 0,
            last: None,
            faults: Faults::default(),
        })
    }

    /// The column that names the division.
    pub fn division_column(&self) -> &str {
        &self.manifest.division_column
    }

    /// Takes the header.
    pub fn header(&mut self, header: &str) {
        if header != self.manifest.header {
            self.faults.header = Some(shown(header));
        }
    }

    /// Takes the next row, by its field that names the division, and gives its key and its encoded leaf; none of a row that the part
    /// cannot have.
    pub fn row(&mut self, field: &[u8], row: &str) -> Option<(RowKey, [u8; LEAF_BYTES])> {
        self.rows += 1;
        let key = self.sorting.key(field);
        let (place, code) = (key.place(), key.code());
        if !lies_in(&self.top, place, &code, self.divisions) {
            let first = &mut self.faults.foreign;
            first.get_or_insert_with(|| (self.rows, code.text()));
            return None;
        }
        let here = (key.order(), row);
        let behind = self.last.as_ref().map(|(at, text)| (*at, text.as_str()));
        if behind.is_some_and(|behind| behind > here) {
            self.faults.unsorted.get_or_insert(self.rows);
        }
        let (at, text) = self.last.get_or_insert_default();
        *at = key.order();
        text.clear();
        text.push_str(row);
        // Once something is wrong nothing is proved any more.
        if self.faults.foreign.is_some() || self.faults.unsorted.is_some() {
            return None;
        }
        let digest = self.growth.digest(place, code, row);
        match self.growth.push(place, code, digest) {
            Some(()) => Some((key, packed(&code, &digest))),
            None => {
                self.faults.overflow = true;
                None
            }
        }
    }

    /// What came, if it is exactly what the area is owed.
    ///
    /// # Errors
    /// [`PartError`] names the row or count that does not fit, as far as it can be told without the leaves ([`super::leaves`]).
    pub fn whole(self) -> Result<(PartVerdict, Committed<'d>), PartError> {
        let Self {
            manifest, faults, ..
        } = self;
        if let Some(found) = faults.header {
            return Err(PartError::HeaderMismatch { found });
        }
        if let Some((row, code)) = faults.foreign {
            return Err(PartError::Foreign { row, code });
        }
        if self.rows != self.expected {
            return Err(PartError::CountMismatch {
                expected: self.expected,
                found: self.rows,
            });
        }
        if let Some(row) = faults.unsorted {
            return Err(PartError::Unsorted { row });
        }
        let overflow = || PartError::ProofCounts {
            division: shown(self.area.as_str()),
        };
        let tree = self.growth.whole().filter(|_| !faults.overflow);
        let tree = tree.ok_or_else(overflow)?;
        if self.top.place == 0
            && self.top.area.is_none()
            && tree.at(self.divisions.len()).node.rows != manifest.remainder_rows
        {
            return Err(PartError::ManifestCounts);
        }
        let node = tree.root().ok_or_else(overflow)?;
        let folded = fold(node, self.area.as_str(), &self.proof).ok_or_else(overflow)?;
        if folded != manifest.root && !planted::is(Bug::ManifestSumSkipped) {
            return Err(PartError::DigestMismatch);
        }
        let verdict = PartVerdict {
            rows: self.expected,
            of: manifest.rows,
            remainder: manifest.remainder_rows,
        };
        let committed = Committed {
            manifest,
            divisions: self.divisions,
            top: self.top,
            salt: self.salt,
            tree,
            above: self.proof,
        };
        Ok((verdict, committed))
    }
}
