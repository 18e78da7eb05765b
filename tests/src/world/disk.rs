//! What a node's disk does with a batch, and what it gives back: the whole batch or nothing of it, whenever the process ends; a row that has
//! changed since it was written is a fault of the disk and never data.
//!
//! A disk of this kind is what the node's own store promises: its ledger frames each batch with a check sum and cuts away a last one that is
//! not whole; its tables say how much of the ledger they hold and catch up from it. That it keeps the promise is tested where it is written.

use federation::core::project;
use federation::store::{Batch, Pair};
use federation::wire::{Frame, MAX_FRAME_BYTES};
use identity::Digest;

use super::*;

/// Bodies that rot at once: what lies in one place of a disk.
const MOST_ROTTEN_BODIES: usize = 64;

/// What goes wrong with the next commit that has something to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The process ends before.
    CrashBefore,
    /// The process ends when a part of the batch is in the ledger.
    Torn,
    /// The process ends when the batch is in the ledger and not in the tables.
    TablesBehind,
    /// The process ends when the batch is durable and nothing has left.
    CrashAfter,
    /// The disk refuses, and nothing is written.
    WriteFails,
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    next: Option<CommitFault>,
    full: bool,
    /// Rows that do not hold against their check sum.
    rows: BTreeSet<(Table, Vec<u8>)>,
    /// Bodies that do not hold against their digest.
    bodies: BTreeSet<Digest>,
    /// The node acknowledges envelopes and keeps none.
    lies: bool,
}

/// What came of a commit.
pub(super) enum Committed {
    /// The batch is durable.
    Durable,
    /// The process has ended.
    Crashed,
    /// The disk refused; whoever asked is told.
    Refused,
}

/// A store with rows and bodies that are read as faults.
pub(super) struct Rotten<'a> {
    store: &'a Memory,
    disk: &'a Disk,
}

fn fault(what: &str) -> Fault {
    Fault(format!("{what} does not hold against its check sum"))
}

impl Read for Rotten<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        if self.disk.rows.contains(&(table, key.to_vec())) {
            return Err(fault("a row"));
        }
        self.store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let rows = self.store.scan(table, prefix, after, limit)?;
        let rotten = |(key, _): &Pair| self.disk.rows.contains(&(table, key.clone()));
        if rows.iter().any(rotten) {
            return Err(fault("a row"));
        }
        Ok(rows)
    }

    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        if self.disk.bodies.contains(digest) {
            return Err(fault("a body"));
        }
        self.store.body(digest)
    }
}

impl Disk {
    /// What is read from a disk that is not sound; nothing of one that is.
    pub(super) fn over<'a>(&'a self, store: &'a Memory) -> Option<Rotten<'a>> {
        let sound = self.rows.is_empty() && self.bodies.is_empty();
        (!sound).then_some(Rotten { store, disk: self })
    }

    /// Whether this is an envelope that is acknowledged and not kept.
    pub(super) fn would_lie_about(&self, input: &Input) -> bool {
        match input {
            Input::Frame { bytes, .. } if self.lies => {
                let frame = codec::decode(bytes, MAX_FRAME_BYTES);
                matches!(frame, Ok(Frame::Push { .. }))
            }
            _ => false,
        }
    }
}

impl World {
    /// What goes wrong with the next commit of a node that has something to write.
    pub fn fail_next_commit(&mut self, code: Code, fault: CommitFault) {
        self.disk(code).next = Some(fault);
    }

    /// A node's disk is full, or has room again.
    pub fn fill_disk(&mut self, code: Code, full: bool) {
        self.disk(code).full = full;
    }

    /// A node acknowledges envelopes and keeps none, or is honest again.
    pub fn lie_about_receipt(&mut self, code: Code, lies: bool) {
        self.disk(code).lies = lies;
        if !lies {
            // What its memory holds beyond its disk is gone.
            self.restart(code);
        }
    }

    /// A bit flips in a row of one of a node's tables, whichever table it is, or a part of its bodies is lost; which ones, chance says.
    pub fn rot(&mut self, code: Code, body: bool) {
        let drawn = self.chance.below(u64::MAX) as usize;
        let node = self.nodes.get_mut(&code).expect("a node");
        if body {
            let bodies = &node.store.bodies;
            let from = drawn % bodies.len().max(1);
            let chosen = bodies.keys().skip(from).take(MOST_ROTTEN_BODIES).copied();
            node.disk.bodies.extend(chosen);
        } else {
            let tables = &node.store.tables;
            let kinds: BTreeSet<Table> = tables.keys().map(|(table, _)| *table).collect();
            let table = kinds.iter().nth(drawn % kinds.len().max(1));
            let rows = tables.keys().filter(|(of, _)| Some(of) == table);
            let rows: Vec<_> = rows.collect();
            let chosen = rows.get(drawn / kinds.len().max(1) % rows.len().max(1));
            node.disk.rows.extend(chosen.map(|row| (*row).clone()));
        }
    }

    fn disk(&mut self, code: Code) -> &mut Disk {
        &mut self.nodes.get_mut(&code).expect("a node").disk
    }

    /// The disk takes a batch whole or not at all, and the process may end around that.
    pub(super) fn commit(&mut self, code: Code, batch: Batch) -> Committed {
        let node = self.nodes.get_mut(&code).expect("a node");
        let writes = !batch.is_empty();
        if node.disk.full && writes {
            self.count(Trouble::DiskFull);
            return Committed::Refused;
        }
        let fault = node.disk.next.take_if(|_| writes);
        let (trouble, came) = match fault {
            None => return self.commit_by_chance(code, batch),
            Some(CommitFault::CrashBefore) => (Trouble::CrashBeforeCommit, Committed::Crashed),
            Some(CommitFault::Torn) => (Trouble::TornCommit, Committed::Crashed),
            Some(CommitFault::WriteFails) => (Trouble::WriteFailed, Committed::Refused),
            Some(CommitFault::TablesBehind) => {
                node.store.bodies.extend(batch.bodies);
                catch_up(&mut node.store, &batch.records).expect("its own records");
                (Trouble::TablesBehind, Committed::Crashed)
            }
            Some(CommitFault::CrashAfter) => {
                node.store.commit(batch);
                (Trouble::CrashAfterCommit, Committed::Crashed)
            }
        };
        self.count(trouble);
        came
    }

    fn commit_by_chance(&mut self, code: Code, batch: Batch) -> Committed {
        if self.chance.once_in(self.faults.crash_before_commit) {
            self.count(Trouble::CrashBeforeCommit);
            return Committed::Crashed;
        }
        let node = self.nodes.get_mut(&code).expect("a node");
        node.store.commit(batch);
        if self.chance.once_in(self.faults.crash_after_commit) {
            self.count(Trouble::CrashAfterCommit);
            return Committed::Crashed;
        }
        Committed::Durable
    }

    /// A read failed. Tables are computed again from the ledger, bodies come from a copy.
    ///
    /// # Panics
    /// When the disk is sound: then the core took sound data for a fault.
    pub(super) fn repair(&mut self, code: Code, fault: &Fault) {
        let node = self.nodes.get_mut(&code).expect("a node");
        let (rows, bodies) = (
            std::mem::take(&mut node.disk.rows),
            std::mem::take(&mut node.disk.bodies),
        );
        assert!(
            !rows.is_empty() || !bodies.is_empty(),
            "{code}: {fault} on a sound disk"
        );
        if !rows.is_empty() {
            let records = node.store.records.len();
            node.store = replayed(&node.store, records).expect("its own records");
            self.count(Trouble::RowRotten);
        }
        if !bodies.is_empty() {
            self.count(Trouble::BodyRotten);
        }
    }

    /// Disks have room and take what is written; what was not read yet is written anew.
    pub(super) fn mend_disks(&mut self) {
        for code in self.codes() {
            let liar = self.nodes[&code].disk.lies;
            *self.disk(code) = Disk::default();
            if liar {
                self.restart(code);
            }
        }
    }
}

/// The tables that the first records of a ledger come to.
pub(super) fn replayed(before: &Memory, records: usize) -> Result<Memory, String> {
    let mut rebuilt = Memory {
        bodies: before.bodies.clone(),
        ..Memory::default()
    };
    catch_up(&mut rebuilt, &before.records[..records])?;
    Ok(rebuilt)
}

/// Records that are in the ledger come into the tables.
fn catch_up(store: &mut Memory, records: &[Vec<u8>]) -> Result<(), String> {
    for record in records {
        let mut txn = Txn::new(&*store);
        project(record, &mut txn).map_err(|fault| fault.to_string())?;
        txn.push_record(record.clone());
        let batch = txn.into_batch();
        store.commit(batch);
    }
    Ok(())
}
