//! Personal content, outside the ledger and the tables: what acts commit to, until it is lawfully erased (PIPL 47).
//!
//! ```text
//! vault/ab/abcd…       one content, named by the digest committed to; stored before the act that commits to it is recorded
//! vault/partial, tmp   on its way here
//! ```
//!
//! Like every object, a content is sealed under a key of its own. It is an object store of its own, so that content travels as files do: sealed from end to end, verified, asked for again. What is destroyed is
//! overwritten, synced, unlinked, and the folder synced; doing it again does nothing. All calls block: use them from `spawn_blocking`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use identity::Digest;
use identity::at_rest::StorageKey;
use sharing::private::{Content, ContentError, MAX_CONTENT_BYTES, Private};

use super::disk;
use super::objects::{ObjectError, Objects, overwrite};

/// Why a content is not stored or given.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The folder fails, or it is not here.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// What is here is not what was committed to.
    #[error(transparent)]
    Content(#[from] ContentError),
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        Self::Object(error.into())
    }
}

/// The personal content of a node.
#[derive(Debug)]
pub struct Vault(Arc<Objects>);

impl Vault {
    /// Opens the vault under the node's storage key, making it when it does not exist; what a crash left half-written is destroyed. The data folder's lock must be held.
    ///
    /// # Errors
    /// [`VaultError`] when the folder cannot be made or read.
    pub fn open(folder: &Path, storage: StorageKey) -> Result<Self, VaultError> {
        let objects = Objects::open_with(folder, storage, shred)?;
        Ok(Self(Arc::new(objects)))
    }

    /// The files, for the circuits that carry them.
    pub fn objects(&self) -> Arc<Objects> {
        Arc::clone(&self.0)
    }

    /// Stores a content; it is on the disk when this returns. True when it was not here before.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn put(&self, content: &Content) -> Result<bool, VaultError> {
        if self.0.contains(&content.private().digest) {
            return Ok(false);
        }
        self.0
            .put_reader(content.bytes().as_slice(), MAX_CONTENT_BYTES as u64)?;
        Ok(true)
    }

    /// The content that was committed to.
    ///
    /// # Errors
    /// [`VaultError`]: not here, or not it.
    pub fn get(&self, private: &Private) -> Result<Content, VaultError> {
        let mut bytes = Vec::new();
        let file = self.0.get(&private.digest)?;
        file.take(MAX_CONTENT_BYTES as u64 + 1)
            .read_to_end(&mut bytes)?;
        Ok(private.open(&bytes)?)
    }

    /// Destroys a content, whatever of it is here.
    ///
    /// # Errors
    /// [`VaultError`]: something of it may be left; it is to be destroyed again.
    pub fn destroy(&self, content: &Digest) -> Result<(), VaultError> {
        Ok(self.0.remove_with(content, shred)?)
    }

    /// Destroys what nobody here knows of: content that came with an act which a crash kept from being recorded.
    ///
    /// # Errors
    /// [`VaultError`], or what `known` fails with.
    pub fn keep_known<E: From<VaultError>>(
        &self,
        mut known: impl FnMut(&Digest) -> Result<bool, E>,
    ) -> Result<usize, E> {
        let mut destroyed = 0;
        for content in self.0.digests().map_err(VaultError::from)? {
            if !known(&content)? {
                self.destroy(&content)?;
                destroyed += 1;
            }
        }
        Ok(destroyed)
    }
}

/// Overwrites a file, syncs it and unlinks it.
fn shred(path: &Path) -> io::Result<()> {
    match disk::private().open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        opened => {
            overwrite(&mut opened?)?;
            fs::remove_file(path)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sharing::private::SALT_BYTES;

    fn open(folder: &Path) -> Vault {
        Vault::open(folder, StorageKey::from_bytes([5; 32])).unwrap()
    }

    /// Whether a content lies here, sealed.
    fn lies(folder: &Path, content: &Content) -> bool {
        let name = content.private().digest.to_string();
        folder.join(&name[..2]).join(name).is_file()
    }

    fn content(salt: u8, text: &str) -> Content {
        Content::new([salt; SALT_BYTES], text.into()).unwrap()
    }

    /// Every byte of every file under a folder.
    fn everything(folder: &Path) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                bytes.extend(everything(&path));
            } else {
                bytes.extend(fs::read(path).unwrap());
            }
        }
        bytes
    }

    fn within(folder: &Path, text: &str) -> bool {
        let bytes = everything(folder);
        bytes.windows(text.len()).any(|it| it == text.as_bytes())
    }

    #[test]
    fn a_content_is_read_until_it_is_destroyed_and_destroying_again_does_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let vault = open(folder.path());
        let said = content(1, "张某的住址有误");
        assert!(vault.put(&said).unwrap());
        assert!(!vault.put(&said).unwrap(), "it is here already");
        assert_eq!(vault.get(&said.private()).unwrap(), said);
        assert!(lies(folder.path(), &said) && !within(folder.path(), said.text()));
        let digest = said.private().digest;
        vault.destroy(&digest).unwrap();
        assert!(!lies(folder.path(), &said));
        let gone = vault.get(&said.private());
        assert!(matches!(
            gone,
            Err(VaultError::Object(ObjectError::Missing(_)))
        ));
        vault.destroy(&digest).unwrap();
    }

    #[test]
    fn a_destroyed_file_is_overwritten_before_it_is_unlinked() {
        let folder = tempfile::tempdir().unwrap();
        let vault = open(folder.path());
        let said = content(1, "张某的住址有误");
        vault.put(&said).unwrap();
        let digest = said.private().digest;
        // A second name of the same file shows what becomes of its bytes.
        let kept = folder.path().join("second-name");
        let path = folder.path().join(&digest.to_string()[..2]);
        fs::hard_link(path.join(digest.to_string()), &kept).unwrap();
        vault.destroy(&digest).unwrap();
        let bytes = fs::read(kept).unwrap();
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_crash_between_storing_and_recording_leaves_nothing_that_no_act_speaks_of() {
        let folder = tempfile::tempdir().unwrap();
        let (known, orphan) = (content(1, "张某"), content(2, "李某"));
        {
            let vault = open(folder.path());
            vault.put(&known).unwrap();
            vault.put(&orphan).unwrap();
        }
        fs::write(folder.path().join("tmp").join("9"), "王某").unwrap();
        let vault = open(folder.path());
        assert!(!within(folder.path(), "王某"), "half-written");
        let recorded = known.private().digest;
        let swept = vault.keep_known(|digest| Ok::<_, VaultError>(*digest == recorded));
        assert_eq!(swept.unwrap(), 1);
        assert!(lies(folder.path(), &known) && !lies(folder.path(), &orphan));
    }

    #[test]
    fn a_damaged_content_is_not_given_for_what_was_committed_to() {
        let folder = tempfile::tempdir().unwrap();
        let vault = open(folder.path());
        let said = content(1, "张某");
        vault.put(&said).unwrap();
        let other = content(2, "张某");
        vault.put(&other).unwrap();
        let path = |it: &Content| {
            let digest = it.private().digest.to_string();
            folder.path().join(&digest[..2]).join(&digest)
        };
        // Another content sealed under the same key, and one in clear.
        fs::copy(path(&other), path(&said)).unwrap();
        assert_refused(vault.get(&said.private()));
        fs::write(path(&said), said.bytes()).unwrap();
        assert_refused(vault.get(&said.private()));
    }

    #[track_caller]
    fn assert_refused(read: Result<Content, VaultError>) {
        let error = read.unwrap_err();
        let seal = matches!(error, VaultError::Object(ObjectError::Seal { .. }));
        assert!(seal, "{error}");
    }
}
