//! Channels and memberships.
//!
//! A channel has a seat for each member, and a member lists its memberships. Each side holds its
//! index on the other side, so that joining and leaving take the same time whatever the number of
//! a member's channels or a channel's members.

use std::sync::Arc;

use crate::hub::record::Channel;
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
    pub(super) fn join_channel(&mut self, slot: Slot, name: Channel) {
        if self
            .member(slot)
            .is_none_or(|member| member.activity == Activity::Over)
        {
            return;
        }
        let is_topic = matches!(name, Channel::Topic(_));
        let index = self.channel(name);
        if is_topic && self.topic_memberships.contains_key(&(slot, index)) {
            return;
        }
        let channel = &mut self.channels[index as usize];
        channel.listing = None;
        let seat = index_of(channel.members.len());
        let Some(member) = self.members.get_mut(slot as usize).and_then(Option::as_mut) else {
            return;
        };
        let membership = index_of(member.memberships.len());
        member.memberships.push(Membership {
            channel: index,
            seat,
        });
        channel.members.push(Seat { slot, membership });
        if is_topic {
            self.topic_memberships.insert((slot, index), membership);
        }
        self.note_change(slot, index, Change::Joined);
    }

    /// Takes a member out of a topic. Messages of the current round that were published before are
    /// still delivered to it.
    pub(super) fn leave_topic(&mut self, slot: Slot, name: &Channel) {
        let Some(&index) = self.channel_indices.get(name) else {
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
        self.topic_memberships.remove(&(slot, channel));
        let state = &mut self.channels[channel as usize];
        state.listing = None;
        state.members.swap_remove(seat as usize);
        if let Some(moved) = state.members.get(seat as usize) {
            let (slot, membership) = (moved.slot, moved.membership as usize);
            if let Some(member) = self.member(slot) {
                member.memberships[membership].seat = seat;
            }
        }
        self.drop_if_empty(channel);
    }

    /// Returns the index of a channel. Creates the channel if it has no members yet.
    fn channel(&mut self, name: Channel) -> ChannelIndex {
        if let Some(&index) = self.channel_indices.get(&name) {
            return index;
        }
        let state = ChannelState {
            name: name.clone(),
            members: Vec::new(),
            touched_round: 0,
            messages: Vec::new(),
            listing: None,
        };
        let index = match self.free_channels.pop_first() {
            Some(index) => {
                self.channels[index as usize] = state;
                index
            }
            None => {
                self.channels.push(state);
                index_of(self.channels.len() - 1)
            }
        };
        self.channel_indices.insert(name, index);
        index
    }

    /// Forgets a channel without members, so that topics named by users do not pile up.
    ///
    /// If the channel has messages of the current round, these may still be owed to members that
    /// have left. `deliver` then frees the channel's index at the end of the round.
    fn drop_if_empty(&mut self, index: ChannelIndex) {
        let channel = &mut self.channels[index as usize];
        if channel.members.is_empty() {
            self.channel_indices.remove(&channel.name);
            if channel.touched_round != self.round {
                self.free_channel(index);
            }
        }
    }

    /// Frees the index of a channel that is forgotten.
    pub(super) fn free_channel(&mut self, index: ChannelIndex) {
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
        if has_spare(self.channel_indices.len(), self.channel_indices.capacity()) {
            self.channel_indices.shrink_to_fit();
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
