//! R8, R21: one calendar for the whole federation. The head of the national authority installs a holiday notice at the hub; it comes down to
//! every node, and what was provisional is computed again where its docket has its home.

use federation::core::{Refused, query};
use federation::wire::{Frame, Notice};
use guantong_tests::{Department, Person, World};
use identity::{Chain, Code, Moment, codec};
use sharing::act::{ActBody, SignedAct};
use sharing::clock::{ClockEvent, Term};
use sharing::docket::{DocketBody, DocketId};
use sharing::node_act::NodeAct;
use statute::{Article, RefusalReason, Role};

use crate::stage::{
    MONDAY, application, apply, code, conditional, demo_at, events, lapses, provider,
};

/// Monday 2026-12-28, ten o'clock in Beijing: ten working days reach into 2027.
fn december() -> Moment {
    MONDAY.plus_days(294)
}

/// What the State Council may well say of 2027: the first of January off.
const NOTICE_2027: &str = r#"
year = 2027
number = "国办发明电〔2026〕9号"
title = "国务院办公厅关于2027年部分节假日安排的通知"
working_weekends = ["2027-01-31", "2027-02-14"]

[[off]]
name = "元旦"
from = "2027-01-01"
to = "2027-01-03"

[[off]]
name = "春节"
from = "2027-02-05"
to = "2027-02-12"
"#;

fn notice(text: &str) -> ActBody {
    ActBody::Node(NodeAct::InstallCalendar { text: text.into() })
}

fn install(world: &mut World, text: &str) {
    let hub = Code::HUB;
    let head = world.authority_head(hub);
    world.act(hub, &head, notice(text)).expect("installed");
}

/// The years that came from the hub, as a node knows them.
fn installed(world: &World, node: &str) -> Vec<i16> {
    let known = query::notices(world.read(code(node))).expect("memory");
    let from_above = known.iter().filter(|it| it.installed.is_some());
    from_above.map(|it| it.year).collect()
}

/// An application for an entry of 天河区, three levels below the hub, by 和平区 in another province.
fn applied(seed: u64) -> (World, Department, Department, DocketId) {
    let mut world = demo_at(december(), seed);
    let (county, entry) = provider(&mut world, "440106", conditional());
    let requester = world.department(code("210102"), 2, "民政局");
    let wanted = application(&world, &requester, &county, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    (world, county, requester, docket)
}

/// The time limits that run in a docket, as a node holds it.
fn terms(world: &World, node: Code, docket: DocketId) -> Vec<Term> {
    let held = query::docket(world.read(node), docket).expect("memory");
    let duties = held.map_or_else(Vec::new, |held| held.docket.state.duties());
    duties.into_iter().map(|duty| duty.term).collect()
}

fn recomputed(world: &World, node: Code, docket: DocketId) -> usize {
    let is = |body: &DocketBody| matches!(body, DocketBody::Clock(ClockEvent::Recomputed { .. }));
    let of = events(world, node, docket);
    of.iter().filter(|event| is(&event.body)).count()
}

/// The end of a day of January 2027 in Beijing.
fn end_of_january(day: i8) -> Moment {
    Moment::from_millis(statute::end_of_day_ms(statute::Date::constant(
        2027, 1, day,
    )))
}

fn refusal(answer: Result<federation::core::Answer, Refused>) -> (RefusalReason, Article) {
    match answer {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("not refused in law: {other:?}"),
    }
}

#[test]
fn a_notice_from_the_hub_settles_a_provisional_term_three_levels_down() {
    let (mut world, county, requester, docket) = applied(60);
    let before = terms(&world, county.node, docket);
    assert!(
        !before.is_empty() && before.iter().all(|term| term.provisional),
        "{before:?}"
    );
    // Without the notice the first of January is a Friday like any other.
    assert_eq!(before[0].due, end_of_january(11));
    install(&mut world, NOTICE_2027);
    world.settle();
    for node in world.codes() {
        assert_eq!(installed(&world, node.as_str()), [2027], "{node}");
    }
    for node in [county.node, requester.node] {
        let after = terms(&world, node, docket);
        assert_eq!(after[0].due, end_of_january(12), "{node}");
        assert!(after.iter().all(|term| !term.provisional), "{node}");
        assert_eq!(after[0].arises, before[0].arises);
        assert_eq!(recomputed(&world, node, docket), before.len(), "{node}");
        let listed = query::duties(world.read(node), world.now, 10).expect("memory");
        assert!(listed.iter().all(|duty| !duty.provisional), "{listed:?}");
        world.rebuild(node).expect("the tables follow the ledger");
    }
}

#[test]
fn a_node_counts_by_the_notice_after_it_was_started_again() {
    let (mut world, county, requester, first) = applied(61);
    install(&mut world, NOTICE_2027);
    world.settle();
    world.restart(county.node);
    world.settle();
    assert_eq!(recomputed(&world, county.node, first), 1, "and not twice");
    let entry = guantong_tests::entry(&county, 2, "另一目录", conditional(), world.now);
    crate::stage::publish(&mut world, &county, vec![entry.clone()]);
    let wanted = application(&world, &requester, &county, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let term = terms(&world, county.node, docket)[0];
    assert_eq!((term.due, term.provisional), (end_of_january(12), false));
}

#[test]
fn what_is_overdue_stays_overdue_when_the_notice_comes_late() {
    let (mut world, county, requester, docket) = applied(62);
    while world.now < end_of_january(11) {
        world.step(6 * 3_600_000);
    }
    world.settle();
    assert_eq!(lapses(&world, county.node, docket), 1);
    let before = terms(&world, county.node, docket);
    install(&mut world, NOTICE_2027);
    world.settle();
    for node in [county.node, requester.node] {
        assert_eq!(lapses(&world, node, docket), 1, "{node}");
        assert_eq!(recomputed(&world, node, docket), 0, "{node}");
        assert_eq!(terms(&world, node, docket), before, "{node}");
    }
    assert_eq!(installed(&world, "440106"), [2027]);
}

#[test]
fn a_node_that_was_cut_off_hears_of_the_notice_at_the_greeting() {
    let (mut world, county, requester, docket) = applied(63);
    world.cut(code("440000"));
    install(&mut world, NOTICE_2027);
    world.settle();
    assert_eq!(installed(&world, "210102"), [2027]);
    assert!(installed(&world, "440106").is_empty());
    assert!(terms(&world, county.node, docket)[0].provisional);
    world.heal(code("440000"));
    world.settle();
    assert_eq!(installed(&world, "440106"), [2027]);
    for node in [county.node, requester.node] {
        let term = terms(&world, node, docket)[0];
        assert_eq!((term.due, term.provisional), (end_of_january(12), false));
    }
}

#[test]
fn of_two_notices_for_one_year_the_later_stands_everywhere() {
    let mut world = demo_at(december(), 64);
    let head = world.authority_head(Code::HUB);
    let early = world.sign(Code::HUB, &head, notice(&NOTICE_2027.replace("9号", "8号")));
    world.step(60_000);
    install(&mut world, NOTICE_2027);
    world.step(60_000);
    let number = |world: &World, node: &str| {
        let known = query::notices(world.read(code(node))).expect("memory");
        known.last().map(|it| it.number.clone())
    };
    assert_eq!(
        refusal(world.post(Code::HUB, &early)),
        (RefusalReason::NoticeSuperseded { year: 2027 }, Article::R8)
    );
    install(&mut world, &NOTICE_2027.replace("9号", "10号"));
    world.settle();
    for node in ["100000", "440106"] {
        assert_eq!(
            number(&world, node).as_deref(),
            Some("国办发明电〔2026〕10号")
        );
    }
}

#[test]
fn only_the_head_of_the_national_authority_installs_and_only_what_is_a_notice() {
    let (mut world, county, _, docket) = applied(65);
    let before = terms(&world, county.node, docket);
    let impossible = NOTICE_2027.replace("2027-01-03", "2027-01-32");
    let head = world.authority_head(Code::HUB);
    let (reason, article) = refusal(world.act(Code::HUB, &head, notice(&impossible)));
    assert!(
        matches!(&reason, RefusalReason::NotANotice { defect } if defect.contains("2027-01-32")),
        "{reason:?}"
    );
    assert_eq!(article, Article::R8);
    let long = NOTICE_2027.to_owned() + &"#".repeat(statute::MAX_NOTICE_BYTES);
    let (reason, _) = refusal(world.act(Code::HUB, &head, notice(&long)));
    assert!(
        matches!(reason, RefusalReason::TooLong { .. }),
        "{reason:?}"
    );
    for place in ["440000", "mps"] {
        let head = world.authority_head(code(place));
        assert_eq!(
            refusal(world.act(code(place), &head, notice(NOTICE_2027))),
            (RefusalReason::NotTheNationalAuthority, Article::R8),
            "{place}"
        );
    }
    let reviewer = world.authority(Code::HUB, Role::AuthorityReviewer);
    let (reason, article) = refusal(world.act(Code::HUB, &reviewer, notice(NOTICE_2027)));
    assert!(
        matches!(reason, RefusalReason::RoleNotEntitled { .. }),
        "{reason:?}"
    );
    assert_eq!(article, Article::R8);
    world.settle();
    for node in world.codes() {
        assert!(installed(&world, node.as_str()).is_empty(), "{node}");
    }
    assert_eq!(terms(&world, county.node, docket), before);
}

/// A frame with one notice.
fn frame(act: &SignedAct, issuer: &Chain) -> Vec<u8> {
    let (act, issuer) = (act.clone(), issuer.clone());
    codec::encode(&Frame::Notices {
        list: vec![Notice { act, issuer }],
    })
}

#[test]
fn a_forged_notice_is_taken_from_nobody_and_a_genuine_one_from_the_parent_alone() {
    let mut world = demo_at(december(), 66);
    let (hub, province, city, county) = (Code::HUB, "440000", "440100", "440106");
    let chain = |world: &World, node: Code| {
        query::own_chain(world.read(node))
            .expect("memory")
            .expect("enrolled")
    };
    let hubs = chain(&world, hub);
    let provinces = chain(&world, code(province));
    let head = world.authority_head(hub);
    let foreign = world.authority_head(code(province));
    let genuine = world.sign(hub, &head, notice(NOTICE_2027));
    let of_the_province = world.sign(code(province), &foreign, notice(NOTICE_2027));
    let in_the_hubs_name = {
        let posing = Person {
            key: foreign.key.clone(),
            chain: head.chain.clone(),
        };
        world.sign(hub, &posing, notice(NOTICE_2027))
    };
    let reviewer = world.authority(hub, Role::AuthorityReviewer);
    let by_a_reviewer = world.sign(hub, &reviewer, notice(NOTICE_2027));
    let forged = [
        ("a province's own", frame(&of_the_province, &provinces)),
        ("a province's as the hub's", frame(&of_the_province, &hubs)),
        ("another key", frame(&in_the_hubs_name, &hubs)),
        ("a reviewer's", frame(&by_a_reviewer, &hubs)),
        ("another issuer", frame(&genuine, &provinces)),
    ];
    let ledgers = |world: &World| [city, county].map(|node| world.records(code(node)).len());
    let before = ledgers(&world);
    for (what, bytes) in forged {
        world.inject(code(city), code(county), bytes);
        assert!(installed(&world, county).is_empty(), "{what}");
    }
    world.inject(code(county), code(city), frame(&genuine, &hubs));
    assert!(installed(&world, city).is_empty(), "from a child");
    assert_eq!(ledgers(&world), before, "nothing is written");
    world.inject(code(city), code(county), frame(&genuine, &hubs));
    assert_eq!(installed(&world, county), [2027], "from the parent");
}
