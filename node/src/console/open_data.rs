//! Applications for opening in the words of operators, and what the public wrote.

use sharing::open_data::{OpenAnswer, OpenDataEvent, OpenPhase};
use sharing::public::{PublicRequest, PublicStatement};
use statute::Article;

use super::clock::{Facts, limit};
use crate::language::Language;

/// Where an application stands.
pub fn phase(phase: &OpenPhase, language: Language) -> &'static str {
    match phase {
        OpenPhase::Received { .. } => language.pick("待答复", "awaiting the reply"),
        OpenPhase::Answered { answer, .. } => match answer {
            OpenAnswer::Opened { .. } => language.pick("同意开放", "opened"),
            OpenAnswer::Refused { .. } => language.pick("不同意开放", "not opened"),
        },
    }
}

/// Whether it needs nothing more.
pub fn tone(phase: &OpenPhase) -> &'static str {
    match phase {
        OpenPhase::Received { .. } => "warn",
        OpenPhase::Answered { .. } => "ok",
    }
}

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &OpenDataEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        OpenDataEvent::Received { .. } => ("收到数据开放申请", "application for opening received"),
        OpenDataEvent::Answered { answer, .. } => match answer {
            OpenAnswer::Opened { .. } => ("答复：同意开放", "answered: opened"),
            OpenAnswer::Refused { .. } => (
                "答复：不同意开放并说明理由",
                "answered: not opened, with reasons",
            ),
        },
    };
    (zh, en, Article::S26)
}

/// What an event says beyond its name.
pub fn facts(event: &OpenDataEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match event {
        OpenDataEvent::Received {
            intake,
            entry_name,
            term,
            ..
        } => {
            let mut facts = match &intake.request {
                PublicRequest::OpenData { entry, form, .. } => vec![
                    (pick("目录条目", "Entry"), format!("{entry} {entry_name}")),
                    (
                        pick("答复形式", "Form of the reply"),
                        pick(form.zh(), form.en()).to_owned(),
                    ),
                ],
                PublicRequest::Complaint { .. } => Vec::new(),
            };
            facts.push((pick("答复期限", "Reply due"), limit(term, language)));
            facts.extend(stated(intake.request.statement(), language));
            facts
        }
        OpenDataEvent::Answered { form, answer, .. } => {
            let mut facts = answered(answer, language);
            facts.push((
                pick("答复形式", "Form of the reply"),
                pick(form.zh(), form.en()).to_owned(),
            ));
            facts
        }
    }
}

fn answered(answer: &OpenAnswer, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match answer {
        OpenAnswer::Opened { how, object } => {
            let mut facts = vec![(pick("获取方式", "How it is had"), how.clone())];
            facts.extend(object.as_ref().map(|object| {
                (
                    pick("文件", "File"),
                    format!("{}（{} B）{}", object.name, object.length, object.digest),
                )
            }));
            facts
        }
        OpenAnswer::Refused { reasons } => vec![(pick("理由", "Reasons"), reasons.clone())],
    }
}

/// That somebody of the public wrote, each text by its commitment; what they left out is not shown.
pub fn stated(statement: &PublicStatement, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let PublicStatement {
        name,
        contact,
        subject,
        text,
    } = statement;
    let said = [
        (pick("称呼", "Name"), name),
        (pick("联系方式", "Contact"), contact),
        (pick("对象", "About"), subject),
        (pick("陈述", "Statement"), text),
    ];
    said.into_iter()
        .filter_map(|(name, text)| text.map(|text| (name, text.to_string())))
        .collect()
}
