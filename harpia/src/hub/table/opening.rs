//! Members whose `open` is running.
//!
//! These members are in their channels like all others. Their batches are kept in `Member::owed`,
//! and written when `open` has returned `Ok`.

use crate::close::{Close, CloseCause};
use crate::hub::record::{Channel, PendingFrames};
use crate::id::Slot;
use crate::transport::Batch;

use super::{Activity, Member, Table};

impl Table {
    /// Sets a member to `Opening`. From here on, it is owed the messages of its channels.
    pub(super) fn begin_opening(&mut self, slot: Slot) {
        let Some(member) = self.member(slot) else {
            return;
        };
        if member.activity != Activity::Authenticating {
            return;
        }
        member.activity = Activity::Opening;
        let route = member.route;
        self.owe_only_later(slot);
        self.join_broadcasts(slot, route);
    }

    /// Activates a member whose `open` has returned `Ok`.
    ///
    /// Writes what it is owed, then publishes its pending messages.
    pub(super) fn activate(&mut self, slot: Slot, pending: PendingFrames) {
        let Some(member) = self.member(slot) else {
            return;
        };
        if member.activity != Activity::Opening {
            return;
        }
        // Batches of earlier rounds are written here. Messages that the current round has published
        // so far are written after them, at the end of the round.
        member.activity = Activity::Active;
        member.was_active = true;
        self.write_owed(slot);
        self.forget_listings(slot);
        for (topic, frame) in pending {
            self.position += 1;
            self.publish(&Channel::Topic(topic), Some(slot), frame);
        }
    }

    /// Drops what a member is owed, because its `open` failed or its own handler closed it.
    pub(super) fn never_opened(&mut self, slot: Slot) {
        self.forget_owed(slot);
        self.stop_receiving(slot);
    }

    pub(super) fn write_owed(&mut self, slot: Slot) {
        if let Some(member) = self.member(slot)
            && let Some(owed) = member.owed.take()
        {
            member.transport.write_owed(*owed);
            self.owed_members -= 1;
        }
    }

    pub(super) fn forget_owed(&mut self, slot: Slot) {
        if let Some(member) = self.member(slot)
            && member.owed.take().is_some()
        {
            self.owed_members -= 1;
        }
    }

    /// Removes from their channels the members whose backlog overflowed while their `open` was
    /// running.
    pub(super) fn drop_overflowed(&mut self) {
        while let Some(slot) = self.overflowed.pop() {
            self.leave_all_channels(slot);
        }
    }
}

impl Member {
    /// Writes a batch to the member's transport, or keeps it while `open` is running.
    ///
    /// Updates `owed_members`, the number of members that are owed something. If the backlog
    /// overflows, the member has to leave its channels: this method then adds the member to
    /// `overflowed`.
    pub(super) fn receive(
        &mut self,
        batch: &mut Batch<'_>,
        owed_members: &mut usize,
        overflowed: &mut Vec<Slot>,
    ) {
        if self.activity == Activity::Active {
            self.transport.write_batch(batch);
            return;
        }
        *owed_members -= usize::from(self.owed.is_some());
        if !self.transport.owe(&mut self.owed, batch) {
            self.overflow(overflowed);
        }
        *owed_members += usize::from(self.owed.is_some());
    }

    /// Closes a member that has lost what it was owed, as a slow consumer.
    pub(super) fn overflow(&mut self, overflowed: &mut Vec<Slot>) {
        let close = Close::of(CloseCause::SlowConsumer);
        self.transport.request_close(close);
        self.activity = Activity::Over;
        overflowed.push(self.transport.id().slot());
    }
}
