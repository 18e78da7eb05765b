//! Replies to applications (答复): completeness, reasons and consents. R20, R21.

use crate::article::Article;
use crate::completeness::ApplicationMaterial;
use crate::duty::{Duty, is_overdue};
use crate::refusal::{Refusal, RefusalReason};
use crate::role::Role;
use crate::rule::{self, Rule};

/// An application goes out, and a reply is given, with the consent of the department's own head of the sharing office.
///
/// `consenting` is the role of the person who consented, if anyone did.
///
/// # Errors
/// [`RefusalReason::ConsentMissing`]; R20.
pub fn check_sharing_office_consent(consenting: Option<Role>) -> Result<(), Refusal> {
    check_consent(consenting, &[Role::SharingOfficeHead], Article::R20)
}

/// A reply is extended with the consent of the authority of the provider's level.
///
/// # Errors
/// [`RefusalReason::ConsentMissing`]; R21.
pub fn check_extension_consent(consenting: Option<Role>) -> Result<(), Refusal> {
    check_consent(
        consenting,
        &[Role::AuthorityReviewer, Role::AuthorityHead],
        Article::R21,
    )
}

/// A catalogue entry is approved by the head of the department.
///
/// # Errors
/// [`RefusalReason::ConsentMissing`]; R13.
pub fn check_head_approval(approving: Option<Role>) -> Result<(), Refusal> {
    check_consent(approving, &[Role::DepartmentHead], Article::R13)
}

fn check_consent(given: Option<Role>, of: &[Role], article: Article) -> Result<(), Refusal> {
    match (given, of) {
        (Some(role), _) if of.contains(&role) => Ok(()),
        (_, [first, ..]) => Err(RefusalReason::ConsentMissing { of: *first }.under(article)),
        (_, []) => Ok(()),
    }
}

/// What is missing is told once, and then all of it.
///
/// # Errors
/// [`RefusalReason::MissingAlreadyToldOnce`] the second time, [`RefusalReason::MissingNotToldInFull`] when something is
/// left out; R21.
pub fn check_tells_missing(
    missing: &[ApplicationMaterial],
    told: &[ApplicationMaterial],
    times_told_before: usize,
) -> Result<(), Refusal> {
    if rule::is_off(Rule::ToldOnce) {
        return Ok(());
    }
    if times_told_before > 0 {
        return Err(RefusalReason::MissingAlreadyToldOnce.under(Article::R21));
    }
    let left_out: Vec<_> = missing
        .iter()
        .copied()
        .filter(|item| !told.contains(item))
        .collect();
    if left_out.is_empty() {
        Ok(())
    } else {
        Err(RefusalReason::MissingNotToldInFull { left_out }.under(Article::R21))
    }
}

/// What is missing is told within the term of the reply; after it, the application counts as complete (see [`counts_as_complete`]).
///
/// # Errors
/// [`RefusalReason::TimeLimitPassed`]; R21.
pub fn check_told_in_time(duty: Duty, due_ms: i64, now_ms: i64) -> Result<(), Refusal> {
    if counts_as_complete(due_ms, now_ms) {
        return Err(RefusalReason::TimeLimitPassed { duty }.under(Article::R21));
    }
    Ok(())
}

/// Whether an application of which nothing was said to be missing counts as complete: once the term of the reply is over. The Regulation is
/// silent; by analogy with the Administrative Licensing Law, Art. 32 (docs/deviations/0002). Instants in milliseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn counts_as_complete(due_ms: i64, now_ms: i64) -> bool {
    is_overdue(due_ms, now_ms) && !rule::is_off(Rule::ToldInTime)
}

/// An application is never refused because it is incomplete, and a refusal states its reasons.
///
/// # Errors
/// [`RefusalReason::IncompleteMayNotBeRefused`], [`RefusalReason::ReasonsRequired`]; R21.
pub fn check_may_refuse(missing: &[ApplicationMaterial], reasons: &str) -> Result<(), Refusal> {
    if rule::is_off(Rule::Reasons) {
        return Ok(());
    }
    if !missing.is_empty() {
        let missing = missing.to_vec();
        return Err(RefusalReason::IncompleteMayNotBeRefused { missing }.under(Article::R21));
    }
    if reasons.trim().is_empty() {
        return Err(RefusalReason::ReasonsRequired.under(Article::R21));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ApplicationMaterial::{Basis, Period, Scope};

    #[test]
    fn only_the_head_of_the_sharing_office_gives_the_consent_of_article_20() {
        assert_eq!(
            check_sharing_office_consent(Some(Role::SharingOfficeHead)),
            Ok(())
        );
        let missing = RefusalReason::ConsentMissing {
            of: Role::SharingOfficeHead,
        };
        for nobody in [None, Some(Role::Operator), Some(Role::DepartmentHead)] {
            let refused = Err(missing.clone().under(Article::R20));
            assert_eq!(check_sharing_office_consent(nobody), refused);
        }
    }

    #[test]
    fn each_consent_belongs_to_its_own_office() {
        assert_eq!(check_extension_consent(Some(Role::AuthorityHead)), Ok(()));
        assert!(check_extension_consent(Some(Role::SharingOfficeHead)).is_err());
        assert_eq!(check_head_approval(Some(Role::DepartmentHead)), Ok(()));
        assert!(check_head_approval(Some(Role::SharingOfficeHead)).is_err());
    }

    #[test]
    fn what_is_missing_is_told_in_full_and_once() {
        assert_eq!(
            check_tells_missing(&[Scope, Period], &[Period, Scope, Basis], 0),
            Ok(())
        );
        let partly = RefusalReason::MissingNotToldInFull {
            left_out: vec![Period],
        };
        let refused = check_tells_missing(&[Scope, Period], &[Scope], 0);
        assert_eq!(refused, Err(partly.under(Article::R21)));
        let again = check_tells_missing(&[Scope], &[Scope], 1);
        assert_eq!(
            again,
            Err(RefusalReason::MissingAlreadyToldOnce.under(Article::R21))
        );
    }

    #[test]
    fn incompleteness_is_no_ground_of_refusal() {
        let expected = RefusalReason::IncompleteMayNotBeRefused {
            missing: vec![Scope],
        };
        assert_eq!(
            check_may_refuse(&[Scope], "材料不全"),
            Err(expected.under(Article::R21))
        );
    }

    #[test]
    fn refusal_without_grounds_is_rejected() {
        let expected = Err(RefusalReason::ReasonsRequired.under(Article::R21));
        assert_eq!(check_may_refuse(&[], " \n"), expected);
        assert_eq!(check_may_refuse(&[], "超出目录列明的共享范围"), Ok(()));
    }
}
