//! How a connection closes:
//!
//! 1. The connection is deactivated in the hub, so it gets no more broadcasts. Its input is
//!    discarded from here on.
//! 2. The outbox and the close frame are written, as long as the peer makes progress.
//! 3. `close` is called once everything is written, or after [`CLOSE_HANDLER_DELAY`] while step 2
//!    goes on. For a slow consumer it is called at once.
//! 4. The peer answers with its close frame (RFC 6455 section 5.5.1). Frames before it are skipped
//!    by their heads. After a violation of the protocol, no answer is expected (section 7.1.7).
//! 5. The server ends its side of the TCP connection first (section 7.1.1), and then the peer ends
//!    its own. If the client has sent its close frame first, the server need not wait for that.
//!
//! A peer makes progress if bytes of it arrive, or if it reads what it was sent.
//!
//! | limit | on steps | counts |
//! |---|---|---|
//! | [`CLOSE_STALL`] | 2, 4, 5 | the time without progress |
//! | [`PEER_END_TIMEOUT`] | 4 and 5, instead, once the peer's close frame has come | the time without progress |
//! | [`CLOSE_TIMEOUT`] | 4 and 5 together | all time since everything was written |

use std::task::Context;
use std::time::Duration;

use crate::clock::ticks;
use crate::close::{Close, CloseCause, CloseCode, CloseFrame};
use crate::error::Error;
use crate::limits::{CLOSE_HANDLER_DELAY, CLOSE_STALL, CLOSE_TIMEOUT, PEER_END_TIMEOUT};
use crate::route::Route;

use super::closing::{Closing, ClosingInput};
use super::handlers::{OnClose, OnError};
use super::input::{Discarded, ReadBuffer};
use super::phase::{Failure, Phase, Step};
use super::task::Connection;

impl<R: Route> Connection<R> {
    /// Calls `error`. The connection closes after `error` has returned.
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
        let close = self.request_and_adopt_close(close);
        if failure == Failure::Peer {
            self.transport.send_close_now(&close.frame);
        }
        self.begin_flushing(&close)
    }

    /// Begins to close. Calls `error` first if the cause is one that `error` gets.
    pub(super) fn begin_close(&mut self, close: &Close) -> Step {
        let close = self.request_and_adopt_close(close.clone());
        match Error::from_cause(close.cause) {
            Some(error) => self.report(error, Failure::Handler),
            None => self.begin_flushing(&close),
        }
    }

    /// Closes after `open` was dropped before it returned. This does not count as a failure of
    /// `open`, so `error` is not called for it.
    pub(super) fn cancel_open(&mut self) -> Step {
        self.hub.never_opened(self.transport.id().slot());
        let close = self.transport.requested_close();
        self.begin_close(&close.unwrap_or_else(|| Close::of(CloseCause::Shutdown)))
    }

    /// Requests a close. Returns the one that takes effect, which is the first that was requested.
    ///
    /// From here on nothing can be sent. The `close` handler gets the code and the reason of the
    /// returned close.
    fn request_and_adopt_close(&mut self, close: Close) -> Close {
        self.transport.request_close(close.clone());
        let decided = self.transport.requested_close().unwrap_or(close);
        self.keep_close_for_handler(&decided);
        decided
    }

    fn keep_close_for_handler(&mut self, close: &Close) {
        if let Some(state) = self.user.idle() {
            state.closing = Some(Box::new(Closing::new(close.frame.clone())));
        }
    }

    /// Deactivates the connection in the hub, and queues the close frame unless it already is.
    ///
    /// Race: the flusher may still have broadcasts to write that were published before the close. A
    /// close frame that is written directly would overtake them, and the client would miss them. To
    /// keep the order, the close frame goes through the hub's log. It is written directly if the
    /// client gets no such broadcasts (see `closes_through_log`), or the log has delivered all.
    pub(super) fn begin_flushing(&mut self, close: &Close) -> Step {
        self.log_close(close);
        self.transport.uncork();
        self.phase = Phase::Flushing;
        if close.cause == CloseCause::Lost {
            // `uncork` has written the last replies, for a peer that has closed only its own side.
            self.transport.drop_outbox();
        }
        self.stop_decoding(close.cause);
        self.hub.deactivate(&self.transport);
        if !self.transport.is_close_queued() {
            let (slot, frame) = (self.transport.id().slot(), close.frame.clone());
            if !(self.closes_through_log && self.hub.send_close(slot, frame)) {
                self.transport.send_close(&close.frame);
            }
        }
        self.check_later();
        Step::Again
    }

    /// Decides how the rest of the peer's input is read.
    fn stop_decoding(&mut self, cause: CloseCause) {
        let now = self.now();
        let skip = self.inbound.stop();
        if self
            .user
            .idle()
            .is_some_and(|state| state.closing.is_none())
        {
            // The close was requested before any handler was called.
            self.keep_close_for_handler(&Close::of(cause));
        }
        let Some(closing) = self.closing() else {
            return;
        };
        closing.began = now;
        closing.input = match cause {
            CloseCause::Client => ClosingInput::Ignored { has_close: true },
            CloseCause::Lost => ClosingInput::Ended,
            // The peer's input cannot be parsed, or there is no memory for it.
            CloseCause::Protocol | CloseCause::Overload => {
                ClosingInput::Ignored { has_close: false }
            }
            _ => ClosingInput::Skipping(skip),
        };
    }

    /// Returns the state of the closing connection, or `None` while a handler has it.
    fn closing(&mut self) -> Option<&mut Closing> {
        self.user.idle()?.closing.as_deref_mut()
    }

    /// Discards input, calls `close` when it is due, and waits until everything is written.
    pub(super) fn step_flushing(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if !self.transport.is_flushed() && self.is_given_up() {
            self.transport.drop_outbox();
        }
        let is_flushed = self.transport.is_flushed();
        if self.needs_close_handler && (is_flushed || self.is_close_handler_due()) {
            self.needs_close_handler = false;
            let decided = self.closing().and_then(|closing| closing.frame.take());
            let frame = decided.unwrap_or_else(|| CloseFrame::bare(CloseCode::ABNORMAL));
            self.phase = Phase::Closing;
            return self.call(OnClose(frame));
        }
        if is_flushed {
            return self.await_peer_close();
        }
        match self.discard(context, buffer) {
            Discarded::Wait => Step::Wait,
            Discarded::Some => Step::Again,
            Discarded::Ended => {
                self.end_input();
                Step::Wait
            }
            Discarded::TooMuch => {
                self.transport.drop_outbox();
                Step::Again
            }
        }
    }

    fn is_close_handler_due(&mut self) -> bool {
        let now = self.now();
        let is_slow = self.transport.cause() == Some(CloseCause::SlowConsumer);
        let is_late = |closing: &mut Closing| closing.has_lasted(now, CLOSE_HANDLER_DELAY);
        is_slow || self.closing().is_some_and(is_late)
    }

    fn await_peer_close(&mut self) -> Step {
        if self.transport.is_lost() {
            return Step::Done;
        }
        let now = self.now();
        if let Some(closing) = self.closing() {
            closing.written = Some(now);
        }
        self.phase = Phase::AwaitingPeerClose;
        Step::Again
    }

    /// Waits for the peer's close frame, and then ends the server's side.
    pub(super) fn step_awaiting_peer_close(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if self.is_given_up() {
            return Step::Done;
        }
        let Some(closing) = self.closing().filter(|closing| !closing.has_ended()) else {
            return Step::Done;
        };
        if !closing.expects_close_frame() {
            if self.has_nothing_to_read(buffer) {
                return Step::Done;
            }
            self.transport.shut_down_writes();
            self.phase = Phase::AwaitingPeerEnd;
            return Step::Again;
        }
        self.step_discarding(context, buffer)
    }

    /// Returns whether the client has closed first, and no input follows its close frame.
    ///
    /// Such a connection need not wait until the client ends its side. A client must not send
    /// anything after its close frame (RFC 6455 section 5.5.1), so the socket can be closed without
    /// unread input, which would cause a reset. On a short connection this saves three system
    /// calls. A TLS stream gets `false`, because the task still has to write the end of the stream.
    fn has_nothing_to_read(&self, buffer: &ReadBuffer) -> bool {
        self.transport.cause() == Some(CloseCause::Client)
            && self.transport.is_direct()
            && self.inbound.is_empty(buffer)
    }

    /// Waits until the peer ends its side. To close a socket with unread input sends a TCP reset,
    /// which could destroy the close frame on its way.
    pub(super) fn step_awaiting_peer_end(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuffer,
    ) -> Step {
        if self.is_given_up() {
            return Step::Done;
        }
        self.step_discarding(context, buffer)
    }

    fn step_discarding(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Step {
        match self.discard(context, buffer) {
            Discarded::Wait => Step::Wait,
            Discarded::Some => Step::Again,
            Discarded::Ended | Discarded::TooMuch => Step::Done,
        }
    }

    /// Discards what the peer has sent.
    fn discard(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuffer) -> Discarded {
        let Some(state) = self.user.idle() else {
            return Discarded::Wait;
        };
        let Some(closing) = state.closing.as_deref_mut().filter(|one| !one.has_ended()) else {
            return Discarded::Wait;
        };
        let discarded = self
            .inbound
            .discard(context, &self.transport, buffer, closing);
        if let Discarded::Some = discarded {
            self.transport.liveness.heard(self.hub.clock().now());
        }
        discarded
    }

    fn end_input(&mut self) {
        if let Some(closing) = self.closing() {
            closing.input = ClosingInput::Ended;
        }
    }

    /// Returns whether a limit of this file's table is exceeded, or the server no longer waits.
    ///
    /// Also sets a deadline, so that the sweep wakes the task to look again.
    fn is_given_up(&mut self) -> bool {
        if self.transport.is_detached() {
            return true;
        }
        let now = self.now();
        let progress = self.transport.progress.at();
        let alive = self.transport.liveness.last_heard().unwrap_or(now);
        let is_written = self.phase != Phase::Flushing;
        // A shutdown has waited long enough for its clients.
        let is_cancelled = is_written && self.transport.is_cancelled(false);
        let stall = match self.closing() {
            Some(closing) if is_written && closing.has_peer_closed() => PEER_END_TIMEOUT,
            _ => CLOSE_STALL,
        };
        let Some(closing) = self.closing() else {
            return true;
        };
        let last = alive.max(progress).max(closing.began);
        let last = last.max(closing.written.unwrap_or_default());
        let is_stalled = now.saturating_sub(last) >= ticks(stall);
        let is_over = closing.was_written_before(now, CLOSE_TIMEOUT);
        self.check_later();
        is_cancelled || is_stalled || is_over
    }

    /// Sets a deadline, so that the sweep wakes the task after a second to look for progress.
    fn check_later(&self) {
        let second = Duration::from_secs(1);
        self.transport.liveness.set_deadline(self.now(), second);
    }
}
