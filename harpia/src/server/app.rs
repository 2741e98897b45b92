//! The app: routes, defaults for all of them, and what answers besides.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, ToSocketAddrs};
use tower_service::Service;

use crate::error::{BoxError, Error, Result};
use crate::hub::{Hub, RouteId};
use crate::limits::Limits;
use crate::options::{Options, Origins, Rate, Scope, Slow};
use crate::protocol::handshake::Rules;
use crate::route::IntoRoute;

use super::accept::{Server, StopOnDrop};
use super::check;
use super::http::{Fallback, fallback};
use super::router::Router;
use super::shutdown::Signals;
use super::upgrade::RouteConfig;

/// The request that a [`fallback`](App::fallback) service answers.
///
/// Its `Debug` leaves out the values of headers in which tokens and cookies stand, but prints the
/// whole URL: log the path alone, `request.uri().path()`, where the query may hold a token.
pub type HttpRequest = Request<Incoming>;

/// A server in the making: routes, the defaults of their options, and a fallback for pages.
///
/// ```no_run
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self, ws: &mut Socket) {
///         ws.send("welcome");
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> harpia::Result {
///     App::new().ws(Chat).listen("127.0.0.1:3000").await
/// }
/// ```
pub struct App {
    router: Router,
    hub: Hub,
    options: Options,
    origins: Origins,
    protocols: Vec<Arc<str>>,
    fallback: Option<Fallback>,
    max_connections: usize,
    shutdown_timeout: Duration,
}

/// More than this many connections need a word from who runs the server, as its open files do.
const MAX_CONNECTIONS: usize = 100_000;

/// Long enough for handlers to finish, short of what service managers grant before they kill.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

impl App {
    /// Begins without routes.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            hub: Hub::new(),
            options: Options::new(),
            origins: Origins::default(),
            protocols: Vec::new(),
            fallback: None,
            max_connections: MAX_CONNECTIONS,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
        }
    }

    /// Adds a route: the value of a type with `#[ws_route]`, shared by all its connections. In an
    /// `Arc` it is [shared with the program](crate#share-state-with-a-background-task) too.
    pub fn ws(mut self, route: impl IntoRoute) -> Self {
        self.router = self.router.ws(route);
        self
    }

    /// Adds a router's routes under a prefix, in which there are no parameters. Without a prefix
    /// that is [`merge`](Self::merge).
    pub fn nest(mut self, prefix: &str, router: Router) -> Self {
        self.router = self.router.nest(prefix, router);
        self
    }

    /// Adds a router's routes as they are, such as what [`routes!`](macro@crate::routes) makes.
    pub fn merge(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// Answers what is no route: pages, files, an API. Any tower service does, as
    /// `tower::service_fn` or a whole `axum::Router`.
    ///
    /// Without one it is a 404; its `Err` is logged and answered with 500. What logs requests for it
    /// should leave out the query, which may hold a token: see [`HttpRequest`].
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use harpia::{App, HttpRequest};
    ///
    /// async fn page(request: HttpRequest) -> Result<http::Response<String>, Infallible> {
    ///     Ok(http::Response::new(format!("you asked for {}", request.uri().path())))
    /// }
    /// let app = App::new().fallback(tower::service_fn(page));
    /// ```
    pub fn fallback<S, B>(mut self, service: S) -> Self
    where
        S: Service<HttpRequest, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        self.fallback = Some(fallback(service));
        self
    }

    /// Sets whom messages reach on routes that do not say. Default: the whole server.
    /// [`Scope::Route`] is a whole route, not one room of it.
    pub fn broadcast(mut self, scope: Scope) -> Self {
        self.options = self.options.broadcast(scope);
        self
    }

    /// Bounds how long a peer may take to be let in: to send the message that a route's `auth` waits
    /// for, and `auth` to return. Kept to about half a second. Default: 5 seconds. Then it is closed
    /// with 1008 "Auth Timeout".
    pub fn auth_timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.auth_timeout(timeout);
        self
    }

    /// Bounds one message, in bytes of payload. Default: 64 KiB. A larger one closes with 1009.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.options = self.options.max_message(bytes);
        self
    }

    /// Closes with 1001 a peer from which nothing has come for so long, kept to about half a
    /// second. Default: 2 minutes. `None`: never.
    pub fn idle_timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.options = self.options.idle_timeout(timeout.into());
        self
    }

    /// Sends a ping when nothing has come for so long, kept to about half a second. Default: 30
    /// seconds. `None`: never.
    pub fn ping(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.options = self.options.ping(interval.into());
        self
    }

    /// Bounds what may wait for one slow peer, in bytes. Default: 1 MiB. One message or one turn
    /// of broadcasts may go over it; the kernel's own send buffer (`tcp_wmem`) comes on top.
    pub fn backlog(mut self, bytes: usize) -> Self {
        self.options = self.options.backlog(bytes);
        self
    }

    /// Says what happens when a backlog is full. Default: the peer is closed with 1013.
    pub fn slow(mut self, slow: Slow) -> Self {
        self.options = self.options.slow(slow);
        self
    }

    /// Compresses messages of at least this many bytes for peers that can read them
    /// (permessage-deflate, RFC 7692). Default: `None`, no compression.
    ///
    /// A route decides with its own `compression` whether its connections compress. The size is
    /// one for the whole server, for sends and broadcasts alike: the smallest that any of its
    /// routes has, by itself (`compression = on` is 1 KiB) or from here. So a broadcast is
    /// compressed once for all.
    ///
    /// It costs the sender's thread microseconds where
    /// encoding costs nanoseconds (`benches/micro.rs`), and saves most of what JSON takes on the
    /// wire: for slow networks rather than for fast ones. Where one message holds a secret beside what an attacker wrote, its compressed length
    /// can tell of the secret (the BREACH attack): leave it off there.
    pub fn compression(mut self, from: impl Into<Option<usize>>) -> Self {
        self.options = self.options.compression(from.into());
        self
    }

    /// Bounds how often a peer may send; more closes with 1008. Default: 200 messages a second.
    /// `None`: no bound.
    pub fn rate(mut self, rate: impl Into<Option<Rate>>) -> Self {
        self.options = self.options.rate(rate.into());
        self
    }

    /// Says which pages may connect. Default: those of the same host and port, and over TLS where a
    /// proxy says that the request came so. A list is exact: of the server's own pages it names those
    /// that may, with their scheme. Programs that are not browsers send no `Origin` header and are
    /// not held to it.
    pub fn origins(mut self, origins: impl Into<Origins>) -> Self {
        self.origins = origins.into();
        self
    }

    /// Names the subprotocols spoken on routes that do not name their own, best first.
    pub fn protocols<S: AsRef<str>>(mut self, protocols: impl IntoIterator<Item = S>) -> Self {
        let protocols = protocols.into_iter();
        self.protocols = protocols.map(|name| name.as_ref().into()).collect();
        self
    }

    /// Bounds how many TCP connections are served at once. Default: 100,000. Beyond it, new ones
    /// wait in the listen queue of the operating system.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = connections;
        self
    }

    /// Bounds how long a graceful shutdown takes before handlers that still wait are cancelled.
    /// Default: 10 seconds. `close` handlers get one second more, and the last writes another.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Returns the hub, to send and publish from outside a connection. Handlers have it as
    /// [`Socket::hub`](crate::Socket::hub).
    pub fn handle(&self) -> Hub {
        self.hub.clone()
    }

    /// Serves until Ctrl-C, SIGTERM or [`Hub::shutdown`], then shuts down gracefully.
    ///
    /// Logs at level `INFO` where it listens and which routes it serves:
    /// `listening on http://127.0.0.1:3000, routes: /chat, /rooms/{room}`. [`bind`](Self::bind)
    /// and [`Server::serve`] log no such line: their program knows
    /// [the address](Server::local_addr) and may say it in its own words.
    ///
    /// The signals are handled here alone: [`bind`](Self::bind) and [`Server::serve`] leave them
    /// to the program. A second signal ends the shutdown's
    /// [patience](Self::shutdown_timeout) at once: handlers that still wait are cancelled. A third
    /// cancels `close` handlers too.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops accepting and closes all connections with 1001; their `close`
    /// handlers still run.
    pub async fn listen(self, address: impl ToSocketAddrs + fmt::Debug) -> Result {
        let server = self.bind(address).await?;
        let signals = Signals::listen()?;
        let (address, routes) = (server.local_addr, &server.routes);
        tracing::info!("listening on http://{address}, routes: {routes}");
        server.serve_with(signals).await;
        Ok(())
    }

    /// Builds the routes and binds the address; port 0 lets the system choose one.
    ///
    /// Unlike [`listen`](Self::listen), what follows handles neither Ctrl-C nor SIGTERM:
    /// [`Server::serve`] shows the lines that do.
    ///
    /// # Errors
    ///
    /// [`Error::DuplicateRoute`] and [`Error::Config`] for routes that cannot be,
    /// [`Error::Config`] for a setting that cannot hold, [`Error::Listen`] with the address if the
    /// system does not let it be bound.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind when the future is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> harpia::Result {
    /// use harpia::App;
    ///
    /// let server = App::new().bind("127.0.0.1:0").await?;
    /// println!("listening on {}", server.local_addr());
    /// let hub = server.handle();
    /// let running = tokio::spawn(server.serve());
    /// hub.shutdown();
    /// running.await.unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bind(self, address: impl ToSocketAddrs + fmt::Debug) -> Result<Server> {
        check::app(&self.options, &self.origins, &self.protocols)?;
        let compress_from = compress_from(&self.options, self.router.options());
        if let Some(length) = compress_from {
            self.hub.compress_from(length);
        }
        let routes = self.router.build({
            let hub = &self.hub;
            let (app, origins, protocols) = (&self.options, &self.origins, &self.protocols);
            move |id, route| {
                let mut limits = Limits::default().with(app).with(route);
                limits.compression = limits.compression.and(compress_from);
                settings(id, route, limits, app, origins, protocols, hub)
            }
        })?;
        if self.max_connections == 0 {
            return Err(Error::Config {
                message: "`max_connections` is 0, so nobody could connect".into(),
            });
        }
        let listener = TcpListener::bind(&address).await;
        let listener = listener.map_err(|source| Error::Listen {
            address: as_given(&address),
            source,
        })?;
        let local_addr = listener.local_addr()?;
        self.hub.start()?;
        Ok(Server {
            listener,
            local_addr,
            routes: Arc::new(routes),
            fallback: self.fallback,
            stop: StopOnDrop(self.hub.clone()),
            hub: self.hub,
            max_connections: self.max_connections,
            shutdown_timeout: self.shutdown_timeout,
        })
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("routes", &self.router)
            .finish_non_exhaustive()
    }
}

/// The address as the program wrote it; of text without its quotes.
fn as_given(address: &impl fmt::Debug) -> String {
    let text = format!("{address:?}");
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map(str::to_owned).unwrap_or(text)
}

/// Returns the size from which on the server compresses, for whomever it compresses at all: the
/// smallest of its routes.
///
/// A broadcast is compressed once, before it is known who gets it. With a size of its own for what
/// each route sends, one message would be compressed or not by the way it took.
fn compress_from<'a>(app: &Options, routes: impl Iterator<Item = &'a Options>) -> Option<usize> {
    let sizes = routes.map(|route| Limits::default().with(app).with(route).compression);
    sizes.flatten().min()
}

/// Lays a route's options over the app's.
fn settings(
    id: RouteId,
    route: &Options,
    limits: Limits,
    app: &Options,
    origins: &Origins,
    protocols: &[Arc<str>],
    hub: &Hub,
) -> RouteConfig {
    let own_protocols = route
        .protocols
        .map(|own| own.iter().map(|&name| name.into()).collect());
    RouteConfig {
        id,
        scope: route.broadcast.or(app.broadcast).unwrap_or_default(),
        rules: Rules {
            origins: route.origins.as_ref().unwrap_or(origins).clone(),
            protocols: own_protocols.unwrap_or_else(|| protocols.to_vec()),
            compression: limits.compression.is_some(),
        },
        limits: Arc::new(limits),
        hub: hub.clone(),
    }
}
