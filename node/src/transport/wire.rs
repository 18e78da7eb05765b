//! Wires: connections of their own for circuits, without a sealing of their own.
//!
//! What a circuit carries is sealed from end to end. A stream of the neighbours' connection seals it once more at every hop, which hides nothing more than
//! byte counts and costs most of what a hop costs. Where both neighbours are configured so, a circuit goes over a plain TCP connection instead:
//!
//! ```text
//! over the connection (Noise):  header ──►   ◄── ticket          the parent makes the ticket, whichever end opens
//! over the wire (TCP):          ticket ──►   ═══ chunks ═══      the child dials, as it does for the connection
//! ```
//!
//! The header, with the circuit's ends, stays inside Noise; in clear there is only the ticket, 16 random bytes that work once and within
//! [`TICKET_VALID`]. Whoever stands on the wire can cut it, as they could cut the connection; a byte that they change does not open at
//! the end. Where a wire does not come about, the circuit goes over the connection.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::dial::resolve;
use super::slots::MAX_CIRCUITS;
use crate::runtime::driver::random;

/// Bytes of a ticket.
pub(super) const TICKET_BYTES: usize = 16;
/// How long a ticket works.
pub(super) const TICKET_VALID: Duration = Duration::from_secs(5);
/// Connections whose ticket has not come yet; more are closed at once. A stranger who holds them all keeps circuits on the connection, no more.
const MAX_UNKNOWN: usize = 64;
/// Pause after the listener fails, as it does while this process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The word for one wire.
pub(super) type Ticket = [u8; TICKET_BYTES];

/// Why there is no wire.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// This end is not configured for wires to this neighbour.
    #[error("no wire is configured here")]
    NotConfigured,
    /// As many tickets as circuits wait for their wire.
    #[error("too many wires are expected")]
    Busy,
    /// It did not come, or could not be dialled, in time.
    #[error("no wire within {} s", TICKET_VALID.as_secs())]
    Late,
    /// The address has no host and port.
    #[error("{0} has no host and port")]
    Address(Multiaddr),
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The wires that are expected from children, and the way to the parent's.
#[derive(Debug, Default)]
pub(super) struct Wires {
    listening: Option<SocketAddr>,
    parent: Option<Multiaddr>,
    expected: Mutex<HashMap<Ticket, oneshot::Sender<TcpStream>>>,
}

/// A ticket that waits for its wire; dropped, it works no more.
pub(super) struct Expected {
    wires: Arc<Wires>,
    /// What the child is to say.
    pub(super) ticket: Ticket,
    arrives: oneshot::Receiver<TcpStream>,
}

impl Wires {
    /// Wires to `parent`, if there is an address, and from children at `listen`, if there is one, until `stop`.
    ///
    /// # Errors
    /// When `listen` cannot be listened on.
    pub(super) async fn start(
        listen: Option<&Multiaddr>,
        parent: Option<Multiaddr>,
        stop: CancellationToken,
    ) -> Result<Arc<Self>, WireError> {
        let listener = match listen {
            Some(address) => Some(TcpListener::bind(host_and_port(address)?).await?),
            None => None,
        };
        let listening = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let wires = Arc::new(Self {
            listening,
            parent,
            expected: Mutex::default(),
        });
        if let Some(listener) = listener {
            tracing::info!(address = ?listening, "listening for wires");
            let taking = Arc::clone(&wires).take(listener);
            tokio::spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = taking => {}
                }
            });
        }
        Ok(wires)
    }

    /// Where children may come over wires, if they may.
    pub(super) const fn listening(&self) -> Option<SocketAddr> {
        self.listening
    }

    /// Whether circuits with the parent may go over wires.
    pub(super) const fn to_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// A ticket for one wire from a child.
    ///
    /// # Errors
    /// [`WireError::NotConfigured`], [`WireError::Busy`].
    pub(super) fn expect(self: &Arc<Self>) -> Result<Expected, WireError> {
        if self.listening.is_none() {
            return Err(WireError::NotConfigured);
        }
        let mut ticket = [0; TICKET_BYTES];
        random(&mut ticket);
        let (sender, arrives) = oneshot::channel();
        let mut expected = self.lock();
        if expected.len() >= MAX_CIRCUITS as usize {
            return Err(WireError::Busy);
        }
        expected.insert(ticket, sender);
        drop(expected);
        Ok(Expected {
            wires: Arc::clone(self),
            ticket,
            arrives,
        })
    }

    /// Dials the parent and says its ticket.
    ///
    /// # Errors
    /// All but [`WireError::Busy`].
    pub(super) async fn dial(&self, ticket: &Ticket) -> Result<TcpStream, WireError> {
        let address = self.parent.clone().ok_or(WireError::NotConfigured)?;
        let dialling = async {
            let address = resolve(address).await?;
            let mut stream = TcpStream::connect(host_and_port(&address)?).await?;
            stream.set_nodelay(true)?;
            stream.write_all(ticket).await?;
            Ok(stream)
        };
        timeout(TICKET_VALID, dialling)
            .await
            .map_err(|_| WireError::Late)?
    }

    async fn take(self: Arc<Self>, listener: TcpListener) {
        let unknown = Arc::new(Semaphore::new(MAX_UNKNOWN));
        loop {
            let (stream, from) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "wires not taken");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&unknown).try_acquire_owned() else {
                tracing::warn!(%from, "wire refused: too many without a ticket");
                continue;
            };
            let wires = Arc::clone(&self);
            tokio::spawn(async move {
                let given = timeout(TICKET_VALID, wires.admit(stream)).await;
                drop(place);
                if !matches!(given, Ok(true)) {
                    tracing::info!(%from, "wire refused: no ticket that is expected");
                }
            });
        }
    }

    /// Gives the wire to whoever expects its ticket, and says whether someone did.
    async fn admit(&self, mut stream: TcpStream) -> bool {
        let mut ticket = [0; TICKET_BYTES];
        if stream.read_exact(&mut ticket).await.is_err() || stream.set_nodelay(true).is_err() {
            return false;
        }
        let waiting = self.lock().remove(&ticket);
        waiting.is_some_and(|waiting| waiting.send(stream).is_ok())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Ticket, oneshot::Sender<TcpStream>>> {
        self.expected
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Expected {
    /// The wire, when it comes.
    ///
    /// # Errors
    /// [`WireError::Late`].
    pub(super) async fn arrive(mut self) -> Result<TcpStream, WireError> {
        timeout(TICKET_VALID, &mut self.arrives)
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(WireError::Late)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.wires.lock().remove(&self.ticket);
    }
}

/// Host and port of `/ip4/…/tcp/…` or `/ip6/…/tcp/…`.
fn host_and_port(address: &Multiaddr) -> Result<SocketAddr, WireError> {
    let mut parts = address.iter();
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port)), None) => Ok((ip, port).into()),
        (Some(Protocol::Ip6(ip)), Some(Protocol::Tcp(port)), None) => Ok((ip, port).into()),
        _ => Err(WireError::Address(address.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parent that listens on a free port, and a child that knows it.
    async fn neighbours() -> (Arc<Wires>, Arc<Wires>) {
        let any: Multiaddr = "/ip4/127.0.0.1/tcp/0".parse().unwrap();
        let stop = CancellationToken::new();
        let parent = Wires::start(Some(&any), None, stop.clone()).await.unwrap();
        let port = parent.listening().unwrap().port();
        let address = format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        let child = Wires::start(None, Some(address), stop).await.unwrap();
        (parent, child)
    }

    #[tokio::test]
    async fn the_wire_of_a_ticket_comes_to_whoever_expects_it() {
        let (parent, child) = neighbours().await;
        let expected = parent.expect().unwrap();
        let mut dialled = child.dial(&expected.ticket).await.unwrap();
        let mut arrived = expected.arrive().await.unwrap();
        dialled.write_all(b"sealed").await.unwrap();
        let mut read = [0; 6];
        arrived.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"sealed");
        assert!(parent.lock().is_empty(), "a ticket works once");
    }

    #[tokio::test]
    async fn a_ticket_that_nobody_expects_opens_nothing() {
        let (parent, child) = neighbours().await;
        let kept = parent.expect().unwrap();
        let given_up = parent.expect().unwrap();
        let ticket = given_up.ticket;
        drop(given_up);
        for ticket in [ticket, [0; TICKET_BYTES]] {
            let mut dialled = child.dial(&ticket).await.unwrap();
            assert_eq!(dialled.read(&mut [0; 1]).await.unwrap_or(0), 0, "closed");
        }
        assert_eq!(parent.lock().keys().collect::<Vec<_>>(), [&kept.ticket]);
    }

    #[tokio::test]
    async fn no_more_tickets_wait_than_there_can_be_circuits() {
        let (parent, _child) = neighbours().await;
        let held: Vec<Expected> = (0..MAX_CIRCUITS)
            .map(|_| parent.expect().unwrap())
            .collect();
        assert!(matches!(parent.expect(), Err(WireError::Busy)));
        drop(held);
        assert!(parent.expect().is_ok());
    }

    #[tokio::test]
    async fn wires_are_off_where_nothing_is_configured() {
        let wires = Wires::start(None, None, CancellationToken::new())
            .await
            .unwrap();
        assert!(wires.listening().is_none() && !wires.to_parent());
        assert!(matches!(wires.expect(), Err(WireError::NotConfigured)));
        let dialled = wires.dial(&[0; TICKET_BYTES]).await;
        assert!(matches!(dialled, Err(WireError::NotConfigured)));
    }
}
