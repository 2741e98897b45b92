//! The data of a connection's task, and how it is built and dropped.
//!
//! The parent module and its other files contain the work of the task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::hub::Hub;
use crate::route::Route;
use crate::socket::Socket;
use crate::transport::Transport;

use super::call::User;
use super::input::InputState;
use super::phase::Phase;
use super::state::{ConnectionState, RouteContext};

/// The task of one connection.
pub(crate) struct Connection<R: Route> {
    pub(super) transport: Arc<Transport>,
    pub(super) user: User<R>,
    pub(super) inbound: InputState,
    pub(super) phase: Phase,
    /// Whether `close` still has to be called: `open` was called, and `close` was not.
    pub(super) needs_close_handler: bool,
    /// Whether the close frame has to follow what was published before it, through the hub's log.
    /// Set when `open` has returned `Ok`, unless a handler or a `Peer` closed the connection.
    pub(super) closes_through_log: bool,
    /// Whether a broadcast waits for room in the hub's log.
    pub(super) has_unpublished: bool,
    /// What the input has cost that is not charged to `byte_rate` yet, in bytes.
    pub(super) uncharged: u32,
    /// Whether the client is not read until the deadline, because it is over a byte rate.
    pub(super) is_throttled: bool,
    /// Whether the deadline is the one of an unfinished message.
    pub(super) is_timed: bool,
    pub(super) hub: Hub,
}

impl<R: Route> Connection<R> {
    pub(crate) fn new(
        shared: Arc<RouteContext<R>>,
        socket: Socket<R::Data>,
        parameters: R::Parameters,
        transport: Arc<Transport>,
        first_bytes: &[u8],
        permit: OwnedSemaphorePermit,
    ) -> Self {
        let hub = shared.hub.clone();
        hub.enter(Arc::clone(&transport), shared.id, R::AUTHENTICATES);
        let state = ConnectionState::new(shared, socket, parameters, permit);
        Self {
            transport,
            user: User::Idle(Box::new(state)),
            inbound: InputState::new(first_bytes, Phase::Start.input_budget::<R>(&hub)),
            phase: Phase::Start,
            needs_close_handler: false,
            closes_through_log: false,
            has_unpublished: false,
            uncharged: 0,
            is_throttled: false,
            is_timed: false,
            hub,
        }
    }

    pub(super) fn now(&self) -> u32 {
        self.hub.clock().now()
    }

    /// Returns whether the deadline of the current phase has passed. Once the hub has stopped, no
    /// sweep wakes the task at a deadline, so every deadline counts as passed.
    pub(super) fn is_overdue(&self) -> bool {
        self.transport.is_detached() || self.transport.liveness.is_overdue(self.now())
    }
}

/// Also runs when the runtime drops the task before the connection has closed.
impl<R: Route> Drop for Connection<R> {
    fn drop(&mut self) {
        self.hub.deactivate(&self.transport);
        let user = std::mem::replace(&mut self.user, User::Lent);
        // The user's data may run user code when it is dropped. A panic there must not unwind the
        // worker thread.
        if catch_unwind(AssertUnwindSafe(|| drop(user))).is_err()
            && let Some(suppressed) = self.hub.log_limits().drop_panics.admit()
        {
            tracing::error!(
                route = R::PATH,
                suppressed,
                "connection data panicked in drop"
            );
        }
        // `leave` frees the slot, and the next connection may take it. The user's data may use the
        // slot in a call of the hub while it is dropped, so it is dropped before.
        self.hub.leave(self.transport.id().slot());
        self.transport.release_task();
    }
}
