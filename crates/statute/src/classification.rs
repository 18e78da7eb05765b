//! Grades of data (数据分类分级): GB/T 43697-2024, listed in the catalogue by R13 and governing controls by R35.

use crate::term::terms;

terms! {
    /// Grade of data (数据级别), lowest first, so that the stricter of two is the greater.
    pub enum Grade {
        /// General data (一般数据).
        General = "general", "一般数据", "general data";
        /// Important data (重要数据).
        Important = "important", "重要数据", "important data";
        /// Core data (核心数据).
        Core = "core", "核心数据", "core data";
    }
}

impl Grade {
    /// The stricter of two grades wins (就高从严).
    #[must_use]
    pub fn stricter(self, other: Grade) -> Grade {
        self.max(other)
    }

    /// The grade of a set of data: that of its strictest part; general when the set is empty.
    #[must_use]
    pub fn of_all(parts: impl IntoIterator<Item = Grade>) -> Grade {
        parts.into_iter().fold(Grade::General, Grade::stricter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stricter_of_two_grades_wins() {
        assert_eq!(Grade::General.stricter(Grade::Important), Grade::Important);
        assert_eq!(Grade::Core.stricter(Grade::Important), Grade::Core);
        assert_eq!(Grade::of_all([Grade::General, Grade::Core]), Grade::Core);
        assert_eq!(Grade::of_all([]), Grade::General);
    }

    #[test]
    fn a_term_is_read_by_its_id_or_its_chinese_word() {
        assert_eq!("core".parse(), Ok(Grade::Core));
        assert_eq!("重要数据".parse(), Ok(Grade::Important));
        let unknown = "secret".parse::<Grade>().map_err(|error| error.to_string());
        assert_eq!(
            unknown,
            Err("\"secret\" is not a Grade; expected one of: general, important, core".to_owned())
        );
    }
}
