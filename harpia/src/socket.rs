//! What a handler holds of its connection: the data, and a shared handle to write with.

mod pending;
mod subscribing;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytestring::ByteString;
use serde::Serialize;

use crate::clock::{self, ticks};
use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Result;
#[cfg(any(feature = "jwt", feature = "session"))]
use crate::extract::Credentials;
use crate::hub::{Hub, LogLimits};
use crate::id::ConnectionId;
use crate::message::{IntoMessage, Message};
use crate::peer::Peer;
use crate::transport::{SendStatus, Timer, Transport};

use pending::Pending;
pub use subscribing::{SubscribeError, Subscribing};

/// One connection, as its handlers see it: its data, which it owns, and the way to its peer.
///
/// All methods take `&self`; only `data` needs `&mut`. A handler may hold it over an `await`:
/// what others send keeps flowing out meanwhile.
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
    /// The connection's own data, made from its handshake.
    pub data: D,
    /// There until the connection is active.
    early: Option<Box<Pending>>,
    transport: Arc<Transport>,
    hub: Hub,
    protocol: Option<Arc<str>>,
}

impl<D> Socket<D> {
    pub(crate) fn new(
        data: D,
        #[cfg(any(feature = "jwt", feature = "session"))] credentials: Credentials,
        transport: Arc<Transport>,
        hub: Hub,
        protocol: Option<Arc<str>>,
    ) -> Self {
        let early = Pending::new(
            #[cfg(any(feature = "jwt", feature = "session"))]
            credentials,
        );
        Self {
            data,
            early: Some(Box::new(early)),
            transport,
            hub,
            protocol,
        }
    }

    /// Returns what the handshake brought to say who its sender is; `None` is that `open` has
    /// returned and it is forgotten.
    #[cfg(any(feature = "jwt", feature = "session"))]
    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        Some(&self.early.as_ref()?.credentials)
    }

    /// The connection is active: forgets its cookies and tokens, and returns what its handlers
    /// published so far.
    pub(crate) fn take_pending(&mut self) -> Vec<(ByteString, Message)> {
        let early = self.early.take();
        let messages = early.map(|early| early.into_messages()).unwrap_or_default();
        if !messages.is_empty() {
            self.transport.set_published();
        }
        messages
    }

    pub(crate) fn log_limits(&self) -> &LogLimits {
        self.hub.log_limits()
    }

    pub(crate) fn transport(&self) -> &Arc<Transport> {
        &self.transport
    }

    /// Returns the connection's id, unique within its server.
    pub fn id(&self) -> ConnectionId {
        self.transport.id()
    }

    /// Sends a message to this peer alone. Never waits; what the peer does not take at once is
    /// queued, up to the route's `backlog`.
    ///
    /// What is sent before something is broadcast arrives before it; what is sent later may
    /// overtake it.
    ///
    /// Takes text, bytes and [`Message`]s: [`IntoMessage`] lists the types. For any other value
    /// there is [`send_json`](Self::send_json).
    pub fn send(&self, message: impl IntoMessage) -> SendStatus {
        self.transport.send(&message.into_message())
    }

    /// Sends a value to this peer alone, as JSON text. See [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value has no form in JSON: see
    /// [`Message::json`]. Then nothing is sent.
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

    /// Closes the connection, behind all that was sent and broadcast so far.
    ///
    /// The first close decides code and reason. From here on sends return `Closed`, and the
    /// message that is being handled is not broadcast. A reason longer than 123 bytes is cut; a
    /// code that must not be sent (RFC 6455 section 7.4) goes out as 1011; 1005, which stands for
    /// no code, sends none.
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) {
        let frame = CloseFrame::new(code.into(), reason);
        let close = Close::new(CloseCause::Handler, frame);
        self.hub.close(&self.transport, close);
    }

    /// Closes the connection after this time, unless [`clear_deadline`](Self::clear_deadline) comes
    /// first: to give a peer its time by hand. Kept to about half a second. The newest one holds.
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

    /// Takes the deadline back.
    pub fn clear_deadline(&self) {
        self.transport.timers.clear(Timer::Deadline);
    }

    /// Closes the connection with 4401 "Token expired" at this time, in seconds since 1970 as a
    /// token's `exp` is. A later call with a fresh token's time replaces it.
    ///
    /// The system's clock decides, also where it was set or the machine slept meanwhile.
    ///
    /// Where harpia verified the token itself, this is done already.
    pub fn expire_at(&self, unix_seconds: u64) {
        self.expire_with(unix_seconds, 4401, "Token expired");
    }

    /// As [`expire_at`](Self::expire_at), with a code and a reason of your own.
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
                    // As the timer would: what was published before is still delivered.
                    self.hub.disconnect_for(self.id(), close);
                } else {
                    self.hub.close(&self.transport, close);
                }
            }
            Ok(at) => self.transport.timers.set(Timer::Expiry, at, frame),
            // What is beyond 2106 never comes.
            Err(_) => self.transport.timers.clear(Timer::Expiry),
        }
    }

    /// Says whether nobody has closed the connection yet.
    pub fn is_open(&self) -> bool {
        !self.transport.is_closing()
    }

    /// Returns how many messages were left out for this peer so far, where the route says
    /// `slow = skip`: in `drain` it is what a client has to fetch anew. Counts on beyond one gap.
    pub fn skipped(&self) -> u32 {
        self.transport.skipped()
    }

    /// Subscribes this connection to a topic: it gets every message that is published to the topic
    /// after this call.
    ///
    /// None is missed, also while `open` still runs: then it waits until `open` has returned `Ok`.
    /// So take the lock that guards your state, subscribe, send a snapshot: if the state is changed
    /// and published under the same lock, the next message follows the snapshot. A topic that is
    /// subscribed in `auth` counts from the call of `open`.
    ///
    /// A topic is a name; it exists while it has subscribers. Subscribing again changes nothing. A
    /// connection leaves its topics when it ends. All routes of a server share the names: a prefix,
    /// as in `format!("room {room}")`, keeps what a client may choose apart from the rest.
    ///
    /// The result may be ignored; see [`Subscribing`].
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
        if self.hub.subscribe(self.id().slot(), topic.into()) {
            Subscribing::done()
        } else {
            Subscribing::refused(SubscribeError::Closed)
        }
    }

    /// Ends a subscription; one that is not there is left alone. What was published to the topic
    /// before this call is still delivered.
    pub fn unsubscribe(&self, topic: impl Into<ByteString>) {
        self.hub.unsubscribe(self.id().slot(), topic.into());
    }

    /// Sends a message to all other active subscribers of a topic, subscribed to it or not.
    ///
    /// All see the messages of the server in one order. To publish a value as JSON there is
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
    /// In `auth` and `open`, `ws.publish` keeps the message. It is sent right after the connection
    /// becomes active, which is when `open` has returned `Ok`, or never: a rejected connection
    /// publishes nothing, not even from its `close` handler.
    ///
    /// `ws.hub().publish` is immediate, also in `auth` and `open`: the hub speaks for the server.
    ///
    /// # Returns
    ///
    /// - `Sent`: the message is on its way, or kept until the connection is active.
    /// - `Dropped`: the server has 16 MiB waiting to be distributed, or the messages kept for this
    ///   connection have reached the route's `backlog` (with 0, none is kept).
    /// - `Closed`: the connection was closed in `auth` or `open`, or the server has ended.
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
        if let Some(early) = &self.early {
            if self.transport.is_closing() {
                return SendStatus::Closed;
            }
            let limit = self.transport.limits().backlog;
            return early.hold(topic.into(), message.into_message(), limit);
        }
        self.transport.set_published();
        self.hub
            .publish_from(self.id().slot(), topic.into(), &message.into_message())
    }

    /// Sends a value to all other active subscribers of a topic, as JSON text. See
    /// [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value has no form in JSON: see
    /// [`Message::json`]. Then nothing is sent.
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

    /// Returns a handle to this connection that can be kept and cloned.
    pub fn peer(&self) -> Peer {
        Peer::new(&self.transport, self.hub.clone())
    }

    /// Returns the hub, to reach all connections including this one.
    pub fn hub(&self) -> Hub {
        self.hub.clone()
    }

    /// Returns the subprotocol that was agreed on in the handshake.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
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
    /// Says whether the message is on its way: sent or queued.
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Sent | Self::Queued(_))
    }
}
