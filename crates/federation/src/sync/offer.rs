//! What two neighbours compare before anything is sent, and what two heads say of each other.

use std::collections::BTreeMap;

use identity::{Code, Digest, Domain};

use super::{Head, LogState};

/// All heads a node has of a subtree in one digest, which is the whole of a sync with nothing new. Each is publisher, last change and
/// root; the order in which they come does not matter, and of one publisher the last counts.
pub fn heads_digest(heads: impl IntoIterator<Item = (Code, u64, Digest)>) -> Digest {
    let heads: BTreeMap<Code, (u64, Digest)> = heads
        .into_iter()
        .map(|(code, last, root)| (code, (last, root)))
        .collect();
    let mut bytes = Vec::with_capacity(heads.len() * 54);
    for (code, (last, root)) in &heads {
        // A code is at most twelve bytes, none of them zero.
        bytes.extend_from_slice(code.as_str().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(&last.to_le_bytes());
        bytes.extend_from_slice(root.as_bytes());
    }
    Digest::of_parts(Domain::Message, &[b"sync offer", &bytes])
}

/// How a neighbour's head of a log stands to what is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The same.
    Same,
    /// The neighbour has more: ask for what comes after this change.
    Behind {
        /// Last change known here.
        after: u64,
    },
    /// The neighbour has less: it is old news.
    Ahead,
    /// Another history of the same length.
    Forked,
}

/// Compares a neighbour's verified head with what is known here.
pub fn standing(log: &LogState, head: &Head) -> Standing {
    match head.last.cmp(&log.last) {
        std::cmp::Ordering::Less => Standing::Ahead,
        std::cmp::Ordering::Greater => Standing::Behind { after: log.last },
        std::cmp::Ordering::Equal if head.root == log.root => Standing::Same,
        std::cmp::Ordering::Equal => Standing::Forked,
    }
}

/// Why two heads of one publisher cannot both be of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// They cover the same changes and say different things of them.
    SameChanges,
    /// Their segments overlap without being the same: a log is cut once.
    Overlap,
    /// One continues the other and names another root for it.
    Continuation,
}

/// Whether two verified heads of one publisher are proof of a fork. `None` when both can be true, or the publishers differ.
pub fn conflict(one: &Head, other: &Head) -> Option<Conflict> {
    if one.publisher != other.publisher {
        return None;
    }
    if (one.first, one.last) == (other.first, other.last) {
        // Another time or another compression of the same changes is no other history.
        let said = |head: &Head| (head.segment_root, head.previous_root, head.root);
        return (said(one) != said(other)).then_some(Conflict::SameChanges);
    }
    let (earlier, later) = if one.first <= other.first {
        (one, other)
    } else {
        (other, one)
    };
    if later.first <= earlier.last {
        return Some(Conflict::Overlap);
    }
    let continues = later.first - 1 == earlier.last;
    (continues && later.previous_root != earlier.root).then_some(Conflict::Continuation)
}
