//! What operators see: read-only views of the tables, for the API, the console and the commands.

use identity::{Code, Digest, Moment, Path, RevocationReason};
use serde::{Deserialize, Serialize};
use sharing::act::Doer;
use sharing::catalogue::{Entry, EntryState};
use sharing::clock::bounds::{DoubtedTime, OwnLapse};
use sharing::docket::{DocketEvent, DocketId, DocketState};
use sharing::person::{Ending, PersonCertificate};

use super::readings::{ReadBy, ReadWhat};
use crate::health::{Condition, HealthReport};

/// This node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Place in the tree; `None` before enrolment.
    pub place: Option<Path>,
    /// Name.
    pub name: String,
    /// Certificate's end.
    pub valid_until: Option<Moment>,
    /// That this node was cut off, and not admitted again since.
    pub cut_off: Option<CutOff>,
    /// Ledger leaves.
    pub ledger: u64,
    /// Of which under a signed checkpoint.
    pub checkpoint: u64,
    /// Of which cosigned by the parent.
    pub cosigned: u64,
    /// Own published entries.
    pub own_entries: u64,
    /// Entries known in all.
    pub catalogue: u64,
    /// Open dockets whose home is here.
    pub open_dockets: u64,
    /// Open security incidents known here: of this node, of those below, and of data provided here (R35).
    pub open_incidents: u64,
    /// Certified children.
    pub children: Vec<Code>,
    /// Waiting envelopes by neighbour.
    pub outbox: Vec<(Code, u64)>,
    /// Payloads waiting for a destination's chain.
    pub unsealed: u64,
}

/// Why a node is no member before its certificate is over: it, or one above it, was revoked (断开).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CutOff {
    /// Whose certificate was revoked: this node's, or that of one above it.
    pub node: Code,
    /// Who issued it and revoked it.
    pub by: Code,
    /// The number of the certificate at its issuer.
    pub serial: u64,
    /// Why.
    pub reason: RevocationReason,
    /// When.
    pub at: Moment,
}

/// One own entry in any state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnEntry {
    /// State of the newest version.
    pub state: EntryState,
    /// The newest version.
    pub entry: Entry,
    /// Digest of its canonical bytes.
    pub digest: Digest,
    /// The version that stands published, if one does.
    pub published: Option<u32>,
    /// Why it was returned last, if it was.
    pub returned: Option<String>,
}

/// One docket in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketView {
    /// Id.
    pub id: DocketId,
    /// Home.
    pub home: Path,
    /// Whether the home is here.
    pub at_home: bool,
    /// Parties' nodes.
    pub parties: Vec<Path>,
    /// The state.
    pub state: DocketState,
    /// Number of events.
    pub events: u32,
    /// When the last one happened.
    pub updated: Moment,
}

/// A docket with its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocketDetail {
    /// Summary.
    pub docket: DocketView,
    /// Events in order, without those that hold a record of use (R29). A copy of a docket within one is without them too, and so is no longer a
    /// copy that verifies.
    pub events: Vec<DocketEvent>,
    /// The records of use, in order: that each was made. What they say is given by an act of reading alone.
    pub uses: Vec<UseView>,
    /// What was overdue by the clock here, where the home is elsewhere.
    pub own_lapses: Vec<OwnLapse>,
    /// Events whose time is in doubt here, in order.
    pub doubted: Vec<DoubtedTime>,
}

/// That a use was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseView {
    /// Which event of the docket.
    pub sequence: u32,
    /// When it was recorded.
    pub at: Moment,
    /// Who recorded it; `None` when the chain beside the act is unreadable.
    pub by: Option<Doer>,
    /// Digest of the signed act that recorded it.
    pub digest: Digest,
}

/// That content held here was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadingView {
    /// Order.
    pub number: u64,
    /// Who.
    pub by: ReadBy,
    /// What.
    pub what: ReadWhat,
    /// When it was recorded here.
    pub at: Moment,
}

/// A drafted application that awaits its head's consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftView {
    /// The docket it will open.
    pub docket: DocketId,
    /// Digest of the document to consent to.
    pub document: Digest,
    /// The application.
    pub application: sharing::application::Application,
    /// Who drafted it.
    pub by: String,
    /// When.
    pub at: Moment,
}

/// One duty owed in a docket known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyView {
    /// In which docket.
    pub docket: DocketId,
    /// What is owed.
    pub duty: statute::Duty,
    /// Under which article.
    pub article: statute::Article,
    /// By whom.
    pub owed_by: sharing::clock::Debtor,
    /// By when.
    pub due: Moment,
    /// Whether the date waits for a holiday notice.
    pub provisional: bool,
    /// Whether who owes it acts here.
    pub owed_here: bool,
    /// How it stands now.
    pub status: statute::DutyStatus,
    /// That the clock here found it overdue when the docket's home had said nothing.
    pub own_lapse: Option<OwnLapse>,
}

/// A neighbour as the core sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// Who.
    pub code: Code,
    /// Its name.
    pub name: String,
    /// Whether it is the parent.
    pub parent: bool,
    /// Connected and greeted.
    pub up: bool,
    /// Since when (up) or last seen (down).
    pub since: Option<Moment>,
    /// Its clock minus ours at greeting, milliseconds.
    pub clock_offset_ms: i64,
}

/// A node of the subtree as seen from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// The newest report; `None` when certified but never heard of.
    pub report: Option<HealthReport>,
    /// Which node.
    pub node: Path,
    /// Its name.
    pub name: String,
    /// When it arrived.
    pub received: Option<Moment>,
    /// Judged now.
    pub condition: Condition,
}

/// What the core knows only in memory, published by the driver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Neighbours.
    pub links: Vec<LinkView>,
    /// Subtree, self included; conditions as of `at`.
    pub health: Vec<HealthView>,
    /// When this was made.
    pub at: Option<Moment>,
    /// How many years records are kept here.
    pub retention: Option<statute::RetentionYears>,
    /// That this node was cut off.
    pub cut_off: Option<CutOff>,
    /// What together is a risk under the law in force here (R25).
    pub risks: Option<statute::AggregationRules>,
    /// That this node was restored from a backup and signs nothing yet.
    pub restored: Option<RestoredView>,
}

/// How the comparison of a restored node stands (从备份恢复，先行比对).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredView {
    /// Leaves of the ledger that was restored.
    pub ledger: u64,
    /// Of which under the newest checkpoint of its own; 0 when it never signed one, so that nobody can be asked.
    pub checkpoint: u64,
    /// Neighbours that have answered.
    pub answered: Vec<Code>,
    /// Who cosigned more of this node's ledger than was restored, or another ledger of its.
    pub ahead: Option<Ahead>,
}

/// What a neighbour cosigned that the restored ledger does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    /// Who cosigned it.
    pub by: Code,
    /// Leaves of the ledger that it cosigned.
    pub size: u64,
    /// When this node signed that checkpoint.
    pub at: Moment,
}

/// Something the operator must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Order.
    pub number: u64,
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
    /// Article, if one applies.
    pub article: Option<statute::Article>,
    /// When.
    pub at: Moment,
}

/// A holiday notice in force here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeView {
    /// The year it is for.
    pub year: i16,
    /// Its document number.
    pub number: String,
    /// Its title.
    pub title: String,
    /// When it was taken here from the hub; `None` for one that comes with the program.
    pub installed: Option<Moment>,
}

/// A person enrolled here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// The certificate.
    pub certificate: PersonCertificate,
    /// Name of the department.
    pub department_name: String,
    /// When enrolled.
    pub since: Moment,
    /// Why and from when on the enrolment was ended before its term, if it was.
    pub ended: Option<Ending>,
}

// The queries are in `query.rs`; all take `&dyn Read` and page with `after`:
//
// node(read) -> NodeView
// own_entries(read, after: Option<&EntryId>, limit) -> Vec<OwnEntry>;  own_entry(read, &EntryId) -> Option<OwnEntry>
// published(read, publisher: Option<Code>, after: Option<(Code, EntryId)>, limit) -> Vec<PublishedEntry>
// published_entry(read, Code, &EntryId) -> Option<PublishedEntry>
// publishers(read) -> Vec<(Code /*publisher*/, u64 /*sequence*/, Moment /*as of*/)>
// drafts(read, limit) -> Vec<DraftView>
// dockets(read, after: Option<DocketId>, limit) -> Vec<DocketView>; docket(read, DocketId) -> Option<DocketDetail>
// docket_copy(read, DocketId) -> Option<DocketCopy>
// duties(read, now, limit) -> Vec<DutyView>
// findings(read, after: Option<u64>, limit) -> Vec<FindingView>   (newest first)
// readings(read, after: Option<u64>, limit) -> Vec<ReadingView>   (newest first)
// calendar(read) -> Calendar;  notices(read) -> Vec<NoticeView>
// people(read, limit) -> Vec<PersonView>;  person_chain(read, key: &VerifyKey) -> Option<PersonChain>
// chain(read, Code) -> Option<(Chain, Moment)>; own_chain(read) -> Option<Chain>
// docket_evidence(read, DocketId) -> Option<DocketEvidence>;  evidence_at(read, index) -> Option<Evidence>
// ledger(read, after: Option<u64>, limit) -> Vec<(u64, Record)>
