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
//! harpia logs with [`tracing`](https://docs.rs/tracing), so nothing is written until the program
//! installs a subscriber, for example with `tracing_subscriber::fmt().init()`. What is logged at which
//! level: [`guide::first_route`] for the server and handlers, [`guide::closing`] for connections.
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
mod close;
mod connection;
mod error;
pub mod extract;
pub mod guide;
mod hub;
mod id;
mod json;
mod limits;
mod log_limit;
mod message;
mod outcome;
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
pub use limits::{Options, OriginPolicy, Origins, Rate, Scope, Slow};
pub use message::{FromMessage, IntoMessage, Json, Message};
pub use outcome::{Broadcast, HandlerOutput, MessageOutput};
pub use peer::Peer;
pub use route::{IntoRoute, Route};
pub use server::{App, HttpRequest, Router, Server};
#[cfg(feature = "session")]
#[cfg_attr(docsrs, doc(cfg(feature = "session")))]
pub use session::Session;
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
/// | `#[from(default)]` | `Default::default()`, to be attached later, as in `open` |
///
/// Single values are parsed by [`FromStr`](std::str::FromStr). `Option<T>` is for what may be
/// missing; anything else that is missing, and whatever does not parse, refuses the upgrade with a
/// 400 that names it (a path parameter: 404). Where harpia is named otherwise, the struct says so:
/// `#[from(crate = my::harpia)]`.
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
/// What is only known later begins as its default and is attached to `ws.data` by a handler. The
/// usual type is `Option<T>`, which has a default where `T` has none:
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
/// # A value that must be there
///
/// There are two ways to require a cookie, or any other value. They differ in what the client sees.
///
/// | field | if it is missing | the client sees |
/// |---|---|---|
/// | `#[from(cookie)] session_id: String` | the upgrade is refused | status 400 |
/// | `#[from(cookie)] session_id: Option<String>`, and [`or_close`](crate::OrClose) in `open` | the connection is closed | close code 1008 and your reason |
///
/// The first is the shortest, and in all handlers the value is a plain `String`. Use it if only a
/// broken client comes without the value. A page cannot see the status of a refused upgrade: its
/// `WebSocket` reports 1006, as if the server were down. So use the second if a page has to react,
/// for example by showing its login form. `open` is also the place to look the value up, and to
/// keep what it stands for in a field that is no `Option`:
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
///         println!("{}: {message}", ws.data.name);   // never empty here
///     }
/// }
/// ```
///
/// `message` runs only after `open` has returned `Ok`. `close` runs in any case, and finds the
/// default if `open` failed.
pub use harpia_macros::FromHandshake;

/// Makes a router of several routes, whose paths are compared as they compile.
///
/// It stands where a function may stand, and defines one: `routes![Chat, Rooms]` is
/// `fn routes(Chat, Rooms) -> Router`, which takes a value of each type in order. Two routes that
/// answer the same paths are a compile error that names both.
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
/// A head gives the function another name or visibility, as for a module's routes that go under a
/// prefix:
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
/// A route that the program [shares](crate#share-state-with-a-background-task) is listed with its
/// `Arc`: `routes![Arc<Chat>, Rooms]` is `fn routes(Arc<Chat>, Rooms) -> Router`.
///
/// With prefixes and several routers, two routes of one path are found when the app is built:
/// [`App::bind`] and [`App::listen`] then return [`Error::DuplicateRoute`].
pub use harpia_macros::routes;

/// Makes a WebSocket route of an `impl` block.
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
/// Without `broadcast = off` each message goes to everyone else on the server when its handler has
/// returned, and the handler may decide otherwise:
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
/// A path begins with `/`. Each segment is fixed, or as a whole a `{parameter}`: there is neither
/// `/file-{id}` nor a catch-all. A parameter stands for one segment that is not empty. Where both
/// fit, the fixed segment wins.
///
/// A path has no slash at its end, and a request with one is for another path: `/chat/` is not
/// `/chat` but a 404, or the [fallback](App::fallback)'s to answer. Values are percent-decoded once,
/// so `a%2Fb` is `a/b` and stays one segment; a value that is not UTF-8 is a 404.
///
/// `ws`, `message`, `first`, `code`, `reason` and `error` cannot name a parameter, since they name
/// arguments.
///
/// # Handlers
///
/// Each may be left out, and be `fn` or `async fn`; without `message`, what comes is broadcast as
/// it is. A `fn` is called in place; an `async fn` may wait for as long as it likes: its connection
/// is not read meanwhile, others are not delayed.
///
/// | handler | called | arguments |
/// |---|---|---|
/// | `auth` | with the first message, before `open`; must return a `Result` | socket, first message: any [`FromMessage`] |
/// | `open` | once, before anything is received | socket |
/// | `message` | for each message, one after the other | socket, message: any [`FromMessage`] |
/// | `close` | exactly once, if `open` was, also where that failed | socket, [`CloseCode`], `&str` |
/// | `drain` | when all that waited for a slow peer is written | socket |
/// | `error` | for whatever goes wrong on a connection | socket, `&`[`Error`] |
///
/// - The socket is the `&mut Socket<Data>`: in any place, under any name (also a path parameter's), or left
///   out.
/// - An argument named as a path parameter is that parameter, in any place: `room: T` of any
///   `FromStr + Clone`, `room: &T` or `room: &str`. It is parsed once, before the upgrade, and a
///   value that does not parse is a 404.
/// - The others follow in order and may be left out from the end. On a route with path parameters
///   the message is called `message` (`first` in `auth`), or is a pattern such as `Json(say)`, or a name that begins with `_`.
///   Else `message(&self, room: String)` on `/{room_id}`, meant as the parameter, would get the
///   message.
///
/// Handlers return nothing or `Result<(), E>` for any `E` that boxes as an error, `message` also a
/// [`Broadcast`]. `Err` from `open` or `message` runs `error` and closes with 1011, or with the code
/// given by [`Error::close`] or [`or_close`](OrClose::or_close).
///
/// # A first message that says who it is
///
/// Where a route has `auth`, nothing else happens before it has returned `Ok`: the connection is not
/// opened, receives no broadcast, and its first message goes to `auth` alone, so that a token can
/// reach nobody else.
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
/// } // from the second message on, all is broadcast
/// ```
///
/// `Err`, and a first message that is not of its type, close with 1008 "Invalid Token"; why, only
/// `error` hears. It hears nothing of who only stays silent. Where the message has not come, or `auth` not returned, within `auth_timeout`, it
/// closes with 1008 "Auth Timeout"; an `auth` that waits is then dropped at its `await`, and `error`
/// hears of it. In all these cases, and where the connection was closed or has left meanwhile,
/// neither `open` nor `close` is called. The first message has at most 16 KiB, or `max_message` where
/// that is less; a longer one closes with 1009. That `auth` takes the message, returns a `Result` and is
/// behind no `cfg` is checked as it compiles: each of these would leave the route open.
/// [`Socket::expire_at`] closes when a token runs out.
///
/// # Errors of handlers
///
/// A route without `error` logs what goes wrong, and without a subscriber for it nothing is seen:
/// see [Logging](crate#logging), or write `error`:
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
/// Other methods of the block stay ordinary methods. Only a near miss of a handler, one that takes
/// a socket or begins with `on_`, is a compile error with the right name: `mesage`, `on_message`. If
/// it is none, it goes into another `impl` block. So does a macro call, since a handler in what
/// it expands to would be left out unseen.
///
/// # Messages
///
/// In: any [`FromMessage`], such as [`Message`], `String`, [`Bytes`] and
/// [`Json<T>`](Json). What cannot be read as that type reaches `error` and closes; with
/// `Result<T, harpia::Error>` the handler decides itself. Out: [`Socket::send`] and
/// [`Socket::publish`] take text, bytes and [`Message`]s ([`IntoMessage`]);
/// [`Socket::send_json`] and [`Socket::publish_json`] take any `Serialize`.
///
/// # Options
///
/// | option | values | default |
/// |---|---|---|
/// | `data` | the connection's data, a [`FromHandshake`](trait@FromHandshake) | what a handler's `Socket<…>` names (one behind `#[cfg]` only if no other does), or `()` |
/// | `broadcast` | `server`: all connections of the server, those of other routes too | `server` |
/// | | `route`: all connections of the route, whatever its parameters; for one room use [`subscribe`](Socket::subscribe) and [`publish`](Socket::publish) | |
/// | | `off`: messages go to the handler alone | |
/// | `auth_timeout` | a time, on a route with `auth` | `"5s"` |
/// | `max_message` | a size | `"64KiB"` |
/// | `idle_timeout` | a time, `off` | `"2m"` |
/// | `ping` | a time, `off` | `"30s"` |
/// | `backlog` | a size | `"1MiB"` |
/// | `slow` | `close`, `skip` | `close` |
/// | `compression` | `on` (from 1 KiB), `off`, a size from which on; on one server the [smallest size](App::compression) holds for all | `off` |
/// | `rate` | a rate, `off` | `"200/s"` |
/// | `origins` | `["https://…"]`: exactly these, the server's own too only if named; `any` | the same host and port |
/// | `protocols` | `["chat.v1"]` | none |
/// | `crate` | where harpia is, if not `::harpia` | |
///
/// - A size is a number of bytes, `4096`, or text with a unit: `B`; `KB`, `MB`, `GB` by thousands;
///   `KiB`, `MiB`, `GiB` by 1024. So `"4KB"` is 4000 and `"4KiB"` 4096.
/// - A time is text with a unit: `ms`, `s`, `m` or `min`, `h`. It is not zero.
/// - A rate is messages in a time: `"50/s"`, `"20/10s"`.
/// - Numbers are whole: `"90s"`, not `"1.5m"`.
///
/// The defaults are the app's, where [`App`] sets one by the method of the same name, which also
/// says what the option does.
pub use harpia_macros::ws_route;

/// What most programs use.
///
/// ```
/// use harpia::prelude::*;
/// ```
pub mod prelude {
    pub use crate::Bytes;

    #[cfg(feature = "jwt")]
    pub use crate::auth::Jwt;
    pub use crate::extract::{Cookies, FromHandshake, Query, Rejection, RemoteAddr, Url};
    #[cfg(feature = "session")]
    pub use crate::session::Session;
    pub use crate::{
        App, Broadcast, CloseCode, FromMessage, HandlerResult, Hub, Json, Message, OrClose, Peer,
        Router, Socket, routes, ws_route,
    };
    pub use harpia_macros::FromHandshake;
}
