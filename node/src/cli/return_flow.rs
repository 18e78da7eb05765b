//! Return flow: subscribing, publishing a snapshot, taking one's parts, verifying them offline (R24).

use std::fs;
use std::path::{Path, PathBuf};

use federation::core::view::DocketView;
use identity::Code;
use serde_json::json;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketId};
use sharing::return_flow::{DatasetId, Divisions, PartNotice, ReturnTable, verify_part};

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
            let scratch = Scratch::new()?;
            let snapshot = match from {
                Some(source) => extracted(&source, &column, query, &scratch)?,
                None => Snapshot {
                    file: file.unwrap_or_default(),
                    query: query.unwrap_or_default(),
                },
            };
            publish(global, output, dataset, column, snapshot, rows)
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

/// A table to be returned, as a CSV file.
struct Snapshot {
    file: PathBuf,
    query: String,
}

/// A folder of this process that nobody else reads and that goes with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, CliError> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes)
            .map_err(|error| CliError::fault(error.to_string(), error.to_string()))?;
        let folder = std::env::temp_dir().join(format!("guantong-{}", hex::encode(bytes)));
        let mut builder = fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(&folder)
            .map_err(|error| CliError::file(&folder, error))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A snapshot of a source: every row and column as it is.
fn extracted(
    source: &SourceAddress,
    column: &str,
    query: Option<String>,
    scratch: &Scratch,
) -> Result<Snapshot, CliError> {
    let file = scratch.0.join("table.csv");
    let extract = crate::data::return_flow::extract(source, column, &file, now())?;
    let origin = extract.origin;
    let run = match (origin.query, origin.snapshot) {
        (Some(query), Some(snapshot)) => {
            format!("{query} -- {} snapshot {snapshot}", origin.source)
        }
        (query, snapshot) => format!(
            "{} {}",
            query.unwrap_or(origin.source),
            snapshot.unwrap_or_default()
        ),
    };
    let query = query.unwrap_or(run);
    Ok(Snapshot { file, query })
}

fn publish(
    global: &Global,
    output: &Output,
    dataset: DatasetId,
    column: String,
    snapshot: Snapshot,
    rows: Option<u64>,
) -> Result<(), CliError> {
    let source_rows = count(&snapshot.file, &column)?;
    if let Some(stated) = rows.filter(|stated| *stated != source_rows) {
        return Err(CliError::usage(
            format!("文件有 {source_rows} 行数据，--rows 为 {stated}"),
            format!("the file has {source_rows} rows of data, --rows says {stated}"),
        )
        .advise("核对取数是否完整", "see whether the extract is complete"));
    }
    let client = Client::of(global, output.language())?;
    tell_subscribers(&client, output, &dataset)?;
    let table = client.put_object(&snapshot.file)?;
    let table = ReturnTable {
        dataset,
        table,
        division_column: column,
        query: snapshot.query,
        source_rows,
    };
    carry_out(global, output, ActBody::ReturnTable { table }).map(drop)
}

/// Says how many receive a dataset, before it is signed for.
fn tell_subscribers(client: &Client, output: &Output, dataset: &DatasetId) -> Result<(), CliError> {
    let (mut after, mut count) = (String::new(), 0usize);
    for _ in 0..MAX_DOCKET_PAGES {
        let page: List<DocketView> =
            client.get(&format!("/dockets?limit={}{after}", crate::api::MAX_PAGE))?;
        let receives = |docket: &&DocketView| {
            docket.at_home
                && matches!(&docket.state.case, Case::ReturnFlow(state) if state.dataset == *dataset)
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
