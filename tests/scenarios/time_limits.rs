//! Time limits: more time with the authority's consent, warnings, defaults and justifications (R21, R39(4)).

use guantong_tests::stage::{
    application, apply, code, conditional, demo, lapses, provider, refuse, reply, seen,
};
use guantong_tests::{Department, World};
use identity::{Code, Moment};
use sharing::act::ActBody;
use sharing::application::Phase;
use sharing::clock::{ClockAct, Lapse};
use sharing::docket::{DocketBody, DocketId};
use statute::{Article, Duty, RefusalReason, Role, WorkingDays};

const DUTY: Duty = Duty::ReplyConditional;

/// A ministry that owes a county the reply to a conditional application.
struct Owed {
    world: World,
    provider: Department,
    requester: Code,
    docket: DocketId,
}

fn owed(seed: u64) -> Owed {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    Owed {
        world,
        provider,
        requester: requester.node,
        docket,
    }
}

impl Owed {
    fn ask(&mut self, days: u16) -> Result<(), (RefusalReason, Article)> {
        let person = self.world.staff(&self.provider, Role::Operator);
        let body = ActBody::Clock(ClockAct::AskExtension {
            docket: self.docket,
            duty: DUTY,
            days: WorkingDays::new(days).expect("a period"),
            grounds: "数据量大，需要分批整理".into(),
        });
        self.at_provider(&person, body)
    }

    fn answer(&mut self, role: Role) -> Result<(), (RefusalReason, Article)> {
        let person = match role {
            Role::AuthorityReviewer | Role::AuthorityHead => {
                self.world.authority(self.provider.node, role)
            }
            _ => self.world.staff(&self.provider, role),
        };
        let body = ActBody::Clock(ClockAct::AnswerExtension {
            docket: self.docket,
            duty: DUTY,
            consents: true,
            grounds: String::new(),
        });
        self.at_provider(&person, body)
    }

    fn at_provider(
        &mut self,
        person: &guantong_tests::Person,
        body: ActBody,
    ) -> Result<(), (RefusalReason, Article)> {
        match self.world.act(self.provider.node, person, body) {
            Ok(_) => Ok(()),
            Err(federation::core::Refused::Lawful(refusal)) => {
                Err((refusal.reason, refusal.article))
            }
            Err(other) => panic!("{other}"),
        }
    }

    /// When the reply is due, as a node's copy has it.
    fn due(&self, node: Code) -> Moment {
        let held = guantong_tests::stage::events(&self.world, node, self.docket);
        let moved = held.iter().rev().find_map(|event| match &event.body {
            DocketBody::Clock(sharing::clock::ClockEvent::Extended { term, .. }) => Some(term.due),
            _ => None,
        });
        moved.unwrap_or_else(
            || match seen(&self.world, node, self.docket).expect("held").phase {
                Phase::Received { term } | Phase::ReplyProposed { term, .. } => term.due,
                other => panic!("{other:?}"),
            },
        )
    }

    fn lapse(&self, node: Code) -> Option<Lapse> {
        federation::core::query::docket(self.world.read(node), self.docket)
            .expect("memory")
            .and_then(|detail| detail.docket.state.clock.lapses.first().cloned())
    }

    fn wait_until(&mut self, at: Moment) {
        let ms = at.millis_since(self.world.now);
        self.world.step(ms);
        self.world.settle();
    }
}

#[test]
pub(crate) fn a_reply_is_extended_once_with_the_authoritys_consent_and_the_requester_is_told() {
    let mut case = owed(40);
    let first = case.due(case.requester);
    assert_eq!(first.to_string(), "2026-03-23T16:00:00.000Z");
    assert_eq!(case.ask(10), Ok(()));
    assert_eq!(
        case.answer(Role::Operator),
        Err((
            RefusalReason::RoleNotEntitled {
                role: Role::Operator,
                act: statute::ActKind::ConsentToExtension
            },
            Article::R21
        )),
        "nobody consents to their own extension"
    );
    assert_eq!(case.answer(Role::AuthorityReviewer), Ok(()));
    case.world.settle();
    // Ten working days after Monday 23 March, Qingming (Monday 6 April) left out.
    let later = "2026-04-07T16:00:00.000Z";
    for node in [case.provider.node, case.requester] {
        assert_eq!(case.due(node).to_string(), later, "at {node}");
    }
    case.wait_until(first);
    assert_eq!(lapses(&case.world, case.requester, case.docket), 0);
    assert_eq!(
        case.ask(1),
        Err((RefusalReason::ExtensionAlreadyUsed, Article::R21))
    );
    case.wait_until(case.due(case.requester).plus_millis(1));
    assert_eq!(lapses(&case.world, case.requester, case.docket), 1);
}

#[test]
pub(crate) fn eleven_days_an_unasked_consent_and_a_late_request_are_refused() {
    let mut case = owed(41);
    assert_eq!(
        case.ask(11),
        Err((
            RefusalReason::ExtensionTooLong {
                asked: 11,
                limit: 10
            },
            Article::R21
        ))
    );
    assert!(matches!(
        case.answer(Role::AuthorityReviewer),
        Err((RefusalReason::WrongState { .. }, Article::R21))
    ));
    let due = case.due(case.requester);
    case.wait_until(due);
    assert_eq!(
        case.ask(5),
        Err((RefusalReason::TimeLimitPassed { duty: DUTY }, Article::R21))
    );
}

#[test]
fn without_consent_the_first_time_limit_stands() {
    let mut case = owed(42);
    assert_eq!(case.ask(10), Ok(()));
    let due = case.due(case.requester);
    case.wait_until(due.plus_millis(-60_000));
    assert_eq!(lapses(&case.world, case.requester, case.docket), 0);
    case.wait_until(due.plus_millis(60_000));
    assert_eq!(lapses(&case.world, case.requester, case.docket), 1);
}

#[test]
fn a_default_is_justified_by_whoever_owed_and_both_sides_hold_it() {
    let mut case = owed(43);
    let justify = |docket| {
        ActBody::Clock(ClockAct::Justify {
            docket,
            duty: DUTY,
            grounds: "系统迁移期间无法核对数据".into(),
        })
    };
    let operator = case.world.staff(&case.provider, Role::Operator);
    let docket = case.docket;
    assert!(
        matches!(
            case.at_provider(&operator, justify(docket)),
            Err((RefusalReason::WrongState { .. }, Article::R39_4))
        ),
        "nothing is late yet"
    );
    case.wait_until(case.due(case.requester).plus_millis(1));
    let requester = Department::hosted(case.requester, 2, "民政局");
    let stranger = case.world.staff(&requester, Role::Operator);
    case.world
        .act(case.requester, &stranger, justify(docket))
        .expect("sent to the home");
    case.world.settle();
    assert_eq!(
        case.lapse(case.provider.node)
            .and_then(|it| it.justification),
        None,
        "the home refuses who did not owe it"
    );
    assert_eq!(case.at_provider(&operator, justify(docket)), Ok(()));
    case.world.settle();
    let held = case.lapse(case.requester).expect("the default");
    assert_eq!(held.duty, DUTY);
    assert_eq!(
        held.justification.as_deref(),
        Some("系统迁移期间无法核对数据")
    );
    let provider = case.provider.clone();
    reply(&mut case.world, &provider, docket, refuse());
    case.world.settle();
    assert_eq!(
        lapses(&case.world, case.requester, docket),
        1,
        "a late reply does not undo the default"
    );
}

#[test]
fn whoever_owes_is_warned_once_before_the_day() {
    let mut case = owed(44);
    let due = case.due(case.requester);
    let warned = |case: &Owed| {
        guantong_tests::stage::events(&case.world, case.requester, case.docket)
            .iter()
            .filter(|event| {
                matches!(
                    event.body,
                    DocketBody::Clock(sharing::clock::ClockEvent::Warned { .. })
                )
            })
            .count()
    };
    assert_eq!(warned(&case), 0);
    case.wait_until(due.plus_days(-1));
    assert_eq!(warned(&case), 1);
    case.wait_until(due.plus_millis(-1));
    assert_eq!(warned(&case), 1);
}

/// The provider's operator tells that the legal basis is missing.
fn tell(case: &mut Owed) -> Result<(), (RefusalReason, Article)> {
    let operator = case.world.staff(&case.provider, Role::Operator);
    let body = ActBody::TellMissing {
        docket: case.docket,
        missing: vec![sharing::application::MissingItem {
            kind: statute::ApplicationMaterial::Basis,
            what: "请补充使用依据的具体条款".into(),
        }],
    };
    case.at_provider(&operator, body)
}

#[test]
pub(crate) fn what_is_missing_is_told_within_the_term_or_not_at_all() {
    let mut case = owed(45);
    case.wait_until(case.due(case.requester).plus_millis(-60_000));
    assert_eq!(tell(&mut case), Ok(()), "met by a minute");
    case.world.settle();
    let asked = seen(&case.world, case.requester, case.docket).expect("held");
    assert!(matches!(asked.phase, Phase::Incomplete { .. }));
    let mut case = owed(46);
    case.wait_until(case.due(case.requester).plus_millis(60_000));
    assert_eq!(
        tell(&mut case),
        Err((RefusalReason::TimeLimitPassed { duty: DUTY }, Article::R21)),
        "missed by a minute"
    );
    let held = seen(&case.world, case.requester, case.docket).expect("held");
    assert!(matches!(held.phase, Phase::Received { .. }));
}
