//! The course of an update by its full events and duties, over the National Day of 2025, and what is not allowed.

use identity::Digest;
use statute::{Article, Calendar, Profile, Refusal, RefusalReason, Role, WorkingDays};

use super::*;
use crate::cast::{self, HEPING, TIANHE, provider};
use crate::catalogue::{Entry, ReviewVerdict};
use crate::clock::{ClockAct, ClockEvent, Law};
use crate::docket::{self, DocketBody, DocketEvent, DocketState, Opening};

const MINUTE_MS: i64 = 60_000;

/// Nine o'clock in Beijing on a day of 2025.
fn morning(month: i8, day: i8) -> Moment {
    end(month, day).plus_millis(-15 * 60 * MINUTE_MS)
}

/// The end of a day of 2025 in Beijing.
fn end(month: i8, day: i8) -> Moment {
    let day = statute::Date::new(2025, month, day).unwrap();
    Moment::from_millis(statute::end_of_day_ms(day))
}

fn entry() -> Entry {
    cast::entry(cast::conditional())
}

fn next_version() -> EntryVersion {
    Entry {
        version: 2,
        ..entry()
    }
    .version_ref()
}

fn act_id(name: &str) -> ActId {
    ActId(Digest::object(name.as_bytes()))
}

fn party() -> Party {
    Party {
        department: provider().code,
        node: provider().place,
    }
}

fn said(changed_on: Moment) -> UpdateAct {
    UpdateAct::Report {
        entry: entry().id,
        provider: provider().code,
        changed_on,
        cause: ChangeCause::LawChanged,
        text: "《个体工商户登记管理规定》修订，增加数据项".into(),
    }
}

/// One docket at its home.
struct Run {
    calendar: Calendar,
    profile: Profile,
    state: Option<DocketState>,
    sequence: u32,
}

impl Run {
    fn new() -> Self {
        Self {
            calendar: Calendar::national(),
            profile: Profile::national(),
            state: None,
            sequence: 0,
        }
    }

    fn law(&self) -> Law<'_> {
        Law {
            calendar: &self.calendar,
            profile: &self.profile,
        }
    }

    fn open(
        &self,
        by: &cast::Department,
        role: Role,
        said: UpdateAct,
        now: Moment,
    ) -> Result<Vec<DocketBody>, Refusal> {
        let (entry, here) = (entry(), cast::path(HEPING));
        let opening = Opening {
            from: &here,
            here: &here,
            law: self.law(),
            now,
            about: None,
            entry: Some(&entry),
            published: None,
            evaluation: None,
        };
        docket::open(&by.act(role, ActBody::Update(said)), &opening)
    }

    /// A docket opened by a report of the provider's operator.
    fn reported(changed_on: Moment, now: Moment) -> Self {
        let mut run = Self::new();
        let bodies = run.open(&provider(), Role::Operator, said(changed_on), now);
        run.order(bodies.unwrap(), now);
        run
    }

    fn order(&mut self, bodies: Vec<DocketBody>, at: Moment) {
        for body in bodies {
            let event = DocketEvent {
                docket: DocketId(Digest::object(b"update")),
                home: cast::path(HEPING),
                sequence: self.sequence,
                previous: Digest::from_bytes([0; 32]),
                at,
                checkpoint: (0, Digest::from_bytes([0; 32])),
                body,
            };
            self.sequence += 1;
            self.state = Some(DocketState::evolve(self.state.take(), &event).unwrap());
        }
    }

    fn docket(&self) -> &DocketState {
        self.state.as_ref().unwrap()
    }

    fn update(&self) -> &UpdateState {
        match &self.docket().case {
            docket::Case::Update(state) => state,
            other => panic!("{other:?}"),
        }
    }

    fn submit(&mut self, now: Moment) {
        let event = submitted(
            self.update(),
            act_id("submit"),
            &next_version(),
            self.law(),
            now,
        );
        self.order(vec![DocketBody::Update(event.unwrap())], now);
    }

    fn review(&mut self, verdict: &ReviewVerdict, now: Moment) {
        let event =
            returned_or_published(self.update(), act_id("review"), &next_version(), verdict);
        self.order(vec![DocketBody::Update(event.unwrap())], now);
    }

    fn clock(&mut self, role: Role, done: ClockAct, now: Moment) {
        let act = provider().act(role, ActBody::Clock(done));
        let bodies = self.docket().decide(&act, self.law(), None, now);
        self.order(bodies.unwrap(), now);
    }

    /// What is owed now: which duty, and by when.
    fn owed(&self) -> Vec<(Duty, Moment)> {
        let duties = self.docket().duties();
        duties.iter().map(|it| (it.duty, it.term.due)).collect()
    }

    /// The duties that time alone finds overdue at a moment.
    fn overdue(&self, now: Moment) -> Vec<(Duty, Debtor)> {
        let events = self.docket().tick(&self.calendar, now);
        let overdue = |body| match body {
            DocketBody::Clock(ClockEvent::Overdue { duty, who, .. }) => Some((duty, who)),
            _ => None,
        };
        events.into_iter().filter_map(overdue).collect()
    }
}

fn return_it() -> ReviewVerdict {
    ReviewVerdict::Return {
        reason: "遗漏新增数据项".into(),
    }
}

#[test]
fn a_change_before_national_day_is_met_by_the_department_until_the_tenth_working_day() {
    let run = Run::reported(morning(9, 26), morning(9, 28));
    let due = end(10, 16);
    assert_eq!(run.owed(), [(Duty::UpdateEntry, due)]);
    assert_eq!(run.overdue(due.plus_millis(-MINUTE_MS)), []);
    let department = Debtor::Department(party());
    assert_eq!(
        run.overdue(due.plus_millis(MINUTE_MS)),
        [(Duty::UpdateEntry, department)]
    );
}

#[test]
fn a_version_submitted_a_minute_before_the_end_passes_the_duty_to_the_authority_for_two_days() {
    let mut run = Run::reported(morning(9, 26), morning(9, 26));
    let submitted_at = end(10, 16).plus_millis(-MINUTE_MS);
    run.submit(submitted_at);
    let due = end(10, 20);
    assert_eq!(run.owed(), [(Duty::ReviewUpdate, due)]);
    assert_eq!(run.overdue(due.plus_millis(-MINUTE_MS)), []);
    let authority = Debtor::Authority(cast::path(HEPING));
    assert_eq!(
        run.overdue(due.plus_millis(MINUTE_MS)),
        [(Duty::ReviewUpdate, authority)]
    );
    run.review(&ReviewVerdict::Publish, due.plus_millis(MINUTE_MS));
    assert!(run.owed().is_empty() && !run.docket().case.is_open());
}

#[test]
fn a_change_reported_late_is_overdue_at_once() {
    let run = Run::reported(morning(9, 26), morning(10, 20));
    assert_eq!(run.owed(), [(Duty::UpdateEntry, end(10, 16))]);
    assert_eq!(run.overdue(morning(10, 20)).len(), 1);
}

#[test]
fn after_a_return_the_first_term_runs_on_with_its_extension() {
    let mut run = Run::reported(morning(9, 26), morning(9, 26));
    let docket = DocketId(Digest::object(b"update"));
    let ask = ClockAct::AskExtension {
        docket,
        duty: Duty::UpdateEntry,
        days: WorkingDays::new(5).unwrap(),
        grounds: "涉及多个系统改造".into(),
    };
    run.clock(Role::Operator, ask, morning(10, 9));
    let consent = ClockAct::AnswerExtension {
        docket,
        duty: Duty::UpdateEntry,
        consents: true,
        grounds: String::new(),
    };
    run.clock(Role::AuthorityReviewer, consent, morning(10, 10));
    let extended = end(10, 23);
    assert_eq!(run.owed(), [(Duty::UpdateEntry, extended)]);
    run.submit(morning(10, 13));
    run.review(&return_it(), morning(10, 14));
    assert_eq!(run.owed(), [(Duty::UpdateEntry, extended)]);
    assert_eq!(run.overdue(extended.plus_millis(-MINUTE_MS)), []);
    assert_eq!(run.overdue(extended).len(), 1);
    run.submit(morning(10, 15));
    assert_eq!(run.owed(), [(Duty::ReviewUpdate, end(10, 17))]);
}

#[test]
fn six_more_days_are_not_asked_for() {
    let run = Run::reported(morning(9, 26), morning(9, 26));
    let ask = ClockAct::AskExtension {
        docket: DocketId(Digest::object(b"update")),
        duty: Duty::UpdateEntry,
        days: WorkingDays::new(6).unwrap(),
        grounds: "涉及多个系统改造".into(),
    };
    let act = provider().act(Role::Operator, ActBody::Clock(ask));
    let refused = run.docket().decide(&act, run.law(), None, morning(9, 28));
    let reason = RefusalReason::ExtensionTooLong { asked: 6, limit: 5 };
    assert_eq!(refused, Err(reason.under(Article::R17)));
}

#[test]
fn an_ordinary_new_version_puts_the_authority_alone_under_a_term() {
    let mut run = Run::new();
    let now = morning(9, 30);
    let event = new_version(act_id("submit"), party(), &next_version(), run.law(), now);
    run.order(vec![DocketBody::Update(event)], now);
    assert_eq!(run.owed(), [(Duty::ReviewUpdate, end(10, 10))]);
    run.review(&return_it(), morning(10, 9));
    assert!(run.owed().is_empty() && !run.docket().case.is_open());
}

#[test]
fn a_withdrawal_ends_what_was_due() {
    let mut run = Run::reported(morning(9, 26), morning(9, 26));
    let event = withdrawn(run.update(), act_id("withdraw"), "职责划出").unwrap();
    run.order(vec![DocketBody::Update(event)], morning(9, 28));
    assert!(run.owed().is_empty() && !run.docket().case.is_open());
    assert_eq!(
        submitted(
            run.update(),
            act_id("late"),
            &next_version(),
            run.law(),
            morning(9, 29)
        ),
        None
    );
}

#[test]
fn what_is_not_submitted_is_neither_published_nor_returned() {
    let run = Run::reported(morning(9, 26), morning(9, 26));
    for verdict in [ReviewVerdict::Publish, return_it()] {
        let event = returned_or_published(run.update(), act_id("x"), &next_version(), &verdict);
        assert_eq!(event, None);
    }
    let published = UpdateEvent::Published {
        act: act_id("x"),
        version: next_version(),
    };
    let state = run.update().clone();
    let docket = DocketId(Digest::object(b"update"));
    let misstep = UpdateState::evolve(Some(state), docket, morning(9, 28), &published);
    assert!(matches!(misstep, Err(Misstep::OutOfOrder { .. })));
    assert!(UpdateState::evolve(None, docket, morning(9, 28), &published).is_err());
}

#[test]
fn only_the_department_itself_and_its_authority_report_what_has_happened_to_what_is_published() {
    let run = Run::new();
    let (changed, now) = (morning(9, 26), morning(9, 28));
    let refused = |by: &cast::Department, role, act| {
        let refusal = run.open(by, role, act, now).unwrap_err();
        assert_eq!(refusal.article, Article::R17);
        refusal.reason
    };
    let neighbour = cast::Department::new(HEPING, "11210102001234599");
    let elsewhere = cast::Department::new(TIANHE, "11440106007512345");
    let not_yours = RefusalReason::NotYourDepartment;
    assert_eq!(
        refused(&neighbour, Role::Operator, said(changed)),
        not_yours
    );
    assert_eq!(
        refused(&elsewhere, Role::AuthorityReviewer, said(changed)),
        not_yours
    );
    assert!(
        run.open(&neighbour, Role::AuthorityReviewer, said(changed), now)
            .is_ok()
    );
    let to_come = now.plus_millis(1);
    assert_eq!(
        refused(&provider(), Role::Operator, said(to_come)),
        RefusalReason::ChangeToCome
    );
    let UpdateAct::Report {
        provider: of,
        cause,
        text,
        ..
    } = said(changed);
    let unknown = UpdateAct::Report {
        entry: "9/9".parse().unwrap(),
        provider: of,
        changed_on: changed,
        cause,
        text,
    };
    assert_eq!(
        refused(&provider(), Role::Operator, unknown),
        RefusalReason::EntryNotPublished
    );
    let silent = UpdateAct::Report {
        entry: entry().id,
        provider: of,
        changed_on: changed,
        cause,
        text: " ".into(),
    };
    assert_eq!(
        refused(&provider(), Role::Operator, silent),
        RefusalReason::ReasonsRequired
    );
}

#[test]
fn a_report_that_says_something_else_than_its_act_does_not_rest_on_it() {
    let run = Run::new();
    let now = morning(9, 28);
    let opened = run.open(&provider(), Role::Operator, said(morning(9, 26)), now);
    let DocketBody::Update(UpdateEvent::Reported {
        act,
        entry,
        provider,
        change,
    }) = opened.unwrap().remove(0)
    else {
        panic!("a report opens its docket");
    };
    let rests = |change: ReportedChange| {
        UpdateEvent::Reported {
            act: act.clone(),
            entry: entry.clone(),
            provider: provider.clone(),
            change,
        }
        .rests_on_its_act(None)
    };
    assert!(rests(change.clone()));
    let later = ReportedChange {
        changed_on: now,
        ..change
    };
    assert!(!rests(later));
}

fn number(state: &UpdateState) -> usize {
    match state.phase {
        UpdatePhase::Due => 0,
        UpdatePhase::Submitted { .. } => 1,
        UpdatePhase::Returned { .. } => 2,
        UpdatePhase::Published { .. } => 3,
        UpdatePhase::Withdrawn { .. } => 4,
    }
}

#[test]
fn every_phase_of_an_update_is_reached_and_none_is_a_dead_end() {
    let now = morning(9, 28);
    let run = Run::reported(morning(9, 26), now);
    let moves = |state: &UpdateState| {
        let version = next_version();
        let reviewed = [ReviewVerdict::Publish, return_it()]
            .map(|verdict| returned_or_published(state, act_id("review"), &version, &verdict));
        let submitted = submitted(state, act_id("submit"), &version, run.law(), now);
        let ended = withdrawn(state, act_id("withdraw"), "法律废止");
        let events = reviewed.into_iter().chain([submitted, ended]).flatten();
        let docket = DocketId(Digest::object(b"update"));
        let after = events
            .filter_map(|event| UpdateState::evolve(Some(state.clone()), docket, now, &event).ok());
        after.collect()
    };
    crate::exploration::Model {
        starts: vec![run.update().clone()],
        phases: &["due", "submitted", "returned", "published", "withdrawn"],
        last: &["published", "withdrawn"],
        phase: &number,
        key: &|state| format!("{:?}", state.phase),
        moves: &moves,
    }
    .explore();
}
