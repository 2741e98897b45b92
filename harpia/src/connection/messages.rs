//! What becomes of a message: its handler, and then the hub's log, which may have no room yet.

use std::task::{Context, Poll};

use crate::close::CloseCode;
use crate::error::Error;
use crate::message::Message;
use crate::route::Route;

use super::call::begin;
use super::handlers::{Finished, OnMessage};
use super::input::ReadBuffer;
use super::{Connection, Failure, Step};

impl<R: Route> Connection<R> {
    pub(super) fn handle_message(&mut self, message: Message, buffer: &mut ReadBuffer) -> Step {
        if let Some(rate) = self.transport.limits().rate
            && let Some(state) = self.user.idle()
            && !state.rate.allows(rate, self.hub.clock().milliseconds())
        {
            let error = Error::Protocol {
                code: CloseCode::POLICY,
                rule: "Rate Limit Exceeded",
            };
            return self.report(error, Failure::Violation);
        }
        self.inbound.cork(buffer, &self.transport);
        let Some(state) = self.user.idle() else {
            return Step::Again;
        };
        let call = OnMessage::new(message, state);
        match begin(&mut self.user, call) {
            None | Some(Finished::Done) => Step::Again,
            Some(finished) => self.finished(finished),
        }
    }

    pub(super) fn broadcast(&mut self, message: &Message) -> Step {
        if !self.transport.is_closing()
            && let Some(state) = self.user.idle()
        {
            let frame = self.hub.encode(message);
            self.has_unsent = !state.append(self.transport.id().slot(), frame);
        }
        Step::Again
    }

    /// Appends what found no room in the hub's log, as soon as there is some.
    pub(super) fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let slot = self.transport.id().slot();
        loop {
            let Some(state) = self.user.idle() else {
                return Poll::Ready(());
            };
            if state.send_unsent(slot) {
                return Poll::Ready(());
            }
            if self.hub.poll_room(context, slot).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// While the hub's log is full, who publishes is not read.
    pub(super) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.user.idle() {
            Some(state) if state.publishes() => {
                self.hub.poll_room(context, self.transport.id().slot())
            }
            _ => Poll::Ready(()),
        }
    }
}
