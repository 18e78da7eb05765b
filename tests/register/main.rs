//! The legal register: for every obligation the rule, the tests and the command that show it. `docs/legal-register.md` is written from here
//! and from `statute::obligation`, and these tests fail when a row lacks one of the three, when one named here does not exist, or when the page
//! is out of date. To write the page anew: `GUANTONG_WRITE_REGISTER=1 cargo test -p guantong-tests --test register`.

#[path = "../scenarios/rows.rs"]
mod rows;
mod shown;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use statute::obligation::OBLIGATIONS;

use rows::SCENARIOS;
use shown::{OUTSTANDING, SHOWN, Shown};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust source of the project, as one text.
fn sources() -> String {
    fn walk(folder: &Path, text: &mut String) {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return;
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                walk(&path, text);
            } else if path.extension().is_some_and(|it| it == "rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut text = String::new();
    for folder in ["crates", "node/src", "node/tests", "tests"] {
        walk(&root().join(folder), &mut text);
    }
    text
}

fn shown(row: &str) -> Option<&'static Shown> {
    SHOWN.iter().find(|it| it.row == row)
}

fn outstanding(row: &str) -> Option<&'static str> {
    OUTSTANDING
        .iter()
        .find(|(it, _)| *it == row)
        .map(|(_, why)| *why)
}

#[test]
fn every_obligation_has_a_rule_a_test_and_a_command_or_is_named_as_outstanding() {
    for obligation in OBLIGATIONS {
        let row = obligation.row;
        match (shown(row), outstanding(row)) {
            (Some(shown), _) => {
                let complete = !shown.rules.is_empty()
                    && !shown.tests.is_empty()
                    && !shown.commands.is_empty();
                assert!(complete, "{row} lacks a rule, a test or a command");
            }
            (None, Some(_)) => {}
            (None, None) => panic!("{row} is neither shown nor outstanding"),
        }
    }
    let rows: BTreeSet<_> = OBLIGATIONS.iter().map(|it| it.row).collect();
    for row in SHOWN
        .iter()
        .map(|it| it.row)
        .chain(OUTSTANDING.iter().map(|it| it.0))
    {
        assert!(rows.contains(row), "{row} is no obligation");
    }
}

#[test]
fn every_rule_and_test_named_exists() {
    let sources = sources();
    for shown in SHOWN {
        for rule in shown.rules {
            let name = rule.rsplit("::").next().unwrap_or(rule);
            let found = sources.contains(&format!("fn {name}("))
                || sources.contains(&format!("fn {name}<"));
            assert!(found, "{}: there is no rule {rule}", shown.row);
        }
        for test in shown.tests {
            assert!(
                sources.contains(&format!("fn {test}()"))
                    || sources.contains(&format!("fn {test}(\n")),
                "{}: there is no test {test}",
                shown.row
            );
        }
    }
}

#[test]
fn every_row_has_scenarios_that_exist() {
    let folder = root().join("tests/scenarios");
    let mut sources = String::new();
    for entry in std::fs::read_dir(folder).expect("the scenarios").flatten() {
        sources += &std::fs::read_to_string(entry.path()).unwrap_or_default();
    }
    let is_test = |name: &str| {
        ["", "pub ", "pub(crate) "]
            .iter()
            .any(|seen| sources.contains(&format!("#[test]\n{seen}fn {name}()")))
    };
    for obligation in OBLIGATIONS {
        let row = obligation.row;
        let own = SCENARIOS.iter().find(|(it, _)| *it == row);
        let names = own.map_or(&[][..], |(_, names)| *names);
        assert!(!names.is_empty(), "{row} has no scenario");
        for name in names {
            assert!(is_test(name), "{row}: there is no scenario {name}");
        }
    }
    assert_eq!(SCENARIOS.len(), OBLIGATIONS.len());
}

#[test]
fn every_command_named_exists() {
    for shown in SHOWN {
        for command in shown.commands {
            let mut found = node::cli::Cli::command();
            for word in command.split_whitespace() {
                let next = found.find_subcommand(word).cloned();
                found = next
                    .unwrap_or_else(|| panic!("{}: there is no `guantong {command}`", shown.row));
            }
        }
    }
}

#[test]
fn the_page_says_what_is_here() {
    let (path, page) = (root().join("docs/legal-register.md"), page());
    if std::env::var_os("GUANTONG_WRITE_REGISTER").is_some() {
        std::fs::write(&path, &page).expect("written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/legal-register.md is out of date: GUANTONG_WRITE_REGISTER=1 cargo test -p guantong-tests --test register"
    );
}

fn page() -> String {
    let mut page = String::from(
        "# Legal register\n\n\
         What the law makes the software do, and what shows that it does: the rule (a function), the tests, and the command to see it. Written by\n\
         `tests/register` from `statute::obligation`; a test fails when a row lacks one of the three or when this page is out of date.\n\n\
         | Row | Articles | What | Rules | Tests | Commands | Breach |\n|---|---|---|---|---|---|---|\n",
    );
    let list = |items: &[&str]| {
        let quoted: Vec<_> = items.iter().map(|it| format!("`{it}`")).collect();
        quoted.join("<br>")
    };
    for obligation in OBLIGATIONS {
        let short = |articles: &[statute::Article]| {
            let articles: Vec<_> = articles.iter().map(|it| it.short()).collect();
            articles.join(", ")
        };
        let Some(shown) = shown(obligation.row) else {
            continue;
        };
        let commands: Vec<_> = shown
            .commands
            .iter()
            .map(|it| format!("guantong {it}"))
            .collect();
        let commands: Vec<_> = commands.iter().map(String::as_str).collect();
        writeln!(
            page,
            "| {} | {} | {}; {} | {} | {} | {} | {} |",
            obligation.row,
            short(obligation.articles),
            obligation.zh,
            obligation.en,
            list(shown.rules),
            list(shown.tests),
            list(&commands),
            short(obligation.breach),
        )
        .expect("a string takes what is written");
    }
    if !OUTSTANDING.is_empty() {
        page.push_str(
            "\n## Outstanding\n\n| Row | Articles | What | What is lacking |\n|---|---|---|---|\n",
        );
        for obligation in OBLIGATIONS {
            let Some(why) = outstanding(obligation.row) else {
                continue;
            };
            let articles: Vec<_> = obligation.articles.iter().map(|it| it.short()).collect();
            writeln!(
                page,
                "| {} | {} | {}; {} | {why} |",
                obligation.row,
                articles.join(", "),
                obligation.zh,
                obligation.en
            )
            .expect("a string takes what is written");
        }
    }
    page
}
