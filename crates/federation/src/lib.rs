//! The federation: the tree of nodes, what neighbours say to each other, and the deterministic core that ties identity,
//! statute and sharing together. Pure: a driver feeds [`core::Core`] inputs and carries out its effects.

pub mod core;
pub mod evidence;
pub mod health;
pub mod service;
pub mod store;
pub mod sync;
pub mod topology;
pub mod wire;
