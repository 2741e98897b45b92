//! Before anything else: the first message, where a route's `auth` waits for it.
//!
//! Until `auth` has returned `Ok` the connection is not active and was not opened: it neither
//! receives nor causes broadcasts, and its end calls no `close`.

use std::task::Context;

use crate::close::{CloseCode, Closing};
use crate::protocol::Event;
use crate::route::Route;
use crate::write_end::{Ending, News};

use super::inbound::{Input, Window};
use super::user_code::Call;
use super::{Connection, Phase, Step};

impl<R: Route> Connection<R> {
    /// Gives the peer its time to say who it is.
    pub(super) fn await_first(&mut self) -> Step {
        let timeout = self.end.limits().auth_timeout;
        self.end.silence.set_deadline(self.now(), timeout);
        self.phase = Phase::Unknown;
        Step::Again
    }

    pub(super) fn step_unknown(&mut self, context: &mut Context<'_>, window: &mut Window) -> Step {
        if let News::Ending(ending) = self.end.news() {
            return self.begin_ending(&ending);
        }
        if self.is_overdue() {
            let late = Closing::new(CloseCode::POLICY, "Auth Timeout");
            return self.begin_ending(&Ending::Close(late));
        }
        let budget = self.hub.input_budget();
        match self.inbound.next(context, &self.end, window, budget) {
            Input::Event(Event::Message(first)) => {
                self.end.silence.clear_deadline();
                self.phase = Phase::Authenticating;
                self.call(Call::Auth(first))
            }
            input => self.take_input(input, window),
        }
    }
}
