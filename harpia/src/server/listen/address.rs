//! TCP addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use tokio::net::{TcpListener, TcpSocket, ToSocketAddrs, lookup_host};

use crate::error::{Error, Result};
use crate::limits::LISTEN_BACKLOG;

use super::{IntoListeners, ListenOptions, Listeners};

/// Opens a TCP socket on the first of the addresses that can be bound.
async fn bind(address: impl ToSocketAddrs, options: &ListenOptions) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name has no address");
    for address in lookup_host(address).await? {
        match open(address, options) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn open(address: SocketAddr, options: &ListenOptions) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // With this option, a restart need not wait for the connections of the former process. On
    // Windows, the option would let two servers share the address.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    #[cfg(unix)]
    socket.set_reuseport(options.reuse_port)?;
    #[cfg(not(unix))]
    let _ = options;
    socket.bind(address)?;
    socket.listen(LISTEN_BACKLOG.unsigned_abs())
}

async fn listeners(
    address: impl ToSocketAddrs,
    text: String,
    options: &ListenOptions,
) -> Result<Listeners> {
    let listener = bind(address, options).await;
    let listener = listener.map_err(|source| Error::Listen {
        address: text,
        source,
    })?;
    listener.into_listeners(options).await
}

impl IntoListeners for &str {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        #[cfg(unix)]
        if let Some(path) = self.strip_prefix("unix:") {
            return std::path::Path::new(path).into_listeners(options).await;
        }
        listeners(self, self.to_owned(), options).await
    }
}

impl IntoListeners for String {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        self.as_str().into_listeners(options).await
    }
}

impl IntoListeners for &String {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        self.as_str().into_listeners(options).await
    }
}

macro_rules! socket_address {
    ($($ty:ty),+) => { $(
        impl IntoListeners for $ty {
            async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
                let address = SocketAddr::from(self);
                listeners(address, address.to_string(), options).await
            }
        }
    )+ };
}

socket_address!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16),
    ([u8; 4], u16),
    ([u16; 8], u16)
);

impl IntoListeners for (&str, u16) {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        let (host, port) = self;
        listeners(self, format!("{host}:{port}"), options).await
    }
}

impl IntoListeners for (String, u16) {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        (self.0.as_str(), self.1).into_listeners(options).await
    }
}

/// Opens the first of the addresses that can be bound.
impl IntoListeners for &[SocketAddr] {
    async fn into_listeners(self, options: &ListenOptions) -> Result<Listeners> {
        let texts: Vec<String> = self.iter().map(SocketAddr::to_string).collect();
        listeners(self, texts.join(" or "), options).await
    }
}
