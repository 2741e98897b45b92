//! Reads the transport's socket. Only the connection's task calls these functions.

use std::io::{self, Read};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{Interest, ReadBuf};

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
        loop {
            match self.stream.poll_read_ready(context) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
            match self.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Poll::Ready(read),
            }
        }
    }

    /// Returns the next byte without removing it, or `None` if the peer has closed its side.
    pub(crate) fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let peeked = self.stream.poll_peek(context, &mut buffer);
        peeked.map_ok(|_| buffer.filled().first().copied())
    }

    /// Reads once.
    ///
    /// A read that does not fill the buffer has emptied the socket. This function reports
    /// `WouldBlock` to tokio in this case, so that tokio waits for the next event and saves a read
    /// call that would return nothing. No input is missed: bytes that arrive later, and the end of
    /// the stream, cause an event of their own.
    fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut read = None;
        let result = self.stream.try_io(Interest::READABLE, || {
            let bytes = (&*SockRef::from(&self.stream)).read(buffer)?;
            read = Some(bytes);
            if (1..buffer.len()).contains(&bytes) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(())
        });
        read.map_or_else(|| result.map(|()| 0), Ok)
    }
}
