//! Gauges of what waits and what is due, beside the driver's own counters. None is labelled by peer.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use federation::core::query;
use federation::core::view::{NodeView, Status};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use statute::DutyStatus;

use super::keeping::Keeping;
use super::problem::Problem;
use super::{Api, MAX_PAGE};

/// Content type of the OpenMetrics text format.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(State(api): State<Api>) -> Result<Response, Problem> {
    let now = api.backend().now();
    let status = api.backend().status();
    let (view, due) = api
        .read(move |read| {
            let duties = query::duties(read, now, MAX_PAGE)?;
            let count = |status| {
                duties
                    .iter()
                    .filter(|duty| duty.owed_here && duty.status == status)
                    .count()
            };
            Ok((
                query::node(read)?,
                [
                    count(DutyStatus::Pending),
                    count(DutyStatus::DueSoon),
                    count(DutyStatus::Overdue),
                ],
            ))
        })
        .await?;
    let driver = api.backend().metrics();
    let text = format!(
        "{}{}",
        driver.trim_end().trim_end_matches("# EOF"),
        gauges(&view, &status, &api.backend().keeping(), due)?
    );
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

fn gauges(
    view: &NodeView,
    status: &Status,
    keeping: &Keeping,
    due: [usize; 3],
) -> Result<String, Problem> {
    let mut registry = Registry::with_prefix("guantong");
    let mut gauge = |name: &str, help: &str, value: u64| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    let count = |n: usize| n as u64;
    gauge("ledger_leaves", "Leaves of the ledger", view.ledger);
    gauge(
        "ledger_checkpointed_leaves",
        "Leaves under a signed checkpoint",
        view.checkpoint,
    );
    gauge(
        "ledger_cosigned_leaves",
        "Leaves cosigned by the parent",
        view.cosigned,
    );
    gauge(
        "catalogue_own_entries",
        "Own published entries",
        view.own_entries,
    );
    gauge("catalogue_entries", "Entries known in all", view.catalogue);
    gauge(
        "dockets_open",
        "Open dockets at home here",
        view.open_dockets,
    );
    gauge(
        "incidents_open",
        "Open security incidents known here",
        view.open_incidents,
    );
    gauge(
        "outbox_envelopes",
        "Envelopes waiting for neighbours",
        view.outbox.iter().map(|(_, n)| n).sum(),
    );
    gauge(
        "unsealed_payloads",
        "Payloads waiting for a destination's chain",
        view.unsealed,
    );
    gauge(
        "certificate_valid",
        "1 when the node has a place in the tree",
        u64::from(view.place.is_some()),
    );
    gauge(
        "cut_off",
        "1 when this node was cut off: its certificate, or one above it, is revoked",
        u64::from(view.cut_off.is_some()),
    );
    gauge(
        "restored",
        "1 while this node was restored from a backup and has not compared its ledger yet",
        u64::from(keeping.restored.is_some()),
    );
    if let Some(escrow) = &keeping.escrow {
        gauge(
            "escrow_behind_batches",
            "Durable batches of the ledger that are not in escrow yet",
            escrow.behind,
        );
        gauge(
            "escrow_failing",
            "1 when the newest run of the escrow failed",
            u64::from(escrow.failing.is_some()),
        );
    }
    let until = view.valid_until.map_or(0, |until| {
        u64::try_from(until.as_millis() / 1_000).unwrap_or(0)
    });
    gauge(
        "certificate_valid_until_seconds",
        "End of the certificate, Unix time",
        until,
    );
    gauge("children", "Certified children", count(view.children.len()));
    gauge("neighbours", "Neighbours known", count(status.links.len()));
    gauge(
        "neighbours_up",
        "Neighbours connected and greeted",
        count(status.links.iter().filter(|l| l.up).count()),
    );
    gauge(
        "duties_pending",
        "Duties owed here that have time",
        count(due[0]),
    );
    gauge(
        "duties_due_soon",
        "Duties owed here that are due soon",
        count(due[1]),
    );
    gauge(
        "duties_overdue",
        "Duties owed here that are overdue",
        count(due[2]),
    );
    let condition = |wanted| {
        count(
            status
                .health
                .iter()
                .filter(|node| node.condition == wanted)
                .count(),
        )
    };
    gauge(
        "subtree_up",
        "Nodes of the subtree that are up",
        condition(federation::health::Condition::Up),
    );
    gauge(
        "subtree_lagging",
        "Nodes of the subtree that lag",
        condition(federation::health::Condition::Lagging),
    );
    gauge(
        "subtree_down",
        "Nodes of the subtree that are down",
        condition(federation::health::Condition::Down),
    );
    let mut text = String::new();
    encode(&mut text, &registry).map_err(Problem::fault)?;
    Ok(text)
}
