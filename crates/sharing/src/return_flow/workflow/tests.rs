use std::collections::BTreeSet;

use identity::{
    Certificate, Chain, Code, CreditCode, Digest, Domain, EnrolmentRequest, Level, OpeningKey,
    Signed, SigningKey, Terms, issue, issue_hub,
};
use statute::Role;

use super::*;
use crate::act::{Act, ObjectRef, SignedAct};
use crate::person::{PersonCertificate, PersonChain, authority_head_certificate, enrol};
use crate::return_flow::{DatasetId, Difference, Manifest, Proof, ReturnTable, SumNode};

const NOW: Moment = Moment::from_millis(50_000);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

fn code(text: &str) -> Code {
    text.parse().unwrap()
}

fn recipient() -> Path {
    Path::hub().child(code("440000")).unwrap()
}

fn dataset() -> DatasetId {
    "townships".parse().unwrap()
}

fn member() -> Certificate {
    let request = |text: &str, level: Level, seed: u8| {
        let request = EnrolmentRequest {
            code: code(text),
            name: "广东省".into(),
            level,
            signing_key: key(seed).verify_key(),
            transport_key: [seed; 32],
            sealing_key: OpeningKey::from_seed(1, [seed; 32]).sealing_key(Moment::MAX),
            authority_head: key(200).verify_key(),
            created: NOW,
        };
        request.sign(&key(seed))
    };
    let terms = || Terms {
        serial: 1,
        epoch: 1,
        witnesses: vec![],
        valid_from: Moment::MIN,
        valid_until: Moment::MAX,
    };
    let hub = issue_hub(&request("100000", Level::Hub, 1), &key(0), terms())
        .unwrap()
        .claimed(2_048)
        .unwrap();
    issue(
        &request("440000", Level::Province, 2),
        &hub,
        &key(1),
        terms(),
    )
    .unwrap()
    .claimed(2_048)
    .unwrap()
}

/// An act of the operator at 440000, verified.
fn act(body: ActBody) -> VerifiedAct {
    let member = member();
    let node = member.code();
    let department = CreditCode::compute("11440000000000001").unwrap();
    let term = (Moment::MIN, Moment::MAX);
    let person = |seed: u8, role: Role| PersonCertificate {
        key: key(seed).verify_key(),
        name: "张三".into(),
        role,
        department,
        node,
        term_from: term.0,
        term_until: term.1,
    };
    let signer = PersonChain(vec![
        authority_head_certificate("李四", department, node, term, &key(200)),
        enrol(&person(201, Role::DepartmentHead), &key(200)),
        enrol(&person(202, Role::Operator), &key(201)),
    ]);
    let act = Signed::sign(
        &Act {
            nonce: [1; 16],
            at: NOW,
            node,
            body,
        },
        Domain::Act,
        &key(202),
    );
    SignedAct { act, signer }.verify(&member, NOW).unwrap()
}

fn subscribe() -> Command {
    subscribe_to("440000")
}

fn subscription(area: &str) -> Subscription {
    Subscription {
        source: code("mca"),
        origin: code("mca"),
        dataset: dataset(),
        area: area.parse().unwrap(),
        schedule: "daily@18:00".parse().unwrap(),
    }
}

fn subscribe_to(area: &str) -> Command {
    Command::Subscribe {
        act: Box::new(act(ActBody::Subscribe(subscription(area)))),
        recipient: recipient(),
        source: Path::hub().child(code("mca")).unwrap(),
    }
}

fn manifest(delivery: u64) -> Manifest {
    Manifest {
        source: Path::hub().child(code("mca")).unwrap(),
        dataset: dataset(),
        delivery,
        at: NOW,
        query: "all".into(),
        division_column: "code".into(),
        header: "code,name".into(),
        rows: 1,
        assigned: vec![],
        remainder_rows: 0,
        remainder: vec![],
        root: SumNode {
            rows: 1,
            digest: Digest::object(b""),
        },
    }
}

fn object(name: &str) -> ObjectRef {
    ObjectRef {
        digest: Digest::object(b"x"),
        length: 1,
        name: name.into(),
    }
}

fn notice(delivery: u64, division: &str) -> PartNotice {
    PartNotice {
        manifest: Signed::sign(&manifest(delivery), Domain::Manifest, &key(9)),
        signer: Chain::new(Vec::new()),
        area: division.parse().unwrap(),
        rows: 7,
        proof: Proof { steps: vec![] },
        salt: [0; 32],
        part: object("part.csv"),
        difference: Some(Difference {
            base: Digest::object(b"y"),
            delta: object("part.delta"),
        }),
        leaves: object("part.leaves"),
    }
}

fn deliver(delivery: u64) -> Command {
    Command::Deliver {
        delivery,
        notice: Box::new(notice(delivery, "440000")),
    }
}

fn verified(delivery: u64) -> Command {
    Command::Verified {
        delivery,
        rows: 7,
        at: NOW,
    }
}

fn wanting(delivery: u64) -> Command {
    Command::FoundWanting {
        delivery,
        finding: "第 3 行不属于本地区".into(),
    }
}

/// Carries commands out one after the other; every one must be accepted.
fn after(commands: &[Command]) -> SubscriptionState {
    let mut state = None;
    for command in commands {
        for event in decide(state.as_ref(), command, NOW).unwrap() {
            state = Some(evolve(state, NOW, &event).unwrap());
        }
    }
    state.unwrap()
}

fn refusal(state: Option<&SubscriptionState>, command: &Command) -> RefusalReason {
    let refusal = decide(state, command, NOW).unwrap_err();
    assert_eq!(refusal.article, Article::R24);
    refusal.reason
}

#[test]
fn a_delivery_goes_from_commitment_to_verification() {
    let state = after(&[subscribe()]);
    assert_eq!(state.phase(), SubscriptionPhase::Subscribed);
    assert_eq!(
        (state.recipient.clone(), state.subscription.dataset.clone()),
        (recipient(), dataset())
    );
    let state = after(&[subscribe(), deliver(1)]);
    assert_eq!(state.phase(), SubscriptionPhase::Delivering { delivery: 1 });
    let state = after(&[subscribe(), deliver(1), verified(1)]);
    assert_eq!(
        state.phase(),
        SubscriptionPhase::Delivered(DeliveredPart {
            delivery: 1,
            rows: 7,
            verified_at: NOW
        })
    );
    assert!(state.open.is_empty());
}

#[test]
fn a_part_found_wanting_is_disputed_until_verified_or_delivered_anew() {
    let state = after(&[subscribe(), deliver(1), wanting(1)]);
    assert_eq!(
        state.phase(),
        SubscriptionPhase::Disputed {
            delivery: 1,
            finding: "第 3 行不属于本地区"
        }
    );
    assert_eq!(
        after(&[subscribe(), deliver(1), wanting(1), verified(1)])
            .phase()
            .name(),
        "delivered"
    );
    let state = after(&[subscribe(), deliver(1), wanting(1), deliver(2)]);
    assert_eq!(state.phase(), SubscriptionPhase::Delivering { delivery: 2 });
    assert_eq!(state.open.len(), 2);
}

#[test]
fn an_outcome_that_arrives_late_or_twice_has_one_effect() {
    let state = after(&[
        subscribe(),
        deliver(1),
        deliver(2),
        verified(2),
        verified(1),
    ]);
    assert_eq!(state.delivered.map(|part| part.delivery), Some(2));
    assert!(state.open.is_empty());
    assert_eq!(decide(Some(&state), &verified(1), NOW), Ok(vec![]));
    let state = after(&[subscribe(), deliver(1), wanting(1)]);
    assert_eq!(decide(Some(&state), &wanting(1), NOW), Ok(vec![]));
}

#[test]
fn a_recipients_clock_that_runs_ahead_is_cut_to_the_homes() {
    let state = after(&[subscribe(), deliver(1)]);
    let command = Command::Verified {
        delivery: 1,
        rows: 7,
        at: NOW.plus_days(1),
    };
    assert_eq!(
        decide(Some(&state), &command, NOW),
        Ok(vec![ReturnFlowEvent::Delivered {
            delivery: 1,
            rows: 7,
            verified_at: NOW
        }])
    );
}

#[test]
fn only_the_level_itself_subscribes_and_once() {
    let state = after(&[subscribe()]);
    assert_eq!(
        refusal(Some(&state), &subscribe()),
        RefusalReason::Duplicate {
            what: "townships".into()
        }
    );
    let Command::Subscribe { act: signed, .. } = subscribe() else {
        unreachable!()
    };
    let other = Command::Subscribe {
        act: signed,
        recipient: Path::hub().child(code("210000")).unwrap(),
        source: Path::hub().child(code("mca")).unwrap(),
    };
    assert_eq!(refusal(None, &other), RefusalReason::NotYourDepartment);
    let table = ReturnTable {
        dataset: dataset(),
        table: ObjectRef {
            digest: Digest::object(b"x"),
            length: 1,
            name: "table.csv".into(),
        },
        division_column: "code".into(),
        key_column: None,
        assigned: vec![],
        query: "all".into(),
        source_rows: 1,
    };
    let wrong = Command::Subscribe {
        act: Box::new(act(ActBody::ReturnTable { table })),
        recipient: recipient(),
        source: Path::hub(),
    };
    for foreign in ["210000", "440100", "440106001"] {
        let reason = refusal(None, &subscribe_to(foreign));
        assert_eq!(reason, RefusalReason::NotYourDepartment, "{foreign}");
    }
    assert!(decide(None, &subscribe_to("440000001"), NOW).is_ok());
    assert!(matches!(
        refusal(None, &wrong),
        RefusalReason::WrongState { .. }
    ));
}

#[test]
fn what_does_not_follow_is_refused() {
    for command in [deliver(1), verified(1), wanting(1)] {
        assert!(matches!(
            refusal(None, &command),
            RefusalReason::WrongState { .. }
        ));
    }
    let subscribed = after(&[subscribe()]);
    for command in [verified(1), wanting(1), verified(0)] {
        assert!(matches!(
            refusal(Some(&subscribed), &command),
            RefusalReason::WrongState { .. }
        ));
    }
    let delivering = after(&[subscribe(), deliver(1)]);
    assert_eq!(
        refusal(Some(&delivering), &deliver(1)),
        RefusalReason::Duplicate {
            what: "townships/1".into()
        }
    );
    let foreign = Command::Deliver {
        delivery: 2,
        notice: Box::new(notice(2, "210000")),
    };
    assert_eq!(
        refusal(Some(&delivering), &foreign),
        RefusalReason::NotYourDepartment
    );
    let delivered = after(&[subscribe(), deliver(1), verified(1)]);
    assert!(matches!(
        refusal(Some(&delivered), &wanting(1)),
        RefusalReason::WrongState { .. }
    ));
    let long = Command::FoundWanting {
        delivery: 1,
        finding: "长".repeat(MAX_FINDING_CHARS + 1),
    };
    assert!(matches!(
        refusal(Some(&delivering), &long),
        RefusalReason::TooLong { .. }
    ));
}

#[test]
fn events_that_a_lawful_home_never_signs_are_missteps() {
    let subscribed = decide(None, &subscribe(), NOW).unwrap().remove(0);
    let delivering = |delivery, division| ReturnFlowEvent::Delivering {
        delivery,
        notice: notice(delivery, division),
    };
    let delivered = ReturnFlowEvent::Delivered {
        delivery: 1,
        rows: 1,
        verified_at: NOW,
    };
    assert_eq!(
        evolve(None, NOW, &delivered),
        Err(Misstep::NotAnOpening { event: "delivered" })
    );
    let state = after(&[subscribe()]);
    assert_eq!(
        evolve(Some(state.clone()), NOW, &subscribed),
        Err(Misstep::OpenedTwice)
    );
    let out_of_order = |event| {
        Err(Misstep::OutOfOrder {
            event,
            phase: "subscribed",
        })
    };
    assert_eq!(
        evolve(Some(state.clone()), NOW, &delivered),
        out_of_order("delivered")
    );
    assert_eq!(
        evolve(Some(state.clone()), NOW, &delivering(0, "440000")),
        out_of_order("delivering")
    );
    assert_eq!(
        evolve(Some(state.clone()), NOW, &delivering(1, "210000")),
        out_of_order("delivering")
    );
    let disputed = ReturnFlowEvent::Disputed {
        delivery: 1,
        finding: String::new(),
    };
    assert_eq!(
        evolve(Some(state), NOW, &disputed),
        out_of_order("disputed")
    );
}

#[test]
fn deliveries_that_stay_open_are_superseded_by_newer_snapshots() {
    let count = MAX_OPEN_DELIVERIES as u64 + 3;
    let commands: Vec<_> = std::iter::once(subscribe())
        .chain((1..=count).map(deliver))
        .collect();
    let state = after(&commands);
    assert_eq!(state.open.len(), MAX_OPEN_DELIVERIES);
    assert_eq!(state.open.keys().next(), Some(&4));
    assert_eq!(decide(Some(&state), &verified(1), NOW), Ok(vec![]));
}

fn names(value: &impl Serialize) -> BTreeSet<String> {
    fn walk(value: &serde_json::Value, names: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, inner) in map {
                    names.insert(name.clone());
                    walk(inner, names);
                }
            }
            serde_json::Value::Array(list) => list.iter().for_each(|inner| walk(inner, names)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&serde_json::to_value(value).unwrap(), &mut found);
    found
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// R24: no extra condition. These are all the fields there are; whoever adds one must argue here that it is none.
#[test]
fn there_is_no_field_in_which_a_condition_could_be_put() {
    let subscribe = ActBody::Subscribe(subscription("440000"));
    // Whose rows and by when is the subscriber's to say, and the source has no word in it.
    let fields = [
        "Subscribe",
        "source",
        "origin",
        "dataset",
        "area",
        "schedule",
    ];
    assert_eq!(names(&subscribe), set(&fields));
    let object = ObjectRef {
        digest: Digest::object(b"x"),
        length: 1,
        name: "t.csv".into(),
    };
    let table = ReturnTable {
        dataset: dataset(),
        table: object,
        division_column: "code".into(),
        key_column: None,
        assigned: vec![],
        query: "all".into(),
        source_rows: 1,
    };
    let fields = [
        "dataset",
        "table",
        "digest",
        "length",
        "name",
        "division_column",
        // By which a changed row is known; no row is left out for it.
        "key_column",
        // Codes that are no division's today; those of today cannot be assigned.
        "assigned",
        "query",
        "source_rows",
    ];
    assert_eq!(names(&table), set(&fields));
    let fields = [
        "source",
        "dataset",
        "delivery",
        "at",
        "query",
        "division_column",
        "header",
        "rows",
        "assigned",
        "remainder_rows",
        "remainder",
        "root",
        "digest",
    ];
    assert_eq!(names(&manifest(1)), set(&fields));
    let told = names(&notice(1, "440000"));
    let fields = [
        "manifest",
        "bytes",
        "signature",
        "signer",
        "area",
        "rows",
        "proof",
        "steps",
        "salt",
        "part",
        "difference",
        "base",
        "delta",
        "leaves",
        "digest",
        "length",
        "name",
    ];
    assert_eq!(told, set(&fields));
    let delivered = ReturnFlowEvent::Delivered {
        delivery: 1,
        rows: 1,
        verified_at: NOW,
    };
    assert_eq!(
        names(&delivered),
        set(&["Delivered", "delivery", "rows", "verified_at"])
    );
    let disputed = ReturnFlowEvent::Disputed {
        delivery: 1,
        finding: String::new(),
    };
    assert_eq!(names(&disputed), set(&["Disputed", "delivery", "finding"]));
}

/// R24: whoever subscribes to its own rows is a subscriber at once; no state waits for anyone's approval.
#[test]
fn a_subscription_waits_for_nobodys_consent() {
    let events = decide(None, &subscribe(), NOW).unwrap();
    assert!(matches!(
        events.as_slice(),
        [ReturnFlowEvent::Subscribed { .. }]
    ));
    let state = evolve(None, NOW, &events[0]).unwrap();
    assert!(decide(Some(&state), &deliver(1), NOW).is_ok());
}

fn number(state: &SubscriptionState) -> usize {
    match state.phase() {
        SubscriptionPhase::Subscribed => 0,
        SubscriptionPhase::Delivering { .. } => 1,
        SubscriptionPhase::Delivered(_) => 2,
        SubscriptionPhase::Disputed { .. } => 3,
    }
}

#[test]
fn every_phase_of_a_subscription_is_reached_and_none_is_a_dead_end() {
    let commands: Vec<Command> = (1..=3)
        .flat_map(|delivery| [deliver(delivery), verified(delivery), wanting(delivery)])
        .collect();
    let moves = |state: &SubscriptionState| {
        let decided = commands
            .iter()
            .filter_map(|it| decide(Some(state), it, NOW).ok());
        let after = decided.filter(|events| !events.is_empty()).map(|events| {
            let step = |state, event| evolve(Some(state), NOW, event).unwrap();
            events.iter().fold(state.clone(), step)
        });
        after.collect()
    };
    crate::exploration::Model {
        starts: vec![after(&[subscribe()])],
        phases: &["subscribed", "delivering", "delivered", "disputed"],
        last: &[],
        phase: &number,
        key: &|state| format!("{state:?}"),
        moves: &moves,
    }
    .explore();
}

/// What is owed, as hours after [`NOW`].
fn due_in(state: &SubscriptionState) -> i64 {
    state.duties()[0].term.due.millis_since(NOW) / 3_600_000
}

#[test]
fn each_delivery_meets_what_was_due_and_one_found_wanting_met_nothing() {
    // NOW is eight in the morning of Beijing, and a little.
    let state = after(&[subscribe()]);
    let owed = state.duties().remove(0);
    let source = Path::hub().child(code("mca")).unwrap();
    assert_eq!(
        (owed.duty, owed.who),
        (Duty::ReturnRows, Debtor::Authority(source))
    );
    let today = due_in(&state);
    assert!((9..=10).contains(&today));
    let at = |state: SubscriptionState, at: Moment, command: Command| {
        let events = decide(Some(&state), &command, at).unwrap();
        events.iter().fold(state, |state, event| {
            evolve(Some(state), at, event).unwrap()
        })
    };
    let early = at(state.clone(), NOW.plus_millis(1), deliver(1));
    assert_eq!(
        due_in(&early),
        today + 24,
        "made in advance, today's is made"
    );
    let late = at(state.clone(), NOW.plus_days(2), deliver(1));
    assert_eq!(
        due_in(&late),
        today + 48,
        "two days late: the next is today's"
    );
    let wanting = at(early.clone(), NOW.plus_millis(2), wanting(1));
    assert_eq!(
        wanting.duties()[0].term,
        state.duties()[0].term,
        "it was none"
    );
    let after_all = at(wanting.clone(), NOW.plus_millis(3), verified(1));
    assert_eq!(due_in(&after_all), today + 24);
    let anew = at(wanting, NOW.plus_millis(4), deliver(2));
    assert_eq!(due_in(&anew), today + 24);
}
