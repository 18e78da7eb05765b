//! The program as a process: run, and what it printed.
#![allow(dead_code, missing_docs)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use identity::SigningKey;
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

/// A certificate's or a node's key, for folders that are made and never joined to anything.
pub fn public_key() -> String {
    SigningKey::from_seed([7; 32]).verify_key().to_string()
}

/// A node's folder, made by `guantong init`, that takes any free ports.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("node");
    let key = public_key();
    let made = english(&[
        "init",
        "--json",
        "--data",
        path(&data),
        "--code",
        "440106",
        "--name",
        "天河区",
        "--level",
        "county",
        "--authority-head",
        &key,
        "--root",
        &key,
        "--link-listen",
        "/ip4/127.0.0.1/tcp/0",
        "--http-listen",
        "127.0.0.1:0",
    ]);
    assert_eq!(result(&made)["code"], "440106");
    (parent, data)
}

/// A running node; ends with the test.
pub struct Running(Child);

impl Running {
    /// Starts the node of a folder and returns when it says where it answers.
    pub fn start(data: &Path) -> Self {
        let mut command = guantong("en_US.UTF-8");
        command.args(["run", "--data", path(data)]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Self(child);
        let mut said = BufReader::new(running.0.stderr.take().unwrap());
        let mut all = String::new();
        while !all.contains("console and API http://") {
            assert!(said.read_line(&mut all).unwrap() > 0, "it ended: {all}");
        }
        // Its log goes on; a pipe that nobody reads would stop it.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
