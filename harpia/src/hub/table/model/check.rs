//! Checks that members, memberships and channels of a table agree.

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
        let listed = self.channels.iter().map(|channel| channel.members.len());
        assert_eq!(listed.sum::<usize>(), memberships);
        let indices = self.topics.values();
        let listed = indices.map(|&index| self.channels[index as usize].members.len());
        assert_eq!(listed.sum::<usize>(), self.topic_memberships.len());
    }

    fn check_channels(&self) {
        for (name, &index) in &self.topics {
            let channel = &self.channels[index as usize];
            assert_eq!(channel.name, Channel::Topic(name.clone()));
            assert!(!channel.members.is_empty());
        }
        let free = self.free_channels.iter();
        let free: Vec<_> = free.map(|&index| &self.channels[index as usize]).collect();
        assert!(free.iter().all(|channel| channel.members.is_empty()));
        let routes = self.route_channels.iter().flatten();
        let broadcast = routes.count() + usize::from(self.server_channel.is_some());
        let all = free.len() + self.topics.len() + broadcast;
        assert_eq!(all, self.channels.len());
        let mut channels = self.channels.iter();
        assert!(channels.all(|channel| channel.messages.is_empty()));
    }
}
