//! Dockets (案卷): the one mechanism for every case. An append-only, hash-linked sequence of events, ordered and signed by
//! exactly one home node; the parties hold verified copies.

mod conceal;
mod copy;
mod errors;
mod opening;

use std::fmt;
use std::str::FromStr;

use identity::planted::{self, Bug};
use identity::{Chain, Digest, DigestError, Domain, Moment, Path, Signed, SigningKey, VerifyKey};
use serde::{Deserialize, Serialize};
use statute::{Calendar, Profile, Refusal};

use crate::act::{ActBody, SignedAct, VerifiedAct};
use crate::application::ApplicationState;
use crate::clock::{self, Clock, ClockEvent, Debtor, Law, OpenDuty};
use crate::complaint::ComplaintState;
use crate::correction::CorrectionState;
use crate::dispute::{Bench, DisputeState};
use crate::erasure::{self, ErasureEvent, Personal};
use crate::evaluation::EvaluationState;
use crate::incident::IncidentState;
use crate::need::NeedState;
use crate::open_data::OpenRequestState;
use crate::private::Private;
use crate::reading::InspectionState;
use crate::return_flow::SubscriptionState;
use crate::supervision::SupervisionState;
use crate::update::UpdateState;

pub use errors::{DocketError, Fork, Misstep};
pub use opening::{Opening, may_leave, open};

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

/// How the cases of one kind run: their states, events and duties. A docket of any kind is ordered, copied, sent and watched in one way; what is
/// particular to a kind stands behind this trait.
pub trait Workflow: Sized {
    /// What can happen.
    type Event: Fact<Self>;

    /// The state after an event that the home ordered at `at`.
    ///
    /// # Errors
    /// [`Misstep`] when the event cannot follow; a home that keeps to [`Workflow::decide`] never signs such an event, so a copy that holds one is proof.
    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &Self::Event,
    ) -> Result<Self, Misstep>;

    /// What a person's act in this docket brings about.
    ///
    /// # Errors
    /// The [`Refusal`] of the rule that does not let it pass.
    fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<Self::Event>, Refusal>;

    /// The duties that run now, with the time limits they began with.
    fn duties(&self) -> Vec<OpenDuty>;

    /// The nodes that hold it, its home included where it is a party.
    fn parties(&self) -> Vec<Path>;

    /// Whether later events may name parties that are not known yet: their nodes then keep the events before, too.
    fn finds_parties(&self) -> bool {
        false
    }
    /// The departments and authorities that hold it and answer for the personal content in it.
    fn departments(&self) -> Vec<Debtor> {
        Vec::new()
    }

    /// Whether it still owes something.
    fn is_open(&self) -> bool;

    /// Where it stands, for errors and pages.
    fn phase(&self) -> &'static str;

    /// The profile of law under which it was received, where it keeps it to its end.
    fn profile(&self) -> Option<&Profile> {
        None
    }
}

/// What can be said of any event of a workflow.
pub trait Fact<State> {
    /// A short name for errors and pages.
    fn name(&self) -> &'static str;

    /// The acts of people that it rests on.
    fn acts(&self) -> Vec<&SignedAct>;

    /// Whether it says what the acts in it say: what a home may not alter. `before` is the state before it.
    fn rests_on_its_act(&self, before: Option<&State>) -> bool;

    /// The personal content that it commits to, as its act does.
    fn private(&self) -> Vec<Private> {
        Vec::new()
    }
}

/// Under what a step in a docket is decided.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// The law in force at the home.
    pub law: Law<'a>,
    /// What time has made of the docket so far.
    pub clock: &'a Clock,
    /// The home's clock.
    pub now: Moment,
    /// The authority of the home's place, once its head is known there.
    pub bench: Option<&'a Bench>,
}

/// Declares the kinds of docket: what an event of each and a state of each are, and what is asked of all in one way.
macro_rules! workflows {
    ($( $(#[$doc:meta])* $kind:ident($state:ty); )+) => {
        /// What happened, by workflow.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(clippy::large_enum_variant, reason = "nearly every docket is an application")]
        pub enum DocketBody {
            $( $(#[$doc])* $kind(<$state as Workflow>::Event), )+
            /// Time: the same in every workflow.
            Clock(ClockEvent),
            /// Personal content whose time is over: the same in every workflow.
            Erasure(ErasureEvent),
        }

        /// Where a case stands, by workflow.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Case {
            $( $(#[$doc])* $kind(Box<$state>), )+
        }

        impl DocketBody {
            /// A short name for errors and pages.
            pub fn name(&self) -> &'static str {
                match self {
                    $( Self::$kind(event) => event.name(), )+
                    Self::Clock(event) => event.name(),
                    Self::Erasure(event) => event.name(),
                }
            }

            /// The acts of people that this event rests on.
            pub fn acts(&self) -> Vec<&SignedAct> {
                match self {
                    $( Self::$kind(event) => event.acts(), )+
                    Self::Clock(event) => event.acts(),
                    Self::Erasure(event) => event.acts(),
                }
            }

            /// The personal content that it commits to.
            pub fn private(&self) -> Vec<Private> {
                match self {
                    $( Self::$kind(event) => event.private(), )+
                    Self::Clock(_) | Self::Erasure(_) => Vec::new(),
                }
            }

            /// Whether the home left what people said as they said it. `before` is the state before the event.
            pub fn rests_on_its_act(&self, before: Option<&DocketState>) -> bool {
                match self {
                    $( Self::$kind(event) => event.rests_on_its_act(match before.map(|it| &it.case) {
                        Some(Case::$kind(state)) => Some(state),
                        Some(_) | None => None,
                    }), )+
                    Self::Clock(event) => clock::rests_on_its_act(event),
                    Self::Erasure(event) => event.rests_on_its_act(before.map(|it| &it.case)),
                }
            }
        }

        impl Case {
            fn evolve(case: Option<Self>, event: &DocketEvent) -> Result<Self, DocketError> {
                let sequence = event.sequence;
                let misstep = |error| DocketError::Misstep { sequence, error };
                match (case, &event.body) {
                    $(
                        (None, DocketBody::$kind(body)) => {
                            let state = <$state>::evolve(None, event.docket, event.at, body).map_err(misstep)?;
                            Ok(Self::$kind(Box::new(state)))
                        }
                        (Some(Self::$kind(state)), DocketBody::$kind(body)) => {
                            let state = <$state>::evolve(Some(*state), event.docket, event.at, body).map_err(misstep)?;
                            Ok(Self::$kind(Box::new(state)))
                        }
                    )+
                    (None, DocketBody::Clock(body)) => {
                        Err(misstep(Misstep::NotAnOpening { event: body.name() }))
                    }
                    (None, DocketBody::Erasure(body)) => {
                        Err(misstep(Misstep::NotAnOpening { event: body.name() }))
                    }
                    (Some(_), _) => Err(DocketError::AnotherWorkflow(sequence)),
                }
            }

            /// What a person's act in this docket brings about.
            ///
            /// # Errors
            /// The [`Refusal`] of the rule that does not let it pass.
            pub fn decide(&self, act: &VerifiedAct, step: &Step<'_>) -> Result<Vec<DocketBody>, Refusal> {
                match self {
                    $( Self::$kind(state) => {
                        let events = state.decide(act, step)?;
                        Ok(events.into_iter().map(DocketBody::$kind).collect())
                    } )+
                }
            }

            /// The duties that run now, with the time limits they began with.
            pub fn duties(&self) -> Vec<OpenDuty> {
                match self { $( Self::$kind(state) => state.duties(), )+ }
            }

            /// The nodes that hold it.
            pub fn parties(&self) -> Vec<Path> {
                match self { $( Self::$kind(state) => state.parties(), )+ }
            }

            /// Whether later events may name parties that are not known yet.
            pub fn finds_parties(&self) -> bool {
                match self { $( Self::$kind(state) => state.finds_parties(), )+ }
            }
            /// The departments and authorities that hold it and answer for the personal content in it.
            pub fn departments(&self) -> Vec<Debtor> {
                match self { $( Self::$kind(state) => state.departments(), )+ }
            }

            /// Whether it still owes something.
            pub fn is_open(&self) -> bool {
                match self { $( Self::$kind(state) => state.is_open(), )+ }
            }

            /// Where it stands, for errors and pages.
            pub fn phase(&self) -> &'static str {
                match self { $( Self::$kind(state) => Workflow::phase(&**state), )+ }
            }

            /// The profile of law under which it was received, where it keeps it to its end.
            pub fn profile(&self) -> Option<&Profile> {
                match self { $( Self::$kind(state) => state.profile(), )+ }
            }
        }
    };
}

workflows! {
    /// A sharing application.
    Application(ApplicationState);
    /// A dispute.
    Dispute(DisputeState);
    /// A return-flow subscription.
    ReturnFlow(SubscriptionState);
    /// An update of the catalogue.
    Update(UpdateState);
    /// A request for correction.
    Correction(CorrectionState);
    /// An order to correct a breach.
    Supervision(SupervisionState);
    /// A need to be matched.
    Need(NeedState);
    /// A security incident.
    Incident(IncidentState);
    /// A reading of records of use on a superior's order.
    Inspection(InspectionState);
    /// An application of the public for opening.
    OpenData(OpenRequestState);
    /// A complaint of the public.
    Complaint(ComplaintState);
    /// A report on how the departments shared.
    Evaluation(EvaluationState);
}

impl Case {
    /// Whether its personal content is what records of use say: given to whoever reads it on record (R29), and in no view.
    pub fn is_read_on_record(&self) -> bool {
        match self {
            Self::Application(_) | Self::Inspection(_) => true,
            Self::Dispute(_)
            | Self::ReturnFlow(_)
            | Self::Update(_)
            | Self::Correction(_)
            | Self::Supervision(_)
            | Self::Need(_)
            | Self::Incident(_)
            | Self::OpenData(_)
            | Self::Complaint(_)
            | Self::Evaluation(_) => false,
        }
    }

    /// Whether its evidence may tell of records of use (R29): that of an application in which uses were recorded, an order's reading of them, and the
    /// copy that a dispute came with.
    pub fn may_tell_uses(&self) -> bool {
        match self {
            Self::Application(state) => state.uses > 0,
            Self::Inspection(_) | Self::Dispute(_) => true,
            _ => false,
        }
    }

    /// Whether it is a security incident that is not closed (R35).
    pub fn is_open_incident(&self) -> bool {
        matches!(self, Self::Incident(_)) && self.is_open()
    }
}

/// The state of a docket: the case, what time has made of its duties, and its personal content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketState {
    /// Where the case stands.
    pub case: Case,
    /// What time has made of it.
    pub clock: Clock,
    /// The personal content in it and what became of it.
    pub personal: Personal,
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
        .verify_unless(
            Bug::EventSignatureSkipped,
            Domain::Event,
            home_key,
            MAX_EVENT_BYTES,
        )
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
        _ if planted::is(Bug::EventOrderUnchecked) => Ok(opened),
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
        let (case, clock, personal) = match state {
            Some(state) => (Some(state.case), state.clock, state.personal),
            None => (None, Clock::default(), Personal::default()),
        };
        let misstep = |case: &Case| DocketError::Misstep {
            sequence: event.sequence,
            error: Misstep::OutOfOrder {
                event: event.body.name(),
                phase: case.phase(),
            },
        };
        let mut next = match (case, &event.body) {
            (Some(case), DocketBody::Clock(body)) => {
                let clock = clock.evolve(body).ok_or_else(|| misstep(&case))?;
                Self {
                    case,
                    clock,
                    personal,
                }
            }
            (Some(case), DocketBody::Erasure(body)) => {
                let personal = personal.evolve(event.at, body);
                let personal = personal.ok_or_else(|| misstep(&case))?;
                Self {
                    case,
                    clock,
                    personal,
                }
            }
            (case, _) => Self {
                case: Case::evolve(case, event)?,
                clock,
                personal,
            },
        };
        next.keep_personal(event);
        match &next.case {
            Case::Application(state) if state.docket != event.docket => {
                Err(DocketError::WrongDocket {
                    expected: state.docket,
                    found: event.docket,
                })
            }
            _ => Ok(next),
        }
    }

    /// The law that this docket goes by: an application keeps the profile under which it was received.
    fn law<'a>(&'a self, now: Law<'a>) -> Law<'a> {
        Law {
            profile: self.case.profile().unwrap_or(now.profile),
            ..now
        }
    }
    /// The personal content of an event, and whether the case is settled after it.
    fn keep_personal(&mut self, event: &DocketEvent) {
        let acts = event.body.acts();
        let holder = acts.first().and_then(|act| act.signer.holder());
        let from = holder.map_or(event.home.code(), |holder| holder.node);
        for private in event.body.private() {
            self.personal.say(private, from, event.at);
        }
        self.personal.settle(self.case.is_open(), event.at);
    }

    /// The duties that run now, with their time limits as they stand now.
    pub fn duties(&self) -> Vec<OpenDuty> {
        self.case
            .duties()
            .into_iter()
            .map(|duty| self.clock.on(duty))
            .collect()
    }

    /// What a person's act in this docket brings about, `bench` being the authority of the home's place.
    ///
    /// # Errors
    /// The [`Refusal`] of the rule that does not let it pass.
    pub fn decide(
        &self,
        act: &VerifiedAct,
        law: Law<'_>,
        bench: Option<&Bench>,
        now: Moment,
    ) -> Result<Vec<DocketBody>, Refusal> {
        let law = self.law(law);
        if let ActBody::Clock(done) = &act.act().body {
            let events = clock::act(&self.clock, &self.duties(), done, act, &law, now)?;
            return Ok(events.into_iter().map(DocketBody::Clock).collect());
        }
        if let ActBody::Erasure(said) = &act.act().body {
            let departments = self.case.departments();
            let event = erasure::act(&self.personal, &departments, said, act, &law, now)?;
            return Ok(vec![DocketBody::Erasure(event)]);
        }
        let step = Step {
            law,
            clock: &self.clock,
            now,
            bench,
        };
        self.case.decide(act, &step)
    }

    /// What time alone brings about: warnings and defaults, each once.
    pub fn tick(&self, calendar: &Calendar, now: Moment) -> Vec<DocketBody> {
        let events = clock::tick(&self.clock, &self.duties(), calendar, now);
        events.into_iter().map(DocketBody::Clock).collect()
    }

    /// What is overdue by the clock and the calendar of a node that holds a copy, once the home has had time to say so itself.
    pub fn overdue_here(&self, law: &Law<'_>, now: Moment) -> Vec<OpenDuty> {
        clock::bounds::overdue_here(&self.clock, &self.duties(), &self.law(*law), now)
    }

    /// What a new holiday notice changes.
    pub fn recompute(&self, law: &Law<'_>) -> Vec<DocketBody> {
        let events = clock::recompute(&self.clock, &self.duties(), &self.law(*law));
        events.into_iter().map(DocketBody::Clock).collect()
    }
}

#[cfg(test)]
mod tests;
