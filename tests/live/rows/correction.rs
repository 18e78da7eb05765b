//! R26: who holds shared data finds it wrong, and the provider corrects it in ten working days.

use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::private::Content;

use super::*;

fn content(salt: u8, text: &str) -> Content {
    Content::new([salt; 32], text.into()).expect("a text")
}

fn ask(story: &Applied, item: &str, salt: u8) -> Answered {
    let beside = [
        content(salt, "第一户名称有误"),
        content(salt + 1, "营业执照"),
    ];
    let request = CorrectionRequest {
        about: story.docket,
        items: vec![item.into()],
        wrong: beside[0].private(),
        evidence: beside[1].private(),
    };
    let operator = Person::of(&story.requester, Role::Operator, story.live.now());
    let body = ActBody::Correction(CorrectionAct::Ask(request));
    let node = story.requester.node;
    let signed = story.live.sign(node, &operator, body);
    story.live.post_with(node, &signed, &beside)
}

/// Rows K1, K2.
#[test]
fn a_holder_asks_for_correction_and_is_answered_late_and_told_of_it() {
    let (story, _) = shared();
    let live = &story.live;
    let about = story.docket;
    let unheld = CorrectionRequest {
        about,
        items: vec!["名称".into()],
        wrong: content(9, "第一户名称有误").private(),
        evidence: content(9, "营业执照").private(),
    };
    let outsider = Department::hosted(code("210100"), 4, "民政局");
    let body = ActBody::Correction(CorrectionAct::Ask(unheld));
    let operator = Person::of(&outsider, Role::Operator, live.now());
    let signed = live.sign(outsider.node, &operator, body);
    let beside = [content(9, "第一户名称有误"), content(9, "营业执照")];
    refused(live.post_with(outsider.node, &signed, &beside), "R26");

    let docket = docket(ask(&story, "名称", 1));
    in_phase(live, story.provider.node, docket, "correction-asked");
    in_phase(live, story.requester.node, docket, "correction-asked");
    let due = beijing("2026-03-24T00:00");
    live.advance_to(due.plus_millis(-60_000));
    let held = shown(live, story.provider.node, docket, |_| true);
    assert_eq!(held.docket.state.clock.lapses, [], "not yet late");
    live.advance_to(due.plus_millis(60_000));
    after(live, story.requester.node, docket, "overdue");
    let answer = |outcome| ActBody::Correction(CorrectionAct::Answer { docket, outcome });
    let said = content(5, "第一户名称改为甲商行");
    let corrected = CorrectionOutcome::Corrected {
        what: said.private(),
        object: None,
    };
    let neighbour = Department::hosted(story.provider.node, 9, "教育局");
    let foreign = answer(corrected.clone());
    let does = |department: &Department, body| {
        let person = Person::of(department, Role::Operator, live.now());
        let signed = live.sign(department.node, &person, body);
        live.post_with(department.node, &signed, std::slice::from_ref(&said))
    };
    refused(does(&neighbour, foreign), "R26");
    does(&story.provider, answer(corrected)).expect("answered");
    in_phase(live, story.requester.node, docket, "corrected");
    after(live, story.requester.node, about, "correction-told");
}
