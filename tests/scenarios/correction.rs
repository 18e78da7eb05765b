//! R26: who holds shared data and finds it wrong asks the provider, who answers in ten working days; every holder learns of a correction.

use federation::core::{Refused, query};
use guantong_tests::{Department, World};
use identity::Code;
use sharing::act::{ActBody, ObjectRef};
use sharing::application::ApplicationEvent;
use sharing::catalogue::Entry;
use sharing::correction::{
    CorrectionAct, CorrectionOutcome, CorrectionPhase, CorrectionRequest, CorrectionState,
};
use sharing::docket::{Case, DocketBody, DocketId};
use sharing::private::{Content, Private, SALT_BYTES};
use statute::{Article, Duty, RefusalReason, Role};

use crate::stage::{
    application, apply, code, conditional, demo, events, findings, grant, lapses, provider, reply,
};

/// What is found wrong.
pub(crate) const WRONG: &str = "第一户名称有误";

/// A department is granted an entry and holds the file; its docket.
fn holds(
    world: &mut World,
    requester: &Department,
    provider: &Department,
    entry: &Entry,
) -> DocketId {
    let wanted = application(world, requester, provider, entry);
    let docket = apply(world, requester, wanted);
    world.settle();
    let agreed = grant(world, entry);
    reply(world, provider, docket, agreed);
    let object = world.upload(provider.node, "低保对象.csv", b"code,name\n1,a\n");
    let operator = world.staff(provider, Role::Operator);
    world
        .act(
            provider.node,
            &operator,
            ActBody::Provide { docket, object },
        )
        .expect("provided");
    world.settle();
    docket
}

/// Two departments of different nodes hold one entry of a third node; each with its docket.
pub(crate) fn two_holders(seed: u64) -> (World, Department, [(Department, DocketId); 2]) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let asker = world.department(code("440106"), 2, "民政局");
    let other = world.department(code("440100"), 3, "民政局");
    let first = holds(&mut world, &asker, &provider, &entry);
    let second = holds(&mut world, &other, &provider, &entry);
    (world, provider, [(asker, first), (other, second)])
}

pub(crate) fn ask(
    world: &mut World,
    department: &Department,
    about: DocketId,
    item: &str,
) -> Result<DocketId, Refused> {
    let operator = world.staff(department, Role::Operator);
    let request = CorrectionRequest {
        about,
        items: vec![item.into()],
        wrong: world.private(department.node, WRONG),
        evidence: world.private(department.node, "营业执照"),
    };
    let act = ActBody::Correction(CorrectionAct::Ask(request));
    let answer = world.act(department.node, &operator, act)?;
    world.settle();
    Ok(answer.docket.expect("a docket"))
}

pub(crate) fn answer(
    world: &mut World,
    department: &Department,
    docket: DocketId,
    outcome: CorrectionOutcome,
) -> Result<(), Refused> {
    let operator = world.staff(department, Role::Operator);
    let act = ActBody::Correction(CorrectionAct::Answer { docket, outcome });
    world.act(department.node, &operator, act)?;
    world.settle();
    Ok(())
}

/// What the provider did about it: of whose record it is, the file and this say.
pub(crate) const CORRECTED: &str = "第一户名称改为甲商行";

pub(crate) fn corrected(
    world: &mut World,
    provider: &Department,
    object: Option<ObjectRef>,
) -> CorrectionOutcome {
    let said = Content::new([31; SALT_BYTES], CORRECTED.into()).expect("a text");
    world.confide(provider.node, &said);
    CorrectionOutcome::Corrected {
        what: said.private(),
        object,
    }
}

pub(crate) fn correction(world: &World, node: Code, docket: DocketId) -> Option<CorrectionState> {
    let held = query::docket(world.read(node), docket).expect("memory")?;
    match held.docket.state.case {
        Case::Correction(state) => Some(*state),
        _ => None,
    }
}

fn told(world: &World, node: Code, docket: DocketId) -> usize {
    let told = |body: &DocketBody| {
        matches!(
            body,
            DocketBody::Application(ApplicationEvent::CorrectionTold { .. })
        )
    };
    let events = events(world, node, docket);
    events.iter().filter(|event| told(&event.body)).count()
}

pub(crate) fn lawfully(refused: Result<impl std::fmt::Debug, Refused>) -> (RefusalReason, Article) {
    match refused {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("a lawful refusal: {other:?}"),
    }
}

/// Findings of a node that speak of a correction.
fn notices(world: &World, node: Code) -> usize {
    let texts = findings(world, node);
    texts
        .iter()
        .filter(|it| it.contains("was corrected"))
        .count()
}

#[test]
pub(crate) fn one_holder_asks_the_provider_corrects_and_both_holders_learn_of_it() {
    let (mut world, provider, [(asker, first), (other, second)]) = two_holders(40);
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let state = correction(&world, provider.node, docket).expect("received");
    assert!(matches!(state.phase, CorrectionPhase::Asked { .. }));
    assert!(correction(&world, other.node, docket).is_none(), "no party");
    let file = world.upload(provider.node, "更正.csv", b"code,name\n1,b\n");
    let outcome = corrected(&mut world, &provider, Some(file.clone()));
    answer(&mut world, &provider, docket, outcome.clone()).expect("answered");
    for (holder, docket) in [(&asker, first), (&other, second)] {
        for node in [holder.node, provider.node] {
            assert_eq!(told(&world, node, docket), 1, "{docket} at {node}");
        }
        assert_eq!(notices(&world, holder.node), 1, "at {}", holder.node);
    }
    let answered = correction(&world, asker.node, docket).expect("reported back");
    assert_eq!(answered.phase, CorrectionPhase::Answered(outcome));
    // What was done, and so whose record it was, is told to whoever asked, and in no ledger.
    for node in world.codes() {
        let told = node == asker.node || node == provider.node;
        assert_eq!(world.keeps(node, CORRECTED.as_bytes()), told, "at {node}");
        assert!(!world.keeps_beside_the_vault(node, CORRECTED.as_bytes()));
    }
    assert!(world.object(asker.node, &file.digest).is_some(), "fetched");
    assert!(
        world.object(other.node, &file.digest).is_none(),
        "not made for it"
    );
    let outcome = corrected(&mut world, &provider, None);
    let late = answer(&mut world, &provider, docket, outcome);
    let (reason, article) = lawfully(late);
    assert!(matches!(reason, RefusalReason::WrongState { .. }));
    assert_eq!(article, Article::R26);
}

#[test]
fn who_holds_nothing_learns_nothing_and_cannot_ask() {
    let (mut world, provider, [(asker, first), _]) = two_holders(41);
    let outsider = world.department(code("210100"), 4, "民政局");
    let (reason, article) = lawfully(ask(&mut world, &outsider, first, "名称"));
    assert!(matches!(reason, RefusalReason::UnknownDocket { .. }));
    assert_eq!(article, Article::R26);
    // Another department of the asker's node knows the docket; the home refuses it.
    let neighbour = world.department(asker.node, 9, "教育局");
    let refused = ask(&mut world, &neighbour, first, "名称").expect("sent to the home");
    assert!(correction(&world, provider.node, refused).is_none());
    let told_why = findings(&world, neighbour.node);
    assert!(
        told_why.iter().any(|it| it.contains("another department")),
        "{told_why:?}"
    );
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let outcome = corrected(&mut world, &provider, None);
    answer(&mut world, &provider, docket, outcome).expect("answered");
    assert_eq!(notices(&world, outsider.node), 0);
    assert!(correction(&world, outsider.node, docket).is_none());
}

#[test]
pub(crate) fn an_upheld_record_needs_reasons_and_tells_the_asker_alone() {
    let (mut world, provider, [(asker, first), (other, second)]) = two_holders(42);
    let beyond = ask(&mut world, &asker, first, "住址").expect("sent to the home");
    assert!(correction(&world, provider.node, beyond).is_none());
    let told_why = findings(&world, asker.node);
    assert!(
        told_why
            .iter()
            .any(|it| it.contains("beyond the granted scope")),
        "{told_why:?}"
    );
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let reasons = world.private(provider.node, "与登记一致");
    let bare = Private {
        length: 0,
        ..reasons
    };
    let bare = CorrectionOutcome::Upheld { reasons: bare };
    let expected = (RefusalReason::ReasonsRequired, Article::R26);
    assert_eq!(
        lawfully(answer(&mut world, &provider, docket, bare)),
        expected
    );
    let upheld = CorrectionOutcome::Upheld { reasons };
    answer(&mut world, &provider, docket, upheld.clone()).expect("answered");
    let seen = correction(&world, asker.node, docket).expect("reported back");
    assert_eq!(seen.phase, CorrectionPhase::Answered(upheld));
    let told_to_asker = world.content(asker.node, &reasons);
    assert_eq!(told_to_asker.expect("fetched").text(), "与登记一致");
    assert_eq!(told(&world, asker.node, first), 0);
    assert_eq!(told(&world, other.node, second), 0);
}

#[test]
pub(crate) fn a_request_not_answered_in_ten_working_days_is_recorded_overdue_once() {
    let (mut world, provider, [(asker, first), _]) = two_holders(43);
    let docket = ask(&mut world, &asker, first, "名称").expect("asked");
    let state = correction(&world, provider.node, docket).expect("received");
    let CorrectionPhase::Asked { term } = state.phase else {
        panic!("asked")
    };
    // Received on Monday 2026-03-09: ten working days end on Monday 2026-03-23 at 24:00 in Beijing.
    assert_eq!(term.due.to_string(), "2026-03-23T16:00:00.000Z");
    world.step(term.due.millis_since(world.now) - 60_000);
    assert_eq!(lapses(&world, provider.node, docket), 0);
    world.step(120_000);
    world.step(3_600_000);
    assert_eq!(lapses(&world, provider.node, docket), 1, "overdue once");
    world.settle();
    assert_eq!(lapses(&world, asker.node, docket), 1);
    assert_eq!(Duty::Correct.breach(), Article::R39_6);
}
