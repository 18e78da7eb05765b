//! Shenyang S24 to S27: departments open data to the public, put files before everyone, and answer whoever applies in fifteen working days.

use federation::core::{Refused, query};
use guantong_tests::{Department, World};
use identity::Code;
use sharing::act::{ActBody, ObjectRef};
use sharing::catalogue::{Entry, EntryId};
use sharing::docket::{Case, DocketId};
use sharing::open_data::{OpenAnswer, OpenDataAct, OpenFile, OpenPhase, OpenRequestState};
use sharing::public::{PublicRequest, RECEIPT_BYTES, Receipt, Written};
use statute::{Article, OpenFormat, OpeningReplyForm, OpeningTerms, Profile, RefusalReason, Role};

use crate::stage::{code, conditional, demo, findings, lapses, provider};

/// A federation in which 沈阳市 and 和平区 run under Shenyang's rules, and a department of 和平区 with a published entry.
fn shenyang(seed: u64) -> (World, Department, Entry) {
    let mut world = demo(seed);
    for node in ["210100", "210102"] {
        world.runs_under(code(node), &Profile::shenyang());
    }
    let (department, entry) = provider(&mut world, "210102", conditional());
    world.settle();
    (world, department, entry)
}

fn open() -> OpeningTerms {
    OpeningTerms::Unconditional {
        formats: vec![OpenFormat::Csv],
    }
}

pub(crate) fn on_application() -> OpeningTerms {
    OpeningTerms::OnApplication {
        grounds: vec!["《中华人民共和国个人信息保护法》第十三条".into()],
    }
}

pub(crate) fn mark(
    world: &mut World,
    department: &Department,
    entry: &Entry,
    terms: OpeningTerms,
) -> Result<(), Refused> {
    let head = world.staff(department, Role::DepartmentHead);
    let act = OpenDataAct::Mark {
        entry: entry.version_ref(),
        terms,
        contains: vec![],
    };
    world.act(department.node, &head, ActBody::OpenData(act))?;
    world.settle();
    Ok(())
}

fn put_file(
    world: &mut World,
    department: &Department,
    entry: &Entry,
) -> Result<ObjectRef, Refused> {
    let object = world.upload(department.node, "公交站点.csv", b"code,name\n1,a\n");
    let operator = world.staff(department, Role::Operator);
    let act = OpenDataAct::Publish {
        entry: entry.id.clone(),
        file: OpenFile {
            format: OpenFormat::Csv,
            object: object.clone(),
        },
    };
    world.act(department.node, &operator, ActBody::OpenData(act))?;
    world.settle();
    Ok(object)
}

pub(crate) fn apply(
    world: &mut World,
    node: Code,
    entry: &EntryId,
    seed: u8,
) -> Result<(Receipt, DocketId), Refused> {
    let receipt = Receipt::new([seed; RECEIPT_BYTES]);
    let written = Written {
        name: "王五".into(),
        contact: "wangwu@example.cn".into(),
        subject: String::new(),
        text: "研究公交客流，需要站点数据".into(),
    };
    let statement = world.written(node, written, Article::S26);
    let request = PublicRequest::OpenData {
        entry: entry.clone(),
        form: OpeningReplyForm::Written,
        statement,
    };
    let answer = world.public(node, &receipt, request)?;
    world.settle();
    Ok((receipt, answer.docket.expect("a docket")))
}

fn answer(
    world: &mut World,
    department: &Department,
    docket: DocketId,
    answer: OpenAnswer,
) -> Result<(), Refused> {
    let operator = world.staff(department, Role::Operator);
    let act = OpenDataAct::Answer {
        docket,
        form: OpeningReplyForm::Written,
        answer,
    };
    world.act(department.node, &operator, ActBody::OpenData(act))?;
    world.settle();
    Ok(())
}

/// The case as whoever has the receipt reads it.
fn case(world: &World, node: Code, receipt: &Receipt) -> Option<OpenRequestState> {
    let held = query::public_case(world.read(node), &receipt.commitment());
    match held.expect("memory")?.1.case {
        Case::OpenData(state) => Some(*state),
        other => panic!("{other:?}"),
    }
}

fn listed(world: &World, node: Code) -> Vec<query::OpenEntry> {
    query::open_entries(world.read(node), None, 10)
        .expect("memory")
        .0
}

fn lawfully(refused: Result<impl std::fmt::Debug, Refused>) -> (RefusalReason, Article) {
    match refused {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("a lawful refusal: {other:?}"),
    }
}

#[test]
fn what_a_district_opens_stands_in_the_citys_opening_catalogue_with_its_file() {
    let (mut world, department, entry) = shenyang(60);
    mark(&mut world, &department, &entry, open()).expect("marked");
    let file = put_file(&mut world, &department, &entry).expect("put");
    for node in ["210100", "210000"] {
        let found = listed(&world, code(node));
        let [found] = &found[..] else {
            panic!("at {node}: {found:?}")
        };
        assert_eq!(found.published.entry.id, entry.id);
        assert_eq!(found.mark.terms, open());
        assert_eq!(found.mark.files[0].object, file);
    }
    world
        .rebuild(code("210100"))
        .unwrap_or_else(|difference| panic!("{difference}"));
    // What is withdrawn from sharing is no longer in the opening catalogue either.
    let head = world.staff(&department, Role::DepartmentHead);
    let withdrawal = ActBody::WithdrawEntry {
        entry: entry.version_ref(),
        reason: "职责调整".into(),
    };
    world
        .act(department.node, &head, withdrawal)
        .expect("withdrawn");
    world.settle();
    assert!(listed(&world, code("210100")).is_empty());
}

#[test]
pub(crate) fn data_is_opened_only_where_local_rules_open_it_and_leaks_nothing() {
    let mut world = demo(61);
    let (department, entry) = provider(&mut world, "440106", conditional());
    let national = mark(&mut world, &department, &entry, open());
    let expected = (RefusalReason::OpeningNotProvided, Article::R2);
    assert_eq!(lawfully(national), expected);
    assert!(listed(&world, code("440100")).is_empty());
    let asked = apply(&mut world, code("440106"), &entry.id, 1);
    assert_eq!(lawfully(asked), expected);

    let (mut world, department, entry) = shenyang(62);
    let bare = OpeningTerms::NotOpened { grounds: vec![] };
    let (reason, article) = lawfully(mark(&mut world, &department, &entry, bare));
    assert!(matches!(reason, RefusalReason::MissingField { .. }));
    assert_eq!(article, Article::S27);
    let operator = world.staff(&department, Role::Operator);
    let act = OpenDataAct::Mark {
        entry: entry.version_ref(),
        terms: open(),
        contains: vec![],
    };
    let (reason, article) = lawfully(world.act(department.node, &operator, ActBody::OpenData(act)));
    assert!(matches!(reason, RefusalReason::RoleNotEntitled { .. }));
    assert_eq!(article, Article::S24);
    mark(&mut world, &department, &entry, on_application()).expect("marked");
    let everyone = put_file(&mut world, &department, &entry);
    let restricted = (RefusalReason::NotOpenToEveryone, Article::S25);
    assert_eq!(lawfully(everyone), restricted);
    let city = listed(&world, code("210100"));
    assert_eq!((city.len(), city[0].mark.files.len()), (1, 0));
}

#[test]
fn an_applicant_without_a_key_is_answered_and_reads_it_by_the_receipt_alone() {
    let (mut world, department, entry) = shenyang(63);
    mark(&mut world, &department, &entry, on_application()).expect("marked");
    let (receipt, docket) = apply(&mut world, department.node, &entry.id, 7).expect("received");
    // The same receipt opens one docket.
    let again = apply(&mut world, department.node, &entry.id, 7).expect("repeated");
    assert_eq!(again.1, docket);
    let state = case(&world, department.node, &receipt).expect("with the receipt");
    assert!(matches!(state.phase, OpenPhase::Received { .. }));
    let guessed = Receipt::new([8; RECEIPT_BYTES]);
    assert_eq!(case(&world, department.node, &guessed), None);
    // What was written is in no finding, and at no other node.
    let texts = findings(&world, department.node);
    assert!(texts.iter().any(|it| it.contains("is to be answered")));
    assert!(texts.iter().all(|it| !it.contains("wangwu")));
    assert!(world.keeps(department.node, b"wangwu"), "in the vault");
    assert!(!world.keeps_beside_the_vault(department.node, b"wangwu"));
    let above = query::docket(world.read(code("210100")), docket).expect("memory");
    assert!(above.is_none(), "the city holds no copy");
    let bare = OpenAnswer::Refused {
        reasons: " ".into(),
    };
    let refused = answer(&mut world, &department, docket, bare);
    assert_eq!(
        lawfully(refused),
        (RefusalReason::ReasonsRequired, Article::S26)
    );
    let neighbour = world.department(department.node, 9, "教育局");
    let opened = OpenAnswer::Opened {
        how: "凭回执码下载".into(),
        object: Some(world.upload(department.node, "站点.csv", b"1,a\n")),
    };
    let foreign = answer(&mut world, &neighbour, docket, opened.clone());
    assert_eq!(
        lawfully(foreign),
        (RefusalReason::NotYourDepartment, Article::S26)
    );
    answer(&mut world, &department, docket, opened.clone()).expect("answered");
    let state = case(&world, department.node, &receipt).expect("with the receipt");
    let OpenPhase::Answered { answer: given, .. } = &state.phase else {
        panic!("{:?}", state.phase)
    };
    assert_eq!(*given, opened);
    world
        .rebuild(department.node)
        .unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn what_is_open_to_everyone_or_to_nobody_is_not_applied_for() {
    let (mut world, department, entry) = shenyang(64);
    let unmarked = apply(&mut world, department.node, &entry.id, 1);
    assert_eq!(
        lawfully(unmarked),
        (RefusalReason::EntryNotPublished, Article::S24)
    );
    mark(&mut world, &department, &entry, open()).expect("marked");
    let needless = apply(&mut world, department.node, &entry.id, 2);
    assert_eq!(
        lawfully(needless),
        (RefusalReason::NoApplicationNeeded, Article::S25)
    );
    let closed = OpeningTerms::NotOpened {
        grounds: vec!["《中华人民共和国统计法》第九条".into()],
    };
    mark(&mut world, &department, &entry, closed).expect("marked");
    let refused = apply(&mut world, department.node, &entry.id, 3);
    assert_eq!(lawfully(refused), (RefusalReason::NotOpened, Article::S24));
}

/// An application received on Monday 2026-03-09: fifteen working days end on Monday 2026-03-30 at 24:00 in Beijing.
fn received(seed: u64) -> (World, Department, DocketId) {
    let (mut world, department, entry) = shenyang(seed);
    mark(&mut world, &department, &entry, on_application()).expect("marked");
    let (receipt, docket) = apply(&mut world, department.node, &entry.id, 5).expect("received");
    let state = case(&world, department.node, &receipt).expect("with the receipt");
    let OpenPhase::Received { term } = state.phase else {
        panic!("received")
    };
    assert_eq!(term.due.to_string(), "2026-03-30T16:00:00.000Z");
    world.step(term.due.millis_since(world.now) - 60_000);
    assert_eq!(lapses(&world, department.node, docket), 0);
    (world, department, docket)
}

#[test]
fn a_reply_in_the_last_minute_is_in_time_and_one_a_minute_late_is_recorded_overdue() {
    let refusal = OpenAnswer::Refused {
        reasons: "含有商业秘密".into(),
    };
    let (mut world, department, docket) = received(65);
    let operator = world.staff(&department, Role::Operator);
    let act = OpenDataAct::Answer {
        docket,
        form: OpeningReplyForm::Written,
        answer: refusal.clone(),
    };
    world
        .act(department.node, &operator, ActBody::OpenData(act))
        .expect("answered in the last minute");
    world.step(7_200_000);
    assert_eq!(lapses(&world, department.node, docket), 0);

    let (mut world, department, docket) = received(66);
    world.step(120_000);
    assert_eq!(lapses(&world, department.node, docket), 1);
    answer(&mut world, &department, docket, refusal).expect("answered late");
    world.step(3_600_000);
    assert_eq!(lapses(&world, department.node, docket), 1, "once");
    let texts = findings(&world, department.node);
    assert!(texts.iter().any(|it| it.contains("did not in time")));
}
