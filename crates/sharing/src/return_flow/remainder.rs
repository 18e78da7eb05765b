//! Rows whose division is not known: the named remainder, which the source settles. R24.
//!
//! No row is dropped in silence. A row whose code is empty, malformed, unknown or no longer that of a division goes to the remainder, which
//! the manifest counts by reason. The source settles it in the next delivery: with rows put right, or by saying to which division of
//! today the rows of a code belong ([`Assigned`]), which the manifest tells everyone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::divisions::{Divisions, DivisionsError, SixDigits, six_digits};
use super::table::{Row, RowCode};

/// Most groups that a manifest names; what goes beyond is counted in one.
pub const MAX_REMAINDER_GROUPS: usize = 256;
/// Most codes that a source assigns in one delivery.
pub const MAX_ASSIGNED: usize = 256;

/// Why rows belong to no division. Declared in the order in which a manifest lists them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unplaced {
    /// No code at all (空).
    Null,
    /// Something other than 6, 9 or 12 digits (格式不符); what it is may be anything and is not told.
    Malformed,
    /// A code that is and was no division that is known here (未知).
    Unknown {
        /// The code's six digits.
        code: String,
    },
    /// The division was divided among others (已撤销).
    Retired {
        /// The code's six digits.
        code: String,
    },
    /// The division was taken over by another (已变更).
    Changed {
        /// The code's six digits.
        code: String,
        /// Where it lies now.
        to: String,
    },
    /// Codes beyond the first [`MAX_REMAINDER_GROUPS`], together.
    Others,
}

/// Rows of the remainder that have one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemainderGroup {
    /// Why no division claims them.
    pub why: Unplaced,
    /// How many.
    pub rows: u64,
}

/// The source's word to which division the rows of a code belong that is none any more (归属认定).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The code's six digits; no division of today.
    pub code: String,
    /// The division.
    pub to: String,
}

/// Why a source cannot assign a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// More than [`MAX_ASSIGNED`].
    #[error("more than {MAX_ASSIGNED} codes are assigned")]
    TooMany,
    /// Not six digits.
    #[error("an assigned code is wrong: {0}")]
    Code(#[from] DivisionsError),
    /// The rows of a division are its own, whatever the source says.
    #[error("{0} is a division of today: its rows are its own")]
    OfToday(String),
    /// There is no such division.
    #[error("{0} is no division of today")]
    NoDivision(String),
    /// Assigned twice.
    #[error("{0} is assigned twice")]
    Twice(String),
}

/// Which division a row belongs to: by the tree of today, and by what the source assigned.
#[derive(Debug, Clone)]
pub(super) struct Placing<'d> {
    pub(super) divisions: &'d Divisions,
    assigned: BTreeMap<SixDigits, usize>,
}

impl<'d> Placing<'d> {
    pub(super) fn new(divisions: &'d Divisions, list: &[Assigned]) -> Result<Self, AssignError> {
        if list.len() > MAX_ASSIGNED {
            return Err(AssignError::TooMany);
        }
        let mut assigned = BTreeMap::new();
        for Assigned { code, to } in list {
            let digits = six_digits(code)?;
            if divisions.contains(code) {
                return Err(AssignError::OfToday(code.clone()));
            }
            let place = divisions.find(&shown(to));
            let place = place.ok_or_else(|| AssignError::NoDivision(shown(to)))?;
            if assigned.insert(digits, place).is_some() {
                return Err(AssignError::Twice(code.clone()));
            }
        }
        Ok(Self {
            divisions,
            assigned,
        })
    }

    /// The place of a row; that of the remainder when no division claims it.
    pub(super) fn place(&self, code: &RowCode) -> usize {
        let assigned = || self.assigned.get(&code.county()?).copied();
        let found = self.divisions.owner_place(code).or_else(assigned);
        found.unwrap_or(self.divisions.len())
    }

    fn why(&self, code: &RowCode, blank: bool) -> Unplaced {
        let Some(digits) = code.county() else {
            return if blank {
                Unplaced::Null
            } else {
                Unplaced::Malformed
            };
        };
        let code = digits.iter().map(|digit| char::from(*digit)).collect();
        match self.divisions.retired(&digits) {
            None => Unplaced::Unknown { code },
            Some(None) => Unplaced::Retired { code },
            Some(Some(to)) => Unplaced::Changed { code, to },
        }
    }

    /// The rows of the remainder, counted by reason.
    pub(super) fn groups(&self, rows: &[(usize, Row<'_>)]) -> Vec<RemainderGroup> {
        let mut tally = Tally::default();
        for (_, row) in rows {
            tally.count(self, &row.code, row.blank);
        }
        tally.groups(self)
    }
}

/// The rows of the remainder as they come in tree order.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    groups: BTreeMap<Unplaced, u64>,
    others: u64,
    /// The last row's code, whether its field was empty, and rows of that kind not counted yet.
    run: Option<(RowCode, bool, u64)>,
}

impl Tally {
    /// Counts a row that no division claims.
    pub(super) fn count(&mut self, placing: &Placing<'_>, code: &RowCode, blank: bool) {
        match &mut self.run {
            Some((of, empty, rows)) if (*of, *empty) == (*code, blank) => *rows += 1,
            Some(_) | None => {
                self.end_run(placing);
                self.run = Some((*code, blank, 1));
            }
        }
    }

    fn end_run(&mut self, placing: &Placing<'_>) {
        let Some((code, blank, rows)) = self.run.take() else {
            return;
        };
        let why = placing.why(&code, blank);
        if self.groups.contains_key(&why) || self.groups.len() + 1 < MAX_REMAINDER_GROUPS {
            *self.groups.entry(why).or_default() += rows;
        } else {
            self.others += rows;
        }
    }

    /// What was counted, by reason.
    pub(super) fn groups(mut self, placing: &Placing<'_>) -> Vec<RemainderGroup> {
        self.end_run(placing);
        if self.others > 0 {
            self.groups.insert(Unplaced::Others, self.others);
        }
        self.groups
            .into_iter()
            .map(|(why, rows)| RemainderGroup { why, rows })
            .collect()
    }
}

fn shown(text: &str) -> String {
    text.chars().take(32).collect()
}
