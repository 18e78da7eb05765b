//! Evidence: taken from a node as a file, verified anywhere with the root's public key alone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sharing::docket::DocketId;
use sharing::ledger::evidence::MAX_EVIDENCE_JSON_BYTES;
use sharing::ledger::{EvidenceFile, Verdict};

use super::args::{public_key, read_bytes};
use super::client::Client;
use super::error::CliError;
use super::init::write_json;
use super::{Global, Output};
use crate::api::from_base64;
use crate::console::labels;
use crate::language::Language;

/// `guantong evidence`.
#[derive(Debug, clap::Subcommand)]
pub enum EvidenceCommand {
    /// 导出一个事项的证据文件 / export the evidence of one event
    Export {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketId,
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
}

#[derive(Serialize)]
struct Verified<'a> {
    verified: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
    record: Option<federation::core::Record>,
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
            let exported: Exported = Client::of(global, output.language())?
                .get(&format!("/evidence/{docket}/{sequence}"))?;
            let bytes = from_base64(&exported.bytes)
                .map_err(|error| CliError::fault(error.to_string(), error.to_string()))?;
            let evidence = sharing::ledger::Evidence::decode(&bytes)
                .map_err(|error| CliError::fault(error.to_string(), error.to_string()))?;
            let file = EvidenceFile::new(evidence);
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
            let evidence = read.into_evidence().map_err(|error| not_proved(&error))?;
            let verdict = evidence.verify(&root).map_err(|error| not_proved(&error))?;
            let record =
                identity::codec::decode(&evidence.record, identity::codec::MAX_ENCODED).ok();
            output.print(
                &Verified {
                    verified: true,
                    verdict: &verdict,
                    record,
                },
                |language| lines(&verdict, language),
            );
            Ok(())
        }
    }
}

fn not_proved(error: &sharing::ledger::EvidenceError) -> CliError {
    CliError::new(
        super::Exit::NotAuthorised,
        format!("证据不成立：{error}"),
        format!("the evidence proves nothing: {error}"),
    )
    .advise(
        "核对文件是否完整、根公钥是否正确；向原节点或见证节点重新取得",
        "check the file and the root key; take it again from the node or a witness",
    )
}

fn lines(verdict: &Verdict, language: Language) -> String {
    let mut text = format!(
        "{}\n{} {}（{}）\n{} {} / {}\n{} {}\n",
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
