//! Sealing to a node: HPKE (RFC 9180) in base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20Poly1305.
//!
//! Sealing keys live short and carry a number, so that an old one can be kept until every envelope sealed
//! to it has expired, and then destroyed.

use std::convert::Infallible;
use std::fmt;

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use serde::{Deserialize, Serialize};

use crate::planted::{self, Bug};
use crate::time::Moment;

type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;
type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type EncappedKey = <X25519HkdfSha256 as Kem>::EncappedKey;

/// The context of the random bytes of one sealing.
const EPHEMERAL_CONTEXT: &str = "guantong v1 sealing ephemeral key";

/// The public key that things are sealed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SealingKey {
    /// The number of the key at its node, counting up.
    pub id: u32,
    /// The X25519 public key.
    #[serde(with = "crate::bytes::fixed")]
    pub key: [u8; 32],
    /// Nothing is to be sealed to the key after this moment.
    pub valid_until: Moment,
}

/// The private half of a [`SealingKey`]. Never shown.
#[derive(Clone)]
pub struct OpeningKey {
    id: u32,
    private: PrivateKey,
    public: [u8; 32],
}

/// What was sealed, and to which key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The number of the recipient's key.
    pub key_id: u32,
    /// The sender's ephemeral public key.
    #[serde(with = "crate::bytes::fixed")]
    pub encapsulated: [u8; 32],
    /// The ciphertext with its tag of 16 bytes.
    #[serde(with = "crate::bytes::long")]
    pub ciphertext: Vec<u8>,
}

/// Why nothing could be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is not usable (a point of low order).
    #[error("接收方加密公钥无效 (invalid sealing key)")]
    Key,
    /// The cipher refused: the plaintext is beyond its 256 GiB.
    #[error("加密失败 (sealing failed)")]
    Cipher,
}

/// Why something could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed to another key of this node.
    #[error("密文使用的密钥编号为 {sealed_to}，所持为 {held} (sealed to another key)")]
    OtherKey {
        /// The number it was sealed to.
        sealed_to: u32,
        /// The number of the key that was tried.
        held: u32,
    },
    /// Not sealed to this key with this context, or changed since.
    #[error("密文无法解开：密钥、上下文不符或内容被改动 (cannot be opened)")]
    Refused,
}

impl OpeningKey {
    /// The key with a number, from 32 random bytes.
    #[must_use]
    pub fn from_seed(id: u32, seed: [u8; 32]) -> Self {
        let (private, public) = X25519HkdfSha256::derive_keypair(&seed);
        Self {
            id,
            private,
            public: public.to_bytes().into(),
        }
    }

    /// The number of the key.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The public half, to be used until the given moment.
    #[must_use]
    pub const fn sealing_key(&self, valid_until: Moment) -> SealingKey {
        SealingKey {
            id: self.id,
            key: self.public,
            valid_until,
        }
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "OpeningKey(id {}, public {})",
            self.id,
            hex::encode(self.public)
        )
    }
}

/// Random bytes drawn out of one sealing's entropy.
struct Drawn(blake3::OutputReader);

impl Drawn {
    /// Mixes the entropy with all that is sealed: entropy used twice by mistake for different things
    /// still gives different ephemeral keys.
    fn new(entropy: [u8; 32], to: &SealingKey, parts: [&[u8]; 3]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(EPHEMERAL_CONTEXT);
        hasher.update(&entropy).update(&to.key);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize_xof())
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// Seals to a key. `info` binds the purpose, `aad` what travels in the clear beside it; both must be the
/// same at opening. `entropy` is 32 fresh random bytes; the same arguments give the same result.
/// Whether the key is still in its time is the caller's to check.
///
/// # Errors
///
/// [`SealError::Key`] for a key that no honest node has.
pub fn seal(
    to: &SealingKey,
    info: &[u8],
    aad: &[u8],
    plain: &[u8],
    entropy: [u8; 32],
) -> Result<Sealed, SealError> {
    let public = PublicKey::from_bytes(&to.key).map_err(|_| SealError::Key)?;
    let fresh = !planted::is(Bug::SealingEntropyIgnored);
    let entropy = if fresh { entropy } else { [0; 32] };
    let mut drawn = Drawn::new(entropy, to, [info, aad, plain]);
    let (encapsulated, mut context) = hpke::setup_sender_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &public, info, &mut drawn)
    .map_err(|_| SealError::Key)?;
    let ciphertext = context.seal(plain, aad).map_err(|_| SealError::Cipher)?;
    Ok(Sealed {
        key_id: to.id,
        encapsulated: encapsulated.to_bytes().into(),
        ciphertext,
    })
}

/// Opens what was sealed to a key with the same `info` and `aad`.
///
/// # Errors
///
/// [`OpenError::OtherKey`] by the number, [`OpenError::Refused`] for everything else.
pub fn open(
    key: &OpeningKey,
    info: &[u8],
    aad: &[u8],
    sealed: &Sealed,
) -> Result<Vec<u8>, OpenError> {
    if sealed.key_id != key.id {
        return Err(OpenError::OtherKey {
            sealed_to: sealed.key_id,
            held: key.id,
        });
    }
    let encapsulated =
        EncappedKey::from_bytes(&sealed.encapsulated).map_err(|_| OpenError::Refused)?;
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key.private,
        &encapsulated,
        info,
        &sealed.ciphertext,
        aad,
    )
    .map_err(|_| OpenError::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32, seed: u8) -> OpeningKey {
        OpeningKey::from_seed(id, [seed; 32])
    }

    fn sealed() -> Sealed {
        let to = key(4, 1).sealing_key(Moment::MAX);
        seal(&to, b"envelope", b"header", "退回".as_bytes(), [9; 32]).unwrap()
    }

    #[test]
    fn the_recipient_opens_it() {
        assert_eq!(
            open(&key(4, 1), b"envelope", b"header", &sealed()),
            Ok("退回".as_bytes().to_vec())
        );
    }

    #[test]
    fn another_key_does_not() {
        assert_eq!(
            open(&key(4, 2), b"envelope", b"header", &sealed()),
            Err(OpenError::Refused)
        );
        assert_eq!(
            open(&key(5, 1), b"envelope", b"header", &sealed()),
            Err(OpenError::OtherKey {
                sealed_to: 4,
                held: 5
            })
        );
    }

    #[test]
    fn another_context_or_changed_bytes_do_not() {
        let refused = Err(OpenError::Refused);
        assert_eq!(open(&key(4, 1), b"other", b"header", &sealed()), refused);
        assert_eq!(open(&key(4, 1), b"envelope", b"other", &sealed()), refused);
        let mut changed = sealed();
        changed.ciphertext[0] ^= 1;
        assert_eq!(open(&key(4, 1), b"envelope", b"header", &changed), refused);
        let mut changed = sealed();
        changed.encapsulated[0] ^= 1;
        assert_eq!(open(&key(4, 1), b"envelope", b"header", &changed), refused);
        let mut short = sealed();
        short.ciphertext.truncate(3);
        assert_eq!(open(&key(4, 1), b"envelope", b"header", &short), refused);
    }

    #[test]
    fn the_same_arguments_seal_alike_and_others_differ_in_every_part() {
        assert_eq!(sealed(), sealed());
        let to = key(4, 1).sealing_key(Moment::MAX);
        let other = seal(&to, b"envelope", b"header", b"other plain", [9; 32]).unwrap();
        assert_ne!(other.encapsulated, sealed().encapsulated);
        let fresh = seal(&to, b"envelope", b"header", "退回".as_bytes(), [8; 32]).unwrap();
        assert_ne!(fresh.encapsulated, sealed().encapsulated);
    }

    #[test]
    fn a_key_of_low_order_is_refused() {
        let to = SealingKey {
            id: 1,
            key: [0; 32],
            valid_until: Moment::MAX,
        };
        assert_eq!(seal(&to, b"", b"", b"x", [1; 32]), Err(SealError::Key));
        let zero = Sealed {
            encapsulated: [0; 32],
            ..sealed()
        };
        assert_eq!(
            open(&key(4, 1), b"envelope", b"header", &zero),
            Err(OpenError::Refused)
        );
    }

    #[test]
    fn it_travels_as_bytes() {
        let bytes = crate::codec::encode(&sealed());
        assert_eq!(crate::codec::decode(&bytes, 1024), Ok(sealed()));
    }
}
