//! What belongs to a connection and is lent to its handlers: the user's data, and ours beside it.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::close::CloseFrame;
use crate::hub::{Channel, Hub, RouteId};
use crate::id::Slot;
use crate::options::Scope;
use crate::protocol::Encoded;
use crate::route::Route;
use crate::socket::Socket;

use super::rate::Bucket;

/// What all connections of a route share.
pub(crate) struct RouteContext<R> {
    pub(crate) route: R,
    pub(crate) id: RouteId,
    pub(crate) scope: Scope,
    pub(crate) hub: Hub,
}

/// What one connection owns: the user's data, and all of ours that is not needed to wait.
///
/// Lent to the boxed call while a handler waits, and given back with its result.
pub(super) struct ConnectionState<R: Route> {
    pub(super) shared: Arc<RouteContext<R>>,
    pub(super) socket: Socket<R::Data>,
    pub(super) parameters: R::Parameters,
    pub(super) rate: Bucket,
    /// A broadcast for which the log has no room yet. Boxed as all that is rare, to keep idle
    /// connections small.
    unsent: Option<Box<Encoded>>,
    /// What the connection ends with, once that is decided.
    pub(super) frame: Option<Box<CloseFrame>>,
    /// Freed when the connection is gone, so that a shutdown can wait for all.
    _permit: OwnedSemaphorePermit,
}

impl<R: Route> ConnectionState<R> {
    pub(super) fn new(
        shared: Arc<RouteContext<R>>,
        socket: Socket<R::Data>,
        parameters: R::Parameters,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let rate = socket.end().limits().rate;
        Self {
            rate: Bucket::full(rate, shared.hub.clock().milliseconds()),
            shared,
            socket,
            parameters,
            unsent: None,
            frame: None,
            _permit: permit,
        }
    }

    /// Appends a broadcast to the hub's log. Returns false, and keeps it, when there is no room.
    pub(super) fn append(&mut self, slot: Slot, frame: Encoded) -> bool {
        let channel = match self.shared.scope {
            Scope::Route => Channel::Route(self.shared.id),
            _ => Channel::Server,
        };
        let refused = self.shared.hub.broadcast_from(slot, channel, frame);
        self.unsent = refused.err().map(Box::new);
        self.unsent.is_none()
    }

    /// Tries again what was kept; returns false when it still is.
    pub(super) fn send_unsent(&mut self, slot: Slot) -> bool {
        match self.unsent.take() {
            Some(frame) => self.append(slot, *frame),
            None => true,
        }
    }

    /// Says whether this connection adds to the hub's log: by its messages, or by hand so far.
    pub(super) fn publishes(&self) -> bool {
        self.shared.scope != Scope::Off || self.socket.end().has_published()
    }
}
