//! Circuits: a live stream through the hops of the tree, sealed from end to end.
//!
//! ```text
//! origin ──header──► hop ──header──► hop ──header──► destination
//!        ◄═══════ chunks under a key only the two ends know ═══════►
//! ```
//!
//! Every hop proves the origin by its chain and signature, sees that the circuit came the way the tree says, and passes it on. What it
//! passes it cannot read. A hop that cannot go on closes the stream, and the origin tries again.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use federation::core::query;
use federation::store::{Fault, Read};
use federation::wire::{
    CIRCUIT_OPEN_VALID_MS, CIRCUIT_PROTOCOL, CircuitOpen, CircuitRequest, MAX_CIRCUIT_HEADER_BYTES,
};
use identity::{
    Certificate, Chain, Code, Direction, Domain, Member, Moment, OpeningKey, Path, Signed,
    SigningKey, VerifyKey, codec, sealing,
};
use tokio::time::timeout;

use super::channel::Channel;
pub use super::endpoint::Circuit;
use super::endpoint::Running;
use super::pairing::{self, say};
use super::slots::{Slot, Slots};
use super::splice::{IDLE_TIMEOUT, splice};
use super::wire::WireError;
use super::{CircuitStreams, FrameError, Incoming, OpenError, Transport, read_frame};
use crate::runtime::clock::Clock;
use crate::runtime::driver::random;
use crate::runtime::metrics::Metrics;

/// How long a neighbour may take to send its header after opening a stream.
pub(super) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Circuit ids remembered against replay. At 64 circuits at a time and 60 s of validity this is one a second for each.
const MAX_REMEMBERED: usize = 4_096;

/// Why there is no circuit.
#[derive(Debug, thiserror::Error)]
pub enum CircuitError {
    /// This node has no certificate.
    #[error("this node is not a member")]
    NotAMember,
    /// The other end's chain does not prove a member.
    #[error("other end: {0}")]
    Destination(#[from] identity::MembershipError),
    /// The other end is this node, or there is no way to it.
    #[error("no way from {from} to {to}")]
    NoRoute {
        /// From here.
        from: Path,
        /// To there.
        to: Path,
    },
    /// The neighbour on the way is not known or not connected.
    #[error("next hop {code}: {reason}")]
    NextHop {
        /// The neighbour.
        code: Code,
        /// Why not.
        reason: String,
    },
    /// The header is not what it must be.
    #[error("header: {0}")]
    Header(&'static str),
    /// No wire came about.
    #[error("wire: {0}")]
    Wire(String),
    /// Too many circuits run here, or too many of one neighbour.
    #[error("too many circuits")]
    Busy,
    /// The request could not be sealed or opened.
    #[error("{0}")]
    Sealing(String),
    /// The stream broke, which is also what a hop that cannot go on looks like.
    #[error("circuit broken: {0}")]
    Broken(String),
    /// Ours.
    #[error("{0}")]
    Fault(String),
}

impl From<FrameError> for CircuitError {
    fn from(error: FrameError) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<WireError> for CircuitError {
    fn from(error: WireError) -> Self {
        Self::Wire(error.to_string())
    }
}

impl From<Fault> for CircuitError {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault.to_string())
    }
}

/// What a node needs to open, pass on and answer circuits.
pub struct Circuits {
    signing: SigningKey,
    opening: Vec<OpeningKey>,
    root: VerifyKey,
    clock: Clock,
    store: Arc<dyn Read + Send + Sync>,
    transport: Transport,
    metrics: Arc<Metrics>,
    slots: Slots,
    remembered: Mutex<HashMap<[u8; 16], Moment>>,
}

impl std::fmt::Debug for Circuits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Circuits")
            .field("free", &self.slots.free())
            .finish_non_exhaustive()
    }
}

/// A circuit that ends here.
#[derive(Debug)]
pub struct Arrival {
    /// Who asks, proved.
    pub from: Member,
    /// What is asked.
    pub request: CircuitRequest,
    /// The way back.
    pub circuit: Circuit,
}

/// A header as it came, with its origin proved.
struct Verified {
    open: CircuitOpen,
    origin: Member,
}

impl Circuits {
    /// Circuits over `transport`, at most `limit` at a time, a part of them for each neighbour.
    pub fn new(
        keys: (SigningKey, Vec<OpeningKey>, VerifyKey),
        clock: Clock,
        store: Arc<dyn Read + Send + Sync>,
        transport: Transport,
        metrics: Arc<Metrics>,
        limit: u32,
    ) -> Self {
        let (signing, opening, root) = keys;
        let slots = Slots::new(limit);
        Self {
            signing,
            opening,
            root,
            clock,
            store,
            transport,
            metrics,
            slots,
            remembered: Mutex::default(),
        }
    }

    /// Opens a circuit to the node that `to` proves.
    ///
    /// # Errors
    /// [`CircuitError`]; all but `Destination` and `NoRoute` may be tried again.
    pub async fn open(
        &self,
        to: &Member,
        request: &CircuitRequest,
    ) -> Result<Circuit, CircuitError> {
        let slot = self.slots.own().await.ok_or(CircuitError::Busy)?;
        let (chain, me) = self.me()?;
        let mut id = [0; 16];
        random(&mut id);
        let mut entropy = [0; 32];
        random(&mut entropy);
        let (from, to_place, at) = (me.place().clone(), to.place().clone(), self.clock.now());
        let bound = codec::encode(&(id, &from, &to_place, at));
        let sealing_key = &to.certificate().sealing_key;
        let sealed = sealing::seal(
            sealing_key,
            CIRCUIT_PROTOCOL.as_bytes(),
            &bound,
            &codec::encode(request),
            entropy,
        )
        .map_err(|error| CircuitError::Sealing(error.to_string()))?;
        let open = CircuitOpen {
            id,
            from: from.clone(),
            to: to_place.clone(),
            at,
            sealed,
        };
        let header = codec::encode(&(Signed::sign(&open, Domain::Circuit, &self.signing), chain));
        let stream = self.next_stream(&me, &from, &to_place, &header).await?;
        Ok(Circuit::new(
            id,
            stream,
            request.key,
            Direction::Forward,
            slot,
            Running::new(&self.metrics),
        ))
    }

    /// The member a chain proves now.
    ///
    /// # Errors
    /// [`CircuitError::Destination`] when it proves none.
    pub fn verify(&self, chain: &Chain) -> Result<Member, CircuitError> {
        let revoked = |issuer: &Code, serial: u64| query::is_revoked(&*self.store, issuer, serial);
        Ok(chain.verify(&self.root, self.clock.now(), &revoked)?)
    }

    /// Takes circuit streams as they come, until the transport closes; each that ends here is given to `arrived`.
    pub async fn accept<F>(self: Arc<Self>, mut streams: CircuitStreams, arrived: F)
    where
        F: Fn(Arrival) + Send + Sync + Clone + 'static,
    {
        while let Some(incoming) = streams.next().await {
            let Some(slot) = self.slots.neighbour(incoming.neighbour) else {
                tracing::warn!("circuit refused: {}", CircuitError::Busy);
                continue;
            };
            let (circuits, arrived) = (Arc::clone(&self), arrived.clone());
            tokio::spawn(async move {
                match circuits.take(incoming, slot).await {
                    Ok(Some(arrival)) => arrived(arrival),
                    Ok(None) => {}
                    Err(error) => tracing::info!(%error, "circuit refused"),
                }
            });
        }
    }

    async fn take(&self, incoming: Incoming, slot: Slot) -> Result<Option<Arrival>, CircuitError> {
        let Incoming {
            neighbour,
            mut stream,
            by_wire,
        } = incoming;
        let header = timeout(
            HEADER_TIMEOUT,
            read_frame(&mut stream, MAX_CIRCUIT_HEADER_BYTES),
        )
        .await;
        let header = header
            .map_err(|_| CircuitError::Header("did not come"))??
            .ok_or(CircuitError::Header("did not come"))?;
        let verified = self.verify_header(&header)?;
        let (_, me) = self.me()?;
        let before = self.check_way(&me, &verified.open, &neighbour)?;
        let stream = match by_wire {
            true => {
                pairing::pair(self.transport.wires(), is_parent(&me, before), &mut stream).await?
            }
            false => Channel::Connection(stream),
        };
        let running = Running::new(&self.metrics);
        if verified.open.to == *me.place() {
            return self.arrive(verified, stream, slot, running).map(Some);
        }
        let next = self
            .next_stream(&me, me.place(), &verified.open.to, &header)
            .await?;
        let moved = AtomicU64::new(0);
        let ended = splice(stream, next, &moved, IDLE_TIMEOUT).await;
        self.metrics.circuit_bytes.inc_by(moved.into_inner());
        drop((slot, running));
        ended
            .map(|()| None)
            .map_err(|error| CircuitError::Broken(error.to_string()))
    }

    fn verify_header(&self, header: &[u8]) -> Result<Verified, CircuitError> {
        let (signed, chain): (Signed<CircuitOpen>, Chain) =
            codec::decode(header, MAX_CIRCUIT_HEADER_BYTES)
                .map_err(|_| CircuitError::Header("malformed"))?;
        let origin = self.verify(&chain)?;
        let open = signed
            .verify(
                Domain::Circuit,
                origin.signing_key(),
                MAX_CIRCUIT_HEADER_BYTES,
            )
            .map_err(|_| CircuitError::Header("not signed by its origin"))?;
        if open.from != *origin.place() {
            return Err(CircuitError::Header("from another place than its origin's"));
        }
        if self.clock.now().millis_since(open.at).saturating_abs() > CIRCUIT_OPEN_VALID_MS {
            return Err(CircuitError::Header("too old, or from the future"));
        }
        Ok(Verified { open, origin })
    }

    /// A circuit comes from the neighbour that is before this node on the way from its origin: so none goes in circles.
    fn check_way(
        &self,
        me: &Member,
        open: &CircuitOpen,
        neighbour: &[u8; 32],
    ) -> Result<Code, CircuitError> {
        let way = Path::route(&open.from, &open.to);
        let here = way
            .iter()
            .position(|code| *code == me.code())
            .filter(|here| *here > 0);
        let before = here
            .and_then(|here| way.get(here - 1))
            .ok_or(CircuitError::Header("this node is not on its way"))?;
        match self.neighbour_key(me, before)? {
            Some(key) if key == *neighbour => Ok(*before),
            _ => Err(CircuitError::Header(
                "came from a neighbour that is not on its way",
            )),
        }
    }

    fn arrive(
        &self,
        verified: Verified,
        stream: Channel,
        slot: Slot,
        running: Running,
    ) -> Result<Arrival, CircuitError> {
        let Verified { open, origin } = verified;
        self.remember(open.id)?;
        let key = self
            .opening
            .iter()
            .find(|key| key.id() == open.sealed.key_id);
        let key = key.ok_or_else(|| {
            CircuitError::Sealing("sealed to a key this node no longer has".into())
        })?;
        let bound = codec::encode(&(open.id, &open.from, &open.to, open.at));
        let plain = sealing::open(key, CIRCUIT_PROTOCOL.as_bytes(), &bound, &open.sealed)
            .map_err(|error| CircuitError::Sealing(error.to_string()))?;
        let request: CircuitRequest = codec::decode(&plain, MAX_CIRCUIT_HEADER_BYTES)
            .map_err(|_| CircuitError::Header("malformed request"))?;
        let circuit = Circuit::new(
            open.id,
            stream,
            request.key,
            Direction::Backward,
            slot,
            running,
        );
        Ok(Arrival {
            from: origin,
            request,
            circuit,
        })
    }

    /// A header works once.
    fn remember(&self, id: [u8; 16]) -> Result<(), CircuitError> {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = self.clock.now();
        // Twice the validity, as a header may come from a clock that is ahead.
        remembered.retain(|_, at| now.millis_since(*at) <= 2 * CIRCUIT_OPEN_VALID_MS);
        if remembered.len() >= MAX_REMEMBERED {
            return Err(CircuitError::Busy);
        }
        match remembered.insert(id, now) {
            None => Ok(()),
            Some(_) => Err(CircuitError::Header("replayed")),
        }
    }

    fn me(&self) -> Result<(Chain, Member), CircuitError> {
        let chain = query::own_chain(&*self.store)?.ok_or(CircuitError::NotAMember)?;
        let me = self.verify(&chain).map_err(|_| CircuitError::NotAMember)?;
        Ok((chain, me))
    }

    async fn next_stream(
        &self,
        me: &Member,
        from: &Path,
        to: &Path,
        header: &[u8],
    ) -> Result<Channel, CircuitError> {
        let code = from.next_hop(to).ok_or_else(|| CircuitError::NoRoute {
            from: from.clone(),
            to: to.clone(),
        })?;
        let next = |reason: String| CircuitError::NextHop { code, reason };
        let key = self
            .neighbour_key(me, &code)?
            .ok_or_else(|| next("not known here".into()))?;
        let is_parent = is_parent(me, code);
        if self.transport.has_wire(is_parent) {
            match pairing::open(&self.transport, is_parent, key, header).await {
                Ok(wire) => return Ok(wire),
                Err(error) => {
                    tracing::info!(%code, %error, "no wire, the circuit goes over the connection");
                }
            }
        }
        let opened = self.transport.open_circuit(key, CIRCUIT_PROTOCOL).await;
        let mut stream = opened.map_err(|error: OpenError| next(error.to_string()))?;
        say(&mut stream, header).await?;
        Ok(Channel::Connection(stream))
    }

    /// The transport key of the parent or of a certified child.
    fn neighbour_key(&self, me: &Member, code: &Code) -> Result<Option<[u8; 32]>, CircuitError> {
        if let Some(parent) = parent(me).filter(|parent| parent.code() == *code) {
            return Ok(Some(parent.transport_key));
        }
        let Some((chain, _)) = query::chain(&*self.store, *code)? else {
            return Ok(None);
        };
        let child = self
            .verify(&chain)
            .ok()
            .filter(|child| child.place().parent().as_ref() == Some(me.place()));
        Ok(child.map(|child| child.certificate().transport_key))
    }
}

/// The certificate of a member's parent.
fn parent(me: &Member) -> Option<&Certificate> {
    me.certificates().iter().rev().nth(1)
}

/// Whether a neighbour of `me` is its parent.
fn is_parent(me: &Member, neighbour: Code) -> bool {
    parent(me).is_some_and(|parent| parent.code() == neighbour)
}
