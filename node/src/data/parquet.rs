//! Parquet files as sources and targets, and the key with which they rest encrypted (Parquet's own modular encryption, AES-GCM).

use std::fmt;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::basic::Compression;
use ::parquet::encryption::decrypt::FileDecryptionProperties;
use ::parquet::encryption::encrypt::FileEncryptionProperties;
use ::parquet::errors::ParquetError;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{ChunkReader, Length};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Int8Type, Int16Type, Int32Type, TimestampMicrosecondType,
    TimestampMillisecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, PrimitiveArray, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, SchemaRef, TimeUnit};
use bytes::Bytes;

use super::columns::Kind;
use super::file::{Unnamed, Watched};
use super::record::{Delivery, Origin, Outcome};
use super::{BATCH_BYTES, BATCH_ROWS, DataError, MAX_ROW_BYTES, Selection, Sink, Source};
use crate::storage::objects::ObjectReader;

/// Digits of a key's file: AES-256.
const KEY_DIGITS: usize = 64;
/// Most rows of a row group that is written: some hundred megabytes of a wide table stay in memory.
const MAX_GROUP_ROWS: usize = 128 << 10;
/// Most bytes for which room is made before they are there: a file may say anything of itself.
const MAX_READ_BYTES: usize = 16 << 20;

/// The key with which files rest encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey([u8; KEY_DIGITS / 2]);

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey")
    }
}

impl FileKey {
    /// Reads a key from the text of its file.
    ///
    /// # Errors
    /// [`DataError::Key`].
    pub fn of_text(text: &str) -> Result<Self, DataError> {
        let wrong = || DataError::Key(format!("{} characters", text.trim().chars().count()));
        let mut key = [0; KEY_DIGITS / 2];
        hex::decode_to_slice(text.trim(), &mut key).map_err(|_| wrong())?;
        Ok(Self(key))
    }
}

/// How files are written.
///
/// # Errors
/// [`DataError::Key`] when the key is not taken.
pub(super) fn properties(key: Option<&FileKey>) -> Result<WriterProperties, DataError> {
    let builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(MAX_GROUP_ROWS));
    Ok(match key {
        None => builder.build(),
        Some(FileKey(key)) => {
            let encryption = FileEncryptionProperties::builder(key.to_vec()).build();
            let encryption = encryption.map_err(|error| DataError::Key(error.to_string()))?;
            builder.with_file_encryption_properties(encryption).build()
        }
    })
}

/// The kind that a type of a file is read as; whole and floating-point numbers and times are widened, never narrowed.
fn read_as(field: &Field) -> Result<Kind, DataError> {
    match field.data_type() {
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => Ok(Kind::Integer),
        DataType::Float32 => Ok(Kind::Real),
        DataType::LargeUtf8 | DataType::Utf8View => Ok(Kind::Text),
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, Some(_)) => {
            Ok(Kind::Moment)
        }
        DataType::Timestamp(TimeUnit::Millisecond | TimeUnit::Microsecond, None) => {
            Ok(Kind::LocalTime)
        }
        _ => Kind::of_field(field),
    }
}

/// A column as the kind that it is read as.
fn widened(field: &Field, array: &ArrayRef, kind: Kind) -> Result<ArrayRef, DataError> {
    /// A column of numbers in a wider type.
    macro_rules! wider {
        ($from:ty, $into:ty) => {
            array.as_primitive_opt::<$from>().map(|values| {
                Arc::new(<$into>::from_iter(
                    values.iter().map(|value| value.map(Into::into)),
                )) as ArrayRef
            })
        };
    }
    let moment = |values: PrimitiveArray<TimestampMicrosecondType>| -> ArrayRef {
        Arc::new(values.with_data_type(kind.arrow()))
    };
    let changed = match field.data_type() {
        DataType::Int8 => wider!(Int8Type, Int64Array),
        DataType::Int16 => wider!(Int16Type, Int64Array),
        DataType::Int32 => wider!(Int32Type, Int64Array),
        DataType::UInt8 => wider!(UInt8Type, Int64Array),
        DataType::UInt16 => wider!(UInt16Type, Int64Array),
        DataType::UInt32 => wider!(UInt32Type, Int64Array),
        DataType::Float32 => wider!(Float32Type, Float64Array),
        DataType::LargeUtf8 => array
            .as_string_opt::<i64>()
            .map(|values| Arc::new(StringArray::from_iter(values.iter())) as ArrayRef),
        DataType::Utf8View => array
            .as_string_view_opt()
            .map(|values| Arc::new(StringArray::from_iter(values.iter())) as ArrayRef),
        DataType::Timestamp(TimeUnit::Millisecond, _) => array
            .as_primitive_opt::<TimestampMillisecondType>()
            .map(|values| {
                let micros = values
                    .iter()
                    .map(|value| value.and_then(|value| value.checked_mul(1_000)));
                moment(PrimitiveArray::from_iter(micros))
            }),
        DataType::Timestamp(TimeUnit::Microsecond, _) => array
            .as_primitive_opt::<TimestampMicrosecondType>()
            .cloned()
            .map(moment),
        _ => Some(Arc::clone(array)),
    };
    changed.ok_or_else(|| DataError::TypeChanged {
        column: field.name().clone(),
        expected: kind.word().to_owned(),
        found: array.data_type().to_string(),
    })
}

/// A file that is read as one snapshot.
pub struct ParquetSource {
    origin: Origin,
    schema: SchemaRef,
    /// Where each column of the schema stands among those the reader gives, and its kind.
    places: Vec<(usize, Kind)>,
    reader: ParquetRecordBatchReader,
    /// None for an object of the store, which cannot change unseen.
    watched: Option<Watched>,
    came: u64,
}

impl Length for ObjectReader {
    fn len(&self) -> u64 {
        self.length()
    }
}

impl ChunkReader for ObjectReader {
    type T = BufReader<Self>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut reader = self.again()?;
        reader.seek(SeekFrom::Start(start))?;
        Ok(BufReader::new(reader))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut reader = self.again()?;
        reader.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::with_capacity(length.min(MAX_READ_BYTES));
        reader.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start}")));
        }
        Ok(bytes.into())
    }
}

impl ParquetSource {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DataError`] when it cannot be read, lacks a column, or has one of a type that the data plane does not know.
    pub fn open(
        path: &Path,
        selection: &Selection,
        key: Option<&FileKey>,
    ) -> Result<Self, DataError> {
        let (watched, file) = Watched::open(path)?;
        let name = path.display().to_string();
        Self::read(file, &name, Some(watched), (selection, key))
    }

    /// Opens an object of the store, all columns of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn object(object: ObjectReader, name: &str) -> Result<Self, DataError> {
        Self::read(object, name, None, (&Selection::default(), None))
    }

    fn read<R: ChunkReader + 'static>(
        file: R,
        name: &str,
        watched: Option<Watched>,
        (selection, key): (&Selection, Option<&FileKey>),
    ) -> Result<Self, DataError> {
        let malformed = |error: ParquetError| DataError::malformed(name, error);
        let mut options = ArrowReaderOptions::new();
        if let Some(FileKey(key)) = key {
            let decryption = FileDecryptionProperties::builder(key.to_vec()).build();
            options = options.with_file_decryption_properties(
                decryption.map_err(|error| DataError::Key(error.to_string()))?,
            );
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(malformed)?;
        let fields = builder.schema().fields().clone();
        let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
        // Columns that are not asked for may be of any type.
        let kinds: Vec<Kind> = fields
            .iter()
            .map(|field| read_as(field).unwrap_or(Kind::Text))
            .collect();
        let (places, schema) = selection.schema(&names, &kinds)?;
        for at in &places {
            read_as(&fields[*at])?;
        }
        // The reader gives the columns that it reads in the order of the file.
        let mut read = places.clone();
        read.sort_unstable();
        let among = |at: &usize| {
            read.iter()
                .position(|other| other == at)
                .unwrap_or_default()
        };
        let places = places.iter().map(|at| (among(at), kinds[*at])).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), read);
        let rows = builder.metadata().file_metadata().num_rows();
        let stated =
            u64::try_from(rows).map_err(|_| DataError::malformed(name, "negative rows"))?;
        let size = batch_rows(&builder);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(size)
            .build()
            .map_err(malformed)?;
        let origin = Origin {
            source: format!("parquet:{name}"),
            query: None,
            snapshot: watched.as_ref().map(Watched::snapshot),
            rows: Some(stated),
        };
        Ok(Self {
            origin,
            schema,
            places,
            reader,
            watched,
            came: 0,
        })
    }
}

impl ParquetSource {
    /// That the file is still what it was when it was opened.
    fn check(&self) -> Result<(), DataError> {
        self.watched.as_ref().map_or(Ok(()), Watched::check)
    }
}

/// Rows of a batch, so that one stays near [`BATCH_BYTES`]: as the file's own account has it of its widest group.
fn batch_rows<R: ChunkReader>(builder: &ParquetRecordBatchReaderBuilder<R>) -> usize {
    let per_row = |group: &::parquet::file::metadata::RowGroupMetaData| {
        let rows = usize::try_from(group.num_rows()).unwrap_or(0).max(1);
        usize::try_from(group.total_byte_size()).unwrap_or(usize::MAX) / rows
    };
    let widest = builder
        .metadata()
        .row_groups()
        .iter()
        .map(per_row)
        .max()
        .unwrap_or(0);
    (BATCH_BYTES / widest.max(1)).clamp(1, BATCH_ROWS)
}

impl Source for ParquetSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        let Some(batch) = self.reader.next() else {
            self.check()?;
            return match self.origin.rows {
                Some(stated) if stated != self.came => Err(DataError::Counted {
                    stated,
                    came: self.came,
                }),
                _ => Ok(None),
            };
        };
        // A file that was cut short while it was read is lost rather than malformed.
        let batch = batch.map_err(|error| match self.check() {
            Ok(()) => DataError::malformed(&self.origin.source, error),
            Err(changed) => changed,
        })?;
        if batch.num_rows() == 1 && batch.get_array_memory_size() > 4 * MAX_ROW_BYTES {
            return Err(DataError::RowTooLong {
                row: self.came + 1,
                limit: MAX_ROW_BYTES,
            });
        }
        self.came += batch.num_rows() as u64;
        let given = batch.schema();
        let columns = self
            .places
            .iter()
            .map(|(at, kind)| widened(given.field(*at), batch.column(*at), *kind));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map(Some)
            .map_err(|error| DataError::malformed(&self.origin.source, error))
    }
}

/// A file that is written.
pub struct ParquetSink {
    path: PathBuf,
    key: Option<FileKey>,
    writer: Option<ArrowWriter<Unnamed>>,
}

impl ParquetSink {
    /// A file of this name; one that is there is replaced when the new one is whole.
    pub fn new(path: &Path, key: Option<FileKey>) -> Self {
        Self {
            path: path.to_owned(),
            key,
            writer: None,
        }
    }

    fn failed(&self, why: impl fmt::Display) -> DataError {
        DataError::target(self.path.display(), why)
    }
}

impl Sink for ParquetSink {
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataError> {
        let properties = properties(self.key.as_ref())?;
        let file = Unnamed::create(&self.path)?;
        let writer = ArrowWriter::try_new(file, Arc::clone(schema), Some(properties));
        self.writer = Some(writer.map_err(|error| self.failed(error))?);
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let path = self.path.display().to_string();
        let Some(writer) = &mut self.writer else {
            return Err(self.failed("not begun"));
        };
        writer
            .write(batch)
            .map_err(|error| DataError::target(&path, error))?;
        // A group of large rows is closed early.
        if writer.in_progress_size() > 16 * BATCH_BYTES {
            writer
                .flush()
                .map_err(|error| DataError::target(&path, error))?;
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>, _delivery: &mut Delivery) -> Result<Outcome, DataError> {
        let writer = self.writer.take().ok_or_else(|| self.failed("not begun"))?;
        let mut file = writer.into_inner().map_err(|error| self.failed(error))?;
        file.flush().map_err(|error| self.failed(error))?;
        file.name()
    }

    fn abort(self: Box<Self>) {
        drop(self);
    }
}

/// Batches as the bytes of one file.
///
/// # Errors
/// [`DataError`] when the key is not taken or Arrow refuses a batch.
pub(super) fn encode(batches: &[RecordBatch], key: Option<&FileKey>) -> Result<Vec<u8>, DataError> {
    let first = batches
        .first()
        .ok_or_else(|| DataError::malformed("parquet", "no batch"))?;
    let failed = |error: ParquetError| DataError::malformed("parquet", error);
    let mut writer =
        ArrowWriter::try_new(Vec::new(), first.schema(), Some(properties(key)?)).map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    writer.into_inner().map_err(failed)
}

/// The schema of a table with these columns, for tests.
#[cfg(test)]
pub(super) fn text_schema(columns: &[&str]) -> SchemaRef {
    super::columns::schema(columns.iter().map(|name| ((*name).to_owned(), Kind::Text)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_array::{Int32Array, TimestampMillisecondArray};
    use arrow_schema::Schema;

    use super::super::columns::Column;
    use super::*;

    /// A file with a number of 32 bits, a text and a column of a type that is not known.
    fn written(path: &Path, rows: i32) {
        let schema = Arc::new(Schema::new(vec![
            Field::new("n", DataType::Int32, true),
            Field::new(
                "at",
                DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
                true,
            ),
            Field::new("name", DataType::Utf8, true),
            Field::new("odd", DataType::UInt64, true),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter((0..rows).map(Some))),
            Arc::new(
                TimestampMillisecondArray::from_iter((0..rows).map(|n| Some(i64::from(n))))
                    .with_timezone("UTC"),
            ),
            Arc::new(StringArray::from_iter(
                (0..rows).map(|n| (n != 1).then(|| format!("n{n}"))),
            )),
            Arc::new(arrow_array::UInt64Array::from_iter(
                (0..rows).map(|_| Some(u64::MAX)),
            )),
        ];
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        fs::write(path, encode(&[batch], None).unwrap()).unwrap();
    }

    #[test]
    fn selected_columns_are_widened_and_stand_in_the_order_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        written(&path, 3);
        let mut source =
            ParquetSource::open(&path, &"name,at,n:integer".parse().unwrap(), None).unwrap();
        assert_eq!(source.origin().rows, Some(3));
        let batch = source.next().unwrap().unwrap();
        let columns = Column::all(&batch).unwrap();
        let row = |at: usize| {
            columns
                .iter()
                .map(|c| c.text(at).map(|v| v.into_owned()))
                .collect::<Vec<_>>()
        };
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(
            row(2),
            [text("n2"), text("1970-01-01T00:00:00.002Z"), text("2")]
        );
        assert_eq!(row(1)[0], None);
        assert!(source.next().unwrap().is_none());
        assert!(
            matches!(
                ParquetSource::open(&path, &Selection::default(), None),
                Err(DataError::TypeChanged { .. })
            ),
            "odd"
        );
    }

    #[test]
    fn a_damaged_file_and_one_that_changes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        written(&path, 3);
        let selection: Selection = "n".parse().unwrap();
        let mut source = ParquetSource::open(&path, &selection, None).unwrap();
        let bytes = fs::read(&path).unwrap();
        written(&path, 4);
        let ended = std::iter::from_fn(|| source.next().transpose()).find_map(Result::err);
        assert!(
            matches!(ended, Some(DataError::Inconsistent { .. })),
            "{ended:?}"
        );
        for cut in [0, 4, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&path, &bytes[..cut]).unwrap();
            assert!(
                matches!(
                    ParquetSource::open(&path, &selection, None),
                    Err(DataError::Malformed { .. })
                ),
                "{cut}"
            );
        }
    }

    #[test]
    fn an_encrypted_file_is_not_read_without_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let batch = RecordBatch::try_new(
            text_schema(&["name"]),
            vec![Arc::new(StringArray::from(vec!["李四"]))],
        )
        .unwrap();
        let key = FileKey::of_text(&format!(" {}\n", "0f".repeat(32))).unwrap();
        let bytes = encode(&[batch], Some(&key)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == "李四".as_bytes()));
        assert!(
            bytes.starts_with(b"PARE"),
            "the mark of an encrypted footer"
        );
        fs::write(&path, bytes).unwrap();
        assert!(ParquetSource::open(&path, &Selection::default(), None).is_err());
        let mut opened = ParquetSource::open(&path, &Selection::default(), Some(&key)).unwrap();
        let batch = opened.next().unwrap().unwrap();
        let column = &Column::all(&batch).unwrap()[0];
        assert_eq!(column.text(0).as_deref(), Some("李四"));
        let other = FileKey::of_text(&"0e".repeat(32)).unwrap();
        assert!(ParquetSource::open(&path, &Selection::default(), Some(&other)).is_err());
        assert!(FileKey::of_text("0001").is_err());
    }
}
