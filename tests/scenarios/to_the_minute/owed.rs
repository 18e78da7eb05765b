//! How each duty comes about between nodes, and what meets it.

use federation::core::query;
use guantong_tests::{Department, Person, World};
use identity::{Code, Moment};
use sharing::act::ActBody;
use sharing::application::{GrantAct, GrantStep, reply_document};
use sharing::catalogue::{Entry, ReviewVerdict};
use sharing::clock::{ClockAct, Debtor};
use sharing::complaint::ComplaintAct;
use sharing::correction::CorrectionAct;
use sharing::dispute::Decision;
use sharing::docket::{Case, DocketId};
use sharing::need::NeedAct;
use sharing::open_data::{OpenAnswer, OpenDataAct};
use sharing::supervision::{Accused, Order, SupervisionAct};
use sharing::update::UpdateAct;
use statute::{
    Article, ChangeCause, ClassTerms, Duty, OpeningReplyForm, Profile, Role, WorkingDays,
};

use crate::stage::{application, apply, code, conditional, grant, provider, reply, share};
use crate::{complaint, correction, dispute, need, open_data};

/// A person's act at a node.
pub type Step = (Code, Person, ActBody);

/// A duty that runs.
pub struct Owed {
    /// In which docket.
    pub docket: DocketId,
    /// The nodes that hold it, its home first.
    pub holders: Vec<Code>,
    /// How many owe it.
    pub debtors: usize,
    /// What meets it, in this order.
    pub met_by: Vec<Step>,
}

impl Owed {
    fn new(docket: DocketId, holders: &[Code], met_by: Vec<Step>) -> Self {
        Self {
            docket,
            holders: holders.to_vec(),
            debtors: 1,
            met_by,
        }
    }
}

/// Lets a duty arise now. Where a person sets the date and no article, it is `by`.
pub fn owe(world: &mut World, duty: Duty, by: Moment) -> Owed {
    let owed = match duty {
        Duty::UpdateEntry => update(world, None),
        Duty::UpdateExtension => update(world, Some(5)),
        Duty::ReviewUpdate => review(world),
        Duty::ReplyUnconditional => answer(world, ClassTerms::Unconditional, None),
        Duty::ReplyConditional => answer(world, conditional(), None),
        Duty::ReplyExtension => answer(world, conditional(), Some(10)),
        Duty::Provide => provide(world),
        Duty::Correct => correct(world),
        Duty::ReplyOpening => reply_opening(world),
        Duty::AnswerComplaint => answer_complaint(world),
        Duty::Comply => comply(world, by),
        Duty::RectifyOrder => rectify_order(world, by),
        Duty::Rectify => rectify(world, by),
        Duty::Dispose => dispose(world, by),
        Duty::MeetNeed => meet_need(world, by),
        Duty::ReturnRows => unreachable!("{}", super::ITS_OWN_HOUR),
    };
    world.settle();
    owed
}

fn take(world: &mut World, (node, person, body): Step) -> Option<DocketId> {
    world.act(node, &person, body).expect("lawful").docket
}

fn staff(world: &World, department: &Department, role: Role, body: ActBody) -> Step {
    (department.node, world.staff(department, role), body)
}

fn authority(world: &World, node: Code, role: Role, body: ActBody) -> Step {
    let person = match role {
        Role::AuthorityHead => world.authority_head(node),
        other => world.authority(node, other),
    };
    (node, person, body)
}

/// More time, asked for by whoever owes and consented to by the authority of its level.
fn extend(world: &mut World, who: &Department, docket: DocketId, duty: Duty, days: u16) {
    let ask = ActBody::Clock(ClockAct::AskExtension {
        docket,
        duty,
        days: WorkingDays::new(days).expect("a period"),
        grounds: "业务系统需要改造".into(),
    });
    let consent = ActBody::Clock(ClockAct::AnswerExtension {
        docket,
        duty,
        consents: true,
        grounds: String::new(),
    });
    let ask = staff(world, who, Role::Operator, ask);
    take(world, ask);
    let consent = authority(world, who.node, Role::AuthorityReviewer, consent);
    take(world, consent);
}

/// How the next version of an entry is submitted, and that version.
fn submission(world: &World, department: &Department, entry: &Entry) -> (Vec<Step>, Entry) {
    let mut next = entry.clone();
    next.version += 1;
    next.summary.push_str("按日更新。");
    let entries = vec![next.version_ref()];
    let compile = ActBody::CompileEntries {
        entries: vec![next.clone()],
    };
    let approve = ActBody::ApproveEntries {
        entries: entries.clone(),
    };
    let submit = ActBody::SubmitEntries { entries };
    let steps = vec![
        staff(world, department, Role::Operator, compile),
        staff(world, department, Role::DepartmentHead, approve),
        staff(world, department, Role::Operator, submit),
    ];
    (steps, next)
}

fn update(world: &mut World, more: Option<u16>) -> Owed {
    let (department, entry) = provider(world, "440106", conditional());
    let report = ActBody::Update(UpdateAct::Report {
        entry: entry.id.clone(),
        provider: entry.provider,
        changed_on: world.now,
        cause: ChangeCause::LawChanged,
        text: "《社会救助法》施行，增加数据项".into(),
    });
    let report = staff(world, &department, Role::Operator, report);
    let docket = take(world, report).expect("a docket");
    if let Some(days) = more {
        extend(world, &department, docket, Duty::UpdateEntry, days);
    }
    let (submitted, _) = submission(world, &department, &entry);
    Owed::new(docket, &[department.node], submitted)
}

fn review(world: &mut World) -> Owed {
    let (department, entry) = provider(world, "440106", conditional());
    let (submitted, next) = submission(world, &department, &entry);
    for step in submitted {
        take(world, step);
    }
    let dockets = query::dockets(world.read(department.node), None, 10).expect("memory");
    let mut updates = dockets
        .iter()
        .filter(|it| matches!(it.state.case, Case::Update(_)));
    let docket = updates.next().expect("a review that is watched").id;
    let publish = ActBody::ReviewEntries {
        entries: vec![next.version_ref()],
        verdict: ReviewVerdict::Publish,
    };
    let publish = authority(world, department.node, Role::AuthorityReviewer, publish);
    Owed::new(docket, &[department.node], vec![publish])
}

fn requester(world: &World) -> Department {
    world.department(code("440106"), 2, "民政局")
}

fn answer(world: &mut World, terms: ClassTerms, more: Option<u16>) -> Owed {
    let (provider, entry) = provider(world, "210102", terms);
    let requester = requester(world);
    let wanted = application(world, &requester, &provider, &entry);
    let docket = apply(world, &requester, wanted);
    world.settle();
    if let Some(days) = more {
        extend(world, &provider, docket, Duty::ReplyConditional, days);
    }
    let reply = grant(world, &entry);
    let document = reply_document(&reply);
    let propose = ActBody::ProposeReply { docket, reply };
    let consent = ActBody::ConsentToReply { docket, document };
    let replied = vec![
        staff(world, &provider, Role::Operator, propose),
        staff(world, &provider, Role::SharingOfficeHead, consent),
    ];
    Owed::new(docket, &[provider.node, requester.node], replied)
}

fn provide(world: &mut World) -> Owed {
    let (provider, entry) = provider(world, "210102", conditional());
    let requester = requester(world);
    let wanted = application(world, &requester, &provider, &entry);
    let docket = apply(world, &requester, wanted);
    world.settle();
    let agreed = grant(world, &entry);
    reply(world, &provider, docket, agreed);
    let object = world.upload(provider.node, "低保对象.csv", b"code,name\n1,a\n");
    let provided = ActBody::Provide { docket, object };
    let provided = staff(world, &provider, Role::Operator, provided);
    Owed::new(docket, &[provider.node, requester.node], vec![provided])
}

/// 天河区 has the data of 和平区.
fn shared(world: &mut World) -> (Department, Department, DocketId) {
    let (provider, entry) = provider(world, "210102", conditional());
    let requester = requester(world);
    let (docket, _) = share(world, &requester, &provider, &entry);
    (provider, requester, docket)
}

fn correct(world: &mut World) -> Owed {
    let (provider, requester, about) = shared(world);
    let docket = correction::ask(world, &requester, about, "名称").expect("asked");
    let outcome = correction::corrected(world, &provider, None);
    let answer = ActBody::Correction(CorrectionAct::Answer { docket, outcome });
    let answer = staff(world, &provider, Role::Operator, answer);
    Owed::new(docket, &[provider.node, requester.node], vec![answer])
}

fn reply_opening(world: &mut World) -> Owed {
    let node = code("210102");
    world.runs_under(node, &Profile::shenyang());
    let (department, entry) = provider(world, "210102", conditional());
    let terms = open_data::on_application();
    open_data::mark(world, &department, &entry, terms).expect("marked");
    let (_, docket) = open_data::apply(world, node, &entry.id, 5).expect("received");
    let answer = ActBody::OpenData(OpenDataAct::Answer {
        docket,
        form: OpeningReplyForm::Written,
        answer: OpenAnswer::Refused {
            reasons: "含有商业秘密".into(),
        },
    });
    let answer = staff(world, &department, Role::Operator, answer);
    Owed::new(docket, &[node], vec![answer])
}

fn answer_complaint(world: &mut World) -> Owed {
    let (county, city) = (code("440106"), code("440100"));
    world.runs_under(
        county,
        &Profile::parse(complaint::LOCAL).expect("a profile"),
    );
    let (_, docket) = complaint::complain(world, None, "信息被滥用").expect("received");
    let above = Debtor::Authority(world.place(city));
    let body = |act: ComplaintAct| ActBody::Complaint(act);
    let up = body(complaint::pass_on(docket, above));
    let up = authority(world, county, Role::AuthorityReviewer, up);
    take(world, up);
    let answer = body(complaint::answer(docket, "已处理"));
    let answer = authority(world, county, Role::AuthorityReviewer, answer);
    Owed::new(docket, &[county, city], vec![answer])
}

fn comply(world: &mut World, by: Moment) -> Owed {
    let hub = Code::HUB;
    let case = dispute::coordinated(world, ["210102", "440106"], "100000");
    let parties = [("210102", 1), ("440106", 2)]
        .map(|(node, number)| world.department(code(node), number, "民政局"));
    let reject = ActBody::AnswerOpinion {
        docket: case,
        accepted: false,
        grounds: "范围仍然过大".into(),
    };
    let reject = staff(world, &parties[0], Role::Operator, reject);
    take(world, reject);
    world.settle();
    let decide = ActBody::Decide {
        docket: case,
        decision: Decision {
            holding: "应予共享".into(),
            grounds: "第二十一条".into(),
            comply_by: by,
        },
    };
    let decide = authority(world, hub, Role::Government, decide);
    take(world, decide);
    let report = |party: &Department| {
        let statement = "已按决定办理".into();
        let body = ActBody::Comply {
            docket: case,
            statement,
        };
        staff(world, party, Role::Operator, body)
    };
    let holders = [hub, parties[0].node, parties[1].node];
    Owed {
        debtors: 2,
        ..Owed::new(case, &holders, parties.iter().map(report).collect())
    }
}

fn rectify_order(world: &mut World, by: Moment) -> Owed {
    let (county, city) = (code("440106"), code("440100"));
    let order = ActBody::Supervision(SupervisionAct::Order(Order {
        against: Accused::Authority(world.place(county)),
        breach: Article::R41_3,
        about: None,
        facts: "未明确数源部门".into(),
        measures: "限期明确".into(),
        correct_by: by,
    }));
    let order = authority(world, city, Role::AuthorityHead, order);
    let docket = take(world, order).expect("a docket");
    let done = "已明确数源部门".into();
    let report = ActBody::Supervision(SupervisionAct::Report { docket, done });
    let report = authority(world, county, Role::AuthorityReviewer, report);
    Owed::new(docket, &[city, county], vec![report])
}

fn of_a_grant(docket: DocketId, step: GrantStep) -> ActBody {
    ActBody::Grant(GrantAct { docket, step })
}

fn rectify(world: &mut World, by: Moment) -> Owed {
    let (provider, requester, docket) = shared(world);
    let suspend = GrantStep::Suspend {
        reasons: "擅自用于信用评级".into(),
        rectify_by: by,
    };
    let suspend = of_a_grant(docket, suspend);
    let suspend = staff(world, &provider, Role::SharingOfficeHead, suspend);
    take(world, suspend);
    let statement = "已停止".into();
    let report = of_a_grant(docket, GrantStep::ReportRectified { statement });
    let report = staff(world, &requester, Role::Operator, report);
    Owed::new(docket, &[provider.node, requester.node], vec![report])
}

fn dispose(world: &mut World, by: Moment) -> Owed {
    let (provider, requester, docket) = shared(world);
    let how = "删除全部副本".to_owned();
    let require = GrantStep::RequireDisposal {
        how: how.clone(),
        by,
    };
    let require = of_a_grant(docket, require);
    let require = staff(world, &provider, Role::SharingOfficeHead, require);
    take(world, require);
    let certificate = "处置证明1号".into();
    let disposed = of_a_grant(docket, GrantStep::Dispose { how, certificate });
    let disposed = staff(world, &requester, Role::Operator, disposed);
    Owed::new(docket, &[provider.node, requester.node], vec![disposed])
}

fn meet_need(world: &mut World, by: Moment) -> Owed {
    let (needing, providing, docket) = need::match_across_provinces(world);
    need::says(world, &providing, docket, need::promise(by)).expect("promised");
    let made = need::publishes(world, &providing);
    let step = need::fulfil(world, &providing, &made);
    let fulfil = ActBody::Need(NeedAct::Take { docket, step });
    let fulfil = staff(world, &providing, Role::Operator, fulfil);
    let holders = [needing.node, providing.node, Code::HUB];
    Owed::new(docket, &holders, vec![fulfil])
}
