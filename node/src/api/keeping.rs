//! How the ledger is kept: how far it is durable, its escrow, and whether the node was restored and compares first.

use axum::Json;
use axum::extract::State;
use federation::core::view::RestoredView;
use serde::{Deserialize, Serialize};

use super::Api;
use crate::runtime::escrow::EscrowView;

/// What backups, the page and the commands go by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keeping {
    /// The last batch that is durable here.
    pub batches: u64,
    /// The escrow, where one is configured.
    pub escrow: Option<EscrowView>,
    /// That the node was restored from a backup and signs nothing yet.
    pub restored: Option<RestoredView>,
}

pub(super) async fn keeping(State(api): State<Api>) -> Json<Keeping> {
    Json(api.backend().keeping())
}
