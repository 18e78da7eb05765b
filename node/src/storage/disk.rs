//! Folders and files with the permissions and the syncs that a node's data needs.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Files are the node's own: nobody else on the machine reads them.
const FILE_MODE: u32 = 0o600;
/// Folders likewise.
const FOLDER_MODE: u32 = 0o700;
/// Most names tried when something is moved aside.
const MAX_ASIDE: u32 = 10_000;

/// Makes `dir` and what is missing above it, and makes the new name durable.
pub(super) fn make_folder(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(dir)?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => Ok(()),
    }
}

/// Makes the names in a folder durable: a file whose name is not may vanish in a power cut, however well its content was synced.
pub(super) fn sync_folder(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Options for a file that is read and written, and made with the right mode when it is new.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(FILE_MODE);
    options
}

/// The first of `<path>.bad-1`, `<path>.bad-2`, … that does not exist.
pub(super) fn free_name(dir: &Path, stem: &str) -> io::Result<PathBuf> {
    (1..=MAX_ASIDE)
        .map(|n| dir.join(format!("{stem}-{n}")))
        .find(|path| !path.exists())
        .ok_or_else(|| {
            io::Error::other(format!(
                "{MAX_ASIDE} things named {stem}-… are kept in {} already",
                dir.display()
            ))
        })
}
