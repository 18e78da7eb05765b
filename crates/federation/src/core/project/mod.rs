//! The projection: how each ledger record changes the tables. Replaying all records rebuilds them.

mod cases;
mod catalogue;
mod clock;
mod envelopes;
mod ledger;
mod members;
mod personal;

use identity::codec;
use sharing::clock::bounds::{BorneOut, DoubtedTime, OwnLapse};

use super::record::Record;
use super::tables::OutboxRow;
use crate::store::{Fault, Txn};

pub(super) use cases::{DraftRow, dataset_key, event_leaf_key, splitting_key, wanted_key};
pub(super) use catalogue::own_entry;
pub(super) use clock::{MAX_OWN_LAPSES, found_before};
pub(super) use ledger::IndexRow;
pub(super) use members::PersonRow;

/// Most bytes of one encoded record.
pub(super) const MAX_RECORD_BYTES: usize = 256 << 10;

/// Applies one record to the tables and appends its leaf.
///
/// # Errors
/// [`Fault`] when the medium fails or the record does not decode (which its checksum had excluded).
pub fn project(bytes: &[u8], txn: &mut Txn<'_>) -> Result<(), Fault> {
    let record: Record = codec::decode(bytes, MAX_RECORD_BYTES)
        .map_err(|error| Fault(format!("ledger record: {error}")))?;
    ledger::append_leaf(bytes, &record, txn)?;
    change(record, txn)
}

/// What one record changes, by the file that keeps those tables.
#[rustfmt::skip] // One record, one line: a table of contents.
fn change(record: Record, txn: &mut Txn<'_>) -> Result<(), Fault> {
    match record {
        Record::Installed { chain, at } => members::installed(txn, &chain, at)?,
        Record::Certified { chain, at } => members::certified(txn, &chain, at)?,
        Record::Revoked { revocation, at } => members::revoked(txn, &revocation, at)?,
        Record::ChainLearned { chain, as_of } => members::remember_chain(txn, &chain, as_of)?,
        Record::NoticeTaken { notice, at } => members::notice_taken(txn, notice, at)?,
        Record::Act { id, doer, body, at } => cases::act(txn, id, &doer, &body, at)?,
        Record::Refused { .. } | Record::Served { .. } | Record::Call { .. } => {}
        Record::Event { docket, sequence, body, home, at } => cases::event(txn, docket, sequence, &body, home, at)?,
        Record::Fetched { docket, object, .. } => personal::fetched(txn, docket, object)?,
        Record::NotTaken { docket, contents, .. } => personal::to_destroy(txn, docket, &contents)?,
        Record::Destroyed { docket, contents, .. } => personal::destroyed(txn, docket, &contents)?,
        Record::Delivery { act, dataset, delivery, .. } => cases::delivered(txn, &act, &dataset, delivery),
        Record::Segment { head, at } => catalogue::segment(txn, &head, at)?,
        Record::ForkFound { first, second, .. } => catalogue::fork_found(txn, &(first, second)),
        Record::Queued { to, order, payload, .. } => envelopes::queued(txn, &to, order, &payload),
        Record::Sealed { to, order, envelope, next, body, expires, .. } => {
            envelopes::sealed(txn, (&to, order), &next, OutboxRow { envelope, body, expires })?;
        }
        Record::Taken { envelope, next, body, expires, .. } => {
            envelopes::taken(txn, envelope, next.zip(body), expires)?;
        }
        Record::Passed { envelope, .. } | Record::Undeliverable { envelope, .. } => envelopes::gone(txn, &envelope)?,
        Record::CheckpointSigned { checkpoint } => ledger::checkpoint_signed(txn, checkpoint)?,
        Record::Cosigned { size, cosignature } => ledger::cosigned(txn, size, cosignature)?,
        Record::ChildCosigned { checkpoint, .. } => ledger::other_cosigned(txn, &checkpoint),
        Record::WitnessAsked { witness, at, .. } => ledger::witness_asked(txn, &witness, at)?,
        Record::WitnessRefused { witness, from, .. } => ledger::witness_refused(txn, &witness, from)?,
        Record::CheckpointRefused { held, refused, .. } => ledger::refused(txn, &(held, refused)),
        Record::SeenOverdue { docket, duty, article, term, who, home, at } => {
            clock::seen_overdue(txn, &docket, OwnLapse { duty, article, term, who, home, at, outcome: None })?;
        }
        Record::TimeDoubted { docket, sequence, claimed, doubts, at } => {
            clock::doubted(txn, &docket, &DoubtedTime { sequence, claimed, received: at, doubts, borne_out: None });
        }
        Record::TimeBorneOut { docket, sequence, cosigned, by, .. } => clock::borne_out(txn, &docket, sequence, BorneOut { cosigned, by })?,
        Record::Read { by, what, at } => ledger::read(txn, by, what, at)?,
        Record::Finding { text_zh, text_en, article, at } => ledger::found(txn, (text_zh, text_en), article, at)?,
    }
    Ok(())
}
