//! Corking: what a handler sends while more of its own input is buffered goes out in one write.
//!
//! The task corks before it calls a handler and uncorks before it parks or a handler waits; any
//! other writer writes the cork out first. The buffer is the worker thread's, lent for that time.

use std::cell::RefCell;
use std::io::IoSlice;
use std::mem;
use std::sync::MutexGuard;

use bytes::Bytes;

use super::{SendStatus, Stage, State, WriteEnd};

/// Beyond this a write is as efficient as it gets.
pub(super) const FULL: usize = 64 * 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl WriteEnd {
    pub(crate) fn cork(&self) {
        let mut state = self.lock();
        if !state.corked && matches!(state.stage, Stage::Open) && !state.sealed {
            state.corked = true;
            if state.cork.capacity() == 0 {
                state.cork = BUFFER.take();
            }
        }
    }

    pub(crate) fn uncork(&self) {
        let mut state = self.lock();
        if !state.corked {
            return;
        }
        state.corked = false;
        if !state.cork.is_empty() {
            self.write_cork(state);
            state = self.lock();
        }
        let mut buffer = mem::take(&mut state.cork);
        drop(state);
        buffer.clear();
        if buffer.capacity() <= 2 * FULL {
            BUFFER.set(buffer);
        }
    }

    /// Writes the cork's content. What the socket does not take waits in an outbox, and further
    /// sends queue behind it.
    pub(super) fn write_cork(&self, mut state: MutexGuard<'_, State>) -> SendStatus {
        let mut buffer = mem::take(&mut state.cork);
        let result = self.write(&[IoSlice::new(&buffer)], buffer.len());
        match result {
            Ok(written) if written == buffer.len() => {
                buffer.clear();
                state.cork = buffer;
                SendStatus::Sent
            }
            Ok(written) => self.block(state, Bytes::from(buffer), written),
            Err(_) => self.lose(state),
        }
    }
}
