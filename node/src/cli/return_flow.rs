//! Return flow: subscribing, publishing a snapshot, taking one's parts, verifying them offline (R24).

mod publish;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use identity::Code;
use serde_json::json;
use sharing::act::ActBody;
use sharing::docket::DocketId;
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    Area, Assigned, DatasetId, Divisions, Leaves, Manifest, PartNotice, RemainderGroup, RowFault,
    Subscription, Unplaced, pass_on, verify_part,
};
use statute::Schedule;

use publish::{Stated, Table};

use super::args::{DocketArg, code, now, public_key, read_bytes};
use super::client::Client;
use super::error::{CliError, Exit};
use super::init::read_chain;
use super::output::listed;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::flow::ReceivedPart;
use crate::api::{List, from_base64};
use crate::data::SourceAddress;
use crate::language::Language;

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
        /// 数据集的数源节点，经中间节点接收时填写；缺省为 --source / whose dataset it is, when a node in between passes it on; --source when absent
        #[arg(long, value_parser = code, value_name = "CODE")]
        origin: Option<Code>,
        /// 接收哪一区划的行：本级 6 位代码，或所辖乡镇 9 位、村 12 位 / whose rows: one's own six digits, or nine or twelve of a township or village
        #[arg(long, value_name = "DIGITS")]
        area: Area,
        /// 周期：daily@18:00、weekly:1@09:00、monthly:28@18:00 / when they are due
        #[arg(long)]
        schedule: Schedule,
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
        /// 行的主键列，变更时据此识别为同一行 / the column by which a row is the same row after a change
        #[arg(long, value_name = "COLUMN")]
        row_key: Option<String>,
        /// 归属认定：旧代码=现行区划，可重复 / settle the remainder: old code=division of today, repeatable
        #[arg(long, value_name = "OLD=NEW", value_parser = assigned)]
        assign: Vec<Assigned>,
        /// 取数的查询或说明；用 --from 时缺省为实际执行的查询 / the query or extract it came from; with --from, what was run when absent
        #[arg(long, required_unless_present = "from")]
        query: Option<String>,
        /// 数源自行计数的行数；缺省为文件的数据行数 / rows as the source counts them; those of the file when absent
        #[arg(long)]
        rows: Option<u64>,
    },
    /// 列出收到的部分 / list the parts received
    List,
    /// 列出各数据集最近一批的余项：无法确定所属区划的行，按原因 / the remainder of the newest delivery of each dataset, by reason
    Remainder,
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
        /// 逐行摘要，核验不符时指出是哪一行 / the leaves, to name the row when it does not hold
        #[arg(long, value_name = "FILE")]
        leaves: Option<PathBuf>,
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
        ReturnFlowCommand::Subscribe {
            source,
            dataset,
            origin,
            area,
            schedule,
        } => {
            let subscription = Subscription {
                source,
                origin: origin.unwrap_or(source),
                dataset,
                area,
                schedule,
            };
            carry_out(global, output, ActBody::Subscribe(subscription)).map(drop)
        }
        ReturnFlowCommand::Publish {
            dataset,
            file,
            from,
            column,
            row_key,
            assign,
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
                row_key,
                assign,
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
                        part.area.to_string(),
                        format!("#{}", part.delivery),
                        state,
                        held.to_owned(),
                    ]
                };
                listed(
                    &list.items.iter().map(row).collect::<Vec<_>>(),
                    language,
                    ("没有收到回流数据。", "Nothing was returned to this node."),
                )
            });
            Ok(())
        }
        ReturnFlowCommand::Remainder => remainder(global, output),
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
            leaves,
            chain,
            root,
        } => {
            let files = Files {
                notice: &notice,
                part: &part,
                divisions: &divisions,
                leaves: leaves.as_deref(),
            };
            verify(output, &files, chain.as_deref().zip(root.as_deref()))
        }
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
    let stem = format!("{}-{}-{}", part.dataset, part.area, part.delivery);
    let path = |kind: &str| out.join(format!("{stem}.{kind}"));
    let (notice, rows, leaves) = (path("notice"), path("csv"), path("leaves"));
    let bytes =
        from_base64(&part.notice).map_err(|error| CliError::of_both(Exit::Fault, &error))?;
    super::args::write(&notice, &bytes)?;
    let mut file = fs::File::create(&rows).map_err(|error| CliError::file(&rows, error))?;
    Client::of(global, output.language())?.get_object(&part.part.digest.to_string(), &mut file)?;
    // Of a part that holds the leaves are kept beside it, so that a later change to the file is named row by row.
    let derived = derive_leaves(&bytes, &read_bytes(&rows, MAX_TABLE_BYTES)?);
    if let Some(derived) = &derived {
        super::args::write(&leaves, derived)?;
    }
    let leaves = derived.map(|_| leaves);
    output.print(
        &json!({ "notice": notice, "part": rows, "leaves": leaves }),
        |_| {
            let written = [Some(&notice), Some(&rows), leaves.as_ref()];
            let written = written.into_iter().flatten();
            let lines: Vec<_> = written.map(|path| path.display().to_string()).collect();
            lines.join("\n")
        },
    );
    Ok(())
}

/// The leaves of a part, if it is what its notice says.
fn derive_leaves(notice: &[u8], part: &[u8]) -> Option<Vec<u8>> {
    let notice: PartNotice = identity::codec::decode(notice, MAX_NOTICE_BYTES).ok()?;
    let manifest = notice.manifest.claimed(MAX_MANIFEST_BYTES).ok()?;
    let divisions = crate::delivery::divisions().ok()?;
    let (area, proof, salt) = (&notice.area, &notice.proof, &notice.salt);
    let held = pass_on(&manifest, area, part, proof, salt, divisions).ok()?;
    Leaves::of(&held, area).map(|leaves| leaves.encode())
}

/// What no division claims in the newest delivery of each dataset known here.
fn remainder(global: &Global, output: &Output) -> Result<(), CliError> {
    let mut newest: BTreeMap<(Code, String), Manifest> = BTreeMap::new();
    for part in parts(global, output)?.items {
        let notice = from_base64(&part.notice)
            .ok()
            .and_then(|bytes| identity::codec::decode::<PartNotice>(&bytes, MAX_NOTICE_BYTES).ok());
        let manifest = notice.and_then(|it| it.manifest.claimed(MAX_MANIFEST_BYTES).ok());
        let Some(manifest) = manifest else { continue };
        let known = newest.entry((part.origin, part.dataset));
        let known = known.or_insert_with(|| manifest.clone());
        if known.delivery < manifest.delivery {
            *known = manifest;
        }
    }
    let newest: Vec<Manifest> = newest.into_values().collect();
    let value: Vec<_> = newest
        .iter()
        .map(|manifest| {
            json!({
                "source": manifest.source, "dataset": manifest.dataset, "delivery": manifest.delivery, "rows": manifest.rows,
                "remainder_rows": manifest.remainder_rows, "remainder": manifest.remainder, "assigned": manifest.assigned,
            })
        })
        .collect();
    output.print(&value, |language| {
        let mut rows = Vec::new();
        for manifest in &newest {
            let head = [
                manifest.dataset.to_string(),
                manifest.source.code().to_string(),
                format!("#{}", manifest.delivery),
            ];
            let mut row = |why: String, rows_of: u64| {
                let mut cells = head.to_vec();
                cells.extend([why, rows_of.to_string()]);
                rows.push(cells);
            };
            if manifest.remainder.is_empty() {
                row(language.pick("无余项", "no remainder").to_owned(), 0);
            }
            for RemainderGroup { why, rows: count } in &manifest.remainder {
                row(unplaced(why, language), *count);
            }
        }
        listed(
            &rows,
            language,
            ("没有退回的数据表。", "No table was returned."),
        )
    });
    Ok(())
}

fn unplaced(why: &Unplaced, language: Language) -> String {
    match why {
        Unplaced::Null => language.pick("代码为空", "no code").to_owned(),
        Unplaced::Malformed => language.pick("代码格式不符", "malformed code").to_owned(),
        Unplaced::Unknown { code } => {
            format!("{} {code}", language.pick("未知代码", "unknown code"))
        }
        Unplaced::Retired { code } => {
            format!("{} {code}", language.pick("已撤销", "retired"))
        }
        Unplaced::Changed { code, to } => {
            format!("{} {code}→{to}", language.pick("已变更", "changed"))
        }
        Unplaced::Others => language.pick("其他代码", "other codes").to_owned(),
    }
}

fn assigned(text: &str) -> Result<Assigned, String> {
    let (code, to) = text.split_once('=').ok_or("OLD=NEW")?;
    let (code, to) = (code.to_owned(), to.to_owned());
    Ok(Assigned { code, to })
}

/// What is verified offline.
struct Files<'a> {
    notice: &'a Path,
    part: &'a Path,
    divisions: &'a Path,
    leaves: Option<&'a Path>,
}

fn verify(
    output: &Output,
    files: &Files<'_>,
    source: Option<(&Path, &str)>,
) -> Result<(), CliError> {
    let bytes = read_bytes(files.notice, MAX_NOTICE_BYTES as u64)?;
    let notice: PartNotice = identity::codec::decode(&bytes, MAX_NOTICE_BYTES)
        .map_err(|error| CliError::file(files.notice, error))?;
    let table = read_bytes(files.divisions, MAX_TABLE_BYTES)?;
    let divisions =
        Divisions::from_csv(&table).map_err(|error| CliError::file(files.divisions, error))?;
    let rows = read_bytes(files.part, MAX_TABLE_BYTES)?;
    let leaves = files.leaves.map(|path| read_bytes(path, MAX_TABLE_BYTES));
    let leaves = leaves.transpose()?;
    let wrong = |zh: String, en: String| {
        CliError::new(
            Exit::NotAuthorised,
            format!("核验不符：{zh}"),
            format!("found wanting: {en}"),
        )
        .advise(
            "向数源节点要求重新回流",
            "ask the source to return it again",
        )
    };
    let signed_by = source
        .map(|(chain, root)| signer(chain, root, &notice))
        .transpose()?;
    let manifest = notice
        .manifest
        .claimed(MAX_NOTICE_BYTES)
        .map_err(|error| wrong(error.to_string(), error.to_string()))?;
    let (area, proof, salt) = (&notice.area, &notice.proof, &notice.salt);
    if let Err(error) = verify_part(&manifest, area, &rows, proof, salt, &divisions) {
        let leaves = leaves.and_then(|bytes| Leaves::decode(&bytes));
        let named = leaves.and_then(|leaves| {
            let faults = leaves.compare(&manifest, area, &rows, (proof, salt), &divisions);
            faults.ok().filter(|faults| faults.count > 0)
        });
        let why = error.to_string();
        return Err(match named {
            Some(faults) => {
                let zh: Vec<_> = faults.named.iter().map(RowFault::zh).collect();
                wrong(zh.join("；"), faults.to_string())
            }
            None => wrong(why.clone(), why),
        });
    }
    let division = area.to_string();
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
