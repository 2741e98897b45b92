//! The state that a connection lends to its handlers: the user's data and harpia's own.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::hub::{Channel, Hub, RouteId};
use crate::id::Slot;
use crate::options::Scope;
use crate::protocol::Encoded;
use crate::route::Route;
use crate::socket::Socket;

use super::closing::Closing;
use super::rate::{Bucket, ByteBucket};

/// The state that all connections of a route share.
pub(crate) struct RouteContext<R> {
    pub(crate) route: R,
    pub(crate) id: RouteId,
    pub(crate) scope: Scope,
    pub(crate) hub: Hub,
}

/// The state of one connection that the task does not need while it is idle.
///
/// While a handler waits, its boxed call owns this state. The call returns it with the result.
pub(super) struct ConnectionState<R: Route> {
    pub(super) shared: Arc<RouteContext<R>>,
    pub(super) socket: Socket<R::Data>,
    pub(super) parameters: R::Parameters,
    pub(super) rate: Bucket,
    pub(super) received: ByteBucket,
    pub(super) published: ByteBucket,
    /// A broadcast that waits for room in the hub's log. Such a broadcast is rare, so it is boxed
    /// to keep idle connections small.
    unpublished: Option<Box<Encoded>>,
    /// `Some` once the close frame is decided.
    pub(super) closing: Option<Box<Closing>>,
    _permit: Permit,
}

/// The connection's permit, which goes back when the connection ends. A shutdown waits until all
/// permits are back.
///
/// Half as large as an [`OwnedSemaphorePermit`], which also has a number of permits.
struct Permit(Arc<Semaphore>);

impl From<OwnedSemaphorePermit> for Permit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        let semaphore = Arc::clone(permit.semaphore());
        permit.forget();
        Self(semaphore)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

impl<R: Route> ConnectionState<R> {
    pub(super) fn new(
        shared: Arc<RouteContext<R>>,
        socket: Socket<R::Data>,
        parameters: R::Parameters,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let rate = socket.transport().limits().rate;
        Self {
            rate: Bucket::full(rate, shared.hub.clock().milliseconds()),
            received: ByteBucket::default(),
            published: ByteBucket::default(),
            shared,
            socket,
            parameters,
            unpublished: None,
            closing: None,
            _permit: permit.into(),
        }
    }

    /// Appends a broadcast to the hub's log. If the log is full, keeps the broadcast and returns
    /// `false`.
    pub(super) fn append(&mut self, slot: Slot, frame: Encoded) -> bool {
        let channel = match self.shared.scope {
            Scope::Route => Channel::Route(self.shared.id),
            _ => Channel::Server,
        };
        let refused = self.shared.hub.broadcast_from(slot, channel, frame);
        self.unpublished = refused.err().map(Box::new);
        self.unpublished.is_none()
    }

    /// Appends the kept broadcast, if there is one. Returns `false` if the log is still full.
    pub(super) fn publish_again(&mut self, slot: Slot) -> bool {
        match self.unpublished.take() {
            Some(frame) => self.append(slot, *frame),
            None => true,
        }
    }

    /// Returns whether this connection publishes: its route broadcasts, or a handler has published.
    pub(super) fn publishes(&self) -> bool {
        self.shared.scope != Scope::Off || self.socket.transport().has_published()
    }
}
