//! A federation in one process for scenarios and the simulation: the real core of every node, a virtual clock, a network and
//! disks that fail when a seed says so. Single-threaded; the same seed gives the same run.

mod cast;
mod chance;
mod delivery;
mod world;

pub use cast::{Department, Person, credit_code, entry, key};
pub use chance::Chance;
pub use world::{Faults, World};
