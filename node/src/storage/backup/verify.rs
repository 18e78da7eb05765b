//! Whether a backup is whole.

use std::io::{self, Read};
use std::path::Path;

use identity::{Moment, OpeningKey};

use super::BackupError;
use super::manifest::{Kind, Manifest};
use super::part::{PartReader, check_digest};
use crate::storage::journal::frames::{Chained, FramesError};

/// Most problems that are named one by one.
pub const MAX_PROBLEMS: usize = 100;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Whose it is.
    pub node: String,
    /// When its newest run ended.
    pub made: Moment,
    /// The last batch that it names.
    pub batches: u64,
    /// Records of the ledger that were read; none when it is sealed and no key was given.
    pub records: Option<u64>,
    /// Parts in all.
    pub parts: u64,
    /// Whether the node's keys are in it.
    pub keys: bool,
    /// To whom it is sealed.
    pub recipient: Option<String>,
    /// What is missing or damaged, the first of it.
    pub problems: Vec<String>,
}

/// Reads all of a backup: the digest of every part, and every record of its ledger where it can be opened.
///
/// # Errors
/// [`BackupError`] when there is no backup, or the key given is not its.
pub fn verify(folder: &Path, key: Option<&OpeningKey>) -> Result<Verified, BackupError> {
    let manifest =
        Manifest::load(folder)?.ok_or_else(|| BackupError::Nothing(folder.to_path_buf()))?;
    let readable = manifest.recipient.is_none() || key.is_some();
    let mut problems = Vec::new();
    let mut note = |error: BackupError| match error {
        BackupError::NotOpened(_) => Err(error),
        other => {
            if problems.len() < MAX_PROBLEMS {
                problems.push(other.to_string());
            }
            Ok(())
        }
    };
    let mut chained = Chained::BEGINNING;
    let mut whole = true;
    for (first, last, part) in manifest.ledger() {
        let name = part.kind.name();
        let checked = check_digest(folder, part).and_then(|()| {
            if !whole || !readable {
                return Ok(());
            }
            if first != chained.batches + 1 {
                return Err(gap(chained.batches + 1, first - 1));
            }
            let mut source =
                PartReader::open(folder, &part.kind, manifest.recipient.as_ref(), key)?;
            chained.follow::<BackupError>(&mut source, |_, _| Ok(()))?;
            (chained.batches == last)
                .then_some(())
                .ok_or_else(|| BackupError::Part {
                    name,
                    why: format!("it ends at batch {}", chained.batches),
                })
        });
        if let Err(error) = checked {
            whole = false;
            note(error)?;
        }
    }
    if readable && whole && chained.checksum != *manifest.end.checksum.as_bytes() {
        note(gap(chained.batches + 1, manifest.end.batches))?;
    }
    for part in &manifest.parts {
        if matches!(part.kind, Kind::Ledger { .. }) {
            continue;
        }
        let checked = check_digest(folder, part).and_then(|()| {
            if !readable {
                return Ok(());
            }
            let recipient = manifest.recipient.as_ref();
            let mut source = PartReader::open(folder, &part.kind, recipient, key)?;
            drain(&mut source).map_err(|error| BackupError::Part {
                name: part.kind.name(),
                why: error.to_string(),
            })
        });
        if let Err(error) = checked {
            note(error)?;
        }
    }
    Ok(Verified {
        keys: manifest
            .parts
            .iter()
            .any(|part| matches!(part.kind, Kind::Key(_))),
        parts: manifest.parts.len() as u64,
        records: readable.then_some(chained.records),
        batches: manifest.end.batches,
        recipient: manifest.recipient.map(|it| it.to_string()),
        node: manifest.node,
        made: manifest.made,
        problems,
    })
}

fn gap(first: u64, last: u64) -> BackupError {
    FramesError::Broken {
        batch: first,
        what: format!("batches {first} to {last} are not in the backup"),
    }
    .into()
}

fn drain(source: &mut dyn Read) -> io::Result<()> {
    io::copy(source, &mut io::sink()).map(|_| ())
}
