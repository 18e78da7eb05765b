//! What holds whatever anybody does: any person on any node, any act of any workflow, lawful or not, in any order, while frames are lost, repeated
//! and overtaken and nodes crash. A failure prints its seed; the same seed gives the same run.

mod events;
mod invariants;
mod scene;
mod workflows;

use std::collections::BTreeMap;

use guantong_tests::Faults;

use scene::Scene;
use workflows::WORKFLOWS;

/// Runs, each with its own seed.
const RUNS: u64 = 4;
/// Most runs: more than are made while some kind of event is not reached yet.
const MOST_RUNS: u64 = 10;
/// Moves in a run, each with some time after it.
const MOVES: usize = 160;
/// Acts of a workflow tried in a move, until one is taken.
const TRIES: usize = 6;

/// What the runs came to.
#[derive(Debug, Default)]
struct Tried {
    /// Faults of each kind.
    faults: [u64; 5],
    /// Acts accepted and refused where they were signed, by workflow.
    outcomes: BTreeMap<&'static str, [usize; 2]>,
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
    assert!(
        tried.faults.iter().all(|count| *count > 0),
        "every kind of fault was reached: {:?}",
        tried.faults
    );
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
            self.moves(seed, &mut scene);
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
        for (sum, count) in self.faults.iter_mut().zip(scene.world.happened) {
            *sum += count;
        }
    }

    /// Acts of one workflow until one is taken. A workflow that has nothing to act on yet gives way to the next.
    fn moves(&mut self, seed: u64, scene: &mut Scene) {
        let first = scene.next_workflow(WORKFLOWS.len());
        let next = WORKFLOWS.iter().cycle().skip(first).take(WORKFLOWS.len());
        let drawn = next
            .filter_map(|(name, draw)| draw(scene).map(|it| (*name, draw, it)))
            .next();
        let (name, draw, first) = drawn.expect("an application can always be drafted");
        let mut next = Some(first);
        for _ in 0..TRIES {
            let Some(drawn) = next.take() else {
                break;
            };
            let taken = scene.perform(seed, drawn);
            self.outcomes.entry(name).or_default()[usize::from(!taken)] += 1;
            if taken {
                break;
            }
            next = draw(scene);
        }
    }
}
