//! One end of a circuit: chunks sealed to the other end.

use std::sync::Arc;
use std::time::Duration;

use futures::AsyncWriteExt;
use identity::stream::OVERHEAD;
use identity::{ChunkOpener, ChunkSealer, Direction};
use tokio::time::timeout;

use super::FrameError;
use super::channel::Channel;
use super::circuit::CircuitError;
use super::framing::{Frames, begin_frame};
use super::slots::Slot;
use super::splice::IDLE_TIMEOUT;
use crate::runtime::metrics::Metrics;

/// Most bytes of one sealed chunk on the stream.
const MAX_SEALED_CHUNK: usize = identity::stream::MAX_CHUNK + OVERHEAD;

/// Either end of a circuit.
pub struct Circuit {
    /// Its id.
    pub id: [u8; 16],
    stream: Channel,
    sealer: ChunkSealer,
    opener: ChunkOpener,
    /// The frame being sent, kept for its room.
    frame: Vec<u8>,
    /// The frames that come.
    frames: Frames,
    _slot: Slot,
    _running: Running,
}

impl std::fmt::Debug for Circuit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Circuit({})", hex::encode(self.id))
    }
}

/// Counts a circuit for as long as it lives.
pub(super) struct Running(Arc<Metrics>);

impl Running {
    pub(super) fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.circuits.inc();
        Self(Arc::clone(metrics))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.circuits.dec();
    }
}

impl Circuit {
    /// The end that opened the circuit (`sends` forward) or the one that answers.
    pub(super) fn new(
        id: [u8; 16],
        stream: Channel,
        key: [u8; 32],
        sends: Direction,
        slot: Slot,
        running: Running,
    ) -> Self {
        let receives = match sends {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let (sealer, opener) = (
            ChunkSealer::new(key, sends),
            ChunkOpener::new(key, receives),
        );
        Self {
            id,
            stream,
            sealer,
            opener,
            frame: Vec::new(),
            frames: Frames::default(),
            _slot: slot,
            _running: running,
        }
    }

    /// Seals and sends the next chunk of at most [`identity::stream::MAX_CHUNK`] bytes; `last` ends this direction.
    ///
    /// # Errors
    /// [`CircuitError::Broken`], also when the other end takes nothing for a minute.
    pub async fn send(&mut self, plain: &[u8], last: bool) -> Result<(), CircuitError> {
        let frame = &mut self.frame;
        frame.clear();
        begin_frame(frame, plain.len() + OVERHEAD, MAX_SEALED_CHUNK)?;
        self.sealer
            .seal_after(frame, plain, last)
            .map_err(|error| CircuitError::Broken(error.to_string()))?;
        let sending = async {
            self.stream.write_all(frame).await?;
            if last {
                self.stream.close().await?;
            }
            Ok::<(), FrameError>(())
        };
        timeout(IDLE_TIMEOUT, sending)
            .await
            .map_err(|_| CircuitError::Broken("the other end takes nothing".into()))??;
        Ok(())
    }

    /// Sends what is still buffered.
    ///
    /// # Errors
    /// [`CircuitError::Broken`].
    pub async fn flush(&mut self) -> Result<(), CircuitError> {
        let flushed = timeout(IDLE_TIMEOUT, self.stream.flush())
            .await
            .map_err(|_| CircuitError::Broken("the other end takes nothing".into()))?;
        flushed.map_err(|error| CircuitError::Broken(error.to_string()))
    }

    /// Receives and opens the next chunk, and whether it is the last.
    ///
    /// # Errors
    /// [`CircuitError::Broken`], also when nothing comes for a minute, the stream is cut, or a chunk is not authentic. Whoever stops waiting loses
    /// nothing.
    pub async fn receive(&mut self) -> Result<(Vec<u8>, bool), CircuitError> {
        let coming = self.frames.next(&mut self.stream, MAX_SEALED_CHUNK);
        let received = timeout(IDLE_TIMEOUT, coming).await;
        let chunk = received.map_err(|_| CircuitError::Broken("nothing comes".into()))??;
        let chunk = chunk
            .ok_or_else(|| CircuitError::Broken("closed on the way or at the other end".into()))?;
        let (plain, last) = self
            .opener
            .open_in_place(chunk)
            .map_err(|error| CircuitError::Broken(error.to_string()))?;
        Ok((plain.to_vec(), last))
    }

    /// Waits until the other end has closed too, so that what was sent last is not cut off on the way.
    pub async fn wait_for_end(mut self) {
        // Whatever comes or breaks, this end has said all.
        let coming = self.frames.next(&mut self.stream, MAX_SEALED_CHUNK);
        let _ = timeout(END_TIMEOUT, coming).await;
    }
}

/// How long an end that has said all waits for the other to close.
const END_TIMEOUT: Duration = Duration::from_secs(5);
