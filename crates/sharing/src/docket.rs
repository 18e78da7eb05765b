//! Dockets (案卷): the one mechanism for every case. An append-only, hash-linked sequence of events, ordered and signed by
//! exactly one home node; the parties hold verified copies.

mod conceal;
mod copy;

use std::fmt;
use std::str::FromStr;

use identity::{
    Chain, Digest, DigestError, Domain, MembershipError, Moment, Path, Signed, SigningKey,
    VerifyError, VerifyKey,
};
use serde::{Deserialize, Serialize};

use statute::{Calendar, Profile, Refusal, RefusalReason};

use crate::act::{ActBody, ActError, SignedAct, VerifiedAct};
use crate::application::{self, ApplicationState, DirectAct};
use crate::catalogue::{Entry, PublishedEntry};
use crate::clock::{self, Clock, ClockEvent, Law, OpenDuty};
use crate::complaint::ComplaintState;
use crate::correction::{self, CorrectionAct, CorrectionState};
use crate::dispute::{Bench, DisputeState, Party};
use crate::erasure::{self, ErasureEvent, Personal};
use crate::evaluation::{self, Computed, EvaluationAct, EvaluationState};
use crate::incident::{self, IncidentAct, IncidentState};
use crate::need::{self, NeedAct, NeedState};
use crate::open_data::OpenRequestState;
use crate::private::Private;
use crate::reading::{self, InspectionState, ReadingAct};
use crate::return_flow::SubscriptionState;
use crate::supervision::{self, SupervisionAct, SupervisionState};
use crate::update::{self, UpdateState};

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
    /// The departments that hold it and answer for the personal content in it.
    fn departments(&self) -> Vec<&Party> {
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

/// Under what a docket is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// The place of the node whose person opens it.
    pub from: &'a Path,
    /// The home.
    pub here: &'a Path,
    /// The law in force at the home.
    pub law: Law<'a>,
    /// The home's clock.
    pub now: Moment,
    /// The docket that the act is about, where it names one that is held at the home.
    pub about: Option<&'a DocketState>,
    /// The home's own entry that the act is about, where a version of it stands published.
    pub entry: Option<&'a Entry>,
    /// What the home has published under the id that the act names, where it takes an entry straight from the platform.
    pub published: Option<&'a PublishedEntry>,
    /// What the home's ledger gives for the period that the act reports on.
    pub evaluation: Option<&'a Computed>,
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
                    Self::Erasure(event) => event.rests_on_its_act(),
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
            /// The departments that hold it and answer for the personal content in it.
            pub fn departments(&self) -> Vec<&Party> {
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

/// What an act that opens a docket by itself brings about at its home.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn open(act: &VerifiedAct, opening: &Opening<'_>) -> Result<Vec<DocketBody>, Refusal> {
    if let ActBody::Update(said) = &act.act().body {
        let events = update::report(act, said, opening)?;
        return Ok(events.into_iter().map(DocketBody::Update).collect());
    }
    if let ActBody::Correction(CorrectionAct::Ask(request)) = &act.act().body {
        let event = correction::open(request, act, opening)?;
        return Ok(vec![DocketBody::Correction(event)]);
    }
    if let ActBody::Supervision(SupervisionAct::Order(order)) = &act.act().body {
        let ordered = supervision::open(act, order, opening)?;
        return Ok(vec![DocketBody::Supervision(ordered)]);
    }
    if let ActBody::Direct(DirectAct::Take { application, until }) = &act.act().body {
        let taken = application::direct::take(act, application, *until, opening)?;
        return Ok(vec![DocketBody::Application(taken)]);
    }
    if let ActBody::Need(NeedAct::Report(need)) = &act.act().body {
        let event = need::open(need, act, opening)?;
        return Ok(vec![DocketBody::Need(event)]);
    }
    if let ActBody::Incident(IncidentAct::Report(report)) = &act.act().body {
        let reported = incident::open(act, report, opening)?;
        return Ok(vec![DocketBody::Incident(reported)]);
    }
    if let ActBody::Reading(ReadingAct::Order(order)) = &act.act().body {
        let ordered = reading::open(act, order, opening)?;
        return Ok(vec![DocketBody::Inspection(ordered)]);
    }
    if let ActBody::Evaluation(EvaluationAct::Report(report)) = &act.act().body {
        let reported = evaluation::open(act, report, opening)?;
        return Ok(vec![DocketBody::Evaluation(reported)]);
    }
    let kind = act.act().body.kind();
    Err(RefusalReason::WrongState {
        expected: "an act that opens a docket".into(),
        found: kind.id().into(),
    }
    .under(statute::required_role(kind).1))
}

/// What can be said of an act that opens a docket before it leaves the node at `from`, whose person signed it; the home judges it in full.
///
/// # Errors
/// The [`Refusal`] of the rule that does not let it pass.
pub fn may_leave(act: &VerifiedAct, from: &Path) -> Result<(), Refusal> {
    match &act.act().body {
        ActBody::Reading(ReadingAct::Order(order)) => {
            reading::check_ordered_from_above(order, from)
        }
        _ => Ok(()),
    }
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
