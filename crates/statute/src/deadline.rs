//! Deadlines (期限) in working days.
//!
//! The Regulation does not say how its periods are counted, so the general rule of the Civil Code holds: the day of
//! receipt is not counted (Art. 201) and the last day ends at 24:00 (Art. 203), in Beijing time.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::calendar::{Basis, Calendar, beijing_date, end_of_day_ms};
use crate::term::terms;

/// A number of working days (工作日), 1 to [`WorkingDays::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct WorkingDays(u16);

/// Not a number of working days that a period can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a period has 1 to {} working days, not {found}", WorkingDays::MAX)]
pub struct WorkingDaysError {
    /// The number asked for.
    pub found: u16,
}

impl WorkingDays {
    /// Longest period, in working days: about a year. The longest that the law sets is 20.
    pub const MAX: u16 = 250;

    /// A period of this many working days.
    ///
    /// # Errors
    /// When it is 0 or more than [`WorkingDays::MAX`].
    pub const fn new(days: u16) -> Result<WorkingDays, WorkingDaysError> {
        if days == 0 || days > WorkingDays::MAX {
            return Err(WorkingDaysError { found: days });
        }
        Ok(WorkingDays(days))
    }

    /// A period that the law sets, known to be within the bound.
    pub(crate) const fn set_by_law(days: u16) -> WorkingDays {
        assert!(days > 0 && days <= WorkingDays::MAX);
        WorkingDays(days)
    }

    /// How many.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for WorkingDays {
    type Error = WorkingDaysError;

    fn try_from(days: u16) -> Result<Self, Self::Error> {
        WorkingDays::new(days)
    }
}

impl From<WorkingDays> for u16 {
    fn from(days: WorkingDays) -> u16 {
        days.0
    }
}

impl fmt::Display for WorkingDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a deadline rests on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The article that sets the period.
    Article {
        /// Which one.
        article: Article,
        /// How long, in working days.
        days: WorkingDays,
    },
    /// A holiday notice that was used.
    Notice {
        /// Its year.
        year: i16,
        /// Its document number.
        number: String,
        /// Its title.
        title: String,
    },
    /// No notice for this year is known yet: the date is computed again once it is.
    NoticeOutstanding {
        /// The year.
        year: i16,
    },
    /// The rule of counting: Civil Code, Arts 201 to 203.
    CivilCode,
}

impl Ground {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Ground::Article { article, days } => format!("{}：{days}个工作日", article.cite_zh()),
            Ground::Notice { number, title, .. } => format!("《{title}》（{number}）"),
            Ground::NoticeOutstanding { year } => {
                format!("本节点没有{year}年节假日安排，日期为暂定，收到该年通知后重新计算")
            }
            Ground::CivilCode => format!(
                "{}至第二百零三条：收到当日不计入，最后一日截止时间为北京时间二十四时",
                Article::CC201.cite_zh()
            ),
        }
    }

    /// In English.
    #[must_use]
    pub fn en(&self) -> String {
        match self {
            Ground::Article { article, days } => format!("{}: {days} working days", article.cite_en()),
            Ground::Notice { year, number, .. } => {
                format!("State Council holiday notice for {year} ({number})")
            }
            Ground::NoticeOutstanding { year } => format!(
                "this node has no holiday notice for {year}: the date is provisional and will be computed again when it has"
            ),
            Ground::CivilCode => {
                "Civil Code, Arts. 201-203: the day of receipt is not counted; the last day ends at 24:00 Beijing time"
                    .to_owned()
            }
        }
    }
}

terms! {
    /// How urgent a duty is (办理状态).
    pub enum DutyStatus {
        /// There is time.
        Pending = "pending", "期限内", "within the time limit";
        /// At most two working days are left, today included (临近到期).
        DueSoon = "due-soon", "临近到期", "due soon";
        /// The deadline has passed (逾期).
        Overdue = "overdue", "逾期", "overdue";
    }
}

/// Working days before the end, today included, at which a duty is due soon.
pub const DUE_SOON_WORKING_DAYS: u32 = 2;

/// When something is due, and why then.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Due {
    /// The last day, in Beijing.
    pub date: Date,
    /// The end of that day (24:00 Beijing time), in milliseconds since 1970-01-01T00:00Z. At this instant it is late.
    pub ends_ms: i64,
    /// Whether a holiday notice that matters is still to come.
    pub provisional: bool,
    /// What the date rests on.
    pub grounds: Vec<Ground>,
}

impl Due {
    /// What the date rests on, in Chinese, a line each.
    #[must_use]
    pub fn basis_zh(&self) -> Vec<String> {
        self.grounds.iter().map(Ground::zh).collect()
    }

    /// What the date rests on, in English, a line each.
    #[must_use]
    pub fn basis_en(&self) -> Vec<String> {
        self.grounds.iter().map(Ground::en).collect()
    }

    /// How urgent it is at an instant, in milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn status(&self, now_ms: i64, calendar: &Calendar) -> DutyStatus {
        if now_ms >= self.ends_ms {
            DutyStatus::Overdue
        } else if is_due_soon(self.ends_ms, now_ms, calendar) {
            DutyStatus::DueSoon
        } else {
            DutyStatus::Pending
        }
    }
}

/// Whether at most [`DUE_SOON_WORKING_DAYS`] working days are left of a time limit, today included. Instants in milliseconds since
/// 1970-01-01T00:00Z.
#[must_use]
pub fn is_due_soon(ends_ms: i64, now_ms: i64, calendar: &Calendar) -> bool {
    let last = beijing_date(ends_ms.saturating_sub(1));
    let left = days_from(beijing_date(now_ms))
        .take_while(|day| *day <= last)
        .filter(|day| calendar.is_working_day(*day).0)
        .take(DUE_SOON_WORKING_DAYS as usize + 1)
        .count();
    left as u32 <= DUE_SOON_WORKING_DAYS
}

/// Days walked for the longest period at most: a year has at least 200 working days (see
/// [`MAX_DAYS_OFF`](crate::notice::MAX_DAYS_OFF)), so 250 lie within two years and a half.
const MAX_DAYS_WALKED: usize = 366 * 5 / 2;

/// A time limit that rested (中止): what was left of it in working days when it began to rest, the day on which it did not counted, at least one, is
/// counted from the day after it goes on. None where it was over before. Instants in milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn resumed(ends_ms: i64, rests_ms: i64, goes_on_ms: i64, calendar: &Calendar) -> Option<Due> {
    if rests_ms >= ends_ms {
        return None;
    }
    let last = beijing_date(ends_ms.saturating_sub(1));
    let left = days_from(beijing_date(rests_ms))
        .skip(1)
        .take_while(|day| *day <= last)
        .filter(|day| calendar.is_working_day(*day).0)
        .take(usize::from(WorkingDays::MAX))
        .count();
    let days = WorkingDays(u16::try_from(left).unwrap_or(WorkingDays::MAX).max(1));
    Some(deadline(beijing_date(goes_on_ms), days, calendar))
}

/// The deadline of a period that begins with a receipt.
///
/// Counting starts on the day after `received` and only working days count, so the deadline is itself a working day.
/// At the very end of the calendar (year 9999) it is the last day there is, and provisional.
#[must_use]
pub fn deadline(received: Date, days: WorkingDays, calendar: &Calendar) -> Due {
    let mut date = Date::MAX;
    let mut counted = 0;
    let mut notices = BTreeSet::new();
    let mut outstanding = BTreeSet::new();
    for day in days_from(received).skip(1).take(MAX_DAYS_WALKED) {
        let (works, basis) = calendar.is_working_day(day);
        match basis {
            Basis::Notice(year) => notices.insert(year),
            Basis::Provisional => outstanding.insert(day.year()),
        };
        counted += u16::from(works);
        if counted == days.get() {
            date = day;
            break;
        }
    }
    let mut grounds = vec![Ground::CivilCode];
    grounds.extend(
        notices
            .into_iter()
            .filter_map(|year| calendar.notice(year))
            .map(|notice| Ground::Notice {
                year: notice.year(),
                number: notice.number().to_owned(),
                title: notice.title().to_owned(),
            }),
    );
    let provisional = !outstanding.is_empty() || date == Date::MAX;
    grounds.extend(
        outstanding
            .into_iter()
            .map(|year| Ground::NoticeOutstanding { year }),
    );
    Due {
        date,
        ends_ms: end_of_day_ms(date),
        provisional,
        grounds,
    }
}

/// A day and every day after it, to the end of the calendar.
fn days_from(first: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn due(received: Date, days: u16) -> Due {
        deadline(
            received,
            WorkingDays::set_by_law(days),
            &Calendar::national(),
        )
    }

    #[test]
    fn a_time_that_rested_goes_on_with_what_was_left_and_one_that_was_over_stays_over() {
        let ends = end_of_day_ms(date(2026, 4, 7));
        let noon = |day| end_of_day_ms(day) - 43_200_000;
        let after = |rests, goes_on| {
            let resumed = resumed(ends, noon(rests), noon(goes_on), &Calendar::national());
            resumed.map(|due| due.date)
        };
        // Sixteen working days were left on Friday the 13th: from Monday the 23rd on, over the holiday of 清明.
        let friday = date(2026, 3, 13);
        assert_eq!(after(friday, date(2026, 3, 20)), Some(date(2026, 4, 14)));
        assert_eq!(after(friday, friday), Some(date(2026, 4, 7)), "no rest");
        let last = date(2026, 4, 7);
        assert_eq!(after(last, last), Some(date(2026, 4, 8)), "one at least");
        assert_eq!(after(date(2026, 4, 8), date(2026, 4, 20)), None);
    }

    #[test]
    fn periods_skip_holidays_and_count_make_up_days() {
        let cases = [
            (date(2025, 9, 26), 1, date(2025, 9, 28)),
            (date(2025, 9, 26), 10, date(2025, 10, 16)),
            (date(2025, 9, 26), 20, date(2025, 10, 30)),
            (date(2026, 2, 13), 1, date(2026, 2, 14)),
            (date(2026, 2, 13), 10, date(2026, 3, 5)),
            (date(2026, 9, 18), 1, date(2026, 9, 20)),
        ];
        for (received, days, expected) in cases {
            let due = due(received, days);
            assert_eq!(due.date, expected, "{received} + {days}");
            assert!(!due.provisional);
        }
    }

    #[test]
    fn a_deadline_that_reaches_into_a_year_without_notice_is_provisional_and_says_so() {
        let due = due(date(2026, 12, 30), 10);
        assert_eq!(due.date, date(2027, 1, 13));
        assert!(due.provisional);
        assert!(
            due.grounds
                .contains(&Ground::NoticeOutstanding { year: 2027 })
        );
        assert!(
            due.basis_zh()
                .iter()
                .any(|line| line.contains("国办发明电〔2025〕7号"))
        );
        assert!(
            due.basis_zh()
                .iter()
                .any(|line| line.contains("《中华人民共和国民法典》"))
        );
    }

    #[test]
    fn a_new_notice_makes_a_provisional_deadline_final() {
        let notice = YearNotice::parse(
            "year = 2027\nnumber = \"甲\"\ntitle = \"乙\"\nworking_weekends = []\n\
             [[off]]\nname = \"元旦\"\nfrom = \"2027-01-01\"\nto = \"2027-01-03\"\n",
        );
        let calendar = notice.map(|notice| Calendar::national().with_notice(notice));
        let due = calendar
            .map(|calendar| deadline(date(2026, 12, 30), WorkingDays::set_by_law(10), &calendar));
        let result = due.map(|due| (due.date, due.provisional));
        assert_eq!(result, Ok((date(2027, 1, 14), false)));
    }

    #[test]
    fn the_last_day_counts_to_its_end_and_not_a_millisecond_longer() {
        let calendar = Calendar::national();
        let due = due(date(2026, 2, 13), 10);
        let status = |now_ms| due.status(now_ms, &calendar);
        assert_eq!(status(due.ends_ms - 1), DutyStatus::DueSoon);
        assert_eq!(status(due.ends_ms), DutyStatus::Overdue);
        assert_eq!(
            status(end_of_day_ms(date(2026, 3, 4)) - 1),
            DutyStatus::DueSoon
        );
        assert_eq!(
            status(end_of_day_ms(date(2026, 3, 3)) - 1),
            DutyStatus::Pending
        );
        assert_eq!(status(i64::MIN), DutyStatus::Pending);
    }

    #[test]
    fn the_end_of_the_calendar_is_survived() {
        let due = due(Date::MAX, WorkingDays::MAX);
        assert_eq!((due.date, due.provisional), (Date::MAX, true));
    }

    #[test]
    fn a_period_of_no_days_or_too_many_is_refused() {
        assert_eq!(WorkingDays::new(0), Err(WorkingDaysError { found: 0 }));
        assert_eq!(WorkingDays::new(251), Err(WorkingDaysError { found: 251 }));
        assert_eq!(WorkingDays::new(250).map(WorkingDays::get), Ok(250));
    }

    use crate::notice::YearNotice;

    prop_compose! {
        fn any_day()(offset in 0i64..2200) -> Date {
            date(2023, 6, 1).saturating_add(jiff::SignedDuration::from_hours(offset * 24))
        }
    }

    proptest! {
        #[test]
        fn a_deadline_is_a_working_day_after_the_receipt(received in any_day(), days in 1u16..=250) {
            let calendar = Calendar::national();
            let due = deadline(received, WorkingDays::set_by_law(days), &calendar);
            prop_assert!(due.date > received);
            prop_assert!(calendar.is_working_day(due.date).0);
        }

        #[test]
        fn a_longer_period_ends_later(received in any_day(), days in 1u16..250) {
            prop_assert!(due(received, days).date < due(received, days + 1).date);
        }

        #[test]
        fn exactly_the_period_lies_between_receipt_and_deadline(received in any_day(), days in 1u16..=250) {
            let calendar = Calendar::national();
            let last = due(received, days).date;
            let counted = days_from(received)
                .skip(1)
                .take_while(|day| *day <= last)
                .filter(|day| calendar.is_working_day(*day).0)
                .count();
            prop_assert_eq!(counted, usize::from(days));
        }

        #[test]
        fn a_later_receipt_never_ends_earlier(received in any_day(), days in 1u16..=250) {
            let next = received.tomorrow().unwrap_or(received);
            prop_assert!(due(received, days).date <= due(next, days).date);
        }
    }
}
