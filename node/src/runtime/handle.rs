//! A running node in the hands of the API, the console and tests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use federation::core::view::Status;
use federation::core::{Answer, Caller, Effect, Input, ReadWhat, Refused, Token, query};
use federation::store::Fault;
use federation::wire::{LevelAnswer, Question, SearchId};
use identity::{Chain, Digest, Moment, Path};
use libp2p::Multiaddr;
use sharing::act::SignedAct;
use sharing::public::PublicRequest;
use statute::Profile;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::clock::Clock;
use super::driver::Halted;
use super::escrow::{Escrow, EscrowView};
use super::inbox::Inbox;
use super::metrics::Metrics;
use super::search::{LevelState, SearchOutcome, Searches, levels_above};
use crate::search::SearchIndex;
use crate::service::{Answered, Ask, CallError, Services};
use crate::storage::objects::Objects;
use crate::storage::store::{Standing, Store};
use crate::storage::vault::Vault;
use crate::transport::Transport;

/// Requests of operators that may wait for the core at a time.
pub const MAX_REQUESTS: usize = 4_096;
/// Most hits of one search.
pub const MAX_HITS: u16 = 100;

/// A running node. Clones are the same node.
#[derive(Clone)]
pub struct Handle(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub(super) clock: Clock,
    pub(super) inbox: Inbox,
    pub(super) requests: Arc<Requests>,
    pub(super) desk: Desk,
    pub(super) services: Services,
    pub(super) store: Arc<Store>,
    pub(super) objects: Arc<Objects>,
    pub(super) vault: Arc<Vault>,
    pub(super) index: Arc<SearchIndex>,
    pub(super) status: watch::Receiver<Arc<Status>>,
    pub(super) halted: Halted,
    pub(super) metrics: Arc<Metrics>,
    pub(super) transport: Transport,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: Duration,
    pub(super) profile: Profile,
    pub(super) escrow: Option<Arc<Escrow>>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("transport", &self.0.transport)
            .finish_non_exhaustive()
    }
}

/// Operators' requests that wait for the core.
#[derive(Debug, Default)]
pub struct Requests {
    next: AtomicU64,
    waiting: Mutex<HashMap<Token, oneshot::Sender<Result<Answer, Refused>>>>,
    pub(super) searches: Searches,
}

impl Requests {
    fn lock(&self) -> MutexGuard<'_, HashMap<Token, oneshot::Sender<Result<Answer, Refused>>>> {
        self.waiting
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn token(&self) -> Token {
        Token(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn open(&self) -> Option<(Token, oneshot::Receiver<Result<Answer, Refused>>)> {
        let mut waiting = self.lock();
        if waiting.len() >= MAX_REQUESTS {
            return None;
        }
        let (token, (answer, answered)) = (self.token(), oneshot::channel());
        waiting.insert(token, answer);
        Some((token, answered))
    }

    /// Gives an operator the core's answer; one that has gone away is not missed.
    pub(super) fn answered(&self, token: Token, answer: Result<Answer, Refused>) {
        if let Some(waiting) = self.lock().remove(&token) {
            let _ = waiting.send(answer);
        }
        self.searches.close(token);
    }

    /// Takes an effect that is for an operator; gives back any other.
    pub(super) fn take(&self, effect: Effect) -> Option<Effect> {
        match effect {
            Effect::Answer { token, answer } => self.answered(token, answer),
            Effect::SearchStarted { token, query } => self.searches.started(token, query),
            Effect::SearchLevel { query, answer } => self.level(query, answer),
            other => return Some(other),
        }
        None
    }

    fn level(&self, query: SearchId, answer: LevelAnswer) {
        self.searches.answered(query, answer);
    }
}

/// Forgets a request when the operator goes away before the answer comes.
struct Forget<'a>(&'a Requests, Token);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
        self.0.searches.close(self.1);
    }
}

/// Work on the disk, off the network's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Refused::Fault(error.to_string())))
}

/// Where this node stands in the tree.
fn place(store: &Store) -> Result<Path, Refused> {
    let node = query::node(store).map_err(|fault| Refused::Fault(fault.to_string()))?;
    node.place
        .ok_or_else(|| Refused::NotAMember("尚未加入 / not enrolled yet".into()))
}

fn shutting_down() -> Refused {
    Refused::Fault("节点正在停止 / the node is shutting down".into())
}

fn busy() -> Refused {
    Refused::Fault("节点繁忙，请稍后重试 / the node is busy, try again later".into())
}

/// Where the core is asked and its answer is waited for. Clones are the same.
#[derive(Debug, Clone)]
pub struct Desk {
    requests: Arc<Requests>,
    inbox: Inbox,
    stop: CancellationToken,
}

impl Desk {
    /// A desk in front of the core that reads `inbox` and answers through `requests`, until `stop`.
    pub fn new(requests: Arc<Requests>, inbox: Inbox, stop: CancellationToken) -> Self {
        Self {
            requests,
            inbox,
            stop,
        }
    }

    /// Gives the core an input and waits until what came of it is durable.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn ask(&self, input: impl FnOnce(Token) -> Input) -> Result<Answer, Refused> {
        let (token, answered) = self.requests.open().ok_or_else(busy)?;
        let _forget = Forget(&self.requests, token);
        self.tell(input(token)).await?;
        tokio::select! {
            // An answer that was given before the node stopped is heard: it may say that the outcome is unknown.
            biased;
            answer = answered => answer.unwrap_or_else(|_| Err(shutting_down())),
            () = self.stop.cancelled() => Err(shutting_down()),
        }
    }

    /// Gives the core an input that is not answered.
    ///
    /// # Errors
    /// [`Refused::Fault`] when the node is shutting down.
    pub async fn tell(&self, input: Input) -> Result<(), Refused> {
        self.inbox.put(input).await.map_err(|_| shutting_down())
    }
}

impl Handle {
    /// How far the ledger is durable here.
    pub fn standing(&self) -> Standing {
        self.0.store.standing()
    }

    /// How the escrow of the ledger stands, where there is one.
    pub fn escrow(&self) -> Option<EscrowView> {
        let escrow = self.0.escrow.as_ref()?;
        Some(escrow.view(self.standing().batches))
    }
}

impl Handle {
    /// Gives the core a person's signed act and waits until what came of it is durable.
    ///
    /// # Errors
    /// [`Refused`]: lawfully, as not authentic, or because of a fault of ours, which may be tried again with the same act.
    pub async fn act(&self, act: SignedAct) -> Result<Answer, Refused> {
        self.ask(|token| Input::Act {
            token,
            act: Box::new(act),
        })
        .await
    }

    /// Has the core write down that a program reads content, and returns when that is durable.
    ///
    /// # Errors
    /// [`Refused::Fault`] when it is not.
    pub async fn content_read(&self, what: ReadWhat, by: Caller) -> Result<Answer, Refused> {
        self.ask(|token| Input::ContentRead { token, what, by })
            .await
    }
    /// Gives the core what somebody of the public asks, under the commitment to the receipt that they are given.
    ///
    /// # Errors
    /// [`Refused`]: lawfully, or because of a fault of ours, which may be tried again with the same receipt.
    pub async fn public_request(
        &self,
        receipt: Digest,
        request: PublicRequest,
    ) -> Result<Answer, Refused> {
        self.ask(|token| Input::Public {
            token,
            receipt,
            request: Box::new(request),
        })
        .await
    }

    /// The profile of law in force here.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// Gives the core a membership chain for this node.
    ///
    /// # Errors
    /// [`Refused`] when it does not prove this node a member.
    pub async fn install(&self, chain: Chain) -> Result<Answer, Refused> {
        self.ask(|token| Input::Install { token, chain }).await
    }

    /// Lets the core see the time, and returns when what came of it is durable: for a clock that was set.
    ///
    /// # Errors
    /// [`Refused::Fault`] when it is not durable or the node stops.
    #[cfg(feature = "settable-clock")]
    pub async fn tick(&self) -> Result<(), Refused> {
        // A batch has one time. The one under way may have begun before the clock was set: the tick waits for a batch of its own.
        self.caught_up().await?;
        let ticked = self.0.inbox.put(Input::Tick).await;
        ticked.map_err(|_| shutting_down())?;
        self.caught_up().await
    }

    /// Returns when what was in the queue is durable and the batch that took it is over.
    #[cfg(feature = "settable-clock")]
    async fn caught_up(&self) -> Result<(), Refused> {
        // The queue keeps its order: what is asked last is answered last. The empty chain is refused and changes nothing.
        match self.install(Chain::new(Vec::new())).await {
            Err(fault @ Refused::Fault(_)) => Err(fault),
            Ok(_) | Err(Refused::Lawful(_) | Refused::NotAuthentic(_) | Refused::NotAMember(_)) => {
                Ok(())
            }
        }
    }

    /// Calls a service at its provider's node (R22).
    ///
    /// # Errors
    /// [`CallError`]: refused at either end, or not to be served now.
    pub async fn call(&self, ask: Ask) -> Result<Answered, CallError> {
        self.0.services.call(ask).await
    }

    async fn ask(&self, input: impl FnOnce(Token) -> Input) -> Result<Answer, Refused> {
        self.0.desk.ask(input).await
    }

    /// Searches here and at every level above; returns when all have answered or `wait` is over.
    ///
    /// # Errors
    /// [`Refused::NotAMember`] before enrolment, [`Refused::Fault`] when the local index or the store fails.
    pub async fn search(
        &self,
        text: String,
        limit: u16,
        wait: Duration,
    ) -> Result<SearchOutcome, Refused> {
        let limit = limit.min(MAX_HITS);
        let above = self.ask_above(Question::Words(text.clone()), limit, wait);
        let (local, levels) = tokio::join!(self.search_here(text, limit), above);
        Ok(SearchOutcome {
            local: local?,
            levels: levels?,
        })
    }

    /// Asks every level above, the nearest first; returns when all have answered or `wait` is over.
    ///
    /// # Errors
    /// [`Refused::NotAMember`] before enrolment, [`Refused::Fault`] when the store fails.
    pub async fn ask_above(
        &self,
        question: Question,
        limit: u16,
        wait: Duration,
    ) -> Result<Vec<(Path, LevelState)>, Refused> {
        let deadline = Instant::now() + wait;
        let limit = limit.min(MAX_HITS);
        let token = self.0.requests.token();
        let mut answers = self.0.requests.searches.open(token).ok_or_else(busy)?;
        let _forget = Forget(&self.0.requests, token);
        let search = Input::Search {
            token,
            question,
            limit,
        };
        let put = self.0.inbox.put(search).await;
        put.map_err(|_| shutting_down())?;
        let store = Arc::clone(&self.0.store);
        let place = blocking(move || place(&store)).await?;
        let mut levels: Vec<(Path, LevelState)> = levels_above(&place)
            .into_iter()
            .map(|level| (level, LevelState::Unreachable))
            .collect();
        // Nobody above can be asked while the parent is away.
        let parent_up = self
            .status()
            .links
            .iter()
            .any(|link| link.parent && link.up);
        while parent_up
            && levels
                .iter()
                .any(|(_, state)| *state == LevelState::Unreachable)
        {
            let Ok(Some(answer)) = timeout_at(deadline, answers.recv()).await else {
                break;
            };
            if let Some((_, state)) = levels.iter_mut().find(|(level, _)| *level == answer.node) {
                *state = LevelState::Answered(answer);
            }
        }
        Ok(levels)
    }

    async fn search_here(&self, text: String, limit: u16) -> Result<LevelAnswer, Refused> {
        let (index, store) = (Arc::clone(&self.0.index), Arc::clone(&self.0.store));
        let clock = self.0.clock.clone();
        blocking(move || {
            let fault = |fault: Fault| Refused::Fault(fault.to_string());
            let place = place(&store)?;
            let catalogue = query::node(&*store).map_err(fault)?.catalogue;
            let as_of = query::as_of(&*store)
                .map_err(fault)?
                .unwrap_or_else(|| clock.now());
            let found = index
                .search(&text, usize::from(limit))
                .map_err(|error| Refused::Fault(error.to_string()))?;
            Ok(LevelAnswer {
                node: place,
                as_of,
                catalogue,
                hits: found.hits,
            })
        })
        .await
    }

    /// The committed state.
    pub fn store(&self) -> Arc<Store> {
        Arc::clone(&self.0.store)
    }

    /// The object store.
    pub fn objects(&self) -> Arc<Objects> {
        Arc::clone(&self.0.objects)
    }

    /// The personal content.
    pub fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.0.vault)
    }

    /// What the core knows only in memory, as of its last batches.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.0.status.borrow())
    }

    /// Tells of every change of [`Handle::status`].
    pub fn status_changes(&self) -> watch::Receiver<Arc<Status>> {
        self.0.status.clone()
    }

    /// What the node counts; `metrics().encode()` is the text for Prometheus.
    pub fn metrics(&self) -> &Metrics {
        self.0.metrics.queue.set(self.0.inbox.waiting() as i64);
        &self.0.metrics
    }

    /// Where children can connect to.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.0.transport.addresses()
    }

    /// Now, by the node's clock.
    pub fn now(&self) -> Moment {
        self.0.clock.now()
    }

    /// Why the node takes nothing more until it is started again, if so.
    pub async fn halted(&self) -> Option<String> {
        if let Some(reason) = self.0.halted.get() {
            return Some(reason.clone());
        }
        let store = self.store();
        // It waits for a running commit.
        let standing = tokio::task::spawn_blocking(move || store.standing()).await;
        standing.map_or_else(|error| Some(error.to_string()), |standing| standing.stopped)
    }

    /// Ends when the node stops, for whatever reason.
    pub async fn stopped(&self) {
        self.0.stop.cancelled().await;
    }

    /// Stops the node: nothing new is taken, what is durable stays, links are closed.
    pub async fn shutdown(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(self.0.shutdown, self.0.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "work still running at shutdown is abandoned; it is taken up again at the next start"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reaches_the_one_who_asked() {
        let requests = Requests::default();
        let (first, mut first_answer) = requests.open().unwrap();
        let (_, mut second_answer) = requests.open().unwrap();
        let refused = Refused::Fault("x".into());
        assert_eq!(
            requests.take(Effect::Answer {
                token: first,
                answer: Err(refused.clone())
            }),
            None
        );
        assert_eq!(first_answer.try_recv().unwrap(), Err(refused));
        assert!(second_answer.try_recv().is_err());
    }

    #[test]
    fn an_operator_who_goes_away_leaves_nothing_behind() {
        let requests = Requests::default();
        let (token, answer) = requests.open().unwrap();
        drop((Forget(&requests, token), answer));
        assert!(requests.lock().is_empty());
    }

    #[test]
    fn too_many_requests_are_turned_away() {
        let requests = Requests::default();
        let waiting: Vec<_> = (0..MAX_REQUESTS)
            .map(|_| requests.open().unwrap())
            .collect();
        assert!(requests.open().is_none());
        drop(waiting);
    }

    #[test]
    fn effects_for_others_are_given_back() {
        let neighbours = Effect::Neighbours { keys: Vec::new() };
        assert_eq!(
            Requests::default().take(neighbours.clone()),
            Some(neighbours)
        );
    }
}
