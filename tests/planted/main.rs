//! Planted bugs: each bug of [`identity::planted`] is turned on, and one of a list of checks that do not know which must fail. What finds each
//! stands in `docs/reliability.md`, and this test fails when the page says otherwise. To write the
//! page, and to look for another check, the cheapest first, where the one that it names finds nothing any more: `GUANTONG_WRITE_PLANTED=1 cargo test -p guantong-tests --test planted`.

mod checks;
#[path = "../scenarios/correction.rs"]
mod correction;
#[path = "../scenarios/dispute.rs"]
mod dispute;
#[path = "../simulation/federation.rs"]
#[allow(dead_code, reason = "the finder runs stories, not schedules")]
mod federation;
mod hostile;
#[path = "../simulation/invariants/mod.rs"]
#[allow(
    dead_code,
    reason = "of a run only what the honest must keep is looked at here"
)]
mod invariants;
mod page;
mod papers;
mod relay;
#[path = "../simulation/run.rs"]
#[allow(dead_code, reason = "the finder runs stories, not schedules")]
mod run;
#[path = "../simulation/schedule.rs"]
#[allow(dead_code, reason = "the finder runs stories, not schedules")]
mod schedule;
#[path = "../simulation/story.rs"]
mod story;

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use guantong_tests::stage;
use identity::planted::{self, Bug};

use checks::Check;
use page::Row;

/// Threads on which bugs are looked for; a world runs on one.
const THREADS: usize = 4;

thread_local! {
    /// Whether panics on this thread are expected and said by the finder alone.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Panics of checks are caught and told in one line; all others as ever.
fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
}

/// What a check says when it fails; nothing when all holds.
fn fails(check: &Check) -> Option<String> {
    QUIET.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(|| check.run()));
    QUIET.set(false);
    outcome.err().map(|panic| said(&*panic))
}

/// The first line of a panic, without what the assertion itself puts before it.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or_default().lines().next().unwrap_or_default();
    let line = line
        .strip_prefix("assertion `left == right` failed: ")
        .unwrap_or(line);
    page::cell(&line.chars().take(page::MAX_SAID_CHARS).collect::<String>())
}

/// The first check that fails with this bug.
fn found(bug: Bug, checks: &[Check]) -> Option<Row> {
    planted::with(bug, || {
        checks.iter().find_map(|check| {
            let says = fails(check)?;
            Some(Row {
                bug,
                check: check.name.to_owned(),
                seed: check.seed,
                says,
            })
        })
    })
}

/// Does the same for each of these on a few threads; the outcomes are in the order of what was given.
fn each<T: Sync, R: Send>(of: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = Mutex::new(0..of.len());
    let outcomes: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::new());
    let take = || next.lock().ok().and_then(|mut next| next.next());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(at) = take() {
                    let outcome = work(&of[at]);
                    outcomes.lock().expect("no poison").push((at, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("no poison");
    outcomes.sort_by_key(|(at, _)| *at);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The check that a row names, if there still is one.
fn by(row: &Row, all: &[Check]) -> Vec<Check> {
    all.iter().filter(|it| row.is_by(it)).copied().collect()
}

/// The checks by which the page says that bugs are found.
fn named<'a>(rows: &[Row], all: &'a [Check]) -> Vec<&'a Check> {
    let used = |check: &&Check| rows.iter().any(|row| row.is_by(check));
    all.iter().filter(used).collect()
}

#[test]
fn every_planted_bug_is_found_and_nothing_is_found_without_one() {
    hush();
    let all = checks::all();
    let rows = if page::to_be_written() {
        let (known, _) = page::known();
        let rows = each(Bug::ALL, |bug| {
            let before = known.iter().find(|row| row.bug == *bug);
            let before = before.map(|row| by(row, &all)).unwrap_or_default();
            found(*bug, &before).or_else(|| found(*bug, &all))
        });
        let unfound: Vec<_> = Bug::ALL
            .iter()
            .zip(&rows)
            .filter(|(_, row)| row.is_none())
            .collect();
        let rows: Vec<Row> = rows.iter().flatten().cloned().collect();
        page::write(&rows);
        assert!(unfound.is_empty(), "nothing finds {unfound:?}");
        rows
    } else {
        page::rows()
    };
    let bugs: Vec<Bug> = rows.iter().map(|row| row.bug).collect();
    assert_eq!(bugs, Bug::ALL, "a row each");
    let wrong = each(&rows, |row| {
        let now = found(row.bug, &by(row, &all));
        (now.as_ref() != Some(row)).then(|| format!("{row:?}: {now:?}"))
    });
    let wrong: Vec<String> = wrong.into_iter().flatten().collect();
    assert!(
        wrong.is_empty(),
        "the page says otherwise:\n{}",
        wrong.join("\n")
    );
    let alarms = each(&named(&rows, &all), |check| {
        fails(check).map(|says| format!("{} {:?}: {says}", check.name, check.seed))
    });
    let alarms: Vec<String> = alarms.into_iter().flatten().collect();
    assert!(alarms.is_empty(), "without any bug:\n{}", alarms.join("\n"));
}
