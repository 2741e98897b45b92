//! Closing members: by the hub, by their handlers, and by a shutdown.
//!
//! Each close first flushes the member, so that the close frame follows everything that was
//! published before.

use bytestring::ByteString;

use crate::close::{Close, CloseCause, CloseFrame};
use crate::id::Slot;

use super::{Activity, Table};

impl Table {
    /// Takes a member out of its channels for good.
    pub(super) fn stop_receiving(&mut self, slot: Slot) {
        self.leave_all_channels(slot);
        if let Some(member) = self.member(slot) {
            member.activity = Activity::Over;
        }
    }

    pub(super) fn deactivate(&mut self, slot: Slot) {
        self.flush_member(slot);
        self.stop_receiving(slot);
        // The task deactivates a connection only after its `open` has returned `Ok`, so the
        // connection gets what it is owed. `enter` also calls this method, during a shutdown, and
        // then nothing is owed.
        //
        // Race: `Hub::activate` on the connection's task, and `Hub::close` on another task. If
        // `close` appends `Deactivate` before `activate` appends `Activate`, the member is still
        // `Opening` here, and already `Over` when `Activate` is applied. In either order, the
        // member gets what it is owed.
        self.write_owed(slot);
    }

    pub(super) fn send_close(&mut self, slot: Slot, frame: &CloseFrame) {
        let Some(member) = self.member(slot) else {
            return;
        };
        match member.activity {
            // A handler or a `Peer` closed the member before `open` returned: it was never active.
            Activity::Opening => self.never_opened(slot),
            // The hub closed the member while `open` was running. The member still gets what was
            // published before that.
            Activity::Over => self.write_owed(slot),
            // Another task closed the member, and has not appended `Deactivate` yet.
            Activity::Active | Activity::Authenticating => self.flush_member(slot),
        }
        if let Some(member) = self.member(slot) {
            member.transport.send_close(frame);
        }
    }

    /// Requests a close. From here on the connection is not active, even while a handler of it
    /// still runs.
    pub(in crate::hub) fn request_close(&mut self, slot: Slot, close: Close) {
        // The member is flushed first, because messages that were published before may overflow its
        // backlog. If they do, the member is closed as a slow consumer: the first cause decides.
        self.flush_member(slot);
        let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) else {
            return;
        };
        if member.transport.request_close(close) {
            self.counters.deactivate(&member.transport);
            // What the member is owed is kept until a record tells whether `open` returned `Ok`.
            self.stop_receiving(slot);
        }
    }

    pub(super) fn close_topic(&mut self, topic: &ByteString, frame: &CloseFrame) {
        let Some(&index) = self.topics.get(topic) else {
            return;
        };
        // A copy, since each closed member leaves the list.
        let seats = self.channels[index as usize].members.iter();
        let slots: Vec<Slot> = seats.map(|seat| seat.slot).collect();
        for slot in slots {
            self.request_close(slot, Close::new(CloseCause::Disconnect, frame.clone()));
        }
    }

    pub(super) fn shut_down(&mut self) {
        self.is_shutting_down = true;
        for slot in 0..self.next_slot() {
            self.request_close(slot, Close::of(CloseCause::Shutdown));
        }
    }
}
