//! Corking: while the connection has more buffered input to handle, its sends are gathered and go
//! out in one write.
//!
//! The task corks before it calls a handler, and uncorks at the end of each poll. Any other writer
//! writes the cork first. `transport/mod.rs` has the diagram.
//!
//! Each worker thread keeps one spare cork and lends it to the transport that it corks.

use std::cell::Cell;
use std::io::IoSlice;

use bytes::Bytes;

use crate::budget::charged;

use crate::sync::MutexGuard;

use super::outgoing::Outgoing;
use super::{SendStatus, Transport, TransportState, WriteState};

/// A buffer of frames that were sent since the transport was corked.
#[derive(Default)]
pub(super) struct Cork {
    /// Whole encoded frames, in order.
    frames: Vec<u8>,
}

impl Cork {
    /// Adds a message, and returns whether the cork has room for more.
    pub(super) fn hold(&mut self, message: &Outgoing<'_>) -> bool {
        message.append(&mut self.frames);
        self.frames.len() < FULL
    }
}

/// The size in bytes at which a cork is written: a larger write would not be more efficient.
const FULL: usize = 64 * 1024;

thread_local! {
    /// The worker thread's spare cork, while no transport uses it.
    static SPARE: Cell<Option<Box<Cork>>> = const { Cell::new(None) };
}

impl TransportState {
    /// Returns whether the cork contains frames, which have to be written before any other.
    pub(super) fn has_corked_frames(&self) -> bool {
        self.cork
            .as_ref()
            .is_some_and(|cork| !cork.frames.is_empty())
    }
}

impl Transport {
    /// Corks the transport if it is open: sends are collected until [`uncork`](Self::uncork).
    pub(crate) fn cork(&self) {
        let mut state = self.lock();
        if state.cork.is_none()
            && matches!(state.write_state, WriteState::Open)
            && !state.close_queued
        {
            state.cork = Some(SPARE.take().unwrap_or_default());
        }
    }

    /// Writes the cork and removes it. Does nothing if the transport is not corked.
    pub(crate) fn uncork(&self) {
        let mut state = self.write_cork_and_lock();
        let cork = state.cork.take();
        drop(state);
        if let Some(mut cork) = cork
            && cork.frames.capacity() <= 2 * FULL
        {
            cork.frames.clear();
            SPARE.set(Some(cork));
        }
    }

    /// Writes the cork, and returns the lock while the cork is empty. For writes that bypass it.
    ///
    /// Race: writing the cork releases the lock. A `Peer` on another thread may add a frame to the
    /// cork before this thread has the lock again. The caller's write would overtake that frame.
    /// If the caller writes a close frame, the other frame would be lost. To prevent that, the loop
    /// checks the cork again under the lock.
    pub(super) fn write_cork_and_lock(&self) -> MutexGuard<'_, TransportState> {
        let mut state = self.lock();
        while state.has_corked_frames() {
            self.write_cork(state);
            state = self.lock();
        }
        state
    }

    /// Writes the frames of the cork. Bytes that the socket does not take wait in an outbox, and
    /// later sends are queued after them.
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
            Ok(written) => {
                let frames = charged(Bytes::from(cork.frames), &self.budget);
                self.block(state, frames, written)
            }
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
    use super::super::test_peer::{Frame, TestPeer, TestSockets, split};
    use super::*;

    fn corked() -> (TestSockets, Transport, TestPeer) {
        let sockets = TestSockets::new();
        let (transport, peer) = sockets.narrow(Limits::default());
        transport.cork();
        (sockets, transport, peer)
    }

    #[test]
    fn uncork_writes_all_corked_sends_and_returns_the_cork_to_the_thread() {
        let (_sockets, transport, peer) = corked();
        assert_eq!(transport.send(&"a".into()), SendStatus::Sent);
        assert_eq!(transport.send(&"b".into()), SendStatus::Sent);
        assert_eq!(peer.frames(), []);
        transport.uncork();
        assert_eq!(peer.frames(), [Frame::text("a"), Frame::text("b")]);
        assert!(transport.lock().cork.is_none());
        assert_eq!(transport.send(&"c".into()), SendStatus::Sent);
        assert_eq!(peer.frames(), [Frame::text("c")]);
        let spare = SPARE.take().unwrap();
        assert!(spare.frames.is_empty() && spare.frames.capacity() > 0);
    }

    #[test]
    fn every_other_write_is_preceded_by_the_corked_frames() {
        let (_sockets, transport, peer) = corked();
        transport.send(&"a".into());
        transport.write_batch(&mut Batch::of(&frame::encode(&"batch".into())));
        assert_eq!(peer.frames(), [Frame::text("a"), Frame::text("batch")]);
        transport.send(&"b".into());
        transport.pong(b"pong");
        assert_eq!(peer.frames(), [Frame::text("b"), Frame::pong("pong")]);
        transport.send(&"c".into());
        transport.ping();
        assert_eq!(peer.frames(), [Frame::text("c"), Frame::ping()]);
        transport.send(&"d".into());
        transport.send_close(&crate::close::CloseFrame::bare(1000.into()));
        let frames = peer.frames();
        assert_eq!(frames[0], Frame::text("d"));
        assert_eq!(frames[1].close_code(), Some(1000));
        transport.uncork();
        assert_eq!(peer.frames(), []);
    }

    #[test]
    fn unwritten_corked_bytes_are_queued_before_later_sends() {
        let (sockets, transport, peer) = corked();
        let large = "large".repeat(5000);
        assert_eq!(transport.send(&large.as_str().into()), SendStatus::Sent);
        transport.pong(b"queued after the partly written frame");
        assert!(
            transport.lock().cork.is_none(),
            "a cork would let later sends overtake"
        );
        assert!(matches!(
            transport.send(&"next".into()),
            SendStatus::Queued(_)
        ));
        transport.cork();
        assert!(
            transport.lock().cork.is_none(),
            "a cork would let later sends overtake"
        );
        assert!(matches!(
            transport.send(&"last".into()),
            SendStatus::Queued(_)
        ));
        transport.uncork();
        let mut bytes = Vec::new();
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while transport.poll_drain(&mut context).is_pending() {
            bytes.extend(peer.read());
            sockets.turn();
        }
        bytes.extend(peer.read());
        let (frames, _) = split(&bytes);
        assert!(frames[0] == Frame::text(large));
        assert_eq!(frames[1].opcode, 10);
        assert_eq!(frames[2..], [Frame::text("next"), Frame::text("last")]);
    }

    #[test]
    fn a_batch_that_blocks_removes_an_empty_cork() {
        let (_sockets, transport, peer) = corked();
        let large = frame::encode(&"large".repeat(5000).into());
        transport.write_batch(&mut Batch::of(&large));
        assert!(
            transport.lock().cork.is_none(),
            "a cork would let later sends overtake"
        );
        assert!(matches!(
            transport.send(&"next".into()),
            SendStatus::Queued(_)
        ));
        assert!(!peer.read().is_empty());
    }

    #[test]
    fn a_full_cork_is_written_at_once() {
        let sockets = TestSockets::new();
        let id = crate::id::ConnectionId::new(0, 0);
        let (transport, peer) = sockets.wide(id, Limits::default(), None);
        transport.cork();
        let large = "x".repeat(FULL - 10);
        assert_eq!(transport.send(&large.as_str().into()), SendStatus::Sent);
        assert_eq!(peer.frames(), []);
        assert_eq!(transport.send(&"full".into()), SendStatus::Sent);
        assert_eq!(peer.frames().len(), 2);
        assert!(!transport.lock().has_corked_frames());
    }
}
