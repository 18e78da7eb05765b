//! Return flow (回流): a lower level receives its own rows, in time, complete, and without any condition. R24.

use crate::article::Article;
use crate::class::MAX_TERM_CHARS;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};

/// No condition is put on return flow. Our own forms have no place for one; this is for what arrives from elsewhere.
///
/// # Errors
/// [`RefusalReason::ConditionOnReturnFlow`] with the first condition; R24, a breach under R39(5).
pub fn check_no_condition(conditions: &[String]) -> Result<(), Refusal> {
    match conditions
        .iter()
        .find(|condition| !condition.trim().is_empty())
    {
        None => Ok(()),
        Some(condition) => {
            let condition = condition.chars().take(MAX_TERM_CHARS).collect();
            Err(RefusalReason::ConditionOnReturnFlow { condition }.under(Article::R24))
        }
    }
}

/// Return flow gives each level its own rows: a node asks for those of its own division, or of a township or village in it, and for no others.
/// `node` is the node's code, `area` the division asked for, as digits.
///
/// # Errors
/// [`RefusalReason::NotYourDepartment`]; R24.
pub fn check_own_rows(node: &str, area: &str) -> Result<(), Refusal> {
    if area.starts_with(node) || rule::is_off(Rule::OwnRows) {
        Ok(())
    } else {
        Err(RefusalReason::NotYourDepartment.under(Article::R24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_asks_for_its_own_rows_and_those_of_its_townships_alone() {
        for own in ["440106", "440106001", "440106001002"] {
            assert_eq!(check_own_rows("440106", own), Ok(()));
        }
        let foreign = RefusalReason::NotYourDepartment.under(Article::R24);
        for other in ["440104", "440104001", "440100", "44010"] {
            assert_eq!(check_own_rows("440106", other), Err(foreign.clone()));
        }
    }

    #[test]
    fn any_condition_on_return_flow_is_refused() {
        assert_eq!(check_no_condition(&[]), Ok(()));
        let condition = "须先签订协议".to_owned();
        let expected = RefusalReason::ConditionOnReturnFlow {
            condition: condition.clone(),
        };
        assert_eq!(
            check_no_condition(&[condition]),
            Err(expected.under(Article::R24))
        );
    }
}
