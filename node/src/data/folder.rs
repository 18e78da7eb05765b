//! A folder of Parquet files that another system reads as it lies: partitioned as Hive does it, by division and by date.
//!
//! ```text
//! FOLDER/delivery=20260309T120000Z/division=440106/date=2026-03-09/part-0.parquet
//!                                  division=__HIVE_DEFAULT_PARTITION__/…      rows whose division is absent, malformed or unknown
//!                                  _manifest.json                             the record of the delivery, with every file's digest
//! ```
//!
//! The column with the division stays in the files as it came. A column that has the name of a partition is called `source_…` there.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use identity::Digest;
use jiff::civil::Date;
use sharing::return_flow::Divisions;

use super::columns::{Column, names, position};
use super::objects::ObjectFolder;
use super::parquet::{FileKey, encode};
use super::record::{Delivery, DeliveryId, Outcome, Part};
use super::{BATCH_BYTES, DataError, Sink};

/// The partition of what has none, as Hive, Spark and DuckDB write it.
pub const NO_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";
/// The names of partitions, which no column of a file may have.
const PARTITIONS: [&str; 3] = ["delivery", "division", "date"];
/// Bytes of rows kept before the largest partition is written.
const MAX_BUFFERED_BYTES: usize = 64 << 20;
/// Most dates in one delivery: ten years of days. A date column that holds moments of birth is a mistake.
const MAX_PARTITIONS: usize = sharing::return_flow::divisions::MAX_DIVISIONS * 4;
/// Characters of a date at the beginning of a day or moment.
const DATE_LENGTH: usize = 10;

/// By what rows are partitioned.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The column with the division's code of 6, 9 or 12 digits.
    pub division: String,
    /// The column with the date; the day of the delivery when there is none.
    pub date_column: Option<String>,
    /// The day of the delivery.
    pub day: Date,
}

/// Rows of one partition that are not written yet.
#[derive(Debug, Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    rows: u64,
    bytes: usize,
}

/// Division and date of a row.
type Partition = (String, String);

/// A folder that takes one delivery.
pub struct FolderSink {
    objects: ObjectFolder,
    delivery: DeliveryId,
    layout: Layout,
    divisions: &'static Divisions,
    key: Option<FileKey>,
    schema: SchemaRef,
    division: usize,
    date: Option<usize>,
    waiting: BTreeMap<Partition, Waiting>,
    buffered: usize,
    /// How many files each partition has.
    written: BTreeMap<Partition, usize>,
    parts: Vec<Part>,
    unplaced: u64,
    /// Whether anything of the delivery may have been written, so that there is something to remove.
    begun: bool,
}

impl FolderSink {
    /// A delivery into a folder.
    ///
    /// # Errors
    /// [`DataError::Target`] when the table of divisions in this program is damaged.
    pub fn new(
        objects: ObjectFolder,
        delivery: DeliveryId,
        layout: Layout,
        key: Option<FileKey>,
    ) -> Result<Self, DataError> {
        let divisions =
            crate::delivery::divisions().map_err(|why| DataError::target(objects.shown(), why))?;
        Ok(Self {
            objects,
            delivery,
            layout,
            divisions,
            key,
            schema: Arc::new(Schema::empty()),
            division: 0,
            date: None,
            waiting: BTreeMap::new(),
            buffered: 0,
            written: BTreeMap::new(),
            parts: Vec::new(),
            unplaced: 0,
            begun: false,
        })
    }

    /// The partition of a row; without a division of the tree, or without a date, it is counted as unplaced.
    fn partition(&mut self, columns: &[Column<'_>], row: usize) -> Partition {
        let division = columns
            .get(self.division)
            .and_then(|column| column.text(row));
        let division = division.and_then(|code| self.divisions.owner(&code));
        let date = match self.date {
            None => Some(self.layout.day.to_string()),
            Some(at) => columns
                .get(at)
                .and_then(|column| column.text(row))
                .and_then(|text| {
                    let day: Date = text.get(..DATE_LENGTH)?.parse().ok()?;
                    Some(day.to_string())
                }),
        };
        if division.is_none() || date.is_none() {
            self.unplaced += 1;
        }
        let or_none = |name: Option<String>| name.unwrap_or_else(|| NO_PARTITION.to_owned());
        (or_none(division), or_none(date))
    }

    /// Writes a partition's waiting rows as one more file of it.
    fn flush(&mut self, partition: &Partition) -> Result<(), DataError> {
        let Some(waiting) = self.waiting.remove(partition) else {
            return Ok(());
        };
        self.buffered = self.buffered.saturating_sub(waiting.bytes);
        let bytes = encode(&waiting.batches, self.key.as_ref())?;
        let number = self.written.entry(partition.clone()).or_default();
        let (division, date) = partition;
        let path = format!("division={division}/date={date}/part-{number}.parquet");
        *number += 1;
        self.parts.push(Part {
            path: path.clone(),
            rows: waiting.rows,
            bytes: bytes.len() as u64,
            digest: Digest::object(&bytes).to_string(),
        });
        self.objects.put(&self.delivery, &path, bytes)
    }

    fn flush_largest(&mut self) -> Result<(), DataError> {
        let largest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.bytes);
        match largest.map(|(partition, _)| partition.clone()) {
            Some(partition) => self.flush(&partition),
            None => Ok(()),
        }
    }
}

/// The columns of the files.
fn renamed(schema: &SchemaRef) -> Result<SchemaRef, DataError> {
    let found = names(schema);
    let mut fields = Vec::new();
    for field in schema.fields() {
        let name = field.name();
        if PARTITIONS.contains(&name.as_str()) {
            let name = format!("source_{name}");
            if found.contains(&name) {
                return Err(DataError::ColumnTwice(name));
            }
            fields.push(Field::new(name, field.data_type().clone(), true));
        } else {
            fields.push(field.as_ref().clone());
        }
    }
    Ok(Arc::new(Schema::new(fields)))
}

impl Sink for FolderSink {
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataError> {
        let found = names(schema);
        self.division = position(&found, &self.layout.division)?;
        self.date = self
            .layout
            .date_column
            .as_deref()
            .map(|name| position(&found, name))
            .transpose()?;
        self.schema = renamed(schema)?;
        self.objects.begin(&self.delivery)?;
        self.begun = true;
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let columns = Column::all(batch)?;
        let mut rows: BTreeMap<Partition, Vec<u64>> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            let partition = self.partition(&columns, row);
            rows.entry(partition).or_default().push(row as u64);
        }
        let failed = |error: arrow_schema::ArrowError| DataError::malformed("batch", error);
        let named = RecordBatch::try_new(Arc::clone(&self.schema), batch.columns().to_vec())
            .map_err(failed)?;
        for (partition, rows) in rows {
            let taken = take_record_batch(&named, &UInt64Array::from(rows)).map_err(failed)?;
            let waiting = self.waiting.entry(partition).or_default();
            let bytes = taken.get_array_memory_size();
            waiting.rows += taken.num_rows() as u64;
            waiting.bytes += bytes;
            waiting.batches.push(taken);
            self.buffered += bytes;
        }
        if self.waiting.len() + self.written.len() > MAX_PARTITIONS {
            return Err(DataError::target(
                self.objects.shown(),
                format!("> {MAX_PARTITIONS} division × date"),
            ));
        }
        while self.buffered > MAX_BUFFERED_BYTES.max(4 * BATCH_BYTES) {
            self.flush_largest()?;
        }
        Ok(())
    }

    fn commit(mut self: Box<Self>, delivery: &mut Delivery) -> Result<Outcome, DataError> {
        let shown = self.finish(delivery);
        if shown.is_err() {
            self.abort();
        }
        shown
    }

    fn abort(self: Box<Self>) {
        // A delivery that is there already is not of this attempt.
        if self.begun
            && let Err(error) = self.objects.remove(&self.delivery)
        {
            tracing::warn!(%error, delivery = %self.delivery, "what was written of a delivery that failed stays until the next attempt");
        }
    }
}

impl FolderSink {
    fn finish(&mut self, delivery: &mut Delivery) -> Result<Outcome, DataError> {
        while !self.waiting.is_empty() {
            self.flush_largest()?;
        }
        self.parts.sort();
        let outcome = Outcome::Files {
            folder: ObjectFolder::folder_of(&self.delivery),
            files: std::mem::take(&mut self.parts),
            unplaced: self.unplaced,
            encrypted: self.key.is_some(),
        };
        delivery.outcome = Some(outcome.clone());
        let manifest = serde_json::to_vec_pretty(delivery)
            .map_err(|error| DataError::target(self.objects.shown(), error))?;
        self.objects.show(&self.delivery, manifest)?;
        Ok(outcome)
    }
}
