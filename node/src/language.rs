//! The two languages that operators read: Chinese first, English when `LANG` or the browser asks for it.

use std::{fmt, io};

/// A language of operator-facing text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Chinese (zh-CN).
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The language of this process: English when `LC_ALL`, `LC_MESSAGES` or `LANG`, the first of them that is set, names it.
    pub fn of_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
        set.map_or(Self::Chinese, |value| Self::of_tag(&value))
    }

    /// The language of a tag such as `en_GB.UTF-8`, or of the first choice in an `Accept-Language` header.
    pub fn of_tag(tag: &str) -> Self {
        let first = tag.split([',', ';']).next().unwrap_or_default().trim();
        if first
            .get(..2)
            .is_some_and(|two| two.eq_ignore_ascii_case("en"))
        {
            Self::English
        } else {
            Self::Chinese
        }
    }

    /// One of two texts.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }

    /// The tag for `lang="…"`.
    pub fn tag(self) -> &'static str {
        self.pick("zh-CN", "en")
    }
}

/// One text in both languages. Boxed, so that errors that carry it stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Chinese.
    pub zh: Box<str>,
    /// English.
    pub en: Box<str>,
}

impl Text {
    /// A text from its two forms.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into().into(),
            en: en.into().into(),
        }
    }

    /// What the system says when a file or connection fails.
    pub fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let zh = match error.kind() {
            Kind::NotFound => "文件或目录不存在",
            Kind::PermissionDenied => "没有访问权限",
            Kind::AlreadyExists => "已经存在",
            Kind::IsADirectory => "是目录，不是文件",
            Kind::NotADirectory => "路径中有一段不是目录",
            Kind::InvalidData | Kind::InvalidInput => "内容无效",
            Kind::StorageFull => "磁盘空间不足",
            Kind::ReadOnlyFilesystem => "文件系统只读",
            Kind::AddrInUse => "地址或端口已被占用",
            Kind::AddrNotAvailable => "本机没有这个地址",
            Kind::ConnectionRefused => "连接被拒绝",
            Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => "连接中断",
            Kind::TimedOut => "超时",
            Kind::UnexpectedEof => "内容不完整",
            // What the system has no kind for is told as it says it.
            _ => return Self::new(format!("系统错误：{error}"), error.to_string()),
        };
        Self::new(zh, error.to_string())
    }

    /// What is wrong with a text that should be JSON.
    pub fn of_json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let what = match error.classify() {
            serde_json::error::Category::Io => "无法读取",
            serde_json::error::Category::Syntax => "不是 JSON",
            serde_json::error::Category::Data => "字段缺失或者不合要求",
            serde_json::error::Category::Eof => "JSON 不完整",
        };
        Self::new(
            format!("{what}（第 {line} 行第 {column} 列）"),
            error.to_string(),
        )
    }

    /// What a deep error says in both languages at once, as `中文 (English)`: its Chinese without the English, and the whole for whoever reads English.
    pub fn of_both(error: &impl fmt::Display) -> Self {
        let whole = error.to_string();
        let zh = whole
            .strip_suffix(')')
            .and_then(|text| text.rsplit_once(" ("))
            .filter(|(zh, en)| en.is_ascii() && !zh.is_ascii())
            .map_or_else(|| whole.clone(), |(zh, _)| zh.to_owned());
        Self::new(zh, whole)
    }

    /// In one language.
    pub fn in_language(&self, language: Language) -> &str {
        language.pick(&self.zh, &self.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_and_deep_errors_say_is_told_in_chinese_without_english() {
        let text = Text::of_io(&io::Error::from(io::ErrorKind::NotFound));
        assert_eq!(&*text.zh, "文件或目录不存在");
        let wrong = serde_json::from_str::<serde_json::Value>("{").unwrap_err();
        assert_eq!(&*Text::of_json(&wrong).zh, "JSON 不完整（第 1 行第 1 列）");
        let both = Text::of_both(&"代码只能是六位数字：x (digits alone)");
        assert_eq!(&*both.zh, "代码只能是六位数字：x");
        assert!(both.en.ends_with("(digits alone)"));
        for whole in ["公钥（见 root.pub）", "only (English)"] {
            assert_eq!(&*Text::of_both(&whole).zh, whole);
        }
    }

    #[test]
    fn chinese_is_the_first_language_and_english_is_asked_for() {
        for (tag, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("C.UTF-8", Language::Chinese),
            ("", Language::Chinese),
            ("en_GB.UTF-8", Language::English),
            ("en-US,en;q=0.9,zh;q=0.8", Language::English),
            ("zh-CN,en;q=0.5", Language::Chinese),
            ("中文", Language::Chinese),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }
}
