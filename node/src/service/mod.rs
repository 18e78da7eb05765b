//! The service interface (服务接口, R22): a requester calls its own node, the provider's backend answers, several hops away.
//!
//! ```text
//! program ─HTTP─► asking ─circuit, through the hops─► answering ─HTTP─► backend
//!                   │ grant checked, on record           │ grant checked, on record, rate, path, fields
//! ```
//!
//! Nothing of a call is kept in memory but a few chunks at each end: who is slowest sets the pace. Whoever hangs up, here or there, ends the
//! call at both ends. While an answer runs, both ends look again and again whether the grant still stands.

mod answering;
mod asker;
mod asking;
mod backend;
mod fields;
mod line;
mod pool;
mod rate;
pub mod registration;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use federation::core::{CallEnd, CallSide, Input, authorise_call};
use federation::service::{CallHead, CallId, Unavailable};
use identity::{Path, SigningKey};
use sharing::catalogue::EntryId;
use sharing::docket::DocketId;
use statute::Refusal;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Interval, interval_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::runtime::Desk;
use crate::runtime::clock::Clock;
use crate::storage::store::Store;
use crate::transport::circuit::{Circuit, Circuits};

pub use asker::{AnswerBody, Answered, CallError};
pub use asking::{Ask, AskBody, HEAD_TIME};
pub use registration::{Registration, Registrations};

/// How often each end looks whether the grant of a running call still stands.
const GRANT_CHECK: Duration = Duration::from_millis(250);

/// The services of a node, asked for and answered. Clones are the same.
#[derive(Clone)]
pub struct Services(Arc<Shared>);

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services")
    }
}

/// What services work with.
pub struct Parts {
    /// The node's clock.
    pub clock: Clock,
    /// The committed state.
    pub store: Arc<Store>,
    /// Circuits to other nodes.
    pub circuits: Arc<Circuits>,
    /// Where the core is asked.
    pub desk: Desk,
    /// Signs what this node says.
    pub signing: SigningKey,
    /// The backends.
    pub registrations: Registrations,
    /// Knows the running tasks.
    pub tasks: TaskTracker,
    /// Ends them.
    pub stop: CancellationToken,
}

struct Shared {
    clock: Clock,
    store: Arc<Store>,
    circuits: Arc<Circuits>,
    desk: Desk,
    signing: SigningKey,
    backends: BTreeMap<EntryId, Registered>,
    rates: Mutex<rate::Rates>,
    pool: pool::Pool,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// A backend, and the calls it has room for.
struct Registered {
    registration: Registration,
    room: Arc<Semaphore>,
}

impl Services {
    /// Services over these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            clock,
            store,
            circuits,
            desk,
            signing,
            registrations,
            tasks,
            stop,
        } = parts;
        let backends = registrations.iter().map(|registration| {
            let registered = Registered {
                room: Arc::new(Semaphore::new(registration.concurrent as usize)),
                registration: registration.clone(),
            };
            (registration.entry.clone(), registered)
        });
        let services = Self(Arc::new(Shared {
            clock,
            store,
            circuits,
            desk,
            signing,
            backends: backends.collect(),
            rates: Mutex::default(),
            pool: pool::Pool::default(),
            tasks,
            stop,
        }));
        let shared = Arc::clone(&services.0);
        services.0.spawn(async move {
            let mut sweep = tokio::time::interval(pool::Pool::SWEEP);
            loop {
                sweep.tick().await;
                shared.pool.sweep();
            }
        });
        services
    }

    /// Answers the calls that come over a circuit, until it is closed.
    pub fn answer(&self, from: Path, circuit: Circuit) {
        let shared = Arc::clone(&self.0);
        self.0.spawn(async move {
            answering::answer(&shared, &from, line::Line::Far(Box::new(circuit))).await;
        });
    }

    /// Calls a service. The answer's body is still to come; dropping it hangs up.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, ask: Ask) -> Result<Answered, CallError> {
        asking::call(&self.0, ask).await
    }
}

/// When the grant of a call that is allowed now is looked at again.
fn grant_checks() -> Interval {
    interval_at(Instant::now() + GRANT_CHECK, GRANT_CHECK)
}

impl Shared {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Why a running call may not go on, if so.
    fn objection(&self, caller: &Path, head: &CallHead) -> Option<Objection> {
        match authorise_call(&*self.store, caller, head, self.clock.now()) {
            Ok(Ok(_)) => None,
            Ok(Err(refusal)) => Some(Objection::Refused(refusal)),
            Err(fault) => {
                tracing::error!(%fault, "a running call was not checked and is cut");
                Some(Objection::Fault)
            }
        }
    }

    /// Has the end of a call on record.
    async fn ended(&self, head: &CallHead, side: CallSide, end: CallEnd) {
        let (call, docket): (CallId, DocketId) = (head.id, head.docket);
        tracing::info!(%call, %docket, ?side, end = end_name(&end), "call ended");
        let ended = Input::CallEnded {
            call,
            docket,
            side,
            end: Box::new(end),
        };
        if self.desk.tell(ended).await.is_err() {
            tracing::debug!("the end of a call is not on record, the node is shutting down");
        }
    }
}

/// Why a running call may not go on.
enum Objection {
    /// The grant is not in force any more.
    Refused(Refusal),
    /// This node cannot tell.
    Fault,
}

impl From<Objection> for federation::service::CallCut {
    fn from(objection: Objection) -> Self {
        match objection {
            Objection::Refused(refusal) => Self::Refused(refusal),
            Objection::Fault => Self::Broken(Unavailable::Fault),
        }
    }
}

fn end_name(end: &CallEnd) -> &'static str {
    match end {
        CallEnd::Whole { .. } => "whole",
        CallEnd::Cancelled { .. } => "cancelled",
        CallEnd::Cut { .. } => "cut",
        CallEnd::Refused(_) => "refused",
        CallEnd::TooMany => "too many",
        CallEnd::Unavailable(_) => "unavailable",
        CallEnd::Lost { .. } => "lost",
        CallEnd::Mismatch { .. } => "mismatch",
    }
}
