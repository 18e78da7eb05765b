//! A node restored from a backup: it compares first, signs nothing that contradicts what it has told, and goes on when it may.

use super::*;
use crate::core::tables::{View, counter, meta};
use crate::core::view::RestoredView;
use crate::core::{Record, Refused};
use crate::store::{Read, Table};
use sharing::ledger::Checkpoint;

/// Something happens at a node, and is cosigned above.
fn goes_on(net: &mut Net, place: &str) {
    net.batch(code(place), |_, ctx| {
        ctx.finding("一".into(), "one".into(), None)
    });
    net.pass(2_000);
}

fn leaves(net: &Net, place: &str) -> u64 {
    let store: &dyn Read = net.store(place);
    counter(store, meta::LEAVES).unwrap()
}

fn newest(net: &Net, place: &str) -> Signed<Checkpoint> {
    let store: &dyn Read = net.store(place);
    store.row(Table::Meta, meta::CHECKPOINT).unwrap().unwrap()
}

/// Stops a node and starts it on what a backup held, perhaps with another key.
fn restore(net: &mut Net, place: &str, held: Memory, signing: Option<SigningKey>) {
    let links: Vec<LinkId> = net
        .links
        .iter()
        .filter(|(_, (at, _))| *at == code(place))
        .map(|(link, _)| *link)
        .collect();
    for link in links {
        net.drop_link(link);
    }
    let node = net.nodes.get_mut(&code(place)).unwrap();
    let before = node.core.me.clone();
    let me = Me {
        signing: signing.unwrap_or(before.signing.clone()),
        ..before
    };
    (node.core, node.store) = (Core::new(me), held);
    node.core.compare_first();
    net.input(code(place), Input::Started);
}

fn view(net: &Net, place: &str) -> Option<RestoredView> {
    let node = &net.nodes[&code(place)];
    node.core.status(&node.store, net.now).unwrap().restored
}

/// What a search of this node's own people is answered.
fn refused(net: &mut Net, place: &str) -> bool {
    net.effects.clear();
    let question = crate::wire::Question::Words("农业".into());
    let (token, limit) = (Token(9), 10);
    net.input(
        code(place),
        Input::Search {
            token,
            question,
            limit,
        },
    );
    net.effects.iter().any(|(_, effect)| {
        matches!(
            effect,
            Effect::Answer {
                token: Token(9),
                answer: Err(Refused::NotAMember(_))
            }
        )
    })
}

#[test]
fn a_restored_node_that_lacks_nothing_goes_on_when_its_parent_has_answered() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.link(GUANGDONG, HUB);
    goes_on(&mut net, GUANGDONG);
    let backup = net.store(GUANGDONG).clone();
    let size = leaves(&net, GUANGDONG);
    restore(&mut net, GUANGDONG, backup, None);
    net.pass(2_000);
    assert_eq!(leaves(&net, GUANGDONG), size, "alone it records nothing");
    assert!(view(&net, GUANGDONG).is_some() && refused(&mut net, GUANGDONG));
    net.link(GUANGDONG, HUB);
    assert_eq!(view(&net, GUANGDONG), None);
    assert!(!refused(&mut net, GUANGDONG));
    let told = net.findings(GUANGDONG);
    assert!(
        told.iter().any(|it| it.en.contains("agrees with")),
        "{told:?}"
    );
    net.link(GUANGDONG, HUB);
    goes_on(&mut net, GUANGDONG);
    let store: &dyn Read = net.store(GUANGDONG);
    assert!(
        counter(store, meta::COSIGNED).unwrap() > size,
        "cosigned again"
    );
}

#[test]
fn a_node_restored_from_an_old_backup_signs_nothing_and_says_what_is_missing() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.link(GUANGDONG, HUB);
    goes_on(&mut net, GUANGDONG);
    let backup = net.store(GUANGDONG).clone();
    let (size, signed) = (leaves(&net, GUANGDONG), newest(&net, GUANGDONG));
    goes_on(&mut net, GUANGDONG);
    let told = leaves(&net, GUANGDONG);
    restore(&mut net, GUANGDONG, backup, None);
    net.link(GUANGDONG, HUB);
    for _ in 0..5 {
        net.pass(61_000);
    }
    let ahead = view(&net, GUANGDONG).unwrap().ahead.unwrap();
    assert_eq!(ahead.by, code(HUB));
    assert!(ahead.size > size && ahead.size <= told, "{ahead:?}");
    assert_eq!(leaves(&net, GUANGDONG), size);
    assert_eq!(newest(&net, GUANGDONG), signed);
    assert!(refused(&mut net, GUANGDONG));
    let contradictions = net.store(HUB).records.iter().filter(|bytes| {
        let record: Record = codec::decode(bytes, 1 << 20).unwrap();
        matches!(record, Record::CheckpointRefused { .. })
    });
    assert_eq!(
        contradictions.count(),
        0,
        "it proved nothing against itself"
    );
}

#[test]
fn a_successor_puts_the_gap_on_record_before_anything_else_and_is_cosigned() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    net.link(GUANGDONG, HUB);
    goes_on(&mut net, GUANGDONG);
    let backup = net.store(GUANGDONG).clone();
    let size = leaves(&net, GUANGDONG);
    goes_on(&mut net, GUANGDONG);
    let other = key("successor");
    restore(&mut net, GUANGDONG, backup, Some(other.clone()));
    let successor = Terms {
        epoch: 2,
        ..terms(7)
    };
    let (token, chain) = (Token(1), chain_with(GUANGDONG, &other, successor));
    net.input(code(GUANGDONG), Input::Install { token, chain });
    assert!(
        view(&net, GUANGDONG).is_some(),
        "not before its parent has answered"
    );
    net.link(GUANGDONG, HUB);
    assert_eq!(view(&net, GUANGDONG), None);
    let gap = net.findings(GUANGDONG).remove(0);
    assert!(gap.en.contains("begun anew under other keys"), "{gap:?}");
    assert!(
        gap.en.contains(&format!("{} were restored", size + 1)),
        "{gap:?}"
    );
    net.link(GUANGDONG, HUB);
    net.pass(2_000);
    let store: &dyn Read = net.store(GUANGDONG);
    assert!(counter(store, meta::COSIGNED).unwrap() > size);
}

#[test]
fn a_hub_goes_on_when_two_of_its_cosigners_have_answered() {
    let mut net = Net::new(&[HUB, GUANGDONG, LIAONING]);
    net.batch(code(HUB), |_, ctx| {
        for place in [GUANGDONG, LIAONING] {
            let (chain, at) = (chain(place), NOW);
            ctx.record(&Record::Certified { chain, at })?;
        }
        Ok(())
    });
    net.link(GUANGDONG, HUB);
    net.link(LIAONING, HUB);
    goes_on(&mut net, HUB);
    let backup = net.store(HUB).clone();
    restore(&mut net, HUB, backup, None);
    net.link(GUANGDONG, HUB);
    net.pass(2_000);
    let waiting = view(&net, HUB).unwrap();
    assert_eq!(waiting.answered, [code(GUANGDONG)]);
    net.link(LIAONING, HUB);
    assert_eq!(view(&net, HUB), None);
}

#[test]
fn a_neighbour_of_another_wire_version_is_told_so_and_not_understood() {
    let mut net = Net::new(&[HUB]);
    let link = LinkId(900);
    let transport_key = transport(code(GUANGDONG));
    net.input(
        code(HUB),
        Input::LinkUp {
            link,
            transport_key,
        },
    );
    let hello = Frame::Hello {
        wire: WIRE_VERSION + 1,
        chain: chain(GUANGDONG),
        software: String::new(),
        now: net.now,
    };
    net.say(HUB, link, hello);
    let says = |effect: &Effect| matches!(effect, Effect::Close { reason, .. } if reason.contains("wire version 2, this node 1"));
    assert!(net.effects.iter().any(|(_, effect)| says(effect)));
}
