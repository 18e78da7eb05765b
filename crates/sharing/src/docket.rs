//! Dockets (案卷): the one mechanism for every case. An append-only, hash-linked sequence of events, ordered and signed by
//! exactly one home node; the parties hold verified copies.

mod copy;

use std::fmt;
use std::str::FromStr;

use identity::{
    Chain, Digest, DigestError, Domain, MembershipError, Moment, Path, Signed, SigningKey,
    VerifyError, VerifyKey,
};
use serde::{Deserialize, Serialize};

use crate::act::ActError;
use crate::application::{self, ApplicationEvent, ApplicationState, Misstep};
use crate::dispute::{self, DisputeEvent, DisputeState};
use crate::return_flow::{self, ReturnFlowEvent, SubscriptionState};

/// Most events in one docket.
pub const MAX_DOCKET_EVENTS: usize = 4_096;
/// Most bytes of one encoded event: the largest holds a copy of a disputed docket or an entry, and must fit an envelope with room to spare.
pub const MAX_EVENT_BYTES: usize = 1 << 20;

/// A docket's id: the digest of the act that opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocketId(pub Digest);

/// One event of a docket, as its home orders and signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketEvent {
    /// Which docket.
    pub docket: DocketId,
    /// The node that orders it.
    pub home: Path,
    /// Place in the order, from 0.
    pub sequence: u32,
    /// Digest of the signed event before (`Domain::Event`), all zero at 0.
    pub previous: Digest,
    /// The home's clock.
    pub at: Moment,
    /// Size and root of the home's newest signed ledger checkpoint.
    pub checkpoint: (u64, Digest),
    /// What happened.
    pub body: DocketBody,
}

/// What happened, by workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every docket is an application"
)]
pub enum DocketBody {
    /// A sharing application.
    Application(ApplicationEvent),
    /// A dispute.
    Dispute(DisputeEvent),
    /// A return-flow subscription.
    ReturnFlow(ReturnFlowEvent),
}

/// A copy of a docket that can be verified without its home.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketCopy {
    /// The home's membership chain.
    pub home: Chain,
    /// The events in order.
    pub events: Vec<Signed<DocketEvent>>,
}

impl fmt::Display for DocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DocketId {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        text.parse().map(Self)
    }
}

/// The state of a docket, by workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum DocketState {
    /// A sharing application.
    Application(Box<ApplicationState>),
    /// A dispute.
    Dispute(Box<DisputeState>),
    /// A return-flow subscription.
    ReturnFlow(Box<SubscriptionState>),
}

/// Two events that one home signed for one place in the order: proof that it forked the docket, to whoever knows its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The event known first.
    pub known: Signed<DocketEvent>,
    /// The one that contradicts it.
    pub other: Signed<DocketEvent>,
}

/// Why an event or a copy is not taken. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocketError {
    /// No event at all.
    #[error("案卷为空 (empty docket)")]
    Empty,
    /// More than [`MAX_DOCKET_EVENTS`].
    #[error("案卷事件过多：{0} (too many events)")]
    TooMany(usize),
    /// The home's chain proves no member.
    #[error("案卷所在节点的证书链无效：{0} (home is no member)")]
    Membership(#[from] MembershipError),
    /// Not signed by the home, or no event.
    #[error("第 {sequence} 个事件：{error} (bad signature or event)")]
    Signature {
        /// The place expected.
        sequence: u32,
        /// What is wrong.
        error: VerifyError,
    },
    /// It belongs to another home.
    #[error("事件属于节点 {found}，不属于 {expected} (wrong home)")]
    WrongHome {
        /// The home.
        expected: Path,
        /// The one it names.
        found: Path,
    },
    /// It belongs to another docket.
    #[error("事件属于案卷 {found}，不属于 {expected} (wrong docket)")]
    WrongDocket {
        /// The docket.
        expected: DocketId,
        /// The one it names.
        found: DocketId,
    },
    /// It is known already: nothing is to be done.
    #[error("第 {0} 个事件已有 (known already)")]
    Known(u32),
    /// Events between are missing.
    #[error("应为第 {expected} 个事件，实为第 {found} 个 (gap)")]
    Gap {
        /// The next place in the order.
        expected: u32,
        /// The place it names.
        found: u32,
    },
    /// The home signed two histories; the digests of what was known and of what contradicts it. [`DocketCopy::take`] yields both as proof.
    #[error("第 {sequence} 个事件与已有记录矛盾：{known} 与 {found} (fork)")]
    Fork {
        /// The place in the order.
        sequence: u32,
        /// What was known.
        known: Digest,
        /// What contradicts it.
        found: Digest,
    },
    /// The home signed two histories; both, as proof.
    #[error("所在节点对同一案卷签署了两种记录 (fork, proved)")]
    Forked(Box<Fork>),
    /// A person's act in it does not prove itself.
    #[error("第 {sequence} 个事件所载行为：{error} (bad act)")]
    Act {
        /// The place in the order.
        sequence: u32,
        /// What is wrong.
        error: ActError,
    },
    /// It does not say what the person's act in it says.
    #[error("第 {0} 个事件与所载行为不符 (event alters the act)")]
    AltersAct(u32),
    /// It cannot follow from the state before.
    #[error("第 {sequence} 个事件：{error}")]
    Misstep {
        /// The place in the order.
        sequence: u32,
        /// What is wrong.
        error: Misstep,
    },
    /// It is of another workflow than the docket.
    #[error("第 {0} 个事件属于另一种流程 (another workflow)")]
    AnotherWorkflow(u32),
}

/// The newest event of a docket: its place in the order and its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tip {
    /// Its place in the order.
    pub sequence: u32,
    /// Its digest (`Domain::Event`).
    pub digest: Digest,
}

impl Tip {
    /// The tip that a signed event makes.
    pub fn of(sequence: u32, event: &Signed<DocketEvent>) -> Self {
        Self {
            sequence,
            digest: event.digest(Domain::Event),
        }
    }
}

/// The place and predecessor of the event after `tip`.
fn after(tip: Option<Tip>) -> (u32, Digest) {
    match tip {
        None => (0, Digest::from_bytes([0; 32])),
        Some(tip) => (tip.sequence.saturating_add(1), tip.digest),
    }
}

/// What the home puts into an event beside what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entering<'a> {
    /// Which docket.
    pub docket: DocketId,
    /// The home's place.
    pub home: &'a Path,
    /// The home's clock.
    pub at: Moment,
    /// Size and root of the home's newest signed checkpoint.
    pub checkpoint: (u64, Digest),
}

/// The next event of a docket, signed by its home.
///
/// # Errors
/// [`DocketError::TooMany`] when the docket is full.
pub fn append(
    tip: Option<Tip>,
    entering: Entering<'_>,
    body: DocketBody,
    key: &SigningKey,
) -> Result<Signed<DocketEvent>, DocketError> {
    let (sequence, previous) = after(tip);
    if sequence as usize >= MAX_DOCKET_EVENTS {
        return Err(DocketError::TooMany(sequence as usize));
    }
    let Entering {
        docket,
        home,
        at,
        checkpoint,
    } = entering;
    let event = DocketEvent {
        docket,
        home: home.clone(),
        sequence,
        previous,
        at,
        checkpoint,
        body,
    };
    Ok(Signed::sign(&event, Domain::Event, key))
}

/// Checks that an event is the home's and follows on `tip`.
///
/// # Errors
/// [`DocketError::Signature`], [`DocketError::WrongHome`], [`DocketError::TooMany`], [`DocketError::Gap`], [`DocketError::Known`] for the
/// tip itself, [`DocketError::Fork`] when it contradicts the tip. An event before the tip is [`DocketError::Known`]: whether it is the
/// same as was known is for [`DocketCopy::take`], which has them all.
pub fn verify_event(
    tip: Option<Tip>,
    event: &Signed<DocketEvent>,
    home: &Path,
    home_key: &VerifyKey,
) -> Result<DocketEvent, DocketError> {
    let (expected, previous) = after(tip);
    let opened = event
        .verify(Domain::Event, home_key, MAX_EVENT_BYTES)
        .map_err(|error| DocketError::Signature {
            sequence: expected,
            error,
        })?;
    if opened.home != *home {
        return Err(DocketError::WrongHome {
            expected: home.clone(),
            found: opened.home,
        });
    }
    let sequence = opened.sequence;
    if sequence as usize >= MAX_DOCKET_EVENTS {
        return Err(DocketError::TooMany(sequence as usize));
    }
    let found = event.digest(Domain::Event);
    match tip {
        Some(tip) if sequence == tip.sequence && found != tip.digest => Err(DocketError::Fork {
            sequence,
            known: tip.digest,
            found,
        }),
        _ if sequence < expected => Err(DocketError::Known(sequence)),
        _ if sequence > expected => Err(DocketError::Gap {
            expected,
            found: sequence,
        }),
        _ if opened.previous != previous => Err(DocketError::Fork {
            sequence,
            known: previous,
            found,
        }),
        _ => Ok(opened),
    }
}

impl DocketState {
    /// The state after an event whose signature and order were checked.
    ///
    /// # Errors
    /// [`DocketError::WrongDocket`], [`DocketError::AnotherWorkflow`], [`DocketError::Misstep`].
    pub fn evolve(state: Option<Self>, event: &DocketEvent) -> Result<Self, DocketError> {
        let sequence = event.sequence;
        let misstep = |error| DocketError::Misstep { sequence, error };
        let next = match (state, &event.body) {
            (None, DocketBody::Application(body)) => Self::Application(Box::new(
                application::evolve(None, body, event.at).map_err(misstep)?,
            )),
            (Some(Self::Application(state)), DocketBody::Application(body)) => Self::Application(
                Box::new(application::evolve(Some(*state), body, event.at).map_err(misstep)?),
            ),
            (None, DocketBody::Dispute(body)) => Self::Dispute(Box::new(
                dispute::evolve(None, event.docket, body).map_err(misstep)?,
            )),
            (Some(Self::Dispute(state)), DocketBody::Dispute(body)) => Self::Dispute(Box::new(
                dispute::evolve(Some(*state), event.docket, body).map_err(misstep)?,
            )),
            (None, DocketBody::ReturnFlow(body)) => {
                Self::ReturnFlow(Box::new(return_flow::evolve(None, body).map_err(misstep)?))
            }
            (Some(Self::ReturnFlow(state)), DocketBody::ReturnFlow(body)) => Self::ReturnFlow(
                Box::new(return_flow::evolve(Some(*state), body).map_err(misstep)?),
            ),
            (Some(Self::Application(_)), DocketBody::Dispute(_) | DocketBody::ReturnFlow(_))
            | (Some(Self::Dispute(_)), DocketBody::Application(_) | DocketBody::ReturnFlow(_))
            | (Some(Self::ReturnFlow(_)), DocketBody::Application(_) | DocketBody::Dispute(_)) => {
                return Err(DocketError::AnotherWorkflow(sequence));
            }
        };
        match &next {
            Self::Application(state) if state.docket != event.docket => {
                Err(DocketError::WrongDocket {
                    expected: state.docket,
                    found: event.docket,
                })
            }
            Self::Application(_) | Self::Dispute(_) | Self::ReturnFlow(_) => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests;
