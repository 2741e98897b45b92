//! The table: who is here, in which channels, and what each is owed in the present round.
//!
//! Only the flusher's thread touches it. A round applies records in order ([`Table::apply`]) and
//! then delivers what each channel collected ([`deliver`]), one write for each member.
//! A member that joins or leaves a channel in the midst of a round is settled first: it gets what it
//! is owed up to there, so that each gets exactly what was published between its join and its leave.
//!
//! While a member's `open` runs, what it gets is kept aside ([`opening`]).

mod channels;
mod deliver;
mod opening;
mod presence;

#[cfg(test)]
#[cfg(unix)]
mod model;

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use crate::close::{Close, CloseCause, CloseFrame};
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;
use crate::transport::{Owed, Transport};

use super::RouteId;
use super::counters::Counters;
use super::log::{Channel, Record};
use channels::{ChannelIndex, ChannelState, Membership, Published};
use deliver::{Buffers, MergedBatch};

#[derive(Default)]
pub(super) struct Table {
    counters: Arc<Counters>,
    /// Whoever enters from now on is told to end, too.
    is_shutting_down: bool,
    /// Whose handlers are cancelled, also of who enters from now on.
    cancels: Option<WithClose>,
    members: Vec<Option<Member>>,
    present: usize,
    channels: Vec<ChannelState>,
    names: HashMap<Channel, ChannelIndex>,
    free_channels: Vec<ChannelIndex>,
    round: u64,
    /// The position of the record at hand within its round.
    position: u32,
    touched: Vec<ChannelIndex>,
    merged: MergedBatch,
    buffers: Buffers,
    /// Members that need a run of their own, found while a channel's run is written.
    apart: Vec<Slot>,
    /// Members whose `open` runs and whose backlog overflowed, to be taken out of their channels.
    overflowed: Vec<Slot>,
    /// How many members are owed messages until their `open` has returned.
    owing: usize,
    /// Channels whose active members were listed in the present round.
    listed: Vec<ChannelIndex>,
}

pub(super) struct Member {
    pub(super) transport: Arc<Transport>,
    pub(super) pinged: u32,
    route: RouteId,
    activity: Activity,
    /// It was active once, so what it publishes goes out, also from its `close` handler.
    was_active: bool,
    /// What it gets when its `open` has returned `Ok`; there while that is something.
    owed: Option<Box<Owed>>,
    memberships: Vec<Membership>,
    /// The last round in which it was written to.
    visited: u64,
    /// The last round in which it sent something, and so gets a run of its own.
    sent: u64,
    /// Within round `.0`, it is owed nothing before position `.1`.
    owed_from: (u64, u32),
}

/// Whether a member gets what is broadcast. By the log alone, whatever was asked of it meanwhile.
///
/// ```text
/// Enter ──► Authenticating ──Open──► Opening ──Activate──► Active
///   └────────── without auth ──────────▲ │                   │
///                                        └──► Over ◄─────────┘   Deactivate, an close, an overflow
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Activity {
    /// `auth` has not let it in: it gets nothing.
    Authenticating,
    /// Its `open` runs: what it gets is kept aside.
    Opening,
    Active,
    /// It gets nothing more. What it was owed up to here is kept until it is known whether its
    /// `open` returns `Ok`.
    Over,
}

impl Activity {
    fn receives(self) -> bool {
        matches!(self, Self::Opening | Self::Active)
    }
}

/// Whether `close` handlers are cancelled too.
type WithClose = bool;

/// What a record leaves for the flusher to do.
pub(super) enum Effect {
    None,
    Left(ConnectionId),
    Stop,
}

impl Table {
    pub(super) fn new(counters: Arc<Counters>) -> Self {
        Self {
            counters,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// The slots in use are below this one.
    pub(super) fn next_slot(&self) -> Slot {
        // Slots are numbered by `u32`, so there are no more of them.
        Slot::try_from(self.members.len()).unwrap_or(Slot::MAX)
    }

    pub(super) fn member(&mut self, slot: Slot) -> Option<&mut Member> {
        self.members.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        self.position = 0;
        self.touched.clear();
    }

    pub(super) fn apply(&mut self, record: Record) -> Effect {
        self.position += 1;
        match record {
            Record::Enter {
                transport,
                route,
                authenticates,
            } => self.enter(transport, route, authenticates),
            Record::Open(slot) => self.open(slot),
            Record::Refuse(slot) => self.refuse(slot),
            Record::Activate(slot, early) => self.activate(slot, early),
            Record::Subscribe(slot, topic) => self.join_channel(slot, Channel::Topic(topic)),
            Record::Unsubscribe(slot, topic) => self.leave_channel(slot, &Channel::Topic(topic)),
            Record::Publish {
                channel,
                from,
                frame,
            } if self.may_publish(from) => self.publish(&channel, from, frame),
            Record::PublishExcept {
                topic,
                frame,
                except,
            } => {
                // The place may be another connection's by now, which gets the message.
                let except = self.is_here(except).then(|| except.slot());
                self.publish(&Channel::Topic(topic), except, frame);
            }
            Record::Subscribers(topic, reply) => self.list_subscribers(topic, reply),
            Record::Deactivate(id) if self.is_here(id) => self.deactivate(id.slot()),
            Record::SendClose(slot, frame) => self.send_close(slot, &frame),
            Record::Leave(slot) => return self.leave(slot),
            Record::Disconnect(id, close) if self.is_here(id) => {
                self.request_close(id.slot(), close);
            }
            Record::DisconnectTopic(topic, frame) => self.close_topic(topic, &frame),
            // The place is empty by now, or another's.
            Record::Deactivate(_) | Record::Disconnect(..) => {}
            // Its sender was never active.
            Record::Publish { .. } => {}
            Record::Shutdown => self.shut_down(),
            Record::Cancel { with_close } => {
                self.cancels = Some(with_close);
                self.each(|transport| transport.cancel(with_close));
            }
            Record::Stop => return Effect::Stop,
        }
        Effect::None
    }

    fn enter(&mut self, transport: Arc<Transport>, route: RouteId, authenticates: bool) {
        let slot = transport.id().slot();
        let index = slot as usize;
        if self.members.len() <= index {
            self.members.resize_with(index + 1, || None);
        }
        self.present += 1;
        if self.is_shutting_down {
            transport.request_close(Close::of(CloseCause::Shutdown));
        }
        if let Some(with_close) = self.cancels {
            transport.cancel(with_close);
        }
        self.members[index] = Some(Member {
            transport,
            pinged: 0,
            route,
            activity: Activity::Authenticating,
            was_active: false,
            owed: None,
            memberships: Vec::new(),
            visited: 0,
            sent: 0,
            owed_from: (0, 0),
        });
        if self.is_shutting_down {
            self.deactivate(slot);
        } else if !authenticates {
            self.open(slot);
        }
    }

    fn publish(&mut self, name: &Channel, from: Option<Slot>, frame: Encoded) {
        let Some(&index) = self.names.get(name) else {
            return;
        };
        let channel = &mut self.channels[index as usize];
        if channel.touched != self.round {
            channel.touched = self.round;
            self.touched.push(index);
        }
        channel.messages.push(Published {
            position: self.position,
            from,
            frame,
        });
        let round = self.round;
        if let Some(member) = from.and_then(|slot| self.member(slot)) {
            member.sent = round;
        }
    }

    /// Nothing that is published from here on reaches it.
    fn stop_receiving(&mut self, slot: Slot) {
        self.flush_member(slot);
        self.leave_all_channels(slot);
        if let Some(member) = self.member(slot) {
            member.activity = Activity::Over;
        }
    }

    fn deactivate(&mut self, slot: Slot) {
        self.stop_receiving(slot);
        // Only a connection whose `open` has returned `Ok` is deactivated. If it was still opening
        // here, then somebody closed it between that return and its activation's record.
        self.write_owed(slot);
    }

    fn send_close(&mut self, slot: Slot, frame: &CloseFrame) {
        let Some(member) = self.member(slot) else {
            return;
        };
        match member.activity {
            // Its handler or a `Peer` closed it before `open` returned, so it never was active.
            Activity::Opening => self.refuse(slot),
            // The hub ended it while `open` ran: it gets what came before that.
            Activity::Over => self.write_owed(slot),
            // Somebody closed it from elsewhere, and has not come to deactivate it yet.
            Activity::Active | Activity::Authenticating => self.flush_member(slot),
        }
        if let Some(member) = self.member(slot) {
            member.transport.send_close(frame);
        }
    }

    fn leave(&mut self, slot: Slot) -> Effect {
        self.forget_owed(slot);
        self.leave_all_channels(slot);
        match self.members.get_mut(slot as usize).and_then(Option::take) {
            Some(member) => {
                self.present -= 1;
                Effect::Left(member.transport.id())
            }
            None => Effect::None,
        }
    }

    fn shut_down(&mut self) {
        self.is_shutting_down = true;
        for slot in 0..self.next_slot() {
            self.request_close(slot, Close::of(CloseCause::Shutdown));
        }
    }

    /// Returns whether a message is published. The hub may end a connection before its activation
    /// is applied: such a connection was never active, which its task does not know yet.
    fn may_publish(&mut self, from: Option<Slot>) -> bool {
        let sender = from.and_then(|slot| self.member(slot));
        sender.is_none_or(|sender| sender.was_active || sender.activity != Activity::Over)
    }

    /// Requests a close. From here on the connection is not active, whatever its handler still does.
    pub(super) fn request_close(&mut self, slot: Slot, close: Close) {
        // First, since what was published before may be an overflow, which comes first then.
        self.flush_member(slot);
        let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) else {
            return;
        };
        if member.transport.request_close(close) {
            self.counters.leave(&member.transport);
            // What it is owed is kept: whether `open` returns `Ok` is not known yet.
            self.stop_receiving(slot);
        }
    }

    fn close_topic(&mut self, topic: ByteString, frame: &CloseFrame) {
        let Some(&index) = self.names.get(&Channel::Topic(topic)) else {
            return;
        };
        // A copy: whoever ends leaves the list.
        for slot in self.channels[index as usize].members.clone() {
            self.request_close(slot, Close::new(CloseCause::Disconnect, frame.clone()));
        }
    }

    /// Says whether some connection whose `open` runs is owed messages.
    pub(super) fn is_owing(&self) -> bool {
        self.owing > 0
    }

    /// Leaves all connections to themselves: nothing is applied or swept any more.
    pub(super) fn detach_all(&self) {
        self.each(Transport::detach);
    }

    fn each(&self, act: impl Fn(&Transport)) {
        for member in self.members.iter().flatten() {
            act(&member.transport);
        }
    }

    fn is_here(&mut self, id: ConnectionId) -> bool {
        let member = self.member(id.slot());
        member.is_some_and(|member| member.transport.id() == id)
    }

    /// Writes what a member is owed so far in this round.
    fn flush_member(&mut self, slot: Slot) {
        if self.touched.is_empty() {
            return;
        }
        self.write_own_batch(slot);
        self.owe_from_here(slot);
    }

    fn owe_from_here(&mut self, slot: Slot) {
        let owed_from = (self.round, self.position);
        if let Some(member) = self.member(slot) {
            member.owed_from = owed_from;
        }
    }
}
