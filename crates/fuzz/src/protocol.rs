//! The decoders and verifiers of `crates/`: what neighbours, files and people send.
#![no_main]

mod driver;

use std::sync::LazyLock;

use driver::{Target, decoded};
use federation::core::Record;
use federation::evidence::DocketEvidence;
use federation::service::{CallHead, CallTarget, Piece};
use federation::store::{Memory, Txn};
use federation::sync::{self, ChangeProof, Head, LogState, MAX_HEAD_BYTES, Segment};
use federation::topology::Topology;
use federation::wire::{
    CircuitOpen, CircuitRequest, Envelope, Frame, MAX_CIRCUIT_HEADER_BYTES, MAX_ENVELOPE_BYTES,
    MAX_FRAME_BYTES, Notice, Payload,
};
use identity::at_rest::{HEADER_BYTES, Header, Name, Part, StorageKey};
use identity::{
    Certificate, Chain, ChunkOpener, Code, CreditCode, Digest, Direction, Domain, EnrolmentRequest,
    Member, Moment, OpeningKey, Path, Revocation, Signed, SigningKey, VerifyKey, codec,
};
use libfuzzer_sys::fuzz_target;
use sharing::act::{Act, MAX_ACT_BYTES, SignedAct};
use sharing::docket::{DocketCopy, DocketEvent, DocketState, MAX_EVENT_BYTES};
use sharing::ledger::{Checkpoint, Evidence, ForkEvidence, TreeHead, merkle};
use sharing::private::Content;
use sharing::return_flow::{Delta, Divisions, Leaves, PartNotice, Sorting, Table, verify_part};
use statute::{Profile, YearNotice};

const TARGETS: &[Target] = &[
    ("frame", frame),
    ("envelope", envelope),
    ("circuit", circuit),
    ("call", call),
    ("chain", chain),
    ("segment", segment),
    ("checkpoint", checkpoint),
    ("act", act),
    ("event", event),
    ("record", record),
    ("evidence", evidence),
    ("docket_evidence", docket_evidence),
    ("at_rest", at_rest),
    ("manifest", manifest),
    ("delta", delta),
    ("table", table),
    ("topology", topology),
    ("profile", profile),
    ("calendar", calendar),
    ("names", names),
];

fuzz_target!(|bytes: &[u8]| driver::run(TARGETS, bytes));

/// Most bytes of a row or body, as the tables of a node bound it.
const MAX_BODY_BYTES: usize = 8 << 20;

/// The root of the federation in which the scenarios play, so that what they wrote verifies.
fn root() -> &'static VerifyKey {
    static ROOT: LazyLock<VerifyKey> = LazyLock::new(|| {
        SigningKey::from_seed(*Digest::of(Domain::Id, b"root").as_bytes()).verify_key()
    });
    &ROOT
}

/// A time within the validity of the certificates that the scenarios issue.
const NOW: Moment = Moment::from_millis(1_773_100_000_000);

/// What a chain claims, taken for proved: the checks that come after membership are reached whatever the keys are.
fn claimed(chain: &Chain) -> Option<Certificate> {
    chain.claimed().ok()
}

fn member(chain: &Chain) -> Option<Member> {
    chain.verify(root(), NOW, &|_, _| false).ok()
}

fn frame(bytes: &[u8]) {
    match decoded::<Frame>(bytes, MAX_FRAME_BYTES) {
        Some(Frame::Push { envelope, origin }) => {
            let _ = envelope.claimed(MAX_ENVELOPE_BYTES);
            let _ = member(&origin);
        }
        Some(Frame::Hello { chain, .. }) => {
            let _ = member(&chain);
        }
        Some(Frame::SyncSegments {
            publisher,
            segments,
        }) => {
            for segment in &segments {
                of_segment(segment);
            }
            let _ = member(&publisher);
        }
        Some(Frame::SyncHeads { heads, .. }) => {
            for pair in heads.windows(2) {
                of_heads(pair);
            }
        }
        Some(Frame::Search { question, .. }) => {
            let _ = question.is_within_bounds();
        }
        Some(Frame::SearchAnswer { level, .. }) => {
            let _ = level.hits.iter().all(|hit| hit.is_within_bounds());
            let _ = level.of_a_need();
        }
        Some(Frame::Notices { list }) => list.iter().for_each(of_notice),
        Some(_) | None => {}
    }
}

fn of_notice(notice: &Notice) {
    let _ = member(&notice.issuer);
    of_act(&notice.act, claimed(&notice.issuer).as_ref());
}

fn of_heads(pair: &[Signed<Head>]) {
    let [first, second] = pair else { return };
    let claimed = |head: &Signed<Head>| head.claimed(MAX_HEAD_BYTES).ok();
    if let (Some(first), Some(second)) = (claimed(first), claimed(second)) {
        let _ = sync::conflict(&first, &second);
        let _ = LogState::default().after(&first);
    }
}

fn of_segment(segment: &Segment) {
    if let Ok(head) = segment.head.claimed(MAX_HEAD_BYTES) {
        let _ = LogState::default().after(&head);
    }
    if let Ok(changes) = sync::changes(&segment.body) {
        assert!(changes.len() <= sync::MAX_SEGMENT_CHANGES);
    }
    let _ = sync::change_at(&segment.body, 0);
}

fn envelope(bytes: &[u8]) {
    if let Some((signed, chain)) = decoded::<(Signed<Envelope>, Chain)>(bytes, MAX_FRAME_BYTES) {
        let _ = member(&chain);
        if let Ok(envelope) = signed.claimed(MAX_ENVELOPE_BYTES) {
            let key = OpeningKey::from_seed(1, [7; 32]);
            let _ = identity::sealing::open(&key, b"", b"", &envelope.sealed);
        }
    }
    match decoded::<Payload>(bytes, MAX_ENVELOPE_BYTES) {
        Some(Payload::OpenApplication { apply, consent, .. }) => {
            of_act(&apply, None);
            of_act(&consent, None);
        }
        Some(Payload::Command { act, .. } | Payload::Open { act } | Payload::Circular { act }) => {
            of_act(&act, None);
        }
        Some(Payload::Events { home, events }) => of_copy(&DocketCopy { home, events }),
        Some(Payload::ReferDispute { copy, .. }) => of_copy(&copy),
        Some(Payload::TimeShown { evidence, .. }) => {
            let _ = evidence.verify(root());
        }
        Some(_) | None => {}
    }
}

fn circuit(bytes: &[u8]) {
    if let Some((signed, chain)) =
        decoded::<(Signed<CircuitOpen>, Chain)>(bytes, MAX_CIRCUIT_HEADER_BYTES)
    {
        let _ = signed.claimed(MAX_CIRCUIT_HEADER_BYTES);
        let _ = member(&chain);
    }
    let _ = decoded::<CircuitRequest>(bytes, MAX_CIRCUIT_HEADER_BYTES);
    let mut opener = ChunkOpener::new([3; 32], Direction::Backward);
    let _ = opener.open_chunk(bytes);
    let _ = opener.open_in_place(&mut bytes.to_vec());
}

fn call(bytes: &[u8]) {
    let _ = CallHead::decode(bytes);
    if let Ok(piece) = Piece::decode(bytes.to_vec()) {
        assert_eq!(Piece::decode(piece.encode()), Ok(piece));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = CallTarget::parse(text);
    }
}

fn chain(bytes: &[u8]) {
    if let Some(chain) = decoded::<Chain>(bytes, codec::MAX_ENCODED) {
        let _ = chain.verify(root(), NOW, &|_, serial| serial == 0);
        let _ = chain.verify_historic(root(), NOW);
        let _ = claimed(&chain);
    }
    if let Some(request) = decoded::<Signed<EnrolmentRequest>>(bytes, 8 << 10) {
        let _ = EnrolmentRequest::verify(&request);
    }
    if let Some(revocation) = decoded::<Signed<Revocation>>(bytes, 8 << 10) {
        let _ = Revocation::verify(&revocation, root());
    }
}

fn segment(bytes: &[u8]) {
    if let Some(segment) = decoded::<Segment>(bytes, MAX_FRAME_BYTES) {
        of_segment(&segment);
    }
    if let Ok(changes) = sync::changes(bytes) {
        assert!(changes.len() <= sync::MAX_SEGMENT_CHANGES);
    }
    if let Some((head, proof)) = decoded::<(Head, ChangeProof)>(bytes, MAX_FRAME_BYTES) {
        let _ = proof.verify(&head);
    }
}

fn checkpoint(bytes: &[u8]) {
    let _ = decoded::<Signed<Checkpoint>>(bytes, 1 << 10);
    if let Some((signed, chain)) = decoded::<(Signed<Checkpoint>, Chain)>(bytes, 1 << 16) {
        let _ = sharing::ledger::evidence::own_checkpoint(&signed, &chain, root());
    }
    if let Some(fork) = decoded::<ForkEvidence>(bytes, 4 << 10) {
        let _ = fork.verify(root());
    }
    type Proof = ((Digest, u64), (Digest, u64), Vec<Digest>);
    if let Some(((old, from), (new, to), proof)) = decoded::<Proof>(bytes, 1 << 16) {
        let head = |root, size| TreeHead { root, size };
        let _ = merkle::verify_consistency(head(old, from), head(new, to), &proof);
        let _ = merkle::verify_inclusion(old, from, to, &proof, &new);
    }
}

fn of_act(act: &SignedAct, certificate: Option<&Certificate>) {
    if let Ok(claimed) = act.act.claimed(MAX_ACT_BYTES) {
        let _ = claimed.body.within_bounds();
        let _ = (claimed.body.kind(), claimed.body.article());
    }
    if let Some(certificate) = certificate {
        let _ = act.verify(certificate, NOW);
    }
}

fn act(bytes: &[u8]) {
    if let Some(act) = decoded::<Act>(bytes, MAX_ACT_BYTES) {
        let _ = act.body.within_bounds();
    }
    if let Some(act) = decoded::<SignedAct>(bytes, MAX_ACT_BYTES + (16 << 10)) {
        of_act(&act, None);
    }
    let _ = Content::from_bytes(bytes);
}

fn of_copy(copy: &DocketCopy) {
    let _ = copy.verify(root(), NOW, &|_| None);
    let mut state = None;
    for event in &copy.events {
        let Ok(event) = event.claimed(MAX_EVENT_BYTES) else {
            return;
        };
        let Ok(next) = DocketState::evolve(state, &event) else {
            return;
        };
        state = Some(next);
    }
}

fn event(bytes: &[u8]) {
    if let Some(event) = decoded::<DocketEvent>(bytes, MAX_EVENT_BYTES) {
        let _ = DocketState::evolve(None, &event);
    }
    if let Some(signed) = decoded::<Signed<DocketEvent>>(bytes, MAX_EVENT_BYTES)
        && let Ok(event) = signed.claimed(MAX_EVENT_BYTES)
    {
        let _ = DocketState::evolve(None, &event);
    }
    if let Some(copy) = decoded::<DocketCopy>(bytes, MAX_FRAME_BYTES) {
        of_copy(&copy);
    }
    let _ = decoded::<DocketState>(bytes, MAX_BODY_BYTES);
}

fn record(bytes: &[u8]) {
    let _ = decoded::<Record>(bytes, sharing::ledger::evidence::MAX_RECORD_BYTES);
    let store = Memory::default();
    let _ = federation::core::project(bytes, &mut Txn::new(&store));
}

fn evidence(bytes: &[u8]) {
    if let Ok(evidence) = Evidence::decode(bytes) {
        let _ = evidence.verify(root());
    }
}

fn docket_evidence(bytes: &[u8]) {
    if let Some(evidence) = decoded::<DocketEvidence>(bytes, codec::MAX_ENCODED) {
        let _ = evidence.verify(root());
    }
}

fn at_rest(bytes: &[u8]) {
    let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
        return;
    };
    if let Ok(header) = Header::decode(head) {
        assert_eq!(Header::decode(&header.encode()).as_ref(), Ok(&header));
        let name = Name {
            digest: Digest::object(b""),
            part: Part::Content,
        };
        let _ = header.unwrap(&name, &StorageKey::from_bytes([9; 32]));
    }
}

fn divisions() -> Divisions {
    Divisions::new([
        ("440000", None),
        ("440100", Some("440000")),
        ("440106", Some("440100")),
        ("440104", Some("440100")),
    ])
    .expect("a tree")
}

fn manifest(bytes: &[u8]) {
    if let Some(notice) = decoded::<PartNotice>(bytes, 1 << 20) {
        let _ = member(&notice.signer);
        if let Ok(manifest) = notice.manifest.claimed(1 << 20) {
            let part = format!("{}\n", manifest.header);
            let _ = verify_part(
                &manifest,
                &notice.area,
                part.as_bytes(),
                &notice.proof,
                &notice.salt,
                &divisions(),
            );
        }
    }
    if let Some(leaves) = Leaves::decode(bytes) {
        assert_eq!(leaves.encode(), bytes);
    }
}

fn delta(bytes: &[u8]) {
    // A difference as it comes, and one made of two tables that lead from one to the other.
    if let Ok(delta) = Delta::decode(bytes) {
        let _ = delta.counts();
        let _ = delta.apply(b"code,name\n440106,a\n");
    }
    let mut halves = bytes.splitn(2, |byte| *byte == 0);
    let divisions = divisions();
    if let (Some(base), Some(whole)) = (halves.next(), halves.next())
        && let Ok(sorting) = Sorting::new(&divisions, &[])
        && let Ok(Some(delta)) = Delta::between((base, whole), ("code", None), &sorting)
        && let Ok(applied) = delta.apply(base)
    {
        assert_eq!(Digest::object(&applied), Digest::object(whole));
    }
}

fn table(bytes: &[u8]) {
    let _ = Table::parse(bytes, "code").map(|table| table.rows());
    let _ = Divisions::from_csv(bytes);
    let _ = divisions().with_retired(bytes);
}

fn topology(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Topology::parse(text);
        let _ = federation::topology::Divisions::parse(text);
    }
}

fn profile(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(profile) = Profile::parse(text)
    {
        let encoded = codec::encode(&profile);
        assert_eq!(codec::decode(&encoded, codec::MAX_ENCODED), Ok(profile));
    }
}

fn calendar(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = YearNotice::parse(text);
    }
}

fn names(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(code) = text.parse::<Code>() {
        assert_eq!(code.to_string().parse(), Ok(code));
    }
    if let Ok(path) = text.parse::<Path>() {
        assert_eq!(path.to_string().parse(), Ok(path));
    }
    if let Ok(code) = text.parse::<CreditCode>() {
        assert_eq!(code.to_string().parse(), Ok(code));
    }
    let _ = text.parse::<Digest>();
    let _ = text.parse::<VerifyKey>();
    let _ = text.parse::<sharing::catalogue::EntryId>();
    let _ = text.parse::<sharing::return_flow::Area>();
    let _ = text.parse::<sharing::source::Matter>();
    let _ = text.parse::<sharing::public::Receipt>();
    let _ = text.parse::<statute::Article>();
    let _ = text.parse::<statute::EvaluationPeriod>();
    let _ = text.parse::<statute::Schedule>();
    let _ = StorageKey::from_hex(text);
}
