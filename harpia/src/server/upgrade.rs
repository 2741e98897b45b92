//! The way from a request to a connection: check the handshake, make the connection's data, and
//! start the connection.
//!
//! The code here is the same whether harpia ([`opening`](super::opening)) or hyper
//! ([`http1`](super::http1)) has read the request.
//!
//! Generic types end here: [`Endpoint`] is a route without its types, and [`Typed`] implements it
//! for a route.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::HeaderValue;
use http::header::HOST;
use http::request::Parts;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::connection::{Connection, RouteContext};
use crate::error::BoxError;
use crate::extract::{Handshake, PathValues, RemoteAddr};
use crate::hub::{Hub, LogLimits, RouteId};
use crate::limits::Limits;
use crate::panic_guard::guarded_future;
use crate::protocol::handshake::{self, Negotiated, Rules};
use crate::route::Route;
use crate::socket::Socket;
use crate::transport::Transport;

use super::admission::Place;
use super::http::{hide_secrets, remove_ambient_credentials};
use super::refusal::{self, Refusal};
use super::route_config::RouteConfig;
use super::stream::ClientStream;

/// A route without its types.
pub(super) trait Endpoint: Send + Sync {
    /// Returns the rules of the route for a handshake.
    fn rules(&self) -> &Rules;

    /// Returns the path of the route, as it was declared.
    fn path(&self) -> &'static str;

    fn log_limits(&self) -> &LogLimits;

    /// Makes the parameters and the data of a connection. Returns the function that starts it.
    fn build_connection<'a>(
        &'a self,
        handshake: &'a mut Handshake,
    ) -> Pin<Box<dyn Future<Output = Result<Launch, BoxError>> + Send + 'a>>;
}

/// A connection that has started.
pub(super) type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a connection.
pub(super) type Launch = Box<dyn FnOnce(Start<'_>) -> Running + Send>;

/// The stream and the agreement that a connection starts with.
pub(super) struct Start<'a> {
    stream: ClientStream,
    /// The bytes that came after the handshake.
    early_bytes: &'a [u8],
    negotiated: Negotiated,
    permit: OwnedSemaphorePermit,
}

/// A route with its types.
pub(super) struct Typed<R> {
    shared: Arc<RouteContext<R>>,
    limits: Arc<Limits>,
    rules: Rules,
}

impl<R: Route> Typed<R> {
    pub(super) fn new(route: R, id: RouteId, config: RouteConfig, hub: Hub) -> Self {
        Self {
            shared: Arc::new(RouteContext {
                route,
                id,
                scope: config.scope,
                hub,
            }),
            limits: config.limits,
            rules: config.rules,
        }
    }
}

impl<R: Route> Endpoint for Typed<R> {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn path(&self) -> &'static str {
        R::PATH
    }

    fn log_limits(&self) -> &LogLimits {
        self.shared.hub.log_limits()
    }

    fn build_connection<'a>(
        &'a self,
        handshake: &'a mut Handshake,
    ) -> Pin<Box<dyn Future<Output = Result<Launch, BoxError>> + Send + 'a>> {
        Box::pin(async move {
            let parameters = R::parameters(handshake.path_values())?;
            let route = &self.shared.route;
            let span = tracing::info_span!("handler", route = R::PATH);
            let data = route.connect(handshake, &parameters);
            let data = data.instrument(span).await?;
            #[cfg(any(feature = "jwt", feature = "session"))]
            let (credentials, expiry) = (handshake.take_credentials(), handshake.expiry());
            let shared = Arc::clone(&self.shared);
            let limits = Arc::clone(&self.limits);
            let launch: Launch = Box::new(move |start| {
                let Negotiated {
                    protocol,
                    extension,
                    ..
                } = start.negotiated;
                let hub = &shared.hub;
                let now = hub.clock().now();
                let budget = Arc::clone(hub.outbox_budget());
                let id = hub.reserve();
                let transport =
                    Transport::new(start.stream.into(), id, limits, budget, extension, now);
                let transport = Arc::new(transport);
                let socket = Socket::new(
                    data,
                    #[cfg(any(feature = "jwt", feature = "session"))]
                    credentials,
                    Arc::clone(&transport),
                    hub.clone(),
                    protocol,
                );
                #[cfg(any(feature = "jwt", feature = "session"))]
                if let Some(expiry) = expiry {
                    socket.expire_at(expiry);
                }
                Box::pin(Connection::new(
                    shared,
                    socket,
                    parameters,
                    transport,
                    start.early_bytes,
                    start.permit,
                ))
            });
            Ok(launch)
        })
    }
}

/// An accepted upgrade whose 101 is not written yet.
pub(super) struct Upgrade {
    pub(super) negotiated: Negotiated,
    launch: Launch,
}

impl Upgrade {
    /// Makes the connection. The connection holds the permit until it ends.
    pub(super) fn start(
        self,
        stream: ClientStream,
        early_bytes: &[u8],
        permit: OwnedSemaphorePermit,
    ) -> Running {
        (self.launch)(Start {
            stream,
            early_bytes,
            negotiated: self.negotiated,
            permit,
        })
    }
}

/// Lets a connection hold the place of its address until it ends.
pub(super) fn hold(running: Option<Running>, place: Option<Place>) -> Option<Running> {
    let running = running?;
    let Some(place) = place else {
        return Some(running);
    };
    Some(Box::pin(async move {
        running.await;
        drop(place);
    }))
}

/// Checks an upgrade for a route, and makes the data of its connection.
pub(super) async fn prepare(
    mut request: Box<Parts>,
    endpoint: &dyn Endpoint,
    path_values: PathValues,
    remote_addr: RemoteAddr,
) -> Result<Upgrade, Refusal> {
    replace_host(&mut request);
    let limits = endpoint.log_limits();
    let negotiated = handshake::check(&request, endpoint.rules()).map_err(|fault| {
        refusal::log_fault(limits, fault, request.uri.path(), &request.headers);
        Refusal::from(fault)
    })?;
    if endpoint.rules().protocols.is_empty() && handshake::offers_protocols(&request.headers) {
        refusal::log_unused_protocols(limits, request.uri.path());
    }
    hide_secrets(&mut request.headers);
    if endpoint.rules().origins.allow_any_page() {
        remove_ambient_credentials(&mut request.headers);
    }
    let Parts {
        uri,
        headers,
        extensions,
        ..
    } = *request;
    let mut handshake = Handshake::new(uri, headers, remote_addr)
        .with_path_values(path_values)
        .with_extensions(extensions)
        .with_protocol(negotiated.protocol.clone());
    match guarded_future(endpoint.build_connection(&mut handshake)).await {
        Ok(Ok(launch)) => Ok(Upgrade { negotiated, launch }),
        Ok(Err(error)) => Err(refusal::of_error(limits, &*error, handshake.uri().path())),
        // A panic in the user's code fails only this request.
        Err(panic) => {
            refusal::log_panic(limits, &panic, handshake.uri().path());
            Err(Refusal::internal_error())
        }
    }
}

/// Replaces `Host` by the authority of a target in absolute form (RFC 9112 section 3.2.2).
fn replace_host(request: &mut Parts) {
    let authority = request.uri.authority().map(|authority| authority.as_str());
    if let Some(host) = authority.and_then(|host| HeaderValue::from_str(host).ok()) {
        request.headers.insert(HOST, host);
    }
}
