//! R20-R22: an application between counties of two provinces.

use guantong_tests::Department;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{
    application, apply, code, conditional, events, grant, provider, reply, seen,
};
use sharing::application::{ApplicationEvent, Phase};
use sharing::docket::DocketBody;

#[test]
fn a_county_applies_across_provinces_is_answered_and_granted() {
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
    for between in ["440100", "440000", "100000", "210000", "210100"] {
        assert!(
            seen(&live, code(between), docket).is_none(),
            "{between} is no party"
        );
    }
}
