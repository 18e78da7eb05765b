//! The program as a process: run, and what it printed.
#![allow(dead_code, missing_docs)]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with nothing of this process's environment that could answer for it.
pub fn guantong(lang: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guantong"));
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("GUANTONG")) {
        command.env_remove(name);
    }
    command.env_remove("LC_ALL").env_remove("LC_MESSAGES");
    command.env("LANG", lang).stdin(Stdio::null());
    command
}

pub fn english(args: &[&str]) -> Output {
    guantong("en_US.UTF-8").args(args).output().unwrap()
}

/// What it printed as its result, which is one JSON value.
pub fn result(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What it printed as its error, which is one JSON value and nothing else, on standard error.
pub fn error(output: &Output) -> Value {
    assert!(output.stdout.is_empty(), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(
        error["exit"].as_i64(),
        output.status.code().map(i64::from),
        "{error}"
    );
    error
}

pub fn says(error: &Value, part: &str) -> bool {
    error["error"].as_str().unwrap().contains(part)
}

pub fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
