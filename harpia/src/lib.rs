//! Real-time endpoints for Rust, declared: annotate an `impl` block, get a WebSocket route that is
//! checked as it compiles, typed, broadcast, bounded and fast.
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
//!     fn open(&self, socket: &mut Socket<Visitor>) {
//!         let name = socket.data.name.as_deref().unwrap_or("stranger");
//!         socket.send(format!("welcome, {name}"));
//!     }
//!
//!     async fn message(&self, message: String) {
//!         println!("{message}");
//!     } // now `message` goes to everyone else who is connected
//! }
//!
//! #[tokio::main]
//! async fn main() -> harpia::Result {
//!     App::new().ws(Chat).listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! # Where to look
//!
//! | you want to | look at |
//! |---|---|
//! | declare a route, its handlers and options | [`macro@ws_route`] |
//! | read cookies, query, headers, path into the connection's data | [`macro@FromHandshake`], [`extract`] |
//! | send, close, subscribe from a handler | [`Socket`] |
//! | read messages as a type | [`FromMessage`], [`Json`] |
//! | decide what is broadcast | [`Broadcast`], [`Scope`] |
//! | send from outside a connection | [`Hub`] to all, [`Peer`] to one |
//! | fail with a close code | [`OrClose`], [`Error`] |
//! | put an app together, serve pages beside it, shut down | [`App`], [`Router`], [`Server`] |
//! | implement a route without the macro | [`Route`] |
//!
//! # What holds
//!
//! - **One order.** All connections see broadcasts in one order, and one sender's in the order sent.
//!   Handlers of one connection never overlap and keep the order of its messages.
//! - **Active connections only.** A connection takes part in broadcasts once `open` has returned `Ok`
//!   and until it closes; before and after, it neither gets nor causes them.
//! - **`close` once.** If `open` was called, `close` is called exactly once, whatever ended the
//!   connection. A panic in a handler ends its connection with 1011 and reaches `error`.
//! - **Bounded.** Messages, queues, handshakes and their times have limits with safe defaults
//!   ([`App`] lists them). A peer that does not read never delays another.
//! - **Cheap when idle.** An idle connection owns no buffer and no timer.
//!
//! # Whose is what
//!
//! [fastwebsockets](https://docs.rs/fastwebsockets) answers the upgrade, and its opcodes, frame heads
//! and unmasking are used; hyper speaks HTTP, tokio runs it all, matchit finds routes. The decoder,
//! the connection's life, the hub and its flusher are harpia's.

// Examples and generated code name the crate as users do.
extern crate self as harpia;

#[doc(hidden)]
pub mod __private;

/// Keeps the README's examples compiling.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

mod budget;
mod close;
mod connection;
mod error;
pub mod extract;
mod hub;
mod id;
mod limits;
mod message;
mod outcome;
mod path;
mod peer;
mod protocol;
pub mod route;
mod server;
mod socket;
mod write_end;

pub use bytestring::ByteString;
pub use close::CloseCode;
pub use error::{BoxError, Error, HandlerResult, OrClose, Result};
pub use extract::{Cookies, FromHandshake, Query, RemoteAddr, Url};
pub use hub::Hub;
pub use id::ConnectionId;
pub use limits::{Options, OriginPolicy, Origins, Rate, Scope, Slow};
pub use message::{FromMessage, Json, Message};
pub use outcome::{Broadcast, HandlerOutput, MessageOutput};
pub use peer::Peer;
pub use route::{IntoRoute, Route};
pub use server::{App, HttpRequest, Router, Server};
pub use socket::Socket;
pub use write_end::SendStatus;

/// Fills a struct from the handshake, field by field.
///
/// | field | filled from |
/// |---|---|
/// | no attribute | the type's own [`FromHandshake`](trait@FromHandshake): `Cookies`, `Url`, `RemoteAddr`, `Query<T>`, yours |
/// | `#[from(query)]`, `#[from(query = "r")]` | the query parameter of the field's name, or of that name |
/// | `#[from(header = "user-agent")]` | a header |
/// | `#[from(cookie)]`, `#[from(cookie = "id")]` | a cookie |
/// | `#[from(path)]`, `#[from(path = "room")]` | a parameter of the route's path |
/// | `#[from(default)]` | `Default::default()`, to be attached later |
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
pub use harpia_macros::FromHandshake;

/// Makes a router of several routes, whose paths are compared as they compile.
///
/// An item: it defines `fn routes(…) -> Router`, which takes a value of each type in order. Two
/// routes that answer the same paths are a compile error that names both. A head gives the function
/// another name or visibility.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self) {}
/// }
///
/// struct Room { motd: String }
/// #[ws_route("/rooms/{room}")]
/// impl Room {
///     fn open(&self, socket: &mut Socket, room: &str) {
///         socket.send(format!("{room}: {}", self.motd));
///     }
/// }
///
/// harpia::routes![pub fn api; Chat, Room];
///
/// let app = App::new().nest("/api", api(Chat, Room { motd: "hello".into() }));
/// ```
pub use harpia_macros::routes;

/// Makes a WebSocket route of an `impl` block.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Rooms;
///
/// #[ws_route("/rooms/{room}", broadcast = route, max_message = "4KiB")]
/// impl Rooms {
///     fn open(&self, socket: &mut Socket, room: &str) {
///         socket.send(format!("this is {room}"));
///     }
///
///     async fn message(&self, room: String, message: String) -> Broadcast {
///         println!("{room}: {message}");
///         if message.is_empty() { Broadcast::Skip } else { Broadcast::Pass }
///     }
///
///     fn close(&self, socket: &mut Socket, code: CloseCode, reason: &str) {
///         println!("{} left: {code} {reason}", socket.id());
///     }
/// }
/// ```
///
/// # Handlers
///
/// Each may be left out, and be `fn` or `async fn`. A `fn` is called in place; an `async fn` may
/// wait for as long as it likes: its connection is not read meanwhile, others are not delayed.
///
/// | handler | called | arguments |
/// |---|---|---|
/// | `open` | once, before anything is received | socket |
/// | `message` | for each message, one after the other | socket, message: any [`FromMessage`] |
/// | `close` | exactly once, if `open` was | socket, [`CloseCode`], `&str` |
/// | `drain` | when all that waited for a slow peer is written | socket |
/// | `error` | for whatever goes wrong on a connection | socket, `&`[`Error`] |
///
/// The socket is `&mut Socket<Data>` and may be left out. An argument named as a path parameter is
/// that parameter: `room: T` of any `FromStr + Clone`, `room: &T` or `room: &str`; it is parsed once,
/// before the upgrade, and a value that does not parse is a 404. The others follow in order and may be
/// left out from the end. On a route with path parameters the message is called `message`.
///
/// Handlers return nothing or `Result<(), E>` for any `E` that boxes as an error, `message` also a
/// [`Broadcast`]. `Err` from `open` or `message` runs `error` and closes with 1011, or with the code
/// given by [`or_close`](OrClose::or_close).
///
/// # Options
///
/// | option | values | default |
/// |---|---|---|
/// | `data` | the connection's data, a [`FromHandshake`](trait@FromHandshake) | what a handler's `Socket<…>` names, or `()` |
/// | `broadcast` | `server`, `route`, `off` | `server` |
/// | `max_message` | a size such as `"64KiB"` | 64 KiB |
/// | `idle_timeout` | a time such as `"2m"`, `off` | 2 minutes |
/// | `ping` | a time, `off` | 30 seconds |
/// | `backlog` | a size | 1 MiB |
/// | `slow` | `close`, `skip` | `close` |
/// | `compression` | `on` (from 1 KiB), `off`, a size from which on | `off` |
/// | `rate` | such as `"50/s"`, `off` | `"200/s"` |
/// | `origins` | `["https://…"]`, `any` | the same host |
/// | `protocols` | `["chat.v1"]` | none |
/// | `crate` | where harpia is, if not `::harpia` | |
///
/// The defaults are the app's, where [`App`] sets one by the method of the same name.
pub use harpia_macros::ws_route;

/// What most programs use.
///
/// ```
/// use harpia::prelude::*;
/// ```
pub mod prelude {
    pub use bytes::Bytes;

    pub use crate::extract::{Cookies, FromHandshake, Query, RemoteAddr, Url};
    pub use crate::{
        App, Broadcast, CloseCode, FromMessage, HandlerResult, Hub, Json, Message, OrClose, Peer,
        Router, Socket, routes, ws_route,
    };
    pub use harpia_macros::FromHandshake;
}
