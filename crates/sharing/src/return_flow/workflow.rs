//! The life of a subscription to return flow; its home is the source's node. R24.
//!
//! ```text
//! Subscribed ──commit──► Delivering ──verified──► Delivered
//!                          ▲  │ ▲                     │
//!                          │  └─┼──found wanting──► Disputed ──verified after all──► Delivered
//!                          └────┴──── the next delivery, from any state ────┘
//! ```
//!
//! No command, event or state has a place for a condition: who subscribes to its own rows receives them.
//!
//! Whoever returns owes a delivery by each due time of the schedule. One that is found wanting was none: the duty before it runs again.

use std::collections::BTreeMap;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{Article, Duty, Refusal, RefusalReason};

use super::{PartNotice, ReturnFlowEvent, Subscription};
use crate::act::{ActBody, MAX_ACT_BYTES, SignedAct, VerifiedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};

/// Most deliveries that may be open at once; with one more the oldest is superseded by the newer snapshots.
pub const MAX_OPEN_DELIVERIES: usize = 16;
/// Most bytes of a manifest.
pub const MAX_MANIFEST_BYTES: usize = 256 << 10;
/// Most characters in a recipient's finding.
pub const MAX_FINDING_CHARS: usize = 2_000;

/// A subscription as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionState {
    /// Who receives its own rows.
    pub recipient: Path,
    /// Who returns them.
    pub source: Path,
    /// What was subscribed to.
    pub subscription: Subscription,
    /// The delivery that is owed now, and by when.
    pub owed: Term,
    /// What was owed before the newest delivery met it; it runs again when that is found wanting.
    pub met: Option<Term>,
    /// Number of the newest delivery; 0 before the first.
    pub newest: u64,
    /// Deliveries committed to and not yet verified, by number.
    pub open: BTreeMap<u64, OpenDelivery>,
    /// The newest delivery the recipient verified.
    pub delivered: Option<DeliveredPart>,
    /// What the recipient was told of that one: what it can pass on, and on what the next difference builds.
    pub held: Option<Box<PartNotice>>,
}

/// A delivery that is not verified yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenDelivery {
    /// The recipient has been told.
    Delivering(Box<PartNotice>),
    /// The recipient found its part wanting.
    Disputed(Box<PartNotice>, String),
}

/// A delivery that the recipient verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredPart {
    /// Number of the delivery.
    pub delivery: u64,
    /// Rows received.
    pub rows: u64,
    /// When the recipient verified them.
    pub verified_at: Moment,
}

/// Where the newest delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionPhase<'a> {
    /// No delivery yet.
    Subscribed,
    /// Committed to, and the recipient told.
    Delivering {
        /// Number of the delivery.
        delivery: u64,
    },
    /// Received and verified.
    Delivered(DeliveredPart),
    /// Found wanting.
    Disputed {
        /// Number of the delivery.
        delivery: u64,
        /// What the recipient found.
        finding: &'a str,
    },
}

/// What happens to a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A level asks for the return of its own rows; `recipient` is the place of the node the act came from.
    Subscribe {
        /// The signed act.
        act: Box<VerifiedAct>,
        /// Who receives.
        recipient: Path,
        /// Who returns: the home.
        source: Path,
    },
    /// The source committed to a delivery and tells the recipient.
    Deliver {
        /// Number of the delivery, from 1, rising.
        delivery: u64,
        /// What the recipient is told.
        notice: Box<PartNotice>,
    },
    /// The recipient verified its part.
    Verified {
        /// Number of the delivery.
        delivery: u64,
        /// Rows received.
        rows: u64,
        /// When, by the recipient's clock.
        at: Moment,
    },
    /// The recipient found its part wanting.
    FoundWanting {
        /// Number of the delivery.
        delivery: u64,
        /// What is wrong with it.
        finding: String,
    },
}

impl SubscriptionState {
    /// Where the newest delivery stands.
    pub fn phase(&self) -> SubscriptionPhase<'_> {
        match (self.open.get(&self.newest), self.delivered) {
            (Some(OpenDelivery::Delivering(_)), _) => SubscriptionPhase::Delivering {
                delivery: self.newest,
            },
            (Some(OpenDelivery::Disputed(_, finding)), _) => SubscriptionPhase::Disputed {
                delivery: self.newest,
                finding,
            },
            (None, Some(part)) => SubscriptionPhase::Delivered(part),
            (None, None) => SubscriptionPhase::Subscribed,
        }
    }
}

impl SubscriptionPhase<'_> {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Subscribed => "subscribed",
            Self::Delivering { .. } => "delivering",
            Self::Delivered(_) => "delivered",
            Self::Disputed { .. } => "disputed",
        }
    }
}

impl Fact<SubscriptionState> for ReturnFlowEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Subscribed { .. } => "subscribed",
            Self::Delivering { .. } => "delivering",
            Self::Delivered { .. } => "delivered",
            Self::Disputed { .. } => "disputed",
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Subscribed { act, .. } => vec![act],
            Self::Delivering { .. } | Self::Delivered { .. } | Self::Disputed { .. } => Vec::new(),
        }
    }

    fn rests_on_its_act(&self, _before: Option<&SubscriptionState>) -> bool {
        match self {
            Self::Subscribed {
                act, subscription, ..
            } => {
                let said = act.act.claimed(MAX_ACT_BYTES).map(|act| act.body);
                matches!(said, Ok(ActBody::Subscribe(said)) if said == *subscription)
            }
            Self::Delivering { .. } | Self::Delivered { .. } | Self::Disputed { .. } => true,
        }
    }
}

impl Workflow for SubscriptionState {
    type Event = ReturnFlowEvent;

    fn evolve(
        state: Option<Self>,
        _docket: DocketId,
        at: Moment,
        event: &ReturnFlowEvent,
    ) -> Result<Self, Misstep> {
        evolve(state, at, event)
    }

    fn decide(
        &self,
        _act: &VerifiedAct,
        _step: &Step<'_>,
    ) -> Result<Vec<ReturnFlowEvent>, Refusal> {
        // People subscribe; what follows follows by itself.
        Err(wrong_state("an application or a dispute", "return flow"))
    }

    fn duties(&self) -> Vec<OpenDuty> {
        vec![OpenDuty {
            duty: Duty::ReturnRows,
            term: self.owed,
            who: Debtor::Authority(self.source.clone()),
        }]
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.recipient.clone()]
    }

    fn is_open(&self) -> bool {
        match self.phase() {
            SubscriptionPhase::Delivering { .. } | SubscriptionPhase::Disputed { .. } => true,
            SubscriptionPhase::Delivered(_) | SubscriptionPhase::Subscribed => false,
        }
    }

    fn phase(&self) -> &'static str {
        self.phase().name()
    }
}

/// The events that a command brings about at `now`. No event means that the command changes nothing (it was carried out before).
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn decide(
    state: Option<&SubscriptionState>,
    command: &Command,
    now: Moment,
) -> Result<Vec<ReturnFlowEvent>, Refusal> {
    match (state, command) {
        (
            None,
            Command::Subscribe {
                act,
                recipient,
                source,
            },
        ) => subscribe(act, recipient, source),
        (Some(state), Command::Subscribe { .. }) => Err(RefusalReason::Duplicate {
            what: state.subscription.dataset.to_string(),
        }
        .under(Article::R24)),
        (
            None,
            Command::Deliver { .. } | Command::Verified { .. } | Command::FoundWanting { .. },
        ) => Err(wrong_state("subscribed", "none")),
        (Some(state), Command::Deliver { delivery, notice }) => deliver(state, *delivery, notice),
        (Some(state), Command::Verified { delivery, rows, at }) => {
            verified(state, *delivery, *rows, (*at).min(now))
        }
        (Some(state), Command::FoundWanting { delivery, finding }) => {
            found_wanting(state, *delivery, finding)
        }
    }
}

fn wrong_state(expected: &str, found: &str) -> Refusal {
    RefusalReason::WrongState {
        expected: expected.into(),
        found: found.into(),
    }
    .under(Article::R24)
}

/// R24: a level subscribes for itself and for no one else.
fn subscribe(
    act: &VerifiedAct,
    recipient: &Path,
    source: &Path,
) -> Result<Vec<ReturnFlowEvent>, Refusal> {
    let ActBody::Subscribe(subscription) = &act.act().body else {
        return Err(wrong_state("subscribe", "another act"));
    };
    if act.doer().node != recipient.code() {
        return Err(RefusalReason::NotYourDepartment.under(Article::R24));
    }
    statute::check_own_rows(recipient.code().as_str(), subscription.area.as_str())?;
    let event = ReturnFlowEvent::Subscribed {
        act: act.signed().clone(),
        recipient: recipient.clone(),
        source: source.clone(),
        subscription: subscription.clone(),
    };
    Ok(vec![event])
}

/// Whether a notice is of this delivery of the dataset subscribed to, and of the rows of the subscriber.
fn is_of(state: &SubscriptionState, delivery: u64, notice: &PartNotice) -> bool {
    let subscription = &state.subscription;
    notice
        .manifest
        .claimed(MAX_MANIFEST_BYTES)
        .is_ok_and(|said| {
            notice.area == subscription.area
                && said.dataset == subscription.dataset
                && said.source.code() == subscription.origin
                && said.delivery == delivery
        })
}

/// R24: the recipient's own rows, to the recipient. A delivery is committed to once; the next has a higher number.
fn deliver(
    state: &SubscriptionState,
    delivery: u64,
    notice: &PartNotice,
) -> Result<Vec<ReturnFlowEvent>, Refusal> {
    if !is_of(state, delivery, notice) {
        return Err(RefusalReason::NotYourDepartment.under(Article::R24));
    }
    if delivery <= state.newest {
        let what = format!("{}/{delivery}", state.subscription.dataset);
        return Err(RefusalReason::Duplicate { what }.under(Article::R24));
    }
    Ok(vec![ReturnFlowEvent::Delivering {
        delivery,
        notice: notice.clone(),
    }])
}

fn verified(
    state: &SubscriptionState,
    delivery: u64,
    rows: u64,
    verified_at: Moment,
) -> Result<Vec<ReturnFlowEvent>, Refusal> {
    match state.open.get(&delivery) {
        Some(OpenDelivery::Delivering(_) | OpenDelivery::Disputed(..)) => {
            Ok(vec![ReturnFlowEvent::Delivered {
                delivery,
                rows,
                verified_at,
            }])
        }
        // Closed or superseded: told before, or no longer of interest.
        None if (1..=state.newest).contains(&delivery) => Ok(Vec::new()),
        None => Err(wrong_state("delivering", state.phase().name())),
    }
}

fn found_wanting(
    state: &SubscriptionState,
    delivery: u64,
    finding: &str,
) -> Result<Vec<ReturnFlowEvent>, Refusal> {
    let found = finding.chars().count();
    if found > MAX_FINDING_CHARS {
        return Err(RefusalReason::TooLong {
            found,
            limit: MAX_FINDING_CHARS,
        }
        .under(Article::R24));
    }
    match state.open.get(&delivery) {
        Some(OpenDelivery::Disputed(_, earlier)) if earlier == finding => Ok(Vec::new()),
        Some(OpenDelivery::Delivering(_) | OpenDelivery::Disputed(..)) => {
            Ok(vec![ReturnFlowEvent::Disputed {
                delivery,
                finding: finding.to_owned(),
            }])
        }
        None => Err(wrong_state("delivering", state.phase().name())),
    }
}

impl SubscriptionState {
    /// The delivery that was owed is made: the next is owed by the next due time. One made in advance of its due time meets it.
    fn meet(&mut self, at: Moment) {
        let due = self
            .subscription
            .schedule
            .due_after(at.max(self.owed.due).as_millis());
        self.met = Some(self.owed);
        self.owed = Term::fixed(at, Moment::from_millis(due));
    }
}

/// The state after `event`, which the home ordered at `at`.
///
/// # Errors
/// [`Misstep`] when the event cannot follow; a home that keeps to [`decide`] never signs such an event, so a copy that holds one is proof.
pub fn evolve(
    state: Option<SubscriptionState>,
    at: Moment,
    event: &ReturnFlowEvent,
) -> Result<SubscriptionState, Misstep> {
    let Some(mut state) = state else {
        return match event {
            ReturnFlowEvent::Subscribed {
                act: _,
                recipient,
                source,
                subscription,
            } => {
                let due = subscription.schedule.due_after(at.as_millis());
                Ok(SubscriptionState {
                    recipient: recipient.clone(),
                    source: source.clone(),
                    subscription: subscription.clone(),
                    owed: Term::fixed(at, Moment::from_millis(due)),
                    met: None,
                    newest: 0,
                    open: BTreeMap::new(),
                    delivered: None,
                    held: None,
                })
            }
            ReturnFlowEvent::Delivering { .. }
            | ReturnFlowEvent::Delivered { .. }
            | ReturnFlowEvent::Disputed { .. } => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
        };
    };
    let misstep = Misstep::OutOfOrder {
        event: event.name(),
        phase: state.phase().name(),
    };
    match event {
        ReturnFlowEvent::Subscribed { .. } => return Err(Misstep::OpenedTwice),
        ReturnFlowEvent::Delivering { delivery, notice } => {
            if *delivery <= state.newest || !is_of(&state, *delivery, notice) {
                return Err(misstep);
            }
            state.newest = *delivery;
            state.meet(at);
            state.open.insert(
                *delivery,
                OpenDelivery::Delivering(Box::new(notice.clone())),
            );
            while state.open.len() > MAX_OPEN_DELIVERIES {
                state.open.pop_first();
            }
        }
        ReturnFlowEvent::Delivered {
            delivery,
            rows,
            verified_at,
        } => {
            let notice = match state.open.remove(delivery).ok_or(misstep)? {
                OpenDelivery::Delivering(notice) => notice,
                OpenDelivery::Disputed(notice, _) => {
                    // Found wanting and verified after all: it is made now.
                    if *delivery == state.newest {
                        state.meet(at);
                    }
                    notice
                }
            };
            let part = DeliveredPart {
                delivery: *delivery,
                rows: *rows,
                verified_at: *verified_at,
            };
            if state
                .delivered
                .is_none_or(|earlier| earlier.delivery < *delivery)
            {
                state.delivered = Some(part);
                state.held = Some(notice);
            }
        }
        ReturnFlowEvent::Disputed { delivery, finding } => {
            let (OpenDelivery::Delivering(notice) | OpenDelivery::Disputed(notice, _)) =
                state.open.remove(delivery).ok_or(misstep)?;
            if let Some(met) = state.met.take_if(|_| *delivery == state.newest) {
                state.owed = met;
            }
            state
                .open
                .insert(*delivery, OpenDelivery::Disputed(notice, finding.clone()));
        }
    }
    Ok(state)
}

#[cfg(test)]
mod tests;
