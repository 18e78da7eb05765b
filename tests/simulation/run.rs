//! A run: a schedule in the federation, watched at every step, then healing, after which everything converges.

use std::collections::{BTreeMap, BTreeSet};

use guantong_tests::scene::Scene;
use guantong_tests::workflows::{self, Outcomes};
use guantong_tests::{Chance, Trouble, World};
use identity::{Code, Digest};

use crate::federation::Beginning;
use crate::invariants::{self, Watch};
use crate::schedule::{Schedule, Step, Turn};

/// The longest pause between two tries of anything, milliseconds: an hour.
const LONGEST_PAUSE_MS: i64 = 3_600_000;

/// What a run reached.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Schedules run.
    pub schedules: u64,
    /// How often each kind of trouble had its effect.
    pub troubles: BTreeMap<Trouble, u64>,
    /// Turns of a schedule that took place, by name.
    pub turns: BTreeMap<&'static str, u64>,
    /// Acts accepted and refused where they were signed, by workflow.
    pub outcomes: Outcomes,
    /// How often each reason was given for a refusal.
    pub refusals: BTreeMap<String, u64>,
    /// Second histories that were proved, by what proved them.
    pub proved: BTreeMap<&'static str, u64>,
    /// How matters stood in the end, of one run alone.
    pub standing: Option<Digest>,
}

impl Reached {
    /// Adds what another run reached.
    pub fn add(&mut self, other: &Self) {
        fn sum<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            for (key, count) in from {
                *into.entry(key.clone()).or_default() += count;
            }
        }
        self.schedules += other.schedules;
        self.standing = None;
        sum(&mut self.troubles, &other.troubles);
        sum(&mut self.turns, &other.turns);
        sum(&mut self.refusals, &other.refusals);
        sum(&mut self.proved, &other.proved);
        for (name, [accepted, refused]) in &other.outcomes {
            let counts = self.outcomes.entry(name).or_default();
            counts[0] += accepted;
            counts[1] += refused;
        }
    }
}

/// Who did what no honest node does in a run, so that not everything converges.
#[derive(Debug, Default)]
pub struct Suspects {
    /// Nodes that came back with an old backup.
    pub restored: BTreeSet<Code>,
    /// Nodes that acknowledged what they did not keep.
    pub liars: BTreeSet<Code>,
    /// Nodes that signed two histories of their own log.
    pub equivocators: BTreeSet<Code>,
}

impl Suspects {
    /// Whether what passes through a node may have been lost there.
    pub fn may_have_lost(&self, node: Code) -> bool {
        self.restored.contains(&node) || self.liars.contains(&node)
    }
}

/// Runs a schedule from a beginning; panics where an invariant does not hold.
pub fn run(schedule: &Schedule, beginning: &Beginning) -> Reached {
    let seed = schedule.seed;
    let mut scene = beginning.scene.branch(seed);
    scene.world.overhears();
    scene.world.settle();
    let mut watch = beginning.watch.clone();
    let (mut reached, mut suspects) = (Reached::default(), Suspects::default());
    for step in &schedule.steps {
        match step {
            Step::Act(chances) => {
                scene.chance = Chance::new(*chances);
                workflows::move_on(seed, &mut scene, &mut reached.outcomes);
            }
            Step::Wait(millis) => scene.world.step(*millis),
            Step::Trouble(turn) => {
                turn_on(&mut scene, &mut watch, &mut suspects, *turn);
                *reached.turns.entry(name(turn)).or_default() += 1;
            }
        }
        watch.look(seed, &scene.world);
    }
    heal(&mut scene.world);
    watch.look(seed, &scene.world);
    reached.proved = invariants::equivocation_is_found::hold(seed, &mut scene, &suspects);
    watch.look(seed, &scene.world);
    invariants::at_rest(seed, &scene, &suspects);
    reached.schedules = 1;
    reached.standing = Some(scene.world.standing());
    reached.troubles = scene.world.happened.clone();
    reached.refusals = scene.refused;
    reached
}

/// Nothing goes wrong any more, and there is time.
fn heal(world: &mut World) {
    world.heal_all();
    world.set_clocks_right();
    for _ in 0..3 {
        world.settle();
    }
    // What failed often is tried again after an hour.
    world.step(LONGEST_PAUSE_MS);
    world.settle();
}

fn turn_on(scene: &mut Scene, watch: &mut Watch, suspects: &mut Suspects, turn: Turn) {
    let world = &mut scene.world;
    let above = |world: &World, node: Code| {
        let parent = world.place(node).parent();
        parent.expect("no trouble of the hub").code()
    };
    match turn {
        Turn::Line { node, up, line } => {
            let parent = above(world, node);
            let (from, to) = if up { (node, parent) } else { (parent, node) };
            world.set_line(from, to, line);
        }
        Turn::LineMended(node) => {
            let parent = above(world, node);
            world.mend_line(node, parent);
            world.mend_line(parent, node);
        }
        Turn::Chances(faults) => world.faults = faults,
        Turn::Cut(node) => world.cut(node),
        Turn::Joined(node) => world.heal(node),
        Turn::Stop(node) => world.stop(node),
        Turn::Start(node) => world.restart(node),
        Turn::Commit(node, fault) => world.fail_next_commit(node, fault),
        Turn::Full(node, full) => world.fill_disk(node, full),
        Turn::Rot { node, body } => world.rot(node, body),
        Turn::Clock(node, ahead) => world.set_clock(node, ahead),
        Turn::Backup(node, back) => {
            let records = world.records(node).len();
            world.rewind(node, records.saturating_sub(back as usize));
            suspects.restored.insert(node);
            watch.forget(node);
            scene.accepted.retain(|(at, _)| *at != node);
        }
        Turn::Again {
            node,
            up,
            frames,
            altered,
        } => {
            let parent = above(world, node);
            let (from, to) = if up { (node, parent) } else { (parent, node) };
            world.say_again(from, to, frames, altered);
        }
        Turn::Forge { by, log } => {
            if world.forge(by, log) && by == log {
                suspects.equivocators.insert(by);
            }
        }
        Turn::Lie(node, lies) => {
            world.lie_about_receipt(node, lies);
            suspects.liars.insert(node);
        }
    }
}

/// A turn's name in the counts.
pub fn name(turn: &Turn) -> &'static str {
    match turn {
        Turn::Line { line, .. } if line.withholds.is_some() => "entries withheld",
        Turn::Line { line, .. } if line.loses_one_in == 1 => "one-way partition",
        Turn::Line { line, .. } if line.loses_one_in > 1 => "lossy line",
        Turn::Line { line, .. } if line.jitter_ms > 0 => "unsteady line",
        Turn::Line { .. } => "slow line",
        Turn::LineMended(_) => "line mended",
        Turn::Chances(_) => "repeated, overtaken, broken",
        Turn::Cut(_) => "partition",
        Turn::Joined(_) => "joined",
        Turn::Stop(_) => "stopped",
        Turn::Start(_) => "started",
        Turn::Commit(..) => "commit fails",
        Turn::Full(..) => "disk full",
        Turn::Rot { .. } => "bit rot",
        Turn::Clock(..) => "clock jump",
        Turn::Backup(..) => "old backup",
        Turn::Again { frames, .. } if *frames > 100 => "flood",
        Turn::Again { altered: true, .. } => "altered frames",
        Turn::Again { .. } => "replay",
        Turn::Forge { by, log } if by == log => "equivocation",
        Turn::Forge { .. } => "forged segment",
        Turn::Lie(..) => "lie about receipt",
    }
}
