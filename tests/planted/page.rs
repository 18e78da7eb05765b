//! The section of `docs/reliability.md` that says what finds each bug: written, and read back.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use identity::planted::Bug;

use crate::checks::Check;

/// Most characters of what a check says.
pub const MAX_SAID_CHARS: usize = 100;
/// Where the section begins; it ends with the page or the next heading of its rank.
const HEADING: &str = "## Planted bugs\n";
/// How a page begins that has nothing else yet.
const TITLE: &str = "# Reliability\n";

/// What finds a bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The bug.
    pub bug: Bug,
    /// The check's name.
    pub check: String,
    /// Its seed.
    pub seed: Option<u64>,
    /// What it says.
    pub says: String,
}

impl Row {
    /// Whether this check is the one.
    pub fn is_by(&self, check: &Check) -> bool {
        self.check == check.name && self.seed == check.seed
    }
}

/// Whether the page is to be written anew.
pub fn to_be_written() -> bool {
    std::env::var_os("GUANTONG_WRITE_PLANTED").is_some()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md")
}

/// The page before the section, the section, and the page after it.
fn parts(page: &str) -> (&str, &str, &str) {
    let Some(begin) = page.find(HEADING) else {
        return (page, "", "");
    };
    let (before, section) = page.split_at(begin);
    let end = section[HEADING.len()..].find("\n## ");
    let end = end.map_or(section.len(), |end| HEADING.len() + end + 1);
    let (section, after) = section.split_at(end);
    (before, section, after)
}

fn section(rows: &[Row]) -> String {
    let mut text = format!(
        "{HEADING}\n\
         That nothing is found means something where bugs would be: {} are planted in the code that runs in service, each behind a switch that only tests\n\
         compile in (`identity::planted`; `scripts/check switches` shows that no release has it), and each is found by a check that does not know which\n\
         is on. A seed names the run of the simulated world; the other checks draw nothing. Written by `tests/planted`, which fails when a bug is not found in this\n\
         way, when one of these checks fails without any bug, or when this section is out of date.\n\n\
         | Bug | What is broken | Found by | Seed | It says |\n|---|---|---|---|---|\n",
        Bug::ALL.len()
    );
    for row in rows {
        let seed = row.seed.map_or_else(String::new, |seed| seed.to_string());
        let (bug, what, check, says) = (row.bug, row.bug.what(), &row.check, &row.says);
        writeln!(text, "| `{bug:?}` | {what} | `{check}` | {seed} | {says} |")
            .expect("a string takes what is written");
    }
    text
}

/// A text as it stands in a table.
pub fn cell(text: &str) -> String {
    text.replace('|', "/")
        .replace('<', "(")
        .replace('>', ")")
        .trim()
        .to_owned()
}

/// Writes the section into the page.
pub fn write(rows: &[Row]) {
    let page = std::fs::read_to_string(path()).unwrap_or_else(|_| format!("{TITLE}\n"));
    let (before, _, after) = parts(&page);
    let gap = if before.ends_with("\n\n") { "" } else { "\n" };
    let more = if after.is_empty() { "" } else { "\n" };
    let page = format!("{before}{gap}{}{more}{after}", section(rows));
    std::fs::write(path(), page).expect("written");
}

/// What the page says, which must be all that the section says.
pub fn rows() -> Vec<Row> {
    let (rows, section_found) = known();
    assert!(
        section_found.trim_end() == section(&rows).trim_end(),
        "docs/reliability.md is out of date: GUANTONG_WRITE_PLANTED=1 cargo test -p guantong-tests --test planted"
    );
    rows
}

/// The rows of the page as it is, and its section.
pub fn known() -> (Vec<Row>, String) {
    let page = std::fs::read_to_string(path()).unwrap_or_default();
    let (_, found, _) = parts(&page);
    (found.lines().filter_map(row).collect(), found.to_owned())
}

fn row(line: &str) -> Option<Row> {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [bug, _, check, seed, says] = cells.as_slice() else {
        return None;
    };
    let bug = bug.trim_matches('`');
    let bug = Bug::ALL.iter().find(|it| format!("{it:?}") == bug)?;
    Some(Row {
        bug: *bug,
        check: check.trim_matches('`').to_owned(),
        seed: seed.parse().ok(),
        says: (*says).to_owned(),
    })
}
