//! A table that comes piece by piece: whole rows are handed on as they stand, and what is not whole yet waits for the next piece.

use super::table::{MAX_ROW_BYTES, RowReader, TableError};

/// Bytes of a piece: many rows, so that what is read twice at its end does not count.
pub const PIECE_BYTES: usize = 1 << 20;
/// Bytes in which the longest row, and the line ends around it, have room.
const LONGEST: usize = MAX_ROW_BYTES + 1_024;

/// A table on its way in.
#[derive(Debug, Clone)]
pub struct Intake {
    /// The column that names the division, whose field is handed on with every row; none where nobody asks.
    column: Option<String>,
    /// The column by which a row is the same row after a change.
    name: Option<String>,
    head: Option<Head>,
    rows: u64,
    offset: u64,
}

/// What the header says.
#[derive(Debug, Clone)]
struct Head {
    line: String,
    fields: usize,
    /// Where the columns stand.
    column: Option<usize>,
    name: Option<usize>,
}

impl Intake {
    /// A table of which nothing came yet, with the column that names the division.
    pub fn new(column: &str) -> Self {
        Self {
            column: Some(column.to_owned()),
            ..Self::any()
        }
    }

    /// A table of which the rows alone are wanted.
    pub fn any() -> Self {
        Self {
            column: None,
            name: None,
            head: None,
            rows: 0,
            offset: 0,
        }
    }

    /// The same with the column by which a row is the same row after a change.
    pub fn naming(self, name: Option<&str>) -> Self {
        let name = name.map(str::to_owned);
        Self { name, ..self }
    }

    /// The header line; none before it came.
    pub fn header(&self) -> Option<&str> {
        self.head.as_ref().map(|head| head.line.as_str())
    }

    /// Rows that came.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of the table that are read: where the next piece begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The same table after so many rows and bytes. The header has come.
    pub fn resumed(&self, rows: u64, offset: u64) -> Self {
        Self {
            rows,
            offset,
            ..self.clone()
        }
    }

    /// Reads the header alone.
    ///
    /// # Errors
    /// As [`Intake::read`].
    pub fn begin(&mut self, piece: &[u8], last: bool) -> Result<usize, TableError> {
        let (text, mark) = self.text(piece, last)?;
        let ends = last && text.len() + mark == piece.len();
        let mut reader = RowReader::within(text, ends);
        if !reader.head()? {
            return match (last, piece.len() > LONGEST) {
                (true, _) => Err(TableError::NoHeader),
                (false, true) => Err(TableError::RowTooLong { row: 0 }),
                (false, false) => Ok(0),
            };
        }
        let place = |name: &Option<String>| name.as_ref().map(|it| reader.column(it)).transpose();
        self.head = Some(Head {
            line: reader.header.to_owned(),
            fields: reader.fields(),
            column: place(&self.column)?,
            name: place(&self.name)?,
        });
        let used = mark + reader.used();
        self.offset += used as u64;
        Ok(used)
    }

    /// Reads the whole rows of a piece and hands each on, with its field of the column; returns how many bytes that were: the next piece begins
    /// after them. A piece in which no row is whole is to be given again, longer.
    ///
    /// # Errors
    /// [`TableError`] names the row that cannot be read; those before it were handed on.
    pub fn read(
        &mut self,
        piece: &[u8],
        last: bool,
        mut row: impl FnMut(&[u8], &str),
    ) -> Result<usize, TableError> {
        self.read_named(piece, last, |field, _, line| row(field, line))
    }

    /// As [`Intake::read`]; after its field of the division every row has that by which it is the same row after a change.
    ///
    /// # Errors
    /// As [`Intake::read`].
    pub fn read_named(
        &mut self,
        piece: &[u8],
        last: bool,
        mut row: impl FnMut(&[u8], &[u8], &str),
    ) -> Result<usize, TableError> {
        let begun = match self.head {
            Some(_) => 0,
            None => self.begin(piece, last)?,
        };
        let Some(&Head {
            fields,
            column,
            name,
            ..
        }) = self.head.as_ref()
        else {
            return Ok(0);
        };
        let piece = piece.get(begun..).unwrap_or_default();
        let (text, _) = self.text(piece, last)?;
        let mut reader = RowReader::within(text, last);
        reader.after(self.rows, fields);
        while let Some(raw) = reader.next_row()? {
            let field = |at: Option<usize>| at.and_then(|at| reader.record.get(at));
            let (of, named) = (field(column), field(name));
            row(of.unwrap_or_default(), named.unwrap_or_default(), raw);
            self.rows += 1;
        }
        let used = if last { piece.len() } else { reader.used() };
        if used == 0 && piece.len() > LONGEST {
            return Err(TableError::RowTooLong { row: self.rows + 1 });
        }
        self.offset += used as u64;
        Ok(begun + used)
    }

    /// A piece as text, up to a character that is not whole yet, and the bytes of the mark before a table's first.
    fn text<'p>(&self, piece: &'p [u8], last: bool) -> Result<(&'p str, usize), TableError> {
        let text = match std::str::from_utf8(piece) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !last => {
                let whole = piece.get(..error.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(whole).unwrap_or_default()
            }
            Err(error) => {
                let before = usize::try_from(self.offset).unwrap_or(usize::MAX);
                let at = before.saturating_add(error.valid_up_to());
                return Err(TableError::NotUtf8(at));
            }
        };
        let marked = text.strip_prefix('\u{feff}').filter(|_| self.offset == 0);
        let rest = marked.unwrap_or(text);
        Ok((rest, text.len() - rest.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::table::Table;
    use super::*;

    /// The rows of a table that comes in pieces of so many bytes more than was left of the one before.
    fn pieces(table: &[u8], size: usize) -> Result<(String, Vec<String>), TableError> {
        let mut intake = Intake::new("code");
        let (mut rows, mut start, mut end) = (Vec::new(), 0, 0);
        loop {
            end = (end + size).min(table.len());
            let last = end == table.len();
            start += intake.read(&table[start..end], last, |_, row| rows.push(row.to_owned()))?;
            assert_eq!(intake.offset(), start as u64);
            if last {
                return Ok((intake.header().unwrap().to_owned(), rows));
            }
        }
    }

    fn whole(table: &[u8]) -> Result<(String, Vec<String>), TableError> {
        let table = Table::parse(table, "code")?;
        let rows = table.rows.iter().map(|row| row.bytes.to_owned()).collect();
        Ok((table.header.to_owned(), rows))
    }

    #[test]
    fn a_table_in_pieces_is_the_table() {
        for table in [
            "\u{feff}code,name\r\n110101001,\"a, \"\"b\"\"\n\nc\"\r\n\r\n110101002,东华门\r\n",
            "\n\ncode,name\n\n110101001,\"a\n\"\"\r\nc\"\n\n\n110101002,东华门\n\n",
            "code,name",
            "code,name\n1,2\n3\n",
            "code,name\n1,\"2\n3,4\n",
            "code,code\n",
            "",
        ] {
            for size in 1..table.len().max(1) + 1 {
                let found = pieces(table.as_bytes(), size);
                assert_eq!(found, whole(table.as_bytes()), "{table:?} by {size}");
            }
        }
    }

    #[test]
    fn a_row_that_does_not_end_is_refused_before_it_fills_the_memory() {
        let long = format!("code,name\n1,2\n1,\"{}\n", "x".repeat(3 * MAX_ROW_BYTES));
        let refused = pieces(long.as_bytes(), 4_096);
        assert_eq!(refused, Err(TableError::RowTooLong { row: 2 }));
        assert_eq!(
            pieces(b"code\n1\n\xff\n", 3),
            Err(TableError::NotUtf8(7)),
            "counted from the table's beginning"
        );
    }

    proptest! {
        #[test]
        fn any_table_in_pieces_reads_as_it_does_whole(
            text in "(code,n\r?\n)([0-9a,\"东\r\n]{0,60})", size in 1usize..20,
        ) {
            prop_assert_eq!(pieces(text.as_bytes(), size), whole(text.as_bytes()));
        }
    }
}
