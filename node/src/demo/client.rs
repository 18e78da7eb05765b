//! Reading a node's API, and waiting until it says what is awaited.

use std::thread;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Failure;
use super::layout::Site;

/// How often a node is asked while something is awaited.
const INTERVAL: Duration = Duration::from_millis(60);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(15);
/// Most bytes of one answer: a page of dockets with their copies.
const MAX_ANSWER_BYTES: u64 = 64 << 20;

/// Reads APIs.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
}

/// Why a node did not answer as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It cannot be reached, or is not ready.
    #[error("节点不可达 / unreachable: {0}")]
    Unreachable(String),
    /// It knows no such thing.
    #[error("未找到 / not found: {0}")]
    NotFound(String),
    /// It refuses.
    #[error("HTTP {status}: {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// Its answer is not what the API promises.
    #[error("答复格式不符 / unexpected answer: {0}")]
    Unexpected(String),
}

impl Client {
    /// A client.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST))
            .build();
        Self {
            agent: config.into(),
        }
    }

    /// Reads one resource.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn get<T: DeserializeOwned>(&self, site: &Site, path: &str) -> Result<T, CallError> {
        let bytes = self.bytes(site, path)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| CallError::Unexpected(format!("{}{path}: {error}", site.http)))
    }

    /// Reads the bytes of one resource.
    ///
    /// # Errors
    /// [`CallError`].
    pub fn bytes(&self, site: &Site, path: &str) -> Result<Vec<u8>, CallError> {
        let url = format!("{}{path}", site.http);
        let unreachable = |error: ureq::Error| CallError::Unreachable(error.to_string());
        let bearer = format!("Bearer {}", site.token);
        let mut response = self
            .agent
            .get(&url)
            .header("authorization", &bearer)
            .call()
            .map_err(unreachable)?;
        let status = response.status().as_u16();
        let bytes = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER_BYTES)
            .read_to_vec()
            .map_err(unreachable)?;
        if status == 200 {
            return Ok(bytes);
        }
        let detail = serde_json::from_slice::<Value>(&bytes)
            .ok()
            .and_then(|problem| {
                problem
                    .get("detail")
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            })
            .unwrap_or(url);
        Err(match status {
            404 => CallError::NotFound(detail),
            503 | 504 => CallError::Unreachable(detail),
            status => CallError::Refused { status, detail },
        })
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// Asks until there is something, for at most so long. A node that does not answer for a while is asked again.
///
/// # Errors
/// [`Failure`] saying what was awaited, for how long, and what the last answer was.
pub fn wait<T>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> Result<Option<T>, CallError>,
) -> Result<T, Failure> {
    let begun = Instant::now();
    loop {
        let last = match ask() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => "尚未发生 / not yet".to_owned(),
            Err(error @ (CallError::Unreachable(_) | CallError::NotFound(_))) => error.to_string(),
            Err(error) => return Err(Failure::new(what, error)),
        };
        if begun.elapsed() >= limit {
            return Err(Failure::new(
                what,
                format!(
                    "等待 {} 秒后仍未完成 / still awaited after {} s: {last}",
                    limit.as_secs(),
                    limit.as_secs()
                ),
            ));
        }
        thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_awaited_is_asked_for_until_it_is_there() {
        let mut asked = 0;
        let found = wait("案卷", Duration::from_secs(60), || {
            asked += 1;
            match asked {
                1 => Err(CallError::Unreachable("restarting".into())),
                2 => Ok(None),
                _ => Ok(Some(asked)),
            }
        });
        assert_eq!(found.ok(), Some(3));
    }

    #[test]
    fn waiting_ends_with_what_was_awaited_and_what_was_last_said() {
        let error = wait::<()>("检查点", Duration::ZERO, || {
            Err(CallError::NotFound("no checkpoint".into()))
        })
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("检查点") && error.contains("no checkpoint"),
            "{error}"
        );
    }

    #[test]
    fn a_refusal_ends_the_wait_at_once() {
        let refused = CallError::Refused {
            status: 403,
            detail: "token".into(),
        };
        let mut asked = 0;
        let outcome = wait::<()>("x", Duration::from_secs(60), || {
            asked += 1;
            Err(refused.clone())
        });
        assert!(outcome.is_err() && asked == 1);
    }
}
