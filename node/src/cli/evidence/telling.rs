//! What evidence proves, in plain words: who, what, when, in which order, attested by whom, and what it does not prove.

use std::fmt::Write as _;

use federation::core::Record;
use federation::evidence::{Attestation, DocketEvidenceError, DocketVerdict, ProvedEvent};
use identity::{Certificate, Code, Moment};
use sharing::act::{MAX_ACT_BYTES, SignedAct};
use sharing::ledger::evidence::{Relation, Shown};
use sharing::ledger::{Cosigner, ProofError, Verdict};
use statute::Article;

use super::{Proved, chinese};
use crate::console::{event_facts, labels};
use crate::language::Language;
use crate::person::describe;

/// What a file proves.
pub(super) fn told(proved: &Proved, language: Language) -> String {
    match proved {
        Proved::Docket(verdict) => docket(verdict, language),
        Proved::Record { verdict, record } => one_record(verdict, record.as_deref(), language),
    }
}

fn docket(verdict: &DocketVerdict, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let case = &verdict.state.case;
    let mut text = format!(
        "{}\n{} {}：{} {}（{}）\n{}：{}\n{}：{}\n",
        pick("证据成立", "the evidence holds"),
        pick("案卷", "docket"),
        verdict.docket,
        labels::docket_kind(case, language),
        labels::docket_subject(case),
        labels::docket_phase(case, language),
        pick("主办节点，排定次序并签署", "home, which ordered and signed"),
        line(&verdict.home, language),
        pick("账本属于", "ledger of"),
        line(&verdict.ledger, language),
    );
    for proved in &verdict.events {
        text += &event(proved, verdict, language);
    }
    text += &personal(verdict, language);
    text += &format!("\n{}\n", pick("会签", "cosigned"));
    for checkpoint in &verdict.checkpoints {
        text += &attestation(checkpoint, language);
    }
    text + &limits(verdict, language)
}

/// The personal content that the events commit to, in words: what was said, or that it was lawfully erased.
fn personal(verdict: &DocketVerdict, language: Language) -> String {
    let mut text = String::new();
    for (private, shown) in &verdict.personal {
        let what = match shown {
            Shown::Text(said) => said.clone(),
            Shown::Erased { home, at, ground } => format!(
                "{}（{}，{}，{}，{home}）",
                language.pick("已依法删除", "lawfully erased"),
                labels::time(*at),
                language.pick(ground.zh(), ground.en()),
                labels::cite(Article::P47, language),
            ),
            Shown::Withheld => language.pick("未随证据附上", "not in the file").to_owned(),
        };
        let label = language.pick("个人内容", "personal content");
        let _ = writeln!(text, "{label} {private}：{what}");
    }
    text
}

/// One event: what, by whom, when.
fn event(proved: &ProvedEvent, verdict: &DocketVerdict, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let event = &proved.event;
    let (what, article) = labels::event(&event.body, language);
    let cited = labels::cite(article, language);
    let mut text = format!("\n#{} {what}（{cited}）\n", event.sequence);
    let mut say = |label: &str, said: &str| {
        let _ = writeln!(text, "    {label}：{said}");
    };
    for act in event.body.acts() {
        say(pick("何人", "who"), &signer(act, verdict, language));
        if let Ok(said) = act.act.claimed(MAX_ACT_BYTES) {
            let summary = describe::summary(&said);
            say(pick("何事", "what"), summary.in_language(language));
            say(
                pick("本人所记时间", "by the signer's own clock"),
                &labels::time(said.at),
            );
        }
    }
    for (label, fact) in event_facts(&event.body, language) {
        say(label, &fact);
    }
    let home = format!(
        "{}；{}",
        labels::time(event.at),
        match language {
            Language::Chinese =>
                format!("案卷第 {} 项，账本第 {} 条", event.sequence, proved.index),
            Language::English => format!(
                "event {} of the docket, record {} of the ledger",
                event.sequence, proved.index
            ),
        }
    );
    say(pick("主办节点所记时间", "by the home's clock"), &home);
    say(
        pick("何时入账", "when recorded"),
        &interval(proved, verdict, language),
    );
    text
}

/// Between which checkpoints an event was recorded.
fn interval(proved: &ProvedEvent, verdict: &DocketVerdict, language: Language) -> String {
    let named = |place: usize| {
        let checkpoint = verdict.checkpoints.get(place);
        checkpoint.map(|it| (it.size, labels::time(it.at)))
    };
    let mut parts = Vec::new();
    if let Some((size, at)) = proved.after.and_then(named) {
        parts.push(match language {
            Language::Chinese => format!("在 {size} 条的检查点（该节点自述 {at}）之后"),
            Language::English => {
                format!("after the checkpoint of {size} records (its own clock: {at})")
            }
        });
    }
    let later = verdict.checkpoints.get(proved.within..).unwrap_or_default();
    let first = later
        .iter()
        .flat_map(|it| &it.cosigned)
        .min_by_key(|it| it.at);
    parts.push(match (first, language) {
        (Some(by), Language::Chinese) => {
            format!(
                "不迟于 {}（{} {} 会签）",
                labels::time(by.at),
                by.name,
                by.by.code()
            )
        }
        (Some(by), Language::English) => format!(
            "not later than {} (cosigned by {} {})",
            labels::time(by.at),
            by.name,
            by.by.code()
        ),
        (None, Language::Chinese) => "尚无会签：时间仅为该节点自述".to_owned(),
        (None, Language::English) => "not cosigned: the time is the node's own claim".to_owned(),
    });
    parts.join(language.pick("，", ", "))
}

/// Who signed: name, role, department, and the line of the node that answers for the person.
fn signer(act: &SignedAct, verdict: &DocketVerdict, language: Language) -> String {
    let Some(person) = act.signer.holder() else {
        return language.pick("无法解读", "unreadable").to_owned();
    };
    let vouched = match proved_line(verdict, person.node) {
        Some(certificates) => line(certificates, language),
        None => match language {
            Language::Chinese => format!(
                "节点 {}（其证书链不在文件中，此人身份仅由主办节点担保）",
                person.node
            ),
            Language::English => format!(
                "node {} (its chain is not in the file: the home alone vouches for this person)",
                person.node
            ),
        },
    };
    format!(
        "{}，{}，{} {}；{vouched}",
        person.name,
        language.pick(person.role.zh(), person.role.en()),
        language.pick("部门", "department"),
        person.department,
    )
}

fn proved_line(verdict: &DocketVerdict, node: Code) -> Option<&Vec<Certificate>> {
    std::iter::once(&verdict.home)
        .chain(&verdict.members)
        .find(|line| line.last().is_some_and(|last| last.code() == node))
}

/// A node with all above it, up to the root that certified the hub.
fn line(certificates: &[Certificate], language: Language) -> String {
    let names: Vec<String> = certificates
        .iter()
        .rev()
        .map(|certificate| format!("{} {}", certificate.name, certificate.code()))
        .collect();
    format!("{} ← {}", names.join(" ← "), language.pick("根", "root"))
}

fn attestation(checkpoint: &Attestation, language: Language) -> String {
    let at = labels::time(checkpoint.at);
    let mut text = match language {
        Language::Chinese => format!("    {} 条的检查点，该节点自述 {at}", checkpoint.size),
        Language::English => format!(
            "    checkpoint of {} records, its own clock {at}",
            checkpoint.size
        ),
    };
    text += "\n";
    for cosigner in &checkpoint.cosigned {
        let _ = writeln!(text, "        {}", cosigned_by(cosigner, language));
    }
    if checkpoint.cosigned.is_empty() {
        let _ = writeln!(
            text,
            "        {}",
            language.pick("无会签", "cosigned by nobody")
        );
    }
    text
}

fn cosigned_by(cosigner: &Cosigner, language: Language) -> String {
    let (zh, en) = match cosigner.relation {
        Relation::Parent => ("上级，在其系统线内", "its parent, in its own line"),
        Relation::Witness => ("见证节点，在其系统线外", "a witness outside its line"),
        Relation::ChildOfHub => ("枢纽的下级", "a child of the hub"),
    };
    format!(
        "{} {}（{}）{}",
        cosigner.name,
        cosigner.by,
        language.pick(zh, en),
        labels::time(cosigner.at)
    )
}

/// What a docket's evidence leaves open.
fn limits(verdict: &DocketVerdict, language: Language) -> String {
    let last = verdict.events.len().saturating_sub(1);
    let (after_zh, after_en) = (
        format!("第 {last} 项之后没有别的事项：导出之后发生的不在其中"),
        format!("that nothing followed event {last}: what came after the export is not in it"),
    );
    let mut open = vec![
        language.pick(
            "各方所述属实：只证明其人签署了这些话",
            "that what people said is true: only that they signed it",
        ),
        language.pick(&after_zh, &after_en),
        language.pick(
            "所列文件的内容：须另取文件核对摘要",
            "the content of files named by digest: compare the digest of the file itself",
        ),
        language.pick(
            "各时钟准确：所记时间为自述，可确定的是次序与会签时间",
            "that any clock was right: times are claims, order and cosigning are not",
        ),
        language.pick(
            "证书此后未被撤销：只证明签署当时有效",
            "that no certificate was revoked since: only that it held when it was used",
        ),
    ];
    if verdict.checkpoints.iter().all(|it| it.cosigned.is_empty()) {
        open.push(language.pick(
            "账本未被该节点改写：尚无他人会签",
            "that the node did not rewrite its ledger: nobody else cosigned it",
        ));
    }
    listed(&open, language)
}

fn listed(open: &[&str], language: Language) -> String {
    let mut text = format!(
        "\n{}\n",
        language.pick("本证据不证明", "this does not prove")
    );
    for line in open {
        let _ = writeln!(text, "    {line}");
    }
    text
}

/// Why the evidence of a docket proves nothing, in Chinese.
pub(super) fn docket_defect(error: &DocketEvidenceError) -> String {
    match error {
        DocketEvidenceError::Format { found } => format!("文件格式是“{found}”"),
        DocketEvidenceError::Seal => "文件在导出后被改动".to_owned(),
        DocketEvidenceError::Length { what, found, limit } => {
            format!("{what} 有 {found} 项，应为或不超过 {limit}")
        }
        DocketEvidenceError::Checkpoint { number, error } => {
            format!("第 {number} 个检查点：{}", chinese(error))
        }
        DocketEvidenceError::Rewritten { number, error } => {
            format!("第 {number} 个检查点与前一个不衔接：{}", proof(*error))
        }
        DocketEvidenceError::Inclusion { sequence, error } => {
            format!("第 {sequence} 项不在账本中：{}", proof(*error))
        }
        DocketEvidenceError::AnotherRecord { sequence } => {
            format!("账本所载不是第 {sequence} 项，或次序不符")
        }
        DocketEvidenceError::TwoLedgers { sequence } => {
            format!("第 {sequence} 项所指的检查点不属于此账本")
        }
        DocketEvidenceError::Member { number, error } => {
            format!("签署人所在的第 {number} 个节点不是成员：{error}")
        }
        DocketEvidenceError::NobodySigned { number } => {
            format!("第 {number} 个节点无人签署或重复列出")
        }
        DocketEvidenceError::Content(_) => "所附个人内容与承诺值不符".to_owned(),
        DocketEvidenceError::Docket(error) => error.to_string(),
    }
}

/// What does not fit in a proof, in Chinese.
pub(super) fn proof(error: ProofError) -> &'static str {
    match error {
        ProofError::Outside => "证明所指的位置超出账本",
        ProofError::Length => "证明的长度不对",
        ProofError::OldRoot | ProofError::Root => "由证明算不出账本的根",
    }
}

fn one_record(verdict: &Verdict, found: Option<&Record>, language: Language) -> String {
    let pick = |zh, en| language.pick(zh, en);
    let mut text = format!(
        "{}\n{}{} {} {}\n{} {} / {}\n{} {}\n",
        pick("证据成立", "the evidence holds"),
        found
            .map(|found| record(found, language))
            .unwrap_or_default(),
        pick("账本", "ledger of"),
        verdict.name,
        verdict.node,
        pick("第", "record"),
        verdict.index,
        verdict.size,
        pick("检查点，该节点自述", "checkpoint, its own clock"),
        labels::time(verdict.at),
    );
    for cosigner in &verdict.cosigned {
        let by = cosigned_by(cosigner, language);
        let _ = writeln!(text, "{} {by}", pick("会签", "cosigned by"));
    }
    let first: Option<Moment> = verdict.cosigned.iter().map(|it| it.at).min();
    let _ = match first {
        Some(at) => writeln!(
            text,
            "{} {}",
            pick("入账不迟于", "recorded not later than"),
            labels::time(at)
        ),
        None => writeln!(
            text,
            "{}",
            pick(
                "尚无会签：时间仅为该节点自述",
                "not cosigned: the time is the node's own claim"
            )
        ),
    };
    let open = [
        pick(
            "记录所述属实：只证明该节点当时如此记载",
            "that what the record says is true: only that the node wrote it down then",
        ),
        pick(
            "以摘要列出的文书的内容：案卷请导出整卷证据",
            "the content of what it names by digest: for a docket export the docket",
        ),
    ];
    text + &listed(&open, language)
}

/// What the record says: its kind, the docket, the person, the time, each where it has one.
fn record(record: &Record, language: Language) -> String {
    let value = serde_json::to_value(record).unwrap_or_default();
    let kind = value
        .as_object()
        .and_then(|fields| fields.keys().next())
        .map_or("", String::as_str);
    let mut text = format!(
        "{} {}",
        language.pick("记录", "record"),
        record_kind(kind, language)
    );
    match record {
        Record::Event {
            docket,
            sequence,
            home,
            body,
            ..
        } => {
            text += &format!(
                "\n{} {docket} #{sequence}\n{} {home}\n{} {body}",
                language.pick("案卷", "docket"),
                language.pick("主办节点", "home"),
                language.pick("事项文书摘要", "digest of the signed event"),
            );
        }
        Record::Act { id, doer, .. } | Record::Refused { id, doer, .. } => {
            text += &format!(
                "\n{} {}（{}，{} {}）\n{} {}",
                language.pick("签署", "signed by"),
                doer.name,
                language.pick(doer.role.zh(), doer.role.en()),
                doer.node,
                doer.department,
                language.pick("行为", "act"),
                id.0,
            );
            if let Record::Refused { refusal, .. } = record {
                text += &format!("\n{}", language.pick(&refusal.zh(), &refusal.en()));
            }
        }
        Record::Served { docket, to, .. } => {
            text += &format!(
                "\n{} {docket}\n{} {to}",
                language.pick("案卷", "docket"),
                language.pick("收方", "to"),
            );
        }
        Record::Fetched { docket, .. } => {
            text += &format!("\n{} {docket}", language.pick("案卷", "docket"));
        }
        _ => {}
    }
    // Every record but a few of the machine's own bears the node's clock.
    let at = value.get(kind).and_then(|fields| fields.get("at"));
    if let Some(at) = at.and_then(|at| serde_json::from_value(at.clone()).ok()) {
        text += &format!(
            "\n{} {}",
            language.pick("记入时间", "recorded at"),
            labels::time(at)
        );
    }
    text + "\n"
}

/// The kind of a record in words; other kinds by their name.
fn record_kind(kind: &str, language: Language) -> &str {
    let (zh, en) = match kind {
        "Event" => ("案卷事项", "event of a docket"),
        "Act" => ("受理的行为", "act accepted"),
        "Refused" => ("依法拒绝", "lawful refusal"),
        "Served" => ("向收方提供文件", "file served"),
        "Fetched" => ("取得文件", "file fetched"),
        "Call" => ("服务接口调用", "call of a service"),
        "Read" => ("查阅", "reading"),
        "Destroyed" => ("已销毁个人内容", "personal content destroyed"),
        "NotTaken" => ("未被受理的个人内容", "personal content of an act not taken"),
        "SeenOverdue" => ("逾期（本节点所见）", "overdue as this node saw it"),
        "TimeDoubted" => ("时间存疑", "time in doubt"),
        "TimeBorneOut" => ("时间得到印证", "time borne out"),
        "Delivery" => ("回流批次", "delivery of a return flow"),
        "NoticeTaken" => ("节假日安排通知生效", "holiday notice in force"),
        "Certified" => ("签发下级证书", "child certified"),
        "Revoked" => ("撤销证书", "certificate revoked"),
        "Installed" => ("装入证书链", "chain installed"),
        "Finding" => ("发现的问题", "finding"),
        other => return other,
    };
    language.pick(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_proved_is_told_with_its_docket_and_time() {
        let record = Record::Event {
            docket: "ab".repeat(32).parse().unwrap(),
            sequence: 3,
            body: identity::Digest::object(b"x"),
            home: "100000/440000".parse().unwrap(),
            at: identity::Moment::from_millis(0),
        };
        let text = super::record(&record, Language::Chinese);
        for part in [
            "案卷事项",
            "abab",
            "#3",
            "100000/440000",
            "1970-01-01 08:00:00",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
