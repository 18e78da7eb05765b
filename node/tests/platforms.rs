//! An older platform and a node in one process, the command in its own: what stands in the node's own catalogue after each pull (R31, R32).

mod family;
mod program;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use federation::core::view::OwnEntry;
use federation::core::{Record, query};
use identity::{CreditCode, KdfParams, KeyKind, SigningKey};
use node::api::{Api, Role as TokenRole, Tokens};
use node::config::NodeConfig;
use node::person;
use node::runtime::Handle;
use node::runtime::driver::now;
use node::service::Registrations;
use serde_json::{Value, json};
use sharing::act::{ActBody, ObjectRef};
use sharing::application::{Application, GrantTerms, Material, Reply, reply_document};
use sharing::catalogue::EntryState::{self, Draft, Published, Withdrawn};
use sharing::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};
use statute::{ApplicationMaterial, Method, Role};
use tokio::net::TcpListener;

use program::{error, guantong, path, result, says};

const PASSPHRASE: &str = "口令";
const DEPARTMENT: &str = "11440106DEM000001Q";
const AUTHORITY: &str = "11440106DEM000900Q";

/// How the platform answers.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Mood {
    Well,
    /// HTTP 500.
    Broken,
    /// It says that it has more than it gives.
    Truncated,
    /// The connection ends in the middle of an answer.
    CutOff,
    /// A page of a proxy in front of it.
    Html,
    /// It sends from one address to the next, without end.
    Circling,
    /// It gives nothing.
    Empty,
}

/// What CKAN holds.
#[derive(Clone)]
struct Ckan(Arc<Mutex<(Mood, BTreeMap<String, Value>)>>);

impl Ckan {
    fn put(&self, id: &str, title: &str, class: &str) {
        let package = json!({"id": id, "title": title, "notes": "本区在保低保家庭及成员", "resources": [{"format": "CSV"}],
            "extras": [{"key": "共享属性", "value": class}, {"key": "数据项", "value": "户主姓名:C50；救助金额:N10"}]});
        self.0.lock().unwrap().1.insert(id.to_owned(), package);
    }

    fn remove(&self, id: &str) {
        self.0.lock().unwrap().1.remove(id).unwrap();
    }

    fn mood(&self, mood: Mood) {
        self.0.lock().unwrap().0 = mood;
    }

    async fn start() -> (Self, String) {
        let ckan = Self(Arc::new(Mutex::new((Mood::Well, BTreeMap::new()))));
        let router = Router::new()
            .route("/api/3/action/package_search", get(search))
            .route("/verify", get(|| async { "up" }))
            .route("/verify/people", get(verify))
            .with_state(ckan.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(node::api::serve(listener, router, std::future::pending()));
        (ckan, format!("http://{address}"))
    }
}

/// The platform's own service, as it was before there was a node.
async fn verify(Query(asked): Query<BTreeMap<String, String>>) -> axum::Json<Value> {
    axum::Json(json!([{"户主姓名": asked["name"], "救助金额": 900, "电话": "1"}]))
}

async fn search(
    State(ckan): State<Ckan>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Response {
    let (mood, packages) = ckan.0.lock().unwrap().clone();
    let number = |name: &str| asked[name].parse::<usize>().unwrap();
    let (rows, start) = (number("rows"), number("start"));
    assert_eq!(asked["sort"], "id asc");
    let page: Vec<&Value> = packages.values().skip(start).take(rows).collect();
    let answer = |count: usize, results: Value| {
        axum::Json(json!({"success": true, "result": {"count": count, "results": results}}))
            .into_response()
    };
    match mood {
        Mood::Well => answer(packages.len(), json!(page)),
        Mood::Truncated => answer(packages.len() + 1, json!(page)),
        Mood::Empty => answer(0, json!([])),
        Mood::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Mood::Html => "<html><body>系统维护中</body></html>".into_response(),
        Mood::Circling => Redirect::temporary(&format!(
            "/api/3/action/package_search?rows={rows}&start={start}&sort=id%20asc"
        ))
        .into_response(),
        Mood::CutOff => {
            let begun = futures::stream::iter([
                Ok(r#"{"success": true, "result": {"#),
                Err("the line broke"),
            ]);
            let body = Body::from_stream(begun);
            ([("content-length", "4096")], body).into_response()
        }
    }
}

/// The head of the authority.
fn authority(hub: &family::Member) -> (SigningKey, PersonChain) {
    let authority = SigningKey::from_seed([hub.seed ^ 0x77; 32]);
    let term = (now().plus_days(-1), now().plus_days(30));
    let code: CreditCode = AUTHORITY.parse().unwrap();
    let certificate = authority_head_certificate("陈启明", code, hub.code, term, &authority);
    (authority, PersonChain(vec![certificate]))
}

/// A node with its people, an older platform, and its mapping.
struct Scene {
    node: Handle,
    http: String,
    token: String,
    ckan: Ckan,
    platform: String,
    folder: tempfile::TempDir,
    _data: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let (hub, data) = (family::hub(), tempfile::tempdir().unwrap());
        let (ckan, platform) = Ckan::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = NodeConfig::in_dir(data.path().join("node"));
        config.services = registrations(&mapping(folder.path(), &platform));
        let node = node::runtime::start(&config, hub.keys(), node::runtime::clock::Clock::system())
            .await
            .unwrap();
        node.install(hub.chain.clone()).await.unwrap();
        let mut tokens = Tokens::default();
        let token = tokens.add(TokenRole::Operator, [3; 32], "test");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = format!("http://{}", listener.local_addr().unwrap());
        let api = Api::new(Arc::new(node.clone()), tokens);
        tokio::spawn(node::api::serve(
            listener,
            node::api::router(api),
            std::future::pending(),
        ));
        let scene = Self {
            node,
            http,
            token,
            ckan,
            platform,
            folder,
            _data: data,
        };
        scene.enrol_all(&hub).await;
        scene
    }

    /// The head of the authority enrols a reviewer and the department's head, who enrols the operator.
    async fn enrol_all(&self, hub: &family::Member) {
        let top = authority(hub);
        self.enrol("reviewer", Role::AuthorityReviewer, AUTHORITY, &top)
            .await;
        let head = self
            .enrol("head", Role::DepartmentHead, DEPARTMENT, &top)
            .await;
        self.enrol("operator", Role::Operator, DEPARTMENT, &head)
            .await;
    }

    async fn enrol(
        &self,
        name: &str,
        role: Role,
        department: &str,
        by: &(SigningKey, PersonChain),
    ) -> (SigningKey, PersonChain) {
        let path = self.key(name);
        let file =
            person::create_key(&path, KeyKind::Person, PASSPHRASE, KdfParams::MINIMUM).unwrap();
        let certificate = PersonCertificate {
            key: file.public,
            name: name.into(),
            role,
            department: department.parse().unwrap(),
            node: identity::Code::HUB,
            term_from: now().plus_days(-1),
            term_until: now().plus_days(30),
        };
        let signed = enrol(&certificate, &by.0);
        let chain = by.1.with(signed.clone());
        let body = ActBody::EnrolPerson {
            certificate: signed,
            department_name: "广州市天河区民政局".into(),
        };
        let act = person::act(identity::Code::HUB, now(), body).unwrap();
        self.node
            .act(person::sign(&act, &by.0, by.1.clone()))
            .await
            .unwrap();
        person::save_chain(&person::chain_path(&path), &chain).unwrap();
        (file.open(PASSPHRASE).unwrap(), chain)
    }

    fn key(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.key"))
    }

    fn mapping(&self) -> PathBuf {
        mapping(self.folder.path(), &self.platform)
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        self.command(&[&["platform"], args].concat())
    }

    fn command(&self, args: &[&str]) -> std::process::Output {
        let mut command = guantong("en_US.UTF-8");
        command.env("GUANTONG_PASSPHRASE", PASSPHRASE);
        command.args(["--json", "--node", &self.http, "--token", &self.token]);
        tokio::task::block_in_place(|| command.args(args).output().unwrap())
    }

    fn pull_of(&self, mapping: &Path, keys: &[&str], more: &[&str]) -> std::process::Output {
        let mut args = vec!["pull".to_owned(), "--mapping".into(), path(mapping).into()];
        for name in keys {
            let option = match *name {
                "operator" => "--key".to_owned(),
                other => format!("--{other}-key"),
            };
            args.extend([option, path(&self.key(name)).to_owned()]);
        }
        args.extend(more.iter().map(|it| (*it).to_owned()));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        self.run(&args)
    }

    fn pull(&self, keys: &[&str]) -> Value {
        result(&self.pull_of(&self.mapping(), keys, &[]))
    }

    fn own(&self) -> Vec<OwnEntry> {
        query::own_entries(&*self.node.store(), None, 500).unwrap()
    }

    /// Own entries as (end of the id, version, state, version published).
    fn stand(&self) -> Vec<(String, u32, EntryState, Option<u32>)> {
        let of = |own: OwnEntry| {
            let id = own.entry.id.to_string();
            let end = id.rsplit('/').next().unwrap_or_default().to_owned();
            (end, own.entry.version, own.state, own.published)
        };
        self.own().into_iter().map(of).collect()
    }

    fn stands(&self, wanted: &[(&str, u32, EntryState, Option<u32>)]) {
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(id, version, state, published)| ((*id).to_owned(), *version, *state, *published))
            .collect();
        assert_eq!(self.stand(), wanted);
    }
}

/// The platform's mapping, written into a folder.
fn mapping(folder: &Path, platform: &str) -> PathBuf {
    let file = folder.join("ckan.toml");
    let text = format!(
        r#"
platform = "天河区数据资源门户"
prefix = "440106/CKAN"
[source]
kind = "ckan"
address = "{platform}/"
[provider]
code = "{DEPARTMENT}"
name = "广州市天河区民政局"
[fields]
key = "id"
name = "title"
summary = "notes"
format = "resources.format"
class = "extras.共享属性"
items = {{ from = "extras.数据项" }}
[defaults]
grade = "一般数据"
frequency = "每月"
methods = ["文件下载"]
personal_information = false
conditional = {{ scope = ["本区各部门"], uses = ["社会救助核对"], conditions = [] }}
secrecy_assessment = {{ done = {{ by = "李文婷", on = "2026-01-05", conclusion = "不涉密" }} }}
[values]
class = {{ "开放" = "无条件共享", "受限" = "有条件共享" }}
[[service]]
name = "低保身份核验"
url = "{platform}/verify"
entry = "440106/CKAN/b"
[[service]]
name = "旧接口"
url = "http://127.0.0.1:1/"
entry = "440106/CKAN/old"
"#
    );
    fs::write(&file, text).unwrap();
    file
}

/// What the command registers of a platform's services, as the node reads it.
fn registrations(mapping: &Path) -> Registrations {
    #[derive(serde::Deserialize)]
    struct File {
        services: Registrations,
    }
    let printed = program::english(&[
        "platform",
        "services",
        "--register",
        "--mapping",
        path(mapping),
    ]);
    assert!(printed.status.success(), "{printed:?}");
    let file: File = toml::from_str(&String::from_utf8(printed.stdout).unwrap()).unwrap();
    file.services
}

const ALL: [&str; 3] = ["operator", "head", "reviewer"];

fn ids(report: &Value) -> Vec<&str> {
    report
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().rsplit('/').next().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_added_changed_and_deleted_is_taken_over_and_a_second_pull_changes_nothing() {
    let scene = Scene::new().await;
    scene.ckan.put("a", "低保家庭信息", "受限");
    scene.ckan.put("b", "特困人员信息", "受限");
    let first = scene.pull(&ALL);
    assert_eq!(
        (ids(&first["new"]), ids(&first["published"])),
        (vec!["a", "b"], vec!["a", "b"])
    );
    scene.stands(&[("a", 1, Published, Some(1)), ("b", 1, Published, Some(1))]);
    let by_service = |own: &OwnEntry| {
        own.entry
            .methods
            .contains(&statute::Method::ServiceInterface)
    };
    assert_eq!(
        scene.own().iter().map(by_service).collect::<Vec<_>>(),
        [false, true]
    );

    let acts = || {
        let records = query::ledger(&*scene.node.store(), None, 500).unwrap();
        let is_act = |record: &Record| matches!(record, Record::Act { .. });
        records.iter().filter(|(_, record)| is_act(record)).count()
    };
    let before = (scene.own(), acts());
    let second = scene.pull(&ALL);
    assert_eq!(
        (&second["unchanged"], &second["new"], &second["changed"]),
        (&2.into(), &json!([]), &json!([]))
    );
    assert_eq!((scene.own(), acts()), before, "nobody signed anything");

    scene.ckan.put("a", "低保家庭及成员信息", "开放");
    scene.ckan.remove("b");
    scene.ckan.put("c", "养老机构名录", "开放");
    let third = scene.pull(&ALL);
    assert_eq!(
        (
            ids(&third["new"]),
            ids(&third["changed"]),
            ids(&third["withdrawn"])
        ),
        (vec!["c"], vec!["a"], vec!["b"])
    );
    scene.stands(&[
        ("a", 2, Published, Some(2)),
        ("b", 1, Withdrawn, None),
        ("c", 1, Published, Some(1)),
    ]);

    scene.ckan.put("b", "特困人员信息", "受限");
    scene.pull(&ALL);
    scene.stands(&[
        ("a", 2, Published, Some(2)),
        ("b", 2, Published, Some(2)),
        ("c", 1, Published, Some(1)),
    ]);
    scene.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pull_that_fails_is_cut_short_or_comes_back_empty_removes_nothing() {
    let scene = Scene::new().await;
    for id in ["a", "b"] {
        scene.ckan.put(id, "低保家庭信息", "受限");
    }
    scene.pull(&ALL);
    scene.ckan.remove("a");
    let before = scene.own();
    for (mood, exit, said) in [
        (Mood::Broken, 1, "500"),
        (Mood::Truncated, 1, "incomplete"),
        (Mood::CutOff, 5, "could not be fetched"),
        (Mood::Html, 1, "cannot be read"),
        (Mood::Circling, 5, "redirect"),
        (Mood::Empty, 1, "gave nothing where 2"),
    ] {
        scene.ckan.mood(mood);
        let error = error(&scene.pull_of(&scene.mapping(), &ALL, &[]));
        assert_eq!(error["exit"], exit, "{mood:?}: {error}");
        assert!(says(&error, said), "{mood:?}: {error}");
        assert!(
            error["what_to_do"]
                .as_str()
                .unwrap()
                .contains("nothing was removed"),
            "{error}"
        );
        assert_eq!(scene.own(), before, "{mood:?}");
    }
    scene.ckan.mood(Mood::Empty);
    let emptied = result(&scene.pull_of(&scene.mapping(), &ALL, &["--allow-empty"]));
    assert_eq!(ids(&emptied["withdrawn"]), ["a", "b"]);
    scene.ckan.mood(Mood::Well);
    scene.pull(&ALL);
    scene.stands(&[("a", 1, Withdrawn, None), ("b", 2, Published, Some(2))]);
    scene.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_the_operators_key_alone_the_rest_awaits_the_others() {
    let scene = Scene::new().await;
    for id in ["a", "b"] {
        scene.ckan.put(id, "低保家庭信息", "受限");
    }
    let compiled = scene.pull(&["operator"]);
    assert_eq!(ids(&compiled["awaiting"]["approval"]), ["a", "b"]);
    scene.stands(&[("a", 1, Draft, None), ("b", 1, Draft, None)]);
    let approved = scene.pull(&["operator", "head"]);
    assert_eq!(ids(&approved["awaiting"]["review"]), ["a", "b"]);
    scene.stands(&[
        ("a", 1, EntryState::Submitted, None),
        ("b", 1, EntryState::Submitted, None),
    ]);
    assert_eq!(
        ids(&scene.pull(&["operator", "reviewer"])["published"]),
        ["a", "b"]
    );

    scene.ckan.put("a", "低保家庭及成员信息", "受限");
    scene.ckan.remove("b");
    let waiting = scene.pull(&["operator"]);
    assert_eq!(ids(&waiting["awaiting"]["withdrawal"]), ["b"]);
    scene.stands(&[("a", 2, Draft, Some(1)), ("b", 1, Published, Some(1))]);

    // What stands published goes, though its next version is only a draft.
    scene.ckan.remove("a");
    scene.ckan.put("c", "养老机构名录", "开放");
    let gone = scene.pull(&["operator", "head"]);
    assert_eq!(ids(&gone["withdrawn"]), ["a", "b"]);
    scene.stands(&[
        ("a", 2, Draft, None),
        ("b", 1, Withdrawn, None),
        ("c", 1, EntryState::Submitted, None),
    ]);
    assert_eq!(
        query::published(&*scene.node.store(), None, None, 9).unwrap(),
        []
    );

    // A key in the wrong hands is refused before anything is done.
    let before = scene.own();
    let swapped = scene.run(&[
        "pull",
        "--mapping",
        path(&scene.mapping()),
        "--key",
        path(&scene.key("head")),
    ]);
    let refused = error(&swapped);
    assert_eq!(
        (&refused["exit"], refused["article"].is_string()),
        (&3.into(), true),
        "{refused}"
    );
    assert_eq!(scene.own(), before);
    scene.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_cannot_be_mapped_is_reported_and_what_stands_of_it_stays() {
    let scene = Scene::new().await;
    for id in ["a", "b"] {
        scene.ckan.put(id, "低保家庭信息", "受限");
    }
    scene.pull(&ALL);
    scene.ckan.put("a", "低保家庭信息", "看情况");
    scene.ckan.put("c", "养老机构名录", "开放");
    let report = scene.pull(&ALL);
    assert_eq!(report["unmapped"][0]["key"], "a");
    assert!(
        report["unmapped"][0]["what"]
            .as_str()
            .unwrap()
            .contains("看情况"),
        "{report}"
    );
    scene.stands(&[
        ("a", 1, Published, Some(1)),
        ("b", 1, Published, Some(1)),
        ("c", 1, Published, Some(1)),
    ]);
    let checked = scene.run(&["check", "--mapping", path(&scene.mapping())]);
    assert_eq!(checked.status.code(), Some(3), "{checked:?}");
    let shown: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(
        (
            shown["entries"].as_array().unwrap().len(),
            shown["unmapped"].as_array().unwrap().len()
        ),
        (2, 1)
    );
    scene.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_a_row_of_a_table_has_no_key_nothing_is_said_to_be_gone() {
    let scene = Scene::new().await;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/platforms");
    for file in ["csv.toml", "catalogue.csv"] {
        fs::copy(examples.join(file), scene.folder.path().join(file)).unwrap();
    }
    let (mapping, table) = (
        scene.folder.path().join("csv.toml"),
        scene.folder.path().join("catalogue.csv"),
    );
    let first = result(&scene.pull_of(&mapping, &ALL, &[]));
    assert_eq!(ids(&first["published"]), ["MZ-0001", "MZ-0002"]);
    assert_eq!(scene.own()[0].entry.items.len(), 3);

    let whole = fs::read_to_string(&table).unwrap();
    let (header, rows) = whole.split_once('\n').unwrap();
    let second = &rows[rows.find("MZ-0002").unwrap()..];
    fs::write(
        &table,
        format!("{header}\n,无代码目录,,,,,,,,,,,\n{second}"),
    )
    .unwrap();
    let partial = scene.pull_of(&mapping, &ALL, &[]);
    assert_eq!(partial.status.code(), Some(1), "{partial:?}");
    let report: Value = serde_json::from_slice(&partial.stdout).unwrap();
    assert_eq!(
        (ids(&report["kept"]), &report["withdrawn"]),
        (vec!["MZ-0001"], &json!([]))
    );
    scene.stands(&[
        ("MZ-0001", 1, Published, Some(1)),
        ("MZ-0002", 1, Published, Some(1)),
    ]);

    fs::write(&table, format!("{header}\n{second}")).unwrap();
    result(&scene.pull_of(&mapping, &ALL, &[]));
    scene.stands(&[
        ("MZ-0001", 1, Withdrawn, None),
        ("MZ-0002", 1, Published, Some(1)),
    ]);
    scene.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_platform_of_many_pages_is_pulled_whole_and_its_services_are_probed() {
    let scene = Scene::new().await;
    for number in 0..250 {
        scene
            .ckan
            .put(&format!("n{number}"), "低保家庭信息", "受限");
    }
    let checked = result(&scene.run(&["check", "--mapping", path(&scene.mapping())]));
    assert_eq!(
        (
            &checked["found"],
            checked["entries"].as_array().unwrap().len()
        ),
        (&250.into(), 250)
    );
    assert_eq!(
        ids(&checked["stray_services"]),
        ["b", "old"],
        "services of what is not there"
    );
    let services = result(&scene.run(&["services", "--mapping", path(&scene.mapping())]));
    let states: Vec<&str> = services["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["up", "down"]);
    assert!(scene.own().is_empty(), "neither changes anything");
    scene.node.shutdown().await;
}

#[test]
fn the_example_mappings_are_mappings() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../topology/platforms");
    for file in ["ckan.toml", "csv.toml"] {
        let text = fs::read_to_string(examples.join(file)).unwrap();
        if let Err(error) = node::platform::Mapping::parse(&text, &examples) {
            panic!("{file}: {error}");
        }
    }
    let guide = examples.join("../../docs/operators-guide.md");
    let example = fs::read_to_string(examples.join("ckan.toml")).unwrap();
    assert!(
        fs::read_to_string(guide).unwrap().contains(&example),
        "the guide shows the example as it is"
    );
}

impl Scene {
    async fn done(
        &self,
        by: &(SigningKey, PersonChain),
        body: ActBody,
    ) -> federation::core::Answer {
        let act = person::act(identity::Code::HUB, now(), body).unwrap();
        let signed = person::sign(&act, &by.0, by.1.clone());
        self.node.act(signed).await.unwrap()
    }

    /// Another department of this node is granted the service of `entry`.
    async fn granted(&self, entry: &OwnEntry) -> String {
        const OTHER: &str = "11440106DEM000002N";
        let top = authority(&family::hub());
        let head = self
            .enrol("head 2", Role::DepartmentHead, OTHER, &top)
            .await;
        let asker = self.enrol("asker", Role::Operator, OTHER, &head).await;
        let office = self
            .enrol("office 2", Role::SharingOfficeHead, OTHER, &head)
            .await;
        let owner = self
            .enrol("head 1", Role::DepartmentHead, DEPARTMENT, &top)
            .await;
        let replier = self
            .enrol("replier", Role::Operator, DEPARTMENT, &owner)
            .await;
        let consenter = self
            .enrol("office 1", Role::SharingOfficeHead, DEPARTMENT, &owner)
            .await;
        let kinds = [
            ApplicationMaterial::Basis,
            ApplicationMaterial::Scenario,
            ApplicationMaterial::Scope,
            ApplicationMaterial::Method,
            ApplicationMaterial::Period,
        ];
        let application = Application {
            requester: OTHER.parse().unwrap(),
            requester_name: "教育局".into(),
            provider_node: query::node(&*self.node.store()).unwrap().place.unwrap(),
            entry: entry.entry.id.clone(),
            entry_version: entry.entry.version,
            items: entry
                .entry
                .items
                .iter()
                .map(|item| item.name.clone())
                .collect(),
            materials: kinds
                .map(|kind| Material {
                    kind,
                    text: "资助核验".into(),
                })
                .to_vec(),
            until: Some(now().plus_days(30)),
            method: Method::ServiceInterface,
        };
        let terms = GrantTerms {
            items: application.items[..1].to_vec(),
            purpose: "社会救助核对".into(),
            until: now().plus_days(30),
            method: Method::ServiceInterface,
            conditions: vec![],
        };
        let drafted = self.done(&asker, ActBody::Apply { application }).await;
        let docket = drafted.docket.unwrap();
        let document = docket.0;
        self.done(&office, ActBody::ConsentToApply { docket, document })
            .await;
        let reply = Reply::Grant { terms };
        let document = reply_document(&reply);
        self.done(&replier, ActBody::ProposeReply { docket, reply })
            .await;
        self.done(&consenter, ActBody::ConsentToReply { docket, document })
            .await;
        let stored = self
            .node
            .objects()
            .put_reader(&b"GET /people"[..], 1 << 10)
            .unwrap();
        let object = ObjectRef {
            digest: stored.digest,
            length: stored.length,
            name: "接口说明.txt".into(),
        };
        self.done(&replier, ActBody::Provide { docket, object })
            .await;
        docket.to_string()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pulled_platforms_service_is_called_and_the_platform_is_not_changed() {
    let scene = Scene::new().await;
    scene.ckan.put("b", "特困人员信息", "受限");
    scene.pull(&ALL);
    let docket = scene.granted(&scene.own()[0]).await;
    let listed = result(&scene.command(&["service", "list"]));
    assert_eq!(
        (&listed["items"][0]["docket"], &listed["items"][0]["items"]),
        (&docket.as_str().into(), &json!(["户主姓名"]))
    );
    let called = scene.command(&["service", "call", &docket, "/people?name=%E7%94%B2"]);
    assert_eq!(
        result(&called),
        json!([{"户主姓名": "甲"}]),
        "what is not granted stays there"
    );
    let file = scene.folder.path().join("answer.json");
    let written = [
        "service",
        "call",
        &docket[..8],
        "/people?name=x",
        "-o",
        path(&file),
    ];
    assert!(scene.command(&written).status.success());
    assert_eq!(
        fs::read(&file).unwrap(),
        "[{\"户主姓名\":\"x\"}]".as_bytes()
    );
    let whole = scene.command(&["service", "call", &docket, "/"]);
    assert!(
        says(&error(&whole), "limited to some data items"),
        "the base itself is called, and answers a text"
    );
    let other = [
        "service",
        "call",
        &docket,
        "/people?name=x",
        "--purpose",
        "信用评级",
    ];
    let refused = error(&scene.command(&other));
    assert_eq!(
        (&refused["exit"], &refused["article"]),
        (&3.into(), &"R25".into())
    );
    let leading = error(&scene.command(&["service", "call", &docket, "/../people"]));
    assert_eq!(leading["exit"], 2);
}
