//! What a server listens on: addresses, Unix sockets, sockets that the program has opened, and
//! listeners of the program's own.

mod address;
mod bound;
#[cfg(unix)]
mod unix;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::task::{Context, Poll};
use std::{fmt, net};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;

use crate::error::Result;
use crate::extract::RemoteAddr;

use super::stream::ClientStream;

use bound::{OfProgram, Tcp};

/// A source of connections of the program's own, for [`App::listen`](crate::App::listen).
///
/// If [`Io`](Self::Io) is tokio's `TcpStream` or `UnixStream`, connections are written directly
/// from the thread that delivers broadcasts, as with harpia's own listeners. The bytes of any other
/// stream go through a write buffer, which the connection's task drains.
///
/// # Examples
///
/// A listener that refuses some clients before they send a byte:
///
/// ```no_run
/// use std::io;
/// use harpia::prelude::*;
/// use harpia::listen::{ListenAddr, Listener};
/// use tokio::net::{TcpListener, TcpStream};
///
/// struct Filtered(TcpListener);
///
/// impl Listener for Filtered {
///     type Io = TcpStream;
///
///     async fn accept(&mut self) -> io::Result<(TcpStream, RemoteAddr)> {
///         loop {
///             let (stream, address) = self.0.accept().await?;
///             if !address.ip().is_multicast() {
///                 return Ok((stream, address.into()));
///             }
///         }
///     }
///
///     fn local_addr(&self) -> io::Result<ListenAddr> {
///         Ok(self.0.local_addr()?.into())
///     }
/// }
///
/// #[tokio::main]
/// async fn main() -> harpia::Result {
///     let listener = Filtered(TcpListener::bind("127.0.0.1:3000").await?);
///     App::new().listen(listener).await
/// }
/// ```
pub trait Listener: Send + 'static {
    /// The stream of a connection.
    type Io: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection.
    ///
    /// Only one call runs at a time. Work that may take long, such as a TLS handshake, holds up the
    /// connections behind it, so do it while the stream is read.
    ///
    /// # Errors
    ///
    /// An error is logged, and the server tries again after 50 ms.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the server shuts down.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, RemoteAddr)>> + Send;

    /// Returns where the listener listens, for the log and for
    /// [`Server::local_addr`](crate::Server::local_addr).
    ///
    /// # Errors
    ///
    /// An error becomes the error of [`App::bind`](crate::App::bind).
    fn local_addr(&self) -> io::Result<ListenAddr>;
}

/// Where a server listens.
///
/// ```
/// use std::path::PathBuf;
/// use harpia::listen::ListenAddr;
///
/// let address = ListenAddr::from(std::net::SocketAddr::from(([127, 0, 0, 1], 3000)));
/// assert_eq!(address.to_string(), "127.0.0.1:3000");
/// let path = ListenAddr::Unix(PathBuf::from("/run/chat.sock"));
/// assert_eq!(path.to_string(), "unix:/run/chat.sock");
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ListenAddr {
    /// A TCP address.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A description of anything else.
    Other(String),
}

impl ListenAddr {
    /// Returns the address if it is a TCP address.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) | Self::Other(_) => None,
        }
    }
}

impl From<SocketAddr> for ListenAddr {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for ListenAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// What [`App::listen`](crate::App::listen) and [`App::bind`](crate::App::bind) take.
///
/// | value | listens on |
/// |---|---|
/// | `"127.0.0.1:3000"`, `"localhost:3000"`, `("::1", 3000)`, a [`SocketAddr`] | a TCP address |
/// | `"unix:/run/chat.sock"`, a [`Path`](std::path::Path) or a [`PathBuf`] | a Unix socket |
/// | a `TcpListener` or `UnixListener` of tokio or std | a socket that the program has opened or inherited |
/// | a [`Listener`] | connections from a source of the program's own |
/// | [`Listeners`] | several of these |
///
/// harpia sets the queue of connections that wait to be accepted to 4,096 for sockets that it opens
/// itself. The system may have a lower limit (`net.core.somaxconn` on Linux).
///
/// A Unix socket that a former process has left behind is replaced. harpia removes its own when the
/// server ends. Its permissions follow the process's umask.
///
/// # Examples
///
/// ```no_run
/// use std::path::Path;
/// use harpia::App;
///
/// # async fn each() -> harpia::Result {
/// App::new().listen("127.0.0.1:3000").await?;
/// App::new().listen(Path::new("/run/chat.sock")).await?;
/// # Ok(())
/// # }
/// ```
pub trait IntoListeners: Send {
    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`](crate::Error::Listen) with the address if it cannot be bound.
    fn into_listeners(
        self,
        options: &ListenOptions,
    ) -> impl Future<Output = Result<Listeners>> + Send;
}

/// The settings of sockets that harpia opens itself.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ListenOptions {
    /// Whether other processes may listen on the same TCP address, too.
    pub reuse_port: bool,
}

/// An open listener of any kind.
pub(in crate::server) trait Accept: Send {
    fn local_addr(&self) -> &ListenAddr;

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(ClientStream, RemoteAddr)>>;
}

/// Several listeners, for [`App::listen`](crate::App::listen).
///
/// ```no_run
/// use std::path::Path;
/// use harpia::App;
/// use harpia::listen::Listeners;
///
/// #[tokio::main]
/// async fn main() -> harpia::Result {
///     let listeners = Listeners::new()
///         .and("127.0.0.1:3000").await?
///         .and(Path::new("/run/chat.sock")).await?;
///     App::new().listen(listeners).await
/// }
/// ```
#[derive(Default)]
pub struct Listeners(pub(super) Vec<Box<dyn Accept>>);

impl Listeners {
    /// Makes an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens a listener and adds it.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`](crate::Error::Listen) if an address cannot be bound.
    pub async fn and(mut self, listener: impl IntoListeners) -> Result<Self> {
        let more = listener.into_listeners(&ListenOptions::default()).await?;
        self.0.extend(more.0);
        Ok(self)
    }

    fn one(listener: impl Accept + 'static) -> Self {
        Self(vec![Box::new(listener)])
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = self.0.iter().map(|one| one.local_addr());
        f.debug_list().entries(addresses).finish()
    }
}

impl IntoListeners for Listeners {
    async fn into_listeners(self, _: &ListenOptions) -> Result<Listeners> {
        Ok(self)
    }
}

impl<L: Listener> IntoListeners for L {
    async fn into_listeners(self, _: &ListenOptions) -> Result<Listeners> {
        Ok(Listeners::one(OfProgram::new(self)?))
    }
}

impl IntoListeners for TcpListener {
    async fn into_listeners(self, _: &ListenOptions) -> Result<Listeners> {
        Ok(Listeners::one(Tcp::new(self)?))
    }
}

impl IntoListeners for net::TcpListener {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        self.set_nonblocking(true)?;
        TcpListener::from_std(self)?.into_listeners(options).await
    }
}

/// Returns whether a socket is a Unix socket. All other sockets use TLS, so an error counts as
/// `false`.
#[cfg(feature = "tls")]
pub(super) fn is_unix(socket: &tokio::net::TcpStream) -> bool {
    let address = socket2::SockRef::from(socket).local_addr();
    address.is_ok_and(|address| address.is_unix())
}
