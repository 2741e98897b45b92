//! Time limits on handlers. The sweep wakes the task when the transport's deadline has passed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use crate::clock::Clock;
use crate::close::{Close, CloseCause};
use crate::error::BoxError;
use crate::transport::Transport;

/// How long `open` may take to return after a close was requested: as long as a slow client may
/// take to close. A shutdown has its own limit.
const OPEN_CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

/// Lets `auth` fail when the deadline of `auth_timeout` has passed.
///
/// An `auth` that never returned would hold its connection forever: the connection is not read
/// meanwhile, so `idle_timeout` does not end it.
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

/// Drops an `open` that does not return in time after a close was requested, and returns `None`.
///
/// An `open` that never returned would hold its connection forever, since the connection is not
/// read meanwhile.
pub(super) async fn within_close_timeout<F>(
    transport: Arc<Transport>,
    clock: &Clock,
    open: F,
) -> Result<Option<()>, BoxError>
where
    F: Future<Output = Result<(), BoxError>>,
{
    let mut open = pin!(open);
    let mut is_limited = false;
    poll_fn(|context| match open.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result.map(Some)),
        Poll::Pending => {
            // Without the hub there is no sweep that would wake the task.
            let is_over = is_limited && transport.liveness.is_overdue(clock.now());
            if is_over || transport.is_detached() {
                return Poll::Ready(Ok(None));
            }
            // A requested close wakes the task, so the time begins with the request.
            let is_limited_now = !is_limited
                && transport.is_closing()
                && transport.cause() != Some(CloseCause::Shutdown);
            if is_limited_now {
                is_limited = true;
                transport
                    .liveness
                    .set_deadline(clock.now(), OPEN_CLOSE_TIMEOUT);
            }
            Poll::Pending
        }
    })
    .await
}
