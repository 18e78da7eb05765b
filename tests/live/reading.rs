//! R29, R36: what a node's API shows of records of use and files, and to whom it gives them.

use guantong_tests::live::{Federation, beijing, two_provinces};
use guantong_tests::stage::{
    application, apply, code, conditional, grant, provider, recorded, reply, seen, tells_use,
    use_texts,
};
use guantong_tests::{Department, Person};
use sharing::act::ActBody;
use sharing::reading::ReadingAct;
use statute::Role;

#[test]
fn the_api_gives_records_of_use_and_files_to_those_alone_who_are_on_record_as_their_readers() {
    let mut live = Federation::start(&two_provinces(), beijing("2026-03-09T10:00"));
    let (provider, entry) = provider(&mut live, "210102", conditional());
    let requester = Department::hosted(code("440106"), 2, "民政局");
    let wanted = application(&live, &requester, &provider, &entry);
    let docket = apply(&mut live, &requester, wanted);
    live.until("the application at the provider's node", |live| {
        seen(live, provider.node, docket)
    });
    let agreed = grant(&live, &entry);
    reply(&mut live, &provider, docket, agreed);
    let rows = b"code,name\n1,a\n";
    let object = live.upload(provider.node, "低保对象.csv", rows);
    let operator = Person::of(&provider, Role::Operator, live.now());
    let digest = object.digest;
    let provide = ActBody::Provide { docket, object };
    live.act(provider.node, &operator, provide)
        .expect("provided");
    live.until("the data at the requester's disposal", |live| {
        let state = seen(live, requester.node, docket)?;
        state.phase.object().cloned()
    });
    let user = Person::of(&requester, Role::Operator, live.now());
    let (record, said) = recorded(&use_texts());
    let used = live.sign(requester.node, &user, ActBody::RecordUse { docket, record });
    live.post_with(requester.node, &used, &[said])
        .expect("recorded");
    for node in [requester.node, provider.node] {
        live.until("the record of use", |live| {
            (seen(live, node, docket)?.uses == 1).then_some(())
        });
        for path in [
            format!("/dockets/{docket}"),
            "/dockets".into(),
            "/ledger".into(),
        ] {
            let shown = live.get(node, &path);
            assert!(!tells_use(&shown.to_string()), "GET {path} at {node}");
        }
        let shown = live.get(node, &format!("/dockets/{docket}"));
        assert_eq!(shown["uses"].as_array().map(Vec::len), Some(1));
    }
    let office = Person::of(&provider, Role::SharingOfficeHead, live.now());
    // What the record says comes to the provider's vault after the event that commits to it.
    live.until("what the record says", |live| {
        let read = ActBody::Reading(ReadingAct::Read { docket, from: 0 });
        let signed = live.sign(provider.node, &office, read);
        let answer = live.post(provider.node, &signed).expect("entitled");
        let given = answer.uses.expect("what was read").uses;
        assert_eq!(given.len(), 1);
        (given[0].texts == Some(use_texts())).then_some(())
    });
    live.until("the reading at the requester's node", |live| {
        let readings = live.get(requester.node, "/readings");
        let by = &readings["items"][0]["by"]["person"]["node"];
        (by == "210102").then_some(())
    });
    let absent = code("440100");
    assert!(live.download(absent, &digest).is_err());
    let none = live.get(absent, "/readings");
    assert_eq!(none["items"].as_array().map(Vec::len), Some(0));
    let fetched = live.download(requester.node, &digest);
    assert_eq!(fetched.as_deref(), Ok(&rows[..]));
    let readings = live.get(requester.node, "/readings");
    let newest = &readings["items"][0];
    assert_eq!(newest["what"]["object"]["digest"], digest.to_string());
    assert_eq!(newest["by"]["program"]["allowed"], "admin");
}
