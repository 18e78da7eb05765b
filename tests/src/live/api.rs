//! A node's HTTP API, as operators' programs call it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use federation::core::Answer;
use identity::{Chain, Digest, codec};
use node::api::acts::{ActRequest, InstallRequest};
use node::api::{ProblemBody, to_base64};
use node::cli::client::{MAX_ANSWER, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sharing::act::{ObjectRef, SignedAct};
use sharing::private::Content;
use ureq::http::Response;
use ureq::{Agent, Body};

/// How long one request may take.
const REQUEST_TIME: Duration = Duration::from_secs(30);

/// A client with a token of the node's administrator.
pub(super) struct ApiClient {
    agent: Agent,
    origin: String,
    base: String,
    bearer: String,
}

/// What was answered to whoever has no token.
#[derive(Debug)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answered {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        parsed(&self.body)
    }

    fn of(response: Result<Response<Body>, ureq::Error>) -> Self {
        let mut response = response.expect("a running node answers");
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("").to_owned()))
            .collect();
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(MAX_ANSWER);
        Self {
            status,
            headers,
            body: body.read_to_vec().expect("a whole answer"),
        }
    }
}

impl ApiClient {
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(REQUEST_TIME))
            .build();
        Self {
            agent: config.into(),
            origin: format!("http://{address}"),
            base: format!("http://{address}/api/v1"),
            bearer: format!("Bearer {token}"),
        }
    }

    pub(super) fn public_get(&self, path: &str) -> Answered {
        Answered::of(self.agent.get(format!("{}{path}", self.origin)).call())
    }

    pub(super) fn get_with(&self, token: &str, path: &str) -> Answered {
        let request = self.agent.get(format!("{}{path}", self.base));
        let bearer = format!("Bearer {token}");
        Answered::of(request.header("Authorization", bearer).call())
    }

    pub(super) fn public_post(&self, path: &str, body: &Value) -> Answered {
        let request = self.agent.post(format!("{}{path}", self.origin));
        Answered::of(request.send_json(body))
    }

    pub(super) fn public_form(&self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let request = self.agent.post(format!("{}{path}", self.origin));
        Answered::of(request.send_form(fields.iter().copied()))
    }

    pub(super) fn get(&self, path: &str) -> Result<Value, Box<ProblemBody>> {
        let request = self.agent.get(format!("{}{path}", self.base));
        read(request.header("Authorization", &self.bearer).call())
    }

    pub(super) fn act(
        &self,
        act: &SignedAct,
        contents: &[Content],
    ) -> Result<Answer, Box<ProblemBody>> {
        self.post("/acts", &ActRequest::new(act, contents))
    }

    pub(super) fn install(&self, chain: &Chain) -> Result<Answer, Box<ProblemBody>> {
        let bytes = to_base64(&codec::encode(chain));
        self.post("/install", &InstallRequest { bytes })
    }

    pub(super) fn get_object(&self, digest: &Digest) -> Result<Vec<u8>, Box<ProblemBody>> {
        let request = self.agent.get(format!("{}/objects/{digest}", self.base));
        bytes(request.header("Authorization", &self.bearer).call())
    }

    pub(super) fn put_object(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<ObjectRef, Box<ProblemBody>> {
        let url = format!("{}/objects?name={}", self.base, encode(name));
        let request = self.agent.put(url).header("Authorization", &self.bearer);
        read(request.content_type("application/octet-stream").send(bytes))
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Box<ProblemBody>> {
        let request = self.agent.post(format!("{}{path}", self.base));
        read(
            request
                .header("Authorization", &self.bearer)
                .send_json(body),
        )
    }
}

/// The answer's JSON, or the problem.
fn read<T: DeserializeOwned>(
    response: Result<Response<Body>, ureq::Error>,
) -> Result<T, Box<ProblemBody>> {
    bytes(response).map(|bytes| parsed(&bytes))
}

/// The answer's bytes, or the problem. A node that cannot be reached or answers in another form ends the test.
fn bytes(response: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, Box<ProblemBody>> {
    let mut response = response.expect("a running node answers");
    let good = response.status().is_success();
    let body = response.body_mut().with_config().limit(MAX_ANSWER);
    let bytes = body.read_to_vec().expect("a whole answer");
    if good { Ok(bytes) } else { Err(parsed(&bytes)) }
}

fn parsed<T: DeserializeOwned>(bytes: &[u8]) -> T {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}
