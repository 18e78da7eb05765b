//! R24: every level receives exactly its own rows, sealed to it by the source, with a proof that none is missing.

use federation::core::query;
use identity::Code;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketId};
use sharing::return_flow::ReturnTable;
use statute::{Article, Role};

use crate::stage::{code, demo};

const DIVISIONS: &[u8] = include_bytes!("../../topology/data/divisions.csv");

fn subscribe(world: &mut guantong_tests::World, node: Code) -> DocketId {
    let department = world.department(node, 3, "政务服务数据管理局");
    let operator = world.staff(&department, Role::Operator);
    let body = ActBody::Subscribe {
        source: code("mca"),
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
fn a_wrong_count_at_the_source_is_found_before_anything_is_sent() {
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
    assert_eq!(rows(&world, node, docket), None);
    let found = query::findings(world.read(code("mca")), None, 10).unwrap();
    assert!(
        found
            .iter()
            .any(|finding| finding.article == Some(Article::R39_5))
    );
}
