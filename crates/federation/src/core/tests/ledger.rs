//! Checkpoints and membership: cosigned again when an answer is lost, at rest when refused, and no word believed of another's children.

use identity::{Revocation, RevocationReason};
use sharing::catalogue::Change;

use super::*;
use crate::core::tables::{counter, meta, serial_key};
use crate::store::{Read, Table};
use crate::sync::{self, LogState, Segment};

fn cosigned(net: &Net, place: &str) -> u64 {
    let store: &dyn Read = net.store(place);
    counter(store, meta::COSIGNED).unwrap()
}

fn revocation(issuer: &str, node: &str, serial: u64) -> Signed<Revocation> {
    let (issuer, node) = (code(issuer), code(node));
    let reason = RevocationReason::KeyCompromise;
    Revocation {
        issuer,
        serial,
        node,
        reason,
        at: NOW,
    }
    .sign(&node_key(issuer))
}

fn is_revoked(net: &Net, at: &str, issuer: &str, serial: u64) -> bool {
    crate::core::query::is_revoked(net.store(at), &code(issuer), serial)
}

fn segment(publisher: &str, changes: &[Change]) -> Segment {
    let signer = node_key(code(publisher));
    sync::cut(
        &path(publisher),
        &LogState::default(),
        changes,
        NOW,
        &signer,
    )
    .unwrap()
    .0
}

#[test]
fn a_cosignature_lost_on_the_way_is_given_again() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    let link = net.link(GUANGDONG, HUB);
    net.now = net.now.plus_millis(2_000);
    net.input(code(GUANGDONG), Input::Tick);
    // The offer arrives; the answer is on the link when it breaks.
    while let Some((at, on, bytes)) = net.frames.pop_front() {
        net.input(at, Input::Frame { link: on, bytes });
        if net
            .store(HUB)
            .get(
                Table::Cosigned,
                &crate::core::tables::code_key(&code(GUANGDONG)),
            )
            .unwrap()
            .is_some()
        {
            break;
        }
    }
    net.drop_link(link);
    assert_eq!(cosigned(&net, GUANGDONG), 0);
    net.link(GUANGDONG, HUB);
    assert!(cosigned(&net, GUANGDONG) > 0);
}

#[test]
fn a_node_whose_clock_is_ahead_is_refused_without_end_of_talk_and_cosigned_when_it_is_right() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.link(GUANGDONG, HUB);
    net.settle();
    let before = cosigned(&net, GUANGDONG);
    net.batch(code(GUANGDONG), |_, ctx| {
        ctx.finding("一".into(), "one".into(), None)
    });
    net.now = NOW.plus_millis(600_000);
    net.input(code(GUANGDONG), Input::Tick);
    net.now = NOW;
    net.settle();
    assert_eq!(cosigned(&net, GUANGDONG), before);
    let refused = |net: &Net| {
        net.findings(HUB)
            .iter()
            .filter(|it| it.en.contains("not cosigned"))
            .count()
    };
    assert_eq!(refused(&net), 1);
    for _ in 0..8 {
        net.pass(2_000);
    }
    assert_eq!(refused(&net), 1, "told once");
    net.now = NOW.plus_millis(700_000);
    for _ in 0..3 {
        net.pass(61_000);
    }
    assert!(cosigned(&net, GUANGDONG) > before);
}

#[test]
fn a_successor_is_cosigned_although_its_ledger_begins_anew() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.link(GUANGDONG, HUB);
    net.pass(2_000);
    assert!(cosigned(&net, GUANGDONG) > 0);
    let key = key("successor");
    let chain = chain_with(
        GUANGDONG,
        &key,
        Terms {
            epoch: 2,
            valid_from: NOW,
            ..terms(7)
        },
    );
    let node = net.nodes.get_mut(&code(GUANGDONG)).unwrap();
    let me = Me {
        signing: key,
        ..node.core.me.clone()
    };
    (node.core, node.store) = (Core::new(me), Memory::default());
    net.input(code(GUANGDONG), Input::Started);
    net.input(
        code(GUANGDONG),
        Input::Install {
            token: Token(0),
            chain,
        },
    );
    net.link(GUANGDONG, HUB);
    net.pass(2_000);
    assert!(cosigned(&net, GUANGDONG) > 0);
}

#[test]
fn a_log_speaks_of_its_own_authors_children_only() {
    let mut net = Net::new(&[HUB]);
    let link = net.stranger(HUB, GUANGDONG);
    let forged = chain_with(
        LIAONING,
        &key("thief"),
        Terms {
            valid_from: NOW,
            ..terms(8)
        },
    );
    let changes = [
        Change::MemberRevoked {
            revocation: revocation(HUB, LIAONING, 2),
        },
        Change::MemberRevoked {
            revocation: Revocation {
                issuer: code(GUANGDONG),
                serial: 5,
                node: code(GUANGZHOU),
                reason: RevocationReason::KeyCompromise,
                at: NOW,
            }
            .sign(&key("thief")),
        },
        Change::MemberCertified {
            chain: forged.clone(),
        },
        Change::MemberRevoked {
            revocation: revocation(GUANGDONG, GUANGZHOU, 6),
        },
        Change::MemberCertified {
            chain: chain(GUANGZHOU),
        },
    ];
    let segments = vec![segment(GUANGDONG, &changes)];
    net.say(
        HUB,
        link,
        Frame::SyncSegments {
            publisher: chain(GUANGDONG),
            segments,
        },
    );
    assert!(!net.closed(link));
    assert!(
        !is_revoked(&net, HUB, HUB, 2),
        "the hub's own children are the hub's to revoke"
    );
    assert!(
        !is_revoked(&net, HUB, GUANGDONG, 5),
        "not signed by the issuer"
    );
    assert!(
        is_revoked(&net, HUB, GUANGDONG, 6),
        "its own child, in its own name"
    );
    let known = |net: &mut Net, place| {
        net.batch(code(HUB), |core, ctx| core.known_chain(ctx, &code(place)))
    };
    assert_eq!(known(&mut net, LIAONING), None);
    assert_eq!(
        known(&mut net, GUANGZHOU).map(|row| row.chain),
        Some(chain(GUANGZHOU))
    );
}

#[test]
fn a_revocation_that_climbed_goes_down_to_the_other_children() {
    let mut net = Net::new(&[HUB, LIAONING]);
    net.batch(code(LIAONING), |core, ctx| {
        core.learn(ctx, &chain(GUANGDONG), NOW)
    });
    net.link(LIAONING, HUB);
    let link = net.stranger(HUB, GUANGDONG);
    let changes = [Change::MemberRevoked {
        revocation: revocation(GUANGDONG, GUANGZHOU, 6),
    }];
    let segments = vec![segment(GUANGDONG, &changes)];
    net.say(
        HUB,
        link,
        Frame::SyncSegments {
            publisher: chain(GUANGDONG),
            segments,
        },
    );
    net.settle();
    assert!(is_revoked(&net, LIAONING, GUANGDONG, 6));
}

#[test]
fn a_revocation_waits_for_its_issuers_chain() {
    let mut net = Net::new(&[HUB, LIAONING]);
    net.batch(code(HUB), |core, ctx| {
        core.learn(ctx, &chain(GUANGDONG), NOW)
    });
    let known = revocation(GUANGDONG, GUANGZHOU, 6);
    net.batch(code(HUB), |_, ctx| {
        ctx.record(&crate::core::Record::Revoked {
            revocation: known,
            at: NOW,
        })
    });
    net.link(LIAONING, HUB);
    assert!(
        is_revoked(&net, LIAONING, GUANGDONG, 6),
        "the chain was asked for, and then it held"
    );
}

#[test]
fn a_node_that_learns_of_its_own_revocation_signs_nothing_more() {
    let mut net = Net::new(&[GUANGDONG]);
    let link = net.stranger(GUANGDONG, HUB);
    let list = vec![revocation(HUB, GUANGDONG, 1)];
    net.say(GUANGDONG, link, Frame::Revocations { list });
    let store: &dyn Read = net.store(GUANGDONG);
    assert!(
        store
            .get(Table::Revocations, &serial_key(&code(HUB), 1))
            .unwrap()
            .is_some()
    );
    let core = &net.nodes[&code(GUANGDONG)].core;
    assert!(core.membership(NOW).is_err());
    assert!(core.place().is_some(), "what it has can still be read");
}
