//! A sealed stream of chunks from one end of a circuit to the other.
//!
//! The STREAM construction over ChaCha20Poly1305: the nonce of a chunk holds the direction, its number
//! and whether it is the last. So a chunk that was changed, repeated, left out, moved, sent back
//! or falsely declared the last does not open, and a stream without its last chunk is known to be cut.

use chacha20poly1305::aead::{AeadInOut, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, Tag};

use crate::planted::{self, Bug};

/// The most plain bytes in a chunk (64 KiB): one frame of the transport, small enough to bound what a hop
/// holds for each stream.
pub const MAX_CHUNK: usize = 64 * 1024;

/// What sealing adds to a chunk, in bytes: the mark of the last chunk and the tag.
pub const OVERHEAD: usize = 1 + TAG;

/// The tag of ChaCha20Poly1305, in bytes.
const TAG: usize = 16;

/// The mark of a chunk that others follow.
const MORE: u8 = 0;

/// The mark of the last chunk.
const LAST: u8 = 1;

/// Which way a stream of a circuit runs. The two have one key and never one nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the end that opened the circuit.
    Forward,
    /// Back to the end that opened the circuit.
    Backward,
}

/// Why a chunk was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// More plain bytes than [`MAX_CHUNK`].
    #[error("数据块过大：{0} 字节 (chunk too large)")]
    TooLarge(usize),
    /// Less than a mark and a tag, or a mark that does not exist.
    #[error("数据块格式错误 (malformed chunk)")]
    Malformed,
    /// Changed, repeated, missing, moved, or of another stream; the number is that of the chunk due.
    #[error("第 {0} 个数据块校验失败：被改动、重复、缺失或乱序 (chunk not authentic)")]
    NotAuthentic(u64),
    /// The last chunk has already been.
    #[error("数据流已结束 (stream has ended)")]
    Ended,
    /// The stream stopped before its last chunk; the number is how many chunks came.
    #[error("数据流被截断：仅收到 {0} 块 (stream truncated)")]
    Truncated(u64),
}

/// What both ends keep: the key, the direction and the number of the next chunk.
struct State {
    cipher: ChaCha20Poly1305,
    direction: Direction,
    next: u64,
    ended: bool,
}

impl State {
    fn new(key: [u8; 32], direction: Direction) -> Self {
        Self {
            cipher: ChaCha20Poly1305::new(&Key::from(key)),
            direction,
            next: 0,
            ended: false,
        }
    }

    /// Direction (1 byte), zeros (2), number of the chunk (8, big endian), mark of the last (1).
    fn nonce(&self, mark: u8) -> Nonce {
        let mut nonce = [0; 12];
        nonce[0] = match self.direction {
            Direction::Forward => 1,
            Direction::Backward => 2,
        };
        nonce[3..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = mark;
        Nonce::from(nonce)
    }

    /// Counts a chunk. A stream of 2^64 chunks ends by itself: a nonce is never used twice.
    fn advance(&mut self, last: bool) {
        match self.next.checked_add(1) {
            Some(_) if planted::is(Bug::StreamNonceReused) => {}
            Some(next) => self.next = next,
            None => self.ended = true,
        }
        self.ended |= last;
    }
}

/// The sending end of one direction.
pub struct ChunkSealer(State);

impl ChunkSealer {
    /// A stream under a key that is used for one circuit only.
    #[must_use]
    pub fn new(key: [u8; 32], direction: Direction) -> Self {
        Self(State::new(key, direction))
    }

    /// Seals the next chunk; `last` ends the stream. A chunk may be empty.
    ///
    /// # Errors
    ///
    /// [`StreamError::Ended`] after the last, [`StreamError::TooLarge`].
    pub fn seal_chunk(&mut self, plain: &[u8], last: bool) -> Result<Vec<u8>, StreamError> {
        let mut chunk = Vec::with_capacity(plain.len() + OVERHEAD);
        self.seal_after(&mut chunk, plain, last)?;
        Ok(chunk)
    }

    /// As [`Self::seal_chunk`], put at the end of `out`, so that whoever frames chunks needs one buffer for all of them. After an error `out`
    /// is as it was.
    ///
    /// # Errors
    ///
    /// As [`Self::seal_chunk`].
    pub fn seal_after(
        &mut self,
        out: &mut Vec<u8>,
        plain: &[u8],
        last: bool,
    ) -> Result<(), StreamError> {
        if self.0.ended {
            return Err(StreamError::Ended);
        }
        if plain.len() > MAX_CHUNK {
            return Err(StreamError::TooLarge(plain.len()));
        }
        let mark = if last { LAST } else { MORE };
        let begin = out.len();
        out.push(mark);
        out.extend_from_slice(plain);
        let sealed = self.0.cipher.encrypt_inout_detached(
            &self.0.nonce(mark),
            b"",
            out[begin + 1..].as_mut().into(),
        );
        let Ok(tag) = sealed else {
            out.truncate(begin);
            return Err(StreamError::TooLarge(plain.len()));
        };
        out.extend_from_slice(&tag);
        self.0.advance(last);
        Ok(())
    }
}

/// The receiving end of one direction.
pub struct ChunkOpener(State);

impl ChunkOpener {
    /// The stream that the [`ChunkSealer`] of the same key and direction seals.
    #[must_use]
    pub fn new(key: [u8; 32], direction: Direction) -> Self {
        Self(State::new(key, direction))
    }

    /// Opens the chunk that is due: its plain bytes and whether it is the last. After a refusal the
    /// same chunk is still due; the circuit should be closed.
    ///
    /// # Errors
    ///
    /// In this order: ended, malformed, too large, not authentic.
    pub fn open_chunk(&mut self, chunk: &[u8]) -> Result<(Vec<u8>, bool), StreamError> {
        let mut chunk = chunk.to_vec();
        let (plain, last) = self.open_in_place(&mut chunk)?;
        Ok((plain.to_vec(), last))
    }

    /// As [`Self::open_chunk`], opened where it lies: after a refusal `chunk` holds nothing that may be used.
    ///
    /// # Errors
    ///
    /// As [`Self::open_chunk`].
    pub fn open_in_place<'c>(
        &mut self,
        chunk: &'c mut [u8],
    ) -> Result<(&'c [u8], bool), StreamError> {
        if self.0.ended {
            return Err(StreamError::Ended);
        }
        let length = chunk.len();
        if length < OVERHEAD {
            return Err(StreamError::Malformed);
        }
        let (mark, sealed) = match chunk.split_first_mut() {
            Some((first, sealed)) if matches!(*first, MORE | LAST) => (*first, sealed),
            _ => return Err(StreamError::Malformed),
        };
        if length > MAX_CHUNK + OVERHEAD {
            return Err(StreamError::TooLarge(length - OVERHEAD));
        }
        let (plain, tag) = sealed
            .split_last_chunk_mut::<TAG>()
            .ok_or(StreamError::Malformed)?;
        self.0
            .cipher
            .decrypt_inout_detached(
                &self.0.nonce(mark),
                b"",
                (&mut *plain).into(),
                &Tag::from(*tag),
            )
            .map_err(|_| StreamError::NotAuthentic(self.0.next))?;
        self.0.advance(mark == LAST);
        Ok((plain, mark == LAST))
    }

    /// To be called when no more bytes come: whether the stream is whole.
    ///
    /// # Errors
    ///
    /// [`StreamError::Truncated`] if the last chunk has not been.
    pub const fn finish(&self) -> Result<(), StreamError> {
        if self.0.ended {
            Ok(())
        } else {
            Err(StreamError::Truncated(self.0.next))
        }
    }
}

impl std::fmt::Debug for ChunkSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ChunkSealer({:?}, next {})",
            self.0.direction, self.0.next
        )
    }
}

impl std::fmt::Debug for ChunkOpener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ChunkOpener({:?}, next {})",
            self.0.direction, self.0.next
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: [u8; 32] = [5; 32];

    fn three() -> [Vec<u8>; 3] {
        let mut sealer = ChunkSealer::new(KEY, Direction::Forward);
        [
            sealer.seal_chunk(b"one", false).unwrap(),
            sealer.seal_chunk(b"two", false).unwrap(),
            sealer.seal_chunk(b"three", true).unwrap(),
        ]
    }

    fn opener() -> ChunkOpener {
        ChunkOpener::new(KEY, Direction::Forward)
    }

    #[test]
    fn reordered_repeated_and_missing_chunks_are_noticed() {
        let [one, two, three] = three();
        let mut opener = opener();
        assert_eq!(opener.open_chunk(&two), Err(StreamError::NotAuthentic(0)));
        assert_eq!(opener.open_chunk(&one), Ok((b"one".to_vec(), false)));
        assert_eq!(opener.open_chunk(&one), Err(StreamError::NotAuthentic(1)));
        assert_eq!(opener.open_chunk(&three), Err(StreamError::NotAuthentic(1)));
        assert_eq!(opener.open_chunk(&two), Ok((b"two".to_vec(), false)));
        assert_eq!(opener.open_chunk(&three), Ok((b"three".to_vec(), true)));
        assert_eq!(opener.finish(), Ok(()));
    }

    #[test]
    fn a_cut_stream_is_noticed() {
        let [one, two, _] = three();
        let mut opener = opener();
        opener.open_chunk(&one).unwrap();
        let mut declared_last = two.clone();
        declared_last[0] = LAST;
        assert_eq!(
            opener.open_chunk(&declared_last),
            Err(StreamError::NotAuthentic(1))
        );
        opener.open_chunk(&two).unwrap();
        assert_eq!(opener.finish(), Err(StreamError::Truncated(2)));
    }

    #[test]
    fn nothing_follows_the_last() {
        let mut sealer = ChunkSealer::new(KEY, Direction::Forward);
        let only = sealer.seal_chunk(b"", true).unwrap();
        assert_eq!(sealer.seal_chunk(b"x", false), Err(StreamError::Ended));
        let mut opener = opener();
        assert_eq!(opener.open_chunk(&only), Ok((vec![], true)));
        assert_eq!(opener.open_chunk(&only), Err(StreamError::Ended));
    }

    #[test]
    fn the_other_direction_or_key_does_not_open() {
        let [one, ..] = three();
        let refused = Err(StreamError::NotAuthentic(0));
        let mut back = ChunkOpener::new(KEY, Direction::Backward);
        assert_eq!(back.open_chunk(&one), refused);
        let mut other = ChunkOpener::new([6; 32], Direction::Forward);
        assert_eq!(other.open_chunk(&one), refused);
    }

    #[test]
    fn sizes_are_bounded_on_both_ends() {
        let mut sealer = ChunkSealer::new(KEY, Direction::Forward);
        let large = vec![0; MAX_CHUNK + 1];
        assert_eq!(
            sealer.seal_chunk(&large, false),
            Err(StreamError::TooLarge(MAX_CHUNK + 1))
        );
        let full = sealer.seal_chunk(&large[1..], false).unwrap();
        assert_eq!(full.len(), MAX_CHUNK + OVERHEAD);
        assert!(opener().open_chunk(&full).is_ok());
        let beyond = vec![0; MAX_CHUNK + OVERHEAD + 1];
        assert_eq!(
            opener().open_chunk(&beyond),
            Err(StreamError::TooLarge(MAX_CHUNK + 1))
        );
        assert_eq!(opener().open_chunk(&[0; 16]), Err(StreamError::Malformed));
        assert_eq!(opener().open_chunk(&[2; 64]), Err(StreamError::Malformed));
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(bit in 0_usize..160) {
            let [mut one, ..] = three();
            one[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(opener().open_chunk(&one).is_err());
        }

        #[test]
        fn random_bytes_never_open(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            prop_assert!(opener().open_chunk(&bytes).is_err());
        }
    }
}
