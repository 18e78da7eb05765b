//! R28: negotiation first; then, by itself, the common superior; then the government at its level.

use federation::core::query;
use guantong_tests::{Department, World};
use identity::Code;
use sharing::act::ActBody;
use sharing::application::DisputeStage;
use sharing::dispute::{Decision, DisputePhase, NegotiationOutcome, NegotiationStep, Opinion};
use sharing::docket::{Case, DocketId};
use statute::Role;

use crate::stage::{application, apply, code, conditional, demo, provider, refuse, reply, seen};

/// 天河区 and 和平区 fall out over a refused application; negotiation fails.
fn fallen_out(seed: u64) -> (World, Department, Department, DocketId) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
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
fn a_failed_negotiation_goes_by_itself_to_the_hub_which_coordinates_and_the_government_decides() {
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
    assert!(
        world
            .act(
                hub,
                &government,
                ActBody::Decide {
                    docket: case,
                    decision: decision.clone()
                }
            )
            .is_err(),
        "coordination comes first"
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
