//! What the clock of a docket recorded, in the words of operators.

use sharing::clock::{ClockEvent, Debtor, Term};
use statute::{Article, Duty};

use super::labels;
use crate::language::Language;

/// Name and content of each point worth showing.
pub type Facts = Vec<(&'static str, String)>;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &ClockEvent) -> (&'static str, &'static str, Article) {
    match event {
        ClockEvent::Warned { duty, .. } => ("临近到期", "due soon", duty.article()),
        ClockEvent::Overdue { duty, .. } => ("逾期", "overdue", duty.article()),
        ClockEvent::Recomputed { duty, .. } => {
            ("重新计算期限", "time limit computed again", duty.article())
        }
        ClockEvent::ExtensionAsked { duty, .. } => {
            ("申请延长期限", "extension asked for", duty.article())
        }
        ClockEvent::Extended { duty, .. } => ("同意延长期限", "extended", duty.article()),
        ClockEvent::ExtensionRefused { duty, .. } => {
            ("不同意延长期限", "extension refused", duty.article())
        }
        ClockEvent::Justified { .. } => ("说明正当理由", "justification stated", Article::R39_4),
        ClockEvent::BreachFound { article, .. } => ("认定违反规定", "breach found", *article),
    }
}

/// What an event says beyond its name.
pub fn facts(event: &ClockEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let duty = |duty: &Duty| (pick("义务", "Duty"), pick(duty.zh(), duty.en()).to_owned());
    let due = |term: &Term| (pick("期限", "Due"), limit(term, language));
    let grounds = |text: &String| (pick("理由", "Grounds"), text.clone());
    match event {
        ClockEvent::Warned {
            duty: it, due: at, ..
        } => vec![duty(it), (pick("期限", "Due"), labels::due(*at))],
        ClockEvent::Overdue {
            duty: it,
            due: at,
            who,
            ..
        } => vec![
            duty(it),
            (pick("期限", "Due"), labels::due(*at)),
            (pick("义务人", "Owed by"), debtor(who, language)),
        ],
        ClockEvent::Recomputed { duty: it, term } | ClockEvent::Extended { duty: it, term, .. } => {
            vec![duty(it), due(term)]
        }
        ClockEvent::ExtensionAsked {
            duty: it,
            days,
            grounds: why,
            ..
        } => vec![
            duty(it),
            (pick("工作日", "Working days"), days.to_string()),
            grounds(why),
        ],
        ClockEvent::ExtensionRefused {
            duty: it,
            grounds: why,
            ..
        }
        | ClockEvent::Justified {
            duty: it,
            grounds: why,
            ..
        } => vec![duty(it), grounds(why)],
        ClockEvent::BreachFound {
            duty: it,
            article,
            order,
            ..
        } => vec![
            duty(it),
            (pick("依据", "Under"), labels::cite(*article, language)),
            (pick("责令改正案卷", "Order"), order.0.short()),
        ],
    }
}

/// A time limit as shown: the last moment, and whether it waits for a holiday notice.
pub fn limit(term: &Term, language: Language) -> String {
    let due = labels::due(term.due);
    if term.provisional {
        format!("{due}{}", language.pick("（暂定）", " (provisional)"))
    } else {
        due
    }
}

/// Who owes a duty.
pub fn debtor(who: &Debtor, language: Language) -> String {
    match who {
        Debtor::Department(party) => party.department.to_string(),
        Debtor::Authority(node) => {
            format!("{} {}", node.code(), language.pick("主管部门", "authority"))
        }
        Debtor::Government(node) => {
            format!(
                "{} {}",
                node.code(),
                language.pick("人民政府", "government")
            )
        }
    }
}
