//! A delivery assembled at its source from rows that come one by one in tree order, in memory that does not grow with them.

use statute::rule::{self, Rule};

use super::area::Area;
use super::committed::Committed;
use super::divisions::Divisions;
use super::growth::{Growth, Keep};
use super::leaves::{LEAF_BYTES, packed};
use super::manifest::{BuildError, top_of};
use super::order::RowKey;
use super::remainder::{Placing, Tally};
use super::sum_tree::{Top, derive};
use super::{Manifest, Proof};

/// A delivery whose rows still come.
#[derive(Debug, Clone)]
pub struct Assembly<'d> {
    draft: Manifest,
    placing: Placing<'d>,
    growth: Growth<'d>,
    remainder: Tally,
    rows: u64,
    salt: [u8; 32],
}

impl<'d> Assembly<'d> {
    /// A delivery without rows. `draft` carries what the source states and the table's header; `rows` in it is the source's own count, which the
    /// rows must meet. `secret` must be random, of this delivery alone, and never leave the source. The certificates of `areas` can be
    /// given when it is whole.
    ///
    /// # Errors
    /// [`BuildError`] when a code is wrongly assigned.
    pub fn new<'a>(
        draft: Manifest,
        divisions: &'d Divisions,
        secret: &[u8; 32],
        areas: impl IntoIterator<Item = &'a Area>,
    ) -> Result<Self, BuildError> {
        let placing = Placing::new(divisions, &draft.assigned)?;
        let salt = derive(secret, &divisions.top());
        let tops = areas.into_iter().filter_map(|area| top_of(area, divisions));
        let keep = Keep::above(tops, divisions);
        Ok(Self {
            growth: Growth::new(divisions, TOP, salt, keep),
            draft,
            placing,
            remainder: Tally::default(),
            rows: 0,
            salt,
        })
    }

    /// What the source states, and the header.
    pub fn draft(&self) -> &Manifest {
        &self.draft
    }

    /// The tree by which it is split.
    pub fn divisions(&self) -> &'d Divisions {
        self.placing.divisions
    }

    /// Takes the next row and gives its encoded leaf.
    ///
    /// # Errors
    /// [`BuildError::Order`] when it does not stand behind the one before.
    pub fn push(&mut self, key: RowKey, row: &str) -> Result<[u8; LEAF_BYTES], BuildError> {
        let (place, code) = (key.place(), key.code());
        let digest = self.growth.digest(place, code, row);
        self.rows += 1;
        self.growth
            .push(place, code, digest)
            .ok_or(BuildError::Order(self.rows))?;
        if place == self.placing.divisions.len() {
            self.remainder.count(&self.placing, &code, key.blank());
        }
        Ok(packed(&code, &digest))
    }

    /// The delivery, when all rows came.
    ///
    /// # Errors
    /// [`BuildError`] when they are not as many as the source counted, or too many to count.
    pub fn whole(self) -> Result<Committed<'d>, BuildError> {
        let divisions = self.placing.divisions;
        if self.draft.rows != self.rows && !rule::is_off(Rule::Completeness) {
            return Err(BuildError::CountMismatch {
                stated: self.draft.rows,
                found: self.rows,
            });
        }
        let tree = self.growth.whole();
        let tree = tree.ok_or_else(|| BuildError::Overflow(divisions.top()))?;
        let manifest = Manifest {
            rows: self.rows,
            remainder_rows: tree.at(divisions.len()).node.rows,
            remainder: self.remainder.groups(&self.placing),
            root: tree.at(TOP.place).node,
            ..self.draft
        };
        Ok(Committed {
            manifest,
            divisions,
            top: TOP,
            salt: self.salt,
            tree,
            above: Proof { steps: Vec::new() },
        })
    }
}

/// The top of the divisions.
const TOP: Top = Top {
    place: 0,
    area: None,
};

#[cfg(test)]
mod tests;
