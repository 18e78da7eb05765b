//! Sealing an older data folder, and giving a folder another storage key.
//!
//! ```text
//! new key written ──every object opens under both──► both are marked ──the new key takes its place──► the new one is marked ──► the old wrappings go
//! ```
//!
//! Only headers change. Killed anywhere, the folder opens under the key that lies in its place, and the next attempt goes on; the old key is kept
//! beside the new one until nothing needs it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use identity::at_rest::{StorageKey, StorageKeyId};

use super::key::{self, KeyError, KeyPlace};
use super::lock::{DataLock, LockError};
use super::objects::{EachFile, ObjectError, Objects};
use super::vault::{Vault, VaultError};
use super::{OBJECTS_FOLDER, VAULT_FOLDER};

/// What is added to a key's name for the one that is to take its place.
const NEW_ENDING: &str = ".new";
/// And for the one whose place was taken.
const OLD_ENDING: &str = ".old";

/// Why a folder was not sealed, or not under another key. The next attempt goes on.
#[derive(Debug, thiserror::Error)]
pub enum RekeyError {
    /// Another process has the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The storage key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Personal content.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The key is handed over by systemd: its successor must be named.
    #[error("存储密钥由 systemd 凭据提供，须用 --new-key 指明新密钥 (name the new key)")]
    NewKeyWanted,
    /// There is nothing sealed to give another key.
    #[error("数据目录尚未密封 (the folder is not sealed yet)")]
    NotSealed,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rekeyed {
    /// Under which key the folder is sealed now.
    pub key: StorageKeyId,
    /// Whether that key lies in its place already; else the operator puts it there.
    pub in_place: bool,
}

/// Objects and vault, which lie under one key.
struct Sealed(Vec<std::sync::Arc<Objects>>);

impl Sealed {
    fn open(data: &Path, storage: &StorageKey) -> Result<Self, RekeyError> {
        let objects = Objects::open(&data.join(OBJECTS_FOLDER), storage.clone())?;
        let vault = Vault::open(&data.join(VAULT_FOLDER), storage.clone())?;
        Ok(Self(vec![objects.into(), vault.objects()]))
    }

    fn each(
        &self,
        mut work: impl FnMut(&Objects) -> Result<(), ObjectError>,
    ) -> Result<(), RekeyError> {
        Ok(self.0.iter().try_for_each(|objects| work(objects))?)
    }
}

/// Seals what an older version kept in clear. Doing it again does nothing.
///
/// # Errors
/// [`RekeyError`]; what was sealed stays sealed.
pub fn seal(data: &Path, place: &KeyPlace, each: EachFile<'_>) -> Result<StorageKeyId, RekeyError> {
    let _lock = DataLock::acquire(data)?;
    let storage = match key::checked(data, place)? {
        Some(found) => found,
        None => key::make(place)?,
    };
    Sealed::open(data, &storage)?.each(|objects| objects.seal_clear(each))?;
    // Only now: a mark says that nothing lies in clear.
    if !key::mark(data)?.contains(&storage.id()) {
        key::set_mark(data, &[storage.id()])?;
    }
    Ok(storage.id())
}

/// Gives a folder another storage key: a new one, or the one in `given`, which then takes no place by itself where systemd hands the key over.
///
/// # Errors
/// [`RekeyError`]: the folder opens under the key that lies in its place, and the next attempt goes on.
pub fn rekey(
    data: &Path,
    place: &KeyPlace,
    given: Option<&Path>,
    each: EachFile<'_>,
) -> Result<Rekeyed, RekeyError> {
    let _lock = DataLock::acquire(data)?;
    let sealed = key::mark(data)?;
    if sealed.is_empty() {
        return Err(RekeyError::NotSealed);
    }
    let missing = || KeyError::Missing {
        file: place.file().to_path_buf(),
        sealed: sealed.clone(),
    };
    let current = place.read()?.ok_or_else(missing)?;
    let old_file = beside(place, OLD_ENDING);
    if let Some(old) = key::key_in(&old_file)?
        && old.id() != current.id()
    {
        // An earlier attempt came so far that the new key is in its place.
        return finish(data, place, &current, each);
    }
    let new_file = beside(place, NEW_ENDING);
    let new = match given {
        Some(file) => key::key_in(file)?.ok_or_else(|| KeyError::Missing {
            file: file.to_path_buf(),
            sealed: sealed.clone(),
        })?,
        None if !place.is_its_own() => return Err(RekeyError::NewKeyWanted),
        None => successor(&new_file)?,
    };
    if ![current.id(), new.id()]
        .iter()
        .any(|id| sealed.contains(id))
    {
        return Err(KeyError::Another {
            file: place.file().to_path_buf(),
            held: current.id(),
            sealed,
        }
        .into());
    }
    Sealed::open(data, &current)?.each(|objects| objects.rewrap(&new, each))?;
    if place.is_its_own() {
        key::set_mark(data, &[current.id(), new.id()])?;
        key::write_key(&old_file, &current)?;
        key::write_key(place.file(), &new)?;
        remove(&new_file)?;
    }
    finish(data, place, &new, each)
}

/// The new key is marked, and the wrappings under others go.
fn finish(
    data: &Path,
    place: &KeyPlace,
    new: &StorageKey,
    each: EachFile<'_>,
) -> Result<Rekeyed, RekeyError> {
    key::set_mark(data, &[new.id()])?;
    Sealed::open(data, new)?.each(|objects| objects.keep_only(new, each))?;
    let in_place = place.read()?.is_some_and(|held| held.id() == new.id());
    if place.is_its_own() {
        remove(&beside(place, NEW_ENDING))?;
        remove(&beside(place, OLD_ENDING))?;
    }
    Ok(Rekeyed {
        key: new.id(),
        in_place,
    })
}

/// The key that is to come: one of an earlier attempt, or a new one.
fn successor(file: &Path) -> Result<StorageKey, KeyError> {
    if let Some(begun) = key::key_in(file)? {
        return Ok(begun);
    }
    let new = key::fresh();
    key::write_key(file, &new)?;
    Ok(new)
}

fn beside(place: &KeyPlace, ending: &str) -> PathBuf {
    let mut name = place.file().file_name().unwrap_or_default().to_os_string();
    name.push(ending);
    place.file().with_file_name(name)
}

fn remove(file: &Path) -> Result<(), KeyError> {
    let removed = match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| key::sync_parent(file)),
    };
    removed.map_err(|source| KeyError::Io {
        file: file.to_path_buf(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use sharing::private::{Content, SALT_BYTES};

    const MARKER: &str = "张三丰的低保待遇";

    /// A folder in service: its first start made the key.
    fn folder() -> (tempfile::TempDir, PathBuf, KeyPlace) {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("node");
        fs::create_dir(&data).unwrap();
        let place = KeyPlace::of(&data, None).unwrap();
        let found = key::find(&data, &place).unwrap();
        let storage = key::keep(&data, &place, found).unwrap();
        let sealed = Sealed::open(&data, &storage).unwrap();
        for objects in &sealed.0 {
            for number in 0..3 {
                let bytes = format!("{number} {MARKER}");
                objects.put_reader(bytes.as_bytes(), 100).unwrap();
            }
        }
        (parent, data, place)
    }

    /// Starts as a node does, with the key that lies in its place, and reads everything.
    fn all_open(data: &Path, place: &KeyPlace) -> StorageKeyId {
        let found = key::find(data, place).unwrap();
        let storage = key::keep(data, place, found).unwrap();
        let mut read = 0;
        for objects in Sealed::open(data, &storage).unwrap().0 {
            for digest in objects.digests().unwrap() {
                let mut text = String::new();
                let mut reader = objects.get(&digest).unwrap();
                reader.read_to_string(&mut text).unwrap();
                assert!(text.ends_with(MARKER));
                read += 1;
            }
        }
        assert_eq!(read, 6);
        storage.id()
    }

    /// Ends the work after so many files, as a kill does.
    fn killed_after(files: u32) -> impl FnMut() -> Result<(), ObjectError> {
        let mut left = files;
        move || match left.checked_sub(1) {
            Some(rest) => {
                left = rest;
                Ok(())
            }
            None => Err(ObjectError::from(io::Error::other("killed"))),
        }
    }

    #[test]
    fn killed_anywhere_a_new_key_leaves_everything_readable_and_the_next_attempt_goes_on() {
        // Six files, and each is changed twice.
        for files in 0..12 {
            let (_parent, data, place) = folder();
            let first = all_open(&data, &place);
            let killed = rekey(&data, &place, None, &mut killed_after(files));
            assert!(killed.is_err(), "{files}");
            all_open(&data, &place);
            let done = rekey(&data, &place, None, &mut || Ok(())).unwrap();
            assert!(done.in_place && done.key != first);
            assert_eq!(all_open(&data, &place), done.key);
            for ending in [NEW_ENDING, OLD_ENDING] {
                assert!(!beside(&place, ending).exists(), "{ending}");
            }
        }
    }

    #[test]
    fn a_given_key_takes_the_place_of_the_nodes_own() {
        let (parent, data, place) = folder();
        let (file, wanted) = (parent.path().join("given.key"), key::fresh());
        key::write_key(&file, &wanted).unwrap();
        let done = rekey(&data, &place, Some(&file), &mut || Ok(())).unwrap();
        assert_eq!((done.key, done.in_place), (wanted.id(), true));
        assert_eq!(all_open(&data, &place), wanted.id());
    }

    #[test]
    fn sealing_an_older_folder_ends_with_a_folder_in_service() {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("node");
        let said = Content::new([1; SALT_BYTES], MARKER.into()).unwrap();
        let digest = said.private().digest.to_string();
        for folder in [OBJECTS_FOLDER, VAULT_FOLDER] {
            let shelf = data.join(folder).join(&digest[..2]);
            fs::create_dir_all(&shelf).unwrap();
            fs::write(shelf.join(&digest), said.bytes()).unwrap();
        }
        let place = KeyPlace::of(&data, None).unwrap();
        assert!(matches!(key::find(&data, &place), Err(KeyError::Clear(_))));
        let error = rekey(&data, &place, None, &mut || Ok(())).unwrap_err();
        assert!(matches!(error, RekeyError::NotSealed), "{error}");
        assert!(seal(&data, &place, &mut killed_after(0)).is_err());
        let sealed = seal(&data, &place, &mut || Ok(())).unwrap();
        let found = key::find(&data, &place).unwrap();
        let storage = key::keep(&data, &place, found).unwrap();
        assert_eq!(storage.id(), sealed);
        let vault = Vault::open(&data.join(VAULT_FOLDER), storage).unwrap();
        assert_eq!(vault.get(&said.private()).unwrap(), said);
        let path = data.join(VAULT_FOLDER).join(&digest[..2]).join(&digest);
        let lies = fs::read(path).unwrap();
        assert!(!lies.windows(9).any(|it| it == &MARKER.as_bytes()[..9]));
    }
}
