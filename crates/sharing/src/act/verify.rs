//! From a signed act to a proved one: chain, signature, address, time, role and bounds, in this order.

use identity::codec::{self, CodecError};
use identity::planted::{self, Bug};
use identity::{Certificate, Code, Domain, Moment, VerifyError};
use statute::Refusal;

use super::{
    Act, ActBody, ActId, Doer, MAX_ACT_AGE_MS, MAX_ACT_AHEAD_MS, MAX_ACT_BYTES, SignedAct,
};
use crate::person::{PersonError, in_office};

impl SignedAct {
    /// The id under which this act takes effect at most once.
    pub fn id(&self) -> ActId {
        ActId(self.act.digest(Domain::Act))
    }

    /// Proves the act under the membership certificate of the node to which it is addressed.
    ///
    /// `now` is the clock of whoever takes the act up; for a copy that is evidence, it is the time at which the home recorded it, with the
    /// certificate that the home's people stood under then.
    ///
    /// # Errors
    /// The first [`ActError`], in the order of that type.
    pub fn verify(&self, member: &Certificate, now: Moment) -> Result<VerifiedAct, ActError> {
        let links = self.signer.links(member)?;
        let holder = links.last().ok_or(PersonError::Length(0))?;
        let verified = self.act.verify_unless(
            Bug::ActSignatureSkipped,
            Domain::Act,
            &holder.key,
            MAX_ACT_BYTES,
        );
        let act = match verified {
            Err(VerifyError::Codec(CodecError::TrailingBytes(more))) => {
                self.check_nothing_demanded(more)?;
                return Err(VerifyError::Codec(CodecError::TrailingBytes(more)).into());
            }
            other => other?,
        };
        if act.node != member.code() && !planted::is(Bug::ActForAnotherNodeAccepted) {
            return Err(ActError::AnotherNode {
                addressed: act.node,
                member: member.code(),
            });
        }
        let ahead = act.at.millis_since(now);
        if ahead > MAX_ACT_AHEAD_MS {
            return Err(ActError::Ahead { at: act.at, now });
        }
        if ahead < -MAX_ACT_AGE_MS {
            return Err(ActError::TooOld { at: act.at, now });
        }
        let doer = in_office(links, now)?;
        if !planted::is(Bug::RoleUnchecked) {
            statute::may_under(doer.role, act.body.kind(), act.body.article())?;
        }
        act.body.within_bounds()?;
        Ok(VerifiedAct {
            id: self.id(),
            signed: self.clone(),
            act,
            doer,
        })
    }
}

impl SignedAct {
    /// Another make's software may add to a return of data the conditions that ours has no place for (R24): they stand behind the act in the
    /// last `more` of the signed bytes.
    fn check_nothing_demanded(&self, more: usize) -> Result<(), Refusal> {
        let bytes = self.act.bytes();
        let Some((act, more)) = bytes.split_at_checked(bytes.len().saturating_sub(more)) else {
            return Ok(());
        };
        let returns = codec::decode::<Act>(act, MAX_ACT_BYTES)
            .is_ok_and(|act| matches!(act.body, ActBody::ReturnTable { .. }));
        match codec::decode::<Vec<String>>(more, MAX_ACT_BYTES) {
            Ok(conditions) if returns => statute::return_flow::check_no_condition(&conditions),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Why an act is not taken up. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The chain proves no person of this node.
    #[error(transparent)]
    Person(PersonError),
    /// The signature is not that person's, or what was signed is no act.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// Addressed to another node.
    #[error("该行为致送节点 {addressed}，不是 {member} (addressed to another node)")]
    AnotherNode {
        /// Where it is addressed.
        addressed: Code,
        /// Whose certificate it was checked against.
        member: Code,
    },
    /// Signed in the future, by more than [`MAX_ACT_AHEAD_MS`].
    #[error("签署时间 {at} 晚于当前时间 {now} 十分钟以上 (signed in the future)")]
    Ahead {
        /// The person's clock.
        at: Moment,
        /// The clock here.
        now: Moment,
    },
    /// Signed more than [`MAX_ACT_AGE_MS`] ago.
    #[error("签署时间 {at} 早于当前时间 {now} 九十日以上 (signed too long ago)")]
    TooOld {
        /// The person's clock.
        at: Moment,
        /// The clock here.
        now: Moment,
    },
    /// A lawful refusal: the term is over, or the role does not entitle.
    #[error("{0}")]
    Refused(Refusal),
}

impl From<Refusal> for ActError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<PersonError> for ActError {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Person(other),
        }
    }
}

/// An act that was proved: who did it, in a role that entitles, signed with that person's own key. There is no other way to make one than
/// [`SignedAct::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAct {
    signed: SignedAct,
    act: Act,
    id: ActId,
    doer: Doer,
}

impl VerifiedAct {
    /// The act.
    pub fn act(&self) -> &Act {
        &self.act
    }

    /// Its id.
    pub fn id(&self) -> ActId {
        self.id
    }

    /// Who did it.
    pub fn doer(&self) -> &Doer {
        &self.doer
    }

    /// The act as signed, for the record.
    pub fn signed(&self) -> &SignedAct {
        &self.signed
    }
}
