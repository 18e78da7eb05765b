//! The ledger and evidence from it.

use identity::{Certificate, Chain, Path, Signed};
use sharing::docket::DocketId;
use sharing::ledger::evidence::MAX_COSIGNATURES;
use sharing::ledger::{Checkpoint, Evidence, merkle};

use super::{MAX_PAGE, chain, own_chain};
use crate::core::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use crate::core::project::{IndexRow, MAX_RECORD_BYTES, event_leaf_key};
use crate::core::record::Record;
use crate::core::tables::{
    CheckpointRow, View, WitnessRow, counter, decode_row, key_tail_u64, meta, witness_key,
};
use crate::store::{Fault, Read, Table};

/// Evidence of one event of a docket as it stands in this node's ledger.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn evidence(read: &dyn Read, id: DocketId, sequence: u32) -> Result<Option<Evidence>, Fault> {
    match read.row::<u64>(Table::DocketEvents, &event_leaf_key(&id, sequence))? {
        Some(index) => evidence_at(read, index),
        None => Ok(None),
    }
}

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
