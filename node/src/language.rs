//! The two languages that operators read: Chinese first, English when `LANG` or the browser asks for it.

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

    /// In one language.
    pub fn in_language(&self, language: Language) -> &str {
        language.pick(&self.zh, &self.en)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
