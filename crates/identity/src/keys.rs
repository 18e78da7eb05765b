//! Signing keys, verifying keys and signatures.
//!
//! A signature is made over [`Digest::of`]`(domain, bytes)`, so one given for a certificate is never one
//! for a consent. Keys carry the tag of their suite: Ed25519 now, a certified national module (SM2
//! with SM3) later, without a change of any type that holds them.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::Signer;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::{Digest, Domain};
use crate::remembered;

/// A signature suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Ed25519 (RFC 8032), verified strictly: no weak keys, no second form of a signature.
    Ed25519,
}

impl Suite {
    /// The name before the colon in the text of a key.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
        }
    }
}

/// Why a key was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not `suite:hex`.
    #[error("公钥格式应为 ed25519:十六进制 (a key reads ed25519:hex)")]
    Format,
    /// The suite is not known.
    #[error("未知签名套件：{0} (unknown signature suite)")]
    UnknownSuite(String),
    /// Not a point of the curve, or one under which signatures prove nothing.
    #[error("公钥无效或强度不足 (invalid or weak key)")]
    Invalid,
}

/// The signature is not one of this key over these bytes for this purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("签名无效 (bad signature)")]
pub struct BadSignature;

/// A private key. It is wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The 32 bytes the key was made from, for storage only.
    #[must_use]
    pub fn to_seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey {
            suite: Suite::Ed25519,
            bytes: self.0.verifying_key().to_bytes(),
        }
    }

    /// Signs bytes for one purpose.
    #[must_use]
    pub fn sign(&self, domain: Domain, bytes: &[u8]) -> Signature {
        Signature(self.0.sign(Digest::of(domain, bytes).as_bytes()).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(public {})", self.verify_key())
    }
}

/// A public key with its suite. Every value is a valid key: it is checked when made and when read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifyKey {
    suite: Suite,
    bytes: [u8; 32],
}

impl VerifyKey {
    /// From the raw bytes of a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Invalid`] if they are no point of the curve or a weak one.
    pub fn from_bytes(suite: Suite, bytes: [u8; 32]) -> Result<Self, KeyError> {
        match suite {
            Suite::Ed25519 => remembered::once(&[b"key", &bytes], || {
                let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes)
                    .map_err(|_| KeyError::Invalid)?;
                if key.is_weak() {
                    return Err(KeyError::Invalid);
                }
                Ok(())
            })?,
        }
        Ok(Self { suite, bytes })
    }

    /// The suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Checks a signature over bytes for one purpose, strictly.
    ///
    /// # Errors
    ///
    /// [`BadSignature`] whatever is wrong with it: the reason is of no use to an honest signer.
    pub fn verify(
        &self,
        domain: Domain,
        bytes: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let digest = Digest::of(domain, bytes);
        match self.suite {
            Suite::Ed25519 => remembered::once(
                &[b"signature", &self.bytes, digest.as_bytes(), &signature.0],
                || {
                    let key = ed25519_dalek::VerifyingKey::from_bytes(&self.bytes)
                        .map_err(|_| BadSignature)?;
                    let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
                    key.verify_strict(digest.as_bytes(), &signature)
                        .map_err(|_| BadSignature)
                },
            ),
        }
    }
}

impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.suite.name(), hex::encode(self.bytes))
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyKey({self})")
    }
}

impl FromStr for VerifyKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (suite, digits) = text.split_once(':').ok_or(KeyError::Format)?;
        if suite != Suite::Ed25519.name() {
            return Err(KeyError::UnknownSuite(suite.chars().take(32).collect()));
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| KeyError::Format)?;
        Self::from_bytes(Suite::Ed25519, bytes)
    }
}

/// The key as a machine reads it: the tag of the suite and the bytes.
#[derive(Serialize, Deserialize)]
struct RawKey {
    suite: Suite,
    #[serde(with = "crate::bytes::fixed")]
    bytes: [u8; 32],
}

impl Serialize for VerifyKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let raw = RawKey {
            suite: self.suite,
            bytes: self.bytes,
        };
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VerifyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            return text.parse().map_err(de::Error::custom);
        }
        let raw = RawKey::deserialize(deserializer)?;
        Self::from_bytes(raw.suite, raw.bytes).map_err(de::Error::custom)
    }
}

/// A signature of 64 bytes. Its suite is that of the key it is checked with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signature(#[serde(with = "crate::bytes::fixed")] [u8; 64]);

impl Signature {
    /// From the raw bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    #[test]
    fn a_signature_holds_for_its_key_domain_and_bytes_only() {
        let signature = key(1).sign(Domain::Act, b"grant");
        let public = key(1).verify_key();
        assert_eq!(public.verify(Domain::Act, b"grant", &signature), Ok(()));
        assert_eq!(
            public.verify(Domain::Event, b"grant", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            public.verify(Domain::Act, b"Grant", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            key(2)
                .verify_key()
                .verify(Domain::Act, b"grant", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_noticed() {
        let signature = key(1).sign(Domain::Act, b"grant");
        for bit in 0..512 {
            let mut bytes = *signature.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                key(1)
                    .verify_key()
                    .verify(Domain::Act, b"grant", &Signature::from_bytes(bytes)),
                Err(BadSignature)
            );
        }
    }

    #[test]
    fn weak_and_invalid_keys_are_refused() {
        let mut identity_point = [0; 32];
        identity_point[0] = 1;
        assert_eq!(
            VerifyKey::from_bytes(Suite::Ed25519, identity_point),
            Err(KeyError::Invalid)
        );
        assert_eq!(
            VerifyKey::from_bytes(Suite::Ed25519, [0; 32]),
            Err(KeyError::Invalid)
        );
        let text = format!("ed25519:{}", hex::encode([0; 32]));
        assert_eq!(text.parse::<VerifyKey>(), Err(KeyError::Invalid));
        let mut raw = vec![0];
        raw.extend([0; 32]);
        assert!(crate::codec::decode::<VerifyKey>(&raw, 64).is_err());
    }

    #[test]
    fn a_key_comes_back_from_text_and_bytes() {
        let public = key(7).verify_key();
        assert!(public.to_string().starts_with("ed25519:"));
        assert_eq!(public.to_string().parse(), Ok(public));
        assert_eq!("x".parse::<VerifyKey>(), Err(KeyError::Format));
        assert_eq!(
            "sm2:00".parse::<VerifyKey>(),
            Err(KeyError::UnknownSuite("sm2".into()))
        );
        let bytes = crate::codec::encode(&public);
        assert_eq!(bytes.len(), 33);
        assert_eq!(crate::codec::decode(&bytes, 33), Ok(public));
        let json = serde_json::to_string(&public).unwrap();
        assert_eq!(serde_json::from_str::<VerifyKey>(&json).unwrap(), public);
    }

    #[test]
    fn a_signing_key_is_not_shown() {
        let secret = SigningKey::from_seed([0xab; 32]);
        assert!(!format!("{secret:?}").contains("abababab"));
        assert_eq!(
            SigningKey::from_seed(secret.to_seed()).verify_key(),
            secret.verify_key()
        );
    }
}
