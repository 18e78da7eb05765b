//! R20-R22: an application between counties of two provinces, up to the hub and down again; and what is shared comes the same way.

use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{
    application, apply, code, conditional, events, grant, provider, reply, seen,
};
use guantong_tests::{Department, Person};
use sharing::act::ActBody;
use sharing::application::{ApplicationEvent, Phase};
use sharing::docket::DocketBody;
use statute::Role;

#[test]
fn a_county_applies_across_provinces_is_answered_granted_and_given_the_data() {
    let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    live.until("the receipt at the requester's node", |live| {
        let state = seen(live, requester.node, docket)?;
        matches!(state.phase, Phase::Received { .. }).then_some(())
    });
    let agreed = grant(&live, &entry);
    reply(&mut live, &provider, docket, agreed);
    live.until("the grant at the requester's node", |live| {
        let state = seen(live, requester.node, docket)?;
        matches!(state.phase, Phase::Granted { .. }).then_some(())
    });
    let held = events(&live, requester.node, docket);
    assert!(
        matches!(
            held.iter().map(|event| &event.body).collect::<Vec<_>>()[..],
            [
                DocketBody::Application(ApplicationEvent::Received { .. }),
                DocketBody::Application(ApplicationEvent::ReplyProposed { .. }),
                DocketBody::Application(ApplicationEvent::Granted { .. }),
            ]
        ),
        "{held:?}"
    );
    let shown = live.get(requester.node, &format!("/dockets/{}", docket.0));
    assert_eq!(
        shown["events"],
        serde_json::to_value(&held).expect("JSON"),
        "the requester's people see what their node holds"
    );
    let bytes = "证件号码,姓名\n1,甲\n".as_bytes();
    let object = live.upload(provider.node, "低保对象.csv", bytes);
    let operator = Person::of(&provider, Role::Operator, live.now());
    let provide = ActBody::Provide {
        docket,
        object: object.clone(),
    };
    live.act(provider.node, &operator, provide)
        .expect("provided");
    for node in [requester.node, provider.node] {
        live.until("the data at the requester's disposal", |live| {
            let state = seen(live, node, docket)?;
            matches!(state.phase, Phase::Provided { .. }).then_some(())
        });
    }
    let fetched = live.download(requester.node, &object.digest);
    assert_eq!(fetched.as_deref(), Ok(bytes));
    for between in ["440100", "440000", "100000", "210000", "210100"] {
        assert!(
            seen(&live, code(between), docket).is_none(),
            "{between} is no party"
        );
        let absent = live.download(code(between), &object.digest);
        assert_eq!(absent.map_err(|problem| problem.status), Err(404));
    }
}
