//! PostgreSQL as a source.

use std::fs;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use identity::Moment;
use node::data::copy::Plan;
use node::data::folder::Layout;
use node::data::record::Origin;
use node::data::sink::{self, Manner};
use node::data::source::{Order, open};
use node::data::{
    DataError, DeliveryId, Selection, Source, SourceAddress, TargetAddress, copy, return_flow,
};
use sharing::masking::Masking;

use crate::database::Database;
use crate::{below, guantong};

fn source(address: &str) -> Box<dyn Source> {
    let address: SourceAddress = address.parse().unwrap();
    open(&address, &Selection::default(), &Order::default(), None).unwrap()
}

#[test]
fn every_type_is_read_with_the_snapshot_the_query_and_the_sources_own_count() {
    let database = Database::start();
    database.sql(
        "SET TimeZone = 'Asia/Shanghai'; CREATE TABLE person (code varchar(12), n integer, ratio double precision, good boolean, \
         born date, at timestamptz, noon timestamp, photo bytea, amount numeric(20, 4), \"odd name\" text); \
         INSERT INTO person VALUES ('440106', -1, 0.1, true, '1949-10-01', '2026-03-09 20:00:00+08', '2026-03-09 12:00:00', \
         '\\x00ff', 12345678901234.5678, E'a\\tb\\n\\\\N天河'), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out.csv");
    let target = format!("csv:{}", file.display());
    let (exit, record) = guantong(&[
        "data",
        "copy",
        "--from",
        &database.table("person"),
        "--to",
        &target,
    ]);
    assert_eq!(exit, 0, "{record}");
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "code,n,ratio,good,born,at,noon,photo,amount,odd name\n\
         440106,-1,0.1,true,1949-10-01,2026-03-09T12:00:00Z,2026-03-09T12:00:00,\\x00ff,12345678901234.5678,\"a\tb\n\\N天河\"\n\
         ,,,,,,,,,\n"
    );
    assert_eq!(
        (&record["read"], &record["origin"]["rows"]),
        (&2.into(), &2.into())
    );
    let query = record["origin"]["query"].as_str().unwrap();
    assert!(
        query.starts_with("SELECT \"code\", \"n\"") && query.ends_with("FROM \"person\""),
        "{query}"
    );
    assert!(
        record["origin"]["snapshot"]
            .as_str()
            .is_some_and(|text| text.contains(':'))
    );
}

#[test]
fn a_table_that_changes_while_it_is_read_gives_the_snapshot_it_had() {
    let database = Database::start();
    database.sql("CREATE TABLE t AS SELECT n, 'a' AS was FROM generate_series(1, 30000) n");
    let mut source = source(&database.table("t"));
    let mut rows = source.next().unwrap().unwrap().num_rows();
    assert!(rows < 30_000, "the rest is still to come");
    database.sql("DELETE FROM t WHERE n % 2 = 0; UPDATE t SET was = 'b'; INSERT INTO t SELECT 0, 'c' FROM generate_series(1, 9)");
    while let Some(batch) = source.next().unwrap() {
        rows += batch.num_rows();
        let columns = node::data::columns::Column::all(&batch).unwrap();
        assert!((0..batch.num_rows()).all(|row| columns[1].text(row).as_deref() == Some("a")));
    }
    assert_eq!((rows, source.origin().rows), (30_000, Some(30_000)));
}

/// A source whose server is ended after the first batch.
struct Vanishing {
    source: Box<dyn Source>,
    database: Database,
    read: usize,
}

impl Source for Vanishing {
    fn origin(&self) -> &Origin {
        self.source.origin()
    }

    fn schema(&self) -> &SchemaRef {
        self.source.schema()
    }

    fn next(&mut self) -> Result<Option<RecordBatch>, DataError> {
        if self.read == 1 {
            self.database.stop();
        }
        self.read += 1;
        self.source.next()
    }
}

#[test]
fn a_source_that_vanishes_in_the_middle_leaves_nothing_to_be_seen() {
    let database = Database::start();
    // Far more than what the sockets between them hold.
    database.sql("CREATE TABLE t AS SELECT '440106' AS code, repeat('x', 1000) AS filler FROM generate_series(1, 60000)");
    let folder = tempfile::tempdir().unwrap();
    let target: TargetAddress = format!("folder:{}", folder.path().join("lake").display())
        .parse()
        .unwrap();
    let delivery: DeliveryId = "d1".parse().unwrap();
    let layout = Layout {
        division: "code".into(),
        date_column: None,
        day: "2026-03-09".parse().unwrap(),
    };
    let manner = Manner {
        delivery: delivery.clone(),
        layout: Some(layout),
        key: None,
        whole: true,
    };
    let sink = sink::open(&target, manner).unwrap();
    let source = Vanishing {
        source: source(&database.table("t")),
        database,
        read: 0,
    };
    let plan = Plan {
        delivery,
        at: Moment::from_millis(0),
        masking: Masking::default(),
        since: None,
        rests_encrypted: false,
    };
    let error = copy(Box::new(source), sink, plan).unwrap_err();
    assert!(matches!(error, DataError::Lost { .. }), "{error}");
    assert!(
        below(folder.path()).is_empty(),
        "{:?}",
        below(folder.path())
    );
}

#[test]
fn a_column_that_is_gone_or_of_another_type_and_a_server_that_is_not_there_are_told() {
    let database = Database::start();
    database.sql("CREATE TABLE t (code text, n integer)");
    let table = database.table("t");
    let folder = tempfile::tempdir().unwrap();
    let (target, record) = (folder.path().join("out.csv"), folder.path().join("record"));
    let target = format!("csv:{}", target.display());
    let copy = |select: &str| {
        let record = record.display().to_string();
        guantong(&[
            "data", "copy", "--from", &table, "--select", select, "--to", &target, "--record",
            &record,
        ])
    };
    assert_eq!(copy("code,n:integer").0, 0);
    database.sql("ALTER TABLE t ALTER n TYPE text");
    let (exit, error) = copy("code,n:integer");
    assert!(
        exit == 2 && error["error"].as_str().unwrap().contains('n'),
        "{error}"
    );
    database.sql("ALTER TABLE t DROP n");
    assert_eq!(copy("code,n:integer").0, 2);
    database.stop();
    assert_eq!(copy("code").0, 5);
    let lines = fs::read_to_string(&record).unwrap();
    let kinds: Vec<_> = lines
        .lines()
        .map(|line| line.contains("\"failed\""))
        .collect();
    assert_eq!(
        kinds,
        [false, true, true, true],
        "each attempt is on record"
    );
    assert_eq!(
        below(folder.path()),
        ["out.csv", "record"],
        "what was delivered before stays"
    );
}

#[test]
fn a_row_of_ten_megabytes_goes_through_and_one_above_the_bound_is_refused() {
    let database = Database::start();
    database.sql("CREATE TABLE t AS SELECT repeat('x', 10 * 1024 * 1024) AS scan");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let parquet = format!("parquet:{}", path("t.parquet"));
    let csv = format!("csv:{}", path("t.csv"));
    assert_eq!(
        guantong(&[
            "data",
            "copy",
            "--from",
            &database.table("t"),
            "--to",
            &parquet
        ])
        .0,
        0
    );
    assert_eq!(
        guantong(&["data", "copy", "--from", &parquet, "--to", &csv]).0,
        0
    );
    assert_eq!(fs::metadata(path("t.csv")).unwrap().len(), (10 << 20) + 6);
    database.sql("INSERT INTO t SELECT repeat('x', 17 * 1024 * 1024)");
    let (exit, error) = guantong(&[
        "data",
        "copy",
        "--from",
        &database.table("t"),
        "--to",
        &parquet,
    ]);
    assert!(
        exit == 2 && error["error"].as_str().unwrap().contains('2'),
        "{error}"
    );
}

#[test]
fn a_table_goes_into_return_flow_row_for_row_with_its_snapshot_as_the_query() {
    let database = Database::start();
    database.sql("CREATE TABLE t AS SELECT '440106' AS code, n FROM generate_series(1, 9000) n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.csv");
    let address: SourceAddress = database.table("t").parse().unwrap();
    let extract = return_flow::extract(&address, "code", &file, Moment::from_millis(0)).unwrap();
    assert_eq!((extract.rows, extract.origin.rows), (9_000, Some(9_000)));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 9_001);
}
