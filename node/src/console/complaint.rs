//! Complaints of the public in the words of operators.

use sharing::clock::Debtor;
use sharing::complaint::{ComplaintEvent, ComplaintPhase, ComplaintState};
use statute::Article;

use super::clock::{Facts, limit};
use super::open_data::stated;
use crate::language::Language;

/// Where a complaint stands.
pub fn phase(phase: &ComplaintPhase, language: Language) -> String {
    match phase {
        ComplaintPhase::Waiting { with } => format!(
            "{}{}",
            language.pick("待处理：", "to be dealt with by "),
            whom(with, language)
        ),
        ComplaintPhase::Answered { .. } => language.pick("已答复", "answered").to_owned(),
    }
}

/// Whether it needs nothing more.
pub fn tone(phase: &ComplaintPhase) -> &'static str {
    match phase {
        ComplaintPhase::Waiting { .. } => "warn",
        ComplaintPhase::Answered { .. } => "ok",
    }
}

/// What it is about, in a line that says nothing of who complains.
pub fn subject(complaint: &ComplaintState) -> String {
    match complaint.about() {
        Some(department) => format!("{} · {department}", complaint.place.code()),
        None => complaint.place.code().to_string(),
    }
}

/// What happened, in Chinese and in English, and under which article.
pub fn name(event: &ComplaintEvent) -> (&'static str, &'static str, Article) {
    let (zh, en) = match event {
        ComplaintEvent::Received { .. } => ("收到投诉举报", "complaint received"),
        ComplaintEvent::PassedOn { .. } => ("转办", "passed on"),
        ComplaintEvent::Answered { .. } => ("答复投诉举报", "complaint answered"),
    };
    (zh, en, Article::R37)
}

/// What an event says beyond its name.
pub fn facts(event: &ComplaintEvent, language: Language) -> Facts {
    let pick = |zh, en| language.pick(zh, en);
    match event {
        ComplaintEvent::Received { intake, term, .. } => {
            let mut facts = stated(intake.request.statement(), language);
            if let Some(department) = intake.request.complained_of() {
                facts.push((
                    pick("被投诉单位代码", "Department's code"),
                    department.to_string(),
                ));
            }
            facts.extend(
                term.iter()
                    .map(|term| (pick("处理期限", "Due"), limit(term, language))),
            );
            facts
        }
        ComplaintEvent::PassedOn { to, note, .. } => {
            let mut facts = vec![(pick("转", "To"), whom(to, language))];
            facts.extend(note.map(|note| (pick("说明", "Note"), note.to_string())));
            facts
        }
        ComplaintEvent::Answered { answer, .. } => vec![(pick("答复", "Answer"), answer.clone())],
    }
}

fn whom(with: &Debtor, language: Language) -> String {
    let node = with.node().code();
    match with {
        Debtor::Department(party) => format!("{node} {}", party.department),
        Debtor::Authority(_) => {
            format!("{node} {}", language.pick("主管部门", "the authority"))
        }
        Debtor::Government(_) => {
            format!("{node} {}", language.pick("人民政府", "the government"))
        }
    }
}
