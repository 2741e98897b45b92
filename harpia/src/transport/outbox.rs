//! The outbox (write buffer) of a blocked connection: order, backlog limit and memory accounting.
//!
//! An outbox is written in this order: the rest of the partly written frame, then at most one
//! control frame (the newest), then data. Each piece of data consists of whole frames.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf, Bytes};

use crate::budget::{Budget, Charge, charged};
use crate::limits::MIN_MESSAGE_COST;
use crate::protocol::frame;

use super::stream::Stream;

/// The error of a push into a full outbox. The batch was not added.
#[derive(Debug)]
pub(super) struct BacklogFull;

/// Frames that wait for a full socket. The backlog bounds it (see `push`).
pub(super) struct Outbox {
    /// The rest of the frame that is partly written. It goes first.
    partial: Bytes,
    /// A control frame that is not begun; it goes second. Empty if there is none.
    control: Bytes,
    /// Batches that are not begun.
    data: VecDeque<Bytes>,
    /// The cost of `data` and `partial`, for the backlog.
    counted: usize,
    /// The memory of the queue's entries, charged to the server's budget. The bytes of the pieces
    /// are charged by themselves, because many outboxes share them.
    entries: Charge,
    /// The bytes of `data` and `partial`.
    waiting: usize,
    /// The cost of the batches that were owed when `open` returned. They may wait in addition to a
    /// full backlog.
    allowance: usize,
    /// Set from the first dropped message until the outbox is empty. Meanwhile all messages are
    /// dropped, so that the peer misses one contiguous gap and not scattered messages.
    skipping: bool,
}

impl Outbox {
    /// Creates an outbox with no content.
    pub(super) fn empty(budget: Arc<Budget>) -> Self {
        Self {
            partial: Bytes::new(),
            control: Bytes::new(),
            data: VecDeque::new(),
            counted: 0,
            entries: Charge::new(budget),
            waiting: 0,
            allowance: 0,
            skipping: false,
        }
    }

    /// Creates an outbox with the part of a batch after its first `written` bytes.
    pub(super) fn new(budget: Arc<Budget>, batch: Bytes, written: usize) -> Self {
        let mut outbox = Self::empty(budget);
        if written == 0 && frame::is_control(&batch) {
            // As data, this control frame would be overtaken by a newer one.
            outbox.set_control(batch);
        } else {
            outbox.put_back(batch, written);
        }
        outbox
    }

    /// Returns the number of bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting + self.control.len()
    }

    /// Adds a batch of whole frames, and returns the number of bytes that wait.
    ///
    /// The backlog is checked before the batch is added, so no batch is refused for its own size.
    /// The outbox holds at most the backlog, the owed batches and one batch.
    ///
    /// # Errors
    ///
    /// If the backlog is full, the server's budget is exhausted, or an earlier batch was dropped since
    /// the outbox was last empty.
    pub(super) fn push(&mut self, batch: Bytes, backlog: usize) -> Result<usize, BacklogFull> {
        let limit = backlog.saturating_add(self.allowance);
        let is_full = self.counted >= limit || self.entries.budget().is_exhausted();
        if self.skipping || is_full {
            self.skipping = true;
            return Err(BacklogFull);
        }
        self.push_unbounded(batch);
        Ok(self.len())
    }

    /// Adds a batch without checking the backlog: the close frame, or an owed batch.
    pub(super) fn push_unbounded(&mut self, batch: Bytes) {
        self.push_piece(batch);
    }

    /// Adds the batches that were owed when `open` returned, without checking the backlog.
    ///
    /// `has_gap` says whether messages after these batches were dropped. If so, later messages are
    /// dropped, too, until the outbox is empty.
    pub(super) fn push_owed(&mut self, batches: Vec<Bytes>, has_gap: bool) {
        for batch in batches {
            self.allowance += cost(&batch);
            self.push_unbounded(batch);
        }
        self.skipping |= has_gap;
    }

    /// Puts a control frame before the data. Replaces a control frame that is not begun.
    pub(super) fn set_control(&mut self, frame: Bytes) {
        self.control = frame;
    }

    /// Returns whether messages are dropped until the outbox is empty.
    pub(super) fn is_skipping(&self) -> bool {
        self.skipping
    }

    pub(super) fn has_control(&self) -> bool {
        !self.control.is_empty()
    }

    /// Drops everything except the partly written frame.
    pub(super) fn drop_queue(&mut self) {
        while self.pop_piece().is_some() {}
        self.control = Bytes::new();
        // The partly written frame would keep the memory of its whole batch.
        let rest = Bytes::copy_from_slice(&self.partial);
        self.partial = match rest.is_empty() {
            true => rest,
            false => charged(rest, self.entries.budget()),
        };
    }

    /// Drops the messages that wait, and all later ones until the outbox is empty. Returns how many
    /// messages were dropped now.
    pub(super) fn skip_queue(&mut self) -> usize {
        let frames = self.data.iter().map(|piece| frame::count(piece)).sum();
        let control = std::mem::take(&mut self.control);
        self.drop_queue();
        self.control = control;
        self.skipping = true;
        frames
    }

    /// Makes one write call, and returns how many bytes the stream has taken.
    pub(super) fn write_to(&mut self, stream: &Stream) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let pieces = [&self.partial, &self.control].into_iter().chain(&self.data);
        let mut filled = 0;
        for (slice, piece) in slices
            .iter_mut()
            .zip(pieces.filter(|piece| !piece.is_empty()))
        {
            *slice = IoSlice::new(piece);
            filled += 1;
        }
        if filled == 0 {
            return Ok(0);
        }
        match stream.try_write_vectored(&slices[..filled]) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                self.advance(written);
                Ok(written)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) => Err(error),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partial.is_empty() && self.control.is_empty() && self.data.is_empty()
    }

    /// Removes the first `written` bytes.
    fn advance(&mut self, mut written: usize) {
        let of_partial = written.min(self.partial.len());
        self.partial.advance(of_partial);
        self.uncount(of_partial, of_partial);
        written -= of_partial;
        if written > 0 {
            let control = written.min(self.control.len());
            self.control.advance(control);
            written -= control;
            self.protect_begun_control();
        }
        while written > 0 {
            // Cannot be empty: the remaining written bytes came from `data`.
            let Some(piece) = self.pop_piece() else {
                break;
            };
            let taken = written.min(piece.len());
            written -= taken;
            if taken < piece.len() {
                self.put_back(piece, taken);
            }
        }
    }

    /// Moves a control frame that was begun to `partial`, so that a newer control frame does not
    /// replace it.
    fn protect_begun_control(&mut self) {
        if !self.control.is_empty() {
            self.partial = std::mem::take(&mut self.control);
            self.count(self.partial.len(), self.partial.len());
        }
    }

    /// Keeps the rest of a batch, split after its partly written frame.
    fn put_back(&mut self, batch: Bytes, written: usize) {
        let boundary = frame::boundary_from(&batch, written);
        self.partial = batch.slice(written..boundary);
        self.count(boundary - written, boundary - written);
        if boundary < batch.len() {
            let rest = batch.slice(boundary..);
            self.count(cost(&rest), rest.len());
            self.entries.add(ENTRY);
            self.data.push_front(rest);
        }
    }

    fn push_piece(&mut self, piece: Bytes) {
        self.count(cost(&piece), piece.len());
        self.entries.add(ENTRY);
        self.data.push_back(piece);
    }

    fn pop_piece(&mut self) -> Option<Bytes> {
        let piece = self.data.pop_front()?;
        self.uncount(cost(&piece), piece.len());
        self.entries.subtract(ENTRY);
        Some(piece)
    }

    fn count(&mut self, cost: usize, bytes: usize) {
        self.counted += cost;
        self.waiting += bytes;
    }

    fn uncount(&mut self, cost: usize, bytes: usize) {
        self.counted -= cost;
        self.waiting -= bytes;
    }
}

/// The bytes that an entry of the queue counts in the budget. Twice its size, because the queue may
/// have room for twice as many.
pub(super) const ENTRY: usize = 2 * size_of::<Bytes>();

/// Returns how many bytes a piece counts in the backlog.
///
/// Every piece needs memory for its queue entry, so a small piece counts as `MIN_MESSAGE_COST`.
pub(super) fn cost(piece: &Bytes) -> usize {
    piece.len().max(MIN_MESSAGE_COST)
}

/// The number of pieces that one write call passes to the operating system.
const SLICES: usize = 64;

#[cfg(test)]
mod tests;
