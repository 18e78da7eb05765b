//! The first page: what this node is, its links, its queues, what is due.

use federation::core::view::{DocketView, DutyView, FindingView, HealthView, LinkView, NodeView};
use federation::health::Condition;
use identity::Moment;
use maud::{Markup, html};
use sharing::docket::DocketId;
use statute::DutyStatus;

use super::{Overview, keeping, labels, layout};
use crate::language::Language;

/// Milliseconds before its end at which a certificate is shown as ending: a week.
const CERTIFICATE_SOON_MS: i64 = 7 * 86_400_000;

/// Renders the page.
pub(super) fn page(overview: &Overview, language: Language) -> Markup {
    let Overview {
        node,
        keeping: kept,
        links,
        health,
        dockets,
        duties,
        findings,
        now,
    } = overview;
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let body = html! {
        div.lead {
            h1 { (node.name) }
            @match &node.place {
                Some(place) => span.path.mono { (place) },
                None => span.tag.bad { (pick("尚未入网", "not enrolled")) },
            }
            (certificate(node, *now, language))
        }
        @if let Some(cut_off) = &node.cut_off {
            section {
                p { b.bad { (labels::cut_off(cut_off, language)) } }
                p.note { (labels::admitted_again(language)) }
            }
        }
        @if let Some(restored) = &kept.restored {
            section {
                p { b.bad { (keeping::restored(restored, language)) } }
                p.note { (keeping::after_restoring(restored, language)) }
            }
        }
        (figures(overview, language))
        @if let Some(escrow) = &kept.escrow {
            p { (pick("账本托管：", "escrow of the ledger: ")) span.bad[escrow.failing.is_some()] { (keeping::escrow(escrow, language)) } }
        }
        section {
            h2 { (pick("限期办理", "What is due")) }
            (duty_table(duties, language))
        }
        div.cols {
            section { h2 { (pick("连接", "Links")) } (link_table(links, language)) }
            section { h2 { (pick("队列", "Queues")) } (queues(node, language)) }
        }
        section { h2 { (pick("案卷", "Dockets")) } (docket_table(dockets, language)) }
        section { h2 { (pick("下辖节点健康状况", "Health of the subtree")) } (health_table(health, language)) }
        section { h2 { (pick("须知事项", "Findings")) } (finding_table(findings, language)) }
    };
    layout::page(&node.name, language, true, &body)
}

fn certificate(node: &NodeView, now: Moment, language: Language) -> Markup {
    let Some(until) = node.valid_until else {
        return html! {};
    };
    if node.cut_off.is_some() {
        return html! { span.tag.bad { (language.pick("已被断开", "cut off")) } };
    }
    let left = until.millis_since(now);
    let (tone, zh, en) = match left {
        ..=0 => ("tag bad", "证书已过期", "certificate expired"),
        1..=CERTIFICATE_SOON_MS => ("tag warn", "证书将到期", "certificate ends soon"),
        _ => ("tag ok", "证书有效", "certificate valid"),
    };
    html! {
        span class=(tone) { (language.pick(zh, en)) }
        span.path { (language.pick("至 ", "until ")) (labels::time(until)) }
    }
}

fn figures(overview: &Overview, language: Language) -> Markup {
    let node = &overview.node;
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let up = overview.links.iter().filter(|link| link.up).count();
    let waiting: u64 = node
        .outbox
        .iter()
        .map(|(_, n)| n)
        .sum::<u64>()
        .saturating_add(node.unsealed);
    let overdue = overview
        .duties
        .iter()
        .filter(|duty| duty.owed_here && duty.status == DutyStatus::Overdue)
        .count();
    html! {
        div.figures {
            div { b { (node.own_entries) " / " (node.catalogue) } span { (pick("本节点目录 / 全部已知", "own entries / all known")) } }
            div { b { (node.open_dockets) } span { (pick("在办案卷", "open dockets")) } }
            div { b.bad[node.open_incidents > 0] { (node.open_incidents) } span { (pick("未办结安全事件", "open incidents")) } }
            div { b.bad[overdue > 0] { (overdue) } span { (pick("逾期义务", "overdue duties")) } }
            div { b.warn[up < overview.links.len()] { (up) " / " (overview.links.len()) } span { (pick("连接畅通", "links up")) } }
            div { b { (waiting) } span { (pick("待发信封", "envelopes waiting")) } }
            div { b { (node.ledger) } span { (pick("账本条目 · 已会签 ", "ledger leaves · cosigned ")) (node.cosigned) } }
        }
    }
}

fn duty_table(duties: &[DutyView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    if duties.is_empty() {
        return none(pick("没有限期义务。", "Nothing is due."));
    }
    html! {
        div.scroll { table {
            thead { tr {
                th { (pick("状态", "State")) } th { (pick("义务", "Duty")) } th { (pick("条款", "Article")) }
                th { (pick("承办单位", "Owed by")) } th { (pick("期限", "Due")) } th { (pick("本节点承办", "Owed here")) } th { (pick("案卷", "Docket")) }
            } }
            tbody { @for duty in duties {
                @let (row, tag) = match duty.status {
                    DutyStatus::Overdue => ("overdue", "tag bad"),
                    DutyStatus::DueSoon => ("soon", "tag warn"),
                    DutyStatus::Pending => ("", "tag ok"),
                };
                tr class=(row) {
                    td.t {
                        span class=(tag) { (pick(duty.status.zh(), duty.status.en())) }
                        @if duty.own_lapse.is_some() {
                            " " span.tag.bad { (pick(super::own_clock::SEEN.0, super::own_clock::SEEN.1)) }
                        }
                    }
                    td { (pick(duty.duty.zh(), duty.duty.en())) }
                    td { (labels::cite(duty.article, language)) }
                    td.mono { (super::clock::debtor(&duty.owed_by, language)) }
                    td.t { (labels::due(duty.due)) }
                    td { @if duty.owed_here { (pick("是", "yes")) } @else { (pick("否", "no")) } }
                    td.mono { a href=(docket_address(&duty.docket, language)) { (duty.docket.0.short()) } }
                }
            } }
        } }
    }
}

fn link_table(links: &[LinkView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    if links.is_empty() {
        return none(pick("没有上下级连接。", "There are no neighbours."));
    }
    html! {
        div.scroll { table {
            thead { tr {
                th { (pick("节点", "Node")) } th { (pick("关系", "Relation")) } th { (pick("状态", "State")) }
                th { (pick("自", "Since")) } th.n { (pick("时钟差", "Clock offset")) }
            } }
            tbody { @for link in links { tr {
                td { (link.name) " " span.path.mono { (link.code) } }
                td { @if link.parent { (pick("上级", "parent")) } @else { (pick("下级", "child")) } }
                td.t { @if link.up { span.tag.ok { (pick("畅通", "up")) } } @else { span.tag.bad { (pick("中断", "down")) } } }
                td.t { @if let Some(since) = link.since { (labels::time(since)) } }
                td.n { (link.clock_offset_ms) " ms" }
            } } }
        } }
    }
}

fn queues(node: &NodeView, language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    html! {
        dl {
            @for (neighbour, waiting) in &node.outbox {
                dt { (pick("待发往 ", "To ")) span.mono { (neighbour) } } dd { (waiting) }
            }
            dt { (pick("待取得收件节点证书", "Waiting for a destination's chain")) } dd { (node.unsealed) }
            dt { (pick("账本未签检查点", "Ledger not under a checkpoint")) } dd { (node.ledger.saturating_sub(node.checkpoint)) }
            dt { (pick("检查点未经上级会签", "Not yet cosigned")) } dd { (node.checkpoint.saturating_sub(node.cosigned)) }
            dt { (pick("已签发下级证书", "Certified children")) } dd { (node.children.len()) }
        }
    }
}

fn docket_table(dockets: &[DocketView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    if dockets.is_empty() {
        return none(pick("没有案卷。", "There are no dockets."));
    }
    html! {
        div.scroll { table {
            thead { tr {
                th { (pick("案卷", "Docket")) } th { (pick("类别", "Kind")) } th { (pick("事由", "Subject")) } th { (pick("状态", "State")) }
                th { (pick("主办节点", "Home")) } th.n { (pick("事项", "Events")) } th { (pick("更新", "Updated")) }
            } }
            tbody { @for docket in dockets { tr {
                td.mono { a href=(docket_address(&docket.id, language)) { (docket.id.0.short()) } }
                td.t { (labels::docket_kind(&docket.state.case, language)) }
                td { (labels::docket_subject(&docket.state.case)) }
                td { span class={ "tag " (labels::docket_tone(&docket.state.case)) } { (labels::docket_phase(&docket.state.case, language)) } }
                td.t { span.mono { (docket.home.code()) } @if docket.at_home { " " span.tag { (pick("本节点", "here")) } } }
                td.n { (docket.events) }
                td.t { (labels::time(docket.updated)) }
            } } }
        } }
    }
}

fn health_table(health: &[HealthView], language: Language) -> Markup {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    if health.is_empty() {
        return none(pick("没有下辖节点的报告。", "No reports yet."));
    }
    html! {
        div.scroll { table {
            thead { tr {
                th { (pick("节点", "Node")) } th { (pick("状况", "Condition")) } th.n { (pick("目录", "Entries")) }
                th.n { (pick("待发", "Outbox")) } th.n { (pick("在办", "Dockets")) } th.n { (pick("安全事件", "Incidents")) } th.n { (pick("临期", "Due soon")) } th.n { (pick("逾期", "Overdue")) }
                th.n { (pick("账本/会签", "Ledger/cosigned")) } th { (pick("最近报告", "Last heard")) } th { (pick("版本", "Version")) }
            } }
            tbody { @for node in health {
                @let tag = match node.condition { Condition::Up => "tag ok", Condition::Lagging => "tag warn", Condition::Down => "tag bad" };
                tr {
                    td { (node.name) " " span.path.mono { (node.node.code()) } }
                    td.t { span class=(tag) { (labels::condition(node.condition, language)) } }
                    @if let Some(report) = &node.report {
                        td.n { (report.own_entries) " / " (report.catalogue) }
                        td.n { (report.outbox.saturating_add(report.unsealed)) }
                        td.n { (report.open_dockets) }
                        td.n.bad[report.open_incidents > 0] { (report.open_incidents) }
                        td.n.warn[report.due_soon > 0] { (report.due_soon) }
                        td.n.bad[report.overdue > 0] { (report.overdue) }
                        td.n { (report.ledger) " / " (report.cosigned) }
                    } @else { td colspan="7" { (pick("尚无报告", "no report yet")) } }
                    td.t { @if let Some(received) = node.received { (labels::time(received)) } }
                    td.mono { @if let Some(report) = &node.report { (report.software) } }
                }
            } }
        } }
    }
}

fn finding_table(findings: &[FindingView], language: Language) -> Markup {
    if findings.is_empty() {
        return none(language.pick("没有须知事项。", "Nothing to report."));
    }
    html! {
        div.scroll { table { tbody { @for finding in findings { tr {
            td.t { (labels::time(finding.at)) }
            td { (language.pick(&finding.zh, &finding.en)) }
            td.t { @if let Some(article) = finding.article { (labels::cite(article, language)) } }
        } } } } }
    }
}

fn docket_address(docket: &DocketId, language: Language) -> String {
    layout::address(&format!("/dockets/{docket}"), language)
}

fn none(text: &str) -> Markup {
    html! { p.none { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(name: &str) -> Overview {
        Overview {
            node: NodeView {
                place: Some(identity::Path::hub()),
                name: name.into(),
                valid_until: Some(Moment::from_millis(1)),
                cut_off: None,
                ledger: 9,
                checkpoint: 8,
                cosigned: 7,
                own_entries: 1,
                catalogue: 2,
                open_dockets: 0,
                open_incidents: 0,
                children: vec![],
                outbox: vec![(identity::Code::HUB, 3)],
                unsealed: 1,
            },
            keeping: Default::default(),
            links: vec![],
            health: vec![],
            dockets: vec![],
            duties: vec![],
            findings: vec![FindingView {
                number: 1,
                zh: "发现 <script>alert(1)</script>".into(),
                en: "found \"quoted\" & <b>".into(),
                article: None,
                at: Moment::from_millis(0),
            }],
            now: Moment::from_millis(2),
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let overview = overview("天河区<img src=x onerror=1>");
        for language in [Language::Chinese, Language::English] {
            let page = page(&overview, language).into_string();
            assert!(page.contains("天河区&lt;img src=x onerror=1&gt;"));
            assert!(
                !page.contains("<img") && !page.contains("<script") && !page.contains("<b>found")
            );
        }
        assert!(
            page(&overview, Language::Chinese)
                .into_string()
                .contains("发现 &lt;script&gt;")
        );
        assert!(
            page(&overview, Language::English)
                .into_string()
                .contains("found &quot;quoted&quot; &amp; &lt;b&gt;")
        );
    }

    #[test]
    fn a_node_that_was_cut_off_is_shown_so_with_what_to_do() {
        let mut overview = overview("天河区");
        overview.node.cut_off = Some(federation::core::view::CutOff {
            node: "440106".parse().unwrap(),
            by: "440100".parse().unwrap(),
            serial: 7,
            reason: identity::RevocationReason::KeyCompromise,
            at: Moment::from_millis(0),
        });
        let page = page(&overview, Language::Chinese).into_string();
        assert!(page.contains("440100") && page.contains("第 7 号证书（密钥泄露）"));
        assert!(page.contains("已被断开") && page.contains("guantong enroll install"));
    }

    #[test]
    fn an_expired_certificate_and_the_queues_are_shown() {
        let page = page(&overview("枢纽"), Language::Chinese).into_string();
        assert!(page.contains("证书已过期"));
        assert!(page.contains("待发信封") && page.contains("<b>4</b>"));
        assert!(page.contains("http-equiv=\"refresh\" content=\"5\""));
        assert!(page.starts_with("<!DOCTYPE html>") && page.contains("lang=\"zh-CN\""));
    }
}
