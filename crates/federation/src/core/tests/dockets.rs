//! Dockets: only their home orders them, only what the law names is their home, and nothing that arrives can stop a node.

use sharing::act::{ActBody, ObjectRef};
use sharing::application::{DisputeStage, GrantTerms, Material, Reply};
use sharing::clock::{ClockEvent, Debtor};
use sharing::dispute::{NegotiationOutcome, NegotiationStep};
use sharing::docket::{
    Case, DocketBody, DocketEvent, DocketId, Entering, MAX_EVENT_BYTES, Tip, append,
};
use sharing::need::{LevelAsked, Need, NeedAct, NeedEvent, NeedStep, Said};
use sharing::return_flow::ReturnTable;
use statute::{ApplicationMaterial, Duty, Method, Role};

use super::case::{act, application, apply, federation, sign};
use super::*;
use crate::core::SplitTable;
use crate::core::record::Record;
use crate::core::tables::{DocketRow, View, docket_key, event_key};
use crate::store::{Read, Table};
use crate::wire::{Payload, Question};

fn row(net: &Net, at: &str, docket: DocketId) -> Option<DocketRow> {
    let store: &dyn Read = net.store(at);
    store.row(Table::Dockets, &docket_key(&docket)).unwrap()
}

fn dispute(net: &Net, at: &str, docket: DocketId) -> DisputeStage {
    match row(net, at, docket).unwrap().state.case {
        Case::Application(state) => state.dispute,
        other => panic!("{other:?}"),
    }
}

fn receive(net: &mut Net, at: &str, from: &str, payload: Payload) {
    let from = member(from);
    net.batch(code(at), |core, ctx| core.received(ctx, &from, payload));
    net.settle();
}

/// What a node hears when it asks the levels above for these items and nobody answers.
fn asked_in_vain(net: &mut Net, at: &str, items: &[&str]) -> Vec<LevelAsked> {
    let question = Question::Items(items.iter().map(|it| (*it).to_owned()).collect());
    let search = Input::Search {
        token: Token(9),
        question,
        limit: 100,
    };
    net.input(code(at), search);
    let above = std::iter::successors(path(at).parent(), Path::parent);
    let silent = |node| LevelAsked {
        node,
        said: Said::Silent,
    };
    above.map(silent).collect()
}

/// What a node signs as the next event of a docket, as if it were its home.
fn event(by: &str, docket: DocketId, tip: Option<Tip>, body: DocketBody) -> Payload {
    let (home, checkpoint) = (path(by), (0, Digest::from_bytes([0; 32])));
    let entering = Entering {
        docket,
        home: &home,
        at: NOW,
        checkpoint,
    };
    let signed = append(tip, entering, body, &node_key(code(by))).unwrap();
    Payload::Events {
        home: chain(by),
        events: vec![signed],
    }
}

fn stored(net: &Net, at: &str, docket: DocketId, sequence: u32) -> DocketEvent {
    let store: &dyn Read = net.store(at);
    let body: Digest = store
        .row(Table::DocketEvents, &event_key(&docket, sequence))
        .unwrap()
        .unwrap();
    let signed: Signed<DocketEvent> = store.body_as(&body).unwrap();
    signed.claimed(MAX_EVENT_BYTES).unwrap()
}

fn told(net: &Net, at: &str, what: &str) -> bool {
    net.findings(at).iter().any(|it| it.en.contains(what))
}

#[test]
fn no_node_but_its_home_adds_to_a_docket() {
    let mut net = federation();
    let docket = apply(&mut net, application("社会救助资格核验"));
    let copy = row(&net, GUANGZHOU, docket).expect("the copy");
    let home = row(&net, LIAONING, docket).expect("the docket");
    assert_eq!((&copy.home, copy.next), (&path(LIAONING), home.next));
    let tip = Some(Tip {
        sequence: copy.next - 1,
        digest: copy.last,
    });
    let late = DocketBody::Clock(ClockEvent::Overdue {
        duty: Duty::Provide,
        arises: NOW,
        due: NOW,
        who: Debtor::Authority(path(LIAONING)),
    });
    // The other party at the home itself, and any member at the party's copy.
    receive(
        &mut net,
        LIAONING,
        GUANGZHOU,
        event(GUANGZHOU, docket, tip, late.clone()),
    );
    receive(
        &mut net,
        GUANGZHOU,
        GUANGDONG,
        event(GUANGDONG, docket, tip, late),
    );
    assert_eq!(row(&net, LIAONING, docket), Some(home));
    assert_eq!(row(&net, GUANGZHOU, docket), Some(copy));
    for place in [LIAONING, GUANGZHOU] {
        assert!(!net.findings(place).is_empty(), "{place} is told");
    }
}

#[test]
fn no_node_opens_a_docket_in_anothers_place() {
    let mut net = federation();
    let docket = apply(&mut net, application("社会救助资格核验"));
    let opening = stored(&net, LIAONING, docket, 0).body;
    let mut elsewhere = federation();
    receive(
        &mut elsewhere,
        GUANGZHOU,
        GUANGDONG,
        event(GUANGDONG, docket, None, opening.clone()),
    );
    assert_eq!(row(&elsewhere, GUANGZHOU, docket), None);
    assert!(told(&elsewhere, GUANGZHOU, "not the node to open it"));
    receive(
        &mut elsewhere,
        GUANGZHOU,
        LIAONING,
        event(LIAONING, docket, None, opening),
    );
    assert!(row(&elsewhere, GUANGZHOU, docket).is_some(), "its home may");
}

#[test]
fn a_command_moves_a_docket_at_its_home_only() {
    let mut net = federation();
    let docket = apply(&mut net, application("社会救助资格核验"));
    let before = row(&net, GUANGZHOU, docket);
    let missing = vec![sharing::application::MissingItem {
        kind: ApplicationMaterial::Basis,
        what: "依据文号".into(),
    }];
    let act = sign(
        LIAONING,
        Role::Operator,
        9,
        ActBody::TellMissing { docket, missing },
    );
    receive(
        &mut net,
        GUANGZHOU,
        LIAONING,
        Payload::Command {
            docket,
            act: act.clone(),
        },
    );
    assert_eq!(
        row(&net, GUANGZHOU, docket),
        before,
        "a copy is not stepped"
    );
}

#[test]
fn an_application_too_large_to_travel_is_refused_where_it_is_drafted_and_where_it_arrives() {
    let mut net = federation();
    let mut large = application("社会救助资格核验");
    let material = Material {
        kind: ApplicationMaterial::Basis,
        text: "长".repeat(8_000),
    };
    large.materials.extend(std::iter::repeat_n(material, 50));
    let body = ActBody::Apply { application: large };
    let refused = act(&mut net, GUANGZHOU, Role::Operator, body.clone());
    assert!(
        matches!(&refused, Err(crate::core::Refused::Lawful(refusal)) if refusal.article == statute::Article::R20),
        "{refused:?}"
    );
    // A node that does not keep to it sends it all the same.
    let apply = sign(GUANGZHOU, Role::Operator, 5, body);
    let docket = DocketId(apply.id().0);
    let consent = sign(
        GUANGZHOU,
        Role::SharingOfficeHead,
        6,
        ActBody::ConsentToApply {
            docket,
            document: docket.0,
        },
    );
    receive(
        &mut net,
        LIAONING,
        GUANGZHOU,
        Payload::OpenApplication {
            apply,
            consent,
            risk: None,
        },
    );
    assert_eq!(row(&net, LIAONING, docket), None);
    let refusals = net
        .store(LIAONING)
        .records
        .iter()
        .filter(|bytes| matches!(codec::decode(bytes, 1 << 20), Ok(Record::Refused { .. })));
    assert_eq!(refusals.count(), 1);
}

#[test]
fn a_duty_runs_on_the_clock_of_its_home_alone() {
    let mut net = federation();
    let docket = apply(&mut net, application("社会救助资格核验"));
    let duties = |net: &Net, at| {
        net.store(at)
            .scan(Table::Duties, b"", None, 10)
            .unwrap()
            .len()
    };
    assert_eq!((duties(&net, LIAONING), duties(&net, GUANGZHOU)), (1, 0));
    let before = row(&net, LIAONING, docket).unwrap().next;
    net.pass(40 * 86_400_000);
    net.pass(6_000);
    assert_eq!(
        row(&net, LIAONING, docket).unwrap().next,
        before + 1,
        "recorded once"
    );
    assert_eq!(duties(&net, LIAONING), 0);
    assert_eq!(
        row(&net, GUANGZHOU, docket).unwrap().next,
        before + 1,
        "and told"
    );
}

/// A docket whose reply is overdue and proposed, and over which the requester has raised a dispute with this act.
fn disputed(net: &mut Net) -> (DocketId, sharing::act::SignedAct) {
    let docket = apply(net, application("社会救助资格核验"));
    net.pass(40 * 86_400_000);
    let terms = GrantTerms {
        items: vec!["名称".into()],
        purpose: "社会救助资格核验".into(),
        until: NOW.plus_days(100),
        method: Method::FileDownload,
        conditions: Vec::new(),
    };
    let before = row(net, GUANGZHOU, docket).unwrap().next;
    act(
        net,
        LIAONING,
        Role::Operator,
        ActBody::ProposeReply {
            docket,
            reply: Reply::Grant { terms },
        },
    )
    .unwrap();
    assert_eq!(
        row(net, GUANGZHOU, docket).unwrap().next,
        before,
        "not for the requester yet"
    );
    let claim = ActBody::RaiseDispute {
        docket,
        claim: "逾期未答复".into(),
    };
    act(net, GUANGZHOU, Role::SharingOfficeHead, claim.clone()).unwrap();
    (docket, sign(GUANGZHOU, Role::SharingOfficeHead, 1, claim))
}

#[test]
fn a_reply_kept_back_does_not_keep_a_dispute_back() {
    let mut net = federation();
    let (docket, _) = disputed(&mut net);
    assert!(matches!(
        dispute(&net, GUANGZHOU, docket),
        DisputeStage::Negotiating { .. }
    ));
    assert_eq!(
        row(&net, GUANGZHOU, docket).unwrap().last,
        row(&net, LIAONING, docket).unwrap().last
    );
}

#[test]
fn an_act_that_comes_again_in_another_envelope_has_no_second_effect() {
    let mut net = federation();
    let (docket, raised) = disputed(&mut net);
    let step = NegotiationStep {
        statement: "已协商一致".into(),
        outcome: NegotiationOutcome::Settled,
    };
    act(
        &mut net,
        GUANGZHOU,
        Role::SharingOfficeHead,
        ActBody::Negotiate { docket, step },
    )
    .unwrap();
    assert_eq!(dispute(&net, LIAONING, docket), DisputeStage::Settled);
    let before = row(&net, LIAONING, docket);
    receive(
        &mut net,
        LIAONING,
        GUANGZHOU,
        Payload::Command {
            docket,
            act: raised,
        },
    );
    assert_eq!(row(&net, LIAONING, docket), before);
}

#[test]
fn two_tables_of_one_dataset_are_two_deliveries() {
    let mut net = federation();
    let table = |name: &str| ReturnTable {
        dataset: "jiehun".parse().unwrap(),
        query: "select * from t".into(),
        division_column: "code".into(),
        key_column: None,
        assigned: vec![],
        table: ObjectRef {
            digest: Digest::object(name.as_bytes()),
            length: 1,
            name: name.into(),
        },
        source_rows: 0,
    };
    for name in ["一月", "二月"] {
        act(
            &mut net,
            LIAONING,
            Role::Operator,
            ActBody::ReturnTable { table: table(name) },
        )
        .unwrap();
    }
    let asked = |net: &Net| -> Vec<_> {
        let split = |effect: &(Code, Effect)| match &effect.1 {
            Effect::SplitTable { act, manifest, .. } => Some((*act, (**manifest).clone())),
            _ => None,
        };
        net.effects.iter().filter_map(split).collect()
    };
    let first = asked(&net);
    assert_eq!(
        first
            .iter()
            .map(|(_, manifest)| manifest.delivery)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    for (act, manifest) in first {
        let outcome = Ok(SplitTable {
            manifest,
            parts: Vec::new(),
        });
        net.input(code(LIAONING), Input::TableSplit { act, outcome });
    }
    let (act, manifest) = asked(&net).pop().unwrap();
    assert_eq!(
        manifest.delivery, 2,
        "asked for again under the next number"
    );
    let outcome = Ok(SplitTable {
        manifest,
        parts: Vec::new(),
    });
    net.input(code(LIAONING), Input::TableSplit { act, outcome });
    let committed = net
        .store(LIAONING)
        .records
        .iter()
        .filter(|bytes| matches!(codec::decode(bytes, 1 << 20), Ok(Record::Delivery { .. })));
    assert_eq!(committed.count(), 2);
}

#[test]
fn a_fetch_that_fails_is_tried_less_and_less_and_told_less_and_less() {
    let mut net = Net::new(&[HUB]);
    let core = &mut net.nodes.get_mut(&code(HUB)).unwrap().core;
    let told: Vec<u32> = (1..=20)
        .filter(|_| core.fetch_failed(vec![1], NOW))
        .collect();
    assert_eq!(told, [1, 2, 4, 8, 16]);
}

#[test]
fn an_id_in_use_stays_with_the_neighbour_that_asked_first() {
    let mut net = Net::new(&[HUB]);
    let (first, second) = (net.stranger(HUB, GUANGDONG), net.stranger(HUB, LIAONING));
    let query = crate::wire::SearchId {
        origin: code(GUANGZHOU),
        number: 1,
    };
    for link in [first, second] {
        let (question, limit) = (Question::Words("低保".into()), 10);
        let search = Frame::Search {
            query,
            question,
            limit,
        };
        net.say(HUB, link, search);
    }
    net.sent(first);
    net.sent(second);
    net.input(
        code(HUB),
        Input::SearchDone {
            query,
            hits: Vec::new(),
        },
    );
    assert_eq!((net.sent(first).len(), net.sent(second).len()), (1, 0));
}

#[test]
fn an_act_opens_a_docket_at_the_home_it_names_and_nowhere_else() {
    let mut net = federation();
    let body = ActBody::Update(sharing::update::UpdateAct::Report {
        entry: "3/LS/000001".parse().unwrap(),
        provider: application("社会救助资格核验").requester,
        changed_on: NOW,
        cause: statute::ChangeCause::LawChanged,
        text: "职责调整".into(),
    });
    let act = sign(GUANGZHOU, Role::Operator, 77, body);
    let docket = DocketId(act.id().0);
    receive(&mut net, LIAONING, GUANGZHOU, Payload::Open { act });
    assert!(row(&net, LIAONING, docket).is_none());
    let store: &dyn Read = net.store(LIAONING);
    let last = crate::core::query::ledger(store, None, 1_000).unwrap();
    let refused = last.iter().any(|(_, record)| {
        matches!(record, Record::Refused { refusal, .. }
            if matches!(refusal.reason, statute::RefusalReason::UnknownDocket { .. }))
    });
    assert!(refused, "and the refusal is on record");
}

#[test]
fn a_need_comes_from_the_node_of_the_department_that_has_it_and_closes_for_those_it_reached() {
    let mut net = federation();
    let need = Need {
        title: "个体工商户纳税情况".into(),
        items: vec!["纳税信用等级".into()],
        purpose: "社会救助资格核验".into(),
        basis: "《社会救助暂行办法》第九条".into(),
        searched: "本级和各上级目录，未见".into(),
        considered: vec![],
        asked: asked_in_vain(&mut net, GUANGZHOU, &["纳税信用等级"]),
    };
    let report = ActBody::Need(NeedAct::Report(need));
    let answer = act(&mut net, GUANGZHOU, Role::Operator, report).unwrap();
    let docket = answer.docket.unwrap();
    let opening = stored(&net, GUANGZHOU, docket, 0).body;
    let mut elsewhere = federation();
    let another = event(GUANGDONG, docket, None, opening.clone());
    receive(&mut elsewhere, LIAONING, GUANGDONG, another);
    assert_eq!(row(&elsewhere, LIAONING, docket), None);
    assert!(told(&elsewhere, LIAONING, "not the node to open it"));
    // Its own node may: whom it will be matched to is not known yet. That it closes is nothing to whoever it never reached.
    let opened = event(GUANGZHOU, docket, None, opening);
    let Payload::Events { events, .. } = &opened else {
        panic!("events")
    };
    let tip = Some(Tip::of(0, &events[0]));
    receive(&mut elsewhere, LIAONING, GUANGZHOU, opened);
    let held = row(&elsewhere, LIAONING, docket);
    assert!(held.is_some());
    let step = NeedStep::Withdraw;
    let said = ActBody::Need(NeedAct::Take {
        docket,
        step: step.clone(),
    });
    let act = sign(GUANGZHOU, Role::Operator, 3, said);
    let closed = DocketBody::Need(NeedEvent::Taken { act, step });
    let closed = event(GUANGZHOU, docket, tip, closed);
    receive(&mut elsewhere, LIAONING, GUANGZHOU, closed);
    assert_eq!(row(&elsewhere, LIAONING, docket), held);
    assert!(told(&elsewhere, LIAONING, "this node is no party"));
}
