//! What holds whatever anybody does: any person on any node, any act of any workflow, lawful or not, in any order, while frames are lost, repeated
//! and overtaken and nodes crash. A failure prints its seed; the same seed gives the same run.

mod invariants;
mod scene;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use guantong_tests::Faults;

use scene::Scene;
use workflows::WORKFLOWS;

/// Runs; each has its own seed.
const SEEDS: std::ops::Range<u64> = 0..4;
/// Acts tried in a run.
const MOVES: usize = 130;

#[test]
fn whatever_anyone_does_every_copy_agrees_every_refusal_is_reasoned_and_every_ledger_verifies() {
    let mut happened = [0; 5];
    let mut outcomes: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    let mut events = BTreeSet::new();
    for seed in SEEDS {
        let mut scene = Scene::new(seed);
        scene.world.faults = Faults {
            crash_before_commit: 150,
            crash_after_commit: 150,
            break_link: 250,
            repeat_frame: 100,
            overtake_frame: 100,
        };
        for _ in 0..MOVES {
            // A workflow that has nothing to act on yet gives way to the next.
            let first = scene.chance.below(WORKFLOWS.len() as u64) as usize;
            let next = WORKFLOWS.iter().cycle().skip(first).take(WORKFLOWS.len());
            let drawn = next
                .filter_map(|(name, draw)| draw(&mut scene).map(|it| (name, it)))
                .next();
            let (name, body) = drawn.expect("an application can always be drafted");
            let accepted = scene.perform(seed, body);
            outcomes.entry(name).or_default()[usize::from(!accepted)] += 1;
            scene.time_passes();
        }
        scene.world.heal_all();
        for _ in 0..4 {
            scene.world.settle();
        }
        events.extend(invariants::hold(seed, &scene.world));
        for (sum, count) in happened.iter_mut().zip(scene.world.happened) {
            *sum += count;
        }
    }
    eprintln!("accepted and refused: {outcomes:?}\nfaults: {happened:?}\nevents: {events:?}");
    for (name, _) in WORKFLOWS {
        let [accepted, refused] = outcomes.get(name).copied().unwrap_or_default();
        assert!(
            accepted > 0 && refused > 0,
            "{name}: {accepted} accepted, {refused} refused"
        );
    }
    assert!(
        happened.iter().all(|count| *count > 0),
        "every kind of fault was reached: {happened:?}"
    );
}
