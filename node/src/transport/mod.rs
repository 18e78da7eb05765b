//! Connections to neighbours: libp2p over TCP, Noise and Yamux.
//!
//! A child dials its parent and keeps one connection; a parent never dials. Only holders of the transport keys that the core names
//! ([`Transport::set_neighbours`]) are let in. Everything a neighbour says arrives in the core's [`Inbox`]; what the core sends goes into a
//! bounded queue for each link, and a link whose queue is full is closed: the core derives again what was lost.

mod channel;
pub mod circuit;
mod dial;
mod endpoint;
mod framing;
mod link;
mod listen;
mod pairing;
mod slots;
mod splice;
mod swarm;
mod wire;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use federation::core::LinkId;
use federation::wire::{CIRCUIT_PROTOCOL, CIRCUIT_WIRE_PROTOCOL, LINK_PROTOCOL};
use futures::StreamExt;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol};
use libp2p_stream::{Control, IncomingStreams};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::wire::Wires;
use crate::runtime::inbox::Inbox;
use crate::runtime::metrics::Metrics;

pub use framing::{FrameError, read_frame, write_frame};

/// Frames that may wait for one neighbour: the envelope window and as many answers to its own questions several times over.
pub const SEND_QUEUE_FRAMES: usize = 256;
/// Bytes that may wait for one neighbour: a full window of the largest envelopes and as much again of segments.
pub const SEND_QUEUE_BYTES: usize =
    2 * federation::wire::ENVELOPE_WINDOW * federation::wire::MAX_ENVELOPE_BYTES;
/// How long opening a stream to a connected neighbour may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the listener may take to tell its address.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(5);

/// What the transport is told at its start.
#[derive(Clone)]
pub struct TransportConfig {
    /// Seed of the transport key (ed25519), the one named in the node's certificate.
    pub seed: [u8; 32],
    /// Where to listen.
    pub listen: Multiaddr,
    /// Whom to dial; none at the hub.
    pub parent: Option<Multiaddr>,
    /// Where children's wires come in; none where circuits with children stay on the connection.
    pub wire_listen: Option<Multiaddr>,
    /// The parent's `wire_listen`; none where circuits with the parent stay on the connection.
    pub wire_parent: Option<Multiaddr>,
    /// Most established connections.
    pub connections: u32,
    /// Most connections in their handshake.
    pub pending_connections: u32,
    /// Resident bytes above which no connection is taken.
    pub memory_bytes: u64,
}

impl std::fmt::Debug for TransportConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TransportConfig")
            .field("listen", &self.listen)
            .field("parent", &self.parent)
            .finish_non_exhaustive()
    }
}

/// Why the transport did not start.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// The transport key is no key.
    #[error("transport key: {0}")]
    Key(String),
    /// The address cannot be listened on: taken, not of this machine, or not TCP.
    #[error("无法监听 {address} / cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system says.
        reason: String,
    },
    /// A layer could not be built.
    #[error("transport: {0}")]
    Setup(String),
}

/// Why a stream to a neighbour was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no connection to this neighbour now.
    #[error("neighbour not connected")]
    NotConnected,
    /// It did not answer in time.
    #[error("neighbour did not answer")]
    Timeout,
    /// It refused or failed.
    #[error("{0}")]
    Refused(#[from] libp2p_stream::OpenStreamError),
}

/// The transport in the hands of the driver and of circuits.
#[derive(Clone)]
pub struct Transport {
    links: Arc<Links>,
    neighbours: watch::Sender<Vec<[u8; 32]>>,
    addresses: watch::Receiver<Vec<Multiaddr>>,
    control: Control,
    wires: Arc<Wires>,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport")
            .field("addresses", &*self.addresses.borrow())
            .finish_non_exhaustive()
    }
}

/// A transport that runs until `stop` is cancelled.
#[derive(Debug)]
pub struct Running {
    /// Its handle.
    pub transport: Transport,
    /// Streams that neighbours open for circuits; must be polled promptly, what is not taken at once is dropped.
    pub circuits: CircuitStreams,
    /// Ends when the transport has closed.
    pub task: JoinHandle<()>,
}

/// Incoming circuit streams with their neighbour's transport key.
pub struct CircuitStreams {
    over_connection: IncomingStreams,
    /// None where no wire is configured: neighbours that ask for one learn it from their own libp2p.
    over_wire: Option<IncomingStreams>,
}

/// A stream that a neighbour opened for a circuit.
#[derive(Debug)]
pub struct Incoming {
    /// The neighbour's transport key.
    pub neighbour: [u8; 32],
    /// Where its header comes from.
    pub(crate) stream: Stream,
    /// Whether the circuit is to go over a wire.
    pub(crate) by_wire: bool,
}

impl std::fmt::Debug for CircuitStreams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CircuitStreams")
    }
}

impl CircuitStreams {
    /// The next stream; `None` when the transport has closed.
    pub async fn next(&mut self) -> Option<Incoming> {
        loop {
            let over_wire = async {
                match &mut self.over_wire {
                    Some(streams) => streams.next().await,
                    None => std::future::pending().await,
                }
            };
            let (by_wire, (peer, stream)) = tokio::select! {
                next = self.over_connection.next() => (false, next?),
                next = over_wire => (true, next?),
            };
            if let Some(neighbour) = transport_key(&peer) {
                return Some(Incoming {
                    neighbour,
                    stream,
                    by_wire,
                });
            }
        }
    }
}

/// Starts listening and, when there is a parent, dialling.
///
/// # Errors
/// [`TransportError`]; an address in use is one.
pub async fn start(
    config: TransportConfig,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) -> Result<Running, TransportError> {
    let links = Arc::new(Links::default());
    let (neighbours, wanted) = watch::channel(Vec::new());
    let (address_sender, mut addresses) = watch::channel(Vec::new());
    let listen = config.listen.clone();
    let wires = start_wires(&config, stop.clone()).await?;
    let mut swarm = swarm::Network::new(
        config,
        inbox,
        metrics,
        Arc::clone(&links),
        wanted,
        address_sender,
        stop,
    )?;
    let mut control = swarm.control();
    let mut accept = |protocol| {
        let accepted = control.accept(StreamProtocol::new(protocol));
        accepted.map_err(|error| TransportError::Setup(error.to_string()))
    };
    let circuits = CircuitStreams {
        over_connection: accept(CIRCUIT_PROTOCOL)?,
        over_wire: (wires.listening().is_some() || wires.to_parent())
            .then(|| accept(CIRCUIT_WIRE_PROTOCOL))
            .transpose()?,
    };
    let incoming = accept(LINK_PROTOCOL)?;
    swarm.listen()?;
    let task = tokio::spawn(swarm.run(incoming));
    let listening = timeout(
        LISTEN_TIMEOUT,
        addresses.wait_for(|known: &Vec<Multiaddr>| !known.is_empty()),
    )
    .await
    .is_ok_and(|known| known.is_ok());
    if !listening {
        return Err(TransportError::Listen {
            address: listen,
            reason: "the listener did not come up".into(),
        });
    }
    Ok(Running {
        transport: Transport {
            links,
            neighbours,
            addresses,
            control,
            wires,
        },
        circuits,
        task,
    })
}

async fn start_wires(
    config: &TransportConfig,
    stop: CancellationToken,
) -> Result<Arc<Wires>, TransportError> {
    let listen = config.wire_listen.as_ref();
    let started = Wires::start(listen, config.wire_parent.clone(), stop).await;
    started.map_err(|error| TransportError::Listen {
        address: listen.cloned().unwrap_or_else(Multiaddr::empty),
        reason: error.to_string(),
    })
}

impl Transport {
    /// Where children can connect to.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        self.addresses.borrow().clone()
    }

    /// Where children's wires come in, if they do.
    pub fn wire_address(&self) -> Option<SocketAddr> {
        self.wires.listening()
    }

    /// Lets in the holders of exactly these transport keys; connections of others end.
    pub fn set_neighbours(&self, keys: Vec<[u8; 32]>) {
        self.neighbours.send_replace(keys);
    }

    /// Puts a frame into a link's queue and never waits. A link that is gone swallows it; one whose queue is full is closed.
    pub fn send(&self, link: LinkId, frame: Vec<u8>) {
        let links = self.links.lock();
        let Some(entry) = links.get(&link) else {
            return;
        };
        let waiting = entry
            .waiting
            .fetch_add(frame.len(), Ordering::Relaxed)
            .saturating_add(frame.len());
        if waiting > SEND_QUEUE_BYTES || entry.frames.try_send(frame).is_err() {
            tracing::warn!(link = link.0, waiting, "send queue full, closing the link");
            entry.cancel.cancel();
        }
    }

    /// Closes a link once what waits in its queue is written; the core is told by `LinkDown`.
    pub fn close(&self, link: LinkId) {
        if let Some(entry) = self.links.lock().get(&link) {
            entry.closing.cancel();
        }
    }

    /// Closes every link: the driver has lost what it was about to say.
    pub fn close_all(&self) {
        for entry in self.links.lock().values() {
            entry.cancel.cancel();
        }
    }

    /// Whether circuits with the parent, or else with children, may go over wires.
    pub(crate) fn has_wire(&self, with_parent: bool) -> bool {
        match with_parent {
            true => self.wires.to_parent(),
            false => self.wires.listening().is_some(),
        }
    }

    /// The wires of this node.
    const fn wires(&self) -> &Arc<Wires> {
        &self.wires
    }

    /// Opens a stream of a circuit protocol to the neighbour with this transport key.
    ///
    /// # Errors
    /// [`OpenError`]; all of them may be tried again.
    pub async fn open_circuit(
        &self,
        transport_key: [u8; 32],
        protocol: &'static str,
    ) -> Result<Stream, OpenError> {
        let peer = peer_id(&transport_key)
            .filter(|peer| self.links.lock().values().any(|entry| entry.peer == *peer));
        let peer = peer.ok_or(OpenError::NotConnected)?;
        let mut control = self.control.clone();
        let opening = control.open_stream(peer, StreamProtocol::new(protocol));
        Ok(timeout(OPEN_TIMEOUT, opening)
            .await
            .map_err(|_| OpenError::Timeout)??)
    }
}

/// The links that are up, by number.
#[derive(Default)]
struct Links(Mutex<HashMap<LinkId, LinkEntry>>);

impl Links {
    fn lock(&self) -> MutexGuard<'_, HashMap<LinkId, LinkEntry>> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// What the sending side knows of a link.
struct LinkEntry {
    peer: PeerId,
    frames: mpsc::Sender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    /// Ends the link when its queue is written.
    closing: CancellationToken,
    /// Ends the link at once.
    cancel: CancellationToken,
}

/// The transport key that a peer's identity is.
fn transport_key(peer: &PeerId) -> Option<[u8; 32]> {
    let encoded = peer.as_ref().digest();
    let key = PublicKey::try_decode_protobuf(encoded).ok()?;
    key.try_into_ed25519().ok().map(|key| key.to_bytes())
}

/// The peer that holds a transport key.
fn peer_id(transport_key: &[u8; 32]) -> Option<PeerId> {
    let key = ed25519::PublicKey::try_from_bytes(transport_key).ok()?;
    Some(PublicKey::from(key).to_peer_id())
}

/// The identity that libp2p proves in its handshake.
fn keypair(seed: [u8; 32]) -> Result<Keypair, TransportError> {
    Keypair::ed25519_from_bytes(seed).map_err(|error| TransportError::Key(error.to_string()))
}

/// The public half of a transport key, as a certificate names it.
///
/// # Errors
/// [`TransportError::Key`] when the seed is no key.
pub fn transport_public(seed: [u8; 32]) -> Result<[u8; 32], TransportError> {
    let public = keypair(seed)?.public().try_into_ed25519();
    public
        .map(|key| key.to_bytes())
        .map_err(|error| TransportError::Key(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_transport_key() {
        let public = transport_public([7; 32]).unwrap();
        let peer = peer_id(&public).unwrap();
        assert_eq!(transport_key(&peer), Some(public));
        assert_eq!(keypair([7; 32]).unwrap().public().to_peer_id(), peer);
    }

    #[test]
    fn bytes_that_are_no_key_name_no_peer() {
        let not_on_the_curve = (0..=255u8)
            .map(|b| [b; 32])
            .find(|bytes| ed25519::PublicKey::try_from_bytes(bytes).is_err())
            .unwrap();
        assert_eq!(peer_id(&not_on_the_curve), None);
    }
}
