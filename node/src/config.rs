//! The node's configuration: a TOML file, then the environment (`GUANTONG__LINK__LISTEN` is `link.listen`), then flags.
//!
//! What comes later wins. An unknown key is an error that names it, wherever it comes from: a misspelt limit that is
//! silently ignored is a limit that is not there.

mod profile;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};
use libp2p::Multiaddr;
use serde::{Deserialize, Deserializer};

pub use self::profile::ProfileChoice;
use crate::delivery::SPLIT_MEMORY_BYTES;
use crate::service::Registrations;
use crate::storage::backup::Recipient;

/// Prefix of environment variables; `__` separates it from the section and the section from the key.
pub const ENVIRONMENT_PREFIX: &str = "GUANTONG";

/// Everything a node is told by its operator.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// The node's folder: keys, ledger, tables, objects, index. One process at a time.
    pub data_dir: PathBuf,
    /// The profile of law: `national` (the default), `shenyang`, or the path of a TOML file.
    #[serde(default)]
    pub profile: ProfileChoice,
    /// What lies on the disk.
    #[serde(default)]
    pub storage: StorageConfig,
    /// The ledger, kept elsewhere as it grows.
    #[serde(default)]
    pub escrow: EscrowConfig,
    /// Links to the parent and the children.
    #[serde(default)]
    pub link: LinkConfig,
    /// API, console, metrics.
    #[serde(default)]
    pub http: HttpConfig,
    /// What the public may reach.
    #[serde(default)]
    pub public: PublicConfig,
    /// What the node gives to others at most.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Clocks of the driver.
    #[serde(default)]
    pub timing: TimingConfig,
    /// Backends of the services that this node's departments share (R22): `[[services]]`.
    #[serde(default)]
    pub services: Registrations,
    /// What is logged, and how.
    #[serde(default)]
    pub log: LogConfig,
}

/// `[storage]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// The key under which files and personal content are sealed, outside the data folder. Without it: the credential `guantong-storage` of
    /// systemd, else `<data_dir>.secrets/storage.key`.
    pub key_file: Option<PathBuf>,
}

/// `[escrow]`: off without a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EscrowConfig {
    /// Where the ledger goes: a folder on another machine or medium, mounted here.
    pub folder: Option<PathBuf>,
    /// To whom it is sealed: the public half of the authority's recovery key, `recovery-x25519:…`.
    pub recipient: Option<String>,
    /// Shared files too, as they lie sealed here.
    pub files: bool,
    /// Seconds between two looks at what is new.
    pub every_s: u64,
}

impl Default for EscrowConfig {
    fn default() -> Self {
        Self {
            folder: None,
            recipient: None,
            files: false,
            every_s: 60,
        }
    }
}

/// `[link]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkConfig {
    /// Where children connect to, such as `/ip4/0.0.0.0/tcp/7100`. Port 0 takes any free one.
    #[serde(deserialize_with = "multiaddr")]
    pub listen: Multiaddr,
    /// The parent's `link.listen` as seen from here; the hub has none. `/dns4/…` names are resolved at every dial.
    #[serde(deserialize_with = "optional_multiaddr")]
    pub parent: Option<Multiaddr>,
    /// Where children's circuits come in over connections of their own, which are sealed from end to end and not once more at each hop. Without
    /// it they stay on the children's connections.
    #[serde(deserialize_with = "optional_multiaddr")]
    pub wire_listen: Option<Multiaddr>,
    /// The parent's `link.wire_listen` as seen from here; without it circuits with the parent stay on the connection.
    #[serde(deserialize_with = "optional_multiaddr")]
    pub wire_parent: Option<Multiaddr>,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            listen: Multiaddr::from(Ipv4Addr::LOCALHOST).with(libp2p::multiaddr::Protocol::Tcp(0)),
            parent: None,
            wire_listen: None,
            wire_parent: None,
        }
    }
}

/// `[http]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Where the API, the console and the metrics are served. Port 0 takes any free one.
    pub listen: SocketAddr,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }
}

/// `[public]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublicConfig {
    /// Where the public routes are served, and nothing else. Without it they are on `http.listen` alone, where the public does not come.
    pub listen: Option<SocketAddr>,
    /// Reverse proxies in front: requests from these addresses count for whom their `X-Forwarded-For` names.
    pub proxies: Vec<IpAddr>,
}

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Established connections from children. The hub has 32 provinces and about 50 ministries; the default leaves room for four times that.
    pub connections: u32,
    /// Connections still in their handshake: what strangers can occupy.
    pub pending_connections: u32,
    /// Resident bytes above which no further connection is taken.
    pub memory_bytes: u64,
    /// Bytes of rows that a table's split holds in memory at a time (R24); with its buffers it takes about as much again.
    pub split_memory_bytes: u64,
    /// Circuits that end at or pass through this node at a time; each holds two buffers of 64 KiB.
    pub circuits: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            connections: 384,
            pending_connections: 64,
            memory_bytes: 2 << 30,
            split_memory_bytes: SPLIT_MEMORY_BYTES,
            circuits: 64,
        }
    }
}

/// `[timing]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimingConfig {
    /// Milliseconds between two ticks of the core. Deadlines are in days, retries in seconds.
    pub tick_ms: u64,
    /// Milliseconds that `shutdown` waits for running work.
    pub shutdown_ms: u64,
}

impl Default for TimingConfig {
    fn default() -> Self {
        Self {
            tick_ms: 1_000,
            shutdown_ms: 5_000,
        }
    }
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// Text for people, JSON for machines.
    pub format: LogFormat,
    /// `tracing` directives, such as `info,node::transport=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".into(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line for a person.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read or parsed, a key is unknown or missing, a value has the wrong form; the text names it.
    #[error("配置有误 / configuration: {0}")]
    Invalid(#[from] config::ConfigError),
    /// A value is well-formed but no node can run with it.
    #[error("配置项 {key} 不可用 / {key}: {reason}")]
    Unusable {
        /// The key.
        key: &'static str,
        /// What is wrong, and what would be right.
        reason: &'static str,
    },
}

impl NodeConfig {
    /// Reads the configuration: `file` when given, then this process's environment, then `flags` (dotted keys, such as
    /// `http.listen`).
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Self, ConfigError> {
        let file = file.map(|path| File::from(path).format(FileFormat::Toml).required(true));
        Self::layered(file, None, flags)
    }

    /// A configuration with defaults everywhere but the folder.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            profile: ProfileChoice::default(),
            storage: StorageConfig::default(),
            escrow: EscrowConfig::default(),
            link: LinkConfig::default(),
            http: HttpConfig::default(),
            public: PublicConfig::default(),
            limits: LimitsConfig::default(),
            timing: TimingConfig::default(),
            services: Registrations::default(),
            log: LogConfig::default(),
        }
    }

    fn layered<T: config::Source + Send + Sync + 'static>(
        file: Option<T>,
        environment: Option<HashMap<String, String>>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let mut builder = Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(file);
        }
        builder = builder.add_source(
            Environment::with_prefix(ENVIRONMENT_PREFIX)
                .separator("__")
                .ignore_empty(true)
                .source(environment),
        );
        for (key, value) in flags {
            builder = builder.set_override(*key, value.clone())?;
        }
        let read: Self = builder.build()?.try_deserialize()?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let unusable = |key, reason| Err(ConfigError::Unusable { key, reason });
        if self.data_dir.as_os_str().is_empty() {
            return unusable("data_dir", "must name a folder");
        }
        if !(10..=60_000).contains(&self.timing.tick_ms) {
            return unusable("timing.tick_ms", "must lie between 10 and 60000");
        }
        self.check_escrow()?;
        if self.limits.connections == 0
            || self.limits.pending_connections == 0
            || self.limits.circuits == 0
        {
            return unusable(
                "limits",
                "connections, pending_connections and circuits must be at least 1",
            );
        }
        if self.limits.memory_bytes < 64 << 20 {
            return unusable("limits.memory_bytes", "must be at least 67108864 (64 MiB)");
        }
        if !(16 << 20..=4 << 30).contains(&self.limits.split_memory_bytes) {
            return unusable(
                "limits.split_memory_bytes",
                "must lie between 16777216 (16 MiB) and 4294967296 (4 GiB)",
            );
        }
        Ok(())
    }
}

impl NodeConfig {
    fn check_escrow(&self) -> Result<(), ConfigError> {
        let unusable = |key, reason| Err(ConfigError::Unusable { key, reason });
        let Some(folder) = &self.escrow.folder else {
            return Ok(());
        };
        if folder.starts_with(&self.data_dir) {
            return unusable("escrow.folder", "must not lie in the data folder");
        }
        let recipient = self.escrow.recipient.as_deref().unwrap_or_default();
        if recipient.parse::<Recipient>().is_err() {
            return unusable(
                "escrow.recipient",
                "must be a recovery key's public half, as guantong backup key prints it",
            );
        }
        if !(1..=86_400).contains(&self.escrow.every_s) {
            return unusable("escrow.every_s", "must lie between 1 and 86400");
        }
        Ok(())
    }
}

fn multiaddr<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Multiaddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|e| {
        serde::de::Error::custom(format!(
            "`{text}` is not a multiaddr such as /ip4/10.0.0.1/tcp/7100: {e}"
        ))
    })
}

fn optional_multiaddr<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Multiaddr>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) if text.is_empty() => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|e| {
            serde::de::Error::custom(format!(
                "`{text}` is not a multiaddr such as /ip4/10.0.0.1/tcp/7100: {e}"
            ))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        toml: &str,
        environment: &[(&str, &str)],
        flags: &[(&str, &str)],
    ) -> Result<NodeConfig, ConfigError> {
        let environment = environment
            .iter()
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .collect();
        let flags: Vec<(&str, String)> = flags.iter().map(|(k, v)| (*k, v.to_string())).collect();
        NodeConfig::layered(
            Some(File::from_str(toml, FileFormat::Toml)),
            Some(environment),
            &flags,
        )
    }

    #[test]
    fn defaults_fill_what_is_not_said() {
        let config = read("data_dir = '/srv/guantong'", &[], &[]).unwrap();
        assert_eq!(config, NodeConfig::in_dir("/srv/guantong"));
    }

    #[test]
    fn file_overrides_default() {
        let config = read("data_dir = 'd'\n[timing]\ntick_ms = 250", &[], &[]).unwrap();
        assert_eq!(config.timing.tick_ms, 250);
        assert_eq!(
            config.timing.shutdown_ms,
            TimingConfig::default().shutdown_ms
        );
    }

    #[test]
    fn environment_overrides_file() {
        let config = read(
            "data_dir = 'd'\n[timing]\ntick_ms = 250",
            &[("GUANTONG__TIMING__TICK_MS", "500")],
            &[],
        )
        .unwrap();
        assert_eq!(config.timing.tick_ms, 500);
    }

    #[test]
    fn flag_overrides_environment() {
        let config = read(
            "data_dir = 'd'\n[http]\nlisten = '127.0.0.1:1'",
            &[("GUANTONG__HTTP__LISTEN", "127.0.0.1:2")],
            &[("http.listen", "127.0.0.1:3")],
        )
        .unwrap();
        assert_eq!(config.http.listen.port(), 3);
    }

    #[test]
    fn environment_alone_is_enough() {
        let config = read(
            "",
            &[
                ("GUANTONG__DATA_DIR", "/d"),
                ("GUANTONG__LINK__PARENT", "/ip4/10.0.0.1/tcp/7100"),
            ],
            &[],
        )
        .unwrap();
        assert_eq!(
            config.link.parent,
            Some("/ip4/10.0.0.1/tcp/7100".parse().unwrap())
        );
    }

    #[test]
    fn variables_of_others_are_ignored() {
        assert!(
            read(
                "data_dir = 'd'",
                &[("GUANTONGX__FOO", "1"), ("HOME", "/root")],
                &[]
            )
            .is_ok()
        );
    }

    #[test]
    fn wrong_key_is_an_error_that_names_it() {
        type Pairs = &'static [(&'static str, &'static str)];
        let sources: [(&str, Pairs, Pairs); 4] = [
            ("data_dir = 'd'\nlissten = 1", &[], &[]),
            (
                "data_dir = 'd'\n[link]\nlissten = '/ip4/0.0.0.0/tcp/1'",
                &[],
                &[],
            ),
            ("data_dir = 'd'", &[("GUANTONG__LINK__LISSTEN", "x")], &[]),
            ("data_dir = 'd'", &[], &[("link.lissten", "x")]),
        ];
        for (toml, environment, flags) in sources {
            let error = read(toml, environment, flags).unwrap_err().to_string();
            assert!(error.contains("lissten"), "{error}");
        }
    }

    #[test]
    fn missing_folder_is_named() {
        let error = read("", &[], &[]).unwrap_err().to_string();
        assert!(error.contains("data_dir"), "{error}");
    }

    #[test]
    fn malformed_address_is_named() {
        let error = read("data_dir = 'd'\n[link]\nparent = '10.0.0.1:7100'", &[], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("10.0.0.1:7100"), "{error}");
    }

    #[test]
    fn value_no_node_can_run_with_is_refused() {
        let error = read("data_dir = 'd'\n[timing]\ntick_ms = 0", &[], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("timing.tick_ms"), "{error}");
    }

    #[test]
    fn missing_file_is_an_error() {
        let error = NodeConfig::load(Some(Path::new("/nonexistent/node.toml")), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nonexistent/node.toml"), "{error}");
    }
}
