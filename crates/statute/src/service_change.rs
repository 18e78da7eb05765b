//! Ending or changing a service (终止或者变更服务): negotiated with the requester and on file with the authority. R27.

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Step before a service may end or change, R27.
    pub enum ServiceChangeStep {
        /// Negotiated with the requester (协商).
        Negotiated = "negotiated", "已与需求部门协商", "negotiated with the requester";
        /// On file with the authority of the provider's level (备案).
        Filed = "filed", "已报同级主管部门备案", "on file with the authority";
    }
}

/// A service ends or changes once both steps are done; without both it does not take effect.
///
/// # Errors
/// [`RefusalReason::ChangeNotNegotiated`], [`RefusalReason::ChangeNotFiled`]; R27, a breach under R39(7).
pub fn check_service_change(done: &[ServiceChangeStep]) -> Result<(), Refusal> {
    if rule::is_off(Rule::ServiceChange) {
        return Ok(());
    }
    if !done.contains(&ServiceChangeStep::Negotiated) {
        return Err(RefusalReason::ChangeNotNegotiated.under(Article::R27));
    }
    if !done.contains(&ServiceChangeStep::Filed) {
        return Err(RefusalReason::ChangeNotFiled.under(Article::R27));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ServiceChangeStep::{Filed, Negotiated};

    #[test]
    fn a_service_changes_only_after_negotiation_and_filing() {
        assert_eq!(check_service_change(&[Filed, Negotiated]), Ok(()));
        let unfiled = Err(RefusalReason::ChangeNotFiled.under(Article::R27));
        assert_eq!(check_service_change(&[Negotiated]), unfiled);
        let alone = Err(RefusalReason::ChangeNotNegotiated.under(Article::R27));
        assert_eq!(check_service_change(&[Filed]), alone);
    }
}
