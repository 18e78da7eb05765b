//! Every input from outside is hostile until proved otherwise: one clear refusal each, nothing lost, the node still up.

// The path is named, so that tests/planted can use this file too.
#[path = "bad_input/commands.rs"]
mod commands;

use federation::core::query;
use federation::sync::{self, LogState};
use federation::wire::{Envelope, Frame, MAX_FRAME_BYTES};
use guantong_tests::{World, entry, key};
use identity::{Chain, Code, Domain, Sealed, Signed, codec};
use sharing::catalogue::Change;
use statute::ClassTerms;

use crate::stage::{code, conditional, demo, findings, provider};

fn chain(world: &World, node: Code) -> Chain {
    query::own_chain(world.read(node))
        .unwrap()
        .expect("enrolled")
}

fn hello(world: &World, chain: Chain) -> Vec<u8> {
    codec::encode(&Frame::Hello {
        wire: federation::wire::WIRE_VERSION,
        chain,
        software: "guantong/test".into(),
        now: world.now,
    })
}

fn still_works(world: &mut World) {
    let (_, entry) = provider(world, "440104", conditional());
    world.settle();
    let there =
        query::published_entry(world.read(code("100000")), code("440104"), &entry.id).unwrap();
    assert!(there.is_some(), "the honest go on");
}

/// What a node holds of others and for others: entries, dockets, envelopes on their way.
fn holdings(world: &World, node: Code) -> (u64, u64, Vec<(Code, u64)>, usize) {
    let view = query::node(world.read(node)).unwrap();
    let dockets = query::dockets(world.read(node), None, 100).unwrap().len();
    (view.catalogue, view.open_dockets, view.outbox, dockets)
}

/// The records of business: what only a lawful frame may leave behind.
fn business(world: &World, node: Code) -> usize {
    use federation::core::Record;
    let records = world
        .records(node)
        .iter()
        .map(|bytes| codec::decode(bytes, 1 << 20).expect("a record of ours"));
    records
        .filter(|record| {
            matches!(
                record,
                Record::Segment { .. }
                    | Record::Taken { .. }
                    | Record::Event { .. }
                    | Record::Act { .. }
            )
        })
        .count()
}

#[test]
fn frames_that_are_no_frames_end_the_link_and_nothing_else() {
    let mut world = demo(50);
    let (city, county) = (code("440100"), code("440106"));
    provider(&mut world, "440106", conditional());
    let valid = codec::encode(&Frame::SyncHeadsWanted { after: None });
    let mut trailing = valid.clone();
    trailing.push(0);
    let truncated = hello(&world, chain(&world, county))[..40].to_vec();
    // What is longer than a frame may be does not come through a socket (node/tests/links.rs); here the codec itself refuses it.
    let oversized_for_the_codec = vec![0; MAX_FRAME_BYTES + 1];
    let frames = [
        ("noise", vec![0xff; 200]),
        ("truncated", truncated),
        ("trailing bytes", trailing),
        ("empty", vec![]),
        ("longer than the codec decodes", oversized_for_the_codec),
    ];
    for (what, bytes) in frames {
        world.settle();
        let before = (holdings(&world, city), business(&world, city));
        assert!(
            world.linked(county, city) && before.0.0 > 0,
            "there is something to lose"
        );
        world.inject(county, city, bytes);
        assert!(!world.linked(county, city), "{what} ends the link");
        assert_eq!(
            (holdings(&world, city), business(&world, city)),
            before,
            "{what} adds nothing and takes nothing away"
        );
    }
    world.settle();
    assert!(world.linked(county, city), "and the neighbour comes back");
    still_works(&mut world);
}

#[test]
pub(crate) fn strangers_and_wrong_certificates_are_turned_away() {
    let mut world = demo(51);
    let city = code("440100");
    let transport = |code: &str| *key(&format!("transport {code}")).verify_key().as_bytes();
    let cousin = chain(&world, code("210102"));
    let county = chain(&world, code("440106"));
    let mut grafted = county.certificates().to_vec();
    grafted.remove(1);
    let link = world.stranger(city, transport("210102"));
    let frame = hello(&world, cousin);
    assert!(
        !world.stranger_says(city, link, frame),
        "a member from another place is no neighbour"
    );
    let link = world.stranger(city, [9; 32]);
    let frame = hello(&world, county.clone());
    assert!(
        !world.stranger_says(city, link, frame),
        "a certificate that is not for the connection's key"
    );
    let link = world.stranger(city, transport("440106"));
    let frame = hello(&world, Chain::new(grafted));
    assert!(
        !world.stranger_says(city, link, frame),
        "a chain with a link missing"
    );
    let link = world.stranger(city, transport("440106"));
    let frame = codec::encode(&Frame::SyncOffer {
        digest: identity::Digest::from_bytes([0; 32]),
        heads: 1,
    });
    assert!(
        !world.stranger_says(city, link, frame),
        "speaking before greeting"
    );
    let link = world.stranger(city, transport("440106"));
    let frame = hello(&world, Chain::new(vec![]));
    assert!(!world.stranger_says(city, link, frame), "an empty chain");
    still_works(&mut world);
}

#[test]
fn an_expired_certificate_ends_the_link_and_the_node_signs_nothing_more() {
    let mut world = demo(52);
    world.step(301 * 86_400_000);
    world.step(6_000);
    let county = code("440106");
    assert!(!world.linked(county, code("440100")));
    let department = world.department(county, 1, "民政局");
    let operator = world.staff(&department, statute::Role::Operator);
    let compiled = entry(
        &department,
        1,
        "低保对象信息",
        ClassTerms::Unconditional,
        world.now,
    );
    let refused = world.act(
        county,
        &operator,
        sharing::act::ActBody::CompileEntries {
            entries: vec![compiled],
        },
    );
    assert!(
        matches!(refused, Err(federation::core::Refused::NotAMember(_))),
        "{refused:?}"
    );
    assert!(
        query::node(world.read(county)).unwrap().ledger > 0,
        "what it has can still be read"
    );
}

#[test]
pub(crate) fn envelopes_out_of_place_replayed_or_forged_have_no_effect() {
    let mut world = demo(53);
    let (city, county) = (code("440100"), code("440106"));
    let sealed = Sealed {
        key_id: 1,
        encapsulated: [0; 32],
        ciphertext: vec![0; 64],
    };
    let envelope = |world: &World, from: &str, to: &str| Envelope {
        from: world.place(code(from)),
        to: world.place(code(to)),
        order: 1,
        created: world.now,
        expires: world.now.plus_days(1),
        sealed: sealed.clone(),
    };
    let push = |envelope: &Envelope, signer: &str, origin: Chain| {
        let envelope = Signed::sign(envelope, Domain::Envelope, &key(&format!("node {signer}")));
        codec::encode(&Frame::Push { envelope, origin })
    };
    let before = query::node(world.read(city)).unwrap().outbox;
    let forged = push(
        &envelope(&world, "440106", "100000"),
        "210102",
        chain(&world, county),
    );
    let foreign = push(
        &envelope(&world, "210102", "100000"),
        "210102",
        chain(&world, code("210102")),
    );
    let nowhere = push(
        &envelope(&world, "440106", "440104"),
        "440106",
        chain(&world, county),
    );
    for (what, bytes) in [
        ("a forged signature", forged),
        ("an origin from elsewhere in the tree", foreign),
    ] {
        world.inject(county, city, bytes);
        assert_eq!(
            query::node(world.read(city)).unwrap().outbox,
            before,
            "{what}"
        );
        assert!(
            findings(&world, city)
                .iter()
                .any(|finding| finding.contains("refused")),
            "{what} is on record"
        );
    }
    let ends = world.now.plus_days(1);
    for _ in 0..3 {
        world.inject(county, city, nowhere.clone());
    }
    world.settle();
    let taken = world
        .records(city)
        .iter()
        .filter(|bytes| {
            matches!(
                codec::decode(bytes, 1 << 20),
                Ok(federation::core::Record::Taken { expires, .. }) if expires == ends
            )
        })
        .count();
    assert_eq!(taken, 1, "a replayed envelope is taken once");
    still_works(&mut world);
}

#[test]
pub(crate) fn segments_with_a_gap_a_wrong_root_or_a_fork_are_refused_and_a_fork_is_proved() {
    let mut world = demo(54);
    let (city, county) = (code("440100"), code("440106"));
    let (department, _) = provider(&mut world, "440106", conditional());
    world.settle();
    let known = query::node(world.read(city)).unwrap().catalogue;
    let place = world.place(county);
    let signer = key("node 440106");
    let change = |serial: u32, world: &World| Change::Published {
        entry: entry(
            &department,
            serial,
            "另一目录",
            ClassTerms::Unconditional,
            world.now,
        ),
        at: world.now,
    };
    let cut = |log: &LogState, changes: &[Change], world: &World| {
        sync::cut(&place, log, changes, world.now, &signer).expect("cut")
    };
    // The log of this county has one change; a second history that starts from nothing forks it.
    let (fork, log) = cut(&LogState::default(), &[change(7, &world)], &world);
    let (_, log) = cut(&log, &[change(8, &world)], &world);
    let (gap, _) = cut(&log, &[change(9, &world)], &world);
    let mut wrong = fork.clone();
    wrong.body.push(0);
    for (what, segment) in [
        ("a gap", gap),
        ("a body that is not the signed one", wrong),
        ("a fork", fork),
    ] {
        world.settle();
        let frame = Frame::SyncSegments {
            publisher: chain(&world, county),
            segments: vec![segment],
        };
        world.inject(county, city, codec::encode(&frame));
        assert_eq!(
            query::node(world.read(city)).unwrap().catalogue,
            known,
            "{what}"
        );
    }
    let records = world.records(city);
    let proved = records.iter().any(|bytes| {
        matches!(
            codec::decode(bytes, 1 << 20),
            Ok(federation::core::Record::ForkFound { .. })
        )
    });
    assert!(proved, "both signed heads are kept as the proof");
    still_works(&mut world);
}

#[test]
pub(crate) fn an_act_for_another_node_or_by_a_stranger_is_not_authentic() {
    let mut world = demo(55);
    let department = world.department(code("440106"), 1, "民政局");
    let operator = world.staff(&department, statute::Role::Operator);
    let compiled = entry(
        &department,
        1,
        "低保对象信息",
        ClassTerms::Unconditional,
        world.now,
    );
    let body = sharing::act::ActBody::CompileEntries {
        entries: vec![compiled],
    };
    let signed = world.sign(code("440106"), &operator, body.clone());
    let elsewhere = world.post(code("440104"), &signed);
    assert!(
        matches!(elsewhere, Err(federation::core::Refused::NotAuthentic(_))),
        "{elsewhere:?}"
    );
    let mut stranger = operator.clone();
    stranger.key = key("nobody");
    let forged = world.act(code("440106"), &stranger, body);
    assert!(
        matches!(forged, Err(federation::core::Refused::NotAuthentic(_))),
        "{forged:?}"
    );
    assert!(world.post(code("440106"), &signed).is_ok());
    assert!(
        world
            .post(code("440106"), &signed)
            .expect("taken before")
            .repeated,
        "an act sent twice has one effect"
    );
}
