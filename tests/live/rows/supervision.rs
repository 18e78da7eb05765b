//! R29, R35, R39-R41: what was not done is found and ordered; an incident is reported upwards.

use identity::Moment;
use sharing::incident::{IncidentAct, IncidentReport, IncidentStep};
use sharing::supervision::{Accused, Order, SupervisionAct};
use statute::{Article, Grade, Severity};

use super::*;

fn order(live: &Federation, breach: Article, correct_by: Moment) -> ActBody {
    ActBody::Supervision(SupervisionAct::Order(Order {
        against: Accused::Authority(live.place(code("440106"))),
        breach,
        about: None,
        facts: "未明确数源部门".into(),
        measures: "限期明确".into(),
        correct_by,
    }))
}

/// Row V3.
#[test]
fn a_superior_orders_a_correction_and_the_one_ordered_reports_after_its_date() {
    let live = start();
    let due = beijing("2026-03-16T00:00");
    let wrong_kind = order(&live, Article::R40_1, due);
    refused(
        officer(&live, "440100", Role::AuthorityHead, wrong_kind),
        "R41",
    );
    let ordered = || order(&live, Article::R41_1, due);
    refused(
        officer(&live, "210100", Role::AuthorityHead, ordered()),
        "R41",
    );
    let case = docket(officer(&live, "440100", Role::AuthorityHead, ordered()));
    let (city, county) = (code("440100"), code("440106"));
    in_phase(&live, county, case, "ordered");
    live.advance_to(due.plus_millis(-60_000));
    let held = shown(&live, city, case, |_| true);
    assert_eq!(held.docket.state.clock.lapses, []);
    live.advance_to(due.plus_millis(60_000));
    after(&live, county, case, "overdue");
    let done = "已明确数源部门".into();
    let report = ActBody::Supervision(SupervisionAct::Report { docket: case, done });
    officer(&live, "440106", Role::AuthorityReviewer, report).expect("reported");
    in_phase(&live, city, case, "reported");
    let accept = ActBody::Supervision(SupervisionAct::Accept { docket: case });
    officer(&live, "440100", Role::AuthorityHead, accept).expect("accepted");
    in_phase(&live, county, case, "corrected");
}

/// Row G1.
#[test]
fn an_incident_is_seen_at_the_hub_which_instructs_and_is_closed_in_order() {
    let live = start();
    let report = |happened: &str| {
        ActBody::Incident(IncidentAct::Report(IncidentReport {
            happened: happened.into(),
            noticed: live.now(),
            severity: Severity::Major,
            grade: Grade::General,
            dockets: Vec::new(),
            entries: Vec::new(),
        }))
    };
    let county = code("440106");
    refused(
        officer(&live, "440106", Role::AuthorityReviewer, report(" ")),
        "R35",
    );
    let reported = report("数据库被非法访问");
    let incident = docket(officer(&live, "440106", Role::AuthorityReviewer, reported));
    for above in ["440100", "440000", "100000"] {
        in_phase(&live, code(above), incident, "incident-reported");
    }
    assert!(!is_shown(&live, "210102", incident));
    let step = |step| {
        let docket = incident;
        ActBody::Incident(IncidentAct::Step { docket, step })
    };
    let acknowledge = || {
        step(IncidentStep::Acknowledge {
            instructions: "立即排查同类系统".into(),
        })
    };
    refused(
        officer(&live, "440106", Role::AuthorityReviewer, acknowledge()),
        "R35",
    );
    officer(&live, "100000", Role::AuthorityHead, acknowledge()).expect("instructed");
    after(&live, county, incident, "acknowledged");
    let close = step(IncidentStep::Close {
        cause: "口令泄露".into(),
        remedy: "已更换口令并复测".into(),
        report: "处置报告1号".into(),
    });
    refused(officer(&live, "440106", Role::AuthorityHead, close), "R35");
    let plan = "数据安全事件应急预案".into();
    let start = step(IncidentStep::StartPlan { plan });
    officer(&live, "440106", Role::AuthorityHead, start).expect("started");
    after(&live, Code::HUB, incident, "plan-started");
}

/// Row P1.
#[test]
fn a_department_without_a_platform_acts_at_the_node_of_its_level_and_nowhere_else() {
    let mut live = start();
    let (hosted, entry) = provider(&mut live, "440106", conditional());
    let health: serde_json::Value = got(&live, Code::HUB, "/health", |it: &serde_json::Value| {
        it.to_string().contains("440106")
    });
    assert!(health.to_string().contains("210102"), "{health}");
    let path = format!(
        "/catalogue/published/440106/{}",
        node::cli::client::encode(&entry.id.to_string())
    );
    got(&live, Code::HUB, &path, |_: &serde_json::Value| true);
    let mut next = entry.clone();
    next.version = 2;
    let entries = vec![next];
    let compile = ActBody::CompileEntries { entries };
    let operator = Person::of(&hosted, Role::Operator, live.now());
    let elsewhere = live.act(code("210102"), &operator, compile);
    let problem = elsewhere.expect_err("it is hosted elsewhere");
    assert!([403, 422].contains(&problem.status), "{problem:?}");
}
