use std::fs;

use super::super::journal::Medium;
use super::*;

/// Projects a record `key=value` to a table entry, `key=@digest` to the body's length, and counts.
fn project(record: &[u8], txn: &mut Txn<'_>) -> Result<(), Fault> {
    let text = std::str::from_utf8(record).map_err(|_| Fault("not text".to_owned()))?;
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Fault("no =".to_owned()))?;
    let value = match value.strip_prefix('@') {
        Some(digest) => {
            let digest: Digest = digest.parse().map_err(|_| Fault("no digest".to_owned()))?;
            let body = txn
                .body(&digest)?
                .ok_or_else(|| Fault(format!("body {digest} is missing")))?;
            body.len().to_string().into_bytes()
        }
        None => value.as_bytes().to_vec(),
    };
    if value.is_empty() {
        txn.delete(Table::Findings, key.as_bytes().to_vec());
    } else {
        txn.put(Table::Findings, key.as_bytes().to_vec(), value);
    }
    let count = txn
        .get(Table::Meta, b"count")?
        .map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
    txn.put(
        Table::Meta,
        b"count".to_vec(),
        (count + 1).to_be_bytes().to_vec(),
    );
    Ok(())
}

/// What the core does: projects each record in the batch that adds it.
fn commit(store: &Store, records: &[String], bodies: &[&[u8]]) {
    let mut txn = Txn::new(store);
    for body in bodies {
        txn.push_body(body_digest(body), body.to_vec());
    }
    for record in records {
        txn.push_record(record.as_bytes().to_vec());
        project(record.as_bytes(), &mut txn).unwrap();
    }
    store.commit(&txn.into_batch()).unwrap();
}

fn fill(store: &Store) {
    let body = vec![7; 1000];
    for n in 0..700 {
        commit(store, &[format!("k{n}=v{n}"), format!("last={n}")], &[]);
    }
    commit(
        store,
        &[format!("body=@{}", body_digest(&body)), "k5=".to_owned()],
        &[&body],
    );
}

fn everything(store: &Store) -> Vec<(u8, Pair)> {
    [Table::Meta, Table::Findings, Table::Bodies]
        .into_iter()
        .flat_map(|table| {
            store
                .scan(table, b"", None, usize::MAX)
                .unwrap()
                .into_iter()
                .map(move |pair| (table as u8, pair))
        })
        .collect()
}

fn filled() -> (tempfile::TempDir, Vec<(u8, Pair)>) {
    let dir = tempfile::tempdir().unwrap();
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(opened, Opened::default());
    fill(&store);
    let before = everything(&store);
    assert_eq!(before.len(), 1 + 701 + 1);
    (dir, before)
}

#[test]
fn a_restart_finds_the_same_tables() {
    let (dir, before) = filled();
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(opened.discarded, None);
    assert_eq!(everything(&store), before);
    assert_eq!(
        store.get(Table::Findings, b"body").unwrap().unwrap(),
        b"1000"
    );
    assert_eq!(
        store.body(&body_digest(&[7; 1000])).unwrap().unwrap(),
        vec![7; 1000]
    );
    assert_eq!(store.body(&body_digest(b"unknown")).unwrap(), None);
    assert_eq!(store.standing().records, 1402);
}

#[test]
fn a_deleted_projection_is_built_again_equal() {
    let (dir, before) = filled();
    fs::remove_dir_all(dir.path().join("projection")).unwrap();
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(opened.discarded, None);
    assert_eq!(
        (
            opened.replayed.batches,
            opened.replayed.records,
            opened.replayed.bodies
        ),
        (701, 1402, 1)
    );
    assert_eq!(everything(&store), before);
}

#[test]
fn garbage_in_the_projection_is_put_aside_and_built_again_equal() {
    let (dir, before) = filled();
    for file in ["conf", "db", "both"] {
        let projection = dir.path().join("projection");
        for name in ["conf", "db"]
            .iter()
            .filter(|name| file == "both" || file == **name)
        {
            fs::write(projection.join(name), [0xA5; 4096]).unwrap();
        }
        let (store, opened) = Store::open(dir.path(), &project).unwrap();
        assert_eq!(everything(&store), before, "{file}");
        assert_eq!(opened.replayed.batches, 701, "{file}");
    }
}

#[test]
fn a_projection_that_was_reported_damaged_is_built_again() {
    let (dir, before) = filled();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    store.projection.mark_damaged();
    drop(store);
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert!(
        opened
            .discarded
            .unwrap()
            .kept_in
            .unwrap()
            .ends_with("projection.bad-1")
    );
    assert_eq!(everything(&store), before);
    drop(store);
    let (_, opened) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(opened.discarded, None);
}

#[test]
fn tables_that_lag_behind_the_ledger_catch_up() {
    let (dir, before) = filled();
    let saved = tempfile::tempdir().unwrap();
    copy(
        &dir.path().join("projection"),
        &saved.path().join("projection"),
    );
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    commit(&store, &["late=1".to_owned(), "k6=".to_owned()], &[]);
    let after = everything(&store);
    assert_ne!(before, after);
    drop(store);
    fs::remove_dir_all(dir.path().join("projection")).unwrap();
    copy(
        &saved.path().join("projection"),
        &dir.path().join("projection"),
    );
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert_eq!((opened.discarded, opened.replayed.batches), (None, 1));
    assert_eq!(everything(&store), after);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            fs::copy(&path, &target).map(|_| ()).unwrap()
        }
    }
}

#[test]
fn a_ledger_that_lost_an_accepted_batch_is_not_gone_on_with_before_the_operator_says_so() {
    let (dir, _) = filled();
    let ledger = dir.path().join("ledger/00000000000000000001.log");
    let file = fs::OpenOptions::new().write(true).open(&ledger).unwrap();
    file.set_len(file.metadata().unwrap().len() - 1).unwrap();
    for _ in 0..2 {
        let error = Store::open(dir.path(), &project).err().unwrap();
        assert!(
            matches!(
                error,
                StoreError::LedgerLost {
                    known: 701,
                    last: 700
                }
            ),
            "{error}"
        );
    }
    let (_, opened) = Store::rebuild(dir.path(), &project).unwrap();
    assert_eq!(opened.replayed.batches, 700);
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(store.get(Table::Findings, b"body").unwrap(), None);
    assert_eq!(store.get(Table::Findings, b"k5").unwrap().unwrap(), b"v5");
}

#[test]
fn tables_of_another_ledger_are_known_for_what_they_are() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (dir, value) in [(&one, "k=eins"), (&two, "k=zwei")] {
        let (store, _) = Store::open(dir.path(), &project).unwrap();
        commit(&store, &[value.to_owned()], &[]);
    }
    fs::remove_dir_all(one.path().join("projection")).unwrap();
    copy(
        &two.path().join("projection"),
        &one.path().join("projection"),
    );
    let (store, opened) = Store::open(one.path(), &project).unwrap();
    assert!(opened.discarded.unwrap().reason.contains("another ledger"));
    assert_eq!(store.get(Table::Findings, b"k").unwrap().unwrap(), b"eins");
}

#[test]
fn rebuild_computes_everything_again_and_counts() {
    let (dir, before) = filled();
    let (store, opened) = Store::rebuild(dir.path(), &project).unwrap();
    assert_eq!(
        (
            opened.replayed.batches,
            opened.replayed.records,
            opened.replayed.bodies
        ),
        (701, 1402, 1)
    );
    assert_eq!(everything(&store), before);
}

#[test]
fn a_record_this_version_cannot_project_is_named_and_nothing_is_lost() {
    let (dir, before) = filled();
    fs::remove_dir_all(dir.path().join("projection")).unwrap();
    let refuse = |record: &[u8], txn: &mut Txn<'_>| match record {
        b"k9=v9" => Err(Fault("unknown".to_owned())),
        _ => project(record, txn),
    };
    let error = Store::open(dir.path(), &refuse).err().unwrap();
    assert!(
        matches!(error, StoreError::Project { batch: 10, .. }),
        "{error}"
    );
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(everything(&store), before);
}

#[test]
fn a_second_opener_is_refused_with_one_clear_error() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, _) = Store::open(dir.path(), &project).unwrap();
    let error = Store::open(dir.path(), &project).err().unwrap();
    assert!(
        matches!(error, StoreError::Lock(LockError::InUse(_))),
        "{error}"
    );
}

#[test]
fn a_body_is_kept_once_and_must_have_its_digest() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    let body = vec![1; 100_000];
    for n in 0..3 {
        commit(&store, &[format!("n={n}")], &[&body, &body]);
    }
    assert!(store.standing().ledger_bytes < 101_000);
    let wrong = Batch {
        bodies: vec![(body_digest(b"a"), b"b".to_vec())],
        ..Batch::default()
    };
    assert!(matches!(
        store.commit(&wrong),
        Err(StoreError::WrongDigest(_))
    ));
    assert_eq!(store.commit(&Batch::default()).unwrap(), None);
    assert_eq!(store.standing().batches, 3);
}

#[test]
fn scans_stay_in_their_table_and_prefix_and_follow_after() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    let mut batch = Batch::default();
    for key in ["a", "a1", "a2", "a2x", "a3", "b"] {
        batch
            .writes
            .insert((Table::Duties, key.as_bytes().to_vec()), Some(vec![1]));
        batch
            .writes
            .insert((Table::Objects, key.as_bytes().to_vec()), Some(vec![2]));
    }
    store.commit(&batch).unwrap();
    let mut memory = federation::store::Memory::default();
    memory.commit(batch);
    for prefix in ["", "a", "a2", "c"] {
        for after in [
            None,
            Some("a"),
            Some("a2"),
            Some("a2x"),
            Some("zz"),
            Some("0"),
        ] {
            for limit in [0, 1, 2, 10] {
                let (prefix, after) = (prefix.as_bytes(), after.map(str::as_bytes));
                if after.is_some_and(|after| after < prefix) {
                    continue;
                }
                let ours = store.scan(Table::Duties, prefix, after, limit).unwrap();
                assert_eq!(
                    ours,
                    memory.scan(Table::Duties, prefix, after, limit).unwrap(),
                    "{prefix:?} {after:?} {limit}"
                );
            }
        }
    }
}

#[test]
fn records_are_read_in_order_with_their_indices() {
    let (dir, _) = filled();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    let mut seen = Vec::new();
    store
        .each_record(700, |batch, index, record| {
            seen.push((batch, index, record.to_vec()));
            Ok(())
        })
        .unwrap();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0], (700, 1398, b"k699=v699".to_vec()));
    assert_eq!(seen[3].1, 1401);
}

#[test]
fn readers_see_a_batch_whole_while_another_commits() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    let store = Arc::new(store);
    std::thread::scope(|scope| {
        let writer =
            scope.spawn(|| (0..200).for_each(|n| commit(&store, &[format!("n={n}")], &[])));
        while !writer.is_finished() {
            let count = store
                .get(Table::Meta, b"count")
                .unwrap()
                .map_or(0, |bytes| u64::from_be_bytes(bytes.try_into().unwrap()));
            let newest = store.get(Table::Findings, b"n").unwrap();
            // Read later, so never behind the count.
            let newest: u64 = newest.map_or(0, |bytes| {
                String::from_utf8(bytes).unwrap().parse::<u64>().unwrap() + 1
            });
            assert!(newest >= count);
        }
    });
    assert_eq!(store.get(Table::Findings, b"n").unwrap().unwrap(), b"199");
}

#[test]
fn a_hole_in_the_tables_that_sled_does_not_report_is_found_and_filled() {
    let (dir, before) = filled();
    let tree = sled::open(dir.path().join("projection")).unwrap();
    let mut key = vec![Table::Findings as u8];
    key.extend_from_slice(b"k123");
    assert!(tree.remove(key).unwrap().is_some());
    drop(tree);
    let (store, opened) = Store::open(dir.path(), &project).unwrap();
    assert!(opened.discarded.unwrap().reason.contains("lost a part"));
    assert_eq!(everything(&store), before);
}

/// A disk that writes nothing, or confirms nothing.
struct Broken {
    inner: Box<dyn Medium>,
    full: Arc<std::sync::atomic::AtomicBool>,
}

impl Medium for Broken {
    fn write_at(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.full.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.inner.write_at(bytes, offset)
    }
    fn sync(&mut self) -> io::Result<()> {
        Err(io::Error::other("EIO"))
    }
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.inner.cut(length)
    }
}

#[test]
fn a_commit_says_whether_its_outcome_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    let full = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let shared = Arc::clone(&full);
    store.writer().journal.replace_medium(|inner| {
        Box::new(Broken {
            inner,
            full: shared,
        })
    });
    let batch = Batch {
        records: vec![b"k=v".to_vec()],
        ..Batch::default()
    };
    let error = store.commit(&batch).unwrap_err();
    assert!(!error.outcome_unknown(), "{error}");
    assert_eq!(store.standing().stopped, None);
    full.store(false, std::sync::atomic::Ordering::Relaxed);
    let error = store.commit(&batch).unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    assert!(store.standing().stopped.is_some());
    let wrong = StoreError::WrongDigest(body_digest(b"a"));
    assert!(!wrong.outcome_unknown());
}

#[test]
fn a_batch_that_the_tables_did_not_take_is_there_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    // As `commit` does it, but the tables fail.
    let error = {
        let mut writer = store.writer();
        let record = b"k=v".to_vec();
        writer.journal.append_parts(&[record], &[]).unwrap();
        writer.fall_behind(Fault("sled".into()))
    };
    assert!(error.outcome_unknown(), "{error}");
    let again = store.commit(&Batch::default()).unwrap_err();
    assert!(again.outcome_unknown(), "{again}");
    assert!(store.standing().stopped.unwrap().contains("sled"));
    drop(store);
    let (store, _) = Store::open(dir.path(), &project).unwrap();
    assert_eq!(store.get(Table::Findings, b"k").unwrap().unwrap(), b"v");
    assert_eq!(store.standing().stopped, None);
}
