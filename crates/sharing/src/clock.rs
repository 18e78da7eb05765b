//! The clock of a docket: what is owed in it, by whom and by when, and what time has made of that. R17, R21, R22, R26, R39-R41.
//!
//! ```text
//! duty runs ──two working days before the end──► warned ──end of the last day──► overdue ──► justified (正当理由)
//!    │                                                                              └──────► breach found (chapter 7)
//!    ├─ more time asked for ──the authority of the same level consents──► extended, once
//!    └─ a holiday notice arrives ──► computed again; what is overdue or done stays as it is
//! ```
//!
//! One clock for every workflow: a workflow says which duties run ([`OpenDuty`]), the clock says what became of them. The home records; whoever
//! holds a copy runs the same clock on it.

pub mod bounds;
mod decide;

use identity::planted::{self, Bug};
use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, Calendar, Duty, Profile, Role, WorkingDays};

use crate::act::{Deed, Doer, SignedAct};
use crate::dispute::Party;
use crate::docket::DocketId;

pub use decide::{act, recompute, rests_on_its_act, tick};

/// Most extensions asked for in one docket, granted or not; each duty is extended once.
pub const MAX_ASKED: u32 = 16;
/// Most justifications stated in one docket.
pub const MAX_JUSTIFIED: usize = 32;

/// The law as it binds the home of a docket.
#[derive(Debug, Clone, Copy)]
pub struct Law<'a> {
    /// Working days.
    pub calendar: &'a Calendar,
    /// Local rules that tighten the national ones.
    pub profile: &'a Profile,
}

impl Law<'_> {
    /// The time limit of a duty that arises now.
    pub fn term(&self, duty: Duty, arises: Moment) -> Term {
        let due = statute::due(duty, arises.as_millis(), self.calendar, self.profile);
        Term {
            arises,
            due: Moment::from_millis(due.ends_ms)
                .plus_days(i64::from(planted::is(Bug::DeadlineOffByOne))),
            provisional: due.provisional,
        }
    }
}

/// The time limit of one duty (期限).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Term {
    /// When the duty arose: receipt, change or consent.
    pub arises: Moment,
    /// When it is due: at this instant it is late.
    pub due: Moment,
    /// Whether a holiday notice that matters is still to come.
    pub provisional: bool,
}

impl Term {
    /// A time limit that a person set and no calendar moves.
    pub fn fixed(arises: Moment, due: Moment) -> Self {
        Self {
            arises,
            due,
            provisional: false,
        }
    }
}

/// Who owes a duty (义务人).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Debtor {
    /// A department.
    Department(Party),
    /// The competent authority of a place.
    Authority(Path),
    /// The people's government of a place.
    Government(Path),
}

impl Debtor {
    /// The node at which it acts.
    pub fn node(&self) -> &Path {
        match self {
            Self::Department(party) => &party.node,
            Self::Authority(node) | Self::Government(node) => node,
        }
    }

    /// Whether a doer acts for it: someone of the department; of an authority or a government, its own people.
    pub fn includes(&self, doer: &Doer) -> bool {
        match (self, doer.role) {
            (Self::Department(party), _) => party.includes(doer),
            (Self::Authority(node), Role::AuthorityReviewer | Role::AuthorityHead)
            | (Self::Government(node), Role::Government) => doer.node == node.code(),
            (Self::Authority(_) | Self::Government(_), _) => false,
        }
    }
}

/// A duty that runs in a docket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDuty {
    /// Which duty.
    pub duty: Duty,
    /// Its time limit; in what a docket as a whole owes, as amended.
    pub term: Term,
    /// Who owes it.
    pub who: Debtor,
}

/// What people do about a time limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockAct {
    /// Whoever owes a duty asks the authority of its own level for more time (R17, R21).
    AskExtension {
        /// Which docket.
        docket: DocketId,
        /// More time for what.
        duty: Duty,
        /// How many working days.
        days: WorkingDays,
        /// For which special reasons (特殊原因).
        grounds: String,
    },
    /// The authority of the debtor's level answers (R17, R21).
    AnswerExtension {
        /// Which docket.
        docket: DocketId,
        /// For which duty, which settles who may answer.
        duty: Duty,
        /// Whether it consents.
        consents: bool,
        /// Why.
        grounds: String,
    },
    /// A justification for what is overdue (正当理由, R39(4)).
    Justify {
        /// Which docket.
        docket: DocketId,
        /// Which duty.
        duty: Duty,
        /// The justification.
        grounds: String,
    },
}

impl Deed for ClockAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::AskExtension { duty, .. } if updates(*duty) => ActKind::ExtendUpdate,
            Self::AskExtension { .. } => ActKind::ExtendReply,
            Self::AnswerExtension { duty, .. } if updates(*duty) => {
                ActKind::ConsentToUpdateExtension
            }
            Self::AnswerExtension { .. } => ActKind::ConsentToExtension,
            Self::Justify { .. } => ActKind::Justify,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::AskExtension { docket, .. }
            | Self::AnswerExtension { docket, .. }
            | Self::Justify { docket, .. } => Some(*docket),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::AskExtension { grounds, .. }
            | Self::AnswerExtension { grounds, .. }
            | Self::Justify { grounds, .. } => vec![grounds],
        }
    }
}

/// Whether R17 rather than R21 is what extends this duty.
fn updates(duty: Duty) -> bool {
    duty.article() == Article::R17
}

/// Facts about time, in any docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockEvent {
    /// The end is near (临近到期).
    Warned {
        /// Which duty.
        duty: Duty,
        /// When it arose, which tells two of a kind apart.
        arises: Moment,
        /// When it is due.
        due: Moment,
    },
    /// The time limit passed (逾期).
    Overdue {
        /// Which duty.
        duty: Duty,
        /// When it arose.
        arises: Moment,
        /// When it was due.
        due: Moment,
        /// Who owed it.
        who: Debtor,
    },
    /// A holiday notice has come out: the same period ends at another time, or at the same time for certain.
    Recomputed {
        /// Which duty.
        duty: Duty,
        /// Its time limit from now on; `arises` is as before.
        term: Term,
    },
    /// More time was asked for.
    ExtensionAsked {
        /// The signed act.
        act: SignedAct,
        /// More time for what.
        duty: Duty,
        /// When that duty arose.
        arises: Moment,
        /// How many working days.
        days: WorkingDays,
        /// Why.
        grounds: String,
    },
    /// The authority consented: the duty is due later.
    Extended {
        /// The signed act.
        act: SignedAct,
        /// Which duty.
        duty: Duty,
        /// Its time limit from now on; `arises` is as before.
        term: Term,
    },
    /// The authority did not consent.
    ExtensionRefused {
        /// The signed act.
        act: SignedAct,
        /// Which duty.
        duty: Duty,
        /// Why.
        grounds: String,
    },
    /// A justification was stated.
    Justified {
        /// The signed act.
        act: SignedAct,
        /// Which duty.
        duty: Duty,
        /// When it arose.
        arises: Moment,
        /// The justification.
        grounds: String,
    },
    /// The one entitled to found a breach in it (chapter 7); the order has a docket of its own.
    BreachFound {
        /// Which duty.
        duty: Duty,
        /// When it arose.
        arises: Moment,
        /// Under which article.
        article: Article,
        /// The docket of the order.
        order: DocketId,
    },
}

/// More time that was asked for and not yet answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// For which duty.
    pub duty: Duty,
    /// When that duty arose.
    pub arises: Moment,
    /// How many working days.
    pub days: WorkingDays,
    /// Why.
    pub grounds: String,
}

/// A changed time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Of which duty.
    pub duty: Duty,
    /// The time limit from then on; `arises` names the duty.
    pub term: Term,
    /// Working days of an extension; none for a new calendar.
    pub extended_by: Option<WorkingDays>,
}

/// A duty that was not met in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapse {
    /// Which duty.
    pub duty: Duty,
    /// When it arose.
    pub arises: Moment,
    /// When it was due.
    pub due: Moment,
    /// Who owed it.
    pub who: Debtor,
    /// What the one who owed it says (正当理由).
    pub justification: Option<String>,
    /// The order that followed, if a breach was found.
    pub order: Option<DocketId>,
}

/// What time has made of a docket's duties.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// Changed time limits, the newest of a duty last.
    pub amended: Vec<Amendment>,
    /// More time asked for.
    pub asked: Option<Asked>,
    /// How often more time was asked for.
    pub times_asked: u32,
    /// Duties whose end was announced.
    pub warned: Vec<(Duty, Moment)>,
    /// Duties not met in time.
    pub lapses: Vec<Lapse>,
}

impl Clock {
    /// The time limit of a duty as it stands now.
    pub fn amended(&self, duty: Duty, term: Term) -> Term {
        let newest = self
            .amended
            .iter()
            .rev()
            .find(|it| it.duty == duty && it.term.arises == term.arises);
        newest.map_or(term, |it| it.term)
    }

    /// A duty as it stands now.
    pub fn on(&self, duty: OpenDuty) -> OpenDuty {
        let term = self.amended(duty.duty, duty.term);
        OpenDuty { term, ..duty }
    }

    /// Whether the clock recorded that this duty was not met in time.
    pub fn is_overdue(&self, duty: Duty, arises: Moment) -> bool {
        self.lapse(duty, arises).is_some()
    }

    fn lapse(&self, duty: Duty, arises: Moment) -> Option<&Lapse> {
        self.lapses
            .iter()
            .find(|it| it.duty == duty && it.arises == arises)
    }

    fn lapse_mut(&mut self, duty: Duty, arises: Moment) -> Option<&mut Lapse> {
        self.lapses
            .iter_mut()
            .find(|it| it.duty == duty && it.arises == arises)
    }

    fn extensions(&self, duty: Duty, arises: Moment) -> usize {
        if planted::is(Bug::ExtendedTwice) {
            return 0;
        }
        self.amended
            .iter()
            .filter(|it| it.duty == duty && it.term.arises == arises && it.extended_by.is_some())
            .count()
    }

    /// The clock after an event; `None` when the event cannot follow.
    #[must_use]
    pub fn evolve(mut self, event: &ClockEvent) -> Option<Self> {
        match event {
            ClockEvent::Warned { duty, arises, .. } => {
                if self.warned.contains(&(*duty, *arises)) {
                    return None;
                }
                self.warned.push((*duty, *arises));
            }
            ClockEvent::Overdue {
                duty,
                arises,
                due,
                who,
            } => {
                if self.is_overdue(*duty, *arises) && !planted::is(Bug::OverdueTwice) {
                    return None;
                }
                self.lapses.push(Lapse {
                    duty: *duty,
                    arises: *arises,
                    due: *due,
                    who: who.clone(),
                    justification: None,
                    order: None,
                });
            }
            ClockEvent::Recomputed { duty, term } => {
                let before = self.amended.iter().rev();
                let extended_by = before
                    .filter(|it| it.duty == *duty && it.term.arises == term.arises)
                    .find_map(|it| it.extended_by);
                self.amended
                    .retain(|it| it.duty != *duty || it.term.arises != term.arises);
                self.amended.push(Amendment {
                    duty: *duty,
                    term: *term,
                    extended_by,
                });
            }
            ClockEvent::ExtensionAsked {
                duty,
                arises,
                days,
                grounds,
                ..
            } => {
                if self.asked.is_some() {
                    return None;
                }
                self.times_asked += 1;
                self.asked = Some(Asked {
                    duty: *duty,
                    arises: *arises,
                    days: *days,
                    grounds: grounds.clone(),
                });
            }
            ClockEvent::Extended { duty, term, .. } => {
                let asked = self
                    .asked
                    .take()
                    .filter(|it| it.duty == *duty && it.arises == term.arises)?;
                self.amended.push(Amendment {
                    duty: *duty,
                    term: *term,
                    extended_by: Some(asked.days),
                });
            }
            ClockEvent::ExtensionRefused { duty, .. } => {
                self.asked.take().filter(|it| it.duty == *duty)?;
            }
            ClockEvent::Justified {
                duty,
                arises,
                grounds,
                ..
            } => {
                let lapse = self.lapse_mut(*duty, *arises)?;
                lapse.justification = Some(grounds.clone());
            }
            ClockEvent::BreachFound {
                duty,
                arises,
                order,
                ..
            } => {
                let lapse = self.lapse_mut(*duty, *arises)?;
                if lapse.order.is_some() {
                    return None;
                }
                lapse.order = Some(*order);
            }
        }
        Some(self)
    }
}

impl ClockEvent {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Warned { .. } => "warned",
            Self::Overdue { .. } => "overdue",
            Self::Recomputed { .. } => "recomputed",
            Self::ExtensionAsked { .. } => "extension-asked",
            Self::Extended { .. } => "extended",
            Self::ExtensionRefused { .. } => "extension-refused",
            Self::Justified { .. } => "justified",
            Self::BreachFound { .. } => "breach-found",
        }
    }

    /// The acts of people that this event rests on.
    pub fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::ExtensionAsked { act, .. }
            | Self::Extended { act, .. }
            | Self::ExtensionRefused { act, .. }
            | Self::Justified { act, .. } => vec![act],
            Self::Warned { .. }
            | Self::Overdue { .. }
            | Self::Recomputed { .. }
            | Self::BreachFound { .. } => Vec::new(),
        }
    }
}
