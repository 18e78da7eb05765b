//! Updates of the catalogue, in the words of operators.

use sharing::update::{UpdateEvent, UpdatePhase, UpdateState};
use statute::Article;

use super::clock::{self, Facts};
use super::labels;
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &UpdateEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        UpdateEvent::Reported { .. } => ("报告需要更新目录的变化", "change reported"),
        UpdateEvent::Submitted { .. } => ("报送更新后的目录", "new version submitted"),
        UpdateEvent::Returned { .. } => ("退回并说明理由", "returned with reasons"),
        UpdateEvent::Published { .. } => ("审核并发布", "reviewed and published"),
        UpdateEvent::Withdrawn { .. } => ("目录已撤销", "entry withdrawn"),
    };
    (zh, en, Article::R17)
}

/// Where an update stands.
pub fn phase(state: &UpdateState, language: Language) -> &'static str {
    match &state.phase {
        UpdatePhase::Due => language.pick("待更新", "to be updated"),
        UpdatePhase::Submitted { .. } => language.pick("待审核发布", "awaiting review"),
        UpdatePhase::Returned { .. } => language.pick("已退回", "returned"),
        UpdatePhase::Published { .. } => language.pick("已发布", "published"),
        UpdatePhase::Withdrawn { .. } => language.pick("目录已撤销", "entry withdrawn"),
    }
}

/// Whether an update needs nothing more.
pub fn tone(state: &UpdateState) -> &'static str {
    match &state.phase {
        UpdatePhase::Published { .. } | UpdatePhase::Withdrawn { .. } => "ok",
        UpdatePhase::Returned { .. } => "warn",
        UpdatePhase::Due | UpdatePhase::Submitted { .. } => "",
    }
}

/// What an event says beyond its name.
pub fn facts(event: &UpdateEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let version = |version: &sharing::catalogue::EntryVersion| {
        let text = format!("{} v{}", version.id, version.version);
        (pick("版本", "Version"), text)
    };
    let reason = |reason: &String| (pick("理由", "Reasons"), reason.clone());
    match event {
        UpdateEvent::Reported { entry, change, .. } => vec![
            (pick("目录代码", "Entry"), entry.to_string()),
            (
                pick("更新事由", "Cause"),
                pick(change.cause.zh(), change.cause.en()).to_owned(),
            ),
            (pick("说明", "Statement"), change.text.clone()),
            (
                pick("发生时间", "Happened"),
                labels::time(change.changed_on),
            ),
            (
                pick("更新期限", "Update due"),
                clock::limit(&change.term, language),
            ),
        ],
        UpdateEvent::Submitted {
            version: it, term, ..
        } => vec![
            version(it),
            (
                pick("审核发布期限", "Review due"),
                clock::limit(term, language),
            ),
        ],
        UpdateEvent::Returned {
            version: it,
            reason: why,
            ..
        } => vec![version(it), reason(why)],
        UpdateEvent::Published { version: it, .. } => vec![version(it)],
        UpdateEvent::Withdrawn { reason: why, .. } => vec![reason(why)],
    }
}
