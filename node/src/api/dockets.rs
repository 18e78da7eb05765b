//! Reading what happened: dockets, drafts, duties, findings, people, evidence and the ledger.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use federation::core::query;
use federation::core::view::{
    DocketDetail, DocketView, DraftView, DutyView, FindingView, PersonView, ReadingView,
};
use identity::{VerifyKey, codec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::extract::{List, Page, Params, docket_id, to_base64};
use super::problem::{Kind, Problem};
use super::{Api, Role};

pub(super) async fn drafts(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<DraftView>, Problem> {
    let limit = page.limit();
    Ok(List::whole(
        api.read(move |read| query::drafts(read, limit)).await?,
    ))
}

/// Whether this role sees what somebody of the public wrote: the people who deal with it, and not whoever may only look.
pub(crate) fn may_see_the_public(role: Role) -> bool {
    role >= Role::Operator
}

/// A docket as a role may see it.
pub(crate) fn seen_by(role: Role, mut detail: DocketDetail) -> DocketDetail {
    if !may_see_the_public(role) {
        detail.docket.state.case.conceal();
        detail.events.iter_mut().for_each(|it| it.body.conceal());
    }
    detail
}

pub(super) async fn dockets(
    State(api): State<Api>,
    Extension(role): Extension<Role>,
    Params(page): Params<Page>,
) -> Result<List<DocketView>, Problem> {
    let limit = page.limit();
    let after = page.after.as_deref().map(docket_id).transpose()?;
    let mut items = api
        .read(move |read| query::dockets(read, after, limit))
        .await?;
    if !may_see_the_public(role) {
        items.iter_mut().for_each(|it| it.state.case.conceal());
    }
    Ok(List::page(items, limit, |docket| docket.id.0.to_string()))
}

pub(super) async fn docket(
    State(api): State<Api>,
    Extension(role): Extension<Role>,
    Path(id): Path<String>,
) -> Result<Json<DocketDetail>, Problem> {
    let id = docket_id(&id)?;
    let found = api.read(move |read| query::docket(read, id)).await?;
    found
        .map(|detail| Json(seen_by(role, detail)))
        .ok_or_else(|| unknown_docket(&id.0))
}

pub(super) fn unknown_docket(id: &identity::Digest) -> Problem {
    Problem::not_found(
        format!("本节点没有案卷 {id}"),
        format!("there is no docket {id} here"),
    )
    .advise(
        "用 GET /api/v1/dockets 查看本节点的案卷",
        "see GET /api/v1/dockets for the dockets of this node",
    )
}

pub(super) async fn duties(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<DutyView>, Problem> {
    let limit = page.limit();
    let now = api.backend().now();
    Ok(List::whole(
        api.read(move |read| query::duties(read, now, limit))
            .await?,
    ))
}

pub(super) async fn findings(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<FindingView>, Problem> {
    let limit = page.limit();
    let after = number(page.after.as_deref())?;
    let items = api
        .read(move |read| query::findings(read, after, limit))
        .await?;
    Ok(List::page(items, limit, |finding| {
        finding.number.to_string()
    }))
}

pub(super) async fn readings(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<ReadingView>, Problem> {
    let limit = page.limit();
    let after = number(page.after.as_deref())?;
    let items = api
        .read(move |read| query::readings(read, after, limit))
        .await?;
    Ok(List::page(items, limit, |reading| {
        reading.number.to_string()
    }))
}

fn number(after: Option<&str>) -> Result<Option<u64>, Problem> {
    let wrong = |_| Problem::malformed("参数 after 应为数字", "after must be a number");
    after.map(|text| text.parse().map_err(wrong)).transpose()
}

pub(super) async fn people(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<List<PersonView>, Problem> {
    let limit = page.limit();
    Ok(List::whole(
        api.read(move |read| query::people(read, limit)).await?,
    ))
}

pub(super) async fn person_chain(
    State(api): State<Api>,
    Path(key): Path<String>,
) -> Result<Json<Value>, Problem> {
    let key: VerifyKey = key.parse().map_err(|error: identity::KeyError| {
        Problem::malformed(error.to_string(), error.to_string())
    })?;
    let chain = api
        .read(move |read| query::person_chain(read, &key))
        .await?
        .ok_or_else(|| {
            Problem::not_found(
                format!("本节点没有登记公钥 {key} 的人员"),
                format!("no person with the key {key} is enrolled here"),
            )
            .advise(
                "由部门负责人或主管部门负责人运行 guantong enroll person 登记",
                "have the department's or the authority's head run guantong enroll person",
            )
        })?;
    Ok(Json(
        json!({ "bytes": to_base64(&codec::encode(&chain)), "chain": chain }),
    ))
}

/// Evidence of one event.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EvidenceAnswer {
    bytes: String,
    index: u64,
    size: u64,
    cosigned_by: Vec<identity::Path>,
    /// Base64 of the signed event.
    event: String,
    /// Base64 of the signed events by which personal content in it was erased.
    erasures: Vec<String>,
}

pub(super) async fn evidence(
    State(api): State<Api>,
    Extension(role): Extension<Role>,
    Path((docket, sequence)): Path<(String, u32)>,
) -> Result<Json<EvidenceAnswer>, Problem> {
    let id = docket_id(&docket)?;
    if !may_see_the_public(role) {
        let found = api.read(move |read| query::docket(read, id)).await?;
        if found.is_some_and(|detail| detail.docket.state.case.intake().is_some()) {
            return Err(concealed());
        }
    }
    let evidence = api.read(move |read| query::evidence(read, id, sequence)).await?.ok_or_else(|| {
        Problem::not_found(
            format!("案卷 {id} 第 {sequence} 项没有证据", id = id.0),
            format!("no evidence of event {sequence} of docket {id}", id = id.0),
        )
        .advise(
            "核对案卷与序号；刚发生的事项须待账本签署下一个检查点",
            "check docket and number; what has just happened waits for the ledger's next checkpoint",
        )
    })?;
    let said = api
        .read(move |read| query::said(read, id, sequence))
        .await?;
    let (event, erasures) = said.ok_or_else(|| unknown_docket(&id.0))?;
    let checkpoint = evidence
        .checkpoint
        .claimed(MAX_CHECKPOINT_BYTES)
        .map_err(Problem::fault)?;
    Ok(Json(EvidenceAnswer {
        bytes: to_base64(&codec::encode(&evidence)),
        index: evidence.index,
        size: checkpoint.size,
        cosigned_by: evidence
            .cosignatures
            .iter()
            .map(|(cosignature, _)| cosignature.by.clone())
            .collect(),
        event: to_base64(&codec::encode(&event)),
        erasures: erasures
            .iter()
            .map(|erasure| to_base64(&codec::encode(erasure)))
            .collect(),
    }))
}

/// Evidence proves an event by its very bytes, what the public wrote included.
fn concealed() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "此证据含有公众陈述，需要 operator 令牌",
        "this evidence holds what somebody of the public wrote: it needs the role operator",
    )
}

/// Most bytes of an encoded checkpoint: a path of eight codes, a root and three numbers.
const MAX_CHECKPOINT_BYTES: usize = 1 << 10;

pub(super) async fn ledger(
    State(api): State<Api>,
    Params(page): Params<Page>,
) -> Result<Json<Value>, Problem> {
    let limit = page.limit();
    let after = number(page.after.as_deref())?;
    let records = api
        .read(move |read| query::ledger(read, after, limit))
        .await?;
    let next = if records.len() < limit {
        None
    } else {
        records.last().map(|(index, _)| index.to_string())
    };
    let items: Vec<Value> = records
        .into_iter()
        .map(|(index, record)| json!({ "index": index, "record": record }))
        .collect();
    Ok(Json(json!({ "items": items, "next": next })))
}
