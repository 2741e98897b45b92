//! The hub: one order for everything that is sent to many connections, and its delivery.
//!
//! | module | owns |
//! |---|---|
//! | [`log`], [`record`] | the log that all tasks append to, and its entries |
//! | [`flusher`] | the one thread that applies the log in flush rounds |
//! | [`table`] | members and channels, which only the flusher touches |
//! | [`sweep`] | what the flusher does by the clock: pings, timeouts, deadlines |
//! | [`connection`] | what a connection tells the hub |
//! | [`close`], [`presence`] | the methods of [`Hub`] that close connections and list them |
//! | [`counters`] | the number of active connections |
//!
//! The hub knows transports. It knows no routes and no user types.

mod close;
mod connection;
mod counters;
mod flusher;
mod log;
mod log_limits;
mod presence;
mod record;
mod sweep;
mod table;

#[cfg(test)]
#[cfg(all(harpia_loom, unix))]
mod loom_tests;

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use bytestring::ByteString;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::budget::Budget;
use crate::clock::Clock;
use crate::error::Result;
use crate::id::ConnectionId;
use crate::limits::{INPUT_BUDGET, OUTBOX_BUDGET, UNAUTHENTICATED_SHARE};
use crate::message::{IntoMessage, Message};
use crate::protocol::Encoded;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::transport::SendStatus;

use counters::Counters;
use log::Log;
#[cfg(feature = "bench")]
pub(crate) use log::bench::LogBench;
pub(crate) use log_limits::LogLimits;
pub use presence::{Count, NodeId, Presence};
use record::Record;
pub(crate) use record::{Channel, RouteId};

/// Sends a topic's active subscribers to one caller of [`Hub::subscribers`].
///
/// All callers of one flush round share the list.
pub(crate) type SubscribersReply = oneshot::Sender<Arc<[ConnectionId]>>;

/// Reaches the server's connections from anywhere: background tasks, other protocols, shutdown.
///
/// Get it with [`App::handle`](crate::App::handle), or in a handler with
/// [`Socket::hub`](crate::Socket::hub). Clones refer to the same hub.
///
/// # Examples
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
    log_limits: LogLimits,
    /// The text of the flusher's panic, if it has panicked.
    crash: OnceLock<String>,
    /// The smallest message length that any route compresses, in bytes.
    compress_from: AtomicUsize,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::new(HubInner {
                log: Log::new(),
                clock: Clock::new(),
                outbox_budget: Arc::new(Budget::new(OUTBOX_BUDGET)),
                input_budget: Arc::new(Budget::new(INPUT_BUDGET)),
                unauthenticated_input_budget: Arc::new(Budget::new(
                    INPUT_BUDGET / UNAUTHENTICATED_SHARE,
                )),
                counters: Arc::default(),
                log_limits: LogLimits::default(),
                crash: OnceLock::new(),
                compress_from: AtomicUsize::new(usize::MAX),
            }),
        }
    }

    /// Sends a message to every connection of the server.
    ///
    /// A connection whose `open` is still running gets the message once `open` has returned `Ok`.
    ///
    /// Returns [`Sent`](SendStatus::Sent) if the server will deliver the message,
    /// [`Dropped`](SendStatus::Dropped) if 16 MiB already wait for delivery, and
    /// [`Closed`](SendStatus::Closed) if the server has stopped. Never waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// fn announce_restart(hub: &Hub) {
    ///     hub.broadcast("the server restarts in one minute");
    /// }
    /// ```
    pub fn broadcast(&self, message: impl IntoMessage) -> SendStatus {
        let frame = self.encode(&message.into_message());
        self.shared.log.publish(Channel::Server, None, frame)
    }

    /// Sends a value to every connection of the server, as JSON text.
    ///
    /// See [`broadcast`](Self::broadcast) for the delivery and the returned status.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value cannot be serialized: see
    /// [`Message::json`]. Then nothing is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Online { online: usize }
    ///
    /// fn announce_online(hub: &Hub) -> harpia::Result {
    ///     hub.broadcast_json(&Online { online: hub.connections() })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn broadcast_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<SendStatus> {
        Ok(self.broadcast(Message::json(value)?))
    }

    /// Sends a message to every subscriber of a topic.
    ///
    /// See [`broadcast`](Self::broadcast) for the delivery and the returned status.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// /// Called by the HTTP handler that has stored a comment.
    /// fn comment_added(hub: &Hub, article: u64, comment: &str) {
    ///     let status = hub.publish(format!("article {article}"), comment);
    ///     if status == SendStatus::Dropped {
    ///         eprintln!("overloaded: a comment was not published");
    ///     }
    /// }
    /// ```
    pub fn publish(&self, topic: impl Into<ByteString>, message: impl IntoMessage) -> SendStatus {
        let frame = self.encode(&message.into_message());
        self.shared
            .log
            .publish(Channel::Topic(topic.into()), None, frame)
    }

    /// Sends a value to every subscriber of a topic, as JSON text.
    ///
    /// See [`broadcast`](Self::broadcast) for the delivery and the returned status.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value cannot be serialized: see
    /// [`Message::json`]. Then nothing is sent.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Price { pair: &'static str, bid: f64 }
    ///
    /// fn price_changed(hub: &Hub, bid: f64) -> harpia::Result {
    ///     hub.publish_json("EURUSD", &Price { pair: "EURUSD", bid })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn publish_json<T: Serialize + ?Sized>(
        &self,
        topic: impl Into<ByteString>,
        value: &T,
    ) -> Result<SendStatus> {
        Ok(self.publish(topic, Message::json(value)?))
    }

    /// Sends a message to every subscriber of a topic except one connection.
    ///
    /// Use it when a client causes a message outside its socket, such as by an HTTP request, and
    /// its page shows the result already. If no connection has this id any more, no subscriber is
    /// excluded.
    ///
    /// See [`broadcast`](Self::broadcast) for the delivery and the returned status.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::ConnectionId;
    ///
    /// /// Called by the HTTP handler that has stored a comment.
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

    /// Returns how many messages were skipped for slow consumers since the server started.
    ///
    /// Counts all routes with `slow = skip` together. For one connection there are
    /// [`Socket::skipped`](crate::Socket::skipped) and [`Peer::skipped`](crate::Peer::skipped).
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::Hub;
    /// fn metrics(hub: &Hub) -> String {
    ///     format!("skipped_messages {}\n", hub.skipped())
    /// }
    /// ```
    pub fn skipped(&self) -> u64 {
        self.shared.outbox_budget.skipped()
    }

    /// Returns how many connections are active at this moment.
    ///
    /// A connection is active after its `open` has returned `Ok`, until it begins to close.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::Hub;
    /// fn metrics(hub: &Hub) -> String {
    ///     format!("active_connections {}\n", hub.connections())
    /// }
    /// ```
    pub fn connections(&self) -> usize {
        self.shared.counters.active()
    }

    /// Starts the flusher's thread, which runs until [`stop`](Self::stop).
    pub(crate) fn start(&self) -> io::Result<()> {
        flusher::spawn(self.clone())
    }

    /// Stops the flusher once it has applied everything that was appended before.
    pub(crate) fn stop(&self) {
        self.append(Record::Stop);
    }

    /// Notes that the flusher has panicked, and begins a shutdown.
    fn crash(&self, text: String) {
        // Only the flusher's thread sets this, and it panics once.
        let _ = self.shared.crash.set(text);
        self.shared.log.begin_shutdown();
    }

    /// Returns the text of the flusher's panic, if it has panicked.
    pub(crate) fn crashed(&self) -> Option<&str> {
        self.shared.crash.get().map(String::as_str)
    }

    /// Makes the flusher panic.
    #[cfg(test)]
    pub(crate) fn inject_panic(&self) {
        self.append(Record::Panic);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    pub(crate) fn log_limits(&self) -> &LogLimits {
        &self.shared.log_limits
    }

    /// Sets the bounds on the memory of all connections together, in bytes.
    pub(crate) fn set_budgets(&self, backlogs: usize, input: usize) {
        self.shared.outbox_budget.set_limit(backlogs);
        self.shared.input_budget.set_limit(input);
        let unauthenticated = &self.shared.unauthenticated_input_budget;
        unauthenticated.set_limit(input / UNAUTHENTICATED_SHARE);
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

    /// Compresses messages of at least `length` bytes, for clients that negotiated compression.
    ///
    /// The smallest length of all calls applies.
    pub(crate) fn compress_from(&self, length: usize) {
        self.shared
            .compress_from
            .fetch_min(length, Ordering::Relaxed);
    }

    /// Encodes a message once for all its recipients, before the log's lock is taken.
    ///
    /// Compresses it only if some active connection negotiated compression.
    pub(crate) fn encode(&self, message: &Message) -> Encoded {
        let is_wanted = self.shared.counters.has_deflating();
        let compress_from = is_wanted.then(|| self.shared.compress_from.load(Ordering::Relaxed));
        Encoded::new(message, compress_from)
    }

    /// Appends a record. Returns `false` if the server has stopped.
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
