//! When to dial the parent: at once, then with growing, jittered pauses, so that a parent that comes back is not met by all
//! its children in the same instant.

use std::io;
use std::time::Duration;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// Pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A connection that lasted this long was a good one: the next failure counts as the first.
pub(super) const GOOD_AFTER: Duration = Duration::from_secs(10);

/// Failures so far.
#[derive(Debug, Default)]
pub(super) struct Backoff(u32);

impl Backoff {
    /// The pause before the next try: between half and all of `FIRST_PAUSE` doubled with each failure, `LONGEST_PAUSE` at most.
    /// `random` is any number.
    pub(super) fn next(&mut self, random: u32) -> Duration {
        let full = FIRST_PAUSE
            .saturating_mul(1 << self.0.min(16))
            .min(LONGEST_PAUSE);
        self.0 = self.0.saturating_add(1);
        full / 2 + (full / 2).mul_f64(f64::from(random) / f64::from(u32::MAX))
    }

    /// Forgets the failures.
    pub(super) fn reset(&mut self) {
        self.0 = 0;
    }
}

/// An address that can be dialled: a name is looked up, anything else stays as it is.
///
/// # Errors
/// When the name is unknown or the resolver fails.
pub(super) async fn resolve(address: Multiaddr) -> io::Result<Multiaddr> {
    let mut parts = address.iter();
    let (name, only) = match parts.next() {
        Some(Protocol::Dns(name)) => (name.into_owned(), None),
        Some(Protocol::Dns4(name)) => (name.into_owned(), Some(true)),
        Some(Protocol::Dns6(name)) => (name.into_owned(), Some(false)),
        _ => return Ok(address),
    };
    let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
    let ip = found
        .map(|socket| socket.ip())
        .find(|ip| only.is_none_or(|v4| ip.is_ipv4() == v4));
    let ip = ip
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name} has no address")))?;
    Ok(parts.fold(Multiaddr::from(ip), Multiaddr::with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_start_again() {
        let mut backoff = Backoff::default();
        let longest: Vec<Duration> = (0..40).map(|_| backoff.next(u32::MAX)).collect();
        assert_eq!(longest[0], FIRST_PAUSE);
        assert!(longest.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(longest[39], LONGEST_PAUSE);
        assert_eq!(backoff.next(0), LONGEST_PAUSE / 2);
        backoff.reset();
        assert_eq!(backoff.next(0), FIRST_PAUSE / 2);
    }

    #[tokio::test]
    async fn numbers_are_not_looked_up() {
        let address: Multiaddr = "/ip4/10.0.0.1/tcp/7100".parse().unwrap();
        assert_eq!(resolve(address.clone()).await.unwrap(), address);
    }

    #[tokio::test]
    async fn names_are_looked_up() {
        let resolved = resolve("/dns4/localhost/tcp/7100".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(resolved, "/ip4/127.0.0.1/tcp/7100".parse().unwrap());
    }
}
