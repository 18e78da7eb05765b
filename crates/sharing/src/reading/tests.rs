//! Who reads as whom, what a home may not alter, and the bounds.

use identity::Code;
use statute::{Article, Calendar, ErasureGround, Profile, RefusalReason, Role};

use super::*;
use crate::application::{ApplicationState, DisputeStage, GrantTerms, Phase, UseTexts};
use crate::cast::{self, Department, GUANGZHOU, HEPING, NOW, TIANHE, path, provider, requester};
use crate::clock::{Clock, Law};
use crate::docket::{Case, DocketState, Opening};
use crate::erasure::{ErasureAct, ErasureEvent};
use crate::private::Content;

fn about() -> DocketId {
    DocketId(Digest::object(b"application"))
}

fn party(department: &Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

fn application() -> ApplicationState {
    ApplicationState {
        docket: about(),
        requester: party(&requester()),
        provider: party(&provider()),
        entry: cast::published(cast::conditional()),
        application: cast::application(),
        received_at: NOW,
        profile: statute::Profile::national(),
        risk: None,
        phase: Phase::Provided {
            terms: GrantTerms {
                items: Vec::new(),
                purpose: "社会救助核对".into(),
                until: NOW.plus_days(180),
                method: statute::Method::FileDownload,
                conditions: vec![],
            },
            object: crate::act::ObjectRef {
                digest: Digest::object(b"rows"),
                length: 4,
                name: "rows.csv".into(),
            },
        },
        dispute: DisputeStage::None,
        standing: Default::default(),
        told_missing_once: false,
        uses: 1,
        readings: Default::default(),
        attempts: 1,
        negotiation_steps: 0,
    }
}

/// The authority of a place.
fn authority(place: &str) -> Department {
    Department::new(place, "11440000006940167")
}

fn read(docket: DocketId) -> ActBody {
    ActBody::Reading(ReadingAct::Read { docket, from: 0 })
}

fn used(by: &Department, docket: DocketId) -> KeptUse {
    let texts = UseTexts {
        scenario: "核对".into(),
        process: "比对".into(),
        result: "一人".into(),
        storage: "加密".into(),
        destruction: "未销毁".into(),
    };
    let record = texts.record(&Content::new([7; 32], texts.text()).unwrap());
    KeptUse {
        sequence: 3,
        at: NOW,
        act: by.sign(Role::Operator, ActBody::RecordUse { docket, record }),
    }
}

#[test]
fn the_reader_is_told_by_department_node_and_role() {
    let reader = |who: &Department, role| {
        let act = who.act(role, read(about()));
        reader_of(&application(), act.doer())
    };
    let office = Role::SharingOfficeHead;
    assert_eq!(reader(&requester(), office), Reader::Keeper);
    assert_eq!(reader(&provider(), office), Reader::Provider);
    let reviewer = Role::AuthorityReviewer;
    for (place, expected) in [
        (TIANHE, Reader::SameLevelAuthority),
        (GUANGZHOU, Reader::Superior),
        (cast::HUB, Reader::Superior),
        (HEPING, Reader::Other),
    ] {
        assert_eq!(reader(&authority(place), reviewer), expected, "{place}");
    }
    assert_eq!(reader(&authority(TIANHE), office), Reader::Other);
}

#[test]
fn a_home_does_not_say_that_somebody_read_as_somebody_else() {
    let act = provider().sign(Role::SharingOfficeHead, read(about()));
    let event = |reader| ApplicationEvent::UsesRead {
        act: act.clone(),
        reader,
    };
    let state = application();
    assert!(event(Reader::Provider).rests_on_its_act(Some(&state)));
    assert!(!event(Reader::Keeper).rests_on_its_act(Some(&state)));
    assert!(!event(Reader::Provider).rests_on_its_act(None));
}

#[test]
fn readings_of_one_kind_leave_room_for_the_others() {
    let mut state = application();
    state.readings.insert(Reader::Keeper, MAX_READINGS_BY_ONE);
    let act = |who: &Department| who.act(Role::SharingOfficeHead, read(about()));
    let refusal = reads(&state, &act(&requester())).unwrap_err();
    assert!(matches!(refusal.reason, RefusalReason::TooLong { .. }));
    assert_eq!(refusal.article, Article::R29);
    assert!(reads(&state, &act(&provider())).is_ok());
}

/// An order of 广州市, whose reviewer is to read.
fn order() -> (VerifiedAct, ReadingOrder) {
    let city = authority(GUANGZHOU);
    let order = ReadingOrder {
        about: about(),
        keeper: path(TIANHE),
        reason: "核查使用情况".into(),
        reader: city.key(Role::AuthorityReviewer).verify_key(),
    };
    let body = ActBody::Reading(ReadingAct::Order(order.clone()));
    (city.act(Role::AuthorityHead, body), order)
}

fn opened(from: &str, here: &str, about: Option<&DocketState>) -> Result<InspectionEvent, Refusal> {
    let (act, order) = order();
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let opening = Opening {
        from: &path(from),
        here: &path(here),
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        now: NOW,
        about,
        evaluation: None,
        entry: None,
        published: None,
    };
    open(&act, &order, &opening)
}

fn held() -> DocketState {
    DocketState {
        case: Case::Application(Box::new(application())),
        clock: Clock::default(),
        personal: Default::default(),
    }
}

#[test]
fn an_order_is_taken_where_the_records_are_kept_and_from_above_alone() {
    let state = held();
    assert!(opened(GUANGZHOU, TIANHE, Some(&state)).is_ok());
    let refused = |from, here, about| {
        let refusal = opened(from, here, about).unwrap_err();
        assert_eq!(refusal.article, Article::R29);
        refusal.reason
    };
    let sideways = refused(HEPING, TIANHE, Some(&state));
    assert!(matches!(sideways, RefusalReason::NotTheSupervisor { .. }));
    for (here, about) in [(TIANHE, None), (HEPING, Some(&state))] {
        let unknown = refused(GUANGZHOU, here, about);
        assert!(matches!(unknown, RefusalReason::UnknownDocket { .. }));
    }
}

#[test]
fn an_inspection_holds_records_of_its_application_alone_and_its_named_reader_reads() {
    let ordered = opened(GUANGZHOU, TIANHE, Some(&held())).unwrap();
    let (act, _) = order();
    let docket = DocketId(act.id().0);
    assert!(ordered.rests_on_its_act(None));
    let state = InspectionState::evolve(None, docket, NOW, &ordered).unwrap();
    let other = DocketId(Digest::object(b"another"));
    for (about, holds) in [(about(), true), (other, false)] {
        let attached = InspectionEvent::Attached(used(&requester(), about));
        assert_eq!(attached.rests_on_its_act(Some(&state)), holds);
    }
    let as_whom = |who: &Department, role| state.reader(&who.sign(role, read(docket)));
    let city = authority(GUANGZHOU);
    assert_eq!(
        as_whom(&city, Role::AuthorityReviewer),
        Reader::SuperiorOnOrder
    );
    assert_eq!(as_whom(&city, Role::AuthorityHead), Reader::Superior);
    assert_eq!(
        as_whom(&authority(TIANHE), Role::AuthorityReviewer),
        Reader::Other
    );
    let codes: Vec<Code> = state.parties().iter().map(Path::code).collect();
    assert_eq!(codes, [path(TIANHE).code(), path(GUANGZHOU).code()]);
}

#[test]
fn an_inspection_loses_what_the_act_in_its_applications_docket_names_and_nothing_else() {
    let ordered = opened(GUANGZHOU, TIANHE, Some(&held())).unwrap();
    let docket = DocketId(order().0.id().0);
    let state = InspectionState::evolve(None, docket, NOW, &ordered).unwrap();
    let inspection = Case::Inspection(Box::new(state));
    let application = Case::Application(Box::new(application()));
    let said = used(&requester(), about()).record().unwrap().1.said.digest;
    let other = Digest::object(b"another");
    let erases = |docket, named: &[Digest], contents: &[Digest]| ErasureEvent::Decided {
        act: requester().sign(
            Role::SharingOfficeHead,
            ActBody::Erasure(ErasureAct::Erase {
                docket,
                contents: named.to_vec(),
                ground: ErasureGround::RetentionOver,
            }),
        ),
        contents: contents.to_vec(),
        ground: ErasureGround::RetentionOver,
    };
    let part = erases(about(), &[said, other], &[said]);
    assert!(part.rests_on_its_act(Some(&inspection)));
    assert!(
        !part.rests_on_its_act(Some(&application)),
        "where it was said all that is named goes"
    );
    let whole = erases(about(), &[said], &[said]);
    assert!(whole.rests_on_its_act(Some(&application)));
    for lying in [
        erases(about(), &[other], &[said]),
        erases(DocketId(other), &[said], &[said]),
    ] {
        assert!(!lying.rests_on_its_act(Some(&inspection)));
    }
}

#[test]
fn an_inspection_is_read_once_ordered_and_nothing_ends_it() {
    let ordered = opened(GUANGZHOU, TIANHE, Some(&held())).unwrap();
    let docket = DocketId(order().0.id().0);
    let evolve = |state, event: &InspectionEvent| {
        InspectionState::evolve(state, docket, NOW, event).unwrap()
    };
    let moves = |state: &InspectionState| {
        let act = authority(GUANGZHOU).act(Role::AuthorityReviewer, read(docket));
        let read = inspected_by(state, &act).unwrap();
        assert!(read.rests_on_its_act(Some(state)));
        let attached = InspectionEvent::Attached(used(&requester(), about()));
        let events = [read, attached];
        let after = events.map(|event| evolve(Some(state.clone()), &event));
        after.into()
    };
    crate::exploration::Model {
        starts: vec![evolve(None, &ordered)],
        phases: &["ordered", "read"],
        last: &["read"],
        phase: &|state| usize::from(!state.is_open()),
        key: &|state| format!("{} {}", state.attached > 0, state.readings > 0),
        moves: &moves,
    }
    .explore();
}

fn inspected_by(state: &InspectionState, act: &VerifiedAct) -> Result<InspectionEvent, Refusal> {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let step = Step {
        law: Law {
            calendar: &calendar,
            profile: &profile,
        },
        clock: &Clock::default(),
        now: NOW,
        bench: None,
    };
    let mut events = state.decide(act, &step)?;
    assert_eq!(events.len(), 1);
    Ok(events.remove(0))
}
