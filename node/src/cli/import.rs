//! Importing catalogue entries from JSON Lines: every defect of every line is told at once, then the entries are compiled in as few acts as
//! hold them.

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;
use sharing::act::{ActBody, MAX_ENTRIES_PER_ACT};
use sharing::catalogue::{Entry, EntryDraft};
use statute::Refusal;

use super::args::{now, read_text_up_to};
use super::client::Client;
use super::error::{CliError, Exit};
use super::signer::{Signer, carry_out};
use super::{Global, Output};
use crate::language::{Language, Text};
use crate::person;

/// The JSON Schema of one line of an import, as published in `docs/schema/`.
pub const ENTRY_SCHEMA: &str = include_str!("../../../docs/schema/catalogue-entry.schema.json");
/// Most defects told at once: more are of no use to the reader.
const MAX_TOLD: usize = 20;
/// Longest file of an import, bytes: several hundred thousand entries of 1 KB. It is read whole.
const MAX_IMPORT_BYTES: u64 = 512 << 20;
/// Bytes of one act's entries, well within an act: the rest goes into the next.
const ACT_BYTES: usize = 3 << 20;

/// Reads, checks and compiles a file.
pub(super) fn run(
    global: &Global,
    output: &Output,
    file: &Path,
    check: bool,
) -> Result<(), CliError> {
    let text = read_text_up_to(file, MAX_IMPORT_BYTES)?;
    let entries = parse(&text)?;
    if check {
        let warnings = warnings(&entries);
        let value = json!({ "entries": entries.len(), "warnings": warnings });
        output.print(&value, |language| {
            let mut text = format!(
                "{} {}",
                entries.len(),
                language.pick("条，均符合要求", "entries, all complete")
            );
            for warning in &warnings {
                text += &format!("\n{} {warning}", language.pick("注意：", "warning:"));
            }
            text
        });
        return Ok(());
    }
    let acts = acts(entries);
    if global.prepare.is_some() && acts.len() > 1 {
        return Err(CliError::usage(
            format!(
                "此文件需要 {} 份文书；用 --prepare 时请把文件分开",
                acts.len()
            ),
            format!(
                "this file makes {} documents; split it to use --prepare",
                acts.len()
            ),
        ));
    }
    let mut acts = acts.into_iter();
    if acts.len() == 1 {
        return acts.try_for_each(|entries| {
            carry_out(global, output, ActBody::CompileEntries { entries }).map(drop)
        });
    }
    let client = Client::of(global, output.language())?;
    let signer = Signer::open(global, &client)?;
    let mut answers = Vec::new();
    let mut compiled = 0;
    for entries in acts {
        compiled += entries.len();
        let act = person::act(signer.node()?, now(), ActBody::CompileEntries { entries })?;
        answers.push(client.act(&person::sign(&act, &signer.key, signer.chain.clone()))?);
        output.note(
            &format!("已编制 {compiled} 条"),
            &format!("{compiled} entries compiled"),
        );
    }
    output.print(&json!({ "acts": answers }), |language| {
        format!(
            "{} {compiled} {}",
            language.pick("已编制", "compiled"),
            language.pick("条", "entries")
        )
    });
    Ok(())
}

/// What is odd about the providers' credit codes, once for each code.
fn warnings(entries: &[Entry]) -> Vec<String> {
    let odd = entries.iter().filter_map(|entry| {
        let warning = entry.provider.warning()?;
        Some(format!("{}：{warning}", entry.provider))
    });
    let told: BTreeSet<String> = odd.collect();
    told.into_iter().take(MAX_TOLD).collect()
}

/// What is wrong with one line.
struct Defect {
    /// Its number, from 1.
    line: usize,
    what: Text,
    /// When it is the law that refuses it.
    refusal: Option<Refusal>,
}

/// Reads every line and names the defects of all lines at once.
fn parse(text: &str) -> Result<Vec<Entry>, CliError> {
    let mut entries = Vec::new();
    let mut defects = Vec::new();
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match entry(line) {
            Ok(entry) => match lines.entry(entry.id.as_str().to_owned()) {
                Slot::Vacant(slot) => {
                    slot.insert(index + 1);
                    entries.push(entry);
                }
                Slot::Occupied(first) => defects.push(Defect {
                    line: index + 1,
                    what: Text::new(
                        format!("目录代码 {} 与第 {} 行重复", first.key(), first.get()),
                        format!(
                            "the id {} stands in line {} already",
                            first.key(),
                            first.get()
                        ),
                    ),
                    refusal: None,
                }),
            },
            Err((what, refusal)) => defects.push(Defect {
                line: index + 1,
                what,
                refusal,
            }),
        }
    }
    match (defects.first(), entries.is_empty()) {
        (None, false) => Ok(entries),
        (None, true) => Err(CliError::usage("文件中没有条目", "the file holds no entry")),
        (Some(first), _) => Err(told(first, &defects)),
    }
}

fn entry(line: &str) -> Result<Entry, (Text, Option<Refusal>)> {
    let plain = |text: String| (Text::new(text.clone(), text), None);
    // A list would be read as a draft whose fields are all absent.
    if !line.trim_start().starts_with('{') {
        return Err((
            Text::new(
                "不是条目：每行应为一个 JSON 对象",
                "no entry: each line is one JSON object",
            ),
            None,
        ));
    }
    let draft: EntryDraft = serde_json::from_str(line).map_err(|error| plain(error.to_string()))?;
    person::complete(draft).map_err(|incomplete| (incomplete.what, incomplete.refusal))
}

/// All defects as one error: refused by law when the law refuses every one of them, wrong use otherwise.
fn told(first: &Defect, defects: &[Defect]) -> CliError {
    let lines = |language: Language| {
        let named = defects.iter().take(MAX_TOLD);
        let mut lines: Vec<String> = named
            .map(|defect| format!("  {}: {}", defect.line, defect.what.in_language(language)))
            .collect();
        if defects.len() > MAX_TOLD {
            lines.push(format!("  … +{}", defects.len() - MAX_TOLD));
        }
        lines.join("\n")
    };
    let lawful = defects.iter().all(|defect| defect.refusal.is_some());
    let error = CliError::new(
        if lawful { Exit::Refused } else { Exit::Usage },
        format!("{} 行有缺陷：\n{}", defects.len(), lines(Language::Chinese)),
        format!(
            "{} lines are defective:\n{}",
            defects.len(),
            lines(Language::English)
        ),
    );
    match &first.refusal {
        Some(refusal) => CliError {
            article: Some(refusal.article.short()),
            ..error
        }
        .advise(refusal.what_to_do_zh(), refusal.what_to_do_en()),
        None => error.advise(
            "格式见 guantong catalogue schema",
            "the form is in guantong catalogue schema",
        ),
    }
}

/// The entries in groups that fit an act, in their order.
pub(crate) fn acts(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let weight = identity::codec::encode(&entry).len();
        match groups.last_mut() {
            Some(group) if group.len() < MAX_ENTRIES_PER_ACT && bytes + weight <= ACT_BYTES => {
                bytes += weight;
                group.push(entry);
            }
            _ => {
                bytes = weight;
                groups.push(vec![entry]);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const LINE: &str = r#"{"id": "440106/MZ/0001", "name": "低保家庭信息", "summary": "本区在保低保家庭及成员",
        "provider": "11440106007512345X", "provider_name": "天河区民政局",
        "items": [{"name": "户主姓名", "kind": "C50", "grade": "一般数据"}],
        "format": "CSV", "frequency": "每月", "terms": {"有条件共享": {"scope": ["县级以上民政部门"], "uses": ["社会救助核对"], "conditions": []}},
        "methods": ["文件下载"], "personal_information": true,
        "secrecy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "不涉密"}},
        "privacy_assessment": {"done": {"by": "李四", "on": "2026-01-05", "conclusion": "风险可控"}}}"#;

    fn line() -> String {
        LINE.replace('\n', " ")
    }

    #[test]
    fn every_defective_line_is_named_at_once_with_its_article() {
        let incomplete = line().replace(r#""format": "CSV","#, "");
        let error = parse(&format!("{}\n\n{incomplete}\n{incomplete}", line())).unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
        assert_eq!(error.article.as_deref(), Some("R13"));
        assert!(
            error.what.zh.contains("3:")
                && error.what.zh.contains("4:")
                && error.what.zh.contains("数据格式")
        );
    }

    #[test]
    fn a_line_that_is_no_json_or_has_an_unknown_field_is_wrong_use() {
        for text in [
            "{".to_owned(),
            line().replace("\"format\"", "\"fromat\""),
            String::new(),
        ] {
            assert_eq!(parse(&text).unwrap_err().exit, Exit::Usage, "{text}");
        }
    }

    #[test]
    fn an_id_or_summary_that_is_absent_is_named_and_a_list_is_no_entry() {
        let no_summary = line().replace(r#""summary": "本区在保低保家庭及成员","#, "");
        let error = parse(&no_summary).unwrap_err();
        assert!(error.exit == Exit::Usage && error.what.zh.contains("缺少：摘要"));
        let neither = no_summary.replace(r#""id": "440106/MZ/0001","#, "");
        let error = parse(&neither.replace(r#""format": "CSV","#, "")).unwrap_err();
        assert!(error.what.zh.contains("目录代码、摘要") && error.what.zh.contains("数据格式"));
        let list = parse("[]").unwrap_err();
        assert!(list.exit == Exit::Usage && list.what.zh.contains("JSON 对象"));
    }

    #[test]
    fn an_id_stands_in_a_file_once() {
        let error = parse(&format!("{}\n{}", line(), line())).unwrap_err();
        assert!(error.exit == Exit::Usage && error.what.zh.contains("与第 1 行重复"));
    }

    #[test]
    fn an_odd_credit_code_is_told_once() {
        let entry = parse(&line()).unwrap().remove(0);
        let told = warnings(&[entry.clone(), entry.clone()]);
        assert_eq!(told.len(), usize::from(entry.provider.warning().is_some()));
    }

    #[test]
    fn entries_are_split_into_acts_that_fit() {
        let entry = parse(&line()).unwrap().remove(0);
        let groups = acts(vec![entry; MAX_ENTRIES_PER_ACT + 1]);
        assert_eq!(
            groups.iter().map(Vec::len).collect::<Vec<_>>(),
            [MAX_ENTRIES_PER_ACT, 1]
        );
    }

    #[test]
    fn the_schema_is_json_and_names_the_fields_of_a_draft() {
        let schema: Value = serde_json::from_str(ENTRY_SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let draft = serde_json::to_value(EntryDraft::from(&parse(&line()).unwrap()[0])).unwrap();
        for field in draft.as_object().unwrap().keys() {
            assert!(properties.contains_key(field), "{field}");
        }
    }
}
