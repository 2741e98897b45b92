//! Corking: what a handler sends while more of its own input is buffered goes out in one write.
//!
//! The task corks before it calls a handler and uncorks before it parks or a handler waits; any
//! other writer writes the cork out first. The cork is the worker thread's, lent for that time.

use std::cell::Cell;
use std::io::IoSlice;

use bytes::Bytes;

use crate::sync::MutexGuard;

use super::outgoing::Outgoing;
use super::{SendStatus, Transport, TransportState, WriteState};

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

impl TransportState {
    /// Says whether the cork holds something that has to go out before anything else.
    pub(super) fn holds(&self) -> bool {
        self.cork
            .as_ref()
            .is_some_and(|cork| !cork.frames.is_empty())
    }
}

impl Transport {
    pub(crate) fn cork(&self) {
        let mut state = self.lock();
        if state.cork.is_none()
            && matches!(state.write_state, WriteState::Open)
            && !state.close_queued
        {
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
    pub(super) fn lock_behind_cork(&self) -> MutexGuard<'_, TransportState> {
        let mut state = self.lock();
        while state.holds() {
            self.write_cork(state);
            state = self.lock();
        }
        state
    }

    /// Writes the cork's content. What the socket does not take waits in an outbox, and further
    /// sends queue behind it.
    pub(super) fn write_cork(&self, mut state: MutexGuard<'_, TransportState>) -> SendStatus {
        let Some(mut cork) = state.cork.take() else {
            return SendStatus::Sent;
        };
        if !matches!(state.write_state, WriteState::Open) {
            return SendStatus::Closed;
        }
        match self.write(&[IoSlice::new(&cork.frames)], cork.frames.len()) {
            Ok(written) if written == cork.frames.len() => {
                cork.frames.clear();
                state.cork = Some(cork);
                SendStatus::Sent
            }
            Ok(written) => self.block(state, Bytes::from(cork.frames), written),
            Err(_) => self.mark_lost(state),
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use crate::limits::Limits;
    use crate::protocol::frame;

    use super::super::Batch;
    use super::super::test_peer::{Frame, TestPeer, Wire, split};
    use super::*;

    fn corked() -> (Wire, Transport, TestPeer) {
        let wire = Wire::new();
        let (transport, far) = wire.narrow(Limits::default());
        transport.cork();
        (wire, transport, far)
    }

    #[test]
    fn what_is_sent_while_corked_goes_out_together_and_the_cork_is_lent_again() {
        let (_wire, transport, far) = corked();
        assert_eq!(transport.send(&"a".into()), SendStatus::Sent);
        assert_eq!(transport.send(&"b".into()), SendStatus::Sent);
        assert_eq!(far.frames(), []);
        transport.uncork();
        assert_eq!(far.frames(), [Frame::text("a"), Frame::text("b")]);
        assert!(transport.lock().cork.is_none());
        assert_eq!(transport.send(&"c".into()), SendStatus::Sent);
        assert_eq!(far.frames(), [Frame::text("c")]);
        let spare = SPARE.take().unwrap();
        assert!(spare.frames.is_empty() && spare.frames.capacity() > 0);
    }

    #[test]
    fn whoever_else_writes_writes_the_cork_out_first() {
        let (_wire, transport, far) = corked();
        transport.send(&"a".into());
        transport.write_batch(&mut Batch::of(&frame::encode(&"batch".into())));
        assert_eq!(far.frames(), [Frame::text("a"), Frame::text("batch")]);
        transport.send(&"b".into());
        transport.pong(b"pong");
        assert_eq!(far.frames(), [Frame::text("b"), Frame::pong("pong")]);
        transport.send(&"c".into());
        transport.ping();
        assert_eq!(far.frames(), [Frame::text("c"), Frame::ping()]);
        transport.send(&"d".into());
        transport.send_close(&crate::close::CloseFrame::bare(1000.into()));
        let frames = far.frames();
        assert_eq!(frames[0], Frame::text("d"));
        assert_eq!(frames[1].close_code(), Some(1000));
        transport.uncork();
        assert_eq!(far.frames(), []);
    }

    #[test]
    fn what_the_socket_does_not_take_of_a_cork_waits_and_all_else_behind_it() {
        let (wire, transport, far) = corked();
        let large = "large".repeat(5000);
        assert_eq!(transport.send(&large.as_str().into()), SendStatus::Sent);
        transport.pong(b"ahead of nothing: it finds the frame under way");
        assert!(transport.lock().cork.is_none(), "it would overtake");
        assert!(matches!(
            transport.send(&"next".into()),
            SendStatus::Queued(_)
        ));
        transport.cork();
        assert!(transport.lock().cork.is_none(), "it would overtake");
        assert!(matches!(
            transport.send(&"last".into()),
            SendStatus::Queued(_)
        ));
        transport.uncork();
        let mut bytes = Vec::new();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while transport.poll_drain(&mut context).is_pending() {
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
        let (_wire, transport, far) = corked();
        let large = frame::encode(&"large".repeat(5000).into());
        transport.write_batch(&mut Batch::of(&large));
        assert!(transport.lock().cork.is_none(), "it would overtake");
        assert!(matches!(
            transport.send(&"next".into()),
            SendStatus::Queued(_)
        ));
        assert!(!far.read().is_empty());
    }

    #[test]
    fn a_full_cork_is_written_at_once() {
        let wire = Wire::new();
        let id = crate::id::ConnectionId::new(0, 0);
        let (transport, far) = wire.wide(id, Limits::default(), None);
        transport.cork();
        let large = "x".repeat(FULL - 10);
        assert_eq!(transport.send(&large.as_str().into()), SendStatus::Sent);
        assert_eq!(far.frames(), []);
        assert_eq!(transport.send(&"full".into()), SendStatus::Sent);
        assert_eq!(far.frames().len(), 2);
        assert!(!transport.lock().holds());
    }
}
