//! The byte rates: a client that exceeds one is not read for a while.
//!
//! It is not closed. A single large message can exceed a rate, and a client that is not read costs
//! others nothing: its TCP window fills, and it has to wait.

use std::task::Poll;
use std::time::Duration;

use crate::route::Route;

use super::task::Connection;

/// The cost from which input is charged at once, in bytes, and not only with the next read.
///
/// To charge takes as long as to handle a small message. 64 KiB: hundreds of the smallest frames.
pub(super) const CHARGE_AT: usize = 64 * 1024;

impl<R: Route> Connection<R> {
    /// Adds what decoded input has cost. It is charged before the next input is decoded, since a
    /// handler that waits has the state with the rates.
    #[inline]
    pub(super) fn add_cost(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.uncharged = self.uncharged.saturating_add(bytes);
    }

    /// Waits until the client is within its rates. The hub's sweep wakes the task then.
    #[inline]
    pub(super) fn poll_throttle(&mut self) -> Poll<()> {
        let published = self.transport.take_published();
        if self.uncharged > 0 || published > 0 {
            self.charge(published);
        }
        if !self.is_throttled {
            return Poll::Ready(());
        }
        if !self.is_overdue() {
            return Poll::Pending;
        }
        self.is_throttled = false;
        self.transport.liveness.clear_deadline();
        Poll::Ready(())
    }

    /// Charges the input to `byte_rate`, and published bytes to `publish_rate`.
    fn charge(&mut self, published: usize) {
        let received = std::mem::take(&mut self.uncharged) as usize;
        let limits = self.transport.limits();
        let (byte_rate, publish_rate) = (limits.byte_rate, limits.publish_rate);
        let now = self.hub.clock().milliseconds();
        let Some(state) = self.user.idle() else {
            return;
        };
        let received = byte_rate.and_then(|rate| state.received.charge(received, rate, now));
        let published = publish_rate.and_then(|rate| state.published.charge(published, rate, now));
        if let Some(wait) = received.max(published) {
            self.throttle(wait);
        }
    }

    /// Stops reading the client. Meanwhile it is neither pinged nor idle.
    #[cold]
    fn throttle(&mut self, wait: Duration) {
        self.is_throttled = true;
        self.transport.liveness.set_deadline(self.now(), wait);
    }
}
