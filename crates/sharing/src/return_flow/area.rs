//! Whose rows: a division of six digits, a township (乡镇、街道) of nine or a village (村、居委会) of twelve.

use std::fmt;
use std::str::FromStr;

use identity::Code;
use serde::{Deserialize, Serialize};

/// A division's code as it stands in a table: the first six digits name the division down to the county, nine a township, twelve a village.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Area(String);

/// Why a text is no area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("区划代码应为 6、9 或 12 位数字：{0} (six, nine or twelve digits)")]
pub struct AreaError(String);

/// Digits that name a division down to the county, a township, a village.
pub(super) const LEVELS: [usize; 3] = [6, 9, 12];

impl Area {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The division of six digits that it is or lies in.
    pub fn division(&self) -> &str {
        self.0.get(..LEVELS[0]).unwrap_or_default()
    }

    /// The area that this one lies in and that is named by the shape of the code; none for six digits, whose parents are given.
    pub(super) fn above(&self) -> Option<&str> {
        let levels = LEVELS.iter().rev();
        let digits = levels.copied().find(|digits| *digits < self.0.len())?;
        self.0.get(..digits)
    }
}

impl FromStr for Area {
    type Err = AreaError;

    fn from_str(text: &str) -> Result<Self, AreaError> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if LEVELS.contains(&text.len()) && digits && !text.starts_with('0') {
            Ok(Self(text.to_owned()))
        } else {
            Err(AreaError(text.chars().take(16).collect()))
        }
    }
}

impl TryFrom<String> for Area {
    type Error = AreaError;

    fn try_from(text: String) -> Result<Self, AreaError> {
        text.parse()
    }
}

impl From<Area> for String {
    fn from(area: Area) -> Self {
        area.0
    }
}

/// The area of a node; none for a ministry or another body that is no division.
impl TryFrom<Code> for Area {
    type Error = AreaError;

    fn try_from(code: Code) -> Result<Self, AreaError> {
        code.as_str().parse()
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_area_has_six_nine_or_twelve_digits_and_lies_in_the_next_shorter_one() {
        let above = |text: &str| text.parse::<Area>().unwrap().above().map(str::to_owned);
        assert_eq!(above("440106"), None);
        assert_eq!(above("440106001").as_deref(), Some("440106"));
        assert_eq!(above("440106001002").as_deref(), Some("440106001"));
        for bad in [
            "",
            "44010",
            "4401060",
            "44010600100",
            "mca",
            "040106",
            "４４０１０６",
        ] {
            assert!(bad.parse::<Area>().is_err(), "{bad}");
        }
    }
}
