//! R24: a lower level's own rows return from their source.

use sharing::return_flow::{ReturnTable, Subscription};

use super::*;

const TABLE: &[u8] = "division,name\n440106,甲\n440106,乙\n440104,丙\n210102,丁\n".as_bytes();

/// Row F1.
#[test]
fn a_county_receives_exactly_its_own_rows_and_a_wrong_count_is_sent_to_nobody() {
    let live = start();
    let source = Department::hosted(Code::HUB, 1, "民政数据中心");
    let subscriber = Department::hosted(code("440106"), 3, "政务服务数据管理局");
    let subscribe = ActBody::Subscribe(Subscription {
        source: Code::HUB,
        origin: Code::HUB,
        dataset: "residents".parse().expect("a dataset"),
        area: "440106".parse().expect("an area"),
        schedule: "daily@18:00".parse().expect("a schedule"),
    });
    let docket = docket(staff(&live, &subscriber, Role::Operator, subscribe));
    in_phase(&live, Code::HUB, docket, "subscribed");
    let table = live.upload(Code::HUB, "residents.csv", TABLE);
    let returned = |source_rows| ActBody::ReturnTable {
        table: ReturnTable {
            dataset: "residents".parse().expect("a dataset"),
            table: table.clone(),
            division_column: "division".into(),
            key_column: None,
            assigned: Vec::new(),
            query: "2026年3月在册".into(),
            source_rows,
        },
    };
    let reviewer = officer(&live, "100000", Role::AuthorityReviewer, returned(4));
    refused(reviewer, "R24");
    staff(&live, &source, Role::Operator, returned(7)).expect("taken, and counted");
    live.until("the finding", |live| {
        let findings = live.get(Code::HUB, "/findings");
        findings.to_string().contains("R39(5)").then_some(())
    });
    in_phase(&live, subscriber.node, docket, "subscribed");
    staff(&live, &source, Role::Operator, returned(4)).expect("returned");
    let held = in_phase(&live, subscriber.node, docket, "delivered");
    let sharing::docket::Case::ReturnFlow(state) = held.docket.state.case else {
        panic!("return flow")
    };
    assert_eq!(state.delivered.map(|part| part.rows), Some(2));
    assert!(
        !is_shown(&live, "440000", docket),
        "the province only carries it"
    );
}
