//! What holds whatever anybody does: any person on any node, any act of any workflow, lawful or not, in any order, while frames are lost, repeated
//! and overtaken and nodes crash. A failure prints its seed; the same seed gives the same run.

mod events;
mod invariants;

use std::collections::BTreeMap;

use guantong_tests::scene::Scene;
use guantong_tests::workflows::{self, Outcomes, WORKFLOWS};
use guantong_tests::{Faults, Trouble};

/// Runs, each with its own seed.
const RUNS: u64 = 4;
/// Most runs: more than are made while some kind of event is not reached yet.
const MOST_RUNS: u64 = 10;
/// Moves in a run, each with some time after it.
const MOVES: usize = 160;

/// What the runs came to.
#[derive(Debug, Default)]
struct Tried {
    /// Faults of each kind.
    faults: BTreeMap<Trouble, u64>,
    /// Acts accepted and refused where they were signed, by workflow.
    outcomes: Outcomes,
    /// Events reached, by workflow and name: in how many runs.
    events: BTreeMap<String, u64>,
}

#[test]
fn whatever_anyone_does_every_copy_agrees_every_refusal_is_reasoned_and_every_ledger_verifies() {
    let mut tried = Tried::default();
    for seed in 0..MOST_RUNS {
        if seed >= RUNS && events::missing(&tried.events).is_empty() {
            break;
        }
        tried.run(seed);
        eprintln!("after {seed}: missing {:?}", events::missing(&tried.events));
    }
    eprintln!("{tried:?}");
    for (name, _) in WORKFLOWS {
        let [accepted, refused] = tried.outcomes.get(name).copied().unwrap_or_default();
        assert!(
            accepted > 0 && refused > 0,
            "{name}: {accepted} accepted, {refused} refused"
        );
    }
    let (missing, unlisted) = (
        events::missing(&tried.events),
        events::unlisted(&tried.events),
    );
    assert!(missing.is_empty(), "never reached: {missing:?}");
    assert!(unlisted.is_empty(), "listed nowhere: {unlisted:?}");
    for trouble in [
        Trouble::CrashBeforeCommit,
        Trouble::CrashAfterCommit,
        Trouble::LinkBroken,
        Trouble::FrameRepeated,
        Trouble::FrameOvertaken,
    ] {
        let count = tried.faults.get(&trouble);
        assert!(count.is_some_and(|it| *it > 0), "{trouble:?} was reached");
    }
}

impl Tried {
    fn run(&mut self, seed: u64) {
        let mut scene = Scene::new(seed);
        scene.world.faults = Faults {
            crash_before_commit: 150,
            crash_after_commit: 150,
            break_link: 250,
            repeat_frame: 100,
            overtake_frame: 100,
        };
        for _ in 0..MOVES {
            workflows::move_on(seed, &mut scene, &mut self.outcomes);
            scene.time_passes();
        }
        scene.world.heal_all();
        for _ in 0..4 {
            scene.world.settle();
        }
        let reached = invariants::hold(seed, &scene.world);
        for event in reached {
            *self.events.entry(event).or_default() += 1;
        }
        for (trouble, count) in &scene.world.happened {
            *self.faults.entry(*trouble).or_default() += count;
        }
        for faulty in ["Fault", "NotAMember"] {
            let times = scene.refused.get(faulty);
            assert_eq!(
                times, None,
                "seed {seed}: a member on a sound disk: {faulty}"
            );
        }
    }
}
