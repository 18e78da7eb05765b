//! The HTTP interface of a node: what operators, their commands, the console and monitoring speak to.
//!
//! JSON values are the serde forms of the types named here; `bytes` fields are standard base64 (with padding) of the codec's bytes;
//! digests and keys are lower-case hexadecimal, moments are milliseconds since 1970 (UTC). Lists are `{"items": […], "next": "…" | null}`:
//! pass `next` as `after` for the next page; `limit` is at most [`MAX_PAGE`].
//!
//! Every request but those marked *open* needs `Authorization: Bearer TOKEN` (see [`tokens`]); the role needed is in the second column
//! (`admin` ⊃ `operator` ⊃ `viewer`). Every error is `application/problem+json` (RFC 9457):
//! `{"type", "title", "status", "detail", "article"?: "R21", "article_zh"?: "《政务数据共享条例》第二十一条", "what_to_do"?}`.
//!
//! | Route | Role | Body or query → answer |
//! |---|---|---|
//! | `GET /healthz` | open | → `{"status":"live"}` |
//! | `GET /readyz` | open | → 200 `{"ready":true,…}`, or 503 problem naming what is missing |
//! | `GET /metrics` | open | → Prometheus text |
//! | `GET /api/v1/openapi.json` | open | → OpenAPI 3.1 |
//! | `POST /api/v1/acts` | operator | `{"act": bytes of Signed<Act>, "signer": bytes of PersonChain, "private"?: [bytes of each personal content committed to]}` → 201 (200 when repeated) [`federation::core::Answer`]; 422 lawful refusal with its article; 403 not authentic; 409 not a member; 503 fault |
//! | `POST /api/v1/acts/prepare` | viewer | `{"body": ActBody, "at"?: ms}` → [`acts::Prepared`] `{"document": bytes of Act, "digest", "kind", "article", "summary_zh", "summary_en"}` |
//! | `GET /api/v1/node` | viewer | → [`federation::core::view::NodeView`] |
//! | `GET /api/v1/keeping` | viewer | → [`keeping::Keeping`]: the last durable batch, escrow, comparison after a restore |
//! | `GET /api/v1/links` | viewer | → `{"items":[LinkView]}` |
//! | `GET /api/v1/health` | viewer | → `{"items":[HealthView], "at"}` the subtree, this node included |
//! | `GET /api/v1/catalogue/own?after=&limit=` | viewer | → list of `OwnEntry` |
//! | `GET /api/v1/catalogue/own/{id}` | viewer | → `OwnEntry` (a `/` in an id is written `%2F`) |
//! | `GET /api/v1/catalogue/published?publisher=&after=&limit=` | viewer | → list of `PublishedEntry`; `after` is `publisher:id` |
//! | `GET /api/v1/catalogue/published/{publisher}/{id}` | viewer | → `PublishedEntry` |
//! | `GET /api/v1/catalogue/publishers` | viewer | → `{"items":[{"publisher","sequence","as_of"}]}` |
//! | `GET /api/v1/catalogue/search?q=&limit=&wait_ms=` | viewer | → [`catalogue::SearchAnswer`]: `{"q","hits":[merged SearchHit],"levels":[{"node","local","status":"answered"\|"unreachable","as_of"?,"catalogue"?,"hits"}]}` |
//! | `GET /api/v1/drafts?limit=` | viewer | → list of `DraftView` |
//! | `GET /api/v1/dockets?after=&limit=` | viewer | → list of `DocketView` |
//! | `GET /api/v1/dockets/{id}` | viewer | → `DocketDetail`, without what its records of use say (R29): an act `Reading(Read)` is answered with them in `uses`, once |
//! | `GET /api/v1/dockets/{id}` | viewer | → `DocketDetail` |
//! | `GET /api/v1/dockets/{id}/private` | operator | → `[ContentView]`: the personal content of a docket while it is kept, and that it was erased |
//! | `GET /api/v1/duties?limit=` | viewer | → list of `DutyView` |
//! | `GET /api/v1/aggregation?department=` | viewer | → list of [`federation::core::query::RiskView`]: of drafts, and of what the department holds |
//! | `GET /api/v1/evaluation?period=` | viewer | → [`federation::core::query::EvaluationView`], `period` as `2026-03` or `2026` |
//! | `GET /api/v1/evaluations?period=` | viewer | → list of `EvaluationState`: the reports known here, newest first |
//! | `GET /api/v1/findings?after=&limit=` | viewer | → list of `FindingView`, newest first |
//! | `GET /api/v1/readings?after=&limit=` | viewer | → list of `ReadingView`, newest first |
//! | `GET /api/v1/calendar` | viewer | → list of `NoticeView` |
//! | `GET /api/v1/people?limit=` | viewer | → list of `PersonView` |
//! | `GET /api/v1/people/chain/{key}` | viewer | → `{"chain": PersonChain, "bytes"}` |
//! | `GET /api/v1/evidence/dockets/{docket}` | viewer; admin where it holds records of use, and on record | → `{"bytes" of DocketEvidence}`; 404 until a checkpoint covers its last event |
//! | `GET /api/v1/evidence/ledger/{index}` | viewer | → `{"bytes" of Evidence}`; 404 until a checkpoint covers it |
//! | `GET /api/v1/ledger?after=&limit=` | viewer | → list of `{"index","record"}` |
//! | `GET /api/v1/chain` | viewer | → `{"chain": Chain, "bytes", "as_of"}` of this node |
//! | `GET /api/v1/chain/{code}` | viewer | the same of another node, as known here |
//! | `GET /api/v1/return-flow/parts?limit=` | viewer | → list of [`flow::ReceivedPart`] `{"docket","source","origin","dataset","delivery","area","part": ObjectRef,"rows": n \| null,"held": bool,"notice": bytes of PartNotice}` |
//! | `PUT /api/v1/objects?name=` | operator | raw body, streamed → 201 `ObjectRef` |
//! | `GET /api/v1/objects/{digest}` | operator | → the raw bytes, streamed once the reading is on record (R36) |
//! | `GET\|POST /api/v1/services/{docket}/{path}` | operator | the request for the backend, streamed; `X-Guantong-Purpose` (percent-encoded) and, as one likes, `X-Guantong-Fields` → the backend's answer, streamed, with `X-Guantong-Call`; a problem without it |
//! | `GET /api/v1/objects/{digest}` | operator | → the raw bytes, streamed |
//! | `GET /open/v1/catalogue?after=&limit=` | public | → list of [`crate::public::catalogue::OpenDataset`]: the opening catalogue (S24 to S27) |
//! | `GET /open/v1/catalogue/{id}` | public | → `OpenDataset`; `id` is `node:entry`, a `/` in it written `%2F` |
//! | `GET /open/v1/catalogue/{id}/{format}` | public | → the file that is open to everyone, streamed |
//! | `POST /open/v1/applications` | public | [`crate::public::intake::OpenApplication`] → 201 [`crate::public::intake::Received`] with the secret receipt |
//! | `GET /open/v1/applications/{receipt}` | public | → [`crate::public::intake::PublicCase`]; 404 without the receipt |
//! | `GET /open/v1/applications/{receipt}/file` | public | → the file that was opened to the applicant |
//! | `POST /open/v1/complaints` | public | [`crate::public::intake::Complaint`] → 201 `Received` (R37) |
//! | `GET /open/v1/complaints/{receipt}` | public | → `PublicCase`; 404 without the receipt |
//! | `POST /api/v1/install` | admin | `{"bytes" of Chain}` → `Answer` |
//!
//! *Public* routes need no token; each address and all together may ask so much an hour ([`crate::public::limits`]), beyond it is 429 with
//! `Retry-After`. `/open` is the opening catalogue as a page.
//!
//! The console pages (`/`, `/dockets/{id}`, `/login`) are in [`crate::console`].
//! The console pages (`/`, `/dockets/{id}`, `/evaluations`, `/login`, and the open `/evaluation/{period}`) are in [`crate::console`].

pub mod acts;
mod aggregation;
mod backend;
mod browser;
pub mod catalogue;
pub(crate) mod dockets;
mod evaluation;
mod extract;
pub mod flow;
mod guard;
pub mod keeping;
mod metrics;
mod node;
mod objects;
mod openapi;
pub mod private;
pub mod problem;
mod routes;
mod serve;
mod services;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod tokens;

use std::sync::Arc;

use federation::store::{Fault, Read};

use crate::public::limits::Limiter;

pub use backend::{Backend, ObjectError, SharedRead};
pub use extract::{DEFAULT_PAGE, JsonBody, List, MAX_PAGE, Page, Params, from_base64, to_base64};
pub use guard::{MAX_REQUEST_TIME, in_time};
pub use problem::{Kind, Problem, ProblemBody};
pub use routes::{Access, BodyRule, Method, RouteInfo, public_router, router, table};
pub use serve::{MAX_CONNECTIONS, serve};
pub use tokens::{Role, Tokens};

/// What every handler is given.
#[derive(Clone)]
pub struct Api {
    backend: Arc<dyn Backend>,
    tokens: Arc<Tokens>,
    limiter: Limiter,
}

impl Api {
    /// An API in front of a running node.
    pub fn new(backend: Arc<dyn Backend>, tokens: Tokens) -> Self {
        Self {
            backend,
            tokens: Arc::new(tokens),
            limiter: Limiter::default(),
        }
    }

    /// With these reverse proxies in front of the public routes.
    #[must_use]
    pub fn behind(mut self, proxies: &[std::net::IpAddr]) -> Self {
        self.limiter = Limiter::behind(proxies);
        self
    }

    /// What the public asked so far.
    pub(crate) fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// The node behind.
    pub fn backend(&self) -> &dyn Backend {
        &*self.backend
    }

    /// The role of a token.
    pub fn role(&self, token: &str) -> Option<Role> {
        self.tokens.role(token)
    }

    /// The line of a token in the token file.
    pub fn token(&self, token: &str) -> Option<&tokens::TokenEntry> {
        self.tokens.entry(token)
    }

    /// Reads the store off the network's threads.
    ///
    /// # Errors
    /// [`Problem`] of the kind fault when the medium fails.
    pub async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&dyn Read) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Problem> {
        let store = self.backend.store();
        let read = tokio::task::spawn_blocking(move || query(&*store))
            .await
            .map_err(Problem::fault)?;
        Ok(read?)
    }
}
