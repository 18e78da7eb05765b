//! How a word of the law becomes a type: an enum whose every variant has an id for files and the wire, the Chinese
//! word of the text, and an English word.

/// A word that is none of the terms asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {kind}; expected one of: {expected}")]
pub struct UnknownTerm {
    /// The enum that was asked for.
    pub kind: &'static str,
    /// What was found instead, cut to 40 characters.
    pub found: String,
    /// The ids that would have been accepted, separated by commas.
    pub expected: String,
}

impl UnknownTerm {
    /// What is wrong, in Chinese and in English, for whoever typed the word.
    #[must_use]
    pub fn in_both(&self) -> String {
        format!(
            "“{}”不在可选之列，可选：{} / {self}",
            self.found, self.expected
        )
    }
}

/// Longest part of a wrong word that an error repeats, in characters: enough to recognise it, too little to flood a log.
pub const MAX_ECHO_CHARS: usize = 40;

/// Declares an enum of terms: `/// doc  Variant = "id", "中文", "English";`.
///
/// Derives order (as declared), serde by id, `ALL`, `id`, `zh`, `en`, `Display` (the id) and `FromStr` (id or Chinese).
macro_rules! terms {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vmeta:meta])* $variant:ident = $id:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[$vmeta])* #[serde(rename = $id)] $variant, )+
        }

        impl $name {
            /// Every term, in the order of declaration.
            pub const ALL: &'static [$name] = &[$( $name::$variant ),+];

            /// The id used in files, on the wire and in commands.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $( $name::$variant => $id, )+ }
            }

            /// The Chinese word.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $( $name::$variant => $zh, )+ }
            }

            /// The English word.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $( $name::$variant => $en, )+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.id())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::term::UnknownTerm;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let word = word.trim();
                $name::ALL
                    .iter()
                    .copied()
                    .find(|term| term.id() == word || term.zh() == word)
                    .ok_or_else(|| $crate::term::UnknownTerm {
                        kind: stringify!($name),
                        found: word.chars().take($crate::term::MAX_ECHO_CHARS).collect(),
                        expected: [$( $id ),+].join(", "),
                    })
            }
        }
    };
}

pub(crate) use terms;

#[cfg(test)]
mod tests {
    #[test]
    fn an_unknown_word_is_told_in_chinese_with_what_may_stand_there() {
        let told = "邮寄"
            .parse::<crate::Method>()
            .map_err(|error| error.in_both());
        let told = told.err().unwrap_or_default();
        assert!(told.starts_with("“邮寄”不在可选之列，可选：") && told.contains("is not a Method"));
    }
}
