//! The course of a complaint by its full events, every refusal by its reason and article, and a term only where one is set.

use identity::Digest;
use statute::{Article, Calendar, Profile, RefusalReason, Role};

use super::*;
use crate::cast::{self, GUANGZHOU, NOW, TIANHE, provider, requester};
use crate::clock::{Clock, Law};
use crate::dispute::Party;
use crate::private::SALT_BYTES;
use crate::public::{PublicRequest, Written};

const LOCAL: &str = r#"
id = "local"
version = "1"
name_zh = "某地"
name_en = "Somewhere"
[[duty]]
duty = "answer-complaint"
working_days = 10
article = "R37"
breach = "R39(9)"
"#;

fn here() -> Path {
    cast::path(TIANHE)
}

fn intake(about: Option<CreditCode>, text: &str) -> Intake {
    let written = Written {
        subject: "天河区民政局".into(),
        text: text.into(),
        ..Written::default()
    };
    let salts = [1, 2, 3, 4].map(|salt| [salt; SALT_BYTES]);
    let (statement, _) = written.confide(salts, Article::R37).unwrap();
    Intake {
        receipt: Digest::object(b"receipt"),
        at: NOW,
        request: PublicRequest::Complaint { about, statement },
    }
}

fn received(intake: Intake, profile: &Profile) -> Result<ComplaintEvent, Refusal> {
    let calendar = Calendar::national();
    let law = Law {
        calendar: &calendar,
        profile,
    };
    receive(intake, &here(), &law)
}

fn waiting(about: Option<CreditCode>) -> ComplaintState {
    let intake = intake(about, "泄露了我的信息");
    let docket = intake.docket();
    let event = received(intake, &Profile::national()).unwrap();
    ComplaintState::evolve(None, docket, NOW, &event).unwrap()
}

fn does(
    state: &ComplaintState,
    (who, role): (&cast::Department, Role),
    said: ComplaintAct,
) -> Result<ComplaintEvent, Refusal> {
    let act = who.act(role, ActBody::Complaint(said));
    let (calendar, profile, clock) = (Calendar::national(), Profile::national(), Clock::default());
    let step = Step {
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        clock: &clock,
        now: NOW,
        bench: None,
    };
    let events = state.decide(&act, &step)?;
    let [event] = <[_; 1]>::try_from(events).unwrap();
    assert!(event.rests_on_its_act(Some(state)));
    Ok(event)
}

fn pass_on(state: &ComplaintState, to: Debtor) -> ComplaintAct {
    ComplaintAct::PassOn {
        docket: state.intake.docket(),
        to,
        note: None,
    }
}

fn answer(state: &ComplaintState, text: &str) -> ComplaintAct {
    ComplaintAct::Answer {
        docket: state.intake.docket(),
        answer: text.into(),
    }
}

fn after(state: &ComplaintState, event: &ComplaintEvent) -> ComplaintState {
    ComplaintState::evolve(Some(state.clone()), state.intake.docket(), NOW, event).unwrap()
}

/// The competent authority of 天河区, which is not the requester's department.
fn authority() -> cast::Department {
    cast::Department::new(TIANHE, "11440106000000001")
}

fn party(department: &cast::Department) -> Debtor {
    Debtor::Department(Party {
        department: department.code,
        node: department.place.clone(),
    })
}

#[test]
fn the_authority_hands_it_to_the_department_which_answers_once() {
    let state = waiting(Some(requester().code));
    let reviewer = (&authority(), Role::AuthorityReviewer);
    let handed = does(&state, reviewer, pass_on(&state, party(&requester()))).unwrap();
    let state = after(&state, &handed);
    assert_eq!(state.parties(), [here()]);
    let again = does(&state, reviewer, pass_on(&state, party(&requester())));
    assert!(matches!(
        again.unwrap_err().reason,
        RefusalReason::Duplicate { .. }
    ));
    let foreign = does(
        &state,
        (&provider(), Role::Operator),
        answer(&state, "已核实"),
    );
    let not_theirs = RefusalReason::NotYourDepartment.under(Article::R37);
    assert_eq!(foreign, Err(not_theirs));
    let operator = (&requester(), Role::Operator);
    let bare = does(&state, operator, answer(&state, " "));
    let reasons = RefusalReason::ReasonsRequired.under(Article::R37);
    assert_eq!(bare, Err(reasons));
    let answered = does(&state, operator, answer(&state, "已核实并改正")).unwrap();
    let state = after(&state, &answered);
    assert!(!state.is_open());
    let late = does(&state, reviewer, answer(&state, "又一次"));
    assert!(matches!(
        late.unwrap_err().reason,
        RefusalReason::WrongState { .. }
    ));
}

#[test]
fn an_authority_complained_of_passes_it_on_and_does_not_answer_it() {
    let state = waiting(Some(authority().code));
    let reviewer = (&authority(), Role::AuthorityReviewer);
    let own = does(&state, reviewer, answer(&state, "查无此事")).unwrap_err();
    assert_eq!(own.article, Article::R37);
    assert!(matches!(own.reason, RefusalReason::AuthorityIsParty { .. }));
    let above = Debtor::Authority(cast::path(GUANGZHOU));
    let passed = does(&state, reviewer, pass_on(&state, above)).unwrap();
    let state = after(&state, &passed);
    assert_eq!(state.parties(), [here(), cast::path(GUANGZHOU)]);
    let city = cast::Department::new(GUANGZHOU, "11440100000000001");
    // An operator is not the authority.
    assert!(does(&state, (&city, Role::Operator), answer(&state, "已查处")).is_err());
    assert!(
        does(
            &state,
            (&city, Role::AuthorityHead),
            answer(&state, "已查处")
        )
        .is_ok()
    );
}

#[test]
fn it_is_passed_on_so_often_and_no_more() {
    let mut state = waiting(None);
    let reviewer = (&authority(), Role::AuthorityReviewer);
    for time in 0..=MAX_PASSED_ON {
        let to = match time % 2 {
            0 => party(&requester()),
            _ => Debtor::Authority(here()),
        };
        match does(&state, reviewer, pass_on(&state, to)) {
            Ok(event) => state = after(&state, &event),
            Err(refusal) => {
                assert_eq!(time, MAX_PASSED_ON);
                assert!(matches!(refusal.reason, RefusalReason::TooLong { .. }));
                return;
            }
        }
    }
    panic!("passed on without end");
}

#[test]
fn a_term_runs_where_a_profile_sets_one_and_nowhere_else() {
    assert_eq!(waiting(None).duties(), []);
    let local = Profile::parse(LOCAL).unwrap();
    let asked = intake(None, "泄露了我的信息");
    let docket = asked.docket();
    let event = received(asked, &local).unwrap();
    let state = ComplaintState::evolve(None, docket, NOW, &event).unwrap();
    let duties = state.duties();
    let [duty] = &duties[..] else {
        panic!("{duties:?}")
    };
    assert_eq!(duty.who, Debtor::Authority(here()));
    // Ten working days from Monday 2026-03-02 end with the 16th.
    assert_eq!(duty.term.due.to_string(), "2026-03-16T16:00:00.000Z");
}

#[test]
fn a_complaint_says_what_happened_and_is_named_after_what_was_received() {
    let bare = received(intake(None, " "), &Profile::national()).unwrap_err();
    assert_eq!(bare.article, Article::R37);
    let mut long = intake(None, "甲");
    let PublicRequest::Complaint { statement, .. } = &mut long.request else {
        panic!("a complaint")
    };
    statement.text.as_mut().unwrap().length = u32::MAX;
    assert!(received(long, &Profile::national()).is_err());
    let event = received(intake(None, "甲"), &Profile::national()).unwrap();
    let other = intake(None, "乙").docket();
    assert!(ComplaintState::evolve(None, other, NOW, &event).is_err());
}

#[test]
fn a_complaint_reaches_its_answer_from_whoever_has_it() {
    let number = |state: &ComplaintState| match &state.phase {
        ComplaintPhase::Waiting { .. } => 0,
        ComplaintPhase::Answered { .. } => 1,
    };
    let moves = |state: &ComplaintState| -> Vec<ComplaintState> {
        let reviewer = Role::AuthorityReviewer;
        let above = cast::Department::new(GUANGZHOU, "11440100000000001");
        let to = [
            Debtor::Authority(here()),
            Debtor::Authority(cast::path(GUANGZHOU)),
            Debtor::Government(here()),
            party(&requester()),
            party(&provider()),
        ];
        let handed = to.map(|to| does(state, (&authority(), reviewer), pass_on(state, to)));
        let people = [
            (above, reviewer),
            (authority(), Role::Government),
            (requester(), Role::Operator),
            (provider(), Role::SharingOfficeHead),
        ];
        let answers = people.map(|(who, role)| does(state, (&who, role), answer(state, "已改正")));
        if let ComplaintPhase::Waiting { with } = &state.phase {
            let itself = usize::from(*with != Debtor::Authority(here()));
            let given = answers.iter().filter(|it| it.is_ok()).count();
            assert_eq!(given, itself, "one of them has it: {with:?}");
        }
        let events = handed.into_iter().chain(answers).flatten();
        events.map(|event| after(state, &event)).collect()
    };
    crate::exploration::Model {
        starts: vec![waiting(None)],
        phases: &["waits", "answered"],
        last: &["answered"],
        phase: &number,
        key: &|state| format!("{:?}", state.phase),
        moves: &moves,
    }
    .explore();
}
