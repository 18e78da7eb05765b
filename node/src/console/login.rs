//! Exchanging a token for the console's cookie.

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::{Asked, layout};
use crate::api::Api;
use crate::language::Language;

/// Most bytes of the login form: one token and its name.
pub(super) const MAX_FORM_BYTES: usize = 1 << 10;
/// The cookie. It holds the token itself; the node keeps no sessions.
const COOKIE: &str = "guantong_console";
/// How a proxy says what it was asked over.
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The token in a `Cookie` header.
pub(super) fn token_in_cookie(header: &str) -> Option<&str> {
    header
        .split(';')
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// The token in a query string. Tokens are letters, digits and `_`, so nothing is escaped.
pub(crate) fn token_in_query(query: Option<&str>) -> Option<&str> {
    query?
        .split('&')
        .find_map(|pair| pair.strip_prefix("token="))
}

pub(super) async fn form(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
    request: axum::extract::Request,
) -> Response {
    match token_in_query(request.uri().query()) {
        Some(token) => exchange(&api, token, "/", request.headers()),
        None => page(asked.language(), false),
    }
}

pub(super) async fn submit(State(api): State<Api>, headers: HeaderMap, body: Bytes) -> Response {
    let form = String::from_utf8_lossy(&body);
    exchange(
        &api,
        token_in_query(Some(&form)).unwrap_or_default().trim(),
        "/",
        &headers,
    )
}

/// Sets the cookie and shows `to`, or shows the form again when the token is none of this node's.
pub(super) fn exchange(api: &Api, token: &str, to: &str, asked: &HeaderMap) -> Response {
    if api.role(token).is_none() {
        return (StatusCode::UNAUTHORIZED, page(Language::Chinese, true)).into_response();
    }
    // Known tokens are made of characters that need no escape; see `Tokens::add`.
    // Where a proxy speaks TLS for this node the browser is to keep the cookie to it; on plain HTTP it would keep none that asks so.
    let tls = asked
        .get(FORWARDED_PROTO)
        .is_some_and(|proto| proto == "https");
    let secure = if tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/{secure}");
    ([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response()
}

fn page(language: Language, refused: bool) -> Response {
    let pick = |zh, en| language.pick(zh, en);
    let body = html! {
        section.login {
            h2 { (pick("登录控制台", "Sign in")) }
            @if refused {
                p.bad { (pick("令牌不在本节点的令牌文件中。", "This token is not in the node's token file.")) }
            }
            form method="post" action="/login" {
                label for="token" { (pick("访问令牌", "Token")) }
                input #token name="token" type="password" autocomplete="off" required;
                button type="submit" { (pick("进入", "Enter")) }
            }
            p.note {
                (pick(
                    "令牌由 guantong init 生成，在数据目录 tokens/ 下；查看用 viewer 即可。",
                    "Tokens are made by guantong init, in tokens/ of the data folder; the viewer's is enough here.",
                ))
            }
        }
    };
    super::shown(layout::page(
        pick("登录", "Sign in"),
        language,
        false,
        &body,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_among_other_cookies_and_parameters() {
        assert_eq!(
            token_in_cookie("a=b; guantong_console=gt_01; c=d"),
            Some("gt_01")
        );
        assert_eq!(token_in_cookie("guantong_console_x=gt_01"), None);
        assert_eq!(token_in_query(Some("lang=en&token=gt_01")), Some("gt_01"));
        assert_eq!(token_in_query(Some("lang=en")), None);
    }
}
