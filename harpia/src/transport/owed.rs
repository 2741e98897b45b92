//! Owed batches: messages published while `open` runs, written after `open` has returned `Ok`.
//!
//! The hub's table keeps these batches. They may take up a whole `backlog`, in addition to the
//! backlog for the sends of `open`. The outbox allows for both, so moving them to the outbox never
//! overflows it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Charge;
use crate::options::Slow;
use crate::protocol::frame;

use super::outbox::{ENTRY, Outbox, cost};
use super::{Batch, Signal, Transport, WriteState};

/// Batches that wait until `open` returns, in the order of the hub's log.
#[derive(Debug)]
pub(crate) struct Owed {
    batches: Vec<Bytes>,
    /// The cost of `batches`, for the backlog.
    counted: usize,
    /// The memory of the list's entries, charged to the server's budget. The batches are charged by
    /// themselves, because many members share them.
    entries: Charge,
    /// Set when messages after these batches were dropped because the backlog was full.
    has_gap: bool,
}

impl Owed {
    /// Drops the batches. Messages are then missing until `open` has returned and all is written.
    /// Returns how many messages were dropped.
    fn skip(&mut self) -> usize {
        let frames = self.batches.iter().map(|batch| frame::count(batch)).sum();
        self.batches = Vec::new();
        self.counted = 0;
        self.entries.subtract(self.entries.bytes());
        self.has_gap = true;
        frames
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    fn is_full(&self, backlog: usize) -> bool {
        self.counted >= backlog.max(1) || self.entries.budget().is_exhausted()
    }
}

impl Transport {
    /// Keeps a batch until `open` has returned.
    ///
    /// Returns `false` if the backlog is full and the route closes slow consumers. In this case all
    /// owed batches are dropped, and the caller has to request a close.
    pub(crate) fn owe(&self, owed: &mut Option<Box<Owed>>, batch: &mut Batch<'_>) -> bool {
        let kept = owed.get_or_insert_with(|| {
            Box::new(Owed {
                batches: Vec::new(),
                counted: 0,
                entries: Charge::new(Arc::clone(&self.budget)),
                has_gap: false,
            })
        });
        if !kept.has_gap && !kept.is_full(self.limits.backlog) {
            let batch = batch.share(&self.budget);
            kept.counted += cost(&batch);
            kept.entries.add(ENTRY);
            kept.batches.push(batch);
            return true;
        }
        match self.limits.slow {
            Slow::Skip => {
                self.count_skipped(batch.frames());
                if !std::mem::replace(&mut kept.has_gap, true) {
                    self.signals.set(Signal::Skipping);
                    self.wake_task();
                }
                true
            }
            Slow::Close => {
                *owed = None;
                false
            }
        }
    }

    /// Drops owed batches, because the budget of all peers is spent.
    ///
    /// Returns `false` if the route closes slow consumers. In this case, the caller has to request a
    /// close.
    pub(crate) fn drop_owed(&self, owed: &mut Option<Box<Owed>>) -> bool {
        match (self.limits.slow, owed.as_mut()) {
            (_, None) => true,
            (Slow::Skip, Some(kept)) => {
                self.count_skipped(kept.skip());
                self.signals.set(Signal::Skipping);
                self.wake_task();
                true
            }
            (Slow::Close, Some(_)) => {
                *owed = None;
                false
            }
        }
    }

    /// Writes the owed batches, after everything that was sent so far.
    ///
    /// Bytes that the socket does not take wait in the outbox. If messages were dropped after the
    /// batches, the `drain` handler is called when everything is written.
    pub(crate) fn write_owed(&self, owed: Owed) {
        let Owed {
            batches, has_gap, ..
        } = owed;
        let mut state = self.write_cork_and_lock();
        if state.close_queued {
            return;
        }
        match &mut state.write_state {
            WriteState::Open => {
                let mut outbox = Outbox::empty(Arc::clone(&self.budget));
                outbox.push_owed(batches, has_gap);
                match self.write_outbox(&mut outbox) {
                    Ok(true) if has_gap => {
                        self.signals.set(Signal::Drained);
                        self.wake(state);
                    }
                    Ok(true) => {}
                    Ok(false) => {
                        self.block_with(state, outbox);
                    }
                    Err(_) => {
                        self.mark_lost(state);
                    }
                }
            }
            WriteState::Blocked(outbox) => outbox.push_owed(batches, has_gap),
            WriteState::Closed => {}
        }
    }

    /// Writes until the outbox is empty or the socket is full, and returns whether it is empty.
    ///
    /// As in [`write`](Self::write), a partial write does not end the loop.
    fn write_outbox(&self, outbox: &mut Outbox) -> io::Result<bool> {
        loop {
            let written = outbox.write_to(&self.stream)?;
            self.progress.wrote(written);
            if outbox.is_empty() || written == 0 {
                return Ok(outbox.is_empty());
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::task::{Context, Waker};

    use crate::limits::Limits;
    use crate::protocol::frame;

    use super::super::test_peer::{Frame, TestPeer, TestSockets, split};
    use super::super::{SendStatus, TransportEvent};
    use super::*;

    const BACKLOG: usize = 4096;

    fn narrow(slow: Slow) -> (TestSockets, Transport, TestPeer) {
        let sockets = TestSockets::new();
        let limits = Limits {
            backlog: BACKLOG,
            slow,
            ..Limits::default()
        };
        let (transport, peer) = sockets.narrow(limits);
        (sockets, transport, peer)
    }

    fn batch(name: &str) -> Bytes {
        frame::encode(&format!("{name:1000}").into())
    }

    fn owe(transport: &Transport, owed: &mut Option<Box<Owed>>, name: &str) -> bool {
        transport.owe(owed, &mut Batch::of(&batch(name)))
    }

    fn names(frames: &[Frame]) -> Vec<String> {
        let text = |frame: &Frame| String::from_utf8_lossy(&frame.payload).trim().to_owned();
        frames.iter().map(text).collect()
    }

    /// Reads and drains until the outbox is empty, and returns the names of the batches.
    fn read_all(sockets: &TestSockets, transport: &Transport, peer: &TestPeer) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        while transport.poll_drain(&mut context).is_pending() {
            bytes.extend(peer.read());
            sockets.turn();
        }
        bytes.extend(peer.read());
        names(&split(&bytes).0)
    }

    #[test]
    fn owed_batches_follow_the_sends_of_open_even_if_those_still_wait() {
        let (sockets, transport, peer) = narrow(Slow::Close);
        let snapshot = "snapshot".repeat(1000);
        assert!(matches!(
            transport.send(&snapshot.as_str().into()),
            SendStatus::Queued(_)
        ));
        let mut owed = None;
        for name in ["one", "two", "three"] {
            assert!(owe(&transport, &mut owed, name));
        }
        transport.write_owed(*owed.unwrap());
        let live = transport.write_batch(&mut Batch::of(&batch("live")));
        assert!(matches!(live, SendStatus::Queued(_)));
        assert!(
            !transport.is_closing(),
            "moving owed batches to the outbox must not overflow it"
        );
        let names = read_all(&sockets, &transport, &peer);
        assert_eq!(names, [&snapshot, "one", "two", "three", "live"]);
    }

    #[test]
    fn owed_batches_are_dropped_without_a_close_frame_when_they_overflow_the_backlog() {
        let (_sockets, transport, peer) = narrow(Slow::Close);
        let mut owed = None;
        let kept = (0..20).take_while(|_| owe(&transport, &mut owed, "batch"));
        assert_eq!(
            kept.count(),
            5,
            "the backlog holds four batches, and one more is accepted"
        );
        assert!(owed.is_none());
        assert_eq!(peer.frames(), []);
    }

    #[test]
    fn one_batch_can_be_owed_even_without_a_backlog() {
        let sockets = TestSockets::new();
        let limits = Limits {
            backlog: 0,
            ..Limits::default()
        };
        let (transport, _peer) = sockets.narrow(limits);
        let mut owed = None;
        assert!(owe(&transport, &mut owed, "first"));
        assert!(!owe(&transport, &mut owed, "second"));
    }

    #[test]
    fn a_gap_in_owed_batches_is_counted_and_drain_is_due_when_the_rest_is_written() {
        let (sockets, transport, peer) = narrow(Slow::Skip);
        let mut owed = None;
        for number in 0..20 {
            assert!(owe(&transport, &mut owed, &number.to_string()));
        }
        assert_eq!(transport.skipped(), 15);
        assert!(matches!(transport.next_event(), TransportEvent::Skipping));
        assert!(matches!(transport.next_event(), TransportEvent::None));
        transport.write_owed(*owed.unwrap());
        assert_eq!(
            read_all(&sockets, &transport, &peer),
            ["0", "1", "2", "3", "4"]
        );
        assert!(matches!(transport.next_event(), TransportEvent::Drained));
        assert!(matches!(transport.next_event(), TransportEvent::None));
    }

    #[test]
    fn owed_batches_are_charged_to_the_budget_until_they_are_written() {
        let (_sockets, transport, peer) = narrow(Slow::Close);
        transport.budget.set_limit(batch("owed").len());
        let mut owed = None;
        assert!(owe(&transport, &mut owed, "owed"));
        assert!(transport.budget.is_spent());
        transport.write_owed(*owed.unwrap());
        assert_eq!(names(&peer.frames()), ["owed"]);
        assert!(transport.budget.is_relieved());
    }
}
