//! Escrow (托管): the ledger, sealed to the authority's offline recovery key, kept elsewhere as it grows.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use identity::Moment;
use serde::{Deserialize, Serialize};
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use crate::config::EscrowConfig;
use crate::storage::backup::{Recipient, Wanted, take};
use crate::storage::store::Store;

/// How escrow stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EscrowView {
    /// Where the ledger goes.
    pub folder: String,
    /// The last batch that is there; 0 before the first run.
    pub escrowed: u64,
    /// Batches that are durable here and not there yet.
    pub behind: u64,
    /// When it was last brought up to date.
    pub at: Option<Moment>,
    /// Why the newest run failed, if it did.
    pub failing: Option<String>,
}

#[derive(Debug, Default)]
struct State {
    escrowed: u64,
    at: Option<Moment>,
    failing: Option<String>,
}

/// What keeps the ledger elsewhere.
#[derive(Debug)]
pub(super) struct Escrow {
    folder: PathBuf,
    recipient: Recipient,
    files: bool,
    every: Duration,
    state: Mutex<State>,
}

impl Escrow {
    /// As it is configured; none without a folder. The configuration was checked when it was read.
    pub(super) fn of(config: &EscrowConfig) -> Option<Self> {
        Some(Self {
            folder: config.folder.clone()?,
            recipient: config.recipient.as_deref()?.parse().ok()?,
            files: config.files,
            every: Duration::from_secs(config.every_s),
            state: Mutex::default(),
        })
    }

    /// Brings the folder up to date for as long as the node runs. A run that fails is told and tried again.
    pub(super) async fn keep(
        self: Arc<Self>,
        data: PathBuf,
        node: String,
        store: Arc<Store>,
        clock: Clock,
    ) {
        let mut interval = tokio::time::interval(self.every);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            let (escrow, data, node) = (Arc::clone(&self), data.clone(), node.clone());
            let (store, now) = (Arc::clone(&store), clock.now());
            let done = tokio::task::spawn_blocking(move || {
                let end = store.standing().batches;
                // A copy that takes long must not keep the data folder when the node has stopped.
                drop(store);
                let wanted = Wanted {
                    data: &data,
                    to: &escrow.folder,
                    end,
                    node,
                    now,
                    recipient: Some(escrow.recipient),
                    objects: escrow.files,
                    personal: false,
                    keys: None,
                };
                take(&wanted).map_err(|error| error.to_string())
            });
            let done = done
                .await
                .unwrap_or_else(|error| Err(error.to_string()))
                .map(|taken| taken.batches);
            self.note(done, now);
        }
    }

    fn note(&self, done: Result<u64, String>, now: Moment) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match done {
            Ok(escrowed) => {
                *state = State {
                    escrowed,
                    at: Some(now),
                    failing: None,
                };
            }
            Err(reason) => {
                if state.failing.as_ref() != Some(&reason) {
                    tracing::error!(reason, folder = %self.folder.display(), "the ledger is not escrowed");
                }
                state.failing = Some(reason);
            }
        }
    }

    /// How it stands against a ledger of so many batches.
    pub(super) fn view(&self, batches: u64) -> EscrowView {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        EscrowView {
            folder: self.folder.display().to_string(),
            escrowed: state.escrowed,
            behind: batches.saturating_sub(state.escrowed),
            at: state.at,
            failing: state.failing.clone(),
        }
    }
}
