//! A connection as the model sees it, compared with what its client received.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::record::{Channel, RouteId};
use crate::protocol::frame;
use crate::transport::Transport;
use crate::transport::test_peer::TestPeer;

use super::steps::topic;

pub(super) struct Connection {
    pub(super) transport: Arc<Transport>,
    pub(super) test_peer: TestPeer,
    pub(super) route: RouteId,
    pub(super) state: State,
    /// `open` has returned.
    pub(super) opened: bool,
    pub(super) was_active: bool,
    pub(super) disconnected: bool,
    /// The close frame of the connection was sent.
    pub(super) close_sent: bool,
    pub(super) topics: BTreeSet<usize>,
    /// The messages that the connection gets once `open` has returned `Ok`.
    pub(super) owed: Vec<String>,
    /// The messages that the connection must get in the current round.
    pub(super) expected: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Authenticating,
    Opening,
    Active,
    /// The connection was deactivated or disconnected, and gets nothing published later.
    Over,
}

impl Connection {
    pub(super) fn new(transport: Arc<Transport>, test_peer: TestPeer, route: RouteId) -> Self {
        Self {
            transport,
            test_peer,
            route,
            state: State::Authenticating,
            opened: false,
            was_active: false,
            disconnected: false,
            close_sent: false,
            topics: BTreeSet::new(),
            owed: Vec::new(),
            expected: Vec::new(),
        }
    }

    pub(super) fn is_in(&self, channel: &Channel) -> bool {
        match channel {
            Channel::Server => true,
            Channel::Route(route) => self.route == *route,
            Channel::Topic(name) => self.topics.iter().any(|&index| topic(index) == *name),
        }
    }

    pub(super) fn disconnect(&mut self) {
        if !self.disconnected {
            self.state = State::Over;
        }
        self.disconnected = true;
    }

    pub(super) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Notes a message that was published while the connection is in this state.
    pub(super) fn receive(&mut self, message: String) {
        match self.state {
            State::Opening => self.owed.push(message),
            State::Active => self.expect(message),
            State::Authenticating | State::Over => {}
        }
    }

    /// Moves all owed messages to those that the connection must get in this round.
    pub(super) fn expect_owed(&mut self) {
        for message in std::mem::take(&mut self.owed) {
            self.expect(message);
        }
    }

    pub(super) fn expect(&mut self, message: String) {
        if !self.close_sent {
            self.expected.push(message);
        }
    }

    /// Checks that the connection got exactly the messages that it must get in this round.
    pub(super) fn check(&mut self, names: &HashMap<Vec<u8>, String>) {
        let bytes = self.test_peer.read();
        let mut rest = &bytes[..];
        let mut received = Vec::new();
        while !rest.is_empty() {
            let (frame, remaining) = rest.split_at(frame::boundary_from(rest, 1));
            received.push(names[frame].clone());
            rest = remaining;
        }
        let expected = std::mem::take(&mut self.expected);
        assert_eq!(received, expected, "{:?}", self.transport.id());
    }
}
