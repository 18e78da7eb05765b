//! Return flow: subscribing, publishing a snapshot, taking one's parts, verifying them offline (R24).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use federation::core::view::DocketView;
use identity::Code;
use serde_json::json;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketId};
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    Area, Assigned, DatasetId, Divisions, Leaves, Manifest, PartNotice, RemainderGroup,
    ReturnTable, RowFault, Subscription, Unplaced, pass_on, verify_part,
};
use statute::Schedule;

use super::args::{DocketArg, code, now, public_key, read_bytes};
use super::client::Client;
use super::error::{CliError, Exit};
use super::init::read_chain;
use super::output::columns;
use super::signer::carry_out;
use super::{Global, Output};
use crate::api::flow::ReceivedPart;
use crate::api::{List, from_base64};
use crate::language::Language;

/// Most bytes of a notice: a proof of a few levels with their siblings.
const MAX_NOTICE_BYTES: usize = 8 << 20;
/// Most pages of dockets read to count subscribers: every county, and room.
const MAX_DOCKET_PAGES: usize = 40;
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
        #[arg(long)]
        file: PathBuf,
        /// 行政区划代码所在列 / the column with the division's code
        #[arg(long)]
        column: String,
        /// 行的主键列，变更时据此识别为同一行 / the column by which a row is the same row after a change
        #[arg(long, value_name = "COLUMN")]
        row_key: Option<String>,
        /// 归属认定：旧代码=现行区划，可重复 / settle the remainder: old code=division of today, repeatable
        #[arg(long, value_name = "OLD=NEW", value_parser = assigned)]
        assign: Vec<Assigned>,
        /// 取数的查询或说明 / the query or extract it came from
        #[arg(long)]
        query: String,
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
            column,
            row_key,
            assign,
            query,
            rows,
        } => {
            let source_rows = count(&file, &column)?;
            if let Some(key) = &row_key {
                count(&file, key)?;
            }
            if let Some(stated) = rows.filter(|stated| *stated != source_rows) {
                return Err(CliError::usage(
                    format!("文件有 {source_rows} 行数据，--rows 为 {stated}"),
                    format!("the file has {source_rows} rows of data, --rows says {stated}"),
                )
                .advise("核对取数是否完整", "see whether the extract is complete"));
            }
            let client = Client::of(global, output.language())?;
            tell_subscribers(&client, output, &dataset)?;
            let table = client.put_object(&file)?;
            let table = ReturnTable {
                dataset,
                table,
                division_column: column,
                key_column: row_key,
                assigned: assign,
                query,
                source_rows,
            };
            carry_out(global, output, ActBody::ReturnTable { table }).map(drop)
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
                columns(&list.items.iter().map(row).collect::<Vec<_>>())
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

/// Says how many receive a dataset, before it is signed for.
fn tell_subscribers(client: &Client, output: &Output, dataset: &DatasetId) -> Result<(), CliError> {
    let (mut after, mut count) = (String::new(), 0usize);
    for _ in 0..MAX_DOCKET_PAGES {
        let page: List<DocketView> =
            client.get(&format!("/dockets?limit={}{after}", crate::api::MAX_PAGE))?;
        let receives = |docket: &&DocketView| {
            docket.at_home
                && matches!(&docket.state.case, Case::ReturnFlow(state) if state.subscription.dataset == *dataset)
        };
        count += page.items.iter().filter(receives).count();
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let name = dataset.as_str();
    if count == 0 {
        output.note(
            &format!("注意：没有节点订阅数据集 {name}，此次回流无人接收；核对 --dataset"),
            &format!("warning: nobody subscribes to {name}, nobody receives this; check --dataset"),
        );
    } else {
        output.note(
            &format!("数据集 {name} 有 {count} 个订阅节点"),
            &format!("{count} nodes subscribe to {name}"),
        );
    }
    Ok(())
}

/// Data rows of a CSV file: its records without the header, in which the column stands.
fn count(file: &Path, column: &str) -> Result<u64, CliError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(true)
        .from_path(file)
        .map_err(|error| CliError::file(file, error))?;
    let header = reader
        .byte_headers()
        .map_err(|error| CliError::file(file, error))?;
    if !header.iter().any(|name| name == column.as_bytes()) {
        let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
        return Err(CliError::usage(
            format!("{} 没有“{column}”列", file.display()),
            format!("{} has no column {column}", file.display()),
        )
        .advise(
            format!("列有：{}", names.join("、")),
            format!("its columns are: {}", names.join(", ")),
        ));
    }
    let mut record = csv::ByteRecord::new();
    let mut rows = 0;
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| CliError::file(file, error))?
    {
        rows += 1;
    }
    Ok(rows)
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
    let bytes = from_base64(&part.notice)
        .map_err(|error| CliError::fault(error.to_string(), error.to_string()))?;
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
        columns(&rows)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_without_the_header_and_with_quoted_line_breaks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "code,name\n440106,\"天河\n区\"\n440104,越秀区\n").unwrap();
        assert_eq!(count(&path, "code").unwrap(), 2);
        let error = count(&path, "division").unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.what_to_do.unwrap().en.contains("code, name"));
    }
}
