//! R37: any citizen or body complains of an infringement in the sharing of government data; the authority that receives it hands it to whoever is to
//! deal with it, here or elsewhere, and it is answered.

use federation::core::{Refused, query};
use guantong_tests::{Department, Person, World};
use identity::{Code, CreditCode};
use sharing::act::ActBody;
use sharing::clock::Debtor;
use sharing::complaint::{ComplaintAct, ComplaintPhase, ComplaintState};
use sharing::dispute::Party;
use sharing::docket::{Case, DocketId};
use sharing::erasure::ErasureAct;
use sharing::public::{PublicRequest, RECEIPT_BYTES, Receipt, Written};
use statute::{Article, ErasureGround, Profile, RefusalReason, Role};

use crate::stage::{code, demo, findings, lapses};

/// A locality that gives its authorities ten working days; R37 itself gives no number.
pub(crate) const LOCAL: &str = r#"
id = "local"
version = "1"
name_zh = "某地"
name_en = "Somewhere"
[[duty]]
duty = "answer-complaint"
working_days = 10
article = "R37"
breach = "R39(9)"
"#;

const COUNTY: &str = "440106";
const CITY: &str = "440100";
const CONTACT: &str = "13900000000";

pub(crate) fn complain(
    world: &mut World,
    about: Option<CreditCode>,
    text: &str,
) -> Result<(Receipt, DocketId), Refused> {
    let receipt = Receipt::new([3; RECEIPT_BYTES]);
    let written = Written {
        name: "赵六".into(),
        contact: CONTACT.into(),
        subject: "市民政局".into(),
        text: text.into(),
    };
    let statement = world.written(code(COUNTY), written, Article::R37);
    let request = PublicRequest::Complaint { about, statement };
    let answer = world.public(code(COUNTY), &receipt, request)?;
    world.settle();
    Ok((receipt, answer.docket.expect("a docket")))
}

fn does(world: &mut World, node: Code, person: &Person, act: ComplaintAct) -> Result<(), Refused> {
    world.act(node, person, ActBody::Complaint(act))?;
    world.settle();
    Ok(())
}

pub(crate) fn pass_on(docket: DocketId, to: Debtor) -> ComplaintAct {
    ComplaintAct::PassOn {
        docket,
        to,
        note: None,
    }
}

pub(crate) fn answer(docket: DocketId, text: &str) -> ComplaintAct {
    ComplaintAct::Answer {
        docket,
        answer: text.into(),
    }
}

fn department(world: &World, department: &Department) -> Debtor {
    Debtor::Department(Party {
        department: department.code,
        node: world.place(department.node),
    })
}

fn held(world: &World, node: Code, docket: DocketId) -> Option<ComplaintState> {
    let held = query::docket(world.read(node), docket).expect("memory")?;
    match held.docket.state.case {
        Case::Complaint(state) => Some(*state),
        other => panic!("{other:?}"),
    }
}

/// What whoever has the receipt reads.
fn read(world: &World, receipt: &Receipt) -> ComplaintPhase {
    let case = query::public_case(world.read(code(COUNTY)), &receipt.commitment());
    match case.expect("memory").expect("with the receipt").1.case {
        Case::Complaint(state) => state.phase,
        other => panic!("{other:?}"),
    }
}

fn lawfully(refused: Result<impl std::fmt::Debug, Refused>) -> (RefusalReason, Article) {
    match refused {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("a lawful refusal: {other:?}"),
    }
}

#[test]
fn a_complaint_is_passed_up_to_the_department_concerned_which_answers_and_the_receipt_shows_it() {
    let mut world = demo(70);
    let (county, city) = (code(COUNTY), code(CITY));
    let concerned = world.department(city, 1, "市民政局");
    let (receipt, docket) = complain(&mut world, None, "未经同意使用我的信息").expect("received");
    assert!(
        held(&world, city, docket).is_none(),
        "not before it is passed on"
    );
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let to = department(&world, &concerned);
    // Nobody else passes it on.
    let operator = world.staff(&concerned, Role::Operator);
    let received_by = Debtor::Authority(world.place(county));
    let (reason, article) = lawfully(does(
        &mut world,
        county,
        &reviewer,
        pass_on(docket, received_by),
    ));
    assert!(matches!(reason, RefusalReason::Duplicate { .. }));
    assert_eq!(article, Article::R37);
    does(&mut world, county, &reviewer, pass_on(docket, to.clone())).expect("passed on");
    let copy = held(&world, city, docket).expect("a copy at the city");
    let text = copy.intake.request.statement().text.expect("a text");
    let read_there = world.content(city, &text).expect("fetched by the city");
    assert_eq!(read_there.text(), "未经同意使用我的信息");
    assert_eq!(copy.phase, ComplaintPhase::Waiting { with: to });
    for away in ["440000", "100000", "210102"] {
        assert!(held(&world, code(away), docket).is_none(), "{away}");
    }
    for node in [county, city] {
        let texts = findings(&world, node);
        assert!(texts.iter().any(|it| it.contains("complaint")), "{node}");
        assert!(texts.iter().all(|it| !it.contains(CONTACT)));
    }
    // Another department of the city knows the docket; the home refuses it.
    let neighbour = world.department(city, 9, "市教育局");
    let other = world.staff(&neighbour, Role::Operator);
    does(&mut world, city, &other, answer(docket, "与我无关")).expect("sent to the home");
    assert!(matches!(
        read(&world, &receipt),
        ComplaintPhase::Waiting { .. }
    ));
    let texts = findings(&world, city);
    assert!(texts.iter().any(|it| it.contains("another department")));
    does(
        &mut world,
        city,
        &operator,
        answer(docket, "已核实并停止使用"),
    )
    .expect("answered");
    let ComplaintPhase::Answered { answer: told, .. } = read(&world, &receipt) else {
        panic!("answered")
    };
    assert_eq!(told, "已核实并停止使用");
    let copy = held(&world, city, docket).expect("a copy at the city");
    assert!(matches!(copy.phase, ComplaintPhase::Answered { .. }));
    for node in [county, city] {
        world
            .rebuild(node)
            .unwrap_or_else(|difference| panic!("{difference}"));
    }
}

#[test]
fn what_was_written_stands_in_vaults_alone_and_after_its_erasure_nowhere() {
    const TEXT: &str = "未经同意使用我的信息";
    // What the officials tell one another of whoever complains.
    const NOTE: &str = "赵六此前已两次来访";
    let mut world = demo(76);
    let (county, city) = (code(COUNTY), code(CITY));
    let (_, docket) = complain(&mut world, None, TEXT).expect("received");
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let passed = ComplaintAct::PassOn {
        docket,
        to: Debtor::Authority(world.place(city)),
        note: Some(world.private(county, NOTE)),
    };
    does(&mut world, county, &reviewer, passed).expect("passed up");
    let vaults = |world: &World, said: &str| -> Vec<Code> {
        let codes = world.codes().into_iter();
        let (kept, clear): (Vec<_>, Vec<_>) = codes
            .filter(|code| world.keeps(*code, said.as_bytes()))
            .partition(|code| !world.keeps_beside_the_vault(*code, said.as_bytes()));
        assert_eq!(clear, [], "in clear");
        kept
    };
    for said in [TEXT, CONTACT, NOTE] {
        assert_eq!(vaults(&world, said), [city, county]);
    }
    let superior = world.authority_head(city);
    does(&mut world, city, &superior, answer(docket, "已责令改正")).expect("answered");
    let held = query::docket(world.read(county), docket).expect("memory");
    let items = held.expect("held").docket.state.personal.items;
    assert_eq!(items.len(), 5);
    let erase = ActBody::Erasure(ErasureAct::Erase {
        docket,
        contents: items.iter().map(|item| item.private.digest).collect(),
        ground: ErasureGround::RetentionOver,
    });
    let head = world.authority_head(county);
    let early = lawfully(world.act(county, &head, erase.clone()));
    assert!(matches!(early.0, RefusalReason::StillRetained { .. }));
    // Renewals of certificates until three years are over.
    world.pass(5);
    let other = world.department(county, 1, "区民政局");
    let foreign = world.staff(&other, Role::DepartmentHead);
    let not_theirs = (RefusalReason::NotYourDepartment, Article::P47);
    assert_eq!(
        lawfully(world.act(county, &foreign, erase.clone())),
        not_theirs
    );
    let head = world.authority_head(county);
    world.act(county, &head, erase).expect("erased");
    world.settle();
    for said in [TEXT, CONTACT, NOTE] {
        assert_eq!(vaults(&world, said), []);
    }
    for node in [county, city] {
        world
            .rebuild(node)
            .unwrap_or_else(|difference| panic!("{difference}"));
    }
}

#[test]
pub(crate) fn an_authority_complained_of_does_not_answer_and_its_superior_does() {
    let mut world = demo(71);
    let (county, city) = (code(COUNTY), code(CITY));
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let own = reviewer.chain.holder().expect("a person").department;
    let (receipt, docket) = complain(&mut world, Some(own), "主管部门泄露信息").expect("received");
    let refused = does(&mut world, county, &reviewer, answer(docket, "查无此事"));
    let (reason, article) = lawfully(refused);
    assert!(matches!(reason, RefusalReason::AuthorityIsParty { .. }));
    assert_eq!(article, Article::R37);
    let above = Debtor::Authority(world.place(city));
    does(&mut world, county, &reviewer, pass_on(docket, above)).expect("passed up");
    assert!(held(&world, city, docket).is_some());
    let superior = world.authority_head(city);
    does(&mut world, city, &superior, answer(docket, "已责令改正")).expect("answered");
    assert!(matches!(
        read(&world, &receipt),
        ComplaintPhase::Answered { .. }
    ));
    let copy = held(&world, city, docket).expect("a copy at the city");
    assert!(matches!(copy.phase, ComplaintPhase::Answered { .. }));
}

#[test]
fn a_complaint_of_an_authority_is_never_handed_back_to_it() {
    let mut world = demo(76);
    let (county, city) = (code(COUNTY), code(CITY));
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let own = reviewer.chain.holder().expect("a person").department;
    let (_, docket) = complain(&mut world, Some(own), "主管部门泄露信息").expect("received");
    let itself = Debtor::Department(Party {
        department: own,
        node: world.place(county),
    });
    let (reason, article) = lawfully(does(&mut world, county, &reviewer, pass_on(docket, itself)));
    assert!(matches!(reason, RefusalReason::AuthorityIsParty { .. }));
    assert_eq!(article, Article::R37);
    let above = Debtor::Authority(world.place(city));
    let up = pass_on(docket, above.clone());
    does(&mut world, county, &reviewer, up).expect("passed up");
    let superior = world.authority_head(city);
    let back = Debtor::Authority(world.place(county));
    does(&mut world, city, &superior, pass_on(docket, back)).expect("sent to the home");
    for node in [county, city] {
        let copy = held(&world, node, docket).expect("held");
        let phase = ComplaintPhase::Waiting {
            with: above.clone(),
        };
        assert_eq!((copy.phase, copy.passed_on), (phase, 1), "at {node}");
    }
    let government = Debtor::Government(world.place(county));
    does(&mut world, city, &superior, pass_on(docket, government)).expect("to its government");
    let copy = held(&world, city, docket).expect("held");
    assert_eq!(copy.passed_on, 2);
}

#[test]
fn a_complaint_says_what_happened_and_an_answer_what_came_of_it() {
    let mut world = demo(72);
    let county = code(COUNTY);
    let (reason, article) = lawfully(complain(&mut world, None, " "));
    assert!(matches!(reason, RefusalReason::MissingField { .. }));
    assert_eq!(article, Article::R37);
    let (_, docket) = complain(&mut world, None, "信息被滥用").expect("received");
    let reviewer = world.authority(county, Role::AuthorityReviewer);
    let bare = does(&mut world, county, &reviewer, answer(docket, " "));
    assert_eq!(
        lawfully(bare),
        (RefusalReason::ReasonsRequired, Article::R37)
    );
    let local = world.department(county, 1, "区民政局");
    let operator = world.staff(&local, Role::Operator);
    let to = department(&world, &local);
    let (reason, article) = lawfully(does(&mut world, county, &operator, pass_on(docket, to)));
    assert!(matches!(reason, RefusalReason::RoleNotEntitled { .. }));
    assert_eq!(article, Article::R37);
    let to_government = Debtor::Government(world.place(county));
    does(
        &mut world,
        county,
        &reviewer,
        pass_on(docket, to_government),
    )
    .expect("passed on");
    let government = world.authority(county, Role::Government);
    does(
        &mut world,
        county,
        &government,
        answer(docket, "已责令主管部门改正"),
    )
    .expect("answered");
    let late = does(&mut world, county, &reviewer, answer(docket, "又一次"));
    assert!(matches!(lawfully(late).0, RefusalReason::WrongState { .. }));
}

#[test]
fn a_term_set_by_local_rules_is_watched_to_the_minute_and_r37_alone_sets_none() {
    let mut world = demo(73);
    let (county, city) = (code(COUNTY), code(CITY));
    let (_, docket) = complain(&mut world, None, "信息被滥用").expect("received");
    world.step(60 * 86_400_000);
    assert_eq!(lapses(&world, county, docket), 0, "no invented term");

    for (seed, late) in [(74, false), (75, true)] {
        let mut world = demo(seed);
        world.runs_under(county, &Profile::parse(LOCAL).expect("a profile"));
        let (_, docket) = complain(&mut world, None, "信息被滥用").expect("received");
        let reviewer = world.authority(county, Role::AuthorityReviewer);
        let above = Debtor::Authority(world.place(city));
        does(&mut world, county, &reviewer, pass_on(docket, above)).expect("passed up");
        let due = held(&world, county, docket)
            .expect("held")
            .term
            .expect("a term")
            .due;
        // Received on Monday 2026-03-09: ten working days end on Monday 2026-03-23 at 24:00 in Beijing.
        assert_eq!(due.to_string(), "2026-03-23T16:00:00.000Z");
        world.step(due.millis_since(world.now) - 60_000);
        assert_eq!(lapses(&world, county, docket), 0);
        let said = answer(docket, "已处理");
        if late {
            world.step(120_000);
            does(&mut world, county, &reviewer, said).expect("answered late");
        } else {
            let act = ActBody::Complaint(said);
            world
                .act(county, &reviewer, act)
                .expect("answered in the last minute");
            world.step(7_200_000);
        }
        world.settle();
        assert_eq!(lapses(&world, county, docket), usize::from(late));
        assert_eq!(
            lapses(&world, city, docket),
            usize::from(late),
            "at the copy"
        );
    }
}
