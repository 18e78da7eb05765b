//! What a witness cosigns and refuses, what it keeps as proof, and what its word is worth to whoever asked.

use identity::Terms;
use sharing::ledger::{ForkEvidence, merkle::leaf};

use super::*;
use crate::core::query;
use crate::core::tests::{
    GUANGDONG, HUB, LIAONING, NOW, Net, chain_with, code, key, member, node_key, path, terms,
};

/// 辽宁省 with these witnesses, as its envelopes prove it.
fn liaoning(witnesses: Vec<Code>) -> Member {
    let terms = Terms {
        witnesses,
        ..terms(2)
    };
    let chain = chain_with(LIAONING, &node_key(code(LIAONING)), terms);
    chain
        .verify(&key("root").verify_key(), NOW, &|_, _| false)
        .unwrap()
}

/// A checkpoint of 辽宁省 that says this of its past.
fn checkpoint_of(size: u64, record: &str) -> Signed<Checkpoint> {
    let statement = Checkpoint {
        node: path(LIAONING),
        epoch: 1,
        size,
        root: leaf(record.as_bytes()),
        at: NOW,
    };
    checkpoint::sign(&statement, &node_key(code(LIAONING)))
}

fn ask(net: &mut Net, from: &Member, checkpoint: &Signed<Checkpoint>, start: u64) {
    net.batch(code(GUANGDONG), |core, ctx| {
        core.witness_wanted(ctx, from, checkpoint, start, &[])
    });
}

fn records(net: &Net, place: &str) -> Vec<Record> {
    let all = query::ledger(net.store(place), None, 1_000).unwrap();
    all.into_iter().map(|(_, record)| record).collect()
}

fn count(net: &Net, place: &str, is: impl Fn(&Record) -> bool) -> usize {
    records(net, place)
        .iter()
        .filter(|record| is(record))
        .count()
}

/// 辽宁省 without a way to its witness 广东省, which it has asked to cosign a checkpoint of this size.
fn asking() -> (Net, u64) {
    let mut net = Net::new(&[HUB, LIAONING]);
    let named = liaoning(vec![code(GUANGDONG)]);
    let (token, chain) = (crate::core::Token(1), named.chain().clone());
    net.input(code(LIAONING), crate::core::Input::Install { token, chain });
    net.pass(11_000);
    let asked = |it: &Record| matches!(it, Record::WitnessAsked { .. });
    assert_eq!(count(&net, LIAONING, asked), 1);
    net.pass(11_000);
    assert_eq!(count(&net, LIAONING, asked), 1, "one question at a time");
    let size = records(&net, LIAONING)
        .into_iter()
        .find_map(|record| match record {
            Record::WitnessAsked { size, .. } => Some(size),
            _ => None,
        })
        .unwrap();
    (net, size)
}

#[test]
fn only_a_node_that_names_this_one_is_answered() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    let before = records(&net, GUANGDONG).len();
    ask(&mut net, &liaoning(vec![]), &checkpoint_of(1, "a"), 0);
    assert_eq!(records(&net, GUANGDONG).len(), before);
    let named = liaoning(vec![code(GUANGDONG)]);
    ask(&mut net, &named, &checkpoint_of(1, "a"), 0);
    let cosigned = |it: &Record| matches!(it, Record::ChildCosigned { .. });
    let answered = |it: &Record| matches!(it, Record::Queued { to, .. } if *to == code(LIAONING));
    assert_eq!(count(&net, GUANGDONG, cosigned), 1);
    assert_eq!(count(&net, GUANGDONG, answered), 1);
    // Asked again for the same one: answered again, recorded once.
    ask(&mut net, &named, &checkpoint_of(1, "a"), 0);
    assert_eq!(count(&net, GUANGDONG, cosigned), 1);
    assert_eq!(count(&net, GUANGDONG, answered), 2);
}

#[test]
fn a_rewritten_past_is_refused_and_both_signatures_of_a_fork_are_kept_once() {
    let mut net = Net::new(&[HUB, GUANGDONG]);
    let named = liaoning(vec![code(GUANGDONG)]);
    let (first, second) = (checkpoint_of(1, "a"), checkpoint_of(1, "b"));
    ask(&mut net, &named, &first, 0);
    for _ in 0..3 {
        ask(&mut net, &named, &second, 1);
        ask(&mut net, &named, &checkpoint_of(9, "c"), 1);
    }
    let cosigned = |it: &Record| matches!(it, Record::ChildCosigned { .. });
    assert_eq!(count(&net, GUANGDONG, cosigned), 1, "the first alone");
    let kept: Vec<ForkEvidence> = records(&net, GUANGDONG)
        .into_iter()
        .filter_map(|record| match record {
            Record::CheckpointRefused { held, refused, .. } => Some(ForkEvidence {
                first: held,
                second: refused,
            }),
            _ => None,
        })
        .collect();
    assert_eq!(kept, [ForkEvidence { first, second }]);
    let signer = node_key(code(LIAONING)).verify_key();
    assert!(kept[0].verify(&signer).is_ok(), "it proves the fork alone");
    let told = net.findings(GUANGDONG);
    let told = told.iter().filter(|it| it.en.contains("not cosigned"));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_cosignature_counts_only_from_a_named_witness_and_only_where_it_holds() {
    let (mut net, size) = asking();
    let key_of_it = size.to_be_bytes();
    let store: &dyn crate::store::Read = net.store(LIAONING);
    let row: CheckpointRow = store.row(Table::Checkpoints, &key_of_it).unwrap().unwrap();
    let now = net.now;
    let by = |place: &str, signer: &str| {
        checkpoint::cosign(&row.checkpoint, &path(place), now, &node_key(code(signer)))
    };
    let cosigned = |it: &Record| matches!(it, Record::Cosigned { .. });
    let before = count(&net, LIAONING, cosigned);
    for (from, cosignature) in [
        (GUANGDONG, by(GUANGDONG, LIAONING)),
        (GUANGDONG, by(LIAONING, GUANGDONG)),
        (HUB, by(HUB, HUB)),
    ] {
        net.batch(code(LIAONING), |core, ctx| {
            core.witnessed(ctx, &member(from), size, cosignature)
        });
    }
    assert_eq!(count(&net, LIAONING, cosigned), before);
    for _ in 0..2 {
        net.batch(code(LIAONING), |core, ctx| {
            core.witnessed(ctx, &member(GUANGDONG), size, by(GUANGDONG, GUANGDONG))
        });
    }
    assert_eq!(count(&net, LIAONING, cosigned), before + 1);
}

/// Gives 辽宁省 what its witness is said to hold.
fn refuse(net: &mut Net, newest: Option<&Signed<Checkpoint>>) {
    net.batch(code(LIAONING), |core, ctx| {
        core.witness_refused(ctx, &member(GUANGDONG), newest, "elsewhere")
    });
}

fn standing(net: &Net) -> WitnessRow {
    let store: &dyn crate::store::Read = net.store(LIAONING);
    let row = store.row(Table::Meta, &witness_key(&code(GUANGDONG)));
    row.unwrap().unwrap()
}

#[test]
fn a_witness_that_holds_more_of_this_history_names_where_the_proof_starts() {
    let (mut net, size) = asking();
    let store: &dyn crate::store::Read = net.store(LIAONING);
    let row: Option<CheckpointRow> = store.row(Table::Checkpoints, &size.to_be_bytes()).unwrap();
    let newest = row.unwrap().checkpoint;
    refuse(&mut net, Some(&newest));
    let row = standing(&net);
    assert_eq!((row.size, row.standing), (size, Standing::Corrected));
    let findings = net.findings(LIAONING).len();
    // Nothing was asked since: the same word again has no effect.
    refuse(&mut net, None);
    assert_eq!(standing(&net), row);
    assert_eq!(net.findings(LIAONING).len(), findings);
}

#[test]
fn a_witness_that_holds_another_history_is_told_once_with_both_signatures_kept() {
    let (mut net, size) = asking();
    let other = checkpoint_of(size, "another past");
    refuse(&mut net, Some(&other));
    let refused = standing(&net);
    assert_eq!((refused.standing, refused.told), (Standing::Refused, true));
    let kept = |it: &Record| matches!(it, Record::CheckpointRefused { held, .. } if *held == other);
    assert_eq!(count(&net, LIAONING, kept), 1);
    let told = |net: &Net| {
        let findings = net.findings(LIAONING);
        findings
            .iter()
            .filter(|it| it.en.contains("forked?"))
            .count()
    };
    assert_eq!(told(&net), 1);
    refuse(&mut net, Some(&other));
    assert_eq!(told(&net), 1);
}
