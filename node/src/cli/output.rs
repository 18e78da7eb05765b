//! What a command prints.

use serde::Serialize;

use super::CliError;
use crate::language::Language;

/// Where results go: JSON for programs, lines for people.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    language: Language,
}

impl Output {
    /// An output of one kind and language.
    pub fn new(json: bool, language: Language) -> Self {
        Self { json, language }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The language of lines.
    pub fn language(&self) -> Language {
        self.language
    }

    /// One of two texts.
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language.pick(zh, en)
    }

    /// Prints a result.
    pub fn print<T: Serialize>(&self, value: &T, lines: impl FnOnce(Language) -> String) {
        let text = if self.json {
            serde_json::to_string_pretty(value).unwrap_or_default()
        } else {
            lines(self.language)
        };
        self.plain(text.as_bytes());
    }

    /// Prints a text that has one form, whatever is asked for. A closed pipe is no error: the reader had enough.
    pub fn plain(&self, text: &[u8]) {
        use std::io::Write;
        let mut out = std::io::stdout().lock();
        let _ = out
            .write_all(text.trim_ascii_end())
            .and_then(|()| out.write_all(b"\n"));
    }

    /// Prints an error.
    pub fn error(&self, error: &CliError) {
        use std::io::Write;
        let text = if self.json {
            error.json(self.language)
        } else {
            error.text(self.language)
        };
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Says something on the way; nothing when JSON was asked for.
    pub fn note(&self, zh: &str, en: &str) {
        if !self.json {
            self.tell(zh, en);
        }
    }

    /// Says what a person must have seen before they go on, whatever form the result has.
    pub fn tell(&self, zh: &str, en: &str) {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "{}", self.pick(zh, en));
    }
}

/// A list for people: its rows, or one sentence that there are none.
pub(super) fn listed(rows: &[Vec<String>], language: Language, none: (&str, &str)) -> String {
    if rows.is_empty() {
        return language.pick(none.0, none.1).to_owned();
    }
    columns(rows)
}

/// Rows under each other, columns in line. Chinese characters take two columns of a terminal.
pub(super) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| width(cell))
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, wanted) in row.iter().zip(&widths) {
            line += cell;
            line += &" ".repeat(wanted.saturating_sub(width(cell)) + 2);
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn width(text: &str) -> usize {
    text.chars()
        .map(|c| if u32::from(c) >= 0x1100 { 2 } else { 1 })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nothing_is_a_sentence() {
        let none = ("没有案卷。", "There is no docket.");
        assert_eq!(listed(&[], Language::Chinese, none), "没有案卷。");
        assert_eq!(listed(&[], Language::English, none), "There is no docket.");
        let rows = [vec!["hub".to_owned()]];
        assert_eq!(listed(&rows, Language::English, none), "hub\n");
    }

    #[test]
    fn columns_stand_in_line_whatever_the_script() {
        let rows = [
            vec!["天河区".to_owned(), "up".to_owned()],
            vec!["hub".to_owned(), "down".to_owned()],
        ];
        assert_eq!(columns(&rows), "天河区  up\nhub     down\n");
        assert_eq!(columns(&[]), "");
    }
}
