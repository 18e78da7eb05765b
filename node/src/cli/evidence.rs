//! Evidence: taken from a node as a file, verified anywhere with the root's public key alone.

mod telling;

use std::path::PathBuf;

use federation::core::Record;
use federation::evidence::{
    DOCKET_EVIDENCE_FORMAT, DocketEvidence, DocketEvidenceError, DocketEvidenceFile, DocketVerdict,
    MAX_DOCKET_EVIDENCE_JSON_BYTES,
};
use identity::{VerifyKey, codec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sharing::ledger::evidence::{ContentBytes, EVIDENCE_FORMAT, MAX_RECORD_BYTES};
use sharing::ledger::{Evidence, EvidenceError, EvidenceFile, Verdict};

use super::args::{DocketArg, public_key, read_bytes, write};
use super::client::Client;
use super::docket::private;
use super::error::{CliError, Exit};
use super::{Global, Output};
use crate::api::from_base64;
use crate::api::private::ContentView;
use crate::language::Language;

/// `guantong evidence`.
#[derive(Debug, clap::Subcommand)]
pub enum EvidenceCommand {
    /// 导出案卷或账本记录的证据文件 / export the evidence of a docket or of a ledger record
    Export {
        /// 何者的证据 / of what
        #[command(flatten)]
        of: Of,
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

/// What the evidence is of: one of the two.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Of {
    /// 案卷（全部事项）/ a docket with all its events
    #[arg(long)]
    docket: Option<DocketArg>,
    /// 账本记录的序号，从 0 起 / number of a ledger record, from 0
    #[arg(long, value_name = "INDEX")]
    record: Option<u64>,
}

#[derive(Deserialize)]
struct Exported {
    bytes: String,
}

/// What an evidence file was found to prove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Proved {
    /// A docket: who did what, when and in which order.
    Docket(Box<DocketVerdict>),
    /// One ledger record.
    Record {
        /// Where it stands, and who attests it.
        #[serde(flatten)]
        verdict: Box<Verdict>,
        /// What it says; none when this program does not know its kind.
        record: Option<Box<Record>>,
    },
}

#[derive(Serialize)]
struct Verified<'a> {
    verified: bool,
    #[serde(flatten)]
    proved: &'a Proved,
}

pub(super) fn run(
    global: &Global,
    command: EvidenceCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        EvidenceCommand::Export { of, out } => {
            let client = Client::of(global, output.language())?;
            let bytes = match (of.docket, of.record) {
                (Some(docket), _) => {
                    let docket = docket.resolve(global, output)?;
                    let mut evidence: DocketEvidence =
                        exported(&client, &format!("/evidence/dockets/{docket}"))?;
                    // Whoever may not read personal content has the evidence without it. What records of use say comes with the evidence itself.
                    let contents = private(&client, &docket).unwrap_or_default();
                    evidence.contents.extend(kept(&contents)?);
                    file_of(&DocketEvidenceFile::new(evidence))
                }
                (None, index) => {
                    let index = index.unwrap_or_default();
                    let evidence: Evidence =
                        exported(&client, &format!("/evidence/ledger/{index}"))?;
                    file_of(&EvidenceFile::new(evidence))
                }
            };
            write(&out, &bytes)?;
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
            let bytes = read_bytes(&file, MAX_DOCKET_EVIDENCE_JSON_BYTES as u64)?;
            let proved = &examine(&bytes, &root)?;
            let verified = Verified {
                verified: true,
                proved,
            };
            output.print(&verified, |language| telling::told(proved, language));
            Ok(())
        }
    }
}

/// The personal content that is still kept.
fn kept(contents: &[ContentView]) -> Result<Vec<ContentBytes>, CliError> {
    let bytes = contents.iter().filter_map(|content| content.bytes.as_ref());
    bytes
        .map(|text| {
            let decoded = from_base64(text);
            decoded
                .map(ContentBytes)
                .map_err(|error| CliError::of_both(Exit::Fault, &error))
        })
        .collect()
}

fn exported<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T, CliError> {
    let exported: Exported = client.get(path)?;
    let fault = |error: String| CliError::fault(error.clone(), error);
    let bytes = from_base64(&exported.bytes).map_err(|error| fault(error.to_string()))?;
    codec::decode(&bytes, codec::MAX_ENCODED).map_err(|error| fault(error.to_string()))
}

/// The one form in which evidence is written: what is read has to be these very bytes.
pub fn file_of(evidence: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(evidence).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Deserialize)]
struct Form {
    format: String,
}

/// What the bytes of an evidence file prove under the root key.
///
/// # Errors
/// A [`CliError`] that says why they prove nothing: they are not as they were exported, or something in them does not hold.
pub fn examine(bytes: &[u8], root: &VerifyKey) -> Result<Proved, CliError> {
    let form: Form = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    if form.format == DOCKET_EVIDENCE_FORMAT {
        let not_proved = |error: DocketEvidenceError| {
            let (zh, en) = (telling::docket_defect(&error), error.to_string());
            not_proved(&zh, &en)
        };
        let file: DocketEvidenceFile = as_written(bytes)?;
        let evidence = file.into_evidence().map_err(not_proved)?;
        let verdict = evidence.verify(root).map_err(not_proved)?;
        return Ok(Proved::Docket(Box::new(verdict)));
    }
    let not_proved = |error: EvidenceError| not_proved(&chinese(&error), &error.to_string());
    let file: EvidenceFile = as_written(bytes)?;
    let evidence = file.into_evidence().map_err(not_proved)?;
    let verdict = evidence.verify(root).map_err(not_proved)?;
    Ok(Proved::Record {
        verdict: Box::new(verdict),
        record: codec::decode(&evidence.record, MAX_RECORD_BYTES).ok(),
    })
}

/// What a file says in words, for tests and for whoever shows it elsewhere.
pub fn told(proved: &Proved, language: Language) -> String {
    telling::told(proved, language)
}

/// A file as it was exported, to the byte: nothing in it is passed over, not even a space.
fn as_written<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<T, CliError> {
    let file: T = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
    if file_of(&file) != bytes {
        return Err(not_proved(
            "文件不是导出时的原样",
            "the file is not as it was exported",
        ));
    }
    Ok(file)
}

fn unreadable(error: &serde_json::Error) -> CliError {
    not_proved(
        &format!("文件无法解读：{error}"),
        &format!("the file is unreadable: {error}"),
    )
}

fn not_proved(zh: &str, en: &str) -> CliError {
    CliError::new(
        Exit::NotAuthorised,
        format!("证据不成立：{zh}"),
        format!("the evidence proves nothing: {en}"),
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
        EvidenceError::Inclusion(error) => {
            format!("记录不在账本中：{}", telling::proof(*error))
        }
        EvidenceError::CosignerNotAMember { by, error } => format!("{by} 会签时不是成员：{error}"),
        EvidenceError::CosignerWrongChain { by } => format!("{by} 的会签所附证书链属于其他节点"),
        EvidenceError::Cosignature { by } => format!("{by} 的会签无效"),
        EvidenceError::NotAWitness { by } => format!("{by} 既不是上级，也不是证书列明的见证节点"),
        EvidenceError::CosignedBefore { by } => format!("{by} 的会签早于检查点"),
        EvidenceError::CosignedTwice { by } => format!("{by} 会签了两次"),
    }
}
