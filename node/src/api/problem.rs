//! Errors as problem details (RFC 9457), with the article where the law refuses.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use federation::core::Refused;
use serde::{Deserialize, Serialize};
use statute::{Article, Refusal};
use utoipa::ToSchema;

use crate::language::{Language, Text};

/// Content type of every error.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Kind of a problem: the last part of its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// No token, or none that is known.
    Unauthenticated,
    /// The token's role does not reach.
    Forbidden,
    /// The act's signature, chain or address is not good.
    NotAuthentic,
    /// There is no such thing here.
    NotFound,
    /// The method is not one of the route's.
    MethodNotAllowed,
    /// The request took too long.
    Timeout,
    /// The node has no valid membership.
    NotAMember,
    /// The body is larger than the route takes.
    TooLarge,
    /// The law refuses.
    Refusal,
    /// Ours: the same request may be sent again.
    Fault,
    /// More is asked than one may ask: the same request may be sent again later.
    TooMany,
    /// The provider's end of a call, or the way there, fails.
    Provider,
    /// Too much is going on: the same request may be sent again.
    Busy,
    /// The node is not ready.
    NotReady,
}

impl Kind {
    /// The last part of `type`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotAuthentic => "not-authentic",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Timeout => "timeout",
            Self::NotAMember => "not-a-member",
            Self::TooLarge => "too-large",
            Self::Refusal => "refusal",
            Self::Fault => "fault",
            Self::TooMany => "too-many",
            Self::Provider => "provider",
            Self::Busy => "busy",
            Self::NotReady => "not-ready",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::NotAuthentic => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::NotAMember => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refusal => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Provider => StatusCode::BAD_GATEWAY,
            Self::Fault | Self::Busy | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("请求格式有误", "The request cannot be read"),
            Self::Unauthenticated => ("需要有效的访问令牌", "A valid token is needed"),
            Self::Forbidden => ("令牌权限不足", "The token's role does not reach"),
            Self::NotAuthentic => ("行为的签名或签名人无效", "The act is not authentic"),
            Self::NotFound => ("未找到", "Not found"),
            Self::MethodNotAllowed => ("此路径不支持该方法", "The route has no such method"),
            Self::Timeout => ("处理超时", "The request took too long"),
            Self::NotAMember => ("本节点尚未入网或证书无效", "This node is not a member"),
            Self::TooLarge => ("请求体过大", "The body is too large"),
            Self::Refusal => ("依法不予受理", "Refused by law"),
            Self::Fault => ("节点故障", "A fault of the node"),
            Self::Provider => ("提供方未能应答", "The provider's end does not answer"),
            Self::Busy => ("节点繁忙", "The node is busy"),
            Self::TooMany => ("请求过多", "Too many requests"),
            Self::NotReady => ("节点未就绪", "The node is not ready"),
        }
    }
}

/// An error on its way out. Chinese unless the request's `Accept-Language` begins with English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind it is.
    pub kind: Kind,
    /// This occurrence.
    pub detail: Text,
    /// The article, when the law refuses.
    pub article: Option<Article>,
    /// What the caller can do.
    pub what_to_do: Option<Text>,
    /// When to try again, seconds from now.
    pub retry_after_s: Option<u32>,
}

/// The JSON of a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// `urn:guantong:problem:` and the kind.
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence in words.
    pub detail: String,
    /// The article in short form, such as `R21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<String>,
    /// The article as cited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article_zh: Option<String>,
    /// What the caller can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what_to_do: Option<String>,
}

impl Problem {
    /// A problem with nothing but its detail.
    pub fn new(kind: Kind, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            kind,
            detail: Text::new(zh, en),
            article: None,
            what_to_do: None,
            retry_after_s: None,
        }
    }

    /// A request that cannot be read.
    pub fn malformed(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, zh, en)
    }

    /// Something that is not here.
    pub fn not_found(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, zh, en)
    }

    /// Ours.
    pub fn fault(reason: impl std::fmt::Display) -> Self {
        Self::new(
            Kind::Fault,
            format!("节点故障：{reason}"),
            format!("fault: {reason}"),
        )
        .advise(
            "稍后用同一请求重试；持续出现时查看节点日志",
            "send the same request again later; if it persists, read the node's log",
        )
    }

    /// With what to do about it.
    #[must_use]
    pub fn advise(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.what_to_do = Some(Text::new(zh, en));
        self
    }

    /// The JSON in one language.
    pub fn body(&self, language: Language) -> ProblemBody {
        let (zh, en) = self.kind.title();
        ProblemBody {
            r#type: format!("urn:guantong:problem:{}", self.kind.slug()),
            title: language.pick(zh, en).to_owned(),
            status: self.kind.status().as_u16(),
            detail: self.detail.in_language(language).to_owned(),
            article: self.article.map(|article| article.short()),
            article_zh: self.article.map(|article| article.cite_zh()),
            what_to_do: self
                .what_to_do
                .as_ref()
                .map(|text| text.in_language(language).to_owned()),
        }
    }

    fn response(&self, language: Language) -> Response {
        let body = serde_json::to_vec(&self.body(language)).unwrap_or_default();
        let headers = [
            (header::CONTENT_TYPE, CONTENT_TYPE),
            (header::CONTENT_LANGUAGE, language.tag()),
        ];
        let mut response = (self.kind.status(), headers, body).into_response();
        if let Some(seconds) = self.retry_after_s {
            let value = header::HeaderValue::from(seconds);
            response.headers_mut().insert(header::RETRY_AFTER, value);
        }
        if self.kind == Kind::Unauthenticated {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                header::HeaderValue::from_static("Bearer realm=\"guantong\""),
            );
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self {
            kind: Kind::Refusal,
            detail: Text::new(refusal.zh(), refusal.en()),
            article: Some(refusal.article),
            what_to_do: Some(Text::new(refusal.what_to_do_zh(), refusal.what_to_do_en())),
            retry_after_s: None,
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Lawful(refusal) => refusal.into(),
            Refused::NotAuthentic(reason) => Self::new(
                Kind::NotAuthentic,
                format!("行为未被接受：{reason}"),
                format!("the act was not taken: {reason}"),
            )
            .advise(
                "核对签名人的密钥、任期与登记，以及行为所指的节点，重新签名后提交",
                "check the signer's key, term and enrolment and the node the act names, sign again and send it",
            ),
            Refused::NotAMember(reason) => Self::new(
                Kind::NotAMember,
                format!("本节点没有有效的成员证书，不能签署任何事项：{reason}"),
                format!("this node holds no valid membership and signs nothing: {reason}"),
            )
            .advise(
                "由上级签发证书后运行 guantong enroll install --chain FILE",
                "have the parent sign a certificate, then run guantong enroll install --chain FILE",
            ),
            Refused::Fault(reason) => Self::fault(reason),
        }
    }
}

impl From<federation::store::Fault> for Problem {
    fn from(fault: federation::store::Fault) -> Self {
        Self::fault(fault)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.response(Language::Chinese);
        response.extensions_mut().insert(self);
        response
    }
}

/// Marks an answer of a service's backend: whatever it is, it is passed on as it came.
#[derive(Debug, Clone, Copy)]
pub struct Relayed;

/// Renders problems in the language the request asks for, and turns the framework's own plain errors into problems.
pub async fn negotiate(request: Request, next: Next) -> Response {
    let wanted = request
        .headers()
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|v| v.to_str().ok())
        .map(Language::of_tag);
    let language = wanted.unwrap_or_default();
    let mut response = next.run(request).await;
    if response.extensions().get::<Relayed>().is_some() {
        return response;
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return if language == Language::Chinese {
            response
        } else {
            problem.response(language)
        };
    }
    let plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_none_or(|t| t.as_bytes().starts_with(b"text/plain"));
    match response.status() {
        status if !plain || status.is_success() || status.is_redirection() => response,
        StatusCode::NOT_FOUND => {
            Problem::not_found("没有这个路径", "there is no such route").response(language)
        }
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(
            Kind::MethodNotAllowed,
            "此路径不支持该方法",
            "the route has no such method",
        )
        .response(language),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            Kind::TooLarge,
            "请求体超过此路径的上限",
            "the body is larger than this route takes",
        )
        .response(language),
        status if status.is_client_error() => {
            Problem::malformed("请求无法解析", "the request cannot be read").response(language)
        }
        status => Problem::fault(status).response(language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statute::{RefusalReason, Role};

    #[test]
    fn a_lawful_refusal_is_422_with_its_article_and_what_to_do() {
        let reason = RefusalReason::ConsentMissing {
            of: Role::SharingOfficeHead,
        };
        let problem = Problem::from(Refused::Lawful(reason.under(Article::R20)));
        let body = problem.body(Language::Chinese);
        assert_eq!(body.status, 422);
        assert_eq!(body.article.as_deref(), Some("R20"));
        assert_eq!(
            body.article_zh.as_deref(),
            Some("《政务数据共享条例》第二十条")
        );
        assert!(body.what_to_do.is_some_and(|text| !text.is_empty()));
        assert!(problem.body(Language::English).detail.contains("Art. 20"));
    }

    #[test]
    fn each_way_of_not_accepting_an_act_has_its_status() {
        let status = |refused: Refused| Problem::from(refused).kind.status().as_u16();
        assert_eq!(status(Refused::NotAuthentic("x".into())), 403);
        assert_eq!(status(Refused::NotAMember("x".into())), 409);
        assert_eq!(status(Refused::Fault("x".into())), 503);
    }

    #[test]
    fn the_answer_is_problem_json_and_leaves_out_what_is_not_there() {
        let response = Problem::not_found("没有", "none").into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], CONTENT_TYPE);
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let body = serde_json::to_value(Problem::not_found("没有", "none").body(Language::Chinese))
            .unwrap();
        let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["detail", "status", "title", "type"]);
        assert_eq!(body["type"], "urn:guantong:problem:not-found");
    }
}
