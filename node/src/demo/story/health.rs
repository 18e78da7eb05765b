//! Step 6: the hub sees how every node is: up, lagging or down, its catalogue and queues, deadlines at risk.

use std::time::Instant;

use federation::core::view::HealthView;
use federation::health::Condition;
use identity::Code;
use statute::Article;

use super::super::Failure;
use super::super::stage::{EFFECT, Happened, Stage};
use super::step;
use crate::api::List;
use crate::language::Language;

/// Shows the table of the subtree as the hub has it, once every node's newest report is in and nothing waits.
///
/// # Errors
/// [`Failure`].
pub fn tell(stage: &Stage) -> Result<(), Failure> {
    let begun = Instant::now();
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
                && node
                    .report
                    .as_ref()
                    .is_some_and(|report| report.outbox == 0 && report.unsealed == 0)
        };
        Ok((health.items.iter().filter(well).count() >= expected).then_some(health.items))
    })?;
    table(stage, &health);
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
