//! R28: negotiation first; then, by itself, the common superior; then the government at its level.

use federation::core::query;
use guantong_tests::{Department, Person, World};
use identity::Code;
use sharing::act::ActBody;
use sharing::application::DisputeStage;
use sharing::dispute::{Decision, DisputePhase, NegotiationOutcome, NegotiationStep, Opinion};
use sharing::docket::{Case, DocketId};
use statute::{Article, RefusalReason, Role};

use crate::correction::lawfully;
use crate::stage::{
    application, apply, code, conditional, demo, lapses, provider, refuse, reply, seen,
};

/// 天河区 and 和平区 fall out over a refused application; negotiation fails.
fn fallen_out(seed: u64) -> (World, Department, Department, DocketId) {
    departments_fall_out(seed, "440106", "210102")
}

/// A department at one place falls out with one at another over a refused application.
fn departments_fall_out(
    seed: u64,
    asking: &str,
    asked: &str,
) -> (World, Department, Department, DocketId) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, asked, conditional());
    let requester = world.department(code(asking), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    reply(&mut world, &provider, docket, refuse());
    world.settle();
    let operator = world.staff(&requester, Role::Operator);
    world
        .act(
            requester.node,
            &operator,
            ActBody::RaiseDispute {
                docket,
                claim: "拒绝理由不成立".into(),
            },
        )
        .expect("raised");
    world.settle();
    (world, requester, provider, docket)
}

fn negotiate(world: &mut World, party: &Department, docket: DocketId, outcome: NegotiationOutcome) {
    let operator = world.staff(party, Role::Operator);
    let step = NegotiationStep {
        statement: "双方意见".into(),
        outcome,
    };
    world
        .act(party.node, &operator, ActBody::Negotiate { docket, step })
        .expect("negotiated");
    world.settle();
}

/// Departments of two nodes fall out, and the authority of `hearer` gives its opinion; the docket of the dispute.
pub fn coordinated(world: &mut World, parties: [&str; 2], hearer: &str) -> DocketId {
    let (provider, entry) = provider(world, parties[0], conditional());
    let requester = world.department(code(parties[1]), 2, "民政局");
    let wanted = application(world, &requester, &provider, &entry);
    let docket = apply(world, &requester, wanted);
    world.settle();
    reply(world, &provider, docket, refuse());
    world.settle();
    let operator = world.staff(&requester, Role::Operator);
    let claim = "拒绝理由不成立".to_owned();
    world
        .act(
            requester.node,
            &operator,
            ActBody::RaiseDispute { docket, claim },
        )
        .expect("raised");
    world.settle();
    negotiate(world, &requester, docket, NegotiationOutcome::Failed);
    let (case, _) = heard(world, code(hearer)).expect("heard");
    let reviewer = world.authority(code(hearer), Role::AuthorityReviewer);
    let opinion = Opinion {
        proposal: "缩小范围后共享".into(),
        grounds: "第十五条".into(),
    };
    let coordinate = ActBody::Coordinate {
        docket: case,
        opinion,
    };
    world
        .act(code(hearer), &reviewer, coordinate)
        .expect("coordinated");
    world.settle();
    case
}

fn heard(world: &World, node: Code) -> Option<(DocketId, DisputePhase)> {
    let dockets = query::dockets(world.read(node), None, 100).expect("memory");
    dockets.into_iter().find_map(|view| match view.state.case {
        Case::Dispute(state) => Some((view.id, state.phase)),
        _ => None,
    })
}

#[test]
fn nothing_is_referred_before_negotiation_failed() {
    let (mut world, requester, _, docket) = fallen_out(20);
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().dispute,
        DisputeStage::Negotiating { .. }
    ));
    negotiate(
        &mut world,
        &requester,
        docket,
        NegotiationOutcome::Continues,
    );
    assert!(
        world
            .codes()
            .into_iter()
            .all(|node| heard(&world, node).is_none())
    );
}

#[test]
pub(crate) fn the_respondent_does_not_settle_a_dispute_over_the_complainants_head() {
    let (mut world, requester, provider, docket) = fallen_out(22);
    let settled = |world: &mut World, party: &Department| {
        let operator = world.staff(party, Role::Operator);
        let step = NegotiationStep {
            statement: "双方已经谈妥".into(),
            outcome: NegotiationOutcome::Settled,
        };
        let answer = world.act(party.node, &operator, ActBody::Negotiate { docket, step });
        world.settle();
        answer
    };
    let refused = lawfully(settled(&mut world, &provider));
    assert_eq!(refused, (RefusalReason::NotYourDepartment, Article::R28));
    let stage = seen(&world, requester.node, docket).unwrap().dispute;
    assert!(
        matches!(stage, DisputeStage::Negotiating { .. }),
        "{stage:?}"
    );
    settled(&mut world, &requester).expect("the complainant says so");
    let stage = seen(&world, provider.node, docket).unwrap().dispute;
    assert_eq!(stage, DisputeStage::Settled);
    let heard_nowhere = world
        .codes()
        .into_iter()
        .all(|node| heard(&world, node).is_none());
    assert!(heard_nowhere, "what is settled goes before nobody");
}

#[test]
pub(crate) fn a_failed_negotiation_goes_by_itself_to_the_hub_which_coordinates_and_the_government_decides()
 {
    let (mut world, requester, provider, docket) = fallen_out(21);
    negotiate(&mut world, &requester, docket, NegotiationOutcome::Failed);
    let hub = code("100000");
    let (case, phase) =
        heard(&world, hub).expect("the common superior of 天河区 and 和平区 hears it");
    assert_eq!(phase, DisputePhase::Referred);
    for aside in ["440000", "210000", "440100"] {
        assert!(
            heard(&world, code(aside)).is_none(),
            "{aside} is not the common superior"
        );
    }
    let government = world.authority(hub, Role::Government);
    let decision = Decision {
        holding: "应予共享".into(),
        grounds: "第二十四条".into(),
        comply_by: world.now.plus_days(20),
    };
    let early = ActBody::Decide {
        docket: case,
        decision: decision.clone(),
    };
    let early = lawfully(world.act(hub, &government, early));
    assert!(
        matches!(
            early,
            (RefusalReason::CoordinationNotTried { .. }, Article::R28)
        ),
        "coordination comes first: {early:?}"
    );
    let reviewer = world.authority(hub, Role::AuthorityReviewer);
    let opinion = Opinion {
        proposal: "缩小范围后共享".into(),
        grounds: "第十五条".into(),
    };
    world
        .act(
            hub,
            &reviewer,
            ActBody::Coordinate {
                docket: case,
                opinion,
            },
        )
        .expect("coordinated");
    world.settle();
    assert!(
        matches!(
            heard(&world, provider.node),
            Some((_, DisputePhase::OpinionGiven { .. }))
        ),
        "the parties learn of it"
    );
    let defendant = world.staff(&provider, Role::DepartmentHead);
    world
        .act(
            provider.node,
            &defendant,
            ActBody::AnswerOpinion {
                docket: case,
                accepted: false,
                grounds: "不能接受".into(),
            },
        )
        .expect("answered");
    world.settle();
    assert!(matches!(
        heard(&world, hub),
        Some((_, DisputePhase::AwaitingDecision { .. }))
    ));
    world
        .act(
            hub,
            &government,
            ActBody::Decide {
                docket: case,
                decision,
            },
        )
        .expect("decided");
    world.settle();
    for party in [requester.node, provider.node] {
        assert!(
            matches!(
                heard(&world, party),
                Some((_, DisputePhase::Decided { .. }))
            ),
            "at {party}"
        );
        assert!(
            matches!(
                seen(&world, party, docket).unwrap().dispute,
                DisputeStage::Concluded { .. }
            ),
            "at {party}"
        );
    }
}

/// A decided dispute of two districts, due in twenty days, with the docket at the hub.
fn decided(seed: u64) -> (World, Department, Department, DocketId) {
    let (mut world, requester, provider, docket) = fallen_out(seed);
    negotiate(&mut world, &requester, docket, NegotiationOutcome::Failed);
    let hub = code("100000");
    let (case, _) = heard(&world, hub).expect("heard");
    let opinion = Opinion {
        proposal: "缩小范围后共享".into(),
        grounds: "第十五条".into(),
    };
    let answer = ActBody::AnswerOpinion {
        docket: case,
        accepted: false,
        grounds: "范围仍然过大".into(),
    };
    let decision = Decision {
        holding: "应予共享".into(),
        grounds: "第二十一条".into(),
        comply_by: world.now.plus_days(20),
    };
    let reviewer = world.authority(hub, Role::AuthorityReviewer);
    let operator = world.staff(&provider, Role::Operator);
    let government = world.authority(hub, Role::Government);
    let steps = [
        (
            hub,
            reviewer,
            ActBody::Coordinate {
                docket: case,
                opinion,
            },
        ),
        (provider.node, operator, answer),
        (
            hub,
            government,
            ActBody::Decide {
                docket: case,
                decision,
            },
        ),
    ];
    for (node, person, body) in steps {
        world.act(node, &person, body).expect("taken");
        world.settle();
    }
    (world, requester, provider, case)
}

#[test]
fn the_parties_act_on_the_decision_and_the_clock_watches_whoever_does_not() {
    let (mut world, requester, provider, case) = decided(26);
    let comply = |world: &mut World, party: &Department| {
        let operator = world.staff(party, Role::Operator);
        let statement = "已按决定提供数据".into();
        let body = ActBody::Comply {
            docket: case,
            statement,
        };
        let answer = world.act(party.node, &operator, body);
        world.settle();
        answer
    };
    comply(&mut world, &provider).expect("reported");
    world.step(20 * 86_400_000 - 60_000);
    assert_eq!(lapses(&world, requester.node, case), 0);
    world.step(120_000);
    world.settle();
    let held = query::docket(world.read(requester.node), case).expect("memory");
    let held = held.expect("the party's copy").docket.state;
    let late: Vec<_> = held.clock.lapses.iter().map(|it| &it.who).collect();
    let owing = sharing::clock::Debtor::Department(sharing::dispute::Party {
        department: requester.code,
        node: world.place(requester.node),
    });
    assert_eq!(late, [&owing], "who reported in time is not late");
    comply(&mut world, &requester).expect("reported late");
    let held = query::docket(world.read(provider.node), case).expect("memory");
    assert!(!held.expect("the other copy").docket.state.case.is_open());
}

/// A refused application of an authority itself to a department below it, over which the authority falls out with that department.
fn authority_falls_out(seed: u64, at: &str) -> (World, Department, DocketId) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "440106", conditional());
    let authority = Department {
        code: guantong_tests::credit_code(at, 1),
        name: "政务服务和数据管理局".into(),
        node: code(at),
    };
    let wanted = application(&world, &authority, &provider, &entry);
    let docket = apply(&mut world, &authority, wanted);
    world.settle();
    reply(&mut world, &provider, docket, refuse());
    world.settle();
    // Whose department the authority of a place is, its head's own certificate says.
    for place in [at, "440000", "100000"] {
        let head = world.authority_head(code(place));
        let reviewer = Person::of_authority(code(place), Role::AuthorityReviewer, world.now);
        let certificate = reviewer.chain.0.last().expect("a certificate").clone();
        let body = ActBody::EnrolPerson {
            certificate,
            department_name: "主管部门".into(),
        };
        world.act(code(place), &head, body).expect("enrolled");
    }
    let operator = world.staff(&authority, Role::Operator);
    let claim = "拒绝理由不成立".into();
    world
        .act(
            authority.node,
            &operator,
            ActBody::RaiseDispute { docket, claim },
        )
        .expect("raised");
    world.settle();
    negotiate(&mut world, &authority, docket, NegotiationOutcome::Failed);
    (world, provider, docket)
}

#[test]
pub(crate) fn an_authority_that_is_a_party_passes_its_case_on_and_the_next_above_hears_it() {
    let (world, provider, docket) = authority_falls_out(24, "440100");
    let (case, phase) = heard(&world, code("440000")).expect("the province hears it");
    assert_eq!(phase, DisputePhase::Referred);
    assert!(heard(&world, code("100000")).is_none());
    for party in [code("440100"), provider.node] {
        let copy = query::docket(world.read(party), case).expect("memory");
        let home = copy.map(|copy| copy.docket.home.code());
        assert_eq!(
            home,
            Some(code("440000")),
            "its own case is not its to hear"
        );
    }
    assert!(matches!(
        seen(&world, provider.node, docket).unwrap().dispute,
        DisputeStage::Failed { .. }
    ));
}

#[test]
fn two_departments_of_one_ministry_come_before_the_national_authority() {
    let (mut world, requester, _, docket) = departments_fall_out(26, "mps", "mps");
    negotiate(&mut world, &requester, docket, NegotiationOutcome::Failed);
    let (case, phase) = heard(&world, code("100000")).expect("the hub hears it");
    assert_eq!(phase, DisputePhase::Referred);
    let copy = query::docket(world.read(code("mps")), case).expect("memory");
    let home = copy.map(|copy| copy.docket.home.code());
    assert_eq!(home, Some(code("100000")), "a ministry is no authority");
}

#[test]
fn a_case_of_the_national_authority_is_the_state_councils_to_decide() {
    let (mut world, provider, docket) = authority_falls_out(25, "100000");
    let hub = code("100000");
    let (case, phase) = heard(&world, hub).expect("held at the hub");
    assert_eq!(phase, DisputePhase::AwaitingDecision { opinion: None });
    let reviewer = world.authority(hub, Role::AuthorityReviewer);
    let opinion = Opinion {
        proposal: "应予共享".into(),
        grounds: "第十五条".into(),
    };
    let body = ActBody::Coordinate {
        docket: case,
        opinion,
    };
    assert!(world.act(hub, &reviewer, body).is_err());
    let council = world.authority(hub, Role::Government);
    let decision = Decision {
        holding: "应予共享".into(),
        grounds: "第二十八条".into(),
        comply_by: world.now.plus_days(20),
    };
    let body = ActBody::Decide {
        docket: case,
        decision,
    };
    world.act(hub, &council, body).expect("decided");
    world.settle();
    assert!(matches!(
        seen(&world, provider.node, docket).unwrap().dispute,
        DisputeStage::Concluded { .. }
    ));
}
