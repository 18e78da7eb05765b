//! Limits of use (使用限制): scope, purpose, third parties and period of what was granted. R20, R25.

use jiff::civil::Date;

use crate::article::Article;
use crate::class::MAX_TERM_CHARS;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};

/// Shared data is used within the granted scope.
///
/// # Errors
/// [`RefusalReason::ScopeExceeded`]; R25, a breach under R40(2).
pub fn check_scope(granted: &[String], used: &str) -> Result<(), Refusal> {
    if lists(granted, used) || rule::is_off(Rule::Use) {
        return Ok(());
    }
    Err(RefusalReason::ScopeExceeded {
        asked: quoted(used),
    }
    .under(Article::R25))
}

/// Shared data is used for a granted purpose.
///
/// # Errors
/// [`RefusalReason::PurposeExceeded`]; R25, a breach under R40(2).
pub fn check_purpose(granted: &[String], used: &str) -> Result<(), Refusal> {
    if lists(granted, used) || rule::is_off(Rule::Use) {
        return Ok(());
    }
    Err(RefusalReason::PurposeExceeded {
        asked: quoted(used),
    }
    .under(Article::R25))
}

/// Shared data stays with the department to which it was granted.
///
/// # Errors
/// [`RefusalReason::ThirdParty`]; R25, a breach under R40(3).
pub fn check_recipient<Party: PartialEq>(
    granted_to: &Party,
    used_by: &Party,
) -> Result<(), Refusal> {
    if granted_to == used_by {
        return Ok(());
    }
    Err(RefusalReason::ThirdParty.under(Article::R25))
}

/// Shared data is used until the last day of the granted period (使用时限), that day included.
///
/// # Errors
/// [`RefusalReason::PeriodExpired`]; R20.
pub fn check_period(last_day: Date, today: Date) -> Result<(), Refusal> {
    if today <= last_day {
        return Ok(());
    }
    Err(RefusalReason::PeriodExpired {
        ended: last_day.to_string(),
    }
    .under(Article::R20))
}

fn lists(granted: &[String], used: &str) -> bool {
    granted.iter().any(|line| line.trim() == used.trim())
}

fn quoted(text: &str) -> String {
    text.chars().take(MAX_TERM_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn use_beyond_scope_or_purpose_is_refused_under_article_25() {
        let granted = ["社会救助核对".to_owned()];
        assert_eq!(check_purpose(&granted, " 社会救助核对 "), Ok(()));
        let other = RefusalReason::PurposeExceeded {
            asked: "信用评级".into(),
        };
        assert_eq!(
            check_purpose(&granted, "信用评级"),
            Err(other.under(Article::R25))
        );
        let wide = RefusalReason::ScopeExceeded {
            asked: "全市".into(),
        };
        assert_eq!(check_scope(&granted, "全市"), Err(wide.under(Article::R25)));
    }

    #[test]
    fn data_is_not_passed_on() {
        assert_eq!(check_recipient(&"天河区", &"天河区"), Ok(()));
        let expected = Err(RefusalReason::ThirdParty.under(Article::R25));
        assert_eq!(check_recipient(&"天河区", &"某公司"), expected);
    }

    #[test]
    fn the_last_day_of_the_period_still_counts() {
        let last = date(2026, 12, 31);
        assert_eq!(check_period(last, last), Ok(()));
        let ended = RefusalReason::PeriodExpired {
            ended: "2026-12-31".into(),
        };
        assert_eq!(
            check_period(last, date(2027, 1, 1)),
            Err(ended.under(Article::R20))
        );
    }
}
