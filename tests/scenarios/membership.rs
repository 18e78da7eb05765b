//! R30: who is a member, how health is seen from above, how a ledger is cosigned, how a revoked node is cut off.

use federation::core::{Record, Refused, query};
use federation::health::Condition;
use guantong_tests::World;
use identity::{Code, RevocationReason};
use sharing::act::ActBody;
use sharing::ledger::{Relation, Verdict};
use statute::Role;

use crate::stage::{code, conditional, demo, findings, provider};

#[test]
fn the_hub_sees_every_node_and_notices_one_that_falls_silent() {
    let mut world = demo(40);
    let hub = code("100000");
    let all = world.status(hub).health;
    assert_eq!(all.len(), world.codes().len());
    assert!(
        all.iter().all(|seen| seen.condition == Condition::Up),
        "{all:?}"
    );
    world.stop(code("440106"));
    for _ in 0..4 {
        world.step(6_000);
    }
    let lagging = |world: &World| {
        world
            .status(hub)
            .health
            .into_iter()
            .find(|seen| seen.node.code() == code("440106"))
            .unwrap()
            .condition
    };
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
fn a_department_without_a_platform_is_hosted_at_its_level_and_acts_there_and_nowhere_else() {
    let mut world = demo(43);
    // A department of the central government without a platform is hosted on the hub itself.
    let (hosted, entry) = provider(&mut world, "100000", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = crate::stage::application(&world, &requester, &hosted, &entry);
    let docket = crate::stage::apply(&mut world, &requester, wanted.clone());
    world.settle();
    let agreed = crate::stage::grant(&world, &entry);
    crate::stage::reply(&mut world, &hosted, docket, agreed);
    world.settle();
    for node in [hosted.node, requester.node] {
        let state = crate::stage::seen(&world, node, docket).expect("held");
        assert_eq!(state.phase.name(), "granted", "at {node}");
        assert_eq!(state.provider.department, hosted.code);
    }
    // Its people are of its own node: at another their acts are nobody's, also at the node below it and at the hub for whoever is hosted elsewhere.
    let theirs = world.staff(&hosted, Role::Operator);
    let others = world.staff(&requester, Role::Operator);
    for (node, person) in [
        (code("440000"), &theirs),
        (requester.node, &theirs),
        (hosted.node, &others),
    ] {
        let draft = ActBody::Apply {
            application: wanted.clone(),
        };
        let refused = world.act(node, person, draft);
        let turned_away = matches!(refused, Err(Refused::NotAuthentic(_) | Refused::Lawful(_)));
        assert!(turned_away, "at {node}: {refused:?}");
    }
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
        let evidence = query::docket_evidence(world.read(node), docket)
            .unwrap()
            .expect("evidence of the docket");
        let verdict = evidence
            .verify(&root)
            .expect("verifies with the root key alone");
        let keeper = verdict.ledger.last().map(identity::Certificate::code);
        assert_eq!(keeper, Some(node));
        let opening = &verdict.checkpoints[verdict.events[0].within];
        assert!(
            !opening.cosigned.is_empty(),
            "cosigned by the parent of {node}"
        );
        let mut altered = evidence.clone();
        *altered.entries[0].record.last_mut().unwrap() ^= 1;
        assert!(altered.verify(&root).is_err(), "an altered record is found");
    }
    let hub = query::evidence_at(world.read(code("100000")), 0)
        .unwrap()
        .expect("the hub's first record");
    assert!(
        !hub.verify(&root).unwrap().cosigned.is_empty(),
        "the hub is cosigned by its children"
    );
}

#[test]
pub(crate) fn a_revoked_county_is_cut_off_and_the_hub_learns_of_it() {
    let mut world = demo(42);
    let (city, county) = (code("440100"), code("440104"));
    let (chain, _) = query::chain(world.read(city), county)
        .unwrap()
        .expect("a child's chain");
    let serial = chain.claimed().unwrap().serial;
    let head = world.authority_head(city);
    let body = ActBody::RevokeMember {
        node: county,
        serial,
        reason: RevocationReason::KeyCompromise,
    };
    world.act(city, &head, body).expect("revoked");
    world.step(6_000);
    world.step(6_000);
    let link = world
        .status(city)
        .links
        .into_iter()
        .find(|link| link.code == county)
        .unwrap();
    assert!(!link.up, "the link ended and is not taken again");
    let hub = world.read(code("100000"));
    assert!(query::ledger(hub, None, 1_000).unwrap().len() > 1);
    let seen = world.read(code("440106"));
    let told = query::ledger(seen, None, 1_000).unwrap();
    assert!(
        told.iter()
            .any(|(_, record)| matches!(record, federation::core::Record::Revoked { .. })),
        "the siblings are told"
    );
}

/// The evidence of the newest act in a node's ledger, verified with the root key alone.
fn newest_act(world: &World, node: Code) -> Verdict {
    let records = query::ledger(world.read(node), None, 1_000).unwrap();
    let (index, _) = records
        .iter()
        .rev()
        .find(|(_, record)| matches!(record, Record::Act { .. }))
        .expect("an act");
    let evidence = query::evidence_at(world.read(node), *index)
        .unwrap()
        .expect("evidence");
    evidence
        .verify(&guantong_tests::key("root").verify_key())
        .expect("verifies offline")
}

/// Who attested it as a witness.
fn attesting(verdict: &Verdict) -> Vec<Code> {
    let witnesses = verdict
        .cosigned
        .iter()
        .filter(|it| it.relation == Relation::Witness);
    let mut codes: Vec<Code> = witnesses.map(|it| it.by.code()).collect();
    codes.sort();
    codes
}

/// Time for a checkpoint, the question to the witnesses and their answers.
fn a_while(world: &mut World) {
    for _ in 0..4 {
        world.step(6_000);
    }
}

#[test]
fn a_countys_ledger_is_cosigned_by_its_parent_and_by_two_witnesses_outside_its_line() {
    let mut world = demo(43);
    let county = code("440106");
    provider(&mut world, "440106", conditional());
    a_while(&mut world);
    let verdict = newest_act(&world, county);
    assert_eq!(attesting(&verdict), [code("110101"), code("210102")]);
    assert!(
        verdict
            .cosigned
            .iter()
            .any(|it| it.relation == Relation::Parent),
        "{:?}",
        verdict.cosigned
    );
}

#[test]
fn a_witness_that_was_cut_off_cosigns_when_it_is_back_and_the_other_does_not_wait() {
    let mut world = demo(44);
    let (county, away) = (code("440106"), code("110101"));
    world.cut(away);
    provider(&mut world, "440106", conditional());
    a_while(&mut world);
    assert_eq!(attesting(&newest_act(&world, county)), [code("210102")]);
    let asked = |world: &World| {
        let records = query::ledger(world.read(county), None, 1_000).unwrap();
        records.into_iter().filter(|(_, record)| matches!(record, Record::WitnessAsked { witness, .. } if *witness == away)).count()
    };
    let before = asked(&world);
    let other = world.department(county, 9, "另一部门");
    let entry = guantong_tests::entry(&other, 2, "另一目录", conditional(), world.now);
    crate::stage::publish(&mut world, &other, vec![entry]);
    a_while(&mut world);
    assert_eq!(
        asked(&world),
        before,
        "one question waits for the witness, not one after another"
    );
    world.heal(away);
    world.settle();
    a_while(&mut world);
    assert!(attesting(&newest_act(&world, county)).contains(&away));
}

#[test]
pub(crate) fn a_rewritten_ledger_is_refused_by_its_witnesses() {
    let mut world = demo(45);
    let (county, witness) = (code("440106"), code("110101"));
    let enrolled = world.records(county).len();
    provider(&mut world, "440106", conditional());
    a_while(&mut world);
    assert!(attesting(&newest_act(&world, county)).contains(&witness));
    let cosigned = |world: &World| {
        let records = query::ledger(world.read(witness), None, 1_000).unwrap();
        let of = |record: &Record| matches!(record, Record::ChildCosigned { checkpoint, .. } if checkpoint.claimed(1_024).is_ok_and(|it| it.node.code() == county));
        records.iter().filter(|(_, record)| of(record)).count()
    };
    let before = cosigned(&world);
    world.rewind(county, enrolled);
    let other = world.department(county, 9, "另一部门");
    let entry = guantong_tests::entry(&other, 1, "另一目录", conditional(), world.now);
    crate::stage::publish(&mut world, &other, vec![entry]);
    a_while(&mut world);
    assert_eq!(
        cosigned(&world),
        before,
        "the second history is not cosigned"
    );
    assert!(attesting(&newest_act(&world, county)).is_empty());
    let told = findings(&world, county);
    assert!(
        told.iter()
            .any(|it| it.contains("witness 110101 cosigned") && it.contains("not this node's")),
        "{told:?}"
    );
}

#[test]
fn a_federation_at_rest_writes_nothing() {
    let mut world = demo(46);
    provider(&mut world, "440106", conditional());
    world.settle();
    a_while(&mut world);
    let sizes = |world: &World| {
        world
            .codes()
            .into_iter()
            .map(|code| world.records(code).len())
            .collect::<Vec<_>>()
    };
    let before = sizes(&world);
    for _ in 0..20 {
        world.step(6_000);
    }
    assert_eq!(sizes(&world), before);
}
