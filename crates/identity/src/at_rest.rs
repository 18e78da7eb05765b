//! Files sealed where they lie: who has the disk and not the storage key reads nothing (R36).
//!
//! ```text
//! header   1024  magic[8] version:u16 zero[6] length:u64 slot[96]   then at 512: slot[96]; the rest is zero
//! slot       96  id of a storage key[16] salt[32] wrapped key of the object[48]
//! chunk      16 KiB of the content, ChaCha20Poly1305 under the object's key, and a tag of 16 bytes; the last one may be shorter
//! ```
//!
//! Integers are big-endian. Every object has a random key of its own, so that a chunk's nonce is its number and whether it is the last: the
//! STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance",
//! CRYPTO 2015), which a reader may enter at any chunk. A chunk that was changed, moved or falsely declared the last does not open. The object's
//! key is wrapped together with the object's name and length under a key derived from the storage key and the slot's salt: a file that stands
//! under another name, was cut or was made longer is refused as well.
//!
//! A header has two slots, each in a sector of its own, so that a new storage key is brought in without the object being written anew and
//! without a moment at which a torn write leaves no slot.

use std::fmt;
use std::str::FromStr;

use chacha20poly1305::aead::{Aead, AeadInOut, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce, Tag};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::digest::Digest;

/// Bytes of content in a chunk: the grain at which a file's tree verifies it too, so that a verified group is a chunk.
pub const CHUNK_BYTES: usize = 16 << 10;
/// Bytes that sealing adds to a chunk.
pub const TAG_BYTES: usize = 16;
/// Bytes of a header.
pub const HEADER_BYTES: usize = 1024;
/// The longest object (1 TiB): beyond it a length is taken for damage.
pub const MAX_LENGTH: u64 = 1 << 40;
/// Slots of a header.
pub const SLOTS: usize = 2;

/// First bytes of a sealed file.
const MAGIC: [u8; 8] = *b"GTSEALED";
/// The format written here.
const VERSION: u16 = 1;
/// Bytes of a slot.
const SLOT_BYTES: usize = KEY_ID_BYTES + SALT_BYTES + WRAPPED_BYTES;
/// Where the slots begin.
const SLOT_AT: [usize; SLOTS] = [24, 512];
/// Bytes of a storage key's id.
const KEY_ID_BYTES: usize = 16;
/// Bytes of a slot's salt.
const SALT_BYTES: usize = 32;
/// Bytes of a wrapped key.
const WRAPPED_BYTES: usize = 32 + TAG_BYTES;
/// The context of a storage key's id.
const ID_CONTEXT: &str = "guantong v1 storage key id";
/// The context of the key that wraps one object's key.
const WRAP_CONTEXT: &str = "guantong v1 storage wrapping key";
/// The mark of a chunk that others follow.
const MORE: u8 = 0;
/// The mark of the last chunk.
const LAST: u8 = 1;

/// The key under which a node's objects lie. Kept outside the folder of what it seals, never shown, overwritten when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct StorageKey([u8; 32]);

/// Which storage key: a digest of it that may be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StorageKeyId([u8; KEY_ID_BYTES]);

/// The key of one object. Overwritten when dropped.
#[derive(Clone, ZeroizeOnDrop)]
pub struct ObjectKey([u8; 32]);

/// What of an object a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The content.
    Content,
    /// The tree of digests that verifies ranges of it.
    Tree,
    /// Rows of it on their way to its parts.
    Run,
}

/// What a sealed file is of: it opens under no other name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The object.
    pub digest: Digest,
    /// What of it.
    pub part: Part,
}

/// Why a sealed file is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AtRestError {
    /// It does not begin as a sealed file does.
    #[error("不是密封文件 (not a sealed file)")]
    NotSealed,
    /// A format this program does not know.
    #[error("密封格式版本 {0} 不受支持 (unknown version of sealing)")]
    Version(u16),
    /// A length that no object has.
    #[error("密封文件所记长度 {0} 不可能 (impossible length)")]
    Length(u64),
    /// Sealed under other keys only.
    #[error("未以存储密钥 {0} 密封 (sealed under another storage key)")]
    OtherKey(StorageKeyId),
    /// The header was changed, or belongs to another object.
    #[error("文件头校验失败：被改动，或属于另一文件 (header not authentic)")]
    Header,
    /// The file is longer or shorter than its length makes it.
    #[error("密封文件应为 {expected} 字节，实为 {found} 字节 (cut or extended)")]
    Size {
        /// Bytes it must have.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The chunk was changed or moved.
    #[error("第 {0} 块校验失败：被改动或移位 (chunk not authentic)")]
    Chunk(u64),
}

impl StorageKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key as a file holds it: 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads 64 hexadecimal digits; space around them does not count.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> StorageKeyId {
        let digest = blake3::derive_key(ID_CONTEXT, &self.0);
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        StorageKeyId(id)
    }

    /// The cipher that wraps one object's key: used once, so its nonce is zero.
    fn wrapping(&self, salt: &[u8; SALT_BYTES]) -> ChaCha20Poly1305 {
        let mut hasher = blake3::Hasher::new_derive_key(WRAP_CONTEXT);
        hasher.update(&self.0).update(salt);
        let mut key = *hasher.finalize().as_bytes();
        let cipher = ChaCha20Poly1305::new(&Key::from(key));
        key.zeroize();
        cipher
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageKey({})", self.id())
    }
}

impl fmt::Display for StorageKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for StorageKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StorageKeyId({self})")
    }
}

impl FromStr for StorageKeyId {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut id = [0; KEY_ID_BYTES];
        hex::decode_to_slice(text, &mut id)?;
        Ok(Self(id))
    }
}

impl ObjectKey {
    /// A key of 32 random bytes, used for one object and never again.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(self.0))
    }

    /// Seals in place what stands in `out` from `begin` on, at most [`CHUNK_BYTES`], and puts the tag behind it: so that many chunks are sealed in
    /// one buffer. Under one key a number is sealed with one content only.
    ///
    /// # Errors
    /// [`AtRestError::Chunk`] for more bytes than a chunk has, or for a beginning behind the end.
    pub fn seal_chunk(
        &self,
        number: u64,
        last: bool,
        out: &mut Vec<u8>,
        begin: usize,
    ) -> Result<(), AtRestError> {
        let refused = AtRestError::Chunk(number);
        let clear = out.get_mut(begin..).ok_or(refused)?;
        if clear.len() > CHUNK_BYTES {
            return Err(refused);
        }
        let tag = self
            .cipher()
            .encrypt_inout_detached(&nonce(number, last), b"", clear.into())
            .map_err(|_| refused)?;
        out.extend_from_slice(&tag);
        Ok(())
    }

    /// Opens a chunk in place and gives its content; after a refusal `sealed` holds nothing that may be used.
    ///
    /// # Errors
    /// [`AtRestError::Chunk`].
    pub fn open_chunk<'c>(
        &self,
        number: u64,
        last: bool,
        sealed: &'c mut [u8],
    ) -> Result<&'c [u8], AtRestError> {
        let refused = AtRestError::Chunk(number);
        let (content, tag) = sealed.split_last_chunk_mut::<TAG_BYTES>().ok_or(refused)?;
        self.cipher()
            .decrypt_inout_detached(
                &nonce(number, last),
                b"",
                (&mut *content).into(),
                &Tag::from(*tag),
            )
            .map_err(|_| refused)?;
        Ok(content)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ObjectKey(…)")
    }
}

/// Zeros (3 bytes), number of the chunk (8, big-endian), mark of the last (1).
fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = if last { LAST } else { MORE };
    Nonce::from(nonce)
}

/// How many chunks an object of so many bytes has: at least one, so that even nothing is authenticated.
#[must_use]
pub const fn chunks(length: u64) -> u64 {
    let whole = length.div_ceil(CHUNK_BYTES as u64);
    if whole == 0 { 1 } else { whole }
}

/// Where a chunk begins in the sealed file.
#[must_use]
pub const fn chunk_at(number: u64) -> u64 {
    HEADER_BYTES as u64 + number * (CHUNK_BYTES + TAG_BYTES) as u64
}

/// Bytes of the sealed file of an object of at most [`MAX_LENGTH`] bytes.
#[must_use]
pub const fn sealed_bytes(length: u64) -> u64 {
    HEADER_BYTES as u64 + length + chunks(length) * TAG_BYTES as u64
}

/// One wrapping of an object's key.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot {
    key: StorageKeyId,
    salt: [u8; SALT_BYTES],
    wrapped: [u8; WRAPPED_BYTES],
}

impl Slot {
    /// All zero is no slot.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (key, rest) = bytes.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let (wrapped, _) = rest.split_first_chunk()?;
        let slot = Self {
            key: StorageKeyId(*key),
            salt: *salt,
            wrapped: *wrapped,
        };
        (bytes.iter().any(|byte| *byte != 0)).then_some(slot)
    }

    fn encode(&self) -> [u8; SLOT_BYTES] {
        let mut out = [0; SLOT_BYTES];
        out[..KEY_ID_BYTES].copy_from_slice(&self.key.0);
        out[KEY_ID_BYTES..KEY_ID_BYTES + SALT_BYTES].copy_from_slice(&self.salt);
        out[KEY_ID_BYTES + SALT_BYTES..].copy_from_slice(&self.wrapped);
        out
    }
}

/// What stands before the chunks.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    length: u64,
    slots: [Option<Slot>; SLOTS],
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<StorageKeyId> = self.keys().collect();
        write!(f, "Header({} bytes, {keys:?})", self.length)
    }
}

impl Header {
    /// The header of a new object: its key wrapped under `storage`. `salt` is 32 fresh random bytes.
    ///
    /// # Errors
    /// [`AtRestError::Length`] above [`MAX_LENGTH`].
    pub fn new(
        name: &Name,
        length: u64,
        object: &ObjectKey,
        storage: &StorageKey,
        salt: [u8; SALT_BYTES],
    ) -> Result<Self, AtRestError> {
        if length > MAX_LENGTH {
            return Err(AtRestError::Length(length));
        }
        let mut header = Self {
            length,
            slots: [None; SLOTS],
        };
        header.slots[0] = Some(header.wrap(name, object, storage, salt)?);
        Ok(header)
    }

    /// Reads a header; that it is authentic shows only when it is unwrapped.
    ///
    /// # Errors
    /// [`AtRestError::NotSealed`], [`AtRestError::Version`], [`AtRestError::Length`].
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, AtRestError> {
        if bytes[..8] != MAGIC {
            return Err(AtRestError::NotSealed);
        }
        let version = u16::from_be_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(AtRestError::Version(version));
        }
        let length = bytes[16..24]
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte));
        if length > MAX_LENGTH {
            return Err(AtRestError::Length(length));
        }
        Ok(Self {
            length,
            slots: SLOT_AT.map(|at| Slot::decode(&bytes[at..at + SLOT_BYTES])),
        })
    }

    /// The header as bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = [0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_be_bytes());
        out[16..24].copy_from_slice(&self.length.to_be_bytes());
        for number in 0..SLOTS {
            let (at, slot) = self.slot(number);
            out[at..at + SLOT_BYTES].copy_from_slice(&slot);
        }
        out
    }

    /// Bytes of content.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Under which storage keys the object opens, by what the header says.
    pub fn keys(&self) -> impl Iterator<Item = StorageKeyId> {
        self.slots.iter().flatten().map(|slot| slot.key)
    }

    /// Where a slot stands in the file, and its bytes: what is written when one slot alone changes. Numbers are taken modulo [`SLOTS`].
    #[must_use]
    pub fn slot(&self, number: usize) -> (usize, [u8; SLOT_BYTES]) {
        let number = number % SLOTS;
        let bytes = self.slots[number].as_ref().map(Slot::encode);
        (SLOT_AT[number], bytes.unwrap_or([0; SLOT_BYTES]))
    }

    /// The object's key, when the file is of this name and the storage key is right.
    ///
    /// # Errors
    /// [`AtRestError::OtherKey`], [`AtRestError::Header`].
    pub fn unwrap(&self, name: &Name, storage: &StorageKey) -> Result<ObjectKey, AtRestError> {
        let id = storage.id();
        let slot = self.slots.iter().flatten().find(|slot| slot.key == id);
        let slot = slot.ok_or(AtRestError::OtherKey(id))?;
        let payload = Payload {
            msg: &slot.wrapped,
            aad: &self.bound(name, &slot.salt),
        };
        let mut opened = storage
            .wrapping(&slot.salt)
            .decrypt(&Nonce::default(), payload)
            .map_err(|_| AtRestError::Header)?;
        let key = opened.first_chunk().copied().map(ObjectKey);
        opened.zeroize();
        key.ok_or(AtRestError::Header)
    }

    /// Wraps the object's key under a new storage key as well, in the slot that `old` does not have. Says which slot changed; none, when the
    /// object opens under the new key already.
    ///
    /// # Errors
    /// As [`Header::unwrap`] with `old`.
    pub fn rewrap(
        &mut self,
        name: &Name,
        old: &StorageKey,
        new: &StorageKey,
        salt: [u8; SALT_BYTES],
    ) -> Result<Option<usize>, AtRestError> {
        if self.unwrap(name, new).is_ok() {
            return Ok(None);
        }
        let object = self.unwrap(name, old)?;
        let free = usize::from(self.slots[0].is_some_and(|slot| slot.key == old.id()));
        self.slots[free] = Some(self.wrap(name, &object, new, salt)?);
        Ok(Some(free))
    }

    /// Forgets every wrapping but that under `kept`, which must open. Says which slots changed.
    ///
    /// # Errors
    /// As [`Header::unwrap`] with `kept`: then nothing changed.
    pub fn keep_only(&mut self, name: &Name, kept: &StorageKey) -> Result<Vec<usize>, AtRestError> {
        self.unwrap(name, kept)?;
        let id = kept.id();
        let mut changed = Vec::new();
        for (number, slot) in self.slots.iter_mut().enumerate() {
            if slot.is_some_and(|slot| slot.key != id) {
                *slot = None;
                changed.push(number);
            }
        }
        Ok(changed)
    }

    fn wrap(
        &self,
        name: &Name,
        object: &ObjectKey,
        storage: &StorageKey,
        salt: [u8; SALT_BYTES],
    ) -> Result<Slot, AtRestError> {
        let payload = Payload {
            msg: &object.0,
            aad: &self.bound(name, &salt),
        };
        let wrapped = storage
            .wrapping(&salt)
            .encrypt(&Nonce::default(), payload)
            .map_err(|_| AtRestError::Header)?;
        Ok(Slot {
            key: storage.id(),
            salt,
            wrapped: wrapped.try_into().map_err(|_| AtRestError::Header)?,
        })
    }

    /// What is authenticated with an object's key: format, length, name, salt.
    fn bound(&self, name: &Name, salt: &[u8; SALT_BYTES]) -> Vec<u8> {
        let part = match name.part {
            Part::Content => 1,
            Part::Tree => 2,
            Part::Run => 3,
        };
        let mut bound = Vec::with_capacity(8 + 2 + 8 + 1 + 32 + SALT_BYTES);
        bound.extend_from_slice(&MAGIC);
        bound.extend_from_slice(&VERSION.to_be_bytes());
        bound.extend_from_slice(&self.length.to_be_bytes());
        bound.push(part);
        bound.extend_from_slice(name.digest.as_bytes());
        bound.extend_from_slice(salt);
        bound
    }
}

#[cfg(test)]
#[path = "at_rest_tests.rs"]
mod tests;
