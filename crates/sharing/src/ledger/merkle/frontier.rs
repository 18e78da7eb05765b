//! The right edge of a tree: what a node keeps in memory to append and to know its root without reading the store.

use std::convert::Infallible;

use identity::Digest;
use serde::{Deserialize, Serialize};

use super::{MAX_LEAVES, MerkleError, NewNode, Nodes, TreeHead, bag, join, stored};

/// The peaks of a tree: enough to append and to know the root, in at most 64 digests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawFrontier", into = "RawFrontier")]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

/// A frontier as stored, before it is checked.
#[derive(Serialize, Deserialize)]
pub(super) struct RawFrontier {
    pub(super) size: u64,
    pub(super) peaks: Vec<Digest>,
}

impl From<Frontier> for RawFrontier {
    fn from(frontier: Frontier) -> Self {
        Self {
            size: frontier.size,
            peaks: frontier.peaks,
        }
    }
}

impl TryFrom<RawFrontier> for Frontier {
    type Error = FrontierError;

    fn try_from(raw: RawFrontier) -> Result<Self, FrontierError> {
        if raw.size > MAX_LEAVES || raw.peaks.len() != raw.size.count_ones() as usize {
            return Err(FrontierError {
                size: raw.size,
                peaks: raw.peaks.len(),
            });
        }
        Ok(Self {
            size: raw.size,
            peaks: raw.peaks,
        })
    }
}

/// A stored frontier has not as many peaks as its size demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{peaks} peaks do not make a ledger of {size}")]
pub struct FrontierError {
    /// Size it claims.
    pub size: u64,
    /// Peaks it has.
    pub peaks: usize,
}

impl Frontier {
    /// The frontier of a stored tree.
    ///
    /// # Errors
    /// [`MerkleError`] when a node is missing or cannot be read.
    pub fn load<N: Nodes>(size: u64, nodes: &N) -> Result<Self, MerkleError<N::Error>> {
        if size > MAX_LEAVES {
            return Err(MerkleError::Full);
        }
        let mut peaks = Vec::new();
        let mut start = 0;
        while start < size {
            let level = 63 - (size - start).leading_zeros();
            peaks.push(stored(nodes, level as u8, start >> level)?);
            start += 1 << level;
        }
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and returns the complete nodes that come to be, as [`super::append`] does.
    ///
    /// # Errors
    /// [`MerkleError::Full`] at [`MAX_LEAVES`].
    pub fn append(&mut self, leaf: Digest) -> Result<Vec<NewNode>, MerkleError<Infallible>> {
        let mut new = vec![(0, self.size, leaf)];
        self.grow(leaf, |node| new.push(node))?;
        Ok(new)
    }

    /// Appends a leaf where nobody stores the nodes.
    ///
    /// # Errors
    /// [`MerkleError::Full`] at [`MAX_LEAVES`].
    pub fn push(&mut self, leaf: Digest) -> Result<(), MerkleError<Infallible>> {
        self.grow(leaf, |_| ())
    }

    fn grow(
        &mut self,
        leaf: Digest,
        mut complete: impl FnMut(NewNode),
    ) -> Result<(), MerkleError<Infallible>> {
        if self.size >= MAX_LEAVES {
            return Err(MerkleError::Full);
        }
        let (mut level, mut index, mut digest) = (0u8, self.size, leaf);
        while index & 1 == 1 {
            let Some(left) = self.peaks.pop() else {
                return Err(MerkleError::Missing {
                    level,
                    index: index - 1,
                });
            };
            digest = join(&left, &digest);
            level += 1;
            index >>= 1;
            complete((level, index, digest));
        }
        self.peaks.push(digest);
        self.size += 1;
        Ok(())
    }

    /// Root over all leaves.
    pub fn root(&self) -> Digest {
        bag(&self.peaks)
    }

    /// Size and root together.
    pub fn head(&self) -> TreeHead {
        TreeHead {
            size: self.size,
            root: self.root(),
        }
    }
}
