//! R11, R20: people come and go. A lost key signs nothing, its successor does; what a head enrolled in office stands after the head has gone.

use federation::core::{Answer, Refused, query};
use guantong_tests::{Department, Person, World, entry, key};
use identity::{Code, Moment};
use sharing::act::ActBody;
use sharing::node_act::NodeAct;
use sharing::person::{Ending, PersonCertificate, enrol};
use statute::{Article, EndReason, RefusalReason, Role};

use crate::stage::{application, code, conditional, demo, provider};

/// A department of 天河区 with its head, enrolled by the head of the authority.
struct Office {
    node: Code,
    department: Department,
    authority: Person,
    head: Person,
}

fn office(seed: u64) -> (World, Office) {
    let mut world = demo(seed);
    let node = code("440106");
    let department = world.department(node, 2, "民政局");
    let authority = world.authority_head(node);
    let head = enrolled(
        &mut world,
        &authority,
        ("陈一", Role::DepartmentHead),
        &department,
    )
    .expect("enrolled");
    let office = Office {
        node,
        department,
        authority,
        head,
    };
    (world, office)
}

/// Someone enrolled by an act on record.
fn enrolled(
    world: &mut World,
    by: &Person,
    (name, role): (&str, Role),
    department: &Department,
) -> Result<Person, Refused> {
    let person = by.enrols(name, role, department.code, department.node, world.now);
    let certificate = person.chain.0.last().expect("a certificate").clone();
    let body = ActBody::EnrolPerson {
        certificate,
        department_name: department.name.clone(),
    };
    world.act(department.node, by, body).map(|_| person)
}

/// Ends the enrolment of a person from now on.
fn end(
    world: &mut World,
    by: &Person,
    person: &Person,
    reason: EndReason,
) -> Result<Answer, Refused> {
    let at = world.now;
    let body = ActBody::Node(NodeAct::EndEnrolment {
        person: person.key.verify_key(),
        ending: Ending { reason, at },
    });
    world.act(holder(by).node, by, body)
}

fn holder(person: &Person) -> PersonCertificate {
    person.chain.holder().expect("a certificate")
}

/// What an operator does every day: compile an entry of the department.
fn compiling(world: &World, office: &Office, serial: u32) -> ActBody {
    let entries = vec![entry(
        &office.department,
        serial,
        "低保对象信息",
        conditional(),
        world.now,
    )];
    ActBody::CompileEntries { entries }
}

fn compile(
    world: &mut World,
    office: &Office,
    by: &Person,
    serial: u32,
) -> Result<Answer, Refused> {
    let body = compiling(world, office, serial);
    world.act(office.node, by, body)
}

fn refusal(answer: Result<Answer, Refused>) -> (RefusalReason, Article) {
    match answer {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("not refused in law: {other:?}"),
    }
}

const ENDED: (RefusalReason, Article) = (RefusalReason::EnrolmentEnded, Article::R11);

#[test]
fn a_lost_key_signs_nothing_more_and_its_successor_does() {
    let (mut world, office) = office(70);
    let head = office.head.clone();
    let of = &office.department;
    let lost = enrolled(&mut world, &head, ("李二", Role::Operator), of).expect("enrolled");
    let body = compiling(&world, &office, 1);
    let taken = world.sign(office.node, &lost, body);
    world.post(office.node, &taken).expect("in office");
    let body = compiling(&world, &office, 2);
    let signed_before = world.sign(office.node, &lost, body);
    world.step(60_000);
    end(&mut world, &head, &lost, EndReason::KeyLost).expect("ended");
    assert_eq!(refusal(compile(&mut world, &office, &lost, 2)), ENDED);
    assert_eq!(refusal(world.post(office.node, &signed_before)), ENDED);
    let again = world.post(office.node, &taken).expect("taken before");
    assert!(again.repeated);
    let same_key = enrolled(&mut world, &head, ("李二", Role::Operator), of);
    assert_eq!(refusal(same_key.map(|_| again)), ENDED);
    let successor = enrolled(&mut world, &head, ("李二（新）", Role::Operator), of);
    compile(&mut world, &office, &successor.expect("a new key"), 2).expect("the successor");
    let people = query::people(world.read(office.node), 100).expect("memory");
    let ended: Vec<_> = people
        .iter()
        .filter_map(|it| Some((it.certificate.key, it.ended?.reason)))
        .collect();
    assert_eq!(ended, [(lost.key.verify_key(), EndReason::KeyLost)]);
    world.restart(office.node);
    world.settle();
    assert_eq!(refusal(compile(&mut world, &office, &lost, 3)), ENDED);
    world
        .rebuild(office.node)
        .expect("the tables follow the ledger");
}

#[test]
fn who_was_enrolled_before_the_head_went_goes_on_and_nobody_is_enrolled_by_the_former_head() {
    let (mut world, office) = office(71);
    let of = &office.department;
    let before =
        enrolled(&mut world, &office.head, ("李二", Role::Operator), of).expect("enrolled");
    world.step(60_000);
    end(
        &mut world,
        &office.authority,
        &office.head,
        EndReason::KeyCompromised,
    )
    .expect("ended");
    compile(&mut world, &office, &before, 1).expect("an office is no one person's");
    let after = enrolled(&mut world, &office.head, ("赵三", Role::Operator), of);
    assert_eq!(after.map(drop).map_err(|it| refusal(Err(it))), Err(ENDED));
    // The ended key makes certificates by itself: for somebody new, and in another role for somebody known.
    let (node, now) = (office.node, world.now);
    let smuggled = office
        .head
        .enrols("赵三", Role::Operator, of.code, node, now);
    assert_eq!(refusal(compile(&mut world, &office, &smuggled, 2)), ENDED);
    let certificate = PersonCertificate {
        role: Role::SharingOfficeHead,
        ..holder(&before)
    };
    let promoted = Person {
        key: before.key.clone(),
        chain: office
            .head
            .chain
            .with(enrol(&certificate, &office.head.key)),
    };
    let docket = sharing::docket::DocketId(identity::Digest::from_bytes([7; 32]));
    let consent = ActBody::ConsentToApply {
        docket,
        document: docket.0,
    };
    assert_eq!(refusal(world.act(node, &promoted, consent)), ENDED);
    let authority = office.authority.clone();
    let next = enrolled(&mut world, &authority, ("钱四", Role::DepartmentHead), of).expect("next");
    let new = enrolled(&mut world, &next, ("孙五", Role::Operator), of).expect("by the successor");
    compile(&mut world, &office, &new, 2).expect("enrolled by the successor");
}

#[test]
fn only_who_may_enrol_a_role_may_end_it() {
    let (mut world, office) = office(72);
    let of = &office.department;
    let operator = enrolled(&mut world, &office.head, ("李二", Role::Operator), of).expect("ok");
    let other = world.department(office.node, 3, "公安局");
    let authority = office.authority.clone();
    let foreign = enrolled(
        &mut world,
        &authority,
        ("周六", Role::DepartmentHead),
        &other,
    );
    let foreign = foreign.expect("enrolled");
    let not_theirs = refusal(end(&mut world, &foreign, &operator, EndReason::Moved));
    assert_eq!(not_theirs, (RefusalReason::NotYourDepartment, Article::R11));
    for (by, whom) in [(&operator, &operator), (&office.head, &foreign)] {
        let (reason, article) = refusal(end(&mut world, by, whom, EndReason::Moved));
        assert!(
            matches!(reason, RefusalReason::RoleNotEntitled { .. }),
            "{reason:?}"
        );
        assert_eq!(article, Article::R11);
    }
    let own = end(&mut world, &authority, &authority, EndReason::TermEnded);
    assert!(own.is_err(), "named in the certificate of the node");
    compile(&mut world, &office, &operator, 1).expect("nothing has changed");
    end(&mut world, &office.head, &operator, EndReason::Moved).expect("ended");
    let twice = refusal(end(&mut world, &office.head, &operator, EndReason::Moved));
    assert!(matches!(twice.0, RefusalReason::Duplicate { .. }));
}

#[test]
pub(crate) fn a_term_of_office_ends_on_time() {
    let (mut world, office) = office(73);
    let until: Moment = world.now.plus_days(1);
    let own = key("a short term");
    let certificate = PersonCertificate {
        key: own.verify_key(),
        name: "李二".into(),
        role: Role::Operator,
        department: office.department.code,
        node: office.node,
        term_from: world.now.plus_days(-1),
        term_until: until,
    };
    let person = Person {
        key: own,
        chain: office
            .head
            .chain
            .with(enrol(&certificate, &office.head.key)),
    };
    world.step(until.millis_since(world.now));
    compile(&mut world, &office, &person, 1).expect("on the last moment");
    world.step(1);
    assert_eq!(
        refusal(compile(&mut world, &office, &person, 2)),
        (RefusalReason::TermOver, Article::R11)
    );
}

#[test]
pub(crate) fn an_operator_cannot_consent_in_the_heads_name() {
    let (mut world, office) = office(74);
    let (ministry, published) = provider(&mut world, "mps", conditional());
    let of = &office.department;
    let operator = enrolled(&mut world, &office.head, ("李二", Role::Operator), of).expect("ok");
    let application = application(&world, of, &ministry, &published);
    let drafted = world.act(office.node, &operator, ActBody::Apply { application });
    let docket = drafted.expect("drafted").docket.expect("a docket");
    let document = docket.0;
    let consent = || ActBody::ConsentToApply { docket, document };
    let (reason, article) = refusal(world.act(office.node, &operator, consent()));
    assert!(
        matches!(reason, RefusalReason::RoleNotEntitled { .. }),
        "{reason:?}"
    );
    assert_eq!(article, Article::R20);
    // The operator's own key, with a certificate that claims the role: signed by the operator, and under the head's name.
    let certificate = PersonCertificate {
        role: Role::SharingOfficeHead,
        ..holder(&operator)
    };
    let signed = enrol(&certificate, &operator.key);
    let chains = [
        operator.chain.with(signed.clone()),
        office.head.chain.with(signed),
    ];
    for chain in chains {
        let posing = Person {
            key: operator.key.clone(),
            chain,
        };
        let answer = world.act(office.node, &posing, consent());
        assert!(
            matches!(answer, Err(Refused::NotAuthentic(_))),
            "{answer:?}"
        );
    }
    world.settle();
    let there = |world: &World| {
        query::docket(world.read(ministry.node), docket)
            .expect("memory")
            .is_some()
    };
    assert!(!there(&world), "nothing has gone out");
    let head = enrolled(
        &mut world,
        &office.head,
        ("吴七", Role::SharingOfficeHead),
        of,
    );
    world
        .act(office.node, &head.expect("enrolled"), consent())
        .expect("the head's own consent");
    world.settle();
    assert!(there(&world));
}
