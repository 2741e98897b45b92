//! A batch: several encoded frames in one buffer, written to many sockets.
//!
//! A batch contains whole frames only.

use std::sync::Arc;

use bytes::Bytes;

use crate::budget::{Budget, charged};
use crate::protocol::frame;

/// Frames borrowed from the buffer in which the flusher encoded them.
///
/// The first socket that blocks causes a copy of the frames, of the exact size. All other sockets
/// that block share this copy.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    bytes: &'a [u8],
    /// The frames, if they are reference-counted already.
    source: Option<&'a Bytes>,
    /// The bytes that outboxes share; `None` until a socket blocks. They count in the budget.
    shared: Option<Bytes>,
    /// The number of frames in the batch; `None` until a peer skips the batch.
    frames: Option<usize>,
}

impl<'a> Batch<'a> {
    /// Borrows a batch that has to be copied if a socket blocks.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            source: None,
            shared: None,
            frames: None,
        }
    }

    /// Borrows a batch that is reference-counted already, so that no socket causes a copy.
    pub(crate) fn of(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            source: Some(bytes),
            shared: None,
            frames: None,
        }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the batch as bytes that can outlive the borrow. Only the first call may copy.
    ///
    /// The memory counts once in the budget, however many peers have to wait for it.
    pub(crate) fn share(&mut self, budget: &Arc<Budget>) -> Bytes {
        let make = || {
            let copy = || Bytes::copy_from_slice(self.bytes);
            charged(self.source.map_or_else(copy, Bytes::clone), budget)
        };
        self.shared.get_or_insert_with(make).clone()
    }

    /// Returns how many frames the batch has. Only the first call counts them, because many slow
    /// peers may skip the same batch.
    pub(super) fn frames(&mut self) -> usize {
        let bytes = self.bytes;
        *self.frames.get_or_insert_with(|| frame::count(bytes))
    }
}
