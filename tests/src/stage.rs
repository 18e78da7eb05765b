//! The federation of the demo and the steps that several scenarios begin with, for the simulated and the live federation alike.

use std::fmt::Debug;

use federation::core::{Answer, Refused, authorise_circuit, query};
use federation::store::{Fault, Read};
use federation::topology::Topology;
use federation::wire::ObjectRequest;
use identity::{Code, Moment, Path};
use sharing::act::{ActBody, ObjectRef};
use sharing::application::{
    Application, ApplicationState, GrantTerms, Material, Reply, UseRecord, UseTexts, reply_document,
};
use sharing::catalogue::{Entry, ReviewVerdict};
use sharing::docket::{Case, DocketEvent, DocketId};
use sharing::private::{Content, SALT_BYTES};
use sharing::return_flow::Divisions;
use statute::{ApplicationMaterial, ClassTerms, Method, Refusal, Role};

use crate::cast::{Department, Person, entry};
use crate::world::World;

/// A federation in which people act and whose nodes can be asked what they hold.
pub trait Acting {
    /// How an act is refused.
    type Refusal: Debug;
    /// The time everywhere.
    fn time(&self) -> Moment;
    /// A node's place.
    fn place_of(&self, node: Code) -> Path;
    /// A person's act at a node, with its answer.
    ///
    /// # Errors
    /// The node's refusal.
    fn perform(
        &mut self,
        node: Code,
        person: &Person,
        body: ActBody,
    ) -> Result<Answer, Self::Refusal>;
    /// Asks a node's own committed state.
    fn ask<T>(&self, node: Code, question: impl FnOnce(&dyn Read) -> Result<T, Fault>) -> T;
}

impl Acting for World {
    type Refusal = Refused;

    fn time(&self) -> Moment {
        self.now
    }

    fn place_of(&self, node: Code) -> Path {
        self.place(node)
    }

    fn perform(&mut self, node: Code, person: &Person, body: ActBody) -> Result<Answer, Refused> {
        self.act(node, person, body)
    }

    fn ask<T>(&self, node: Code, question: impl FnOnce(&dyn Read) -> Result<T, Fault>) -> T {
        question(self.read(node)).expect("memory does not fail")
    }
}

/// Monday 2026-03-09, ten o'clock in Beijing.
pub const MONDAY: Moment = Moment::from_millis(1_773_021_600_000);

/// A code.
pub fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

/// The demo's federation: the hub, three ministries, four provinces down to their counties.
pub fn demo_topology() -> Topology {
    Topology::parse(include_str!("../../topology/demo.toml")).expect("the demo's topology")
}

/// The demo's federation, enrolled and quiet.
pub fn demo(seed: u64) -> World {
    demo_at(MONDAY, seed)
}

/// The demo's federation, enrolled and quiet at another time.
pub fn demo_at(now: Moment, seed: u64) -> World {
    let topology = demo_topology();
    let divisions = Divisions::from_csv(include_bytes!("../../topology/data/divisions.csv"))
        .and_then(|it| it.with_retired(include_bytes!("../../topology/data/retired.csv")))
        .expect("the divisions");
    World::new(&topology, divisions, now, seed)
}

/// Conditional sharing for social assistance.
pub fn conditional() -> ClassTerms {
    ClassTerms::Conditional {
        scope: vec!["依法履职的政府部门".into()],
        uses: vec!["社会救助资格核验".into()],
        conditions: vec![],
    }
}

/// Compiles, approves, submits, reviews and publishes entries of a department.
pub fn publish(world: &mut impl Acting, department: &Department, entries: Vec<Entry>) {
    let versions: Vec<_> = entries.iter().map(Entry::version_ref).collect();
    let operator = Person::of(department, Role::Operator, world.time());
    let head = Person::of(department, Role::DepartmentHead, world.time());
    let reviewer = Person::of_authority(department.node, Role::AuthorityReviewer, world.time());
    let at = department.node;
    world
        .perform(at, &operator, ActBody::CompileEntries { entries })
        .expect("compiled");
    world
        .perform(
            at,
            &head,
            ActBody::ApproveEntries {
                entries: versions.clone(),
            },
        )
        .expect("approved");
    world
        .perform(
            at,
            &operator,
            ActBody::SubmitEntries {
                entries: versions.clone(),
            },
        )
        .expect("submitted");
    world
        .perform(
            at,
            &reviewer,
            ActBody::ReviewEntries {
                entries: versions,
                verdict: ReviewVerdict::Publish,
            },
        )
        .expect("published");
}

/// A department with one published entry.
pub fn provider(world: &mut impl Acting, node: &str, terms: ClassTerms) -> (Department, Entry) {
    let department = Department::hosted(code(node), 1, "民政局");
    let entry = entry(&department, 1, "低保对象信息", terms, world.time());
    publish(world, &department, vec![entry.clone()]);
    (department, entry)
}

/// A complete application for all items of an entry.
pub fn application(
    world: &impl Acting,
    requester: &Department,
    provider: &Department,
    entry: &Entry,
) -> Application {
    let material = |kind, text: &str| Material {
        kind,
        text: text.into(),
    };
    Application {
        requester: requester.code,
        requester_name: requester.name.clone(),
        provider_node: world.place_of(provider.node),
        entry: entry.id.clone(),
        entry_version: entry.version,
        items: entry.items.iter().map(|item| item.name.clone()).collect(),
        materials: vec![
            material(ApplicationMaterial::Basis, "《社会救助暂行办法》第九条"),
            material(ApplicationMaterial::Scenario, "社会救助资格核验"),
            material(ApplicationMaterial::Scope, "天河区在册低保申请人"),
            material(ApplicationMaterial::Method, "文件下载"),
        ],
        until: Some(world.time().plus_days(365)),
        method: Method::FileDownload,
    }
}

/// Drafts an application and has the head of the requester's sharing office consent (R20). What the provider makes of it comes later.
pub fn apply(
    world: &mut impl Acting,
    requester: &Department,
    application: Application,
) -> DocketId {
    let operator = Person::of(requester, Role::Operator, world.time());
    let office = Person::of(requester, Role::SharingOfficeHead, world.time());
    let drafted = world
        .perform(requester.node, &operator, ActBody::Apply { application })
        .expect("drafted");
    let docket = drafted.docket.expect("a docket");
    world
        .perform(
            requester.node,
            &office,
            ActBody::ConsentToApply {
                docket,
                document: docket.0,
            },
        )
        .expect("consented");
    docket
}

/// A grant of all items for 200 days.
pub fn grant(world: &impl Acting, entry: &Entry) -> Reply {
    Reply::Grant {
        terms: GrantTerms {
            items: entry.items.iter().map(|item| item.name.clone()).collect(),
            purpose: "社会救助资格核验".into(),
            until: world.time().plus_days(200),
            method: Method::FileDownload,
            conditions: vec![],
        },
    }
}

/// A refusal with reasons and basis.
pub fn refuse() -> Reply {
    Reply::Refuse {
        reasons: "申请范围超出目录列明的共享范围".into(),
        basis: "《政务数据共享条例》第十五条".into(),
    }
}

/// The provider's operator proposes and the head of its sharing office consents (R20).
pub fn reply(world: &mut impl Acting, provider: &Department, docket: DocketId, reply: Reply) {
    let operator = Person::of(provider, Role::Operator, world.time());
    let office = Person::of(provider, Role::SharingOfficeHead, world.time());
    let document = reply_document(&reply);
    world
        .perform(
            provider.node,
            &operator,
            ActBody::ProposeReply { docket, reply },
        )
        .expect("proposed");
    world
        .perform(
            provider.node,
            &office,
            ActBody::ConsentToReply { docket, document },
        )
        .expect("answered");
}

/// A department has the data of another: applied for, granted, provided and received.
pub fn share(
    world: &mut World,
    requester: &Department,
    provider: &Department,
    entry: &Entry,
) -> (DocketId, ObjectRef) {
    let wanted = application(world, requester, provider, entry);
    let docket = apply(world, requester, wanted);
    world.settle();
    let agreed = grant(world, entry);
    reply(world, provider, docket, agreed);
    let object = world.upload(provider.node, "低保对象.csv", b"code,name\n1,a\n");
    let operator = world.staff(provider, Role::Operator);
    let provide = ActBody::Provide {
        docket,
        object: object.clone(),
    };
    world
        .act(provider.node, &operator, provide)
        .expect("provided");
    world.settle();
    (docket, object)
}

/// What the provider's node makes of a circuit that the requester's node opens for an object.
///
/// # Errors
/// The provider's refusal.
pub fn circuit(
    world: &World,
    (from, at): (Code, Code),
    docket: DocketId,
    object: &ObjectRef,
) -> Result<(), Refusal> {
    let request = ObjectRequest {
        docket,
        object: object.digest,
        offset: 0,
    };
    authorise_circuit(world.read(at), &world.place(from), &request, world.now)
        .expect("memory does not fail")
        .map(drop)
}
/// What the five points of [`use_texts`] say, each a text that stands nowhere else.
const USE_TEXTS: [&str; 5] = [
    "甲场景核验",
    "乙过程比对",
    "丙成效一百二十人",
    "丁存储本地加密",
    "戊尚未销毁",
];

/// What a whole record of use says.
pub fn use_texts() -> UseTexts {
    let [scenario, process, result, storage, destruction] = USE_TEXTS.map(str::to_owned);
    UseTexts {
        scenario,
        process,
        result,
        storage,
        destruction,
    }
}

/// A record of use and what it says, as it is kept.
pub fn recorded(texts: &UseTexts) -> (UseRecord, Content) {
    let content = Content::new([29; SALT_BYTES], texts.text()).expect("a text");
    (texts.record(&content), content)
}

/// A whole record of use, what it says put into a node's vault as the API does.
pub fn use_record(world: &mut World, at: Code) -> UseRecord {
    let texts = use_texts();
    let said = world.private(at, &texts.text());
    let content = world.content(at, &said).expect("in the vault");
    texts.record(&content)
}

/// Whether a text as JSON says anything of what [`use_texts`] says, in clear or in the bytes of a signed act.
pub fn tells_use(text: &str) -> bool {
    USE_TEXTS.iter().any(|said| {
        let hex: String = said.bytes().map(|byte| format!("{byte:02x}")).collect();
        text.contains(said) || text.contains(&hex)
    })
}

/// The application as a node holds it.
pub fn seen(world: &impl Acting, node: Code, docket: DocketId) -> Option<ApplicationState> {
    let held = world.ask(node, |store| query::docket(store, docket))?;
    match held.docket.state.case {
        Case::Application(state) => Some(*state),
        _ => None,
    }
}

/// The events of a docket as a node holds them, in order.
pub fn events(world: &impl Acting, node: Code, docket: DocketId) -> Vec<DocketEvent> {
    let held = world.ask(node, |store| query::docket(store, docket));
    held.map_or_else(Vec::new, |held| held.events)
}

/// What findings a node shows, newest first.
pub fn findings(world: &impl Acting, node: Code) -> Vec<String> {
    world
        .ask(node, |store| query::findings(store, None, 100))
        .into_iter()
        .map(|finding| finding.en)
        .collect()
}

/// How many duties of a docket the clock found overdue, as a node holds it.
pub fn lapses(world: &impl Acting, node: Code, docket: DocketId) -> usize {
    world
        .ask(node, |store| query::docket(store, docket))
        .map_or(0, |detail| detail.docket.state.clock.lapses.len())
}
