//! A batch: several encoded frames in one buffer, written to many sockets.
//!
//! A batch contains whole frames only.

use bytes::Bytes;

/// Frames borrowed from the buffer in which the flusher encoded them.
///
/// The first socket that blocks causes one copy, of the exact size. The other sockets that block
/// share this copy.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    bytes: &'a [u8],
    /// The copy that outboxes share; `None` until a socket blocks.
    shared: Option<Bytes>,
}

impl<'a> Batch<'a> {
    /// Borrows a batch that has to be copied if a socket blocks.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            shared: None,
        }
    }

    /// Borrows a batch that is reference-counted already, so that no socket causes a copy.
    pub(crate) fn of(bytes: &'a Bytes) -> Self {
        Self {
            bytes,
            shared: Some(bytes.clone()),
        }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the batch as bytes that can outlive the borrow. Only the first call may copy.
    pub(crate) fn share(&mut self) -> Bytes {
        self.shared
            .get_or_insert_with(|| Bytes::copy_from_slice(self.bytes))
            .clone()
    }
}
