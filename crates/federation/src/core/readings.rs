//! Readings (R29, R36): what a record of use says, and what lies in the object store, is given only when it is on record here who reads.
//!
//! A record of the batch is durable before any effect of it leaves, and the answer is such an effect: so no text and no byte is given that a crash
//! could make unread.

use identity::{Digest, Moment};
use serde::{Deserialize, Serialize};
use sharing::act::{ActBody, Doer, SignedAct, VerifiedAct};
use sharing::application::{ApplicationEvent, UseRecord, UseTexts};
use sharing::docket::{Case, DocketBody, DocketEvent, DocketId, MAX_EVENT_BYTES};
use sharing::reading::{InspectionEvent, KeptUse, MAX_ATTACHED, MAX_USES_GIVEN, ReadingAct};
use statute::rule::{self, Rule};
use statute::{Article, Refusal, RefusalReason};

use super::acts::Outcome;
use super::tables::DocketRow;
use super::{Answer, Context, Core, Effect, Record, Token};
use crate::store::Fault;

/// What a token of the API allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allowed {
    /// Reads.
    Viewer,
    /// Sends acts and objects.
    Operator,
    /// Installs membership.
    Admin,
}

/// A program that calls the API, as its token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// Digest of the token, as in the token file.
    pub token: Digest,
    /// What the token allows.
    pub allowed: Allowed,
    /// What the token file notes of it.
    pub note: String,
}

/// Most characters of a caller's note that are kept: a name and a purpose.
const MAX_NOTE_CHARS: usize = 200;

/// Who read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadBy {
    /// A person, by an act signed with their own key.
    Person(Doer),
    /// A program, by its token.
    Program(Caller),
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadWhat {
    /// The records of use in a docket, from an event on.
    Uses {
        /// Which docket.
        docket: DocketId,
        /// The first event.
        from: u32,
    },
    /// A file in the object store.
    Object {
        /// Its content's digest.
        digest: Digest,
    },
    /// The evidence of a docket that holds records of use.
    Evidence {
        /// Which docket.
        docket: DocketId,
    },
}

/// A record of use as it is given to whoever may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseGiven {
    /// Which event of the docket that was read.
    pub sequence: u32,
    /// When the use was recorded.
    pub at: Moment,
    /// Who recorded it.
    pub by: Doer,
    /// Digest of the signed act that recorded it.
    pub digest: Digest,
    /// What the act commits to.
    pub record: UseRecord,
    /// What was done with the data, from the vault of the node that answers; none here, and none where it was erased or has not come yet.
    pub texts: Option<UseTexts>,
}

/// What one reading gives: at most [`MAX_USES_GIVEN`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsesGiven {
    /// In order.
    pub uses: Vec<UseGiven>,
    /// The event from which the next reading goes on, where there are more.
    pub next: Option<u32>,
}

impl Core {
    /// R29: a reading is judged in full where the reader is, the home or a party that holds a copy: both hold the same docket.
    pub(super) fn judge_reading(
        &self,
        ctx: &Context<'_, '_>,
        act: &VerifiedAct,
        docket: DocketId,
    ) -> Result<Outcome, Fault> {
        let decided = match self.docket_row(ctx, &docket)? {
            // Whoever holds no such records is nobody who may read them.
            None => Err(not_entitled()),
            Some(row) if !holds_uses(&row) => Err(not_entitled()),
            Some(row) => self.decide_step(ctx, &row, act)?,
        };
        Ok(match decided {
            Ok(_) => Outcome::Accepted {
                docket: Some(docket),
                warnings: Vec::new(),
            },
            Err(refusal) => Outcome::Refused(refusal),
        })
    }

    /// What an accepted act of reading gives, once that it was done is recorded.
    pub(super) fn read_uses(
        &self,
        ctx: &mut Context<'_, '_>,
        act: &VerifiedAct,
    ) -> Result<Option<UsesGiven>, Fault> {
        let ActBody::Reading(ReadingAct::Read { docket, from }) = act.act().body else {
            return Ok(None);
        };
        let by = ReadBy::Person(act.doer().clone());
        let (what, at) = (ReadWhat::Uses { docket, from }, ctx.now);
        ctx.record(&Record::Read { by, what, at })?;
        let Some(row) = self.docket_row(ctx, &docket)? else {
            return Ok(None);
        };
        let mut given = UsesGiven {
            uses: Vec::new(),
            next: None,
        };
        for sequence in from..row.next {
            let Some(kept) = KeptUse::of(&self.opened_event(ctx, &docket, sequence)?) else {
                continue;
            };
            if given.uses.len() == MAX_USES_GIVEN {
                given.next = Some(sequence);
                break;
            }
            let (digest, at) = (kept.digest(), kept.at);
            if let (Some(person), Some((_, record))) = (kept.act.signer.holder(), kept.record()) {
                given.uses.push(UseGiven {
                    sequence,
                    at,
                    by: person.into(),
                    digest,
                    record,
                    texts: None,
                });
            }
        }
        Ok(Some(given))
    }

    /// Somebody read at another node: whoever holds the docket has it on record.
    pub(super) fn read_elsewhere(
        &self,
        ctx: &mut Context<'_, '_>,
        docket: DocketId,
        act: &SignedAct,
    ) -> Result<(), Fault> {
        let (Some(person), Some(ActBody::Reading(ReadingAct::Read { from, .. }))) =
            (act.signer.holder(), act.body())
        else {
            return Ok(());
        };
        if self.place().is_some_and(|here| here.code() == person.node) {
            return Ok(());
        }
        let (by, at) = (ReadBy::Person(person.into()), ctx.now);
        let what = ReadWhat::Uses { docket, from };
        ctx.record(&Record::Read { by, what, at })
    }

    /// R29, R36: a program reads a file, or evidence of a docket with records of use; it is given to it when this is durable.
    pub(super) fn program_reads(
        &self,
        ctx: &mut Context<'_, '_>,
        token: Token,
        what: ReadWhat,
        mut by: Caller,
    ) -> Result<(), Fault> {
        if let Some((end, _)) = by.note.char_indices().nth(MAX_NOTE_CHARS) {
            by.note.truncate(end);
        }
        let (by, at) = (ReadBy::Program(by), ctx.now);
        if !rule::is_off(Rule::Trace) {
            ctx.record(&Record::Read { by, what, at })?;
        }
        let answer = Ok(Answer::at(at));
        ctx.effects.push(Effect::Answer { token, answer });
        Ok(())
    }

    /// R29: at the node of whoever keeps the records, an order attaches those that stand there now, and is shown.
    pub(super) fn reading_ordered(
        &mut self,
        ctx: &mut Context<'_, '_>,
        inspection: DocketId,
    ) -> Result<(), Fault> {
        let Some(Case::Inspection(state)) =
            self.docket_row(ctx, &inspection)?.map(|row| row.state.case)
        else {
            return Ok(());
        };
        let about = state.order.about;
        let Some(row) = self.docket_row(ctx, &about)? else {
            return Ok(());
        };
        let mut kept = Vec::new();
        for sequence in (0..row.next).rev() {
            let used = KeptUse::of(&self.opened_event(ctx, &about, sequence)?);
            // What was erased meanwhile is not there to be read.
            let stands = |used: &KeptUse| {
                let said = used.record().map(|(_, record)| record.said.digest);
                let item = said.and_then(|said| row.state.personal.item(&said));
                item.is_some_and(|item| item.erased.is_none())
            };
            kept.extend(used.filter(stands));
            if kept.len() == MAX_ATTACHED {
                break;
            }
        }
        kept.reverse();
        let (by, reason) = (state.by.code(), &state.order.reason);
        ctx.finding(
            format!(
                "{by}责成查阅案卷{}的使用记录（查阅案卷{}）：{reason}",
                about.0.short(),
                inspection.0.short()
            ),
            format!(
                "{by} ordered a reading of the records of use of docket {} (inspection {}): {reason}",
                about.0.short(),
                inspection.0.short()
            ),
            Some(Article::R29),
        )?;
        if kept.is_empty() {
            return Ok(());
        }
        let attached = kept.into_iter().map(InspectionEvent::Attached);
        let bodies = attached.map(DocketBody::Inspection).collect();
        self.append_or_tell(ctx, inspection, bodies)
    }

    fn opened_event(
        &self,
        ctx: &Context<'_, '_>,
        docket: &DocketId,
        sequence: u32,
    ) -> Result<DocketEvent, Fault> {
        self.stored_event(ctx, docket, sequence)?
            .claimed(MAX_EVENT_BYTES)
            .map_err(|error| Fault(format!("stored event: {error}")))
    }
}

/// The reading that an event records.
pub(super) fn reading_in(body: &DocketBody) -> Option<&SignedAct> {
    match body {
        DocketBody::Application(ApplicationEvent::UsesRead { act, .. })
        | DocketBody::Inspection(InspectionEvent::Read { act, .. }) => Some(act),
        _ => None,
    }
}

fn holds_uses(row: &DocketRow) -> bool {
    row.state.case.is_read_on_record()
}

fn not_entitled() -> Refusal {
    RefusalReason::NotEntitledToRead.under(Article::R29)
}
