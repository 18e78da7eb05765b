//! An application from its draft to the use of the data, and what becomes of its grant.

use crate::stage::{application, grant, refuse, use_texts};
use federation::core::view::DocketView;
use identity::{Code, Digest};
use sharing::act::ActBody;
use sharing::application::{
    Access, ApplicationState, GrantAct, GrantStep, Material, MissingItem, Phase, ServiceChange,
    Wider, reply_document,
};
use sharing::docket::Case;
use statute::ApplicationMaterial;
use statute::service_change::{ServiceChangeStep, check_service_change};

use super::is_application;
use crate::scene::{Drawn, Scene};

/// Drafts, and what becomes of them up to the use of the data.
pub fn draws(scene: &mut Scene) -> Option<Drawn> {
    match scene.chance.below(5) {
        0 => return drafts(scene),
        1 if !scene.drafts.is_empty() => {
            let drafts = scene.drafts.clone();
            let docket = scene.pick(&drafts)?;
            let document = docket.0;
            let nodes: Vec<Code> = scene.departments.iter().map(|it| it.node).collect();
            let body = ActBody::ConsentToApply { docket, document };
            return Some(Drawn::Act { body, at: nodes });
        }
        _ => {}
    }
    let Some(view) = scene.docket(is_application) else {
        return drafts(scene);
    };
    let Case::Application(state) = &view.state.case else {
        return None;
    };
    let lacks = |it: &Material| it.text.is_empty();
    let lacking = !state.told_missing_once && state.application.materials.iter().any(lacks);
    let step = if scene.strays(4) {
        scene.chance.below(6)
    } else {
        match &state.phase {
            Phase::Received { .. } if lacking => 0,
            Phase::Received { .. } => u64::from(!scene.chance.once_in(3)) * 2,
            Phase::Incomplete { .. } => 1,
            Phase::ReplyProposed { .. } => 3,
            Phase::Granted { .. } | Phase::Refused { .. } => 4,
            Phase::Providing { .. } | Phase::Provided { .. } => 5,
        }
    };
    let at = match step {
        1 | 5 => &state.requester.node,
        _ => &state.provider.node,
    };
    let at = vec![at.code()];
    let body = replies(scene, &view, state, step);
    Some(Drawn::Act { body, at })
}

/// What is done in an application once it is received, in the order in which it mostly comes.
fn replies(scene: &mut Scene, view: &DocketView, state: &ApplicationState, step: u64) -> ActBody {
    let docket = view.id;
    let kind = ApplicationMaterial::Basis;
    match step {
        0 => ActBody::TellMissing {
            docket,
            missing: vec![MissingItem {
                kind,
                what: "补充法律条款".into(),
            }],
        },
        1 => ActBody::Supplement {
            docket,
            materials: vec![Material {
                kind,
                text: "《社会救助暂行办法》第九条".into(),
            }],
            until: None,
        },
        2 => {
            let granting = grant(&scene.world, &state.entry.entry);
            let reply = if scene.chance.once_in(3) {
                refuse()
            } else {
                granting
            };
            ActBody::ProposeReply { docket, reply }
        }
        3 => ActBody::ConsentToReply {
            docket,
            document: match &state.phase {
                Phase::ReplyProposed { reply, .. } => reply_document(reply),
                _ => Digest::object(b"nothing"),
            },
        },
        4 => {
            let home = view.home.code();
            let object = scene.world.upload(home, "低保对象.csv", b"code\n1\n");
            ActBody::Provide { docket, object }
        }
        _ => {
            let mut texts = use_texts();
            if scene.chance.once_in(4) {
                texts.destruction.clear();
            }
            let content = scene.content(&texts.text());
            let record = texts.record(&content);
            ActBody::RecordUse { docket, record }
        }
    }
}

fn drafts(scene: &mut Scene) -> Option<Drawn> {
    let entries = scene.entries.clone();
    let departments = scene.departments.clone();
    let (entry, requester) = (scene.pick(&entries)?, scene.pick(&departments)?);
    let provider = departments.iter().find(|it| it.code == entry.provider)?;
    let mut application = application(&scene.world, &requester, provider, &entry);
    if scene.chance.once_in(4) {
        application.materials[0].text.clear();
    }
    Some(Drawn::Act {
        body: ActBody::Apply { application },
        at: vec![requester.node],
    })
}

/// What becomes of a grant: mostly what may come next.
pub fn draws_grant(scene: &mut Scene) -> Option<Drawn> {
    let granted =
        |case: &Case| matches!(case, Case::Application(state) if state.phase.terms().is_some());
    let view = scene.docket(granted)?;
    let Case::Application(state) = &view.state.case else {
        return None;
    };
    let mut steps = grant_steps(scene);
    if !scene.strays(4) {
        steps.retain(|step| may_come_next(step, state));
    }
    // What is under way comes to its end before something else begins.
    let to_its_end = scene.straight || scene.either();
    if to_its_end && steps.iter().any(|step| !begins(step)) {
        steps.retain(|step| !begins(step));
    }
    let (docket, step) = (view.id, scene.pick(&steps)?);
    let of_the_requester = matches!(
        step,
        GrantStep::AskWidening { .. }
            | GrantStep::ReportRectified { .. }
            | GrantStep::Dispose { .. }
            | GrantStep::AnswerChange { .. }
    );
    let whose = if of_the_requester {
        &state.requester
    } else {
        &state.provider
    };
    let at = vec![whose.node.code()];
    let body = ActBody::Grant(GrantAct { docket, step });
    Some(Drawn::Act { body, at })
}

fn grant_steps(scene: &mut Scene) -> Vec<GrantStep> {
    let (now, agrees) = (scene.world.now, scene.either());
    let reasons = || "依据核查情况".to_owned();
    vec![
        GrantStep::AskWidening {
            wider: Wider {
                purposes: vec![format!("医疗救助资格核验{}", now.as_millis())],
                ..Wider::default()
            },
            grounds: reasons(),
        },
        GrantStep::AnswerWidening {
            consents: agrees,
            reasons: reasons(),
        },
        GrantStep::Suspend {
            reasons: reasons(),
            rectify_by: now.plus_days(5),
        },
        GrantStep::ReportRectified {
            statement: reasons(),
        },
        GrantStep::Restore {
            reasons: if agrees { reasons() } else { String::new() },
        },
        GrantStep::Terminate { reasons: reasons() },
        GrantStep::RequireDisposal {
            how: "粉碎".into(),
            by: now.plus_days(7),
        },
        GrantStep::Dispose {
            how: "粉碎".into(),
            certificate: "销毁记录一号".into(),
        },
        GrantStep::ProposeChange {
            what: if agrees {
                ServiceChange::Change
            } else {
                ServiceChange::End
            },
            reasons: reasons(),
        },
        GrantStep::AnswerChange {
            agrees,
            statement: reasons(),
        },
        GrantStep::FileChange,
        GrantStep::CarryOutChange,
    ]
}

/// Whether it begins something, and answers or ends nothing.
fn begins(step: &GrantStep) -> bool {
    match step {
        GrantStep::AskWidening { .. }
        | GrantStep::Suspend { .. }
        | GrantStep::RequireDisposal { .. }
        | GrantStep::ProposeChange { .. } => true,
        GrantStep::AnswerWidening { .. }
        | GrantStep::ReportRectified { .. }
        | GrantStep::Restore { .. }
        | GrantStep::Terminate { .. }
        | GrantStep::Dispose { .. }
        | GrantStep::AnswerChange { .. }
        | GrantStep::FileChange
        | GrantStep::CarryOutChange => false,
    }
}

/// Whether it is a step for where the grant stands.
fn may_come_next(step: &GrantStep, state: &ApplicationState) -> bool {
    let standing = &state.standing;
    let suspended = matches!(
        standing.access,
        Access::Suspended { .. } | Access::Rectified { .. }
    );
    let lacks = |step| {
        let change = standing.change.as_ref();
        change.is_some_and(|change| !change.done.contains(&step))
    };
    match step {
        GrantStep::AskWidening { .. } => standing.asked.is_none(),
        GrantStep::AnswerWidening { .. } => standing.asked.is_some(),
        GrantStep::Suspend { .. } => standing.access == Access::InForce,
        GrantStep::ReportRectified { .. }
        | GrantStep::Restore { .. }
        | GrantStep::Terminate { .. } => suspended,
        GrantStep::RequireDisposal { .. } => standing.disposal.is_none(),
        GrantStep::Dispose { .. } => standing.disposal.is_some(),
        GrantStep::ProposeChange { .. } => standing.change.is_none(),
        GrantStep::AnswerChange { .. } => lacks(ServiceChangeStep::Negotiated),
        GrantStep::FileChange => lacks(ServiceChangeStep::Filed),
        GrantStep::CarryOutChange => standing
            .change
            .as_ref()
            .is_some_and(|change| check_service_change(&change.done).is_ok()),
    }
}
