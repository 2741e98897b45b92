//! Who is in which channel: members and memberships, each list naming the other's places.

use std::sync::Arc;

use crate::hub::log::Channel;
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;

use super::{Activity, Table};

pub(super) struct Membership {
    pub(super) channel: ChannelIndex,
    /// Where it stands among the channel's members; as narrow as a slot, since each connection has
    /// a few of these.
    pub(super) place: Slot,
}

pub(super) type ChannelIndex = u32;

pub(super) struct ChannelState {
    pub(super) name: Channel,
    pub(super) members: Vec<Slot>,
    pub(super) touched: u64,
    /// What was published in the present round.
    pub(super) messages: Vec<Published>,
    /// Its active members, if somebody has asked for them in the present round.
    pub(super) listed: Option<Arc<[ConnectionId]>>,
}

pub(super) struct Published {
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
        if member.memberships.iter().any(|one| one.channel == index) {
            return;
        }
        self.flush_member(slot);
        let channel = &mut self.channels[index as usize];
        channel.listed = None;
        let members = &mut channel.members;
        // There are no more members than slots.
        let place = Slot::try_from(members.len()).unwrap_or(Slot::MAX);
        members.push(slot);
        if let Some(member) = self.member(slot) {
            member.memberships.push(Membership {
                channel: index,
                place,
            });
        }
    }

    pub(super) fn leave_channel(&mut self, slot: Slot, name: &Channel) {
        let Some(&index) = self.names.get(name) else {
            return;
        };
        self.flush_member(slot);
        let Some(member) = self.member(slot) else {
            return;
        };
        let memberships = &mut member.memberships;
        if let Some(at) = memberships.iter().position(|one| one.channel == index) {
            let membership = memberships.swap_remove(at);
            self.remove(membership);
        }
    }

    pub(super) fn leave_all_channels(&mut self, slot: Slot) {
        while let Some(membership) = self.member(slot).and_then(|one| one.memberships.pop()) {
            self.remove(membership);
        }
    }

    /// Takes a member out of a channel; the last one takes its place.
    fn remove(&mut self, membership: Membership) {
        let Membership { channel, place } = membership;
        self.channels[channel as usize].listed = None;
        let members = &mut self.channels[channel as usize].members;
        members.swap_remove(place as usize);
        let moved = members.get(place as usize).copied();
        if let Some(member) = moved.and_then(|slot| self.member(slot)) {
            let mut memberships = member.memberships.iter_mut();
            if let Some(moved) = memberships.find(|one| one.channel == channel) {
                moved.place = place;
            }
        }
        self.drop_if_empty(channel);
    }

    fn channel(&mut self, name: Channel) -> ChannelIndex {
        if let Some(&index) = self.names.get(&name) {
            return index;
        }
        let state = ChannelState {
            name: name.clone(),
            members: Vec::new(),
            touched: 0,
            messages: Vec::new(),
            listed: None,
        };
        let index = match self.free_channels.pop() {
            Some(index) => {
                self.channels[index as usize] = state;
                index
            }
            None => {
                self.channels.push(state);
                // As many channels as there are memberships, which are far below.
                ChannelIndex::try_from(self.channels.len() - 1).unwrap_or(ChannelIndex::MAX)
            }
        };
        self.names.insert(name, index);
        index
    }

    /// A topic without members is forgotten, or topics named by users would pile up.
    fn drop_if_empty(&mut self, index: ChannelIndex) {
        let channel = &mut self.channels[index as usize];
        if channel.members.is_empty() {
            self.names.remove(&channel.name);
            channel.messages = Vec::new();
            // One that is touched may be used again only in the next round: it stands in `touched`.
            if channel.touched != self.round {
                self.free_channels.push(index);
            }
        }
    }
}
