//! A connection as its handlers see it: the data, which it owns, and a shared handle to write with.

mod pending;
mod subscribing;
mod topics;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytestring::ByteString;
use serde::Serialize;

use crate::clock::{self, ticks};
use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Result;
#[cfg(any(feature = "jwt", feature = "session"))]
use crate::extract::{CredentialSource, Credentials, Sealed};
use crate::hub::{Hub, LogLimits};
use crate::id::ConnectionId;
use crate::message::{IntoMessage, Message};
use crate::peer::Peer;
use crate::transport::{SendStatus, Timer, Transport};

use pending::Pending;
pub use subscribing::{SubscribeError, Subscribing};
use topics::Topics;

/// One connection: its data, and methods to send, publish, subscribe and close.
///
/// All methods take `&self`. Only `data` needs `&mut`. A handler may hold the socket across an
/// `await`: the connection keeps sending what others publish meanwhile.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Rooms;
///
/// #[ws_route("/rooms/{room}", broadcast = off)]
/// impl Rooms {
///     fn open(&self, ws: &mut Socket, room: &str) {
///         ws.subscribe(format!("room {room}"));
///         ws.send(format!("this is {room}"));
///     }
///
///     fn message(&self, ws: &mut Socket, room: &str, message: String) {
///         ws.publish(format!("room {room}"), message);
///     }
/// }
/// ```
pub struct Socket<D = ()> {
    /// The connection's data, made from its handshake.
    pub data: D,
    /// `Some` until the connection is active.
    pending: Option<Box<Pending>>,
    transport: Arc<Transport>,
    hub: Hub,
    /// Set if the connection has a subprotocol, and with the first subscription.
    rare: OnceLock<Box<Rare>>,
}

/// What many connections do not have. It is boxed, to keep the others small.
#[derive(Debug, Default)]
struct Rare {
    protocol: Option<Arc<str>>,
    topics: Topics,
}

#[cfg(any(feature = "jwt", feature = "session"))]
impl<D> CredentialSource for Socket<D> {}

#[cfg(any(feature = "jwt", feature = "session"))]
impl<D> Sealed for Socket<D> {
    fn credentials(&self) -> Option<&Credentials> {
        Some(&self.pending.as_ref()?.credentials)
    }

    fn expire_at(&self, unix_seconds: u64) {
        self.expire_at(unix_seconds);
    }

    fn has_protocol(&self) -> bool {
        self.protocol().is_some()
    }
}

impl Rare {
    fn with_protocol(protocol: Arc<str>) -> OnceLock<Box<Self>> {
        OnceLock::from(Box::new(Self {
            protocol: Some(protocol),
            topics: Topics::default(),
        }))
    }
}

impl<D> Socket<D> {
    pub(crate) fn new(
        data: D,
        #[cfg(any(feature = "jwt", feature = "session"))] credentials: Credentials,
        transport: Arc<Transport>,
        hub: Hub,
        protocol: Option<Arc<str>>,
    ) -> Self {
        let pending = Pending::new(
            #[cfg(any(feature = "jwt", feature = "session"))]
            credentials,
        );
        Self {
            data,
            pending: Some(Box::new(pending)),
            transport,
            hub,
            rare: protocol.map(Rare::with_protocol).unwrap_or_default(),
        }
    }

    /// Drops the cookies and tokens once the connection is active, and returns the messages that
    /// its handlers have published so far.
    pub(crate) fn take_pending(&mut self) -> Vec<(ByteString, Message)> {
        let pending = self.pending.take();
        let messages = pending
            .map(|pending| pending.into_messages())
            .unwrap_or_default();
        if !messages.is_empty() {
            self.transport.set_published();
        }
        messages
    }

    pub(crate) fn log_limits(&self) -> &LogLimits {
        self.hub.log_limits()
    }

    /// Returns the transport, which the hub and the peers share.
    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }

    /// Returns the connection's id, which is unique within its server.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn log(ws: &Socket, message: &str) {
    ///     println!("connection {}: {message}", ws.id());
    /// }
    /// ```
    pub fn id(&self) -> ConnectionId {
        self.transport.id()
    }

    /// Sends a message to this client alone. Never waits.
    ///
    /// The message is text, bytes or a [`Message`]: [`IntoMessage`] lists the types. To send any
    /// other value, use [`send_json`](Self::send_json).
    ///
    /// Bytes that the operating system does not take at once are queued, up to the route's
    /// `backlog`.
    ///
    /// A message that is sent before a broadcast arrives before it. A message that is sent after a
    /// broadcast may overtake it.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Echo;
    ///
    /// #[ws_route("/echo", broadcast = off)]
    /// impl Echo {
    ///     fn message(&self, ws: &mut Socket, message: Message) {
    ///         ws.send(message);
    ///     }
    /// }
    /// ```
    pub fn send(&self, message: impl IntoMessage) -> SendStatus {
        self.transport.send(&message.into_message())
    }

    /// Sends a value to this client alone, as JSON text.
    ///
    /// Never waits. See [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value cannot be serialized: see
    /// [`Message::json`]. Nothing is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Welcome { id: u64, online: usize }
    ///
    /// fn welcome(ws: &Socket) -> HandlerResult {
    ///     let (id, online) = (ws.id().as_u64(), ws.hub().connections());
    ///     ws.send_json(&Welcome { id, online })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn send_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<SendStatus> {
        Ok(self.send(Message::json(value)?))
    }

    /// Closes the connection after all messages that were sent and broadcast so far (in `open`:
    /// only those that `open` has sent to this client).
    ///
    /// The first call decides the code and the reason, unless `open` fails: then its error decides.
    /// From then on sends return `Closed`, and the message that is being handled is not broadcast.
    ///
    /// - A reason longer than 123 bytes is cut.
    /// - 1005 sends a close frame without a code. Any other code that must not be sent is replaced
    ///   by 1011 (RFC 6455 section 7.4).
    /// - After a close in `open`, `open` has 15 seconds to return. Then it is dropped at its
    ///   `await`.
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
    ///     fn message(&self, ws: &mut Socket, message: String) {
    ///         if message == "/quit" {
    ///             ws.close(1000, "bye");
    ///         }
    ///     }
    /// }
    /// ```
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) {
        let frame = CloseFrame::new(code.into(), reason);
        let close = Close::new(CloseCause::Handler, frame);
        self.hub.close(&self.transport, close);
    }

    /// Closes the connection after this time.
    ///
    /// [`clear_deadline`](Self::clear_deadline) removes the deadline. A later call replaces the
    /// deadline. It is accurate to about half a second.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::prelude::*;
    ///
    /// struct Quiz;
    ///
    /// #[ws_route("/quiz", broadcast = off)]
    /// impl Quiz {
    ///     fn open(&self, ws: &mut Socket) {
    ///         ws.send("what is six by seven?");
    ///         ws.deadline(Duration::from_secs(10), 1008, "Too Late");
    ///     }
    ///
    ///     fn message(&self, ws: &mut Socket, answer: String) {
    ///         if answer == "42" {
    ///             ws.clear_deadline();
    ///         }
    ///     }
    /// }
    /// ```
    pub fn deadline(
        &self,
        after: Duration,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let at = self.hub.clock().now().saturating_add(ticks(after));
        let frame = CloseFrame::new(code.into(), reason);
        self.transport.timers.set(Timer::Deadline, at, frame);
    }

    /// Removes the deadline. See [`deadline`](Self::deadline) for an example.
    pub fn clear_deadline(&self) {
        self.transport.timers.clear(Timer::Deadline);
    }

    /// Closes the connection with 4401 "Token Expired" at this time.
    ///
    /// The time is in seconds since 1970, like the `exp` of a token. A later call, with the time of
    /// a fresh token, replaces it. `Jwt` calls this itself for each token that it reads from a
    /// connection.
    ///
    /// harpia compares the time with the system's clock. If the clock is set, or the machine
    /// sleeps, the connection still closes at this time.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Private;
    ///
    /// #[ws_route("/private")]
    /// impl Private {
    ///     async fn auth(&self, ws: &mut Socket, first: String) -> HandlerResult {
    ///         let (key, until) = first.split_once(' ').or_close(1008, "Invalid Token")?;
    ///         if key != "open sesame" {
    ///             return Err("wrong key".into());
    ///         }
    ///         ws.expire_at(until.parse()?);
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn expire_at(&self, unix_seconds: u64) {
        self.expire_with(unix_seconds, 4401, "Token Expired");
    }

    /// Closes the connection at this time, with a code and a reason of your own.
    ///
    /// See [`expire_at`](Self::expire_at).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// const END_OF_SALE: u64 = 1_798_761_600;
    ///
    /// fn open(ws: &Socket) {
    ///     ws.expire_with(END_OF_SALE, 1000, "the sale is over");
    /// }
    /// ```
    pub fn expire_with(
        &self,
        unix_seconds: u64,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let frame = CloseFrame::new(code.into(), reason);
        match u32::try_from(unix_seconds) {
            Ok(at) if at <= clock::unix_seconds() => {
                let close = Close::new(CloseCause::Expired, frame);
                if self.transport.is_opening() {
                    // As with the timer, messages that were published before are still delivered.
                    self.hub.disconnect_for(self.id(), close);
                } else {
                    self.hub.close(&self.transport, close);
                }
            }
            Ok(at) => self.transport.timers.set(Timer::Expiry, at, frame),
            // A time after 2106 does not fit, and is treated as never.
            Err(_) => self.transport.timers.clear(Timer::Expiry),
        }
    }

    /// Returns `true` until the connection is closed: by a handler, a `Peer` or the hub, by a
    /// limit, or because harpia has found that it is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::prelude::*;
    ///
    /// async fn count_down(ws: &Socket) {
    ///     for second in (0..10).rev() {
    ///         if !ws.is_open() {
    ///             return;
    ///         }
    ///         ws.send(second.to_string());
    ///         tokio::time::sleep(Duration::from_secs(1)).await;
    ///     }
    /// }
    /// ```
    pub fn is_open(&self) -> bool {
        !self.transport.is_closing()
    }

    /// Returns how many messages this client has missed so far.
    ///
    /// A client misses messages only on a route with `slow = skip`. The count starts with the
    /// connection and never restarts. `drain` can compare it with an earlier count, and tell the
    /// client to fetch the state again.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(FromHandshake)]
    /// struct Reader { #[from(default)] skipped: u32 }
    ///
    /// struct Prices;
    ///
    /// #[ws_route("/prices", data = Reader, broadcast = off, slow = skip)]
    /// impl Prices {
    ///     fn open(&self, ws: &mut Socket<Reader>) {
    ///         ws.subscribe("prices");
    ///     }
    ///
    ///     fn drain(&self, ws: &mut Socket<Reader>) {
    ///         if ws.skipped() > ws.data.skipped {
    ///             ws.data.skipped = ws.skipped();
    ///             ws.send("reload");
    ///         }
    ///     }
    /// }
    /// ```
    pub fn skipped(&self) -> u32 {
        self.transport.skipped()
    }

    /// Subscribes this connection to a topic.
    ///
    /// The connection gets every message that is published to the topic after this call.
    ///
    /// A topic is a name. It exists while it has subscribers. Subscribing twice changes nothing,
    /// and a connection leaves its topics when it closes. A connection has at most `max_topics`
    /// topics (1,024), and a name at most `max_topic_len` bytes (255). Beyond that, the
    /// subscription is refused and logged. All routes of a server share the names: a
    /// prefix, as in `format!("room {room}")`, keeps names that clients choose apart from others.
    ///
    /// The result may be ignored: see [`Subscribing`].
    ///
    /// # In `open` and `auth`
    ///
    /// Messages that are published while `open` runs are kept, and arrive once it has returned
    /// `Ok`. So a client misses no update if you lock your state, subscribe, and send a snapshot,
    /// and change and publish the state under the same lock. A subscription in `auth` starts when
    /// `open` is called.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Mutex;
    /// use harpia::prelude::*;
    ///
    /// struct Counter { value: Mutex<u64> }
    ///
    /// #[ws_route("/counter", broadcast = off)]
    /// impl Counter {
    ///     fn open(&self, ws: &mut Socket) {
    ///         let value = self.value.lock().unwrap();
    ///         ws.subscribe("counter");
    ///         ws.send(value.to_string());         // the next message is value + 1
    ///     }
    ///
    ///     fn message(&self, ws: &mut Socket, _: Message) {
    ///         let mut value = self.value.lock().unwrap();
    ///         *value += 1;
    ///         ws.hub().publish("counter", value.to_string());
    ///     }
    /// }
    /// ```
    pub fn subscribe(&self, topic: impl Into<ByteString>) -> Subscribing {
        if self.transport.is_closing() {
            return Subscribing::refused(SubscribeError::Closed);
        }
        match self.join(topic.into()) {
            Ok(()) => Subscribing::done(),
            Err(error) => {
                self.log_refused_topic(&error);
                Subscribing::refused(error)
            }
        }
    }

    fn join(&self, topic: ByteString) -> Result<(), SubscribeError> {
        let limits = self.transport.limits();
        if topic.len() > limits.max_topic_len {
            return Err(SubscribeError::TopicTooLong {
                limit: limits.max_topic_len,
            });
        }
        let mut topics = self.rare.get_or_init(Box::default).topics.lock();
        if topics.contains(&topic) {
            return Ok(());
        }
        if topics.len() >= limits.max_topics {
            return Err(SubscribeError::TooManyTopics {
                limit: limits.max_topics,
            });
        }
        if !self.hub.subscribe(self.id().slot(), topic.clone()) {
            return Err(SubscribeError::Closed);
        }
        topics.add(topic);
        Ok(())
    }

    fn log_refused_topic(&self, error: &SubscribeError) {
        if *error == SubscribeError::Closed {
            return;
        }
        if let Some(suppressed) = self.log_limits().refused_topics.admit() {
            tracing::info!(connection = %self.id(), suppressed, "subscription refused: {error}");
        }
    }

    /// Ends a subscription. Does nothing if the connection is not subscribed.
    ///
    /// Messages that were published before this call are still delivered.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(FromHandshake)]
    /// struct Viewer { #[from(default)] room: String }
    ///
    /// struct Rooms;
    ///
    /// #[ws_route("/rooms", data = Viewer, broadcast = off)]
    /// impl Rooms {
    ///     fn message(&self, ws: &mut Socket<Viewer>, room: String) {
    ///         ws.unsubscribe(format!("room {}", ws.data.room));
    ///         ws.subscribe(format!("room {room}"));
    ///         ws.data.room = room;
    ///     }
    /// }
    /// ```
    pub fn unsubscribe(&self, topic: impl Into<ByteString>) {
        let topic = topic.into();
        let Some(rare) = self.rare.get() else {
            return;
        };
        let mut topics = rare.topics.lock();
        if topics.remove(&topic) {
            self.hub.unsubscribe(self.id().slot(), topic);
        }
    }

    /// Sends a message to all other subscribers of a topic. Never waits.
    ///
    /// This connection need not be subscribed itself. All connections see the messages of the
    /// server in the same order. To publish a value as JSON, use
    /// [`publish_json`](Self::publish_json).
    ///
    /// # Everyone, including the sender
    ///
    /// `ws.publish` leaves out its own connection, like `broadcast_from` in Phoenix and
    /// `socket.to(room).emit` in Socket.IO. To reach the sender too, like `broadcast` in Phoenix
    /// and `io.to(room).emit` in Socket.IO, publish through the [`Hub`]:
    /// `ws.hub().publish(topic, message)`.
    ///
    /// # In `open` and `auth`
    ///
    /// In `auth` and `open`, `ws.publish` keeps the message, and sends it as soon as the connection
    /// is active, which is when `open` has returned `Ok`. A rejected connection publishes nothing,
    /// not even from its `close` handler.
    ///
    /// `ws.hub().publish` sends at once, also in `auth` and `open`, because a publish of the hub is
    /// not tied to any connection. It does not count against `publish_rate` either.
    ///
    /// # Returns
    ///
    /// - `Sent`: the message will be sent. In `auth` and `open`: it is kept until the connection is
    ///   active, and dropped if it never is.
    /// - `Dropped`: 16 MiB of messages wait for delivery on the server, or the messages that are
    ///   kept for this connection have reached the route's `backlog`. With a `backlog` of 0, none
    ///   is kept.
    /// - `Closed`: the connection was closed in `auth` or `open`, or the server has shut down.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Room;
    ///
    /// #[ws_route("/room", broadcast = off)]
    /// impl Room {
    ///     fn open(&self, ws: &mut Socket<Cookies>) -> HandlerResult {
    ///         ws.subscribe("room");
    ///         ws.publish("room", "somebody came");   // only if the next line lets them in
    ///         ws.data.get("user").or_close(1008, "Unauthorized")?;
    ///         Ok(())
    ///     }
    ///
    ///     fn close(&self, ws: &mut Socket<Cookies>) {
    ///         ws.publish("room", "somebody left");
    ///     }
    /// }
    /// ```
    pub fn publish(&self, topic: impl Into<ByteString>, message: impl IntoMessage) -> SendStatus {
        if let Some(pending) = &self.pending {
            if self.transport.is_closing() {
                return SendStatus::Closed;
            }
            let limit = self.transport.limits().backlog;
            return pending.hold(topic.into(), message.into_message(), limit);
        }
        let message = message.into_message();
        self.transport.set_published();
        self.transport.add_published(message.len());
        self.hub
            .publish_from(self.id().slot(), topic.into(), &message)
    }

    /// Sends a value to all other subscribers of a topic, as JSON text.
    ///
    /// Never waits.
    ///
    /// See [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value cannot be serialized: see
    /// [`Message::json`]. Nothing is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Deserialize, Serialize)]
    /// struct Stroke { from: (u32, u32), to: (u32, u32) }
    ///
    /// struct Board;
    ///
    /// #[ws_route("/board", broadcast = off)]
    /// impl Board {
    ///     fn open(&self, ws: &mut Socket) {
    ///         ws.subscribe("board");
    ///     }
    ///
    ///     fn message(&self, ws: &mut Socket, Json(stroke): Json<Stroke>) -> HandlerResult {
    ///         ws.publish_json("board", &stroke)?;
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn publish_json<T: Serialize + ?Sized>(
        &self,
        topic: impl Into<ByteString>,
        value: &T,
    ) -> Result<SendStatus> {
        Ok(self.publish(topic, Message::json(value)?))
    }

    /// Returns a handle to this connection, to send to it from elsewhere.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use harpia::prelude::*;
    ///
    /// struct Reminders;
    ///
    /// #[ws_route("/reminders", broadcast = off)]
    /// impl Reminders {
    ///     fn message(&self, ws: &mut Socket, text: String) {
    ///         let peer = ws.peer();
    ///         tokio::spawn(async move {
    ///             tokio::time::sleep(Duration::from_secs(60)).await;
    ///             peer.send(text);
    ///         });
    ///     }
    /// }
    /// ```
    pub fn peer(&self) -> Peer {
        Peer::new(&self.transport, self.hub.clone())
    }

    /// Returns the hub, to reach all connections including this one.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn open(ws: &Socket) {
    ///     ws.send(format!("{} online", ws.hub().connections()));
    /// }
    /// ```
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// Returns the subprotocol that the handshake agreed on.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Chat;
    ///
    /// #[ws_route("/chat", protocols = ["chat.v2", "chat.v1"])]
    /// impl Chat {
    ///     fn open(&self, ws: &mut Socket) {
    ///         match ws.protocol() {
    ///             Some("chat.v2") => ws.send(r#"{"welcome":2}"#),
    ///             _ => ws.send("welcome"),
    ///         };
    ///     }
    /// }
    /// ```
    pub fn protocol(&self) -> Option<&str> {
        self.rare.get()?.protocol.as_deref()
    }
}

impl<D: fmt::Debug> fmt::Debug for Socket<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.id())
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl SendStatus {
    /// Returns whether the message was sent or queued.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Peer;
    ///
    /// fn notify(peers: &[Peer]) -> usize {
    ///     peers.iter().filter(|peer| peer.send("news").is_accepted()).count()
    /// }
    /// ```
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Sent | Self::Queued(_))
    }
}
