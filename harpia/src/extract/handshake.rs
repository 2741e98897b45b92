//! The request of a handshake, as data types see it.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use http::header::COOKIE;
use http::{HeaderMap, HeaderValue, Uri};

use crate::path::PathValues;

use super::{FromValue, Rejection, cookies};

/// The request of one handshake.
///
/// [`FromHandshake`](super::FromHandshake) makes the connection's data from it.
///
/// ```
/// use harpia::extract::{FromHandshake, Handshake, Rejection};
///
/// struct Language(String);
///
/// impl FromHandshake for Language {
///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
///         let asked = handshake.query("lang");
///         let asked = asked.as_deref().or(handshake.header("accept-language"));
///         Ok(Self(asked.unwrap_or("en").to_owned()))
///     }
/// }
/// ```
pub struct Handshake {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) path_values: PathValues,
    pub(crate) remote_addr: SocketAddr,
}

impl Handshake {
    /// Makes a handshake, to test a [`FromHandshake`](super::FromHandshake) of your own.
    ///
    /// ```
    /// use harpia::RemoteAddr;
    /// use harpia::extract::{FromHandshake, Handshake};
    /// use http::{HeaderMap, Uri};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), harpia::extract::Rejection> {
    /// let address = ([127, 0, 0, 1], 50_000).into();
    /// let uri = Uri::from_static("/chat?lang=de");
    /// let handshake = Handshake::new(uri, HeaderMap::new(), address);
    /// assert_eq!(RemoteAddr::from_handshake(&handshake).await?.0, address);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(uri: Uri, headers: HeaderMap, remote_addr: SocketAddr) -> Self {
        Self {
            uri,
            headers,
            path_values: PathValues::default(),
            remote_addr,
        }
    }

    /// Sets the values of the path's parameters.
    pub fn with_path_values(mut self, path_values: PathValues) -> Self {
        self.path_values = path_values;
        self
    }

    /// Returns the path and the query as the client sent them, percent-encoded.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Returns all headers.
    ///
    /// `Debug` hides the values of headers that hold tokens and cookies.
    ///
    /// On a route with `origins = any`, cookies and Basic credentials are already removed.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the address of the TCP peer. Behind a proxy, it is the proxy's address.
    pub fn remote_addr(&self) -> SocketAddr {
        self.remote_addr
    }

    /// Returns the values of the path's parameters.
    pub fn path_values(&self) -> &PathValues {
        &self.path_values
    }

    /// Returns the first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the first value of this name in the query, decoded.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        find_in_query(self.uri.query()?, name)
    }

    /// Returns the value of the first cookie with this name, decoded.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all(COOKIE).into_iter();
        cookies::find(values.map(HeaderValue::as_bytes), name)
    }

    /// Reads and parses a required value.
    ///
    /// # Errors
    ///
    /// A rejection that names the value, if it is missing or does not parse: 404 for a path
    /// parameter, else 400.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::extract::{FromHandshake, Handshake, Rejection, Source};
    ///
    /// struct Page(u32);
    ///
    /// impl FromHandshake for Page {
    ///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
    ///         handshake.require(Source::Query, "page").map(Self)
    ///     }
    /// }
    /// ```
    pub fn require<T: FromValue>(&self, source: Source, name: &str) -> Result<T, Rejection> {
        self.find(source, name)?
            .ok_or_else(|| source.rejection(&format!("missing {source} `{name}`")))
    }

    /// Reads and parses an optional value.
    ///
    /// # Errors
    ///
    /// The rejection of [`require`](Self::require), if there is a value that does not parse.
    pub fn find<T: FromValue>(&self, source: Source, name: &str) -> Result<Option<T>, Rejection> {
        let Some(text) = self.text(source, name) else {
            return Ok(None);
        };
        match T::from_value(&text) {
            Some(value) => Ok(Some(value)),
            None => Err(source.rejection(&format!("invalid {source} `{name}`"))),
        }
    }

    fn text(&self, source: Source, name: &str) -> Option<Cow<'_, str>> {
        match source {
            Source::Query => self.query(name),
            Source::Header => self.header(name).map(Cow::Borrowed),
            Source::Cookie => self.cookie(name).map(Cow::Owned),
            Source::Path => self.path_values.get(name).map(Cow::Borrowed),
        }
    }
}

/// Finds the first value of a name in a query, and decodes it.
pub(super) fn find_in_query<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}

/// Prints names of headers and no values, since headers and query may hold secrets.
impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("path", &self.uri.path())
            .field("headers", &self.headers.keys())
            .field("remote_addr", &self.remote_addr)
            .finish_non_exhaustive()
    }
}

/// The part of a handshake that a single value is read from.
///
/// See [`Handshake::require`] for an example.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// A parameter of the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// A parameter of the path.
    Path,
}

impl Source {
    /// Makes a rejection. It never quotes the value, which may be a secret or markup.
    fn rejection(self, message: &str) -> Rejection {
        match self {
            Self::Path => Rejection::not_found(message),
            _ => Rejection::bad_request(message),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query => "query parameter",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Path => "path parameter",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(uri: &'static str) -> Handshake {
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        Handshake::new(Uri::from_static(uri), HeaderMap::new(), address)
    }

    #[test]
    fn a_query_value_is_decoded_and_the_first_wins() {
        let handshake = handshake("/chat?room=a+b%26c&room=other&n=7");
        assert_eq!(handshake.query("room").as_deref(), Some("a b&c"));
        assert_eq!(handshake.require::<u8>(Source::Query, "n"), Ok(7));
    }

    #[test]
    fn a_rejection_names_the_missing_or_invalid_value() {
        let handshake = handshake("/chat?n=x");
        let wrong = handshake.find::<u8>(Source::Query, "n").unwrap_err();
        assert_eq!(
            (wrong.status().as_u16(), wrong.message()),
            (400, "invalid query parameter `n`")
        );
        let missing = handshake.require::<u8>(Source::Header, "x-n").unwrap_err();
        assert_eq!(missing.message(), "missing header `x-n`");
        let path = handshake.require::<u8>(Source::Path, "id").unwrap_err();
        assert_eq!(path.status(), 404);
    }
}
