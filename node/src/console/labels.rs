//! Words for what the console and the commands show: states, conditions, times.

use federation::core::view::CutOff;
use federation::health::Condition;
use identity::{Moment, RevocationReason};
use sharing::application::{ApplicationEvent, DisputeStage, Phase};
use sharing::catalogue::EntryState;
use sharing::correction::CorrectionPhase;
use sharing::dispute::{DisputeEvent, DisputePhase};
use sharing::docket::{Case, DocketBody};
use sharing::return_flow::{ReturnFlowEvent, SubscriptionPhase};
use statute::Article;

use super::{incident, reading, supervision};
use crate::language::Language;

/// Seconds that Beijing is ahead of UTC.
const BEIJING_SECONDS: i64 = 8 * 3_600;

/// A moment as `2026-03-05 09:02:03` in Beijing time.
pub fn time(at: Moment) -> String {
    let text = at.plus_seconds(BEIJING_SECONDS).to_string();
    text.get(..19)
        .map_or(text.clone(), |seconds| seconds.replace('T', " "))
}

/// The end of a period, which is mostly the end of a day: `2026-03-05 24:00:00` rather than midnight of the next.
pub fn due(at: Moment) -> String {
    let text = time(at);
    match text.strip_suffix("00:00:00") {
        Some(_) => format!(
            "{} 24:00:00",
            time(at.plus_seconds(-1)).get(..10).unwrap_or_default()
        ),
        None => text,
    }
}

/// A condition.
pub fn condition(condition: Condition, language: Language) -> &'static str {
    match condition {
        Condition::Up => language.pick("正常", "up"),
        Condition::Lagging => language.pick("滞后", "lagging"),
        Condition::Down => language.pick("失联", "down"),
    }
}

/// Why a certificate is revoked.
pub fn revocation(reason: RevocationReason, language: Language) -> &'static str {
    match reason {
        RevocationReason::KeyCompromise => language.pick("密钥泄露", "a key is in other hands"),
        RevocationReason::Superseded => language.pick("更换", "superseded"),
        RevocationReason::Dissolved => language.pick("撤销建制", "the place was dissolved"),
        RevocationReason::IssuedInError => language.pick("误发", "issued in error"),
        RevocationReason::Ordered => language.pick("上级责令", "ordered by a superior"),
    }
}

/// That this node was cut off, by whom and why.
pub fn cut_off(cut_off: &CutOff, language: Language) -> String {
    let CutOff {
        node,
        by,
        serial,
        reason,
        at,
    } = cut_off;
    let (at, reason) = (time(*at), revocation(*reason, language));
    match language {
        Language::Chinese => format!(
            "本节点已被断开：{by} 于 {at} 撤销了 {node} 的第 {serial} 号证书（{reason}），涉及其他节点的事项停办"
        ),
        Language::English => format!(
            "this node is cut off: {by} revoked certificate {serial} of {node} at {at} ({reason}); nothing goes to other nodes"
        ),
    }
}

/// How a node that was cut off is admitted again.
pub fn admitted_again(language: Language) -> &'static str {
    language.pick(
        "本节点内部的登记、编目、起草照常；请上级主管部门重新签发证书，然后运行 guantong enroll install --chain FILE",
        "enrolling, compiling and drafting here go on; have the authority above issue a new certificate, then run guantong enroll install --chain FILE",
    )
}

/// The state of an entry.
pub fn entry_state(state: EntryState, language: Language) -> &'static str {
    match state {
        EntryState::Draft => language.pick("编制中", "draft"),
        EntryState::Approved => language.pick("部门负责人已同意", "approved"),
        EntryState::Submitted => language.pick("已报送", "submitted"),
        EntryState::Published => language.pick("已发布", "published"),
        EntryState::Withdrawn => language.pick("已撤销", "withdrawn"),
    }
}

/// The kind of a docket.
pub fn docket_kind(state: &Case, language: Language) -> &'static str {
    match state {
        Case::Application(_) => language.pick("共享申请", "application"),
        Case::Dispute(_) => language.pick("争议", "dispute"),
        Case::ReturnFlow(_) => language.pick("数据回流", "return flow"),
        Case::Update(_) => language.pick("目录更新", "update of the catalogue"),
        Case::Correction(_) => language.pick("校核", "correction"),
        Case::Supervision(_) => language.pick("责令改正", "order to correct"),
        Case::Need(_) => language.pick("供需对接", "need"),
        Case::Incident(_) => language.pick("安全事件", "security incident"),
        Case::Inspection(_) => language.pick("查阅使用记录", "reading of records of use"),
        Case::OpenData(_) => language.pick("数据开放申请", "application for opening"),
        Case::Complaint(_) => language.pick("投诉举报", "complaint"),
        Case::Evaluation(_) => language.pick("评估报告", "evaluation"),
    }
}

/// Where a docket stands.
pub fn docket_phase(state: &Case, language: Language) -> String {
    match state {
        Case::Application(application) => {
            let stage = dispute_stage(&application.dispute, language);
            let phase = phase(&application.phase, language);
            let standing = super::grant::standing(&application.standing, language);
            let told = [phase, standing, stage].into_iter();
            told.filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(" · ")
        }
        Case::Dispute(dispute) => dispute_phase(&dispute.phase, language).to_owned(),
        Case::Update(update) => super::update::phase(update, language).to_owned(),
        Case::Supervision(order) => supervision::phase(&order.phase, language).to_owned(),
        Case::Need(need) => super::need::phase(&need.phase, language).to_owned(),
        Case::Incident(it) => incident::phase(&it.phase, language).to_owned(),
        Case::Inspection(inspection) => reading::phase(inspection, language).to_owned(),
        Case::Evaluation(state) => super::evaluation::phase(&state.phase, language).to_owned(),
        Case::ReturnFlow(subscription) => match subscription.phase() {
            SubscriptionPhase::Subscribed => language.pick("已订阅", "subscribed").to_owned(),
            SubscriptionPhase::Delivering { delivery } => {
                format!(
                    "{} {delivery}",
                    language.pick("正在交付第", "delivering no.")
                )
            }
            SubscriptionPhase::Delivered(_) => language
                .pick("已交付并核验", "delivered and verified")
                .to_owned(),
            SubscriptionPhase::Disputed { finding, .. } => format!(
                "{}{finding}",
                language.pick("核验不符：", "found wanting: ")
            ),
        },
        Case::Correction(correction) => {
            super::correction::phase(&correction.phase, language).to_owned()
        }
        Case::OpenData(open) => super::open_data::phase(&open.phase, language).to_owned(),
        Case::Complaint(complaint) => super::complaint::phase(&complaint.phase, language),
    }
}

/// Whether a docket needs nothing more.
pub fn docket_tone(state: &Case) -> &'static str {
    match state {
        Case::Application(application) if !application.standing.access.is_in_force() => {
            super::grant::tone(&application.standing.access)
        }
        Case::Application(application) => match (&application.phase, &application.dispute) {
            (_, DisputeStage::Negotiating { .. } | DisputeStage::Failed { .. }) => "warn",
            (Phase::Provided { .. }, _) => "ok",
            (Phase::Refused { .. }, _) => "bad",
            (Phase::Incomplete { .. }, _) => "warn",
            (
                Phase::Received { .. }
                | Phase::ReplyProposed { .. }
                | Phase::Granted { .. }
                | Phase::Providing { .. },
                _,
            ) => "",
        },
        Case::Update(update) => super::update::tone(update),
        Case::Dispute(dispute) => match dispute.phase {
            DisputePhase::Settled { .. } | DisputePhase::Decided { .. } => "ok",
            DisputePhase::Referred
            | DisputePhase::OpinionGiven { .. }
            | DisputePhase::AwaitingDecision { .. } => "warn",
        },
        Case::Supervision(order) => supervision::tone(&order.phase),
        Case::Need(need) => super::need::tone(&need.phase),
        Case::Incident(it) => incident::tone(&it.phase),
        Case::Inspection(inspection) => reading::tone(inspection),
        Case::Evaluation(_) => "ok",
        Case::ReturnFlow(subscription) => match subscription.phase() {
            SubscriptionPhase::Delivered(_) => "ok",
            SubscriptionPhase::Disputed { .. } => "bad",
            SubscriptionPhase::Subscribed | SubscriptionPhase::Delivering { .. } => "",
        },
        Case::Correction(correction) => match correction.phase {
            CorrectionPhase::Asked { .. } => "warn",
            CorrectionPhase::Answered(_) => "ok",
        },
        Case::OpenData(open) => super::open_data::tone(&open.phase),
        Case::Complaint(complaint) => super::complaint::tone(&complaint.phase),
    }
}

/// What a docket is about, in a line.
pub fn docket_subject(state: &Case) -> String {
    match state {
        Case::Application(application) => {
            format!(
                "{} ← {}",
                application.entry.entry.name, application.application.requester_name
            )
        }
        Case::Dispute(dispute) => {
            format!(
                "{} / {} · {}",
                dispute.complainant.node.code(),
                dispute.respondent.node.code(),
                dispute.about.0.short()
            )
        }
        Case::Update(update) => format!("{} · {}", update.entry, update.provider.department),
        Case::Supervision(order) => supervision::subject(order),
        Case::Need(need) => super::need::subject(need),
        Case::Incident(it) => incident::subject(it),
        Case::Inspection(inspection) => reading::subject(inspection),
        Case::Evaluation(state) => super::evaluation::subject(state),
        Case::ReturnFlow(subscription) => {
            format!(
                "{} → {}",
                subscription.subscription.dataset.as_str(),
                subscription.recipient.code()
            )
        }
        Case::Correction(correction) => {
            format!(
                "{} ← {}",
                correction.entry_name,
                correction.requester.node.code()
            )
        }
        Case::OpenData(open) => open.entry_name.clone(),
        Case::Complaint(complaint) => super::complaint::subject(complaint),
    }
}

fn phase(phase: &Phase, language: Language) -> &'static str {
    match phase {
        Phase::Received { .. } => language.pick("待答复", "awaiting the reply"),
        Phase::Incomplete { .. } => language.pick("待补充材料", "awaiting what is missing"),
        Phase::ReplyProposed { .. } => language.pick("答复待同意", "reply awaits consent"),
        Phase::Granted { .. } => language.pick("已同意，待提供", "granted, to be provided"),
        Phase::Refused { .. } => language.pick("不予共享", "refused"),
        Phase::Providing { .. } => language.pick("正在提供", "being provided"),
        Phase::Provided { .. } => language.pick("已提供", "provided"),
    }
}

fn dispute_stage(stage: &DisputeStage, language: Language) -> &'static str {
    match stage {
        DisputeStage::None => "",
        DisputeStage::Negotiating { .. } => language.pick("协商中", "negotiating"),
        DisputeStage::Settled => language.pick("协商一致", "settled by negotiation"),
        DisputeStage::Failed { .. } => {
            language.pick("协商不成，已报共同上级", "referred to the common superior")
        }
        DisputeStage::Concluded { .. } => language.pick("争议已了结", "dispute concluded"),
    }
}

fn dispute_phase(phase: &DisputePhase, language: Language) -> &'static str {
    match phase {
        DisputePhase::Referred => language.pick("待协调", "awaiting coordination"),
        DisputePhase::OpinionGiven { .. } => {
            language.pick("待双方答复协调意见", "awaiting the parties' answers")
        }
        DisputePhase::AwaitingDecision { .. } => language.pick(
            "协调不成，待本级人民政府决定",
            "awaiting the government's decision",
        ),
        DisputePhase::Settled { .. } => language.pick("协调一致", "settled by coordination"),
        DisputePhase::Decided { .. } => language.pick("已决定", "decided"),
    }
}

/// What happened, and under which article.
pub fn event(body: &DocketBody, language: Language) -> (&'static str, Article) {
    let (zh, en, article) = match body {
        DocketBody::Application(event) => application_event(event),
        DocketBody::Dispute(event) => match event {
            DisputeEvent::Referred { .. } => (
                "争议报共同上级",
                "referred to the common superior",
                Article::R28,
            ),
            DisputeEvent::OpinionGiven { .. } => {
                ("提出协调意见", "coordination opinion", Article::R28)
            }
            DisputeEvent::Answered { .. } => {
                ("答复协调意见", "answer to the opinion", Article::R28)
            }
            DisputeEvent::Settled => ("协调一致", "settled by coordination", Article::R28),
            DisputeEvent::Complied { .. } => ("报告执行情况", "compliance reported", Article::R28),
            DisputeEvent::Decided { .. } => (
                "本级人民政府决定",
                "decision of the government",
                Article::R28,
            ),
        },
        DocketBody::ReturnFlow(event) => match event {
            ReturnFlowEvent::Subscribed { .. } => ("订阅回流", "subscribed", Article::R24),
            ReturnFlowEvent::Delivering { .. } => ("开始回流", "delivering", Article::R24),
            ReturnFlowEvent::Delivered { .. } => {
                ("回流完成并核验", "delivered and verified", Article::R24)
            }
            ReturnFlowEvent::Disputed { .. } => ("回流核验不符", "found wanting", Article::R24),
        },
        DocketBody::Correction(event) => super::correction::name(event),
        DocketBody::Clock(event) => super::clock::name(event),
        DocketBody::Update(event) => super::update::name(event),
        DocketBody::Supervision(event) => supervision::name(event),
        DocketBody::Need(event) => super::need::name(event),
        DocketBody::Incident(event) => incident::name(event),
        DocketBody::Inspection(event) => reading::name(event),
        DocketBody::Erasure(event) => super::erasure::name(event),
        DocketBody::OpenData(event) => super::open_data::name(event),
        DocketBody::Complaint(event) => super::complaint::name(event),
        DocketBody::Evaluation(event) => super::evaluation::name(event),
    };
    (language.pick(zh, en), article)
}

fn application_event(event: &ApplicationEvent) -> (&'static str, &'static str, Article) {
    match event {
        ApplicationEvent::Received { .. } => ("收到申请", "received", Article::R21),
        ApplicationEvent::MissingTold { .. } => (
            "一次性告知补充材料",
            "what is missing was told, once",
            Article::R21,
        ),
        ApplicationEvent::Supplemented { .. } => ("补充材料", "supplemented", Article::R21),
        ApplicationEvent::ReplyProposed { .. } => ("拟定答复", "reply proposed", Article::R21),
        ApplicationEvent::Granted { .. } => ("同意共享", "granted", Article::R21),
        ApplicationEvent::Refused { .. } => {
            ("不予共享并说明理由", "refused with reasons", Article::R21)
        }
        ApplicationEvent::Taken { .. } => ("直接获取", "taken directly", Article::S20),
        ApplicationEvent::Providing { .. } => ("提供数据", "being provided", Article::R22),
        ApplicationEvent::Provided { .. } => {
            ("收到并核验数据", "received and verified", Article::R22)
        }
        ApplicationEvent::UseRecorded { .. } => ("记录使用情况", "use recorded", Article::R29),
        ApplicationEvent::UsesRead { .. } => ("查阅使用记录", "records of use read", Article::R29),
        ApplicationEvent::DisputeRaised { .. } => ("提出争议", "dispute raised", Article::R28),
        ApplicationEvent::Negotiated { .. } => ("协商", "negotiation", Article::R28),
        ApplicationEvent::DisputeConcluded { .. } => {
            ("争议了结", "dispute concluded", Article::R28)
        }
        ApplicationEvent::CorrectionTold { .. } => (
            "告知数据更正",
            "told of a correction of the data",
            Article::R26,
        ),
        ApplicationEvent::Grant(event) => super::grant::name(&event.step),
    }
}

/// An article as cited.
pub fn cite(article: Article, language: Language) -> String {
    match language {
        Language::Chinese => article.cite_zh(),
        Language::English => article.cite_en(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_certificate_is_revoked_is_told_in_either_language() {
        let told = |language| revocation(RevocationReason::KeyCompromise, language);
        assert_eq!(told(Language::Chinese), "密钥泄露");
        assert_eq!(told(Language::English), "a key is in other hands");
    }

    #[test]
    fn times_are_shown_in_beijing() {
        assert_eq!(time(Moment::from_millis(0)), "1970-01-01 08:00:00");
        assert_eq!(
            time(Moment::from_millis(1_772_672_523_004)),
            "2026-03-05 09:02:03"
        );
        let end = statute::end_of_day_ms("2026-03-05".parse().unwrap());
        assert_eq!(due(Moment::from_millis(end)), "2026-03-05 24:00:00");
        assert_eq!(due(Moment::from_millis(end - 1_000)), "2026-03-05 23:59:59");
    }
}
