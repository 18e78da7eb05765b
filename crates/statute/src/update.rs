//! Updates of the catalogue (更新): what makes one due. R17. The time limits stand in [`crate::duty`].

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::term::terms;

terms! {
    /// What makes an update of the catalogue due (更新事由), R17.
    pub enum ChangeCause {
        /// A law, an administrative regulation or a decision of the State Council was changed.
        LawChanged = "law-changed", "法律、行政法规、国务院决定调整", "law, regulation or State Council decision changed";
        /// The duties of a department changed.
        DutiesChanged = "duties-changed", "政府部门职责变化", "duties of a department changed";
        /// Something else, which the report states.
        Other = "other", "其他事由", "another cause";
    }
}

/// The ten working days run from the day on which the change happens, so only a change that has happened is reported. A late report is taken:
/// it moves no time limit. Instants in milliseconds since 1970-01-01T00:00Z.
///
/// # Errors
/// [`RefusalReason::ChangeToCome`]; R17.
pub fn check_has_happened(changed_ms: i64, now_ms: i64) -> Result<(), Refusal> {
    if changed_ms > now_ms {
        return Err(RefusalReason::ChangeToCome.under(Article::R17));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_reported_once_it_has_happened_however_late() {
        assert_eq!(
            [0, 99, 100].map(|changed| check_has_happened(changed, 100)),
            [Ok(()), Ok(()), Ok(())]
        );
        let to_come = RefusalReason::ChangeToCome.under(Article::R17);
        assert_eq!(check_has_happened(101, 100), Err(to_come));
    }
}
