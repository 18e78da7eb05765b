//! A peer without manners: a bare swarm whose streams a test writes by hand.
#![allow(dead_code, missing_docs)]

use std::time::Duration;

use federation::wire::LINK_PROTOCOL;
use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{
    Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, identity::Keypair, noise, tcp,
    yamux,
};

/// What has not happened by then does not happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A peer without manners: a bare swarm whose streams the test writes by hand.
pub struct Raw {
    swarm: Swarm<libp2p_stream::Behaviour>,
    node: PeerId,
    /// Whether its connection has closed.
    closed: bool,
}

impl Raw {
    /// Dials the node whose transport key has this seed.
    pub fn dial(seed: [u8; 32], node: [u8; 32], address: Multiaddr) -> Self {
        let mut swarm =
            SwarmBuilder::with_existing_identity(Keypair::ed25519_from_bytes(seed).unwrap())
                .with_tokio()
                .with_tcp(
                    tcp::Config::default(),
                    noise::Config::new,
                    yamux::Config::default,
                )
                .unwrap()
                .with_behaviour(|_| libp2p_stream::Behaviour::new())
                .unwrap()
                .with_swarm_config(|config| config.with_idle_connection_timeout(PATIENCE * 10))
                .build();
        swarm.dial(address).unwrap();
        Self {
            swarm,
            node: Keypair::ed25519_from_bytes(node)
                .unwrap()
                .public()
                .to_peer_id(),
            closed: false,
        }
    }

    /// Drives the swarm by one event.
    async fn step(&mut self) {
        let event = self.swarm.select_next_some().await;
        self.closed |= matches!(event, SwarmEvent::ConnectionClosed { .. });
    }

    /// Drives the swarm until its connection has closed.
    pub async fn closed(&mut self) {
        let closed = async {
            while !self.closed {
                self.step().await;
            }
        };
        tokio::time::timeout(PATIENCE, closed)
            .await
            .expect("the connection to close");
    }

    /// Opens both streams of a link. The swarm must go on being driven for them to work.
    pub async fn link(&mut self) -> (Stream, Stream) {
        let mut control = self.swarm.behaviour().new_control();
        let mut incoming = control.accept(StreamProtocol::new(LINK_PROTOCOL)).unwrap();
        while !matches!(
            self.swarm.select_next_some().await,
            SwarmEvent::ConnectionEstablished { .. }
        ) {}
        let node = self.node;
        let opening = async {
            let ours = control
                .open_stream(node, StreamProtocol::new(LINK_PROTOCOL))
                .await
                .unwrap();
            let (_, theirs) = incoming.next().await.unwrap();
            (ours, theirs)
        };
        tokio::select! {
            streams = opening => streams,
            () = async { loop { self.step().await; } } => unreachable!(),
        }
    }

    /// Does the work while the swarm is driven.
    pub async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::select! {
            done = work => done,
            () = async { loop { self.step().await; } } => unreachable!(),
        }
    }

    /// Drives the swarm until its connection is there, or says why it is not.
    pub async fn connected(&mut self) -> Result<(), String> {
        loop {
            match self.swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => return Ok(()),
                SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.to_string()),
                _ => {}
            }
        }
    }

    /// Opens one more stream of a protocol, on a connection that is there.
    pub async fn open(&mut self, protocol: &'static str) -> Result<Stream, String> {
        let mut control = self.swarm.behaviour().new_control();
        let node = self.node;
        let opening = control.open_stream(node, StreamProtocol::new(protocol));
        tokio::select! {
            stream = opening => stream.map_err(|error| error.to_string()),
            () = async {
                while !self.closed {
                    self.step().await;
                }
            } => Err("the connection was closed".to_owned()),
        }
    }
}
