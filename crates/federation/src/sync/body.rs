//! The bytes of a segment: framing, compression, and how both are undone within bounds.

use identity::{CodecError, Digest, Domain, codec};
use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};
use sharing::catalogue::Change;
use sharing::ledger::merkle::Frontier;

use super::{MAX_CHANGE_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_CHANGES, MAX_SEGMENT_RAW_BYTES};

/// Bytes of the length before each change.
pub(super) const LENGTH_BYTES: usize = 4;

/// Why bytes are no body. Declared in the order in which they win.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than a body may have, compressed or not.
    #[error("分段正文过大：{bytes} 字节，上限 {max} (segment body too large)")]
    TooLarge {
        /// Bytes found, or claimed.
        bytes: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not what lz4 gives, or not of the size it claims.
    #[error("分段正文无法解压：{0} (segment body does not decompress)")]
    Compression(String),
    /// The lengths do not add up, or there are more than [`MAX_SEGMENT_CHANGES`].
    #[error("分段正文在第 {0} 条处断裂 (segment body broken)")]
    Framing(usize),
    /// There is no change of that number.
    #[error("分段中没有第 {0} 条 (no such change in the segment)")]
    NoChange(usize),
    /// A change does not decode. Numbers count from 0.
    #[error("分段第 {index} 条：{error}")]
    Change {
        /// Which.
        index: usize,
        /// Why.
        error: CodecError,
    },
}

/// The body of encoded changes.
pub(super) fn pack(encoded: &[Vec<u8>]) -> Vec<u8> {
    let raw_bytes = encoded
        .iter()
        .map(|change| LENGTH_BYTES + change.len())
        .sum();
    let mut raw = Vec::with_capacity(raw_bytes);
    for change in encoded {
        // The publisher cuts no change longer than MAX_CHANGE_BYTES.
        raw.extend_from_slice(&(change.len() as u32).to_le_bytes());
        raw.extend_from_slice(change);
    }
    compress_prepend_size(&raw)
}

/// Decompresses a body. What it claims to grow to is checked before a byte is allocated.
pub(super) fn unpack(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    if body.len() > MAX_SEGMENT_BYTES {
        return Err(BodyError::TooLarge {
            bytes: body.len(),
            max: MAX_SEGMENT_BYTES,
        });
    }
    let (size, block) =
        uncompressed_size(body).map_err(|error| BodyError::Compression(error.to_string()))?;
    if size > MAX_SEGMENT_RAW_BYTES {
        return Err(BodyError::TooLarge {
            bytes: size,
            max: MAX_SEGMENT_RAW_BYTES,
        });
    }
    let raw = decompress(block, size).map_err(|error| BodyError::Compression(error.to_string()))?;
    if raw.len() != size {
        return Err(BodyError::Compression(format!(
            "{} bytes instead of {size}",
            raw.len()
        )));
    }
    Ok(raw)
}

/// The encoded changes of a decompressed body, without a copy.
pub(super) fn split(raw: &[u8]) -> Result<Vec<&[u8]>, BodyError> {
    let mut changes = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let broken = BodyError::Framing(changes.len());
        if changes.len() == MAX_SEGMENT_CHANGES {
            return Err(broken);
        }
        let Some((length, after)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
            return Err(broken);
        };
        let Some((change, after)) = after.split_at_checked(u32::from_le_bytes(*length) as usize)
        else {
            return Err(broken);
        };
        changes.push(change);
        rest = after;
    }
    Ok(changes)
}

/// Decodes one encoded change.
pub(super) fn decode(index: usize, change: &[u8]) -> Result<Change, BodyError> {
    codec::decode(change, MAX_CHANGE_BYTES).map_err(|error| BodyError::Change { index, error })
}

/// The digest of one encoded change, a leaf of its segment.
pub(super) fn leaf(change: &[u8]) -> Digest {
    Digest::of(Domain::Change, change)
}

/// The root over the changes of a segment. `None` cannot happen: no segment fills a tree.
pub(super) fn root<'a>(changes: impl Iterator<Item = &'a [u8]>) -> Option<Digest> {
    let mut frontier = Frontier::default();
    for change in changes {
        frontier.append(leaf(change)).ok()?;
    }
    Some(frontier.root())
}

/// All changes of a stored body, in order: for rebuilding what was projected from it.
///
/// # Errors
/// [`BodyError`] when the bytes are no body.
pub fn changes(body: &[u8]) -> Result<Vec<Change>, BodyError> {
    let raw = unpack(body)?;
    split(&raw)?
        .into_iter()
        .enumerate()
        .map(|(index, change)| decode(index, change))
        .collect()
}

/// One change of a stored body by its number from 0: follows a pointer to a published entry.
///
/// # Errors
/// [`BodyError`] when the bytes are no body or have no such change.
pub fn change_at(body: &[u8], index: usize) -> Result<Change, BodyError> {
    let raw = unpack(body)?;
    let change = *split(&raw)?.get(index).ok_or(BodyError::NoChange(index))?;
    decode(index, change)
}

/// Bytes encoded as one run instead of one element each; the encoding is the same, a hundred times faster.
pub(super) mod whole {
    use serde::de::{Deserializer, Error, SeqAccess, Visitor};
    use serde::ser::Serializer;

    use crate::sync::MAX_SEGMENT_BYTES;

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "at most {MAX_SEGMENT_BYTES} bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            if bytes.len() > MAX_SEGMENT_BYTES {
                return Err(E::invalid_length(bytes.len(), &self));
            }
            Ok(bytes.to_vec())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = seq.next_element()? {
                if bytes.len() == MAX_SEGMENT_BYTES {
                    return Err(A::Error::invalid_length(bytes.len() + 1, &self));
                }
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }

    pub(in crate::sync) fn serialize<S: Serializer>(
        bytes: &[u8],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(in crate::sync) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}
