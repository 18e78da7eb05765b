//! Files by the digest of their content: what is granted, fetched and returned.
//!
//! ```text
//! objects/ab/abcd…           the content, sealed, named by the blake3 of what it is in clear
//! objects/ab/abcd….obao      its bao tree in groups of 16 KiB (only above that size), sealed: every range is verified as it streams
//! objects/partial/abcd…      what has come of a fetch so far; only verified bytes are ever written
//! objects/tmp/               being written; emptied at start
//! objects/runs/              rows on their way from a table to its parts, each table in a folder of its own
//! ```
//!
//! No file here is in clear, not even while it is written: see [`identity::at_rest`]. A file stands under its name only when it is whole, synced and of that digest. All calls block: use them from `spawn_blocking`.

mod growing;
mod resealing;
mod sealed;
mod transfer;
mod writer;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use bao_tree::BlockSize;
use identity::Digest;
use identity::at_rest::{AtRestError, Name, Part, StorageKey};

use self::growing::{FromContent, TreeFile};
use super::disk;

pub use self::resealing::EachFile;
pub(super) use self::resealing::overwrite;
pub use self::sealed::ObjectReader;
pub(crate) use self::sealed::SealedWriter;
pub use self::writer::{ObjectWriter, Whole};

/// Bytes verified together: the grain at which a transfer resumes and at which a flipped bit is found, and what is sealed together.
pub const GROUP_BYTES: u64 = identity::at_rest::CHUNK_BYTES as u64;
/// [`GROUP_BYTES`] as the tree counts it: 2^4 chunks of 1 KiB.
const GROUP: BlockSize = BlockSize::from_chunk_log(4);
/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;
/// Folder of fetches under way.
const PARTIAL_FOLDER: &str = "partial";
/// Folder of files being written.
const TMP_FOLDER: &str = "tmp";
/// Folder of tables that are being split.
const RUNS_FOLDER: &str = "runs";
/// Ending of a tree's file.
const TREE_ENDING: &str = "obao";

/// Why an object cannot be stored or given.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// Not here.
    #[error("本节点没有文件 {0} (object is not here)")]
    Missing(Digest),
    /// More bytes than allowed or announced.
    #[error("文件超过允许的 {limit} 字节 (object is too large)")]
    TooLarge {
        /// Most bytes allowed.
        limit: u64,
    },
    /// The stream ended before the object did; what came is kept, and the fetch goes on from there.
    #[error("文件 {digest} 传输中断，已核验 {verified} 字节 (object broke off)")]
    BrokenOff {
        /// Which object.
        digest: Digest,
        /// Bytes kept.
        verified: u64,
    },
    /// The peer sent bytes that are not the object's. The verified ones before them are kept.
    #[error("文件 {digest} 在已核验的 {verified} 字节之后内容不符 (object was sent wrongly)")]
    Forged {
        /// Which object.
        digest: Digest,
        /// Bytes kept.
        verified: u64,
    },
    /// The stored file does not have its digest any more. Nothing wrong was given out.
    #[error(
        "文件 {digest} 在本机磁盘上已损坏：{what}，请重新获取或从副本恢复 (object is damaged on this disk)"
    )]
    Damaged {
        /// Which object.
        digest: Digest,
        /// What was found.
        what: String,
    },
    /// The stored file is not as it was sealed: cut, extended, changed, under another name, or sealed under another key.
    #[error("文件 {digest} 在本机磁盘上的密封校验失败：{why} (object is not as it was sealed)")]
    Seal {
        /// Which object.
        digest: Digest,
        /// What was found.
        why: AtRestError,
    },
    /// The offset is not at the start of a group, or lies beyond the end.
    #[error("长 {length} 字节的文件不能自第 {offset} 字节起传输 (no such offset)")]
    Offset {
        /// From where.
        offset: u64,
        /// Bytes of the object.
        length: u64,
    },
    /// The same object is being fetched already.
    #[error("文件 {0} 正在获取中 (object is being fetched already)")]
    Busy(Digest),
    /// The disk or the stream failed.
    #[error("文件存取失败：{0} (object store)")]
    Io(#[source] io::Error),
}

impl ObjectError {
    fn seal(name: &Name, why: AtRestError) -> Self {
        Self::Seal {
            digest: name.digest,
            why,
        }
    }
}

impl From<io::Error> for ObjectError {
    /// An error of reading an object is told as what it is.
    fn from(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::Io(error),
        }
    }
}

impl From<ObjectError> for io::Error {
    fn from(error: ObjectError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// A store of objects in a folder.
#[derive(Debug)]
pub struct Objects {
    folder: PathBuf,
    storage: StorageKey,
    counter: AtomicU64,
    /// Open since before anything was written, so that no failure to write goes unseen when all is synced at once.
    disk: File,
}

/// An object now in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// blake3 of the content.
    pub digest: Digest,
    /// Bytes.
    pub length: u64,
}

impl Objects {
    /// Opens the store under its storage key, making it when it does not exist, and clears what a crash left half-written. The data folder's
    /// lock must be held.
    ///
    /// # Errors
    /// [`ObjectError::Io`] when the folder cannot be made or read.
    pub fn open(folder: &Path, storage: StorageKey) -> Result<Self, ObjectError> {
        Self::open_with(folder, storage, |path| fs::remove_file(path))
    }

    /// As [`Self::open`]; `remove` takes away what was half-written.
    pub(super) fn open_with(
        folder: &Path,
        storage: StorageKey,
        remove: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<Self, ObjectError> {
        let tmp = folder.join(TMP_FOLDER);
        disk::make_folder(&tmp)?;
        disk::make_folder(&folder.join(PARTIAL_FOLDER))?;
        for entry in fs::read_dir(&tmp)? {
            remove(&entry?.path())?;
        }
        Ok(Self {
            folder: folder.to_path_buf(),
            storage,
            counter: AtomicU64::new(0),
            disk: File::open(&tmp)?,
        })
    }

    /// Whether the object is here, whole.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Bytes of the object.
    ///
    /// # Errors
    /// As [`Objects::get`].
    pub fn len(&self, digest: &Digest) -> Result<u64, ObjectError> {
        Ok(self.get(digest)?.length())
    }

    /// The content, for reading.
    ///
    /// # Errors
    /// [`ObjectError::Missing`], [`ObjectError::Seal`].
    pub fn get(&self, digest: &Digest) -> Result<ObjectReader, ObjectError> {
        self.reader(&self.path(digest), content(digest))
    }

    fn reader(&self, path: &Path, name: Name) -> Result<ObjectReader, ObjectError> {
        ObjectReader::open(path, name, &self.storage)
    }

    /// Stores what `reader` gives, at most `max` bytes, and returns its digest when it is on the disk.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`] above `max`; [`ObjectError::Io`]. Nothing is left of a failed attempt.
    pub fn put_reader(&self, reader: impl Read, max: u64) -> Result<Stored, ObjectError> {
        let mut writer = self.writer(max)?;
        writer.take(reader)?;
        writer.store()
    }

    /// An object that is written piece by piece, of at most `max` bytes.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn writer(&self, max: u64) -> Result<ObjectWriter<'_>, ObjectError> {
        ObjectWriter::begin(self, max)
    }

    /// The folder in which tables are split, of this node alone.
    pub fn runs(&self) -> PathBuf {
        self.folder.join(RUNS_FOLDER)
    }

    /// Writes rows on their way into a file that opens under this name alone, sealed and synced.
    pub(crate) fn seal_run(
        &self,
        path: &Path,
        of: &Digest,
        write: impl FnOnce(&mut SealedWriter<'_>) -> io::Result<()>,
    ) -> Result<(), ObjectError> {
        let mut writer = SealedWriter::create(path, &self.storage)?;
        write(&mut writer)?;
        writer.finish(&run(of))
    }

    /// What was written with [`Self::seal_run`].
    pub(crate) fn run(&self, path: &Path, of: &Digest) -> Result<ObjectReader, ObjectError> {
        self.reader(path, run(of))
    }

    /// Gives a whole, synced file its name, its tree first: a reader who finds the content finds the tree.
    fn settle(&self, file: &Path, stored: Stored, tree: TreeFile<'_>) -> Result<(), ObjectError> {
        let folder = self.shelf(&stored.digest);
        disk::make_folder(&folder)?;
        self.keep_tree(stored, tree)?;
        fs::rename(file, self.path(&stored.digest))?;
        disk::sync_folder(&folder)?;
        Ok(())
    }

    /// Puts the synced tree where it belongs.
    fn keep_tree(&self, stored: Stored, tree: TreeFile<'_>) -> Result<(), ObjectError> {
        if let Some(tree) = tree.whole(stored)? {
            File::open(tree.path())?.sync_all()?;
            fs::rename(tree.path(), self.tree_path(&stored.digest))?;
        }
        Ok(())
    }

    /// The tree of a file that is whole, for which all of it is read. Also proves the digest once more.
    fn read_tree(&self, file: &Path, stored: Stored) -> Result<TreeFile<'_>, ObjectError> {
        let mut reader = self.reader(file, content(&stored.digest))?;
        let mut growing = FromContent::new(self);
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match reader.read(&mut buffer)? {
                0 => break,
                read => growing.update(&buffer[..read])?,
            }
        }
        let (digest, tree) = growing.finish()?;
        if digest == stored.digest && reader.length() == stored.length {
            return Ok(tree);
        }
        Err(ObjectError::Damaged {
            digest: stored.digest,
            what: "its bytes changed while it was stored".to_owned(),
        })
    }

    /// Removes an object and its tree (lawful erasure, or the end of its use).
    ///
    /// # Errors
    /// [`ObjectError::Io`]. That it was not here is no error.
    pub fn remove(&self, digest: &Digest) -> Result<(), ObjectError> {
        self.remove_with(digest, |path| fs::remove_file(path))
    }

    /// As [`Self::remove`], each file taken away by `remove`.
    pub(super) fn remove_with(
        &self,
        digest: &Digest,
        remove: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<(), ObjectError> {
        for path in [
            self.path(digest),
            self.tree_path(digest),
            self.partial_path(digest),
        ] {
            match remove(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let folder = self.shelf(digest);
        if folder.is_dir() {
            disk::sync_folder(&folder)?;
        }
        Ok(())
    }

    /// Every object here.
    pub(super) fn digests(&self) -> Result<Vec<Digest>, ObjectError> {
        let mut found = Vec::new();
        for shelf in fs::read_dir(&self.folder)? {
            let shelf = shelf?.path();
            let name = shelf.file_name().and_then(|name| name.to_str());
            if name.is_none_or(|name| [TMP_FOLDER, PARTIAL_FOLDER, RUNS_FOLDER].contains(&name)) {
                continue;
            }
            for file in fs::read_dir(&shelf)? {
                let name = file?.file_name();
                found.extend(name.to_str().and_then(|name| name.parse::<Digest>().ok()));
            }
        }
        Ok(found)
    }

    /// Whether a folder of objects holds one that is not sealed, under whatever key.
    pub(super) fn lie_in_clear(folder: &Path) -> io::Result<bool> {
        if !folder.is_dir() {
            return Ok(false);
        }
        for shelf in fs::read_dir(folder)? {
            let shelf = shelf?.path();
            if !shelf.is_dir() || shelf.file_name().is_some_and(|name| name == TMP_FOLDER) {
                continue;
            }
            for file in fs::read_dir(&shelf)? {
                let path = file?.path();
                if path.is_file() && sealed::read_header(&File::open(&path)?)?.is_err() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The folder of all objects whose digest begins alike.
    fn shelf(&self, digest: &Digest) -> PathBuf {
        self.folder.join(hex::encode(&digest.as_bytes()[..1]))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.shelf(digest).join(digest.to_string())
    }

    fn tree_path(&self, digest: &Digest) -> PathBuf {
        self.shelf(digest).join(format!("{digest}.{TREE_ENDING}"))
    }

    fn partial_path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(PARTIAL_FOLDER).join(digest.to_string())
    }
}

/// The name under which an object's content is sealed.
fn content(digest: &Digest) -> Name {
    Name {
        digest: *digest,
        part: Part::Content,
    }
}

/// The name under which its tree is.
fn tree(digest: &Digest) -> Name {
    Name {
        digest: *digest,
        part: Part::Tree,
    }
}

/// The name under which rows on their way are.
fn run(digest: &Digest) -> Name {
    Name {
        digest: *digest,
        part: Part::Run,
    }
}

#[cfg(test)]
pub(crate) mod tests;
