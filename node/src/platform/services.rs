//! The services of an older platform, registered as HTTP backends: which service serves which entry, and whether it answers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sharing::catalogue::EntryId;
use ureq::Agent;

use super::address::HttpAddress;
use super::prefix::Prefix;

/// Most services of one platform.
pub const MAX_SERVICES: usize = 256;
/// Longest name of a service, characters.
pub const MAX_SERVICE_NAME_CHARS: usize = 200;
/// Longest time a backend is waited for.
pub const PROBE_TIME: Duration = Duration::from_secs(5);

/// One service of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The base address of its backend.
    pub url: HttpAddress,
    /// The entry it serves.
    pub entry: EntryId,
}

/// The services of one platform, each serving an entry of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Service>")]
pub struct Services(Vec<Service>);

/// Why services cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServicesError {
    /// More than [`MAX_SERVICES`].
    #[error("服务超过 {MAX_SERVICES} 个 / more than {MAX_SERVICES} services")]
    TooMany,
    /// A name is empty or longer than [`MAX_SERVICE_NAME_CHARS`].
    #[error(
        "服务名称应有 1 至 {MAX_SERVICE_NAME_CHARS} 个字符 / a service's name has 1 to {MAX_SERVICE_NAME_CHARS} characters"
    )]
    Name,
    /// Two services serve one entry.
    #[error("{0} 有两个服务 / two services serve {0}")]
    Twice(EntryId),
    /// A base address ends in a query, to which no path can be added.
    #[error("{0}：服务的基地址不得含 “?” / a service's base address has no query")]
    Query(HttpAddress),
}

impl TryFrom<Vec<Service>> for Services {
    type Error = ServicesError;

    fn try_from(services: Vec<Service>) -> Result<Self, ServicesError> {
        if services.len() > MAX_SERVICES {
            return Err(ServicesError::TooMany);
        }
        let mut served = BTreeSet::new();
        for service in &services {
            let length = service.name.trim().chars().count();
            if length == 0 || length > MAX_SERVICE_NAME_CHARS {
                return Err(ServicesError::Name);
            }
            if service.url.as_str().contains('?') {
                return Err(ServicesError::Query(service.url.clone()));
            }
            if !served.insert(&service.entry) {
                return Err(ServicesError::Twice(service.entry.clone()));
            }
        }
        Ok(Self(services))
    }
}

impl Services {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Service> {
        self.0.iter()
    }

    /// The service of an entry.
    pub fn of(&self, entry: &EntryId) -> Option<&Service> {
        self.0.iter().find(|service| service.entry == *entry)
    }

    /// The services as `[[services]]` of a node's configuration: what the provider's node calls.
    pub fn registrations(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let one = |service: &Service| {
            format!(
                "[[services]] # {}\nentry = {}\nbackend = {}\n",
                service.name.replace(char::is_control, " "),
                quoted(service.entry.as_str()),
                quoted(service.url.base()),
            )
        };
        let all: Vec<_> = self.iter().map(one).collect();
        all.join("\n")
    }

    /// The first entry that is not under the platform's prefix.
    pub(super) fn outside(&self, prefix: &Prefix) -> Option<&EntryId> {
        self.0
            .iter()
            .map(|service| &service.entry)
            .find(|entry| !prefix.holds(entry))
    }
}

/// Whether a backend answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Health {
    /// It does, and not with a fault of its own. That it asks for credentials or knows no page at its base is an answer too.
    Up {
        /// With this status.
        status: u16,
    },
    /// It does not, or says that it is broken.
    Down {
        /// Why.
        reason: String,
    },
}

/// Asks a backend whether it is there: `HEAD`, or `GET` where it knows no `HEAD`. Straight, without a proxy of the environment: a proxy's
/// answer says nothing of the backend.
pub fn probe(service: &Service, time: Duration) -> Health {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(time))
        .build()
        .into();
    let asked = match agent.head(service.url.as_str()).call() {
        Ok(answer) if matches!(answer.status().as_u16(), 405 | 501) => {
            agent.get(service.url.as_str()).call()
        }
        other => other,
    };
    match asked {
        Ok(answer) if answer.status().is_server_error() => Health::Down {
            reason: format!("HTTP {}", answer.status().as_u16()),
        },
        Ok(answer) => Health::Up {
            status: answer.status().as_u16(),
        },
        Err(error) => Health::Down {
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::scripted::{answering, status};
    use super::*;

    fn service(name: &str, url: &str, entry: &str) -> Service {
        Service {
            name: name.into(),
            url: url.parse().unwrap(),
            entry: entry.parse().unwrap(),
        }
    }

    #[test]
    fn services_have_names_and_serve_different_entries() {
        let first = service("低保核验", "http://10.0.0.8/api", "440106/MZ/1");
        let services = Services::try_from(vec![first.clone()]).unwrap();
        assert_eq!(services.of(&first.entry), Some(&first));
        let twice = Services::try_from(vec![first.clone(), first.clone()]);
        assert_eq!(twice, Err(ServicesError::Twice(first.entry.clone())));
        let many = (0..=MAX_SERVICES).map(|n| service("x", "http://x", &n.to_string()));
        assert_eq!(
            Services::try_from(many.collect::<Vec<_>>()),
            Err(ServicesError::TooMany)
        );
        assert_eq!(
            Services::try_from(vec![service(" ", "http://x", "1")]),
            Err(ServicesError::Name)
        );
        let query = Services::try_from(vec![service("x", "http://x/?a=1", "1")]);
        assert!(matches!(query, Err(ServicesError::Query(_))));
    }

    #[test]
    fn a_platforms_services_are_registered_as_the_node_reads_them() {
        #[derive(Deserialize)]
        struct File {
            services: crate::service::Registrations,
        }
        let one = service("低保\n核验", "http://10.0.0.8/api/", "440106/MZ/1");
        let other = service("x", "http://127.0.0.1:9000", "440106/MZ/2");
        let text = Services::try_from(vec![one.clone(), other]).unwrap();
        let read: File = toml::from_str(&text.registrations()).unwrap();
        let read: Vec<_> = read.services.iter().collect();
        assert_eq!((read.len(), &read[0].entry), (2, &one.entry));
        assert_eq!(read[0].backend.as_str(), "http://10.0.0.8/api");
    }

    #[test]
    fn a_backend_is_up_when_it_answers_and_down_when_it_does_not_or_is_broken() {
        let of = |url: &str, time| probe(&service("x", url, "1"), time);
        let answers = |lines: &[&str]| {
            let backend = answering(lines.iter().map(|line| status(line)).collect());
            let health = of(&backend.address, PROBE_TIME);
            let methods: Vec<String> = backend
                .asked()
                .iter()
                .map(|it| it[..4].to_owned())
                .collect();
            (health, methods)
        };
        let up = |status| Health::Up { status };
        assert_eq!(answers(&["200 OK"]), (up(200), vec!["HEAD".to_owned()]));
        assert_eq!(answers(&["401 Unauthorized"]).0, up(401));
        assert_eq!(
            answers(&["405 No", "200 OK"]),
            (up(200), vec!["HEAD".to_owned(), "GET ".to_owned()])
        );
        assert!(
            matches!(answers(&["503 No"]).0, Health::Down { reason } if reason.contains("503"))
        );
        assert!(matches!(
            of("http://127.0.0.1:1", PROBE_TIME),
            Health::Down { .. }
        ));
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", silent.local_addr().unwrap());
        assert!(matches!(
            of(&url, Duration::from_millis(50)),
            Health::Down { .. }
        ));
    }
}
