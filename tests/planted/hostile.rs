//! What a node at fault says to honest ones, in a world of the demo, and that it has no effect.

use federation::core::{Record, query};
use federation::wire::{Envelope, Frame, Payload};
use guantong_tests::{Department, World, entry, key};
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
    let decoded = records.map(|bytes| codec::decode::<Record>(bytes, 1 << 20).expect("a record"));
    decoded.collect()
}

/// A payload from one node to another in an envelope made at this time for a day, as a frame.
fn letter(
    (world, made): (&World, Moment),
    from: Code,
    to: Code,
    order: u64,
    said: &Payload,
) -> Vec<u8> {
    let (origin, place, goal) = (chain(world, from), world.place(from), world.place(to));
    let holder = chain(world, to).claimed().expect("a certificate");
    let aad = codec::encode(&(&place, &goal, order));
    let plain = codec::encode(said);
    let sealed = sealing::seal(&holder.sealing_key, SEAL_INFO, &aad, &plain, [7; 32]);
    let envelope = Envelope {
        from: place,
        to: goal,
        order,
        created: made,
        expires: made.plus_days(1),
        sealed: sealed.expect("sealed"),
    };
    let envelope = Signed::sign(&envelope, Domain::Envelope, &node_key(from));
    codec::encode(&Frame::Push { envelope, origin })
}

/// What a party asks that is none.
fn question() -> Payload {
    Payload::EventsWanted {
        docket: DocketId(Digest::object(b"none")),
        from: 0,
    }
}

/// Envelopes of this number that a node took.
fn taken(world: &World, at: Code, number: u64) -> usize {
    let taken = |it: &Record| matches!(it, Record::Taken { order, .. } if *order == number);
    records(world, at).iter().filter(|it| taken(it)).count()
}

/// An envelope that lay about for longer than it may is refused.
pub fn an_envelope_whose_time_is_over_is_not_taken() {
    let mut world = demo(80);
    let (from, to, above) = (code("210102"), code("440106"), code("440100"));
    let over = world.now.plus_days(-2);
    let late = letter((&world, over), from, to, 77, &question());
    world.inject(above, to, late);
    world.settle();
    assert_eq!(
        taken(&world, to, 77),
        0,
        "an envelope was taken after its time"
    );
    let in_time = letter((&world, world.now), from, to, 77, &question());
    world.inject(above, to, in_time);
    assert_eq!(taken(&world, to, 77), 1, "one in its time is taken");
}

/// A neighbour passes on what began where it stands, and nothing else.
pub fn an_envelope_comes_from_where_it_began() {
    let mut world = demo(87);
    let (county, city) = (code("440106"), code("440100"));
    let astray = letter((&world, world.now), code("210102"), city, 78, &question());
    world.inject(county, city, astray);
    world.settle();
    assert_eq!(
        taken(&world, city, 78),
        0,
        "an envelope came from below that began elsewhere"
    );
}

/// An act counts at the node that it names.
pub fn an_act_is_for_the_node_that_it_names() {
    let mut world = demo(88);
    let (here, elsewhere) = (code("440106"), code("440104"));
    let department = world.department(here, 1, "民政局");
    let operator = world.staff(&department, Role::Operator);
    let compiled = entry(&department, 1, "低保对象信息", conditional(), world.now);
    let entries = vec![compiled];
    let signed = world.sign(elsewhere, &operator, ActBody::CompileEntries { entries });
    let answer = world.post(here, &signed);
    assert!(answer.is_err(), "an act for another node was taken");
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
        let frame = letter((&world, world.now), from, requester.node, order, &said);
        world.inject(code("440100"), requester.node, frame);
        world.settle();
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
