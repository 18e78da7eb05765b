//! The provider's end: may it be called, and then the backend's answer, as far as the grant reaches.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use federation::core::{CallEnd, CallGrant, CallSide, Input, Refused, authorise_call};
use federation::service::{
    CallCut, CallHead, CallReceipt, CallWord, MAX_DATA_BYTES, MAX_REQUEST_BYTES, Piece, Unavailable,
};
use futures::{StreamExt, stream};
use identity::{Digest, Path};
use statute::RefusalReason;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::backend::{self, Connection, Reply};
use super::fields::{MAX_REDUCED_BYTES, reduce};
use super::line::{Broken, Line};
use super::registration::{FieldsBy, Registration, per_minute};
use super::{Registered, Shared, grant_checks};

/// Chunks of a request's body that may wait for the backend.
const WAITING_CHUNKS: usize = 2;

/// Answers one call after the other until the line is closed.
pub(super) async fn answer(shared: &Shared, from: &Path, mut line: Line) {
    while let Ok(Piece::Head(head)) = line.receive().await {
        if answer_one(shared, from, &mut line, &head).await.is_err() {
            return;
        }
    }
}

/// The line cannot carry another call.
struct Spent;

impl From<Broken> for Spent {
    fn from(_: Broken) -> Self {
        Self
    }
}

async fn answer_one(
    shared: &Shared,
    from: &Path,
    line: &mut Line,
    head: &CallHead,
) -> Result<(), Spent> {
    let call = match admit(shared, from, head).await {
        Ok(admitted) => admitted,
        Err(word) => {
            // Before it is told to proceed, the other end has sent nothing but the head.
            line.say(&shared.signing, head.id, word).await?;
            return Ok(());
        }
    };
    let mut exchange = Exchange {
        shared,
        from,
        line,
        head,
        call: &call,
        bytes: 0,
    };
    let (end, spent) = match exchange.run().await {
        Ok(end) => (end, Ok(())),
        Err(end) => (end, Err(Spent)),
    };
    shared.ended(head, CallSide::Answered, end).await;
    spent
}

/// A call that is on record and may be made.
struct Admitted<'a> {
    grant: CallGrant,
    /// None when no backend is registered for this.
    backend: Result<&'a Registration, Unavailable>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Decides on a call and has it on record.
async fn admit<'a>(
    shared: &'a Shared,
    from: &Path,
    head: &CallHead,
) -> Result<Admitted<'a>, CallWord> {
    let fault = CallWord::Unavailable(Unavailable::Fault);
    let decided = authorise_call(&*shared.store, from, head, shared.clock.now());
    let decided = decided.map_err(|_| fault.clone())?;
    // Who is no party is not counted either: there is no case to count it under.
    let known = !matches!(&decided, Err(refusal) if matches!(refusal.reason, RefusalReason::UnknownDocket { .. }));
    let decided = decided.ok();
    let registered: Option<&Registered> = decided
        .as_ref()
        .and_then(|grant| shared.backends.get(&grant.entry));
    let rate = registered.map_or(per_minute(), |it| it.registration.per_minute);
    let room = match registered.map(|it| Arc::clone(&it.room).try_acquire_owned()) {
        None => Ok(None),
        Some(Ok(room)) => Ok(Some(room)),
        Some(Err(_)) => Err(()),
    };
    let counted = if known {
        let mut rates = shared.rates.lock().unwrap_or_else(|it| it.into_inner());
        rates.take(head.docket, rate, shared.clock.now())
    } else {
        Ok(())
    };
    // A shortage goes on record once, so that one who hurries does not fill the ledger.
    if let Err(beyond) = counted {
        if beyond.first {
            shared
                .ended(head, CallSide::Answered, CallEnd::TooMany)
                .await;
        }
        let retry_after_s = beyond.retry_after_s;
        return Err(CallWord::TooMany { retry_after_s });
    }
    let room = room.map_err(|()| CallWord::TooMany { retry_after_s: 1 })?;
    let begun = shared.desk.ask(|token| Input::CallBegun {
        token,
        side: CallSide::Answered,
        from: Some(from.clone()),
        head: Box::new(head.clone()),
    });
    match begun.await {
        Ok(_) => {}
        Err(Refused::Lawful(refusal)) => return Err(CallWord::Refused(refusal)),
        Err(Refused::NotAuthentic(_) | Refused::NotAMember(_) | Refused::Fault(_)) => {
            return Err(fault);
        }
    }
    let backend = match registered.map(|it| &it.registration) {
        None => Err(Unavailable::NotRegistered),
        Some(it) if it.allows(head.method, &head.target) => Ok(it),
        Some(_) => Err(Unavailable::PathNotRegistered),
    };
    Ok(Admitted {
        // What was lawful a moment ago is lawful in what the core decided on, or it would have refused.
        grant: decided.ok_or(fault)?,
        backend,
        _room: room,
    })
}

/// One call under way.
struct Exchange<'a> {
    shared: &'a Shared,
    from: &'a Path,
    line: &'a mut Line,
    head: &'a CallHead,
    call: &'a Admitted<'a>,
    /// Bytes of the answer sent so far.
    bytes: u64,
}

/// Why a call did not come to its answer.
enum Stop {
    /// The requester's end is gone.
    Gone,
    /// Nothing can be served.
    Unavailable(Unavailable),
}

impl From<Broken> for Stop {
    fn from(_: Broken) -> Self {
        Self::Gone
    }
}

impl Exchange<'_> {
    /// How the call ended; as an error when the line is of no more use.
    async fn run(&mut self) -> Result<CallEnd, CallEnd> {
        match self.prepared().await {
            Ok((answer, request)) => self.send(answer, request).await,
            Err(Stop::Gone) => Err(self.cancelled()),
            Err(Stop::Unavailable(unavailable)) => {
                let end = CallEnd::Unavailable(unavailable);
                let said = self.say(CallWord::Unavailable(unavailable)).await;
                // What the other end was still to send of a body is not read.
                if said && !self.head.body {
                    Ok(end)
                } else {
                    Err(end)
                }
            }
        }
    }

    /// The answer that may leave, and the digest of the whole request.
    async fn prepared(&mut self) -> Result<(Prepared, Digest), Stop> {
        let registration = self.call.backend.map_err(Stop::Unavailable)?;
        let (reply, request) = self.ask(registration).await?;
        tokio::select! {
            biased;
            _ = self.line.receive() => Err(Stop::Gone),
            answer = prepare(reply, &self.call.grant, registration) => Ok((answer?, request)),
        }
    }

    async fn say(&mut self, word: CallWord) -> bool {
        let said = self.line.say(&self.shared.signing, self.head.id, word);
        said.await.is_ok()
    }

    /// Passes the request on. Gives the backend's answer and the digest of the whole request.
    async fn ask(&mut self, registration: &Registration) -> Result<(Reply, Digest), Stop> {
        let (chunks, body) = request_body(self.head.body);
        let mut calling = pin!(backend::call(
            registration,
            self.head,
            &self.call.grant,
            body
        ));
        let (mut early, mut digest) = (None, Digest::object(b""));
        if let Some(chunks) = chunks {
            let proceed = CallWord::Proceed;
            self.line
                .say(&self.shared.signing, self.head.id, proceed)
                .await?;
            let mut taking = pin!(take_body(self.line, chunks, registration.timeout()));
            digest = loop {
                tokio::select! {
                    taken = &mut taking => break taken?,
                    answered = &mut calling, if early.is_none() => early = Some(answered),
                }
            };
        }
        let answered = match early {
            Some(answered) => answered,
            None => tokio::select! {
                // Nothing is to come from there before the answer: whatever does ends the call.
                biased;
                _ = self.line.receive() => return Err(Stop::Gone),
                answered = timeout(registration.timeout(), &mut calling) => {
                    answered.unwrap_or(Err(Unavailable::BackendSlow))
                }
            },
        };
        let reply = answered.map_err(Stop::Unavailable)?;
        Ok((reply, self.head.request_digest(&digest)))
    }

    /// Sends the answer, as long as the grant stands, and the receipt.
    async fn send(&mut self, mut answer: Prepared, request: Digest) -> Result<CallEnd, CallEnd> {
        let head = CallWord::Head {
            status: answer.status,
            content_type: answer.content_type.take(),
        };
        if !self.say(head).await {
            return Err(self.cancelled());
        }
        let mut hasher = blake3::Hasher::new();
        loop {
            let chunk = match self.next(&mut answer).await {
                Next::Chunk(chunk) => chunk,
                Next::End => break,
                Next::Gone => return Err(self.cancelled()),
                Next::Cut(cut) => {
                    self.say(CallWord::Cut(cut.clone())).await;
                    let bytes = self.bytes;
                    return Err(CallEnd::Cut { bytes, cut });
                }
            };
            for part in chunk.chunks(MAX_DATA_BYTES) {
                hasher.update(part);
                if self.line.send(&Piece::Data(part.to_vec())).await.is_err() {
                    return Err(self.cancelled());
                }
                self.bytes += part.len() as u64;
            }
        }
        let receipt = CallReceipt {
            request,
            status: answer.status,
            response: Digest::from_bytes(*hasher.finalize().as_bytes()),
            bytes: self.bytes,
            at: self.shared.clock.now(),
        };
        let word = CallWord::End(receipt);
        let said = self.line.say(&self.shared.signing, self.head.id, word);
        match said.await {
            Ok(receipt) => Ok(CallEnd::Whole { receipt }),
            Err(_) => Err(self.cancelled()),
        }
    }

    /// The other end is gone: it hung up, or it learned first that the grant stands no more.
    fn cancelled(&self) -> CallEnd {
        let bytes = self.bytes;
        match self.shared.objection(self.from, self.head) {
            Some(objection) => CallEnd::Cut {
                bytes,
                cut: objection.into(),
            },
            None => CallEnd::Cancelled { bytes },
        }
    }

    /// Waits for the backend, the grant and the other end, whichever comes first.
    async fn next(&mut self, answer: &mut Prepared) -> Next {
        let deadline = Instant::now() + answer.patience;
        loop {
            tokio::select! {
                biased;
                _ = self.line.receive() => return Next::Gone,
                _ = answer.check.tick() => {
                    if let Some(objection) = self.shared.objection(self.from, self.head) {
                        return Next::Cut(objection.into());
                    }
                }
                chunk = timeout_at(deadline, answer.body.next()) => return match chunk {
                    Ok(Some(Ok(chunk))) => Next::Chunk(chunk),
                    Ok(None) => Next::End,
                    Ok(Some(Err(_))) => Next::Cut(CallCut::Broken(Unavailable::BackendDown)),
                    Err(_) => Next::Cut(CallCut::Broken(Unavailable::BackendSlow)),
                },
            }
        }
    }
}

/// What comes next in an answer.
enum Next {
    Chunk(Bytes),
    End,
    Gone,
    Cut(CallCut),
}

type Chunks = mpsc::Sender<Result<Bytes, std::io::Error>>;

/// The request's body for the backend, and where its bytes are put.
fn request_body(comes: bool) -> (Option<Chunks>, Body) {
    if !comes {
        return (None, Body::empty());
    }
    let (chunks, received) = mpsc::channel(WAITING_CHUNKS);
    let body = stream::unfold(received, |mut received| async move {
        received.recv().await.map(|chunk| (chunk, received))
    });
    (Some(chunks), Body::from_stream(body))
}

/// Takes a request's body to its end. A backend that has answered or gone away reads no more; the rest is passed over.
async fn take_body(line: &mut Line, chunks: Chunks, patience: Duration) -> Result<Digest, Stop> {
    let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
    loop {
        match line.receive().await? {
            Piece::Data(chunk) => {
                hasher.update(&chunk);
                bytes += chunk.len() as u64;
                if bytes > MAX_REQUEST_BYTES {
                    return Err(Stop::Unavailable(Unavailable::RequestTooLarge));
                }
                if timeout(patience, chunks.send(Ok(chunk.into())))
                    .await
                    .is_err()
                {
                    return Err(Stop::Unavailable(Unavailable::BackendSlow));
                }
            }
            Piece::EndOfRequest => {
                return Ok(Digest::from_bytes(*hasher.finalize().as_bytes()));
            }
            Piece::Head(_) | Piece::Word(_) => return Err(Stop::Gone),
        }
    }
}

/// An answer that may leave.
struct Prepared {
    status: u16,
    content_type: Option<federation::service::HeaderText>,
    body: BodyDataStream,
    /// How long the backend may be silent.
    patience: Duration,
    /// When the grant is looked at again.
    check: tokio::time::Interval,
    _connection: Connection,
}

/// Reduces an answer to the granted items where the grant has not all of them (R25).
async fn prepare(
    reply: Reply,
    grant: &CallGrant,
    registration: &Registration,
) -> Result<Prepared, Stop> {
    let patience = registration.timeout();
    let body = match registration.fields {
        FieldsBy::Node if grant.limited => {
            let whole = timeout(
                patience,
                axum::body::to_bytes(reply.body, MAX_REDUCED_BYTES),
            );
            let whole = match whole.await {
                Ok(Ok(whole)) => whole,
                Ok(Err(_)) => return Err(Stop::Unavailable(Unavailable::NotFilterable)),
                Err(_) => return Err(Stop::Unavailable(Unavailable::BackendSlow)),
            };
            Body::from(reduced(&whole, reply.status, grant, registration)?)
        }
        FieldsBy::Node | FieldsBy::Backend => reply.body,
    };
    Ok(Prepared {
        status: reply.status,
        content_type: reply.content_type,
        body: body.into_data_stream(),
        patience,
        check: grant_checks(),
        _connection: reply.connection,
    })
}

fn reduced(
    whole: &[u8],
    status: u16,
    grant: &CallGrant,
    registration: &Registration,
) -> Result<Vec<u8>, Stop> {
    let names: Vec<&str> = grant
        .items
        .iter()
        .map(|item| registration.name_of(item))
        .collect();
    match reduce(whole, &names) {
        Some(reduced) => Ok(reduced),
        // Of an error the status is told, and no text that might hold what is not granted.
        None if whole.is_empty() || status >= 400 => Ok(Vec::new()),
        None => Err(Stop::Unavailable(Unavailable::NotFilterable)),
    }
}
