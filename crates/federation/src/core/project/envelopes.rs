//! Envelopes: from waiting for a chain into an outbox, and out of it.

use identity::Code;

use crate::core::envelopes::order_key;
use crate::core::tables::{
    OutboxRow, SeenRow, View, code_key, counter, envelope_key, meta, put, set_counter,
};
use crate::store::{Fault, Table, Txn};
use crate::wire::EnvelopeId;

/// A payload's place among those of one destination that wait for its chain.
fn unsealed_key(to: &Code, order: u64) -> Vec<u8> {
    let mut key = code_key(to);
    key.extend_from_slice(&order.to_be_bytes());
    key
}

/// A payload waits to be sealed.
pub(super) fn queued(txn: &mut Txn<'_>, to: &Code, order: u64, payload: &identity::Digest) {
    put(txn, Table::Meta, order_key(to), &order);
    put(txn, Table::Unsealed, unsealed_key(to, order), payload);
}

/// It is sealed and stands in a neighbour's outbox.
pub(super) fn sealed(
    txn: &mut Txn<'_>,
    (to, order): (&Code, u64),
    next: &Code,
    row: OutboxRow,
) -> Result<(), Fault> {
    txn.delete(Table::Unsealed, unsealed_key(to, order));
    into_outbox(txn, next, row)
}

/// An envelope came: into the next outbox, or to stay.
pub(super) fn taken(
    txn: &mut Txn<'_>,
    envelope: EnvelopeId,
    onward: Option<(Code, identity::Digest)>,
    expires: identity::Moment,
) -> Result<(), Fault> {
    match onward {
        Some((next, body)) => {
            let row = OutboxRow {
                envelope,
                body,
                expires,
            };
            into_outbox(txn, &next, row)
        }
        None => {
            let outbox = None;
            let row = SeenRow::Envelope { outbox, expires };
            put(txn, Table::Seen, envelope_key(&envelope), &row);
            Ok(())
        }
    }
}

/// A neighbour has it, or nobody ever will: it leaves the outbox and stays known.
pub(super) fn gone(txn: &mut Txn<'_>, envelope: &EnvelopeId) -> Result<(), Fault> {
    if let Some(SeenRow::Envelope {
        outbox: Some(key),
        expires,
    }) = txn.row(Table::Seen, &envelope_key(envelope))?
    {
        txn.delete(Table::Outbox, key);
        let outbox = None;
        let row = SeenRow::Envelope { outbox, expires };
        put(txn, Table::Seen, envelope_key(envelope), &row);
    }
    Ok(())
}

fn into_outbox(txn: &mut Txn<'_>, next: &Code, row: OutboxRow) -> Result<(), Fault> {
    let place = counter(txn, meta::OUTBOX)? + 1;
    set_counter(txn, meta::OUTBOX, place);
    let mut key = code_key(next);
    key.extend_from_slice(&place.to_be_bytes());
    put(
        txn,
        Table::Seen,
        envelope_key(&row.envelope),
        &SeenRow::Envelope {
            outbox: Some(key.clone()),
            expires: row.expires,
        },
    );
    put(txn, Table::Outbox, key, &row);
    Ok(())
}
