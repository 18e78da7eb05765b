//! What the API asks of a node, so that it runs before a real one and before one in memory alike.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use federation::core::view::Status;
use federation::core::{Answer, Caller, ReadWhat, Refused};
use federation::store::Read;
use federation::wire::{LevelAnswer, Question};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use identity::{Chain, Digest, Moment, Path};
use sharing::act::{ObjectRef, SignedAct};
use sharing::private::{Content, Private};
use sharing::public::PublicRequest;
use statute::Profile;
use tokio::sync::mpsc;

use super::catalogue::{LevelStatus, MAX_SEARCH_HITS, SearchAnswer, SearchLevel, merge};
use super::keeping::Keeping;
use crate::runtime::{Handle, LevelState, SearchOutcome};
use crate::service::{Answered, Ask, CallError};
use crate::storage::objects::{self, ObjectReader};
use crate::storage::vault::VaultError;

/// A committed state that many may read at once.
pub type SharedRead = Arc<dyn Read + Send + Sync>;

/// The bytes of an object on their way in.
pub type Incoming = BoxStream<'static, Result<Bytes, String>>;

/// Why an object was not stored or not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// It is larger than this node takes.
    #[error("object larger than {max} bytes")]
    TooLarge {
        /// Bytes allowed.
        max: u64,
    },
    /// The sender stopped in the middle.
    #[error("the body ended early: {0}")]
    Interrupted(String),
    /// It is not here.
    #[error("no such object")]
    Absent,
    /// The reading could not be written down, so nothing is given (R36).
    #[error("the reading is not on record: {0}")]
    Unrecorded(Refused),
    /// The disk fails.
    #[error("{0}")]
    Fault(String),
}

/// A node as the API sees it.
pub trait Backend: Send + Sync + 'static {
    /// Takes a person's signed act.
    fn act(&self, act: SignedAct) -> BoxFuture<'_, Result<Answer, Refused>>;
    /// Takes what somebody of the public asks, under the commitment to their receipt.
    fn public_request(
        &self,
        receipt: Digest,
        request: PublicRequest,
    ) -> BoxFuture<'_, Result<Answer, Refused>>;
    /// The profile of law in force here.
    fn profile(&self) -> &Profile;
    /// Installs this node's membership.
    fn install(&self, chain: Chain) -> BoxFuture<'_, Result<Answer, Refused>>;
    /// Searches here and above, waiting for those above at most so long.
    fn search(
        &self,
        text: String,
        limit: u16,
        wait: Duration,
    ) -> BoxFuture<'_, Result<SearchAnswer, Refused>>;
    /// Asks the levels above for items, waiting for them at most so long; those nearest come first.
    fn ask_above(
        &self,
        items: Vec<String>,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<(Path, LevelState)>, Refused>>;
    /// The committed state.
    fn store(&self) -> SharedRead;
    /// What the core knows in memory only.
    fn status(&self) -> Status;
    /// How far the ledger is durable here, and how it is kept elsewhere.
    fn keeping(&self) -> Keeping;
    /// Why nothing more is taken until the node is started again, if so.
    fn halted(&self) -> BoxFuture<'_, Option<String>>;
    /// Now, by the node's clock.
    fn now(&self) -> Moment;
    /// The driver's metrics in the text format, ending with `# EOF`.
    fn metrics(&self) -> String;
    /// Stores an object as it streams in.
    fn put_object(
        &self,
        name: String,
        bytes: Incoming,
    ) -> BoxFuture<'_, Result<ObjectRef, ObjectError>>;
    /// Streams an object to a caller: its length and its bytes, once it is durable in the ledger that the caller reads it (R36).
    fn get_object(
        &self,
        digest: Digest,
        by: Caller,
    ) -> BoxFuture<'_, Result<(u64, Body), ObjectError>>;
    /// Has it written down that a caller reads what is more than a view shows; returns when that is durable (R29).
    fn content_read(&self, what: ReadWhat, by: Caller) -> BoxFuture<'_, Result<Answer, Refused>>;
    /// Streams an object that its department gave to the public by an act on record: no reading of it is recorded.
    fn give_object(&self, digest: Digest) -> BoxFuture<'_, Result<(u64, Body), ObjectError>>;
    /// Calls a service at its provider's node.
    fn call(&self, ask: Ask) -> BoxFuture<'_, Result<Answered, CallError>>;
    /// Whether an object is here whole.
    fn has_object(&self, digest: &Digest) -> bool;
    /// Stores personal content; it is on the disk when this is done. True when it was not here before.
    fn keep_content(&self, content: Content) -> BoxFuture<'_, Result<bool, ObjectError>>;
    /// The personal content that was committed to.
    fn content(&self, private: Private) -> BoxFuture<'_, Result<Content, ObjectError>>;
    /// Destroys personal content.
    fn destroy_content(&self, digest: Digest) -> BoxFuture<'_, Result<(), ObjectError>>;
}

/// Most bytes of an object taken over the API: bulk beyond this goes by batch exchange.
pub const MAX_OBJECT_BYTES: u64 = 16 << 30;
/// Chunks that may wait between the network and the disk, in either direction; hyper's are at most 512 KiB.
const WAITING_CHUNKS: usize = 8;
/// Bytes of one chunk on the way out.
const CHUNK_BYTES: usize = 64 << 10;

impl Backend for Handle {
    fn act(&self, act: SignedAct) -> BoxFuture<'_, Result<Answer, Refused>> {
        Box::pin(Handle::act(self, act))
    }

    fn public_request(
        &self,
        receipt: Digest,
        request: PublicRequest,
    ) -> BoxFuture<'_, Result<Answer, Refused>> {
        Box::pin(Handle::public_request(self, receipt, request))
    }

    fn profile(&self) -> &Profile {
        Handle::profile(self)
    }

    fn install(&self, chain: Chain) -> BoxFuture<'_, Result<Answer, Refused>> {
        Box::pin(Handle::install(self, chain))
    }

    fn search(
        &self,
        text: String,
        limit: u16,
        wait: Duration,
    ) -> BoxFuture<'_, Result<SearchAnswer, Refused>> {
        Box::pin(async move {
            let outcome = Handle::search(self, text.clone(), limit, wait).await?;
            Ok(answer(text, outcome, usize::from(limit)))
        })
    }

    fn ask_above(
        &self,
        items: Vec<String>,
        wait: Duration,
    ) -> BoxFuture<'_, Result<Vec<(Path, LevelState)>, Refused>> {
        Box::pin(async move {
            let question = Question::Items(items);
            Handle::ask_above(self, question, MAX_SEARCH_HITS, wait).await
        })
    }

    fn store(&self) -> SharedRead {
        Handle::store(self)
    }

    fn status(&self) -> Status {
        Status::clone(&Handle::status(self))
    }

    fn keeping(&self) -> Keeping {
        Keeping {
            batches: self.standing().batches,
            escrow: self.escrow(),
            restored: Handle::status(self).restored.clone(),
        }
    }

    fn halted(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(Handle::halted(self))
    }

    fn now(&self) -> Moment {
        Handle::now(self)
    }

    fn metrics(&self) -> String {
        Handle::metrics(self).encode()
    }

    fn put_object(
        &self,
        name: String,
        mut bytes: Incoming,
    ) -> BoxFuture<'_, Result<ObjectRef, ObjectError>> {
        Box::pin(async move {
            let objects = self.objects();
            let (chunks, received) = mpsc::channel(WAITING_CHUNKS);
            let storing = tokio::task::spawn_blocking(move || {
                objects.put_reader(Chunks::new(received), MAX_OBJECT_BYTES)
            });
            while let Some(chunk) = bytes.next().await {
                // When the store has given up, its error says why.
                if chunks.send(chunk).await.is_err() {
                    break;
                }
            }
            drop(chunks);
            let stored = storing
                .await
                .map_err(|error| ObjectError::Fault(error.to_string()))??;
            Ok(ObjectRef {
                digest: stored.digest,
                length: stored.length,
                name,
            })
        })
    }

    fn get_object(
        &self,
        digest: Digest,
        by: Caller,
    ) -> BoxFuture<'_, Result<(u64, Body), ObjectError>> {
        Box::pin(async move {
            let (length, file) = open(self, digest).await?;
            self.content_read(ReadWhat::Object { digest }, by)
                .await
                .map_err(ObjectError::Unrecorded)?;
            Ok((length, streamed(file)))
        })
    }

    fn content_read(&self, what: ReadWhat, by: Caller) -> BoxFuture<'_, Result<Answer, Refused>> {
        Box::pin(Handle::content_read(self, what, by))
    }

    fn give_object(&self, digest: Digest) -> BoxFuture<'_, Result<(u64, Body), ObjectError>> {
        Box::pin(async move {
            let (length, file) = open(self, digest).await?;
            Ok((length, streamed(file)))
        })
    }

    fn call(&self, ask: Ask) -> BoxFuture<'_, Result<Answered, CallError>> {
        Box::pin(Handle::call(self, ask))
    }

    fn has_object(&self, digest: &Digest) -> bool {
        self.objects().contains(digest)
    }

    fn keep_content(&self, content: Content) -> BoxFuture<'_, Result<bool, ObjectError>> {
        let vault = self.vault();
        in_vault(move || vault.put(&content))
    }

    fn content(&self, private: Private) -> BoxFuture<'_, Result<Content, ObjectError>> {
        let vault = self.vault();
        in_vault(move || vault.get(&private))
    }

    fn destroy_content(&self, digest: Digest) -> BoxFuture<'_, Result<(), ObjectError>> {
        let vault = self.vault();
        in_vault(move || vault.destroy(&digest))
    }
}

/// Work in the vault, off the network's threads.
fn in_vault<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> BoxFuture<'static, Result<T, ObjectError>> {
    Box::pin(async move {
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|error| ObjectError::Fault(error.to_string()))?;
        done.map_err(|error| match error {
            VaultError::Object(error) => error.into(),
            VaultError::Content(error) => ObjectError::Fault(error.to_string()),
        })
    })
}

fn answer(q: String, outcome: SearchOutcome, limit: usize) -> SearchAnswer {
    let level = |local: bool, answer: &LevelAnswer| SearchLevel {
        node: answer.node.to_string(),
        local,
        status: LevelStatus::Answered,
        as_of: Some(answer.as_of),
        catalogue: Some(answer.catalogue),
        hits: answer.hits.len(),
    };
    let mut levels = vec![level(true, &outcome.local)];
    let mut hits = outcome.local.hits;
    for (node, state) in outcome.levels {
        match state {
            LevelState::Answered(answer) => {
                levels.push(level(false, &answer));
                hits.extend(answer.hits);
            }
            LevelState::Unreachable => levels.push(SearchLevel {
                node: node.to_string(),
                local: false,
                status: LevelStatus::Unreachable,
                as_of: None,
                catalogue: None,
                hits: 0,
            }),
        }
    }
    SearchAnswer {
        q,
        hits: merge(hits, limit),
        levels,
    }
}

/// Chunks of the network as a reader for the disk's thread.
struct Chunks {
    received: mpsc::Receiver<Result<Bytes, String>>,
    rest: Bytes,
}

impl Chunks {
    fn new(received: mpsc::Receiver<Result<Bytes, String>>) -> Self {
        Self {
            received,
            rest: Bytes::new(),
        }
    }
}

impl std::io::Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.rest.is_empty() {
            match self.received.blocking_recv() {
                None => return Ok(0),
                Some(Ok(chunk)) => self.rest = chunk,
                Some(Err(reason)) => {
                    return Err(std::io::Error::new(
                        std::io::ErrorKind::UnexpectedEof,
                        reason,
                    ));
                }
            }
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest.split_to(length));
        Ok(length)
    }
}

impl From<objects::ObjectError> for ObjectError {
    fn from(error: objects::ObjectError) -> Self {
        match error {
            objects::ObjectError::Missing(_) => Self::Absent,
            objects::ObjectError::TooLarge { limit } => Self::TooLarge { max: limit },
            objects::ObjectError::Io(error)
                if error.kind() == std::io::ErrorKind::UnexpectedEof =>
            {
                Self::Interrupted(error.to_string())
            }
            other => Self::Fault(other.to_string()),
        }
    }
}

/// An object of the store: its length, and open for reading.
async fn open(handle: &Handle, digest: Digest) -> Result<(u64, ObjectReader), ObjectError> {
    let objects = handle.objects();
    let opening = tokio::task::spawn_blocking(move || {
        let reader = objects.get(&digest)?;
        Ok::<_, ObjectError>((reader.length(), reader))
    });
    opening
        .await
        .map_err(|error| ObjectError::Fault(error.to_string()))?
}

/// An object as a body, read and opened chunk by chunk, off the network's threads.
fn streamed(reader: ObjectReader) -> Body {
    let chunks = futures::stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        let reading = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            let mut part = (&mut reader).take(CHUNK_BYTES as u64);
            let read = part.read_to_end(&mut chunk);
            (reader, read.map(|_| chunk))
        });
        match reading.await {
            Ok((_, Ok(chunk))) if chunk.is_empty() => None,
            Ok((reader, Ok(chunk))) => Some((Ok(Bytes::from(chunk)), Some(reader))),
            Ok((_, Err(error))) => Some((Err(error), None)),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    Body::from_stream(chunks)
}
