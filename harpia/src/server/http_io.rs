//! The stream of a client that hyper serves: the bytes that harpia has already read, a limit on
//! writes that make no progress, and a close that lets the last response arrive.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::limits::{HTTP_PROGRESS, LINGER, MAX_LINGER_BYTES};

use super::stream::ClientStream;

/// A client's stream, as hyper reads and writes it.
pub(super) struct HttpIo {
    stream: ClientStream,
    /// The bytes that were read before hyper began. They come first.
    unread: Bytes,
    /// Set while a write waits for the client.
    stalled: Option<Stalled>,
    linger: Linger,
}

/// A write that waits for the client.
struct Stalled {
    until: Pin<Box<Sleep>>,
    /// How many bytes the kernel had for the client when the time began. Nothing is written while
    /// the write waits. If the kernel has fewer bytes at the end, the client has made progress.
    unsent: usize,
}

impl Stalled {
    fn begin(unsent: usize) -> Self {
        Self {
            until: Box::pin(sleep(HTTP_PROGRESS)),
            unsent,
        }
    }
}

/// The end of the stream: a FIN, and then reading for a while. A socket that is closed with unread
/// input sends a reset, which could destroy the last response on its way.
enum Linger {
    Open,
    Discarding { until: Pin<Box<Sleep>>, left: usize },
}

impl HttpIo {
    pub(super) fn new(stream: ClientStream, unread: Bytes) -> Self {
        Self {
            stream,
            unread,
            stalled: None,
            linger: Linger::Open,
        }
    }

    /// Returns the stream, and the bytes that hyper has not read.
    pub(super) fn into_parts(self) -> (ClientStream, Bytes) {
        (self.stream, self.unread)
    }

    /// Fails a write that has waited for too long. Any progress starts the time anew: a write that
    /// succeeds, or bytes that the client has acknowledged. Writes alone are too coarse a sign: on
    /// a slow link with a large send buffer, the socket takes bytes only once in many seconds.
    fn limit<T>(
        &mut self,
        polled: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stalled = None;
            return polled;
        }
        loop {
            let unsent = || self.stream.unsent();
            let stalled = self.stalled.get_or_insert_with(|| Stalled::begin(unsent()));
            ready!(stalled.until.as_mut().poll(context));
            let left = self.stream.unsent();
            if left >= stalled.unsent {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.stalled = Some(Stalled::begin(left));
        }
    }
}

impl AsyncRead for HttpIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() {
            let length = self.unread.len().min(buffer.remaining());
            buffer.put_slice(&self.unread[..length]);
            self.unread.advance(length);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for HttpIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.limit(polled, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.limit(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.limit(polled, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.linger, Linger::Open) {
            let polled = Pin::new(&mut self.stream).poll_shutdown(context);
            ready!(self.limit(polled, context))?;
            self.linger = Linger::Discarding {
                until: Box::pin(sleep(LINGER)),
                left: MAX_LINGER_BYTES,
            };
        }
        let this = &mut *self;
        let Linger::Discarding { until, left } = &mut this.linger else {
            return Poll::Ready(Ok(()));
        };
        let mut buffer = [0; 4096];
        while *left > 0 && until.as_mut().poll(context).is_pending() {
            let mut read = ReadBuf::new(&mut buffer);
            ready!(Pin::new(&mut this.stream).poll_read(context, &mut read))?;
            match read.filled().len() {
                0 => break,
                length => *left = left.saturating_sub(length),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use crate::transport::AsyncStream;

    use super::*;

    fn stream(buffer: usize, unread: &'static [u8]) -> (HttpIo, DuplexStream) {
        let (server, client) = duplex(buffer);
        let stream = ClientStream::Other(Box::pin(server));
        (HttpIo::new(stream, Bytes::from_static(unread)), client)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_without_progress_fails_after_its_time_and_not_before() {
        let (mut io, mut client) = stream(4, b"");
        let writing = tokio::spawn(async move { io.write_all(b"12345678abcd").await });
        tokio::time::sleep(HTTP_PROGRESS / 2).await;
        let mut read = [0; 4];
        client.read_exact(&mut read).await.unwrap();
        tokio::time::sleep(HTTP_PROGRESS / 2 + HTTP_PROGRESS / 4).await;
        assert!(!writing.is_finished(), "progress starts the time anew");
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// A stream that takes no bytes, with a number of bytes in its kernel.
    struct Full(Arc<AtomicUsize>);

    impl AsyncStream for Full {
        fn unsent(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    impl AsyncRead for Full {
        fn poll_read(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Full {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            _: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Pending
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_acknowledges_bytes_keeps_a_write_waiting() {
        let unsent = Arc::new(AtomicUsize::new(1000));
        let stream = ClientStream::Other(Box::pin(Full(Arc::clone(&unsent))));
        let mut io = HttpIo::new(stream, Bytes::new());
        let writing = tokio::spawn(async move { io.write_all(b"more").await });
        for left in [900, 800, 799] {
            tokio::time::sleep(HTTP_PROGRESS / 2).await;
            unsent.store(left, Ordering::Relaxed);
            tokio::time::sleep(HTTP_PROGRESS / 2 + Duration::from_millis(1)).await;
            assert!(!writing.is_finished(), "{left}");
        }
        tokio::time::sleep(HTTP_PROGRESS).await;
        let error = writing.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn the_bytes_that_were_read_before_come_first() {
        let (mut io, mut client) = stream(64, b"first ");
        client.write_all(b"then").await.unwrap();
        drop(client);
        let mut text = String::new();
        io.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "first then");
    }

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_discards_input_until_the_client_closes() {
        let (mut io, mut client) = stream(64, b"");
        let closing = tokio::spawn(async move { io.shutdown().await });
        client.write_all(&[b'x'; 100]).await.unwrap();
        assert!(!closing.is_finished());
        drop(client);
        closing.await.unwrap().unwrap();
    }
}
