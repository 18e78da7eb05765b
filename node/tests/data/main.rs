//! The data plane against Debian's PostgreSQL and real files: what is delivered is whole, and what fails leaves nothing to be seen.

mod database;
mod folder;
mod postgres;
mod table;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program and gives its exit code and the JSON of its result or error.
fn guantong(arguments: &[&str]) -> (i32, Value) {
    told(
        Command::new(env!("CARGO_BIN_EXE_guantong"))
            .arg("--json")
            .args(arguments)
            .output()
            .unwrap(),
    )
}

fn told(output: Output) -> (i32, Value) {
    let text = if output.status.success() {
        &output.stdout
    } else {
        &output.stderr
    };
    let value = serde_json::from_slice(text)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
    (output.status.code().unwrap(), value)
}

/// The names of everything below a folder, sorted.
fn below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                found.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}
