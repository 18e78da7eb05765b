//! Which profile, in which version: what a docket or a certificate names a profile by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ProfileError;

/// Longest id or version of a profile, in characters: a word, or a date.
pub const MAX_PROFILE_STAMP_CHARS: usize = 40;

/// Id and version of a profile, such as `shenyang` and `2020-10-01`.
///
/// Invariant: each has 1 to [`MAX_PROFILE_STAMP_CHARS`] ASCII letters, digits, hyphens or dots.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "StampForm", into = "StampForm")]
pub struct ProfileStamp {
    id: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StampForm {
    id: String,
    version: String,
}

impl ProfileStamp {
    /// The stamp of this id and version.
    ///
    /// # Errors
    /// [`ProfileError::Stamp`] when one is empty, too long or of other characters.
    pub fn new(id: String, version: String) -> Result<ProfileStamp, ProfileError> {
        let plain = |text: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            (1..=MAX_PROFILE_STAMP_CHARS).contains(&text.len()) && text.bytes().all(known)
        };
        if plain(&id) && plain(&version) {
            Ok(ProfileStamp { id, version })
        } else {
            Err(ProfileError::Stamp)
        }
    }

    /// The id, as topology and configuration files name the profile.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version: the day on which the rules came into force.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Display for ProfileStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.version)
    }
}

impl TryFrom<StampForm> for ProfileStamp {
    type Error = ProfileError;

    fn try_from(form: StampForm) -> Result<Self, Self::Error> {
        ProfileStamp::new(form.id, form.version)
    }
}

impl From<ProfileStamp> for StampForm {
    fn from(stamp: ProfileStamp) -> Self {
        StampForm {
            id: stamp.id,
            version: stamp.version,
        }
    }
}
