//! What became of a grant, in the words of operators.

use sharing::application::{Access, Application, GrantEvent, GrantStep, ServiceChange, Standing};
use statute::purpose::{listed_uses, uses_not_listed};
use statute::{Article, ClassTerms};

use super::clock::Facts;
use super::labels;
use crate::language::Language;

/// What is done, in Chinese and in English, and under which article.
pub fn name(step: &GrantStep) -> (&'static str, &'static str, Article) {
    match step {
        GrantStep::AskWidening { .. } => ("申请扩大使用", "wider use asked for", Article::R25),
        GrantStep::AnswerWidening { consents: true, .. } => {
            ("同意扩大使用", "wider use consented to", Article::R25)
        }
        GrantStep::AnswerWidening {
            consents: false, ..
        } => ("不同意扩大使用", "wider use refused", Article::R25),
        GrantStep::Suspend { .. } => (
            "暂停共享权限，限期整改",
            "access suspended, rectification ordered",
            Article::R27,
        ),
        GrantStep::ReportRectified { .. } => {
            ("报告整改情况", "rectification reported", Article::R27)
        }
        GrantStep::Restore { .. } => ("恢复共享权限", "access restored", Article::R27),
        GrantStep::Terminate { .. } => ("终止共享", "sharing terminated", Article::R27),
        GrantStep::RequireDisposal { .. } => ("要求处置数据", "disposal required", Article::R27),
        GrantStep::Dispose { .. } => ("处置数据", "data disposed of", Article::R27),
        GrantStep::ProposeChange {
            what: ServiceChange::End,
            ..
        } => (
            "提出终止服务",
            "the end of the service proposed",
            Article::R27,
        ),
        GrantStep::ProposeChange {
            what: ServiceChange::Change,
            ..
        } => (
            "提出变更服务",
            "a change of the service proposed",
            Article::R27,
        ),
        GrantStep::AnswerChange { agrees: true, .. } => (
            "协商：同意",
            "negotiated: the requester agrees",
            Article::R27,
        ),
        GrantStep::AnswerChange { agrees: false, .. } => (
            "协商：不同意",
            "negotiated: the requester does not agree",
            Article::R27,
        ),
        GrantStep::FileChange => ("终止或者变更服务备案", "taken on file", Article::R27),
        GrantStep::CarryOutChange => ("终止或者变更服务", "carried out", Article::R27),
    }
}

/// What an application asks for, beside its items: each material, the period, and which of its scenarios the catalogue does not list.
pub fn asked(application: &Application, catalogued: &ClassTerms, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let mut facts: Facts = application
        .materials
        .iter()
        .map(|it| (pick(it.kind.zh(), it.kind.en()), it.text.clone()))
        .collect();
    let until = application.until;
    facts.extend(until.map(|it| (pick("使用时限至", "To be used until"), labels::due(it))));
    let scenarios = application.scenarios();
    let unlisted = uses_not_listed(catalogued, &scenarios);
    if !unlisted.is_empty() {
        let listed = listed_uses(catalogued).join("；");
        let note = pick(
            "未逐字列入目录的使用用途，是否属于其中由提供部门审核",
            "not word for word among the uses that the catalogue lists; whether it falls under one is for the provider to find",
        );
        facts.push((
            pick("用途提示", "Note on the use"),
            format!("“{}”{note}（{listed}）", unlisted.join("”“")),
        ));
    }
    facts
}

/// What an event in the life of a grant says beyond its name: for a suspension its article, and what breach it means.
pub fn event(event: &GrantEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let mut facts = facts(&event.step, language);
    if let GrantStep::Suspend { .. } = event.step {
        let cited = event.suspended_under();
        let cite = |article: &Article| match language {
            Language::Chinese => article.cite_zh(),
            Language::English => article.cite_en(),
        };
        let cited: Vec<_> = cited.iter().map(cite).collect();
        facts.insert(0, (pick("依据", "Under"), cited.join(pick("、", ", "))));
    }
    if let Some(term) = &event.provide {
        facts.push((
            pick("提供期限", "To be provided by"),
            super::clock::limit(term, language),
        ));
    }
    facts
}

/// What a step says beyond its name.
pub fn facts(step: &GrantStep, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let reasons = |text: &String| (pick("理由", "Reasons"), text.clone());
    match step {
        GrantStep::AskWidening { wider, grounds } => {
            let recipients: Vec<_> = wider.recipients.iter().map(ToString::to_string).collect();
            let mut facts = vec![
                (pick("增加数据项", "Further items"), wider.items.join("、")),
                (
                    pick("增加用途", "Further purposes"),
                    wider.purposes.join("；"),
                ),
                (
                    pick("使用至", "Until"),
                    wider.until.map(labels::due).unwrap_or_default(),
                ),
                (
                    pick("提供给第三方", "To be passed on to"),
                    recipients.join("、"),
                ),
                reasons(grounds),
            ];
            facts.retain(|(_, text)| !text.is_empty());
            facts
        }
        GrantStep::AnswerWidening { reasons: text, .. } | GrantStep::Restore { reasons: text }
            if text.is_empty() =>
        {
            Facts::new()
        }
        GrantStep::AnswerWidening { reasons: text, .. }
        | GrantStep::Restore { reasons: text }
        | GrantStep::Terminate { reasons: text }
        | GrantStep::ProposeChange { reasons: text, .. } => vec![reasons(text)],
        GrantStep::Suspend {
            reasons: text,
            rectify_by,
        } => vec![
            reasons(text),
            (pick("整改期限", "Rectify by"), labels::due(*rectify_by)),
        ],
        GrantStep::ReportRectified { statement } | GrantStep::AnswerChange { statement, .. } => {
            vec![(pick("陈述", "Statement"), statement.clone())]
        }
        GrantStep::RequireDisposal { how, by } => vec![
            (pick("处置方式", "How"), how.clone()),
            (pick("处置期限", "By"), labels::due(*by)),
        ],
        GrantStep::Dispose { how, certificate } => vec![
            (pick("处置方式", "How"), how.clone()),
            (
                pick("处置证明", "Certificate of disposal"),
                certificate.clone(),
            ),
        ],
        GrantStep::FileChange | GrantStep::CarryOutChange => Facts::new(),
    }
}

/// Where a grant stands, where that is worth a word.
pub(super) fn standing(standing: &Standing, language: Language) -> &'static str {
    let pick = |zh, en| language.pick(zh, en);
    match &standing.access {
        Access::InForce if standing.change.is_some() => {
            pick("拟终止或者变更服务", "an end or change is proposed")
        }
        Access::InForce if standing.asked.is_some() => {
            pick("扩大使用待同意", "wider use awaits consent")
        }
        Access::InForce => "",
        Access::Suspended { .. }
        | Access::Rectified { .. }
        | Access::Terminated
        | Access::ServiceEnded
        | Access::Disposed => {
            let standing = standing.access.standing();
            pick(standing.zh(), standing.en())
        }
    }
}

/// How a grant that is not in force is shown.
pub(super) fn tone(access: &Access) -> &'static str {
    match access {
        Access::Suspended { .. } | Access::Rectified { .. } => "warn",
        Access::Terminated => "bad",
        Access::InForce | Access::ServiceEnded | Access::Disposed => "",
    }
}
