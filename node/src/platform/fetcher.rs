//! Fetching from a platform over HTTP, within the bounds of one pull.

use std::io::Read;
use std::time::Instant;

use ureq::Agent;

use super::bounds::CONNECT_TIME;
use super::{Bounds, PullError};
use crate::language::Text;

/// What fetches for one pull, and counts.
#[derive(Debug)]
pub struct Fetcher {
    agent: Agent,
    token: Option<String>,
    bounds: Bounds,
    begun: Instant,
    bytes: u64,
}

/// The name of bytes as something bounded.
pub(super) fn bytes() -> Text {
    Text::new("字节", "bytes")
}

impl Fetcher {
    /// For one pull that begins now. The token is sent to the platform's own address and never to where it redirects.
    pub fn new(token: Option<String>, bounds: Bounds) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(bounds.redirects)
            .redirect_auth_headers(ureq::config::RedirectAuthHeaders::Never)
            .timeout_connect(Some(CONNECT_TIME))
            .build();
        Self {
            agent: agent.into(),
            token,
            bounds,
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// The bounds of the pull.
    pub fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// The body of an address, which must answer with success.
    ///
    /// # Errors
    /// [`PullError`].
    pub fn get(&mut self, address: &str) -> Result<Vec<u8>, PullError> {
        let left = self
            .bounds
            .pull_time
            .checked_sub(self.begun.elapsed())
            .filter(|left| !left.is_zero())
            .ok_or(PullError::TooLong {
                limit: self.bounds.pull_time,
            })?;
        let unreachable = |reason: String| PullError::Unreachable {
            address: address.to_owned(),
            reason,
        };
        let mut request = self.agent.get(address);
        if let Some(token) = &self.token {
            request = request.header("Authorization", token);
        }
        let request = request
            .config()
            .timeout_global(Some(left.min(self.bounds.request_time)))
            .build();
        let mut response = request
            .call()
            .map_err(|error| unreachable(error.to_string()))?;
        let status = response.status();
        if !status.is_success() {
            return Err(PullError::Answered {
                address: address.to_owned(),
                status: status.as_u16(),
            });
        }
        let limit = (self.bounds.answer_bytes).min(self.bounds.pull_bytes - self.bytes);
        let mut body = Vec::new();
        response
            .body_mut()
            .as_reader()
            .take(limit + 1)
            .read_to_end(&mut body)
            .map_err(|error| unreachable(error.to_string()))?;
        if body.len() as u64 > limit {
            return Err(PullError::TooMuch {
                what: bytes(),
                limit,
            });
        }
        self.bytes += body.len() as u64;
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use super::super::scripted::{answering, ok, status};
    use super::*;

    fn bounds() -> Bounds {
        Bounds {
            answer_bytes: 8,
            pull_bytes: 12,
            redirects: 1,
            ..Bounds::default()
        }
    }

    #[test]
    fn answers_are_bounded_one_by_one_and_together() {
        let platform = answering(["12345678", "123456789", "1234", "1"].map(ok).to_vec());
        let mut fetcher = Fetcher::new(None, bounds());
        let mut get = || fetcher.get(&platform.address);
        assert_eq!(get().unwrap(), b"12345678");
        assert!(matches!(get(), Err(PullError::TooMuch { limit: 4, .. })));
        assert_eq!(get().unwrap(), b"1234");
        assert!(matches!(get(), Err(PullError::TooMuch { limit: 0, .. })));
    }

    #[test]
    fn a_pull_has_an_end_and_a_silent_platform_is_not_waited_for_longer() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", silent.local_addr().unwrap());
        let short = Bounds {
            request_time: Duration::from_millis(50),
            ..bounds()
        };
        let waited = Fetcher::new(None, short).get(&address);
        assert!(matches!(waited, Err(PullError::Unreachable { .. })));
        let over = Bounds {
            pull_time: Duration::ZERO,
            ..bounds()
        };
        assert!(matches!(
            Fetcher::new(None, over).get(&address),
            Err(PullError::TooLong { .. })
        ));
    }

    #[test]
    fn an_answer_that_ends_early_is_no_answer() {
        let cut = "200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n1234".to_owned();
        let chunked =
            "200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n4\r\n1234\r\n"
                .to_owned();
        for answer in [cut, chunked] {
            let platform = answering(vec![answer]);
            let got = Fetcher::new(None, bounds()).get(&platform.address);
            assert!(matches!(got, Err(PullError::Unreachable { .. })), "{got:?}");
        }
        let refused = answering(vec![status("403 Forbidden")]);
        let got = Fetcher::new(None, bounds()).get(&refused.address);
        assert!(matches!(got, Err(PullError::Answered { status: 403, .. })));
    }

    #[test]
    fn redirects_are_counted_and_the_token_stays_with_the_platform() {
        let token = || Some("secret".to_owned());
        let other = answering(vec![ok("1234")]);
        let to = |address: &str| {
            format!(
                "302 Found\r\nlocation: {address}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        };
        let platform = answering(vec![to(&other.address)]);
        let got = Fetcher::new(token(), bounds()).get(&platform.address);
        assert_eq!(got.unwrap(), b"1234");
        let says = |asked: Vec<String>| {
            asked
                .concat()
                .to_ascii_lowercase()
                .contains("authorization: secret")
        };
        assert!(says(platform.asked()) && !says(other.asked()));

        let last = answering(vec![to("http://127.0.0.1:1")]);
        let first = answering(vec![to(&last.address)]);
        let got = Fetcher::new(None, bounds()).get(&first.address);
        assert!(
            matches!(got, Err(PullError::Unreachable { reason, .. }) if reason.contains("redirect"))
        );
    }
}
