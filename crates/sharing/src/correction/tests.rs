//! The course of a correction by its full events, every refusal by its reason and article, its term, and random sequences.

use identity::Digest;
use statute::{Article, Calendar, CorrectionField, Profile, RefusalReason, RequiredField, Role};

use super::*;
use crate::application::{DisputeStage, GrantTerms, Phase};
use crate::cast::{self, HEPING, NOW, TIANHE, provider, requester};
use crate::clock::{self, Clock, ClockEvent, Law};
use crate::docket::{self, DocketBody, DocketState, Opening};
use crate::erasure::Personal;
use crate::private::Content;

fn party(department: &cast::Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

fn about() -> DocketId {
    DocketId(Digest::object(b"application"))
}

fn object() -> ObjectRef {
    ObjectRef {
        digest: Digest::object(b"corrected"),
        length: 9,
        name: "更正.csv".into(),
    }
}

fn granted(items: &[&str]) -> GrantTerms {
    GrantTerms {
        items: items.iter().map(|it| (*it).to_owned()).collect(),
        purpose: "社会救助核对".into(),
        until: NOW.plus_days(180),
        method: statute::Method::FileDownload,
        conditions: vec![],
    }
}

/// The application under which the requester holds these items.
fn application(items: &[&str]) -> ApplicationState {
    ApplicationState {
        risk: None,
        standing: Default::default(),
        docket: about(),
        requester: party(&requester()),
        provider: party(&provider()),
        entry: cast::published(cast::conditional()),
        application: cast::application(),
        received_at: NOW,
        profile: statute::Profile::national(),
        phase: Phase::Provided {
            terms: granted(items),
            object: object(),
        },
        dispute: DisputeStage::None,
        told_missing_once: false,
        uses: 0,
        readings: Default::default(),
        attempts: 1,
        negotiation_steps: 0,
    }
}

/// A commitment to a text.
fn private(text: &str) -> Private {
    Content::new([7; 32], text.into()).unwrap().private()
}

/// A commitment to nothing.
fn nothing() -> Private {
    Private {
        length: 0,
        ..private("无")
    }
}

fn request(item: &str) -> CorrectionRequest {
    CorrectionRequest {
        about: about(),
        items: vec![item.into()],
        wrong: private("字号有误"),
        evidence: private("营业执照"),
    }
}

fn ask(request: CorrectionRequest) -> ActBody {
    ActBody::Correction(CorrectionAct::Ask(request))
}

fn corrected() -> CorrectionOutcome {
    CorrectionOutcome::Corrected {
        what: private("张某的字号改为甲商行"),
        object: Some(object()),
    }
}

fn upheld(reasons: Private) -> CorrectionOutcome {
    CorrectionOutcome::Upheld { reasons }
}

/// What the home opens for an act of a department of 天河区.
fn opened(
    by: &cast::Department,
    body: ActBody,
    held: &ApplicationState,
) -> Result<CorrectionEvent, Refusal> {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let about = DocketState {
        case: docket::Case::Application(Box::new(held.clone())),
        clock: Clock::default(),
        personal: Personal::default(),
    };
    let (from, here) = (cast::path(TIANHE), cast::path(HEPING));
    let opening = Opening {
        entry: None,
        published: None,
        evaluation: None,
        from: &from,
        here: &here,
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        now: NOW,
        about: Some(&about),
    };
    let mut bodies = docket::open(&by.act(Role::Operator, body), &opening)?;
    match bodies.pop() {
        Some(DocketBody::Correction(event)) if bodies.is_empty() => Ok(event),
        other => panic!("one opening event: {other:?}"),
    }
}

fn asked() -> CorrectionState {
    let held = application(&["字号名称", "经营者姓名"]);
    let event = opened(&requester(), ask(request("字号名称")), &held).unwrap();
    let id = DocketId(event.acts()[0].id().0);
    assert!(event.rests_on_its_act(None));
    CorrectionState::evolve(None, id, NOW, &event).unwrap()
}

fn decided(
    state: &CorrectionState,
    by: &cast::Department,
    outcome: CorrectionOutcome,
) -> Result<CorrectionEvent, Refusal> {
    let docket = state.docket;
    let body = ActBody::Correction(CorrectionAct::Answer { docket, outcome });
    decide::answer(state, &by.act(Role::Operator, body))
}

fn answered(state: CorrectionState, outcome: CorrectionOutcome) -> CorrectionState {
    let event = decided(&state, &provider(), outcome).unwrap();
    assert!(event.rests_on_its_act(Some(&state)));
    CorrectionState::evolve(Some(state.clone()), state.docket, NOW, &event).unwrap()
}

fn reason<T: std::fmt::Debug>(refused: Result<T, Refusal>) -> RefusalReason {
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.article, Article::R26);
    refusal.reason
}

#[test]
fn a_request_of_a_holder_opens_a_case_that_the_provider_owes_an_answer() {
    let state = asked();
    assert_eq!(state.requester, party(&requester()));
    assert_eq!(state.provider, party(&provider()));
    let duties = state.duties();
    assert_eq!(duties.len(), 1);
    assert_eq!(duties[0].duty, Duty::Correct);
    assert_eq!(duties[0].who, Debtor::Department(party(&provider())));
    assert!(state.is_open());
    let done = answered(state, corrected());
    assert_eq!(done.phase(), "corrected");
    assert_eq!(done.duties(), []);
    assert!(!done.is_open());
}

#[test]
fn who_was_not_provided_with_the_data_cannot_ask() {
    let mut held = application(&["字号名称"]);
    held.phase = Phase::Granted {
        terms: granted(&["字号名称"]),
        term: crate::clock::Term::fixed(NOW, NOW.plus_days(20)),
    };
    let refused = opened(&requester(), ask(request("字号名称")), &held);
    assert_eq!(reason(refused), RefusalReason::NotProvidedWithData);
    let held = application(&["字号名称"]);
    let beyond = opened(&requester(), ask(request("经营者姓名")), &held);
    let asked = "经营者姓名".to_owned();
    assert_eq!(reason(beyond), RefusalReason::ScopeExceeded { asked });
    let foreign = opened(&provider(), ask(request("字号名称")), &held);
    assert_eq!(reason(foreign), RefusalReason::NotYourDepartment);
    let mut bare = request("字号名称");
    bare.wrong = nothing();
    let fields = vec![RequiredField::Correction(CorrectionField::Wrong)];
    assert_eq!(
        reason(opened(&requester(), ask(bare), &held)),
        RefusalReason::MissingField { fields }
    );
}

#[test]
fn the_provider_answers_once_and_gives_reasons_where_it_corrects_nothing() {
    let state = asked();
    let foreign = decided(&state, &requester(), corrected());
    assert_eq!(reason(foreign), RefusalReason::NotYourDepartment);
    let bare = decided(&state, &provider(), upheld(nothing()));
    assert_eq!(reason(bare), RefusalReason::ReasonsRequired);
    let nothing = CorrectionOutcome::Corrected {
        what: nothing(),
        object: None,
    };
    let fields = vec![RequiredField::Correction(CorrectionField::Corrected)];
    assert_eq!(
        reason(decided(&state, &provider(), nothing)),
        RefusalReason::MissingField { fields }
    );
    let done = answered(state, upheld(private("与登记一致")));
    let again = decided(&done, &provider(), corrected());
    assert!(matches!(reason(again), RefusalReason::WrongState { .. }));
}

#[test]
fn the_term_is_met_a_minute_before_its_end_and_missed_a_minute_after_once() {
    let state = asked();
    let calendar = Calendar::national();
    let due = state.duties()[0].term.due;
    // Received on Monday 2026-03-02: ten working days end on Monday 2026-03-16 at 24:00 in Beijing.
    assert_eq!(due.to_string(), "2026-03-16T16:00:00.000Z");
    let overdue = |clock: &Clock, state: &CorrectionState, now: Moment| {
        let events = clock::tick(clock, &state.duties(), &calendar, now);
        events
            .into_iter()
            .filter(|it| matches!(it, ClockEvent::Overdue { .. }))
            .collect::<Vec<_>>()
    };
    let fresh = Clock::default();
    assert_eq!(overdue(&fresh, &state, due.plus_millis(-60_000)), []);
    let met = answered(state.clone(), corrected());
    assert_eq!(overdue(&fresh, &met, due.plus_millis(60_000)), []);
    let late = overdue(&fresh, &state, due.plus_millis(60_000));
    assert_eq!(late.len(), 1);
    let clock = fresh.evolve(&late[0]).unwrap();
    assert_eq!(overdue(&clock, &state, due.plus_days(3)), []);
    assert_eq!(Duty::Correct.breach(), Article::R39_6);
}

#[test]
fn who_holds_a_corrected_item_is_told_and_nobody_else() {
    let done = answered(asked(), corrected());
    let told = ApplicationEvent::CorrectionTold {
        correction: done.docket,
        items: vec!["字号名称".into()],
        object: Some(object()),
    };
    let holder = application(&["字号名称"]);
    assert_eq!(done.told_to(&holder), Some(told));
    assert_eq!(done.told_to(&application(&["经营者姓名"])), None);
    let mut elsewhere = holder.clone();
    elsewhere.entry.entry.id = "210102/SCJG/0002".parse().unwrap();
    assert_eq!(done.told_to(&elsewhere), None);
    let mut refused = holder.clone();
    refused.phase = Phase::Refused {
        reasons: "超出范围".into(),
    };
    assert_eq!(done.told_to(&refused), None);
    assert_eq!(
        answered(asked(), upheld(private("与登记一致"))).told_to(&holder),
        None
    );
    assert_eq!(holders(&holder), [party(&requester())]);
}

#[test]
fn an_altered_event_is_told_from_the_act_in_it() {
    let state = asked();
    let mut event = decided(&state, &provider(), corrected()).unwrap();
    if let CorrectionEvent::Answered { outcome, .. } = &mut event {
        *outcome = upheld(private("与登记一致"));
    }
    assert!(!event.rests_on_its_act(Some(&state)));
    let other = CorrectionState::evolve(None, about(), NOW, &event);
    assert!(matches!(other, Err(Misstep::NotAnOpening { .. })));
}

mod sequences {
    use super::*;
    use proptest::prelude::*;

    fn number(state: &CorrectionState) -> usize {
        match state.phase {
            CorrectionPhase::Asked { .. } => 0,
            CorrectionPhase::Answered(_) => 1,
        }
    }

    #[test]
    fn every_phase_of_a_correction_is_reached_and_none_is_a_dead_end() {
        let moves = |state: &CorrectionState| {
            let outcomes = [
                corrected(),
                upheld(private("与登记一致")),
                upheld(nothing()),
            ];
            let decided = outcomes.map(|outcome| decided(state, &provider(), outcome));
            let after = decided.into_iter().flatten().map(|event| {
                CorrectionState::evolve(Some(state.clone()), state.docket, NOW, &event).unwrap()
            });
            after.collect()
        };
        crate::exploration::Model {
            starts: vec![asked()],
            phases: &["asked", "answered"],
            last: &["answered"],
            phase: &number,
            key: &|state| format!("{:?}", state.phase),
            moves: &moves,
        }
        .explore();
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_answered_every_event_follows_and_one_answer_stands(
            steps in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let outcomes = [corrected(), upheld(private("与登记一致")), upheld(nothing())];
            let parties = [provider(), requester()];
            let mut state = asked();
            let mut answers = 0;
            for step in steps {
                let pick = step.index(outcomes.len() * parties.len());
                let by = &parties[pick / outcomes.len()];
                match decided(&state, by, outcomes[pick % outcomes.len()].clone()) {
                    Ok(event) => {
                        let next = CorrectionState::evolve(Some(state.clone()), state.docket, NOW, &event);
                        prop_assert!(next.is_ok(), "{} after {}", event.name(), state.phase.name());
                        state = next.unwrap();
                        answers += 1;
                    }
                    Err(refusal) => prop_assert_eq!(refusal.article, Article::R26),
                }
                prop_assert!(answers <= 1);
                prop_assert_eq!(state.is_open(), answers == 0);
                prop_assert_eq!(state.duties().len(), usize::from(state.is_open()));
            }
        }
    }
}
