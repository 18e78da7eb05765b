//! Key files and chain files of people, on their own disk.

use std::fs;
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use identity::{KdfParams, KeyFile, KeyFileError, KeyKind, SigningKey};
use sharing::person::PersonChain;
use sharing::private::ContentError;

/// Longest key or chain file, bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;
/// The environment variable that may hold the passphrase.
pub const PASSPHRASE_VARIABLE: &str = "GUANTONG_PASSPHRASE";
/// A data folder is known by this file.
const NODE_FILE: &str = "node.toml";

/// Why a person's key or chain is of no use.
#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    /// A file cannot be read or written.
    #[error("{}：{reason}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// A file is not what it should be.
    #[error("{} 不是有效的文件 / is not valid: {reason}", .path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key is to be written where there is one.
    #[error("{} 已存在，未覆盖 / exists and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// A person's key does not belong in a node's folder.
    #[error("{} 在节点的数据目录之内；人员密钥不得存放于节点 / lies in a node's data folder, where no person's key may be", .0.display())]
    InNodeFolder(PathBuf),
    /// The key or passphrase is refused.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A root's key is needed and a person's given, or the other way round.
    #[error("{} 是 {found:?} 密钥，此处需要 {expected:?} / is a key of another kind", .path.display())]
    WrongKind {
        /// Which file.
        path: PathBuf,
        /// What it holds.
        found: KeyKind,
        /// What is needed.
        expected: KeyKind,
    },
    /// What was said is blank or too long.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Nobody can be asked for the passphrase.
    #[error(
        "没有口令：设置 {PASSPHRASE_VARIABLE}，或用 --passphrase-file，或在终端运行 / no passphrase: set {PASSPHRASE_VARIABLE}, give --passphrase-file, or run in a terminal"
    )]
    NoPassphrase,
    /// The system gives no random bytes.
    #[error("系统随机数不可用 / no random bytes: {0}")]
    Entropy(getrandom::Error),
}

/// Random bytes of the system.
///
/// # Errors
/// [`PersonError::Entropy`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N], PersonError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(PersonError::Entropy)?;
    Ok(bytes)
}

/// Makes a key and writes it encrypted, readable by its owner alone. An existing file is never overwritten, and no
/// person's key is written into a node's folder.
///
/// # Errors
/// [`PersonError`].
pub fn create_key(
    path: &Path,
    kind: KeyKind,
    passphrase: &str,
    kdf: KdfParams,
) -> Result<KeyFile, PersonError> {
    if path.exists() {
        return Err(PersonError::Exists(path.to_owned()));
    }
    let absolute = std::path::absolute(path).map_err(|reason| failed(path, reason))?;
    if absolute
        .ancestors()
        .skip(1)
        .any(|folder| folder.join(NODE_FILE).exists())
    {
        return Err(PersonError::InNodeFolder(path.to_owned()));
    }
    let key = SigningKey::from_seed(random_bytes()?);
    let file = KeyFile::seal(
        kind,
        &key,
        passphrase,
        kdf,
        random_bytes()?,
        random_bytes()?,
    )?;
    let text = serde_json::to_string_pretty(&file).map_err(|error| malformed(path, error))?;
    write_private(path, text.as_bytes())?;
    Ok(file)
}

/// Writes a new file that only its owner reads.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), PersonError> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|reason| match reason.kind() {
            io::ErrorKind::AlreadyExists => PersonError::Exists(path.to_owned()),
            _ => failed(path, reason),
        })?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|reason| failed(path, reason))
}

/// Reads a key file, still encrypted.
///
/// # Errors
/// [`PersonError`].
pub fn load_key(path: &Path) -> Result<KeyFile, PersonError> {
    serde_json::from_slice(&read(path)?).map_err(|error| malformed(path, error))
}

/// Decrypts a key of the wanted kind.
///
/// # Errors
/// [`PersonError`].
pub fn open_key(path: &Path, kind: KeyKind, passphrase: &str) -> Result<SigningKey, PersonError> {
    let file = load_key(path)?;
    if file.kind != kind {
        return Err(PersonError::WrongKind {
            path: path.to_owned(),
            found: file.kind,
            expected: kind,
        });
    }
    Ok(file.open(passphrase)?)
}

/// Where a person's chain stands: beside the key, with the ending `.chain.json`.
pub fn chain_path(key: &Path) -> PathBuf {
    let mut name = key.file_stem().unwrap_or_default().to_owned();
    name.push(".chain.json");
    key.with_file_name(name)
}

/// Reads the chain beside a key; `None` when there is none.
///
/// # Errors
/// [`PersonError`].
pub fn load_chain(path: &Path) -> Result<Option<PersonChain>, PersonError> {
    if !path.exists() {
        return Ok(None);
    }
    serde_json::from_slice(&read(path)?)
        .map(Some)
        .map_err(|error| malformed(path, error))
}

/// Writes a chain, over an older one if need be.
///
/// # Errors
/// [`PersonError`].
pub fn save_chain(path: &Path, chain: &PersonChain) -> Result<(), PersonError> {
    let text = serde_json::to_string_pretty(chain).map_err(|error| malformed(path, error))?;
    fs::write(path, text).map_err(|reason| failed(path, reason))
}

/// The passphrase: from a file, the environment, or the terminal, the first of them that is there.
///
/// # Errors
/// [`PersonError::NoPassphrase`] when nobody can be asked.
pub fn passphrase(file: Option<&Path>, prompt: &str) -> Result<String, PersonError> {
    if let Some(path) = file {
        let text = String::from_utf8(read(path)?).map_err(|error| malformed(path, error))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Ok(text) = std::env::var(PASSPHRASE_VARIABLE) {
        return Ok(text);
    }
    if !io::stdin().is_terminal() {
        return Err(PersonError::NoPassphrase);
    }
    eprint!("{prompt}: ");
    let echo = Echo::off();
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    drop(echo);
    eprintln!();
    match read {
        Ok(0) | Err(_) => Err(PersonError::NoPassphrase),
        Ok(_) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}

/// The terminal without echo until dropped.
struct Echo;

impl Echo {
    fn off() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        stty("echo");
    }
}

/// Where there is no `stty`, the passphrase is seen while it is typed.
fn stty(setting: &str) {
    let _ = Command::new("stty")
        .arg(setting)
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .status();
}

fn read(path: &Path) -> Result<Vec<u8>, PersonError> {
    let length = fs::metadata(path)
        .map_err(|reason| failed(path, reason))?
        .len();
    if length > MAX_FILE_BYTES {
        return Err(malformed(
            path,
            format!("{length} bytes, at most {MAX_FILE_BYTES} are read"),
        ));
    }
    fs::read(path).map_err(|reason| failed(path, reason))
}

fn failed(path: &Path, reason: io::Error) -> PersonError {
    PersonError::File {
        path: path.to_owned(),
        reason,
    }
}

fn malformed(path: &Path, reason: impl ToString) -> PersonError {
    PersonError::Malformed {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_private_encrypted_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("li-si.key");
        let made = create_key(&path, KeyKind::Person, "口令", KdfParams::MINIMUM).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let key = open_key(&path, KeyKind::Person, "口令").unwrap();
        assert_eq!(key.verify_key(), made.public);
        assert!(
            !fs::read_to_string(&path)
                .unwrap()
                .contains(&hex::encode(key.to_seed()))
        );
        assert!(matches!(
            create_key(&path, KeyKind::Person, "x", KdfParams::MINIMUM),
            Err(PersonError::Exists(_))
        ));
        assert!(matches!(
            open_key(&path, KeyKind::Person, "错"),
            Err(PersonError::Key(KeyFileError::WrongPassphrase))
        ));
        assert!(matches!(
            open_key(&path, KeyKind::Root, "口令"),
            Err(PersonError::WrongKind { .. })
        ));
    }

    #[test]
    fn no_persons_key_is_written_into_a_nodes_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NODE_FILE), "").unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        for place in ["a.key", "keys/a.key"] {
            let made = create_key(
                &folder.path().join(place),
                KeyKind::Person,
                "x",
                KdfParams::MINIMUM,
            );
            assert!(matches!(made, Err(PersonError::InNodeFolder(_))), "{place}");
        }
    }

    #[test]
    fn the_chain_stands_beside_its_key() {
        assert_eq!(
            chain_path(Path::new("/a/li-si.key")),
            Path::new("/a/li-si.chain.json")
        );
        assert!(
            load_chain(Path::new("/nonexistent/x.chain.json"))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn the_passphrase_of_a_file_ends_at_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        fs::write(&path, "很 长\r\n").unwrap();
        assert_eq!(passphrase(Some(&path), "").unwrap(), "很 长");
    }
}
