//! What is reported and what is not; who publishes. That figures are right is shown by the scenarios.

use statute::{Calendar, Profile, Role};

use super::*;
use crate::cast::{Department, HEPING, HUB, NOW, path};
use crate::clock::{Clock, Law};

fn authority() -> Department {
    Department::new(HEPING, "11210102000000001")
}

/// February 2026, which is over: NOW is in March.
fn computed() -> Computed {
    let period = "2026-02".parse().unwrap();
    Tally::new(path(HEPING), period).computed()
}

fn reports(report: &Report, computed: &Computed, now: Moment) -> Result<EvaluationEvent, Refusal> {
    let who = authority();
    let body = ActBody::Evaluation(EvaluationAct::Report(report.clone()));
    let act = who.act(Role::AuthorityHead, body);
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let opening = Opening {
        from: &who.place,
        here: &who.place,
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        now,
        about: None,
        published: None,
        entry: None,
        evaluation: Some(computed),
    };
    open(&act, report, &opening)
}

fn reason(refused: Result<impl std::fmt::Debug, Refusal>) -> (RefusalReason, Article) {
    let refusal = refused.unwrap_err();
    (refusal.reason, refusal.article)
}

#[test]
fn a_report_states_what_was_computed_of_a_period_that_is_over_once() {
    let found = computed();
    assert!(reports(&found.report, &found, NOW).is_ok());
    let mut altered = found.report.clone();
    altered.authority.uses.recorded = 1;
    assert_eq!(
        reason(reports(&altered, &found, NOW)),
        (RefusalReason::NotTheFigures, Article::R38)
    );
    let ends = Moment::from_millis(found.report.period.ends_ms() - 1);
    let early = reason(reports(&found.report, &found, ends));
    assert!(matches!(early.0, RefusalReason::PeriodNotOver { .. }));
    let again = Computed {
        reported: Some(DocketId(Digest::object(b"report"))),
        ..found.clone()
    };
    let again = reason(reports(&found.report, &again, NOW));
    assert!(matches!(again.0, RefusalReason::Duplicate { .. }));
    let mut elsewhere = found.report.clone();
    elsewhere.place = path(HUB);
    let elsewhere = reason(reports(&elsewhere, &found, NOW));
    assert!(matches!(
        elsewhere.0,
        RefusalReason::NotTheSupervisor { .. }
    ));
}

/// What the government of the place brings about with this advice.
fn published(
    state: &EvaluationState,
    profile: &Profile,
    advice: &str,
) -> Result<Vec<EvaluationEvent>, Refusal> {
    let publish = EvaluationAct::Publish {
        docket: state.docket,
        advice: advice.into(),
    };
    let act = authority().act(Role::Government, ActBody::Evaluation(publish));
    let calendar = Calendar::national();
    let step = Step {
        law: Law {
            calendar: &calendar,
            profile,
        },
        clock: &Clock::default(),
        now: NOW,
        bench: None,
    };
    state.decide(&act, &step)
}

#[test]
fn the_government_of_the_place_publishes_once_where_local_rules_say_so() {
    let found = computed();
    let reported = reports(&found.report, &found, NOW).unwrap();
    assert!(reported.rests_on_its_act(None));
    let id = DocketId(Digest::object(b"report"));
    let state = EvaluationState::evolve(None, id, NOW, &reported).unwrap();
    let publish =
        |state: &EvaluationState, profile: &Profile| published(state, profile, "加强校核");
    let national = reason(publish(&state, &Profile::national()));
    assert_eq!(
        national,
        (RefusalReason::EvaluationNotPublished, Article::R38)
    );
    let [event] = publish(&state, &Profile::shenyang())
        .unwrap()
        .try_into()
        .unwrap();
    assert!(event.rests_on_its_act(Some(&state)));
    let state = EvaluationState::evolve(Some(state), id, NOW, &event).unwrap();
    assert_eq!(state.phase.name(), "published");
    let again = reason(publish(&state, &Profile::shenyang()));
    assert!(matches!(again.0, RefusalReason::WrongState { .. }));
    assert_eq!(again.1, Article::S8);
}

#[test]
fn the_newest_report_of_a_level_below_is_its_row_and_others_are_none() {
    let period = "2026-02".parse().unwrap();
    let state = |place: &str, at: Moment, recorded| {
        let mut report = Tally::new(path(place), period).computed().report;
        report.authority.uses.recorded = recorded;
        EvaluationState {
            docket: DocketId(Digest::object(&at.as_millis().to_be_bytes())),
            report,
            reported_at: at,
            phase: EvaluationPhase::Reported,
        }
    };
    let mut tally = Tally::new(path("100000/210000/210100"), period);
    tally.report(&state(HEPING, NOW.plus_millis(1), 7));
    tally.report(&state(HEPING, NOW, 3));
    tally.report(&state(HUB, NOW, 9));

    let report = tally.computed().report;
    let rows: Vec<_> = report.districts.iter().map(|it| &it.place).collect();
    assert_eq!(rows, [&path(HEPING)]);
    assert_eq!(report.totals().uses.recorded, 7);
}

#[test]
fn a_report_comes_to_its_publication_and_to_nothing_else() {
    let found = computed();
    let reported = reports(&found.report, &found, NOW).unwrap();
    let id = DocketId(Digest::object(b"report"));
    let moves = |state: &EvaluationState| {
        let advices = ["加强校核", ""].map(|advice| published(state, &Profile::shenyang(), advice));
        let after = advices.into_iter().flatten().flatten().map(|event| {
            assert!(event.rests_on_its_act(Some(state)));
            EvaluationState::evolve(Some(state.clone()), id, NOW, &event).unwrap()
        });
        after.collect()
    };
    crate::exploration::Model {
        starts: vec![EvaluationState::evolve(None, id, NOW, &reported).unwrap()],
        phases: &["reported", "published"],
        last: &["published"],
        phase: &|state| match &state.phase {
            EvaluationPhase::Reported => 0,
            EvaluationPhase::Published { .. } => 1,
        },
        key: &|state| format!("{:?}", state.phase),
        moves: &moves,
    }
    .explore();
}
