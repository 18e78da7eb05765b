//! Scenarios: one file per part of the law, on the federation of the demo, in one process.

mod aggregation;
mod bad_input;
mod both_clocks;
mod calendar;
mod catalogue;
mod complaint;
mod correction;
mod cut_off;
mod dispute;
mod erasure;
mod evaluation;
mod evidence;
mod grants;
mod incident;
mod membership;
mod mutated_frames;
mod need;
mod open_data;
mod people;
mod profile;
mod reading;
mod replies;
mod return_flow;
mod rows;
mod seeds;
mod services;
mod sharing_application;
mod source;
mod supervision;
mod switches;
mod time_limits;
mod to_the_minute;
mod update;
mod uses_at_rest;

use guantong_tests::stage;
