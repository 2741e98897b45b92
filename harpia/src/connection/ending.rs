//! How a connection ends, always in this order: it leaves the hub, what waits is flushed within a
//! deadline, `close` is called once, and the peer is given time to see it.

use std::task::{Context, Poll};
use std::time::Duration;

use crate::close::{CloseCode, Closing};
use crate::route::Route;
use crate::write_end::Ending;

use super::inbound::{self, Window};
use super::user_code::Call;
use super::{Connection, Phase, Step};

/// How long a peer may take to read what waits for it and the close frame.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a peer may take to close after us (RFC 6455 section 7.1.1 lets the server go first).
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

impl<R: Route> Connection<R> {
    /// Closes for an error that `error` has heard of, unless a close was decided before. A peer
    /// that broke the rules does not get what waited for it.
    pub(super) fn fail(&mut self, closing: Closing, abruptly: bool) -> Step {
        let closing = self.decide(closing);
        if abruptly {
            self.end.fail(&closing);
        }
        self.leave_hub((!abruptly).then_some(closing))
    }

    pub(super) fn begin_ending(&mut self, ending: &Ending) -> Step {
        let closing = self.decide(ending.closing());
        match ending {
            Ending::Lost => {
                // Who has closed only its own side still gets what was answered.
                self.end.uncork();
                self.end.abandon();
                self.leave_hub(None)
            }
            Ending::Slow(_) => self.leave_hub(None),
            Ending::Close(_) | Ending::Idle | Ending::Shutdown => self.leave_hub(Some(closing)),
        }
    }

    /// Settles what the connection closes with, which the first to ask decides; from here on
    /// nothing can be sent. The `close` handler will be told the same.
    pub(super) fn decide(&mut self, closing: Closing) -> Closing {
        self.end.ask(Ending::Close(closing.clone()));
        let decided = self.end.decided().unwrap_or(closing);
        if let Some(life) = self.user.idle() {
            life.closing = Some(Box::new(decided.clone()));
        }
        decided
    }

    /// Gets no more broadcasts. The close frame, if there is one to send yet, goes behind those
    /// that came before: through the hub's log, in its order.
    pub(super) fn leave_hub(&mut self, closing: Option<Closing>) -> Step {
        self.end.silence.set_deadline(self.now(), FLUSH_TIMEOUT);
        self.end.uncork();
        self.phase = Phase::Flushing;
        self.hub.deactivate(&self.end);
        if let Some(closing) = closing {
            let slot = self.end.id().slot();
            if !(self.activated && self.hub.finish(slot, closing.clone())) {
                self.end.finish(&closing);
            }
        }
        Step::Again
    }

    /// Says whether the time is over that a step was given. Who has no hub any more has none.
    pub(super) fn is_overdue(&self) -> bool {
        self.end.is_orphaned() || self.end.silence.is_overdue(self.now())
    }

    pub(super) fn step_flushing(&mut self) -> Step {
        if self.is_overdue() {
            self.end.abandon();
        }
        if !self.end.is_flushed() {
            return Step::Wait;
        }
        if !self.opened {
            return self.linger();
        }
        let decided = self.user.idle().and_then(|life| life.closing.take());
        let closing =
            decided.map_or_else(|| Closing::bare(CloseCode::ABNORMAL), |closing| *closing);
        self.phase = Phase::Closing;
        self.call(Call::Close(closing))
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
