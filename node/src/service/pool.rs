//! Circuits for calls: each carries one call at a time and is kept for the next, so that a call costs no opening of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use identity::Code;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::line::Line;

/// Circuits for calls to one provider at a time: half of what one neighbour lets through where nothing is configured, so that files
/// and other nodes behind it have room.
pub(super) const MAX_PER_PROVIDER: usize = 8;
/// Unused circuits kept to one provider for [`KEPT`]: each takes room at every hop.
const MAX_KEPT: usize = 2;
/// How long the others are kept: the next calls of a busy program take them at once. Opening circuits as fast as calls end would have hops
/// refuse them, which still hold the ones before.
const BUSY_KEPT: Duration = Duration::from_secs(1);
/// How long a call waits for a circuit that another one uses.
const ROOM_TIME: Duration = Duration::from_secs(10);
/// How long an unused circuit is kept: less than the hops bear.
const KEPT: Duration = Duration::from_secs(20);

/// The circuits to all providers.
#[derive(Debug, Default)]
pub(super) struct Pool(Mutex<HashMap<Code, Arc<Provider>>>);

#[derive(Debug)]
struct Provider {
    room: Arc<Semaphore>,
    unused: Mutex<Vec<(Line, Instant)>>,
}

/// Room for one circuit to a provider, given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    provider: Arc<Provider>,
    _permit: OwnedSemaphorePermit,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Pool {
    /// Room for a circuit to a provider; `None` when there was none in time.
    pub(super) async fn room(&self, provider: Code) -> Option<Room> {
        self.room_within(provider, ROOM_TIME).await
    }

    async fn room_within(&self, provider: Code, wait: Duration) -> Option<Room> {
        let provider = {
            let mut providers = lock(&self.0);
            let new = || {
                Arc::new(Provider {
                    room: Arc::new(Semaphore::new(MAX_PER_PROVIDER)),
                    unused: Mutex::default(),
                })
            };
            Arc::clone(providers.entry(provider).or_insert_with(new))
        };
        let permit = timeout(wait, Arc::clone(&provider.room).acquire_owned()).await;
        Some(Room {
            provider,
            _permit: permit.ok()?.ok()?,
        })
    }

    /// Closes the circuits that have been unused for too long, and forgets providers that nobody calls any more.
    pub(super) fn sweep(&self) {
        self.close_unused_since(KEPT);
    }

    fn close_unused_since(&self, kept: Duration) {
        lock(&self.0).retain(|_, it| it.close_unused_since(kept) || Arc::strong_count(it) > 1);
    }

    /// How often [`Pool::sweep`] is called for.
    pub(super) const SWEEP: Duration = Duration::from_secs(5);
}

impl Provider {
    /// Whether any is left.
    fn close_unused_since(&self, kept: Duration) -> bool {
        let mut unused = lock(&self.unused);
        // The newest stand at the end and are taken first.
        let mut surplus = unused.len().saturating_sub(MAX_KEPT);
        unused.retain(|(_, since)| {
            let kept = match surplus {
                0 => kept,
                _ => kept.min(BUSY_KEPT),
            };
            surplus = surplus.saturating_sub(1);
            since.elapsed() < kept
        });
        !unused.is_empty()
    }
}

impl Room {
    /// A circuit that was kept and still stands, newest first.
    pub(super) fn kept(&self) -> Option<Line> {
        loop {
            let (mut line, since) = lock(&self.provider.unused).pop()?;
            // One on which something comes unasked was closed on the way or at the other end.
            if since.elapsed() < KEPT && line.receive().now_or_never().is_none() {
                return Some(line);
            }
        }
    }

    /// Keeps a circuit for the next call, unless as many are kept as can be in use.
    pub(super) fn keep(&self, line: Line) {
        let mut unused = lock(&self.provider.unused);
        if unused.len() < MAX_PER_PROVIDER {
            unused.push((line, Instant::now()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Code {
        "440106".parse().unwrap()
    }

    #[tokio::test]
    async fn a_circuit_is_kept_for_the_next_call_unless_it_was_closed() {
        let pool = Pool::default();
        let room = pool.room(code()).await.unwrap();
        assert!(room.kept().is_none());
        let ((open, _other), (closed, other)) = (Line::pair(), Line::pair());
        drop(other);
        room.keep(open);
        room.keep(closed);
        assert!(room.kept().is_some(), "the closed one is passed over");
        assert!(room.kept().is_none());
        let pairs: Vec<_> = (0..=MAX_PER_PROVIDER).map(|_| Line::pair()).collect();
        let others: Vec<Line> = pairs
            .into_iter()
            .map(|(line, other)| {
                room.keep(line);
                other
            })
            .collect();
        let kept: Vec<Line> = std::iter::from_fn(|| room.kept()).collect();
        assert_eq!(
            (kept.len(), others.len()),
            (MAX_PER_PROVIDER, MAX_PER_PROVIDER + 1)
        );
    }

    #[tokio::test]
    async fn there_is_room_for_so_many_and_waiting_ends() {
        let pool = Pool::default();
        let mut rooms = Vec::new();
        for _ in 0..MAX_PER_PROVIDER {
            rooms.push(pool.room(code()).await.unwrap());
        }
        let one_more = pool.room_within(code(), Duration::from_millis(1)).await;
        assert!(one_more.is_none());
        assert!(pool.room("210102".parse().unwrap()).await.is_some());
        rooms.pop();
        assert!(pool.room(code()).await.is_some());
    }

    #[tokio::test]
    async fn an_unused_circuit_is_closed_after_a_while() {
        let pool = Pool::default();
        let (line, mut other) = Line::pair();
        pool.room(code()).await.unwrap().keep(line);
        pool.sweep();
        assert!(other.receive().now_or_never().is_none(), "kept");
        pool.close_unused_since(Duration::ZERO);
        assert!(other.receive().await.is_err());
        assert!(lock(&pool.0).is_empty());
    }
}
