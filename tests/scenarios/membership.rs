//! R30: who is a member, how health is seen from above, how a ledger is cosigned, how a revoked node is cut off.

use federation::core::query;
use federation::health::Condition;
use identity::RevocationReason;
use sharing::act::ActBody;

use crate::stage::{code, conditional, demo, provider};

#[test]
fn the_hub_sees_every_node_and_notices_one_that_falls_silent() {
    let mut world = demo(40);
    let hub = code("100000");
    let all = world.status(hub).health;
    assert_eq!(all.len(), world.codes().len());
    assert!(all.iter().all(|seen| seen.condition == Condition::Up), "{all:?}");
    world.stop(code("440106"));
    for _ in 0..4 {
        world.step(6_000);
    }
    let lagging = |world: &guantong_tests::World| world.status(hub).health.into_iter().find(|seen| seen.node.code() == code("440106")).unwrap().condition;
    assert_eq!(lagging(&world), Condition::Lagging);
    for _ in 0..12 {
        world.step(6_000);
    }
    assert_eq!(lagging(&world), Condition::Down);
    world.restart(code("440106"));
    world.settle();
    assert_eq!(lagging(&world), Condition::Up);
}

#[test]
fn ledgers_are_cosigned_above_and_an_event_verifies_offline() {
    let mut world = demo(41);
    let (ministry, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = crate::stage::application(&world, &requester, &ministry, &entry);
    let docket = crate::stage::apply(&mut world, &requester, wanted);
    world.settle();
    world.settle();
    let root = guantong_tests::key("root").verify_key();
    for node in [ministry.node, requester.node] {
        let evidence = query::evidence(world.read(node), docket, 0).unwrap().expect("evidence of the opening");
        let verdict = evidence.verify(&root).expect("verifies with the root key alone");
        assert_eq!(verdict.node.code(), node);
        assert!(!verdict.cosigned.is_empty(), "cosigned by the parent of {node}");
        let mut altered = evidence.clone();
        *altered.record.last_mut().unwrap() ^= 1;
        assert!(altered.verify(&root).is_err(), "an altered record is found");
    }
    let hub = query::evidence_at(world.read(code("100000")), 0).unwrap().expect("the hub's first record");
    assert!(!hub.verify(&root).unwrap().cosigned.is_empty(), "the hub is cosigned by its children");
}

#[test]
fn a_revoked_county_is_cut_off_and_the_hub_learns_of_it() {
    let mut world = demo(42);
    let (city, county) = (code("440100"), code("440104"));
    let (chain, _) = query::chain(world.read(city), county).unwrap().expect("a child's chain");
    let serial = chain.claimed().unwrap().serial;
    let head = world.authority_head(city);
    let body = ActBody::RevokeMember { node: county, serial, reason: RevocationReason::KeyCompromise };
    world.act(city, &head, body).expect("revoked");
    world.step(6_000);
    world.step(6_000);
    let link = world.status(city).links.into_iter().find(|link| link.code == county).unwrap();
    assert!(!link.up, "the link ended and is not taken again");
    let hub = world.read(code("100000"));
    assert!(query::ledger(hub, None, 1_000).unwrap().len() > 1);
    let seen = world.read(code("440106"));
    let told = query::ledger(seen, None, 1_000).unwrap();
    assert!(told.iter().any(|(_, record)| matches!(record, federation::core::Record::Revoked { .. })), "the siblings are told");
}
