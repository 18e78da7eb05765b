//! Working days (工作日) in mainland China: the week, corrected by the State Council's yearly holiday notices with their
//! make-up working days (调休).

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Date, Weekday};

use crate::notice::{NoticeError, YearNotice};

/// Beijing time is UTC+8 the year round.
const BEIJING_OFFSET_MS: i64 = 8 * 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const EPOCH: Date = Date::constant(1970, 1, 1);

const NOTICES: [&str; 3] = [
    include_str!("../data/calendar/2024.toml"),
    include_str!("../data/calendar/2025.toml"),
    include_str!("../data/calendar/2026.toml"),
];

/// On what the answer rests that a day is, or is not, a working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// The State Council's notice for this year.
    Notice(i16),
    /// The plain week: the notice for that year is not known here, and the answer may change when it is.
    Provisional,
}

/// The holiday notices known to this node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    notices: BTreeMap<i16, YearNotice>,
}

impl Calendar {
    /// The calendar of the notices that come with this program: 2024 to 2026.
    ///
    /// # Panics
    /// Never: the files are part of the program and a test reads each.
    #[must_use]
    pub fn national() -> Calendar {
        Calendar::from_texts(&NOTICES)
            .expect("the notices that come with this program are well formed")
    }

    fn from_texts(texts: &[&str]) -> Result<Calendar, NoticeError> {
        let mut notices = BTreeMap::new();
        for text in texts {
            let notice = YearNotice::parse(text)?;
            notices.insert(notice.year(), notice);
        }
        Ok(Calendar { notices })
    }

    /// A calendar without any notice: every answer is provisional.
    #[must_use]
    pub fn empty() -> Calendar {
        Calendar {
            notices: BTreeMap::new(),
        }
    }

    /// This calendar with one more notice; a notice for a year already known replaces the older one.
    #[must_use]
    pub fn with_notice(mut self, notice: YearNotice) -> Calendar {
        self.notices.insert(notice.year(), notice);
        self
    }

    /// The notice for a year, if it is known.
    #[must_use]
    pub fn notice(&self, year: i16) -> Option<&YearNotice> {
        self.notices.get(&year)
    }

    /// Whether the notice for a year is known: without it, a deadline that reaches into that year is provisional.
    #[must_use]
    pub fn knows(&self, year: i16) -> bool {
        self.notices.contains_key(&year)
    }

    /// The years whose notices are known, in order.
    pub fn years(&self) -> impl Iterator<Item = i16> + '_ {
        self.notices.keys().copied()
    }

    /// Is this a working day, and what says so?
    ///
    /// A day that a notice lists is as listed: the notice for a year may reach back into the December before, so the next
    /// year's notice is asked first. Any other day is a working day from Monday to Friday.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> (bool, Basis) {
        let year = date.year();
        let next = self.notice(year.saturating_add(1));
        if let Some((notice, works)) = next.and_then(|notice| Some((notice, notice.lists(date)?))) {
            return (works, Basis::Notice(notice.year()));
        }
        let in_week = !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
        match self.notice(year) {
            Some(notice) => (notice.lists(date).unwrap_or(in_week), Basis::Notice(year)),
            None => (in_week, Basis::Provisional),
        }
    }
}

/// The date in Beijing at an instant, in milliseconds since 1970-01-01T00:00Z.
///
/// Saturates at the ends of the calendar (years -9999 and 9999).
#[must_use]
pub fn beijing_date(unix_ms: i64) -> Date {
    let days = unix_ms.saturating_add(BEIJING_OFFSET_MS).div_euclid(DAY_MS);
    EPOCH.saturating_add(SignedDuration::from_secs(
        days.saturating_mul(DAY_MS / 1000),
    ))
}

/// The end of a day in Beijing (24:00), in milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn end_of_day_ms(date: Date) -> i64 {
    let days = date
        .duration_since(EPOCH)
        .as_secs()
        .div_euclid(DAY_MS / 1000);
    (days + 1) * DAY_MS - BEIJING_OFFSET_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn working_days_in(calendar: &Calendar, year: i16) -> usize {
        date(year, 1, 1)
            .series(jiff::ToSpan::days(1))
            .take_while(|day| day.year() == year)
            .filter(|day| calendar.is_working_day(*day).0)
            .count()
    }

    #[test]
    fn the_notices_give_248_working_days_in_2025_and_in_2026() {
        let calendar = Calendar::national();
        assert_eq!(working_days_in(&calendar, 2025), 248);
        assert_eq!(working_days_in(&calendar, 2026), 248);
    }

    #[test]
    fn the_notice_of_2024_gives_251_working_days() {
        assert_eq!(working_days_in(&Calendar::national(), 2024), 251);
    }

    #[test]
    fn a_holiday_in_the_week_is_off_and_a_make_up_weekend_works() {
        let calendar = Calendar::national();
        assert_eq!(
            calendar.is_working_day(date(2026, 10, 1)),
            (false, Basis::Notice(2026))
        );
        assert_eq!(
            calendar.is_working_day(date(2026, 9, 20)),
            (true, Basis::Notice(2026))
        );
        assert_eq!(
            calendar.is_working_day(date(2026, 9, 19)),
            (false, Basis::Notice(2026))
        );
    }

    #[test]
    fn a_year_without_a_notice_is_provisional() {
        let calendar = Calendar::national();
        assert_eq!(
            calendar.is_working_day(date(2027, 10, 1)),
            (true, Basis::Provisional)
        );
        assert_eq!(
            calendar.is_working_day(date(2027, 10, 2)),
            (false, Basis::Provisional)
        );
        assert_eq!(
            Calendar::empty().is_working_day(date(2026, 10, 1)),
            (true, Basis::Provisional)
        );
        let known = [2023, 2024, 2025, 2026, 2027].map(|year| calendar.knows(year));
        assert_eq!(known, [false, true, true, true, false]);
    }

    #[test]
    fn a_notice_reaches_back_into_the_december_before() {
        let notice = YearNotice::parse(
            "year = 2027\nnumber = \"甲\"\ntitle = \"乙\"\nworking_weekends = [\"2026-12-27\"]\n\
             [[off]]\nname = \"元旦\"\nfrom = \"2026-12-31\"\nto = \"2027-01-02\"\n",
        );
        let calendar = notice.map(|notice| Calendar::national().with_notice(notice));
        let asked = calendar.map(|calendar| {
            [date(2026, 12, 27), date(2026, 12, 31), date(2026, 12, 30)]
                .map(|day| calendar.is_working_day(day))
        });
        let from_2027 = |works| (works, Basis::Notice(2027));
        assert_eq!(
            asked,
            Ok([
                from_2027(true),
                from_2027(false),
                (true, Basis::Notice(2026))
            ])
        );
    }

    #[test]
    fn the_day_in_beijing_begins_at_sixteen_hours_universal_time() {
        // 2026-02-13T15:59:59.999Z and one millisecond later.
        let last_ms = 1_770_998_399_999;
        assert_eq!(beijing_date(last_ms), date(2026, 2, 13));
        assert_eq!(beijing_date(last_ms + 1), date(2026, 2, 14));
        assert_eq!(end_of_day_ms(date(2026, 2, 13)), last_ms + 1);
        assert_eq!(beijing_date(0), date(1970, 1, 1));
        assert_eq!(beijing_date(-BEIJING_OFFSET_MS - 1), date(1969, 12, 31));
    }

    #[test]
    fn instants_beyond_the_calendar_saturate() {
        assert_eq!(beijing_date(i64::MAX), Date::MAX);
        assert_eq!(beijing_date(i64::MIN), Date::MIN);
        assert_eq!(beijing_date(end_of_day_ms(Date::MAX) - 1), Date::MAX);
        assert_eq!(beijing_date(end_of_day_ms(Date::MIN) - 1), Date::MIN);
    }
}
