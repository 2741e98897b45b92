//! The builder of a server: its routes, its fallback and the limits of the whole server.
//!
//! The defaults of the route options are set in [`defaults`](super::defaults), and the app is
//! started in [`bind`](super::bind).

use std::fmt;
use std::time::Duration;

use http::{Request, Response};
use tower_service::Service;

use crate::error::BoxError;
use crate::hub::Hub;
use crate::limits::{HANDSHAKE_TIMEOUT, INPUT_BUDGET, OUTBOX_BUDGET, SHUTDOWN_TIMEOUT};
use crate::route::IntoRoute;

use super::http::{Fallback, RequestBody, fallback};
use super::proxies::{ForwardedHeader, Proxies};
use super::route_config::Defaults;
use super::router::Router;
#[cfg(feature = "tls")]
use super::tls::Tls;

/// The request that a [`fallback`](App::fallback) service answers.
///
/// Its `Debug` hides the values of headers that may hold tokens or cookies, but prints the whole
/// URL. The query of a URL may hold a token, so log only the path: `request.uri().path()`.
///
/// ```
/// use std::convert::Infallible;
/// use harpia::{App, HttpRequest};
/// use tower::service_fn;
///
/// let app = App::new().fallback(service_fn(|request: HttpRequest| async move {
///     let text = format!("no page {}", request.uri().path());
///     Ok::<_, Infallible>(http::Response::new(http_body_util::Full::new(bytes::Bytes::from(text))))
/// }));
/// ```
pub type HttpRequest = Request<RequestBody>;

/// Builds a server: routes, defaults of their options, and a fallback for other requests.
///
/// # Examples
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
    pub(super) router: Router,
    pub(super) hub: Hub,
    pub(super) defaults: Defaults,
    pub(super) fallback: Option<Fallback>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_connections_per_address: Option<usize>,
    pub(super) backlog_budget: usize,
    pub(super) input_budget: usize,
    pub(super) shutdown_timeout: Duration,
    pub(super) handshake_timeout: Duration,
    pub(super) proxies: Proxies,
    pub(super) trusted_proxies: Vec<String>,
    pub(super) reuse_port: bool,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
}

impl App {
    /// Creates an app without routes.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new();
    /// ```
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            hub: Hub::new(),
            defaults: Defaults::default(),
            fallback: None,
            max_connections: None,
            max_connections_per_address: None,
            backlog_budget: OUTBOX_BUDGET,
            input_budget: INPUT_BUDGET,
            shutdown_timeout: SHUTDOWN_TIMEOUT,
            handshake_timeout: HANDSHAKE_TIMEOUT,
            proxies: Proxies::default(),
            trusted_proxies: Vec::new(),
            reuse_port: false,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Adds a route: a value of a type with `#[ws_route]`.
    ///
    /// All connections of the route share the value. In an `Arc`, it is also
    /// [shared with the rest of the program](crate#share-state-with-a-background-task).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat {
    ///     greeting: String,
    /// }
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self, ws: &mut Socket) {
    ///         ws.send(self.greeting.as_str());
    ///     }
    /// }
    ///
    /// let app = App::new().ws(Chat { greeting: "welcome".into() });
    /// ```
    pub fn ws(mut self, route: impl IntoRoute) -> Self {
        self.router = self.router.ws(route);
        self
    }

    /// Adds the routes of a router under a prefix.
    ///
    /// The prefix has no parameters. To add routes without a prefix, use [`merge`](Self::merge).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self) {}
    /// }
    ///
    /// let app = App::new().nest("/api", Router::new().ws(Chat)); // serves /api/chat
    /// ```
    pub fn nest(mut self, prefix: &str, router: Router) -> Self {
        self.router = self.router.nest(prefix, router);
        self
    }

    /// Adds the routes of a router, for example one from [`routes!`](macro@crate::routes).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self) {}
    /// }
    ///
    /// let app = App::new().merge(Router::new().ws(Chat)); // serves /chat
    /// ```
    pub fn merge(mut self, router: Router) -> Self {
        self.router = self.router.merge(router);
        self
    }

    /// Sets the service that answers requests for other paths: pages, files, an API.
    ///
    /// Takes any tower service, such as `tower::service_fn` or an `axum::Router`. Default: a 404.
    ///
    /// The service also gets plain requests for the path of a route, so one path can serve a page
    /// and a socket. If it answers such a request with an empty 404 or 405, the client gets a 426,
    /// or a 405 for methods other than GET and HEAD.
    ///
    /// The connection ends if the client takes nothing of a response for 30 seconds. Reading the
    /// body of a request fails if the client sends nothing of it for 30 seconds.
    ///
    /// If the service returns `Err`, the error is logged and the client gets a 500. The query of a
    /// request may hold a token, so a service should not log it: see [`HttpRequest`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use harpia::{App, HttpRequest};
    ///
    /// async fn page(request: HttpRequest) -> Result<http::Response<String>, Infallible> {
    ///     Ok(http::Response::new(format!("this is {}", request.uri().path())))
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

    /// Limits how many TCP connections are served at once. Default: 100,000, or less if the process
    /// cannot open so many files.
    ///
    /// Further clients get a 503 at once. (With TLS, they are dropped, because a response would
    /// need a TLS handshake.) The log has one line when the server becomes full, and one when it
    /// has room again.
    ///
    /// [`bind`](Self::bind) raises the process's limit on open files to its hard limit, and keeps
    /// 256 files for other purposes. If fewer connections fit than this setting says, it logs a
    /// warning. 0 is an error in [`bind`](Self::bind).
    ///
    /// At most a tenth of the connections (at least 16) can be silent, which means that they have
    /// not sent a whole request head. Beyond that, each newcomer takes the place of the client that
    /// has been silent for longest.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().max_connections(20_000);
    /// ```
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = Some(connections);
        self
    }

    /// Limits how many connections one client address has at once. Default: no limit.
    ///
    /// IPv6 addresses with the same first 64 bits count as one address. Further clients of the
    /// address get a 429. (With TLS of the server's own, they are dropped.) The clients of one
    /// office or mobile provider can share an address, so a low limit also refuses honest clients.
    ///
    /// Behind [`trusted_proxies`](Self::trusted_proxies), the address is the client's, and only
    /// WebSocket connections count. 0 is an error in [`bind`](Self::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().max_connections_per_address(200);
    /// ```
    pub fn max_connections_per_address(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.max_connections_per_address = connections.into();
        self
    }

    /// Limits the memory of the backlogs of all clients together, in bytes. Default: 256 MiB.
    ///
    /// A message that waits for many clients counts once. When the limit is reached, the clients
    /// that have read nothing for longest are closed with 1013 "Slow Consumer", or, on routes with
    /// [`Slow::Skip`](crate::Slow::Skip), miss what waits for them, until a tenth of the limit is
    /// free again. This happens at most a tenth of a second later. Until then, the memory may grow to
    /// twice the limit.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().backlog_budget(64 * 1024 * 1024);
    /// ```
    pub fn backlog_budget(mut self, bytes: usize) -> Self {
        self.backlog_budget = bytes;
        self
    }

    /// Limits the memory of the partly received messages of all clients together, in bytes.
    /// Default: 256 MiB.
    ///
    /// Clients that have not passed `auth` have a limit of their own, which is a quarter of this.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().input_budget(64 * 1024 * 1024);
    /// ```
    pub fn input_budget(mut self, bytes: usize) -> Self {
        self.input_budget = bytes;
        self
    }

    /// Sets how long a graceful shutdown waits for running handlers. Default: 10 seconds.
    ///
    /// After that, handlers that still wait are canceled. `close` handlers get one more second, and
    /// the last writes get another.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().shutdown_timeout(Duration::from_secs(30));
    /// ```
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Sets how long the opening of a connection may take. Default: 10 seconds.
    ///
    /// The time begins when the client is accepted. It includes the request head, the handler
    /// `connect` or [`FromHandshake`](crate::extract::FromHandshake), and the response. If the head
    /// is not complete in time, the client gets a 408. If `connect` or `FromHandshake` does not
    /// return in time, its future is dropped, and the client gets a 503.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::App;
    ///
    /// let app = App::new().handshake_timeout(Duration::from_secs(5));
    /// ```
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// Serves TLS on all TCP sockets. Unix sockets, and the streams of a custom [`Listener`] that
    /// are not TCP, are not encrypted.
    ///
    /// The TLS handshake is a part of the opening, which
    /// [`handshake_timeout`](Self::handshake_timeout) limits. It never holds up other clients. Each
    /// TLS connection has a write buffer of 64 KiB. Its own task encrypts the buffer and writes it.
    ///
    /// [`Listener`]: crate::listen::Listener
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use harpia::{App, Tls};
    ///
    /// # fn app() -> harpia::Result<App> {
    /// let app = App::new().tls(Tls::files("fullchain.pem", "privkey.pem")?);
    /// # Ok(app)
    /// # }
    /// ```
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Believes what these proxies say about the address of their clients.
    ///
    /// Each is an address, a network such as `"10.0.0.0/8"`, or `"unix"` for all clients of Unix
    /// sockets. [`RemoteAddr`](crate::RemoteAddr) is then the last address in `X-Forwarded-For`
    /// (see [`forwarded_header`](Self::forwarded_header)) that is not one of these proxies. A
    /// client that connects directly cannot name another address. Default: none.
    ///
    /// An invalid text is an [`Error::Config`](crate::Error::Config) of [`bind`](Self::bind).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().trusted_proxies(["127.0.0.1", "10.0.0.0/8"]);
    /// ```
    pub fn trusted_proxies<T: Into<String>>(
        mut self,
        proxies: impl IntoIterator<Item = T>,
    ) -> Self {
        self.trusted_proxies
            .extend(proxies.into_iter().map(Into::into));
        self
    }

    /// Chooses the header in which trusted proxies name their clients. Default: `X-Forwarded-For`.
    ///
    /// Choose the one that your proxy sets. A proxy passes on the other one as the client has sent
    /// it, so harpia never reads both.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::{App, ForwardedHeader};
    ///
    /// let app = App::new().forwarded_header(ForwardedHeader::Forwarded);
    /// ```
    pub fn forwarded_header(mut self, header: ForwardedHeader) -> Self {
        self.proxies.header = header;
        self
    }

    /// Reads a PROXY header from each connection of a trusted proxy. Default: `false`.
    ///
    /// HAProxy, the `stream` module of nginx and the TCP load balancers of clouds send this header
    /// (PROXY protocol, version 1 or 2) instead of a request header, since they do not read
    /// requests. [`RemoteAddr`](crate::RemoteAddr) is then the client in the header. If the header
    /// says that the client has used TLS, the check of origins treats the requests as HTTPS.
    ///
    /// With this setting, every connection of a trusted proxy has to start with the header, or it
    /// is closed. A client that is not a trusted proxy cannot send one. Without
    /// [`trusted_proxies`](Self::trusted_proxies), `bind` returns an
    /// [`Error::Config`](crate::Error::Config).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().trusted_proxies(["10.0.0.0/8"]).proxy_protocol(true);
    /// ```
    pub fn proxy_protocol(mut self, is_on: bool) -> Self {
        self.proxies.has_proxy_protocol = is_on;
        self
    }

    /// Lets several processes listen on the same TCP address (`SO_REUSEPORT`).
    ///
    /// Linux then spreads new connections over them. All of them must set it. It applies to
    /// addresses that harpia binds, and not to sockets that the program has opened itself. Default:
    /// `false`, so that a second server on an address is an error.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::App;
    ///
    /// let app = App::new().reuse_port(true);
    /// ```
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.reuse_port = reuse;
        self
    }

    /// Returns the hub, to send and publish from outside a connection.
    ///
    /// Can be called before routes are added, so that a route can keep the hub. Handlers get it
    /// from [`Socket::hub`](crate::Socket::hub).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat {
    ///     hub: Hub,
    /// }
    ///
    /// #[ws_route("/chat")]
    /// impl Chat {
    ///     fn open(&self, ws: &mut Socket) {
    ///         ws.send(format!("{} others are connected", self.hub.connections()));
    ///     }
    /// }
    ///
    /// let app = App::new();
    /// let hub = app.handle();
    /// let app = app.ws(Chat { hub });
    /// ```
    pub fn handle(&self) -> Hub {
        self.hub.clone()
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
