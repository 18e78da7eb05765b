//! The acts of each workflow, drawn by chance: right and wrong ones, in any state. A new workflow adds one function and one line.

mod application;
mod erasure;
mod evaluation;
mod incident;
mod need;
mod platform;
mod public;
mod reading;

use std::collections::BTreeMap;

use crate::stage::code;
use federation::core::query;
use federation::core::view::DocketView;
use identity::{Code, CreditCode};
use sharing::act::ActBody;
use sharing::catalogue::{DataItem, Entry, EntryState, ReviewVerdict};
use sharing::clock::ClockAct;
use sharing::correction::{CorrectionAct, CorrectionOutcome, CorrectionRequest};
use sharing::dispute::{
    Decision, DisputePhase, NegotiationOutcome, NegotiationStep, Opinion, Party,
};
use sharing::docket::Case;
use sharing::return_flow::{ReturnTable, Subscription};
use sharing::supervision::{About, Accused, Order, SupervisionAct};
use sharing::update::UpdateAct;
use statute::{Article, ChangeCause, Duty, EscalationGround, Grade, WorkingDays};

use crate::scene::{Drawn, Scene};

/// Draws an act; none when there is nothing yet to act on.
pub type Draw = fn(&mut Scene) -> Option<Drawn>;

/// Every workflow by its name.
pub const WORKFLOWS: &[(&str, Draw)] = &[
    ("application", application::draws),
    ("grant", application::draws_grant),
    ("negotiation", draws_negotiation),
    ("dispute", draws_dispute),
    ("return-flow", draws_return_flow),
    ("update", draws_update),
    ("correction", draws_correction),
    ("supervision", draws_supervision),
    ("clock", draws_clock),
    ("need", need::draws),
    ("incident", incident::draws),
    ("reading", reading::draws),
    ("open-data", public::draws_open_data),
    ("complaint", public::draws_complaint),
    ("evaluation", evaluation::draws),
    ("erasure", erasure::draws),
    ("direct", platform::draws_direct),
    ("aggregation", platform::draws_aggregation),
];

/// Acts of a workflow tried in a move, until one is taken.
const TRIES: usize = 6;

/// Acts accepted and refused where they were signed, by workflow.
pub type Outcomes = BTreeMap<&'static str, [usize; 2]>;

/// Acts of one workflow until one is taken. A workflow that has nothing to act on yet gives way to the next.
///
/// # Panics
/// When a refusal does not say why.
pub fn move_on(seed: u64, scene: &mut Scene, outcomes: &mut Outcomes) {
    let first = scene.next_workflow(WORKFLOWS.len());
    let next = WORKFLOWS.iter().cycle().skip(first).take(WORKFLOWS.len());
    let drawn = next
        .filter_map(|(name, draw)| draw(scene).map(|it| (*name, draw, it)))
        .next();
    let (name, draw, first) = drawn.expect("an application can always be drafted");
    let mut next = Some(first);
    for _ in 0..TRIES {
        let Some(drawn) = next.take() else {
            break;
        };
        let taken = scene.perform(seed, drawn);
        outcomes.entry(name).or_default()[usize::from(!taken)] += 1;
        if taken {
            break;
        }
        next = draw(scene);
    }
}

fn is_application(case: &Case) -> bool {
    matches!(case, Case::Application(_))
}

/// Whoever holds a docket may have something to do in it.
fn at(view: &DocketView) -> Vec<Code> {
    let home = view.home.code();
    view.parties
        .iter()
        .map(identity::Path::code)
        .chain([home])
        .collect()
}

fn in_docket(view: &DocketView, body: ActBody) -> Option<Drawn> {
    Some(Drawn::Act { body, at: at(view) })
}

/// Falling out over an application.
fn draws_negotiation(scene: &mut Scene) -> Option<Drawn> {
    let view = scene.docket(is_application)?;
    let docket = view.id;
    let outcomes = [
        NegotiationOutcome::Continues,
        NegotiationOutcome::Settled,
        NegotiationOutcome::Failed,
        NegotiationOutcome::Failed,
    ];
    let body = if scene.either() {
        ActBody::RaiseDispute {
            docket,
            claim: "拒绝理由不成立".into(),
        }
    } else {
        ActBody::Negotiate {
            docket,
            step: NegotiationStep {
                statement: "双方意见".into(),
                outcome: scene.pick(&outcomes)?,
            },
        }
    };
    in_docket(&view, body)
}

/// A dispute before the common superior.
fn draws_dispute(scene: &mut Scene) -> Option<Drawn> {
    let view = scene.docket(|case| matches!(case, Case::Dispute(_)))?;
    let Case::Dispute(state) = &view.state.case else {
        return None;
    };
    let docket = view.id;
    let parties = [&state.complainant, &state.respondent].map(|it| it.node.code());
    let (parties, home) = (parties.to_vec(), vec![view.home.code()]);
    let step = if scene.strays(4) {
        scene.chance.below(4)
    } else {
        match &state.phase {
            DisputePhase::Referred => 0,
            DisputePhase::OpinionGiven { .. } => 1,
            DisputePhase::AwaitingDecision { .. } | DisputePhase::Settled { .. } => 2,
            DisputePhase::Decided { .. } => 3,
        }
    };
    let (body, at) = match step {
        0 => {
            let opinion = Opinion {
                proposal: "应予共享".into(),
                grounds: "第十五条".into(),
            };
            (ActBody::Coordinate { docket, opinion }, home)
        }
        1 => {
            let answer = ActBody::AnswerOpinion {
                docket,
                accepted: !scene.chance.once_in(3),
                grounds: "意见".into(),
            };
            let waited_for = |code: &CreditCode| match &state.phase {
                DisputePhase::OpinionGiven { accepted, .. } => !accepted.contains(code),
                DisputePhase::Referred
                | DisputePhase::AwaitingDecision { .. }
                | DisputePhase::Settled { .. }
                | DisputePhase::Decided { .. } => true,
            };
            let sides = [&state.complainant, &state.respondent].into_iter();
            let silent = sides.filter(|it| waited_for(&it.department));
            (answer, silent.map(|it| it.node.code()).collect())
        }
        2 => {
            let decision = Decision {
                holding: "应予共享".into(),
                grounds: "第二十八条".into(),
                comply_by: scene.world.now.plus_days(10),
            };
            (ActBody::Decide { docket, decision }, home)
        }
        _ => {
            let statement = "已共享".into();
            (ActBody::Comply { docket, statement }, parties)
        }
    };
    Some(Drawn::Act { body, at })
}

/// A subscription, and tables for those who subscribed.
fn draws_return_flow(scene: &mut Scene) -> Option<Drawn> {
    let (source, dataset) = (code("mca"), "divisions".parse().ok()?);
    if scene.either() {
        let nodes: Vec<Code> = scene.departments.iter().map(|it| it.node).collect();
        let areas = ["440106", "440100", "210102"];
        let area = scene.pick(&areas)?;
        let body = ActBody::Subscribe(Subscription {
            source,
            origin: source,
            dataset,
            area: area.parse().ok()?,
            schedule: "daily@18:00".parse().ok()?,
        });
        let at = if scene.strays(4) {
            nodes
        } else {
            vec![code(area)]
        };
        return Some(Drawn::Act { body, at });
    }
    let rows = b"code,name\n440106,a\n440104,b\n210102,c\n";
    let table = scene.world.upload(source, "t.csv", rows);
    let table = ReturnTable {
        dataset,
        table,
        division_column: "code".into(),
        key_column: None,
        assigned: Vec::new(),
        query: "q".into(),
        source_rows: if scene.chance.once_in(4) { 4 } else { 3 },
    };
    Some(Drawn::Act {
        body: ActBody::ReturnTable { table },
        at: vec![source],
    })
}

/// A change of law, and the next version of an entry on its way.
fn draws_update(scene: &mut Scene) -> Option<Drawn> {
    let entries = scene.entries.clone();
    let entry = scene.pick(&entries)?;
    let provider = scene
        .departments
        .iter()
        .find(|it| it.code == entry.provider)?;
    let at = vec![provider.node];
    let held = query::own_entry(scene.world.read(provider.node), &entry.id).expect("memory")?;
    let entries = vec![held.entry.version_ref()];
    let step = if scene.strays(5) {
        scene.chance.below(5)
    } else {
        match held.state {
            EntryState::Published | EntryState::Withdrawn => scene.chance.below(2),
            EntryState::Draft => 2,
            EntryState::Approved => 3,
            EntryState::Submitted => 4,
        }
    };
    let body = match step {
        0 => ActBody::Update(UpdateAct::Report {
            entry: entry.id.clone(),
            provider: entry.provider,
            changed_on: scene.world.now.plus_millis(-3_600_000),
            cause: ChangeCause::LawChanged,
            text: "《社会救助法》施行，增加数据项".into(),
        }),
        1 => ActBody::CompileEntries {
            entries: vec![next_version(&held.entry)],
        },
        2 => ActBody::ApproveEntries { entries },
        3 => ActBody::SubmitEntries { entries },
        _ => {
            let reason = "说明不清".into();
            let publish = scene.either();
            ActBody::ReviewEntries {
                entries,
                verdict: if publish {
                    ReviewVerdict::Publish
                } else {
                    ReviewVerdict::Return { reason }
                },
            }
        }
    };
    Some(Drawn::Act { body, at })
}

/// One item more.
fn next_version(entry: &Entry) -> Entry {
    let mut next = entry.clone();
    next.version += 1;
    next.items.push(DataItem {
        name: format!("救助类别{}", next.version),
        kind: "C20".into(),
        grade: Grade::General,
    });
    next
}

/// What is found wrong in data that was provided.
fn draws_correction(scene: &mut Scene) -> Option<Drawn> {
    let asked = scene.docket(|case| matches!(case, Case::Correction(_)));
    if let Some(view) = asked.filter(|_| scene.either()) {
        let outcome = if scene.either() {
            CorrectionOutcome::Corrected {
                what: scene.private("第一户名称改为甲商行"),
                object: None,
            }
        } else {
            CorrectionOutcome::Upheld {
                reasons: scene.private("与登记一致"),
            }
        };
        let docket = view.id;
        let act = CorrectionAct::Answer { docket, outcome };
        return in_docket(&view, ActBody::Correction(act));
    }
    let view = scene.docket(is_application)?;
    let items = ["名称", "登记日期", "没有的数据项"];
    let request = CorrectionRequest {
        about: view.id,
        items: vec![scene.pick(&items)?.into()],
        wrong: scene.private("第一户名称有误"),
        evidence: scene.private("营业执照"),
    };
    in_docket(&view, ActBody::Correction(CorrectionAct::Ask(request)))
}

/// Orders to correct, and what becomes of them.
fn draws_supervision(scene: &mut Scene) -> Option<Drawn> {
    let ordered = scene.docket(|case| matches!(case, Case::Supervision(_)));
    let Some(view) = ordered.filter(|_| !scene.chance.once_in(3)) else {
        return orders(scene);
    };
    let docket = view.id;
    let phase = view.state.case.phase();
    let step = match (phase, scene.chance.below(6)) {
        ("ordered", 0..3) => 0,
        ("ordered", 3) => 5,
        ("reported", 0..3) => 2 + scene.chance.below(2),
        (_, any) => any,
    };
    let act = match step {
        0 | 1 => SupervisionAct::Report {
            docket,
            done: "已答复".into(),
        },
        2 => SupervisionAct::Accept { docket },
        3 => SupervisionAct::Reject {
            docket,
            reasons: "仍未答复".into(),
            correct_by: scene.world.now.plus_days(3),
        },
        4 => SupervisionAct::Circulate {
            docket,
            text: "通报".into(),
            to: vec![view.home.clone()],
        },
        _ => SupervisionAct::Escalate {
            docket,
            ground: if !scene.chance.once_in(3) {
                EscalationGround::Serious
            } else {
                EscalationGround::RefusesToCorrect
            },
            reasons: "拒不改正".into(),
        },
    };
    let body = ActBody::Supervision(act);
    if step < 2 || scene.strays(4) {
        return in_docket(&view, body);
    }
    // Whoever ordered goes on.
    let at = vec![view.home.code()];
    Some(Drawn::Act { body, at })
}

/// An order against a department or an authority, over a lapse where there is one.
fn orders(scene: &mut Scene) -> Option<Drawn> {
    let departments = scene.departments.clone();
    let accused = scene.pick(&departments)?;
    let node = scene.world.place(accused.node);
    let lapsed = scene.docket(|_| true).and_then(|view| {
        let lapse = view.state.clock.lapses.first()?.clone();
        Some(About {
            docket: view.id,
            duty: lapse.duty,
            arises: lapse.arises,
        })
    });
    let against = if scene.chance.once_in(3) {
        Accused::Authority(node)
    } else {
        Accused::Department(Party {
            department: accused.code,
            node,
        })
    };
    let breaches = [
        Article::R39_4,
        Article::R40_3,
        Article::R41_1,
        Article::R41_3,
    ];
    let order = Order {
        against,
        breach: scene.pick(&breaches)?,
        about: lapsed.filter(|_| scene.either()),
        facts: "未按时答复政务数据共享申请".into(),
        measures: "三日内答复".into(),
        correct_by: scene.world.now.plus_days(3),
    };
    Some(Drawn::Act {
        body: ActBody::Supervision(SupervisionAct::Order(order)),
        at: vec![accused.node],
    })
}

/// More time, and why something was late, in a docket of any kind.
fn draws_clock(scene: &mut Scene) -> Option<Drawn> {
    let wanted: fn(&Case) -> bool = if scene.straight && scene.either() {
        |case| matches!(case, Case::Application(_) | Case::Update(_)) && case.is_open()
    } else if scene.chance.once_in(4) {
        |_| true
    } else {
        Case::is_open
    };
    let view = scene.docket(wanted)?;
    let docket = view.id;
    let duties = view.state.duties();
    let running: Vec<Duty> = duties.iter().map(|it| it.duty).collect();
    let mut owed_at: Vec<Code> = duties.iter().map(|it| it.who.node().code()).collect();
    let lapses = view.state.clock.lapses.iter();
    let lapsed: Vec<(Duty, Code)> = lapses
        .filter(|it| it.justification.is_none())
        .map(|it| (it.duty, it.who.node().code()))
        .collect();
    let late = scene.pick(&lapsed);
    let any = scene.pick(Duty::ALL)?;
    let grounds = || "数据量大，需要分批整理".to_owned();
    let asked = view.state.clock.asked.as_ref().map(|asked| asked.duty);
    let act = if let Some(duty) = asked.filter(|_| !scene.strays(4)) {
        ClockAct::AnswerExtension {
            docket,
            duty,
            consents: scene.either(),
            grounds: grounds(),
        }
    } else if late.is_none() && !scene.strays(2) || scene.chance.once_in(3) {
        ClockAct::AskExtension {
            docket,
            duty: scene.pick(&running).unwrap_or(any),
            days: WorkingDays::new(5).ok()?,
            grounds: grounds(),
        }
    } else {
        if let Some((_, node)) = late {
            owed_at = vec![node];
        }
        ClockAct::Justify {
            docket,
            duty: late.map_or(any, |(duty, _)| duty),
            grounds: grounds(),
        }
    };
    if owed_at.is_empty() || scene.strays(6) {
        owed_at = at(&view);
    }
    let body = ActBody::Clock(act);
    Some(Drawn::Act { body, at: owed_at })
}
