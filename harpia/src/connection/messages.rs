//! The way of one message: the rate limit, its handler, and then the hub's log.
//!
//! While the log is full, a connection that publishes is not read. This puts backpressure on its
//! client.

use std::task::{Context, Poll};

use crate::close::CloseCode;
use crate::error::Error;
use crate::message::Message;
use crate::route::Route;

use super::call::{Finished, begin};
use super::handlers::OnMessage;
use super::input::ReadBuffer;
use super::phase::{Failure, Step};
use super::task::Connection;

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
            return self.report(error, Failure::Peer);
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

    /// Appends a broadcast to the hub's log, or keeps it until there is room.
    pub(super) fn broadcast(&mut self, message: &Message) -> Step {
        if !self.transport.is_closing()
            && let Some(state) = self.user.idle()
        {
            self.transport.add_published(message.len());
            let frame = self.hub.encode(message);
            self.has_unpublished = !state.append(self.transport.id().slot(), frame);
        }
        Step::Again
    }

    /// Appends the kept broadcast as soon as the hub's log has room.
    ///
    /// Race: the flusher may empty the log after `publish_again` has found it full and before this
    /// task waits. The task would then wait although there is room. To prevent that,
    /// `Hub::poll_room` looks again, and stores the waker under the same lock.
    pub(super) fn poll_unpublished(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let slot = self.transport.id().slot();
        loop {
            let Some(state) = self.user.idle() else {
                return Poll::Ready(());
            };
            if state.publish_again(slot) {
                return Poll::Ready(());
            }
            if self.hub.poll_room(context, slot).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Waits for room in the hub's log, if this connection publishes.
    pub(super) fn poll_room(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.user.idle() {
            Some(state) if state.publishes() => {
                self.hub.poll_room(context, self.transport.id().slot())
            }
            _ => Poll::Ready(()),
        }
    }
}
