//! The stream of an accepted client: a socket, or a stream of any other kind.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::transport::{AsyncStream, Stream, unsent};

/// The stream of a client, before it becomes the stream of a connection.
pub(super) enum ClientStream {
    /// A TCP or Unix socket (see [`Stream::Direct`]).
    Socket(TcpStream),
    /// Any other stream, such as TLS.
    Other(Pin<Box<dyn AsyncStream>>),
}

impl From<ClientStream> for Stream {
    fn from(stream: ClientStream) -> Self {
        match stream {
            ClientStream::Socket(socket) => Self::direct(socket),
            ClientStream::Other(stream) => Self::buffered(stream),
        }
    }
}

impl ClientStream {
    /// Returns how many bytes the kernel has for the client, or zero if that is not known.
    pub(super) fn unsent(&self) -> usize {
        match self {
            Self::Socket(socket) => socket.unsent(),
            Self::Other(stream) => stream.unsent(),
        }
    }

    fn inner(self: Pin<&mut Self>) -> Pin<&mut dyn AsyncStream> {
        match self.get_mut() {
            Self::Socket(socket) => Pin::<&mut TcpStream>::new(socket),
            Self::Other(stream) => stream.as_mut(),
        }
    }
}

impl AsyncStream for TcpStream {
    fn unsent(&self) -> usize {
        unsent(self)
    }
}

#[cfg(test)]
impl AsyncStream for tokio::io::DuplexStream {}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Socket(socket) => socket.is_write_vectored(),
            Self::Other(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(context)
    }
}
