//! Every transition by its full list of events, every refusal by its reason and article, and random sequences.

use identity::{Digest, Moment};
use statute::{
    ApplicationMaterial, Article, Calendar, ClassTerms, Duty, Method, Profile, Refusal,
    RefusalReason, RequiredField, Role, UseRecordField,
};

use super::*;
use crate::act::{ActBody, VerifiedAct};
use crate::cast::{self, NOW, conditional, material, provider, requester, unconditional};
use crate::clock::{self, Clock, ClockEvent, Debtor, Law, OpenDuty};
use crate::dispute::NegotiationOutcome;
use crate::docket::{Fact, Misstep, Step, Workflow};
use crate::private::Content;

mod grants;

/// A case under way, with the law it runs under.
struct Case {
    state: Option<ApplicationState>,
    clock: Clock,
    calendar: Calendar,
    profile: Profile,
    now: Moment,
}

impl Case {
    fn new() -> Self {
        Self {
            state: None,
            clock: Clock::default(),
            calendar: Calendar::national(),
            profile: Profile::national(),
            now: NOW,
        }
    }

    fn law(&self) -> Law<'_> {
        Law {
            calendar: &self.calendar,
            profile: &self.profile,
        }
    }

    fn decide(&self, command: &Command) -> Result<Vec<ApplicationEvent>, Refusal> {
        let step = Step {
            law: self.law(),
            clock: &self.clock,
            now: self.now,
            bench: None,
        };
        decide(self.state.as_ref(), command, &step)
    }

    fn duties(&self) -> Vec<OpenDuty> {
        let duties = self.state().duties().into_iter();
        duties.map(|duty| self.clock.on(duty)).collect()
    }

    /// When what is owed now is due.
    fn due(&self) -> Moment {
        self.duties()[0].term.due
    }

    /// Lets time pass to now.
    fn tick(&mut self) -> Vec<ClockEvent> {
        let events = clock::tick(&self.clock, &self.duties(), &self.calendar, self.now);
        for event in &events {
            self.clock = self.clock.clone().evolve(event).unwrap();
        }
        events
    }

    /// Carries a command out and gives its events.
    fn run(&mut self, command: &Command) -> Result<Vec<ApplicationEvent>, Refusal> {
        let events = self.decide(command)?;
        for event in &events {
            self.state = Some(evolve(self.state.take(), event, self.now).unwrap());
        }
        Ok(events)
    }

    fn by(
        &mut self,
        department: &cast::Department,
        role: Role,
        body: ActBody,
    ) -> Result<Vec<ApplicationEvent>, Refusal> {
        self.run(&Command::Act(department.act(role, body)))
    }

    fn state(&self) -> &ApplicationState {
        self.state.as_ref().unwrap()
    }

    fn docket(&self) -> DocketId {
        self.state().docket
    }
}

fn open_with(application: Application, terms: ClassTerms) -> Command {
    let apply = requester().act(Role::Operator, ActBody::Apply { application });
    let consent = consent(&apply);
    Command::Open {
        apply,
        consent,
        requester_node: cast::path(cast::TIANHE),
        entry: Some(Box::new(cast::published(terms))),
        risk: None,
    }
}

fn consent(apply: &VerifiedAct) -> VerifiedAct {
    let document = apply.id().0;
    requester().act(
        Role::SharingOfficeHead,
        ActBody::ConsentToApply {
            docket: DocketId(document),
            document,
        },
    )
}

fn received(application: Application, terms: ClassTerms) -> Case {
    let mut case = Case::new();
    case.run(&open_with(application, terms)).unwrap();
    case
}

fn grant() -> Reply {
    Reply::Grant {
        terms: GrantTerms {
            items: application_items(),
            purpose: "社会救助核对".into(),
            until: NOW.plus_days(180),
            method: Method::FileDownload,
            conditions: vec![],
        },
    }
}

fn application_items() -> Vec<String> {
    cast::application().items
}

fn with_terms(change: impl FnOnce(&mut GrantTerms)) -> Reply {
    let Reply::Grant { mut terms } = grant() else {
        unreachable!()
    };
    change(&mut terms);
    Reply::Grant { terms }
}

fn refuse(reasons: &str) -> Reply {
    Reply::Refuse {
        reasons: reasons.into(),
        basis: "《中华人民共和国统计法》第二十五条".into(),
    }
}

fn propose(case: &mut Case, reply: Reply) -> Result<Vec<ApplicationEvent>, Refusal> {
    let docket = case.docket();
    case.by(
        &provider(),
        Role::Operator,
        ActBody::ProposeReply { docket, reply },
    )
}

fn consent_to(case: &mut Case, reply: &Reply) -> Result<Vec<ApplicationEvent>, Refusal> {
    let (docket, document) = (case.docket(), reply_document(reply));
    case.by(
        &provider(),
        Role::SharingOfficeHead,
        ActBody::ConsentToReply { docket, document },
    )
}

fn answered(reply: Reply, terms: ClassTerms) -> Case {
    let mut case = received(cast::application(), terms);
    propose(&mut case, reply.clone()).unwrap();
    consent_to(&mut case, &reply).unwrap();
    case
}

fn object() -> ObjectRef {
    ObjectRef {
        digest: Digest::object(b"a,b"),
        length: 3,
        name: "登记.csv".into(),
    }
}

fn provide(case: &mut Case) -> Result<Vec<ApplicationEvent>, Refusal> {
    let docket = case.docket();
    case.by(
        &provider(),
        Role::Operator,
        ActBody::Provide {
            docket,
            object: object(),
        },
    )
}

fn provided() -> Case {
    let mut case = answered(grant(), conditional());
    provide(&mut case).unwrap();
    case.run(&Command::Fetched {
        object: object().digest,
        at: NOW,
    })
    .unwrap();
    case
}

fn texts() -> UseTexts {
    let said = || "已记录".to_owned();
    UseTexts {
        scenario: said(),
        process: said(),
        result: said(),
        storage: said(),
        destruction: said(),
    }
}

fn record_of(texts: &UseTexts) -> UseRecord {
    texts.record(&Content::new([7; 32], texts.text()).unwrap())
}

fn record() -> UseRecord {
    record_of(&texts())
}

fn names(events: Result<Vec<ApplicationEvent>, Refusal>) -> Vec<&'static str> {
    events.unwrap().iter().map(ApplicationEvent::name).collect()
}

fn reason<T: std::fmt::Debug>(result: Result<T, Refusal>) -> (RefusalReason, Article) {
    let refusal = result.unwrap_err();
    (refusal.reason, refusal.article)
}

fn without(kinds: &[ApplicationMaterial]) -> Application {
    let mut application = cast::application();
    application.materials.retain(|it| !kinds.contains(&it.kind));
    if kinds.contains(&ApplicationMaterial::Period) {
        application.until = None;
    }
    application
}

#[test]
fn a_consented_application_is_received_and_its_term_runs() {
    for (terms, due) in [
        // Received on Monday 2 March 2026: one working day ends with Tuesday, ten with Monday the 16th, in Beijing.
        (unconditional(), "2026-03-03T16:00:00.000Z"),
        (conditional(), "2026-03-16T16:00:00.000Z"),
    ] {
        let mut case = Case::new();
        let command = open_with(cast::application(), terms.clone());
        let events = case.run(&command).unwrap();
        let Command::Open {
            apply,
            consent,
            requester_node,
            entry,
            ..
        } = command
        else {
            unreachable!()
        };
        let Phase::Received { term: found } = case.state().phase else {
            panic!("{:?}", case.state().phase)
        };
        assert_eq!(found.due.to_string(), due);
        assert_eq!((found.arises, found.provisional), (NOW, false));
        assert_eq!(
            events,
            [ApplicationEvent::Received {
                apply: apply.signed().clone(),
                consent: consent.signed().clone(),
                requester_node,
                entry: *entry.unwrap(),
                term: found,
                profile: statute::Profile::national(),
                risk: None,
            }]
        );
        assert_eq!(case.docket(), DocketId(apply.id().0));
        assert_eq!(case.state().requester.department, requester().code);
        assert_eq!(case.state().provider.department, provider().code);
        let duty = Duty::reply_to(terms.class()).unwrap();
        let expected = OpenDuty {
            duty,
            term: found,
            who: Debtor::Department(case.state().provider.clone()),
        };
        assert_eq!(case.duties(), [expected]);
    }
}

#[test]
fn only_what_is_published_and_shared_can_be_applied_for() {
    let open = |change: &dyn Fn(&mut Application), entry: Option<PublishedEntry>| {
        let mut application = cast::application();
        change(&mut application);
        let Command::Open {
            apply,
            consent,
            requester_node,
            ..
        } = open_with(application, conditional())
        else {
            unreachable!()
        };
        reason(Case::new().run(&Command::Open {
            apply,
            consent,
            requester_node,
            entry: entry.map(Box::new),
            risk: None,
        }))
    };
    let entry = || Some(cast::published(conditional()));
    let unpublished = (RefusalReason::EntryNotPublished, Article::R16);
    assert_eq!(open(&|_| {}, None), unpublished);
    assert_eq!(open(&|it| it.entry_version = 2, entry()), unpublished);
    assert_eq!(
        open(&|it| it.provider_node = cast::path(cast::HUB), entry()),
        unpublished
    );
    let not_shared = ClassTerms::NotShared {
        reason: "x".into(),
        legal_basis: vec![],
    };
    assert_eq!(
        open(&|_| {}, Some(cast::published(not_shared))),
        (RefusalReason::EntryNotShared, Article::R14)
    );
    let beyond = |asked: &str| RefusalReason::ScopeExceeded {
        asked: asked.into(),
    };
    assert_eq!(
        open(&|it| it.items.push("身份证号".into()), entry()),
        (beyond("身份证号"), Article::R20)
    );
    assert_eq!(
        open(&|it| it.items.push("字号名称".into()), entry()),
        (beyond("字号名称"), Article::R20)
    );
    assert_eq!(
        open(&|it| it.method = Method::BatchExchange, entry()),
        (beyond("批量交换"), Article::R22)
    );
    let no_items = RefusalReason::MissingField {
        fields: vec![RequiredField::Catalogue(statute::CatalogueField::DataItems)],
    };
    assert_eq!(
        open(&|it| it.items.clear(), entry()),
        (no_items, Article::R20)
    );
    let foreign = (RefusalReason::NotYourDepartment, Article::R20);
    assert_eq!(open(&|it| it.requester = provider().code, entry()), foreign);
    let long = (
        RefusalReason::TooLong {
            found: 65,
            limit: MAX_MATERIALS,
        },
        Article::R20,
    );
    let many = || vec![material(ApplicationMaterial::Basis, "x"); 65];
    assert_eq!(open(&|it| it.materials = many(), entry()), long);
}

#[test]
fn the_consent_is_to_this_very_document_and_of_the_same_department() {
    let open = |consent: VerifiedAct| {
        let Command::Open {
            apply,
            requester_node,
            entry,
            ..
        } = open_with(cast::application(), conditional())
        else {
            unreachable!()
        };
        reason(Case::new().run(&Command::Open {
            apply,
            consent,
            requester_node,
            entry,
            risk: None,
        }))
    };
    let missing = (
        RefusalReason::ConsentMissing {
            of: Role::SharingOfficeHead,
        },
        Article::R20,
    );
    let other = requester().act(
        Role::Operator,
        ActBody::Apply {
            application: without(&[ApplicationMaterial::Scope]),
        },
    );
    assert_eq!(open(consent(&other)), missing);
    assert_eq!(open(other), missing);
    let Command::Open { apply, .. } = open_with(cast::application(), conditional()) else {
        unreachable!()
    };
    let document = apply.id().0;
    let body = ActBody::ConsentToApply {
        docket: DocketId(document),
        document,
    };
    let neighbour = cast::Department::new(cast::TIANHE, "11440106007599999");
    let foreign = neighbour.act(Role::SharingOfficeHead, body);
    assert_eq!(
        open(foreign),
        (RefusalReason::NotYourDepartment, Article::R20)
    );
}

#[test]
fn an_application_is_opened_once_and_nothing_happens_before_it() {
    let mut case = received(cast::application(), conditional());
    let again = reason(case.run(&open_with(cast::application(), conditional())));
    assert_eq!(
        again,
        (
            RefusalReason::Duplicate {
                what: case.docket().to_string()
            },
            Article::R20
        )
    );
    let state = RefusalReason::WrongState {
        expected: "received".into(),
        found: "none".into(),
    };
    assert_eq!(
        reason(Case::new().run(&Command::Fetched {
            object: object().digest,
            at: NOW
        })),
        (state, Article::R20)
    );
}

#[test]
fn what_is_missing_is_told_once_and_in_full_then_supplemented() {
    use ApplicationMaterial::{Basis, Period, Scope};
    let mut case = received(without(&[Scope, Period]), conditional());
    let docket = case.docket();
    let item = |kind, what: &str| MissingItem {
        kind,
        what: what.into(),
    };
    let tell = |case: &mut Case, missing: Vec<MissingItem>| {
        case.by(
            &provider(),
            Role::Operator,
            ActBody::TellMissing { docket, missing },
        )
    };
    let left_out = |left_out| {
        (
            RefusalReason::MissingNotToldInFull { left_out },
            Article::R21,
        )
    };
    assert_eq!(
        reason(tell(&mut case, vec![item(Scope, "范围")])),
        left_out(vec![Period])
    );
    assert_eq!(
        reason(tell(
            &mut case,
            vec![item(Scope, "范围"), item(Period, " ")]
        )),
        left_out(vec![Period, Period])
    );
    let foreign = case.by(
        &requester(),
        Role::Operator,
        ActBody::TellMissing {
            docket,
            missing: vec![],
        },
    );
    assert_eq!(
        reason(foreign),
        (RefusalReason::NotYourDepartment, Article::R21)
    );

    let missing = vec![
        item(Scope, "范围"),
        item(Period, "起止日期"),
        item(Basis, "附文号"),
    ];
    let events = tell(&mut case, missing.clone()).unwrap();
    assert!(
        matches!(events.as_slice(), [ApplicationEvent::MissingTold { missing: told, .. }] if *told == missing)
    );
    assert_eq!(
        case.state().phase,
        Phase::Incomplete {
            missing: missing.clone()
        }
    );
    assert_eq!(case.duties(), []);
    assert_eq!(
        reason(tell(&mut case, missing)),
        (RefusalReason::MissingAlreadyToldOnce, Article::R21)
    );
    let kinds = [Scope, Period, Basis];
    let refused = reason(propose(&mut case, refuse("材料不全")));
    assert_eq!(
        refused,
        (
            RefusalReason::IncompleteMayNotBeRefused {
                missing: vec![Scope, Period]
            },
            Article::R21
        )
    );

    let supplement = |case: &mut Case, materials| {
        case.by(
            &requester(),
            Role::Operator,
            ActBody::Supplement {
                docket,
                materials,
                until: Some(NOW.plus_days(365)),
            },
        )
    };
    let partly = RefusalReason::MissingField {
        fields: vec![RequiredField::Application(Basis)],
    };
    let two = vec![material(Scope, "全区"), material(Period, "一年")];
    assert_eq!(
        reason(supplement(&mut case, two.clone())),
        (partly, Article::R21)
    );
    case.now = NOW.plus_days(7);
    let three = kinds
        .iter()
        .map(|kind| material(*kind, "补充"))
        .collect::<Vec<_>>();
    assert_eq!(names(supplement(&mut case, three)), ["supplemented"]);
    let Phase::Received { term } = case.state().phase else {
        panic!()
    };
    assert_eq!(
        term.due.to_string(),
        "2026-03-23T16:00:00.000Z",
        "a new term of ten working days from 9 March"
    );
    let again = reason(tell(&mut case, vec![item(Scope, "范围")]));
    assert_eq!(again, (RefusalReason::MissingAlreadyToldOnce, Article::R21));
    assert_eq!(names(propose(&mut case, grant())), ["reply-proposed"]);
}

#[test]
fn an_incomplete_application_is_neither_refused_nor_granted() {
    let mut case = received(without(&[ApplicationMaterial::Basis]), conditional());
    let missing = vec![ApplicationMaterial::Basis];
    let refused = reason(propose(&mut case, refuse("材料不全")));
    assert_eq!(
        refused,
        (
            RefusalReason::IncompleteMayNotBeRefused { missing },
            Article::R21
        )
    );
    let fields = vec![RequiredField::Application(ApplicationMaterial::Basis)];
    assert_eq!(
        reason(propose(&mut case, grant())),
        (RefusalReason::MissingField { fields }, Article::R20)
    );
}

#[test]
fn a_reply_counts_only_with_consent_to_that_very_reply() {
    let mut case = received(cast::application(), conditional());
    let early = reason(consent_to(&mut case, &grant()));
    let expected = RefusalReason::WrongState {
        expected: "reply-proposed".into(),
        found: "received".into(),
    };
    assert_eq!(early, (expected, Article::R20));
    assert_eq!(names(propose(&mut case, grant())), ["reply-proposed"]);
    let Phase::ReplyProposed { document, .. } = &case.state().phase else {
        panic!()
    };
    assert_eq!(*document, reply_document(&grant()));
    let missing = (
        RefusalReason::ConsentMissing {
            of: Role::SharingOfficeHead,
        },
        Article::R20,
    );
    assert_eq!(
        reason(consent_to(&mut case, &refuse("不在共享范围"))),
        missing
    );
    let (docket, document) = (case.docket(), reply_document(&grant()));
    let foreign = case.by(
        &requester(),
        Role::SharingOfficeHead,
        ActBody::ConsentToReply { docket, document },
    );
    assert_eq!(
        reason(foreign),
        (RefusalReason::NotYourDepartment, Article::R20)
    );

    let events = consent_to(&mut case, &grant()).unwrap();
    let [ApplicationEvent::Granted { terms, term, .. }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(
        Reply::Grant {
            terms: terms.clone()
        },
        grant()
    );
    assert_eq!(
        case.state().phase,
        Phase::Granted {
            terms: terms.clone(),
            term: *term
        }
    );
    assert_eq!(case.duties()[0].duty, Duty::Provide);
    assert_eq!(
        term.due.to_string(),
        "2026-03-30T16:00:00.000Z",
        "twenty working days"
    );
}

#[test]
fn a_refusal_states_reasons_and_basis() {
    let mut case = received(cast::application(), conditional());
    let required = (RefusalReason::ReasonsRequired, Article::R21);
    assert_eq!(reason(propose(&mut case, refuse(" "))), required);
    let baseless = Reply::Refuse {
        reasons: "超出目录列明的共享范围".into(),
        basis: String::new(),
    };
    assert_eq!(reason(propose(&mut case, baseless)), required);
    let reply = refuse("超出目录列明的共享范围");
    assert_eq!(names(propose(&mut case, reply.clone())), ["reply-proposed"]);
    assert_eq!(names(consent_to(&mut case, &reply)), ["refused"]);
    assert_eq!(
        case.state().phase,
        Phase::Refused {
            reasons: "超出目录列明的共享范围".into()
        }
    );
    assert_eq!(case.duties(), []);
}

#[test]
fn under_the_profile_of_shenyang_a_refusal_cites_a_law_and_the_term_is_shorter() {
    let mut case = Case {
        profile: Profile::shenyang(),
        ..Case::new()
    };
    case.run(&open_with(cast::application(), conditional()))
        .unwrap();
    let Phase::Received { term } = case.state().phase else {
        panic!()
    };
    assert_eq!(
        term.due.to_string(),
        "2026-03-09T16:00:00.000Z",
        "five working days"
    );
    let basis = |basis: &str| Reply::Refuse {
        reasons: "超出范围".into(),
        basis: basis.into(),
    };
    let (refused, _) = reason(propose(&mut case, basis("《某某管理办法》第三条")));
    assert_eq!(refused, RefusalReason::CitationRequired);
    assert_eq!(
        names(propose(&mut case, basis("《政务数据共享条例》第二十五条"))),
        ["reply-proposed"]
    );
    assert_eq!(names(propose(&mut case, basis("R25"))), ["reply-proposed"]);
}

#[test]
fn unconditional_data_is_never_refused_for_a_condition_nor_narrowed() {
    let mut case = received(cast::application(), unconditional());
    for plea in ["不符合共享条件", "Conditions not met"] {
        let expected = RefusalReason::ConditionNotCatalogued {
            condition: plea.into(),
        };
        assert_eq!(
            reason(propose(&mut case, refuse(plea))),
            (expected, Article::R15)
        );
    }
    let narrowed = with_terms(|it| it.items.truncate(1));
    let expected = RefusalReason::ConditionNotCatalogued {
        condition: "不提供“经营者姓名”".into(),
    };
    assert_eq!(
        reason(propose(&mut case, narrowed)),
        (expected, Article::R15)
    );
    assert_eq!(names(propose(&mut case, grant())), ["reply-proposed"]);
}

#[test]
fn a_grant_lies_within_the_application_and_adds_no_condition() {
    let mut case = received(cast::application(), conditional());
    let mut granted =
        |change: &dyn Fn(&mut GrantTerms)| reason(propose(&mut case, with_terms(change)));
    let beyond = |asked: &str| RefusalReason::ScopeExceeded {
        asked: asked.into(),
    };
    assert_eq!(
        granted(&|it| it.items.push("电话".into())),
        (beyond("电话"), Article::R25)
    );
    assert_eq!(
        granted(&|it| it.method = Method::ServiceInterface),
        (beyond("服务接口"), Article::R22)
    );
    let ended = RefusalReason::PeriodExpired {
        ended: "2026-03-01".into(),
    };
    assert_eq!(
        granted(&|it| it.until = NOW.plus_days(-1)),
        (ended, Article::R20)
    );
    let added = RefusalReason::ConditionNotCatalogued {
        condition: "另行缴费".into(),
    };
    assert_eq!(
        granted(&|it| it.conditions.push("另行缴费".into())),
        (added, Article::R15)
    );
    let scope = RefusalReason::MissingField {
        fields: vec![RequiredField::Application(ApplicationMaterial::Scope)],
    };
    assert_eq!(granted(&|it| it.purpose.clear()), (scope, Article::R25));
    let longer = RefusalReason::PeriodExceeded {
        asked: "2027-03-02".into(),
    };
    assert_eq!(
        granted(&|it| it.until = NOW.plus_days(366)),
        (longer, Article::R20)
    );
    let unlisted = RefusalReason::PurposeExceeded {
        asked: "信用评级".into(),
    };
    assert_eq!(
        granted(&|it| it.purpose = "信用评级".into()),
        (unlisted, Article::R15)
    );
    let catalogued = with_terms(|it| it.conditions.push("仅限核验".into()));
    assert_eq!(names(propose(&mut case, catalogued)), ["reply-proposed"]);
}

#[test]
fn what_is_shared_unconditionally_is_granted_for_what_was_asked_and_nothing_else() {
    let mut case = received(cast::application(), unconditional());
    let exceeded = RefusalReason::PurposeExceeded {
        asked: "信用评级".into(),
    };
    let other = with_terms(|it| it.purpose = "信用评级".into());
    assert_eq!(reason(propose(&mut case, other)), (exceeded, Article::R25));
    assert_eq!(names(propose(&mut case, grant())), ["reply-proposed"]);
}

#[test]
fn words_about_a_period_do_not_state_it() {
    let mut application = cast::application();
    application.until = None;
    let mut case = received(application, conditional());
    let fields = vec![RequiredField::Application(ApplicationMaterial::Period)];
    assert_eq!(
        reason(propose(&mut case, grant())),
        (RefusalReason::MissingField { fields }, Article::R20)
    );
}

#[test]
fn data_is_provided_as_intent_and_received_as_outcome_once() {
    let mut case = answered(grant(), conditional());
    assert_eq!(names(provide(&mut case)), ["providing"]);
    assert_eq!(case.duties(), [], "the provider has done its part");
    let other = reason(case.run(&Command::Fetched {
        object: Digest::object(b"x"),
        at: NOW,
    }));
    let expected = RefusalReason::WrongState {
        expected: "providing".into(),
        found: "providing".into(),
    };
    assert_eq!(other, (expected, Article::R22));
    let fetched = Command::Fetched {
        object: object().digest,
        at: NOW.plus_days(1),
    };
    let expected = ApplicationEvent::Provided {
        object: object(),
        received_at: NOW.plus_days(1),
    };
    assert_eq!(case.run(&fetched), Ok(vec![expected]));
    assert!(matches!(case.state().phase, Phase::Provided { .. }));
    assert_eq!(case.run(&fetched), Ok(vec![]));
    let late = reason(provide(&mut case));
    let expected = RefusalReason::WrongState {
        expected: "granted".into(),
        found: "provided".into(),
    };
    assert_eq!(late, (expected, Article::R22));
}

#[test]
fn nothing_is_provided_without_a_grant_or_by_another() {
    let mut case = received(cast::application(), conditional());
    let expected = RefusalReason::WrongState {
        expected: "granted".into(),
        found: "received".into(),
    };
    assert_eq!(reason(provide(&mut case)), (expected, Article::R22));
    let mut case = answered(grant(), conditional());
    let docket = case.docket();
    let foreign = case.by(
        &requester(),
        Role::Operator,
        ActBody::Provide {
            docket,
            object: object(),
        },
    );
    assert_eq!(
        reason(foreign),
        (RefusalReason::NotYourDepartment, Article::R22)
    );
    case.now = NOW.plus_days(200);
    let ended = RefusalReason::PeriodExpired {
        ended: "2026-08-29".into(),
    };
    assert_eq!(reason(provide(&mut case)), (ended, Article::R20));
}

#[test]
fn a_use_is_recorded_whole_by_the_requester_within_the_period() {
    let mut case = provided();
    let docket = case.docket();
    let by = |case: &mut Case, who: &cast::Department, record| {
        case.by(who, Role::Operator, ActBody::RecordUse { docket, record })
    };
    let events = by(&mut case, &requester(), record()).unwrap();
    assert!(
        matches!(events.as_slice(), [ApplicationEvent::UseRecorded { record: it, .. }] if *it == record())
    );
    assert_eq!(case.state().uses, 1);
    let foreign = reason(by(&mut case, &provider(), record()));
    assert_eq!(foreign, (RefusalReason::NotYourDepartment, Article::R29));
    let partly = record_of(&UseTexts {
        destruction: " ".into(),
        ..texts()
    });
    let fields = vec![RequiredField::UseRecord(UseRecordField::Destruction)];
    assert_eq!(
        reason(by(&mut case, &requester(), partly)),
        (RefusalReason::MissingField { fields }, Article::R29)
    );
    case.now = NOW.plus_days(181);
    let (ended, _) = reason(by(&mut case, &requester(), record()));
    assert!(matches!(ended, RefusalReason::PeriodExpired { .. }));
    let mut early = answered(grant(), conditional());
    let (state, _) = reason(by(&mut early, &requester(), record()));
    assert_eq!(
        state,
        RefusalReason::WrongState {
            expected: "providing".into(),
            found: "granted".into()
        }
    );
}

#[test]
fn the_clock_records_each_default_once_and_at_its_very_end() {
    let mut case = received(cast::application(), conditional());
    let (due, arises) = (case.due(), NOW);
    case.now = due.plus_millis(-1);
    let duty = Duty::ReplyConditional;
    assert_eq!(case.tick(), [ClockEvent::Warned { duty, arises, due }]);
    assert_eq!(case.tick(), []);
    case.now = due;
    let who = Debtor::Department(case.state().provider.clone());
    let overdue = ClockEvent::Overdue {
        duty,
        arises,
        due,
        who,
    };
    assert_eq!(case.tick(), [overdue]);
    assert_eq!(case.tick(), []);
    assert!(case.clock.is_overdue(duty, arises), "still owed, and late");
    propose(&mut case, grant()).unwrap();
    assert_eq!(
        case.tick(),
        [],
        "a proposal is no reply, and the default is recorded already"
    );
    consent_to(&mut case, &grant()).unwrap();
    case.now = case.due();
    assert!(matches!(
        case.tick()[..],
        [ClockEvent::Overdue {
            duty: Duty::Provide,
            ..
        }]
    ));
    assert_eq!(case.clock.lapses.len(), 2);
}

fn tell(case: &mut Case, kinds: &[ApplicationMaterial]) -> Result<Vec<ApplicationEvent>, Refusal> {
    let what = |kind: &ApplicationMaterial| MissingItem {
        kind: *kind,
        what: "请补充".into(),
    };
    let (docket, missing) = (case.docket(), kinds.iter().map(what).collect());
    case.by(
        &provider(),
        Role::Operator,
        ActBody::TellMissing { docket, missing },
    )
}

#[test]
fn what_is_not_told_in_time_is_not_told_and_the_application_counts_as_complete() {
    let basis = ApplicationMaterial::Basis;
    let mut case = received(without(&[basis]), conditional());
    case.now = case.due().plus_millis(-1);
    assert!(tell(&mut case, &[basis]).is_ok(), "in the last moment");
    let mut case = received(without(&[basis]), conditional());
    case.now = case.due();
    assert_eq!(
        reason(tell(&mut case, &[basis])),
        (
            RefusalReason::TimeLimitPassed {
                duty: Duty::ReplyConditional
            },
            Article::R21
        )
    );
    assert_eq!(names(propose(&mut case, grant())), ["reply-proposed"]);
}

fn dispute(case: &mut Case, who: &cast::Department) -> Result<Vec<ApplicationEvent>, Refusal> {
    let docket = case.docket();
    case.by(
        who,
        Role::Operator,
        ActBody::RaiseDispute {
            docket,
            claim: "不同意拒绝理由".into(),
        },
    )
}

fn negotiate(
    case: &mut Case,
    who: &cast::Department,
    outcome: NegotiationOutcome,
) -> Result<Vec<ApplicationEvent>, Refusal> {
    let docket = case.docket();
    let step = NegotiationStep {
        statement: "协商意见".into(),
        outcome,
    };
    case.by(who, Role::Operator, ActBody::Negotiate { docket, step })
}

#[test]
fn a_dispute_is_negotiated_first_and_goes_up_only_when_that_failed() {
    use NegotiationOutcome::{Continues, Failed, Settled};
    let mut case = received(cast::application(), conditional());
    let (early, article) = reason(dispute(&mut case, &requester()));
    assert_eq!(article, Article::R28);
    assert!(matches!(early, RefusalReason::WrongState { found, .. } if found == "received"));

    let mut case = answered(refuse("超出范围"), conditional());
    let state = |expected: &str, found: &str| {
        (
            RefusalReason::WrongState {
                expected: expected.into(),
                found: found.into(),
            },
            Article::R28,
        )
    };
    assert_eq!(
        reason(negotiate(&mut case, &requester(), Failed)),
        state("negotiating", "none")
    );
    assert_eq!(names(dispute(&mut case, &requester())), ["dispute-raised"]);
    assert_eq!(
        reason(dispute(&mut case, &provider())),
        state("none or settled", "negotiating")
    );
    assert_eq!(
        names(negotiate(&mut case, &provider(), Continues)),
        ["negotiated"]
    );
    let foreign = (RefusalReason::NotYourDepartment, Article::R28);
    assert_eq!(
        reason(negotiate(&mut case, &provider(), Settled)),
        foreign,
        "only who complained is satisfied"
    );
    assert_eq!(
        reason(negotiate(&mut case, &cast::hub_authority(), Failed)),
        foreign
    );
    assert_eq!(
        names(negotiate(&mut case, &provider(), Failed)),
        ["negotiated"]
    );
    let DisputeStage::Failed {
        dispute: id, by, ..
    } = case.state().dispute.clone()
    else {
        panic!()
    };
    assert_eq!(by, requester().code);

    let concluded = |dispute| Command::DisputeConcluded {
        dispute,
        outcome: "予以共享".into(),
    };
    assert_eq!(
        reason(case.run(&concluded(case.docket()))),
        state("failed", "failed")
    );
    assert_eq!(names(case.run(&concluded(id))), ["dispute-concluded"]);
    assert_eq!(case.run(&concluded(id)), Ok(vec![]));
    assert_eq!(
        reason(dispute(&mut case, &requester())),
        state("none or settled", "concluded")
    );
}

#[test]
fn an_overdue_reply_can_be_disputed_and_a_settled_dispute_raised_anew() {
    let mut case = received(cast::application(), conditional());
    case.now = case.due();
    case.tick();
    assert_eq!(names(dispute(&mut case, &requester())), ["dispute-raised"]);
    assert_eq!(
        names(negotiate(
            &mut case,
            &requester(),
            NegotiationOutcome::Settled
        )),
        ["negotiated"]
    );
    assert_eq!(case.state().dispute, DisputeStage::Settled);
    assert_eq!(names(dispute(&mut case, &requester())), ["dispute-raised"]);
}

#[test]
fn an_act_for_another_docket_changes_nothing() {
    let mut case = received(cast::application(), conditional());
    let docket = DocketId(Digest::object(b"other"));
    let body = ActBody::ProposeReply {
        docket,
        reply: grant(),
    };
    let expected = RefusalReason::UnknownDocket {
        docket: case.docket().to_string(),
    };
    assert_eq!(
        reason(case.by(&provider(), Role::Operator, body)),
        (expected, Article::R20)
    );
}

#[test]
fn events_out_of_order_are_missteps() {
    let case = received(cast::application(), conditional());
    let provided = ApplicationEvent::Provided {
        object: object(),
        received_at: NOW,
    };
    assert_eq!(
        evolve(case.state.clone(), &provided, NOW),
        Err(Misstep::OutOfOrder {
            event: "provided",
            phase: "received"
        })
    );
    assert_eq!(
        evolve(None, &provided, NOW),
        Err(Misstep::NotAnOpening { event: "provided" })
    );
    let events = Case::new()
        .decide(&open_with(cast::application(), conditional()))
        .unwrap();
    assert_eq!(
        evolve(case.state.clone(), &events[0], NOW),
        Err(Misstep::OpenedTwice)
    );
    let mut forged = events[0].clone();
    if let ApplicationEvent::Received { apply, consent, .. } = &mut forged {
        *apply = consent.clone();
    }
    assert_eq!(
        evolve(None, &forged, NOW),
        Err(Misstep::WrongOpeningAct { expected: "apply" })
    );
}

mod sequences {
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    /// Every command that a party could give in the docket of the standard application, right and wrong ones; signed once.
    fn commands(terms: fn() -> ClassTerms) -> Vec<Command> {
        let case = received(without(&[ApplicationMaterial::Scope]), terms());
        let docket = case.docket();
        let scope = ApplicationMaterial::Scope;
        let step = |outcome| NegotiationStep {
            statement: "意见".into(),
            outcome,
        };
        let bodies = [
            (
                Role::Operator,
                ActBody::TellMissing {
                    docket,
                    missing: vec![MissingItem {
                        kind: scope,
                        what: "范围".into(),
                    }],
                },
            ),
            (
                Role::Operator,
                ActBody::Supplement {
                    docket,
                    materials: vec![material(scope, "全区")],
                    until: None,
                },
            ),
            (
                Role::Operator,
                ActBody::ProposeReply {
                    docket,
                    reply: grant(),
                },
            ),
            (
                Role::Operator,
                ActBody::ProposeReply {
                    docket,
                    reply: refuse("超出范围"),
                },
            ),
            (
                Role::SharingOfficeHead,
                ActBody::ConsentToReply {
                    docket,
                    document: reply_document(&grant()),
                },
            ),
            (
                Role::SharingOfficeHead,
                ActBody::ConsentToReply {
                    docket,
                    document: reply_document(&refuse("超出范围")),
                },
            ),
            (
                Role::Operator,
                ActBody::Provide {
                    docket,
                    object: object(),
                },
            ),
            (
                Role::Operator,
                ActBody::RecordUse {
                    docket,
                    record: record(),
                },
            ),
            (
                Role::Operator,
                ActBody::RaiseDispute {
                    docket,
                    claim: "争议".into(),
                },
            ),
            (
                Role::Operator,
                ActBody::Negotiate {
                    docket,
                    step: step(NegotiationOutcome::Continues),
                },
            ),
            (
                Role::Operator,
                ActBody::Negotiate {
                    docket,
                    step: step(NegotiationOutcome::Settled),
                },
            ),
            (
                Role::Operator,
                ActBody::Negotiate {
                    docket,
                    step: step(NegotiationOutcome::Failed),
                },
            ),
        ];
        let parties = [requester(), provider()];
        let acts = bodies.iter().flat_map(|(role, body)| {
            parties
                .iter()
                .map(|party| Command::Act(party.act(*role, body.clone())))
        });
        let mut commands: Vec<Command> = acts.chain(grants::commands(docket)).collect();
        commands.push(Command::Fetched {
            object: object().digest,
            at: NOW,
        });
        commands.push(Command::DisputeConcluded {
            dispute: docket,
            outcome: "结论".into(),
        });
        commands.push(open_with(without(&[scope]), terms()));
        commands
    }

    fn all(unconditionally: bool) -> &'static [Command] {
        static COMMANDS: OnceLock<[Vec<Command>; 2]> = OnceLock::new();
        &COMMANDS.get_or_init(|| [commands(conditional), commands(unconditional)])
            [usize::from(unconditionally)]
    }

    const PHASES: [&str; 7] = [
        "received",
        "incomplete",
        "reply-proposed",
        "granted",
        "refused",
        "providing",
        "provided",
    ];
    const STAGES: [&str; 5] = ["none", "negotiating", "settled", "failed", "concluded"];

    fn phase(state: &ApplicationState) -> usize {
        match state.phase {
            Phase::Received { .. } => 0,
            Phase::Incomplete { .. } => 1,
            Phase::ReplyProposed { .. } => 2,
            Phase::Granted { .. } => 3,
            Phase::Refused { .. } => 4,
            Phase::Providing { .. } => 5,
            Phase::Provided { .. } => 6,
        }
    }

    fn stage(state: &ApplicationState) -> usize {
        match state.dispute {
            DisputeStage::None => 0,
            DisputeStage::Negotiating { .. } => 1,
            DisputeStage::Settled => 2,
            DisputeStage::Failed { .. } => 3,
            DisputeStage::Concluded { .. } => 4,
        }
    }

    /// What every command leads to from here, on the day of its receipt.
    fn onward(state: &ApplicationState) -> Vec<ApplicationState> {
        let mut case = Case::new();
        case.state = Some(state.clone());
        let concluded =
            crate::dispute::case(state).map(|(dispute, ..)| Command::DisputeConcluded {
                dispute,
                outcome: "结论".into(),
            });
        let commands = all(false).iter().chain(&concluded);
        let decided = commands.filter_map(|it| case.decide(it).ok());
        let after = decided.filter(|events| !events.is_empty()).map(|events| {
            let step = |state, event| evolve(Some(state), event, NOW).unwrap();
            events.iter().fold(state.clone(), step)
        });
        after.collect()
    }

    fn explore(phases: &[&str], last: &[&str], phase_of: fn(&ApplicationState) -> usize) {
        // The commands are signed for the docket of this application.
        let wanted = without(&[ApplicationMaterial::Scope]);
        crate::exploration::Model {
            starts: vec![received(wanted, conditional()).state.unwrap()],
            phases,
            last,
            phase: &phase_of,
            key: &|state| {
                let access = std::mem::discriminant(&state.standing.access);
                let grants = matches!(
                    &state.phase,
                    Phase::ReplyProposed {
                        reply: Reply::Grant { .. },
                        ..
                    }
                );
                let told = (state.told_missing_once, grants);
                format!("{} {} {access:?} {told:?}", phase(state), stage(state))
            },
            moves: &onward,
        }
        .explore();
    }

    #[test]
    fn every_phase_of_an_application_is_reached_and_none_is_a_dead_end() {
        explore(&PHASES, &["refused", "provided"], phase);
    }

    #[test]
    fn every_stage_of_a_falling_out_is_reached_and_none_is_a_dead_end() {
        explore(&STAGES, &["concluded"], stage);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_commanded_every_event_follows_and_every_refusal_changes_nothing(
            unconditionally in any::<bool>(),
            steps in proptest::collection::vec((any::<prop::sample::Index>(), 0_i64..15), 0..60),
        ) {
            let commands = all(unconditionally);
            let mut case = Case::new();
            let mut provided = 0;
            for (index, days) in steps {
                case.now = case.now.plus_days(days);
                let before = case.state.clone();
                // The cast signs at NOW; decide takes acts as verified, so their age does not matter here.
                match case.decide(index.get(commands)) {
                    Ok(events) => {
                        for event in &events {
                            let next = evolve(case.state.take(), event, case.now);
                            prop_assert!(next.is_ok(), "{} after {before:?}: {next:?}", event.name());
                            case.state = next.ok();
                            provided += usize::from(matches!(event, ApplicationEvent::Provided { .. }));
                        }
                    }
                    Err(_) => prop_assert_eq!(&case.state, &before),
                }
                if case.state.is_some() {
                    case.tick();
                    let unique: std::collections::BTreeSet<_> =
                        case.clock.lapses.iter().map(|it| (it.duty, it.arises)).collect();
                    prop_assert_eq!(unique.len(), case.clock.lapses.len());
                }
                if let Some(state) = &case.state {
                    prop_assert!(state.duties().len() <= 2);
                    let gone = state.standing.access.is_over() && state.duties().iter().any(|it| it.duty == Duty::Rectify);
                    prop_assert!(!gone, "nothing is left to rectify");
                    let told = matches!(state.phase, Phase::Incomplete { .. });
                    prop_assert!(!told || state.told_missing_once);
                    if state.phase.is_answered() && case.clock.lapses.is_empty() {
                        prop_assert!(rules::unstated(&state.application).is_empty());
                    }
                }
                prop_assert!(provided <= 1);
            }
        }
    }
}
