//! The store a node runs on: ledger and tables as one.
//!
//! One thread commits, any thread reads. A commit appends to the ledger, waits for the disk, then changes the tables; when that order is
//! cut in the middle, the next start replays what the tables lack through the core's own `project`. So the tables never know more
//! than the ledger holds, and never need to be saved.

mod replay;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use federation::store::{Batch, Fault, Pair, Read, Table, Txn};
use identity::Digest;

pub use self::replay::Replay;
use self::replay::mismatch;
use super::body_digest;
use super::journal::{Bodies, Journal, JournalError, Positions, Recovery};
use super::lock::{DataLock, LockError};
use super::projection::{Applied, Discarded, Projection};

/// Folder of the ledger in the data folder.
pub(super) const LEDGER_FOLDER: &str = "ledger";
/// Computes the table writes of one ledger record: `federation::core::project`.
pub type Project<'a> = &'a dyn Fn(&[u8], &mut Txn<'_>) -> Result<(), Fault>;

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data folder is not free.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger: see each case for whether the next batch may be tried.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The tables had seen a batch that the ledger no longer holds: what was accepted is gone. The node does not go on by itself, for it would sign
    /// another history than the one it has told; `guantong rebuild` drops the tables and accepts the loss.
    #[error(
        "账本缺少已受理的批次：数据表见过第 {known} 批，账本只到第 {last} 批。请恢复完整的账本副本后再启动；确已无法恢复时，运行 guantong rebuild 以现有账本为准 \
         (the ledger ends at batch {last}, the tables had seen {known}: restore the whole ledger; only if it is lost for good, run guantong rebuild)"
    )]
    LedgerLost {
        /// The last batch the tables had seen.
        known: u64,
        /// The last batch the ledger holds.
        last: u64,
    },
    /// The tables cannot be made at all.
    #[error("无法在 {} 中建立数据表：{source} (the tables cannot be made)", .folder.display())]
    Tables {
        /// The data folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A record of the ledger could not be projected: a fault of this version, not of the data.
    #[error(
        "账本第 {batch} 批无法还原为数据表：{fault} (a batch of the ledger could not be projected)"
    )]
    Project {
        /// Which batch.
        batch: u64,
        /// Why.
        fault: Fault,
    },
    /// A body was given under a digest that is not its own. Nothing was written.
    #[error("正文与其摘要 {0} 不符 (a body does not have its digest)")]
    WrongDigest(Digest),
    /// The batch is in the ledger, and so accepted, but the tables did not take it. No more is committed until the next start, which
    /// catches up.
    #[error(
        "自第 {batch} 批起数据表落后于账本（{reason}），请重新启动节点 (the tables are behind the ledger; start the node again)"
    )]
    Behind {
        /// The first batch the tables lack.
        batch: u64,
        /// Why.
        reason: String,
    },
}

impl StoreError {
    /// Whether a commit that failed so may have left its batch in the ledger. No more is committed then; the next start tells.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::WrongDigest(_)
            | Self::Journal(JournalError::NotWritten { .. } | JournalError::TooLarge) => false,
            Self::Behind { .. }
            | Self::Journal(_)
            | Self::Lock(_)
            | Self::LedgerLost { .. }
            | Self::Tables { .. }
            | Self::Project { .. } => true,
        }
    }
}

/// What opening found and did, for the log and the operator.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Of the ledger.
    pub recovery: Recovery,
    /// Why earlier tables were not used, if so.
    pub discarded: Option<Discarded>,
    /// What was replayed into the tables.
    pub replayed: Replay,
}

/// How the store stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Number of the last batch.
    pub batches: u64,
    /// Records in the ledger.
    pub records: u64,
    /// Bytes of the ledger.
    pub ledger_bytes: u64,
    /// Why nothing is committed any more, if so.
    pub stopped: Option<String>,
}

/// Ledger and tables. Share it as `Arc<Store>`: reads take no lock, commits exclude one another.
pub struct Store {
    writer: Mutex<Writer>,
    bodies: Arc<Bodies>,
    projection: Projection,
    _lock: DataLock,
}

struct Writer {
    journal: Journal,
    behind: Option<(u64, String)>,
}

impl Store {
    /// Opens the store in a data folder, alone, and brings the tables in step with the ledger.
    ///
    /// # Errors
    /// [`StoreError::Lock`] when another process has the folder; [`StoreError::Journal`] when the ledger is damaged. Damaged tables are
    /// no error: they are moved aside and built again.
    pub fn open(dir: &Path, project: Project<'_>) -> Result<(Self, Opened), StoreError> {
        let lock = DataLock::acquire(dir)?;
        let (journal, recovery) = Journal::open(&dir.join(LEDGER_FOLDER))?;
        let tables = |source| StoreError::Tables {
            folder: dir.to_path_buf(),
            source,
        };
        let (mut projection, mut discarded) = Projection::open(dir).map_err(tables)?;
        let applied = projection
            .applied()
            .map_err(|fault| tables(io::Error::other(fault)))?;
        if let Some(reason) = mismatch(&journal, applied)? {
            let (known, last) = (applied.batch, journal.last_batch());
            if known > last {
                return Err(StoreError::LedgerLost { known, last });
            }
            let (fresh, why) = projection.replace(dir, reason).map_err(tables)?;
            projection = fresh;
            discarded = Some(why);
        }
        let first = Self::assemble(lock, journal, projection);
        let from_nothing = first.applied()?.batch == 0;
        match first.catch_up(project) {
            Ok(replayed) => Ok((
                first,
                Opened {
                    recovery,
                    discarded,
                    replayed,
                },
            )),
            Err(error) if from_nothing => Err(error),
            Err(error) => {
                // The tables may be damaged deeper than opening showed. From nothing it either works or is not their fault.
                let Self {
                    writer,
                    projection,
                    _lock: lock,
                    ..
                } = first;
                let journal = writer
                    .into_inner()
                    .unwrap_or_else(PoisonError::into_inner)
                    .journal;
                let (projection, why) =
                    projection.replace(dir, error.to_string()).map_err(tables)?;
                let second = Self::assemble(lock, journal, projection);
                let replayed = second.catch_up(project)?;
                Ok((
                    second,
                    Opened {
                        recovery,
                        discarded: Some(why),
                        replayed,
                    },
                ))
            }
        }
    }

    /// Drops the tables and computes them again from the whole ledger (`guantong rebuild`).
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn rebuild(dir: &Path, project: Project<'_>) -> Result<(Self, Opened), StoreError> {
        let lock = DataLock::acquire(dir)?;
        let (journal, recovery) = Journal::open(&dir.join(LEDGER_FOLDER))?;
        let projection = Projection::fresh(dir).map_err(|source| StoreError::Tables {
            folder: dir.to_path_buf(),
            source,
        })?;
        let store = Self::assemble(lock, journal, projection);
        let replayed = store.catch_up(project)?;
        Ok((
            store,
            Opened {
                recovery,
                replayed,
                ..Opened::default()
            },
        ))
    }

    fn assemble(lock: DataLock, journal: Journal, projection: Projection) -> Self {
        let bodies = journal.bodies();
        Self {
            writer: Mutex::new(Writer {
                journal,
                behind: None,
            }),
            bodies,
            projection,
            _lock: lock,
        }
    }

    /// Makes a batch durable, then visible. Table writes of a batch without records and bodies reach the tables alone, and are lost
    /// when those are rebuilt.
    ///
    /// # Errors
    /// [`StoreError::Journal`] and [`StoreError::WrongDigest`]: nothing was accepted. [`StoreError::Behind`]: the batch was accepted,
    /// if it is the batch named, and nothing more is until the next start.
    pub fn commit(&self, batch: &Batch) -> Result<Option<Positions>, StoreError> {
        let mut writer = self.writer();
        if let Some((batch, reason)) = &writer.behind {
            return Err(StoreError::Behind {
                batch: *batch,
                reason: reason.clone(),
            });
        }
        if batch.is_empty() {
            return Ok(None);
        }
        let bodies = self.unknown_bodies(batch)?;
        if batch.records.is_empty() && bodies.is_empty() {
            let applied = self
                .projection
                .applied()
                .and_then(|applied| self.projection.apply(&batch.writes, &[], applied));
            return applied
                .map(|()| None)
                .map_err(|fault| writer.fall_behind(fault));
        }
        let positions = writer.journal.append_parts(&batch.records, &bodies)?;
        let applied = Applied {
            batch: positions.batch,
            checksum: positions.checksum,
        };
        match self
            .projection
            .apply(&batch.writes, &positions.bodies, applied)
        {
            Ok(()) => Ok(Some(positions)),
            Err(fault) => Err(writer.fall_behind(fault)),
        }
    }

    /// The bodies of a batch that the ledger does not hold yet, each once.
    fn unknown_bodies<'b>(&self, batch: &'b Batch) -> Result<Vec<(Digest, &'b [u8])>, StoreError> {
        let mut taken = BTreeSet::new();
        let mut unknown = Vec::new();
        for (digest, bytes) in &batch.bodies {
            if body_digest(bytes) != *digest {
                return Err(StoreError::WrongDigest(*digest));
            }
            // When the tables cannot say, writing the body twice is harmless.
            let known = matches!(self.projection.location(digest), Ok(Some(_)));
            if !known && taken.insert(*digest) {
                unknown.push((*digest, bytes.as_slice()));
            }
        }
        Ok(unknown)
    }

    /// How the store stands.
    pub fn standing(&self) -> Standing {
        let writer = self.writer();
        let behind = writer
            .behind
            .as_ref()
            .map(|(batch, reason)| format!("tables behind since batch {batch}: {reason}"));
        Standing {
            batches: writer.journal.last_batch(),
            records: writer.journal.records(),
            ledger_bytes: writer.journal.bytes(),
            stopped: writer.journal.poison().map(str::to_owned).or(behind),
        }
    }

    /// Reads the ledger's records in order from batch `from` on: batch, index of the record, its bytes. Excludes commits meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Journal`] when a batch does not read back, or what `visit` returns.
    pub fn each_record(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, u64, &[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.writer().journal.replay(from, |batch| {
            (batch.first_record..)
                .zip(&batch.records)
                .try_for_each(|(index, record)| visit(batch.batch, index, record))
        })
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // A panic while committing leaves the journal at its last good length: every step sets its state only after it succeeded.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn applied(&self) -> Result<Applied, StoreError> {
        self.projection
            .applied()
            .map_err(|fault| StoreError::Project { batch: 0, fault })
    }
}

impl Writer {
    fn fall_behind(&mut self, fault: Fault) -> StoreError {
        let batch = self.journal.last_batch();
        self.behind = Some((batch, fault.0.clone()));
        StoreError::Behind {
            batch,
            reason: fault.0,
        }
    }
}

impl Read for Store {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.projection.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.projection.scan(table, prefix, after, limit)
    }

    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        let Some(location) = self.projection.location(digest)? else {
            return Ok(None);
        };
        self.bodies
            .read(digest, location)
            .map(Some)
            .map_err(|error| {
                // Either the ledger lost it after it was checked at start, or the tables point to the wrong place. Rebuilding tells which.
                self.projection.mark_damaged();
                Fault(error.to_string())
            })
    }
}

#[cfg(test)]
mod tests;
