//! The core's one queue: bounded in number and, for frames, in bytes. Whoever puts something in waits for room, so a busy
//! core slows its neighbours down instead of growing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use federation::core::{Input, LinkId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// Inputs that may wait. A batch takes 256 at most, so this is four batches.
pub const QUEUE_INPUTS: usize = 1_024;
/// Bytes of frames that may wait: room for eight of the largest.
pub const QUEUE_FRAME_BYTES: usize = 8 * federation::wire::MAX_FRAME_BYTES;
/// How long an input that nobody waits for may wait for others to share its durable write with: some writes of a slow disk.
const COMPANY_TIME: Duration = Duration::from_millis(5);
/// Room is counted in these units.
const ROOM_UNIT_BYTES: usize = 1 << 10;

/// An input with the room it holds until it has been applied.
#[derive(Debug)]
pub struct Queued {
    /// What happened.
    pub input: Input,
    _room: Option<OwnedSemaphorePermit>,
}

impl From<Input> for Queued {
    fn from(input: Input) -> Self {
        Self { input, _room: None }
    }
}

/// The node is shutting down: nobody reads the queue any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node is shutting down")]
pub struct Closed;

/// The queue's entrance.
#[derive(Debug, Clone)]
pub struct Inbox {
    queue: mpsc::Sender<Queued>,
    frames: Arc<Semaphore>,
}

impl Inbox {
    /// Makes the queue.
    pub fn new() -> (Self, mpsc::Receiver<Queued>) {
        let (queue, inputs) = mpsc::channel(QUEUE_INPUTS);
        (
            Self {
                queue,
                frames: Arc::new(Semaphore::new(QUEUE_FRAME_BYTES.div_ceil(ROOM_UNIT_BYTES))),
            },
            inputs,
        )
    }

    /// Puts an input in, waiting for room.
    ///
    /// # Errors
    /// [`Closed`] when the node is shutting down.
    pub async fn put(&self, input: Input) -> Result<(), Closed> {
        self.queue.send(input.into()).await.map_err(|_| Closed)
    }

    /// Puts a frame in, waiting for room for its bytes.
    ///
    /// # Errors
    /// [`Closed`] when the node is shutting down.
    pub async fn put_frame(&self, link: LinkId, bytes: Vec<u8>) -> Result<(), Closed> {
        let units = bytes
            .len()
            .div_ceil(ROOM_UNIT_BYTES)
            .min(QUEUE_FRAME_BYTES.div_ceil(ROOM_UNIT_BYTES));
        let units = u32::try_from(units).map_err(|_| Closed)?;
        let room = Arc::clone(&self.frames)
            .acquire_many_owned(units)
            .await
            .map_err(|_| Closed)?;
        self.queue
            .send(Queued {
                input: Input::Frame { link, bytes },
                _room: Some(room),
            })
            .await
            .map_err(|_| Closed)
    }

    /// Puts an input in if there is room now: for ticks, of which the next will do as well.
    pub fn offer(&self, input: Input) -> bool {
        self.queue.try_send(input.into()).is_ok()
    }

    /// Inputs that wait.
    pub fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }
}

/// Waits for the next input and puts it at the end of `gathered`. The end of a call, for which nobody waits, is gathered together with what
/// comes soon after it: a busy service makes half as many durable writes. Says whether anything came; it does not once the queue is closed.
/// Whoever stops waiting finds in `gathered` what came.
pub(super) async fn gather(
    inputs: &mut mpsc::Receiver<Queued>,
    gathered: &mut VecDeque<Queued>,
) -> bool {
    let Some(first) = inputs.recv().await else {
        return false;
    };
    let mut alone = has_time(&first);
    gathered.push_back(first);
    let company = async {
        while alone && let Some(next) = inputs.recv().await {
            alone = has_time(&next);
            gathered.push_back(next);
        }
    };
    // Without any it goes by itself.
    let _ = timeout(COMPANY_TIME, company).await;
    true
}

const fn has_time(queued: &Queued) -> bool {
    matches!(queued.input, Input::CallEnded { .. })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn frames_wait_for_the_bytes_of_those_before_them() {
        let (inbox, mut inputs) = Inbox::new();
        let frame = || inbox.put_frame(LinkId(1), vec![0; federation::wire::MAX_FRAME_BYTES]);
        for _ in 0..8 {
            assert_eq!(frame().now_or_never(), Some(Ok(())));
        }
        assert_eq!(frame().now_or_never(), None);
        assert_eq!(
            inbox.put(Input::Tick).now_or_never(),
            Some(Ok(())),
            "small inputs are not held up"
        );
        drop(inputs.try_recv().unwrap());
        assert_eq!(frame().now_or_never(), Some(Ok(())));
    }

    fn end_of_a_call() -> Input {
        let digest = identity::Digest::object(b"call");
        Input::CallEnded {
            call: federation::service::CallId(digest),
            docket: sharing::docket::DocketId(digest),
            side: federation::core::CallSide::Asked,
            end: Box::new(federation::core::CallEnd::TooMany),
        }
    }

    #[tokio::test]
    async fn the_end_of_a_call_is_gathered_with_what_comes_soon_and_otherwise_alone() {
        let (inbox, mut inputs) = Inbox::new();
        let mut gathered = VecDeque::new();
        for input in [end_of_a_call(), end_of_a_call(), Input::Tick, Input::Tick] {
            inbox.put(input).await.unwrap();
        }
        assert!(gather(&mut inputs, &mut gathered).await);
        assert_eq!(gathered.len(), 3, "what is waited for goes at once");
        gathered.clear();
        assert!(gather(&mut inputs, &mut gathered).await);
        gathered.clear();
        inbox.put(end_of_a_call()).await.unwrap();
        assert!(gather(&mut inputs, &mut gathered).await);
        assert_eq!(gathered.len(), 1, "nothing else came");
        gathered.clear();
        drop(inbox);
        assert!(!gather(&mut inputs, &mut gathered).await);
    }

    #[tokio::test]
    async fn what_came_is_not_lost_when_the_wait_for_company_is_broken_off() {
        let (inbox, mut inputs) = Inbox::new();
        let mut gathered = VecDeque::new();
        inbox.put(end_of_a_call()).await.unwrap();
        assert_eq!(gather(&mut inputs, &mut gathered).now_or_never(), None);
        assert_eq!(gathered.len(), 1);
    }

    #[test]
    fn a_full_queue_takes_no_tick() {
        let (inbox, _inputs) = Inbox::new();
        for _ in 0..QUEUE_INPUTS {
            assert!(inbox.offer(Input::Tick));
        }
        assert!(!inbox.offer(Input::Tick));
        assert_eq!(inbox.waiting(), QUEUE_INPUTS);
    }

    #[test]
    fn a_closed_queue_says_so() {
        let (inbox, inputs) = Inbox::new();
        drop(inputs);
        assert_eq!(inbox.put(Input::Tick).now_or_never(), Some(Err(Closed)));
    }
}
