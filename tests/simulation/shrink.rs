//! A failing schedule made small: steps are dropped, many at a time and then fewer, while what is left fails in the same way.

use crate::schedule::Schedule;

/// Runs that making a schedule small may take.
const MOST_TRIES: usize = 400;

/// The smallest schedule found that still fails as this one did.
pub fn shrink(schedule: &Schedule, fails_alike: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut smallest = schedule.clone();
    let mut chunk = smallest.steps.len().div_ceil(2);
    let mut tries = 0;
    while chunk > 0 && tries < MOST_TRIES {
        let mut from = 0;
        while from < smallest.steps.len() && tries < MOST_TRIES {
            let without = smallest.keeping(|at| !(from..from + chunk).contains(&at));
            tries += 1;
            if fails_alike(&without) {
                smallest = without;
            } else {
                from += chunk;
            }
        }
        chunk /= 2;
    }
    smallest
}
