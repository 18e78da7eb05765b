//! The course of an order by its full events, and who may not order, report, judge or circulate.

use identity::Digest;
use statute::{Calendar, Profile, RefusalReason, Role};

use super::*;
use crate::cast::{self, Department, GUANGZHOU, HEPING, HUB, NOW, TIANHE, path};
use crate::clock::{Clock, ClockEvent, Law};
use crate::docket::{Case, DocketBody, DocketState, Opening};

/// The competent authority of a place.
fn authority(place: &str) -> Department {
    Department::new(place, "11440106000000001")
}

/// The department whose breach it is: 天河区民政局.
fn department() -> Accused {
    let department = cast::requester();
    Accused::Department(Party {
        department: department.code,
        node: department.place,
    })
}

fn order(against: Accused, breach: Article) -> Order {
    Order {
        against,
        breach,
        about: None,
        facts: "逾期十日未答复".into(),
        measures: "立即答复".into(),
        correct_by: NOW.plus_days(10),
    }
}

fn id() -> DocketId {
    DocketId(Digest::object(b"order"))
}

/// What a person at a place makes of an order there.
fn give(
    who: &Department,
    role: Role,
    order: Order,
    about: Option<&DocketState>,
) -> Result<SupervisionEvent, Refusal> {
    let act = who.act(
        role,
        ActBody::Supervision(SupervisionAct::Order(order.clone())),
    );
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let opening = Opening {
        entry: None,
        published: None,
        evaluation: None,
        from: &who.place,
        here: &who.place,
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        now: NOW,
        about,
    };
    open(&act, &order, &opening)
}

struct Running {
    state: SupervisionState,
    clock: Clock,
}

impl Running {
    fn new(event: &SupervisionEvent) -> Self {
        let state = evolve(None, id(), event).unwrap();
        let clock = Clock::default();
        Self { state, clock }
    }

    fn ordered() -> Self {
        let order = order(department(), Article::R39_4);
        Self::new(&give(&authority(TIANHE), Role::AuthorityReviewer, order, None).unwrap())
    }

    fn by(
        &mut self,
        who: &Department,
        role: Role,
        act: SupervisionAct,
    ) -> Result<SupervisionEvent, Refusal> {
        let act = who.act(role, ActBody::Supervision(act));
        let (calendar, profile) = (Calendar::national(), Profile::national());
        let step = Step {
            law: Law {
                calendar: &calendar,
                profile: &profile,
            },
            clock: &self.clock,
            now: NOW,
            bench: None,
        };
        let [event] = self.state.decide(&act, &step)?.try_into().unwrap();
        assert!(event.rests_on_its_act(Some(&self.state)), "{event:?}");
        self.state = evolve(Some(self.state.clone()), id(), &event).unwrap();
        Ok(event)
    }

    fn report(&mut self) -> Result<SupervisionEvent, Refusal> {
        self.by(&cast::requester(), Role::Operator, report())
    }
}

fn report() -> SupervisionAct {
    let (docket, done) = (id(), "已于本日答复".into());
    SupervisionAct::Report { docket, done }
}

fn reject() -> SupervisionAct {
    SupervisionAct::Reject {
        docket: id(),
        reasons: "未附答复".into(),
        correct_by: NOW.plus_days(5),
    }
}

fn circulate(to: &[&str]) -> SupervisionAct {
    SupervisionAct::Circulate {
        docket: id(),
        text: "现予通报".into(),
        to: to.iter().map(|place| path(place)).collect(),
    }
}

fn escalate(ground: EscalationGround) -> SupervisionAct {
    SupervisionAct::Escalate {
        docket: id(),
        ground,
        reasons: "两次退回仍未改正".into(),
    }
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> RefusalReason {
    refused.unwrap_err().reason
}

fn not_the_supervisor(orderer: &str, of: &str) -> RefusalReason {
    RefusalReason::NotTheSupervisor {
        orderer: orderer.into(),
        of: of.into(),
    }
}

#[test]
fn a_breach_is_ordered_reported_rejected_reported_again_and_accepted() {
    let mut running = Running::ordered();
    let [owed] = running.state.duties().try_into().unwrap();
    assert_eq!(
        (owed.duty, owed.who),
        (Duty::RectifyOrder, department().debtor())
    );
    assert_eq!(owed.term, Term::fixed(NOW, NOW.plus_days(10)));
    running.report().unwrap();
    assert!(running.state.duties().is_empty() && running.state.is_open());
    let head = authority(TIANHE);
    running.by(&head, Role::AuthorityHead, reject()).unwrap();
    assert_eq!(running.state.duties()[0].term.due, NOW.plus_days(5));
    running.report().unwrap();
    let accept = SupervisionAct::Accept { docket: id() };
    running.by(&head, Role::AuthorityReviewer, accept).unwrap();
    assert_eq!(running.state.phase, SupervisionPhase::Closed);
    assert!(!running.state.is_open() && running.state.duties().is_empty());
    assert!(matches!(
        reason(running.report()),
        RefusalReason::WrongState { .. }
    ));
}

#[test]
fn only_the_authority_of_its_own_level_orders_a_department() {
    for (who, at) in [
        (authority(HEPING), HEPING),
        (authority(GUANGZHOU), GUANGZHOU),
    ] {
        let refused = give(
            &who,
            Role::AuthorityHead,
            order(department(), Article::R39_4),
            None,
        );
        assert_eq!(refused.as_ref().unwrap_err().article, Article::R39);
        assert_eq!(reason(refused), not_the_supervisor(at, TIANHE));
    }
    let itself = authority(TIANHE);
    let own = Accused::Department(Party {
        department: itself.code,
        node: itself.place.clone(),
    });
    let refused = give(
        &itself,
        Role::AuthorityHead,
        order(own, Article::R40_1),
        None,
    );
    assert_eq!(refused.as_ref().unwrap_err().article, Article::R40);
    assert_eq!(reason(refused), not_the_supervisor(TIANHE, TIANHE));
}

#[test]
fn an_authority_is_ordered_by_its_government_or_a_superior_and_not_by_itself_or_another() {
    let against = || order(Accused::Authority(path(TIANHE)), Article::R41_3);
    let by = |place, role| give(&authority(place), role, against(), None);
    for (place, role) in [
        (TIANHE, Role::Government),
        (GUANGZHOU, Role::AuthorityHead),
        (HUB, Role::AuthorityHead),
    ] {
        let event = by(place, role).unwrap();
        let parties = Running::new(&event).state.parties();
        assert!(parties.contains(&path(TIANHE)) && parties.contains(&path(place)));
    }
    for (place, role) in [
        (TIANHE, Role::AuthorityHead),
        (HEPING, Role::AuthorityHead),
        (GUANGZHOU, Role::Government),
    ] {
        assert_eq!(
            by(place, role),
            Err(not_the_supervisor(place, TIANHE).under(Article::R41)),
            "{role}"
        );
    }
}

#[test]
fn an_article_must_be_an_item_against_this_kind_of_accused() {
    let by = |breach| {
        let given = order(department(), breach);
        give(&authority(TIANHE), Role::AuthorityReviewer, given, None)
    };
    assert!(
        by(Article::R40_5).is_ok(),
        "a department may have requested"
    );
    for wrong in [Article::R41_3, Article::R39, Article::R21, Article::S34] {
        assert!(matches!(
            reason(by(wrong)),
            RefusalReason::NotTheirBreach { breach, .. } if breach == wrong
        ));
    }
}

/// A docket of the dispute kind in which the accused's reply is overdue.
fn late(who: Debtor) -> DocketState {
    let state = crate::dispute::DisputeState {
        docket: DocketId(Digest::object(b"late")),
        complainant: party(&cast::requester()),
        respondent: party(&cast::provider()),
        about: DocketId(Digest::object(b"about")),
        phase: crate::dispute::DisputePhase::Referred,
    };
    let overdue = ClockEvent::Overdue {
        duty: Duty::ReplyConditional,
        arises: NOW.plus_days(-20),
        due: NOW.plus_days(-1),
        who,
    };
    DocketState {
        case: Case::Dispute(Box::new(state)),
        clock: Clock::default().evolve(&overdue).unwrap(),
        personal: Default::default(),
    }
}

fn party(department: &Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

fn about(duty: Duty) -> Option<About> {
    Some(About {
        docket: DocketId(Digest::object(b"late")),
        duty,
        arises: NOW.plus_days(-20),
    })
}

#[test]
fn an_order_follows_from_a_lapse_that_is_there_is_the_accuseds_and_is_not_found_yet() {
    let reviewer = authority(TIANHE);
    let with = |duty, state: Option<&DocketState>| {
        let mut given = order(department(), Article::R39_4);
        given.about = about(duty);
        give(&reviewer, Role::AuthorityReviewer, given, state)
    };
    let state = late(department().debtor());
    assert!(with(Duty::ReplyConditional, Some(&state)).is_ok());
    for (duty, state) in [
        (Duty::Provide, &state),
        (
            Duty::ReplyConditional,
            &late(Debtor::Department(party(&cast::provider()))),
        ),
    ] {
        let refused = with(duty, Some(state));
        assert!(matches!(reason(refused), RefusalReason::WrongState { .. }));
    }
    assert!(matches!(
        reason(with(Duty::ReplyConditional, None)),
        RefusalReason::UnknownDocket { .. }
    ));
    let mut given = order(department(), Article::R39_4);
    given.about = about(Duty::ReplyConditional);
    let found = finds_breach(&given, id(), &state).unwrap();
    let clock = state.clock.clone().evolve(&found).unwrap();
    let state = DocketState { clock, ..state };
    assert_eq!(finds_breach(&given, id(), &state), None);
    let what = id().to_string();
    let twice = with(Duty::ReplyConditional, Some(&state));
    assert_eq!(reason(twice), RefusalReason::Duplicate { what });
}

#[test]
fn facts_measures_and_a_date_ahead_are_stated() {
    let by = |change: fn(&mut Order)| {
        let mut given = order(department(), Article::R39_4);
        change(&mut given);
        reason(give(
            &authority(TIANHE),
            Role::AuthorityReviewer,
            given,
            None,
        ))
    };
    assert_eq!(by(|it| it.facts.clear()), RefusalReason::ReasonsRequired);
    assert_eq!(
        by(|it| it.measures = " ".into()),
        RefusalReason::ReasonsRequired
    );
    for past in [
        by(|it| it.correct_by = NOW),
        by(|it| it.correct_by = Moment::MAX),
    ] {
        assert!(matches!(past, RefusalReason::CorrectionDate { .. }));
    }
}

#[test]
fn the_accused_alone_reports_and_whoever_ordered_alone_judges() {
    let mut running = Running::ordered();
    let stranger = Department::new(TIANHE, "11440106007599999");
    let foreign = running.by(&stranger, Role::Operator, report());
    assert_eq!(reason(foreign), RefusalReason::NotYourDepartment);
    let accept = || SupervisionAct::Accept { docket: id() };
    let early = running.by(&authority(TIANHE), Role::AuthorityHead, accept());
    assert!(matches!(reason(early), RefusalReason::WrongState { .. }));
    running.report().unwrap();
    for (who, role) in [
        (authority(HEPING), Role::AuthorityHead),
        (authority(TIANHE), Role::Government),
    ] {
        for act in [accept(), reject(), escalate(EscalationGround::Serious)] {
            let refused = running.by(&who, role, act);
            assert!(matches!(
                reason(refused),
                RefusalReason::NotTheSupervisor { .. } | RefusalReason::RoleNotEntitled { .. }
            ));
        }
    }
}

#[test]
fn an_authority_reports_through_its_own_people_and_not_through_a_department() {
    let against = order(Accused::Authority(path(TIANHE)), Article::R41_1);
    let event = give(&authority(GUANGZHOU), Role::AuthorityHead, against, None).unwrap();
    let mut running = Running::new(&event);
    assert_eq!(reason(running.report()), RefusalReason::NotYourDepartment);
    running
        .by(&authority(TIANHE), Role::AuthorityReviewer, report())
        .unwrap();
    let reviewer = running.by(&authority(GUANGZHOU), Role::AuthorityReviewer, reject());
    assert!(matches!(
        reason(reviewer),
        RefusalReason::RoleNotEntitled { .. }
    ));
    running
        .by(&authority(GUANGZHOU), Role::AuthorityHead, reject())
        .unwrap();
}

#[test]
fn discipline_is_recommended_when_correction_is_refused_or_the_case_is_serious() {
    let refuses = || escalate(EscalationGround::RefusesToCorrect);
    let head = authority(TIANHE);
    let mut running = Running::ordered();
    let early = running.by(&head, Role::AuthorityHead, refuses());
    assert_eq!(reason(early), RefusalReason::NotRefusedYet);
    let term = running.state.duties()[0].term;
    running.clock = running
        .clock
        .clone()
        .evolve(&ClockEvent::Overdue {
            duty: Duty::RectifyOrder,
            arises: term.arises,
            due: term.due,
            who: department().debtor(),
        })
        .unwrap();
    running.by(&head, Role::AuthorityHead, refuses()).unwrap();
    assert_eq!(running.state.phase.name(), "escalated");
    assert!(!running.state.is_open());
    let mut serious = Running::ordered();
    let ground = EscalationGround::Serious;
    serious
        .by(&head, Role::AuthorityHead, escalate(ground))
        .unwrap();
    let again = serious.by(&head, Role::AuthorityHead, escalate(ground));
    assert!(matches!(reason(again), RefusalReason::WrongState { .. }));
}

#[test]
fn a_notice_goes_no_further_than_the_jurisdiction_and_not_on_ones_own_case() {
    let against = order(Accused::Authority(path(TIANHE)), Article::R41_1);
    let head = authority(GUANGZHOU);
    let event = give(&head, Role::AuthorityHead, against.clone(), None).unwrap();
    let mut running = Running::new(&event);
    running
        .by(&head, Role::AuthorityHead, circulate(&[GUANGZHOU, TIANHE]))
        .unwrap();
    assert_eq!(running.state.circulated, 1);
    let outside = running.by(&head, Role::AuthorityHead, circulate(&[HEPING]));
    assert_eq!(reason(outside), not_the_supervisor(GUANGZHOU, HEPING));
    let many = vec![TIANHE; MAX_CIRCULATED_TO + 1];
    let long = running.by(&head, Role::AuthorityHead, circulate(&many));
    assert!(matches!(reason(long), RefusalReason::TooLong { .. }));
    let government = give(&authority(TIANHE), Role::Government, against, None).unwrap();
    let own = Running::new(&government).by(
        &authority(TIANHE),
        Role::AuthorityHead,
        circulate(&[TIANHE]),
    );
    assert!(matches!(
        reason(own),
        RefusalReason::NotTheSupervisor { .. }
    ));
}

#[test]
fn a_home_cannot_alter_what_was_ordered() {
    let head = authority(GUANGZHOU);
    let against = order(Accused::Authority(path(TIANHE)), Article::R41_1);
    let honest = give(&head, Role::AuthorityHead, against, None).unwrap();
    assert!(honest.rests_on_its_act(None));
    let alter = |change: fn(&mut Path, &mut Supervisor, &mut Order, &mut Term)| {
        let mut event = honest.clone();
        if let SupervisionEvent::Ordered {
            by,
            supervisor,
            order,
            term,
            ..
        } = &mut event
        {
            change(by, supervisor, order, term);
        }
        event.rests_on_its_act(None)
    };
    assert!(!alter(|by, _, _, _| *by = path(HUB)));
    assert!(!alter(|_, it, _, _| *it = Supervisor::Government));
    assert!(!alter(|_, _, order, _| order.breach = Article::R41_2));
    assert!(!alter(|_, _, _, term| term.due = NOW));
    let body = DocketBody::Supervision(honest);
    assert_eq!((body.name(), body.acts().len()), ("ordered", 1));
}

fn number(state: &SupervisionState) -> usize {
    match state.phase {
        SupervisionPhase::Ordered { .. } => 0,
        SupervisionPhase::Reported { .. } => 1,
        SupervisionPhase::Closed => 2,
        SupervisionPhase::Escalated { .. } => 3,
    }
}

#[test]
fn every_phase_of_an_order_is_reached_and_none_is_a_dead_end() {
    let acts = [
        report(),
        reject(),
        circulate(&[TIANHE]),
        escalate(EscalationGround::Serious),
        escalate(EscalationGround::RefusesToCorrect),
        SupervisionAct::Accept { docket: id() },
    ];
    let people = [
        (cast::requester(), Role::Operator),
        (authority(TIANHE), Role::AuthorityReviewer),
        (authority(TIANHE), Role::AuthorityHead),
    ];
    let moves = |state: &SupervisionState| {
        let mut reached = Vec::new();
        for (who, role) in &people {
            for act in acts
                .iter()
                .filter(|act| statute::may(*role, act.kind()).is_ok())
            {
                let mut running = Running {
                    state: state.clone(),
                    clock: Clock::default(),
                };
                if running.by(who, *role, act.clone()).is_ok() {
                    reached.push(running.state);
                }
            }
        }
        reached
    };
    crate::exploration::Model {
        starts: vec![Running::ordered().state],
        phases: &["ordered", "reported", "closed", "escalated"],
        last: &["closed", "escalated"],
        phase: &number,
        key: &|state| format!("{}", number(state)),
        moves: &moves,
    }
    .explore();
}
