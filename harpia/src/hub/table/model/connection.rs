//! A connection as the model sees it, and what it really got.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::hub::RouteId;
use crate::hub::log::Channel;
use crate::protocol::frame;
use crate::write_end::WriteEnd;
use crate::write_end::far_end::FarEnd;

use super::steps::topic;

pub(super) struct Connection {
    pub(super) end: Arc<WriteEnd>,
    pub(super) far: FarEnd,
    pub(super) route: RouteId,
    pub(super) joined: bool,
    pub(super) active: bool,
    /// Was deactivated or disconnected, and so is never active again.
    pub(super) over: bool,
    pub(super) disconnected: bool,
    pub(super) finished: bool,
    pub(super) topics: BTreeSet<usize>,
    /// What it has to get in the present turn.
    pub(super) expected: Vec<String>,
}

impl Connection {
    pub(super) fn new(end: Arc<WriteEnd>, far: FarEnd, route: RouteId) -> Self {
        Self {
            end,
            far,
            route,
            joined: false,
            active: false,
            over: false,
            disconnected: false,
            finished: false,
            topics: BTreeSet::new(),
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
            self.active = false;
            self.over = true;
        }
        self.disconnected = true;
    }

    pub(super) fn expect(&mut self, what: String) {
        if !self.finished {
            self.expected.push(what);
        }
    }

    /// Checks that it got in this turn what it had to.
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
        assert_eq!(received, expected, "{:?}", self.end.id());
    }
}
