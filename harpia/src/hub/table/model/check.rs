//! Checks that members, memberships and channels of a table agree.

use std::collections::HashMap;

use crate::hub::record::Channel;
use crate::hub::table::Table;

impl Table {
    pub(super) fn check(&self) {
        self.check_memberships();
        self.check_channels();
        let members = self.members.iter().flatten();
        let owed = members.filter(|member| member.owed.is_some()).count();
        assert_eq!(owed, self.owed_members);
        assert!(self.listed_channels.is_empty() && self.overflowed.is_empty());
        let mut channels = self.channels.iter();
        assert!(channels.all(|channel| channel.listing.is_none()));
    }

    fn check_memberships(&self) {
        for (slot, member) in self.members.iter().enumerate() {
            let memberships = member.iter().flat_map(|member| &member.memberships);
            for (index, membership) in memberships.enumerate() {
                let channel = &self.channels[membership.channel as usize];
                let seat = &channel.members[membership.seat as usize];
                assert_eq!(
                    (seat.slot as usize, seat.membership as usize),
                    (slot, index)
                );
                let topic = (seat.slot, membership.channel);
                let found = self.topic_memberships.get(&topic);
                let is_topic = matches!(channel.name, Channel::Topic(_));
                assert_eq!(found, is_topic.then_some(&seat.membership));
            }
        }
        let members = self.members.iter().flatten();
        let memberships: usize = members.map(|member| member.memberships.len()).sum();
        let indices = self.channel_indices.values();
        let listed = indices.map(|&index| self.channels[index as usize].members.len());
        assert_eq!(listed.sum::<usize>(), memberships);
        let named = self.channel_indices.iter();
        let topics = named.filter(|(name, _)| matches!(name, Channel::Topic(_)));
        let listed = topics.map(|(_, &index)| self.channels[index as usize].members.len());
        assert_eq!(listed.sum::<usize>(), self.topic_memberships.len());
    }

    fn check_channels(&self) {
        let indices = self.channel_indices.iter();
        let named: HashMap<_, _> = indices.map(|(name, &index)| (index, name)).collect();
        for (&index, &name) in &named {
            let channel = &self.channels[index as usize];
            assert_eq!(channel.name, *name);
            assert!(!channel.members.is_empty() && channel.messages.is_empty());
        }
        let free = &self.free_channels;
        assert_eq!(free.len() + named.len(), self.channels.len());
        assert!(free.iter().all(|index| !named.contains_key(index)));
    }
}
