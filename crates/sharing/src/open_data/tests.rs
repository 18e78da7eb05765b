//! The course of an application for opening by its full events, every refusal by its reason and article, and what is marked and put before everyone.

use identity::Digest;
use statute::{Article, Calendar, Profile, RefusalReason, RequiredField, Role};

use super::*;
use crate::act::ActBody;
use crate::cast::{self, HEPING, NOW, provider, requester};
use crate::catalogue::Entry;
use crate::clock::{Clock, Law};
use crate::private::SALT_BYTES;
use crate::public::{PublicRequest, Written};

/// An entry without personal information, as the opening of everything needs one.
fn entry() -> Entry {
    Entry {
        personal_information: false,
        ..cast::entry(cast::conditional())
    }
}

fn law<'a>(calendar: &'a Calendar, profile: &'a Profile) -> Law<'a> {
    Law { calendar, profile }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef {
        digest: Digest::object(name.as_bytes()),
        length: 3,
        name: name.into(),
    }
}

fn csv(name: &str) -> OpenFile {
    OpenFile {
        format: OpenFormat::Csv,
        object: object(name),
    }
}

fn open() -> OpeningTerms {
    OpeningTerms::Unconditional {
        formats: vec![OpenFormat::Csv],
    }
}

fn on_application() -> OpeningTerms {
    OpeningTerms::OnApplication {
        grounds: vec!["《中华人民共和国个人信息保护法》".into()],
    }
}

fn marked(
    entry: &Entry,
    terms: OpeningTerms,
    before: Option<&OpeningMark>,
) -> Result<OpeningMark, Refusal> {
    marked_by(&provider(), &Profile::shenyang(), (entry, terms), before)
}

fn marked_by(
    who: &cast::Department,
    profile: &Profile,
    (entry, terms): (&Entry, OpeningTerms),
    before: Option<&OpeningMark>,
) -> Result<OpeningMark, Refusal> {
    let version = entry.version_ref();
    let said = OpenDataAct::Mark {
        entry: version.clone(),
        terms: terms.clone(),
        contains: vec![],
    };
    let act = who.act(Role::DepartmentHead, ActBody::OpenData(said));
    let calendar = Calendar::national();
    mark(
        &act,
        (&version, &terms, &[]),
        (Some(entry), before),
        &law(&calendar, profile),
        NOW,
    )
}

fn published(mark: &OpeningMark, file: &OpenFile) -> Result<OpeningMark, Refusal> {
    let said = OpenDataAct::Publish {
        entry: mark.entry.clone(),
        file: file.clone(),
    };
    let act = provider().act(Role::Operator, ActBody::OpenData(said));
    let (calendar, profile) = (Calendar::national(), Profile::shenyang());
    publish(
        &act,
        file,
        (Some(&entry()), Some(mark)),
        &law(&calendar, &profile),
        NOW,
    )
}

fn intake(text: &str) -> Intake {
    let written = Written {
        text: text.into(),
        ..Written::default()
    };
    let salts = [1, 2, 3, 4].map(|salt| [salt; SALT_BYTES]);
    let (statement, _) = written.confide(salts, Article::S26).unwrap();
    Intake {
        receipt: Digest::object(b"receipt"),
        at: NOW,
        request: PublicRequest::OpenData {
            entry: entry().id,
            form: OpeningReplyForm::Written,
            statement,
        },
    }
}

fn received(intake: Intake, terms: OpeningTerms) -> Result<OpenDataEvent, Refusal> {
    let mark = marked(&entry(), terms, None).unwrap();
    let (calendar, profile) = (Calendar::national(), Profile::shenyang());
    let here = cast::path(HEPING);
    receive(
        intake,
        (Some(&entry()), Some(&mark)),
        &here,
        &law(&calendar, &profile),
    )
}

fn applied() -> OpenRequestState {
    let intake = intake("研究客流");
    let docket = intake.docket();
    let event = received(intake, on_application()).unwrap();
    OpenRequestState::evolve(None, docket, NOW, &event).unwrap()
}

fn answered(
    who: &cast::Department,
    form: OpeningReplyForm,
    answer: OpenAnswer,
) -> Result<Vec<OpenDataEvent>, Refusal> {
    answered_in(&applied(), who, form, answer)
}

fn answered_in(
    state: &OpenRequestState,
    who: &cast::Department,
    form: OpeningReplyForm,
    answer: OpenAnswer,
) -> Result<Vec<OpenDataEvent>, Refusal> {
    let said = OpenDataAct::Answer {
        docket: state.intake.docket(),
        form,
        answer,
    };
    let act = who.act(Role::Operator, ActBody::OpenData(said));
    let (calendar, profile) = (Calendar::national(), Profile::shenyang());
    let clock = Clock::default();
    let step = Step {
        law: law(&calendar, &profile),
        clock: &clock,
        now: NOW,
        bench: None,
    };
    state.decide(&act, &step)
}

#[test]
fn an_entry_is_marked_by_its_own_department_where_local_rules_open_data() {
    let mark = marked(&entry(), open(), None).unwrap();
    assert_eq!((&mark.terms, &mark.entry), (&open(), &entry().id));
    let national = marked_by(&provider(), &Profile::national(), (&entry(), open()), None);
    let not_provided = RefusalReason::OpeningNotProvided.under(Article::R2);
    assert_eq!(national, Err(not_provided));
    let another = marked_by(&requester(), &Profile::shenyang(), (&entry(), open()), None);
    let foreign = RefusalReason::NotYourDepartment.under(Article::S24);
    assert_eq!(another, Err(foreign));
    // What the entry says of itself counts, whatever the mark says.
    let personal = cast::entry(cast::conditional());
    let leak = marked(&personal, open(), None).map_err(|it| it.article);
    assert_eq!(leak, Err(Article::S36));
}

#[test]
fn a_file_stands_for_everyone_until_the_entry_is_marked_otherwise() {
    let mark = marked(&entry(), open(), None).unwrap();
    let first = published(&mark, &csv("一.csv")).unwrap();
    let second = published(&first, &csv("二.csv")).unwrap();
    assert_eq!(second.files, [csv("二.csv")]);
    let again = marked(&entry(), open(), Some(&second)).unwrap();
    assert_eq!(again.files, second.files);
    let restricted = marked(&entry(), on_application(), Some(&second)).unwrap();
    assert_eq!(restricted.files, []);
    let refused = RefusalReason::NotOpenToEveryone.under(Article::S25);
    assert_eq!(published(&restricted, &csv("三.csv")), Err(refused));
}

#[test]
fn an_application_says_what_for_and_is_for_what_is_opened_on_application() {
    let due = |event| match event {
        Ok(OpenDataEvent::Received { term, .. }) => term.due.to_string(),
        other => panic!("{other:?}"),
    };
    // Fifteen working days from Monday 2026-03-02 end with the 23rd.
    let event = received(intake("研究客流"), on_application());
    assert_eq!(due(event), "2026-03-23T16:00:00.000Z");
    let fields = vec![RequiredField::Opening(statute::OpeningField::Wanted)];
    let bare = RefusalReason::MissingField { fields }.under(Article::S26);
    assert_eq!(received(intake(" "), on_application()), Err(bare));
    let needless = RefusalReason::NoApplicationNeeded.under(Article::S25);
    assert_eq!(received(intake("研究客流"), open()), Err(needless));
    let closed = OpeningTerms::NotOpened {
        grounds: vec!["《中华人民共和国统计法》".into()],
    };
    let not_opened = RefusalReason::NotOpened.under(Article::S24);
    assert_eq!(received(intake("研究客流"), closed), Err(not_opened));
    let mut long = intake("研究客流");
    let PublicRequest::OpenData { statement, .. } = &mut long.request else {
        panic!("for open data")
    };
    statement.text.as_mut().unwrap().length = u32::MAX;
    assert!(received(long, on_application()).is_err());
}

#[test]
fn the_department_answers_in_the_form_asked_for_and_a_refusal_says_why() {
    use OpeningReplyForm::{Any, Written};
    let opened = OpenAnswer::Opened {
        how: "凭回执下载".into(),
        object: Some(object("客流.csv")),
    };
    let events = answered(&provider(), Written, opened.clone()).unwrap();
    let [event] = &events[..] else {
        panic!("{events:?}")
    };
    assert!(event.rests_on_its_act(None));
    let state = OpenRequestState::evolve(Some(applied()), applied().intake.docket(), NOW, event);
    let state = state.unwrap();
    assert_eq!(state.object(), Some(&object("客流.csv")));
    assert!(!state.is_open() && state.duties().is_empty());
    let spoken = RefusalReason::WrittenReplyRequired.under(Article::S26);
    assert_eq!(answered(&provider(), Any, opened.clone()), Err(spoken));
    let foreign = RefusalReason::NotYourDepartment.under(Article::S26);
    assert_eq!(answered(&requester(), Written, opened), Err(foreign));
    let bare = OpenAnswer::Refused {
        reasons: " ".into(),
    };
    let reasons = RefusalReason::ReasonsRequired.under(Article::S26);
    assert_eq!(answered(&provider(), Written, bare), Err(reasons));
}

#[test]
fn a_docket_is_named_after_what_was_received_and_after_nothing_else() {
    let event = received(intake("研究客流"), on_application()).unwrap();
    let other = intake("别的").docket();
    assert!(OpenRequestState::evolve(None, other, NOW, &event).is_err());
    let again = OpenRequestState::evolve(Some(applied()), applied().intake.docket(), NOW, &event);
    assert_eq!(again, Err(Misstep::OpenedTwice));
}

#[test]
fn an_application_for_opening_ends_in_either_answer_and_in_nothing_else() {
    let number = |state: &OpenRequestState| match &state.phase {
        OpenPhase::Received { .. } => 0,
        OpenPhase::Answered {
            answer: OpenAnswer::Opened { .. },
            ..
        } => 1,
        OpenPhase::Answered {
            answer: OpenAnswer::Refused { .. },
            ..
        } => 2,
    };
    let moves = |state: &OpenRequestState| {
        let answers = [
            OpenAnswer::Opened {
                how: "凭回执下载".into(),
                object: Some(object("站点.csv")),
            },
            OpenAnswer::Refused {
                reasons: "涉及商业秘密".into(),
            },
            OpenAnswer::Refused {
                reasons: String::new(),
            },
        ];
        let form = OpeningReplyForm::Written;
        let given = answers.map(|answer| answered_in(state, &provider(), form, answer));
        let after = given.into_iter().flatten().flatten().map(|event| {
            let docket = state.intake.docket();
            OpenRequestState::evolve(Some(state.clone()), docket, NOW, &event).unwrap()
        });
        after.collect()
    };
    crate::exploration::Model {
        starts: vec![applied()],
        phases: &["applied-for", "opened", "refused"],
        last: &["opened", "refused"],
        phase: &number,
        key: &|state| format!("{:?}", state.phase),
        moves: &moves,
    }
    .explore();
}
