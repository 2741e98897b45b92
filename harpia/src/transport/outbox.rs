//! What waits for a socket that is full, in order, and what "full" means.
//!
//! An outbox is: the rest of the frame under way, then at most one control frame (the newest),
//! then data. Every piece of data starts at a frame's first byte.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::net::TcpStream;

use crate::budget::{Budget, Charge};
use crate::protocol::frame;

/// The backlog is full; this was left out.
#[derive(Debug)]
pub(super) struct BacklogFull(pub(super) Bytes);

pub(super) struct Outbox {
    under_way: Bytes,
    control: Bytes,
    data: VecDeque<Bytes>,
    /// What `data` and `under_way` count as.
    counted: Charge,
    /// The bytes of `data` and `under_way`.
    waiting: usize,
    /// What was owed when `open` returned: it may wait beside a whole backlog.
    allowance: usize,
    /// Set when a message was left out, until the outbox is empty: whole gaps, not crumbs.
    skipping: bool,
}

impl Outbox {
    pub(super) fn empty(budget: Arc<Budget>) -> Self {
        Self {
            under_way: Bytes::new(),
            control: Bytes::new(),
            data: VecDeque::new(),
            counted: Charge::new(budget),
            waiting: 0,
            allowance: 0,
            skipping: false,
        }
    }

    /// Begins with a batch of which `written` bytes are gone already.
    pub(super) fn new(budget: Arc<Budget>, batch: Bytes, written: usize) -> Self {
        let mut outbox = Self::empty(budget);
        if written == 0 && frame::is_control(&batch) {
            // Behind the data a newer one would overtake it.
            outbox.set_control(batch);
        } else {
            outbox.put_back(batch, written);
        }
        outbox
    }

    /// How many bytes wait.
    pub(super) fn len(&self) -> usize {
        self.waiting + self.control.len()
    }

    /// Adds a batch of whole frames. The bound is tested before, so that one large message alone
    /// is never a fault: what waits is at most the backlog and one batch.
    pub(super) fn push(&mut self, batch: Bytes, backlog: usize) -> Result<usize, BacklogFull> {
        let limit = backlog.saturating_add(self.allowance);
        let is_full = self.counted.bytes() >= limit || self.counted.budget().is_spent();
        if self.skipping || is_full {
            self.skipping = true;
            return Err(BacklogFull(batch));
        }
        self.push_unbounded(batch);
        Ok(self.len())
    }

    /// For close frames, of which there is at most one.
    pub(super) fn push_unbounded(&mut self, batch: Bytes) {
        self.count(cost(&batch), batch.len());
        self.data.push_back(batch);
    }

    /// Adds what was owed when `open` returned, whatever waits already. After a gap further
    /// messages are left out until all is written.
    pub(super) fn push_owed(&mut self, batches: Vec<Bytes>, has_gap: bool) {
        for batch in batches {
            self.allowance += cost(&batch);
            self.push_unbounded(batch);
        }
        self.skipping |= has_gap;
    }

    /// Puts a control frame ahead of the data, in place of an older one.
    pub(super) fn set_control(&mut self, frame: Bytes) {
        self.control = frame;
    }

    /// Says whether messages are being left out until all is written.
    pub(super) fn is_skipping(&self) -> bool {
        self.skipping
    }

    pub(super) fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    /// Leaves out all but the frame under way.
    pub(super) fn drop_queue(&mut self) {
        while let Some(piece) = self.data.pop_front() {
            self.uncount(cost(&piece), piece.len());
        }
        self.control = Bytes::new();
    }

    /// Writes once, and says whether all is gone.
    pub(super) fn write_to(&mut self, stream: &TcpStream) -> io::Result<bool> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let pieces = [&self.under_way, &self.control]
            .into_iter()
            .chain(&self.data);
        let mut filled = 0;
        for (slice, piece) in slices
            .iter_mut()
            .zip(pieces.filter(|piece| !piece.is_empty()))
        {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        if filled == 0 {
            return Ok(true);
        }
        match stream.try_write_vectored(&slices[..filled]) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.advance(written);
                Ok(self.is_empty())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.control.is_empty() && self.data.is_empty()
    }

    fn advance(&mut self, mut written: usize) {
        let begun = written.min(self.under_way.len());
        self.under_way.advance(begun);
        self.uncount(begun, begun);
        written -= begun;
        if written > 0 {
            let control = written.min(self.control.len());
            self.control.advance(control);
            written -= control;
            self.finish_begun_control();
        }
        while written > 0 {
            // What was written came from these pieces, so one is there.
            let Some(piece) = self.data.pop_front() else {
                break;
            };
            self.uncount(cost(&piece), piece.len());
            let taken = written.min(piece.len());
            written -= taken;
            if taken < piece.len() {
                self.put_back(piece, taken);
            }
        }
    }

    /// A control frame that is begun is the frame under way: a newer one must not replace it.
    fn finish_begun_control(&mut self) {
        if !self.control.is_empty() {
            self.under_way = std::mem::take(&mut self.control);
            self.count(self.under_way.len(), self.under_way.len());
        }
    }

    /// Keeps what is left of a batch, parted where the frame under way ends.
    fn put_back(&mut self, batch: Bytes, written: usize) {
        let boundary = frame::boundary_from(&batch, written);
        self.under_way = batch.slice(written..boundary);
        self.count(boundary - written, boundary - written);
        if boundary < batch.len() {
            let rest = batch.slice(boundary..);
            self.count(cost(&rest), rest.len());
            self.data.push_front(rest);
        }
    }

    fn count(&mut self, cost: usize, bytes: usize) {
        self.counted.add(cost);
        self.waiting += bytes;
    }

    fn uncount(&mut self, cost: usize, bytes: usize) {
        self.counted.subtract(cost);
        self.waiting -= bytes;
    }
}

/// Small pieces count for more than their bytes, since a queue of them costs more.
pub(super) fn cost(piece: &Bytes) -> usize {
    piece.len().max(LEAST_COST)
}

const LEAST_COST: usize = 512;

/// How many pieces one system call takes.
const SLICES: usize = 64;

#[cfg(test)]
mod tests;
