//! The course of a dispute by its full events, who hears it, and random sequences.

use identity::{Chain, Digest};
use statute::{Article, Refusal, RefusalReason, Role};

use super::*;
use crate::application::{Application, ApplicationState, DisputeStage, Phase, Standing};
use crate::cast::{self, GUANGZHOU, HEPING, HUB, NOW, TIANHE, hub_authority, provider, requester};

fn party(department: &cast::Department) -> Party {
    Party {
        department: department.code,
        node: department.place.clone(),
    }
}

fn id() -> DocketId {
    DocketId(Digest::object(b"dispute"))
}

fn about() -> DocketId {
    DocketId(Digest::object(b"application"))
}

fn disputed(dispute: DisputeStage) -> ApplicationState {
    let application: Application = cast::application();
    ApplicationState {
        risk: None,
        docket: about(),
        requester: party(&requester()),
        provider: party(&provider()),
        entry: cast::published(cast::conditional()),
        application,
        received_at: NOW,
        profile: statute::Profile::national(),
        phase: Phase::Refused {
            reasons: "超出范围".into(),
        },
        dispute,
        told_missing_once: false,
        uses: 0,
        readings: Default::default(),
        attempts: 0,
        standing: Standing::default(),
        negotiation_steps: 0,
    }
}

fn failed() -> ApplicationState {
    disputed(DisputeStage::Failed {
        dispute: id(),
        by: requester().code,
        claim: "不服".into(),
    })
}

fn bench() -> Bench {
    Bench {
        node: cast::path(HUB),
        authority: hub_authority().code,
        local: None,
    }
}

fn copy() -> DocketCopy {
    DocketCopy {
        home: Chain::new(vec![]),
        events: vec![],
    }
}

fn refer(disputed: ApplicationState) -> Command {
    let hearing = Hearing {
        place: cast::path(HUB),
        hearer: Hearer::Authority,
    };
    Command::Refer {
        about: about(),
        copy: Box::new(copy()),
        disputed: Box::new(disputed),
        hearing,
    }
}

#[derive(Default)]
struct Case(Option<DisputeState>);

impl Case {
    fn referred() -> Self {
        let mut case = Self::default();
        case.run(&refer(failed())).unwrap();
        case
    }

    fn run(&mut self, command: &Command) -> Result<Vec<DisputeEvent>, Refusal> {
        let events = decide(self.0.as_ref(), command, &bench())?;
        for event in &events {
            self.0 = Some(evolve(self.0.take(), id(), event, NOW).unwrap());
        }
        Ok(events)
    }

    fn by(
        &mut self,
        who: &cast::Department,
        role: Role,
        body: ActBody,
    ) -> Result<Vec<DisputeEvent>, Refusal> {
        self.run(&Command::Act(who.act(role, body)))
    }

    fn phase(&self) -> &DisputePhase {
        &self.0.as_ref().unwrap().phase
    }

    fn outcome(&self) -> Option<String> {
        self.0.as_ref().unwrap().outcome()
    }
}

fn opinion() -> ActBody {
    let opinion = Opinion {
        proposal: "按目录共享".into(),
        grounds: "属有条件共享".into(),
    };
    ActBody::Coordinate {
        docket: id(),
        opinion,
    }
}

fn answer(accepted: bool) -> ActBody {
    ActBody::AnswerOpinion {
        docket: id(),
        accepted,
        grounds: "理由".into(),
    }
}

fn decision() -> ActBody {
    let decision = Decision {
        holding: "五日内共享".into(),
        grounds: "第二十八条".into(),
        comply_by: NOW.plus_days(5),
    };
    ActBody::Decide {
        docket: id(),
        decision,
    }
}

fn names(events: Result<Vec<DisputeEvent>, Refusal>) -> Vec<&'static str> {
    events.unwrap().iter().map(DisputeEvent::name).collect()
}

fn reason(events: Result<Vec<DisputeEvent>, Refusal>) -> RefusalReason {
    let refusal = events.unwrap_err();
    assert_eq!(refusal.article, Article::R28);
    refusal.reason
}

#[test]
fn a_failed_negotiation_is_referred_once() {
    let mut case = Case::default();
    let expected = DisputeEvent::Referred {
        complainant: party(&requester()),
        respondent: party(&provider()),
        about: about(),
        copy: copy(),
        hearer: Hearer::Authority,
    };
    assert_eq!(case.run(&refer(failed())), Ok(vec![expected]));
    assert_eq!(
        case.run(&refer(failed())),
        Ok(vec![]),
        "the other party refers it too"
    );
    assert_eq!(
        (case.phase(), case.outcome()),
        (&DisputePhase::Referred, None)
    );
    let by_provider = disputed(DisputeStage::Failed {
        dispute: id(),
        by: provider().code,
        claim: "x".into(),
    });
    assert_eq!(
        super::case(&by_provider),
        Some((id(), party(&provider()), party(&requester())))
    );
}

#[test]
fn negotiation_comes_first() {
    let negotiating = DisputeStage::Negotiating {
        dispute: id(),
        by: requester().code,
        claim: "x".into(),
    };
    for stage in [
        DisputeStage::None,
        negotiating,
        DisputeStage::Settled,
        DisputeStage::Concluded { dispute: id() },
    ] {
        assert_eq!(
            reason(Case::default().run(&refer(disputed(stage)))),
            RefusalReason::NotNegotiated
        );
    }
    let other = Command::Refer {
        about: DocketId(Digest::object(b"x")),
        copy: Box::new(copy()),
        disputed: Box::new(failed()),
        hearing: Hearing {
            place: cast::path(HUB),
            hearer: Hearer::Authority,
        },
    };
    assert_eq!(
        reason(Case::default().run(&other)),
        RefusalReason::NotNegotiated,
        "the copy is of another docket"
    );
}

#[test]
fn only_the_common_superior_hears_and_never_its_own_case() {
    let decide_at = |node: &str, authority, common: &str| {
        let command = Command::Refer {
            about: about(),
            copy: Box::new(copy()),
            disputed: Box::new(failed()),
            hearing: Hearing {
                place: cast::path(common),
                hearer: Hearer::Authority,
            },
        };
        decide(
            None,
            &command,
            &Bench {
                node: cast::path(node),
                authority,
                local: None,
            },
        )
    };
    let hub = hub_authority().code;
    assert!(decide_at(HUB, hub, HUB).is_ok());
    let not_common = |result| matches!(reason(result), RefusalReason::NotCommonSuperior { .. });
    assert!(not_common(decide_at(GUANGZHOU, hub, HUB)));
    assert!(
        not_common(decide_at(GUANGZHOU, hub, GUANGZHOU)),
        "it is not above 和平区, whatever it is told"
    );
    let own = decide_at(HUB, requester().code, HUB);
    assert!(matches!(
        reason(own),
        RefusalReason::AuthorityIsParty { .. }
    ));
}

#[test]
fn the_hearing_place_climbs_past_an_authority_that_is_a_party() {
    let at = |node: &str, department: &cast::Department| Party {
        department: department.code,
        node: cast::path(node),
    };
    let (complainant, respondent) = (at(TIANHE, &requester()), at(GUANGZHOU, &provider()));
    let nobody = |_: &Path| false;
    let heard = |place: &str, hearer| Hearing {
        place: cast::path(place),
        hearer,
    };
    assert_eq!(
        hearing_place(&complainant, &respondent, nobody),
        heard(GUANGZHOU, Hearer::Authority)
    );
    let of_guangzhou = |place: &Path| *place == cast::path(GUANGZHOU);
    assert_eq!(
        hearing_place(&complainant, &respondent, of_guangzhou),
        heard("100000/440000", Hearer::Authority)
    );
    assert_eq!(
        hearing_place(&complainant, &respondent, |_: &Path| true),
        heard(HUB, Hearer::StateCouncil)
    );
    assert_eq!(
        hearing_place(&complainant, &at(HEPING, &provider()), nobody),
        heard(HUB, Hearer::Authority)
    );
    let bench = Bench {
        node: cast::path(GUANGZHOU),
        authority: provider().code,
        local: None,
    };
    assert!(bench.is_party(&complainant, &respondent));
}

#[test]
fn where_the_national_authority_is_a_party_the_state_council_decides_and_nobody_coordinates() {
    let command = Command::Refer {
        about: about(),
        copy: Box::new(copy()),
        disputed: Box::new(failed()),
        hearing: Hearing {
            place: cast::path(HUB),
            hearer: Hearer::StateCouncil,
        },
    };
    let mut case = Case::default();
    assert_eq!(names(case.run(&command)), ["referred"]);
    assert_eq!(
        case.phase(),
        &DisputePhase::AwaitingDecision { opinion: None }
    );
    let own = case.by(&hub_authority(), Role::AuthorityHead, opinion());
    assert!(matches!(reason(own), RefusalReason::WrongState { .. }));
    assert_eq!(
        names(case.by(&hub_authority(), Role::Government, decision())),
        ["decided"]
    );
}

#[test]
fn both_parties_accept_and_the_case_is_settled() {
    let mut case = Case::referred();
    assert_eq!(
        names(case.by(&hub_authority(), Role::AuthorityReviewer, opinion())),
        ["opinion-given"]
    );
    assert_eq!(
        names(case.by(&provider(), Role::Operator, answer(true))),
        ["answered"]
    );
    let twice = case.by(&provider(), Role::DepartmentHead, answer(false));
    assert_eq!(
        reason(twice),
        RefusalReason::Duplicate {
            what: provider().code.to_string()
        }
    );
    assert_eq!(case.outcome(), None);
    assert_eq!(
        names(case.by(&requester(), Role::DepartmentHead, answer(true))),
        ["answered", "settled"]
    );
    assert!(matches!(case.phase(), DisputePhase::Settled { .. }));
    assert_eq!(
        case.outcome().as_deref(),
        Some("双方接受协调意见：按目录共享")
    );
    let after = case.by(&hub_authority(), Role::Government, decision());
    assert!(matches!(reason(after), RefusalReason::WrongState { .. }));
}

#[test]
fn one_rejection_brings_the_case_before_the_government_whose_decision_is_final() {
    let mut case = Case::referred();
    let early = case.by(&hub_authority(), Role::Government, decision());
    let stage = statute::DisputeStage::NegotiationFailed;
    assert_eq!(reason(early), RefusalReason::CoordinationNotTried { stage });
    case.by(&hub_authority(), Role::AuthorityHead, opinion())
        .unwrap();
    let during = case.by(&hub_authority(), Role::Government, decision());
    let stage = statute::DisputeStage::Coordinating;
    assert_eq!(
        reason(during),
        RefusalReason::CoordinationNotTried { stage }
    );
    assert_eq!(
        names(case.by(&requester(), Role::Operator, answer(true))),
        ["answered"]
    );
    assert_eq!(
        names(case.by(&provider(), Role::Operator, answer(false))),
        ["answered"]
    );
    assert!(matches!(
        case.phase(),
        DisputePhase::AwaitingDecision { .. }
    ));
    assert_eq!(
        names(case.by(&hub_authority(), Role::Government, decision())),
        ["decided"]
    );
    assert_eq!(
        case.outcome().as_deref(),
        Some("本级人民政府决定：五日内共享")
    );
    for (who, role, body) in [
        (hub_authority(), Role::Government, decision()),
        (hub_authority(), Role::AuthorityHead, opinion()),
        (requester(), Role::Operator, answer(false)),
    ] {
        assert!(matches!(
            reason(case.by(&who, role, body)),
            RefusalReason::WrongState { .. }
        ));
    }
}

#[test]
fn the_bench_speaks_for_itself_and_the_parties_for_themselves() {
    let mut case = Case::referred();
    let foreign = case.by(&requester(), Role::AuthorityReviewer, opinion());
    assert!(matches!(
        reason(foreign),
        RefusalReason::NotCommonSuperior { .. }
    ));
    let unanswerable = case.by(&requester(), Role::Operator, answer(true));
    assert!(matches!(
        reason(unanswerable),
        RefusalReason::WrongState { .. }
    ));
    case.by(&hub_authority(), Role::AuthorityReviewer, opinion())
        .unwrap();
    let outsider = case.by(&hub_authority(), Role::Operator, answer(true));
    assert_eq!(reason(outsider), RefusalReason::NotYourDepartment);
    let government = case.by(&requester(), Role::Government, decision());
    assert!(matches!(
        reason(government),
        RefusalReason::NotCommonSuperior { .. }
    ));
}

#[test]
fn opinions_rejections_and_decisions_give_grounds() {
    let mut case = Case::referred();
    let bare = Opinion {
        proposal: "按目录共享".into(),
        grounds: " ".into(),
    };
    let bare = ActBody::Coordinate {
        docket: id(),
        opinion: bare,
    };
    assert_eq!(
        reason(case.by(&hub_authority(), Role::AuthorityHead, bare)),
        RefusalReason::ReasonsRequired
    );
    case.by(&hub_authority(), Role::AuthorityHead, opinion())
        .unwrap();
    let bare = ActBody::AnswerOpinion {
        docket: id(),
        accepted: false,
        grounds: String::new(),
    };
    assert_eq!(
        reason(case.by(&requester(), Role::Operator, bare)),
        RefusalReason::ReasonsRequired
    );
    let other = ActBody::AnswerOpinion {
        docket: about(),
        accepted: true,
        grounds: String::new(),
    };
    let unknown = RefusalReason::UnknownDocket {
        docket: id().to_string(),
    };
    assert_eq!(
        reason(case.by(&requester(), Role::Operator, other)),
        unknown
    );
}

#[test]
fn an_event_that_alters_its_act_is_noticed() {
    let mut case = Case::referred();
    let mut events = case
        .by(&hub_authority(), Role::AuthorityHead, opinion())
        .unwrap();
    assert!(events.iter().all(|it| it.rests_on_its_act(None)));
    if let DisputeEvent::OpinionGiven { opinion, .. } = &mut events[0] {
        opinion.proposal.push('改');
    }
    assert!(!events[0].rests_on_its_act(None));
    let mut events = case
        .by(&requester(), Role::Operator, answer(false))
        .unwrap();
    assert!(events.iter().all(|it| it.rests_on_its_act(None)));
    if let DisputeEvent::Answered { by, .. } = &mut events[0] {
        *by = provider().code;
    }
    assert!(!events[0].rests_on_its_act(None));
}

mod sequences {
    use super::*;
    use proptest::prelude::*;
    use std::sync::OnceLock;

    fn commands() -> &'static [Command] {
        static COMMANDS: OnceLock<Vec<Command>> = OnceLock::new();
        COMMANDS.get_or_init(|| {
            let hub = hub_authority();
            let mut commands = vec![
                refer(failed()),
                refer(disputed(DisputeStage::None)),
                Command::Act(hub.act(Role::AuthorityHead, opinion())),
                Command::Act(hub.act(Role::Government, decision())),
            ];
            for party in [requester(), provider(), hub] {
                for accepted in [true, false] {
                    commands.push(Command::Act(party.act(Role::Operator, answer(accepted))));
                }
            }
            commands
        })
    }

    const PHASES: [&str; 5] = [
        "referred",
        "opinion-given",
        "awaiting-decision",
        "settled",
        "decided",
    ];

    fn number(state: &DisputeState) -> usize {
        match state.phase {
            DisputePhase::Referred => 0,
            DisputePhase::OpinionGiven { .. } => 1,
            DisputePhase::AwaitingDecision { .. } => 2,
            DisputePhase::Settled { .. } => 3,
            DisputePhase::Decided { .. } => 4,
        }
    }

    #[test]
    fn every_phase_of_a_dispute_is_reached_and_none_is_a_dead_end() {
        let moves = |state: &DisputeState| {
            let events = commands()
                .iter()
                .filter_map(|command| decide(Some(state), command, &bench()).ok());
            let after = events.filter(|events| !events.is_empty()).map(|events| {
                let step = |state, event| evolve(Some(state), id(), event, NOW).unwrap();
                events.iter().fold(state.clone(), step)
            });
            after.collect()
        };
        crate::exploration::Model {
            starts: vec![Case::referred().0.unwrap()],
            phases: &PHASES,
            last: &["settled", "decided"],
            phase: &number,
            key: &|state| format!("{:?}", state.phase),
            moves: &moves,
        }
        .explore();
    }

    proptest! {
        #[test]
        fn whatever_is_commanded_every_event_follows(
            steps in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let mut state = None;
            for index in steps {
                let closed = state.as_ref().and_then(DisputeState::outcome);
                for event in decide(state.as_ref(), index.get(commands()), &bench()).unwrap_or_default() {
                    let next = evolve(state.clone(), id(), &event, NOW);
                    prop_assert!(next.is_ok(), "{} after {state:?}", event.name());
                    state = next.ok();
                }
                if closed.is_some() {
                    prop_assert_eq!(state.as_ref().and_then(DisputeState::outcome), closed);
                }
            }
        }
    }
}
