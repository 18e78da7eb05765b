//! Room for circuits: a bound for all of them, a share for each neighbour, and a part kept for what this node itself fetches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Most circuits at a time, whatever the configuration says: a connection must have streams for those of both its ends.
pub(super) const MAX_CIRCUITS: u32 = 112;
/// One neighbour may hold this part of the circuits: a quarter, and one at least.
const NEIGHBOUR_SHARE: u32 = 4;
/// This part is kept for circuits that this node opens: a quarter.
const OWN_SHARE: u32 = 4;
/// How long this node waits for room for a circuit of its own.
const OWN_WAIT: Duration = Duration::from_secs(30);

/// The room for circuits.
#[derive(Debug)]
pub(super) struct Slots {
    all: Arc<Semaphore>,
    /// What neighbours may hold together.
    neighbours: Arc<Semaphore>,
    /// What one neighbour may hold.
    quota: u32,
    held: Arc<Mutex<HashMap<[u8; 32], u32>>>,
}

/// Room for one circuit, given back when dropped.
#[derive(Debug)]
pub(super) struct Slot {
    _all: OwnedSemaphorePermit,
    _neighbour: Option<(OwnedSemaphorePermit, Held)>,
}

impl Slots {
    /// Room for `limit` circuits.
    pub(super) fn new(limit: u32) -> Self {
        if limit > MAX_CIRCUITS {
            tracing::warn!(limit, MAX_CIRCUITS, "limits.circuits is more than can be");
        }
        let limit = limit.min(MAX_CIRCUITS);
        Self {
            all: Arc::new(Semaphore::new(limit as usize)),
            neighbours: Arc::new(Semaphore::new((limit - limit / OWN_SHARE) as usize)),
            quota: (limit / NEIGHBOUR_SHARE).max(1),
            held: Arc::default(),
        }
    }

    /// How many circuits there is room for now.
    pub(super) fn free(&self) -> usize {
        self.all.available_permits()
    }

    /// Room for a circuit that this node opens; `None` when there was none for half a minute.
    pub(super) async fn own(&self) -> Option<Slot> {
        self.own_within(OWN_WAIT).await
    }

    async fn own_within(&self, wait: Duration) -> Option<Slot> {
        let all = timeout(wait, Arc::clone(&self.all).acquire_owned()).await;
        Some(Slot {
            _all: all.ok()?.ok()?,
            _neighbour: None,
        })
    }

    /// Room for a circuit that comes from a neighbour, if there is some now.
    pub(super) fn neighbour(&self, key: [u8; 32]) -> Option<Slot> {
        let held = Held::new(&self.held, key, self.quota)?;
        let neighbours = Arc::clone(&self.neighbours).try_acquire_owned().ok()?;
        Some(Slot {
            _all: Arc::clone(&self.all).try_acquire_owned().ok()?,
            _neighbour: Some((neighbours, held)),
        })
    }
}

/// One circuit of a neighbour's quota.
#[derive(Debug)]
struct Held {
    all: Arc<Mutex<HashMap<[u8; 32], u32>>>,
    key: [u8; 32],
}

fn lock(held: &Mutex<HashMap<[u8; 32], u32>>) -> MutexGuard<'_, HashMap<[u8; 32], u32>> {
    held.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Held {
    fn new(all: &Arc<Mutex<HashMap<[u8; 32], u32>>>, key: [u8; 32], quota: u32) -> Option<Self> {
        let mut held = lock(all);
        let count = held.entry(key).or_default();
        if *count >= quota {
            return None;
        }
        *count += 1;
        Some(Self {
            all: Arc::clone(all),
            key,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = lock(&self.all);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn take(slots: &Slots, neighbour: u8, most: usize) -> Vec<Slot> {
        (0..most)
            .map_while(|_| slots.neighbour([neighbour; 32]))
            .collect()
    }

    #[tokio::test]
    async fn a_neighbour_holds_its_quota_and_no_more() {
        let slots = Slots::new(16);
        let mut first = take(&slots, 1, 99);
        assert_eq!(first.len(), 4);
        assert_eq!(take(&slots, 2, 99).len(), 4, "others have theirs");
        first.pop();
        assert_eq!(take(&slots, 1, 99).len(), 1, "what is given back is free");
        drop(first);
        assert!(lock(&slots.held).is_empty());
    }

    #[tokio::test]
    async fn neighbours_together_leave_room_for_this_nodes_own() {
        let slots = Slots::new(16);
        let held: Vec<Vec<Slot>> = (1..=9).map(|key| take(&slots, key, 99)).collect();
        assert_eq!(held.iter().map(Vec::len).sum::<usize>(), 12);
        let own: Vec<Slot> = (0..99)
            .map_while(|_| slots.own().now_or_never().flatten())
            .collect();
        assert_eq!((own.len(), slots.free()), (4, 0));
        drop(held);
        assert_eq!(slots.free(), 12, "a refused circuit holds nothing back");
    }

    #[tokio::test]
    async fn the_smallest_limit_still_lets_one_through() {
        let slots = Slots::new(1);
        let held = slots.neighbour([1; 32]);
        assert!(held.is_some() && slots.neighbour([2; 32]).is_none());
        assert!(lock(&slots.held).get(&[2; 32]).is_none());
    }

    #[tokio::test]
    async fn waiting_for_room_ends() {
        let slots = Slots::new(1);
        let _held = slots.own().await.unwrap();
        assert!(slots.own_within(Duration::from_millis(1)).await.is_none());
    }

    #[test]
    fn no_configuration_asks_for_more_circuits_than_a_connection_has_streams() {
        assert_eq!(Slots::new(u32::MAX).free(), MAX_CIRCUITS as usize);
    }
}
