//! Both sides keep time: whoever holds a copy runs the same clock on it, and the home's dates are bounded (R21, R28, R39(4)).

use federation::core::query;
use federation::core::view::DocketDetail;
use guantong_tests::stage::{
    application, apply, code, conditional, demo, findings, grant, lapses, provider, seen,
};
use guantong_tests::{Department, Faults, World};
use identity::{Code, Moment};
use sharing::act::ActBody;
use sharing::application::{Phase, reply_document};
use sharing::catalogue::Entry;
use sharing::clock::bounds::{Doubt, HomeStanding, Outcome, OwnLapse};
use sharing::docket::DocketId;
use statute::{Article, Duty, Role};

const HALF_AN_HOUR_MS: i64 = 1_800_000;
const DAY_MS: i64 = 86_400_000;

/// A ministry that owes a county the reply to a conditional application.
struct Owed {
    world: World,
    provider: Department,
    entry: Entry,
    requester: Code,
    docket: DocketId,
    due: Moment,
}

fn owed(seed: u64) -> Owed {
    let mut world = demo(seed);
    let (provider, entry) = provider(&mut world, "mps", conditional());
    let requester = world.department(code("440106"), 2, "民政局");
    let wanted = application(&world, &requester, &provider, &entry);
    let docket = apply(&mut world, &requester, wanted);
    world.settle();
    let due = match seen(&world, requester.node, docket).expect("held").phase {
        Phase::Received { term } => term.due,
        other => panic!("{other:?}"),
    };
    Owed {
        world,
        provider,
        entry,
        requester: requester.node,
        docket,
        due,
    }
}

impl Owed {
    /// Time passes until a moment, at once: a node then has slept, and listens first.
    fn sleep_until(&mut self, at: Moment) {
        let ms = at.millis_since(self.world.now);
        self.world.step(ms);
    }

    /// Two hours pass, with every clock ticking.
    fn listen(&mut self) {
        for _ in 0..4 {
            self.world.step(HALF_AN_HOUR_MS);
        }
        self.world.settle();
    }

    fn held(&self, node: Code) -> DocketDetail {
        query::docket(self.world.read(node), self.docket)
            .expect("memory")
            .expect("held")
    }

    fn own(&self) -> Vec<OwnLapse> {
        self.held(self.requester).own_lapses
    }

    fn outcome(&self) -> Option<Outcome> {
        let own = self.own();
        assert_eq!(own.len(), 1, "{own:?}");
        own[0].outcome.clone()
    }

    /// How many findings of a kind the requester's node shows.
    fn shown(&self, kind: &str) -> usize {
        let shown = findings(&self.world, self.requester);
        shown.iter().filter(|it| it.contains(kind)).count()
    }

    /// The provider's people answer, by their node's clock.
    fn answer(&mut self) {
        let node = self.provider.node;
        let reply = grant(&self.world, &self.entry);
        let (docket, document) = (self.docket, reply_document(&reply));
        let operator = self.world.staff(&self.provider, Role::Operator);
        let office = self.world.staff(&self.provider, Role::SharingOfficeHead);
        self.world
            .act(node, &operator, ActBody::ProposeReply { docket, reply })
            .expect("proposed");
        self.world
            .act(node, &office, ActBody::ConsentToReply { docket, document })
            .expect("answered");
    }

    fn rebuilt(&self) {
        for node in [self.provider.node, self.requester] {
            self.world.rebuild(node).expect("the same tables");
        }
    }
}

const SEEN: &str = "overdue as this node sees it";
const DOUBT: &str = "time in doubt";

#[test]
pub(crate) fn a_home_that_was_stopped_over_the_deadline_is_found_overdue_once_and_agrees_when_it_is_back()
 {
    let mut case = owed(700);
    case.world.stop(case.provider.node);
    case.sleep_until(case.due.plus_millis(-60_000));
    case.world.step(HALF_AN_HOUR_MS);
    assert_eq!(case.own(), [], "its word may still be under way");
    case.listen();
    let own = case.own();
    assert_eq!(own.len(), 1);
    assert_eq!(own[0].duty, Duty::ReplyConditional);
    assert_eq!(own[0].article, Article::R21);
    assert_eq!(own[0].term.due, case.due);
    assert_eq!(own[0].home, HomeStanding::Silent);
    assert_eq!(own[0].outcome, None);
    assert_eq!(case.shown(SEEN), 1);
    assert_eq!(
        lapses(&case.world, case.requester, case.docket),
        0,
        "only the home orders events"
    );
    let duties = query::duties(case.world.read(case.requester), case.world.now, 100);
    let duties = duties.expect("memory");
    let duty = duties.iter().find(|it| it.docket == case.docket);
    assert_eq!(duty.and_then(|it| it.own_lapse.as_ref()), own.first());
    case.world.restart(case.requester);
    case.listen();
    assert_eq!(case.own(), own, "found once, whatever restarts");
    assert_eq!(case.shown(SEEN), 1);
    case.world.restart(case.provider.node);
    case.world.settle();
    assert!(matches!(case.outcome(), Some(Outcome::Agreed { at, .. }) if at >= case.due));
    for node in [case.provider.node, case.requester] {
        assert_eq!(lapses(&case.world, node, case.docket), 1, "at {node}");
    }
    case.listen();
    assert_eq!(case.own().len(), 1);
    assert_eq!(case.shown(SEEN), 1);
    assert_eq!(case.shown(DOUBT), 0);
    case.rebuilt();
}

#[test]
fn a_home_that_records_its_own_default_or_answers_in_time_is_found_nothing_against() {
    let mut case = owed(701);
    case.sleep_until(case.due.plus_millis(-HALF_AN_HOUR_MS));
    case.listen();
    case.listen();
    assert_eq!(lapses(&case.world, case.requester, case.docket), 1);
    assert_eq!(case.own(), []);
    case.answer();
    case.listen();
    assert_eq!(case.held(case.requester).doubted, [], "late, as it says");
    let mut case = owed(702);
    case.sleep_until(case.due.plus_millis(-1_000));
    case.answer();
    case.listen();
    case.listen();
    assert_eq!(case.own(), []);
    assert_eq!(case.held(case.requester).doubted, []);
    assert_eq!(case.shown(SEEN) + case.shown(DOUBT), 0);
}

#[test]
fn an_answer_in_time_by_a_clock_set_back_a_week_is_shown_to_the_other_side_with_both_times() {
    let mut case = owed(703);
    case.sleep_until(case.due.plus_days(-6));
    case.world.set_clock(case.provider.node, -7 * DAY_MS);
    case.sleep_until(case.due.plus_millis(-HALF_AN_HOUR_MS));
    case.listen();
    case.listen();
    assert_eq!(case.outcome(), None);
    assert_eq!(lapses(&case.world, case.provider.node, case.docket), 0);
    let (real, said) = (case.world.now, case.world.clock(case.provider.node));
    assert!(said < case.due && case.due < real);
    case.answer();
    case.world.settle();
    let doubted = case.held(case.requester).doubted;
    let claimed = doubted.iter().find(|it| it.is_disputed());
    let claimed = claimed.expect("the answer is in doubt");
    assert_eq!(claimed.claimed, said);
    assert!(claimed.received >= real);
    let claim = Doubt::ClaimedInTime {
        duty: Duty::ReplyConditional,
        arises: case.own()[0].term.arises,
        due: case.due,
    };
    assert!(claimed.doubts.contains(&claim), "{:?}", claimed.doubts);
    if let Some(shown) = &claimed.borne_out {
        assert!(shown.cosigned >= real, "nobody had it before");
    }
    assert!(
        matches!(case.outcome(), Some(Outcome::Claimed { at, received, .. })
        if at == said && received == claimed.received)
    );
    assert_eq!((case.shown(SEEN), case.shown(DOUBT)), (1, 1));
    case.listen();
    case.world.restart(case.requester);
    case.listen();
    assert_eq!(case.own().len(), 1, "the finding stays");
    assert_eq!((case.shown(SEEN), case.shown(DOUBT)), (1, 1));
    case.rebuilt();
}

#[test]
fn an_answer_that_was_kept_from_a_copy_by_a_cut_line_is_borne_out_by_who_cosigned_it_in_time() {
    let mut case = owed(704);
    case.sleep_until(case.due.plus_days(-2));
    case.world.cut(case.requester);
    case.answer();
    case.world.settle();
    case.sleep_until(case.due.plus_millis(-HALF_AN_HOUR_MS));
    case.listen();
    case.listen();
    let own = case.own();
    assert_eq!(
        own.first().map(|it| it.home),
        Some(HomeStanding::Unreachable)
    );
    case.world.heal(case.requester);
    case.world.settle();
    case.world.settle();
    let hub = case.world.place(Code::HUB);
    assert!(
        matches!(case.outcome(), Some(Outcome::BorneOut { at, cosigned, by })
            if at < case.due && cosigned < case.due && by == hub),
        "{:?}",
        case.outcome()
    );
    let doubted = case.held(case.requester).doubted;
    assert!(doubted.iter().all(|it| !it.is_disputed()), "{doubted:?}");
    case.rebuilt();
}

#[test]
fn crashes_broken_links_and_repeated_messages_do_not_double_a_finding() {
    for seed in 710..714 {
        let mut case = owed(seed);
        case.world.stop(case.provider.node);
        case.sleep_until(case.due.plus_millis(-HALF_AN_HOUR_MS));
        case.listen();
        case.listen();
        assert_eq!(case.own().len(), 1);
        case.world.restart(case.provider.node);
        case.world.faults = Faults {
            crash_before_commit: 25,
            crash_after_commit: 25,
            break_link: 40,
            ..Faults::default()
        };
        for _ in 0..10 {
            case.world.step(6_000);
        }
        case.world.heal_all();
        case.world.settle();
        case.listen();
        assert!(matches!(case.outcome(), Some(Outcome::Agreed { .. })));
        for node in [case.provider.node, case.requester] {
            assert_eq!(lapses(&case.world, node, case.docket), 1, "at {node}");
        }
        assert_eq!(case.shown(SEEN), 1);
        case.rebuilt();
    }
}
