//! What a backup says it holds.

use std::fs;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

use identity::{Digest, Moment};
use serde::{Deserialize, Serialize};

use super::BackupError;
use super::recipient::Recipient;
use crate::storage::disk;

/// Name of the manifest in a backup's folder: what is not named in it does not count.
pub const MANIFEST_FILE: &str = "backup.json";
/// The format of backups written and read here.
pub const VERSION: u32 = 1;
/// Most bytes of a manifest: four million parts, two hundred bytes for each.
const MAX_MANIFEST_BYTES: u64 = 800 << 20;

/// A backup as its newest run left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// Whose ledger it is: the node's name or place, for people.
    pub node: String,
    /// When the newest run ended.
    pub made: Moment,
    /// To whom every part is sealed; in clear without.
    pub recipient: Option<Recipient>,
    /// How far the ledger goes.
    pub end: End,
    /// Under which storage key the files lie sealed, as the data folder says it: they are copied anew when it changes.
    pub sealed: String,
    /// Everything that belongs to it.
    pub parts: Vec<Part>,
}

/// The last batch of the ledger in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its number.
    pub batches: u64,
    /// Its checksum, from which the ledger goes on.
    pub checksum: Digest,
}

impl End {
    /// Before the first batch.
    pub const BEGINNING: Self = Self {
        batches: 0,
        checksum: Digest::from_bytes([0; 32]),
    };
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is.
    pub kind: Kind,
    /// Its bytes as they lie in the backup.
    pub bytes: u64,
    /// Their blake3.
    pub digest: Digest,
}

/// What a part is, and where it belongs in a data folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Batches of the ledger.
    Ledger {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Configuration and certificates.
    File(String),
    /// A shared file, sealed as it lies.
    Object(String),
    /// Personal content, sealed as it lies.
    Personal(String),
    /// A key or token of the node.
    Key(String),
    /// The key under which files and personal content lie.
    StorageKey,
}

impl Kind {
    /// The part's name in the backup: where it lies, and under what it is sealed.
    pub fn name(&self) -> String {
        match self {
            Self::Ledger { first, last } => format!("ledger/{first:020}-{last:020}"),
            Self::File(place) => format!("files/{place}"),
            Self::Object(place) => format!("objects/{place}"),
            Self::Personal(place) => format!("personal/{place}"),
            Self::Key(place) => format!("keys/{place}"),
            Self::StorageKey => "keys/storage".to_owned(),
        }
    }

    /// The path in the data folder, for what has one.
    pub(super) fn place(&self) -> Option<&str> {
        match self {
            Self::Ledger { .. } | Self::StorageKey => None,
            Self::File(place) | Self::Object(place) | Self::Personal(place) | Self::Key(place) => {
                Some(place)
            }
        }
    }
}

impl Manifest {
    /// Reads the manifest of a backup; none where there is no backup yet.
    ///
    /// # Errors
    /// [`BackupError`]: it cannot be read, is of another version, or names places outside a data folder.
    pub fn load(folder: &Path) -> Result<Option<Self>, BackupError> {
        let file = folder.join(MANIFEST_FILE);
        let malformed = |what: String| BackupError::Malformed {
            file: file.clone(),
            what,
        };
        let length = match fs::metadata(&file) {
            Ok(found) => found.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(BackupError::io(&file, source)),
        };
        if length > MAX_MANIFEST_BYTES {
            return Err(malformed(format!(
                "{length} bytes, more than {MAX_MANIFEST_BYTES}"
            )));
        }
        let text = fs::read(&file).map_err(|source| BackupError::io(&file, source))?;
        /// What every version says first.
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let versioned: Versioned =
            serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        if versioned.version != VERSION {
            return Err(BackupError::AnotherVersion {
                file,
                found: versioned.version,
            });
        }
        let manifest: Self =
            serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
        for part in &manifest.parts {
            if part.kind.place().is_some_and(|place| !is_inside(place)) {
                return Err(malformed(format!("{} leads out of it", part.kind.name())));
            }
        }
        Ok(Some(manifest))
    }

    /// Puts this manifest durably in the place of the one before.
    pub(super) fn save(&self, folder: &Path) -> Result<(), BackupError> {
        let file = folder.join(MANIFEST_FILE);
        let temporary = folder.join(format!("{MANIFEST_FILE}.tmp"));
        let io = |source| BackupError::io(&file, source);
        let text = serde_json::to_vec(self).map_err(|error| io(error.into()))?;
        let mut out = disk::private()
            .create(true)
            .truncate(true)
            .open(&temporary)
            .map_err(io)?;
        out.write_all(&text).map_err(io)?;
        out.sync_all().map_err(io)?;
        fs::rename(&temporary, &file).map_err(io)?;
        disk::sync_folder(folder).map_err(io)
    }

    /// The ledger's parts in their order.
    pub(super) fn ledger(&self) -> Vec<(u64, u64, &Part)> {
        let mut parts: Vec<_> = self
            .parts
            .iter()
            .filter_map(|part| match part.kind {
                Kind::Ledger { first, last } => Some((first, last, part)),
                Kind::File(_)
                | Kind::Object(_)
                | Kind::Personal(_)
                | Kind::Key(_)
                | Kind::StorageKey => None,
            })
            .collect();
        parts.sort_by_key(|(first, ..)| *first);
        parts
    }
}

/// Whether a place stays within the folder that it is taken from.
fn is_inside(place: &str) -> bool {
    !place.is_empty()
        && PathBuf::from(place)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}
