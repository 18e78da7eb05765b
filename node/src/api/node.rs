//! What this node is: place, links, subtree, membership, and whether it lives and is ready.

use axum::Json;
use axum::extract::{Path, State};
use federation::core::query;
use federation::core::view::{HealthView, LinkView, NodeView, NoticeView};
use identity::{Chain, Moment, codec};
use serde_json::{Value, json};

use super::Api;
use super::extract::{List, code, to_base64};
use super::problem::{Kind, Problem};
use crate::console::{keeping, labels};
use crate::language::Language;

pub(super) async fn healthz() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// Ready means: the store answers (its tables have caught up with the ledger before it is served at all) and takes what is new,
/// and the node's certificate is valid, so that acts can be taken.
pub(super) async fn readyz(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let now = api.backend().now();
    let view = api.read(query::node).await?;
    let not_ready = |zh: &str, en: &str, what_zh: &str, what_en: &str| {
        Err(Problem::new(Kind::NotReady, zh, en).advise(what_zh, what_en))
    };
    if let Some(reason) = api.backend().halted().await {
        return not_ready(
            &format!("本节点已停止受理，正在退出：{reason}"),
            &format!("this node takes nothing more and is stopping: {reason}"),
            "等待其重新启动；结果未知的事项请重发同一签名文书",
            "wait until it has been started again; send acts with an unknown outcome again as signed",
        );
    }
    if let Some(cut_off) = &view.cut_off {
        return not_ready(
            &labels::cut_off(cut_off, Language::Chinese),
            &labels::cut_off(cut_off, Language::English),
            labels::admitted_again(Language::Chinese),
            labels::admitted_again(Language::English),
        );
    }
    if let Some(restored) = &api.backend().keeping().restored {
        return not_ready(
            &keeping::restored(restored, Language::Chinese),
            &keeping::restored(restored, Language::English),
            keeping::after_restoring(restored, Language::Chinese),
            keeping::after_restoring(restored, Language::English),
        );
    }
    match (&view.place, view.valid_until) {
        (Some(place), Some(until)) if now < until => Ok(Json(
            json!({ "ready": true, "node": place, "valid_until": until, "ledger": view.ledger }),
        )),
        (Some(_), _) => not_ready(
            "成员证书已过期，本节点不再签署任何事项",
            "the membership certificate has expired; the node signs nothing",
            "请上级续签证书后运行 guantong enroll install",
            "have the parent renew the certificate, then run guantong enroll install",
        ),
        (None, _) => not_ready(
            "本节点尚未入网",
            "this node is not enrolled",
            "请上级批准 enrolment-request.json，然后运行 guantong enroll install",
            "have the parent approve enrolment-request.json, then run guantong enroll install",
        ),
    }
}

pub(super) async fn node(State(api): State<Api>) -> Result<Json<NodeView>, Problem> {
    Ok(Json(api.read(query::node).await?))
}

pub(super) async fn links(State(api): State<Api>) -> List<LinkView> {
    List::whole(api.backend().status().links)
}

/// The subtree's health with the time it was judged.
#[derive(serde::Serialize)]
pub(super) struct HealthAnswer {
    items: Vec<HealthView>,
    at: Option<Moment>,
}

pub(super) async fn health(State(api): State<Api>) -> Json<HealthAnswer> {
    let status = api.backend().status();
    Json(HealthAnswer {
        items: status.health,
        at: status.at,
    })
}

pub(super) async fn own_chain(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let now = api.backend().now();
    let chain = api.read(query::own_chain).await?;
    chain
        .map(|chain| shown(&chain, now))
        .ok_or_else(|| Problem::not_found("本节点尚未入网", "this node is not enrolled"))
}

pub(super) async fn calendar(State(api): State<Api>) -> Result<List<NoticeView>, Problem> {
    Ok(List::whole(api.read(query::notices).await?))
}

pub(super) async fn chain(
    State(api): State<Api>,
    Path(of): Path<String>,
) -> Result<Json<Value>, Problem> {
    let of = code(&of)?;
    let known = api.read(move |read| query::chain(read, of)).await?;
    known
        .map(|(chain, as_of)| shown(&chain, as_of))
        .ok_or_else(|| {
            Problem::not_found(
                format!("本节点不知道 {of} 的证书链"),
                format!("the chain of {of} is not known here"),
            )
        })
}

fn shown(chain: &Chain, as_of: Moment) -> Json<Value> {
    Json(json!({ "bytes": to_base64(&codec::encode(chain)), "chain": chain, "as_of": as_of }))
}
