//! The rooms of a fan-out, and the role of each connection: sender, receiver or stalled.

/// Assigns each connection a room and a role. The rooms take turns, one connection at a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Layout {
    pub(crate) rooms: usize,
    /// Connections in each room.
    pub(crate) members: usize,
    /// Senders in each room: its first connections.
    pub(crate) senders: usize,
    /// For each of the other connections of a room, whether it is stalled.
    stalled: Vec<bool>,
    /// The receivers that decide when a message has arrived: when the slowest of them has it.
    probes: Vec<usize>,
}

/// The role of one connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// Sends and reads. Has its number among the senders of all rooms.
    Sender(usize),
    /// Reads. Has its number among the probes of its room, if it is one.
    Receiver { probe: Option<usize> },
    /// Stays connected and does not read.
    Stalled,
}

impl Layout {
    /// Divides the connections. `stalled` is a percentage of those that do not send.
    ///
    /// # Errors
    ///
    /// If the rooms are not equal in size, or if a room has no connection that only reads.
    pub(crate) fn new(
        connections: usize,
        rooms: usize,
        senders: usize,
        stalled: usize,
    ) -> Result<Self, &'static str> {
        if !connections.is_multiple_of(rooms) {
            return Err("the number of connections is not a multiple of the number of rooms");
        }
        let members = connections / rooms;
        let receivers = members.saturating_sub(senders);
        // Spread evenly, so that every group of receivers has its share of stalled ones.
        let stalled: Vec<bool> = (0..receivers)
            .map(|receiver| (receiver + 1) * stalled / 100 > receiver * stalled / 100)
            .collect();
        let readers: Vec<usize> = (0..receivers)
            .filter(|&receiver| !stalled[receiver])
            .collect();
        if readers.is_empty() {
            return Err("each room needs a connection that reads and does not send");
        }
        let count = readers.len().min(PROBES);
        // The first and the last reader are probes: many servers deliver in that order.
        let at = |probe: usize| probe * (readers.len() - 1) / (count - 1).max(1);
        let probes = (0..count).map(|probe| readers[at(probe)]).collect();
        Ok(Self {
            rooms,
            members,
            senders,
            stalled,
            probes,
        })
    }

    pub(crate) fn room_of(&self, connection: usize) -> usize {
        connection % self.rooms
    }

    pub(crate) fn role_of(&self, connection: usize) -> Role {
        let member = connection / self.rooms;
        let Some(receiver) = member.checked_sub(self.senders) else {
            return Role::Sender(self.room_of(connection) * self.senders + member);
        };
        match self.stalled[receiver] {
            true => Role::Stalled,
            false => Role::Receiver {
                probe: self.probes.iter().position(|&probe| probe == receiver),
            },
        }
    }

    /// Returns the number of deliveries that are expected for each message.
    pub(crate) fn audience(&self) -> u64 {
        let stalled = self
            .stalled
            .iter()
            .filter(|&&is_stalled| is_stalled)
            .count();
        (self.members - 1 - stalled) as u64
    }

    pub(crate) fn probes(&self) -> usize {
        self.probes.len()
    }
}

/// The number of probes in each room, at most.
const PROBES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_has_its_senders_and_probes() {
        let layout = Layout::new(100, 10, 2, 0).unwrap();
        let roles: Vec<Role> = (0..100).map(|number| layout.role_of(number)).collect();
        assert_eq!(roles[3], Role::Sender(6));
        assert_eq!(roles[13], Role::Sender(7));
        assert_eq!(roles[23], Role::Receiver { probe: Some(0) });
        assert_eq!(roles[93], Role::Receiver { probe: Some(7) });
        assert_eq!((layout.audience(), layout.probes()), (9, 8));
    }

    #[test]
    fn the_given_percentage_of_the_receivers_is_stalled() {
        let layout = Layout::new(1004, 1, 4, 20).unwrap();
        let stalled = (0..1004).filter(|&number| layout.role_of(number) == Role::Stalled);
        assert_eq!(stalled.count(), 200);
        assert_eq!(layout.audience(), 803);
        let probes = (0..1004)
            .filter(|&number| matches!(layout.role_of(number), Role::Receiver { probe: Some(_) }));
        assert_eq!(probes.count(), PROBES);
    }

    #[test]
    fn a_room_without_a_reader_is_rejected() {
        assert!(Layout::new(4, 1, 4, 0).is_err());
        assert!(Layout::new(10, 1, 4, 100).is_err());
        assert!(Layout::new(10, 3, 1, 0).is_err());
        assert_eq!(Layout::new(2, 1, 1, 0).unwrap().audience(), 1);
    }
}
