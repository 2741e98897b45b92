//! A connection as the model sees it, and what it really got.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::RouteId;
use crate::hub::log::Channel;
use crate::protocol::frame;
use crate::transport::Transport;
use crate::transport::test_peer::TestPeer;

use super::steps::topic;

pub(super) struct Connection {
    pub(super) transport: Arc<Transport>,
    pub(super) far: TestPeer,
    pub(super) route: RouteId,
    pub(super) state: State,
    /// Its `open` has returned.
    pub(super) opened: bool,
    pub(super) was_active: bool,
    pub(super) disconnected: bool,
    pub(super) finished: bool,
    pub(super) topics: BTreeSet<usize>,
    /// What it gets once `open` has returned `Ok`.
    pub(super) owed: Vec<String>,
    /// What it has to get in the present round.
    pub(super) expected: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum State {
    Authenticating,
    Opening,
    Active,
    /// Was deactivated or disconnected, and so never receives again.
    Over,
}

impl Connection {
    pub(super) fn new(transport: Arc<Transport>, far: TestPeer, route: RouteId) -> Self {
        Self {
            transport,
            far,
            route,
            state: State::Authenticating,
            opened: false,
            was_active: false,
            disconnected: false,
            finished: false,
            topics: BTreeSet::new(),
            owed: Vec::new(),
            expected: Vec::new(),
        }
    }

    pub(super) fn is_in(&self, channel: &Channel) -> bool {
        match channel {
            Channel::Server => true,
            Channel::Route(route) => self.route == *route,
            Channel::Topic(name) => self.topics.iter().any(|&one| topic(one) == *name),
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

    /// A message reaches it at this position of the log.
    pub(super) fn receive(&mut self, what: String) {
        match self.state {
            State::Opening => self.owed.push(what),
            State::Active => self.expect(what),
            State::Authenticating | State::Over => {}
        }
    }

    /// It gets what it is owed.
    pub(super) fn pay(&mut self) {
        for what in std::mem::take(&mut self.owed) {
            self.expect(what);
        }
    }

    pub(super) fn expect(&mut self, what: String) {
        if !self.finished {
            self.expected.push(what);
        }
    }

    /// Checks that it got in this round what it had to.
    pub(super) fn check(&mut self, names: &HashMap<Vec<u8>, String>) {
        let bytes = self.far.read();
        let mut rest = &bytes[..];
        let mut received = Vec::new();
        while !rest.is_empty() {
            let (frame, behind) = rest.split_at(frame::boundary_from(rest, 1));
            received.push(names[frame].clone());
            rest = behind;
        }
        let expected = std::mem::take(&mut self.expected);
        assert_eq!(received, expected, "{:?}", self.transport.id());
    }
}
