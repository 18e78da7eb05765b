//! Reading records of use (查阅使用记录): an act of a person whom the law entitles, itself recorded, and answered only when it is. R29.
//!
//! The provider's department, the requester's own and the authority of the requester's level read in the application's docket. A superior
//! authority reads on a recorded order, in the docket of an inspection (查阅案卷) that its head opens:
//!
//! ```text
//! Ordered ──by itself──► Attached, one event a record ──the reader named──► Read, as often as it is needed
//! ```
//!
//! The home of an inspection is the node of whoever keeps the records, the requester's, which sees so who asked, why, and who read; the superior's
//! node holds a copy. No view shows what a record says: an event says that a use was recorded, when, and by whom. What it says lies in the vaults of
//! those who hold the docket; in an inspection it is not erased by itself, but with the docket of the application ([`crate::erasure`]).

mod decide;

use identity::{Digest, Domain, Moment, Path, VerifyKey};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Reader, Refusal};

use crate::act::{ActBody, Deed, Opens, SignedAct, VerifiedAct};
use crate::application::{ApplicationEvent, UseRecord};
use crate::clock::OpenDuty;
use crate::dispute::Party;
use crate::docket::{DocketBody, DocketEvent, DocketId, Fact, Misstep, Step, Workflow};
use crate::private::Private;

pub use decide::{check_ordered_from_above, open, reader_of, reads};

/// Most readings of one application's docket by readers of one kind, so that nobody's readings keep another from reading: enough to read every
/// record of the largest docket three times, [`MAX_USES_GIVEN`] at once.
pub const MAX_READINGS_BY_ONE: u32 = 160;
/// Most readings of one inspection.
pub const MAX_INSPECTION_READINGS: u32 = 256;
/// Most records of use that one reading gives; the next are read with another.
pub const MAX_USES_GIVEN: usize = 64;
/// Most records of use attached to one inspection, the newest; earlier ones are ordered by another.
pub const MAX_ATTACHED: usize = 256;

/// An order to read records of use (责成查阅).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingOrder {
    /// The application whose records they are.
    pub about: DocketId,
    /// The place of the department that keeps them: the requester's.
    pub keeper: Path,
    /// Why.
    pub reason: String,
    /// Who is to read, by key: a person of the ordering authority's node.
    pub reader: VerifyKey,
}

/// What people do to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadingAct {
    /// A superior authority orders a reading.
    Order(ReadingOrder),
    /// Read the records of use in a docket.
    Read {
        /// An application's or an inspection's.
        docket: DocketId,
        /// From this event of the docket on.
        from: u32,
    },
}

impl Deed for ReadingAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Order(_) => ActKind::OrderReading,
            Self::Read { .. } => ActKind::ReadRecords,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Order(_) => None,
            Self::Read { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Order(order) => Some(Opens::At(order.keeper.code())),
            Self::Read { .. } => None,
        }
    }

    fn about(&self) -> Option<DocketId> {
        match self {
            Self::Order(order) => Some(order.about),
            Self::Read { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Order(order) => vec![&order.reason],
            Self::Read { .. } => Vec::new(),
        }
    }
}

/// A record of use as a docket holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptUse {
    /// Which event of the application's docket it is.
    pub sequence: u32,
    /// When it was recorded there.
    pub at: Moment,
    /// The signed act that recorded it.
    pub act: SignedAct,
}

impl KeptUse {
    /// The record of use that an event holds: its own, or one attached to an inspection.
    pub fn of(event: &DocketEvent) -> Option<Self> {
        match &event.body {
            DocketBody::Application(ApplicationEvent::UseRecorded { act, .. }) => Some(Self {
                sequence: event.sequence,
                at: event.at,
                act: act.clone(),
            }),
            DocketBody::Inspection(InspectionEvent::Attached(kept)) => Some(kept.clone()),
            _ => None,
        }
    }

    /// What the act says was done with the data, and in which docket.
    pub fn record(&self) -> Option<(DocketId, UseRecord)> {
        match self.act.body()? {
            ActBody::RecordUse { docket, record } => Some((docket, record)),
            _ => None,
        }
    }

    /// Digest of the signed act: names the record without telling what it says.
    pub fn digest(&self) -> Digest {
        self.act.act.digest(Domain::Act)
    }
}

/// Facts of one inspection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InspectionEvent {
    /// The keeper's node received the order.
    Ordered {
        /// The signed act.
        act: SignedAct,
        /// The place of the authority that orders.
        by: Path,
        /// The order.
        order: ReadingOrder,
        /// The department that keeps the records.
        keeper: Party,
        /// The name of the entry whose data is used.
        entry_name: String,
    },
    /// The keeper's node attached a record of use.
    Attached(KeptUse),
    /// The reader named in the order read.
    Read {
        /// The signed act.
        act: SignedAct,
        /// As whom.
        reader: Reader,
    },
}

/// An inspection as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InspectionState {
    /// Which docket: the digest of the act that orders.
    pub docket: DocketId,
    /// The place of the authority that orders.
    pub by: Path,
    /// The order.
    pub order: ReadingOrder,
    /// The department that keeps the records.
    pub keeper: Party,
    /// The name of the entry whose data is used.
    pub entry_name: String,
    /// Records attached.
    pub attached: u32,
    /// Readings so far.
    pub readings: u32,
}

impl Fact<InspectionState> for InspectionEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Ordered { .. } => "reading-ordered",
            Self::Attached(_) => "use-attached",
            Self::Read { .. } => "uses-read",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Ordered { act, .. } | Self::Read { act, .. } => vec![act],
            // It was proved when it was recorded, under the certificate of then.
            Self::Attached(_) => Vec::new(),
        }
    }

    fn rests_on_its_act(&self, before: Option<&InspectionState>) -> bool {
        match self {
            Self::Ordered { act, order, .. } => {
                matches!(act.body(), Some(ActBody::Reading(ReadingAct::Order(it))) if it == *order)
            }
            Self::Attached(kept) => before.is_some_and(|state| {
                kept.record()
                    .is_some_and(|(docket, _)| docket == state.order.about)
            }),
            Self::Read { act, reader } => before.is_some_and(|state| {
                matches!(act.body(), Some(ActBody::Reading(ReadingAct::Read { docket, .. })) if docket == state.docket)
                    && state.reader(act) == *reader
            }),
        }
    }

    /// What a record says comes with it, and goes when it is erased where it was said.
    fn private(&self) -> Vec<Private> {
        match self {
            Self::Attached(kept) => {
                let record = kept.record();
                record.into_iter().map(|(_, record)| record.said).collect()
            }
            Self::Ordered { .. } | Self::Read { .. } => Vec::new(),
        }
    }
}

impl InspectionState {
    /// As whom the signer of an act would read here.
    fn reader(&self, act: &SignedAct) -> Reader {
        match act.signer.holder() {
            Some(person) if person.node != self.by.code() => Reader::Other,
            Some(person) if person.key == self.order.reader => Reader::SuperiorOnOrder,
            Some(_) => Reader::Superior,
            None => Reader::Other,
        }
    }
}

impl Workflow for InspectionState {
    type Event = InspectionEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        _at: Moment,
        event: &InspectionEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (
                None,
                InspectionEvent::Ordered {
                    act,
                    by,
                    order,
                    keeper,
                    entry_name,
                },
            ) if docket.0 == act.id().0 => Ok(Self {
                docket,
                by: by.clone(),
                order: order.clone(),
                keeper: keeper.clone(),
                entry_name: entry_name.clone(),
                attached: 0,
                readings: 0,
            }),
            (None, InspectionEvent::Ordered { .. }) => Err(Misstep::WrongOpeningAct {
                expected: "act after which the docket is named",
            }),
            (None, InspectionEvent::Attached(_) | InspectionEvent::Read { .. }) => {
                Err(Misstep::NotAnOpening {
                    event: event.name(),
                })
            }
            (Some(_), InspectionEvent::Ordered { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), InspectionEvent::Attached(_)) => Ok(Self {
                attached: state.attached.saturating_add(1),
                ..state
            }),
            (Some(state), InspectionEvent::Read { .. }) => Ok(Self {
                readings: state.readings.saturating_add(1),
                ..state
            }),
        }
    }

    fn decide(&self, act: &VerifiedAct, _step: &Step<'_>) -> Result<Vec<InspectionEvent>, Refusal> {
        decide::inspected(self, act).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        Vec::new()
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.order.keeper.clone(), self.by.clone()]
    }

    fn is_open(&self) -> bool {
        self.readings == 0
    }

    fn phase(&self) -> &'static str {
        if self.readings == 0 {
            "reading-ordered"
        } else {
            "uses-read"
        }
    }
}

#[cfg(test)]
mod tests;
