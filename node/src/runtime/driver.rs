//! The core's loop, on a thread of its own.
//!
//! ```text
//! take a batch of inputs ─► apply each ─► one durable write ─► release the effects
//!                             └── the store failed: drop everything, close all links, make the core anew ──┘
//! ```
//!
//! After a failure the core's memory may be ahead of the disk, so it is thrown away. What the batch was about to tell is derived again by
//! `Started` and by links that come up again; operators are told that it was our fault.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use federation::core::view::Status;
use federation::core::{Context, Core, Effect, Input, LinkId, Me, Refused, Token};
use federation::store::{Batch, Fault, Read, Txn};
use identity::Moment;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::inbox::Queued;
use super::metrics::Metrics;

/// Inputs in one batch: enough to share one flush among many, few enough that the first does not wait long for the last.
pub const BATCH_INPUTS: usize = 256;
/// Bytes of records and bodies after which a batch is closed.
pub const BATCH_BYTES: usize = 8 << 20;
/// Shortest time between two looks at the core's status.
const STATUS_INTERVAL: Duration = Duration::from_millis(200);

/// A store that makes a batch durable.
pub trait Durable: Read + Send + Sync {
    /// Writes the batch whole or not at all; returns when it is durable.
    ///
    /// # Errors
    /// [`Fault`] when the medium fails; nothing of the batch counts then.
    fn commit(&self, batch: Batch) -> Result<(), Fault>;
}

/// Where effects go. Never blocks on the core.
pub trait Outlet: Send {
    /// Carries out one effect of a durable batch.
    fn release(&mut self, effect: Effect);
    /// The batch is lost: every link is closed, nothing of it is told.
    fn abandon(&mut self);
}

/// The core and what it runs on.
pub(super) struct Driver<O> {
    me: Me,
    core: Core,
    store: Arc<dyn Durable>,
    outlet: O,
    metrics: Arc<Metrics>,
    status: watch::Sender<Arc<Status>>,
    status_at: Option<Instant>,
    /// Whether the core has seen `Started`.
    started: bool,
    /// Links the core has been told of; frames of others belong to a core that is gone.
    links: HashSet<LinkId>,
}

impl<O: Outlet> Driver<O> {
    pub(super) fn new(
        me: Me,
        store: Arc<dyn Durable>,
        outlet: O,
        metrics: Arc<Metrics>,
        status: watch::Sender<Arc<Status>>,
    ) -> Self {
        let core = Core::new(me.clone());
        Self {
            me,
            core,
            store,
            outlet,
            metrics,
            status,
            status_at: None,
            started: false,
            links: HashSet::new(),
        }
    }

    /// Runs on this thread until `stop` is cancelled; `runtime` only wakes it up.
    pub(super) fn run(
        mut self,
        mut inputs: mpsc::Receiver<Queued>,
        stop: &CancellationToken,
        runtime: &tokio::runtime::Handle,
    ) {
        self.step(&mut || None);
        while let Some(Some(first)) = runtime.block_on(stop.run_until_cancelled(inputs.recv())) {
            let mut first = Some(first);
            self.step(&mut || first.take().or_else(|| inputs.try_recv().ok()));
            self.metrics.queue.set(inputs.len() as i64);
        }
    }

    /// One batch: what `next` has now, within the limits.
    pub(super) fn step(&mut self, next: &mut dyn FnMut() -> Option<Queued>) {
        let mut tokens = Vec::new();
        match self.batch(next, &mut tokens) {
            Ok(effects) => {
                for effect in effects {
                    self.outlet.release(effect);
                }
                self.publish_status();
            }
            Err(fault) => self.fail(&fault, tokens),
        }
    }

    fn batch(
        &mut self,
        next: &mut dyn FnMut() -> Option<Queued>,
        tokens: &mut Vec<Token>,
    ) -> Result<Vec<Effect>, Fault> {
        let store = Arc::clone(&self.store);
        let mut txn = Txn::new(&*store);
        let mut entropy = random;
        let mut ctx = Context {
            now: now(),
            entropy: &mut entropy,
            txn: &mut txn,
            effects: Vec::new(),
        };
        let mut outcome = if self.started {
            Ok(())
        } else {
            self.core.apply(Input::Started, &mut ctx)
        };
        // The room that frames hold in the queue is given back when the batch is over.
        let mut taken = Vec::new();
        while taken.len() < BATCH_INPUTS && ctx.txn.weight() < BATCH_BYTES {
            let Some(mut queued) = next() else { break };
            let input = std::mem::replace(&mut queued.input, Input::Tick);
            taken.push(queued);
            tokens.extend(token(&input));
            // After a fault the rest of the batch is only taken to know whom to tell.
            if outcome.is_ok() && self.concerns_this_core(&input) {
                outcome = self.core.apply(input, &mut ctx);
            }
        }
        outcome?;
        let effects = ctx.effects;
        let batch = txn.into_batch();
        if !batch.is_empty() {
            let (records, begun) = (batch.records.len(), Instant::now());
            self.store.commit(batch)?;
            self.metrics
                .committed(taken.len(), records, begun.elapsed());
        }
        self.started = true;
        Ok(effects)
    }

    fn concerns_this_core(&mut self, input: &Input) -> bool {
        match input {
            Input::LinkUp { link, .. } => self.links.insert(*link),
            Input::Frame { link, .. } => self.links.contains(link),
            Input::LinkDown { link } => self.links.remove(link),
            _ => true,
        }
    }

    fn fail(&mut self, fault: &Fault, tokens: Vec<Token>) {
        tracing::error!(%fault, "batch lost, starting over from what is durable");
        self.metrics.faults.inc();
        self.core = Core::new(self.me.clone());
        self.started = false;
        self.links.clear();
        self.outlet.abandon();
        for token in tokens {
            let refused = Refused::Fault(format!(
                "未能写入存储，未作任何更改，请稍后重试 / not stored, nothing was changed, try again later: {fault}"
            ));
            self.outlet.release(Effect::Answer {
                token,
                answer: Err(refused),
            });
        }
    }

    fn publish_status(&mut self) {
        if self
            .status_at
            .is_some_and(|at| at.elapsed() < STATUS_INTERVAL)
        {
            return;
        }
        self.status_at = Some(Instant::now());
        match self.core.status(&*self.store, now()) {
            Ok(status) => {
                self.status.send_if_modified(|known| {
                    let changed = known.links != status.links || known.health != status.health;
                    *known = Arc::new(status);
                    changed
                });
            }
            Err(fault) => tracing::warn!(%fault, "status not read"),
        }
    }
}

/// The operator's request that an input is, if it is one.
fn token(input: &Input) -> Option<Token> {
    match input {
        Input::Act { token, .. } | Input::Install { token, .. } | Input::Search { token, .. } => {
            Some(*token)
        }
        _ => None,
    }
}

/// The node's clock.
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
