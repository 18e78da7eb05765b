//! An update of the catalogue (目录更新) that is due, and its review: R17.
//!
//! ```text
//! Due ──the department submits a new version──► Submitted ──the authority publishes──► Published
//!  ▲                                                │
//!  └────────returned with reasons: the first term ──┘   (returned without a reported change: nothing runs any more)
//!           runs on
//! ```
//!
//! A reported change gives the department ten working days from the day of the change, however late it is reported. A version submitted gives
//! the authority two from receipt. An ordinary new version of a published entry has a docket of the second kind alone: no change was reported,
//! so the department is under no time limit. The steps of the catalogue itself are acts on the catalogue; the home, which is the node of the
//! catalogue, orders here what follows from them, and names the act: it stands in the same ledger.

mod decide;

use identity::{CreditCode, Digest, Domain, Moment, Path, codec};
use serde::{Deserialize, Serialize};
use statute::{ActKind, ChangeCause, Duty, Refusal};

use crate::act::{ActBody, ActId, Deed, Opens, SignedAct, VerifiedAct};
use crate::catalogue::{EntryId, EntryVersion};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};

pub use decide::{new_version, report, returned_or_published, submitted, withdrawn};

/// Most dockets of one entry that wait for an update at once: as many changes of law as could be reported before one update meets them all.
pub const MAX_OPEN_UPDATES: usize = 32;

/// What people do about an update outside the catalogue's own steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateAct {
    /// The department, or the authority of its level, reports a change that makes an update due (R17).
    Report {
        /// Which published entry.
        entry: EntryId,
        /// Whose.
        provider: CreditCode,
        /// When the change happened.
        changed_on: Moment,
        /// What changed.
        cause: ChangeCause,
        /// Which provision or decision, and what is to be updated.
        text: String,
    },
}

impl Deed for UpdateAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Report { .. } => ActKind::ReportChange,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Report { .. } => None,
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Report { .. } => Some(Opens::Here),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Report { text, .. } => vec![text],
        }
    }
}

/// A change that was reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedChange {
    /// When it happened.
    pub changed_on: Moment,
    /// What changed.
    pub cause: ChangeCause,
    /// Which provision or decision, and what is to be updated.
    pub text: String,
    /// By when the department updates.
    pub term: Term,
}

/// Facts of one update's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdateEvent {
    /// A change was reported: the department is to update.
    Reported {
        /// The signed act.
        act: SignedAct,
        /// Which entry.
        entry: EntryId,
        /// The department that provides it.
        provider: Party,
        /// The change.
        change: ReportedChange,
    },
    /// The department submitted a newer version: the authority is to review it.
    Submitted {
        /// The act by which it did.
        act: ActId,
        /// The department that provides it.
        provider: Party,
        /// What it submitted.
        version: EntryVersion,
        /// By when the authority reviews and publishes.
        term: Term,
    },
    /// The authority returned it with reasons.
    Returned {
        /// The act by which it did.
        act: ActId,
        /// What it returned.
        version: EntryVersion,
        /// Why.
        reason: String,
    },
    /// The authority published it.
    Published {
        /// The act by which it did.
        act: ActId,
        /// What is published.
        version: EntryVersion,
    },
    /// The entry was withdrawn: there is nothing left to update.
    Withdrawn {
        /// The act by which it was.
        act: ActId,
        /// Why.
        reason: String,
    },
}

/// Where an update stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum UpdatePhase {
    /// The department is to update.
    Due,
    /// The authority is to review.
    Submitted {
        /// What was submitted.
        version: EntryVersion,
        /// By when.
        term: Term,
    },
    /// Returned; with a reported change, the department is to update.
    Returned {
        /// What was returned.
        version: EntryVersion,
        /// Why.
        reason: String,
    },
    /// Published.
    Published {
        /// What is published.
        version: EntryVersion,
    },
    /// The entry was withdrawn.
    Withdrawn {
        /// Why.
        reason: String,
    },
}

/// An update as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateState {
    /// Which entry.
    pub entry: EntryId,
    /// The department that provides it; its node is the home, and its authority reviews.
    pub provider: Party,
    /// The change that makes it due; none for an ordinary new version.
    pub change: Option<ReportedChange>,
    /// Where it stands.
    pub phase: UpdatePhase,
}

/// The docket of an ordinary new version: one act may submit many.
pub fn docket_of(submission: ActId, entry: &EntryId) -> DocketId {
    DocketId(Digest::of(
        Domain::Docket,
        &codec::encode(&(submission, entry)),
    ))
}

impl UpdatePhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Published { .. } => "published",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }
}

impl UpdateState {
    /// Whether the department is to submit a version.
    pub fn awaits_a_version(&self) -> bool {
        match self.phase {
            UpdatePhase::Due => true,
            UpdatePhase::Returned { .. } => self.change.is_some(),
            UpdatePhase::Submitted { .. }
            | UpdatePhase::Published { .. }
            | UpdatePhase::Withdrawn { .. } => false,
        }
    }

    fn after(&self, event: &UpdateEvent) -> Option<UpdatePhase> {
        match event {
            UpdateEvent::Submitted {
                provider,
                version,
                term,
                ..
            } => {
                let next = UpdatePhase::Submitted {
                    version: version.clone(),
                    term: *term,
                };
                let own = *provider == self.provider && version.id == self.entry;
                (own && self.awaits_a_version()).then_some(next)
            }
            UpdateEvent::Returned {
                version, reason, ..
            } => self.reviews(version).then(|| UpdatePhase::Returned {
                version: version.clone(),
                reason: reason.clone(),
            }),
            UpdateEvent::Published { version, .. } => {
                self.reviews(version).then(|| UpdatePhase::Published {
                    version: version.clone(),
                })
            }
            UpdateEvent::Withdrawn { reason, .. } => {
                let reason = reason.clone();
                self.is_open().then_some(UpdatePhase::Withdrawn { reason })
            }
            UpdateEvent::Reported { .. } => None,
        }
    }

    /// Whether exactly this version is with the authority.
    fn reviews(&self, named: &EntryVersion) -> bool {
        matches!(&self.phase, UpdatePhase::Submitted { version, .. } if version == named)
    }
}

impl Fact<UpdateState> for UpdateEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Submitted { .. } => "submitted",
            Self::Returned { .. } => "returned",
            Self::Published { .. } => "published",
            Self::Withdrawn { .. } => "withdrawn",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Reported { act, .. } => vec![act],
            Self::Submitted { .. }
            | Self::Returned { .. }
            | Self::Published { .. }
            | Self::Withdrawn { .. } => Vec::new(),
        }
    }

    fn rests_on_its_act(&self, _before: Option<&UpdateState>) -> bool {
        match self {
            Self::Reported {
                act,
                entry,
                provider,
                change,
            } => {
                let said = (
                    entry,
                    provider.department,
                    change.changed_on,
                    change.cause,
                    &change.text,
                );
                matches!(
                    act.body(),
                    Some(ActBody::Update(UpdateAct::Report { entry, provider, changed_on, cause, text }))
                        if said == (&entry, provider, changed_on, cause, &text)
                )
            }
            Self::Submitted { .. }
            | Self::Returned { .. }
            | Self::Published { .. }
            | Self::Withdrawn { .. } => true,
        }
    }
}

impl Workflow for UpdateState {
    type Event = UpdateEvent;

    fn evolve(
        state: Option<Self>,
        _docket: DocketId,
        _at: Moment,
        event: &UpdateEvent,
    ) -> Result<Self, Misstep> {
        let Some(state) = state else {
            return opened(event);
        };
        let phase = state.after(event).ok_or_else(|| Misstep::OutOfOrder {
            event: event.name(),
            phase: state.phase.name(),
        })?;
        Ok(Self { phase, ..state })
    }

    fn decide(&self, act: &VerifiedAct, _step: &Step<'_>) -> Result<Vec<UpdateEvent>, Refusal> {
        Err(decide::no_step(act, &self.phase))
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match &self.phase {
            UpdatePhase::Due | UpdatePhase::Returned { .. } => self
                .change
                .iter()
                .map(|change| OpenDuty {
                    duty: Duty::UpdateEntry,
                    term: change.term,
                    who: Debtor::Department(self.provider.clone()),
                })
                .collect(),
            UpdatePhase::Submitted { term, .. } => vec![OpenDuty {
                duty: Duty::ReviewUpdate,
                term: *term,
                who: Debtor::Authority(self.provider.node.clone()),
            }],
            UpdatePhase::Published { .. } | UpdatePhase::Withdrawn { .. } => Vec::new(),
        }
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.provider.node.clone()]
    }

    fn is_open(&self) -> bool {
        self.awaits_a_version() || matches!(self.phase, UpdatePhase::Submitted { .. })
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

/// The state after the first event.
fn opened(event: &UpdateEvent) -> Result<UpdateState, Misstep> {
    match event {
        UpdateEvent::Reported {
            entry,
            provider,
            change,
            ..
        } => Ok(UpdateState {
            entry: entry.clone(),
            provider: provider.clone(),
            change: Some(change.clone()),
            phase: UpdatePhase::Due,
        }),
        UpdateEvent::Submitted {
            provider,
            version,
            term,
            ..
        } => Ok(UpdateState {
            entry: version.id.clone(),
            provider: provider.clone(),
            change: None,
            phase: UpdatePhase::Submitted {
                version: version.clone(),
                term: *term,
            },
        }),
        UpdateEvent::Returned { .. }
        | UpdateEvent::Published { .. }
        | UpdateEvent::Withdrawn { .. } => Err(Misstep::NotAnOpening {
            event: event.name(),
        }),
    }
}

#[cfg(test)]
mod tests;
