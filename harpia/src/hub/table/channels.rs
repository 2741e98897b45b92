//! Channels and memberships.
//!
//! A channel has a seat for each member, and a member lists its memberships. Each side holds its
//! index on the other side, so that joining and leaving take the same time whatever the number of
//! a member's channels or a channel's members.

use std::sync::Arc;

use bytestring::ByteString;

use crate::hub::record::{Channel, RouteId};
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;

use super::round::Change;
use super::{Activity, Table};

/// A member's entry for one of its channels.
pub(super) struct Membership {
    pub(super) channel: ChannelIndex,
    /// The index of the member's seat in the channel.
    pub(super) seat: u32,
}

/// A channel's entry for one of its members.
pub(super) struct Seat {
    pub(super) slot: Slot,
    /// The index of the channel in the member's memberships.
    pub(super) membership: u32,
}

/// The index of a channel in `Table::channels`.
pub(super) type ChannelIndex = u32;

pub(super) struct ChannelState {
    pub(super) name: Channel,
    pub(super) members: Vec<Seat>,
    /// The last round in which the channel got a message.
    pub(super) touched_round: u64,
    /// The messages of the current round.
    pub(super) messages: Vec<Published>,
    /// The list of active members, if it was requested in the current round and is still right.
    pub(super) listing: Option<Arc<[ConnectionId]>>,
}

/// A message of the current round.
pub(super) struct Published {
    /// The position of its record in the round.
    pub(super) position: u32,
    pub(super) from: Option<Slot>,
    pub(super) frame: Encoded,
}

impl Table {
    /// Subscribes a member to a topic. Creates the topic if it has no members yet.
    pub(super) fn join_topic(&mut self, slot: Slot, name: ByteString) {
        if self
            .member(slot)
            .is_none_or(|member| member.activity == Activity::Over)
        {
            return;
        }
        let topic = self.topic(name);
        if !self.topic_memberships.contains_key(&(slot, topic)) {
            let membership = self.join(slot, topic);
            self.topic_memberships.insert((slot, topic), membership);
        }
    }

    /// Adds a member to the channel of its route and to that of the server.
    pub(super) fn join_broadcasts(&mut self, slot: Slot, route: RouteId) {
        for name in [Channel::Server, Channel::Route(route)] {
            let channel = self.broadcast_channel(&name);
            self.join(slot, channel);
        }
    }

    /// Adds a member to a channel, and returns the index of the membership.
    fn join(&mut self, slot: Slot, index: ChannelIndex) -> u32 {
        let channel = &mut self.channels[index as usize];
        channel.listing = None;
        let seat = index_of(channel.members.len());
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return 0;
        };
        let membership = index_of(member.memberships.len());
        member.memberships.push(Membership {
            channel: index,
            seat,
        });
        channel.members.push(Seat { slot, membership });
        self.note_change(slot, index, Change::Joined);
        membership
    }

    /// Takes a member out of a topic. Messages of the current round that were published before are
    /// still delivered to it.
    pub(super) fn leave_topic(&mut self, slot: Slot, name: &ByteString) {
        let Some(&index) = self.topics.get(name) else {
            return;
        };
        let Some(at) = self.topic_memberships.get(&(slot, index)).copied() else {
            return;
        };
        self.note_change(slot, index, Change::Left);
        let Some(member) = self.member(slot) else {
            return;
        };
        let membership = member.memberships.swap_remove(at as usize);
        // The last membership has moved to the index of the one that was removed.
        if let Some(moved) = member.memberships.get(at as usize) {
            let (channel, seat) = (moved.channel, moved.seat);
            self.channels[channel as usize].members[seat as usize].membership = at;
            if let Some(index) = self.topic_memberships.get_mut(&(slot, channel)) {
                *index = at;
            }
        }
        self.remove(slot, membership);
    }

    pub(super) fn leave_all_channels(&mut self, slot: Slot) {
        while let Some(membership) = self
            .member(slot)
            .and_then(|member| member.memberships.pop())
        {
            self.remove(slot, membership);
        }
        if let Some(member) = self.member(slot) {
            member.memberships = Vec::new();
        }
    }

    /// Removes a member's seat from a channel. The channel's last seat moves to its index.
    fn remove(&mut self, slot: Slot, membership: Membership) {
        let Membership { channel, seat } = membership;
        let state = &mut self.channels[channel as usize];
        state.listing = None;
        let is_topic = matches!(state.name, Channel::Topic(_));
        state.members.swap_remove(seat as usize);
        if has_spare(state.members.len(), state.members.capacity()) {
            state.members.shrink_to_fit();
        }
        if let Some(moved) = state.members.get(seat as usize) {
            let (slot, membership) = (moved.slot, moved.membership as usize);
            if let Some(member) = self.member(slot) {
                member.memberships[membership].seat = seat;
            }
        }
        if is_topic {
            self.topic_memberships.remove(&(slot, channel));
            self.drop_if_empty(channel);
        }
    }

    /// Returns the index of a channel, if it exists.
    pub(super) fn find_channel(&self, name: &Channel) -> Option<ChannelIndex> {
        match name {
            Channel::Server => self.server_channel,
            Channel::Route(route) => *self.route_channels.get(*route as usize)?,
            Channel::Topic(name) => self.topics.get(name).copied(),
        }
    }

    /// Returns the index of the server's channel or a route's. Creates the channel at the first
    /// call. It is never forgotten, even without members: there are only as many as routes.
    fn broadcast_channel(&mut self, name: &Channel) -> ChannelIndex {
        if let Some(index) = self.find_channel(name) {
            return index;
        }
        let index = self.create_channel(name.clone());
        if let Channel::Route(route) = *name {
            let route = route as usize;
            if self.route_channels.len() <= route {
                self.route_channels.resize(route + 1, None);
            }
            self.route_channels[route] = Some(index);
        } else {
            self.server_channel = Some(index);
        }
        index
    }

    /// Returns the index of a topic. Creates the topic if it has no members yet.
    fn topic(&mut self, name: ByteString) -> ChannelIndex {
        if let Some(&index) = self.topics.get(&name) {
            return index;
        }
        let index = self.create_channel(Channel::Topic(name.clone()));
        self.topics.insert(name, index);
        index
    }

    fn create_channel(&mut self, name: Channel) -> ChannelIndex {
        let state = ChannelState {
            name,
            members: Vec::new(),
            touched_round: 0,
            messages: Vec::new(),
            listing: None,
        };
        match self.free_channels.pop_first() {
            Some(index) => {
                self.channels[index as usize] = state;
                index
            }
            None => {
                self.channels.push(state);
                index_of(self.channels.len() - 1)
            }
        }
    }

    /// Forgets a topic without members, so that topics named by users do not pile up.
    ///
    /// If the topic has messages of the current round, these may still be owed to members that
    /// have left. `deliver` then frees the channel's index at the end of the round.
    fn drop_if_empty(&mut self, index: ChannelIndex) {
        let channel = &self.channels[index as usize];
        if let Channel::Topic(name) = &channel.name
            && channel.members.is_empty()
        {
            self.topics.remove(name);
            if channel.touched_round != self.round {
                self.free_topic(index);
            }
        }
    }

    /// Frees a topic's index after the topic was forgotten.
    pub(super) fn free_topic(&mut self, index: ChannelIndex) {
        let channel = &mut self.channels[index as usize];
        // Frees the memory of the name and of the lists.
        channel.name = Channel::Server;
        channel.members = Vec::new();
        channel.messages = Vec::new();
        self.free_channels.insert(index);
    }

    /// Frees the memory that channels and memberships no longer need, after a peak of them.
    pub(super) fn shrink_channels(&mut self) {
        while self
            .free_channels
            .last()
            .is_some_and(|&last| last as usize + 1 == self.channels.len())
        {
            self.free_channels.pop_last();
            self.channels.pop();
        }
        if has_spare(self.channels.len(), self.channels.capacity()) {
            self.channels.shrink_to_fit();
        }
        if has_spare(self.topics.len(), self.topics.capacity()) {
            self.topics.shrink_to_fit();
        }
        if has_spare(
            self.topic_memberships.len(),
            self.topic_memberships.capacity(),
        ) {
            self.topic_memberships.shrink_to_fit();
        }
    }
}

/// Returns whether a collection has so much spare capacity that shrinking it pays.
fn has_spare(length: usize, capacity: usize) -> bool {
    const KEEP: usize = 1024;
    capacity > KEEP && capacity / 4 > length
}

/// Returns an index as 32 bits, which saves memory in each membership.
///
/// Cannot saturate: each entry belongs to a membership or a slot, and the memory for so many of
/// them would be exhausted long before.
fn index_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
