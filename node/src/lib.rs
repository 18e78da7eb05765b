//! The node: where the pure crates meet the world. Driver, store, transport, API, console, commands.

pub mod api;
pub mod bench;
pub mod cli;
pub mod config;
pub mod console;
pub mod data;
pub mod delivery;
pub mod demo;
pub mod language;
pub mod person;
pub mod platform;
pub mod public;
pub mod runtime;
pub mod search;
pub mod service;
pub mod storage;
pub mod transport;
