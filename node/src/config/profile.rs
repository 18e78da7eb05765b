//! Which profile of law a node runs under.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use statute::Profile;

/// `profile`: the id of a profile that comes with the program (`national`, `shenyang`), or the path of a TOML file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProfileChoice {
    /// One that comes with the program.
    BuiltIn(Box<Profile>),
    /// A file.
    File(PathBuf),
}

impl Default for ProfileChoice {
    /// The Regulation alone.
    fn default() -> Self {
        Self::BuiltIn(Box::new(Profile::national()))
    }
}

impl<'de> Deserialize<'de> for ProfileChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Some(profile) = Profile::built_in(&text) {
            return Ok(Self::BuiltIn(Box::new(profile)));
        }
        let path = PathBuf::from(&text);
        let is_path = path.components().count() > 1
            || path
                .extension()
                .is_some_and(|extension| extension == "toml");
        if is_path {
            Ok(Self::File(path))
        } else {
            Err(serde::de::Error::custom(format!(
                "profile `{text}`: 应为 national、shenyang 或者 TOML 文件的路径 / is neither national, shenyang nor the path of a TOML file"
            )))
        }
    }
}
