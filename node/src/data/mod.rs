//! The data plane's connectors: where shared data comes from and where it goes.
//!
//! ```text
//! Source ──bounded Arrow batches──► selection, watermark, masking ──► Sink
//!  postgres csv parquet http                                           folder table csv parquet
//! ```
//!
//! A source gives one snapshot or refuses; a sink shows a delivery whole or not at all. Everything here blocks: use it from a command or from
//! `spawn_blocking`. Nothing here reads a clock: the time of a delivery is an argument.

pub mod address;
pub mod columns;
pub mod copy;
pub mod csv;
pub mod delta;
mod error;
mod file;
pub mod folder;
pub mod http;
pub mod objects;
pub mod parquet;
pub mod postgres;
pub mod record;
pub mod return_flow;
pub mod rows;
pub mod sink;
pub mod source;
pub mod table;

pub use address::{SourceAddress, TargetAddress};
pub use columns::{Kind, Selection};
pub use copy::{Plan, copy};
pub use error::DataError;
pub use record::{Delivery, DeliveryId, Origin};
pub use sink::Sink;
pub use source::Source;

/// Most bytes of one row, as text: a scanned document of 10 MB, and its other columns.
pub const MAX_ROW_BYTES: usize = 16 << 20;
/// Bytes of text after which a batch is handed on; with the row that passes it, a batch stays below the sum of this and [`MAX_ROW_BYTES`].
pub const BATCH_BYTES: usize = 4 << 20;
/// Most rows of one batch.
pub const BATCH_ROWS: usize = 8_192;
/// Most columns of one table.
pub const MAX_COLUMNS: usize = sharing::return_flow::table::MAX_COLUMNS;
