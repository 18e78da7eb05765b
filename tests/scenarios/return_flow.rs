//! R24: every level receives exactly its own rows, sealed to it by the source, with a proof that none is missing.

use federation::core::query;
use identity::Code;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketBody, DocketId};
use sharing::return_flow::{ReturnFlowEvent, ReturnTable};
use statute::{Article, Role};

use crate::stage::{code, demo, events};

const DIVISIONS: &[u8] = include_bytes!("../../topology/data/divisions.csv");

fn subscribe(world: &mut guantong_tests::World, node: Code) -> DocketId {
    subscribe_at(world, node, "mca")
}

fn subscribe_at(world: &mut guantong_tests::World, node: Code, source: &str) -> DocketId {
    let department = world.department(node, 3, "政务服务数据管理局");
    let operator = world.staff(&department, Role::Operator);
    let body = ActBody::Subscribe {
        source: code(source),
        dataset: "divisions".parse().unwrap(),
    };
    world
        .act(node, &operator, body)
        .expect("subscribed")
        .docket
        .expect("a docket")
}

fn rows(world: &guantong_tests::World, node: Code, docket: DocketId) -> Option<u64> {
    match query::docket(world.read(node), docket)
        .unwrap()?
        .docket
        .state
        .case
    {
        Case::ReturnFlow(state) => state.delivered.map(|part| part.rows),
        _ => None,
    }
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
        .map(|node| (code(node), subscribe(&mut world, code(node))))
        .collect();
    world.settle();
    let table = world.upload(code("mca"), "divisions.csv", DIVISIONS);
    let source = world.department(code("mca"), 1, "民政部");
    let operator = world.staff(&source, Role::Operator);
    let source_rows = DIVISIONS.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
    let body = ReturnTable {
        dataset: "divisions".parse().unwrap(),
        table,
        division_column: "code".into(),
        query: "2024年末行政区划".into(),
        source_rows,
    };
    world
        .act(code("mca"), &operator, ActBody::ReturnTable { table: body })
        .expect("returned");
    world.settle();
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

#[test]
pub(crate) fn a_wrong_count_at_the_source_is_found_before_anything_is_sent() {
    let mut world = demo(31);
    let node = code("440106");
    let docket = subscribe(&mut world, node);
    world.settle();
    let table = world.upload(code("mca"), "divisions.csv", DIVISIONS);
    let source = world.department(code("mca"), 1, "民政部");
    let operator = world.staff(&source, Role::Operator);
    let body = ReturnTable {
        dataset: "divisions".parse().unwrap(),
        table,
        division_column: "code".into(),
        query: "q".into(),
        source_rows: 7,
    };
    world
        .act(code("mca"), &operator, ActBody::ReturnTable { table: body })
        .expect("taken");
    world.settle();
    assert_eq!(rows(&world, node, docket), None, "nothing is sent");
    let found = query::findings(world.read(code("mca")), None, 10).unwrap();
    assert!(
        found
            .iter()
            .any(|finding| finding.article == Some(Article::R39_5))
    );
}

/// Returns a table at a node, as a source does; the count is the source's own.
fn returns(world: &mut guantong_tests::World, at: &str, bytes: &[u8], source_rows: u64) {
    let node = code(at);
    let table = world.upload(node, "divisions.csv", bytes);
    let source = world.department(node, 1, "民政部门");
    let operator = world.staff(&source, Role::Operator);
    let table = ReturnTable {
        dataset: "divisions".parse().unwrap(),
        table,
        division_column: "code".into(),
        query: "2024年末行政区划".into(),
        source_rows,
    };
    world
        .act(node, &operator, ActBody::ReturnTable { table })
        .expect("taken");
    world.settle();
}

fn data_rows(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1
}

#[test]
pub(crate) fn a_province_passes_its_part_on_to_its_cities_whole_or_not_at_all() {
    let mut world = demo(32);
    let (province, city, sibling) = (code("440000"), code("440100"), code("210100"));
    let above = subscribe(&mut world, province);
    let below = subscribe_at(&mut world, city, "440000");
    world.settle();
    returns(&mut world, "mca", DIVISIONS, data_rows(DIVISIONS));
    let part = events(&world, province, above)
        .into_iter()
        .find_map(|event| match event.body {
            DocketBody::ReturnFlow(ReturnFlowEvent::Delivering { notice, .. }) => Some(notice.part),
            _ => None,
        })
        .expect("told of its part");
    let part = world
        .object(province, &part.digest)
        .expect("fetched")
        .to_vec();
    let whole = data_rows(&part);
    let last_line = part[..part.len() - 1]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .expect("many lines");
    returns(&mut world, "440000", &part[..=last_line], whole);
    assert_eq!(rows(&world, city, below), None, "one row was held back");
    let found = query::findings(world.read(province), None, 10).unwrap();
    assert!(
        found.iter().any(|it| it.article == Some(Article::R39_5)),
        "{found:?}"
    );
    returns(&mut world, "440000", &part, whole);
    let text = std::str::from_utf8(DIVISIONS).unwrap();
    let own = text.lines().filter(|line| line.starts_with("4401")).count() as u64;
    for node in [city, province] {
        assert_eq!(rows(&world, node, below), Some(own), "as {node} holds it");
    }
    assert!(query::docket(world.read(sibling), below).unwrap().is_none());
}
