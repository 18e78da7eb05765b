//! Calls of services: what a program asks goes to the provider's node, and the backend's answer comes back as a stream.

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use federation::core::CallSide;
use federation::service::{
    CallMethod, CallTarget, HeaderText, MAX_FIELDS, MAX_PURPOSE_BYTES, MAX_REQUEST_BYTES,
    Unavailable, percent_decoded,
};
use futures::stream;
use sharing::docket::DocketId;

use super::Api;
use super::extract::digest;
use super::objects::incoming;
use super::problem::{Kind, Problem, Relayed};
use crate::language::Text;
use crate::service::{AnswerBody, Answered, Ask, AskBody, CallError};

/// What comes before the docket in a path.
const PREFIX: &str = "/api/v1/services/";
/// The purpose of a call, percent-encoded.
const PURPOSE: &str = "x-guantong-purpose";
/// The data items wanted, each percent-encoded, with commas between.
const FIELDS: &str = "x-guantong-fields";
/// The call that was answered by a backend; on no other answer.
const CALL: &str = "x-guantong-call";

pub(super) async fn get(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let ask = ask(CallMethod::Get, &request)?;
    call(&api, ask, None).await
}

pub(super) async fn post(State(api): State<Api>, request: Request) -> Result<Response, Problem> {
    let ask = ask(CallMethod::Post, &request)?;
    let body = incoming(request.into_body());
    call(&api, ask, Some(body)).await
}

async fn call(api: &Api, ask: Ask, body: Option<AskBody>) -> Result<Response, Problem> {
    let answered = api.backend().call(Ask { body, ..ask }).await?;
    response(answered)
}

/// What is asked, but for the body.
fn ask(method: CallMethod, request: &Request) -> Result<Ask, Problem> {
    // As it was sent: what is percent-encoded stays so.
    let uri = request.uri();
    let rest = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    let (docket, path) = rest.split_once('/').unwrap_or((rest, ""));
    let query = uri.query().map(|query| format!("?{query}"));
    let target = format!("/{path}{}", query.unwrap_or_default());
    let target = CallTarget::parse(&target).map_err(|error| both(&error))?;
    let headers = request.headers();
    Ok(Ask {
        docket: DocketId(digest(docket)?),
        purpose: purpose(headers)?,
        fields: fields(headers)?,
        method,
        target,
        content_type: passed(headers, header::CONTENT_TYPE)?,
        accept: passed(headers, header::ACCEPT)?,
        body: None,
    })
}

/// A request that cannot be read, in words that stand in both languages.
fn both(error: &dyn std::fmt::Display) -> Problem {
    let text = error.to_string();
    match text.split_once(" / ") {
        Some((zh, en)) => Problem::malformed(zh, en),
        None => Problem::malformed(text.clone(), text),
    }
}

fn text_of(value: &str) -> Option<String> {
    String::from_utf8(percent_decoded(value)?).ok()
}

fn purpose(headers: &HeaderMap) -> Result<String, Problem> {
    let stated = headers
        .get(PURPOSE)
        .and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
        .and_then(text_of)
        .filter(|text| !text.trim().is_empty() && text.len() <= MAX_PURPOSE_BYTES);
    stated.ok_or_else(|| {
        Problem::malformed(
            "调用须用请求头 X-Guantong-Purpose 写明使用目的（百分号编码）",
            "a call states its purpose in X-Guantong-Purpose, percent-encoded",
        )
        .advise(
            "写案卷中同意的使用目的，一字不改",
            "state a purpose that the docket grants, word for word",
        )
    })
}

fn fields(headers: &HeaderMap) -> Result<Vec<String>, Problem> {
    let Some(value) = headers.get(FIELDS) else {
        return Ok(Vec::new());
    };
    let named = std::str::from_utf8(value.as_bytes()).ok().and_then(|text| {
        let names = text.split(',').map(|name| text_of(name.trim()));
        names.collect::<Option<Vec<String>>>()
    });
    named
        .filter(|names| names.len() <= MAX_FIELDS)
        .ok_or_else(|| {
            Problem::malformed(
                format!("X-Guantong-Fields 应为至多 {MAX_FIELDS} 个数据项名称（百分号编码），以逗号分隔"),
                format!("X-Guantong-Fields names at most {MAX_FIELDS} data items, percent-encoded, with commas between"),
            )
        })
}

fn passed(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<HeaderText>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().to_owned();
    HeaderText::try_from(text)
        .map(Some)
        .map_err(|error| both(&error))
}

fn response(answered: Answered) -> Result<Response, Problem> {
    let Answered {
        call,
        status,
        content_type,
        body,
    } = answered;
    let status = StatusCode::from_u16(status).map_err(Problem::fault)?;
    let mut response = (status, Body::from_stream(chunks(body))).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(text) = content_type {
        let value = HeaderValue::from_str(text.as_str()).map_err(Problem::fault)?;
        headers.insert(header::CONTENT_TYPE, value);
    }
    let call = HeaderValue::from_str(&call.to_string()).map_err(Problem::fault)?;
    headers.insert(CALL, call);
    // What a backend answers is data to programs, and nothing that a browser runs beside the console.
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.extensions_mut().insert(Relayed);
    Ok(response)
}

/// The body's chunks; an error breaks the connection off, so that nobody takes a part for the whole.
fn chunks(body: AnswerBody) -> impl futures::Stream<Item = Result<Bytes, CallError>> {
    stream::unfold(body, |mut body| async move {
        let next = body.next().await?;
        if let Err(error) = &next {
            tracing::info!(%error, "the answer to a call is broken off");
        }
        Some((next, body))
    })
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused { side, refusal } => {
                let mut problem = Problem::from(refusal);
                let (zh, en) = match side {
                    CallSide::Asked => ("本节点", "this node"),
                    CallSide::Answered => ("提供方节点", "the provider's node"),
                };
                problem.detail = Text::new(
                    format!("{zh}：{}", problem.detail.zh),
                    format!("{en}: {}", problem.detail.en),
                );
                problem
            }
            CallError::Here(refused) => refused.into(),
            CallError::TooMany { retry_after_s } => Self {
                retry_after_s: Some(retry_after_s),
                ..Self::new(
                    Kind::TooMany,
                    format!("超出该服务的调用频率，{retry_after_s} 秒后再试"),
                    format!("more calls than the service takes; try again in {retry_after_s} s"),
                )
            },
            CallError::Unavailable(unavailable) => of_unavailable(unavailable),
            CallError::Unreachable(reason) => Self::new(
                Kind::Provider,
                format!("到提供方节点的线路不通：{reason}"),
                format!("the way to the provider's node: {reason}"),
            )
            .advise(
                "稍后重试；查看 guantong status 中的连接",
                "try again later; look at the links in guantong status",
            ),
            CallError::Busy => Self::new(
                Kind::Busy,
                "到该提供方的线路均在使用",
                "all circuits to this provider are in use",
            ),
            CallError::RequestTooLarge => too_large(),
            CallError::Interrupted(reason) => Self::malformed(
                format!("请求体未传完：{reason}"),
                format!("the body ended early: {reason}"),
            ),
            CallError::Timeout => Self::new(Kind::Timeout, "提供方未按时应答", "no answer in time"),
        }
    }
}

fn too_large() -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("请求体超过 {MAX_REQUEST_BYTES} 字节；更大的数据以文件提供"),
        format!("the body is larger than {MAX_REQUEST_BYTES} bytes; what is more goes as a file"),
    )
}

/// What fails at the provider's end, and where there.
fn of_unavailable(unavailable: Unavailable) -> Problem {
    let (kind, zh, en) = match unavailable {
        Unavailable::NotRegistered => (
            Kind::NotFound,
            "提供方节点没有登记该目录条目的服务",
            "the provider's node has no service registered for the entry",
        ),
        Unavailable::PathNotRegistered => (
            Kind::NotFound,
            "提供方登记的服务不含此方法或路径",
            "the provider's service is not registered for this method or path",
        ),
        Unavailable::BackendDown => (
            Kind::Provider,
            "提供方的后端服务没有应答",
            "the provider's backend does not answer",
        ),
        Unavailable::BackendSlow => (
            Kind::Timeout,
            "提供方的后端服务未按时应答",
            "the provider's backend does not answer in time",
        ),
        Unavailable::NotFilterable => (
            Kind::Provider,
            "所获权限限于部分数据项，而提供方后端的应答无法只保留这些数据项",
            "the grant is limited to some data items, and the backend's answer cannot be reduced to them",
        ),
        Unavailable::RequestTooLarge => return too_large(),
        Unavailable::Fault => (
            Kind::Provider,
            "提供方节点故障",
            "a fault of the provider's node",
        ),
    };
    Problem::new(kind, zh, en).advise(
        "请与提供部门联系，核对其节点登记的服务",
        "ask the provider to look at the service registered at its node",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, headers: &[(&str, &str)]) -> Result<Ask, Problem> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        ask(CallMethod::Get, &request.body(Body::empty()).unwrap())
    }

    #[test]
    fn a_call_is_read_as_it_was_sent() {
        let docket = "ab".repeat(32);
        let uri = format!("{PREFIX}{docket}/people/%E7%94%B2?id=1%202");
        let headers = [(PURPOSE, "%E6%A0%B8%E9%AA%8C"), (FIELDS, "%E5%A7%93, id")];
        let ask = asked(&uri, &headers).unwrap();
        assert_eq!(ask.target.to_string(), "/people/%E7%94%B2?id=1%202");
        assert_eq!(
            (ask.docket.0.to_string(), ask.purpose.as_str()),
            (docket, "核验")
        );
        assert_eq!(ask.fields, ["姓", "id"]);
        // Chinese as it is in a header is taken too.
        assert_eq!(asked(&uri, &[(PURPOSE, "核验")]).unwrap().purpose, "核验");
    }

    #[test]
    fn what_leads_elsewhere_or_states_no_purpose_is_refused_here() {
        let docket = "ab".repeat(32);
        let purpose = [(PURPOSE, "x")];
        for path in [
            "/a/../b",
            "//evil",
            "/a/%2e%2e/b",
            "/a%0d%0ab",
            "/a%2f..%2fb",
        ] {
            let problem = asked(&format!("{PREFIX}{docket}{path}"), &purpose).unwrap_err();
            assert_eq!(problem.kind, Kind::Malformed, "{path}");
        }
        let uri = format!("{PREFIX}{docket}/a");
        for headers in [&[][..], &[(PURPOSE, " ")], &[(PURPOSE, "%e")]] {
            assert!(asked(&uri, headers).is_err(), "{headers:?}");
        }
        let long = "a".repeat(MAX_PURPOSE_BYTES + 1);
        assert!(asked(&uri, &[(PURPOSE, &long)]).is_err());
        let accept = "a".repeat(federation::service::MAX_HEADER_BYTES + 1);
        assert!(asked(&uri, &[(PURPOSE, "x"), ("accept", &accept)]).is_err());
        assert!(asked(&format!("{PREFIX}12/a"), &purpose).is_err());
    }

    #[test]
    fn each_failure_says_at_which_end_it_is() {
        let problem = |error: CallError| {
            let problem = Problem::from(error);
            (
                problem.kind.status().as_u16(),
                problem.detail.en.to_string(),
            )
        };
        let unavailable = |it| problem(CallError::Unavailable(it));
        assert!(
            unavailable(Unavailable::BackendDown)
                .1
                .contains("provider's backend")
        );
        assert_eq!(unavailable(Unavailable::BackendDown).0, 502);
        assert_eq!(unavailable(Unavailable::BackendSlow).0, 504);
        assert_eq!(unavailable(Unavailable::PathNotRegistered).0, 404);
        assert_eq!(problem(CallError::TooMany { retry_after_s: 7 }).0, 429);
        assert_eq!(problem(CallError::Unreachable("x".into())).0, 502);
        let late = Problem::from(CallError::TooMany { retry_after_s: 7 }).into_response();
        assert_eq!(late.headers()[header::RETRY_AFTER], "7");
    }
}
