//! PostgreSQL tables as targets, kept in step with a source: inserts, updates and deletions by key in one transaction.

use std::io::Cursor;
use std::pin::Pin;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::SinkExt;
use tokio_postgres::CopyInSink;

use super::address::{PostgresTable, quote};
use super::columns::{Column, Kind, names, position};
use super::postgres::{Connection, escaped};
use super::record::{Delivery, DeliveryId, Outcome};
use super::{DataError, Sink};

/// The table in which a target keeps the records of its deliveries, written in the transaction of each.
const RECORDS: &str = "guantong_deliveries";
/// The table of one transaction that takes what is delivered before it is compared.
const INCOMING: &str = "guantong_incoming";

/// Rows on their way into the database.
type Incoming = Pin<Box<CopyInSink<Cursor<Vec<u8>>>>>;

/// A table that is kept in step.
pub struct TableSink {
    table: PostgresTable,
    delivery: DeliveryId,
    /// Whether what is delivered is all there is, so that what is not in it is gone.
    whole: bool,
    columns: Vec<String>,
    incoming: Option<Incoming>,
    connection: Option<Connection>,
}

impl TableSink {
    /// A table at its address. Rows that a whole snapshot does not hold are deleted; a delivery by watermark deletes none.
    pub fn new(table: &PostgresTable, delivery: DeliveryId, whole: bool) -> Self {
        Self {
            table: table.clone(),
            delivery,
            whole,
            columns: Vec::new(),
            incoming: None,
            connection: None,
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> DataError {
        DataError::target(&self.table, why)
    }

    fn connection(&self) -> Result<&Connection, DataError> {
        self.connection
            .as_ref()
            .ok_or_else(|| self.failed("not begun"))
    }

    fn run(&self, statement: &str) -> Result<u64, DataError> {
        let connection = self.connection()?;
        connection
            .wait(connection.client.execute(statement, &[]))
            .map_err(|why| self.failed(why))
    }

    /// The table as the first delivery makes it.
    fn creation(&self, schema: &SchemaRef) -> Result<String, DataError> {
        let mut columns = Vec::new();
        for field in schema.fields() {
            let sql = match Kind::of_field(field)? {
                Kind::Text => "text",
                Kind::Integer => "bigint",
                Kind::Real => "double precision",
                Kind::Boolean => "boolean",
                Kind::Date => "date",
                Kind::Moment => "timestamptz",
                Kind::LocalTime => "timestamp",
                Kind::Bytes => "bytea",
            };
            columns.push(format!("{} {sql}", quote(field.name())));
        }
        Ok(format!(
            "CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))",
            self.table.quoted(),
            columns.join(", "),
            self.list(&self.table.key),
        ))
    }

    fn list(&self, columns: &[String]) -> String {
        columns
            .iter()
            .map(|name| quote(name))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The columns of the target have to be there, and of the types that come.
    fn check(&self, schema: &SchemaRef) -> Result<(), DataError> {
        let (found, kinds) = self
            .connection()?
            .columns(&self.table)
            .map_err(|why| self.failed(why))?;
        for field in schema.fields() {
            let (there, comes) = (
                kinds[position(&found, field.name())?],
                Kind::of_field(field)?,
            );
            if there != comes {
                return Err(DataError::TypeChanged {
                    column: field.name().clone(),
                    expected: there.word().to_owned(),
                    found: comes.word().to_owned(),
                });
            }
        }
        Ok(())
    }

    /// Whether this delivery is on record already.
    fn is_delivered(&self) -> Result<bool, DataError> {
        let connection = self.connection()?;
        let id = self.delivery.to_string();
        let table = self.table.to_string();
        let query = format!("SELECT count(*) FROM {RECORDS} WHERE delivery = $1 AND target = $2");
        let row = connection.wait(connection.client.query_one(&query, &[&id, &table]));
        let count: i64 = row
            .map_err(|why| self.failed(why))?
            .try_get(0)
            .map_err(|error| self.failed(error))?;
        Ok(count > 0)
    }

    /// Takes over what came, and counts it.
    fn keep_in_step(&self) -> Result<Outcome, DataError> {
        let table = self.table.quoted();
        let same = |columns: &[String]| {
            let pairs = columns.iter().map(|name| quote(name));
            pairs
                .map(|name| format!("t.{name} = s.{name}"))
                .collect::<Vec<_>>()
                .join(" AND ")
        };
        let key = same(&self.table.key);
        let deleted = if self.whole {
            self.run(&format!(
                "DELETE FROM {table} t WHERE NOT EXISTS (SELECT FROM {INCOMING} s WHERE {key})"
            ))?
        } else {
            0
        };
        let values: Vec<String> = self
            .columns
            .iter()
            .filter(|name| !self.table.key.contains(name))
            .cloned()
            .collect();
        let updated = if values.is_empty() {
            0
        } else {
            let set: Vec<_> = values
                .iter()
                .map(|name| format!("{0} = s.{0}", quote(name)))
                .collect();
            let differs: Vec<_> = values
                .iter()
                .map(|name| format!("t.{0} IS DISTINCT FROM s.{0}", quote(name)))
                .collect();
            self.run(&format!(
                "UPDATE {table} t SET {} FROM {INCOMING} s WHERE {key} AND ({})",
                set.join(", "),
                differs.join(" OR ")
            ))?
        };
        let columns = self.list(&self.columns);
        let inserted = self.run(&format!(
            "INSERT INTO {table} ({columns}) SELECT {columns} FROM {INCOMING} s WHERE NOT EXISTS (SELECT FROM {table} t WHERE {key})"
        ))?;
        Ok(Outcome::Table {
            inserted,
            updated,
            deleted,
        })
    }
}

impl Sink for TableSink {
    fn begin(&mut self, schema: &SchemaRef) -> Result<(), DataError> {
        self.columns = names(schema);
        for column in &self.table.key {
            position(&self.columns, column)?;
        }
        self.connection = Some(Connection::open(&self.table)?);
        self.run("BEGIN")?;
        self.run(&format!(
            "CREATE TABLE IF NOT EXISTS {RECORDS} (delivery text, target text, record text NOT NULL, PRIMARY KEY (delivery, target))"
        ))?;
        if self.is_delivered()? {
            return Err(DataError::Delivered(self.delivery.to_string()));
        }
        self.run(&self.creation(schema)?)?;
        // Other writers wait; readers see the table as it was until the end.
        self.run(&format!(
            "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE",
            self.table.quoted()
        ))?;
        self.check(schema)?;
        let (columns, key) = (self.list(&self.columns), self.list(&self.table.key));
        self.run(&format!(
            "CREATE TEMPORARY TABLE {INCOMING} ON COMMIT DROP AS SELECT {columns} FROM {} WITH NO DATA",
            self.table.quoted()
        ))?;
        // A key that stands twice or is absent is refused as it comes.
        self.run(&format!("ALTER TABLE {INCOMING} ADD PRIMARY KEY ({key})"))?;
        let copy = format!("COPY {INCOMING} ({columns}) FROM STDIN");
        let connection = self.connection()?;
        let incoming = connection
            .wait(connection.client.copy_in(&copy))
            .map_err(|why| self.failed(why))?;
        self.incoming = Some(Box::pin(incoming));
        Ok(())
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<(), DataError> {
        let columns = Column::all(batch)?;
        let mut bytes = Vec::new();
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    bytes.push(b'\t');
                }
                match column.text(row) {
                    Some(value) => escaped(&value, &mut bytes),
                    None => bytes.extend_from_slice(b"\\N"),
                }
            }
            bytes.push(b'\n');
        }
        let (Some(incoming), Some(connection)) = (&mut self.incoming, &self.connection) else {
            return Err(self.failed("not begun"));
        };
        let sent = connection.wait(incoming.send(Cursor::new(bytes)));
        sent.map_err(|why| self.failed(why))
    }

    fn commit(mut self: Box<Self>, delivery: &mut Delivery) -> Result<Outcome, DataError> {
        let mut incoming = self
            .incoming
            .take()
            .ok_or_else(|| self.failed("not begun"))?;
        let connection = self.connection()?;
        connection
            .wait(incoming.as_mut().finish())
            .map_err(|why| self.failed(why))?;
        let outcome = self.keep_in_step()?;
        delivery.outcome = Some(outcome.clone());
        let record = serde_json::to_string(delivery).map_err(|error| self.failed(error))?;
        let (id, target) = (self.delivery.to_string(), self.table.to_string());
        let insert =
            format!("INSERT INTO {RECORDS} (delivery, target, record) VALUES ($1, $2, $3)");
        let inserted =
            connection.wait(connection.client.execute(&insert, &[&id, &target, &record]));
        inserted.map_err(|why| self.failed(why))?;
        self.run("COMMIT")?;
        Ok(outcome)
    }

    /// The transaction ends with its connection.
    fn abort(self: Box<Self>) {
        drop(self);
    }
}
