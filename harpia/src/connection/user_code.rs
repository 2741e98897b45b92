//! Calls of user code: in place or boxed, each poll of it under `catch_unwind`.
//!
//! A handler that never waits is polled once where it stands. Another one is boxed together with
//! the [`ConnectionState`] it borrows from, which its future gives back with the result: so the connection
//! needs no reference to itself.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::close::{Close, CloseFrame};
use crate::error::{BoxError, Error};
use crate::message::Message;
use crate::options::Scope;
use crate::outcome::Broadcast;
use crate::route::Route;
use crate::transport::Transport;

use super::auth::in_time;
use super::close::until_closed;
use super::state::ConnectionState;

/// Which handler to call, and with what; `message` is called by [`begin_message`].
pub(super) enum Call {
    Auth(Message),
    Open,
    Drain,
    Error(Error),
    Close(CloseFrame),
}

/// What came of a call, as far as the connection has to act on it.
pub(super) enum Finished {
    Done,
    /// This message goes to the others.
    Broadcast(Message),
    /// `error` has to hear of it.
    Failed(Error),
    /// `error` has heard; the connection ends so.
    Reported(Close),
    /// It was dropped before it returned.
    Cancelled,
}

pub(super) type Waiting<R> =
    Pin<Box<dyn Future<Output = (Box<ConnectionState<R>>, Finished)> + Send>>;

/// Where the user's side of a connection is.
pub(super) enum User<R: Route> {
    /// With the connection: no handler is under way.
    Idle(Box<ConnectionState<R>>),
    /// With a handler that waits.
    Waiting(Waiting<R>),
    /// Only between two lines of one function.
    Lent,
}

impl<R: Route> User<R> {
    /// What no handler has at present.
    pub(super) fn idle(&mut self) -> Option<&mut ConnectionState<R>> {
        match self {
            Self::Idle(state) => Some(state),
            _ => None,
        }
    }
}

/// Why a handler came to no result.
enum Stopped {
    Panicked(String),
    /// The deadline of the shutdown is over.
    Cancelled,
}

type Outcome<T> = Result<Result<T, BoxError>, Stopped>;

/// Calls one handler as its route says: in place, or boxed. `None`: it waits.
macro_rules! begin {
    ($user:ident, $inline:expr, $in_close:expr, |$state:ident| $call:expr, $then:expr) => {{
        if $inline {
            let $state = $user.idle()?;
            return Some($then(now(|| poll_once($call))));
        }
        if let User::Idle(mut $state) = std::mem::replace($user, User::Lent) {
            *$user = User::Waiting(Box::pin(async move {
                let transport = Arc::clone($state.socket.end());
                let outcome = {
                    let $state = &mut *$state;
                    watched(&transport, $in_close, async move { $call.await }).await
                };
                let finished = $then(outcome);
                ($state, finished)
            }));
        }
        None
    }};
}

/// Calls a handler. Returns what came of it, unless it waits.
pub(super) fn begin<R: Route>(user: &mut User<R>, call: Call) -> Option<Finished> {
    match call {
        Call::Auth(first) => begin!(
            user,
            R::INLINE.auth,
            false,
            |state| {
                let transport = Arc::clone(state.socket.end());
                let shared = &state.shared;
                let auth = shared
                    .route
                    .auth(&mut state.socket, &state.parameters, first);
                in_time(transport, shared.hub.clock(), auth)
            },
            authenticated
        ),
        Call::Open => begin!(
            user,
            R::INLINE.open,
            false,
            |state| {
                let transport = Arc::clone(state.socket.end());
                let shared = &state.shared;
                let open = shared.route.open(&mut state.socket, &state.parameters);
                until_closed(transport, shared.hub.clock(), open)
            },
            opened
        ),
        Call::Drain => begin!(
            user,
            R::INLINE.drain,
            false,
            |state| state
                .shared
                .route
                .drain(&mut state.socket, &state.parameters),
            |outcome| logged::<R>("drain", outcome)
        ),
        Call::Error(error) => begin_error(user, error),
        Call::Close(frame) => begin!(
            user,
            R::INLINE.close,
            true,
            |state| state.shared.route.close(
                &mut state.socket,
                &state.parameters,
                frame.code,
                &frame.reason
            ),
            |outcome| logged::<R>("close", outcome)
        ),
    }
}

/// Calls `message`, the one handler that is called often, and so has a way of its own.
pub(super) fn begin_message<R: Route>(user: &mut User<R>, message: Message) -> Option<Finished> {
    let is_broadcast = user.idle()?.shared.scope != Scope::Off;
    let kept = is_broadcast.then(|| message.clone());
    begin!(
        user,
        R::INLINE.message,
        false,
        |state| state
            .shared
            .route
            .message(&mut state.socket, &state.parameters, message),
        |outcome| messaged(outcome, kept)
    )
}

fn begin_error<R: Route>(user: &mut User<R>, error: Error) -> Option<Finished> {
    let frame = CloseFrame::new(error.close_code(), error.close_reason());
    let close = Close::new(error.close_cause(), frame);
    begin!(
        user,
        R::INLINE.error,
        false,
        |state| state
            .shared
            .route
            .error(&mut state.socket, &state.parameters, &error),
        |outcome| {
            if let Finished::Failed(error) = logged::<R>("error", outcome) {
                // There is nobody left to tell.
                tracing::error!(route = R::PATH, "{error:#}");
            }
            Finished::Reported(close)
        }
    )
}

fn authenticated(outcome: Outcome<()>) -> Finished {
    match outcome {
        Ok(Ok(())) => Finished::Done,
        Ok(Err(source)) => Finished::Failed(Error::Auth { source }),
        // Cancelled is not passed.
        Err(Stopped::Cancelled) => Finished::Failed(Error::Auth {
            source: "the server shuts down".into(),
        }),
        Err(Stopped::Panicked(message)) => panicked("auth", message),
    }
}

fn opened(outcome: Outcome<Option<()>>) -> Finished {
    match outcome {
        Ok(Ok(Some(()))) => Finished::Done,
        Ok(Ok(None)) | Err(Stopped::Cancelled) => Finished::Cancelled,
        Ok(Err(source)) => Finished::Failed(Error::from_handler("open", source)),
        Err(Stopped::Panicked(message)) => panicked("open", message),
    }
}

#[inline]
fn messaged(outcome: Outcome<Broadcast>, message: Option<Message>) -> Finished {
    match outcome {
        Ok(Ok(Broadcast::Pass)) => message.map_or(Finished::Done, Finished::Broadcast),
        Ok(Ok(Broadcast::Replace(other))) if message.is_some() => Finished::Broadcast(other),
        Ok(Ok(_)) | Err(Stopped::Cancelled) => Finished::Done,
        Ok(Err(source)) => Finished::Failed(Error::from_handler("message", source)),
        Err(Stopped::Panicked(message)) => panicked("message", message),
    }
}

/// For handlers whose errors end nothing; only their panics do, of which `error` is told.
fn logged<R: Route>(handler: &'static str, outcome: Outcome<()>) -> Finished {
    match outcome {
        Ok(Ok(())) | Err(Stopped::Cancelled) => Finished::Done,
        Ok(Err(source)) => {
            let error = Error::from_handler(handler, source);
            tracing::error!(route = R::PATH, "{error:#}");
            Finished::Done
        }
        Err(Stopped::Panicked(message)) => panicked(handler, message),
    }
}

fn panicked(handler: &'static str, message: String) -> Finished {
    Finished::Failed(Error::Panic { handler, message })
}

/// Runs user code in place.
fn now<T>(code: impl FnOnce() -> T) -> Result<T, Stopped> {
    // What a panic leaves half-done is the user's own data, of this connection alone.
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| Stopped::Panicked(text_of(&*panic)))
}

fn poll_once<T>(future: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err("a handler that `Route::INLINE` names as never waiting did wait".into())
        }
    }
}

/// Polls user code until it is done, panics, or is cancelled by the end of a shutdown's patience.
async fn watched<F: Future>(
    transport: &Transport,
    in_close: bool,
    code: F,
) -> Result<F::Output, Stopped> {
    let mut code = pin!(Some(code));
    let result = poll_fn(|context| {
        if transport.is_cancelled(in_close) {
            return Poll::Ready(Err(Stopped::Cancelled));
        }
        let Some(code) = code.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(Stopped::Cancelled));
        };
        match now(|| code.poll(context)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(stopped) => Poll::Ready(Err(stopped)),
        }
    })
    .await;
    // What is dropped half-way is user code too, and may panic.
    match now(|| code.set(None)) {
        Ok(()) => result,
        Err(panicked) => result.and(Err(panicked)),
    }
}

/// Runs user code that belongs to no connection yet; a panic comes back as its text.
pub(crate) async fn caught<F: Future>(code: F) -> Result<F::Output, String> {
    let mut code = pin!(code);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| code.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(text_of(&*panic))),
        },
    )
    .await
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned())
}
