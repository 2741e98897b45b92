//! A handle to one connection, for everyone but its own handlers.

use std::fmt;
use std::sync::{Arc, Weak};

use bytestring::ByteString;
use serde::Serialize;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Result;
use crate::hub::Hub;
use crate::id::ConnectionId;
use crate::message::{IntoMessage, Message};
use crate::transport::{SendStatus, Transport};

/// Sends to one connection from anywhere: other connections' handlers, tasks, threads.
///
/// Keep as many as you like for as long as you like: it does not keep the connection open.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
/// use harpia::Peer;
///
/// struct Players { by_name: Mutex<HashMap<String, Peer>> }
///
/// impl Players {
///     fn whisper(&self, name: &str, text: &str) -> bool {
///         let players = self.by_name.lock().unwrap();
///         players.get(name).is_some_and(|peer| peer.send(text).is_accepted())
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Peer {
    id: ConnectionId,
    transport: Weak<Transport>,
    hub: Hub,
}

impl Peer {
    pub(crate) fn new(transport: &Arc<Transport>, hub: Hub) -> Self {
        Self {
            id: transport.id(),
            transport: Arc::downgrade(transport),
            hub,
        }
    }

    /// Returns the connection's id.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Sends a message to this peer alone. Never waits.
    pub fn send(&self, message: impl IntoMessage) -> SendStatus {
        match self.transport.upgrade() {
            Some(transport) => transport.send(&message.into_message()),
            None => SendStatus::Closed,
        }
    }

    /// Sends a value to this peer alone, as JSON text. Never waits.
    ///
    /// # Errors
    ///
    /// [`Error::Serialize`](crate::Error::Serialize) if the value has no form in JSON: see
    /// [`Message::json`]. Then nothing is sent.
    pub fn send_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<SendStatus> {
        Ok(self.send(Message::json(value)?))
    }

    /// Closes the connection, behind what was sent to it so far.
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) {
        if let Some(transport) = self.transport.upgrade() {
            let frame = CloseFrame::new(code.into(), reason);
            self.hub
                .close(&transport, Close::new(CloseCause::Handler, frame));
        }
    }

    /// Returns how many messages were left out for this peer so far, on a route with `slow = skip`:
    /// see [`Socket::skipped`](crate::Socket::skipped). 0 once the connection is gone.
    pub fn skipped(&self) -> u32 {
        self.transport
            .upgrade()
            .map_or(0, |transport| transport.skipped())
    }

    /// Says whether the connection can still be sent to.
    pub fn is_open(&self) -> bool {
        self.transport
            .upgrade()
            .is_some_and(|transport| !transport.is_closing())
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.id).finish()
    }
}
