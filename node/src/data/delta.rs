//! What changed between two snapshots of a table, by key, as a delivery: its rows with a first column `change` that says `insert`, `update`
//! or `delete`.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use sharing::delta::{Change, DeltaError, changes};

use super::columns::{BatchBuilder, Column, Kind, names, position, schema};
use super::copy::Mark;
use super::record::Origin;
use super::source::{Order, open};
use super::{DataError, MAX_COLUMNS, Selection, Source, SourceAddress};

/// The column that says how a row changed.
pub const CHANGE: &str = "change";

/// The values of a row as text, and of its key in their own order.
type Row = (Vec<Mark>, Vec<Option<String>>);

/// The rows of a source, one after the other.
struct Rows {
    source: Box<dyn Source>,
    key: Vec<usize>,
    waiting: std::vec::IntoIter<Row>,
}

impl Rows {
    fn open(address: &SourceAddress, key: &[String]) -> Result<Self, DataError> {
        let source = open(address, &Selection::default(), &Order(key.to_vec()), None)?;
        let found = names(source.schema());
        let key = key
            .iter()
            .map(|name| position(&found, name))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            source,
            key,
            waiting: Vec::new().into_iter(),
        })
    }

    fn read(&mut self) -> Result<bool, DataError> {
        let Some(batch) = self.source.next()? else {
            return Ok(false);
        };
        let columns = Column::all(&batch)?;
        let mut rows = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            let mut key = Vec::with_capacity(self.key.len());
            for at in &self.key {
                let mark = columns
                    .get(*at)
                    .map(|column| Mark::at(column, row))
                    .transpose()?
                    .flatten();
                key.push(
                    mark.ok_or_else(|| DataError::Delta("主键为空 (a key is absent)".into()))?,
                );
            }
            let values = columns
                .iter()
                .map(|column| column.text(row).map(|text| text.into_owned()));
            rows.push((key, values.collect()));
        }
        self.waiting = rows.into_iter();
        Ok(true)
    }
}

impl Iterator for Rows {
    type Item = Result<Row, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.waiting.next() {
                return Some(Ok(row));
            }
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// The columns of the delivery.
fn with_change(of: &SchemaRef) -> Result<SchemaRef, DataError> {
    let mut columns = vec![(CHANGE.to_owned(), Kind::Text)];
    for field in of.fields() {
        if field.name() == CHANGE {
            return Err(DataError::ColumnTwice(CHANGE.to_owned()));
        }
        columns.push((field.name().clone(), Kind::of_field(field)?));
    }
    if columns.len() > MAX_COLUMNS {
        return Err(DataError::TooManyColumns(columns.len()));
    }
    Ok(schema(columns))
}

/// Both snapshots have to have the same columns of the same types.
fn check_same(before: &SchemaRef, after: &SchemaRef) -> Result<(), DataError> {
    for field in before.fields() {
        let there = after.field(position(&names(after), field.name())?);
        if there.data_type() != field.data_type() {
            return Err(DataError::TypeChanged {
                column: field.name().clone(),
                expected: Kind::of_field(field)?.word().to_owned(),
                found: Kind::of_field(there)?.word().to_owned(),
            });
        }
    }
    match names(after)
        .iter()
        .find(|name| !names(before).contains(name))
    {
        Some(new) => Err(DataError::NoColumn {
            column: new.clone(),
            found: names(before),
        }),
        None => Ok(()),
    }
}

/// Two snapshots of a table and what tells its rows apart.
#[derive(Debug, Clone)]
pub struct Snapshots {
    /// The earlier one.
    pub before: SourceAddress,
    /// The later one.
    pub after: SourceAddress,
    /// The key's columns, by which both are sorted.
    pub key: Vec<String>,
}

/// What leads from one snapshot to the next, as rows.
type Steps =
    Box<dyn Iterator<Item = Result<Change<Vec<Mark>, Vec<Option<String>>>, DeltaError<DataError>>>>;

/// A source of what changed: it goes through [`super::copy`](fn@super::copy) like any other, masking included.
pub struct DeltaSource {
    origin: Origin,
    schema: SchemaRef,
    steps: Steps,
    builder: BatchBuilder,
    over: bool,
}

impl DeltaSource {
    /// Opens both snapshots.
    ///
    /// # Errors
    /// [`DataError`] when one cannot be read, or they do not have the same columns.
    pub fn open(snapshots: &Snapshots) -> Result<Self, DataError> {
        if snapshots.key.is_empty() {
            return Err(DataError::Delta("未给主键 (no key was named)".into()));
        }
        let before = Rows::open(&snapshots.before, &snapshots.key)?;
        let after = Rows::open(&snapshots.after, &snapshots.key)?;
        check_same(before.source.schema(), after.source.schema())?;
        // Columns of the earlier one may stand in another order.
        let found = names(before.source.schema());
        let order = names(after.source.schema());
        let order = order.iter().map(|name| position(&found, name));
        let order = order.collect::<Result<Vec<usize>, _>>()?;
        let schema = with_change(after.source.schema())?;
        let origin = Origin {
            query: Some(format!(
                "{} -> {} by {}",
                snapshots.before,
                snapshots.after,
                snapshots.key.join(", ")
            )),
            rows: None,
            ..after.source.origin().clone()
        };
        let before = before.map(move |row| {
            row.map(|(key, mut values)| {
                let values = order
                    .iter()
                    .map(|at| values.get_mut(*at).and_then(Option::take));
                (key, values.collect())
            })
        });
        Ok(Self {
            origin,
            builder: BatchBuilder::new(Arc::clone(&schema))?,
            schema,
            steps: Box::new(changes(before, after)),
            over: false,
        })
    }
}

impl Source for DeltaSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        while !self.over && !self.builder.is_full() {
            let Some(change) = self.steps.next() else {
                self.over = true;
                break;
            };
            let change = change.map_err(|error| match error {
                DeltaError::Source(error) => error,
                unsorted @ (DeltaError::Unsorted { .. } | DeltaError::KeyTwice { .. }) => {
                    DataError::Delta(unsorted.to_string())
                }
            })?;
            let (word, values) = match &change {
                Change::Insert(_, values) => ("insert", values),
                Change::Update(_, values) => ("update", values),
                Change::Delete(_, values) => ("delete", values),
            };
            let values = values.iter().map(Option::as_deref);
            self.builder
                .push(std::iter::once(Some(word)).chain(values))?;
        }
        self.builder.take()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sharing::masking::{Kind as Says, Masking};

    use super::super::csv::CsvSink;
    use super::super::{Plan, copy};
    use super::*;

    fn delta(before: &str, after: &str) -> Result<String, DataError> {
        masked_delta(before, after, Masking::default())
    }

    fn masked_delta(before: &str, after: &str, masking: Masking) -> Result<String, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("a"), before).unwrap();
        fs::write(path("b"), after).unwrap();
        let snapshots = Snapshots {
            before: SourceAddress::Csv(path("a")),
            after: SourceAddress::Csv(path("b")),
            key: vec!["id".into()],
        };
        let sink = Box::new(CsvSink::new(&path("c")));
        let plan = Plan {
            delivery: "d1".parse().unwrap(),
            at: identity::Moment::from_millis(0),
            masking,
            since: None,
            rests_encrypted: true,
        };
        let delivered =
            DeltaSource::open(&snapshots).and_then(|source| copy(Box::new(source), sink, plan));
        assert_eq!(delivered.is_ok(), path("c").exists(), "whole or not at all");
        delivered.map(|_| fs::read_to_string(path("c")).unwrap())
    }

    #[test]
    fn the_rows_that_changed_are_delivered_with_how() {
        let found = delta("id,name\n1,a\n2,b\n4,d\n", "name,id\na,1\nB,2\nc,3\n").unwrap();
        assert_eq!(
            found,
            "change,name,id\nupdate,B,2\ninsert,c,3\ndelete,d,4\n"
        );
    }

    #[test]
    fn what_changed_is_masked_as_any_delivery_is() {
        let mut masking = Masking::default();
        masking.kind("name", Says::Name).unwrap();
        let found = masked_delta("id,name\n1,李四\n", "id,name\n1,王五\n", masking);
        assert_eq!(found.unwrap(), "change,id,name\nupdate,1,王*\n");
    }

    #[test]
    fn what_is_unsorted_doubled_or_of_other_columns_gives_no_delta() {
        for wrong in ["id,name\n2,b\n1,a\n", "id,name\n1,a\n1,b\n"] {
            assert!(matches!(
                delta("id,name\n", wrong),
                Err(DataError::Delta(_))
            ));
        }
        assert!(matches!(
            delta("id,name\n", "id\n"),
            Err(DataError::NoColumn { .. })
        ));
        assert!(matches!(
            delta("id\n", "id,name\n"),
            Err(DataError::NoColumn { .. })
        ));
    }
}
