//! Disputes (争议): negotiate first, then coordination, then the government's decision. R28.
//!
//! ```text
//! Raised ──► Negotiating ──► NegotiationFailed ──► Coordinating ──► CoordinationFailed ──► Decided
//!                 │                                     │
//!                 └──────────────► Settled ◄────────────┘
//! ```
//!
//! Who the common superior is follows from the parties' places in the tree and is found elsewhere; here stands only
//! what that authority must and must not be.

use crate::article::Article;
use crate::refusal::{Refusal, RefusalReason};
use crate::rule::{self, Rule};
use crate::term::terms;

terms! {
    /// Where a dispute stands (争议阶段), R28.
    pub enum DisputeStage {
        /// Raised by one party.
        Raised = "raised", "已提出", "raised";
        /// The parties negotiate (协商).
        Negotiating = "negotiating", "协商中", "negotiating";
        /// Negotiation failed (协商不成).
        NegotiationFailed = "negotiation-failed", "协商不成", "negotiation failed";
        /// The authority coordinates (协调处理).
        Coordinating = "coordinating", "协调处理中", "coordinating";
        /// No agreement after coordination (仍未达成一致意见).
        CoordinationFailed = "coordination-failed", "协调未达成一致", "coordination failed";
        /// The parties agreed (达成一致).
        Settled = "settled", "已达成一致", "settled";
        /// The government decided (决定); final.
        Decided = "decided", "已决定", "decided";
    }
}

/// Negotiation comes before coordination.
///
/// # Errors
/// [`RefusalReason::NotNegotiated`] before negotiation failed, [`RefusalReason::WrongState`] after; R28.
pub fn check_may_coordinate(stage: DisputeStage) -> Result<(), Refusal> {
    match stage {
        DisputeStage::NegotiationFailed => Ok(()),
        DisputeStage::Raised | DisputeStage::Negotiating => {
            Err(RefusalReason::NotNegotiated.under(Article::R28))
        }
        DisputeStage::Coordinating
        | DisputeStage::CoordinationFailed
        | DisputeStage::Settled
        | DisputeStage::Decided => Err(wrong_stage(DisputeStage::NegotiationFailed, stage)),
    }
}

/// Coordination comes before decision, and a decision is final.
///
/// # Errors
/// [`RefusalReason::NotNegotiated`], [`RefusalReason::CoordinationNotTried`] or [`RefusalReason::WrongState`]; R28.
pub fn check_may_decide(stage: DisputeStage) -> Result<(), Refusal> {
    if rule::is_off(Rule::Decision) {
        return Ok(());
    }
    match stage {
        DisputeStage::CoordinationFailed => Ok(()),
        DisputeStage::Raised | DisputeStage::Negotiating => {
            Err(RefusalReason::NotNegotiated.under(Article::R28))
        }
        DisputeStage::NegotiationFailed | DisputeStage::Coordinating => {
            Err(RefusalReason::CoordinationNotTried { stage }.under(Article::R28))
        }
        DisputeStage::Settled | DisputeStage::Decided => {
            Err(wrong_stage(DisputeStage::CoordinationFailed, stage))
        }
    }
}

fn wrong_stage(expected: DisputeStage, found: DisputeStage) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.id().into(),
        found: found.id().into(),
    }
    .under(Article::R28)
}

/// Only the common superior of the parties hears a dispute, and never one to which it is itself a party.
///
/// `common_superior` is what the parties' places yield, already moved up past an authority that is a party.
///
/// # Errors
/// [`RefusalReason::NotCommonSuperior`] or [`RefusalReason::AuthorityIsParty`]; R28.
pub fn check_hearer<Place: PartialEq + std::fmt::Display>(
    hearer: &Place,
    common_superior: &Place,
    parties: &[Place],
) -> Result<(), Refusal> {
    if hearer != common_superior {
        return Err(RefusalReason::NotCommonSuperior {
            hearer: hearer.to_string(),
            common_superior: common_superior.to_string(),
        }
        .under(Article::R28));
    }
    check_not_party(hearer, parties)
}

/// An authority never hears a case to which it is itself a party.
///
/// # Errors
/// [`RefusalReason::AuthorityIsParty`]; R28.
pub fn check_not_party<Place: PartialEq + std::fmt::Display>(
    authority: &Place,
    parties: &[Place],
) -> Result<(), Refusal> {
    if parties.contains(authority) && !rule::is_off(Rule::Hearing) {
        let authority = authority.to_string();
        return Err(RefusalReason::AuthorityIsParty { authority }.under(Article::R28));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(check: fn(DisputeStage) -> Result<(), Refusal>) -> Vec<DisputeStage> {
        DisputeStage::ALL
            .iter()
            .copied()
            .filter(|stage| check(*stage).is_ok())
            .collect()
    }

    #[test]
    fn coordination_follows_failed_negotiation_only() {
        assert_eq!(
            open(check_may_coordinate),
            [DisputeStage::NegotiationFailed]
        );
        let early = check_may_coordinate(DisputeStage::Raised);
        assert_eq!(early, Err(RefusalReason::NotNegotiated.under(Article::R28)));
    }

    #[test]
    fn decision_follows_failed_coordination_only() {
        assert_eq!(open(check_may_decide), [DisputeStage::CoordinationFailed]);
        let stage = DisputeStage::NegotiationFailed;
        let expected = RefusalReason::CoordinationNotTried { stage }.under(Article::R28);
        assert_eq!(check_may_decide(stage), Err(expected));
    }

    #[test]
    fn an_authority_never_hears_its_own_case() {
        assert_eq!(
            check_hearer(&"100000", &"100000", &["440106", "210102"]),
            Ok(())
        );
        let own = check_hearer(&"440100", &"440100", &["440106", "440100"]);
        let expected = RefusalReason::AuthorityIsParty {
            authority: "440100".into(),
        };
        assert_eq!(own, Err(expected.under(Article::R28)));
    }

    #[test]
    fn only_the_common_superior_hears_a_dispute() {
        let expected = RefusalReason::NotCommonSuperior {
            hearer: "440000".into(),
            common_superior: "100000".into(),
        };
        let refused = check_hearer(&"440000", &"100000", &["440106", "210102"]);
        assert_eq!(refused, Err(expected.under(Article::R28)));
    }
}
