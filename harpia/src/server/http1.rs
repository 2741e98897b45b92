//! HTTP with hyper: pages of the fallback, and upgrades whose request hyper has read, such as a
//! later request of the same client.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::extract::PathValues;
use crate::limits::MAX_HEAD;
use crate::protocol::handshake::{self, Fault};

use super::admission::Place;
use super::context::{Client, Context};
use super::http::{Body, Fallback, RequestBody, hide_secrets, text};
use super::http_io::HttpIo;
use super::refusal::{self, Refusal};
use super::router::Found;
use super::shutdown::ShutdownStage;
use super::stream::ClientStream;
use super::upgrade::{Endpoint, Running, Upgrade, hold, prepare};

/// Serves a client that has sent `bytes` until it leaves, an upgrade is answered, or a shutdown
/// ends it. Returns the connection of an upgrade.
///
/// Boxed, since hyper's state is large, and most clients do not need it.
pub(super) fn serve(
    stream: ClientStream,
    bytes: Bytes,
    client: Client,
    permit: OwnedSemaphorePermit,
    context: Arc<Context>,
) -> Pin<Box<dyn Future<Output = Option<Running>> + Send>> {
    Box::pin(async move {
        let pending = serve_http(stream, bytes, client, context).await?;
        pending.finish(permit).await
    })
}

/// An upgrade whose stream hyper returns once the 101 is written.
struct Pending {
    upgrade: Upgrade,
    upgraded: OnUpgrade,
    /// The place of the client's address, if a trusted proxy has sent the request.
    place: Option<Place>,
}

impl Pending {
    /// Waits for the stream and starts the connection. Does nothing if hyper has lost the client.
    async fn finish(self, permit: OwnedSemaphorePermit) -> Option<Running> {
        let upgraded = self.upgraded.await.ok()?;
        let parts = upgraded.downcast::<TokioIo<HttpIo>>().ok()?;
        let (stream, unread) = parts.io.into_inner().into_parts();
        let early_bytes = [parts.read_buf, unread].concat();
        let running = self.upgrade.start(stream, &early_bytes, permit);
        hold(Some(running), self.place)
    }
}

/// Serves HTTP. Returns an upgrade that was answered with a 101.
///
/// hyper's connection is dropped here, before [`Pending::finish`] waits for the upgraded stream.
/// The connection holds the sender of that stream, and keeps the sender if writing the 101 fails.
/// While the connection is alive, `finish` would wait forever in that case.
async fn serve_http(
    stream: ClientStream,
    bytes: Bytes,
    client: Client,
    context: Arc<Context>,
) -> Option<Pending> {
    let mut stage = context.stage.clone();
    let pending = Arc::new(Mutex::new(None));
    let handshake_timeout = context.handshake_timeout;
    let service = service_fn(|request| {
        let (context, pending) = (Arc::clone(&context), Arc::clone(&pending));
        async move {
            let (response, upgrade) = respond(request, client, &context).await;
            *pending.lock().unwrap_or_else(PoisonError::into_inner) = upgrade;
            Ok::<_, hyper::Error>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(handshake_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(HttpIo::new(stream, bytes)), service)
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
    pending
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// Responds to a request: a route upgrades it, or else the fallback or a 404 answers.
async fn respond(
    mut request: Request<Incoming>,
    client: Client,
    context: &Context,
) -> (Response<Body>, Option<Pending>) {
    let is_proxied = context.proxies.trusts(client.address);
    let client = client.behind(&context.proxies, request.headers());
    client.mark(request.headers_mut());
    request.extensions_mut().insert(client.address);
    if handshake::is_upgrade(request.headers()) {
        return match context.routes.find_upgrade(request.uri().path()) {
            Found::Route(endpoint, path_values) => {
                let place = match is_proxied {
                    true => context.admission.place(client.address),
                    false => Ok(None),
                };
                match place {
                    Ok(place) => {
                        respond_to_upgrade(request, &*endpoint, path_values, client, place, context)
                            .await
                    }
                    Err(none) => (Refusal::from(none).into_response(), None),
                }
            }
            found => (respond_without_route(request, &found, context).await, None),
        };
    }
    hide_secrets(request.headers_mut());
    let response = match (context.routes.find(request.uri().path()), &context.fallback) {
        (Found::Route(..), None) => not_an_upgrade(request.method()),
        (Found::Route(..), Some(fallback)) => page_beside_route(request, fallback).await,
        (Found::NoRoute, Some(fallback)) => fallback(request.map(RequestBody::new)).await,
        (Found::NoRoute | Found::Unreadable, _) => text(StatusCode::NOT_FOUND, "not found"),
    };
    (response, None)
}

async fn respond_to_upgrade(
    mut request: Request<Incoming>,
    endpoint: &dyn Endpoint,
    path_values: PathValues,
    client: Client,
    place: Option<Place>,
    context: &Context,
) -> (Response<Body>, Option<Pending>) {
    let upgraded = hyper::upgrade::on(&mut request);
    let (head, _) = request.into_parts();
    let preparing = prepare(Box::new(head), endpoint, path_values, client.address);
    let prepared = match timeout(context.handshake_timeout, preparing).await {
        Ok(prepared) => prepared,
        Err(_) => Err(refusal::too_slow(endpoint.log_limits(), endpoint.path())),
    };
    match prepared {
        Ok(upgrade) => {
            let response = upgrade.negotiated.to_response().map(|()| Body::default());
            let pending = Pending {
                upgrade,
                upgraded,
                place,
            };
            (response, Some(pending))
        }
        Err(refusal) => (refusal.into_response(), None),
    }
}

/// Responds to an upgrade that no route takes. The fallback may take it.
async fn respond_without_route(
    mut request: Request<Incoming>,
    found: &Found,
    context: &Context,
) -> Response<Body> {
    let Some(fallback) = context
        .fallback
        .as_ref()
        .filter(|_| !matches!(found, Found::Unreadable))
    else {
        refusal::log_unknown_path(context.hub.log_limits(), request.uri().path());
        return Refusal::not_found().into_response();
    };
    hide_secrets(request.headers_mut());
    let mut response = fallback(request.map(RequestBody::new)).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        // The bytes after a refused upgrade may be frames, which must not be read as requests.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

/// Responds to a plain request for the path of a route with the fallback's page, if there is one.
async fn page_beside_route(request: Request<Incoming>, fallback: &Fallback) -> Response<Body> {
    let method = request.method().clone();
    let response = fallback(request.map(RequestBody::new)).await;
    let has_no_page = matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    );
    match has_no_page && http_body::Body::is_end_stream(response.body()) {
        true => not_an_upgrade(&method),
        false => response,
    }
}

/// Responds to a plain request for the path of a route that has no page.
fn not_an_upgrade(method: &Method) -> Response<Body> {
    let fault = match *method {
        Method::GET | Method::HEAD => Fault::NotAnUpgrade,
        _ => Fault::Method,
    };
    let mut response = text(fault.status(), fault.message());
    for (name, value) in fault.headers() {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}
