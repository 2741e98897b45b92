//! Who is who in a fan-out: rooms, and in each of them senders, receivers and those that stall.

/// How the connections divide. Connection after connection goes to room after room.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Shape {
    pub(crate) rooms: usize,
    /// Connections of each room.
    pub(crate) members: usize,
    /// Of these, those that send, which come first.
    pub(crate) senders: usize,
    /// Of the others, those that do not read.
    stalled: Vec<bool>,
    /// Of those that read, the ones whose slowest decides when a message has arrived.
    probes: Vec<usize>,
}

/// What one connection does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// Sends and reads; numbered through all rooms.
    Sender(usize),
    /// Reads; with its number among the probes of its room.
    Receiver { probe: Option<usize> },
    /// Is there and does not read.
    Stalled,
}

impl Shape {
    /// Divides the connections; `stalled` is percent of those that do not send.
    ///
    /// # Errors
    ///
    /// If there is nobody in a room to read what its senders send.
    pub(crate) fn new(
        connections: usize,
        rooms: usize,
        senders: usize,
        stalled: usize,
    ) -> Result<Self, &'static str> {
        if !connections.is_multiple_of(rooms) {
            return Err("the connections do not divide evenly into the rooms");
        }
        let members = connections / rooms;
        let receivers = members.saturating_sub(senders);
        // Spread evenly, so that any part of the connections holds its share of them.
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
        // The first and the last are among them: some servers reach them first and last.
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

    /// Returns how many connections each message should reach.
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

const PROBES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_has_its_senders_and_probes() {
        let shape = Shape::new(100, 10, 2, 0).unwrap();
        let roles: Vec<Role> = (0..100).map(|number| shape.role_of(number)).collect();
        assert_eq!(roles[3], Role::Sender(6));
        assert_eq!(roles[13], Role::Sender(7));
        assert_eq!(roles[23], Role::Receiver { probe: Some(0) });
        assert_eq!(roles[93], Role::Receiver { probe: Some(7) });
        assert_eq!((shape.audience(), shape.probes()), (9, 8));
    }

    #[test]
    fn the_stalled_are_their_share_of_the_receivers() {
        let shape = Shape::new(1004, 1, 4, 20).unwrap();
        let stalled = (0..1004).filter(|&number| shape.role_of(number) == Role::Stalled);
        assert_eq!(stalled.count(), 200);
        assert_eq!(shape.audience(), 803);
        let probes = (0..1004)
            .filter(|&number| matches!(shape.role_of(number), Role::Receiver { probe: Some(_) }));
        assert_eq!(probes.count(), PROBES);
    }

    #[test]
    fn somebody_has_to_read() {
        assert!(Shape::new(4, 1, 4, 0).is_err());
        assert!(Shape::new(10, 1, 4, 100).is_err());
        assert!(Shape::new(10, 3, 1, 0).is_err());
        assert_eq!(Shape::new(2, 1, 1, 0).unwrap().audience(), 1);
    }
}
