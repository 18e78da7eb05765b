//! Making a data folder out of a backup.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use identity::{Moment, OpeningKey};
use serde::{Deserialize, Serialize};

use super::manifest::{Kind, Manifest, Part};
use super::part::{PartReader, check_digest};
use super::recipient::Recipient;
use super::take::entries;
use super::verify::MAX_PROBLEMS;
use super::{BackupError, LEDGER_FOLDER};
use crate::storage::disk;
use crate::storage::journal::frames::Chained;
use crate::storage::journal::{ROLL_BYTES, file_path};
use crate::storage::lock::{DataLock, LOCK_FILE};

/// Stands in a data folder while it is being restored: a node does not start on it, and the next attempt begins anew.
pub const RESTORING_FILE: &str = "RESTORING";
/// Stands in a data folder that was restored, until the node has compared its ledger with what others cosigned.
pub const RESTORED_FILE: &str = "RESTORED";

/// How a backup is restored.
#[derive(Debug, Clone)]
pub struct How<'a> {
    /// The backup's folder.
    pub from: &'a Path,
    /// The data folder: empty, or left by an attempt that was interrupted.
    pub data: &'a Path,
    /// Opens a sealed backup.
    pub key: Option<&'a OpeningKey>,
    /// Where the storage key is to lie, when it is in the backup.
    pub storage_key: &'a Path,
    /// Takes what is whole and names the rest, where a backup is damaged or cut short.
    pub what_is_left: bool,
    /// Now.
    pub now: Moment,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Whose it is.
    pub node: String,
    /// When the backup was made.
    pub made: Moment,
    /// Batches of the ledger.
    pub batches: u64,
    /// Records of the ledger.
    pub records: u64,
    /// Shared files and contents, with their trees.
    pub files: u64,
    /// Whether the node's keys were in it.
    pub keys: bool,
    /// What the backup names and does not hold whole.
    pub missing: Vec<String>,
}

/// The mark of a restored folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// When the backup was made.
    pub made: Moment,
    /// When it was restored.
    pub restored: Moment,
    /// Batches of the ledger that it held.
    pub batches: u64,
}

/// Restores a backup. Every part's digest and every batch of the ledger is checked before it counts.
///
/// # Errors
/// [`BackupError`]; the folder then holds [`RESTORING_FILE`] and no node starts on it, or it is as it was.
pub fn restore(how: &How<'_>) -> Result<Restored, BackupError> {
    let manifest =
        Manifest::load(how.from)?.ok_or_else(|| BackupError::Nothing(how.from.to_path_buf()))?;
    if manifest.recipient.is_some() && how.key.is_none() {
        return Err(BackupError::KeyWanted);
    }
    check_free(how.data)?;
    let _lock = DataLock::acquire(how.data)?;
    check_free(how.data)?;
    let restoring = how.data.join(RESTORING_FILE);
    write_durably(&restoring, &mut &b""[..])?;
    clear(how.data)?;
    let mut restored = Restored {
        node: manifest.node.clone(),
        made: manifest.made,
        batches: 0,
        records: 0,
        files: 0,
        keys: false,
        missing: Vec::new(),
    };
    ledger(how, &manifest, &mut restored)?;
    for part in &manifest.parts {
        let done = put(how, manifest.recipient.as_ref(), part, &mut restored);
        or_missing(how, done, &mut restored)?;
    }
    let mark = Mark {
        made: manifest.made,
        restored: how.now,
        batches: restored.batches,
    };
    let mark = serde_json::to_vec(&mark)
        .map_err(|error| BackupError::io(&how.data.join(RESTORED_FILE), error.into()))?;
    write_durably(&how.data.join(RESTORED_FILE), &mut mark.as_slice())?;
    fs::remove_file(&restoring)
        .and_then(|()| disk::sync_folder(how.data))
        .map_err(|source| BackupError::io(&restoring, source))?;
    Ok(restored)
}

/// The mark of a data folder that was restored and has not been compared yet.
///
/// # Errors
/// When it cannot be read. One that does not parse is a mark all the same.
pub fn restored(data: &Path) -> io::Result<bool> {
    data.join(RESTORED_FILE).try_exists()
}

/// Takes the mark away: the node has compared.
///
/// # Errors
/// When the disk refuses; the node then compares once more at its next start.
pub fn released(data: &Path) -> io::Result<()> {
    match fs::remove_file(data.join(RESTORED_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => disk::sync_folder(data),
    }
}

/// What is missing ends it, unless whatever is left is wanted.
fn or_missing(
    how: &How<'_>,
    done: Result<(), BackupError>,
    restored: &mut Restored,
) -> Result<(), BackupError> {
    match done {
        Err(error @ (BackupError::Part { .. } | BackupError::Frames(_))) if how.what_is_left => {
            if restored.missing.len() < MAX_PROBLEMS {
                restored.missing.push(error.to_string());
            }
            Ok(())
        }
        other => other,
    }
}

/// That a folder is empty, does not exist, or was being restored.
fn check_free(data: &Path) -> Result<(), BackupError> {
    let found = entries(data)?;
    let begun = data.join(RESTORING_FILE).exists();
    let only_lock = found.iter().all(|path| path.ends_with(LOCK_FILE));
    if begun || only_lock {
        Ok(())
    } else {
        Err(BackupError::NotEmpty(data.to_path_buf()))
    }
}

/// Takes away what an interrupted attempt left.
fn clear(data: &Path) -> Result<(), BackupError> {
    for path in entries(data)? {
        if path.ends_with(LOCK_FILE) || path.ends_with(RESTORING_FILE) {
            continue;
        }
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|source| BackupError::io(&path, source))?;
    }
    Ok(())
}

/// The ledger's files as a node would have rolled them.
struct Files<'a> {
    dir: &'a Path,
    open: Option<File>,
    length: u64,
}

impl Files<'_> {
    fn put(&mut self, batch: u64, bytes: &[u8]) -> io::Result<()> {
        if self.open.is_none() || self.length + bytes.len() as u64 > ROLL_BYTES {
            self.close()?;
            let path = file_path(self.dir, batch);
            self.open = Some(disk::private().create_new(true).open(path)?);
            self.length = 0;
        }
        if let Some(file) = &mut self.open {
            file.write_all(bytes)?;
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        match self.open.take() {
            Some(file) => file.sync_all(),
            None => Ok(()),
        }
    }
}

fn ledger(how: &How<'_>, manifest: &Manifest, restored: &mut Restored) -> Result<(), BackupError> {
    let dir = how.data.join(LEDGER_FOLDER);
    let io_at = |source| BackupError::io(&dir, source);
    disk::make_folder(&dir).map_err(io_at)?;
    let mut files = Files {
        dir: &dir,
        open: None,
        length: 0,
    };
    let mut chained = Chained::BEGINNING;
    let mut done = Ok(());
    for (.., part) in manifest.ledger() {
        done = check_digest(how.from, part).and_then(|()| {
            let recipient = manifest.recipient.as_ref();
            let mut source = PartReader::open(how.from, &part.kind, recipient, how.key)?;
            chained.follow::<BackupError>(&mut source, |batch, bytes| {
                files.put(batch, bytes).map_err(io_at)
            })
        });
        if done.is_err() {
            break;
        }
    }
    files.close().map_err(io_at)?;
    disk::sync_folder(&dir).map_err(io_at)?;
    (restored.batches, restored.records) = (chained.batches, chained.records);
    let (first, last) = (chained.batches + 1, manifest.end.batches);
    if done.is_ok() && chained.checksum != *manifest.end.checksum.as_bytes() {
        done = Err(super::FramesError::Broken {
            batch: first,
            what: "the ledger does not end where the backup says".to_owned(),
        }
        .into());
    }
    let lost = done.is_err();
    or_missing(how, done, restored)?;
    if lost {
        restored.missing.push(format!(
            "账本第 {first} 至 {last} 批 (batches {first} to {last} of the ledger)"
        ));
    }
    Ok(())
}

/// Puts one part in its place.
fn put(
    how: &How<'_>,
    recipient: Option<&Recipient>,
    part: &Part,
    restored: &mut Restored,
) -> Result<(), BackupError> {
    let path: PathBuf = match &part.kind {
        Kind::Ledger { .. } => return Ok(()),
        Kind::StorageKey => how.storage_key.to_path_buf(),
        Kind::File(place) | Kind::Object(place) | Kind::Personal(place) | Kind::Key(place) => {
            how.data.join(place)
        }
    };
    check_digest(how.from, part)?;
    let mut source = PartReader::open(how.from, &part.kind, recipient, how.key)?;
    if part.kind == Kind::StorageKey && path.exists() {
        return same_key(&path, &mut source);
    }
    write_durably(&path, &mut source)?;
    match part.kind {
        Kind::Object(_) | Kind::Personal(_) => restored.files += 1,
        Kind::Key(_) => restored.keys = true,
        Kind::Ledger { .. } | Kind::File(_) | Kind::StorageKey => {}
    }
    Ok(())
}

/// A storage key that lies in the place of the one in the backup stays, and must be that one.
fn same_key(path: &Path, source: &mut dyn Read) -> Result<(), BackupError> {
    let io_at = |source| BackupError::io(path, source);
    let (mut wanted, held) = (Vec::new(), fs::read(path).map_err(io_at)?);
    source.read_to_end(&mut wanted).map_err(io_at)?;
    if held == wanted {
        Ok(())
    } else {
        Err(BackupError::NotEmpty(path.to_path_buf()))
    }
}

fn write_durably(path: &Path, source: &mut dyn Read) -> Result<(), BackupError> {
    let io_at = |source| BackupError::io(path, source);
    if let Some(folder) = path.parent() {
        disk::make_folder(folder).map_err(io_at)?;
    }
    let mut out = disk::private()
        .create(true)
        .truncate(true)
        .open(path)
        .map_err(io_at)?;
    io::copy(source, &mut out).map_err(io_at)?;
    out.sync_all().map_err(io_at)?;
    match path.parent() {
        Some(folder) => disk::sync_folder(folder).map_err(io_at),
        None => Ok(()),
    }
}
