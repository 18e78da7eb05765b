//! A PostgreSQL table that is kept in step.

use std::fs;

use serde_json::json;

use crate::database::Database;
use crate::guantong;

struct Step {
    database: Database,
    folder: tempfile::TempDir,
}

impl Step {
    fn new() -> Self {
        Self {
            database: Database::start(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Delivers a CSV file to the table `copy`, whose key is `id`.
    fn deliver(&self, file: &str, more: &[&str]) -> (i32, serde_json::Value) {
        let path = self.folder.path().join("in.csv");
        fs::write(&path, file).unwrap();
        let (from, to) = (
            format!("csv:{}", path.display()),
            self.database.table("copy&key=id"),
        );
        let mut arguments = vec![
            "data",
            "copy",
            "--from",
            &from,
            "--select",
            "id:integer,name,at:moment",
            "--to",
            &to,
        ];
        arguments.extend(more);
        guantong(&arguments)
    }

    fn rows(&self) -> String {
        self.database
            .sql("SELECT string_agg(id || name, ' ' ORDER BY id) FROM copy")
    }
}

const FIRST: &str =
    "id,name,at\n1,a,2026-03-09T00:00:00Z\n2,b,2026-03-09T00:00:01Z\n3,c,2026-03-09T00:00:02Z\n";

#[test]
fn inserts_updates_and_deletions_are_taken_over_in_one_transaction() {
    let step = Step::new();
    let (exit, record) = step.deliver(FIRST, &["--delivery", "d1"]);
    assert_eq!(
        (exit, &record["outcome"]),
        (
            0,
            &json!({ "table": { "inserted": 3, "updated": 0, "deleted": 0 } })
        ),
        "{record}"
    );
    let second = "id,name,at\n2,b,2026-03-09T00:00:01Z\n3,C,2026-03-09T00:00:02Z\n4,\"d\t\\\n\",2026-03-09T00:00:03Z\n";
    let (_, record) = step.deliver(second, &["--delivery", "d2"]);
    assert_eq!(
        record["outcome"],
        json!({ "table": { "inserted": 1, "updated": 1, "deleted": 1 } }),
        "{record}"
    );
    assert_eq!(step.rows(), "2b 3C 4d\t\\");
    let (_, again) = step.deliver(second, &["--delivery", "d3"]);
    assert_eq!(
        again["outcome"],
        json!({ "table": { "inserted": 0, "updated": 0, "deleted": 0 } })
    );
    let records = "SELECT count(*), min((record::json -> 'outcome' -> 'table' ->> 'inserted')::int) FROM guantong_deliveries";
    assert_eq!(
        step.database.sql(records),
        "3|0",
        "each delivery is on record where it went"
    );
}

#[test]
fn a_delivery_is_taken_once_and_one_that_fails_changes_nothing() {
    let step = Step::new();
    assert_eq!(step.deliver(FIRST, &["--delivery", "d1"]).0, 0);
    assert_eq!(
        step.deliver("id,name,at\n9,z,\n", &["--delivery", "d1"]).0,
        2,
        "it is there already"
    );
    for wrong in [
        "id,name,at\n1,a,\n1,b,\n",
        "id,name,at\n,a,\n",
        "id,name,at\n1,a\n",
        "id,name,at\nx,a,\n",
    ] {
        let (exit, error) = step.deliver(wrong, &["--delivery", "d2"]);
        assert_ne!(exit, 0, "{wrong}: {error}");
    }
    assert_eq!(step.rows(), "1a 2b 3c");
    step.database
        .sql("ALTER TABLE copy ALTER name TYPE bigint USING id");
    let (exit, error) = step.deliver(FIRST, &["--delivery", "d2"]);
    assert!(
        exit == 2 && error["error"].as_str().unwrap().contains("name"),
        "{error}"
    );
    assert_eq!(
        step.database
            .sql("SELECT count(*) FROM guantong_deliveries"),
        "1"
    );
}

#[test]
fn a_watermark_goes_on_where_the_last_delivery_on_record_ended_and_deletes_nothing() {
    let step = Step::new();
    let record = step.folder.path().join("record").display().to_string();
    let marked = ["--since-column", "at", "--record", &record];
    let rows = |file: &str| {
        let (exit, told) = step.deliver(file, &marked);
        assert_eq!(exit, 0, "{told}");
        (
            told["read"].as_u64().unwrap(),
            told["rows"].as_u64().unwrap(),
        )
    };
    assert_eq!(rows(FIRST), (3, 3));
    // A failure in between does not move the mark.
    assert_ne!(
        step.deliver("id,name,at\n4,d,2026-03-10T00:00:00Z\n5,e,\n", &marked)
            .0,
        0
    );
    let second = "id,name,at\n3,c,2026-03-09T00:00:02Z\n4,d,2026-03-09T00:00:03Z\n";
    assert_eq!(rows(second), (2, 1));
    assert_eq!(rows(second), (2, 0), "nothing is newer");
    assert_eq!(step.rows(), "1a 2b 3c 4d");
}
