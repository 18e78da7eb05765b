//! Scenarios: one file per part of the law, on the federation of the demo, in one process.

mod bad_input;
mod calendar;
mod catalogue;
mod correction;
mod dispute;
mod evidence;
mod grants;
mod membership;
mod mutated_frames;
mod people;
mod return_flow;
mod sharing_application;
mod source;
mod supervision;
mod switches;
mod time_limits;
mod update;

use guantong_tests::stage;
