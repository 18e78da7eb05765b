//! What is recorded of a delivery: by the target beside it, and by the command whether it succeeded or not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::DataError;

/// Most characters of a delivery's name.
pub const MAX_DELIVERY_ID: usize = 64;

/// The name of a delivery at its target, such as `20260309T120000Z`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeliveryId(String);

impl FromStr for DeliveryId {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let right = (1..=MAX_DELIVERY_ID).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if right {
            Ok(Self(text.to_owned()))
        } else {
            Err(DataError::Address(format!(
                "{text:?}: 1-{MAX_DELIVERY_ID} [A-Za-z0-9-]"
            )))
        }
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = DataError;

    fn try_from(text: String) -> Result<Self, DataError> {
        text.parse()
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a source says of the snapshot that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The address, without a password.
    pub source: String,
    /// The query, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub query: Option<String>,
    /// The source's own name of the snapshot, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snapshot: Option<String>,
    /// The source's own count of its rows, where it counts.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rows: Option<u64>,
}

/// A delivery as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its name.
    pub delivery: DeliveryId,
    /// When it was begun, RFC 3339.
    pub at: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The columns with their types, as `name:type`.
    pub columns: Vec<String>,
    /// The columns that are masked or withheld.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub masked: Vec<String>,
    /// Rows read.
    pub read: u64,
    /// Rows delivered: fewer than read when only those above a watermark are.
    pub rows: u64,
    /// The watermark's column, and how far this delivery comes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub watermark: Option<Reached>,
    /// What it did at the target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub outcome: Option<Outcome>,
}

/// How far a delivery by watermark came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// The column.
    pub column: String,
    /// Its highest value; absent while no row was ever seen.
    pub value: Option<String>,
}

/// What a delivery did at its target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// A file stands under its name.
    File {
        /// Its digest.
        digest: String,
        /// Its bytes.
        bytes: u64,
    },
    /// A folder with these files.
    Files {
        /// The folder of the delivery.
        folder: String,
        /// The files, sorted.
        files: Vec<Part>,
        /// Rows whose division is absent, malformed or not in the tree of divisions.
        unplaced: u64,
        /// Whether the files are encrypted.
        encrypted: bool,
    },
    /// A table was kept in step.
    Table {
        /// New rows.
        inserted: u64,
        /// Rows with other values.
        updated: u64,
        /// Rows that are gone.
        deleted: u64,
    },
}

/// One file of a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Its path below the delivery's folder.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its digest.
    pub digest: String,
}
