//! Where it happens: eleven nodes, four levels deep, in a state in which every workflow has something to begin with. Made once; every run
//! branches off.

use std::sync::OnceLock;

use federation::topology::Topology;
use guantong_tests::World;
use guantong_tests::scene::Scene;
use guantong_tests::stage::MONDAY;
use sharing::return_flow::Divisions;

use crate::invariants::Watch;

/// Code, name, parent and level: the hub, a ministry, two provinces down to their counties, and a county directly under a third, which
/// witnesses for the others.
const NODES: [(&str, &str, &str, &str); 11] = [
    ("100000", "国家平台", "", "hub"),
    ("mca", "民政部", "100000", "ministry"),
    ("440000", "广东省", "100000", "province"),
    ("440100", "广州市", "440000", "prefecture"),
    ("440104", "越秀区", "440100", "county"),
    ("440106", "天河区", "440100", "county"),
    ("210000", "辽宁省", "100000", "province"),
    ("210100", "沈阳市", "210000", "prefecture"),
    ("210102", "和平区", "210100", "county"),
    ("110000", "北京市", "100000", "province"),
    ("110101", "东城区", "110000", "county"),
];

/// From where every run branches off.
#[derive(Debug)]
pub struct Beginning {
    /// The federation and who acts in it.
    pub scene: Scene,
    /// What was looked at already.
    pub watch: Watch,
}

/// The federation as every run finds it.
pub fn beginning() -> &'static Beginning {
    static BEGINNING: OnceLock<Beginning> = OnceLock::new();
    BEGINNING.get_or_init(|| {
        let divisions = include_bytes!("../../topology/data/divisions.csv");
        let divisions = Divisions::from_csv(divisions).expect("the divisions");
        let world = World::new(&topology(), divisions, MONDAY, 0);
        let scene = Scene::begin(world, 0, false);
        let watch = Watch::new(&scene.world);
        Beginning { scene, watch }
    })
}

fn topology() -> Topology {
    let mut text = "[federation]\nname = \"模拟联邦\"\n".to_owned();
    for (code, name, parent, level) in NODES {
        let above = match parent {
            "" => "place = \"中华人民共和国\"".to_owned(),
            parent => format!("parent = \"{parent}\""),
        };
        text += &format!(
            "[[node]]\ncode = \"{code}\"\nname = \"{name}\"\nlevel = \"{level}\"\n{above}\n"
        );
    }
    Topology::parse(&text).expect("a topology")
}
