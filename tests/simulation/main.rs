//! The simulation: seeded schedules of acts of every workflow and of everything that goes wrong with lines, disks, clocks, backups and
//! neighbours; then healing. The safety invariants hold throughout and everything converges.
//!
//! `GUANTONG_SEED=… cargo test -p guantong-tests --test simulation` runs a schedule again; [`finding`] says what else can be set.

mod federation;
mod finding;
mod invariants;
mod run;
mod schedule;
mod shrink;
mod story;

use std::collections::{BTreeMap, BTreeSet};

use guantong_tests::workflows::WORKFLOWS;
use guantong_tests::{Faults, Trouble};

use finding::Settings;
use run::Reached;
use schedule::{COMMANDS, Schedule, Step, TROUBLES};

/// Seeds of the slice that is the same for every change.
const FIXED: std::ops::Range<u64> = 0..12;
/// Seeds of the story.
const STORIES: std::ops::Range<u64> = 0..8;
/// Reasons of refusal that the fixed slice reaches, at least.
const REASONS: usize = 30;

/// Every kind of trouble that the fixed slice must have reached.
const TROUBLES_REACHED: [Trouble; 18] = [
    Trouble::CrashBeforeCommit,
    Trouble::CrashAfterCommit,
    Trouble::TornCommit,
    Trouble::TablesBehind,
    Trouble::WriteFailed,
    Trouble::DiskFull,
    Trouble::RowRotten,
    Trouble::BodyRotten,
    Trouble::LinkBroken,
    Trouble::FrameRepeated,
    Trouble::FrameOvertaken,
    Trouble::FrameLost,
    Trouble::FrameDelayed,
    Trouble::Withheld,
    Trouble::ReceiptLied,
    Trouble::Replayed,
    Trouble::Altered,
    Trouble::Forged,
];

/// Every kind of turn that schedules take.
const TURNS: [&str; 18] = [
    "entries withheld",
    "one-way partition",
    "lossy line",
    "unsteady line",
    "slow line",
    "repeated, overtaken, broken",
    "partition",
    "stopped",
    "commit fails",
    "disk full",
    "bit rot",
    "clock jump",
    "old backup",
    "flood",
    "altered frames",
    "replay",
    "equivocation",
    "lie about receipt",
];

#[test]
fn the_fixed_schedules_hold_and_reach_every_trouble_workflow_and_many_refusals() {
    let reached = finding::find(&Settings {
        seed: FIXED.start,
        schedules: FIXED.end - FIXED.start,
        mutation: None,
    });
    eprintln!("{reached:#?}");
    all_reached(&reached);
}

fn all_reached(reached: &Reached) {
    let missing: Vec<_> = TROUBLES_REACHED
        .iter()
        .filter(|trouble| !reached.troubles.contains_key(trouble))
        .collect();
    assert!(missing.is_empty(), "never happened: {missing:?}");
    let missing: Vec<_> = TURNS
        .iter()
        .filter(|turn| !reached.turns.contains_key(*turn))
        .collect();
    assert!(missing.is_empty(), "never turned: {missing:?}");
    for (name, _) in WORKFLOWS {
        let [accepted, refused] = reached.outcomes.get(name).copied().unwrap_or_default();
        assert!(
            accepted > 0 && refused > 0,
            "{name}: {accepted} accepted, {refused} refused"
        );
    }
    let reasons = reached.refusals.len();
    assert!(
        reasons >= REASONS,
        "{reasons} reasons: {:?}",
        reached.refusals
    );
    for proof in ["catalogue", "ledger told"] {
        assert!(
            reached.proved.contains_key(proof),
            "no second history was proved by {proof}: {:?}",
            reached.proved
        );
    }
}

#[test]
fn fresh_schedules_hold() {
    let settings = Settings::from_environment();
    eprintln!(
        "GUANTONG_SEED={} GUANTONG_SCHEDULES={}",
        settings.seed, settings.schedules
    );
    let reached = finding::find(&settings);
    assert_eq!(reached.schedules, settings.schedules);
    eprintln!("{reached:?}");
}

#[test]
fn a_schedule_has_its_commands_and_several_kinds_of_trouble() {
    for seed in 0..200 {
        let schedule = Schedule::draw(seed);
        let acts = schedule.steps.iter();
        let acts = acts.filter(|step| matches!(step, Step::Act(_))).count();
        assert!(
            acts >= COMMANDS && COMMANDS >= 200,
            "seed {seed}: {acts} commands"
        );
        let turns: Vec<&str> = schedule
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Trouble(turn) => Some(run::name(turn)),
                Step::Act(_) | Step::Wait(_) => None,
            })
            .collect();
        let kinds: BTreeSet<_> = turns.iter().collect();
        assert!(
            turns.len() >= TROUBLES && TROUBLES >= 20 && kinds.len() >= 4,
            "seed {seed}: {turns:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let schedule = Schedule::draw(3);
    assert_eq!(finding::attempt(&schedule), finding::attempt(&schedule));
}

#[test]
fn a_failing_schedule_is_reduced_to_the_steps_that_make_it_fail() {
    let schedule = Schedule::draw(5);
    let (first, second) = (schedule.steps[17], schedule.steps[301]);
    let small = shrink::shrink(&schedule, |smaller| {
        smaller.steps.contains(&first) && smaller.steps.contains(&second)
    });
    assert_eq!(small.steps, [first, second]);
}

#[test]
fn the_story_completes_whatever_crashes() {
    let mut happened: BTreeMap<Trouble, u64> = BTreeMap::new();
    for seed in STORIES {
        let faults = Faults {
            crash_before_commit: 40,
            crash_after_commit: 40,
            break_link: 60,
            ..Faults::default()
        };
        let world = story::run(seed, faults);
        invariants::of_the_honest(seed, &world);
        for (trouble, count) in &world.happened {
            *happened.entry(*trouble).or_default() += count;
        }
    }
    for trouble in [
        Trouble::CrashBeforeCommit,
        Trouble::CrashAfterCommit,
        Trouble::LinkBroken,
    ] {
        let count = happened.get(&trouble).copied().unwrap_or(0);
        assert!(count > 30, "{trouble:?}: {count} times");
    }
}
