//! What must hold, one file for each: throughout a run as records come into any node's ledger, and when everything has come to rest.

mod acknowledged_is_kept;
mod copies_agree;
mod deadlines_are_judged_once;
mod envelopes_take_effect_once;
pub mod equivocation_is_found;
mod nothing_foreign_is_accepted;
mod parents_know_what_was_published;
mod queues_are_bounded;
mod tables_are_what_the_ledger_says;

use std::collections::BTreeMap;

use federation::core::{Record, query};
use guantong_tests::World;
use guantong_tests::scene::Scene;
use identity::{Code, codec};
use sharing::ledger::evidence::MAX_RECORD_BYTES;

use crate::run::Suspects;

/// One new record of a node's ledger.
pub struct Seen<'a> {
    /// The seed of the run.
    pub seed: u64,
    /// The federation as it stands after it.
    pub world: &'a World,
    /// Whose ledger.
    pub node: Code,
    /// What was recorded.
    pub record: &'a Record,
}

/// Looks at every record once, when it has become durable.
#[derive(Debug, Default, Clone)]
pub struct Watch {
    looked_at: BTreeMap<Code, usize>,
    acknowledged: acknowledged_is_kept::Acknowledged,
    envelopes: envelopes_take_effect_once::Envelopes,
    places: nothing_foreign_is_accepted::Places,
    deadlines: deadlines_are_judged_once::Deadlines,
}

impl Watch {
    /// From now on. What the beginning left counts as known.
    pub fn new(world: &World) -> Self {
        let mut watch = Self::default();
        watch.look(0, world);
        watch
    }

    /// What is new everywhere.
    pub fn look(&mut self, seed: u64, world: &World) {
        // Whoever has an envelope is noted before whoever was told so.
        let mut new = Vec::new();
        for node in world.codes() {
            let records = world.records(node);
            let from = self.looked_at.insert(node, records.len()).unwrap_or(0);
            for bytes in &records[from.min(records.len())..] {
                let record: Record =
                    codec::decode(bytes, MAX_RECORD_BYTES).expect("a node's own record");
                self.acknowledged.note(node, &record);
                new.push((node, record));
            }
        }
        for (node, record) in &new {
            let seen = Seen {
                seed,
                world,
                node: *node,
                record,
            };
            self.acknowledged.hold(&seen);
            self.envelopes.hold(&seen);
            self.places.hold(&seen);
            self.deadlines.hold(&seen);
        }
        queues_are_bounded::hold(seed, world);
    }

    /// A node has come back with an old backup: what it did since is unknown to it.
    pub fn forget(&mut self, node: Code) {
        self.looked_at.insert(node, 0);
        self.acknowledged.forget(node);
        self.envelopes.forget(node);
        self.places.forget(node);
        self.deadlines.forget(node);
    }
}

/// Whether a node's certificate stands. One that was cut off after an incident is reached by nobody, and what is addressed to it waits.
pub fn is_member(world: &World, node: Code) -> bool {
    let Some(parent) = world.place(node).parent().map(|parent| parent.code()) else {
        return true;
    };
    let chain = query::own_chain(world.read(node)).expect("memory");
    let own = chain.expect("enrolled").claimed().expect("a certificate");
    !query::is_revoked(world.read(parent), &parent, own.serial)
}

/// What holds when everything has come to rest.
pub fn at_rest(seed: u64, scene: &Scene, suspects: &Suspects) {
    let world = &scene.world;
    acknowledged_is_kept::at_rest(seed, scene);
    copies_agree::at_rest(seed, world, suspects);
    parents_know_what_was_published::at_rest(seed, world, suspects);
    queues_are_bounded::at_rest(seed, world, suspects);
    tables_are_what_the_ledger_says::at_rest(seed, world);
}

/// What holds of a federation in which nobody is at fault and nothing is wrong any more.
pub fn of_the_honest(seed: u64, world: &World) {
    let nobody = Suspects::default();
    Watch::default().look(seed, world);
    copies_agree::at_rest(seed, world, &nobody);
    parents_know_what_was_published::at_rest(seed, world, &nobody);
    queues_are_bounded::at_rest(seed, world, &nobody);
    for node in world.codes() {
        tables_are_what_the_ledger_says::hold(seed, world, node);
    }
}
