//! R30: the federation of the demo, each node certified by its parent, and a county's ledger cosigned by it.

use std::time::Duration;

use federation::core::query;
use guantong_tests::live::{Federation, beijing};
use guantong_tests::stage::{Acting, code, demo_topology};
use identity::RevocationReason;
use sharing::act::ActBody;

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

#[test]
fn a_county_that_is_cut_off_learns_of_it_before_the_link_ends_and_shows_it_until_it_is_admitted_again()
 {
    let live = Federation::start(&demo_topology(), beijing(MONDAY));
    let (city, county) = (code("440100"), code("440106"));
    let chain = live.ask(county, query::own_chain).expect("enrolled");
    let body = ActBody::RevokeMember {
        node: county,
        serial: chain.claimed().expect("a certificate").serial,
        reason: RevocationReason::KeyCompromise,
    };
    live.act(city, &live.authority_head(city), body)
        .expect("revoked");
    let told = live.until("the county is told", |live| {
        live.ask(county, query::node).cut_off
    });
    assert_eq!((told.by, told.node), (city, county));
    let ready = live.public_get(county, "/readyz");
    assert_eq!(ready.status, 503);
    let said = ready.json()["detail"].to_string();
    assert!(
        said.contains("已被断开") && said.contains("密钥泄露"),
        "{said}"
    );
    let gauge = |live: &Federation| {
        let text = live.public_get(county, "/metrics").body;
        let text = String::from_utf8(text).expect("a text");
        let line = text
            .lines()
            .find(|line| line.starts_with("guantong_cut_off "));
        line.map(str::to_owned)
    };
    assert_eq!(gauge(&live).as_deref(), Some("guantong_cut_off 1"));
    assert_eq!(live.get(county, "/node")["cut_off"]["by"], "440100");
    live.certify_anew(county);
    live.until("the county is linked again", |live| {
        let status = live.handle(county).status();
        let up = status.links.iter().any(|link| link.parent && link.up);
        up.then_some(())
    });
    assert_eq!(gauge(&live).as_deref(), Some("guantong_cut_off 0"));
    assert!(live.get(county, "/node")["cut_off"].is_null());
}
