//! What others may ask of a connection: to end, and how.

use std::sync::atomic::Ordering;

use crate::close::{CloseCode, Closing};

use super::{CANCEL, CANCEL_CLOSE, DRAINED, ENDING, WriteEnd};

/// Why a connection ends when it is not its own doing.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// A handler, a `Peer` or the hub closed it.
    Close(Closing),
    /// Its backlog was full; the close frame is on its way.
    Slow(Closing),
    /// Nothing was heard from the peer for too long.
    Idle,
    /// The server shuts down.
    Shutdown,
    /// The socket failed.
    Lost,
}

/// What a connection has to act on before it reads on.
#[derive(Debug)]
pub(crate) enum News {
    None,
    Ending(Ending),
    Drained,
}

impl Ending {
    /// The code and reason that the `close` handler is told.
    pub(crate) fn closing(&self) -> Closing {
        match self {
            Self::Close(closing) | Self::Slow(closing) => closing.clone(),
            Self::Idle => Closing::new(CloseCode::GOING_AWAY, "Idle Timeout"),
            Self::Shutdown => Closing::new(CloseCode::GOING_AWAY, "Server Shutdown"),
            Self::Lost => Closing::bare(CloseCode::ABNORMAL),
        }
    }
}

impl WriteEnd {
    /// Asks the connection to end. The first to ask decides how.
    pub(crate) fn ask(&self, ending: Ending) {
        let mut state = self.lock();
        if state.ending.is_none() {
            state.ending = Some(Box::new(ending));
            self.attention.fetch_or(ENDING, Ordering::Release);
        }
        self.wake(state);
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

    /// Says what there is to act on: an ending first, else once that the outbox has emptied.
    pub(crate) fn news(&self) -> News {
        let attention = self.attention.load(Ordering::Acquire);
        if attention & (ENDING | DRAINED) == 0 {
            return News::None;
        }
        if attention & ENDING != 0
            && let Some(ending) = &self.lock().ending
        {
            return News::Ending(Ending::clone(ending));
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
}
