//! A security incident from its report to its close. Its measures take effect: grants are suspended, a node is cut off.

use crate::stage::code;
use federation::core::query;
use federation::core::view::DocketView;
use identity::{Code, RevocationReason};
use sharing::act::ActBody;
use sharing::docket::Case;
use sharing::incident::{
    Concerned, IncidentAct, IncidentReport, IncidentState, IncidentStep, Measure,
};
use statute::{Grade, Severity};

use super::{at, in_docket, is_application};
use crate::scene::{Drawn, Scene};

/// A node that nothing else in a run needs, and its parent, whose authority may cut it off.
const LEAF: &str = "440104";
const ABOVE_THE_LEAF: &str = "440100";

/// A report, or a step in an incident's course.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    let held = scene.docket(|case| matches!(case, Case::Incident(_)));
    let Some(view) = held.filter(|_| !scene.chance.once_in(4)) else {
        return reports(scene);
    };
    let Case::Incident(state) = &view.state.case else {
        return None;
    };
    let here = vec![state.place.code()];
    let text = || "已定位并隔离".to_owned();
    let drawn = match scene.chance.below(10) {
        // What was started is closed.
        0..2 if state.plan_started() => 9,
        other => other,
    };
    let (step, at) = match drawn {
        0..2 => {
            let plan = "数据安全事件应急预案".into();
            (IncidentStep::StartPlan { plan }, here)
        }
        2..6 => return contains(scene, &view, state),
        6 => (IncidentStep::Progress { text: text() }, here),
        7 => {
            let instructions = text();
            let told = state.told().iter().map(identity::Path::code).collect();
            (IncidentStep::Acknowledge { instructions }, told)
        }
        _ => {
            let close = IncidentStep::Close {
                cause: "弱口令".into(),
                remedy: "已修补并复测".into(),
                report: "处置报告一号".into(),
            };
            (close, here)
        }
    };
    Some(stepped(&view, step, at))
}

fn stepped(view: &DocketView, step: IncidentStep, at: Vec<Code>) -> Drawn {
    let docket = view.id;
    let body = ActBody::Incident(IncidentAct::Step { docket, step });
    Drawn::Act { body, at }
}

/// Noticed just now or long before, about data that was provided.
fn reports(scene: &mut Scene) -> Option<Drawn> {
    let departments = scene.departments.clone();
    let mut at = vec![scene.pick(&departments)?.node];
    if scene.chance.once_in(3) {
        at = vec![code(ABOVE_THE_LEAF)];
    }
    let mut dockets = Vec::new();
    if let Some(view) = scene.docket(is_application).filter(|_| scene.either()) {
        at = super::at(&view);
        dockets.push(Concerned {
            docket: view.id,
            home: view.home,
        });
    }
    let severe = scene.chance.once_in(3);
    let ago = if scene.either() { 0 } else { -2_000 };
    let report = IncidentReport {
        happened: "数据接口被非法访问".into(),
        noticed: scene.world.now.plus_days(ago),
        severity: if severe {
            Severity::Major
        } else {
            Severity::General
        },
        grade: Grade::General,
        dockets,
        entries: Vec::new(),
    };
    let body = ActBody::Incident(IncidentAct::Report(report));
    Some(Drawn::Act { body, at })
}

/// A measure. Grants are suspended where the data was provided.
fn contains(scene: &mut Scene, view: &DocketView, state: &IncidentState) -> Option<Drawn> {
    let here = vec![state.place.code()];
    let (measure, at) = match scene.chance.below(6) {
        0..3 => {
            let concerned = scene.pick(&state.report.dockets);
            let grant = match concerned {
                Some(it) => (it.docket, it.home),
                None => scene.docket(is_application).map(|it| (it.id, it.home))?,
            };
            let suspend = Measure::SuspendGrants {
                grants: vec![grant.0],
                reasons: "防止泄露扩大".into(),
                rectify_by: scene.world.now.plus_days(5),
            };
            (suspend, vec![grant.1.code()])
        }
        3 => {
            let node = scene.pick(&at(view))?;
            let rotated = Measure::KeysRotated {
                node,
                serial: serial(scene, node)?,
            };
            (rotated, here)
        }
        4.. if here == [code(ABOVE_THE_LEAF)] => {
            let node = code(LEAF);
            let cut_off = Measure::CutOff {
                node,
                serial: serial(scene, node)?,
                reason: RevocationReason::KeyCompromise,
            };
            (cut_off, here)
        }
        _ => {
            let what = "停用被攻破的接口".into();
            (Measure::Other { what }, here)
        }
    };
    let step = IncidentStep::Contain(measure);
    if scene.strays(6) {
        let docket = view.id;
        return in_docket(view, ActBody::Incident(IncidentAct::Step { docket, step }));
    }
    Some(stepped(view, step, at))
}

/// The number of the certificate that a node holds.
fn serial(scene: &Scene, node: Code) -> Option<u64> {
    let chain = query::own_chain(scene.world.read(node)).expect("memory")?;
    Some(chain.claimed().ok()?.serial)
}
