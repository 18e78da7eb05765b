//! Erasure (删除): personal content of a docket is destroyed at every holder when its time is over; that it was, when and why stays on record.
//! PIPL 47, R29, R37.
//!
//! ```text
//! said ──the case is settled──► kept ──retention is over, the head of a department that holds it decides──► decided ──each holder──► destroyed
//! ```
//!
//! What an inspection shows of records of use is no content of its own: the home of the inspection keeps the records, and erases both by one act.
//!
//! One erasure for every workflow: a workflow's events name their personal content ([`Fact::private`](crate::docket::Fact::private)), and what
//! became of it is kept beside the case.

use identity::{Code, Digest, Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{ActKind, Article, ErasureGround, Refusal, RefusalReason, beijing_date};

use crate::act::{ActBody, Deed, SignedAct, VerifiedAct, at_most};
use crate::clock::{Debtor, Law};
use crate::docket::{Case, DocketId};
use crate::private::Private;

/// Most contents erased by one act.
pub const MAX_ERASED_PER_ACT: usize = 64;

/// What people do about personal content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErasureAct {
    /// The head of a department that holds it has it erased (PIPL 47).
    Erase {
        /// Which docket.
        docket: DocketId,
        /// Which contents, by the digests committed to.
        contents: Vec<Digest>,
        /// Why.
        ground: ErasureGround,
    },
}

impl Deed for ErasureAct {
    fn kind(&self) -> ActKind {
        ActKind::ErasePersonal
    }

    fn docket(&self) -> Option<DocketId> {
        let Self::Erase { docket, .. } = self;
        Some(*docket)
    }

    fn texts(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// Facts about personal content, in any docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErasureEvent {
    /// It is to be destroyed at every holder.
    Decided {
        /// The signed act.
        act: SignedAct,
        /// Which contents.
        contents: Vec<Digest>,
        /// Why.
        ground: ErasureGround,
    },
    /// A holder has destroyed it.
    Destroyed {
        /// Which contents.
        contents: Vec<Digest>,
        /// Which holder.
        by: Path,
        /// When, by its own clock.
        at: Moment,
    },
}

impl ErasureEvent {
    /// A short name for errors and pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Decided { .. } => "erasure-decided",
            Self::Destroyed { .. } => "destroyed",
        }
    }

    /// The acts of people that it rests on.
    pub fn acts(&self) -> Vec<&SignedAct> {
        match self {
            Self::Decided { act, .. } => vec![act],
            Self::Destroyed { .. } => Vec::new(),
        }
    }

    /// Whether it says what the act in it says. What an inspection shows of records of use goes with the docket that they were said in, by the act
    /// that erases them there; `before` is the case before it.
    pub fn rests_on_its_act(&self, before: Option<&Case>) -> bool {
        let Self::Decided {
            act,
            contents,
            ground,
        } = self
        else {
            return true;
        };
        let Some(ActBody::Erasure(ErasureAct::Erase {
            docket,
            contents: named,
            ground: why,
        })) = act.body()
        else {
            return false;
        };
        let same = match before {
            Some(Case::Inspection(state)) => {
                docket == state.order.about && contents.iter().all(|it| named.contains(it))
            }
            Some(_) | None => named == *contents,
        };
        same && why == *ground
    }
}

/// That a content was lawfully erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// When it was decided.
    pub at: Moment,
    /// Why.
    pub ground: ErasureGround,
    /// The holders that have destroyed it, each with its own time.
    pub destroyed: Vec<(Path, Moment)>,
}

/// One personal content of a docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The commitment.
    pub private: Private,
    /// The node whose person said it: where the content was first.
    pub from: Code,
    /// When it was said.
    pub said: Moment,
    /// Set once it was lawfully erased.
    pub erased: Option<Erased>,
}

/// The personal content of a docket and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Personal {
    /// In the order in which it was said.
    pub items: Vec<Item>,
    /// Since when the case owes nothing more, if it does not.
    pub settled: Option<Moment>,
}

impl Personal {
    /// The content of this digest, if the docket has it.
    pub fn item(&self, digest: &Digest) -> Option<&Item> {
        self.items
            .iter()
            .find(|item| item.private.digest == *digest)
    }

    /// Since when a content is kept for its period: since the case was settled.
    pub fn kept_since(&self, item: &Item) -> Option<Moment> {
        self.settled.map(|settled| settled.max(item.said))
    }

    /// What an event says.
    pub(crate) fn say(&mut self, private: Private, from: Code, said: Moment) {
        if self.item(&private.digest).is_none() {
            self.items.push(Item {
                private,
                from,
                said,
                erased: None,
            });
        }
    }

    /// Whether the case still owes something after an event of this time.
    pub(crate) fn settle(&mut self, open: bool, at: Moment) {
        self.settled = if open {
            None
        } else {
            self.settled.or(Some(at))
        };
    }

    /// What is left after an erasure's event; `None` when it cannot follow.
    pub(crate) fn evolve(mut self, at: Moment, event: &ErasureEvent) -> Option<Self> {
        let (ErasureEvent::Decided { contents, .. } | ErasureEvent::Destroyed { contents, .. }) =
            event;
        for digest in contents {
            let item = self
                .items
                .iter_mut()
                .find(|item| item.private.digest == *digest)?;
            match (event, &mut item.erased) {
                (ErasureEvent::Decided { ground, .. }, erased @ None) => {
                    *erased = Some(Erased {
                        at,
                        ground: *ground,
                        destroyed: Vec::new(),
                    });
                }
                (ErasureEvent::Destroyed { by, at, .. }, Some(erased))
                    if !erased.destroyed.iter().any(|(holder, _)| holder == by) =>
                {
                    erased.destroyed.push((by.clone(), *at));
                }
                (ErasureEvent::Decided { .. }, Some(_))
                | (ErasureEvent::Destroyed { .. }, None | Some(_)) => return None,
            }
        }
        Some(self)
    }

    /// Of these contents, those erased that `holder` has not yet said it destroyed.
    pub fn to_be_said_destroyed(&self, contents: &[Digest], holder: &Path) -> Vec<Digest> {
        let unsaid = |digest: &&Digest| {
            let erased = self.item(digest).and_then(|item| item.erased.as_ref());
            erased.is_some_and(|it| !it.destroyed.iter().any(|(by, _)| by == holder))
        };
        contents.iter().filter(unsaid).copied().collect()
    }
}

/// The head of a department that holds it has personal content erased; `departments` are those that hold the docket, an authority
/// among them where it has a case of the public.
///
/// # Errors
/// `NotYourDepartment`, `TooLong`, `NoSuchContent` under PIPL 47; what [`statute::check_may_erase`] refuses.
pub fn act(
    personal: &Personal,
    departments: &[Debtor],
    said: &ErasureAct,
    act: &VerifiedAct,
    law: &Law<'_>,
    now: Moment,
) -> Result<ErasureEvent, Refusal> {
    let ErasureAct::Erase {
        contents, ground, ..
    } = said;
    if !departments.iter().any(|it| it.includes(act.doer())) {
        return Err(RefusalReason::NotYourDepartment.under(Article::P47));
    }
    at_most(contents.len(), MAX_ERASED_PER_ACT, Article::P47)?;
    let unknown = || RefusalReason::NoSuchContent.under(Article::P47);
    let twice = (1..contents.len()).any(|i| contents[..i].contains(&contents[i]));
    if contents.is_empty() || twice {
        return Err(unknown());
    }
    for digest in contents {
        let item = personal
            .item(digest)
            .filter(|item| item.erased.is_none())
            .ok_or_else(unknown)?;
        let since = personal.kept_since(item);
        statute::check_may_erase(
            since.map(|since| beijing_date(since.as_millis())),
            law.profile.retention(),
            beijing_date(now.as_millis()),
        )?;
    }
    Ok(ErasureEvent::Decided {
        act: act.signed().clone(),
        contents: contents.clone(),
        ground: *ground,
    })
}

#[cfg(test)]
mod tests;
