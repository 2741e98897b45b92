//! User code runs under this guard, so that a panic ends at most the connection it belongs to.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs user code and catches its panic.
///
/// A panic may leave the user's own data half-changed. That data belongs to one connection, or is
/// behind the user's own locks, which notice it.
#[inline]
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(code))
}

/// Awaits user code and returns the text of its panic as the error.
pub(crate) async fn guarded_future<F: Future>(code: F) -> Result<F::Output, String> {
    let mut code = pin!(code);
    poll_fn(|context| match guarded(|| code.as_mut().poll(context)) {
        Ok(polled) => polled.map(Ok),
        Err(panic) => Poll::Ready(Err(text_of(&*panic))),
    })
    .await
}

/// Returns the text of a panic.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}
