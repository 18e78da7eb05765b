//! Secrets (秘密): state secrets and work secrets are no government data and are never entered. R3.

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Result of the secrecy-risk assessment (保密风险评估), R3, R13.
    pub enum Secrecy {
        /// Not secret (非涉密).
        NotSecret = "not-secret", "非涉密", "not secret";
        /// Work secret (工作秘密).
        WorkSecret = "work-secret", "工作秘密", "work secret";
        /// State secret (国家秘密).
        StateSecret = "state-secret", "国家秘密", "state secret";
    }
}

/// What is secret is not entered.
///
/// # Errors
/// [`RefusalReason::StateSecret`], [`RefusalReason::WorkSecret`]; R3.
pub fn check_not_secret(secrecy: Secrecy) -> Result<(), Refusal> {
    if rule::is_off(Rule::Secrecy) {
        return Ok(());
    }
    match secrecy {
        Secrecy::NotSecret => Ok(()),
        Secrecy::WorkSecret => Err(RefusalReason::WorkSecret.under(Article::R3)),
        Secrecy::StateSecret => Err(RefusalReason::StateSecret.under(Article::R3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_entered() {
        assert_eq!(check_not_secret(Secrecy::NotSecret), Ok(()));
        let refused = [Secrecy::StateSecret, Secrecy::WorkSecret].map(check_not_secret);
        let expected = [RefusalReason::StateSecret, RefusalReason::WorkSecret];
        assert_eq!(
            refused,
            expected.map(|reason| Err(reason.under(Article::R3)))
        );
    }
}
