//! A city's own rules on top of the Regulation: what 沈阳 lets departments take without an application, what it marks as collections, under which of its
//! articles it coordinates, and that an application keeps the rules under which it was received.

use federation::core::{Refused, query};
use guantong_tests::{Department, World, entry};
use sharing::act::{ActBody, ObjectRef};
use sharing::application::{ApplicationState, DirectAct, Phase};
use sharing::catalogue::Entry;
use sharing::dispute::DisputeEvent;
use sharing::docket::{DocketBody, DocketId};
use statute::{
    ApplicationMaterial, Article, BaseCollection, ClassTerms, CollectionMark, Profile,
    RefusalReason, Role, ShareClass,
};

use crate::dispute;
use crate::stage::{
    application, apply, code, conditional, demo, findings, provider, publish, seen,
};

/// 沈阳 and its districts under the city's rules.
fn shenyang(seed: u64) -> World {
    let mut world = demo(seed);
    for node in ["210100", "210102"] {
        world.runs_under(code(node), &Profile::shenyang());
    }
    world
}

fn place(world: &mut World, department: &Department, entry: &Entry) -> ObjectRef {
    let object = world.upload(department.node, "登记.csv", b"code,name\n1,a\n2,b\n");
    let operator = world.staff(department, Role::Operator);
    let place = DirectAct::Place {
        entry: entry.version_ref(),
        object: object.clone(),
    };
    world
        .act(department.node, &operator, ActBody::Direct(place))
        .expect("placed");
    object
}

pub fn take(
    world: &mut World,
    requester: &Department,
    provider: &Department,
    entry: &Entry,
) -> Result<DocketId, Refused> {
    let mut application = application(world, requester, provider, entry);
    let needed = [ApplicationMaterial::Basis, ApplicationMaterial::Scenario];
    application.materials.retain(|it| needed.contains(&it.kind));
    application.until = Some(world.now.plus_days(30));
    let operator = world.staff(requester, Role::Operator);
    let take = ActBody::Direct(DirectAct::Take { application });
    let taken = world.act(requester.node, &operator, take)?;
    world.settle();
    Ok(taken.docket.expect("a docket"))
}

fn lawfully<T: std::fmt::Debug>(refused: Result<T, Refused>) -> (RefusalReason, Article) {
    match refused {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("a lawful refusal: {other:?}"),
    }
}

fn provided(state: &ApplicationState) -> bool {
    matches!(state.phase, Phase::Provided { .. })
}

/// L1: unconditional data goes straight from the platform to whoever takes it, at once where it lies there, and the taking is on record at both.
#[test]
fn unconditional_data_of_shenyang_is_taken_straight_from_the_platform() {
    let mut world = shenyang(70);
    let (department, entry) = provider(&mut world, "210102", ClassTerms::Unconditional);
    let requester = world.department(code("440106"), 2, "政务服务数据管理局");
    let early = take(&mut world, &requester, &department, &entry).expect("taken");
    let waiting = seen(&world, requester.node, early).expect("granted");
    assert!(
        matches!(waiting.phase, Phase::Granted { .. }),
        "nothing lies there yet; it is to be provided in time"
    );
    let object = place(&mut world, &department, &entry);
    let docket = take(&mut world, &requester, &department, &entry).expect("taken");
    for node in [requester.node, department.node] {
        let state = seen(&world, node, docket).expect("on record");
        assert!(provided(&state), "at {node}: {:?}", state.phase);
        let terms = state.phase.terms().expect("granted");
        assert_eq!(terms.purpose, "社会救助资格核验", "use stays bounded (R25)");
        assert_eq!(state.profile, Profile::shenyang());
    }
    assert!(world.object(requester.node, &object.digest).is_some());
    let events = crate::stage::events(&world, requester.node, docket);
    assert!(
        events
            .iter()
            .all(|event| event.body.name() != "reply-proposed"),
        "nobody replied"
    );
}

/// L1, the unlawful twin: the national rules know no taking, and no rule lets conditional data be taken.
#[test]
pub(crate) fn what_the_national_rules_share_is_applied_for() {
    let mut world = shenyang(71);
    let (city, conditioned) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("210102"), 2, "政务服务数据管理局");
    let refused = lawfully(take(&mut world, &requester, &city, &conditioned));
    let reason = |class| RefusalReason::ApplicationRequired { class };
    assert_eq!(refused, (reason(ShareClass::Conditional), Article::R20));
    let (county, open) = provider(&mut world, "440106", ClassTerms::Unconditional);
    let neighbour = world.department(code("440106"), 2, "政务服务数据管理局");
    let refused = lawfully(take(&mut world, &neighbour, &county, &open));
    assert_eq!(refused, (reason(ShareClass::Unconditional), Article::R20));
    let afar = world.department(code("210102"), 3, "教育局");
    let docket = take(&mut world, &afar, &county, &open).expect("sent to its home, which decides");
    assert!(
        seen(&world, county.node, docket).is_none(),
        "nothing opened"
    );
    assert!(
        findings(&world, afar.node)
            .iter()
            .any(|finding| finding.contains("is applied for")),
        "told why: {:?}",
        findings(&world, afar.node)
    );
}

/// L1: only its own department places an entry's data, and only of the version that stands published.
#[test]
fn data_is_placed_by_its_own_department_in_the_version_that_stands() {
    let mut world = shenyang(72);
    let (department, entry) = provider(&mut world, "210102", ClassTerms::Unconditional);
    let object = world.upload(department.node, "登记.csv", b"x");
    let mut place = |department: &Department, entry: sharing::catalogue::EntryVersion| {
        let operator = world.staff(department, Role::Operator);
        let object = object.clone();
        let place = ActBody::Direct(DirectAct::Place { entry, object });
        world.step(1_000);
        world.act(department.node, &operator, place)
    };
    let other = Department::hosted(department.node, 2, "教育局");
    let refused = lawfully(place(&other, entry.version_ref()));
    assert_eq!(refused, (RefusalReason::NotYourDepartment, Article::R22));
    let mut next = entry.clone();
    next.version = 2;
    let refused = lawfully(place(&department, next.version_ref()));
    assert_eq!(refused, (RefusalReason::EntryNotPublished, Article::R22));
    assert!(place(&department, entry.version_ref()).is_ok());
}

/// L1, the unlawful twin: conditional data is applied for first, so nothing of it lies on the platform; under the national rules nothing does.
#[test]
fn what_is_applied_for_first_is_not_placed_on_the_platform() {
    let mut world = shenyang(74);
    let mut placed = |node: &str, terms: ClassTerms| {
        let (department, entry) = provider(&mut world, node, terms);
        let object = world.upload(department.node, "登记.csv", b"x");
        let operator = world.staff(&department, Role::Operator);
        let entry = entry.version_ref();
        let place = ActBody::Direct(DirectAct::Place { entry, object });
        world.act(department.node, &operator, place)
    };
    let class = ShareClass::Conditional;
    let reason = RefusalReason::ApplicationRequired { class };
    let refused = lawfully(placed("210102", conditional()));
    assert_eq!(refused, (reason, Article::R20));
    let class = ShareClass::Unconditional;
    let reason = RefusalReason::ApplicationRequired { class };
    let refused = lawfully(placed("440106", ClassTerms::Unconditional));
    assert_eq!(refused, (reason, Article::R20));
    assert!(placed("210100", ClassTerms::Unconditional).is_ok());
}

/// L3: base items bear the mark of their collection and are shared unconditionally; the mark is seen above.
#[test]
pub(crate) fn base_items_of_shenyang_are_shared_unconditionally_and_found_by_their_collection() {
    let mut world = shenyang(73);
    let department = Department::hosted(code("210102"), 1, "公安局");
    let mark = CollectionMark::BaseItems(BaseCollection::Population);
    let mut marked = entry(&department, 1, "人口基本信息", conditional(), world.now);
    marked.collection = Some(mark);
    let operator = world.staff(&department, Role::Operator);
    let compile = |entry: &Entry| ActBody::CompileEntries {
        entries: vec![entry.clone()],
    };
    let refused = lawfully(world.act(department.node, &operator, compile(&marked)));
    let expected = RefusalReason::BaseItemNotUnconditional {
        collection: BaseCollection::Population,
        class: ShareClass::Conditional,
    };
    assert_eq!(refused, (expected, Article::S19));
    marked.terms = ClassTerms::Unconditional;
    publish(&mut world, &department, vec![marked.clone()]);
    let other = entry(&department, 2, "治安案件信息", conditional(), world.now);
    publish(&mut world, &department, vec![other]);
    world.settle();
    for above in ["210100", "100000"] {
        let wanted = |published: &sharing::catalogue::PublishedEntry| {
            published.entry.collection.map(CollectionMark::collection)
                == Some(statute::Collection::Base(BaseCollection::Population))
        };
        let found =
            query::published_where(world.read(code(above)), None, None, 10, wanted).unwrap();
        let ids: Vec<_> = found.iter().map(|found| &found.entry.id).collect();
        assert_eq!(ids, [&marked.id], "at {above}");
    }
}

/// L3: a base item that stands published is not made conditional; business items and theme data keep their class, and so does everything where no local
/// rule says otherwise.
#[test]
fn a_published_base_item_stays_unconditional_and_what_is_none_keeps_its_class() {
    let mut world = shenyang(77);
    let compiled = |world: &mut World, department: &Department, entry: &Entry| {
        let operator = world.staff(department, Role::Operator);
        let entries = vec![entry.clone()];
        world.act(
            department.node,
            &operator,
            ActBody::CompileEntries { entries },
        )
    };
    let base = CollectionMark::BaseItems(BaseCollection::Population);
    let marked = |world: &World, of: &Department, number, mark, terms| {
        let mut entry = entry(of, number, "人口基本信息", terms, world.now);
        entry.collection = Some(mark);
        entry
    };
    let district = Department::hosted(code("210102"), 1, "公安局");
    let first = marked(&world, &district, 1, base, ClassTerms::Unconditional);
    publish(&mut world, &district, vec![first.clone()]);
    world.settle();
    let mut narrower = first.clone();
    (narrower.version, narrower.terms) = (2, conditional());
    let refused = lawfully(compiled(&mut world, &district, &narrower));
    let expected = RefusalReason::BaseItemNotUnconditional {
        collection: BaseCollection::Population,
        class: ShareClass::Conditional,
    };
    assert_eq!(refused, (expected, Article::S19));
    let hub = query::published_entry(world.read(code("100000")), district.node, &first.id);
    let stands = hub.expect("memory").expect("published").entry;
    assert_eq!(
        (stands.version, stands.terms),
        (1, ClassTerms::Unconditional)
    );
    let business = CollectionMark::BusinessItems(BaseCollection::Population);
    let business = marked(&world, &district, 2, business, conditional());
    compiled(&mut world, &district, &business).expect("business items keep their class");
    // 广州 runs under the national rules alone, which list no base collection.
    let elsewhere = Department::hosted(code("440106"), 1, "公安局");
    let free = marked(&world, &elsewhere, 1, base, conditional());
    compiled(&mut world, &elsewhere, &free).expect("no local rule says otherwise");
}

/// L5: the city's authority coordinates within R28: beyond the city the common superior does, whatever the city's rules say, and cites none of them.
#[test]
fn beyond_the_city_the_common_superior_coordinates_and_cites_no_article_of_the_city() {
    let mut world = shenyang(78);
    let case = dispute::coordinated(&mut world, ["210102", "440106"], "100000");
    for node in ["210102", "440106", "100000"] {
        let events = crate::stage::events(&world, code(node), case);
        let cited = events.into_iter().find_map(|event| match event.body {
            DocketBody::Dispute(DisputeEvent::OpinionGiven { local, .. }) => Some(local),
            _ => None,
        });
        assert_eq!(cited, Some(None), "at {node}");
    }
    for node in ["210100", "440100"] {
        let heard = query::docket(world.read(code(node)), case).expect("memory");
        assert!(heard.is_none(), "{node} hears nothing");
    }
}

/// L5: the city's authority coordinates within R28 and cites its own article beside it; another authority cites none.
#[test]
pub(crate) fn the_authority_of_shenyang_coordinates_under_its_own_article_too() {
    let cited = |world: &World, node: &str, case: DocketId| {
        let events = crate::stage::events(world, code(node), case);
        let opinion = events.into_iter().find_map(|event| match event.body {
            DocketBody::Dispute(DisputeEvent::OpinionGiven { local, .. }) => Some(local),
            _ => None,
        });
        opinion.expect("an opinion")
    };
    for (parties, hearer, local) in [
        (["210102", "210100"], "210100", Some(Article::S21)),
        (["440106", "440104"], "440100", None),
    ] {
        let mut world = shenyang(74);
        let case = dispute::coordinated(&mut world, parties, hearer);
        for party in parties {
            assert_eq!(cited(&world, party, case), local, "as seen at {party}");
        }
    }
}

/// The rules in force when an application is received apply to it to the end, at both sides.
#[test]
fn an_application_keeps_the_rules_under_which_it_was_received() {
    let mut world = shenyang(75);
    let (department, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "政务服务数据管理局");
    let wanted = application(&world, &requester, &department, &entry);
    let before = apply(&mut world, &requester, wanted.clone());
    world.settle();
    world.runs_under(department.node, &Profile::national());
    world.step(1_000);
    let after = apply(&mut world, &requester, wanted);
    world.settle();
    let term = |docket| {
        let state = seen(&world, requester.node, docket).expect("received");
        let Phase::Received { term } = state.phase else {
            panic!("{:?}", state.phase)
        };
        (state.profile, term.due)
    };
    let (then, now) = (term(before), term(after));
    assert_eq!(then.0, Profile::shenyang());
    assert_eq!(now.0, Profile::national());
    assert!(then.1 < now.1, "five working days, then ten");
    world.restart(department.node);
    world.settle();
    let kept = seen(&world, department.node, before).expect("kept");
    assert_eq!(kept.profile, Profile::shenyang());
}
