//! Acts: the only way in for what people do. The node receives documents that were signed elsewhere.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use federation::core::Answer;
use identity::{Chain, Code, Digest, Domain, Moment, Signed, codec};
use serde::{Deserialize, Serialize};
use sharing::act::{Act, ActBody, MAX_ACT_BYTES, SignedAct};
use sharing::person::PersonChain;
use sharing::private::Content;
use statute::Article;
use utoipa::ToSchema;

use super::Api;
use super::extract::{JsonBody, decode, to_base64};
use super::private::{self, MAX_PRIVATE_BODY};
use super::problem::{Kind, Problem};
use crate::person::describe;

/// Most bytes of an encoded person's chain: three certificates of 1 KiB each.
pub const MAX_PERSON_CHAIN_BYTES: usize = 8 << 10;
/// Most bytes of an encoded membership chain: eight certificates of 2 KiB each.
pub const MAX_CHAIN_BYTES: usize = 32 << 10;
/// Most bytes of a body that carries an act: its base64, the signer's and that of its personal content.
pub const MAX_ACT_BODY: usize =
    (MAX_ACT_BYTES + MAX_PERSON_CHAIN_BYTES) / 3 * 4 + MAX_PRIVATE_BODY + (4 << 10);
/// Bytes that a signature and a length add to what is signed.
const SIGNATURE_ROOM: usize = 128;

/// A signed act on its way in.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActRequest {
    /// Base64 of the codec's bytes of `Signed<Act>`.
    pub act: String,
    /// Base64 of the codec's bytes of the signer's `PersonChain`.
    pub signer: String,
    /// Base64 of each personal content that the act commits to: stored beside the ledger, never in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
}

impl ActRequest {
    /// The request that carries a signed act and the personal content that it commits to.
    pub fn new(act: &SignedAct, contents: &[Content]) -> Self {
        Self {
            private: encoded(contents),
            act: to_base64(&codec::encode(&act.act)),
            signer: to_base64(&codec::encode(&act.signer)),
        }
    }
}

/// Personal content as it goes with an act or a document.
pub(crate) fn encoded(contents: &[Content]) -> Vec<String> {
    contents.iter().map(|it| to_base64(&it.bytes())).collect()
}

/// What is to be prepared.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareRequest {
    /// What is to be done.
    pub body: ActBody,
    /// When it is to be signed, milliseconds since 1970; now when absent.
    #[serde(default)]
    pub at: Option<Moment>,
}

/// A document to be signed on the person's side with `guantong sign`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Prepared {
    /// Base64 of the canonical bytes of the `Act`: the very bytes that are signed.
    pub document: String,
    /// Digest of those bytes (`Domain::Act`): the act's id, and the docket's id where the act opens one.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// The node the act is addressed to.
    #[schema(value_type = String)]
    pub node: Code,
    /// The legal kind.
    pub kind: String,
    /// The article that gives the power.
    #[schema(value_type = String)]
    pub article: Article,
    /// What is signed, in Chinese.
    pub summary_zh: String,
    /// What is signed, in English.
    pub summary_en: String,
    /// Base64 of each personal content that the document commits to: shown to whoever signs, and sent beside the signed act.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<String>,
}

impl Prepared {
    /// The document of an act.
    pub fn of(act: &Act) -> Self {
        let bytes = codec::encode(act);
        let kind = act.body.kind();
        let summary = describe::summary(act);
        Self {
            document: to_base64(&bytes),
            digest: Digest::of(Domain::Act, &bytes),
            node: act.node,
            kind: kind.id().to_owned(),
            article: act.body.article(),
            summary_zh: summary.zh.into(),
            summary_en: summary.en.into(),
            private: Vec::new(),
        }
    }

    /// The same with the personal content that the act commits to.
    pub fn with(self, contents: &[Content]) -> Self {
        let private = encoded(contents);
        Self { private, ..self }
    }
}

/// A membership chain in codec bytes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallRequest {
    /// Base64 of the codec's bytes of the `Chain`.
    pub bytes: String,
}

pub(super) async fn submit(
    State(api): State<Api>,
    JsonBody(request): JsonBody<ActRequest>,
) -> Result<Response, Problem> {
    let act: Signed<Act> = decode("act", &request.act, MAX_ACT_BYTES + SIGNATURE_ROOM)?;
    let signer: PersonChain = decode("signer", &request.signer, MAX_PERSON_CHAIN_BYTES)?;
    let contents = private::contents(&request.private)?;
    let mut answer = private::take(&api, SignedAct { act, signer }, contents).await?;
    private::tell_uses(&api, &mut answer).await;
    answered(answer)
}

pub(super) async fn install(
    State(api): State<Api>,
    JsonBody(request): JsonBody<InstallRequest>,
) -> Result<Response, Problem> {
    let chain: Chain = decode("bytes", &request.bytes, MAX_CHAIN_BYTES)?;
    answered(api.backend().install(chain).await?)
}

fn answered(answer: Answer) -> Result<Response, Problem> {
    let status = if answer.repeated {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(answer)).into_response())
}

pub(super) async fn prepare(
    State(api): State<Api>,
    JsonBody(request): JsonBody<PrepareRequest>,
) -> Result<Json<Prepared>, Problem> {
    let view = api.read(federation::core::query::node).await?;
    let Some(place) = view.place else {
        return Err(Problem::new(
            Kind::NotAMember,
            "本节点尚未入网，不能受理任何行为",
            "this node is not enrolled and takes no acts",
        ));
    };
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(Problem::fault)?;
    let at = request.at.unwrap_or_else(|| api.backend().now());
    let act = Act {
        nonce,
        at,
        node: place.code(),
        body: request.body,
    };
    if codec::encode(&act).len() > MAX_ACT_BYTES {
        return Err(Problem::new(
            Kind::TooLarge,
            "行为文书过大，请分批",
            "the document is too large; split it into several",
        ));
    }
    Ok(Json(Prepared::of(&act)))
}
