//! What a node has recorded survives its end, and what was under way meanwhile arrives.

use std::time::Duration;

use guantong_tests::Department;
use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{application, apply, code, conditional, provider, seen};

#[test]
fn an_application_made_while_the_hub_is_away_arrives_when_it_is_back() {
    let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    live.stop(code("100000"));
    let docket = apply(&mut live, &requester, wanted);
    live.advance(Duration::from_secs(3_600));
    assert!(
        seen(&live, provider.node, docket).is_none(),
        "there is no way around the hub"
    );
    live.restart(code("100000"));
    live.until_in_time(
        "the application at the provider's node",
        Duration::from_secs(6),
        |live| seen(live, provider.node, docket),
    );
    live.restart(provider.node);
    assert!(
        seen(&live, provider.node, docket).is_some(),
        "what was received is on the disk"
    );
}
