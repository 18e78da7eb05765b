//! R29, R36, R37, PIPL 47: what a record of use says lies in the vaults of those who may read it and in no journal; it is read on record, kept three
//! years, and erased wherever it was shown.

use federation::core::{Answer, Refused, query};
use guantong_tests::stage::Acting;
use guantong_tests::{Department, Person, World};
use identity::Code;
use sharing::act::ActBody;
use sharing::docket::{Case, DocketId};
use sharing::erasure::{ErasureAct, Personal};
use sharing::ledger::evidence::Shown;
use statute::{Article, ErasureGround, RefusalReason, Role};

use crate::correction::lawfully;
use crate::reading::{Used, used};
use crate::stage::{code, use_texts};

/// Renewals of certificates until three years are over: each after 250 days.
const THREE_YEARS: u32 = 5;

fn personal(world: &World, node: Code, docket: DocketId) -> Personal {
    let held = world.ask(node, |store| query::docket(store, docket));
    held.expect("held").docket.state.personal
}

/// The nodes whose vault holds every point; nowhere else is any of them.
fn vaults(world: &World) -> Vec<Code> {
    let texts = use_texts();
    let points = [
        &texts.scenario,
        &texts.process,
        &texts.result,
        &texts.storage,
        &texts.destruction,
    ];
    let mut holders = Vec::new();
    for node in world.codes() {
        let kept = points.map(|point| world.keeps(node, point.as_bytes()));
        let clear = points.map(|point| world.keeps_beside_the_vault(node, point.as_bytes()));
        assert_eq!(clear, [false; 5], "in a journal at {node}");
        if kept == [true; 5] {
            holders.push(node);
        } else {
            assert_eq!(kept, [false; 5], "at {node}");
        }
    }
    holders
}

fn erases(
    world: &mut World,
    node: Code,
    person: &Person,
    docket: DocketId,
) -> Result<Answer, Refused> {
    let items = personal(world, node, docket).items;
    let act = ActBody::Erasure(ErasureAct::Erase {
        docket,
        contents: items.iter().map(|item| item.private.digest).collect(),
        ground: ErasureGround::RetentionOver,
    });
    let answer = world.act(node, person, act);
    world.settle();
    answer
}

fn sorted(mut codes: Vec<Code>) -> Vec<Code> {
    codes.sort_unstable();
    codes
}

/// Everything said in a docket is destroyed, by these holders, as `node` knows it.
fn is_destroyed(world: &World, node: Code, docket: DocketId, holders: &[Code]) {
    let left = personal(world, node, docket);
    assert_eq!(left.items.len(), 1, "the commitment stays at {node}");
    for item in &left.items {
        let erased = item.erased.as_ref().expect("erased");
        let by = erased.destroyed.iter().map(|(place, _)| place.code());
        assert_eq!(sorted(by.collect()), sorted(holders.to_vec()), "at {node}");
        assert_eq!(world.content(node, &item.private), None);
    }
}

/// Every event of a docket still has its place in the ledger, and shows that what it commits to was erased.
fn still_verifies(world: &World, node: Code, docket: DocketId) {
    let evidence = world.ask(node, |store| query::docket_evidence(store, docket));
    let evidence = evidence.expect("a checkpoint covers it");
    let verdict = evidence.verify(&world.root()).expect("it holds");
    let erased = |(_, shown): &(_, Shown)| matches!(shown, Shown::Erased { .. });
    assert!(!verdict.personal.is_empty() && verdict.personal.iter().all(erased));
}

#[test]
fn what_a_record_of_use_says_stands_in_vaults_alone_and_after_its_erasure_nowhere() {
    let Used {
        mut world,
        provider,
        requester,
        docket,
    } = used(86);
    let (here, there, province) = (requester.node, provider.node, code("440000"));
    assert_eq!(vaults(&world), sorted(vec![here, there]));
    let mut used = Used {
        world,
        provider: provider.clone(),
        requester: requester.clone(),
        docket,
    };
    let reader = used.world.authority(province, Role::AuthorityReviewer);
    let inspection = used
        .order(province, &reader, "核查使用情况")
        .expect("ordered");
    let given = used.reads(province, &reader, inspection).expect("named");
    assert_eq!(used.said(province, &given.uses[0]), Some(use_texts()));
    assert_eq!(used.on_record(here, inspection), [province]);
    world = used.world;
    assert_eq!(vaults(&world), sorted(vec![here, there, province]));

    let head = world.staff(&provider, Role::DepartmentHead);
    let early = lawfully(erases(&mut world, there, &head, docket));
    assert!(matches!(early.0, RefusalReason::StillRetained { .. }));
    assert_eq!(early.1, Article::R29);
    world.pass(THREE_YEARS);
    // Not by whoever reads it, nor in the docket in which it is only shown.
    let reader = world.authority_head(province);
    let shown = erases(&mut world, province, &reader, inspection);
    shown.expect("sent to the keeper's node, which refuses it");
    let head = world.staff(&requester, Role::DepartmentHead);
    let not_theirs = (RefusalReason::NotYourDepartment, Article::P47);
    let own = lawfully(erases(&mut world, here, &head, inspection));
    assert_eq!(own, not_theirs);
    let neighbour = world.department(there, 3, "教育局");
    let other = world.staff(&neighbour, Role::DepartmentHead);
    assert_eq!(
        lawfully(erases(&mut world, there, &other, docket)),
        not_theirs
    );
    assert_eq!(vaults(&world), sorted(vec![here, there, province]));

    let office = world.staff(&provider, Role::SharingOfficeHead);
    erases(&mut world, there, &office, docket).expect("erased");
    assert_eq!(vaults(&world), []);
    for node in [here, there] {
        is_destroyed(&world, node, docket, &[here, there]);
        still_verifies(&world, node, docket);
    }
    for node in [here, province] {
        is_destroyed(&world, node, inspection, &[here, province]);
        still_verifies(&world, node, inspection);
    }
    for node in [here, there, province] {
        world
            .rebuild(node)
            .unwrap_or_else(|difference| panic!("{difference}"));
    }
    // Who reads afterwards is on record and told that there was a use, and nothing of it; an order finds nothing to attach.
    let mut used = Used {
        world,
        provider,
        requester,
        docket,
    };
    let office = used.world.staff(&used.provider, Role::SharingOfficeHead);
    let given = used.reads(there, &office, docket).expect("entitled");
    assert_eq!(used.said(there, &given.uses[0]), None);
    assert_eq!(used.on_record(there, docket).first(), Some(&there));
    let reader = used.world.authority(province, Role::AuthorityReviewer);
    let late = used.order(province, &reader, "再次核查").expect("ordered");
    let state = used.inspection(province, late).expect("held");
    assert_eq!(state.attached, 0);
}

#[test]
fn nobody_gets_a_content_by_naming_its_commitment_in_a_docket_of_their_own() {
    let Used {
        mut world,
        provider,
        docket,
        ..
    } = used(87);
    let there = provider.node;
    let said = personal(&world, there, docket).items[0].private;
    let (asker, first) = holder(&mut world, &provider);
    let request = sharing::correction::CorrectionRequest {
        about: first,
        items: vec!["名称".into()],
        wrong: said,
        evidence: world.private(asker.node, "营业执照"),
    };
    let ask = ActBody::Correction(sharing::correction::CorrectionAct::Ask(request));
    let operator = world.staff(&asker, Role::Operator);
    let asked = world.act(asker.node, &operator, ask).expect("sent");
    let of = asked.docket.expect("a docket");
    world.settle();
    let held = world.ask(there, |store| query::docket(store, of));
    let held = held.expect("the provider's node opened it");
    assert!(matches!(held.docket.state.case, Case::Correction(_)));
    let wanted = federation::wire::ObjectRequest {
        docket: of,
        object: said.digest,
        offset: 0,
    };
    let given = federation::core::authorise_circuit(
        world.read(there),
        &world.place(asker.node),
        &wanted,
        world.now,
    );
    let refused = given.expect("memory does not fail").unwrap_err();
    assert_eq!(refused, RefusalReason::NoSuchContent.under(Article::P47));
    assert_eq!(world.content(asker.node, &said), None);
}

/// Another department that holds data of the same provider.
fn holder(world: &mut World, provider: &Department) -> (Department, DocketId) {
    let asker = world.department(code("210102"), 4, "教育局");
    let entries = query::own_entries(world.read(provider.node), None, 1).expect("memory");
    let entry = entries.into_iter().next().expect("an entry").entry;
    let (docket, _) = crate::stage::share(world, &asker, provider, &entry);
    (asker, docket)
}
