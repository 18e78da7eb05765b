//! Backups: a folder that holds a node's ledger up to a batch, its files as they lie, and what is asked for besides.
//!
//! ```text
//! backup.json                 the manifest: every part with its digest, and how far the ledger goes
//! ledger/<first>-<last>       batches, byte for byte; closed files of the ledger are one part each
//! objects/…, personal/…       files and personal content, sealed under the storage key as they lie in the data folder
//! files/…                     configuration, certificates, digests of tokens
//! keys/…                      only when asked for, and then only sealed to a recovery key
//! ```
//!
//! A run writes what is new, then the manifest in one step, then takes away what it no longer names. Killed anywhere, the manifest before
//! stands and all it names is there. The ledger's end comes first and the files after it: whatever a record speaks of was stored before it.
//! Data and keys are apart: without `keys/` a backup says nothing in the node's name, and its files open under the storage key alone.

mod manifest;
mod part;
mod recipient;
mod restore;
mod take;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

pub use self::manifest::{End, Kind, MANIFEST_FILE, Manifest, Part};
pub use self::recipient::{NoRecipient, Recipient, opening};
pub use self::restore::{
    How, Mark, RESTORED_FILE, RESTORING_FILE, Restored, released, restore, restored,
};
pub use self::take::{Taken, Wanted, take};
pub use self::verify::{MAX_PROBLEMS, Verified, verify};

use super::journal::JournalError;
use super::journal::frames::{self, FramesError};
use super::lock::LockError;

/// Why no backup was made, or none could be used. What stood before stands.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The disk refuses.
    #[error("{}：{source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has one of the folders.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Batches are not whole, or not in order.
    #[error(transparent)]
    Frames(#[from] FramesError),
    /// There is no backup in the folder.
    #[error("{} 中没有备份：缺 {MANIFEST_FILE} (there is no backup here)", .0.display())]
    Nothing(PathBuf),
    /// What should be the manifest is none.
    #[error("{} 不是有效的备份清单：{what} (not a valid manifest)", .file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// Another version of the program made it.
    #[error("{} 的备份格式为 {found}，本版本读写格式 {} (a backup of another version)", .file.display(), manifest::VERSION)]
    AnotherVersion {
        /// Which file.
        file: PathBuf,
        /// The format found.
        found: u32,
    },
    /// A part is missing or damaged.
    #[error("备份中的 {name} 缺失或损坏：{why} (a part is missing or damaged)")]
    Part {
        /// Which.
        name: String,
        /// What was found.
        why: String,
    },
    /// The folder holds the backup of another ledger, or of this one as it was before an older copy took its place.
    #[error(
        "目标中备份的账本到第 {backed_up} 批，与本账本不是同一历史：请另用目录 (the backup there is of another ledger: use another folder)"
    )]
    AnotherLedger {
        /// The last batch of the backup.
        backed_up: u64,
    },
    /// The folder's backup is sealed otherwise than asked.
    #[error(
        "目标中的备份密封给 {found}，本次要求 {asked}：请另用目录 (the backup there is sealed to another key, or not at all: use another folder)"
    )]
    AnotherRecipient {
        /// To whom.
        found: String,
        /// What was asked.
        asked: String,
    },
    /// Keys leave a node sealed or not at all.
    #[error("密钥只能加密备份：请用 --recipient 指明恢复公钥 (keys are backed up sealed, or not)")]
    KeysInClear,
    /// The backup is sealed.
    #[error("备份已加密：请用 --recovery-key 指明恢复密钥 (the backup is sealed)")]
    KeyWanted,
    /// Another key, or changed bytes.
    #[error(
        "备份中的 {0} 无法解开：恢复密钥不符，或内容被改动 (cannot be opened: another key, or changed)"
    )]
    NotOpened(String),
    /// Nothing is restored over something.
    #[error("数据目录 {} 不是空的，未作任何改动 (the data folder is not empty; nothing was changed)", .0.display())]
    NotEmpty(PathBuf),
}

impl BackupError {
    fn io(file: &Path, source: io::Error) -> Self {
        Self::Io {
            file: file.to_path_buf(),
            source,
        }
    }
}

/// The last batch of the ledger in the data folder of a node that is stopped.
///
/// # Errors
/// [`BackupError::Journal`] when the ledger is not whole.
pub fn end_of(data: &Path) -> Result<u64, BackupError> {
    Ok(frames::last_whole(&data.join(LEDGER_FOLDER))?)
}

/// Folder of the ledger in a data folder.
pub(super) use super::store::LEDGER_FOLDER;

#[cfg(test)]
mod tests;
