use super::*;
use proptest::prelude::*;

fn storage(seed: u8) -> StorageKey {
    StorageKey::from_bytes([seed; 32])
}

fn name(content: &[u8]) -> Name {
    Name {
        digest: Digest::object(content),
        part: Part::Content,
    }
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 7 % 251) as u8).collect()
}

/// Lengths around every edge of a chunk.
const LENGTHS: [usize; 7] = [
    0,
    1,
    CHUNK_BYTES - 1,
    CHUNK_BYTES,
    CHUNK_BYTES + 1,
    2 * CHUNK_BYTES,
    3 * CHUNK_BYTES + 5,
];

fn sealed(key: &ObjectKey, number: u64, last: bool, clear: &[u8]) -> Result<Vec<u8>, AtRestError> {
    // Behind something else, which stays as it is.
    let mut out = vec![7];
    out.extend_from_slice(clear);
    key.seal_chunk(number, last, &mut out, 1)?;
    assert_eq!(out.remove(0), 7);
    Ok(out)
}

fn seal(clear: &[u8], under: &StorageKey) -> Vec<u8> {
    let key = ObjectKey::from_bytes([9; 32]);
    let header = Header::new(&name(clear), clear.len() as u64, &key, under, [3; 32]).unwrap();
    let mut file = header.encode().to_vec();
    let count = chunks(clear.len() as u64);
    for number in 0..count {
        let from = number as usize * CHUNK_BYTES;
        let to = (from + CHUNK_BYTES).min(clear.len());
        let last = number + 1 == count;
        file.extend(sealed(&key, number, last, &clear[from..to]).unwrap());
    }
    file
}

/// Reads a file as a node does: its size, its header, then chunk by chunk.
fn open(file: &[u8], of: &Name, under: &StorageKey) -> Result<Vec<u8>, AtRestError> {
    let header: &[u8; HEADER_BYTES] = file.first_chunk().ok_or(AtRestError::NotSealed)?;
    let header = Header::decode(header)?;
    let key = header.unwrap(of, under)?;
    let (expected, found) = (sealed_bytes(header.length()), file.len() as u64);
    if expected != found {
        return Err(AtRestError::Size { expected, found });
    }
    let (mut clear, count) = (Vec::new(), chunks(header.length()));
    for number in 0..count {
        let last = number + 1 == count;
        let from = chunk_at(number) as usize;
        let to = if last {
            file.len()
        } else {
            chunk_at(number + 1) as usize
        };
        clear.extend(key.open_chunk(number, last, &mut file[from..to].to_vec())?);
    }
    Ok(clear)
}

#[test]
fn what_is_sealed_is_read_back_at_every_length_and_says_nothing() {
    for length in LENGTHS {
        let clear = content(length);
        let file = seal(&clear, &storage(1));
        assert_eq!(file.len() as u64, sealed_bytes(length as u64));
        assert_eq!(open(&file, &name(&clear), &storage(1)), Ok(clear.clone()));
        let shown = length >= 16 && file.windows(16).any(|it| it == &clear[..16]);
        assert!(!shown, "{length}");
    }
}

#[test]
fn another_key_another_name_and_another_part_do_not_open_it() {
    let clear = content(100);
    let file = seal(&clear, &storage(1));
    assert_eq!(
        open(&file, &name(&clear), &storage(2)),
        Err(AtRestError::OtherKey(storage(2).id()))
    );
    assert_eq!(
        open(&file, &name(b"another"), &storage(1)),
        Err(AtRestError::Header)
    );
    let tree = Name {
        part: Part::Tree,
        ..name(&clear)
    };
    assert_eq!(open(&file, &tree, &storage(1)), Err(AtRestError::Header));
}

#[test]
fn a_file_that_was_cut_or_made_longer_is_refused_whatever_its_header_says() {
    let clear = content(2 * CHUNK_BYTES + 100);
    let file = seal(&clear, &storage(1));
    for length in [
        0,
        HEADER_BYTES - 1,
        HEADER_BYTES,
        chunk_at(1) as usize,
        chunk_at(2) as usize,
        file.len() - 1,
    ] {
        assert!(open(&file[..length], &name(&clear), &storage(1)).is_err());
    }
    let mut longer = file.clone();
    longer.push(0);
    assert!(matches!(
        open(&longer, &name(&clear), &storage(1)),
        Err(AtRestError::Size { .. })
    ));
    // Cut at a chunk's end, the length in the header made to fit.
    let mut cut = file[..chunk_at(2) as usize].to_vec();
    cut[16..24].copy_from_slice(&(2 * CHUNK_BYTES as u64).to_be_bytes());
    assert_eq!(
        open(&cut, &name(&clear), &storage(1)),
        Err(AtRestError::Header)
    );
    // Its chunk is not the last one either.
    let key = ObjectKey::from_bytes([9; 32]);
    let second = &file[chunk_at(1) as usize..chunk_at(2) as usize];
    assert!(key.open_chunk(1, false, &mut second.to_vec()).is_ok());
    assert_eq!(
        key.open_chunk(1, true, &mut second.to_vec()),
        Err(AtRestError::Chunk(1))
    );
}

#[test]
fn chunks_in_another_order_or_of_another_object_are_refused() {
    let clear = content(3 * CHUNK_BYTES);
    let file = seal(&clear, &storage(1));
    let (first, second, third) = (
        chunk_at(0) as usize,
        chunk_at(1) as usize,
        chunk_at(2) as usize,
    );
    let mut swapped = file[..first].to_vec();
    swapped.extend(&file[second..third]);
    swapped.extend(&file[first..second]);
    swapped.extend(&file[third..]);
    assert_eq!(
        open(&swapped, &name(&clear), &storage(1)),
        Err(AtRestError::Chunk(0))
    );
    let other = ObjectKey::from_bytes([8; 32]);
    let mut foreign = file.clone();
    let planted = sealed(&other, 1, false, &content(CHUNK_BYTES)).unwrap();
    foreign[second..third].copy_from_slice(&planted);
    assert_eq!(
        open(&foreign, &name(&clear), &storage(1)),
        Err(AtRestError::Chunk(1))
    );
}

#[test]
fn what_is_no_sealed_file_is_told_from_one() {
    let mut bytes = [0; HEADER_BYTES];
    assert_eq!(Header::decode(&bytes), Err(AtRestError::NotSealed));
    bytes[..8].copy_from_slice(b"GTSEALED");
    bytes[9] = 2;
    assert_eq!(Header::decode(&bytes), Err(AtRestError::Version(2)));
    bytes[9] = 1;
    bytes[16] = 1;
    assert!(matches!(
        Header::decode(&bytes),
        Err(AtRestError::Length(_))
    ));
    let key = ObjectKey::from_bytes([9; 32]);
    let beyond = Header::new(&name(b""), MAX_LENGTH + 1, &key, &storage(1), [3; 32]);
    assert_eq!(beyond, Err(AtRestError::Length(MAX_LENGTH + 1)));
    assert_eq!(
        sealed(&key, 0, true, &content(CHUNK_BYTES + 1)),
        Err(AtRestError::Chunk(0))
    );
}

#[test]
fn a_new_storage_key_opens_it_beside_the_old_one_and_then_alone() {
    let clear = content(CHUNK_BYTES + 1);
    let mut file = seal(&clear, &storage(1));
    let of = name(&clear);
    // Twice, so that either slot is the free one once.
    for (old, new) in [(1, 2), (2, 3)] {
        let mut header = Header::decode(file.first_chunk().unwrap()).unwrap();
        let (old, new) = (storage(old), storage(new));
        let free = header.rewrap(&of, &old, &new, [4; 32]).unwrap().unwrap();
        assert_eq!(header.rewrap(&of, &old, &new, [5; 32]), Ok(None), "once");
        let (at, slot) = header.slot(free);
        file[at..at + slot.len()].copy_from_slice(&slot);
        for key in [&old, &new] {
            assert_eq!(open(&file, &of, key), Ok(clear.clone()));
        }
        let stranger = header.clone().keep_only(&of, &storage(7));
        assert_eq!(stranger, Err(AtRestError::OtherKey(storage(7).id())));
        for number in header.keep_only(&of, &new).unwrap() {
            let (at, slot) = header.slot(number);
            file[at..at + slot.len()].copy_from_slice(&slot);
        }
        assert_eq!(header.keep_only(&of, &new), Ok(vec![]), "once");
        assert_eq!(open(&file, &of, &new), Ok(clear.clone()));
        assert_eq!(open(&file, &of, &old), Err(AtRestError::OtherKey(old.id())));
    }
}

#[test]
fn a_key_is_written_as_hexadecimal_digits_and_never_shown() {
    let key = storage(0xab);
    let text = format!("{}\n", key.to_hex());
    assert_eq!(StorageKey::from_hex(&text).unwrap().id(), key.id());
    assert!(StorageKey::from_hex("abcd").is_none() && StorageKey::from_hex("").is_none());
    assert!(!format!("{key:?}").contains(&key.to_hex()[..16]));
    assert_eq!(key.id().to_string().parse(), Ok(key.id()));
    assert_ne!(key.id(), storage(0xac).id());
}

proptest! {
    #[test]
    fn any_changed_bit_that_is_read_is_noticed(bit in 0_usize..(CHUNK_BYTES + 2000) * 8) {
        let clear = content(CHUNK_BYTES + 100);
        let mut file = seal(&clear, &storage(1));
        let at = bit / 8 % file.len();
        file[at] ^= 1 << (bit % 8);
        // The room between the slots is not read.
        let padding = (10..16).contains(&at) || (120..HEADER_BYTES).contains(&at);
        let opened = open(&file, &name(&clear), &storage(1));
        prop_assert_eq!(opened.is_ok(), padding);
    }

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        prop_assert!(open(&bytes, &name(b"x"), &storage(1)).is_err());
    }
}
