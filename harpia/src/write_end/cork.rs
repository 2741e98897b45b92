//! Corking: what a handler sends while more of its own input is buffered goes out in one write.
//!
//! The task corks before it calls a handler and uncorks before it parks or a handler waits; any
//! other writer writes the cork out first. The cork is the worker thread's, lent for that time.

use std::cell::Cell;
use std::io::IoSlice;

use bytes::Bytes;

use crate::sync::MutexGuard;

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
        let mut state = self.lock_behind_cork();
        let cork = state.cork.take();
        drop(state);
        if let Some(mut cork) = cork
            && cork.frames.capacity() <= 2 * FULL
        {
            cork.frames.clear();
            SPARE.set(Some(cork));
        }
    }

    /// Locks with nothing in the cork, for whoever writes past it. A `Peer` may add to it whenever
    /// it is not locked, so looking once is not enough: what it added would be overtaken or lost.
    pub(super) fn lock_behind_cork(&self) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.holds() {
            self.write_cork(state);
            state = self.lock();
        }
        state
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

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use crate::limits::Limits;
    use crate::protocol::frame;

    use super::super::Run;
    use super::super::far_end::{FarEnd, Frame, Wire, split};
    use super::*;

    fn corked() -> (Wire, WriteEnd, FarEnd) {
        let wire = Wire::new();
        let (end, far) = wire.narrow(Limits::default());
        end.cork();
        (wire, end, far)
    }

    #[test]
    fn what_is_sent_while_corked_goes_out_together_and_the_cork_is_lent_again() {
        let (_wire, end, far) = corked();
        assert_eq!(end.send(&"a".into()), SendStatus::Sent);
        assert_eq!(end.send(&"b".into()), SendStatus::Sent);
        assert_eq!(far.frames(), []);
        end.uncork();
        assert_eq!(far.frames(), [Frame::text("a"), Frame::text("b")]);
        assert!(end.lock().cork.is_none());
        assert_eq!(end.send(&"c".into()), SendStatus::Sent);
        assert_eq!(far.frames(), [Frame::text("c")]);
        let spare = SPARE.take().unwrap();
        assert!(spare.frames.is_empty() && spare.frames.capacity() > 0);
    }

    #[test]
    fn whoever_else_writes_writes_the_cork_out_first() {
        let (_wire, end, far) = corked();
        end.send(&"a".into());
        end.write_run(&mut Run::of(&frame::encode(&"run".into())));
        assert_eq!(far.frames(), [Frame::text("a"), Frame::text("run")]);
        end.send(&"b".into());
        end.pong(b"pong");
        assert_eq!(far.frames(), [Frame::text("b"), Frame::pong("pong")]);
        end.send(&"c".into());
        end.ping();
        assert_eq!(far.frames(), [Frame::text("c"), Frame::ping()]);
        end.send(&"d".into());
        end.finish(&crate::close::Closing::bare(1000.into()));
        let frames = far.frames();
        assert_eq!(frames[0], Frame::text("d"));
        assert_eq!(frames[1].close_code(), Some(1000));
        end.uncork();
        assert_eq!(far.frames(), []);
    }

    #[test]
    fn what_the_socket_does_not_take_of_a_cork_waits_and_all_else_behind_it() {
        let (wire, end, far) = corked();
        let large = "large".repeat(5000);
        assert_eq!(end.send(&large.as_str().into()), SendStatus::Sent);
        end.pong(b"ahead of nothing: it finds the frame under way");
        assert!(end.lock().cork.is_none(), "it would overtake");
        assert!(matches!(end.send(&"next".into()), SendStatus::Queued(_)));
        end.cork();
        assert!(end.lock().cork.is_none(), "it would overtake");
        assert!(matches!(end.send(&"last".into()), SendStatus::Queued(_)));
        end.uncork();
        let mut bytes = Vec::new();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while end.poll_drain(&mut context).is_pending() {
            bytes.extend(far.read());
            wire.turn();
        }
        bytes.extend(far.read());
        let (frames, _) = split(&bytes);
        assert!(frames[0] == Frame::text(large));
        assert_eq!(frames[1].opcode, 10);
        assert_eq!(frames[2..], [Frame::text("next"), Frame::text("last")]);
    }

    #[test]
    fn a_run_that_blocks_ends_an_empty_cork_too() {
        let (_wire, end, far) = corked();
        let large = frame::encode(&"large".repeat(5000).into());
        end.write_run(&mut Run::of(&large));
        assert!(end.lock().cork.is_none(), "it would overtake");
        assert!(matches!(end.send(&"next".into()), SendStatus::Queued(_)));
        assert!(!far.read().is_empty());
    }

    #[test]
    fn a_full_cork_is_written_at_once() {
        let wire = Wire::new();
        let id = crate::id::ConnectionId::new(0, 0);
        let (end, far) = wire.wide(id, Limits::default(), None);
        end.cork();
        let large = "x".repeat(FULL - 10);
        assert_eq!(end.send(&large.as_str().into()), SendStatus::Sent);
        assert_eq!(far.frames(), []);
        assert_eq!(end.send(&"full".into()), SendStatus::Sent);
        assert_eq!(far.frames().len(), 2);
        assert!(!end.lock().holds());
    }
}
