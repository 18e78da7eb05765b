//! R25, R38, Shenyang S8: what departments did is reported and published; what could be joined is weighed.

use federation::core::query::EvaluationView;
use guantong_tests::entry;
use guantong_tests::stage::publish;
use serde_json::Value;
use sharing::aggregation::AggregationAct;
use sharing::evaluation::EvaluationAct;

use super::*;

/// The figures of March 2026 as a node's API gives them.
fn march(live: &Federation, node: &str) -> sharing::evaluation::Report {
    let view = live.get(code(node), "/evaluation?period=2026-03");
    let view: EvaluationView = serde_json::from_value(view).expect("a view");
    view.computed.report
}

/// Rows E1, L4.
#[test]
fn a_month_is_reported_by_the_head_seen_above_and_published_by_the_citys_government() {
    let mut live = start_in_shenyang();
    let _ = provider(&mut live, "210102", conditional());
    let report = |report| ActBody::Evaluation(EvaluationAct::Report(report));
    let early = report(march(&live, "210102"));
    refused(officer(&live, "210102", Role::AuthorityHead, early), "R38");
    live.advance_to(beijing("2026-04-01T10:00"));
    let found = march(&live, "210102");
    let reviewer = report(found.clone());
    refused(
        officer(&live, "210102", Role::AuthorityReviewer, reviewer),
        "R38",
    );
    let docket_of = docket(officer(&live, "210102", Role::AuthorityHead, report(found)));
    let above: Value = got(&live, code("210100"), "/evaluations", |it: &Value| {
        it["items"].as_array().map(Vec::len) == Some(1)
    });
    assert_eq!(above["items"][0]["docket"], docket_of.to_string());
    let own = docket(officer(
        &live,
        "210100",
        Role::AuthorityHead,
        report(march(&live, "210100")),
    ));
    let publish = || {
        ActBody::Evaluation(EvaluationAct::Publish {
            docket: own,
            advice: "按期答复；加强数据质量核验".into(),
        })
    };
    refused(
        officer(&live, "210100", Role::AuthorityHead, publish()),
        "S8",
    );
    officer(&live, "210100", Role::Government, publish()).expect("published");
    in_phase(&live, code("210000"), own, "published");
}

/// Row U2.
#[test]
fn a_grave_risk_of_joining_goes_out_with_the_authoritys_consent_alone() {
    let mut live = start();
    let provider = Department::hosted(code("210102"), 1, "民政局");
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let made = |serial, items: &[&str]| {
        let mut made = entry(&provider, serial, "个人信息", conditional(), live.now());
        let item = made.items[0].clone();
        let named = |name: &&str| sharing::catalogue::DataItem {
            name: (*name).to_owned(),
            ..item.clone()
        };
        made.items = items.iter().map(named).collect();
        made
    };
    let wages = made(1, &["公民身份号码", "姓名", "工资"]);
    let histories = made(2, &["公民身份号码", "家庭住址", "病史"]);
    publish(&mut live, &provider, vec![wages.clone(), histories.clone()]);
    live.until("both entries at the hub", |live| {
        let all = live.get(Code::HUB, "/catalogue/published");
        (all["items"].as_array().map(Vec::len) == Some(2)).then_some(())
    });
    let wanted = application(&live, &requester, &provider, &wages);
    let first = apply(&mut live, &requester, wanted);
    in_phase(&live, provider.node, first, "received");
    let given = grant(&live, &wages);
    reply(&mut live, &provider, first, given);
    in_phase(&live, requester.node, first, "granted");
    let application = application(&live, &requester, &provider, &histories);
    let draft = ActBody::Apply { application };
    let draft = docket(staff(&live, &requester, Role::Operator, draft));
    let consent = || ActBody::ConsentToApply {
        docket: draft,
        document: draft.0,
    };
    refused(
        staff(&live, &requester, Role::SharingOfficeHead, consent()),
        "R25",
    );
    let risks = live.get(requester.node, "/aggregation");
    let exposure = risks["items"]
        .as_array()
        .and_then(|it| it.iter().find(|it| it["draft"] == draft.to_string()))
        .map(|it| it["exposure"].clone())
        .unwrap_or_else(|| panic!("{risks}"));
    let exposure: sharing::aggregation::Exposure =
        serde_json::from_value(exposure).expect("an exposure");
    let consents = |role| {
        let act = ActBody::Aggregation(AggregationAct {
            draft,
            exposure: exposure.digest(),
            consents: true,
            grounds: "仅限救助核对，专人专机".into(),
        });
        officer(&live, "440106", role, act)
    };
    refused(consents(Role::AuthorityReviewer), "R25");
    consents(Role::AuthorityHead).expect("consented");
    staff(&live, &requester, Role::SharingOfficeHead, consent()).expect("goes out");
    let held = in_phase(&live, provider.node, draft, "received");
    let sharing::docket::Case::Application(state) = held.docket.state.case else {
        panic!("an application")
    };
    let risk = state.risk.expect("the assessment");
    assert_eq!(risk.exposure.digest(), exposure.digest());
}
