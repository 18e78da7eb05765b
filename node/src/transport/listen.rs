//! Listening for children, and what is said when that is not possible.

use std::io;
use std::net::{IpAddr, TcpListener};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Whether the port is free. libp2p listens with SO_REUSEPORT, so that a second node on the same port would be given half of the
/// connections instead of an error.
pub(super) fn probe(address: &Multiaddr) -> io::Result<()> {
    let mut parts = address.iter();
    let ip: Option<IpAddr> = match parts.next() {
        Some(Protocol::Ip4(ip)) => Some(ip.into()),
        Some(Protocol::Ip6(ip)) => Some(ip.into()),
        _ => None,
    };
    match (ip, parts.next()) {
        (Some(ip), Some(Protocol::Tcp(port))) if port != 0 => {
            TcpListener::bind((ip, port)).map(drop)
        }
        _ => Ok(()),
    }
}

/// The text of a listening error, for people: the usual cause first.
pub(super) fn listen_reason(error: &libp2p::TransportError<io::Error>) -> String {
    match error {
        libp2p::TransportError::MultiaddrNotSupported(_) => {
            "not an address of the form /ip4/…/tcp/…".into()
        }
        libp2p::TransportError::Other(error) => {
            let mut source: &dyn std::error::Error = error;
            while let Some(inner) = source.source() {
                source = inner;
            }
            source.to_string()
        }
    }
}
