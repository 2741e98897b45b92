//! What a connection is owed while its `open` runs: kept apart, and written when `open` has
//! returned `Ok`.
//!
//! Only the hub's table holds these. They have the route's `backlog` to themselves, so moving them
//! to the outbox is never an overflow, however much of its own `open` sent.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Charge;
use crate::options::Slow;
use crate::sync::atomic::Ordering;

use super::outbox::{Outbox, cost};
use super::{Batch, DRAINED, SKIPPING, Transport, WriteState};

/// Batches that wait for `open`, in log order.
#[derive(Debug)]
pub(crate) struct Owed {
    batches: Vec<Bytes>,
    charge: Charge,
    /// Messages were left out after these batches, since they fill the backlog.
    has_gap: bool,
}

impl Owed {
    fn is_full(&self, backlog: usize) -> bool {
        self.charge.bytes() >= backlog || self.charge.budget().is_spent()
    }
}

impl Transport {
    /// Keeps a batch until `open` has returned. Returns false when the backlog was full and the
    /// route closes slow consumers: then nothing is owed any more.
    pub(crate) fn owe(&self, owed: &mut Option<Box<Owed>>, batch: &mut Batch<'_>) -> bool {
        let kept = owed.get_or_insert_with(|| {
            Box::new(Owed {
                batches: Vec::new(),
                charge: Charge::new(Arc::clone(&self.budget)),
                has_gap: false,
            })
        });
        if !kept.has_gap && !kept.is_full(self.limits.backlog) {
            let batch = batch.share();
            kept.charge.add(cost(&batch));
            kept.batches.push(batch);
            return true;
        }
        match self.limits.slow {
            Slow::Skip => {
                self.count_skipped(batch.bytes());
                if !std::mem::replace(&mut kept.has_gap, true) {
                    self.flags.fetch_or(SKIPPING, Ordering::AcqRel);
                    self.wake_task();
                }
                true
            }
            Slow::Close => {
                *owed = None;
                let state = self.lock_behind_cork();
                if state.close.is_none() {
                    self.close_slow_consumer(state);
                }
                false
            }
        }
    }

    /// Writes what is owed after all that was sent so far. What the socket does not take waits in
    /// the outbox; after a gap, `drain` follows when all is written.
    pub(crate) fn write_owed(&self, owed: Owed) {
        let Owed {
            batches,
            charge,
            has_gap,
        } = owed;
        // From here on the outbox counts them.
        drop(charge);
        let mut state = self.lock_behind_cork();
        if state.close_queued {
            return;
        }
        match &mut state.write_state {
            WriteState::Open => {
                let mut outbox = Outbox::empty(Arc::clone(&self.budget));
                outbox.push_owed(batches, has_gap);
                match self.write_outbox(&mut outbox) {
                    Ok(true) if has_gap => {
                        self.flags.fetch_or(DRAINED, Ordering::AcqRel);
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

    /// Writes until all is written or the socket is full, and returns whether all is. As in
    /// [`write`](Self::write), only a refusal ends the loop.
    fn write_outbox(&self, outbox: &mut Outbox) -> io::Result<bool> {
        loop {
            let before = outbox.len();
            if outbox.write_to(&self.stream)? {
                return Ok(true);
            }
            if outbox.len() == before {
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::task::{Context, Waker};

    use crate::close::CloseCause;
    use crate::limits::Limits;
    use crate::protocol::frame;

    use super::super::test_peer::{Frame, TestPeer, Wire, split};
    use super::super::{SendStatus, TransportEvent};
    use super::*;

    const BACKLOG: usize = 4096;

    fn narrow(slow: Slow) -> (Wire, Transport, TestPeer) {
        let wire = Wire::new();
        let limits = Limits {
            backlog: BACKLOG,
            slow,
            ..Limits::default()
        };
        let (transport, far) = wire.narrow(limits);
        (wire, transport, far)
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

    /// Reads and drains until all is written.
    fn read_all(wire: &Wire, transport: &Transport, far: &TestPeer) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        while transport.poll_drain(&mut context).is_pending() {
            bytes.extend(far.read());
            wire.turn();
        }
        bytes.extend(far.read());
        names(&split(&bytes).0)
    }

    #[test]
    fn owed_batches_follow_what_open_sent_also_where_that_still_waits() {
        let (wire, transport, far) = narrow(Slow::Close);
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
            "moving what is owed is no overflow"
        );
        let names = read_all(&wire, &transport, &far);
        assert_eq!(names, [&snapshot, "one", "two", "three", "live"]);
    }

    #[test]
    fn a_full_backlog_of_owed_batches_closes_the_slow_consumer_with_1013_and_nothing_else() {
        let (_wire, transport, far) = narrow(Slow::Close);
        let mut owed = None;
        let kept = (0..20)
            .take_while(|_| owe(&transport, &mut owed, "batch"))
            .count();
        assert_eq!(kept, 5, "the backlog and one batch");
        assert!(owed.is_none());
        assert_eq!(transport.cause(), Some(CloseCause::SlowConsumer));
        let frames = far.frames();
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].close_code(), Some(1013));
    }

    #[test]
    fn a_gap_in_what_is_owed_is_counted_and_drain_is_due_when_the_rest_is_written() {
        let (wire, transport, far) = narrow(Slow::Skip);
        let mut owed = None;
        for number in 0..20 {
            assert!(owe(&transport, &mut owed, &number.to_string()));
        }
        assert_eq!(transport.skipped(), 15);
        assert!(matches!(transport.next_event(), TransportEvent::Skipping));
        assert!(matches!(transport.next_event(), TransportEvent::None));
        transport.write_owed(*owed.unwrap());
        assert_eq!(read_all(&wire, &transport, &far), ["0", "1", "2", "3", "4"]);
        assert!(matches!(transport.next_event(), TransportEvent::Drained));
        assert!(matches!(transport.next_event(), TransportEvent::None));
    }

    #[test]
    fn what_is_owed_counts_in_the_budget_until_it_is_written_or_dropped() {
        let (_wire, transport, far) = narrow(Slow::Close);
        let mut owed = None;
        assert!(owe(&transport, &mut owed, "owed"));
        let counted = owed.as_ref().unwrap().charge.bytes();
        assert_eq!(counted, batch("owed").len());
        transport.write_owed(*owed.unwrap());
        assert_eq!(names(&far.frames()), ["owed"]);
        assert!(Charge::new(Arc::clone(&transport.budget)).try_add(usize::MAX));
    }
}
