//! CSV, by address or as a file: UTF-8 or GB 18030, the first row names the columns.

use encoding_rs::GB18030;
use serde::Deserialize;

use super::address::Location;
use super::fetcher::Fetcher;
use super::record::FieldPath;
use super::source::{Source, document};
use super::table::{Rows, Table};
use super::{PullError, Record};

/// A catalogue as CSV.
#[derive(Debug, Clone)]
pub struct Csv {
    /// Where it is.
    pub at: Location,
    /// How its characters are written.
    pub encoding: Encoding,
    /// What a row describes.
    pub rows: Rows,
    /// The column with the key.
    pub key: FieldPath,
}

/// How characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with a byte-order mark or without.
    #[default]
    Utf8,
    /// GB 18030, of which GBK and GB 2312 are parts: what spreadsheets save as CSV on a Chinese desktop.
    Gb18030,
}

impl Source for Csv {
    fn pull(&self, fetcher: &mut Fetcher) -> Result<Vec<Record>, PullError> {
        let bytes = document(&self.at, fetcher)?;
        self.read(&bytes, fetcher.bounds().entries)
    }
}

impl Csv {
    fn read(&self, bytes: &[u8], limit: usize) -> Result<Vec<Record>, PullError> {
        let text = self.decoded(bytes)?;
        // A quote inside a quoted field is doubled, so whole files have an even number of them.
        if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
            return Err(PullError::malformed(
                "CSV 的引号不成对，文件可能被截断",
                "the quotes of the CSV are not in pairs; it may be cut short",
            ));
        }
        let malformed = |error: csv::Error| {
            PullError::malformed(
                format!("CSV 无法解读：{error}"),
                format!("the CSV cannot be read: {error}"),
            )
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let owned = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<_>>();
        let header = owned(reader.headers().map_err(malformed)?);
        let mut table = Table::new(header, &self.key, self.rows, limit)?;
        for row in reader.records() {
            table.add(owned(&row.map_err(malformed)?))?;
        }
        Ok(table.records())
    }

    fn decoded(&self, bytes: &[u8]) -> Result<String, PullError> {
        let text = match self.encoding {
            Encoding::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Encoding::Gb18030 => GB18030
                .decode_without_bom_handling_and_without_replacement(bytes)
                .map(|text| text.into_owned()),
        };
        let text = text.ok_or_else(|| {
            PullError::malformed(
                "CSV 的字符编码与 encoding 不符（utf8 或 gb18030）",
                "the characters of the CSV are not written as encoding says (utf8 or gb18030)",
            )
        })?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "目录代码,目录名称,摘要\nMZ-0001,低保家庭信息,\"在保家庭，\"\"含\"\"成员\"\nMZ-0002,特困人员信息,\n";

    fn path(text: &str) -> FieldPath {
        FieldPath::try_from(text.to_owned()).unwrap()
    }

    fn csv(encoding: Encoding) -> Csv {
        Csv {
            at: Location::File("x".into()),
            encoding,
            rows: Rows::Entries,
            key: path("目录代码"),
        }
    }

    #[test]
    fn both_ways_to_write_chinese_are_read() {
        let (gb, _, _) = GB18030.encode(TABLE);
        let marked = format!("\u{feff}{TABLE}");
        for (encoding, bytes) in [
            (Encoding::Utf8, TABLE.as_bytes()),
            (Encoding::Utf8, marked.as_bytes()),
            (Encoding::Gb18030, &*gb),
        ] {
            let records = csv(encoding).read(bytes, 9).unwrap();
            assert_eq!(records.len(), 2);
            assert_eq!(
                records[0].text(&path("摘要")).as_deref(),
                Some("在保家庭，\"含\"成员")
            );
        }
        assert!(csv(Encoding::Utf8).read(&gb, 9).is_err());
    }

    #[test]
    fn a_file_that_is_cut_inside_a_row_or_is_no_csv_is_an_error() {
        let rows = TABLE.find("MZ-0002").unwrap();
        for cut in [TABLE.len() - 2, rows + 8, rows + 20, rows - 3] {
            assert!(
                csv(Encoding::Utf8)
                    .read(&TABLE.as_bytes()[..cut], 9)
                    .is_err(),
                "{cut}"
            );
        }
        for wrong in [
            "",
            "\n",
            "<html></html>",
            "目录代码,a\n1,2,3\n",
            "{\"目录代码\": 1}",
        ] {
            assert!(
                csv(Encoding::Utf8).read(wrong.as_bytes(), 9).is_err(),
                "{wrong}"
            );
        }
        assert!(matches!(
            csv(Encoding::Utf8).read(TABLE.as_bytes(), 1),
            Err(PullError::TooMuch { .. })
        ));
    }
}
