//! A socket that does not take all: what is left waits in the outbox, and the task drains it.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::close::{Close, CloseCause};
use crate::options::Slow;
use crate::protocol::frame;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::outbox::{BacklogFull, Outbox};
use super::{
    BLOCKED, CLOSING, DRAINED, SKIPPING, SendStatus, Transport, TransportState, WriteState,
};

impl Transport {
    /// Queues what the socket did not take: `written` bytes of the batch are gone already.
    pub(super) fn block(
        &self,
        state: MutexGuard<'_, TransportState>,
        batch: Bytes,
        written: usize,
    ) -> SendStatus {
        let outbox = Outbox::new(Arc::clone(&self.budget), batch, written);
        self.block_with(state, outbox)
    }

    /// Has an outbox wait for the socket, and the task drain it.
    pub(super) fn block_with(
        &self,
        mut state: MutexGuard<'_, TransportState>,
        outbox: Outbox,
    ) -> SendStatus {
        let waiting = outbox.len();
        state.write_state = WriteState::Blocked(Box::new(outbox));
        // From here on all queues in the outbox; a cork beside it would overtake.
        state.cork = None;
        self.flags.fetch_or(BLOCKED, Ordering::AcqRel);
        self.wake(state);
        SendStatus::Queued(waiting)
    }

    pub(super) fn queue(
        &self,
        mut state: MutexGuard<'_, TransportState>,
        batch: Bytes,
    ) -> SendStatus {
        let WriteState::Blocked(outbox) = &mut state.write_state else {
            return SendStatus::Closed;
        };
        let begins = !outbox.is_skipping();
        match (outbox.push(batch, self.limits.backlog), self.limits.slow) {
            (Ok(waiting), _) => SendStatus::Queued(waiting),
            (Err(BacklogFull(batch)), Slow::Skip) => {
                self.count_skipped(&batch);
                if begins {
                    self.flags.fetch_or(SKIPPING, Ordering::AcqRel);
                    self.wake(state);
                }
                SendStatus::Dropped
            }
            (Err(BacklogFull(_)), Slow::Close) => {
                self.close_slow_consumer(state);
                SendStatus::Closed
            }
        }
    }

    /// Counts a batch's messages as left out for this peer.
    pub(super) fn count_skipped(&self, batch: &[u8]) {
        let frames = frame::count(batch);
        self.budget.count_skipped(frames);
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Sends the close frame in place of what waits: 1013, unless another close was close_frame before.
    pub(super) fn close_slow_consumer(&self, mut state: MutexGuard<'_, TransportState>) {
        let close = state
            .close
            .get_or_insert_with(|| Box::new(Close::of(CloseCause::SlowConsumer)));
        let frame = close.frame.clone();
        self.flags.fetch_or(CLOSING, Ordering::Release);
        if let WriteState::Blocked(outbox) = &mut state.write_state {
            outbox.drop_queue();
        }
        self.queue_close_frame(state, &frame);
    }

    /// Writes what waits. Called by the connection's task alone, whose waker the socket keeps.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<()> {
        while self.flags.load(Ordering::Acquire) & BLOCKED != 0 {
            match self.stream.poll_write_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => self.drain(),
                Poll::Ready(Err(_)) => {
                    self.mark_lost(self.lock());
                }
            }
        }
        Poll::Ready(())
    }

    fn drain(&self) {
        let mut state = self.lock();
        let WriteState::Blocked(outbox) = &mut state.write_state else {
            return;
        };
        match outbox.write_to(&self.stream) {
            Ok(false) => {}
            Ok(true) => {
                state.write_state = WriteState::Open;
                self.flags.fetch_and(!BLOCKED, Ordering::AcqRel);
                self.flags.fetch_or(DRAINED, Ordering::AcqRel);
            }
            Err(_) => {
                self.mark_lost(state);
            }
        }
    }

    /// Says whether all that was handed over is with the operating system, or never will be.
    pub(crate) fn is_flushed(&self) -> bool {
        let state = self.lock();
        state.close_queued && !matches!(state.write_state, WriteState::Blocked(_))
    }
}
