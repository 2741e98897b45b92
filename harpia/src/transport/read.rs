//! Reads the transport's stream. Only the connection's task calls these functions.

use std::io;
use std::task::{Context, Poll};

use super::Transport;

impl Transport {
    /// Reads the bytes that have arrived, or registers the task to be woken.
    ///
    /// Zero bytes mean that the peer has closed its side.
    pub(crate) fn poll_read(
        &self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.poll_read(context, buffer)
    }

    /// Returns the next byte without removing it, or `None` if the peer has closed its side.
    pub(crate) fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        self.stream.poll_peek(context)
    }
}
