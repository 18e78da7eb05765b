//! Return flow: subscribing, publishing a snapshot, taking one's parts, verifying them offline (R24).

mod publish;

use std::fs;
use std::path::{Path, PathBuf};

use identity::Code;
use serde_json::json;
use sharing::act::ActBody;
use sharing::docket::DocketId;
use sharing::return_flow::{DatasetId, Divisions, PartNotice, verify_part};

use publish::{Stated, Table};

use super::args::{DocketArg, code, now, public_key, read_bytes};
use super::client::Client;
use super::error::{CliError, Exit};
use super::init::read_chain;
use super::output::columns;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::flow::ReceivedPart;
use crate::api::{List, from_base64};
use crate::data::SourceAddress;

/// Most bytes of a notice: a proof of a few levels with their siblings.
const MAX_NOTICE_BYTES: usize = 8 << 20;
/// Most bytes of a part or table read at once.
const MAX_TABLE_BYTES: u64 = 1 << 30;

/// `guantong return-flow`.
#[derive(Debug, clap::Subcommand)]
pub enum ReturnFlowCommand {
    /// 订阅本级数据的回流 / subscribe to one's own rows
    Subscribe {
        /// 数源节点 / the source
        #[arg(long, value_parser = code, value_name = "CODE")]
        source: Code,
        /// 数据集 / dataset
        #[arg(long)]
        dataset: DatasetId,
    },
    /// 数源：回流一个表的快照 / at the source: return a snapshot of a table
    Publish {
        /// 数据集 / dataset
        #[arg(long)]
        dataset: DatasetId,
        /// CSV 文件 / the CSV file
        #[arg(long, required_unless_present = "from")]
        file: Option<PathBuf>,
        /// 数源：postgres://…?table=表、parquet:路径、csv:路径、http://… / the source instead of a file
        #[arg(long, value_name = "URL", conflicts_with = "file")]
        from: Option<SourceAddress>,
        /// 行政区划代码所在列 / the column with the division's code
        #[arg(long)]
        column: String,
        /// 取数的查询或说明；用 --from 时缺省为实际执行的查询 / the query or extract it came from; with --from, what was run when absent
        #[arg(long, required_unless_present = "from")]
        query: Option<String>,
        /// 数源自行计数的行数；缺省为文件的数据行数 / rows as the source counts them; those of the file when absent
        #[arg(long)]
        rows: Option<u64>,
    },
    /// 列出收到的部分 / list the parts received
    List,
    /// 取出收到的部分与通知，供离线核验 / write a part and its notice to files
    Fetch {
        /// 案卷 / docket
        #[arg(long)]
        docket: DocketArg,
        /// 批次；缺省为最近一批 / delivery; the newest when absent
        #[arg(long)]
        delivery: Option<u64>,
        /// 目录 / folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// 离线核验：一行不少、无他人之行 / verify offline: no row missing, none foreign
    Verify {
        /// 通知 / the notice
        #[arg(long, value_name = "FILE")]
        notice: PathBuf,
        /// 数据 / the rows
        #[arg(long, value_name = "FILE")]
        part: PathBuf,
        /// 行政区划表 / the table of divisions
        #[arg(long, value_name = "FILE")]
        divisions: PathBuf,
        /// 数源节点的证书链；与 --root 一起核验清单签名 / the source's chain, to verify the manifest's signature with --root
        #[arg(long, value_name = "FILE", requires = "root")]
        chain: Option<PathBuf>,
        /// 根公钥 / the root's public key
        #[arg(long, requires = "chain")]
        root: Option<String>,
    },
}

pub(super) fn run(
    global: &Global,
    command: ReturnFlowCommand,
    output: &Output,
) -> Result<(), CliError> {
    match command {
        ReturnFlowCommand::Subscribe { source, dataset } => {
            carry_out(global, output, ActBody::Subscribe { source, dataset }).map(drop)
        }
        ReturnFlowCommand::Publish {
            dataset,
            file,
            from,
            column,
            query,
            rows,
        } => {
            let table = match from {
                Some(source) => Table::Source(source),
                None => Table::File(file.unwrap_or_default()),
            };
            let stated = Stated {
                dataset,
                column,
                query,
                rows,
            };
            publish::run(global, output, table, stated)
        }
        ReturnFlowCommand::List => {
            let list = parts(global, output)?;
            output.print(&list, |language| {
                let row = |part: &ReceivedPart| {
                    let state = match (&part.rows, &part.finding) {
                        (_, Some(finding)) => finding.clone(),
                        (Some(rows), None) => {
                            format!("{rows} {}", language.pick("行，已核验", "rows, verified"))
                        }
                        (None, None) => language.pick("尚未核验", "not verified yet").to_owned(),
                    };
                    let held = if part.held {
                        language.pick("在库", "held")
                    } else {
                        ""
                    };
                    vec![
                        part.docket.0.short(),
                        part.dataset.clone(),
                        part.source.code().to_string(),
                        part.division.to_string(),
                        format!("#{}", part.delivery),
                        state,
                        held.to_owned(),
                    ]
                };
                columns(&list.items.iter().map(row).collect::<Vec<_>>())
            });
            Ok(())
        }
        ReturnFlowCommand::Fetch {
            docket,
            delivery,
            out,
        } => {
            let docket = docket.resolve(global, output)?;
            fetch(global, output, docket, delivery, &out)
        }
        ReturnFlowCommand::Verify {
            notice,
            part,
            divisions,
            chain,
            root,
        } => verify(
            output,
            &notice,
            &part,
            &divisions,
            chain.as_deref().zip(root.as_deref()),
        ),
    }
}

fn parts(global: &Global, output: &Output) -> Result<List<ReceivedPart>, CliError> {
    Client::of(global, output.language())?.get(&format!(
        "/return-flow/parts?limit={}",
        crate::api::MAX_PAGE
    ))
}

fn fetch(
    global: &Global,
    output: &Output,
    docket: DocketId,
    delivery: Option<u64>,
    out: &Path,
) -> Result<(), CliError> {
    let wanted = |part: &ReceivedPart| {
        part.docket == docket && delivery.is_none_or(|number| part.delivery == number)
    };
    let part = parts(global, output)?
        .items
        .into_iter()
        .filter(wanted)
        .max_by_key(|part| part.delivery);
    let part = part.ok_or_else(|| {
        CliError::usage("没有这一批回流", "there is no such delivery").advise(
            "用 guantong return-flow list 查看",
            "see guantong return-flow list",
        )
    })?;
    fs::create_dir_all(out).map_err(|error| CliError::file(out, error))?;
    let stem = format!("{}-{}-{}", part.dataset, part.division, part.delivery);
    let (notice, rows) = (
        out.join(format!("{stem}.notice")),
        out.join(format!("{stem}.csv")),
    );
    let bytes = from_base64(&part.notice)
        .map_err(|error| CliError::fault(error.to_string(), error.to_string()))?;
    super::args::write(&notice, &bytes)?;
    let mut file = fs::File::create(&rows).map_err(|error| CliError::file(&rows, error))?;
    Client::of(global, output.language())?.get_object(&part.part.digest.to_string(), &mut file)?;
    output.print(&json!({ "notice": notice, "part": rows }), |_| {
        format!("{}\n{}", notice.display(), rows.display())
    });
    Ok(())
}

fn verify(
    output: &Output,
    notice: &Path,
    part: &Path,
    divisions: &Path,
    source: Option<(&Path, &str)>,
) -> Result<(), CliError> {
    let bytes = read_bytes(notice, MAX_NOTICE_BYTES as u64)?;
    let notice: PartNotice = identity::codec::decode(&bytes, MAX_NOTICE_BYTES)
        .map_err(|error| CliError::file(notice, error))?;
    let table = read_bytes(divisions, MAX_TABLE_BYTES)?;
    let divisions =
        Divisions::from_csv(&table).map_err(|error| CliError::file(divisions, error))?;
    let rows = read_bytes(part, MAX_TABLE_BYTES)?;
    let wrong = |why: String| {
        CliError::new(
            Exit::NotAuthorised,
            format!("核验不符：{why}"),
            format!("found wanting: {why}"),
        )
        .advise(
            "向数源节点要求重新回流",
            "ask the source to return it again",
        )
    };
    if identity::Digest::object(&rows) != notice.part.digest {
        return Err(wrong(
            "文件与通知所载摘要不符 / the file is not the one in the notice".into(),
        ));
    }
    let signed_by = source
        .map(|(chain, root)| signer(chain, root, &notice))
        .transpose()?;
    let manifest = notice
        .manifest
        .claimed(MAX_NOTICE_BYTES)
        .map_err(|error| wrong(error.to_string()))?;
    let division = notice.division.to_string();
    verify_part(
        &manifest,
        &division,
        &rows,
        &notice.proof,
        &notice.salt,
        &divisions,
    )
    .map_err(|error| wrong(error.to_string()))?;
    let value = json!({
        "verified": true, "dataset": manifest.dataset, "delivery": manifest.delivery, "division": division,
        "snapshot_rows": manifest.rows, "signed_by": signed_by,
    });
    output.print(&value, |language| {
        let signature = match &signed_by {
            Some(node) => format!(
                "{} {node}",
                language.pick("清单签名有效：", "the manifest is signed by")
            ),
            None => language
                .pick(
                    "未核验清单签名（--chain、--root）",
                    "the manifest's signature was not verified (--chain, --root)",
                )
                .to_owned(),
        };
        format!(
            "{}\n{} {} #{} · {division} · {} {}\n{signature}",
            language.pick(
                "核验通过：一行不少，无他人之行",
                "verified: no row is missing, none is foreign"
            ),
            language.pick("数据集", "dataset"),
            manifest.dataset,
            manifest.delivery,
            language.pick("快照行数", "rows of the snapshot"),
            manifest.rows,
        )
    });
    Ok(())
}

/// Who signed the manifest, if the chain proves it a member under the root when it signed.
fn signer(chain: &Path, root: &str, notice: &PartNotice) -> Result<String, CliError> {
    let root = public_key(root)?;
    let wrong = |why: String| {
        CliError::new(
            Exit::NotAuthorised,
            format!("清单签名不成立：{why}"),
            format!("the manifest's signature does not hold: {why}"),
        )
    };
    let claimed = notice
        .manifest
        .claimed(MAX_NOTICE_BYTES)
        .map_err(|error| wrong(error.to_string()))?;
    let member = read_chain(chain)?
        .verify_historic(&root, claimed.at.min(now()))
        .map_err(|error| wrong(error.to_string()))?;
    let manifest = notice
        .manifest
        .verify(
            identity::Domain::Manifest,
            member.signing_key(),
            MAX_NOTICE_BYTES,
        )
        .map_err(|error| wrong(error.to_string()))?;
    if manifest.source != *member.place() {
        return Err(wrong(format!("{} ≠ {}", manifest.source, member.place())));
    }
    Ok(member.place().to_string())
}
