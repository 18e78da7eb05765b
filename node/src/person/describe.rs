//! What a person is about to sign, in words: a line that says what it does, and the document in full.

mod aggregation;
mod clock;
mod complaint;
mod correction;
mod erasure;
mod evaluation;
mod grant;
mod incident;
mod need;
mod node;
mod open_data;
mod reading;
mod source;
mod supervision;
mod update;

use identity::{Moment, Signed};
use sharing::act::{Act, ActBody};
use sharing::application::{Application, DirectAct, Material, Reply};
use sharing::catalogue::{EntryVersion, ReviewVerdict};
use sharing::evaluation::EvaluationAct;
use sharing::incident::IncidentAct;
use sharing::need::NeedAct;
use sharing::person::{MAX_PERSON_CERTIFICATE_BYTES, PersonCertificate};
use sharing::return_flow::{ReturnTable, Subscription};
use sharing::supervision::SupervisionAct;
use statute::ApplicationMaterial;

use crate::console::clock::Facts;
use crate::console::labels::{self, time};
use crate::language::{Language, Text};

/// Entries named in one line before the rest is counted.
const NAMED_ENTRIES: usize = 5;

/// One line: what is done, to what, at which node, under which article.
pub fn summary(act: &Act) -> Text {
    let kind = act.body.kind();
    let article = act.body.article();
    let Text { zh, en } = subject(&act.body);
    Text::new(
        format!(
            "【{}】{zh}（节点 {}，{}）",
            kind.zh(),
            act.node,
            article.cite_zh()
        ),
        format!(
            "[{}] {en} (node {}, {})",
            kind.en(),
            act.node,
            article.cite_en()
        ),
    )
}

/// The document in full, as JSON for reading.
pub fn document(act: &Act) -> String {
    serde_json::to_string_pretty(act).unwrap_or_else(|error| error.to_string())
}

fn subject(body: &ActBody) -> Text {
    match body {
        ActBody::EnrolPerson {
            certificate,
            department_name,
        } => enrolled(certificate, department_name),
        ActBody::CompileEntries { entries } => {
            let names: Vec<_> = entries
                .iter()
                .map(|entry| format!("{}《{}》", String::from(entry.id.clone()), entry.name))
                .collect();
            entries_text("编制目录条目", "compile", &names)
        }
        ActBody::ApproveEntries { entries } => {
            entries_text("同意目录条目", "approve", &versions(entries))
        }
        ActBody::SubmitEntries { entries } => {
            entries_text("报送目录条目", "submit", &versions(entries))
        }
        ActBody::ReviewEntries { entries, verdict } => reviewed(entries, verdict),
        ActBody::WithdrawEntry { entry, reason } => Text::new(
            format!("撤销目录条目 {}，理由：{reason}", version(entry)),
            format!("withdraw {}, because: {reason}", version(entry)),
        ),
        ActBody::Apply { application } => applied(application),
        ActBody::Subscribe(subscription) => subscribed(subscription),
        ActBody::ReturnTable { table } => returned(table),
        ActBody::CertifyMember {
            request,
            witnesses,
            valid_days,
        } => certified(request, witnesses, *valid_days),
        ActBody::RevokeMember {
            node,
            serial,
            reason,
        } => Text::new(
            format!(
                "撤销节点 {node} 的第 {serial} 号证书（{}）",
                labels::revocation(*reason, Language::Chinese)
            ),
            format!(
                "revoke certificate {serial} of node {node} ({})",
                labels::revocation(*reason, Language::English)
            ),
        ),
        ActBody::ConsentToApply { .. }
        | ActBody::TellMissing { .. }
        | ActBody::Supplement { .. }
        | ActBody::ProposeReply { .. }
        | ActBody::ConsentToReply { .. }
        | ActBody::Provide { .. }
        | ActBody::RecordUse { .. } => in_docket(body, &application_step(body)),
        ActBody::RaiseDispute { .. }
        | ActBody::Negotiate { .. }
        | ActBody::Coordinate { .. }
        | ActBody::AnswerOpinion { .. }
        | ActBody::Decide { .. }
        | ActBody::Comply { .. } => in_docket(body, &dispute_step(body)),
        ActBody::Clock(act) => in_docket(body, &clock::step(act)),
        ActBody::Direct(act) => direct(act),
        ActBody::Node(act) => node::done(act),
        ActBody::Update(act) => update::act(act),
        ActBody::Source(act) => source::act(act),
        ActBody::Correction(act) => correction::step(act),
        ActBody::Erasure(act) => in_docket(body, &erasure::step(act)),
        ActBody::Supervision(act @ SupervisionAct::Order(_)) => supervision::step(act),
        ActBody::Supervision(act) => in_docket(body, &supervision::step(act)),
        ActBody::Need(act @ NeedAct::Report(_)) => need::act(act),
        ActBody::Need(act) => in_docket(body, &need::act(act)),
        ActBody::Incident(act @ IncidentAct::Report(_)) => incident::act(act),
        ActBody::Incident(act) => in_docket(body, &incident::act(act)),
        ActBody::Evaluation(act @ EvaluationAct::Report(_)) => evaluation::act(act),
        ActBody::Evaluation(act) => in_docket(body, &evaluation::act(act)),
        ActBody::Aggregation(act) => aggregation::act(act),
        ActBody::Grant(act) => in_docket(body, &grant::step(&act.step)),
        ActBody::Reading(act) => reading::act(act),
        ActBody::OpenData(act) => open_data::act(act),
        ActBody::Complaint(act) => in_docket(body, &complaint::step(act)),
    }
}

/// What is done, by its name, then all that is said of it.
fn listing((zh, en): (&str, &str), facts: impl Fn(Language) -> Facts) -> Text {
    let told = |name: &str, (mark, colon): (&str, &str), language| {
        let facts = facts(language).into_iter();
        let facts: String = facts
            .map(|(fact, text)| format!("{mark}{fact}{colon}{text}"))
            .collect();
        format!("{name}{facts}")
    };
    Text::new(
        told(zh, ("；", "："), Language::Chinese),
        told(en, ("; ", ": "), Language::English),
    )
}

/// A step with the docket it is taken in.
fn in_docket(body: &ActBody, what: &Text) -> Text {
    let docket = body
        .docket()
        .map(|docket| docket.0.short())
        .unwrap_or_default();
    Text::new(
        format!("案卷 {docket}：{}", what.zh),
        format!("docket {docket}: {}", what.en),
    )
}

/// A step of an application, up to the use of what was provided.
fn application_step(body: &ActBody) -> Text {
    match body {
        ActBody::ConsentToApply { document, .. } => Text::new(
            format!("同意提出申请，文书摘要 {document}"),
            format!("consent to the application {document}"),
        ),
        ActBody::TellMissing { missing, .. } => {
            let items = missing.iter().map(|item| (item.kind, item.what.as_str()));
            let Text { zh, en } = listed(items);
            Text::new(
                format!("一次性告知补充：{zh}"),
                format!("tell once what is missing: {en}"),
            )
        }
        ActBody::Supplement {
            materials, until, ..
        } => {
            let Text { zh, en } = stated(materials, *until);
            Text::new(format!("补充材料：{zh}"), format!("supplement: {en}"))
        }
        ActBody::ProposeReply { reply, .. } => replied(reply),
        ActBody::ConsentToReply { document, .. } => Text::new(
            format!("同意所拟答复，文书摘要 {document}"),
            format!("consent to the reply {document}"),
        ),
        ActBody::Provide { object, .. } => Text::new(
            format!(
                "提供文件 {}（{} 字节，{}）",
                object.name, object.length, object.digest
            ),
            format!(
                "provide {} ({} bytes, {})",
                object.name, object.length, object.digest
            ),
        ),
        ActBody::RecordUse { record, .. } => Text::new(
            format!("记录使用：{}", record.said),
            format!("record a use: {}", record.said),
        ),
        other => Text::new(other.kind().zh(), other.kind().en()),
    }
}

/// What needs no application.
fn direct(act: &DirectAct) -> Text {
    match act {
        DirectAct::Take { application } => {
            let Text { zh, en } = stated(&application.materials, application.until);
            let (node, entry) = (&application.provider_node, application.entry.as_str());
            Text::new(
                format!("直接获取 {node} 的 {entry}：{zh}"),
                format!("take {entry} of {node} directly: {en}"),
            )
        }
        DirectAct::Place { entry, object } => Text::new(
            format!(
                "将 {} 的文件 {}（{} 字节，{}）存放于共享平台",
                version(entry),
                object.name,
                object.length,
                object.digest
            ),
            format!(
                "place {} ({} bytes, {}) of {} on the platform",
                object.name,
                object.length,
                object.digest,
                version(entry)
            ),
        ),
    }
}

/// A step of a dispute.
fn dispute_step(body: &ActBody) -> Text {
    match body {
        ActBody::RaiseDispute { claim, .. } => Text::new(
            format!("提出争议：{claim}"),
            format!("raise a dispute: {claim}"),
        ),
        ActBody::Negotiate { step, .. } => Text::new(
            format!("协商（{:?}）：{}", step.outcome, step.statement),
            format!("negotiate ({:?}): {}", step.outcome, step.statement),
        ),
        ActBody::Coordinate { opinion, .. } => Text::new(
            format!("协调意见：{}；依据：{}", opinion.proposal, opinion.grounds),
            format!(
                "coordination opinion: {}; grounds: {}",
                opinion.proposal, opinion.grounds
            ),
        ),
        ActBody::AnswerOpinion {
            accepted, grounds, ..
        } => Text::new(
            format!(
                "{}协调意见：{grounds}",
                if *accepted { "接受" } else { "不接受" }
            ),
            format!(
                "{} the opinion: {grounds}",
                if *accepted { "accept" } else { "reject" }
            ),
        ),
        ActBody::Comply { statement, .. } => Text::new(
            format!("报告执行决定的情况：{statement}"),
            format!("report how the decision was carried out: {statement}"),
        ),
        ActBody::Decide { decision, .. } => Text::new(
            format!(
                "决定：{}；依据：{}；执行期限 {}",
                decision.holding,
                decision.grounds,
                time(decision.comply_by)
            ),
            format!(
                "decide: {}; grounds: {}; to be complied with by {}",
                decision.holding,
                decision.grounds,
                time(decision.comply_by)
            ),
        ),
        other => Text::new(other.kind().zh(), other.kind().en()),
    }
}

fn enrolled(certificate: &Signed<PersonCertificate>, department: &str) -> Text {
    match certificate.claimed(MAX_PERSON_CERTIFICATE_BYTES) {
        Ok(person) => Text::new(
            format!(
                "登记 {department} {} 为{}，任期至 {}",
                person.name,
                person.role.zh(),
                time(person.term_until)
            ),
            format!(
                "enrol {} of {department} as {} until {}",
                person.name,
                person.role.en(),
                time(person.term_until)
            ),
        ),
        Err(_) => Text::new(
            "登记人员（证书无法解读）",
            "enrol a person (the certificate is unreadable)",
        ),
    }
}

fn reviewed(entries: &[EntryVersion], verdict: &ReviewVerdict) -> Text {
    match verdict {
        ReviewVerdict::Publish => entries_text("审核通过并发布", "publish", &versions(entries)),
        ReviewVerdict::Return { reason } => {
            let Text { zh, en } = entries_text("退回", "return", &versions(entries));
            Text::new(
                format!("{zh}，理由：{reason}"),
                format!("{en}, because: {reason}"),
            )
        }
    }
}

fn subscribed(subscription: &Subscription) -> Text {
    let Subscription {
        source,
        origin,
        dataset,
        area,
        schedule,
    } = subscription;
    let dataset = dataset.as_str();
    let (of, whose) = if source == origin {
        (String::new(), String::new())
    } else {
        (
            format!("（数源 {origin}）"),
            format!(", whose source is {origin},"),
        )
    };
    Text::new(
        format!("向 {source} 订阅数据集 {dataset}{of} 中 {area} 数据的回流，周期 {schedule}"),
        format!(
            "subscribe to the return flow of {dataset}{whose} from {source}: the rows of {area}, {schedule}"
        ),
    )
}

fn returned(table: &ReturnTable) -> Text {
    let settled = table.assigned.iter();
    let settled: Vec<_> = settled.map(|it| format!("{}→{}", it.code, it.to)).collect();
    let (zh, en) = if settled.is_empty() {
        (String::new(), String::new())
    } else {
        let list = settled.join("、");
        (format!("，归属认定 {list}"), format!(", assigned: {list}"))
    };
    Text::new(
        format!(
            "回流数据集 {}：{}，{} 行，按“{}”列分区划{zh}",
            table.dataset.as_str(),
            table.table.name,
            table.source_rows,
            table.division_column
        ),
        format!(
            "return dataset {}: {}, {} rows, split by column {}{en}",
            table.dataset.as_str(),
            table.table.name,
            table.source_rows,
            table.division_column
        ),
    )
}

/// What was stated, one kind of material after the other, the period of use last.
fn stated(materials: &[Material], until: Option<Moment>) -> Text {
    let period = until.map(time);
    let texts = materials.iter().map(|m| (m.kind, m.text.as_str()));
    let period = period
        .as_deref()
        .map(|it| (ApplicationMaterial::Period, it));
    listed(texts.chain(period))
}

fn listed<'a>(items: impl Iterator<Item = (ApplicationMaterial, &'a str)>) -> Text {
    let (zh, en): (Vec<_>, Vec<_>) = items
        .map(|(kind, text)| {
            (
                format!("{}：{text}", kind.zh()),
                format!("{}: {text}", kind.en()),
            )
        })
        .unzip();
    Text::new(zh.join("；"), en.join("; "))
}

fn versions(entries: &[EntryVersion]) -> Vec<String> {
    entries.iter().map(version).collect()
}

fn version(entry: &EntryVersion) -> String {
    format!(
        "{} v{}（{}）",
        String::from(entry.id.clone()),
        entry.version,
        entry.digest.short()
    )
}

fn entries_text(zh: &str, en: &str, names: &[String]) -> Text {
    let count = names.len();
    let named = names
        .iter()
        .take(NAMED_ENTRIES)
        .cloned()
        .collect::<Vec<_>>()
        .join("、");
    let more = if count > NAMED_ENTRIES { "…" } else { "" };
    Text::new(
        format!("{zh} {count} 条：{named}{more}"),
        format!("{en} {count} entries: {named}{more}"),
    )
}

fn applied(application: &Application) -> Text {
    let entry = String::from(application.entry.clone());
    let items = application.items.join("、");
    let Text { zh, en } = stated(&application.materials, application.until);
    Text::new(
        format!(
            "{} 向 {} 申请 {entry} 的 {items}（{}）；{zh}",
            application.requester_name,
            application.provider_node.code(),
            application.method.zh()
        ),
        format!(
            "{} applies to {} for {items} of {entry} ({}); {en}",
            application.requester_name,
            application.provider_node.code(),
            application.method.en()
        ),
    )
}

fn replied(reply: &Reply) -> Text {
    match reply {
        Reply::Grant { terms } => Text::new(
            format!(
                "拟同意共享 {}，用途：{}，使用至 {}，{}",
                terms.items.join("、"),
                terms.purpose,
                time(terms.until),
                terms.method.zh()
            ),
            format!(
                "would grant {} for {} until {}, {}",
                terms.items.join(", "),
                terms.purpose,
                time(terms.until),
                terms.method.en()
            ),
        ),
        Reply::Refuse { reasons, basis } => Text::new(
            format!("拟不予共享，理由：{reasons}；依据：{basis}"),
            format!("would refuse because: {reasons}; basis: {basis}"),
        ),
    }
}

fn certified(
    request: &identity::Signed<identity::EnrolmentRequest>,
    witnesses: &[identity::Code],
    valid_days: u16,
) -> Text {
    let named = witnesses
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("、");
    let (named_zh, named_en) = match witnesses {
        [] => ("未列明", "none"),
        _ => (named.as_str(), named.as_str()),
    };
    match identity::EnrolmentRequest::verify(request) {
        Ok(asked) => Text::new(
            format!(
                "为 {}（{}）签发节点证书，{valid_days} 天，见证节点 {named_zh}；签名公钥 {}",
                asked.name, asked.code, asked.signing_key
            ),
            format!(
                "certify {} ({}) for {valid_days} days, witnesses {named_en}; signing key {}",
                asked.name, asked.code, asked.signing_key
            ),
        ),
        Err(error) => Text::new(
            format!("签发节点证书（申请无效：{error}）"),
            format!("certify a node (the request is invalid: {error})"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::{Code, Digest, Moment};
    use sharing::docket::DocketId;

    #[test]
    fn the_summary_says_what_is_done_where_and_under_which_article() {
        let docket = DocketId(Digest::from_bytes([0xab; 32]));
        let body = ActBody::RaiseDispute {
            docket,
            claim: "拒绝理由不成立".into(),
        };
        let act = Act {
            nonce: [0; 16],
            at: Moment::default(),
            node: Code::HUB,
            body,
        };
        let text = summary(&act);
        assert_eq!(
            &*text.zh,
            "【提出争议】案卷 abababab：提出争议：拒绝理由不成立（节点 100000，《政务数据共享条例》第二十八条）"
        );
        assert!(text.en.contains("raise a dispute") && text.en.contains("Art. 28"));
        assert!(document(&act).contains("拒绝理由不成立"));
    }
}
