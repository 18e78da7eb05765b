//! The places of divisions by their codes, found for every row of a table: the first four digits say among which few codes to look.

use super::{Place, SixDigits};

/// Numbers of four digits.
const PREFIXES: usize = 10_000;
/// Codes of one prefix.
const SUFFIXES: u32 = 100;

/// Codes in order, with their places, and where those of each prefix begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Index {
    codes: Vec<(u32, usize)>,
    starts: Vec<usize>,
}

impl Index {
    pub(super) fn of(places: &[Place]) -> Self {
        let codes = places.iter().enumerate();
        let mut codes: Vec<_> = codes
            .filter_map(|(at, place)| Some((number(&place.code)?, at)))
            .collect();
        codes.sort_unstable();
        let mut starts = Vec::with_capacity(PREFIXES + 1);
        for (at, (code, _)) in codes.iter().enumerate() {
            starts.resize(starts.len().max(prefix(*code) + 1), at);
        }
        starts.resize(PREFIXES + 1, codes.len());
        Self { codes, starts }
    }

    pub(super) fn place(&self, code: &SixDigits) -> Option<usize> {
        let code = number(code)?;
        let starts = self.starts.get(prefix(code)..)?;
        let among = self.codes.get(*starts.first()?..*starts.get(1)?)?;
        let at = among.binary_search_by_key(&code, |(it, _)| *it).ok()?;
        among.get(at).map(|(_, place)| *place)
    }
}

fn prefix(code: u32) -> usize {
    (code / SUFFIXES) as usize
}

/// Six digits as a number; none of anything else.
fn number(code: &SixDigits) -> Option<u32> {
    code.iter().try_fold(0, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(number * 10 + u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_at_its_place_and_no_other_is() {
        let codes = [
            "100000", "000000", "999999", "440106", "440100", "440183", "440200",
        ];
        let place = |code: &str| Place {
            code: code.as_bytes().try_into().unwrap(),
            parent: None,
            end: 0,
        };
        let places: Vec<Place> = codes.map(place).into();
        let index = Index::of(&places);
        for (at, code) in codes.iter().enumerate() {
            assert_eq!(index.place(&places[at].code), Some(at), "{code}");
        }
        for other in ["440105", "440199", "440300", "99999x", "000001", "999998"] {
            assert_eq!(
                index.place(other.as_bytes().try_into().unwrap()),
                None,
                "{other}"
            );
        }
        assert_eq!(Index::of(&[]).place(b"440106"), None);
    }
}
