//! What is said of security incidents, in the words of operators.

use sharing::incident::{
    IncidentAct, IncidentEvent, IncidentPhase, IncidentReport, IncidentState, IncidentStep, Measure,
};
use statute::{Article, IncidentField};

use super::clock::Facts;
use super::labels;
use crate::language::Language;

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &IncidentEvent) -> (&'static str, &'static str, Article) {
    match event {
        IncidentEvent::Reported { .. } => REPORTED,
        IncidentEvent::Stepped { step, .. } => step_name(step),
    }
}

/// What an event says beyond its name.
pub fn facts(event: &IncidentEvent, language: Language) -> Facts {
    match event {
        IncidentEvent::Reported { place, report, .. } => {
            let at = (language.pick("发生节点", "Happened at"), place.to_string());
            std::iter::once(at)
                .chain(report_facts(report, language))
                .collect()
        }
        IncidentEvent::Stepped { step, .. } => step_facts(step, language),
    }
}

/// What an act does, in Chinese and in English.
pub fn act_name(act: &IncidentAct) -> (&'static str, &'static str) {
    let (zh, en, _) = match act {
        IncidentAct::Report(_) => REPORTED,
        IncidentAct::Step { step, .. } => step_name(step),
    };
    (zh, en)
}

/// What an act says.
pub fn act_facts(act: &IncidentAct, language: Language) -> Facts {
    match act {
        IncidentAct::Report(report) => report_facts(report, language),
        IncidentAct::Step { step, .. } => step_facts(step, language),
    }
}

const REPORTED: (&str, &str, Article) = ("报告安全事件", "incident reported", Article::R35);

fn step_name(step: &IncidentStep) -> (&'static str, &'static str, Article) {
    let (zh, en) = match step {
        IncidentStep::StartPlan { .. } => ("启动应急预案", "plan started"),
        IncidentStep::Contain(Measure::SuspendGrants { .. }) => (
            "暂停共享权限，防止危害扩大",
            "grants suspended to contain it",
        ),
        IncidentStep::Contain(Measure::CutOff { .. }) => ("断开节点", "node cut off"),
        IncidentStep::Contain(Measure::KeysRotated { .. }) => ("更换节点密钥", "keys rotated"),
        IncidentStep::Contain(Measure::Other { .. }) => ("采取应急处置措施", "measure taken"),
        IncidentStep::Progress { .. } => ("报告处置进展", "progress reported"),
        IncidentStep::Acknowledge { .. } => (
            "上级签收并提出意见",
            "acknowledged and instructed from above",
        ),
        IncidentStep::Close { .. } => ("消除隐患，办结", "danger removed, closed"),
    };
    (zh, en, Article::R35)
}

fn field(field: IncidentField, text: &str, language: Language) -> (&'static str, String) {
    (language.pick(field.zh(), field.en()), text.to_owned())
}

fn report_facts(report: &IncidentReport, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    let mut facts = vec![
        field(IncidentField::Happened, &report.happened, language),
        (pick("发现时间", "Noticed"), labels::time(report.noticed)),
        (
            pick("事件级别", "Severity"),
            pick(report.severity.zh(), report.severity.en()).to_owned(),
        ),
        (
            pick("所涉数据级别", "Grade of the data"),
            pick(report.grade.zh(), report.grade.en()).to_owned(),
        ),
    ];
    let dockets = report.dockets.iter();
    let dockets = dockets.map(|it| format!("{}（{}）", it.docket.0.short(), it.home.code()));
    listed(&mut facts, pick("所涉案卷", "Dockets concerned"), dockets);
    let entries = report.entries.iter().map(ToString::to_string);
    listed(&mut facts, pick("所涉目录", "Entries concerned"), entries);
    facts
}

fn listed(facts: &mut Facts, name: &'static str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        facts.push((name, items.join("、")));
    }
}

fn step_facts(step: &IncidentStep, language: Language) -> Facts {
    match step {
        IncidentStep::StartPlan { plan } => vec![field(IncidentField::Plan, plan, language)],
        IncidentStep::Contain(measure) => measure_facts(measure, language),
        IncidentStep::Progress { text } => vec![field(IncidentField::Progress, text, language)],
        IncidentStep::Acknowledge { instructions } => {
            vec![field(IncidentField::Instructions, instructions, language)]
        }
        IncidentStep::Close {
            cause,
            remedy,
            report,
        } => vec![
            field(IncidentField::Cause, cause, language),
            field(IncidentField::Remedy, remedy, language),
            field(IncidentField::Report, report, language),
        ],
    }
}

fn measure_facts(measure: &Measure, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match measure {
        Measure::SuspendGrants {
            grants,
            reasons,
            rectify_by,
        } => {
            let grants: Vec<String> = grants.iter().map(|it| it.0.short()).collect();
            vec![
                (pick("暂停的案卷", "Suspended"), grants.join("、")),
                (pick("理由", "Reasons"), reasons.clone()),
                (
                    pick("整改期限", "To be rectified by"),
                    labels::due(*rectify_by),
                ),
            ]
        }
        Measure::CutOff {
            node,
            serial,
            reason,
        } => vec![
            (pick("节点", "Node"), node.to_string()),
            (pick("证书序号", "Certificate"), serial.to_string()),
            (
                pick("原因", "Reason"),
                labels::revocation(*reason, language).to_owned(),
            ),
        ],
        Measure::KeysRotated { node, serial } => vec![
            (pick("节点", "Node"), node.to_string()),
            (pick("新证书序号", "New certificate"), serial.to_string()),
        ],
        Measure::Other { what } => vec![field(IncidentField::Measure, what, language)],
    }
}

/// Where an incident stands.
pub fn phase(phase: &IncidentPhase, language: Language) -> &'static str {
    match phase {
        IncidentPhase::Reported => language.pick(
            "已报告，待启动应急预案",
            "reported, the plan is to be started",
        ),
        IncidentPhase::Responding { .. } => language.pick("应急处置中", "being dealt with"),
        IncidentPhase::Closed => language.pick("已办结", "closed"),
    }
}

/// Whether it needs nothing more.
pub fn tone(phase: &IncidentPhase) -> &'static str {
    match phase {
        IncidentPhase::Reported => "bad",
        IncidentPhase::Responding { .. } => "warn",
        IncidentPhase::Closed => "ok",
    }
}

/// Where it happened, and how severe it is.
pub fn subject(state: &IncidentState) -> String {
    let report = &state.report;
    format!(
        "{} · {} · {}",
        state.place.code(),
        report.severity.zh(),
        report.grade.zh()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::Moment;
    use statute::{Grade, Severity};

    #[test]
    fn a_report_says_when_how_severe_and_of_which_grade() {
        let report = IncidentReport {
            happened: "数据库被非法访问".into(),
            noticed: Moment::default(),
            severity: Severity::Major,
            grade: Grade::Important,
            dockets: Vec::new(),
            entries: Vec::new(),
        };
        let told = act_facts(&IncidentAct::Report(report), Language::Chinese);
        let told: Vec<String> = told
            .into_iter()
            .map(|(name, it)| name.to_owned() + &it)
            .collect();
        assert_eq!(
            told,
            [
                "事件情况数据库被非法访问",
                "发现时间1970-01-01 08:00:00",
                "事件级别重大",
                "所涉数据级别重要数据"
            ]
        );
    }
}
