//! Personal content and its erasure in the words of operators.

use sharing::erasure::{Erased, ErasureEvent};
use statute::Article;

use super::clock::Facts;
use super::labels;
use crate::api::private::ContentView;
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &ErasureEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        ErasureEvent::Decided { .. } => ("决定删除个人内容", "erasure of personal content decided"),
        ErasureEvent::Destroyed { .. } => ("已销毁个人内容", "personal content destroyed"),
    };
    (zh, en, Article::P47)
}

/// What an event says beyond its name.
pub fn facts(event: &ErasureEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let (ErasureEvent::Decided { contents, .. } | ErasureEvent::Destroyed { contents, .. }) = event;
    let which = contents.iter().map(identity::Digest::short);
    let mut facts = vec![(
        pick("个人内容", "Contents"),
        which.collect::<Vec<_>>().join("、"),
    )];
    match event {
        ErasureEvent::Decided { ground, .. } => facts.push((
            pick("理由", "Ground"),
            pick(ground.zh(), ground.en()).to_owned(),
        )),
        ErasureEvent::Destroyed { by, at, .. } => {
            facts.push((pick("销毁节点", "By"), by.to_string()));
            facts.push((pick("销毁时间", "At"), labels::time(*at)));
        }
    }
    facts
}

/// What a docket's page shows of one content: its text, or that it was lawfully erased.
pub fn shown(content: &ContentView, language: Language) -> String {
    match (&content.erased, &content.text) {
        (Some(_), _) => standing(content, language),
        (None, Some(text)) => text.clone(),
        (None, None) => language
            .pick(
                "尚未取得，将继续获取；使用记录须经查阅",
                "not here yet, will be fetched; a record of use is read on record",
            )
            .to_owned(),
    }
}

/// Until when one content is kept, or that it was lawfully erased.
pub fn standing(content: &ContentView, language: Language) -> String {
    match (&content.erased, &content.erasable_from) {
        (Some(erased), _) => gone(erased, language),
        (None, Some(day)) => match language {
            Language::Chinese => format!("自{day}起可依法删除"),
            Language::English => format!("may be erased from {day} on"),
        },
        (None, None) => language
            .pick("事项尚未办结，不得删除", "the matter is open: it is kept")
            .to_owned(),
    }
}

fn gone(erased: &Erased, language: Language) -> String {
    let by = erased
        .destroyed
        .iter()
        .map(|(node, _)| node.code().to_string());
    let by = by.collect::<Vec<_>>().join("、");
    let (at, cited) = (
        labels::time(erased.at),
        labels::cite(Article::P47, language),
    );
    match language {
        Language::Chinese => format!(
            "已依法删除（{at}，{}，{cited}）；已销毁的节点：{by}",
            erased.ground.zh()
        ),
        Language::English => format!(
            "lawfully erased ({at}, {}, {cited}); destroyed at: {by}",
            erased.ground.en()
        ),
    }
}
