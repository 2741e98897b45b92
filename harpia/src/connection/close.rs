//! How a connection ends, always in this order: it leaves the hub, what waits is flushed within a
//! deadline, `close` is called once, and the peer is given time to see it. Only a slow consumer's
//! `close` does not wait for the flush.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Error;
use crate::route::Route;

use super::handlers::{OnClose, OnError};
use super::input::{self, ReadBuffer};
use super::{Connection, Failure, Phase, Step};

/// How long a peer may take to read what waits for it and the close frame.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a peer may take to close after us (RFC 6455 section 7.1.1 lets the server go first).
const PEER_CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

impl<R: Route> Connection<R> {
    /// Tells `error` what goes wrong; then the connection closes.
    pub(super) fn report(&mut self, error: Error, failure: Failure) -> Step {
        self.phase = Phase::Failing(failure);
        self.call(OnError(error))
    }

    /// Closes for an error that `error` has heard of, unless a close was decided before.
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

    pub(super) fn begin_close(&mut self, close: &Close) -> Step {
        let close = self.settle_close(close.clone());
        match Error::from_cause(close.cause) {
            Some(error) => self.report(error, Failure::Handler),
            None => self.leave_hub(&close),
        }
    }

    /// `open` was dropped before it returned, which counts as a failure that nobody is told of.
    pub(super) fn cancel_open(&mut self) -> Step {
        self.hub.refuse(self.transport.id().slot());
        let close = self.transport.requested_close();
        self.begin_close(&close.unwrap_or_else(|| Close::of(CloseCause::Shutdown)))
    }

    /// Settles what the connection closes with, which the first to ask decides; from here on
    /// nothing can be sent. The `close` handler will be told the same.
    pub(super) fn settle_close(&mut self, close: Close) -> Close {
        self.transport.request_close(close.clone());
        let decided = self.transport.requested_close().unwrap_or(close);
        if let Some(state) = self.user.idle() {
            state.frame = Some(Box::new(decided.frame.clone()));
        }
        decided
    }

    /// Gets no more broadcasts. The close frame, if there is one to send yet, goes after those that
    /// came before: through the hub's log, in its order.
    pub(super) fn leave_hub(&mut self, close: &Close) -> Step {
        self.log_close(close);
        self.transport
            .liveness
            .set_deadline(self.now(), FLUSH_TIMEOUT);
        self.transport.uncork();
        self.phase = Phase::Flushing;
        if close.cause == CloseCause::Lost {
            // A peer that has closed only its own side still got what was answered.
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

    /// Says whether the time is over that a step was given. Who has no hub any more has none.
    pub(super) fn is_overdue(&self) -> bool {
        self.transport.is_detached() || self.transport.liveness.is_overdue(self.now())
    }

    /// Flushes what waits, and calls `close` when all is written. A peer that does not read is not
    /// waited for: its `close` is called at once.
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

    pub(super) fn await_peer_close(&mut self) -> Step {
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
