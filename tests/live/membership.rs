//! R30: the federation of the demo, each node certified by its parent, and a county's ledger cosigned by it.

use std::time::Duration;

use federation::core::query;
use guantong_tests::live::{Federation, beijing};
use guantong_tests::stage::{Acting, code, demo_topology};

const MONDAY: &str = "2026-03-09T10:00";

#[test]
fn the_federation_of_the_demo_is_up_and_its_ledgers_are_cosigned() {
    let live = Federation::start(&demo_topology(), beijing(MONDAY));
    assert_eq!(live.codes().len(), demo_topology().nodes().len());
    for node in live.codes() {
        let place = live.get(node, "/node")["place"].clone();
        assert_eq!(place, serde_json::to_value(live.place(node)).expect("JSON"));
    }
    let county = code("440106");
    let written = live.ask(county, query::node).ledger;
    assert!(written > 0);
    live.until_in_time(
        "the parent's signature over what the county wrote",
        Duration::from_secs(2),
        |live| (live.ask(county, query::node).cosigned >= written).then_some(()),
    );
    assert!(live.now() > beijing(MONDAY));
    for node in live.codes() {
        for link in live.handle(node).status().links.iter() {
            assert!(
                link.up && link.since == Some(beijing(MONDAY)),
                "links last while time passes: {node} {link:?}"
            );
        }
    }
}
