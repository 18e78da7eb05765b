//! What the public asks of departments: taken over HTTP without a token, answered with a receipt, read with that receipt and with nothing less.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use federation::core::query;
use identity::{CreditCode, Moment};
use serde::{Deserialize, Serialize};
use sharing::catalogue::EntryId;
use sharing::complaint::{ComplaintPhase, ComplaintState};
use sharing::docket::{Case, DocketId, DocketState};
use sharing::open_data::{OpenAnswer, OpenPhase, OpenRequestState};
use sharing::private::{Private, SALT_BYTES};
use sharing::public::{
    PublicRequest, PublicStatement, RECEIPT_BYTES, Receipt, TEXTS_OF_A_STATEMENT, Written,
};
use statute::{Article, OpeningReplyForm};
use utoipa::ToSchema;

use super::catalogue::{identifier, object};
use crate::api::{Api, JsonBody, Problem, private};

/// Most bytes of a body: 2,600 characters, each escaped as `\uXXXX`, and the names of the fields.
pub const MAX_PUBLIC_BODY: usize = 20 << 10;

/// An application for opening (数据开放申请).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenApplication {
    /// The dataset's identifier, as `210102:3/210102/000001`.
    pub identifier: String,
    /// What is wanted and what for.
    pub text: String,
    /// Who asks.
    #[serde(default)]
    pub name: String,
    /// How they can be reached.
    #[serde(default)]
    pub contact: String,
    /// Whether the reply is to be in writing.
    #[serde(default)]
    pub written: bool,
}

/// A complaint of an infringement in the sharing of government data (投诉、举报, R37).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// Whom it is about, in words.
    pub about: String,
    /// The department's credit code, where it is known.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub department: Option<CreditCode>,
    /// What happened.
    pub text: String,
    /// Who complains; may be left out.
    #[serde(default)]
    pub name: String,
    /// How they can be reached; may be left out.
    #[serde(default)]
    pub contact: String,
}

/// What somebody of the public is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Received {
    /// The secret with which the case is read. It is shown once.
    pub receipt: String,
    /// The number of the case.
    #[schema(value_type = String)]
    pub docket: DocketId,
    /// Where its state is read.
    pub state: String,
}

/// How a case of the public stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicCase {
    /// The number of the case.
    #[schema(value_type = String)]
    pub docket: DocketId,
    /// What it is about; of a complaint in the words of whoever complained, while they are kept.
    pub about: String,
    /// When it was received, milliseconds since 1970.
    #[schema(value_type = i64)]
    pub received: Moment,
    /// By when it is to be answered, where a rule sets a term.
    #[schema(value_type = Option<i64>)]
    pub due: Option<Moment>,
    /// Whether the term passed without an answer.
    pub overdue: bool,
    /// Where it stands: a short name.
    pub state: String,
    /// The answer, or the reasons of a refusal.
    pub answer: Option<String>,
    /// Where the file that was opened is had.
    pub file: Option<String>,
}

/// `POST /open/v1/applications`.
pub(crate) async fn apply(
    State(api): State<Api>,
    JsonBody(application): JsonBody<OpenApplication>,
) -> Result<Response, Problem> {
    applied(&api, application).await.map(created)
}

fn created(received: Received) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (StatusCode::CREATED, headers, Json(received)).into_response()
}

/// Takes an application for opening, at the node of the department that it is for.
pub(super) async fn applied(api: &Api, asked: OpenApplication) -> Result<Received, Problem> {
    api.backend().profile().check_opens()?;
    let (node, entry): (_, EntryId) = identifier(&asked.identifier)?;
    let view = api.read(query::node).await?;
    if view.place.is_none_or(|place| place.code() != node) {
        return Err(Problem::not_found(
            format!("该数据由节点 {node} 的部门提供，请向该节点申请"),
            format!("a department of the node {node} provides this: apply there"),
        ));
    }
    let form = match asked.written {
        true => OpeningReplyForm::Written,
        false => OpeningReplyForm::Any,
    };
    let written = Written {
        name: asked.name,
        contact: asked.contact,
        subject: String::new(),
        text: asked.text,
    };
    let request = |statement| PublicRequest::OpenData {
        entry,
        form,
        statement,
    };
    taken(api, (written, Article::S26), request, "applications").await
}

/// `POST /open/v1/complaints`: under every profile of law.
pub(crate) async fn complain(
    State(api): State<Api>,
    JsonBody(complaint): JsonBody<Complaint>,
) -> Result<Response, Problem> {
    complained(&api, complaint).await.map(created)
}

/// Takes a complaint, at whichever node it was brought to.
pub(super) async fn complained(api: &Api, said: Complaint) -> Result<Received, Problem> {
    let written = Written {
        name: said.name,
        contact: said.contact,
        subject: said.about,
        text: said.text,
    };
    let request = |statement| PublicRequest::Complaint {
        about: said.department,
        statement,
    };
    taken(api, (written, Article::R37), request, "complaints").await
}

/// `GET /open/v1/complaints/{receipt}`.
pub(crate) async fn complaint(
    State(api): State<Api>,
    Path(receipt): Path<String>,
) -> Result<Response, Problem> {
    match case(&api, &receipt).await? {
        (case, state) if matches!(state.case, Case::Complaint(_)) => Ok(shown(case)),
        _ => Err(unknown()),
    }
}

/// The case of a receipt, as whoever holds the receipt sees it.
pub(super) async fn case(api: &Api, receipt: &str) -> Result<(PublicCase, DocketState), Problem> {
    let (docket, state) = held(api, receipt).await?;
    let case = match &state.case {
        Case::Complaint(complaint) => {
            let subject = complaint.intake.request.statement().subject;
            let about = kept(api, subject, &state).await;
            complained_of(docket, about, complaint, &state)
        }
        Case::OpenData(open) => opening(docket, open, &state, receipt),
        _ => return Err(unknown()),
    };
    Ok((case, state))
}

/// A text of whoever asks, while it is kept: empty once it was erased.
async fn kept(api: &Api, text: Option<Private>, state: &DocketState) -> String {
    let item = text.and_then(|private| state.personal.item(&private.digest));
    let Some(item) = item.filter(|item| item.erased.is_none()) else {
        return String::new();
    };
    let content = api.backend().content(item.private).await;
    content.map_or_else(|_| String::new(), |content| content.text().to_owned())
}

fn complained_of(
    docket: DocketId,
    about: String,
    complaint: &ComplaintState,
    state: &DocketState,
) -> PublicCase {
    let answer = match &complaint.phase {
        ComplaintPhase::Waiting { .. } => None,
        ComplaintPhase::Answered { answer, .. } => Some(answer.clone()),
    };
    PublicCase {
        docket,
        about,
        received: complaint.intake.at,
        due: state.duties().first().map(|duty| duty.term.due),
        overdue: !state.clock.lapses.is_empty(),
        state: complaint.phase.name().to_owned(),
        answer,
        file: None,
    }
}

/// Gives the core a request under a new receipt. What was written is in the vault before the case is recorded, and the core is given what
/// commits to it.
async fn taken(
    api: &Api,
    (written, article): (Written, Article),
    request: impl FnOnce(PublicStatement) -> PublicRequest,
    kind: &str,
) -> Result<Received, Problem> {
    let (mut random, mut salts) = ([0; RECEIPT_BYTES], [[0; SALT_BYTES]; TEXTS_OF_A_STATEMENT]);
    getrandom::fill(&mut random).map_err(Problem::fault)?;
    for salt in &mut salts {
        getrandom::fill(salt).map_err(Problem::fault)?;
    }
    let receipt = Receipt::new(random);
    let (statement, contents) = written.confide(salts, article)?;
    let (commitment, request) = (receipt.commitment(), request(statement));
    let take = || api.backend().public_request(commitment, request);
    let answer = private::confided(api, contents, take).await?;
    let docket = answer
        .docket
        .ok_or_else(|| Problem::fault("no docket was opened"))?;
    Ok(Received {
        state: format!("/open/v1/{kind}/{receipt}"),
        receipt: receipt.to_string(),
        docket,
    })
}

/// `GET /open/v1/applications/{receipt}`.
pub(crate) async fn application(
    State(api): State<Api>,
    Path(receipt): Path<String>,
) -> Result<Response, Problem> {
    match case(&api, &receipt).await? {
        (case, state) if matches!(state.case, Case::OpenData(_)) => Ok(shown(case)),
        _ => Err(unknown()),
    }
}

/// `GET /open/v1/applications/{receipt}/file`.
pub(crate) async fn application_file(
    State(api): State<Api>,
    Path(receipt): Path<String>,
) -> Result<Response, Problem> {
    let (_, state) = held(&api, &receipt).await?;
    match &state.case {
        Case::OpenData(open) => {
            let file = open.object().ok_or_else(|| {
                Problem::not_found("本案没有开放的文件", "no file was opened in this case")
            })?;
            object(&api, file, "application/octet-stream").await
        }
        _ => Err(unknown()),
    }
}

fn shown(case: PublicCase) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Json(case)).into_response()
}

/// The case of a receipt.
pub(super) async fn held(api: &Api, receipt: &str) -> Result<(DocketId, DocketState), Problem> {
    // What is no receipt and what is nobody's are told apart by nothing.
    let receipt: Receipt = receipt.parse().map_err(|_| unknown())?;
    let commitment = receipt.commitment();
    let case = api
        .read(move |read| query::public_case(read, &commitment))
        .await?;
    case.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found(
        "没有此回执码对应的案件",
        "there is no case with this receipt",
    )
    .advise("请核对回执码", "check the receipt")
}

fn opening(
    docket: DocketId,
    open: &OpenRequestState,
    state: &DocketState,
    receipt: &str,
) -> PublicCase {
    let answer = match &open.phase {
        OpenPhase::Received { .. } => None,
        OpenPhase::Answered { answer, .. } => Some(match answer {
            OpenAnswer::Opened { how, object: _ } => how.clone(),
            OpenAnswer::Refused { reasons } => reasons.clone(),
        }),
    };
    let file = open.object();
    PublicCase {
        docket,
        about: open.entry_name.clone(),
        received: open.intake.at,
        due: state.duties().first().map(|duty| duty.term.due),
        overdue: !state.clock.lapses.is_empty(),
        state: open.phase.name().to_owned(),
        answer,
        file: file.map(|_| format!("/open/v1/applications/{receipt}/file")),
    }
}
