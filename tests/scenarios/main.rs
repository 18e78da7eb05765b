//! Scenarios: one file per part of the law, on the federation of the demo, in one process.

mod bad_input;
mod catalogue;
mod dispute;
mod grants;
mod membership;
mod mutated_frames;
mod return_flow;
mod sharing_application;

use guantong_tests::stage;
