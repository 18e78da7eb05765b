//! A table on its way to return flow (R24): from any source to the CSV that is split. There is no selection and no masking here, and no place
//! for one: every level gets its own rows as they are.

use std::path::Path;

use arrow_array::RecordBatch;
use sharing::return_flow::table::{MAX_ROW_BYTES, MAX_ROWS};

use super::columns::{Column, names, position};
use super::csv::CsvSink;
use super::parquet::ParquetSource;
use super::record::{Delivery, Origin};
use super::source::{Order, open};
use super::{DataError, DeliveryId, Selection, Sink, Source, SourceAddress};
use identity::Moment;

/// What was extracted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract {
    /// Where from, with the source's own count.
    pub origin: Origin,
    /// Rows.
    pub rows: u64,
}

/// Writes one snapshot of a source to a CSV file.
///
/// # Errors
/// [`DataError`] when the source does not give a whole snapshot, has no such column, or holds rows that return flow does not take. No file is
/// left then.
pub fn extract(
    source: &SourceAddress,
    division: &str,
    file: &Path,
    at: Moment,
) -> Result<Extract, DataError> {
    let mut source = open(source, &Selection::default(), &Order::default(), None)?;
    position(&names(source.schema()), division)?;
    let mut sink = Box::new(CsvSink::new(file));
    sink.begin(source.schema())?;
    let mut rows = 0u64;
    while let Some(batch) = source.next()? {
        check_rows(&batch, rows)?;
        rows += batch.num_rows() as u64;
        sink.write(&batch)?;
    }
    let origin = source.origin().clone();
    if let Some(stated) = origin.rows.filter(|stated| *stated != rows) {
        return Err(DataError::Counted { stated, came: rows });
    }
    let mut delivery = Delivery {
        delivery: "return-flow".parse::<DeliveryId>()?,
        at: at.to_string(),
        origin: origin.clone(),
        columns: names(source.schema()),
        masked: Vec::new(),
        read: rows,
        rows,
        watermark: None,
        outcome: None,
    };
    sink.commit(&mut delivery)?;
    Ok(Extract { origin, rows })
}

/// A Parquet file that a node splits as it is: it has the columns, and says itself how many rows it has.
///
/// # Errors
/// [`DataError`] when it cannot be read or has no such column.
pub fn parquet(file: &Path, division: &str, key: Option<&str>) -> Result<Extract, DataError> {
    let source = ParquetSource::open(file, &Selection::default(), None)?;
    let found = names(source.schema());
    for column in [Some(division), key].into_iter().flatten() {
        position(&found, column)?;
    }
    let origin = source.origin().clone();
    let rows = origin.rows.unwrap_or_default();
    Ok(Extract { origin, rows })
}

/// That rows are not longer, and no more, than a table that is split may have.
fn check_rows(batch: &RecordBatch, before: u64) -> Result<(), DataError> {
    if before + batch.num_rows() as u64 > MAX_ROWS {
        return Err(DataError::malformed(
            "return flow",
            format!("> {MAX_ROWS} rows"),
        ));
    }
    let columns = Column::all(batch)?;
    for row in 0..batch.num_rows() {
        let bytes = columns.iter().map(|column| {
            // Quoted, with its quotation marks doubled, and a comma.
            column
                .text(row)
                .map_or(1, |text| text.len() + 3 + text.matches('"').count())
        });
        if bytes.sum::<usize>() > MAX_ROW_BYTES {
            return Err(DataError::RowTooLong {
                row: before + row as u64 + 1,
                limit: MAX_ROW_BYTES,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_extracted_is_every_row_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        fs::write(&from, "code,name\n440106,\"李\"\"四\"\n,x\n").unwrap();
        let source = SourceAddress::Csv(from.clone());
        let at = Moment::from_millis(0);
        assert_eq!(extract(&source, "code", &to, at).unwrap().rows, 2);
        assert_eq!(
            fs::read_to_string(&to).unwrap(),
            "code,name\n440106,\"李\"\"四\"\n,x\n"
        );
        fs::remove_file(&to).unwrap();
        assert!(matches!(
            extract(&source, "division", &to, at),
            Err(DataError::NoColumn { .. })
        ));
        fs::write(
            &from,
            format!("code,name\n440106,{}\n", "x".repeat(MAX_ROW_BYTES)),
        )
        .unwrap();
        assert!(matches!(
            extract(&source, "code", &to, at),
            Err(DataError::RowTooLong { row: 1, .. })
        ));
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing is left beside the source"
        );
    }
}
