//! A federation in one process for scenarios and the simulation: the real core of every node, a virtual clock, a network and
//! disks that fail when a seed says so. Single-threaded; the same seed gives the same run.
//!
//! [`live`] is the other one: whole nodes with their sockets and disks, under a clock that is set. [`stage`] has the steps that scenarios
//! begin with, for both. [`scene`] and [`workflows`] draw acts of every workflow by chance.

mod cast;
mod chance;
mod delivery;
#[cfg(feature = "live")]
pub mod live;
mod membership;
pub mod scene;
pub mod stage;
pub mod workflows;
mod world;

pub use cast::{Department, Person, credit_code, entry, key};
pub use chance::Chance;
pub use world::{CommitFault, Faults, Line, Trouble, World};
