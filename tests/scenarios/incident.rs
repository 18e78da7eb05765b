//! R34, R35: a security incident is seen above, contained by acts that take effect at once, and closed in order.

use federation::core::{Refused, query};
use guantong_tests::stage::Acting;
use guantong_tests::{Department, Person, World, key};
use identity::{Code, EnrolmentRequest, RevocationReason};
use sharing::act::{ActBody, ObjectRef};
use sharing::application::{Access, Application, GrantAct, GrantStep, Phase};
use sharing::catalogue::Entry;
use sharing::docket::{Case, DocketId, Workflow};
use sharing::incident::{
    Concerned, IncidentAct, IncidentPhase, IncidentReport, IncidentState, IncidentStep, Measure,
};
use statute::{
    Article, Duty, Grade, GrantStanding, IncidentField, Refusal, RefusalReason, RequiredField,
    Role, Severity,
};

use crate::stage::{
    application, apply, circuit, code, conditional, demo, findings, grant, provider, publish,
    reply, seen, share,
};

const DAY_MS: i64 = 86_400_000;

fn report(world: &World, severity: Severity) -> IncidentReport {
    IncidentReport {
        happened: "数据库被非法访问".into(),
        noticed: world.now,
        severity,
        grade: Grade::General,
        dockets: Vec::new(),
        entries: Vec::new(),
    }
}

/// Does something about an incident; the docket, or the refusal.
fn does(
    world: &mut World,
    node: Code,
    person: &Person,
    act: IncidentAct,
) -> Result<DocketId, Refusal> {
    match world.act(node, person, ActBody::Incident(act)) {
        Ok(answer) => Ok(answer.docket.expect("a docket")),
        Err(Refused::Lawful(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

fn step(docket: DocketId, step: IncidentStep) -> IncidentAct {
    IncidentAct::Step { docket, step }
}

fn contain(docket: DocketId, measure: Measure) -> IncidentAct {
    step(docket, IncidentStep::Contain(measure))
}

fn start(docket: DocketId) -> IncidentAct {
    let plan = "数据安全事件应急预案".into();
    step(docket, IncidentStep::StartPlan { plan })
}

fn acknowledge(docket: DocketId) -> IncidentAct {
    let instructions = "立即排查同类系统".into();
    step(docket, IncidentStep::Acknowledge { instructions })
}

fn close(docket: DocketId, cause: &str) -> IncidentAct {
    let closing = IncidentStep::Close {
        cause: cause.into(),
        remedy: "已更换口令并复测".into(),
        report: "处置报告〔2026〕1号".into(),
    };
    step(docket, closing)
}

/// An incident as a node holds it.
fn held(world: &World, node: &str, docket: DocketId) -> Option<IncidentState> {
    let held = world.ask(code(node), |store| query::docket(store, docket))?;
    match held.docket.state.case {
        Case::Incident(state) => Some(*state),
        _ => None,
    }
}

fn told(world: &World, node: &str, what: &str) -> usize {
    let all = findings(world, code(node));
    all.iter().filter(|finding| finding.contains(what)).count()
}

#[test]
fn an_incident_is_seen_by_the_superior_and_a_major_one_up_to_the_hub_which_instructs() {
    let mut world = demo(70);
    let county = code("440106");
    let department = world.department(county, 2, "民政局");
    let operator = world.staff(&department, Role::Operator);
    let general = IncidentAct::Report(report(&world, Severity::General));
    let small = does(&mut world, county, &operator, general).expect("reported");
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let major = IncidentAct::Report(report(&world, Severity::Major));
    let grave = does(&mut world, county, &reviewer, major).expect("reported");
    world.settle();
    let reports = "440106 reports an incident";
    for (node, small_too) in [("440100", true), ("440000", false), ("100000", false)] {
        assert_eq!(held(&world, node, small).is_some(), small_too, "{node}");
        assert!(held(&world, node, grave).is_some(), "{node}");
        assert_eq!(told(&world, node, reports), 1 + usize::from(small_too));
    }
    assert!(held(&world, "210102", grave).is_none());
    let above = world.status(code("440100")).health;
    let seen = above.iter().find(|it| it.node.code() == county);
    let seen = seen.and_then(|it| it.report.as_ref()).expect("its health");
    assert_eq!(seen.open_incidents, 2);

    let hub = world.authority_head(Code::HUB);
    let early = does(&mut world, Code::HUB, &hub, acknowledge(small)).unwrap_err();
    assert!(matches!(early.reason, RefusalReason::UnknownDocket { .. }));
    assert_eq!(early.article, Article::R35, "the hub was not told of it");
    does(&mut world, Code::HUB, &hub, acknowledge(grave)).expect("sent");
    world.settle();
    for node in ["440106", "440100", "100000"] {
        let state = held(&world, node, grave).expect("held");
        assert_eq!(state.acknowledged, [Code::HUB], "as {node} holds it");
    }
    assert_eq!(told(&world, "440106", "100000 has the report"), 1);
    let own = does(&mut world, county, &reviewer, acknowledge(grave)).unwrap_err();
    assert_eq!(own.article, Article::R35);
    assert!(matches!(own.reason, RefusalReason::NotTheSupervisor { .. }));
}

/// 天河区 has data of 和平区 twice, and reports a leak of it.
struct Leak {
    world: World,
    requester: Department,
    provider: Department,
    shared: Vec<(DocketId, ObjectRef)>,
    incident: DocketId,
}

fn leak(seed: u64) -> Leak {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let shared: Vec<_> = (0..2)
        .map(|_| share(&mut world, &requester, &provider, &entry))
        .collect();
    let home = world.place(provider.node);
    let concerned = |(docket, _): &(DocketId, ObjectRef)| Concerned {
        docket: *docket,
        home: home.clone(),
    };
    let mut leaked = report(&world, Severity::Larger);
    leaked.dockets = shared.iter().map(concerned).collect();
    let operator = world.staff(&requester, Role::Operator);
    let act = IncidentAct::Report(leaked);
    let incident = does(&mut world, requester.node, &operator, act).expect("reported");
    world.settle();
    Leak {
        world,
        requester,
        provider,
        shared,
        incident,
    }
}

impl Leak {
    fn suspend(&self, grants: Vec<DocketId>) -> IncidentAct {
        let measure = Measure::SuspendGrants {
            grants,
            reasons: "发生数据泄露，防止危害扩大".into(),
            rectify_by: self.world.now.plus_days(10),
        };
        contain(self.incident, measure)
    }

    fn circuits(&self) -> Vec<Result<(), Refusal>> {
        let ends = (self.requester.node, self.provider.node);
        let open =
            |(docket, object): &(DocketId, ObjectRef)| circuit(&self.world, ends, *docket, object);
        self.shared.iter().map(open).collect()
    }
}

#[test]
fn grants_are_suspended_by_one_act_where_the_data_is_provided_and_the_requester_sees_why() {
    let mut leak = leak(71);
    assert_eq!(leak.circuits(), [Ok(()), Ok(())]);
    assert!(held(&leak.world, "210102", leak.incident).is_some(), "told");
    let grants: Vec<_> = leak.shared.iter().map(|(docket, _)| *docket).collect();
    let (node, there) = (leak.provider.node, leak.requester.node);
    let reviewer = leak.world.authority(node, Role::AuthorityReviewer);
    let act = leak.suspend(grants.clone());
    does(&mut leak.world, node, &reviewer, act).expect("suspended");
    let standing = GrantStanding::Suspended;
    let closed = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
    assert_eq!(
        leak.circuits(),
        [Err(closed.clone()), Err(closed)],
        "at once, before anything has travelled"
    );
    leak.world.settle();
    for docket in &grants {
        let state = seen(&leak.world, there, *docket).expect("held");
        assert!(matches!(state.standing.access, Access::Suspended { .. }));
        let told = crate::stage::events(&leak.world, there, *docket);
        let act = told.last().expect("an event").body.acts()[0].body();
        let said = act.map(|body| format!("{body:?}")).unwrap_or_default();
        assert!(said.contains("发生数据泄露"), "why: {said}");
    }
    let home = held(&leak.world, "440106", leak.incident).expect("held");
    assert_eq!(home.measures, 1, "the measure stands in the incident");
    assert_eq!(Some(home), held(&leak.world, "440100", leak.incident));

    let docket = grants[0];
    let restore = ActBody::Grant(GrantAct {
        docket,
        step: GrantStep::Restore {
            reasons: "泄露已堵塞".into(),
        },
    });
    leak.world.act(node, &reviewer, restore).expect("restored");
    leak.world.settle();
    assert_eq!(leak.circuits()[0], Ok(()));
}

/// What 和平区 has granted and not provided is suspended in an incident of its own: nothing is provided until it is restored, and the twenty working
/// days of R22 rest meanwhile. Nobody suspends it in any other way.
#[test]
fn a_grant_that_is_not_provided_yet_is_suspended_in_an_incident_and_its_time_rests() {
    let mut world = demo(76);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let agreed = grant(&world, &entry);
    reply(&mut world, &provider, docket, agreed);
    world.settle();
    let due = |world: &World| match seen(world, requester.node, docket).expect("held").phase {
        Phase::Granted { term, .. } => term.due.to_string(),
        other => panic!("granted: {other:?}"),
    };
    assert_eq!(due(&world), "2026-04-07T16:00:00.000Z", "twenty of them");
    // Friday the 13th: sixteen working days are left.
    world.step(4 * DAY_MS);
    world.settle();
    let node = provider.node;
    let reasons = || "发生数据泄露，防止危害扩大".to_owned();
    let rectify_by = world.now.plus_days(30);
    let office = world.staff(&provider, Role::SharingOfficeHead);
    let alone = ActBody::Grant(GrantAct {
        docket,
        step: GrantStep::Suspend {
            reasons: reasons(),
            rectify_by,
        },
    });
    let refused = world.act(node, &office, alone).expect_err("no incident");
    assert!(
        matches!(&refused, Refused::Lawful(refusal) if refusal.article == Article::R27),
        "a provider does not stop its own clock: {refused:?}"
    );
    let operator = world.staff(&provider, Role::Operator);
    let leaked = IncidentAct::Report(report(&world, Severity::Larger));
    let incident = does(&mut world, node, &operator, leaked).expect("reported");
    let reviewer = world.authority(node, Role::AuthorityReviewer);
    let measure = Measure::SuspendGrants {
        grants: vec![docket],
        reasons: reasons(),
        rectify_by,
    };
    does(&mut world, node, &reviewer, contain(incident, measure)).expect("suspended");
    world.settle();
    for at in [node, requester.node] {
        let state = seen(&world, at, docket).expect("held");
        assert!(matches!(state.standing.access, Access::Suspended { .. }));
        let owed: Vec<_> = state.duties().iter().map(|it| it.duty).collect();
        assert_eq!(owed, [Duty::Rectify], "nobody owes what is forbidden");
    }
    let told = findings(&world, requester.node);
    let of_it = |it: &&String| it.contains("is suspended") && it.contains("Art. 35");
    assert_eq!(told.iter().filter(of_it).count(), 1, "{told:?}");
    let object = world.upload(node, "低保对象.csv", b"code\n1\n");
    let provide = || ActBody::Provide {
        docket,
        object: object.clone(),
    };
    let standing = GrantStanding::Suspended;
    let closed = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
    let refused = world.act(node, &operator, provide());
    assert!(
        matches!(&refused, Err(Refused::Lawful(refusal)) if *refusal == closed),
        "{refused:?}"
    );
    // Restored on Friday the 20th: the sixteen are counted from Monday, over the holiday of 清明.
    world.step(7 * DAY_MS);
    world.settle();
    let restore = ActBody::Grant(GrantAct {
        docket,
        step: GrantStep::Restore {
            reasons: "泄露已堵塞".into(),
        },
    });
    world.act(node, &reviewer, restore).expect("restored");
    world.settle();
    assert_eq!(due(&world), "2026-04-14T16:00:00.000Z", "what was left");
    world.step(1_000);
    world.act(node, &operator, provide()).expect("provided");
    world.settle();
    let state = seen(&world, requester.node, docket).expect("held");
    assert!(matches!(state.phase, Phase::Provided { .. }));
}

#[test]
fn grants_not_provided_here_an_unknown_docket_and_the_wrong_role_suspend_nothing() {
    let mut leak = leak(72);
    let grants: Vec<_> = leak.shared.iter().map(|(docket, _)| *docket).collect();
    let (node, there) = (leak.provider.node, leak.requester.node);
    let holder = leak.world.authority(there, Role::AuthorityReviewer);
    let elsewhere = leak.suspend(grants.clone());
    let refused = does(&mut leak.world, there, &holder, elsewhere).unwrap_err();
    let docket = grants[0].to_string();
    let not_here = RefusalReason::GrantNotProvidedHere { docket };
    assert_eq!(refused, not_here.under(Article::R35));
    let reviewer = leak.world.authority(node, Role::AuthorityReviewer);
    let one_is_none = leak.suspend(vec![grants[0], leak.incident]);
    let refused = does(&mut leak.world, node, &reviewer, one_is_none).unwrap_err();
    assert!(matches!(
        refused.reason,
        RefusalReason::GrantNotProvidedHere { .. }
    ));
    let what = "停用接口".into();
    let unknown = contain(grants[0], Measure::Other { what });
    let refused = does(&mut leak.world, node, &reviewer, unknown).unwrap_err();
    assert_eq!(refused.article, Article::R35);
    assert!(matches!(
        refused.reason,
        RefusalReason::UnknownDocket { .. }
    ));
    let operator = leak.world.staff(&leak.provider, Role::Operator);
    let act = leak.suspend(grants);
    let refused = does(&mut leak.world, node, &operator, act).unwrap_err();
    assert_eq!(refused.article, Article::R35);
    assert!(matches!(
        refused.reason,
        RefusalReason::RoleNotEntitled { .. }
    ));
    leak.world.settle();
    assert_eq!(leak.circuits(), [Ok(()), Ok(())], "nothing took effect");
    assert_eq!(
        held(&leak.world, "440106", leak.incident).unwrap().measures,
        0
    );
}

/// The number of a child's newest certificate.
fn serial(world: &World, parent: Code, child: Code) -> u64 {
    let (chain, _) = query::chain(world.read(parent), child)
        .expect("memory")
        .expect("a child's chain");
    chain.claimed().expect("a certificate").serial
}

/// The authority of 广州市 reports an incident at its own node.
fn at_the_city(seed: u64) -> (World, Person, DocketId) {
    let mut world = demo(seed);
    let city = code("440100");
    let head = world.authority_head(city);
    let act = IncidentAct::Report(report(&world, Severity::Larger));
    let incident = does(&mut world, city, &head, act).expect("reported");
    world.settle();
    (world, head, incident)
}

fn linked(world: &World, node: Code, to: Code) -> bool {
    let links = world.status(node).links;
    links.iter().any(|link| link.code == to && link.up)
}

#[test]
fn a_node_that_is_cut_off_neither_links_nor_sends_and_every_level_learns_of_it() {
    let (mut world, head, incident) = at_the_city(73);
    let (city, county, sibling) = (code("440100"), code("440104"), code("440106"));
    let (provider, entry) = provider(&mut world, "440106", conditional());
    let requester = world.department(county, 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let before = apply(&mut world, &requester, wanted.clone());
    world.settle();
    assert!(seen(&world, sibling, before).is_some() && linked(&world, city, county));
    let serial = serial(&world, city, county);
    let cut = |docket| {
        let measure = Measure::CutOff {
            node: county,
            serial,
            reason: RevocationReason::KeyCompromise,
        };
        contain(docket, measure)
    };
    let reviewer = world.authority(city, Role::AuthorityReviewer);
    let refused = does(&mut world, city, &reviewer, cut(incident)).unwrap_err();
    assert_eq!(refused.article, Article::R35);
    assert!(matches!(
        refused.reason,
        RefusalReason::RoleNotEntitled { .. }
    ));
    let own = world.authority_head(sibling);
    let act = IncidentAct::Report(report(&world, Severity::General));
    let theirs = does(&mut world, sibling, &own, act).expect("reported");
    let refused = does(&mut world, sibling, &own, cut(theirs)).unwrap_err();
    let node = county.to_string();
    let not_its_child = RefusalReason::CertificateNotInForce {
        node: node.clone(),
        serial,
    };
    assert_eq!(refused, not_its_child.under(Article::R35));
    assert!(linked(&world, city, county), "nothing took effect");

    does(&mut world, city, &head, cut(incident)).expect("cut off");
    assert!(!linked(&world, city, county), "at once");
    world.step(6_000);
    let again = drafted(&mut world, &requester, wanted);
    let refused = consented(&mut world, &requester, again).unwrap_err();
    let by = city.to_string();
    let cut_off = RefusalReason::NodeCutOff { node, by, serial };
    assert_eq!(refused, cut_off.under(Article::R35), "it was told");
    world.settle();
    assert!(!linked(&world, city, county), "and not taken again");
    assert!(seen(&world, sibling, again).is_none(), "nothing is sent");
    for node in ["440106", "440000", "100000"] {
        // What every node asks before it takes a link or a circuit.
        let revoked = query::is_revoked(world.read(code(node)), &city, serial);
        assert!(revoked, "{node}");
    }
    assert_eq!(held(&world, "440000", incident).unwrap().measures, 1);
    let twice = does(&mut world, city, &head, cut(incident)).unwrap_err();
    assert!(matches!(twice.reason, RefusalReason::Duplicate { .. }));
}

/// An application as the requester's operator drafts it, which is done at home.
fn drafted(world: &mut World, requester: &Department, wanted: Application) -> DocketId {
    let operator = world.staff(requester, Role::Operator);
    let body = ActBody::Apply {
        application: wanted,
    };
    let answer = world.act(requester.node, &operator, body).expect("drafted");
    answer.docket.expect("a docket")
}

/// The consent with which it leaves.
fn consented(world: &mut World, requester: &Department, docket: DocketId) -> Result<(), Refusal> {
    let body = ActBody::ConsentToApply {
        docket,
        document: docket.0,
    };
    let head = world.staff(requester, Role::SharingOfficeHead);
    match world.act(requester.node, &head, body) {
        Ok(_) => Ok(()),
        Err(Refused::Lawful(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_node_that_is_cut_off_while_it_is_away_is_told_at_its_return_and_goes_on_when_it_is_admitted_again()
 {
    let (mut world, head, incident) = at_the_city(75);
    let (city, county, sibling) = (code("440100"), code("440104"), code("440106"));
    let (provider, entry) = provider(&mut world, "440106", conditional());
    let requester = world.department(county, 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    // Its people are enrolled while it is a member.
    let first = drafted(&mut world, &requester, wanted.clone());
    let serial = serial(&world, city, county);
    world.cut(county);
    world.step(6_000);
    let measure = Measure::CutOff {
        node: county,
        serial,
        reason: RevocationReason::KeyCompromise,
    };
    does(&mut world, city, &head, contain(incident, measure)).expect("cut off");
    let shown = |world: &World| world.ask(county, query::node).cut_off;
    assert_eq!(shown(&world), None, "it cannot know");
    world.heal(county);
    world.step(6_000);
    let told = shown(&world).expect("told");
    assert_eq!(
        (told.node, told.by, told.serial, told.reason),
        (county, city, serial, RevocationReason::KeyCompromise)
    );
    assert_eq!(world.status(county).cut_off, Some(told));
    let found = findings(&world, county);
    assert!(
        found.iter().any(|it| it.contains("cut off: 440100")),
        "{found:?}"
    );
    // It starts again, and still knows.
    world.restart(county);
    world.step(6_000);
    assert!(shown(&world).is_some() && !linked(&world, city, county));
    let second = drafted(&mut world, &requester, wanted);
    for docket in [first, second] {
        let refused = consented(&mut world, &requester, docket).unwrap_err();
        assert!(matches!(refused.reason, RefusalReason::NodeCutOff { .. }));
    }
    world.certify_anew(county);
    world.settle();
    assert!(shown(&world).is_none() && world.status(county).cut_off.is_none());
    assert!(linked(&world, city, county));
    consented(&mut world, &requester, second).expect("a member again");
    world.settle();
    assert!(seen(&world, sibling, second).is_some());
}

#[test]
fn whoever_stands_below_a_node_that_is_cut_off_hears_it_too() {
    let mut world = demo(76);
    let (province, city, county) = (code("440000"), code("440100"), code("440104"));
    let body = ActBody::RevokeMember {
        node: city,
        serial: serial(&world, province, city),
        reason: RevocationReason::Ordered,
    };
    world.cut(county);
    world.step(6_000);
    let head = world.authority_head(province);
    world.act(province, &head, body).expect("revoked");
    world.step(6_000);
    world.heal(county);
    world.step(6_000);
    for node in [city, county, code("440106")] {
        let told = world.ask(node, query::node).cut_off.expect("told");
        assert_eq!((told.node, told.by), (city, province), "{node}");
    }
    for node in [province, code("100000")] {
        assert_eq!(world.ask(node, query::node).cut_off, None, "{node}");
    }
}

#[test]
fn rotated_keys_are_recorded_once_the_new_certificate_is_in_force() {
    let (mut world, head, incident) = at_the_city(74);
    let (city, county) = (code("440100"), code("440104"));
    let rotated = |serial| {
        let node = county;
        contain(incident, Measure::KeysRotated { node, serial })
    };
    let old = serial(&world, city, county);
    world.step(86_400_000);
    let late = IncidentAct::Report(report(&world, Severity::Larger));
    let later = does(&mut world, city, &head, late).expect("reported");
    let node = county;
    let stale = contain(later, Measure::KeysRotated { node, serial: old });
    for act in [stale, rotated(old + 1)] {
        let refused = does(&mut world, city, &head, act).unwrap_err();
        assert_eq!(refused.article, Article::R35);
        assert!(matches!(
            refused.reason,
            RefusalReason::CertificateNotInForce { .. }
        ));
    }
    let (chain, _) = query::chain(world.read(city), county).unwrap().unwrap();
    let before = chain.claimed().unwrap();
    let new_key = key("the new key of 440104");
    let request = EnrolmentRequest {
        code: county,
        name: before.name.clone(),
        level: before.level,
        signing_key: new_key.verify_key(),
        transport_key: before.transport_key,
        sealing_key: before.sealing_key,
        authority_head: before.authority_head,
        created: world.now,
    };
    let certify = ActBody::CertifyMember {
        request: request.sign(&new_key),
        witnesses: before.witnesses.clone(),
        valid_days: 90,
    };
    world.act(city, &head, certify).expect("certified");
    let new = serial(&world, city, county);
    assert_ne!(new, old);
    let node = county;
    let act = contain(later, Measure::KeysRotated { node, serial: new });
    does(&mut world, city, &head, act).expect("recorded");
    world.settle();
    assert_eq!(held(&world, "440000", later).unwrap().measures, 1);
}

#[test]
pub(crate) fn no_grade_is_understated_and_nothing_is_closed_before_plan_and_measure() {
    let mut world = demo(75);
    let county = code("440106");
    let department = Department::hosted(county, 1, "民政局");
    let entry = important(&world, &department);
    publish(&mut world, &department, vec![entry.clone()]);
    let operator = world.staff(&department, Role::Operator);
    let mut understated = report(&world, Severity::General);
    understated.entries = vec![entry.id];
    let mut stated = understated.clone();
    stated.grade = Grade::Important;
    let refused = does(
        &mut world,
        county,
        &operator,
        IncidentAct::Report(understated),
    )
    .unwrap_err();
    let low = RefusalReason::GradeUnderstated {
        stated: Grade::General,
        found: Grade::Important,
    };
    assert_eq!(refused, low.under(Article::R35));
    let act = IncidentAct::Report(stated);
    let incident = does(&mut world, county, &operator, act).expect("reported");
    world.settle();
    let head = world.staff(&department, Role::DepartmentHead);
    let mut early = |act: IncidentAct| does(&mut world, county, &head, act).unwrap_err();
    let fields = vec![RequiredField::Incident(IncidentField::Cause)];
    let no_cause = RefusalReason::MissingField { fields };
    assert_eq!(early(close(incident, "")), no_cause.under(Article::R35));
    assert_eq!(
        early(close(incident, "弱口令")),
        RefusalReason::PlanNotStarted.under(Article::R35)
    );
    does(&mut world, county, &head, start(incident)).expect("started");
    let refused = does(&mut world, county, &head, close(incident, "弱口令")).unwrap_err();
    assert_eq!(refused, RefusalReason::NotContained.under(Article::R35));
    let stranger = world.department(county, 3, "教育局");
    let foreign = world.staff(&stranger, Role::DepartmentHead);
    let refused = does(&mut world, county, &foreign, close(incident, "弱口令")).unwrap_err();
    assert_eq!(
        refused,
        RefusalReason::NotYourDepartment.under(Article::R34)
    );
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let what = "停用被攻破的账号".into();
    let act = contain(incident, Measure::Other { what });
    does(&mut world, county, &reviewer, act).expect("taken");
    does(&mut world, county, &head, close(incident, "弱口令")).expect("closed");
    world.settle();
    let above = held(&world, "440100", incident).expect("held");
    assert_eq!(above.phase, IncidentPhase::Closed);
}

/// An entry of the grade "important".
fn important(world: &World, department: &Department) -> Entry {
    let mut entry = guantong_tests::entry(department, 1, "低保对象信息", conditional(), world.now);
    entry.items[0].grade = Grade::Important;
    entry.grade = Grade::Important;
    entry
}
