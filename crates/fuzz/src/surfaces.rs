//! What needs a whole node: the core behind a link, the journal, the catalogues of older platforms, the bodies of the API.
#![no_main]

#[allow(dead_code, reason = "what decodes by itself is in the other program")]
mod driver;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use driver::Target;
use guantong_tests::{World, stage};
use libfuzzer_sys::fuzz_target;
use node::platform::mapping::Mapping;
use node::platform::{Bounds, source, translation};
use node::storage::journal::Journal;

const TARGETS: &[Target] = &[
    ("core", core),
    ("journal", journal),
    ("catalogue_csv", catalogue_csv),
    ("catalogue_xlsx", catalogue_xlsx),
    ("catalogue_dcat", catalogue_dcat),
    ("mapping", mapping),
    ("api", api),
    ("tokens", tokens),
];

fuzz_target!(|bytes: &[u8]| driver::run(TARGETS, bytes));

/// Frames after which the federation is built anew, so that what they left does not add up.
const FRAMES_OF_A_WORLD: usize = 5_000;

thread_local! {
    static WORLD: RefCell<Option<(World, usize)>> = const { RefCell::new(None) };
}

/// A certified neighbour says it to a node that runs; the node answers, and stays up.
fn core(bytes: &[u8]) {
    WORLD.with_borrow_mut(|kept| {
        let (mut world, said) = kept.take().unwrap_or_else(|| (stage::demo(60), 0));
        let (child, parent) = (stage::code("440106"), stage::code("440100"));
        let ways = [(child, parent), (parent, child)];
        let (from, to) = ways[bytes.len() % ways.len()];
        if !world.linked(from, to) {
            world.settle();
        }
        if world.linked(from, to) {
            world.inject(from, to, bytes.to_vec());
        }
        *kept = (said < FRAMES_OF_A_WORLD).then_some((world, said + 1));
    });
}

/// A folder in memory, where there is one, that is gone with the process.
fn folder() -> &'static Path {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let memory = PathBuf::from("/dev/shm");
        let within = if memory.is_dir() {
            memory
        } else {
            std::env::temp_dir()
        };
        tempfile::tempdir_in(within).expect("a folder")
    });
    FOLDER.path()
}

fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

/// Whatever lies in the journal's file: it is opened and replayed, or refused with its place.
fn journal(bytes: &[u8]) {
    let dir = folder().join("journal");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join(FIRST_FILE), bytes).expect("written");
    if let Ok((journal, recovery)) = Journal::open(&dir) {
        let bodies = journal.bodies();
        let replayed: Result<(), node::storage::journal::JournalError> =
            journal.replay(1, |batch| {
                for (digest, location) in &batch.bodies {
                    bodies.read(digest, *location)?;
                }
                Ok(())
            });
        replayed.expect("what was opened is replayed");
        drop(recovery);
    }
}

/// The first file of a journal.
const FIRST_FILE: &str = "00000000000000000001.log";

fn pulled(kind: &str, name: &str, more: &str, bytes: &[u8]) {
    let path = written(name, bytes);
    let text = MAPPING
        .replace("KIND", kind)
        .replace("ADDRESS", &path.display().to_string())
        .replace("MORE", more);
    let mapping = Mapping::parse(&text, folder()).expect("the mapping is right");
    if let Ok(records) = source::pull(&mapping, Bounds::default()) {
        let _ = translation::translate(&mapping, &records);
    }
}

const MAPPING: &str = include_str!("mapping.toml");

fn catalogue_csv(bytes: &[u8]) {
    pulled(
        "csv",
        "catalogue.csv",
        "encoding = \"gb18030\"\nrows = \"items\"",
        bytes,
    );
    pulled("csv", "catalogue.csv", "rows = \"items\"", bytes);
}

fn catalogue_xlsx(bytes: &[u8]) {
    pulled("xlsx", "catalogue.xlsx", "rows = \"items\"", bytes);
}

fn catalogue_dcat(bytes: &[u8]) {
    pulled("dcat", "catalogue.json", "", bytes);
}

fn mapping(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Mapping::parse(text, Path::new("."));
    }
}

fn api(bytes: &[u8]) {
    use node::api::acts::{ActRequest, InstallRequest, PrepareRequest};
    use node::public::intake::{Complaint, OpenApplication};
    if let Ok(request) = serde_json::from_slice::<ActRequest>(bytes) {
        for text in request
            .private
            .iter()
            .chain([&request.act, &request.signer])
        {
            let _ = node::api::from_base64(text);
        }
    }
    if let Ok(request) = serde_json::from_slice::<PrepareRequest>(bytes) {
        let _ = request.body.within_bounds();
        let act = sharing::act::Act {
            nonce: [0; 16],
            at: request.at.unwrap_or_default(),
            node: identity::Code::HUB,
            body: request.body,
        };
        let _ = node::api::acts::Prepared::of(&act);
    }
    let _ = serde_json::from_slice::<InstallRequest>(bytes);
    let _ = serde_json::from_slice::<OpenApplication>(bytes);
    let _ = serde_json::from_slice::<Complaint>(bytes);
}

fn tokens(bytes: &[u8]) {
    written(node::api::tokens::FILE, bytes);
    if let Ok(tokens) = node::api::Tokens::load(folder()) {
        assert_eq!(tokens.role("gt_00"), None);
    }
}
