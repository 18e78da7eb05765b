//! Bringing the tables in step with the ledger.

use std::cell::RefCell;
use std::collections::BTreeMap;

use federation::store::{Fault, Pair, Read, Table, Txn};
use identity::Digest;

use super::{Project, Store, StoreError};
use crate::storage::journal::{Journal, JournalError, Location};
use crate::storage::projection::Applied;

/// Records replayed before the tables are changed: one change per this many costs sled little and holds little.
const REPLAY_RECORDS: usize = 512;
/// Bytes of records at which a replay changes the tables even sooner: what they project to is of the same order.
const REPLAY_BYTES: usize = 4 << 20;

/// How much a replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replay {
    /// Ledger batches.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bodies in them.
    pub bodies: u64,
    /// Table writes that came of them.
    pub writes: u64,
}

impl Store {
    /// Replays what the tables lack.
    pub(super) fn catch_up(&self, project: Project<'_>) -> Result<Replay, StoreError> {
        let writer = self.writer();
        let applied = self.applied()?;
        let mut replay = Replay::default();
        let view = View {
            store: self,
            bodies: RefCell::new(BTreeMap::new()),
        };
        let mut run = Run::new(&view);
        writer
            .journal
            .replay(applied.batch + 1, |batch| -> Result<(), StoreError> {
                view.bodies
                    .borrow_mut()
                    .extend(batch.bodies.iter().copied());
                for record in &batch.records {
                    run.weight += record.len();
                    project(record, &mut run.txn).map_err(|fault| StoreError::Project {
                        batch: batch.batch,
                        fault,
                    })?;
                }
                run.records += batch.records.len();
                run.applied = Applied {
                    batch: batch.batch,
                    checksum: batch.checksum,
                };
                replay.batches += 1;
                replay.records += batch.records.len() as u64;
                replay.bodies += batch.bodies.len() as u64;
                if run.records >= REPLAY_RECORDS || run.weight >= REPLAY_BYTES {
                    replay.writes += std::mem::replace(&mut run, Run::new(&view)).finish(&view)?;
                }
                Ok(())
            })?;
        if run.applied.batch > 0 {
            replay.writes += run.finish(&view)?;
        }
        Ok(replay)
    }
}

/// Why the tables do not belong to this ledger, if they do not.
pub(super) fn mismatch(journal: &Journal, applied: Applied) -> Result<Option<String>, StoreError> {
    if applied.batch == 0 {
        return Ok(None);
    }
    if applied.batch > journal.last_batch() {
        let last = journal.last_batch();
        return Ok(Some(format!(
            "the tables have seen batch {} and the ledger ends at {last}",
            applied.batch
        )));
    }
    let mut checksum = None;
    let stop = journal.replay(applied.batch, |batch| {
        checksum = Some(batch.checksum);
        Err(Stop::Here)
    });
    match stop {
        Err(Stop::Journal(error)) => Err(error.into()),
        Ok(()) | Err(Stop::Here) => Ok((checksum != Some(applied.checksum)).then(|| {
            format!(
                "the tables come from another ledger: batch {} differs",
                applied.batch
            )
        })),
    }
}

/// Ends a replay after one batch.
enum Stop {
    Here,
    Journal(JournalError),
}

impl From<JournalError> for Stop {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

/// Batches replayed into one change of the tables.
struct Run<'v> {
    txn: Txn<'v>,
    records: usize,
    weight: usize,
    applied: Applied,
}

impl<'v> Run<'v> {
    fn new(view: &'v View<'_>) -> Self {
        Self {
            txn: Txn::new(view),
            records: 0,
            weight: 0,
            applied: Applied::default(),
        }
    }

    /// Changes the tables; returns the number of writes.
    fn finish(self, view: &View<'_>) -> Result<u64, StoreError> {
        let batch = self.applied.batch;
        let writes = self.txn.into_batch().writes;
        let bodies: Vec<(Digest, Location)> = std::mem::take(&mut *view.bodies.borrow_mut())
            .into_iter()
            .collect();
        view.store
            .projection
            .apply(&writes, &bodies, self.applied)
            .map_err(|fault| StoreError::Project { batch, fault })?;
        Ok(writes.len() as u64)
    }
}

/// The store with the bodies of the batches being replayed.
struct View<'s> {
    store: &'s Store,
    bodies: RefCell<BTreeMap<Digest, Location>>,
}

impl Read for View<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.store.scan(table, prefix, after, limit)
    }

    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        let location = self.bodies.borrow().get(digest).copied();
        match location {
            Some(location) => self
                .store
                .bodies
                .read(digest, location)
                .map(Some)
                .map_err(|error| Fault(error.to_string())),
            None => self.store.body(digest),
        }
    }
}
