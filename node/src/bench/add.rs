//! Adding entries as people do: the operator compiles and submits, the department's head approves, the authority's reviewer publishes (R12, R13,
//! R16), each with documents signed with their own key, over the node's API. Times are told step by step: what the people's
//! side takes (reading, digests, signatures) apart from what the node takes to answer, which it does when all is durable.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::{Duration, Instant};

use identity::{Code, KeyKind, SigningKey};
use serde::{Deserialize, Serialize};
use sharing::act::ActBody;
use sharing::catalogue::{Entry, EntryDraft, EntryVersion, ReviewVerdict};
use sharing::person::PersonChain;

use super::AddArgs;
use crate::cli::client::{Client, encode};
use crate::cli::{CliError, Global, Output, acts};
use crate::person;
use crate::runtime::driver::now;

/// Longest line read: an entry at all its bounds is shorter.
const MAX_LINE: usize = 4 << 20;

/// What adding took.
#[derive(Debug, Default, Serialize)]
struct Took {
    entries: usize,
    acts: usize,
    /// Reading and checking the file, on the people's side.
    read_seconds: f64,
    compile: Step,
    approve: Step,
    submit: Step,
    publish: Step,
    total_seconds: f64,
}

/// One step of all acts.
#[derive(Debug, Default, Serialize)]
struct Step {
    /// Making and signing the documents.
    people_seconds: f64,
    /// From sending a document until the node has answered.
    node_seconds: f64,
}

struct Person {
    key: SigningKey,
    chain: PersonChain,
    node: Code,
}

#[derive(Deserialize)]
struct ChainAnswer {
    chain: PersonChain,
}

/// `guantong bench add`.
pub(super) fn run(global: &Global, args: &AddArgs, output: &Output) -> Result<(), CliError> {
    let begun = Instant::now();
    let groups = acts(read(&args.file)?);
    let read_seconds = begun.elapsed().as_secs_f64();
    let client = Client::of(global, output.language())?;
    let open = |key: &Path| open(global, &client, key);
    let (operator, head, reviewer) = (
        open(&args.operator)?,
        open(&args.head)?,
        open(&args.reviewer)?,
    );
    let begun = Instant::now();
    let mut took = Took {
        entries: groups.iter().map(Vec::len).sum(),
        acts: 4 * groups.len(),
        read_seconds,
        ..Took::default()
    };
    let mut versions: Vec<Vec<EntryVersion>> = Vec::with_capacity(groups.len());
    for entries in groups {
        versions.push(entries.iter().map(Entry::version_ref).collect());
        took.compile
            .act(&client, &operator, ActBody::CompileEntries { entries })?;
    }
    for entries in versions.iter().cloned() {
        took.approve
            .act(&client, &head, ActBody::ApproveEntries { entries })?;
    }
    for entries in versions.iter().cloned() {
        took.submit
            .act(&client, &operator, ActBody::SubmitEntries { entries })?;
    }
    for entries in versions {
        let verdict = ReviewVerdict::Publish;
        took.publish.act(
            &client,
            &reviewer,
            ActBody::ReviewEntries { entries, verdict },
        )?;
    }
    took.total_seconds = begun.elapsed().as_secs_f64();
    output.print(&took, |language| {
        let steps = [
            (language.pick("编制", "compile"), &took.compile),
            (language.pick("审核", "approve"), &took.approve),
            (language.pick("报送", "submit"), &took.submit),
            (language.pick("发布", "publish"), &took.publish),
        ];
        let lines = steps.map(|(name, step)| {
            format!(
                "{name} {:.2} s + {:.2} s",
                step.people_seconds, step.node_seconds
            )
        });
        format!(
            "{} · {:.2} s\n{}",
            took.entries,
            took.total_seconds,
            lines.join("\n")
        )
    });
    Ok(())
}

impl Step {
    /// Signs and sends one act, and adds up what it took.
    fn act(&mut self, client: &Client, who: &Person, body: ActBody) -> Result<(), CliError> {
        let begun = Instant::now();
        let act = person::act(who.node, now(), body)?;
        let signed = person::sign(&act, &who.key, who.chain.clone());
        self.people_seconds += seconds(begun);
        let begun = Instant::now();
        client.act(&signed)?;
        self.node_seconds += seconds(begun);
        Ok(())
    }
}

fn seconds(begun: Instant) -> f64 {
    Duration::as_secs_f64(&begun.elapsed())
}

fn open(global: &Global, client: &Client, path: &Path) -> Result<Person, CliError> {
    let prompt = format!("{} 的口令 / passphrase", path.display());
    let passphrase = person::passphrase(global.passphrase_file.as_deref(), &prompt)?;
    let key = person::open_key(path, KeyKind::Person, &passphrase)?;
    let chain = match person::load_chain(&person::chain_path(path))? {
        Some(chain) => chain,
        None => {
            client
                .get::<ChainAnswer>(&format!(
                    "/people/chain/{}",
                    encode(&key.verify_key().to_string())
                ))?
                .chain
        }
    };
    let holder = chain
        .holder()
        .ok_or_else(|| CliError::usage("人员证书链无法解读", "the person's chain is unreadable"))?;
    Ok(Person {
        key,
        chain,
        node: holder.node,
    })
}

fn read(path: &Path) -> Result<Vec<Entry>, CliError> {
    let file = std::fs::File::open(path).map_err(|error| CliError::file(path, error))?;
    let mut entries = Vec::new();
    for (number, line) in BufReader::with_capacity(1 << 20, file).lines().enumerate() {
        let wrong = |error: &dyn std::fmt::Display| {
            CliError::file(path, format!("{}: {error}", number + 1))
        };
        let line = line.map_err(|error| wrong(&error))?;
        if line.len() > MAX_LINE {
            return Err(wrong(&format!("> {MAX_LINE} bytes")));
        }
        let draft: EntryDraft = serde_json::from_str(&line).map_err(|error| wrong(&error))?;
        entries.push(draft.into_entry().map_err(|error| wrong(&error))?);
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use sharing::act::MAX_ENTRIES_PER_ACT;

    use super::*;
    use crate::bench::{Entries, Origin};

    #[test]
    fn generated_entries_are_read_back_and_grouped_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entries.jsonl");
        let entries = Entries::of(Origin::default());
        let count = MAX_ENTRIES_PER_ACT as u64 + 3;
        let lines: Vec<String> = (0..count)
            .map(|number| serde_json::to_string(&entries.entry(number)).unwrap())
            .collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        let groups = acts(read(&path).unwrap());
        assert_eq!(
            groups.iter().map(Vec::len).collect::<Vec<_>>(),
            [MAX_ENTRIES_PER_ACT, 3]
        );
        let expected = entries.entry(count - 1).into_entry().unwrap();
        assert_eq!(groups[1][2], expected);
    }

    #[test]
    fn a_line_that_is_no_entry_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("entries.jsonl");
        std::fs::write(&path, "{}\n").unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            error.what.zh.contains("1:") || error.what.zh.contains("1："),
            "{}",
            error.what.zh
        );
    }
}
