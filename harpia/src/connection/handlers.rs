//! The calls of a route's handlers. Each handler has a type, which passes the arguments and decides
//! what the connection has to do with the result.

use std::sync::Arc;

use crate::close::{Close, CloseFrame};
use crate::error::{BoxError, Error};
use crate::hub::Hub;
use crate::message::Message;
use crate::options::Scope;
use crate::outcome::Broadcast;
use crate::route::Route;

use super::call::{Finished, HandlerCall, Interruption, Outcome};
use super::state::{ConnectionState, RouteContext};
use super::time_limit::{within_auth_timeout, within_close_timeout};

/// The call of `auth`, with the first message.
pub(super) struct Auth(Option<Message>);

impl Auth {
    pub(super) fn new(first: Message) -> Self {
        Self(Some(first))
    }
}

/// The call of `open`.
pub(super) struct Open;

/// The call of `message`.
pub(super) struct OnMessage {
    message: Option<Message>,
    /// A copy of the message for the automatic broadcast, on routes that have one.
    kept: Option<Message>,
}

/// The call of `drain`.
pub(super) struct Drain;

/// The call of `error`, with the error.
pub(super) struct OnError(pub(super) Error);

/// The call of `close`, with the code and reason.
pub(super) struct OnClose(pub(super) CloseFrame);

impl<R: Route> HandlerCall<R> for Auth {
    type Output = ();
    const INLINE: bool = R::INLINE.auth;
    const HAS_HANDLER_TIMEOUT: bool = false;

    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<(), BoxError> {
        let transport = Arc::clone(state.socket.transport());
        let Some(first) = self.0.take() else {
            return Err("`auth` was called twice".into());
        };
        let RouteContext { route, hub, .. } = &*state.shared;
        let auth = route.auth(&mut state.socket, &state.parameters, first);
        within_auth_timeout(transport, hub.clock(), auth).await
    }

    fn finish(self, outcome: Outcome<()>, _: &Hub) -> Finished {
        match outcome {
            Ok(Ok(())) => Finished::Done,
            Ok(Err(source)) => Finished::Failed(Error::Auth { source }),
            Err(Interruption::Cancelled) => Finished::Failed(Error::Auth {
                source: "the server shuts down".into(),
            }),
            Err(Interruption::Panicked(message)) => panicked("auth", message),
        }
    }
}

impl<R: Route> HandlerCall<R> for Open {
    /// `None` if `open` was dropped, because it did not return in time after a close was requested.
    type Output = Option<()>;
    const INLINE: bool = R::INLINE.open;

    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<Option<()>, BoxError> {
        let transport = Arc::clone(state.socket.transport());
        let RouteContext { route, hub, .. } = &*state.shared;
        let open = route.open(&mut state.socket, &state.parameters);
        within_close_timeout(transport, hub.clock(), open).await
    }

    fn finish(self, outcome: Outcome<Option<()>>, _: &Hub) -> Finished {
        match outcome {
            Ok(Ok(Some(()))) => Finished::Done,
            Ok(Ok(None)) | Err(Interruption::Cancelled) => Finished::Cancelled,
            Ok(Err(source)) => failed("open", source),
            Err(Interruption::Panicked(message)) => panicked("open", message),
        }
    }
}

/// Makes the result of a handler that has returned an error.
fn failed(handler: &'static str, source: BoxError) -> Finished {
    #[cfg(feature = "jwt")]
    let source = crate::auth::close_without_token(source);
    Finished::Failed(Error::from_handler(handler, source))
}

impl OnMessage {
    pub(super) fn new<R: Route>(message: Message, state: &ConnectionState<R>) -> Self {
        let is_broadcast = state.shared.scope != Scope::Off;
        Self {
            kept: is_broadcast.then(|| message.clone()),
            message: Some(message),
        }
    }
}

impl<R: Route> HandlerCall<R> for OnMessage {
    type Output = Broadcast;
    const INLINE: bool = R::INLINE.message;

    #[inline]
    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<Broadcast, BoxError> {
        let Some(message) = self.message.take() else {
            return Ok(Broadcast::Skip);
        };
        let route = &state.shared.route;
        route
            .message(&mut state.socket, &state.parameters, message)
            .await
    }

    #[inline]
    fn finish(self, outcome: Outcome<Broadcast>, _: &Hub) -> Finished {
        match outcome {
            Ok(Ok(Broadcast::Pass)) => self.kept.map_or(Finished::Done, Finished::Broadcast),
            Ok(Ok(Broadcast::Replace(other))) if self.kept.is_some() => Finished::Broadcast(other),
            Ok(Ok(_)) | Err(Interruption::Cancelled) => Finished::Done,
            Ok(Err(source)) => failed("message", source),
            Err(Interruption::Panicked(message)) => panicked("message", message),
        }
    }
}

impl<R: Route> HandlerCall<R> for Drain {
    type Output = ();
    const INLINE: bool = R::INLINE.drain;

    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<(), BoxError> {
        let route = &state.shared.route;
        route.drain(&mut state.socket, &state.parameters).await
    }

    fn finish(self, outcome: Outcome<()>, hub: &Hub) -> Finished {
        logged::<R>("drain", outcome, hub)
    }
}

impl<R: Route> HandlerCall<R> for OnError {
    type Output = ();
    const INLINE: bool = R::INLINE.error;

    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<(), BoxError> {
        let route = &state.shared.route;
        route
            .error(&mut state.socket, &state.parameters, &self.0)
            .await
    }

    fn finish(self, outcome: Outcome<()>, hub: &Hub) -> Finished {
        if let Finished::Failed(error) = logged::<R>("error", outcome, hub) {
            // `error` itself panicked, and no other handler is told about it.
            if let Some(suppressed) = hub.log_limits().handler_errors.admit() {
                tracing::error!(route = R::PATH, suppressed, "{error:#}");
            }
        }
        let frame = CloseFrame::new(self.0.close_code(), self.0.close_reason());
        Finished::Reported(Close::new(self.0.close_cause(), frame))
    }
}

impl<R: Route> HandlerCall<R> for OnClose {
    type Output = ();
    const INLINE: bool = R::INLINE.close;
    const IN_CLOSE: bool = true;

    async fn run(&mut self, state: &mut ConnectionState<R>) -> Result<(), BoxError> {
        let CloseFrame { code, reason } = &self.0;
        let route = &state.shared.route;
        route
            .close(&mut state.socket, &state.parameters, *code, reason)
            .await
    }

    fn finish(self, outcome: Outcome<()>, hub: &Hub) -> Finished {
        logged::<R>("close", outcome, hub)
    }
}

/// Handles the outcome of a handler whose errors do not close the connection.
///
/// Logs the handler's errors. Only a panic is passed to `error`.
fn logged<R: Route>(handler: &'static str, outcome: Outcome<()>, hub: &Hub) -> Finished {
    match outcome {
        Ok(Ok(())) | Err(Interruption::Cancelled) => Finished::Done,
        Ok(Err(source)) => {
            if let Some(suppressed) = hub.log_limits().handler_errors.admit() {
                let error = Error::from_handler(handler, source);
                tracing::error!(route = R::PATH, suppressed, "{error:#}");
            }
            Finished::Done
        }
        Err(Interruption::Panicked(message)) => panicked(handler, message),
    }
}

fn panicked(handler: &'static str, message: String) -> Finished {
    Finished::Failed(Error::Panic { handler, message })
}
