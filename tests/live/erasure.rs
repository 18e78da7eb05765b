//! PIPL 47 on running nodes: after an erasure nothing of what was said is left in any file of any node.

use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{application, apply, code, conditional, grant, provider, reply, seen};
use guantong_tests::{Department, Person};
use identity::{Code, Digest};
use serde_json::Value;
use sharing::act::ActBody;
use sharing::application::Phase;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::docket::DocketId;
use sharing::erasure::ErasureAct;
use sharing::private::Content;
use statute::{ErasureGround, Role};

/// Names a person.
const WRONG: &str = "张三丰的低保待遇已于去年停发";
/// So does what the provider did about it.
const CORRECTED: &str = "张三丰一户改为停发";
/// Renewals until three years are over: each after 280 days.
const THREE_YEARS: u32 = 4;

/// A department of 天河区 holds the data of one of 和平区.
fn holder(live: &mut Federation) -> (Department, Department, DocketId) {
    let (provider, entry) = provider(live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(live, &requester, &provider, &entry);
    let docket = apply(live, &requester, wanted);
    live.until("the receipt", |live| seen(live, provider.node, docket));
    let agreed = grant(live, &entry);
    reply(live, &provider, docket, agreed);
    let object = live.upload(provider.node, "低保对象.csv", "名称\n甲\n".as_bytes());
    let operator = Person::of(&provider, Role::Operator, live.now());
    let provide = ActBody::Provide { docket, object };
    live.act(provider.node, &operator, provide)
        .expect("provided");
    live.until("the data", |live| {
        let state = seen(live, requester.node, docket)?;
        matches!(state.phase, Phase::Provided { .. }).then_some(())
    });
    (provider, requester, docket)
}

/// What a node's API shows of a docket's personal content.
fn contents(live: &Federation, node: Code, docket: DocketId) -> Option<Vec<Value>> {
    let shown = live.try_get(node, &format!("/dockets/{docket}/private"));
    Some(shown.ok()?.as_array()?.clone())
}

/// Row G4.
#[test]
fn after_an_erasure_nothing_of_what_was_said_is_left_in_any_file_of_any_node() {
    let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let (provider, asker, about) = holder(&mut live);
    let wrong = Content::new([1; 32], WRONG.into()).expect("a text");
    let evidence = Content::new([2; 32], "停发通知书".into()).expect("a text");
    let request = CorrectionRequest {
        about,
        items: vec!["名称".into()],
        wrong: wrong.private(),
        evidence: evidence.private(),
    };
    let ask = ActBody::Correction(CorrectionAct::Ask(request));
    let operator = Person::of(&asker, Role::Operator, live.now());
    let ask = live.sign(asker.node, &operator, ask);
    let said = wrong.private().digest;
    let without = live.post_with(asker.node, &ask, std::slice::from_ref(&wrong));
    assert!(without.is_err(), "its evidence is missing");
    assert!(live.contents(asker.node).is_empty(), "nothing is kept");
    let beside = [wrong, evidence];
    let asked = live.post_with(asker.node, &ask, &beside);
    let docket = asked.expect("asked").docket.expect("a docket");
    let both = [asker.node, provider.node];
    for node in both {
        live.until("what was said, at both ends", |live| {
            let shown = contents(live, node, docket)?;
            (shown[0]["text"] == WRONG).then_some(())
        });
    }
    for node in live.codes() {
        let holds = both.contains(&node);
        assert_eq!(live.contents(node).contains(&said), holds, "at {node}");
        assert!(!live.keeps(node, WRONG.as_bytes()), "in clear at {node}");
    }
    let what = Content::new([3; 32], CORRECTED.into()).expect("a text");
    let outcome = CorrectionOutcome::Corrected {
        what: what.private(),
        object: None,
    };
    let answer = ActBody::Correction(CorrectionAct::Answer { docket, outcome });
    let operator = Person::of(&provider, Role::Operator, live.now());
    let signed = live.sign(provider.node, &operator, answer);
    live.post_with(provider.node, &signed, &[what])
        .expect("answered");
    live.until("what was corrected, at the asker's", |live| {
        let shown = contents(live, asker.node, docket)?;
        (shown.last()?["text"] == CORRECTED).then_some(())
    });
    for node in live.codes() {
        assert!(
            !live.keeps(node, CORRECTED.as_bytes()),
            "in clear at {node}"
        );
    }
    live.pass(THREE_YEARS);
    let shown = contents(&live, provider.node, docket).expect("shown");
    let digests = shown.iter().map(|it| it["digest"].as_str().expect("text"));
    let contents_said: Vec<Digest> = digests.map(|it| it.parse().expect("a digest")).collect();
    let erase = ActBody::Erasure(ErasureAct::Erase {
        docket,
        contents: contents_said,
        ground: ErasureGround::RetentionOver,
    });
    let head = Person::of(&provider, Role::DepartmentHead, live.now());
    live.act(provider.node, &head, erase).expect("erased");
    for node in both {
        live.until("the destruction at both ends", |live| {
            let shown = contents(live, node, docket)?;
            let destroyed = |it: &Value| it["erased"]["destroyed"].as_array().map_or(0, Vec::len);
            shown.iter().all(|it| destroyed(it) == 2).then_some(())
        });
    }
    for node in both {
        live.restart(node);
    }
    // The act sent once more, its content beside it, brings nothing back.
    let again = live.post_with(asker.node, &ask, &beside);
    assert!(again.map_or(true, |answer| answer.repeated));
    for node in live.codes() {
        assert!(live.contents(node).is_empty(), "at {node}");
        for said in [WRONG, CORRECTED] {
            assert!(!live.keeps(node, said.as_bytes()), "in clear at {node}");
        }
    }
    let shown = contents(&live, asker.node, docket).expect("shown");
    assert!(shown.iter().all(|it| it["text"].is_null()));
}
