//! The life of a grant after it was given: wider use, suspension, disposal, the end of a service. R25, R27.
//!
//! ```text
//! InForce ──suspend, rectify by a date──► Suspended ──rectification reported──► Rectified
//!    ▲                                       │  └─(after the date)─► Terminated ◄─(found wanting)─┘ │
//!    └──────────────restore──────────────────┴──────────────────────────────────────────────────────┘
//! InForce | Suspended | Rectified ──change proposed, answered, on file, carried out──► ServiceEnded
//! any ──disposed of──► Disposed
//! ```
//!
//! A grant that was given and not yet provided is suspended to contain a security incident (R35), and in no other way: nobody has misused what nobody
//! has (R27), and a provider does not stop its own clock. Nothing is provided until it is restored. Meanwhile the twenty working days of R22 rest: the
//! provider owes nothing that the suspension forbids it. Once it is restored they go on with the working days that were left when it was suspended,
//! at least one; a time that was over before stays over. The Regulation is silent on it (docs/deviations/0013).

mod decide;

use identity::{CreditCode, Moment};
use serde::{Deserialize, Serialize};
use statute::service_change::ServiceChangeStep;
use statute::standing::{check_may_provide, check_may_use};
use statute::{ActKind, Article, Duty, GrantStanding};

use super::{GrantTerms, Phase};
use crate::act::{ActBody, Deed, SignedAct};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::DocketId;
use crate::incident::suspension_of;

pub(super) use decide::decide;

/// Most departments to which one grant lets data be passed on: beyond, each applies for itself.
pub const MAX_RECIPIENTS: usize = 16;
/// Most widenings, suspensions, required disposals and changes begun in one docket, each of a few steps: well below
/// [`crate::docket::MAX_DOCKET_EVENTS`], so that there is room for what must come.
pub const MAX_GRANT_MATTERS: u32 = 64;

/// What people do about a grant that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantAct {
    /// Which docket.
    pub docket: DocketId,
    /// What is done.
    pub step: GrantStep,
}

/// A step in the life of a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GrantStep {
    /// The requester asks for wider use (R25).
    AskWidening {
        /// What more is asked for.
        wider: Wider,
        /// Why.
        grounds: String,
    },
    /// 共享工作机构负责人 of the provider consents to all that was asked, or refuses with reasons (R25).
    AnswerWidening {
        /// Whether the provider consents.
        consents: bool,
        /// Why; a refusal states it.
        reasons: String,
    },
    /// The authority or the provider suspends access and orders rectification (R27).
    Suspend {
        /// Why.
        reasons: String,
        /// By when the requester is to rectify.
        rectify_by: Moment,
    },
    /// The requester reports what it has rectified (R27).
    ReportRectified {
        /// What was done.
        statement: String,
    },
    /// Access is restored: after rectification was reported, or for reasons (R27).
    Restore {
        /// Why, where no rectification was reported.
        reasons: String,
    },
    /// Sharing is terminated, since rectification was not made (R27).
    Terminate {
        /// Why.
        reasons: String,
    },
    /// The provider requires disposal (R27).
    RequireDisposal {
        /// How the data is to be disposed of.
        how: String,
        /// By when.
        by: Moment,
    },
    /// The requester has disposed of the data (R27).
    Dispose {
        /// How.
        how: String,
        /// The certificate of disposal, in words (处置证明).
        certificate: String,
    },
    /// The provider proposes to end or change the service (R27).
    ProposeChange {
        /// Which of the two.
        what: ServiceChange,
        /// Why, and for a change: to what.
        reasons: String,
    },
    /// The requester answers: this is the negotiation that R27 demands, whatever it answers.
    AnswerChange {
        /// Whether the requester agrees.
        agrees: bool,
        /// What it says.
        statement: String,
    },
    /// The authority of the provider's level takes the change on file (R27).
    FileChange,
    /// The provider carries the change out (R27).
    CarryOutChange,
}

/// More than was granted; all of it, or nothing, is consented to (R25).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wider {
    /// Further data items.
    pub items: Vec<String>,
    /// Further purposes.
    pub purposes: Vec<String>,
    /// A longer period.
    pub until: Option<Moment>,
    /// Departments to which the data may be passed on.
    pub recipients: Vec<CreditCode>,
}

/// What becomes of a service (终止或者变更).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceChange {
    /// It ends.
    End,
    /// It changes.
    Change,
}

/// A step that was taken: an event of the application's docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantEvent {
    /// The signed act.
    pub act: SignedAct,
    /// What it does.
    pub step: GrantStep,
    /// By when the data is now to be provided, where access is restored before it was (R22).
    pub provide: Option<Term>,
}

/// Whether the requester may have and use the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// It may.
    InForce,
    /// Suspended; the requester is to rectify.
    Suspended {
        /// The date ordered.
        term: Term,
    },
    /// Suspended; the requester says that it has rectified.
    Rectified {
        /// The date ordered.
        term: Term,
    },
    /// Terminated.
    Terminated,
    /// The provider ended the service.
    ServiceEnded,
    /// The data was disposed of.
    Disposed,
}

/// A change of the service on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedChange {
    /// End or change.
    pub what: ServiceChange,
    /// Why.
    pub reasons: String,
    /// What R27 demands and has been done.
    pub done: Vec<ServiceChangeStep>,
}

/// A disposal that the provider requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequiredDisposal {
    /// How.
    pub how: String,
    /// By when.
    pub term: Term,
}

/// Where a grant stands after it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Whether data may be had and used.
    pub access: Access,
    /// Wider use that was asked for and is not answered.
    pub asked: Option<Wider>,
    /// Purposes consented to beside the one granted.
    pub purposes: Vec<String>,
    /// Departments to which the data may be passed on.
    pub recipients: Vec<CreditCode>,
    /// A disposal required and not yet made.
    pub disposal: Option<RequiredDisposal>,
    /// A change of the service on its way.
    pub change: Option<ProposedChange>,
    /// Matters begun so far.
    pub matters: u32,
}

impl Default for Standing {
    fn default() -> Self {
        Self {
            access: Access::InForce,
            asked: None,
            purposes: Vec::new(),
            recipients: Vec::new(),
            disposal: None,
            change: None,
            matters: 0,
        }
    }
}

impl Access {
    /// The standing that the law knows.
    pub fn standing(&self) -> GrantStanding {
        match self {
            Self::InForce => GrantStanding::InForce,
            Self::Suspended { .. } => GrantStanding::Suspended,
            Self::Rectified { .. } => GrantStanding::Rectified,
            Self::Terminated => GrantStanding::Terminated,
            Self::ServiceEnded => GrantStanding::ServiceEnded,
            Self::Disposed => GrantStanding::Disposed,
        }
    }

    /// Whether data is provided and fetched.
    pub fn is_in_force(&self) -> bool {
        *self == Self::InForce
    }

    /// Whether nothing will be provided any more.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Terminated | Self::ServiceEnded | Self::Disposed => true,
            Self::InForce | Self::Suspended { .. } | Self::Rectified { .. } => false,
        }
    }
}

impl Deed for GrantAct {
    fn kind(&self) -> ActKind {
        match self.step {
            GrantStep::AskWidening { .. } => ActKind::AskWidening,
            GrantStep::AnswerWidening { .. } => ActKind::ConsentToWidening,
            GrantStep::Suspend { .. } => ActKind::SuspendAccess,
            GrantStep::ReportRectified { .. } => ActKind::ReportRectification,
            GrantStep::Restore { .. } => ActKind::RestoreAccess,
            GrantStep::Terminate { .. } => ActKind::TerminateSharing,
            GrantStep::RequireDisposal { .. } => ActKind::RequireDisposal,
            GrantStep::Dispose { .. } => ActKind::DisposeData,
            GrantStep::ProposeChange { .. } | GrantStep::CarryOutChange => ActKind::ChangeService,
            GrantStep::AnswerChange { .. } => ActKind::AnswerServiceChange,
            GrantStep::FileChange => ActKind::FileServiceChange,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        Some(self.docket)
    }

    fn texts(&self) -> Vec<&str> {
        match &self.step {
            GrantStep::AskWidening { wider, grounds } => {
                let listed = wider.items.iter().chain(&wider.purposes);
                listed.chain([grounds]).map(String::as_str).collect()
            }
            GrantStep::AnswerWidening { reasons: text, .. }
            | GrantStep::Suspend { reasons: text, .. }
            | GrantStep::ReportRectified { statement: text }
            | GrantStep::Restore { reasons: text }
            | GrantStep::Terminate { reasons: text }
            | GrantStep::RequireDisposal { how: text, .. }
            | GrantStep::ProposeChange { reasons: text, .. }
            | GrantStep::AnswerChange {
                statement: text, ..
            } => vec![text],
            GrantStep::Dispose { how, certificate } => vec![how, certificate],
            GrantStep::FileChange | GrantStep::CarryOutChange => Vec::new(),
        }
    }
}

impl GrantEvent {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self.step {
            GrantStep::AskWidening { .. } => "widening-asked",
            GrantStep::AnswerWidening { consents: true, .. } => "widened",
            GrantStep::AnswerWidening {
                consents: false, ..
            } => "widening-refused",
            GrantStep::Suspend { .. } => "suspended",
            GrantStep::ReportRectified { .. } => "rectification-reported",
            GrantStep::Restore { .. } => "restored",
            GrantStep::Terminate { .. } => "terminated",
            GrantStep::RequireDisposal { .. } => "disposal-required",
            GrantStep::Dispose { .. } => "disposed",
            GrantStep::ProposeChange { .. } => "change-proposed",
            GrantStep::AnswerChange { .. } => "change-answered",
            GrantStep::FileChange => "change-filed",
            GrantStep::CarryOutChange => "change-carried-out",
        }
    }

    /// The articles that a suspension rests on: R35 where an incident is contained; else R27, for what is a breach under R40(2) or R40(3). Empty for
    /// any other step.
    pub fn suspended_under(&self) -> &'static [Article] {
        match (&self.step, self.act.body()) {
            (GrantStep::Suspend { .. }, Some(ActBody::Incident(_))) => {
                &[Article::R35, Article::R27]
            }
            (GrantStep::Suspend { .. }, Some(_) | None) => {
                &[Article::R27, Article::R40_2, Article::R40_3]
            }
            (
                GrantStep::AskWidening { .. }
                | GrantStep::AnswerWidening { .. }
                | GrantStep::ReportRectified { .. }
                | GrantStep::Restore { .. }
                | GrantStep::Terminate { .. }
                | GrantStep::RequireDisposal { .. }
                | GrantStep::Dispose { .. }
                | GrantStep::ProposeChange { .. }
                | GrantStep::AnswerChange { .. }
                | GrantStep::FileChange
                | GrantStep::CarryOutChange,
                _,
            ) => &[],
        }
    }

    /// Whether it says what the act in it says, of this docket: an act about this grant, or one that contains an incident and names it.
    pub fn rests_on_its_act(&self, docket: DocketId) -> bool {
        match self.act.body() {
            Some(ActBody::Grant(said)) => said.docket == docket && said.step == self.step,
            Some(other) => suspension_of(&other, docket).as_ref() == Some(&self.step),
            None => false,
        }
    }
}

impl Standing {
    /// The duties of the requester that run now.
    pub(super) fn duties(&self, requester: &Party) -> Vec<OpenDuty> {
        let rectify = match &self.access {
            Access::Suspended { term } => Some((Duty::Rectify, *term)),
            Access::InForce
            | Access::Rectified { .. }
            | Access::Terminated
            | Access::ServiceEnded
            | Access::Disposed => None,
        };
        let dispose = self.disposal.as_ref().map(|it| (Duty::Dispose, it.term));
        let open = |(duty, term)| OpenDuty {
            duty,
            term,
            who: Debtor::Department(requester.clone()),
        };
        rectify.into_iter().chain(dispose).map(open).collect()
    }

    /// Whether nobody waits for anything.
    pub(super) fn is_quiet(&self) -> bool {
        let suspended = matches!(
            self.access,
            Access::Suspended { .. } | Access::Rectified { .. }
        );
        !suspended && self.asked.is_none() && self.disposal.is_none() && self.change.is_none()
    }

    /// Whether data may be put at the requester's disposal.
    pub(super) fn lets_provide(&self) -> bool {
        check_may_provide(self.access.standing()).is_ok()
    }

    /// Whether a step may be taken before anything was provided: an incident suspends (R35), and what was suspended is rectified, restored or
    /// terminated.
    pub(super) fn precedes_provision(&self, step: &GrantStep, said: &ActBody) -> bool {
        match step {
            GrantStep::Suspend { .. } => matches!(said, ActBody::Incident(_)),
            GrantStep::ReportRectified { .. }
            | GrantStep::Restore { .. }
            | GrantStep::Terminate { .. } => matches!(
                self.access,
                Access::Suspended { .. } | Access::Rectified { .. }
            ),
            GrantStep::AskWidening { .. }
            | GrantStep::AnswerWidening { .. }
            | GrantStep::RequireDisposal { .. }
            | GrantStep::Dispose { .. }
            | GrantStep::ProposeChange { .. }
            | GrantStep::AnswerChange { .. }
            | GrantStep::FileChange
            | GrantStep::CarryOutChange => false,
        }
    }

    /// Whether a use may be recorded.
    pub(super) fn lets_use(&self) -> bool {
        check_may_use(self.access.standing()).is_ok()
    }

    /// The standing and the phase after a step, if it may follow there; `at` is when the home ordered it.
    pub(super) fn evolve(
        mut self,
        mut phase: Phase,
        done: &GrantEvent,
        at: Moment,
    ) -> Option<(Self, Phase)> {
        let step = &done.step;
        if let Phase::Granted { term, .. } = &mut phase {
            let said = done.act.body()?;
            self.precedes_provision(step, &said).then_some(())?;
            let restores = matches!(step, GrantStep::Restore { .. });
            (restores == done.provide.is_some()).then_some(())?;
            *term = done.provide.unwrap_or(*term);
        } else {
            phase.object()?;
            done.provide.is_none().then_some(())?;
        }
        match step {
            GrantStep::AskWidening { wider, .. } => {
                (self.asked.is_none()).then_some(())?;
                self.asked = Some(wider.clone());
                self.matters = self.matters.saturating_add(1);
            }
            GrantStep::AnswerWidening { consents, .. } => {
                let wider = self.asked.take()?;
                if *consents {
                    self.widen(phase.terms_mut()?, wider);
                }
            }
            GrantStep::Suspend { .. }
            | GrantStep::ReportRectified { .. }
            | GrantStep::Restore { .. }
            | GrantStep::Terminate { .. } => {
                self.matters += u32::from(matches!(step, GrantStep::Suspend { .. }));
                self.access = next_access(&self.access, step, at)?;
            }
            GrantStep::RequireDisposal { how, by } => {
                (self.disposal.is_none() && self.access != Access::Disposed).then_some(())?;
                self.matters = self.matters.saturating_add(1);
                self.disposal = Some(RequiredDisposal {
                    how: how.clone(),
                    term: Term::fixed(at, *by),
                });
            }
            GrantStep::Dispose { .. } => {
                (self.access != Access::Disposed).then_some(())?;
                // What was still asked for or under way has no object any more.
                self = Self {
                    access: Access::Disposed,
                    asked: None,
                    disposal: None,
                    change: None,
                    ..self
                };
            }
            GrantStep::ProposeChange { what, reasons } => {
                (self.change.is_none() && !self.access.is_over()).then_some(())?;
                self.matters = self.matters.saturating_add(1);
                self.change = Some(ProposedChange {
                    what: *what,
                    reasons: reasons.clone(),
                    done: Vec::new(),
                });
            }
            GrantStep::AnswerChange { .. } => self.change_step(ServiceChangeStep::Negotiated)?,
            GrantStep::FileChange => self.change_step(ServiceChangeStep::Filed)?,
            GrantStep::CarryOutChange => {
                let change = self.change.take()?;
                statute::service_change::check_service_change(&change.done).ok()?;
                if change.what == ServiceChange::End && !self.access.is_over() {
                    self.access = Access::ServiceEnded;
                }
            }
        }
        Some((self, phase))
    }

    fn widen(&mut self, terms: &mut GrantTerms, wider: Wider) {
        terms.items.extend(wider.items);
        terms.until = wider.until.unwrap_or(terms.until);
        self.purposes.extend(wider.purposes);
        self.recipients.extend(wider.recipients);
    }

    fn change_step(&mut self, step: ServiceChangeStep) -> Option<()> {
        let change = self.change.as_mut()?;
        (!change.done.contains(&step)).then(|| change.done.push(step))
    }
}

/// Where a step leads from `access`, if it may follow there.
fn next_access(access: &Access, step: &GrantStep, at: Moment) -> Option<Access> {
    match (access, step) {
        (Access::InForce, GrantStep::Suspend { rectify_by, .. }) => Some(Access::Suspended {
            term: Term::fixed(at, *rectify_by),
        }),
        (Access::Suspended { term }, GrantStep::ReportRectified { .. }) => {
            Some(Access::Rectified { term: *term })
        }
        (Access::Suspended { .. } | Access::Rectified { .. }, GrantStep::Restore { reasons }) => {
            statute::check_may_restore(access.standing(), reasons).ok()?;
            Some(Access::InForce)
        }
        (Access::Suspended { term } | Access::Rectified { term }, GrantStep::Terminate { .. }) => {
            let (due, at) = (term.due.as_millis(), at.as_millis());
            statute::check_may_terminate(access.standing(), due, at).ok()?;
            Some(Access::Terminated)
        }
        (
            Access::InForce
            | Access::Suspended { .. }
            | Access::Rectified { .. }
            | Access::Terminated
            | Access::ServiceEnded
            | Access::Disposed,
            _,
        ) => None,
    }
}
