//! The parts of a handshake that are whole types: its URL, its query, its sender.

use std::fmt;
use std::net::SocketAddr;

use serde::de::DeserializeOwned;

use super::{FromHandshake, Handshake, Rejection};

/// Path and query of the handshake, as requested. `Debug` leaves out the query.
#[derive(Clone, Eq, PartialEq)]
pub struct Url {
    text: Box<str>,
    path_len: usize,
}

impl Url {
    /// Returns path and query, percent-encoded as they came.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path, percent-encoded as it came.
    pub fn path(&self) -> &str {
        &self.text[..self.path_len]
    }

    /// Returns what stands behind the `?`.
    pub fn query(&self) -> Option<&str> {
        self.text.get(self.path_len + 1..)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Url").field(&self.path()).finish()
    }
}

impl FromHandshake for Url {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        let text = handshake
            .uri
            .path_and_query()
            .map_or("/", |both| both.as_str());
        Ok(Self {
            text: text.into(),
            path_len: handshake.uri.path().len(),
        })
    }
}

/// The whole query, read into a type of your own by serde.
///
/// ```
/// use harpia::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Page { from: u32, topics: Vec<String> }
///
/// #[derive(FromHandshake)]
/// struct Feed { page: Query<Page> }     // ?from=20&topics=rust&topics=tokio
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromHandshake for Query<T> {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        let query = handshake.uri.query().unwrap_or_default();
        serde_html_form::from_str(query)
            .map(Self)
            .map_err(|error| Rejection::bad_request(format!("invalid query: {error}")))
    }
}

/// The address at the other end of the TCP connection: behind a proxy, the proxy's.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RemoteAddr(pub SocketAddr);

impl FromHandshake for RemoteAddr {
    async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
        Ok(Self(handshake.remote_addr))
    }
}
