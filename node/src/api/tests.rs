//! The API in front of a node in memory: what is open, what needs which role, how errors look.

mod surface;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, header};
use federation::core::view::Status;
use federation::core::{Allowed, Answer, Caller, ReadWhat, Refused};
use federation::store::Memory;
use futures::StreamExt;
use futures::future::BoxFuture;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use identity::{Chain, Code, Digest, Domain, Moment, Signed, SigningKey};
use serde_json::{Value, json};
use sharing::act::{Act, ActBody, ObjectRef, SignedAct};
use sharing::correction::{CorrectionAct, CorrectionOutcome};
use sharing::person::PersonChain;
use sharing::private::{Content, Private};
use sharing::public::PublicRequest;
use statute::{Article, Profile, RefusalReason};

use super::backend::Incoming;
use super::catalogue::{LevelStatus, SearchAnswer, SearchLevel};
use super::keeping::Keeping;
use super::*;
use crate::service::{Answered, Ask, CallError};

/// A node in memory that answers every act as told and keeps what was sent.
struct InMemory {
    store: Arc<Memory>,
    answer: Result<Answer, Refused>,
    acts: Mutex<Vec<SignedAct>>,
    asked: Mutex<Vec<PublicRequest>>,
    profile: Profile,
    objects: Mutex<Vec<Vec<u8>>>,
    readers: Mutex<Vec<Caller>>,
    vault: Mutex<Vec<Content>>,
    halted: Mutex<Option<String>>,
}

impl Backend for InMemory {
    fn act(&self, act: SignedAct) -> BoxFuture<'_, Result<Answer, Refused>> {
        self.acts.lock().unwrap().push(act);
        Box::pin(std::future::ready(self.answer.clone()))
    }
    fn public_request(
        &self,
        _: Digest,
        request: PublicRequest,
    ) -> BoxFuture<'_, Result<Answer, Refused>> {
        self.asked.lock().unwrap().push(request);
        Box::pin(std::future::ready(self.answer.clone()))
    }
    fn profile(&self) -> &Profile {
        &self.profile
    }
    fn install(&self, _: Chain) -> BoxFuture<'_, Result<Answer, Refused>> {
        Box::pin(std::future::ready(self.answer.clone()))
    }
    fn search(
        &self,
        q: String,
        limit: u16,
        wait: Duration,
    ) -> BoxFuture<'_, Result<SearchAnswer, Refused>> {
        let level = SearchLevel {
            node: format!("{limit} {}", wait.as_millis()),
            local: true,
            status: LevelStatus::Answered,
            as_of: None,
            catalogue: None,
            hits: 0,
        };
        Box::pin(std::future::ready(Ok(SearchAnswer {
            q,
            hits: vec![],
            levels: vec![level],
        })))
    }
    fn ask_above(
        &self,
        _: Vec<String>,
        _: Duration,
    ) -> BoxFuture<'_, Result<Vec<(identity::Path, crate::runtime::LevelState)>, Refused>> {
        let hub = (
            identity::Path::hub(),
            crate::runtime::LevelState::Unreachable,
        );
        Box::pin(std::future::ready(Ok(vec![hub])))
    }
    fn store(&self) -> SharedRead {
        Arc::clone(&self.store) as SharedRead
    }
    fn status(&self) -> Status {
        Status::default()
    }
    fn keeping(&self) -> Keeping {
        Keeping::default()
    }
    fn halted(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(std::future::ready(self.halted.lock().unwrap().clone()))
    }
    fn now(&self) -> Moment {
        Moment::from_millis(1)
    }
    fn metrics(&self) -> String {
        "# TYPE guantong_batches counter\nguantong_batches_total 1\n# EOF\n".into()
    }
    fn put_object(
        &self,
        name: String,
        mut bytes: Incoming,
    ) -> BoxFuture<'_, Result<ObjectRef, ObjectError>> {
        Box::pin(async move {
            let mut whole = Vec::new();
            while let Some(chunk) = bytes.next().await {
                whole.extend(chunk.map_err(ObjectError::Interrupted)?);
            }
            let stored = ObjectRef {
                digest: Digest::object(&whole),
                length: whole.len() as u64,
                name,
            };
            self.objects.lock().unwrap().push(whole);
            Ok(stored)
        })
    }
    fn get_object(
        &self,
        digest: Digest,
        by: Caller,
    ) -> BoxFuture<'_, Result<(u64, Body), ObjectError>> {
        self.readers.lock().unwrap().push(by);
        self.give_object(digest)
    }
    fn content_read(&self, _: ReadWhat, by: Caller) -> BoxFuture<'_, Result<Answer, Refused>> {
        self.readers.lock().unwrap().push(by);
        let answer = Answer::at(identity::Moment::from_millis(0));
        Box::pin(std::future::ready(Ok(answer)))
    }
    fn give_object(&self, digest: Digest) -> BoxFuture<'_, Result<(u64, Body), ObjectError>> {
        let found = self
            .objects
            .lock()
            .unwrap()
            .iter()
            .find(|bytes| Digest::object(bytes) == digest)
            .cloned();
        let found = found
            .map(|bytes| (bytes.len() as u64, Body::from(bytes)))
            .ok_or(ObjectError::Absent);
        Box::pin(std::future::ready(found))
    }
    fn call(&self, _: Ask) -> BoxFuture<'_, Result<Answered, CallError>> {
        let busy = Err(CallError::TooMany { retry_after_s: 7 });
        Box::pin(std::future::ready(busy))
    }
    fn has_object(&self, digest: &Digest) -> bool {
        self.objects
            .lock()
            .unwrap()
            .iter()
            .any(|bytes| Digest::object(bytes) == *digest)
    }
    fn keep_content(&self, content: Content) -> BoxFuture<'_, Result<bool, ObjectError>> {
        self.vault.lock().unwrap().push(content);
        Box::pin(std::future::ready(Ok(true)))
    }
    fn content(&self, private: Private) -> BoxFuture<'_, Result<Content, ObjectError>> {
        let vault = self.vault.lock().unwrap();
        let found = vault.iter().find(|it| it.private() == private).cloned();
        Box::pin(std::future::ready(found.ok_or(ObjectError::Absent)))
    }
    fn destroy_content(&self, digest: Digest) -> BoxFuture<'_, Result<(), ObjectError>> {
        let mut vault = self.vault.lock().unwrap();
        vault.retain(|it| it.private().digest != digest);
        Box::pin(std::future::ready(Ok(())))
    }
}

fn accepted(repeated: bool) -> Result<Answer, Refused> {
    Ok(Answer {
        repeated,
        ..Answer::at(Moment::from_millis(5))
    })
}

struct Site {
    node: Arc<InMemory>,
    router: axum::Router,
    tokens: [String; 3],
}

fn site(answer: Result<Answer, Refused>) -> Site {
    let mut tokens = Tokens::default();
    let texts = [Role::Viewer, Role::Operator, Role::Admin]
        .map(|role| tokens.add(role, [role as u8 + 1; 32], ""));
    let node = Arc::new(InMemory {
        store: Arc::default(),
        answer,
        acts: Mutex::default(),
        asked: Mutex::default(),
        profile: Profile::national(),
        objects: Mutex::default(),
        readers: Mutex::default(),
        vault: Mutex::default(),
        halted: Mutex::default(),
    });
    Site {
        router: router(Api::new(node.clone(), tokens)),
        node,
        tokens: texts,
    }
}

impl Site {
    fn token(&self, role: Role) -> Option<&str> {
        Some(&self.tokens[role as usize])
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, axum::http::HeaderMap, Bytes) {
        let response = TowerToHyperService::new(self.router.clone())
            .call(request)
            .await
            .unwrap();
        let (parts, body) = response.into_parts();
        (
            parts.status,
            parts.headers,
            to_bytes(body, 1 << 20).await.unwrap(),
        )
    }

    async fn call(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Vec<u8>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let (status, headers, bytes) = self.send(request.body(Body::from(body)).unwrap()).await;
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(
                headers[header::CONTENT_TYPE],
                problem::CONTENT_TYPE,
                "{method} {path}"
            );
        }
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }
}

fn signed_act() -> SignedAct {
    signed(ActBody::Subscribe(sharing::return_flow::Subscription {
        source: Code::HUB,
        origin: Code::HUB,
        dataset: "divisions".parse().unwrap(),
        area: "440106".parse().unwrap(),
        schedule: "daily@18:00".parse().unwrap(),
    }))
}

fn signed(body: ActBody) -> SignedAct {
    let key = SigningKey::from_seed([9; 32]);
    let act = Act {
        nonce: [1; 16],
        at: Moment::default(),
        node: Code::HUB,
        body,
    };
    SignedAct {
        act: Signed::sign(&act, Domain::Act, &key),
        signer: PersonChain(vec![]),
    }
}

fn act_body() -> Vec<u8> {
    serde_json::to_vec(&acts::ActRequest::new(&signed_act(), &[])).unwrap()
}

/// A path of the table with something in place of every parameter.
fn concrete(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "0" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn every_route_but_the_open_ones_refuses_without_a_token_and_with_too_weak_a_one() {
    let site = site(accepted(false));
    for route in table() {
        let method = match route.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
        };
        let path = concrete(route.path);
        let (status, problem) = site.call(method, &path, None, vec![]).await;
        match route.access {
            Access::Open | Access::Public => {
                assert_ne!(status, StatusCode::UNAUTHORIZED, "{path}")
            }
            Access::Token(needed) => {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert_eq!(problem["type"], "urn:guantong:problem:unauthenticated");
                let (status, _) = site.call(method, &path, Some("gt_00"), vec![]).await;
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
                for role in Role::ALL {
                    let (status, problem) =
                        site.call(method, &path, site.token(role), vec![]).await;
                    let forbidden = status == StatusCode::FORBIDDEN
                        && problem["type"] == "urn:guantong:problem:forbidden";
                    assert_eq!(forbidden, role < needed, "{method} {path} as {}", role.id());
                }
            }
        }
    }
    assert!(site.node.acts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_act_reaches_the_node_as_it_was_signed() {
    for (repeated, status) in [(false, 201), (true, 200)] {
        let site = site(accepted(repeated));
        let (got, answer) = site
            .call(
                "POST",
                "/api/v1/acts",
                site.token(Role::Operator),
                act_body(),
            )
            .await;
        assert_eq!(got.as_u16(), status);
        assert_eq!(answer["at"], 5);
        assert_eq!(*site.node.acts.lock().unwrap(), [signed_act()]);
    }
}

#[tokio::test]
async fn an_act_comes_with_its_personal_content_and_what_is_refused_does_not_stay() {
    let refusal = RefusalReason::WrongState {
        expected: "correction-asked".into(),
        found: "upheld".into(),
    };
    let site = site(Err(Refused::Lawful(refusal.under(Article::R26))));
    let said = Content::new([1; 32], "张某的记录与登记一致".into()).unwrap();
    let act = signed(ActBody::Correction(CorrectionAct::Answer {
        docket: "ab".repeat(32).parse().unwrap(),
        outcome: CorrectionOutcome::Upheld {
            reasons: said.private(),
        },
    }));
    let other = Content::new([2; 32], "张某的记录与登记一致".into()).unwrap();
    for (beside, article, acts) in [
        (vec![], "个人信息保护法", 0),
        (vec![other], "个人信息保护法", 0),
        (vec![said], "政务数据共享条例", 1),
    ] {
        let body = serde_json::to_vec(&acts::ActRequest::new(&act, &beside)).unwrap();
        let token = site.token(Role::Operator);
        let (status, problem) = site.call("POST", "/api/v1/acts", token, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let cited = problem["article_zh"].as_str().unwrap();
        assert!(cited.contains(article), "{cited}");
        assert_eq!(site.node.acts.lock().unwrap().len(), acts);
        assert!(site.node.vault.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_lawful_refusal_is_422_with_the_article_in_the_language_asked_for() {
    let refusal = RefusalReason::ReasonsRequired.under(Article::R21);
    let site = site(Err(Refused::Lawful(refusal)));
    let (status, problem) = site
        .call(
            "POST",
            "/api/v1/acts",
            site.token(Role::Operator),
            act_body(),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        (problem["article"].as_str(), problem["title"].as_str()),
        (Some("R21"), Some("依法不予受理"))
    );
    let request = Request::post("/api/v1/acts")
        .header(header::AUTHORIZATION, format!("Bearer {}", site.tokens[1]))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_LANGUAGE, "en-GB,zh;q=0.5")
        .body(Body::from(act_body()))
        .unwrap();
    let (_, _, bytes) = site.send(request).await;
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(problem["title"], "Refused by law");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_problem_that_says_what() {
    let site = site(accepted(false));
    let operator = site.token(Role::Operator);
    for body in [
        b"{".to_vec(),
        b"{}".to_vec(),
        json!({"act": "!", "signer": ""}).to_string().into_bytes(),
    ] {
        let (status, problem) = site.call("POST", "/api/v1/acts", operator, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
        assert!(!problem["detail"].as_str().unwrap().is_empty());
    }
    let (status, _) = site
        .call("GET", "/api/v1/dockets/xyz", operator, vec![])
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, _) = site
        .call("GET", "/api/v1/dockets?limit=minus", operator, vec![])
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, problem) = site.call("GET", "/api/v1/nothing", operator, vec![]).await;
    assert_eq!(
        (status, problem["status"].as_u64()),
        (StatusCode::NOT_FOUND, Some(404))
    );
    let (status, problem) = site.call("DELETE", "/api/v1/acts", operator, vec![]).await;
    assert_eq!(
        (status, problem["status"].as_u64()),
        (StatusCode::METHOD_NOT_ALLOWED, Some(405))
    );
}

#[tokio::test]
async fn a_body_beyond_the_routes_bound_is_413() {
    let site = site(accepted(false));
    let body = vec![b' '; acts::MAX_ACT_BODY + 1];
    let (status, problem) = site
        .call("POST", "/api/v1/acts", site.token(Role::Operator), body)
        .await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (
            StatusCode::PAYLOAD_TOO_LARGE,
            Some("urn:guantong:problem:too-large")
        )
    );
    assert!(site.node.acts.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_node_without_membership_lives_and_is_not_ready() {
    let site = site(accepted(false));
    let (status, _) = site.call("GET", "/healthz", None, vec![]).await;
    assert_eq!(status, StatusCode::OK);
    let (status, problem) = site.call("GET", "/readyz", None, vec![]).await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            Some("urn:guantong:problem:not-ready")
        )
    );
    let body = json!({ "body": { "Subscribe": {
        "source": "100000", "origin": "100000", "dataset": "divisions", "area": "440106", "schedule": "daily@18:00"
    } } });
    let (status, _) = site
        .call(
            "POST",
            "/api/v1/acts/prepare",
            site.token(Role::Viewer),
            body.to_string().into_bytes(),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_node_that_takes_nothing_more_is_not_ready_and_says_why() {
    let site = site(accepted(false));
    *site.node.halted.lock().unwrap() = Some("tables behind since batch 7".into());
    let (status, problem) = site.call("GET", "/readyz", None, vec![]).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        problem.to_string().contains("tables behind since batch 7"),
        "{problem}"
    );
    let (status, _) = site.call("GET", "/healthz", None, vec![]).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn an_object_comes_back_as_it_went_in() {
    let site = site(accepted(false));
    let content = "代码,名称\n440106,天河区\n".as_bytes().to_vec();
    let path = format!(
        "/api/v1/objects?name={}",
        crate::cli::client::encode("区划.csv")
    );
    let (status, stored) = site
        .call("PUT", &path, site.token(Role::Operator), content.clone())
        .await;
    assert_eq!(
        (status, stored["name"].as_str()),
        (StatusCode::CREATED, Some("区划.csv"))
    );
    let request = Request::get(format!(
        "/api/v1/objects/{}",
        stored["digest"].as_str().unwrap()
    ))
    .header(header::AUTHORIZATION, format!("Bearer {}", site.tokens[1]));
    let (status, headers, bytes) = site.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((status, bytes.to_vec()), (StatusCode::OK, content));
    let readers = site.node.readers.lock().unwrap().clone();
    assert!(matches!(readers.as_slice(), [reader] if reader.allowed == Allowed::Operator));
    assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let (status, _) = site
        .call(
            "PUT",
            "/api/v1/objects?name=..%2Fx",
            site.token(Role::Operator),
            vec![],
        )
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_search_is_bounded_in_words_hits_and_time() {
    let site = site(accepted(false));
    let viewer = site.token(Role::Viewer);
    let (_, answer) = site
        .call(
            "GET",
            "/api/v1/catalogue/search?q=%E5%86%9C%E4%B8%9A&limit=9999&wait_ms=99999999",
            viewer,
            vec![],
        )
        .await;
    assert_eq!(
        (answer["q"].as_str(), answer["levels"][0]["node"].as_str()),
        (Some("农业"), Some("100 10000"))
    );
    for q in ["", "%20", &"x".repeat(catalogue::MAX_QUERY_CHARS + 1)] {
        let (status, _) = site
            .call(
                "GET",
                &format!("/api/v1/catalogue/search?q={q}"),
                viewer,
                vec![],
            )
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn metrics_are_one_document_without_labels_of_peers() {
    let site = site(accepted(false));
    let (status, _, bytes) = site
        .send(Request::get("/metrics").body(Body::empty()).unwrap())
        .await;
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text.matches("# EOF").count(), 1);
    assert!(text.ends_with("# EOF\n") && !text.contains('{'));
    assert!(
        text.contains("guantong_batches_total 1\n") && text.contains("guantong_duties_overdue 0\n")
    );
}

#[tokio::test]
async fn the_console_takes_a_cookie_and_the_api_does_not() {
    let site = site(accepted(false));
    let (status, headers, _) = site
        .send(Request::get("/").body(Body::empty()).unwrap())
        .await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/login")
    );
    let request = Request::get(format!("/?token={}", site.tokens[0]))
        .body(Body::empty())
        .unwrap();
    let (status, headers, _) = site.send(request).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let cookie = headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let pair = cookie.split(';').next().unwrap();
    let request = Request::get("/")
        .header(header::COOKIE, pair)
        .body(Body::empty())
        .unwrap();
    let (status, headers, page) = site.send(request).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert!(
        String::from_utf8(page.to_vec())
            .unwrap()
            .contains("尚未入网")
    );
    let request = Request::get("/api/v1/node")
        .header(header::COOKIE, pair)
        .body(Body::empty())
        .unwrap();
    assert_eq!(site.send(request).await.0, StatusCode::UNAUTHORIZED);
    let request = Request::get("/login?token=gt_wrong")
        .body(Body::empty())
        .unwrap();
    assert_eq!(site.send(request).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn lists_are_empty_before_anything_has_happened() {
    let site = site(accepted(false));
    for path in [
        "dockets",
        "drafts",
        "duties",
        "findings",
        "people",
        "catalogue/own",
        "catalogue/published",
        "return-flow/parts",
        "ledger",
    ] {
        let (status, list) = site
            .call(
                "GET",
                &format!("/api/v1/{path}"),
                site.token(Role::Viewer),
                vec![],
            )
            .await;
        assert_eq!(
            (status, &list["items"], &list["next"]),
            (StatusCode::OK, &json!([]), &Value::Null),
            "{path}"
        );
    }
    let (status, notices) = site
        .call("GET", "/api/v1/calendar", site.token(Role::Viewer), vec![])
        .await;
    let comes_with_the_program =
        |item: &Value| item["year"].is_i64() && item["installed"].is_null();
    let items = notices["items"].as_array().unwrap();
    assert!(
        status == StatusCode::OK && !items.is_empty() && items.iter().all(comes_with_the_program)
    );
    let docket = "ab".repeat(32);
    let (status, problem) = site
        .call(
            "GET",
            &format!("/api/v1/dockets/{docket}"),
            site.token(Role::Viewer),
            vec![],
        )
        .await;
    assert_eq!(
        (status, problem["type"].as_str()),
        (
            StatusCode::NOT_FOUND,
            Some("urn:guantong:problem:not-found")
        )
    );
}

#[tokio::test]
async fn the_public_is_held_back_when_it_asks_too_much_and_others_are_told_when_to_come_again() {
    use crate::public::limits::MAX_ASKED_PER_ADDRESS;
    let site = site(accepted(false));
    let path = "/open/v1/applications";
    for _ in 0..MAX_ASKED_PER_ADDRESS {
        let (status, _) = site.call("POST", path, None, b"{}".to_vec()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{}"))
        .unwrap();
    let (status, headers, bytes) = site.send(request).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(headers[header::RETRY_AFTER], "3600");
    assert_eq!(headers[header::CONTENT_TYPE], problem::CONTENT_TYPE);
    let problem: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(problem["type"], "urn:guantong:problem:too-many");
    assert!(problem.to_string().contains("3600 秒后（"), "{problem}");
    // Reading is counted apart.
    let (status, problem) = site.call("GET", "/open/v1/catalogue", None, vec![]).await;
    assert_eq!(
        (status, problem["article"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("R2"))
    );
    assert!(site.node.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_body_of_the_public_beyond_its_bound_is_413() {
    let site = site(accepted(false));
    let body = vec![b' '; crate::public::intake::MAX_PUBLIC_BODY + 1];
    let (status, _) = site.call("POST", "/open/v1/applications", None, body).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn the_public_service_has_nothing_of_the_operators() {
    let site = site(accepted(false));
    let public = Site {
        router: public_router(Api::new(site.node.clone(), Tokens::default())),
        node: site.node.clone(),
        tokens: site.tokens.clone(),
    };
    for route in table() {
        let request = Request::get(concrete(route.path))
            .body(Body::empty())
            .unwrap();
        let (status, _, bytes) = public.send(request).await;
        let nowhere = status == StatusCode::NOT_FOUND
            && String::from_utf8_lossy(&bytes).contains("没有这个路径");
        assert_eq!(nowhere, route.access != Access::Public, "{}", route.path);
    }
}
