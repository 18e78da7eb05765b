//! What the demo shows: headings, one line for every step that really happened, and tables aligned by display width.

use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use statute::Article;
use unicode_width::UnicodeWidthStr;

use crate::language::Language;

/// Columns of the part of a step's line that says who and where: the longest of the demo, in Chinese and in English.
const WHO_COLUMNS: [usize; 2] = [54, 70];

/// The terminal, shared by all threads of the demo.
#[derive(Debug)]
pub struct Screen {
    language: Language,
    /// Whether lines go to standard error, because standard output is for one JSON value.
    beside: bool,
    bar: Mutex<Option<ProgressBar>>,
}

/// One step as it is shown.
#[derive(Debug, Clone)]
pub struct Line {
    /// Who did it, in which role, where.
    pub who: String,
    /// What was done.
    pub what: String,
    /// Under which article.
    pub article: Option<Article>,
    /// How long it took, from the command to its effect.
    pub took: Duration,
}

impl Screen {
    /// A screen in one language, on standard output.
    pub fn new(language: Language) -> Self {
        Self {
            language,
            beside: false,
            bar: Mutex::new(None),
        }
    }

    /// A screen in one language, on standard error: standard output is left to the result.
    pub fn beside(language: Language) -> Self {
        Self {
            beside: true,
            ..Self::new(language)
        }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// One of two texts.
    pub fn pick<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language.pick(zh, en)
    }

    /// A line of text.
    pub fn line(&self, text: &str) {
        let bar = self.bar.lock().ok().and_then(|bar| bar.clone());
        // A reader that went away is no reason to fail.
        let write = || {
            drop(if self.beside {
                writeln!(std::io::stderr().lock(), "{text}")
            } else {
                writeln!(std::io::stdout().lock(), "{text}")
            });
        };
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// A heading.
    pub fn heading(&self, text: &str) {
        self.line("");
        self.line(text);
        self.line(&"─".repeat(text.width().min(100)));
    }

    /// A step that succeeded.
    pub fn done(&self, line: &Line) {
        let article = line
            .article
            .map(|article| article.short())
            .unwrap_or_default();
        let columns = WHO_COLUMNS[usize::from(self.language == Language::English)];
        let who = padded(&line.who, columns);
        self.line(&format!(
            "  ✓ {who}  {}  〔{article}〕 {}",
            line.what,
            seconds(line.took)
        ));
    }

    /// A remark on the step before.
    pub fn remark(&self, text: &str) {
        self.line(&format!("      {text}"));
    }

    /// A step that failed.
    pub fn failed(&self, text: &str) {
        self.line(&format!("  ✗ {text}"));
    }

    /// Starts a progress bar of so many units; drawn on a terminal only.
    pub fn progress(&self, units: usize, text: &str) {
        let bar = ProgressBar::new(units as u64);
        if let Ok(style) =
            ProgressStyle::with_template("  {msg}  [{bar:40}] {pos}/{len}  {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(text.to_owned());
        self.set_bar(Some(bar));
    }

    /// One more unit is done.
    pub fn advance(&self) {
        if let Some(bar) = self.bar.lock().ok().and_then(|bar| bar.clone()) {
            bar.inc(1);
        }
    }

    /// Takes the progress bar away.
    pub fn progress_done(&self) {
        self.set_bar(None);
    }

    fn set_bar(&self, next: Option<ProgressBar>) {
        let before = self
            .bar
            .lock()
            .ok()
            .and_then(|mut bar| std::mem::replace(&mut *bar, next));
        if let Some(before) = before {
            before.finish_and_clear();
        }
    }

    /// A table: the header, then the rows.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) {
        for line in table(header, rows) {
            self.line(&line);
        }
    }
}

/// A text filled with spaces up to so many columns of the display; a Chinese character takes two.
pub fn padded(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

/// The lines of a table whose columns are as wide as their widest cell.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells
            .zip(&widths)
            .map(|(cell, width)| padded(cell, *width))
            .collect();
        format!("  {}", cells.join("  ")).trim_end().to_owned()
    };
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let mut lines = vec![
        line(&mut header.iter().copied()),
        format!("  {}", rule.join("  ")),
    ];
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines
}

/// A duration as people read it.
pub fn seconds(took: Duration) -> String {
    let ms = took.as_millis();
    if ms < 1_000 {
        format!("{ms} ms")
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_character_takes_two_columns() {
        assert_eq!(padded("天河区", 8), "天河区  ");
        assert_eq!(padded("abc", 5), "abc  ");
        assert_eq!(padded("广东省", 4), "广东省");
    }

    #[test]
    fn columns_of_a_table_begin_at_the_same_place() {
        let rows = [
            vec!["公安部".to_owned(), "mps".to_owned()],
            vec!["x".to_owned(), "天河区".to_owned()],
        ];
        let lines = table(&["名称", "code"], &rows);
        let column = |line: &str, of: &str| line.split(of).next().map(UnicodeWidthStr::width);
        assert_eq!(column(&lines[0], "code"), Some(10));
        assert_eq!(column(&lines[2], "mps"), Some(10));
        assert_eq!(column(&lines[3], "天河区"), Some(10));
        assert!(lines.iter().all(|line| !line.ends_with(' ')));
    }

    #[test]
    fn short_times_are_in_milliseconds() {
        assert_eq!(seconds(Duration::from_millis(999)), "999 ms");
        assert_eq!(seconds(Duration::from_millis(1_300)), "1.3 s");
    }
}
