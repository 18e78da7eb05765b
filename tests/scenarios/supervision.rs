//! R29, R39-R41: what was not done in time is seen by whoever supervises; a breach is found, its correction ordered, reported and judged.

use federation::core::{Refused, query};
use guantong_tests::stage::Acting;
use guantong_tests::{Department, Person, World};
use identity::{Code, Moment, Path};
use sharing::act::ActBody;
use sharing::application::Phase;
use sharing::clock::ClockEvent;
use sharing::dispute::Party;
use sharing::docket::{Case, DocketBody, DocketId};
use sharing::supervision::{
    About, Accused, Order, SupervisionAct, SupervisionPhase, SupervisionState,
};
use statute::{Article, ClassTerms, Duty, EscalationGround, Refusal, RefusalReason, Role};

use crate::stage::{application, apply, code, demo, events, findings, lapses, provider, seen};

fn party(world: &World, department: &Department) -> Accused {
    Accused::Department(Party {
        department: department.code,
        node: world.place(department.node),
    })
}

fn order(world: &World, against: Accused, breach: Article, about: Option<About>) -> Order {
    Order {
        against,
        breach,
        about,
        facts: "未按时答复政务数据共享申请".into(),
        measures: "三日内答复".into(),
        correct_by: world.now.plus_days(3),
    }
}

/// Does something in supervision; the docket, or the refusal.
fn does(
    world: &mut World,
    node: Code,
    person: &Person,
    act: SupervisionAct,
) -> Result<DocketId, Refusal> {
    let answer = world.act(node, person, ActBody::Supervision(act));
    world.settle();
    match answer {
        Ok(answer) => Ok(answer.docket.expect("a docket")),
        Err(Refused::Lawful(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// Someone of the authority or the government of a place.
fn officer(world: &World, node: Code, role: Role) -> Person {
    match role {
        Role::AuthorityHead => world.authority_head(node),
        other => world.authority(node, other),
    }
}

/// An order as a node holds it.
fn held(world: &World, node: Code, docket: DocketId) -> Option<SupervisionState> {
    let held = world.ask(node, |store| query::docket(store, docket))?;
    match held.docket.state.case {
        Case::Supervision(state) => Some(*state),
        _ => None,
    }
}

fn told(world: &World, node: Code, what: &str) -> usize {
    let all = findings(world, node);
    all.iter().filter(|finding| finding.contains(what)).count()
}

/// 天河区's department lets an application of 和平区 lie until its time has passed.
fn overdue_reply(seed: u64) -> (World, Department, Department, DocketId, Moment) {
    let mut world = demo(seed);
    let (department, entry) = provider(&mut world, "440106", ClassTerms::Unconditional);
    let requester = world.department(code("210102"), 2, "民政局");
    let wanted = application(&world, &requester, &department, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let Phase::Received { term } = seen(&world, department.node, docket).unwrap().phase else {
        panic!("received")
    };
    world.step(term.due.millis_since(world.now));
    world.step(3_600_000);
    world.settle();
    assert_eq!(lapses(&world, department.node, docket), 1);
    (world, department, requester, docket, term.arises)
}

#[test]
fn an_overdue_reply_is_seen_by_the_authority_which_orders_its_correction_and_accepts_the_report() {
    let (mut world, department, requester, docket, arises) = overdue_reply(60);
    let here = department.node;
    let late = "did not in time";
    assert_eq!(told(&world, here, late), 1, "{:?}", findings(&world, here));
    assert_eq!(told(&world, requester.node, late), 0);
    assert_eq!(told(&world, code("440100"), late), 0);
    let duty = Duty::ReplyUnconditional;
    let about = Some(About {
        docket,
        duty,
        arises,
    });
    let reviewer = world.authority(here, Role::AuthorityReviewer);
    let given = order(&world, party(&world, &department), Article::R39_4, about);
    let act = || SupervisionAct::Order(given.clone());
    let case = does(&mut world, here, &reviewer, act()).expect("ordered");
    for node in [here, requester.node] {
        let found = events(&world, node, docket).into_iter().any(|event| {
            matches!(event.body, DocketBody::Clock(ClockEvent::BreachFound { order, article: Article::R39_4, .. }) if order == case)
        });
        assert!(found, "the breach stands in the docket as {node} holds it");
    }
    let twice = does(&mut world, here, &reviewer, act()).unwrap_err();
    assert!(matches!(twice.reason, RefusalReason::Duplicate { .. }));
    let operator = world.staff(&department, Role::Operator);
    let accept = || SupervisionAct::Accept { docket: case };
    let early = does(&mut world, here, &reviewer, accept()).unwrap_err();
    assert!(matches!(early.reason, RefusalReason::WrongState { .. }));
    let done = "已答复".into();
    let report = SupervisionAct::Report { docket: case, done };
    does(&mut world, here, &operator, report).expect("reported");
    does(&mut world, here, &reviewer, accept()).expect("accepted");
    let state = held(&world, here, case).unwrap();
    assert_eq!(state.phase, SupervisionPhase::Closed);
    assert!(held(&world, requester.node, case).is_none(), "no party");
}

#[test]
pub(crate) fn another_level_another_kind_and_a_lapse_that_is_not_there_are_refused() {
    let (mut world, department, requester, docket, arises) = overdue_reply(61);
    let elsewhere = officer(&world, requester.node, Role::AuthorityHead);
    let foreign = order(&world, party(&world, &department), Article::R39_4, None);
    let node = requester.node;
    let refused = does(&mut world, node, &elsewhere, SupervisionAct::Order(foreign)).unwrap_err();
    assert_eq!(refused.article, Article::R39);
    assert!(matches!(
        refused.reason,
        RefusalReason::NotTheSupervisor { .. }
    ));
    let lapse = |duty| {
        Some(About {
            docket,
            duty,
            arises,
        })
    };
    let wrong_kind = order(
        &world,
        party(&world, &requester),
        Article::R39_4,
        lapse(Duty::ReplyUnconditional),
    );
    let refused = does(
        &mut world,
        node,
        &elsewhere,
        SupervisionAct::Order(wrong_kind),
    )
    .unwrap_err();
    assert_eq!(
        refused.article,
        Article::R40,
        "the requester answers under R40"
    );
    assert!(matches!(
        refused.reason,
        RefusalReason::NotTheirBreach { .. }
    ));
    let reviewer = world.authority(department.node, Role::AuthorityReviewer);
    let unfounded = order(
        &world,
        party(&world, &department),
        Article::R39_4,
        lapse(Duty::Provide),
    );
    let act = SupervisionAct::Order(unfounded);
    let refused = does(&mut world, department.node, &reviewer, act).unwrap_err();
    assert!(matches!(refused.reason, RefusalReason::WrongState { .. }));
    assert!(
        events(&world, requester.node, docket)
            .iter()
            .all(|event| event.body.name() != "breach-found")
    );
}

#[test]
fn whoever_may_not_order_a_requester_is_refused_under_article_40() {
    let mut world = demo(66);
    let department = world.department(code("440106"), 2, "民政局");
    let here = department.node;
    let role = |refused: Result<DocketId, Refusal>| {
        let refusal = refused.expect_err("not entitled");
        let wrong = matches!(refusal.reason, RefusalReason::RoleNotEntitled { .. });
        assert!(wrong, "{refusal:?}");
        refusal.article
    };
    let against = party(&world, &department);
    let operator = world.staff(&department, Role::Operator);
    let of = |breach| SupervisionAct::Order(order(&world, against.clone(), breach, None));
    let (misused, withheld) = (of(Article::R40_2), of(Article::R39_4));
    let refused = does(&mut world, here, &operator, misused.clone());
    assert_eq!(role(refused), Article::R40);
    let refused = does(&mut world, here, &operator, withheld);
    assert_eq!(role(refused), Article::R39);
    let reviewer = world.authority(here, Role::AuthorityReviewer);
    let docket = does(&mut world, here, &reviewer, misused).expect("ordered");
    let accept = SupervisionAct::Accept { docket };
    let refused = does(&mut world, here, &operator, accept);
    assert_eq!(role(refused), Article::R40, "in its docket too");
}

/// The government of 天河区 ordered its authority to correct, and the date has passed.
fn authority_in_default(seed: u64) -> (World, DocketId, Moment) {
    let mut world = demo(seed);
    let county = code("440106");
    let government = world.authority(county, Role::Government);
    let given = order(&world, authority_of(&world, county), Article::R41_1, None);
    let case = does(
        &mut world,
        county,
        &government,
        SupervisionAct::Order(given),
    )
    .expect("ordered");
    let SupervisionPhase::Ordered { term } = held(&world, county, case).unwrap().phase else {
        panic!("ordered")
    };
    world.step(term.due.millis_since(world.now));
    for _ in 0..3 {
        world.step(3_600_000);
    }
    world.settle();
    (world, case, term.arises)
}

fn authority_of(world: &World, node: Code) -> Accused {
    Accused::Authority(world.place(node))
}

#[test]
fn an_authoritys_default_is_told_above_and_the_superior_orders_it_with_a_copy_at_both() {
    let (mut world, own, arises) = authority_in_default(62);
    let (county, city) = (code("440106"), code("440100"));
    let late = "the authority of 440106 did not in time";
    assert_eq!(told(&world, county, late), 1);
    assert_eq!(told(&world, city, late), 1, "{:?}", findings(&world, city));
    assert_eq!(
        told(&world, code("440000"), late),
        0,
        "the level above alone"
    );
    let about = Some(About {
        docket: own,
        duty: Duty::RectifyOrder,
        arises,
    });
    let given = order(&world, authority_of(&world, county), Article::R41_3, about);
    let act = || SupervisionAct::Order(given.clone());
    for (node, role) in [
        ("440106", Role::AuthorityHead),
        ("210100", Role::AuthorityHead),
        ("440100", Role::Government),
    ] {
        let person = officer(&world, code(node), role);
        let refused = does(&mut world, code(node), &person, act()).unwrap_err();
        assert_eq!(refused.article, Article::R41, "{node} {role}");
        assert!(matches!(
            refused.reason,
            RefusalReason::NotTheSupervisor { .. }
        ));
    }
    let superior = officer(&world, city, Role::AuthorityHead);
    let case = does(&mut world, city, &superior, act()).expect("ordered");
    assert!(
        events(&world, county, own)
            .iter()
            .any(|event| matches!(event.body, DocketBody::Clock(ClockEvent::BreachFound { order, .. }) if order == case)),
        "the breach stands in the docket at its home"
    );
    let head = world.authority(county, Role::AuthorityReviewer);
    let done = "已明确数源部门".into();
    let report = SupervisionAct::Report { docket: case, done };
    does(&mut world, county, &head, report).expect("sent to the home");
    let reject = SupervisionAct::Reject {
        docket: case,
        reasons: "未列明依据".into(),
        correct_by: world.now.plus_days(5),
    };
    does(&mut world, city, &superior, reject).expect("rejected");
    for node in [county, city] {
        let state = held(&world, node, case).unwrap();
        assert!(
            matches!(state.phase, SupervisionPhase::Ordered { .. }) && state.rejected == 1,
            "at {node}: {:?}",
            state.phase
        );
    }
    let escalate = SupervisionAct::Escalate {
        docket: case,
        ground: EscalationGround::RefusesToCorrect,
        reasons: "逾期未改正".into(),
    };
    does(&mut world, city, &superior, escalate).expect("escalated");
    assert_eq!(
        held(&world, county, case).unwrap().phase.name(),
        "escalated"
    );
}

#[test]
fn a_notice_is_shown_at_the_places_it_names_below_and_nowhere_else() {
    let (mut world, _, _) = authority_in_default(63);
    let (county, city) = (code("440106"), code("440100"));
    let superior = officer(&world, city, Role::AuthorityHead);
    let given = order(&world, authority_of(&world, county), Article::R41_3, None);
    let case = does(&mut world, city, &superior, SupervisionAct::Order(given)).expect("ordered");
    let circulate = |to: Vec<Path>| SupervisionAct::Circulate {
        docket: case,
        text: "对逾期未改正情况予以通报".into(),
        to,
    };
    let notice = "notice circulated by 440100";
    let outside = vec![world.place(county), world.place(code("210102"))];
    let refused = does(&mut world, city, &superior, circulate(outside)).unwrap_err();
    assert_eq!(refused.article, Article::R29);
    assert!(matches!(
        refused.reason,
        RefusalReason::NotTheSupervisor { .. }
    ));
    assert_eq!(told(&world, county, notice), 0);
    let within = vec![world.place(county), world.place(county)];
    does(&mut world, city, &superior, circulate(within)).expect("circulated");
    for node in [city, county] {
        assert_eq!(told(&world, node, notice), 1, "at {node}");
    }
    for node in ["440000", "210102"] {
        assert_eq!(told(&world, code(node), notice), 0, "at {node}");
    }
    assert_eq!(held(&world, county, case).unwrap().circulated, 1);
}
