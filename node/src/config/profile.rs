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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ENVIRONMENT_PREFIX, NodeConfig};
    use config::{File, FileFormat};
    use std::collections::HashMap;

    fn chosen(file: &str, environment: &str) -> Result<ProfileChoice, String> {
        let variable = format!("{ENVIRONMENT_PREFIX}__PROFILE");
        let toml = format!("data_dir = 'd'\n{file}");
        NodeConfig::layered(
            Some(File::from_str(&toml, FileFormat::Toml)),
            Some(HashMap::from([(variable, environment.to_owned())])),
            &[],
        )
        .map(|config| config.profile)
        .map_err(|error| error.to_string())
    }

    fn built_in(profile: Profile) -> Result<ProfileChoice, String> {
        Ok(ProfileChoice::BuiltIn(Box::new(profile)))
    }

    #[test]
    fn a_profile_is_chosen_by_its_id_or_by_the_path_of_a_file() {
        assert_eq!(chosen("", ""), built_in(Profile::national()));
        assert_eq!(
            chosen("profile = 'national'", ""),
            built_in(Profile::national())
        );
        assert_eq!(
            chosen("profile = 'shenyang'", ""),
            built_in(Profile::shenyang())
        );
        assert_eq!(
            chosen("profile = 'national'", "shenyang"),
            built_in(Profile::shenyang())
        );
        for path in ["x.toml", "/etc/guantong/x", "./shenyang"] {
            let file = Ok(ProfileChoice::File(path.into()));
            assert_eq!(chosen(&format!("profile = '{path}'"), ""), file);
        }
    }

    #[test]
    fn a_misspelt_id_is_an_error_that_names_it() {
        for misspelt in ["shenyan", "Shenyang", ""] {
            let error = chosen(&format!("profile = '{misspelt}'"), "").unwrap_err();
            assert!(error.contains(&format!("`{misspelt}`")), "{error}");
        }
    }
}
