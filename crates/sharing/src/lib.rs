//! What may happen to shared government data, and when: catalogue, applications, return flow, disputes, and the
//! evidence of each. Pure: time and entropy are arguments, nothing here reads or writes outside its arguments.

pub mod act;
pub mod aggregation;
pub mod application;
#[cfg(test)]
mod cast;
pub mod catalogue;
pub mod clock;
pub mod complaint;
pub mod correction;
pub mod dispute;
pub mod docket;
pub mod erasure;
pub mod evaluation;
#[cfg(test)]
mod exploration;
pub mod incident;
pub mod ledger;
pub mod need;
pub mod node_act;
pub mod open_data;
pub mod person;
pub mod private;
pub mod public;
pub mod reading;
pub mod return_flow;
pub mod source;
pub mod supervision;
pub mod update;
