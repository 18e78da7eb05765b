//! What the ledger holds: every fact this node accepted, in order. Tables are a projection of these.

use identity::{Chain, Code, Digest, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use sharing::act::{ActId, Doer};
use sharing::docket::DocketId;
use sharing::ledger::{Checkpoint, Cosignature};
use statute::Refusal;

use crate::sync::Head;
use crate::wire::{EnvelopeId, NackReason};

/// One leaf of the ledger. Content that may lawfully be erased, or collected when it has served, lies in bodies named by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A membership chain was installed: the node has its place.
    Installed { chain: Chain, at: Moment },
    /// A person's act was accepted here (people, catalogue, members, drafts, tables).
    Act { id: ActId, doer: Doer, body: Digest, at: Moment },
    /// A lawful refusal was given.
    Refused { id: ActId, doer: Doer, refusal: Refusal, at: Moment },
    /// A child was certified, the chain is the child's.
    Certified { chain: Chain, at: Moment },
    /// A certificate was revoked, here or above.
    Revoked { revocation: Signed<identity::Revocation>, at: Moment },
    /// A segment of a publication log, own or a descendant's.
    Segment { head: Signed<Head>, at: Moment },
    /// Two signed heads of one publisher that cannot both be true.
    ForkFound { first: Signed<Head>, second: Signed<Head>, at: Moment },
    /// A docket's event, ordered here or copied from its home.
    Event { docket: DocketId, sequence: u32, body: Digest, home: Path, at: Moment },
    /// A payload is to go to a node; sealed at once when its chain is known.
    Queued { to: Code, order: u64, payload: Digest, at: Moment },
    /// The payload was sealed into an envelope and stands in a neighbour's outbox.
    Sealed { to: Code, order: u64, envelope: EnvelopeId, next: Code, body: Digest, expires: Moment, at: Moment },
    /// An envelope was taken from a neighbour: for this node, or into the next outbox.
    Taken { envelope: EnvelopeId, from: Path, order: u64, next: Option<Code>, body: Option<Digest>, expires: Moment, at: Moment },
    /// A neighbour has it.
    Passed { envelope: EnvelopeId, neighbour: Code },
    /// It expired or was refused on the way; the origin is told.
    Undeliverable { envelope: EnvelopeId, reason: NackReason, at: Moment },
    /// Another node's chain was learned and verified.
    ChainLearned { chain: Chain, as_of: Moment },
    /// A fetch ended well.
    Fetched { docket: DocketId, object: Digest, at: Moment },
    /// An object was served whole.
    Served { docket: DocketId, object: Digest, to: Path, at: Moment },
    /// A table was split and committed to.
    Delivery { act: ActId, dataset: String, delivery: u64, rows: u64, remainder: u64, at: Moment },
    /// A checkpoint of this ledger was signed.
    CheckpointSigned { checkpoint: Signed<Checkpoint> },
    /// The parent or a witness cosigned it.
    Cosigned { size: u64, cosignature: Cosignature },
    /// A child's checkpoint was cosigned here.
    ChildCosigned { checkpoint: Signed<Checkpoint>, at: Moment },
    /// Something the operator must know.
    Finding { text_zh: String, text_en: String, article: Option<statute::Article>, at: Moment },
}
