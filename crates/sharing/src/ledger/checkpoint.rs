//! Checkpoints: a node's signature under its whole past, and what a neighbour checks before it adds its own.

use identity::planted::{self, Bug};
use identity::{
    BadSignature, Certificate, Digest, Domain, Moment, Path, Signed, SigningKey, VerifyError,
    VerifyKey, codec,
};
use serde::{Deserialize, Serialize};

use super::merkle::{ProofError, TreeHead, verify_consistency};
use super::{Checkpoint, Cosignature};

/// Most bytes of an encoded checkpoint: a path of eight codes, a digest and three numbers come to under 200.
pub const MAX_CHECKPOINT_BYTES: usize = 512;
/// How far ahead of the reader's clock a checkpoint may lie, in milliseconds: two clocks that are each disciplined to within a minute.
pub const MAX_CLOCK_AHEAD_MS: i64 = 120_000;

/// Why a checkpoint is not cosigned. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is not signed with the key in the node's certificate.
    #[error("the checkpoint is not signed by the node: {0}")]
    Signature(#[from] VerifyError),
    /// It is about another node's ledger.
    #[error("the checkpoint is that of {found}, not of {expected}")]
    WrongNode {
        /// Whose it should be.
        expected: Path,
        /// Whose it is.
        found: Path,
    },
    /// The node's certificate names another epoch: nobody opens an epoch for itself.
    #[error("the checkpoint is of epoch {found}, the certificate of epoch {certified}")]
    EpochNotCertified {
        /// Epoch in the certificate.
        certified: u32,
        /// Epoch of the checkpoint.
        found: u32,
    },
    /// Its time is further ahead than [`MAX_CLOCK_AHEAD_MS`].
    #[error("the checkpoint lies {ahead_ms} ms in the future")]
    FromTheFuture {
        /// How far, in milliseconds.
        ahead_ms: i64,
    },
    /// A later epoch has been seen already: this node was succeeded.
    #[error("the checkpoint is of epoch {found}, and epoch {seen} has begun")]
    EpochBack {
        /// Epoch seen before.
        seen: u32,
        /// Epoch of the checkpoint.
        found: u32,
    },
    /// Its time lies before that of the one before.
    #[error("the checkpoint is earlier than the one before it")]
    TimeBack,
    /// Fewer leaves than before.
    #[error("the ledger shrank from {before} to {after} records")]
    Shrunk {
        /// Leaves before.
        before: u64,
        /// Leaves now.
        after: u64,
    },
    /// As many leaves as before, and another root: the two checkpoints together are [`ForkEvidence`].
    #[error("the ledger has another root than before at {size} records")]
    Forked {
        /// Leaves in both.
        size: u64,
    },
    /// The consistency proof does not hold.
    #[error("the checkpoint does not extend the one before: {0}")]
    BadProof(ProofError),
}

impl Checkpoint {
    /// Size and root of the tree.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root,
        }
    }
}

/// Signs a checkpoint with the node's key.
pub fn sign(checkpoint: &Checkpoint, key: &SigningKey) -> Signed<Checkpoint> {
    Signed::sign(checkpoint, Domain::Checkpoint, key)
}

/// The checkpoint, if the holder of this verified certificate signed it, about its own ledger in its own epoch.
///
/// # Errors
/// [`CheckpointError::Signature`], [`CheckpointError::WrongNode`] or [`CheckpointError::EpochNotCertified`].
pub fn verify(
    signed: &Signed<Checkpoint>,
    node: &Certificate,
) -> Result<Checkpoint, CheckpointError> {
    let checkpoint = signed.verify_unless(
        Bug::CheckpointSignatureSkipped,
        Domain::Checkpoint,
        &node.signing_key,
        MAX_CHECKPOINT_BYTES,
    )?;
    if checkpoint.node != node.place {
        let expected = node.place.clone();
        return Err(CheckpointError::WrongNode {
            expected,
            found: checkpoint.node,
        });
    }
    if checkpoint.epoch != node.epoch {
        let certified = node.epoch;
        return Err(CheckpointError::EpochNotCertified {
            certified,
            found: checkpoint.epoch,
        });
    }
    Ok(checkpoint)
}

/// Checks that a checkpoint, which [`verify`] passed, extends the newest one known of the same node.
///
/// `previous` is the newest one cosigned or seen; `proof` is the consistency proof from its size to the new one; `now` is the reader's
/// clock. A new epoch need not extend the old: a successor begins from what was saved. The epoch is the certified one, so a
/// node cannot shed its past by itself.
///
/// # Errors
/// The first [`CheckpointError`], in the order of that type.
pub fn check_extends(
    previous: Option<&Checkpoint>,
    new: &Checkpoint,
    proof: &[Digest],
    now: Moment,
) -> Result<(), CheckpointError> {
    if let Some(previous) = previous.filter(|previous| previous.node != new.node) {
        let expected = previous.node.clone();
        return Err(CheckpointError::WrongNode {
            expected,
            found: new.node.clone(),
        });
    }
    let ahead_ms = new.at.millis_since(now);
    if ahead_ms > MAX_CLOCK_AHEAD_MS {
        return Err(CheckpointError::FromTheFuture { ahead_ms });
    }
    let Some(previous) = previous else {
        return Ok(());
    };
    if new.epoch < previous.epoch {
        return Err(CheckpointError::EpochBack {
            seen: previous.epoch,
            found: new.epoch,
        });
    }
    if new.epoch > previous.epoch {
        return Ok(());
    }
    if new.at < previous.at {
        return Err(CheckpointError::TimeBack);
    }
    if new.size < previous.size {
        return Err(CheckpointError::Shrunk {
            before: previous.size,
            after: new.size,
        });
    }
    if new.size == previous.size && new.root != previous.root {
        return Err(CheckpointError::Forked { size: new.size });
    }
    if planted::is(Bug::ConsistencySkipped) {
        return Ok(());
    }
    verify_consistency(previous.head(), new.head(), proof).map_err(CheckpointError::BadProof)
}

/// Cosigns a checkpoint at `at` with the key of the node `by`, after [`check_extends`] passed it.
pub fn cosign(signed: &Signed<Checkpoint>, by: &Path, at: Moment, key: &SigningKey) -> Cosignature {
    let signature = key.sign(Domain::Cosignature, &statement(signed, by, at));
    Cosignature {
        by: by.clone(),
        at,
        signature,
    }
}

/// Why a cosignature does not hold. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The certificate is another node's.
    #[error("the cosignature is said to be that of {found}, not of {expected}")]
    WrongNode {
        /// Whose certificate it is checked against.
        expected: Path,
        /// Whose it says it is.
        found: Path,
    },
    /// The node did not cosign this checkpoint at this time.
    #[error("the cosignature does not hold: {0}")]
    Signature(#[from] BadSignature),
}

/// Checks that the holder of this verified certificate cosigned this checkpoint.
///
/// # Errors
/// [`CosignatureError`].
pub fn verify_cosignature(
    signed: &Signed<Checkpoint>,
    cosignature: &Cosignature,
    by: &Certificate,
) -> Result<(), CosignatureError> {
    if cosignature.by != by.place {
        let (expected, found) = (by.place.clone(), cosignature.by.clone());
        return Err(CosignatureError::WrongNode { expected, found });
    }
    if planted::is(Bug::CosignatureUnchecked) {
        return Ok(());
    }
    let statement = statement(signed, &cosignature.by, cosignature.at);
    Ok(by
        .signing_key
        .verify(Domain::Cosignature, &statement, &cosignature.signature)?)
}

fn statement(signed: &Signed<Checkpoint>, by: &Path, at: Moment) -> Vec<u8> {
    codec::encode(&(signed.digest(Domain::Checkpoint), by, at))
}

/// Two signatures of one node that cannot both be true: the proof that it rewrote its past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkEvidence {
    /// One.
    pub first: Signed<Checkpoint>,
    /// The other.
    pub second: Signed<Checkpoint>,
}

/// Why two checkpoints prove no fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// One is not signed with the key.
    #[error("a checkpoint is not signed by the node: {0}")]
    Signature(#[from] VerifyError),
    /// They are about different nodes, epochs or sizes.
    #[error("the checkpoints are about different ledgers or sizes")]
    NotComparable,
    /// They agree.
    #[error("the checkpoints agree")]
    Agree,
}

fn signed_by(signed: &Signed<Checkpoint>, key: &VerifyKey) -> Result<Checkpoint, VerifyError> {
    signed.verify(Domain::Checkpoint, key, MAX_CHECKPOINT_BYTES)
}

impl ForkEvidence {
    /// Checks the evidence against the signing key of the accused node; returns the two checkpoints.
    ///
    /// # Errors
    /// [`ForkError`] when it proves nothing.
    pub fn verify(&self, key: &VerifyKey) -> Result<(Checkpoint, Checkpoint), ForkError> {
        let first = signed_by(&self.first, key)?;
        let second = signed_by(&self.second, key)?;
        if first.node != second.node || first.epoch != second.epoch || first.size != second.size {
            return Err(ForkError::NotComparable);
        }
        if first.root == second.root {
            Err(ForkError::Agree)
        } else {
            Ok((first, second))
        }
    }
}

#[cfg(test)]
mod tests;
