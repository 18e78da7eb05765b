//! The folder in which one dataset is split: its runs, and of which snapshot they are.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use identity::{Digest, Domain};
use sharing::return_flow::DatasetId;

use super::SplitError;
use super::runs::Run;
use crate::storage::objects::Objects;

/// The file that names the snapshot. A folder without it is of no split that goes on.
const SNAPSHOT: &str = "snapshot";

/// The folder, which goes when the split ends. What lies in it is sealed as objects are.
#[derive(Debug)]
pub struct Scratch<'o> {
    objects: &'o Objects,
    folder: PathBuf,
    snapshot: Digest,
}

/// What was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing.
    New,
    /// Whole runs of the same snapshot.
    Resumed(Vec<Run>),
    /// Runs of another snapshot, which are removed: the split starts again.
    Changed,
}

impl<'o> Scratch<'o> {
    /// Opens the folder of a dataset for this snapshot.
    ///
    /// # Errors
    /// [`SplitError::Io`].
    pub fn open(
        objects: &'o Objects,
        dataset: &DatasetId,
        snapshot: &Digest,
    ) -> Result<(Self, Begun), SplitError> {
        let folder = objects.runs().join(dataset.as_str());
        let known = folder.join(SNAPSHOT);
        let scratch = Self {
            objects,
            folder,
            snapshot: *snapshot,
        };
        let begun = match fs::read_to_string(&known) {
            Ok(text) if text == snapshot.to_string() => Begun::Resumed(Run::found(&scratch)?),
            Ok(_) => Begun::Changed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Begun::New,
            Err(error) => return Err(error.into()),
        };
        if !matches!(begun, Begun::Resumed(_)) {
            remove(&scratch.folder)?;
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&scratch.folder)?;
            let unnamed = scratch.folder.join("snapshot-partial");
            fs::write(&unnamed, snapshot.to_string())?;
            fs::File::open(&unnamed)?.sync_all()?;
            fs::rename(&unnamed, &known)?;
        }
        Ok((scratch, begun))
    }

    /// Where the runs lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whose storage key seals them.
    pub(super) fn objects(&self) -> &'o Objects {
        self.objects
    }

    /// The name under which the run of this number is sealed: it opens as no other's.
    pub(super) fn name(&self, number: usize) -> Digest {
        let number = (number as u64).to_le_bytes();
        Digest::of_parts(Domain::Id, &[b"run", self.snapshot.as_bytes(), &number])
    }

    /// Removes it: first what a later split would go on by.
    ///
    /// # Errors
    /// [`SplitError::Io`].
    pub fn remove(self) -> Result<(), SplitError> {
        remove(&self.folder)
    }

    /// Removes the folders that no split goes on with, of those that a kill left.
    ///
    /// # Errors
    /// [`io::Error`].
    pub fn clear(runs: &Path) -> io::Result<()> {
        let entries = match fs::read_dir(runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let folder = entry?.path();
            if !folder.join(SNAPSHOT).is_file() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }
}

/// That what was not there is removed.
pub(super) fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn remove(folder: &Path) -> Result<(), SplitError> {
    gone(fs::remove_file(folder.join(SNAPSHOT)))?;
    Ok(gone(fs::remove_dir_all(folder))?)
}
