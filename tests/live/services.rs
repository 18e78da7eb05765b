//! R22: a service is called at the requester's own node and answered by the provider's backend, six hops away; both ends check the grant and
//! have the use on record.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use federation::core::{CallEnd, CallSide, CallStep, Record, query};
use federation::service::{CallAnswer, CallCut, CallWord, Unavailable, percent_encoded};
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{
    Acting, application, apply, code, conditional, grant, publish, reply, seen,
};
use guantong_tests::{Department, Person, entry};
use identity::{Code, Digest, Domain, Signed};
use node::service::Registrations;
use sharing::act::ActBody;
use sharing::application::{GrantAct, GrantStep, Phase, Reply};
use sharing::catalogue::Entry;
use sharing::docket::DocketId;
use statute::{Method, Refusal, RefusalReason, Role};

pub(crate) const PURPOSE: &str = "社会救助资格核验";
/// A large answer.
const LARGE: usize = 64 << 20;
/// One piece of it.
const PIECE: usize = 64 << 10;

/// An HTTP backend that knows what it was asked, how much it could send, and who hung up.
pub(crate) struct Backend {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
    hung_up: mpsc::Receiver<()>,
}

impl Backend {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/base", listener.local_addr().expect("bound"));
        let (asked, sent) = (Arc::default(), Arc::new(AtomicU64::new(0)));
        let (gone, hung_up) = mpsc::channel();
        let backend = Self {
            address,
            asked: Arc::clone(&asked),
            sent: Arc::clone(&sent),
            hung_up,
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, sent, gone) = (Arc::clone(&asked), Arc::clone(&sent), gone.clone());
                std::thread::spawn(move || {
                    if serve(stream, &asked, &sent).is_err() {
                        // A test that is over does not listen.
                        let _ = gone.send(());
                    }
                });
            }
        });
        backend
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("unpoisoned").clone()
    }
}

/// One connection, one request. An error when the caller hangs up in the middle.
fn serve(
    mut stream: TcpStream,
    asked: &Mutex<Vec<String>>,
    sent: &AtomicU64,
) -> std::io::Result<()> {
    let head = read_head(&mut stream)?;
    let line = head.lines().next().unwrap_or_default().to_owned();
    asked.lock().expect("unpoisoned").push(head.clone());
    let json = "200 OK\r\ncontent-type: application/json";
    let rows = r#"[{"名称":"甲","登记日期":"2020-01-01","phone":"1"},{"名称":"乙","phone":"2"}]"#;
    match line.split_whitespace().nth(1).unwrap_or_default() {
        "/base/rows?id=1" | "/base/rows" => answer(&mut stream, json, rows.as_bytes()),
        "/base/text" => answer(
            &mut stream,
            "200 OK\r\ncontent-type: text/plain",
            b"phone 1",
        ),
        "/base/absent" => answer(
            &mut stream,
            "404 No\r\ncontent-type: text/plain",
            b"no phone 1",
        ),
        "/base/echo" => {
            let body = read_chunked(&mut stream)?;
            answer(&mut stream, "200 OK\r\ncontent-type: text/plain", &body)
        }
        "/base/large" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {LARGE}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            for n in 0..LARGE / PIECE {
                stream.write_all(&piece(n))?;
                sent.fetch_add(PIECE as u64, Ordering::SeqCst);
            }
            Ok(())
        }
        // Begins to answer and then says nothing more: what follows is up to the caller.
        "/base/endless" => {
            let begun = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n";
            stream.write_all(begun.as_bytes())?;
            hung_up(&mut stream)
        }
        "/base/silent" => hung_up(&mut stream),
        // Promises more than it sends.
        // Half of what it promises, and more than anything in between holds back.
        "/base/short" => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 2 << 20);
            stream.write_all(head.as_bytes())?;
            stream.write_all(&vec![b'a'; 1 << 20])
        }
        other => panic!("the backend is not to be asked for {other}"),
    }
}

fn hung_up(stream: &mut TcpStream) -> std::io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

fn answer(stream: &mut TcpStream, head: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

fn piece(n: usize) -> Vec<u8> {
    n.to_le_bytes().repeat(PIECE / size_of::<usize>())
}

fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The chunks of a body; none when it is over.
fn read_chunk(stream: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let (mut line, mut byte) = (Vec::new(), [0; 1]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&line);
    let length = usize::from_str_radix(text.trim(), 16).expect("a chunk's length");
    let mut chunk = vec![0; length + 2];
    stream.read_exact(&mut chunk)?;
    chunk.truncate(length);
    Ok((length > 0).then_some(chunk))
}

fn read_chunked(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(chunk) = read_chunk(stream)? {
        whole.extend(chunk);
    }
    Ok(whole)
}

/// 天河区 may call a service of 和平区.
pub(crate) struct Scene {
    pub(crate) live: Federation,
    pub(crate) backend: Backend,
    pub(crate) requester: Department,
    pub(crate) provider: Department,
    pub(crate) docket: DocketId,
}

/// A call, as a program makes it.
pub(crate) struct Call {
    stream: TcpStream,
    head: String,
}

impl Call {
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split_whitespace().nth(1);
        status.and_then(|it| it.parse().ok()).expect("a status")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|it| it.0 == name).map(|it| it.1)
    }

    /// All of the body, or why it broke off.
    pub(crate) fn body(mut self) -> std::io::Result<String> {
        let whole = match self.header("content-length") {
            Some(length) => {
                let mut whole = vec![0; length.parse().expect("a length")];
                self.stream.read_exact(&mut whole)?;
                whole
            }
            None => read_chunked(&mut self.stream)?,
        };
        Ok(String::from_utf8(whole).expect("text"))
    }
}

impl Scene {
    /// With a registration beyond the entry and the backend's address, and a grant of these items.
    fn new(registration: &str, items: &[&str]) -> Self {
        let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
        let provider = Department::hosted(code("210102"), 1, "民政局");
        let mut shared = entry(&provider, 1, "低保对象信息", conditional(), live.now());
        shared.methods.push(Method::ServiceInterface);
        publish(&mut live, &provider, vec![shared.clone()]);
        let requester = Department::hosted(code("440106"), 2, "民政局");
        let docket = granted(&mut live, (&requester, &provider), &shared, items);
        let backend = Backend::start();
        let text = format!(
            "[[services]]\nentry = \"{}\"\nbackend = \"{}\"\n{registration}",
            shared.id, backend.address
        );
        live.configure(provider.node, |config| config.services = registered(&text));
        Self {
            live,
            backend,
            requester,
            provider,
            docket,
        }
    }

    /// Begins a call with these further headers and this body.
    pub(crate) fn send(&self, line: &str, headers: &str, body: &str) -> Call {
        let (address, token) = self.live.api(self.requester.node);
        let mut stream = TcpStream::connect(address).expect("a running API");
        let request = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             accept-language: en\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let head = read_head(&mut stream).expect("an answer");
        Call { stream, head }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("/api/v1/services/{}{path}", self.docket.0)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        let purpose = format!("x-guantong-purpose: {}\r\n", percent_encoded(PURPOSE));
        self.send(&format!("GET {}", self.url(path)), &purpose, "")
    }

    fn post(&self, path: &str, body: &str) -> Call {
        let purpose = format!("x-guantong-purpose: {}\r\n", percent_encoded(PURPOSE));
        self.send(&format!("POST {}", self.url(path)), &purpose, body)
    }

    /// A call that is refused: its status and its problem.
    fn refused(&self, path: &str) -> (u16, String) {
        let call = self.get(path);
        assert_eq!(
            call.header("content-type"),
            Some("application/problem+json")
        );
        assert_eq!(call.header("x-guantong-call"), None);
        (call.status(), call.body().expect("a problem"))
    }

    /// The steps of calls on record at a node.
    fn steps(&self, node: Code) -> Vec<(CallSide, CallStep)> {
        let records = self
            .live
            .ask(node, |store| query::ledger(store, None, 10_000));
        let steps = records.into_iter().filter_map(|(_, record)| match record {
            Record::Call {
                side, step, docket, ..
            } if docket == self.docket => Some((side, step)),
            _ => None,
        });
        steps.collect()
    }

    /// How the newest call ended at a node, once it has `many` ends on record.
    fn ended(&self, node: Code, many: usize) -> CallEnd {
        let what = format!("{many} ends of calls on record at {node}");
        self.live.until(&what, |_| {
            let ends = self
                .steps(node)
                .into_iter()
                .filter_map(|(_, step)| match step {
                    CallStep::Ended(end) => Some(end),
                    _ => None,
                });
            let ends: Vec<_> = ends.collect();
            (ends.len() >= many).then(|| ends.into_iter().next_back())?
        })
    }

    pub(crate) fn ends(&self, many: usize) -> [CallEnd; 2] {
        [self.requester.node, self.provider.node].map(|node| self.ended(node, many))
    }

    fn suspend(&mut self) {
        let person = Person::of(&self.provider, Role::SharingOfficeHead, self.live.now());
        let step = GrantStep::Suspend {
            reasons: "用途待核实".into(),
            rectify_by: self.live.now().plus_days(10),
        };
        let docket = self.docket;
        let body = ActBody::Grant(GrantAct { docket, step });
        self.live
            .act(self.provider.node, &person, body)
            .expect("suspended");
    }
}

pub(crate) fn registered(text: &str) -> Registrations {
    #[derive(serde::Deserialize)]
    struct File {
        services: Registrations,
    }
    let file: File = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    file.services
}

/// An application for the service, granted for these items; what is put at the requester's disposal is the interface's description.
pub(crate) fn granted(
    live: &mut Federation,
    (requester, provider): (&Department, &Department),
    entry: &Entry,
    items: &[&str],
) -> DocketId {
    let mut wanted = application(live, requester, provider, entry);
    wanted.method = Method::ServiceInterface;
    let docket = apply(live, requester, wanted);
    live.until("the application at the provider's", |live| {
        seen(live, provider.node, docket)
    });
    let Reply::Grant { mut terms } = grant(live, entry) else {
        panic!("a grant")
    };
    terms.method = Method::ServiceInterface;
    terms.items = items.iter().map(|&item| item.to_owned()).collect();
    reply(live, provider, docket, Reply::Grant { terms });
    let object = live.upload(provider.node, "接口说明.txt", b"GET /rows");
    let operator = Person::of(provider, Role::Operator, live.now());
    live.act(
        provider.node,
        &operator,
        ActBody::Provide { docket, object },
    )
    .expect("provided");
    for node in [requester.node, provider.node] {
        live.until("the interface's description at the requester's", |live| {
            let state = seen(live, node, docket)?;
            matches!(state.phase, Phase::Provided { .. }).then_some(())
        });
    }
    docket
}

pub(crate) const ALL: &[&str] = &["统一社会信用代码", "名称", "登记日期"];

fn receipt(end: &CallEnd) -> &Signed<CallAnswer> {
    match end {
        CallEnd::Whole { receipt } => receipt,
        other => panic!("not whole: {other:?}"),
    }
}

#[test]
fn a_service_is_called_six_hops_away_and_both_ends_have_the_same_receipt_on_record() {
    let scene = Scene::new("methods = [\"GET\", \"POST\"]", ALL);
    let call = scene.get("/rows?id=1");
    assert_eq!(
        (call.status(), call.header("content-type")),
        (200, Some("application/json"))
    );
    let id = call.header("x-guantong-call").expect("named").to_owned();
    let body = call.body().expect("whole");
    assert!(
        body.contains("甲") && body.contains("phone"),
        "a grant of all items is not reduced"
    );
    let asked = scene.backend.asked().remove(0);
    assert!(
        asked.starts_with("GET /base/rows?id=1 HTTP/1.1\r\n"),
        "{asked}"
    );
    for header in [
        format!("x-guantong-call: {id}"),
        format!("x-guantong-purpose: {}", percent_encoded(PURPOSE)),
    ] {
        assert!(asked.contains(&header), "{asked}");
    }
    assert!(
        !asked.to_lowercase().contains("authorization"),
        "the token stays here"
    );
    let [here, there] = scene.ends(1);
    assert_eq!(here, there);
    let chain = scene.live.ask(scene.requester.node, |store| {
        query::chain(store, scene.provider.node)
    });
    let (chain, _) = chain.expect("known since the application");
    let key = chain.claimed().expect("well-formed").signing_key;
    let answer = receipt(&here)
        .verify(Domain::Call, &key, 1 << 14)
        .expect("the provider's");
    let CallWord::End(said) = answer.word else {
        panic!("no receipt")
    };
    assert_eq!((answer.call.to_string(), said.status), (id, 200));
    assert_eq!(
        (said.response, said.bytes),
        (Digest::object(body.as_bytes()), body.len() as u64)
    );
    for (node, side) in [
        (scene.requester.node, CallSide::Asked),
        (scene.provider.node, CallSide::Answered),
    ] {
        let steps = scene.steps(node);
        assert!(
            matches!(&steps[..], [(first, CallStep::Begun { purpose, .. }), (second, CallStep::Ended(_))]
                if *first == side && *second == side && purpose == PURPOSE),
            "{steps:?}"
        );
    }
    // With a body, over the same circuit.
    let said = "{\"证件号码\":\"1\"}".repeat(20_000);
    let call = scene.post("/echo", &said);
    assert_eq!(call.body().expect("whole"), said);
    let [here, there] = scene.ends(2);
    assert!(receipt(&here) == receipt(&there));
    for between in ["440100", "440000", "100000", "210000", "210100"] {
        let records = scene
            .live
            .ask(code(between), |store| query::ledger(store, None, 10_000));
        let calls = records
            .iter()
            .filter(|(_, it)| matches!(it, Record::Call { .. }));
        assert_eq!(calls.count(), 0, "{between} is no party");
    }
}

#[test]
fn under_a_grant_of_some_items_nothing_else_leaves_the_providers_node() {
    let scene = Scene::new(
        "names = { \"登记日期\" = \"登记日期\" }",
        &["名称", "登记日期"],
    );
    let call = scene.get("/rows");
    let rows: serde_json::Value = serde_json::from_str(&call.body().expect("whole")).expect("JSON");
    let expected = serde_json::json!([{"名称": "甲", "登记日期": "2020-01-01"}, {"名称": "乙"}]);
    assert_eq!(rows, expected);
    let purpose = format!(
        "x-guantong-purpose: {}\r\nx-guantong-fields: {}\r\n",
        percent_encoded(PURPOSE),
        percent_encoded("名称")
    );
    let line = format!("GET {}", scene.url("/rows"));
    let fewer = scene.send(&line, &purpose, "").body().expect("whole");
    assert_eq!(fewer, r#"[{"名称":"甲"},{"名称":"乙"}]"#);
    // What is no JSON of records is refused, and of an error the status alone is told.
    let (status, problem) = scene.refused("/text");
    assert!(
        status == 502 && problem.contains("limited") && !problem.contains("phone"),
        "{problem}"
    );
    assert_eq!(
        scene.ended(scene.requester.node, 3),
        CallEnd::Unavailable(Unavailable::NotFilterable)
    );
    let absent = scene.get("/absent");
    assert_eq!(absent.status(), 404);
    assert_eq!(absent.body().expect("whole"), "");
    // A field that is not granted is refused at the requester's own node.
    let asked = scene.backend.asked().len();
    let purpose = purpose.replace(
        &percent_encoded("名称"),
        &percent_encoded("统一社会信用代码"),
    );
    let over = scene.send(&line, &purpose, "");
    assert_eq!(over.status(), 422);
    let problem = over.body().expect("a problem");
    assert!(
        problem.contains("R25") && problem.contains("this node"),
        "{problem}"
    );
    assert_eq!(scene.backend.asked().len(), asked);
    assert!(matches!(
        scene.steps(scene.requester.node).pop(),
        Some((
            CallSide::Asked,
            CallStep::Refused {
                refusal: Refusal {
                    reason: RefusalReason::ScopeExceeded { .. },
                    ..
                },
                ..
            }
        ))
    ));
}

#[test]
fn a_large_answer_comes_whole_and_nobody_holds_more_than_the_slowest_takes() {
    let scene = Scene::new("timeout_ms = 25000", ALL);
    let mut call = scene.get("/large");
    assert_eq!(call.status(), 200);
    // Nobody reads yet: the backend can send what fits into the windows on the way, and no more.
    let mut before = 0;
    let held = scene
        .live
        .until_in_time("the backend to be held up", Duration::ZERO, |_| {
            std::thread::park_timeout(Duration::from_millis(300));
            let now = scene.backend.sent.load(Ordering::SeqCst);
            let still = now > 0 && now == before;
            before = now;
            still.then_some(now)
        });
    assert!(held < LARGE as u64 / 2, "{held} bytes wait on the way");
    let mut hasher = blake3::Hasher::new();
    while let Some(chunk) = read_chunk(&mut call.stream).expect("whole") {
        hasher.update(&chunk);
    }
    let mut expected = blake3::Hasher::new();
    (0..LARGE / PIECE).for_each(|n| {
        expected.update(&piece(n));
    });
    assert_eq!(hasher.finalize(), expected.finalize());
    let [here, there] = scene.ends(1);
    assert_eq!(receipt(&here), receipt(&there));
}

#[test]
fn a_program_that_hangs_up_ends_the_call_at_the_backend_and_both_ends_record_it() {
    let scene = Scene::new("", ALL);
    let mut call = scene.get("/endless");
    assert_eq!(
        read_chunk(&mut call.stream).expect("begun").as_deref(),
        Some(&b"begun"[..])
    );
    drop(call);
    let gone = scene.backend.hung_up.recv_timeout(Duration::from_secs(20));
    gone.expect("the backend's caller hangs up");
    assert_eq!(
        scene.ends(1),
        [
            CallEnd::Cancelled { bytes: 5 },
            CallEnd::Cancelled { bytes: 5 }
        ]
    );
}

#[test]
fn a_grant_that_is_suspended_in_the_middle_cuts_the_answer_and_both_ends_record_why() {
    let mut scene = Scene::new("timeout_ms = 25000", ALL);
    let mut call = scene.get("/endless");
    assert_eq!(
        read_chunk(&mut call.stream).expect("begun").as_deref(),
        Some(&b"begun"[..])
    );
    scene.suspend();
    assert!(read_chunk(&mut call.stream).is_err(), "no clean end");
    let gone = scene.backend.hung_up.recv_timeout(Duration::from_secs(20));
    gone.expect("the backend's caller hangs up");
    for end in scene.ends(1) {
        assert!(
            matches!(&end, CallEnd::Cut { bytes: 5, cut: CallCut::Refused(refusal) }
                if matches!(refusal.reason, RefusalReason::GrantNotInForce { .. })),
            "{end:?}"
        );
    }
    // And the next call is refused, with the article.
    let (requester, docket) = (scene.requester.node, scene.docket);
    scene
        .live
        .until("the suspension at the requester's", |live| {
            let state = seen(live, requester, docket)?;
            (state.standing.access != sharing::application::Access::InForce).then_some(())
        });
    let (status, problem) = scene.refused("/rows");
    assert!(status == 422 && problem.contains("R27"), "{problem}");
    assert_eq!(scene.backend.asked().len(), 1);
}

#[test]
fn what_the_grant_or_the_registration_does_not_allow_is_refused_and_never_asked_of_the_backend() {
    let scene = Scene::new("paths = [\"/rows\"]\nper_minute = 3", ALL);
    let purpose = |text: &str| format!("x-guantong-purpose: {}\r\n", percent_encoded(text));
    let line = |path: &str| format!("GET {}", scene.url(path));
    let paths = [
        "/../rows",
        "/rows/%2e%2e/x",
        "//evil.example/rows",
        "/rows%2f..",
        "/rows%0d%0aHost:%20evil",
        "/rows\\..\\x",
    ];
    for path in paths {
        let call = scene.send(&line(path), &purpose(PURPOSE), "");
        assert_eq!(call.status(), 400, "{path}: {}", call.head);
    }
    let oversize = format!("accept: {}\r\n{}", "a".repeat(300), purpose(PURPOSE));
    assert_eq!(scene.send(&line("/rows"), &oversize, "").status(), 400);
    let huge = format!("x-y: {}\r\n{}", "a".repeat(64 << 10), purpose(PURPOSE));
    assert_eq!(scene.send(&line("/rows"), &huge, "").status(), 431);
    assert_eq!(
        scene.send(&line("/rows"), "", "").status(),
        400,
        "no purpose"
    );
    let other = scene.send(&line("/rows"), &purpose("信用评级"), "");
    assert_eq!(other.status(), 422);
    assert!(other.body().expect("a problem").contains("R25"));
    let nowhere = line("/rows").replace(&scene.docket.0.to_string(), &"ab".repeat(32));
    assert_eq!(scene.send(&nowhere, &purpose(PURPOSE), "").status(), 422);
    assert_eq!(
        scene.steps(scene.provider.node),
        [],
        "all of that was refused at the requester's own node"
    );
    let (status, problem) = scene.refused("/text");
    assert!(status == 404 && problem.contains("path"), "{problem}");
    assert_eq!(
        scene.ended(scene.provider.node, 1),
        CallEnd::Unavailable(Unavailable::PathNotRegistered)
    );
    assert_eq!(scene.backend.asked(), Vec::<String>::new());
    // Two calls are left of the minute.
    for _ in 0..2 {
        assert_eq!(scene.get("/rows").status(), 200);
    }
    let late = scene.get("/rows");
    assert_eq!(
        (late.status(), late.header("retry-after")),
        (429, Some("20"))
    );
    assert_eq!(scene.get("/rows").status(), 429);
    assert_eq!(scene.ended(scene.requester.node, 5), CallEnd::TooMany);
    let shortages = |node| {
        scene
            .steps(node)
            .into_iter()
            .filter(|it| it.1 == CallStep::Ended(CallEnd::TooMany))
            .count()
    };
    assert_eq!(
        shortages(scene.provider.node),
        1,
        "told once, not as often as it is tried"
    );
    scene.live.advance(Duration::from_secs(20));
    assert_eq!(scene.get("/rows").status(), 200);
    assert_eq!(scene.backend.asked().len(), 3);
}

#[test]
fn a_backend_that_is_silent_breaks_off_or_is_away_is_told_apart() {
    let mut scene = Scene::new("timeout_ms = 300", ALL);
    let (status, problem) = scene.refused("/silent");
    assert!(status == 504 && problem.contains("backend"), "{problem}");
    let short = scene.get("/short");
    assert_eq!(short.status(), 200);
    assert!(short.body().is_err(), "a part is not taken for the whole");
    let cut = CallCut::Broken(Unavailable::BackendDown);
    for end in scene.ends(2) {
        assert!(
            matches!(&end, CallEnd::Cut { cut: it, .. } if *it == cut),
            "{end:?}"
        );
    }
    let entry = seen(&scene.live, scene.provider.node, scene.docket)
        .expect("held")
        .entry
        .entry
        .id;
    let text = format!("[[services]]\nentry = \"{entry}\"\nbackend = \"http://127.0.0.1:1\"");
    let provider = scene.provider.node;
    scene
        .live
        .configure(provider, |config| config.services = registered(&text));
    let (status, problem) = scene.refused("/rows");
    assert!(
        status == 502 && problem.contains("provider's backend"),
        "{problem}"
    );
    scene.live.configure(provider, |config| {
        config.services = Registrations::default()
    });
    let (status, problem) = scene.refused("/rows");
    assert!(status == 404 && problem.contains("registered"), "{problem}");
    scene.live.stop(provider);
    let (status, problem) = scene.refused("/rows");
    assert!(
        status == 502 && problem.contains("way to the provider's node"),
        "{problem}"
    );
    assert!(matches!(
        scene.ended(scene.requester.node, 5),
        CallEnd::Lost { bytes: 0 }
    ));
}
