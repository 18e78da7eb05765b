//! R24: a lower level's own rows return from their source.

use identity::Signed;
use sharing::docket::Case;
use sharing::return_flow::{Manifest, ReturnTable, Subscription, SubscriptionState};

use super::*;

const TABLE: &[u8] = "division,name\n440106,甲\n440106,乙\n440104,丙\n210102,丁\n".as_bytes();

/// Rows, of four townships: two of 天河区, one of another district of 广州市, one of 和平区.
const TOWNSHIPS: &[u8] =
    "division,name\n440106001,甲\n440106002,乙\n440104001,丙\n210102001,丁\n".as_bytes();

fn subscription(source: Code, dataset: &str, area: &str) -> ActBody {
    ActBody::Subscribe(Subscription {
        source,
        origin: Code::HUB,
        dataset: dataset.parse().expect("a dataset"),
        area: area.parse().expect("an area"),
        schedule: "daily@18:00".parse().expect("a schedule"),
    })
}

fn returning(table: &ObjectRef, dataset: &str, source_rows: u64) -> ActBody {
    ActBody::ReturnTable {
        table: ReturnTable {
            dataset: dataset.parse().expect("a dataset"),
            table: table.clone(),
            division_column: "division".into(),
            key_column: None,
            assigned: Vec::new(),
            query: "2026年3月在册".into(),
            source_rows,
        },
    }
}

/// What a subscription came to, once a part of it was delivered.
fn delivered(live: &Federation, node: Code, docket: DocketId) -> SubscriptionState {
    let held = in_phase(live, node, docket, "delivered");
    let Case::ReturnFlow(state) = held.docket.state.case else {
        panic!("return flow")
    };
    *state
}

fn rows(state: &SubscriptionState) -> Option<u64> {
    state.delivered.as_ref().map(|part| part.rows)
}

/// Row F2.
#[test]
fn a_province_passes_on_to_its_county_and_the_county_to_its_townships_and_nobody_has_anothers_rows()
{
    let live = start();
    let source = Department::hosted(Code::HUB, 1, "民政数据中心");
    let (province, county) = (code("440000"), code("440106"));
    let subscribes = |at, from, area| {
        let department = Department::hosted(at, 3, "政务服务数据管理局");
        let body = subscription(from, "townships", area);
        let docket = docket(staff(&live, &department, Role::Operator, body));
        (at, docket)
    };
    let above = subscribes(province, Code::HUB, "440000");
    let below = subscribes(county, province, "440106");
    let street = subscribes(county, county, "440106001");
    for (home, (_, docket)) in [(Code::HUB, above), (province, below), (county, street)] {
        in_phase(&live, home, docket, "subscribed");
    }
    // Rows of another district are not to be had at the level above.
    let (_, foreign) = subscribes(county, province, "440104");
    live.until("the finding", |live| {
        let findings = live.get(county, "/findings").to_string();
        findings.contains("R24").then_some(())
    });
    assert!(!is_shown(&live, "440000", foreign));
    let table = live.upload(Code::HUB, "townships.csv", TOWNSHIPS);
    let returned = returning(&table, "townships", 4);
    staff(&live, &source, Role::Operator, returned).expect("returned");
    let mut manifests = Vec::new();
    for ((node, docket), count) in [(above, 3), (below, 2), (street, 1)] {
        let state = delivered(&live, node, docket);
        assert_eq!(rows(&state), Some(count), "at {node}");
        manifests.push(state.held.expect("a part").manifest);
    }
    let one = |it: &Signed<Manifest>| *it == manifests[0];
    assert!(manifests.iter().all(one), "as the source signed it");
    // The next level up knows what came of it, and the source of its own subscriber alone.
    assert_eq!(rows(&delivered(&live, province, below.1)), Some(2));
    assert!(!is_shown(&live, "100000", below.1));
    assert!(
        !is_shown(&live, "440100", below.1),
        "the city only carries it"
    );
}

/// Row F1.
#[test]
fn a_county_receives_exactly_its_own_rows_and_a_wrong_count_is_sent_to_nobody() {
    let live = start();
    let source = Department::hosted(Code::HUB, 1, "民政数据中心");
    let subscriber = Department::hosted(code("440106"), 3, "政务服务数据管理局");
    let subscribe = subscription(Code::HUB, "residents", "440106");
    let docket = docket(staff(&live, &subscriber, Role::Operator, subscribe));
    in_phase(&live, Code::HUB, docket, "subscribed");
    let table = live.upload(Code::HUB, "residents.csv", TABLE);
    let returned = |source_rows| returning(&table, "residents", source_rows);
    let reviewer = officer(&live, "100000", Role::AuthorityReviewer, returned(4));
    refused(reviewer, "R24");
    staff(&live, &source, Role::Operator, returned(7)).expect("taken, and counted");
    live.until("the finding", |live| {
        let findings = live.get(Code::HUB, "/findings");
        findings.to_string().contains("R39(5)").then_some(())
    });
    in_phase(&live, subscriber.node, docket, "subscribed");
    staff(&live, &source, Role::Operator, returned(4)).expect("returned");
    assert_eq!(rows(&delivered(&live, subscriber.node, docket)), Some(2));
    assert!(
        !is_shown(&live, "440000", docket),
        "the province only carries it"
    );
}
