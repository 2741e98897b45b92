//! How a way out ends: what others may request_close of the connection, and what is left when it is gone.

use std::net::Shutdown;

use socket2::SockRef;

use crate::close::{Close, CloseCause, CloseFrame};
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::{SendStatus, Signal, Transport, TransportState, WriteState};

/// What a connection has to act on before it reads on.
#[derive(Debug)]
pub(crate) enum TransportEvent {
    None,
    Close(Close),
    /// Messages are being left out, since the backlog was full.
    Skipping,
    Drained,
}

impl Transport {
    /// Asks the connection to end, and says whether nobody had. The first to request_close decides how.
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

    /// While `open` runs, what it sends goes out although the hub has requested a close.
    pub(crate) fn set_opening(&self, opening: bool) {
        self.lock().opening = opening;
    }

    /// Replaces the close, unless a close frame is queued or the socket is gone: an `open` that
    /// fails decides the close frame itself, whatever was asked for meanwhile.
    pub(crate) fn replace_close(&self, close: Close) {
        let mut state = self.lock();
        let is_own = |close: &Close| close.cause == CloseCause::Handler;
        if !state.close_queued && !state.close.as_deref().is_some_and(is_own) {
            state.close = Some(Box::new(close));
            self.signals.set(Signal::Closing);
        }
    }

    /// Says whether a close frame is queued or sent, or the socket is gone.
    pub(crate) fn is_close_queued(&self) -> bool {
        self.lock().close_queued
    }

    /// Returns why the connection ends, if it does.
    pub(crate) fn cause(&self) -> Option<CloseCause> {
        self.lock().close.as_ref().map(|close| close.cause)
    }

    /// Returns the close that was asked for first.
    pub(crate) fn requested_close(&self) -> Option<Close> {
        self.lock().close.as_deref().cloned()
    }

    /// Returns the code and reason of the close that was asked for first.
    pub(crate) fn close_frame(&self) -> Option<CloseFrame> {
        self.lock().close.as_ref().map(|close| close.frame.clone())
    }

    /// Ends a connection that the hub will not serve any more: it keeps its own time from here on.
    pub(crate) fn detach(&self) {
        self.signals.set(Signal::Detached);
        self.request_close(Close::of(CloseCause::Shutdown));
    }

    /// Says whether nobody watches this connection's deadlines, so that it should not wait.
    pub(crate) fn is_detached(&self) -> bool {
        self.signals.has(Signal::Detached)
    }

    /// From here on the connection counts among the active.
    pub(crate) fn set_active(&self) {
        self.active.store(true, Ordering::Release);
    }

    /// Says once, of a connection that was active, that it ends to be.
    pub(crate) fn take_active(&self) -> bool {
        self.active.load(Ordering::Acquire) && self.active.swap(false, Ordering::AcqRel)
    }

    /// Wakes the task to look at the time.
    pub(crate) fn wake_task(&self) {
        self.wake(self.lock());
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.signals.has(Signal::Closing)
    }

    /// Says that there is neither [`next_event`](Self::next_event) nor anything to drain: one look for each
    /// message, so it is inlined and the rest is not.
    #[inline]
    pub(crate) fn has_no_events(&self) -> bool {
        self.signals.is_empty()
    }

    /// Says what there is to act on: an close first, else, once each, that messages are left out and
    /// that the outbox has emptied.
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

    /// Cancels the handler that waits; `close` only when told to.
    pub(crate) fn cancel(&self, with_close: bool) {
        self.signals.set(Signal::Cancel);
        if with_close {
            self.signals.set(Signal::CancelClose);
        }
        self.wake_task();
    }

    pub(crate) fn is_cancelled(&self, in_close: bool) -> bool {
        self.signals.has(if in_close {
            Signal::CancelClose
        } else {
            Signal::Cancel
        })
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.lock().write_state, WriteState::Closed)
    }

    /// Drops whatever waits: nothing more is written.
    pub(crate) fn drop_unsent(&self) {
        self.mark_lost(self.lock());
    }

    /// Tells the peer that nothing follows; it may still be read.
    pub(crate) fn shut_down_writes(&self) {
        // The peer may be gone already, and then there is nobody to tell.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Forgets the task at its end: its waker would keep it and this alive for ever.
    pub(crate) fn release_task(&self) {
        let mut state = self.lock();
        state.close_queued = true;
        state.write_state = WriteState::Closed;
        state.cork = None;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }

    /// The socket is gone, and all that waited for it.
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
