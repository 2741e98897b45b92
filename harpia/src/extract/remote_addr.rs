//! The address of a client.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The address of the client.
///
/// It is the other end of the connection, or `unix` for a Unix socket.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// #[ws_route("/chat")]
/// impl Chat {
///     fn open(&self, ws: &mut Socket<RemoteAddr>) {
///         println!("{} connected from {}", ws.id(), ws.data);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RemoteAddr(Option<SocketAddr>);

impl RemoteAddr {
    /// The address of a client that has connected through a Unix socket.
    pub const UNIX: Self = Self(None);

    /// Returns the IP address, or `None` for a Unix socket.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use harpia::RemoteAddr;
    ///
    /// let address = RemoteAddr::from(SocketAddr::from(([192, 0, 2, 1], 50_000)));
    /// assert_eq!(address.ip().unwrap().to_string(), "192.0.2.1");
    /// assert_eq!(RemoteAddr::UNIX.ip(), None);
    /// ```
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.map(|address| address.ip())
    }

    /// Returns the IP address and the port, or `None` for a Unix socket.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        self.0
    }
}

impl From<SocketAddr> for RemoteAddr {
    fn from(address: SocketAddr) -> Self {
        Self(Some(address))
    }
}

/// Prints `192.0.2.1:50000` or `unix`.
impl fmt::Display for RemoteAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}
