//! The core's loop, on a thread of its own.
//!
//! ```text
//! take a batch of inputs ─► apply each ─► one durable write ─► release the effects
//!                             │                └── not written, or unknown: see [`CommitError`]
//!                             └── an input met a fault: drop the batch, then the inputs again, each a batch of its own
//! ```
//!
//! After a failure the core's memory may be ahead of the disk, so it is thrown away and all links are closed. What the batch was about to
//! tell is derived again by `Started` and by links that come up again; operators are told that it was our fault. An input that meets a
//! fault alone is dropped: one that cannot be read must not keep the others from being done. When nothing of its kind goes through any
//! more, or when it is not known what the disk holds, the driver ends, and with it the node: the next start reads the ledger anew.

mod taken;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use federation::core::view::{CutOff, RestoredView, Status};
use federation::core::{Context, Core, Effect, Input, LinkId, Me, Refused, Token};
use federation::store::{Batch, Fault, Read, Txn};
use identity::Moment;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::taken::{STARTED, Taken, token};
use super::clock::Clock;
use super::inbox::{Queued, gather};
use super::metrics::Metrics;

/// Inputs in one batch: enough to share one flush among many, few enough that the first does not wait long for the last.
pub const BATCH_INPUTS: usize = 256;
/// Bytes of records and bodies after which a batch is closed.
pub const BATCH_BYTES: usize = 8 << 20;
/// Inputs of one kind that may meet a fault one after the other, none going through between them, before the node stops.
pub const MAX_INPUT_FAULTS: u32 = 20;
/// How long a neighbour is kept out after a frame of its met a fault: it sends the same again, and each time every link is closed.
const FAULT_PAUSE: Duration = Duration::from_secs(60);
/// Shortest time between two looks at the core's status.
const STATUS_INTERVAL: Duration = Duration::from_millis(200);

/// Why a batch is not known to be durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Nothing of it was written, and the next may be tried: the disk is full, say.
    #[error("{0}")]
    NotWritten(String),
    /// It may be there or not, and nothing more is taken until the store is opened again.
    #[error("{0}")]
    Stopped(String),
}

/// A store that makes a batch durable.
pub trait Durable: Read + Send + Sync {
    /// Writes the batch whole or not at all; returns when it is durable.
    ///
    /// # Errors
    /// [`CommitError`]: whether it is certain that nothing of the batch counts.
    fn commit(&self, batch: Batch) -> Result<(), CommitError>;
}

/// Where effects go. Never blocks on the core.
pub trait Outlet: Send {
    /// Carries out one effect of a durable batch.
    fn release(&mut self, effect: Effect);
    /// The batch is lost: every link is closed, nothing of it is told.
    fn abandon(&mut self);
}

/// Why the driver has ended by itself, once it has.
pub(super) type Halted = Arc<OnceLock<String>>;

/// Why a batch is lost.
enum Lost {
    /// The input that was taken last met a fault.
    Input(Fault),
    /// The batch was not committed.
    Commit(CommitError),
}

/// The core and what it runs on.
pub(super) struct Driver<O> {
    me: Me,
    clock: Clock,
    core: Core,
    store: Arc<dyn Durable>,
    outlet: O,
    metrics: Arc<Metrics>,
    status: watch::Sender<Arc<Status>>,
    status_at: Option<Instant>,
    halted: Halted,
    /// Whether the core has seen `Started`.
    started: bool,
    /// Links the core has been told of, with the neighbour's key; frames of others belong to a core that is gone.
    links: HashMap<LinkId, [u8; 32]>,
    /// Neighbours that are kept out, since when.
    kept_out: HashMap<[u8; 32], Instant>,
    /// Inputs that met a fault since one of their kind went through.
    faults: BTreeMap<&'static str, u32>,
    /// Carried out when the core of a restored node has compared; none when it has, or the node was not restored.
    released: Option<Release>,
}

/// What is done when a restored node has compared.
pub(super) type Release = Box<dyn FnOnce() + Send>;

impl<O: Outlet> Driver<O> {
    pub(super) fn new(
        me: Me,
        clock: Clock,
        store: Arc<dyn Durable>,
        outlet: O,
        metrics: Arc<Metrics>,
        status: watch::Sender<Arc<Status>>,
        halted: Halted,
    ) -> Self {
        let core = Core::new(me.clone());
        Self {
            me,
            clock,
            core,
            store,
            outlet,
            metrics,
            status,
            status_at: None,
            halted,
            started: false,
            links: HashMap::new(),
            kept_out: HashMap::new(),
            faults: BTreeMap::new(),
            released: None,
        }
    }

    /// A node that was restored: it compares first, and `released` is called once it has.
    pub(super) fn restored(mut self, released: Release) -> Self {
        self.core.compare_first();
        self.released = Some(released);
        self
    }

    /// Runs on this thread until `stop` is cancelled or the driver halts; `runtime` only wakes it up.
    pub(super) fn run(
        mut self,
        mut inputs: mpsc::Receiver<Queued>,
        stop: &CancellationToken,
        runtime: &tokio::runtime::Handle,
    ) {
        self.step(&mut || None);
        let mut gathered = VecDeque::new();
        while self.halted.get().is_none() {
            let gathering = gather(&mut inputs, &mut gathered);
            let goes_on = runtime.block_on(stop.run_until_cancelled(gathering)) == Some(true);
            while !gathered.is_empty() && self.halted.get().is_none() {
                self.step(&mut || gathered.pop_front().or_else(|| inputs.try_recv().ok()));
            }
            if !goes_on {
                break;
            }
            self.metrics.queue.set(inputs.len() as i64);
        }
    }

    /// One batch: what `next` has now, within the limits.
    pub(super) fn step(&mut self, next: &mut dyn FnMut() -> Option<Queued>) {
        if !self.started {
            match self.begin() {
                Ok(effects) => self.release(effects),
                Err(lost) => return self.not_begun(lost, next),
            }
        }
        let mut taken = Vec::new();
        match self.batch(next, &mut taken) {
            Ok(effects) => {
                for one in taken.iter().filter(|one| one.applied) {
                    self.faults.remove(one.kind);
                }
                self.release(effects);
                self.tell_released();
                self.publish_status();
            }
            Err(lost) => self.lose(lost, taken),
        }
    }

    /// What the comparison came to is durable.
    fn tell_released(&mut self) {
        if self.core.compares_first() {
            return;
        }
        if let Some(released) = self.released.take() {
            tracing::info!("restored: compared with what others cosigned, the node goes on");
            released();
        }
    }

    fn release(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.outlet.release(effect);
        }
    }

    /// Tells a new core that it is one.
    fn begin(&mut self) -> Result<Vec<Effect>, Lost> {
        let effects = self.durably(|driver, ctx| {
            driver.core.apply(Input::Started, ctx)?;
            Ok(1)
        })?;
        self.started = true;
        self.faults.remove(STARTED);
        Ok(effects)
    }

    fn batch(
        &mut self,
        next: &mut dyn FnMut() -> Option<Queued>,
        taken: &mut Vec<Taken>,
    ) -> Result<Vec<Effect>, Lost> {
        self.durably(|driver, ctx| {
            while taken.len() < BATCH_INPUTS && ctx.txn.weight() < BATCH_BYTES {
                let Some(queued) = next() else { break };
                let (mut one, input) = Taken::from(queued);
                let applied = driver.concerns_this_core(&input, &mut ctx.effects);
                one.applied = applied;
                taken.push(one);
                if applied {
                    driver.core.apply(input, ctx)?;
                }
            }
            Ok(taken.len())
        })
    }

    /// Makes what `work` does durable; gives its effects, which may be released then. `work` says how many inputs it took.
    fn durably(
        &mut self,
        work: impl FnOnce(&mut Self, &mut Context<'_, '_>) -> Result<usize, Fault>,
    ) -> Result<Vec<Effect>, Lost> {
        let store = Arc::clone(&self.store);
        let mut txn = Txn::new(&*store);
        let mut entropy = random;
        let mut ctx = Context {
            now: self.clock.now(),
            entropy: &mut entropy,
            txn: &mut txn,
            effects: Vec::new(),
        };
        let inputs = work(self, &mut ctx).map_err(Lost::Input)?;
        let effects = ctx.effects;
        let batch = txn.into_batch();
        if !batch.is_empty() {
            let (records, begun) = (batch.records.len(), Instant::now());
            self.store.commit(batch).map_err(Lost::Commit)?;
            self.metrics.committed(inputs, records, begun.elapsed());
        }
        Ok(effects)
    }

    fn concerns_this_core(&mut self, input: &Input, effects: &mut Vec<Effect>) -> bool {
        match input {
            Input::LinkUp {
                link,
                transport_key,
            } => {
                let since = self.kept_out.get(transport_key);
                if since.is_some_and(|since| since.elapsed() < FAULT_PAUSE) {
                    let reason = "a frame of this neighbour met a fault here; kept out for a while";
                    effects.push(Effect::Close {
                        link: *link,
                        reason: reason.into(),
                    });
                    return false;
                }
                self.links.insert(*link, *transport_key).is_none()
            }
            Input::Frame { link, .. } => self.links.contains_key(link),
            Input::LinkDown { link } => self.links.remove(link).is_some(),
            _ => true,
        }
    }

    /// A new core could not be told that it is one; the operators whose inputs wait hear it.
    fn not_begun(&mut self, lost: Lost, next: &mut dyn FnMut() -> Option<Queued>) {
        let waiting = std::iter::from_fn(next).take(BATCH_INPUTS);
        let tokens: Vec<Token> = waiting.filter_map(|queued| token(&queued.input)).collect();
        self.start_over();
        match lost {
            Lost::Commit(error) => self.not_committed(&error, tokens),
            Lost::Input(fault) => self.faulted(STARTED, tokens, &fault),
        }
    }

    fn lose(&mut self, lost: Lost, mut taken: Vec<Taken>) {
        let fault = match lost {
            Lost::Commit(error) => {
                self.start_over();
                let tokens = taken.iter().filter_map(|one| one.token).collect();
                return self.not_committed(&error, tokens);
            }
            Lost::Input(fault) => fault,
        };
        let alone = taken.len() == 1;
        if let Some(last) = taken.pop_if(|last| alone || last.link.is_some()) {
            if let Some(key) = last.link.and_then(|link| self.links.get(&link)) {
                self.kept_out
                    .retain(|_, since| since.elapsed() < FAULT_PAUSE);
                self.kept_out.insert(*key, Instant::now());
            }
            self.start_over();
            self.faulted(last.kind, last.token.into_iter().collect(), &fault);
        } else {
            tracing::warn!(%fault, "batch lost, its inputs are tried one by one");
            self.start_over();
        }
        // The links are closed; what their inputs said is said again.
        for one in taken.into_iter().filter(|one| one.link.is_none()) {
            match self.halted.get().cloned() {
                None => {
                    let mut one = Some(one.queued);
                    self.step(&mut || one.take());
                }
                Some(reason) => self.refuse(one.token.into_iter().collect(), &format!(
                    "节点正在停止，未作任何更改，请稍后重试 / the node is stopping, nothing was changed, try again later: {reason}"
                )),
            }
        }
    }

    /// Throws away a core whose memory may be ahead of the disk.
    fn start_over(&mut self) {
        self.metrics.faults.inc();
        self.core = Core::new(self.me.clone());
        if self.released.is_some() {
            self.core.compare_first();
        }
        self.started = false;
        self.links.clear();
        self.outlet.abandon();
    }

    /// An input met a fault alone, and is dropped.
    fn faulted(&mut self, kind: &'static str, tokens: Vec<Token>, fault: &Fault) {
        tracing::error!(%fault, input = kind, "an input met a fault and is dropped");
        self.metrics.input_faults.inc();
        self.refuse(tokens, &format!(
            "本节点故障，未作任何更改，请稍后重试 / a fault of this node, nothing was changed, try again later: {fault}"
        ));
        let faults = self.faults.entry(kind).or_default();
        *faults += 1;
        if *faults >= MAX_INPUT_FAULTS {
            let reason =
                format!("{faults} inputs in a row ({kind}) met a fault, the last: {fault}");
            self.halt(reason);
        }
    }

    fn not_committed(&mut self, error: &CommitError, tokens: Vec<Token>) {
        match error {
            CommitError::NotWritten(reason) => {
                tracing::error!(
                    reason,
                    "batch not written, starting over from what is durable"
                );
                self.refuse(tokens, &format!(
                    "未能写入存储，未作任何更改，请稍后重试 / not stored, nothing was changed, try again later: {reason}"
                ));
            }
            CommitError::Stopped(reason) => {
                self.refuse(tokens, &format!(
                    "结果未知，请重发同一签名文书 / outcome unknown: send the same signed act again: {reason}"
                ));
                self.halt(reason.clone());
            }
        }
    }

    fn refuse(&mut self, tokens: Vec<Token>, text: &str) {
        for token in tokens {
            self.outlet.release(Effect::Answer {
                token,
                answer: Err(Refused::Fault(text.to_owned())),
            });
        }
    }

    /// Nothing more is done in this run.
    fn halt(&mut self, reason: String) {
        tracing::error!(
            reason,
            "the node stops and must be started again: it then catches up with its ledger"
        );
        // The first reason stays.
        let _ = self.halted.set(reason);
    }

    fn publish_status(&mut self) {
        if self
            .status_at
            .is_some_and(|at| at.elapsed() < STATUS_INTERVAL)
        {
            return;
        }
        self.status_at = Some(Instant::now());
        match self.core.status(&*self.store, self.clock.now()) {
            Ok(status) => {
                self.status.send_if_modified(|known| {
                    if known.cut_off != status.cut_off {
                        log_cut_off(status.cut_off.as_ref());
                    }
                    if known.restored != status.restored {
                        log_restored(status.restored.as_ref());
                    }
                    let changed = known.links != status.links
                        || known.health != status.health
                        || known.cut_off != status.cut_off
                        || known.restored != status.restored;
                    *known = Arc::new(status);
                    changed
                });
            }
            Err(fault) => tracing::warn!(%fault, "status not read"),
        }
    }
}

/// Says in the log how the comparison of a restored node stands.
fn log_restored(restored: Option<&RestoredView>) {
    let Some(restored) = restored else {
        return;
    };
    match &restored.ahead {
        Some(ahead) => tracing::error!(
            by = %ahead.by,
            cosigned = ahead.size,
            restored = restored.ledger,
            "restored from an old backup: more was cosigned than was restored; nothing is signed"
        ),
        None => tracing::warn!(
            restored = restored.ledger,
            "restored from a backup: comparing first, nothing is signed until then"
        ),
    }
}

/// Says in the log that this node was cut off, or is a member again.
fn log_cut_off(cut_off: Option<&CutOff>) {
    match cut_off {
        Some(cut_off) => tracing::error!(
            by = %cut_off.by,
            node = %cut_off.node,
            serial = cut_off.serial,
            reason = ?cut_off.reason,
            "this node is cut off: nothing goes to other nodes until a new certificate is installed"
        ),
        None => tracing::info!("this node is a member again"),
    }
}

/// The system's clock: for commands, and for [`Clock::system`]. What runs in a node asks the node's [`Clock`].
pub fn now() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    Moment::from_millis(i64::try_from(since).unwrap_or(i64::MAX))
}

/// Random bytes of the system.
///
/// # Panics
/// When the system has none: every key and nonce would be predictable, so the node must not go on.
pub fn random(bytes: &mut [u8]) {
    assert!(
        getrandom::fill(bytes).is_ok(),
        "the system gives no entropy"
    );
}

#[cfg(test)]
mod tests;
