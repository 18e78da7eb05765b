//! What a node at fault says to honest ones, in a world of the demo, and that it has no effect.

use federation::core::{Record, query};
use federation::wire::{Envelope, Frame, Payload};
use guantong_tests::{Department, World, key};
use identity::{
    Chain, Code, Digest, Domain, Moment, Revocation, RevocationReason, Signed, codec, sealing,
};
use sharing::act::ActBody;
use sharing::clock::ClockEvent;
use sharing::docket::{self, DocketBody, DocketEvent, DocketId, Entering, Tip};
use sharing::ledger::{Checkpoint, checkpoint};
use statute::{Duty, Role};

use crate::stage::{
    application, apply, circuit, code, conditional, demo, events, findings, grant, provider, share,
};

/// Binds the sealing of payloads to the protocol of envelopes.
const SEAL_INFO: &[u8] = b"guantong envelope v1";

fn chain(world: &World, node: Code) -> Chain {
    let chain = query::own_chain(world.read(node)).expect("memory");
    chain.expect("enrolled")
}

fn node_key(node: Code) -> identity::SigningKey {
    key(&format!("node {node}"))
}

fn records(world: &World, node: Code) -> Vec<Record> {
    let records = world.records(node).iter();
    let decoded = records.map(|bytes| codec::decode(bytes, 1 << 20).expect("a record"));
    decoded.collect()
}

/// A payload from one node to another as it comes out of the neighbour above, made at this time for a day.
fn letter(world: &mut World, (from, to): (Code, Code), order: u64, made: Moment, said: &Payload) {
    let (origin, paths) = (chain(world, from), (world.place(from), world.place(to)));
    let holder = chain(world, to).claimed().expect("a certificate");
    let aad = codec::encode(&(&paths.0, &paths.1, order));
    let plain = codec::encode(said);
    let sealed = sealing::seal(
        &holder.sealing_key,
        SEAL_INFO,
        &aad,
        &plain,
        [order as u8; 32],
    );
    let envelope = Envelope {
        from: paths.0,
        to: paths.1.clone(),
        order,
        created: made,
        expires: made.plus_days(1),
        sealed: sealed.expect("sealed"),
    };
    let envelope = Signed::sign(&envelope, Domain::Envelope, &node_key(from));
    let above = paths.1.parent().expect("a parent").code();
    let frame = codec::encode(&Frame::Push { envelope, origin });
    world.inject(above, to, frame);
    world.settle();
}

/// An envelope that lay about for longer than it may is refused.
pub fn an_envelope_whose_time_is_over_is_not_taken() {
    let mut world = demo(80);
    let (from, to) = (code("210102"), code("440106"));
    let asked = Payload::EventsWanted {
        docket: DocketId(Digest::object(b"none")),
        from: 0,
    };
    let taken = |world: &World| {
        let taken = |it: &Record| matches!(it, Record::Taken { order: 77, .. });
        records(world, to).iter().filter(|it| taken(it)).count()
    };
    let over = world.now.plus_days(-2);
    letter(&mut world, (from, to), 77, over, &asked);
    assert_eq!(taken(&world), 0, "an envelope was taken after its time");
    let now = world.now;
    letter(&mut world, (from, to), 77, now, &asked);
    assert_eq!(taken(&world), 1, "one in its time is taken");
}

/// A revocation counts when its issuer signed it.
pub fn a_revocation_that_its_issuer_did_not_sign_is_not_believed() {
    let mut world = demo(81);
    let (city, county) = (code("440100"), code("440106"));
    let revocation = Revocation {
        issuer: city,
        serial: 9_999,
        node: code("440104"),
        reason: RevocationReason::KeyCompromise,
        at: world.now,
    };
    let list = vec![revocation.sign(&key("nobody"))];
    world.inject(city, county, codec::encode(&Frame::Revocations { list }));
    let believed = records(&world, county);
    let believed = believed
        .iter()
        .any(|it| matches!(it, Record::Revoked { .. }));
    assert!(!believed, "a forged revocation was believed");
}

/// Two checkpoints of one size with two roots: the second is not cosigned, and both are kept.
pub fn two_checkpoints_of_one_size_are_kept_as_proof() {
    let mut world = demo(82);
    let (city, county) = (code("440100"), code("440106"));
    provider(&mut world, "440106", conditional());
    world.settle();
    let cosigned = |world: &World| -> Vec<Checkpoint> {
        let of = |it: &Record| match it {
            Record::ChildCosigned { checkpoint, .. } => checkpoint.claimed(1_024).ok(),
            _ => None,
        };
        let found = records(world, city);
        let found = found.iter().filter_map(of);
        found.filter(|it| it.node.code() == county).collect()
    };
    let before = cosigned(&world);
    let other = Checkpoint {
        root: Digest::object(b"another history"),
        at: world.now,
        ..before.last().expect("cosigned").clone()
    };
    let offer = Frame::CheckpointOffer {
        from: other.size,
        checkpoint: checkpoint::sign(&other, &node_key(county)),
        proof: vec![],
    };
    world.inject(county, city, codec::encode(&offer));
    world.settle();
    let refused = |it: &Record| matches!(it, Record::CheckpointRefused { .. });
    let kept = records(&world, city)
        .iter()
        .filter(|it| refused(it))
        .count();
    assert_eq!(kept, 1, "the proof of two histories of a ledger");
    let forged = cosigned(&world).iter().any(|it| it.root == other.root);
    assert!(!forged, "the second history was cosigned");
}

/// 天河区 and the entry of 和平区 that it may apply for.
fn parties(world: &mut World) -> (Department, Department, sharing::catalogue::Entry) {
    let (provider, entry) = provider(world, "210102", conditional());
    (
        world.department(code("440106"), 2, "民政局"),
        provider,
        entry,
    )
}

/// Consent of a head is to the document that goes out, and to no other.
pub fn consent_is_to_this_very_document() {
    let mut world = demo(83);
    let (requester, provider, entry) = parties(&mut world);
    let wanted = application(&world, &requester, &provider, &entry);
    let operator = world.staff(&requester, Role::Operator);
    let office = world.staff(&requester, Role::SharingOfficeHead);
    let draft = ActBody::Apply {
        application: wanted.clone(),
    };
    let drafted = world
        .act(requester.node, &operator, draft)
        .expect("drafted");
    let docket = drafted.docket.expect("a docket");
    let document = Digest::object(b"another document");
    let consent = ActBody::ConsentToApply { docket, document };
    let answer = world.act(requester.node, &office, consent);
    world.settle();
    let out = !events(&world, provider.node, docket).is_empty();
    assert!(
        answer.is_err() && !out,
        "consent to another application counts"
    );
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let operator = world.staff(&provider, Role::Operator);
    let office = world.staff(&provider, Role::SharingOfficeHead);
    let reply = grant(&world, &entry);
    let propose = ActBody::ProposeReply { docket, reply };
    world
        .act(provider.node, &operator, propose)
        .expect("proposed");
    let consent = ActBody::ConsentToReply { docket, document };
    let answer = world.act(provider.node, &office, consent);
    assert!(answer.is_err(), "consent to another reply counts");
}

/// What was granted is handed to its holder, while the grant runs.
pub fn a_grant_serves_its_holder_for_its_period() {
    let mut world = demo(84);
    let (requester, provider, entry) = parties(&mut world);
    let (docket, object) = share(&mut world, &requester, &provider, &entry);
    let ask = |world: &World, from: Code| circuit(world, (from, provider.node), docket, &object);
    assert_eq!(ask(&world, requester.node), Ok(()), "its holder");
    let another = ask(&world, code("110101"));
    assert!(
        another.is_err(),
        "data was handed to a node that is no party"
    );
    world.now = world.now.plus_days(201);
    let late = ask(&world, requester.node);
    assert!(late.is_err(), "data was handed out after the period");
}

/// Whatever comes by letter, a party's copy of a docket is its home's.
pub fn nobody_rewrites_a_docket_by_letter() {
    let mut world = demo(85);
    let (requester, provider, entry) = parties(&mut world);
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let home = events(&world, provider.node, docket);
    assert_eq!(events(&world, requester.node, docket), home);
    let last: &DocketEvent = home.last().expect("received");
    let tip = Tip {
        sequence: last.sequence,
        digest: Digest::of(Domain::Event, &codec::encode(last)),
    };
    let elsewhere = Tip {
        digest: Digest::object(b"another event"),
        ..tip
    };
    let stranger = code("110101");
    let forged = [
        ("its home did not sign", provider.node, key("nobody"), tip),
        (
            "follows another",
            provider.node,
            node_key(provider.node),
            elsewhere,
        ),
        ("comes from another home", stranger, node_key(stranger), tip),
    ];
    for (order, (what, from, signer, tip)) in (100..).zip(forged) {
        let place = world.place(from);
        let entering = Entering {
            docket,
            home: &place,
            at: world.now,
            checkpoint: (0, Digest::from_bytes([0; 32])),
        };
        let warned = DocketBody::Clock(ClockEvent::Warned {
            duty: Duty::Provide,
            arises: world.now,
            due: world.now,
        });
        let event = docket::append(Some(tip), entering, warned, &signer).expect("room");
        let said = Payload::Events {
            home: chain(&world, from),
            events: vec![event],
        };
        let now = world.now;
        letter(&mut world, (from, requester.node), order, now, &said);
        let copy = events(&world, requester.node, docket);
        assert!(copy == home, "a copy holds an event that {what}");
    }
}

/// What cannot be delivered is told to whoever sent it.
pub fn a_sender_is_told_what_never_arrived() {
    let mut world = demo(86);
    let (provider, entry) = provider(&mut world, "440106", conditional());
    world.settle();
    let requester = world.department(code("210102"), 2, "民政局");
    world.stop(provider.node);
    let wanted = application(&world, &requester, &provider, &entry);
    apply(&mut world, &requester, wanted);
    for _ in 0..3 {
        world.step(6_000);
    }
    world.step(31 * 86_400_000);
    for _ in 0..10 {
        world.step(6_000);
    }
    let told = findings(&world, requester.node);
    let told = told.iter().any(|it| it.contains("could not be delivered"));
    assert!(told, "nobody told the sender");
}
