//! Authentication: a connection of a route with `auth` first waits for the client's first message.
//!
//! Until `auth` has returned `Ok`, `open` is not called, and the connection receives and causes no
//! broadcasts. If it ends before, `close` is not called.

use std::task::Context;

use crate::close::{Close, CloseCause};
use crate::limits::MAX_FIRST_MESSAGE;
use crate::protocol::{DecodeLimits, Event};
use crate::route::Route;
use crate::transport::TransportEvent;

use super::handlers::Auth;
use super::input::{self, Input, ReadBuffer};
use super::phase::{Phase, Step};
use super::task::Connection;

impl<R: Route> Connection<R> {
    /// Starts `auth_timeout`: the time for the first message to arrive and for `auth` to return.
    pub(super) fn await_first_message(&mut self) -> Step {
        let timeout = self.transport.limits().auth_timeout;
        self.transport.liveness.set_deadline(self.now(), timeout);
        self.phase = Phase::AwaitingFirstMessage;
        Step::Again
    }

    pub(super) fn step_awaiting_first_message(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if let Some(close) = self.close_before_open() {
            return self.begin_close(&close);
        }
        let limits = input::limits(&self.transport, self.hub.unauthenticated_input_budget());
        let limits = DecodeLimits {
            max_message: limits.max_message.min(MAX_FIRST_MESSAGE),
            ..limits
        };
        match self.inbound.next(context, &self.transport, buffer, &limits) {
            Input::Event(Event::Message(first)) => {
                self.phase = Phase::Authenticating;
                self.call(Auth::new(first))
            }
            input => self.take_input(input, buffer),
        }
    }

    /// Calls `open`, unless the connection was closed or the client has left while `auth` ran.
    ///
    /// Race: the client may leave while `auth` runs. The connection is not read during that time,
    /// so a close frame or the end of the stream is still unread, and `open` would be called for a
    /// client that is gone. To prevent that, this step looks at the next byte first, and consumes
    /// no message.
    pub(super) fn step_authenticated(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if let Some(close) = self.close_before_open() {
            return self.begin_close(&close);
        }
        if self.inbound.is_close_next(context, &self.transport, buffer) {
            let limits = input::limits(&self.transport, self.hub.input_budget());
            let input = self.inbound.next(context, &self.transport, buffer, &limits);
            return self.take_input(input, buffer);
        }
        self.inbound.charge_to(self.hub.input_budget());
        self.transport.liveness.clear_deadline();
        self.open()
    }

    /// Returns the requested close, or the close for `auth_timeout` if its deadline has passed.
    fn close_before_open(&self) -> Option<Close> {
        if let TransportEvent::Close(close) = self.transport.next_event() {
            return Some(close);
        }
        self.is_overdue()
            .then(|| Close::of(CloseCause::AuthTimeout))
    }
}
