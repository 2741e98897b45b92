//! Catches panics of user code, so that a panic ends at most the connection it belongs to.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Runs user code and returns its panic as the error.
///
/// `AssertUnwindSafe` is sound here: a panic can leave only the user's own data half-changed. That
/// data belongs to one connection, or is protected by the user's own locks, which a panic poisons.
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

/// Returns the text of a panic, or "no text" if its payload is not a string.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}
