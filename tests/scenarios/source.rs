//! R19: the authority names one source department where several would collect; what is shared already is found before it is collected again.

use federation::core::{Refused, query};
use guantong_tests::World;
use identity::{Code, CreditCode};
use sharing::act::ActBody;
use sharing::source::{Matter, SourceAct};
use statute::{Article, RefusalReason, Role, ShareClass};

use crate::stage::{code, conditional, demo, provider};

fn matter() -> Matter {
    "社会救助".parse().expect("a matter")
}

fn named(world: &World, department: CreditCode, node: Code) -> ActBody {
    ActBody::Source(SourceAct::Name {
        matter: matter(),
        department,
        node: world.place(node),
    })
}

#[test]
fn a_source_department_is_known_above_and_found_with_what_it_shares() {
    let mut world = demo(43);
    let (department, entry) = provider(&mut world, "440106", conditional());
    let city = code("440100");
    let head = world.authority_head(city);
    let body = named(&world, department.code, department.node);
    world.act(city, &head, body).expect("named");
    world.settle();
    let hub = world.read(code("100000"));
    let sources = query::sources(hub, Some(&matter())).expect("memory");
    let [view] = &sources[..] else {
        panic!("one source");
    };
    assert_eq!(view.by, world.place(city));
    assert_eq!(view.source.department, department.code);
    let wanted = ["名称", "登记日期"].map(String::from);
    let found = query::already(hub, &wanted, Some(&matter()), 10).expect("memory");
    let [hit] = &found.entries[..] else {
        panic!("one entry");
    };
    assert_eq!((&hit.entry.entry.id, hit.whole), (&entry.id, true));
    assert_eq!(hit.entry.entry.terms.class(), ShareClass::Conditional);
    assert_eq!((found.sources, found.complete), (sources, true));
    let nowhere = query::already(hub, &["指纹".to_owned()], None, 10).expect("memory");
    assert!(nowhere.entries.is_empty() && nowhere.sources.is_empty());
    world
        .rebuild(code("100000"))
        .unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
pub(crate) fn nobody_names_a_source_department_elsewhere_or_without_the_office() {
    let mut world = demo(44);
    let (department, _) = provider(&mut world, "210102", conditional());
    let city = code("440100");
    let head = world.authority_head(city);
    let reviewer = world.authority(city, Role::AuthorityReviewer);
    let body = named(&world, department.code, department.node);
    let refused = [&head, &reviewer].map(|person| match world.act(city, person, body.clone()) {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("{other:?}"),
    });
    let [elsewhere, without_office] = refused;
    assert_eq!(elsewhere, (RefusalReason::NotYourDepartment, Article::R19));
    assert!(matches!(
        without_office,
        (RefusalReason::RoleNotEntitled { .. }, Article::R19)
    ));
    world.settle();
    let hub = world.read(code("100000"));
    assert!(query::sources(hub, None).expect("memory").is_empty());
}
