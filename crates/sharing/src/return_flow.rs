//! Return flow (回流): the level above returns to each level below the rows that are its own (R24).
//!
//! A source splits one snapshot of a table by administrative division. Every recipient gets its rows, the source's
//! signed [`Manifest`] (the same for all) and a [`Proof`] that ties its rows to the manifest's total. There is no field in
//! which a condition could be put.
//!
//! [`divisions`] is the tree by which a table is split, [`table`] reads and sorts it, [`remainder`] is what no division claims, [`manifest`]
//! commits to it and checks a part, [`leaves`] names the row that is wrong, [`delta`] carries the difference alone, [`workflow`] is the life of a
//! subscription.

use std::fmt;
use std::str::FromStr;

use identity::{Chain, Code, Digest, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use statute::Schedule;

use crate::act::{ObjectRef, SignedAct};

pub mod area;
pub mod assembly;
mod committed;
pub mod delta;
pub mod divisions;
mod growth;
pub mod intake;
pub mod leaves;
pub mod manifest;
pub mod order;
pub mod reception;
pub mod remainder;
mod sum_tree;
pub mod table;
pub mod workflow;

pub use area::{Area, AreaError};
pub use assembly::Assembly;
pub use committed::{Certificate, Committed};
pub use delta::{Changes, Delta, DeltaError};
pub use divisions::{Divisions, DivisionsError, REMAINDER};
pub use intake::Intake;
pub use leaves::{Leaves, RowFault, RowFaults};
pub use manifest::{
    BuildError, Built, Parcel, Part, PartError, PartVerdict, build, pass_on, verify_part,
};
pub use order::{RowKey, Sorting, Span};
pub use reception::Reception;
pub use remainder::{AssignError, Assigned, RemainderGroup, Unplaced};
pub use table::{Table, TableError};
pub use workflow::{Command, SubscriptionPhase, SubscriptionState, decide, evolve};

/// Most characters in a dataset's name.
pub const MAX_DATASET_ID: usize = 64;

/// Name of a dataset at its source, such as `divisions`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetId(String);

/// Why a text is no dataset's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a dataset's name has 1 to {MAX_DATASET_ID} of a-z, 0-9, '-' and '_', not {0:?}")]
pub struct DatasetIdError(String);

impl DatasetId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatasetId {
    type Err = DatasetIdError;

    fn from_str(text: &str) -> Result<Self, DatasetIdError> {
        let allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        if (1..=MAX_DATASET_ID).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DatasetIdError(text.chars().take(MAX_DATASET_ID).collect()))
        }
    }
}

impl TryFrom<String> for DatasetId {
    type Error = DatasetIdError;

    fn try_from(text: String) -> Result<Self, DatasetIdError> {
        text.parse()
    }
}

impl From<DatasetId> for String {
    fn from(id: DatasetId) -> Self {
        id.0
    }
}

impl fmt::Display for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a level subscribes to: its own rows of a dataset, by a schedule. There is no field for a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// The node that returns them: the source, or a node in between that passes its own rows on.
    pub source: Code,
    /// The node whose dataset it is: the source.
    pub origin: Code,
    /// Which dataset.
    pub dataset: DatasetId,
    /// Whose rows: the subscriber's division, or a township or village in it.
    pub area: Area,
    /// When they are due.
    pub schedule: Schedule,
}

/// A snapshot of a table to be returned, as the source's operator signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnTable {
    /// Which dataset.
    pub dataset: DatasetId,
    /// The snapshot in the source node's object store: CSV, or Parquet, whose rows are then read as lines of CSV.
    pub table: ObjectRef,
    /// The column that names the division (6, 9 or 12 digits).
    pub division_column: String,
    /// The column by which a row is the same row after a change, if there is one.
    pub key_column: Option<String>,
    /// To which divisions of today the rows of old codes belong: how the source settles them.
    pub assigned: Vec<Assigned>,
    /// The query or extract the snapshot came from, in words.
    pub query: String,
    /// The source's own count of data rows; the split must find exactly as many.
    pub source_rows: u64,
}

/// What the source commits to for one delivery: the same for every recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The source's place.
    pub source: Path,
    /// Which dataset.
    pub dataset: DatasetId,
    /// Number of this delivery, from 1.
    pub delivery: u64,
    /// When the snapshot was committed to.
    pub at: Moment,
    /// The query or extract.
    pub query: String,
    /// The column that names the division.
    pub division_column: String,
    /// Header line of the table, exactly.
    pub header: String,
    /// Rows in the snapshot.
    pub rows: u64,
    /// Old codes whose rows the source assigned to divisions of today.
    pub assigned: Vec<Assigned>,
    /// Rows whose division no place in the table's tree claims: the named remainder.
    pub remainder_rows: u64,
    /// The same by reason.
    pub remainder: Vec<RemainderGroup>,
    /// Root of the Merkle sum tree.
    pub root: SumNode,
}

/// A node of the Merkle sum tree: how many rows lie below, and their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumNode {
    /// Rows below this node.
    pub rows: u64,
    /// Digest of everything below this node.
    pub digest: Digest,
}

/// What a recipient is told of its part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartNotice {
    /// The source's manifest, signed by the source node, whoever passes the rows on.
    pub manifest: Signed<Manifest>,
    /// The source's chain, which proves that signature.
    pub signer: Chain,
    /// Whose rows these are.
    pub area: Area,
    /// How many.
    pub rows: u64,
    /// From the recipient's node of the tree up to the root.
    pub proof: Proof,
    /// The secret from which the salts of the rows below `area` derive.
    pub salt: [u8; 32],
    /// The rows (header, then rows in tree order), to be fetched from the subscription's home.
    pub part: ObjectRef,
    /// What leads to them from a part that the recipient has acknowledged.
    pub difference: Option<Difference>,
    /// The encoded [`Leaves`], for a recipient whose part does not hold.
    pub leaves: ObjectRef,
}

/// The way from one part to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The part it builds on.
    pub base: Digest,
    /// The encoded [`Delta`].
    pub delta: ObjectRef,
}

/// The path from one division's node of the tree to the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// From the division upward: at each step the ordered siblings with the place of the child among them.
    pub steps: Vec<ProofStep>,
}

/// One level of a [`Proof`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofStep {
    /// The division whose children these are.
    pub division: String,
    /// Its own rows: how many, and the root over their salted digests.
    pub own: SumNode,
    /// The siblings of the child, in order, each with its division code.
    pub before: Vec<(String, SumNode)>,
    /// See `before`.
    pub after: Vec<(String, SumNode)>,
}

/// Facts of one subscription's life; its home is the source's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReturnFlowEvent {
    /// A level subscribed to its own rows.
    Subscribed {
        /// The signed act.
        act: SignedAct,
        /// Who receives.
        recipient: Path,
        /// Who returns.
        source: Path,
        /// What was subscribed to.
        subscription: Subscription,
    },
    /// A delivery was committed to and the recipient told: intent.
    Delivering {
        /// Number of the delivery, rising from 1.
        delivery: u64,
        /// What the recipient is told.
        notice: PartNotice,
    },
    /// The recipient verified that every row of its own is there and none of anyone else: outcome.
    Delivered {
        /// Number of the delivery.
        delivery: u64,
        /// Rows received.
        rows: u64,
        /// When the recipient verified them.
        verified_at: Moment,
    },
    /// The recipient found the part wanting.
    Disputed {
        /// Number of the delivery.
        delivery: u64,
        /// What it found.
        finding: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dataset_is_named_in_small_letters_digits_and_dashes() {
        for good in ["divisions", "a", "x_1-y", &"z".repeat(MAX_DATASET_ID)] {
            assert_eq!(good.parse::<DatasetId>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "Divisions",
            "a b",
            "a/b",
            "..",
            "区划",
            &"z".repeat(MAX_DATASET_ID + 1),
        ] {
            assert!(bad.parse::<DatasetId>().is_err(), "{bad}");
        }
        assert!(identity::codec::decode::<DatasetId>(&identity::codec::encode("A/B"), 64).is_err());
    }
}
