//! A batch: whole encoded frames, one behind the other, written to many sockets.

use bytes::Bytes;

/// Borrows a batch from the buffer it was composed in, and shares it only when a socket blocks.
///
/// The first that blocks causes one copy of exact size; the others that block clone it.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    bytes: &'a [u8],
    shared: Option<Bytes>,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            shared: None,
        }
    }

    /// A batch that is shared already costs no copy.
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

    pub(crate) fn share(&mut self) -> Bytes {
        self.shared
            .get_or_insert_with(|| Bytes::copy_from_slice(self.bytes))
            .clone()
    }
}
