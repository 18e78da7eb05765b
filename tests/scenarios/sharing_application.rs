//! R20-R22, R25, R29: an application climbs to the common superior and descends to the provider; the reply and the data come back.

use federation::core::{Record, Refused, query};
use sharing::act::ActBody;
use sharing::application::{DisputeStage, Material, MissingItem, Phase};
use statute::{ApplicationMaterial, Article, ClassTerms, RefusalReason, Role};

use crate::stage::{
    application, apply, code, conditional, demo, findings, grant, lapses, provider, refuse, reply,
    seen, use_record,
};

#[test]
fn a_county_applies_to_a_ministry_is_granted_and_holds_the_file() {
    let mut world = demo(10);
    let (ministry, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "政务服务数据管理局");
    let wanted = application(&world, &requester, &ministry, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().phase,
        Phase::Received { .. }
    ));
    let agreed = grant(&world, &entry);
    reply(&mut world, &ministry, docket, agreed);
    let object = world.upload(ministry.node, "低保对象.csv", b"code,name\n1,a\n2,b\n");
    let operator = world.staff(&ministry, Role::Operator);
    world
        .act(
            ministry.node,
            &operator,
            ActBody::Provide {
                docket,
                object: object.clone(),
            },
        )
        .expect("provided");
    world.settle();
    for node in [requester.node, ministry.node] {
        assert!(
            matches!(
                seen(&world, node, docket).unwrap().phase,
                Phase::Provided { .. }
            ),
            "at {node}"
        );
    }
    assert_eq!(
        world.object(requester.node, &object.digest),
        Some(&b"code,name\n1,a\n2,b\n"[..])
    );
    for between in ["440100", "440000", "100000"] {
        assert!(
            world.object(code(between), &object.digest).is_none(),
            "{between} only forwards"
        );
        assert!(
            seen(&world, code(between), docket).is_none(),
            "{between} is no party"
        );
    }
    let user = world.staff(&requester, Role::Operator);
    let record = use_record(&mut world, requester.node);
    world
        .act(requester.node, &user, ActBody::RecordUse { docket, record })
        .expect("recorded");
    world.settle();
    assert_eq!(
        seen(&world, ministry.node, docket).unwrap().uses,
        1,
        "the provider may consult the record of use (R29)"
    );
    let served = query::ledger(world.read(ministry.node), None, 1_000).unwrap();
    assert!(
        served.iter().any(
            |(_, record)| matches!(record, Record::Served { docket: of, .. } if *of == docket)
        )
    );
}

#[test]
pub(crate) fn what_is_missing_is_told_once_and_a_new_term_runs_from_the_supplement() {
    let mut world = demo(11);
    let (provider, entry) = provider(&mut world, "210100", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let mut wanted = application(&world, &requester, &provider, &entry);
    wanted
        .materials
        .retain(|material| material.kind != ApplicationMaterial::Basis);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let operator = world.staff(&provider, Role::Operator);
    let office = world.staff(&provider, Role::SharingOfficeHead);
    let missing = vec![MissingItem {
        kind: ApplicationMaterial::Basis,
        what: "请补充使用依据".into(),
    }];
    let refusal = world.act(
        provider.node,
        &operator,
        ActBody::ProposeReply {
            docket,
            reply: refuse(),
        },
    );
    assert!(
        matches!(&refusal, Err(Refused::Lawful(refusal)) if matches!(refusal.reason, RefusalReason::IncompleteMayNotBeRefused { .. })),
        "an incomplete application is not refused (R21): {refusal:?}"
    );
    world
        .act(
            provider.node,
            &operator,
            ActBody::TellMissing {
                docket,
                missing: missing.clone(),
            },
        )
        .expect("told");
    world.settle();
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().phase,
        Phase::Incomplete { .. }
    ));
    let requesting = world.staff(&requester, Role::Operator);
    let materials = vec![Material {
        kind: ApplicationMaterial::Basis,
        text: "《社会救助暂行办法》第九条".into(),
    }];
    world
        .act(
            requester.node,
            &requesting,
            ActBody::Supplement {
                docket,
                materials,
                until: None,
            },
        )
        .expect("supplemented");
    world.settle();
    assert!(matches!(
        seen(&world, provider.node, docket).unwrap().phase,
        Phase::Received { .. }
    ));
    let again = world.act(
        provider.node,
        &operator,
        ActBody::TellMissing { docket, missing },
    );
    assert!(
        matches!(&again, Err(Refused::Lawful(refusal)) if refusal.article == Article::R21),
        "once only: {again:?}"
    );
    let agreed = grant(&world, &entry);
    let unconsented = ActBody::ConsentToReply {
        docket,
        document: sharing::application::reply_document(&agreed),
    };
    assert!(
        world.act(provider.node, &office, unconsented).is_err(),
        "no reply was proposed"
    );
    reply(&mut world, &provider, docket, agreed);
    world.settle();
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().phase,
        Phase::Granted { .. }
    ));
}

#[test]
pub(crate) fn a_proposed_reply_is_not_known_to_the_requester_before_consent() {
    let mut world = demo(12);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let operator = world.staff(&provider, Role::Operator);
    world
        .act(
            provider.node,
            &operator,
            ActBody::ProposeReply {
                docket,
                reply: refuse(),
            },
        )
        .expect("proposed");
    world.settle();
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().phase,
        Phase::Received { .. }
    ));
    reply(&mut world, &provider, docket, refuse());
    world.settle();
    let state = seen(&world, requester.node, docket).unwrap();
    assert!(matches!(&state.phase, Phase::Refused { reasons } if !reasons.is_empty()));
    assert!(matches!(state.dispute, DisputeStage::None));
}

#[test]
fn an_application_made_while_the_province_is_cut_off_arrives_once_when_it_heals() {
    let mut world = demo(13);
    let (ministry, entry) = provider(&mut world, "mps", ClassTerms::Unconditional);
    world.settle();
    world.cut(code("440000"));
    world.step(1_000);
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &ministry, &entry);
    let docket = apply(&mut world, &requester, wanted);
    for _ in 0..20 {
        world.step(6_000);
    }
    assert!(seen(&world, ministry.node, docket).is_none());
    assert_eq!(
        query::drafts(world.read(requester.node), 10).unwrap().len(),
        0
    );
    world.heal(code("440000"));
    world.settle();
    let events = query::docket(world.read(ministry.node), docket)
        .unwrap()
        .expect("arrived")
        .events;
    assert_eq!(events.len(), 1, "exactly once");
    assert!(matches!(
        seen(&world, requester.node, docket).unwrap().phase,
        Phase::Received { .. }
    ));
}

#[test]
fn an_unpublished_entry_cannot_be_applied_for_and_the_requester_is_told_why() {
    let mut world = demo(14);
    let (department, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let mut wanted = application(&world, &requester, &department, &entry);
    wanted.entry = "3/100000/999999".parse().unwrap();
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    assert!(seen(&world, requester.node, docket).is_none());
    assert!(
        findings(&world, requester.node)
            .iter()
            .any(|finding| finding.contains("refused an act")),
        "{:?}",
        findings(&world, requester.node)
    );
}

#[test]
pub(crate) fn a_reply_not_given_in_time_is_recorded_overdue_once() {
    let mut world = demo(15);
    let (ministry, entry) = provider(&mut world, "mps", ClassTerms::Unconditional);
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &ministry, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    // Received on a Monday: one working day ends on Tuesday at 24:00 in Beijing.
    let Phase::Received { term } = seen(&world, ministry.node, docket).unwrap().phase else {
        panic!("received")
    };
    assert_eq!(term.due.to_string(), "2026-03-10T16:00:00.000Z");
    world.step(term.due.millis_since(world.now) - 1);
    assert_eq!(
        lapses(&world, ministry.node, docket),
        0,
        "not before its time"
    );
    for _ in 0..5 {
        world.step(3_600_000);
    }
    assert_eq!(lapses(&world, ministry.node, docket), 1, "overdue once");
    world.settle();
    assert_eq!(lapses(&world, requester.node, docket), 1);
    assert_eq!(
        world.status(ministry.node).health[0]
            .report
            .as_ref()
            .unwrap()
            .overdue,
        1
    );
}
