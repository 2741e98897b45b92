//! Members whose `open` runs: they are in their channels like all others, and what they get is kept
//! aside until `open` has returned.

use crate::close::{Close, CloseCause};
use crate::hub::log::{Channel, PendingFrames};
use crate::id::Slot;
use crate::transport::Batch;

use super::{Activity, Member, Table};

impl Table {
    /// From here on a connection is owed every broadcast, and every message to its topics.
    pub(super) fn open(&mut self, slot: Slot) {
        let Some(member) = self.member(slot) else {
            return;
        };
        if member.activity != Activity::Authenticating {
            return;
        }
        member.activity = Activity::Opening;
        let route = member.route;
        self.owe_from_here(slot);
        self.join_channel(slot, Channel::Server);
        self.join_channel(slot, Channel::Route(route));
    }

    /// `open` has returned `Ok`: writes what is owed, then lets the early publishes go out.
    pub(super) fn activate(&mut self, slot: Slot, early: PendingFrames) {
        let Some(member) = self.member(slot) else {
            return;
        };
        if member.activity != Activity::Opening {
            return;
        }
        // What this round has published so far comes after what earlier rounds left, and is written
        // with the rest of the round.
        member.activity = Activity::Active;
        member.was_active = true;
        self.write_owed(slot);
        self.forget_listings(slot);
        for (topic, frame) in early {
            self.position += 1;
            self.publish(&Channel::Topic(topic), Some(slot), frame);
        }
    }

    /// `open` has failed, or its own handler closed it: nothing more is kept for it.
    pub(super) fn refuse(&mut self, slot: Slot) {
        self.forget_owed(slot);
        self.leave_all_channels(slot);
        if let Some(member) = self.member(slot) {
            member.activity = Activity::Over;
        }
    }

    pub(super) fn write_owed(&mut self, slot: Slot) {
        if let Some(member) = self.member(slot)
            && let Some(owed) = member.owed.take()
        {
            member.transport.write_owed(*owed);
            self.owing -= 1;
        }
    }

    pub(super) fn forget_owed(&mut self, slot: Slot) {
        if let Some(member) = self.member(slot)
            && member.owed.take().is_some()
        {
            self.owing -= 1;
        }
    }

    /// Takes members out of their channels whose backlog overflowed while their `open` ran.
    pub(super) fn drop_overflowed(&mut self) {
        while let Some(slot) = self.overflowed.pop() {
            self.leave_all_channels(slot);
        }
    }
}

impl Member {
    /// Gives a batch to a member: to its socket, or to what it is owed. Keeps `owing` up to date,
    /// and adds the member to `overflowed` if it has to leave its channels.
    pub(super) fn receive(
        &mut self,
        batch: &mut Batch<'_>,
        owing: &mut usize,
        overflowed: &mut Vec<Slot>,
    ) {
        if self.activity == Activity::Active {
            self.transport.write_batch(batch);
            return;
        }
        *owing -= usize::from(self.owed.is_some());
        if !self.transport.owe(&mut self.owed, batch) {
            self.transport
                .request_close(Close::of(CloseCause::SlowConsumer));
            self.activity = Activity::Over;
            overflowed.push(self.transport.id().slot());
        }
        *owing += usize::from(self.owed.is_some());
    }
}
