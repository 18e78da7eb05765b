//! Read-only questions to the tables, for the API, the console and the commands. All are bounded; lists page with `after`.

mod aggregation;
mod catalogue;
mod dockets;
mod evaluation;
mod ledger;
mod members;
mod open;
mod sources;

use identity::{Code, Moment, Signed};
use serde::de::DeserializeOwned;
use sharing::ledger::Checkpoint;

use super::checkpoints::MAX_CHECKPOINT_BYTES;
use super::members::cut_off;
use super::tables::{DocketRow, OutboxRow, View, code_key, counter, decode_row, meta};
use super::view::{FindingView, NodeView, ReadingView};
use crate::store::{Fault, Read, Table};

pub use aggregation::{RiskView, risks};
pub use catalogue::{
    MAX_VERSIONS, as_of, own_entries, own_entry, published, published_changes, published_entry,
    published_where, publishers, version, versions,
};
pub(super) use catalogue::{catalogue_as_of, published_in, published_page};
pub use dockets::{docket, docket_copy, dockets, drafts, duties, keeps_content};
pub use evaluation::{EvaluationView, evaluation, evaluations, published_evaluations};
pub(super) use ledger::first_attested;
pub use ledger::{docket_evidence, evidence_at, ledger};
pub use members::{calendar, chain, is_revoked, notices, own_chain, people, person_chain};
pub(super) use open::opening_of;
pub use open::{MAX_OPEN_PAGE, OpenCursor, OpenEntry, open_entries, open_entry, public_case};
pub use sources::{Already, MAX_LOOKED_THROUGH, SourceView, already, holding, sources};

/// Most rows of one page.
pub const MAX_PAGE: usize = 1_000;
/// Rows counted where only a number is asked.
const MAX_COUNTED: usize = 100_000;

/// This node.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn node(read: &dyn Read) -> Result<NodeView, Fault> {
    let chain = own_chain(read)?;
    let cut_off = chain
        .as_ref()
        .map(|chain| cut_off(read, chain))
        .transpose()?
        .flatten();
    let certificate = chain.and_then(|chain| chain.claimed().ok());
    let place = certificate
        .as_ref()
        .map(|certificate| certificate.place.clone());
    let mut outbox: std::collections::BTreeMap<Code, u64> = std::collections::BTreeMap::new();
    for (key, _) in read.scan(Table::Outbox, b"", None, MAX_COUNTED)? {
        if let Some(code) = leading_code(&key) {
            *outbox.entry(code).or_default() += 1;
        }
    }
    let mut children = Vec::new();
    for (key, _) in read.scan(Table::Children, b"", None, MAX_PAGE)? {
        children.extend(leading_code(&key));
    }
    let (mut open_dockets, mut open_incidents) = (0, 0);
    for (_, row) in read.scan(Table::Dockets, b"", None, MAX_COUNTED)? {
        let row: DocketRow = decode_row(Table::Dockets, &row)?;
        open_dockets += u64::from(Some(&row.home) == place.as_ref() && row.state.case.is_open());
        open_incidents += u64::from(row.state.case.is_open_incident());
    }
    Ok(NodeView {
        name: certificate
            .as_ref()
            .map_or_else(String::new, |certificate| certificate.name.clone()),
        valid_until: certificate.map(|certificate| certificate.valid_until),
        cut_off,
        place,
        ledger: counter(read, meta::LEAVES)?,
        checkpoint: read
            .row::<Signed<Checkpoint>>(Table::Meta, meta::CHECKPOINT)?
            .and_then(|signed| signed.claimed(MAX_CHECKPOINT_BYTES).ok())
            .map_or(0, |claimed| claimed.size),
        cosigned: counter(read, meta::COSIGNED)?,
        own_entries: counter(read, meta::OWN_ENTRIES)?,
        catalogue: counter(read, meta::CATALOGUE)?,
        open_dockets,
        open_incidents,
        children,
        outbox: outbox.into_iter().collect(),
        unsealed: read.scan(Table::Unsealed, b"", None, MAX_COUNTED)?.len() as u64,
    })
}

fn leading_code(key: &[u8]) -> Option<Code> {
    std::str::from_utf8(key.split(|byte| *byte == 0).next()?)
        .ok()?
        .parse()
        .ok()
}

/// Findings, newest first; `after` is the number of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn findings(
    read: &dyn Read,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<FindingView>, Fault> {
    newest_first(read, Table::Findings, after, limit)
}

/// Readings of what is held here, newest first; `after` is the number of the last one seen.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn readings(
    read: &dyn Read,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<ReadingView>, Fault> {
    newest_first(read, Table::Readings, after, limit)
}

/// Rows of a table that is numbered downwards.
fn newest_first<T: DeserializeOwned>(
    read: &dyn Read,
    table: Table,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<T>, Fault> {
    let after = after.map(|number| (u64::MAX - number).to_be_bytes());
    let after = after.as_ref().map(<[u8; 8]>::as_slice);
    let rows = read.scan(table, b"", after, limit.min(MAX_PAGE))?;
    rows.iter().map(|(_, row)| decode_row(table, row)).collect()
}

/// Envelopes waiting for a neighbour, oldest first.
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn outbox(
    read: &dyn Read,
    neighbour: Code,
    limit: usize,
) -> Result<Vec<(crate::wire::EnvelopeId, Moment)>, Fault> {
    let mut found = Vec::new();
    for (_, row) in read.scan(
        Table::Outbox,
        &code_key(&neighbour),
        None,
        limit.min(MAX_PAGE),
    )? {
        let row: OutboxRow = decode_row(Table::Outbox, &row)?;
        found.push((row.envelope, row.expires));
    }
    Ok(found)
}
