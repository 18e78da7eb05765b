//! The State Council's yearly holiday notice (国务院办公厅关于部分节假日安排的通知), as a file.
//!
//! ```toml
//! year = 2026
//! number = "国办发明电〔2025〕7号"
//! title = "国务院办公厅关于2026年部分节假日安排的通知"
//! working_weekends = ["2026-01-04"]
//!
//! [[off]]
//! name = "元旦"
//! from = "2026-01-01"
//! to = "2026-01-03"
//! ```

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};

/// Longest notice file, in bytes. The real ones have about 1 KB.
pub const MAX_NOTICE_BYTES: usize = 16 * 1024;

/// Most days off that one notice may list. The real ones list 25 to 33; the bound keeps at least 200 working days in
/// every year (366 less 106 weekend days less 60), on which the bound of a deadline's loop rests.
pub const MAX_DAYS_OFF: usize = 60;

/// Longest number, title or name of a holiday, in characters. The real titles have about 25; they are repeated in what a
/// deadline rests on.
pub const MAX_NOTICE_NAME_CHARS: usize = 100;

/// Years for which a notice may stand; they bound a calendar to 200 notices.
pub const NOTICE_YEARS: std::ops::RangeInclusive<i16> = 1950..=2149;

/// A year's notice: which weekdays are off and which weekend days are worked.
///
/// Invariant: every day lies in its year or the December before; no day is both off and worked; what is worked is a
/// Saturday or Sunday; at most [`MAX_DAYS_OFF`] days are off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearNotice {
    year: i16,
    number: String,
    title: String,
    days: BTreeMap<Date, DayKind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DayKind {
    Off { holiday: String },
    Worked,
}

/// Why a notice file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Too long to be a notice.
    #[error("the notice has {found} bytes, more than the {MAX_NOTICE_BYTES} allowed")]
    TooLarge {
        /// Its length in bytes.
        found: usize,
    },
    /// Not of the form described in this module; an unknown key is named.
    #[error("the notice cannot be read: {0}")]
    Syntax(String),
    /// A year beyond [`NOTICE_YEARS`].
    #[error("{0} is not a year for which a notice can stand")]
    Year(i16),
    /// A number, title or name of a holiday that is empty, too long or not of one line.
    #[error(
        "the number, the title and each holiday's name have 1 to {MAX_NOTICE_NAME_CHARS} characters on one line"
    )]
    Name,
    /// A range that ends before it begins.
    #[error("{holiday}: {from} to {to} is no range")]
    Range {
        /// Name of the holiday.
        holiday: String,
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
    /// A day of another year.
    #[error("{day} does not belong into the notice for {year}")]
    ForeignDay {
        /// The day.
        day: Date,
        /// The notice's year.
        year: i16,
    },
    /// A day listed twice.
    #[error("{0} is listed twice")]
    Twice(Date),
    /// A make-up working day that is no weekend day.
    #[error("{0} is listed as a working weekend and is no Saturday or Sunday")]
    NoWeekend(Date),
    /// More days off than [`MAX_DAYS_OFF`].
    #[error("the notice lists more than {MAX_DAYS_OFF} days off")]
    TooManyDaysOff,
}

impl NoticeError {
    /// What is wrong, in Chinese: the day, or the line as it stands.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::TooLarge { found } => {
                format!("通知有 {found} 字节，超过 {MAX_NOTICE_BYTES} 字节的上限")
            }
            Self::Syntax(told) => match wrong_line(told) {
                Some((number, line)) => format!("第 {number} 行有误：{line}"),
                None => format!("通知文件无法解读：{told}"),
            },
            Self::Year(year) => format!("{year} 年不可能有节假日安排通知"),
            Self::Name => {
                format!("文号、标题和节假日名称应为一行 1 至 {MAX_NOTICE_NAME_CHARS} 个字")
            }
            Self::Range { holiday, from, to } => format!("{holiday}：{from} 至 {to}，止日早于起日"),
            Self::ForeignDay { day, year } => format!("{day} 不属于 {year} 年的通知"),
            Self::Twice(day) => format!("{day} 列了两次"),
            Self::NoWeekend(day) => format!("{day} 列为调休上班，但不是周六或者周日"),
            Self::TooManyDaysOff => format!("放假日超过 {MAX_DAYS_OFF} 天"),
        }
    }
}

/// Number and text of the line that the parser of TOML shows: `8 | to = "2027-01-32"`.
fn wrong_line(told: &str) -> Option<(usize, &str)> {
    told.lines().find_map(|shown| {
        let (number, line) = shown.split_once(" | ")?;
        Some((number.trim().parse().ok()?, line.trim()))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeFile {
    year: i16,
    number: String,
    title: String,
    working_weekends: Vec<Date>,
    off: Vec<OffRange>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OffRange {
    name: String,
    from: Date,
    to: Date,
}

impl YearNotice {
    /// Reads a notice file.
    ///
    /// # Errors
    /// [`NoticeError`], which names the key or the day that is wrong.
    pub fn parse(text: &str) -> Result<YearNotice, NoticeError> {
        if text.len() > MAX_NOTICE_BYTES {
            return Err(NoticeError::TooLarge { found: text.len() });
        }
        let file: NoticeFile =
            toml::from_str(text).map_err(|error| NoticeError::Syntax(error.to_string()))?;
        if !NOTICE_YEARS.contains(&file.year) {
            return Err(NoticeError::Year(file.year));
        }
        check_name(&file.number)?;
        check_name(&file.title)?;
        let mut notice = YearNotice {
            year: file.year,
            number: file.number,
            title: file.title,
            days: BTreeMap::new(),
        };
        for range in file.off {
            notice.add_days_off(range)?;
        }
        for day in file.working_weekends {
            if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                return Err(NoticeError::NoWeekend(day));
            }
            notice.add(day, DayKind::Worked)?;
        }
        Ok(notice)
    }

    fn add_days_off(&mut self, range: OffRange) -> Result<(), NoticeError> {
        let OffRange {
            name: holiday,
            from,
            to,
        } = range;
        check_name(&holiday)?;
        if from > to {
            return Err(NoticeError::Range { holiday, from, to });
        }
        let days = from
            .series(jiff::ToSpan::days(1))
            .take_while(|day| *day <= to);
        for (listed, day) in days.enumerate() {
            if listed >= MAX_DAYS_OFF || self.days.len() >= MAX_DAYS_OFF {
                return Err(NoticeError::TooManyDaysOff);
            }
            self.add(
                day,
                DayKind::Off {
                    holiday: holiday.clone(),
                },
            )?;
        }
        Ok(())
    }

    fn add(&mut self, day: Date, kind: DayKind) -> Result<(), NoticeError> {
        let december_before = day.year() == self.year - 1 && day.month() == 12;
        if day.year() != self.year && !december_before {
            return Err(NoticeError::ForeignDay {
                day,
                year: self.year,
            });
        }
        match self.days.insert(day, kind) {
            None => Ok(()),
            Some(_) => Err(NoticeError::Twice(day)),
        }
    }

    /// The year it is for.
    #[must_use]
    pub fn year(&self) -> i16 {
        self.year
    }

    /// Its document number (发文字号).
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether a day that the notice lists is worked; nothing for a day it does not list.
    #[must_use]
    pub fn lists(&self, day: Date) -> Option<bool> {
        self.days.get(&day).map(|kind| *kind == DayKind::Worked)
    }

    /// Name of the holiday that gives this day off.
    #[must_use]
    pub fn holiday(&self, day: Date) -> Option<&str> {
        match self.days.get(&day)? {
            DayKind::Off { holiday } => Some(holiday),
            DayKind::Worked => None,
        }
    }
}

/// The notice that a person installs: whole and well formed, and given at the hub, where the national competent authority, which guides and
/// supervises the work throughout the country, acts. One calendar holds for all: nobody else may set another.
///
/// # Errors
/// `NotTheNationalAuthority`, `TooLong`, `NotANotice`; R8.
pub fn national_notice(text: &str, at_hub: bool) -> Result<YearNotice, Refusal> {
    if !at_hub {
        return Err(RefusalReason::NotTheNationalAuthority.under(Article::R8));
    }
    YearNotice::parse(text).map_err(|error| {
        let reason = match error {
            NoticeError::TooLarge { found } => RefusalReason::TooLong {
                found,
                limit: MAX_NOTICE_BYTES,
            },
            defect => RefusalReason::NotANotice {
                defect: defect.to_string(),
            },
        };
        reason.under(Article::R8)
    })
}

fn check_name(name: &str) -> Result<(), NoticeError> {
    let fits = name.chars().count() <= MAX_NOTICE_NAME_CHARS;
    if fits && !name.trim().is_empty() && !name.contains(char::is_control) {
        Ok(())
    } else {
        Err(NoticeError::Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn file(weekends: &str, from: &str, to: &str, extra: &str) -> String {
        format!(
            "year = 2030\nnumber = \"〇\"\ntitle = \"一\"\n{extra}working_weekends = [{weekends}]\n\
             [[off]]\nname = \"国庆节\"\nfrom = \"{from}\"\nto = \"{to}\"\n"
        )
    }

    fn refused(text: &str) -> Option<NoticeError> {
        YearNotice::parse(text).err()
    }

    #[test]
    fn a_notice_lists_holidays_by_name_and_working_weekends() {
        let notice = YearNotice::parse(&file("\"2030-10-12\"", "2030-10-01", "2030-10-07", ""));
        let listed = notice.map(|notice| {
            let kinds = [1, 7, 8, 12].map(|day| notice.lists(date(2030, 10, day)));
            (kinds, notice.holiday(date(2030, 10, 2)).map(str::to_owned))
        });
        let kinds = [Some(false), Some(false), None, Some(true)];
        assert_eq!(listed, Ok((kinds, Some("国庆节".to_owned()))));
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = refused(&file("", "2030-10-01", "2030-10-07", "holidays = 3\n"));
        assert!(error.is_some_and(|error| error.to_string().contains("holidays")));
    }

    #[test]
    fn what_cannot_be_a_notice_is_refused() {
        let october = ("2030-10-01", "2030-10-07");
        let with_weekend = |day: &str| refused(&file(day, october.0, october.1, ""));
        assert_eq!(
            with_weekend("\"2030-10-09\""),
            Some(NoticeError::NoWeekend(date(2030, 10, 9)))
        );
        assert_eq!(
            with_weekend("\"2030-10-06\""),
            Some(NoticeError::Twice(date(2030, 10, 6)))
        );
        let foreign = NoticeError::ForeignDay {
            day: date(2031, 10, 11),
            year: 2030,
        };
        assert_eq!(with_weekend("\"2031-10-11\""), Some(foreign));
        assert_eq!(
            refused(&" ".repeat(MAX_NOTICE_BYTES + 1)),
            Some(NoticeError::TooLarge {
                found: MAX_NOTICE_BYTES + 1
            })
        );
    }

    #[test]
    fn a_day_that_no_month_has_is_named() {
        for (day, why) in [
            ("2030-01-32", "day"),
            ("2030-02-30", "day"),
            ("2030-13-01", "month"),
        ] {
            for text in [
                file("", day, "2030-12-31", ""),
                file("", "2030-01-01", day, ""),
                file(&format!("\"{day}\""), "2030-01-01", "2030-01-01", ""),
            ] {
                let error = refused(&text);
                assert!(matches!(error, Some(NoticeError::Syntax(_))), "{day}");
                let message = error.map(|error| error.to_string()).unwrap_or_default();
                assert!(message.contains(day), "{message}");
                assert!(message.contains(why), "{message}");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_told_in_chinese_with_its_line_or_day() {
        let zh = |text: &str| refused(text).map(|error| error.zh());
        let told = zh(&file("", "2030-01-01", "2030-01-32", ""));
        assert_eq!(told, Some("第 8 行有误：to = \"2030-01-32\"".to_owned()));
        let told = zh(&file("\"2030-10-06\"", "2030-10-01", "2030-10-07", ""));
        assert_eq!(told, Some("2030-10-06 列了两次".to_owned()));
    }

    #[test]
    fn a_year_that_no_notice_can_have_is_named() {
        let of_year = |year: &str| {
            let text = file("", "2030-10-01", "2030-10-07", "");
            refused(&text.replace("year = 2030", &format!("year = {year}")))
        };
        for year in [1949, 2150, i16::MIN, i16::MAX] {
            assert_eq!(of_year(&year.to_string()), Some(NoticeError::Year(year)));
        }
        let message = of_year("20300").map(|error| error.to_string());
        assert!(
            message.is_some_and(|message| message.contains("20300") && message.contains("year"))
        );
        let other = NoticeError::ForeignDay {
            day: date(2030, 10, 1),
            year: 2029,
        };
        assert_eq!(of_year("2029"), Some(other));
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_named_with_both_days() {
        let error = refused(&file("", "2030-10-07", "2030-10-01", ""));
        let expected = NoticeError::Range {
            holiday: "国庆节".into(),
            from: date(2030, 10, 7),
            to: date(2030, 10, 1),
        };
        assert_eq!(error, Some(expected.clone()));
        assert_eq!(
            expected.to_string(),
            "国庆节: 2030-10-07 to 2030-10-01 is no range"
        );
    }

    #[test]
    fn sixty_days_off_are_allowed_and_one_more_is_not() {
        assert_eq!(refused(&file("", "2030-01-01", "2030-03-01", "")), None);
        let in_one_range = refused(&file("", "2030-01-01", "2030-03-02", ""));
        assert_eq!(in_one_range, Some(NoticeError::TooManyDaysOff));
        let another = "[[off]]\nname = \"元旦\"\nfrom = \"2030-12-31\"\nto = \"2030-12-31\"\n";
        let in_two = file("", "2030-01-01", "2030-03-01", "") + another;
        assert_eq!(refused(&in_two), Some(NoticeError::TooManyDaysOff));
    }

    #[test]
    fn a_number_title_or_holiday_without_a_name_is_refused() {
        let lawful = file("", "2030-10-01", "2030-10-07", "");
        for name in ["〇", "一", "国庆节"] {
            for wrong in [" ", "甲\\n乙", &"甲".repeat(MAX_NOTICE_NAME_CHARS + 1)] {
                let text = lawful.replace(&format!("\"{name}\""), &format!("\"{wrong}\""));
                assert_eq!(refused(&text), Some(NoticeError::Name), "{text}");
            }
        }
    }
}
