//! What a requester could join, in the words of operators.

use sharing::aggregation::{Exposure, Risk};

use super::clock::Facts;
use crate::language::Language;

/// What goes along with an application; nothing where there is no risk.
pub fn facts(risk: Option<&Risk>, language: Language) -> Facts {
    let Some(risk) = risk else {
        return Vec::new();
    };
    let pick = |zh, en| language.pick(zh, en);
    let mut facts = vec![
        (
            pick("汇聚风险", "Risk of aggregation"),
            level(&risk.exposure, language),
        ),
        (pick("可关联", "Can be joined"), joined(&risk.exposure)),
    ];
    if let Some(person) = risk.consent.as_ref().and_then(|act| act.signer.holder()) {
        let who = format!("{}（{}）", person.name, person.department);
        facts.push((pick("主管部门同意", "The authority's consent"), who));
    }
    facts
}

/// The level, the sum and the rules.
pub fn level(exposure: &Exposure, language: Language) -> String {
    let hits: Vec<String> = exposure
        .hits
        .iter()
        .map(|hit| format!("{}（{}，{}）", hit.name, hit.weight, hit.article))
        .collect();
    let level = language.pick(exposure.level.zh(), exposure.level.en());
    format!("{level} {}：{}", exposure.score, hits.join("、"))
}

/// The entries that can be joined, and over what.
pub fn joined(exposure: &Exposure) -> String {
    let entries: Vec<String> = exposure
        .entries
        .iter()
        .map(|it| format!("{}（{}）", it.entry.as_str(), it.items.join("、")))
        .collect();
    let more = match exposure.left_out {
        0 => String::new(),
        left_out => format!(" +{left_out}"),
    };
    format!("{}{more}；{}", entries.join("，"), exposure.keys.join("，"))
}
