//! A spreadsheet (.xlsx), by address or as a file: the first row of a sheet names the columns.

use std::io::{Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use zip::ZipArchive;
use zip::result::ZipError;

use super::address::Location;
use super::fetcher::Fetcher;
use super::record::FieldPath;
use super::source::{Source, document};
use super::table::{MAX_COLUMNS, Rows, Table};
use super::{PullError, Record};
use crate::language::Text;

/// Most bytes that all parts of a spreadsheet unpack to: a sheet of 100,000 rows has some 60 MB of XML, its texts as much again.
pub const MAX_UNPACKED_BYTES: u64 = 256 << 20;
/// Most parts in a spreadsheet's archive: a workbook has some twenty.
pub const MAX_PARTS: usize = 1_000;

/// A catalogue as a spreadsheet.
#[derive(Debug, Clone)]
pub struct Spreadsheet {
    /// Where it is.
    pub at: Location,
    /// Which sheet; the first when absent.
    pub sheet: Option<String>,
    /// What a row describes.
    pub rows: Rows,
    /// The column with the key.
    pub key: FieldPath,
}

impl Source for Spreadsheet {
    fn pull(&self, fetcher: &mut Fetcher) -> Result<Vec<Record>, PullError> {
        let bytes = document(&self.at, fetcher)?;
        self.read(&bytes, fetcher.bounds().entries)
    }
}

impl Spreadsheet {
    /// Reads cell by cell: the area a sheet claims to cover is never believed, as two cells far apart would claim all memory.
    fn read(&self, bytes: &[u8], limit: usize) -> Result<Vec<Record>, PullError> {
        unpacks_within_bounds(bytes)?;
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(malformed)?;
        let sheet = match &self.sheet {
            Some(sheet) => sheet.clone(),
            None => book
                .sheet_names()
                .into_iter()
                .next()
                .ok_or_else(|| no_sheet("1"))?,
        };
        if !book.sheet_names().contains(&sheet) {
            return Err(no_sheet(&sheet));
        }
        let mut cells = book.worksheet_cells_reader(&sheet).map_err(malformed)?;
        let mut rows = RowReader::default();
        let mut table: Option<Table> = None;
        loop {
            let cell = cells.next_cell().map_err(malformed)?;
            let ended = cell.is_none();
            let finished = match cell {
                Some(cell) => {
                    let (row, column) = cell.get_position();
                    rows.take(row, column, text(cell.get_value()))?
                }
                None => rows.last(),
            };
            match (finished, &mut table) {
                (Some(row), Some(table)) => table.add(row)?,
                (Some(header), none) => {
                    *none = Some(Table::new(header, &self.key, self.rows, limit)?);
                }
                (None, _) => {}
            }
            if ended {
                break;
            }
        }
        table
            .map(Table::records)
            .ok_or_else(|| PullError::malformed("工作表是空的", "the sheet is empty"))
    }
}

/// Cells put together to rows. They come in order; a row that goes back is no sheet.
#[derive(Default)]
struct RowReader {
    row: Option<u32>,
    cells: Vec<String>,
}

impl RowReader {
    /// Takes a cell; gives the row before when this one begins the next.
    fn take(
        &mut self,
        row: u32,
        column: u32,
        text: String,
    ) -> Result<Option<Vec<String>>, PullError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let column = column as usize;
        if column >= MAX_COLUMNS {
            return Err(PullError::TooMuch {
                what: Text::new("列", "columns"),
                limit: MAX_COLUMNS as u64,
            });
        }
        let finished = match self.row {
            Some(before) if row < before => {
                return Err(PullError::malformed(
                    "工作表的行次序有误",
                    "the rows of the sheet are out of order",
                ));
            }
            Some(before) if row > before => self.last(),
            Some(_) | None => None,
        };
        self.row = Some(row);
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = text;
        }
        Ok(finished)
    }

    fn last(&mut self) -> Option<Vec<String>> {
        self.row.take()?;
        Some(std::mem::take(&mut self.cells))
    }
}

/// A cell as text. A formula that failed has none.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        // A whole number is written without a fraction: codes are often kept as numbers.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(yes) => yes.to_string(),
        DataRef::DateTime(at) => date(at),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn date(at: &ExcelDateTime) -> String {
    if !at.is_datetime() {
        return at.as_f64().to_string();
    }
    let (year, month, day, ..) = at.to_ymd_hms_milli();
    format!("{year:04}-{month:02}-{day:02}")
}

/// Unpacks every part without keeping it: what an archive says of its own size is not believed.
fn unpacks_within_bounds(bytes: &[u8]) -> Result<(), PullError> {
    let broken = |error: ZipError| malformed(XlsxError::from(error));
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MAX_PARTS {
        return Err(PullError::TooMuch {
            what: Text::new("文件部件", "parts of the file"),
            limit: MAX_PARTS as u64,
        });
    }
    let mut left = MAX_UNPACKED_BYTES;
    for at in 0..archive.len() {
        let part = archive.by_index(at).map_err(broken)?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|error| malformed(XlsxError::from(error)))?;
        left = left
            .checked_sub(unpacked)
            .ok_or_else(|| PullError::TooMuch {
                what: Text::new("解压后字节", "bytes when unpacked"),
                limit: MAX_UNPACKED_BYTES,
            })?;
    }
    Ok(())
}

fn malformed(error: XlsxError) -> PullError {
    PullError::malformed(
        format!("电子表格无法解读：{error}"),
        format!("the spreadsheet cannot be read: {error}"),
    )
}

fn no_sheet(name: &str) -> PullError {
    PullError::malformed(
        format!("电子表格中没有工作表“{name}”"),
        format!("the spreadsheet has no sheet {name:?}"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A workbook of two sheets, the second with this XML.
    fn book(sheet: &str) -> Vec<u8> {
        let package = "http://schemas.openxmlformats.org/package/2006";
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let types = "application/vnd.openxmlformats-officedocument.spreadsheetml";
        let parts = [
            (
                "[Content_Types].xml",
                format!(
                    r#"<Types xmlns="{package}/content-types"><Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/></Types>"#
                ),
            ),
            (
                "_rels/.rels",
                format!(
                    r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/workbook.xml",
                format!(
                    r#"<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="说明" sheetId="1" r:id="r1"/><sheet name="目录" sheetId="2" r:id="r2"/></sheets></workbook>"#
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    r#"<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{office}/worksheet" Target="worksheets/sheet2.xml"/></Relationships>"#
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData/></worksheet>"#),
            ),
            (
                "xl/worksheets/sheet2.xml",
                format!(r#"<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>"#),
            ),
        ];
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        for (name, text) in parts {
            archive.start_file(name, stored).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    }

    fn cell(at: &str, text: &str) -> String {
        format!(r#"<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>"#)
    }

    fn row(number: usize, cells: &[String]) -> String {
        format!(r#"<row r="{number}">{}</row>"#, cells.concat())
    }

    fn rows() -> String {
        [
            row(
                1,
                &[
                    cell("A1", "目录代码"),
                    cell("B1", "目录名称"),
                    cell("C1", "信息项"),
                ],
            ),
            row(
                2,
                &[
                    "<c r=\"A2\"><v>1001</v></c>".into(),
                    cell("B2", "低保家庭信息"),
                    cell("C2", "户主姓名"),
                ],
            ),
            row(3, &[cell("C3", "身份证号")]),
            row(
                5,
                &[
                    "<c r=\"A5\" t=\"e\"><v>#REF!</v></c>".into(),
                    cell("B5", "特困人员信息"),
                ],
            ),
        ]
        .concat()
    }

    fn spreadsheet(rows: Rows) -> Spreadsheet {
        Spreadsheet {
            at: Location::File("x".into()),
            sheet: Some("目录".into()),
            rows,
            key: FieldPath::try_from("目录代码".to_owned()).unwrap(),
        }
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, PullError> {
        spreadsheet(Rows::Items).read(bytes, 9)
    }

    #[test]
    fn numbers_are_keys_merged_cells_are_items_and_a_broken_formula_is_nothing() {
        let records = read(&book(&rows())).unwrap();
        let at = |number: usize, path: &str| {
            records[number].texts(&FieldPath::try_from(path.to_owned()).unwrap())
        };
        assert_eq!(at(0, "目录代码"), ["1001"]);
        assert_eq!(at(0, "rows.信息项"), ["户主姓名", "身份证号"]);
        let entries = spreadsheet(Rows::Entries).read(&book(&rows()), 9).unwrap();
        let key = FieldPath::try_from("目录代码".to_owned()).unwrap();
        assert_eq!(
            entries.iter().map(|it| it.text(&key)).collect::<Vec<_>>(),
            [Some("1001".into()), None, None]
        );
    }

    #[test]
    fn another_sheet_an_empty_one_and_one_without_the_key_are_errors() {
        let bytes = book(&rows());
        for sheet in [None, Some("没有".to_owned())] {
            let wrong = Spreadsheet {
                sheet,
                ..spreadsheet(Rows::Items)
            };
            assert!(matches!(
                wrong.read(&bytes, 9),
                Err(PullError::Malformed { .. })
            ));
        }
        assert!(read(&book(&row(1, &[cell("A1", "名称")]))).is_err());
    }

    #[test]
    fn cells_far_apart_take_no_memory_and_are_refused() {
        let far = row(1, &[cell("A1", "目录代码"), cell("XFD1", "x")]);
        assert!(matches!(read(&book(&far)), Err(PullError::TooMuch { .. })));
        let low = [
            row(1, &[cell("A1", "目录代码")]),
            row(1_048_576, &[cell("A1048576", "甲")]),
        ]
        .concat();
        assert_eq!(read(&book(&low)).unwrap().len(), 1);
        let back = [
            row(9, &[cell("A9", "目录代码")]),
            row(2, &[cell("A2", "甲")]),
        ]
        .concat();
        assert!(matches!(
            read(&book(&back)),
            Err(PullError::Malformed { .. })
        ));
    }

    #[test]
    fn a_file_that_is_cut_or_whose_bytes_are_changed_is_an_error_or_another_table_and_never_a_panic()
     {
        let whole = book(&rows());
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut at {end}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x15;
            let _ = read(&changed);
        }
        assert!(read(b"not a spreadsheet").is_err());
    }
}
