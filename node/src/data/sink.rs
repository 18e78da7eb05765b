//! The trait of targets: a delivery appears in one whole or not at all.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::csv::CsvSink;
use super::folder::{FolderSink, Layout};
use super::objects::ObjectFolder;
use super::parquet::{FileKey, ParquetSink};
use super::record::{Delivery, DeliveryId, Outcome};
use super::table::TableSink;
use super::{DataError, TargetAddress};

/// A target that takes one delivery.
pub trait Sink {
    /// Begins a delivery of these columns. Nothing can be seen of it yet.
    ///
    /// # Errors
    /// [`DataError::Delivered`] when the target has it already; otherwise why it cannot be taken.
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataError>;

    /// Takes rows. Nothing can be seen of them yet.
    ///
    /// # Errors
    /// [`DataError`]; then [`Sink::abort`] follows.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError>;

    /// Shows the delivery, with its record, in one step.
    ///
    /// # Errors
    /// [`DataError`]; then nothing is shown.
    fn commit(self: Box<Self>, delivery: &mut Delivery) -> Result<Outcome, DataError>;

    /// Removes what was written.
    fn abort(self: Box<Self>);
}

/// How a target takes a delivery.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The delivery's name.
    pub delivery: DeliveryId,
    /// By what a folder is partitioned.
    pub layout: Option<Layout>,
    /// The key with which files rest encrypted.
    pub key: Option<FileKey>,
    /// Whether it is a whole snapshot, so that what it does not hold is gone.
    pub whole: bool,
}

/// Opens a target.
///
/// # Errors
/// [`DataError`] when it cannot be reached, or not in this manner.
pub fn open(address: &TargetAddress, manner: Manner) -> Result<Box<dyn Sink>, DataError> {
    let Manner {
        delivery,
        layout,
        key,
        whole,
    } = manner;
    let layout = || layout.ok_or_else(|| DataError::Address("folder, s3: --division".into()));
    match address {
        TargetAddress::Table(_) | TargetAddress::Csv(_) if key.is_some() => Err(DataError::Key(
            "表与 CSV 不用密钥 (tables and CSV take no key)".into(),
        )),
        TargetAddress::Table(table) => Ok(Box::new(TableSink::new(table, delivery, whole))),
        TargetAddress::Csv(path) => Ok(Box::new(CsvSink::new(path))),
        TargetAddress::Parquet(path) => Ok(Box::new(ParquetSink::new(path, key))),
        TargetAddress::Folder(folder) => {
            let layout = layout()?;
            Ok(Box::new(FolderSink::new(
                ObjectFolder::local(folder)?,
                delivery,
                layout,
                key,
            )?))
        }
        TargetAddress::S3 { bucket, prefix } => {
            let layout = layout()?;
            Ok(Box::new(FolderSink::new(
                ObjectFolder::bucket(bucket, prefix)?,
                delivery,
                layout,
                key,
            )?))
        }
    }
}
