//! Step 1: departments compile entries, their heads approve them, their authorities review and publish them (R12-R16).

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use federation::core::view::OwnEntry;
use identity::Code;
use sharing::catalogue::{EntryDraft, EntryState, PublishedEntry};
use statute::{Article, Role, ShareClass};

use super::super::Failure;
use super::super::client::CallError;
use super::super::command::text;
use super::super::roster::{Person, Place};
use super::super::screen::{Line, seconds};
use super::super::stage::{Doing, EFFECT, Happened, Stage};
use super::{facts, step};
use crate::api::List;
use crate::language::Language;

/// The entries of each node's department, one JSON object a line.
const ENTRIES: [(&str, &str); 14] = [
    (
        "mps",
        include_str!("../../../../topology/demo/catalogue/mps.jsonl"),
    ),
    (
        "mca",
        include_str!("../../../../topology/demo/catalogue/mca.jsonl"),
    ),
    (
        "samr",
        include_str!("../../../../topology/demo/catalogue/samr.jsonl"),
    ),
    (
        "440000",
        include_str!("../../../../topology/demo/catalogue/440000.jsonl"),
    ),
    (
        "440100",
        include_str!("../../../../topology/demo/catalogue/440100.jsonl"),
    ),
    (
        "440104",
        include_str!("../../../../topology/demo/catalogue/440104.jsonl"),
    ),
    (
        "440106",
        include_str!("../../../../topology/demo/catalogue/440106.jsonl"),
    ),
    (
        "210000",
        include_str!("../../../../topology/demo/catalogue/210000.jsonl"),
    ),
    (
        "210100",
        include_str!("../../../../topology/demo/catalogue/210100.jsonl"),
    ),
    (
        "210102",
        include_str!("../../../../topology/demo/catalogue/210102.jsonl"),
    ),
    (
        "110000",
        include_str!("../../../../topology/demo/catalogue/110000.jsonl"),
    ),
    (
        "110101",
        include_str!("../../../../topology/demo/catalogue/110101.jsonl"),
    ),
    (
        "460000",
        include_str!("../../../../topology/demo/catalogue/460000.jsonl"),
    ),
    (
        "469005",
        include_str!("../../../../topology/demo/catalogue/469005.jsonl"),
    ),
];

/// Compiles and publishes everywhere, and waits until the hub has all of it.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    let nodes = ENTRIES
        .iter()
        .map(|(code, lines)| Ok((super::code(code)?, *lines)))
        .collect::<Result<Vec<(Code, &str)>, Failure>>()?;
    stage.side_by_side(&nodes, |(code, lines)| publish(stage, *code, lines))?;
    let expected: usize = nodes.iter().map(|(_, lines)| count(lines)).sum();
    let what = stage.pick(
        "全部目录条目到达国家枢纽",
        "all entries have reached the hub",
    );
    let climbed = Instant::now();
    let published = stage.await_effect(what, EFFECT, || at_hub(stage, expected))?;
    arrived(stage, what, &published, climbed.elapsed());
    stage.record(Happened {
        step: step::CATALOGUE,
        what: stage
            .pick("编目、审核、发布", "compiled, reviewed, published")
            .to_owned(),
        outcome: match stage.language() {
            Language::Chinese => format!("{} 个节点 {expected} 条目录汇聚到枢纽", nodes.len()),
            Language::English => format!("{expected} entries of {} nodes at the hub", nodes.len()),
        },
        article: Article::R16,
        took: begun.elapsed(),
    });
    Ok(())
}

/// One node: import, approve, submit, review.
fn publish(stage: &Stage, code: Code, lines: &str) -> Result<(), Failure> {
    let begun = Instant::now();
    let place = stage
        .roster
        .place(code)
        .ok_or_else(|| Failure::new(code.to_string(), "no such node"))?;
    let file = stage.layout.work(&format!("{code}.catalogue.jsonl"));
    fs::write(&file, lines).map_err(|error| Failure::new(text(&file), error))?;
    let file = text(&file);
    let operator = stage.person(code, Role::Operator)?;
    let head = stage.person(code, Role::DepartmentHead)?;
    let reviewer = reviewer(place)?;
    let expected = count(lines);
    let ids = ids(lines)?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let published: Vec<&str> = ids.iter().copied().chain(["--publish"]).collect();
    let steps: [(&Person, &str, &[&str], EntryState, Article); 4] = [
        (
            operator,
            "import",
            &[&file],
            EntryState::Draft,
            Article::R12,
        ),
        (head, "approve", &ids, EntryState::Approved, Article::R13),
        (
            operator,
            "submit",
            &ids,
            EntryState::Submitted,
            Article::R16,
        ),
        (
            reviewer,
            "review",
            &published,
            EntryState::Published,
            Article::R16,
        ),
    ];
    for (who, verb, which, state, article) in steps {
        let doing = Doing {
            who,
            zh: "编制与发布目录",
            en: "compile and publish entries",
            article,
            shown: false,
        };
        let args: Vec<&str> = ["catalogue", verb]
            .into_iter()
            .chain(which.iter().copied())
            .collect();
        stage.act(doing, &args, |_| {
            own_entries_are(stage, code, expected, state)
        })?;
    }
    let what = match stage.language() {
        Language::Chinese => format!(
            "{} 编制 {expected} 条，{} 审核同意（R13），审核并发布",
            operator.name, head.name
        ),
        Language::English => format!(
            "published {expected} entries compiled by {}, approved by {} (R13)",
            operator.name, head.name
        ),
    };
    stage.screen.done(&Line {
        who: stage.who(reviewer),
        what,
        article: Some(Article::R16),
        took: begun.elapsed(),
    });
    Ok(())
}

/// Whoever reviews for the authority: its reviewer, or its head where it has none of its own at this node (R16: the national authority
/// reviews the ministries' entries).
fn reviewer(place: &Place) -> Result<&Person, Failure> {
    let found = place
        .person(Role::AuthorityReviewer)
        .or_else(|| place.person(Role::AuthorityHead));
    found.ok_or_else(|| Failure::new(place.name.clone(), "nobody reviews"))
}

fn own_entries_are(
    stage: &Stage,
    code: Code,
    expected: usize,
    state: EntryState,
) -> Result<Option<()>, CallError> {
    let site = stage.layout.nodes.iter().find(|site| site.code == code);
    let site = site.ok_or_else(|| CallError::Unexpected(format!("no node {code}")))?;
    let own: List<OwnEntry> = stage.client.get(site, "/api/v1/catalogue/own?limit=500")?;
    let there = own
        .items
        .iter()
        .filter(|entry| facts::rank(entry.state) >= facts::rank(state))
        .count();
    Ok((there >= expected).then_some(()))
}

fn at_hub(stage: &Stage, expected: usize) -> Result<Option<Vec<PublishedEntry>>, CallError> {
    let hub = stage
        .layout
        .nodes
        .first()
        .ok_or_else(|| CallError::Unexpected("no hub".to_owned()))?;
    let known: List<PublishedEntry> = stage
        .client
        .get(hub, "/api/v1/catalogue/published?limit=500")?;
    Ok((known.items.len() >= expected).then_some(known.items))
}

fn arrived(stage: &Stage, what: &str, published: &[PublishedEntry], took: Duration) {
    let mut classes: BTreeMap<ShareClass, usize> = BTreeMap::new();
    for entry in published {
        *classes.entry(entry.entry.terms.class()).or_default() += 1;
    }
    let classes: Vec<String> = classes
        .iter()
        .map(|(class, n)| format!("{} {n}", stage.pick(class.zh(), class.en())))
        .collect();
    stage.screen.remark(&format!(
        "{what}：{}（{}）",
        classes.join("，"),
        seconds(took)
    ));
}

/// The ids of the entries in a file.
fn ids(lines: &str) -> Result<Vec<String>, Failure> {
    let id = |line: &str| {
        let entry: EntryDraft =
            serde_json::from_str(line).map_err(|error| Failure::new(line, error))?;
        Ok(entry.id)
    };
    lines
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(id)
        .collect()
}

fn count(lines: &str) -> usize {
    lines.lines().filter(|line| !line.trim().is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::super::super::roster::Roster;
    use super::*;

    #[test]
    fn every_entry_is_well_formed_and_belongs_to_the_department_of_its_node() {
        let roster = Roster::load().unwrap();
        for (code, lines) in ENTRIES {
            let place = roster.place(code.parse().unwrap()).unwrap();
            let department = place.person(Role::Operator).unwrap().department;
            for line in lines.lines() {
                let draft: EntryDraft = serde_json::from_str(line).unwrap();
                assert_eq!(draft.provider, department.to_string(), "{code}");
                assert!(draft.id.starts_with(code), "{}", draft.id);
            }
        }
    }

    #[test]
    fn every_node_with_a_department_has_entries() {
        let roster = Roster::load().unwrap();
        for place in roster
            .nodes
            .iter()
            .filter(|place| place.code() != Code::HUB)
        {
            assert!(
                ENTRIES
                    .iter()
                    .any(|(code, lines)| *code == place.code().as_str() && count(lines) > 0),
                "{}",
                place.name
            );
        }
    }
}
