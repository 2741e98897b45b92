//! How a transport closes: requested closes, cancellation, lost sockets, and release of the task.
//!
//! The first close that is requested decides the close frame. `replace_close` is the one exception.

use crate::close::{Close, CloseCause, CloseFrame};
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::{SendStatus, Signal, Stream, Transport, TransportState, WriteState};

/// An event that the connection's task handles before it reads more input.
#[derive(Debug)]
pub(crate) enum TransportEvent {
    None,
    /// A close was requested. This event repeats until the task ends.
    Close(Close),
    /// The backlog is full, and messages are dropped until the outbox is empty.
    Skipping,
    /// The outbox was written, so the `drain` handler is due.
    Drained,
}

impl Transport {
    /// Requests that the connection closes, and returns whether this is the first request.
    ///
    /// Only the first request has an effect: it decides the cause and the close frame.
    pub(crate) fn request_close(&self, close: Close) -> bool {
        let mut state = self.lock();
        let is_first = state.close.is_none();
        if is_first {
            state.close = Some(Box::new(close));
            self.signals.set(Signal::Closing);
        }
        self.wake(state);
        is_first
    }

    pub(crate) fn is_opening(&self) -> bool {
        self.lock().opening
    }

    /// Sets whether `open` runs. While it runs, sends go out even if the hub has requested a close.
    pub(crate) fn set_opening(&self, opening: bool) {
        self.lock().opening = opening;
    }

    /// Replaces the requested close, for an `open` that failed: its error decides the close frame.
    ///
    /// Race: the hub may request a close while `open` runs. In the bad order the hub's request is
    /// first, and the client gets the hub's close frame instead of the one that `open` chose. To
    /// prevent that, this call replaces the earlier request. It keeps a close that a handler
    /// requested, and does nothing once a close frame is queued or the socket has failed.
    pub(crate) fn replace_close(&self, close: Close) {
        let mut state = self.lock();
        let is_by_handler = |close: &Close| close.cause == CloseCause::Handler;
        if !state.close_queued && !state.close.as_deref().is_some_and(is_by_handler) {
            state.close = Some(Box::new(close));
            self.signals.set(Signal::Closing);
        }
    }

    /// Returns whether a close frame is queued or sent, or nothing can be written any more.
    pub(crate) fn is_close_queued(&self) -> bool {
        self.lock().close_queued
    }

    /// Returns the cause of the requested close.
    pub(crate) fn cause(&self) -> Option<CloseCause> {
        self.lock().close.as_ref().map(|close| close.cause)
    }

    /// Returns the requested close.
    pub(crate) fn requested_close(&self) -> Option<Close> {
        self.lock().close.as_deref().cloned()
    }

    /// Returns the code and reason of the requested close.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        self.lock().close.as_ref().map(|close| close.frame.clone())
    }

    /// Closes a connection that the hub does not serve any more.
    ///
    /// The hub's sweep does not check its deadlines from now on.
    pub(crate) fn detach(&self) {
        self.signals.set(Signal::Detached);
        self.request_close(Close::of(CloseCause::Shutdown));
    }

    /// Returns whether the hub has stopped. No sweep checks deadlines then, so the task must not
    /// wait for one.
    pub(crate) fn is_detached(&self) -> bool {
        self.signals.has(Signal::Detached)
    }

    /// Marks the connection as counted by the hub.
    pub(crate) fn mark_counted(&self) {
        self.counted.store(true, Ordering::Release);
    }

    /// Clears the mark, and returns whether it was set.
    ///
    /// Race: the task and the hub may call this at the same time. The atomic swap returns `true` to
    /// exactly one of them, so the hub's count is not reduced twice.
    pub(crate) fn take_counted(&self) -> bool {
        self.counted.load(Ordering::Acquire) && self.counted.swap(false, Ordering::AcqRel)
    }

    /// Wakes the connection's task, for example to check a deadline.
    pub(crate) fn wake_task(&self) {
        self.wake(self.lock());
    }

    /// Returns whether a close was requested.
    pub(crate) fn is_closing(&self) -> bool {
        self.signals.has(Signal::Closing)
    }

    /// Returns whether there is neither an event nor an outbox to drain.
    ///
    /// This method is inlined, because the task calls it once per message. The task rarely calls
    /// [`next_event`](Self::next_event), which is not inlined.
    #[inline]
    pub(crate) fn has_no_events(&self) -> bool {
        self.signals.is_empty()
    }

    /// Returns the next event: a requested close, else `Skipping`, else `Drained`.
    ///
    /// Every call returns a requested close again. The other events are returned once.
    pub(crate) fn next_event(&self) -> TransportEvent {
        if self.signals.has(Signal::Closing)
            && let Some(close) = &self.lock().close
        {
            return TransportEvent::Close(Close::clone(close));
        }
        if self.signals.has(Signal::Skipping) {
            self.signals.clear(Signal::Skipping);
            return TransportEvent::Skipping;
        }
        if self.signals.has(Signal::Drained) {
            self.signals.clear(Signal::Drained);
            return TransportEvent::Drained;
        }
        TransportEvent::None
    }

    /// Cancels a handler that waits. Cancels a `close` handler only if `with_close` is set.
    pub(crate) fn cancel(&self, with_close: bool) {
        self.signals.set(Signal::Cancel);
        if with_close {
            self.signals.set(Signal::CancelClose);
        }
        self.wake_task();
    }

    /// Returns whether a shutdown cancels handlers. With `in_close`, returns whether it cancels the
    /// `close` handler.
    pub(crate) fn is_cancelled(&self, in_close: bool) -> bool {
        self.signals.has(if in_close {
            Signal::CancelClose
        } else {
            Signal::Cancel
        })
    }

    /// Returns whether nothing can be written any more.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.lock().write_state, WriteState::Closed)
    }

    /// Drops the outbox and closes the transport. Nothing is written any more.
    pub(crate) fn drop_outbox(&self) {
        self.mark_lost(self.lock());
    }

    /// Checks whether the peer reads what it is sent. The hub's sweep calls this.
    pub(crate) fn look_at_progress(&self, now: u32) {
        let queued = self.waiting();
        if let Some(unsent) = self.stream.unsent() {
            self.progress.look(unsent, queued, now);
        }
    }

    /// Returns whether the peer has reset the connection: see [`Stream::has_hung_up`].
    pub(crate) fn has_hung_up(&self) -> bool {
        self.stream.has_hung_up()
    }

    /// Returns whether the stream is a socket. Any thread can write to a socket.
    pub(crate) fn is_direct(&self) -> bool {
        matches!(self.stream, Stream::Direct(_))
    }

    /// Shuts down the write direction of the socket. The peer can still be read.
    pub(crate) fn shut_down_writes(&self) {
        self.stream.shut_down_writes();
    }

    /// Drops the waker of a task that ends, and closes the transport.
    ///
    /// The waker would keep the task and this transport alive forever.
    pub(crate) fn release_task(&self) {
        let mut state = self.lock();
        state.close_queued = true;
        state.write_state = WriteState::Closed;
        state.cork = None;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
        self.stream.release();
    }

    /// Closes the transport after its socket has failed, and drops the outbox.
    ///
    /// The cause is `Lost`, unless another close was requested before.
    pub(super) fn mark_lost(&self, mut state: MutexGuard<'_, TransportState>) -> SendStatus {
        state.write_state = WriteState::Closed;
        state.close_queued = true;
        state
            .close
            .get_or_insert_with(|| Box::new(Close::of(CloseCause::Lost)));
        self.signals.clear(Signal::Blocked);
        self.signals.set(Signal::Closing);
        self.wake(state);
        SendStatus::Closed
    }
}
