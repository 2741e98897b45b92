//! The records of the log: changes of members and their channels, closes, and published messages.

use std::sync::Arc;

use bytestring::ByteString;

use crate::close::{Close, CloseFrame};
use crate::id::{ConnectionId, Slot};
use crate::protocol::Encoded;
use crate::transport::Transport;

use super::SubscribersReply;

/// Identifies a route within its server, for broadcasts that stay within it.
///
/// 16 bits keep a member of the table small.
pub(crate) type RouteId = u16;

/// The recipients of a published message.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Channel {
    /// Every connection of the server.
    Server,
    /// Every connection of one route.
    Route(RouteId),
    /// Every subscriber of a topic.
    Topic(ByteString),
}

/// The messages that a connection published before it was active, each with its topic.
pub(crate) type PendingFrames = Vec<(ByteString, Encoded)>;

/// One entry of the log.
///
/// A record that only the connection's own task appends carries the connection's slot. A record
/// that other tasks append carries its id, because the slot may belong to another connection by
/// then.
#[derive(Debug)]
pub(crate) enum Record {
    /// A connection enters the table. Without `auth` it is owed every broadcast from here on.
    Enter {
        transport: Arc<Transport>,
        route: RouteId,
        authenticates: bool,
    },
    /// `auth` has returned `Ok`: the connection is owed every broadcast and every message to its
    /// topics from here on.
    Authenticated(Slot),
    /// `open` has failed, or its own handler closed the connection. What the connection is owed is
    /// dropped.
    NeverOpened(Slot),
    /// `open` has returned `Ok`. The connection gets what it is owed, and its pending messages go
    /// out.
    Activate(Slot, PendingFrames),
    Subscribe(Slot, ByteString),
    Unsubscribe(Slot, ByteString),
    /// A message to a channel. The sender, if there is one, does not get it.
    Publish {
        channel: Channel,
        from: Option<Slot>,
        frame: Encoded,
    },
    /// A message to a topic's subscribers except one.
    PublishExcept {
        topic: ByteString,
        frame: Encoded,
        except: ConnectionId,
    },
    /// Requests the active subscribers of a topic at this position.
    Subscribers(ByteString, SubscribersReply),
    /// The connection gets nothing that is published after this.
    Deactivate(ConnectionId),
    /// Sends the close frame, after everything that was published before.
    SendClose(Slot, CloseFrame),
    /// The connection leaves the table.
    Leave(Slot),
    Disconnect(ConnectionId, Close),
    DisconnectTopic(ByteString, CloseFrame),
    /// Closes all connections, including those that enter later.
    Shutdown,
    /// Cancels waiting handlers of all connections, including those that enter later.
    Cancel {
        with_close: bool,
    },
    /// Ends the flusher's thread.
    Stop,
    /// Makes the flusher's thread panic.
    #[cfg(test)]
    Panic,
}

impl Record {
    /// Returns whether the record wakes the flusher, because a task or a client waits for it.
    ///
    /// All other records can wait for the next round. This saves a wake-up for each connection that
    /// comes or goes. `owes_members` says whether the table keeps messages for a connection whose
    /// `open` is running.
    pub(super) fn wakes_flusher(&self, owes_members: bool) -> bool {
        match self {
            Self::Activate(_, pending) => owes_members || !pending.is_empty(),
            Self::Enter { .. }
            | Self::Authenticated(_)
            | Self::NeverOpened(_)
            | Self::Subscribe(..)
            | Self::Unsubscribe(..)
            | Self::Deactivate(_)
            | Self::Leave(_) => false,
            _ => true,
        }
    }

    /// Returns how many bytes the record counts against the log's capacity.
    pub(super) fn size(&self) -> usize {
        let payload = match self {
            Self::Publish { channel, frame, .. } => frame.held() + channel.size(),
            Self::PublishExcept { topic, frame, .. } => frame.held() + topic.len(),
            Self::Activate(_, pending) => pending
                .iter()
                .map(|(topic, frame)| topic.len() + frame.held())
                .sum(),
            Self::Subscribe(_, topic)
            | Self::Unsubscribe(_, topic)
            | Self::Subscribers(topic, _) => topic.len(),
            Self::SendClose(_, frame) => frame.reason.len(),
            Self::Disconnect(_, close) => close.frame.reason.len(),
            Self::DisconnectTopic(topic, frame) => topic.len() + frame.reason.len(),
            _ => 0,
        };
        size_of::<Self>() + payload
    }
}

impl Channel {
    fn size(&self) -> usize {
        match self {
            Self::Topic(topic) => topic.len(),
            Self::Server | Self::Route(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_activation_wakes_the_flusher_if_messages_are_pending_or_owed() {
        let frame = Encoded::new(&"a".into(), None);
        let pending = vec![("a".into(), frame)];
        assert!(Record::Activate(7, pending).wakes_flusher(false));
        assert!(!Record::Activate(7, Vec::new()).wakes_flusher(false));
        assert!(Record::Activate(7, Vec::new()).wakes_flusher(true));
    }
}
