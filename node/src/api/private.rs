//! Personal content: stored when it comes beside an act, shown while it is kept, and what became of it.

use axum::Json;
use axum::extract::{Path, State};
use federation::core::{Answer, Refused, query};
use futures::future::BoxFuture;
use identity::{Code, Digest, Moment};
use serde::{Deserialize, Serialize};
use sharing::act::{MAX_ACT_BYTES, SignedAct};
use sharing::docket::DocketState;
use sharing::erasure::{Erased, Item, Personal};
use sharing::ledger::evidence::ContentBytes;
use sharing::private::{
    Content, ContentError, MAX_CONTENT_BYTES, MAX_PRIVATE_PER_ACT, check_complete,
};
use statute::{RetentionYears, beijing_date, erasable_from};

use super::Api;
use super::dockets::unknown_docket;
use super::extract::{docket_id, from_base64, to_base64};
use super::problem::Problem;

/// Most bytes that personal content adds to a body with an act: base64 and a comma each.
pub const MAX_PRIVATE_BODY: usize = MAX_PRIVATE_PER_ACT * (MAX_CONTENT_BYTES / 3 * 4 + 16);

/// One personal content of a docket, as this node has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContentView {
    /// The digest committed to.
    pub digest: Digest,
    /// The node whose person said it.
    pub from: Code,
    /// When it was said.
    pub said: Moment,
    /// The text, while it is here.
    pub text: Option<String>,
    /// Base64 of salt and text as committed to, for evidence, while it is here.
    pub bytes: Option<String>,
    /// The first day on which it may be erased, as YYYY-MM-DD; none while the case is open.
    pub erasable_from: Option<String>,
    /// That it was lawfully erased.
    pub erased: Option<Erased>,
}

/// Why what is beside an act is no personal content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// More than one act commits to.
    #[error(
        "个人内容最多{MAX_PRIVATE_PER_ACT}项 / at most {MAX_PRIVATE_PER_ACT} personal contents go with an act"
    )]
    TooMany,
    /// Not base64.
    #[error("个人内容不是 base64 / personal content is not base64")]
    Base64,
    /// Not a content.
    #[error(transparent)]
    Content(#[from] ContentError),
}

impl From<ContentsError> for Problem {
    fn from(error: ContentsError) -> Self {
        Self::malformed(error.to_string(), error.to_string())
    }
}

/// The contents beside an act, within bounds.
///
/// # Errors
/// [`ContentsError`].
pub fn contents(given: &[String]) -> Result<Vec<Content>, ContentsError> {
    if given.len() > MAX_PRIVATE_PER_ACT {
        return Err(ContentsError::TooMany);
    }
    let content = |text: &String| {
        let bytes = from_base64(text).map_err(|_| ContentsError::Base64)?;
        Ok(Content::from_bytes(&bytes)?)
    };
    given.iter().map(content).collect()
}

/// Takes an act with the personal content beside it. The content is stored before the act is recorded; what no act or docket here speaks of
/// afterwards does not stay.
pub(super) async fn take(
    api: &Api,
    act: SignedAct,
    contents: Vec<Content>,
) -> Result<Answer, Problem> {
    let committed = act.act.claimed(MAX_ACT_BYTES);
    let committed = committed.map_or_else(|_| Vec::new(), |act| act.body.private());
    check_complete(&committed, &contents)?;
    confided(api, contents, || api.backend().act(act)).await
}

/// Stores contents, has the core take what commits to them, and destroys what nothing on record speaks of afterwards.
pub(crate) async fn confided<'a>(
    api: &'a Api,
    contents: Vec<Content>,
    take: impl FnOnce() -> BoxFuture<'a, Result<Answer, Refused>>,
) -> Result<Answer, Problem> {
    let mut stored = Vec::new();
    for content in contents {
        let digest = content.private().digest;
        if api.backend().keep_content(content).await? {
            stored.push(digest);
        }
    }
    let answer = take().await;
    // After a fault nobody knows whether the act is on record; the next start looks.
    if !matches!(answer, Err(Refused::Fault(_))) {
        for digest in stored {
            if !api
                .read(move |read| query::keeps_content(read, &digest))
                .await?
            {
                api.backend().destroy_content(digest).await?;
            }
        }
    }
    Ok(answer?)
}

pub(super) async fn of_docket(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<Vec<ContentView>>, Problem> {
    let id = docket_id(&id)?;
    let found = api.read(move |read| query::docket(read, id)).await?;
    let detail = found.ok_or_else(|| unknown_docket(&id.0))?;
    Ok(Json(views(&api, &detail.docket.state).await))
}

/// What a reading gives says what stands in the vault here, once the reading is on record.
pub(super) async fn tell_uses(api: &Api, answer: &mut Answer) {
    let uses = answer.uses.iter_mut().flat_map(|given| &mut given.uses);
    for given in uses {
        // It may still be on its way here, or erased.
        let content = api.backend().content(given.record.said).await.ok();
        given.texts = content.and_then(|content| given.record.texts(&content));
    }
}

/// What evidence shows of a docket's personal content: what is in the vault here.
pub(super) async fn shown(api: &Api, personal: &Personal) -> Vec<ContentBytes> {
    let mut shown = Vec::new();
    for item in personal.items.iter().filter(|item| item.erased.is_none()) {
        let content = api.backend().content(item.private).await;
        shown.extend(content.ok().as_ref().map(ContentBytes::from));
    }
    shown
}

/// The personal content of a docket in the order in which it was said. What records of use say is in no view (R29).
pub(crate) async fn views(api: &Api, state: &DocketState) -> Vec<ContentView> {
    let personal = &state.personal;
    let status = api.backend().status();
    let years = status.retention.unwrap_or(RetentionYears::MIN);
    let mut views = Vec::with_capacity(personal.items.len());
    for item in &personal.items {
        let content = match item.erased {
            Some(_) => None,
            None if state.case.is_read_on_record() => None,
            // It may still be on its way here.
            None => api.backend().content(item.private).await.ok(),
        };
        let since = personal.kept_since(item);
        let day = since.map(|since| erasable_from(beijing_date(since.as_millis()), years));
        views.push(ContentView {
            erasable_from: day.map(|day| day.to_string()),
            ..view(item, content.as_ref())
        });
    }
    views
}

fn view(item: &Item, content: Option<&Content>) -> ContentView {
    ContentView {
        digest: item.private.digest,
        from: item.from,
        said: item.said,
        text: content.map(|content| content.text().to_owned()),
        bytes: content.map(|content| to_base64(&content.bytes())),
        erasable_from: None,
        erased: item.erased.clone(),
    }
}
