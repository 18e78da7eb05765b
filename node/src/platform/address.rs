//! Where an older platform and its services are found.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use ureq::http::Uri;

/// Longest address, characters.
pub const MAX_ADDRESS_CHARS: usize = 2_048;

/// An `http://` address with a host, without a name and password in it and without a fragment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct HttpAddress(String);

/// Why a text is no address that can be called from here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Longer than [`MAX_ADDRESS_CHARS`].
    #[error("地址超过 {MAX_ADDRESS_CHARS} 个字符 / the address is too long")]
    TooLong,
    /// No address at all, or without a host.
    #[error(
        "{0:?} 不是地址，应写作 http://10.0.0.8:5000 / is no address; write it as http://10.0.0.8:5000"
    )]
    Malformed(String),
    /// Another scheme.
    #[error(
        "{0:?}：命令不带 TLS，只接受 http:// 地址；https 平台请经本单位的 TLS 代理访问 / commands carry no TLS and take http:// addresses only; reach an https platform through the site's own TLS proxy"
    )]
    Scheme(String),
    /// A name and password, or a fragment, in the address.
    #[error(
        "{0:?}：地址中不得含用户名、口令或 “#”；令牌用 token_env / no user name, password or \"#\" stands in an address; a token is named by token_env"
    )]
    Credentials(String),
}

impl FromStr for HttpAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.chars().count() > MAX_ADDRESS_CHARS {
            return Err(AddressError::TooLong);
        }
        if text.contains('#') {
            return Err(AddressError::Credentials(text.to_owned()));
        }
        let malformed = || AddressError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        let authority = uri.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            // What may be a password is not repeated.
            return Err(AddressError::Credentials(authority.host().to_owned()));
        }
        match uri.scheme_str() {
            Some("http") if !authority.host().is_empty() => Ok(Self(text.to_owned())),
            Some("http") | None => Err(malformed()),
            Some(_) => Err(AddressError::Scheme(text.to_owned())),
        }
    }
}

impl TryFrom<String> for HttpAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl HttpAddress {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text without a slash at its end, so that a path can follow.
    pub fn base(&self) -> &str {
        self.0.trim_end_matches('/')
    }

    /// Scheme, host and port: what must stay the same from page to page.
    pub fn origin(&self) -> String {
        self.0.parse::<Uri>().map_or_else(
            |_| String::new(),
            |uri| {
                uri.authority()
                    .map_or_else(String::new, |it| it.as_str().to_ascii_lowercase())
            },
        )
    }
}

impl fmt::Display for HttpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A document: by address, or a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Location {
    /// Over HTTP.
    Http(HttpAddress),
    /// A file; a relative path is meant from the mapping's folder.
    File(PathBuf),
}

impl TryFrom<String> for Location {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        if text.contains("://") {
            return text.parse().map(Self::Http);
        }
        match text.trim() {
            "" => Err(AddressError::Malformed(text)),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(address) => address.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_http_with_a_host_and_no_secret_in_it() {
        let right: HttpAddress = " http://10.0.0.8:5000/ckan/ ".parse().unwrap();
        assert_eq!(
            (right.base(), right.origin().as_str()),
            ("http://10.0.0.8:5000/ckan", "10.0.0.8:5000")
        );
        assert!("http://[::1]:80".parse::<HttpAddress>().is_ok());
        let wrong = |text: &str| text.parse::<HttpAddress>().unwrap_err();
        assert!(matches!(
            wrong("https://data.gz.example"),
            AddressError::Scheme(_)
        ));
        for text in ["", "10.0.0.8", "http://", "/x", "http:// x", "天河区"] {
            assert!(matches!(wrong(text), AddressError::Malformed(_)), "{text}");
        }
        assert!(matches!(wrong("http://x/#y"), AddressError::Credentials(_)));
        assert!(
            !wrong("http://admin:secret@x/")
                .to_string()
                .contains("secret")
        );
        assert_eq!(
            wrong(&format!("http://{}", "x".repeat(MAX_ADDRESS_CHARS))),
            AddressError::TooLong
        );
    }

    #[test]
    fn a_document_is_an_address_or_a_file() {
        let at = |text: &str| Location::try_from(text.to_owned());
        assert!(matches!(at("http://x/y.csv"), Ok(Location::Http(_))));
        assert_eq!(at("目录.csv"), Ok(Location::File("目录.csv".into())));
        assert!(at("ftp://x/y").is_err() && at(" ").is_err());
    }
}
