//! What the ledger holds: every fact this node accepted, in order. Tables are a projection of these.

use identity::{Chain, Code, Digest, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use sharing::act::{ActId, Doer};
use sharing::clock::bounds::{Doubt, HomeStanding};
use sharing::clock::{Debtor, Term};
use sharing::docket::DocketId;
use sharing::ledger::{Checkpoint, Cosignature};
use statute::{Article, Duty, Refusal};

use super::calls::{CallSide, CallStep};
use super::readings::{ReadBy, ReadWhat};
use crate::service::CallId;
use crate::sync::Head;
use crate::wire::{EnvelopeId, NackReason};

/// One leaf of the ledger. Content that may lawfully be erased, or collected when it has served, lies in bodies named by digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A membership chain was installed: the node has its place.
    Installed {
        /// From the root to this node.
        chain: Chain,
        /// This node's clock.
        at: Moment,
    },
    /// A person's act was accepted here (people, catalogue, members, drafts, tables).
    Act {
        /// Digest of the signed act.
        id: ActId,
        /// Who acted, in which role.
        doer: Doer,
        /// The signed act.
        body: Digest,
        /// This node's clock.
        at: Moment,
    },
    /// A lawful refusal was given.
    Refused {
        /// Which act.
        id: ActId,
        /// Whose.
        doer: Doer,
        /// Why, with its article.
        refusal: Refusal,
        /// This node's clock.
        at: Moment,
    },
    /// A holiday notice is in force here from now on.
    NoticeTaken {
        /// The [`crate::wire::Notice`].
        notice: Digest,
        /// This node's clock.
        at: Moment,
    },
    /// A child was certified, the chain is the child's.
    Certified {
        /// From the root to the child.
        chain: Chain,
        /// This node's clock.
        at: Moment,
    },
    /// A certificate was revoked, here or above.
    Revoked {
        /// As its issuer signed it.
        revocation: Signed<identity::Revocation>,
        /// This node's clock.
        at: Moment,
    },
    /// A segment of a publication log, own or a descendant's.
    Segment {
        /// As its publisher signed it.
        head: Signed<Head>,
        /// This node's clock.
        at: Moment,
    },
    /// Two signed heads of one publisher that cannot both be true.
    ForkFound {
        /// The head known first.
        first: Signed<Head>,
        /// The head that contradicts it.
        second: Signed<Head>,
        /// This node's clock.
        at: Moment,
    },
    /// A docket's event, ordered here or copied from its home.
    Event {
        /// Which docket.
        docket: DocketId,
        /// Its place in the docket, from 0.
        sequence: u32,
        /// The signed event.
        body: Digest,
        /// Who ordered it.
        home: Path,
        /// This node's clock.
        at: Moment,
    },
    /// A payload is to go to a node; sealed at once when its chain is known.
    Queued {
        /// The destination.
        to: Code,
        /// Its number towards that destination, from 1.
        order: u64,
        /// The payload in clear.
        payload: Digest,
        /// This node's clock.
        at: Moment,
    },
    /// The payload was sealed into an envelope and stands in a neighbour's outbox.
    Sealed {
        /// The destination.
        to: Code,
        /// Its number towards that destination.
        order: u64,
        /// The envelope's id.
        envelope: EnvelopeId,
        /// The neighbour it goes to first.
        next: Code,
        /// The signed envelope with the origin's chain.
        body: Digest,
        /// When it is given up.
        expires: Moment,
        /// This node's clock.
        at: Moment,
    },
    /// An envelope was taken from a neighbour: for this node, or into the next outbox.
    Taken {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Its origin.
        from: Path,
        /// Its number at the origin.
        order: u64,
        /// The next neighbour; `None` when it is for this node.
        next: Option<Code>,
        /// The signed envelope with the origin's chain, when it goes on.
        body: Option<Digest>,
        /// When it is given up.
        expires: Moment,
        /// This node's clock.
        at: Moment,
    },
    /// A neighbour has it.
    Passed {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Who acknowledged it.
        neighbour: Code,
    },
    /// It expired or was refused on the way; the origin is told.
    Undeliverable {
        /// Which envelope.
        envelope: EnvelopeId,
        /// Why.
        reason: NackReason,
        /// This node's clock.
        at: Moment,
    },
    /// Another node's chain was learned and verified.
    ChainLearned {
        /// It.
        chain: Chain,
        /// As of when the revocations behind it were known.
        as_of: Moment,
    },
    /// A fetch ended well.
    Fetched {
        /// The docket that gave the right.
        docket: DocketId,
        /// Digest of the object.
        object: Digest,
        /// This node's clock.
        at: Moment,
    },
    /// An object was served whole.
    Served {
        /// The docket that gave the right.
        docket: DocketId,
        /// Digest of the object.
        object: Digest,
        /// Who received it.
        to: Path,
        /// This node's clock.
        at: Moment,
    },
    /// A step of a call of a service, as this end of it saw it (R22, R29).
    Call {
        /// Which call.
        call: CallId,
        /// The docket that gives the right.
        docket: DocketId,
        /// Which end this node is.
        side: CallSide,
        /// The step.
        step: CallStep,
        /// This node's clock.
        at: Moment,
    },
    /// The home refused an act: the personal content that came with it is in no docket and is to be destroyed.
    NotTaken {
        /// The docket it was for.
        docket: DocketId,
        /// The digests committed to.
        contents: Vec<Digest>,
        /// This node's clock.
        at: Moment,
    },
    /// Personal content was destroyed here.
    Destroyed {
        /// Which docket.
        docket: DocketId,
        /// The digests committed to.
        contents: Vec<Digest>,
        /// This node's clock.
        at: Moment,
    },
    /// A table was split and committed to.
    Delivery {
        /// The act that returned the table.
        act: ActId,
        /// Which dataset.
        dataset: String,
        /// Its number, from 1.
        delivery: u64,
        /// Rows in all.
        rows: u64,
        /// Rows that belong to no known division.
        remainder: u64,
        /// This node's clock.
        at: Moment,
    },
    /// A checkpoint of this ledger was signed.
    CheckpointSigned {
        /// It.
        checkpoint: Signed<Checkpoint>,
    },
    /// The parent or a witness cosigned it.
    Cosigned {
        /// Leaves of the checkpoint.
        size: u64,
        /// It.
        cosignature: Cosignature,
    },
    /// The checkpoint of a child, or of a node that names this one as its witness, was cosigned here.
    ChildCosigned {
        /// As that node signed it.
        checkpoint: Signed<Checkpoint>,
        /// This node's clock.
        at: Moment,
    },
    /// Something the operator must know.
    Finding {
        /// In Chinese.
        text_zh: String,
        /// In English.
        text_en: String,
        /// The article it concerns, if one.
        article: Option<statute::Article>,
        /// This node's clock.
        at: Moment,
    },
    /// A witness named in this node's certificate was asked to cosign a checkpoint.
    WitnessAsked {
        /// Which witness.
        witness: Code,
        /// Leaves of the checkpoint.
        size: u64,
        /// This node's clock.
        at: Moment,
    },
    /// A witness did not cosign what it was asked to.
    WitnessRefused {
        /// Which witness.
        witness: Code,
        /// Leaves of the own checkpoint it holds, from which the next proof starts; `None` when that would change nothing.
        from: Option<u64>,
        /// This node's clock.
        at: Moment,
    },
    /// Two checkpoints signed by one node that are not of one history: both signatures are kept. With equal sizes they prove a fork by themselves.
    CheckpointRefused {
        /// The one cosigned before.
        held: Signed<Checkpoint>,
        /// The one that does not extend it.
        refused: Signed<Checkpoint>,
        /// This node's clock.
        at: Moment,
    },
    /// Content that is held here was read, or a reading of it at another node was learned of (R29, R36).
    Read {
        /// Who read.
        by: ReadBy,
        /// What.
        what: ReadWhat,
        /// This node's clock.
        at: Moment,
    },
    /// A duty of a docket at another home is overdue by the clock here, and the home has not said so (R21, R39(4)).
    SeenOverdue {
        /// Which docket.
        docket: DocketId,
        /// Which duty.
        duty: Duty,
        /// Under which article.
        article: Article,
        /// Its time limit by the calendar here.
        term: Term,
        /// Who owes it.
        who: Debtor,
        /// How the home stood.
        home: HomeStanding,
        /// This node's clock.
        at: Moment,
    },
    /// The time that a home gives an event of its docket is in doubt here.
    TimeDoubted {
        /// Which docket.
        docket: DocketId,
        /// Which event.
        sequence: u32,
        /// When it happened, as the home says.
        claimed: Moment,
        /// Why that is in doubt.
        doubts: Vec<Doubt>,
        /// This node's clock.
        at: Moment,
    },
    /// The home showed by when others had an event of doubted time under their signature.
    TimeBorneOut {
        /// Which docket.
        docket: DocketId,
        /// Which event.
        sequence: u32,
        /// The evidence as it was shown.
        evidence: Digest,
        /// When the home's ledger was cosigned with the event in it, by the cosigner's clock.
        cosigned: Moment,
        /// By whom.
        by: Path,
        /// This node's clock.
        at: Moment,
    },
}
