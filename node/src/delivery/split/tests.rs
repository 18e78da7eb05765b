use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use identity::at_rest::StorageKey;
use identity::{Moment, Path as Place};
use sharing::docket::DocketId;
use sharing::return_flow::{Difference, Leaves, SumNode, Table, build};

use super::*;
use crate::data::parquet::ParquetSink;
use crate::data::record::{Delivery, Origin};
use crate::data::source::{Order, open};
use crate::data::{Selection, Sink, SourceAddress};
use crate::storage::objects::tests::within;

/// Memory with which a table of some megabytes is several runs.
const LITTLE: usize = 1 << 20;

/// Codes of every kind.
const CODES: [&str; 12] = [
    "440106",
    "440106001",
    "440106001002",
    "110101",
    "659001",
    "460000",
    "441900003",
    "440100",
    "100000",
    "371200",
    "999999",
    "",
];

/// A table of so many rows in no order, the same every time.
fn table(rows: u64) -> String {
    let mut text = String::from("name,code,number\n");
    let mut state = 1u64;
    for row in 0..rows {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let code = CODES[(state >> 33) as usize % CODES.len()];
        text += &match row % 3 {
            0 => format!("\"天河, 第{}号\",{code},{state}\n", state >> 50),
            1 => format!("第{}号,\"{code}\",{row}\n", state >> 50),
            _ => format!("甲,{code},7\n"),
        };
    }
    text
}

fn draft(rows: u64, header: &str) -> Manifest {
    Manifest {
        source: Place::hub(),
        dataset: "townships".parse().unwrap(),
        delivery: 1,
        at: Moment::from_millis(0),
        query: "all".into(),
        division_column: "code".into(),
        header: header.into(),
        rows,
        assigned: vec![],
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 0,
            digest: Digest::object(b""),
        },
    }
}

struct Bench {
    folder: tempfile::TempDir,
    objects: Objects,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::open(
            &folder.path().join("objects"),
            StorageKey::from_bytes([1; 32]),
        )
        .unwrap();
        Self { folder, objects }
    }

    fn put(&self, bytes: &[u8]) -> ObjectRef {
        let stored = self.objects.put_reader(bytes, 1 << 30).unwrap();
        ObjectRef {
            digest: stored.digest,
            length: stored.length,
            name: "table".into(),
        }
    }

    fn read(&self, object: &ObjectRef) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = self.objects.get(&object.digest).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// The folders of splits.
    fn scratch(&self) -> usize {
        fs::read_dir(self.objects.runs()).map_or(0, Iterator::count)
    }
}

fn task(table: ObjectRef, rows: u64) -> SplitTask {
    let areas = [
        "100000",
        "440000",
        "440106",
        "440106001",
        "659001",
        "110000",
        "330000",
    ];
    let subscriber = |area: &str| SplitFor {
        docket: DocketId(Digest::object(area.as_bytes())),
        area: area.parse().unwrap(),
        base: None,
    };
    SplitTask {
        act: ActId(Digest::object(b"act")),
        manifest: draft(rows, ""),
        table,
        secret: [1; 32],
        key_column: None,
        subscribers: areas.map(subscriber).to_vec(),
    }
}

/// That a split is, to the byte, what is built of the table in memory.
fn holds(bench: &Bench, split: &SplitTable, table: &str, rows: u64) {
    let parsed = Table::parse(table.as_bytes(), "code").unwrap();
    let model = build(parsed, divisions().unwrap(), draft(rows, ""), &[1; 32]).unwrap();
    assert_eq!(&split.manifest, model.manifest());
    assert_eq!(split.parts.len(), 7);
    for part in &split.parts {
        let whole = model.part(&part.area).unwrap();
        assert!(bench.read(&part.part) == whole.bytes, "{}", part.area);
        let leaves = Leaves::of(&model, &part.area).unwrap().encode();
        assert!(bench.read(&part.leaves) == leaves, "{}", part.area);
        let found = (part.rows, &part.proof, part.salt);
        assert_eq!(found, (whole.rows, &whole.proof, whole.salt));
    }
}

#[test]
fn a_table_split_in_runs_is_what_is_split_in_memory_and_leaves_nothing() {
    let (bench, rows) = (Bench::new(), 90_000);
    let text = table(rows);
    assert!(text.len() > 2 * LITTLE);
    let split = split(
        &bench.objects,
        task(bench.put(text.as_bytes()), rows),
        LITTLE,
    )
    .unwrap();
    holds(&bench, &split, &text, rows);
    assert_eq!(bench.scratch(), 0);
}

#[test]
fn a_parquet_table_is_split_as_the_csv_that_is_extracted_from_it() {
    let (bench, rows) = (Bench::new(), 20_000);
    let place = |name: &str| bench.folder.path().join(name);
    fs::write(place("a.csv"), table(rows)).unwrap();
    let address = SourceAddress::Csv(place("a.csv"));
    let mut source = open(&address, &Selection::default(), &Order::default(), None).unwrap();
    let mut sink = Box::new(ParquetSink::new(&place("a.parquet"), None));
    sink.begin(source.schema()).unwrap();
    while let Some(batch) = source.next().unwrap() {
        sink.write(&batch).unwrap();
    }
    let origin = Origin {
        source: "csv".into(),
        query: None,
        snapshot: None,
        rows: None,
    };
    let mut delivery = Delivery {
        delivery: "one".parse().unwrap(),
        at: String::new(),
        origin,
        columns: vec![],
        masked: vec![],
        read: rows,
        rows,
        watermark: None,
        outcome: None,
    };
    sink.commit(&mut delivery).unwrap();
    let parquet = bench.put(&fs::read(place("a.parquet")).unwrap());
    let address = SourceAddress::Parquet(place("a.parquet"));
    let extracted = place("b.csv");
    crate::data::return_flow::extract(&address, "code", &extracted, Moment::from_millis(0))
        .unwrap();
    let split = split(&bench.objects, task(parquet, rows), LITTLE).unwrap();
    holds(
        &bench,
        &split,
        &fs::read_to_string(extracted).unwrap(),
        rows,
    );
}

/// Splits until the table has given so many runs, as if the node were killed then.
fn begin(bench: &Bench, task: &SplitTask, runs: usize) {
    let snapshot = snapshot(&task.table, &task.manifest);
    let dataset = &task.manifest.dataset;
    let (scratch, _) = Scratch::open(&bench.objects, dataset, &snapshot).unwrap();
    let table = OpenTable::open(&bench.objects, &task.table, "code").unwrap();
    let sorting = Sorting::new(divisions().unwrap(), &[]).unwrap();
    let folder = scratch.folder();
    let all = table.scatter(&scratch, vec![], LITTLE, &sorting).unwrap();
    assert!(all.len() > runs + 1, "{}", all.len());
    for number in runs + 1..all.len() {
        fs::remove_file(folder.join(format!("run-{number:05}"))).unwrap();
    }
    // The run that was being written.
    let next = folder.join(format!("run-{runs:05}"));
    let whole = fs::read(&next).unwrap();
    fs::write(&next, &whole[..whole.len() - 1]).unwrap();
    fs::write(folder.join("partial"), b"half").unwrap();
}

#[test]
fn nothing_of_a_table_lies_in_clear_while_it_is_split() {
    let (bench, rows) = (Bench::new(), 180_000);
    let task = task(bench.put(table(rows).as_bytes()), rows);
    let in_clear = || {
        ["天河, 第", "甲,440106", "440106001002"]
            .into_iter()
            .find(|it| within(bench.folder.path(), it.as_bytes()))
    };
    assert_eq!(in_clear(), None, "the table");
    begin(&bench, &task, 2);
    assert_eq!(in_clear(), None, "whole runs, and one that is not");
    let snapshot = snapshot(&task.table, &task.manifest);
    let opened = Scratch::open(&bench.objects, &task.manifest.dataset, &snapshot).unwrap();
    let (_scratch, Begun::Resumed(runs)) = opened else {
        panic!("not resumed")
    };
    let areas = ["440000", "440106"].map(|area| area.parse().unwrap());
    let areas = BTreeSet::from(areas);
    let divisions = divisions().unwrap();
    let ((), stored) = write_parts(
        &bench.objects,
        ("name,code,number", "{area}"),
        &areas,
        divisions,
        |parts| {
            merge(&bench.objects, runs, LITTLE, |key, row| {
                parts.row(key, row, &[0; LEAF_BYTES])
            })?;
            assert_eq!(in_clear(), None, "parts that are written");
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(in_clear(), None, "parts");
    for Stored { part, .. } in stored.values() {
        let clear = bench.read(part);
        let said = "甲,440106";
        assert!(String::from_utf8_lossy(&clear).contains(said), "{part:?}");
    }
}

#[test]
fn a_split_that_was_killed_goes_on_behind_the_last_whole_run() {
    let (bench, rows) = (Bench::new(), 90_000);
    let text = table(rows);
    let object = bench.put(text.as_bytes());
    begin(&bench, &task(object.clone(), rows), 1);
    let opened = |task: &SplitTask| {
        let snapshot = snapshot(&task.table, &task.manifest);
        Scratch::open(&bench.objects, &task.manifest.dataset, &snapshot).unwrap()
    };
    let task = task(object, rows);
    let (_, Begun::Resumed(found)) = opened(&task) else {
        panic!("not resumed")
    };
    assert_eq!(found.len(), 1);
    assert!(found[0].ends.rows > 0 && found[0].ends.rows < rows);
    // Only what the runs do not hold is read again: were their rows put twice, the count would not meet.
    let split = split(&bench.objects, task, LITTLE).unwrap();
    holds(&bench, &split, &text, rows);
    assert_eq!(bench.scratch(), 0);
}

#[test]
fn runs_of_another_snapshot_are_removed_and_the_split_starts_again() {
    let (bench, rows) = (Bench::new(), 90_000);
    let text = table(rows);
    begin(&bench, &task(bench.put(text.as_bytes()), rows), 1);
    let other = text.replacen("甲", "乙", 1);
    let task = task(bench.put(other.as_bytes()), rows);
    let snapshot = snapshot(&task.table, &task.manifest);
    let begun = Scratch::open(&bench.objects, &task.manifest.dataset, &snapshot).unwrap();
    assert_eq!(begun.1, Begun::Changed);
    assert_eq!(
        fs::read_dir(begun.0.folder()).unwrap().count(),
        1,
        "the name of the snapshot alone"
    );
    let split = split(&bench.objects, task, LITTLE).unwrap();
    holds(&bench, &split, &other, rows);
}

#[test]
fn what_a_kill_leaves_of_a_split_that_ended_goes_at_the_next_start() {
    let (bench, rows) = (Bench::new(), 90_000);
    let task = task(bench.put(table(rows).as_bytes()), rows);
    begin(&bench, &task, 1);
    Scratch::clear(&bench.objects.runs()).unwrap();
    assert_eq!(bench.scratch(), 1, "it can be gone on with");
    fs::remove_file(bench.objects.runs().join("townships/snapshot")).unwrap();
    Scratch::clear(&bench.objects.runs()).unwrap();
    assert_eq!(bench.scratch(), 0);
}

#[test]
fn a_table_that_cannot_be_split_is_refused_and_leaves_nothing() {
    let bench = Bench::new();
    let miscounted = task(bench.put(b"code,name\n440106,a\n"), 2);
    let refused = split(&bench.objects, miscounted, LITTLE).unwrap_err();
    assert!(matches!(
        refused,
        SplitError::Build(BuildError::CountMismatch {
            stated: 2,
            found: 1
        })
    ));
    let uneven = task(bench.put(b"code,name\n440106\n"), 1);
    let refused = split(&bench.objects, uneven, LITTLE).unwrap_err();
    assert!(
        matches!(
            refused,
            SplitError::Table(TableError::Uneven { row: 1, .. })
        ),
        "{refused}"
    );
    assert_eq!(bench.scratch(), 0);
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let below = fs::read_dir(folder).unwrap().flatten().flat_map(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => files(&path),
            false => BTreeSet::from([path]),
        }
    });
    below.collect()
}

#[test]
fn the_parts_of_a_delivery_have_their_names_together_or_not_at_all() {
    let (bench, rows) = (Bench::new(), 20_000);
    let table = bench.put(table(rows).as_bytes());
    let before = files(bench.folder.path());
    // That the source counted other rows shows after the last row, when most parts are whole.
    let refused = split(&bench.objects, task(table.clone(), rows + 1), LITTLE).unwrap_err();
    assert!(matches!(refused, SplitError::Build(_)), "{refused}");
    assert_eq!(files(bench.folder.path()), before);
    split(&bench.objects, task(table, rows), LITTLE).unwrap();
    assert!(files(bench.folder.path()).len() > before.len() + 7);
}

#[test]
fn the_nations_divisions_are_read() {
    let divisions = divisions().unwrap();
    assert_eq!(divisions.top(), "100000");
    assert!(divisions.contains("440106"));
    assert_eq!(
        divisions.parent_of("469005").as_deref(),
        Some("460000"),
        "文昌市 stands directly under its province"
    );
}

#[test]
fn what_leads_from_an_earlier_part_is_stored_and_leads_to_the_part() {
    let (bench, rows) = (Bench::new(), 20_000);
    let first = split(
        &bench.objects,
        task(bench.put(table(rows).as_bytes()), rows),
        LITTLE,
    );
    let first = first.unwrap();
    let mut lines: Vec<String> = table(rows).lines().map(str::to_owned).collect();
    for line in lines.iter_mut().skip(1).step_by(100) {
        *line = line.replace("号", "号楼");
    }
    lines.truncate(rows as usize - 9);
    let text = lines.join("\n");
    let rows = lines.len() as u64 - 1;
    let mut next = task(bench.put(text.as_bytes()), rows);
    for (subscriber, part) in next.subscribers.iter_mut().zip(&first.parts) {
        subscriber.base = Some(part.part.clone());
    }
    next.key_column = Some("number".into());
    let next = split(&bench.objects, next, LITTLE).unwrap();
    holds(&bench, &next, &text, rows);
    // The recipient has the earlier parts and fetches what leads to these.
    let recipient = Bench::new();
    for (part, earlier) in next.parts.iter().zip(&first.parts) {
        let Some(difference) = &part.difference else {
            assert_eq!(part.rows, 0, "{}", part.area);
            continue;
        };
        assert!(
            difference.delta.length * 10 < part.part.length,
            "{}",
            part.area
        );
        assert_eq!(difference.base, earlier.part.digest);
        recipient.put(&bench.read(&earlier.part));
        recipient.put(&bench.read(&difference.delta));
        let led = difference::apply(&recipient.objects, difference, &part.part);
        assert!(led.unwrap(), "{}", part.area);
        assert!(recipient.read(&part.part) == bench.read(&part.part));
    }
    let one = next.parts[0].difference.clone().unwrap();
    let cut = recipient.put(&bench.read(&one.delta)[..one.delta.length as usize - 1]);
    let cut = Difference { delta: cut, ..one };
    let broken = difference::apply(&recipient.objects, &cut, &next.parts[0].part);
    assert!(matches!(
        broken,
        Err(SplitError::Delta(DeltaError::BrokenOff))
    ));
}
