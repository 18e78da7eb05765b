//! R25, R27: what becomes of a grant after it was given, as the other side's node holds it.

use federation::core::{Answer, Refused, query};
use guantong_tests::{Department, World};
use sharing::act::{ActBody, ObjectRef};
use sharing::application::{Access, GrantAct, GrantStep, ServiceChange, Standing, Wider};
use sharing::docket::{DocketBody, DocketId};
use sharing::evaluation::Kept;
use statute::{Article, Duty, GrantStanding, Refusal, RefusalReason, Role};

use crate::stage::{
    circuit, code, conditional, demo, events, findings, lapses, provider, seen, share, use_record,
};

const DAY_MS: i64 = 86_400_000;

/// 天河区 has the data of 和平区.
struct Shared {
    world: World,
    requester: Department,
    provider: Department,
    docket: DocketId,
    object: ObjectRef,
}

fn shared(seed: u64) -> Shared {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "210102", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let (docket, object) = share(&mut world, &requester, &provider, &entry);
    Shared {
        world,
        requester,
        provider,
        docket,
        object,
    }
}

impl Shared {
    fn by(&mut self, who: &Department, role: Role, step: GrantStep) -> Result<Answer, Refused> {
        let person = match role {
            Role::AuthorityReviewer => self.world.authority(who.node, role),
            _ => self.world.staff(who, role),
        };
        let docket = self.docket;
        let body = ActBody::Grant(GrantAct { docket, step });
        let answer = self.world.act(who.node, &person, body);
        self.world.settle();
        answer
    }

    fn by_requester(&mut self, step: GrantStep) {
        let who = self.requester.clone();
        self.by(&who, Role::Operator, step).expect("taken");
    }

    fn by_office(&mut self, step: GrantStep) -> Result<Answer, Refused> {
        let who = self.provider.clone();
        self.by(&who, Role::SharingOfficeHead, step)
    }

    /// The standing as the provider and as the requester hold it, which is the same.
    fn standing(&self) -> Standing {
        let at = |party: &Department| seen(&self.world, party.node, self.docket).expect("held");
        let (here, there) = (at(&self.provider), at(&self.requester));
        assert_eq!(here.standing, there.standing);
        assert_eq!(here.phase.terms(), there.phase.terms());
        here.standing
    }

    fn circuit(&self) -> Result<(), Refusal> {
        let ends = (self.requester.node, self.provider.node);
        circuit(&self.world, ends, self.docket, &self.object)
    }
}

fn refused(answer: Result<Answer, Refused>) -> (RefusalReason, Article) {
    match answer {
        Err(Refused::Lawful(refusal)) => (refusal.reason, refusal.article),
        other => panic!("no lawful refusal: {other:?}"),
    }
}

fn ask() -> GrantStep {
    GrantStep::AskWidening {
        wider: Wider {
            purposes: vec!["医疗救助资格核验".into()],
            recipients: vec![Department::hosted(code("440106"), 3, "医疗保障局").code],
            ..Wider::default()
        },
        grounds: "医疗救助以低保身份为条件".into(),
    }
}

fn answer(consents: bool) -> GrantStep {
    GrantStep::AnswerWidening {
        consents,
        reasons: "超出目录列明的用途".into(),
    }
}

#[test]
fn wider_use_and_passing_on_need_the_consent_of_the_providers_sharing_office() {
    let mut shared = shared(60);
    shared.by_requester(ask());
    assert!(shared.standing().asked.is_some(), "known to the provider");
    let provider = shared.provider.clone();
    assert_eq!(
        refused(shared.by(&provider, Role::Operator, answer(true))).1,
        Article::R25,
        "an operator does not consent"
    );
    shared.by_office(answer(false)).expect("answered");
    let refused = shared.standing();
    assert!(
        refused.purposes.is_empty() && refused.recipients.is_empty() && refused.asked.is_none()
    );

    shared.by_requester(ask());
    shared.by_office(answer(true)).expect("answered");
    let widened = shared.standing();
    assert_eq!(widened.purposes, ["医疗救助资格核验"]);
    assert_eq!(widened.recipients.len(), 1);
}

#[test]
pub(crate) fn a_suspended_grant_opens_no_circuit_and_ends_only_after_rectification_failed() {
    let mut shared = shared(61);
    assert_eq!(shared.circuit(), Ok(()));
    let suspend = GrantStep::Suspend {
        reasons: "擅自用于信用评级".into(),
        rectify_by: shared.world.now.plus_days(1),
    };
    let terminate = GrantStep::Terminate {
        reasons: "拒不整改".into(),
    };
    let requester = shared.requester.clone();
    shared
        .by(&requester, Role::AuthorityReviewer, suspend.clone())
        .expect("the authority of the requester's level suspends");
    assert!(matches!(shared.standing().access, Access::Suspended { .. }));
    let closed = |standing| Err(RefusalReason::GrantNotInForce { standing }.under(Article::R27));
    assert_eq!(shared.circuit(), closed(GrantStanding::Suspended));
    assert_eq!(
        refused(shared.by_office(terminate.clone())),
        (RefusalReason::RectificationOpen, Article::R27)
    );
    shared.by_requester(GrantStep::ReportRectified {
        statement: "已停止".into(),
    });
    shared
        .by_office(GrantStep::Restore {
            reasons: String::new(),
        })
        .expect("restored");
    assert_eq!(shared.standing().access, Access::InForce);
    assert_eq!(shared.circuit(), Ok(()));

    shared
        .by_office(GrantStep::Suspend {
            reasons: "再次擅自使用".into(),
            rectify_by: shared.world.now.plus_days(1),
        })
        .expect("suspended");
    shared.world.step(DAY_MS);
    shared.world.settle();
    let (provider, docket) = (shared.provider.node, shared.docket);
    assert_eq!(lapses(&shared.world, provider, docket), 1);
    shared.by_office(terminate).expect("terminated");
    assert_eq!(shared.standing().access, Access::Terminated);
    assert_eq!(shared.circuit(), closed(GrantStanding::Terminated));
}

#[test]
fn whoever_is_suspended_is_shown_the_article_the_reasons_and_the_date() {
    let mut shared = shared(64);
    let told = |shared: &Shared, at: &Department| {
        let all = findings(&shared.world, at.node);
        let suspended = all.into_iter().filter(|it| it.contains("is suspended"));
        suspended.collect::<Vec<_>>()
    };
    let suspend = GrantStep::Suspend {
        reasons: "擅自用于信用评级".into(),
        rectify_by: shared.world.now.plus_days(5),
    };
    let operator = shared.provider.clone();
    let unlawful = shared.by(&operator, Role::Operator, suspend.clone());
    assert_eq!(refused(unlawful).1, Article::R27);
    assert!(told(&shared, &shared.requester).is_empty(), "nothing yet");
    shared.by_office(suspend).expect("suspended");
    let told_there = told(&shared, &shared.requester);
    let [told_there] = &told_there[..] else {
        panic!("once: {told_there:?}")
    };
    for said in [
        "Art. 27",
        "Art. 40(2)",
        "Art. 40(3)",
        "2026-03-14",
        "擅自用于信用评级",
    ] {
        assert!(told_there.contains(said), "{said}: {told_there}");
    }
    assert!(told(&shared, &shared.provider).is_empty());
}

#[test]
fn access_restored_without_a_report_needs_reasons_and_counts_as_no_rectification() {
    let mut shared = shared(65);
    let rectified = |shared: &Shared| {
        let period = "2026-03".parse().expect("a period");
        let node = shared.requester.node;
        let view = query::evaluation(shared.world.read(node), period, shared.world.now);
        let report = view.expect("memory").expect("a place").computed.report;
        let code = shared.requester.code;
        let row = report
            .departments
            .into_iter()
            .find(|it| it.department == code);
        let duties = row.expect("its figures").figures.duties;
        duties.get(&Duty::Rectify).copied().unwrap_or_default()
    };
    let suspend = |shared: &Shared| GrantStep::Suspend {
        reasons: "擅自用于信用评级".into(),
        rectify_by: shared.world.now.plus_days(1),
    };
    let restore = |reasons: &str| GrantStep::Restore {
        reasons: reasons.into(),
    };
    let step = suspend(&shared);
    shared.by_office(step).expect("suspended");
    assert_eq!(
        refused(shared.by_office(restore(" "))),
        (RefusalReason::ReasonsRequired, Article::R27)
    );
    shared
        .by_office(restore("经核查不存在违规"))
        .expect("restored");
    assert_eq!(shared.standing().access, Access::InForce);
    assert_eq!(rectified(&shared), Kept::default(), "nobody rectified");

    let step = suspend(&shared);
    shared.by_office(step).expect("suspended");
    shared.by_requester(GrantStep::ReportRectified {
        statement: "已停止".into(),
    });
    shared.by_office(restore("")).expect("restored");
    let in_time = Kept {
        in_time: 1,
        ..Kept::default()
    };
    assert_eq!(rectified(&shared), in_time);

    let step = suspend(&shared);
    shared.by_office(step).expect("suspended");
    shared.world.step(DAY_MS);
    shared.world.settle();
    shared.by_office(restore("再给一次机会")).expect("restored");
    let overdue = Kept {
        overdue: 1,
        ..in_time
    };
    assert_eq!(rectified(&shared), overdue, "an overdue one stays counted");
}

#[test]
pub(crate) fn the_certificate_of_disposal_is_seen_at_the_provider_and_the_data_is_used_no_more() {
    let mut shared = shared(62);
    let by = shared.world.now.plus_days(5);
    let how = "删除全部副本".to_owned();
    shared
        .by_office(GrantStep::RequireDisposal {
            how: how.clone(),
            by,
        })
        .expect("required");
    let required = shared.standing().disposal.expect("owed by the requester");
    assert_eq!(required.term.due, by);
    let certificate = "处置证明〔2026〕1号".to_owned();
    let disposed = GrantStep::Dispose { how, certificate };
    shared.by_requester(disposed.clone());
    assert_eq!(shared.standing().access, Access::Disposed);
    let (provider, docket) = (shared.provider.node, shared.docket);
    let certified = events(&shared.world, provider, docket)
        .into_iter()
        .any(|event| {
            matches!(event.body, DocketBody::Application(
                sharing::application::ApplicationEvent::Grant(done)) if done.step == disposed)
        });
    assert!(certified, "the provider holds the certificate");
    let again = shared.by_office(GrantStep::RequireDisposal {
        how: "再次删除".into(),
        by,
    });
    assert!(matches!(
        refused(again),
        (RefusalReason::Duplicate { .. }, Article::R27)
    ));
    let standing = GrantStanding::Disposed;
    let closed = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
    assert_eq!(shared.circuit(), Err(closed));
}

#[test]
fn a_disposal_not_made_by_the_date_set_is_overdue_at_both_once_and_nobody_else_certifies_it() {
    let mut shared = shared(66);
    let how = || "删除全部副本".to_owned();
    let past = GrantStep::RequireDisposal {
        how: how(),
        by: shared.world.now,
    };
    let (_, article) = refused(shared.by_office(past));
    assert_eq!(article, Article::R27, "a date that is over is none");
    let by = shared.world.now.plus_days(5);
    let foreign = GrantStep::RequireDisposal { how: how(), by };
    let (requester, provider) = (shared.requester.clone(), shared.provider.clone());
    let answer = shared.by(&requester, Role::SharingOfficeHead, foreign.clone());
    answer.expect("sent to the home, which refuses it");
    assert_eq!(shared.standing().disposal, None, "the provider requires it");
    shared.by_office(foreign).expect("required");
    let certificate = || "处置证明〔2026〕1号".to_owned();
    let disposed = |certificate| GrantStep::Dispose {
        how: how(),
        certificate,
    };
    let theirs = shared.by(&provider, Role::Operator, disposed(certificate()));
    let not_theirs = (RefusalReason::NotYourDepartment, Article::R27);
    assert_eq!(refused(theirs), not_theirs);
    shared.by_requester(disposed(" ".into()));
    assert_eq!(shared.standing().access, Access::InForce, "no certificate");
    let found = |shared: &Shared, node| lapses(&shared.world, node, shared.docket);
    let nodes = [requester.node, provider.node];
    shared
        .world
        .step(by.millis_since(shared.world.now) - 60_000);
    shared.world.settle();
    assert_eq!(nodes.map(|node| found(&shared, node)), [0, 0]);
    shared.world.step(120_000);
    shared.world.settle();
    shared.world.step(DAY_MS);
    assert_eq!(nodes.map(|node| found(&shared, node)), [1, 1]);
    let held = query::docket(shared.world.read(requester.node), shared.docket);
    let lapse = &held
        .expect("memory")
        .expect("held")
        .docket
        .state
        .clock
        .lapses[0];
    assert_eq!(
        (lapse.duty, lapse.duty.breach()),
        (Duty::Dispose, Article::R40_4)
    );
    shared.by_requester(disposed(certificate()));
    assert_eq!(shared.standing().access, Access::Disposed, "late, and done");
    // What was disposed of is not used: no record of a use is taken any more.
    let record = use_record(&mut shared.world, requester.node);
    let docket = shared.docket;
    let user = shared.world.staff(&requester, Role::Operator);
    let used = ActBody::RecordUse { docket, record };
    let sent = shared.world.act(requester.node, &user, used);
    sent.expect("sent to the home, which refuses it");
    shared.world.settle();
    assert_eq!(
        seen(&shared.world, provider.node, docket)
            .expect("held")
            .uses,
        0
    );
}

#[test]
pub(crate) fn a_service_ends_only_after_negotiation_and_filing() {
    let mut shared = shared(63);
    let end = GrantStep::ProposeChange {
        what: ServiceChange::End,
        reasons: "系统停用".into(),
    };
    shared.by_office(end).expect("proposed");
    assert_eq!(
        refused(shared.by_office(GrantStep::CarryOutChange)),
        (RefusalReason::ChangeNotNegotiated, Article::R27)
    );
    shared.by_requester(GrantStep::AnswerChange {
        agrees: false,
        statement: "尚需使用一个月".into(),
    });
    assert_eq!(
        refused(shared.by_office(GrantStep::CarryOutChange)),
        (RefusalReason::ChangeNotFiled, Article::R27)
    );
    assert_eq!(shared.circuit(), Ok(()), "nothing has taken effect");
    let provider = shared.provider.clone();
    shared
        .by(&provider, Role::AuthorityReviewer, GrantStep::FileChange)
        .expect("on file");
    shared
        .by_office(GrantStep::CarryOutChange)
        .expect("carried out");
    assert_eq!(shared.standing().access, Access::ServiceEnded);
    let standing = GrantStanding::ServiceEnded;
    let closed = RefusalReason::GrantNotInForce { standing }.under(Article::R27);
    assert_eq!(shared.circuit(), Err(closed));
    let held = query::docket(shared.world.read(shared.requester.node), shared.docket);
    assert!(
        !held
            .expect("memory")
            .expect("held")
            .docket
            .state
            .case
            .is_open()
    );
}
