//! The trait that `#[ws_route]` implements, and that you could implement by hand.

mod shared;

use std::future::Future;
use std::sync::Arc;

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::extract::{FromHandshake, PathFields, PathValues, Rejection};
use crate::log_limit::LogLimit;
use crate::message::Message;
use crate::options::Options;
use crate::outcome::Broadcast;
use crate::socket::Socket;

pub use crate::path::{has_parameter, same_shape};

use shared::Shared;

/// A WebSocket endpoint: its path, its options, its data, and what happens in it.
///
/// `#[ws_route]` writes this, on a type of its own that [`IntoRoute`] yields; by hand it is:
///
/// ```
/// use harpia::extract::{PathValues, Rejection};
/// use harpia::prelude::*;
/// use harpia::{BoxError, Route};
///
/// struct Echo;
///
/// impl Route for Echo {
///     const PATH: &'static str = "/echo";
///     type Data = ();
///     type Parameters = ();
///
///     fn parameters(_: &PathValues) -> Result<(), Rejection> {
///         Ok(())
///     }
///
///     async fn message(
///         &self,
///         ws: &mut Socket<()>,
///         _: &(),
///         message: Message,
///     ) -> Result<Broadcast, BoxError> {
///         ws.send(message);
///         Ok(Broadcast::Skip)
///     }
/// }
/// let app = App::new().ws(Echo);
/// ```
///
/// # Cancel safety
///
/// A handler's future is dropped half-way only when the deadline of a shutdown runs out; that of
/// [`auth`](Self::auth) also when `auth_timeout` does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a route",
    label = "not a route",
    note = "put `#[ws_route(\"/path\")]` on the type's `impl` block, and pass the route by value \
            or in an `Arc`"
)]
pub trait Route: Sized + Send + Sync + 'static {
    /// The path pattern, as written.
    const PATH: &'static str;

    /// What this route says of itself; the rest is the app's to say.
    const OPTIONS: Options = Options::new();

    /// Whether the first message has to pass [`auth`](Self::auth) before anything else happens.
    const AUTHENTICATES: bool = false;

    /// Whether its handlers read cookies or a session; then an app that lets pages of any origin
    /// connect is refused.
    const READS_COOKIES: bool = false;

    /// Which handlers never wait.
    const INLINE: Inline = Inline::NONE;

    /// What each connection owns, made from its handshake.
    type Data: FromHandshake;

    /// The path parameters that handlers take, parsed.
    type Parameters: Send + Sync + 'static;

    /// Parses the path parameters, before the upgrade.
    ///
    /// # Errors
    ///
    /// The refusal of a value that does not parse, usually [`PathValues::parse`]'s.
    fn parameters(path: &PathValues) -> Result<Self::Parameters, Rejection>;

    /// Runs with the first message where [`AUTHENTICATES`](Self::AUTHENTICATES) says so; until it is
    /// `Ok` the connection is not active, and neither `open` nor `close` is called.
    ///
    /// # Cancel safety
    ///
    /// Dropped at its `await` when it has not returned within `auth_timeout`.
    fn auth(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        first: Message,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters, first);
        std::future::ready(Ok(()))
    }

    /// Runs when the connection is there; nothing is received or broadcast before it is done.
    fn open(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters);
        std::future::ready(Ok(()))
    }

    /// Runs for each message; its result says what is broadcast.
    fn message(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        message: Message,
    ) -> impl Future<Output = Result<Broadcast, BoxError>> + Send {
        let _ = (socket, parameters, message);
        std::future::ready(Ok(Broadcast::Pass))
    }

    /// Runs exactly once at the end of a connection whose `open` was called.
    fn close(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        code: CloseCode,
        reason: &str,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters, code, reason);
        std::future::ready(Ok(()))
    }

    /// Runs when all that waited for a slow peer has been written.
    fn drain(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters);
        std::future::ready(Ok(()))
    }

    /// Runs for whatever goes wrong on a connection; by default it is logged, at most ten times a
    /// second.
    ///
    /// The log is `tracing`'s: without a subscriber the default is silent. One line installs one:
    /// `tracing_subscriber::fmt().init()`, as shown at [Logging](crate#logging).
    fn error(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        error: &Error,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = parameters;
        static ERRORS: LogLimit = LogLimit::new();
        if let Some(suppressed) = ERRORS.admit() {
            tracing::warn!(
                connection = %socket.id(), route = Self::PATH, suppressed, "{error:#}"
            );
        }
        std::future::ready(Ok(()))
    }
}

/// A type that becomes a route: one with `#[ws_route]`, a [`Route`] itself, or an `Arc` of either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a route",
    label = "not a route",
    note = "put `#[ws_route(\"/path\")]` on the type's `impl` block, and pass the route by value \
            or in an `Arc`"
)]
pub trait IntoRoute {
    /// The path pattern, as written.
    const PATH: &'static str;

    /// Makes the route.
    fn into_route(self) -> impl Route
    where
        Self: Sized,
    {
        Arc::new(self).share_route()
    }

    /// Makes the route of a value that the program goes on using.
    fn share_route(self: Arc<Self>) -> impl Route;
}

#[diagnostic::do_not_recommend]
impl<R: Route> IntoRoute for R {
    const PATH: &'static str = R::PATH;

    fn into_route(self) -> impl Route {
        self
    }

    fn share_route(self: Arc<Self>) -> impl Route {
        Shared(self)
    }
}

/// The handlers of a route that never wait, and so are called in place.
///
/// The others are boxed for each call, so that a large future does not make every idle connection
/// large. A handler that is named here and waits all the same fails its connection with 1011.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Inline {
    pub(crate) auth: bool,
    pub(crate) open: bool,
    pub(crate) message: bool,
    pub(crate) close: bool,
    pub(crate) drain: bool,
    pub(crate) error: bool,
}

impl Inline {
    /// Any handler may wait.
    pub const NONE: Self = Self {
        auth: false,
        open: false,
        message: false,
        close: false,
        drain: false,
        error: false,
    };

    /// No handler waits.
    pub const ALL: Self = Self {
        auth: true,
        open: true,
        message: true,
        close: true,
        drain: true,
        error: true,
    };

    /// Says whether `auth` never waits.
    pub const fn auth(mut self, inline: bool) -> Self {
        self.auth = inline;
        self
    }

    /// Says whether `open` never waits.
    pub const fn open(mut self, inline: bool) -> Self {
        self.open = inline;
        self
    }

    /// Says whether `message` never waits.
    pub const fn message(mut self, inline: bool) -> Self {
        self.message = inline;
        self
    }

    /// Says whether `close` never waits.
    pub const fn close(mut self, inline: bool) -> Self {
        self.close = inline;
        self
    }

    /// Says whether `drain` never waits.
    pub const fn drain(mut self, inline: bool) -> Self {
        self.drain = inline;
        self
    }

    /// Says whether `error` never waits.
    pub const fn error(mut self, inline: bool) -> Self {
        self.error = inline;
        self
    }
}

/// Returns the first path parameter that the data reads and the path does not have.
pub const fn missing_path_field(fields: PathFields, path: &str) -> Option<&'static str> {
    let mut i = 0;
    while i < fields.own.len() {
        if !has_parameter(path, fields.own[i]) {
            return Some(fields.own[i]);
        }
        i += 1;
    }
    let mut i = 0;
    while i < fields.nested.len() {
        let missing = missing_path_field(fields.nested[i], path);
        if missing.is_some() {
            return missing;
        }
        i += 1;
    }
    None
}
