//! What the core reads and writes, as traits the drivers implement.
//!
//! The truth is the ledger: a sequence of [`crate::core::Record`]s and the bodies they name by digest. Tables are projections of it,
//! rebuilt by replaying the records through [`crate::core::project`].

use std::collections::BTreeMap;

use identity::Digest;

/// A projection's table. The byte is its prefix in an ordered key space; it is never reused for something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Counters and single values, by name.
    Meta = 1,
    /// Ids of acts and envelopes that took effect, with what came of them.
    Seen = 2,
    /// Enrolled departments and people of this node.
    People = 3,
    /// Own catalogue entries in any state: id → state and versions.
    OwnEntries = 4,
    /// Publication logs: publisher code → newest head.
    Heads = 5,
    /// Segments: publisher code, last sequence → signed head and body digest.
    Segments = 6,
    /// Published entries of any publisher: publisher code, entry id → pointer (segment body digest, index).
    Published = 7,
    /// Membership chains: code → chain, and when it was learned.
    Chains = 8,
    /// Children certified here: code → certificate.
    Children = 9,
    /// Revocations: issuer, serial.
    Revocations = 10,
    /// Dockets: id → summary and state.
    Dockets = 11,
    /// Docket events: id, sequence → signed event body digest.
    DocketEvents = 12,
    /// Drafted applications awaiting consent: docket id → signed act.
    Drafts = 13,
    /// Outgoing payloads waiting for the destination's chain: order → destination, body.
    Unsealed = 14,
    /// Outboxes: neighbour code, order → envelope digest.
    Outbox = 15,
    /// Merkle nodes of the ledger: level, index → digest.
    LedgerNodes = 16,
    /// Own signed checkpoints by size, and cosignatures on them.
    Checkpoints = 17,
    /// Children's newest cosigned checkpoints: code → signed checkpoint.
    Cosigned = 18,
    /// Duties with a due time: due millis, docket, duty.
    Duties = 19,
    /// Known objects: digest → where from, for which docket.
    Objects = 20,
    /// Return-flow datasets and their deliveries at the source.
    Datasets = 21,
    /// Refusals and faults shown to the operator: order → text.
    Findings = 22,
    /// Index of the ledger: record index → kind and docket, for evidence and the audit view.
    Index = 23,
    /// Holiday notices by year.
    Notices = 25,
    /// Enrolments of people that were ended: key → ending.
    Endings = 26,
    /// The driver's own: location of bodies. The core never touches it.
    Bodies = 24,
    /// Open updates at home here: entry id, docket.
    Updates = 31,
    /// Source departments: matter, code of the authority's node → who was named.
    Sources = 32,
    /// What was published: publisher code, entry id, version → pointer.
    Versions = 33,
    /// What lies on the platform for whoever takes it: entry id → version, object.
    Placed = 34,
    /// Readings of content that is held here: order, newest first → who read what.
    Readings = 40,
    /// Personal content: digest → where it stands here; act → what it committed to; digest → what is to be destroyed.
    Private = 35,
    /// How entries are opened to the public: publisher code, entry id → mark.
    Openings = 50,
    /// Cases of the public at home here: commitment to the receipt → docket.
    Receipts = 51,
    /// Reports on how departments shared: period, docket.
    Evaluations = 41,
    /// What departments of this node were granted and may hold: department, docket.
    Grants = 42,
    /// Duties of dockets at other homes, watched here: due millis, docket, duty.
    Watched = 60,
    /// What was overdue by the clock here in dockets at other homes: docket, when it arose, duty, when it was due.
    OwnLapses = 61,
    /// Docket events of other homes whose time is in doubt here: docket, sequence.
    DoubtedTimes = 62,
}

/// A read failed: ours, retried by the driver, never a statement about the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage fault: {0}")]
pub struct Fault(pub String);

/// Key and value as stored.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The committed state as a driver offers it.
pub trait Read {
    /// The value under `key`.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault>;

    /// At most `limit` pairs whose key starts with `prefix`, in key order, strictly after `after` when given.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault>;

    /// A body by its digest (`Domain::Body`), verified against it by the driver.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails or the bytes do not match.
    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault>;
}

/// What one batch adds: written to the ledger in one durable write, then to the tables.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Records in order; each becomes a leaf of the ledger.
    pub records: Vec<Vec<u8>>,
    /// Bodies the records name, by digest.
    pub bodies: Vec<(Digest, Vec<u8>)>,
    /// Table writes the records project to; `None` deletes. Rebuildable, so not part of the durable write.
    pub writes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Batch {
    /// Whether nothing would be written.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.bodies.is_empty() && self.writes.is_empty()
    }
}

/// A view of the committed state with the writes of the running batch on top.
pub struct Txn<'a> {
    base: &'a dyn Read,
    batch: Batch,
}

impl Read for Txn<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Self::get(self, table, key)
    }
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        Self::scan(self, table, prefix, after, limit)
    }
    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        Self::body(self, digest)
    }
}

impl<'a> Txn<'a> {
    /// Starts a batch on the committed state.
    pub fn new(base: &'a dyn Read) -> Self {
        Self {
            base,
            batch: Batch::default(),
        }
    }

    /// Ends the batch.
    pub fn into_batch(self) -> Batch {
        self.batch
    }

    /// Bytes of records and bodies so far, for the driver's batch limit.
    pub fn weight(&self) -> usize {
        self.batch.records.iter().map(Vec::len).sum::<usize>()
            + self
                .batch
                .bodies
                .iter()
                .map(|(_, b)| b.len())
                .sum::<usize>()
    }

    /// See [`Read::get`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        match self.batch.writes.get(&(table, key.to_vec())) {
            Some(written) => Ok(written.clone()),
            None => self.base.get(table, key),
        }
    }

    /// See [`Read::scan`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let from = after.map_or(prefix, |after| after.max(prefix)).to_vec();
        let overlay: Vec<(&Vec<u8>, &Option<Vec<u8>>)> = self
            .batch
            .writes
            .range((table, from)..)
            .take_while(|((t, key), _)| {
                *t == table
                    && (key.starts_with(prefix) || after.is_some_and(|a| key.as_slice() <= a))
            })
            .filter(|((_, key), _)| {
                key.starts_with(prefix) && after.is_none_or(|a| key.as_slice() > a)
            })
            .map(|((_, key), value)| (key, value))
            .collect();
        // Every deleted key of the overlay may hide one of the base, so ask for that many more.
        let base = self
            .base
            .scan(table, prefix, after, limit.saturating_add(overlay.len()))?;
        let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            base.into_iter().map(|(k, v)| (k, Some(v))).collect();
        merged.extend(overlay.into_iter().map(|(k, v)| (k.clone(), v.clone())));
        Ok(merged
            .into_iter()
            .filter_map(|(k, v)| Some((k, v?)))
            .take(limit)
            .collect())
    }

    /// See [`Read::body`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails or the bytes do not match.
    pub fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        match self.batch.bodies.iter().rev().find(|(d, _)| d == digest) {
            Some((_, bytes)) => Ok(Some(bytes.clone())),
            None => self.base.body(digest),
        }
    }

    /// Adds a ledger record.
    pub fn push_record(&mut self, record: Vec<u8>) {
        self.batch.records.push(record);
    }

    /// Adds a body.
    pub fn push_body(&mut self, digest: Digest, bytes: Vec<u8>) {
        self.batch.bodies.push((digest, bytes));
    }

    /// Writes to a table.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.batch.writes.insert((table, key), Some(value));
    }

    /// Deletes from a table.
    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.batch.writes.insert((table, key), None);
    }
}

/// A store in memory, for tests and the simulation.
#[derive(Debug, Default, Clone)]
pub struct Memory {
    /// Tables.
    pub tables: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    /// Bodies.
    pub bodies: BTreeMap<Digest, Vec<u8>>,
    /// Records in order.
    pub records: Vec<Vec<u8>>,
}

impl Memory {
    /// Commits a batch.
    pub fn commit(&mut self, batch: Batch) {
        self.records.extend(batch.records);
        self.bodies.extend(batch.bodies);
        for (key, value) in batch.writes {
            match value {
                Some(value) => self.tables.insert(key, value),
                None => self.tables.remove(&key),
            };
        }
    }
}

impl Read for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.tables.get(&(table, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        let from = after.map_or(prefix, |after| after.max(prefix)).to_vec();
        Ok(self
            .tables
            .range((table, from)..)
            .skip_while(|((t, key), _)| *t == table && after.is_some_and(|a| key.as_slice() <= a))
            .take_while(|((t, key), _)| *t == table && key.starts_with(prefix))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .take(limit)
            .collect())
    }

    fn body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.bodies.get(digest).cloned())
    }
}
