//! The libp2p swarm and the task that drives it.

use std::collections::{HashMap, HashSet};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use federation::core::LinkId;
use futures::StreamExt;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Stream, Swarm, SwarmBuilder, noise, ping, tcp, yamux};
use libp2p_allow_block_list::AllowedPeers;
use libp2p_connection_limits::ConnectionLimits;
use libp2p_stream::{Control, IncomingStreams};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::dial::{Backoff, GOOD_AFTER, resolve};
use super::link::{Link, LinkEnd};
use super::listen::{listen_reason, probe};
use super::{Links, TransportConfig, TransportError, keypair, peer_id, transport_key};
use crate::runtime::inbox::Inbox;
use crate::runtime::metrics::Metrics;

/// Connections to one neighbour: its newest, and an old one whose end has not been noticed yet.
const CONNECTIONS_PER_PEER: u32 = 2;
/// Dials under way: there is one parent.
const PENDING_DIALS: u32 = 2;
/// Links keep themselves: a connection without streams is closed by the link that failed to open them, never by idleness.
const IDLE_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 3600);
/// How often a neighbour is asked whether it is there.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// How long it may take to answer, with bulk data in front of the answer.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Streams of one connection, both ends' together: the link's two, and the circuits that each end may open. A neighbour that opens more loses
/// the connection.
const MAX_STREAMS: usize = 256;
const _: () = assert!(2 + 2 * (super::slots::MAX_CIRCUITS as usize) < MAX_STREAMS);
/// Ended links that may wait to be noticed.
const ENDED_QUEUE: usize = 64;

/// Order matters: what refuses a connection comes before what would keep state for it.
#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: libp2p_connection_limits::Behaviour,
    memory: libp2p_memory_connection_limits::Behaviour,
    allowed: libp2p_allow_block_list::Behaviour<AllowedPeers>,
    ping: ping::Behaviour,
    streams: libp2p_stream::Behaviour,
}

/// A neighbour that is connected.
struct Peer {
    /// Its newest connection.
    connection: ConnectionId,
    since: Instant,
    /// Whether this node dialled.
    dialled: bool,
    /// Gives the stream that it opens to its link.
    theirs: mpsc::Sender<Stream>,
    /// The other end of `theirs`, until the link starts: not before older connections are gone, so that streams are opened on this one.
    waiting: Option<mpsc::Receiver<Stream>>,
    /// Ends its link.
    cancel: CancellationToken,
}

/// Both ends of the queue of links that have ended.
type Ended = (
    mpsc::Sender<(ConnectionId, LinkEnd)>,
    mpsc::Receiver<(ConnectionId, LinkEnd)>,
);

type Dialling = Pin<Box<dyn Future<Output = std::io::Result<Multiaddr>> + Send>>;

pub(super) struct Network {
    swarm: Swarm<Behaviour>,
    config: TransportConfig,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    links: Arc<Links>,
    neighbours: watch::Receiver<Vec<[u8; 32]>>,
    addresses: watch::Sender<Vec<Multiaddr>>,
    stop: CancellationToken,
    peers: HashMap<PeerId, Peer>,
    next_link: u64,
    ended: Ended,
    backoff: Backoff,
    /// The next dial: a pause, then the address; `None` while one is under way or the parent is connected.
    dialling: Option<Dialling>,
    /// The dial under way.
    underway: Option<ConnectionId>,
}

impl Network {
    pub(super) fn new(
        config: TransportConfig,
        inbox: Inbox,
        metrics: Arc<Metrics>,
        links: Arc<Links>,
        neighbours: watch::Receiver<Vec<[u8; 32]>>,
        addresses: watch::Sender<Vec<Multiaddr>>,
        stop: CancellationToken,
    ) -> Result<Self, TransportError> {
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(config.pending_connections))
            .with_max_pending_outgoing(Some(PENDING_DIALS))
            .with_max_established_incoming(Some(config.connections))
            .with_max_established_outgoing(Some(CONNECTIONS_PER_PEER))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER));
        let memory = usize::try_from(config.memory_bytes).unwrap_or(usize::MAX);
        let behaviour = Behaviour {
            limits: libp2p_connection_limits::Behaviour::new(limits),
            memory: libp2p_memory_connection_limits::Behaviour::with_max_bytes(memory),
            allowed: libp2p_allow_block_list::Behaviour::default(),
            ping: ping::Behaviour::new(
                ping::Config::new()
                    .with_interval(PING_INTERVAL)
                    .with_timeout(PING_TIMEOUT),
            ),
            streams: libp2p_stream::Behaviour::new(),
        };
        let setup = |error: &dyn std::fmt::Display| TransportError::Setup(error.to_string());
        let swarm = SwarmBuilder::with_existing_identity(keypair(config.seed)?)
            .with_tokio()
            .with_tcp(
                tcp::Config::default().nodelay(true),
                noise::Config::new,
                multiplexing,
            )
            .map_err(|error| setup(&error))?
            .with_behaviour(|_| behaviour)
            .map_err(|error| setup(&error))?
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIMEOUT))
            .build();
        Ok(Self {
            swarm,
            config,
            inbox,
            metrics,
            links,
            neighbours,
            addresses,
            stop,
            peers: HashMap::new(),
            next_link: 1,
            ended: mpsc::channel(ENDED_QUEUE),
            backoff: Backoff::default(),
            dialling: None,
            underway: None,
        })
    }

    pub(super) fn control(&self) -> Control {
        self.swarm.behaviour().streams.new_control()
    }

    pub(super) fn listen(&mut self) -> Result<(), TransportError> {
        let address = self.config.listen.clone();
        let listening = match probe(&address) {
            Ok(()) => self
                .swarm
                .listen_on(address.clone())
                .map(|_| ())
                .map_err(|error| listen_reason(&error)),
            Err(error) => Err(error.to_string()),
        };
        listening.map_err(|reason| TransportError::Listen { address, reason })
    }

    pub(super) async fn run(mut self, mut incoming: IncomingStreams) {
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_event(event),
                stream = incoming.next() => match stream {
                    Some((peer, stream)) => self.on_stream(&peer, stream),
                    None => break,
                },
                Some((connection, end)) = self.ended.1.recv() => self.on_link_ended(connection, &end),
                Ok(()) = self.neighbours.changed() => self.on_neighbours(),
                address = next_address(&mut self.dialling) => {
                    self.dialling = None;
                    self.dial(address);
                }
            }
        }
        for peer in self.peers.values() {
            peer.cancel.cancel();
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                tracing::info!(%address, "listening");
                self.addresses.send_modify(|known| known.push(address));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                tracing::warn!(%address, "no longer listening");
                self.addresses
                    .send_modify(|known| known.retain(|a| *a != address));
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "listener"),
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "listener closed")
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.on_connected(peer_id, connection_id, endpoint.is_dialer());
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                tracing::info!(peer = %peer_id, cause = cause.map(|c| c.to_string()), "connection closed");
                self.on_disconnected(&peer_id, connection_id);
            }
            SwarmEvent::IncomingConnectionError {
                error,
                send_back_addr,
                ..
            } => {
                tracing::info!(from = %send_back_addr, error = chain(&error), "connection refused");
                self.metrics.connections_refused.inc();
            }
            SwarmEvent::OutgoingConnectionError {
                error,
                connection_id,
                ..
            } if self.underway == Some(connection_id) => {
                self.underway = None;
                let pause = self.dial_later();
                tracing::info!(
                    error = chain(&error),
                    retry_ms = pause.as_millis() as u64,
                    "parent not reached"
                );
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error @ (ping::Failure::Timeout | ping::Failure::Other { .. })),
            })) => {
                tracing::info!(%peer, %error, "neighbour does not answer, closing the connection");
                self.swarm.close_connection(connection);
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, id: PeerId, connection: ConnectionId, dialled: bool) {
        tracing::info!(peer = %id, dialled, "connected");
        if self.underway == Some(connection) {
            self.underway = None;
        }
        let (theirs, waiting) = mpsc::channel(1);
        let peer = Peer {
            connection,
            since: Instant::now(),
            dialled,
            theirs,
            waiting: Some(waiting),
            cancel: CancellationToken::new(),
        };
        match self.peers.insert(id, peer) {
            Some(old) => {
                tracing::info!(peer = %id, "newer connection replaces an older one");
                old.cancel.cancel();
                self.swarm.close_connection(old.connection);
            }
            None => self.start_link(&id),
        }
    }

    fn on_disconnected(&mut self, id: &PeerId, connection: ConnectionId) {
        let Some(peer) = self.peers.get(id) else {
            return;
        };
        if peer.connection != connection {
            self.start_link(id);
            return;
        }
        let Some(peer) = self.peers.remove(id) else {
            return;
        };
        peer.cancel.cancel();
        if peer.dialled {
            if peer.since.elapsed() >= GOOD_AFTER {
                self.backoff.reset();
            }
            self.dial_later();
        }
    }

    /// Starts the link of a neighbour's only connection, once.
    fn start_link(&mut self, id: &PeerId) {
        let control = self.control();
        let Some(peer) = self.peers.get_mut(id) else {
            return;
        };
        let (Some(theirs), Some(transport_key)) = (peer.waiting.take(), transport_key(id)) else {
            return;
        };
        let link = Link {
            id: LinkId(self.next_link),
            peer: *id,
            transport_key,
            control,
            inbox: self.inbox.clone(),
            links: Arc::clone(&self.links),
            metrics: Arc::clone(&self.metrics),
            cancel: peer.cancel.clone(),
            theirs,
        };
        self.next_link += 1;
        let (ended, connection) = (self.ended.0.clone(), peer.connection);
        tokio::spawn(async move {
            let end = link.run().await;
            // Nobody listens only when the transport is closing, and then the connection closes as well.
            let _ = ended.send((connection, end)).await;
        });
    }

    fn on_stream(&mut self, id: &PeerId, stream: Stream) {
        let taken = self
            .peers
            .get(id)
            .is_some_and(|peer| peer.theirs.try_send(stream).is_ok());
        if !taken {
            tracing::debug!(peer = %id, "stream for a link that is gone or has one already");
        }
    }

    fn on_link_ended(&mut self, connection: ConnectionId, end: &LinkEnd) {
        tracing::info!(reason = %end, "link ended");
        self.swarm.close_connection(connection);
    }

    fn on_neighbours(&mut self) {
        let keys = self.neighbours.borrow_and_update().clone();
        let wanted: HashSet<PeerId> = keys.iter().filter_map(peer_id).collect();
        let allowed = &mut self.swarm.behaviour_mut().allowed;
        let gone: Vec<PeerId> = allowed
            .allowed_peers()
            .difference(&wanted)
            .copied()
            .collect();
        for peer in gone {
            allowed.disallow_peer(peer);
        }
        for peer in &wanted {
            allowed.allow_peer(*peer);
        }
        let busy = self.underway.is_some() || self.peers.values().any(|peer| peer.dialled);
        if !wanted.is_empty() && !busy {
            self.backoff.reset();
            self.dial_after(Duration::ZERO);
        }
    }

    fn dial_later(&mut self) -> Duration {
        let mut random = [0; 4];
        // Without entropy the pause is merely not jittered.
        let _ = getrandom::fill(&mut random);
        let pause = self.backoff.next(u32::from_ne_bytes(random));
        self.dial_after(pause);
        pause
    }

    fn dial_after(&mut self, pause: Duration) {
        let Some(parent) = self.config.parent.clone() else {
            return;
        };
        self.dialling = Some(Box::pin(async move {
            tokio::time::sleep(pause).await;
            resolve(parent).await
        }));
    }

    fn dial(&mut self, address: std::io::Result<Multiaddr>) {
        let no_one_allowed = self.swarm.behaviour().allowed.allowed_peers().is_empty();
        if no_one_allowed || self.underway.is_some() || self.peers.values().any(|peer| peer.dialled)
        {
            return;
        }
        let failed = match address {
            Err(error) => Some(error.to_string()),
            Ok(address) => {
                let opts = DialOpts::unknown_peer_id().address(address).build();
                let connection = opts.connection_id();
                let dialled = self.swarm.dial(opts);
                self.underway = dialled.is_ok().then_some(connection);
                dialled.err().map(|error| error.to_string())
            }
        };
        if let Some(error) = failed {
            let pause = self.dial_later();
            tracing::info!(
                error,
                retry_ms = pause.as_millis() as u64,
                "parent not dialled"
            );
        }
    }
}

/// Streams of a connection, bounded. Each starts with a window of 256 KiB; yamux widens it only by what is read here, and up to 1 GiB for a
/// connection. libp2p-yamux 0.48 gives no way to set that lower, so what bounds it is how slowly this node reads: frames wait for room
/// in the core's queue and circuits pass through buffers of 64 KiB. Above `limits.memory_bytes` no further connection is taken.
fn multiplexing() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(MAX_STREAMS);
    config
}

/// Waits for the next dial; for ever when none is due.
async fn next_address(dialling: &mut Option<Dialling>) -> std::io::Result<Multiaddr> {
    match dialling {
        Some(dialling) => dialling.await,
        None => std::future::pending().await,
    }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
