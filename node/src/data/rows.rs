//! Rows of batches as lines of CSV: what return flow splits, and what a target file holds.

use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::Schema;

use super::DataError;
use super::columns::{Column, names};

/// The header line of a schema.
pub fn header(schema: &Schema) -> String {
    let mut line = String::new();
    for (at, name) in names(schema).iter().enumerate() {
        if at > 0 {
            line.push(',');
        }
        field(&mut line, name);
    }
    closed(&mut line);
    line
}

/// Hands on the rows of a batch, each with its value in the column `of`, which is empty where it is absent. A line is as the writer of
/// CSV has it: quoted where it must be.
///
/// # Errors
/// [`DataError::TypeChanged`] when a column's type is none of the data plane's, and what `row` gives.
pub fn each<E: From<DataError>>(
    batch: &RecordBatch,
    of: usize,
    mut row: impl FnMut(&[u8], &str) -> Result<(), E>,
) -> Result<(), E> {
    let columns: Vec<_> = Column::all(batch)?.into_iter().map(Ready::of).collect();
    let mut line = String::new();
    for at in 0..batch.num_rows() {
        line.clear();
        for (column, ready) in columns.iter().enumerate() {
            if column > 0 {
                line.push(',');
            }
            ready.push(&mut line, at);
        }
        closed(&mut line);
        let named = columns.get(of).and_then(|ready| ready.values.text(at));
        row(named.as_deref().unwrap_or_default().as_bytes(), &line)?;
    }
    Ok(())
}

/// A column, and whether one of its values may have to be quoted: looked for once in all of them, so that most are copied as they are.
struct Ready<'b> {
    values: Column<'b>,
    quoted: bool,
}

impl<'b> Ready<'b> {
    fn of(values: Column<'b>) -> Self {
        let quoted = matches!(&values, Column::Text(array) if !is_plain(array));
        Self { values, quoted }
    }

    fn push(&self, line: &mut String, row: usize) {
        match &self.values {
            Column::Text(array) if self.quoted && array.is_valid(row) => {
                field(line, array.value(row));
            }
            // What is absent is empty.
            values => {
                values.push(row, line);
            }
        }
    }
}

/// Whether none of its values has to be quoted.
fn is_plain(array: &StringArray) -> bool {
    let ends = array.value_offsets();
    let all = ends.first().zip(ends.last()).and_then(|(from, to)| {
        let within = usize::try_from(*from).ok()?..usize::try_from(*to).ok()?;
        array.value_data().get(within)
    });
    // Without an early end, so that many bytes are looked at together.
    let quoted = |bytes: &[u8]| bytes.iter().fold(false, |found, it| found | special(*it));
    all.is_some_and(|bytes| !quoted(bytes))
}

fn special(byte: u8) -> bool {
    matches!(byte, b',' | b'"' | b'\r' | b'\n')
}

/// Quoted where it has a comma, a quotation mark or a line end.
fn field(line: &mut String, text: &str) {
    if !text.bytes().any(special) {
        line.push_str(text);
        return;
    }
    line.push('"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            line.push_str("\"\"");
        }
        line.push_str(part);
    }
    line.push('"');
}

/// A line of one field that is empty is no blank line.
fn closed(line: &mut String) {
    if line.is_empty() {
        line.push_str("\"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::columns::{BatchBuilder, Kind, schema};

    #[test]
    fn lines_are_what_the_writer_of_csv_makes_of_them() {
        let kinds = ["a", "b,\"c\""].map(|name| (name.to_owned(), Kind::Text));
        let schema = schema(kinds);
        let values = ["", "x", "天河 区", "a\"b", "\"", "a,b", "a\nb", "\r", " a "];
        let mut builder = BatchBuilder::new(schema.clone()).unwrap();
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(names(&schema)).unwrap();
        for one in values {
            for two in values {
                builder.push([Some(one), Some(two)]).unwrap();
                writer.write_record([one, two]).unwrap();
            }
        }
        let mut found = header(&schema) + "\n";
        let batch = builder.take().unwrap().unwrap();
        let mut named = Vec::new();
        each::<DataError>(&batch, 1, |field, line| {
            named.push(String::from_utf8_lossy(field).into_owned());
            found += &format!("{line}\n");
            Ok(())
        })
        .unwrap();
        let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        assert_eq!(found, written);
        assert_eq!(named[..values.len()], values);
        let mut alone = String::new();
        closed(&mut alone);
        assert_eq!(alone, "\"\"");
    }
}
