//! Catalogue sync: each node's publication log, cut into signed segments that climb to the hub with their author's own signature.
//!
//! ```text
//! change ─digest─► leaf ┐
//! change ─digest─► leaf ┴► segment root ─with first, last─► leaf ┐
//!                          segment root ─with first, last─► leaf ┴► root of the log, signed in the head
//! ```
//!
//! One signature covers a segment of up to [`MAX_SEGMENT_CHANGES`]; any single change is still provable against it ([`ChangeProof`]).
//! A receiver keeps a [`LogState`] for each publisher and moves it by [`accept()`] only: what is refused changes nothing.

mod accept;
mod body;
mod offer;
mod proof;
mod publish;
#[cfg(test)]
mod tests;

use identity::{Digest, Moment, Path, Signed};
use serde::{Deserialize, Serialize};
use sharing::ledger::merkle::{self, Frontier};

pub use accept::{Accepted, SyncError, accept, verify_head};
pub use body::{BodyError, change_at, changes};
pub use offer::{Conflict, Standing, conflict, heads_digest, standing};
pub use proof::{ChangeProof, entry_proof};
pub use publish::{CutError, batches, cut, publish};

/// Most changes in one segment.
pub const MAX_SEGMENT_CHANGES: usize = 1_024;
/// Most bytes of a compressed segment body.
pub const MAX_SEGMENT_BYTES: usize = 1 << 20;
/// Most bytes of a segment body after decompression.
pub const MAX_SEGMENT_RAW_BYTES: usize = 4 << 20;
/// Most bytes of a body before compression that a publisher cuts: lz4 grows what it cannot compress by a tenth and 20 bytes at
/// most, so that this always fits [`MAX_SEGMENT_BYTES`].
pub const MAX_CUT_RAW_BYTES: usize = 896 << 10;
/// Most bytes of one encoded change: what a cut holds after its length.
pub const MAX_CHANGE_BYTES: usize = MAX_CUT_RAW_BYTES - 4;
/// Most bytes of an encoded head: a path of eight codes (105), two numbers and a time (27), four digests (128), doubled.
pub const MAX_HEAD_BYTES: usize = 512;

/// The publisher's statement of its log up to and including one segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whose log.
    pub publisher: Path,
    /// First change of the segment, from 1.
    pub first: u64,
    /// Last change of the segment: the log's length.
    pub last: u64,
    /// Root over the changes of this segment.
    pub segment_root: Digest,
    /// Root of the log before this segment.
    pub previous_root: Digest,
    /// Root of the log: over all segment roots so far.
    pub root: Digest,
    /// Digest of the body bytes as sent (`Domain::Body`).
    pub body: Digest,
    /// The publisher's clock.
    pub at: Moment,
}

/// One segment as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Signed by the publisher (`Domain::Segment`).
    pub head: Signed<Head>,
    /// lz4 block with its size before it: for each change its length (4 bytes, little endian) and the codec's bytes.
    #[serde(with = "body::whole")]
    pub body: Vec<u8>,
}

/// What a node knows of one publication log: enough to append a segment and to refuse any that does not follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogState {
    /// Last change, which is the number of changes; 0 for an empty log.
    pub last: u64,
    /// Root over all segments.
    pub root: Digest,
    /// The peaks from which the root of one more segment follows.
    pub frontier: Frontier,
}

impl Default for LogState {
    fn default() -> Self {
        let frontier = Frontier::default();
        Self {
            last: 0,
            root: frontier.root(),
            frontier,
        }
    }
}

impl LogState {
    /// The log after the segment of a head that is known to be good, such as one read back from the ledger: for replay, without the body.
    ///
    /// # Errors
    /// [`SyncError`] when the head does not follow or signs another root than follows.
    pub fn after(&self, head: &Head) -> Result<Self, SyncError> {
        accept::follows(self, head)?;
        let after = self
            .with_segment(head.last, &head.segment_root)
            .ok_or(SyncError::LogFull)?;
        accept::same_root(head.root, after.root)?;
        Ok(after)
    }

    /// The log with one more segment up to `last`; `None` when no number or tree is that large.
    fn with_segment(&self, last: u64, segment_root: &Digest) -> Option<Self> {
        let mut record = [0u8; 48];
        record[..8].copy_from_slice(&self.last.checked_add(1)?.to_le_bytes());
        record[8..16].copy_from_slice(&last.to_le_bytes());
        record[16..].copy_from_slice(segment_root.as_bytes());
        let mut frontier = self.frontier.clone();
        frontier.append(merkle::leaf(&record)).ok()?;
        Some(Self {
            last,
            root: frontier.root(),
            frontier,
        })
    }
}
