//! The ledger about itself: leaves, checkpoints, cosignatures, and what the operator was told.

use identity::{Chain, Code, Moment, Signed};
use serde::{Deserialize, Serialize};
use sharing::ledger::{Checkpoint, Cosignature, merkle};

use crate::core::checkpoints::{MAX_CHECKPOINT_BYTES, Nodes};
use crate::core::readings::{ReadBy, ReadWhat};
use crate::core::record::Record;
use crate::core::tables::{
    CheckpointRow, Standing, View, WitnessRow, code_key, counter, merkle_key, meta, put,
    refused_key, set_counter, witness_key,
};
use crate::core::view::{FindingView, ReadingView};
use crate::store::{Fault, Table, Txn};

/// One line of the ledger's index: what a record is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    /// The record itself: small, and read back for evidence and audit.
    pub record: Vec<u8>,
}

/// The Merkle leaf, the index line, and what weight the record has.
pub(super) fn append_leaf(bytes: &[u8], record: &Record, txn: &mut Txn<'_>) -> Result<(), Fault> {
    let size = counter(txn, meta::LEAVES)?;
    let nodes = merkle::append(size, merkle::leaf(bytes), &Nodes(&*txn))
        .map_err(|error| Fault(format!("ledger: {error}")))?;
    for (level, index, digest) in nodes {
        put(txn, Table::LedgerNodes, merkle_key(level, index), &digest);
    }
    set_counter(txn, meta::LEAVES, size + 1);
    let line = IndexRow {
        record: bytes.to_vec(),
    };
    put(txn, Table::Index, size.to_be_bytes().to_vec(), &line);
    let weight = weight(record);
    if weight >= Weight::Signed {
        count(txn, meta::SIGNIFICANT)?;
    }
    if weight >= Weight::Witnessed {
        count(txn, meta::MATTERS)?;
    }
    Ok(())
}

fn count(txn: &mut Txn<'_>, name: &[u8]) -> Result<(), Fault> {
    let value = counter(txn, name)?;
    set_counter(txn, name, value + 1);
    Ok(())
}

/// What a record calls for. Each level leaves out what the level itself brings about, or it would feed itself for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// The ledger's own bookkeeping: the next checkpoint covers it.
    Bookkeeping,
    /// A new checkpoint, cosigned on a link. Envelopes are of this kind: witnesses are reached by them.
    Signed,
    /// A checkpoint that witnesses cosign.
    Witnessed,
}

fn weight(record: &Record) -> Weight {
    match record {
        Record::CheckpointSigned { .. }
        | Record::Cosigned { .. }
        | Record::ChildCosigned { .. }
        | Record::WitnessAsked { .. }
        | Record::WitnessRefused { .. }
        | Record::Passed { .. } => Weight::Bookkeeping,
        Record::Queued { .. }
        | Record::Sealed { .. }
        | Record::Taken { .. }
        | Record::Undeliverable { .. }
        | Record::ChainLearned { .. }
        | Record::Finding { .. } => Weight::Signed,
        Record::Installed { .. }
        | Record::Act { .. }
        | Record::NoticeTaken { .. }
        | Record::Refused { .. }
        | Record::Certified { .. }
        | Record::Revoked { .. }
        | Record::Segment { .. }
        | Record::ForkFound { .. }
        | Record::Event { .. }
        | Record::Fetched { .. }
        | Record::Served { .. }
        | Record::Call { .. }
        | Record::NotTaken { .. }
        | Record::Destroyed { .. }
        | Record::Delivery { .. }
        | Record::Read { .. }
        | Record::SeenOverdue { .. }
        | Record::TimeDoubted { .. }
        | Record::TimeBorneOut { .. }
        | Record::CheckpointRefused { .. } => Weight::Witnessed,
    }
}

/// A checkpoint of this ledger was signed.
pub(super) fn checkpoint_signed(
    txn: &mut Txn<'_>,
    checkpoint: Signed<Checkpoint>,
) -> Result<(), Fault> {
    let significant = counter(txn, meta::SIGNIFICANT)?;
    set_counter(txn, meta::SIGNIFICANT_SIGNED, significant);
    put(txn, Table::Meta, meta::CHECKPOINT.to_vec(), &checkpoint);
    if let Ok(claimed) = checkpoint.claimed(MAX_CHECKPOINT_BYTES) {
        let row = CheckpointRow {
            checkpoint,
            cosignatures: Vec::new(),
            matters: counter(txn, meta::MATTERS)?,
        };
        let key = claimed.size.to_be_bytes().to_vec();
        put(txn, Table::Checkpoints, key, &row);
    }
    Ok(())
}

/// It was cosigned: by a neighbour in the tree, by a witness, or by a child of the hub that is both.
pub(super) fn cosigned(
    txn: &mut Txn<'_>,
    size: u64,
    cosignature: Cosignature,
) -> Result<(), Fault> {
    let Some(mut row) = txn.row::<CheckpointRow>(Table::Checkpoints, &size.to_be_bytes())? else {
        return Ok(());
    };
    let by = cosignature.by.clone();
    row.cosignatures.push(cosignature);
    put(txn, Table::Checkpoints, size.to_be_bytes().to_vec(), &row);
    let Some(me) = txn
        .row::<Chain>(Table::Meta, meta::CHAIN)?
        .and_then(|chain| chain.claimed().ok())
    else {
        return Ok(());
    };
    if me.place.parent().as_ref() == Some(&by) || by.parent().as_ref() == Some(&me.place) {
        let newest = counter(txn, meta::COSIGNED)?.max(size);
        set_counter(txn, meta::COSIGNED, newest);
    }
    if me.witnesses.contains(&by.code()) {
        let before = witness(txn, &by.code())?;
        let after = WitnessRow {
            size: before.size.max(size),
            covered: before.covered.max(row.matters),
            asked: before.asked,
            standing: Standing::Free,
            told: false,
        };
        put(txn, Table::Meta, witness_key(&by.code()), &after);
    }
    Ok(())
}

fn witness(txn: &Txn<'_>, code: &Code) -> Result<WitnessRow, Fault> {
    let row = txn.row(Table::Meta, &witness_key(code))?;
    Ok(row.unwrap_or_default())
}

/// A witness was asked.
pub(super) fn witness_asked(txn: &mut Txn<'_>, code: &Code, at: Moment) -> Result<(), Fault> {
    let mut row = witness(txn, code)?;
    row.asked = Some(at);
    row.standing = match row.standing {
        Standing::Corrected => Standing::AskedAgain,
        Standing::Free | Standing::Asked | Standing::AskedAgain | Standing::Refused => {
            Standing::Asked
        }
    };
    put(txn, Table::Meta, witness_key(code), &row);
    Ok(())
}

/// A witness refused, or named the size from which it wants the proof.
pub(super) fn witness_refused(
    txn: &mut Txn<'_>,
    code: &Code,
    from: Option<u64>,
) -> Result<(), Fault> {
    let mut row = witness(txn, code)?;
    match from {
        Some(size) => {
            row.size = size;
            row.standing = Standing::Corrected;
        }
        None => {
            row.standing = Standing::Refused;
            row.told = true;
        }
    }
    put(txn, Table::Meta, witness_key(code), &row);
    Ok(())
}

/// Another node's checkpoint was cosigned here: it is the one the next must extend.
pub(super) fn other_cosigned(txn: &mut Txn<'_>, checkpoint: &Signed<Checkpoint>) {
    if let Ok(claimed) = checkpoint.claimed(MAX_CHECKPOINT_BYTES) {
        let code = claimed.node.code();
        put(txn, Table::Cosigned, code_key(&code), checkpoint);
        txn.delete(Table::Seen, refused_key(&code));
    }
}

/// Two checkpoints of one node that are not of one history.
pub(super) fn refused(txn: &mut Txn<'_>, both: &(Signed<Checkpoint>, Signed<Checkpoint>)) {
    if let Ok(claimed) = both.1.claimed(MAX_CHECKPOINT_BYTES) {
        put(txn, Table::Seen, refused_key(&claimed.node.code()), both);
    }
}

/// Something the operator must know, numbered; the newest comes first in its table.
pub(super) fn found(
    txn: &mut Txn<'_>,
    (zh, en): (String, String),
    article: Option<statute::Article>,
    at: Moment,
) -> Result<(), Fault> {
    newest_first(txn, meta::FINDINGS, Table::Findings, |number| FindingView {
        number,
        zh,
        en,
        article,
        at,
    })
}

/// Puts the next row of a table in which the newest comes first.
fn newest_first<T: Serialize>(
    txn: &mut Txn<'_>,
    counted: &[u8],
    table: Table,
    row: impl FnOnce(u64) -> T,
) -> Result<(), Fault> {
    let number = counter(txn, counted)? + 1;
    set_counter(txn, counted, number);
    let key = (u64::MAX - number).to_be_bytes().to_vec();
    put(txn, table, key, &row(number));
    Ok(())
}

/// Content was read; the newest comes first in its table.
pub(super) fn read(txn: &mut Txn<'_>, by: ReadBy, what: ReadWhat, at: Moment) -> Result<(), Fault> {
    newest_first(txn, meta::READINGS, Table::Readings, |number| ReadingView {
        number,
        by,
        what,
        at,
    })
}
