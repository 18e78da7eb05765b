//! An object that is written piece by piece and has its name when it is whole.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::growing::FromContent;
use super::sealed::SealedWriter;
use super::{BUFFER_BYTES, ObjectError, Objects, Stored, TMP_FOLDER, content, disk};

/// Most files that are synced one by one; more are synced with all that the disk has to write, which costs what two or three of them cost.
const SYNCED_ALONE: usize = 4;

/// The place of a file that is being written; it goes when nobody gave the file another.
#[derive(Debug)]
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Where it is written.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Temporary {
    /// After it got its name there is nothing here; and what stays is cleared at the next start.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// An object on its way into the store. Nothing is left of one that is dropped.
pub struct ObjectWriter<'s> {
    objects: &'s Objects,
    file: SealedWriter<'s>,
    tree: FromContent<'s>,
    temporary: Temporary,
    length: u64,
    max: u64,
}

impl fmt::Debug for ObjectWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectWriter({} bytes)", self.length)
    }
}

/// An object that is whole and has no name yet. Nothing is left of one that is dropped.
#[derive(Debug)]
pub struct Whole {
    stored: Stored,
    content: Temporary,
    tree: Option<Temporary>,
}

impl Whole {
    /// What it will be stored as.
    pub fn stored(&self) -> Stored {
        self.stored
    }
}

impl<'s> ObjectWriter<'s> {
    pub(super) fn begin(objects: &'s Objects, max: u64) -> Result<Self, ObjectError> {
        let temporary = objects.temporary();
        Ok(Self {
            objects,
            file: SealedWriter::create(temporary.path(), &objects.storage)?,
            tree: FromContent::new(objects),
            temporary,
            length: 0,
            max,
        })
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// [`ObjectError::TooLarge`], [`ObjectError::Io`].
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.length += bytes.len() as u64;
        if self.length > self.max {
            return Err(ObjectError::TooLarge { limit: self.max });
        }
        self.tree.update(bytes)?;
        Ok(self.file.write_all(bytes)?)
    }

    /// Adds all that a reader gives.
    ///
    /// # Errors
    /// As [`Self::put`], and what the reader gives.
    pub fn take(&mut self, mut reader: impl Read) -> Result<(), ObjectError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => self.put(&buffer[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Bytes put so far.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Ends the object, which [`Objects::keep`] then stores.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn whole(self) -> Result<Whole, ObjectError> {
        let (digest, tree) = self.tree.finish()?;
        self.file.end(&content(&digest))?;
        let stored = Stored {
            digest,
            length: self.length,
        };
        Ok(Whole {
            stored,
            content: self.temporary,
            tree: tree.whole(stored)?,
        })
    }

    /// Stores what was put; the digest is known when it is on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn store(self) -> Result<Stored, ObjectError> {
        let objects = self.objects;
        let whole = self.whole()?;
        let stored = whole.stored;
        objects.keep(vec![whole])?;
        Ok(stored)
    }
}

impl Objects {
    /// Gives whole objects their names: none before all of them are on the disk, each tree before its object, so that a reader who finds the
    /// object finds the tree.
    ///
    /// # Errors
    /// [`ObjectError::Io`]: some may have their names then.
    pub fn keep(&self, whole: Vec<Whole>) -> Result<(), ObjectError> {
        let files = whole
            .iter()
            .flat_map(|it| it.tree.iter().chain([&it.content]));
        let files: Vec<&Path> = files.map(Temporary::path).collect();
        self.sync(&files)?;
        let mut shelves = BTreeSet::new();
        for Whole {
            stored: Stored { digest, .. },
            content,
            tree,
        } in &whole
        {
            let shelf = self.shelf(digest);
            disk::make_folder(&shelf)?;
            shelves.insert(shelf);
            if let Some(tree) = tree {
                fs::rename(tree.path(), self.tree_path(digest))?;
            }
            fs::rename(content.path(), self.path(digest))?;
        }
        let shelves: Vec<&Path> = shelves.iter().map(PathBuf::as_path).collect();
        Ok(self.sync(&shelves)?)
    }

    /// Puts files or folders of this store on the disk for good.
    fn sync(&self, paths: &[&Path]) -> io::Result<()> {
        if paths.len() > SYNCED_ALONE {
            return Ok(rustix::fs::syncfs(&self.disk)?);
        }
        paths
            .iter()
            .try_for_each(|path| File::open(path)?.sync_all())
    }

    /// A place for a file that is being written.
    pub(super) fn temporary(&self) -> Temporary {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        Temporary(self.folder.join(TMP_FOLDER).join(number.to_string()))
    }
}
