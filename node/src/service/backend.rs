//! Calling a backend: one connection, one request, straight to the address that was registered.

use axum::body::Body;
use axum::http::{HeaderValue, Request, Response, header};
use federation::core::CallGrant;
use federation::service::{
    CallHead, CallMethod, CallTarget, HeaderText, Unavailable, percent_encoded as encode,
};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::registration::Registration;

/// Most bytes that are buffered of a backend's answer: its head has to fit.
const MAX_BUFFER_BYTES: usize = 64 << 10;
/// Most headers of a backend's answer.
const MAX_HEADERS: usize = 64;

/// A backend's answer, and the connection that carries it: dropped, it is closed.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: Option<HeaderText>,
    pub(super) body: Body,
    pub(super) connection: Connection,
}

/// A running connection.
pub(super) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Calls the backend; the answer's body is still to come. Whoever drops this hangs up.
///
/// # Errors
/// [`Unavailable::BackendDown`].
pub(super) async fn call(
    registered: &Registration,
    head: &CallHead,
    grant: &CallGrant,
    body: Body,
) -> Result<Reply, Unavailable> {
    let down = |error: &dyn std::fmt::Display| {
        tracing::warn!(entry = %registered.entry, %error, "the backend of a service does not answer");
        Unavailable::BackendDown
    };
    let (host, port) = (registered.host(), registered.port());
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| down(&error))?;
    // Small requests and answers are not to wait for each other.
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_BUFFER_BYTES)
        .max_headers(MAX_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| down(&error))?;
    let connection = Connection(tokio::spawn(async move {
        // How it ends is seen by the answer's reader.
        let _ = connection.await;
    }));
    let request = request(registered, head, grant, body).ok_or(Unavailable::Fault)?;
    let answer: Response<Incoming> = sender
        .send_request(request)
        .await
        .map_err(|error| down(&error))?;
    let content_type = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| HeaderText::try_from(text.to_owned()).ok());
    Ok(Reply {
        status: answer.status().as_u16(),
        content_type,
        body: Body::new(answer.into_body()),
        connection,
    })
}

/// The base with what is called below it. The root is the base as it was registered, slash or none.
fn uri(registered: &Registration, target: &CallTarget) -> String {
    match (registered.base(), target.path()) {
        (base, "/") if !base.is_empty() => match target.query() {
            Some(query) => format!("{base}?{query}"),
            None => base.to_owned(),
        },
        (base, _) => format!("{base}{target}"),
    }
}

fn request(
    registered: &Registration,
    head: &CallHead,
    grant: &CallGrant,
    body: Body,
) -> Option<Request<Body>> {
    let method = match head.method {
        CallMethod::Get => "GET",
        CallMethod::Post => "POST",
    };
    let fields: Vec<_> = grant.items.iter().map(|item| encode(item)).collect();
    let mut request = Request::builder()
        .method(method)
        .uri(uri(registered, &head.target))
        .header(header::HOST, registered.host_header())
        .header("x-guantong-call", head.id.to_string())
        .header("x-guantong-docket", head.docket.0.to_string())
        .header("x-guantong-purpose", encode(&head.purpose))
        .header("x-guantong-fields", fields.join(","));
    let passed = [
        (header::CONTENT_TYPE, &head.content_type),
        (header::ACCEPT, &head.accept),
    ];
    for (name, value) in passed {
        if let Some(value) = value {
            request = request.header(name, HeaderValue::from_str(value.as_str()).ok()?);
        }
    }
    request.body(body).ok()
}
