//! The Merkle tree of a ledger, in the shape of RFC 9162: leaves and inner nodes are hashed under different domains, a tree of
//! `n` leaves splits at the largest power of two below `n`, and complete subtrees never change once they are there.
//!
//! The tree stores nothing by itself: the nodes of complete subtrees come through [`Nodes`], and [`append`] returns the new ones.

use identity::planted::{self, Bug};
use identity::{Digest, Domain};

mod frontier;

pub use frontier::{Frontier, FrontierError};

/// Most digests in an inclusion proof: the height of a tree of 2^63 leaves.
pub const MAX_INCLUSION: usize = 63;
/// Most digests in a consistency proof: an inclusion path and the node it starts from.
pub const MAX_CONSISTENCY: usize = MAX_INCLUSION + 1;
/// Most leaves of a tree, so that no index or level overflows.
pub const MAX_LEAVES: u64 = 1 << MAX_INCLUSION;

/// The stored nodes of complete subtrees. `(level, index)` is the subtree over leaves `index << level .. (index + 1) << level`.
pub trait Nodes {
    /// Why the store could not answer.
    type Error;

    /// The digest of one complete subtree; at level 0 of one leaf.
    ///
    /// # Errors
    /// When the medium fails.
    fn node(&self, level: u8, index: u64) -> Result<Option<Digest>, Self::Error>;
}

/// Why a root or proof could not be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError<E> {
    /// The store failed.
    #[error("reading the ledger's nodes failed: {0}")]
    Store(E),
    /// A node that must be there is not.
    #[error("node {index} of level {level} is missing from the ledger")]
    Missing {
        /// Level, leaves being 0.
        level: u8,
        /// Place on the level.
        index: u64,
    },
    /// The leaf is not in a tree of that size.
    #[error("leaf {index} is outside a ledger of {size}")]
    Outside {
        /// Leaf asked for.
        index: u64,
        /// Leaves there are.
        size: u64,
    },
    /// The older tree would be larger than the newer.
    #[error("a ledger of {old} does not precede one of {new}")]
    Reversed {
        /// Older size.
        old: u64,
        /// Newer size.
        new: u64,
    },
    /// No tree is that large.
    #[error("a ledger holds at most 2^63 records")]
    Full,
}

/// Why a proof does not hold. Declared in the order in which they win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not in a tree of that size, or the older tree is larger than the newer.
    #[error("the proof is about a place outside the ledger")]
    Outside,
    /// Too few or too many digests for the sizes.
    #[error("the proof has the wrong length")]
    Length,
    /// The digests do not lead to the older root.
    #[error("the proof does not lead to the older root")]
    OldRoot,
    /// The digests do not lead to the root.
    #[error("the proof does not lead to the root")]
    Root,
}

/// Digest of a record as a leaf.
pub fn leaf(record: &[u8]) -> Digest {
    Digest::of(Domain::Leaf, record)
}

/// Root of the tree without leaves: an inner node over nothing.
pub fn empty_root() -> Digest {
    Digest::of(Domain::Node, &[])
}

fn join(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(left.as_bytes());
    bytes[32..].copy_from_slice(right.as_bytes());
    Digest::of(Domain::Node, &bytes)
}

/// Largest power of two below `n`, for `n >= 2`.
fn split_point(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

fn stored<N: Nodes>(nodes: &N, level: u8, index: u64) -> Result<Digest, MerkleError<N::Error>> {
    nodes
        .node(level, index)
        .map_err(MerkleError::Store)?
        .ok_or(MerkleError::Missing { level, index })
}

/// Root over the leaves `from..to`, where `from` is a multiple of the smallest power of two that is at least `to - from`.
fn range_root<N: Nodes>(nodes: &N, from: u64, to: u64) -> Result<Digest, MerkleError<N::Error>> {
    let mut peaks = Vec::new();
    let mut start = from;
    while start < to {
        let level = 63 - (to - start).leading_zeros();
        // `level` is at most 63, so it fits.
        peaks.push(stored(nodes, level as u8, start >> level)?);
        start += 1 << level;
    }
    Ok(bag(&peaks))
}

/// Folds the peaks of complete subtrees, largest first, into a root.
fn bag(peaks: &[Digest]) -> Digest {
    peaks
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| join(&left, &right))
        .unwrap_or_else(empty_root)
}

/// A new complete node to be stored: level, index and digest.
pub type NewNode = (u8, u64, Digest);

/// Appends one leaf to a tree of `size` leaves; returns the complete nodes that come to be, the leaf itself first.
///
/// # Errors
/// [`MerkleError`] when a node to the left is missing or cannot be read.
pub fn append<N: Nodes>(
    size: u64,
    leaf: Digest,
    nodes: &N,
) -> Result<Vec<NewNode>, MerkleError<N::Error>> {
    if size >= MAX_LEAVES {
        return Err(MerkleError::Full);
    }
    let mut new = vec![(0, size, leaf)];
    let (mut level, mut index, mut digest) = (0u8, size, leaf);
    while index & 1 == 1 {
        digest = join(&stored(nodes, level, index - 1)?, &digest);
        level += 1;
        index >>= 1;
        new.push((level, index, digest));
    }
    Ok(new)
}

/// Root of the tree of the first `size` leaves.
///
/// # Errors
/// [`MerkleError`] when a node is missing or cannot be read.
pub fn root<N: Nodes>(size: u64, nodes: &N) -> Result<Digest, MerkleError<N::Error>> {
    if size > MAX_LEAVES {
        return Err(MerkleError::Full);
    }
    range_root(nodes, 0, size)
}

/// Inclusion proof of leaf `index` in the tree of the first `size` leaves, from the leaf to the root.
///
/// # Errors
/// [`MerkleError`] when the leaf is outside the tree or a node is missing or cannot be read.
pub fn inclusion<N: Nodes>(
    index: u64,
    size: u64,
    nodes: &N,
) -> Result<Vec<Digest>, MerkleError<N::Error>> {
    if size > MAX_LEAVES {
        return Err(MerkleError::Full);
    }
    if index >= size {
        return Err(MerkleError::Outside { index, size });
    }
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while to - from > 1 {
        let middle = from + split_point(to - from);
        if index < middle {
            proof.push(range_root(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range_root(nodes, from, middle)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`ProofError`] says what does not fit.
pub fn verify_inclusion(
    leaf: Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size || size > MAX_LEAVES {
        return Err(ProofError::Outside);
    }
    let (mut place, mut last) = (index, size - 1);
    let mut digest = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            digest = join(sibling, &digest);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            digest = join(&digest, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if digest == *root || planted::is(Bug::InclusionUnchecked) {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Proof that the tree of the first `new` leaves extends that of the first `old` leaves. Empty when `old` is 0 or equals `new`.
///
/// # Errors
/// [`MerkleError`] when `old` is larger than `new` or a node is missing or cannot be read.
pub fn consistency<N: Nodes>(
    old: u64,
    new: u64,
    nodes: &N,
) -> Result<Vec<Digest>, MerkleError<N::Error>> {
    if new > MAX_LEAVES {
        return Err(MerkleError::Full);
    }
    if old > new {
        return Err(MerkleError::Reversed { old, new });
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut from, mut to) = (0, new);
    let mut proof = Vec::new();
    // Descend to the subtree that ends exactly at `old`; it is the old tree itself when nothing lies to its left.
    while to != old {
        let middle = from + split_point(to - from);
        if old <= middle {
            proof.push(range_root(nodes, middle, to)?);
            to = middle;
        } else {
            proof.push(range_root(nodes, from, middle)?);
            from = middle;
        }
    }
    if from != 0 {
        proof.push(range_root(nodes, from, to)?);
    }
    proof.reverse();
    Ok(proof)
}

/// One tree as a proof speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Root over them.
    pub root: Digest,
}

/// Checks that the tree `new` extends the tree `old`.
///
/// # Errors
/// [`ProofError`] says what does not fit.
pub fn verify_consistency(
    old: TreeHead,
    new: TreeHead,
    proof: &[Digest],
) -> Result<(), ProofError> {
    if old.size > new.size || new.size > MAX_LEAVES {
        return Err(ProofError::Outside);
    }
    if old.size == 0 || old.size == new.size {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        let expected = if old.size == 0 {
            empty_root()
        } else {
            new.root
        };
        return if old.root == expected {
            Ok(())
        } else {
            Err(ProofError::OldRoot)
        };
    }
    let (mut place, mut last) = (old.size - 1, new.size - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let mut rest = proof.iter();
    // When the old tree is one complete subtree its root is the start and is not repeated in the proof.
    let start = if old.size.is_power_of_two() {
        old.root
    } else {
        *rest.next().ok_or(ProofError::Length)?
    };
    let (mut old_digest, mut new_digest) = (start, start);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if place & 1 == 1 || place == last {
            old_digest = join(sibling, &old_digest);
            new_digest = join(sibling, &new_digest);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_digest = join(&new_digest, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_digest != old.root {
        return Err(ProofError::OldRoot);
    }
    if new_digest == new.root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

#[cfg(test)]
mod tests;
