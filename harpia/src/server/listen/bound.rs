//! Open listeners, each of which accepts streams.

use std::any::Any;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::extract::RemoteAddr;
use crate::server::stream::ClientStream;
use crate::transport::AsyncStream;

use super::{Accept, ListenAddr, Listener};

/// Whether an accepted socket inherits `TCP_NODELAY` from its listener. If so, the option is set
/// once, which saves a system call for each connection.
const INHERITS_NODELAY: bool = cfg!(target_os = "linux");

/// A TCP socket.
pub(super) struct Tcp {
    listener: TcpListener,
    address: ListenAddr,
}

impl Tcp {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?.into();
        if INHERITS_NODELAY {
            SockRef::from(&listener).set_tcp_nodelay(true)?;
        }
        Ok(Self { listener, address })
    }
}

impl Accept for Tcp {
    fn local_addr(&self) -> &ListenAddr {
        &self.address
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(ClientStream, RemoteAddr)>> {
        let (stream, address) = ready!(self.listener.poll_accept(context))?;
        if !INHERITS_NODELAY {
            set_nodelay(&stream);
        }
        Poll::Ready(Ok((ClientStream::Socket(stream), address.into())))
    }
}

/// Turns off Nagle's algorithm. Messages are written whole, so the algorithm would only delay them.
/// An error means that the client is gone, and the first read reports that.
fn set_nodelay(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

/// A listener of the program's own.
pub(super) struct OfProgram<L: Listener> {
    /// `None` while `accepting` has the listener.
    listener: Option<L>,
    accepting: Option<Accepting<L>>,
    address: ListenAddr,
}

type Accepting<L> =
    Pin<Box<dyn Future<Output = (L, io::Result<(<L as Listener>::Io, RemoteAddr)>)> + Send>>;

impl<L: Listener> OfProgram<L> {
    pub(super) fn new(listener: L) -> io::Result<Self> {
        Ok(Self {
            address: listener.local_addr()?,
            listener: Some(listener),
            accepting: None,
        })
    }
}

impl<L: Listener> Accept for OfProgram<L> {
    fn local_addr(&self) -> &ListenAddr {
        &self.address
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(ClientStream, RemoteAddr)>> {
        if let Some(mut listener) = self.listener.take() {
            self.accepting = Some(Box::pin(async move {
                let accepted = listener.accept().await;
                (listener, accepted)
            }));
        }
        let Some(accepting) = &mut self.accepting else {
            return Poll::Pending;
        };
        let (listener, accepted) = ready!(accepting.as_mut().poll(context));
        self.accepting = None;
        self.listener = Some(listener);
        let (io, address) = accepted?;
        Poll::Ready(client_stream(io).map(|stream| (stream, address)))
    }
}

/// Makes the stream of a client, and recognizes the sockets among them. Any thread can write to a
/// socket.
fn client_stream<Io>(io: Io) -> io::Result<ClientStream>
where
    Io: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut io = Some(io);
    let any: &mut dyn Any = &mut io;
    if let Some(socket) = any
        .downcast_mut::<Option<TcpStream>>()
        .and_then(Option::take)
    {
        set_nodelay(&socket);
        return Ok(ClientStream::Socket(socket));
    }
    #[cfg(unix)]
    if let Some(socket) = any
        .downcast_mut::<Option<tokio::net::UnixStream>>()
        .and_then(Option::take)
    {
        return super::unix::client_stream(socket);
    }
    let io = io.ok_or(io::ErrorKind::NotConnected)?;
    Ok(ClientStream::Other(Box::pin(Opaque(io))))
}

/// A stream that harpia can only read and write.
struct Opaque<Io>(Io);

impl<Io: AsyncRead + AsyncWrite + Send + Unpin> AsyncStream for Opaque<Io> {}

impl<Io: AsyncRead + Unpin> AsyncRead for Opaque<Io> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(context, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Opaque<Io> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn accepted_sockets_send_small_messages_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut listener = Tcp::new(listener).unwrap();
        let address = listener.local_addr().tcp().unwrap();
        let _client = TcpStream::connect(address).await.unwrap();
        let accepted = poll_fn(|context| listener.poll_accept(context)).await;
        let Ok((ClientStream::Socket(socket), _)) = accepted else {
            panic!("no socket");
        };
        assert!(socket.nodelay().unwrap());
    }
}
