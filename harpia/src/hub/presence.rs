//! The answers to "who is in this topic".

use std::fmt;
use std::sync::Arc;

use crate::id::ConnectionId;

/// The active subscribers of a topic, at one moment. See
/// [`Hub::subscribers`](crate::Hub::subscribers).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Presence {
    /// The subscribers, in no particular order. Cloning shares the list.
    pub ids: Arc<[ConnectionId]>,
    /// The nodes that did not answer in time. Always empty on a server without a backplane.
    pub missing: Vec<NodeId>,
}

/// How many active subscribers a topic has, at one moment. See
/// [`Hub::subscriber_count`](crate::Hub::subscriber_count).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Count {
    /// The number of subscribers.
    pub count: usize,
    /// The nodes that did not answer in time. Always empty on a server without a backplane.
    pub missing: Vec<NodeId>,
}

/// Names one server process of several that work together.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(u64);

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}
