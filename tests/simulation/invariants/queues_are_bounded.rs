//! Memory and queues are bounded, whatever is said and however often; and when everything has come to rest nothing waits.

use federation::store::Table;
use guantong_tests::World;
use identity::Code;

use super::is_member;
use crate::run::Suspects;

/// Most frames under way at once in the whole federation: of eleven nodes with ten links, each of which has at most a window of envelopes, a few
/// pages of sync and as many answers under way in each direction, and what a flood puts there.
const MOST_UNDER_WAY: usize = 4_096;
/// Most rows of a table that are looked at.
const MOST_ROWS: usize = 10_000;

pub fn hold(seed: u64, world: &World) {
    assert!(
        world.most_under_way <= MOST_UNDER_WAY,
        "seed {seed}: {} frames were under way at once",
        world.most_under_way
    );
}

pub fn at_rest(seed: u64, world: &World, suspects: &Suspects) {
    let members: Vec<Code> = world.codes();
    let cut_off: Vec<Code> = members
        .iter()
        .copied()
        .filter(|node| !is_member(world, *node))
        .collect();
    let lost = !suspects.restored.is_empty() || !suspects.liars.is_empty();
    for node in members.into_iter().filter(|node| !cut_off.contains(node)) {
        for table in [Table::Outbox, Table::Unsealed] {
            let waiting = world.read(node).scan(table, b"", None, MOST_ROWS);
            for (key, _) in waiting.expect("memory") {
                // The key begins with whom it is for, to the first zero.
                let to = key.split(|byte| *byte == 0).next().unwrap_or_default();
                let to = String::from_utf8_lossy(to).parse::<Code>();
                assert!(
                    to.as_ref().is_ok_and(|to| cut_off.contains(to)),
                    "seed {seed}: {node} still holds {table:?} for {to:?}"
                );
            }
        }
        // What a docket names may have been lost with an old backup of whoever has it.
        let wanted = world.read(node).scan(Table::Objects, b"", None, MOST_ROWS);
        assert!(
            lost || !cut_off.is_empty() || wanted.expect("memory").is_empty(),
            "seed {seed}: {node} still fetches"
        );
    }
}
