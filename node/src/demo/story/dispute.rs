//! Step 5: 天河区 and 和平区 fall out over the refusal; negotiation fails; the dispute goes by itself to the hub, which coordinates and, failing
//! that, records the government's decision (R28).

use std::time::Instant;

use identity::Code;
use sharing::application::DisputeStage;
use sharing::dispute::{DisputePhase, DisputeState};
use sharing::docket::DocketId;
use statute::{Article, Role};

use super::super::Failure;
use super::super::client::CallError;
use super::super::stage::{Doing, EFFECT, Happened, Stage};
use super::applications::{Applications, at};
use super::cases::REQUESTER;
use super::{code, facts, step};

/// Against whom.
const RESPONDENT: &str = "210102";
/// From the claim to the decision.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage, applications: &Applications) -> Result<(), Failure> {
    let begun = Instant::now();
    let dispute = negotiate(stage, applications.refused)?;
    coordinate(stage, dispute)?;
    let holding = decide(stage, applications.refused, dispute)?;
    stage.record(Happened {
        step: step::DISPUTE,
        what: stage
            .pick("天河区与和平区的争议", "the dispute of 天河区 and 和平区")
            .to_owned(),
        outcome: holding,
        article: Article::R28,
        took: begun.elapsed(),
    });
    Ok(())
}

/// Negotiation comes first; its failure brings the case before the common superior without anyone's doing.
fn negotiate(stage: &Stage, about: DocketId) -> Result<DocketId, Failure> {
    let (complainant, respondent, id) = (code(REQUESTER)?, code(RESPONDENT)?, about.to_string());
    let raise = [
        "dispute",
        "raise",
        "--docket",
        &id,
        "--claim",
        "户籍迁移正在办理，属于目录列明的跨地区迁移的救助对象，拒绝理由不成立",
    ];
    let doing = Doing {
        who: stage.person(complainant, Role::DepartmentHead)?,
        zh: "对不予共享提出争议",
        en: "disputes the refusal",
        article: Article::R28,
        shown: true,
    };
    stage.act(doing, &raise, |_| {
        let negotiating = |state: &sharing::application::ApplicationState| {
            matches!(state.dispute, DisputeStage::Negotiating { .. })
        };
        Ok(at(stage, respondent, about, negotiating)?.and(at(
            stage,
            complainant,
            about,
            negotiating,
        )?))
    })?;
    let answer = [
        "dispute",
        "negotiate",
        "--docket",
        &id,
        "--statement",
        "在办迁移不等于已经迁移，待迁移完成后可再申请",
        "--outcome",
        "continues",
    ];
    let doing = Doing {
        who: stage.person(respondent, Role::SharingOfficeHead)?,
        zh: "协商：坚持须待迁移完成",
        en: "negotiates: insists that the move be completed first",
        article: Article::R28,
        shown: true,
    };
    stage.act(doing, &answer, |_| {
        at(stage, complainant, about, |state| {
            state.negotiation_steps == 1
        })
    })?;
    let fail = [
        "dispute",
        "negotiate",
        "--docket",
        &id,
        "--statement",
        "救助不能等待，双方未能达成一致",
        "--outcome",
        "failed",
    ];
    let doing = Doing {
        who: stage.person(complainant, Role::SharingOfficeHead)?,
        zh: "协商不成",
        en: "negotiation has failed",
        article: Article::R28,
        shown: true,
    };
    let dispute = stage.act(doing, &fail, |_| {
        Ok(
            facts::application(stage, complainant, about)?.and_then(|state| match state.dispute {
                DisputeStage::Failed { dispute, .. } => Some(dispute),
                DisputeStage::None
                | DisputeStage::Negotiating { .. }
                | DisputeStage::Settled
                | DisputeStage::Concluded { .. } => None,
            }),
        )
    })?;
    let what = stage.pick(
        "争议自动报送共同的上级：国家枢纽",
        "the dispute comes by itself before the common superior: the hub",
    );
    let begun = Instant::now();
    stage.await_effect(what, EFFECT, || {
        phase(stage, Code::HUB, dispute, |phase| {
            matches!(phase, DisputePhase::Referred)
        })
    })?;
    stage
        .screen
        .remark(&format!("→ {what}  {}", super::seconds(begun.elapsed())));
    Ok(dispute)
}

/// The authority coordinates; one accepts, the other does not.
fn coordinate(stage: &Stage, dispute: DocketId) -> Result<(), Failure> {
    let (complainant, respondent, id) = (code(REQUESTER)?, code(RESPONDENT)?, dispute.to_string());
    let opinion = [
        "dispute",
        "coordinate",
        "--docket",
        &id,
        "--proposal",
        "和平区就已受理迁移的家庭逐户提供核对结果，天河区限于该等家庭使用",
        "--grounds",
        "《政务数据共享条例》第二十一条、第二十八条",
    ];
    let doing = Doing {
        who: stage.person(Code::HUB, Role::AuthorityHead)?,
        zh: "提出协调意见：对已受理迁移的家庭逐户提供",
        en: "gives a coordination opinion: provide for families whose move is under way",
        article: Article::R28,
        shown: true,
    };
    stage.act(doing, &opinion, |_| {
        let given = |phase: &DisputePhase| matches!(phase, DisputePhase::OpinionGiven { .. });
        Ok(phase(stage, complainant, dispute, given)?
            .and(phase(stage, respondent, dispute, given)?))
    })?;
    let doing = Doing {
        who: stage.person(complainant, Role::DepartmentHead)?,
        zh: "接受协调意见",
        en: "accepts the opinion",
        article: Article::R28,
        shown: true,
    };
    stage.act(doing, &["dispute", "answer", "--docket", &id, "--accept", "--grounds", "意见可行"], |_| {
        phase(stage, Code::HUB, dispute, |phase| matches!(phase, DisputePhase::OpinionGiven { accepted, .. } if accepted.len() == 1))
    })?;
    let doing = Doing {
        who: stage.person(respondent, Role::DepartmentHead)?,
        zh: "不接受协调意见",
        en: "rejects the opinion",
        article: Article::R28,
        shown: true,
    };
    stage.act(
        doing,
        &[
            "dispute",
            "answer",
            "--docket",
            &id,
            "--reject",
            "--grounds",
            "逐户提供缺少人力",
        ],
        |_| {
            phase(stage, Code::HUB, dispute, |phase| {
                matches!(phase, DisputePhase::AwaitingDecision { .. })
            })
        },
    )
}

/// The government decides; the decision reaches both parties and the disputed docket.
fn decide(stage: &Stage, about: DocketId, dispute: DocketId) -> Result<String, Failure> {
    let (complainant, respondent, id) = (code(REQUESTER)?, code(RESPONDENT)?, dispute.to_string());
    let comply_by = super::in_a_year();
    let decision = [
        "dispute",
        "decide",
        "--docket",
        &id,
        "--holding",
        "和平区应就已受理户籍迁移的家庭提供最低生活保障信息",
        "--grounds",
        "《政务数据共享条例》第二十八条",
        "--comply-by",
        &comply_by,
    ];
    let doing = Doing {
        who: stage.person(Code::HUB, Role::Government)?,
        zh: "作出决定：应当提供",
        en: "decides: the data is to be provided",
        article: Article::R28,
        shown: true,
    };
    stage.act(doing, &decision, |_| {
        let decided = |phase: &DisputePhase| matches!(phase, DisputePhase::Decided { .. });
        let both = phase(stage, complainant, dispute, decided)?
            .and(phase(stage, respondent, dispute, decided)?);
        let concluded = |state: &sharing::application::ApplicationState| {
            matches!(state.dispute, DisputeStage::Concluded { .. })
        };
        Ok(both.and(at(stage, respondent, about, concluded)?).and(at(
            stage,
            complainant,
            about,
            concluded,
        )?))
    })?;
    Ok(stage
        .pick(
            "协商不成，协调不成，国务院决定应当提供",
            "neither negotiated nor coordinated: the State Council decided",
        )
        .to_owned())
}

fn phase(
    stage: &Stage,
    node: Code,
    dispute: DocketId,
    there: impl Fn(&DisputePhase) -> bool,
) -> Result<Option<()>, CallError> {
    Ok(facts::dispute(stage, node, dispute)?
        .filter(|state: &DisputeState| there(&state.phase))
        .map(drop))
}

/// The nodes that occur here.
#[cfg(test)]
pub fn nodes() -> [&'static str; 1] {
    [RESPONDENT]
}
