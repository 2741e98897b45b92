//! Timeouts for handlers. The hub's sweep wakes the task when a deadline has passed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::clock::{Clock, ticks};
use crate::close::{Close, CloseCause};
use crate::error::BoxError;
use crate::hub::Hub;
use crate::limits::OPEN_CLOSE_TIMEOUT;
use crate::transport::Transport;

/// The limit of `handler_timeout` for one call of a handler that waits.
pub(super) struct HandlerLimit {
    limit: Duration,
    hub: Hub,
    /// The tick in which the handler first waited.
    began: Option<u32>,
}

impl HandlerLimit {
    /// Returns `None` if the route has no `handler_timeout`.
    pub(super) fn new(transport: &Transport, hub: &Hub) -> Option<Self> {
        transport.limits().handler_timeout.map(|limit| Self {
            limit,
            hub: hub.clone(),
            began: None,
        })
    }

    /// Returns whether the limit has passed. Sets a deadline when the handler first waits.
    pub(super) fn is_over(&mut self, transport: &Transport) -> bool {
        let now = self.hub.clock().now();
        let began = *self.began.get_or_insert_with(|| {
            transport.liveness.wake_within(now, self.limit);
            now
        });
        now.saturating_sub(began) >= ticks(self.limit)
    }

    /// Clears the deadline.
    pub(super) fn end(&self, transport: &Transport) {
        if self.began.is_some() {
            transport.liveness.clear_deadline();
        }
    }
}

/// Makes `auth` fail when the deadline of `auth_timeout` has passed.
///
/// Without this, an `auth` that never returns would keep its connection forever: while a handler
/// waits, the connection is not read and `idle_timeout` does not apply.
pub(super) async fn within_auth_timeout<F>(
    transport: Arc<Transport>,
    clock: &Clock,
    auth: F,
) -> Result<(), BoxError>
where
    F: Future<Output = Result<(), BoxError>>,
{
    let mut auth = pin!(auth);
    poll_fn(|context| match auth.as_mut().poll(context) {
        Poll::Pending if transport.liveness.is_overdue(clock.now()) => {
            transport.request_close(Close::of(CloseCause::AuthTimeout));
            Poll::Ready(Err("`auth` did not return within `auth_timeout`".into()))
        }
        polled => polled,
    })
    .await
}

/// Drops `open` and returns `None` if `open` does not return in time after a close was requested,
/// or at once if the client is lost. During a shutdown, `shutdown_timeout` is the limit.
///
/// Without this, an `open` that never returns would keep its connection forever: while a handler
/// waits, the connection is not read and `idle_timeout` does not apply.
pub(super) async fn within_close_timeout<F>(
    transport: Arc<Transport>,
    clock: &Clock,
    open: F,
) -> Result<Option<()>, BoxError>
where
    F: Future<Output = Result<(), BoxError>>,
{
    let mut open = pin!(open);
    let mut ends = None;
    poll_fn(|context| match open.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result.map(Some)),
        Poll::Pending => {
            // A detached transport has no sweep that wakes the task at the deadline, so `open` gets
            // no time at all.
            let now = clock.now();
            let is_over = ends.is_some_and(|end| now >= end);
            if is_over || transport.is_detached() {
                return Poll::Ready(Ok(None));
            }
            // Race: another task may request a close after this look. The request wakes this task,
            // and the next poll sets the deadline.
            let cause = transport.cause();
            if cause == Some(CloseCause::Lost) {
                return Poll::Ready(Ok(None));
            }
            if ends.is_none() && cause.is_some_and(|cause| cause != CloseCause::Shutdown) {
                ends = Some(now.saturating_add(ticks(OPEN_CLOSE_TIMEOUT)));
                transport.liveness.wake_within(now, OPEN_CLOSE_TIMEOUT);
            }
            Poll::Pending
        }
    })
    .await
}
