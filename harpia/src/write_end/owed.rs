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
