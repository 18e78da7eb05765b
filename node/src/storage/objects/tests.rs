use std::os::unix::fs::{FileExt, PermissionsExt};

use identity::at_rest::{HEADER_BYTES, TAG_BYTES, sealed_bytes};

use super::*;

const MAX: u64 = 64 << 20;

pub(super) fn content(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&length.to_be_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn key(seed: u8) -> StorageKey {
    StorageKey::from_bytes([seed; 32])
}

fn under(dir: &tempfile::TempDir, seed: u8) -> Objects {
    Objects::open(&dir.path().join("objects"), key(seed)).unwrap()
}

fn store() -> (tempfile::TempDir, Objects) {
    let dir = tempfile::tempdir().unwrap();
    let objects = under(&dir, 1);
    (dir, objects)
}

/// What is read of an object.
fn read(objects: &Objects, digest: &Digest) -> Result<Vec<u8>, ObjectError> {
    let mut bytes = Vec::new();
    objects.get(digest)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether these bytes stand in any file below a folder.
pub(crate) fn within(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return within(&path, bytes);
        }
        let held = fs::read(&path).unwrap();
        held.windows(bytes.len()).any(|it| it == bytes)
    })
}

/// Lengths around every edge of chunks and groups.
const LENGTHS: [usize; 9] = [
    0, 1, 1024, 16_383, 16_384, 16_385, 32_768, 100_000, 1_000_001,
];

#[test]
fn what_is_put_is_found_by_its_digest_and_nothing_temporary_is_left() {
    let (_dir, objects) = store();
    for length in LENGTHS {
        let bytes = content(length);
        let stored = objects.put_reader(bytes.as_slice(), MAX).unwrap();
        assert_eq!(
            stored,
            Stored {
                digest: Digest::object(&bytes),
                length: length as u64
            }
        );
        assert!(objects.contains(&stored.digest));
        assert_eq!(objects.len(&stored.digest).unwrap(), length as u64);
        assert_eq!(read(&objects, &stored.digest).unwrap(), bytes);
        assert_eq!(
            fs::metadata(objects.path(&stored.digest)).unwrap().len(),
            sealed_bytes(length as u64)
        );
        assert_eq!(
            objects.tree_path(&stored.digest).exists(),
            length as u64 > GROUP_BYTES
        );
        let mode = fs::metadata(objects.path(&stored.digest))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert_eq!(
        fs::read_dir(objects.folder.join(TMP_FOLDER))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn an_object_above_the_limit_is_refused_and_leaves_nothing() {
    let (_dir, objects) = store();
    let error = objects
        .put_reader(content(1001).as_slice(), 1000)
        .unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { limit: 1000 }));
    assert_eq!(
        fs::read_dir(objects.folder.join(TMP_FOLDER))
            .unwrap()
            .count(),
        0
    );
    let digest = Digest::object(&content(2000));
    let error = objects
        .decode_to(&digest, 2000, 1000, io::empty(), |_| ())
        .unwrap_err();
    assert!(matches!(error, ObjectError::TooLarge { limit: 1000 }));
}

#[test]
fn a_transfer_arrives_whole_at_every_length() {
    let (_dir, from) = store();
    let (_other, to) = store();
    for length in LENGTHS {
        let bytes = content(length);
        let stored = from.put_reader(bytes.as_slice(), MAX).unwrap();
        let mut stream = Vec::new();
        assert_eq!(
            from.encode_from(&stored.digest, 0, &mut stream).unwrap(),
            length as u64
        );
        let mut last = 0;
        let received = to
            .decode_to(
                &stored.digest,
                stored.length,
                MAX,
                stream.as_slice(),
                |verified| last = verified,
            )
            .unwrap();
        assert_eq!((received, last), (stored, stored.length));
        assert_eq!(read(&to, &stored.digest).unwrap(), bytes);
        assert!(!to.partial_path(&stored.digest).exists());
        // And what was received can be given on.
        let mut again = Vec::new();
        to.encode_from(&stored.digest, 0, &mut again).unwrap();
        assert_eq!(again, stream);
    }
}

#[test]
fn a_broken_transfer_resumes_from_its_verified_groups() {
    let (_dir, from) = store();
    let (_other, to) = store();
    let stored = from.put_reader(content(300_000).as_slice(), MAX).unwrap();
    let mut whole = Vec::new();
    from.encode_from(&stored.digest, 0, &mut whole).unwrap();
    let error = to
        .decode_to(
            &stored.digest,
            stored.length,
            MAX,
            &whole[..120_000],
            |_| (),
        )
        .unwrap_err();
    let ObjectError::BrokenOff { verified, .. } = error else {
        panic!("{error}")
    };
    assert!(verified > 0 && verified.is_multiple_of(GROUP_BYTES));
    let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
    assert_eq!(offset, verified);
    let mut rest = Vec::new();
    from.encode_from(&stored.digest, offset, &mut rest).unwrap();
    assert!(rest.len() < whole.len() - 100_000);
    to.decode_to(&stored.digest, stored.length, MAX, rest.as_slice(), |_| ())
        .unwrap();
    assert!(to.contains(&stored.digest));
}

/// What comes of a stream until the process is killed; shows what the disk holds then.
struct KilledAfter<'s> {
    stream: &'s [u8],
    partial: PathBuf,
    found: PathBuf,
}

impl Read for KilledAfter<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.stream.is_empty() {
            fs::copy(&self.partial, &self.found)?;
        }
        self.stream.read(out)
    }
}

#[test]
fn a_fetch_that_was_killed_has_at_most_a_mebibyte_sent_again() {
    let (_dir, from) = store();
    let bytes = content(5_000_000);
    let stored = from.put_reader(bytes.as_slice(), MAX).unwrap();
    let mut whole = Vec::new();
    from.encode_from(&stored.digest, 0, &mut whole).unwrap();
    for sent in [100_000, 1_500_000, 2_000_001, 4_900_000] {
        let (_dir, killed) = store();
        let (_dir, to) = store();
        let stream = KilledAfter {
            stream: &whole[..sent],
            partial: killed.partial_path(&stored.digest),
            found: to.partial_path(&stored.digest),
        };
        killed
            .decode_to(&stored.digest, stored.length, MAX, stream, |_| ())
            .unwrap_err();
        let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
        let mut rest = Vec::new();
        from.encode_from(&stored.digest, offset, &mut rest).unwrap();
        let again = sent + rest.len() - whole.len();
        assert!(again <= 1 << 20, "{again} bytes after {sent}");
        to.decode_to(&stored.digest, stored.length, MAX, rest.as_slice(), |_| ())
            .unwrap();
        assert!(read(&to, &stored.digest).unwrap() == bytes);
    }
}

#[test]
fn a_forged_group_is_never_written_and_what_came_before_is_kept() {
    let (_dir, from) = store();
    let (_other, to) = store();
    let bytes = content(100_000);
    let stored = from.put_reader(bytes.as_slice(), MAX).unwrap();
    let mut stream = Vec::new();
    from.encode_from(&stored.digest, 0, &mut stream).unwrap();
    let middle = stream.len() / 2;
    stream[middle] ^= 1;
    let error = to
        .decode_to(
            &stored.digest,
            stored.length,
            MAX,
            stream.as_slice(),
            |_| (),
        )
        .unwrap_err();
    let ObjectError::Forged { verified, .. } = error else {
        panic!("{error}")
    };
    let kept = fs::metadata(to.partial_path(&stored.digest)).unwrap().len();
    let groups = verified / GROUP_BYTES;
    let grain = GROUP_BYTES + TAG_BYTES as u64;
    assert_eq!(kept, HEADER_BYTES as u64 + groups * grain);
    assert!(!to.contains(&stored.digest));
    let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
    assert_eq!(offset, verified);
}

#[test]
fn a_damaged_object_is_not_given_out() {
    let (_dir, objects) = store();
    for (length, at) in [(10_000, 5_000), (100_000, 50_000)] {
        let stored = objects.put_reader(content(length).as_slice(), MAX).unwrap();
        let mut bytes = fs::read(objects.path(&stored.digest)).unwrap();
        bytes[HEADER_BYTES + at] ^= 1;
        fs::write(objects.path(&stored.digest), &bytes).unwrap();
        let mut out = Vec::new();
        let error = objects
            .encode_from(&stored.digest, 0, &mut out)
            .unwrap_err();
        assert_sealed_otherwise(&error, &stored.digest);
        assert!(out.len() < length);
    }
}

#[test]
fn a_partial_file_that_a_crash_damaged_is_started_again_from_nothing() {
    let (_dir, from) = store();
    let (_other, to) = store();
    let stored = from.put_reader(content(100_000).as_slice(), MAX).unwrap();
    let mut whole = Vec::new();
    from.encode_from(&stored.digest, 0, &mut whole).unwrap();
    to.decode_to(&stored.digest, stored.length, MAX, &whole[..60_000], |_| ())
        .unwrap_err();
    let partial = disk::private().open(to.partial_path(&stored.digest));
    let partial = partial.unwrap();
    partial.write_all_at(&[0; 8], HEADER_BYTES as u64).unwrap();
    let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
    assert!(offset >= 2 * GROUP_BYTES);
    drop(partial);
    let mut rest = Vec::new();
    from.encode_from(&stored.digest, offset, &mut rest).unwrap();
    let error = to
        .decode_to(&stored.digest, stored.length, MAX, rest.as_slice(), |_| ())
        .unwrap_err();
    assert_sealed_otherwise(&error, &stored.digest);
    assert!(!to.contains(&stored.digest));
    assert_eq!(to.resume_offset(&stored.digest, stored.length).unwrap(), 0);
}

#[test]
fn a_missing_tree_is_computed_again() {
    let (_dir, objects) = store();
    let stored = objects
        .put_reader(content(100_000).as_slice(), MAX)
        .unwrap();
    let mut before = Vec::new();
    objects
        .encode_from(&stored.digest, GROUP_BYTES, &mut before)
        .unwrap();
    fs::remove_file(objects.tree_path(&stored.digest)).unwrap();
    let mut after = Vec::new();
    objects
        .encode_from(&stored.digest, GROUP_BYTES, &mut after)
        .unwrap();
    assert_eq!(before, after);
}

#[test]
fn an_offset_within_a_group_or_past_the_end_is_refused() {
    let (_dir, objects) = store();
    let stored = objects
        .put_reader(content(100_000).as_slice(), MAX)
        .unwrap();
    for offset in [
        1,
        1024,
        100_000 / GROUP_BYTES * GROUP_BYTES + GROUP_BYTES,
        u64::MAX,
    ] {
        let error = objects
            .encode_from(&stored.digest, offset, io::sink())
            .unwrap_err();
        assert!(
            matches!(error, ObjectError::Offset { .. }),
            "{offset}: {error}"
        );
    }
}

#[test]
fn the_same_object_is_not_fetched_twice_at_once() {
    let (_dir, objects) = store();
    let digest = Digest::object(b"x");
    let file = disk::private()
        .create(true)
        .truncate(false)
        .open(objects.partial_path(&digest))
        .unwrap();
    file.try_lock().unwrap();
    let error = objects
        .decode_to(&digest, 1, MAX, b"x".as_slice(), |_| ())
        .unwrap_err();
    assert!(matches!(error, ObjectError::Busy(_)));
}

#[test]
fn removal_leaves_nothing_and_may_be_repeated() {
    let (_dir, objects) = store();
    let stored = objects
        .put_reader(content(100_000).as_slice(), MAX)
        .unwrap();
    objects.remove(&stored.digest).unwrap();
    objects.remove(&stored.digest).unwrap();
    assert!(matches!(
        objects.get(&stored.digest),
        Err(ObjectError::Missing(_))
    ));
    assert!(!objects.tree_path(&stored.digest).exists());
}

#[track_caller]
fn assert_sealed_otherwise(error: &ObjectError, of: &Digest) {
    let named = matches!(error, ObjectError::Seal { digest, .. } if digest == of);
    assert!(named, "{error}");
}

/// A marker that stands in what is stored.
const MARKER: &[u8] = "张三丰的低保待遇".as_bytes();

/// A content of so many bytes that begins and ends with the marker.
fn marked(length: usize) -> Vec<u8> {
    let mut bytes = content(length);
    bytes[..MARKER.len()].copy_from_slice(MARKER);
    bytes[length - MARKER.len()..].copy_from_slice(MARKER);
    bytes
}

/// A store as an older version kept it: contents in clear, with their trees.
fn clear(dir: &tempfile::TempDir, contents: &[Vec<u8>]) -> Vec<Digest> {
    let objects = under(dir, 1);
    let stored = contents.iter().map(|bytes| {
        let digest = Digest::object(bytes);
        fs::create_dir_all(objects.shelf(&digest)).unwrap();
        fs::write(objects.path(&digest), bytes).unwrap();
        fs::write(objects.tree_path(&digest), MARKER).unwrap();
        digest
    });
    stored.collect()
}

#[test]
fn nothing_stored_received_or_under_way_lies_in_clear() {
    let (from_dir, from) = store();
    let (to_dir, to) = store();
    let stored = from.put_reader(marked(100_000).as_slice(), MAX).unwrap();
    let mut whole = Vec::new();
    from.encode_from(&stored.digest, 0, &mut whole).unwrap();
    to.decode_to(&stored.digest, stored.length, MAX, &whole[..60_000], |_| ())
        .unwrap_err();
    assert!(!within(to_dir.path(), MARKER), "under way");
    let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
    let mut rest = Vec::new();
    from.encode_from(&stored.digest, offset, &mut rest).unwrap();
    to.decode_to(&stored.digest, stored.length, MAX, rest.as_slice(), |_| ())
        .unwrap();
    for dir in [&from_dir, &to_dir] {
        assert!(!within(dir.path(), MARKER));
    }
    assert_eq!(read(&to, &stored.digest).unwrap(), marked(100_000));
}

#[test]
fn a_file_that_was_cut_extended_reordered_or_renamed_is_refused_by_name() {
    let (_dir, objects) = store();
    let stored = objects.put_reader(marked(100_000).as_slice(), MAX).unwrap();
    let other = objects
        .put_reader(content(100_000).as_slice(), MAX)
        .unwrap();
    let path = objects.path(&stored.digest);
    let good = fs::read(&path).unwrap();
    let grain = GROUP_BYTES as usize + TAG_BYTES;
    let mut extended = good.clone();
    extended.extend(content(100));
    let mut reordered = good.clone();
    reordered[HEADER_BYTES..HEADER_BYTES + 2 * grain].rotate_left(grain);
    let cut = good[..HEADER_BYTES + 2 * grain].to_vec();
    let renamed = fs::read(objects.path(&other.digest)).unwrap();
    for forged in [cut, extended, reordered, renamed, marked(100_000), vec![]] {
        fs::write(&path, forged).unwrap();
        assert_sealed_otherwise(&read(&objects, &stored.digest).unwrap_err(), &stored.digest);
    }
    fs::write(&path, good).unwrap();
    assert_eq!(read(&objects, &stored.digest).unwrap(), marked(100_000));
}

#[test]
fn a_reader_enters_at_any_place() {
    use bao_tree::io::sync::ReadAt;
    let (_dir, objects) = store();
    let bytes = content(100_000);
    let stored = objects.put_reader(bytes.as_slice(), MAX).unwrap();
    let reader = objects.get(&stored.digest).unwrap();
    for at in [99_990, 0, 16_380, 50_000, 16_384] {
        let mut out = [0; 10];
        reader.read_exact_at(at, &mut out).unwrap();
        assert_eq!(out[..], bytes[at as usize..at as usize + 10]);
    }
    assert_eq!(reader.read_at(100_000, &mut [0; 10]).unwrap(), 0);
}

#[test]
fn a_store_under_another_key_gives_nothing() {
    let (dir, objects) = store();
    let stored = objects.put_reader(marked(50).as_slice(), MAX).unwrap();
    let error = read(&under(&dir, 2), &stored.digest).unwrap_err();
    assert_sealed_otherwise(&error, &stored.digest);
}

#[test]
fn an_older_store_is_sealed_one_by_one_and_goes_on_where_it_was_killed() {
    let dir = tempfile::tempdir().unwrap();
    let contents = [marked(50), marked(20_000), marked(100_000)];
    let digests = clear(&dir, &contents);
    fs::write(under(&dir, 1).partial_path(&Digest::object(b"x")), MARKER).unwrap();
    // A second name of one file shows what becomes of its bytes.
    let second = dir.path().join("second-name");
    fs::hard_link(under(&dir, 1).path(&digests[1]), &second).unwrap();
    assert!(within(dir.path(), MARKER));
    for _ in &contents {
        let killed =
            under(&dir, 1).seal_clear(&mut || Err(ObjectError::from(io::Error::other("killed"))));
        assert!(killed.is_err());
    }
    let mut sealed = 0;
    under(&dir, 1)
        .seal_clear(&mut || {
            sealed += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(sealed, 0, "each once");
    for (digest, bytes) in digests.iter().zip(&contents) {
        assert_eq!(read(&under(&dir, 1), digest).unwrap(), *bytes);
        let mut out = Vec::new();
        under(&dir, 1).encode_from(digest, 0, &mut out).unwrap();
    }
    assert!(fs::read(second).unwrap().iter().all(|byte| *byte == 0));
    assert!(!within(&dir.path().join("objects"), MARKER));
}

#[test]
fn sealing_an_older_store_stops_at_a_file_that_is_not_what_its_name_says() {
    let dir = tempfile::tempdir().unwrap();
    let digests = clear(&dir, &[marked(50)]);
    let path = under(&dir, 1).path(&digests[0]);
    fs::write(&path, marked(60)).unwrap();
    let error = under(&dir, 1).seal_clear(&mut || Ok(())).unwrap_err();
    assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(path).unwrap(), marked(60), "left as it was");
}

#[test]
fn a_new_key_is_brought_in_and_whenever_it_is_killed_everything_opens() {
    let (dir, objects) = store();
    let contents = [marked(50), content(20_000), content(100_000)];
    let put = contents
        .iter()
        .map(|bytes| objects.put_reader(bytes.as_slice(), MAX).unwrap().digest);
    let digests: Vec<Digest> = put.collect();
    let all_open = |seed: u8| {
        for (digest, bytes) in digests.iter().zip(&contents) {
            assert_eq!(read(&under(&dir, seed), digest).unwrap(), *bytes);
        }
    };
    // Killed after each file in turn: the old key opens all, then both do, then the new one alone.
    let killed_after = |files: usize| {
        let mut left = files;
        move || match left.checked_sub(1) {
            Some(rest) => {
                left = rest;
                Ok(())
            }
            None => Err(ObjectError::from(io::Error::other("killed"))),
        }
    };
    for files in 0..5 {
        let killed = under(&dir, 1).rewrap(&key(2), &mut killed_after(files));
        assert!(killed.is_err());
        all_open(1);
    }
    under(&dir, 1).rewrap(&key(2), &mut || Ok(())).unwrap();
    all_open(1);
    all_open(2);
    for files in 0..5 {
        let killed = under(&dir, 2).keep_only(&key(2), &mut killed_after(files));
        assert!(killed.is_err());
        all_open(2);
    }
    under(&dir, 2).keep_only(&key(2), &mut || Ok(())).unwrap();
    all_open(2);
    for digest in &digests {
        assert_sealed_otherwise(&read(&under(&dir, 1), digest).unwrap_err(), digest);
        let mut out = Vec::new();
        under(&dir, 2).encode_from(digest, 0, &mut out).unwrap();
    }
}
