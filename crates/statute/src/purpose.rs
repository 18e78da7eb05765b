//! Limits of use (使用限制): scope, purpose, third parties and period of what was granted. R20, R25.

use jiff::civil::Date;

use crate::article::Article;
use crate::class::{ClassTerms, MAX_TERM_CHARS};
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

/// A grant is for what was asked for, word for word: other words would be more than was asked (R25), or a condition that nobody listed (R15). Where
/// the catalogue lists uses (使用用途), it is for one of these: for one that the application states, or, where it states a scenario in words of its
/// own, for the one under which the provider finds that it falls (docs/deviations/0012). `stated` are the scenarios of the application; one that states
/// none counts as complete (R21), and the provider's own words hold.
///
/// # Errors
/// [`RefusalReason::PurposeExceeded`]: under R15 for a use that the catalogue does not list, under R25 for one that was not asked for.
pub fn check_granted_purpose(
    catalogued: &ClassTerms,
    stated: &[&str],
    granted: &str,
) -> Result<(), Refusal> {
    if rule::is_off(Rule::Use) {
        return Ok(());
    }
    let exceeded = |article| {
        let asked = quoted(granted);
        Err(RefusalReason::PurposeExceeded { asked }.under(article))
    };
    let listed = listed_uses(catalogued);
    if !listed.is_empty() && !lists(listed, granted) {
        return exceeded(Article::R15);
    }
    let is_stated = stated.iter().any(|line| line.trim() == granted.trim());
    let settles_it = listed.is_empty() || stated.iter().any(|line| lists(listed, line));
    if stated.is_empty() || is_stated || !settles_it {
        return Ok(());
    }
    exceeded(Article::R25)
}

/// The scenarios of an application that are not, word for word, among the uses that the catalogue lists, R15: whether they fall under one of these
/// is for the provider to find. None where it lists no uses.
#[must_use]
pub fn uses_not_listed<'a>(catalogued: &ClassTerms, stated: &[&'a str]) -> Vec<&'a str> {
    let listed = listed_uses(catalogued);
    let not_listed = |line: &&&str| !listed.is_empty() && !lists(listed, line);
    stated.iter().filter(not_listed).copied().collect()
}

/// The uses that the catalogue lists (使用用途), R15: of what is shared conditionally alone.
#[must_use]
pub fn listed_uses(catalogued: &ClassTerms) -> &[String] {
    match catalogued {
        ClassTerms::Conditional { uses, .. } => uses,
        ClassTerms::Unconditional | ClassTerms::NotShared { .. } => &[],
    }
}

/// A grant ends no later than the period that was applied for (使用时限), whose last day `asked` is.
///
/// # Errors
/// [`RefusalReason::PeriodExceeded`]; R20.
pub fn check_granted_period(asked: Date, granted: Date) -> Result<(), Refusal> {
    if granted <= asked || rule::is_off(Rule::Use) {
        return Ok(());
    }
    let asked = asked.to_string();
    Err(RefusalReason::PeriodExceeded { asked }.under(Article::R20))
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
    fn a_grant_is_for_a_use_that_was_asked_for_and_that_the_catalogue_lists() {
        let listing = |uses: &[&str]| ClassTerms::Conditional {
            scope: vec!["民政部门".into()],
            uses: uses.iter().map(|it| (*it).to_owned()).collect(),
            conditions: vec![],
        };
        let refused = |terms: &ClassTerms, stated: &[&str], granted| {
            check_granted_purpose(terms, stated, granted)
                .err()
                .map(|it| it.article)
        };
        let open = ClassTerms::Unconditional;
        assert_eq!(refused(&open, &["核对"], " 核对 "), None);
        assert_eq!(refused(&open, &["核对"], "评级"), Some(Article::R25));
        assert_eq!(refused(&open, &[], "评级"), None);
        let two = listing(&["核对", "核验"]);
        assert_eq!(refused(&two, &["核对"], "核对"), None);
        assert_eq!(refused(&two, &["核对"], "核验"), Some(Article::R25));
        assert_eq!(refused(&two, &["逐户比对"], "核验"), None);
        let own_words = refused(&two, &["逐户比对"], "逐户比对");
        assert_eq!(own_words, Some(Article::R15));
        assert_eq!(uses_not_listed(&two, &["核对", "逐户比对"]), ["逐户比对"]);
        assert!(uses_not_listed(&open, &["逐户比对"]).is_empty());
    }

    #[test]
    fn a_grant_ends_with_the_period_applied_for_at_the_latest() {
        let asked = date(2026, 12, 31);
        assert_eq!(check_granted_period(asked, asked), Ok(()));
        let exceeded = RefusalReason::PeriodExceeded {
            asked: "2026-12-31".into(),
        };
        let refused = check_granted_period(asked, date(2027, 1, 1));
        assert_eq!(refused, Err(exceeded.under(Article::R20)));
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
