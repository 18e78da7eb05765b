//! What an event of a docket says beyond its name: who signed it, the terms, the reasons.

use sharing::act::{ActBody, SignedAct};
use sharing::application::{ApplicationEvent, GrantTerms, Provision};
use sharing::dispute::DisputeEvent;
use sharing::docket::{DocketBody, Fact};
use sharing::return_flow::ReturnFlowEvent;

use crate::console::clock::{self, Facts};
use crate::console::{
    aggregation, complaint, correction, erasure, evaluation, grant, incident, labels, need,
    open_data, reading, supervision, update,
};
use crate::language::Language;

/// The lines of an event, without indentation.
pub(super) fn details(body: &DocketBody, language: Language) -> Vec<String> {
    let mut lines = Lines {
        language,
        lines: Vec::new(),
    };
    match body {
        DocketBody::Application(event) => application(event, &mut lines),
        DocketBody::Dispute(event) => dispute(event, &mut lines),
        DocketBody::ReturnFlow(event) => return_flow(event, &mut lines),
        DocketBody::Clock(event) => lines.facts(&event.acts(), clock::facts(event, language)),
        DocketBody::Update(event) => lines.facts(&event.acts(), update::facts(event, language)),
        DocketBody::Correction(event) => {
            lines.facts(&event.acts(), correction::facts(event, language));
        }
        DocketBody::Supervision(event) => {
            lines.facts(&event.acts(), supervision::facts(event, language));
        }
        DocketBody::Need(event) => lines.facts(&event.acts(), need::facts(event, language)),
        DocketBody::Incident(event) => lines.facts(&event.acts(), incident::facts(event, language)),
        DocketBody::Inspection(event) => {
            lines.facts(&event.acts(), reading::facts(event, language));
        }
        DocketBody::Erasure(event) => lines.facts(&event.acts(), erasure::facts(event, language)),
        DocketBody::OpenData(event) => {
            lines.facts(&event.acts(), open_data::facts(event, language));
        }
        DocketBody::Complaint(event) => {
            lines.facts(&event.acts(), complaint::facts(event, language));
        }
        DocketBody::Evaluation(event) => {
            lines.facts(&event.acts(), evaluation::facts(event, language));
        }
    }
    lines.lines
}

struct Lines {
    language: Language,
    lines: Vec<String>,
}

impl Lines {
    fn pick(&self, zh: &'static str, en: &'static str) -> &'static str {
        self.language.pick(zh, en)
    }

    fn say(&mut self, zh: &'static str, en: &'static str, text: &str) {
        if !text.is_empty() {
            let line = match self.language {
                Language::Chinese => format!("{zh}：{text}"),
                Language::English => format!("{en}: {text}"),
            };
            self.lines.push(line);
        }
    }

    fn signed(&mut self, act: &SignedAct) {
        if let Some(person) = act.signer.holder() {
            let role = self.language.pick(person.role.zh(), person.role.en());
            let text = format!("{}（{role}，{}）", person.name, person.node);
            self.say("签署", "signed by", &text);
        }
    }

    fn facts(&mut self, acts: &[&SignedAct], facts: Facts) {
        for act in acts {
            self.signed(act);
        }
        for (name, text) in facts {
            self.say(name, name, &text);
        }
    }

    fn terms(&mut self, terms: &GrantTerms) {
        let method = self.language.pick(terms.method.zh(), terms.method.en());
        self.say("数据项", "items", &terms.items.join("、"));
        self.say("用途", "purpose", &terms.purpose);
        self.say("使用期限", "until", &labels::due(terms.until));
        self.say("共享方式", "method", method);
        self.say("使用条件", "conditions", &terms.conditions.join("；"));
    }
}

fn application(event: &ApplicationEvent, lines: &mut Lines) {
    match event {
        ApplicationEvent::Received {
            apply,
            consent,
            term,
            risk,
            entry,
            ..
        } => {
            lines.signed(apply);
            lines.signed(consent);
            if let Some(ActBody::Apply { application }) = apply.body() {
                let asked = grant::asked(&application, &entry.entry.terms, lines.language);
                lines.facts(&[], asked);
            }
            lines.facts(&[], aggregation::facts(risk.as_ref(), lines.language));
            lines.say("答复期限", "reply due", &clock::limit(term, lines.language));
        }
        ApplicationEvent::MissingTold { act, missing } => {
            lines.signed(act);
            for item in missing {
                let kind = lines.pick(item.kind.zh(), item.kind.en());
                lines.say("尚缺", "missing", &format!("{kind}（{}）", item.what));
            }
        }
        ApplicationEvent::Supplemented {
            act,
            materials,
            until,
            term,
        } => {
            lines.signed(act);
            for material in materials {
                let kind = lines.pick(material.kind.zh(), material.kind.en());
                lines.say("补充", "supplied", &format!("{kind}（{}）", material.text));
            }
            let until = until.map(labels::due).unwrap_or_default();
            lines.say("补充使用时限至", "supplied: to be used until", &until);
            lines.say("答复期限", "reply due", &clock::limit(term, lines.language));
        }
        ApplicationEvent::ReplyProposed { act, .. } => lines.signed(act),
        ApplicationEvent::Granted {
            consent,
            terms,
            term,
        } => {
            lines.signed(consent);
            lines.terms(terms);
            lines.say(
                "提供期限",
                "to be provided by",
                &clock::limit(term, lines.language),
            );
        }
        ApplicationEvent::Refused {
            consent,
            reasons,
            basis,
        } => {
            lines.signed(consent);
            lines.say("理由", "reasons", reasons);
            lines.say("依据", "legal basis", basis);
        }
        ApplicationEvent::Taken {
            act, terms, term, ..
        } => {
            lines.signed(act);
            lines.terms(terms);
            lines.say(
                "提供期限",
                "to be provided by",
                &clock::limit(term, lines.language),
            );
        }
        ApplicationEvent::Providing { by, object } => {
            if let Provision::Act(act) = by {
                lines.signed(act);
            }
            lines.say("文件", "file", &object.name);
        }
        ApplicationEvent::Provided { object, .. } => lines.say("文件", "file", &object.name),
        // What it says is given to whoever reads it by an act of reading alone (R29).
        ApplicationEvent::UseRecorded { act, .. } => lines.signed(act),
        ApplicationEvent::UsesRead { act, reader } => {
            lines.facts(&[act], reading::read_as(*reader, lines.language));
        }
        ApplicationEvent::DisputeRaised { act, claim } => {
            lines.signed(act);
            lines.say("主张", "claim", claim);
        }
        ApplicationEvent::Negotiated { act, step } => {
            lines.signed(act);
            lines.say("陈述", "statement", &step.statement);
        }
        ApplicationEvent::DisputeConcluded { dispute, outcome } => {
            lines.say("争议案卷", "dispute", &dispute.0.short());
            lines.say("结果", "outcome", outcome);
        }
        ApplicationEvent::CorrectionTold {
            correction: docket,
            items,
            object,
        } => {
            let told = correction::told(docket, items, object.as_ref(), lines.language);
            lines.facts(&[], told);
        }
        ApplicationEvent::Grant(event) => {
            lines.signed(&event.act);
            for (name, text) in grant::event(event, lines.language) {
                lines.say(name, name, &text);
            }
        }
    }
}

fn dispute(event: &DisputeEvent, lines: &mut Lines) {
    match event {
        DisputeEvent::Referred { about, .. } => {
            lines.say("申请案卷", "about docket", &about.0.short());
        }
        DisputeEvent::OpinionGiven {
            act,
            opinion,
            local,
        } => {
            lines.signed(act);
            if let Some(article) = local {
                let cited = lines
                    .language
                    .pick(&article.cite_zh(), &article.cite_en())
                    .to_owned();
                lines.say("同时依据", "also under", &cited);
            }
            lines.say("协调意见", "proposal", &opinion.proposal);
            lines.say("依据", "grounds", &opinion.grounds);
        }
        DisputeEvent::Answered {
            act,
            accepted,
            grounds,
            ..
        } => {
            lines.signed(act);
            let answer = match accepted {
                true => lines.pick("接受", "accepted"),
                false => lines.pick("不接受", "rejected"),
            };
            lines.say("答复", "answer", answer);
            lines.say("理由", "grounds", grounds);
        }
        DisputeEvent::Settled => {}
        DisputeEvent::Complied { act, statement, .. } => {
            lines.signed(act);
            lines.say("执行情况", "done", statement);
        }
        DisputeEvent::Decided { act, decision } => {
            lines.signed(act);
            lines.say("决定", "holding", &decision.holding);
            lines.say("依据", "grounds", &decision.grounds);
            let by = labels::due(decision.comply_by);
            lines.say("执行期限", "to be complied with by", &by);
        }
    }
}

fn return_flow(event: &ReturnFlowEvent, lines: &mut Lines) {
    match event {
        ReturnFlowEvent::Subscribed { act, .. } => lines.signed(act),
        ReturnFlowEvent::Delivering { delivery, .. } => {
            lines.say("批次", "delivery", &delivery.to_string());
        }
        ReturnFlowEvent::Delivered { delivery, rows, .. } => {
            lines.say("批次", "delivery", &delivery.to_string());
            lines.say("行数", "rows", &rows.to_string());
        }
        ReturnFlowEvent::Disputed { delivery, finding } => {
            lines.say("批次", "delivery", &delivery.to_string());
            lines.say("发现", "finding", finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_party_found_wanting_is_told() {
        let body = DocketBody::ReturnFlow(ReturnFlowEvent::Disputed {
            delivery: 3,
            finding: "少一行".into(),
        });
        assert_eq!(
            details(&body, Language::Chinese),
            ["批次：3", "发现：少一行"]
        );
        assert_eq!(details(&body, Language::English)[0], "delivery: 3");
    }
}
