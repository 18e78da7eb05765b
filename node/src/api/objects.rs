//! Objects: files by content, streamed in and out.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use federation::core::Caller;
use futures::{StreamExt, stream};
use serde::Deserialize;

use super::Api;
use super::backend::{Incoming, ObjectError};
use super::extract::{Params, digest};
use super::problem::{Kind, Problem};

/// Longest silence in the middle of a body, seconds: after that the sender is taken to be gone.
const MAX_SILENCE: Duration = Duration::from_secs(30);
/// Longest name of an object, characters.
const MAX_NAME_CHARS: usize = 200;

/// The name a person sees.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    name: String,
}

pub(super) async fn put(
    State(api): State<Api>,
    Params(named): Params<Named>,
    body: Body,
) -> Result<Response, Problem> {
    let name = named.name.trim().to_owned();
    let plain = !name
        .chars()
        .any(|c| c.is_control() || c == '/' || c == '\\');
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || !plain {
        return Err(Problem::malformed(
            "参数 name 应为 1 至 200 个字的文件名，不含路径",
            "name must be a file name of 1 to 200 characters without a path",
        ));
    }
    let stored = api.backend().put_object(name, incoming(body)).await?;
    Ok((StatusCode::CREATED, Json(stored)).into_response())
}

/// The body's bytes; a silence ends them with an error.
pub(super) fn incoming(body: Body) -> Incoming {
    stream::unfold(Some(body.into_data_stream()), |state| async move {
        let mut rest = state?;
        match tokio::time::timeout(MAX_SILENCE, rest.next()).await {
            Ok(Some(Ok(bytes))) => Some((Ok(bytes), Some(rest))),
            Ok(Some(Err(error))) => Some((Err(error.to_string()), None)),
            Ok(None) => None,
            Err(_) => Some((Err("the sender fell silent".to_owned()), None)),
        }
    })
    .boxed()
}

pub(super) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(wanted): Path<String>,
) -> Result<Response, Problem> {
    let wanted = digest(&wanted)?;
    let (length, body) = api.backend().get_object(wanted, caller).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::ETAG, format!("\"{wanted}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, body).into_response())
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::TooLarge { max } => Self::new(
                Kind::TooLarge,
                format!("文件超过本节点上限 {max} 字节"),
                format!("the object is larger than this node's limit of {max} bytes"),
            ),
            ObjectError::Interrupted(reason) => Self::malformed(
                format!("文件未传完：{reason}"),
                format!("the body ended early: {reason}"),
            ),
            ObjectError::Absent => {
                Self::not_found("对象库中没有这个文件", "there is no such object here")
            }
            ObjectError::Unrecorded(refused) => refused.into(),
            ObjectError::Fault(reason) => Self::fault(reason),
        }
    }
}
