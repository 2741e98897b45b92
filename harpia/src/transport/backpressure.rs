//! Backpressure: bytes that a full socket did not take wait in the outbox until the task writes
//! them.
//!
//! This file also decides what happens when the outbox exceeds the route's `backlog`. If all
//! outboxes together exceed their budget, the hub's table calls [`Transport::drop_backlog`] for the
//! peers that have been stalled for longest.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::close::{Close, CloseCause};
use crate::options::Slow;
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::outbox::{BacklogFull, Outbox};
use super::{SendStatus, Signal, Transport, TransportState, WriteState};

impl Transport {
    /// Puts the part of a batch that the socket did not take into a new outbox.
    ///
    /// `written` is the number of bytes that the socket has taken.
    pub(super) fn block(
        &self,
        state: MutexGuard<'_, TransportState>,
        batch: Bytes,
        written: usize,
    ) -> SendStatus {
        let outbox = Outbox::new(Arc::clone(&self.budget), batch, written);
        self.block_with(state, outbox)
    }

    /// Blocks the transport with this outbox, and wakes the task to drain it.
    pub(super) fn block_with(
        &self,
        mut state: MutexGuard<'_, TransportState>,
        outbox: Outbox,
    ) -> SendStatus {
        let waiting = outbox.len();
        state.write_state = WriteState::Blocked(Box::new(outbox));
        // Every later send goes to the outbox. A cork would let later sends overtake it.
        state.cork = None;
        self.signals.set(Signal::Blocked);
        self.wake(state);
        SendStatus::Queued(waiting)
    }

    /// Adds a batch to the outbox.
    ///
    /// If the backlog is full or the budget is spent, the route's `slow` option decides: the batch
    /// is dropped, or the connection is closed. `frames` counts the frames of the batch, if it is
    /// dropped.
    pub(super) fn queue(
        &self,
        mut state: MutexGuard<'_, TransportState>,
        batch: Bytes,
        frames: impl FnOnce() -> usize,
    ) -> SendStatus {
        let WriteState::Blocked(outbox) = &mut state.write_state else {
            return SendStatus::Closed;
        };
        let is_first_skip = !outbox.is_skipping();
        match (outbox.push(batch, self.limits.backlog), self.limits.slow) {
            (Ok(waiting), _) => SendStatus::Queued(waiting),
            (Err(BacklogFull), Slow::Skip) => {
                self.count_skipped(frames());
                if is_first_skip {
                    self.signals.set(Signal::Skipping);
                    self.wake(state);
                }
                SendStatus::Dropped
            }
            (Err(BacklogFull), Slow::Close) => {
                self.close_slow_consumer(state);
                SendStatus::Closed
            }
        }
    }

    /// Counts messages that are dropped for this peer.
    pub(super) fn count_skipped(&self, frames: usize) {
        self.budget.count_skipped(frames);
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.skipped.fetch_add(frames, Ordering::Relaxed);
    }

    /// Closes the connection of a slow consumer.
    ///
    /// The close frame replaces the queued messages. Its code is 1013, unless another close was
    /// requested before.
    pub(super) fn close_slow_consumer(&self, mut state: MutexGuard<'_, TransportState>) {
        let close = state
            .close
            .get_or_insert_with(|| Box::new(Close::of(CloseCause::SlowConsumer)));
        let frame = close.frame.clone();
        self.signals.set(Signal::Closing);
        if let WriteState::Blocked(outbox) = &mut state.write_state {
            outbox.drop_queue();
        }
        self.queue_close_frame(state, &frame);
    }

    /// Returns whether an outbox waits for the peer.
    pub(crate) fn is_blocked(&self) -> bool {
        self.signals.has(Signal::Blocked)
    }

    /// Closes the connection of a peer that has read nothing for `write_timeout`, as that of a slow
    /// consumer.
    ///
    /// Race: the task may write the outbox after the sweep has found the peer stalled, and another
    /// task may request a close. This looks again under the lock.
    pub(crate) fn close_stalled(&self) {
        let state = self.lock();
        if matches!(state.write_state, WriteState::Blocked(_)) && state.close.is_none() {
            self.close_slow_consumer(state);
        }
    }

    /// Returns since when the peer has read nothing of its outbox.
    pub(crate) fn stalled_since(&self, now: u32) -> u32 {
        let since = self.progress.blocked_since(self.is_blocked(), now);
        since.unwrap_or(now).max(self.progress.at())
    }

    /// Drops what waits for the peer, because the budget of all peers is spent. The route's `slow`
    /// option decides whether the connection is closed.
    ///
    /// The rest of a partly written frame has to stay. [`cut_off`](Self::cut_off) drops it, too.
    pub(crate) fn drop_backlog(&self) {
        let mut state = self.lock();
        // While the connection closes, its last messages wait for at most `CLOSE_STALL`.
        if state.close_queued {
            return;
        }
        let WriteState::Blocked(outbox) = &mut state.write_state else {
            return;
        };
        if self.limits.slow == Slow::Close {
            return self.close_slow_consumer(state);
        }
        let frames = outbox.skip_queue();
        if frames > 0 {
            self.count_skipped(frames);
            self.signals.set(Signal::Skipping);
            self.wake(state);
        }
    }

    /// Returns whether the backlogs of all peers take half of their budget.
    pub(crate) fn is_memory_scarce(&self) -> bool {
        self.budget.is_scarce()
    }

    /// Returns how many bytes wait for the peer.
    pub(crate) fn waiting(&self) -> usize {
        match &self.lock().write_state {
            WriteState::Blocked(outbox) => outbox.len(),
            WriteState::Open | WriteState::Closed => 0,
        }
    }

    /// Drops everything that waits for the peer, even a partly written frame. Nothing can be sent
    /// after a part of a frame, so the connection is lost.
    pub(crate) fn cut_off(&self) {
        let mut state = self.lock();
        if matches!(state.write_state, WriteState::Blocked(_)) {
            let close = || Box::new(Close::of(CloseCause::SlowConsumer));
            state.close.get_or_insert_with(close);
            self.mark_lost(state);
        }
    }

    /// Writes the outbox, and is ready when the transport is not blocked any more.
    ///
    /// Only the connection's task calls this: tokio keeps one waker per direction of a socket.
    pub(crate) fn poll_drain(&self, context: &mut Context<'_>) -> Poll<()> {
        while self.signals.has(Signal::Blocked) {
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

    /// Writes the buffer of a stream that only its task can write. Does nothing for a socket.
    ///
    /// Returns whether the next step of a close is due: this call has written everything of a
    /// connection that closes, or the stream has failed.
    #[inline]
    pub(crate) fn poll_flush(&self, context: &mut Context<'_>) -> bool {
        if self.stream.is_flushed() {
            return false;
        }
        match self.stream.poll_flush(context) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => self.is_closing(),
            Poll::Ready(Err(_)) => {
                self.mark_lost(self.lock());
                true
            }
        }
    }

    /// Writes the outbox once. Opens the transport if nothing is left.
    ///
    /// Race: the task clears `Blocked` while a writer on another thread blocks the transport anew.
    /// If the task cleared the signal after the writer had set it, the new outbox would never be
    /// drained. Both change the state and the signal under the lock, so this order cannot occur.
    fn drain(&self) {
        let mut state = self.lock();
        let WriteState::Blocked(outbox) = &mut state.write_state else {
            return;
        };
        match outbox.write_to(&self.stream) {
            Ok(written) if !outbox.is_empty() => self.progress.wrote(written),
            Ok(written) => {
                self.progress.wrote(written);
                state.write_state = WriteState::Open;
                self.signals.clear(Signal::Blocked);
                self.signals.set(Signal::Drained);
            }
            Err(_) => {
                self.mark_lost(state);
            }
        }
    }

    /// Returns whether nothing will be written any more.
    ///
    /// This is the case once the operating system has everything up to the close frame, or the
    /// socket has failed.
    pub(crate) fn is_flushed(&self) -> bool {
        let state = self.lock();
        let is_written = !matches!(state.write_state, WriteState::Blocked(_));
        state.close_queued && is_written && self.stream.is_flushed()
    }
}
