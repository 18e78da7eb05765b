//! Chains with each defect.

use super::*;
use crate::codec::CodecError;
use crate::issuance::{Terms, issue, issue_hub};
use crate::keys::SigningKey;
use crate::membership::EnrolmentRequest;
use crate::sealing::OpeningKey;

const NOW: Moment = Moment::from_millis(50);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn root() -> VerifyKey {
    key(0).verify_key()
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

fn terms(serial: u64) -> Terms {
    Terms {
        serial,
        epoch: 1,
        witnesses: vec![],
        valid_from: Moment::from_millis(10),
        valid_until: Moment::from_millis(100),
    }
}

fn claimed(signed: &Signed<Certificate>) -> Certificate {
    signed.claimed(MAX_CERTIFICATE_BYTES).unwrap()
}

/// Hub (key 1), 440000 (2), 440100 (3), 440106 (4).
fn line() -> Vec<Signed<Certificate>> {
    let hub = issue_hub(&request("100000", Level::Hub, 1), &key(0), terms(1)).unwrap();
    let mut line = vec![hub];
    let below = [
        ("440000", Level::Province),
        ("440100", Level::Prefecture),
        ("440106", Level::County),
    ];
    for (seed, (text, level)) in (1_u8..).zip(below) {
        let parent = claimed(&line[usize::from(seed) - 1]);
        let serial = 10 + u64::from(seed);
        let child = request(text, level, seed + 1);
        line.push(issue(&child, &parent, &key(seed), terms(serial)).unwrap());
    }
    line
}

fn verify(line: Vec<Signed<Certificate>>) -> Result<Member, MembershipError> {
    Chain::new(line).verify(&root(), NOW, &|_, _| false)
}

/// The line with one certificate changed and signed again with the key that issued it.
fn with_change(index: u8, change: impl FnOnce(&mut Certificate)) -> Vec<Signed<Certificate>> {
    let mut line = line();
    let slot = &mut line[usize::from(index)];
    let mut certificate = claimed(slot);
    change(&mut certificate);
    *slot = Signed::sign(&certificate, Domain::Certificate, &key(index));
    line
}

#[test]
fn a_whole_line_proves_a_member() {
    let member = verify(line()).unwrap();
    assert_eq!(member.code(), code("440106"));
    assert_eq!(member.place().to_string(), "100000/440000/440100/440106");
    assert_eq!(member.certificates().len(), 4);
    assert_eq!(member.signing_key(), &key(4).verify_key());
    assert_eq!(member.chain_digest(), Chain::new(line()).digest());
    assert_eq!(member.valid_until(), Moment::from_millis(100));
    let bytes = codec::encode(member.chain());
    assert_eq!(
        codec::decode::<Chain>(&bytes, MAX_CHAIN_BYTES).as_ref(),
        Ok(member.chain())
    );
}

#[test]
fn the_hub_alone_is_a_member() {
    let member = verify(line()[..1].to_vec()).unwrap();
    assert_eq!(member.place(), &Path::hub());
}

#[test]
fn a_chain_of_nine_is_too_deep_before_anything_else() {
    let nonsense = Signed::from_parts(vec![0xff], *line()[0].signature());
    assert_eq!(verify(vec![nonsense; 9]), Err(MembershipError::TooDeep(9)));
}

#[test]
fn empty_and_malformed_chains_are_refused() {
    assert_eq!(verify(vec![]), Err(EMPTY));
    let mut broken = line();
    broken[2] = Signed::from_parts(vec![0xff], *broken[2].signature());
    assert!(matches!(
        verify(broken),
        Err(MembershipError::Malformed {
            position: 3,
            defect: Defect::Codec(CodecError::Malformed(_))
        })
    ));
    let in_line = with_change(2, |c| c.witnesses = vec![code("440000")]);
    assert_eq!(
        verify(in_line),
        Err(MembershipError::Malformed {
            position: 3,
            defect: Defect::WitnessInLine(code("440000"))
        })
    );
    let root_serial = with_change(3, |c| c.serial = claimed(&line()[0]).serial);
    assert!(matches!(
        verify(root_serial),
        Err(MembershipError::Malformed {
            position: 4,
            defect: Defect::Serial(_)
        })
    ));
}

#[test]
fn a_tampered_certificate_is_refused_at_each_level() {
    for (index, text) in ["100000", "440000", "440100", "440106"].iter().enumerate() {
        let mut tampered = line();
        let mut certificate = claimed(&tampered[index]);
        certificate.name.push('改');
        let bytes = codec::encode(&certificate);
        tampered[index] = Signed::from_parts(bytes, *tampered[index].signature());
        assert_eq!(
            verify(tampered),
            Err(MembershipError::BadSignature { code: code(text) })
        );
    }
}

#[test]
fn another_root_proves_nothing() {
    assert_eq!(
        Chain::new(line()).verify(&key(9).verify_key(), NOW, &|_, _| false),
        Err(MembershipError::BadSignature { code: Code::HUB })
    );
}

#[test]
fn a_signature_made_for_another_purpose_is_refused() {
    let mut line = line();
    let certificate = claimed(&line[3]);
    line[3] = Signed::sign(&certificate, Domain::Act, &key(3));
    assert_eq!(
        verify(line),
        Err(MembershipError::BadSignature {
            code: code("440106")
        })
    );
}

#[test]
fn a_skipped_level_breaks_the_signature() {
    let mut line = line();
    line.remove(2);
    assert_eq!(
        verify(line),
        Err(MembershipError::BadSignature {
            code: code("440106")
        })
    );
}

#[test]
fn another_issuer_than_the_node_above_is_refused() {
    let wrong = with_change(3, |c| c.issuer = code("440000"));
    assert_eq!(
        verify(wrong),
        Err(MembershipError::WrongParent {
            code: code("440106"),
            expected: code("440100"),
            found: code("440000"),
        })
    );
}

#[test]
fn a_place_outside_its_issuers_is_refused() {
    let elsewhere: Path = "100000/210000/210100/210102".parse().unwrap();
    let wrong = with_change(3, |c| c.place = elsewhere.clone());
    assert_eq!(
        verify(wrong),
        Err(MembershipError::WrongPlace {
            code: code("210102"),
            issuer: "100000/440000/440100".parse().unwrap(),
            found: elsewhere,
        })
    );
    let two_below: Path = "100000/440000/440100/440106/440199".parse().unwrap();
    let wrong = with_change(3, |c| c.place = two_below);
    assert!(matches!(
        verify(wrong),
        Err(MembershipError::WrongPlace { .. })
    ));
}

#[test]
fn an_implausible_level_is_refused() {
    let wrong = with_change(3, |c| c.level = Level::Province);
    assert_eq!(
        verify(wrong),
        Err(MembershipError::WrongLevel {
            code: code("440106"),
            level: Level::Province,
        })
    );
    let hub = with_change(0, |c| c.level = Level::Ministry);
    assert!(matches!(
        verify(hub),
        Err(MembershipError::WrongLevel { .. })
    ));
}

#[test]
fn validity_holds_from_its_first_to_its_last_moment() {
    let chain = Chain::new(line());
    let at = |millis| {
        let now = Moment::from_millis(millis);
        chain.verify(&root(), now, &|_, _| false).map(|m| m.code())
    };
    assert!(at(10).is_ok() && at(100).is_ok());
    assert!(matches!(
        at(9),
        Err(MembershipError::NotYetValid {
            code: Code::HUB,
            ..
        })
    ));
    assert!(matches!(
        at(101),
        Err(MembershipError::Expired {
            code: Code::HUB,
            ..
        })
    ));
    let short = with_change(2, |c| c.valid_until = Moment::from_millis(49));
    assert_eq!(
        verify(short),
        Err(MembershipError::Expired {
            code: code("440100"),
            until: Moment::from_millis(49),
            now: NOW,
        })
    );
}

#[test]
fn a_revoked_certificate_anywhere_in_the_line_ends_membership() {
    let chain = Chain::new(line());
    let revoked = |issuer: &Code, serial| *issuer == code("440000") && serial == 12;
    assert_eq!(
        chain.verify(&root(), NOW, &revoked),
        Err(MembershipError::Revoked {
            code: code("440100"),
            issuer: code("440000"),
            serial: 12,
        })
    );
    assert!(chain.verify_historic(&root(), NOW).is_ok());
    assert!(matches!(
        chain.verify_historic(&root(), Moment::from_millis(101)),
        Err(MembershipError::Expired { .. })
    ));
}

#[test]
fn the_hubs_own_number_does_not_meet_those_it_gives() {
    let hub = line().remove(0);
    let first = issue(
        &request("440000", Level::Province, 2),
        &claimed(&hub),
        &key(1),
        terms(1),
    );
    let chain = Chain::new(vec![hub, first.unwrap()]);
    let revoked = |issuer: &Code, serial| *issuer == Code::HUB && serial == 1;
    assert!(matches!(
        chain.verify(&root(), NOW, &revoked),
        Err(MembershipError::Revoked { code, .. }) if code.as_str() == "440000"
    ));
}

#[test]
fn a_parent_with_new_keys_leaves_its_descendants_valid() {
    let line = line();
    let renewed = issue(
        &request("440000", Level::Province, 22),
        &claimed(&line[0]),
        &key(1),
        terms(99),
    );
    let parent = Chain::new(vec![line[0].clone(), renewed.unwrap()]);
    assert_eq!(
        parent.verify_historic(&root(), NOW).unwrap().signing_key(),
        &key(22).verify_key()
    );
    assert!(verify(line).is_ok());
}

#[test]
fn refusals_come_in_their_order() {
    let expired_and_elsewhere = with_change(3, |c| {
        c.valid_until = Moment::from_millis(20);
        c.level = Level::Hub;
        c.issuer = code("mps");
    });
    assert!(matches!(
        verify(expired_and_elsewhere),
        Err(MembershipError::WrongParent { .. })
    ));
    let late_above_early_below = {
        let mut line = with_change(1, |c| c.valid_until = Moment::from_millis(20));
        let mut below = claimed(&line[2]);
        below.valid_from = Moment::from_millis(60);
        line[2] = Signed::sign(&below, Domain::Certificate, &key(2));
        line
    };
    assert!(matches!(
        verify(late_above_early_below),
        Err(MembershipError::NotYetValid { .. })
    ));
}
