//! Memory and queues are bounded, whatever is said and however often; and when everything has come to rest nothing waits.

use federation::store::{Read, Table};
use guantong_tests::World;

use crate::run::Suspects;

/// Most frames under way at once in the whole federation: of eleven nodes with ten links, each of which has at most a window of envelopes, a few
/// pages of sync and as many answers under way in each direction, and what a flood puts there.
const MOST_UNDER_WAY: usize = 4_096;

pub fn hold(seed: u64, world: &World) {
    assert!(
        world.most_under_way <= MOST_UNDER_WAY,
        "seed {seed}: {} frames were under way at once",
        world.most_under_way
    );
}

pub fn at_rest(seed: u64, world: &World, suspects: &Suspects) {
    let suspicious = !suspects.restored.is_empty() || !suspects.liars.is_empty();
    for node in world.codes() {
        for table in [Table::Outbox, Table::Unsealed] {
            let waiting = world.read(node).scan(table, b"", None, 10).expect("memory");
            assert!(
                waiting.is_empty(),
                "seed {seed}: {node} still holds {table:?}"
            );
        }
        // What a docket names may have been lost with an old backup of whoever has it.
        let wanted = world.read(node).scan(Table::Objects, b"", None, 10);
        assert!(
            suspicious || wanted.expect("memory").is_empty(),
            "seed {seed}: {node} still fetches"
        );
    }
}
