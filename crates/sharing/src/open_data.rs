//! Open data (数据开放): a department marks how a published entry is opened, puts files before everyone, and answers whoever applies. Shenyang
//! S24 to S27.
//!
//! ```text
//! marked: unconditional ──► files for everyone (S25)
//!         on application ──► Received ──the department answers──► Opened, or Refused with reasons (S26)
//!         not opened, with its grounds (S27)
//! ```
//!
//! The mark goes into the publication log, so that the opening catalogue (开放目录) of a place holds what every node below opens. An application
//! comes from the public, which signs nothing: its docket begins with what the node received ([`Intake`]) and stays at that node alone.

mod decide;

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{
    ActKind, Duty, OpenFormat, OpeningReplyForm, OpeningTerms, ProtectedContent, Refusal,
};

use crate::act::{ActBody, Deed, ObjectRef, SignedAct, VerifiedAct};
use crate::catalogue::{EntryId, EntryVersion};
use crate::clock::{Debtor, OpenDuty, Term};
use crate::dispute::Party;
use crate::docket::{DocketId, Fact, Misstep, Step, Workflow};
use crate::private::Private;
use crate::public::{Intake, PublicRequest};

pub use decide::{mark, publish, receive};

/// A file that is open to everyone (开放数据文件).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenFile {
    /// The machine-readable format.
    pub format: OpenFormat,
    /// The file, by content.
    pub object: ObjectRef,
}

/// How an entry is opened, as it stands in the opening catalogue (开放目录).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpeningMark {
    /// Which entry of its publisher.
    pub entry: EntryId,
    /// The type, with what it must list.
    pub terms: OpeningTerms,
    /// What of it is protected (S36).
    pub contains: Vec<ProtectedContent>,
    /// The files, one a format; none but of data open to everyone.
    pub files: Vec<OpenFile>,
    /// When it was marked, or a file last put.
    pub at: Moment,
}

/// A department's answer to an application for opening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenAnswer {
    /// It is opened to the applicant.
    Opened {
        /// How it is had, and on which terms.
        how: String,
        /// The file, where there is one: it is fetched with the receipt.
        object: Option<ObjectRef>,
    },
    /// It is not.
    Refused {
        /// Why.
        reasons: String,
    },
}

/// What people do about open data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenDataAct {
    /// The department's head marks how a published entry is opened (S24).
    Mark {
        /// Which version was looked at.
        entry: EntryVersion,
        /// The type, with what it must list.
        terms: OpeningTerms,
        /// What of it is protected (S36).
        contains: Vec<ProtectedContent>,
    },
    /// A file for everyone (S25); it replaces an earlier one of its format.
    Publish {
        /// Which entry.
        entry: EntryId,
        /// The file.
        file: OpenFile,
    },
    /// The department answers an application (S26).
    Answer {
        /// Which docket.
        docket: DocketId,
        /// In which form the applicant is answered.
        form: OpeningReplyForm,
        /// The answer.
        answer: OpenAnswer,
    },
}

impl Deed for OpenDataAct {
    fn kind(&self) -> ActKind {
        match self {
            Self::Mark { .. } => ActKind::MarkOpening,
            Self::Publish { .. } => ActKind::PublishOpenFile,
            Self::Answer { .. } => ActKind::AnswerOpening,
        }
    }

    fn docket(&self) -> Option<DocketId> {
        match self {
            Self::Mark { .. } | Self::Publish { .. } => None,
            Self::Answer { docket, .. } => Some(*docket),
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            // What a mark lists is bounded by its rule.
            Self::Mark { .. } => Vec::new(),
            Self::Publish { file, .. } => vec![&file.object.name],
            Self::Answer { answer, .. } => match answer {
                OpenAnswer::Opened { how, object } => {
                    let name = object.iter().map(|object| object.name.as_str());
                    std::iter::once(how.as_str()).chain(name).collect()
                }
                OpenAnswer::Refused { reasons } => vec![reasons],
            },
        }
    }
}

/// Facts of an application for opening.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenDataEvent {
    /// The node received it; the term runs from here.
    Received {
        /// What was asked.
        intake: Box<Intake>,
        /// Who is to answer.
        provider: Party,
        /// The entry's name as shown.
        entry_name: String,
        /// The time limit.
        term: Term,
    },
    /// The department answered.
    Answered {
        /// The signed act.
        act: SignedAct,
        /// In which form.
        form: OpeningReplyForm,
        /// The answer.
        answer: OpenAnswer,
    },
}

/// Where an application for opening stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpenPhase {
    /// The department is to answer.
    Received {
        /// The time limit.
        term: Term,
    },
    /// It answered.
    Answered {
        /// The answer.
        answer: OpenAnswer,
        /// When.
        at: Moment,
    },
}

impl OpenPhase {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "opening-applied-for",
            Self::Answered {
                answer: OpenAnswer::Opened { .. },
                ..
            } => "opened",
            Self::Answered {
                answer: OpenAnswer::Refused { .. },
                ..
            } => "opening-refused",
        }
    }
}

/// An application for opening as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRequestState {
    /// What was asked.
    pub intake: Intake,
    /// Who is to answer.
    pub provider: Party,
    /// The entry's name as shown.
    pub entry_name: String,
    /// Where it stands.
    pub phase: OpenPhase,
}

impl OpenRequestState {
    /// The form in which the applicant wants the reply.
    pub fn form(&self) -> OpeningReplyForm {
        match &self.intake.request {
            PublicRequest::OpenData { form, .. } => *form,
            // No such application is taken: the intake of one is for open data.
            PublicRequest::Complaint { .. } => OpeningReplyForm::Any,
        }
    }

    /// The file that was opened to the applicant, if one was.
    pub fn object(&self) -> Option<&ObjectRef> {
        match &self.phase {
            OpenPhase::Answered {
                answer: OpenAnswer::Opened { object, .. },
                ..
            } => object.as_ref(),
            OpenPhase::Answered {
                answer: OpenAnswer::Refused { .. },
                ..
            }
            | OpenPhase::Received { .. } => None,
        }
    }
}

fn asks_for_opening(intake: &Intake) -> bool {
    match &intake.request {
        PublicRequest::OpenData { .. } => true,
        PublicRequest::Complaint { .. } => false,
    }
}

impl Fact<OpenRequestState> for OpenDataEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Received { .. } => "opening-applied-for",
            Self::Answered { answer, .. } => match answer {
                OpenAnswer::Opened { .. } => "opened",
                OpenAnswer::Refused { .. } => "opening-refused",
            },
        }
    }

    fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Received { .. } => Vec::new(),
            Self::Answered { act, .. } => vec![act],
        }
    }

    fn rests_on_its_act(&self, _before: Option<&OpenRequestState>) -> bool {
        match self {
            // No person signed it: that it names its docket is checked where it is taken.
            Self::Received { .. } => true,
            Self::Answered { act, form, answer } => matches!(
                act.body(),
                Some(ActBody::OpenData(OpenDataAct::Answer { form: f, answer: a, .. }))
                    if f == *form && a == *answer
            ),
        }
    }

    fn private(&self) -> Vec<Private> {
        match self {
            Self::Received { intake, .. } => intake.private(),
            Self::Answered { .. } => Vec::new(),
        }
    }
}

impl Workflow for OpenRequestState {
    type Event = OpenDataEvent;

    fn evolve(
        state: Option<Self>,
        docket: DocketId,
        at: Moment,
        event: &OpenDataEvent,
    ) -> Result<Self, Misstep> {
        match (state, event) {
            (
                None,
                OpenDataEvent::Received {
                    intake,
                    provider,
                    entry_name,
                    term,
                },
            ) if intake.docket() == docket && asks_for_opening(intake) => Ok(Self {
                intake: Intake::clone(intake),
                provider: provider.clone(),
                entry_name: entry_name.clone(),
                phase: OpenPhase::Received { term: *term },
            }),
            (None, OpenDataEvent::Received { .. }) => Err(Misstep::WrongOpeningAct {
                expected: "intake after which the docket is named",
            }),
            (None, OpenDataEvent::Answered { .. }) => Err(Misstep::NotAnOpening {
                event: event.name(),
            }),
            (Some(_), OpenDataEvent::Received { .. }) => Err(Misstep::OpenedTwice),
            (Some(state), OpenDataEvent::Answered { answer, .. }) => match state.phase {
                OpenPhase::Received { .. } => Ok(Self {
                    phase: OpenPhase::Answered {
                        answer: answer.clone(),
                        at,
                    },
                    ..state
                }),
                OpenPhase::Answered { .. } => Err(Misstep::OutOfOrder {
                    event: event.name(),
                    phase: state.phase.name(),
                }),
            },
        }
    }

    fn decide(&self, act: &VerifiedAct, _step: &Step<'_>) -> Result<Vec<OpenDataEvent>, Refusal> {
        decide::answer(self, act).map(|event| vec![event])
    }

    fn duties(&self) -> Vec<OpenDuty> {
        match &self.phase {
            OpenPhase::Received { term } => vec![OpenDuty {
                duty: Duty::ReplyOpening,
                term: *term,
                who: Debtor::Department(self.provider.clone()),
            }],
            OpenPhase::Answered { .. } => Vec::new(),
        }
    }

    fn parties(&self) -> Vec<Path> {
        vec![self.provider.node.clone()]
    }

    fn departments(&self) -> Vec<Debtor> {
        vec![Debtor::Department(self.provider.clone())]
    }

    fn is_open(&self) -> bool {
        matches!(self.phase, OpenPhase::Received { .. })
    }

    fn phase(&self) -> &'static str {
        self.phase.name()
    }
}

#[cfg(test)]
mod tests;
