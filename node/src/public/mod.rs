//! Where the public meets a node: the opening catalogue (开放目录) with the files open to everyone, and the intake of what people ask of
//! departments. Nobody here has a token; everything is taken for hostile until proved otherwise: bodies, requests per address and in
//! all, and the memory that counts them are bounded ([`limits`]), what people wrote is shown on no public page, and a case is read with the secret
//! of its receipt alone.
//!
//! Under a profile of law that opens no data (the national one) there is no opening catalogue: each of its routes is refused under R2.

pub mod catalogue;
pub mod form;
pub mod intake;
pub mod limits;
mod page;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;

use crate::api::{Api, in_time};

/// The pages.
pub(crate) fn pages(api: &Api) -> Router<Api> {
    Router::new()
        .route("/open", get(page::show))
        .route(
            form::COMPLAINT,
            get(form::write_complaint).post(form::send_complaint),
        )
        .route(
            form::APPLY,
            get(form::write_application).post(form::send_application),
        )
        .route(form::CASE, get(form::ask_receipt).post(form::show_case))
        .layer(DefaultBodyLimit::max(form::MAX_FORM_BYTES))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(api.clone(), limits::limit))
}
