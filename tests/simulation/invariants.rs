//! What must hold whatever happened.

use std::collections::BTreeMap;

use federation::core::{Record, query};
use federation::store::Table;
use guantong_tests::World;
use identity::codec;

/// All of them.
pub fn hold(seed: u64, world: &World) {
    each_envelope_took_effect_once(seed, world);
    copies_of_a_docket_agree(seed, world);
    ancestors_know_what_was_published(seed, world);
    nothing_waits_any_more(seed, world);
    tables_are_what_the_ledger_says(seed, world);
}

fn each_envelope_took_effect_once(seed: u64, world: &World) {
    for code in world.codes() {
        let mut taken = BTreeMap::new();
        for bytes in world.records(code) {
            if let Ok(Record::Taken { envelope, .. }) = codec::decode::<Record>(bytes, 1 << 20) {
                *taken.entry(envelope).or_insert(0) += 1;
            }
        }
        assert!(
            taken.values().all(|times| *times == 1),
            "seed {seed}: {code} took an envelope twice"
        );
    }
}

fn copies_of_a_docket_agree(seed: u64, world: &World) {
    let mut dockets = BTreeMap::new();
    for code in world.codes() {
        for view in query::dockets(world.read(code), None, 1_000).expect("memory") {
            let events = query::docket(world.read(code), view.id)
                .expect("memory")
                .expect("listed")
                .events;
            let known = dockets.entry(view.id).or_insert_with(|| events.clone());
            assert_eq!(
                *known, events,
                "seed {seed}: {code} holds another history of {}",
                view.id
            );
        }
    }
    assert!(
        dockets.len() >= 2,
        "seed {seed}: the story left its dockets"
    );
}

fn ancestors_know_what_was_published(seed: u64, world: &World) {
    for code in world.codes() {
        for entry in query::own_entries(world.read(code), None, 1_000).expect("memory") {
            for above in world.place(code).ancestors() {
                let there = query::published_entry(world.read(above), code, &entry.entry.id)
                    .expect("memory");
                assert_eq!(
                    there.map(|there| there.entry.version),
                    entry.published,
                    "seed {seed}: {above} on {code}"
                );
            }
        }
    }
}

fn nothing_waits_any_more(seed: u64, world: &World) {
    for code in world.codes() {
        for table in [Table::Outbox, Table::Unsealed, Table::Objects] {
            let waiting = world.read(code).scan(table, b"", None, 10).expect("memory");
            assert!(
                waiting.is_empty(),
                "seed {seed}: {code} still holds {table:?}"
            );
        }
    }
}

fn tables_are_what_the_ledger_says(seed: u64, world: &World) {
    for code in world.codes() {
        world
            .rebuild(code)
            .unwrap_or_else(|difference| panic!("seed {seed}: {code}: {difference}"));
    }
}
