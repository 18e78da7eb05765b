//! A finding run: schedules of many seeds on all processors, each world on one thread; the first failure is made small and printed with what
//! reproduces it.
//!
//! - `GUANTONG_SEED`: the first seed. Without it the slice is the same every time; with `GUANTONG_FRESH` its seed is drawn from the time.
//! - `GUANTONG_SCHEDULES`: how many schedules, each with the next seed.
//! - `GUANTONG_MUTATION`: the rule of law that is switched off in the core while the schedules run, by name: what a finding run must find.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::federation::beginning;
use crate::run::{Reached, run};
use crate::schedule::{Kind, Schedule, Step};
use crate::shrink::shrink;

/// Schedules of a run for which no number is given.
const SCHEDULES: u64 = 4;
/// The first seed, where neither a seed nor fresh ones are asked for.
const SLICE: u64 = 1_000;

/// What is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The first seed.
    pub seed: u64,
    /// How many.
    pub schedules: u64,
    /// What is switched off, by name.
    pub mutation: Option<String>,
}

impl Settings {
    /// From the environment.
    pub fn from_environment() -> Self {
        let number = |name: &str| {
            let text = std::env::var(name).ok()?;
            Some(
                text.parse()
                    .unwrap_or_else(|_| panic!("{name}={text}: not a number")),
            )
        };
        let given = number("GUANTONG_SEED");
        let fresh = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.expect("after 1970").as_nanos() as u64 >> 8
        };
        // Without a word the same schedules run every time: what fails then is of the change.
        let wanted = || match std::env::var_os("GUANTONG_FRESH") {
            Some(_) => fresh(),
            None => SLICE,
        };
        // A seed alone is one schedule to be run again.
        let alone = given.map(|_: u64| 1);
        Self {
            seed: given.unwrap_or_else(wanted),
            schedules: number("GUANTONG_SCHEDULES").or(alone).unwrap_or(SCHEDULES),
            mutation: std::env::var("GUANTONG_MUTATION").ok(),
        }
    }
}

/// How a schedule failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where in the source.
    pub place: String,
    /// What did not hold.
    pub message: String,
}

thread_local! {
    /// The failure of the schedule that runs on this thread.
    static FAILURE: RefCell<Option<Failure>> = const { RefCell::new(None) };
    /// Whether a schedule runs on this thread.
    static RUNS: RefCell<bool> = const { RefCell::new(false) };
}

/// Failures of schedules are kept, all other panics are told as ever.
fn keep_failures() {
    static KEPT: std::sync::Once = std::sync::Once::new();
    KEPT.call_once(|| {
        let told = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !RUNS.with_borrow(|runs| *runs) {
                return told(panic);
            }
            let place = panic
                .location()
                .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
            let payload = panic.payload();
            let message = payload
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| {
                    payload
                        .downcast_ref::<&str>()
                        .map(|text| (*text).to_owned())
                })
                .unwrap_or_default();
            FAILURE.set(Some(Failure { place, message }));
        }));
    });
}

/// Runs a schedule.
///
/// # Errors
/// How it failed.
pub fn attempt(schedule: &Schedule) -> Result<Reached, Failure> {
    keep_failures();
    let beginning = beginning();
    RUNS.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| run(schedule, beginning)));
    RUNS.set(false);
    outcome.map_err(|_| FAILURE.take().expect("kept by the hook"))
}

/// Runs all schedules; what they reached, and the rate.
///
/// # Panics
/// With the first failure, made small.
pub fn find(settings: &Settings) -> Reached {
    if let Some(name) = &settings.mutation {
        panic!("GUANTONG_MUTATION={name}: no mutation of this name");
    }
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let reached = Mutex::new(Reached::default());
    let failure: Mutex<Option<(Schedule, Failure)>> = Mutex::new(None);
    let _ = beginning();
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= settings.schedules {
                        return;
                    }
                    let schedule = Schedule::draw(settings.seed.wrapping_add(number));
                    match attempt(&schedule) {
                        Ok(one) => reached.lock().expect("no panic inside").add(&one),
                        Err(found) => {
                            eprintln!("seed {}: {}: {}", schedule.seed, found.place, found.message);
                            failed.store(true, Ordering::Relaxed);
                            let mut first = failure.lock().expect("no panic inside");
                            first.get_or_insert((schedule, found));
                        }
                    }
                }
            });
        }
    });
    let reached = reached.into_inner().expect("no panic inside");
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!(
        "{} schedules from seed {} in {seconds:.1} s on {threads} threads: {:.2} a second",
        reached.schedules,
        settings.seed,
        reached.schedules as f64 / seconds
    );
    if let Some((schedule, failure)) = failure.into_inner().expect("no panic inside") {
        report(&schedule, &failure);
    }
    reached
}

/// Tells how a schedule failed, and the smallest part of it that fails so.
fn report(schedule: &Schedule, failure: &Failure) -> ! {
    let small = shrink(schedule, |smaller| {
        attempt(smaller).is_err_and(|other| other.place == failure.place)
    });
    let last = attempt(&small).err();
    let seed = schedule.seed;
    let kind = match schedule.kind {
        Kind::Honest => "nobody is at fault",
        Kind::OldBackups => "old backups are restored",
        Kind::Hostile => "nodes are hostile",
    };
    let steps = small.steps.iter().map(|step| match step {
        Step::Act(chances) => format!("  Step::Act({chances}),\n"),
        step => format!("  Step::{step:?},\n"),
    });
    panic!(
        "seed {seed} ({kind}) fails at {}: {}\n{} of {} steps suffice{}:\n{}reproduce: GUANTONG_SEED={seed} cargo test -p guantong-tests --test simulation",
        failure.place,
        failure.message,
        small.steps.len(),
        schedule.steps.len(),
        last.map_or_else(String::new, |last| format!(" for: {}", last.message)),
        steps.collect::<String>(),
    );
}
