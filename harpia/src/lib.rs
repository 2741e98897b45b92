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
//!     fn open(&self, ws: &mut Socket<Visitor>) {
//!         let name = ws.data.name.as_deref().unwrap_or("stranger");
//!         ws.send(format!("welcome, {name}"));
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
//! | require a cookie, or close with 1008 | [`macro@FromHandshake`], its last section |
//! | read messages as a type | [`FromMessage`], [`Json`] |
//! | send JSON | [`Socket::send_json`], [`Socket::publish_json`], [`Hub::broadcast_json`] |
//! | decide what is broadcast | [`Broadcast`], [`Scope`] |
//! | bring a client up to date when it joins, and then send every change | [`guide::snapshot_then_updates`] |
//! | show who is here | [`guide::who_is_here`] |
//! | send to a topic: to all others, or to everyone | [`Socket::publish`], [`Hub::publish`] |
//! | send from outside a connection | [`Hub`] to all, [`Peer`] to one |
//! | use a route's state elsewhere | [Share state](#share-state-with-a-background-task) |
//! | fail with a close code | [`Error::close`], [`OrClose`] |
//! | know who a browser belongs to | [`Session`], [`session`] |
//! | verify a token, and close when it expires | `auth::Jwt` (feature `jwt`), [`Socket::expire_at`] |
//! | know what was tried against it | [`security`] |
//! | see what goes wrong | [Logging](#logging) |
//! | test a route | [Test your route](#test-your-route) |
//! | make one router of several routes | [`macro@routes`] |
//! | put an app together, serve pages beside it, shut down | [`App`], [`Router`], [`Server`] |
//! | implement a route without the macro | [`Route`] |
//!
//! # Logging
//!
//! harpia logs with [`tracing`](https://docs.rs/tracing), and so writes nothing until the program
//! installs a subscriber: without one, and without an `error` handler, a handler that fails closes
//! its connection and says nothing. With `tracing-subscriber = "0.3"` it is one line:
//!
//! ```no_run
//! use harpia::prelude::*;
//!
//! # struct Chat;
//! # #[ws_route("/chat")]
//! # impl Chat { fn open(&self) {} }
//! #[tokio::main]
//! async fn main() -> harpia::Result {
//!     tracing_subscriber::fmt().init();
//!     App::new().ws(Chat).listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! [`App::listen`] begins with one line at `INFO`, which says where it listens and which routes it
//! serves. What goes wrong on a connection is a `WARN` with the connection's id and the route's
//! path, unless the route has an `error` handler, which then gets it instead. What `close`,
//! `drain` and `error` themselves return as `Err`, and panics in them, are an `ERROR`.
//!
//! Each connection that ends writes one line, `connection closed`, with its id, its route, the cause,
//! the close code and the reason. Each upgrade that is refused writes one too, with path, status and
//! reason. Lines of one kind are limited to ten a second; `suppressed` in the next line says how
//! many were left out.
//!
//! # Why connections end
//!
//! | cause | close frame | level | `error` handler |
//! |---|---|---|---|
//! | `client`: the client sent a close frame | the client's | debug | no |
//! | `lost`: the connection broke without a close frame | none (`close` gets 1006) | debug | no |
//! | `handler`: `Socket::close` or `Peer::close` | yours | debug | no |
//! | `disconnect`: `Hub::disconnect` or `Hub::disconnect_topic` | yours | debug | no |
//! | `deadline`: `Socket::deadline` passed | yours | info | no |
//! | `expired`: a token expired | 4401 "Token expired", or yours | info | no |
//! | `idle`: nothing came for `idle_timeout` | 1001 "Idle Timeout" | debug | no |
//! | `shutdown`: the server shuts down | 1001 "Server Shutdown" | debug | no |
//! | `slow_consumer`: the client reads too slowly for its `backlog` | 1013 "Slow Consumer" | info | yes |
//! | `rate_limit`: more messages than `rate` | 1008 "Rate Limit Exceeded" | info | yes |
//! | `too_big`: a message over `max_message` | 1009 "message is too big" | info | yes |
//! | `protocol`: the client broke RFC 6455 | 1002 or 1007, with the rule | info | yes |
//! | `invalid_message`: not the type that the handler takes | 1007 or 1003 | info | yes |
//! | `overload`: unfinished input of all clients is over its budget | 1013 "server has no memory for more input" | warn | yes |
//! | `auth_timeout`: no first message in `auth_timeout`, or `auth` took longer | 1008 "Auth Timeout" | info | only if `auth` took longer |
//! | `auth_failed`: `auth` failed | 1008 "Invalid Token" | info | yes |
//! | `handler_error`: a handler returned `Err` | 1011, or the code of [`Error::close`] | info | yes |
//! | `handler_panic`: a handler panicked | 1011 | warn | yes |
//!
//! # Share state with a background task
//!
//! All connections of a route share its value. To share it with the rest of the program as well,
//! put it into an [`Arc`](std::sync::Arc): the app takes one share, and you keep the others.
//!
//! ```no_run
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! use harpia::prelude::*;
//!
//! #[derive(Default)]
//! struct Uptime {
//!     seconds: Mutex<u32>,
//! }
//!
//! #[ws_route("/uptime", broadcast = off)]
//! impl Uptime {
//!     fn open(&self, ws: &mut Socket) {
//!         let seconds = self.seconds.lock().unwrap();
//!         ws.subscribe("uptime");
//!         ws.send(seconds.to_string());
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> harpia::Result {
//!     let uptime = Arc::new(Uptime::default());
//!     let app = App::new().ws(Arc::clone(&uptime));
//!     let hub = app.handle();
//!     tokio::spawn(async move {
//!         let mut clock = tokio::time::interval(Duration::from_secs(1));
//!         loop {
//!             clock.tick().await;
//!             let mut seconds = uptime.seconds.lock().unwrap();
//!             *seconds += 1;
//!             hub.publish("uptime", seconds.to_string());
//!         }
//!     });
//!     app.listen("127.0.0.1:3000").await
//! }
//! ```
//!
//! Change and publish under one lock, so that no client misses an update: see
//! [`guide::snapshot_then_updates`]. In [`macro@routes`] name the type with its `Arc`:
//! `routes![Arc<Uptime>, Chat]`.
//!
//! # Test your route
//!
//! Bind port 0, serve in a task, connect a client. Here it is tokio-tungstenite, so that the whole
//! way is tested, from handshake to close frame:
//!
//! ```toml
//! [dev-dependencies]
//! futures-util = { version = "0.3", features = ["sink"] }
//! tokio-tungstenite = "0.30"
//! ```
//!
//! ```
//! use futures_util::{SinkExt, StreamExt};
//! use harpia::prelude::*;
//! use tokio_tungstenite::connect_async;
//! use tokio_tungstenite::tungstenite::client::IntoClientRequest;
//!
//! struct Echo;
//!
//! #[ws_route("/echo", broadcast = off)]
//! impl Echo {
//!     fn open(&self, ws: &mut Socket<Cookies>) -> HandlerResult {
//!         let user = ws.data.get("user").or_close(1008, "Unauthorized")?;
//!         ws.send(format!("welcome, {user}"));
//!         Ok(())
//!     }
//!
//!     fn message(&self, ws: &mut Socket<Cookies>, message: Message) {
//!         ws.send(message);
//!     }
//! }
//!
//! # /*
//! #[tokio::test]
//! # */
//! async fn a_user_is_welcomed_and_answered() -> HandlerResult {
//!     let server = App::new().ws(Echo).bind("127.0.0.1:0").await?;
//!     let (address, hub) = (server.local_addr(), server.handle());
//!     let running = tokio::spawn(server.serve());
//!
//!     let mut request = format!("ws://{address}/echo").into_client_request()?;
//!     request.headers_mut().insert("cookie", "user=ada".parse()?);
//!     let (mut client, _) = connect_async(request).await?;
//!     assert_eq!(client.next().await.unwrap()?.to_text()?, "welcome, ada");
//!     client.send("hello".into()).await?;
//!     assert_eq!(client.next().await.unwrap()?.to_text()?, "hello");
//!
//!     hub.shutdown();
//!     assert!(client.next().await.unwrap()?.is_close());
//!     drop(client);
//!     running.await?;
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> HandlerResult { a_user_is_welcomed_and_answered().await }
//! ```
//!
//! A connection misses nothing that is published after its `open` was called: with several clients,
//! wait for each one's welcome before the first speaks. `client.next()` waits for as long as nothing comes:
//! [`tokio::time::timeout`](https://docs.rs/tokio/latest/tokio/time/fn.timeout.html) makes that a
//! failure.
//!
//! # What holds
//!
//! - **One order.** All connections see broadcasts in one order, and one sender's in the order sent.
//!   Handlers of one connection never overlap and keep the order of its messages.
//! - **Nothing is missed.** From the moment `open` is called, a connection misses nothing that is
//!   published to it; until `open` returns `Ok`, it receives nothing but what is sent to it directly.
//! - **Only active connections cause broadcasts.** A connection is active from when `open` has
//!   returned `Ok` until it closes.
//! - **`close` once.** If `open` was called, `close` is called exactly once, whatever ended the
//!   connection. A panic in a handler ends its connection with 1011 and reaches `error`.
//! - **Bounded.** Messages, queues, handshakes and their times have limits with safe defaults
//!   ([`App`] lists them). A peer that does not read never delays another.
//! - **Cheap when idle.** An idle connection owns no buffer and no timer.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `session` | yes | [`Session`] with a store in memory; two small crates, for random ids and `Set-Cookie` |
//! | `jwt` | no | `auth::Jwt`: tokens, verified wherever a client sends them; jsonwebtoken and its cryptography, in Rust |
//! | `redis` | no | `session::RedisStore`, whose sessions serve every node, and a client for Redis |
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

#[cfg(feature = "jwt")]
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
mod options;
mod outcome;
mod path;
mod peer;
mod protocol;
pub mod route;
pub mod security;
mod server;
#[cfg(feature = "session")]
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
pub use outcome::{Broadcast, HandlerOutput, MessageOutput};
pub use peer::Peer;
pub use route::{IntoRoute, Route};
pub use server::{App, HttpRequest, Router, Server};
#[cfg(feature = "session")]
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
