//! How a way out ends: what others may ask of the connection, and what is left when it is gone.

use std::net::Shutdown;

use socket2::SockRef;

use crate::close::{CloseCause, Closing, Ending};
use crate::sync::MutexGuard;
use crate::sync::atomic::Ordering;

use super::{
    BLOCKED, CANCEL, CANCEL_CLOSE, DRAINED, ENDING, ORPHANED, SKIPPING, SendStatus, Stage, State,
    WriteEnd,
};

/// What a connection has to act on before it reads on.
#[derive(Debug)]
pub(crate) enum News {
    None,
    Ending(Ending),
    /// Messages are being left out, since the backlog was full.
    Skipping,
    Drained,
}

impl WriteEnd {
    /// Asks the connection to end, and says whether nobody had. The first to ask decides how.
    pub(crate) fn ask(&self, ending: Ending) -> bool {
        let mut state = self.lock();
        let is_first = state.ending.is_none();
        if is_first {
            state.ending = Some(Box::new(ending));
            self.attention.fetch_or(ENDING, Ordering::Release);
        }
        self.wake(state);
        is_first
    }

    /// Replaces the ending, unless a close frame is queued or the socket is gone: an `open` that
    /// fails decides the close frame itself, whatever was asked for meanwhile.
    pub(crate) fn replace_ending(&self, ending: Ending) {
        let mut state = self.lock();
        if !state.sealed {
            state.ending = Some(Box::new(ending));
            self.attention.fetch_or(ENDING, Ordering::Release);
        }
    }

    /// Says whether a close frame is queued or sent, or the socket is gone.
    pub(crate) fn is_sealed(&self) -> bool {
        self.lock().sealed
    }

    /// Returns why the connection ends, if it does.
    pub(crate) fn cause(&self) -> Option<CloseCause> {
        self.lock().ending.as_ref().map(|ending| ending.cause)
    }

    /// Returns the ending that was asked for first.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.lock().ending.as_deref().cloned()
    }

    /// Returns the code and reason of the ending that was asked for first.
    pub(crate) fn decided(&self) -> Option<Closing> {
        self.lock()
            .ending
            .as_ref()
            .map(|ending| ending.closing.clone())
    }

    /// Ends a connection that the hub will not serve any more: it keeps its own time from here on.
    pub(crate) fn orphan(&self) {
        self.attention.fetch_or(ORPHANED, Ordering::Release);
        self.ask(Ending::of(CloseCause::Shutdown));
    }

    /// Says whether nobody watches this connection's deadlines, so that it should not wait.
    pub(crate) fn is_orphaned(&self) -> bool {
        self.attention.load(Ordering::Acquire) & ORPHANED != 0
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
    pub(crate) fn poke(&self) {
        self.wake(self.lock());
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.attention.load(Ordering::Acquire) & ENDING != 0
    }

    /// Says that there is neither [`news`](Self::news) nor anything to drain: one look for each
    /// message, so it is inlined and the rest is not.
    #[inline]
    pub(crate) fn is_quiet(&self) -> bool {
        self.attention.load(Ordering::Acquire) == 0
    }

    /// Says what there is to act on: an ending first, else, once each, that messages are left out and
    /// that the outbox has emptied.
    pub(crate) fn news(&self) -> News {
        let attention = self.attention.load(Ordering::Acquire);
        if attention & (ENDING | SKIPPING | DRAINED) == 0 {
            return News::None;
        }
        if attention & ENDING != 0
            && let Some(ending) = &self.lock().ending
        {
            return News::Ending(Ending::clone(ending));
        }
        if attention & SKIPPING != 0 {
            self.attention.fetch_and(!SKIPPING, Ordering::AcqRel);
            return News::Skipping;
        }
        self.attention.fetch_and(!DRAINED, Ordering::AcqRel);
        News::Drained
    }

    /// Cancels the handler that waits; `close` only when told to.
    pub(crate) fn cancel(&self, with_close: bool) {
        let flags = if with_close {
            CANCEL | CANCEL_CLOSE
        } else {
            CANCEL
        };
        self.attention.fetch_or(flags, Ordering::Release);
        self.wake(self.lock());
    }

    pub(crate) fn is_cancelled(&self, in_close: bool) -> bool {
        let flag = if in_close { CANCEL_CLOSE } else { CANCEL };
        self.attention.load(Ordering::Acquire) & flag != 0
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.lock().stage, Stage::Closed)
    }

    /// Drops whatever waits: nothing more is written.
    pub(crate) fn abandon(&self) {
        self.lose(self.lock());
    }

    /// Tells the peer that nothing follows; it may still be read.
    pub(crate) fn shut_down(&self) {
        // The peer may be gone already, and then there is nobody to tell.
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Forgets the task at its end: its waker would keep it and this alive for ever.
    pub(crate) fn detach(&self) {
        let mut state = self.lock();
        state.sealed = true;
        state.stage = Stage::Closed;
        state.cork = None;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }

    /// The socket is gone, and all that waited for it.
    pub(super) fn lose(&self, mut state: MutexGuard<'_, State>) -> SendStatus {
        state.stage = Stage::Closed;
        state.sealed = true;
        state
            .ending
            .get_or_insert_with(|| Box::new(Ending::of(CloseCause::Lost)));
        self.attention.fetch_and(!BLOCKED, Ordering::AcqRel);
        self.attention.fetch_or(ENDING, Ordering::Release);
        self.wake(state);
        SendStatus::Closed
    }
}
