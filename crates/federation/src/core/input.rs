//! What enters the core and what leaves it.

use identity::{Chain, Digest, Moment, Path};
use serde::{Deserialize, Serialize};
use sharing::act::{ActId, ObjectRef, SignedAct};
use sharing::docket::DocketId;
use sharing::public::PublicRequest;
use sharing::return_flow::{Area, Difference, Manifest, PartNotice, Proof};
use statute::Refusal;

use super::calls::{CallEnd, CallSide};
use super::readings::{Caller, ReadWhat, UsesGiven};
use crate::service::{CallHead, CallId};
use crate::wire::{Frame, LevelAnswer, Question, SearchHit, SearchId};

/// One connection to one neighbour, numbered by the driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LinkId(pub u64);

/// Names an operator's request, so that the answer finds its way back. Never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// What happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The driver has opened the store and is ready to carry out effects.
    Started,
    /// Time has passed.
    Tick,
    /// A connection to the holder of this transport key is up and its streams are open.
    LinkUp {
        /// Numbered by the driver, never used again.
        link: LinkId,
        /// The key the other end proved to hold.
        transport_key: [u8; 32],
    },
    /// A frame arrived; bounded by the driver, not yet decoded.
    Frame {
        /// Which connection.
        link: LinkId,
        /// At most [`crate::wire::MAX_FRAME_BYTES`].
        bytes: Vec<u8>,
    },
    /// The connection is gone.
    LinkDown {
        /// Which connection.
        link: LinkId,
    },
    /// A person's signed act, from the API.
    Act {
        /// Where the answer goes.
        token: Token,
        /// As the person signed it.
        act: Box<SignedAct>,
    },
    /// A program asks for a file in the object store; it is given once the reading is durable (R36).
    ContentRead {
        /// Where the answer goes.
        token: Token,
        /// What is read.
        what: ReadWhat,
        /// Who asks.
        by: Caller,
    },
    /// What somebody of the public asks, from the API: nobody signed it.
    Public {
        /// Where the answer goes.
        token: Token,
        /// The commitment to the receipt that they were given; the same one opens one docket.
        receipt: identity::Digest,
        /// What they ask.
        request: Box<PublicRequest>,
    },
    /// A membership chain for this node, from `guantong enroll` or a renewal.
    Install {
        /// Where the answer goes.
        token: Token,
        /// From the root to this node.
        chain: Chain,
    },
    /// An operator searches; the driver answers locally by itself and the core asks the ancestors.
    Search {
        /// Where the answers go.
        token: Token,
        /// What to look for.
        question: Question,
        /// Most hits a level gives.
        limit: u16,
    },
    /// The local index answered [`Effect::SearchLocal`].
    SearchDone {
        /// Which search.
        query: SearchId,
        /// Best first.
        hits: Vec<SearchHit>,
    },
    /// A fetch ended. `Err` is a person-readable reason; the core decides whether to try again.
    Fetched {
        /// The docket that gives the right.
        docket: DocketId,
        /// What was fetched.
        object: ObjectRef,
        /// What came of it.
        outcome: Result<FetchedPart, String>,
    },
    /// A requester at the other end of a circuit has received all of an object that this node served.
    Served {
        /// The docket that gave the right.
        docket: DocketId,
        /// What was served.
        object: ObjectRef,
        /// Who received it.
        to: Path,
    },
    /// A call of a service is to begin at this end; answered with [`Effect::Answer`] once that is on record.
    CallBegun {
        /// Where the answer goes.
        token: Token,
        /// Which end this is.
        side: CallSide,
        /// The requester's node, proved by its circuit; `None` for this node itself.
        from: Option<Path>,
        /// The call.
        head: Box<CallHead>,
    },
    /// A call of a service that began here has ended at this end.
    CallEnded {
        /// Which call.
        call: CallId,
        /// The docket that gave the right.
        docket: DocketId,
        /// Which end this is.
        side: CallSide,
        /// How.
        end: Box<CallEnd>,
    },
    /// The driver destroyed personal content as [`Effect::Destroy`] asked.
    Destroyed {
        /// The docket it was said in.
        docket: DocketId,
        /// The digests committed to.
        contents: Vec<Digest>,
        /// That nothing of it is left, or a person-readable reason.
        outcome: Result<(), String>,
    },
    /// The driver split a table as [`Effect::SplitTable`] asked.
    TableSplit {
        /// The act that returned the table.
        act: ActId,
        /// The parts, or a person-readable reason.
        outcome: Result<SplitTable, String>,
    },
    /// The driver split a part for the level below as [`Effect::PassOn`] asked.
    PassedOn {
        /// The notice under which the part was received.
        notice: Box<PartNotice>,
        /// The parts, or a person-readable reason.
        outcome: Result<Vec<SplitPart>, String>,
    },
}

/// What a fetch found, beyond that the object is whole (its digest was verified while streaming).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedPart {
    /// A granted file.
    File,
    /// Personal content, now in the vault.
    Content,
    /// A part of a return flow: verified against its manifest with this outcome.
    Part {
        /// Which delivery, from 1.
        delivery: u64,
        /// Rows verified, or what was wrong.
        rows: Result<u64, String>,
    },
}

/// Where the driver keeps a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    /// The object store: granted and returned data.
    Objects,
    /// The vault: personal content, until it is erased.
    Vault,
}

/// A table split by division, its parts in the object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitTable {
    /// The manifest to be signed (its `at`, `source` and `delivery` are as the effect gave them).
    pub manifest: Manifest,
    /// One part a subscriber: docket, division, part, proof, salt.
    pub parts: Vec<SplitPart>,
}

/// One subscriber's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitPart {
    /// The subscription.
    pub docket: DocketId,
    /// Whose rows.
    pub area: Area,
    /// How many.
    pub rows: u64,
    /// The rows.
    pub part: ObjectRef,
    /// What leads to them from the part that the subscriber holds.
    pub difference: Option<Difference>,
    /// Their leaves.
    pub leaves: ObjectRef,
    /// Their proof.
    pub proof: Proof,
    /// The salt of the subtree.
    pub salt: [u8; 32],
}

/// For whom rows are split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitFor {
    /// The subscription.
    pub docket: DocketId,
    /// Whose rows.
    pub area: Area,
    /// The part that the subscriber acknowledged last.
    pub base: Option<ObjectRef>,
}

/// What the driver is to do, once the batch is durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Send a frame to a neighbour.
    Send {
        /// To whom.
        link: LinkId,
        /// What.
        frame: Box<Frame>,
    },
    /// End a connection once what was sent on it before is on its way, with the reason for the log.
    Close {
        /// Which connection.
        link: LinkId,
        /// For the log.
        reason: String,
    },
    /// Answer an operator.
    Answer {
        /// Who asked.
        token: Token,
        /// What came of it.
        answer: Result<Answer, Refused>,
    },
    /// The running search started under this id.
    SearchStarted {
        /// Who asked.
        token: Token,
        /// The id under which levels will answer.
        query: SearchId,
    },
    /// One level answered a search of this node's own operator.
    SearchLevel {
        /// Which search.
        query: SearchId,
        /// What that level knows.
        answer: LevelAnswer,
    },
    /// Ask the local catalogue on behalf of a descendant: the index for words, `query::holding` for items; answered by [`Input::SearchDone`].
    SearchLocal {
        /// Which search.
        query: SearchId,
        /// What to look for.
        question: Question,
        /// Most hits wanted.
        limit: u16,
    },
    /// Fetch an object over a circuit; answered by [`Input::Fetched`]. Asked again after a restart. The driver ignores one that runs already.
    Fetch {
        /// Chain of the node that has it.
        from: Chain,
        /// The docket that gives the right.
        docket: DocketId,
        /// What to fetch.
        object: ObjectRef,
        /// Where it is to be kept, here as there.
        shelf: Shelf,
        /// For a part of a return flow: what to verify it against.
        part: Option<Box<PartNotice>>,
    },
    /// Destroy personal content in the vault, so that nothing of it is left on this node; answered by [`Input::Destroyed`]. What is not there
    /// is destroyed. Asked again after a restart.
    Destroy {
        /// The docket it was said in.
        docket: DocketId,
        /// The digests committed to.
        contents: Vec<Digest>,
    },
    /// Split a table by division; answered by [`Input::TableSplit`].
    SplitTable {
        /// The act that returned the table.
        act: ActId,
        /// To be completed: header, rows, remainder and root.
        manifest: Box<Manifest>,
        /// The table in the object store.
        table: ObjectRef,
        /// From which the salts of the parts are derived.
        secret: [u8; 32],
        /// The column by which a row is the same row after a change.
        key_column: Option<String>,
        /// Who gets a part.
        subscribers: Vec<SplitFor>,
    },
    /// Split a part that was received and verified for those who subscribe to it here; answered by [`Input::PassedOn`].
    PassOn {
        /// What was received.
        notice: Box<PartNotice>,
        /// Who gets a part of it.
        subscribers: Vec<SplitFor>,
    },
    /// A segment was stored: bring the search index in step with its changes, then remember `applied` (the count of published changes,
    /// `query::published_changes`). Only named, not carried: the index reads it from the store when it gets there, so that the core
    /// neither waits for the index nor holds what it has not indexed yet.
    Index {
        /// Whose log.
        publisher: identity::Path,
        /// The segment's body: its changes are [`crate::sync::changes`] of it.
        body: identity::Digest,
        /// Published changes projected so far, this segment's included.
        applied: u64,
    },
    /// Only neighbours with these transport keys may connect (the parent and the certified children; a child that was revoked connects to be told so).
    Neighbours {
        /// Transport keys of the parent and the certified children.
        keys: Vec<[u8; 32]>,
    },
}

/// The answer to an accepted act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The act.
    pub act: Option<ActId>,
    /// The docket it opened or stepped.
    pub docket: Option<DocketId>,
    /// True when the act was taken before and nothing new happened.
    pub repeated: bool,
    /// Warnings (for example: a credit code whose check character is wrong).
    pub warnings: Vec<String>,
    /// For a certified member: its chain.
    pub chain: Option<Chain>,
    /// For a reading: the records of use. Given once; whoever lost the answer reads again with another act.
    pub uses: Option<UsesGiven>,
    /// When the core accepted it.
    pub at: Moment,
}

impl Answer {
    /// That something was accepted at this time, and nothing more.
    pub fn at(at: Moment) -> Self {
        Self {
            act: None,
            docket: None,
            repeated: false,
            warnings: Vec::new(),
            chain: None,
            uses: None,
            at,
        }
    }
}

/// Why an act was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refused {
    /// A lawful refusal, with its article.
    #[error("{0}")]
    Lawful(Refusal),
    /// The act's signature, chain or address is not good.
    #[error("not a valid act: {0}")]
    NotAuthentic(String),
    /// This node has no valid membership, so it signs nothing.
    #[error("this node is not (or no longer) a member: {0}")]
    NotAMember(String),
    /// Ours: try again.
    #[error("fault: {0}")]
    Fault(String),
}
