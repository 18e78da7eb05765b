//! Wire protocol v1: what two neighbours say over their one connection, and what an envelope carries through the tree.
//!
//! A link is two one-way streams of frames (`u32` big-endian length, then the codec's bytes). Nothing on a link is believed because of the
//! link: envelopes, segments, certificates and checkpoints carry their authors' own signatures.

use identity::{Chain, Code, Digest, Moment, Path, Sealed, Signed};
use serde::{Deserialize, Serialize};
use sharing::act::SignedAct;
use sharing::aggregation::Risk;
use sharing::catalogue::{MAX_ITEMS, MAX_NAME_CHARS};
use sharing::docket::{DocketCopy, DocketEvent, DocketId};
use sharing::ledger::{Checkpoint, Cosignature};
use sharing::need::{Found, LevelAsked, MAX_CONSIDERED, Said};

use crate::core::query::MAX_LOOKED_THROUGH;
use crate::health::HealthReport;
use crate::sync::{Head, Segment};

/// Most bytes of the names of an entry's data items that a hit carries: some two hundred names. Of an entry with more it carries none, for a part of
/// them would pass for all.
pub const MAX_HIT_ITEMS_BYTES: usize = 8 << 10;
/// Most characters of the words of a search.
pub const MAX_SEARCH_CHARS: usize = 256;
/// The version of what is said on a link and in envelopes, said first in each direction. One that changes the meaning of what both can decode gets a new
/// number; the name of the protocol changes with what cannot be decoded.
pub const WIRE_VERSION: u16 = 1;
/// The protocol's name on a link stream; a change that old nodes cannot read gets a new number.
pub const LINK_PROTOCOL: &str = "/guantong/link/1";
/// The protocol's name on a circuit stream.
pub const CIRCUIT_PROTOCOL: &str = "/guantong/circuit/1";
/// Protocol of streams that arrange for a circuit to go over a connection of its own: the same header, then a ticket.
pub const CIRCUIT_WIRE_PROTOCOL: &str = "/guantong/circuit-wire/1";
/// Most bytes in one link frame: four segments of [`crate::sync::MAX_SEGMENT_BYTES`] and their heads.
pub const MAX_FRAME_BYTES: usize = (4 << 20) + (64 << 10);
/// Most bytes in one sealed envelope: what does not fit is a file and goes by circuit.
pub const MAX_ENVELOPE_BYTES: usize = 1 << 20;
/// Envelopes to one neighbour that may be unacknowledged; bounds memory to this many times [`MAX_ENVELOPE_BYTES`].
pub const ENVELOPE_WINDOW: usize = 32;

/// One frame on a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// First frame in each direction: who speaks, proved by the transport key in the chain being the connection's.
    Hello {
        /// Which frames and records the speaker speaks: [`WIRE_VERSION`].
        wire: u16,
        /// The speaker's membership chain.
        chain: Chain,
        /// Software and version, for the log.
        software: String,
        /// The speaker's clock.
        now: Moment,
    },
    /// Pass this envelope on (or take it, if it is for you).
    Push {
        /// As the origin signed it.
        envelope: Signed<Envelope>,
        /// The origin's chain: whoever checks the envelope needs to know nobody.
        origin: Chain,
    },
    /// The envelope is durable here; forget your copy.
    Ack {
        /// Which envelope.
        envelope: EnvelopeId,
    },
    /// The envelope cannot be taken, ever; the reason goes back to its origin.
    Nack {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Why it can never be taken.
        reason: NackReason,
    },
    /// Digest over all heads of the sender's subtree: the whole of a steady-state sync.
    SyncOffer {
        /// [`crate::sync::heads_digest`] of the subtree.
        digest: Digest,
        /// Number of publishers in it.
        heads: u64,
    },
    /// The offer differs from what is here: send your heads after this publisher.
    SyncHeadsWanted {
        /// Last publisher of the page before; `None` for the first page.
        after: Option<Code>,
    },
    /// One page of heads, in code order; `more` when another page follows.
    SyncHeads {
        /// As their publishers signed them.
        heads: Vec<Signed<Head>>,
        /// True when another page follows.
        more: bool,
    },
    /// Send segments of this publisher after this sequence.
    SyncPull {
        /// Whose log.
        publisher: Code,
        /// Last change known to the asker; 0 for all of the log.
        after: u64,
    },
    /// Segments in order, with the publisher's chain when the receiver may not know it.
    SyncSegments {
        /// Chain of the log's publisher.
        publisher: Chain,
        /// In the order of the log.
        segments: Vec<Segment>,
    },
    /// A checkpoint to be cosigned, with the proof that it extends the last cosigned one (of `from` leaves).
    CheckpointOffer {
        /// The sender's own, signed by it.
        checkpoint: Signed<Checkpoint>,
        /// Leaves of the last checkpoint cosigned by the receiver; 0 for none.
        from: u64,
        /// Consistency proof between the two sizes.
        proof: Vec<Digest>,
    },
    /// The cosignature.
    Cosigned {
        /// Leaves of the checkpoint cosigned.
        size: u64,
        /// The receiver's signature on it.
        cosignature: Cosignature,
    },
    /// The checkpoint cannot be cosigned: the newest one cosigned here.
    CosignRefused {
        /// The newest checkpoint of the asker that was cosigned here, if any.
        newest: Option<Signed<Checkpoint>>,
        /// For the asker's operator.
        reason: String,
    },
    /// Asks for a node's membership chain.
    ChainWanted {
        /// Whose chain.
        code: Code,
    },
    /// The chain, and when the revocations it was checked against were last refreshed.
    ChainFound {
        /// Whose chain was asked for.
        code: Code,
        /// It.
        chain: Chain,
        /// As of when the revocations behind it were known.
        as_of: Moment,
    },
    /// No node in the federation has this code, as of this time.
    ChainUnknown {
        /// Which code.
        code: Code,
        /// The hub's clock.
        as_of: Moment,
    },
    /// Health of the sender's subtree, upward.
    Health {
        /// At most [`crate::health::MAX_REPORTS_PER_FRAME`].
        reports: Vec<HealthReport>,
    },
    /// Downward: revocations every descendant must know.
    Revocations {
        /// As their issuers signed them.
        list: Vec<Signed<identity::Revocation>>,
    },
    /// Downward: holiday notices that every descendant counts working days by (R8); at most [`MAX_NOTICES_PER_FRAME`].
    Notices {
        /// As the head of the national authority signed them.
        list: Vec<Notice>,
    },
    /// A search that climbs: answered by every ancestor.
    Search {
        /// Names the search.
        query: SearchId,
        /// What to look for.
        question: Question,
        /// Most hits a level gives.
        limit: u16,
    },
    /// One level's answer, on its way down.
    SearchAnswer {
        /// Which search.
        query: SearchId,
        /// What that level knows.
        level: LevelAnswer,
    },
}

/// Most notices in one frame: each is at most a file of `statute::MAX_NOTICE_BYTES` with two chains of 8 KiB at most, under 1 MiB together.
pub const MAX_NOTICES_PER_FRAME: usize = 32;

/// A holiday notice with everything that proves it: whoever checks it needs to know nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The act by which it was installed.
    pub act: SignedAct,
    /// The hub's membership chain, which names the head who signed.
    pub issuer: Chain,
}

/// What a search looks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    /// Entries that hold every word, or whose id it is.
    Words(String),
    /// Entries that hold some of these data items, told by their names; those that hold most come first.
    Items(Vec<String>),
}

/// Score of a hit that holds every item asked for.
pub const WHOLE: u32 = 1_000;

/// Names one running search: the asking node and its own counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SearchId {
    /// Who asked.
    pub origin: Code,
    /// Its counter.
    pub number: u64,
}

/// What one level of the tree knows of a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelAnswer {
    /// Which level answered.
    pub node: Path,
    /// As of when (the newest sync its catalogue has seen).
    pub as_of: Moment,
    /// Entries its catalogue holds.
    pub catalogue: u64,
    /// Hits, best first.
    pub hits: Vec<SearchHit>,
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchHit {
    /// Whose entry.
    pub publisher: Path,
    /// 目录代码.
    pub id: sharing::catalogue::EntryId,
    /// Version.
    pub version: u32,
    /// 目录名称.
    pub name: String,
    /// 提供单位.
    pub provider_name: String,
    /// 共享属性.
    pub class: statute::ShareClass,
    /// Relevance times 1,000; where it was asked for items, how many of them it holds, and [`WHOLE`] when it holds
    /// them all.
    pub score: u32,
    /// Its first way of sharing.
    pub method: Option<statute::Method>,
    /// Its data items, every one of them, when it was asked for by its exact id; where it was asked for items, those of them that it holds; none
    /// otherwise, and none when there are more than an answer carries.
    pub items: Vec<String>,
}

impl LevelAnswer {
    /// What a level said of the items of a need, as it is put on record with the need.
    pub fn of_a_need(&self) -> LevelAsked {
        let whole = self.hits.iter().filter(|hit| hit.score >= WHOLE);
        let found = |hit: &SearchHit| Found {
            publisher: hit.publisher.clone(),
            entry: hit.id.clone(),
            version: hit.version,
            name: hit.name.clone(),
        };
        LevelAsked {
            node: self.node.clone(),
            said: Said::Answered {
                as_of: self.as_of,
                complete: self.catalogue <= MAX_LOOKED_THROUGH as u64,
                whole: whole.take(MAX_CONSIDERED).map(found).collect(),
            },
        }
    }
}

impl Question {
    /// Whether it is no longer than a question may be.
    pub fn is_within_bounds(&self) -> bool {
        match self {
            Self::Words(text) => text.chars().count() <= MAX_SEARCH_CHARS,
            Self::Items(names) => {
                let long = |name: &String| name.chars().count() > MAX_NAME_CHARS;
                names.len() <= MAX_ITEMS && !names.iter().any(long)
            }
        }
    }
}

impl SearchHit {
    /// Whether it carries no more than a hit may: what a level above says is bounded like everything else.
    pub fn is_within_bounds(&self) -> bool {
        let bytes = self.items.iter().map(String::len).sum::<usize>();
        self.name.chars().count() <= MAX_NAME_CHARS
            && self.items.len() <= MAX_ITEMS
            && bytes <= MAX_HIT_ITEMS_BYTES
    }
}

/// Why an envelope cannot be taken. Declared in the order in which they win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NackReason {
    /// Larger than [`MAX_ENVELOPE_BYTES`].
    #[error("envelope too large")]
    TooLarge,
    /// The bytes do not decode.
    #[error("envelope malformed")]
    Malformed,
    /// The origin's chain does not lead to the root, or is expired or revoked.
    #[error("origin is not a member")]
    NotAMember,
    /// The origin's signature is wrong.
    #[error("bad signature")]
    BadSignature,
    /// Its time is over.
    #[error("envelope expired")]
    Expired,
    /// There is no way from here to its destination.
    #[error("no route to destination")]
    NoRoute,
}

/// An envelope's id: digest of its signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EnvelopeId(pub Digest);

/// A control message from one node to another, sealed to the destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Origin.
    pub from: Path,
    /// Destination.
    pub to: Path,
    /// Order at the origin towards this destination, from 1: the destination applies in this order.
    pub order: u64,
    /// When it was made.
    pub created: Moment,
    /// When it expires (the sender is then told).
    pub expires: Moment,
    /// HPKE to the destination's sealing key; opens to a [`Payload`].
    pub sealed: Sealed,
}

/// What an envelope carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Payload {
    /// A consented application for the provider's node to open (R20).
    OpenApplication {
        /// The operator's draft.
        apply: SignedAct,
        /// The department head's consent to exactly that draft.
        consent: SignedAct,
        /// What the requester could join with it, where that is a risk (R25).
        risk: Option<Box<Risk>>,
    },
    /// A party's act in a docket whose home is the destination.
    Command {
        /// Which docket.
        docket: DocketId,
        /// As the person signed it.
        act: SignedAct,
    },
    /// A docket's events, from its home to a party.
    Events {
        /// Chain of the docket's home.
        home: Chain,
        /// In the home's order.
        events: Vec<Signed<DocketEvent>>,
    },
    /// A party lacks events of a docket from this one on.
    EventsWanted {
        /// Which docket.
        docket: DocketId,
        /// First sequence lacking.
        from: u32,
    },
    /// The home refused a party's act.
    Refused {
        /// Which docket.
        docket: DocketId,
        /// Which act.
        act: sharing::act::ActId,
        /// Why, with its article.
        refusal: statute::Refusal,
    },
    /// An act that opens a docket by itself, for the home.
    Open {
        /// As the person signed it.
        act: SignedAct,
    },
    /// Subscribe to return flow (R24).
    Subscribe {
        /// As the recipient's person signed it.
        act: SignedAct,
    },
    /// An object named by a docket was fetched whole and verified.
    ObjectReceived {
        /// The docket that gave the right.
        docket: DocketId,
        /// Digest of the object.
        object: Digest,
        /// The recipient's clock when it was whole.
        at: Moment,
    },
    /// A holder of a docket has destroyed personal content whose erasure was decided (PIPL 47).
    Destroyed {
        /// The docket it was said in.
        docket: DocketId,
        /// The digests committed to; at most [`sharing::erasure::MAX_ERASED_PER_ACT`].
        contents: Vec<Digest>,
        /// The holder's clock.
        at: Moment,
    },
    /// A part of a return flow was fetched and verified, or found wanting.
    PartVerified {
        /// The subscription.
        docket: DocketId,
        /// Which delivery, from 1.
        delivery: u64,
        /// Rows verified; 0 when found wanting.
        rows: u64,
        /// What was wrong, when something was.
        finding: Option<String>,
        /// The recipient's clock.
        at: Moment,
    },
    /// A dispute for the common superior, with the complainant's own verified copy (R28).
    ReferDispute {
        /// The disputed docket.
        about: DocketId,
        /// It, as its home signed it.
        copy: DocketCopy,
        /// Places whose authority is itself a party, each said so by that place when it passed the case on, the lowest first.
        passed_on: Vec<Path>,
    },
    /// The hearing node tells the disputed docket's home what came of it.
    DisputeConcluded {
        /// The dispute's own docket.
        dispute: DocketId,
        /// The disputed docket.
        about: DocketId,
        /// In words.
        outcome: String,
    },
    /// A hop could not pass on an envelope of yours.
    Undeliverable {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Why.
        reason: NackReason,
        /// Which hop gave it up.
        at: Path,
    },
    /// The origin asks a witness named in its certificate to cosign its checkpoint.
    WitnessWanted {
        /// The origin's own, signed by it.
        checkpoint: Signed<Checkpoint>,
        /// Leaves of the last checkpoint this witness cosigned; 0 for none.
        from: u64,
        /// Consistency proof between the two sizes.
        proof: Vec<Digest>,
    },
    /// The witness cosigned.
    Witnessed {
        /// Leaves of the checkpoint cosigned.
        size: u64,
        /// The witness's signature on it.
        cosignature: Cosignature,
    },
    /// The witness does not cosign.
    WitnessRefused {
        /// The newest checkpoint of the asker that it cosigned, if any.
        newest: Option<Signed<Checkpoint>>,
        /// For the asker's operator.
        reason: String,
    },
    /// A child's own authority or government did not do in time what it owed; the level above supervises it (R41).
    LapseTold {
        /// The docket in which it was owed.
        docket: DocketId,
        /// What was owed.
        duty: statute::Duty,
        /// When it was due.
        due: Moment,
        /// Who owed it.
        who: sharing::clock::Debtor,
    },
    /// A notice circulated by an authority above (R29).
    Circular {
        /// As the authority's head signed it.
        act: SignedAct,
    },
    /// A party holds an event of doubted time and asks the docket's home by when others had it.
    TimeAsked {
        /// Which docket.
        docket: DocketId,
        /// Which event.
        sequence: u32,
    },
    /// The home shows the first cosigned checkpoint that covers an event.
    TimeShown {
        /// Which docket.
        docket: DocketId,
        /// Which event.
        sequence: u32,
        /// The event's record in the home's ledger, proved.
        evidence: Box<sharing::ledger::Evidence>,
    },
}

/// The header that opens a circuit: a live stream spliced through the hops, sealed end to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitOpen {
    /// Chosen by the origin.
    pub id: [u8; 16],
    /// Origin.
    pub from: Path,
    /// Destination.
    pub to: Path,
    /// Opened when; refused when older than [`CIRCUIT_OPEN_VALID_MS`] to stop replays.
    pub at: Moment,
    /// HPKE to the destination: a [`CircuitRequest`].
    pub sealed: Sealed,
}

/// How long a circuit header may be used, milliseconds.
pub const CIRCUIT_OPEN_VALID_MS: i64 = 60_000;
/// Most bytes of an encoded circuit header with its chain.
pub const MAX_CIRCUIT_HEADER_BYTES: usize = 64 << 10;

/// What the origin of a circuit asks, readable by the destination alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitRequest {
    /// Key of the sealed chunk stream, both directions.
    pub key: [u8; 32],
    /// What it is opened for.
    pub wants: CircuitWants,
}

/// What a circuit is opened for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CircuitWants {
    /// One object.
    Object(ObjectRequest),
    /// Calls of services, one after the other: see [`crate::service`].
    Calls,
}

/// An object that a node asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRequest {
    /// The docket that gives the right.
    pub docket: DocketId,
    /// Object wanted.
    pub object: Digest,
    /// Resume from this byte.
    pub offset: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_carries_so_many_items_and_bytes_and_no_more() {
        let hit = |items: Vec<String>| SearchHit {
            publisher: Path::hub(),
            id: "3/210000/000001".parse().unwrap(),
            version: 1,
            name: String::new(),
            provider_name: String::new(),
            class: statute::ShareClass::Conditional,
            score: 0,
            method: None,
            items,
        };
        let most = sharing::catalogue::MAX_ITEMS;
        assert!(hit(vec![String::new(); most]).is_within_bounds());
        assert!(!hit(vec![String::new(); most + 1]).is_within_bounds());
        assert!(hit(vec!["a".repeat(MAX_HIT_ITEMS_BYTES)]).is_within_bounds());
        assert!(!hit(vec!["a".repeat(MAX_HIT_ITEMS_BYTES + 1)]).is_within_bounds());
    }
}
