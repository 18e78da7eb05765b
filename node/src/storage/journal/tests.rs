use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::storage::body_digest;

fn batch(records: &[&str], bodies: &[&str]) -> Batch {
    Batch {
        records: records.iter().map(|r| r.as_bytes().to_vec()).collect(),
        bodies: bodies
            .iter()
            .map(|b| (body_digest(b.as_bytes()), b.as_bytes().to_vec()))
            .collect(),
        ..Batch::default()
    }
}

fn all(journal: &Journal) -> Vec<(u64, u64, Vec<Vec<u8>>)> {
    let mut seen = Vec::new();
    journal
        .replay(1, |b| -> Result<(), JournalError> {
            seen.push((
                b.batch,
                b.first_record,
                b.records.iter().map(|r| r.to_vec()).collect(),
            ));
            Ok(())
        })
        .unwrap();
    seen
}

fn three(dir: &Path) -> Vec<u64> {
    let (mut journal, recovery) = Journal::open(dir).unwrap();
    assert_eq!(recovery, Recovery::default());
    let mut ends = Vec::new();
    for (records, bodies) in [
        (vec!["一", "二"], vec!["正文"]),
        (vec!["三"], vec![]),
        (vec!["四"], vec!["甲", "乙"]),
    ] {
        journal.append(&batch(&records, &bodies)).unwrap();
        ends.push(journal.bytes());
    }
    ends
}

fn first_file(dir: &Path) -> PathBuf {
    file_path(dir, 1)
}

#[test]
fn what_was_appended_reads_back_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let (mut journal, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(
        recovery,
        Recovery {
            batches: 3,
            records: 4,
            torn: None
        }
    );
    let seen = all(&journal);
    assert_eq!(
        seen.iter()
            .map(|(b, f, r)| (*b, *f, r.len()))
            .collect::<Vec<_>>(),
        [(1, 0, 2), (2, 2, 1), (3, 3, 1)]
    );
    assert_eq!(seen[0].2[1], "二".as_bytes());
    let positions = journal.append(&batch(&["五"], &["丙"])).unwrap();
    assert_eq!((positions.batch, positions.first_record), (4, 4));
    let (digest, location) = positions.bodies[0];
    assert_eq!(
        journal.bodies().read(&digest, location).unwrap(),
        "丙".as_bytes()
    );
}

#[test]
fn replay_starts_where_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let (journal, _) = Journal::open(dir.path()).unwrap();
    for from in 1..=4 {
        let mut seen = Vec::new();
        journal
            .replay(from, |b| -> Result<(), JournalError> {
                seen.push(b.batch);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, (from..=3).collect::<Vec<_>>());
    }
}

#[test]
fn a_torn_last_batch_is_cut_off_and_kept_at_every_length() {
    let dir = tempfile::tempdir().unwrap();
    let ends = three(dir.path());
    let whole = fs::read(first_file(dir.path())).unwrap();
    for length in ends[1]..ends[2] {
        let case = tempfile::tempdir().unwrap();
        fs::write(first_file(case.path()), &whole[..length as usize]).unwrap();
        let (mut journal, recovery) = Journal::open(case.path()).unwrap();
        assert_eq!((recovery.batches, recovery.records), (2, 3));
        assert_eq!(recovery.torn.is_some(), length > ends[1], "at {length}");
        if let Some(torn) = recovery.torn {
            assert_eq!((torn.offset, torn.bytes), (ends[1], length - ends[1]));
            assert_eq!(
                fs::read(torn.kept_in).unwrap(),
                whole[ends[1] as usize..length as usize]
            );
        }
        let positions = journal.append(&batch(&["四"], &["甲", "乙"])).unwrap();
        assert_eq!((positions.batch, positions.first_record), (3, 3));
        drop(journal);
        assert_eq!(fs::read(first_file(case.path())).unwrap(), whole);
    }
}

#[test]
fn a_last_batch_whose_length_is_there_but_not_its_bytes_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    let ends = three(dir.path());
    let mut bytes = fs::read(first_file(dir.path())).unwrap();
    // Blocks reach the disk in any order: the file is long enough, and a part of it is still zero.
    for range in [
        ends[1]..ends[2],
        ends[1] + 40..ends[2],
        ends[1]..ends[1] + 90,
    ] {
        bytes[range.start as usize..range.end as usize].fill(0);
        fs::write(first_file(dir.path()), &bytes).unwrap();
        let (_, recovery) = Journal::open(dir.path()).unwrap();
        assert_eq!(recovery.batches, 2);
        assert_eq!(recovery.torn.unwrap().offset, ends[1]);
    }
}

#[test]
fn a_flipped_bit_before_the_last_batch_is_refused_by_file_and_place_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let ends = three(dir.path());
    let whole = fs::read(first_file(dir.path())).unwrap();
    for at in 0..ends[1] as usize {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(first_file(dir.path()), &bytes).unwrap();
        let error = Journal::open(dir.path())
            .err()
            .unwrap_or_else(|| panic!("byte {at} was accepted"));
        let JournalError::Damaged { file, offset, .. } = &error else {
            panic!("byte {at}: {error}")
        };
        assert_eq!(file, &first_file(dir.path()));
        assert_eq!(*offset, if (at as u64) < ends[0] { 0 } else { ends[0] });
        assert!(error.to_string().contains("00000000000000000001.log"));
        assert_eq!(fs::read(first_file(dir.path())).unwrap(), bytes);
    }
}

#[test]
fn bytes_that_look_like_a_batch_inside_a_torn_body_do_not_stop_the_node() {
    let dir = tempfile::tempdir().unwrap();
    let ends = three(dir.path());
    let whole = fs::read(first_file(dir.path())).unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let body = [whole.as_slice(), &[7; 500]].concat();
    journal
        .append(&Batch {
            bodies: vec![(body_digest(&body), body)],
            ..Batch::default()
        })
        .unwrap();
    drop(journal);
    let file = fs::OpenOptions::new()
        .write(true)
        .open(first_file(dir.path()))
        .unwrap();
    file.set_len(file.metadata().unwrap().len() - 100).unwrap();
    let (_, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(
        (recovery.batches, recovery.torn.unwrap().offset),
        (3, ends[2])
    );
}

/// A ledger of several files: each batch is large enough that two fill one.
fn several_files(dir: &Path) {
    let (mut journal, _) = Journal::open(dir).unwrap();
    let body = vec![5; 40 << 20];
    for n in 0..3_u8 {
        let mut body = body.clone();
        body[0] = n;
        journal
            .append(&Batch {
                records: vec![vec![n]],
                bodies: vec![(body_digest(&body), body)],
                ..Batch::default()
            })
            .unwrap();
    }
}

#[test]
fn files_are_begun_anew_and_a_missing_one_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    several_files(dir.path());
    for name in 1..=3 {
        let mode = fs::metadata(file_path(dir.path(), name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let (journal, _) = Journal::open(dir.path()).unwrap();
    assert_eq!(all(&journal).len(), 3);
    drop(journal);
    // A tear in a file that is not the last is damage, not a torn end.
    let middle = file_path(dir.path(), 2);
    let bytes = fs::read(&middle).unwrap();
    fs::write(&middle, &bytes[..bytes.len() - 1]).unwrap();
    assert!(
        matches!(Journal::open(dir.path()), Err(JournalError::Damaged { file, offset: 0, .. }) if file == middle)
    );
    fs::remove_file(&middle).unwrap();
    let error = Journal::open(dir.path()).err().unwrap();
    assert!(
        matches!(&error, JournalError::Gap { expected, found, .. } if expected == "batch 2" && found == "batch 3"),
        "{error}"
    );
    fs::remove_file(first_file(dir.path())).unwrap();
    assert!(matches!(
        Journal::open(dir.path()),
        Err(JournalError::Gap { .. })
    ));
}

#[test]
fn a_batch_of_another_ledger_does_not_follow() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ends = three(one.path());
    let (mut journal, _) = Journal::open(two.path()).unwrap();
    for _ in 0..2 {
        journal.append(&batch(&["他", "人"], &[])).unwrap();
    }
    let (first_end, foreign) = (ends[0] as usize, fs::read(first_file(two.path())).unwrap());
    let own = fs::read(first_file(one.path())).unwrap();
    let second_of_foreign = foreign.len() / 2;
    fs::write(
        first_file(one.path()),
        [&own[..first_end], &foreign[second_of_foreign..]].concat(),
    )
    .unwrap();
    assert!(
        matches!(Journal::open(one.path()), Err(JournalError::Damaged { offset, .. }) if offset == ends[0])
    );
}

/// A disk with room for so many bytes, or that fails to sync or to cut.
struct Faulty {
    inner: Box<dyn Medium>,
    room: Arc<AtomicU64>,
    sync_fails: bool,
    cut_fails: bool,
}

impl Medium for Faulty {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let room = self.room.load(Ordering::Relaxed) as usize;
        if bytes.len() <= room {
            return self.inner.write_at(bytes, offset);
        }
        self.inner.write_at(&bytes[..room], offset)?;
        Err(io::Error::from(io::ErrorKind::StorageFull))
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.sync_fails {
            Err(io::Error::other("EIO"))
        } else {
            self.inner.sync()
        }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        if self.cut_fails {
            Err(io::Error::other("EIO"))
        } else {
            self.inner.cut(length)
        }
    }
}

fn faulty(journal: &mut Journal, room: u64, sync_fails: bool, cut_fails: bool) -> Arc<AtomicU64> {
    let room = Arc::new(AtomicU64::new(room));
    let shared = Arc::clone(&room);
    journal.replace_medium(|inner| {
        Box::new(Faulty {
            inner,
            room: shared,
            sync_fails,
            cut_fails,
        })
    });
    room
}

#[test]
fn a_full_disk_leaves_nothing_of_the_batch_and_space_freed_lets_it_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let ends = three(dir.path());
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let room = faulty(&mut journal, 50, false, false);
    let error = journal.append(&batch(&["五"], &[])).unwrap_err();
    assert!(matches!(error, JournalError::NotWritten { .. }), "{error}");
    assert_eq!(fs::metadata(first_file(dir.path())).unwrap().len(), ends[2]);
    assert_eq!(journal.poison(), None);
    room.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(journal.append(&batch(&["五"], &[])).unwrap().batch, 4);
    drop(journal);
    let (_, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(
        recovery,
        Recovery {
            batches: 4,
            records: 5,
            torn: None
        }
    );
}

#[test]
fn a_write_that_cannot_be_undone_poisons() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let room = faulty(&mut journal, 50, false, true);
    assert!(matches!(
        journal.append(&batch(&["五"], &[])),
        Err(JournalError::Poisoned(_))
    ));
    room.store(u64::MAX, Ordering::Relaxed);
    assert!(matches!(
        journal.append(&batch(&["五"], &[])),
        Err(JournalError::Poisoned(_))
    ));
    assert_eq!(all(&journal).len(), 3);
    drop(journal);
    let (_, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(recovery.batches, 3);
    assert_eq!(recovery.torn.unwrap().bytes, 50);
}

#[test]
fn after_a_failed_sync_nothing_is_taken_until_reopened() {
    let dir = tempfile::tempdir().unwrap();
    three(dir.path());
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    faulty(&mut journal, u64::MAX, true, false);
    assert!(matches!(
        journal.append(&batch(&["五"], &[])),
        Err(JournalError::Poisoned(_))
    ));
    // The disk is well again; what it lost in between is unknown.
    journal.replace_medium(|inner| inner);
    assert!(matches!(
        journal.append(&batch(&["六"], &[])),
        Err(JournalError::Poisoned(_))
    ));
    assert!(journal.poison().is_some());
    drop(journal);
    let (mut journal, recovery) = Journal::open(dir.path()).unwrap();
    assert_eq!(
        recovery,
        Recovery {
            batches: 3,
            records: 4,
            torn: None
        }
    );
    journal.append(&batch(&["六"], &[])).unwrap();
}

#[test]
fn a_body_that_changed_on_disk_is_not_given_out() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let positions = journal.append(&batch(&["一"], &["正文"])).unwrap();
    let (digest, location) = positions.bodies[0];
    let mut bytes = fs::read(first_file(dir.path())).unwrap();
    bytes[location.offset as usize] ^= 1;
    fs::write(first_file(dir.path()), bytes).unwrap();
    assert!(matches!(
        journal.bodies().read(&digest, location),
        Err(JournalError::BodyDamaged { .. })
    ));
}

#[test]
fn a_batch_too_large_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    let huge = Batch {
        records: vec![vec![0; MAX_PAYLOAD_BYTES]],
        ..Batch::default()
    };
    assert!(matches!(journal.append(&huge), Err(JournalError::TooLarge)));
    assert_eq!(journal.bytes(), 0);
}

#[test]
fn a_ledger_of_another_version_is_told_and_nothing_of_it_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal
        .append_parts(&[b"one".to_vec()], &[])
        .expect("a batch");
    drop(journal);
    let path = file_path(dir.path(), 1);
    let mut bytes = std::fs::read(&path).unwrap();
    // The header of a later format, whole by its own check.
    bytes[8..10].copy_from_slice(&(VERSION + 1).to_be_bytes());
    let check = blake3::hash(&bytes[..72]);
    bytes[72..80].copy_from_slice(&check.as_bytes()[..8]);
    std::fs::write(&path, &bytes).unwrap();
    let error = Journal::open(dir.path()).map(|_| ()).unwrap_err();
    assert!(
        matches!(error, JournalError::AnotherVersion { found, .. } if found == VERSION + 1),
        "{error}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
