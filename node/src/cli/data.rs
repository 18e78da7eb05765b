//! Reading sources and delivering to targets.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use identity::Moment;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sharing::masking::{Kind, Masking};
use statute::Grade;

use super::Output;
use super::args::{date, now, read_text, read_text_up_to};
use super::error::{CliError, Exit};
use super::output::columns;
use crate::data::copy::Since;
use crate::data::delta::{DeltaSource, Snapshots};
use crate::data::folder::Layout;
use crate::data::parquet::FileKey;
use crate::data::record::Outcome;
use crate::data::sink::Manner;
use crate::data::source::Order;
use crate::data::{
    DataError, Delivery, DeliveryId, Plan, Selection, Source, SourceAddress, TargetAddress,
};

/// Most bytes of a file of records: some thirty thousand deliveries.
const MAX_RECORDS_BYTES: u64 = 64 << 20;

/// `guantong data`.
#[derive(Debug, clap::Subcommand)]
pub enum DataCommand {
    /// 读一遍：列、行数、快照 / read it once: columns, rows, snapshot
    Read(ReadArgs),
    /// 交付：整份出现，或一点也不出现 / deliver: it appears whole or not at all
    Copy(CopyArgs),
    /// 两份快照之间按主键求增量并交付 / deliver what changed between two snapshots, by key
    Delta(DeltaArgs),
}

/// What to read.
#[derive(Debug, clap::Args)]
pub struct ReadArgs {
    /// 数源：postgres://…?table=表、csv:路径、parquet:路径、http://… / the source
    #[arg(long, value_name = "URL")]
    from: SourceAddress,
    /// 列，可注明类型：code,born:date；缺省为全部 / columns, with types where stated; all when absent
    #[arg(long, default_value = "")]
    select: Selection,
    /// 加密的 parquet 的密钥文件 / key file of a parquet that rests encrypted
    #[arg(long, value_name = "FILE")]
    from_key_file: Option<PathBuf>,
}

impl ReadArgs {
    fn open(&self) -> Result<Box<dyn Source>, CliError> {
        let key = file_key(self.from_key_file.as_deref())?;
        let order = Order::default();
        Ok(crate::data::source::open(
            &self.from,
            &self.select,
            &order,
            key.as_ref(),
        )?)
    }
}

fn file_key(path: Option<&Path>) -> Result<Option<FileKey>, CliError> {
    Ok(match path {
        Some(path) => Some(FileKey::of_text(&read_text(path)?)?),
        None => None,
    })
}

/// Where to deliver.
#[derive(Debug, clap::Args)]
pub struct TargetArgs {
    /// 目标：folder:目录、s3://桶/前缀、postgres://…?table=表&key=列、csv:路径、parquet:路径 / the target
    #[arg(long, value_name = "URL")]
    to: TargetAddress,
    /// 批次名；缺省为时刻 / the delivery's name; the time when absent
    #[arg(long, value_name = "NAME")]
    delivery: Option<DeliveryId>,
    /// folder、s3：行政区划代码所在列 / the column with the division's code
    #[arg(long, value_name = "COLUMN")]
    division: Option<String>,
    /// folder、s3：日期所在列；缺省用 --date / the column with the date
    #[arg(long, value_name = "COLUMN")]
    date_column: Option<String>,
    /// folder、s3：数据日期；缺省为今日 / the day of the data; today when absent
    #[arg(long, value_parser = date, value_name = "DAY")]
    date: Option<Date>,
    /// 加密存储的密钥文件，64 位十六进制 / key file for encryption at rest, 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// 逐次记录成败的文件，一行一条 / file in which every attempt is recorded, one a line
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// What a reader may see, and how it rests.
#[derive(Debug, clap::Args)]
pub struct MaskingArgs {
    /// 脱敏：列=name|identity-number|phone|address / mask a column
    #[arg(long, value_parser = mask, value_name = "COLUMN=KIND")]
    mask: Vec<(String, Kind)>,
    /// 列的级别：列=general|important|core；核心数据不出 / grade of a column; core data is withheld
    #[arg(long, value_parser = grade, value_name = "COLUMN=GRADE")]
    grade: Vec<(String, Grade)>,
    /// 声明目标自身加密存储 / declare that the target encrypts what it stores
    #[arg(long)]
    stored_encrypted: bool,
}

impl MaskingArgs {
    fn masking(&self) -> Result<Masking, CliError> {
        let mut masking = Masking::default();
        let too_many =
            |error: sharing::masking::MaskingError| CliError::of_both(Exit::Usage, &error);
        for (column, kind) in &self.mask {
            masking.kind(column, *kind).map_err(too_many)?;
        }
        for (column, grade) in &self.grade {
            masking.grade(column, *grade).map_err(too_many)?;
        }
        Ok(masking)
    }
}

/// What to deliver.
#[derive(Debug, clap::Args)]
pub struct CopyArgs {
    #[command(flatten)]
    source: ReadArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    masking: MaskingArgs,
    /// 增量：水位列，只交付高于上次的行 / deltas: the column of the watermark
    #[arg(long, value_name = "COLUMN")]
    since_column: Option<String>,
    /// 上次的水位；缺省取自 --record / where the last delivery ended; read from --record when absent
    #[arg(long, value_name = "VALUE", requires = "since_column")]
    since: Option<String>,
}

/// Two snapshots and where to deliver what changed.
#[derive(Debug, clap::Args)]
pub struct DeltaArgs {
    /// 前一份快照 / the earlier snapshot
    #[arg(long, value_name = "URL")]
    before: SourceAddress,
    /// 后一份快照 / the later snapshot
    #[arg(long, value_name = "URL")]
    after: SourceAddress,
    /// 主键列 / the key's columns
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true)]
    key: Vec<String>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    masking: MaskingArgs,
}

fn pair(text: &str) -> Result<(&str, &str), String> {
    text.rsplit_once('=')
        .filter(|(column, _)| !column.is_empty())
        .ok_or_else(|| format!("{text} 应写作 列=… / is written COLUMN=…"))
}

fn mask(text: &str) -> Result<(String, Kind), String> {
    let (column, word) = pair(text)?;
    let kind = Kind::ALL.into_iter().find(|(_, known)| *known == word);
    let words = Kind::ALL.map(|(_, word)| word).join("|");
    let (kind, _) = kind.ok_or_else(|| format!("{word}: {words}"))?;
    Ok((column.to_owned(), kind))
}

fn grade(text: &str) -> Result<(String, Grade), String> {
    let (column, word) = pair(text)?;
    let grade = word
        .parse()
        .map_err(|error: statute::UnknownTerm| error.in_both())?;
    Ok((column.to_owned(), grade))
}

impl From<DataError> for CliError {
    fn from(error: DataError) -> Self {
        let (text, advice) = (error.text(), error.advice());
        let exit = match &error {
            DataError::Lost { .. } => Exit::Unreachable,
            _ if error.is_wrong_use() => Exit::Usage,
            _ => Exit::Fault,
        };
        Self::new(exit, text.zh, text.en).advise(advice.zh, advice.en)
    }
}

pub(super) fn run(command: DataCommand, output: &Output) -> Result<(), CliError> {
    match command {
        DataCommand::Read(args) => read(&args, output),
        DataCommand::Copy(args) => {
            let (record, target) = (args.target.record.clone(), args.target.to.clone());
            let attempt = Attempt::new(&args.target, &args.source.from)?;
            let outcome = copy(args, &attempt);
            finish(record.as_deref(), &target, attempt, outcome, output)
        }
        DataCommand::Delta(args) => {
            let (record, target) = (args.target.record.clone(), args.target.to.clone());
            let attempt = Attempt::new(&args.target, &args.after)?;
            let outcome = delta(&args, &attempt);
            finish(record.as_deref(), &target, attempt, outcome, output)
        }
    }
}

fn read(args: &ReadArgs, output: &Output) -> Result<(), CliError> {
    let mut source = args.open()?;
    let mut rows = 0u64;
    while let Some(batch) = source.next()? {
        rows += batch.num_rows() as u64;
    }
    let fields = source.schema().fields().clone();
    let kind = |field: &arrow_schema::Field| {
        crate::data::Kind::of_field(field).map_or("", crate::data::Kind::word)
    };
    let listed: Vec<_> = fields
        .iter()
        .map(|field| serde_json::json!({ "name": field.name(), "type": kind(field) }))
        .collect();
    let origin = source.origin();
    let value = serde_json::json!({ "origin": origin, "columns": listed, "rows": rows });
    output.print(&value, |language| {
        let mut lines: Vec<Vec<String>> = fields
            .iter()
            .map(|field| vec![field.name().clone(), kind(field).to_owned()])
            .collect();
        lines.push(vec![
            language.pick("行数", "rows").to_owned(),
            rows.to_string(),
        ]);
        if let Some(snapshot) = &origin.snapshot {
            lines.push(vec![
                language.pick("快照", "snapshot").to_owned(),
                snapshot.clone(),
            ]);
        }
        columns(&lines)
    });
    Ok(())
}

/// One attempt, as it is recorded whatever comes of it.
#[derive(Debug, Serialize, Deserialize)]
struct Attempt {
    delivery: DeliveryId,
    at: String,
    from: String,
    #[serde(skip, default = "now")]
    moment: Moment,
}

/// A line of the file of records.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Delivered(Box<Delivery>),
    Failed {
        #[serde(flatten)]
        attempt: Attempt,
        error: String,
    },
}

impl Attempt {
    fn new(target: &TargetArgs, from: &SourceAddress) -> Result<Self, CliError> {
        let at = now();
        // 2026-03-09T12:00:00.000Z without its signs.
        let compact: String = at
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let delivery = match &target.delivery {
            Some(named) => named.clone(),
            None => compact.parse()?,
        };
        Ok(Self {
            delivery,
            at: at.to_string(),
            from: from.to_string(),
            moment: at,
        })
    }
}

fn manner(target: &TargetArgs, attempt: &Attempt, whole: bool) -> Result<Manner, CliError> {
    let key = file_key(target.key_file.as_deref())?;
    let today = || {
        let beijing = statute::beijing_date(attempt.moment.as_millis());
        target.date.unwrap_or(beijing)
    };
    let layout = target.division.clone().map(|division| Layout {
        division,
        date_column: target.date_column.clone(),
        day: today(),
    });
    Ok(Manner {
        delivery: attempt.delivery.clone(),
        layout,
        key,
        whole,
    })
}

fn copy(args: CopyArgs, attempt: &Attempt) -> Result<Delivery, CliError> {
    let masking = args.masking.masking()?;
    let since = match args.since_column {
        None => None,
        Some(column) => {
            let value = match (args.since, &args.target.record) {
                (Some(value), _) => Some(value),
                (None, Some(record)) => last_mark(record, &column)?,
                (None, None) => None,
            };
            Some(Since { column, value })
        }
    };
    let manner = manner(&args.target, attempt, since.is_none())?;
    let plan = Plan {
        delivery: attempt.delivery.clone(),
        at: attempt.moment,
        masking,
        since,
        rests_encrypted: args.masking.stored_encrypted || manner.key.is_some(),
    };
    let source = args.source.open()?;
    let sink = crate::data::sink::open(&args.target.to, manner)?;
    Ok(crate::data::copy(source, sink, plan)?)
}

fn delta(args: &DeltaArgs, attempt: &Attempt) -> Result<Delivery, CliError> {
    if let TargetAddress::Table(table) = &args.target.to {
        return Err(DataError::Address(format!(
            "{table}：表由 data copy 保持同步 (a table is kept in step by data copy)"
        ))
        .into());
    }
    let snapshots = Snapshots {
        before: args.before.clone(),
        after: args.after.clone(),
        key: args.key.clone(),
    };
    let manner = manner(&args.target, attempt, false)?;
    let plan = Plan {
        delivery: attempt.delivery.clone(),
        at: attempt.moment,
        masking: args.masking.masking()?,
        since: None,
        rests_encrypted: args.masking.stored_encrypted || manner.key.is_some(),
    };
    let source = DeltaSource::open(&snapshots)?;
    let sink = crate::data::sink::open(&args.target.to, manner)?;
    Ok(crate::data::copy(Box::new(source), sink, plan)?)
}

/// How far the last delivery on record came by this watermark.
fn last_mark(record: &Path, column: &str) -> Result<Option<String>, CliError> {
    if !record.exists() {
        return Ok(None);
    }
    let mut last = None;
    for line in read_text_up_to(record, MAX_RECORDS_BYTES)?.lines() {
        let line: Line =
            serde_json::from_str(line).map_err(|error| CliError::file(record, error))?;
        if let Line::Delivered(delivery) = line
            && let Some(reached) = delivery
                .watermark
                .filter(|reached| reached.column == column)
        {
            last = reached.value.or(last);
        }
    }
    Ok(last)
}

fn append(record: &Path, line: &Line) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::file(record, error);
    let mut text = serde_json::to_string(line).map_err(|error| CliError::file(record, error))?;
    text.push('\n');
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(record)
        .map_err(failed)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(failed)
}

/// Records what came of an attempt and tells it.
fn finish(
    record: Option<&Path>,
    target: &TargetAddress,
    attempt: Attempt,
    outcome: Result<Delivery, CliError>,
    output: &Output,
) -> Result<(), CliError> {
    let line = match &outcome {
        Ok(delivery) => Line::Delivered(Box::new(delivery.clone())),
        Err(error) => Line::Failed {
            attempt,
            error: error.what.en.to_string(),
        },
    };
    if let Some(record) = record {
        append(record, &line)?;
    }
    let delivery = outcome?;
    output.print(&delivery, |language| {
        let done = match &delivery.outcome {
            Some(Outcome::File { bytes, .. }) => {
                format!("{bytes} {}", language.pick("字节", "bytes"))
            }
            Some(Outcome::Files {
                files, unplaced, ..
            }) => format!(
                "{} {}，{unplaced} {}",
                files.len(),
                language.pick("个文件", "files"),
                language.pick("行无有效区划", "rows without a valid division"),
            ),
            Some(Outcome::Table {
                inserted,
                updated,
                deleted,
            }) => {
                format!("+{inserted} ~{updated} -{deleted}")
            }
            None => String::new(),
        };
        let kind = match target {
            TargetAddress::Table(_) => language.pick("表已同步", "table in step"),
            TargetAddress::Csv(_)
            | TargetAddress::Parquet(_)
            | TargetAddress::Folder(_)
            | TargetAddress::S3 { .. } => language.pick("已交付", "delivered"),
        };
        format!(
            "{kind} {}：{} {}，{done}",
            delivery.delivery,
            delivery.rows,
            language.pick("行", "rows")
        )
    });
    Ok(())
}
