//! The loop over new TCP connections, and HTTP on each of them until an upgrade.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::header::UPGRADE;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use crate::hub::Hub;

use super::http::{Body, Fallback, hide_secrets, text};
use super::refusal;
use super::router::{Found, RouteTable};
use super::shutdown::ShutdownStage;
use super::stream::ClientStream;
use super::upgrade::{Upgrade, answer_upgrade};

/// The state that all TCP connections of a server share.
pub(super) struct Context {
    pub(super) routes: Arc<RouteTable>,
    pub(super) fallback: Option<Fallback>,
    pub(super) hub: Hub,
    pub(super) stage: watch::Receiver<ShutdownStage>,
}

/// The time for a request head. A slower one is an attack or a broken client.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// The size of a request head, in bytes: room for a large cookie, and four times what common
/// proxies pass.
const MAX_HEAD: usize = 32 * 1024;

/// The pause after a failed accept. At the limit of open files every accept fails at once, until
/// some files are closed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Accepts clients and spawns a task for each, until the loop's own task is aborted.
pub(super) async fn accept_loop(
    listener: TcpListener,
    permits: Arc<Semaphore>,
    context: Arc<Context>,
    hub: Hub,
) {
    loop {
        match next_client(&listener, &permits).await {
            Ok((stream, address, permit)) => {
                let stream = ClientStream::Socket(stream);
                let served = serve_connection(stream, address, permit, Arc::clone(&context));
                // Ends with its TCP connection, its upgrade, or the stages of a shutdown.
                tokio::spawn(served);
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                let _ = timeout(ACCEPT_PAUSE, hub.shutdown_begun()).await;
            }
        }
    }
}

/// Waits for a free permit and then for a client, so that every accepted client is served.
async fn next_client(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await;
    let permit = permit.map_err(|_| io::Error::other("the server has ended"))?;
    let (stream, address) = listener.accept().await?;
    // Messages are small and written whole, so Nagle's algorithm would only delay them. An error
    // means that the client is gone, and the first read reports that.
    let _ = stream.set_nodelay(true);
    Ok((stream, address, permit))
}

async fn serve_connection(
    stream: ClientStream,
    address: SocketAddr,
    permit: OwnedSemaphorePermit,
    context: Arc<Context>,
) {
    if let Some(upgrade) = serve_http(stream, address, context).await {
        upgrade.finish(permit).await;
    }
}

/// Serves HTTP until the client leaves, an upgrade is answered, or a shutdown ends it.
///
/// hyper's connection is dropped here, before [`Upgrade::finish`] waits for the upgraded stream.
/// The connection holds the sender of that stream, and keeps it if writing the 101 fails. If
/// `finish` ran while the connection was alive, it would then wait forever.
async fn serve_http(
    stream: ClientStream,
    address: SocketAddr,
    context: Arc<Context>,
) -> Option<Upgrade> {
    let mut stage = context.stage.clone();
    let upgrade = Arc::new(Mutex::new(None));
    let service = service_fn(|request| {
        let (context, upgrade) = (Arc::clone(&context), Arc::clone(&upgrade));
        async move { Ok::<_, hyper::Error>(respond(request, address, &context, &upgrade).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    let is_served = tokio::select! {
        // An error here means that the client broke off or sent bad HTTP: not worth a log line.
        _ = connection.as_mut() => true,
        _ = stage.wait_for(|stage| *stage != ShutdownStage::Serving) => false,
    };
    if !is_served {
        connection.as_mut().graceful_shutdown();
        tokio::select! {
            _ = connection => {}
            _ = stage.wait_for(|stage| *stage == ShutdownStage::Aborting) => {}
        }
    }
    upgrade
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// The upgrade to finish once hyper has written the 101.
type PendingUpgrade = Mutex<Option<Upgrade>>;

/// Responds to a request: its route upgrades it, or else the fallback or a 404 answers.
async fn respond(
    mut request: Request<Incoming>,
    address: SocketAddr,
    context: &Context,
    pending: &PendingUpgrade,
) -> Response<Body> {
    hide_secrets(request.headers_mut());
    match (context.routes.find(request.uri().path()), &context.fallback) {
        (Found::Route(endpoint, path_values), _) => {
            let answered = answer_upgrade(request, endpoint, path_values, address).await;
            let (response, upgrade) = answered;
            *pending.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
            response
        }
        (Found::NoRoute, Some(fallback)) => fallback(request).await,
        (Found::NoRoute, None) | (Found::Unreadable, _) => {
            if request.headers().contains_key(UPGRADE) {
                refusal::log_unknown_path(context.hub.log_limits(), request.uri().path());
            }
            text(StatusCode::NOT_FOUND, "not found")
        }
    }
}
