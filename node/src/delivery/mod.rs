//! Files on their way: fetched over circuits, served over circuits, split for return flow; and the search index kept in step.
//!
//! Everything here runs beside the core. What comes of it goes back to the core as an input, and what a crash interrupts is asked
//! again by the core at the next start.

mod fetch;
pub mod indexing;
mod pipe;
mod serve;
pub mod split;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use federation::core::{Input, Shelf, SplitFor};
use federation::wire::{CircuitWants, Question, SearchId};
use identity::{Chain, Digest, SigningKey};
use serde::{Deserialize, Serialize};
use sharing::act::ObjectRef;
use sharing::docket::DocketId;
use sharing::return_flow::PartNotice;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::runtime::clock::Clock;
use crate::runtime::inbox::Inbox;
use crate::runtime::metrics::Metrics;
use crate::search::{self, SearchIndex};
use crate::service::Services;
use crate::storage::objects::Objects;
use crate::storage::store::Store;
use crate::storage::vault::Vault;
use crate::transport::CircuitStreams;
use crate::transport::circuit::Circuits;

pub use split::SplitTask;
pub(crate) use split::divisions;

/// Most bytes of one object: a day of a province's largest table; beyond, a table is split into days.
pub const MAX_OBJECT_BYTES: u64 = 64 << 30;
/// Most bytes of a part that does not hold, or of its leaves, that are compared in memory to name the rows.
pub const MAX_COMPARED_BYTES: u64 = 64 << 20;
/// Bytes of rows that a split holds in memory at a time when nothing is configured; with its buffers it stays below 512 MiB.
pub const SPLIT_MEMORY_BYTES: u64 = 256 << 20;
/// Tables and parts that are split at a time; more wait, so that one bound of memory holds for all.
const MAX_SPLITS: usize = 1;
/// Fetches that run at a time; more wait.
const MAX_FETCHES: usize = 8;
/// Fetches that may wait.
const MAX_WAITING_FETCHES: usize = 4_096;
/// Searches of descendants that run at a time; beyond, this level stays silent and the asker sees it as unreachable.
const MAX_LOCAL_SEARCHES: usize = 16;

/// What the destination of a circuit answers first, signed so that a refusal is evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CircuitAnswer {
    /// The circuit it answers.
    pub circuit: [u8; 16],
    /// The answer.
    pub reply: CircuitReply,
}

/// Whether the object comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CircuitReply {
    /// It comes: this many bytes in all, with the proof of every group, from the offset asked for.
    Ok {
        /// Bytes of the whole object.
        length: u64,
    },
    /// A lawful refusal.
    Refused {
        /// Why, with its article.
        refusal: statute::Refusal,
    },
    /// The destination cannot serve it now.
    Unavailable {
        /// Why, for the log.
        reason: String,
    },
}

/// Most bytes of an encoded [`CircuitAnswer`] with its signature: it goes in one chunk.
const MAX_ANSWER_BYTES: usize = identity::stream::MAX_CHUNK;
/// The origin's last word: the object is whole, verified and on its disk.
const RECEIVED: &[u8] = b"received";

/// The deliveries of a node. Clones are the same.
#[derive(Clone)]
pub struct Delivery(Arc<Shared>);

struct Shared {
    clock: Clock,
    store: Arc<Store>,
    objects: Arc<Objects>,
    vault: Arc<Vault>,
    index: Arc<SearchIndex>,
    circuits: Arc<Circuits>,
    services: Services,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    signing: SigningKey,
    tasks: TaskTracker,
    stop: CancellationToken,
    fetching: Mutex<HashSet<(DocketId, Digest)>>,
    fetches: Semaphore,
    searches: Arc<Semaphore>,
    splits: Semaphore,
    split_memory: usize,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Delivery")
    }
}

/// What deliveries work with.
pub struct Parts {
    /// The node's clock.
    pub clock: Clock,
    /// The committed state.
    pub store: Arc<Store>,
    /// The object store.
    pub objects: Arc<Objects>,
    /// Personal content.
    pub vault: Arc<Vault>,
    /// The search index.
    pub index: Arc<SearchIndex>,
    /// Circuits to and from other nodes.
    pub circuits: Arc<Circuits>,
    /// Calls of services, which come over circuits too.
    pub services: Services,
    /// Where results go.
    pub inbox: Inbox,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Signs answers.
    pub signing: SigningKey,
    /// Knows the running tasks.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
    /// Bytes of rows that a split holds in memory at a time.
    pub split_memory: u64,
}

impl Delivery {
    /// Deliveries over these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            clock,
            store,
            objects,
            vault,
            index,
            circuits,
            services,
            inbox,
            metrics,
            signing,
            tasks,
            stop,
            split_memory,
        } = parts;
        let (fetching, fetches) = (Mutex::default(), Semaphore::new(MAX_FETCHES));
        let searches = Arc::new(Semaphore::new(MAX_LOCAL_SEARCHES));
        if let Err(error) = split::scratch::Scratch::clear(&objects.runs()) {
            tracing::warn!(%error, "what a split left before a kill stays on the disk");
        }
        Self(Arc::new(Shared {
            clock,
            store,
            objects,
            vault,
            index,
            circuits,
            services,
            inbox,
            metrics,
            signing,
            tasks,
            stop,
            fetching,
            fetches,
            searches,
            splits: Semaphore::new(MAX_SPLITS),
            split_memory: usize::try_from(split_memory).unwrap_or(usize::MAX),
        }))
    }

    /// Answers circuits that end here, until the transport closes.
    pub async fn answer(self, streams: CircuitStreams) {
        let circuits = Arc::clone(&self.0.circuits);
        let accept = circuits.accept(streams, move |arrival| {
            let (shared, from) = (Arc::clone(&self.0), arrival.from.place().clone());
            match arrival.request.wants {
                CircuitWants::Object(request) => self.spawn(async move {
                    serve::serve(&shared, from, arrival.circuit, request).await;
                }),
                CircuitWants::Calls => self.0.services.answer(from, arrival.circuit),
            }
        });
        accept.await;
    }

    /// Fetches an object unless that is under way; the core is told by `Input::Fetched`.
    pub fn fetch(
        &self,
        from: Chain,
        docket: DocketId,
        (object, shelf): (ObjectRef, Shelf),
        part: Option<Box<PartNotice>>,
    ) {
        {
            let mut fetching = self
                .0
                .fetching
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            if fetching.len() >= MAX_WAITING_FETCHES || !fetching.insert((docket, object.digest)) {
                return;
            }
        }
        let shared = Arc::clone(&self.0);
        self.spawn(async move {
            let outcome =
                fetch::fetch(&shared, &from, docket, (&object, shelf), part.as_deref()).await;
            if let Err(reason) = &outcome {
                tracing::warn!(object = %object.digest, reason, "fetch failed");
            }
            let key = (docket, object.digest);
            // The core may ask again as soon as it hears of the end.
            shared
                .fetching
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .remove(&key);
            shared
                .put(Input::Fetched {
                    docket,
                    object,
                    outcome,
                })
                .await;
        });
    }

    /// Destroys personal content; the core is told by `Input::Destroyed`.
    pub fn destroy(&self, docket: DocketId, contents: Vec<Digest>) {
        let shared = Arc::clone(&self.0);
        self.spawn(async move {
            let (vault, doomed) = (Arc::clone(&shared.vault), contents.clone());
            let destroying = tokio::task::spawn_blocking(move || {
                doomed
                    .iter()
                    .try_for_each(|content| vault.destroy(content))
                    .map_err(|error| error.to_string())
            });
            let outcome = destroying
                .await
                .unwrap_or_else(|error| Err(error.to_string()));
            match &outcome {
                Ok(()) => tracing::info!(docket = %docket, "personal content destroyed"),
                Err(reason) => {
                    tracing::error!(docket = %docket, reason, "personal content not destroyed")
                }
            }
            shared
                .put(Input::Destroyed {
                    docket,
                    contents,
                    outcome,
                })
                .await;
        });
    }

    /// Splits a table by division; the core is told by `Input::TableSplit`.
    pub fn split(&self, task: SplitTask) {
        let shared = Arc::clone(&self.0);
        self.spawn(async move {
            let (act, objects) = (task.act, Arc::clone(&shared.objects));
            let memory = shared.split_memory;
            let outcome = shared
                .splitting(move || split::split(&objects, task, memory))
                .await;
            if let Err(reason) = &outcome {
                tracing::warn!(reason, "table not split");
            }
            shared.put(Input::TableSplit { act, outcome }).await;
        });
    }

    /// Splits a part that was received for the level below; the core is told by `Input::PassedOn`.
    pub fn pass_on(&self, notice: Box<PartNotice>, subscribers: Vec<SplitFor>) {
        let shared = Arc::clone(&self.0);
        self.spawn(async move {
            let (objects, part) = (Arc::clone(&shared.objects), notice.clone());
            let outcome = shared
                .splitting(move || split::split_part(&objects, &part, subscribers))
                .await;
            if let Err(reason) = &outcome {
                tracing::warn!(reason, "part not passed on");
            }
            shared.put(Input::PassedOn { notice, outcome }).await;
        });
    }

    /// Asks the local catalogue for a descendant; the core is told by `Input::SearchDone`.
    pub fn search(&self, query: SearchId, question: Question, limit: u16) {
        let Ok(slot) = Arc::clone(&self.0.searches).try_acquire_owned() else {
            tracing::warn!("too many searches from below, one is left unanswered");
            return;
        };
        let shared = Arc::clone(&self.0);
        self.spawn(async move {
            let (index, store) = (Arc::clone(&shared.index), Arc::clone(&shared.store));
            let found = tokio::task::spawn_blocking(move || {
                search::hits(&index, &*store, &question, usize::from(limit))
            });
            match found.await {
                Ok(Ok(hits)) => shared.put(Input::SearchDone { query, hits }).await,
                Ok(Err(error)) => tracing::warn!(%error, "search failed"),
                Err(error) => tracing::warn!(%error, "search failed"),
            }
            drop(slot);
        });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.0.stop.clone();
        self.0.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }
}

impl Shared {
    /// Splits when it is its turn; the reason of a failure is for people.
    async fn splitting<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, split::SplitError> + Send + 'static,
    ) -> Result<T, String> {
        let turn = self.splits.acquire().await;
        let turn = turn.map_err(|error| error.to_string())?;
        let done = tokio::task::spawn_blocking(work).await;
        drop(turn);
        let done = done.map_err(|error| error.to_string())?;
        done.map_err(|error| error.to_string())
    }

    /// Where files of a kind lie.
    fn shelf(&self, shelf: Shelf) -> Arc<Objects> {
        match shelf {
            Shelf::Objects => Arc::clone(&self.objects),
            Shelf::Vault => self.vault.objects(),
        }
    }

    /// Tells the core; at shutdown nobody listens, and the core asks again at the next start.
    async fn put(&self, input: Input) {
        if self.inbox.put(input).await.is_err() {
            tracing::debug!("result not told, the node is shutting down");
        }
    }
}
