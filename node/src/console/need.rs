//! Needs in the words of operators.

use sharing::dispute::Party;
use sharing::need::{
    EntryAt, Found, LevelAsked, Need, NeedEvent, NeedPhase, NeedState, NeedStep, Said,
};
use statute::Article;

use super::clock::Facts;
use super::labels;
use crate::language::Language;

/// Where a need stands.
pub fn phase(phase: &NeedPhase, language: Language) -> &'static str {
    match phase {
        NeedPhase::Open => language.pick("待供需对接", "to be matched"),
        NeedPhase::Matched { .. } => {
            language.pick("已对接，待提供部门答复", "matched, to be answered")
        }
        NeedPhase::Promised { .. } => language.pick("提供部门已定期提供", "promised by a date"),
        NeedPhase::Offered { .. } => language.pick(
            "已有目录，待需求部门确认",
            "an entry is there, to be confirmed",
        ),
        NeedPhase::Met { .. } => language.pick("需求已满足", "met"),
        NeedPhase::Declined { .. } => language.pick("不予对接", "declined"),
        NeedPhase::Withdrawn => language.pick("需求已撤回", "withdrawn"),
    }
}

/// Whether it needs nothing more.
pub fn tone(phase: &NeedPhase) -> &'static str {
    match phase {
        NeedPhase::Open
        | NeedPhase::Matched { .. }
        | NeedPhase::Promised { .. }
        | NeedPhase::Offered { .. } => "warn",
        NeedPhase::Met { .. } => "ok",
        NeedPhase::Declined { .. } => "bad",
        NeedPhase::Withdrawn => "",
    }
}

/// What is needed, and by whom.
pub fn subject(state: &NeedState) -> String {
    format!("{} ← {}", state.need.title, state.department.node.code())
}

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &NeedEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        NeedEvent::Reported { .. } => ("登记需求", "need put on record"),
        NeedEvent::Taken { step, .. } => match step {
            NeedStep::PassOn { .. } => ("报上级主管部门对接", "passed on to the authority above"),
            NeedStep::Match { .. } => ("对接提供部门", "matched to a department"),
            NeedStep::PointTo { .. } => ("指明已有目录", "pointed to an existing entry"),
            NeedStep::Decline { .. } => ("不予对接", "declined"),
            NeedStep::Promise { .. } => ("提供部门定期提供", "promised by a date"),
            NeedStep::Cannot { .. } => ("提供部门不能提供", "the department cannot provide"),
            NeedStep::Fulfil { .. } => ("已发布目录满足需求", "an entry was published for it"),
            NeedStep::ConfirmMet => ("确认需求已满足", "found met"),
            NeedStep::NotMet { .. } => ("需求未满足", "found not met"),
            NeedStep::Withdraw => ("撤回需求", "withdrawn"),
        },
    };
    (zh, en, Article::R20)
}

/// What an event says beyond its name.
pub fn facts(event: &NeedEvent, language: Language) -> Facts {
    match event {
        NeedEvent::Reported { need, .. } => needed(need, language),
        NeedEvent::Taken { step, .. } => taken(step, language),
    }
}

fn needed(need: &Need, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let mut facts = vec![
        (pick("需求名称", "Need"), need.title.clone()),
        (pick("所需数据项", "Items"), need.items.join("、")),
        (pick("使用场景", "Scenario"), need.purpose.clone()),
        (pick("使用依据", "Legal basis"), need.basis.clone()),
        (pick("目录检索情况", "Searched"), need.searched.clone()),
        (
            pick("上级检索", "Asked above"),
            asked(&need.asked, language),
        ),
    ];
    facts.extend(need.considered.iter().map(|it| {
        let text = format!("{} {}：{}", it.publisher, it.entry, it.why_not);
        (pick("不能满足的目录", "Entry that does not do"), text)
    }));
    facts
}

fn taken(step: &NeedStep, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match step {
        NeedStep::PassOn { reasons }
        | NeedStep::Decline { reasons }
        | NeedStep::Cannot { reasons }
        | NeedStep::NotMet { reasons } => vec![(pick("理由", "Reasons"), reasons.clone())],
        NeedStep::Match { department } => {
            vec![(pick("提供部门", "Department"), who(department))]
        }
        NeedStep::PointTo { entry: named } | NeedStep::Fulfil { entry: named, .. } => {
            vec![(pick("目录条目", "Entry"), entry(named))]
        }
        NeedStep::Promise { by } => vec![(pick("提供日期", "By"), labels::due(*by))],
        NeedStep::ConfirmMet | NeedStep::Withdraw => Vec::new(),
    }
}

/// Which levels above answered when they were asked for the items, with what they hold whole, and which did not.
pub fn asked(levels: &[LevelAsked], language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let (mut answered, mut silent) = (Vec::new(), Vec::new());
    for level in levels {
        let code = level.node.code().to_string();
        match said(&level.said, language) {
            None => silent.push(code),
            Some(found) if found.is_empty() => answered.push(code),
            Some(found) => answered.push(format!("{code}（{found}）")),
        }
    }
    let parts = [
        (pick("已答复：", "answered: "), answered),
        (pick("未能联系：", "no answer: "), silent),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, levels)| !levels.is_empty())
        .map(|(what, levels)| format!("{what}{}", levels.join(pick("、", ", "))))
        .collect();
    match parts.is_empty() {
        true => pick("没有上级", "no level above").to_owned(),
        false => parts.join(pick("；", "; ")),
    }
}

/// What a level that answered says beyond that it did.
fn said(said: &Said, language: Language) -> Option<String> {
    let pick = |zh, en| language.pick(zh, en);
    let Said::Answered {
        complete, whole, ..
    } = said
    else {
        return None;
    };
    let found = |it: &Found| format!("{} {}", it.publisher.code(), it.entry);
    let mut parts = Vec::new();
    if !whole.is_empty() {
        let names: Vec<String> = whole.iter().map(found).collect();
        parts.push(format!(
            "{} {}",
            pick("有", "has"),
            names.join(pick("、", ", "))
        ));
    }
    if !complete {
        parts.push(pick("只查看了一部分目录", "a part of the catalogue alone").to_owned());
    }
    Some(parts.join(pick("；", "; ")))
}

/// A department and its node.
pub fn who(department: &Party) -> String {
    format!("{} {}", department.node.code(), department.department)
}

/// A version of an entry and its publisher.
pub fn entry(named: &EntryAt) -> String {
    let (id, version) = (&named.entry.id, named.entry.version);
    format!("{} {id} v{version}", named.publisher.code())
}
