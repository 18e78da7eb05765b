//! R2, R3, R12-R17, R19: what is entered into the catalogue, by whom it is published and kept, and that it is seen above.

use federation::core::view::DutyView;
use guantong_tests::entry;
use guantong_tests::stage::publish;
use serde_json::Value;
use sharing::catalogue::ReviewVerdict;
use sharing::clock::Debtor;
use sharing::source::{Matter, SourceAct};
use sharing::update::UpdateAct;
use statute::{ChangeCause, DutyStatus};

use super::*;

fn compile(entry: &Entry) -> ActBody {
    let entries = vec![entry.clone()];
    ActBody::CompileEntries { entries }
}

/// The published versions of an entry of 天河区 as the hub's API shows them.
fn at_the_hub(live: &Federation, entry: &Entry, versions: usize) -> Vec<Value> {
    let path = format!("/catalogue/published/440106/{}/versions", encoded(entry));
    let list: Value = got(live, Code::HUB, &path, |it: &Value| {
        it["items"].as_array().map(Vec::len) == Some(versions)
    });
    list["items"].as_array().cloned().unwrap_or_default()
}

fn encoded(entry: &Entry) -> String {
    node::cli::client::encode(&entry.id.to_string())
}

/// Rows C1, C2, C3, C7.
#[test]
fn an_entry_is_whole_of_one_class_no_secret_and_published_by_the_authority() {
    let live = start();
    let department = Department::hosted(code("440106"), 1, "民政局");
    let good = entry(&department, 1, "低保对象信息", conditional(), live.now());
    let mut secret = good.clone();
    secret.name = "国家秘密目录".into();
    let mut bare = good.clone();
    bare.format = String::new();
    let mut aimless = good.clone();
    aimless.terms = ClassTerms::NotShared {
        reason: "不宜共享".into(),
        legal_basis: vec![],
    };
    for (unlawful, article) in [(&secret, "R3"), (&bare, "R13"), (&aimless, "R15")] {
        let taken = staff(&live, &department, Role::Operator, compile(unlawful));
        refused(taken, article);
    }
    staff(&live, &department, Role::Operator, compile(&good)).expect("compiled");
    let entries = vec![good.version_ref()];
    let submit = || ActBody::SubmitEntries {
        entries: entries.clone(),
    };
    let approve = || ActBody::ApproveEntries {
        entries: entries.clone(),
    };
    let review = || ActBody::ReviewEntries {
        entries: entries.clone(),
        verdict: ReviewVerdict::Publish,
    };
    refused(staff(&live, &department, Role::Operator, submit()), "R16");
    refused(staff(&live, &department, Role::Operator, approve()), "R13");
    staff(&live, &department, Role::DepartmentHead, approve()).expect("approved");
    staff(&live, &department, Role::Operator, submit()).expect("submitted");
    refused(
        staff(&live, &department, Role::DepartmentHead, review()),
        "R16",
    );
    officer(&live, "440106", Role::AuthorityReviewer, review()).expect("published");
    let path = format!("/catalogue/published/440106/{}", encoded(&good));
    let published: Value = got(&live, Code::HUB, &path, |_| true);
    assert_eq!(
        published["entry"],
        serde_json::to_value(&good).expect("JSON")
    );
}

/// Rows C4, C5.
#[test]
fn a_change_is_updated_and_reviewed_late_and_the_hub_sees_the_new_version() {
    let mut live = start();
    let (department, first) = provider(&mut live, "440106", conditional());
    let report = |changed_on| {
        ActBody::Update(UpdateAct::Report {
            entry: first.id.clone(),
            provider: first.provider,
            changed_on,
            cause: ChangeCause::LawChanged,
            text: "《社会救助法》施行".into(),
        })
    };
    let to_come = report(live.now().plus_days(1));
    refused(staff(&live, &department, Role::Operator, to_come), "R17");
    let reported = report(live.now());
    let update = docket(staff(&live, &department, Role::Operator, reported));
    at_the_hub(&live, &first, 1);
    // Ten working days from Monday the 9th: the department is in time by a minute.
    live.advance_to(beijing("2026-03-23T23:59"));
    let mut second = first.clone();
    second.version = 2;
    second.summary.push_str("按日更新。");
    let entries = vec![second.version_ref()];
    staff(&live, &department, Role::Operator, compile(&second)).expect("compiled");
    let approve = ActBody::ApproveEntries {
        entries: entries.clone(),
    };
    staff(&live, &department, Role::DepartmentHead, approve).expect("approved");
    let submit = ActBody::SubmitEntries {
        entries: entries.clone(),
    };
    staff(&live, &department, Role::Operator, submit).expect("submitted");
    // Two more for the authority, which is late by a minute.
    let due = beijing("2026-03-26T00:00");
    live.advance_to(due.plus_millis(60_000));
    let held = shown(&live, department.node, update, |_| true);
    let late: Vec<_> = held.docket.state.clock.lapses.iter().collect();
    assert_eq!(late.len(), 1, "{late:?}");
    let authority = Debtor::Authority(live.place(department.node));
    assert_eq!((&late[0].who, late[0].due), (&authority, due));
    let duties = live.get(department.node, "/duties")["items"].clone();
    let duties: Vec<DutyView> = serde_json::from_value(duties).expect("duties");
    assert!(duties.iter().all(|it| it.status == DutyStatus::Overdue));
    let review = || ActBody::ReviewEntries {
        entries: entries.clone(),
        verdict: ReviewVerdict::Publish,
    };
    refused(staff(&live, &department, Role::Operator, review()), "R16");
    officer(&live, "440106", Role::AuthorityReviewer, review()).expect("published");
    at_the_hub(&live, &first, 2);
}

/// Row C6.
#[test]
fn a_source_department_is_named_by_the_head_alone_and_found_at_the_hub() {
    let mut live = start();
    let department = Department::hosted(code("440106"), 1, "民政局");
    let shared = entry(&department, 1, "低保对象信息", conditional(), live.now());
    publish(&mut live, &department, vec![shared.clone()]);
    let matter: Matter = "社会救助".parse().expect("a matter");
    let name = || {
        ActBody::Source(SourceAct::Name {
            matter: matter.clone(),
            department: department.code,
            node: live.place(department.node),
        })
    };
    refused(
        officer(&live, "440100", Role::AuthorityReviewer, name()),
        "R19",
    );
    refused(officer(&live, "210100", Role::AuthorityHead, name()), "R19");
    officer(&live, "440100", Role::AuthorityHead, name()).expect("named");
    let sources: Value = got(&live, Code::HUB, "/catalogue/sources", |it: &Value| {
        it["items"].as_array().map(Vec::len) == Some(1)
    });
    let source = &sources["items"][0]["source"];
    assert_eq!(source["department"], department.code.as_str());
    let items = node::cli::client::encode("名称");
    let path = format!("/catalogue/already?items={items}");
    let already: Value = got(&live, Code::HUB, &path, |it: &Value| {
        it["entries"].as_array().is_some_and(|it| !it.is_empty())
    });
    assert_eq!(already["entries"][0]["whole"], true, "{already}");
}
