//! Masking (脱敏): what of a value a reader may see, by the grade of its item and the kind of what it says.
//!
//! | Kind | What is kept | Example |
//! |---|---|---|
//! | name | the first character, one star for each other | 欧阳修 → 欧\*\* |
//! | identity number | the division's six digits and the last four | 440106199001011234 → 440106\*\*\*\*\*\*\*\*1234 |
//! | phone | the first three and the last four | 13812345678 → 138\*\*\*\*5678 |
//! | address | the first six characters, down to the city or county | 广州市天河区体育西路 → 广州市天河区\*\*\*\* |
//!
//! What is too short for its kind is starred whole: a malformed number is still somebody's number. Masking belongs to sharing under a
//! grant. Return flow (R24) gives a level its own rows as they are: nothing there takes a [`Masking`].

use std::collections::BTreeMap;

use statute::Grade;

/// Most columns that one masking names; as many as a table has.
pub const MAX_MASKED_COLUMNS: usize = crate::return_flow::table::MAX_COLUMNS;

/// What a value says of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A name (姓名).
    Name,
    /// An identity number (身份证件号码).
    IdentityNumber,
    /// A telephone number (电话号码).
    Phone,
    /// An address (住址).
    Address,
}

impl Kind {
    /// Every kind with its word on the command line.
    pub const ALL: [(Kind, &'static str); 4] = [
        (Kind::Name, "name"),
        (Kind::IdentityNumber, "identity-number"),
        (Kind::Phone, "phone"),
        (Kind::Address, "address"),
    ];

    /// Characters kept at the beginning and at the end.
    fn kept(self) -> (usize, usize) {
        match self {
            Self::Name => (1, 0),
            Self::IdentityNumber => (6, 4),
            Self::Phone => (3, 4),
            Self::Address => (6, 0),
        }
    }
}

/// What happens to a value on its way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Treatment {
    /// It goes as it is.
    Plain,
    /// The usual characters are kept.
    Masked(Kind),
    /// Nothing of it goes.
    Withheld,
}

impl Treatment {
    /// The treatment of an item: core data is withheld whatever it says; what says something of a person is masked; the rest goes as it is.
    pub fn of(grade: Grade, kind: Option<Kind>) -> Self {
        match (grade, kind) {
            (Grade::Core, _) => Self::Withheld,
            (Grade::General | Grade::Important, Some(kind)) => Self::Masked(kind),
            (Grade::General | Grade::Important, None) => Self::Plain,
        }
    }

    /// What goes of a value; `None` when nothing does.
    pub fn apply(self, value: &str) -> Option<String> {
        match self {
            Self::Plain => Some(value.to_owned()),
            Self::Masked(kind) => Some(mask(kind, value)),
            Self::Withheld => None,
        }
    }
}

/// A value with stars in place of what is not shown. As long as the value, counted in characters; never the value itself unless it is empty.
pub fn mask(kind: Kind, value: &str) -> String {
    let count = value.chars().count();
    let (mut head, mut tail) = kind.kept();
    if head + tail >= count {
        (head, tail) = (0, 0);
    }
    value
        .chars()
        .enumerate()
        .map(|(at, character)| {
            if at < head || at >= count - tail {
                character
            } else {
                '*'
            }
        })
        .collect()
}

/// What is done to the columns of a delivery under a grant. Columns that are not named go as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Masking {
    columns: BTreeMap<String, (Grade, Option<Kind>)>,
}

/// Why a masking is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskingError {
    /// More than [`MAX_MASKED_COLUMNS`].
    #[error("more than {MAX_MASKED_COLUMNS} columns are masked or graded")]
    TooMany,
}

impl Masking {
    /// Grades a column; of two grades the stricter one holds.
    ///
    /// # Errors
    /// [`MaskingError::TooMany`].
    pub fn grade(&mut self, column: &str, grade: Grade) -> Result<(), MaskingError> {
        let entry = self.entry(column)?;
        entry.0 = entry.0.stricter(grade);
        Ok(())
    }

    /// Says what a column tells of a person.
    ///
    /// # Errors
    /// [`MaskingError::TooMany`].
    pub fn kind(&mut self, column: &str, kind: Kind) -> Result<(), MaskingError> {
        self.entry(column)?.1 = Some(kind);
        Ok(())
    }

    fn entry(&mut self, column: &str) -> Result<&mut (Grade, Option<Kind>), MaskingError> {
        if self.columns.len() >= MAX_MASKED_COLUMNS && !self.columns.contains_key(column) {
            return Err(MaskingError::TooMany);
        }
        Ok(self
            .columns
            .entry(column.to_owned())
            .or_insert((Grade::General, None)))
    }

    /// The columns that are named.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.keys().map(String::as_str)
    }

    /// What happens to a column.
    pub fn treatment(&self, column: &str) -> Treatment {
        self.columns
            .get(column)
            .map_or(Treatment::Plain, |(grade, kind)| {
                Treatment::of(*grade, *kind)
            })
    }

    /// Whether what is delivered rests encrypted: an item graded important or core is among the columns, or one that tells of a person.
    pub fn rests_encrypted(&self) -> bool {
        self.columns
            .values()
            .any(|(grade, kind)| *grade > Grade::General || kind.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_characters_are_kept() {
        for (kind, value, shown) in [
            (Kind::Name, "欧阳修", "欧**"),
            (Kind::Name, "李四", "李*"),
            (
                Kind::IdentityNumber,
                "440106199001011234",
                "440106********1234",
            ),
            (Kind::Phone, "13812345678", "138****5678"),
            (Kind::Address, "广州市天河区体育西路", "广州市天河区****"),
        ] {
            assert_eq!(mask(kind, value), shown);
        }
    }

    #[test]
    fn what_is_too_short_is_starred_whole() {
        for (kind, _) in Kind::ALL {
            for value in ["1", "李", "1234567890", "广州市"] {
                let shown = mask(kind, value);
                assert_eq!(shown.chars().count(), value.chars().count());
                assert_ne!(shown, value, "{kind:?}");
            }
            assert_eq!(mask(kind, ""), "");
        }
        assert_eq!(mask(Kind::IdentityNumber, "4401061990"), "**********");
        assert_eq!(mask(Kind::Phone, "3812345"), "*******");
    }

    #[test]
    fn core_data_is_withheld_and_persons_are_masked_whatever_the_grade() {
        assert_eq!(Treatment::of(Grade::Core, None), Treatment::Withheld);
        assert_eq!(
            Treatment::of(Grade::Core, Some(Kind::Name)).apply("李四"),
            None
        );
        for grade in [Grade::General, Grade::Important] {
            let treatment = Treatment::of(grade, Some(Kind::Name));
            assert_eq!(treatment.apply("李四").as_deref(), Some("李*"));
            assert_eq!(Treatment::of(grade, None), Treatment::Plain);
        }
    }

    #[test]
    fn important_and_personal_data_rest_encrypted() {
        let mut masking = Masking::default();
        masking.grade("b", Grade::General).unwrap();
        assert!(!masking.rests_encrypted());
        let mut personal = masking.clone();
        personal.kind("a", Kind::Phone).unwrap();
        assert!(personal.rests_encrypted());
        masking.grade("b", Grade::Important).unwrap();
        masking.grade("b", Grade::General).unwrap();
        assert!(masking.rests_encrypted(), "the stricter grade stays");
        assert_eq!(masking.treatment("c"), Treatment::Plain);
    }

    #[test]
    fn no_more_columns_are_named_than_a_table_has() {
        let mut masking = Masking::default();
        for column in 0..MAX_MASKED_COLUMNS {
            masking.kind(&column.to_string(), Kind::Name).unwrap();
        }
        assert_eq!(masking.kind("0", Kind::Phone), Ok(()));
        assert_eq!(masking.kind("one", Kind::Name), Err(MaskingError::TooMany));
    }
}
