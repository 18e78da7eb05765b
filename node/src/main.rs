//! `guantong`: the node, the operators' commands and the person's side in one binary.

use std::process::ExitCode;

#[cfg(all(feature = "settable-clock", not(debug_assertions)))]
compile_error!(
    "a node in service has the system's clock: build it with `cargo build --release -p node`"
);

fn main() -> ExitCode {
    node::cli::main()
}
