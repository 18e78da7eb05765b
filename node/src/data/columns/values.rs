//! Values of columns: as text, and in batches that are built row by row.

use std::borrow::Cow;
use std::fmt::Write;
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
use arrow_schema::{Field, SchemaRef};
use jiff::civil;

use super::Kind;
#[cfg(test)]
use super::schema;
use crate::data::{BATCH_BYTES, BATCH_ROWS, DataError, MAX_ROW_BYTES};

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
        if let Self::Text(array) = self {
            return there(*array, row).map(|array| Cow::Borrowed(array.value(row)));
        }
        let mut text = String::new();
        self.push(row, &mut text)?;
        Some(text.into())
    }

    /// Sets a value as text at the end of another; `None` when it is absent.
    pub fn push(&self, row: usize, out: &mut String) -> Option<()> {
        // Writing to a text never fails.
        match self {
            Self::Text(array) => out.push_str(there(*array, row)?.value(row)),
            Self::Integer(array) => {
                let number = there(*array, row)?.value(row);
                out.push_str(itoa::Buffer::new().format(number));
            }
            Self::Real(array) => write!(out, "{}", there(*array, row)?.value(row)).ok()?,
            Self::Boolean(array) => write!(out, "{}", there(*array, row)?.value(row)).ok()?,
            Self::Date(array) => day(there(*array, row)?.value(row), out)?,
            Self::Moment(array) => {
                write!(out, "{}Z", time(there(*array, row)?.value(row))?).ok()?
            }
            Self::LocalTime(array) => {
                write!(out, "{}", time(there(*array, row)?.value(row))?).ok()?
            }
            Self::Bytes(array) => {
                let bytes = there(*array, row)?.value(row);
                write!(out, "\\x{}", hex::encode(bytes)).ok()?;
            }
        }
        Some(())
    }
}

/// An array that has a value in this row.
fn there<A: Array + ?Sized>(array: &A, row: usize) -> Option<&A> {
    (row < array.len() && array.is_valid(row)).then_some(array)
}

/// Sets a day at the end of a text, as [`civil::Date`] is shown.
fn day(days: i32, out: &mut String) -> Option<()> {
    const SECONDS: i64 = 24 * 60 * 60;
    let noon = jiff::Timestamp::from_second(i64::from(days) * SECONDS + SECONDS / 2);
    let date = match noon {
        Ok(noon) => jiff::tz::TimeZone::UTC.to_datetime(noon).date(),
        // The last day of the calendar, which stands for no end, is no moment in every zone.
        Err(_) => EPOCH
            .checked_add(jiff::Span::new().try_days(days).ok()?)
            .ok()?,
    };
    let Ok(year @ 0..=9_999) = u16::try_from(date.year()) else {
        return write!(out, "{date}").ok();
    };
    let two = |number: u8| [b'0' + number / 10, b'0' + number % 10].map(char::from);
    let [century, year] = [year / 100, year % 100].map(|it| two(it as u8));
    out.extend(century);
    out.extend(year);
    for part in [date.month(), date.day()] {
        out.push('-');
        out.extend(two(part.unsigned_abs()));
    }
    Some(())
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
    fn days_are_shown_as_the_calendar_shows_them() {
        for days in [
            -800_000, -719_529, -719_528, -1, 0, 59, 11_016, 19_789, 2_932_896, 3_000_000,
        ] {
            let shown = jiff::Span::new().try_days(days).ok();
            let shown = shown.and_then(|span| EPOCH.checked_add(span).ok());
            let mut text = String::new();
            let found = day(days, &mut text).map(|()| text);
            assert_eq!(found, shown.map(|day| day.to_string()), "{days}");
        }
        let mut random = 1u64;
        for _ in 0..10_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let days = (random >> 40) as i32 % 700_000;
            let shown = EPOCH.checked_add(jiff::Span::new().days(days)).unwrap();
            let mut text = String::new();
            day(days, &mut text).unwrap();
            assert_eq!(text, shown.to_string());
        }
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
}
