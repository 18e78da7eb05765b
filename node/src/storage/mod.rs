//! What a node keeps on its disk.
//!
//! ```text
//! <data>/LOCK          one process at a time
//! <data>/SEALED        under which storage key files and personal content lie; the key itself is kept elsewhere
//! <data>/ledger/       the truth: batches of records and bodies, chained, checksummed, each made durable by one fdatasync
//! <data>/projection/   sled: tables computed from the ledger; deleting it costs a rebuild and nothing else
//! <data>/objects/      files by the digest of their content, sealed, verified while they stream
//! <data>/vault/        personal content, sealed, until it is erased
//! ```
//!
//! sled's own flush is `sync_file_range`, which does not make anything durable, so nothing rests on it: a batch is accepted when the
//! ledger's fdatasync has returned, and sled holds the number of the last batch it has seen and catches up at the next start.

pub mod backup;
mod disk;
pub(crate) mod hashed;
pub mod journal;
pub mod key;
pub mod lock;
pub mod objects;
pub mod projection;
pub mod rekey;
pub mod store;
pub mod vault;

use identity::{Digest, Domain};

/// Folder of the objects in the data folder.
pub const OBJECTS_FOLDER: &str = "objects";
/// Folder of the personal content in the data folder.
pub const VAULT_FOLDER: &str = "vault";

/// The digest under which a body is kept and verified.
pub(crate) fn body_digest(bytes: &[u8]) -> Digest {
    Digest::of(Domain::Body, bytes)
}
