//! When rows are to be returned (R24, 及时): the schedule of a subscription, on the days and hours of Beijing.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calendar::{beijing_date, end_of_day_ms};

const MINUTE_MS: i64 = 60_000;
const MINUTES_OF_A_DAY: u16 = 1_440;
/// The last day that every month has.
const LAST_DAY: u8 = 28;

/// Days within which any schedule falls due: a month, yesterday and room.
const DAYS_AHEAD: u8 = 40;

/// How often, and by what time of the day, a delivery is due (约定的回流周期).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Schedule {
    every: Every,
    /// Minutes after midnight in Beijing, up to 24:00.
    minute: u16,
}

/// On which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Every {
    /// Each day.
    Day,
    /// The same day of each week, Monday being 1.
    Week(u8),
    /// The same day of each month, 1 to 28.
    Month(u8),
}

/// Why a text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("周期应写作 daily@HH:MM、weekly:1-7@HH:MM 或 monthly:1-28@HH:MM：{0} (not a schedule)")]
pub struct ScheduleError(String);

impl Schedule {
    /// The first time a delivery is due after `now_ms`; both in milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn due_after(&self, now_ms: i64) -> i64 {
        let today = beijing_date(now_ms);
        // A due time of today may have passed, and one of a month lies at most one month and a day ahead.
        let mut day = today.saturating_sub(1.day());
        for _ in 0..DAYS_AHEAD {
            let due = self.on(day);
            if self.falls_on(day) && due > now_ms {
                return due;
            }
            day = day.saturating_add(1.day());
        }
        self.on(day)
    }

    fn falls_on(&self, day: Date) -> bool {
        match self.every {
            Every::Day => true,
            Every::Week(weekday) => day.weekday().to_monday_one_offset() == weekday as i8,
            Every::Month(date) => day.day() == date as i8,
        }
    }

    fn on(&self, day: Date) -> i64 {
        let back = i64::from(MINUTES_OF_A_DAY - self.minute) * MINUTE_MS;
        end_of_day_ms(day).saturating_sub(back)
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.every {
            Every::Day => write!(f, "daily")?,
            Every::Week(day) => write!(f, "weekly:{day}")?,
            Every::Month(day) => write!(f, "monthly:{day}")?,
        }
        write!(f, "@{:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        parse(text).ok_or_else(|| ScheduleError(text.chars().take(32).collect()))
    }
}

fn parse(text: &str) -> Option<Schedule> {
    let (every, time) = text.split_once('@')?;
    let (hour, minute) = time.split_once(':')?;
    let two = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let minute = (minute < 60).then_some(hour * 60 + minute)?;
    let (every, day) = every.split_once(':').unwrap_or((every, ""));
    let day = |last: u8| {
        let day = day.parse::<u8>().ok()?;
        (1..=last).contains(&day).then_some(day)
    };
    let every = match every {
        "daily" if text.starts_with("daily@") => Every::Day,
        "weekly" => Every::Week(day(7)?),
        "monthly" => Every::Month(day(LAST_DAY)?),
        _ => return None,
    };
    (minute <= MINUTES_OF_A_DAY).then_some(Schedule { every, minute })
}

impl TryFrom<String> for Schedule {
    type Error = ScheduleError;

    fn try_from(text: String) -> Result<Self, ScheduleError> {
        text.parse()
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday 2026-03-09, ten o'clock in Beijing.
    const MONDAY: i64 = 1_773_021_600_000;
    const HOUR_MS: i64 = 3_600_000;

    fn hours_ahead(schedule: &str, now: i64) -> i64 {
        let due = schedule.parse::<Schedule>().unwrap().due_after(now);
        (due - now) / HOUR_MS
    }

    #[test]
    fn a_delivery_is_due_by_the_hour_of_beijing_on_its_day() {
        assert_eq!(hours_ahead("daily@18:00", MONDAY), 8);
        assert_eq!(hours_ahead("daily@10:00", MONDAY), 24, "due now is past");
        assert_eq!(hours_ahead("daily@24:00", MONDAY), 14);
        assert_eq!(hours_ahead("weekly:1@11:00", MONDAY), 1);
        assert_eq!(hours_ahead("weekly:1@09:00", MONDAY), 7 * 24 - 1);
        assert_eq!(hours_ahead("weekly:7@10:00", MONDAY), 6 * 24);
        assert_eq!(hours_ahead("monthly:10@10:00", MONDAY), 24);
        assert_eq!(hours_ahead("monthly:9@09:00", MONDAY), 31 * 24 - 1);
    }

    #[test]
    fn each_due_time_follows_the_one_before() {
        for text in ["daily@00:00", "weekly:3@07:30", "monthly:28@24:00"] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.to_string(), text);
            let mut due = MONDAY;
            for _ in 0..40 {
                let next = schedule.due_after(due);
                assert!(next > due && next - due <= 32 * 24 * HOUR_MS);
                due = next;
            }
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for bad in [
            "",
            "daily",
            "daily:1@10:00",
            "weekly@10:00",
            "weekly:0@10:00",
            "weekly:8@10:00",
            "monthly:29@10:00",
            "hourly@10:00",
            "daily@24:01",
            "daily@10:60",
            "daily@1:00",
            "daily@+1:00",
        ] {
            assert!(bad.parse::<Schedule>().is_err(), "{bad}");
        }
    }
}
