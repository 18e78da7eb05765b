//! R37, PIPL 47: personal content is erased at every holder when its time is over and not before; the ledger verifies as it did.

use federation::core::{Refused, query};
use guantong_tests::{Department, World};
use identity::{Code, Digest};
use sharing::act::ActBody;
use sharing::docket::{DocketBody, DocketId};
use sharing::erasure::{ErasureAct, ErasureEvent, Personal};
use sharing::ledger::evidence::Shown;
use statute::{Article, ErasureGround, RefusalReason, Role};

use crate::correction::{WRONG, answer, ask, corrected, lawfully, two_holders};
use crate::stage::{events, findings};

/// Renewals of certificates until three years are over: each after 250 days.
const THREE_YEARS: u32 = 5;

/// The personal content of a docket as a node holds it.
fn personal(world: &World, node: Code, docket: DocketId) -> Personal {
    let held = query::docket(world.read(node), docket).expect("memory");
    held.expect("held").docket.state.personal
}

fn digests(personal: &Personal) -> Vec<Digest> {
    let items = personal.items.iter();
    items.map(|item| item.private.digest).collect()
}

/// The head of the department's sharing office has everything in a docket erased.
fn erase(
    world: &mut World,
    department: &Department,
    role: Role,
    docket: DocketId,
) -> Result<(), Refused> {
    let contents = digests(&personal(world, department.node, docket));
    let person = world.staff(department, role);
    let act = ActBody::Erasure(ErasureAct::Erase {
        docket,
        contents,
        ground: ErasureGround::RetentionOver,
    });
    world.act(department.node, &person, act)?;
    world.settle();
    Ok(())
}

/// A correction that was asked for and answered; its docket.
fn settled(seed: u64) -> (World, Department, Department, DocketId) {
    let (mut world, provider, [(asker, first), _]) = two_holders(seed);
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let outcome = corrected(&mut world, &provider, None);
    answer(&mut world, &provider, docket, outcome).expect("answered");
    (world, provider, asker, docket)
}

#[test]
pub(crate) fn what_was_said_is_read_at_both_nodes_then_erased_at_both_and_the_ledger_still_verifies()
 {
    let (mut world, provider, asker, docket) = settled(70);
    let said = personal(&world, asker.node, docket);
    assert_eq!(said.items.len(), 3);
    for node in [asker.node, provider.node] {
        let read = world.content(node, &said.items[0].private);
        assert_eq!(read.expect("here").text(), WRONG, "at {node}");
    }
    // Nobody in between has it, nor any ledger, table or outbox: only the two vaults.
    let holders = |world: &World| -> Vec<Code> {
        let keeps = |code: &Code| world.keeps(*code, WRONG.as_bytes());
        world.codes().into_iter().filter(keeps).collect()
    };
    let mut both = vec![asker.node, provider.node];
    both.sort_unstable();
    assert_eq!(holders(&world), both);
    world.pass(THREE_YEARS);
    let before = world.records(provider.node).len();
    erase(&mut world, &provider, Role::SharingOfficeHead, docket).expect("erased");
    assert_eq!(holders(&world), []);
    for node in [asker.node, provider.node] {
        let left = personal(&world, node, docket);
        assert_eq!(digests(&left), digests(&said), "the commitments stay");
        for item in &left.items {
            assert_eq!(world.content(node, &item.private), None);
            let erased = item.erased.as_ref().expect("erased");
            assert_eq!(erased.ground, ErasureGround::RetentionOver);
            let mut by: Vec<Code> = erased.destroyed.iter().map(|it| it.0.code()).collect();
            by.sort_unstable();
            assert_eq!(by, both, "each holder's destruction is known at {node}");
        }
        world.rebuild(node).expect("the tables come out equal");
        let copy = query::docket_copy(world.read(node), docket).expect("memory");
        let (state, _) = copy
            .expect("held")
            .verify(&world.root(), world.now, &|_| None)
            .expect("every event still proves itself");
        assert_eq!(state.personal, left);
        let evidence = query::docket_evidence(world.read(node), docket).expect("memory");
        let verdict = evidence
            .expect("a checkpoint covers it")
            .verify(&world.root());
        let verdict = verdict.expect("every event still has its place in the ledger");
        let erased = |shown: &Shown| matches!(shown, Shown::Erased { .. });
        assert!(!verdict.personal.is_empty());
        assert!(verdict.personal.iter().all(|(_, shown)| erased(shown)));
    }
    assert!(world.records(provider.node).len() > before);
}

#[test]
pub(crate) fn nothing_is_erased_before_its_last_day_of_keeping_nor_by_anyone_else() {
    let (mut world, provider, [(asker, first), (other, _)]) = two_holders(71);
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let open = erase(&mut world, &provider, Role::DepartmentHead, docket);
    let still_needed = (RefusalReason::StillNeeded, Article::P47);
    assert_eq!(lawfully(open), still_needed);
    let outcome = corrected(&mut world, &provider, None);
    answer(&mut world, &provider, docket, outcome).expect("answered");
    let early = erase(&mut world, &provider, Role::DepartmentHead, docket);
    let until = "2029-03-09".to_owned();
    let kept = (RefusalReason::StillRetained { until }, Article::R29);
    assert_eq!(lawfully(early), kept);
    let (reason, article) = lawfully(erase(&mut world, &provider, Role::Operator, docket));
    assert!(matches!(reason, RefusalReason::RoleNotEntitled { .. }));
    assert_eq!(article, Article::P47);
    // The asker's head asks the home, which refuses; the asker's node learns why.
    erase(&mut world, &asker, Role::DepartmentHead, docket).expect("sent to the home");
    let told = findings(&world, asker.node);
    assert!(
        told.iter()
            .any(|it| it.contains("are kept until 2029-03-09")),
        "{told:?}"
    );
    let decided =
        |body: &DocketBody| matches!(body, DocketBody::Erasure(ErasureEvent::Decided { .. }));
    for node in [asker.node, provider.node] {
        let events = events(&world, node, docket);
        assert!(!events.iter().any(|event| decided(&event.body)));
        assert!(world.keeps(node, WRONG.as_bytes()), "still at {node}");
    }
    assert!(!world.keeps(other.node, WRONG.as_bytes()));
}

#[test]
fn an_erasure_decided_before_a_crash_is_carried_out_after_it_and_at_a_holder_that_was_cut_off() {
    let (mut world, provider, asker, docket) = settled(72);
    world.pass(THREE_YEARS);
    world.cut(asker.node);
    world.faults.crash_after_commit = 3;
    erase(&mut world, &provider, Role::SharingOfficeHead, docket).expect("erased");
    world.faults.crash_after_commit = 0;
    world.settle();
    assert!(!world.keeps(provider.node, WRONG.as_bytes()));
    assert!(world.keeps(asker.node, WRONG.as_bytes()), "cut off");
    world.heal_all();
    world.settle();
    assert!(!world.keeps(asker.node, WRONG.as_bytes()));
    let left = personal(&world, provider.node, docket);
    let erased = left.items.iter().filter_map(|item| item.erased.as_ref());
    assert!(erased.clone().count() == 3 && erased.clone().all(|it| it.destroyed.len() == 2));
}

#[test]
fn what_came_with_an_act_that_the_home_refused_is_destroyed_where_it_was_said() {
    let (mut world, provider, [(asker, first), _]) = two_holders(73);
    let beyond = ask(&mut world, &asker, first, "住址").expect("sent to the home");
    assert!(
        query::docket(world.read(asker.node), beyond)
            .expect("memory")
            .is_none()
    );
    for node in [asker.node, provider.node] {
        assert!(!world.keeps(node, WRONG.as_bytes()), "at {node}");
    }
}
