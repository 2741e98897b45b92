//! A real-time framework: put `#[ws_route]` on an `impl` block, and it becomes a WebSocket endpoint
//! with typed data, rooms, broadcasts and safe limits.
//!
//! ```no_run
//! use harpia::prelude::*;
//!
//! #[derive(FromHandshake)]
//! struct Visitor {
//!     #[from(query)]
//!     name: Option<String>,
//! }
//!
//! struct Chat;
//!
//! #[ws_route("/chat", data = Visitor)]
//! impl Chat {
//!     fn open(&self, ws: &mut Socket<Visitor>) {
//!         let name = ws.data.name.as_deref().unwrap_or("stranger");
//!         ws.send(format!("welcome, {name}"));
//!     }
//!
//!     async fn message(&self, message: String) {
//!         println!("{message}");
//!     } // after it returns, the message goes to all other clients
//! }
//!
//! #[tokio::main]
//! async fn main() -> harpia::Result {
//!     App::new().ws(Chat).listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! # Where to start
//!
//! The [guide] explains one task per page, with complete programs. [`macro@ws_route`] is the
//! reference of the attribute: handlers, arguments, options.
//!
//! | task | page | items |
//! |---|---|---|
//! | write a route | [`guide::first_route`] | [`macro@ws_route`], [`App`], [`Router`], [`macro@routes`] |
//! | read cookies, query, headers, path | [`guide::connection_data`] | [`macro@FromHandshake`], [`extract`] |
//! | send, broadcast, use rooms | [`guide::broadcasting`] | [`Socket`], [`Hub`], [`Peer`], [`Broadcast`], [`Scope`] |
//! | send the state first, then every change | [`guide::snapshot_then_updates`] | [`Socket::subscribe`] |
//! | show who is online | [`guide::who_is_here`] | [`Hub::subscribers`] |
//! | know who a client is | [`guide::authentication`] | `session`, `auth::Jwt`, [`Socket::expire_at`] |
//! | set limits, handle slow clients | [`guide::limits`] | [`App`], [`Slow`], [`Rate`] |
//! | close, and see why a connection closed | [`guide::closing`] | [`CloseCode`], [`Error::close`], [`OrClose`] |
//! | test a route | [`guide::testing`] | [`Server`] |
//! | put it on the internet | [`guide::deploying`], [`guide::security`] | [`App::origins`], [`Origins`] |
//! | come from another framework | [`guide::from_socket_io`], [`guide::from_bun`], [`guide::from_axum`] | |
//! | find an answer | [`guide::faq`] | |
//! | implement a route without the macro | | [`Route`] |
//!
//! # Layout
//!
//! | module | contents |
//! |---|---|
//! | crate root | what programs name: [`App`], [`Socket`], [`Hub`], [`Peer`], [`Message`], [`Error`] and the macros |
//! | [`prelude`] | what most programs import |
//! | [`extract`] | typed access to the handshake, and rejections with a status |
//! | `session` | sessions in memory or Redis, and a login service (feature `session`, on by default) |
//! | `auth` | JSON Web Tokens (feature `jwt`) |
//! | [`route`] | the trait that `#[ws_route]` implements |
//! | [`guide`] | the guide |
//!
//! `ARCHITECTURE.md` in the repository describes the private modules.
//!
//! # Logging
//!
//! harpia logs with [`tracing`](https://docs.rs/tracing). Nothing is written until the program
//! installs a subscriber, for example with `tracing_subscriber::fmt().init()`. The levels of the
//! log lines are in two tables of the guide: [`guide::first_route`] has the lines about the server
//! and handlers, and [`guide::closing`] has the lines about closed connections.
//!
//! Each handler runs inside a span `handler` at level `info`, with the fields `connection` (its id;
//! not for `connect`, which runs before there is a connection) and `route`. The log lines of your
//! handlers therefore name the connection.
//!
//! # Share state with a background task
//!
//! Put the route into an [`Arc`](std::sync::Arc), and give the app a clone:
//! `App::new().ws(Arc::clone(&chat))`. [`guide::connection_data`] has a complete program.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `session` | yes | the module `session`: typed sessions under an id in a cookie, with a store in memory |
//! | `jwt` | no | the module `auth`: JSON Web Tokens, with [jsonwebtoken](https://docs.rs/jsonwebtoken) |
//! | `tls` | no | `App::tls`: TLS without a proxy, with [rustls](https://docs.rs/rustls) and ring |
//! | `redis` | no | `session::RedisStore`, whose sessions serve several servers |

#![cfg_attr(docsrs, feature(doc_cfg))]

// Examples and generated code name the crate as users do.
extern crate self as harpia;

#[doc(hidden)]
pub mod __private;

/// Compiles the programs of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(feature = "jwt")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwt")))]
pub mod auth;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod budget;
mod clock;
mod close;
mod connection;
mod error;
pub mod extract;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzz;
pub mod guide;
mod hub;
mod id;
mod json;
mod limits;
mod log_limit;
mod message;
mod options;
mod outcome;
mod panic_guard;
mod path;
mod peer;
mod protocol;
pub mod route;
mod server;
#[cfg(feature = "session")]
#[cfg_attr(docsrs, doc(cfg(feature = "session")))]
pub mod session;
mod socket;
mod sync;
mod transport;

pub use bytes::Bytes;
pub use bytestring::ByteString;
pub use close::CloseCode;
pub use error::{BoxError, Error, HandlerResult, OrClose, Result};
pub use extract::{Cookies, FromHandshake, Query, RemoteAddr, Url};
pub use hub::{Count, Hub, NodeId, Presence};
pub use id::ConnectionId;
pub use message::{FromMessage, IntoMessage, Json, Message};
pub use options::{Options, Origins, Rate, Scope, Slow};
pub use outcome::{AuthOutput, Broadcast, ConnectOutput, HandlerOutput, MessageOutput};
pub use peer::Peer;
pub use route::{IntoRoute, Route};
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use server::Tls;
pub use server::{App, ForwardedHeader, HttpRequest, RequestBody, Router, Server};
#[cfg(feature = "session")]
#[cfg_attr(docsrs, doc(cfg(feature = "session")))]
pub use session::Session;
/// Listeners: what a server listens on.
pub mod listen {
    pub use crate::server::listen::{
        IntoListeners, ListenAddr, ListenOptions, Listener, Listeners,
    };
}
pub use socket::{Socket, SubscribeError, Subscribing};
pub use transport::SendStatus;

/// Fills a struct from the handshake, field by field.
///
/// | field | filled from |
/// |---|---|
/// | no attribute | the type's own [`FromHandshake`](trait@FromHandshake): `Cookies`, `Url`, `RemoteAddr`, `Query<T>`, yours |
/// | `#[from(query)]`, `#[from(query = "r")]` | the query parameter of the field's name, or of that name |
/// | `#[from(header)]`, `#[from(header = "user-agent")]` | the header of the field's name, with `-` for each `_` (`user_agent` is `user-agent`), or of that name |
/// | `#[from(cookie)]`, `#[from(cookie = "id")]` | a cookie |
/// | `#[from(path)]`, `#[from(path = "room")]` | a parameter of the route's path |
/// | `#[from(default)]` | `Default::default()`; a handler such as `open` fills it in |
///
/// Single values are parsed by [`FromStr`](std::str::FromStr). Use `Option<T>` for a value that may
/// be missing. If any other value is missing, or a value does not parse, the upgrade is refused
/// with a 400 that names it (a path parameter: 404). If the program imports harpia under another
/// name, put `#[from(crate = my::harpia)]` on the struct.
///
/// ```
/// use harpia::prelude::*;
///
/// #[derive(FromHandshake)]
/// struct Player {
///     cookies: Cookies,
///     #[from(path)] game: u32,
///     #[from(query = "color")] wish: Option<String>,
///     #[from(header = "user-agent")] agent: Option<String>,
///     #[from(default)] score: u64,
/// }
/// ```
///
/// A value that is known only later starts as its default, and a handler sets it in `ws.data`. Use
/// `Option<T>` if `T` has no default:
///
/// ```
/// use harpia::prelude::*;
///
/// struct Account { name: String }
///
/// async fn account_of(session: &str) -> Option<Account> {
///     (session == "s3cret").then(|| Account { name: "Ada".into() })
/// }
///
/// #[derive(FromHandshake)]
/// struct Member {
///     #[from(cookie)] session: String,
///     #[from(default)] account: Option<Account>,
/// }
///
/// struct Club;
///
/// #[ws_route("/club", data = Member)]
/// impl Club {
///     async fn open(&self, ws: &mut Socket<Member>) -> HandlerResult {
///         let account = account_of(&ws.data.session).await;
///         ws.data.account = Some(account.or_close(1008, "Unauthorized")?);
///         Ok(())
///     }
///
///     fn message(&self, ws: &mut Socket<Member>, message: String) {
///         if let Some(account) = &ws.data.account {
///             println!("{}: {message}", account.name);
///         }
///     }
/// }
/// ```
///
/// # Required values
///
/// A field can require a cookie, or any other value, in two ways. They differ in what the client
/// sees. (A third way is the handler `connect`, which can answer with any status.)
///
/// | field | if it is missing | the client sees |
/// |---|---|---|
/// | `#[from(cookie)] session_id: String` | the upgrade is refused | status 400 |
/// | `#[from(cookie)] session_id: Option<String>`, and [`or_close`](crate::OrClose) in `open` | the connection is closed | close code 1008 and your reason |
///
/// The first way is shorter, and all handlers have a plain `String`. Use it if only a broken client
/// lacks the value. A page cannot see the status of a refused upgrade: its `WebSocket` reports
/// 1006, as if the server were down. Use the second way if a page has to react, for example by
/// showing a login form. `open` can then look the value up, and keep the result in a field that is
/// not an `Option`:
///
/// ```
/// use std::collections::HashMap;
/// use harpia::prelude::*;
///
/// #[derive(FromHandshake)]
/// struct Member {
///     #[from(cookie)] session_id: Option<String>,
///     #[from(default)] name: String,      // `open` fills it in
/// }
///
/// struct Club {
///     names: HashMap<String, String>,
/// }
///
/// #[ws_route("/club", data = Member, broadcast = off)]
/// impl Club {
///     fn open(&self, ws: &mut Socket<Member>) -> HandlerResult {
///         let id = ws.data.session_id.as_deref().or_close(1008, "Unauthorized")?;
///         ws.data.name = self.names.get(id).cloned().or_close(1008, "Unauthorized")?;
///         Ok(())
///     }
///
///     fn message(&self, ws: &mut Socket<Member>, message: String) {
///         println!("{}: {message}", ws.data.name);   // `open` has set it
///     }
/// }
/// ```
///
/// `message` runs only after `open` has returned `Ok`. `close` also runs if `open` has failed. In
/// that case, the name is still its default.
pub use harpia_macros::FromHandshake;

/// Makes a router of several routes, and compares their paths at compile time.
///
/// It defines a function: `routes![Chat, Rooms]` is `fn routes(Chat, Rooms) -> Router`, which takes
/// a value of each type in order. Two routes that answer the same paths are a compile error that
/// names both.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat", broadcast = route)]
/// impl Chat {
///     fn open(&self, ws: &mut Socket) {
///         ws.send("welcome");
///     }
/// }
///
/// struct Rooms { motd: String }
///
/// #[ws_route("/rooms/{room}", broadcast = off)]
/// impl Rooms {
///     fn open(&self, ws: &mut Socket, room: &str) {
///         ws.send(format!("{room}: {}", self.motd));
///     }
/// }
///
/// routes![Chat, Rooms];
///
/// # fn main() {
/// let rooms = Rooms { motd: "be kind".into() };
/// let app = App::new().merge(routes(Chat, rooms));   // /chat and /rooms/{room}
/// # }
/// ```
///
/// With a head, the function has another name or visibility, for example for the routes of a module
/// that go under a prefix:
///
/// ```
/// mod api {
///     use harpia::prelude::*;
///
///     pub struct Prices;
///
///     #[ws_route("/prices", broadcast = off)]
///     impl Prices {
///         fn open(&self, ws: &mut Socket) {
///             ws.subscribe("prices");
///         }
///     }
///
///     routes![pub fn api; Prices];
/// }
///
/// # fn main() {
/// let app = harpia::App::new().nest("/api", api::api(api::Prices));   // /api/prices
/// # }
/// ```
///
/// List a route that the program [shares](guide::connection_data#state-of-the-route) with its
/// `Arc`: `routes![Arc<Chat>, Rooms]` is `fn routes(Arc<Chat>, Rooms) -> Router`.
///
/// Across routers and prefixes, two routes with one path are found when the app is built:
/// [`App::bind`] and [`App::listen`] return [`Error::DuplicateRoute`].
pub use harpia_macros::routes;

/// Makes an `impl` block a WebSocket route.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Rooms;
///
/// #[ws_route("/rooms/{room}", broadcast = off, max_message = "4KiB")]
/// impl Rooms {
///     fn open(&self, ws: &mut Socket, room: &str) {
///         ws.subscribe(format!("room {room}"));
///         ws.send(format!("this is {room}"));
///     }
///
///     async fn message(&self, ws: &mut Socket, room: &str, message: String) {
///         println!("{room}: {message}");
///         ws.publish(format!("room {room}"), message);   // to all others in the room
///     }
///
///     fn close(&self, ws: &mut Socket, code: CloseCode, reason: &str) {
///         println!("{} left: {code} {reason}", ws.id());
///     }
/// }
/// ```
///
/// Without `broadcast = off`, each message goes to all other clients of the server after its
/// handler has returned. The handler can decide otherwise:
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat", rate = "20/5s")]
/// impl Chat {
///     fn message(&self, message: String) -> Broadcast {
///         if message.is_empty() { Broadcast::Skip } else { Broadcast::Pass }
///     }
/// }
/// ```
///
/// # Path
///
/// A path starts with `/`. Each segment is fixed text or one `{parameter}`. There are no partial
/// parameters (`/file-{id}`) and no catch-all. A parameter matches one segment that is not empty.
/// If a fixed segment and a parameter both match, the fixed segment wins.
///
/// A path is declared without a slash at its end. An upgrade for `/chat/` matches `/chat`, since
/// some clients add the slash. Values are percent-decoded once, so `a%2Fb` is `a/b` and stays one
/// segment. A value that is not UTF-8 is a 404.
///
/// A parameter cannot be called `ws`, `message`, `first`, `code`, `reason` or `error`, which are
/// names of arguments. On a route with `connect`, that also holds for `request`.
///
/// # Handlers
///
/// Each handler is optional, and is an `fn` or `async fn`. Without `message`, each message is
/// broadcast as it is (with `broadcast = off`: ignored). An `async fn` can be suspended at an
/// `await` as long as it likes (`connect` and `auth` have time limits, and all handlers have one if
/// `handler_timeout` is set): its connection is not read in the meantime, and other connections are
/// not delayed.
///
/// | handler | called | arguments |
/// |---|---|---|
/// | `connect` | before the upgrade; makes the connection's data | `&`[`Handshake`](extract::Handshake) |
/// | `auth` | with the first message, before `open`; must return a `Result` | socket, first message (any [`FromMessage`]) |
/// | `open` | once, before any message | socket |
/// | `message` | for each message, one after the other | socket, message (any [`FromMessage`]) |
/// | `close` | exactly once for each `open`, even if `open` failed | socket, [`CloseCode`], `&str` |
/// | `drain` | when everything that waited for a slow client is written | socket |
/// | `error` | when `auth`, `open` or `message` fails, when a handler panics, or when the client breaks a rule | socket, `&`[`Error`] |
///
/// - The socket is the argument of type `&mut Socket<Data>`. It can have any position and any name,
///   and can be left out. `connect` has none, since it runs before the upgrade.
/// - An argument with the name of a path parameter is that parameter, in any position: `room: T`
///   for any `FromStr + Clone`, `room: &T` or `room: &str`. It is parsed once, before the upgrade.
///   A value that does not parse is a 404.
/// - The other arguments come in the order of the table, and the last ones can be left out:
///   `close(&self, code: CloseCode)` is fine, and `close(&self, reason: &str)` is not. On a route
///   with path parameters, the message must be called `message` (in `auth`: `first`), be a pattern
///   such as `Json(say)`, or have a name that starts with `_`. Any other name is a compile error.
///   Without this rule, `message(&self, room: String)` on `/{room_id}` would silently get the
///   message instead of the parameter.
///
/// A handler returns nothing, or `Result<(), E>` for any error type `E`. `message` can also return
/// a [`Broadcast`], and `connect` returns `Result<Data, E>`. An `Err` from `open` or `message`
/// calls `error`, and then closes the connection with 1011, or with the code of [`Error::close`] or
/// [`or_close`](OrClose::or_close).
///
/// # Before the upgrade
///
/// `connect` sees the request, the path parameters and the fields of the route. It can await a
/// database, and returns the data of the connection. The data then needs no [`FromHandshake`]: any
/// `Send` type will do.
///
/// ```
/// use harpia::prelude::*;
///
/// # struct Database;
/// # impl Database {
/// #     async fn user(&self, id: &str) -> Result<Option<User>, std::io::Error> {
/// #         Ok((id == "7").then(|| User { name: "Ada".to_owned() }))
/// #     }
/// # }
/// struct User { name: String }
///
/// struct Chat { db: Database }
///
/// #[ws_route("/chat", data = User)]
/// impl Chat {
///     async fn connect(&self, request: &Handshake) -> HandlerResult<User> {
///         let id = request.cookies().get("session_id").or_reject(401, "log in first")?;
///         let user = self.db.user(id).await?;                    // an error is a 500
///         Ok(user.or_reject(403, "no such user")?)
///     }
///
///     fn open(&self, ws: &mut Socket<User>) {
///         ws.send(format!("welcome, {}", ws.data.name));
///     }
/// }
/// # let _ = App::new().ws(Chat { db: Database });
/// ```
///
/// `connect` runs after all checks of the handshake, such as the origin. An `Err` refuses the
/// upgrade. The `error` handler is not called, since there is no connection yet:
///
/// | `connect` ends with | response |
/// |---|---|
/// | [`Rejection`](extract::Rejection), also from [`or_reject`](extract::OrReject::or_reject) | its status, text and headers |
/// | a token that [`Jwt`](auth::Jwt) refuses, or [`SessionError::NotFound`](session::SessionError::NotFound) | 401 |
/// | any other error, or a panic | 500, and the error is logged |
/// | no result within [`handshake_timeout`](App::handshake_timeout) | 503 |
///
/// If an error wraps other errors, harpia follows [`source`](std::error::Error::source) from the
/// outermost error inwards, and the first `Rejection`, rejected token or `SessionError::NotFound`
/// decides. If there is none, the response is a 500. On a route with `origins = any`, or with
/// `"null"` among its origins, harpia removes cookies and Basic credentials from the request before
/// `connect` sees it.
///
/// # Authentication by the first message
///
/// If a route has `auth`, nothing else happens before `auth` has returned `Ok`. The connection is
/// not opened and receives no broadcast. The first message goes only to `auth`, so a token in it
/// cannot reach another client.
///
/// ```
/// use std::collections::HashSet;
/// use harpia::prelude::*;
///
/// struct Private {
///     tokens: HashSet<String>,
/// }
///
/// #[ws_route("/private", auth_timeout = "3s")]
/// impl Private {
///     async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
///         self.tokens.get(&first).ok_or("unknown token")?;
///         ws.send("welcome");
///         Ok(())
///     }
/// } // from the second message on, messages are broadcast
/// ```
///
/// - If `auth` returns `Err`, or the first message is not of its type, the connection closes with
///   1008 "Invalid Token", whatever code the error names. Only an error with 1013 (a session store
///   that is down) keeps its code. The `error` handler gets the reason, and the client does not.
/// - If the message does not arrive, or `auth` does not return, within `auth_timeout`, the
///   connection closes with 1008 "Auth Timeout". An `auth` that waits is dropped at its `await`.
///   `error` is called if `auth` took too long, but not if no message came.
/// - In these cases, and if the connection was closed or lost in the meantime, neither `open` nor
///   `close` is called.
/// - The first message has at most 16 KiB, or `max_message` if that is less. A longer one closes
///   the connection with 1009.
///
/// An `auth` that does not take the message, does not return a `Result`, or is behind `#[cfg]` is a
/// compile error, since each of these would leave the route open. [`Socket::expire_at`] closes the
/// connection when a token expires.
///
/// # Errors of handlers
///
/// Without an `error` handler, errors are logged, and need a subscriber to be seen
/// ([Logging](guide::first_route#logging)). With one, it gets them instead:
///
/// ```
/// # use harpia::prelude::*;
/// # struct Chat;
/// # #[ws_route("/chat")]
/// # impl Chat {
/// fn error(&self, ws: &mut Socket, error: &harpia::Error) {
///     eprintln!("connection {}: {error:#}", ws.id());   // `#`: with its causes
/// }
/// # }
/// ```
///
/// Other methods of the block stay ordinary methods. If nothing calls a method, and its name is
/// close to the name of a handler that the block does not have (`mesage`, `on_message`,
/// `authenticate`), it is a compile error that names the handler. `#[allow(dead_code)]` turns the
/// check off. A `pub` method counts as called.
///
/// If a macro call in the block expands to a handler, `#[ws_route]` does not see this handler, and
/// harpia never calls it. An `auth` from a macro call is a compile error, since the route would
/// look authenticated and let everybody in.
///
/// # Messages
///
/// Handlers take any [`FromMessage`], such as [`Message`], `String`, [`Bytes`] and
/// [`Json<T>`](Json). A message that cannot be read as that type reaches `error` and closes the
/// connection. With `Result<T, harpia::Error>`, the handler decides itself.
///
/// [`Socket::send`] and [`Socket::publish`] take text, bytes and [`Message`]s ([`IntoMessage`]).
/// [`Socket::send_json`] and [`Socket::publish_json`] take any `Serialize`.
///
/// # Options
///
/// | option | values | default |
/// |---|---|---|
/// | `data` | the connection's data, a [`FromHandshake`](trait@FromHandshake) | the type in a handler's `Socket<…>` (that of a handler behind `#[cfg]` only if no other handler names a type), or `()` |
/// | `broadcast` | `server`: all connections of the server, including other routes | `server` |
/// | | `route`: all connections of the route, whatever its parameters; for one room use [`subscribe`](Socket::subscribe) and [`publish`](Socket::publish) | |
/// | | `off`: only the handler gets the message | |
/// | `auth_timeout` | a time; only on a route with `auth` | `"5s"` |
/// | `max_message` | a size | `"64KiB"` |
/// | `idle_timeout` | a time, `off` | `"2m"` |
/// | `ping` | a time, `off` | `"30s"` |
/// | `write_timeout` | a time, `off` | `"30s"` |
/// | `message_timeout` | a time, `off` | `"5m"` |
/// | `handler_timeout` | a time, `off` | `off` |
/// | `backlog` | a size | `"1MiB"` |
/// | `slow` | `close`, `skip` | `close` |
/// | `compression` | `on` (from 1 KiB), `off`, or the size from which messages are compressed; each route decides whether it compresses; the size is one for the server, the [smallest](App::compression) that any route sets | `off` |
/// | `rate` | a rate, `off` | `"200/s"` |
/// | `byte_rate` | a size per second, `off` | `"4MiB/s"` |
/// | `publish_rate` | a size per second, `off` | `"512KiB/s"` |
/// | `max_topics` | a number | `1024` |
/// | `max_topic_len` | a size | `"255B"` |
/// | `origins` | `["https://…"]`: only pages of these origins (list the server's own too, and those of apps and browser extensions), or `any` | the same host and port |
/// | `protocols` | `["chat.v1"]` | none |
/// | `crate` | the path of harpia, if it is not `::harpia` | |
///
/// - A size is a number of bytes (`4096`), or text with a unit: `B`; `KB`, `MB`, `GB` (powers of
///   1000); `KiB`, `MiB`, `GiB` (powers of 1024). So `"4KB"` is 4000 and `"4KiB"` is 4096.
/// - A time is text with a unit: `ms`, `s`, `m` or `min`, `h`. It is not zero.
/// - A rate is a number of messages per time: `"50/s"`, `"20/10s"`. A size per second is a size with
///   a unit: `"512KiB/s"`.
/// - Numbers are whole: `"90s"`, not `"1.5m"`.
///
/// [`App`] has a method of the same name for each option except `data` and `crate`. It sets the
/// default of all routes and documents the option. [`guide::limits`] has all limits with their
/// reasons.
pub use harpia_macros::ws_route;

/// Re-exports what most programs use.
///
/// ```
/// use harpia::prelude::*;
/// ```
pub mod prelude {
    pub use crate::Bytes;

    #[cfg(feature = "jwt")]
    pub use crate::auth::Jwt;
    pub use crate::extract::{
        Cookies, FromHandshake, Handshake, OrReject, Query, Rejection, RemoteAddr, Url,
    };
    #[cfg(feature = "session")]
    pub use crate::session::Session;
    pub use crate::{
        App, Broadcast, CloseCode, FromMessage, HandlerResult, Hub, Json, Message, OrClose, Peer,
        Router, SendStatus, Socket, routes, ws_route,
    };
    pub use harpia_macros::FromHandshake;
}
