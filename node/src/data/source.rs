//! The trait of sources, and how one is opened by its address.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

use super::parquet::FileKey;
use super::{DataError, Origin, Selection, SourceAddress};

/// One snapshot of a table, read in bounded batches.
pub trait Source {
    /// Where it comes from, and what the source itself says of the snapshot.
    fn origin(&self) -> &Origin;

    /// The columns that were asked for.
    fn schema(&self) -> &SchemaRef;

    /// The next rows; `None` at the end, and only when what was read is one snapshot and whole.
    ///
    /// # Errors
    /// [`DataError`]; there is no use in going on, and nothing that was read may be shown to anybody.
    fn next(&mut self) -> Result<Option<RecordBatch>, DataError>;
}

/// In what order rows come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order(
    /// The columns by which rows are sorted, as text in the order of its bytes; none when the order does not matter.
    pub Vec<String>,
);

/// Opens a source; a key is for Parquet that rests encrypted. An order is made where the source can sort; elsewhere rows come as they stand, and who needs an order checks it.
///
/// # Errors
/// [`DataError`] when it cannot be reached or does not have what is asked for.
pub fn open(
    address: &SourceAddress,
    selection: &Selection,
    order: &Order,
    key: Option<&FileKey>,
) -> Result<Box<dyn Source>, DataError> {
    if key.is_some() && !matches!(address, SourceAddress::Parquet(_)) {
        return Err(DataError::Key(
            "只有 Parquet 用密钥 (Parquet alone takes a key)".into(),
        ));
    }
    Ok(match address {
        SourceAddress::Postgres(table) => Box::new(super::postgres::PostgresSource::open(
            table, selection, order,
        )?),
        SourceAddress::Csv(path) => Box::new(super::csv::CsvSource::open(path, selection)?),
        SourceAddress::Parquet(path) => {
            Box::new(super::parquet::ParquetSource::open(path, selection, key)?)
        }
        SourceAddress::Http(service) => {
            Box::new(super::http::HttpSource::open(service, selection)?)
        }
    })
}
