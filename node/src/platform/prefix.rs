//! The beginning of the ids of a platform's entries, by which the node's own entries are known to be the platform's.

use std::fmt;

use serde::Deserialize;
use sharing::catalogue::{EntryId, EntryIdError};

/// Longest prefix of entry ids, characters: what is left of an entry's id holds a UUID, or the digest of another key.
pub const MAX_PREFIX_CHARS: usize = 27;

/// The beginning of entry ids, without the slash that follows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(String);

/// Why a text is no prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrefixError {
    /// Too long, or with a slash at an end.
    #[error(
        "前缀应有 1 至 {MAX_PREFIX_CHARS} 个字符，首尾不是“/” / a prefix has 1 to {MAX_PREFIX_CHARS} characters and no slash at its ends"
    )]
    Form,
    /// Not part of an id.
    #[error(transparent)]
    Id(#[from] EntryIdError),
}

impl TryFrom<String> for Prefix {
    type Error = PrefixError;

    fn try_from(text: String) -> Result<Self, PrefixError> {
        text.parse::<EntryId>()?;
        if text.chars().count() > MAX_PREFIX_CHARS || text.starts_with('/') || text.ends_with('/') {
            return Err(PrefixError::Form);
        }
        Ok(Self(text))
    }
}

impl Prefix {
    /// What every id under it begins with.
    pub fn with_slash(&self) -> String {
        format!("{}/", self.0)
    }

    /// Whether an id is under it.
    pub fn holds(&self, id: &EntryId) -> bool {
        id.as_str()
            .strip_prefix(&self.0)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_what_follows_its_slash_and_nothing_else() {
        let prefix = Prefix::try_from("440106/MZ".to_owned()).unwrap();
        assert_eq!(prefix.with_slash(), "440106/MZ/");
        let held = |id: &str| prefix.holds(&id.parse().unwrap());
        assert!(held("440106/MZ/1") && !held("440106/MZ2/1") && !held("440106/MZ"));
    }

    #[test]
    fn a_prefix_is_part_of_an_id_and_leaves_room_for_a_key() {
        let longest = "4".repeat(MAX_PREFIX_CHARS);
        assert!(Prefix::try_from(longest.clone()).is_ok());
        for wrong in ["", "/440106", "440106/", "民政", &format!("{longest}4")] {
            assert!(Prefix::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
