//! R12-R17: the catalogue of a department climbs to the hub with its author's signature, and explicit withdrawals with it.

use federation::core::query;
use guantong_tests::{Department, World, entry};
use sharing::act::ActBody;
use sharing::catalogue::{Assessment, Entry};
use statute::{Article, CatalogueField, ClassTerms, RefusalReason, RequiredField, Role};

use crate::correction::lawfully;
use crate::stage::{
    application, apply, code, conditional, demo, findings, provider, publish, seen,
};

#[test]
fn published_entries_climb_to_every_ancestor_and_nowhere_else() {
    let mut world = demo(1);
    let (department, entry) = provider(&mut world, "440106", conditional());
    world.settle();
    for above in ["440106", "440100", "440000", "100000"] {
        let found =
            query::published_entry(world.read(code(above)), department.node, &entry.id).unwrap();
        assert_eq!(
            found.map(|found| found.entry),
            Some(entry.clone()),
            "at {above}"
        );
    }
    for aside in ["210000", "210100", "440104", "mps"] {
        assert_eq!(
            query::published_entry(world.read(code(aside)), department.node, &entry.id).unwrap(),
            None,
            "at {aside}"
        );
    }
}

#[test]
pub(crate) fn a_withdrawal_reaches_the_hub_and_a_silent_child_withdraws_nothing() {
    let mut world = demo(2);
    let (department, entry) = provider(&mut world, "440106", conditional());
    world.settle();
    world.stop(code("440106"));
    for _ in 0..30 {
        world.step(60_000);
    }
    let hub = code("100000");
    assert!(
        query::published_entry(world.read(hub), department.node, &entry.id)
            .unwrap()
            .is_some(),
        "silence is no deletion"
    );
    world.restart(code("440106"));
    let head = world.staff(&department, Role::DepartmentHead);
    let withdraw = ActBody::WithdrawEntry {
        entry: entry.version_ref(),
        reason: "职责调整".into(),
    };
    world.step(1_000);
    world
        .act(department.node, &head, withdraw)
        .expect("withdrawn");
    world.settle();
    assert_eq!(
        query::published_entry(world.read(hub), department.node, &entry.id).unwrap(),
        None
    );
    assert_eq!(query::node(world.read(hub)).unwrap().catalogue, 0);
}

#[test]
fn what_stands_published_is_withdrawn_though_a_newer_version_is_under_way() {
    let mut world = demo(4);
    let (department, first) = provider(&mut world, "440106", conditional());
    world.settle();
    let mut second = first.clone();
    (second.version, second.summary) = (2, "另一版".into());
    let operator = world.staff(&department, Role::Operator);
    let head = world.staff(&department, Role::DepartmentHead);
    world.step(1_000);
    let compile = ActBody::CompileEntries {
        entries: vec![second.clone()],
    };
    world
        .act(department.node, &operator, compile)
        .expect("compiled");
    let withdraw = |entry: &sharing::catalogue::Entry| ActBody::WithdrawEntry {
        entry: entry.version_ref(),
        reason: "职责调整".into(),
    };
    let early = world.act(department.node, &head, withdraw(&second));
    assert!(early.is_err(), "the draft does not stand published");
    world
        .act(department.node, &head, withdraw(&first))
        .expect("withdrawn");
    let own = query::own_entry(world.read(department.node), &first.id)
        .unwrap()
        .unwrap();
    assert_eq!(
        (own.state, own.published, own.entry),
        (sharing::catalogue::EntryState::Draft, None, second),
        "the draft goes its own way"
    );
    assert!(
        world.act(department.node, &head, withdraw(&first)).is_err(),
        "nothing stands any more"
    );
    world.settle();
    let hub = world.read(code("100000"));
    assert_eq!(
        query::published_entry(hub, department.node, &first.id).unwrap(),
        None
    );
}

#[test]
fn an_entry_is_not_published_without_its_heads_approval() {
    let mut world = demo(3);
    let department = world.department(code("440106"), 1, "民政局");
    let entry = entry(
        &department,
        1,
        "低保对象信息",
        ClassTerms::Unconditional,
        world.now,
    );
    let version = entry.version_ref();
    let operator = world.staff(&department, Role::Operator);
    let reviewer = world.authority(department.node, Role::AuthorityReviewer);
    world
        .act(
            department.node,
            &operator,
            ActBody::CompileEntries {
                entries: vec![entry],
            },
        )
        .expect("compiled");
    let early = world.act(
        department.node,
        &operator,
        ActBody::SubmitEntries {
            entries: vec![version.clone()],
        },
    );
    assert!(
        matches!(&early, Err(federation::core::Refused::Lawful(refusal)) if matches!(refusal.reason, RefusalReason::WrongState { .. })),
        "{early:?}"
    );
    let verdict = sharing::catalogue::ReviewVerdict::Publish;
    let review = world.act(
        department.node,
        &reviewer,
        ActBody::ReviewEntries {
            entries: vec![version.clone()],
            verdict,
        },
    );
    assert!(review.is_err());
    let by_operator = world.act(
        department.node,
        &operator,
        ActBody::ApproveEntries {
            entries: vec![version],
        },
    );
    assert!(
        matches!(&by_operator, Err(federation::core::Refused::Lawful(refusal)) if matches!(refusal.reason, RefusalReason::RoleNotEntitled { .. })),
        "{by_operator:?}"
    );
    assert_eq!(
        query::node(world.read(department.node))
            .unwrap()
            .own_entries,
        0
    );
}

#[test]
fn a_parent_that_lost_its_tables_and_a_child_that_returns_find_their_difference() {
    let mut world = demo(4);
    world.cut(code("440106"));
    world.step(1_000);
    let department = world.department(code("440106"), 1, "民政局");
    let entries = (1..=2_500).map(|serial| {
        entry(
            &department,
            serial,
            &format!("目录{serial}"),
            ClassTerms::Unconditional,
            world.now,
        )
    });
    for batch in entries.collect::<Vec<_>>().chunks(1_000) {
        publish(&mut world, &department, batch.to_vec());
    }
    world.step(6_000);
    assert_eq!(
        query::node(world.read(code("100000"))).unwrap().catalogue,
        0,
        "cut off"
    );
    world.heal(code("440106"));
    world.settle();
    assert_eq!(
        query::node(world.read(code("100000"))).unwrap().catalogue,
        2_500
    );
    for node in world.codes() {
        world
            .rebuild(node)
            .unwrap_or_else(|difference| panic!("{node}: {difference}"));
    }
}

/// Why a department's entry is not entered; nothing of it is held there or seen at the hub.
fn not_entered(
    world: &mut World,
    department: &Department,
    entry: &Entry,
) -> (RefusalReason, Article) {
    let operator = world.staff(department, Role::Operator);
    let entries = vec![entry.clone()];
    let answer = world.act(
        department.node,
        &operator,
        ActBody::CompileEntries { entries },
    );
    let refused = lawfully(answer);
    world.settle();
    let own = query::own_entry(world.read(department.node), &entry.id).unwrap();
    assert!(own.is_none(), "nothing was entered");
    refused
}

fn at_the_hub(world: &World, entry: &Entry) -> bool {
    let hub = world.read(code("100000"));
    let found = query::published_entry(hub, code("440106"), &entry.id).unwrap();
    found.is_some_and(|found| found.entry == *entry)
}

#[test]
pub(crate) fn what_r13_lists_is_stated_or_the_entry_is_not_entered() {
    let mut world = demo(5);
    let department = world.department(code("440106"), 1, "民政局");
    let whole = entry(&department, 1, "低保对象信息", conditional(), world.now);
    let mut bare = whole.clone();
    bare.format.clear();
    bare.secrecy_assessment = Assessment::NotApplicable {
        reason: String::new(),
    };
    let fields = [CatalogueField::Format, CatalogueField::SecrecyAssessment];
    let fields = fields.map(RequiredField::Catalogue).to_vec();
    assert_eq!(
        not_entered(&mut world, &department, &bare),
        (RefusalReason::MissingField { fields }, Article::R13)
    );
    publish(&mut world, &department, vec![whole.clone()]);
    world.settle();
    assert!(at_the_hub(&world, &whole));
}

#[test]
pub(crate) fn what_is_marked_secret_is_not_entered() {
    let mut world = demo(6);
    let department = world.department(code("440106"), 1, "民政局");
    let open = entry(&department, 1, "低保对象信息", conditional(), world.now);
    let mut marked = open.clone();
    marked.name = "低保对象信息（秘密）".into();
    assert_eq!(
        not_entered(&mut world, &department, &marked),
        (RefusalReason::StateSecret, Article::R3)
    );
    marked.name = "工作秘密事项".into();
    assert_eq!(
        not_entered(&mut world, &department, &marked),
        (RefusalReason::WorkSecret, Article::R3)
    );
    publish(&mut world, &department, vec![open.clone()]);
    world.settle();
    assert!(at_the_hub(&world, &open));
}

#[test]
fn a_secret_mark_anywhere_keeps_a_new_version_out_and_what_stands_published_stands() {
    let mut world = demo(8);
    let (department, open) = provider(&mut world, "440106", conditional());
    world.settle();
    let operator = world.staff(&department, Role::Operator);
    let mut next = open.clone();
    next.version = 2;
    let mut marked = vec![next.clone(), next.clone(), next.clone()];
    marked[0].name.push_str("【机密】");
    marked[1].summary.push_str("本表属工作秘密。");
    let mut item = marked[2].items[0].clone();
    item.name = "绝密级批示".into();
    marked[2].items.push(item);
    let reasons = [
        RefusalReason::StateSecret,
        RefusalReason::WorkSecret,
        RefusalReason::StateSecret,
    ];
    for (entry, reason) in marked.into_iter().zip(reasons) {
        // Not among others that are none, either.
        let entries = vec![next.clone(), entry];
        let compile = ActBody::CompileEntries { entries };
        let refused = lawfully(world.act(department.node, &operator, compile));
        assert_eq!(refused, (reason, Article::R3));
        let own = query::own_entry(world.read(department.node), &open.id).unwrap();
        assert_eq!(
            own.expect("its own").entry.version,
            1,
            "none of them was entered"
        );
    }
    world.settle();
    assert!(at_the_hub(&world, &open));
}

#[test]
pub(crate) fn a_version_that_awaits_its_review_is_not_applied_for() {
    let mut world = demo(7);
    let (department, first) = provider(&mut world, "210102", conditional());
    let mut second = first.clone();
    (second.version, second.summary) = (2, "另一版".into());
    let operator = world.staff(&department, Role::Operator);
    let entries = vec![second.clone()];
    let compile = ActBody::CompileEntries { entries };
    world
        .act(department.node, &operator, compile)
        .expect("compiled");
    let requester = world.department(code("440106"), 2, "民政局");
    let early = application(&world, &requester, &department, &second);
    let early = apply(&mut world, &requester, early);
    world.settle();
    for node in [department.node, requester.node] {
        assert!(seen(&world, node, early).is_none(), "opened at {node}");
    }
    let told = findings(&world, requester.node);
    assert!(
        told.iter().any(|it| it.contains("not published")),
        "{told:?}"
    );
    let lawful = application(&world, &requester, &department, &first);
    let lawful = apply(&mut world, &requester, lawful);
    world.settle();
    for node in [department.node, requester.node] {
        assert!(seen(&world, node, lawful).is_some(), "opened at {node}");
    }
}
