//! R20: a need that no entry meets goes up to an authority that reaches a department which could meet it.

use guantong_tests::entry;
use guantong_tests::stage::publish;
use sharing::dispute::Party;
use sharing::need::{Need, NeedAct, NeedStep};

use super::*;

/// Row A0.
#[test]
fn a_need_is_passed_up_matched_and_promised_by_a_date() {
    let mut live = start();
    let needing = Department::hosted(code("440106"), 2, "民政局");
    let providing = Department::hosted(code("440100"), 3, "人力资源和社会保障局");
    // What it shares is not what is needed; that it shares makes it known.
    let shared = entry(&providing, 1, "社会保险参保信息", conditional(), live.now());
    publish(&mut live, &providing, vec![shared]);
    let asked = live.ask_above(needing.node, &["就业状态"]);
    let need = |searched: &str| {
        ActBody::Need(NeedAct::Report(Need {
            title: "低保对象就业情况".into(),
            items: vec!["就业状态".into()],
            purpose: "社会救助资格核验".into(),
            basis: "《社会救助暂行办法》第九条".into(),
            searched: searched.into(),
            considered: vec![],
            asked: asked.clone(),
        }))
    };
    refused(staff(&live, &needing, Role::Operator, need(" ")), "R20");
    let reported = need("本级和各上级目录检索“就业”，未见");
    let docket = docket(staff(&live, &needing, Role::Operator, reported));
    let take = |step| ActBody::Need(NeedAct::Take { docket, step });
    let matched = || {
        take(NeedStep::Match {
            department: Party {
                department: providing.code,
                node: live.place(providing.node),
            },
        })
    };
    let beyond = officer(&live, "440106", Role::AuthorityReviewer, matched());
    refused(beyond, "R20");
    let up = take(NeedStep::PassOn {
        reasons: "本级及以下无部门收集此数据".into(),
    });
    officer(&live, "440106", Role::AuthorityReviewer, up).expect("passed on");
    in_phase(&live, providing.node, docket, "need-open");
    refused(staff(&live, &providing, Role::Operator, matched()), "R20");
    officer(&live, "440100", Role::AuthorityReviewer, matched()).expect("matched");
    in_phase(&live, needing.node, docket, "need-matched");
    let by = live.now().plus_days(20);
    let promise = take(NeedStep::Promise { by });
    staff(&live, &providing, Role::Operator, promise).expect("promised");
    in_phase(&live, needing.node, docket, "need-promised");
    live.advance_to(by.plus_millis(-60_000));
    let held = shown(&live, needing.node, docket, |_| true);
    assert_eq!(held.docket.state.clock.lapses, []);
    live.advance_to(by.plus_millis(60_000));
    after(&live, providing.node, docket, "overdue");
}
