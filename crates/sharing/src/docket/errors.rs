//! Why an event or a copy of a docket is not taken, and what proves that its home forked it.

use identity::{Digest, MembershipError, Path, Signed, VerifyError};
use serde::{Deserialize, Serialize};

use super::{DocketEvent, DocketId};
use crate::act::ActError;

/// Two events that one home signed for one place in the order: proof that it forked the docket, to whoever knows its certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The event known first.
    pub known: Signed<DocketEvent>,
    /// The one that contradicts it.
    pub other: Signed<DocketEvent>,
}

/// An event that does not follow from the state it is applied to: its home broke the workflow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misstep {
    /// The first event must be the one that opens the docket.
    #[error("a docket does not begin with {event}")]
    NotAnOpening {
        /// The event's name.
        event: &'static str,
    },
    /// The docket is open already.
    #[error("the docket is opened twice")]
    OpenedTwice,
    /// The opening event holds an act that is not an application.
    #[error("the opening act is no {expected}")]
    WrongOpeningAct {
        /// What it should be.
        expected: &'static str,
    },
    /// The event cannot follow in this phase.
    #[error("{event} cannot follow in phase {phase}")]
    OutOfOrder {
        /// The event's name.
        event: &'static str,
        /// The phase's name.
        phase: &'static str,
    },
}

/// Why an event or a copy is not taken. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocketError {
    /// No event at all.
    #[error("案卷为空 (empty docket)")]
    Empty,
    /// More than [`super::MAX_DOCKET_EVENTS`].
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
    /// The home signed two histories; the digests of what was known and of what contradicts it. [`super::DocketCopy::take`] yields both as proof.
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
