//! Both sides keep time. Whoever owes a step usually also orders the docket, so its clock is not believed alone: a node that holds a copy runs the
//! same clock on it, and looks at every date that the home signs.
//!
//! ```text
//! duty in a copy ──its end, and what may be under way──► overdue, as this node saw it ──┬─ the home says the same ──► agreed
//!                                                                                      ├─ done after the end ──────► done late
//!                                                                                      ├─ "done in time" ──────────► claimed ──cosigned before the end──► borne out
//!                                                                                      └─ the period was counted again ──► moved
//! ```

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};
use statute::{Article, Duty};

use super::{Clock, ClockEvent, Debtor, Law, OpenDuty, Term, recompute, tick};
use crate::act::{MAX_ACT_AHEAD_MS, MAX_ACT_BYTES};
use crate::docket::{DocketBody, DocketEvent};
use crate::ledger::{Checkpoint, MAX_CLOCK_AHEAD_MS};

/// How long what the home says may be under way after the end of a time limit, in milliseconds: an hour, for a message that a hop sends again every
/// few seconds. Until then silence says nothing.
pub const IN_FLIGHT_MS: i64 = 3_600_000;

/// How the home stood when its time limit passed here and it had said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HomeStanding {
    /// It cannot be reached from here, as far as is known (失联).
    Unreachable,
    /// The way to it stands, and it says nothing (无消息).
    Silent,
    /// By its own clock the time limit still runs (时钟不符).
    Contradicts {
        /// What its clock shows.
        their_clock: Moment,
    },
}

/// A duty of a docket at another home that was not met in time by the clock of the node that holds the copy (逾期，本节点所见). What the home says
/// later is put beside it; the finding itself stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnLapse {
    /// Which duty.
    pub duty: Duty,
    /// Under which article.
    pub article: Article,
    /// Its time limit by the calendar here.
    pub term: Term,
    /// Who owed it.
    pub who: Debtor,
    /// How the home stood.
    pub home: HomeStanding,
    /// When it was recorded, by the clock here.
    pub at: Moment,
    /// What the home made of it; `None` while it has said nothing.
    pub outcome: Option<Outcome>,
}

/// What the home of a docket said of a duty after it was found overdue at a copy. `at` is the home's clock, `received` the one here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The home recorded it overdue, too.
    Agreed {
        /// When it recorded that.
        at: Moment,
        /// When that came.
        received: Moment,
    },
    /// It was done after its end.
    DoneLate {
        /// When.
        at: Moment,
        /// When that came.
        received: Moment,
    },
    /// The home says that it was done, or extended, before its end, and nobody else bears that out (答复时间存疑).
    Claimed {
        /// In which event.
        sequence: u32,
        /// When, as it says.
        at: Moment,
        /// When that came.
        received: Moment,
    },
    /// Others than the home had its ledger with that event before the end: it was done in time.
    BorneOut {
        /// When, as the home says.
        at: Moment,
        /// When the ledger was cosigned.
        cosigned: Moment,
        /// By whom.
        by: Path,
    },
    /// By another calendar it was not due yet.
    Moved {
        /// When it is due.
        due: Moment,
        /// When that came.
        received: Moment,
    },
}

/// Why the time of an event is in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doubt {
    /// It lies ahead of the clock here, further than two clocks differ.
    FromTheFuture {
        /// How far, in milliseconds.
        ahead_ms: i64,
    },
    /// It lies before the event that it follows.
    BeforeThePrevious {
        /// The time of that event.
        previous: Moment,
    },
    /// It lies before a checkpoint of the home that was cosigned here, and that the event comes after by what it names itself.
    BeforeItsCheckpoint {
        /// The time of that checkpoint.
        checkpoint: Moment,
    },
    /// A person signed what it rests on later, by their own clock.
    SignedLater {
        /// That time.
        signed: Moment,
    },
    /// It says that a duty was done or extended in time, and came only when that time was long over.
    ClaimedInTime {
        /// Which duty.
        duty: Duty,
        /// When it arose.
        arises: Moment,
        /// When it was due.
        due: Moment,
    },
}

/// A docket's event whose time is in doubt at a copy (时间存疑).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoubtedTime {
    /// Which event.
    pub sequence: u32,
    /// When it happened, as the home says.
    pub claimed: Moment,
    /// When it came here.
    pub received: Moment,
    /// Why it is in doubt.
    pub doubts: Vec<Doubt>,
    /// Who else had it by when, once that was shown.
    pub borne_out: Option<BorneOut>,
}

/// By when others than the home had an event under their signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BorneOut {
    /// When the home's ledger was cosigned with the event in it, by the cosigner's clock.
    pub cosigned: Moment,
    /// By whom.
    pub by: Path,
}

impl DoubtedTime {
    /// Whether it says that something was done in time which nobody else bears out: what may be disputed (R28).
    pub fn is_disputed(&self) -> bool {
        let late = |doubt: &Doubt| match doubt {
            Doubt::ClaimedInTime { due, .. } => {
                let shown = self.borne_out.as_ref();
                shown.is_none_or(|it| it.cosigned >= *due)
            }
            Doubt::FromTheFuture { .. }
            | Doubt::BeforeThePrevious { .. }
            | Doubt::BeforeItsCheckpoint { .. }
            | Doubt::SignedLater { .. } => false,
        };
        self.doubts.iter().any(late)
    }
}

/// The duties of a copy that are overdue by the clock and the calendar here, and of which the home has had time to speak. `duties` are as amended.
pub fn overdue_here(
    clock: &Clock,
    duties: &[OpenDuty],
    law: &Law<'_>,
    now: Moment,
) -> Vec<OpenDuty> {
    let counted = |clock: Clock, event: &ClockEvent| clock.clone().evolve(event).unwrap_or(clock);
    let by_law = recompute(clock, duties, law);
    let clock = by_law.iter().fold(clock.clone(), counted);
    let duties: Vec<OpenDuty> = duties.iter().map(|it| clock.on(it.clone())).collect();
    let passed = tick(
        &clock,
        &duties,
        law.calendar,
        now.plus_millis(-IN_FLIGHT_MS),
    );
    let is_late = |open: &OpenDuty| {
        passed.iter().any(|event| {
            matches!(event, ClockEvent::Overdue { duty, arises, .. }
                if (*duty, *arises) == (open.duty, open.term.arises))
        })
    };
    duties.into_iter().filter(is_late).collect()
}

/// What an event of the home makes of a duty that ran before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is overdue.
    Overdue,
    /// It is done, or owed no more.
    Done,
    /// More time was given.
    Extended,
    /// The same period ends later, by a holiday notice.
    Moved(Moment),
}

/// What an event says of the duties that ran before it. `before` and `after` are as amended.
pub fn words<'a>(
    before: &'a [OpenDuty],
    after: &[OpenDuty],
    body: &DocketBody,
) -> Vec<(&'a OpenDuty, Word)> {
    let of = |open: &'a OpenDuty| {
        let same = |duty: &statute::Duty, arises: &Moment| {
            (*duty, *arises) == (open.duty, open.term.arises)
        };
        let recorded = matches!(body, DocketBody::Clock(ClockEvent::Overdue { duty, arises, .. }) if same(duty, arises));
        if recorded {
            return Some((open, Word::Overdue));
        }
        let runs = after.iter().find(|it| same(&it.duty, &it.term.arises));
        let counted = matches!(body, DocketBody::Clock(ClockEvent::Recomputed { .. }));
        match runs {
            None => Some((open, Word::Done)),
            Some(runs) if runs.term.due > open.term.due && counted => {
                Some((open, Word::Moved(runs.term.due)))
            }
            Some(runs) if runs.term.due > open.term.due => Some((open, Word::Extended)),
            Some(_) => None,
        }
    };
    before.iter().filter_map(of).collect()
}

impl OwnLapse {
    /// What an event of the home makes of this finding; `None` when it is about something else.
    pub fn outcome_of(
        &self,
        event: &DocketEvent,
        words: &[(&OpenDuty, Word)],
        received: Moment,
    ) -> Option<Outcome> {
        let (_, word) = words
            .iter()
            .find(|(open, _)| (open.duty, open.term.arises) == (self.duty, self.term.arises))?;
        let at = event.at;
        let sequence = event.sequence;
        Some(match word {
            Word::Overdue => Outcome::Agreed { at, received },
            Word::Moved(due) => Outcome::Moved {
                due: *due,
                received,
            },
            Word::Done | Word::Extended if at < self.term.due => Outcome::Claimed {
                sequence,
                at,
                received,
            },
            Word::Done | Word::Extended => Outcome::DoneLate { at, received },
        })
    }

    /// The finding when it was shown by when others had the event that claims to be in time.
    #[must_use]
    pub fn borne_out(mut self, event: u32, shown: &BorneOut) -> Self {
        if let Some(Outcome::Claimed { sequence, at, .. }) = self.outcome
            && sequence == event
            && shown.cosigned < self.term.due
        {
            self.outcome = Some(Outcome::BorneOut {
                at,
                cosigned: shown.cosigned,
                by: shown.by.clone(),
            });
        }
        self
    }
}

/// An event of a docket as it came to a node that holds a copy.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    /// It.
    pub event: &'a DocketEvent,
    /// The time of the event before.
    pub previous: Option<Moment>,
    /// The newest checkpoint of the home that was cosigned here.
    pub cosigned: Option<&'a Checkpoint>,
    /// The clock here.
    pub received: Moment,
}

/// Why the time that a home gives an event is in doubt here. `words` is what it says of the duties that ran.
pub fn doubts(arrival: &Arrival<'_>, clock: &Clock, words: &[(&OpenDuty, Word)]) -> Vec<Doubt> {
    let Arrival {
        event,
        previous,
        cosigned,
        received,
    } = *arrival;
    let at = event.at;
    let mut found = Vec::new();
    let ahead_ms = at.millis_since(received);
    if ahead_ms > MAX_CLOCK_AHEAD_MS {
        found.push(Doubt::FromTheFuture { ahead_ms });
    }
    if let Some(previous) = previous.filter(|previous| at < *previous) {
        found.push(Doubt::BeforeThePrevious { previous });
    }
    // It names the newest checkpoint that its home had signed, so it comes after every one that is no larger.
    let earlier =
        |checkpoint: &&Checkpoint| checkpoint.size <= event.checkpoint.0 && at < checkpoint.at;
    if let Some(checkpoint) = cosigned.filter(earlier) {
        let checkpoint = checkpoint.at;
        found.push(Doubt::BeforeItsCheckpoint { checkpoint });
    }
    let signed = event.body.acts().into_iter();
    let signed = signed.filter_map(|act| act.act.claimed(MAX_ACT_BYTES).ok());
    if let Some(signed) = signed.map(|act| act.at).max()
        && signed.millis_since(at) > MAX_ACT_AHEAD_MS
    {
        found.push(Doubt::SignedLater { signed });
    }
    for (open, word) in words {
        let Term { arises, due, .. } = open.term;
        let claims = match word {
            Word::Done | Word::Extended => at < due && !clock.is_overdue(open.duty, arises),
            Word::Overdue | Word::Moved(_) => false,
        };
        if claims && received.millis_since(due) >= IN_FLIGHT_MS {
            let duty = open.duty;
            found.push(Doubt::ClaimedInTime { duty, arises, due });
        }
    }
    found
}

#[cfg(test)]
mod tests;
