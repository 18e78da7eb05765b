//! The receiver's side: nothing is believed of a segment but what its publisher signed and its bytes prove.

use identity::planted::{self, Bug};
use identity::{Digest, Domain, Member, Path, Signed, VerifyError};
use sharing::catalogue::Change;

use super::body::{self, BodyError};
use super::{Head, LogState, MAX_HEAD_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_CHANGES, Segment};

/// Why a head or segment is refused. Declared in the order in which they win. A refused segment changes nothing that was there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncError {
    /// The body is larger than [`MAX_SEGMENT_BYTES`].
    #[error("分段过大：{bytes} 字节，上限 {max} (segment too large)")]
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// The head is not signed by this member, or what it signed is no head.
    #[error(transparent)]
    Head(#[from] VerifyError),
    /// The head's numbers contradict each other.
    #[error("分段序号 {first}–{last} 不成立 (impossible numbers)")]
    Malformed {
        /// First change it claims.
        first: u64,
        /// Last change it claims.
        last: u64,
    },
    /// A member signed for another's log.
    #[error("{signer} 签署了不属于它的发布日志 {publisher} (foreign log)")]
    Foreign {
        /// Whose log the head claims to be.
        publisher: Path,
        /// Who signed.
        signer: Path,
    },
    /// It is known already, or older than what is known.
    #[error("分段已过时：到 {last} 为止，已有 {known} (stale)")]
    Stale {
        /// Last change of the segment.
        last: u64,
        /// Last change known.
        known: u64,
    },
    /// Changes between are missing.
    #[error("分段不连续：应从 {expected} 起，实为 {got} (gap)")]
    Gap {
        /// First change that must come next.
        expected: u64,
        /// First change that came.
        got: u64,
    },
    /// Two histories of one log: what is known and what this head signs cannot both be true. [`super::conflict`] tells it of two heads.
    #[error("发布日志分叉：在第 {at} 条处，{first} 与 {second} (fork)")]
    Fork {
        /// Length of the log of which both speak.
        at: u64,
        /// Root known.
        first: Digest,
        /// Root this head claims.
        second: Digest,
    },
    /// The body is not the one the head names.
    #[error("分段正文与签署的摘要不符 (body does not match the head)")]
    BadBody,
    /// The body does not open.
    #[error(transparent)]
    Body(BodyError),
    /// The body has another number of changes than the head.
    #[error("分段应有 {expected} 条变更，实有 {got} (wrong number of changes)")]
    Count {
        /// Changes the head claims.
        expected: u64,
        /// Changes found.
        got: usize,
    },
    /// The changes do not lead to the segment's root, or the segment does not lead to the log's.
    #[error("根摘要不符：签署为 {signed}，算得 {computed} (wrong root)")]
    BadRoot {
        /// Root in the head.
        signed: Digest,
        /// Root found.
        computed: Digest,
    },
    /// The log's numbers are used up.
    #[error("发布日志已满 (log full)")]
    LogFull,
    /// A proof does not lead from the change to the segment's root.
    #[error("证明不成立：第 {sequence} 条 (proof does not hold)")]
    BadProof {
        /// The change it is about.
        sequence: u64,
    },
}

/// A segment that follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What the publisher signed.
    pub head: Head,
    /// Its changes in order; the first is number `head.first` of the log.
    pub changes: Vec<Change>,
    /// The log after it.
    pub log: LogState,
}

/// The head, when `member` signed it for its own log and its numbers make sense.
///
/// # Errors
/// [`SyncError::Head`], [`SyncError::Malformed`] or [`SyncError::Foreign`].
pub fn verify_head(member: &Member, head: &Signed<Head>) -> Result<Head, SyncError> {
    let head = head.verify_unless(
        Bug::SegmentSignatureSkipped,
        Domain::Segment,
        member.signing_key(),
        MAX_HEAD_BYTES,
    )?;
    let span = head.last.checked_sub(head.first);
    if head.first == 0 || span.is_none_or(|span| span >= MAX_SEGMENT_CHANGES as u64) {
        return Err(SyncError::Malformed {
            first: head.first,
            last: head.last,
        });
    }
    if &head.publisher != member.place() && !planted::is(Bug::SegmentOfAnotherAccepted) {
        return Err(SyncError::Foreign {
            publisher: head.publisher,
            signer: member.place().clone(),
        });
    }
    Ok(head)
}

/// Checks a segment of `member`'s log against what is known of it: one signature, and a digest of every byte.
///
/// # Errors
/// [`SyncError`] says what is wrong; `log` stays what is known.
pub fn accept(member: &Member, log: &LogState, segment: &Segment) -> Result<Accepted, SyncError> {
    if segment.body.len() > MAX_SEGMENT_BYTES {
        return Err(SyncError::TooLarge {
            bytes: segment.body.len(),
            max: MAX_SEGMENT_BYTES,
        });
    }
    let head = verify_head(member, &segment.head)?;
    follows(log, &head)?;
    if Digest::of(Domain::Body, &segment.body) != head.body {
        return Err(SyncError::BadBody);
    }
    let raw = body::unpack(&segment.body).map_err(SyncError::Body)?;
    let encoded = body::split(&raw).map_err(SyncError::Body)?;
    let expected = head.last - log.last;
    if encoded.len() as u64 != expected {
        return Err(SyncError::Count {
            expected,
            got: encoded.len(),
        });
    }
    let segment_root = body::root(encoded.iter().copied()).ok_or(SyncError::LogFull)?;
    same_root(head.segment_root, segment_root)?;
    let after = log.after(&head)?;
    let changes = encoded
        .into_iter()
        .enumerate()
        .map(|(index, change)| body::decode(index, change));
    let changes = changes
        .collect::<Result<Vec<_>, _>>()
        .map_err(SyncError::Body)?;
    Ok(Accepted {
        head,
        changes,
        log: after,
    })
}

/// Whether the head is the next one after `log`.
pub(super) fn follows(log: &LogState, head: &Head) -> Result<(), SyncError> {
    let fork = |at, second| SyncError::Fork {
        at,
        first: log.root,
        second,
    };
    if head.last < log.last || (head.last == log.last && head.root == log.root) {
        return Err(SyncError::Stale {
            last: head.last,
            known: log.last,
        });
    }
    // The same length with another root, or a segment cut across what is known to be the end of one.
    if head.first <= log.last {
        return Err(fork(head.last, head.root));
    }
    if head.first - 1 > log.last {
        return Err(SyncError::Gap {
            expected: log.last + 1,
            got: head.first,
        });
    }
    if head.previous_root != log.root {
        return Err(fork(log.last, head.previous_root));
    }
    Ok(())
}

pub(super) fn same_root(signed: Digest, computed: Digest) -> Result<(), SyncError> {
    if signed == computed {
        Ok(())
    } else {
        Err(SyncError::BadRoot { signed, computed })
    }
}
