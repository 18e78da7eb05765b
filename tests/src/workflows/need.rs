//! A need that no published entry meets, and what becomes of it.

use federation::core::view::DocketView;
use identity::{Code, Path};
use sharing::act::ActBody;
use sharing::catalogue::Entry;
use sharing::dispute::Party;
use sharing::docket::Case;
use sharing::need::{Considered, EntryAt, Need, NeedAct, NeedPhase, NeedState, NeedStep};

use super::in_docket;
use crate::scene::{Drawn, Scene};

/// A need put on record, or a step: more often one that may come next.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    let held = scene.docket(|case| matches!(case, Case::Need(_)));
    let Some(view) = held.filter(|view| view.state.case.is_open() && !scene.chance.once_in(5))
    else {
        return reports(scene);
    };
    let Case::Need(state) = &view.state.case else {
        return None;
    };
    if scene.strays(4) {
        let step = any_step(scene, state)?;
        return in_docket(&view, act(&view, step));
    }
    let (step, at) = next_step(scene, state)?;
    let body = act(&view, step);
    Some(Drawn::Act { body, at: vec![at] })
}

fn act(view: &DocketView, step: NeedStep) -> ActBody {
    let docket = view.id;
    ActBody::Need(NeedAct::Take { docket, step })
}

fn reasons() -> String {
    "本级无此数据".into()
}

fn reports(scene: &mut Scene) -> Option<Drawn> {
    let departments = scene.departments.clone();
    let node = scene.pick(&departments)?.node;
    // What is called so is shared already, unless the need says why all of that does not do.
    let items = ["就业状态", "名称", "名称"];
    let considered: Vec<Considered> = scene
        .entries
        .iter()
        .filter_map(|entry| {
            let of = scene.departments.iter();
            let of = of.filter(|it| it.code == entry.provider);
            Some(Considered {
                publisher: of.map(|it| it.node).next()?,
                entry: entry.id.clone(),
                why_not: "只含本地居民".into(),
            })
        })
        .collect();
    let items = vec![scene.pick(&items)?.into()];
    let mut asked = scene.world.ask_above(node, &items);
    if scene.strays(6) {
        asked.pop();
    }
    let need = Need {
        asked,
        title: "低保对象就业情况".into(),
        items,
        purpose: "社会救助资格核验".into(),
        basis: "《社会救助暂行办法》第九条".into(),
        searched: if scene.strays(6) {
            String::new()
        } else {
            "本级和各上级目录，未见".into()
        },
        considered: if scene.straight {
            considered
        } else {
            Vec::new()
        },
    };
    let body = ActBody::Need(NeedAct::Report(need));
    Some(Drawn::Act {
        body,
        at: vec![node],
    })
}

/// A department, mostly within the reach of the authority at `place`.
fn matched(scene: &mut Scene, place: &Path) -> Option<Party> {
    let all: Vec<Party> = scene
        .departments
        .iter()
        .map(|it| Party {
            department: it.code,
            node: scene.world.place(it.node),
        })
        .collect();
    let within = |it: &&Party| *place == it.node || place.is_ancestor_of(&it.node);
    let near: Vec<Party> = all.iter().filter(within).cloned().collect();
    let provides = |it: &&Party| {
        let mut entries = scene.entries.iter();
        entries.any(|entry| entry.provider == it.department)
    };
    let providers: Vec<Party> = near.iter().filter(provides).cloned().collect();
    let known = scene.pick(&providers).filter(|_| scene.straight);
    known
        .or_else(|| scene.pick(&near))
        .or_else(|| scene.pick(&all))
}

/// A published entry: of this department's, where one is asked for.
fn entry_at(scene: &mut Scene, of: Option<&Party>) -> Option<EntryAt> {
    let entries: Vec<_> = scene
        .entries
        .iter()
        .filter(|it| of.is_none_or(|party| party.department == it.provider))
        .cloned()
        .collect();
    let entry = scene.pick(&entries)?;
    let provider = scene
        .departments
        .iter()
        .find(|it| it.code == entry.provider)?;
    Some(EntryAt {
        publisher: scene.world.place(provider.node),
        entry: entry.version_ref(),
    })
}

/// What may come next, and the node of whoever it is for.
fn next_step(scene: &mut Scene, state: &NeedState) -> Option<(NeedStep, Code)> {
    let needing = state.department.node.code();
    let reasons = reasons();
    if scene.chance.once_in(12) {
        return Some((NeedStep::Withdraw, needing));
    }
    match &state.phase {
        NeedPhase::Open => {
            let authority = &state.authority;
            let step = match scene.chance.below(9) {
                0..3 => NeedStep::PassOn { reasons },
                3..7 => NeedStep::Match {
                    department: matched(scene, authority)?,
                },
                7 => NeedStep::PointTo {
                    entry: entry_at(scene, None)?,
                },
                _ => NeedStep::Decline { reasons },
            };
            Some((step, authority.code()))
        }
        NeedPhase::Matched { department } => {
            let step = match scene.chance.below(4) {
                0 => NeedStep::Cannot { reasons },
                1 => fulfils(scene, department)?,
                _ => NeedStep::Promise {
                    by: scene.world.now.plus_days(10),
                },
            };
            Some((step, department.node.code()))
        }
        NeedPhase::Promised { department, .. } => {
            let step = if scene.chance.once_in(4) {
                NeedStep::Cannot { reasons }
            } else {
                fulfils(scene, department)?
            };
            Some((step, department.node.code()))
        }
        NeedPhase::Offered { .. } => {
            let step = if scene.either() {
                NeedStep::ConfirmMet
            } else {
                NeedStep::NotMet { reasons }
            };
            Some((step, needing))
        }
        NeedPhase::Met { .. } | NeedPhase::Declined { .. } | NeedPhase::Withdrawn => {
            Some((NeedStep::ConfirmMet, needing))
        }
    }
}

/// An entry of the department matched; where it has none, another's.
fn fulfils(scene: &mut Scene, department: &Party) -> Option<NeedStep> {
    let own = entry_at(scene, Some(department));
    let entry = own.or_else(|| entry_at(scene, None))?;
    let named = |it: &&Entry| it.version_ref() == entry.entry;
    let held = Box::new(scene.entries.iter().find(named)?.clone());
    Some(NeedStep::Fulfil { entry, held })
}

fn any_step(scene: &mut Scene, state: &NeedState) -> Option<NeedStep> {
    let reasons = reasons();
    let steps = [
        NeedStep::PassOn {
            reasons: String::new(),
        },
        NeedStep::Match {
            department: state.department.clone(),
        },
        NeedStep::PointTo {
            entry: entry_at(scene, None)?,
        },
        NeedStep::Promise {
            by: scene.world.now.plus_days(-1),
        },
        NeedStep::Cannot { reasons },
        NeedStep::ConfirmMet,
    ];
    scene.pick(&steps)
}
