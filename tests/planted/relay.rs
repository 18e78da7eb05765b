//! A short run under a seed: an application on its way over five hops while nodes crash and links break, then healing.

use std::collections::BTreeMap;

use federation::core::Record;
use federation::store::Table;
use guantong_tests::{Faults, World};
use identity::{Code, codec};

use crate::stage::{application, apply, code, conditional, demo, events, provider};

/// It arrives, once, and nothing is left of the way.
pub fn holds(seed: u64) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    world.settle();
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    world.faults = Faults {
        crash_before_commit: 12,
        crash_after_commit: 12,
        break_link: 20,
        ..Faults::default()
    };
    let docket = apply(&mut world, &requester, wanted);
    for _ in 0..20 {
        world.step(3_000);
    }
    // Nobody is spared a restart with whatever stands in its outboxes.
    world.cut(code("440000"));
    for node in world.codes() {
        world.restart(node);
    }
    world.step(3_000);
    world.heal_all();
    world.settle();
    let home = events(&world, provider.node, docket);
    assert!(!home.is_empty(), "the application never arrived");
    assert!(
        events(&world, requester.node, docket) == home,
        "the requester holds another history"
    );
    for node in world.codes() {
        at_rest(&world, node);
    }
}

fn at_rest(world: &World, node: Code) {
    let (mut taken, mut sent) = (BTreeMap::new(), BTreeMap::new());
    for bytes in world.records(node) {
        match codec::decode::<Record>(bytes, 1 << 20).expect("a record") {
            Record::Taken { envelope, .. } => *taken.entry(envelope).or_insert(0) += 1,
            Record::Queued { to, order, .. } => {
                let last = sent.insert(to, order).unwrap_or(0);
                assert_eq!(order, last + 1, "numbers of envelopes have no gap");
            }
            _ => {}
        }
    }
    let once = taken.values().all(|times| *times == 1);
    assert!(once, "{node} took an envelope twice");
    for table in [Table::Outbox, Table::Unsealed] {
        let waiting = world.read(node).scan(table, b"", None, 10);
        let waiting = waiting.expect("memory");
        assert!(waiting.is_empty(), "{node} still holds {table:?}");
    }
    if let Err(difference) = world.rebuild(node) {
        panic!("{node}: {difference}");
    }
}
