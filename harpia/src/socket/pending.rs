//! State that a socket has only until its connection is active: the credentials of the handshake,
//! and the messages that its handlers have published.
//!
//! It is boxed, and dropped once the connection is active, so that an active connection does not
//! pay for it. A connection that never becomes active never publishes the messages.

use std::sync::{Mutex, PoisonError};

use bytestring::ByteString;

#[cfg(any(feature = "jwt", feature = "session"))]
use crate::extract::Credentials;
use crate::limits::MIN_MESSAGE_COST;
use crate::message::Message;
use crate::transport::SendStatus;

#[derive(Debug)]
pub(super) struct Pending {
    #[cfg(any(feature = "jwt", feature = "session"))]
    pub(super) credentials: Credentials,
    /// Locked, since a handler may share the socket with futures that it waits for.
    held: Mutex<Held>,
}

/// The messages that wait to be published.
#[derive(Debug, Default)]
struct Held {
    messages: Vec<(ByteString, Message)>,
    bytes: usize,
}

impl Pending {
    pub(super) fn new(
        #[cfg(any(feature = "jwt", feature = "session"))] credentials: Credentials,
    ) -> Self {
        Self {
            #[cfg(any(feature = "jwt", feature = "session"))]
            credentials,
            held: Mutex::default(),
        }
    }

    /// Keeps a message until the connection is active.
    ///
    /// Returns `Dropped` if the kept messages have reached the limit, in bytes. The last kept
    /// message may exceed it.
    pub(super) fn hold(&self, topic: ByteString, message: Message, limit: usize) -> SendStatus {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.bytes >= limit {
            return SendStatus::Dropped;
        }
        held.bytes += MIN_MESSAGE_COST.max(topic.len() + message.len());
        held.messages.push((topic, message));
        SendStatus::Sent
    }

    /// Returns the kept messages in order.
    pub(super) fn into_messages(self) -> Vec<(ByteString, Message)> {
        let held = self.held.into_inner();
        held.unwrap_or_else(PoisonError::into_inner).messages
    }
}
