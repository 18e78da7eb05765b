//! What is on paper: seals, certificates, checkpoints, proofs and parts of a table, each with its unlawful twins. No world runs.

use federation::sync::{self, LogState};
use guantong_tests::{Department, entry, key};
use identity::membership::MAX_CERTIFICATE_BYTES;
use identity::{
    Certificate, Chain, ChunkOpener, ChunkSealer, Digest, Direction, Domain, EnrolmentRequest,
    Level, Member, MembershipError, Moment, OpeningKey, Path, Signed, SigningKey, Terms, VerifyKey,
    issue, issue_hub, sealing,
};
use sharing::catalogue::Change;
use sharing::ledger::{Checkpoint, checkpoint, merkle};
use sharing::return_flow::{Area, Divisions, Manifest, SumNode, Table, build, verify_part};
use statute::ClassTerms;

use crate::stage::code;

const NOW: Moment = Moment::from_millis(50);
/// The line of certificates: each node with its level. The key of each has its code for a name.
const LINE: [(&str, Level); 4] = [
    ("100000", Level::Hub),
    ("440000", Level::Province),
    ("440100", Level::Prefecture),
    ("440106", Level::County),
];

fn root() -> SigningKey {
    key("root")
}

fn line() -> Vec<Signed<Certificate>> {
    let mut line: Vec<Signed<Certificate>> = Vec::new();
    for (text, level) in LINE {
        let request = EnrolmentRequest {
            code: code(text),
            name: text.to_owned(),
            level,
            signing_key: key(text).verify_key(),
            transport_key: [1; 32],
            sealing_key: OpeningKey::from_seed(1, [1; 32]).sealing_key(Moment::MAX),
            authority_head: key("head").verify_key(),
            created: NOW,
        };
        let request = request.sign(&key(text));
        let terms = Terms {
            serial: line.len() as u64 + 1,
            epoch: 1,
            witnesses: vec![],
            valid_from: Moment::from_millis(10),
            valid_until: Moment::from_millis(100),
        };
        let issued = match line.last() {
            None => issue_hub(&request, &root(), terms),
            Some(above) => {
                let above = claimed(above);
                issue(&request, &above, &key(above.code().as_str()), terms)
            }
        };
        line.push(issued.expect("issued"));
    }
    line
}

fn claimed(signed: &Signed<Certificate>) -> Certificate {
    signed
        .claimed(MAX_CERTIFICATE_BYTES)
        .expect("a certificate")
}

fn prove(line: &[Signed<Certificate>], now: Moment) -> Result<Member, MembershipError> {
    let root: VerifyKey = root().verify_key();
    Chain::new(line.to_vec()).verify(&root, now, &|_, _| false)
}

/// The county's certificate, changed and signed with this key.
fn changed(by: &str, change: impl FnOnce(&mut Certificate)) -> Vec<Signed<Certificate>> {
    let mut line = line();
    let mut last = claimed(&line[3]);
    change(&mut last);
    line[3] = Signed::sign(&last, Domain::Certificate, &key(by));
    line
}

/// A chain proves a member by its signatures, its order, its time and what was not revoked.
pub fn certificates() {
    let line = line();
    let member = prove(&line, NOW).expect("a member");
    assert_eq!(member.code(), code("440106"));
    let over = prove(&line, Moment::from_millis(101));
    assert!(over.is_err(), "a certificate that is over proves nobody");
    let forged = changed("nobody", |_| {});
    assert!(prove(&forged, NOW).is_err(), "signed by nobody above");
    let misnamed = changed("440100", |it| it.issuer = code("210100"));
    assert!(prove(&misnamed, NOW).is_err(), "another issuer is named");
    let revoked = Chain::new(line).verify(&root().verify_key(), NOW, &|_, _| true);
    assert!(
        revoked.is_err(),
        "a certificate that was revoked proves nobody"
    );
}

/// No two chunks of a stream are sealed alike, and none opens twice.
pub fn streams() {
    let mut sealer = ChunkSealer::new([5; 32], Direction::Forward);
    let first = sealer.seal_chunk(b"same", false).expect("sealed");
    let second = sealer.seal_chunk(b"same", false).expect("sealed");
    assert_ne!(first, second, "two chunks under one nonce");
    let mut opener = ChunkOpener::new([5; 32], Direction::Forward);
    opener.open_chunk(&first).expect("due");
    assert!(opener.open_chunk(&first).is_err(), "a chunk opens twice");
}

/// The same thing sealed twice looks different each time.
pub fn sealing() {
    let holder = OpeningKey::from_seed(4, [1; 32]);
    let to = holder.sealing_key(Moment::MAX);
    let seal = |entropy| sealing::seal(&to, b"i", b"a", b"plain", [entropy; 32]).expect("sealed");
    let (one, two) = (seal(1), seal(2));
    assert!(one != two, "sealed alike without fresh random bytes");
    let opened = sealing::open(&holder, b"i", b"a", &one);
    assert_eq!(opened.as_deref(), Ok(&b"plain"[..]), "the holder opens it");
}

fn checkpoint_of(member: &Member, size: u64, root: &[u8]) -> Checkpoint {
    Checkpoint {
        node: member.place().clone(),
        epoch: 1,
        size,
        root: merkle::leaf(root),
        at: NOW,
    }
}

/// A checkpoint is its node's, extends the one before, and is cosigned by whoever says so.
pub fn checkpoints() {
    let member = prove(&line(), NOW).expect("a member");
    let certificate = member.certificate();
    let first = checkpoint_of(&member, 2, b"first");
    let signed = checkpoint::sign(&first, &key("440106"));
    assert_eq!(checkpoint::verify(&signed, certificate), Ok(first.clone()));
    let forged = checkpoint::sign(&first, &key("nobody"));
    let forged = checkpoint::verify(&forged, certificate);
    assert!(forged.is_err(), "a checkpoint that its node did not sign");
    let grown = checkpoint_of(&member, 4, b"another history");
    let proof = [merkle::leaf(b"no proof")];
    let extends = checkpoint::check_extends(Some(&first), &grown, &proof, NOW);
    assert!(extends.is_err(), "a checkpoint that extends nothing");
    let by = |name: &str| {
        let cosignature = checkpoint::cosign(&signed, member.place(), NOW, &key(name));
        checkpoint::verify_cosignature(&signed, &cosignature, certificate)
    };
    assert_eq!(by("440106"), Ok(()));
    assert!(by("nobody").is_err(), "a cosignature that nobody made");
}

/// A record is in a ledger when its proof leads to the root.
pub fn ledgers() {
    let mut frontier = merkle::Frontier::default();
    frontier.append(merkle::leaf(b"record")).expect("room");
    let root = frontier.root();
    let proved = |record: &[u8]| merkle::verify_inclusion(merkle::leaf(record), 0, 1, &[], &root);
    assert_eq!(proved(b"record"), Ok(()));
    assert!(proved(b"another").is_err(), "a record that is in no ledger");
}

/// A segment is its publisher's, of its own log.
pub fn segments() {
    let member = prove(&line(), NOW).expect("a member");
    let department = Department::hosted(code("440106"), 1, "民政局");
    let offered = entry(
        &department,
        1,
        "低保对象信息",
        ClassTerms::Unconditional,
        NOW,
    );
    let changes = [Change::Published {
        entry: offered,
        at: NOW,
    }];
    let accepted = |publisher: &Path, signer: &str| {
        let log = LogState::default();
        let cut = sync::cut(publisher, &log, &changes, NOW, &key(signer)).expect("cut");
        sync::accept(&member, &log, &cut.0)
    };
    let own = accepted(member.place(), "440106").expect("its own");
    assert_eq!(own.changes.len(), 1);
    let forged = accepted(member.place(), "nobody");
    assert!(forged.is_err(), "a segment that its publisher did not sign");
    let above = member.place().parent().expect("a parent");
    let foreign = accepted(&above, "440106");
    assert!(foreign.is_err(), "a segment of another's log");
}

const DIVISIONS: &[u8] = b"code,name,parent,level\n100000,China,,nation\n440000,Guangdong,100000,province\n440100,Guangzhou,440000,prefecture\n\
    440104,Yuexiu,440100,county\n440106,Tianhe,440100,county\n440111,Baiyun,440100,county\n";
const ROWS: &[u8] =
    b"code,name\n440104,a\n440104,b\n440106,c\n440106001,d\n440111,e\n999999,nobody's\n";

/// Each division gets its own rows, all of them, under a salt of its own, and what no division claims is counted.
pub fn parts() {
    let divisions = Divisions::from_csv(DIVISIONS).expect("divisions");
    let table = Table::parse(ROWS, "code").expect("a table");
    let draft = Manifest {
        source: Path::hub(),
        dataset: "townships".parse().expect("a name"),
        delivery: 1,
        at: NOW,
        query: "all".into(),
        division_column: "code".into(),
        header: String::new(),
        rows: table.rows(),
        assigned: vec![],
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 0,
            digest: Digest::object(b""),
        },
    };
    let built = build(table, &divisions, draft, &[7; 32]).expect("built");
    assert_eq!(
        built.manifest().remainder_rows,
        1,
        "nobody's row is counted"
    );
    let mut salts = std::collections::BTreeSet::new();
    for (division, rows) in [("440104", 2), ("440106", 2), ("440111", 1)] {
        let area: Area = division.parse().expect("an area");
        let part = built.part(&area).expect("a part");
        assert_eq!(part.rows, rows, "rows of {division}");
        let verify = |bytes: &[u8]| {
            verify_part(
                built.manifest(),
                &area,
                bytes,
                &part.proof,
                &part.salt,
                &divisions,
            )
        };
        assert_eq!(
            verify(&part.bytes).map(|it| it.rows),
            Ok(rows),
            "{division}"
        );
        let mut altered = part.bytes.clone();
        let letter = altered.len() - 2;
        altered[letter] ^= 1;
        assert!(
            verify(&altered).is_err(),
            "an altered row of {division} holds"
        );
        assert!(
            salts.insert(part.salt),
            "{division} has the salt of another"
        );
    }
}
