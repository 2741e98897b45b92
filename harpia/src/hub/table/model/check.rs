//! Checks that members, memberships and channels of a table agree.

use std::collections::{HashMap, HashSet};

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
            for membership in member.iter().flat_map(|member| &member.memberships) {
                let channel = &self.channels[membership.channel as usize];
                let listed = channel.members[membership.member_index as usize];
                assert_eq!(listed as usize, slot);
            }
        }
        let members = self.members.iter().flatten();
        let memberships: usize = members.map(|member| member.memberships.len()).sum();
        let indices = self.channel_indices.values();
        let listed = indices.map(|&index| self.channels[index as usize].members.len());
        assert_eq!(listed.sum::<usize>(), memberships);
    }

    fn check_channels(&self) {
        let indices = self.channel_indices.iter();
        let named: HashMap<_, _> = indices.map(|(name, &index)| (index, name)).collect();
        for (&index, &name) in &named {
            let channel = &self.channels[index as usize];
            assert_eq!(channel.name, *name);
            assert!(!channel.members.is_empty() && channel.messages.is_empty());
        }
        let free: HashSet<_> = self.free_channels.iter().copied().collect();
        assert_eq!(free.len(), self.free_channels.len());
        assert_eq!(free.len() + named.len(), self.channels.len());
        assert!(free.iter().all(|index| !named.contains_key(index)));
    }
}
