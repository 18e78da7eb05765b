//! Corrections in the words of operators.

use sharing::act::ObjectRef;
use sharing::correction::{CorrectionEvent, CorrectionOutcome, CorrectionPhase};
use sharing::docket::DocketId;
use statute::Article;

use super::clock::{Facts, limit};
use crate::language::Language;

/// Where a correction stands.
pub fn phase(phase: &CorrectionPhase, language: Language) -> &'static str {
    match phase {
        CorrectionPhase::Asked { .. } => language.pick("待核实、更正并反馈", "to be verified"),
        CorrectionPhase::Answered(CorrectionOutcome::Corrected { .. }) => {
            language.pick("已更正", "corrected")
        }
        CorrectionPhase::Answered(CorrectionOutcome::Upheld { .. }) => {
            language.pick("经核实无需更正", "right as it stands")
        }
    }
}

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &CorrectionEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        CorrectionEvent::Asked { .. } => ("收到校核申请", "correction asked for"),
        CorrectionEvent::Answered { outcome, .. } => match outcome {
            CorrectionOutcome::Corrected { .. } => ("核实、更正并反馈", "corrected"),
            CorrectionOutcome::Upheld { .. } => ("经核实无需更正并反馈", "right as it stands"),
        },
    };
    (zh, en, Article::R26)
}

/// What an event says beyond its name.
pub fn facts(event: &CorrectionEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match event {
        CorrectionEvent::Asked {
            request,
            entry,
            entry_name,
            term,
            ..
        } => vec![
            (pick("申请案卷", "Application"), request.about.0.short()),
            (
                pick("目录条目", "Entry"),
                format!("{} {entry_name}", String::from(entry.clone())),
            ),
            (pick("数据项", "Items"), request.items.join("、")),
            (
                pick("不准确或者不完整之处", "What is wrong"),
                request.wrong.to_string(),
            ),
            (pick("佐证", "Evidence"), request.evidence.to_string()),
            (pick("反馈期限", "Due"), limit(term, language)),
        ],
        CorrectionEvent::Answered { outcome, .. } => match outcome {
            CorrectionOutcome::Corrected { what, object } => {
                let mut facts = vec![(pick("更正内容", "Corrected"), what.to_string())];
                facts.extend(file(object.as_ref(), language));
                facts
            }
            CorrectionOutcome::Upheld { reasons } => {
                vec![(pick("理由", "Reasons"), reasons.to_string())]
            }
        },
    }
}

/// What a holder of the data is told in its own docket.
pub fn told(
    correction: &DocketId,
    items: &[String],
    object: Option<&ObjectRef>,
    language: Language,
) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let mut facts = vec![
        (pick("校核案卷", "Correction"), correction.0.short()),
        (pick("数据项", "Items"), items.join("、")),
    ];
    facts.extend(file(object, language));
    facts
}

/// The corrected file, where there is one.
fn file(object: Option<&ObjectRef>, language: Language) -> Option<(&'static str, String)> {
    object.map(|object| {
        (
            language.pick("更正后的文件", "Corrected file"),
            format!("{}（{} B）{}", object.name, object.length, object.digest),
        )
    })
}
