//! The Merkle sum tree of one delivery: built by the source, checked by each recipient.
//!
//! ```text
//! 100000 ─┬─ own rows (count, root over salted row digests)
//!         ├─ 110000 ─┬─ own rows
//!         │          └─ 110101 ── own rows
//!         ├─ 440000 ── … ─ 440106 ─┬─ own rows
//!         │                        └─ 440106001 ─┬─ own rows
//!         │                                      └─ 440106001002 ── own rows
//!         └─ remainder ── rows that no division claims
//! ```
//!
//! The digest of a node covers its code, its own rows and, in order, the code, count and digest of every child; its count is the sum of
//! these. Divisions stand in the tree whether they have rows or not; townships and villages stand in it when they have. A recipient recomputes its subtree from the rows it got and folds the proof up to the signed root: then no row of its own
//! is missing, none is altered and none is foreign. This is completeness *relative to the snapshot the source committed to*; what the
//! source never put into the snapshot no proof can show.
//!
//! Row digests are salted. The salt of a division derives from its parent's, so a recipient's salt opens its own subtree, and the
//! digests of its siblings tell it nothing of their rows, only how many they are. So too a recipient can pass the rows of a county or township
//! of its own on with a proof of the same root ([`pass_on`]): whoever gets them trusts the source's signature and needs not trust the
//! recipient in between.

use std::collections::BTreeSet;

use identity::planted::{self, Bug};
use statute::rule::{self, Rule};

use super::area::{Area, LEVELS};
use super::committed::{Certificate, Committed};
use super::delta::Delta;
use super::divisions::Divisions;
use super::growth::Keep;
use super::intake::Intake;
use super::leaves::Leaves;
use super::order::Sorting;
use super::reception::Reception;
use super::remainder::{AssignError, Placing};
use super::sum_tree::{Leaf, Top, Tree, derive, is_area, leaves};
use super::table::{Row, RowCode, Split, Table, TableError};
use super::{Manifest, Proof, ProofStep};

/// Why a delivery cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The source assigns what it cannot.
    #[error("{0}")]
    Assigned(#[from] AssignError),
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
    /// A row came that does not stand behind the one before.
    #[error("row {0} does not stand in tree order")]
    Order(u64),
}

/// Why a part is not what the manifest commits to. Declared in the order in which they win. Rows are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// The division is not in the tree of divisions.
    #[error("{0} is not a division of this tree")]
    UnknownDivision(String),
    /// The manifest assigns the rows of a division of today to another.
    #[error("the manifest assigns what is not the source's to assign: {0}")]
    Assigned(#[from] AssignError),
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

/// All that a recipient may be served for one delivery: its part, what leads to it from one it holds, and the leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The part.
    pub part: Part,
    /// The encoded [`Delta`] from the part it holds, where that is smaller than the part.
    pub delta: Option<Vec<u8>>,
    /// The encoded [`Leaves`].
    pub leaves: Vec<u8>,
}

/// A part that is exactly what its area is owed under the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartVerdict {
    /// Rows of the area and everything below it.
    pub rows: u64,
    /// Rows of the whole snapshot.
    pub of: u64,
    /// Rows of the snapshot that no division claims.
    pub remainder: u64,
}

/// Rows in memory that can be handed out with their proofs: a delivery as its source holds it, or a part as its recipient does.
#[derive(Debug, Clone)]
pub struct Built<'t> {
    committed: Committed<'t>,
    split: Split<'t>,
}

/// Builds the sum tree of a table and completes the manifest.
///
/// `draft` carries what the source states: source, dataset, delivery, time, query, division column, assigned codes, and in `rows` the source's
/// own count, which the table must meet; header, remainder and root are filled in. `secret` must be random, of this delivery alone, and never
/// leave the source.
///
/// # Errors
/// [`BuildError`] when the count does not match or a code is wrongly assigned.
pub fn build<'t>(
    table: Table<'t>,
    divisions: &'t Divisions,
    draft: Manifest,
    secret: &[u8; 32],
) -> Result<Built<'t>, BuildError> {
    let placing = Placing::new(divisions, &draft.assigned)?;
    let found = table.rows();
    if draft.rows != found && !rule::is_off(Rule::Completeness) {
        return Err(BuildError::CountMismatch {
            stated: draft.rows,
            found,
        });
    }
    let split = Split::new(table, &placing);
    let last = divisions.len();
    let salt = derive(secret, &divisions.top());
    let top = Top {
        place: 0,
        area: None,
    };
    let digests = leaves(divisions, &top, &salt, split.all());
    let tree = Tree::grow(divisions, top, &digests)
        .ok_or_else(|| BuildError::Overflow(divisions.top()))?;
    let manifest = Manifest {
        header: split.header.to_owned(),
        rows: found,
        remainder_rows: if planted::is(Bug::RemainderDropped) {
            0
        } else {
            tree.at(last).node.rows
        },
        remainder: placing.groups(split.rows(last, last + 1)),
        root: tree.at(0).node,
        ..draft
    };
    let above = Proof { steps: Vec::new() };
    let committed = Committed {
        manifest,
        divisions,
        top,
        salt,
        tree,
        above,
    };
    Ok(Built { committed, split })
}

/// What a recipient that holds a part may pass on of it: the rows of any division, township or village in it, each with its proof of the source's
/// own root. The part is verified first, so that nobody passes on what does not hold.
///
/// # Errors
/// [`PartError`] when the part is not what the manifest commits to.
pub fn pass_on<'t>(
    manifest: &Manifest,
    area: &Area,
    part: &'t [u8],
    proof: &Proof,
    salt: &[u8; 32],
    divisions: &'t Divisions,
) -> Result<Built<'t>, PartError> {
    let proved = (proof, salt);
    let (_, committed) = receive(manifest, area, part, proved, divisions, Keep::All)?;
    // It was read when it was verified, and stands in order.
    let table = Table::parse(part, &manifest.division_column)?;
    let placing = Placing::new(divisions, &manifest.assigned)?;
    let rows = table
        .rows
        .iter()
        .map(|row| (placing.place(&row.code), *row));
    let split = Split::sorted(table.header, rows.collect());
    Ok(Built { committed, split })
}

impl Built<'_> {
    /// The completed manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.committed.manifest
    }

    /// The part of an area, or nothing when it does not lie in what is held. An area without rows gets a part with the header alone.
    pub fn part(&self, area: &Area) -> Option<Part> {
        let rows = self.rows(&top_of(area, self.divisions())?);
        let size: usize = rows.iter().map(|(_, row)| row.bytes.len() + 1).sum();
        let mut bytes = Vec::with_capacity(self.split.header.len() + 1 + size);
        for line in std::iter::once(self.split.header).chain(rows.iter().map(|(_, row)| row.bytes))
        {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        let Certificate { rows, proof, salt } = self.committed.certificate(area)?;
        Some(Part {
            bytes,
            rows,
            proof,
            salt,
        })
    }

    /// All that the recipient of an area may be served; `base` is the part it holds, `key` the column by which a row is the same after a change.
    pub fn parcel(&self, area: &Area, base: Option<&[u8]>, key: Option<&str>) -> Option<Parcel> {
        let part = self.part(area)?;
        let leaves = Leaves::of(self, area)?.encode();
        let manifest = self.manifest();
        let sorting = Sorting::new(self.divisions(), &manifest.assigned).ok()?;
        let columns = (manifest.division_column.as_str(), key);
        // A base that cannot be read is none.
        let delta = base.and_then(|base| {
            let parts = (base, part.bytes.as_slice());
            Delta::between(parts, columns, &sorting).ok()?
        });
        let delta = delta.map(|delta| delta.encode());
        Some(Parcel {
            delta: delta.filter(|it| it.len() < part.bytes.len()),
            part,
            leaves,
        })
    }

    /// The salted digests of an area's rows in order, by which a row can be named that was omitted, added or altered.
    pub(super) fn leaves(&self, top: &Top) -> Option<Vec<Leaf>> {
        let salt = self.committed.salt(top)?;
        Some(leaves(self.divisions(), top, &salt, self.rows(top)))
    }

    pub(super) fn divisions(&self) -> &Divisions {
        self.committed.divisions
    }

    fn rows(&self, top: &Top) -> &[(usize, Row<'_>)] {
        match top.area {
            None => {
                let more = usize::from(planted::is(Bug::RowOfAnotherKept) && top.place > 0);
                let end = self.divisions().end(top.place) + more;
                self.split.rows(top.place, end)
            }
            Some(area) => self.split.rows_in(top.place, &area),
        }
    }
}

/// Where an area begins in the tree.
pub(super) fn top_of(area: &Area, divisions: &Divisions) -> Option<Top> {
    let place = divisions.find(area.division())?;
    let deep = area.above().is_some();
    let area = deep.then(|| RowCode::parse(area.as_str().as_bytes()));
    Some(Top { place, area })
}

/// The next higher top: of a village its township, of a township its division, of a division its parent.
pub(super) fn above(top: &Top, divisions: &Divisions) -> Option<Top> {
    match top.area {
        None => Some(Top {
            place: divisions.parent(top.place)?,
            area: None,
        }),
        Some(area) => {
            let digits = LEVELS.iter().rev().find(|digits| **digits < area.len());
            let shorter = digits.filter(|digits| **digits > LEVELS[0]);
            Some(Top {
                place: top.place,
                area: shorter.and_then(|digits| area.within(*digits)),
            })
        }
    }
}

/// Checks that a part holds every row of `area` that the manifest commits to, and no other.
///
/// The caller has verified the manifest's signature. `divisions` is the tree the source split by, as the recipient knows it.
///
/// # Errors
/// [`PartError`] names the row or count that does not fit, as far as it can be told without the leaves ([`super::leaves`]).
pub fn verify_part(
    manifest: &Manifest,
    area: &Area,
    part: &[u8],
    proof: &Proof,
    salt: &[u8; 32],
    divisions: &Divisions,
) -> Result<PartVerdict, PartError> {
    receive(
        manifest,
        area,
        part,
        (proof, salt),
        divisions,
        Keep::Above(BTreeSet::new()),
    )
    .map(|(verdict, _)| verdict)
}

fn receive<'d>(
    manifest: &Manifest,
    area: &Area,
    part: &[u8],
    proved: (&Proof, &[u8; 32]),
    divisions: &'d Divisions,
    keep: Keep,
) -> Result<(PartVerdict, Committed<'d>), PartError> {
    let mut reception = Reception::keeping(manifest, area, proved, divisions, keep)?;
    let mut intake = Intake::new(&manifest.division_column);
    let begun = intake.begin(part, true)?;
    if let Some(header) = intake.header() {
        reception.header(header);
    }
    let rows = part.get(begun..).unwrap_or_default();
    intake.read(rows, true, |field, row| {
        reception.row(field, row);
    })?;
    reception.whole()
}

pub(super) fn shown(text: &str) -> String {
    text.chars().take(256).collect()
}

/// Rows the manifest owes to a top: the total without what the proof says belongs to all others. The siblings must be the real ones, or
/// a source could hide rows under a division that does not exist.
pub(super) fn expected_rows(
    manifest: &Manifest,
    proof: &Proof,
    top: &Top,
    divisions: &Divisions,
) -> Result<u64, PartError> {
    let mut groups = manifest.remainder.iter().map(|group| group.rows);
    let grouped = groups.try_fold(0u64, |sum, rows| sum.checked_add(rows));
    if manifest.rows != manifest.root.rows
        || manifest.remainder_rows > manifest.rows
        || grouped != Some(manifest.remainder_rows)
    {
        return Err(PartError::ManifestCounts);
    }
    let mut left = manifest.root.rows;
    let mut steps = proof.steps.iter();
    let mut child = *top;
    while let Some(parent) = above(&child, divisions) {
        let code = parent.code(divisions);
        let step = steps
            .next()
            .filter(|step| {
                step.division == code && siblings_are_real(step, &parent, &child, divisions)
            })
            .ok_or_else(|| PartError::ProofShape {
                division: code.clone(),
            })?;
        let mut others = step.before.iter().chain(&step.after);
        if parent.place == 0
            && parent.area.is_none()
            && !others.any(|(code, node)| {
                code == super::REMAINDER && node.rows == manifest.remainder_rows
            })
        {
            return Err(PartError::ManifestCounts);
        }
        let others = step.before.iter().chain(&step.after).map(|(_, node)| node);
        for node in std::iter::once(&step.own).chain(others) {
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

/// Whether the children that a step names are what they must be: every division below the parent in order, and then townships (or, below a
/// township, villages) in strict order, each with rows. So the child can stand among them once.
fn siblings_are_real(step: &ProofStep, parent: &Top, child: &Top, divisions: &Divisions) -> bool {
    let own = child.code(divisions);
    let before = step.before.iter().map(|(code, _)| code.as_str());
    let after = step.after.iter().map(|(code, _)| code.as_str());
    let named: Vec<&str> = before.chain([own.as_str()]).chain(after).collect();
    let (fixed, digits) = match parent.area {
        None => {
            let below = divisions.children(parent.place);
            (
                below.map(|it| divisions.code(it)).collect::<Vec<_>>(),
                LEVELS[1],
            )
        }
        Some(_) => (Vec::new(), LEVELS[2]),
    };
    let Some((divided, areas)) = named.split_at_checked(fixed.len()) else {
        return false;
    };
    let mut others = step.before.iter().chain(&step.after);
    divided == fixed
        && areas.windows(2).all(|pair| pair[0] < pair[1])
        && areas
            .iter()
            .all(|code| code.len() == digits && code.bytes().all(|digit| digit.is_ascii_digit()))
        && others.all(|(code, node)| !is_area(code) || node.rows > 0)
}

/// Whether a row lies in a subtree.
pub(super) fn lies_in(top: &Top, place: usize, code: &RowCode, divisions: &Divisions) -> bool {
    match top.area {
        None => (top.place..divisions.end(top.place)).contains(&place),
        Some(area) => place == top.place && code.within(area.len()) == Some(area),
    }
}

#[cfg(test)]
mod tests;
