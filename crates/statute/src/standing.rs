//! Where a grant stands after it was given (共享权限状态): in force, suspended, ended or disposed of. R27.

use crate::article::Article;
use crate::duty::{Duty, is_overdue};
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Standing of a grant, R27.
    pub enum GrantStanding {
        /// In force (有效).
        InForce = "in-force", "有效", "in force";
        /// Suspended, rectification ordered (暂停，限期整改).
        Suspended = "suspended", "已暂停，限期整改", "suspended, rectification ordered";
        /// Suspended, the requester has reported rectification (已报告整改).
        Rectified = "rectified", "已暂停，已报告整改", "suspended, rectification reported";
        /// Terminated, since rectification was not made (终止共享).
        Terminated = "terminated", "已终止共享", "terminated";
        /// The service was ended, negotiated and on file (终止服务).
        ServiceEnded = "service-ended", "服务已终止", "service ended";
        /// The requester has disposed of the data (已处置).
        Disposed = "disposed", "数据已处置", "data disposed of";
    }
}

/// Data is provided and fetched only under a grant in force, R27.
///
/// # Errors
/// [`RefusalReason::GrantNotInForce`]; R27.
pub fn check_may_provide(standing: GrantStanding) -> Result<(), Refusal> {
    match standing {
        GrantStanding::InForce => Ok(()),
        GrantStanding::Suspended
        | GrantStanding::Rectified
        | GrantStanding::Terminated
        | GrantStanding::ServiceEnded
        | GrantStanding::Disposed => not_in_force(standing),
    }
}

/// Data is used unless the grant is suspended or terminated, or the data disposed of, R27. What was lawfully received before a
/// service ended may be used on, within the grant.
///
/// # Errors
/// [`RefusalReason::GrantNotInForce`]; R27.
pub fn check_may_use(standing: GrantStanding) -> Result<(), Refusal> {
    match standing {
        GrantStanding::InForce | GrantStanding::ServiceEnded => Ok(()),
        GrantStanding::Suspended
        | GrantStanding::Rectified
        | GrantStanding::Terminated
        | GrantStanding::Disposed => not_in_force(standing),
    }
}

fn not_in_force(standing: GrantStanding) -> Result<(), Refusal> {
    if rule::is_off(Rule::Standing) {
        return Ok(());
    }
    Err(RefusalReason::GrantNotInForce { standing }.under(Article::R27))
}

/// Sharing is terminated where rectification was refused or was not made (拒不整改或者整改不到位): not before the ordered date, unless
/// the requester has reported rectification and it is found wanting. R27. Instants in milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::RectificationOpen`] while the requester may still rectify, [`RefusalReason::GrantNotInForce`] where nothing is
/// suspended; R27.
pub fn check_may_terminate(
    standing: GrantStanding,
    rectify_by_ms: i64,
    now_ms: i64,
) -> Result<(), Refusal> {
    match standing {
        GrantStanding::Rectified => Ok(()),
        GrantStanding::Suspended if is_overdue(rectify_by_ms, now_ms) => Ok(()),
        GrantStanding::Suspended if rule::is_off(Rule::Standing) => Ok(()),
        GrantStanding::Suspended => Err(RefusalReason::RectificationOpen.under(Article::R27)),
        GrantStanding::InForce
        | GrantStanding::Terminated
        | GrantStanding::ServiceEnded
        | GrantStanding::Disposed => {
            Err(RefusalReason::GrantNotInForce { standing }.under(Article::R27))
        }
    }
}

/// Access is suspended for rectification (督促限期整改): it is restored once rectification was reported, or for stated reasons, R27.
///
/// # Errors
/// [`RefusalReason::ReasonsRequired`] where nothing was reported and no reasons are stated, [`RefusalReason::GrantNotInForce`] where nothing is
/// suspended; R27.
pub fn check_may_restore(standing: GrantStanding, reasons: &str) -> Result<(), Refusal> {
    match standing {
        GrantStanding::Rectified => Ok(()),
        GrantStanding::Suspended if rule::is_off(Rule::Standing) => Ok(()),
        GrantStanding::Suspended if reasons.trim().is_empty() => {
            Err(RefusalReason::ReasonsRequired.under(Article::R27))
        }
        GrantStanding::Suspended => Ok(()),
        GrantStanding::InForce
        | GrantStanding::Terminated
        | GrantStanding::ServiceEnded
        | GrantStanding::Disposed => {
            Err(RefusalReason::GrantNotInForce { standing }.under(Article::R27))
        }
    }
}

/// A date that a person sets (限期) lies ahead, and no further than `latest_ms`. Instants in milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::DateOutOfBounds`] under the article of the duty.
pub fn check_date_set(duty: Duty, by_ms: i64, now_ms: i64, latest_ms: i64) -> Result<(), Refusal> {
    if by_ms > now_ms && by_ms <= latest_ms {
        return Ok(());
    }
    Err(RefusalReason::DateOutOfBounds { duty }.under(duty.article()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use GrantStanding::{Disposed, InForce, Rectified, ServiceEnded, Suspended, Terminated};

    #[test]
    fn only_a_grant_in_force_provides_and_what_came_before_an_ended_service_is_used_on() {
        let passing = |rule: fn(GrantStanding) -> Result<(), Refusal>| {
            let all = GrantStanding::ALL.iter().copied();
            all.filter(|it| rule(*it).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(passing(check_may_provide), [InForce]);
        assert_eq!(passing(check_may_use), [InForce, ServiceEnded]);
        let refused = RefusalReason::GrantNotInForce {
            standing: Suspended,
        };
        assert_eq!(
            check_may_provide(Suspended),
            Err(refused.under(Article::R27))
        );
    }

    #[test]
    fn sharing_is_terminated_only_when_rectification_failed() {
        let open = Err(RefusalReason::RectificationOpen.under(Article::R27));
        assert_eq!(check_may_terminate(Suspended, 10, 9), open);
        assert_eq!(check_may_terminate(Suspended, 10, 10), Ok(()));
        assert_eq!(check_may_terminate(Rectified, 10, 9), Ok(()));
        for standing in [InForce, Terminated, ServiceEnded, Disposed] {
            let refused = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
            assert_eq!(check_may_terminate(standing, 10, 11), Err(refused));
        }
    }

    #[test]
    fn access_is_restored_after_a_report_of_rectification_or_for_reasons() {
        let unreasoned = Err(RefusalReason::ReasonsRequired.under(Article::R27));
        assert_eq!(check_may_restore(Suspended, " "), unreasoned);
        assert_eq!(check_may_restore(Suspended, "经核查不存在违规"), Ok(()));
        assert_eq!(check_may_restore(Rectified, ""), Ok(()));
        for standing in [InForce, Terminated, ServiceEnded, Disposed] {
            let refused = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
            assert_eq!(check_may_restore(standing, "理由"), Err(refused));
        }
    }

    #[test]
    fn a_date_lies_ahead_and_within_its_bound() {
        let set = |by| check_date_set(Duty::Rectify, by, 10, 20).is_ok();
        assert_eq!([10, 11, 20, 21].map(set), [false, true, true, false]);
        let refused = RefusalReason::DateOutOfBounds {
            duty: Duty::Dispose,
        };
        assert_eq!(
            check_date_set(Duty::Dispose, 1, 10, 20),
            Err(refused.under(Article::R27))
        );
    }
}
