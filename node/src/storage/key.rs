//! Where a node's storage key is kept, and which key its folder is sealed under.
//!
//! The key never lies in the data folder: whoever copies that folder, backs it up or administers its disk reads no file with it. It is looked for at
//! `storage.key_file`, else as the credential `guantong-storage` that systemd hands over, else in a folder beside the data folder. `SEALED` in
//! the data folder names the keys under which all that lies there opens: one, and two while another is brought in.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use identity::at_rest::{StorageKey, StorageKeyId};

use super::objects::Objects;
use super::{OBJECTS_FOLDER, VAULT_FOLDER, disk};
use crate::runtime::driver::random;

/// Name of the credential that systemd hands over.
pub const CREDENTIAL: &str = "guantong-storage";
/// The variable in which systemd names the folder of credentials.
const CREDENTIALS_VARIABLE: &str = "CREDENTIALS_DIRECTORY";
/// What is added to the data folder's name for the folder of its key.
const SECRETS_ENDING: &str = ".secrets";
/// Name of the key in it.
const KEY_FILE: &str = "storage.key";
/// Name of the file that says under which keys the data folder is sealed.
pub const MARK_FILE: &str = "SEALED";
/// Most bytes read of a key or a mark: two ids and their lines are 66.
const MAX_FILE_BYTES: u64 = 256;
/// Bits of a mode that let others read or write.
const OTHERS: u32 = 0o077;
/// Bits that let everybody: a credential may be readable by a group.
const EVERYBODY: u32 = 0o007;

/// Why a node has no storage key to run with. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The folder is sealed and its key is not where it should be.
    #[error("找不到存储密钥 {}，而数据目录已用密钥 {} 密封 (the storage key is missing)", .file.display(), shown(.sealed))]
    Missing {
        /// Where it should be.
        file: PathBuf,
        /// Which keys open the folder.
        sealed: Vec<StorageKeyId>,
    },
    /// Another key lies there.
    #[error("存储密钥 {} 为 {held}，而数据目录是用 {} 密封的 (this is another storage key)", .file.display(), shown(.sealed))]
    Another {
        /// Where it lies.
        file: PathBuf,
        /// Which it is.
        held: StorageKeyId,
        /// Which keys open the folder.
        sealed: Vec<StorageKeyId>,
    },
    /// An older version kept files in clear here.
    #[error("数据目录 {} 中有未密封的文件 (files lie here in clear)", .0.display())]
    Clear(PathBuf),
    /// The key would lie where what it seals lies.
    #[error("存储密钥 {} 位于数据目录之内 (the storage key lies in the data folder)", .0.display())]
    Inside(PathBuf),
    /// Others on the machine can read the key.
    #[error("存储密钥 {} 的权限 {mode:o} 过宽 (the mode of the storage key is too wide)", .file.display())]
    Mode {
        /// Which file.
        file: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file holds no key, or the mark names none.
    #[error("{} 格式错误 (malformed)", .0.display())]
    Malformed(PathBuf),
    /// A data folder without a name, beside which nothing can lie.
    #[error("数据目录 {} 旁不能放置密钥目录 (no folder can stand beside this data folder)", .0.display())]
    Place(PathBuf),
    /// The disk refuses.
    #[error("{}：{source}", .file.display())]
    Io {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn shown(keys: &[StorageKeyId]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}

fn io_at(file: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let file = file.to_path_buf();
    move |source| KeyError::Io { file, source }
}

/// How a key comes to its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Beside the data folder, by the node.
    Beside,
    /// Where the operator says.
    Configured,
    /// Handed over by systemd, and not to be changed by the node.
    Credential,
}

/// Where the key of a data folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    file: PathBuf,
    kept: Kept,
}

impl KeyPlace {
    /// The place of a folder's key, by the configuration and this process's environment.
    ///
    /// # Errors
    /// [`KeyError::Inside`], [`KeyError::Place`].
    pub fn of(data: &Path, configured: Option<&Path>) -> Result<Self, KeyError> {
        let credentials = std::env::var_os(CREDENTIALS_VARIABLE).map(PathBuf::from);
        Self::among(data, configured, credentials.as_deref())
    }

    fn among(
        data: &Path,
        configured: Option<&Path>,
        credentials: Option<&Path>,
    ) -> Result<Self, KeyError> {
        let data = whole(data);
        let credential = credentials.map(|folder| folder.join(CREDENTIAL));
        let place = match (configured, credential) {
            (Some(file), _) => Self {
                file: whole(file),
                kept: Kept::Configured,
            },
            (None, Some(file)) if file.is_file() => Self {
                file,
                kept: Kept::Credential,
            },
            (None, _) => {
                let name = data.file_name().ok_or(KeyError::Place(data.clone()))?;
                let mut secrets = name.to_os_string();
                secrets.push(SECRETS_ENDING);
                Self {
                    file: data.with_file_name(secrets).join(KEY_FILE),
                    kept: Kept::Beside,
                }
            }
        };
        if place.file.starts_with(&data) {
            return Err(KeyError::Inside(place.file));
        }
        Ok(place)
    }

    /// The key's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the node may put another key there.
    pub(super) fn is_its_own(&self) -> bool {
        match self.kept {
            Kept::Beside | Kept::Configured => true,
            Kept::Credential => false,
        }
    }

    /// The key that lies there.
    pub(super) fn read(&self) -> Result<Option<StorageKey>, KeyError> {
        let wide = match self.kept {
            Kept::Beside | Kept::Configured => OTHERS,
            Kept::Credential => EVERYBODY,
        };
        read_key(&self.file, wide)
    }
}

/// A path without links, as far as it exists.
fn whole(path: &Path) -> PathBuf {
    let absolute = || std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.canonicalize().unwrap_or_else(|_| {
        let absolute = absolute();
        match (
            absolute.parent().map(Path::canonicalize),
            absolute.file_name(),
        ) {
            (Some(Ok(parent)), Some(name)) => parent.join(name),
            _ => absolute,
        }
    })
}

fn read_small(file: &Path) -> Result<Option<(String, File)>, KeyError> {
    let opened = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(io_at(file))?,
    };
    let mut text = String::new();
    let read = (&opened).take(MAX_FILE_BYTES).read_to_string(&mut text);
    read.map_err(io_at(file))?;
    Ok(Some((text, opened)))
}

/// A key's file, as the operator names it.
pub(super) fn key_in(file: &Path) -> Result<Option<StorageKey>, KeyError> {
    read_key(file, OTHERS)
}

fn read_key(file: &Path, wide: u32) -> Result<Option<StorageKey>, KeyError> {
    let Some((text, opened)) = read_small(file)? else {
        return Ok(None);
    };
    let mode = opened.metadata().map_err(io_at(file))?.permissions().mode() & 0o777;
    if mode & wide != 0 {
        let file = file.to_path_buf();
        return Err(KeyError::Mode { file, mode });
    }
    let key = StorageKey::from_hex(&text);
    key.map(Some)
        .ok_or_else(|| KeyError::Malformed(file.to_path_buf()))
}

/// Under which keys a data folder is sealed; none, when it is new or in clear.
pub(super) fn mark(data: &Path) -> Result<Vec<StorageKeyId>, KeyError> {
    let file = data.join(MARK_FILE);
    let Some((text, _)) = read_small(&file)? else {
        return Ok(Vec::new());
    };
    let ids: Result<Vec<StorageKeyId>, _> = text.split_whitespace().map(str::parse).collect();
    match ids {
        Ok(ids) if !ids.is_empty() => Ok(ids),
        Ok(_) | Err(_) => Err(KeyError::Malformed(file)),
    }
}

/// Says durably under which keys a data folder is sealed.
pub(super) fn set_mark(data: &Path, keys: &[StorageKeyId]) -> Result<(), KeyError> {
    if mark(data)? == keys {
        return Ok(());
    }
    let lines: String = keys.iter().map(|key| format!("{key}\n")).collect();
    replace(&data.join(MARK_FILE), &lines)
}

/// Writes a file durably in the place of what was there.
fn replace(file: &Path, text: &str) -> Result<(), KeyError> {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".tmp");
    let temporary = file.with_file_name(name);
    let written = disk::private()
        .create(true)
        .truncate(true)
        .open(&temporary)
        .and_then(|mut out| {
            out.write_all(text.as_bytes())?;
            out.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, file))
        .and_then(|()| sync_parent(file));
    written.map_err(io_at(file))
}

pub(super) fn sync_parent(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), disk::sync_folder)
}

/// Writes a key into a file of its own, durably. Whatever lay there is replaced.
pub(super) fn write_key(file: &Path, key: &StorageKey) -> Result<(), KeyError> {
    replace(file, &format!("{}\n", key.to_hex()))
}

/// A new key.
pub(super) fn fresh() -> StorageKey {
    let mut bytes = [0; 32];
    random(&mut bytes);
    StorageKey::from_bytes(bytes)
}

/// The key of a data folder, looked for without a change of anything; none where the node is to make one.
///
/// # Errors
/// [`KeyError`]: the folder is not to be opened.
pub fn find(data: &Path, place: &KeyPlace) -> Result<Option<StorageKey>, KeyError> {
    let found = checked(data, place)?;
    if mark(data)?.is_empty() && holds_clear(data)? {
        return Err(KeyError::Clear(data.to_path_buf()));
    }
    Ok(found)
}

/// As [`find`], whether or not files lie in clear.
pub(super) fn checked(data: &Path, place: &KeyPlace) -> Result<Option<StorageKey>, KeyError> {
    let (sealed, file) = (mark(data)?, place.file.clone());
    match place.read()? {
        Some(key) if sealed.is_empty() || sealed.contains(&key.id()) => Ok(Some(key)),
        Some(key) => Err(KeyError::Another {
            file,
            held: key.id(),
            sealed,
        }),
        None if sealed.is_empty() && place.is_its_own() => Ok(None),
        None => Err(KeyError::Missing { file, sealed }),
    }
}

/// The key to run with, made where there is none, and the mark that says so. The data folder's lock must be held.
///
/// # Errors
/// [`KeyError::Io`].
pub fn keep(
    data: &Path,
    place: &KeyPlace,
    found: Option<StorageKey>,
) -> Result<StorageKey, KeyError> {
    let key = match found {
        Some(key) => key,
        None => make(place)?,
    };
    set_mark(data, &[key.id()])?;
    Ok(key)
}

/// Makes a key; one that lies there already stays.
pub(super) fn make(place: &KeyPlace) -> Result<StorageKey, KeyError> {
    let failed = || io_at(&place.file);
    if let (Kept::Beside, Some(folder)) = (place.kept, place.file.parent()) {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.and_then(|()| sync_parent(folder)).map_err(failed())?;
    }
    let key = fresh();
    let created = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&place.file)
        .and_then(|mut out| {
            writeln!(out, "{}", key.to_hex())?;
            out.sync_all()
        })
        .and_then(|()| sync_parent(&place.file));
    created.map_err(failed())?;
    tracing::info!(file = %place.file.display(), key = %key.id(), "storage key made: keep a copy of it apart from the data folder");
    Ok(key)
}

fn holds_clear(data: &Path) -> Result<bool, KeyError> {
    for folder in [OBJECTS_FOLDER, VAULT_FOLDER] {
        let folder = data.join(folder);
        if Objects::lie_in_clear(&folder).map_err(io_at(&folder))? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data folder and its key's place beside it.
    fn folder() -> (tempfile::TempDir, PathBuf, KeyPlace) {
        let parent = tempfile::tempdir().unwrap();
        let data = parent.path().join("node");
        fs::create_dir(&data).unwrap();
        let place = KeyPlace::among(&data, None, None).unwrap();
        (parent, data, place)
    }

    fn start(data: &Path, place: &KeyPlace) -> Result<StorageKeyId, KeyError> {
        let found = find(data, place)?;
        Ok(keep(data, place, found)?.id())
    }

    #[test]
    fn the_first_start_makes_a_key_beside_the_folder_for_its_owner_alone() {
        let (parent, data, place) = folder();
        let made = start(&data, &place).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let secrets = parent.path().join("node.secrets");
        assert_eq!(mode(&secrets), 0o700);
        assert_eq!(mode(&secrets.join("storage.key")), 0o600);
        assert_eq!(start(&data, &place).unwrap(), made, "the next one uses it");
    }

    #[test]
    fn a_missing_or_another_key_is_refused_and_nothing_is_changed() {
        let (_parent, data, place) = folder();
        let made = start(&data, &place).unwrap();
        fs::remove_file(place.file()).unwrap();
        let error = start(&data, &place).unwrap_err();
        assert!(matches!(error, KeyError::Missing { .. }), "{error}");
        assert!(!place.file().exists(), "none is made in its place");
        write_key(place.file(), &fresh()).unwrap();
        let error = start(&data, &place).unwrap_err();
        assert!(matches!(error, KeyError::Another { .. }), "{error}");
        assert_eq!(mark(&data).unwrap(), [made]);
    }

    #[test]
    fn the_configured_place_wins_over_the_credential_and_that_over_the_default() {
        let (parent, data, beside) = folder();
        let credentials = parent.path().join("credentials");
        fs::create_dir(&credentials).unwrap();
        let among = |configured: Option<&Path>| {
            KeyPlace::among(&data, configured, Some(&credentials)).unwrap()
        };
        assert_eq!(among(None), beside, "there is no such credential");
        let credential = credentials.join(CREDENTIAL);
        write_key(&credential, &fresh()).unwrap();
        assert_eq!(among(None).file(), credential);
        assert!(!among(None).is_its_own());
        let configured = whole(parent.path()).join("mine.key");
        assert_eq!(among(Some(&configured)).file(), configured);
    }

    #[test]
    fn a_key_in_the_data_folder_or_open_to_others_is_refused() {
        let (_parent, data, place) = folder();
        let inside = KeyPlace::among(&data, Some(&data.join("keys/storage.key")), None);
        assert!(matches!(inside, Err(KeyError::Inside(_))));
        let root = KeyPlace::among(Path::new("/"), None, None);
        assert!(matches!(root, Err(KeyError::Place(_))));
        start(&data, &place).unwrap();
        let wide = fs::Permissions::from_mode(0o640);
        fs::set_permissions(place.file(), wide).unwrap();
        let error = start(&data, &place).unwrap_err();
        assert!(matches!(error, KeyError::Mode { mode: 0o640, .. }));
        fs::set_permissions(place.file(), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(place.file(), "no key").unwrap();
        let error = start(&data, &place).unwrap_err();
        assert!(matches!(error, KeyError::Malformed(_)), "{error}");
    }

    #[test]
    fn files_in_clear_keep_a_node_from_starting_and_no_key_is_made() {
        let (_parent, data, place) = folder();
        let shelf = data.join("objects/ab");
        fs::create_dir_all(&shelf).unwrap();
        fs::write(shelf.join("ab".repeat(32)), "in clear").unwrap();
        let error = start(&data, &place).unwrap_err();
        assert!(matches!(error, KeyError::Clear(_)), "{error}");
        assert!(!place.file().exists());
    }
}
