//! Addresses of sources and targets, as they are written in a command.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use super::DataError;
use crate::platform::address::HttpAddress;

/// Longest address, bytes.
const MAX_ADDRESS_BYTES: usize = 2_048;

/// A table of a PostgreSQL database.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresTable {
    /// What tokio-postgres connects to; a password may be in it.
    pub(super) connection: String,
    /// The table, with its schema before a dot where it has one.
    pub(super) table: String,
    /// The columns that tell its rows apart.
    pub(super) key: Vec<String>,
}

impl fmt::Debug for PostgresTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PostgresTable {
    /// Without user, password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self
            .connection
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        let place = rest.split('?').next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        write!(f, "postgres://{place}?table={}", self.table)
    }
}

impl FromStr for PostgresTable {
    type Err = DataError;

    /// `table` and `key` are ours, every other parameter is the connection's.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut table, mut key, mut rest) = (String::new(), Vec::new(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("table", value)) => table = value.to_owned(),
                Some(("key", value)) => key = value.split(',').map(str::to_owned).collect(),
                _ => rest.push(pair),
            }
        }
        if table.is_empty()
            || table.split('.').any(str::is_empty)
            || key.iter().any(String::is_empty)
        {
            // What may be a password is not repeated.
            return Err(DataError::Address(
                "postgres://…?table=[schema.]table[&key=column,…]".into(),
            ));
        }
        let connection = if rest.is_empty() {
            place.to_owned()
        } else {
            format!("{place}?{}", rest.join("&"))
        };
        Ok(Self {
            connection,
            table,
            key,
        })
    }
}

impl PostgresTable {
    /// The table's name, quoted.
    pub(super) fn quoted(&self) -> String {
        self.table
            .split('.')
            .map(quote)
            .collect::<Vec<_>>()
            .join(".")
    }
}

/// A name of SQL in quotation marks.
pub(super) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A service that answers JSON rows, at a private address: the data plane goes over plain HTTP inside a site only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service(pub(super) HttpAddress);

impl FromStr for Service {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let address: HttpAddress = text
            .parse()
            .map_err(|error| DataError::Address(format!("{error}")))?;
        let authority = address.origin();
        let host = authority
            .rsplit_once(':')
            .map_or(authority.as_str(), |(host, port)| {
                if port.bytes().all(|byte| byte.is_ascii_digit()) {
                    host
                } else {
                    &authority
                }
            });
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let private = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|ip| match ip {
                IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
                IpAddr::V6(ip) => {
                    ip.is_unique_local() || ip.is_loopback() || ip.is_unicast_link_local()
                }
            });
        if private {
            Ok(Self(address))
        } else {
            Err(DataError::Address(format!(
                "{host}: not a private address; not over plain HTTP"
            )))
        }
    }
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceAddress {
    /// `postgres://…?table=…`
    Postgres(PostgresTable),
    /// `csv:PATH`
    Csv(PathBuf),
    /// `parquet:PATH`
    Parquet(PathBuf),
    /// `http://…`
    Http(Service),
}

impl fmt::Display for SourceAddress {
    /// Without password and parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(table) => table.fmt(f),
            Self::Csv(path) => write!(f, "csv:{}", path.display()),
            Self::Parquet(path) => write!(f, "parquet:{}", path.display()),
            Self::Http(service) => {
                let address = service.0.as_str();
                f.write_str(address.split('?').next().unwrap_or_default())
            }
        }
    }
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetAddress {
    /// `postgres://…?table=…&key=…`, kept in step.
    Table(PostgresTable),
    /// `csv:PATH`
    Csv(PathBuf),
    /// `parquet:PATH`
    Parquet(PathBuf),
    /// `folder:DIR`
    Folder(PathBuf),
    /// `s3://bucket/prefix`
    S3 {
        /// The bucket.
        bucket: String,
        /// What stands before every object's name; may be empty.
        prefix: String,
    },
}

fn bounded(text: &str) -> Result<&str, DataError> {
    if text.len() > MAX_ADDRESS_BYTES {
        Err(DataError::Address(format!(
            "{} > {MAX_ADDRESS_BYTES} bytes",
            text.len()
        )))
    } else {
        Ok(text)
    }
}

fn path(text: &str) -> Result<PathBuf, DataError> {
    if text.is_empty() {
        Err(DataError::Address("PATH?".into()))
    } else {
        Ok(PathBuf::from(text))
    }
}

fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

impl FromStr for SourceAddress {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let text = bounded(text)?;
        if is_postgres(text) {
            return text.parse().map(Self::Postgres);
        }
        match text.split_once(':') {
            Some(("csv", rest)) => path(rest).map(Self::Csv),
            Some(("parquet", rest)) => path(rest).map(Self::Parquet),
            Some(("http", _)) => text.parse().map(Self::Http),
            _ => Err(DataError::Address(text.to_owned())),
        }
    }
}

impl FromStr for TargetAddress {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let text = bounded(text)?;
        if is_postgres(text) {
            let table: PostgresTable = text.parse()?;
            if table.key.is_empty() {
                return Err(DataError::Address(format!("{table}: &key=column,…")));
            }
            return Ok(Self::Table(table));
        }
        match text.split_once(':') {
            Some(("csv", rest)) => path(rest).map(Self::Csv),
            Some(("parquet", rest)) => path(rest).map(Self::Parquet),
            Some(("folder", rest)) => path(rest).map(Self::Folder),
            Some(("s3", rest)) => {
                let rest = rest.trim_start_matches('/').trim_end_matches('/');
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(DataError::Address(text.to_owned()));
                }
                Ok(Self::S3 {
                    bucket: bucket.to_owned(),
                    prefix: prefix.to_owned(),
                })
            }
            _ => Err(DataError::Address(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_told_from_its_connection_and_shown_without_a_password() {
        let text =
            "postgres://li:secret@10.0.0.8:5432/mps?table=pop.person&key=id,day&application_name=x";
        let Ok(TargetAddress::Table(table)) = text.parse() else {
            panic!()
        };
        assert_eq!(
            table.connection,
            "postgres://li:secret@10.0.0.8:5432/mps?application_name=x"
        );
        assert_eq!(table.quoted(), "\"pop\".\"person\"");
        assert_eq!(table.key, ["id", "day"]);
        assert_eq!(
            table.to_string(),
            "postgres://10.0.0.8:5432/mps?table=pop.person"
        );
        assert!(!format!("{table:?}").contains("secret"));
        assert_eq!(quote("a\"b"), "\"a\"\"b\"");
        for wrong in [
            "postgres://li:secret@h/d",
            "postgres://li:secret@h/d?table=a..b",
            "postgres://h/d?table=t&key=a,",
        ] {
            let error = wrong.parse::<SourceAddress>().unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let keyless = "postgres://h/d?table=t";
        assert!(
            keyless.parse::<SourceAddress>().is_ok() && keyless.parse::<TargetAddress>().is_err()
        );
    }

    #[test]
    fn services_are_called_at_private_addresses_only() {
        for right in [
            "http://10.0.0.8:80/rows",
            "http://127.0.0.1/x",
            "http://[::1]:8080/x",
            "http://[fd00::1]/x",
            "http://localhost:9/x",
        ] {
            assert!(right.parse::<SourceAddress>().is_ok(), "{right}");
        }
        for wrong in [
            "http://8.8.8.8/x",
            "http://data.example/x",
            "https://10.0.0.8/x",
            "http://[2001:db8::1]/x",
            "ftp:x",
            "csv:",
            "x.csv",
        ] {
            assert!(wrong.parse::<SourceAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bucket_has_a_name_and_may_have_a_prefix() {
        let s3 = |bucket: &str, prefix: &str| TargetAddress::S3 {
            bucket: bucket.into(),
            prefix: prefix.into(),
        };
        assert_eq!(
            "s3://lake/gd/pop/".parse::<TargetAddress>().unwrap(),
            s3("lake", "gd/pop")
        );
        assert_eq!(
            "s3://lake".parse::<TargetAddress>().unwrap(),
            s3("lake", "")
        );
        assert!(
            "s3://".parse::<TargetAddress>().is_err()
                && "folder:".parse::<TargetAddress>().is_err()
        );
    }
}
