//! One process on a data folder at a time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk;

/// Name of the lock file in the data folder.
pub(super) const LOCK_FILE: &str = "LOCK";

/// The right to write in a data folder, held until dropped. The kernel releases it with the process, however that ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

/// Why a data folder cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("另一进程正在使用数据目录 {}：请先停止它，或另设数据目录 (another process is using this data folder)", .0.display())]
    InUse(PathBuf),
    /// The file system refuses.
    #[error("无法锁定数据目录 {}：{source} (the data folder cannot be locked)", .folder.display())]
    Io {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DataLock {
    /// Takes the folder, making it when it does not exist.
    ///
    /// # Errors
    /// [`LockError::InUse`] when another process has it.
    pub fn acquire(folder: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            folder: folder.to_path_buf(),
            source,
        };
        disk::make_folder(folder).map_err(io)?;
        let file = disk::private()
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK_FILE))
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse(folder.to_path_buf())),
            Err(TryLockError::Error(source)) => Err(io(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opener_is_refused_and_may_enter_when_the_first_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::acquire(dir.path()).unwrap();
        let error = DataLock::acquire(dir.path()).unwrap_err();
        assert!(matches!(error, LockError::InUse(_)), "{error}");
        assert!(
            error
                .to_string()
                .contains(&dir.path().display().to_string())
        );
        drop(first);
        DataLock::acquire(dir.path()).unwrap();
    }
}
