//! Who acts, and how it is known: keys, digests, canonical bytes, signed values, places in
//! the tree, membership certificates and sealing.
//!
//! The crate is pure: the time and random bytes are arguments, nothing is read or sent.
//! Its types come in two kinds. *Claims* are decoded from outside and prove nothing
//! ([`Certificate`], [`Signed`], [`Chain`]); *verified* types can only be made by checking
//! ([`Member`], the value that [`Signed::verify`] returns).

pub mod at_rest;
mod bytes;
pub mod chain;
pub mod codec;
pub mod credit_code;
pub mod digest;
pub mod issuance;
pub mod keyfile;
pub mod keys;
pub mod membership;
pub mod place;
pub mod planted;
mod remembered;
pub mod sealing;
pub mod signed;
pub mod stream;
pub mod time;

pub use codec::CodecError;
pub use credit_code::{CreditCode, CreditCodeError, CreditCodeWarning};
pub use digest::{Digest, DigestError, Domain};
pub use issuance::{IssueError, Terms, issue, issue_hub};
pub use keyfile::{KdfParams, KeyFile, KeyFileError, KeyKind};
pub use keys::{BadSignature, KeyError, Signature, SigningKey, Suite, VerifyKey};
pub use membership::{
    Certificate, Chain, EnrolmentRequest, Level, Member, MembershipError, Revocation,
    RevocationReason,
};
pub use place::{Code, CodeError, Path, PathError};
pub use sealing::{OpenError, OpeningKey, SealError, Sealed, SealingKey};
pub use signed::{Signed, VerifyError};
pub use stream::{ChunkOpener, ChunkSealer, Direction, StreamError};
pub use time::Moment;
