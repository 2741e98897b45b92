//! From a request to a connection: find the route, shake hands, make the data, spawn.
//!
//! Types are erased here, once a connection: behind [`Endpoint`] stands a route with its types.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use crate::connection::{self, Connection, RouteContext};
#[cfg(any(feature = "jwt", feature = "session"))]
use crate::extract::Credentials;
use crate::extract::{CookieAlarm, FromHandshake, Handshake, PathValues, Rejection};
use crate::hub::{Hub, RouteId};
use crate::limits::Limits;
use crate::options::{Origins, Scope};
use crate::protocol::handshake::{self, Fault, Negotiated, Rules};
use crate::route::Route;
use crate::socket::Socket;
use crate::transport::Transport;

use super::http::{Body, text};
use super::refusal;

/// What a route is built with: its own options over the app's.
pub(super) struct RouteConfig {
    pub(super) id: RouteId,
    pub(super) scope: Scope,
    pub(super) limits: Arc<Limits>,
    pub(super) rules: Rules,
    pub(super) hub: Hub,
}

impl RouteConfig {
    pub(super) fn allows_any_origin(&self) -> bool {
        self.rules.origins == Origins::Any
    }
}

/// A route without its types.
pub(super) trait Endpoint: Send + Sync {
    fn rules(&self) -> &Rules;

    /// What to ring where a cookie is read, if that is none of any page's business.
    fn alarm(&self) -> Option<Arc<CookieAlarm>>;

    /// Makes parameters and data; what comes back starts the connection.
    fn prepare<'a>(
        &'a self,
        handshake: &'a Handshake,
        negotiated: Negotiated,
    ) -> Pin<Box<dyn Future<Output = Result<Launch, Rejection>> + Send + 'a>>;
}

/// Starts a connection on its stream, with the bytes that came behind the handshake.
pub(super) type Launch = Box<dyn FnOnce(TcpStream, &[u8], OwnedSemaphorePermit) + Send>;

/// A route with its types.
pub(super) struct Typed<R> {
    shared: Arc<RouteContext<R>>,
    limits: Arc<Limits>,
    rules: Rules,
    alarm: Option<Arc<CookieAlarm>>,
}

impl<R: Route> Typed<R> {
    pub(super) fn new(route: R, settings: RouteConfig) -> Self {
        let alarm = settings.allows_any_origin();
        Self {
            alarm: alarm.then(|| Arc::new(CookieAlarm::new(R::PATH))),
            shared: Arc::new(RouteContext {
                route,
                id: settings.id,
                scope: settings.scope,
                hub: settings.hub,
            }),
            limits: settings.limits,
            rules: settings.rules,
        }
    }
}

impl<R: Route> Endpoint for Typed<R> {
    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn alarm(&self) -> Option<Arc<CookieAlarm>> {
        self.alarm.clone()
    }

    fn prepare<'a>(
        &'a self,
        handshake: &'a Handshake,
        negotiated: Negotiated,
    ) -> Pin<Box<dyn Future<Output = Result<Launch, Rejection>> + Send + 'a>> {
        Box::pin(async move {
            let parameters = R::parameters(handshake.path_values())?;
            let data = R::Data::from_handshake(handshake).await?;
            #[cfg(any(feature = "jwt", feature = "session"))]
            let credentials = Credentials::of(handshake);
            let shared = Arc::clone(&self.shared);
            let limits = Arc::clone(&self.limits);
            let launch: Launch = Box::new(move |stream, first_bytes, permit| {
                let hub = &shared.hub;
                let now = hub.clock().now();
                let budget = Arc::clone(hub.outbox_budget());
                let id = hub.reserve();
                let transport =
                    Transport::new(stream, id, limits, budget, negotiated.extension, now);
                let transport = Arc::new(transport);
                let socket = Socket::new(
                    data,
                    #[cfg(any(feature = "jwt", feature = "session"))]
                    credentials,
                    Arc::clone(&transport),
                    hub.clone(),
                    negotiated.protocol,
                );
                let connection =
                    Connection::new(shared, socket, parameters, transport, first_bytes, permit);
                // Ends with its peer, or by the hub's shutdown; holds the permit until then.
                tokio::spawn(connection);
            });
            Ok(launch)
        })
    }
}

/// A connection that can start as soon as hyper has written the answer.
pub(super) struct Upgrade {
    upgraded: Upgraded,
    launch: Launch,
}

type Upgraded = Pin<Box<dyn Future<Output = Option<hyper::upgrade::Upgraded>> + Send>>;

impl Upgrade {
    /// Starts the connection, if hyper has not lost the client. It holds the permit to its transport.
    pub(super) async fn finish(self, permit: OwnedSemaphorePermit) {
        let parts = match self.upgraded.await {
            Some(upgraded) => upgraded.downcast::<TokioIo<TcpStream>>().ok(),
            None => None,
        };
        if let Some(parts) = parts {
            (self.launch)(parts.io.into_inner(), &parts.read_buf, permit);
        }
    }
}

/// Answers a request for a route's path.
pub(super) async fn answer(
    mut request: Request<Incoming>,
    endpoint: Arc<dyn Endpoint>,
    path_values: PathValues,
    remote_addr: SocketAddr,
) -> (Response<Body>, Option<Upgrade>) {
    let accepted = handshake::check(&request, endpoint.rules()).and_then(|negotiated| {
        let (response, upgraded) = handshake::accept(&mut request, &negotiated)?;
        Ok((negotiated, response, upgraded))
    });
    let (negotiated, response, upgraded) = match accepted {
        Ok(accepted) => accepted,
        Err(fault) => {
            refusal::log_fault(fault, request.uri().path(), request.headers());
            return (refuse(fault), None);
        }
    };
    let (head, _) = request.into_parts();
    let handshake = Handshake::new(head.uri, head.headers, remote_addr)
        .with_path_values(path_values)
        .with_alarm(endpoint.alarm());
    match prepare(&*endpoint, &handshake, negotiated).await {
        Ok(launch) => {
            let upgraded = Box::pin(upgraded);
            let upgrade = Upgrade { upgraded, launch };
            (response.map(|()| Body::default()), Some(upgrade))
        }
        Err(rejection) => {
            refusal::log_rejection(&rejection, handshake.uri().path());
            (text(rejection.status(), rejection.message()), None)
        }
    }
}

/// Makes the data; a panic in the user's code is a 500 and ends nothing else.
async fn prepare(
    endpoint: &dyn Endpoint,
    handshake: &Handshake,
    negotiated: Negotiated,
) -> Result<Launch, Rejection> {
    let prepared = connection::caught(endpoint.prepare(handshake, negotiated)).await;
    prepared.unwrap_or_else(|panic| {
        tracing::error!(
            path = handshake.uri().path(),
            "connection data panicked: {panic}"
        );
        Err(Rejection::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error",
        ))
    })
}

fn refuse(fault: Fault) -> Response<Body> {
    let mut response = text(fault.status(), fault.message());
    for (name, value) in fault.headers() {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
