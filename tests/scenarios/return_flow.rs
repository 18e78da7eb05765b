//! R24: every level receives exactly its own rows, in time, sealed to it by the source, with a proof that none is missing; and passes on to the
//! level below what is that level's.

use federation::core::{Refused, query};
use guantong_tests::World;
use identity::Code;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketId};
use sharing::return_flow::workflow::MAX_MANIFEST_BYTES;
use sharing::return_flow::{
    Assigned, Delta, Manifest, PartNotice, RemainderGroup, ReturnTable, Subscription,
    SubscriptionState, Unplaced,
};
use statute::{Article, Role};

use crate::stage::{code, demo, lapses};

const DIVISIONS: &[u8] = include_bytes!("../../topology/data/divisions.csv");
const TOWNSHIPS: &[u8] = include_bytes!("../../topology/data/townships.csv");

fn subscription(source: &str, dataset: &str, area: &str) -> Subscription {
    Subscription {
        source: code(source),
        origin: code("mca"),
        dataset: dataset.parse().unwrap(),
        area: area.parse().unwrap(),
        schedule: "daily@18:00".parse().unwrap(),
    }
}

fn asks(world: &mut World, node: Code, of: Subscription) -> Result<DocketId, Refused> {
    let department = world.department(node, 3, "政务服务数据管理局");
    let operator = world.staff(&department, Role::Operator);
    let answer = world.act(node, &operator, ActBody::Subscribe(of))?;
    Ok(answer.docket.expect("a docket"))
}

fn subscribe(world: &mut World, node: Code, of: Subscription) -> DocketId {
    let docket = asks(world, node, of).expect("subscribed");
    world.settle();
    docket
}

fn table(world: &mut World, dataset: &str, bytes: &[u8]) -> ReturnTable {
    ReturnTable {
        dataset: dataset.parse().unwrap(),
        table: world.upload(code("mca"), "t.csv", bytes),
        division_column: "code".into(),
        key_column: Some("code".into()),
        assigned: vec![],
        query: "2024年末行政区划".into(),
        source_rows: bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1,
    }
}

fn publish(world: &mut World, table: ReturnTable) {
    let source = world.department(code("mca"), 1, "民政部");
    let operator = world.staff(&source, Role::Operator);
    world
        .act(code("mca"), &operator, ActBody::ReturnTable { table })
        .expect("taken");
    world.settle();
}

fn returns(world: &mut World, dataset: &str, bytes: &[u8]) {
    let table = table(world, dataset, bytes);
    publish(world, table);
}

fn held(world: &World, node: Code, docket: DocketId) -> Option<SubscriptionState> {
    let docket = query::docket(world.read(node), docket).unwrap()?.docket;
    match docket.state.case {
        Case::ReturnFlow(state) => Some(*state),
        _ => None,
    }
}

fn rows(world: &World, node: Code, docket: DocketId) -> Option<u64> {
    held(world, node, docket)?.delivered.map(|part| part.rows)
}

fn notice(world: &World, node: Code, docket: DocketId) -> PartNotice {
    *held(world, node, docket).unwrap().held.expect("a part")
}

fn manifest(notice: &PartNotice) -> Manifest {
    notice.manifest.claimed(MAX_MANIFEST_BYTES).unwrap()
}

/// Whether an operator was told of something under an article.
fn told_under(world: &World, node: Code, article: Article) -> bool {
    let found = query::findings(world.read(node), None, 100).unwrap();
    found.iter().any(|it| it.article == Some(article))
}

#[test]
fn each_level_receives_exactly_its_own_rows_and_the_hub_carries_what_it_cannot_read() {
    let mut world = demo(30);
    let recipients = [
        "440000", "440100", "440106", "440104", "210000", "210100", "210102", "110000", "110101",
        "460000", "469005",
    ];
    let dockets: Vec<(Code, DocketId)> = recipients
        .iter()
        .map(|node| {
            let of = subscription("mca", "divisions", node);
            (code(node), subscribe(&mut world, code(node), of))
        })
        .collect();
    returns(&mut world, "divisions", DIVISIONS);
    let text = std::str::from_utf8(DIVISIONS).unwrap();
    let lines = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count() as u64;
    for (node, docket) in &dockets {
        let prefix = node.as_str().trim_end_matches("00").trim_end_matches("00");
        let own = if *node == code("460000") {
            lines("46")
        } else {
            lines(prefix)
        };
        assert_eq!(
            rows(&world, *node, *docket),
            Some(own),
            "{node} has its own rows"
        );
        assert_eq!(
            rows(&world, code("mca"), *docket),
            Some(own),
            "the source knows it of {node}"
        );
        let hub = world.read(code("100000"));
        assert!(
            query::docket(hub, *docket).unwrap().is_none(),
            "the hub is no party"
        );
    }
    assert_eq!(lines("440106"), 1);
    assert!(lines("44") > 100);
}

/// F2: 民政部 to 广东省, 广东省 to 天河区, 天河区 to a street of its own; each believes 民政部 alone.
#[test]
fn a_province_passes_on_to_its_county_and_the_county_to_its_townships_under_the_sources_root() {
    let mut world = demo(32);
    let (province, county) = (code("440000"), code("440106"));
    let of = subscription("mca", "townships", "440000");
    let above = subscribe(&mut world, province, of);
    let of = subscription("440000", "townships", "440106");
    let below = subscribe(&mut world, county, of);
    let of = subscription("440106", "townships", "440106001");
    let street = subscribe(&mut world, county, of);
    assert_eq!(rows(&world, county, below), None);
    returns(&mut world, "townships", TOWNSHIPS);
    let text = std::str::from_utf8(TOWNSHIPS).unwrap();
    let lines = |prefix: &str| text.lines().filter(|line| line.starts_with(prefix)).count() as u64;
    for (node, docket, prefix) in [
        (province, above, "44"),
        (county, below, "440106"),
        (county, street, "440106001"),
    ] {
        assert_eq!(rows(&world, node, docket), Some(lines(prefix)), "{prefix}");
    }
    assert!(lines("440106") > 10 && lines("440106001") == 1);
    // Each level's home knows what came of it, and the source of none but its own subscriber.
    assert_eq!(rows(&world, province, below), Some(lines("440106")));
    assert!(held(&world, code("mca"), below).is_none());
    // One manifest, one root, all the way down.
    let whole = notice(&world, province, above);
    for (node, docket) in [(county, below), (county, street)] {
        let passed = notice(&world, node, docket);
        assert_eq!(passed.manifest, whole.manifest, "as the source signed it");
        assert_eq!(passed.signer, whole.signer);
    }
    let part = notice(&world, county, street).part;
    let part = world.object(county, &part.digest).unwrap();
    assert!(std::str::from_utf8(part).unwrap().contains("440106001,"));
    // The next delivery goes all the way too, and whoever subscribes late has it at once.
    let late = subscribe(
        &mut world,
        county,
        subscription("440106", "townships", "440106002"),
    );
    assert_eq!(rows(&world, county, late), Some(1));
    returns(&mut world, "townships", TOWNSHIPS);
    for docket in [below, street, late] {
        let delivered = held(&world, county, docket).unwrap().delivered.unwrap();
        assert_eq!(delivered.delivery, 2);
    }
}

#[test]
pub(crate) fn rows_of_another_division_are_not_to_be_had_at_any_level() {
    let mut world = demo(33);
    let county = code("440106");
    for (source, area) in [
        ("440000", "440104"),
        ("440000", "440100"),
        ("mca", "440104001"),
    ] {
        let docket = asks(&mut world, county, subscription(source, "townships", area));
        world.settle();
        if let Ok(docket) = docket {
            assert!(
                held(&world, code(source), docket).is_none(),
                "{area} at {source}"
            );
        }
        assert!(told_under(&world, county, Article::R24), "{area}");
    }
    // A ministry has no rows of its own to be returned.
    let docket = asks(
        &mut world,
        code("samr"),
        subscription("mca", "townships", "440106"),
    );
    world.settle();
    assert!(docket.is_err() || held(&world, code("mca"), docket.unwrap()).is_none());
}

#[test]
fn a_level_that_never_received_has_nothing_to_pass_on_and_is_overdue_for_it() {
    let mut world = demo(34);
    let (province, county) = (code("440000"), code("440106"));
    let of = subscription("440000", "townships", "440106");
    let below = subscribe(&mut world, county, of);
    returns(&mut world, "townships", TOWNSHIPS);
    assert_eq!(
        rows(&world, county, below),
        None,
        "the province did not subscribe"
    );
    world.step(9 * 3_600_000);
    world.settle();
    for node in [province, county] {
        assert_eq!(lapses(&world, node, below), 1, "at {node}");
    }
}

#[test]
fn a_delivery_missed_is_recorded_overdue_once_at_source_and_child_and_one_in_time_is_not() {
    let mut world = demo(35);
    let (source, in_time, late) = (code("mca"), code("440106"), code("210102"));
    let of = subscription("mca", "divisions", "440106");
    let daily = subscribe(&mut world, in_time, of);
    let mut of = subscription("mca", "divisions", "210102");
    of.schedule = "daily@12:00".parse().unwrap();
    let earlier = subscribe(&mut world, late, of);
    // Ten in the morning; at one o'clock the first is late, and returned at two.
    world.step(3 * 3_600_000);
    world.settle();
    returns(&mut world, "divisions", DIVISIONS);
    world.step(5 * 3_600_000);
    world.settle();
    for node in [source, late] {
        assert_eq!(lapses(&world, node, earlier), 1, "at {node}");
    }
    for node in [source, in_time] {
        assert_eq!(lapses(&world, node, daily), 0, "at {node}");
    }
    assert!(told_under(&world, source, Article::R39_5));
    // The day after nothing comes: late for both, and once.
    for _ in 0..3 {
        world.step(10 * 3_600_000);
        world.settle();
    }
    assert_eq!(lapses(&world, source, daily), 1);
    assert_eq!(lapses(&world, source, earlier), 2);
}

#[test]
fn what_no_division_claims_is_named_in_the_manifest_and_settled_by_the_source() {
    let mut world = demo(36);
    let county = code("110101");
    let of = subscription("mca", "people", "110101");
    let docket = subscribe(&mut world, county, of);
    let rows_of = b"code,name\n110101001,a\n110103001,b\n110103,c\n371200,d\n999999,e\n,f\nx,g\n";
    returns(&mut world, "people", rows_of);
    let group = |why, rows| RemainderGroup { why, rows };
    let told = manifest(&notice(&world, county, docket));
    let expected = [
        group(Unplaced::Null, 1),
        group(Unplaced::Malformed, 1),
        group(
            Unplaced::Unknown {
                code: "999999".into(),
            },
            1,
        ),
        group(
            Unplaced::Retired {
                code: "371200".into(),
            },
            1,
        ),
        group(
            Unplaced::Changed {
                code: "110103".into(),
                to: "110101".into(),
            },
            2,
        ),
    ];
    assert_eq!(told.remainder, expected);
    assert_eq!(rows(&world, county, docket), Some(1));
    assert!(told_under(&world, code("mca"), Article::R24));
    let settle = |code: &str, to: &str| Assigned {
        code: code.into(),
        to: to.into(),
    };
    let mut settled = table(&mut world, "people", rows_of);
    settled.assigned = vec![settle("110103", "110101")];
    publish(&mut world, settled);
    let told = manifest(&notice(&world, county, docket));
    assert_eq!((told.remainder_rows, told.remainder.len()), (4, 4));
    assert_eq!(rows(&world, county, docket), Some(3));
    // The twin: the rows of a division of today are not the source's to assign.
    let mut diverted = table(&mut world, "people", rows_of);
    diverted.assigned = vec![settle("110101", "440106")];
    publish(&mut world, diverted);
    let newest = held(&world, county, docket).unwrap().newest;
    assert_eq!(newest, 2, "nothing was delivered");
    assert!(told_under(&world, code("mca"), Article::R39_5));
}

/// A table of so many rows in 天河区, in which some are of another name.
fn street(rows: usize, changed: impl Fn(usize) -> bool) -> Vec<u8> {
    let mut table = "code,name\n".to_owned();
    for row in 0..rows {
        let name = if changed(row) { "新名" } else { "原名" };
        table.push_str(&format!(
            "440106{:03}{:03},{name}\n",
            row / 999 + 1,
            row % 999
        ));
    }
    table.into_bytes()
}

#[test]
fn after_the_first_delivery_only_the_difference_moves_and_it_leads_to_the_same_root() {
    let mut world = demo(37);
    let (source, county) = (code("mca"), code("440106"));
    let of = subscription("mca", "villages", "440106");
    let docket = subscribe(&mut world, county, of);
    let first = street(900, |_| false);
    returns(&mut world, "villages", &first);
    let whole = world.fetched_bytes(county);
    assert!(whole >= first.len());
    // Nine rows changed, ten gone at the end.
    returns(&mut world, "villages", &street(890, |row| row % 100 == 5));
    let moved = world.fetched_bytes(county) - whole;
    assert!(moved * 20 < whole, "{moved} of {whole} bytes moved");
    assert_eq!(rows(&world, county, docket), Some(890));
    let told = notice(&world, county, docket);
    let difference = told.difference.clone().expect("a difference");
    let delta = world.object(source, &difference.delta.digest).unwrap();
    let counts = Delta::decode(delta).unwrap().counts();
    assert_eq!((counts.inserts, counts.updates, counts.deletes), (0, 9, 10));
    assert_eq!(
        world.object(county, &told.part.digest),
        world.object(source, &told.part.digest),
        "the part itself, to the byte"
    );
    // Cut off for three deliveries, the child comes back by itself: the difference builds on what it acknowledged last.
    world.cut(county);
    for day in 3..6 {
        returns(&mut world, "villages", &street(890, |row| row % 100 < day));
    }
    let before = world.fetched_bytes(county);
    world.heal(county);
    world.settle();
    assert_eq!(
        held(&world, county, docket)
            .unwrap()
            .delivered
            .unwrap()
            .delivery,
        5
    );
    let moved = world.fetched_bytes(county) - before;
    assert!(moved < whole, "three differences are less than one part");
    // Restored from a backup without the part: the whole is fetched, and holds.
    let base = notice(&world, county, docket).part;
    world.lose_object(county, &base.digest);
    let before = world.fetched_bytes(county);
    returns(&mut world, "villages", &street(890, |row| row == 7));
    assert!(world.fetched_bytes(county) - before > whole / 2);
    assert_eq!(rows(&world, county, docket), Some(890));
    assert_eq!(
        held(&world, county, docket)
            .unwrap()
            .delivered
            .unwrap()
            .delivery,
        6
    );
}

#[test]
pub(crate) fn a_wrong_count_at_the_source_is_found_before_anything_is_sent() {
    let mut world = demo(31);
    let node = code("440106");
    let of = subscription("mca", "divisions", "440106");
    let docket = subscribe(&mut world, node, of);
    let mut wrong = table(&mut world, "divisions", DIVISIONS);
    wrong.source_rows = 7;
    publish(&mut world, wrong);
    assert_eq!(rows(&world, node, docket), None, "nothing is sent");
    assert!(told_under(&world, code("mca"), Article::R39_5));
}
