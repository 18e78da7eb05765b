//! Commands that the law does not allow: each a typed refusal with its article and what to do, on record where it was judged, and nothing changed.

use federation::core::{Record, Refused};
use guantong_tests::{Department, Person, World, entry};
use identity::{Code, Domain, Signed, codec};
use sharing::act::{Act, ActBody, SignedAct};
use sharing::application::{GrantTerms, MissingItem, Reply, reply_document};
use sharing::clock::ClockAct;
use sharing::dispute::Opinion;
use sharing::docket::DocketId;
use sharing::node_act::NodeAct;
use sharing::return_flow::ReturnTable;
use statute::{
    ApplicationMaterial, Article, Duty, Profile, Refusal, RefusalReason, Role, WorkingDays,
};

use crate::dispute;
use crate::stage::{application, apply, code, conditional, demo, grant, publish, seen};

/// The refusal of an act as the ledger of the node that judged it has it.
fn on_record(world: &World, judge: Code, act: &SignedAct) -> Option<Refusal> {
    let records = world.records(judge).iter().rev();
    let mut records = records.map(|bytes| codec::decode(bytes, 1 << 20).expect("a record of ours"));
    records.find_map(|record| match record {
        Record::Refused { id, refusal, .. } if id == act.id() => Some(refusal),
        _ => None,
    })
}

/// What is tried: by whom at which node, and which node judges it.
struct Attempt<'a> {
    what: &'static str,
    by: &'a Person,
    at: Code,
    judge: Code,
}

impl<'a> Attempt<'a> {
    /// At the docket's own home.
    fn at_home(what: &'static str, by: &'a Person, at: Code) -> Self {
        let judge = at;
        Self {
            what,
            by,
            at,
            judge,
        }
    }

    fn refused(self, world: &mut World, body: ActBody) -> (RefusalReason, Article) {
        let signed = world.sign(self.at, self.by, body);
        self.refused_as_signed(world, &signed)
    }

    /// Refused with what to do about it, on record, and nothing changed anywhere.
    fn refused_as_signed(self, world: &mut World, act: &SignedAct) -> (RefusalReason, Article) {
        let what = self.what;
        let before = world.standing();
        let answer = world.post(self.at, act);
        world.settle();
        let refusal = on_record(world, self.judge, act)
            .unwrap_or_else(|| panic!("{what} is not on record as refused: {answer:?}"));
        if self.judge == self.at {
            let lawful = matches!(&answer, Err(Refused::Lawful(told)) if *told == refusal);
            assert!(lawful, "{what}: {answer:?}");
        }
        assert!(refusal.zh().contains(&refusal.article.cite_zh()), "{what}");
        assert!(!refusal.what_to_do_zh().is_empty(), "{what}");
        assert!(!refusal.what_to_do_en().is_empty(), "{what}");
        assert_eq!(world.standing(), before, "{what} changed something");
        (refusal.reason, refusal.article)
    }
}

/// 天河区 has applied for an entry of 和平区, once whole and once without stating its legal basis.
struct Applied {
    world: World,
    provider: Department,
    requester: Department,
    agreed: GrantTerms,
    docket: DocketId,
    incomplete: DocketId,
}

fn applied(seed: u64) -> Applied {
    let mut world = demo(seed);
    let provider = world.department(code("210102"), 1, "民政局");
    let offered = entry(&provider, 1, "低保对象信息", conditional(), world.now);
    publish(&mut world, &provider, vec![offered.clone()]);
    let requester = world.department(code("440106"), 2, "民政局");
    let whole = application(&world, &requester, &provider, &offered);
    let mut partial = whole.clone();
    let basis = ApplicationMaterial::Basis;
    partial.materials.retain(|material| material.kind != basis);
    let docket = apply(&mut world, &requester, whole);
    let incomplete = apply(&mut world, &requester, partial);
    world.settle();
    let Reply::Grant { terms: agreed } = grant(&world, &offered) else {
        panic!("a grant")
    };
    Applied {
        world,
        provider,
        requester,
        agreed,
        docket,
        incomplete,
    }
}

fn tell(docket: DocketId) -> ActBody {
    let missing = vec![MissingItem {
        kind: ApplicationMaterial::Basis,
        what: "请补充使用依据".into(),
    }];
    ActBody::TellMissing { docket, missing }
}

fn propose(docket: DocketId, reply: Reply) -> ActBody {
    ActBody::ProposeReply { docket, reply }
}

fn ask(docket: DocketId, days: u16) -> ActBody {
    ActBody::Clock(ClockAct::AskExtension {
        docket,
        duty: Duty::ReplyConditional,
        days: WorkingDays::new(days).expect("a period"),
        grounds: "数据量大".into(),
    })
}

fn consent_to_more_time(docket: DocketId) -> ActBody {
    ActBody::Clock(ClockAct::AnswerExtension {
        docket,
        duty: Duty::ReplyConditional,
        consents: true,
        grounds: String::new(),
    })
}

#[test]
fn a_reply_out_of_order_by_another_or_beyond_the_law_is_refused_and_nothing_changes() {
    let mut case = applied(56);
    let (home, docket) = (case.provider.node, case.docket);
    let world = &mut case.world;
    let operator = world.staff(&case.provider, Role::Operator);
    let office = world.staff(&case.provider, Role::SharingOfficeHead);
    let other = world.staff(&Department::hosted(home, 7, "教育局"), Role::Operator);
    let by = |what, person| Attempt::at_home(what, person, home);
    let document = reply_document(&Reply::Grant {
        terms: case.agreed.clone(),
    });
    let consent = ActBody::ConsentToReply { docket, document };
    let refused = by("consent before a reply", &office).refused(world, consent.clone());
    assert!(matches!(
        refused,
        (
            RefusalReason::WrongState { .. },
            Article::R20 | Article::R21
        )
    ));
    let object = world.upload(home, "低保对象.csv", b"code,name\n1,a\n");
    let provide = ActBody::Provide { docket, object };
    let refused = by("data before a grant", &operator).refused(world, provide);
    assert!(matches!(
        refused,
        (RefusalReason::WrongState { .. }, Article::R22)
    ));
    let refused = by("the wrong role", &operator).refused(world, consent);
    assert!(matches!(
        refused,
        (RefusalReason::RoleNotEntitled { .. }, Article::R20)
    ));
    let whole = Reply::Grant {
        terms: case.agreed.clone(),
    };
    let refused = by("another's docket", &other).refused(world, propose(docket, whole));
    assert!(matches!(
        refused,
        (
            RefusalReason::NotYourDepartment,
            Article::R20 | Article::R21
        )
    ));
    let condition = "另行缴费".to_owned();
    let conditioned = Reply::Grant {
        terms: GrantTerms {
            conditions: vec![condition.clone()],
            ..case.agreed.clone()
        },
    };
    let refused = by("a condition", &operator).refused(world, propose(docket, conditioned));
    let reason = RefusalReason::ConditionNotCatalogued { condition };
    assert_eq!(refused, (reason, Article::R15));
    let bare = Reply::Refuse {
        reasons: " ".into(),
        basis: "《政务数据共享条例》第十五条".into(),
    };
    let refused = by("no reasons", &operator).refused(world, propose(docket, bare));
    assert_eq!(refused, (RefusalReason::ReasonsRequired, Article::R21));
    let told = world.act(home, &operator, tell(case.incomplete));
    told.expect("told once");
    world.settle();
    let requesting = world.staff(&case.requester, Role::Operator);
    let materials = vec![sharing::application::Material {
        kind: ApplicationMaterial::Basis,
        text: "《社会救助暂行办法》第九条".into(),
    }];
    let supplement = ActBody::Supplement {
        docket: case.incomplete,
        materials,
        until: None,
    };
    let answer = world.act(case.requester.node, &requesting, supplement);
    answer.expect("supplemented");
    world.settle();
    let refused = by("told twice", &operator).refused(world, tell(case.incomplete));
    assert_eq!(
        refused,
        (RefusalReason::MissingAlreadyToldOnce, Article::R21)
    );
}

#[test]
fn more_time_beyond_the_law_and_a_step_after_the_deadline_are_refused_and_nothing_changes() {
    let mut case = applied(57);
    let (home, docket) = (case.provider.node, case.docket);
    let world = &mut case.world;
    let operator = world.staff(&case.provider, Role::Operator);
    let reviewer = world.authority(home, Role::AuthorityReviewer);
    let by = |what, person| Attempt::at_home(what, person, home);
    let refused = by("eleven days", &operator).refused(world, ask(docket, 11));
    let (asked, limit) = (11, 10);
    let reason = RefusalReason::ExtensionTooLong { asked, limit };
    assert_eq!(refused, (reason, Article::R21));
    let unasked = by("an unasked consent", &reviewer);
    let refused = unasked.refused(world, consent_to_more_time(docket));
    assert!(matches!(
        refused,
        (RefusalReason::WrongState { .. }, Article::R21)
    ));
    world.act(home, &operator, ask(docket, 10)).expect("asked");
    world.settle();
    let own = by("no consent but its own", &operator);
    let refused = own.refused(world, consent_to_more_time(docket));
    assert!(matches!(
        refused,
        (RefusalReason::RoleNotEntitled { .. }, Article::R21)
    ));
    let held = seen(world, home, case.incomplete).expect("held");
    let sharing::application::Phase::Received { term } = held.phase else {
        panic!("received")
    };
    world.step(term.due.millis_since(world.now) + 1);
    world.settle();
    let duty = Duty::ReplyConditional;
    let late = || (RefusalReason::TimeLimitPassed { duty }, Article::R21);
    let refused = by("told too late", &operator).refused(world, tell(case.incomplete));
    assert_eq!(refused, late());
    let refused = by("asked too late", &operator).refused(world, ask(case.incomplete, 5));
    assert_eq!(refused, late());
}

#[test]
fn a_forged_heads_consent_is_no_act_at_all_and_the_operators_own_is_refused() {
    let mut case = applied(58);
    let world = &mut case.world;
    let node = case.requester.node;
    let operator = world.staff(&case.requester, Role::Operator);
    let head = world.staff(&case.requester, Role::SharingOfficeHead);
    let held = seen(world, node, case.docket).expect("held");
    let application = held.application;
    let drafted = world.act(node, &operator, ActBody::Apply { application });
    let docket = drafted.expect("drafted").docket.expect("a docket");
    let document = docket.0;
    let consent = ActBody::ConsentToApply { docket, document };
    let own = Attempt::at_home("an operator's consent", &operator, node);
    let refused = own.refused(world, consent.clone());
    assert!(matches!(
        refused,
        (RefusalReason::RoleNotEntitled { .. }, Article::R20)
    ));
    let posing = Person {
        key: operator.key,
        chain: head.chain,
    };
    let before = (world.standing(), world.records(node).len());
    let forged = world.act(node, &posing, consent);
    assert!(
        matches!(forged, Err(Refused::NotAuthentic(_))),
        "{forged:?}"
    );
    // Nobody is known to have said it, so nobody was refused.
    assert_eq!((world.standing(), world.records(node).len()), before);
}

#[test]
fn a_return_flow_with_a_condition_is_refused_and_nothing_changes() {
    let mut world = demo(59);
    let source = code("mca");
    let operator = world.staff(&world.department(source, 1, "民政部"), Role::Operator);
    let table = ReturnTable {
        dataset: "divisions".parse().expect("a name"),
        table: world.upload(source, "divisions.csv", b"code,name\n440106,a\n"),
        division_column: "code".into(),
        key_column: None,
        assigned: Vec::new(),
        query: "2024年末行政区划".into(),
        source_rows: 1,
    };
    let lawful = world.sign(source, &operator, ActBody::ReturnTable { table });
    // Our act has no place for it; the act of another make's software has one more field.
    let condition = "须先签订协议".to_owned();
    let mut bytes = lawful.act.bytes().to_vec();
    bytes.extend(codec::encode(&vec![condition.clone()]));
    let signature = operator.key.sign(Domain::Act, &bytes);
    let conditioned = SignedAct {
        act: Signed::<Act>::from_parts(bytes, signature),
        signer: lawful.signer.clone(),
    };
    let attempt = Attempt::at_home("a return with a condition", &operator, source);
    let refused = attempt.refused_as_signed(&mut world, &conditioned);
    let reason = RefusalReason::ConditionOnReturnFlow { condition };
    assert_eq!(refused, (reason, Article::R24));
    world.post(source, &lawful).expect("without it");
}

#[test]
fn a_dispute_carried_to_the_wrong_node_is_refused_and_nothing_changes() {
    let mut world = demo(60);
    let hearing = code("440100");
    let case = dispute::coordinated(&mut world, ["440104", "440106"], "440100");
    let opinion = || Opinion {
        proposal: "不予共享".into(),
        grounds: "第十五条".into(),
    };
    let coordinate = || ActBody::Coordinate {
        docket: case,
        opinion: opinion(),
    };
    // The authority of one side, which holds a copy: the home refuses it.
    let side = world.authority(code("440106"), Role::AuthorityReviewer);
    let attempt = Attempt {
        what: "a case heard by one side's authority",
        by: &side,
        at: code("440106"),
        judge: hearing,
    };
    let refused = attempt.refused(&mut world, coordinate());
    assert!(matches!(
        refused,
        (RefusalReason::NotCommonSuperior { .. }, Article::R28)
    ));
    // An authority above the common superior, and one elsewhere: the case is not there.
    for elsewhere in ["440000", "210100"] {
        let node = code(elsewhere);
        let reviewer = world.authority(node, Role::AuthorityReviewer);
        let attempt = Attempt::at_home("a case that is not there", &reviewer, node);
        let refused = attempt.refused(&mut world, coordinate());
        assert!(matches!(
            refused,
            (RefusalReason::UnknownDocket { .. }, Article::R28)
        ));
    }
}

#[test]
fn a_calendar_with_thirty_two_days_and_a_profile_that_loosens_are_refused_and_nothing_changes() {
    let mut world = demo(61);
    let text = "year = 2027\nnumber = \"国办发明电〔2026〕9号\"\ntitle = \"通知\"\n\
                working_weekends = []\n\n[[off]]\nname = \"元旦\"\nfrom = \"2027-01-01\"\nto = \"2027-01-32\"\n";
    let head = world.authority_head(Code::HUB);
    let install = ActBody::Node(NodeAct::InstallCalendar { text: text.into() });
    let attempt = Attempt::at_home("a month of 32 days", &head, Code::HUB);
    let (reason, article) = attempt.refused(&mut world, install);
    assert!(
        matches!(&reason, RefusalReason::NotANotice { defect } if defect.contains("2027-01-32")),
        "{reason:?}"
    );
    assert_eq!(article, Article::R8);
    // A profile is no act: a node that is given one which loosens does not start under it.
    let loosening = "id = \"x\"\nversion = \"1\"\nname_zh = \"某市\"\nname_en = \"X\"\n\
                     [[duty]]\nduty = \"reply-conditional\"\nworking_days = 11\narticle = \"S20\"\nbreach = \"S34\"\n";
    let error = Profile::parse(loosening).expect_err("it loosens R21");
    let refusal = error.refusal().expect("the law refuses it");
    assert!(matches!(
        refusal.reason,
        RefusalReason::ProfileLoosens { .. }
    ));
    assert_eq!(refusal.article, Article::R21);
    assert!(!refusal.what_to_do_zh().is_empty() && !refusal.what_to_do_en().is_empty());
    let tightening = loosening.replace("= 11", "= 9");
    assert!(Profile::parse(&tightening).is_ok(), "{tightening}");
}
