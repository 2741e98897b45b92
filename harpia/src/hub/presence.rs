//! The part of [`Hub`] that lists a topic's active subscribers, and the types of its answers.

use std::fmt;
use std::sync::Arc;

use bytestring::ByteString;

use crate::id::ConnectionId;

use super::Hub;

impl Hub {
    /// Returns the active subscribers of a topic.
    ///
    /// The list is exact for one position in the order in which all messages are delivered. The
    /// answer comes with the next delivery round, within a few milliseconds. All callers in one
    /// round share one list, unless the topic changes in between.
    ///
    /// A connection is not active before its `open` has returned, so inside `open` its own id is
    /// missing from the list.
    ///
    /// Before the app is bound or served, the call waits. After the server has stopped, the list is
    /// empty.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: if the future is dropped, the answer is discarded.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// struct Room;
    ///
    /// #[ws_route("/room", broadcast = off)]
    /// impl Room {
    ///     async fn open(&self, ws: &mut Socket) {
    ///         ws.subscribe("room");
    ///         let others = ws.hub().subscribers("room").await.ids;
    ///         ws.send(format!("{} others are here", others.len()));
    ///     }
    /// }
    /// ```
    pub async fn subscribers(&self, topic: impl Into<ByteString>) -> Presence {
        let ids = self.shared.log.subscribers(topic.into()).await;
        let missing = Vec::new();
        Presence { ids, missing }
    }

    /// Returns how many active subscribers a topic has.
    ///
    /// This is the length of the list that [`subscribers`](Self::subscribers) returns, at the same
    /// cost.
    ///
    /// # Cancel safety
    ///
    /// Cancel-safe: if the future is dropped, the answer is discarded.
    ///
    /// # Examples
    ///
    /// ```
    /// # use harpia::Hub;
    /// async fn is_watched(hub: &Hub, auction: u64) -> bool {
    ///     hub.subscriber_count(format!("auction {auction}")).await.count > 0
    /// }
    /// ```
    pub async fn subscriber_count(&self, topic: impl Into<ByteString>) -> Count {
        let Presence { ids, missing } = self.subscribers(topic).await;
        let count = ids.len();
        Count { count, missing }
    }
}

/// Lists the active subscribers of a topic, at one moment.
///
/// Returned by [`Hub::subscribers`](crate::Hub::subscribers).
///
/// # Examples
///
/// ```
/// # use harpia::Hub;
/// async fn disconnect_all_but_one(hub: &Hub, room: &str) {
///     let presence = hub.subscribers(room).await;
///     for id in presence.ids.iter().skip(1) {
///         hub.disconnect(*id, 1008, "Only One At A Time");
///     }
/// }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Presence {
    /// The subscribers, in no particular order. Cloning shares the list.
    pub ids: Arc<[ConnectionId]>,
    /// The nodes that did not answer in time. Always empty on a server without a backplane.
    pub missing: Vec<NodeId>,
}

/// Counts the active subscribers of a topic, at one moment.
///
/// Returned by [`Hub::subscriber_count`](crate::Hub::subscriber_count).
///
/// ```
/// use harpia::Hub;
///
/// async fn viewers(hub: &Hub) -> String {
///     let viewers = hub.subscriber_count("auction/7").await;
///     format!("{} watching", viewers.count)
/// }
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Count {
    /// The number of subscribers.
    pub count: usize,
    /// The nodes that did not answer in time. Always empty on a server without a backplane.
    pub missing: Vec<NodeId>,
}

/// Identifies one of several server processes that work together.
///
/// ```
/// use harpia::Presence;
///
/// fn warn_about(presence: &Presence) {
///     for node in &presence.missing {
///         eprintln!("node {node} did not answer");
///     }
/// }
/// ```
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
