//! The life of a grant: each step with its unlawful twin, by reason and article.

use identity::CreditCode;
use statute::GrantStanding;

use super::*;
use crate::incident::{IncidentAct, IncidentStep, Measure};

fn at(case: &Case, step: GrantStep) -> ActBody {
    let docket = case.docket();
    ActBody::Grant(GrantAct { docket, step })
}

fn take(
    case: &mut Case,
    who: &cast::Department,
    role: Role,
    step: GrantStep,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    let body = at(case, step);
    case.by(who, role, body)
}

fn by_requester(case: &mut Case, step: GrantStep) -> Result<Vec<ApplicationEvent>, Refusal> {
    take(case, &requester(), Role::Operator, step)
}

fn by_office(case: &mut Case, step: GrantStep) -> Result<Vec<ApplicationEvent>, Refusal> {
    take(case, &provider(), Role::SharingOfficeHead, step)
}

fn third() -> CreditCode {
    CreditCode::compute("11440106007599999").unwrap()
}

fn wider() -> Wider {
    Wider {
        items: vec!["经营者姓名".into()],
        purposes: vec!["医疗救助核对".into()],
        until: Some(NOW.plus_days(300)),
        recipients: vec![third()],
    }
}

fn ask(wider: Wider) -> GrantStep {
    GrantStep::AskWidening {
        wider,
        grounds: "医疗救助同样需要核对".into(),
    }
}

fn answer(consents: bool, reasons: &str) -> GrantStep {
    GrantStep::AnswerWidening {
        consents,
        reasons: reasons.into(),
    }
}

fn suspend() -> GrantStep {
    GrantStep::Suspend {
        reasons: "超出共享目的使用".into(),
        rectify_by: NOW.plus_days(20),
    }
}

fn rectified() -> GrantStep {
    GrantStep::ReportRectified {
        statement: "已停止并删除".into(),
    }
}

fn terminate() -> GrantStep {
    GrantStep::Terminate {
        reasons: "拒不整改".into(),
    }
}

fn require_disposal() -> GrantStep {
    GrantStep::RequireDisposal {
        how: "删除全部副本".into(),
        by: NOW.plus_days(10),
    }
}

fn dispose(certificate: &str) -> GrantStep {
    GrantStep::Dispose {
        how: "删除全部副本".into(),
        certificate: certificate.into(),
    }
}

fn end() -> GrantStep {
    GrantStep::ProposeChange {
        what: ServiceChange::End,
        reasons: "系统停用".into(),
    }
}

fn negotiated(agrees: bool) -> GrantStep {
    GrantStep::AnswerChange {
        agrees,
        statement: "尚需使用一个月".into(),
    }
}

fn file(case: &mut Case, who: &cast::Department) -> Result<Vec<ApplicationEvent>, Refusal> {
    take(case, who, Role::AuthorityReviewer, GrantStep::FileChange)
}

fn use_it(case: &mut Case) -> Result<Vec<ApplicationEvent>, Refusal> {
    let (docket, record) = (case.docket(), record());
    case.by(
        &requester(),
        Role::Operator,
        ActBody::RecordUse { docket, record },
    )
}

fn not_in_force(standing: GrantStanding) -> (RefusalReason, Article) {
    (RefusalReason::GrantNotInForce { standing }, Article::R27)
}

fn duplicate(what: &str) -> RefusalReason {
    RefusalReason::Duplicate { what: what.into() }
}

/// One item of the two is granted and provided.
fn narrow() -> Case {
    let mut case = answered(with_terms(|terms| terms.items.truncate(1)), conditional());
    provide(&mut case).unwrap();
    case
}

fn terms(case: &Case) -> &GrantTerms {
    case.state().phase.terms().unwrap()
}

#[test]
fn with_consent_the_terms_are_wider_and_without_it_nothing_changes() {
    let mut case = narrow();
    let granted = terms(&case).clone();
    let early = reason(by_office(&mut case, answer(true, "")));
    assert!(matches!(
        early,
        (RefusalReason::WrongState { .. }, Article::R25)
    ));
    assert_eq!(
        names(by_requester(&mut case, ask(wider()))),
        ["widening-asked"]
    );
    assert_eq!(terms(&case), &granted);
    assert_eq!(
        reason(by_office(&mut case, answer(false, " "))),
        (RefusalReason::ReasonsRequired, Article::R25)
    );
    let refused = by_office(&mut case, answer(false, "与目的无关"));
    assert_eq!(names(refused), ["widening-refused"]);
    assert_eq!(terms(&case), &granted);
    assert_eq!(case.state().standing.recipients, []);

    by_requester(&mut case, ask(wider())).unwrap();
    assert_eq!(names(by_office(&mut case, answer(true, ""))), ["widened"]);
    assert_eq!(terms(&case).items, application_items());
    assert_eq!(terms(&case).until, NOW.plus_days(300));
    assert_eq!(case.state().standing.purposes, wider().purposes);
    assert_eq!(case.state().standing.recipients, [third()]);
    assert_eq!(
        reason(by_requester(&mut case, ask(wider()))),
        (duplicate("经营者姓名"), Article::R25)
    );
}

#[test]
fn only_what_lies_within_the_entry_and_beyond_the_grant_is_asked_for_as_wider_use() {
    let mut case = narrow();
    let mut asked = |change: &dyn Fn(&mut Wider)| {
        let mut wider = Wider::default();
        change(&mut wider);
        reason(by_requester(&mut case, ask(wider)))
    };
    let nothing = asked(&|_| {});
    assert!(matches!(
        nothing,
        (RefusalReason::MissingField { .. }, Article::R25)
    ));
    let outside = RefusalReason::ScopeExceeded {
        asked: "身份证号".into(),
    };
    assert_eq!(
        asked(&|it| it.items = vec!["身份证号".into()]),
        (outside, Article::R25)
    );
    assert_eq!(
        asked(&|it| it.purposes = vec!["社会救助核对".into()]),
        (duplicate("社会救助核对"), Article::R25)
    );
    assert_eq!(
        asked(&|it| it.recipients = vec![requester().code]),
        (duplicate(&requester().code.to_string()), Article::R25)
    );
    let same = NOW.plus_days(180);
    assert_eq!(
        asked(&|it| it.until = Some(same)),
        (duplicate(&same.to_string()), Article::R25)
    );
    let many = asked(&|it| it.recipients = vec![third(); MAX_RECIPIENTS + 1]);
    assert!(matches!(
        many,
        (RefusalReason::TooLong { .. }, Article::R25)
    ));
    assert_eq!(
        reason(take(&mut case, &provider(), Role::Operator, ask(wider()))),
        (RefusalReason::NotYourDepartment, Article::R25)
    );
    by_requester(&mut case, ask(wider())).unwrap();
    assert_eq!(
        reason(take(
            &mut case,
            &requester(),
            Role::SharingOfficeHead,
            answer(true, "")
        )),
        (RefusalReason::NotYourDepartment, Article::R25)
    );
}

fn restore() -> GrantStep {
    GrantStep::Restore {
        reasons: "经核查不存在违规".into(),
    }
}

#[test]
fn while_access_is_suspended_nothing_is_provided_used_or_widened() {
    for who in [provider(), requester()] {
        let mut case = provided();
        let role = if who.code == provider().code {
            Role::SharingOfficeHead
        } else {
            Role::AuthorityReviewer
        };
        use_it(&mut case).unwrap();
        assert_eq!(names(take(&mut case, &who, role, suspend())), ["suspended"]);
        let suspended = not_in_force(GrantStanding::Suspended);
        assert_eq!(reason(provide(&mut case)), suspended);
        assert_eq!(reason(use_it(&mut case)), suspended);
        assert_eq!(reason(by_requester(&mut case, ask(wider()))), suspended);
        assert_eq!(reason(take(&mut case, &who, role, suspend())), suspended);
        let open = case.duties();
        assert_eq!((open.len(), open[0].duty), (1, Duty::Rectify));
        assert_eq!(open[0].term.due, NOW.plus_days(20));
        assert_eq!(
            open[0].who,
            Debtor::Department(case.state().requester.clone())
        );
        assert!(case.state().is_open());

        assert_eq!(
            names(by_requester(&mut case, rectified())),
            ["rectification-reported"]
        );
        assert_eq!(case.duties(), []);
        assert_eq!(
            reason(use_it(&mut case)),
            not_in_force(GrantStanding::Rectified)
        );
        assert_eq!(names(take(&mut case, &who, role, restore())), ["restored"]);
        assert_eq!(names(use_it(&mut case)), ["use-recorded"]);
        assert!(!case.state().is_open());
    }
}

#[test]
fn access_is_restored_after_a_report_or_for_reasons() {
    let silent = || GrantStep::Restore {
        reasons: " ".into(),
    };
    let mut case = provided();
    by_office(&mut case, suspend()).unwrap();
    assert_eq!(
        reason(by_office(&mut case, silent())),
        (RefusalReason::ReasonsRequired, Article::R27)
    );
    assert_eq!(names(by_office(&mut case, restore())), ["restored"]);
    by_office(&mut case, suspend()).unwrap();
    by_requester(&mut case, rectified()).unwrap();
    assert_eq!(names(by_office(&mut case, silent())), ["restored"]);
}

#[test]
fn only_the_provider_and_the_authorities_of_both_levels_suspend() {
    let mut case = provided();
    let stranger = (RefusalReason::NotYourDepartment, Article::R27);
    for (who, role) in [
        (requester(), Role::SharingOfficeHead),
        (cast::hub_authority(), Role::AuthorityHead),
    ] {
        assert_eq!(reason(take(&mut case, &who, role, suspend())), stranger);
    }
    assert_eq!(
        reason(take(
            &mut case,
            &provider(),
            Role::SharingOfficeHead,
            GrantStep::Suspend {
                reasons: String::new(),
                rectify_by: NOW.plus_days(1),
            }
        )),
        (RefusalReason::ReasonsRequired, Article::R27)
    );
    for days in [0, 400] {
        let step = GrantStep::Suspend {
            reasons: "超范围".into(),
            rectify_by: NOW.plus_days(days),
        };
        let duty = Duty::Rectify;
        assert_eq!(
            reason(by_office(&mut case, step)),
            (RefusalReason::DateOutOfBounds { duty }, Article::R27)
        );
    }
    let early = reason(take(
        &mut answered(grant(), conditional()),
        &provider(),
        Role::SharingOfficeHead,
        suspend(),
    ));
    assert!(matches!(
        early,
        (RefusalReason::WrongState { .. }, Article::R27)
    ));
}

#[test]
fn sharing_is_terminated_only_after_rectification_failed() {
    let suspended = || {
        let mut case = provided();
        by_office(&mut case, suspend()).unwrap();
        case
    };
    let mut case = provided();
    let none = reason(by_office(&mut case, terminate()));
    assert!(matches!(
        none,
        (RefusalReason::WrongState { .. }, Article::R27)
    ));

    let mut case = suspended();
    assert_eq!(
        reason(by_office(&mut case, terminate())),
        (RefusalReason::RectificationOpen, Article::R27)
    );
    case.now = NOW.plus_days(20);
    assert!(matches!(
        case.tick()[..],
        [ClockEvent::Overdue {
            duty: Duty::Rectify,
            ..
        }]
    ));
    assert_eq!(names(by_office(&mut case, terminate())), ["terminated"]);
    assert_eq!(
        reason(provide(&mut case)),
        not_in_force(GrantStanding::Terminated)
    );
    let over = reason(by_office(&mut case, restore()));
    assert!(matches!(
        over,
        (RefusalReason::WrongState { .. }, Article::R27)
    ));

    let mut wanting = suspended();
    by_requester(&mut wanting, rectified()).unwrap();
    let twice = reason(by_requester(&mut wanting, rectified()));
    assert!(matches!(
        twice,
        (RefusalReason::WrongState { .. }, Article::R27)
    ));
    assert_eq!(names(by_office(&mut wanting, terminate())), ["terminated"]);
}

#[test]
fn data_is_disposed_of_as_required_and_then_no_longer_used() {
    let mut case = provided();
    assert_eq!(
        reason(take(
            &mut case,
            &requester(),
            Role::Operator,
            require_disposal()
        )),
        (RefusalReason::NotYourDepartment, Article::R27)
    );
    assert_eq!(
        names(take(
            &mut case,
            &provider(),
            Role::Operator,
            require_disposal()
        )),
        ["disposal-required"]
    );
    let open = case.duties();
    assert_eq!((open.len(), open[0].duty), (1, Duty::Dispose));
    assert_eq!(open[0].duty.breach(), Article::R40_4);
    assert_eq!(
        reason(by_office(&mut case, require_disposal())),
        (duplicate("disposal-required"), Article::R27)
    );
    let missing = reason(by_requester(&mut case, dispose("")));
    assert!(matches!(
        missing,
        (RefusalReason::MissingField { .. }, Article::R27)
    ));
    assert_eq!(
        names(by_requester(&mut case, dispose("处置证明第1号"))),
        ["disposed"]
    );
    assert_eq!(case.duties(), []);
    let disposed = not_in_force(GrantStanding::Disposed);
    assert_eq!(reason(use_it(&mut case)), disposed);
    assert_eq!(reason(provide(&mut case)), disposed);
    assert_eq!(
        reason(by_requester(&mut case, dispose("再次"))),
        (duplicate("disposed"), Article::R27)
    );
    assert!(!case.state().is_open());
}

#[test]
fn a_disposal_not_made_by_its_date_is_a_default_of_the_requester() {
    let mut case = provided();
    by_office(&mut case, require_disposal()).unwrap();
    case.now = NOW.plus_days(10);
    let events = case.tick();
    let [ClockEvent::Overdue { duty, who, .. }] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*duty, Duty::Dispose);
    assert_eq!(*who, Debtor::Department(case.state().requester.clone()));
}

#[test]
fn a_service_ends_only_negotiated_and_on_file() {
    let mut case = provided();
    let carry_out = GrantStep::CarryOutChange;
    let unnegotiated = (RefusalReason::ChangeNotNegotiated, Article::R27);
    assert_eq!(
        reason(by_office(&mut case, carry_out.clone())),
        unnegotiated
    );
    let unproposed = reason(by_requester(&mut case, negotiated(true)));
    assert!(matches!(
        unproposed,
        (RefusalReason::WrongState { .. }, Article::R27)
    ));
    assert_eq!(names(by_office(&mut case, end())), ["change-proposed"]);
    assert_eq!(
        reason(by_office(&mut case, end())),
        (duplicate("change-proposed"), Article::R27)
    );
    assert_eq!(
        reason(by_office(&mut case, carry_out.clone())),
        unnegotiated
    );
    assert_eq!(
        reason(file(&mut case, &requester())),
        (RefusalReason::NotYourDepartment, Article::R27)
    );
    assert_eq!(
        names(by_requester(&mut case, negotiated(false))),
        ["change-answered"]
    );
    assert_eq!(
        reason(by_office(&mut case, carry_out.clone())),
        (RefusalReason::ChangeNotFiled, Article::R27)
    );
    assert_eq!(names(file(&mut case, &provider())), ["change-filed"]);
    assert_eq!(
        reason(file(&mut case, &provider())),
        (duplicate("filed"), Article::R27)
    );
    assert_eq!(
        names(by_office(&mut case, carry_out)),
        ["change-carried-out"]
    );
    assert_eq!(
        reason(provide(&mut case)),
        not_in_force(GrantStanding::ServiceEnded)
    );
    assert_eq!(names(use_it(&mut case)), ["use-recorded"]);
    assert_eq!(
        reason(by_office(&mut case, end())),
        not_in_force(GrantStanding::ServiceEnded)
    );
}

#[test]
fn matters_begun_are_bounded_and_a_step_out_of_order_proves_its_home_wrong() {
    let mut case = provided();
    for _ in 0..MAX_GRANT_MATTERS / 2 {
        by_office(&mut case, suspend()).unwrap();
        by_office(&mut case, restore()).unwrap();
        by_requester(&mut case, ask(wider_by_purpose())).unwrap();
        by_office(&mut case, answer(false, "无关")).unwrap();
    }
    let full = reason(by_office(&mut case, suspend()));
    assert!(matches!(
        full,
        (RefusalReason::TooLong { .. }, Article::R27)
    ));
    let events = by_requester(&mut case, dispose("证明")).unwrap();
    let after = evolve(case.state.clone(), &events[0], NOW);
    assert_eq!(
        after,
        Err(Misstep::OutOfOrder {
            event: "disposed",
            phase: "provided"
        })
    );
}

fn wider_by_purpose() -> Wider {
    Wider {
        purposes: vec!["医疗救助核对".into()],
        ..Wider::default()
    }
}

#[test]
fn an_event_says_what_its_act_says() {
    let mut case = provided();
    let events = by_office(&mut case, suspend()).unwrap();
    assert!(events[0].rests_on_its_act(case.state.as_ref()));
    let ApplicationEvent::Grant(mut altered) = events[0].clone() else {
        panic!("{events:?}")
    };
    altered.step = restore();
    assert!(!ApplicationEvent::Grant(altered).rests_on_its_act(case.state.as_ref()));
}

/// Every step, by everyone who might take it, for the random sequences.
pub(super) fn commands(docket: DocketId) -> Vec<Command> {
    let steps = [
        (Role::Operator, ask(wider_by_purpose())),
        (Role::SharingOfficeHead, answer(true, "")),
        (Role::SharingOfficeHead, answer(false, "无关")),
        (Role::SharingOfficeHead, suspend()),
        (Role::AuthorityReviewer, suspend()),
        (Role::Operator, rectified()),
        (Role::SharingOfficeHead, restore()),
        (Role::AuthorityReviewer, terminate()),
        (Role::Operator, require_disposal()),
        (Role::Operator, dispose("证明")),
        (Role::DepartmentHead, end()),
        (Role::Operator, negotiated(true)),
        (Role::AuthorityReviewer, GrantStep::FileChange),
        (Role::DepartmentHead, GrantStep::CarryOutChange),
    ];
    let contain = IncidentAct::Step {
        docket: DocketId(identity::Digest::object(b"incident")),
        step: IncidentStep::Contain(Measure::SuspendGrants {
            grants: vec![docket],
            reasons: "数据泄露".into(),
            rectify_by: NOW.plus_days(20),
        }),
    };
    let contained = provider().act(Role::AuthorityReviewer, ActBody::Incident(contain));
    let parties = [requester(), provider()];
    let acts = steps.into_iter().flat_map(|(role, step)| {
        let body = ActBody::Grant(GrantAct { docket, step });
        let by = |party: &cast::Department| Command::Act(party.act(role, body.clone()));
        parties.iter().map(by).collect::<Vec<_>>()
    });
    acts.chain([Command::Act(contained)]).collect()
}
