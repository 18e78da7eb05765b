//! Scenarios of the law on running nodes, driven through their APIs, read from their stores.

mod application;
