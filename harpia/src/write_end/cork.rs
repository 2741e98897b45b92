//! Corking: what a handler sends while more of its own input is buffered goes out in one write.
//!
//! The task corks before it calls a handler and uncorks before it parks or a handler waits; any
//! other writer writes the cork out first. The cork is the worker thread's, lent for that time.

use std::cell::Cell;
use std::io::IoSlice;
use std::sync::MutexGuard;

use bytes::Bytes;

use super::outgoing::Outgoing;
use super::{SendStatus, Stage, State, WriteEnd};

/// What a handler has sent since it was corked.
#[derive(Default)]
pub(super) struct Cork {
    frames: Vec<u8>,
}

impl Cork {
    /// Adds a message, and says whether it may wait: beyond `FULL` a write is as efficient as it
    /// gets.
    pub(super) fn hold(&mut self, message: &Outgoing<'_>) -> bool {
        message.append(&mut self.frames);
        self.frames.len() < FULL
    }
}

const FULL: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<Option<Box<Cork>>> = const { Cell::new(None) };
}

impl State {
    /// Says whether the cork holds something that has to go out before anything else.
    pub(super) fn holds(&self) -> bool {
        self.cork
            .as_ref()
            .is_some_and(|cork| !cork.frames.is_empty())
    }
}

impl WriteEnd {
    pub(crate) fn cork(&self) {
        let mut state = self.lock();
        if state.cork.is_none() && matches!(state.stage, Stage::Open) && !state.sealed {
            state.cork = Some(SPARE.take().unwrap_or_default());
        }
    }

    pub(crate) fn uncork(&self) {
        let mut state = self.lock();
        if state.holds() {
            self.write_cork(state);
            state = self.lock();
        }
        let cork = state.cork.take();
        drop(state);
        if let Some(mut cork) = cork
            && cork.frames.capacity() <= 2 * FULL
        {
            cork.frames.clear();
            SPARE.set(Some(cork));
        }
    }

    /// Writes the cork's content. What the socket does not take waits in an outbox, and further
    /// sends queue behind it.
    pub(super) fn write_cork(&self, mut state: MutexGuard<'_, State>) -> SendStatus {
        let Some(mut cork) = state.cork.take() else {
            return SendStatus::Sent;
        };
        if !matches!(state.stage, Stage::Open) {
            return SendStatus::Closed;
        }
        match self.write(&[IoSlice::new(&cork.frames)], cork.frames.len()) {
            Ok(written) if written == cork.frames.len() => {
                cork.frames.clear();
                state.cork = Some(cork);
                SendStatus::Sent
            }
            Ok(written) => self.block(state, Bytes::from(cork.frames), written),
            Err(_) => self.lose(state),
        }
    }
}
