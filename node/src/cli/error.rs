//! What can go wrong in a command, with its exit code and what to do.

use std::any::Any;
use std::fmt::Display;
use std::io;

use serde::Serialize;

use crate::api::ProblemBody;
use crate::language::{Language, Text};
use crate::person::PersonError;

/// The exit code of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A fault of ours or of the machine.
    Fault = 1,
    /// Wrong use.
    Usage = 2,
    /// The law refuses.
    Refused = 3,
    /// Token, key, passphrase or signature.
    NotAuthorised = 4,
    /// The node cannot be reached or is not ready.
    Unreachable = 5,
}

/// An error of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// The exit code.
    pub exit: Exit,
    /// What is wrong.
    pub what: Text,
    /// The article as cited, when the law refuses.
    pub article: Option<String>,
    /// What to do.
    pub what_to_do: Option<Text>,
}

/// The JSON of an error.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    exit: u8,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_to_do: Option<&'a str>,
}

impl CliError {
    /// An error with an exit code.
    pub fn new(exit: Exit, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            exit,
            what: Text::new(zh, en),
            article: None,
            what_to_do: None,
        }
    }

    /// Ours or the machine's.
    pub fn fault(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Exit::Fault, zh, en)
    }

    /// Wrong use.
    pub fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Exit::Usage, zh, en)
    }

    /// A file that was named and cannot be used. It is wrong use when it is not there or not what it should be, and a fault when the machine
    /// does not let it be read or written.
    pub fn file<E: Display + 'static>(path: &std::path::Path, error: E) -> Self {
        let exit = (&error as &dyn Any)
            .downcast_ref::<io::Error>()
            .map_or(Exit::Usage, |error| exit_of(error.kind()));
        let path = path.display();
        let (zh, en) = match exit {
            Exit::Usage => (
                "核对路径，以及文件是不是这个参数所要的",
                "check the path, and that the file is what this argument asks for",
            ),
            _ => (
                "核对权限和磁盘空间",
                "check permissions and the space left on the disk",
            ),
        };
        Self::new(
            exit,
            format!("文件 {path}：{error}"),
            format!("file {path}: {error}"),
        )
        .advise(zh, en)
    }

    /// With what to do about it.
    #[must_use]
    pub fn advise(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.what_to_do = Some(Text::new(zh, en));
        self
    }

    /// An error that a node gave, in the language it was asked in.
    pub fn of_problem(problem: ProblemBody) -> Self {
        let exit = match (problem.status, problem.r#type.rsplit(':').next()) {
            (422, _) => Exit::Refused,
            (401 | 403, _) => Exit::NotAuthorised,
            (_, Some("not-ready" | "not-a-member" | "timeout" | "busy")) => Exit::Unreachable,
            (400 | 404 | 413, _) => Exit::Usage,
            _ => Exit::Fault,
        };
        Self {
            exit,
            what: Text::new(problem.detail.clone(), problem.detail),
            article: problem.article,
            what_to_do: problem.what_to_do.map(|text| Text::new(text.clone(), text)),
        }
    }

    /// The lines for a person.
    pub fn text(&self, language: Language) -> String {
        let mut text = format!(
            "{}{}",
            language.pick("错误：", "error: "),
            self.what.in_language(language)
        );
        if let Some(article) = &self.article {
            text += &format!("\n{}{article}", language.pick("条款：", "article: "));
        }
        if let Some(what) = &self.what_to_do {
            text += &format!(
                "\n{}{}",
                language.pick("办法：", "what to do: "),
                what.in_language(language)
            );
        }
        text
    }

    /// The JSON for a program.
    pub fn json(&self, language: Language) -> String {
        let shown = Shown {
            exit: self.exit as u8,
            error: self.what.in_language(language),
            article: self.article.as_deref(),
            what_to_do: self
                .what_to_do
                .as_ref()
                .map(|text| text.in_language(language)),
        };
        serde_json::to_string(&shown).unwrap_or_default()
    }
}

/// Whether the name of a file or what it holds is wrong, or the machine fails.
fn exit_of(kind: io::ErrorKind) -> Exit {
    use io::ErrorKind::{
        AlreadyExists, InvalidData, InvalidInput, IsADirectory, NotADirectory, NotFound,
    };
    match kind {
        NotFound | NotADirectory | IsADirectory | AlreadyExists | InvalidData | InvalidInput => {
            Exit::Usage
        }
        _ => Exit::Fault,
    }
}

impl From<PersonError> for CliError {
    fn from(error: PersonError) -> Self {
        let text = error.to_string();
        match error {
            PersonError::Key(_) | PersonError::WrongKind { .. } | PersonError::NoPassphrase => {
                Self::new(Exit::NotAuthorised, text.clone(), text)
            }
            PersonError::Exists(_) | PersonError::InNodeFolder(_) => {
                Self::usage(text.clone(), text)
                    .advise("换一个位置或文件名", "choose another place or name")
            }
            PersonError::File { reason, .. } => {
                Self::new(exit_of(reason.kind()), text.clone(), text)
            }
            PersonError::Malformed { .. } | PersonError::Content(_) => {
                Self::usage(text.clone(), text)
            }
            PersonError::Entropy(_) => Self::fault(text.clone(), text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, kind: &str) -> ProblemBody {
        ProblemBody {
            r#type: format!("urn:guantong:problem:{kind}"),
            title: String::new(),
            status,
            detail: "缺少同意".into(),
            article: Some("R20".into()),
            article_zh: None,
            what_to_do: Some("请负责人同意".into()),
        }
    }

    #[test]
    fn each_kind_of_problem_has_its_exit_code() {
        for (status, kind, exit) in [
            (422, "refusal", 3),
            (401, "unauthenticated", 4),
            (403, "not-authentic", 4),
            (409, "not-a-member", 5),
            (503, "not-ready", 5),
            (503, "fault", 1),
            (404, "not-found", 2),
        ] {
            assert_eq!(
                CliError::of_problem(problem(status, kind)).exit as u8,
                exit,
                "{kind}"
            );
        }
    }

    #[test]
    fn a_file_that_is_absent_or_malformed_is_wrong_use_and_one_that_fails_is_a_fault() {
        let exit = |error: CliError| error.exit;
        let path = std::path::Path::new("x");
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::InvalidData] {
            assert_eq!(
                exit(CliError::file(path, io::Error::from(kind))),
                Exit::Usage
            );
        }
        assert_eq!(exit(CliError::file(path, "no such form")), Exit::Usage);
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(exit(CliError::file(path, full)), Exit::Fault);
    }

    #[test]
    fn an_error_says_what_is_wrong_the_article_and_what_to_do() {
        let error = CliError::of_problem(problem(422, "refusal"));
        assert_eq!(
            error.text(Language::Chinese),
            "错误：缺少同意\n条款：R20\n办法：请负责人同意"
        );
        let json: serde_json::Value = serde_json::from_str(&error.json(Language::English)).unwrap();
        assert_eq!(json["exit"], 3);
        assert_eq!(json["article"], "R20");
    }
}
