//! What supervision recorded, in the words of operators.

use sharing::supervision::{Accused, Order, SupervisionEvent, SupervisionPhase, SupervisionState};
use statute::Article;

use super::clock;
use super::clock::Facts;
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &SupervisionEvent) -> (&'static str, &'static str, Article) {
    match event {
        SupervisionEvent::Ordered { order, .. } => ("责令改正", "correction ordered", order.breach),
        SupervisionEvent::Reported { .. } => ("报告改正情况", "correction reported", Article::R39),
        SupervisionEvent::Accepted { .. } => ("认可改正", "correction accepted", Article::R39),
        SupervisionEvent::Rejected { .. } => (
            "退回改正报告，另定期限",
            "report rejected, a new date",
            Article::R39,
        ),
        SupervisionEvent::Circulated { .. } => ("通报", "notice circulated", Article::R29),
        SupervisionEvent::Escalated { .. } => {
            ("建议给予处分", "discipline recommended", Article::R39)
        }
    }
}

/// What an event says beyond its name.
pub fn facts(event: &SupervisionEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let reasons = |text: &String| (pick("理由", "Reasons"), text.clone());
    match event {
        SupervisionEvent::Ordered {
            by,
            supervisor,
            order,
            term,
            ..
        } => {
            let mut facts = vec![
                (
                    pick("责令机关", "Ordered by"),
                    format!("{} {}", by.code(), pick(supervisor.zh(), supervisor.en())),
                ),
                (
                    pick("责任单位", "Against"),
                    accused(&order.against, language),
                ),
                (pick("认定事实", "Facts"), order.facts.clone()),
                (pick("责令事项", "To be done"), order.measures.clone()),
                (pick("改正期限", "By"), clock::limit(term, language)),
            ];
            if let Some(about) = &order.about {
                let duty = pick(about.duty.zh(), about.duty.en());
                let text = format!("{} {duty}", about.docket.0.short());
                facts.push((pick("所涉逾期", "About"), text));
            }
            facts
        }
        SupervisionEvent::Reported { done, .. } => {
            vec![(pick("改正情况", "What was done"), done.clone())]
        }
        SupervisionEvent::Accepted { .. } => Vec::new(),
        SupervisionEvent::Rejected {
            reasons: why, term, ..
        } => vec![
            reasons(why),
            (pick("改正期限", "By"), clock::limit(term, language)),
        ],
        SupervisionEvent::Circulated { text, to, .. } => {
            let to: Vec<String> = to.iter().map(|place| place.code().to_string()).collect();
            vec![
                (pick("通报内容", "Notice"), text.clone()),
                (pick("通报至", "To"), to.join("、")),
            ]
        }
        SupervisionEvent::Escalated {
            ground,
            reasons: why,
            ..
        } => vec![
            (
                pick("情形", "Ground"),
                pick(ground.zh(), ground.en()).to_owned(),
            ),
            reasons(why),
        ],
    }
}

/// Where an order stands.
pub fn phase(phase: &SupervisionPhase, language: Language) -> &'static str {
    match phase {
        SupervisionPhase::Ordered { .. } => language.pick("责令改正中", "to be corrected"),
        SupervisionPhase::Reported { .. } => {
            language.pick("已报告改正情况，待审查", "reported, to be judged")
        }
        SupervisionPhase::Closed => language.pick("已改正", "corrected"),
        SupervisionPhase::Escalated { .. } => {
            language.pick("已建议给予处分", "discipline recommended")
        }
    }
}

/// Whether it needs nothing more.
pub fn tone(phase: &SupervisionPhase) -> &'static str {
    match phase {
        SupervisionPhase::Ordered { .. } | SupervisionPhase::Reported { .. } => "warn",
        SupervisionPhase::Closed => "ok",
        SupervisionPhase::Escalated { .. } => "bad",
    }
}

/// Who is ordered, and for which breach.
pub fn subject(state: &SupervisionState) -> String {
    let Order {
        against, breach, ..
    } = &state.order;
    let who = accused(against, Language::Chinese);
    format!("{} → {who} · {breach}", state.by.code())
}

fn accused(against: &Accused, language: Language) -> String {
    clock::debtor(&against.debtor(), language)
}
