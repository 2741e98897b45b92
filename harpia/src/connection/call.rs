//! Calling user code: in place or boxed, with each poll under `catch_unwind`.
//!
//! A handler that never waits is polled once, in place. Every other handler borrows from the
//! [`ConnectionState`]. Its future is boxed and owns that state, so that the connection holds no
//! reference to itself. The future returns the state with the result.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tracing::{Instrument, Span};

use crate::close::Close;
use crate::error::{BoxError, Error};
use crate::hub::Hub;
use crate::message::Message;
use crate::panic_guard::{guarded, text_of};
use crate::route::Route;
use crate::transport::Transport;

use super::state::ConnectionState;
use super::time_limit::HandlerLimit;

/// A call of one handler.
pub(super) trait HandlerCall<R: Route>: Send + Sized + 'static {
    type Output;

    /// Whether the handler never waits.
    const INLINE: bool;

    /// Whether `handler_timeout` applies. It does not if the handler has a limit of its own.
    const HAS_HANDLER_TIMEOUT: bool = true;

    /// Whether the handler is `close`. A shutdown cancels `close` later than other handlers.
    const IN_CLOSE: bool = false;

    fn run(
        &mut self,
        state: &mut ConnectionState<R>,
    ) -> impl Future<Output = Result<Self::Output, BoxError>> + Send;

    /// Returns what the connection has to do after the handler.
    fn finish(self, outcome: Outcome<Self::Output>, hub: &Hub) -> Finished;
}

/// What the connection has to do after a handler.
pub(super) enum Finished {
    Done,
    /// Broadcast this message.
    Broadcast(Message),
    /// Call `error` with this error.
    Failed(Error),
    /// Close the connection with this close, since `error` has returned.
    Reported(Close),
    /// The handler was dropped before it returned.
    Cancelled,
}

/// Why a handler did not return.
pub(super) enum Interruption {
    Panicked(String),
    /// A shutdown canceled the handler, because the handler's time was over.
    Cancelled,
}

pub(super) type Outcome<T> = Result<Result<T, BoxError>, Interruption>;

type Waiting<R> = Pin<Box<dyn Future<Output = (Box<ConnectionState<R>>, Finished)> + Send>>;

/// The owner of the [`ConnectionState`].
pub(super) enum User<R: Route> {
    /// The connection owns it, and no handler runs.
    Idle(Box<ConnectionState<R>>),
    /// A waiting handler owns it.
    Waiting(Waiting<R>),
    /// A placeholder while `Idle` or `Waiting` is built or dropped.
    Lent,
}

impl<R: Route> User<R> {
    /// Returns the state, unless a handler owns it.
    pub(super) fn idle(&mut self) -> Option<&mut ConnectionState<R>> {
        match self {
            Self::Idle(state) => Some(state),
            _ => None,
        }
    }
}

/// Calls a handler. Returns what to do after it, or `None` if the handler is boxed and has to be
/// polled.
#[inline]
pub(super) fn begin<R: Route, H: HandlerCall<R>>(
    user: &mut User<R>,
    mut call: H,
) -> Option<Finished> {
    if H::INLINE {
        let state = user.idle()?;
        let span = span::<R>(state.socket.transport());
        let outcome = span.in_scope(|| catch(|| poll_once(call.run(state))));
        return Some(call.finish(outcome, &state.shared.hub));
    }
    if let User::Idle(mut state) = std::mem::replace(user, User::Lent) {
        *user = User::Waiting(Box::pin(async move {
            let transport = Arc::clone(state.socket.transport());
            let span = span::<R>(&transport);
            let mut limit = match H::HAS_HANDLER_TIMEOUT {
                true => HandlerLimit::new(&transport, &state.shared.hub),
                false => None,
            };
            let running = call.run(&mut state);
            let running = run_to_end(&transport, H::IN_CLOSE, running, &mut limit);
            let outcome = running.instrument(span).await;
            let finished = call.finish(outcome, &state.shared.hub);
            (state, finished)
        }));
    }
    None
}

/// Returns the span of a handler, so that log lines of the application name the connection.
///
/// If no subscriber asks for the span, this costs one atomic load.
#[inline]
fn span<R: Route>(transport: &Transport) -> Span {
    tracing::info_span!("handler", connection = %transport.id(), route = R::PATH)
}

#[inline]
fn catch<T>(code: impl FnOnce() -> T) -> Result<T, Interruption> {
    guarded(code).map_err(|panic| Interruption::Panicked(text_of(&*panic)))
}

#[inline]
fn poll_once<T>(future: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err("a handler that `Route::INLINE` names as never waiting did wait".into())
        }
    }
}

/// Polls a handler until it returns, panics, is canceled by a shutdown, or reaches its time limit.
async fn run_to_end<T>(
    transport: &Transport,
    in_close: bool,
    code: impl Future<Output = Result<T, BoxError>>,
    limit: &mut Option<HandlerLimit>,
) -> Outcome<T> {
    let mut code = pin!(Some(code));
    let result = poll_fn(|context| {
        if transport.is_cancelled(in_close) {
            return Poll::Ready(Err(Interruption::Cancelled));
        }
        let Some(code) = code.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(Interruption::Cancelled));
        };
        match catch(|| code.poll(context)) {
            Ok(Poll::Pending) if limit.as_mut().is_some_and(|limit| limit.is_over(transport)) => {
                Poll::Ready(Ok(Err("it did not return within `handler_timeout`".into())))
            }
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(interruption) => Poll::Ready(Err(interruption)),
        }
    })
    .await;
    if let Some(limit) = limit {
        limit.end(transport);
    }
    // A handler that has not returned runs user code when it is dropped. That code may panic, too.
    match catch(|| code.set(None)) {
        Ok(()) => result,
        Err(panicked) => result.and(Err(panicked)),
    }
}
