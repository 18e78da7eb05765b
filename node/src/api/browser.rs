//! What a browser is told with every answer, and what it is not let do for a page from elsewhere.
//!
//! The API takes a token in a header, which no page from elsewhere can set, and the console's cookie is `SameSite=Strict`. What is left is what works
//! without either: signing somebody in with another's token, and sending the public's forms from other people's addresses. A browser says where
//! a request comes from (`Sec-Fetch-Site`); programs say nothing of it, and are not held back.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem, Relayed};

/// Where a browser says that a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

/// Whether a browser sends this for a page of another origin.
fn is_from_elsewhere(request: &Request) -> bool {
    let site = request.headers().get(FETCH_SITE).map(HeaderValue::as_bytes);
    matches!(site, Some(b"cross-site" | b"same-site"))
}

/// Whether more comes of it than a page that is shown.
fn has_effect(request: &Request) -> bool {
    let carries_token = crate::console::token_in_query(request.uri().query()).is_some();
    carries_token || !request.method().is_safe()
}

/// Refuses what a page from elsewhere sends.
pub(super) async fn refuse_elsewhere(request: Request, next: Next) -> Response {
    if has_effect(&request) && is_from_elsewhere(&request) {
        return from_elsewhere().into_response();
    }
    next.run(request).await
}

/// Says with every answer but a backend's own, where it says nothing else itself, that nothing is loaded, run, framed, guessed or told on.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.extensions().get::<Relayed>().is_some() {
        return response;
    }
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}

fn from_elsewhere() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "请求来自其他网站的页面",
        "the request comes from a page of another site",
    )
    .advise("请在本节点自己的页面上操作", "use this node's own pages")
}
