//! The table: the members, their channels, and what each member is owed in the current flush round.
//!
//! Only the flusher's thread touches it. A flush round applies records in order ([`Table::apply`]),
//! which collects the published messages in their channels. Then it delivers them ([`deliver`]),
//! with one write for each member.
//!
//! Members join and leave channels in the middle of a round. Each gets exactly the messages that
//! were published between its join and its leave ([`round`]).
//!
//! While a member's `open` is running, its messages are kept for it ([`opening`]).

mod channels;
mod close;
mod deliver;
mod opening;
mod presence;
mod relief;
mod round;

#[cfg(test)]
#[cfg(unix)]
mod model;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use bytestring::ByteString;

use crate::close::{Close, CloseCause};
use crate::id::{ConnectionId, Slot};
use crate::transport::{Owed, Transport};

use super::counters::Counters;
use super::record::{Channel, Record, RouteId};
use channels::{ChannelIndex, ChannelState, Membership};
use deliver::{Buffers, MergedBatch};
use round::{InRound, RoundNotes};

#[derive(Default)]
pub(super) struct Table {
    counters: Arc<Counters>,
    /// Set once a shutdown has begun. Connections that enter later are closed, too.
    is_shutting_down: bool,
    /// `Some` once a shutdown has canceled handlers. Handlers of connections that enter later are
    /// canceled, too.
    cancels: Option<CancelsClose>,
    /// The members, by slot.
    members: Vec<Option<Member>>,
    member_count: usize,
    channels: Vec<ChannelState>,
    /// The index in `channels` of each topic that has members.
    topics: HashMap<ByteString, ChannelIndex>,
    /// The index in `channels` of the channel for all connections, and of that of each route.
    server_channel: Option<ChannelIndex>,
    route_channels: Vec<Option<ChannelIndex>>,
    /// The indices in `channels` that are not in use. The lowest is used first, so that the end of
    /// `channels` can be freed.
    free_channels: BTreeSet<ChannelIndex>,
    /// The index in `Member::memberships` of each topic of a member.
    topic_memberships: HashMap<(Slot, ChannelIndex), u32>,
    /// The number of the current flush round.
    round: u64,
    /// The position within the round of the record that is being applied, starting at 1.
    position: u32,
    /// The channels that got messages in the current round.
    touched_channels: Vec<ChannelIndex>,
    notes: RoundNotes,
    merged: MergedBatch,
    buffers: Buffers,
    /// Members that need a batch of their own, collected while a channel's batch is written.
    needs_own_batch: Vec<Slot>,
    /// The channels of the batch that is made for one member. Kept to use its memory again.
    own_channels: Vec<ChannelIndex>,
    /// Members whose backlog overflowed while their `open` was running. They have to leave their
    /// channels.
    overflowed: Vec<Slot>,
    /// How many members have messages in `Member::owed`.
    owed_members: usize,
    /// The channels whose active members were listed in the current round.
    listed_channels: Vec<ChannelIndex>,
}

/// One connection, as the table knows it.
pub(super) struct Member {
    pub(super) transport: Arc<Transport>,
    /// The tick of the last ping; 0 for none.
    pub(super) last_ping: u32,
    route: RouteId,
    activity: Activity,
    /// Set once the member has been active. Its messages are then published even after it is
    /// closed, including those of its `close` handler.
    was_active: bool,
    /// The messages that the member gets once its `open` has returned `Ok`. `None` if there are
    /// none.
    owed: Option<Box<Owed>>,
    memberships: Vec<Membership>,
    in_round: InRound,
}

/// Whether a member gets published messages.
///
/// Only the table changes this. A close that another thread requests from the transport does not.
///
/// ```text
/// Enter ──► Authenticating ──Authenticated──► Opening ──Activate──► Active
///   │            │                              ▲ │                   │
///   └───────── without auth ────────────────────┘ │                   │
///                └──────────────► Over ◄──────────┴───────────────────┘
///                   Deactivate, NeverOpened, a close, an overflow
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Activity {
    /// `auth` has not returned `Ok` yet: the member gets nothing.
    Authenticating,
    /// `open` is running: the member's messages are kept for it.
    Opening,
    Active,
    /// The member gets nothing that is published from now on. Messages that were kept for it stay
    /// until a record tells whether its `open` has returned `Ok`.
    Over,
}

impl Activity {
    fn receives(self) -> bool {
        matches!(self, Self::Opening | Self::Active)
    }
}

/// Whether `close` handlers are canceled, too.
type CancelsClose = bool;

/// What the flusher has to do after a record was applied.
pub(super) enum FollowUp {
    None,
    /// Let the log reuse the slot of a connection that has left.
    ReleaseSlot(ConnectionId),
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
        self.member_count == 0
    }

    /// Returns whether messages are kept for a connection whose `open` is running.
    pub(super) fn owes_members(&self) -> bool {
        self.owed_members > 0
    }

    /// Returns a slot that is above all slots in use.
    pub(super) fn next_slot(&self) -> Slot {
        // Cannot saturate: each member has a slot of its own, and slots are `u32` numbers.
        Slot::try_from(self.members.len()).unwrap_or(Slot::MAX)
    }

    pub(super) fn member(&mut self, slot: Slot) -> Option<&mut Member> {
        self.members.get_mut(slot as usize)?.as_mut()
    }

    pub(super) fn begin_round(&mut self) {
        self.round += 1;
        self.position = 0;
        self.touched_channels.clear();
    }

    pub(super) fn apply(&mut self, record: Record) -> FollowUp {
        self.position += 1;
        match record {
            Record::Enter {
                transport,
                route,
                authenticates,
            } => self.enter(transport, route, authenticates),
            Record::Authenticated(slot) => self.begin_opening(slot),
            Record::NeverOpened(slot) => self.never_opened(slot),
            Record::Activate(slot, pending) => self.activate(slot, pending),
            Record::Subscribe(slot, topic) => self.join_topic(slot, topic),
            Record::Unsubscribe(slot, topic) => self.leave_topic(slot, &topic),
            Record::Publish {
                channel,
                from,
                frame,
            } if self.may_publish(from) => self.publish(&channel, from, frame),
            // The sender was closed before it became active.
            Record::Publish { .. } => {}
            Record::PublishExcept {
                topic,
                frame,
                except,
            } => {
                // The excepted connection may have left, and another may have its slot. The other
                // one then gets the message.
                let except = self.is_present(except).then(|| except.slot());
                self.publish(&Channel::Topic(topic), except, frame);
            }
            Record::Subscribers(topic, reply) => self.list_subscribers(&topic, reply),
            Record::Deactivate(id) if self.is_present(id) => self.deactivate(id.slot()),
            Record::Disconnect(id, close) if self.is_present(id) => {
                self.request_close(id.slot(), close);
            }
            // The connection has left. Its slot is free or belongs to another connection.
            Record::Deactivate(_) | Record::Disconnect(..) => {}
            Record::DisconnectTopic(topic, frame) => self.close_topic(&topic, &frame),
            Record::SendClose(slot, frame) => self.send_close(slot, &frame),
            Record::Leave(slot) => return self.leave(slot),
            Record::Shutdown => self.shut_down(),
            Record::Cancel { with_close } => {
                self.cancels = Some(with_close);
                self.for_each_transport(|transport| transport.cancel(with_close));
            }
            Record::Stop => return FollowUp::Stop,
            #[cfg(test)]
            Record::Panic => panic!("injected"),
        }
        FollowUp::None
    }

    fn enter(&mut self, transport: Arc<Transport>, route: RouteId, authenticates: bool) {
        let slot = transport.id().slot();
        let index = slot as usize;
        if self.members.len() <= index {
            self.members.resize_with(index + 1, || None);
        }
        self.member_count += 1;
        if self.is_shutting_down {
            transport.request_close(Close::of(CloseCause::Shutdown));
        }
        if let Some(with_close) = self.cancels {
            transport.cancel(with_close);
        }
        self.members[index] = Some(Member {
            transport,
            last_ping: 0,
            route,
            activity: Activity::Authenticating,
            was_active: false,
            owed: None,
            memberships: Vec::new(),
            in_round: InRound::default(),
        });
        if self.is_shutting_down {
            self.deactivate(slot);
        } else if !authenticates {
            self.begin_opening(slot);
        }
    }

    fn leave(&mut self, slot: Slot) -> FollowUp {
        self.forget_owed(slot);
        self.leave_all_channels(slot);
        match self.members.get_mut(slot as usize).and_then(Option::take) {
            Some(member) => {
                self.member_count -= 1;
                FollowUp::ReleaseSlot(member.transport.id())
            }
            None => FollowUp::None,
        }
    }

    /// Tells all connections that the hub has stopped, so that they close without it.
    ///
    /// A hub that has stopped applies no records and runs no sweeps.
    pub(super) fn detach_all(&self) {
        self.for_each_transport(Transport::detach);
    }

    fn for_each_transport(&self, act: impl Fn(&Transport)) {
        for member in self.members.iter().flatten() {
            act(&member.transport);
        }
    }

    /// Returns whether the connection with this id is a member.
    fn is_present(&mut self, id: ConnectionId) -> bool {
        let member = self.member(id.slot());
        member.is_some_and(|member| member.transport.id() == id)
    }
}
