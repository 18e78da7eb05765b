//! Reading what happened: dockets, drafts, duties, findings, people, evidence and the ledger.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use federation::core::view::{
    DocketDetail, DocketView, DraftView, DutyView, FindingView, PersonView, ReadingView,
};
use federation::core::{Caller, ReadWhat, query};
use federation::evidence::DocketEvidence;
use identity::{VerifyKey, codec};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sharing::docket::Case;

use super::extract::{List, Page, Params, docket_id, to_base64};
use super::problem::{Kind, Problem};
use super::{Api, Role, private};

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

/// Evidence in canonical bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct EvidenceAnswer {
    bytes: String,
}

impl EvidenceAnswer {
    fn of(evidence: &impl Serialize) -> Json<Self> {
        let bytes = to_base64(&codec::encode(evidence));
        Json(Self { bytes })
    }
}

/// Evidence proves a docket by its very bytes: what the public wrote is for operators, and records of use (R29) for the node's administrator alone,
/// who is on record first.
pub(super) async fn docket_evidence(
    State(api): State<Api>,
    Extension(role): Extension<Role>,
    Extension(caller): Extension<Caller>,
    Path(docket): Path<String>,
) -> Result<Json<EvidenceAnswer>, Problem> {
    let id = docket_id(&docket)?;
    let found = api.read(move |read| query::docket(read, id)).await?;
    let state = found.map(|detail| detail.docket.state);
    let case = state.as_ref().map(|state| &state.case);
    if !may_see_the_public(role) && case.is_some_and(|case| case.intake().is_some()) {
        return Err(concealed());
    }
    let mut contents = Vec::new();
    if case.is_some_and(Case::may_tell_uses) {
        if role < Role::Admin {
            return Err(uses_inside());
        }
        let what = ReadWhat::Evidence { docket: id };
        let recorded = api.backend().content_read(what, caller).await;
        recorded.map_err(Problem::from)?;
        if let Some(state) = state.filter(|state| state.case.is_read_on_record()) {
            contents = private::shown(&api, &state.personal).await;
        }
    }
    let evidence = api
        .read(move |read| query::docket_evidence(read, id))
        .await?;
    let evidence = evidence.map(|evidence| DocketEvidence {
        contents,
        ..evidence
    });
    evidence.as_ref().map(EvidenceAnswer::of).ok_or_else(|| {
        no_evidence(
            format!("案卷 {id} 没有证据"),
            format!("no evidence of docket {id}"),
        )
    })
}

pub(super) async fn ledger_evidence(
    State(api): State<Api>,
    Path(index): Path<String>,
) -> Result<Json<EvidenceAnswer>, Problem> {
    let index: u64 = index.parse().map_err(|_| {
        Problem::malformed(
            "账本序号应为数字",
            "the index of a ledger record is a number",
        )
    })?;
    let evidence = api
        .read(move |read| query::evidence_at(read, index))
        .await?;
    evidence.as_ref().map(EvidenceAnswer::of).ok_or_else(|| {
        no_evidence(
            format!("账本第 {index} 条没有证据"),
            format!("no evidence of ledger record {index}"),
        )
    })
}

fn no_evidence(zh: String, en: String) -> Problem {
    Problem::not_found(zh, en).advise(
        "核对案卷或序号；刚发生的事项须待账本签署下一个检查点",
        "check the docket or number; what has just happened waits for the ledger's next checkpoint",
    )
}

fn uses_inside() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "此证据含有使用记录（第二十九条），需要 admin 令牌，导出将留痕",
        "this evidence holds records of use (Art. 29): it needs the role admin, and the export goes on record",
    )
    .advise(
        "有权查阅的人员用 guantong reading uses 查阅",
        "those entitled read them with guantong reading uses",
    )
}

/// Evidence proves an event by its very bytes, the commitments to what the public wrote included.
fn concealed() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "此证据属于公众案卷，需要 operator 令牌",
        "this is evidence of a case of the public: it needs the role operator",
    )
}

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
