//! The whole surface at once: who may reach what, what every answer says to a browser, what a page from elsewhere can send.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

/// Why a route has no token before it.
#[derive(Debug, Clone, Copy)]
enum Why {
    /// The law wants it open to everyone.
    Law(Article),
    /// Whoever runs the node asks it, and it tells nothing of any person, department or docket.
    Running,
}
use Why::{Law, Running};

/// Every route of the API that takes no token, each with the reason: a route that is on neither side of this list fails the test.
const WITHOUT_TOKEN: &[(Method, &str, Why)] = &[
    (Method::Get, "/healthz", Running),
    (Method::Get, "/readyz", Running),
    (Method::Get, "/metrics", Running),
    (Method::Get, "/api/v1/openapi.json", Running),
    (Method::Get, "/open/v1/catalogue", Law(Article::S24)),
    (Method::Get, "/open/v1/catalogue/{id}", Law(Article::S24)),
    (
        Method::Get,
        "/open/v1/catalogue/{id}/{format}",
        Law(Article::S25),
    ),
    (Method::Post, "/open/v1/applications", Law(Article::S26)),
    (
        Method::Get,
        "/open/v1/applications/{receipt}",
        Law(Article::S26),
    ),
    (
        Method::Get,
        "/open/v1/applications/{receipt}/file",
        Law(Article::S26),
    ),
    (Method::Post, "/open/v1/complaints", Law(Article::R37)),
    (
        Method::Get,
        "/open/v1/complaints/{receipt}",
        Law(Article::R37),
    ),
];

/// Every page that is shown to whoever has no cookie. All others send to `/login`.
const PAGES_WITHOUT_COOKIE: &[(&str, Why)] = &[
    ("/login", Running),
    ("/evaluation/{period}", Law(Article::R38)),
    ("/open", Law(Article::S24)),
    ("/open/complaint", Law(Article::R37)),
    ("/open/apply", Law(Article::S26)),
    ("/open/case", Law(Article::R37)),
];

/// The files in which routes are made: the table, and the pages.
const ROUTERS: [&str; 3] = ["api/routes.rs", "console/mod.rs", "public/mod.rs"];

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source of the node with its path below `src`.
fn every_source(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            every_source(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let name = path.strip_prefix(sources()).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((name.to_str().unwrap().to_owned(), text));
        }
    }
}

/// What stands first in each `.route(…)` of a source.
fn routes_in(text: &str) -> Vec<String> {
    let calls = text.split(".route(").skip(1);
    calls
        .map(|rest| rest.split(',').next().unwrap().trim().to_owned())
        .collect()
}

/// The path that a `.route(…)` names, by itself or by a constant of the forms.
fn path_of(named: &str) -> &str {
    match named {
        "form::COMPLAINT" => "/open/complaint",
        "form::APPLY" => "/open/apply",
        "form::CASE" => "/open/case",
        literal => literal.trim_matches('"'),
    }
}

/// The pages of the console and of the public, as their routers are written.
fn pages() -> BTreeSet<String> {
    let mut found = Vec::new();
    every_source(&sources(), &mut found);
    let pages = found
        .iter()
        .filter(|(name, _)| ROUTERS[1..].contains(&name.as_str()));
    let named = pages.flat_map(|(_, text)| routes_in(text));
    named.map(|named| path_of(&named).to_owned()).collect()
}

#[test]
fn routes_are_made_nowhere_but_in_the_table_and_the_pages() {
    let mut found = Vec::new();
    every_source(&sources(), &mut found);
    for (name, text) in &found {
        let is_router = ROUTERS.contains(&name.as_str());
        let is_test = name.starts_with("api/tests") || !text.contains("axum");
        assert!(is_router || is_test || routes_in(text).is_empty(), "{name}");
    }
    assert_eq!(
        routes_in(&found.iter().find(|it| it.0 == ROUTERS[0]).unwrap().1).len(),
        1
    );
}

#[test]
fn every_route_without_a_token_names_the_article_or_that_it_tells_nothing() {
    let open: BTreeSet<_> = table()
        .iter()
        .filter(|route| matches!(route.access, Access::Open | Access::Public))
        .map(|route| (route.method, route.path))
        .collect();
    let listed: BTreeSet<_> = WITHOUT_TOKEN
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    assert_eq!(open, listed);
    for (_, path, why) in WITHOUT_TOKEN {
        let public = path.starts_with("/open/");
        assert_eq!(public, matches!(why, Law(_)), "{path}: {why:?}");
        if let Law(article) = why {
            let obliges = |it: &statute::obligation::Obligation| it.articles.contains(article);
            assert!(
                statute::obligation::OBLIGATIONS.iter().any(obliges),
                "{path}: {article:?} obliges to nothing"
            );
        }
    }
}

#[tokio::test]
async fn every_page_but_the_listed_ones_sends_whoever_has_no_cookie_to_the_login() {
    let site = site(accepted(false));
    let pages = pages();
    for (path, why) in PAGES_WITHOUT_COOKIE {
        assert!(pages.contains(*path), "{path} is no page: {why:?}");
    }
    assert!(pages.len() > PAGES_WITHOUT_COOKIE.len());
    for path in &pages {
        let listed = PAGES_WITHOUT_COOKIE.iter().any(|(open, _)| open == path);
        for cookie in ["", "guantong_console=gt_00"] {
            let request = Request::get(concrete(path))
                .header(header::COOKIE, cookie)
                .body(Body::empty())
                .unwrap();
            let (status, headers, _) = site.send(request).await;
            let to = headers.get(header::LOCATION).map(|to| to.to_str().unwrap());
            let sent_away = status == StatusCode::SEE_OTHER && to == Some("/login");
            assert_eq!(sent_away, !listed, "{path} with {cookie:?}: {status}");
        }
    }
}

#[tokio::test]
async fn every_answer_tells_a_browser_to_load_run_frame_and_guess_nothing() {
    let site = site(accepted(false));
    let routes = table();
    let paths = routes.iter().map(|route| route.path.to_owned());
    let paths = paths.chain(pages()).chain(["/nowhere".to_owned()]);
    for path in paths {
        let request = Request::get(concrete(&path)).body(Body::empty()).unwrap();
        let (_, headers, _) = site.send(request).await;
        let said = |name: header::HeaderName| headers[name].to_str().unwrap().to_owned();
        let policy = said(header::CONTENT_SECURITY_POLICY);
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        assert_eq!(said(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(said(header::X_FRAME_OPTIONS), "DENY", "{path}");
        assert_eq!(said(header::REFERRER_POLICY), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn a_page_from_elsewhere_signs_nobody_in_and_sends_no_form() {
    let site = site(accepted(false));
    let login = format!("token={}", site.tokens[0]);
    let in_address = format!("/?{login}");
    let attempts = [
        ("POST", "/login", login.as_str()),
        ("GET", in_address.as_str(), ""),
        ("POST", "/open/complaint", "about=a&text=b"),
        ("POST", "/open/apply", "identifier=a&text=b"),
        ("POST", "/open/v1/complaints", "{}"),
    ];
    for (method, path, body) in attempts {
        for (from, refused) in [
            ("cross-site", true),
            ("same-site", true),
            ("same-origin", false),
            ("none", false),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("sec-fetch-site", from)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(Body::from(body.to_owned()))
                .unwrap();
            let (status, headers, _) = site.send(request).await;
            assert_eq!(
                status == StatusCode::FORBIDDEN,
                refused,
                "{method} {path} {from}"
            );
            assert!(!(refused && headers.contains_key(header::SET_COOKIE)));
        }
    }
    let request = Request::get("/healthz")
        .header("sec-fetch-site", "cross-site")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        site.send(request).await.0,
        StatusCode::OK,
        "a link may be followed"
    );
}

#[tokio::test]
async fn behind_tls_the_consoles_cookie_is_for_tls_alone() {
    let site = site(accepted(false));
    for (proto, secure) in [(None, false), (Some("http"), false), (Some("https"), true)] {
        let mut request = Request::post("/login");
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        let body = Body::from(format!("token={}", site.tokens[0]));
        let (status, headers, _) = site.send(request.body(body).unwrap()).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let cookie = headers[header::SET_COOKIE].to_str().unwrap();
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
        assert!(
            cookie.contains("; HttpOnly; SameSite=Strict; Path=/"),
            "{cookie}"
        );
    }
}
