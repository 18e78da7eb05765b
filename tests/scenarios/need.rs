//! R20: a need that no published entry meets is put on record, climbs to an authority that reaches a department which could provide, and is
//! followed up at every node that it reached.

use federation::core::{Refused, query};
use guantong_tests::{Department, Person, World, entry};
use identity::{Code, Moment, Path};
use sharing::act::ActBody;
use sharing::catalogue::Entry;
use sharing::dispute::Party;
use sharing::docket::{Case, DocketId};
use sharing::need::{
    Considered, EntryAt, LevelAsked, Need, NeedAct, NeedPhase, NeedState, NeedStep, Said,
};
use statute::{Article, ClassTerms, Duty, NeedField, Refusal, RefusalReason, RequiredField, Role};

use crate::stage::{code, conditional, demo, events, findings, lapses, provider, publish};

/// 天河区, up to the hub.
const LINE: [&str; 4] = ["440106", "440100", "440000", "100000"];

fn need(items: &[&str]) -> Need {
    Need {
        title: "低保对象就业情况".into(),
        items: items.iter().map(|it| (*it).to_owned()).collect(),
        purpose: "社会救助资格核验".into(),
        basis: "《社会救助暂行办法》第九条".into(),
        searched: "本级和各上级目录检索“就业”，未见".into(),
        considered: vec![],
        asked: vec![],
    }
}

/// The need, with what the levels above the department's node say of its items now.
fn looked_up(world: &mut World, department: &Department, need: Need) -> Need {
    let asked = world.ask_above(department.node, &need.wanted());
    Need { asked, ..need }
}

/// Does something about needs; the docket, or the refusal of the node at which it was done.
fn does(world: &mut World, node: Code, person: &Person, act: NeedAct) -> Result<DocketId, Refusal> {
    let answer = world.act(node, person, ActBody::Need(act));
    world.settle();
    match answer {
        Ok(answer) => Ok(answer.docket.expect("a docket")),
        Err(Refused::Lawful(refusal)) => Err(refusal),
        Err(other) => panic!("{other}"),
    }
}

fn report(world: &mut World, department: &Department, need: Need) -> Result<DocketId, Refusal> {
    let need = looked_up(world, department, need);
    put_on_record(world, department, need)
}

fn put_on_record(
    world: &mut World,
    department: &Department,
    need: Need,
) -> Result<DocketId, Refusal> {
    let operator = world.staff(department, Role::Operator);
    does(world, department.node, &operator, NeedAct::Report(need))
}

/// A department's operator takes a step.
pub(crate) fn says(
    world: &mut World,
    department: &Department,
    docket: DocketId,
    step: NeedStep,
) -> Result<DocketId, Refusal> {
    let operator = world.staff(department, Role::Operator);
    let act = NeedAct::Take { docket, step };
    does(world, department.node, &operator, act)
}

/// A place's authority takes a step.
fn rules(
    world: &mut World,
    node: &str,
    docket: DocketId,
    step: NeedStep,
) -> Result<DocketId, Refusal> {
    let node = code(node);
    let reviewer = world.authority(node, Role::AuthorityReviewer);
    does(world, node, &reviewer, NeedAct::Take { docket, step })
}

/// A need as a node holds it.
fn held(world: &World, node: Code, docket: DocketId) -> Option<NeedState> {
    let held = query::docket(world.read(node), docket).expect("memory")?;
    match held.docket.state.case {
        Case::Need(state) => Some(*state),
        _ => None,
    }
}

fn phase(world: &World, node: Code, docket: DocketId) -> NeedPhase {
    held(world, node, docket).expect("held here").phase
}

fn party(world: &World, department: &Department) -> Party {
    Party {
        department: department.code,
        node: world.place(department.node),
    }
}

pub(crate) fn fulfil(world: &World, department: &Department, entry: &Entry) -> NeedStep {
    NeedStep::Fulfil {
        entry: at(world, department, entry),
        held: Box::new(entry.clone()),
    }
}

pub(crate) fn at(world: &World, department: &Department, entry: &Entry) -> EntryAt {
    EntryAt {
        publisher: world.place(department.node),
        entry: entry.version_ref(),
    }
}

fn pass_on() -> NeedStep {
    NeedStep::PassOn {
        reasons: "本级及以下无部门收集此数据".into(),
    }
}

fn under_r20(refused: Result<DocketId, Refusal>) -> RefusalReason {
    let refusal = refused.expect_err("refused");
    assert_eq!(refusal.article, Article::R20);
    refusal.reason
}

/// Whether a node was told that a home refused its person's act under R20, for this reason.
fn told(world: &World, node: Code, why: &RefusalReason) -> bool {
    let refusal = why.clone().under(Article::R20).en();
    findings(world, node).iter().any(|it| it.contains(&refusal))
}

/// A need of 天河区's department, matched by the hub to one of 和平区; nobody in 广东 has the data.
pub(crate) fn match_across_provinces(world: &mut World) -> (Department, Department, DocketId) {
    let needing = world.department(code("440106"), 2, "民政局");
    let providing = world.department(code("210102"), 3, "人力资源和社会保障局");
    let docket = report(world, &needing, need(&["就业状态"])).expect("on record");
    for node in &LINE[..3] {
        rules(world, node, docket, pass_on()).expect("passed on");
    }
    let department = party(world, &providing);
    rules(world, "100000", docket, NeedStep::Match { department }).expect("matched");
    (needing, providing, docket)
}

fn matched(seed: u64) -> (World, Department, Department, DocketId) {
    let mut world = demo(seed);
    let (needing, providing, docket) = match_across_provinces(&mut world);
    (world, needing, providing, docket)
}

/// An entry with the item that is needed, published where the department is hosted.
pub(crate) fn publishes(world: &mut World, department: &Department) -> Entry {
    let mut made = entry(department, 7, "就业登记信息", conditional(), world.now);
    made.items[1].name = "就业状态".into();
    publish(world, department, vec![made.clone()]);
    world.settle();
    made
}

pub(crate) fn promise(by: Moment) -> NeedStep {
    NeedStep::Promise { by }
}

#[test]
fn a_countys_need_is_matched_across_provinces_met_by_a_new_entry_and_confirmed() {
    let (mut world, needing, providing, docket) = matched(80);
    let there = providing.node;
    let department = party(&world, &providing);
    assert_eq!(
        phase(&world, there, docket),
        NeedPhase::Matched { department }
    );
    assert!(
        held(&world, code("210100"), docket).is_none(),
        "not reached"
    );
    let by = world.now.plus_days(20);
    says(&mut world, &providing, docket, promise(by)).expect("promised");
    let NeedPhase::Promised { term, .. } = phase(&world, needing.node, docket) else {
        panic!("promised at home")
    };
    assert_eq!(term.due, by);
    let made = publishes(&mut world, &providing);
    let entry = at(&world, &providing, &made);
    let fulfil = fulfil(&world, &providing, &made);
    says(&mut world, &providing, docket, fulfil).expect("fulfilled");
    says(&mut world, &needing, docket, NeedStep::ConfirmMet).expect("confirmed");
    let whole = events(&world, needing.node, docket);
    assert_eq!(
        whole.len(),
        8,
        "reported, three times up, matched, promised, fulfilled, met"
    );
    for node in LINE.map(code).into_iter().chain([there]) {
        let met = NeedPhase::Met {
            entry: entry.clone(),
        };
        assert_eq!(phase(&world, node, docket), met, "at {node}");
        assert_eq!(events(&world, node, docket), whole, "at {node}");
    }
    let late = says(&mut world, &needing, docket, NeedStep::Withdraw);
    assert!(matches!(under_r20(late), RefusalReason::WrongState { .. }));
}

#[test]
pub(crate) fn what_a_published_entry_gives_is_applied_for_and_is_no_need() {
    let mut world = demo(81);
    let (_, shared) = provider(&mut world, "440106", ClassTerms::Unconditional);
    let needing = world.department(code("440106"), 2, "医疗保障局");
    let wanted = ["名称", "登记日期"];
    let refused = under_r20(report(&mut world, &needing, need(&wanted)));
    let RefusalReason::SharedAlready { entry } = refused else {
        panic!("{refused:?}")
    };
    assert!(entry.contains(&shared.id.to_string()), "{entry}");
    let mut silent = need(&wanted);
    silent.searched.clear();
    silent.considered.push(Considered {
        publisher: needing.node,
        entry: shared.id.clone(),
        why_not: "只含低保对象，不含其他居民".into(),
    });
    let fields = vec![RequiredField::Need(NeedField::Searched)];
    let missing = RefusalReason::MissingField { fields };
    assert_eq!(
        under_r20(report(&mut world, &needing, silent.clone())),
        missing
    );
    silent.searched = "本级目录检索“登记日期”".into();
    let docket = report(&mut world, &needing, silent).expect("it says why the entry does not do");
    // The authority sees the same catalogue and may find otherwise.
    let mut never = shared.clone();
    never.version += 1;
    let point = |entry| NeedStep::PointTo { entry };
    let place = world.place(needing.node);
    let named = |entry: &Entry| EntryAt {
        publisher: place.clone(),
        entry: entry.version_ref(),
    };
    let unknown = rules(&mut world, "440106", docket, point(named(&never)));
    assert_eq!(under_r20(unknown), RefusalReason::EntryNotPublished);
    rules(&mut world, "440106", docket, point(named(&shared))).expect("an entry is there");
    let reasons = "确实只含低保对象".to_owned();
    says(&mut world, &needing, docket, NeedStep::NotMet { reasons }).expect("said why");
    rules(&mut world, "440106", docket, pass_on()).expect("passed on");
    assert_eq!(phase(&world, code("440100"), docket), NeedPhase::Open);
    let hub = held(&world, Code::HUB, docket);
    assert!(hub.is_none(), "it goes up one level at a time");
    let reasons = "各区均不收集".to_owned();
    rules(&mut world, "440100", docket, NeedStep::Decline { reasons }).expect("declined");
    let at_home = phase(&world, needing.node, docket);
    assert!(matches!(at_home, NeedPhase::Declined { .. }));
}

#[test]
fn an_authority_beyond_its_reach_another_role_and_another_department_are_refused() {
    let mut world = demo(82);
    let needing = world.department(code("440106"), 2, "民政局");
    let providing = world.department(code("210102"), 3, "人力资源和社会保障局");
    let docket = report(&mut world, &needing, need(&["就业状态"])).expect("on record");
    let department = party(&world, &providing);
    let step = || NeedStep::Match {
        department: department.clone(),
    };
    let beyond = under_r20(rules(&mut world, "440106", docket, step()));
    assert!(matches!(beyond, RefusalReason::NotCommonSuperior { .. }));
    let role = under_r20(says(&mut world, &needing, docket, step()));
    assert!(matches!(role, RefusalReason::RoleNotEntitled { .. }));
    let reasons = " ".to_owned();
    let bare = rules(&mut world, "440106", docket, NeedStep::Decline { reasons });
    assert_eq!(under_r20(bare), RefusalReason::ReasonsRequired);
    let early = says(&mut world, &needing, docket, NeedStep::ConfirmMet);
    assert!(matches!(under_r20(early), RefusalReason::WrongState { .. }));
    // Whoever was not reached has no docket to step in.
    let outside = under_r20(rules(&mut world, "100000", docket, step()));
    assert!(matches!(outside, RefusalReason::UnknownDocket { .. }));
    rules(&mut world, "440106", docket, pass_on()).expect("passed on");
    let before = phase(&world, needing.node, docket);
    let late = under_r20(rules(&mut world, "440106", docket, pass_on()));
    assert_eq!(late, RefusalReason::NotYourDepartment, "it has it no more");
    assert_eq!(phase(&world, needing.node, docket), before);
}

#[test]
fn the_department_matched_answers_for_itself_with_a_date_ahead_and_its_own_published_entry() {
    let (mut world, needing, providing, docket) = matched(83);
    let neighbour = world.department(providing.node, 9, "教育局");
    let by = world.now.plus_days(20);
    let past = promise(world.now.plus_days(-1));
    says(&mut world, &providing, docket, past).expect("sent to the home");
    let duty = Duty::MeetNeed;
    let there = providing.node;
    assert!(told(
        &world,
        there,
        &RefusalReason::DateOutOfBounds { duty }
    ));
    says(&mut world, &neighbour, docket, promise(by)).expect("sent to the home");
    assert!(told(&world, there, &RefusalReason::NotYourDepartment));
    let made = entry(&providing, 7, "就业登记信息", conditional(), world.now);
    let unpublished = fulfil(&world, &providing, &made);
    let unpublished = says(&mut world, &providing, docket, unpublished);
    assert_eq!(under_r20(unpublished), RefusalReason::EntryNotPublished);
    let made = publishes(&mut world, &neighbour);
    let foreign = fulfil(&world, &neighbour, &made);
    let foreign = says(&mut world, &providing, docket, foreign);
    assert_eq!(under_r20(foreign), RefusalReason::NotYourDepartment);
    let department = party(&world, &providing);
    let still = NeedPhase::Matched { department };
    assert_eq!(
        phase(&world, needing.node, docket),
        still,
        "nothing followed"
    );
    let reasons = "本部门不掌握该数据".to_owned();
    says(&mut world, &providing, docket, NeedStep::Cannot { reasons }).expect("answered");
    assert_eq!(phase(&world, Code::HUB, docket), NeedPhase::Open);
    let department = party(&world, &neighbour);
    rules(&mut world, "100000", docket, NeedStep::Match { department }).expect("another");
    let fulfil = fulfil(&world, &neighbour, &made);
    says(&mut world, &neighbour, docket, fulfil).expect("fulfilled");
    let offered = phase(&world, needing.node, docket);
    assert!(matches!(offered, NeedPhase::Offered { .. }));
}

#[test]
fn a_date_that_the_department_named_and_missed_is_recorded_overdue_once_at_both() {
    let (mut world, needing, providing, docket) = matched(84);
    let by = world.now.plus_days(20);
    says(&mut world, &providing, docket, promise(by)).expect("promised");
    world.step(by.millis_since(world.now) - 60_000);
    assert_eq!(lapses(&world, needing.node, docket), 0);
    world.step(120_000);
    world.step(3_600_000);
    world.settle();
    for node in [needing.node, providing.node, Code::HUB] {
        assert_eq!(lapses(&world, node, docket), 1, "at {node}");
    }
    // The authority may now match another; the copy at the one that was late stays.
    let other = world.department(code("210100"), 4, "人力资源和社会保障局");
    let department = party(&world, &other);
    rules(&mut world, "100000", docket, NeedStep::Match { department }).expect("another");
    for node in [other.node, providing.node] {
        let matched = held(&world, node, docket).and_then(|it| it.matched().cloned());
        assert_eq!(matched, Some(party(&world, &other)), "at {node}");
    }
}

/// Whether a level answered, and how many entries it found to hold everything.
fn said(asked: &[LevelAsked]) -> Vec<Option<usize>> {
    let whole = asked.iter().map(|it| match &it.said {
        Said::Silent => None,
        Said::Answered { whole, .. } => Some(whole.len()),
    });
    whole.collect()
}

#[test]
fn what_another_province_shares_is_found_from_a_county_and_is_no_need() {
    let mut world = demo(85);
    let providing = world.department(code("210102"), 3, "人力资源和社会保障局");
    let made = publishes(&mut world, &providing);
    let needing = world.department(code("440106"), 2, "民政局");
    let wanted = looked_up(&mut world, &needing, need(&["就业状态"]));
    // Neither the city nor the province knows it; the hub does.
    assert_eq!(said(&wanted.asked), [Some(0), Some(0), Some(1)]);
    let refused = under_r20(put_on_record(&mut world, &needing, wanted.clone()));
    let entry = format!("210102 {}《{}》", made.id, made.name);
    assert_eq!(refused, RefusalReason::SharedAlready { entry });
    // Leaving out what the hub said does not help: the node heard it.
    let hub = Path::hub().to_string();
    let otherwise = RefusalReason::NotLookedUp { level: hub };
    let mut hushed = wanted.clone();
    hushed.asked[2].said = Said::Silent;
    let hushed = under_r20(put_on_record(&mut world, &needing, hushed));
    assert_eq!(hushed, otherwise);
    let mut emptied = wanted.clone();
    if let Said::Answered { whole, .. } = &mut emptied.asked[2].said {
        whole.clear();
    }
    let emptied = under_r20(put_on_record(&mut world, &needing, emptied));
    assert_eq!(emptied, otherwise);
    let mut considered = wanted;
    considered.considered.push(Considered {
        publisher: providing.node,
        entry: made.id.clone(),
        why_not: "只含和平区居民".into(),
    });
    let docket = put_on_record(&mut world, &needing, considered.clone()).expect("it says why not");
    let held = held(&world, needing.node, docket).expect("held at home");
    assert_eq!(held.need.asked, considered.asked, "and what was looked at");
}

#[test]
fn with_the_parent_unreachable_a_need_is_reported_as_checked_so_far_as_the_levels_answered() {
    let mut world = demo(86);
    let providing = world.department(code("210102"), 3, "人力资源和社会保障局");
    publishes(&mut world, &providing);
    let needing = world.department(code("440106"), 2, "民政局");
    let never = under_r20(put_on_record(&mut world, &needing, need(&["就业状态"])));
    let city = world.place(code("440100"));
    let level = city.to_string();
    assert_eq!(never, RefusalReason::NotLookedUp { level });
    world.cut(code("440100"));
    let wanted = looked_up(&mut world, &needing, need(&["就业状态"]));
    assert_eq!(said(&wanted.asked), [Some(0), None, None]);
    // Nobody says that a level answered which did not.
    let mut invented = wanted.clone();
    invented.asked[1].said = invented.asked[0].said.clone();
    let invented = under_r20(put_on_record(&mut world, &needing, invented));
    let province = world.place(code("440000")).to_string();
    assert_eq!(invented, RefusalReason::NotLookedUp { level: province });
    // One that answered after the person had waited holds nothing up when it found nothing.
    let mut late = wanted.clone();
    late.asked[0].said = Said::Silent;
    put_on_record(&mut world, &needing, late).expect("an answer that came late");
    let docket = put_on_record(&mut world, &needing, wanted).expect("it goes ahead");
    world.heal(code("440100"));
    world.settle();
    rules(&mut world, "440106", docket, pass_on()).expect("passed on");
    let above = held(&world, code("440100"), docket).expect("held above");
    assert_eq!(
        said(&above.need.asked),
        [Some(0), None, None],
        "and it says so"
    );
}

#[test]
fn a_need_is_matched_to_a_department_that_there_is_and_met_by_what_holds_every_item() {
    let mut world = demo(87);
    let needing = world.department(code("440106"), 2, "民政局");
    let docket = report(&mut world, &needing, need(&["就业状态"])).expect("on record");
    let nobody = world.department(code("440106"), 77, "无此局");
    let to = |department: Party| NeedStep::Match { department };
    let unknown = |department: &Department| RefusalReason::UnknownDepartment {
        department: department.code.to_string(),
        node: department.node.to_string(),
    };
    // The authority's own place: it knows who is there.
    let party_there = party(&world, &nobody);
    let refused = rules(&mut world, "440106", docket, to(party_there));
    assert_eq!(under_r20(refused), unknown(&nobody));
    for node in &LINE[..3] {
        rules(&mut world, node, docket, pass_on()).expect("passed on");
    }
    // A node that there is not.
    let nowhere = Party {
        department: nobody.code,
        node: "100000/210000/210100/219999".parse().expect("a place"),
    };
    let refused = under_r20(rules(&mut world, "100000", docket, to(nowhere)));
    let named = |it: &RefusalReason| matches!(it, RefusalReason::UnknownDepartment { node, .. } if node == "219999");
    assert!(named(&refused), "{refused:?}");
    // A node that there is, and that knows no such department: it says so, and another is matched.
    let nobody = world.department(code("210102"), 77, "无此局");
    let party_there = party(&world, &nobody);
    rules(&mut world, "100000", docket, to(party_there)).expect("sent there");
    assert!(told(&world, Code::HUB, &unknown(&nobody)));
    let providing = world.department(code("210102"), 3, "人力资源和社会保障局");
    let mut lacking = entry(&providing, 6, "失业登记信息", conditional(), world.now);
    publish(&mut world, &providing, vec![lacking.clone()]);
    world.settle();
    let party_there = party(&world, &providing);
    rules(&mut world, "100000", docket, to(party_there)).expect("another");
    assert!(
        !told(&world, Code::HUB, &unknown(&providing)),
        "it is known there by its entries"
    );
    let step = fulfil(&world, &providing, &lacking);
    let short = under_r20(says(&mut world, &providing, docket, step));
    let missing = vec!["就业状态".to_owned()];
    assert_eq!(short, RefusalReason::ItemsNotHeld { missing });
    // What it says of a version is what that version holds.
    let named = at(&world, &providing, &lacking);
    lacking.items[1].name = "就业状态".into();
    let step = NeedStep::Fulfil {
        entry: named,
        held: Box::new(lacking),
    };
    let forged = says(&mut world, &providing, docket, step);
    let missing = vec!["就业状态".to_owned()];
    assert_eq!(
        under_r20(forged),
        RefusalReason::ItemsNotHeld { missing },
        "its own node reads the entry itself"
    );
    let department = party(&world, &providing);
    let still = NeedPhase::Matched { department };
    assert_eq!(phase(&world, needing.node, docket), still);
}
