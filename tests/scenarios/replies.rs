//! R15, R20 to R22, R29: whose consent an application needs, what a reply may and must say, when the data is due, and what a record of use states.

use guantong_tests::{Department, World};
use sharing::act::ActBody;
use sharing::application::{GrantTerms, Phase, Reply};
use sharing::docket::DocketId;
use statute::purpose::uses_not_listed;
use statute::{
    ApplicationMaterial, Article, ClassTerms, RefusalReason, RequiredField, Role, UseRecordField,
};

use crate::correction::lawfully;
use crate::stage::{
    application, apply, code, conditional, demo, findings, grant, lapses, provider, recorded,
    reply, seen, share, use_record, use_texts,
};

/// 天河区 has applied for an entry of 和平区.
fn applied(seed: u64, terms: ClassTerms) -> (World, Department, Department, DocketId, Reply) {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", terms);
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let agreed = grant(&world, &entry);
    (world, provider, requester, docket, agreed)
}

fn proposes(
    world: &mut World,
    provider: &Department,
    docket: DocketId,
    reply: Reply,
) -> (RefusalReason, Article) {
    let operator = world.staff(provider, Role::Operator);
    lawfully(world.act(
        provider.node,
        &operator,
        ActBody::ProposeReply { docket, reply },
    ))
}

fn phase(world: &World, at: &Department, docket: DocketId) -> Phase {
    seen(world, at.node, docket).expect("held").phase
}

#[test]
pub(crate) fn an_application_goes_out_with_the_consent_of_its_own_office_alone() {
    let mut world = demo(90);
    let (ministry, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let neighbour = world.department(code("440106"), 3, "教育局");
    let application = application(&world, &requester, &ministry, &entry);
    let operator = world.staff(&requester, Role::Operator);
    let drafted = world.act(requester.node, &operator, ActBody::Apply { application });
    let docket = drafted.expect("drafted").docket.expect("a docket");
    let consent = |document| ActBody::ConsentToApply { docket, document };
    let foreign = world.staff(&neighbour, Role::SharingOfficeHead);
    let refused = lawfully(world.act(requester.node, &foreign, consent(docket.0)));
    assert_eq!(refused, (RefusalReason::NotYourDepartment, Article::R20));
    let office = world.staff(&requester, Role::SharingOfficeHead);
    let another = identity::Digest::object(b"another document");
    let (reason, article) = lawfully(world.act(requester.node, &office, consent(another)));
    assert!(matches!(reason, RefusalReason::ConsentMissing { .. }));
    assert_eq!(article, Article::R20);
    world.settle();
    assert!(seen(&world, ministry.node, docket).is_none(), "gone out");
    world
        .act(requester.node, &office, consent(docket.0))
        .expect("consented");
    world.settle();
    assert!(seen(&world, ministry.node, docket).is_some(), "received");
}

#[test]
fn a_grant_goes_beyond_neither_the_period_nor_the_purpose_applied_for() {
    let (mut world, provider, requester, docket, agreed) = applied(94, ClassTerms::Unconditional);
    let Reply::Grant { terms } = agreed.clone() else {
        panic!("a grant")
    };
    let longer = Reply::Grant {
        terms: GrantTerms {
            until: world.now.plus_days(400),
            ..terms.clone()
        },
    };
    let asked = "2027-03-09".to_owned();
    let refused = proposes(&mut world, &provider, docket, longer);
    assert_eq!(
        refused,
        (RefusalReason::PeriodExceeded { asked }, Article::R20)
    );
    let asked = "信用评级".to_owned();
    let wider = Reply::Grant {
        terms: GrantTerms {
            purpose: asked.clone(),
            ..terms.clone()
        },
    };
    let refused = proposes(&mut world, &provider, docket, wider);
    assert_eq!(
        refused,
        (RefusalReason::PurposeExceeded { asked }, Article::R25)
    );
    let open = phase(&world, &requester, docket);
    assert!(matches!(open, Phase::Received { .. }), "{open:?}");
    reply(&mut world, &provider, docket, agreed);
    world.settle();
    let held = phase(&world, &requester, docket);
    assert_eq!(held.terms(), Some(&terms), "as asked for");
}

#[test]
fn a_use_that_the_catalogue_does_not_list_is_applied_for_and_granted_only_as_one_that_it_lists() {
    let mut world = demo(95);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let mut wanted = application(&world, &requester, &provider, &entry);
    let own_words = "逐户比对临时救助申请人";
    for material in &mut wanted.materials {
        if material.kind == ApplicationMaterial::Scenario {
            material.text = own_words.into();
        }
    }
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let state = seen(&world, provider.node, docket).expect("received all the same");
    let listed = &state.entry.entry.terms;
    let unlisted = uses_not_listed(listed, &state.application.scenarios());
    assert_eq!(unlisted, [own_words], "the provider is shown it");
    let agreed = grant(&world, &entry);
    let Reply::Grant { terms } = agreed.clone() else {
        panic!("a grant")
    };
    let asked = own_words.to_owned();
    let unlisted = Reply::Grant {
        terms: GrantTerms {
            purpose: asked.clone(),
            ..terms
        },
    };
    let refused = proposes(&mut world, &provider, docket, unlisted);
    assert_eq!(
        refused,
        (RefusalReason::PurposeExceeded { asked }, Article::R15)
    );
    reply(&mut world, &provider, docket, agreed);
    world.settle();
    let held = phase(&world, &requester, docket);
    let purpose = held.terms().map(|terms| terms.purpose.as_str());
    assert_eq!(purpose, Some("社会救助资格核验"), "found to fall under it");
}

#[test]
pub(crate) fn a_grant_sets_no_condition_that_the_catalogue_does_not_hold() {
    let catalogued = "仅限核验，不得留存";
    let terms = ClassTerms::Conditional {
        scope: vec!["依法履职的政府部门".into()],
        uses: vec!["社会救助资格核验".into()],
        conditions: vec![catalogued.into()],
    };
    let (mut world, provider, requester, docket, agreed) = applied(91, terms);
    let Reply::Grant { terms } = agreed else {
        panic!("a grant")
    };
    let on = |condition: &str| Reply::Grant {
        terms: GrantTerms {
            conditions: vec![condition.to_owned()],
            ..terms.clone()
        },
    };
    let condition = "另行缴费".to_owned();
    let refused = proposes(&mut world, &provider, docket, on(&condition));
    let reason = RefusalReason::ConditionNotCatalogued { condition };
    assert_eq!(refused, (reason, Article::R15));
    reply(&mut world, &provider, docket, on(catalogued));
    world.settle();
    let state = seen(&world, requester.node, docket).expect("held");
    let granted = state.phase.terms().expect("granted");
    assert_eq!(granted.conditions, [catalogued]);
}

#[test]
pub(crate) fn a_refusal_without_reasons_reaches_nobody_and_one_with_reasons_the_requester() {
    let (mut world, provider, requester, docket, _) = applied(92, conditional());
    let basis = "《政务数据共享条例》第十五条";
    let refuse = |reasons: &str| Reply::Refuse {
        reasons: reasons.into(),
        basis: basis.into(),
    };
    let refused = proposes(&mut world, &provider, docket, refuse(" "));
    assert_eq!(refused, (RefusalReason::ReasonsRequired, Article::R21));
    world.settle();
    let waiting = phase(&world, &requester, docket);
    assert!(matches!(waiting, Phase::Received { .. }), "{waiting:?}");
    reply(&mut world, &provider, docket, refuse("超出目录列明的用途"));
    world.settle();
    let told = phase(&world, &requester, docket);
    assert!(
        matches!(&told, Phase::Refused { reasons } if reasons.contains("超出目录列明的用途")),
        "{told:?}"
    );
}

#[test]
pub(crate) fn what_was_granted_and_is_not_shared_in_twenty_working_days_is_recorded_overdue() {
    let (mut world, provider, requester, docket, agreed) = applied(93, conditional());
    reply(&mut world, &provider, docket, agreed);
    world.settle();
    let Phase::Granted { term, .. } = phase(&world, &requester, docket) else {
        panic!("granted")
    };
    // Twenty working days from Monday 9 March, Qingming (Monday 6 April) left out.
    assert_eq!(term.due.to_string(), "2026-04-07T16:00:00.000Z");
    world.step(term.due.millis_since(world.now) - 60_000);
    assert_eq!(lapses(&world, requester.node, docket), 0, "not yet");
    world.step(120_000);
    world.settle();
    for node in [provider.node, requester.node] {
        assert_eq!(lapses(&world, node, docket), 1, "late, as {node} holds it");
    }
}

#[test]
pub(crate) fn a_record_of_use_that_leaves_out_a_point_is_not_taken() {
    let mut world = demo(94);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let (docket, _) = share(&mut world, &requester, &provider, &entry);
    let user = world.staff(&requester, Role::Operator);
    let uses = |world: &World| seen(world, provider.node, docket).expect("held").uses;
    let mut bare = use_texts();
    bare.destruction.clear();
    let (bare, said) = recorded(&bare);
    world.confide(requester.node, &said);
    let record = |world: &mut World, record| {
        let body = ActBody::RecordUse { docket, record };
        world.act(requester.node, &user, body).expect("sent");
        world.settle();
    };
    record(&mut world, bare);
    assert_eq!(uses(&world), 0, "a use was taken that leaves out a point");
    let told = findings(&world, requester.node);
    let fields = vec![RequiredField::UseRecord(UseRecordField::Destruction)];
    let missing = RefusalReason::MissingField { fields }.under(Article::R29);
    assert!(
        told.iter()
            .any(|it| it.contains(&missing.reason.to_string())),
        "{told:?}"
    );
    let whole = use_record(&mut world, requester.node);
    record(&mut world, whole);
    assert_eq!(uses(&world), 1);
}
