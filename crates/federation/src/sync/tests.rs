//! Each defect of a head and of a segment, order, proofs, offers; and that what is cut is accepted.

use identity::membership::EnrolmentRequest;
use identity::{
    Chain, Code, Domain, Level, Member, OpeningKey, Revocation, Signature, SigningKey, Terms,
    VerifyError, codec, issue, issue_hub,
};
use proptest::prelude::*;
use sharing::catalogue::Change;

use super::*;

const AT: Moment = Moment::from_millis(50);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn request(code: &str, level: Level, seed: u8) -> Signed<EnrolmentRequest> {
    let request = EnrolmentRequest {
        code: code.parse().unwrap(),
        name: format!("节点 {code}"),
        level,
        signing_key: key(seed).verify_key(),
        transport_key: [seed; 32],
        sealing_key: OpeningKey::from_seed(1, [seed; 32]).sealing_key(Moment::MAX),
        authority_head: key(200).verify_key(),
        created: Moment::from_millis(0),
    };
    request.sign(&key(seed))
}

fn terms(serial: u64) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: vec![],
        valid_from: Moment::from_millis(10),
        valid_until: Moment::from_millis(100),
    }
}

/// The hub signs with key 1, 广东省 with key 2.
fn members() -> (Member, Member) {
    let hub = issue_hub(&request("100000", Level::Hub, 1), &key(0), terms(1)).unwrap();
    let parent = hub
        .claimed(identity::membership::MAX_CERTIFICATE_BYTES)
        .unwrap();
    let child = issue(
        &request("440000", Level::Province, 2),
        &parent,
        &key(1),
        terms(1),
    )
    .unwrap();
    let verify = |certificates| {
        Chain::new(certificates)
            .verify(&key(0).verify_key(), AT, &|_, _| false)
            .unwrap()
    };
    (verify(vec![hub.clone()]), verify(vec![hub, child]))
}

fn member() -> Member {
    members().1
}

/// A change of about `bytes` bytes.
fn change(number: u64, bytes: usize) -> Change {
    let mut content = vec![0u8; bytes];
    // Bytes that do not compress, so that sizes mean what they say.
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for byte in &mut content {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = state as u8;
    }
    Change::MemberRevoked {
        revocation: Signed::<Revocation>::from_parts(content, Signature::from_bytes([7; 64])),
    }
}

fn some(numbers: std::ops::Range<u64>) -> Vec<Change> {
    numbers.map(|number| change(number, 40)).collect()
}

fn cut_after(log: &LogState, changes: &[Change]) -> (Segment, LogState) {
    cut(member().place(), log, changes, AT, &key(2)).unwrap()
}

fn head(segment: &Segment) -> Head {
    segment.head.claimed(MAX_HEAD_BYTES).unwrap()
}

/// The segment with its head changed and signed again by its publisher.
fn resigned(segment: &Segment, alter: impl FnOnce(&mut Head)) -> Segment {
    let mut head = head(segment);
    alter(&mut head);
    Segment {
        head: Signed::sign(&head, Domain::Segment, &key(2)),
        body: segment.body.clone(),
    }
}

/// The segment with another body, which the head names.
fn with_body(segment: &Segment, body: Vec<u8>) -> Segment {
    let digest = Digest::of(Domain::Body, &body);
    Segment {
        body,
        ..resigned(segment, |head| head.body = digest)
    }
}

fn refused(log: &LogState, segment: &Segment) -> SyncError {
    accept(&member(), log, segment).unwrap_err()
}

#[test]
fn what_is_cut_is_accepted_in_order() {
    let empty = LogState::default();
    let (first, after_first) = cut_after(&empty, &some(0..5));
    let (second, after_second) = cut_after(&after_first, &some(5..7));
    let one = accept(&member(), &empty, &first).unwrap();
    assert_eq!(
        (one.head.first, one.head.last, &one.log),
        (1, 5, &after_first)
    );
    assert_eq!(one.changes, some(0..5));
    let two = accept(&member(), &one.log, &second).unwrap();
    assert_eq!(
        (two.head.first, two.head.last, &two.log),
        (6, 7, &after_second)
    );
    assert_eq!(two.head.previous_root, one.head.root);
    assert_eq!(two.changes, some(5..7));
}

#[test]
fn publishing_cuts_as_batches_do() {
    let changes: Vec<Change> = (0..2_500).map(|number| change(number, 100)).collect();
    let counts: Vec<usize> = batches(changes.clone()).iter().map(Vec::len).collect();
    assert_eq!(counts, [1_024, 1_024, 452]);
    let (segments, log) = publish(
        member().place(),
        &LogState::default(),
        &changes,
        AT,
        &key(2),
    )
    .unwrap();
    let mut step = LogState::default();
    for (segment, batch) in segments.iter().zip(batches(changes)) {
        let (same, after) = cut_after(&step, &batch);
        assert_eq!(segment, &same);
        step = after;
    }
    assert_eq!((step.last, &step), (2_500, &log));
    assert_eq!(
        publish(member().place(), &log, &[], AT, &key(2)),
        Ok((vec![], log.clone()))
    );
}

#[test]
fn batches_split_by_bytes_and_every_one_fits() {
    let changes: Vec<Change> = (0..6).map(|number| change(number, 300 << 10)).collect();
    let counts: Vec<usize> = batches(changes.clone()).iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 2, 2]);
    let (segments, _) = publish(
        member().place(),
        &LogState::default(),
        &changes,
        AT,
        &key(2),
    )
    .unwrap();
    assert!(
        segments
            .iter()
            .all(|segment| segment.body.len() <= MAX_SEGMENT_BYTES)
    );
    let largest = change(
        1,
        MAX_CHANGE_BYTES - codec::encode(&change(1, 70_000)).len() + 70_000,
    );
    assert_eq!(codec::encode(&largest).len(), MAX_CHANGE_BYTES);
    let (segment, _) = cut_after(&LogState::default(), std::slice::from_ref(&largest));
    assert!(
        segment.body.len() > MAX_CHANGE_BYTES,
        "the worst case does not compress"
    );
    assert_eq!(
        accept(&member(), &LogState::default(), &segment)
            .unwrap()
            .changes,
        [largest]
    );
}

#[test]
fn what_cannot_be_cut_is_refused() {
    let (member, empty) = (member(), LogState::default());
    let cut = |changes: &[Change], log: &LogState| {
        cut(member.place(), log, changes, AT, &key(2)).unwrap_err()
    };
    assert_eq!(cut(&[], &empty), CutError::Empty);
    assert_eq!(cut(&some(0..1_025), &empty), CutError::TooMany);
    let large = [change(0, 10), change(1, MAX_CHANGE_BYTES)];
    assert!(matches!(
        cut(&large, &empty),
        CutError::ChangeTooLarge { index: 1, .. }
    ));
    assert_eq!(
        batches(large.to_vec()),
        [[large[0].clone()], [large[1].clone()]]
    );
    let full = LogState {
        last: u64::MAX - 1,
        ..LogState::default()
    };
    assert_eq!(cut(&some(0..2), &full), CutError::LogFull);
}

#[test]
fn a_foreign_signature_or_purpose_is_refused() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    let claimed = head(&segment);
    for forged in [
        Signed::sign(&claimed, Domain::Segment, &key(9)),
        Signed::sign(&claimed, Domain::Event, &key(2)),
    ] {
        let segment = Segment {
            head: forged,
            body: segment.body.clone(),
        };
        let error = refused(&LogState::default(), &segment);
        assert!(
            matches!(error, SyncError::Head(VerifyError::Signature(_))),
            "{error}"
        );
    }
    let long = Signed::from_parts(vec![0; MAX_HEAD_BYTES + 1], *segment.head.signature());
    let error = refused(
        &LogState::default(),
        &Segment {
            head: long,
            body: segment.body.clone(),
        },
    );
    assert!(
        matches!(error, SyncError::Head(VerifyError::Codec(_))),
        "{error}"
    );
}

#[test]
fn a_member_publishes_its_own_log_only() {
    let (hub, child) = members();
    let (segment, _) = cut(
        child.place(),
        &LogState::default(),
        &some(0..3),
        AT,
        &key(1),
    )
    .unwrap();
    let expected = SyncError::Foreign {
        publisher: child.place().clone(),
        signer: hub.place().clone(),
    };
    assert_eq!(accept(&hub, &LogState::default(), &segment), Err(expected));
}

#[test]
fn impossible_numbers_are_refused() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    for (first, last) in [
        (0, 3),
        (4, 3),
        (1, 1 + MAX_SEGMENT_CHANGES as u64),
        (1, u64::MAX),
    ] {
        let segment = resigned(&segment, |head| (head.first, head.last) = (first, last));
        assert_eq!(
            refused(&LogState::default(), &segment),
            SyncError::Malformed { first, last }
        );
    }
}

#[test]
fn heads_alone_replay_a_log() {
    let (first, log) = cut_after(&LogState::default(), &some(0..3));
    let (second, later) = cut_after(&log, &some(3..5));
    let replayed = LogState::default().after(&head(&first)).unwrap();
    assert_eq!(replayed, log);
    assert_eq!(replayed.after(&head(&second)), Ok(later));
    assert_eq!(
        LogState::default().after(&head(&second)),
        Err(SyncError::Gap {
            expected: 1,
            got: 4
        })
    );
}

#[test]
fn a_gap_and_stale_news_are_refused() {
    let (first, log) = cut_after(&LogState::default(), &some(0..3));
    let (second, later) = cut_after(&log, &some(3..5));
    assert_eq!(
        refused(&LogState::default(), &second),
        SyncError::Gap {
            expected: 1,
            got: 4
        }
    );
    assert_eq!(
        refused(&log, &first),
        SyncError::Stale { last: 3, known: 3 }
    );
    assert_eq!(
        refused(&later, &first),
        SyncError::Stale { last: 3, known: 5 }
    );
}

#[test]
fn two_histories_of_one_log_are_a_fork() {
    let empty = LogState::default();
    let (first, log) = cut_after(&empty, &some(0..3));
    let (other, other_log) = cut_after(&empty, &some(10..13));
    assert_eq!(
        refused(&log, &other),
        SyncError::Fork {
            at: 3,
            first: log.root,
            second: other_log.root
        }
    );
    assert_eq!(
        conflict(&head(&first), &head(&other)),
        Some(Conflict::SameChanges)
    );

    let (continued, _) = cut_after(&other_log, &some(13..14));
    assert_eq!(
        refused(&log, &continued),
        SyncError::Fork {
            at: 3,
            first: log.root,
            second: other_log.root
        }
    );
    assert_eq!(
        conflict(&head(&continued), &head(&first)),
        Some(Conflict::Continuation)
    );

    let (across, across_log) = cut_after(&empty, &some(0..4));
    assert_eq!(
        refused(&log, &across),
        SyncError::Fork {
            at: 4,
            first: log.root,
            second: across_log.root
        }
    );
    assert_eq!(
        conflict(&head(&first), &head(&across)),
        Some(Conflict::Overlap)
    );
}

#[test]
fn heads_of_one_log_do_not_conflict() {
    let (first, log) = cut_after(&LogState::default(), &some(0..3));
    let (second, later) = cut_after(&log, &some(3..5));
    let (third, _) = cut_after(&later, &some(5..6));
    let (first, second, third) = (head(&first), head(&second), head(&third));
    for (one, other) in [(&first, &first), (&first, &second), (&third, &first)] {
        assert_eq!(conflict(one, other), None);
    }
    let again = Head {
        at: AT.plus_seconds(1),
        ..first.clone()
    };
    assert_eq!(conflict(&first, &again), None);
    let elsewhere = Head {
        publisher: Path::hub(),
        root: second.root,
        ..first.clone()
    };
    assert_eq!(conflict(&first, &elsewhere), None);
}

#[test]
fn another_body_is_refused() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    let (other, _) = cut_after(&LogState::default(), &some(7..10));
    let swapped = Segment {
        head: segment.head.clone(),
        body: other.body.clone(),
    };
    assert_eq!(refused(&LogState::default(), &swapped), SyncError::BadBody);
    let signed = with_body(&segment, other.body.clone());
    let expected = SyncError::BadRoot {
        signed: head(&segment).segment_root,
        computed: head(&other).segment_root,
    };
    assert_eq!(refused(&LogState::default(), &signed), expected);
    let (fewer, _) = cut_after(&LogState::default(), &some(0..2));
    let short = with_body(&segment, fewer.body.clone());
    assert_eq!(
        refused(&LogState::default(), &short),
        SyncError::Count {
            expected: 3,
            got: 2
        }
    );
}

#[test]
fn changes_in_another_order_are_refused() {
    let (segment, _) = cut_after(&LogState::default(), &[change(0, 40), change(1, 40)]);
    let (swapped, _) = cut_after(&LogState::default(), &[change(1, 40), change(0, 40)]);
    let error = refused(&LogState::default(), &with_body(&segment, swapped.body));
    assert!(matches!(error, SyncError::BadRoot { .. }), "{error}");
}

#[test]
fn a_wrong_root_of_the_log_is_refused() {
    let (segment, log) = cut_after(&LogState::default(), &some(0..3));
    let wrong = Digest::from_bytes([9; 32]);
    let forged = resigned(&segment, |head| head.root = wrong);
    assert_eq!(
        refused(&LogState::default(), &forged),
        SyncError::BadRoot {
            signed: wrong,
            computed: log.root
        }
    );
}

#[test]
fn too_large_a_body_is_refused_before_it_is_opened() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    let large = with_body(&segment, vec![0; MAX_SEGMENT_BYTES + 1]);
    let expected = SyncError::TooLarge {
        bytes: MAX_SEGMENT_BYTES + 1,
        max: MAX_SEGMENT_BYTES,
    };
    assert_eq!(refused(&LogState::default(), &large), expected);
    let mut bomb = segment.body.clone();
    bomb[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let expected = BodyError::TooLarge {
        bytes: u32::MAX as usize,
        max: MAX_SEGMENT_RAW_BYTES,
    };
    assert_eq!(
        refused(&LogState::default(), &with_body(&segment, bomb)),
        SyncError::Body(expected)
    );
}

#[test]
fn a_body_that_does_not_open_is_refused() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    let whole = segment.body.clone();
    let mut longer_claim = whole.clone();
    longer_claim[0] += 1;
    let mut shorter_claim = whole.clone();
    shorter_claim[0] -= 1;
    for body in [
        vec![],
        vec![1, 2],
        whole[..whole.len() - 1].to_vec(),
        longer_claim,
        shorter_claim,
    ] {
        let error = refused(&LogState::default(), &with_body(&segment, body));
        assert!(
            matches!(error, SyncError::Body(BodyError::Compression(_))),
            "{error}"
        );
    }
}

#[test]
fn broken_framing_is_refused() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    let body_of = |raw: &[u8]| with_body(&segment, lz4_flex::block::compress_prepend_size(raw));
    let framing = |raw: &[u8]| refused(&LogState::default(), &body_of(raw));
    assert_eq!(framing(&[1, 0]), SyncError::Body(BodyError::Framing(0)));
    assert_eq!(
        framing(&[2, 0, 0, 0, 9]),
        SyncError::Body(BodyError::Framing(0))
    );
    assert_eq!(
        framing(&[1, 0, 0, 0, 9, 255, 255, 255, 255, 1]),
        SyncError::Body(BodyError::Framing(1))
    );
    let many = [0u8; 4].repeat(MAX_SEGMENT_CHANGES + 1);
    assert_eq!(
        framing(&many),
        SyncError::Body(BodyError::Framing(MAX_SEGMENT_CHANGES))
    );
}

#[test]
fn a_change_that_does_not_decode_is_refused_although_signed() {
    let nonsense = vec![codec::encode(&change(0, 40)), vec![250, 1, 2]];
    let body = super::body::pack(&nonsense);
    let segment_root = super::body::root(nonsense.iter().map(Vec::as_slice)).unwrap();
    let log = LogState::default();
    let after = log.with_segment(2, &segment_root).unwrap();
    let head = Head {
        publisher: member().place().clone(),
        first: 1,
        last: 2,
        segment_root,
        previous_root: log.root,
        root: after.root,
        body: Digest::of(Domain::Body, &body),
        at: AT,
    };
    let error = refused(
        &log,
        &Segment {
            head: Signed::sign(&head, Domain::Segment, &key(2)),
            body,
        },
    );
    assert!(
        matches!(error, SyncError::Body(BodyError::Change { index: 1, .. })),
        "{error}"
    );
}

#[test]
fn stored_bodies_are_read_whole_and_by_pointer() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..3));
    assert_eq!(changes(&segment.body), Ok(some(0..3)));
    assert_eq!(change_at(&segment.body, 1), Ok(change(1, 40)));
    assert_eq!(change_at(&segment.body, 3), Err(BodyError::NoChange(3)));
}

#[test]
fn a_segment_travels_as_bytes() {
    let (segment, log) = cut_after(&LogState::default(), &some(0..3));
    let bytes = codec::encode(&segment);
    assert!(bytes.len() < segment.body.len() + segment.head.bytes().len() + 80);
    assert_eq!(codec::decode::<Segment>(&bytes, bytes.len()), Ok(segment));
    let bytes = codec::encode(&log);
    assert_eq!(codec::decode::<LogState>(&bytes, bytes.len()), Ok(log));
}

#[test]
fn the_longest_head_fits() {
    let label = |index: u8| -> Code {
        format!("abcdefghijk{}", char::from(b'a' + index))
            .parse()
            .unwrap()
    };
    let codes = std::iter::once(Code::HUB)
        .chain((0..7).map(label))
        .collect();
    let digest = Digest::from_bytes([255; 32]);
    let head = Head {
        publisher: Path::new(codes).unwrap(),
        first: u64::MAX,
        last: u64::MAX,
        segment_root: digest,
        previous_root: digest,
        root: digest,
        body: digest,
        at: Moment::MAX,
    };
    assert!(codec::encode(&head).len() <= MAX_HEAD_BYTES);
}

#[test]
fn a_proof_holds_for_its_change_alone() {
    let (segment, _) = cut_after(&LogState::default(), &some(0..5));
    let head = verify_head(&member(), &segment.head).unwrap();
    let proof = entry_proof(&segment, 3).unwrap();
    assert_eq!(proof.sequence, 4);
    assert_eq!(proof.verify(&head), Ok(change(3, 40)));
    let bad = |proof: ChangeProof| {
        assert_eq!(
            proof.verify(&head),
            Err(SyncError::BadProof {
                sequence: proof.sequence
            })
        )
    };
    bad(ChangeProof {
        sequence: 3,
        ..proof.clone()
    });
    bad(ChangeProof {
        sequence: 6,
        ..proof.clone()
    });
    bad(ChangeProof {
        sequence: 0,
        ..proof.clone()
    });
    bad(ChangeProof {
        change: codec::encode(&change(9, 40)),
        ..proof.clone()
    });
    bad(ChangeProof {
        path: proof.path[1..].to_vec(),
        ..proof.clone()
    });
    let another = Head {
        segment_root: head.root,
        ..head.clone()
    };
    assert!(proof.verify(&another).is_err());
    assert_eq!(
        entry_proof(&segment, 5),
        Err(SyncError::Body(BodyError::NoChange(5)))
    );
}

#[test]
fn equal_offers_mean_equal_heads() {
    let code = |text: &str| -> Code { text.parse().unwrap() };
    let root = |byte| Digest::from_bytes([byte; 32]);
    let heads = [(code("440000"), 3, root(1)), (code("mps"), 5, root(2))];
    let offer = heads_digest(heads);
    assert_eq!(offer, heads_digest([heads[1], heads[0]]));
    let others = [
        vec![],
        vec![heads[0]],
        vec![heads[0], (code("mps"), 6, root(2))],
        vec![heads[0], (code("mps"), 5, root(3))],
        vec![heads[0], (code("mca"), 5, root(2))],
    ];
    assert!(others.into_iter().all(|other| heads_digest(other) != offer));
}

#[test]
fn a_neighbours_head_says_what_to_ask_for() {
    let empty = LogState::default();
    let (first, log) = cut_after(&empty, &some(0..3));
    let (_, forked) = cut_after(&empty, &some(5..8));
    let head = head(&first);
    assert_eq!(standing(&empty, &head), Standing::Behind { after: 0 });
    assert_eq!(standing(&log, &head), Standing::Same);
    assert_eq!(standing(&forked, &head), Standing::Forked);
    let (_, later) = cut_after(&log, &some(3..4));
    assert_eq!(standing(&later, &head), Standing::Ahead);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn any_log_arrives_as_it_was_published(sizes in proptest::collection::vec(0usize..3_000, 0..60), pieces in 1usize..5) {
        let member = member();
        let changes: Vec<Change> = (0u64..).zip(&sizes).map(|(number, size)| change(number, *size)).collect();
        let (mut sent, mut received) = (LogState::default(), LogState::default());
        let mut arrived = Vec::new();
        for piece in changes.chunks(changes.len() / pieces + 1) {
            let (segments, after) = publish(member.place(), &sent, piece, AT, &key(2)).unwrap();
            sent = after;
            for segment in segments {
                let accepted = accept(&member, &received, &segment).unwrap();
                for index in 0..accepted.changes.len() {
                    let proof = entry_proof(&segment, index).unwrap();
                    prop_assert_eq!(&proof.verify(&accepted.head).unwrap(), &accepted.changes[index]);
                }
                received = accepted.log;
                arrived.extend(accepted.changes);
            }
        }
        prop_assert_eq!(arrived, changes);
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn a_changed_byte_of_the_body_is_refused(at in 0usize..10_000, flip in 1u8..=255) {
        let (mut segment, _) = cut_after(&LogState::default(), &some(0..3));
        let at = at % segment.body.len();
        segment.body[at] ^= flip;
        prop_assert_eq!(refused(&LogState::default(), &segment), SyncError::BadBody);
    }

    #[test]
    fn no_signed_body_panics(at in 0usize..10_000, flip in 1u8..=255, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (segment, _) = cut_after(&LogState::default(), &some(0..3));
        let mut altered = segment.body.clone();
        let at = at % altered.len();
        altered[at] ^= flip;
        // Another compression of the same bytes would be accepted, anything else is refused; neither may panic.
        let _ = accept(&member(), &LogState::default(), &with_body(&segment, altered));
        prop_assert!(accept(&member(), &LogState::default(), &with_body(&segment, body)).is_err());
    }
}
