//! Links over real sockets: frames, strangers, misbehaving neighbours, connections that replace each other.

mod peer;

use std::sync::Arc;
use std::time::Duration;

use federation::core::{Input, LinkId};
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::Multiaddr;
use node::runtime::inbox::{Inbox, Queued};
use node::runtime::metrics::Metrics;
use node::transport::{self, Transport, TransportConfig, TransportError, transport_public};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::{CancellationToken, DropGuard};

use peer::Raw;

/// A test that has not ended by then hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A node's transport, with the core's end of the queue in the test's hands.
struct Side {
    transport: Transport,
    inputs: Receiver<Queued>,
    _stop: DropGuard,
}

impl Side {
    async fn start(seed: u8, parent: Option<Multiaddr>) -> Self {
        Self::try_start(seed, "/ip4/127.0.0.1/tcp/0".parse().unwrap(), parent)
            .await
            .unwrap()
    }

    async fn try_start(
        seed: u8,
        listen: Multiaddr,
        parent: Option<Multiaddr>,
    ) -> Result<Self, TransportError> {
        let (inbox, inputs) = Inbox::new();
        let stop = CancellationToken::new();
        let config = TransportConfig {
            seed: [seed; 32],
            listen,
            parent,
            wire_listen: None,
            wire_parent: None,
            connections: 8,
            pending_connections: 8,
            memory_bytes: 8 << 30,
        };
        let running =
            transport::start(config, inbox, Arc::new(Metrics::new()), stop.clone()).await?;
        Ok(Self {
            transport: running.transport,
            inputs,
            _stop: stop.drop_guard(),
        })
    }

    fn address(&self) -> Multiaddr {
        self.transport.addresses().remove(0)
    }

    fn admit(&self, seeds: &[u8]) {
        self.transport
            .set_neighbours(seeds.iter().map(|seed| key(*seed)).collect());
    }

    async fn next(&mut self) -> Input {
        tokio::time::timeout(PATIENCE, self.inputs.recv())
            .await
            .expect("an input in time")
            .expect("a running node")
            .input
    }

    async fn up(&mut self, seed: u8) -> LinkId {
        match self.next().await {
            Input::LinkUp {
                link,
                transport_key,
            } if transport_key == key(seed) => link,
            other => panic!("{other:?} instead of a link to {seed}"),
        }
    }
}

fn key(seed: u8) -> [u8; 32] {
    transport_public([seed; 32]).unwrap()
}

async fn connected() -> (Side, Side, LinkId, LinkId) {
    let mut parent = Side::start(1, None).await;
    let mut child = Side::start(2, Some(parent.address())).await;
    parent.admit(&[2]);
    child.admit(&[1]);
    let (down, up) = (parent.up(2).await, child.up(1).await);
    (parent, child, down, up)
}

#[tokio::test]
async fn frames_pass_both_ways_in_order() {
    let (mut parent, mut child, down, up) = connected().await;
    for n in 0..50u8 {
        parent
            .transport
            .send(down, vec![n; 1 + usize::from(n) * 1_000]);
        child.transport.send(up, vec![n]);
    }
    for n in 0..50u8 {
        assert_eq!(
            child.next().await,
            Input::Frame {
                link: up,
                bytes: vec![n; 1 + usize::from(n) * 1_000]
            }
        );
        assert_eq!(
            parent.next().await,
            Input::Frame {
                link: down,
                bytes: vec![n]
            }
        );
    }
}

#[tokio::test]
async fn a_frame_of_the_largest_size_passes() {
    let (parent, mut child, down, up) = connected().await;
    let largest = vec![7; federation::wire::MAX_FRAME_BYTES];
    parent.transport.send(down, largest.clone());
    assert_eq!(
        child.next().await,
        Input::Frame {
            link: up,
            bytes: largest
        }
    );
}

#[tokio::test]
async fn a_closed_link_is_told_once_to_both_and_comes_up_again() {
    let (mut parent, mut child, down, up) = connected().await;
    parent.transport.close(down);
    assert_eq!(parent.next().await, Input::LinkDown { link: down });
    assert_eq!(child.next().await, Input::LinkDown { link: up });
    let (again_down, again_up) = (parent.up(2).await, child.up(1).await);
    assert!(
        again_down != down && again_up != up,
        "a link's number is never used twice"
    );
    parent.transport.send(down, b"to the old link".to_vec());
    parent
        .transport
        .send(again_down, b"to the new link".to_vec());
    assert_eq!(
        child.next().await,
        Input::Frame {
            link: again_up,
            bytes: b"to the new link".to_vec()
        }
    );
}

#[tokio::test]
async fn a_parent_that_starts_late_is_reached() {
    let listen: Multiaddr = {
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("/ip4/127.0.0.1/tcp/{}", probe.local_addr().unwrap().port())
            .parse()
            .unwrap()
    };
    let mut child = Side::start(2, Some(listen.clone())).await;
    child.admit(&[1]);
    let mut parent = Side::try_start(1, listen, None).await.unwrap();
    parent.admit(&[2]);
    parent.up(2).await;
    child.up(1).await;
}

#[tokio::test]
async fn a_stranger_is_shown_the_door_and_the_core_hears_nothing() {
    let mut parent = Side::start(1, None).await;
    parent.admit(&[2]);
    let mut stranger = Raw::dial([66; 32], [1; 32], parent.address());
    stranger.closed().await;
    assert!(parent.inputs.try_recv().is_err());
}

#[tokio::test]
async fn a_neighbour_who_is_none_any_more_is_disconnected() {
    let (mut parent, mut child, down, up) = connected().await;
    parent.admit(&[3]);
    assert_eq!(parent.next().await, Input::LinkDown { link: down });
    assert_eq!(child.next().await, Input::LinkDown { link: up });
}

#[tokio::test]
async fn an_oversized_frame_closes_only_its_own_link() {
    let (mut parent, child, down, up) = connected().await;
    parent.admit(&[2, 66]);
    let mut raw = Raw::dial([66; 32], [1; 32], parent.address());
    let (mut ours, _theirs) = raw.link().await;
    let bad = parent.up(66).await;
    raw.drive(async {
        ours.write_all(&[0, 0, 0, 3, 1, 2, 3]).await.unwrap();
        ours.write_all(&u32::MAX.to_be_bytes()).await.unwrap();
        ours.flush().await.unwrap();
    })
    .await;
    raw.closed().await;
    assert_eq!(
        parent.next().await,
        Input::Frame {
            link: bad,
            bytes: vec![1, 2, 3]
        }
    );
    assert_eq!(parent.next().await, Input::LinkDown { link: bad });
    child.transport.send(up, b"still here".to_vec());
    assert_eq!(
        parent.next().await,
        Input::Frame {
            link: down,
            bytes: b"still here".to_vec()
        }
    );
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older_one() {
    let mut parent = Side::start(1, None).await;
    parent.admit(&[66]);
    let mut older = Raw::dial([66; 32], [1; 32], parent.address());
    let _older_streams = older.link().await;
    let first = parent.up(66).await;
    let mut newer = Raw::dial([66; 32], [1; 32], parent.address());
    let ((), (_ours, mut theirs)) = tokio::join!(older.closed(), newer.link());
    assert_eq!(parent.next().await, Input::LinkDown { link: first });
    let second = parent.up(66).await;
    parent.transport.send(second, b"hello".to_vec());
    let mut got = [0; 9];
    newer.drive(theirs.read_exact(&mut got)).await.unwrap();
    assert_eq!(&got, b"\0\0\0\x05hello");
}

#[tokio::test]
async fn a_neighbour_that_reads_nothing_is_dropped_without_growing() {
    let mut parent = Side::start(1, None).await;
    parent.admit(&[66]);
    let mut raw = Raw::dial([66; 32], [1; 32], parent.address());
    let _streams = raw.link().await;
    let link = parent.up(66).await;
    // Nobody drives the raw swarm now, so nothing is read there.
    for _ in 0..=transport::SEND_QUEUE_BYTES / federation::wire::MAX_FRAME_BYTES + 1 {
        parent
            .transport
            .send(link, vec![0; federation::wire::MAX_FRAME_BYTES]);
    }
    assert_eq!(parent.next().await, Input::LinkDown { link });
}

#[tokio::test]
async fn a_taken_port_is_one_clear_error() {
    let first = Side::start(1, None).await;
    match Side::try_start(2, first.address(), None).await {
        Err(error @ TransportError::Listen { .. }) => assert!(
            error.to_string().contains(&first.address().to_string()),
            "{error}"
        ),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two nodes on one port"),
    }
}
