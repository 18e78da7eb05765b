//! Evidence of a docket and of a ledger record: what it says in plain words, and that nothing in it can be changed.

use federation::core::query;
use federation::evidence::{DocketEvidence, DocketEvidenceError, DocketEvidenceFile};
use guantong_tests::{Department, World};
use identity::{Code, VerifyKey, codec};
use node::cli::evidence::{Proved, examine, file_of, told};
use node::language::Language;
use sharing::docket::DocketId;
use sharing::ledger::EvidenceFile;

use crate::stage::{application, apply, code, conditional, demo, grant, provider, reply};

/// Every byte of a small file is changed; of a large one each of these many, beginning elsewhere with every seed.
const STRIDE: usize = 211;

fn root() -> VerifyKey {
    guantong_tests::key("root").verify_key()
}

/// 天河区 applied to 和平区 and was granted.
fn granted(seed: u64) -> (World, Department, Department, DocketId) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let granting = grant(&world, &entry);
    reply(&mut world, &provider, docket, granting);
    world.settle();
    world.settle();
    (world, provider, requester, docket)
}

fn evidence(world: &World, node: Code, docket: DocketId) -> DocketEvidence {
    query::docket_evidence(world.read(node), docket)
        .expect("memory")
        .expect("a checkpoint covers the last event")
}

fn verified(evidence: DocketEvidence) -> Result<(), String> {
    let bytes = file_of(&DocketEvidenceFile::new(evidence));
    examine(&bytes, &root())
        .map(|_| ())
        .map_err(|error| error.what.en.to_string())
}

#[test]
fn a_dockets_evidence_says_who_did_what_when_in_which_order_and_who_attests_it() {
    let (world, provider, requester, docket) = granted(71);
    for node in [provider.node, requester.node] {
        let file = DocketEvidenceFile::new(evidence(&world, node, docket));
        let proved = examine(&file_of(&file), &root()).expect("holds");
        let zh = told(&proved, Language::Chinese);
        for said in [
            "证据成立",
            "和平区 210102 ← 沈阳市 210100 ← 辽宁省 210000 ← ",
            "天河区 440106 ← 广州市 440100 ← 广东省 440000 ← ",
            "共享工作机构负责人",
            "收到申请（《政务数据共享条例》第二十一条）",
            "社会救助资格核验",
            "不迟于 2026-03-09 10:",
            "在其系统线外",
            "上级，在其系统线内",
            "本证据不证明",
        ] {
            assert!(zh.contains(said), "{node} does not say {said}: {zh}");
        }
        assert!(
            !zh.contains("身份仅由主办节点担保"),
            "both lines are proved"
        );
        let en = told(&proved, Language::English);
        for said in [
            "not later than",
            "a witness outside its line",
            "does not prove",
        ] {
            assert!(en.contains(said), "{node} does not say {said}: {en}");
        }
        let Proved::Docket(verdict) = proved else {
            panic!("of a docket");
        };
        let order: Vec<u32> = verdict.events.iter().map(|it| it.event.sequence).collect();
        assert_eq!(order, (0..order.len() as u32).collect::<Vec<_>>());
        assert!(order.len() >= 3, "received, proposed, granted: {order:?}");
        for event in &verdict.events {
            let by = &verdict.checkpoints[event.within];
            assert!(by.size > event.index && !by.cosigned.is_empty());
            let after = event.after.map(|place| verdict.checkpoints[place].size);
            assert!(after <= Some(event.index), "{after:?}");
        }
        let bounded = verdict.events.iter().all(|event| event.after.is_some());
        assert!(
            bounded || node != provider.node,
            "at home each event names the checkpoint that it came after"
        );
    }
}

#[test]
fn one_changed_byte_anywhere_fails_the_evidence_of_a_docket() {
    for seed in 0..4 {
        let (world, provider, _, docket) = granted(seed);
        let file = DocketEvidenceFile::new(evidence(&world, provider.node, docket));
        let bytes = file_of(&file);
        examine(&bytes, &root()).expect("holds as exported");
        // Bits that make another letter, a capital, another blank, and no text at all.
        let bit = [0x01, 0x20, 0x03, 0x80][seed as usize % 4];
        for at in (seed as usize * 53 % STRIDE..bytes.len()).step_by(STRIDE) {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            assert!(
                examine(&changed, &root()).is_err(),
                "seed {seed}: byte {at} changed by {bit:#x} and nobody saw"
            );
        }
    }
}

#[test]
fn who_changes_a_byte_and_seals_the_file_anew_fails_too() {
    for seed in 0..2 {
        let (world, _, requester, docket) = granted(seed);
        let bytes = codec::encode(&evidence(&world, requester.node, docket));
        let mut tried = 0;
        for at in (seed as usize * 97 % STRIDE..bytes.len()).step_by(STRIDE) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            let Ok(evidence) = codec::decode::<DocketEvidence>(&changed, codec::MAX_ENCODED) else {
                continue;
            };
            tried += 1;
            assert!(
                verified(evidence).is_err(),
                "seed {seed}: byte {at} of {} changed, sealed anew, and nobody saw",
                bytes.len()
            );
        }
        assert!(tried > 50, "seed {seed}: {tried} of {} bytes", bytes.len());
    }
}

#[test]
fn one_changed_byte_anywhere_fails_the_evidence_of_a_ledger_record() {
    let (world, provider, ..) = granted(72);
    let index = world.records(provider.node).len() as u64 / 2;
    let evidence = query::evidence_at(world.read(provider.node), index)
        .expect("memory")
        .expect("covered");
    let bytes = file_of(&EvidenceFile::new(evidence));
    let proved = examine(&bytes, &root()).expect("holds as exported");
    assert!(told(&proved, Language::Chinese).contains("入账不迟于"));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(
            examine(&changed, &root()).is_err(),
            "byte {at} of {}",
            bytes.len()
        );
    }
}

#[test]
fn a_file_cut_short_or_longer_and_another_root_fail() {
    let (world, provider, _, docket) = granted(73);
    let whole = evidence(&world, provider.node, docket);
    let bytes = file_of(&DocketEvidenceFile::new(whole.clone()));
    for length in (0..bytes.len()).step_by(STRIDE).chain([bytes.len() - 1]) {
        assert!(
            examine(&bytes[..length], &root()).is_err(),
            "cut to {length}"
        );
    }
    for more in [&b" "[..], b"\n", b"{}", b"\0"] {
        let longer = [&bytes[..], more].concat();
        assert!(examine(&longer, &root()).is_err(), "{more:?} at the end");
    }
    let another = guantong_tests::key("another root").verify_key();
    assert!(examine(&bytes, &another).is_err());
    assert!(matches!(
        whole.verify(&another),
        Err(DocketEvidenceError::Checkpoint { .. })
    ));
}

#[test]
fn a_docket_with_an_event_dropped_or_two_swapped_fails_though_sealed_anew() {
    let (world, provider, _, docket) = granted(74);
    let whole = evidence(&world, provider.node, docket);
    let events = whole.copy.events.len();
    verified(whole.clone()).expect("holds");
    for at in 0..events - 1 {
        let mut dropped = whole.clone();
        dropped.copy.events.remove(at);
        assert!(verified(dropped.clone()).is_err(), "event {at} dropped");
        dropped.entries.remove(at);
        assert!(
            verified(dropped).is_err(),
            "event {at} dropped with its record"
        );
        let mut swapped = whole.clone();
        swapped.copy.events.swap(at, at + 1);
        assert!(
            verified(swapped.clone()).is_err(),
            "{at} and the next swapped"
        );
        swapped.entries.swap(at, at + 1);
        assert!(verified(swapped).is_err(), "swapped with their records");
    }
    // A docket without its last event is a true history up to there; the seal alone shows that the file was cut.
    let mut file = DocketEvidenceFile::new(whole.clone());
    file.evidence.copy.events.pop();
    file.evidence.entries.pop();
    assert!(
        examine(&file_of(&file), &root()).is_err(),
        "the last dropped"
    );
    // A stranger's chain among the signers' nodes, a witness twice, a checkpoint left out.
    let mut stranger = whole.clone();
    let chain = query::own_chain(world.read(code("mca"))).expect("memory");
    stranger.members.push(chain.expect("a member"));
    assert!(verified(stranger).is_err(), "a node of which nobody signed");
    let mut twice = whole.clone();
    let cosigned = twice
        .checkpoints
        .iter_mut()
        .find(|it| !it.cosignatures.is_empty());
    let cosignatures = &mut cosigned.expect("cosigned").cosignatures;
    cosignatures.push(cosignatures[0].clone());
    assert!(verified(twice).is_err(), "a witness twice");
    let mut gap = whole;
    assert!(gap.checkpoints.len() >= 2);
    gap.checkpoints.remove(0);
    assert!(verified(gap).is_err(), "a checkpoint left out");
}
