//! Shenyang S19, S20: what the city's rules add.

use guantong_tests::entry;
use guantong_tests::stage::publish;
use serde_json::Value;
use sharing::application::DirectAct;
use statute::{ApplicationMaterial, BaseCollection, CollectionMark};

use super::*;

fn take(live: &Federation, requester: &Department, from: &Department, entry: &Entry) -> Answered {
    let mut application = application(live, requester, from, entry);
    let needed = [ApplicationMaterial::Basis, ApplicationMaterial::Scenario];
    application.materials.retain(|it| needed.contains(&it.kind));
    application.until = Some(live.now().plus_days(30));
    let take = ActBody::Direct(DirectAct::Take { application });
    staff(live, requester, Role::Operator, take)
}

/// Row L1.
#[test]
fn unconditional_data_is_taken_straight_from_the_citys_platform_and_the_rest_is_applied_for() {
    let mut live = start_in_shenyang();
    let (open, unconditional) = provider(&mut live, "210102", ClassTerms::Unconditional);
    let object = live.upload(open.node, "登记.csv", b"code,name\n1,a\n");
    let place = ActBody::Direct(DirectAct::Place {
        entry: unconditional.version_ref(),
        object: object.clone(),
    });
    staff(&live, &open, Role::Operator, place).expect("placed");
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let taken = docket(take(&live, &requester, &open, &unconditional));
    in_phase(&live, open.node, taken, "provided");
    in_phase(&live, requester.node, taken, "provided");
    let fetched = live.download(requester.node, &object.digest);
    assert_eq!(fetched.as_deref(), Ok(&b"code,name\n1,a\n"[..]));
    let second = entry(&open, 2, "低保资金信息", conditional(), live.now());
    publish(&mut live, &open, vec![second.clone()]);
    let neighbour = Department::hosted(open.node, 3, "教育局");
    refused(take(&live, &neighbour, &open, &second), "R20");
    let wanted = application(&live, &requester, &open, &second);
    let applied = apply(&mut live, &requester, wanted);
    in_phase(&live, open.node, applied, "received");
    in_phase(&live, requester.node, applied, "received");
    // Five working days, not ten: Monday 2026-03-16.
    let due = beijing("2026-03-17T00:00");
    live.advance_to(due.plus_millis(-60_000));
    let held = shown(&live, open.node, applied, |_| true);
    assert_eq!(held.docket.state.clock.lapses, []);
    live.advance_to(due.plus_millis(60_000));
    let held = after(&live, requester.node, applied, "overdue");
    assert_eq!(held.docket.state.clock.lapses[0].due, due);
}

/// Row L3.
#[test]
fn base_items_are_unconditional_and_found_at_the_hub_by_their_collection() {
    let mut live = start_in_shenyang();
    let department = Department::hosted(code("210102"), 1, "公安局");
    let mut marked = entry(&department, 1, "人口基本信息", conditional(), live.now());
    marked.collection = Some(CollectionMark::BaseItems(BaseCollection::Population));
    let compile = ActBody::CompileEntries {
        entries: vec![marked.clone()],
    };
    refused(staff(&live, &department, Role::Operator, compile), "S19");
    marked.terms = ClassTerms::Unconditional;
    publish(&mut live, &department, vec![marked.clone()]);
    let path = "/catalogue/published?collection=population";
    let found: Value = got(&live, Code::HUB, path, |it: &Value| {
        it["items"].as_array().is_some_and(|it| !it.is_empty())
    });
    let entry = serde_json::to_value(&marked).expect("JSON");
    assert_eq!(found["items"][0]["entry"], entry);
}
