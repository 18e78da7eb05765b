//! A second history is found by the parent within one sync interval, and by an honest witness when it is asked next; what proves it verifies
//! under the key of whoever signed both.

use std::collections::BTreeMap;

use federation::core::{Record, query};
use federation::store::Table;
use federation::sync::{MAX_HEAD_BYTES, conflict};
use guantong_tests::scene::Scene;
use guantong_tests::{Department, World, entry, stage};
use identity::{Code, Domain, Signed, codec};
use sharing::ledger::Checkpoint;
use sharing::ledger::evidence::MAX_RECORD_BYTES;
use statute::ClassTerms;

use crate::run::Suspects;

/// One sync interval, milliseconds: links retry and tell their health every five seconds.
const SYNC_INTERVAL_MS: i64 = 6_000;
/// After this long a refused checkpoint has been offered again and witnesses have been asked, milliseconds.
const CHECKPOINTS_GO_ROUND_MS: i64 = 80_000;
/// Most bytes of a checkpoint.
const MAX_CHECKPOINT_BYTES: usize = 1_024;

/// How many second histories were proved, by what proves them.
pub fn hold(seed: u64, scene: &mut Scene, suspects: &Suspects) -> BTreeMap<&'static str, u64> {
    let mut proved = BTreeMap::new();
    for node in &suspects.equivocators {
        let world = &mut scene.world;
        if world.forge(*node, *node) {
            world.step(SYNC_INTERVAL_MS);
            let parent = world.place(*node).parent().expect("not the hub").code();
            let forks = proved_forks(world, parent, *node);
            assert!(
                forks > 0,
                "seed {seed}: {parent} has no proof that {node} signed two histories"
            );
            *proved.entry("catalogue").or_default() += forks;
        }
    }
    for node in &suspects.restored {
        // What the parent cosigned last, and whether it stands in the history that the node goes on with.
        let parent = scene.world.place(*node).parent().expect("not the hub");
        let held = cosigned(&scene.world, parent.code(), *node);
        let lost = held.is_some_and(|held| !is_of(&scene.world, *node, &held));
        if lost {
            something_new(scene, *node);
            scene.world.step(SYNC_INTERVAL_MS);
            for _ in 0..CHECKPOINTS_GO_ROUND_MS / SYNC_INTERVAL_MS {
                scene.world.step(SYNC_INTERVAL_MS);
            }
            let found = told(&scene.world, *node);
            assert!(
                found,
                "seed {seed}: {node} goes on with an old backup and nobody was told"
            );
            let kept = proved_checkpoints(seed, &scene.world, parent.code(), *node);
            *proved.entry("ledger told").or_default() += 1;
            *proved.entry("ledger proved").or_default() += kept;
        }
    }
    scene.world.settle();
    proved
}

/// Two heads of one log, kept at a node, signed by its author and at odds.
fn proved_forks(world: &World, at: Code, author: Code) -> u64 {
    let key = guantong_tests::key(&format!("node {author}")).verify_key();
    let proofs = world.records(at).iter().filter(|bytes| {
        let Ok(Record::ForkFound { first, second, .. }) = codec::decode(bytes, MAX_RECORD_BYTES)
        else {
            return false;
        };
        let heads = [first, second].map(|it| it.verify(Domain::Segment, &key, MAX_HEAD_BYTES));
        matches!(&heads, [Ok(one), Ok(other)] if conflict(one, other).is_some())
    });
    proofs.count() as u64
}

/// Two checkpoints of one ledger, kept at a node, both signed by its keeper.
fn proved_checkpoints(seed: u64, world: &World, at: Code, keeper: Code) -> u64 {
    let key = guantong_tests::key(&format!("node {keeper}")).verify_key();
    let mut kept = 0;
    for bytes in world.records(at) {
        let Ok(Record::CheckpointRefused { held, refused, .. }) =
            codec::decode(bytes, MAX_RECORD_BYTES)
        else {
            continue;
        };
        let claimed = held.claimed(MAX_CHECKPOINT_BYTES).expect("a checkpoint");
        if claimed.node.code() != keeper {
            continue;
        }
        for one in [held, refused] {
            let signed = one.check(Domain::Checkpoint, &key);
            assert!(
                signed.is_ok(),
                "seed {seed}: what {at} kept as proof against {keeper} does not verify"
            );
        }
        kept += 1;
    }
    kept
}

/// The newest checkpoint of a node that another cosigned.
fn cosigned(world: &World, at: Code, of: Code) -> Option<Checkpoint> {
    let key = [of.to_string().as_bytes(), &[0]].concat();
    let row = world.read(at).get(Table::Cosigned, &key).expect("memory")?;
    let signed: Signed<Checkpoint> =
        codec::decode(&row, MAX_RECORD_BYTES).expect("a node's own row");
    signed.claimed(MAX_CHECKPOINT_BYTES).ok()
}

/// Whether a checkpoint is of the history that a node holds now.
fn is_of(world: &World, node: Code, checkpoint: &Checkpoint) -> bool {
    let mut signed = world.records(node).iter().filter_map(|bytes| {
        let Ok(Record::CheckpointSigned { checkpoint }) = codec::decode(bytes, MAX_RECORD_BYTES)
        else {
            return None;
        };
        checkpoint.claimed(MAX_CHECKPOINT_BYTES).ok()
    });
    signed.any(|it| (it.size, it.root) == (checkpoint.size, checkpoint.root))
}

/// The node goes on: it publishes an entry, as anybody may.
fn something_new(scene: &mut Scene, node: Code) {
    let department = Department::hosted(node, 9, "另一部门");
    let entry = entry(
        &department,
        9,
        "另一目录",
        ClassTerms::Unconditional,
        scene.world.now,
    );
    stage::publish(&mut scene.world, &department, vec![entry]);
}

/// Whether the operators of the node or of one that cosigns it were told that its ledger is not what was cosigned.
fn told(world: &World, node: Code) -> bool {
    world.codes().into_iter().any(|at| {
        let findings = query::findings(world.read(at), None, 10_000).expect("memory");
        findings.iter().any(|finding| {
            let own = at == node && finding.en.contains("not this node's");
            own || finding
                .en
                .contains(&format!("checkpoint of {node} not cosigned"))
        })
    })
}
