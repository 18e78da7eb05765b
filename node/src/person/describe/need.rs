//! Acts about needs that no published entry meets.

use sharing::need::{Need, NeedAct, NeedStep};

use super::{Text, time};
use crate::console::need::{asked, entry, who};
use crate::language::Language;

/// What the person is about to sign.
pub(super) fn act(act: &NeedAct) -> Text {
    match act {
        NeedAct::Report(need) => reported(need),
        NeedAct::Take { step, .. } => taken(step),
    }
}

fn reported(need: &Need) -> Text {
    let Need {
        title,
        items,
        purpose,
        basis,
        searched,
        considered,
        asked: levels,
    } = need;
    let asked_zh = asked(levels, Language::Chinese);
    let asked_en = asked(levels, Language::English);
    let considered: Vec<String> = considered
        .iter()
        .map(|it| format!("{} {}（{}）", it.publisher, it.entry, it.why_not))
        .collect();
    let (zh, en) = match considered.is_empty() {
        true => Default::default(),
        false => (
            format!("；不能满足的目录：{}", considered.join("、")),
            format!("; entries that do not do: {}", considered.join(", ")),
        ),
    };
    Text::new(
        format!(
            "登记需求“{title}”，数据项 {}；使用场景：{purpose}；使用依据：{basis}；目录检索情况：{searched}；{asked_zh}{zh}",
            items.join("、")
        ),
        format!(
            "put the need {title:?} on record, items {}; scenario: {purpose}; basis: {basis}; searched: {searched}; {asked_en}{en}",
            items.join(", ")
        ),
    )
}

fn taken(step: &NeedStep) -> Text {
    match step {
        NeedStep::PassOn { reasons } => Text::new(
            format!("报上级主管部门对接，理由：{reasons}"),
            format!("pass it on to the authority above, because: {reasons}"),
        ),
        NeedStep::Match { department } => {
            let who = who(department);
            Text::new(
                format!("对接提供部门 {who}"),
                format!("match it to the department {who}"),
            )
        }
        NeedStep::PointTo { entry: named } => {
            let entry = entry(named);
            Text::new(
                format!("已有目录 {entry} 能满足需求"),
                format!("the existing entry {entry} meets it"),
            )
        }
        NeedStep::Decline { reasons } => Text::new(
            format!("不予对接，理由：{reasons}"),
            format!("decline to match it, because: {reasons}"),
        ),
        NeedStep::Promise { by } => {
            let by = time(*by);
            Text::new(format!("将于 {by} 前提供"), format!("will provide by {by}"))
        }
        NeedStep::Cannot { reasons } => Text::new(
            format!("不能提供，理由：{reasons}"),
            format!("cannot provide, because: {reasons}"),
        ),
        NeedStep::Fulfil { entry: named, .. } => {
            let entry = entry(named);
            Text::new(
                format!("以已发布的目录 {entry} 满足需求"),
                format!("meet it with the published entry {entry}"),
            )
        }
        NeedStep::ConfirmMet => Text::new("确认需求已满足", "find it met"),
        NeedStep::NotMet { reasons } => Text::new(
            format!("需求未满足，理由：{reasons}"),
            format!("find it not met, because: {reasons}"),
        ),
        NeedStep::Withdraw => Text::new("撤回需求", "withdraw it"),
    }
}
