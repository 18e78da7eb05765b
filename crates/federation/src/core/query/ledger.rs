//! The ledger and evidence from it.

use std::collections::BTreeSet;

use identity::membership::MAX_CERTIFICATE_BYTES;
use identity::{Certificate, Chain, Moment, Path, Signed};
use sharing::docket::{DocketId, MAX_EVENT_BYTES};
use sharing::ledger::evidence::MAX_COSIGNATURES;
use sharing::ledger::{Checkpoint, Evidence, checkpoint, merkle};

use super::{MAX_PAGE, chain, own_chain};
use crate::core::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use crate::core::project::{IndexRow, MAX_RECORD_BYTES, event_leaf_key};
use crate::core::record::Record;
use crate::core::tables::{
    CheckpointRow, View, WitnessRow, counter, decode_row, key_tail_u64, meta, witness_key,
};
use crate::evidence::{Attested, DocketEvidence, Entry, MAX_SIGNING_NODES, signing_nodes};
use crate::store::{Fault, Read, Table};

/// Checkpoints looked through for one that was cosigned: a node signs one when something happened and a neighbour cosigns within the minute.
const MAX_LOOKED_THROUGH: usize = 256;

/// Evidence of one ledger record, against the checkpoint that covers it and that most others cosigned: the parent, and witnesses where the
/// certificate names some.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evidence_at(read: &dyn Read, index: u64) -> Result<Option<Evidence>, Fault> {
    let Some(line) = read.row::<IndexRow>(Table::Index, &index.to_be_bytes())? else {
        return Ok(None);
    };
    let Some(chain) = own_chain(read)? else {
        return Ok(None);
    };
    let Ok(own) = chain.claimed() else {
        return Ok(None);
    };
    let Some(best) = best_checkpoint(read, &own, index)? else {
        return Ok(None);
    };
    under(read, (index, line), chain, best).map(Some)
}

/// Evidence of one event of a docket against the first checkpoint that covers it and that another cosigned: by when others had it.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub(in crate::core) fn first_attested(
    read: &dyn Read,
    id: DocketId,
    sequence: u32,
) -> Result<Option<Evidence>, Fault> {
    let Some(index) = read.row::<u64>(Table::DocketEvents, &event_leaf_key(&id, sequence))? else {
        return Ok(None);
    };
    let line = read.row::<IndexRow>(Table::Index, &index.to_be_bytes())?;
    let (Some(line), Some(chain)) = (line, own_chain(read)?) else {
        return Ok(None);
    };
    let Ok(own) = chain.claimed() else {
        return Ok(None);
    };
    // A checkpoint of this size ends just before the record.
    let before = index.to_be_bytes();
    let rows = read.scan(Table::Checkpoints, b"", Some(&before), MAX_PAGE)?;
    for (key, row) in rows {
        let mut row: CheckpointRow = decode_row(Table::Checkpoints, &row)?;
        row.cosignatures.retain(|it| may_attest(&own, &it.by));
        row.cosignatures.truncate(MAX_COSIGNATURES);
        if !row.cosignatures.is_empty() {
            let first = (key_tail_u64(&key), row);
            return under(read, (index, line), chain, first).map(Some);
        }
    }
    Ok(None)
}

/// A ledger record as evidence under one checkpoint.
fn under(
    read: &dyn Read,
    (index, line): (u64, IndexRow),
    chain: Chain,
    (size, row): (u64, CheckpointRow),
) -> Result<Evidence, Fault> {
    let inclusion = merkle::inclusion(index, size, &Nodes(read))
        .map_err(|error| Fault(format!("inclusion proof: {error}")))?;
    let mut cosignatures = Vec::new();
    for cosignature in row.cosignatures {
        if let Some((by, _)) = self::chain(read, cosignature.by.code())? {
            cosignatures.push((cosignature, by));
        }
    }
    Ok(Evidence {
        record: line.record,
        index,
        inclusion,
        checkpoint: row.checkpoint,
        chain,
        cosignatures,
    })
}

/// Of the checkpoints that cover a record, the one with most cosignatures that count, of several the newest: where parent and witnesses
/// stand, and else the newest signed.
fn best_checkpoint(
    read: &dyn Read,
    own: &Certificate,
    index: u64,
) -> Result<Option<(u64, CheckpointRow)>, Fault> {
    let newest = read
        .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
        .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok());
    let mut sizes = vec![counter(read, meta::COSIGNED)?];
    sizes.extend(newest.map(|newest| newest.size));
    for witness in &own.witnesses {
        let row: Option<WitnessRow> = read.row(Table::Meta, &witness_key(witness))?;
        sizes.extend(row.map(|row| row.size));
    }
    let mut best: Option<(u64, CheckpointRow)> = None;
    for size in sizes.into_iter().filter(|size| *size > index) {
        let row: Option<CheckpointRow> = read.row(Table::Checkpoints, &size.to_be_bytes())?;
        let Some(mut row) = row else {
            continue;
        };
        row.cosignatures.retain(|it| may_attest(own, &it.by));
        row.cosignatures.truncate(MAX_COSIGNATURES);
        let rank = |size: u64, row: &CheckpointRow| (row.cosignatures.len(), size);
        if best
            .as_ref()
            .is_none_or(|(at, best)| rank(size, &row) > rank(*at, best))
        {
            best = Some((size, row));
        }
    }
    Ok(best)
}

/// Whether a cosignature of this node counts under the certificate that goes along with the evidence: an earlier one may have named others.
fn may_attest(own: &Certificate, by: &Path) -> bool {
    own.place.parent().as_ref() == Some(by)
        || own.witnesses.contains(&by.code())
        || (own.place.depth() == 1 && by.parent().as_ref() == Some(&own.place))
}

/// Evidence of a whole docket as it stands in this node's ledger; none until a checkpoint covers its last event.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn docket_evidence(read: &dyn Read, id: DocketId) -> Result<Option<DocketEvidence>, Fault> {
    let (Some(copy), Some(ledger)) = (super::docket_copy(read, id)?, own_chain(read)?) else {
        return Ok(None);
    };
    let Ok(own) = ledger.claimed() else {
        return Ok(None);
    };
    let mut places = Vec::with_capacity(copy.events.len());
    let mut sizes = BTreeSet::new();
    for (sequence, signed) in (0..).zip(&copy.events) {
        let index: Option<u64> = read.row(Table::DocketEvents, &event_leaf_key(&id, sequence))?;
        let Some(index) = index else {
            return Ok(None);
        };
        let covered = sizes.iter().any(|size| *size > index);
        let covering = covering_checkpoint(read, &own, index)?;
        if covering.is_none() && !covered {
            return Ok(None);
        }
        sizes.extend(covering);
        // At home an event names the ledger's newest checkpoint when it was ordered: it was not there before.
        if let Ok(event) = signed.claimed(MAX_EVENT_BYTES)
            && event.home == own.place
            && attested(read, &own, event.checkpoint.0)?.is_some()
        {
            sizes.insert(event.checkpoint.0);
        }
        places.push(index);
    }
    let mut checkpoints: Vec<Attested> = Vec::with_capacity(sizes.len());
    let mut before = None;
    for size in &sizes {
        let Some(mut next) = attested(read, &own, *size)? else {
            return Ok(None);
        };
        if let Some(before) = before.replace(*size) {
            next.extends = merkle::consistency(before, *size, &Nodes(read))
                .map_err(|error| Fault(format!("consistency proof: {error}")))?;
        }
        checkpoints.push(next);
    }
    let mut entries = Vec::with_capacity(places.len());
    for index in places {
        let line: Option<IndexRow> = read.row(Table::Index, &index.to_be_bytes())?;
        let size = sizes.range(index + 1..).next();
        let (Some(line), Some(size)) = (line, size) else {
            return Ok(None);
        };
        let inclusion = merkle::inclusion(index, *size, &Nodes(read))
            .map_err(|error| Fault(format!("inclusion proof: {error}")))?;
        entries.push(Entry {
            record: line.record,
            index,
            inclusion,
        });
    }
    let made = checkpoints
        .last()
        .and_then(|last| last.checkpoint.claimed(MAX_CHECKPOINT_BYTES).ok())
        .map_or(Moment::MIN, |last| last.at);
    let mut members = Vec::new();
    for code in signing_nodes(&copy).into_iter().take(MAX_SIGNING_NODES) {
        if let Some((chain, _)) = self::chain(read, code)?
            && holds_at(&chain, made)
        {
            members.push(chain);
        }
    }
    Ok(Some(DocketEvidence {
        copy,
        members,
        ledger,
        entries,
        checkpoints,
        contents: Vec::new(),
    }))
}

/// The size of the first cosigned checkpoint that covers a record; where none of those looked through is cosigned, of the last of them.
fn covering_checkpoint(
    read: &dyn Read,
    own: &Certificate,
    index: u64,
) -> Result<Option<u64>, Fault> {
    let mut last = None;
    let after = index.to_be_bytes();
    for (key, _) in read.scan(Table::Checkpoints, b"", Some(&after), MAX_LOOKED_THROUGH)? {
        let size = key_tail_u64(&key);
        if let Some(attested) = attested(read, own, size)? {
            last = Some(size);
            if !attested.cosignatures.is_empty() {
                break;
            }
        }
    }
    Ok(last)
}

/// A checkpoint of this ledger with the cosignatures that count, where it holds under the certificate that goes along with the evidence.
fn attested(read: &dyn Read, own: &Certificate, size: u64) -> Result<Option<Attested>, Fault> {
    let Some(row) = read.row::<CheckpointRow>(Table::Checkpoints, &size.to_be_bytes())? else {
        return Ok(None);
    };
    match checkpoint::verify(&row.checkpoint, own) {
        Ok(checkpoint) if (own.valid_from..=own.valid_until).contains(&checkpoint.at) => {}
        Ok(_) | Err(_) => return Ok(None),
    }
    let mut cosignatures = Vec::new();
    for cosignature in row.cosignatures {
        let known = self::chain(read, cosignature.by.code())?;
        let holds = |chain: &Chain| {
            let witness = chain.claimed();
            witness.is_ok_and(|it| {
                checkpoint::verify_cosignature(&row.checkpoint, &cosignature, &it).is_ok()
            }) && holds_at(chain, cosignature.at)
        };
        if let Some((chain, _)) = known
            && may_attest(own, &cosignature.by)
            && holds(&chain)
            && cosignatures.len() < MAX_COSIGNATURES
        {
            cosignatures.push((cosignature, chain));
        }
    }
    Ok(Some(Attested {
        checkpoint: row.checkpoint,
        extends: Vec::new(),
        cosignatures,
    }))
}

/// Whether every certificate of a chain runs at a moment: one that was renewed since proves nothing of before.
fn holds_at(chain: &Chain, at: Moment) -> bool {
    chain.certificates().iter().all(|signed| {
        signed
            .claimed(MAX_CERTIFICATE_BYTES)
            .is_ok_and(|certificate| {
                (certificate.valid_from..=certificate.valid_until).contains(&at)
            })
    })
}

/// Ledger records in order; `after` is the index of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn ledger(
    read: &dyn Read,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<(u64, Record)>, Fault> {
    let after = after.map(u64::to_be_bytes);
    let mut found = Vec::new();
    for (key, row) in read.scan(
        Table::Index,
        b"",
        after.as_ref().map(<[u8; 8]>::as_slice),
        limit.min(MAX_PAGE),
    )? {
        let line: IndexRow = decode_row(Table::Index, &row)?;
        let record = identity::codec::decode(&line.record, MAX_RECORD_BYTES)
            .map_err(|error| Fault(format!("ledger record: {error}")))?;
        found.push((key_tail_u64(&key), record));
    }
    Ok(found)
}
