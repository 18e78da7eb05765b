//! How the node stands, in a page of the terminal.

use federation::core::view::{DutyView, FindingView, HealthView, LinkView, NodeView};
use serde_json::json;

use super::client::Client;
use super::error::CliError;
use super::output::columns;
use super::{Global, Output};
use crate::api::List;
use crate::api::keeping::Keeping;
use crate::console::{keeping as kept, labels, own_clock};
use crate::language::Language;

/// Findings that the page shows.
const FINDINGS_SHOWN: usize = 10;

#[derive(serde::Deserialize)]
struct Health {
    items: Vec<HealthView>,
}

pub(super) fn run(global: &Global, output: &Output) -> Result<(), CliError> {
    let client = Client::of(global, output.language())?;
    let node: NodeView = client.get("/node")?;
    let keeping: Keeping = client.get("/keeping")?;
    let links: List<LinkView> = client.get("/links")?;
    let health: Health = client.get("/health")?;
    let duties: List<DutyView> = client.get("/duties")?;
    let findings = findings(&client, FINDINGS_SHOWN)?;
    let value = json!({
        "node": node, "keeping": keeping, "links": links.items, "health": health.items, "duties": duties.items, "findings": findings,
    });
    output.print(&value, |language| {
        let lines = lines(
            (&node, &keeping),
            &links.items,
            &health.items,
            &duties.items,
            language,
        );
        let rows = finding_rows(&findings, language);
        lines + &section(language.pick("最近发现的问题", "newest findings"), &rows)
    });
    Ok(())
}

/// The newest findings.
pub(super) fn findings(client: &Client, limit: usize) -> Result<Vec<FindingView>, CliError> {
    let list: List<FindingView> = client.get(&format!("/findings?limit={limit}"))?;
    Ok(list.items)
}

/// Findings as rows: when, under which article, what.
pub(super) fn finding_rows(findings: &[FindingView], language: Language) -> Vec<Vec<String>> {
    let row = |finding: &FindingView| {
        let article = finding.article.map(|article| article.short());
        vec![
            labels::time(finding.at),
            article.unwrap_or_default(),
            language.pick(&finding.zh, &finding.en).to_owned(),
        ]
    };
    findings.iter().map(row).collect()
}

fn lines(
    (node, keeping): (&NodeView, &Keeping),
    links: &[LinkView],
    health: &[HealthView],
    duties: &[DutyView],
    language: Language,
) -> String {
    let pick = |zh: &'static str, en: &'static str| language.pick(zh, en);
    let place = node.place.as_ref().map_or_else(
        || pick("尚未入网", "not enrolled").to_owned(),
        ToString::to_string,
    );
    let until = node.valid_until.map_or_else(String::new, labels::time);
    let mut text = format!(
        "{} · {place} · {} {until}\n",
        node.name,
        pick("证书有效至", "certificate until")
    );
    if let Some(cut_off) = &node.cut_off {
        let (what, to_do) = (
            labels::cut_off(cut_off, language),
            labels::admitted_again(language),
        );
        text += &format!("\n{what}\n{}{to_do}\n\n", pick("办法：", "what to do: "));
    }
    if let Some(restored) = &keeping.restored {
        let (what, to_do) = (
            kept::restored(restored, language),
            kept::after_restoring(restored, language),
        );
        text += &format!("\n{what}\n{}{to_do}\n\n", pick("办法：", "what to do: "));
    }
    if let Some(escrow) = &keeping.escrow {
        let how = kept::escrow(escrow, language);
        text += &format!("{}{how}\n", pick("账本托管：", "escrow of the ledger: "));
    }
    text += &columns(&[
        vec![
            pick("目录 本节点/全部", "entries own/all").into(),
            format!("{} / {}", node.own_entries, node.catalogue),
        ],
        vec![
            pick("在办案卷", "open dockets").into(),
            node.open_dockets.to_string(),
        ],
        vec![
            pick("未办结安全事件", "open incidents").into(),
            node.open_incidents.to_string(),
        ],
        vec![
            pick("账本/检查点/会签", "ledger/checkpoint/cosigned").into(),
            format!("{} / {} / {}", node.ledger, node.checkpoint, node.cosigned),
        ],
        vec![
            pick("待发/待证书", "outbox/unsealed").into(),
            format!(
                "{} / {}",
                node.outbox.iter().map(|(_, n)| n).sum::<u64>(),
                node.unsealed
            ),
        ],
    ]);
    let rows: Vec<Vec<String>> = links
        .iter()
        .map(|link| {
            let relation = if link.parent {
                pick("上级", "parent")
            } else {
                pick("下级", "child")
            };
            let state = if link.up {
                pick("畅通", "up")
            } else {
                pick("中断", "down")
            };
            vec![
                relation.into(),
                link.code.to_string(),
                link.name.clone(),
                state.into(),
                link.since.map_or_else(String::new, labels::time),
            ]
        })
        .collect();
    text += &section(pick("连接", "links"), &rows);
    let rows: Vec<Vec<String>> = health
        .iter()
        .map(|it| {
            vec![
                it.node.code().to_string(),
                it.name.clone(),
                labels::condition(it.condition, language).into(),
                it.received.map_or_else(String::new, labels::time),
            ]
        })
        .collect();
    text += &section(pick("健康状况", "health"), &rows);
    let rows: Vec<Vec<String>> = duties
        .iter()
        .map(|duty| {
            let state = match duty.own_lapse {
                Some(_) => pick(own_clock::SEEN.0, own_clock::SEEN.1),
                None => pick(duty.status.zh(), duty.status.en()),
            };
            let what = pick(duty.duty.zh(), duty.duty.en());
            vec![
                state.into(),
                what.into(),
                duty.article.short(),
                labels::due(duty.due),
                duty.docket.0.short(),
            ]
        })
        .collect();
    text + &section(pick("限期义务", "duties"), &rows)
}

fn section(title: &str, rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        String::new()
    } else {
        format!("\n{title}\n{}", columns(rows))
    }
}
