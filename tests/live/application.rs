//! R20-R22: an application between counties of two provinces.

use guantong_tests::Department;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{application, apply, code, conditional, grant, provider, reply, seen};
use sharing::application::Phase;

#[test]
fn a_county_applies_across_provinces_is_answered_and_granted() {
    let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    live.until("received", |live| {
        let state = seen(live, requester.node, docket)?;
        matches!(state.phase, Phase::Received { .. }).then_some(())
    });
    let agreed = grant(&live, &entry);
    reply(&mut live, &provider, docket, agreed);
    live.until("granted", |live| {
        let state = seen(live, requester.node, docket)?;
        matches!(state.phase, Phase::Granted { .. }).then_some(())
    });
    let shown = live.get(requester.node, &format!("/dockets/{}", docket.0));
    let events = shown["events"].as_array().expect("the docket's events");
    let kinds: Vec<&str> = events
        .iter()
        .filter_map(|event| event["body"]["Application"].as_object()?.keys().next())
        .map(String::as_str)
        .collect();
    assert_eq!(kinds, ["Received", "ReplyProposed", "Granted"]);
}
