//! How a connection closes, always in this order:
//!
//! 1. It leaves the hub, so it gets no more broadcasts.
//! 2. The outbox and the close frame are written, within [`FLUSH_TIMEOUT`].
//! 3. `close` is called once. For a slow consumer it does not wait for step 2.
//! 4. The peer gets [`PEER_CLOSE_TIMEOUT`] to close its side.

use std::task::{Context, Poll};

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Error;
use crate::limits::{FLUSH_TIMEOUT, PEER_CLOSE_TIMEOUT};
use crate::route::Route;

use super::handlers::{OnClose, OnError};
use super::input::{self, ReadBuffer};
use super::phase::{Failure, Phase, Step};
use super::task::Connection;

impl<R: Route> Connection<R> {
    /// Calls `error`. The connection closes after it.
    pub(super) fn report(&mut self, error: Error, failure: Failure) -> Step {
        self.phase = Phase::Failing(failure);
        self.call(OnError(error))
    }

    /// Closes after `error` has returned. An earlier requested close keeps its code and reason,
    /// unless `open` failed.
    pub(super) fn close_after_error(&mut self, close: Close, failure: Failure) -> Step {
        if failure == Failure::Open {
            self.transport.replace_close(close.clone());
        }
        let close = self.settle_close(close);
        if failure == Failure::Violation {
            self.transport.send_close_now(&close.frame);
        }
        self.leave_hub(&close)
    }

    /// Begins to close. Calls `error` first if the cause is reported there.
    pub(super) fn begin_close(&mut self, close: &Close) -> Step {
        let close = self.settle_close(close.clone());
        match Error::from_cause(close.cause) {
            Some(error) => self.report(error, Failure::Handler),
            None => self.leave_hub(&close),
        }
    }

    /// Closes after `open` was dropped before it returned. `error` is not called with a failure of
    /// `open`.
    pub(super) fn cancel_open(&mut self) -> Step {
        self.hub.refuse(self.transport.id().slot());
        let close = self.transport.requested_close();
        self.begin_close(&close.unwrap_or_else(|| Close::of(CloseCause::Shutdown)))
    }

    /// Requests the close and returns the one that takes effect: the first request wins.
    ///
    /// From here on nothing can be sent. The `close` handler gets the same code and reason.
    fn settle_close(&mut self, close: Close) -> Close {
        self.transport.request_close(close.clone());
        let decided = self.transport.requested_close().unwrap_or(close);
        if let Some(state) = self.user.idle() {
            state.frame = Some(Box::new(decided.frame.clone()));
        }
        decided
    }

    /// Leaves the hub and queues the close frame, unless it is already queued.
    ///
    /// Race: the flusher may still have broadcasts to write that were published before the close. A
    /// close frame that is written directly would overtake them, and the client would miss them. So
    /// the frame goes through the hub's log, which keeps the order. It is written directly only if
    /// `open` has not returned `Ok` or the log has nothing left to deliver.
    pub(super) fn leave_hub(&mut self, close: &Close) -> Step {
        self.log_close(close);
        self.transport
            .liveness
            .set_deadline(self.now(), FLUSH_TIMEOUT);
        self.transport.uncork();
        self.phase = Phase::Flushing;
        if close.cause == CloseCause::Lost {
            // A peer that has closed only its own side still got the replies that `uncork` wrote.
            self.transport.drop_unsent();
        }
        self.hub.deactivate(&self.transport);
        if !self.transport.is_close_queued() {
            let (slot, frame) = (self.transport.id().slot(), close.frame.clone());
            if !(self.opened && self.hub.send_close(slot, frame)) {
                self.transport.send_close(&close.frame);
            }
        }
        Step::Again
    }

    /// Calls `close` when the outbox is written or the deadline has passed. A slow consumer's
    /// `close` is called at once.
    pub(super) fn step_flushing(&mut self) -> Step {
        let mut is_flushed = self.transport.is_flushed();
        if !is_flushed && self.is_overdue() {
            self.transport.drop_unsent();
            is_flushed = true;
        }
        if self.owes_close
            && (is_flushed || self.transport.cause() == Some(CloseCause::SlowConsumer))
        {
            self.owes_close = false;
            let decided = self.user.idle().and_then(|state| state.frame.take());
            let frame =
                decided.map_or_else(|| CloseFrame::bare(CloseCode::ABNORMAL), |frame| *frame);
            self.phase = Phase::Closing;
            return self.call(OnClose(frame));
        }
        if is_flushed {
            self.await_peer_close()
        } else {
            Step::Wait
        }
    }

    fn await_peer_close(&mut self) -> Step {
        if self.transport.is_lost() {
            return Step::Done;
        }
        self.transport.shut_down_writes();
        self.transport
            .liveness
            .set_deadline(self.now(), PEER_CLOSE_TIMEOUT);
        self.phase = Phase::AwaitingPeerClose;
        Step::Again
    }

    pub(super) fn step_awaiting_peer_close(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if self.is_overdue() {
            return Step::Done;
        }
        match input::discard(context, &self.transport, buffer) {
            Poll::Ready(()) => Step::Done,
            Poll::Pending => Step::Wait,
        }
    }
}
