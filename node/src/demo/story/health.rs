//! Step 6: the hub sees how every node is: up, lagging or down, its catalogue and queues, deadlines at risk.

use std::time::Instant;

use federation::core::view::HealthView;
use federation::health::Condition;
use identity::Code;
use sharing::docket::Case;
use statute::Article;

use super::super::Failure;
use super::super::stage::{EFFECT, Happened, Stage};
use super::cases::{CASES, REQUESTER};
use super::{returns, step};
use crate::api::List;
use crate::language::Language;

/// Shows the table of the subtree as the hub has it, once every node has reported after the story and nothing waits.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
    let told = crate::runtime::driver::now();
    let hub = stage.site(Code::HUB)?;
    let expected = stage.layout.nodes.len();
    let what = stage.pick(
        "枢纽收到全部节点的最新报告",
        "the hub has every node's newest report",
    );
    let health = stage.await_effect(what, EFFECT, || {
        let health: List<HealthView> = stage.client.get(hub, "/api/v1/health")?;
        let well = |node: &&HealthView| {
            node.condition == Condition::Up
                && node.report.as_ref().is_some_and(|report| {
                    report.at >= told && report.outbox == 0 && report.unsealed == 0
                })
        };
        Ok((health.items.iter().filter(well).count() >= expected).then_some(health.items))
    })?;
    table(stage, &health);
    nothing_doubled(stage)?;
    let overdue: u64 = health
        .iter()
        .filter_map(|node| node.report.as_ref())
        .map(|report| report.overdue)
        .sum();
    stage.record(Happened {
        step: step::HEALTH,
        what: stage
            .pick("枢纽监测各节点", "the hub watches every node")
            .to_owned(),
        outcome: match stage.language() {
            Language::Chinese => format!("{} 个节点正常，逾期 {overdue} 件", health.len()),
            Language::English => format!("{} nodes up, {overdue} overdue", health.len()),
        },
        article: Article::R30,
        took: begun.elapsed(),
    });
    Ok(())
}

/// However often nodes were killed on the way: four applications, one dispute, and one subscription for each recipient and dataset.
fn nothing_doubled(stage: &Stage) -> Result<(), Failure> {
    let what = stage.pick("案卷不缺不重", "no docket is missing or doubled");
    let count = |node: &str, of: fn(&Case) -> bool| -> Result<usize, Failure> {
        let node = super::code(node)?;
        let dockets = stage.await_effect(what, EFFECT, || stage.dockets(node).map(Some))?;
        Ok(dockets
            .iter()
            .filter(|docket| of(&docket.state.case))
            .count())
    };
    let found = [
        count(REQUESTER, |state| matches!(state, Case::Application(_)))?,
        count(Code::HUB.as_str(), |state| {
            matches!(state, Case::Dispute(_))
        })?,
        count(returns::SOURCE, |state| {
            matches!(state, Case::ReturnFlow(_))
        })?,
    ];
    let expected = [CASES.len(), 1, returns::subscriptions(stage)];
    if found != expected {
        return Err(Failure::new(what, format!("{found:?} ≠ {expected:?}")));
    }
    stage.screen.remark(&match stage.language() {
        Language::Chinese => format!(
            "{what}：申请 {}、争议 {}、回流订阅 {}",
            found[0], found[1], found[2]
        ),
        Language::English => format!(
            "{what}: {} applications, {} dispute, {} subscriptions",
            found[0], found[1], found[2]
        ),
    });
    Ok(())
}

fn table(stage: &Stage, health: &[HealthView]) {
    let header = [
        stage.pick("节点", "node"),
        stage.pick("名称", "name"),
        stage.pick("状态", "state"),
        stage.pick("本级目录", "own"),
        stage.pick("已知目录", "known"),
        stage.pick("发件箱", "outbox"),
        stage.pick("在办案卷", "dockets"),
        stage.pick("将到期", "due soon"),
        stage.pick("逾期", "overdue"),
        stage.pick("账本", "ledger"),
        stage.pick("上级已会签", "cosigned"),
    ];
    let rows: Vec<Vec<String>> = health.iter().map(|node| row(stage, node)).collect();
    stage.screen.table(&header, &rows);
}

fn row(stage: &Stage, node: &HealthView) -> Vec<String> {
    let condition = match node.condition {
        Condition::Up => stage.pick("正常", "up"),
        Condition::Lagging => stage.pick("滞后", "lagging"),
        Condition::Down => stage.pick("失联", "down"),
    };
    let indent = "  ".repeat(node.node.depth().saturating_sub(1));
    let mut row = vec![
        format!("{indent}{}", node.node.code()),
        node.name.clone(),
        condition.to_owned(),
    ];
    match &node.report {
        None => row.extend(std::iter::repeat_n("-".to_owned(), 8)),
        Some(report) => row.extend(
            [
                report.own_entries,
                report.catalogue,
                report.outbox,
                report.open_dockets,
                report.due_soon,
                report.overdue,
                report.ledger,
                report.cosigned,
            ]
            .map(|number| number.to_string()),
        ),
    }
    row
}

/// Where each node's page is; the link carries a token that may read and nothing else.
pub fn addresses(stage: &Stage) {
    stage.screen.heading(stage.pick(
        "各节点页面（链接内为只读令牌）",
        "the nodes' pages (each link carries a token that only reads)",
    ));
    let rows: Vec<Vec<String>> = stage
        .layout
        .nodes
        .iter()
        .map(|site| {
            vec![
                site.code.to_string(),
                site.name.clone(),
                format!("{}/?token={}", site.http, site.viewer),
            ]
        })
        .collect();
    stage.screen.table(
        &[
            stage.pick("节点", "node"),
            stage.pick("名称", "name"),
            stage.pick("地址", "address"),
        ],
        &rows,
    );
}
