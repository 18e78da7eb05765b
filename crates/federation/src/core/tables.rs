//! Typed access to the tables: one row type and one key rule for each, so that no other file builds a key.

use identity::{Chain, Code, CreditCode, Digest, Moment, Path, Signed, VerifyKey, codec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sharing::act::{ActId, ObjectRef};
use sharing::catalogue::{EntryId, EntryVersion};
use sharing::docket::{DocketId, DocketState};
use sharing::ledger::{Checkpoint, Cosignature};
use sharing::private::Private;
use sharing::source::Matter;
use statute::EvaluationPeriod;

use crate::store::{Fault, Pair, Read, Table, Txn};
use crate::sync::{Head, LogState};
use crate::wire::EnvelopeId;

/// Most bytes of one table row: a docket state with its entry and copies.
const MAX_ROW_BYTES: usize = 8 << 20;

/// Reading, over the committed state or a running batch.
pub trait View {
    /// See [`Read::get`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault>;

    /// See [`Read::scan`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    fn raw_scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault>;

    /// See [`Read::body`].
    ///
    /// # Errors
    /// [`Fault`] when the medium fails.
    fn raw_body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault>;

    /// A decoded row.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails or the row does not decode (the projection is then rebuilt).
    fn row<T: DeserializeOwned>(&self, table: Table, key: &[u8]) -> Result<Option<T>, Fault> {
        self.raw(table, key)?
            .map(|bytes| decode_row(table, &bytes))
            .transpose()
    }

    /// A decoded body.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails, the body is absent or does not decode.
    fn body_as<T: DeserializeOwned>(&self, digest: &Digest) -> Result<T, Fault> {
        let bytes = self
            .raw_body(digest)?
            .ok_or_else(|| Fault(format!("body {digest} is missing")))?;
        codec::decode(&bytes, MAX_ROW_BYTES)
            .map_err(|error| Fault(format!("body {digest}: {error}")))
    }
}

/// Decodes a row's value.
///
/// # Errors
/// [`Fault`] when it does not decode.
pub fn decode_row<T: DeserializeOwned>(table: Table, bytes: &[u8]) -> Result<T, Fault> {
    codec::decode(bytes, MAX_ROW_BYTES).map_err(|error| Fault(format!("row of {table:?}: {error}")))
}

impl View for dyn Read + '_ {
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.get(table, key)
    }
    fn raw_scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.scan(table, prefix, after, limit)
    }
    fn raw_body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        self.body(digest)
    }
}

impl View for Txn<'_> {
    fn raw(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        self.get(table, key)
    }
    fn raw_scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Fault> {
        self.scan(table, prefix, after, limit)
    }
    fn raw_body(&self, digest: &Digest) -> Result<Option<Vec<u8>>, Fault> {
        self.body(digest)
    }
}

/// Writes an encoded row.
pub fn put<T: Serialize>(txn: &mut Txn<'_>, table: Table, key: Vec<u8>, row: &T) {
    txn.put(table, key, codec::encode(row));
}

/// Names in [`Table::Meta`].
pub mod meta {
    /// The node's own chain.
    pub const CHAIN: &[u8] = b"chain";
    /// Ledger leaves.
    pub const LEAVES: &[u8] = b"leaves";
    /// Leaves that say something beyond the ledger's own bookkeeping.
    pub const SIGNIFICANT: &[u8] = b"significant";
    /// `SIGNIFICANT` when the newest checkpoint was signed.
    pub const SIGNIFICANT_SIGNED: &[u8] = b"significant-signed";
    /// Leaves that matter to others than the two ends of a link: what witnesses are asked to cosign.
    pub const MATTERS: &[u8] = b"matters";
    /// Newest own signed checkpoint.
    pub const CHECKPOINT: &[u8] = b"checkpoint";
    /// Newest own checkpoint the parent (the hub: a child) cosigned. Where witnesses stand is kept for each: [`super::WitnessRow`].
    pub const COSIGNED: &[u8] = b"cosigned";
    /// Findings so far.
    pub const FINDINGS: &[u8] = b"findings";
    /// Readings so far.
    pub const READINGS: &[u8] = b"readings";
    /// Published changes projected so far, own and others'.
    pub const CHANGES: &[u8] = b"changes";
    /// Entries standing published, own.
    pub const OWN_ENTRIES: &[u8] = b"own-entries";
    /// Entries standing published, all.
    pub const CATALOGUE: &[u8] = b"catalogue";
    /// Cases of the public at home here that wait for an answer.
    pub const PUBLIC_WAITING: &[u8] = b"public-waiting";
    /// Counter of outbox places.
    pub const OUTBOX: &[u8] = b"outbox";
    /// Last serial given to a child's certificate.
    pub const SERIAL: &[u8] = b"serial";
    /// When revocations were last known to be complete.
    pub const REVOCATIONS_AS_OF: &[u8] = b"revocations-as-of";
}

/// Head of one publisher's log as accepted here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadRow {
    /// The newest signed head.
    pub head: Signed<Head>,
    /// Whose.
    pub publisher: Path,
    /// The log's state after it.
    pub log: LogState,
    /// When it was accepted here.
    pub as_of: Moment,
}

/// Where a published entry lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRow {
    /// The segment's body.
    pub body: Digest,
    /// Which change in it.
    pub index: u32,
    /// Version; also kept when withdrawn, so that an old version cannot come back.
    pub version: u32,
    /// False when withdrawn.
    pub live: bool,
}

/// A chain and when it was learned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainRow {
    /// The chain.
    pub chain: Chain,
    /// As of when.
    pub as_of: Moment,
}

/// The holiday notice in force for a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeRow {
    /// The [`crate::wire::Notice`].
    pub body: Digest,
    /// When its act was signed: of two notices for one year the later stands.
    pub signed: Moment,
    /// When it was taken here.
    pub at: Moment,
}

/// One docket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketRow {
    /// Who orders it.
    pub home: Path,
    /// Number of events held.
    pub next: u32,
    /// Digest of the last signed event.
    pub last: Digest,
    /// Events already released to the other parties (home only).
    pub released: u32,
    /// The state after them.
    pub state: DocketState,
    /// When the last one happened.
    pub updated: Moment,
}

/// An outbox place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Which envelope.
    pub envelope: EnvelopeId,
    /// `(Signed<Envelope>, Chain)` as pushed.
    pub body: Digest,
    /// When it is to be given up.
    pub expires: Moment,
}

/// What came of something that may arrive twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeenRow {
    /// An act was accepted; the docket it opened or stepped.
    Act {
        /// The docket it opened or stepped.
        docket: Option<DocketId>,
        /// When it was accepted.
        at: Moment,
    },
    /// An envelope was taken; its place in an outbox while it stands there.
    Envelope {
        /// Its outbox key while it waits there.
        outbox: Option<Vec<u8>>,
        /// When it is given up.
        expires: Moment,
    },
}

/// An object this node is to fetch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedRow {
    /// The docket that gives the right.
    pub docket: DocketId,
    /// The event that names it.
    pub sequence: u32,
    /// Failed tries so far.
    pub tries: u32,
}

/// A personal content of a docket, as far as this node is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivateRow {
    /// The commitment.
    pub private: Private,
    /// The docket it was said in.
    pub docket: DocketId,
    /// The docket's home, once it is known: it may have the content before the docket is here.
    pub home: Option<Code>,
    /// Where it stands.
    pub standing: PrivateStanding,
}

/// Where a personal content stands at this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrivateStanding {
    /// It is to be fetched.
    Wanted,
    /// It is in the vault.
    Held,
    /// It is to be destroyed.
    Destroying,
    /// It was destroyed.
    Destroyed,
}

/// A personal content that is to be destroyed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestroyRow {
    /// The docket it was said in.
    pub docket: DocketId,
    /// The digest committed to.
    pub content: Digest,
}

/// Where a witness stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessRow {
    /// Leaves of the newest own checkpoint it cosigned: where the next proof starts.
    pub size: u64,
    /// [`meta::MATTERS`] covered by that checkpoint.
    pub covered: u64,
    /// When it was last asked.
    pub asked: Option<Moment>,
    /// What came of it.
    pub standing: Standing,
    /// Whether the operator was told that it refuses.
    pub told: bool,
}

/// What came of asking a witness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Never asked, or answered.
    #[default]
    Free,
    /// Asked, no answer yet.
    Asked,
    /// It named another size to start from.
    Corrected,
    /// Asked from the size it named, no answer yet.
    AskedAgain,
    /// It refused.
    Refused,
}

/// A signed checkpoint of this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRow {
    /// The checkpoint.
    pub checkpoint: Signed<Checkpoint>,
    /// Who cosigned.
    pub cosignatures: Vec<Cosignature>,
    /// [`meta::MATTERS`] when it was signed.
    pub matters: u64,
}

/// Where a witness stands, in [`Table::Meta`].
pub fn witness_key(witness: &Code) -> Vec<u8> {
    let mut key = b"witness/".to_vec();
    key.extend_from_slice(&code_key(witness));
    key
}

/// Two checkpoints of a node that are not of one history, in [`Table::Seen`], until one of its checkpoints is cosigned again.
pub fn refused_key(node: &Code) -> Vec<u8> {
    let mut key = vec![b'c'];
    key.extend_from_slice(&code_key(node));
    key
}

/// `code` padded so that codes order and never prefix each other.
pub fn code_key(code: &Code) -> Vec<u8> {
    let mut key = code.to_string().into_bytes();
    key.push(0);
    key
}

/// Publisher and entry.
pub fn entry_key(publisher: &Code, id: &EntryId) -> Vec<u8> {
    let mut key = code_key(publisher);
    key.extend_from_slice(id.as_str().as_bytes());
    key
}

/// Publisher and sequence.
pub fn segment_key(publisher: &Code, last: u64) -> Vec<u8> {
    let mut key = code_key(publisher);
    key.extend_from_slice(&last.to_be_bytes());
    key
}

/// Docket.
pub fn docket_key(docket: &DocketId) -> Vec<u8> {
    docket.0.as_bytes().to_vec()
}

/// Docket and sequence.
pub fn event_key(docket: &DocketId, sequence: u32) -> Vec<u8> {
    let mut key = docket_key(docket);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// What a provider placed on the platform, in [`Table::Placed`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedRow {
    /// With this act.
    pub act: ActId,
    /// Of exactly this version.
    pub entry: EntryVersion,
    /// The object, by content.
    pub object: ObjectRef,
    /// When.
    pub at: Moment,
}

/// An act in [`Table::Seen`].
pub fn act_key(act: &ActId) -> Vec<u8> {
    let mut key = vec![b'a'];
    key.extend_from_slice(act.0.as_bytes());
    key
}

/// A personal content in [`Table::Private`], by the digest committed to.
pub fn private_key(content: &Digest) -> Vec<u8> {
    [b"c/", &content.as_bytes()[..]].concat()
}

/// The dockets that speak of a personal content beside the one that it was said in, in [`Table::Private`]; the docket's digest follows.
pub fn shown_prefix(content: &Digest) -> Vec<u8> {
    [b"e/", &content.as_bytes()[..]].concat()
}

/// One docket that speaks of a personal content beside the one that it was said in.
pub fn shown_key(content: &Digest, docket: &DocketId) -> Vec<u8> {
    [shown_prefix(content), docket_key(docket)].concat()
}

/// What an act of this node's people committed to, in [`Table::Private`].
pub fn said_key(act: &ActId) -> Vec<u8> {
    [b"a/", &act.0.as_bytes()[..]].concat()
}

/// What is to be destroyed, in [`Table::Private`]; the digest committed to follows.
pub fn destroy_prefix() -> &'static [u8] {
    b"d/"
}

/// One content to be destroyed.
pub fn destroy_key(content: &Digest) -> Vec<u8> {
    [destroy_prefix(), content.as_bytes()].concat()
}

/// Open updates of an entry, in [`Table::Updates`]; the docket's id follows.
pub fn updates_of(entry: &EntryId) -> Vec<u8> {
    let mut key = entry.as_str().as_bytes().to_vec();
    key.push(0);
    key
}

/// Source departments named of a matter, in [`Table::Sources`]; the code of the authority's node follows.
pub fn sources_of(matter: &Matter) -> Vec<u8> {
    let mut key = matter.as_str().as_bytes().to_vec();
    key.push(0);
    key
}

/// The published versions of an entry, in [`Table::Versions`]; the version follows.
pub fn versions_of(publisher: &Code, id: &EntryId) -> Vec<u8> {
    let mut key = entry_key(publisher, id);
    key.push(0);
    key
}

/// One published version of an entry.
pub fn version_key(publisher: &Code, id: &EntryId, version: u32) -> Vec<u8> {
    let mut key = versions_of(publisher, id);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

/// Grants of a department of this node, in [`Table::Grants`]; the docket's id follows.
pub fn grants_of(department: &CreditCode) -> Vec<u8> {
    let mut key = department.as_str().as_bytes().to_vec();
    key.push(0);
    key
}

/// Reports on a period, in [`Table::Evaluations`]; the docket's id follows.
pub fn evaluations_of(period: EvaluationPeriod) -> Vec<u8> {
    let mut key = period.to_string().into_bytes();
    key.push(0);
    key
}

/// The docket whose id ends a key.
pub fn docket_of_key(key: &[u8]) -> Option<DocketId> {
    key.last_chunk::<32>()
        .map(|tail| DocketId(Digest::from_bytes(*tail)))
}

/// The commitment to a receipt.
pub fn receipt_key(receipt: &Digest) -> Vec<u8> {
    receipt.as_bytes().to_vec()
}

/// An envelope in [`Table::Seen`].
pub fn envelope_key(envelope: &EnvelopeId) -> Vec<u8> {
    let mut key = vec![b'e'];
    key.extend_from_slice(envelope.0.as_bytes());
    key
}

/// Issuer and serial.
pub fn serial_key(issuer: &Code, serial: u64) -> Vec<u8> {
    let mut key = code_key(issuer);
    key.extend_from_slice(&serial.to_be_bytes());
    key
}

/// A person's key, in [`Table::People`] and [`Table::Endings`].
pub fn person_key(key: &VerifyKey) -> Vec<u8> {
    key.to_string().into_bytes()
}

/// The year of a holiday notice; years are of four digits.
pub fn notice_key(year: i16) -> Vec<u8> {
    year.to_be_bytes().to_vec()
}

/// Findings about a duty of a docket at another home, in [`Table::OwnLapses`]; when it was due follows, for more time makes it due again.
pub fn own_lapses_of(docket: &DocketId, duty: statute::Duty, arises: &Moment) -> Vec<u8> {
    let mut key = docket_key(docket);
    key.extend_from_slice(&arises.as_millis().to_be_bytes());
    key.extend_from_slice(duty.id().as_bytes());
    key.push(0);
    key
}

/// Level and index of a Merkle node.
pub fn merkle_key(level: u8, index: u64) -> Vec<u8> {
    let mut key = vec![level];
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// A counter in [`Table::Meta`].
///
/// # Errors
/// [`Fault`] when the medium fails.
pub fn counter<V: View + ?Sized>(view: &V, name: &[u8]) -> Result<u64, Fault> {
    Ok(view.row::<u64>(Table::Meta, name)?.unwrap_or(0))
}

/// Sets a counter in [`Table::Meta`].
pub fn set_counter(txn: &mut Txn<'_>, name: &[u8], value: u64) {
    put(txn, Table::Meta, name.to_vec(), &value);
}

/// The eight big-endian bytes at the end of a key.
pub fn key_tail_u64(key: &[u8]) -> u64 {
    key.last_chunk::<8>()
        .map_or(0, |tail| u64::from_be_bytes(*tail))
}

/// Applications under which data of a provider's entry is held, in [`Table::Datasets`]; the docket's id follows.
pub fn entry_holders(provider: &CreditCode, entry: &EntryId) -> Vec<u8> {
    let mut key = b"h/".to_vec();
    key.extend_from_slice(provider.as_str().as_bytes());
    key.push(b'/');
    key.extend_from_slice(entry.as_str().as_bytes());
    key.push(0);
    key
}

/// The subscription under which a node receives its own rows of another's dataset, in [`Table::Datasets`].
pub fn dataset_received(origin: &str, dataset: &str) -> Vec<u8> {
    [b"r/", origin.as_bytes(), b"/", dataset.as_bytes()].concat()
}

/// Subscriptions to a dataset, in [`Table::Datasets`]; the docket's id follows.
pub fn dataset_subscribers(dataset: &str) -> Vec<u8> {
    let mut key = b"u/".to_vec();
    key.extend_from_slice(dataset.as_bytes());
    key.push(0);
    key
}
