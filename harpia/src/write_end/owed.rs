//! What a connection is owed while its `open` runs: kept apart, and written when `open` has
//! returned `Ok`.
//!
//! Only the hub's table holds these. They have the route's `backlog` to themselves, so moving them
//! to the outbox is never an overflow, however much of its own `open` sent.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::budget::Charge;
use crate::limits::Slow;
use crate::sync::atomic::Ordering;

use super::outbox::{Outbox, cost};
use super::{DRAINED, Run, SKIPPING, Stage, WriteEnd};

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

impl WriteEnd {
    /// Keeps a batch until `open` has returned. Returns false when the backlog was full and the
    /// route closes slow consumers: then nothing is owed any more.
    pub(crate) fn owe(&self, owed: &mut Option<Box<Owed>>, run: &mut Run<'_>) -> bool {
        let kept = owed.get_or_insert_with(|| {
            Box::new(Owed {
                batches: Vec::new(),
                charge: Charge::new(Arc::clone(&self.budget)),
                has_gap: false,
            })
        });
        if !kept.has_gap && !kept.is_full(self.limits.backlog) {
            let batch = run.share();
            kept.charge.add(cost(&batch));
            kept.batches.push(batch);
            return true;
        }
        match self.limits.slow {
            Slow::Skip => {
                self.count_skipped(run.bytes());
                if !std::mem::replace(&mut kept.has_gap, true) {
                    self.attention.fetch_or(SKIPPING, Ordering::AcqRel);
                    self.poke();
                }
                true
            }
            Slow::Close => {
                *owed = None;
                let state = self.lock_behind_cork();
                if state.ending.is_none() {
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
        if state.sealed {
            return;
        }
        match &mut state.stage {
            Stage::Open => {
                let mut outbox = Outbox::empty(Arc::clone(&self.budget));
                outbox.push_owed(batches, has_gap);
                match self.write_outbox(&mut outbox) {
                    Ok(true) if has_gap => {
                        self.attention.fetch_or(DRAINED, Ordering::AcqRel);
                        self.wake(state);
                    }
                    Ok(true) => {}
                    Ok(false) => {
                        self.block_with(state, outbox);
                    }
                    Err(_) => {
                        self.lose(state);
                    }
                }
            }
            Stage::Blocked(outbox) => outbox.push_owed(batches, has_gap),
            Stage::Closed => {}
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

    use super::super::far_end::{FarEnd, Frame, Wire, split};
    use super::super::{News, SendStatus};
    use super::*;

    const BACKLOG: usize = 4096;

    fn narrow(slow: Slow) -> (Wire, WriteEnd, FarEnd) {
        let wire = Wire::new();
        let limits = Limits {
            backlog: BACKLOG,
            slow,
            ..Limits::default()
        };
        let (end, far) = wire.narrow(limits);
        (wire, end, far)
    }

    fn batch(name: &str) -> Bytes {
        frame::encode(&format!("{name:1000}").into())
    }

    fn owe(end: &WriteEnd, owed: &mut Option<Box<Owed>>, name: &str) -> bool {
        end.owe(owed, &mut Run::of(&batch(name)))
    }

    fn names(frames: &[Frame]) -> Vec<String> {
        let text = |frame: &Frame| String::from_utf8_lossy(&frame.payload).trim().to_owned();
        frames.iter().map(text).collect()
    }

    /// Reads and drains until all is written.
    fn read_all(wire: &Wire, end: &WriteEnd, far: &FarEnd) -> Vec<String> {
        let mut bytes = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        while end.poll_drain(&mut context).is_pending() {
            bytes.extend(far.read());
            wire.turn();
        }
        bytes.extend(far.read());
        names(&split(&bytes).0)
    }

    #[test]
    fn owed_batches_follow_what_open_sent_also_where_that_still_waits() {
        let (wire, end, far) = narrow(Slow::Close);
        let snapshot = "snapshot".repeat(1000);
        assert!(matches!(
            end.send(&snapshot.as_str().into()),
            SendStatus::Queued(_)
        ));
        let mut owed = None;
        for name in ["one", "two", "three"] {
            assert!(owe(&end, &mut owed, name));
        }
        end.write_owed(*owed.unwrap());
        let live = end.write_run(&mut Run::of(&batch("live")));
        assert!(matches!(live, SendStatus::Queued(_)));
        assert!(!end.is_ending(), "moving what is owed is no overflow");
        let names = read_all(&wire, &end, &far);
        assert_eq!(names, [&snapshot, "one", "two", "three", "live"]);
    }

    #[test]
    fn a_full_backlog_of_owed_batches_closes_the_slow_consumer_with_1013_and_nothing_else() {
        let (_wire, end, far) = narrow(Slow::Close);
        let mut owed = None;
        let kept = (0..20)
            .take_while(|_| owe(&end, &mut owed, "batch"))
            .count();
        assert_eq!(kept, 5, "the backlog and one batch");
        assert!(owed.is_none());
        assert_eq!(end.cause(), Some(CloseCause::SlowConsumer));
        let frames = far.frames();
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].close_code(), Some(1013));
    }

    #[test]
    fn a_gap_in_what_is_owed_is_counted_and_drain_is_due_when_the_rest_is_written() {
        let (wire, end, far) = narrow(Slow::Skip);
        let mut owed = None;
        for number in 0..20 {
            assert!(owe(&end, &mut owed, &number.to_string()));
        }
        assert_eq!(end.skipped(), 15);
        assert!(matches!(end.news(), News::Skipping));
        assert!(matches!(end.news(), News::None));
        end.write_owed(*owed.unwrap());
        assert_eq!(read_all(&wire, &end, &far), ["0", "1", "2", "3", "4"]);
        assert!(matches!(end.news(), News::Drained));
        assert!(matches!(end.news(), News::None));
    }

    #[test]
    fn what_is_owed_counts_in_the_budget_until_it_is_written_or_dropped() {
        let (_wire, end, far) = narrow(Slow::Close);
        let mut owed = None;
        assert!(owe(&end, &mut owed, "owed"));
        let counted = owed.as_ref().unwrap().charge.bytes();
        assert_eq!(counted, batch("owed").len());
        end.write_owed(*owed.unwrap());
        assert_eq!(names(&far.frames()), ["owed"]);
        assert!(Charge::new(Arc::clone(&end.budget)).try_add(usize::MAX));
    }
}
