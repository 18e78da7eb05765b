//! R28: negotiation first, then the common superior, then the government of its level.

use guantong_tests::stage::refuse;
use sharing::application::DisputeStage;
use sharing::dispute::{Decision, NegotiationOutcome, NegotiationStep, Opinion};
use sharing::docket::Case;

use super::*;

fn negotiate(docket: DocketId, outcome: NegotiationOutcome) -> ActBody {
    let step = NegotiationStep {
        statement: "双方意见".into(),
        outcome,
    };
    ActBody::Negotiate { docket, step }
}

/// The dispute that a node's API lists, once it lists one.
fn heard(live: &Federation, node: &str) -> DocketId {
    live.until("a dispute", |live| {
        let list = live.get(code(node), "/dockets")["items"].clone();
        let list: Vec<federation::core::view::DocketView> =
            serde_json::from_value(list).expect("dockets");
        let mut disputes = list
            .into_iter()
            .filter(|it| matches!(it.state.case, Case::Dispute(_)));
        disputes.next().map(|it| it.id)
    })
}

/// An application of one district to another was refused, and negotiation over it has failed.
fn fallen_out(live: Federation, from: &str) -> (Federation, [Department; 2]) {
    let mut live = live;
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code(from), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    in_phase(&live, provider.node, docket, "received");
    reply(&mut live, &provider, docket, refuse());
    in_phase(&live, requester.node, docket, "refused");
    let failed = || negotiate(docket, NegotiationOutcome::Failed);
    refused(staff(&live, &provider, Role::Operator, failed()), "R28");
    let claim = "拒绝理由不成立".to_owned();
    let raise = ActBody::RaiseDispute { docket, claim };
    staff(&live, &requester, Role::Operator, raise).expect("raised");
    after(&live, provider.node, docket, "dispute-raised");
    staff(&live, &requester, Role::Operator, failed()).expect("failed");
    after(&live, provider.node, docket, "negotiated");
    let held = shown(&live, provider.node, docket, |_| true);
    let Case::Application(state) = held.docket.state.case else {
        panic!("an application")
    };
    assert!(!matches!(state.dispute, DisputeStage::None));
    (live, [requester, provider])
}

fn opinion(docket: DocketId) -> ActBody {
    let opinion = Opinion {
        proposal: "缩小范围后共享".into(),
        grounds: "第十五条".into(),
    };
    ActBody::Coordinate { docket, opinion }
}

/// Rows X1, X2, X3.
#[test]
fn a_failed_negotiation_comes_to_the_hub_and_its_government_decides_last() {
    let (live, [requester, provider]) = fallen_out(start(), "440106");
    let case = heard(&live, "100000");
    for aside in ["440000", "210000"] {
        assert!(
            !is_shown(&live, aside, case),
            "{aside} is no common superior"
        );
    }
    let decide = || ActBody::Decide {
        docket: case,
        decision: Decision {
            holding: "应予共享".into(),
            grounds: "第二十一条".into(),
            comply_by: live.now().plus_days(20),
        },
    };
    refused(officer(&live, "100000", Role::Government, decide()), "R28");
    refused(
        officer(&live, "440000", Role::AuthorityReviewer, opinion(case)),
        "R28",
    );
    officer(&live, "100000", Role::AuthorityReviewer, opinion(case)).expect("coordinated");
    for party in [&requester, &provider] {
        in_phase(&live, party.node, case, "opinion-given");
    }
    let reject = ActBody::AnswerOpinion {
        docket: case,
        accepted: false,
        grounds: "范围仍然过大".into(),
    };
    staff(&live, &provider, Role::Operator, reject).expect("answered");
    in_phase(&live, Code::HUB, case, "awaiting-decision");
    let authority = officer(&live, "100000", Role::AuthorityReviewer, decide());
    refused(authority, "R28");
    officer(&live, "100000", Role::Government, decide()).expect("decided");
    for party in [&requester, &provider] {
        in_phase(&live, party.node, case, "decided");
    }
    refused(officer(&live, "100000", Role::Government, decide()), "R28");
}

/// Row L5.
#[test]
fn the_citys_authority_coordinates_within_the_city_under_its_own_article_too() {
    let (live, [requester, _]) = fallen_out(start_in_shenyang(), "210100");
    let case = heard(&live, "210100");
    refused(
        officer(&live, "210000", Role::AuthorityReviewer, opinion(case)),
        "R28",
    );
    officer(&live, "210100", Role::AuthorityReviewer, opinion(case)).expect("coordinated");
    let at = code("210102");
    let held = in_phase(&live, at, case, "opinion-given");
    let said = serde_json::to_string(&held.events).expect("JSON");
    assert!(said.contains("\"S21\""), "{said}");
    assert_eq!(requester.node, code("210100"));
}
