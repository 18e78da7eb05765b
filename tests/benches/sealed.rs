//! What sealing costs: a file into and out of the object store, beside a plain copy of it on the same disk. Prints MiB/s, the median of the rounds.
//!
//!     cargo bench -p guantong-tests --bench sealed [-- MIB]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use identity::at_rest::StorageKey;
use node::storage::objects::Objects;

/// Size of the file, MiB, unless another is given.
const MIB: u64 = 256;
/// Times that each step is done.
const ROUNDS: usize = 5;
/// Bytes copied at once, as the store reads them.
const BUFFER_BYTES: usize = 128 << 10;

fn main() {
    let given = std::env::args()
        .skip(1)
        .find_map(|argument| argument.parse().ok());
    let mib = given.unwrap_or(MIB);
    let folder = tempfile::tempdir().expect("a folder");
    let source = folder.path().join("source");
    make(&source, mib);
    let objects = Objects::open(
        &folder.path().join("objects"),
        StorageKey::from_bytes([7; 32]),
    )
    .expect("a store");
    let (plain, mut digest) = (folder.path().join("plain"), None);
    let (mut copied, mut stored, mut read, mut opened) = (vec![], vec![], vec![], vec![]);
    // In turns, so that what else the machine does falls on both.
    for _ in 0..ROUNDS {
        copied.push(timed(|| copy_to_disk(&source, &plain)));
        stored.push(timed(|| {
            let from = File::open(&source).expect("the source");
            let put = objects.put_reader(from, mib << 20).expect("stored");
            digest = Some(put.digest);
        }));
        read.push(timed(|| drain(File::open(&plain).expect("the copy"))));
        let digest = digest.expect("stored");
        opened.push(timed(|| drain(objects.get(&digest).expect("sealed"))));
        objects.remove(&digest).expect("removed");
        fs::remove_file(&plain).expect("removed");
    }
    println!("{mib} MiB, median of {ROUNDS}, MiB/s");
    report("write", mib, &mut copied, &mut stored);
    report("read", mib, &mut read, &mut opened);
}

/// A file of bytes that do not compress.
fn make(path: &Path, mib: u64) {
    let mut bytes = blake3::Hasher::new().update(b"sealed bench").finalize_xof();
    let mut out = File::create(path).expect("a file");
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..mib {
        bytes.fill(&mut buffer);
        out.write_all(&buffer).expect("written");
    }
    out.sync_all().expect("synced");
}

fn copy_to_disk(from: &Path, to: &Path) {
    let (mut from, mut to) = (
        File::open(from).expect("the source"),
        File::create(to).expect("a file"),
    );
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match from.read(&mut buffer).expect("read") {
            0 => break,
            read => to.write_all(&buffer[..read]).expect("written"),
        }
    }
    to.sync_all().expect("synced");
}

fn drain(from: impl Read) {
    let mut from = io::BufReader::with_capacity(BUFFER_BYTES, from);
    io::copy(&mut from, &mut io::sink()).expect("read");
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn report(what: &str, mib: u64, plain: &mut [Duration], sealed: &mut [Duration]) {
    let rate = |times: &mut [Duration]| {
        times.sort_unstable();
        mib as f64 / times[times.len() / 2].as_secs_f64()
    };
    let (plain, sealed) = (rate(plain), rate(sealed));
    println!(
        "{what:<6} plain {plain:8.0}   sealed {sealed:8.0}   ratio {:.2}",
        sealed / plain
    );
}
