//! R17: a change of law makes an update due; the department updates, the authority reviews, and each has its time limit.

use federation::core::{Refused, query};
use guantong_tests::{Department, World};
use identity::Moment;
use sharing::act::ActBody;
use sharing::catalogue::{DataItem, Entry, FieldChange, ReviewVerdict, difference};
use sharing::clock::{ClockAct, Debtor};
use sharing::docket::{Case, DocketId};
use sharing::update::{UpdateAct, UpdatePhase, UpdateState};
use statute::{Article, ChangeCause, Duty, Grade, RefusalReason, Role, WorkingDays};

use crate::stage::{code, conditional, demo, provider, seen};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn report(entry: &Entry, changed_on: Moment) -> ActBody {
    ActBody::Update(UpdateAct::Report {
        entry: entry.id.clone(),
        provider: entry.provider,
        changed_on,
        cause: ChangeCause::LawChanged,
        text: "《社会救助法》施行，增加数据项".into(),
    })
}

fn act(world: &mut World, department: &Department, role: Role, body: ActBody) -> Option<DocketId> {
    let person = match role {
        Role::AuthorityReviewer => world.authority(department.node, role),
        _ => world.staff(department, role),
    };
    let answer = world.act(department.node, &person, body);
    answer.expect("it is lawful").docket
}

/// A new version of an entry with one more item, compiled, approved and submitted.
fn submit_next(world: &mut World, department: &Department, entry: &Entry) -> Entry {
    let mut next = entry.clone();
    next.version += 1;
    next.items.push(DataItem {
        name: "救助类别".into(),
        kind: "C20".into(),
        grade: Grade::General,
    });
    let entries = vec![next.version_ref()];
    let compile = ActBody::CompileEntries {
        entries: vec![next.clone()],
    };
    act(world, department, Role::Operator, compile);
    let approve = ActBody::ApproveEntries {
        entries: entries.clone(),
    };
    act(world, department, Role::DepartmentHead, approve);
    act(
        world,
        department,
        Role::Operator,
        ActBody::SubmitEntries { entries },
    );
    next
}

fn review(world: &mut World, department: &Department, entry: &Entry, verdict: ReviewVerdict) {
    let entries = vec![entry.version_ref()];
    act(
        world,
        department,
        Role::AuthorityReviewer,
        ActBody::ReviewEntries { entries, verdict },
    );
}

/// The updates that a node holds, with what is overdue in each.
fn updates(world: &World, department: &Department) -> Vec<(DocketId, UpdateState, Vec<Debtor>)> {
    let dockets = query::dockets(world.read(department.node), None, 100).expect("memory");
    let update = |view: federation::core::view::DocketView| match view.state.case {
        Case::Update(state) => {
            let late = view.state.clock.lapses.into_iter().map(|it| it.who);
            Some((view.id, *state, late.collect()))
        }
        _ => None,
    };
    dockets.into_iter().filter_map(update).collect()
}

fn hour_by_hour(world: &mut World, days: i64) {
    for _ in 0..days * 24 {
        world.step(HOUR_MS);
    }
}

#[test]
pub(crate) fn a_change_is_updated_with_more_time_reviewed_late_and_seen_at_the_hub() {
    let mut world = demo(40);
    let (department, entry) = provider(&mut world, "440106", conditional());
    let report = report(&entry, world.now.plus_millis(-2 * HOUR_MS));
    let docket = act(&mut world, &department, Role::Operator, report).expect("a docket");
    let ask = ActBody::Clock(ClockAct::AskExtension {
        docket,
        duty: Duty::UpdateEntry,
        days: WorkingDays::new(5).expect("days"),
        grounds: "业务系统需要改造".into(),
    });
    act(&mut world, &department, Role::Operator, ask);
    let consent = ActBody::Clock(ClockAct::AnswerExtension {
        docket,
        duty: Duty::UpdateEntry,
        consents: true,
        grounds: String::new(),
    });
    act(&mut world, &department, Role::AuthorityReviewer, consent);
    // The ten working days end on 23 March, the five more on 30 March.
    hour_by_hour(&mut world, 18);
    let next = submit_next(&mut world, &department, &entry);
    let [(id, state, late)] = &updates(&world, &department)[..] else {
        panic!("one update");
    };
    assert_eq!((*id, late.len()), (docket, 0), "the department is in time");
    assert!(
        matches!(&state.phase, UpdatePhase::Submitted { version, .. } if *version == next.version_ref())
    );
    hour_by_hour(&mut world, 5);
    let authority = Debtor::Authority(world.place(department.node));
    assert_eq!(
        updates(&world, &department)[0].2,
        [authority],
        "two working days are over"
    );
    review(&mut world, &department, &next, ReviewVerdict::Publish);
    world.settle();
    let phase = updates(&world, &department)[0].1.phase.clone();
    assert!(matches!(phase, UpdatePhase::Published { .. }));
    let hub = world.read(code("100000"));
    let versions = query::versions(hub, department.node, &entry.id, None).expect("memory");
    let [first, second] = &versions[..] else {
        panic!("two versions");
    };
    assert_eq!((&first.entry, &second.entry), (&entry, &next));
    assert!(matches!(
        &difference(&first.entry, &second.entry)[..],
        [FieldChange::ItemAdded(item)] if item.name == "救助类别"
    ));
    let found = query::published_entry(hub, department.node, &entry.id).expect("memory");
    assert_eq!(found.map(|found| found.entry), Some(next));
    assert!(
        seen(&world, department.node, docket).is_none(),
        "no application"
    );
    world
        .rebuild(department.node)
        .unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
pub(crate) fn an_update_that_is_not_made_in_ten_working_days_is_recorded_overdue() {
    let mut world = demo(47);
    let (department, entry) = provider(&mut world, "440106", conditional());
    let report = report(&entry, world.now.plus_millis(-2 * HOUR_MS));
    act(&mut world, &department, Role::Operator, report);
    let late = |world: &World| updates(world, &department)[0].2.clone();
    hour_by_hour(&mut world, 14);
    assert_eq!(late(&world), [], "the tenth working day is not over");
    hour_by_hour(&mut world, 1);
    let owing = Debtor::Department(sharing::dispute::Party {
        department: department.code,
        node: world.place(department.node),
    });
    assert_eq!(late(&world), [owing], "ten working days are over");
    let hub = world.read(code("100000"));
    let held = query::published_entry(hub, department.node, &entry.id).expect("memory");
    assert_eq!(held.map(|held| held.entry), Some(entry), "not updated");
}

#[test]
fn an_ordinary_new_version_has_its_review_watched_and_a_first_version_has_not() {
    let mut world = demo(41);
    let (department, entry) = provider(&mut world, "440106", conditional());
    assert!(
        updates(&world, &department).is_empty(),
        "nothing was updated"
    );
    let next = submit_next(&mut world, &department, &entry);
    let [(_, state, _)] = &updates(&world, &department)[..] else {
        panic!("one update");
    };
    assert_eq!(state.change, None);
    let reason = "遗漏数据项说明".into();
    review(
        &mut world,
        &department,
        &next,
        ReviewVerdict::Return { reason },
    );
    let phase = updates(&world, &department)[0].1.phase.clone();
    assert!(matches!(phase, UpdatePhase::Returned { .. }));
}

#[test]
fn a_change_to_come_and_the_change_of_another_department_are_not_reported() {
    let mut world = demo(42);
    let (department, entry) = provider(&mut world, "440106", conditional());
    let neighbour = world.department(department.node, 2, "人力资源和社会保障局");
    let operator = world.staff(&department, Role::Operator);
    let other = world.staff(&neighbour, Role::Operator);
    let to_come = report(&entry, world.now.plus_millis(DAY_MS));
    let now = report(&entry, world.now);
    let refused = [(&operator, to_come), (&other, now)].map(|(person, body)| {
        match world.act(department.node, person, body) {
            Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
            other => panic!("{other:?}"),
        }
    });
    let reasons = [
        (RefusalReason::ChangeToCome, Article::R17),
        (RefusalReason::NotYourDepartment, Article::R17),
    ];
    assert_eq!(refused, reasons);
    assert!(updates(&world, &department).is_empty());
}
