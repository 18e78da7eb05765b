//! The ledger (账本): an append-only blake3 Merkle log of every event a node accepted, its signed checkpoints, cosignatures,
//! proofs, and evidence files that anyone verifies offline.

use identity::{Chain, Digest, Moment, Path, Signature, Signed};
use serde::{Deserialize, Serialize};

pub mod checkpoint;
pub mod evidence;
pub mod merkle;

pub use checkpoint::{
    CheckpointError, CosignatureError, ForkError, ForkEvidence, MAX_CLOCK_AHEAD_MS, check_extends,
};
pub use evidence::{Cosigner, EvidenceError, EvidenceFile, Relation, Verdict};
pub use merkle::{Frontier, MerkleError, Nodes, ProofError, TreeHead};

/// A node's signed statement of its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose ledger.
    pub node: Path,
    /// Epoch of the place (a successor on a restored backup opens the next).
    pub epoch: u32,
    /// Number of leaves.
    pub size: u64,
    /// Root over the leaves.
    pub root: Digest,
    /// The node's clock.
    pub at: Moment,
}

/// A neighbour's or witness's signature over a checkpoint it found consistent with every earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cosignature {
    /// Who cosigned.
    pub by: Path,
    /// When.
    pub at: Moment,
    /// Over the digest of the signed checkpoint, `by` and `at` (`Domain::Cosignature`).
    pub signature: Signature,
}

/// Everything needed to check one event without asking anyone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The ledger record, exactly as hashed.
    #[serde(with = "evidence::hexadecimal")]
    pub record: Vec<u8>,
    /// Its place in the ledger.
    pub index: u64,
    /// Inclusion proof, leaf to root.
    pub inclusion: Vec<Digest>,
    /// The checkpoint it proves against.
    pub checkpoint: Signed<Checkpoint>,
    /// Chain of the node whose ledger it is.
    pub chain: Chain,
    /// Cosignatures with the chains of those who cosigned.
    pub cosignatures: Vec<(Cosignature, Chain)>,
}
