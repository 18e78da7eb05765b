//! The simulation: seeded runs with crashes and broken links, then healing; the safety invariants hold throughout and everything converges.

mod invariants;
mod story;

use guantong_tests::Faults;

/// Seeds of this slice. A failure prints its seed; the same seed gives the same run.
const SEEDS: std::ops::Range<u64> = 0..24;

#[test]
fn the_story_completes_whatever_crashes() {
    let mut happened = [0; 3];
    for seed in SEEDS {
        let faults = Faults {
            crash_before_commit: 40,
            crash_after_commit: 40,
            break_link: 60,
            ..Faults::default()
        };
        let world = story::run(seed, faults);
        invariants::hold(seed, &world);
        for (sum, count) in happened.iter_mut().zip(world.happened) {
            *sum += count;
        }
    }
    assert!(
        happened.iter().all(|count| *count > 100),
        "every kind of fault was reached: {happened:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let faults = Faults {
        crash_before_commit: 30,
        crash_after_commit: 30,
        break_link: 30,
        ..Faults::default()
    };
    let (first, second) = (story::run(7, faults), story::run(7, faults));
    for code in first.codes() {
        assert_eq!(first.records(code), second.records(code), "{code}");
    }
}
