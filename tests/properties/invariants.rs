//! What must hold when everything has arrived.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::view::DocketView;
use federation::core::{Record, query};
use guantong_tests::World;
use guantong_tests::scene::is_reasoned;
use identity::{Code, codec};
use sharing::docket::{DocketEvent, DocketId, DocketState, MAX_EVENT_BYTES};
use sharing::ledger::evidence::MAX_RECORD_BYTES;

use crate::events;

/// All of them; the events that were reached, by workflow and name.
pub fn hold(seed: u64, world: &World) -> BTreeSet<String> {
    let held = held(world);
    let mut reached = BTreeSet::new();
    for (docket, copies) in &held {
        agree(seed, *docket, copies);
        for event in copies.iter().flat_map(|(_, _, events)| events) {
            reached.insert(events::name(&event.body));
        }
        for (node, _, _) in copies {
            proves(seed, world, *node, *docket);
        }
    }
    for code in world.codes() {
        let tables = world.rebuild(code);
        assert!(tables.is_ok(), "seed {seed}: {code}: {tables:?}");
        recorded_refusals_are_reasoned(seed, world, code);
        ledger_verifies(seed, world, code);
    }
    assert!(held.len() >= 5, "seed {seed}: {} dockets", held.len());
    reached
}

/// A node's view of a docket, and all its events, also those that no view shows.
type Copies = Vec<(Code, DocketView, Vec<DocketEvent>)>;

/// Every docket with everyone who holds it, the home first.
fn held(world: &World) -> BTreeMap<DocketId, Copies> {
    let mut held: BTreeMap<DocketId, Copies> = BTreeMap::new();
    for code in world.codes() {
        for view in query::dockets(world.read(code), None, 1_000).expect("memory") {
            let copy = query::docket_copy(world.read(code), view.id).expect("memory");
            let signed = copy.expect("listed").events;
            let events = signed.iter().map(|event| event.claimed(MAX_EVENT_BYTES));
            let events = events.collect::<Result<_, _>>().expect("stored whole");
            held.entry(view.id).or_default().push((code, view, events));
        }
    }
    for copies in held.values_mut() {
        copies.sort_by_key(|(_, view, _)| !view.at_home);
    }
    held
}

/// Each copy holds what its home let out, all of it and nothing else, and stands where the home stood then.
fn agree(seed: u64, docket: DocketId, copies: &Copies) {
    let (home, first, all) = copies.first().expect("held by someone");
    assert!(
        first.at_home && *home == first.home.code(),
        "seed {seed}: {docket} has no home"
    );
    for party in &first.parties {
        assert!(
            copies.iter().any(|(code, _, _)| *code == party.code()),
            "seed {seed}: {party} does not hold {docket} of {home}, {}",
            first.state.case.phase()
        );
    }
    for (code, copy, events) in copies {
        let (known, rest) = all.split_at(events.len().min(all.len()));
        assert_eq!(
            events, known,
            "seed {seed}: {code} holds another history of {docket} than {home}"
        );
        // What is proposed is not known to others before the consent.
        let withheld = rest.first().map(|event| event.body.name());
        assert!(
            matches!(withheld, None | Some("reply-proposed")),
            "seed {seed}: {code} lacks {withheld:?} of {docket} of {home}"
        );
        let mut state = None;
        for event in events {
            let next = DocketState::evolve(state, event);
            let next = next.unwrap_or_else(|error| panic!("seed {seed}: {docket}: {error}"));
            state = Some(next);
        }
        assert_eq!(
            state.as_ref(),
            Some(&copy.state),
            "seed {seed}: {code} on {docket}"
        );
    }
}

/// The evidence of a docket holds at everyone who has it, once a checkpoint covers it.
fn proves(seed: u64, world: &World, node: Code, docket: DocketId) {
    let root = guantong_tests::key("root").verify_key();
    let evidence = query::docket_evidence(world.read(node), docket).expect("memory");
    let evidence = evidence.unwrap_or_else(|| panic!("seed {seed}: {node} proves no {docket}"));
    let verdict = evidence.verify(&root);
    assert!(
        verdict.is_ok(),
        "seed {seed}: {node} on {docket}: {verdict:?}"
    );
}

fn recorded_refusals_are_reasoned(seed: u64, world: &World, node: Code) {
    for bytes in world.records(node) {
        if let Ok(Record::Refused { refusal, .. }) = codec::decode(bytes, MAX_RECORD_BYTES) {
            is_reasoned(seed, &refusal);
        }
    }
}

/// The records that a checkpoint covers are in it; of the newest some may still wait for theirs.
fn ledger_verifies(seed: u64, world: &World, node: Code) {
    let root = guantong_tests::key("root").verify_key();
    let newest = world.records(node).len() as u64;
    let mut proved = 0;
    for index in [0, newest / 2]
        .into_iter()
        .chain(newest.saturating_sub(40)..newest)
    {
        let evidence = query::evidence_at(world.read(node), index).expect("memory");
        if let Some(evidence) = evidence {
            let verdict = evidence.verify(&root);
            assert!(verdict.is_ok(), "seed {seed}: {node} #{index}: {verdict:?}");
            proved += 1;
        }
    }
    assert!(
        proved >= 1,
        "seed {seed}: the ledger of {node} proves {proved}"
    );
}
