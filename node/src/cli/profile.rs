//! Reading the profile of law that a node is configured with. One that loosens the Regulation keeps the node from starting.

use statute::Profile;
use statute::profile::MAX_PROFILE_BYTES;

use super::args::read_text_up_to;
use super::error::{CliError, Exit};
use crate::config::ProfileChoice;

/// The profile that was chosen.
pub(super) fn profile(choice: &ProfileChoice) -> Result<Profile, CliError> {
    let path = match choice {
        ProfileChoice::BuiltIn(profile) => return Ok((**profile).clone()),
        ProfileChoice::File(path) => path,
    };
    let text = read_text_up_to(path, MAX_PROFILE_BYTES as u64)?;
    Profile::parse(&text).map_err(|error| {
        let file = path.display();
        let (zh, en) = (
            format!("文件 {file}：{}", error.zh()),
            format!("file {file}: {error}"),
        );
        match error.refusal() {
            Some(refusal) => CliError {
                article: Some(refusal.article.short()),
                ..CliError::new(Exit::Refused, zh, en)
                    .advise(refusal.what_to_do_zh(), refusal.what_to_do_en())
            },
            None => CliError::usage(zh, en).advise(
                "按 topology/profiles 中的示例改正该文件",
                "correct the file after those in topology/profiles",
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    const HEAD: &str = "id = 'x'\nversion = '1'\nname_zh = '某市'\nname_en = 'X'\n";

    fn from_file(text: &str) -> Result<Profile, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, text).unwrap();
        profile(&ProfileChoice::File(path))
    }

    #[test]
    fn a_lawful_file_is_read_and_a_built_in_profile_needs_none() {
        assert_eq!(from_file(HEAD).unwrap().stamp().to_string(), "x 1");
        let shenyang = Profile::shenyang();
        let choice = ProfileChoice::BuiltIn(Box::new(shenyang.clone()));
        assert_eq!(profile(&choice), Ok(shenyang));
        assert_eq!(profile(&ProfileChoice::default()), Ok(Profile::national()));
    }

    #[test]
    fn a_malformed_file_is_wrong_use_and_names_the_key() {
        let error = from_file(&format!("{HEAD}oppening = 1\n")).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        for language in [Language::Chinese, Language::English] {
            let text = error.text(language);
            assert!(
                text.contains("x.toml") && text.contains("oppening"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_or_too_long_is_named() {
        let none = profile(&ProfileChoice::File("/nonexistent/x.toml".into())).unwrap_err();
        assert!(none.text(Language::Chinese).contains("/nonexistent/x.toml"));
        let long = from_file(&" ".repeat(MAX_PROFILE_BYTES + 1)).unwrap_err();
        assert_eq!(long.exit, Exit::Usage);
    }
}
