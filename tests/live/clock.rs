//! The clock that scenarios set: when it was set, every node has seen it, whatever else the nodes were doing.

use std::sync::atomic::{AtomicBool, Ordering};

use guantong_tests::Person;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{code, lapses};
use sharing::act::ActBody;
use sharing::docket::DocketId;
use sharing::supervision::{Accused, Order, SupervisionAct};
use statute::{Article, Role};

/// Orders, each due a minute after the one before it.
const ORDERS: i64 = 25;

#[test]
fn when_the_clock_was_set_what_is_late_by_it_is_on_record_though_the_node_was_busy() {
    let start = beijing("2026-03-09T10:00");
    let live = Federation::start(&two_provinces(), start);
    let county = code("440106");
    let government = Person::of_authority(county, Role::Government, live.now());
    let order = |number: i64| -> DocketId {
        let order = Order {
            against: Accused::Authority(live.place(county)),
            breach: Article::R41_1,
            about: None,
            facts: format!("第{number}项未明确数源部门"),
            measures: "限期明确".into(),
            correct_by: start.plus_millis(number * 60_000),
        };
        let act = ActBody::Supervision(SupervisionAct::Order(order));
        let answer = live.act(county, &government, act).expect("ordered");
        answer.docket.expect("a docket")
    };
    let orders: Vec<_> = (1..=ORDERS).map(order).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Refused each time, after it was read: the node is never idle.
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let verdict = sharing::catalogue::ReviewVerdict::Publish;
                    let entries = vec![];
                    let body = ActBody::ReviewEntries { entries, verdict };
                    assert!(live.act(county, &government, body).is_err());
                }
            });
        }
        let late = || -> Vec<usize> {
            let lapses = |docket: &DocketId| lapses(&live, county, *docket);
            orders.iter().map(lapses).collect()
        };
        let mut seen = Vec::new();
        for number in 1..=ORDERS {
            live.advance_to(start.plus_millis(number * 60_000));
            seen.push(late().iter().sum::<usize>());
        }
        done.store(true, Ordering::Relaxed);
        let expected: Vec<_> = (1..=orders.len()).collect();
        assert_eq!(seen, expected, "late after each minute");
    });
}
