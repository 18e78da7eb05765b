//! The requester's end: a call on record, over a circuit, and an answer that is the one the provider's node signed for.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use federation::core::{CallEnd, CallGrant, CallSide, Input, Refused, authorise_call, query};
use federation::service::{
    CallAnswer, CallCut, CallHead, CallId, CallMethod, CallReceipt, CallTarget, CallWord,
    HeaderText, MAX_DATA_BYTES, MAX_REQUEST_BYTES, MAX_WORD_BYTES, Piece,
};
use federation::wire::{CircuitRequest, CircuitWants};
use futures::StreamExt;
use futures::stream::BoxStream;
use identity::{Digest, Domain, Path, Signed, VerifyKey};
use sharing::docket::DocketId;
use tokio::sync::oneshot;
use tokio::time::{Interval, timeout};

use super::asker::{Answered, Asker, CallError, stopping};
use super::line::{Broken, Line};
use super::pool::Room;
use super::{Shared, answering, grant_checks};
use crate::runtime::driver::random;

/// Longest time until a call's answer begins, where no body has to be sent first: a backend's longest silence and the way there.
pub const HEAD_TIME: Duration = Duration::from_secs(29);
/// A request's body.
pub type AskBody = BoxStream<'static, Result<Bytes, String>>;

/// A call, as a program asks for it.
pub struct Ask {
    /// The docket that gives the right.
    pub docket: DocketId,
    /// For what: a granted purpose.
    pub purpose: String,
    /// The data items wanted; none stands for all that are granted.
    pub fields: Vec<String>,
    /// How.
    pub method: CallMethod,
    /// Where.
    pub target: CallTarget,
    /// Of the body.
    pub content_type: Option<HeaderText>,
    /// What is taken as an answer.
    pub accept: Option<HeaderText>,
    /// The body.
    pub body: Option<AskBody>,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ask({})", self.docket)
    }
}

/// Makes a call; what comes after the answer's head comes while it is read.
pub(super) async fn call(shared: &Arc<Shared>, ask: Ask) -> Result<Answered, CallError> {
    let (told, answered) = oneshot::channel();
    let (running, waits) = (Arc::clone(shared), ask.body.is_none());
    shared.spawn(async move { run(&running, ask, Asker::new(told)).await });
    let answered = if waits {
        // Whoever waits no longer hangs up, and the call ends.
        let answered = timeout(HEAD_TIME, answered).await;
        answered.map_err(|_| CallError::Timeout)?
    } else {
        answered.await
    };
    answered.unwrap_or_else(|_| Err(stopping()))
}

async fn run(shared: &Arc<Shared>, ask: Ask, mut asker: Asker) {
    let mut id = [0; 32];
    random(&mut id);
    let head = CallHead {
        id: CallId(Digest::from_bytes(id)),
        docket: ask.docket,
        purpose: ask.purpose,
        fields: ask.fields,
        method: ask.method,
        target: ask.target,
        content_type: ask.content_type,
        accept: ask.accept,
        body: ask.body.is_some(),
    };
    let (here, grant) = match begin(shared, &head).await {
        Ok(begun) => begun,
        Err(error) => return asker.fail(error),
    };
    let end = match connect(shared, &here, &grant).await {
        Ok((line, key, room)) => {
            let mut exchange = Exchange {
                shared,
                here: &here,
                head: &head,
                key,
                line,
                asker,
                check: grant_checks(),
                bytes: 0,
            };
            let end = exchange.run(ask.body).await;
            let Exchange { line, asker, .. } = exchange;
            if let Some(room) = room.filter(|_| leaves_line(&end, &head)) {
                room.keep(line);
            }
            shared.ended(&head, CallSide::Asked, end).await;
            // Only now: what a program has whole is on its way to the record.
            asker.finish().await;
            return;
        }
        Err(error) => {
            asker.fail(error);
            CallEnd::Lost { bytes: 0 }
        }
    };
    shared.ended(&head, CallSide::Asked, end).await;
}

/// Whether the line can carry the next call: the other end has said all and waits for it.
fn leaves_line(end: &CallEnd, head: &CallHead) -> bool {
    match end {
        CallEnd::Whole { .. } | CallEnd::Refused(_) | CallEnd::TooMany => true,
        CallEnd::Unavailable(_) => !head.body,
        CallEnd::Cancelled { .. }
        | CallEnd::Cut { .. }
        | CallEnd::Lost { .. }
        | CallEnd::Mismatch { .. } => false,
    }
}

/// Has the call on record here; gives this node's place and what is allowed.
async fn begin(shared: &Shared, head: &CallHead) -> Result<(Path, CallGrant), CallError> {
    let begun = shared.desk.ask(|token| Input::CallBegun {
        token,
        side: CallSide::Asked,
        from: None,
        head: Box::new(head.clone()),
    });
    let refused = |refused: Refused| match refused {
        Refused::Lawful(refusal) => CallError::Refused {
            side: CallSide::Asked,
            refusal,
        },
        other => CallError::Here(other),
    };
    begun.await.map_err(refused)?;
    let fault = |fault: String| CallError::Here(Refused::Fault(fault));
    let place = query::node(&*shared.store)
        .map_err(|it| fault(it.to_string()))?
        .place;
    let here = place.ok_or_else(|| fault("no place".into()))?;
    let grant = authorise_call(&*shared.store, &here, head, shared.clock.now());
    let grant = grant.map_err(|it| fault(it.to_string()))?;
    let grant = grant.map_err(|refusal| refused(Refused::Lawful(refusal)))?;
    Ok((here, grant))
}

/// A line to the provider's node, and the key under which it signs.
async fn connect(
    shared: &Arc<Shared>,
    here: &Path,
    grant: &CallGrant,
) -> Result<(Line, VerifyKey, Option<Room>), CallError> {
    if grant.provider == *here {
        let (line, other) = Line::pair();
        let (answering, from) = (Arc::clone(shared), here.clone());
        shared.spawn(async move { answering::answer(&answering, &from, other).await });
        return Ok((line, shared.signing.verify_key(), None));
    }
    let unreachable = |reason: String| CallError::Unreachable(reason);
    let code = grant.provider.code();
    let chain = query::chain(&*shared.store, code).map_err(|it| unreachable(it.to_string()))?;
    let (chain, _) =
        chain.ok_or_else(|| unreachable(format!("the chain of {code} is not known here yet")))?;
    let provider = shared.circuits.verify(&chain);
    let provider = provider.map_err(|error| unreachable(error.to_string()))?;
    let key = *provider.signing_key();
    let room = shared.pool.room(code).await.ok_or(CallError::Busy)?;
    if let Some(line) = room.kept() {
        return Ok((line, key, Some(room)));
    }
    let mut circuit_key = [0; 32];
    random(&mut circuit_key);
    let request = CircuitRequest {
        key: circuit_key,
        wants: CircuitWants::Calls,
    };
    let circuit = shared.circuits.open(&provider, &request).await;
    let circuit = circuit.map_err(|error| unreachable(error.to_string()))?;
    Ok((Line::Far(Box::new(circuit)), key, Some(room)))
}

/// One call under way.
struct Exchange<'a> {
    shared: &'a Shared,
    here: &'a Path,
    head: &'a CallHead,
    key: VerifyKey,
    line: Line,
    asker: Asker,
    /// When the grant is looked at again.
    check: Interval,
    /// Bytes of the answer so far.
    bytes: u64,
}

/// What comes next in a call.
enum Next {
    Piece(Piece),
    Broken(Broken),
    /// The program hung up.
    Gone,
    Cut(CallCut),
}

impl Exchange<'_> {
    async fn run(&mut self, body: Option<AskBody>) -> CallEnd {
        let head = Piece::Head(Box::new(self.head.clone()));
        if let Err(broken) = self.line.send(&head).await {
            return self.lost(broken);
        }
        let sent = match body {
            None => Ok(Digest::object(b"")),
            Some(body) => self.send_body(body).await,
        };
        match sent {
            Ok(body) => self.receive(self.head.request_digest(&body)).await,
            Err(end) => end,
        }
    }

    /// Sends the body once the other end says so; gives its digest.
    async fn send_body(&mut self, mut body: AskBody) -> Result<Digest, CallEnd> {
        match self.word().await? {
            CallWord::Proceed => {}
            other => return Err(self.denied(other)),
        }
        let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
        while let Some(chunk) = body.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(reason) => {
                    self.asker.fail(CallError::Interrupted(reason));
                    return Err(CallEnd::Cancelled { bytes: 0 });
                }
            };
            bytes += chunk.len() as u64;
            if bytes > MAX_REQUEST_BYTES {
                self.asker.fail(CallError::RequestTooLarge);
                return Err(CallEnd::Cancelled { bytes: 0 });
            }
            hasher.update(&chunk);
            for part in chunk.chunks(MAX_DATA_BYTES) {
                let sent = self.line.send(&Piece::Data(part.to_vec())).await;
                sent.map_err(|broken| self.lost(broken))?;
            }
        }
        let ended = self.line.send(&Piece::EndOfRequest).await;
        ended.map_err(|broken| self.lost(broken))?;
        Ok(Digest::from_bytes(*hasher.finalize().as_bytes()))
    }

    /// What the provider's node says next, where nothing else may come.
    async fn word(&mut self) -> Result<CallWord, CallEnd> {
        match self.next().await {
            Next::Piece(Piece::Word(signed)) => match self.said(&signed) {
                Some(word) => Ok(word),
                None => Err(self.lost(Broken("not signed by the provider's node".into()))),
            },
            Next::Piece(_) => Err(self.lost(Broken("an answer in another order".into()))),
            Next::Broken(broken) => Err(self.lost(broken)),
            Next::Gone => Err(CallEnd::Cancelled { bytes: self.bytes }),
            Next::Cut(cut) => Err(self.cut(cut, CallSide::Asked)),
        }
    }

    fn said(&self, signed: &Signed<CallAnswer>) -> Option<CallWord> {
        let answer = signed
            .verify(Domain::Call, &self.key, MAX_WORD_BYTES)
            .ok()?;
        (answer.call == self.head.id).then_some(answer.word)
    }

    /// Receives the answer to its end.
    async fn receive(&mut self, request: Digest) -> CallEnd {
        let status = match self.word().await {
            Ok(CallWord::Head {
                status,
                content_type,
            }) => {
                self.asker.begin(self.head.id, status, content_type);
                status
            }
            Ok(other) => return self.denied(other),
            Err(end) => return end,
        };
        let mut hasher = blake3::Hasher::new();
        loop {
            match self.next().await {
                Next::Piece(Piece::Data(chunk)) => {
                    hasher.update(&chunk);
                    self.bytes += chunk.len() as u64;
                    if !self.asker.give(chunk).await {
                        return CallEnd::Cancelled { bytes: self.bytes };
                    }
                }
                Next::Piece(Piece::Word(signed)) => {
                    let response = Digest::from_bytes(*hasher.finalize().as_bytes());
                    return self.concluded(signed, (request, status, response));
                }
                Next::Piece(Piece::Head(_) | Piece::EndOfRequest) => {
                    return self.lost(Broken("an answer in another order".into()));
                }
                Next::Broken(broken) => return self.lost(broken),
                Next::Gone => return CallEnd::Cancelled { bytes: self.bytes },
                Next::Cut(cut) => return self.cut(cut, CallSide::Asked),
            }
        }
    }

    /// The provider's last word: good only when it is under exactly what came, for exactly what was asked.
    fn concluded(
        &mut self,
        signed: Signed<CallAnswer>,
        (request, status, response): (Digest, u16, Digest),
    ) -> CallEnd {
        let bytes = self.bytes;
        match self.said(&signed) {
            Some(CallWord::End(receipt)) if is_for(&receipt, request, status, response, bytes) => {
                CallEnd::Whole { receipt: signed }
            }
            Some(CallWord::Cut(cut)) => self.cut(cut, CallSide::Answered),
            Some(CallWord::End(_)) => {
                let reason = "the answer is not the one that was sent".to_owned();
                self.asker.fail(CallError::Unreachable(reason));
                CallEnd::Mismatch { bytes }
            }
            _ => self.lost(Broken("an answer in another order".into())),
        }
    }

    /// Waits for the other end, the grant and the program, whichever comes first.
    async fn next(&mut self) -> Next {
        // A piece that has come in part is not to be lost.
        let mut receiving = pin!(self.line.receive());
        loop {
            tokio::select! {
                received = &mut receiving => return match received {
                    Ok(piece) => Next::Piece(piece),
                    Err(broken) => Next::Broken(broken),
                },
                _ = self.check.tick() => {
                    if let Some(objection) = self.shared.objection(self.here, self.head) {
                        return Next::Cut(objection.into());
                    }
                }
                () = self.asker.gone() => return Next::Gone,
            }
        }
    }

    fn lost(&mut self, broken: Broken) -> CallEnd {
        self.asker.fail(CallError::Unreachable(broken.0));
        CallEnd::Lost { bytes: self.bytes }
    }

    fn cut(&mut self, cut: CallCut, side: CallSide) -> CallEnd {
        self.asker.fail(match cut.clone() {
            CallCut::Refused(refusal) => CallError::Refused { side, refusal },
            CallCut::Broken(unavailable) => CallError::Unavailable(unavailable),
        });
        let bytes = self.bytes;
        CallEnd::Cut { bytes, cut }
    }

    /// The other end does not answer the call.
    fn denied(&mut self, word: CallWord) -> CallEnd {
        let (error, end) = match word {
            CallWord::Refused(refusal) => {
                let side = CallSide::Answered;
                let end = CallEnd::Refused(refusal.clone());
                (CallError::Refused { side, refusal }, end)
            }
            CallWord::TooMany { retry_after_s } => {
                (CallError::TooMany { retry_after_s }, CallEnd::TooMany)
            }
            CallWord::Unavailable(unavailable) => (
                CallError::Unavailable(unavailable),
                CallEnd::Unavailable(unavailable),
            ),
            CallWord::Proceed | CallWord::Head { .. } | CallWord::End(_) | CallWord::Cut(_) => {
                return self.lost(Broken("an answer in another order".into()));
            }
        };
        self.asker.fail(error);
        end
    }
}

fn is_for(
    receipt: &CallReceipt,
    request: Digest,
    status: u16,
    response: Digest,
    bytes: u64,
) -> bool {
    receipt.request == request
        && receipt.status == status
        && receipt.response == response
        && receipt.bytes == bytes
}
