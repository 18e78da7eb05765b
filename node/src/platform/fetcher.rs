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
