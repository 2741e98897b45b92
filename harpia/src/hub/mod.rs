//! The hub: one order for all that is broadcast, and the thread that delivers it.
//!
//! [`log`] is what everyone appends to, [`flusher`] the one thread that applies it, [`table`] what
//! that thread alone knows, [`sweep`] what it does by the clock. The hub knows write ends, no
//! routes and no user's type.

mod counters;
mod flusher;
mod log;
mod presence;
mod sweep;
mod table;

#[cfg(test)]
#[cfg(all(harpia_loom, unix))]
mod loom_tests;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytestring::ByteString;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Result;
use crate::id::{ConnectionId, Slot};
use crate::message::{IntoMessage, Message};
use crate::protocol::Encoded;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::transport::{SendStatus, Transport};

use counters::Counters;
use log::Log;
#[cfg(feature = "bench")]
pub(crate) use log::bench::LogBench;
pub(crate) use log::{Channel, Record};
pub use presence::{Count, NodeId, Presence};

/// Names a route within its server, for broadcasts that stay within it.
pub(crate) type RouteId = u32;

/// The server's connections, from outside a connection: for background tasks, other protocols,
/// shutting down. Clones are the same hub.
///
/// ```no_run
/// use std::time::Duration;
/// use harpia::prelude::*;
///
/// struct Prices;
///
/// #[ws_route("/prices", broadcast = off)]
/// impl Prices {
///     fn open(&self, ws: &mut Socket) {
///         ws.subscribe("EURUSD");
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> harpia::Result {
///     let app = App::new().ws(Prices);
///     let hub = app.handle();
///     tokio::spawn(async move {
///         let mut clock = tokio::time::interval(Duration::from_secs(1));
///         loop {
///             clock.tick().await;
///             hub.publish("EURUSD", "1.0842");
///         }
///     });
///     app.listen("127.0.0.1:3000").await
/// }
/// ```
#[derive(Clone)]
pub struct Hub {
    shared: Arc<HubInner>,
}

struct HubInner {
    log: Log,
    clock: Clock,
    outbox_budget: Arc<Budget>,
    input_budget: Arc<Budget>,
    unauthenticated_input_budget: Arc<Budget>,
    counters: Arc<Counters>,
    /// The shortest message that some route wants compressed.
    compress_from: AtomicUsize,
}

/// What waits for slow peers, all together: 256 MiB, a few hundred full backlogs.
const OUTBOX_BUDGET: usize = 256 * 1024 * 1024;

/// What unfinished input holds, all together: 256 MiB, thousands of messages at the default limit.
const INPUT_BUDGET: usize = 256 * 1024 * 1024;

/// The same of those whom `auth` has not let in yet, apart from the others: 64 MiB, thousands of
/// first messages at their limit. Whoever fills it keeps out newcomers, and disturbs nobody who is in.
const UNAUTHENTICATED_INPUT_BUDGET: usize = 64 * 1024 * 1024;

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(HubInner {
                log: Log::new(),
                clock: Clock::new(),
                outbox_budget: Arc::new(Budget::new(OUTBOX_BUDGET)),
                input_budget: Arc::new(Budget::new(INPUT_BUDGET)),
                unauthenticated_input_budget: Arc::new(Budget::new(UNAUTHENTICATED_INPUT_BUDGET)),
                counters: Arc::default(),
                compress_from: AtomicUsize::new(usize::MAX),
            }),
        }
    }

    /// Starts the thread that delivers. It ends with [`stop`](Self::stop).
    pub(crate) fn start(&self) -> io::Result<()> {
        flusher::spawn(self.clone())
    }

    /// Sends a message to every connection of the server; to one whose `open` still runs, once that
    /// has returned `Ok`.
    ///
    /// Returns `Sent` when it is in the log, `Dropped` when the log is full (16 MiB wait to be
    /// distributed), and `Closed` when the server has ended. Never waits.
    pub fn broadcast(&self, message: impl IntoMessage) -> SendStatus {
        let frame = self.encode(&message.into_message());
        self.shared.log.publish(Channel::Server, None, frame)
    }

    /// Sends a value to every active connection of the server, as JSON text; see
    /// [`broadcast`](Self::broadcast).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value has no form in JSON: see
    /// [`Message::json`]. Then nothing is sent.
    pub fn broadcast_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<SendStatus> {
        Ok(self.broadcast(Message::json(value)?))
    }

    /// Sends a message to every subscriber of a topic; see [`broadcast`](Self::broadcast).
    pub fn publish(&self, topic: impl Into<ByteString>, message: impl IntoMessage) -> SendStatus {
        let frame = self.encode(&message.into_message());
        self.shared
            .log
            .publish(Channel::Topic(topic.into()), None, frame)
    }

    /// Sends a value to every active subscriber of a topic, as JSON text; see
    /// [`broadcast`](Self::broadcast).
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value has no form in JSON: see
    /// [`Message::json`]. Then nothing is sent.
    pub fn publish_json<T: Serialize + ?Sized>(
        &self,
        topic: impl Into<ByteString>,
        value: &T,
    ) -> Result<SendStatus> {
        Ok(self.publish(topic, Message::json(value)?))
    }

    /// Sends a message to every subscriber of a topic except one connection; see
    /// [`broadcast`](Self::broadcast).
    ///
    /// For what a client caused outside its socket, such as a REST request, and has seen already.
    /// An id that is no longer there excludes nobody.
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::ConnectionId;
    ///
    /// /// Called by the REST handler that has stored a comment.
    /// fn comment_added(hub: &Hub, article: u64, comment: &str, author: ConnectionId) {
    ///     hub.publish_except(format!("article {article}"), comment, author);
    /// }
    /// ```
    pub fn publish_except(
        &self,
        topic: impl Into<ByteString>,
        message: impl IntoMessage,
        except: ConnectionId,
    ) -> SendStatus {
        self.shared.log.publish_record(Record::PublishExcept {
            topic: topic.into(),
            frame: self.encode(&message.into_message()),
            except,
        })
    }

    /// Returns the active subscribers of a topic, at one moment of the order in which all messages
    /// are delivered.
    ///
    /// Within its own `open` a connection is not active yet, so its own id is missing there. Each
    /// answer takes one flush round; all who ask in one round share one list while the topic does
    /// not change.
    ///
    /// Before the app is bound or served this waits; after the server has ended, the list is empty.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped: the answer is discarded.
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
    ///     async fn open(&self, ws: &mut Socket) {
    ///         ws.subscribe("room");
    ///         let others = ws.hub().subscribers("room").await.ids;
    ///         ws.send(format!("{} others are here", others.len()));
    ///     }
    /// }
    /// ```
    pub async fn subscribers(&self, topic: impl Into<ByteString>) -> Presence {
        let (reply, answer) = oneshot::channel();
        self.append(Record::Subscribers(topic.into(), reply));
        // A log that has stopped has dropped the record, and `reply` with it.
        let ids = answer.await.unwrap_or_default();
        let missing = Vec::new();
        Presence { ids, missing }
    }

    /// Returns how many active subscribers a topic has: the length of
    /// [`subscribers`](Self::subscribers), at the same cost.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped: the answer is discarded.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::Hub;
    /// async fn is_watched(hub: &Hub, auction: u64) -> bool {
    ///     hub.subscriber_count(format!("auction {auction}")).await.count > 0
    /// }
    /// ```
    pub async fn subscriber_count(&self, topic: impl Into<ByteString>) -> Count {
        let Presence { ids, missing } = self.subscribers(topic).await;
        let count = ids.len();
        Count { count, missing }
    }

    /// Returns how many messages were left out for slow consumers so far, on all routes with
    /// `slow = skip` together.
    ///
    /// [`Socket::skipped`](crate::Socket::skipped) and [`Peer::skipped`](crate::Peer::skipped) are
    /// one connection's part of it.
    pub fn skipped(&self) -> u64 {
        self.shared.outbox_budget.skipped()
    }

    /// Returns how many connections are active at this moment.
    pub fn connections(&self) -> usize {
        self.shared.counters.active()
    }

    /// Closes one connection. An id that is no longer there is left alone.
    pub fn disconnect(
        &self,
        id: ConnectionId,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let frame = CloseFrame::new(code.into(), reason);
        self.disconnect_for(id, Close::new(CloseCause::Disconnect, frame));
    }

    /// Closes every subscriber of a topic: all pages of someone who logs out or is banned, a room
    /// that is over.
    ///
    /// What was published before reaches them first, also those whose `open` has not returned.
    ///
    /// A connection that subscribes after this call stays. So first change what `open` checks (delete
    /// the session, mark the room as over), then call this; and in `open` subscribe first, then
    /// check.
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::session::{SessionError, SessionId};
    ///
    /// struct Inbox { sessions: Session<String> }
    ///
    /// #[ws_route("/inbox", broadcast = off)]
    /// impl Inbox {
    ///     async fn open(&self, ws: &mut Socket) -> HandlerResult {
    ///         let id = self.sessions.id_from_ws(ws)?;
    ///         ws.subscribe(id.as_str());
    ///         ws.send(self.sessions.get(&id).await?);
    ///         Ok(())
    ///     }
    /// }
    ///
    /// async fn log_out(hub: &Hub, sessions: &Session<String>, id: &SessionId) -> Result<(), SessionError> {
    ///     sessions.delete(id).await?;
    ///     hub.disconnect_topic(id.as_str(), 1008, "Logged Out");
    ///     Ok(())
    /// }
    /// ```
    pub fn disconnect_topic(
        &self,
        topic: impl Into<ByteString>,
        code: impl Into<CloseCode>,
        reason: impl Into<ByteString>,
    ) {
        let frame = CloseFrame::new(code.into(), reason);
        self.append(Record::DisconnectTopic(topic.into(), frame));
    }

    /// Begins a graceful shutdown: no new connections, and each existing one is sent what was
    /// published so far, then a close frame with 1001; then its `close` handler runs.
    ///
    /// `listen` and `serve` return when all are gone, at the latest two seconds after the app's
    /// [`shutdown_timeout`](crate::App::shutdown_timeout): one for `close` handlers, one for the
    /// last writes.
    pub fn shutdown(&self) {
        self.append(Record::Shutdown);
    }

    /// Waits until a shutdown has begun.
    pub(crate) async fn shutdown_begun(&self) {
        self.shared.log.shutdown_begun().await;
    }

    /// Cancels handlers that wait, `close` handlers only when told to.
    pub(crate) fn cancel(&self, with_close: bool) {
        self.append(Record::Cancel { with_close });
    }

    pub(crate) fn stop(&self) {
        self.append(Record::Stop);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(crate) fn outbox_budget(&self) -> &Arc<Budget> {
        &self.shared.outbox_budget
    }

    pub(crate) fn input_budget(&self) -> &Arc<Budget> {
        &self.shared.input_budget
    }

    pub(crate) fn unauthenticated_input_budget(&self) -> &Arc<Budget> {
        &self.shared.unauthenticated_input_budget
    }

    /// Has messages of at least this length compressed for those who take that.
    pub(crate) fn compress_from(&self, length: usize) {
        self.shared
            .compress_from
            .fetch_min(length, Ordering::Relaxed);
    }

    /// Encodes what goes to many, before the log and outside its lock: once for all, and
    /// compressed only if somebody takes that.
    pub(crate) fn encode(&self, message: &Message) -> Encoded {
        let is_wanted = self.shared.counters.deflates();
        let compress_from = is_wanted.then(|| self.shared.compress_from.load(Ordering::Relaxed));
        Encoded::new(message, compress_from)
    }

    pub(crate) fn reserve(&self) -> ConnectionId {
        self.shared.log.reserve()
    }

    /// Puts a connection into the table. Without `auth` it is owed every broadcast from here on.
    pub(crate) fn enter(&self, transport: Arc<Transport>, route: RouteId, authenticates: bool) {
        if self.shared.log.is_shutting_down() {
            transport.request_close(Close::of(CloseCause::Shutdown));
        }
        let record = Record::Enter {
            transport: Arc::clone(&transport),
            route,
            authenticates,
        };
        if !self.append(record) {
            transport.detach();
        }
    }

    /// `auth` has let the connection in: it is owed every broadcast, and every message to its
    /// topics, from here on.
    pub(crate) fn open(&self, slot: Slot) {
        self.append(Record::Open(slot));
    }

    /// The connection was refused in `open`: it gets nothing of what it is owed.
    pub(crate) fn refuse(&self, slot: Slot) {
        self.append(Record::Refuse(slot));
    }

    /// Closes a connection as the hub does: what was published before reaches it first.
    pub(crate) fn disconnect_for(&self, id: ConnectionId, close: Close) {
        self.append(Record::Disconnect(id, close));
    }

    /// `open` has returned `Ok`: the connection gets what it is owed and all that follows. What it
    /// published before goes out right after that.
    pub(crate) fn activate(&self, transport: &Transport, early: Vec<(ByteString, Message)>) {
        self.shared.counters.join(transport);
        let early = early.into_iter();
        let early = early.map(|(topic, message)| (topic, self.encode(&message)));
        self.append(Record::Activate(transport.id().slot(), early.collect()));
        // Race: a `close` may run between `join` above and here. It asks for the close and then
        // takes the active flag away, which it may have found not set yet. Both look under the
        // write end's lock, so at least one of the two sees the other.
        if transport.close_frame().is_some() {
            self.deactivate(transport);
        }
    }

    /// Up to here the connection got what was broadcast. The second time this does nothing.
    pub(crate) fn deactivate(&self, transport: &Transport) {
        if self.shared.counters.leave(transport) {
            self.append(Record::Deactivate(transport.id()));
        }
    }

    /// Closes a connection: from here on it is not active, whatever its handler still does.
    pub(crate) fn close(&self, transport: &Transport, close: Close) {
        transport.set_opening(false);
        if transport.request_close(close) {
            self.deactivate(transport);
        }
    }

    /// Sends the close frame behind what was broadcast. Returns false when nothing of that is on
    /// its way, so that the connection can send it at once.
    pub(crate) fn send_close(&self, slot: Slot, frame: CloseFrame) -> bool {
        !self.shared.log.is_delivered() && self.append(Record::SendClose(slot, frame))
    }

    pub(crate) fn leave(&self, slot: Slot) {
        self.append(Record::Leave(slot));
    }

    /// Subscribes a connection. Returns false when the server has ended.
    pub(crate) fn subscribe(&self, slot: Slot, topic: ByteString) -> bool {
        self.append(Record::Subscribe(slot, topic))
    }

    pub(crate) fn unsubscribe(&self, slot: Slot, topic: ByteString) {
        self.append(Record::Unsubscribe(slot, topic));
    }

    pub(crate) fn publish_from(
        &self,
        slot: Slot,
        topic: ByteString,
        message: &Message,
    ) -> SendStatus {
        let frame = self.encode(message);
        self.shared
            .log
            .publish(Channel::Topic(topic), Some(slot), frame)
    }

    /// Appends a broadcast, or gives it back when there is no room for it.
    pub(crate) fn broadcast_from(
        &self,
        slot: Slot,
        channel: Channel,
        frame: Encoded,
    ) -> Result<(), Encoded> {
        self.shared.log.try_publish(channel, slot, frame)
    }

    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.shared.log.has_room()
    }

    /// Waits for room, so that who publishes by hand is slowed too.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>, slot: Slot) -> Poll<()> {
        self.shared.log.poll_room(context, slot)
    }

    fn append(&self, record: Record) -> bool {
        self.shared.log.append(record)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
