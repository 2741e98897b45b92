//! Lists of a topic's active subscribers.
//!
//! All requests of one flush round share one list, unless the topic changes in between.

use std::sync::Arc;

use bytestring::ByteString;

use crate::hub::SubscribersReply;
use crate::id::{ConnectionId, Slot};

use super::{Activity, ChannelIndex, Table};

impl Table {
    pub(super) fn list_subscribers(&mut self, topic: &ByteString, reply: SubscribersReply) {
        let ids = match self.topics.get(topic) {
            Some(&index) => self.active_members(index),
            None => Arc::default(),
        };
        // Fails if the caller has dropped its future. Then nobody needs the answer.
        let _ = reply.send(ids);
    }

    fn active_members(&mut self, index: ChannelIndex) -> Arc<[ConnectionId]> {
        let channel = &mut self.channels[index as usize];
        if let Some(listing) = &channel.listing {
            return Arc::clone(listing);
        }
        let members = channel.members.iter();
        let members = members.filter_map(|seat| self.members[seat.slot as usize].as_ref());
        let active = members.filter(|member| member.activity == Activity::Active);
        let ids: Arc<[ConnectionId]> = active.map(|member| member.transport.id()).collect();
        channel.listing = Some(Arc::clone(&ids));
        self.listed_channels.push(index);
        ids
    }

    /// Drops the lists of a member's channels, because its activity has changed.
    pub(super) fn forget_listings(&mut self, slot: Slot) {
        if self.listed_channels.is_empty() {
            return;
        }
        let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) else {
            return;
        };
        for membership in &member.memberships {
            self.channels[membership.channel as usize].listing = None;
        }
    }

    /// Drops all lists at the end of a round, so that they take no memory until the next request.
    pub(super) fn forget_all_listings(&mut self) {
        for index in self.listed_channels.drain(..) {
            self.channels[index as usize].listing = None;
        }
    }
}
