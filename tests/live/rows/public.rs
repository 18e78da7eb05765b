//! R37, Shenyang S24-S27: the public at a node without a token, and what other nodes' APIs show of it.

use serde_json::{Value, json};
use sharing::clock::Debtor;
use sharing::complaint::ComplaintAct;
use sharing::dispute::Party;
use sharing::open_data::OpenDataAct;
use statute::{OpenFormat, OpeningTerms};

use super::*;

/// Row G3.
#[test]
fn a_complaint_is_passed_up_and_answered_by_the_department_concerned() {
    let live = start();
    let (county, city) = (code("440106"), code("440100"));
    let bare = json!({ "about": "市民政局", "text": "" });
    let refused_bare = live.public_post(county, "/open/v1/complaints", &bare);
    let said = refused_bare.json();
    assert_eq!(
        (refused_bare.status, &said["article"]),
        (422, &json!("R37"))
    );
    assert_eq!(
        refused_bare.headers["content-type"],
        "application/problem+json"
    );
    let said =
        json!({ "about": "市民政局", "text": "未经同意使用我的信息", "contact": "13900000000" });
    let taken = live.public_post(county, "/open/v1/complaints", &said);
    assert_eq!(taken.status, 201);
    let received = taken.json();
    let docket: DocketId = received["docket"]
        .as_str()
        .expect("a docket")
        .parse()
        .expect("an id");
    let concerned = Department::hosted(city, 1, "市民政局");
    let pass_on = || {
        ActBody::Complaint(ComplaintAct::PassOn {
            docket,
            to: Debtor::Department(Party {
                department: concerned.code,
                node: live.place(city),
            }),
            note: None,
        })
    };
    let local = Department::hosted(county, 1, "区民政局");
    refused(staff(&live, &local, Role::Operator, pass_on()), "R37");
    assert!(
        !is_shown(&live, "440100", docket),
        "not before it is passed on"
    );
    officer(&live, "440106", Role::AuthorityReviewer, pass_on()).expect("passed on");
    in_phase(&live, city, docket, "complaint-waits");
    let answer = "已核实并停止使用";
    let answered = ActBody::Complaint(ComplaintAct::Answer {
        docket,
        answer: answer.into(),
    });
    staff(&live, &concerned, Role::Operator, answered).expect("answered");
    in_phase(&live, city, docket, "complaint-answered");
    let state = received["state"].as_str().expect("where it is read");
    assert_eq!(live.public_get(county, state).json()["answer"], answer);
}

/// Row L2.
#[test]
fn what_a_district_opens_stands_in_the_citys_opening_catalogue() {
    let mut live = start_in_shenyang();
    let (department, entry) = provider(&mut live, "210102", conditional());
    let mark = |entry: &Entry, terms| {
        ActBody::OpenData(OpenDataAct::Mark {
            entry: entry.version_ref(),
            terms,
            contains: vec![],
        })
    };
    let bare = OpeningTerms::NotOpened { grounds: vec![] };
    let bare = staff(&live, &department, Role::DepartmentHead, mark(&entry, bare));
    refused(bare, "S27");
    let open = || OpeningTerms::Unconditional {
        formats: vec![OpenFormat::Csv],
    };
    let (national, other) = provider(&mut live, "440106", conditional());
    let beyond = staff(&live, &national, Role::DepartmentHead, mark(&other, open()));
    refused(beyond, "R2");
    staff(
        &live,
        &department,
        Role::DepartmentHead,
        mark(&entry, open()),
    )
    .expect("marked");
    let listed: Value = live.until("the entry in the city's catalogue", |live| {
        let listed = live.public_get(code("210100"), "/open/v1/catalogue").json();
        listed["items"].get(0).cloned()
    });
    assert_eq!(listed["identifier"], format!("210102:{}", entry.id));
}
