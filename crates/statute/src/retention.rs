//! Records of use (使用记录): how long they are kept and who may read them, R29. Personal content: how long it is kept, and when it goes, PIPL 47.

use std::fmt::Display;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

/// How long records of use are kept, in years: at least [`RetentionYears::MIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct RetentionYears(u16);

impl RetentionYears {
    /// Records are kept three years at least, R29.
    pub const MIN: RetentionYears = RetentionYears(3);
    /// Longest period that can be set, in years: longer than any archive rule, short enough for the calendar.
    pub const MAX: RetentionYears = RetentionYears(200);

    /// This many years.
    ///
    /// # Errors
    /// [`RefusalReason::RetentionShortened`] below three years, [`RefusalReason::TooLong`] above 200; R29.
    pub fn new(years: u16) -> Result<RetentionYears, Refusal> {
        check_retention(RetentionYears::MIN, years)
    }

    /// How many years.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for RetentionYears {
    type Error = Refusal;

    fn try_from(years: u16) -> Result<Self, Self::Error> {
        RetentionYears::new(years)
    }
}

impl From<RetentionYears> for u16 {
    fn from(years: RetentionYears) -> u16 {
        years.0
    }
}

/// Retention can be lengthened, never shortened.
///
/// # Errors
/// [`RefusalReason::RetentionShortened`], or [`RefusalReason::TooLong`] above 200 years; R29.
pub fn check_retention(kept: RetentionYears, asked: u16) -> Result<RetentionYears, Refusal> {
    if asked < kept.0 {
        return Err(RefusalReason::RetentionShortened {
            kept: kept.0,
            asked,
        }
        .under(Article::R29));
    }
    if asked > RetentionYears::MAX.0 {
        let (found, limit) = (usize::from(asked), usize::from(RetentionYears::MAX.0));
        return Err(RefusalReason::TooLong { found, limit }.under(Article::R29));
    }
    Ok(RetentionYears(asked))
}

/// The last day on which a record of this day must still be there: the same date so many years on, or the last of the
/// month where there is none (Civil Code, Art. 202).
#[must_use]
pub fn kept_until(recorded: Date, years: RetentionYears) -> Date {
    recorded.saturating_add(jiff::ToSpan::years(i64::from(years.0)))
}

/// A record goes only after its last day of keeping.
///
/// # Errors
/// [`RefusalReason::StillRetained`]; R29.
pub fn check_may_destroy(
    recorded: Date,
    years: RetentionYears,
    today: Date,
) -> Result<(), Refusal> {
    let until = kept_until(recorded, years);
    if today <= until && !rule::is_off(Rule::Retention) {
        return Err(RefusalReason::StillRetained {
            until: until.to_string(),
        }
        .under(Article::R29));
    }
    Ok(())
}

terms! {
    /// Why personal content is to be erased (删除理由), PIPL 47.
    pub enum ErasureGround {
        /// The purpose is met and the period of keeping is over (保存期限届满), PIPL 47(1), (2).
        RetentionOver = "retention-over", "保存期限届满", "the period of keeping is over";
        /// The person concerned asks for it (个人请求删除), PIPL 47.
        SubjectRequest = "subject-request", "个人请求删除", "the person concerned asks for it";
    }
}

/// Personal content is erased when the matter it was said for is settled and its last day of keeping is past. While a law has it kept, not
/// even the person concerned can have it erased; it is then not used otherwise (PIPL 47). It is kept as long as records of use are, since it
/// says what an office did: three years at least, longer where a profile says so.
///
/// # Errors
/// [`RefusalReason::StillNeeded`] under PIPL 47 while the matter is open; [`RefusalReason::StillRetained`] under the article of the retention.
pub fn check_may_erase(
    kept_since: Option<Date>,
    (years, article): (RetentionYears, Article),
    today: Date,
) -> Result<(), Refusal> {
    let since = kept_since.ok_or_else(|| RefusalReason::StillNeeded.under(Article::P47))?;
    check_may_destroy(since, years, today).map_err(|refusal| refusal.reason.under(article))
}

/// The first day on which what was kept since this day may be erased, PIPL 47.
#[must_use]
pub fn erasable_from(kept_since: Date, years: RetentionYears) -> Date {
    kept_until(kept_since, years).saturating_add(jiff::ToSpan::days(1))
}

terms! {
    /// Who wants to read a requester's records of use (查阅人), R29.
    pub enum Reader {
        /// The department that keeps them.
        Keeper = "keeper", "需求部门", "the requester itself";
        /// The department that provided the data.
        Provider = "provider", "提供部门", "the provider";
        /// The authority of the requester's own level.
        SameLevelAuthority = "same-level-authority", "同级主管部门", "the requester's authority";
        /// A superior authority with a recorded order.
        SuperiorOnOrder = "superior-on-order", "经责成的上级主管部门", "a superior on a recorded order";
        /// A superior authority without one.
        Superior = "superior", "上级主管部门", "a superior";
        /// Anyone else.
        Other = "other", "其他", "anyone else";
    }
}

/// Records of use are read by those whom R29 names; each reading is itself recorded.
///
/// # Errors
/// [`RefusalReason::NotEntitledToRead`]; R29.
pub fn check_may_read(reader: Reader) -> Result<(), Refusal> {
    if rule::is_off(Rule::Reading) {
        return Ok(());
    }
    match reader {
        Reader::Keeper
        | Reader::Provider
        | Reader::SameLevelAuthority
        | Reader::SuperiorOnOrder => Ok(()),
        Reader::Superior | Reader::Other => {
            Err(RefusalReason::NotEntitledToRead.under(Article::R29))
        }
    }
}

/// A reading (责成查阅) is ordered by an authority above the keeper's place, with a reason; R29. `above` is whether the first place lies above the
/// second.
///
/// # Errors
/// [`RefusalReason::NotTheSupervisor`], [`RefusalReason::ReasonsRequired`]; R29.
pub fn check_orders_reading<Place: Display>(
    orderer: &Place,
    keeper: &Place,
    reason: &str,
    above: impl Fn(&Place, &Place) -> bool,
) -> Result<(), Refusal> {
    if rule::is_off(Rule::Reading) {
        return Ok(());
    }
    if !above(orderer, keeper) {
        return Err(RefusalReason::NotTheSupervisor {
            orderer: orderer.to_string(),
            of: keeper.to_string(),
        }
        .under(Article::R29));
    }
    if reason.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R29));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn retention_is_three_years_at_least_and_only_grows() {
        let short = RefusalReason::RetentionShortened { kept: 3, asked: 2 }.under(Article::R29);
        assert_eq!(RetentionYears::new(2), Err(short));
        let five = RetentionYears::new(5);
        assert_eq!(five.clone().map(RetentionYears::get), Ok(5));
        let shortened = five.and_then(|five| check_retention(five, 4));
        let expected = RefusalReason::RetentionShortened { kept: 5, asked: 4 }.under(Article::R29);
        assert_eq!(shortened, Err(expected));
        assert!(RetentionYears::new(201).is_err());
    }

    #[test]
    fn a_record_stays_through_its_last_day() {
        let recorded = date(2024, 2, 29);
        assert_eq!(kept_until(recorded, RetentionYears::MIN), date(2027, 2, 28));
        let on = |today| check_may_destroy(recorded, RetentionYears::MIN, today).is_ok();
        assert_eq!([on(date(2027, 2, 28)), on(date(2027, 3, 1))], [false, true]);
        assert_eq!(kept_until(Date::MAX, RetentionYears::MAX), Date::MAX);
    }

    #[test]
    fn personal_content_goes_when_the_matter_is_settled_and_its_last_day_of_keeping_is_past() {
        let kept = (RetentionYears::MIN, Article::R29);
        let erase = |since, today| check_may_erase(since, kept, today);
        let open = RefusalReason::StillNeeded.under(Article::P47);
        assert_eq!(erase(None, date(2040, 1, 1)), Err(open));
        let settled = date(2026, 3, 23);
        let until = "2029-03-23".to_owned();
        let kept_on = RefusalReason::StillRetained { until }.under(Article::R29);
        assert_eq!(erase(Some(settled), date(2029, 3, 23)), Err(kept_on));
        let first = erasable_from(settled, RetentionYears::MIN);
        assert_eq!(first, date(2029, 3, 24));
        assert_eq!(erase(Some(settled), first), Ok(()));
        let years = RetentionYears::new(5);
        let local =
            years.and_then(|years| check_may_erase(Some(settled), (years, Article::S23), first));
        assert_eq!(local.map_err(|refusal| refusal.article), Err(Article::S23));
    }

    #[test]
    fn a_superior_without_an_order_does_not_read() {
        let readers: Vec<_> = Reader::ALL
            .iter()
            .copied()
            .filter(|reader| check_may_read(*reader).is_err())
            .collect();
        assert_eq!(readers, [Reader::Superior, Reader::Other]);
    }

    #[test]
    fn a_reading_is_ordered_from_above_and_with_a_reason() {
        let above = |a: &u8, b: &u8| a < b;
        let refused = |orderer, reason| {
            let refusal = check_orders_reading(&orderer, &2, reason, above).unwrap_err();
            assert_eq!(refusal.article, Article::R29);
            refusal.reason
        };
        assert_eq!(check_orders_reading(&1, &2, "检查", above), Ok(()));
        for sideways in [2, 3] {
            let reason = refused(sideways, "检查");
            assert!(matches!(reason, RefusalReason::NotTheSupervisor { .. }));
        }
        assert_eq!(refused(1, " "), RefusalReason::ReasonsRequired);
    }
}
