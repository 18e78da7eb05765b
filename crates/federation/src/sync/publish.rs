//! The publisher's side: changes become signed segments.

use std::ops::Range;

use identity::{Digest, Domain, Moment, Path, Signed, SigningKey, codec};
use sharing::catalogue::Change;

use super::body::{self, LENGTH_BYTES};
use super::{Head, LogState, MAX_CHANGE_BYTES, MAX_CUT_RAW_BYTES, MAX_SEGMENT_CHANGES, Segment};

/// Why changes cannot be published. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CutError {
    /// A change is longer than a segment can carry. Numbers count from 0.
    #[error("第 {index} 条变更过大：{bytes} 字节，上限 {MAX_CHANGE_BYTES} (change too large)")]
    ChangeTooLarge {
        /// Which of the changes.
        index: usize,
        /// Its encoded length in bytes.
        bytes: usize,
    },
    /// There is nothing to cut.
    #[error("没有变更 (no changes)")]
    Empty,
    /// More than one segment takes: cut by [`batches`].
    #[error("变更超出一个分段 (more changes than one segment takes)")]
    TooMany,
    /// The log's numbers are used up.
    #[error("发布日志已满 (log full)")]
    LogFull,
}

/// Splits changes into runs that each fit one segment, in order, as few as possible. A change that fits none stands alone, and
/// [`cut`] refuses it by [`CutError::ChangeTooLarge`].
pub fn batches(changes: Vec<Change>) -> Vec<Vec<Change>> {
    let lengths: Vec<usize> = changes
        .iter()
        .map(|change| codec::encode(change).len())
        .collect();
    let mut changes = changes.into_iter();
    spans(&lengths)
        .into_iter()
        .map(|span| changes.by_ref().take(span.len()).collect())
        .collect()
}

/// One signed segment of all these changes, and the log after it.
///
/// # Errors
/// [`CutError`] when the changes are none, or more than one of the [`batches`].
pub fn cut(
    publisher: &Path,
    log: &LogState,
    changes: &[Change],
    at: Moment,
    key: &SigningKey,
) -> Result<(Segment, LogState), CutError> {
    let encoded = encode(changes)?;
    match spans(&lengths(&encoded)).as_slice() {
        [] => Err(CutError::Empty),
        [_] => sign(publisher, log, &encoded, at, key),
        [_, _, ..] => Err(CutError::TooMany),
    }
}

/// Signed segments of any number of changes, and the log after the last: what [`batches`] and [`cut`] give, encoding once.
///
/// # Errors
/// [`CutError::ChangeTooLarge`] or [`CutError::LogFull`]; nothing is then published.
pub fn publish(
    publisher: &Path,
    log: &LogState,
    changes: &[Change],
    at: Moment,
    key: &SigningKey,
) -> Result<(Vec<Segment>, LogState), CutError> {
    let encoded = encode(changes)?;
    let mut log = log.clone();
    let mut segments = Vec::new();
    for span in spans(&lengths(&encoded)) {
        let (segment, after) = sign(publisher, &log, &encoded[span], at, key)?;
        segments.push(segment);
        log = after;
    }
    Ok((segments, log))
}

fn encode(changes: &[Change]) -> Result<Vec<Vec<u8>>, CutError> {
    let mut encoded = Vec::with_capacity(changes.len());
    for (index, change) in changes.iter().enumerate() {
        let bytes = codec::encode(change);
        if bytes.len() > MAX_CHANGE_BYTES {
            return Err(CutError::ChangeTooLarge {
                index,
                bytes: bytes.len(),
            });
        }
        encoded.push(bytes);
    }
    Ok(encoded)
}

fn lengths(encoded: &[Vec<u8>]) -> Vec<usize> {
    encoded.iter().map(Vec::len).collect()
}

/// Runs of at most [`MAX_SEGMENT_CHANGES`] and [`MAX_CUT_RAW_BYTES`], from the encoded lengths.
fn spans(lengths: &[usize]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, length) in lengths.iter().enumerate() {
        let more = LENGTH_BYTES + length;
        if index > start
            && (index - start == MAX_SEGMENT_CHANGES || bytes + more > MAX_CUT_RAW_BYTES)
        {
            spans.push(start..index);
            (start, bytes) = (index, 0);
        }
        bytes += more;
    }
    if start < lengths.len() {
        spans.push(start..lengths.len());
    }
    spans
}

fn sign(
    publisher: &Path,
    log: &LogState,
    encoded: &[Vec<u8>],
    at: Moment,
    key: &SigningKey,
) -> Result<(Segment, LogState), CutError> {
    let first = log.last.checked_add(1).ok_or(CutError::LogFull)?;
    let last = log
        .last
        .checked_add(encoded.len() as u64)
        .ok_or(CutError::LogFull)?;
    let segment_root = body::root(encoded.iter().map(Vec::as_slice)).ok_or(CutError::LogFull)?;
    let after = log
        .with_segment(last, &segment_root)
        .ok_or(CutError::LogFull)?;
    let body = body::pack(encoded);
    let head = Head {
        publisher: publisher.clone(),
        first,
        last,
        segment_root,
        previous_root: log.root,
        root: after.root,
        body: Digest::of(Domain::Body, &body),
        at,
    };
    Ok((
        Segment {
            head: Signed::sign(&head, Domain::Segment, key),
            body,
        },
        after,
    ))
}
