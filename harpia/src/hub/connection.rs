//! The calls that a connection makes to the hub, from `reserve` to `leave`.
//!
//! A connection makes these calls in this order. Other tasks may call `close` and `deactivate` at
//! any time.
//!
//! ```text
//! reserve ─► enter ─► authenticated ─► activate ─► deactivate ─► send_close ─► leave
//!            (authenticated only with `auth`; never_opened instead of activate if `open` failed)
//! ```

use std::sync::Arc;
use std::task::{Context, Poll};

use bytestring::ByteString;

use crate::close::{Close, CloseCause, CloseFrame};
use crate::id::{ConnectionId, Slot};
use crate::message::Message;
use crate::protocol::Encoded;
use crate::transport::{SendStatus, Transport};

use super::Hub;
use super::record::{Channel, Record, RouteId};

impl Hub {
    /// Reserves an id for a new connection.
    pub(crate) fn reserve(&self) -> ConnectionId {
        self.shared.log.reserve()
    }

    /// Adds a connection to the table.
    ///
    /// A connection without `auth` is owed every broadcast from here on.
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

    /// Notes that `auth` has returned `Ok`.
    ///
    /// From here on the connection is owed every broadcast, and every message to its topics.
    pub(crate) fn authenticated(&self, slot: Slot) {
        self.append(Record::Authenticated(slot));
    }

    /// Notes that `open` has failed. What the connection is owed is dropped.
    pub(crate) fn never_opened(&self, slot: Slot) {
        self.append(Record::NeverOpened(slot));
    }

    /// Notes that `open` has returned `Ok`.
    ///
    /// The connection gets what it is owed, and everything that is published later. Its handlers
    /// published the `pending` messages before. They go out right after this record.
    pub(crate) fn activate(&self, transport: &Transport, pending: Vec<(ByteString, Message)>) {
        self.shared.counters.activate(transport);
        let pending = pending.into_iter();
        let pending = pending.map(|(topic, message)| (topic, self.encode(&message)));
        self.append(Record::Activate(transport.id().slot(), pending.collect()));
        // Race: this method, and `close` on another task. `close` requests the close and then
        // clears the active flag. This method sets the active flag and then looks for a close. If
        // neither saw what the other did, a closed connection would stay active. The transport's
        // lock prevents that: `close` takes the lock before it clears the flag, and this method
        // takes it in `close_frame`, after it has set the flag. The second to take the lock sees
        // what the first did before.
        if transport.close_frame().is_some() {
            self.deactivate(transport);
        }
    }

    /// Takes the connection out of broadcasts. It still gets everything that was published before.
    ///
    /// Only the first call has an effect.
    pub(crate) fn deactivate(&self, transport: &Transport) {
        if self.shared.counters.deactivate(transport) {
            self.append(Record::Deactivate(transport.id()));
        }
    }

    /// Requests a close for a handler or a `Peer`, and deactivates the connection.
    ///
    /// From here on the connection neither sends nor gets broadcasts, even while a handler of it is
    /// still running.
    pub(crate) fn close(&self, transport: &Transport, close: Close) {
        transport.set_opening(false);
        if transport.request_close(close) {
            self.deactivate(transport);
        }
    }

    /// Sends the close frame after everything that was published before.
    ///
    /// Returns `false` if no published message is on its way, or the server has stopped. The
    /// connection then sends the close frame itself, at once.
    pub(crate) fn send_close(&self, slot: Slot, frame: CloseFrame) -> bool {
        !self.shared.log.is_delivered() && self.append(Record::SendClose(slot, frame))
    }

    /// Removes the connection from the table. Its slot can be reused after that.
    pub(crate) fn leave(&self, slot: Slot) {
        self.append(Record::Leave(slot));
    }

    /// Subscribes a connection to a topic. Returns `false` if the server has stopped.
    pub(crate) fn subscribe(&self, slot: Slot, topic: ByteString) -> bool {
        self.append(Record::Subscribe(slot, topic))
    }

    pub(crate) fn unsubscribe(&self, slot: Slot, topic: ByteString) {
        self.append(Record::Unsubscribe(slot, topic));
    }

    /// Publishes to a topic for a connection, which does not get the message itself.
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

    /// Appends a connection's broadcast, or returns it as the error if the log is full.
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

    /// Waits until the log has room.
    ///
    /// A connection that publishes waits here before it reads more input. That slows its client.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>, slot: Slot) -> Poll<()> {
        self.shared.log.poll_room(context, slot)
    }
}
