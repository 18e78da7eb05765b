//! Scenarios of the law on running nodes, driven through their APIs and read from their stores: see [`guantong_tests::live`].

mod application;
mod clock;
mod erasure;
mod membership;
mod public;
mod reading;
mod reply_term;
mod restarts;
mod rows;
mod services;
