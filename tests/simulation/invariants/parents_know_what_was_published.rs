//! Every node's view of the catalogue is the union of what the nodes below it published, no more and no less.

use std::collections::BTreeMap;

use federation::core::query;
use guantong_tests::World;
use identity::Code;

use super::is_member;
use crate::run::Suspects;

/// Most entries of one node that are looked at.
const MOST_ENTRIES: usize = 1_000;

pub fn at_rest(seed: u64, world: &World, suspects: &Suspects) {
    let logs: BTreeMap<Code, BTreeMap<Code, u64>> = world
        .codes()
        .into_iter()
        .map(|node| {
            let known = query::publishers(world.read(node)).expect("memory");
            let lengths = known.into_iter().map(|(code, last, _)| (code, last));
            (node, lengths.collect())
        })
        .collect();
    for node in world.codes() {
        // Who signed a second history after an old backup is followed no further by anyone: the proof is kept instead.
        if suspects.restored.contains(&node) || !is_member(world, node) {
            continue;
        }
        let own = logs[&node].get(&node).copied();
        for above in world.place(node).ancestors() {
            let there = logs[&above].get(&node).copied();
            assert_eq!(there, own, "seed {seed}: {above} on the log of {node}");
        }
        entries(seed, world, node);
    }
    for (node, known) in &logs {
        let here = world.place(*node);
        for publisher in known.keys() {
            let place = world.place(*publisher);
            assert!(
                here == place || here.is_ancestor_of(&place),
                "seed {seed}: {node} has a log of {publisher}, which is not below it"
            );
        }
    }
}

fn entries(seed: u64, world: &World, node: Code) {
    for entry in query::own_entries(world.read(node), None, MOST_ENTRIES).expect("memory") {
        for above in world.place(node).ancestors() {
            let there = query::published_entry(world.read(above), node, &entry.entry.id);
            let there = there.expect("memory").map(|there| there.entry.version);
            assert_eq!(
                there, entry.published,
                "seed {seed}: {above} on an entry of {node}"
            );
        }
    }
}
