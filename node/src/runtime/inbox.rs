//! The core's one queue: bounded in number and, for frames, in bytes. Whoever puts something in waits for room, so a busy
//! core slows its neighbours down instead of growing.

use std::sync::Arc;

use federation::core::{Input, LinkId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// Inputs that may wait. A batch takes 256 at most, so this is four batches.
pub const QUEUE_INPUTS: usize = 1_024;
/// Bytes of frames that may wait: room for eight of the largest.
pub const QUEUE_FRAME_BYTES: usize = 8 * federation::wire::MAX_FRAME_BYTES;
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
