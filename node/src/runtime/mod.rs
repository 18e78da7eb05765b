//! The driver of the core: takes what happens outside, makes what follows durable, and only then lets it out.

pub mod clock;
pub mod driver;
pub mod escrow;
mod handle;
pub mod inbox;
pub mod metrics;
mod search;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use federation::core::view::Status;
use federation::core::{Effect, Input, Me, query};
use federation::store::{Batch, Fault};
use identity::at_rest::StorageKey;
use identity::codec;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use handle::{Desk, Handle, MAX_HITS, MAX_REQUESTS, Requests};
pub use search::{LevelState, MAX_SEARCHES, SearchOutcome};

use crate::config::NodeConfig;
use crate::delivery::{Delivery, Parts, SplitTask, indexing};
use crate::search::{SearchIndex, State};
use crate::service::{self, Services};
use crate::storage::backup;
use crate::storage::key::{self, KeyError, KeyPlace};
use crate::storage::objects::Objects;
use crate::storage::store::{Store, StoreError};
use crate::storage::vault::{Vault, VaultError};
use crate::storage::{OBJECTS_FOLDER, VAULT_FOLDER};
use crate::transport::circuit::Circuits;
use crate::transport::{self, Transport, TransportConfig, TransportError};
use clock::Clock;
use driver::{CommitError, Driver, Durable, Halted, Outlet};
use escrow::Escrow;
use handle::Shared;
use inbox::Inbox;
use metrics::Metrics;

/// Folder of the search index in the data folder.
const INDEX_FOLDER: &str = "index";

/// A node's secrets, as opened from its key file.
#[derive(Debug, Clone)]
pub struct NodeKeys {
    /// Who the core is.
    pub me: Me,
    /// Seed of the transport key.
    pub transport_seed: [u8; 32],
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened: another process has it, or the ledger is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The storage key is missing or another, or files lie in clear.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Objects or index cannot be opened.
    #[error("{}: {reason}", .folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The folder is being restored, or was left so by an attempt that was interrupted.
    #[error("数据目录 {} 的恢复尚未完成 (the restore of this data folder is not complete)", .0.display())]
    Restoring(PathBuf),
    /// The vault cannot be used.
    #[error("vault: {0}")]
    Vault(#[from] VaultError),
    /// The transport cannot listen.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// No thread could be started.
    #[error("thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The store could not be read.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Durable for Store {
    fn commit(&self, batch: Batch) -> Result<(), CommitError> {
        Store::commit(self, &batch).map(|_| ()).map_err(|error| {
            let reason = error.to_string();
            if error.outcome_unknown() {
                CommitError::Stopped(reason)
            } else {
                CommitError::NotWritten(reason)
            }
        })
    }
}

/// Starts a node on its data folder. All that runs in it has the time from `clock`.
///
/// # Errors
/// [`StartError`]: one clear reason, and nothing is left running.
pub async fn start(
    config: &NodeConfig,
    keys: NodeKeys,
    clock: Clock,
) -> Result<Handle, StartError> {
    let Opened {
        store,
        objects,
        vault,
        index,
        found,
    } = open(config).await?;
    let (inbox, inputs) = Inbox::new();
    let profile = keys.me.profile.clone();
    let (metrics, stop, tasks) = (
        Arc::new(Metrics::new()),
        CancellationToken::new(),
        TaskTracker::new(),
    );
    // Whatever fails from here on stops what has been started.
    let guard = stop.clone().drop_guard();
    let running = transport::start(
        transport_config(config, keys.transport_seed),
        inbox.clone(),
        Arc::clone(&metrics),
        stop.clone(),
    )
    .await?;
    let transport = running.transport.clone();
    let circuit_keys = (
        keys.me.signing.clone(),
        keys.me.opening.clone(),
        keys.me.root,
    );
    let circuits = Circuits::new(
        circuit_keys,
        clock.clone(),
        store.clone(),
        transport.clone(),
        Arc::clone(&metrics),
        config.limits.circuits,
    );
    let index_queue = indexing::start(
        Arc::clone(&index),
        found,
        Arc::clone(&store),
        stop.clone(),
        tasks.token(),
    )?;
    let circuits = Arc::new(circuits);
    let requests = Arc::new(Requests::default());
    let desk = Desk::new(Arc::clone(&requests), inbox.clone(), stop.clone());
    let services = Services::new(service::Parts {
        clock: clock.clone(),
        store: Arc::clone(&store),
        circuits: Arc::clone(&circuits),
        desk: desk.clone(),
        signing: keys.me.signing.clone(),
        registrations: config.services.clone(),
        tasks: tasks.clone(),
        stop: stop.clone(),
    });
    let delivery = Delivery::new(Parts {
        clock: clock.clone(),
        store: Arc::clone(&store),
        objects: Arc::clone(&objects),
        vault: Arc::clone(&vault),
        index: Arc::clone(&index),
        circuits,
        services: services.clone(),
        inbox: inbox.clone(),
        metrics: Arc::clone(&metrics),
        signing: keys.me.signing.clone(),
        tasks: tasks.clone(),
        stop: stop.clone(),
        split_memory: config.limits.split_memory_bytes,
    });
    let halted = Halted::default();
    let (status_sender, status) = watch::channel(Arc::new(Status::default()));
    let outlet = NodeOutlet {
        transport: transport.clone(),
        requests: Arc::clone(&requests),
        delivery: delivery.clone(),
        index: index_queue,
    };
    let driver = Driver::new(
        keys.me,
        clock.clone(),
        Arc::clone(&store) as Arc<dyn Durable>,
        outlet,
        Arc::clone(&metrics),
        status_sender,
        Arc::clone(&halted),
    );
    let driver = compared_first(driver, config)?;
    run_core(driver, inputs, &stop, &tasks)?;
    let escrow = Escrow::of(&config.escrow).map(Arc::new);
    if let Some(escrow) = &escrow {
        let (data, node) = (config.data_dir.clone(), name_of(&store));
        let sending = Arc::clone(escrow).keep(data, node, Arc::clone(&store), clock.clone());
        tasks.spawn(until(stop.clone(), sending));
    }
    tasks.spawn(running.task);
    tasks.spawn(until(stop.clone(), delivery.answer(running.circuits)));
    tasks.spawn(until(
        stop.clone(),
        tick(inbox.clone(), Duration::from_millis(config.timing.tick_ms)),
    ));
    let shutdown = Duration::from_millis(config.timing.shutdown_ms);
    guard.disarm();
    Ok(Handle(Arc::new(Shared {
        clock,
        inbox,
        requests,
        desk,
        services,
        store,
        objects,
        vault,
        index,
        status,
        halted,
        metrics,
        transport,
        stop,
        tasks,
        shutdown,
        profile,
        escrow,
    })))
}

/// What lies in the data folder.
struct Opened {
    store: Arc<Store>,
    objects: Arc<Objects>,
    vault: Arc<Vault>,
    index: Arc<SearchIndex>,
    found: State,
}

async fn open(config: &NodeConfig) -> Result<Opened, StartError> {
    let (dir, key_file) = (config.data_dir.clone(), config.storage.key_file.clone());
    let opening = tokio::task::spawn_blocking(move || {
        let place = KeyPlace::of(&dir, key_file.as_deref())?;
        if dir.join(backup::RESTORING_FILE).exists() {
            return Err(StartError::Restoring(dir));
        }
        // Before anything is opened, which may change it.
        let found = key::find(&dir, &place)?;
        let (store, opened) = Store::open(&dir, &federation::core::project)?;
        tracing::info!(?opened, "store open");
        let storage = key::keep(&dir, &place, found)?;
        let (objects_dir, index_dir) = (dir.join(OBJECTS_FOLDER), dir.join(INDEX_FOLDER));
        let unusable = |folder: &PathBuf, error: &dyn std::fmt::Display| StartError::Folder {
            folder: folder.clone(),
            reason: error.to_string(),
        };
        let objects = Objects::open(&objects_dir, storage.clone())
            .map_err(|error| unusable(&objects_dir, &error))?;
        let vault = open_vault(&dir.join(VAULT_FOLDER), storage, &store)?;
        let (index, found) =
            SearchIndex::open(&index_dir).map_err(|error| unusable(&index_dir, &error))?;
        Ok(Opened {
            store: Arc::new(store),
            objects: Arc::new(objects),
            vault: Arc::new(vault),
            index: Arc::new(index),
            found,
        })
    });
    opening
        .await
        .unwrap_or_else(|error| Err(StartError::Thread(std::io::Error::other(error))))
}

/// The vault, without what no act or event in the store speaks of.
fn open_vault(folder: &Path, storage: StorageKey, store: &Store) -> Result<Vault, StartError> {
    let vault = Vault::open(folder, storage)?;
    let swept = vault
        .keep_known(|content| query::keeps_content(store, content).map_err(StartError::from))?;
    if swept > 0 {
        tracing::info!(swept, "personal content of no act destroyed");
    }
    Ok(vault)
}

fn transport_config(config: &NodeConfig, seed: [u8; 32]) -> TransportConfig {
    TransportConfig {
        seed,
        listen: config.link.listen.clone(),
        parent: config.link.parent.clone(),
        wire_listen: config.link.wire_listen.clone(),
        wire_parent: config.link.wire_parent.clone(),
        connections: config.limits.connections,
        pending_connections: config.limits.pending_connections,
        memory_bytes: config.limits.memory_bytes,
    }
}

/// Makes the core of a folder that was restored compare first.
fn compared_first(
    driver: Driver<NodeOutlet>,
    config: &NodeConfig,
) -> Result<Driver<NodeOutlet>, std::io::Error> {
    let data = config.data_dir.clone();
    if !backup::restored(&data)? {
        return Ok(driver);
    }
    Ok(driver.restored(Box::new(move || {
        if let Err(error) = backup::released(&data) {
            tracing::error!(%error, "the mark of the restore stays; the node compares once more at its next start");
        }
    })))
}

/// Whose ledger it is, for people who find a copy of it.
fn name_of(store: &Store) -> String {
    let node = query::node(store).ok();
    let place = node.and_then(|node| Some(format!("{} {}", node.place?, node.name)));
    place.unwrap_or_default()
}

/// Starts the core's thread. A node without its core is of no use: when the thread ends, the node stops.
fn run_core(
    driver: Driver<NodeOutlet>,
    inputs: tokio::sync::mpsc::Receiver<inbox::Queued>,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), std::io::Error> {
    let (running, guard) = (tasks.token(), stop.clone().drop_guard());
    let stopped = stop.clone();
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new()
        .name("core".into())
        .spawn(move || {
            let _running = running;
            let _guard = guard;
            // Effects start tasks.
            let _entered = runtime.enter();
            driver.run(inputs, &stopped, &runtime);
        })?;
    Ok(())
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = work => {}
    }
}

async fn tick(inbox: Inbox, every: Duration) {
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        inbox.offer(Input::Tick);
    }
}

/// Waits for the operator or the system to end this process.
///
/// # Errors
/// When the system gives no signals.
pub async fn terminated() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}

/// Carries the effects of durable batches out into the world.
struct NodeOutlet {
    transport: Transport,
    requests: Arc<Requests>,
    delivery: Delivery,
    index: indexing::IndexQueue,
}

impl Outlet for NodeOutlet {
    fn release(&mut self, effect: Effect) {
        let Some(effect) = self.requests.take(effect) else {
            return;
        };
        match effect {
            Effect::Send { link, frame } => self.transport.send(link, codec::encode(&*frame)),
            Effect::Close { link, reason } => {
                tracing::warn!(link = link.0, reason, "closing the link");
                self.transport.close(link);
            }
            Effect::Neighbours { keys } => self.transport.set_neighbours(keys),
            Effect::Index {
                publisher,
                body,
                applied,
            } => self.index.put(publisher, body, applied),
            Effect::SearchLocal {
                query,
                question,
                limit,
            } => self.delivery.search(query, question, limit),
            Effect::Fetch {
                from,
                docket,
                object,
                shelf,
                part,
            } => self.delivery.fetch(from, docket, (object, shelf), part),
            Effect::Destroy { docket, contents } => self.delivery.destroy(docket, contents),
            Effect::SplitTable {
                act,
                manifest,
                table,
                secret,
                key_column,
                subscribers,
            } => {
                self.delivery.split(SplitTask {
                    act,
                    manifest: *manifest,
                    table,
                    secret,
                    key_column,
                    subscribers,
                });
            }
            Effect::PassOn {
                notice,
                subscribers,
            } => self.delivery.pass_on(notice, subscribers),
            // Taken by the requests above.
            Effect::Answer { .. } | Effect::SearchStarted { .. } | Effect::SearchLevel { .. } => {}
        }
    }

    fn abandon(&mut self) {
        self.transport.close_all();
    }
}
