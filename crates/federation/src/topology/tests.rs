//! The files that ship, each defect of a topology, and who is competent where.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const DEMO: &str = include_str!("../../../../topology/demo.toml");
const NATION: &str = include_str!("../../../../topology/nation.toml");
const DIVISIONS: &str = include_str!("../../../../topology/data/divisions.csv");

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn codes(texts: &[&str]) -> Vec<Code> {
    texts.iter().map(|text| code(text)).collect()
}

fn demo() -> Topology {
    Topology::parse(DEMO).unwrap()
}

fn nation() -> &'static Topology {
    static PARSED: LazyLock<Topology> = LazyLock::new(|| Topology::parse(NATION).unwrap());
    &PARSED
}

fn count(topology: &Topology, level: Level) -> usize {
    topology
        .nodes()
        .iter()
        .filter(|node| node.level == level)
        .count()
}

/// `code name parent level` a line, `-` for no parent, further keys as they stand.
fn federation(lines: &[&str]) -> String {
    let mut text = String::from("[federation]\nname = \"试验\"\n");
    for line in lines {
        let cells: Vec<&str> = line.splitn(5, ' ').collect();
        text += &format!(
            "[[node]]\ncode = \"{}\"\nname = \"{}\"\nlevel = \"{}\"\n",
            cells[0], cells[1], cells[3]
        );
        if cells[2] != "-" {
            text += &format!("parent = \"{}\"\n", cells[2]);
        }
        text += cells.get(4).unwrap_or(&"");
        text += "\n";
    }
    text
}

const HUB: &str = "100000 枢纽 - hub";

fn refused(lines: &[&str]) -> TopologyError {
    Topology::parse(&federation(lines)).unwrap_err()
}

#[test]
fn the_demo_is_the_promised_tree() {
    let demo = demo();
    let parents: Vec<(&str, Option<Code>)> = demo
        .nodes()
        .iter()
        .map(|n| (n.name.as_str(), n.parent()))
        .collect();
    let under = |parent: &str| Some(code(parent));
    assert_eq!(
        parents,
        [
            ("国家政务大数据平台", None),
            ("公安部", under("100000")),
            ("民政部", under("100000")),
            ("国家市场监督管理总局", under("100000")),
            ("广东省", under("100000")),
            ("广州市", under("440000")),
            ("越秀区", under("440100")),
            ("天河区", under("440100")),
            ("辽宁省", under("100000")),
            ("沈阳市", under("210000")),
            ("和平区", under("210100")),
            ("北京市", under("100000")),
            ("东城区", under("110000")),
            ("海南省", under("100000")),
            ("文昌市", under("460000")),
        ]
    );
    assert_eq!(demo.node(Code::HUB).unwrap().place(), "中华人民共和国");
    assert_eq!(demo.children(code("440100")), codes(&["440104", "440106"]));
    assert_eq!(demo.children(code("999999")), []);
}

#[test]
fn the_nation_has_the_counts_of_2024() {
    let nation = nation();
    assert_eq!(count(nation, Level::Hub), 1);
    assert_eq!(count(nation, Level::Province), 32);
    assert_eq!(count(nation, Level::Prefecture), 333);
    assert_eq!(count(nation, Level::County), 2_846);
    assert_eq!(
        count(nation, Level::Ministry),
        nation.nodes().len() - 1 - 32 - 333 - 2_846
    );
    assert!(count(nation, Level::Ministry) >= 50);
    let never = |node: &&Node| {
        ["71", "81", "82"]
            .iter()
            .any(|prefix| node.code().as_str().starts_with(prefix))
    };
    assert_eq!(nation.nodes().iter().find(never), None);
}

#[test]
fn the_nation_and_the_divisions_agree() {
    let (nation, divisions) = (nation(), Divisions::parse(DIVISIONS).unwrap());
    assert_eq!(divisions.len(), 1 + 35 + 333 + 2_846);
    for node in nation
        .nodes()
        .iter()
        .filter(|node| node.code().is_division())
    {
        assert_eq!(
            divisions.parent(node.code()),
            node.parent(),
            "{}",
            node.code()
        );
        assert_eq!(divisions.name(node.code()), Some(node.place()));
    }
}

#[test]
fn parents_are_real_and_not_read_off_the_code() {
    let nation = nation();
    let path = |text: &str| nation.path(code(text)).unwrap().codes().to_vec();
    assert_eq!(path("110101"), codes(&["100000", "110000", "110101"]));
    assert_eq!(path("469005"), codes(&["100000", "460000", "469005"]));
    assert_eq!(path("659001"), codes(&["100000", "660000", "659001"]));
    assert_eq!(
        path("440106"),
        codes(&["100000", "440000", "440100", "440106"])
    );
    let no_prefecture = |node: &&Node| node.level == Level::County && node.path.depth() == 3;
    assert_eq!(nation.nodes().iter().filter(no_prefecture).count(), 118);
    assert!(
        ["441900", "442000", "460400", "620200"]
            .iter()
            .all(|text| nation.children(code(text)).is_empty())
    );
}

#[test]
fn a_route_climbs_to_the_common_superior_and_descends() {
    let demo = demo();
    let route = demo.route(code("440106"), code("mps")).unwrap();
    assert_eq!(
        route.hops,
        codes(&["440106", "440100", "440000", "100000", "mps"])
    );
    assert_eq!(route.common_superior, Code::HUB);
    let near = demo.route(code("440106"), code("440104")).unwrap();
    assert_eq!(
        near,
        Route {
            hops: codes(&["440106", "440100", "440104"]),
            common_superior: code("440100")
        }
    );
    let self_route = demo.route(code("110101"), code("110101")).unwrap();
    assert_eq!(
        self_route,
        Route {
            hops: codes(&["110101"]),
            common_superior: code("110101")
        }
    );
    assert_eq!(
        demo.route(code("110101"), code("710000")),
        Err(RouteError::Unknown(code("710000")))
    );
}

#[test]
fn an_unknown_key_is_refused_by_name() {
    let top = Topology::parse("[federation]\nname = \"x\"\n[extra]\n")
        .unwrap_err()
        .to_string();
    assert!(top.contains("extra"), "{top}");
    let federation_key = Topology::parse("[federation]\nname = \"x\"\ncolour = 1\n")
        .unwrap_err()
        .to_string();
    assert!(federation_key.contains("colour"), "{federation_key}");
    let node = refused(&["100000 枢纽 - hub parant = \"440000\""]).to_string();
    assert!(node.contains("parant"), "{node}");
}

#[test]
fn a_bad_code_or_level_is_refused_by_name() {
    let bad_code = refused(&[HUB, "44000 广东省 100000 province"]).to_string();
    assert!(bad_code.contains("44000"), "{bad_code}");
    let bad_level = refused(&[HUB, "440000 广东省 100000 state"]).to_string();
    assert!(bad_level.contains("state"), "{bad_level}");
}

#[test]
fn a_repeated_code_is_refused() {
    let lines = [
        HUB,
        "440000 广东省 100000 province",
        "440000 广西 100000 province",
    ];
    assert_eq!(
        refused(&lines),
        TopologyError::Repeated(code("440000"), "广东省".into(), "广西".into())
    );
}

#[test]
fn no_hub_and_two_roots_are_refused() {
    assert_eq!(refused(&[]), TopologyError::NoHub);
    assert_eq!(refused(&["440000 广东省 - province"]), TopologyError::NoHub);
    assert_eq!(
        refused(&[HUB, "440000 广东省 - hub"]),
        TopologyError::TwoHubs(Code::HUB, code("440000"))
    );
    assert_eq!(
        refused(&["440000 广东省 - hub"]),
        TopologyError::CodeKind(code("440000"), Level::Hub)
    );
    let below = ["100000 枢纽 440000 hub", "440000 广东省 100000 province"];
    assert_eq!(
        refused(&below),
        TopologyError::HubBelow(Code::HUB, code("440000"))
    );
}

#[test]
fn an_orphan_is_refused() {
    let lines = [HUB, "440000 广东省 - province"];
    assert_eq!(
        refused(&lines),
        TopologyError::Orphan(code("440000"), "广东省".into())
    );
}

#[test]
fn an_unknown_parent_is_refused() {
    let lines = [HUB, "440100 广州市 440000 prefecture"];
    assert_eq!(
        refused(&lines),
        TopologyError::UnknownParent(code("440100"), code("440000"))
    );
}

#[test]
fn a_cycle_is_refused_with_its_members() {
    let lines = [
        HUB,
        "440106 天河区 440000 county",
        "440000 广东省 440100 province",
        "440100 广州市 440000 prefecture",
    ];
    assert_eq!(
        refused(&lines),
        TopologyError::Cycle(codes(&["440000", "440100", "440000"]))
    );
    let alone = [HUB, "440000 广东省 440000 province"];
    assert_eq!(
        refused(&alone),
        TopologyError::Cycle(codes(&["440000", "440000"]))
    );
}

#[test]
fn a_wrong_order_of_levels_is_refused() {
    let lines = [HUB, "440100 广州市 100000 prefecture"];
    let expected = TopologyError::LevelOrder {
        code: code("440100"),
        level: Level::Prefecture,
        parent: Code::HUB,
        parent_level: Level::Hub,
    };
    assert_eq!(refused(&lines), expected);
    let inverted = [HUB, "mps 公安部 100000 ministry", "mca 民政部 mps ministry"];
    assert!(matches!(
        refused(&inverted),
        TopologyError::LevelOrder { .. }
    ));
}

#[test]
fn a_code_of_the_wrong_kind_is_refused() {
    let label = [HUB, "guangdong 广东省 100000 province"];
    assert_eq!(
        refused(&label),
        TopologyError::CodeKind(code("guangdong"), Level::Province)
    );
    let digits = [HUB, "440000 公安部 100000 ministry"];
    assert_eq!(
        refused(&digits),
        TopologyError::CodeKind(code("440000"), Level::Ministry)
    );
}

#[test]
fn more_nodes_than_allowed_are_refused() {
    let lines: Vec<String> = (0..MAX_NODES)
        .map(|i| format!("{} 某县 100000 county", 200_000 + i))
        .collect();
    let all: Vec<&str> = std::iter::once(HUB)
        .chain(lines.iter().map(String::as_str))
        .collect();
    assert_eq!(refused(&all), TopologyError::TooMany(MAX_NODES + 1));
    assert_eq!(
        Topology::parse(&" ".repeat(MAX_TOPOLOGY_BYTES + 1)),
        Err(TopologyError::TooLarge(MAX_TOPOLOGY_BYTES + 1))
    );
}

#[test]
fn endpoints_are_kept() {
    let text =
        federation(&["100000 枢纽 - hub link = \"127.0.0.1:7000\"\nhttp = \"127.0.0.1:8000\""]);
    let topology = Topology::parse(&text).unwrap();
    let endpoint = Endpoint {
        link: Some("127.0.0.1:7000".into()),
        http: Some("127.0.0.1:8000".into()),
    };
    assert_eq!(topology.nodes()[0].endpoint, endpoint);
}

/// Tax in two provinces, down to a county's office; the customs of one port; and the places where they work.
fn vertical() -> Topology {
    let text = federation(&[
        HUB,
        "chinatax 国家税务总局 100000 ministry",
        "gdtax 国家税务总局广东省税务局 chinatax province division = \"440000\"",
        "gztax 国家税务总局广州市税务局 gdtax prefecture division = \"440100\"",
        "lntax 国家税务总局辽宁省税务局 chinatax province division = \"210000\"",
        "customs 海关总署 100000 ministry",
        "gzcustoms 广州海关 customs prefecture division = \"440100\"",
        "440000 广东省 100000 province",
        "440100 广州市 440000 prefecture",
    ]);
    Topology::parse(&text).unwrap()
}

#[test]
fn vertically_managed_bodies_stand_below_their_ministry() {
    let tree = vertical();
    assert_eq!(
        tree.path(code("gztax")).unwrap().codes(),
        codes(&["100000", "chinatax", "gdtax", "gztax"])
    );
    assert_eq!(
        tree.node(code("gztax")).unwrap().division,
        Some(code("440100"))
    );
    assert_eq!(tree.authority_of(code("gztax")), Some(Code::HUB));
    assert_eq!(tree.authority_of(code("440100")), Some(code("440100")));
    assert_eq!(tree.authority_of(code("nobody")), None);
    let route = tree.route(code("gztax"), code("440100")).unwrap();
    assert_eq!(
        route.hops,
        codes(&["gztax", "gdtax", "chinatax", "100000", "440000", "440100"])
    );
    assert_eq!(route.common_superior, Code::HUB);
}

#[test]
fn a_division_belongs_to_an_office_only() {
    let place = [HUB, "440000 广东省 100000 province division = \"440000\""];
    assert_eq!(
        refused(&place),
        TopologyError::Division(code("440000"), code("440000"))
    );
    let label = [HUB, "mps 公安部 100000 ministry division = \"mca\""];
    assert_eq!(
        refused(&label),
        TopologyError::Division(code("mps"), code("mca"))
    );
}

#[test]
fn divisions_know_what_lies_below_what() {
    let divisions = Divisions::parse(DIVISIONS).unwrap();
    assert!(divisions.is_within(code("440106"), code("440000")));
    assert!(divisions.is_within(code("440106"), code("440106")));
    assert!(divisions.is_within(code("659001"), code("660000")));
    assert!(!divisions.is_within(code("659001"), code("650000")));
    assert!(!divisions.is_within(code("440000"), code("440106")));
    assert!(!divisions.is_within(code("449999"), code("449999")));
    assert_eq!(divisions.parent(Code::HUB), None);
}

#[test]
fn each_defect_of_the_divisions_is_refused() {
    let parse = |rows: &str| {
        Divisions::parse(&format!(
            "code,name,parent,level\n100000,中国,,nation\n{rows}"
        ))
        .unwrap_err()
    };
    assert_eq!(Divisions::parse("code;name\n"), Err(DivisionsError::Header));
    assert_eq!(parse("440000,广东省,100000\n"), DivisionsError::Row(3));
    assert_eq!(
        parse("440000,广东省,100000,province,x\n"),
        DivisionsError::Row(3)
    );
    assert_eq!(
        parse("440000,\"广东省\",100000,province\n"),
        DivisionsError::Row(3)
    );
    assert_eq!(
        parse("mps,公安部,100000,province\n"),
        DivisionsError::Label(3, code("mps"))
    );
    assert!(matches!(
        parse("44,广东省,100000,province\n"),
        DivisionsError::Code(3, _)
    ));
    assert_eq!(
        parse("440000,广东省,100000,state\n"),
        DivisionsError::Level(3, "state".into())
    );
    let twice = "440000,广东省,100000,province\n440000,广东省,100000,province\n";
    assert_eq!(parse(twice), DivisionsError::Repeated(4, code("440000")));
    assert_eq!(
        parse("440100,广州市,440000,prefecture\n"),
        DivisionsError::UnknownParent(code("440100"), code("440000"))
    );
    assert_eq!(
        parse("440000,广东省,,province\n"),
        DivisionsError::Order(code("440000"))
    );
    let cycle = "440100,广州市,440200,prefecture\n440200,韶关市,440100,prefecture\n";
    assert_eq!(parse(cycle), DivisionsError::Order(code("440100")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_text_panics(text in ".{0,400}") {
        let _ = Topology::parse(&text);
        let _ = Divisions::parse(&text);
    }
}
