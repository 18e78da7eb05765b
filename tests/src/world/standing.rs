//! How matters stand in the whole federation, as one digest: what a refusal must leave as it was.

use identity::{Digest, Domain};

use super::*;

/// Whether a table holds matters of the federation, and not a node's own bookkeeping: its ledger, what goes to its neighbours, what its operators
/// were told.
fn holds_matters(table: Table) -> bool {
    match table {
        Table::Meta
        | Table::Seen
        | Table::Chains
        | Table::Unsealed
        | Table::Outbox
        | Table::LedgerNodes
        | Table::Checkpoints
        | Table::Cosigned
        | Table::Findings
        | Table::Index
        | Table::Bodies => false,
        Table::People
        | Table::OwnEntries
        | Table::Heads
        | Table::Segments
        | Table::Published
        | Table::Children
        | Table::Revocations
        | Table::Dockets
        | Table::DocketEvents
        | Table::Drafts
        | Table::Duties
        | Table::Objects
        | Table::Datasets
        | Table::Notices
        | Table::Endings
        | Table::Updates
        | Table::Sources
        | Table::Versions
        | Table::Placed
        | Table::Readings
        | Table::Private
        | Table::Openings
        | Table::Receipts
        | Table::Evaluations
        | Table::Grants
        | Table::Watched
        | Table::OwnLapses
        | Table::DoubtedTimes => true,
    }
}

impl World {
    /// The digest of every matter that any node holds.
    pub fn standing(&self) -> Digest {
        let rows = self.nodes.values().flat_map(|node| {
            let matters = node.store.tables.iter();
            let matters = matters.filter(|((table, _), _)| holds_matters(*table));
            matters.map(|((table, key), value)| {
                Digest::of_parts(Domain::Id, &[&[*table as u8], key, value])
            })
        });
        let digests: Vec<u8> = rows.flat_map(|row| *row.as_bytes()).collect();
        Digest::of(Domain::Id, &digests)
    }
}
