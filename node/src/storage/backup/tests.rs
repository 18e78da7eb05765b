//! Backups of small ledgers: whole, incremental, sealed, damaged, interrupted.

use std::fs;
use std::path::{Path, PathBuf};

use federation::store::Batch;
use identity::{Moment, OpeningKey};

use super::*;
use crate::storage::journal::Journal;

const SEED: [u8; 32] = [7; 32];

/// A data folder with a ledger and files, and a place for its backup.
struct Site {
    _parent: tempfile::TempDir,
    data: PathBuf,
    to: PathBuf,
    restored: PathBuf,
    storage_key: PathBuf,
}

impl Site {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        let site = Self {
            data: at("node"),
            to: at("backup"),
            restored: at("restored"),
            storage_key: at("storage.key"),
            _parent: parent,
        };
        for folder in ["objects/ab", "vault/cd", "keys", "tokens", "objects/tmp"] {
            fs::create_dir_all(site.data.join(folder)).unwrap();
        }
        for (file, text) in [
            ("node.toml", "data_dir = 'x'"),
            ("SEALED", "k1"),
            ("objects/ab/abcd", "sealed file"),
            ("objects/tmp/1", "half"),
            ("vault/cd/cdef", "sealed content"),
            ("keys/signing.key", "secret"),
            ("tokens/admin.token", "secret"),
        ] {
            fs::write(site.data.join(file), text).unwrap();
        }
        fs::write(&site.storage_key, "storage").unwrap();
        site
    }

    /// Appends batches of two records each.
    fn grows(&self, batches: u8) {
        let (mut journal, _) = Journal::open(&self.data.join(LEDGER_FOLDER)).unwrap();
        for n in 0..batches {
            let records = vec![vec![n; 40], vec![n; 3]];
            let batch = Batch {
                records,
                ..Batch::default()
            };
            journal.append(&batch).unwrap();
        }
    }

    fn end(&self) -> u64 {
        crate::storage::journal::frames::last_whole(&self.data.join(LEDGER_FOLDER)).unwrap()
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            data: &self.data,
            to: &self.to,
            end: self.end(),
            node: "440100 广州市".into(),
            now: Moment::from_millis(1),
            recipient: None,
            objects: true,
            personal: false,
            keys: None,
        }
    }

    fn sealed(&self) -> Wanted<'_> {
        Wanted {
            recipient: Some(Recipient::of_seed(SEED)),
            keys: Some(self.storage_key.clone()),
            personal: true,
            ..self.wanted()
        }
    }

    fn restore(
        &self,
        key: Option<&OpeningKey>,
        what_is_left: bool,
    ) -> Result<Restored, BackupError> {
        restore(&How {
            from: &self.to,
            data: &self.restored,
            key,
            storage_key: &self.restored.with_extension("key"),
            what_is_left,
            now: Moment::from_millis(2),
        })
    }

    /// The ledger of a data folder, byte for byte.
    fn ledger(data: &Path) -> Vec<u8> {
        let mut files: Vec<PathBuf> = fs::read_dir(data.join(LEDGER_FOLDER))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
            .into_iter()
            .flat_map(|it| fs::read(it).unwrap())
            .collect()
    }
}

/// Every byte of every file below a folder.
fn everything(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        bytes.extend(if path.is_dir() {
            everything(&path)
        } else {
            fs::read(path).unwrap()
        });
    }
    bytes
}

fn holds(folder: &Path, text: &str) -> bool {
    everything(folder)
        .windows(text.len())
        .any(|it| it == text.as_bytes())
}

#[test]
fn what_was_backed_up_is_restored_byte_for_byte_and_marked_and_keys_are_apart() {
    let site = Site::new();
    site.grows(3);
    take(&site.wanted()).unwrap();
    let verified = verify(&site.to, None).unwrap();
    assert_eq!((verified.records, verified.keys), (Some(6), false));
    assert_eq!(verified.problems, [""; 0]);
    assert!(!holds(&site.to, "secret") && !holds(&site.to, "sealed content"));
    let restored = site.restore(None, false).unwrap();
    assert_eq!(
        (restored.batches, restored.records, restored.files),
        (3, 6, 1)
    );
    assert_eq!(Site::ledger(&site.restored), Site::ledger(&site.data));
    assert!(super::restored(&site.restored).unwrap());
    assert!(!site.restored.join(RESTORING_FILE).exists());
    assert!(!site.restored.join("objects/tmp").exists());
    released(&site.restored).unwrap();
    assert!(!super::restored(&site.restored).unwrap());
    Journal::open(&site.restored.join(LEDGER_FOLDER)).unwrap();
}

#[test]
fn a_second_backup_writes_only_what_is_new() {
    let site = Site::new();
    site.grows(200);
    let first = take(&site.wanted()).unwrap();
    site.grows(1);
    let second = take(&site.wanted()).unwrap();
    assert_eq!(second.batches, 201);
    assert!(second.bytes < first.bytes / 20, "{first:?} {second:?}");
    let third = take(&site.wanted()).unwrap();
    assert_eq!(third.written, 2, "node.toml and SEALED, which are small");
    assert_eq!(site.restore(None, false).unwrap().batches, 201);
    assert_eq!(Site::ledger(&site.restored), Site::ledger(&site.data));
}

#[test]
fn personal_content_that_was_erased_leaves_the_backup_at_its_next_run() {
    let site = Site::new();
    take(&Wanted {
        personal: true,
        ..site.wanted()
    })
    .unwrap();
    assert!(holds(&site.to, "sealed content"));
    fs::remove_file(site.data.join("vault/cd/cdef")).unwrap();
    take(&Wanted {
        personal: true,
        ..site.wanted()
    })
    .unwrap();
    assert!(!holds(&site.to, "sealed content"));
}

#[test]
fn a_sealed_backup_says_nothing_and_opens_with_its_key_alone() {
    let site = Site::new();
    site.grows(3);
    take(&site.sealed()).unwrap();
    assert!(!holds(&site.to, "GTLEDGER") && !holds(&site.to, "secret"));
    assert_eq!(verify(&site.to, None).unwrap().records, None);
    assert!(matches!(
        site.restore(None, false),
        Err(BackupError::KeyWanted)
    ));
    let (mine, other) = (opening(SEED), opening([8; 32]));
    assert!(matches!(
        verify(&site.to, Some(&other)),
        Err(BackupError::NotOpened(_))
    ));
    assert!(site.restore(Some(&other), false).is_err());
    assert_eq!(verify(&site.to, Some(&mine)).unwrap().records, Some(6));
    let restored = site.restore(Some(&mine), false).unwrap();
    assert!(restored.keys && restored.files == 2);
    assert_eq!(
        fs::read(site.restored.join("keys/signing.key")).unwrap(),
        b"secret"
    );
    assert_eq!(
        fs::read(site.restored.with_extension("key")).unwrap(),
        b"storage"
    );
    assert_eq!(Site::ledger(&site.restored), Site::ledger(&site.data));
}

#[test]
fn keys_do_not_leave_a_node_in_clear() {
    let site = Site::new();
    let wanted = Wanted {
        keys: Some(site.storage_key.clone()),
        ..site.wanted()
    };
    assert!(matches!(take(&wanted), Err(BackupError::KeysInClear)));
    assert!(!site.to.exists());
}

#[test]
fn a_large_part_is_sealed_in_chunks_and_one_that_is_cut_or_changed_is_named() {
    let site = Site::new();
    let large: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
    fs::write(site.data.join("objects/ab/large"), &large).unwrap();
    take(&site.sealed()).unwrap();
    let mine = opening(SEED);
    site.restore(Some(&mine), false).unwrap();
    assert_eq!(
        fs::read(site.restored.join("objects/ab/large")).unwrap(),
        large
    );
    let part = site.to.join("objects/objects/ab/large");
    let mut bytes = fs::read(&part).unwrap();
    bytes[100_000] ^= 1;
    fs::write(&part, &bytes).unwrap();
    let problems = verify(&site.to, Some(&mine)).unwrap().problems;
    assert!(
        problems.len() == 1 && problems[0].contains("objects/ab/large"),
        "{problems:?}"
    );
    fs::write(&part, &bytes[..100_000]).unwrap();
    assert_eq!(verify(&site.to, None).unwrap().problems.len(), 1);
}

#[test]
fn nothing_is_restored_over_something_and_an_interrupted_restore_begins_anew() {
    let site = Site::new();
    site.grows(2);
    take(&site.wanted()).unwrap();
    fs::create_dir(&site.restored).unwrap();
    fs::write(site.restored.join("mine"), "x").unwrap();
    assert!(matches!(
        site.restore(None, false),
        Err(BackupError::NotEmpty(_))
    ));
    assert!(site.restored.join("mine").exists());
    // What a killed attempt leaves: its mark, and something half-written.
    fs::remove_file(site.restored.join("mine")).unwrap();
    fs::write(site.restored.join(RESTORING_FILE), "").unwrap();
    fs::create_dir(site.restored.join(LEDGER_FOLDER)).unwrap();
    fs::write(
        site.restored.join("ledger/00000000000000000001.log"),
        "half",
    )
    .unwrap();
    site.restore(None, false).unwrap();
    assert_eq!(Site::ledger(&site.restored), Site::ledger(&site.data));
}

#[test]
fn a_backup_that_was_interrupted_leaves_the_one_before_and_the_next_goes_on() {
    let site = Site::new();
    site.grows(2);
    take(&site.wanted()).unwrap();
    site.grows(2);
    // Killed after the new batches and before the manifest; and in the middle of a file.
    fs::write(
        site.to
            .join("ledger/00000000000000000003-00000000000000000004"),
        "?",
    )
    .unwrap();
    fs::write(site.to.join("objects/objects/ab/next.tmp"), "half").unwrap();
    let verified = verify(&site.to, None).unwrap();
    assert_eq!((verified.batches, verified.problems.len()), (2, 0));
    take(&site.wanted()).unwrap();
    let verified = verify(&site.to, None).unwrap();
    assert_eq!((verified.records, verified.problems.len()), (Some(8), 0));
    assert!(!site.to.join("objects/objects/ab/next.tmp").exists());
}

#[test]
fn a_part_that_was_lost_is_written_anew_by_the_next_run() {
    let site = Site::new();
    site.grows(2);
    take(&site.wanted()).unwrap();
    site.grows(2);
    take(&site.wanted()).unwrap();
    fs::remove_file(
        site.to
            .join("ledger/00000000000000000001-00000000000000000002"),
    )
    .unwrap();
    assert!(!verify(&site.to, None).unwrap().problems.is_empty());
    take(&site.wanted()).unwrap();
    assert_eq!(verify(&site.to, None).unwrap().records, Some(8));
}

#[test]
fn another_ledger_or_recipient_is_not_mixed_into_a_backup() {
    let site = Site::new();
    site.grows(3);
    take(&site.wanted()).unwrap();
    assert!(matches!(
        take(&site.sealed()),
        Err(BackupError::AnotherRecipient { .. })
    ));
    fs::remove_dir_all(site.data.join(LEDGER_FOLDER)).unwrap();
    site.grows(2);
    assert!(matches!(
        take(&site.wanted()),
        Err(BackupError::AnotherLedger { backed_up: 3 })
    ));
    let (mut journal, _) = Journal::open(&site.data.join(LEDGER_FOLDER)).unwrap();
    for n in 90..93 {
        let records = vec![vec![n; 9]];
        let batch = Batch {
            records,
            ..Batch::default()
        };
        journal.append(&batch).unwrap();
    }
    assert!(matches!(
        take(&site.wanted()),
        Err(BackupError::AnotherLedger { backed_up: 3 })
    ));
    assert_eq!(
        verify(&site.to, None).unwrap().records,
        Some(6),
        "as it was"
    );
}

#[test]
fn what_is_left_of_a_damaged_copy_is_recovered_and_what_is_missing_is_named() {
    let site = Site::new();
    for _ in 0..3 {
        site.grows(2);
        take(&site.wanted()).unwrap();
    }
    fs::write(
        site.to
            .join("ledger/00000000000000000003-00000000000000000004"),
        "x",
    )
    .unwrap();
    fs::remove_file(site.to.join("objects/objects/ab/abcd")).unwrap();
    assert!(site.restore(None, false).is_err());
    let left = site.restore(None, true).unwrap();
    assert_eq!((left.batches, left.records), (2, 4));
    let missing = left.missing.join("\n");
    assert!(
        missing.contains("batches 3 to 6") && missing.contains("objects/ab/abcd"),
        "{missing}"
    );
    Journal::open(&site.restored.join(LEDGER_FOLDER)).unwrap();
}

#[test]
fn a_backup_of_another_version_or_with_a_way_out_of_the_folder_is_refused() {
    let site = Site::new();
    take(&site.wanted()).unwrap();
    let manifest = site.to.join(MANIFEST_FILE);
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(
        &manifest,
        text.replace("\"version\":1", "\"version\":9,\"more\":2"),
    )
    .unwrap();
    assert!(matches!(
        verify(&site.to, None),
        Err(BackupError::AnotherVersion { found: 9, .. })
    ));
    fs::write(&manifest, text.replace("\"node.toml\"", "\"../node.toml\"")).unwrap();
    assert!(matches!(
        verify(&site.to, None),
        Err(BackupError::Malformed { .. })
    ));
}
