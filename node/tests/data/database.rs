//! A PostgreSQL server that lives as long as a test.

use std::path::PathBuf;
use std::process::Command;

/// A server with an empty database.
pub struct Database {
    folder: tempfile::TempDir,
    address: String,
}

fn script(command: &str, folder: &PathBuf) -> std::process::Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/postgres");
    Command::new(script)
        .arg(command)
        .arg(folder)
        .output()
        .unwrap()
}

impl Database {
    /// Starts one.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let started = script("start", &folder.path().join("server"));
        let told = String::from_utf8_lossy(&started.stderr);
        assert!(started.status.success(), "{told}");
        let address = String::from_utf8(started.stdout).unwrap().trim().to_owned();
        Self { folder, address }
    }

    /// Ends it at once.
    pub fn stop(&self) {
        script("stop", &self.folder.path().join("server"));
    }

    /// The address of a table.
    pub fn table(&self, name: &str) -> String {
        format!("{}&table={name}", self.address)
    }

    /// Runs SQL and gives what it answers, unaligned.
    pub fn sql(&self, text: &str) -> String {
        let ran = Command::new("psql")
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
            ])
            .args(["--command", text, &self.address])
            .output()
            .unwrap();
        assert!(
            ran.status.success(),
            "{text}: {}",
            String::from_utf8_lossy(&ran.stderr)
        );
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.stop();
    }
}
