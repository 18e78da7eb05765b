//! Splitting a national table by division (R24): rows a second and bytes a second, beside what the same machine copies and hashes in the same
//! minutes, and the memory it takes.
//!
//!     cargo bench -p guantong-tests --bench split -- [ROWS [MEMORY_MIB [FOLDER [all|lowest|none]]]]
//!
//! The last says for which divisions parts are written: all below the nation, those without divisions below, none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use identity::at_rest::{CHUNK_BYTES, ObjectKey, StorageKey};
use identity::{Digest, Moment, Path as Place};
use node::data::columns::{BatchBuilder, Kind, schema};
use node::data::parquet::{ParquetSink, ParquetSource};
use node::data::record::{Delivery, Origin};
use node::data::{DataError, Sink, Source, rows};
use node::delivery::split::merge::merge;
use node::delivery::split::runs::Run;
use node::delivery::split::scratch::Scratch;
use node::delivery::split::table::OpenTable;
use node::delivery::split::{SplitError, assemble};
use node::storage::objects::Objects;
use sharing::act::ObjectRef;
use sharing::return_flow::{Area, Assembly, Divisions, Manifest, Sorting, SumNode};

/// The nation's divisions.
const DIVISIONS: &str = include_str!("../../topology/data/divisions.csv");
/// Rows when nothing is said.
const ROWS: u64 = 10_000_000;
/// MiB of memory for rows when nothing is said: what a node gives.
const MEMORY: u64 = node::delivery::SPLIT_MEMORY_BYTES >> 20;
/// Bytes that are copied and hashed at a time: more than the caches hold.
const BUFFER: usize = 64 << 20;
/// How often.
const TIMES: usize = 16;

fn main() {
    let said: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| it != "--bench")
        .collect();
    let number = |at: usize| {
        said.get(at)
            .map(|text| text.parse::<u64>().expect("a number"))
    };
    let count = number(0).unwrap_or(ROWS);
    let memory = (number(1).unwrap_or(MEMORY) as usize) << 20;
    let parent = said.get(2).map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(parent).expect("a folder");
    let tree = Divisions::from_csv(DIVISIONS.as_bytes()).expect("the divisions");
    let file = folder.path().join("table.parquet");
    let counties = codes(&tree);
    generate(&file, count, &counties);
    let objects = Objects::open(
        &folder.path().join("objects"),
        StorageKey::from_bytes([7; 32]),
    )
    .expect("a store");
    let stored = objects
        .put_reader(File::open(&file).unwrap(), u64::MAX)
        .expect("stored");
    fs::remove_file(&file).unwrap();
    let table = ObjectRef {
        digest: stored.digest,
        length: stored.length,
        name: "table.parquet".into(),
    };
    println!(
        "{count} rows, {} divisions, Parquet {} MB, {} MiB for rows",
        counties.len(),
        table.length / 1_000_000,
        memory >> 20
    );
    copying();
    hashing(&objects, &table);
    let bytes = decoding(&objects, &table);
    sealing();
    let areas = match said.get(3).map(String::as_str) {
        Some("none") => BTreeSet::new(),
        Some("lowest") => counties.iter().filter_map(|it| it.parse().ok()).collect(),
        Some("all") | None => areas(),
        Some(other) => panic!("all, lowest or none, not {other}"),
    };
    splitting(&objects, &table, (count, bytes), memory, (&tree, areas));
}

/// One line of the report.
fn tell(what: &str, seconds: f64, rows: Option<u64>, bytes: u64) {
    let rate = bytes as f64 / seconds / 1e9;
    let rows = rows.map_or_else(String::new, |rows| {
        format!("{:>7.2} M rows/s", rows as f64 / seconds / 1e6)
    });
    println!("{what:<58} {seconds:>7.2} s {rate:>7.2} GB/s {rows}");
}

fn peak(what: &str) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap_or("VmHWM: unknown");
    println!("{what:<58} {line}");
    // The peak of what follows is its own.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// Counties and what stands for them: the divisions without divisions below.
fn codes(tree: &Divisions) -> Vec<String> {
    let all: Vec<&str> = DIVISIONS
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next())
        .collect();
    let parents: BTreeSet<String> = all.iter().filter_map(|code| tree.parent_of(code)).collect();
    all.into_iter()
        .filter(|code| !parents.contains(*code))
        .map(str::to_owned)
        .collect()
}

/// A register of people as one looks: code of the village, number, name, address, day, amount.
fn generate(file: &Path, count: u64, counties: &[String]) {
    let columns = [
        ("code", Kind::Text),
        ("number", Kind::Text),
        ("name", Kind::Text),
        ("address", Kind::Text),
        ("since", Kind::Date),
        ("amount", Kind::Integer),
    ];
    let schema = schema(columns.map(|(name, kind)| (name.to_owned(), kind)));
    let mut sink = Box::new(ParquetSink::new(file, None));
    sink.begin(&schema).expect("begun");
    let mut builder = BatchBuilder::new(schema).expect("a builder");
    let mut state = 1u64;
    for row in 0..count {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = state >> 20;
        let county = &counties[random as usize % counties.len()];
        let code = match random % 50 {
            0 => String::from("999999"),
            _ => format!(
                "{county}{:03}{:03}",
                1 + random / 7 % 12,
                1 + random / 91 % 15
            ),
        };
        let number = format!("{county}{:012}", state % 1_000_000_000_000);
        let name = ["王伟", "李秀英", "张敏", "欧阳建国"][(random / 3 % 4) as usize];
        let address = format!(
            "人民路{}号{}单元{}室",
            random % 2_000,
            random % 9,
            row % 3_000
        );
        let since = format!(
            "20{:02}-{:02}-{:02}",
            random % 26,
            1 + random / 5 % 12,
            1 + random / 11 % 28
        );
        let amount = (random % 1_000_000).to_string();
        builder
            .push([code.as_str(), &number, name, &address, &since, &amount].map(Some))
            .expect("a row");
        if builder.is_full() {
            sink.write(&builder.take().unwrap().unwrap())
                .expect("written");
        }
    }
    if let Some(rest) = builder.take().unwrap() {
        sink.write(&rest).expect("written");
    }
    let mut delivery = Delivery {
        delivery: "bench".parse().unwrap(),
        at: String::new(),
        origin: Origin {
            source: String::new(),
            query: None,
            snapshot: None,
            rows: None,
        },
        columns: vec![],
        masked: vec![],
        read: count,
        rows: count,
        watermark: None,
        outcome: None,
    };
    sink.commit(&mut delivery).expect("committed");
}

fn copying() {
    let (from, mut to) = (vec![1u8; BUFFER], vec![0u8; BUFFER]);
    let begun = Instant::now();
    for _ in 0..TIMES {
        to.copy_from_slice(std::hint::black_box(&from));
        std::hint::black_box(&mut to);
    }
    tell(
        "memcpy, one thread",
        begun.elapsed().as_secs_f64(),
        None,
        (BUFFER * TIMES) as u64,
    );
}

fn hashing(objects: &Objects, table: &ObjectRef) {
    let begun = Instant::now();
    let mut file = objects.get(&table.digest).unwrap();
    let (mut buffer, mut hasher) = (vec![0; 1 << 20], blake3::Hasher::new());
    loop {
        match file.read(&mut buffer).unwrap() {
            0 => break,
            read => hasher.update(&buffer[..read]),
        };
    }
    std::hint::black_box(hasher.finalize());
    tell(
        "read and blake3 of the file, one thread",
        begun.elapsed().as_secs_f64(),
        None,
        table.length,
    );
}

fn sealing() {
    let (key, chunk) = (ObjectKey::from_bytes([7; 32]), vec![7u8; CHUNK_BYTES]);
    let begun = Instant::now();
    for number in 0..(BUFFER * TIMES / CHUNK_BYTES) as u64 {
        let mut sealed = chunk.clone();
        key.seal_chunk(number, false, &mut sealed, 0)
            .expect("sealed");
        std::hint::black_box(sealed);
    }
    tell(
        "sealing of memory, one thread",
        begun.elapsed().as_secs_f64(),
        None,
        (BUFFER * TIMES) as u64,
    );
}

/// Times decoding, with and without lines; gives the bytes of all lines, and leaves them in a file to be read and hashed as they are.
fn decoding(objects: &Objects, table: &ObjectRef) -> u64 {
    let open = || {
        let object = objects.get(&table.digest).expect("stored");
        ParquetSource::object(object, &table.name).expect("opened")
    };
    let (begun, mut source, mut memory) = (Instant::now(), open(), 0u64);
    while let Some(batch) = source.next().expect("a batch") {
        memory += batch.get_array_memory_size() as u64;
    }
    tell(
        "Parquet decoded, bytes in Arrow",
        begun.elapsed().as_secs_f64(),
        None,
        memory,
    );
    let (begun, mut source, mut bytes, mut count) = (Instant::now(), open(), 0u64, 0u64);
    while let Some(batch) = source.next().expect("a batch") {
        rows::each::<DataError>(&batch, 0, |_, row| {
            (bytes, count) = (bytes + row.len() as u64, count + 1);
            Ok(())
        })
        .expect("lines");
    }
    tell(
        "Parquet decoded to lines, bytes of lines",
        begun.elapsed().as_secs_f64(),
        Some(count),
        bytes,
    );
    let (from, mut hasher) = (vec![7u8; BUFFER], blake3::Hasher::new());
    let begun = Instant::now();
    for _ in 0..TIMES {
        hasher.update(&from);
    }
    std::hint::black_box(hasher.finalize());
    tell(
        "blake3 of memory, one thread",
        begun.elapsed().as_secs_f64(),
        None,
        (BUFFER * TIMES) as u64,
    );
    bytes
}

fn splitting(
    objects: &Objects,
    table: &ObjectRef,
    (count, bytes): (u64, u64),
    memory: usize,
    (tree, areas): (&Divisions, BTreeSet<Area>),
) {
    let sorting = Sorting::new(tree, &[]).unwrap();
    let dataset = "people".parse().unwrap();
    let (scratch, _) = Scratch::open(objects, &dataset, &table.digest).expect("a folder");
    peak("peak before");
    let begun = Instant::now();
    let opened = OpenTable::open(objects, table, "code").expect("opened");
    let header = opened.header.clone();
    let runs = opened
        .scatter(&scratch, vec![], memory, &sorting)
        .expect("split");
    let split = begun.elapsed().as_secs_f64();
    tell(
        &format!("split: decoded, sorted, {} runs on the disk", runs.len()),
        split,
        Some(count),
        bytes,
    );
    peak("peak of it");
    let (begun, mut seen) = (Instant::now(), 0u64);
    merge(objects, runs.clone(), memory, |_, row| {
        seen += row.len() as u64;
        Ok(())
    })
    .expect("merged");
    assert_eq!(seen, bytes);
    tell(
        "runs merged in tree order",
        begun.elapsed().as_secs_f64(),
        Some(count),
        bytes,
    );
    peak("peak of it");
    let draft = draft(count, &header);
    let parts = format!("merged, digested, {} parts and their leaves", areas.len());
    let mut steps = vec![("merged and digested, no parts", BTreeSet::new())];
    if !areas.is_empty() {
        steps.push((parts.as_str(), areas));
    }
    for (what, areas) in steps {
        let begun = Instant::now();
        let root =
            delivered(objects, runs.clone(), memory, (&draft, tree), &areas).expect("assembled");
        let seconds = begun.elapsed().as_secs_f64();
        tell(what, seconds, Some(count), bytes);
        tell(
            "  with the split before it",
            seconds + split,
            Some(count),
            bytes,
        );
        peak("peak of it");
        println!("{} rows under {}", root.rows, root.digest.short());
    }
}

fn delivered(
    objects: &Objects,
    runs: Vec<Run>,
    memory: usize,
    (draft, tree): (&Manifest, &Divisions),
    areas: &BTreeSet<Area>,
) -> Result<SumNode, SplitError> {
    let assembly = Assembly::new(draft.clone(), tree, &[1; 32], areas)?;
    let (committed, parts) = assemble(objects, runs, memory, assembly, areas)?;
    assert_eq!(parts.len(), areas.len());
    Ok(committed.manifest().root)
}

/// Every division but the top, so that a row is written for its county, prefecture and province.
fn areas() -> BTreeSet<Area> {
    let codes = DIVISIONS
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next());
    codes
        .filter(|code| *code != "100000")
        .filter_map(|code| code.parse().ok())
        .collect()
}

fn draft(rows: u64, header: &str) -> Manifest {
    Manifest {
        source: Place::hub(),
        dataset: "people".parse().unwrap(),
        delivery: 1,
        at: Moment::from_millis(0),
        query: String::new(),
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
