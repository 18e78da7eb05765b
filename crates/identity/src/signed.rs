//! A value, its canonical bytes and a signature over them.

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::digest::{Digest, Domain};
use crate::keys::{BadSignature, Signature, SigningKey, VerifyKey};
use crate::planted::{self, Bug};

/// The bytes of a `T` and a signature over them, unverified. The bytes are kept as they were signed and
/// are never encoded again.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Signed<T> {
    #[serde(with = "crate::bytes::long")]
    bytes: Vec<u8>,
    signature: Signature,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

/// Why a signed value was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// The signature holds, but what was signed is no value of the type.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

impl<T> Signed<T> {
    /// Puts bytes and a signature that were made apart together (a person signs on their own machine).
    #[must_use]
    pub const fn from_parts(bytes: Vec<u8>, signature: Signature) -> Self {
        Self {
            bytes,
            signature,
            of: PhantomData,
        }
    }

    /// The bytes that were signed.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The digest of the signed bytes in a domain (of the value, not of its signature).
    #[must_use]
    pub fn digest(&self, domain: Domain) -> Digest {
        Digest::of(domain, &self.bytes)
    }

    /// Checks the signature only.
    ///
    /// # Errors
    ///
    /// [`BadSignature`].
    pub fn check(&self, domain: Domain, key: &VerifyKey) -> Result<(), BadSignature> {
        key.verify(domain, &self.bytes, &self.signature)
    }
}

impl<T: Serialize> Signed<T> {
    /// Encodes a value and signs the bytes for one purpose.
    #[must_use]
    pub fn sign(value: &T, domain: Domain, key: &SigningKey) -> Self {
        let bytes = codec::encode(value);
        let signature = key.sign(domain, &bytes);
        Self::from_parts(bytes, signature)
    }
}

impl<T: DeserializeOwned> Signed<T> {
    /// What the bytes *claim*, unverified: for finding out whose key to verify with.
    ///
    /// # Errors
    ///
    /// [`CodecError`] if the bytes are longer than `max` or no value of the type.
    pub fn claimed(&self, max: usize) -> Result<T, CodecError> {
        codec::decode(&self.bytes, max)
    }

    /// The value, if the signature is the key's for this purpose. `max` is the greatest length in bytes.
    ///
    /// # Errors
    ///
    /// A length beyond `max` first, then the signature, then the encoding.
    pub fn verify(&self, domain: Domain, key: &VerifyKey, max: usize) -> Result<T, VerifyError> {
        if self.bytes.len() > max {
            let length = self.bytes.len();
            return Err(CodecError::TooLong { length, max }.into());
        }
        self.check(domain, key)?;
        Ok(codec::decode(&self.bytes, max)?)
    }

    /// As [`Self::verify`]; where a test has planted this bug, what the bytes claim is believed.
    ///
    /// # Errors
    ///
    /// As [`Self::verify`].
    pub fn verify_unless(
        &self,
        bug: Bug,
        domain: Domain,
        key: &VerifyKey,
        max: usize,
    ) -> Result<T, VerifyError> {
        if planted::is(bug) {
            return Ok(self.claimed(max)?);
        }
        self.verify(domain, key, max)
    }
}

impl<T> Clone for Signed<T> {
    fn clone(&self) -> Self {
        Self::from_parts(self.bytes.clone(), self.signature)
    }
}

impl<T> PartialEq for Signed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes && self.signature == other.signature
    }
}

impl<T> Eq for Signed<T> {}

impl<T> fmt::Debug for Signed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("bytes", &hex::encode(&self.bytes))
            .field("signature", &self.signature)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 1024;

    fn signed() -> (Signed<String>, VerifyKey) {
        let key = SigningKey::from_seed([3; 32]);
        let signed = Signed::sign(&"同意".to_owned(), Domain::Act, &key);
        (signed, key.verify_key())
    }

    #[test]
    fn what_was_signed_is_read() {
        let (signed, key) = signed();
        assert_eq!(signed.verify(Domain::Act, &key, MAX), Ok("同意".to_owned()));
        assert_eq!(signed.claimed(MAX), Ok("同意".to_owned()));
        assert_eq!(
            signed.digest(Domain::Act),
            Digest::of(Domain::Act, signed.bytes())
        );
    }

    #[test]
    fn another_domain_or_key_is_refused() {
        let (signed, key) = signed();
        let other = SigningKey::from_seed([4; 32]).verify_key();
        let refused = Err(VerifyError::Signature(BadSignature));
        assert_eq!(signed.verify(Domain::Event, &key, MAX), refused);
        assert_eq!(signed.verify(Domain::Act, &other, MAX), refused);
    }

    #[test]
    fn the_length_is_refused_first() {
        let (signed, key) = signed();
        let refused = CodecError::TooLong { length: 7, max: 3 };
        assert_eq!(signed.claimed(3), Err(refused.clone()));
        assert_eq!(
            signed.verify(Domain::Event, &key, 3),
            Err(VerifyError::Codec(refused))
        );
    }

    #[test]
    fn well_signed_nonsense_is_refused() {
        let key = SigningKey::from_seed([3; 32]);
        let bytes = vec![9, 1];
        let signature = key.sign(Domain::Act, &bytes);
        let signed = Signed::<String>::from_parts(bytes, signature);
        assert!(matches!(
            signed.verify(Domain::Act, &key.verify_key(), MAX),
            Err(VerifyError::Codec(CodecError::Malformed(_)))
        ));
    }

    #[test]
    fn it_travels_as_bytes_and_as_json() {
        let (signed, key) = signed();
        let bytes = codec::encode(&signed);
        assert_eq!(bytes.len(), 1 + signed.bytes().len() + 64);
        let back: Signed<String> = codec::decode(&bytes, MAX).unwrap();
        assert_eq!(back, signed);
        let json = serde_json::to_string(&signed).unwrap();
        let back: Signed<String> = serde_json::from_str(&json).unwrap();
        assert_eq!(back.verify(Domain::Act, &key, MAX), Ok("同意".to_owned()));
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(bit in 0_usize..56) {
            let (signed, key) = signed();
            let mut bytes = signed.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let tampered = Signed::<String>::from_parts(bytes, *signed.signature());
            prop_assert_eq!(
                tampered.verify(Domain::Act, &key, MAX),
                Err(VerifyError::Signature(BadSignature))
            );
        }
    }
}
