//! The Merkle sum tree of one delivery: built by the source, checked by each recipient.
//!
//! ```text
//! 100000 ─┬─ own rows (count, root over salted row digests)
//!         ├─ 110000 ─┬─ own rows
//!         │          └─ 110101 ── own rows
//!         ├─ 440000 ── …
//!         └─ remainder ── rows that no division claims
//! ```
//!
//! The digest of a node covers its code, its own rows and, in order, the code, count and digest of every child; its count is the sum of
//! these. A recipient recomputes its subtree from the rows it got and folds the proof up to the signed root: then no row of its own
//! is missing, none is altered and none is foreign. This is completeness *relative to the snapshot the source committed to*; what the
//! source never put into the snapshot no proof can show.
//!
//! Row digests are salted. The salt of a division derives from its parent's, so a recipient's salt opens its own subtree, and the
//! digests of its siblings tell it nothing of their rows, only how many they are.

use statute::rule::{self, Rule};

use super::divisions::Divisions;
use super::sum_tree::{Tree, derive, fold, salts};
use super::table::{Row, RowCode, Split, Table, TableError};
use super::{Manifest, Proof, ProofStep, SumNode};

/// Why a delivery cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The source's own count does not match the table.
    #[error("the source counts {stated} rows, the table has {found}")]
    CountMismatch {
        /// Rows the source stated.
        stated: u64,
        /// Rows in the table.
        found: u64,
    },
    /// The rows are too many to count.
    #[error("the rows of {0} are too many to count")]
    Overflow(String),
}

/// Why a part is not what the manifest commits to. Declared in the order in which they win. Rows are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// The division is not in the tree of divisions.
    #[error("{0} is not a division of this tree")]
    UnknownDivision(String),
    /// The manifest's own figures disagree.
    #[error("the manifest's row counts disagree with each other")]
    ManifestCounts,
    /// The proof does not name the ancestors and siblings that the division has.
    #[error("the proof's siblings under {division:?} are not the divisions of the tree")]
    ProofShape {
        /// Ancestor at which they differ.
        division: String,
    },
    /// The counts in the proof add up to more than the manifest's total, or to more than can be counted.
    #[error("the row counts in the proof do not add up under {division}")]
    ProofCounts {
        /// Ancestor at which they do not.
        division: String,
    },
    /// The rows cannot be read.
    #[error("the part cannot be read: {0}")]
    Table(#[from] TableError),
    /// The header is not the manifest's.
    #[error("the part has another header than the manifest: {found:?}")]
    HeaderMismatch {
        /// Header of the part.
        found: String,
    },
    /// A row belongs to someone else, or to no division.
    #[error("row {row} with code {code:?} does not belong to this division")]
    Foreign {
        /// Which row.
        row: u64,
        /// Its code; empty when it has none that can be read.
        code: String,
    },
    /// Rows are missing or too many.
    #[error("the source committed to {expected} rows for this division, the part has {found}")]
    CountMismatch {
        /// Rows committed to.
        expected: u64,
        /// Rows in the part.
        found: u64,
    },
    /// A row does not stand in its place.
    #[error("row {row} does not stand in tree order")]
    Unsorted {
        /// Which row.
        row: u64,
    },
    /// As many rows as committed to, but not the same ones, or the salt or proof is of another delivery.
    #[error(
        "the rows, salt and proof do not lead to the manifest's root: a row was altered or exchanged"
    )]
    DigestMismatch,
}

/// What a recipient gets of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Header and rows of the subtree in tree order, lines ending in `\n`.
    pub bytes: Vec<u8>,
    /// Data rows in it.
    pub rows: u64,
    /// Ties the subtree to the manifest's root.
    pub proof: Proof,
    /// Opens the digests of the subtree's rows.
    pub salt: [u8; 32],
}

/// A part that is exactly what its division is owed under the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartVerdict {
    /// Rows of the division and everything below it.
    pub rows: u64,
    /// Rows of the whole snapshot.
    pub of: u64,
    /// Rows of the snapshot that no division claims.
    pub remainder: u64,
}

/// A delivery as the source holds it: the manifest to be signed, and every part.
#[derive(Debug, Clone)]
pub struct Built<'t> {
    manifest: Manifest,
    divisions: &'t Divisions,
    split: Split<'t>,
    salts: Vec<[u8; 32]>,
    tree: Tree,
}

/// Builds the sum tree of a table and completes the manifest.
///
/// `draft` carries what the source states: source, dataset, delivery, time, query, division column, and in `rows` the source's own count,
/// which the table must meet; header, remainder and root are filled in. `secret` must be random, of this delivery alone, and never leave the source.
///
/// # Errors
/// [`BuildError`] when the count does not match.
pub fn build<'t>(
    table: Table<'t>,
    divisions: &'t Divisions,
    draft: Manifest,
    secret: &[u8; 32],
) -> Result<Built<'t>, BuildError> {
    let found = table.rows();
    if draft.rows != found && !rule::is_off(Rule::Completeness) {
        return Err(BuildError::CountMismatch {
            stated: draft.rows,
            found,
        });
    }
    let split = Split::new(table, divisions);
    let last = divisions.len();
    let salts = salts(divisions, 0, derive(secret, &divisions.top()));
    let tree = Tree::grow(divisions, 0, split.all(), &salts)
        .ok_or_else(|| BuildError::Overflow(divisions.top()))?;
    let manifest = Manifest {
        header: split.header.to_owned(),
        rows: found,
        remainder_rows: tree.node(last).rows,
        root: tree.node(0),
        ..draft
    };
    Ok(Built {
        manifest,
        divisions,
        split,
        salts,
        tree,
    })
}

impl Built<'_> {
    /// The completed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The part of one division, or nothing when it is not in the tree. A division without rows gets a part with the header alone.
    pub fn part(&self, division: &str) -> Option<Part> {
        let place = self.divisions.find(division)?;
        let rows = self.split.rows(place, self.divisions.end(place));
        let size = self.split.header.len()
            + 1
            + rows
                .iter()
                .map(|(_, row)| row.bytes.len() + 1)
                .sum::<usize>();
        let mut bytes = Vec::with_capacity(size);
        for line in std::iter::once(self.split.header).chain(rows.iter().map(|(_, row)| row.bytes))
        {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        let proof = self.proof(place);
        Some(Part {
            bytes,
            rows: rows.len() as u64,
            proof,
            salt: *self.salts.get(place)?,
        })
    }

    fn proof(&self, place: usize) -> Proof {
        let mut steps = Vec::new();
        let mut child = place;
        while let Some(parent) = self.divisions.parent(child) {
            let named = |place: usize| (self.divisions.code(place), self.tree.node(place));
            let children = self.divisions.children(parent);
            let (before, after): (Vec<_>, Vec<_>) = children
                .filter(|it| *it != child)
                .partition(|it| *it < child);
            steps.push(ProofStep {
                division: self.divisions.code(parent),
                own: self.tree.own(parent),
                before: before.into_iter().map(named).collect(),
                after: after.into_iter().map(named).collect(),
            });
            child = parent;
        }
        Proof { steps }
    }
}

/// Checks that a part holds every row of `division` that the manifest commits to, and no other.
///
/// The caller has verified the manifest's signature. `divisions` is the tree the source split by, as the recipient knows it.
///
/// # Errors
/// [`PartError`] names the row or count that does not fit, as far as it can be told.
pub fn verify_part(
    manifest: &Manifest,
    division: &str,
    part: &[u8],
    proof: &Proof,
    salt: &[u8; 32],
    divisions: &Divisions,
) -> Result<PartVerdict, PartError> {
    let place = divisions
        .find(division)
        .ok_or_else(|| PartError::UnknownDivision(shown(division)))?;
    if manifest.rows != manifest.root.rows || manifest.remainder_rows > manifest.rows {
        return Err(PartError::ManifestCounts);
    }
    let expected = expected_rows(manifest, proof, place, divisions)?;
    let table = Table::parse(part, &manifest.division_column)?;
    if table.header != manifest.header {
        return Err(PartError::HeaderMismatch {
            found: shown(table.header),
        });
    }
    let rows = placed_rows(&table, place, divisions)?;
    if rows.len() as u64 != expected {
        return Err(PartError::CountMismatch {
            expected,
            found: rows.len() as u64,
        });
    }
    if let Some(at) = rows
        .windows(2)
        .position(|pair| order(&pair[0]) > order(&pair[1]))
    {
        return Err(PartError::Unsorted { row: at as u64 + 2 });
    }
    let overflow = || PartError::ProofCounts {
        division: shown(division),
    };
    let tree = Tree::grow(divisions, place, &rows, &salts(divisions, place, *salt))
        .ok_or_else(overflow)?;
    if place == 0 && tree.node(divisions.len()).rows != manifest.remainder_rows {
        return Err(PartError::ManifestCounts);
    }
    if fold(tree.node(place), division, proof).ok_or_else(overflow)? != manifest.root {
        return Err(PartError::DigestMismatch);
    }
    Ok(PartVerdict {
        rows: expected,
        of: manifest.rows,
        remainder: manifest.remainder_rows,
    })
}

fn shown(text: &str) -> String {
    text.chars().take(256).collect()
}

fn order<'r>((place, row): &'r (usize, Row<'_>)) -> (usize, RowCode, &'r str) {
    (*place, row.code, row.bytes)
}

/// Rows the manifest owes to a place: the total without what the proof says belongs to all others. The siblings must be the real ones, or
/// a source could hide rows under a division that does not exist.
fn expected_rows(
    manifest: &Manifest,
    proof: &Proof,
    place: usize,
    divisions: &Divisions,
) -> Result<u64, PartError> {
    let mut left = manifest.root.rows;
    let mut steps = proof.steps.iter();
    let mut child = place;
    while let Some(parent) = divisions.parent(child) {
        let code = divisions.code(parent);
        let step = steps.next().filter(|step| step.division == code);
        let step = step.ok_or_else(|| PartError::ProofShape {
            division: code.clone(),
        })?;
        let (before, after): (Vec<_>, Vec<_>) = divisions
            .children(parent)
            .filter(|it| *it != child)
            .partition(|it| *it < child);
        let named = |places: &[usize], list: &[(String, SumNode)]| {
            places.len() == list.len()
                && places
                    .iter()
                    .zip(list)
                    .all(|(place, (code, _))| divisions.code(*place) == *code)
        };
        if !named(&before, &step.before) || !named(&after, &step.after) {
            return Err(PartError::ProofShape { division: code });
        }
        if parent == 0
            && step.after.last().map(|(_, node)| node.rows) != Some(manifest.remainder_rows)
        {
            return Err(PartError::ManifestCounts);
        }
        for node in std::iter::once(&step.own)
            .chain(step.before.iter().chain(&step.after).map(|(_, node)| node))
        {
            left = left
                .checked_sub(node.rows)
                .ok_or_else(|| PartError::ProofCounts {
                    division: code.clone(),
                })?;
        }
        child = parent;
    }
    match steps.next() {
        Some(extra) => Err(PartError::ProofShape {
            division: shown(&extra.division),
        }),
        None => Ok(left),
    }
}

/// The rows of a part with their places, every one of which must lie in the subtree of `place`.
fn placed_rows<'t>(
    table: &Table<'t>,
    place: usize,
    divisions: &Divisions,
) -> Result<Vec<(usize, Row<'t>)>, PartError> {
    let subtree = place..divisions.end(place);
    let placed = table.rows.iter().enumerate().map(|(at, row)| {
        let owner = divisions.owner_place(&row.code).unwrap_or(divisions.len());
        if subtree.contains(&owner) {
            Ok((owner, *row))
        } else {
            Err(PartError::Foreign {
                row: at as u64 + 1,
                code: row.code.text(),
            })
        }
    });
    placed.collect()
}

#[cfg(test)]
mod tests;
