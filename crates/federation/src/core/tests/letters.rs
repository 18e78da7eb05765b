//! Envelopes: none is lost, doubled, taken out of place or kept for ever, and no one destination stands in another's way.

use identity::{Domain, Sealed, Signed};

use super::*;
use crate::core::record::Record;
use crate::store::{Read, Table};
use crate::wire::{Envelope, EnvelopeId, NackReason, Payload};

fn payload(number: u8) -> Payload {
    Payload::EventsWanted {
        docket: sharing::docket::DocketId(Digest::from_bytes([number; 32])),
        from: 0,
    }
}

fn queue(net: &mut Net, at: &str, to: &str, payload: Payload) {
    let to = code(to);
    net.batch(code(at), |core, ctx| core.queue(ctx, to, payload));
}

fn taken(net: &Net, at: &str) -> usize {
    let records = &net.store(at).records;
    let is_taken =
        |bytes: &&Vec<u8>| matches!(codec::decode(bytes, 1 << 20), Ok(Record::Taken { .. }));
    records.iter().filter(is_taken).count()
}

fn envelope(created: Moment, expires: Moment) -> Frame {
    let envelope = Envelope {
        from: path(GUANGDONG),
        to: path(LIAONING),
        order: 1,
        created,
        expires,
        sealed: Sealed {
            key_id: 1,
            encapsulated: [0; 32],
            ciphertext: vec![0; 64],
        },
    };
    Frame::Push {
        envelope: Signed::sign(&envelope, Domain::Envelope, &node_key(code(GUANGDONG))),
        origin: chain(GUANGDONG),
    }
}

#[test]
fn envelopes_pushed_before_a_link_broke_are_pushed_again_and_taken_once() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    let link = net.link(GUANGDONG, HUB);
    for number in 0..40 {
        queue(&mut net, GUANGDONG, HUB, payload(number));
    }
    // The window is on its way when the link breaks.
    net.drop_link(link);
    assert_eq!(taken(&net, HUB), 0);
    let link = net.link(GUANGDONG, HUB);
    assert_eq!(taken(&net, HUB), 40, "more than a window, each once");
    net.drop_link(link);
    net.link(GUANGDONG, HUB);
    assert_eq!(taken(&net, HUB), 40);
    let waiting = net
        .store(GUANGDONG)
        .scan(Table::Outbox, b"", None, 10)
        .unwrap();
    assert!(waiting.is_empty(), "acknowledged and forgotten");
}

#[test]
fn an_envelope_that_would_outlive_every_outbox_is_refused() {
    let mut net = Net::new(&[HUB]);
    let link = net.stranger(HUB, GUANGDONG);
    let far = NOW.plus_days(300);
    for (created, expires, why) in [
        (far, far.plus_days(1), "made in a year to come"),
        (NOW, NOW.plus_days(31), "longer than an envelope lives"),
        (NOW.plus_days(-9), NOW, "over"),
    ] {
        net.sent(link);
        net.say(HUB, link, envelope(created, expires));
        let refused = |frame: &Frame| {
            matches!(
                frame,
                Frame::Nack {
                    reason: NackReason::Expired,
                    ..
                }
            )
        };
        assert!(net.sent(link).iter().any(refused), "{why}");
    }
    assert_eq!(taken(&net, HUB), 0);
}

#[test]
fn expiry_reaches_every_outbox_however_many_others_are_full() {
    let mut net = Net::new(&[HUB]);
    let at = code(HUB);
    let put = |net: &mut Net, next: &str, number: u8, expires: Moment| {
        let next = code(next);
        net.batch(at, |_, ctx| {
            let envelope = EnvelopeId(Digest::from_bytes([number; 32]));
            let signed = Signed::sign(
                &Envelope {
                    from: path(HUB),
                    to: path(GUANGDONG),
                    order: u64::from(number),
                    created: NOW,
                    expires,
                    sealed: Sealed {
                        key_id: 1,
                        encapsulated: [0; 32],
                        ciphertext: Vec::new(),
                    },
                },
                Domain::Envelope,
                &node_key(at),
            );
            let body = ctx.body(&(signed, chain(HUB)));
            let (to, order, at) = (next, u64::from(number), ctx.now);
            ctx.record(&Record::Sealed {
                to,
                order,
                envelope,
                next,
                body,
                expires,
                at,
            })
        });
    };
    for number in 0..100 {
        put(&mut net, LIAONING, number, NOW.plus_days(20));
    }
    put(&mut net, GUANGDONG, 200, NOW.plus_days(1));
    net.now = NOW.plus_days(2);
    for _ in 0..3 {
        net.pass(6_000);
    }
    let left = net
        .store(HUB)
        .scan(Table::Outbox, b"", None, 1_000)
        .unwrap();
    assert_eq!(left.len(), 100, "the one that was over is gone");
    assert_eq!(
        net.findings(HUB)
            .iter()
            .filter(|it| it.en.contains("could not be delivered"))
            .count(),
        1
    );
}

#[test]
fn a_destination_nobody_has_is_told_once_and_does_not_hide_the_next() {
    let mut net = Net::new(&[HUB, LIAONING]);
    for number in 0..u8::MAX {
        let to = "110000".parse().unwrap();
        net.batch(code(LIAONING), |core, ctx| {
            core.queue(ctx, to, payload(number))
        });
    }
    queue(&mut net, LIAONING, GUANGZHOU, payload(1));
    queue(&mut net, LIAONING, GUANGZHOU, payload(2));
    net.batch(code(HUB), |core, ctx| {
        core.learn(ctx, &chain(GUANGZHOU), NOW)
    });
    net.link(LIAONING, HUB);
    let waiting = |net: &Net| {
        net.store(LIAONING)
            .scan(Table::Unsealed, b"", None, 1_000)
            .unwrap()
            .len()
    };
    assert_eq!(waiting(&net), 255, "what could be sealed was");
    for _ in 0..5 {
        net.pass(6_000);
    }
    let told = net.findings(LIAONING);
    assert_eq!(
        told.iter()
            .filter(|it| it.en.contains("no node 110000"))
            .count(),
        1,
        "{told:?}"
    );
}

#[test]
fn what_no_envelope_holds_is_told_and_not_sent() {
    let mut net = Net::new(&[HUB, LIAONING]);
    net.link(LIAONING, HUB);
    let outcome = "长".repeat(500_000);
    let id = sharing::docket::DocketId(Digest::from_bytes([1; 32]));
    queue(
        &mut net,
        LIAONING,
        HUB,
        Payload::DisputeConcluded {
            dispute: id,
            about: id,
            outcome,
        },
    );
    net.settle();
    assert!(
        net.findings(LIAONING)
            .iter()
            .any(|it| it.en.contains("too large"))
    );
    queue(&mut net, LIAONING, HUB, payload(1));
    net.settle();
    assert_eq!(taken(&net, HUB), 1, "the next one goes");
}

#[test]
fn an_old_chain_that_still_verifies_takes_nothing_back() {
    let mut net = Net::new(&[HUB]);
    let newer = chain_with(
        LIAONING,
        &node_key(code(LIAONING)),
        Terms {
            valid_from: NOW.plus_days(-1),
            ..terms(9)
        },
    );
    let learn = |net: &mut Net, chain: &Chain| {
        net.batch(code(HUB), |core, ctx| core.learn(ctx, chain, NOW))
    };
    for chain in [&chain(LIAONING), &newer, &chain(LIAONING)] {
        learn(&mut net, chain);
    }
    let known = net.batch(code(HUB), |core, ctx| {
        core.known_chain(ctx, &code(LIAONING))
    });
    assert_eq!(known.map(|row| row.chain), Some(newer));
}

#[test]
fn refusals_and_failures_nobody_asked_for_are_not_put_on_record() {
    let mut net = Net::new(&[HUB]);
    let from = member(LIAONING);
    let id = Digest::from_bytes([3; 32]);
    let refusal = statute::RefusalReason::TermOver.under(statute::Article::R20);
    let (docket, act) = (sharing::docket::DocketId(id), sharing::act::ActId(id));
    let undeliverable = Payload::Undeliverable {
        envelope: EnvelopeId(id),
        reason: NackReason::NoRoute,
        at: path(LIAONING),
    };
    for payload in [
        Payload::Refused {
            docket,
            act,
            refusal,
        },
        undeliverable,
    ] {
        net.batch(code(HUB), |core, ctx| core.received(ctx, &from, payload));
    }
    assert_eq!(net.findings(HUB), []);
}

#[test]
fn a_finding_is_a_page_at_most() {
    let mut net = Net::new(&[HUB]);
    net.batch(code(HUB), |_, ctx| {
        ctx.finding("长".repeat(400_000), "x".repeat(400_000), None)
    });
    let found = net.findings(HUB);
    assert!(found[0].en.chars().count() <= 2_001 && found[0].zh.chars().count() <= 2_001);
}

/// An envelope of 广州市 to 辽宁省, made now, with a certificate that ends tomorrow.
fn from_guangzhou(serial: u64) -> Frame {
    let ends = Terms {
        valid_until: NOW.plus_days(1),
        ..terms(serial)
    };
    let key = node_key(code(GUANGZHOU));
    let envelope = Envelope {
        from: path(GUANGZHOU),
        to: path(LIAONING),
        order: serial,
        created: NOW,
        expires: NOW.plus_days(10),
        sealed: Sealed {
            key_id: 1,
            encapsulated: [0; 32],
            ciphertext: vec![0; 64],
        },
    };
    Frame::Push {
        envelope: Signed::sign(&envelope, Domain::Envelope, &key),
        origin: chain_with(GUANGZHOU, &key, ends),
    }
}

#[test]
fn what_was_made_while_its_author_was_a_member_arrives_after_the_certificate_ended() {
    let mut net = Net::new(&[HUB, GUANGDONG, LIAONING]);
    let certified = super::super::Record::Certified {
        chain: chain(LIAONING),
        at: NOW,
    };
    net.batch(code(HUB), |_, ctx| ctx.record(&certified));
    let link = net.stranger(HUB, GUANGDONG);
    net.pass(5 * 86_400_000);
    net.say(HUB, link, from_guangzhou(1));
    let told = net.findings(HUB);
    assert_eq!(
        taken(&net, HUB),
        1,
        "it had waited on the way for five days: {told:?}"
    );
    net.pass(6 * 86_400_000);
    net.say(HUB, link, from_guangzhou(2));
    assert_eq!(taken(&net, HUB), 1, "its own time is over");
}
