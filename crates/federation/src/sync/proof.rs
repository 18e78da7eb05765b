//! One change proved against a signed head, without the rest of its segment.

use std::collections::BTreeMap;
use std::convert::Infallible;

use identity::Digest;
use serde::{Deserialize, Serialize};
use sharing::catalogue::Change;
use sharing::ledger::merkle::{self, Frontier, Nodes};

use super::body::{self, BodyError};
use super::{Head, MAX_HEAD_BYTES, Segment, SyncError};

/// That one change stands in a publisher's log under a head the publisher signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeProof {
    /// Number of the change in the log, from 1.
    pub sequence: u64,
    /// The change, exactly as hashed.
    #[serde(with = "body::whole")]
    pub change: Vec<u8>,
    /// Sibling digests, leaf to root.
    pub path: Vec<Digest>,
}

impl ChangeProof {
    /// The change, when it stands in the segment of `head`, which the caller has verified ([`super::verify_head`]).
    ///
    /// # Errors
    /// [`SyncError::BadProof`], or [`SyncError::Body`] when the proved bytes are no change.
    pub fn verify(&self, head: &Head) -> Result<Change, SyncError> {
        let bad = SyncError::BadProof {
            sequence: self.sequence,
        };
        let size = head
            .last
            .checked_sub(head.first)
            .and_then(|span| span.checked_add(1));
        let (Some(index), Some(size)) = (self.sequence.checked_sub(head.first), size) else {
            return Err(bad);
        };
        merkle::verify_inclusion(
            body::leaf(&self.change),
            index,
            size,
            &self.path,
            &head.segment_root,
        )
        .map_err(|_| bad)?;
        // Inside a segment, whose length the head bounds, the index is small.
        body::decode(index as usize, &self.change).map_err(SyncError::Body)
    }
}

/// Proof of one change of a segment by its number from 0.
///
/// # Errors
/// [`SyncError::Body`] when the segment's bytes are broken or have no such change, [`SyncError::Head`] when the head does not decode.
pub fn entry_proof(segment: &Segment, index: usize) -> Result<ChangeProof, SyncError> {
    let head = segment
        .head
        .claimed(MAX_HEAD_BYTES)
        .map_err(|error| SyncError::Head(error.into()))?;
    let raw = body::unpack(&segment.body).map_err(SyncError::Body)?;
    let changes = body::split(&raw).map_err(SyncError::Body)?;
    let change = *changes
        .get(index)
        .ok_or(SyncError::Body(BodyError::NoChange(index)))?;
    let sequence = head
        .first
        .checked_add(index as u64)
        .ok_or(SyncError::LogFull)?;
    let tree = Tree::over(&changes).ok_or(SyncError::LogFull)?;
    let path = merkle::inclusion(index as u64, changes.len() as u64, &tree)
        .map_err(|_| SyncError::BadProof { sequence })?;
    Ok(ChangeProof {
        sequence,
        change: change.to_vec(),
        path,
    })
}

/// All complete nodes over the changes of one segment.
struct Tree(BTreeMap<(u8, u64), Digest>);

impl Tree {
    fn over(changes: &[&[u8]]) -> Option<Self> {
        let mut frontier = Frontier::default();
        let mut nodes = BTreeMap::new();
        for change in changes {
            let new = frontier.append(body::leaf(change)).ok()?;
            nodes.extend(
                new.into_iter()
                    .map(|(level, index, digest)| ((level, index), digest)),
            );
        }
        Some(Self(nodes))
    }
}

impl Nodes for Tree {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}
