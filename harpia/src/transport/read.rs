//! The way in: the socket is the write end's, and the connection's task alone reads it through it.

use std::io::{self, Read};
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{Interest, ReadBuf};

use super::Transport;

impl Transport {
    /// Reads what is there, or remembers the task. 0: the peer has closed its side.
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

    /// Looks at the next byte and leaves it there. `None`: the peer has closed its side.
    pub(crate) fn poll_peek(&self, context: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        let mut byte = [0];
        let mut buffer = ReadBuf::new(&mut byte);
        let peeked = self.stream.poll_peek(context, &mut buffer);
        peeked.map_ok(|_| buffer.filled().first().copied())
    }

    /// Reads once. A read that does not fill the buffer has emptied the socket, which tokio is told
    /// by the name of `WouldBlock`: so it waits for the next event, and does not request_close the system in
    /// vain. What comes in between makes an event of its own, the end of the stream too.
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
