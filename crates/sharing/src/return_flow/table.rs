//! A CSV table in memory, row by row as its bytes stand, and its rows sorted by the division they belong to.

use super::area::LEVELS;
use super::divisions::SixDigits;
use super::remainder::Placing;

/// Most bytes in one row or header.
pub const MAX_ROW_BYTES: usize = 64 << 10;
/// Most data rows in one table: one for every person of the country, and room.
pub const MAX_ROWS: u64 = 2_000_000_000;
/// Most data rows of a table that is held in memory whole.
pub const MAX_ROWS_IN_MEMORY: u64 = 10_000_000;
/// Most columns in one table.
pub const MAX_COLUMNS: usize = 256;

/// Why a table cannot be read. Rows are counted from 1, without the header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// Not UTF-8 from this byte on.
    #[error("the table is not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Nothing there.
    #[error("the table has no header")]
    NoHeader,
    /// More than [`MAX_COLUMNS`].
    #[error("the table has {0} columns, at most {MAX_COLUMNS} are read")]
    TooManyColumns(usize),
    /// The named column is not in the header.
    #[error("the table has no column {0:?}")]
    NoColumn(String),
    /// The named column stands twice in the header.
    #[error("the table has two columns {0:?}")]
    ColumnTwice(String),
    /// More than [`MAX_ROWS`], or than [`MAX_ROWS_IN_MEMORY`] where it is held whole.
    #[error("the table has more than {0} rows")]
    TooManyRows(u64),
    /// Longer than [`MAX_ROW_BYTES`]; row 0 is the header.
    #[error("row {row} is longer than {MAX_ROW_BYTES} bytes")]
    RowTooLong {
        /// Which row.
        row: u64,
    },
    /// Not as many fields as the header.
    #[error("row {row} has {found} fields, the header has {expected}")]
    Uneven {
        /// Which row.
        row: u64,
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
    },
    /// A quotation mark is opened and never closed.
    #[error("row {row} opens a quotation mark and never closes it")]
    OpenQuote {
        /// Which row.
        row: u64,
    },
    /// The reader could not go on.
    #[error("row {row} cannot be read as CSV")]
    Csv {
        /// Which row.
        row: u64,
    },
}

/// The division code of a row: 6, 9 or 12 digits, or none that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowCode {
    digits: [u8; 12],
    length: u8,
}

impl RowCode {
    pub(super) fn parse(field: &[u8]) -> Self {
        let mut code = Self {
            digits: [0; 12],
            length: 0,
        };
        if matches!(field.len(), 6 | 9 | 12) && field.iter().all(u8::is_ascii_digit) {
            code.digits[..field.len()].copy_from_slice(field);
            code.length = field.len() as u8;
        }
        code
    }

    /// The first six digits.
    pub(super) fn county(&self) -> Option<SixDigits> {
        if self.length == 0 {
            None
        } else {
            self.digits.first_chunk().copied()
        }
    }

    /// How many digits, and the digits: as a leaf holds it.
    pub(super) fn packed(&self) -> [u8; 13] {
        let mut packed = [0; 13];
        packed[0] = self.length;
        packed[1..].copy_from_slice(&self.digits);
        packed
    }

    /// What [`RowCode::packed`] made; nothing of anything else.
    pub(super) fn unpacked(packed: &[u8; 13]) -> Option<Self> {
        let (length, digits) = packed.split_first()?;
        let code = Self::parse(digits.get(..usize::from(*length))?);
        (code.packed() == *packed).then_some(code)
    }

    /// How many digits.
    pub(super) fn len(&self) -> usize {
        usize::from(self.length)
    }

    /// Where it stands among the codes of one division: the division's own rows first, then those of townships and villages.
    pub(super) fn depth(&self) -> (bool, Self) {
        (self.len() > LEVELS[0], *self)
    }

    /// The area of so many digits that it is or lies in; none when it has fewer.
    pub(super) fn within(&self, digits: usize) -> Option<Self> {
        let mut area = Self {
            digits: [0; 12],
            length: digits as u8,
        };
        let named = self.digits.get(..digits)?;
        area.digits.get_mut(..digits)?.copy_from_slice(named);
        (digits <= self.len()).then_some(area)
    }

    /// As text; empty when there is none.
    pub(super) fn text(&self) -> String {
        self.digits[..usize::from(self.length)]
            .iter()
            .map(|digit| char::from(*digit))
            .collect()
    }
}

/// One data row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'t> {
    pub(super) code: RowCode,
    /// Whether the column with the code is empty.
    pub(super) blank: bool,
    /// The row exactly as it stands, without its line end.
    pub(super) bytes: &'t str,
}

/// A table as parsed; rows in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<'t> {
    pub(super) header: &'t str,
    pub(super) rows: Vec<Row<'t>>,
}

impl<'t> Table<'t> {
    /// Reads a table: UTF-8, comma-separated, a header line, every row with as many fields as the header. A byte order mark and blank
    /// lines are passed over. A row whose `division_column` holds no code of 6, 9 or 12 digits is kept and belongs to no division.
    ///
    /// # Errors
    /// [`TableError`] names the row that cannot be read.
    pub fn parse(bytes: &'t [u8], division_column: &str) -> Result<Self, TableError> {
        let mut reader = RowReader::open(bytes)?;
        let column = reader.column(division_column)?;
        let mut rows = Vec::new();
        while let Some(raw) = reader.next_row()? {
            let field = reader.record.get(column).unwrap_or_default();
            rows.push(Row {
                code: RowCode::parse(field),
                blank: field.trim_ascii().is_empty(),
                bytes: raw,
            });
        }
        Ok(Self {
            header: reader.header,
            rows,
        })
    }

    /// The header line.
    pub fn header(&self) -> &'t str {
        self.header
    }

    /// Number of data rows.
    pub fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Two columns of a table as text.
    pub(super) fn pairs(
        bytes: &[u8],
        first: &str,
        second: &str,
    ) -> Result<Vec<(String, String)>, TableError> {
        let mut reader = RowReader::open(bytes)?;
        let (first, second) = (reader.column(first)?, reader.column(second)?);
        let mut pairs = Vec::new();
        while reader.next_row()?.is_some() {
            let field = |at: usize| {
                String::from_utf8_lossy(reader.record.get(at).unwrap_or_default()).into_owned()
            };
            pairs.push((field(first), field(second)));
        }
        Ok(pairs)
    }
}

/// Reads rows and keeps hold of the bytes they stand in.
pub(super) struct RowReader<'t> {
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    pub(super) record: csv::ByteRecord,
    pub(super) header: &'t str,
    columns: Vec<Vec<u8>>,
    fields: usize,
    row: u64,
    /// Most rows.
    limit: u64,
    /// Whether the table ends with the text; else a row that runs to its end may go on.
    ends: bool,
    /// Bytes of the text that are read: the rows that are whole.
    used: usize,
}

impl<'t> RowReader<'t> {
    pub(super) fn open(bytes: &'t [u8]) -> Result<Self, TableError> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| TableError::NotUtf8(error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rows = Self::within(text, true);
        if rows.head()? {
            Ok(rows)
        } else {
            Err(TableError::NoHeader)
        }
    }

    /// A reader of a piece of a table, which begins with a row.
    pub(super) fn within(text: &'t str, ends: bool) -> Self {
        Self {
            text,
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes()),
            record: csv::ByteRecord::new(),
            header: "",
            columns: Vec::new(),
            fields: 0,
            row: 0,
            limit: MAX_ROWS_IN_MEMORY,
            ends,
            used: 0,
        }
    }

    /// Reads the header; false when it is not there whole.
    pub(super) fn head(&mut self) -> Result<bool, TableError> {
        let Some(header) = self.next_raw()? else {
            return Ok(false);
        };
        self.header = header;
        self.fields = self.record.len();
        if self.fields > MAX_COLUMNS {
            return Err(TableError::TooManyColumns(self.fields));
        }
        self.columns = self.record.iter().map(<[u8]>::to_vec).collect();
        Ok(true)
    }

    /// Goes on after so many rows of so many fields.
    pub(super) fn after(&mut self, rows: u64, fields: usize) {
        (self.row, self.fields, self.limit) = (rows, fields, MAX_ROWS);
    }

    /// How many fields every row has.
    pub(super) fn fields(&self) -> usize {
        self.fields
    }

    /// Bytes of the text that whole rows, and the line ends after them, take.
    pub(super) fn used(&self) -> usize {
        let rest = self.text.get(self.used..).unwrap_or_default();
        self.used + (rest.len() - rest.trim_start_matches(['\r', '\n']).len())
    }

    pub(super) fn column(&self, name: &str) -> Result<usize, TableError> {
        let mut found = self
            .columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.as_slice() == name.as_bytes());
        let shown = || name.chars().take(64).collect::<String>();
        let (at, _) = found.next().ok_or_else(|| TableError::NoColumn(shown()))?;
        if found.next().is_some() {
            Err(TableError::ColumnTwice(shown()))
        } else {
            Ok(at)
        }
    }

    pub(super) fn next_row(&mut self) -> Result<Option<&'t str>, TableError> {
        self.row += 1;
        let Some(raw) = self.next_raw()? else {
            return Ok(None);
        };
        if self.row > self.limit {
            return Err(TableError::TooManyRows(self.limit));
        }
        if self.record.len() != self.fields {
            return Err(TableError::Uneven {
                row: self.row,
                expected: self.fields,
                found: self.record.len(),
            });
        }
        Ok(Some(raw))
    }

    /// The next row's bytes; its fields are then in `record`.
    fn next_raw(&mut self) -> Result<Option<&'t str>, TableError> {
        let row = self.row;
        let broken = TableError::Csv { row };
        if !self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|_| broken.clone())?
        {
            return Ok(None);
        }
        let offset = |position: &csv::Position| usize::try_from(position.byte()).ok();
        let start = self
            .record
            .position()
            .and_then(offset)
            .ok_or(broken.clone())?;
        let end = offset(self.reader.position()).ok_or(broken.clone())?;
        if !self.ends && end >= self.text.len() {
            return Ok(None);
        }
        self.used = end;
        let raw = self
            .text
            .get(start..end)
            .ok_or(broken)?
            .trim_matches(['\r', '\n']);
        if raw.len() > MAX_ROW_BYTES {
            return Err(TableError::RowTooLong { row });
        }
        // Only a row that runs to the end of the table can have an open quotation mark; set before another it would swallow that one.
        if end == self.text.len() && !closes(raw) {
            return Err(TableError::OpenQuote { row });
        }
        Ok(Some(raw))
    }
}

/// Whether a line set after the row is read as a row of its own.
fn closes(raw: &str) -> bool {
    let followed = format!("{raw}\nx\n");
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(followed.as_bytes());
    reader.into_byte_records().count() == 2
}

/// Tree order.
pub(super) fn in_tree<'r>((place, row): &'r (usize, Row<'_>)) -> (usize, (bool, RowCode), &'r str) {
    (*place, row.code.depth(), row.bytes)
}

/// A table's rows in tree order: by division in pre-order, within one its own rows, then those of its townships and villages by code, then by
/// bytes; the remainder last.
#[derive(Debug, Clone)]
pub(super) struct Split<'t> {
    pub(super) header: &'t str,
    rows: Vec<(usize, Row<'t>)>,
}

impl<'t> Split<'t> {
    /// Sorts the rows of a table by the division they belong to.
    pub(super) fn new(table: Table<'t>, placing: &Placing<'_>) -> Self {
        let place = |row: &Row<'t>| placing.place(&row.code);
        let mut rows: Vec<_> = table
            .rows
            .into_iter()
            .map(|row| (place(&row), row))
            .collect();
        rows.sort_unstable_by(|a, b| in_tree(a).cmp(&in_tree(b)));
        Self {
            header: table.header,
            rows,
        }
    }

    /// Rows that are in order already.
    pub(super) fn sorted(header: &'t str, rows: Vec<(usize, Row<'t>)>) -> Self {
        Self { header, rows }
    }

    /// The rows of the places `from..to`.
    pub(super) fn rows(&self, from: usize, to: usize) -> &[(usize, Row<'t>)] {
        let start = self.rows.partition_point(|(place, _)| *place < from);
        let end = self.rows.partition_point(|(place, _)| *place < to);
        self.rows.get(start..end).unwrap_or_default()
    }

    /// The rows of a township or village of one place.
    pub(super) fn rows_in(&self, place: usize, area: &RowCode) -> &[(usize, Row<'t>)] {
        let here = self.rows(place, place + 1);
        let inside = |code: &RowCode| code.within(area.len()) == Some(*area);
        let start = here.partition_point(|(_, row)| row.code.depth() < area.depth());
        let rest = here.get(start..).unwrap_or_default();
        let end = rest.partition_point(|(_, row)| inside(&row.code));
        rest.get(..end).unwrap_or_default()
    }

    /// All rows.
    pub(super) fn all(&self) -> &[(usize, Row<'t>)] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<String>, TableError> {
        Table::parse(text.as_bytes(), "code")
            .map(|table| table.rows.iter().map(|row| row.bytes.to_owned()).collect())
    }

    #[test]
    fn rows_keep_their_bytes_whatever_the_line_ends() {
        let expected = ["110101001,\"a, \"\"b\"\"\n\nc\"", "110101002,东华门"];
        for table in [
            "\u{feff}code,name\r\n110101001,\"a, \"\"b\"\"\n\nc\"\r\n\r\n110101002,东华门\r\n",
            "code,name\n110101001,\"a, \"\"b\"\"\n\nc\"\n110101002,东华门",
            "\n\ncode,name\n\n110101001,\"a, \"\"b\"\"\n\nc\"\n\n\n110101002,东华门\n\n",
        ] {
            assert_eq!(rows(table).unwrap(), expected);
            assert_eq!(
                Table::parse(table.as_bytes(), "code").unwrap().header(),
                "code,name"
            );
        }
    }

    #[test]
    fn a_quoted_code_is_read() {
        let table = Table::parse(b"name,code\nx,\"110101\"\n", "code").unwrap();
        assert_eq!(table.rows[0].code.text(), "110101");
        assert_eq!(table.rows(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_row() {
        assert_eq!(rows(""), Err(TableError::NoHeader));
        assert_eq!(rows("a,b\n"), Err(TableError::NoColumn("code".into())));
        assert_eq!(
            rows("code,code\n"),
            Err(TableError::ColumnTwice("code".into()))
        );
        assert_eq!(
            rows("code,name\n1,2\n3\n"),
            Err(TableError::Uneven {
                row: 2,
                expected: 2,
                found: 1
            })
        );
        assert_eq!(
            rows("code,name\n1,\"2\n3,4\n"),
            Err(TableError::OpenQuote { row: 1 })
        );
        assert_eq!(
            rows("code,name\n1,2\nx\"y,\"z"),
            Err(TableError::OpenQuote { row: 2 })
        );
        let long = format!("code,name\n1,{}\n", "x".repeat(MAX_ROW_BYTES));
        assert_eq!(rows(&long), Err(TableError::RowTooLong { row: 1 }));
        let wide = vec!["code"; MAX_COLUMNS + 1].join(",");
        assert_eq!(
            rows(&wide),
            Err(TableError::TooManyColumns(MAX_COLUMNS + 1))
        );
        assert_eq!(
            Table::parse(b"code\n\xff\n", "code"),
            Err(TableError::NotUtf8(5))
        );
    }

    #[test]
    fn a_code_lies_in_every_shorter_one_that_it_begins_with() {
        let code = RowCode::parse(b"110101001002");
        let within = |digits| code.within(digits).map(|area| area.text());
        assert_eq!(within(9).as_deref(), Some("110101001"));
        assert_eq!(within(12).as_deref(), Some("110101001002"));
        assert_eq!(RowCode::parse(b"110101").within(9), None);
        assert!(RowCode::parse(b"110101001") < code);
    }

    #[test]
    fn only_six_nine_or_twelve_digits_are_a_code() {
        for (field, code) in [
            ("110101", "110101"),
            ("110101001", "110101001"),
            ("110101001002", "110101001002"),
        ] {
            assert_eq!(RowCode::parse(field.as_bytes()).text(), code);
        }
        for field in ["", "1101", "1101010", "11010a", "1101010010023", " 110101"] {
            assert_eq!(RowCode::parse(field.as_bytes()).county(), None, "{field}");
        }
    }
}
