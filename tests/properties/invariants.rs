//! What must hold when everything has arrived.

use std::collections::{BTreeMap, BTreeSet};

use federation::core::view::DocketDetail;
use federation::core::{Record, query};
use guantong_tests::World;
use identity::{Code, codec};
use sharing::docket::{DocketBody, DocketId, DocketState};
use sharing::ledger::evidence::MAX_RECORD_BYTES;
use statute::Refusal;

/// All of them; the events that were reached, by workflow and name.
pub fn hold(seed: u64, world: &World) -> BTreeSet<String> {
    let held = held(world);
    let mut reached = BTreeSet::new();
    for (docket, copies) in &held {
        agree(seed, *docket, copies);
        for event in copies.iter().flat_map(|(_, copy)| &copy.events) {
            reached.insert(format!("{}/{}", workflow(&event.body), event.body.name()));
        }
        for (node, _) in copies {
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

/// A refusal says why, under which article and what to do, in both languages.
pub fn is_reasoned(seed: u64, refusal: &Refusal) {
    let texts = [
        refusal.zh(),
        refusal.en(),
        refusal.article.cite_zh(),
        refusal.what_to_do_zh().to_owned(),
        refusal.what_to_do_en().to_owned(),
    ];
    assert!(
        texts.iter().all(|text| !text.trim().is_empty()),
        "seed {seed}: {refusal:?}: {texts:?}"
    );
}

type Copies = Vec<(Code, DocketDetail)>;

/// Every docket with everyone who holds it, the home first.
fn held(world: &World) -> BTreeMap<DocketId, Copies> {
    let mut held: BTreeMap<DocketId, Copies> = BTreeMap::new();
    for code in world.codes() {
        for view in query::dockets(world.read(code), None, 1_000).expect("memory") {
            let detail = query::docket(world.read(code), view.id).expect("memory");
            let copies = held.entry(view.id).or_default();
            copies.push((code, detail.expect("listed")));
        }
    }
    for copies in held.values_mut() {
        copies.sort_by_key(|(_, copy)| !copy.docket.at_home);
    }
    held
}

/// Each copy holds what its home let out, all of it and nothing else, and stands where the home stood then.
fn agree(seed: u64, docket: DocketId, copies: &Copies) {
    let (home, first) = copies.first().expect("held by someone");
    assert!(
        first.docket.at_home && *home == first.docket.home.code(),
        "seed {seed}: {docket} has no home"
    );
    let parties = &first.docket.parties;
    for party in parties {
        assert!(
            copies.iter().any(|(code, _)| *code == party.code()),
            "seed {seed}: {party} does not hold {docket} of {home}, {}",
            first.docket.state.case.phase()
        );
    }
    for (code, copy) in copies {
        let (known, rest) = first
            .events
            .split_at(copy.events.len().min(first.events.len()));
        assert_eq!(
            copy.events, known,
            "seed {seed}: {code} holds another history of {docket} than {home}"
        );
        // What is proposed is not known to others before the consent.
        let withheld = rest.first().map(|event| event.body.name());
        assert!(
            matches!(withheld, None | Some("reply-proposed")),
            "seed {seed}: {code} lacks {withheld:?} of {docket} of {home}"
        );
        let mut state = None;
        for event in &copy.events {
            let next = DocketState::evolve(state, event);
            let next = next.unwrap_or_else(|error| panic!("seed {seed}: {docket}: {error}"));
            state = Some(next);
        }
        assert_eq!(
            state.as_ref(),
            Some(&copy.docket.state),
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

fn workflow(body: &DocketBody) -> &'static str {
    match body {
        DocketBody::Application(_) => "application",
        DocketBody::Dispute(_) => "dispute",
        DocketBody::ReturnFlow(_) => "return-flow",
        DocketBody::Update(_) => "update",
        DocketBody::Correction(_) => "correction",
        DocketBody::Supervision(_) => "supervision",
        DocketBody::Need(_) => "need",
        DocketBody::Incident(_) => "incident",
        DocketBody::Inspection(_) => "inspection",
        DocketBody::OpenData(_) => "open-data",
        DocketBody::Complaint(_) => "complaint",
        DocketBody::Evaluation(_) => "evaluation",
        DocketBody::Erasure(_) => "erasure",
        DocketBody::Clock(_) => "clock",
    }
}
