//! Health: what each node reports upward, and how an ancestor judges it.

use identity::{Moment, Path};
use serde::{Deserialize, Serialize};

/// A node older than this is lagging, milliseconds (three report intervals).
pub const LAGGING_AFTER_MS: i64 = 15_000;
/// A node older than this is down, milliseconds.
pub const DOWN_AFTER_MS: i64 = 60_000;
/// Most reports in one frame.
pub const MAX_REPORTS_PER_FRAME: usize = 1_024;

/// One node's own statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// Who.
    pub node: Path,
    /// Its name.
    pub name: String,
    /// Its clock when it reported.
    pub at: Moment,
    /// Software version.
    pub software: String,
    /// Own published entries.
    pub own_entries: u64,
    /// Entries it knows in all.
    pub catalogue: u64,
    /// Envelopes waiting for neighbours.
    pub outbox: u64,
    /// Envelopes waiting for a destination's chain.
    pub unsealed: u64,
    /// Dockets at home here that are open.
    pub open_dockets: u64,
    /// Security incidents at home here that are open (R35).
    pub open_incidents: u64,
    /// Duties owed here due within two working days.
    pub due_soon: u64,
    /// Duties owed here that are overdue.
    pub overdue: u64,
    /// Ledger leaves.
    pub ledger: u64,
    /// Of which cosigned by the parent.
    pub cosigned: u64,
}

/// How a node looks from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// 正常.
    Up,
    /// 滞后.
    Lagging,
    /// 失联.
    Down,
}

/// Judges by the time the report arrived here, never by the reporter's clock.
pub fn condition(received: Moment, now: Moment) -> Condition {
    match now.as_millis().saturating_sub(received.as_millis()) {
        age if age >= DOWN_AFTER_MS => Condition::Down,
        age if age >= LAGGING_AFTER_MS => Condition::Lagging,
        _ => Condition::Up,
    }
}

/// A report with the time it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The report.
    pub report: HealthReport,
    /// When it arrived at the observer.
    pub received: Moment,
}
