//! A handle to one connection, for all code but the connection's own handlers.

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

/// A handle to one connection, for other connections' handlers, tasks and threads.
///
/// [`Socket::peer`](crate::Socket::peer) makes one. It can be cloned and kept: it does not keep the
/// connection open.
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
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::{ConnectionId, Peer};
    ///
    /// fn find(peers: &[Peer], id: ConnectionId) -> Option<&Peer> {
    ///     peers.iter().find(|peer| peer.id() == id)
    /// }
    /// ```
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Sends a message to this peer alone. Never waits.
    ///
    /// Bytes that the operating system does not take at once are queued, up to the route's
    /// `backlog`.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Peer;
    ///
    /// /// Removes the peers that have left.
    /// fn tell_all(peers: &mut Vec<Peer>, news: &str) {
    ///     peers.retain(|peer| peer.send(news).is_accepted());
    /// }
    /// ```
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
    /// [`Error::Serialize`](crate::Error::Serialize) if the value cannot be serialized: see
    /// [`Message::json`]. Nothing is sent then.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Invitation<'a> { from: &'a str, game: u32 }
    ///
    /// fn invite(friend: &Peer, from: &str, game: u32) -> HandlerResult {
    ///     friend.send_json(&Invitation { from, game })?;
    ///     Ok(())
    /// }
    /// ```
    pub fn send_json<T: Serialize + ?Sized>(&self, value: &T) -> Result<SendStatus> {
        Ok(self.send(Message::json(value)?))
    }

    /// Closes the connection after all messages that were sent and published to it so far. If its
    /// `open` is still running, messages that are held back until `open` returns are dropped.
    ///
    /// The first close decides the code and the reason: see
    /// [`Socket::close`](crate::Socket::close).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Peer;
    ///
    /// fn kick(peer: &Peer) {
    ///     peer.send("you were removed by a moderator");
    ///     peer.close(1008, "kicked");
    /// }
    /// ```
    pub fn close(&self, code: impl Into<CloseCode>, reason: impl Into<ByteString>) {
        if let Some(transport) = self.transport.upgrade() {
            let frame = CloseFrame::new(code.into(), reason);
            self.hub
                .close(&transport, Close::new(CloseCause::Handler, frame));
        }
    }

    /// Returns how many messages this peer has missed so far.
    ///
    /// It misses messages only on a route with `slow = skip`. Returns 0 once the connection is
    /// gone. See [`Socket::skipped`](crate::Socket::skipped).
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Peer;
    ///
    /// fn slowest(peers: &[Peer]) -> Option<&Peer> {
    ///     peers.iter().max_by_key(|peer| peer.skipped())
    /// }
    /// ```
    pub fn skipped(&self) -> u32 {
        self.transport
            .upgrade()
            .map_or(0, |transport| transport.skipped())
    }

    /// Returns whether the connection is open.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::Peer;
    ///
    /// fn online(peers: &[Peer]) -> usize {
    ///     peers.iter().filter(|peer| peer.is_open()).count()
    /// }
    /// ```
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
