use identity::{Code, EnrolmentRequest, Level, OpeningKey, Terms, issue_hub};

use super::*;
use crate::ledger::merkle::{Frontier, leaf};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn checkpoint(size: u64, at: i64) -> Checkpoint {
    let mut frontier = Frontier::default();
    for number in 0..size {
        frontier.append(leaf(&number.to_le_bytes())).unwrap();
    }
    Checkpoint {
        node: Path::hub(),
        epoch: 1,
        size,
        root: frontier.root(),
        at: Moment::from_millis(at),
    }
}

fn check(
    previous: Option<&Checkpoint>,
    new: &Checkpoint,
    proof: &[Digest],
) -> Result<(), CheckpointError> {
    check_extends(previous, new, proof, Moment::from_millis(1_000))
}

/// The hub's certificate with the key of this seed and this epoch.
fn certificate(seed: u8, epoch: u32) -> Certificate {
    let request = EnrolmentRequest {
        code: Code::HUB,
        name: "国家枢纽".into(),
        level: Level::Hub,
        signing_key: key(seed).verify_key(),
        transport_key: [seed; 32],
        sealing_key: OpeningKey::from_seed(1, [seed; 32]).sealing_key(Moment::MAX),
        authority_head: key(200).verify_key(),
        created: Moment::from_millis(0),
    };
    let terms = Terms {
        serial: 1,
        epoch,
        witnesses: vec![],
        valid_from: Moment::MIN,
        valid_until: Moment::MAX,
    };
    let issued = issue_hub(&request.sign(&key(seed)), &key(0), terms).unwrap();
    issued.claimed(2_048).unwrap()
}

#[test]
fn a_ledger_that_grew_is_accepted() {
    assert_eq!(check(None, &checkpoint(3, 1), &[]), Ok(()));
    // Two leaves to four: the right half is the proof.
    let mut right = Frontier::default();
    right.append(leaf(&2u64.to_le_bytes())).unwrap();
    right.append(leaf(&3u64.to_le_bytes())).unwrap();
    assert_eq!(
        check(Some(&checkpoint(2, 1)), &checkpoint(4, 2), &[right.root()]),
        Ok(())
    );
    assert_eq!(
        check(Some(&checkpoint(4, 1)), &checkpoint(4, 9), &[]),
        Ok(())
    );
    assert_eq!(
        check(Some(&checkpoint(0, 1)), &checkpoint(4, 9), &[]),
        Ok(())
    );
}

#[test]
fn a_ledger_that_was_rewritten_is_refused() {
    let old = checkpoint(2, 1);
    let forked = Checkpoint {
        root: leaf(b"other"),
        ..old.clone()
    };
    assert_eq!(
        check(Some(&old), &forked, &[]),
        Err(CheckpointError::Forked { size: 2 })
    );
    assert_eq!(
        check(Some(&old), &checkpoint(1, 2), &[]),
        Err(CheckpointError::Shrunk {
            before: 2,
            after: 1
        })
    );
    assert_eq!(
        check(Some(&old), &checkpoint(4, 2), &[leaf(b"other")]),
        Err(CheckpointError::BadProof(ProofError::Root))
    );
    assert_eq!(
        check(Some(&forked), &checkpoint(4, 2), &[]),
        Err(CheckpointError::BadProof(ProofError::Length))
    );
}

#[test]
fn another_signer_node_or_an_uncertified_epoch_is_refused() {
    let good = checkpoint(2, 1);
    assert_eq!(
        verify(&sign(&good, &key(1)), &certificate(1, 1)),
        Ok(good.clone())
    );
    let forged = verify(&sign(&good, &key(2)), &certificate(1, 1));
    assert_eq!(
        forged,
        Err(CheckpointError::Signature(VerifyError::Signature(
            BadSignature
        )))
    );
    let child = Path::hub().child("440000".parse().unwrap()).unwrap();
    let elsewhere = Checkpoint {
        node: child.clone(),
        ..good.clone()
    };
    let wrong = CheckpointError::WrongNode {
        expected: Path::hub(),
        found: child,
    };
    assert_eq!(
        verify(&sign(&elsewhere, &key(1)), &certificate(1, 1)),
        Err(wrong.clone())
    );
    assert_eq!(check(Some(&good), &elsewhere, &[]), Err(wrong));
    let next = Checkpoint {
        epoch: 2,
        ..good.clone()
    };
    assert_eq!(
        verify(&sign(&next, &key(1)), &certificate(1, 1)),
        Err(CheckpointError::EpochNotCertified {
            certified: 1,
            found: 2
        })
    );
    let back = CheckpointError::EpochBack { seen: 2, found: 1 };
    assert_eq!(check(Some(&next), &good, &[]), Err(back));
}

#[test]
fn a_time_in_the_future_or_before_the_last_is_refused() {
    let bound = 1_000 + MAX_CLOCK_AHEAD_MS;
    assert_eq!(check(None, &checkpoint(2, bound), &[]), Ok(()));
    assert_eq!(
        check(None, &checkpoint(2, bound + 1), &[]),
        Err(CheckpointError::FromTheFuture {
            ahead_ms: MAX_CLOCK_AHEAD_MS + 1
        })
    );
    let earlier = check(Some(&checkpoint(2, 2)), &checkpoint(2, 1), &[]);
    assert_eq!(earlier, Err(CheckpointError::TimeBack));
}

#[test]
fn a_certified_successor_begins_from_what_was_saved() {
    let successor = Checkpoint {
        epoch: 2,
        ..checkpoint(1, 1)
    };
    assert!(verify(&sign(&successor, &key(1)), &certificate(1, 2)).is_ok());
    assert_eq!(check(Some(&checkpoint(9, 3)), &successor, &[]), Ok(()));
}

#[test]
fn a_cosignature_holds_for_its_checkpoint_signer_and_time_only() {
    let signed = sign(&checkpoint(2, 1), &key(1));
    let good = cosign(&signed, &Path::hub(), Moment::from_millis(7), &key(2));
    let bad = Err(CosignatureError::Signature(BadSignature));
    assert_eq!(
        verify_cosignature(&signed, &good, &certificate(2, 1)),
        Ok(())
    );
    assert_eq!(verify_cosignature(&signed, &good, &certificate(1, 1)), bad);
    let other = sign(&checkpoint(3, 1), &key(1));
    assert_eq!(verify_cosignature(&other, &good, &certificate(2, 1)), bad);
    let earlier = Cosignature {
        at: Moment::from_millis(6),
        ..good.clone()
    };
    assert_eq!(
        verify_cosignature(&signed, &earlier, &certificate(2, 1)),
        bad
    );
    let child = Path::hub().child("440000".parse().unwrap()).unwrap();
    let posing = Cosignature {
        by: child.clone(),
        ..good
    };
    assert_eq!(
        verify_cosignature(&signed, &posing, &certificate(2, 1)),
        Err(CosignatureError::WrongNode {
            expected: Path::hub(),
            found: child.clone()
        })
    );
    let renamed = Cosignature {
        by: Path::hub(),
        ..cosign(&signed, &child, posing.at, &key(2))
    };
    assert_eq!(
        verify_cosignature(&signed, &renamed, &certificate(2, 1)),
        bad
    );
}

#[test]
fn two_signatures_prove_a_fork_and_nothing_less_does() {
    let first = checkpoint(2, 1);
    let second = Checkpoint {
        root: leaf(b"other"),
        at: Moment::from_millis(2),
        ..first.clone()
    };
    let verify = |one: &Checkpoint, two: &Checkpoint, signer: u8| {
        let evidence = ForkEvidence {
            first: sign(one, &key(1)),
            second: sign(two, &key(signer)),
        };
        evidence.verify(&key(1).verify_key())
    };
    assert_eq!(
        verify(&first, &second, 1),
        Ok((first.clone(), second.clone()))
    );
    assert_eq!(verify(&first, &first, 1), Err(ForkError::Agree));
    assert_eq!(
        verify(&first, &checkpoint(3, 1), 1),
        Err(ForkError::NotComparable)
    );
    let successor = Checkpoint {
        epoch: 2,
        ..second.clone()
    };
    assert_eq!(verify(&first, &successor, 1), Err(ForkError::NotComparable));
    assert!(matches!(
        verify(&first, &second, 2),
        Err(ForkError::Signature(_))
    ));
}

#[test]
fn the_longest_checkpoint_fits_its_bound() {
    let mut node = Path::hub();
    for letter in 'a'..='g' {
        node = node
            .child(letter.to_string().repeat(12).parse().unwrap())
            .unwrap();
    }
    let longest = Checkpoint {
        node,
        epoch: u32::MAX,
        size: u64::MAX,
        root: leaf(b""),
        at: Moment::MAX,
    };
    let signed = sign(&longest, &key(1));
    assert_eq!(signed_by(&signed, &key(1).verify_key()), Ok(longest));
}
