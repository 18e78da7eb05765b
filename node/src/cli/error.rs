//! What can go wrong in a command, with its exit code and what to do.

use std::any::Any;
use std::fmt::Display;
use std::io;
use std::string::FromUtf8Error;

use identity::KeyKind;
use serde::Serialize;

use crate::api::ProblemBody;
use crate::language::{Language, Text};
use crate::person::{PASSPHRASE_VARIABLE, PersonError};

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

    /// An error that a deep part tells in both languages at once.
    pub fn of_both(exit: Exit, error: &impl Display) -> Self {
        let Text { zh, en } = Text::of_both(error);
        Self::new(exit, zh, en)
    }

    /// Wrong use.
    pub fn usage(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Exit::Usage, zh, en)
    }

    /// A file that was named and cannot be used. It is wrong use when it is not there or not what it should be, and a fault when the machine
    /// does not let it be read or written.
    pub fn file<E: Display + 'static>(path: &std::path::Path, error: E) -> Self {
        let known = &error as &dyn Any;
        let io = known.downcast_ref::<io::Error>();
        let exit = io.map_or(Exit::Usage, |error| exit_of(error.kind()));
        let what = if let Some(error) = io {
            Text::of_io(error)
        } else if let Some(error) = known.downcast_ref::<serde_json::Error>() {
            Text::of_json(error)
        } else if known.is::<FromUtf8Error>() {
            Text::new("不是 UTF-8 编码的文本", error.to_string())
        } else {
            Text::of_both(&error)
        };
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
            format!("文件 {path}：{}", what.zh),
            format!("file {path}: {}", what.en),
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
        let Text { zh, en } = person_text(&error);
        match error {
            PersonError::Key(_) | PersonError::WrongKind { .. } | PersonError::NoPassphrase => {
                Self::new(Exit::NotAuthorised, zh, en)
            }
            PersonError::Exists(_) | PersonError::InNodeFolder(_) => {
                Self::usage(zh, en).advise("换一个位置或文件名", "choose another place or name")
            }
            PersonError::File { reason, .. } => Self::new(exit_of(reason.kind()), zh, en),
            PersonError::Malformed { .. } | PersonError::Content(_) => Self::usage(zh, en),
            PersonError::Entropy(_) => Self::fault(zh, en),
        }
    }
}

/// What is wrong on the person's side, in each language by itself.
fn person_text(error: &PersonError) -> Text {
    match error {
        PersonError::File { path, reason } => {
            let (path, reason) = (path.display(), Text::of_io(reason));
            Text::new(
                format!("{path}：{}", reason.zh),
                format!("{path}: {}", reason.en),
            )
        }
        PersonError::Malformed { path, reason } => {
            let (path, reason) = (path.display(), Text::of_both(reason));
            Text::new(
                format!("{path} 不是有效的文件：{}", reason.zh),
                format!("{path} is not valid: {}", reason.en),
            )
        }
        PersonError::Exists(path) => {
            let path = path.display();
            Text::new(
                format!("{path} 已存在，未覆盖"),
                format!("{path} exists and is not overwritten"),
            )
        }
        PersonError::InNodeFolder(path) => {
            let path = path.display();
            Text::new(
                format!("{path} 在节点的数据目录之内；人员密钥不得存放于节点"),
                format!("{path} lies in a node's data folder, where no person's key may be"),
            )
        }
        PersonError::Key(error) => Text::of_both(error),
        PersonError::WrongKind { path, expected, .. } => {
            let path = path.display();
            let (zh, en) = match expected {
                KeyKind::Root => ("根密钥", "a root key"),
                KeyKind::Recovery => ("恢复密钥", "a recovery key"),
                KeyKind::Person => ("人员密钥", "a person's key"),
            };
            Text::new(format!("{path} 不是{zh}"), format!("{path} is not {en}"))
        }
        PersonError::Content(error) => Text::of_both(error),
        PersonError::NoPassphrase => Text::new(
            format!("没有口令：设置 {PASSPHRASE_VARIABLE}，或用 --passphrase-file，或在终端运行"),
            format!(
                "no passphrase: set {PASSPHRASE_VARIABLE}, give --passphrase-file, or run in a terminal"
            ),
        ),
        PersonError::Entropy(error) => Text::new(
            format!("系统随机数不可用：{error}"),
            format!("no random bytes: {error}"),
        ),
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
