//! The course of a need by its full events, every refusal by its reason and article, its date, and random sequences.

use statute::{ActKind, Article, Calendar, NeedField, Profile, RefusalReason, RequiredField, Role};

use identity::Code;

use super::*;
use crate::cast::{self, GUANGZHOU, HEPING, HUB, NOW, TIANHE, provider, requester};
use crate::catalogue::Entry;
use crate::clock::{self, Clock, ClockEvent, Law};
use crate::docket::{self, DocketBody, Opening};

fn party(department: &cast::Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

fn need() -> Need {
    Need {
        title: "低保对象就业情况".into(),
        items: vec!["就业状态".into()],
        purpose: "社会救助资格核验".into(),
        basis: "《社会救助暂行办法》第九条".into(),
        searched: "本级和各上级目录检索“就业状态”，未见".into(),
        considered: vec![],
        asked: silent(),
    }
}

/// Nobody above 天河区 answered.
fn silent() -> Vec<LevelAsked> {
    let above = std::iter::successors(cast::path(TIANHE).parent(), Path::parent);
    let said = |node| LevelAsked {
        node,
        said: Said::Silent,
    };
    above.map(said).collect()
}

fn law<T>(with: impl FnOnce(Law<'_>) -> T) -> T {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    with(Law {
        calendar: &calendar,
        profile: &profile,
    })
}

/// What the node of 天河区 opens for its department's act.
fn opened(role: Role, need: Need) -> Result<NeedEvent, Refusal> {
    let body = ActBody::Need(NeedAct::Report(need));
    let here = cast::path(TIANHE);
    let act = requester().sign(role, body);
    let act = match act.verify(&requester().node, NOW) {
        Ok(act) => act,
        Err(crate::act::ActError::Refused(refusal)) => return Err(refusal),
        Err(other) => panic!("{other}"),
    };
    let mut bodies = law(|law| {
        let opening = Opening {
            evaluation: None,
            entry: None,
            published: None,
            from: &here,
            here: &here,
            law,
            now: NOW,
            about: None,
        };
        docket::open(&act, &opening)
    })?;
    match bodies.pop() {
        Some(DocketBody::Need(event)) if bodies.is_empty() => Ok(event),
        other => panic!("one opening event: {other:?}"),
    }
}

fn reported() -> NeedState {
    let event = opened(Role::Operator, need()).unwrap();
    assert!(event.rests_on_its_act(None));
    let id = DocketId(event.acts()[0].id().0);
    NeedState::evolve(None, id, NOW, &event).unwrap()
}

fn authority(place: &str) -> cast::Department {
    cast::Department::new(place, "11440100000000001")
}

/// What 和平区 has published with the item that is needed.
fn held() -> Entry {
    let mut held = cast::entry(cast::conditional());
    held.items[0].name = "就业状态".into();
    held
}

fn entry() -> EntryAt {
    EntryAt {
        publisher: cast::path(HEPING),
        entry: held().version_ref(),
    }
}

fn fulfil(entry: EntryAt) -> NeedStep {
    let held = Box::new(held());
    NeedStep::Fulfil { entry, held }
}

fn because() -> String {
    "本级无此数据".into()
}

/// What a step of this person brings about, on a clock.
fn decided_on(
    clock: &Clock,
    state: &NeedState,
    (by, role): (&cast::Department, Role),
    step: NeedStep,
) -> Result<NeedEvent, Refusal> {
    let docket = state.docket;
    let act = by.act(role, ActBody::Need(NeedAct::Take { docket, step }));
    law(|law| {
        let under = Step {
            law,
            clock,
            now: NOW,
            bench: None,
        };
        state
            .decide(&act, &under)
            .map(|mut events| events.remove(0))
    })
}

fn decided(
    state: &NeedState,
    who: (&cast::Department, Role),
    step: NeedStep,
) -> Result<NeedEvent, Refusal> {
    decided_on(&Clock::default(), state, who, step)
}

fn taken(state: &NeedState, who: (&cast::Department, Role), step: NeedStep) -> NeedState {
    let event = decided(state, who, step).unwrap();
    assert!(event.rests_on_its_act(Some(state)));
    assert!(!event.rests_on_its_act(None), "of this docket alone");
    NeedState::evolve(Some(state.clone()), state.docket, NOW, &event).unwrap()
}

const REVIEWER: Role = Role::AuthorityReviewer;

/// Passed on from the county up to the hub.
fn at_the_hub() -> NeedState {
    let pass = || NeedStep::PassOn { reasons: because() };
    ["天河", "广州", "广东"]
        .iter()
        .fold(reported(), |state, _| {
            let authority = authority(&state.authority.to_string());
            taken(&state, (&authority, REVIEWER), pass())
        })
}

fn matched() -> NeedState {
    let department = party(&provider());
    let step = NeedStep::Match { department };
    taken(&at_the_hub(), (&authority(HUB), REVIEWER), step)
}

fn promised() -> NeedState {
    let by = NOW.plus_days(20);
    taken(
        &matched(),
        (&provider(), Role::Operator),
        NeedStep::Promise { by },
    )
}

fn offered() -> NeedState {
    let entry = entry();
    taken(&promised(), (&provider(), Role::Operator), fulfil(entry))
}

fn refused(result: Result<NeedEvent, Refusal>) -> RefusalReason {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.article, Article::R20);
    refusal.reason
}

#[test]
fn a_need_climbs_is_matched_promised_fulfilled_and_confirmed() {
    let state = at_the_hub();
    assert_eq!(state.authority, cast::path(HUB));
    assert_eq!(
        state.reached.len(),
        4,
        "its whole line: {:?}",
        state.reached
    );
    let state = matched();
    assert_eq!(state.reached.last(), Some(&cast::path(HEPING)));
    assert!(state.duties().is_empty());
    let owed = promised().duties();
    assert_eq!(owed.len(), 1);
    assert_eq!(owed[0].duty, Duty::MeetNeed);
    assert_eq!(owed[0].term, Term::fixed(NOW, NOW.plus_days(20)));
    assert_eq!(owed[0].who, Debtor::Department(party(&provider())));
    let state = offered();
    assert!(state.duties().is_empty() && state.is_open());
    let met = taken(&state, (&requester(), Role::Operator), NeedStep::ConfirmMet);
    assert_eq!(met.phase, NeedPhase::Met { entry: entry() });
    assert!(!met.is_open() && !met.finds_parties());
}

#[test]
fn what_a_need_leaves_out_is_named_under_r20() {
    let mut bare = need();
    bare.items.clear();
    bare.searched = " ".into();
    bare.considered.push(Considered {
        publisher: Code::HUB,
        entry: entry().entry.id,
        why_not: String::new(),
    });
    let fields = [NeedField::Items, NeedField::Searched, NeedField::WhyNot];
    let fields = fields.map(RequiredField::Need).into();
    assert_eq!(
        refused(opened(Role::Operator, bare)),
        RefusalReason::MissingField { fields }
    );
    let mut long = need();
    long.items = vec!["项".into(); crate::catalogue::MAX_ITEMS + 1];
    let reason = refused(opened(Role::Operator, long));
    assert!(matches!(reason, RefusalReason::TooLong { .. }));
    let reason = refused(opened(Role::DepartmentHead, need()));
    assert!(matches!(reason, RefusalReason::RoleNotEntitled { .. }));
}

#[test]
fn an_authority_matches_what_it_has_within_its_reach_and_passes_on_the_rest() {
    let state = reported();
    let tianhe = authority(TIANHE);
    let department = party(&provider());
    let step = || NeedStep::Match {
        department: department.clone(),
    };
    let beyond = refused(decided(&state, (&tianhe, REVIEWER), step()));
    assert_eq!(
        beyond,
        RefusalReason::NotCommonSuperior {
            hearer: cast::path(TIANHE).to_string(),
            common_superior: Code::HUB.to_string(),
        }
    );
    let not_its_turn = refused(decided(&state, (&authority(GUANGZHOU), REVIEWER), step()));
    assert_eq!(not_its_turn, RefusalReason::NotYourDepartment);
    let itself = NeedStep::Match {
        department: party(&requester()),
    };
    let itself = refused(decided(&state, (&tianhe, REVIEWER), itself));
    assert!(matches!(itself, RefusalReason::Duplicate { .. }));
    let there = NeedStep::PointTo { entry: entry() };
    let elsewhere = refused(decided(&state, (&tianhe, REVIEWER), there));
    assert!(matches!(elsewhere, RefusalReason::NotCommonSuperior { .. }));
    for bare in [
        NeedStep::PassOn {
            reasons: " ".into(),
        },
        NeedStep::Decline {
            reasons: String::new(),
        },
    ] {
        let why = refused(decided(&state, (&tianhe, REVIEWER), bare));
        assert_eq!(why, RefusalReason::ReasonsRequired);
    }
    let top = NeedStep::PassOn { reasons: because() };
    let top = refused(decided(&at_the_hub(), (&authority(HUB), REVIEWER), top));
    assert!(matches!(top, RefusalReason::WrongState { .. }));
}

#[test]
fn the_department_matched_alone_answers_once_with_a_date_ahead_or_reasons() {
    let state = matched();
    let operator = Role::Operator;
    let promise = |by| NeedStep::Promise { by };
    let other = decided(&state, (&requester(), operator), promise(NOW.plus_days(5)));
    assert_eq!(refused(other), RefusalReason::NotYourDepartment);
    let duty = Duty::MeetNeed;
    for by in [NOW, NOW.plus_days(400)] {
        let wrong = decided(&state, (&provider(), operator), promise(by));
        assert_eq!(refused(wrong), RefusalReason::DateOutOfBounds { duty });
    }
    let again = decided(
        &promised(),
        (&provider(), operator),
        promise(NOW.plus_days(40)),
    );
    assert!(matches!(refused(again), RefusalReason::WrongState { .. }));
    let bare = NeedStep::Cannot {
        reasons: String::new(),
    };
    let bare = decided(&state, (&provider(), operator), bare);
    assert_eq!(refused(bare), RefusalReason::ReasonsRequired);
    let mut elsewhere = entry();
    elsewhere.publisher = cast::path(HUB);
    let foreign = decided(&state, (&provider(), operator), fulfil(elsewhere));
    assert_eq!(refused(foreign), RefusalReason::EntryNotPublished);
    let another_version = NeedStep::Fulfil {
        entry: entry(),
        held: Box::new(cast::entry(cast::conditional())),
    };
    let another_version = decided(&state, (&provider(), operator), another_version);
    assert_eq!(refused(another_version), RefusalReason::EntryNotPublished);
    let mut without = held();
    without.items.remove(0);
    let lacking = NeedStep::Fulfil {
        entry: EntryAt {
            publisher: cast::path(HEPING),
            entry: without.version_ref(),
        },
        held: Box::new(without),
    };
    let lacking = decided(&state, (&provider(), operator), lacking);
    let missing = vec!["就业状态".to_owned()];
    assert_eq!(refused(lacking), RefusalReason::ItemsNotHeld { missing });
    let cannot = NeedStep::Cannot { reasons: because() };
    let back = taken(&state, (&provider(), operator), cannot);
    assert_eq!(
        back.phase,
        NeedPhase::Open,
        "for the authority to match again"
    );
    assert!(back.parties().contains(&cast::path(HEPING)), "it saw it");
}

#[test]
fn every_level_above_is_named_in_its_turn_and_what_one_of_them_found_is_no_need() {
    let with = |asked: Vec<LevelAsked>| opened(Role::Operator, Need { asked, ..need() });
    let not_looked_up = |level: &Path| RefusalReason::NotLookedUp {
        level: level.to_string(),
    };
    let above = silent();
    for left_out in 0..above.len() {
        let mut some = above.clone();
        let level = some.remove(left_out).node;
        assert_eq!(refused(with(some)), not_looked_up(&level));
    }
    let mut more = above.clone();
    more.push(LevelAsked {
        node: cast::path(HEPING),
        said: Said::Silent,
    });
    let beside = not_looked_up(&cast::path(HEPING));
    assert_eq!(refused(with(more)), beside);
    let found = Found {
        publisher: cast::path(HEPING),
        entry: held().id,
        version: 1,
        name: "就业登记信息".into(),
    };
    let mut answered = above;
    answered[1].said = Said::Answered {
        as_of: NOW,
        complete: true,
        whole: vec![found.clone()],
    };
    let shared = refused(with(answered.clone()));
    let RefusalReason::SharedAlready { entry } = shared else {
        panic!("{shared:?}")
    };
    assert_eq!(entry, format!("210102 {}《就业登记信息》", found.entry));
    let mut considered = need();
    considered.asked = answered.clone();
    considered.considered = vec![Considered {
        publisher: cast::path(HEPING).code(),
        entry: found.entry.clone(),
        why_not: "只含和平区".into(),
    }];
    assert!(opened(Role::Operator, considered).is_ok());
    answered[1].said = Said::Answered {
        as_of: NOW,
        complete: true,
        whole: vec![found; MAX_CONSIDERED + 1],
    };
    let many = refused(with(answered));
    assert!(matches!(many, RefusalReason::TooLong { .. }));
}

#[test]
fn only_the_department_that_needs_confirms_and_withdraws() {
    let state = offered();
    let operator = Role::Operator;
    let other = decided(&state, (&provider(), operator), NeedStep::ConfirmMet);
    assert_eq!(refused(other), RefusalReason::NotYourDepartment);
    let bare = NeedStep::NotMet {
        reasons: " ".into(),
    };
    let bare = decided(&state, (&requester(), operator), bare);
    assert_eq!(refused(bare), RefusalReason::ReasonsRequired);
    let early = decided(&promised(), (&requester(), operator), NeedStep::ConfirmMet);
    assert!(matches!(refused(early), RefusalReason::WrongState { .. }));
    let not_met = NeedStep::NotMet { reasons: because() };
    let back = taken(&state, (&requester(), operator), not_met);
    assert_eq!(back.phase, NeedPhase::Open);
    let gone = taken(&back, (&requester(), operator), NeedStep::Withdraw);
    assert_eq!(gone.phase, NeedPhase::Withdrawn);
    let twice = decided(&gone, (&requester(), operator), NeedStep::Withdraw);
    assert!(matches!(refused(twice), RefusalReason::WrongState { .. }));
}

#[test]
fn a_date_missed_is_recorded_once_and_lets_the_authority_match_another() {
    let state = promised();
    let calendar = Calendar::national();
    let due = NOW.plus_days(20);
    let overdue = |clock: &Clock, now: Moment| {
        let events = clock::tick(clock, &state.duties(), &calendar, now);
        let late = |it: &ClockEvent| matches!(it, ClockEvent::Overdue { .. });
        events.into_iter().filter(late).collect::<Vec<_>>()
    };
    let fresh = Clock::default();
    assert_eq!(overdue(&fresh, due.plus_millis(-60_000)), []);
    let late = overdue(&fresh, due);
    assert_eq!(late.len(), 1);
    let late_clock = fresh.clone().evolve(&late[0]).unwrap();
    assert_eq!(overdue(&late_clock, due.plus_days(3)), []);
    let hub = authority(HUB);
    let another = || NeedStep::Match {
        department: party(&cast::hub_authority()),
    };
    let early = decided_on(&fresh, &state, (&hub, REVIEWER), another());
    assert!(matches!(refused(early), RefusalReason::WrongState { .. }));
    assert!(decided_on(&late_clock, &state, (&hub, REVIEWER), another()).is_ok());
    assert_eq!(Duty::MeetNeed.breach(), Article::R39_9);
}

#[test]
fn a_copy_takes_no_step_that_cannot_follow_and_none_that_the_act_does_not_say() {
    let state = offered();
    let event = decided(&state, (&requester(), Role::Operator), NeedStep::ConfirmMet).unwrap();
    let met = NeedState::evolve(Some(state.clone()), state.docket, NOW, &event).unwrap();
    let again = NeedState::evolve(Some(met), state.docket, NOW, &event);
    assert!(matches!(again, Err(Misstep::OutOfOrder { .. })));
    let NeedEvent::Taken { act, .. } = event else {
        panic!("a step")
    };
    let altered = NeedEvent::Taken {
        act,
        step: NeedStep::Withdraw,
    };
    assert!(!altered.rests_on_its_act(Some(&state)));
    let opening = opened(Role::Operator, need()).unwrap();
    let NeedEvent::Reported { act, need, .. } = opening else {
        panic!("the opening")
    };
    let another = NeedEvent::Reported {
        act,
        need,
        department: party(&provider()),
    };
    assert!(!another.rests_on_its_act(None), "in another's name");
}

mod sequences {
    use super::*;
    use proptest::prelude::*;

    fn steps() -> [NeedStep; 11] {
        [
            NeedStep::PassOn { reasons: because() },
            NeedStep::Match {
                department: party(&provider()),
            },
            NeedStep::Match {
                department: party(&cast::hub_authority()),
            },
            NeedStep::PointTo { entry: entry() },
            NeedStep::Decline { reasons: because() },
            NeedStep::Promise {
                by: NOW.plus_days(20),
            },
            NeedStep::Cannot { reasons: because() },
            fulfil(entry()),
            NeedStep::ConfirmMet,
            NeedStep::NotMet { reasons: because() },
            NeedStep::Withdraw,
        ]
    }

    /// Whoever the step is for: the authority that has the need, the department matched, or the one that needs.
    fn whose(state: &NeedState, step: &NeedStep) -> (cast::Department, Role) {
        match step.kind() {
            ActKind::MatchNeed => (authority(&state.authority.to_string()), REVIEWER),
            ActKind::AnswerNeed => (provider(), Role::Operator),
            _ => (requester(), Role::Operator),
        }
    }

    fn number(state: &NeedState) -> usize {
        match &state.phase {
            NeedPhase::Open => 0,
            NeedPhase::Matched { .. } => 1,
            NeedPhase::Promised { .. } => 2,
            NeedPhase::Offered { .. } => 3,
            NeedPhase::Met { .. } => 4,
            NeedPhase::Declined { .. } => 5,
            NeedPhase::Withdrawn => 6,
        }
    }

    #[test]
    fn every_phase_of_a_need_is_reached_and_none_is_a_dead_end() {
        let moves = |state: &NeedState| -> Vec<NeedState> {
            let after = steps().into_iter().filter_map(|step| {
                let (by, role) = whose(state, &step);
                let event = decided(state, (&by, role), step).ok()?;
                let next = NeedState::evolve(Some(state.clone()), state.docket, NOW, &event);
                Some(next.unwrap())
            });
            let after: Vec<NeedState> = after.collect();
            assert_eq!(after.is_empty(), !state.is_open(), "{:?}", state.phase);
            after
        };
        crate::exploration::Model {
            starts: vec![reported()],
            phases: &[
                "open",
                "matched",
                "promised",
                "offered",
                "met",
                "declined",
                "withdrawn",
            ],
            last: &["met", "declined", "withdrawn"],
            phase: &number,
            key: &|state| format!("{:?} {}", state.phase, state.authority),
            moves: &moves,
        }
        .explore();
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_tried_every_event_follows_and_what_is_closed_stays_closed(
            picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let all = steps();
            let mut state = reported();
            for pick in picks {
                let step = all[pick.index(all.len())].clone();
                let (by, role) = whose(&state, &step);
                match decided(&state, (&by, role), step) {
                    Ok(event) => {
                        prop_assert!(state.is_open(), "{} after {}", event.name(), state.phase.name());
                        let next = NeedState::evolve(Some(state.clone()), state.docket, NOW, &event);
                        prop_assert!(next.is_ok(), "{} after {}", event.name(), state.phase.name());
                        let next = next.unwrap();
                        prop_assert!(next.reached.starts_with(&state.reached), "no copy is forgotten");
                        state = next;
                    }
                    Err(refusal) => prop_assert_eq!(refusal.article, Article::R20),
                }
                let promised = matches!(state.phase, NeedPhase::Promised { .. });
                prop_assert_eq!(state.duties().len(), usize::from(promised));
                prop_assert!(state.parties().contains(&state.authority));
            }
        }
    }
}
