//! How much the public may ask, per address and in all, in an hour of the node's clock. The memory for it is bounded: addresses beyond those that are
//! counted one by one share one count.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::Moment;

use super::form;
use crate::api::{Api, Kind, Problem};
use crate::console::labels;
use crate::language::Language;

/// Where complaints are brought.
const COMPLAINTS: &str = "/open/v1/complaints";
/// Length of the period in which requests are counted, milliseconds.
const PERIOD_MS: i64 = 3_600_000;
/// Cases of one kind that are opened, of one address in an hour.
pub const MAX_OPENED_PER_ADDRESS: u32 = 10;
/// Cases of one kind that are opened, of all addresses in an hour: with bodies of [`super::intake::MAX_PUBLIC_BODY`] at most 8 MiB.
pub const MAX_OPENED: u32 = 400;
/// Requests to open a case, whatever comes of them, of one address in an hour: whoever corrects what was refused is not held back.
pub const MAX_ASKED_PER_ADDRESS: u32 = 120;
/// Requests to open a case, whatever comes of them, of all addresses in an hour.
pub const MAX_ASKED: u32 = 20_000;
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
    /// It asks that a case be opened, and may be refused.
    Ask,
    /// It opens an application.
    Apply,
    /// It opens a complaint.
    Complain,
}

impl Use {
    /// How often one address, and all together, may do this in an hour.
    const fn limits(self) -> (u32, u32) {
        match self {
            Self::Read => (MAX_READ_PER_ADDRESS, MAX_READ),
            Self::Ask => (MAX_ASKED_PER_ADDRESS, MAX_ASKED),
            Self::Apply | Self::Complain => (MAX_OPENED_PER_ADDRESS, MAX_OPENED),
        }
    }
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
    applications: u32,
    complaints: u32,
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
        let (own_limit, limit) = used.limits();
        let own = own.with(used, own_limit);
        let all = counts.all.with(used, limit);
        let (own, all) = own.zip(all).ok_or_else(wait)?;
        counts.all = all;
        if room || counts.by_address.contains_key(&key) {
            counts.by_address.insert(key, own);
        } else {
            counts.others = own;
        }
        Ok(())
    }

    /// Gives back what was spent on a case that was not opened, within the same hour.
    pub fn give_back(&self, from: Option<IpAddr>, used: Use, spent_at: Moment) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.period != spent_at.as_millis().div_euclid(PERIOD_MS) {
            return;
        }
        counts.all.less(used);
        match counts.by_address.get_mut(&counted(from)) {
            Some(own) => own.less(used),
            None => counts.others.less(used),
        }
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
    /// One more, within the limit.
    fn with(mut self, used: Use, limit: u32) -> Option<Self> {
        let count = self.of(used);
        *count += 1;
        (*count <= limit).then_some(self)
    }

    fn less(&mut self, used: Use) {
        let count = self.of(used);
        *count = count.saturating_sub(1);
    }

    fn of(&mut self, used: Use) -> &mut u32 {
        match used {
            Use::Read => &mut self.read,
            Use::Ask => &mut self.asked,
            Use::Apply => &mut self.applications,
            Use::Complain => &mut self.complaints,
        }
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
    let path = request.uri().path();
    let opened = match *request.method() {
        Method::GET | Method::HEAD => None,
        // The receipt is given in a form, and nothing is opened.
        _ if path == form::CASE => None,
        _ if [COMPLAINTS, form::COMPLAINT].contains(&path) => Some(Use::Complain),
        _ => Some(Use::Apply),
    };
    let page = form::is_form(path).then(|| path.to_owned());
    let query = request.uri().query().unwrap_or_default();
    let english = query.split('&').any(|said| said == "lang=en");
    let peer = request.extensions().get::<Peer>().copied();
    let from = api.limiter().origin(peer, request.headers());
    let (limiter, now) = (api.limiter(), api.backend().now());
    let spent = match opened {
        None => limiter.spend(from, Use::Read, now),
        Some(opened) => limiter
            .spend(from, Use::Ask, now)
            .and_then(|()| limiter.spend(from, opened, now)),
    };
    if let Err(seconds) = spent {
        let problem = too_many(seconds, now);
        let language = Language::of_tag(if english { "en" } else { "zh" });
        let mut response = match page {
            Some(path) => form::refused(&problem, &path, language),
            None => problem.into_response(),
        };
        let wait = HeaderValue::from(seconds);
        response.headers_mut().insert(header::RETRY_AFTER, wait);
        return response;
    }
    let response = next.run(request).await;
    if let Some(opened) = opened.filter(|_| response.status() != StatusCode::CREATED) {
        limiter.give_back(from, opened, now);
    }
    response
}

fn too_many(seconds: u64, now: Moment) -> Problem {
    let wait_ms = i64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
    let when = labels::time(Moment::from_millis(now.as_millis().saturating_add(wait_ms)));
    Problem::new(
        Kind::TooMany,
        "一小时内的请求过多",
        "too many requests within an hour",
    )
    .advise(
        format!("请于 {seconds} 秒后（{when} 起）再试"),
        format!("try again in {seconds} seconds, from {when}"),
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
        let ask = |from, hour| limiter.spend(address(from), Use::Apply, at(hour));
        for _ in 0..MAX_OPENED_PER_ADDRESS {
            assert_eq!(ask(1, 5), Ok(()));
        }
        assert_eq!(ask(1, 5), Err(3_600));
        assert_eq!(limiter.spend(address(1), Use::Read, at(5)), Ok(()));
        assert_eq!(limiter.spend(address(1), Use::Complain, at(5)), Ok(()));
        assert_eq!(ask(2, 5), Ok(()));
        assert_eq!(ask(1, 6), Ok(()));
    }

    #[test]
    fn all_together_are_held_back_and_what_is_refused_costs_nobody_else() {
        let limiter = Limiter::default();
        let mut taken = 0;
        for from in 0..u32::MAX {
            match limiter.spend(address(from), Use::Apply, at(1)) {
                Ok(()) => taken += 1,
                Err(_) => break,
            }
        }
        assert_eq!(taken, MAX_OPENED);
        assert_eq!(limiter.spend(address(0), Use::Read, at(1)), Ok(()));
    }

    #[test]
    fn what_is_given_back_may_be_spent_again_within_the_hour_alone() {
        let limiter = Limiter::default();
        let apply = |hour| limiter.spend(address(1), Use::Apply, at(hour));
        for _ in 0..MAX_OPENED_PER_ADDRESS {
            assert_eq!(apply(5), Ok(()));
        }
        limiter.give_back(address(1), Use::Apply, at(4));
        assert!(apply(5).is_err());
        limiter.give_back(address(1), Use::Apply, at(5));
        assert_eq!(apply(5), Ok(()));
        assert!(apply(5).is_err());
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
