//! What a department needs, and what people do about it.

use identity::{Code, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::ActKind;

use crate::act::{Deed, Opens};
use crate::catalogue::{Entry, EntryId, EntryVersion};
use crate::dispute::Party;
use crate::docket::DocketId;
use crate::source::names_of;

/// Most entries of which one need says why they do not do.
pub const MAX_CONSIDERED: usize = 32;
/// A published entry that was found and does not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// The node that published it.
    pub publisher: Code,
    /// Which entry.
    pub entry: EntryId,
    /// Why it does not meet the need.
    pub why_not: String,
}

/// An entry that a level above knows to be published and to hold all the items of a need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Who published it.
    pub publisher: Path,
    /// Which entry.
    pub entry: EntryId,
    /// Which version of it.
    pub version: u32,
    /// Its name.
    pub name: String,
}

/// What came of asking one level above for the items of a need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// 未能联系: it gave no answer in time.
    Silent,
    /// It answered for its catalogue.
    Answered {
        /// As of when its catalogue was.
        as_of: Moment,
        /// Whether it looked through all of its catalogue, or only through as much of it as a level looks through.
        complete: bool,
        /// Entries that hold all the items, best first, at most [`MAX_CONSIDERED`].
        whole: Vec<Found>,
    },
}

/// One level above the department's node, and what came of asking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelAsked {
    /// Which level.
    pub node: Path,
    /// What came of it.
    pub said: Said,
}

/// What a department needs and no published entry gives (需求).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Need {
    /// What it is called.
    pub title: String,
    /// The data items wanted.
    pub items: Vec<String>,
    /// For what they are wanted (使用场景).
    pub purpose: String,
    /// By which law or duty (使用依据).
    pub basis: String,
    /// What of the catalogue was looked through.
    pub searched: String,
    /// Entries that were found and do not do.
    pub considered: Vec<Considered>,
    /// What every level above said of the items, the nearest first.
    pub asked: Vec<LevelAsked>,
}

/// A version of an entry and the node at which it stands published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryAt {
    /// The node that published it.
    pub publisher: Path,
    /// Exactly which.
    pub entry: EntryVersion,
}

/// One step about a need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeedStep {
    /// The authority that has it passes it on to the one above, beyond whose place nobody below reaches.
    PassOn {
        /// Why.
        reasons: String,
    },
    /// The authority matches it to a department that could provide.
    Match {
        /// Which department, at its own place or below.
        department: Party,
    },
    /// The authority finds that an existing entry meets it.
    PointTo {
        /// Which.
        entry: EntryAt,
    },
    /// The authority declines to match it.
    Decline {
        /// Why.
        reasons: String,
    },
    /// The department matched will provide.
    Promise {
        /// By when.
        by: Moment,
    },
    /// The department matched cannot provide.
    Cannot {
        /// Why.
        reasons: String,
    },
    /// The department matched has published an entry that meets it.
    Fulfil {
        /// Which.
        entry: EntryAt,
        /// What that version says, whole: whoever has the need may not know its publisher's catalogue.
        held: Box<Entry>,
    },
    /// The department that needs finds it met.
    ConfirmMet,
    /// The department that needs finds it not met.
    NotMet {
        /// Why.
        reasons: String,
    },
    /// The department that needs withdraws it.
    Withdraw,
}

/// What people do about needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NeedAct {
    /// A department puts its need on record.
    Report(Need),
    /// A step about one.
    Take {
        /// Which docket.
        docket: DocketId,
        /// The step.
        step: NeedStep,
    },
}

impl Need {
    /// Whether it says why this entry does not do.
    pub fn considers(&self, publisher: Code, entry: &EntryId) -> bool {
        let named = |it: &Considered| it.publisher == publisher && it.entry == *entry;
        self.considered.iter().any(named)
    }

    /// The names of the items wanted, each by itself.
    pub fn wanted(&self) -> Vec<String> {
        self.items.iter().flat_map(|it| names_of(it)).collect()
    }

    /// An entry that some level above found to hold all the items wanted and of which the need does not say why it does not do.
    pub fn found_above(&self) -> Option<&Found> {
        let found = self.asked.iter().flat_map(|level| level.said.whole());
        let mut open = found.filter(|it| !self.considers(it.publisher.code(), &it.entry));
        open.next()
    }
}

impl Said {
    /// What was found to hold all the items.
    pub fn whole(&self) -> &[Found] {
        match self {
            Self::Silent => &[],
            Self::Answered { whole, .. } => whole,
        }
    }
}

impl NeedStep {
    /// The legal kind of the act that takes it.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::PassOn { .. }
            | Self::Match { .. }
            | Self::PointTo { .. }
            | Self::Decline { .. } => ActKind::MatchNeed,
            Self::Promise { .. } | Self::Cannot { .. } | Self::Fulfil { .. } => ActKind::AnswerNeed,
            Self::ConfirmMet | Self::NotMet { .. } => ActKind::ConfirmNeed,
            Self::Withdraw => ActKind::WithdrawNeed,
        }
    }

    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PassOn { .. } => "need-passed-on",
            Self::Match { .. } => "need-matched",
            Self::PointTo { .. } => "need-entry-found",
            Self::Decline { .. } => "need-declined",
            Self::Promise { .. } => "need-promised",
            Self::Cannot { .. } => "need-cannot-be-met",
            Self::Fulfil { .. } => "need-fulfilled",
            Self::ConfirmMet => "need-met",
            Self::NotMet { .. } => "need-not-met",
            Self::Withdraw => "need-withdrawn",
        }
    }

    pub(super) fn reasons(&self) -> Option<&str> {
        match self {
            Self::PassOn { reasons }
            | Self::Decline { reasons }
            | Self::Cannot { reasons }
            | Self::NotMet { reasons } => Some(reasons),
            Self::Match { .. }
            | Self::PointTo { .. }
            | Self::Promise { .. }
            | Self::Fulfil { .. }
            | Self::ConfirmMet
            | Self::Withdraw => None,
        }
    }
}

impl Deed for NeedAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Report(_) => ActKind::RecordNeed,
            Self::Take { step, .. } => step.kind(),
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Report(_) => None,
            Self::Take { docket, .. } => Some(*docket),
        }
    }

    fn opens(&self) -> Option<Opens> {
        match self {
            Self::Report(_) => Some(Opens::Here),
            Self::Take { .. } => None,
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Report(need) => {
                let mut texts: Vec<&str> =
                    vec![&need.title, &need.purpose, &need.basis, &need.searched];
                texts.extend(need.items.iter().map(String::as_str));
                texts.extend(need.considered.iter().map(|it| it.why_not.as_str()));
                let found = need.asked.iter().flat_map(|it| it.said.whole());
                texts.extend(found.map(|it| it.name.as_str()));
                texts
            }
            Self::Take { step, .. } => step.reasons().into_iter().collect(),
        }
    }
}
