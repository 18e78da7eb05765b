//! Order, forks and copies.

use identity::{Certificate, Code, codec};
use statute::{Calendar, Duty, Profile, Role};

use super::*;
use crate::act::ActBody;
use crate::application::{
    self, ApplicationEvent, Command, GrantTerms, Phase, Reply, decide, reply_document,
};
use crate::cast::{self, HEPING, NOW, provider, requester};

fn home() -> Path {
    cast::path(HEPING)
}

fn home_key() -> SigningKey {
    cast::node_key(home().code())
}

fn checkpoint() -> (u64, Digest) {
    (3, Digest::object(b"root"))
}

fn commands() -> Vec<Command> {
    let apply = requester().act(
        Role::Operator,
        ActBody::Apply {
            application: cast::application(),
        },
    );
    let document = apply.id().0;
    let docket = DocketId(document);
    let consent = requester().act(
        Role::SharingOfficeHead,
        ActBody::ConsentToApply { docket, document },
    );
    let entry = Some(Box::new(cast::published(cast::conditional())));
    let reply = Reply::Grant {
        terms: GrantTerms {
            items: cast::application().items,
            purpose: "社会救助核对".into(),
            until: NOW.plus_days(30),
            method: cast::application().method,
            conditions: vec![],
        },
    };
    let document = reply_document(&reply);
    vec![
        Command::Open {
            apply,
            consent,
            requester_node: requester().place,
            entry,
            risk: None,
        },
        Command::Act(provider().act(Role::Operator, ActBody::ProposeReply { docket, reply })),
        Command::Act(provider().act(
            Role::SharingOfficeHead,
            ActBody::ConsentToReply { docket, document },
        )),
    ]
}

/// The bodies of a docket from application to grant.
fn bodies() -> (DocketId, Vec<DocketBody>) {
    let (calendar, profile) = (Calendar::national(), Profile::national());
    let law = Law {
        calendar: &calendar,
        profile: &profile,
    };
    let mut state = None;
    let mut bodies = Vec::new();
    for command in commands() {
        let step = Step {
            law,
            clock: &Clock::default(),
            now: NOW,
            bench: None,
        };
        for event in decide(state.as_ref(), &command, &step).unwrap() {
            state = Some(application::evolve(state.take(), &event, NOW).unwrap());
            bodies.push(DocketBody::Application(event));
        }
    }
    (state.unwrap().docket, bodies)
}

fn signed(docket: DocketId, bodies: Vec<DocketBody>) -> Vec<Signed<DocketEvent>> {
    let mut events: Vec<Signed<DocketEvent>> = Vec::new();
    for body in bodies {
        let tip = events
            .last()
            .map(|last| Tip::of(events.len() as u32 - 1, last));
        events.push(append(tip, entering(docket), body, &home_key()).unwrap());
    }
    events
}

fn entering(docket: DocketId) -> Entering<'static> {
    static HOME: std::sync::OnceLock<Path> = std::sync::OnceLock::new();
    Entering {
        docket,
        home: HOME.get_or_init(home),
        at: NOW,
        checkpoint: checkpoint(),
    }
}

fn copy() -> DocketCopy {
    let (docket, bodies) = bodies();
    DocketCopy {
        home: cast::membership(&home()),
        events: signed(docket, bodies),
    }
}

fn members(code: Code) -> Option<Certificate> {
    [requester(), provider()]
        .into_iter()
        .map(|it| it.node)
        .find(|it| it.code() == code)
}

fn verify(copy: &DocketCopy) -> Result<(DocketState, Vec<DocketEvent>), DocketError> {
    copy.verify(&cast::root(), NOW, &members)
}

fn overdue() -> DocketBody {
    DocketBody::Clock(ClockEvent::Overdue {
        duty: Duty::Provide,
        arises: NOW,
        due: NOW,
        who: clock::Debtor::Authority(cast::path(cast::HUB)),
    })
}

#[test]
fn an_id_is_written_in_hex() {
    let id = DocketId(Digest::object(b"x"));
    assert_eq!(id.to_string().parse(), Ok(id));
    assert!("12".parse::<DocketId>().is_err());
}

#[test]
fn a_copy_is_verified_without_its_home() {
    let copy = copy();
    let (state, events) = verify(&copy).unwrap();
    let Case::Application(state) = state.case else {
        panic!()
    };
    assert!(matches!(state.phase, Phase::Granted { .. }));
    assert_eq!(
        events.iter().map(|it| it.sequence).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(events[0].previous, Digest::from_bytes([0; 32]));
    assert_eq!(events[2].previous, copy.events[1].digest(Domain::Event));
    assert_eq!(events[0].checkpoint, checkpoint());
    let bytes = codec::encode(&copy);
    assert_eq!(
        codec::decode::<DocketCopy>(&bytes, codec::MAX_ENCODED),
        Ok(copy)
    );
}

#[test]
fn a_copy_with_a_gap_a_swap_or_nothing_is_refused() {
    let whole = copy();
    let of = |events: Vec<Signed<DocketEvent>>| DocketCopy {
        home: whole.home.clone(),
        events,
    };
    let [a, b, c] = [0, 1, 2].map(|index| whole.events[index].clone());
    assert_eq!(verify(&of(vec![])), Err(DocketError::Empty));
    assert_eq!(
        verify(&of(vec![a.clone(), c.clone()])),
        Err(DocketError::Gap {
            expected: 1,
            found: 2
        })
    );
    assert_eq!(
        verify(&of(vec![b.clone()])),
        Err(DocketError::Gap {
            expected: 0,
            found: 1
        })
    );
    assert_eq!(
        verify(&of(vec![a.clone(), b.clone(), b])),
        Err(DocketError::Known(1))
    );
    assert_eq!(
        verify(&of(vec![a; MAX_DOCKET_EVENTS + 1])),
        Err(DocketError::TooMany(MAX_DOCKET_EVENTS + 1))
    );
}

#[test]
fn a_tampered_or_foreign_event_is_refused() {
    let mut tampered = copy();
    let mut bytes = tampered.events[1].bytes().to_vec();
    bytes[40] ^= 1;
    tampered.events[1] = Signed::from_parts(bytes, *tampered.events[1].signature());
    assert!(matches!(
        verify(&tampered),
        Err(DocketError::Signature { sequence: 1, .. })
    ));

    let (docket, bodies) = bodies();
    let elsewhere = cast::path(cast::TIANHE);
    let event = append(
        None,
        Entering {
            home: &elsewhere,
            ..entering(docket)
        },
        bodies[0].clone(),
        &home_key(),
    )
    .unwrap();
    let expected = DocketError::WrongHome {
        expected: home(),
        found: elsewhere,
    };
    assert_eq!(
        verify(&DocketCopy {
            events: vec![event],
            ..copy()
        }),
        Err(expected)
    );

    let other = DocketId(Digest::object(b"other"));
    let misfiled = DocketCopy {
        events: signed(other, bodies),
        ..copy()
    };
    assert_eq!(
        verify(&misfiled),
        Err(DocketError::WrongDocket {
            expected: docket,
            found: other
        })
    );
}

#[test]
fn a_home_that_is_no_member_is_refused() {
    let copy = copy();
    let stranger = cast::key("another root").verify_key();
    assert!(matches!(
        copy.verify(&stranger, NOW, &members),
        Err(DocketError::Membership(_))
    ));
    let later = cast::term().1.plus_days(1);
    assert!(matches!(
        copy.verify(&cast::root(), later, &members),
        Err(DocketError::Membership(_))
    ));
}

#[test]
fn a_home_cannot_alter_what_people_said() {
    let (docket, mut bodies) = bodies();
    if let DocketBody::Application(ApplicationEvent::Granted { terms, .. }) = &mut bodies[2] {
        terms.items.truncate(1);
    }
    let altered = DocketCopy {
        events: signed(docket, bodies),
        ..copy()
    };
    assert_eq!(verify(&altered), Err(DocketError::AltersAct(2)));
}

#[test]
fn a_home_cannot_invent_acts_of_its_own_people_nor_of_known_others() {
    let forge = |index: usize| {
        let (docket, mut bodies) = bodies();
        let DocketBody::Application(event) = &mut bodies[index] else {
            panic!()
        };
        let act = match event {
            ApplicationEvent::Received { consent, .. } => consent,
            ApplicationEvent::ReplyProposed { act, .. } => act,
            other => panic!("{other:?}"),
        };
        act.act = Signed::from_parts(
            act.act.bytes().to_vec(),
            home_key().sign(Domain::Act, act.act.bytes()),
        );
        DocketCopy {
            events: signed(docket, bodies),
            ..copy()
        }
    };
    assert!(matches!(
        verify(&forge(0)),
        Err(DocketError::Act { sequence: 0, .. })
    ));
    assert!(matches!(
        verify(&forge(1)),
        Err(DocketError::Act { sequence: 1, .. })
    ));
    let nobody = |_: Code| None;
    assert!(
        forge(0).verify(&cast::root(), NOW, &nobody).is_ok(),
        "who is unknown is carried by the home's word"
    );
    assert!(matches!(
        forge(1).verify(&cast::root(), NOW, &nobody),
        Err(DocketError::Act { sequence: 1, .. })
    ));
}

#[test]
fn events_that_do_not_follow_are_refused() {
    let (docket, mut bodies) = bodies();
    bodies.remove(1);
    let skipped = DocketCopy {
        events: signed(docket, bodies),
        ..copy()
    };
    assert!(matches!(
        verify(&skipped),
        Err(DocketError::AltersAct(1) | DocketError::Misstep { sequence: 1, .. })
    ));
    let (docket, mut bodies) = self::bodies();
    bodies.push(DocketBody::Dispute(crate::dispute::DisputeEvent::Settled));
    let mixed = DocketCopy {
        events: signed(docket, bodies),
        ..copy()
    };
    assert_eq!(verify(&mixed), Err(DocketError::AnotherWorkflow(3)));
}

#[test]
fn a_copy_takes_the_next_event_once_and_proves_a_fork_wherever_it_lies() {
    let whole = copy();
    let home = cast::certificate(&home());
    let mut growing = DocketCopy {
        home: whole.home.clone(),
        events: vec![],
    };
    assert_eq!(growing.tip(), None);
    for (sequence, event) in (0..).zip(&whole.events) {
        assert_eq!(
            growing.take(event, &home).map(|it| it.sequence),
            Ok(sequence)
        );
        assert_eq!(
            growing.take(event, &home),
            Err(DocketError::Known(sequence))
        );
    }
    assert_eq!(growing, whole);
    assert_eq!(
        growing.take(&whole.events[0], &home),
        Err(DocketError::Known(0))
    );

    let docket = whole.events[0].claimed(MAX_EVENT_BYTES).unwrap().docket;
    let at = |sequence: u32, tip_of: &Signed<DocketEvent>| {
        append(
            Some(Tip::of(sequence, tip_of)),
            entering(docket),
            overdue(),
            &home_key(),
        )
        .unwrap()
    };
    let forked = |known: &Signed<DocketEvent>, other: &Signed<DocketEvent>| {
        DocketError::Forked(Box::new(Fork {
            known: known.clone(),
            other: other.clone(),
        }))
    };
    let second_end = at(1, &whole.events[1]);
    assert_eq!(
        growing.take(&second_end, &home),
        Err(forked(&whole.events[2], &second_end))
    );
    let second_middle = at(0, &whole.events[0]);
    assert_eq!(
        growing.take(&second_middle, &home),
        Err(forked(&whole.events[1], &second_middle))
    );
    let on_another_past = at(2, &second_end);
    assert_eq!(
        growing.take(&on_another_past, &home),
        Err(forked(&whole.events[2], &on_another_past))
    );
    assert_eq!(growing, whole, "what contradicts changes nothing");
    let next = at(2, &whole.events[2]);
    assert!(growing.take(&next, &home).is_ok());
}

#[test]
fn against_a_tip_alone_order_and_fork_are_told_apart() {
    let whole = copy();
    let (home, key) = (home(), home_key().verify_key());
    let tip = Some(Tip::of(1, &whole.events[1]));
    assert!(verify_event(tip, &whole.events[2], &home, &key).is_ok());
    assert_eq!(
        verify_event(tip, &whole.events[1], &home, &key),
        Err(DocketError::Known(1))
    );
    assert_eq!(
        verify_event(tip, &whole.events[0], &home, &key),
        Err(DocketError::Known(0))
    );
    assert_eq!(
        verify_event(None, &whole.events[2], &home, &key),
        Err(DocketError::Gap {
            expected: 0,
            found: 2
        })
    );
    let docket = whole.events[0].claimed(MAX_EVENT_BYTES).unwrap().docket;
    let other = append(
        Some(Tip::of(0, &whole.events[0])),
        entering(docket),
        overdue(),
        &home_key(),
    )
    .unwrap();
    let (known, found) = (
        whole.events[1].digest(Domain::Event),
        other.digest(Domain::Event),
    );
    assert_eq!(
        verify_event(tip, &other, &home, &key),
        Err(DocketError::Fork {
            sequence: 1,
            known,
            found
        })
    );
}

#[test]
fn a_full_docket_takes_no_more() {
    let last = Tip {
        sequence: MAX_DOCKET_EVENTS as u32 - 1,
        digest: Digest::object(b"x"),
    };
    let docket = DocketId(Digest::object(b"y"));
    let full = append(Some(last), entering(docket), overdue(), &home_key());
    assert_eq!(full, Err(DocketError::TooMany(MAX_DOCKET_EVENTS)));
}
