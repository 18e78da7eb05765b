//! Sealing what an older store holds in clear, and bringing in another storage key.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use identity::Digest;
use identity::at_rest::{AtRestError, Header, Name, StorageKey};

use super::sealed::read_header;
use super::{ObjectError, Objects, PARTIAL_FOLDER, content, tree};
use crate::runtime::driver::random;
use crate::storage::disk;

/// Heard after each file; an error ends the work, which goes on at the next attempt.
pub type EachFile<'a> = &'a mut dyn FnMut() -> Result<(), ObjectError>;

impl Objects {
    /// Seals every object that lies in clear, one after another, each in one rename; what it lay in is overwritten. What had come of a fetch in
    /// clear is destroyed and fetched again.
    ///
    /// # Errors
    /// [`ObjectError::Damaged`] when a file is neither sealed under this store's key nor of its name's digest. What was done stays.
    pub fn seal_clear(&self, each: EachFile<'_>) -> Result<(), ObjectError> {
        for digest in self.digests()? {
            match self.get(&digest) {
                Ok(_) => {}
                Err(ObjectError::Seal { .. }) => {
                    self.seal_one(&digest)?;
                    each()?;
                }
                Err(other) => return Err(other),
            }
        }
        for (path, digest) in self.begun()? {
            let opens = read_header(&File::open(&path)?)?
                .and_then(|header| header.unwrap(&content(&digest), &self.storage))
                .is_ok();
            if !opens {
                overwrite(&mut disk::private().open(&path)?)?;
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    fn seal_one(&self, digest: &Digest) -> Result<(), ObjectError> {
        let mut clear = disk::private().open(self.path(digest))?;
        let tree = disk::private().open(self.tree_path(digest));
        let mut writer = self.writer(u64::MAX)?;
        writer.take(&mut clear)?;
        let sealed = writer.whole()?;
        if sealed.stored().digest != *digest {
            return Err(ObjectError::Damaged {
                digest: *digest,
                what: "it is neither sealed under this key nor what its name says".to_owned(),
            });
        }
        self.keep(vec![sealed])?;
        overwrite(&mut clear)?;
        match tree {
            Ok(mut tree) => overwrite(&mut tree)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Lets every object open under a new storage key as well. Rows on their way are no loss: their table is split from its beginning then.
    ///
    /// # Errors
    /// [`ObjectError::Seal`] for one that opens under neither. What was done stays, and is not done again.
    pub fn rewrap(&self, new: &StorageKey, each: EachFile<'_>) -> Result<(), ObjectError> {
        match fs::remove_dir_all(self.runs()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        self.each_header(each, |header, name| {
            let mut salt = [0; 32];
            random(&mut salt);
            let changed = header.rewrap(name, &self.storage, new, salt)?;
            Ok(changed.into_iter().collect())
        })
    }

    /// Lets no object open under any storage key but this one.
    ///
    /// # Errors
    /// [`ObjectError::Seal`] for one that does not open under it.
    pub fn keep_only(&self, kept: &StorageKey, each: EachFile<'_>) -> Result<(), ObjectError> {
        self.each_header(each, |header, name| header.keep_only(name, kept))
    }

    /// Changes headers; `change` says which slots are to be written.
    fn each_header(
        &self,
        each: EachFile<'_>,
        change: impl Fn(&mut Header, &Name) -> Result<Vec<usize>, AtRestError>,
    ) -> Result<(), ObjectError> {
        for digest in self.digests()? {
            let tree_path = self.tree_path(&digest);
            if tree_path.is_file() {
                in_file(&tree_path, &tree(&digest), &change)?;
                each()?;
            }
            in_file(&self.path(&digest), &content(&digest), &change)?;
            each()?;
        }
        for (path, digest) in self.begun()? {
            // What had come of a fetch is no loss.
            if in_file(&path, &content(&digest), &change).is_err() {
                fs::remove_file(&path)?;
            }
            each()?;
        }
        Ok(())
    }

    /// The files of fetches under way.
    fn begun(&self) -> Result<Vec<(PathBuf, Digest)>, ObjectError> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.folder.join(PARTIAL_FOLDER))? {
            let entry = entry?;
            let digest = entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<Digest>().ok());
            found.extend(digest.map(|digest| (entry.path(), digest)));
        }
        Ok(found)
    }
}

fn in_file(
    path: &Path,
    name: &Name,
    change: &impl Fn(&mut Header, &Name) -> Result<Vec<usize>, AtRestError>,
) -> Result<(), ObjectError> {
    let refused = |why| ObjectError::seal(name, why);
    let file = disk::private().open(path)?;
    let mut header = read_header(&file)?.map_err(refused)?;
    let changed = change(&mut header, name).map_err(refused)?;
    for slot in &changed {
        let (at, bytes) = header.slot(*slot);
        file.write_all_at(&bytes, at as u64)?;
    }
    if !changed.is_empty() {
        file.sync_data()?;
    }
    Ok(())
}

/// Overwrites what a file held and syncs it.
pub(in crate::storage) fn overwrite(file: &mut File) -> io::Result<()> {
    let length = file.metadata()?.len();
    io::Seek::rewind(file)?;
    io::copy(&mut io::repeat(0).take(length), file)?;
    file.flush()?;
    file.sync_all()
}
