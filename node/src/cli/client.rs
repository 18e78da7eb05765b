//! The API's client: one node, one token, bounded answers, errors with their exit codes.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use federation::core::Answer;
use federation::service::CallTarget;
pub use federation::service::percent_encoded as encode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sharing::act::{ObjectRef, SignedAct};
use sharing::docket::DocketId;
use sharing::private::Content;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::error::{CliError, Exit};
use super::{Global, init};
use crate::api::ProblemBody;
use crate::api::acts::ActRequest;
use crate::language::{Language, Text};

/// Where a node is looked for when nothing says otherwise.
pub const DEFAULT_NODE: &str = "http://127.0.0.1:7180";
/// Most bytes of an answer: a page of the largest dockets.
pub const MAX_ANSWER: u64 = 64 << 20;
/// Longest time for one request that is not a file.
const REQUEST_TIME: Duration = Duration::from_secs(60);

/// A node's API.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    token: Option<String>,
    language: Language,
}

impl Client {
    /// A client of the node that the options name.
    ///
    /// # Errors
    /// [`CliError`] when `--node` is no address, or `--data` names a folder that is no node's or a node that does not run.
    pub fn of(global: &Global, language: Language) -> Result<Self, CliError> {
        let base = match (&global.node, &global.data) {
            (Some(node), _) => {
                check_address(node)?;
                node.clone()
            }
            (None, Some(data)) => init::address(data)?,
            (None, None) => DEFAULT_NODE.to_owned(),
        };
        let token = match (&global.token, &global.data) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(data)) => init::best_token(data),
            (None, None) => None,
        };
        Ok(Self::new(&base, token, language))
    }

    /// A client of a node.
    pub fn new(base: &str, token: Option<String>, language: Language) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(Duration::from_secs(5)))
            .build();
        Self {
            agent: agent.into(),
            base: base.trim_end_matches('/').to_owned(),
            token,
            language,
        }
    }

    /// The node's address.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// GET of a JSON value. `path` begins after `/api/v1`.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.get_at(&format!("/api/v1{path}"))
    }

    /// GET of a JSON value that the public may read. `path` begins after `/open/v1`.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn get_public<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        self.get_at(&format!("/open/v1{path}"))
    }

    fn get_at<T: DeserializeOwned>(&self, path: &str) -> Result<T, CliError> {
        let request = self.agent.get(format!("{}{path}", self.base));
        let request = self
            .headed(request)
            .config()
            .timeout_global(Some(REQUEST_TIME))
            .build();
        self.json(request.call().map_err(|error| self.unreachable(&error))?)
    }

    /// POST of a JSON value.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, CliError> {
        let request = self.agent.post(format!("{}/api/v1{path}", self.base));
        let request = self
            .headed(request)
            .config()
            .timeout_global(Some(REQUEST_TIME))
            .build();
        self.json(
            request
                .send_json(body)
                .map_err(|error| self.unreachable(&error))?,
        )
    }

    /// Sends a signed act that commits to no personal content.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn act(&self, act: &SignedAct) -> Result<Answer, CliError> {
        self.act_with(act, &[])
    }

    /// Sends a signed act with the personal content that it commits to.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn act_with(&self, act: &SignedAct, contents: &[Content]) -> Result<Answer, CliError> {
        self.post("/acts", &ActRequest::new(act, contents))
    }

    /// Stores a file under its own name.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn put_object(&self, path: &Path) -> Result<ObjectRef, CliError> {
        let file = std::fs::File::open(path).map_err(|error| CliError::file(path, error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let request = self.agent.put(format!(
            "{}/api/v1/objects?name={}",
            self.base,
            encode(&name)
        ));
        let response = self
            .headed(request)
            .content_type("application/octet-stream")
            .send(file);
        self.json(response.map_err(|error| self.unreachable(&error))?)
    }

    /// Fetches an object into `sink`.
    ///
    /// # Errors
    /// [`CliError`].
    pub fn get_object(
        &self,
        digest: &str,
        sink: &mut impl std::io::Write,
    ) -> Result<u64, CliError> {
        let request = self
            .agent
            .get(format!("{}/api/v1/objects/{digest}", self.base));
        let response = self
            .headed(request)
            .call()
            .map_err(|error| self.unreachable(&error))?;
        let mut response = self.checked(response)?;
        let mut reader = response.body_mut().as_reader();
        std::io::copy(&mut reader, sink).map_err(|error| {
            CliError::fault(
                format!("传输中断：{error}"),
                format!("transfer broken off: {error}"),
            )
        })
    }

    /// Calls a service and writes what its backend answers into `sink` as it comes. Gives the bytes written.
    ///
    /// # Errors
    /// [`CliError`]: refused, not answered, an error of the backend, or an answer that was cut; of a cut one a part may stand in `sink`.
    pub fn call_service(
        &self,
        call: &ServiceCall<'_>,
        body: Option<Box<dyn Read + Send>>,
        sink: &mut impl std::io::Write,
    ) -> Result<u64, CliError> {
        let url = format!(
            "{}/api/v1/services/{}{}",
            self.base, call.docket, call.target
        );
        let fields: Vec<_> = call.fields.iter().map(|name| encode(name)).collect();
        let response = match body {
            None => {
                let request = call.headed(self.headed(self.agent.get(url)), &fields);
                request.call()
            }
            Some(body) => {
                let request = call.headed(self.headed(self.agent.post(url)), &fields);
                request
                    .content_type(call.content_type)
                    .send(ureq::SendBody::from_owned_reader(body))
            }
        };
        let response = response.map_err(|error| self.unreachable(&error))?;
        let mut response = match response.headers().get("x-guantong-call") {
            Some(_) if !response.status().is_success() => {
                let status = response.status();
                return Err(CliError::fault(
                    format!("提供方的后端服务答复 {status}"),
                    format!("the provider's backend answered {status}"),
                ));
            }
            Some(_) => response,
            None => self.checked(response)?,
        };
        std::io::copy(&mut response.body_mut().as_reader(), sink).map_err(|error| {
            CliError::fault(
                format!("应答中断，不完整：{error}"),
                format!("the answer was cut and is not whole: {error}"),
            )
            .advise(
                "查看案卷的共享权限状态，再行调用",
                "see where the docket's grant stands, and call again",
            )
        })
    }

    fn headed<Any>(&self, request: ureq::RequestBuilder<Any>) -> ureq::RequestBuilder<Any> {
        let request = request.header("Accept-Language", self.language.tag());
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn json<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T, CliError> {
        let mut response = self.checked(response)?;
        let mut bytes = Vec::new();
        let read = response
            .body_mut()
            .as_reader()
            .take(MAX_ANSWER + 1)
            .read_to_end(&mut bytes);
        read.map_err(|error| {
            CliError::fault(
                format!("读取应答失败：{error}"),
                format!("the answer was not read: {error}"),
            )
        })?;
        if bytes.len() as u64 > MAX_ANSWER {
            return Err(CliError::fault("应答过大", "the answer is too large"));
        }
        serde_json::from_slice(&bytes).map_err(|error| {
            CliError::fault(
                format!("应答不是预期的格式：{error}"),
                format!("the answer is not of the expected form: {error}"),
            )
            .advise(
                "核对命令与节点的版本",
                "compare the versions of command and node",
            )
        })
    }

    fn checked(&self, mut response: Response<Body>) -> Result<Response<Body>, CliError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let mut bytes = Vec::new();
        let _ = response
            .body_mut()
            .as_reader()
            .take(64 << 10)
            .read_to_end(&mut bytes);
        Err(match serde_json::from_slice::<ProblemBody>(&bytes) {
            Ok(problem) => CliError::of_problem(problem),
            Err(_) => CliError::fault(
                format!("{} 答复 {status}", self.base),
                format!("{} answered {status}", self.base),
            )
            .advise(
                "核对 --node 是否指向贯通节点",
                "check that --node names a Guantong node",
            ),
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> CliError {
        let zh = match error {
            ureq::Error::Io(error) => Text::of_io(error).zh.into(),
            ureq::Error::HostNotFound => "找不到这个主机".to_owned(),
            ureq::Error::Timeout(_) => "超时".to_owned(),
            ureq::Error::ConnectionFailed => "连接失败".to_owned(),
            other => other.to_string(),
        };
        CliError::new(
            Exit::Unreachable,
            format!("无法连接节点 {}：{zh}", self.base),
            format!("cannot reach the node at {}: {error}", self.base),
        )
        .advise(
            "确认节点在运行（guantong run），并用 --node 或 --data 指明地址",
            "see that the node runs (guantong run), and name it with --node or --data",
        )
    }
}

/// A call of a service.
#[derive(Debug)]
pub struct ServiceCall<'a> {
    /// The docket that gives the right.
    pub docket: DocketId,
    /// Path and query.
    pub target: &'a CallTarget,
    /// For what.
    pub purpose: &'a str,
    /// The data items wanted; none stands for all.
    pub fields: &'a [String],
    /// Of a body.
    pub content_type: &'a str,
}

impl ServiceCall<'_> {
    fn headed<Any>(
        &self,
        request: ureq::RequestBuilder<Any>,
        fields: &[String],
    ) -> ureq::RequestBuilder<Any> {
        let request = request.header("X-Guantong-Purpose", encode(self.purpose));
        if fields.is_empty() {
            return request;
        }
        request.header("X-Guantong-Fields", fields.join(","))
    }
}

/// An address such as `http://127.0.0.1:7180`.
fn check_address(node: &str) -> Result<(), CliError> {
    let right = node.parse::<ureq::http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    });
    if right {
        return Ok(());
    }
    Err(CliError::usage(
        format!("--node {node} 不是地址"),
        format!("--node {node} is no address"),
    )
    .advise(
        "写作 http://127.0.0.1:7180",
        "write it as http://127.0.0.1:7180",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_chinese_are_percent_encoded() {
        assert_eq!(encode("440106/MZ/0001"), "440106%2FMZ%2F0001");
        assert_eq!(encode("农 业"), "%E5%86%9C%20%E4%B8%9A");
    }

    #[test]
    fn a_node_is_named_by_an_address() {
        assert!(check_address("http://[::1]:7180").is_ok());
        for wrong in ["nonsense", "127.0.0.1:7180", "ftp://x", "http://", ""] {
            assert_eq!(check_address(wrong).unwrap_err().exit, Exit::Usage);
        }
    }

    #[test]
    fn a_node_that_is_not_there_is_unreachable() {
        let client = Client::new("http://127.0.0.1:1/", None, Language::Chinese);
        let error = client.get::<serde_json::Value>("/node").unwrap_err();
        assert_eq!(error.exit, Exit::Unreachable);
        assert!(error.what_to_do.is_some());
    }
}
