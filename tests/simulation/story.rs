//! One story under faults: publish, apply, reply, provide, fall out, return a table.

use federation::core::query;
use federation::topology::Topology;
use guantong_tests::{Department, Faults, World, entry};
use identity::{Code, Moment};
use sharing::act::{ActBody, SignedAct};
use sharing::application::{Application, GrantTerms, Material, Phase, Reply, reply_document};
use sharing::catalogue::{Entry, ReviewVerdict};
use sharing::docket::{Case, DocketId};
use sharing::return_flow::{Divisions, ReturnTable, Subscription};
use statute::{ApplicationMaterial, ClassTerms, Method, Role};

fn code(text: &str) -> Code {
    text.parse().expect("a code")
}

/// Waits, under faults, until something is true at a node; panics when it never comes true.
fn until(world: &mut World, what: &str, mut true_now: impl FnMut(&World) -> bool) {
    for _ in 0..400 {
        if true_now(world) {
            return;
        }
        world.step(3_000);
    }
    panic!("never: {what}");
}

fn post(world: &mut World, node: Code, signed: &SignedAct) {
    world
        .post(node, signed)
        .unwrap_or_else(|refused| panic!("{node}: {refused}"));
}

fn phase(world: &World, node: Code, docket: DocketId) -> Option<Phase> {
    match query::docket(world.read(node), docket)
        .expect("memory")?
        .docket
        .state
        .case
    {
        Case::Application(state) => Some(state.phase),
        _ => None,
    }
}

fn publish(world: &mut World, department: &Department, entry: &Entry) {
    let (at, version) = (department.node, vec![entry.version_ref()]);
    let operator = world.staff(department, Role::Operator);
    let head = world.staff(department, Role::DepartmentHead);
    let reviewer = world.authority(at, Role::AuthorityReviewer);
    for (person, body) in [
        (
            &operator,
            ActBody::CompileEntries {
                entries: vec![entry.clone()],
            },
        ),
        (
            &head,
            ActBody::ApproveEntries {
                entries: version.clone(),
            },
        ),
        (
            &operator,
            ActBody::SubmitEntries {
                entries: version.clone(),
            },
        ),
        (
            &reviewer,
            ActBody::ReviewEntries {
                entries: version,
                verdict: ReviewVerdict::Publish,
            },
        ),
    ] {
        let signed = world.sign(at, person, body);
        post(world, at, &signed);
    }
}

/// The whole run: faults from the start, then healing.
pub fn run(seed: u64, faults: Faults) -> World {
    let topology =
        Topology::parse(include_str!("../../topology/demo.toml")).expect("the demo's topology");
    let divisions = Divisions::from_csv(include_bytes!("../../topology/data/divisions.csv"))
        .expect("the divisions");
    let mut world = World::new(
        &topology,
        divisions,
        Moment::from_millis(1_773_021_600_000),
        seed,
    );
    world.faults = faults;
    let provider = world.department(code("210102"), 1, "民政局");
    let offered = entry(
        &provider,
        1,
        "低保对象信息",
        ClassTerms::Unconditional,
        world.now,
    );
    publish(&mut world, &provider, &offered);
    until(&mut world, "the entry reaches the hub", |world| {
        query::node(world.read(code("100000")))
            .expect("memory")
            .catalogue
            == 1
    });
    let requester = world.department(code("440106"), 2, "民政局");
    let docket = applied(&mut world, &requester, &provider, &offered);
    until(&mut world, "the application arrives", |world| {
        phase(world, provider.node, docket).is_some()
    });
    answered(&mut world, &provider, docket, &offered);
    let object = world.upload(provider.node, "低保对象.csv", b"code,name\n1,a\n");
    let operator = world.staff(&provider, Role::Operator);
    let provide = world.sign(
        provider.node,
        &operator,
        ActBody::Provide { docket, object },
    );
    post(&mut world, provider.node, &provide);
    until(&mut world, "the file arrives", |world| {
        matches!(
            phase(world, provider.node, docket),
            Some(Phase::Provided { .. })
        )
    });
    let subscription = returned(&mut world);
    until(&mut world, "the rows come home", |world| {
        query::docket(world.read(code("mca")), subscription)
            .expect("memory")
            .is_some_and(|detail| match detail.docket.state.case {
                Case::ReturnFlow(state) => state.delivered.is_some(),
                _ => false,
            })
    });
    world.heal_all();
    world.settle();
    world
}

fn applied(
    world: &mut World,
    requester: &Department,
    provider: &Department,
    offered: &Entry,
) -> DocketId {
    let material = |kind| Material {
        kind,
        text: "社会救助资格核验".into(),
    };
    let application = Application {
        requester: requester.code,
        requester_name: requester.name.clone(),
        provider_node: world.place(provider.node),
        entry: offered.id.clone(),
        entry_version: offered.version,
        items: vec![offered.items[0].name.clone()],
        materials: ApplicationMaterial::ALL
            .iter()
            .map(|kind| material(*kind))
            .collect(),
        until: Some(world.now.plus_days(365)),
        method: Method::FileDownload,
    };
    let operator = world.staff(requester, Role::Operator);
    let office = world.staff(requester, Role::SharingOfficeHead);
    let draft = world.sign(requester.node, &operator, ActBody::Apply { application });
    post(world, requester.node, &draft);
    let docket = DocketId(draft.id().0);
    let consent = world.sign(
        requester.node,
        &office,
        ActBody::ConsentToApply {
            docket,
            document: docket.0,
        },
    );
    post(world, requester.node, &consent);
    docket
}

fn answered(world: &mut World, provider: &Department, docket: DocketId, offered: &Entry) {
    let terms = GrantTerms {
        items: vec![offered.items[0].name.clone()],
        purpose: "社会救助资格核验".into(),
        until: world.now.plus_days(100),
        method: Method::FileDownload,
        conditions: vec![],
    };
    let reply = Reply::Grant { terms };
    let document = reply_document(&reply);
    let operator = world.staff(provider, Role::Operator);
    let office = world.staff(provider, Role::SharingOfficeHead);
    let propose = world.sign(
        provider.node,
        &operator,
        ActBody::ProposeReply { docket, reply },
    );
    post(world, provider.node, &propose);
    let consent = world.sign(
        provider.node,
        &office,
        ActBody::ConsentToReply { docket, document },
    );
    post(world, provider.node, &consent);
}

fn returned(world: &mut World) -> DocketId {
    let county = code("440106");
    let department = world.department(county, 3, "政务服务数据管理局");
    let asking = world.staff(&department, Role::Operator);
    let subscribe = world.sign(
        county,
        &asking,
        ActBody::Subscribe(Subscription {
            source: code("mca"),
            origin: code("mca"),
            dataset: "divisions".parse().expect("a name"),
            area: county.try_into().expect("a division"),
            schedule: "monthly:28@18:00".parse().expect("a schedule"),
        }),
    );
    post(world, county, &subscribe);
    let docket = DocketId(subscribe.id().0);
    until(world, "the subscription arrives", |world| {
        query::docket(world.read(code("mca")), docket)
            .expect("memory")
            .is_some()
    });
    let table = world.upload(
        code("mca"),
        "t.csv",
        b"code,name\n440106,a\n440104,b\n210102,c\n",
    );
    let source = world.department(code("mca"), 1, "民政部");
    let operator = world.staff(&source, Role::Operator);
    let table = ReturnTable {
        dataset: "divisions".parse().expect("a name"),
        table,
        division_column: "code".into(),
        key_column: None,
        assigned: vec![],
        query: "q".into(),
        source_rows: 3,
    };
    let signed = world.sign(code("mca"), &operator, ActBody::ReturnTable { table });
    post(world, code("mca"), &signed);
    docket
}
