//! Unix sockets.

use std::io;
use std::net;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net as unix;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll, ready};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{TcpStream, UnixListener, UnixStream};

use crate::error::{Error, Result};
use crate::extract::RemoteAddr;
use crate::limits::LISTEN_BACKLOG;
use crate::server::stream::ClientStream;

use super::{Accept, IntoListeners, ListenAddr, ListenOptions, Listeners};

struct Unix {
    listener: UnixListener,
    address: ListenAddr,
    /// The file to remove at the end, if harpia has made it.
    _file: Option<SocketFile>,
}

struct SocketFile {
    path: PathBuf,
    /// The device and the inode.
    identity: (u64, u64),
}

impl SocketFile {
    fn new(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: identity(path)?,
        })
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let file = std::fs::symlink_metadata(path)?;
    Ok((file.dev(), file.ino()))
}

impl Drop for SocketFile {
    /// Removes the file, unless another process has replaced it.
    ///
    /// Race: the next process may start while this one still ends. It finds a socket that no
    /// process listens on, and replaces it. Its socket must stay.
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|found| found == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Unix {
    fn new(listener: UnixListener, file: Option<SocketFile>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let address = match address.as_pathname() {
            Some(path) => ListenAddr::Unix(path.to_owned()),
            None => ListenAddr::Other("unix:(no path)".to_owned()),
        };
        Ok(Self {
            listener,
            address,
            _file: file,
        })
    }
}

impl Accept for Unix {
    fn local_addr(&self) -> &ListenAddr {
        &self.address
    }

    fn poll_accept(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(ClientStream, RemoteAddr)>> {
        let (stream, _) = ready!(self.listener.poll_accept(context))?;
        Poll::Ready(client_stream(stream).map(|stream| (stream, RemoteAddr::UNIX)))
    }
}

/// Makes the stream of a client. The system calls are those of a TCP socket, so tokio's `TcpStream`
/// serves both.
pub(super) fn client_stream(stream: UnixStream) -> io::Result<ClientStream> {
    let socket = net::TcpStream::from(OwnedFd::from(stream.into_std()?));
    Ok(ClientStream::Socket(TcpStream::from_std(socket)?))
}

/// Opens the socket of a path. Replaces a socket that no process listens on.
fn bind(path: &Path) -> io::Result<UnixListener> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    let address = SockAddr::unix(path)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path) => {
            std::fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    socket.listen(LISTEN_BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(OwnedFd::from(socket).into())
}

/// Returns whether a path is a socket that no process listens on.
fn is_left_behind(path: &Path) -> bool {
    // An ordinary file refuses a connection too, and must not be removed.
    let kind = std::fs::symlink_metadata(path).map(|file| file.file_type());
    if !kind.is_ok_and(|kind| kind.is_socket()) {
        return false;
    }
    let connected = unix::UnixStream::connect(path);
    connected.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

impl IntoListeners for &Path {
    async fn into_listeners(self, _: &ListenOptions) -> Result<Listeners> {
        let bound = bind(self).and_then(|listener| Ok((listener, SocketFile::new(self)?)));
        let (listener, file) = bound.map_err(|source| Error::Listen {
            address: format!("unix:{}", self.display()),
            source,
        })?;
        Ok(Listeners::one(Unix::new(listener, Some(file))?))
    }
}

impl IntoListeners for PathBuf {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        self.as_path().into_listeners(options).await
    }
}

impl IntoListeners for UnixListener {
    async fn into_listeners(self, _: &ListenOptions) -> Result<Listeners> {
        Ok(Listeners::one(Unix::new(self, None)?))
    }
}

impl IntoListeners for unix::UnixListener {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        self.set_nonblocking(true)?;
        UnixListener::from_std(self)?.into_listeners(options).await
    }
}
