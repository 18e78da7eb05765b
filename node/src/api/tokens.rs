//! Bearer tokens and their roles: who may call the API of this node.
//!
//! `DIR/tokens.toml` is all that the node reads. It holds digests (`Domain::Token`) only:
//!
//! ```toml
//! [[token]]
//! role = "operator"
//! digest = "…64 hexadecimal digits…"
//! note = "made at init"
//! ```
//!
//! A token says which *program* may call; what is done in law is decided by the *person's* signature on the act.

use std::path::Path;

use federation::core::{Allowed, Caller};
use identity::{Digest, Domain};
use serde::{Deserialize, Serialize};

/// Name of the file in the data folder.
pub const FILE: &str = "tokens.toml";
/// Most tokens in one file: each is compared on every request.
pub const MAX_TOKENS: usize = 256;
/// Longest file, bytes: [`MAX_TOKENS`] with their notes.
pub const MAX_FILE_BYTES: usize = 64 << 10;
/// Longest token that is looked at, bytes; those made here have 67.
pub const MAX_TOKEN_BYTES: usize = 256;

/// What a token allows. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Sends acts and objects.
    Operator,
    /// Installs membership.
    Admin,
}

impl Role {
    /// All roles, weakest first.
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    /// Its id.
    pub fn id(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenEntry {
    /// What it allows.
    pub role: Role,
    /// Digest of the token.
    pub digest: Digest,
    /// For people.
    #[serde(default)]
    pub note: String,
}

impl TokenEntry {
    /// Who calls with this token, as it is written down.
    pub fn caller(&self) -> Caller {
        Caller {
            token: self.digest,
            allowed: match self.role {
                Role::Viewer => Allowed::Viewer,
                Role::Operator => Allowed::Operator,
                Role::Admin => Allowed::Admin,
            },
            note: self.note.clone(),
        }
    }
}

/// The tokens of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// In the file's order.
    #[serde(default, rename = "token")]
    pub entries: Vec<TokenEntry>,
}

/// Why a token file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("无法读取令牌文件 / cannot read token file {path}: {reason}")]
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        reason: std::io::Error,
    },
    /// It is larger than [`MAX_FILE_BYTES`] or has more than [`MAX_TOKENS`].
    #[error("令牌文件过大 / token file too large: {0}")]
    TooLarge(String),
    /// It is no token file.
    #[error("令牌文件格式有误 / token file malformed: {0}")]
    Malformed(#[from] toml::de::Error),
}

impl Tokens {
    /// Reads `DIR/tokens.toml`.
    ///
    /// # Errors
    /// [`TokensError`].
    pub fn load(data_dir: &Path) -> Result<Self, TokensError> {
        let path = data_dir.join(FILE);
        let named = || path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|reason| TokensError::Unreadable {
            path: named(),
            reason,
        })?;
        if text.len() > MAX_FILE_BYTES {
            return Err(TokensError::TooLarge(named()));
        }
        let tokens: Self = toml::from_str(&text)?;
        if tokens.entries.len() > MAX_TOKENS {
            return Err(TokensError::TooLarge(named()));
        }
        Ok(tokens)
    }

    /// Adds a token made of 32 random bytes and gives its text.
    pub fn add(&mut self, role: Role, random: [u8; 32], note: &str) -> String {
        let token = format!("gt_{}", hex::encode(random));
        self.entries.push(TokenEntry {
            role,
            digest: digest(&token),
            note: note.to_owned(),
        });
        token
    }

    /// The role of a token.
    pub fn role(&self, token: &str) -> Option<Role> {
        self.entry(token).map(|entry| entry.role)
    }

    /// The line of a token. Every entry is compared, each in constant time, so that the time taken tells nothing.
    pub fn entry(&self, token: &str) -> Option<&TokenEntry> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let given = blake3::Hash::from_bytes(*digest(token).as_bytes());
        self.entries.iter().fold(None, |found, entry| {
            // `blake3::Hash` compares in constant time.
            if blake3::Hash::from_bytes(*entry.digest.as_bytes()) == given {
                Some(entry)
            } else {
                found
            }
        })
    }
}

fn digest(token: &str) -> Digest {
    Digest::of(Domain::Token, token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest_alone_and_has_its_role() {
        let mut tokens = Tokens::default();
        let texts: Vec<_> = Role::ALL
            .iter()
            .zip(1u8..)
            .map(|(role, n)| tokens.add(*role, [n; 32], "t"))
            .collect();
        let roles: Vec<_> = texts.iter().map(|text| tokens.role(text)).collect();
        assert_eq!(roles, Role::ALL.map(Some));
        let file = toml::to_string(&tokens).unwrap();
        assert!(texts.iter().all(|text| !file.contains(&text[3..])));
        assert_eq!(toml::from_str::<Tokens>(&file).unwrap(), tokens);
    }

    #[test]
    fn unknown_empty_and_overlong_tokens_have_no_role() {
        let mut tokens = Tokens::default();
        tokens.add(Role::Admin, [7; 32], "");
        assert_eq!(tokens.role(""), None);
        assert_eq!(tokens.role("gt_00"), None);
        assert_eq!(tokens.role(&"x".repeat(MAX_TOKEN_BYTES + 1)), None);
    }

    #[test]
    fn every_line_is_compared_whichever_fits_first() {
        let mut tokens = Tokens::default();
        let token = tokens.add(Role::Viewer, [7; 32], "first");
        tokens.add(Role::Admin, [8; 32], "another");
        tokens.add(Role::Operator, [7; 32], "the same again");
        let found = tokens.entry(&token).unwrap();
        assert_eq!(
            found.note, "the same again",
            "nothing ends the comparing early"
        );
    }

    #[test]
    fn each_role_includes_the_ones_before_it() {
        assert!(Role::Admin > Role::Operator && Role::Operator > Role::Viewer);
    }

    #[test]
    fn an_unknown_role_or_key_is_refused_by_name() {
        let error = toml::from_str::<Tokens>(&format!(
            "[[token]]\nrole = \"root\"\ndigest = \"{}\"",
            "00".repeat(32)
        ));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("root"), "{error}");
        let error = toml::from_str::<Tokens>("tokens = 1")
            .unwrap_err()
            .to_string();
        assert!(error.contains("tokens"), "{error}");
    }
}
