//! How much the public may ask, per address and in all, in an hour of the node's clock. The memory for it is bounded: addresses beyond those that are
//! counted one by one share one count.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::Moment;

use crate::api::{Api, Kind, Problem};

/// Length of the period in which requests are counted, milliseconds.
const PERIOD_MS: i64 = 3_600_000;
/// Requests that open a case, of one address in an hour.
pub const MAX_ASKED_PER_ADDRESS: u32 = 10;
/// Requests that open a case, of all addresses in an hour: with bodies of [`super::intake::MAX_PUBLIC_BODY`] at most 8 MiB.
pub const MAX_ASKED: u32 = 400;
/// Requests that only read, of one address in an hour.
pub const MAX_READ_PER_ADDRESS: u32 = 3_600;
/// Requests that only read, of all addresses in an hour: some fifty a second.
pub const MAX_READ: u32 = 200_000;
/// Addresses counted one by one; each takes some 64 bytes.
pub const MAX_ADDRESSES: usize = 4_096;

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// It only reads.
    Read,
    /// It may open a case.
    Ask,
}

/// Where a connection comes from, as [`crate::api::serve`] found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// An address as it is counted: of IPv6 the network of 64 bits, within which one party has them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Counted([u8; 16]);

#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    read: u32,
    asked: u32,
}

#[derive(Debug, Default)]
struct Counts {
    period: i64,
    all: Spent,
    /// Of addresses beyond [`MAX_ADDRESSES`].
    others: Spent,
    by_address: BTreeMap<Counted, Spent>,
}

/// Counts what the public asks. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    counts: Arc<Mutex<Counts>>,
    /// Whose word is taken for where a request comes from: reverse proxies in front of this node.
    proxies: Arc<[IpAddr]>,
}

impl Limiter {
    /// A limiter behind these reverse proxies, which name whom they speak for in `X-Forwarded-For`.
    pub fn behind(proxies: &[IpAddr]) -> Self {
        Self {
            counts: Arc::default(),
            proxies: proxies.into(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How many seconds to wait, when it is one too many.
    pub fn spend(&self, from: Option<IpAddr>, used: Use, now: Moment) -> Result<(), u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let period = now.as_millis().div_euclid(PERIOD_MS);
        if counts.period != period {
            *counts = Counts {
                period,
                ..Counts::default()
            };
        }
        let key = counted(from);
        let room = counts.by_address.len() < MAX_ADDRESSES;
        let own = match counts.by_address.get(&key) {
            Some(own) => *own,
            None if room => Spent::default(),
            None => counts.others,
        };
        let wait = || {
            let left = PERIOD_MS - now.as_millis().rem_euclid(PERIOD_MS);
            u64::try_from(left / 1_000 + 1).unwrap_or(1)
        };
        let own = own.with(used, MAX_READ_PER_ADDRESS, MAX_ASKED_PER_ADDRESS);
        let all = counts.all.with(used, MAX_READ, MAX_ASKED);
        let (own, all) = own.zip(all).ok_or_else(wait)?;
        counts.all = all;
        if room || counts.by_address.contains_key(&key) {
            counts.by_address.insert(key, own);
        } else {
            counts.others = own;
        }
        Ok(())
    }

    /// Where a request comes from: the connection's other end, or whom a reverse proxy there speaks for.
    fn origin(&self, peer: Option<Peer>, headers: &HeaderMap) -> Option<IpAddr> {
        let Peer(peer) = peer?;
        if !self.proxies.contains(&peer) {
            return Some(peer);
        }
        // The last one was added by the proxy itself; what stands before it anybody may have written.
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let named = last
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next()?.trim().parse().ok());
        Some(named.unwrap_or(peer))
    }
}

impl Spent {
    /// One more, within the limits.
    fn with(mut self, used: Use, read: u32, asked: u32) -> Option<Self> {
        let (count, limit) = match used {
            Use::Read => (&mut self.read, read),
            Use::Ask => (&mut self.asked, asked),
        };
        *count += 1;
        (*count <= limit).then_some(self)
    }
}

fn counted(from: Option<IpAddr>) -> Counted {
    let bytes = match from.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_ipv6_mapped().octets(),
        Some(IpAddr::V6(address)) => {
            let mut octets = address.octets();
            octets[8..].fill(0);
            octets
        }
        None => [0; 16],
    };
    Counted(bytes)
}

/// Stands before every public route.
pub(crate) async fn limit(State(api): State<Api>, request: Request, next: Next) -> Response {
    let used = match *request.method() {
        Method::GET | Method::HEAD => Use::Read,
        _ => Use::Ask,
    };
    let peer = request.extensions().get::<Peer>().copied();
    let from = api.limiter().origin(peer, request.headers());
    match api.limiter().spend(from, used, api.backend().now()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => {
            let mut response = too_many(seconds).into_response();
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            response
        }
    }
}

fn too_many(seconds: u64) -> Problem {
    Problem::new(
        Kind::TooMany,
        "一小时内的请求过多",
        "too many requests within an hour",
    )
    .advise(
        format!("请于 {seconds} 秒后再试"),
        format!("try again in {seconds} seconds"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(number: u32) -> Option<IpAddr> {
        Some(Ipv4Addr::from(number).into())
    }

    fn at(hour: i64) -> Moment {
        Moment::from_millis(hour * PERIOD_MS + 1_000)
    }

    #[test]
    fn one_address_is_held_back_until_the_hour_is_over_and_others_are_not() {
        let limiter = Limiter::default();
        let ask = |from, hour| limiter.spend(address(from), Use::Ask, at(hour));
        for _ in 0..MAX_ASKED_PER_ADDRESS {
            assert_eq!(ask(1, 5), Ok(()));
        }
        assert_eq!(ask(1, 5), Err(3_600));
        assert_eq!(limiter.spend(address(1), Use::Read, at(5)), Ok(()));
        assert_eq!(ask(2, 5), Ok(()));
        assert_eq!(ask(1, 6), Ok(()));
    }

    #[test]
    fn all_together_are_held_back_and_what_is_refused_costs_nobody_else() {
        let limiter = Limiter::default();
        let mut taken = 0;
        for from in 0..u32::MAX {
            match limiter.spend(address(from), Use::Ask, at(1)) {
                Ok(()) => taken += 1,
                Err(_) => break,
            }
        }
        assert_eq!(taken, MAX_ASKED);
        assert_eq!(limiter.spend(address(0), Use::Read, at(1)), Ok(()));
    }

    #[test]
    fn whoever_asks_the_memory_is_bounded() {
        let limiter = Limiter::default();
        let many = u32::try_from(MAX_ADDRESSES).unwrap() * 2;
        for from in 0..many {
            // Addresses beyond those counted one by one share one count, and are held back together.
            let _ = limiter.spend(address(from), Use::Read, at(1));
        }
        assert_eq!(
            limiter.counts.lock().unwrap().by_address.len(),
            MAX_ADDRESSES
        );
        assert!(limiter.spend(address(many), Use::Read, at(1)).is_err());
        assert_eq!(limiter.spend(address(0), Use::Read, at(1)), Ok(()));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_and_a_mapped_address_as_what_it_is() {
        let of = |text: &str| counted(Some(text.parse().unwrap()));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }

    #[test]
    fn only_a_known_proxy_says_for_whom_it_speaks() {
        let proxy: IpAddr = "10.0.0.9".parse().unwrap();
        let limiter = Limiter::behind(&[proxy]);
        let mut headers = HeaderMap::new();
        let said = HeaderValue::from_static("6.6.6.6, 203.0.113.7");
        headers.insert("x-forwarded-for", said);
        let origin = |peer: &str| {
            let peer = Peer(peer.parse().unwrap());
            limiter.origin(Some(peer), &headers).unwrap().to_string()
        };
        assert_eq!(origin("10.0.0.9"), "203.0.113.7");
        assert_eq!(origin("10.0.0.8"), "10.0.0.8");
    }
}
