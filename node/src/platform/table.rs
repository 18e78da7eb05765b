//! A table as a catalogue: the first row names the columns; a row is an entry, or one data item of an entry.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::record::FieldPath;
use super::{PullError, Record};

/// Most columns of a table: catalogues have some thirty.
pub const MAX_COLUMNS: usize = 256;
/// Under this name an entry's rows stand when each is a data item.
pub const ROWS: &str = "rows";

/// What a row describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// One entry.
    #[default]
    Entries,
    /// One data item (信息项). The rows of one key are one entry, and a row without a key belongs to the one above, as merged cells come out. The
    /// items are at the path `rows`.
    Items,
}

/// Puts a table together, row by row.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<String>,
    key: String,
    rows: Rows,
    limit: usize,
    found: Vec<Map<String, Value>>,
    by_key: BTreeMap<String, usize>,
}

impl Table {
    /// A table with these columns.
    ///
    /// # Errors
    /// `Malformed` when two columns have one name or none is the key's; `TooMuch` beyond [`MAX_COLUMNS`].
    pub(super) fn new(
        header: impl IntoIterator<Item = String>,
        key: &FieldPath,
        rows: Rows,
        limit: usize,
    ) -> Result<Self, PullError> {
        let columns: Vec<String> = header
            .into_iter()
            .take(MAX_COLUMNS + 1)
            .map(|name| name.trim().to_owned())
            .collect();
        if columns.len() > MAX_COLUMNS {
            return Err(PullError::TooMuch {
                what: crate::language::Text::new("列", "columns"),
                limit: MAX_COLUMNS as u64,
            });
        }
        let mut seen = BTreeSet::new();
        for name in columns.iter().filter(|name| !name.is_empty()) {
            if !seen.insert(name) {
                return Err(PullError::malformed(
                    format!("表头有两列同名“{name}”"),
                    format!("two columns are named {name:?}"),
                ));
            }
        }
        let key = key.as_str().to_owned();
        if !columns.contains(&key) {
            let names = columns.join("、");
            return Err(PullError::malformed(
                format!("表头没有 fields.key 所指的“{key}”列；有：{names}"),
                format!("no column is named {key:?}, as fields.key says; there are: {names}"),
            ));
        }
        Ok(Self {
            columns,
            key,
            rows,
            limit,
            found: Vec::new(),
            by_key: BTreeMap::new(),
        })
    }

    /// Adds a row; an empty one is left out.
    ///
    /// # Errors
    /// `TooMuch` when there are more entries than a pull may have.
    pub(super) fn add(&mut self, cells: impl IntoIterator<Item = String>) -> Result<(), PullError> {
        let row: Map<String, Value> = self
            .columns
            .iter()
            .zip(cells)
            .filter(|(name, cell)| !name.is_empty() && !cell.trim().is_empty())
            .map(|(name, cell)| (name.clone(), Value::String(cell.trim().to_owned())))
            .collect();
        if row.is_empty() {
            return Ok(());
        }
        if self.rows == Rows::Items {
            return self.add_item(row);
        }
        self.push(row)
    }

    fn add_item(&mut self, row: Map<String, Value>) -> Result<(), PullError> {
        let key = row
            .get(&self.key)
            .and_then(Value::as_str)
            .map(str::to_owned);
        let at = match &key {
            Some(key) => self.by_key.get(key).copied(),
            None => self.found.len().checked_sub(1),
        };
        let at = match at {
            Some(at) => at,
            None => {
                self.push(row.clone())?;
                let at = self.found.len() - 1;
                self.by_key.extend(key.map(|key| (key, at)));
                at
            }
        };
        if let Some(entry) = self.found.get_mut(at) {
            let rows = entry
                .entry(ROWS)
                .or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(rows) = rows {
                rows.push(Value::Object(row));
            }
        }
        Ok(())
    }

    fn push(&mut self, row: Map<String, Value>) -> Result<(), PullError> {
        if self.found.len() >= self.limit {
            return Err(PullError::too_many(self.limit));
        }
        self.found.push(row);
        Ok(())
    }

    /// The entries in the order of the table.
    pub(super) fn records(self) -> Vec<Record> {
        self.found
            .into_iter()
            .map(|row| Record::new(Value::Object(row)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FieldPath {
        FieldPath::try_from(text.to_owned()).unwrap()
    }

    fn strings(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    fn table(rows: Rows, limit: usize) -> Result<Table, PullError> {
        Table::new(
            strings(&["目录代码", "目录名称", "信息项", ""]),
            &path("目录代码"),
            rows,
            limit,
        )
    }

    #[test]
    fn rows_of_one_key_and_rows_below_a_merged_cell_are_items_of_one_entry() {
        let mut table = table(Rows::Items, 2).unwrap();
        for row in [
            ["A", "低保家庭信息", "户主姓名", "x"],
            ["", "", "身份证号", ""],
            ["B", "特困人员信息", "姓名", ""],
            [" A ", "", "住址", ""],
            ["", " ", "", ""],
        ] {
            table.add(strings(&row)).unwrap();
        }
        assert!(matches!(
            table.add(strings(&["C"])),
            Err(PullError::TooMuch { .. })
        ));
        let records = table.records();
        let items = |at: usize| records[at].texts(&path("rows.信息项"));
        assert_eq!(records.len(), 2);
        assert_eq!(items(0), ["户主姓名", "身份证号", "住址"]);
        assert_eq!(items(1), ["姓名"]);
        assert_eq!(
            records[0].text(&path("目录名称")).as_deref(),
            Some("低保家庭信息")
        );
    }

    #[test]
    fn where_rows_are_entries_each_row_is_one_and_a_key_may_stand_twice() {
        let mut table = table(Rows::Entries, 9).unwrap();
        for row in [["A", "甲"], ["A", "乙"], ["", "丙"], ["", ""]] {
            table.add(strings(&row)).unwrap();
        }
        assert_eq!(table.records().len(), 3);
    }

    #[test]
    fn a_header_names_each_column_once_and_has_the_key() {
        let of = |names: &[&str]| Table::new(strings(names), &path("代码"), Rows::Entries, 9);
        assert!(of(&["代码", "名称"]).is_ok());
        for wrong in [vec!["名称"], vec!["代码", "名称", "名称 "], vec![]] {
            assert!(matches!(of(&wrong), Err(PullError::Malformed { .. })));
        }
        let wide: Vec<&str> = std::iter::once("代码")
            .chain(std::iter::repeat_n("", MAX_COLUMNS))
            .collect();
        assert!(matches!(of(&wide), Err(PullError::TooMuch { .. })));
    }
}
