//! Columns: the types that the data plane knows, their values as text, and batches that are built row by row.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::civil;

use super::{BATCH_BYTES, BATCH_ROWS, DataError, MAX_COLUMNS, MAX_ROW_BYTES};

/// The type of a column. Decimal numbers are text, so that no digit is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text in UTF-8.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A floating-point number of 64 bits.
    Real,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment, in microseconds UTC.
    Moment,
    /// A day and time of no zone, in microseconds.
    LocalTime,
    /// Bytes; as text `\x` and hexadecimal.
    Bytes,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Text,
        Kind::Integer,
        Kind::Real,
        Kind::Boolean,
        Kind::Date,
        Kind::Moment,
        Kind::LocalTime,
        Kind::Bytes,
    ];

    /// Its word on the command line and in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Moment => "moment",
            Self::LocalTime => "local-time",
            Self::Bytes => "bytes",
        }
    }

    /// Its type in Arrow.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Boolean => DataType::Boolean,
            Self::Date => DataType::Date32,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Self::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Bytes => DataType::Binary,
        }
    }

    /// The kind of an Arrow type that is one of ours exactly.
    pub fn of(data: &DataType) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.arrow() == *data)
    }

    /// The kind of a column.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] when its type is none of ours.
    pub fn of_field(field: &Field) -> Result<Self, DataError> {
        Self::of(field.data_type()).ok_or_else(|| DataError::TypeChanged {
            column: field.name().clone(),
            expected: Self::ALL.map(Self::word).join(", "),
            found: field.data_type().to_string(),
        })
    }
}

impl FromStr for Kind {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let known =
            || DataError::Address(format!("{text}: {}", Self::ALL.map(Self::word).join(", ")));
        Self::ALL
            .into_iter()
            .find(|kind| kind.word() == text)
            .ok_or_else(known)
    }
}

/// The columns that are asked for, with their types where they are stated; all when it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    columns: Vec<(String, Option<Kind>)>,
}

impl FromStr for Selection {
    type Err = DataError;

    /// Reads `code,name,born:date`.
    fn from_str(text: &str) -> Result<Self, DataError> {
        let mut selection = Self::default();
        for item in text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
        {
            let (name, kind) = match item.rsplit_once(':') {
                Some((name, kind)) => (name, Some(kind.parse()?)),
                None => (item, None),
            };
            if selection.columns.iter().any(|(known, _)| known == name) {
                return Err(DataError::ColumnTwice(name.to_owned()));
            }
            selection.columns.push((name.to_owned(), kind));
        }
        check_count(selection.columns.len())?;
        Ok(selection)
    }
}

fn check_count(columns: usize) -> Result<(), DataError> {
    if columns > MAX_COLUMNS {
        Err(DataError::TooManyColumns(columns))
    } else {
        Ok(())
    }
}

impl Selection {
    /// Where the columns that are asked for stand among those of a table, in the order asked for, with the kind stated.
    ///
    /// # Errors
    /// [`DataError`] when one is not there, when a name stands twice, or there are too many.
    pub fn within(&self, names: &[String]) -> Result<Vec<(usize, Option<Kind>)>, DataError> {
        let mut sorted: Vec<_> = names.iter().collect();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DataError::ColumnTwice(pair[0].clone()));
        }
        if self.columns.is_empty() {
            check_count(names.len())?;
            return Ok((0..names.len()).map(|at| (at, None)).collect());
        }
        let place =
            |(wanted, kind): &(String, Option<Kind>)| position(names, wanted).map(|at| (at, *kind));
        self.columns.iter().map(place).collect()
    }

    /// The schema of the selected columns, where a kind that was stated has to be the one that is there.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] and what [`Selection::within`] gives.
    pub fn schema(
        &self,
        names: &[String],
        kinds: &[Kind],
    ) -> Result<(Vec<usize>, SchemaRef), DataError> {
        let mut places = Vec::new();
        let mut columns = Vec::new();
        for (at, stated) in self.within(names)? {
            let found = kinds.get(at).copied().unwrap_or(Kind::Text);
            if let Some(stated) = stated.filter(|stated| *stated != found) {
                return Err(DataError::TypeChanged {
                    column: names[at].clone(),
                    expected: stated.word().to_owned(),
                    found: found.word().to_owned(),
                });
            }
            places.push(at);
            columns.push((names[at].clone(), found));
        }
        Ok((places, schema(columns)))
    }
}

/// Where a column stands.
///
/// # Errors
/// [`DataError::NoColumn`].
pub fn position(names: &[String], wanted: &str) -> Result<usize, DataError> {
    names
        .iter()
        .position(|name| name == wanted)
        .ok_or_else(|| DataError::NoColumn {
            column: wanted.to_owned(),
            found: names.to_vec(),
        })
}

/// The names of a schema.
pub fn names(schema: &Schema) -> Vec<String> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect()
}

/// A schema of these columns; any value may be absent.
pub fn schema(columns: impl IntoIterator<Item = (String, Kind)>) -> SchemaRef {
    let field = |(name, kind): (String, Kind)| Field::new(name, kind.arrow(), true);
    Arc::new(Schema::new(
        columns.into_iter().map(field).collect::<Vec<_>>(),
    ))
}

/// Values of one column on the way into a batch.
#[derive(Debug)]
enum Cells {
    Text(StringBuilder),
    Integer(Int64Builder),
    Real(Float64Builder),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Moment(TimestampMicrosecondBuilder),
    LocalTime(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
}

const EPOCH: civil::Date = civil::date(1970, 1, 1);

fn days(text: &str) -> Option<i32> {
    let day: civil::Date = text.parse().ok()?;
    (day - EPOCH).get_days().into()
}

/// Microseconds since 1970 of a day and time without a zone.
fn local_micros(text: &str) -> Option<i64> {
    let time: civil::DateTime = text.parse().ok()?;
    let stamp = jiff::tz::TimeZone::UTC.to_timestamp(time).ok()?;
    Some(stamp.as_microsecond())
}

/// Microseconds since 1970 of a moment; `+00` as PostgreSQL writes it, or any zone of RFC 3339.
fn micros(text: &str) -> Option<i64> {
    if let Some(utc) = text.strip_suffix("+00") {
        return local_micros(utc);
    }
    let stamp: jiff::Timestamp = text.parse().ok()?;
    Some(stamp.as_microsecond())
}

impl Cells {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(StringBuilder::new()),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Moment => Self::Moment(
                TimestampMicrosecondBuilder::new().with_data_type(Kind::Moment.arrow()),
            ),
            Kind::LocalTime => Self::LocalTime(TimestampMicrosecondBuilder::new()),
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
        }
    }

    /// Takes a value; false when it is not of this kind.
    fn push(&mut self, value: Option<&str>) -> bool {
        /// Appends what was read, and says whether a value that is there could be read.
        macro_rules! append {
            ($builder:expr, $read:expr) => {{
                let read = value.map($read);
                let right = !matches!(read, Some(None));
                $builder.append_option(read.flatten());
                right
            }};
        }
        match self {
            Self::Text(cells) => append!(cells, Some),
            Self::Integer(cells) => append!(cells, |text: &str| text.parse().ok()),
            Self::Real(cells) => append!(cells, |text: &str| text.parse().ok()),
            Self::Boolean(cells) => append!(cells, |text: &str| match text {
                "t" | "true" => Some(true),
                "f" | "false" => Some(false),
                _ => None,
            }),
            Self::Date(cells) => append!(cells, days),
            Self::Moment(cells) => append!(cells, micros),
            Self::LocalTime(cells) => append!(cells, local_micros),
            Self::Bytes(cells) => append!(cells, |text: &str| text
                .strip_prefix("\\x")
                .and_then(|digits| hex::decode(digits).ok())),
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(cells) => Arc::new(cells.finish()),
            Self::Integer(cells) => Arc::new(cells.finish()),
            Self::Real(cells) => Arc::new(cells.finish()),
            Self::Boolean(cells) => Arc::new(cells.finish()),
            Self::Date(cells) => Arc::new(cells.finish()),
            Self::Moment(cells) | Self::LocalTime(cells) => Arc::new(cells.finish()),
            Self::Bytes(cells) => Arc::new(cells.finish()),
        }
    }
}

/// A batch that is built from rows of text.
#[derive(Debug)]
pub struct BatchBuilder {
    schema: SchemaRef,
    kinds: Vec<Kind>,
    cells: Vec<Cells>,
    rows: usize,
    bytes: usize,
    before: u64,
}

impl BatchBuilder {
    /// An empty one.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] when a column's type is none of ours.
    pub fn new(schema: SchemaRef) -> Result<Self, DataError> {
        let kinds = schema.fields().iter().map(|field| Kind::of_field(field));
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            cells: kinds.iter().copied().map(Cells::new).collect(),
            schema,
            kinds,
            rows: 0,
            bytes: 0,
            before: 0,
        })
    }

    /// The number of the next row, from 1.
    pub fn next_row(&self) -> u64 {
        self.before + self.rows as u64 + 1
    }

    /// Takes a row, with a value for every column.
    ///
    /// # Errors
    /// [`DataError::Value`], [`DataError::RowTooLong`]; the batch is then of no use.
    pub fn push<'v>(
        &mut self,
        values: impl IntoIterator<Item = Option<&'v str>>,
    ) -> Result<(), DataError> {
        let row = self.next_row();
        let (mut bytes, mut count) = (0usize, 0usize);
        for (at, value) in values.into_iter().enumerate() {
            bytes = bytes.saturating_add(value.map_or(1, str::len));
            if bytes > MAX_ROW_BYTES {
                return Err(DataError::RowTooLong {
                    row,
                    limit: MAX_ROW_BYTES,
                });
            }
            let Some(cells) = self.cells.get_mut(at) else {
                break;
            };
            if !cells.push(value) {
                return Err(DataError::Value {
                    row,
                    column: self.schema.field(at).name().clone(),
                    expected: self.kinds[at].word(),
                });
            }
            count += 1;
        }
        if count != self.cells.len() {
            let why = format!("row {row}: {count} values, {} columns", self.cells.len());
            return Err(DataError::malformed("row", why));
        }
        self.rows += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Whether it should be handed on.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// What was taken since the last time; `None` when that is nothing.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when Arrow takes it for none.
    pub fn take(&mut self) -> Result<Option<RecordBatch>, DataError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let columns = self.cells.iter_mut().map(Cells::finish).collect();
        self.before += self.rows as u64;
        (self.rows, self.bytes) = (0, 0);
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map(Some)
            .map_err(|error| DataError::malformed("batch", error))
    }
}

/// A column of a batch, whose values are read as text.
#[derive(Debug)]
pub enum Column<'b> {
    /// Text.
    Text(&'b StringArray),
    /// Whole numbers.
    Integer(&'b PrimitiveArray<Int64Type>),
    /// Floating-point numbers.
    Real(&'b PrimitiveArray<Float64Type>),
    /// True or false.
    Boolean(&'b BooleanArray),
    /// Days.
    Date(&'b PrimitiveArray<Date32Type>),
    /// Moments.
    Moment(&'b PrimitiveArray<TimestampMicrosecondType>),
    /// Times of no zone.
    LocalTime(&'b PrimitiveArray<TimestampMicrosecondType>),
    /// Bytes.
    Bytes(&'b BinaryArray),
}

impl<'b> Column<'b> {
    /// All columns of a batch.
    ///
    /// # Errors
    /// [`DataError::TypeChanged`] when one's type is none of ours.
    pub fn all(batch: &'b RecordBatch) -> Result<Vec<Self>, DataError> {
        let schema = batch.schema_ref();
        let fields = schema.fields().iter().zip(batch.columns());
        fields
            .map(|(field, array)| Self::of(field, array))
            .collect()
    }

    fn of(field: &Field, array: &'b ArrayRef) -> Result<Self, DataError> {
        let kind = Kind::of_field(field)?;
        let column = match kind {
            Kind::Text => array.as_string_opt().map(Self::Text),
            Kind::Integer => array.as_primitive_opt().map(Self::Integer),
            Kind::Real => array.as_primitive_opt().map(Self::Real),
            Kind::Boolean => array.as_boolean_opt().map(Self::Boolean),
            Kind::Date => array.as_primitive_opt().map(Self::Date),
            Kind::Moment => array.as_primitive_opt().map(Self::Moment),
            Kind::LocalTime => array.as_primitive_opt().map(Self::LocalTime),
            Kind::Bytes => array.as_binary_opt().map(Self::Bytes),
        };
        column.ok_or_else(|| DataError::TypeChanged {
            column: field.name().clone(),
            expected: kind.word().to_owned(),
            found: array.data_type().to_string(),
        })
    }

    /// A value as text; `None` when it is absent.
    pub fn text(&self, row: usize) -> Option<Cow<'b, str>> {
        fn value<A: Array + ?Sized>(array: &A, row: usize) -> Option<&A> {
            (row < array.len() && array.is_valid(row)).then_some(array)
        }
        Some(
            match self {
                Self::Text(array) => {
                    return value(*array, row).map(|array| Cow::Borrowed(array.value(row)));
                }
                Self::Integer(array) => value(*array, row)?.value(row).to_string(),
                Self::Real(array) => value(*array, row)?.value(row).to_string(),
                Self::Boolean(array) => value(*array, row)?.value(row).to_string(),
                Self::Date(array) => day(value(*array, row)?.value(row))?,
                Self::Moment(array) => time(value(*array, row)?.value(row))?.to_string() + "Z",
                Self::LocalTime(array) => time(value(*array, row)?.value(row))?.to_string(),
                Self::Bytes(array) => format!("\\x{}", hex::encode(value(*array, row)?.value(row))),
            }
            .into(),
        )
    }
}

fn day(days: i32) -> Option<String> {
    let span = jiff::Span::new().try_days(days).ok()?;
    EPOCH.checked_add(span).ok().map(|day| day.to_string())
}

fn time(micros: i64) -> Option<civil::DateTime> {
    let stamp = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_kinds() -> SchemaRef {
        schema(Kind::ALL.map(|kind| (kind.word().to_owned(), kind)))
    }

    #[test]
    fn every_kind_is_read_and_written_as_the_same_text() {
        let row = [
            "天河区",
            "-9223372036854775808",
            "0.1",
            "true",
            "1949-10-01",
            "2026-03-09T12:00:00.000001Z",
            "2026-03-09T12:00:00",
            "\\x00ff",
        ];
        let mut builder = BatchBuilder::new(all_kinds()).unwrap();
        builder.push(row.map(Some)).unwrap();
        builder.push([None; 8]).unwrap();
        let batch = builder.take().unwrap().unwrap();
        let columns = Column::all(&batch).unwrap();
        let text = |at: usize| -> Vec<Option<String>> {
            columns
                .iter()
                .map(|column| column.text(at).map(Cow::into_owned))
                .collect()
        };
        assert_eq!(text(0), row.map(|value| Some(value.to_owned())));
        assert_eq!(text(1), vec![None; 8]);
        assert_eq!(text(2), vec![None; 8], "no row is no value");
    }

    #[test]
    fn times_as_postgresql_writes_them_are_read() {
        assert_eq!(
            micros("2026-03-09 12:00:00.5+00"),
            Some(1_773_057_600_500_000)
        );
        assert_eq!(
            micros("2026-03-09T20:00:00.5+08:00"),
            Some(1_773_057_600_500_000)
        );
        assert_eq!(micros("infinity"), None);
    }

    #[test]
    fn a_value_of_another_type_is_refused_by_row_and_column() {
        for (at, wrong) in [
            (1, "1.5"),
            (2, "x"),
            (3, "maybe"),
            (4, "2026-02-30"),
            (5, "noon"),
            (6, ""),
            (7, "ff"),
        ] {
            let mut builder = BatchBuilder::new(all_kinds()).unwrap();
            builder.push([None; 8]).unwrap();
            let mut row = [None; 8];
            row[at] = Some(wrong);
            match builder.push(row) {
                Err(DataError::Value { row: 2, column, .. }) => {
                    assert_eq!(column, Kind::ALL[at].word())
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_row_of_ten_megabytes_is_taken_and_one_above_the_bound_is_not() {
        let mut builder = BatchBuilder::new(schema([("t".to_owned(), Kind::Text)])).unwrap();
        let ten = "x".repeat(10 << 20);
        builder.push([Some(ten.as_str())]).unwrap();
        assert!(
            builder.is_full(),
            "a batch with such a row is handed on at once"
        );
        assert_eq!(builder.take().unwrap().unwrap().num_rows(), 1);
        let more = "x".repeat(MAX_ROW_BYTES + 1);
        assert!(matches!(
            builder.push([Some(more.as_str())]),
            Err(DataError::RowTooLong { row: 2, .. })
        ));
        assert!(matches!(builder.push([]), Err(DataError::Malformed { .. })));
    }

    #[test]
    fn what_is_selected_must_be_there_once_and_of_the_type_that_was_stated() {
        let names = ["code", "born", "name"].map(str::to_owned);
        let kinds = [Kind::Text, Kind::Date, Kind::Text];
        let select = |text: &str| {
            text.parse::<Selection>()
                .and_then(|it| it.schema(&names, &kinds))
        };
        let (places, schema) = select("name, born:date").unwrap();
        assert_eq!(places, [2, 1]);
        assert_eq!(schema.field(1).data_type(), &DataType::Date32);
        assert_eq!(select("").unwrap().0, [0, 1, 2]);
        assert!(matches!(select("nom"), Err(DataError::NoColumn { .. })));
        assert!(matches!(
            select("born:integer"),
            Err(DataError::TypeChanged { .. })
        ));
        assert!(matches!(
            select("name,name"),
            Err(DataError::ColumnTwice(_))
        ));
        let twice = ["a", "a"].map(str::to_owned);
        assert!(matches!(
            Selection::default().within(&twice),
            Err(DataError::ColumnTwice(_))
        ));
    }
}
