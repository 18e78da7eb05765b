//! The console: plain pages for operators, Chinese first, without script and without anything from elsewhere.
//!
//! Pages only read. They are opened with a token of at least the viewer's role, which `/login` exchanges for a cookie
//! (HttpOnly, SameSite=Strict); the API takes no cookie, so a page elsewhere can make a browser read nothing and write nothing.

pub mod aggregation;
pub mod clock;
pub mod complaint;
pub mod correction;
mod docket;
pub mod erasure;
pub mod evaluation;
pub mod grant;
pub mod incident;
pub mod keeping;
pub mod labels;
mod layout;
mod login;
pub mod need;
pub mod open_data;
mod overview;
pub mod own_clock;
pub mod reading;
pub mod supervision;
pub mod update;

pub(crate) use layout::STYLE;
pub(crate) use login::token_in_query;

pub(crate) use docket::facts as event_facts;

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header;
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Extension, Router};
use federation::core::query;
use federation::core::view::{DocketView, DutyView, FindingView, HealthView, LinkView, NodeView};
use identity::Moment;
use maud::Markup;
use serde::Deserialize;

use crate::api::dockets::{may_see_the_public, seen_by};
use crate::api::keeping::Keeping;
use crate::api::{Api, MAX_PAGE, Problem, Role, private};
use crate::language::Language;

/// Most rows of one table of the overview.
const MAX_ROWS: usize = 100;

/// The pages.
pub fn router(api: &Api) -> Router<Api> {
    let pages = Router::new()
        .route("/", get(overview_page))
        .route("/dockets/{id}", get(docket_page))
        .route("/evaluations", get(evaluation::list_page))
        .route("/evaluations/{period}", get(evaluation::period_page))
        .route("/evaluations/{period}/csv", get(evaluation::period_csv))
        .layer(middleware::from_fn_with_state(api.clone(), guard));
    Router::new()
        .route("/login", get(login::form).post(login::submit))
        // Open to everyone: only what a government published.
        .route("/evaluation/{period}", get(evaluation::published_page))
        .merge(pages)
        .layer(DefaultBodyLimit::max(login::MAX_FORM_BYTES))
        .layer(middleware::from_fn(harden))
        .layer(middleware::from_fn(crate::api::in_time))
}

/// What a page's address may say.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    lang: Option<String>,
}

impl Asked {
    fn language(&self) -> Language {
        self.lang
            .as_deref()
            .map(Language::of_tag)
            .unwrap_or_default()
    }
}

/// Everything the overview shows.
pub(crate) struct Overview {
    node: NodeView,
    keeping: Keeping,
    links: Vec<LinkView>,
    health: Vec<HealthView>,
    dockets: Vec<DocketView>,
    duties: Vec<DutyView>,
    findings: Vec<FindingView>,
    now: Moment,
}

async fn overview_page(
    State(api): State<Api>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let now = api.backend().now();
    let status = api.backend().status();
    let keeping = api.backend().keeping();
    let (node, mut dockets, duties, findings) = api
        .read(move |read| {
            Ok((
                query::node(read)?,
                query::dockets(read, None, MAX_PAGE)?,
                query::duties(read, now, MAX_ROWS)?,
                query::findings(read, None, MAX_ROWS)?,
            ))
        })
        .await?;
    dockets.sort_by_key(|docket| std::cmp::Reverse(docket.updated));
    dockets.truncate(MAX_ROWS);
    let overview = Overview {
        node,
        keeping,
        links: status.links,
        health: status.health,
        dockets,
        duties,
        findings,
        now,
    };
    Ok(shown(overview::page(&overview, asked.language())))
}

async fn docket_page(
    State(api): State<Api>,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    Extension(role): Extension<Role>,
) -> Result<Response, Problem> {
    let wrong =
        |error: identity::DigestError| Problem::malformed(error.to_string(), error.to_string());
    let id = sharing::docket::DocketId(id.parse().map_err(wrong)?);
    let detail = api.read(move |read| query::docket(read, id)).await?;
    let detail = detail
        .ok_or_else(|| Problem::not_found("本节点没有这个案卷", "there is no such docket here"))?;
    let contents = match may_see_the_public(role) {
        true => private::views(&api, &detail.docket.state).await,
        false => Vec::new(),
    };
    let detail = seen_by(role, detail);
    Ok(shown(docket::page(&detail, &contents, asked.language())))
}

/// A page as it is sent.
fn shown(page: Markup) -> Response {
    Html(page.into_string()).into_response()
}

async fn guard(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    // A token in the address is exchanged at once, so that it stays neither in the address bar nor in links.
    if let Some(token) = login::token_in_query(request.uri().query()) {
        return login::exchange(&api, token, request.uri().path(), request.headers());
    }
    let cookie = request
        .headers()
        .get(header::COOKIE)
        .and_then(|value| value.to_str().ok());
    match cookie
        .and_then(login::token_in_cookie)
        .and_then(|token| api.role(token))
    {
        Some(role) => {
            request.extensions_mut().insert(role);
            next.run(request).await
        }
        None => Redirect::to("/login").into_response(),
    }
}

/// Pages load nothing from elsewhere, run no script and stand in no frame.
async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}
