//! Files as sources and targets: one that changes while it is read is noticed, one that is written appears whole.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::DataError;
use super::record::Outcome;
use crate::storage::hashed::Hashed;

/// What is known of a file by which a change is noticed: which file, how long, and when its content or anything about it last changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// A file that is watched while it is read.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    begun: State,
}

impl Watched {
    /// Opens a file to be read.
    pub(super) fn open(path: &Path) -> Result<(Self, File), DataError> {
        let lost = |error: io::Error| DataError::lost(path.display(), error);
        let file = File::open(path).map_err(lost)?;
        let metadata = file.metadata().map_err(lost)?;
        if !metadata.is_file() {
            return Err(DataError::malformed(path.display(), "not a file"));
        }
        let begun = State::of(&metadata);
        Ok((
            Self {
                path: path.to_owned(),
                begun,
            },
            file,
        ))
    }

    /// What the record says of the snapshot.
    pub(super) fn snapshot(&self) -> String {
        let State {
            length,
            modified: (seconds, nanos),
            ..
        } = self.begun;
        format!("{length} bytes, modified {seconds}.{nanos:09}")
    }

    /// That the file under this name is still what it was when it was opened.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let now = fs::metadata(&self.path)
            .map_err(|error| DataError::lost(self.path.display(), error))?;
        if State::of(&now) == self.begun {
            return Ok(());
        }
        Err(DataError::Inconsistent {
            source: self.path.display().to_string(),
            why: "文件在读取时被改动 (the file was changed while it was read)".into(),
        })
    }
}

/// A file that gets its name when it is whole and on the disk.
#[derive(Debug)]
pub(super) struct Unnamed {
    path: PathBuf,
    partial: PathBuf,
    writer: Option<BufWriter<Hashed>>,
}

impl Unnamed {
    /// Begins a file; what an earlier attempt left is replaced.
    pub(super) fn create(path: &Path) -> Result<Self, DataError> {
        let failed = |error: io::Error| DataError::target(path.display(), error);
        let name = path
            .file_name()
            .ok_or_else(|| DataError::target(path.display(), "no file name"))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".partial");
        let partial = path.with_file_name(hidden);
        let file = File::create(&partial).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            partial,
            writer: Some(BufWriter::new(Hashed::new(file))),
        })
    }

    /// Flushes, syncs and gives the file its name.
    pub(super) fn name(mut self) -> Result<Outcome, DataError> {
        let path = self.path.clone();
        let failed = |error: io::Error| DataError::target(path.display(), error);
        let Some(writer) = self.writer.take() else {
            return Err(DataError::target(path.display(), "written already"));
        };
        let hashed = writer
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        let (file, digest, bytes) = hashed.done();
        file.sync_all().map_err(failed)?;
        fs::rename(&self.partial, &self.path).map_err(failed)?;
        sync_parent(&self.path).map_err(failed)?;
        Ok(Outcome::File {
            digest: digest.to_string(),
            bytes,
        })
    }
}

impl Drop for Unnamed {
    /// What did not get its name is removed; where that fails, the next attempt replaces it.
    fn drop(&mut self) {
        drop(self.writer.take());
        let _ = fs::remove_file(&self.partial);
    }
}

impl Write for Unnamed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// Puts on the disk that a name stands in its folder.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use identity::Digest;

    use super::*;

    #[test]
    fn a_file_that_is_changed_replaced_or_removed_while_it_is_read_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let watched = || {
            fs::write(&path, "one").unwrap();
            Watched::open(&path).unwrap().0
        };
        assert!(watched().check().is_ok());
        let appended = watched();
        fs::write(&path, "one two").unwrap();
        assert!(matches!(
            appended.check(),
            Err(DataError::Inconsistent { .. })
        ));
        let replaced = watched();
        fs::write(folder.path().join("u"), "one").unwrap();
        fs::rename(folder.path().join("u"), &path).unwrap();
        assert!(matches!(
            replaced.check(),
            Err(DataError::Inconsistent { .. })
        ));
        let removed = watched();
        fs::remove_file(&path).unwrap();
        assert!(matches!(removed.check(), Err(DataError::Lost { .. })));
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t");
        let mut file = Unnamed::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing is left of it"
        );
        let mut file = Unnamed::create(&path).unwrap();
        file.write_all(b"whole").unwrap();
        assert!(!path.exists());
        let Outcome::File { digest, bytes: 5 } = file.name().unwrap() else {
            panic!()
        };
        assert_eq!(digest, Digest::object(b"whole").to_string());
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }
}
