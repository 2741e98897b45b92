//! What a socket has only until its connection is active: who its sender says to be, and what its
//! handlers published so far.
//!
//! Boxed and dropped then, so that it costs nothing from there on. A connection that never becomes
//! active keeps it to its end, and so never causes anything.

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
    /// A lock, since handlers may share the socket with what they wait for.
    held: Mutex<Held>,
}

/// What waits to be published.
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

    /// Keeps a message until the connection is active; no more than these bytes, and the message
    /// that comes to them.
    pub(super) fn hold(&self, topic: ByteString, message: Message, limit: usize) -> SendStatus {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.bytes >= limit {
            return SendStatus::Dropped;
        }
        held.bytes += MIN_MESSAGE_COST.max(topic.len() + message.len());
        held.messages.push((topic, message));
        SendStatus::Sent
    }

    /// What was held, in order.
    pub(super) fn into_messages(self) -> Vec<(ByteString, Message)> {
        let held = self.held.into_inner();
        held.unwrap_or_else(PoisonError::into_inner).messages
    }
}
