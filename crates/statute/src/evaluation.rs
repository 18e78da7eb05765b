//! Evaluation (评估): what the authority reports to its government (R38), and what a locality publishes (Shenyang S8).
//!
//! R38 names four things that are supervised and reported: the timeliness of sharing and the quality of data on the side of providers, the use of
//! data and the safeguards on the side of requesters. Here stand these dimensions, the periods that are reported on, and who may say what of them.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::article::Article;
use crate::calendar::{beijing_date, end_of_day_ms};
use crate::profile::Profile;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// What is evaluated (评估维度), R38.
    pub enum Dimension {
        /// Whether duties are met in time (数据共享及时性).
        Timeliness = "timeliness", "数据共享及时性", "timeliness";
        /// Whether the data is right (数据质量情况).
        Quality = "quality", "数据质量情况", "quality of data";
        /// Whether data is shared and used (数据应用情况).
        Use = "use", "数据应用情况", "use of data";
        /// Whether data is kept safe and within its limits (安全保障措施).
        Security = "security", "安全保障措施", "security";
    }
}

/// The first and the last year that is reported on: the Regulation and the local rules before it lie within, and so does every clock.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2999;

/// A period that is reported on (评估期间): a month or a year of the calendar, in Beijing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EvaluationPeriod {
    year: i16,
    month: Option<i8>,
}

/// What is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("评估期间应写作 2026-03 或者 2026 (a period is written 2026-03 or 2026)")]
pub struct PeriodError;

impl EvaluationPeriod {
    /// A month.
    ///
    /// # Errors
    /// [`PeriodError`] when there is no such month.
    pub fn month(year: i16, month: i8) -> Result<Self, PeriodError> {
        let there_is = YEARS.contains(&year) && (1..=12).contains(&month);
        let month = Some(month);
        there_is.then_some(Self { year, month }).ok_or(PeriodError)
    }

    /// A year.
    ///
    /// # Errors
    /// [`PeriodError`] when it is out of all bounds.
    pub fn year(year: i16) -> Result<Self, PeriodError> {
        let there_is = YEARS.contains(&year);
        let month = None;
        there_is.then_some(Self { year, month }).ok_or(PeriodError)
    }

    /// The month in which an instant lies in Beijing, in milliseconds since 1970-01-01T00:00Z; none out of all bounds.
    #[must_use]
    pub fn month_of(at_ms: i64) -> Option<Self> {
        let day = beijing_date(at_ms);
        Self::month(day.year(), day.month()).ok()
    }

    /// The year that it is or lies in.
    #[must_use]
    pub const fn whole_year(self) -> Self {
        let (year, month) = (self.year, None);
        Self { year, month }
    }

    /// Whether it is a whole year.
    #[must_use]
    pub const fn is_year(self) -> bool {
        self.month.is_none()
    }

    /// When it begins, in milliseconds since 1970-01-01T00:00Z.
    #[must_use]
    pub fn starts_ms(self) -> i64 {
        start_of_month_ms(self.year, self.month.unwrap_or(1))
    }

    /// When it ends: at this instant it is over.
    #[must_use]
    pub fn ends_ms(self) -> i64 {
        match self.month {
            Some(12) | None => start_of_month_ms(self.year + 1, 1),
            Some(month) => start_of_month_ms(self.year, month + 1),
        }
    }

    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(self, at_ms: i64) -> bool {
        (self.starts_ms()..self.ends_ms()).contains(&at_ms)
    }

    /// Whether it is over, so that its figures can change no more but by what arrives late.
    #[must_use]
    pub fn is_over(self, now_ms: i64) -> bool {
        now_ms >= self.ends_ms()
    }

    /// In Chinese, as `2026年3月`.
    #[must_use]
    pub fn zh(self) -> String {
        match self.month {
            Some(month) => format!("{}年{month}月", self.year),
            None => format!("{}年", self.year),
        }
    }
}

fn start_of_month_ms(year: i16, month: i8) -> i64 {
    let first = Date::new(year, month, 1).unwrap_or(Date::MAX);
    end_of_day_ms(first.yesterday().unwrap_or(Date::MIN))
}

impl fmt::Display for EvaluationPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.month {
            Some(month) => write!(f, "{:04}-{month:02}", self.year),
            None => write!(f, "{:04}", self.year),
        }
    }
}

impl FromStr for EvaluationPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let number = |text: &str, digits: usize| {
            let right = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            right.then(|| text.parse().ok()).flatten()
        };
        match text.split_once('-') {
            None => Self::year(number(text, 4).ok_or(PeriodError)?),
            Some((year, month)) => {
                let year = number(year, 4).ok_or(PeriodError)?;
                let month = number(month, 2).ok_or(PeriodError)?;
                Self::month(year, i8::try_from(month).map_err(|_| PeriodError)?)
            }
        }
    }
}

impl TryFrom<String> for EvaluationPeriod {
    type Error = PeriodError;

    fn try_from(text: String) -> Result<Self, PeriodError> {
        text.parse()
    }
}

impl From<EvaluationPeriod> for String {
    fn from(period: EvaluationPeriod) -> Self {
        period.to_string()
    }
}

/// A period is reported on when it is over; until then its figures are provisional. R38.
///
/// # Errors
/// [`RefusalReason::PeriodNotOver`]; R38.
pub fn check_period_over(period: EvaluationPeriod, now_ms: i64) -> Result<(), Refusal> {
    if period.is_over(now_ms) || rule::is_off(Rule::Evaluation) {
        return Ok(());
    }
    let period = period.to_string();
    Err(RefusalReason::PeriodNotOver { period }.under(Article::R38))
}

/// What the authority reports is what its node's ledger gives, and nothing that somebody wrote into it. R38.
///
/// # Errors
/// [`RefusalReason::NotTheFigures`]; R38.
pub fn check_figures(same: bool) -> Result<(), Refusal> {
    if same || rule::is_off(Rule::Evaluation) {
        return Ok(());
    }
    Err(RefusalReason::NotTheFigures.under(Article::R38))
}

/// An evaluation is published where local rules say so, with the advice on what to improve (改进意见). Shenyang S8. The answer is the article of
/// the locality.
///
/// # Errors
/// [`RefusalReason::EvaluationNotPublished`] under R38, [`RefusalReason::AdviceRequired`] under the local article.
pub fn check_publishes(profile: &Profile, advice: &str) -> Result<Article, Refusal> {
    if rule::is_off(Rule::PublishedEvaluation) {
        return Ok(Article::S8);
    }
    let Some(article) = profile.evaluation_published() else {
        return Err(RefusalReason::EvaluationNotPublished.under(Article::R38));
    };
    if advice.trim().is_empty() {
        return Err(RefusalReason::AdviceRequired.under(article));
    }
    Ok(article)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn period(text: &str) -> EvaluationPeriod {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_beijing() {
        let march = period("2026-03");
        assert_eq!(march.starts_ms(), end_of_day_ms(date(2026, 2, 28)));
        assert_eq!(march.ends_ms(), end_of_day_ms(date(2026, 3, 31)));
        assert!(march.contains(march.starts_ms()) && !march.contains(march.ends_ms()));
        assert_eq!(period("2025-12").ends_ms(), period("2026").starts_ms());
        assert_eq!(period("2026").ends_ms(), period("2027-01").starts_ms());
        assert_eq!(EvaluationPeriod::month_of(march.ends_ms() - 1), Some(march));
    }

    #[test]
    fn a_period_is_written_in_one_way() {
        for text in ["2026-03", "2026"] {
            assert_eq!(period(text).to_string(), text);
        }
        for wrong in [
            "",
            "26",
            "2026-3",
            "2026-13",
            "2026-00",
            "1999",
            "3000",
            "+026",
            "2026-+3",
            "2026-03-01",
        ] {
            assert_eq!(
                wrong.parse::<EvaluationPeriod>(),
                Err(PeriodError),
                "{wrong}"
            );
        }
    }

    #[test]
    fn nothing_is_reported_before_the_period_is_over() {
        let march = period("2026-03");
        assert_eq!(check_period_over(march, march.ends_ms()), Ok(()));
        let early = check_period_over(march, march.ends_ms() - 1).unwrap_err();
        assert_eq!(early.article, Article::R38);
    }

    #[test]
    fn an_evaluation_is_published_where_local_rules_say_so_and_with_advice() {
        assert_eq!(
            check_publishes(&Profile::shenyang(), "加强校核"),
            Ok(Article::S8)
        );
        let national = check_publishes(&Profile::national(), "加强校核").unwrap_err();
        assert_eq!(
            national,
            RefusalReason::EvaluationNotPublished.under(Article::R38)
        );
        let bare = check_publishes(&Profile::shenyang(), " ").unwrap_err();
        assert_eq!(bare, RefusalReason::AdviceRequired.under(Article::S8));
    }
}
