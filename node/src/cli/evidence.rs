//! Evidence: taken from a node as a file, verified anywhere with the root's public key alone.

use std::path::PathBuf;

use federation::core::Record;
use identity::{Signed, codec};
use serde::{Deserialize, Serialize};
use sharing::docket::{DocketEvent, MAX_EVENT_BYTES};
use sharing::ledger::evidence::{
    ContentBytes, EVIDENCE_FORMAT, MAX_EVIDENCE_JSON_BYTES, Said, SaidError, Shown,
};
use sharing::ledger::{Evidence, EvidenceError, EvidenceFile, ProofError, Verdict};
use sharing::private::Private;
use statute::Article;

use super::args::{DocketArg, public_key, read_bytes};
use super::client::Client;
use super::docket::private;
use super::error::CliError;
use super::init::write_json;
use super::{Global, Output};
use crate::api::from_base64;
use crate::api::private::ContentView;
use crate::console::labels;
use crate::language::Language;

/// `guantong evidence`.
#[derive(Debug, clap::Subcommand)]
pub enum EvidenceCommand {
    /// 导出一个事项的证据文件 / export the evidence of one event
    Export {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 事项序号，从 0 起 / number of the event, from 0
        #[arg(long)]
        sequence: u32,
        /// 证据文件 / the file
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// 离线核验证据文件 / verify an evidence file offline
    Verify {
        /// 证据文件 / the file
        file: PathBuf,
        /// 根公钥或其文件 / the root's public key or a file that holds it
        #[arg(long)]
        root: String,
    },
}

#[derive(Deserialize)]
struct Exported {
    bytes: String,
    event: String,
    erasures: Vec<String>,
}

impl Exported {
    /// The file of an event: the evidence, what the event says, and the personal content in it that is still kept.
    fn file(self, contents: &[ContentView]) -> Result<EvidenceFile, CliError> {
        let bytes = |text: &str| {
            from_base64(text).map_err(|error| CliError::fault(error.to_string(), error.to_string()))
        };
        let fault =
            |error: &dyn std::fmt::Display| CliError::fault(error.to_string(), error.to_string());
        let evidence = Evidence::decode(&bytes(&self.bytes)?).map_err(|error| fault(&error))?;
        let event = |text: &str| -> Result<Signed<DocketEvent>, CliError> {
            codec::decode(&bytes(text)?, MAX_EVENT_BYTES * 2).map_err(|error| fault(&error))
        };
        let event_said = event(&self.event)?;
        let committed = event_said
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| fault(&error))?;
        let committed = committed.body.private();
        let mut kept = Vec::new();
        for content in contents {
            let said = committed.iter().any(|it| it.digest == content.digest);
            if let Some(text) = content.bytes.as_ref().filter(|_| said) {
                kept.push(ContentBytes(bytes(text)?));
            }
        }
        let erasures = self
            .erasures
            .iter()
            .map(|text| event(text))
            .collect::<Result<_, _>>()?;
        let said = Said {
            event: event_said,
            contents: kept,
            erasures,
        };
        Ok(EvidenceFile::of_event(evidence, said))
    }
}

#[derive(Serialize)]
struct Verified<'a> {
    verified: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
    record: Option<&'a Record>,
    personal: &'a [(Private, Shown)],
}

pub(super) fn run(
    global: &Global,
    command: EvidenceCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        EvidenceCommand::Export {
            docket,
            sequence,
            out,
        } => {
            let docket = docket.resolve(global, output)?;
            let client = Client::of(global, output.language())?;
            let exported: Exported = client.get(&format!("/evidence/{docket}/{sequence}"))?;
            // Whoever may not read personal content has the evidence without it.
            let contents = private(&client, &docket).unwrap_or_default();
            let file = exported.file(&contents)?;
            write_json(&out, &file)?;
            output.print(&serde_json::json!({ "file": out }), |language| {
                format!(
                    "{} {}",
                    language.pick("证据已写入", "the evidence is in"),
                    out.display()
                )
            });
            Ok(())
        }
        EvidenceCommand::Verify { file, root } => {
            let root = public_key(&root)?;
            let text = read_bytes(&file, MAX_EVIDENCE_JSON_BYTES as u64)?;
            let read: EvidenceFile =
                serde_json::from_slice(&text).map_err(|error| CliError::file(&file, error))?;
            let (evidence, said) = read.into_evidence().map_err(|error| not_proved(&error))?;
            let verdict = evidence.verify(&root).map_err(|error| not_proved(&error))?;
            let record: Option<Record> = codec::decode(&evidence.record, codec::MAX_ENCODED).ok();
            let shown = said
                .map(|said| shown_by(&said, &evidence, record.as_ref()))
                .transpose()
                .map_err(|error| not_said(&error))?
                .unwrap_or_default();
            output.print(
                &Verified {
                    verified: true,
                    verdict: &verdict,
                    record: record.as_ref(),
                    personal: &shown,
                },
                |language| {
                    let proved = record.as_ref().map(|record| proved(record, language));
                    let proved = proved.unwrap_or_default() + &personal(&shown, language);
                    lines(&verdict, &proved, language)
                },
            );
            Ok(())
        }
    }
}

/// What came of the personal content in the event that the record names.
fn shown_by(
    said: &Said,
    evidence: &Evidence,
    record: Option<&Record>,
) -> Result<Vec<(Private, Shown)>, SaidError> {
    let Some(Record::Event { body, home, .. }) = record else {
        return Err(SaidError::AnotherEvent);
    };
    let node = evidence.chain.claimed().ok();
    let key = node
        .filter(|node| node.place == *home)
        .map(|node| node.signing_key);
    said.verify(body, key.as_ref())
}

/// The personal content in an event, in words: what was said, or that it was lawfully erased.
fn personal(shown: &[(Private, Shown)], language: Language) -> String {
    let mut text = String::new();
    for (private, shown) in shown {
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
        text += &format!("{label} {private} {what}\n");
    }
    text
}

fn not_said(error: &SaidError) -> CliError {
    let zh = match error {
        SaidError::TooMany => "所附内容多于一个行为所能承诺的",
        SaidError::AnotherEvent => "所附事项不是账本记录所指的事项",
        SaidError::Malformed => "所附事项无法解读",
        SaidError::AnotherContent => "所附个人内容与承诺值不符",
        SaidError::AnotherErasure => "所附删除决定不属于该案卷",
    };
    CliError::new(
        super::Exit::NotAuthorised,
        format!("证据所附内容不成立：{zh}"),
        format!("what is beside the evidence is not what was said: {error}"),
    )
}

fn not_proved(error: &EvidenceError) -> CliError {
    CliError::new(
        super::Exit::NotAuthorised,
        format!("证据不成立：{}", chinese(error)),
        format!("the evidence proves nothing: {error}"),
    )
    .advise(
        "核对文件是否完整、根公钥是否正确；向原节点或见证节点重新取得",
        "check the file and the root key; take it again from the node or a witness",
    )
}

/// Why evidence proves nothing, in Chinese.
fn chinese(error: &EvidenceError) -> String {
    match error {
        EvidenceError::Codec(error) => error.to_string(),
        EvidenceError::Format { found } => format!("文件格式是“{found}”，应为“{EVIDENCE_FORMAT}”"),
        EvidenceError::TooLong { what, found, limit } => {
            format!("{what} 有 {found} 项，上限 {limit}")
        }
        EvidenceError::NotAMember(error) => format!("节点签署时不是成员：{error}"),
        EvidenceError::Checkpoint(error) => format!("检查点不是该节点所签：{error}"),
        EvidenceError::Inclusion(error) => match error {
            ProofError::Outside => "记录不在账本中：证明所指的位置超出账本".to_owned(),
            ProofError::Length => "记录不在账本中：证明的长度不对".to_owned(),
            ProofError::OldRoot | ProofError::Root => {
                "记录不在账本中：由证明算不出账本的根".to_owned()
            }
        },
        EvidenceError::CosignerNotAMember { by, error } => format!("{by} 会签时不是成员：{error}"),
        EvidenceError::CosignerWrongChain { by } => format!("{by} 的会签所附证书链属于其他节点"),
        EvidenceError::Cosignature { by } => format!("{by} 的会签无效"),
        EvidenceError::NotAWitness { by } => format!("{by} 既不是上级，也不是证书列明的见证节点"),
        EvidenceError::CosignedBefore { by } => format!("{by} 的会签早于检查点"),
        EvidenceError::CosignedTwice { by } => format!("{by} 会签了两次"),
    }
}

/// What the record says: its kind, the docket, the person, the time, each where it has one.
fn proved(record: &Record, language: Language) -> String {
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
        Record::Call { docket, call, .. } => {
            text += &format!(
                "\n{} {docket}\n{} {call}",
                language.pick("案卷", "docket"),
                language.pick("调用", "call"),
            );
        }
        Record::Fetched { docket, .. }
        | Record::SeenOverdue { docket, .. }
        | Record::TimeDoubted { docket, .. }
        | Record::TimeBorneOut { docket, .. } => {
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
        "SeenOverdue" => ("逾期（本节点所见）", "overdue as this node saw it"),
        "TimeDoubted" => ("时间存疑", "time in doubt"),
        "TimeBorneOut" => ("时间得到印证", "time borne out"),
        "Destroyed" => ("已销毁个人内容", "personal content destroyed"),
        "NotTaken" => ("未被受理的个人内容", "personal content of an act not taken"),
        "Event" => ("案卷事项", "event of a docket"),
        "Act" => ("受理的行为", "act accepted"),
        "Refused" => ("依法拒绝", "lawful refusal"),
        "Served" => ("向收方提供文件", "file served"),
        "Fetched" => ("取得文件", "file fetched"),
        "Call" => ("服务接口调用", "call of a service"),
        "Delivery" => ("回流批次", "delivery of a return flow"),
        "NoticeTaken" => ("节假日安排通知生效", "holiday notice in force"),
        "Certified" => ("签发下级证书", "child certified"),
        "Revoked" => ("撤销证书", "certificate revoked"),
        "Installed" => ("装入证书链", "chain installed"),
        "Finding" => ("发现的问题", "finding"),
        "Read" => ("查阅", "reading"),
        other => return other,
    };
    language.pick(zh, en)
}

fn lines(verdict: &Verdict, proved: &str, language: Language) -> String {
    let mut text = format!(
        "{}\n{proved}{} {}（{}）\n{} {} / {}\n{} {}\n",
        language.pick("证据成立", "the evidence holds"),
        language.pick("账本", "ledger of"),
        verdict.name,
        verdict.node,
        language.pick("第", "leaf"),
        verdict.index,
        verdict.size,
        language.pick("检查点时间", "checkpoint of"),
        labels::time(verdict.at),
    );
    for cosigner in &verdict.cosigned {
        text += &format!(
            "{} {}（{}）{}\n",
            language.pick("会签", "cosigned by"),
            cosigner.name,
            cosigner.by,
            labels::time(cosigner.at)
        );
    }
    if verdict.cosigned.is_empty() {
        text += language.pick(
            "尚无会签：时间仅为该节点自述",
            "not cosigned: the time is the node's own claim",
        );
    }
    text
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
        let text = proved(&record, Language::Chinese);
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
