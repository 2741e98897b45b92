//! Before anything else: the first message, where a route's `auth` waits for it.
//!
//! Until `auth` has returned `Ok` the connection is not active and was not opened: it neither
//! receives nor causes broadcasts, and its end calls no `close`.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::close::{CloseCause, Ending};
use crate::error::BoxError;
use crate::limits::MAX_FIRST_MESSAGE;
use crate::protocol::{Event, Terms};
use crate::route::Route;
use crate::write_end::{Clock, News, WriteEnd};

use super::inbound::{self, Input, Window};
use super::user_code::Call;
use super::{Connection, Phase, Step};

impl<R: Route> Connection<R> {
    /// Gives the peer its time to say who it is, and `auth` to find that out.
    pub(super) fn await_first(&mut self) -> Step {
        let timeout = self.end.limits().auth_timeout;
        self.end.silence.set_deadline(self.now(), timeout);
        self.phase = Phase::Unknown;
        Step::Again
    }

    pub(super) fn step_unknown(&mut self, context: &mut Context<'_>, window: &mut Window) -> Step {
        if let Some(ending) = self.ending_before_open() {
            return self.begin_ending(&ending);
        }
        let terms = inbound::terms(&self.end, self.hub.early_input_budget());
        let terms = Terms {
            max_message: terms.max_message.min(MAX_FIRST_MESSAGE),
            ..terms
        };
        match self.inbound.next(context, &self.end, window, &terms) {
            Input::Event(Event::Message(first)) => {
                self.phase = Phase::Authenticating;
                self.call(Call::Auth(first))
            }
            input => self.take_input(input, window),
        }
    }

    /// Opens who was let in, unless it was closed or has left meanwhile.
    pub(super) fn step_let_in(&mut self, context: &mut Context<'_>, window: &mut Window) -> Step {
        if let Some(ending) = self.ending_before_open() {
            return self.begin_ending(&ending);
        }
        if self.inbound.ends_next(context, &self.end, window) {
            let terms = inbound::terms(&self.end, self.hub.input_budget());
            let input = self.inbound.next(context, &self.end, window, &terms);
            return self.take_input(input, window);
        }
        self.inbound.charge_to(self.hub.input_budget());
        self.end.silence.clear_deadline();
        self.open()
    }

    fn ending_before_open(&self) -> Option<Ending> {
        if let News::Ending(ending) = self.end.news() {
            return Some(ending);
        }
        self.is_overdue()
            .then(|| Ending::of(CloseCause::AuthTimeout))
    }
}

/// Has an `auth` that waits for too long fail: one that never returns would hold its connection for
/// ever, which is not read meanwhile and so is never idle.
pub(super) async fn in_time<F>(end: Arc<WriteEnd>, clock: &Clock, auth: F) -> F::Output
where
    F: Future<Output = Result<(), BoxError>>,
{
    let mut auth = pin!(auth);
    poll_fn(|context| match auth.as_mut().poll(context) {
        // The sweep wakes the task when its time is over.
        Poll::Pending if end.silence.is_overdue(clock.now()) => {
            end.ask(Ending::of(CloseCause::AuthTimeout));
            Poll::Ready(Err("`auth` did not return within `auth_timeout`".into()))
        }
        polled => polled,
    })
    .await
}
