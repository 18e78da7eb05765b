//! Readings of records of use, in the words of operators.

use federation::core::view::{ReadingView, UseView};
use federation::core::{ReadBy, ReadWhat, UseGiven, UsesGiven};
use sharing::act::Doer;
use sharing::reading::{InspectionEvent, InspectionState};
use statute::{Article, Reader};

use super::clock::Facts;
use super::labels;
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &InspectionEvent) -> (&'static str, &'static str, Article) {
    match event {
        InspectionEvent::Ordered { .. } => ("责成查阅", "reading ordered", Article::R29),
        InspectionEvent::Attached(_) => ("附使用记录", "record of use attached", Article::R29),
        InspectionEvent::Read { .. } => ("查阅使用记录", "records of use read", Article::R29),
    }
}

/// What an event says beyond its name. Never what a record of use says.
pub fn facts(event: &InspectionEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match event {
        InspectionEvent::Ordered {
            by, order, keeper, ..
        } => vec![
            (pick("责成机关", "Ordered by"), by.to_string()),
            (
                pick("记录保存部门", "Kept by"),
                format!("{} {}", keeper.node.code(), keeper.department),
            ),
            (pick("所涉案卷", "About"), order.about.to_string()),
            (pick("理由", "Reason"), order.reason.clone()),
            (pick("查阅人公钥", "Reader"), order.reader.to_string()),
        ],
        InspectionEvent::Attached(_) => Vec::new(),
        InspectionEvent::Read { reader, .. } => read_as(*reader, language),
    }
}

/// As whom somebody read.
pub fn read_as(reader: Reader, language: Language) -> Facts {
    let as_whom = language.pick(reader.zh(), reader.en()).to_owned();
    vec![(language.pick("查阅身份", "Read as"), as_whom)]
}

/// Where an inspection stands.
pub fn phase(state: &InspectionState, language: Language) -> &'static str {
    match state.readings {
        0 => language.pick("待查阅", "to be read"),
        _ => language.pick("已查阅", "read"),
    }
}

/// Whether it needs nothing more.
pub fn tone(state: &InspectionState) -> &'static str {
    match state.readings {
        0 => "warn",
        _ => "ok",
    }
}

/// Who ordered the reading of whose records.
pub fn subject(state: &InspectionState) -> String {
    let (by, keeper) = (state.by.code(), state.keeper.node.code());
    format!("{by} → {keeper} · {}", state.entry_name)
}

/// That a use was recorded: which event, when, by whom, under which digest.
pub fn use_made(made: &UseView, language: Language) -> Vec<String> {
    let unreadable = || language.pick("无法解读", "unreadable").to_owned();
    vec![
        format!("#{}", made.sequence),
        labels::time(made.at),
        made.by
            .as_ref()
            .map_or_else(unreadable, |by| person(by, language)),
        made.digest.to_string(),
    ]
}

/// What a reading gave, in full.
pub fn given(given: &UsesGiven, language: Language) -> String {
    let mut text = String::new();
    for it in &given.uses {
        text += &one(it, language);
    }
    if given.uses.is_empty() {
        text += language.pick("没有使用记录", "there are no records of use");
    }
    if let Some(next) = given.next {
        text += &match language {
            Language::Chinese => format!("后续记录：加 --from {next} 再次查阅"),
            Language::English => format!("there are more: read again with --from {next}"),
        };
    }
    text
}

fn one(given: &UseGiven, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let mut text = format!(
        "#{} {} {}\n",
        given.sequence,
        labels::time(given.at),
        person(&given.by, language)
    );
    let Some(said) = &given.texts else {
        let none = pick(
            "内容尚未送达本节点或者已依法删除",
            "not here yet, or lawfully erased",
        );
        return text + &format!("  {none}\n");
    };
    for (name, said) in [
        (pick("使用场景", "scenario"), &said.scenario),
        (pick("使用过程", "process"), &said.process),
        (pick("应用成效", "result"), &said.result),
        (pick("存储情况", "storage"), &said.storage),
        (pick("销毁情况", "destruction"), &said.destruction),
    ] {
        text += &format!("  {name}{}{said}\n", pick("：", ": "));
    }
    text
}

/// Who read what, and when.
pub fn reading(view: &ReadingView, language: Language) -> Vec<String> {
    let pick = |zh, en| language.pick(zh, en);
    let who = match &view.by {
        ReadBy::Person(doer) => person(doer, language),
        ReadBy::Program(caller) => format!(
            "{} {} {}",
            pick("令牌", "token"),
            caller.token.short(),
            caller.note
        ),
    };
    let (kind, what) = match &view.what {
        ReadWhat::Uses { docket, from } => (
            pick("使用记录", "records of use"),
            format!("{} #{from}", docket.0),
        ),
        ReadWhat::Object { digest } => (pick("文件", "file"), digest.to_string()),
        ReadWhat::Evidence { docket } => (
            pick("案卷证据", "evidence of the docket"),
            docket.to_string(),
        ),
    };
    vec![labels::time(view.at), who, kind.to_owned(), what]
}

fn person(doer: &Doer, language: Language) -> String {
    let role = language.pick(doer.role.zh(), doer.role.en());
    format!("{}（{role}，{} {}）", doer.name, doer.node, doer.department)
}

#[cfg(test)]
mod tests {
    use super::*;
    use federation::core::{Allowed, Caller};
    use identity::{Digest, Moment};

    #[test]
    fn a_reading_by_a_program_names_its_token_by_note_and_digest() {
        let token = Digest::object(b"token");
        let digest = Digest::object(b"rows");
        let view = ReadingView {
            number: 1,
            by: ReadBy::Program(Caller {
                token,
                allowed: Allowed::Operator,
                note: "前置机".into(),
            }),
            what: ReadWhat::Object { digest },
            at: Moment::default(),
        };
        let [_, who, kind, what] = reading(&view, Language::Chinese).try_into().unwrap();
        assert_eq!(who, format!("令牌 {} 前置机", token.short()));
        assert_eq!((kind.as_str(), what), ("文件", digest.to_string()));
    }

    #[test]
    fn where_there_are_more_records_the_next_reading_is_named() {
        let more = UsesGiven {
            uses: Vec::new(),
            next: Some(70),
        };
        for language in [Language::Chinese, Language::English] {
            assert!(given(&more, language).contains("--from 70"));
        }
    }
}
