//! Reading requests: queries, JSON bodies and pages, all bounded, all refusals problems.

use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Query, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use identity::{Digest, codec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sharing::catalogue::EntryId;
use sharing::docket::DocketId;

use super::problem::{Kind, Problem};

/// Most items in one page.
pub const MAX_PAGE: usize = 500;
/// Items in a page when the caller does not say.
pub const DEFAULT_PAGE: usize = 100;

/// A query string.
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::from_request_parts(parts, state).await.map_err(
            |rejection: QueryRejection| {
                Problem::malformed(
                    format!("查询参数有误：{}", rejection.body_text()),
                    rejection.body_text(),
                )
            },
        )?;
        Ok(Self(value))
    }
}

/// A JSON body.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(value) =
            Json::<T>::from_request(request, state)
                .await
                .map_err(|rejection: JsonRejection| {
                    let kind = if rejection.status() == Kind::TooLarge.status() {
                        Kind::TooLarge
                    } else {
                        Kind::Malformed
                    };
                    Problem::new(
                        kind,
                        format!("请求体有误：{}", rejection.body_text()),
                        rejection.body_text(),
                    )
                })?;
        Ok(Self(value))
    }
}

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Page {
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Items wanted.
    pub limit: Option<usize>,
}

impl Page {
    /// Items to give: at least one, at most [`MAX_PAGE`].
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct List<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `null` at the end.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A page of at most `limit` items, of which `cursor` gives the place of the last.
    pub fn page(items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> String) -> Self {
        let next = if items.len() < limit {
            None
        } else {
            items.last().map(cursor)
        };
        Self { items, next }
    }

    /// A list that has no further page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<T: Serialize> IntoResponse for List<T> {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

/// A docket's id from a path.
pub fn docket_id(text: &str) -> Result<DocketId, Problem> {
    digest(text).map(DocketId)
}

/// A digest from a path.
pub fn digest(text: &str) -> Result<Digest, Problem> {
    text.parse().map_err(|error: identity::DigestError| {
        Problem::malformed(error.to_string(), error.to_string())
    })
}

/// A catalogue entry's id from a path or query.
pub fn entry_id(text: &str) -> Result<EntryId, Problem> {
    EntryId::try_from(text.to_owned()).map_err(|error| {
        Problem::malformed(
            format!("目录代码有误：{error}"),
            format!("entry id: {error}"),
        )
    })
}

/// A place's code from a path or query.
pub fn code(text: &str) -> Result<identity::Code, Problem> {
    text.parse().map_err(|error: identity::CodeError| {
        Problem::malformed(error.to_string(), error.to_string())
    })
}

/// The value in a field of base64.
pub fn decode<T: DeserializeOwned>(field: &str, text: &str, max: usize) -> Result<T, Problem> {
    let wrong = |error: &dyn std::fmt::Display| {
        Problem::malformed(
            format!("字段 {field} 有误：{error}"),
            format!("field {field}: {error}"),
        )
    };
    let bytes = from_base64(text).map_err(|error| wrong(&error))?;
    codec::decode(&bytes, max).map_err(|error| wrong(&error))
}

/// Base64 of bytes.
pub fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes of base64.
pub fn from_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_never_larger_than_its_bound_and_ends_with_null() {
        let limit = |limit| Page { after: None, limit }.limit();
        assert_eq!(
            [limit(None), limit(Some(0)), limit(Some(usize::MAX))],
            [DEFAULT_PAGE, 1, MAX_PAGE]
        );
        assert_eq!(
            List::page(vec![1, 2], 2, i32::to_string).next.as_deref(),
            Some("2")
        );
        assert_eq!(List::page(vec![1], 2, i32::to_string).next, None);
    }

    #[test]
    fn wrong_base64_and_wrong_codec_bytes_name_the_field() {
        let error = decode::<String>("act", "***", 10).unwrap_err();
        assert!(error.detail.en.starts_with("field act:"), "{error:?}");
        let error = decode::<String>("act", &to_base64(&[9, 1]), 10).unwrap_err();
        assert_eq!(error.kind, Kind::Malformed);
        assert_eq!(
            decode::<String>("act", &to_base64(&codec::encode("同意")), 10).unwrap(),
            "同意"
        );
    }
}
