//! One delivery: from a source, through selection, watermark and masking, into a target.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, new_null_array};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use identity::Moment;
use sharing::delta::Watermark;
use sharing::masking::{Masking, Treatment};

use super::columns::{Column, Kind, names, position, schema};
use super::record::{Delivery, DeliveryId, Reached};
use super::{DataError, Sink, Source};

/// What is done on the way.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The delivery's name.
    pub delivery: DeliveryId,
    /// When it is begun.
    pub at: Moment,
    /// Masking under the grant.
    pub masking: Masking,
    /// The column of a watermark and where the last delivery ended; `None` for a whole snapshot.
    pub since: Option<Since>,
    /// Whether the target holds what it is given encrypted.
    pub rests_encrypted: bool,
}

/// Where a delivery by watermark begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    /// The column.
    pub column: String,
    /// The highest value delivered so far; absent the first time.
    pub value: Option<String>,
}

/// A value of a watermark, in the order of its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Number(i64),
    Text(String),
}

impl Mark {
    pub(super) fn at(column: &Column<'_>, row: usize) -> Result<Option<Self>, DataError> {
        let is_there = |array: &dyn Array| row < array.len() && array.is_valid(row);
        Ok(match column {
            Column::Integer(array) => is_there(*array).then(|| Self::Number(array.value(row))),
            Column::Date(array) => is_there(*array).then(|| Self::Number(array.value(row).into())),
            Column::Moment(array) | Column::LocalTime(array) => {
                is_there(*array).then(|| Self::Number(array.value(row)))
            }
            Column::Text(array) => {
                is_there(*array).then(|| Self::Text(array.value(row).to_owned()))
            }
            Column::Real(_) | Column::Boolean(_) | Column::Bytes(_) => {
                return Err(DataError::Delta(
                    "水位列应为整数、日期、时刻或文本 (a watermark is a number, day, time or text)"
                        .into(),
                ));
            }
        })
    }

    /// As [`Column::text`] shows it, read again.
    fn parse(kind: Kind, text: &str) -> Result<Self, DataError> {
        let mut builder = super::columns::BatchBuilder::new(schema([("since".to_owned(), kind)]))?;
        builder.push([Some(text)])?;
        let batch = builder
            .take()?
            .ok_or_else(|| DataError::Delta(text.to_owned()))?;
        let columns = Column::all(&batch)?;
        let mark = columns
            .first()
            .map(|column| Self::at(column, 0))
            .transpose()?;
        mark.flatten()
            .ok_or_else(|| DataError::Delta(text.to_owned()))
    }
}

/// A watermark over a column.
struct Marked {
    column: usize,
    name: String,
    watermark: Watermark<Mark>,
    /// The text of the highest mark.
    reached: Option<String>,
}

impl Marked {
    fn new(since: Since, schema: &SchemaRef) -> Result<Self, DataError> {
        let column = position(&names(schema), &since.column)?;
        let kind = Kind::of_field(schema.field(column))?;
        let mark = since
            .value
            .as_deref()
            .map(|text| Mark::parse(kind, text))
            .transpose()?;
        Ok(Self {
            column,
            name: since.column,
            watermark: Watermark::since(mark),
            reached: since.value,
        })
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<RecordBatch, DataError> {
        let columns = Column::all(batch)?;
        let Some(column) = columns.get(self.column) else {
            return Err(DataError::Delta(self.name.clone()));
        };
        let mut taken = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mark = Mark::at(column, row)?;
            let higher = mark.as_ref() > self.watermark.reached();
            taken.push(
                self.watermark
                    .takes(mark)
                    .map_err(|error| DataError::Delta(error.to_string()))?,
            );
            if higher {
                self.reached = column.text(row).map(|text| text.into_owned());
            }
        }
        filter_record_batch(batch, &BooleanArray::from(taken))
            .map_err(|error| DataError::malformed("batch", error))
    }
}

/// Masking as it applies to the columns of one schema.
struct Masked {
    schema: SchemaRef,
    treatments: Vec<Treatment>,
}

impl Masked {
    /// Every column that the masking names has to be there: a name that is misspelt would let a person's data through.
    fn new(masking: &Masking, given: &SchemaRef) -> Result<Self, DataError> {
        let names = names(given);
        for column in masking.columns() {
            position(&names, column)?;
        }
        let mut columns = Vec::new();
        for field in given.fields() {
            let kind = match masking.treatment(field.name()) {
                Treatment::Plain => Kind::of_field(field)?,
                Treatment::Masked(_) | Treatment::Withheld => Kind::Text,
            };
            columns.push((field.name().clone(), kind));
        }
        let treatments = names.iter().map(|name| masking.treatment(name)).collect();
        Ok(Self {
            schema: schema(columns),
            treatments,
        })
    }

    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, DataError> {
        let columns = Column::all(batch)?;
        let treated = self.treatments.iter().zip(&columns).zip(batch.columns());
        let treated = treated.map(|((treatment, column), array)| -> ArrayRef {
            match treatment {
                Treatment::Plain => Arc::clone(array),
                Treatment::Withheld => new_null_array(&Kind::Text.arrow(), batch.num_rows()),
                Treatment::Masked(_) => {
                    let shown = |row| column.text(row).and_then(|value| treatment.apply(&value));
                    Arc::new(StringArray::from_iter((0..batch.num_rows()).map(shown)))
                }
            }
        });
        RecordBatch::try_new(Arc::clone(&self.schema), treated.collect())
            .map_err(|error| DataError::malformed("batch", error))
    }
}

/// Delivers, whole or not at all, and gives the record of it.
///
/// # Errors
/// [`DataError`]; the target is then as it was.
pub fn copy(
    mut source: Box<dyn Source>,
    mut sink: Box<dyn Sink>,
    plan: Plan,
) -> Result<Delivery, DataError> {
    if plan.masking.rests_encrypted() && !plan.rests_encrypted {
        return Err(DataError::Unencrypted);
    }
    let mut marked = plan
        .since
        .map(|since| Marked::new(since, source.schema()))
        .transpose()?;
    let masked = Masked::new(&plan.masking, source.schema())?;
    let mut delivery = Delivery {
        delivery: plan.delivery,
        at: plan.at.to_string(),
        origin: source.origin().clone(),
        columns: described(&masked.schema)?,
        masked: plan.masking.columns().map(str::to_owned).collect(),
        read: 0,
        rows: 0,
        watermark: None,
        outcome: None,
    };
    let carried = sink.begin(&masked.schema).and_then(|()| {
        carry(
            source.as_mut(),
            sink.as_mut(),
            marked.as_mut(),
            &masked,
            &mut delivery,
        )
    });
    if let Err(error) = carried {
        sink.abort();
        return Err(error);
    }
    delivery.watermark = marked.map(|marked| Reached {
        column: marked.name,
        value: marked.reached,
    });
    let outcome = sink.commit(&mut delivery)?;
    delivery.outcome = Some(outcome);
    Ok(delivery)
}

fn described(schema: &SchemaRef) -> Result<Vec<String>, DataError> {
    let described = |field: &arrow_schema::FieldRef| {
        Ok(format!(
            "{}:{}",
            field.name(),
            Kind::of_field(field)?.word()
        ))
    };
    schema.fields().iter().map(described).collect()
}

fn carry(
    source: &mut dyn Source,
    sink: &mut dyn Sink,
    mut marked: Option<&mut Marked>,
    masked: &Masked,
    delivery: &mut Delivery,
) -> Result<(), DataError> {
    while let Some(batch) = source.next()? {
        delivery.read += batch.num_rows() as u64;
        let batch = match &mut marked {
            Some(marked) => marked.take(&batch)?,
            None => batch,
        };
        delivery.rows += batch.num_rows() as u64;
        if batch.num_rows() > 0 {
            sink.write(&masked.apply(&batch)?)?;
        }
    }
    match delivery.origin.rows {
        Some(stated) if stated != delivery.read => Err(DataError::Counted {
            stated,
            came: delivery.read,
        }),
        _ => Ok(()),
    }
}
