//! The request of a handshake, as data types and `connect` handlers see it.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
#[cfg(any(feature = "jwt", feature = "session"))]
use std::sync::{Mutex, PoisonError};

use http::header::COOKIE;
use http::{Extensions, HeaderMap, HeaderValue, Uri};

use crate::path::PathValues;

#[cfg(any(feature = "jwt", feature = "session"))]
use super::credentials::{CredentialSource, Credentials, Sealed};
use super::{Cookies, FromValue, Rejection, RemoteAddr, cookies, query};

/// The request of one handshake.
///
/// A `connect` handler or [`FromHandshake`](super::FromHandshake) makes the connection's data from
/// it.
///
/// ```
/// use harpia::prelude::*;
///
/// struct Chat;
///
/// struct Visitor { name: String, language: String }
///
/// #[ws_route("/chat", data = Visitor)]
/// impl Chat {
///     fn connect(&self, request: &Handshake) -> HandlerResult<Visitor> {
///         let name = request.cookies().get("name").or_reject(401, "log in first")?;
///         let language = request.query("lang");
///         let language = language.as_deref().or(request.header("accept-language"));
///         Ok(Visitor { name: name.into(), language: language.unwrap_or("en").into() })
///     }
/// }
/// # let _ = App::new().ws(Chat);
/// ```
pub struct Handshake {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) path_values: PathValues,
    pub(crate) remote_addr: RemoteAddr,
    extensions: Extensions,
    protocol: Option<Arc<str>>,
    /// Parsed when they are first asked for.
    cookies: OnceLock<Cookies>,
    #[cfg(any(feature = "jwt", feature = "session"))]
    credentials: OnceLock<Credentials>,
    /// When the connection expires, in seconds since 1970: set by a token that `connect` has read.
    #[cfg(any(feature = "jwt", feature = "session"))]
    expiry: Mutex<Option<u64>>,
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
    /// let uri = Uri::from_static("/chat?lang=de");
    /// let handshake = Handshake::new(uri, HeaderMap::new(), RemoteAddr::UNIX);
    /// assert_eq!(RemoteAddr::from_handshake(&handshake).await?, RemoteAddr::UNIX);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(uri: Uri, headers: HeaderMap, remote_addr: impl Into<RemoteAddr>) -> Self {
        Self {
            uri,
            headers,
            path_values: PathValues::default(),
            remote_addr: remote_addr.into(),
            extensions: Extensions::new(),
            protocol: None,
            cookies: OnceLock::new(),
            #[cfg(any(feature = "jwt", feature = "session"))]
            credentials: OnceLock::new(),
            #[cfg(any(feature = "jwt", feature = "session"))]
            expiry: Mutex::new(None),
        }
    }

    /// Sets the values of the path's parameters.
    ///
    /// ```
    /// use harpia::RemoteAddr;
    /// use harpia::extract::{Handshake, PathValues};
    /// use http::{HeaderMap, Uri};
    ///
    /// let handshake = Handshake::new(Uri::from_static("/rooms/7"), HeaderMap::new(), RemoteAddr::UNIX)
    ///     .with_path_values(PathValues::from_iter([("room", "7")]));
    /// assert_eq!(handshake.path_values().get("room"), Some("7"));
    /// ```
    pub fn with_path_values(mut self, path_values: PathValues) -> Self {
        self.path_values = path_values;
        self
    }

    /// Sets the values that middleware has added to the request.
    ///
    /// ```
    /// use harpia::RemoteAddr;
    /// use harpia::extract::Handshake;
    /// use http::{Extensions, HeaderMap, Uri};
    ///
    /// #[derive(Clone)]
    /// struct UserId(u64);
    ///
    /// let mut extensions = Extensions::new();
    /// extensions.insert(UserId(7));
    /// let handshake = Handshake::new(Uri::from_static("/chat"), HeaderMap::new(), RemoteAddr::UNIX)
    ///     .with_extensions(extensions);
    /// assert_eq!(handshake.extensions().get::<UserId>().unwrap().0, 7);
    /// ```
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    pub(crate) fn with_protocol(mut self, protocol: Option<Arc<str>>) -> Self {
        self.protocol = protocol;
        self
    }

    /// Returns the path and the query as the client sent them, percent-encoded.
    ///
    /// The query may hold a token, so do not log it.
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

    /// Returns the address of the client.
    pub fn remote_addr(&self) -> RemoteAddr {
        self.remote_addr
    }

    /// Returns the values of the path's parameters.
    pub fn path_values(&self) -> &PathValues {
        &self.path_values
    }

    /// Returns the values that middleware has added to the request, such as a user that an outer
    /// layer has authenticated. When harpia itself listens, no middleware runs before an upgrade,
    /// so this is empty.
    ///
    /// **On a route with `origins = any`**, harpia removes cookies and Basic credentials from the
    /// request. It cannot remove a value that a layer has made from a cookie before. Such a value
    /// is as dangerous as the cookie: a page of any origin can act for its visitor.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Returns a copy of a value that middleware must have added to the request.
    ///
    /// # Errors
    ///
    /// A 500 if there is no such value. The log then names the type.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    ///
    /// #[derive(Clone)]
    /// struct UserId(u64); // added by an authentication layer
    ///
    /// struct Inbox;
    ///
    /// #[ws_route("/inbox")]
    /// impl Inbox {
    ///     fn connect(&self, request: &Handshake) -> HandlerResult<UserId> {
    ///         Ok(request.require_extension()?)
    ///     }
    ///
    ///     fn open(&self, ws: &mut Socket<UserId>) {
    ///         ws.subscribe(format!("user {}", ws.data.0));
    ///     }
    /// }
    /// # let _ = App::new().ws(Inbox);
    /// ```
    pub fn require_extension<T: Clone + Send + Sync + 'static>(&self) -> Result<T, Rejection> {
        let missing = || {
            let name = std::any::type_name::<T>();
            let source = format!("no middleware has added the extension `{name}`");
            Rejection::new(500, "internal error").with_source(source)
        };
        self.extensions.get().cloned().ok_or_else(missing)
    }

    /// Returns the subprotocol that the handshake negotiates, one of the route's `protocols`.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// Returns the cookies. They are parsed once.
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::extract::Rejection;
    ///
    /// fn user(request: &Handshake) -> Result<&str, Rejection> {
    ///     request.cookies().get("user").or_reject(401, "log in first")
    /// }
    /// ```
    pub fn cookies(&self) -> &Cookies {
        let parse = || Cookies::from_headers(&self.headers);
        self.cookies.get_or_init(parse)
    }

    /// Returns the first value of a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the first value of this name in the query, decoded.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        query::find(self.uri.query()?, name)
    }

    /// Returns the value of the first cookie with this name, decoded.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all(COOKIE).into_iter();
        cookies::find(values.map(HeaderValue::as_bytes), name)
    }

    /// Returns the credentials, which the connection keeps until `open` has returned.
    #[cfg(any(feature = "jwt", feature = "session"))]
    pub(crate) fn take_credentials(&mut self) -> Credentials {
        let credentials = self.credentials.take();
        credentials.unwrap_or_else(|| Credentials::of(&self.headers, &self.uri))
    }

    /// Returns the time at which the connection expires, in seconds since 1970.
    #[cfg(any(feature = "jwt", feature = "session"))]
    pub(crate) fn expiry(&self) -> Option<u64> {
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(any(feature = "jwt", feature = "session"))]
impl CredentialSource for Handshake {}

#[cfg(any(feature = "jwt", feature = "session"))]
impl Sealed for Handshake {
    fn credentials(&self) -> Option<&Credentials> {
        Some(
            self.credentials
                .get_or_init(|| Credentials::of(&self.headers, &self.uri)),
        )
    }

    fn expire_at(&self, unix_seconds: u64) {
        *self.expiry.lock().unwrap_or_else(PoisonError::into_inner) = Some(unix_seconds);
    }

    fn has_protocol(&self) -> bool {
        self.protocol.is_some()
    }
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
        Handshake::new(Uri::from_static(uri), HeaderMap::new(), RemoteAddr::UNIX)
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
