//! A socket that does not take all: what is left waits in the outbox, and the task drains it.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::close::{CloseCause, Ending};
use crate::limits::Slow;
use crate::protocol::frame;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::outbox::{Full, Outbox};
use super::{BLOCKED, DRAINED, ENDING, SKIPPING, SendStatus, Stage, State, WriteEnd};

impl WriteEnd {
    /// Queues what the socket did not take: `written` bytes of the run are gone already.
    pub(super) fn block(
        &self,
        state: MutexGuard<'_, State>,
        run: Bytes,
        written: usize,
    ) -> SendStatus {
        let outbox = Outbox::new(Arc::clone(&self.budget), run, written);
        self.block_with(state, outbox)
    }

    /// Has an outbox wait for the socket, and the task drain it.
    pub(super) fn block_with(
        &self,
        mut state: MutexGuard<'_, State>,
        outbox: Outbox,
    ) -> SendStatus {
        let waiting = outbox.len();
        state.stage = Stage::Blocked(Box::new(outbox));
        // From here on all queues in the outbox; a cork beside it would overtake.
        state.cork = None;
        self.attention.fetch_or(BLOCKED, Ordering::AcqRel);
        self.wake(state);
        SendStatus::Queued(waiting)
    }

    pub(super) fn queue(&self, mut state: MutexGuard<'_, State>, run: Bytes) -> SendStatus {
        let Stage::Blocked(outbox) = &mut state.stage else {
            return SendStatus::Closed;
        };
        let begins = !outbox.is_skipping();
        match (outbox.push(run, self.limits.backlog), self.limits.slow) {
            (Ok(waiting), _) => SendStatus::Queued(waiting),
            (Err(Full(run)), Slow::Skip) => {
                self.count_skipped(&run);
                if begins {
                    self.attention.fetch_or(SKIPPING, Ordering::AcqRel);
                    self.wake(state);
                }
                SendStatus::Dropped
            }
            (Err(Full(_)), Slow::Close) => {
                self.close_slow_consumer(state);
                SendStatus::Closed
            }
        }
    }

    /// Counts a run's messages as left out for this peer.
    pub(super) fn count_skipped(&self, run: &[u8]) {
        let frames = frame::count(run);
        self.budget.count_skipped(frames);
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Sends the close frame in place of what waits: 1013, unless another close was decided before.
    pub(super) fn close_slow_consumer(&self, mut state: MutexGuard<'_, State>) {
        let ending = state
            .ending
            .get_or_insert_with(|| Box::new(Ending::of(CloseCause::SlowConsumer)));
        let closing = ending.closing.clone();
        self.attention.fetch_or(ENDING, Ordering::Release);
        if let Stage::Blocked(outbox) = &mut state.stage {
            outbox.drop_queue();
        }
        self.seal(state, &closing);
    }

    /// Writes what waits. Called by the connection's task alone, whose waker the socket keeps.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<()> {
        while self.attention.load(Ordering::Acquire) & BLOCKED != 0 {
            match self.stream.poll_write_ready(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => self.drain(),
                Poll::Ready(Err(_)) => {
                    self.lose(self.lock());
                }
            }
        }
        Poll::Ready(())
    }

    fn drain(&self) {
        let mut state = self.lock();
        let Stage::Blocked(outbox) = &mut state.stage else {
            return;
        };
        match outbox.write_to(&self.stream) {
            Ok(false) => {}
            Ok(true) => {
                state.stage = Stage::Open;
                self.attention.fetch_and(!BLOCKED, Ordering::AcqRel);
                self.attention.fetch_or(DRAINED, Ordering::AcqRel);
            }
            Err(_) => {
                self.lose(state);
            }
        }
    }

    /// Says whether all that was handed over is with the operating system, or never will be.
    pub(crate) fn is_flushed(&self) -> bool {
        let state = self.lock();
        state.sealed && !matches!(state.stage, Stage::Blocked(_))
    }
}
