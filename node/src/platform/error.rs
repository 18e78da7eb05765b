//! Why a pull is no pull. Each of these ends it before anything is compared, so that nothing is removed on the strength of it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::language::Text;

/// Why a pull ended without the whole catalogue of the platform.
#[derive(Debug)]
pub enum PullError {
    /// The platform cannot be reached, or the connection broke.
    Unreachable {
        /// Which address.
        address: String,
        /// Why.
        reason: String,
    },
    /// The platform answers that it will not or cannot.
    Answered {
        /// Which address.
        address: String,
        /// The status.
        status: u16,
    },
    /// The file cannot be read.
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The token's environment variable is not set.
    NoToken {
        /// Its name.
        variable: String,
    },
    /// A bound of [`super::bounds`] was reached.
    TooMuch {
        /// What there is too much of.
        what: Text,
        /// The most that is taken.
        limit: u64,
    },
    /// The pull took longer than it may.
    TooLong {
        /// The longest time.
        limit: Duration,
    },
    /// Less came than the platform says it has.
    Truncated {
        /// What there should be.
        said: u64,
        /// What came.
        came: u64,
    },
    /// What came is not what it should be.
    Malformed {
        /// What is wrong.
        what: Text,
    },
}

impl PullError {
    /// Something that is not what it should be.
    pub(super) fn malformed(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Malformed {
            what: Text::new(zh, en),
        }
    }

    /// More records than a pull may have.
    pub(super) fn too_many(limit: usize) -> Self {
        Self::TooMuch {
            what: Text::new("条目", "entries"),
            limit: limit as u64,
        }
    }

    /// What is wrong, in both languages.
    pub fn text(&self) -> Text {
        match self {
            Self::Unreachable { address, reason } => Text::new(
                format!("无法从平台取得 {address}：{reason}"),
                format!("{address} could not be fetched from the platform: {reason}"),
            ),
            Self::Answered { address, status } => Text::new(
                format!("平台对 {address} 答复 HTTP {status}"),
                format!("the platform answered HTTP {status} for {address}"),
            ),
            Self::File { path, reason } => Text::new(
                format!("文件 {}：{reason}", path.display()),
                format!("file {}: {reason}", path.display()),
            ),
            Self::NoToken { variable } => Text::new(
                format!("环境变量 {variable} 未设置"),
                format!("the environment variable {variable} is not set"),
            ),
            Self::TooMuch { what, limit } => Text::new(
                format!("平台给出的{}超过上限 {limit}", what.zh),
                format!(
                    "the platform gave more {} than the {limit} that are taken",
                    what.en
                ),
            ),
            Self::TooLong { limit } => Text::new(
                format!("拉取超过 {} 秒", limit.as_secs()),
                format!("the pull took more than {} seconds", limit.as_secs()),
            ),
            Self::Truncated { said, came } => Text::new(
                format!("拉取不完整：平台应有 {said} 条，实到 {came} 条"),
                format!("the pull is incomplete: the platform has {said} entries, {came} came"),
            ),
            Self::Malformed { what } => what.clone(),
        }
    }

    /// What to do about it.
    pub fn what_to_do(&self) -> Text {
        match self {
            Self::Unreachable { .. } | Self::TooLong { .. } => Text::new(
                "确认平台在运行、地址可达，稍后再拉取；本次未撤销任何条目",
                "see that the platform runs and can be reached, and pull again; nothing was removed",
            ),
            Self::Answered { .. } | Self::NoToken { .. } => Text::new(
                "核对映射文件的 [source]（address、token_env）；本次未撤销任何条目",
                "check [source] of the mapping (address, token_env); nothing was removed",
            ),
            Self::File { .. } => Text::new(
                "核对映射文件的 address；相对路径以映射文件所在目录为准；本次未撤销任何条目",
                "check address in the mapping; a relative path begins at the mapping's folder; nothing was removed",
            ),
            Self::TooMuch { .. } => Text::new(
                "用 filter 按部门分开映射；本次未撤销任何条目",
                "map the platform in parts, by department, with filter; nothing was removed",
            ),
            Self::Truncated { .. } => Text::new(
                "再次拉取；仍不完整时请平台检查其接口；本次未撤销任何条目",
                "pull again; if it stays incomplete, have the platform's interface looked at; nothing was removed",
            ),
            Self::Malformed { .. } => Text::new(
                "核对映射文件的 kind 与 address，请平台检查其内容；本次未撤销任何条目",
                "check kind and address in the mapping, and have the platform's content looked at; nothing was removed",
            ),
        }
    }
}

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        write!(f, "{} / {}", text.zh, text.en)
    }
}

impl std::error::Error for PullError {}
