use std::collections::BTreeMap;
use std::convert::Infallible;

use identity::{
    Certificate, Chain, Code, EnrolmentRequest, Level, OpeningKey, Signed, SigningKey, Terms,
    issue, issue_hub,
};

use super::*;
use crate::ledger::checkpoint::{cosign, sign};
use crate::ledger::merkle::{Frontier, Nodes, inclusion, leaf};

const AT: Moment = Moment::from_millis(50_000);
const LATER: Moment = Moment::from_millis(60_000);
const VALID_UNTIL: Moment = Moment::from_millis(1_000_000);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn request(text: &str, level: Level, seed: u8) -> Signed<EnrolmentRequest> {
    let request = EnrolmentRequest {
        code: code(text),
        name: format!("节点 {text}"),
        level,
        signing_key: key(seed).verify_key(),
        transport_key: [seed; 32],
        sealing_key: OpeningKey::from_seed(1, [seed; 32]).sealing_key(Moment::MAX),
        authority_head: key(200).verify_key(),
        created: Moment::from_millis(0),
    };
    request.sign(&key(seed))
}

fn terms(serial: u64, witnesses: &[&str]) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: witnesses.iter().map(|it| code(it)).collect(),
        valid_from: Moment::from_millis(10),
        valid_until: VALID_UNTIL,
    }
}

fn hub() -> Chain {
    Chain::new(vec![
        issue_hub(
            &request("100000", Level::Hub, 1),
            &key(0),
            terms(1, &["mps"]),
        )
        .unwrap(),
    ])
}

fn child(
    parent: &Chain,
    parent_seed: u8,
    text: &str,
    level: Level,
    seed: u8,
    witnesses: &[&str],
) -> Chain {
    let above: Certificate = parent
        .certificates()
        .last()
        .unwrap()
        .claimed(2_048)
        .unwrap();
    let certificate = issue(
        &request(text, level, seed),
        &above,
        &key(parent_seed),
        terms(u64::from(seed), witnesses),
    )
    .unwrap();
    parent.with(certificate)
}

/// 440000, whose witness is 210000.
fn province() -> Chain {
    child(&hub(), 1, "440000", Level::Province, 2, &["210000"])
}

fn witness() -> Chain {
    child(&hub(), 1, "210000", Level::Province, 3, &[])
}

fn ministry() -> Chain {
    child(&hub(), 1, "mps", Level::Ministry, 4, &[])
}

fn place(chain: &Chain) -> Path {
    chain
        .verify_historic(&key(0).verify_key(), AT)
        .unwrap()
        .place()
        .clone()
}

struct Map(BTreeMap<(u8, u64), Digest>);

impl Nodes for Map {
    type Error = Infallible;
    fn node(&self, level: u8, index: u64) -> Result<Option<Digest>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}

fn evidence() -> Evidence {
    let records: Vec<Vec<u8>> = (0..7u8).map(|number| vec![number; 3]).collect();
    let mut frontier = Frontier::default();
    let mut map = Map(BTreeMap::new());
    for record in &records {
        for (level, index, digest) in frontier.append(leaf(record)).unwrap() {
            map.0.insert((level, index), digest);
        }
    }
    let chain = province();
    let checkpoint = Checkpoint {
        node: place(&chain),
        epoch: 1,
        size: 7,
        root: frontier.root(),
        at: AT,
    };
    let checkpoint = sign(&checkpoint, &key(2));
    let by = |chain: Chain, seed: u8| {
        (
            cosign(&checkpoint, &place(&chain), LATER, &key(seed)),
            chain,
        )
    };
    Evidence {
        record: records[5].clone(),
        index: 5,
        inclusion: inclusion(5, 7, &map).unwrap(),
        cosignatures: vec![by(hub(), 1), by(witness(), 3)],
        checkpoint,
        chain,
    }
}

fn verify(change: impl FnOnce(&mut Evidence)) -> Result<Verdict, EvidenceError> {
    let mut evidence = evidence();
    change(&mut evidence);
    evidence.verify(&key(0).verify_key())
}

/// Signs another checkpoint in place of the one there; the cosignatures no longer hold.
fn resign(evidence: &mut Evidence, seed: u8, change: impl FnOnce(&mut Checkpoint)) {
    let mut checkpoint = evidence.checkpoint.claimed(MAX_CHECKPOINT_BYTES).unwrap();
    change(&mut checkpoint);
    evidence.checkpoint = sign(&checkpoint, &key(seed));
    evidence.cosignatures.clear();
}

#[test]
fn whole_evidence_says_who_where_when_and_who_attests_it() {
    let verdict = verify(|_| ()).unwrap();
    assert_eq!(verdict.node.to_string(), "100000/440000");
    assert_eq!(verdict.name, "节点 440000");
    assert_eq!(
        (verdict.index, verdict.size, verdict.at, verdict.epoch),
        (5, 7, AT, 1)
    );
    assert_eq!(verdict.leaf, leaf(&[5; 3]));
    let cosigned: Vec<_> = verdict
        .cosigned
        .iter()
        .map(|it| (it.by.to_string(), it.relation, it.at))
        .collect();
    assert_eq!(
        cosigned,
        [
            ("100000".into(), Relation::Parent, LATER),
            ("100000/210000".into(), Relation::Witness, LATER)
        ]
    );
}

#[test]
fn evidence_nobody_cosigned_is_valid_and_says_so() {
    assert!(
        verify(|it| it.cosignatures.clear())
            .unwrap()
            .cosigned
            .is_empty()
    );
}

#[test]
fn an_altered_record_place_or_proof_is_refused() {
    let root = Err(EvidenceError::Inclusion(ProofError::Root));
    assert_eq!(verify(|it| it.record[0] ^= 1), root);
    assert_eq!(verify(|it| it.inclusion[1] = leaf(b"x")), root);
    assert!(matches!(
        verify(|it| it.index = 4),
        Err(EvidenceError::Inclusion(_))
    ));
    assert_eq!(
        verify(|it| it.index = 7),
        Err(EvidenceError::Inclusion(ProofError::Outside))
    );
    assert_eq!(
        verify(|it| {
            it.inclusion.pop();
        }),
        Err(EvidenceError::Inclusion(ProofError::Length))
    );
}

#[test]
fn a_checkpoint_of_another_signer_node_or_epoch_is_refused() {
    assert!(matches!(
        verify(|it| resign(it, 9, |_| ())),
        Err(EvidenceError::Checkpoint(CheckpointError::Signature(_)))
    ));
    assert!(matches!(
        verify(|it| resign(it, 2, |checkpoint| checkpoint.node = Path::hub())),
        Err(EvidenceError::Checkpoint(CheckpointError::WrongNode { .. }))
    ));
    assert!(matches!(
        verify(|it| resign(it, 2, |checkpoint| checkpoint.epoch = 2)),
        Err(EvidenceError::Checkpoint(
            CheckpointError::EpochNotCertified {
                certified: 1,
                found: 2
            }
        ))
    ));
}

#[test]
fn a_chain_must_hold_at_the_time_of_the_checkpoint_and_lead_to_the_root() {
    let late = VALID_UNTIL.plus_millis(1);
    assert!(matches!(
        verify(|it| resign(it, 2, |checkpoint| checkpoint.at = late)),
        Err(EvidenceError::NotAMember(_))
    ));
    assert!(matches!(
        evidence().verify(&key(9).verify_key()),
        Err(EvidenceError::NotAMember(_))
    ));
    assert!(verify(|it| resign(it, 2, |checkpoint| checkpoint.at = VALID_UNTIL)).is_ok());
}

#[test]
fn only_the_parent_and_named_witnesses_attest() {
    let by_whom = |it: &Evidence, chain: Chain, seed: u8, at: Moment| {
        (
            cosign(&it.checkpoint, &place(&chain), at, &key(seed)),
            chain,
        )
    };
    let by = place(&ministry());
    assert_eq!(
        verify(|it| it.cosignatures.push(by_whom(it, ministry(), 4, LATER))),
        Err(EvidenceError::NotAWitness { by })
    );
    assert_eq!(
        verify(|it| it.cosignatures.push(by_whom(it, hub(), 1, LATER))),
        Err(EvidenceError::CosignedTwice { by: Path::hub() })
    );
    assert_eq!(
        verify(|it| it.cosignatures[0] = by_whom(it, hub(), 9, LATER)),
        Err(EvidenceError::Cosignature { by: Path::hub() })
    );
    assert_eq!(
        verify(|it| it.cosignatures[0].1 = ministry()),
        Err(EvidenceError::CosignerWrongChain { by: Path::hub() })
    );
    assert!(matches!(
        verify(|it| it.cosignatures[0] = by_whom(it, hub(), 1, Moment::MAX)),
        Err(EvidenceError::CosignerNotAMember { .. })
    ));
}

#[test]
fn a_cosignature_before_its_checkpoint_is_refused_beyond_what_clocks_differ() {
    let at = |after: i64| {
        verify(|it| {
            resign(it, 2, |checkpoint| {
                checkpoint.at = Moment::from_millis(200_000)
            });
            let time = Moment::from_millis(200_000 - after);
            it.cosignatures = vec![(cosign(&it.checkpoint, &Path::hub(), time, &key(1)), hub())];
        })
    };
    assert!(at(MAX_CLOCK_AHEAD_MS).is_ok());
    assert_eq!(
        at(MAX_CLOCK_AHEAD_MS + 1),
        Err(EvidenceError::CosignedBefore { by: Path::hub() })
    );
}

#[test]
fn bytes_and_json_come_back_and_bounds_hold() {
    let evidence = evidence();
    let bytes = evidence.encode();
    assert_eq!(Evidence::decode(&bytes), Ok(evidence.clone()));
    assert!(matches!(
        Evidence::decode(&bytes[1..]),
        Err(EvidenceError::Codec(_))
    ));
    assert!(matches!(
        Evidence::decode(&vec![0; MAX_EVIDENCE_BYTES + 1]),
        Err(EvidenceError::Codec(_))
    ));

    let json = serde_json::to_string(&EvidenceFile::new(evidence.clone())).unwrap();
    assert!(json.contains("\"record\":\"050505\""));
    let file: EvidenceFile = serde_json::from_str(&json).unwrap();
    assert_eq!(file.clone().into_evidence(), Ok(evidence.clone()));
    let other = EvidenceFile {
        format: "x".into(),
        ..file
    };
    assert_eq!(
        other.into_evidence(),
        Err(EvidenceError::Format { found: "x".into() })
    );
    assert!(
        serde_json::from_str::<EvidenceFile>(&json.replace("\"050505\"", "\"05050\"")).is_err()
    );
    assert!(
        serde_json::from_str::<EvidenceFile>(&json.replace("\"050505\"", "\"05050g\"")).is_err()
    );

    let long = |change: fn(&mut Evidence)| {
        let mut evidence = evidence.clone();
        change(&mut evidence);
        (
            Evidence::decode(&evidence.encode()).unwrap_err(),
            evidence.verify(&key(0).verify_key()).unwrap_err(),
        )
    };
    let record = EvidenceError::TooLong {
        what: "record",
        found: MAX_RECORD_BYTES + 1,
        limit: MAX_RECORD_BYTES,
    };
    assert_eq!(
        long(|it| it.record = vec![0; MAX_RECORD_BYTES + 1]),
        (record.clone(), record)
    );
    let proof = EvidenceError::TooLong {
        what: "inclusion proof",
        found: 64,
        limit: MAX_INCLUSION,
    };
    assert_eq!(
        long(|it| it.inclusion = vec![leaf(b""); 64]),
        (proof.clone(), proof)
    );
    let (found, limit) = (MAX_COSIGNATURES + 1, MAX_COSIGNATURES);
    let many = EvidenceError::TooLong {
        what: "list of cosignatures",
        found,
        limit,
    };
    assert_eq!(
        long(|it| it.cosignatures = vec![it.cosignatures[0].clone(); MAX_COSIGNATURES + 1]),
        (many.clone(), many)
    );
}

#[test]
fn the_hub_is_attested_by_its_children() {
    let mut evidence = evidence();
    evidence.chain = hub();
    let mut checkpoint = evidence.checkpoint.claimed(MAX_CHECKPOINT_BYTES).unwrap();
    checkpoint.node = Path::hub();
    evidence.checkpoint = sign(&checkpoint, &key(1));
    let mut by = |chain: Chain, seed: u8| {
        let cosignature = cosign(&evidence.checkpoint, &place(&chain), LATER, &key(seed));
        evidence.cosignatures = vec![(cosignature, chain)];
        let verdict = evidence.verify(&key(0).verify_key());
        verdict.map(|verdict| verdict.cosigned[0].relation)
    };
    assert_eq!(by(province(), 2), Ok(Relation::ChildOfHub));
    assert_eq!(by(ministry(), 4), Ok(Relation::Witness));
    let city = child(&province(), 2, "440100", Level::Prefecture, 5, &[]);
    let place = place(&city);
    assert_eq!(by(city, 5), Err(EvidenceError::NotAWitness { by: place }));
}
