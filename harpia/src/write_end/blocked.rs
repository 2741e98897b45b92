//! A socket that does not take all: what is left waits in the outbox, and the task drains it.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::close::{CloseCode, Closing};
use crate::limits::Slow;
use crate::protocol::frame;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::outbox::{Full, Outbox};
use super::{BLOCKED, DRAINED, ENDING, Ending, SendStatus, Stage, State, WriteEnd};

impl WriteEnd {
    /// Queues what the socket did not take: `written` bytes of the run are gone already.
    pub(super) fn block(
        &self,
        mut state: MutexGuard<'_, State>,
        run: Bytes,
        written: usize,
    ) -> SendStatus {
        let outbox = Outbox::new(Arc::clone(&self.budget), run, written);
        let waiting = outbox.len();
        state.stage = Stage::Blocked(Box::new(outbox));
        // From here on all queues in the outbox; a cork beside it would overtake.
        state.cork = None;
        self.attention.fetch_or(BLOCKED, Ordering::AcqRel);
        self.wake(state);
        SendStatus::Queued(waiting)
    }

    pub(super) fn queue(&self, mut state: MutexGuard<'_, State>, run: Bytes) -> SendStatus {
        let State { stage, ending, .. } = &mut *state;
        let Stage::Blocked(outbox) = stage else {
            return SendStatus::Closed;
        };
        match (outbox.push(run, self.limits.backlog), self.limits.slow) {
            (Ok(waiting), _) => SendStatus::Queued(waiting),
            (Err(Full(run)), Slow::Skip) => {
                let frames = u32::try_from(frame::count(&run)).unwrap_or(u32::MAX);
                self.skipped.fetch_add(frames, Ordering::Relaxed);
                SendStatus::Dropped
            }
            (Err(Full(_)), Slow::Close) => {
                let closing = Closing::new(CloseCode::TRY_AGAIN, "Slow Consumer");
                let ending = ending.get_or_insert_with(|| Box::new(Ending::Slow(closing)));
                outbox.drop_queue();
                outbox.push_unbounded(frame::encode_close(&ending.closing()));
                state.sealed = true;
                self.attention.fetch_or(ENDING, Ordering::Release);
                self.wake(state);
                SendStatus::Closed
            }
        }
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
