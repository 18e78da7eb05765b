//! One docket: every event in order, who signed it, under which article.

use federation::core::view::{DocketDetail, UseView};
use maud::{Markup, html};
use sharing::act::{ActBody, SignedAct};
use sharing::application::{ApplicationEvent, Reply};
use sharing::dispute::DisputeEvent;
use sharing::docket::{DocketBody, DocketEvent};
use sharing::return_flow::ReturnFlowEvent;

use super::{erasure, labels, layout};
use crate::api::private::ContentView;
use crate::language::Language;

/// Renders the page.
pub(super) fn page(detail: &DocketDetail, contents: &[ContentView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let docket = &detail.docket;
    let body = html! {
        div.lead {
            h1 { (labels::docket_kind(&docket.state.case, language)) "：" (labels::docket_subject(&docket.state.case)) }
            span class={ "tag " (labels::docket_tone(&docket.state.case)) } { (labels::docket_phase(&docket.state.case, language)) }
        }
        section {
            dl {
                dt { (pick("案卷号", "Docket")) } dd.mono { (docket.id) }
                dt { (pick("主办节点", "Home")) } dd { span.mono { (docket.home) } @if docket.at_home { " " span.tag { (pick("本节点", "here")) } } }
                dt { (pick("当事节点", "Parties")) } dd.mono { @for party in &docket.parties { (party) " " } }
                dt { (pick("事项", "Events")) } dd { (docket.events) }
            }
        }
        @if !contents.is_empty() {
            section {
                h2 { (pick("个人内容", "Personal content")) }
                dl {
                    @for content in contents {
                        dt.mono { (content.digest.short()) }
                        dd { (erasure::shown(content, language)) }
                    }
                }
            }
        }
        section {
            h2 { (pick("事项", "Events")) }
            @for event in &detail.events { (one(event, language)) }
        }
        @if !detail.uses.is_empty() { (uses(&detail.uses, language)) }
        (own_clock(detail, language))
    };
    layout::page(pick("案卷", "Docket"), language, true, &body)
}

fn one(event: &DocketEvent, language: Language) -> Markup {
    let (title, article) = labels::event(&event.body, language);
    let rows = facts(&event.body, language);
    let signers = signers(&event.body, language);
    html! {
        div.event {
            div.when { "#" (event.sequence) br; (labels::time(event.at)) }
            div {
                h3 { (title) " " span.tag { (labels::cite(article, language)) } }
                dl {
                    @for (label, value) in rows { dt { (label) } dd { (value) } }
                    @for signer in signers { dt { (language.pick("签名人", "Signed by")) } dd { (signer) } }
                }
            }
        }
    }
}

/// What the clock here found, where the home is elsewhere.
fn own_clock(detail: &DocketDetail, language: Language) -> Markup {
    let lapses = detail.own_lapses.iter();
    let lapses = lapses.map(|it| super::own_clock::lapse(it, language));
    let doubts = detail.doubted.iter();
    let doubts = doubts.map(|it| super::own_clock::doubted(it, language));
    let rows: Vec<Vec<String>> = lapses.chain(doubts).collect();
    if rows.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { (language.pick("本节点时钟", "By the clock here")) }
            div.scroll { table {
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            } }
        }
    }
}

/// That uses were recorded; what the records say is read by an act alone.
fn uses(uses: &[UseView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    html! {
        section {
            h2 { (pick("使用记录（内容须经查阅）", "Records of use (read by an act of reading)")) }
            div.scroll { table {
                tbody { @for made in uses { tr {
                    @for cell in super::reading::use_made(made, language) { td { (cell) } }
                } } }
            } }
        }
    }
}

fn signers(body: &DocketBody, language: Language) -> Vec<String> {
    body.acts()
        .into_iter()
        .map(|SignedAct { signer, .. }| match signer.holder() {
            Some(person) => format!(
                "{}（{}，{}）",
                person.name,
                language.pick(person.role.zh(), person.role.en()),
                person.department
            ),
            None => language.pick("无法解读", "unreadable").to_owned(),
        })
        .collect()
}

type Rows = Vec<(&'static str, String)>;

/// What an event says beyond its name and who signed it.
pub(crate) fn facts(body: &DocketBody, language: Language) -> Rows {
    match body {
        DocketBody::Application(event) => application_rows(event, language),
        DocketBody::Dispute(event) => dispute_rows(event, language),
        DocketBody::ReturnFlow(event) => return_flow_rows(event, language),
        DocketBody::Correction(event) => super::correction::facts(event, language),
        DocketBody::Clock(event) => super::clock::facts(event, language),
        DocketBody::Update(event) => super::update::facts(event, language),
        DocketBody::Supervision(event) => super::supervision::facts(event, language),
        DocketBody::Need(event) => super::need::facts(event, language),
        DocketBody::Incident(event) => super::incident::facts(event, language),
        DocketBody::Inspection(event) => super::reading::facts(event, language),
        DocketBody::Erasure(event) => erasure::facts(event, language),
        DocketBody::OpenData(event) => super::open_data::facts(event, language),
        DocketBody::Complaint(event) => super::complaint::facts(event, language),
        DocketBody::Evaluation(event) => super::evaluation::facts(event, language),
    }
}

fn application_rows(event: &ApplicationEvent, language: Language) -> Rows {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    match event {
        ApplicationEvent::Received {
            apply,
            requester_node,
            entry,
            term,
            profile,
            risk,
            ..
        } => [
            (
                pick("适用规定", "Profile of law"),
                format!(
                    "{}（{}）",
                    language.pick(profile.name_zh(), profile.name_en()),
                    profile.stamp()
                ),
            ),
            (pick("申请节点", "Requester"), requester_node.to_string()),
            (
                pick("目录条目", "Entry"),
                format!(
                    "{} {}（{}）",
                    String::from(entry.entry.id.clone()),
                    entry.entry.name,
                    entry.entry.provider_name
                ),
            ),
            (
                pick("答复期限", "Reply due"),
                super::clock::limit(term, language),
            ),
        ]
        .into_iter()
        .chain(super::aggregation::facts(risk.as_ref(), language))
        .chain(match apply.body() {
            Some(ActBody::Apply { application }) => {
                super::grant::asked(&application, &entry.entry.terms, language)
            }
            _ => Rows::new(),
        })
        .collect(),
        ApplicationEvent::MissingTold { missing, .. } => missing
            .iter()
            .map(|item| (pick(item.kind.zh(), item.kind.en()), item.what.clone()))
            .collect(),
        ApplicationEvent::Supplemented {
            materials,
            until,
            term,
            ..
        } => {
            let mut rows: Rows = materials
                .iter()
                .map(|m| (pick(m.kind.zh(), m.kind.en()), m.text.clone()))
                .collect();
            rows.extend(until.map(|it| (pick("使用时限至", "To be used until"), labels::due(it))));
            rows.push((
                pick("答复期限", "Reply due"),
                super::clock::limit(term, language),
            ));
            rows
        }
        ApplicationEvent::ReplyProposed { reply, .. } => match reply {
            Reply::Grant { terms } => vec![(pick("拟同意", "Would grant"), terms.items.join("、"))],
            Reply::Refuse { reasons, basis } => {
                vec![
                    (pick("拟不予共享", "Would refuse"), reasons.clone()),
                    (pick("依据", "Basis"), basis.clone()),
                ]
            }
        },
        ApplicationEvent::Granted { terms, term, .. }
        | ApplicationEvent::Taken { terms, term, .. } => vec![
            (pick("数据项", "Items"), terms.items.join("、")),
            (pick("用途", "Purpose"), terms.purpose.clone()),
            (pick("使用至", "Until"), labels::due(terms.until)),
            (
                pick("共享方式", "Method"),
                pick(terms.method.zh(), terms.method.en()).to_owned(),
            ),
            (
                pick("提供期限", "To be provided by"),
                super::clock::limit(term, language),
            ),
        ],
        ApplicationEvent::Refused { reasons, basis, .. } => {
            vec![
                (pick("理由", "Reasons"), reasons.clone()),
                (pick("依据", "Basis"), basis.clone()),
            ]
        }
        ApplicationEvent::Providing { object, .. } | ApplicationEvent::Provided { object, .. } => {
            vec![
                (
                    pick("文件", "File"),
                    format!("{}（{} B）", object.name, object.length),
                ),
                (pick("摘要", "Digest"), object.digest.to_string()),
            ]
        }
        // What it says is given to whoever reads it by an act of reading alone (R29).
        ApplicationEvent::UseRecorded { .. } => Vec::new(),
        ApplicationEvent::UsesRead { reader, .. } => super::reading::read_as(*reader, language),
        ApplicationEvent::DisputeRaised { claim, .. } => {
            vec![(pick("主张", "Claim"), claim.clone())]
        }
        ApplicationEvent::Negotiated { step, .. } => {
            vec![(pick("陈述", "Statement"), step.statement.clone())]
        }
        ApplicationEvent::DisputeConcluded { outcome, .. } => {
            vec![(pick("结果", "Outcome"), outcome.clone())]
        }
        ApplicationEvent::CorrectionTold {
            correction,
            items,
            object,
        } => super::correction::told(correction, items, object.as_ref(), language),
        ApplicationEvent::Grant(event) => super::grant::event(event, language),
    }
}

fn dispute_rows(event: &DisputeEvent, language: Language) -> Rows {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    match event {
        DisputeEvent::Referred {
            complainant,
            respondent,
            about,
            ..
        } => vec![
            (pick("提出方", "Complainant"), complainant.node.to_string()),
            (pick("对方", "Respondent"), respondent.node.to_string()),
            (pick("所涉案卷", "About"), about.to_string()),
        ],
        DisputeEvent::OpinionGiven { opinion, local, .. } => {
            let mut rows = vec![
                (pick("协调意见", "Proposal"), opinion.proposal.clone()),
                (pick("依据", "Grounds"), opinion.grounds.clone()),
            ];
            if let Some(article) = local {
                let cited = language
                    .pick(&article.cite_zh(), &article.cite_en())
                    .to_owned();
                rows.push((pick("同时依据", "Also under"), cited));
            }
            rows
        }
        DisputeEvent::Answered {
            by,
            accepted,
            grounds,
            ..
        } => vec![
            (pick("答复单位", "By"), by.to_string()),
            (
                pick("是否接受", "Accepted"),
                pick_bool(*accepted, language).to_owned(),
            ),
            (pick("理由", "Grounds"), grounds.clone()),
        ],
        DisputeEvent::Settled => vec![],
        DisputeEvent::Complied { statement, .. } => {
            vec![(pick("执行情况", "Done"), statement.clone())]
        }
        DisputeEvent::Decided { decision, .. } => vec![
            (pick("决定", "Decision"), decision.holding.clone()),
            (pick("依据", "Grounds"), decision.grounds.clone()),
            (
                pick("执行期限", "To be complied with by"),
                labels::due(decision.comply_by),
            ),
        ],
    }
}

fn pick_bool(value: bool, language: Language) -> &'static str {
    if value {
        language.pick("接受", "yes")
    } else {
        language.pick("不接受", "no")
    }
}

fn return_flow_rows(event: &ReturnFlowEvent, language: Language) -> Rows {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    match event {
        ReturnFlowEvent::Subscribed {
            recipient,
            subscription,
            ..
        } => {
            vec![
                (pick("接收节点", "Recipient"), recipient.to_string()),
                (
                    pick("数据集", "Dataset"),
                    subscription.dataset.as_str().to_owned(),
                ),
                (pick("数源节点", "Source"), subscription.origin.to_string()),
                (pick("行政区划", "Division"), subscription.area.to_string()),
                (pick("周期", "Schedule"), subscription.schedule.to_string()),
            ]
        }
        ReturnFlowEvent::Delivering { delivery, notice } => vec![
            (pick("批次", "Delivery"), delivery.to_string()),
            (pick("行政区划", "Division"), notice.area.to_string()),
            (
                pick("文件", "File"),
                format!(
                    "{}（{} B）{}",
                    notice.part.name, notice.part.length, notice.part.digest
                ),
            ),
        ],
        ReturnFlowEvent::Delivered {
            delivery,
            rows,
            verified_at,
        } => vec![
            (pick("批次", "Delivery"), delivery.to_string()),
            (pick("行数", "Rows"), rows.to_string()),
            (pick("核验时间", "Verified"), labels::time(*verified_at)),
        ],
        ReturnFlowEvent::Disputed { delivery, finding } => {
            vec![
                (pick("批次", "Delivery"), delivery.to_string()),
                (pick("不符之处", "Finding"), finding.clone()),
            ]
        }
    }
}
