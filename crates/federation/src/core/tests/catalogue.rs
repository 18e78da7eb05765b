//! Sync under forks, failures and losses: talk ends, other logs go on, and contradictions are kept as proof.

use sharing::catalogue::Change;

use super::*;
use crate::core::record::Record;
use crate::core::tables::{HeadRow, View, code_key};
use crate::store::{Read, Table};
use crate::sync::{self, LogState, Segment};

fn change(number: u32) -> Change {
    let id = format!("3/440000/{number:06}").parse().unwrap();
    Change::Withdrawn {
        id,
        version: 1,
        at: NOW,
        reason: "重复".into(),
    }
}

fn changes(numbers: std::ops::Range<u32>) -> Vec<Change> {
    numbers.map(change).collect()
}

fn cut(publisher: &str, log: &LogState, numbers: std::ops::Range<u32>) -> (Segment, LogState) {
    let signer = node_key(code(publisher));
    sync::cut(&path(publisher), log, &changes(numbers), NOW, &signer).unwrap()
}

fn last(net: &Net, at: &str, publisher: &str) -> u64 {
    let store: &dyn Read = net.store(at);
    store
        .row::<HeadRow>(Table::Heads, &code_key(&code(publisher)))
        .unwrap()
        .map_or(0, |row| row.log.last)
}

fn forks(net: &Net, at: &str) -> usize {
    let records = &net.store(at).records;
    records
        .iter()
        .filter(|bytes| matches!(codec::decode(bytes, 1 << 20), Ok(Record::ForkFound { .. })))
        .count()
}

fn publish(net: &mut Net, at: &str, numbers: std::ops::Range<u32>) {
    net.batch(code(at), |core, ctx| core.publish(ctx, changes(numbers)));
    net.settle();
}

#[test]
fn a_fork_is_proved_wherever_its_segments_were_cut() {
    let empty = LogState::default();
    let (_, three) = cut(GUANGDONG, &empty, 10..13);
    for (what, forged) in [
        ("the same changes", cut(GUANGDONG, &empty, 10..13).0),
        (
            "across the end of what is known",
            cut(GUANGDONG, &empty, 10..14).0,
        ),
        (
            "a continuation of another past",
            cut(GUANGDONG, &three, 13..15).0,
        ),
    ] {
        let mut net = Net::new(&[HUB]);
        let link = net.stranger(HUB, GUANGDONG);
        for segments in [
            vec![cut(GUANGDONG, &empty, 0..3).0],
            vec![forged.clone()],
            vec![forged],
        ] {
            net.say(
                HUB,
                link,
                Frame::SyncSegments {
                    publisher: chain(GUANGDONG),
                    segments,
                },
            );
        }
        assert_eq!(
            last(&net, HUB, GUANGDONG),
            3,
            "{what}: nothing known is touched"
        );
        assert_eq!(forks(&net, HUB), 1, "{what}");
    }
}

#[test]
fn two_nodes_whose_histories_differ_stop_talking_about_it() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    let link = net.link(GUANGDONG, HUB);
    publish(&mut net, GUANGDONG, 0..3);
    net.drop_link(link);
    // A restored node publishes before it has come back.
    let node = net.nodes.get_mut(&code(GUANGDONG)).unwrap();
    (node.core, node.store) = (Core::new(node.core.me.clone()), Memory::default());
    net.input(code(GUANGDONG), Input::Started);
    net.input(
        code(GUANGDONG),
        Input::Install {
            token: Token(0),
            chain: chain(GUANGDONG),
        },
    );
    publish(&mut net, GUANGDONG, 20..25);
    net.link(GUANGDONG, HUB);
    assert_eq!((last(&net, HUB, GUANGDONG), forks(&net, HUB)), (3, 1));
}

#[test]
fn what_a_child_lost_whole_is_given_back() {
    let mut net = Net::new(&[HUB, GUANGDONG, GUANGZHOU]);
    net.link(GUANGZHOU, GUANGDONG);
    let link = net.link(GUANGDONG, HUB);
    publish(&mut net, GUANGDONG, 0..3);
    publish(&mut net, GUANGZHOU, 0..5);
    assert_eq!(last(&net, HUB, GUANGZHOU), 5);
    net.drop_link(link);
    let node = net.nodes.get_mut(&code(GUANGDONG)).unwrap();
    (node.core, node.store) = (Core::new(node.core.me.clone()), Memory::default());
    net.input(code(GUANGDONG), Input::Started);
    net.input(
        code(GUANGDONG),
        Input::Install {
            token: Token(0),
            chain: chain(GUANGDONG),
        },
    );
    net.link(GUANGDONG, HUB);
    assert_eq!(last(&net, GUANGDONG, GUANGDONG), 3);
    assert_eq!(last(&net, GUANGDONG, GUANGZHOU), 5);
}

#[test]
fn a_log_whose_author_is_no_member_any_more_does_not_stop_the_others() {
    let mut net = Net::new(&[HUB]);
    let link = net.stranger(HUB, GUANGDONG);
    let foreign = chain_with(GUANGZHOU, &key("another"), terms(4));
    let segments = vec![cut(GUANGZHOU, &LogState::default(), 0..3).0];
    net.say(
        HUB,
        link,
        Frame::SyncSegments {
            publisher: foreign,
            segments,
        },
    );
    assert!(!net.closed(link), "the neighbour only passed it on");
    assert_eq!(last(&net, HUB, GUANGZHOU), 0);
    let segments = vec![cut(GUANGDONG, &LogState::default(), 0..3).0];
    net.say(
        HUB,
        link,
        Frame::SyncSegments {
            publisher: chain(GUANGDONG),
            segments,
        },
    );
    assert_eq!(last(&net, HUB, GUANGDONG), 3);
}

#[test]
fn a_log_outlives_the_certificate_and_the_key_of_its_author() {
    let old = key("first key");
    let expired = Terms {
        valid_from: NOW.plus_days(-20),
        valid_until: NOW.plus_days(-1),
        ..terms(4)
    };
    let before = chain_with(GUANGZHOU, &old, expired);
    let then = NOW.plus_days(-9);
    let (first, log) = sync::cut(
        &path(GUANGZHOU),
        &LogState::default(),
        &changes(0..3),
        then,
        &old,
    )
    .unwrap();
    let (second, _) = cut(GUANGZHOU, &log, 3..5);
    // The province has known it all along; the hub hears of it now.
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.now = then;
    let link = net.stranger(GUANGDONG, GUANGZHOU);
    net.batch(code(GUANGDONG), |core, ctx| core.learn(ctx, &before, then));
    net.say(
        GUANGDONG,
        link,
        Frame::SyncSegments {
            publisher: before,
            segments: vec![first],
        },
    );
    net.now = NOW;
    net.say(
        GUANGDONG,
        link,
        Frame::SyncSegments {
            publisher: chain(GUANGZHOU),
            segments: vec![second],
        },
    );
    assert_eq!(last(&net, GUANGDONG, GUANGZHOU), 5);
    net.link(GUANGDONG, HUB);
    assert_eq!(last(&net, HUB, GUANGZHOU), 5);
}

#[test]
fn pages_nobody_asked_for_are_not_read() {
    let mut net = Net::new(&[HUB]);
    let link = net.stranger(HUB, GUANGDONG);
    net.sent(link);
    for _ in 0..3 {
        let heads = vec![cut(GUANGDONG, &LogState::default(), 0..3).0.head];
        net.say(HUB, link, Frame::SyncHeads { heads, more: true });
    }
    assert_eq!(net.sent(link), [], "no pull, no further page");
}
