//! Unified social credit codes (统一社会信用代码), GB 32100-2015.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The characters of a code in the order of their values 0 to 30: no I, O, S, V or Z.
const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The weights of the first seventeen characters: powers of 3 modulo 31.
const WEIGHTS: [usize; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];

/// Characters in a code.
pub const LENGTH: usize = 18;

/// A unified social credit code: eighteen characters of the right alphabet. Its check character may be
/// wrong, as it is in some codes that were really issued: see [`Self::warning`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode([u8; LENGTH]);

/// Why a text is no credit code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CreditCodeError {
    /// Not eighteen characters (seventeen for [`CreditCode::compute`]).
    #[error("统一社会信用代码长度不对：{0} 位 (length of a credit code)")]
    Length(usize),
    /// A character that no code has; the position counts from 1.
    #[error("统一社会信用代码第 {position} 位字符无效：{found} (character of a credit code)")]
    Character {
        /// Where, from 1.
        position: usize,
        /// What stands there.
        found: char,
    },
}

/// The check character is not the computed one. Some issued codes are so: to be shown, not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "统一社会信用代码校验位应为 {expected}，实为 {found}，请核对 (check character of a credit code)"
)]
pub struct CreditCodeWarning {
    /// The computed character.
    pub expected: char,
    /// The one that stands there.
    pub found: char,
}

/// The value of a character, if a code may have it.
fn value(byte: u8) -> Option<usize> {
    ALPHABET.iter().position(|c| *c == byte)
}

/// Checks that a text has so many characters, all of the alphabet.
fn characters<const N: usize>(text: &str) -> Result<[u8; N], CreditCodeError> {
    for (index, found) in text.chars().enumerate().take(N) {
        if !u8::try_from(found).is_ok_and(|byte| value(byte).is_some()) {
            return Err(CreditCodeError::Character {
                position: index + 1,
                found,
            });
        }
    }
    text.as_bytes()
        .try_into()
        .map_err(|_| CreditCodeError::Length(text.chars().count()))
}

/// The check character of the first seventeen.
fn check_character(first: &[u8]) -> u8 {
    let sum: usize = first
        .iter()
        .zip(WEIGHTS)
        .map(|(byte, weight)| value(*byte).unwrap_or(0) * weight)
        .sum();
    ALPHABET[(31 - sum % 31) % 31]
}

impl CreditCode {
    /// The code whose first seventeen characters are given.
    ///
    /// # Errors
    ///
    /// [`CreditCodeError`] if they are not seventeen of the alphabet.
    pub fn compute(first: &str) -> Result<Self, CreditCodeError> {
        let first: [u8; LENGTH - 1] = characters(first)?;
        let mut code = [0; LENGTH];
        code[..LENGTH - 1].copy_from_slice(&first);
        code[LENGTH - 1] = check_character(&first);
        Ok(Self(code))
    }

    /// The text of the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Every code is ASCII: the only ways to make one check it.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// What is odd about the code: its check character is not the computed one.
    #[must_use]
    pub fn warning(&self) -> Option<CreditCodeWarning> {
        let (expected, found) = (check_character(&self.0[..LENGTH - 1]), self.0[LENGTH - 1]);
        (expected != found).then(|| CreditCodeWarning {
            expected: char::from(expected),
            found: char::from(found),
        })
    }

    /// Whether the check character is the computed one.
    #[must_use]
    pub fn check_is_valid(&self) -> bool {
        self.warning().is_none()
    }
}

impl FromStr for CreditCode {
    type Err = CreditCodeError;

    fn from_str(text: &str) -> Result<Self, CreditCodeError> {
        characters(text).map(Self)
    }
}

impl fmt::Display for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditCode({self})")
    }
}

impl Serialize for CreditCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CreditCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CodeVisitor;
        impl de::Visitor<'_> for CodeVisitor {
            type Value = CreditCode;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a unified social credit code of eighteen characters")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<CreditCode, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(CodeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code(text: &str) -> CreditCode {
        text.parse().unwrap()
    }

    #[test]
    fn an_issued_code_is_valid_and_its_neighbour_is_not() {
        assert!(code("914403001922038216").check_is_valid());
        assert_eq!(code("914403001922038216").warning(), None);
        assert!(!code("914403001922038217").check_is_valid());
        assert_eq!(
            code("914403001922038217").warning(),
            Some(CreditCodeWarning {
                expected: '6',
                found: '7'
            })
        );
    }

    #[test]
    fn an_issued_code_that_fails_its_check_is_taken_with_a_warning() {
        let issued = code("91350100M0001TGQXM");
        assert_eq!(issued.warning().map(|w| w.found), Some('M'));
        assert_eq!(issued.to_string(), "91350100M0001TGQXM");
    }

    #[test]
    fn wrong_lengths_and_characters_are_refused() {
        assert_eq!(
            "91440300192203821".parse::<CreditCode>(),
            Err(CreditCodeError::Length(17))
        );
        assert_eq!(
            "9144030019220382160".parse::<CreditCode>(),
            Err(CreditCodeError::Length(19))
        );
        for (text, position, found) in [
            ("91440300192203821I", 18, 'I'),
            ("91440300192203821z", 18, 'z'),
            ("９14403001922038216", 1, '９'),
            ("91 403001922038216", 3, ' '),
        ] {
            assert_eq!(
                text.parse::<CreditCode>(),
                Err(CreditCodeError::Character { position, found })
            );
        }
    }

    #[test]
    fn it_is_read_as_a_text() {
        let json = "\"914403001922038216\"";
        let read: CreditCode = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), json);
        assert!(serde_json::from_str::<CreditCode>("\"91\"").is_err());
    }

    proptest! {
        #[test]
        fn a_computed_code_is_valid_and_any_other_check_is_not(first in "[0-9A-HJ-NPQRTUWXY]{17}", other in 0_usize..31) {
            let computed = CreditCode::compute(&first).unwrap();
            prop_assert!(computed.check_is_valid());
            let text = format!("{first}{}", char::from(ALPHABET[other]));
            prop_assert_eq!(code(&text).check_is_valid(), code(&text) == computed);
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in ".{0,24}") {
            let _ = text.parse::<CreditCode>();
            let _ = CreditCode::compute(&text);
        }
    }
}
