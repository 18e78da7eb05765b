//! Cutting text: Chinese into overlapping pairs of characters, everything else into words.
//!
//! A run 农业发展 becomes 农业, 业发, 发展 and, so that a query of one character finds it wherever it stands, the last character 展 alone. Words are
//! lower-cased; full-width forms (ＡＢＣ１２３) count as their plain ones. Runs are set apart by a gap, so no phrase crosses punctuation.

use std::vec;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

/// Most characters of a word that count.
const MAX_WORD_CHARS: usize = 64;

/// A piece of text between spaces, punctuation and changes of script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Run {
    /// Chinese characters.
    Han(Vec<char>),
    /// A word or a number, lower-cased.
    Word(String),
}

impl Run {
    /// The pairs of a Chinese run of two or more, as they stand in the index.
    pub(super) fn pairs(han: &[char]) -> impl Iterator<Item = String> + '_ {
        han.windows(2).map(|pair| pair.iter().collect())
    }
}

/// Cuts text into its runs.
pub(super) fn runs(text: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    for character in text.chars().map(narrow) {
        match (kind(character), runs.last_mut()) {
            (Kind::Han, Some(Open::Han(run))) => run.push(character),
            (Kind::Han, _) => runs.push(Open::Han(vec![character])),
            (Kind::Word, Some(Open::Word(run))) => run.push(character),
            (Kind::Word, _) => runs.push(Open::Word(vec![character])),
            (Kind::Gap, _) => runs.push(Open::Gap),
        }
    }
    runs.into_iter()
        .filter_map(|run| match run {
            Open::Han(run) => Some(Run::Han(run)),
            Open::Word(run) => Some(Run::Word(
                run.into_iter()
                    .take(MAX_WORD_CHARS)
                    .flat_map(char::to_lowercase)
                    .collect(),
            )),
            Open::Gap => None,
        })
        .collect()
}

enum Open {
    Han(Vec<char>),
    Word(Vec<char>),
    Gap,
}

enum Kind {
    Han,
    Word,
    Gap,
}

fn kind(character: char) -> Kind {
    match character {
        // The unified ideographs with their extensions and compatibility forms, and 〇.
        '\u{3007}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}' => Kind::Han,
        character if character.is_alphanumeric() => Kind::Word,
        _ => Kind::Gap,
    }
}

/// The plain form of a full-width one.
fn narrow(character: char) -> char {
    match character {
        '\u{FF01}'..='\u{FF5E}' => {
            char::from_u32(u32::from(character) - 0xFEE0).unwrap_or(character)
        }
        other => other,
    }
}

/// The tokenizer of every text field.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pairs;

/// Tokens of one text.
pub(super) struct PairStream {
    tokens: vec::IntoIter<(usize, String)>,
    token: Token,
}

impl Tokenizer for Pairs {
    type TokenStream<'a> = PairStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PairStream {
        let mut tokens = Vec::new();
        let mut position = 0;
        for run in runs(text) {
            match run {
                Run::Word(word) => tokens.push((position, word)),
                Run::Han(han) => {
                    for pair in Run::pairs(&han) {
                        tokens.push((position, pair));
                        position += 1;
                    }
                    tokens.extend(han.last().map(|last| (position, last.to_string())));
                }
            }
            // The last token's place, and one left free.
            position += 2;
        }
        PairStream {
            tokens: tokens.into_iter(),
            token: Token::default(),
        }
    }
}

impl TokenStream for PairStream {
    fn advance(&mut self) -> bool {
        match self.tokens.next() {
            Some((position, text)) => {
                self.token = Token {
                    position,
                    text,
                    ..Token::default()
                };
                true
            }
            None => false,
        }
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, String)> {
        let mut tokenizer = Pairs;
        let mut stream = tokenizer.token_stream(text);
        let mut tokens = Vec::new();
        stream.process(&mut |token| tokens.push((token.position, token.text.clone())));
        tokens
    }

    fn texts(text: &str) -> Vec<String> {
        cut(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn chinese_is_cut_into_overlapping_pairs_and_its_last_character() {
        assert_eq!(texts("农业发展"), ["农业", "业发", "发展", "展"]);
        assert_eq!(texts("农"), ["农"]);
        assert_eq!(texts("𠀀𠀁"), ["𠀀𠀁", "𠀁"]);
        assert_eq!(texts("二〇二五"), ["二〇", "〇二", "二五", "五"]);
    }

    #[test]
    fn words_are_lower_cased_and_full_width_forms_are_plain() {
        assert_eq!(texts("GDP 2025年ＡＢｃ１2"), ["gdp", "2025", "年", "abc12"]);
        assert_eq!(texts("E-mail_地址"), ["e", "mail", "地址", "址"]);
        assert_eq!(texts(&"x".repeat(1000))[0].len(), MAX_WORD_CHARS);
    }

    #[test]
    fn no_phrase_crosses_a_gap() {
        let tokens = cut("农业，业务");
        assert_eq!(
            tokens
                .iter()
                .map(|(position, _)| *position)
                .collect::<Vec<_>>(),
            [0, 1, 3, 4]
        );
        assert_eq!(texts("，。 \n"), Vec::<String>::new());
        assert_eq!(texts(""), Vec::<String>::new());
    }
}
