//! Making a backup, or bringing one up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use identity::{Digest, Moment};

use super::manifest::{End, Kind, Manifest, Part, VERSION};
use super::part::PartWriter;
use super::recipient::Recipient;
use super::{BackupError, LEDGER_FOLDER};
use crate::storage::journal::frames::{self, FramesError};
use crate::storage::key::MARK_FILE;
use crate::storage::lock::DataLock;
use crate::storage::{OBJECTS_FOLDER, VAULT_FOLDER};

/// What stands in a data folder beside the ledger and the files, and is no secret.
const FILES: [&str; 6] = [
    "node.toml",
    "root.pub",
    "chain.json",
    "enrolment-request.json",
    "tokens.toml",
    MARK_FILE,
];
/// Folders of what is secret.
const SECRETS: [&str; 2] = ["keys", "tokens"];

/// What is to be backed up, and where to.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// The data folder. A node may be running on it.
    pub data: &'a Path,
    /// The backup's folder, made when it does not exist.
    pub to: &'a Path,
    /// The last batch that is known to be durable.
    pub end: u64,
    /// Whose it is, for people.
    pub node: String,
    /// Now.
    pub now: Moment,
    /// To whom every part is sealed.
    pub recipient: Option<Recipient>,
    /// Shared files too, not the ledger alone.
    pub objects: bool,
    /// Personal content too.
    pub personal: bool,
    /// The node's keys and the storage key, which lies in this file, too.
    pub keys: Option<PathBuf>,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Taken {
    /// The last batch in the backup.
    pub batches: u64,
    /// Parts in all.
    pub parts: u64,
    /// Parts that were written by this run.
    pub written: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// One run over a backup's folder.
struct Run<'a> {
    wanted: &'a Wanted<'a>,
    before: Option<Manifest>,
    /// Parts of the run before by kind, each kept or dropped.
    known: BTreeMap<Kind, Part>,
    parts: Vec<Part>,
    written: u64,
    bytes: u64,
}

/// Brings the backup in a folder up to date: only what is new is written.
///
/// # Errors
/// [`BackupError`]; the backup as it was before stands.
pub fn take(wanted: &Wanted<'_>) -> Result<Taken, BackupError> {
    if wanted.keys.is_some() && wanted.recipient.is_none() {
        return Err(BackupError::KeysInClear);
    }
    let _lock = DataLock::acquire(wanted.to)?;
    let before = Manifest::load(wanted.to)?;
    check_recipient(before.as_ref(), wanted)?;
    let known = before.iter().flat_map(|manifest| manifest.parts.clone());
    let mut run = Run {
        wanted,
        known: known.map(|part| (part.kind.clone(), part)).collect(),
        before,
        parts: Vec::new(),
        written: 0,
        bytes: 0,
    };
    let end = run.ledger()?;
    let sealed = fs::read_to_string(wanted.data.join(MARK_FILE)).unwrap_or_default();
    run.files()?;
    let resealed = run.before.as_ref().is_some_and(|it| it.sealed != sealed);
    if wanted.objects {
        run.folder(OBJECTS_FOLDER, resealed, Kind::Object)?;
    }
    if wanted.personal {
        run.folder(VAULT_FOLDER, resealed, Kind::Personal)?;
    }
    if let Some(storage_key) = &wanted.keys {
        run.keys(storage_key)?;
    }
    let manifest = Manifest {
        version: VERSION,
        node: wanted.node.clone(),
        made: wanted.now,
        recipient: wanted.recipient,
        end,
        sealed,
        parts: run.parts,
    };
    manifest.save(wanted.to)?;
    sweep(wanted.to, &manifest)?;
    Ok(Taken {
        batches: end.batches,
        parts: manifest.parts.len() as u64,
        written: run.written,
        bytes: run.bytes,
    })
}

fn check_recipient(before: Option<&Manifest>, wanted: &Wanted<'_>) -> Result<(), BackupError> {
    let shown = |recipient: Option<Recipient>| {
        recipient.map_or_else(|| "无 (nobody)".to_owned(), |it| it.to_string())
    };
    match before {
        Some(manifest) if manifest.recipient != wanted.recipient => {
            Err(BackupError::AnotherRecipient {
                found: shown(manifest.recipient),
                asked: shown(wanted.recipient),
            })
        }
        Some(_) | None => Ok(()),
    }
}

impl Run<'_> {
    /// The ledger up to the wanted batch. Of a closed file there is one part in the end; of the open one, one for each run.
    fn ledger(&mut self) -> Result<End, BackupError> {
        let old = self
            .before
            .as_ref()
            .map_or(End::BEGINNING, |manifest| manifest.end);
        if old.batches > self.wanted.end {
            return Err(BackupError::AnotherLedger {
                backed_up: old.batches,
            });
        }
        let dir = self.wanted.data.join(LEDGER_FOLDER);
        let mut end = old;
        for (first, last, closed) in frames::files(&dir, self.wanted.end)? {
            if closed && self.keep(&Kind::Ledger { first, last }) {
                continue;
            }
            let mut from = first;
            if !closed {
                // As far as they follow one another and lie there whole; what is missing is written anew.
                for (begins, ends) in self.within(first) {
                    let kind = Kind::Ledger {
                        first: begins,
                        last: ends,
                    };
                    if begins != from || ends > last || !self.keep(&kind) {
                        break;
                    }
                    from = ends + 1;
                }
            }
            if from <= last {
                end = self.batches(&dir, (first, from, last), old)?;
            }
        }
        if end.batches == self.wanted.end {
            return Ok(end);
        }
        Err(FramesError::Broken {
            batch: end.batches + 1,
            what: "the ledger's files end before it".to_owned(),
        }
        .into())
    }

    /// Parts of the run before that begin in the file whose first batch is `first`, the last file.
    fn within(&self, first: u64) -> Vec<(u64, u64)> {
        let known = self.before.iter().flat_map(Manifest::ledger);
        known
            .map(|(begins, ends, _)| (begins, ends))
            .filter(|(begins, _)| *begins >= first)
            .collect()
    }

    fn batches(
        &mut self,
        dir: &Path,
        (name, first, last): (u64, u64, u64),
        old: End,
    ) -> Result<End, BackupError> {
        let kind = Kind::Ledger { first, last };
        let mut out = PartWriter::create(self.wanted.to, kind, self.wanted.recipient.as_ref())?;
        let known = *old.checksum.as_bytes();
        let checksum = frames::copy(
            dir,
            (name, first, last),
            &mut out,
            |batch, previous, checksum| {
                let of_the_same = (batch != old.batches || checksum == known)
                    && (batch != old.batches + 1 || previous == known);
                let backed_up = old.batches;
                of_the_same
                    .then_some(())
                    .ok_or(BackupError::AnotherLedger { backed_up })
            },
        )?;
        self.wrote(out.finish()?);
        Ok(End {
            batches: last,
            checksum: Digest::from_bytes(checksum),
        })
    }

    /// Keeps a part of the run before, if it is there.
    fn keep(&mut self, kind: &Kind) -> bool {
        let lies = self
            .known
            .get(kind)
            .filter(|part| {
                let path = self.wanted.to.join(part.kind.name());
                fs::metadata(path).is_ok_and(|found| found.len() == part.bytes)
            })
            .cloned();
        let kept = lies.is_some();
        self.parts.extend(lies);
        kept
    }

    fn wrote(&mut self, part: Part) {
        self.written += 1;
        self.bytes += part.bytes;
        self.parts.push(part);
    }

    fn copy(&mut self, from: &Path, kind: Kind) -> Result<(), BackupError> {
        let mut file = match File::open(from) {
            // What is not there, or was lawfully erased since the folder was read, is not to be kept.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened.map_err(|source| BackupError::io(from, source))?,
        };
        let mut out = PartWriter::create(self.wanted.to, kind, self.wanted.recipient.as_ref())?;
        io::copy(&mut file, &mut out).map_err(|source| BackupError::io(from, source))?;
        self.wrote(out.finish()?);
        Ok(())
    }

    /// What is small is copied each time.
    fn files(&mut self) -> Result<(), BackupError> {
        for name in FILES {
            self.copy(&self.wanted.data.join(name), Kind::File(name.to_owned()))?;
        }
        Ok(())
    }

    /// The whole files of an object store. They never change, but for their headers when the storage key does.
    fn folder(
        &mut self,
        folder: &str,
        resealed: bool,
        kind: fn(String) -> Kind,
    ) -> Result<(), BackupError> {
        let top = self.wanted.data.join(folder);
        for shelf in entries(&top)? {
            // Shelves are named by two digits; beside them lies only what is not whole yet.
            let Some(name) = named(&shelf).filter(|name| name.len() == 2) else {
                continue;
            };
            for file in entries(&shelf)? {
                let Some(object) = named(&file) else {
                    continue;
                };
                let kind = kind(format!("{folder}/{name}/{object}"));
                if resealed || !self.keep(&kind) {
                    self.copy(&file, kind)?;
                }
            }
        }
        Ok(())
    }

    fn keys(&mut self, storage_key: &Path) -> Result<(), BackupError> {
        for folder in SECRETS {
            for file in entries(&self.wanted.data.join(folder))? {
                if let Some(name) = named(&file) {
                    self.copy(&file, Kind::Key(format!("{folder}/{name}")))?;
                }
            }
        }
        self.copy(storage_key, Kind::StorageKey)
    }
}

fn named(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

/// What lies in a folder, in the order of its names; nothing where there is no folder.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let io = |source| BackupError::io(folder, source);
    let read = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.map_err(io)?,
    };
    let mut found = read
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io)?;
    found.sort();
    Ok(found)
}

/// Takes away what a run before left behind or this one made needless: what the manifest does not name.
fn sweep(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let named: BTreeSet<PathBuf> = manifest
        .parts
        .iter()
        .map(|part| folder.join(part.kind.name()))
        .collect();
    let mut folders: Vec<PathBuf> = ["ledger", "files", "objects", "personal", "keys"]
        .map(|name| folder.join(name))
        .to_vec();
    while let Some(next) = folders.pop() {
        for path in entries(&next)? {
            if path.is_dir() {
                folders.push(path);
            } else if !named.contains(&path) {
                fs::remove_file(&path).map_err(|source| BackupError::io(&path, source))?;
            }
        }
    }
    Ok(())
}
