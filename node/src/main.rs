//! `guantong`: the node, the operators' commands and the person's side in one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    node::cli::main()
}
