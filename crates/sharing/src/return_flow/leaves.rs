//! The leaves of one area's tree: for every row that the manifest commits to, its code and its salted digest. Whoever holds them can say
//! which row of a part was omitted, added, altered or misdirected, for they lead to the manifest's root or are not the leaves.
//!
//! A recipient that verified its part derives them itself ([`Leaves::of`]); one whose part was found wanting asks the source for them.

use std::collections::BTreeMap;
use std::fmt;

use identity::Digest;
use serde::{Deserialize, Serialize};

use super::area::Area;
use super::divisions::Divisions;
use super::manifest::{Built, PartError, expected_rows, lies_in, top_of};
use super::remainder::Placing;
use super::sum_tree::{Leaf, Tree, fold, leaves as digests};
use super::table::{Row, RowCode, Table, in_tree};
use super::{Manifest, Proof};

/// Bytes of a code in a leaf: how many digits, and room for twelve.
const CODE_BYTES: usize = 13;
/// Bytes of an encoded leaf.
pub const LEAF_BYTES: usize = CODE_BYTES + 32;
/// Most rows that a report names; the count goes on.
pub const MAX_NAMED_ROWS: usize = 20;

/// The leaves of an area in tree order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaves(Vec<(RowCode, Digest)>);

/// What is wrong with one row. Rows of the part are counted from 1, those committed to too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RowFault {
    /// The manifest commits to it, the part does not have it.
    Omitted {
        /// Its place among the rows committed to.
        committed: u64,
        /// Its code.
        code: String,
    },
    /// The part has it, the manifest does not commit to it.
    Added {
        /// Its place in the part.
        row: u64,
        /// Its code.
        code: String,
    },
    /// One row of the same code is committed to, and stands in the part as another.
    Altered {
        /// Its place in the part.
        row: u64,
        /// Its place among the rows committed to.
        committed: u64,
        /// Its code.
        code: String,
    },
    /// The row is another division's, or nobody's.
    Misdirected {
        /// Its place in the part.
        row: u64,
        /// Its code; empty when it has none that can be read.
        code: String,
    },
}

/// The rows of a part that are wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFaults {
    /// The first of them, by place.
    pub named: Vec<RowFault>,
    /// How many there are in all.
    pub count: usize,
}

impl Leaves {
    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        let leaf = |(code, digest): &(RowCode, Digest)| packed(code, digest);
        self.0.iter().flat_map(leaf).collect()
    }

    /// Reads what travelled: whole leaves, each a code and a digest. Whether they are the right ones [`Leaves::compare`] says.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let leaf = |record: &[u8]| {
            let (code, digest) = record.split_first_chunk::<CODE_BYTES>()?;
            let digest: [u8; 32] = digest.try_into().ok()?;
            Some((RowCode::unpacked(code)?, Digest::from_bytes(digest)))
        };
        let leaves: Option<Vec<_>> = bytes.chunks(LEAF_BYTES).map(leaf).collect();
        leaves.map(Self)
    }

    /// The leaves of an area of a delivery, at its source or at whoever verified the part.
    pub fn of(built: &Built<'_>, area: &Area) -> Option<Self> {
        let top = top_of(area, built.divisions())?;
        let leaves = built.leaves(&top)?;
        let named = leaves.iter().map(|leaf| (leaf.code, leaf.digest));
        Some(Self(named.collect()))
    }

    /// Names the rows of a part that are not what the manifest commits to; none when it is whole.
    ///
    /// # Errors
    /// [`PartError`] when the leaves do not lead to the manifest's root, or the part cannot be read as rows under its header.
    pub fn compare(
        &self,
        manifest: &Manifest,
        area: &Area,
        part: &[u8],
        (proof, salt): (&Proof, &[u8; 32]),
        divisions: &Divisions,
    ) -> Result<RowFaults, PartError> {
        let top = top_of(area, divisions);
        let top = top.ok_or_else(|| PartError::UnknownDivision(area.to_string()))?;
        let placing = Placing::new(divisions, &manifest.assigned)?;
        let expected = expected_rows(manifest, proof, &top, divisions)?;
        let placed = self.0.iter().map(|(code, digest)| {
            let place = placing.place(code);
            lies_in(&top, place, code, divisions).then_some(Leaf {
                place,
                code: *code,
                digest: *digest,
            })
        });
        let committed: Option<Vec<Leaf>> = placed.collect();
        let committed = committed.ok_or(PartError::DigestMismatch)?;
        let ordered =
            committed.is_sorted_by(|a, b| (a.place, a.code.depth()) <= (b.place, b.code.depth()));
        let root = Tree::grow(divisions, top, &committed)
            .filter(|_| ordered && committed.len() as u64 == expected)
            .and_then(|tree| fold(tree.root()?, area.as_str(), proof));
        if root != Some(manifest.root) {
            return Err(PartError::DigestMismatch);
        }
        let table = Table::parse(part, &manifest.division_column)?;
        if table.header != manifest.header {
            return Err(PartError::HeaderMismatch {
                found: table.header.chars().take(256).collect(),
            });
        }
        let mut faults = Vec::new();
        let mut own: Vec<(u64, (usize, Row<'_>))> = Vec::new();
        for (at, row) in (1..).zip(&table.rows) {
            let place = placing.place(&row.code);
            if lies_in(&top, place, &row.code, divisions) {
                own.push((at, (place, *row)));
            } else {
                let code = row.code.text();
                faults.push(RowFault::Misdirected { row: at, code });
            }
        }
        own.sort_by(|(_, a), (_, b)| in_tree(a).cmp(&in_tree(b)));
        let (rows, sorted): (Vec<u64>, Vec<(usize, Row<'_>)>) = own.into_iter().unzip();
        let found = digests(divisions, &top, salt, &sorted);
        faults.extend(differences(&committed, &found, &rows));
        faults.sort();
        let count = faults.len();
        faults.truncate(MAX_NAMED_ROWS);
        let named = faults;
        Ok(RowFaults { named, count })
    }
}

/// One leaf as it travels.
pub(super) fn packed(code: &RowCode, digest: &Digest) -> [u8; LEAF_BYTES] {
    let mut leaf = [0; LEAF_BYTES];
    let (head, tail) = leaf.split_at_mut(CODE_BYTES);
    head.copy_from_slice(&code.packed());
    tail.copy_from_slice(digest.as_bytes());
    leaf
}

/// What is committed to and not found, and the other way round; of the same code, one is taken for the other altered.
fn differences(committed: &[Leaf], found: &[Leaf], rows: &[u64]) -> Vec<RowFault> {
    let mut wanted: BTreeMap<(RowCode, [u8; 32]), Vec<u64>> = BTreeMap::new();
    for (at, leaf) in (1..).zip(committed) {
        let key = (leaf.code, *leaf.digest.as_bytes());
        wanted.entry(key).or_default().push(at);
    }
    let mut strange: Vec<(RowCode, u64)> = Vec::new();
    for (leaf, row) in found.iter().zip(rows) {
        let key = (leaf.code, *leaf.digest.as_bytes());
        let met = wanted.get_mut(&key).and_then(Vec::pop);
        if met.is_none() {
            strange.push((leaf.code, *row));
        }
    }
    let mut missing: BTreeMap<RowCode, Vec<u64>> = BTreeMap::new();
    for ((code, _), places) in wanted {
        missing.entry(code).or_default().extend(places);
    }
    missing
        .values_mut()
        .for_each(|places| places.sort_by(|a, b| b.cmp(a)));
    let mut faults = Vec::new();
    for (code, row) in strange {
        let altered = missing.get_mut(&code).and_then(Vec::pop);
        let code = code.text();
        faults.push(match altered {
            Some(committed) => RowFault::Altered {
                row,
                committed,
                code,
            },
            None => RowFault::Added { row, code },
        });
    }
    for (code, places) in missing {
        faults.extend(places.into_iter().map(|committed| RowFault::Omitted {
            committed,
            code: code.text(),
        }));
    }
    faults
}

impl RowFault {
    /// What is wrong, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Omitted { committed, code } => {
                format!("缺少清单所载第{committed}行（{code}）")
            }
            Self::Added { row, code } => format!("第{row}行（{code}）不在清单内"),
            Self::Altered {
                row,
                committed,
                code,
            } => format!("第{row}行（{code}）与清单所载第{committed}行不符"),
            Self::Misdirected { row, code } => format!("第{row}行（{code}）属于其他区划"),
        }
    }

    /// What is wrong, in English.
    pub fn en(&self) -> String {
        match self {
            Self::Omitted { committed, code } => {
                format!("row {committed} ({code}) of the manifest is missing")
            }
            Self::Added { row, code } => format!("row {row} ({code}) was added"),
            Self::Altered {
                row,
                committed,
                code,
            } => {
                format!("row {row} ({code}) is not row {committed} of the manifest: altered")
            }
            Self::Misdirected { row, code } => {
                format!("row {row} ({code}) is another's: misdirected")
            }
        }
    }
}

/// In English, as findings quote it.
impl fmt::Display for RowFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<_> = self.named.iter().map(RowFault::en).collect();
        f.write_str(&named.join("; "))?;
        match self.count.saturating_sub(self.named.len()) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
