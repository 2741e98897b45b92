//! How a connection ends, always in this order: it leaves the hub, what waits is flushed within a
//! deadline, `close` is called once, and the peer is given time to see it. Only a slow consumer's
//! `close` does not wait for the flush.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::close::{CloseCause, CloseCode, Closing, Ending};
use crate::error::{BoxError, Error};
use crate::route::Route;
use crate::write_end::{Clock, WriteEnd};

use super::inbound::{self, Window};
use super::user_code::Call;
use super::{Connection, Failure, Phase, Step};

/// How long a peer may take to read what waits for it and the close frame.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a peer may take to close after us (RFC 6455 section 7.1.1 lets the server go first).
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// How long `open` may take to return once the connection is to be closed. A shutdown has its own
/// time for that.
const OPEN_CLOSE_TIMEOUT: Duration = Duration::from_secs(15);

impl<R: Route> Connection<R> {
    /// Tells `error` what goes wrong; then the connection closes.
    pub(super) fn report(&mut self, error: Error, failure: Failure) -> Step {
        self.phase = Phase::Failing(failure);
        self.call(Call::Error(error))
    }

    /// Closes for an error that `error` has heard of, unless a close was decided before.
    pub(super) fn fail(&mut self, ending: Ending, failure: Failure) -> Step {
        if failure == Failure::Open {
            self.end.replace_ending(ending.clone());
        }
        let ending = self.decide(ending);
        if failure == Failure::Violation {
            self.end.fail(&ending.closing);
        }
        self.leave_hub(&ending)
    }

    pub(super) fn begin_ending(&mut self, ending: &Ending) -> Step {
        let ending = self.decide(ending.clone());
        match Error::from_cause(ending.cause) {
            Some(error) => self.report(error, Failure::Handler),
            None => self.leave_hub(&ending),
        }
    }

    /// `open` was dropped before it returned, which counts as a failure that nobody is told of.
    pub(super) fn cancel_open(&mut self) -> Step {
        let ending = self.end.ending();
        self.begin_ending(&ending.unwrap_or_else(|| Ending::of(CloseCause::Shutdown)))
    }

    /// Settles what the connection closes with, which the first to ask decides; from here on
    /// nothing can be sent. The `close` handler will be told the same.
    pub(super) fn decide(&mut self, ending: Ending) -> Ending {
        self.end.ask(ending.clone());
        let decided = self.end.ending().unwrap_or(ending);
        if let Some(life) = self.user.idle() {
            life.closing = Some(Box::new(decided.closing.clone()));
        }
        decided
    }

    /// Gets no more broadcasts. The close frame, if there is one to send yet, goes after those that
    /// came before: through the hub's log, in its order.
    pub(super) fn leave_hub(&mut self, ending: &Ending) -> Step {
        self.log_ending(ending);
        self.end.silence.set_deadline(self.now(), FLUSH_TIMEOUT);
        self.end.uncork();
        self.phase = Phase::Flushing;
        if ending.cause == CloseCause::Lost {
            // A peer that has closed only its own side still got what was answered.
            self.end.abandon();
        }
        self.hub.deactivate(&self.end);
        if !self.end.is_sealed() {
            let (slot, closing) = (self.end.id().slot(), ending.closing.clone());
            if !(self.opened && self.hub.finish(slot, closing)) {
                self.end.finish(&ending.closing);
            }
        }
        Step::Again
    }

    /// Says whether the time is over that a step was given. Who has no hub any more has none.
    pub(super) fn is_overdue(&self) -> bool {
        self.end.is_orphaned() || self.end.silence.is_overdue(self.now())
    }

    /// Flushes what waits, and calls `close` when all is written. A peer that does not read is not
    /// waited for: its `close` is called at once.
    pub(super) fn step_flushing(&mut self) -> Step {
        let mut is_flushed = self.end.is_flushed();
        if !is_flushed && self.is_overdue() {
            self.end.abandon();
            is_flushed = true;
        }
        if self.owes_close && (is_flushed || self.end.cause() == Some(CloseCause::SlowConsumer)) {
            self.owes_close = false;
            let decided = self.user.idle().and_then(|life| life.closing.take());
            let closing =
                decided.map_or_else(|| Closing::bare(CloseCode::ABNORMAL), |closing| *closing);
            self.phase = Phase::Closing;
            return self.call(Call::Close(closing));
        }
        if is_flushed {
            self.linger()
        } else {
            Step::Wait
        }
    }

    pub(super) fn linger(&mut self) -> Step {
        if self.end.is_lost() {
            return Step::Done;
        }
        self.end.shut_down();
        self.end.silence.set_deadline(self.now(), LINGER_TIMEOUT);
        self.phase = Phase::Lingering;
        Step::Again
    }

    pub(super) fn step_lingering(
        &mut self,
        context: &mut Context<'_>,
        window: &mut Window,
    ) -> Step {
        if self.is_overdue() {
            return Step::Done;
        }
        match inbound::discard(context, &self.end, window) {
            Poll::Ready(()) => Step::Done,
            Poll::Pending => Step::Wait,
        }
    }
}

/// Drops an `open` that does not return after the connection was asked to close: it would hold the
/// connection for ever, which is not read meanwhile. `None`: it was dropped.
pub(super) async fn until_closed<F>(
    end: Arc<WriteEnd>,
    clock: &Clock,
    open: F,
) -> Result<Option<()>, BoxError>
where
    F: Future<Output = Result<(), BoxError>>,
{
    let mut open = pin!(open);
    let mut is_limited = false;
    poll_fn(|context| match open.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(result.map(Some)),
        Poll::Pending => {
            if is_limited && end.silence.is_overdue(clock.now()) {
                return Poll::Ready(Ok(None));
            }
            // Asking for an ending wakes the task, and the sweep does when the time is over.
            if !is_limited && end.is_ending() && end.cause() != Some(CloseCause::Shutdown) {
                is_limited = true;
                end.silence.set_deadline(clock.now(), OPEN_CLOSE_TIMEOUT);
            }
            Poll::Pending
        }
    })
    .await
}
