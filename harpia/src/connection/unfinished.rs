//! The time limits of a message that comes in parts: [`MESSAGE_STALL`] and `message_timeout`.
//!
//! An unfinished message takes memory that belongs to all clients. Pings prove that a client is
//! alive, but they do not complete its message, so `idle_timeout` does not end it.

use std::time::Duration;

use crate::clock::ticks;
use crate::close::{Close, CloseCause};
use crate::limits::MESSAGE_STALL;
use crate::route::Route;

use super::phase::Phase;
use super::task::Connection;

impl<R: Route> Connection<R> {
    /// Sets a deadline for unfinished input, at the end of a poll. Requests the close if a limit is
    /// reached.
    #[inline]
    pub(super) fn time_input(&mut self) {
        if self.is_timed || self.inbound.is_unfinished() {
            self.update_timer();
        }
    }

    fn update_timer(&mut self) {
        // In all other phases, other limits apply, and the deadline belongs to them.
        if self.phase != Phase::Opened {
            return;
        }
        let now = self.now();
        let is_read = !self.transport.liveness.is_paused();
        let max = self.transport.limits().message_timeout;
        let (silent, total) = (ticks(MESSAGE_STALL), ticks(max.unwrap_or(Duration::MAX)));
        let left = self.inbound.age().map(|age| {
            age.look(now, is_read);
            age.left(silent, total)
        });
        if !is_read {
            // A handler or a rate may use the deadline meanwhile.
            return;
        }
        match left {
            None => {
                self.is_timed = false;
                self.transport.liveness.clear_deadline();
            }
            Some(0) => {
                let close = Close::of(CloseCause::UnfinishedMessage);
                self.transport.request_close(close);
            }
            Some(left) => {
                self.is_timed = true;
                self.transport.liveness.set_deadline_in(now, left);
            }
        }
    }
}
