use std::os::unix::fs::PermissionsExt;

use super::*;

const MAX: u64 = 64 << 20;

fn content(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new()
        .update(&length.to_be_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

fn store() -> (tempfile::TempDir, Objects) {
    let dir = tempfile::tempdir().unwrap();
    let objects = Objects::open(&dir.path().join("objects")).unwrap();
    (dir, objects)
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
        let mut read = Vec::new();
        objects
            .get(&stored.digest)
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, bytes);
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
        assert_eq!(fs::read(to.path(&stored.digest)).unwrap(), bytes);
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
    let kept = fs::read(to.partial_path(&stored.digest)).unwrap();
    assert_eq!(kept.len() as u64, verified);
    assert_eq!(kept, bytes[..kept.len()]);
    assert!(!to.contains(&stored.digest));
}

#[test]
fn a_damaged_object_is_not_given_out() {
    let (_dir, objects) = store();
    for (length, at) in [(10_000, 5_000), (100_000, 50_000)] {
        let stored = objects.put_reader(content(length).as_slice(), MAX).unwrap();
        let mut bytes = fs::read(objects.path(&stored.digest)).unwrap();
        bytes[at] ^= 1;
        fs::write(objects.path(&stored.digest), &bytes).unwrap();
        let mut out = Vec::new();
        let error = objects
            .encode_from(&stored.digest, 0, &mut out)
            .unwrap_err();
        assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
        assert!(out.len() < length);
    }
}

#[test]
fn a_partial_file_that_a_crash_damaged_is_started_again_from_nothing() {
    let (_dir, from) = store();
    let (_other, to) = store();
    let stored = from.put_reader(content(100_000).as_slice(), MAX).unwrap();
    fs::write(to.partial_path(&stored.digest), vec![0; 40_000]).unwrap();
    let offset = to.resume_offset(&stored.digest, stored.length).unwrap();
    assert_eq!(offset, 2 * GROUP_BYTES);
    let mut rest = Vec::new();
    from.encode_from(&stored.digest, offset, &mut rest).unwrap();
    let error = to
        .decode_to(&stored.digest, stored.length, MAX, rest.as_slice(), |_| ())
        .unwrap_err();
    assert!(matches!(error, ObjectError::Damaged { .. }), "{error}");
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
