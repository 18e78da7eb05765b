//! Where a row stands among the rows of a delivery, in one number: the order in which a table is split and its tree grows.

use super::Assigned;
use super::area::{Area, LEVELS};
use super::divisions::{Divisions, MAX_DIVISIONS};
use super::manifest::top_of;
use super::remainder::{AssignError, Placing};
use super::sum_tree::Top;
use super::table::RowCode;

/// Bits of a code: twelve digits, each with none before 0, in base 11.
const CODE_BITS: u32 = 42;
/// What a digit counts that is absent, and how many values one has.
const BASE: u64 = 11;
/// Bits of a place: every division, and the remainder.
const PLACE_BITS: u32 = 14;
const _: () = assert!(MAX_DIVISIONS < (1 << PLACE_BITS));

/// A row's place, then its depth, then its code; last, and no part of the order, whether the field was empty. Rows of one key stand by
/// their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowKey(u64);

impl RowKey {
    pub(super) fn new(place: usize, code: &RowCode, blank: bool) -> Self {
        Self(position(place, code) << 1 | u64::from(blank))
    }

    /// What sorts rows.
    pub fn order(self) -> u64 {
        self.0 >> 1
    }

    /// The number that [`RowKey::unpacked`] reads.
    pub fn packed(self) -> u64 {
        self.0
    }

    /// What [`RowKey::packed`] gave; nothing of anything else.
    pub fn unpacked(packed: u64) -> Option<Self> {
        let key = Self(packed);
        (Self::new(key.place(), &key.code(), key.blank()) == key).then_some(key)
    }

    /// The place of its division, the first of what sorts rows: fewer than 2^14.
    pub fn place(self) -> usize {
        (self.order() >> (CODE_BITS + 1)) as usize
    }

    pub(super) fn blank(self) -> bool {
        self.0 & 1 == 1
    }

    pub(super) fn code(self) -> RowCode {
        let mut left = self.order() & ((1 << CODE_BITS) - 1);
        let mut digits = [0u8; 12];
        let mut length = 0;
        for (at, digit) in digits.iter_mut().enumerate().rev() {
            let value = (left % BASE) as u8;
            left /= BASE;
            if value > 0 {
                *digit = b'0' + value - 1;
                length = length.max(at + 1);
            }
        }
        RowCode::parse(digits.get(..length).unwrap_or_default())
    }
}

fn position(place: usize, code: &RowCode) -> u64 {
    let (deep, _) = code.depth();
    let [_, digits @ ..] = code.packed();
    let number = digits.iter().fold(0, |number, digit| {
        number * BASE + u64::from(digit.saturating_sub(b'0' - 1))
    });
    (place as u64) << (CODE_BITS + 1) | u64::from(deep) << CODE_BITS | number
}

/// Gives every row its key.
#[derive(Debug, Clone)]
pub struct Sorting<'d>(Placing<'d>);

impl<'d> Sorting<'d> {
    /// By the divisions of today and by what the source assigned.
    ///
    /// # Errors
    /// [`AssignError`] when a code is wrongly assigned.
    pub fn new(divisions: &'d Divisions, assigned: &[Assigned]) -> Result<Self, AssignError> {
        Placing::new(divisions, assigned).map(Self)
    }

    /// The key of a row, by its field that names the division.
    pub fn key(&self, field: &[u8]) -> RowKey {
        let code = RowCode::parse(field);
        RowKey::new(self.0.place(&code), &code, field.trim_ascii().is_empty())
    }
}

/// The rows of an area: those whose key's order is at least `from` and below `to`. The spans of two areas are apart, or one holds the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub from: u64,
    /// One past the last.
    pub to: u64,
}

impl Span {
    /// The rows of an area; none when it lies in no division of the tree.
    pub fn of(area: &Area, divisions: &Divisions) -> Option<Self> {
        top_of(area, divisions).map(|top| Self::below(&top, divisions))
    }

    pub(super) fn below(top: &Top, divisions: &Divisions) -> Self {
        let none = RowCode::parse(b"");
        match top.area {
            None => Self {
                from: position(top.place, &none),
                to: position(divisions.end(top.place), &none),
            },
            Some(area) => {
                let free = (LEVELS[2].saturating_sub(area.len())) as u32;
                let from = position(top.place, &area);
                Self {
                    from,
                    to: from + BASE.pow(free),
                }
            }
        }
    }

    /// Whether a row is the area's.
    pub fn holds(&self, key: RowKey) -> bool {
        (self.from..self.to).contains(&key.order())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn divisions() -> Divisions {
        Divisions::from_csv(b"code,parent\n100000,\n440000,100000\n440100,440000\n440106,440100\n")
            .unwrap()
    }

    proptest! {
        #[test]
        fn keys_stand_as_the_rows_they_stand_for(
            one in "|4401|[0-9]{6}|[14][40]0[01]0[06]([0-9]{3})?([0-9]{3})?", two in "[14][40]0[01]0[06]([0-9]{3})?([0-9]{3})?",
        ) {
            let tree = divisions();
            let sorting = Sorting::new(&tree, &[]).unwrap();
            let (a, b) = (sorting.key(one.as_bytes()), sorting.key(two.as_bytes()));
            let (x, y) = (RowCode::parse(one.as_bytes()), RowCode::parse(two.as_bytes()));
            let place = |code: &RowCode| tree.owner_place(code).unwrap_or(tree.len());
            prop_assert_eq!((a.place(), a.code(), a.blank()), (place(&x), x, one.is_empty()));
            prop_assert_eq!(a.order().cmp(&b.order()), (place(&x), x.depth()).cmp(&(place(&y), y.depth())));
            prop_assert_eq!(RowKey::unpacked(a.packed()), Some(a));
        }

        #[test]
        fn a_span_holds_the_rows_that_lie_in_its_area(
            code in "|[14][40]0[01]0[06](00[12])?(00[12])?", area in "[14][40]0[01]0[06](00[12])?(00[12])?",
        ) {
            let tree = divisions();
            let key = Sorting::new(&tree, &[]).unwrap().key(code.as_bytes());
            let Ok(area) = area.parse::<Area>() else { return Ok(()) };
            let top = top_of(&area, &tree);
            let lies = top.map(|top| super::super::manifest::lies_in(&top, key.place(), &key.code(), &tree));
            prop_assert_eq!(Span::of(&area, &tree).map(|span| span.holds(key)), lies);
        }
    }

    #[test]
    fn a_number_that_is_no_key_is_none() {
        // A digit that is absent before one that is there, and a depth that the code has not.
        for bad in [11 << 1, 1 << (CODE_BITS + 1)] {
            assert_eq!(RowKey::unpacked(bad), None);
        }
    }
}
