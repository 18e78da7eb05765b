//! An older platform in the federation (R31, R32): its catalogue is pulled through an adapter, mapped to entries of this node, and kept in
//! step. The platform itself is not changed and is not told.
//!
//! ```text
//! source ──pull──► records ──mapping──► entries ──compared with the node's own──► plan ──► acts, each signed by the person entitled
//!    │                          └──► defects: what cannot be mapped, all of it told
//!    └──► PullError: nothing is compared, so nothing is removed
//! ```
//!
//! What the platform last held is not written down anywhere: it is the node's own entries under the mapping's prefix. So there is no second
//! truth, and a pull that is broken off is taken up again by the next one.
//!
//! Deletion is the one thing that must not be guessed. An entry is gone only when a whole pull does not hold its key: a pull that failed, was
//! cut short or came back empty is an error before anything is compared; a record that is there and cannot be mapped counts as there; and while
//! a record has no key, no entry can be said to be gone.

pub mod address;
pub mod bounds;
pub mod ckan;
pub mod csv;
pub mod dcat;
pub mod error;
pub mod fetcher;
mod linked_data;
pub mod mapping;
pub mod plan;
pub mod prefix;
pub mod record;
#[cfg(test)]
pub(crate) mod scripted;
pub mod services;
pub mod source;
pub mod spreadsheet;
mod table;
pub mod translation;

pub use bounds::Bounds;
pub use error::PullError;
pub use mapping::Mapping;
pub use plan::Plan;
pub use record::Record;
pub use source::{Source, source};
pub use translation::{Defect, Translation, translate};
