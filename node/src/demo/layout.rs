//! Where everything of a demo lies: `DIR/layout.json`, written by `prepare`, read by all that follows.
//!
//! ```text
//! DIR
//! ├── layout.json     this file
//! ├── root            the root key, encrypted, and its public half: offline, no node's
//! ├── nodes/440106    a node's data folder: keys, node.toml, certificate, ledger, tables
//! ├── people/440106   the keys of its people, encrypted, outside every node's folder
//! ├── work            requests, certificates and files on their way from one command to the next
//! └── logs/440106.log what the node wrote
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use identity::Code;
use serde::{Deserialize, Serialize};
use statute::Role;

use super::Failure;

/// Name of the file.
pub const FILE: &str = "layout.json";
/// Largest layout read: 400 bytes for each of the demo's nodes and people, many times over.
const MAX_LAYOUT_BYTES: u64 = 1 << 20;

/// Where the nodes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Processes on this machine, on loopback.
    Local,
    /// Containers on a network of their own, each with its own address.
    Containers,
}

/// A prepared demo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    /// The folder itself; not in the file, which lies in it.
    #[serde(skip)]
    pub dir: PathBuf,
    /// Where the nodes run.
    pub kind: Kind,
    /// Opens the keys of the demo's invented people; each real person has a passphrase of their own.
    pub passphrase: String,
    /// Every node, parents before children.
    pub nodes: Vec<Site>,
    /// Every person.
    pub people: Vec<PersonSite>,
}

/// Where one node is reached and kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its code.
    pub code: Code,
    /// Its name.
    pub name: String,
    /// Its parent; none for the hub.
    pub parent: Option<Code>,
    /// Its address.
    pub ip: String,
    /// Where its children connect to, as a multiaddr.
    pub link: String,
    /// Its API and page, as a URL without a slash at the end.
    pub http: String,
    /// Its data folder, below the demo's folder.
    pub data: PathBuf,
    /// A token of the role `admin`.
    pub token: String,
    /// A token of the role `viewer`, for its page.
    pub viewer: String,
}

/// One person and the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonSite {
    /// The node.
    pub node: Code,
    /// The role.
    pub role: Role,
    /// The name.
    pub name: String,
    /// The department the person acts for.
    pub department: String,
    /// The encrypted key, below the demo's folder.
    pub key: PathBuf,
}

impl Layout {
    /// Reads a layout by the path of its file or of the folder it lies in.
    ///
    /// # Errors
    /// [`Failure`] naming the file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let file = if path.is_dir() {
            path.join(FILE)
        } else {
            path.to_owned()
        };
        let failed = |why: String| {
            Failure::new(format!("无法读取 {} / cannot read it", file.display()), why)
        };
        let length = fs::metadata(&file)
            .map_err(|error| failed(error.to_string()))?
            .len();
        if length > MAX_LAYOUT_BYTES {
            return Err(failed(format!("{length} > {MAX_LAYOUT_BYTES} bytes")));
        }
        let text = fs::read_to_string(&file).map_err(|error| failed(error.to_string()))?;
        let mut layout: Self =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        let dir = file.parent().map_or_else(PathBuf::new, Path::to_owned);
        layout.dir = std::path::absolute(dir).map_err(|error| failed(error.to_string()))?;
        Ok(layout)
    }

    /// Writes the layout into its folder, readable by its owner alone: it holds tokens.
    ///
    /// # Errors
    /// [`Failure`] when the disk fails.
    pub fn write(&self) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Failure::new(FILE, error))?;
        write_private(&self.dir.join(FILE), text.as_bytes())
            .map_err(|error| Failure::new(FILE, error))
    }

    /// Where a node is.
    ///
    /// # Errors
    /// [`Failure`] when the layout has no such node.
    pub fn site(&self, code: Code) -> Result<&Site, Failure> {
        self.nodes
            .iter()
            .find(|site| site.code == code)
            .ok_or_else(|| Failure::new(FILE, format!("没有节点 {code} / no node {code}")))
    }

    /// A node's data folder.
    pub fn data(&self, site: &Site) -> PathBuf {
        self.dir.join(&site.data)
    }

    /// A node's configuration.
    pub fn config(&self, site: &Site) -> PathBuf {
        self.data(site).join("node.toml")
    }

    /// Where a person is.
    ///
    /// # Errors
    /// [`Failure`] when the layout knows no such person.
    pub fn person(&self, node: Code, role: Role) -> Result<&PersonSite, Failure> {
        let found = self
            .people
            .iter()
            .find(|person| person.node == node && person.role == role);
        found.ok_or_else(|| {
            Failure::new(
                node.to_string(),
                format!("没有{} / no {}", role.zh(), role.en()),
            )
        })
    }

    /// The key of a person.
    ///
    /// # Errors
    /// [`Failure`] when the layout knows no such person.
    pub fn key(&self, node: Code, role: Role) -> Result<PathBuf, Failure> {
        Ok(self.dir.join(&self.person(node, role)?.key))
    }

    /// Where a node writes its log.
    pub fn log(&self, site: &Site) -> PathBuf {
        self.dir.join("logs").join(format!("{}.log", site.code))
    }

    /// A file on its way from one command to the next.
    pub fn work(&self, name: &str) -> PathBuf {
        self.dir.join("work").join(name)
    }
}

/// Writes a file that only its owner can read.
///
/// # Errors
/// What the disk says.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)
}

/// Makes a folder, and those above it, that only its owner can enter.
///
/// # Errors
/// What the disk says.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(dir: &Path) -> Layout {
        let site = Site {
            code: Code::HUB,
            name: "国家政务大数据平台".into(),
            parent: None,
            ip: "127.0.0.1".into(),
            link: "/ip4/127.0.0.1/tcp/7000".into(),
            http: "http://127.0.0.1:8000".into(),
            data: "nodes/100000".into(),
            token: "gt_a".into(),
            viewer: "gt_v".into(),
        };
        Layout {
            dir: dir.to_owned(),
            kind: Kind::Local,
            passphrase: "p".into(),
            nodes: vec![site],
            people: vec![],
        }
    }

    #[test]
    fn a_layout_is_read_as_it_was_written_and_by_nobody_else() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let written = layout(dir.path());
        written.write().unwrap();
        assert_eq!(Layout::read(dir.path()).unwrap(), written);
        assert_eq!(Layout::read(&dir.path().join(FILE)).unwrap(), written);
        let mode = fs::metadata(dir.path().join(FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_unknown_node_or_a_missing_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            Layout::read(dir.path())
                .unwrap_err()
                .to_string()
                .contains(FILE)
        );
        let error = layout(dir.path())
            .site("440106".parse().unwrap())
            .unwrap_err();
        assert!(error.to_string().contains("440106"));
    }
}
