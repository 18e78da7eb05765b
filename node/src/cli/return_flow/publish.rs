//! Publishing a snapshot: from a CSV file, or extracted from a source whole and as it is.

use std::fs;
use std::path::{Path, PathBuf};

use federation::core::view::DocketView;
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::return_flow::{Assigned, DatasetId, ReturnTable};

use crate::api::List;
use crate::cli::args::now;
use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::signer::carry_out;
use crate::cli::{Global, Output};
use crate::data::{Origin, SourceAddress};

/// Most pages of dockets read to count subscribers: every county, and room.
const MAX_DOCKET_PAGES: usize = 40;

/// Where the table is.
pub(super) enum Table {
    /// A CSV file.
    File(PathBuf),
    /// A source.
    Source(SourceAddress),
}

/// What is said of the table.
pub(super) struct Stated {
    /// The dataset.
    pub(super) dataset: DatasetId,
    /// The column with the division's code.
    pub(super) column: String,
    /// The column by which a row is the same row after a change.
    pub(super) row_key: Option<String>,
    /// To which divisions of today the rows of old codes belong.
    pub(super) assign: Vec<Assigned>,
    /// The query or extract; of a source, what was run when absent.
    pub(super) query: Option<String>,
    /// The rows, when they were counted.
    pub(super) rows: Option<u64>,
}

/// Puts the snapshot into the node's object store and returns it.
pub(super) fn run(
    global: &Global,
    output: &Output,
    table: Table,
    stated: Stated,
) -> Result<(), CliError> {
    let Stated {
        dataset,
        column,
        row_key,
        assign,
        query,
        rows,
    } = stated;
    let scratch = Scratch::new()?;
    let key = row_key.as_deref();
    let (file, ran, source_rows) = match table {
        Table::File(file) => {
            let rows = counted(&file, &column, key)?;
            (file, String::new(), rows)
        }
        // The node reads it as it is; it is not written out before.
        Table::Source(SourceAddress::Parquet(file)) => {
            let read = crate::data::return_flow::parquet(&file, &column, key)?;
            (file, ran(&read.origin), read.rows)
        }
        Table::Source(source) => {
            let (file, ran) = extracted(&source, &column, &scratch)?;
            let rows = counted(&file, &column, key)?;
            (file, ran, rows)
        }
    };
    if let Some(stated) = rows.filter(|stated| *stated != source_rows) {
        return Err(CliError::usage(
            format!("文件有 {source_rows} 行数据，--rows 为 {stated}"),
            format!("the file has {source_rows} rows of data, --rows says {stated}"),
        )
        .advise("核对取数是否完整", "see whether the extract is complete"));
    }
    let client = Client::of(global, output.language())?;
    tell_subscribers(&client, output, &dataset)?;
    let table = ReturnTable {
        dataset,
        table: client.put_object(&file)?,
        division_column: column,
        key_column: row_key,
        assigned: assign,
        query: query.unwrap_or(ran),
        source_rows,
    };
    carry_out(global, output, ActBody::ReturnTable { table }).map(drop)
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
    scratch: &Scratch,
) -> Result<(PathBuf, String), CliError> {
    let file = scratch.0.join("table.csv");
    let extract = crate::data::return_flow::extract(source, column, &file, now())?;
    Ok((file, ran(&extract.origin)))
}

/// What was read, in words.
fn ran(origin: &Origin) -> String {
    let source = &origin.source;
    match (&origin.query, &origin.snapshot) {
        (Some(query), Some(snapshot)) => format!("{query} -- {source} snapshot {snapshot}"),
        (query, snapshot) => format!(
            "{} {}",
            query.as_ref().unwrap_or(source),
            snapshot.as_deref().unwrap_or_default()
        ),
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

/// Data rows of a CSV file in which both columns stand.
fn counted(file: &Path, column: &str, key: Option<&str>) -> Result<u64, CliError> {
    if let Some(key) = key {
        count(file, key)?;
    }
    count(file, column)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;

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
