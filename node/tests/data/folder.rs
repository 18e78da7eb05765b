//! The folder that another system reads.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::{below, guantong, told};

struct Lake {
    folder: tempfile::TempDir,
}

const ROWS: &str = "division,name,tel\n440106,李四,13812345678\n440106001,王五,13800000000\n440104,赵六,1\n,无,2\n44010,短,3\n999999,外,4\n";

impl Lake {
    fn new(rows: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("in.csv"), rows).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let from = format!("csv:{}", self.path("in.csv").display());
        let to = format!("folder:{}", self.path("lake").display());
        let arguments = [
            "data",
            "copy",
            "--from",
            &from,
            "--to",
            &to,
            "--division",
            "division",
            "--date",
            "2026-03-09",
        ];
        arguments
            .iter()
            .chain(more)
            .map(|text| (*text).to_owned())
            .collect()
    }

    fn deliver(&self, more: &[&str]) -> (i32, serde_json::Value) {
        let arguments = self.arguments(more);
        guantong(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

#[test]
fn rows_lie_by_division_and_date_and_those_without_a_valid_division_apart() {
    let lake = Lake::new(ROWS);
    let (exit, record) = lake.deliver(&["--delivery", "d1"]);
    assert_eq!(exit, 0, "{record}");
    assert_eq!(
        below(&lake.path("lake")),
        [
            "delivery=d1/_manifest.json",
            "delivery=d1/division=440104/date=2026-03-09/part-0.parquet",
            "delivery=d1/division=440106/date=2026-03-09/part-0.parquet",
            "delivery=d1/division=__HIVE_DEFAULT_PARTITION__/date=2026-03-09/part-0.parquet",
        ]
    );
    let files = &record["outcome"]["files"];
    assert_eq!(
        (&files["unplaced"], &files["files"][1]["rows"]),
        (&3.into(), &2.into()),
        "{record}"
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(lake.path("lake/delivery=d1/_manifest.json")).unwrap())
            .unwrap();
    assert_eq!(manifest["outcome"], record["outcome"]);
    let part = lake.path("lake/delivery=d1/division=440106/date=2026-03-09/part-0.parquet");
    let digest = identity::Digest::object(&fs::read(&part).unwrap()).to_string();
    assert_eq!(files["files"][1]["digest"], digest);
    let read = guantong(&[
        "data",
        "read",
        "--from",
        &format!("parquet:{}", part.display()),
    ])
    .1;
    assert_eq!(
        (&read["rows"], &read["columns"][0]["name"]),
        (&2.into(), &"source_division".into())
    );
}

#[test]
fn a_delivery_is_taken_once_and_its_repetition_changes_nothing() {
    let lake = Lake::new(ROWS);
    assert_eq!(lake.deliver(&["--delivery", "d1"]).0, 0);
    let before = below(&lake.path("lake"));
    assert_eq!(lake.deliver(&["--delivery", "d1"]).0, 2);
    assert_eq!(below(&lake.path("lake")), before);
    assert_eq!(lake.deliver(&["--delivery", "d2"]).0, 0);
    assert_eq!(below(&lake.path("lake")).len(), 2 * before.len());
}

#[test]
fn a_disk_that_is_full_leaves_nothing_and_the_same_command_goes_through_when_there_is_room() {
    let mut rows = String::from("division,filler\n");
    for row in 0..3_000 {
        // Digests do not compress.
        let filler = identity::Digest::object(format!("{row}").as_bytes())
            .to_string()
            .repeat(2);
        rows += &format!("440106,{filler}\n");
    }
    let lake = Lake::new(&rows);
    let record = lake.path("record").display().to_string();
    // No file may grow beyond 64 blocks of 1 KiB: the system refuses the next byte as it does on a full disk.
    let limited = Command::new("bash")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 64; exec \"$@\"",
            "-",
            env!("CARGO_BIN_EXE_guantong"),
            "--json",
        ])
        .args(lake.arguments(&["--delivery", "d1", "--record", &record]))
        .output()
        .unwrap();
    let (exit, error) = told(limited);
    assert!(
        exit == 1 && error["error"].as_str().unwrap().contains("large"),
        "{error}"
    );
    assert_eq!(
        below(lake.folder.path()),
        ["in.csv", "record"],
        "nothing half-visible, and the failure on record"
    );
    let (exit, error) = lake.deliver(&["--delivery", "d1", "--record", &record]);
    assert_eq!(exit, 0, "{error}");
    assert_eq!(fs::read_to_string(&record).unwrap().lines().count(), 2);
}

#[test]
fn what_is_personal_or_important_is_masked_and_rests_encrypted_or_is_not_delivered() {
    let lake = Lake::new(ROWS);
    assert_eq!(lake.deliver(&["--mask", "tel=phone"]).0, 2, "no key");
    assert_eq!(lake.deliver(&["--grade", "name=important"]).0, 2, "no key");
    assert_eq!(
        lake.deliver(&["--mask", "phone=phone", "--stored-encrypted"])
            .0,
        2,
        "a misspelt column lets nothing through"
    );
    assert!(below(&lake.path("lake")).is_empty());
    let key = lake.path("key");
    fs::write(&key, "0f".repeat(32) + "\n").unwrap();
    let key = key.display().to_string();
    let graded = [
        "--mask",
        "tel=phone",
        "--grade",
        "name=core",
        "--key-file",
        &key,
        "--delivery",
        "d1",
    ];
    let (exit, record) = lake.deliver(&graded);
    assert!(
        exit == 0 && record["outcome"]["files"]["encrypted"] == true,
        "{record}"
    );
    let part = lake.path("lake/delivery=d1/division=440106/date=2026-03-09/part-0.parquet");
    let bytes = fs::read(&part).unwrap();
    assert!(bytes.starts_with(b"PARE") && !bytes.windows(4).any(|four| four == b"5678"));
    let opened = format!("parquet:{}", part.display());
    assert_ne!(
        guantong(&["data", "read", "--from", &opened]).0,
        0,
        "not without its key"
    );
    assert_eq!(
        guantong(&["data", "read", "--from", &opened, "--from-key-file", &key]).1["rows"],
        2
    );
    let (from, to) = (
        format!("csv:{}", lake.path("in.csv").display()),
        lake.path("out.csv"),
    );
    let csv = format!("csv:{}", to.display());
    let graded = [
        "--mask",
        "tel=phone",
        "--grade",
        "name=core",
        "--stored-encrypted",
    ];
    let mut arguments = vec!["data", "copy", "--from", &from, "--to", &csv];
    arguments.extend(graded);
    assert_eq!(guantong(&arguments).0, 0);
    let shown = fs::read_to_string(&to).unwrap();
    assert!(
        shown.contains("440106,,138****5678\n") && !shown.contains("李四"),
        "{shown}"
    );
}
