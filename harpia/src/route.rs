//! The trait that `#[ws_route]` implements. A route can also implement it by hand.

mod argument;
mod shared;

use std::future::Future;
use std::sync::Arc;

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::extract::{Handshake, PathFields, PathValues, Rejection};
use crate::message::Message;
use crate::options::Options;
use crate::outcome::Broadcast;
use crate::socket::Socket;

pub use crate::path::{has_parameter, same_shape};
pub use argument::{HandlerArgument, HandlerSocket, MessageArgument, NoAuth, NoHiddenAuth};

use shared::Shared;

/// A WebSocket endpoint: its path, its options, its data and its handlers.
///
/// `#[ws_route]` implements this for a type that it generates, which [`IntoRoute`] returns. By hand
/// it is:
///
/// ```
/// use harpia::extract::{Handshake, PathValues, Rejection};
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
///     async fn connect(&self, _: &Handshake, _: &()) -> Result<(), BoxError> {
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
/// The future of a handler is dropped before it is finished only in these cases: a shutdown reaches
/// its timeout; [`auth`](Self::auth) has not returned after `auth_timeout`;
/// [`connect`](Self::connect) has not returned after `handshake_timeout`, or its client has left;
/// [`open`](Self::open) has not returned 15 seconds after a close was requested, or its client has
/// reset the connection; a handler has not returned after `handler_timeout`, which is off by
/// default.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a route",
    label = "not a route",
    note = "put `#[ws_route(\"/path\")]` on the type's `impl` block, and pass the route by value \
            or in an `Arc`"
)]
pub trait Route: Sized + Send + Sync + 'static {
    /// The path pattern.
    const PATH: &'static str;

    /// The options that this route sets. The app decides the others.
    const OPTIONS: Options = Options::new();

    /// Whether [`auth`](Self::auth) must accept the first message before anything else happens.
    const AUTHENTICATES: bool = false;

    /// The handlers that never wait.
    const INLINE: Inline = Inline::NONE;

    /// The path parameters that [`connect`](Self::connect) reads by their names.
    ///
    /// For data that implements [`FromHandshake`](crate::FromHandshake), these are its
    /// `PATH_FIELDS`. If the path does not have one of them, the program does not compile.
    const PATH_FIELDS: PathFields = PathFields::NONE;

    /// Whether [`connect`](Self::connect) needs cookies.
    ///
    /// For data that implements [`FromHandshake`](crate::FromHandshake), this is its
    /// `READS_COOKIES`. Such a route cannot let pages of any origin connect.
    const READS_COOKIES: bool = false;

    /// The data that each connection owns.
    type Data: Send + 'static;

    /// The parsed path parameters that handlers take.
    type Parameters: Send + Sync + 'static;

    /// Parses the path parameters, before the upgrade.
    ///
    /// # Errors
    ///
    /// The rejection of a value that does not parse, usually from [`PathValues::parse`].
    fn parameters(path: &PathValues) -> Result<Self::Parameters, Rejection>;

    /// Makes the data of a connection from its handshake, before the upgrade.
    ///
    /// It runs after all checks of the handshake. For data that implements
    /// [`FromHandshake`](crate::FromHandshake), it is one call of `from_handshake`.
    ///
    /// # Errors
    ///
    /// An error refuses the upgrade. The first of these that is found in the error or its sources
    /// decides the response:
    ///
    /// - a [`Rejection`]: its status, text and headers
    /// - a `TokenError`, or `SessionError::NotFound`: 401
    /// - anything else: 500 without a text, and a log line
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if it is not finished within `handshake_timeout`, and if the client
    /// leaves.
    fn connect(
        &self,
        handshake: &Handshake,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<Self::Data, BoxError>> + Send;

    /// Runs with the first message if [`AUTHENTICATES`](Self::AUTHENTICATES) is `true`.
    ///
    /// Until it has returned `Ok`, the connection is not active, and neither `open` nor `close` is
    /// called.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped if it is not finished within `auth_timeout`.
    fn auth(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        first: Message,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters, first);
        std::future::ready(Ok(()))
    }

    /// Runs once, before [`message`](Self::message) is called for the first time.
    fn open(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters);
        std::future::ready(Ok(()))
    }

    /// Runs for each message. Its result decides what is broadcast.
    fn message(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        message: Message,
    ) -> impl Future<Output = Result<Broadcast, BoxError>> + Send {
        let _ = (socket, parameters, message);
        std::future::ready(Ok(Broadcast::Pass))
    }

    /// Runs exactly once when a connection closes, if `open` was called.
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

    /// Runs when all messages that waited for a slow peer were written.
    fn drain(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = (socket, parameters);
        std::future::ready(Ok(()))
    }

    /// Runs for each error on a connection. The default logs it, at most ten times a second.
    ///
    /// The log is `tracing`'s, so nothing is written without a subscriber. See
    /// [Logging](crate#logging).
    fn error(
        &self,
        socket: &mut Socket<Self::Data>,
        parameters: &Self::Parameters,
        error: &Error,
    ) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = parameters;
        if let Some(suppressed) = socket.log_limits().errors.admit() {
            tracing::warn!(
                connection = %socket.id(), route = Self::PATH, suppressed, "{error:#}"
            );
        }
        std::future::ready(Ok(()))
    }
}

/// A type that becomes a route: a type with `#[ws_route]`, a [`Route`], or an `Arc` of either.
///
/// ```
/// use std::sync::Arc;
/// use harpia::prelude::*;
/// use harpia::IntoRoute;
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
/// fn app(route: impl IntoRoute) -> App {
///     App::new().ws(route)
/// }
///
/// app(Chat);
/// app(Arc::new(Chat));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a route",
    label = "not a route",
    note = "put `#[ws_route(\"/path\")]` on the type's `impl` block, and pass the route by value \
            or in an `Arc`"
)]
pub trait IntoRoute {
    /// The path pattern.
    const PATH: &'static str;

    /// Makes the route.
    fn into_route(self) -> impl Route
    where
        Self: Sized,
    {
        Arc::new(self).share_route()
    }

    /// Makes the route of a value that the application keeps using.
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

/// The handlers of a route that never wait, so that they are called in place.
///
/// The future of any other handler is boxed for each call, so that a large future does not make
/// every idle connection large. If a handler is named here and waits, its connection is closed with
/// 1011.
///
/// ```
/// use harpia::route::Inline;
///
/// const INLINE: Inline = Inline::NONE.open(true).message(true);
/// ```
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
    /// Every handler may wait.
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

    /// Sets whether `auth` never waits.
    pub const fn auth(mut self, inline: bool) -> Self {
        self.auth = inline;
        self
    }

    /// Sets whether `open` never waits.
    pub const fn open(mut self, inline: bool) -> Self {
        self.open = inline;
        self
    }

    /// Sets whether `message` never waits.
    pub const fn message(mut self, inline: bool) -> Self {
        self.message = inline;
        self
    }

    /// Sets whether `close` never waits.
    pub const fn close(mut self, inline: bool) -> Self {
        self.close = inline;
        self
    }

    /// Sets whether `drain` never waits.
    pub const fn drain(mut self, inline: bool) -> Self {
        self.drain = inline;
        self
    }

    /// Sets whether `error` never waits.
    pub const fn error(mut self, inline: bool) -> Self {
        self.error = inline;
        self
    }
}

/// Returns the first path parameter that the data reads and the path does not have.
///
/// ```
/// use harpia::extract::PathFields;
/// use harpia::route::missing_path_field;
///
/// const FIELDS: PathFields = PathFields { own: &["room", "seat"], nested: &[] };
/// assert_eq!(missing_path_field(FIELDS, "/rooms/{room}"), Some("seat"));
/// ```
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
