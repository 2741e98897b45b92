//! Before anything else: the first message, where a route's `auth` waits for it.
//!
//! Until `auth` has returned `Ok` the connection is not active and was not opened: it neither
//! receives nor causes broadcasts, and its end calls no `close`.

use std::task::Context;

use crate::close::{Close, CloseCause};
use crate::limits::MAX_FIRST_MESSAGE;
use crate::protocol::{DecodeLimits, Event};
use crate::route::Route;
use crate::transport::TransportEvent;

use super::handlers::Auth;
use super::input::{self, Input, ReadBuffer};
use super::{Connection, Phase, Step};

impl<R: Route> Connection<R> {
    /// Gives the peer its time to say who it is, and `auth` to find that out.
    pub(super) fn await_first(&mut self) -> Step {
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

    /// Opens who was let in, unless it was closed or has left meanwhile.
    pub(super) fn step_authenticated(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if let Some(close) = self.close_before_open() {
            return self.begin_close(&close);
        }
        if self.inbound.ends_next(context, &self.transport, buffer) {
            let limits = input::limits(&self.transport, self.hub.input_budget());
            let input = self.inbound.next(context, &self.transport, buffer, &limits);
            return self.take_input(input, buffer);
        }
        self.inbound.charge_to(self.hub.input_budget());
        self.transport.liveness.clear_deadline();
        self.open()
    }

    fn close_before_open(&self) -> Option<Close> {
        if let TransportEvent::Close(close) = self.transport.next_event() {
            return Some(close);
        }
        self.is_overdue()
            .then(|| Close::of(CloseCause::AuthTimeout))
    }
}
