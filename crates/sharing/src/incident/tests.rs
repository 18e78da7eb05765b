//! The course of an incident by its full events, and who may not report, contain, acknowledge or close it.

use identity::Digest;
use statute::{Article, Calendar, IncidentField, Profile, RefusalReason, RequiredField, Role};

use super::*;
use crate::application::GrantEvent;
use crate::cast::{self, Department, GUANGZHOU, HEPING, HUB, NOW, TIANHE, path};
use crate::clock::{Clock, Law};
use crate::docket::{DocketBody, Opening};

fn authority(place: &str) -> Department {
    Department::new(place, "11440106000000001")
}

fn id() -> DocketId {
    DocketId(Digest::object(b"incident"))
}

fn grant(name: &str) -> DocketId {
    DocketId(Digest::object(name.as_bytes()))
}

fn report(severity: Severity, grade: Grade) -> IncidentReport {
    IncidentReport {
        happened: "数据接口被非法访问".into(),
        noticed: NOW,
        severity,
        grade,
        dockets: Vec::new(),
        entries: Vec::new(),
    }
}

fn tell(
    who: &Department,
    role: Role,
    report: IncidentReport,
    from: &str,
) -> Result<IncidentEvent, Refusal> {
    let body = ActBody::Incident(IncidentAct::Report(report.clone()));
    let act = who.act(role, body);
    let (calendar, profile, from) = (Calendar::national(), Profile::national(), path(from));
    let opening = Opening {
        evaluation: None,
        entry: None,
        published: None,
        from: &from,
        here: &who.place,
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        now: NOW,
        about: None,
    };
    open(&act, &report, &opening)
}

struct Running(IncidentState);

impl Running {
    fn new(report: IncidentReport) -> Self {
        let event = tell(&cast::requester(), Role::Operator, report, TIANHE).unwrap();
        assert!(event.rests_on_its_act(None));
        Self(evolve(None, id(), &event).unwrap())
    }

    fn general() -> Self {
        Self::new(report(Severity::General, Grade::General))
    }

    fn by(
        &mut self,
        who: &Department,
        role: Role,
        step: IncidentStep,
    ) -> Result<IncidentEvent, Refusal> {
        let docket = id();
        let act = who.act(role, ActBody::Incident(IncidentAct::Step { docket, step }));
        let (calendar, profile) = (Calendar::national(), Profile::national());
        let under = Step {
            law: Law {
                calendar: &calendar,
                profile: &profile,
            },
            clock: &Clock::default(),
            now: NOW,
            bench: None,
        };
        let [event] = self.0.decide(&act, &under)?.try_into().unwrap();
        assert!(event.rests_on_its_act(Some(&self.0)), "{event:?}");
        self.0 = evolve(Some(self.0.clone()), id(), &event).unwrap();
        Ok(event)
    }

    fn by_authority(&mut self, step: IncidentStep) -> Result<IncidentEvent, Refusal> {
        self.by(&authority(TIANHE), Role::AuthorityHead, step)
    }
}

fn start() -> IncidentStep {
    let plan = "数据安全事件应急预案".into();
    IncidentStep::StartPlan { plan }
}

fn measure() -> IncidentStep {
    let what = "停用被攻破的接口".into();
    IncidentStep::Contain(Measure::Other { what })
}

fn suspend(grants: Vec<DocketId>) -> IncidentStep {
    IncidentStep::Contain(Measure::SuspendGrants {
        grants,
        reasons: "防止泄露扩大".into(),
        rectify_by: NOW.plus_days(5),
    })
}

fn acknowledge() -> IncidentStep {
    let instructions = "立即排查".into();
    IncidentStep::Acknowledge { instructions }
}

fn close(cause: &str) -> IncidentStep {
    IncidentStep::Close {
        cause: cause.into(),
        remedy: "已修补并复测".into(),
        report: "处置报告〔2026〕1号".into(),
    }
}

fn refused(answer: Result<IncidentEvent, Refusal>) -> (RefusalReason, Article) {
    let refusal = answer.unwrap_err();
    (refusal.reason, refusal.article)
}

#[test]
fn an_incident_runs_from_report_to_plan_measure_acknowledgement_and_close() {
    let mut running = Running::general();
    assert!(running.0.is_open() && running.0.duties().is_empty());
    assert_eq!(running.0.parties(), [path(TIANHE), path(GUANGZHOU)]);
    running
        .by_authority(measure())
        .expect("contained before the plan: harm waits for nothing");
    let head = cast::requester();
    running.by(&head, Role::DepartmentHead, start()).unwrap();
    assert_eq!(running.0.phase.name(), "responding");
    let above = authority(GUANGZHOU);
    running
        .by(&above, Role::AuthorityReviewer, acknowledge())
        .unwrap();
    running
        .by(&above, Role::AuthorityReviewer, acknowledge())
        .unwrap();
    assert_eq!(running.0.acknowledged, [path(GUANGZHOU).code()]);
    let text = "已定位".into();
    running
        .by(&head, Role::Operator, IncidentStep::Progress { text })
        .unwrap();
    running.by_authority(close("弱口令")).unwrap();
    assert_eq!(
        (&running.0.phase, running.0.measures),
        (&IncidentPhase::Closed, 1)
    );
    assert!(!running.0.is_open());
    for step in [start(), measure(), close("弱口令")] {
        let (reason, article) = refused(running.by_authority(step));
        assert!(matches!(reason, RefusalReason::WrongState { .. }));
        assert_eq!(article, Article::R35);
    }
}

#[test]
fn severity_and_core_data_take_the_report_to_every_level() {
    let told = |severity, grade| Running::new(report(severity, grade)).0.told();
    let next = [path(GUANGZHOU)];
    assert_eq!(told(Severity::Larger, Grade::Important), next);
    let every = told(Severity::Major, Grade::General);
    assert_eq!((every.len(), every.last()), (3, Some(&path(HUB))));
    assert_eq!(told(Severity::General, Grade::Core), every);
    let mut shared = report(Severity::General, Grade::General);
    shared.dockets.push(Concerned {
        docket: grant("held"),
        home: path(HEPING),
    });
    let parties = Running::new(shared).0.parties();
    assert_eq!(parties, [path(TIANHE), path(GUANGZHOU), path(HEPING)]);
}

#[test]
fn it_is_closed_only_with_plan_measure_cause_remedy_and_report() {
    let mut running = Running::general();
    let missing = RefusalReason::MissingField {
        fields: vec![RequiredField::Incident(IncidentField::Cause)],
    };
    assert_eq!(
        refused(running.by_authority(close(" "))),
        (missing, Article::R35)
    );
    assert_eq!(
        refused(running.by_authority(close("弱口令"))),
        (RefusalReason::PlanNotStarted, Article::R35)
    );
    running.by_authority(start()).unwrap();
    assert_eq!(
        refused(running.by_authority(close("弱口令"))),
        (RefusalReason::NotContained, Article::R35)
    );
    let again = refused(running.by_authority(start())).0;
    assert!(matches!(again, RefusalReason::WrongState { .. }));
}

#[test]
fn whom_it_does_not_concern_does_not_act_in_it() {
    let mut running = Running::general();
    let stranger = Department::new(TIANHE, "11440106007599999");
    let foreign = (RefusalReason::NotYourDepartment, Article::R34);
    let elsewhere = authority(HEPING);
    let head = Role::AuthorityHead;
    assert_eq!(
        refused(running.by(&stranger, Role::DepartmentHead, start())),
        foreign
    );
    for step in [start(), measure(), suspend(vec![grant("a")]), close("x")] {
        assert_eq!(refused(running.by(&elsewhere, head, step)), foreign);
    }
    for who in [&elsewhere, &authority(TIANHE), &authority(HUB)] {
        let (reason, article) = refused(running.by(who, head, acknowledge()));
        assert!(matches!(reason, RefusalReason::NotTheSupervisor { .. }));
        assert_eq!(article, Article::R35);
    }
    let report = report(Severity::General, Grade::General);
    let there = tell(&cast::requester(), Role::Operator, report, HEPING);
    assert_eq!(refused(there), foreign);
}

#[test]
fn the_node_whose_data_it_was_suspends_grants_each_once() {
    let mut shared = report(Severity::General, Grade::General);
    shared.dockets.push(Concerned {
        docket: grant("held"),
        home: path(HEPING),
    });
    let mut running = Running::new(shared);
    let provider = authority(HEPING);
    let head = Role::AuthorityHead;
    let twice = suspend(vec![grant("held"), grant("held")]);
    let (reason, _) = refused(running.by(&provider, head, twice));
    assert!(matches!(reason, RefusalReason::Duplicate { .. }));
    let none = refused(running.by(&provider, head, suspend(Vec::new()))).0;
    assert!(matches!(none, RefusalReason::MissingField { .. }));
    let many = (0..=MAX_SUSPENDED_AT_ONCE).map(|n| grant(&n.to_string()));
    let long = refused(running.by(&provider, head, suspend(many.collect()))).0;
    assert!(matches!(long, RefusalReason::TooLong { .. }));
    let step = suspend(vec![grant("held")]);
    let event = running.by(&provider, head, step).unwrap();
    assert_eq!((event.name(), running.0.measures), ("grants-suspended", 1));
    let said = event.acts()[0].body().unwrap();
    assert!(matches!(
        suspension_of(&said, grant("held")),
        Some(GrantStep::Suspend { rectify_by, .. }) if rectify_by == NOW.plus_days(5)
    ));
    assert_eq!(suspension_of(&said, grant("another")), None);
    let suspended = GrantEvent {
        act: event.acts()[0].clone(),
        step: suspension_of(&said, grant("held")).unwrap(),
        provide: None,
    };
    assert!(suspended.rests_on_its_act(grant("held")));
    assert!(
        !suspended.rests_on_its_act(grant("another")),
        "a home suspends no grant that the act does not name"
    );
    let restored = GrantEvent {
        step: GrantStep::Restore {
            reasons: String::new(),
        },
        ..suspended
    };
    assert!(!restored.rests_on_its_act(grant("held")));
}

#[test]
fn nothing_is_reported_ahead_of_its_notice_or_without_words_and_no_home_alters_a_report() {
    let by = |change: fn(&mut IncidentReport)| {
        let mut report = report(Severity::General, Grade::General);
        change(&mut report);
        tell(&cast::requester(), Role::Operator, report, TIANHE)
    };
    let early = by(|it| it.noticed = NOW.plus_days(1));
    assert_eq!(refused(early), (RefusalReason::NotNoticedYet, Article::R35));
    let silent = refused(by(|it| it.happened = " ".into())).0;
    assert!(matches!(silent, RefusalReason::MissingField { .. }));
    let mut event = by(|_| ()).unwrap();
    assert!(event.rests_on_its_act(None));
    if let IncidentEvent::Reported { report, .. } = &mut event {
        report.severity = Severity::Larger;
    }
    assert!(!event.rests_on_its_act(None));
    let body = DocketBody::Incident(event);
    assert_eq!((body.name(), body.acts().len()), ("incident-reported", 1));
}

#[test]
fn every_phase_of_an_incident_is_reached_and_none_is_a_dead_end() {
    let number = |state: &IncidentState| match &state.phase {
        IncidentPhase::Reported => 0,
        IncidentPhase::Responding { .. } => 1,
        IncidentPhase::Closed => 2,
    };
    let moves = |state: &IncidentState| -> Vec<IncidentState> {
        let text = "已定位".to_owned();
        let steps = [
            (TIANHE, start()),
            (TIANHE, measure()),
            (TIANHE, IncidentStep::Progress { text }),
            (GUANGZHOU, acknowledge()),
            (TIANHE, close("弱口令")),
        ];
        let after = steps.into_iter().filter_map(|(place, step)| {
            let mut running = Running(state.clone());
            let role = Role::AuthorityReviewer;
            running.by(&authority(place), role, step).ok()?;
            Some(running.0)
        });
        let after: Vec<IncidentState> = after.collect();
        assert_eq!(after.is_empty(), !state.is_open(), "{:?}", state.phase);
        after
    };
    crate::exploration::Model {
        starts: vec![Running::general().0],
        phases: &["reported", "responding", "closed"],
        last: &["closed"],
        phase: &number,
        key: &|state| {
            let contained = state.measures > 0;
            format!("{:?} {contained} {:?}", state.phase, state.acknowledged)
        },
        moves: &moves,
    }
    .explore();
}
