//! From a request to a connection: check the handshake, make the connection's data, spawn its task.
//!
//! Generic types end here: [`Endpoint`] is a route without its types, and [`Typed`] implements it
//! for a route.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::sync::OwnedSemaphorePermit;

use crate::connection::{Connection, RouteContext};
#[cfg(any(feature = "jwt", feature = "session"))]
use crate::extract::Credentials;
use crate::extract::{FromHandshake, Handshake, PathValues, Rejection};
use crate::hub::{Hub, LogLimits, RouteId};
use crate::limits::Limits;
use crate::options::Origins;
use crate::panic_guard::guarded_future;
use crate::protocol::handshake::{self, Fault, Negotiated, Rules};
use crate::route::Route;
use crate::socket::Socket;
use crate::transport::Transport;

use super::http::{Body, remove_ambient_credentials, text};
use super::refusal;
use super::route_config::RouteConfig;
use super::stream::ClientStream;

/// A route without its types.
pub(super) trait Endpoint: Send + Sync {
    /// Returns what the route demands of a handshake.
    fn rules(&self) -> &Rules;

    fn log_limits(&self) -> &LogLimits;

    /// Makes the parameters and the data of a connection. Returns the function that starts it.
    fn build_connection<'a>(
        &'a self,
        handshake: &'a Handshake,
        negotiated: Negotiated,
    ) -> Pin<Box<dyn Future<Output = Result<Launch, Rejection>> + Send + 'a>>;
}

/// Starts a connection on its stream, with the bytes that came after the handshake.
pub(super) type Launch = Box<dyn FnOnce(ClientStream, &[u8], OwnedSemaphorePermit) + Send>;

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

    fn log_limits(&self) -> &LogLimits {
        self.shared.hub.log_limits()
    }

    fn build_connection<'a>(
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
                    Transport::new(stream.into(), id, limits, budget, negotiated.extension, now);
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
                // Ends when the connection closes, at the latest by a shutdown. It holds the permit
                // until then.
                tokio::spawn(connection);
            });
            Ok(launch)
        })
    }
}

/// A connection that can start as soon as hyper has written the 101.
pub(super) struct Upgrade {
    upgraded: Upgraded,
    launch: Launch,
}

type Upgraded = Pin<Box<dyn Future<Output = Option<hyper::upgrade::Upgraded>> + Send>>;

impl Upgrade {
    /// Waits for the upgraded stream and starts the connection, which holds the permit until it
    /// ends. Does nothing if hyper has lost the client.
    pub(super) async fn finish(self, permit: OwnedSemaphorePermit) {
        let parts = match self.upgraded.await {
            Some(upgraded) => upgraded.downcast::<TokioIo<ClientStream>>().ok(),
            None => None,
        };
        if let Some(parts) = parts {
            (self.launch)(parts.io.into_inner(), &parts.read_buf, permit);
        }
    }
}

/// Answers a request for a route's path, either with a 101 and the [`Upgrade`] to finish, or with an
/// error.
pub(super) async fn answer_upgrade(
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
            refusal::log_fault(
                endpoint.log_limits(),
                fault,
                request.uri().path(),
                request.headers(),
            );
            return (refuse(fault), None);
        }
    };
    let (mut head, _) = request.into_parts();
    if endpoint.rules().origins == Origins::Any {
        remove_ambient_credentials(&mut head.headers);
    }
    let handshake =
        Handshake::new(head.uri, head.headers, remote_addr).with_path_values(path_values);
    let built = guarded_future(endpoint.build_connection(&handshake, negotiated)).await;
    // A panic in the user's code fails this request with a 500, and nothing else.
    let built = built.unwrap_or_else(|panic| {
        refusal::log_panic(endpoint.log_limits(), &panic, handshake.uri().path());
        Err(Rejection::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error",
        ))
    });
    match built {
        Ok(launch) => {
            let upgraded = Box::pin(upgraded);
            let upgrade = Upgrade { upgraded, launch };
            (response.map(|()| Body::default()), Some(upgrade))
        }
        Err(rejection) => {
            refusal::log_rejection(endpoint.log_limits(), &rejection, handshake.uri().path());
            (text(rejection.status(), rejection.message()), None)
        }
    }
}

/// Answers a handshake that breaks a rule with the status and headers of its fault.
fn refuse(fault: Fault) -> Response<Body> {
    let mut response = text(fault.status(), fault.message());
    for (name, value) in fault.headers() {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
