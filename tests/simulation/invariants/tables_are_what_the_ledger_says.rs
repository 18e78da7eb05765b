//! A node's tables are what its ledger says: taken away they come out equal. Of one node in a run, which is the costliest of all checks.

use guantong_tests::World;
use identity::Code;

pub fn at_rest(seed: u64, world: &World) {
    let nodes = world.codes();
    hold(seed, world, nodes[seed as usize % nodes.len()]);
}

pub fn hold(seed: u64, world: &World, node: Code) {
    if let Err(difference) = world.rebuild(node) {
        panic!("seed {seed}: {node}: {difference}");
    }
}
