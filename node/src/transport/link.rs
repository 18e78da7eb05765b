//! One link: a stream of frames in each direction over one connection.
//!
//! ```text
//! connection ─► open ours, wait for theirs ─► LinkUp ─► frames ⇄ frames ─► either breaks ─► LinkDown
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use federation::core::{Input, LinkId};
use federation::wire::{LINK_PROTOCOL, MAX_FRAME_BYTES};
use futures::{AsyncWriteExt, FutureExt};
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, OpenStreamError};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::framing::{FrameError, read_frame, write_frame};
use super::{LinkEntry, Links, OPEN_TIMEOUT, SEND_QUEUE_FRAMES};
use crate::runtime::inbox::{Closed, Inbox};
use crate::runtime::metrics::Metrics;

/// How long writing one frame may take: 4 MiB at 70 KiB/s.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a neighbour has to take what was said last before a link is closed here.
const LAST_WORDS_TIMEOUT: Duration = Duration::from_secs(2);

/// Why a link ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkEnd {
    /// The streams were not both open in time.
    #[error("streams not open in time")]
    NotOpened,
    /// Our stream was not taken.
    #[error("stream refused: {0}")]
    Refused(#[from] OpenStreamError),
    /// A frame was malformed or the stream broke.
    #[error("{0}")]
    Frame(#[from] FrameError),
    /// The neighbour ended its stream.
    #[error("closed by the neighbour")]
    ClosedThere,
    /// The neighbour takes nothing any more.
    #[error("the neighbour reads nothing")]
    Stalled,
    /// The core, a full queue or a newer connection ended it.
    #[error("closed here")]
    ClosedHere,
    /// The node is shutting down.
    #[error("{0}")]
    ShuttingDown(#[from] Closed),
}

/// A link before it is up.
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) peer: PeerId,
    pub(super) transport_key: [u8; 32],
    pub(super) control: Control,
    pub(super) inbox: Inbox,
    pub(super) links: Arc<Links>,
    pub(super) metrics: Arc<Metrics>,
    /// Ends the link.
    pub(super) cancel: CancellationToken,
    /// The stream that the neighbour opens.
    pub(super) theirs: mpsc::Receiver<Stream>,
}

impl Link {
    /// Runs the link to its end. `LinkUp` and `LinkDown` are told to the core as a pair or not at all.
    pub(super) async fn run(mut self) -> LinkEnd {
        let (ours, theirs) = match self.open().await {
            Ok(streams) => streams,
            Err(end) => return end,
        };
        let (frames, queue) = mpsc::channel(SEND_QUEUE_FRAMES);
        let waiting = Arc::new(AtomicUsize::new(0));
        let closing = CancellationToken::new();
        let entry = LinkEntry {
            peer: self.peer,
            frames,
            waiting: Arc::clone(&waiting),
            closing: closing.clone(),
            cancel: self.cancel.clone(),
        };
        self.links.lock().insert(self.id, entry);
        let up = self
            .inbox
            .put(Input::LinkUp {
                link: self.id,
                transport_key: self.transport_key,
            })
            .await;
        let end = match up {
            Err(closed) => closed.into(),
            Ok(()) => {
                self.metrics.links.inc();
                let end = tokio::select! {
                    end = self.speak((ours, theirs), queue, &waiting, &closing) => end,
                    () = self.cancel.cancelled() => LinkEnd::ClosedHere,
                };
                self.metrics.links.dec();
                end
            }
        };
        self.links.lock().remove(&self.id);
        match self.inbox.put(Input::LinkDown { link: self.id }).await {
            Ok(()) => end,
            Err(closed) => closed.into(),
        }
    }

    async fn open(&mut self) -> Result<(Stream, Stream), LinkEnd> {
        let opening = self
            .control
            .open_stream(self.peer, StreamProtocol::new(LINK_PROTOCOL))
            .map(|r| r.map_err(LinkEnd::from));
        let theirs = async { self.theirs.recv().await.ok_or(LinkEnd::ClosedThere) };
        tokio::select! {
            opened = timeout(OPEN_TIMEOUT, futures::future::try_join(opening, theirs)) => opened.map_err(|_| LinkEnd::NotOpened)?,
            () = self.cancel.cancelled() => Err(LinkEnd::ClosedHere),
        }
    }

    /// Frames in both directions until either breaks, or until the core closes the link: then nothing more is read, what was said before is
    /// written, and the neighbour has a while to take it and to close as well.
    async fn speak(
        &self,
        (ours, mut theirs): (Stream, Stream),
        queue: mpsc::Receiver<Vec<u8>>,
        waiting: &AtomicUsize,
        closing: &CancellationToken,
    ) -> LinkEnd {
        let mut writing = std::pin::pin!(self.write(ours, queue, waiting));
        tokio::select! {
            end = &mut writing => return end,
            end = self.read(&mut theirs) => return end,
            () = closing.cancelled() => {}
        }
        // Nothing is sent any more: the queue ends, and with it the writing.
        self.links.lock().remove(&self.id);
        let last_words = async {
            writing.await;
            // What still comes is taken up by nobody.
            let _ = futures::io::copy(theirs, &mut futures::io::sink()).await;
        };
        // Who has not closed by then is not waited for.
        let _ = timeout(LAST_WORDS_TIMEOUT, last_words).await;
        LinkEnd::ClosedHere
    }

    async fn write(
        &self,
        mut stream: Stream,
        mut queue: mpsc::Receiver<Vec<u8>>,
        waiting: &AtomicUsize,
    ) -> LinkEnd {
        while let Some(frame) = queue.recv().await {
            let written = timeout(WRITE_TIMEOUT, async {
                write_frame(&mut stream, &frame, MAX_FRAME_BYTES).await?;
                if queue.is_empty() {
                    stream.flush().await?;
                }
                Ok::<(), FrameError>(())
            });
            match written.await {
                Err(_) => return LinkEnd::Stalled,
                Ok(Err(error)) => return error.into(),
                Ok(Ok(())) => {}
            }
            waiting.fetch_sub(frame.len(), Ordering::Relaxed);
            self.metrics.frames_sent.inc();
            self.metrics.link_bytes_sent.inc_by(frame.len() as u64);
        }
        // The neighbour reads to the end of the stream; one that does not is gone already.
        let _ = timeout(WRITE_TIMEOUT, stream.close()).await;
        LinkEnd::ClosedHere
    }

    async fn read(&self, stream: &mut Stream) -> LinkEnd {
        loop {
            let bytes = match read_frame(stream, MAX_FRAME_BYTES).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return LinkEnd::ClosedThere,
                Err(error) => return error.into(),
            };
            self.metrics.frames_received.inc();
            self.metrics.link_bytes_received.inc_by(bytes.len() as u64);
            if let Err(closed) = self.inbox.put_frame(self.id, bytes).await {
                return closed.into();
            }
        }
    }
}
