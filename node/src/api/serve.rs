//! Serving HTTP/1.1 with every bound set: connections, header bytes and count, time for headers, time for taking what is answered.

mod stalled;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use self::stalled::Stalled;
use crate::public::limits::Peer;

/// Connections at a time: operators, their commands, monitoring. At [`MAX_HEADER_BYTES`] each they hold 8 MiB at most.
pub const MAX_CONNECTIONS: usize = 256;
/// Most bytes of a request's head.
pub const MAX_HEADER_BYTES: usize = 32 << 10;
/// Most headers of a request.
pub const MAX_HEADERS: usize = 64;
/// Longest time a client may take to send its head.
pub const HEADER_TIME: Duration = Duration::from_secs(10);
/// Longest time that a client may take nothing of an answer.
pub const WRITE_TIME: Duration = Duration::from_secs(30);
/// Longest time that running requests are waited for at the end.
pub const DRAIN_TIME: Duration = Duration::from_secs(5);

/// A service that tells each request's handlers where the connection comes from.
fn from_peer(
    router: Router,
    peer: IpAddr,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send> {
    let inner = TowerToHyperService::new(router);
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        inner.call(request)
    })
}

/// Serves until `stop` completes, then lets running requests end.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors and the like: the listener itself stays good.
                    tracing::warn!(%error, "cannot accept an HTTP connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIME)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEADER_BYTES)
            .serve_connection(
                TokioIo::new(Stalled::new(stream, WRITE_TIME)),
                from_peer(router.clone(), peer.ip()),
            );
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an HTTP connection ended badly");
            }
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIME, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("HTTP requests were still running and are cut off");
    }
}
