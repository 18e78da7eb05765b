//! CSV files as sources and targets. A file states no types: columns are text, or what the selection says they are.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::columns::{BatchBuilder, Column, Kind, names, schema};
use super::file::{Unnamed, Watched};
use super::record::{Delivery, Origin, Outcome};
use super::{DataError, MAX_ROW_BYTES, Selection, Sink, Source};

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 << 10;

/// Refuses to read further than a row may be long, so that a quotation mark that is never closed does not fill the memory.
#[derive(Debug)]
struct Fused {
    file: BufReader<File>,
    left: usize,
}

impl Read for Fused {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let most = bytes.len().min(self.left);
        let read = self.file.read(&mut bytes[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// A file that is read as one snapshot.
#[derive(Debug)]
pub struct CsvSource {
    origin: Origin,
    schema: SchemaRef,
    places: Vec<usize>,
    columns: usize,
    reader: ::csv::Reader<Fused>,
    watched: Watched,
    builder: BatchBuilder,
    over: bool,
}

impl CsvSource {
    /// Opens a file with a header.
    ///
    /// # Errors
    /// [`DataError`] when it cannot be read or lacks a column.
    pub fn open(path: &Path, selection: &Selection) -> Result<Self, DataError> {
        let (watched, file) = Watched::open(path)?;
        let file = Fused {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            left: MAX_ROW_BYTES,
        };
        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(true)
            .flexible(true)
            .from_reader(file);
        let header = reader
            .headers()
            .map_err(|error| DataError::malformed(path.display(), error))?;
        let mut header: Vec<String> = header.iter().map(str::to_owned).collect();
        if let Some(first) = header.first_mut() {
            *first = first.trim_start_matches('\u{feff}').to_owned();
        }
        if header.is_empty() {
            return Err(DataError::malformed(path.display(), "no header"));
        }
        let columns = header.len();
        let wanted = selection.within(&header)?;
        let schema = schema(
            wanted
                .iter()
                .map(|(at, kind)| (header[*at].clone(), kind.unwrap_or(Kind::Text))),
        );
        Ok(Self {
            origin: Origin {
                source: format!("csv:{}", path.display()),
                query: None,
                snapshot: Some(watched.snapshot()),
                rows: None,
            },
            builder: BatchBuilder::new(schema.clone())?,
            places: wanted.into_iter().map(|(at, _)| at).collect(),
            schema,
            columns,
            reader,
            watched,
            over: false,
        })
    }
}

impl Source for CsvSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        let mut record = ::csv::StringRecord::new();
        while !self.over && !self.builder.is_full() {
            let row = self.builder.next_row();
            self.reader.get_mut().left = MAX_ROW_BYTES;
            match self.reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    self.over = true;
                    self.watched.check()?;
                    break;
                }
                Err(error) => return Err(self.of_reader(error, row)),
            }
            if record.len() != self.columns {
                let why = format!(
                    "row {row}: {} fields, the header has {}",
                    record.len(),
                    self.columns
                );
                return Err(DataError::malformed(&self.origin.source, why));
            }
            // An empty field is an absent value unless it is text.
            let schema = &self.schema;
            let values = self.places.iter().enumerate().map(|(at, place)| {
                let text = *schema.field(at).data_type() == Kind::Text.arrow();
                record.get(*place).filter(|field| text || !field.is_empty())
            });
            self.builder.push(values)?;
        }
        self.builder.take()
    }
}

impl CsvSource {
    fn of_reader(&self, error: ::csv::Error, row: u64) -> DataError {
        match error.into_kind() {
            ::csv::ErrorKind::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                DataError::RowTooLong {
                    row,
                    limit: MAX_ROW_BYTES,
                }
            }
            ::csv::ErrorKind::Io(error) => DataError::lost(&self.origin.source, error),
            other => DataError::malformed(&self.origin.source, format!("row {row}: {other:?}")),
        }
    }
}

/// A file that is written.
#[derive(Debug)]
pub struct CsvSink {
    path: PathBuf,
    writer: Option<::csv::Writer<Unnamed>>,
}

impl CsvSink {
    /// A file of this name; one that is there is replaced when the new one is whole.
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            writer: None,
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> DataError {
        DataError::target(self.path.display(), why)
    }
}

impl Sink for CsvSink {
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataError> {
        let mut writer = ::csv::Writer::from_writer(Unnamed::create(&self.path)?);
        writer
            .write_record(names(schema))
            .map_err(|error| self.failed(error))?;
        self.writer = Some(writer);
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let columns = Column::all(batch)?;
        let path = self.path.display().to_string();
        let Some(writer) = &mut self.writer else {
            return Err(self.failed("not begun"));
        };
        for row in 0..batch.num_rows() {
            for column in &columns {
                let value = column.text(row).unwrap_or_default();
                writer
                    .write_field(value.as_bytes())
                    .map_err(|error| DataError::target(&path, error))?;
            }
            writer
                .write_record(None::<&[u8]>)
                .map_err(|error| DataError::target(&path, error))?;
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>, _delivery: &mut Delivery) -> Result<Outcome, DataError> {
        let writer = self.writer.take().ok_or_else(|| self.failed("not begun"))?;
        writer
            .into_inner()
            .map_err(|error| self.failed(error.error()))?
            .name()
    }

    fn abort(self: Box<Self>) {
        drop(self);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(bytes: &[u8], select: &str) -> Result<Vec<RecordBatch>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, bytes).unwrap();
        let mut source = CsvSource::open(&path, &select.parse().unwrap())?;
        let mut batches = Vec::new();
        while let Some(batch) = source.next()? {
            batches.push(batch);
        }
        Ok(batches)
    }

    #[test]
    fn what_the_selection_says_of_types_is_checked_row_by_row() {
        let file = "\u{feff}code,n\n440106,1\n440104,\n".as_bytes();
        let batches = read(file, "code,n:integer").unwrap();
        let columns = Column::all(&batches[0]).unwrap();
        assert_eq!(columns[0].text(0).as_deref(), Some("440106"));
        assert_eq!(columns[1].text(1), None);
        let wrong = read(b"code,n\n440106,1\n440104,x\n", "n:integer");
        assert!(
            matches!(wrong, Err(DataError::Value { row: 2, .. })),
            "{wrong:?}"
        );
    }

    #[test]
    fn uneven_rows_foreign_bytes_and_open_quotes_are_refused() {
        for wrong in [&b"a,b\n1\n"[..], b"a,b\n1,\xff\n", b""] {
            assert!(
                matches!(read(wrong, ""), Err(DataError::Malformed { .. })),
                "{wrong:?}"
            );
        }
        let mut open = b"a\n\"".to_vec();
        open.resize(MAX_ROW_BYTES + 100, b'x');
        assert!(matches!(
            read(&open, ""),
            Err(DataError::RowTooLong { row: 1, .. })
        ));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_gives_no_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        fs::write(&path, "a\n1\n").unwrap();
        let mut source = CsvSource::open(&path, &Selection::default()).unwrap();
        fs::write(&path, "a\n1\n2\n").unwrap();
        assert!(matches!(source.next(), Err(DataError::Inconsistent { .. })));
    }
}
