//! The table of administrative divisions (行政区划): who lies below whom, for return flow and for names.

use std::collections::BTreeMap;

use identity::{Code, CodeError};

/// Most rows of the table: three times the nation's 3,215.
pub const MAX_DIVISIONS: usize = 10_000;
/// The first line of the table.
const HEADER: &str = "code,name,parent,level";

/// Divisions by code, as one state of GB/T 2260 has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Divisions(BTreeMap<Code, Division>);

/// One division.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Its name.
    pub name: String,
    /// The division above; `None` for the nation alone.
    pub parent: Option<Code>,
    /// Its level.
    pub level: DivisionLevel,
}

/// The level of a division, highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DivisionLevel {
    /// The nation.
    Nation,
    /// 省级.
    Province,
    /// 地级.
    Prefecture,
    /// 县级.
    County,
}

/// Why a text is no table of divisions. Lines count from 1, the header included. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DivisionsError {
    /// The first line is not the header.
    #[error("首行应为 {HEADER} (wrong header)")]
    Header,
    /// More than `MAX_DIVISIONS` rows.
    #[error("区划过多，上限 {MAX_DIVISIONS} (too many divisions)")]
    TooMany,
    /// A row without exactly four cells, with an empty name or with quotes.
    #[error("第 {0} 行应有四列且不含引号 (malformed row)")]
    Row(usize),
    /// A bad code.
    #[error("第 {0} 行：{1}")]
    Code(usize, CodeError),
    /// A label where a division code belongs.
    #[error("第 {0} 行：{1} 不是行政区划代码 (not a division code)")]
    Label(usize, Code),
    /// An unknown level.
    #[error("第 {0} 行：未知层级“{1}” (unknown level)")]
    Level(usize, String),
    /// A code for the second time.
    #[error("第 {0} 行：代码 {1} 重复 (code repeated)")]
    Repeated(usize, Code),
    /// A parent that is not in the table.
    #[error("{0} 的上级 {1} 不在表中 (unknown parent)")]
    UnknownParent(Code, Code),
    /// A division without a parent that is not the nation, or a parent that is not of a higher level.
    #[error("{0} 的上级缺失或层级不高于它 (parent missing or not above)")]
    Order(Code),
}

impl Divisions {
    /// Reads the table `code,name,parent,level`.
    ///
    /// # Errors
    /// [`DivisionsError`] names the first defect and its line.
    pub fn parse(text: &str) -> Result<Self, DivisionsError> {
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            return Err(DivisionsError::Header);
        }
        let mut rows = BTreeMap::new();
        for (line, row) in (2..).zip(lines) {
            if rows.len() == MAX_DIVISIONS {
                return Err(DivisionsError::TooMany);
            }
            let (code, division) = parse_row(line, row)?;
            if rows.insert(code, division).is_some() {
                return Err(DivisionsError::Repeated(line, code));
            }
        }
        let table = Self(rows);
        table.check_parents()?;
        Ok(table)
    }

    /// A strictly higher parent for all but the nation; so there is no cycle.
    fn check_parents(&self) -> Result<(), DivisionsError> {
        for (code, division) in &self.0 {
            match division.parent {
                None if division.level == DivisionLevel::Nation => {}
                None => return Err(DivisionsError::Order(*code)),
                Some(parent) => {
                    let above = self
                        .0
                        .get(&parent)
                        .ok_or(DivisionsError::UnknownParent(*code, parent))?;
                    if above.level >= division.level {
                        return Err(DivisionsError::Order(*code));
                    }
                }
            }
        }
        Ok(())
    }

    /// One division.
    pub fn get(&self, code: Code) -> Option<&Division> {
        self.0.get(&code)
    }

    /// The division above; `None` for the nation and for an unknown code.
    pub fn parent(&self, code: Code) -> Option<Code> {
        self.get(code)?.parent
    }

    /// The name of a division.
    pub fn name(&self, code: Code) -> Option<&str> {
        self.get(code).map(|division| division.name.as_str())
    }

    /// All divisions in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (Code, &Division)> {
        self.0.iter().map(|(code, division)| (*code, division))
    }

    /// Number of divisions.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `code` is `upper` or lies below it. False for codes that are not in the table.
    pub fn is_within(&self, code: Code, upper: Code) -> bool {
        let start = self.0.contains_key(&code).then_some(code);
        std::iter::successors(start, |code| self.parent(*code)).any(|code| code == upper)
    }
}

fn parse_row(line: usize, row: &str) -> Result<(Code, Division), DivisionsError> {
    let cells: Vec<&str> = row.split(',').collect();
    let [code, name, parent, level] = cells.as_slice() else {
        return Err(DivisionsError::Row(line));
    };
    if name.trim().is_empty() || row.contains('"') {
        return Err(DivisionsError::Row(line));
    }
    let division_code = |text: &str| match text.parse::<Code>() {
        Ok(code) if code.is_division() => Ok(code),
        Ok(code) => Err(DivisionsError::Label(line, code)),
        Err(error) => Err(DivisionsError::Code(line, error)),
    };
    let level = match *level {
        "nation" => DivisionLevel::Nation,
        "province" => DivisionLevel::Province,
        "prefecture" => DivisionLevel::Prefecture,
        "county" => DivisionLevel::County,
        other => return Err(DivisionsError::Level(line, other.to_owned())),
    };
    let parent = if parent.is_empty() {
        None
    } else {
        Some(division_code(parent)?)
    };
    Ok((
        division_code(code)?,
        Division {
            name: (*name).to_owned(),
            parent,
            level,
        },
    ))
}
