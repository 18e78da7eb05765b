//! Backends that this node calls for those it has granted a service: `[[services]]` of the configuration, checked when it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use federation::service::{CallMethod, CallTarget, percent_decoded};
use serde::Deserialize;
use sharing::catalogue::EntryId;

use crate::platform::address::HttpAddress;

/// Most backends of one node: four platforms with as many services as one may have.
pub const MAX_REGISTERED: usize = 4 * crate::platform::services::MAX_SERVICES;
/// Most paths of one backend, and most names of fields: as many as an entry has items.
pub const MAX_LISTED: usize = 512;
/// Longest time a backend may be silent, milliseconds: less than what the hops bear.
pub const MAX_TIMEOUT_MS: u64 = 25_000;
/// Most calls of one service at a time.
pub const MAX_CONCURRENT: u32 = 256;
/// Most calls a minute under one grant that can be set.
pub const MAX_PER_MINUTE: u32 = 1_000_000;

/// Who reduces an answer to the granted data items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldsBy {
    /// This node, where the answer is JSON; any other answer under a grant of some items is refused.
    #[default]
    Node,
    /// The backend, told the items by `X-Guantong-Fields`.
    Backend,
}

/// One backend as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// The entry that it serves.
    pub entry: EntryId,
    /// Its base address; calls never leave it.
    pub backend: HttpAddress,
    /// Whether it may stand elsewhere than on this machine or in a private network.
    #[serde(default)]
    pub anywhere: bool,
    /// How long it may be silent, milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Calls at a time.
    #[serde(default = "concurrent")]
    pub concurrent: u32,
    /// Calls a minute under one grant.
    #[serde(default = "per_minute")]
    pub per_minute: u32,
    /// Methods that may be used.
    #[serde(default = "methods")]
    pub methods: Vec<CallMethod>,
    /// Paths below the base that may be called, with all that is below them.
    #[serde(default = "paths")]
    pub paths: Vec<String>,
    /// Who reduces answers to the granted items.
    #[serde(default)]
    pub fields: FieldsBy,
    /// What the backend calls an item, where that is not the item's name.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
}

const fn timeout_ms() -> u64 {
    10_000
}

const fn concurrent() -> u32 {
    16
}

/// Calls a minute under one grant where nothing else is said.
pub const fn per_minute() -> u32 {
    600
}

fn methods() -> Vec<CallMethod> {
    vec![CallMethod::Get]
}

fn paths() -> Vec<String> {
    vec!["/".to_owned()]
}

/// The backends of a node, each serving an entry of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Registration>")]
pub struct Registrations(Vec<Registration>);

/// Why a backend is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// More than [`MAX_REGISTERED`].
    #[error("services 超过 {MAX_REGISTERED} 个 / more than {MAX_REGISTERED} services")]
    TooMany,
    /// Two backends serve one entry.
    #[error("{0} 登记了两次 / {0} is registered twice")]
    Twice(EntryId),
    /// A number out of its bounds.
    #[error("{entry}：{key} 应在 1 至 {most} 之间 / {key} must lie between 1 and {most}")]
    Bounds {
        /// Which entry's.
        entry: EntryId,
        /// Which key.
        key: &'static str,
        /// The largest value.
        most: u64,
    },
    /// The address has a query, or a path that a call could not stay below.
    #[error("{0}：backend 应为不含查询的基地址 / backend is a base address without a query")]
    Base(EntryId),
    /// The address is public, or a name.
    #[error(
        "{0}：backend 不是本机或者内网的 IP 地址；确需如此时写明 anywhere = true / backend is no address of this machine or of a private network; say anywhere = true where that is meant"
    )]
    Elsewhere(EntryId),
    /// A path is none, or there is no method or path.
    #[error(
        "{0}：methods 与 paths 不得为空，paths 以“/”开头 / methods and paths are not empty, and a path begins with \"/\""
    )]
    Paths(EntryId),
}

impl TryFrom<Vec<Registration>> for Registrations {
    type Error = RegistrationError;

    fn try_from(all: Vec<Registration>) -> Result<Self, RegistrationError> {
        if all.len() > MAX_REGISTERED {
            return Err(RegistrationError::TooMany);
        }
        let mut served = BTreeSet::new();
        for one in &all {
            one.check()?;
            if !served.insert(&one.entry) {
                return Err(RegistrationError::Twice(one.entry.clone()));
            }
        }
        Ok(Self(all))
    }
}

impl Registrations {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Registration> {
        self.0.iter()
    }
}

impl Registration {
    fn check(&self) -> Result<(), RegistrationError> {
        let entry = || self.entry.clone();
        let numbers = [
            ("timeout_ms", self.timeout_ms, MAX_TIMEOUT_MS),
            ("concurrent", self.concurrent.into(), MAX_CONCURRENT.into()),
            ("per_minute", self.per_minute.into(), MAX_PER_MINUTE.into()),
            ("paths", self.paths.len() as u64, MAX_LISTED as u64),
        ];
        for (key, value, most) in numbers {
            if value == 0 || value > most {
                let entry = entry();
                return Err(RegistrationError::Bounds { entry, key, most });
            }
        }
        if self.names.len() > MAX_LISTED {
            let (entry, key, most) = (entry(), "names", MAX_LISTED as u64);
            return Err(RegistrationError::Bounds { entry, key, most });
        }
        let path =
            |text: &str| CallTarget::parse(text).is_ok_and(|target| target.query().is_none());
        if self.methods.is_empty() || !self.paths.iter().all(|it| path(it)) {
            return Err(RegistrationError::Paths(entry()));
        }
        if !path(self.base_or_root()) {
            return Err(RegistrationError::Base(entry()));
        }
        if !self.anywhere && !is_near(&self.host()) {
            return Err(RegistrationError::Elsewhere(entry()));
        }
        Ok(())
    }

    fn authority(&self) -> &str {
        let rest = self.backend.as_str();
        let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
        rest.split(['/', '?']).next().unwrap_or_default()
    }

    /// What follows the authority, without a slash at its end; empty for a base at the root.
    pub(super) fn base(&self) -> &str {
        let rest = self.backend.as_str();
        let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
        rest.find(['/', '?'])
            .map_or("", |at| rest[at..].trim_end_matches('/'))
    }

    fn base_or_root(&self) -> &str {
        if self.base().is_empty() {
            "/"
        } else {
            self.base()
        }
    }

    /// The name or address of the backend's machine, without brackets.
    pub(super) fn host(&self) -> String {
        let authority = self.authority();
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        host.to_ascii_lowercase()
    }

    /// The backend's port.
    pub(super) fn port(&self) -> u16 {
        let after = self.authority().rsplit(']').next().unwrap_or_default();
        let port = after.rsplit_once(':').map(|(_, port)| port);
        port.and_then(|port| port.parse().ok()).unwrap_or(80)
    }

    /// The `Host` header.
    pub(super) fn host_header(&self) -> &str {
        self.authority()
    }

    /// How long the backend may be silent.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// Whether the backend is registered for this method and path.
    pub(super) fn allows(&self, method: CallMethod, target: &CallTarget) -> bool {
        let read = |path: &str| percent_decoded(path.trim_end_matches('/')).unwrap_or_default();
        let path = read(target.path());
        self.methods.contains(&method)
            && self.paths.iter().any(|allowed| {
                let below = path.strip_prefix(read(allowed).as_slice());
                below.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == b'/'))
            })
    }

    /// What the backend calls a data item.
    pub(super) fn name_of<'a>(&'a self, item: &'a str) -> &'a str {
        self.names.get(item).map_or(item, String::as_str)
    }
}

/// Whether a host is this machine or in a private network. Link-local addresses are neither: cloud providers answer there with credentials.
fn is_near(host: &str) -> bool {
    if host == "localhost" {
        return true;
    }
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Registration, String> {
        #[derive(Deserialize)]
        struct File {
            services: Registrations,
        }
        let text = format!("[[services]]\nentry = \"440106/MZ/1\"\n{lines}");
        let file: File = toml::from_str(&text).map_err(|error| error.to_string())?;
        Ok(file.services.iter().next().unwrap().clone())
    }

    #[test]
    fn a_backend_is_read_with_what_holds_where_nothing_is_said() {
        let one = read("backend = \"http://127.0.0.1:9000/base/\"").unwrap();
        assert_eq!((one.host().as_str(), one.port()), ("127.0.0.1", 9_000));
        assert_eq!((one.base(), one.host_header()), ("/base", "127.0.0.1:9000"));
        assert_eq!(
            (one.methods, one.fields),
            (vec![CallMethod::Get], FieldsBy::Node)
        );
        let six = read("backend = \"http://[fd00::1]:81\"").unwrap();
        assert_eq!(
            (six.host().as_str(), six.port(), six.base()),
            ("fd00::1", 81, "")
        );
    }

    #[test]
    fn a_backend_elsewhere_is_registered_only_where_that_is_said() {
        let away = [
            "8.8.8.8",
            "169.254.169.254",
            "example.org",
            "[2001:db8::1]",
            "[fe80::1]",
        ];
        for host in away {
            let line = format!("backend = \"http://{host}/x\"");
            assert!(read(&line).unwrap_err().contains("anywhere"), "{host}");
            assert!(read(&format!("{line}\nanywhere = true")).is_ok(), "{host}");
        }
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.9",
            "192.168.1.1",
            "[::1]",
            "localhost",
        ] {
            assert!(
                read(&format!("backend = \"http://{host}:1/x\"")).is_ok(),
                "{host}"
            );
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_named() {
        let refused = [
            ("backend = \"https://127.0.0.1\"", "TLS"),
            ("backend = \"http://127.0.0.1/a?b\"", "查询"),
            ("backend = \"http://127.0.0.1/a/../b\"", "查询"),
            (
                "backend = \"http://127.0.0.1\"\ntimeout_ms = 60000",
                "timeout_ms",
            ),
            (
                "backend = \"http://127.0.0.1\"\nconcurrent = 0",
                "concurrent",
            ),
            (
                "backend = \"http://127.0.0.1\"\nper_minute = 0",
                "per_minute",
            ),
            ("backend = \"http://127.0.0.1\"\nmethods = []", "methods"),
            ("backend = \"http://127.0.0.1\"\nmethods = [\"PUT\"]", "PUT"),
            (
                "backend = \"http://127.0.0.1\"\npaths = [\"../x\"]",
                "paths",
            ),
            ("backend = \"http://127.0.0.1\"\npath = [\"/x\"]", "path"),
        ];
        for (lines, named) in refused {
            let error = read(lines).unwrap_err();
            assert!(error.contains(named), "{lines}: {error}");
        }
        let twice = read("backend = \"http://127.0.0.1\"").unwrap();
        assert_eq!(
            Registrations::try_from(vec![twice.clone(), twice.clone()]),
            Err(RegistrationError::Twice(twice.entry))
        );
    }

    #[test]
    fn only_registered_paths_and_methods_are_called() {
        let one =
            read("backend = \"http://127.0.0.1\"\npaths = [\"/people\", \"/v1/x/\"]").unwrap();
        let allows = |text: &str| one.allows(CallMethod::Get, &CallTarget::parse(text).unwrap());
        for path in [
            "/people",
            "/people/",
            "/people/1?a=b",
            "/%70eople",
            "/v1/x",
            "/v1/x/y",
        ] {
            assert!(allows(path), "{path}");
        }
        for path in ["/", "/peoples", "/v1", "/v1/xy"] {
            assert!(!allows(path), "{path}");
        }
        assert!(!one.allows(CallMethod::Post, &CallTarget::parse("/people").unwrap()));
    }
}
