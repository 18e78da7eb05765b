//! Digests (blake3) and the purposes they are made for.
//!
//! A digest made for one purpose never equals one made for another: [`Digest::of`] derives from
//! the context string `guantong v1 <domain>`. The one exception is [`Digest::object`], the plain blake3 of
//! a file, which is its address and can be checked with any blake3 tool.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use serde::{Deserialize, Serialize};

/// A blake3 digest of 32 bytes. Hex where a person reads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(#[serde(with = "crate::bytes::fixed")] [u8; 32]);

/// A text that is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("摘要应为 64 位十六进制 (a digest is 64 hexadecimal digits)")]
pub struct DigestError;

macro_rules! domains {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a digest or signature is for. The text of a domain is part of every digest ever made in it
        /// and never changes; a new meaning is a new domain.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Domain {
            $($(#[$doc])* $name,)*
        }

        impl Domain {
            /// Every domain.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The context string of the domain.
            #[must_use]
            pub const fn context(self) -> &'static str {
                match self {
                    $(Self::$name => concat!("guantong v1 ", $text),)*
                }
            }
        }
    };
}

domains! {
    /// What a person does: a consent, an approval, a decision.
    Act = "act",
    /// An event of a docket.
    Event = "event",
    /// A command to the home of a docket.
    Command = "command",
    /// A docket's identity.
    Docket = "docket",
    /// A record of a ledger.
    Record = "record",
    /// A segment of catalogue changes.
    Segment = "segment",
    /// A stored body, by the very bytes.
    Body = "body",
    /// One catalogue change.
    Change = "change",
    /// A catalogue entry.
    Entry = "entry",
    /// A membership certificate.
    Certificate = "certificate",
    /// A request to be enrolled.
    Enrolment = "enrolment",
    /// A revocation of a certificate.
    Revocation = "revocation",
    /// A whole certificate chain.
    Chain = "chain",
    /// The enrolment of a person.
    Person = "person",
    /// A routed envelope.
    Envelope = "envelope",
    /// The sealed content of an envelope.
    Sealed = "sealed",
    /// An acknowledgement of something received.
    Receipt = "receipt",
    /// A message between neighbours.
    Message = "message",
    /// A notice to the nodes below.
    Notice = "notice",
    /// A signed checkpoint of a ledger.
    Checkpoint = "checkpoint",
    /// A cosignature under another's checkpoint.
    Cosignature = "cosignature",
    /// A leaf of the ledger's tree.
    Leaf = "leaf",
    /// An inner node of the ledger's tree.
    Node = "node",
    /// A row of a table in return flow.
    Row = "row",
    /// An inner node of a tree of rows.
    RowNode = "row node",
    /// The manifest of a return flow.
    Manifest = "manifest",
    /// The description of an object (its address is [`Digest::object`]).
    Object = "object",
    /// The opening of a circuit.
    Circuit = "circuit",
    /// A call of a service: its request, and what the provider's node says to it.
    Call = "call",
    /// A salted commitment to personal content.
    Commitment = "commitment",
    /// An evidence file.
    Evidence = "evidence",
    /// A profile of law.
    Profile = "profile",
    /// A token for the operators' interface.
    Token = "token",
    /// An identity derived from content: the id of an effect, a message, a case.
    Id = "id",
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.context())
    }
}

/// A hasher for one purpose, as `blake3::Hasher::new_derive_key` of its context: what follows from the context alone is computed once.
fn hasher(domain: Domain) -> blake3::Hasher {
    static KEYS: [OnceLock<ContextKey>; Domain::ALL.len()] =
        [const { OnceLock::new() }; Domain::ALL.len()];
    let key = || hash_derive_key_context(domain.context());
    match KEYS.get(domain as usize) {
        Some(known) => blake3::Hasher::new_from_context_key(known.get_or_init(key)),
        None => blake3::Hasher::new_from_context_key(&key()),
    }
}

/// Short pieces set together before they are hashed: a hasher is slow in small steps.
struct Joined<'h> {
    hasher: &'h mut blake3::Hasher,
    bytes: [u8; 256],
    length: usize,
}

impl<'h> Joined<'h> {
    fn new(hasher: &'h mut blake3::Hasher) -> Self {
        Self {
            hasher,
            bytes: [0; 256],
            length: 0,
        }
    }

    fn put(&mut self, piece: &[u8]) {
        let room = self.bytes.get_mut(self.length..self.length + piece.len());
        if let Some(room) = room {
            room.copy_from_slice(piece);
            self.length += piece.len();
            return;
        }
        self.hash();
        self.hasher.update(piece);
    }

    fn hash(&mut self) {
        let joined = self.bytes.get(..self.length).unwrap_or_default();
        self.hasher.update(joined);
        self.length = 0;
    }
}

impl Digest {
    /// The digest of canonical bytes for one purpose.
    #[must_use]
    pub fn of(domain: Domain, bytes: &[u8]) -> Self {
        let mut hasher = hasher(domain);
        hasher.update(bytes);
        Self(*hasher.finalize().as_bytes())
    }

    /// The digest of a list of byte strings. Each is preceded by its length (8 bytes, little endian)
    /// and the list by its count, so that no two lists run together alike.
    #[must_use]
    pub fn of_parts(domain: Domain, parts: &[&[u8]]) -> Self {
        let mut hasher = hasher(domain);
        let mut joined = Joined::new(&mut hasher);
        joined.put(&(parts.len() as u64).to_le_bytes());
        for part in parts {
            joined.put(&(part.len() as u64).to_le_bytes());
            joined.put(part);
        }
        joined.hash();
        Self(*hasher.finalize().as_bytes())
    }

    /// The address of an object: the plain blake3 of its content, as `b3sum` gives it and as the
    /// root of its tree of verified ranges.
    #[must_use]
    pub fn object(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// From the raw bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hexadecimal digits, for people's eyes only.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| DigestError)?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_domains_agree() {
        let digests: BTreeSet<_> = Domain::ALL.iter().map(|d| Digest::of(*d, b"x")).collect();
        assert_eq!(digests.len(), Domain::ALL.len());
        assert!(!digests.contains(&Digest::object(b"x")));
    }

    #[test]
    fn the_digest_of_a_domain_is_derived_from_its_context() {
        for domain in Domain::ALL {
            for _ in 0..2 {
                let derived = blake3::derive_key(domain.context(), b"x");
                assert_eq!(Digest::of(*domain, b"x").as_bytes(), &derived);
            }
        }
    }

    #[test]
    fn the_address_of_an_object_is_plain_blake3() {
        assert_eq!(
            Digest::object(b"").to_string(),
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
        );
    }

    #[test]
    fn parts_of_any_length_are_hashed_as_they_stand_one_after_another() {
        let long = [7u8; 1_000];
        for lengths in [
            [0, 0, 0],
            [10, 239, 1],
            [232, 8, 3],
            [256, 1, 255],
            [1_000, 5, 900],
        ] {
            let parts = lengths.map(|length| &long[..length]);
            let mut joined = 3u64.to_le_bytes().to_vec();
            for part in parts {
                joined.extend((part.len() as u64).to_le_bytes());
                joined.extend(part);
            }
            let whole = Digest::of(Domain::Id, &joined);
            assert_eq!(Digest::of_parts(Domain::Id, &parts), whole, "{lengths:?}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let of = |parts: &[&[u8]]| Digest::of_parts(Domain::Id, parts);
        assert_ne!(of(&[b"ab", b"c"]), of(&[b"a", b"bc"]));
        assert_ne!(of(&[b"ab"]), of(&[b"ab", b""]));
        assert_ne!(of(&[]), of(&[b""]));
    }

    #[test]
    fn text_and_bytes_come_back() {
        let digest = Digest::of(Domain::Act, "同意".as_bytes());
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!("12".parse::<Digest>(), Err(DigestError));
        let json = serde_json::to_string(&digest).unwrap();
        assert_eq!(json, format!("\"{digest}\""));
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        let bytes = crate::codec::encode(&digest);
        assert_eq!(bytes, digest.as_bytes());
        assert_eq!(crate::codec::decode(&bytes, 32), Ok(digest));
    }
}
