//! The program that asked: what it is told of a call, and whether it still listens.

use axum::body::Bytes;
use federation::core::{CallSide, Refused};
use federation::service::{CallId, HeaderText, MAX_REQUEST_BYTES, Unavailable};
use statute::Refusal;
use tokio::sync::{mpsc, oneshot};

/// Chunks of an answer that may wait for the program that asked; each is at most 64 KiB.
const WAITING_CHUNKS: usize = 4;

/// An answer that has begun.
#[derive(Debug)]
pub struct Answered {
    /// The call.
    pub call: CallId,
    /// The backend's HTTP status.
    pub status: u16,
    /// Of the body.
    pub content_type: Option<HeaderText>,
    /// The body.
    pub body: AnswerBody,
}

/// What goes to the program that asked: a chunk, or that it has all.
type Given = Result<Option<Bytes>, CallError>;

/// An answer's body as it comes.
#[derive(Debug)]
pub struct AnswerBody(Option<mpsc::Receiver<Given>>);

impl AnswerBody {
    /// The next chunk; `None` once all has come and is what the provider's node signed for.
    ///
    /// # Errors
    /// [`CallError`] when the answer was cut, or is not the one that was sent. Nothing comes after it.
    pub async fn next(&mut self) -> Option<Result<Bytes, CallError>> {
        let given = self.0.as_mut()?.recv().await;
        let next = match given {
            Some(Ok(Some(chunk))) => return Some(Ok(chunk)),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some(Err(error)),
            // A call that is dropped in the middle has not come to its end.
            None => Some(Err(stopping())),
        };
        self.0 = None;
        next
    }
}

pub(super) fn stopping() -> CallError {
    let stopping = "节点正在停止 / the node is shutting down";
    CallError::Here(Refused::Fault(stopping.into()))
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The law refuses, at this end or the other.
    #[error("{refusal}")]
    Refused {
        /// At which end.
        side: CallSide,
        /// Why.
        refusal: Refusal,
    },
    /// This node cannot have the call on record.
    #[error("{0}")]
    Here(Refused),
    /// More calls than the service takes.
    #[error("too many calls; try again in {retry_after_s} s")]
    TooMany {
        /// When to try again, seconds from now.
        retry_after_s: u32,
    },
    /// The provider's end cannot serve it now.
    #[error("{0:?} at the provider's end")]
    Unavailable(Unavailable),
    /// The provider's node cannot be reached, or the circuit to it broke.
    #[error("{0}")]
    Unreachable(String),
    /// All circuits to the provider are in use.
    #[error("all circuits to the provider are in use")]
    Busy,
    /// The request's body is too large.
    #[error("the request's body is larger than {MAX_REQUEST_BYTES} bytes")]
    RequestTooLarge,
    /// The request's body did not come whole.
    #[error("the request's body ended early: {0}")]
    Interrupted(String),
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
}

/// The program that asked: it waits for the answer's head, then for its body.
pub(super) enum Asker {
    Head(oneshot::Sender<Result<Answered, CallError>>),
    Body(mpsc::Sender<Given>),
    /// It was told of an error, or has hung up.
    Done,
}

impl Asker {
    pub(super) fn new(told: oneshot::Sender<Result<Answered, CallError>>) -> Self {
        Self::Head(told)
    }

    /// Ends when the program has hung up.
    pub(super) async fn gone(&mut self) {
        match self {
            Self::Head(told) => told.closed().await,
            Self::Body(chunks) => chunks.closed().await,
            Self::Done => {}
        }
    }

    /// Tells that an answer begins.
    pub(super) fn begin(&mut self, call: CallId, status: u16, content_type: Option<HeaderText>) {
        let (chunks, body) = mpsc::channel(WAITING_CHUNKS);
        let answered = Answered {
            call,
            status,
            content_type,
            body: AnswerBody(Some(body)),
        };
        if let Self::Head(told) = std::mem::replace(self, Self::Body(chunks)) {
            // When nobody waits any more, that is seen at the next chunk.
            let _ = told.send(Ok(answered));
        }
    }

    /// Gives a chunk, waiting for room; whether the program still takes it.
    pub(super) async fn give(&mut self, chunk: Vec<u8>) -> bool {
        match self {
            Self::Body(chunks) => chunks.send(Ok(Some(chunk.into()))).await.is_ok(),
            Self::Head(_) | Self::Done => false,
        }
    }

    /// Tells that all of the answer was given.
    pub(super) async fn finish(self) {
        if let Self::Body(chunks) = self {
            // One that has hung up is not missed.
            let _ = chunks.send(Ok(None)).await;
        }
    }

    /// Tells why there is no answer; where one has begun, that it is broken off.
    pub(super) fn fail(&mut self, error: CallError) {
        match std::mem::replace(self, Self::Done) {
            // One that has gone away is not missed.
            Self::Head(told) => drop(told.send(Err(error))),
            Self::Body(chunks) => {
                // A full queue is told when there is room; nothing else waits for this.
                tokio::spawn(async move {
                    let _ = chunks.send(Err(error)).await;
                });
            }
            Self::Done => {}
        }
    }
}
