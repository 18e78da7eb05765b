//! PostgreSQL tables as sources: one `COPY` inside one read-only transaction that sees one snapshot.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use futures::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, CopyOutStream, NoTls};

use super::address::{PostgresTable, quote};
use super::columns::{BatchBuilder, Kind, names, position};
use super::record::Origin;
use super::source::Order;
use super::{DataError, MAX_ROW_BYTES, Selection, Source};

/// Longest time until a database takes a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Longest time without a word from the database: it may sort a large table before it gives the first row.
pub(super) const SILENCE: Duration = Duration::from_secs(30 * 60);
/// What makes values read the same whatever the database's own settings are.
const SETTINGS: &str = "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL TimeZone = 'UTC'; SET LOCAL bytea_output = 'hex'; \
     SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL extra_float_digits = 3; SET LOCAL client_encoding = 'UTF8'";

/// A connection, driven while something is waited for.
pub(super) struct Connection {
    pub(super) client: Client,
    runtime: Runtime,
}

impl Connection {
    /// Connects without TLS: inside a site, or through its own tunnel. The password is in the address or in `PGPASSWORD`.
    pub(super) fn open(table: &PostgresTable) -> Result<Self, DataError> {
        // What tokio-postgres says of an address may repeat its password.
        let mut config: Config = table
            .connection
            .parse()
            .map_err(|_| DataError::Address(table.to_string()))?;
        config
            .connect_timeout(CONNECT_TIME)
            .application_name("guantong");
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        let lost = |error: String| DataError::lost(table, error);
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| lost(error.to_string()))?;
        let (client, connection) = runtime
            .block_on(config.connect(NoTls))
            .map_err(|error| lost(told(&error)))?;
        // It ends with the client; what goes wrong in it is told to whoever waits for an answer.
        runtime.spawn(connection);
        Ok(Self { client, runtime })
    }

    /// Waits for an answer, bounded by [`SILENCE`].
    pub(super) fn wait<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, String> {
        self.runtime.block_on(async {
            match tokio::time::timeout(SILENCE, answer).await {
                Ok(answer) => answer.map_err(|error| told(&error)),
                Err(_) => Err(format!("silent for {} s", SILENCE.as_secs())),
            }
        })
    }

    /// The columns of a table with their kinds; the table stays locked against changes of them until the transaction ends.
    pub(super) fn columns(
        &self,
        table: &PostgresTable,
    ) -> Result<(Vec<String>, Vec<Kind>), String> {
        let query = format!("SELECT * FROM {} LIMIT 0", table.quoted());
        let columns = self.wait(self.client.prepare(&query))?;
        let columns = columns.columns().iter();
        Ok(columns
            .map(|column| (column.name().to_owned(), kind(column.type_())))
            .unzip())
    }
}

/// An error with what the database itself says.
fn told(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || {
            let cause = std::error::Error::source(error);
            cause.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
        },
        |error| match error.detail() {
            Some(detail) => format!("{} ({detail})", error.message()),
            None => error.message().to_owned(),
        },
    )
}

/// What a type is read as; a type that is none of these is text as the database writes it.
fn kind(found: &Type) -> Kind {
    match *found {
        Type::INT2 | Type::INT4 | Type::INT8 => Kind::Integer,
        Type::FLOAT4 | Type::FLOAT8 => Kind::Real,
        Type::BOOL => Kind::Boolean,
        Type::DATE => Kind::Date,
        Type::TIMESTAMPTZ => Kind::Moment,
        Type::TIMESTAMP => Kind::LocalTime,
        Type::BYTEA => Kind::Bytes,
        _ => Kind::Text,
    }
}

/// A table that is read as one snapshot.
pub struct PostgresSource {
    origin: Origin,
    schema: SchemaRef,
    builder: BatchBuilder,
    rows: Pin<Box<CopyOutStream>>,
    /// What has come of a row whose end has not.
    begun: Vec<u8>,
    connection: Connection,
    over: bool,
}

impl PostgresSource {
    /// Connects, takes the snapshot, has the database count it and begins to read.
    ///
    /// # Errors
    /// [`DataError`] when the database cannot be reached, or lacks the table or a column.
    pub fn open(
        table: &PostgresTable,
        selection: &Selection,
        order: &Order,
    ) -> Result<Self, DataError> {
        let connection = Connection::open(table)?;
        let lost = |why: String| DataError::lost(table, why);
        let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SETTINGS}");
        connection
            .wait(connection.client.batch_execute(&begin))
            .map_err(lost)?;
        let (all, kinds) = connection.columns(table).map_err(lost)?;
        let (_, schema) = selection.schema(&all, &kinds)?;
        let mut sorted = Vec::new();
        for column in &order.0 {
            let name = quote(column);
            sorted.push(match kinds[position(&all, column)?] {
                Kind::Text => format!("{name}::text COLLATE \"C\""),
                _ => name,
            });
        }
        let columns: Vec<String> = names(&schema).iter().map(|name| quote(name)).collect();
        let mut query = format!("SELECT {} FROM {}", columns.join(", "), table.quoted());
        if !sorted.is_empty() {
            query += &format!(" ORDER BY {}", sorted.join(", "));
        }
        let count = format!(
            "SELECT count(*), pg_current_snapshot()::text FROM {}",
            table.quoted()
        );
        let counted = connection
            .wait(connection.client.query_one(&count, &[]))
            .map_err(lost)?;
        let stated: i64 = counted
            .try_get(0)
            .map_err(|error| lost(error.to_string()))?;
        let snapshot: String = counted
            .try_get(1)
            .map_err(|error| lost(error.to_string()))?;
        let copy = format!("COPY ({query}) TO STDOUT");
        let rows = connection
            .wait(connection.client.copy_out(&copy))
            .map_err(lost)?;
        Ok(Self {
            origin: Origin {
                source: table.to_string(),
                query: Some(query),
                snapshot: Some(snapshot),
                rows: u64::try_from(stated).ok(),
            },
            builder: BatchBuilder::new(Arc::clone(&schema))?,
            schema,
            rows: Box::pin(rows),
            begun: Vec::new(),
            connection,
            over: false,
        })
    }

    /// Takes the rows of a message; a row may be spread over several.
    fn take(&mut self, mut message: &[u8]) -> Result<(), DataError> {
        while let Some(end) = message.iter().position(|byte| *byte == b'\n') {
            let (row, rest) = message.split_at(end);
            message = rest.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                push(&mut self.builder, row, &self.origin)?;
            } else {
                let mut begun = std::mem::take(&mut self.begun);
                begun.extend_from_slice(row);
                push(&mut self.builder, &begun, &self.origin)?;
            }
        }
        // Escaping at most doubles a row.
        if self.begun.len() + message.len() > 2 * MAX_ROW_BYTES + 2 {
            return Err(DataError::RowTooLong {
                row: self.builder.next_row(),
                limit: MAX_ROW_BYTES,
            });
        }
        self.begun.extend_from_slice(message);
        Ok(())
    }
}

fn push(builder: &mut BatchBuilder, row: &[u8], origin: &Origin) -> Result<(), DataError> {
    let malformed = |why: &str| {
        DataError::malformed(&origin.source, format!("row {}: {why}", builder.next_row()))
    };
    let text = std::str::from_utf8(row).map_err(|_| malformed("not UTF-8"))?;
    let fields: Option<Vec<Option<String>>> = text.split('\t').map(unescaped).collect();
    let fields = fields.ok_or_else(|| malformed("unknown escape"))?;
    builder.push(fields.iter().map(Option::as_deref))
}

/// A field of the text format of `COPY`: outside, `None` when it cannot be read; inside, `None` when the value is absent.
fn unescaped(field: &str) -> Option<Option<String>> {
    if field == "\\N" {
        return Some(None);
    }
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        text.push(match characters.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            _ => return None,
        });
    }
    Some(Some(text))
}

/// A value as the text format of `COPY` has it.
pub(super) fn escaped(value: &str, into: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b'\\' => into.extend_from_slice(b"\\\\"),
            b'\n' => into.extend_from_slice(b"\\n"),
            b'\r' => into.extend_from_slice(b"\\r"),
            b'\t' => into.extend_from_slice(b"\\t"),
            byte => into.push(byte),
        }
    }
}

impl Source for PostgresSource {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        while !self.over && !self.builder.is_full() {
            let rows = &mut self.rows;
            let next = self
                .connection
                .wait(async { rows.next().await.transpose() })
                .map_err(|why| DataError::lost(&self.origin.source, why))?;
            match next {
                Some(message) => self.take(&message)?,
                None if self.begun.is_empty() => self.over = true,
                None => {
                    return Err(DataError::lost(
                        &self.origin.source,
                        "half a row at the end",
                    ));
                }
            }
        }
        self.builder.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_back() {
        for value in ["", "天河区", "a\tb\nc\rd\\N", "\\x00", "\u{8}\u{b}\u{c}"] {
            let mut bytes = Vec::new();
            escaped(value, &mut bytes);
            assert!(!bytes.contains(&b'\n') && !bytes.contains(&b'\t'));
            let text = String::from_utf8(bytes).unwrap();
            assert_eq!(unescaped(&text), Some(Some(value.to_owned())));
        }
        assert_eq!(unescaped("\\N"), Some(None));
        assert_eq!(
            unescaped("\\b\\f\\v"),
            Some(Some("\u{8}\u{c}\u{b}".to_owned()))
        );
        assert_eq!(unescaped("\\q"), None);
        assert_eq!(unescaped("a\\"), None);
    }
}
