//! What stands before every handler: the token's role, and a bound on time.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Kind, Problem};
use super::{Api, Role};

/// Longest time one request may take, where it does not stream.
pub const MAX_REQUEST_TIME: Duration = Duration::from_secs(30);

/// Lets a request through whose token has at least the needed role.
pub(super) async fn guard(
    State((api, needed)): State<(Api, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.map(|token| api.token(token.trim())) {
        None => unauthenticated("请求没有携带令牌", "the request carries no token"),
        Some(None) => unauthenticated(
            "令牌不在本节点的令牌文件中",
            "the token is not in this node's token file",
        ),
        Some(Some(token)) if token.role < needed => Problem::new(
            Kind::Forbidden,
            format!(
                "此操作需要 {} 令牌，所用令牌为 {}",
                needed.id(),
                token.role.id()
            ),
            format!(
                "this needs the role {}; the token has {}",
                needed.id(),
                token.role.id()
            ),
        )
        .advise("换用权限足够的令牌", "use a token of that role")
        .into_response(),
        Some(Some(token)) => {
            // Who calls goes with the request: what gives out content writes it down first.
            request.extensions_mut().insert(token.caller());
            request.extensions_mut().insert(token.role);
            next.run(request).await
        }
    }
}

fn unauthenticated(zh: &str, en: &str) -> Response {
    Problem::new(Kind::Unauthenticated, zh, en)
        .advise(
            "用 --token、环境变量 GUANTONG_TOKEN 或 --data DIR 提供令牌（Authorization: Bearer …）",
            "give a token with --token, GUANTONG_TOKEN or --data DIR (Authorization: Bearer …)",
        )
        .into_response()
}

/// Ends a request that takes longer than [`MAX_REQUEST_TIME`].
pub async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(MAX_REQUEST_TIME, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Kind::Timeout,
            "处理超过 30 秒",
            "the request took more than 30 seconds",
        )
        .advise(
            "稍后重试；重复提交同一行为只生效一次",
            "try again later; the same act takes effect once",
        )
        .into_response(),
    }
}
