//! What a connection tells the hub, from its entry to its leave.
//!
//! A connection calls these in this order; `close` and `deactivate` may come from other tasks at
//! any time:
//!
//! ```text
//! reserve ─► enter ─► open ─► activate ─► deactivate ─► send_close ─► leave
//!            (open only with `auth`; refuse instead of activate if `open` failed)
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
    /// Without `auth`, it is owed every broadcast from here on.
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
    pub(crate) fn open(&self, slot: Slot) {
        self.append(Record::Open(slot));
    }

    /// Notes that `open` has failed. The connection gets nothing of what it is owed.
    pub(crate) fn open_failed(&self, slot: Slot) {
        self.append(Record::OpenFailed(slot));
    }

    /// Notes that `open` has returned `Ok`.
    ///
    /// The connection gets what it is owed and everything that follows. The `pending` messages,
    /// which its handlers published before, go out right after this record.
    pub(crate) fn activate(&self, transport: &Transport, pending: Vec<(ByteString, Message)>) {
        self.shared.counters.activate(transport);
        let pending = pending.into_iter();
        let pending = pending.map(|(topic, message)| (topic, self.encode(&message)));
        self.append(Record::Activate(transport.id().slot(), pending.collect()));
        // Race: this method and `close` on another task. `close` requests the close and then
        // clears the active flag; this method sets the active flag and then looks for a close. If
        // `close` cleared the flag before it was set, and this method had looked before the close
        // was requested, a closed connection would stay active. The transport's lock prevents
        // that: `close` takes it between its two steps, and this method takes it in
        // `close_frame`, so at least one of the two sees what the other did.
        if transport.close_frame().is_some() {
            self.deactivate(transport);
        }
    }

    /// Ends the connection's part in broadcasts: it gets everything published before, and no more.
    ///
    /// Only the first call has an effect.
    pub(crate) fn deactivate(&self, transport: &Transport) {
        if self.shared.counters.deactivate(transport) {
            self.append(Record::Deactivate(transport.id()));
        }
    }

    /// Requests a close for a handler or a `Peer`, and deactivates the connection.
    ///
    /// From here on the connection neither sends nor gets broadcasts, even if its handler is still
    /// running.
    pub(crate) fn close(&self, transport: &Transport, close: Close) {
        transport.set_opening(false);
        if transport.request_close(close) {
            self.deactivate(transport);
        }
    }

    /// Sends the close frame after everything that was published before.
    ///
    /// Returns `false` if nothing published is still on its way. Then the connection sends the
    /// close frame itself, at once.
    pub(crate) fn send_close(&self, slot: Slot, frame: CloseFrame) -> bool {
        !self.shared.log.is_delivered() && self.append(Record::SendClose(slot, frame))
    }

    /// Removes the connection from the table. Its slot is reused after that.
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
    /// A connection that publishes waits here before it reads on, which slows its client.
    pub(crate) fn poll_room(&self, context: &mut Context<'_>, slot: Slot) -> Poll<()> {
        self.shared.log.poll_room(context, slot)
    }
}
