//! The federation of the demo and the steps that several scenarios begin with.

use federation::core::query;
use federation::topology::Topology;
use guantong_tests::{Department, World, entry};
use identity::{Code, Moment};
use sharing::act::ActBody;
use sharing::application::{
    Application, ApplicationState, GrantTerms, Material, Reply, reply_document,
};
use sharing::catalogue::{Entry, ReviewVerdict};
use sharing::docket::{Case, DocketId};
use sharing::return_flow::Divisions;
use statute::{ApplicationMaterial, ClassTerms, Method, Role};

/// Monday 2026-03-09, ten o'clock in Beijing.
pub const MONDAY: Moment = Moment::from_millis(1_773_021_600_000);

pub fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

/// The demo's federation, enrolled and quiet.
pub fn demo(seed: u64) -> World {
    let topology =
        Topology::parse(include_str!("../../topology/demo.toml")).expect("the demo's topology");
    let divisions = Divisions::from_csv(include_bytes!("../../topology/data/divisions.csv"))
        .expect("the divisions");
    World::new(&topology, divisions, MONDAY, seed)
}

pub fn conditional() -> ClassTerms {
    ClassTerms::Conditional {
        scope: vec!["依法履职的政府部门".into()],
        uses: vec!["社会救助资格核验".into()],
        conditions: vec![],
    }
}

/// Compiles, approves, submits, reviews and publishes entries of a department.
pub fn publish(world: &mut World, department: &Department, entries: Vec<Entry>) {
    let versions: Vec<_> = entries.iter().map(Entry::version_ref).collect();
    let operator = world.staff(department, Role::Operator);
    let head = world.staff(department, Role::DepartmentHead);
    let reviewer = world.authority(department.node, Role::AuthorityReviewer);
    let at = department.node;
    world
        .act(at, &operator, ActBody::CompileEntries { entries })
        .expect("compiled");
    world
        .act(
            at,
            &head,
            ActBody::ApproveEntries {
                entries: versions.clone(),
            },
        )
        .expect("approved");
    world
        .act(
            at,
            &operator,
            ActBody::SubmitEntries {
                entries: versions.clone(),
            },
        )
        .expect("submitted");
    world
        .act(
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
pub fn provider(world: &mut World, node: &str, terms: ClassTerms) -> (Department, Entry) {
    let department = world.department(code(node), 1, "民政局");
    let entry = entry(&department, 1, "低保对象信息", terms, world.now);
    publish(world, &department, vec![entry.clone()]);
    (department, entry)
}

pub fn application(
    world: &World,
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
        provider_node: world.place(provider.node),
        entry: entry.id.clone(),
        entry_version: entry.version,
        items: entry.items.iter().map(|item| item.name.clone()).collect(),
        materials: vec![
            material(ApplicationMaterial::Basis, "《社会救助暂行办法》第九条"),
            material(ApplicationMaterial::Scenario, "社会救助资格核验"),
            material(ApplicationMaterial::Scope, "天河区在册低保申请人"),
            material(ApplicationMaterial::Method, "文件下载"),
            material(ApplicationMaterial::Period, "2026年12月31日止"),
        ],
        method: Method::FileDownload,
    }
}

/// Drafts an application and has the head of the requester's sharing office consent (R20). What the provider makes of it comes later.
pub fn apply(world: &mut World, requester: &Department, application: Application) -> DocketId {
    let operator = world.staff(requester, Role::Operator);
    let office = world.staff(requester, Role::SharingOfficeHead);
    let drafted = world
        .act(requester.node, &operator, ActBody::Apply { application })
        .expect("drafted");
    let docket = drafted.docket.expect("a docket");
    world
        .act(
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

pub fn grant(world: &World, entry: &Entry) -> Reply {
    Reply::Grant {
        terms: GrantTerms {
            items: entry.items.iter().map(|item| item.name.clone()).collect(),
            purpose: "社会救助资格核验".into(),
            until: world.now.plus_days(200),
            method: Method::FileDownload,
            conditions: vec![],
        },
    }
}

pub fn refuse() -> Reply {
    Reply::Refuse {
        reasons: "申请范围超出目录列明的共享范围".into(),
        basis: "《政务数据共享条例》第十五条".into(),
    }
}

/// The provider's operator proposes and the head of its sharing office consents (R20).
pub fn reply(world: &mut World, provider: &Department, docket: DocketId, reply: Reply) {
    let operator = world.staff(provider, Role::Operator);
    let office = world.staff(provider, Role::SharingOfficeHead);
    let document = reply_document(&reply);
    world
        .act(
            provider.node,
            &operator,
            ActBody::ProposeReply { docket, reply },
        )
        .expect("proposed");
    world
        .act(
            provider.node,
            &office,
            ActBody::ConsentToReply { docket, document },
        )
        .expect("answered");
}

/// The application as a node holds it.
pub fn seen(world: &World, node: Code, docket: DocketId) -> Option<ApplicationState> {
    match query::docket(world.read(node), docket)
        .expect("memory")?
        .docket
        .state
        .case
    {
        Case::Application(state) => Some(*state),
        _ => None,
    }
}

/// What findings a node shows, newest first.
pub fn findings(world: &World, node: Code) -> Vec<String> {
    query::findings(world.read(node), None, 100)
        .expect("memory")
        .into_iter()
        .map(|finding| finding.en)
        .collect()
}

/// How many duties of a docket the clock found overdue, as a node holds it.
pub fn lapses(world: &World, node: Code, docket: DocketId) -> usize {
    query::docket(world.read(node), docket)
        .expect("memory")
        .map_or(0, |detail| detail.docket.state.clock.lapses.len())
}
