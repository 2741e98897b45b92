//! Who is in a topic: a list of its active subscribers, shared by all who ask in one round while the
//! topic does not change.

use std::sync::Arc;

use bytestring::ByteString;

use crate::hub::log::{Channel, SubscribersReply};
use crate::id::{ConnectionId, Slot};

use super::{Activity, ChannelIndex, Table};

impl Table {
    pub(super) fn list_subscribers(&mut self, topic: ByteString, reply: SubscribersReply) {
        let ids = match self.names.get(&Channel::Topic(topic)) {
            Some(&index) => self.active_members(index),
            None => Arc::default(),
        };
        // The one who asked may have given up.
        let _ = reply.send(ids);
    }

    fn active_members(&mut self, index: ChannelIndex) -> Arc<[ConnectionId]> {
        let channel = &mut self.channels[index as usize];
        if let Some(listed) = &channel.listed {
            return Arc::clone(listed);
        }
        let members = channel.members.iter();
        let members = members.filter_map(|&slot| self.members[slot as usize].as_ref());
        let active = members.filter(|member| member.activity == Activity::Active);
        let ids: Arc<[ConnectionId]> = active.map(|member| member.transport.id()).collect();
        channel.listed = Some(Arc::clone(&ids));
        self.listed.push(index);
        ids
    }

    /// A member's activity has changed, so the lists of its channels hold no more.
    pub(super) fn forget_listings(&mut self, slot: Slot) {
        if self.listed.is_empty() {
            return;
        }
        let Some(member) = self.members.get(slot as usize).and_then(Option::as_ref) else {
            return;
        };
        for membership in &member.memberships {
            self.channels[membership.channel as usize].listed = None;
        }
    }

    /// At the end of a round: lists are not kept in memory for those who may never ask again.
    pub(super) fn forget_all_listings(&mut self) {
        for index in self.listed.drain(..) {
            self.channels[index as usize].listed = None;
        }
    }
}
