//! R20-R22: an application, what is missing in it, the reply in time or late, and the data.

use guantong_tests::stage::refuse;
use sharing::act::ActBody;
use sharing::application::{MissingItem, Reply, reply_document};
use sharing::clock::ClockAct;
use statute::{ApplicationMaterial, Article, ClassTerms, Duty, Role, WorkingDays};

use super::*;

/// Rows A1, A2, A5.
#[test]
fn an_application_is_completed_once_and_refused_with_reasons_alone() {
    let mut live = start();
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let mut wanted = application(&live, &requester, &provider, &entry);
    wanted
        .materials
        .retain(|it| it.kind != ApplicationMaterial::Basis);
    let application = wanted;
    let draft = ActBody::Apply { application };
    let docket = docket(staff(&live, &requester, Role::Operator, draft));
    let consent = || ActBody::ConsentToApply {
        docket,
        document: docket.0,
    };
    refused(staff(&live, &requester, Role::Operator, consent()), "R20");
    assert!(!is_shown(&live, "210102", docket), "nothing was sent");
    staff(&live, &requester, Role::SharingOfficeHead, consent()).expect("consented");
    in_phase(&live, provider.node, docket, "received");

    let propose = |reply| ActBody::ProposeReply { docket, reply };
    let hasty = staff(&live, &provider, Role::Operator, propose(refuse()));
    refused(hasty, "R21");
    let tell = || ActBody::TellMissing {
        docket,
        missing: vec![MissingItem {
            kind: ApplicationMaterial::Basis,
            what: "请补充使用依据的具体条款".into(),
        }],
    };
    staff(&live, &provider, Role::Operator, tell()).expect("told");
    in_phase(&live, requester.node, docket, "incomplete");
    let supplement = ActBody::Supplement {
        docket,
        materials: vec![sharing::application::Material {
            kind: ApplicationMaterial::Basis,
            text: "《社会救助暂行办法》第九条".into(),
        }],
        until: None,
    };
    staff(&live, &requester, Role::Operator, supplement).expect("supplied");
    in_phase(&live, provider.node, docket, "received");
    refused(staff(&live, &provider, Role::Operator, tell()), "R21");

    let bare = Reply::Refuse {
        reasons: " ".into(),
        basis: " ".into(),
    };
    let bare = staff(&live, &provider, Role::Operator, propose(bare));
    refused(bare, "R21");
    reply(&mut live, &provider, docket, refuse());
    let held = in_phase(&live, requester.node, docket, "refused");
    let said = live.get(requester.node, &format!("/dockets/{docket}"));
    assert!(said.to_string().contains("申请范围超出目录列明的共享范围"));
    assert_eq!(held.events.len(), 5, "{:?}", held.events);
}

/// What a node's API shows as late in a docket: each duty and since when.
fn late(live: &Federation, node: Code, docket: DocketId) -> Vec<(Duty, identity::Moment)> {
    let held = shown(live, node, docket, |_| true);
    let lapses = held.docket.state.clock.lapses.into_iter();
    lapses.map(|lapse| (lapse.duty, lapse.due)).collect()
}

/// Row A3.
#[test]
fn unconditional_data_is_answered_in_one_working_day_with_the_offices_consent() {
    let story = applied(start(), ClassTerms::Unconditional);
    let (live, docket) = (&story.live, story.docket);
    let reply = grant(live, &story.entry);
    let document = reply_document(&reply);
    let propose = ActBody::ProposeReply { docket, reply };
    staff(live, &story.provider, Role::Operator, propose).expect("proposed");
    let consent = || ActBody::ConsentToReply { docket, document };
    refused(
        staff(live, &story.provider, Role::Operator, consent()),
        "R20",
    );
    // Received on Monday the 9th: due by the end of Tuesday the 10th.
    let due = beijing("2026-03-11T00:00");
    live.advance_to(due.plus_millis(-60_000));
    assert_eq!(late(live, story.provider.node, docket), []);
    live.advance_to(due.plus_millis(60_000));
    let expected = [(Duty::ReplyUnconditional, due)];
    assert_eq!(late(live, story.provider.node, docket), expected);
    // What is proposed is not told before the office consents, and nothing after it: until then the requester's own clock says that it is late.
    let duties = live.get(story.requester.node, "/duties");
    let owed = &duties["items"][0];
    let shown_late = (&owed["article"], &owed["status"]);
    assert_eq!(
        shown_late,
        (&Article::R21.short().into(), &"overdue".into())
    );
    staff(live, &story.provider, Role::SharingOfficeHead, consent()).expect("late, and given");
    in_phase(live, story.requester.node, docket, "granted");
    assert_eq!(late(live, story.requester.node, docket), expected);
}

/// Row A4.
#[test]
fn a_conditional_reply_is_extended_once_and_the_requester_sees_by_when() {
    let story = applied(start(), conditional());
    let (live, docket) = (&story.live, story.docket);
    let duty = Duty::ReplyConditional;
    let ask = |days| {
        ActBody::Clock(ClockAct::AskExtension {
            docket,
            duty,
            days: WorkingDays::new(days).expect("a period"),
            grounds: "数据量大，需要分批整理".into(),
        })
    };
    let consent = || {
        ActBody::Clock(ClockAct::AnswerExtension {
            docket,
            duty,
            consents: true,
            grounds: String::new(),
        })
    };
    refused(staff(live, &story.provider, Role::Operator, ask(11)), "R21");
    staff(live, &story.provider, Role::Operator, ask(10)).expect("asked");
    let own = staff(live, &story.provider, Role::Operator, consent());
    refused(own, "R21");
    officer(live, "210102", Role::AuthorityReviewer, consent()).expect("consented");
    after(live, story.requester.node, docket, "extended");
    refused(staff(live, &story.provider, Role::Operator, ask(1)), "R21");
    // Ten working days end on 23 March, ten more on 7 April: Monday the 6th is Qingming.
    let due = beijing("2026-04-08T00:00");
    live.advance_to(due.plus_millis(-60_000));
    for node in [story.provider.node, story.requester.node] {
        assert_eq!(late(live, node, docket), [], "at {node}");
    }
    live.advance_to(due.plus_millis(60_000));
    after(live, story.requester.node, docket, "overdue");
    let expected = [(duty, due)];
    assert_eq!(late(live, story.requester.node, docket), expected);
}

/// Row A6.
#[test]
fn data_is_shared_after_the_consent_and_fetched_from_the_requesters_node() {
    let mut story = applied(start(), conditional());
    let bytes = b"code,name\n1,a\n";
    let object = story
        .live
        .upload(story.provider.node, "低保对象.csv", bytes);
    let docket = story.docket;
    let provide = || ActBody::Provide {
        docket,
        object: object.clone(),
    };
    let early = staff(&story.live, &story.provider, Role::Operator, provide());
    refused(early, "R22");
    let agreed = grant(&story.live, &story.entry);
    reply(&mut story.live, &story.provider, docket, agreed);
    staff(&story.live, &story.provider, Role::Operator, provide()).expect("provided");
    in_phase(&story.live, story.requester.node, docket, "provided");
    let fetched = story.live.download(story.requester.node, &object.digest);
    assert_eq!(fetched.as_deref(), Ok(&bytes[..]));
}
