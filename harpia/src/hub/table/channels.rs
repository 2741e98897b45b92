//! Channels and memberships.
//!
//! A channel lists its members, and a member lists its channels. Each entry of a member's list
//! holds its index in the channel's list, so that leaving a channel needs no search there.

use std::sync::Arc;

use crate::hub::record::Channel;
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;

use super::{Activity, Table};

/// A member's entry for one of its channels.
pub(super) struct Membership {
    pub(super) channel: ChannelIndex,
    /// The member's index in the channel's list of members.
    ///
    /// Each connection has a few memberships, so this has the width of a slot, to save memory.
    pub(super) member_index: Slot,
}

/// The index of a channel in `Table::channels`.
pub(super) type ChannelIndex = u32;

pub(super) struct ChannelState {
    pub(super) name: Channel,
    pub(super) members: Vec<Slot>,
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
        let index = self.channel(name);
        let Some(member) = self.member(slot) else {
            return self.drop_if_empty(index);
        };
        if member.activity == Activity::Over {
            return self.drop_if_empty(index);
        }
        let mut memberships = member.memberships.iter();
        if memberships.any(|membership| membership.channel == index) {
            return;
        }
        self.flush_member(slot);
        let channel = &mut self.channels[index as usize];
        channel.listing = None;
        let members = &mut channel.members;
        // Cannot saturate: there are no more members than slots.
        let member_index = Slot::try_from(members.len()).unwrap_or(Slot::MAX);
        members.push(slot);
        if let Some(member) = self.member(slot) {
            member.memberships.push(Membership {
                channel: index,
                member_index,
            });
        }
    }

    pub(super) fn leave_channel(&mut self, slot: Slot, name: &Channel) {
        let Some(&index) = self.channel_indices.get(name) else {
            return;
        };
        self.flush_member(slot);
        let Some(member) = self.member(slot) else {
            return;
        };
        let memberships = &mut member.memberships;
        let mut channels = memberships.iter().map(|membership| membership.channel);
        if let Some(at) = channels.position(|channel| channel == index) {
            let membership = memberships.swap_remove(at);
            self.remove(membership);
        }
    }

    pub(super) fn leave_all_channels(&mut self, slot: Slot) {
        while let Some(membership) = self
            .member(slot)
            .and_then(|member| member.memberships.pop())
        {
            self.remove(membership);
        }
    }

    /// Removes a member from a channel's list. The last member of the list moves to its index.
    fn remove(&mut self, membership: Membership) {
        let Membership {
            channel,
            member_index,
        } = membership;
        self.channels[channel as usize].listing = None;
        let members = &mut self.channels[channel as usize].members;
        members.swap_remove(member_index as usize);
        let moved = members.get(member_index as usize).copied();
        if let Some(member) = moved.and_then(|slot| self.member(slot)) {
            let mut memberships = member.memberships.iter_mut();
            if let Some(moved) = memberships.find(|moved| moved.channel == channel) {
                moved.member_index = member_index;
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
        let index = match self.free_channels.pop() {
            Some(index) => {
                self.channels[index as usize] = state;
                index
            }
            None => {
                self.channels.push(state);
                // Cannot saturate: each channel has a member, and the memory for so many
                // memberships would be exhausted long before.
                ChannelIndex::try_from(self.channels.len() - 1).unwrap_or(ChannelIndex::MAX)
            }
        };
        self.channel_indices.insert(name, index);
        index
    }

    /// Forgets a channel without members, so that topics named by users do not pile up.
    fn drop_if_empty(&mut self, index: ChannelIndex) {
        let channel = &mut self.channels[index as usize];
        if channel.members.is_empty() {
            self.channel_indices.remove(&channel.name);
            channel.messages = Vec::new();
            // The index of a touched channel is still in `touched_channels`. `deliver` frees it at
            // the end of the round.
            if channel.touched_round != self.round {
                self.free_channels.push(index);
            }
        }
    }
}
