//! Reading single bodies out of the ledger.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use identity::Digest;

use super::frame::MAX_PAYLOAD_BYTES;
use super::{JournalError, Location, file_path};
use crate::storage::body_digest;

/// Most ledger files held open for reading: the newest are read most, and a descriptor costs little.
const MAX_OPEN_FILES: usize = 16;

/// Reads bodies out of the ledger's files, from any thread.
#[derive(Debug)]
pub struct Bodies {
    dir: PathBuf,
    files: Mutex<BTreeMap<u64, Arc<File>>>,
}

impl Bodies {
    /// Of the ledger in `dir`.
    pub(super) fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
            files: Mutex::new(BTreeMap::new()),
        }
    }

    /// The body at `location`, verified against `digest`.
    ///
    /// # Errors
    /// [`JournalError::BodyDamaged`] when the bytes are others; [`JournalError::Io`] when they cannot be read.
    pub fn read(&self, digest: &Digest, location: Location) -> Result<Vec<u8>, JournalError> {
        let path = file_path(&self.dir, location.file);
        let file = self
            .file(location.file, &path)
            .map_err(|source| JournalError::Io {
                file: path.clone(),
                source,
            })?;
        // A location comes from the projection, which may be damaged: it must not decide how much memory is taken.
        if location.length as usize > MAX_PAYLOAD_BYTES {
            return Err(JournalError::BodyDamaged {
                digest: *digest,
                file: path,
                offset: location.offset,
            });
        }
        let mut bytes = vec![0; location.length as usize];
        file.read_exact_at(&mut bytes, location.offset)
            .map_err(|source| JournalError::Io {
                file: path.clone(),
                source,
            })?;
        if body_digest(&bytes) != *digest {
            return Err(JournalError::BodyDamaged {
                digest: *digest,
                file: path,
                offset: location.offset,
            });
        }
        Ok(bytes)
    }

    fn file(&self, name: u64, path: &Path) -> io::Result<Arc<File>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&name) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(File::open(path)?);
        if files.len() >= MAX_OPEN_FILES {
            files.pop_first();
        }
        files.insert(name, Arc::clone(&file));
        Ok(file)
    }
}
