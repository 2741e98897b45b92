//! The response to a rejected handshake or login.

use std::error;
use std::fmt;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, DATE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::error::BoxError;
use crate::path::PathValues;

use super::FromValue;

/// The response to a rejected handshake or login: a status, a text, and headers.
///
/// A `connect` handler and a [`FromHandshake`](super::FromHandshake) return it, and so does the
/// function of `Session::login`. In a `connect` handler, [`or_reject`](OrReject::or_reject) is the
/// shortest way to it.
///
/// ```
/// use harpia::extract::{FromHandshake, Handshake, Rejection};
///
/// struct Internal;
///
/// impl FromHandshake for Internal {
///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
///         if handshake.remote_addr().ip().is_some_and(|ip| !ip.is_loopback()) {
///             return Err(Rejection::new(403, "only from this machine"));
///         }
///         Ok(Self)
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rejection {
    status: StatusCode,
    message: String,
    headers: Option<Box<HeaderMap>>,
    source: Option<Arc<dyn error::Error + Send + Sync>>,
}

/// Headers that the server sets, since they describe the connection or how the body is sent.
const OF_THE_SERVER: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    DATE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

impl Rejection {
    /// Rejects with this status, which must be 4xx or 5xx.
    ///
    /// Any other status becomes 500.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    ///
    /// let rejection = Rejection::new(403, "this room is closed");
    /// assert_eq!(rejection.to_string(), "403 Forbidden: this room is closed");
    /// ```
    pub fn new(status: impl TryInto<StatusCode>, message: impl Into<String>) -> Self {
        let status = status.try_into().ok();
        let status = status.filter(|one| one.is_client_error() || one.is_server_error());
        Self {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            message: message.into(),
            headers: None,
            source: None,
        }
    }

    /// Rejects with 400.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    ///
    /// assert_eq!(Rejection::bad_request("no name").status(), 400);
    /// ```
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Rejects with 404, the status for a path parameter that does not parse.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    ///
    /// assert_eq!(Rejection::not_found("no such room").status(), 404);
    /// ```
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Adds a header to the response, such as `WWW-Authenticate`, `Retry-After` or `Set-Cookie`.
    ///
    /// The same name can be added several times. The server itself sets `Connection`, `Upgrade`,
    /// `Date`, and all headers about the length and the encoding of the body. For one of those, and
    /// for an invalid name or value, the status becomes 500, and the mistake is logged.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    ///
    /// let rejection = Rejection::new(429, "too many attempts").with_header("retry-after", "30");
    /// assert_eq!(rejection.headers().unwrap()["retry-after"], "30");
    /// ```
    #[must_use]
    pub fn with_header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName>,
        V: TryInto<HeaderValue>,
    {
        let name = name.try_into().ok();
        let name = name.filter(|name| !OF_THE_SERVER.contains(name));
        match (name, value.try_into()) {
            (Some(name), Ok(value)) => {
                self.headers.get_or_insert_default().append(name, value);
            }
            (name, _) => {
                // An invalid value may be a secret, so it is not logged.
                let name = name.as_ref().map(HeaderName::as_str);
                tracing::error!(
                    name,
                    "a rejection has an invalid header, or one of the server"
                );
                self.status = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }
        self
    }

    /// Sets the cause, which is logged and never sent to the client.
    ///
    /// ```
    /// use std::error::Error;
    /// use harpia::extract::Rejection;
    ///
    /// let error = "x".parse::<u32>().unwrap_err();
    /// let rejection = Rejection::bad_request("no number").with_source(error);
    /// assert!(rejection.source().is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Returns the status of the response.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the text of the response.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    ///
    /// assert_eq!(Rejection::bad_request("no name").message(), "no name");
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the headers that [`with_header`](Self::with_header) has added, if there are any.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.headers.as_deref()
    }
}

/// Compares what the client gets: the status, the text and the headers.
impl PartialEq for Rejection {
    fn eq(&self, other: &Self) -> bool {
        (self.status, &self.message, &self.headers)
            == (other.status, &other.message, &other.headers)
    }
}

impl Eq for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl error::Error for Rejection {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Rejects a handshake with a status and a text if there is no value.
///
/// It is implemented for `Option` and `Result`, for use in `connect` handlers and
/// [`FromHandshake`](super::FromHandshake).
///
/// ```
/// use harpia::prelude::*;
///
/// struct User { name: String }
///
/// struct Chat;
///
/// #[ws_route("/chat", data = User)]
/// impl Chat {
///     fn connect(&self, request: &Handshake) -> HandlerResult<User> {
///         let name = request.query("name").or_reject(400, "add `?name=`")?;
///         Ok(User { name: name.into_owned() })
///     }
/// }
/// # let _ = App::new().ws(Chat);
/// ```
pub trait OrReject<T> {
    /// Returns the value, or a rejection with this status and text.
    ///
    /// # Errors
    ///
    /// A [`Rejection`] if there is no value. The client gets the text. The error of a `Result` is
    /// not sent: it becomes the source, which is logged.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::prelude::*;
    /// use harpia::extract::Rejection;
    ///
    /// fn version(request: &Handshake) -> Result<u32, Rejection> {
    ///     let version = request.query("v").or_reject(400, "no version")?;
    ///     version.parse::<u32>().or_reject(400, "the version is not a number")
    /// }
    /// ```
    fn or_reject(
        self,
        status: impl TryInto<StatusCode>,
        message: impl Into<String>,
    ) -> Result<T, Rejection>;
}

impl<T> OrReject<T> for Option<T> {
    fn or_reject(
        self,
        status: impl TryInto<StatusCode>,
        message: impl Into<String>,
    ) -> Result<T, Rejection> {
        self.ok_or_else(|| Rejection::new(status, message))
    }
}

impl<T, E: Into<BoxError>> OrReject<T> for Result<T, E> {
    fn or_reject(
        self,
        status: impl TryInto<StatusCode>,
        message: impl Into<String>,
    ) -> Result<T, Rejection> {
        self.map_err(|source| Rejection::new(status, message).with_source(source))
    }
}

impl PathValues {
    /// Parses the value of a parameter.
    ///
    /// # Errors
    ///
    /// A 404 that names the parameter, if it is missing or does not parse.
    ///
    /// # Examples
    ///
    /// ```
    /// use harpia::extract::PathValues;
    ///
    /// let values = PathValues::from_iter([("game", "7")]);
    /// assert_eq!(values.parse("game"), Ok(7));
    /// assert_eq!(values.parse::<u32>("room").unwrap_err().status(), 404);
    /// ```
    pub fn parse<T: FromValue>(&self, name: &str) -> Result<T, Rejection> {
        let value = self.get(name).and_then(T::from_value);
        value.ok_or_else(|| Rejection::not_found(format!("invalid path parameter `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_no_error_becomes_500() {
        for status in [0, 101, 200, 302, 999, 1000] {
            assert_eq!(Rejection::new(status, "").status(), 500, "{status}");
        }
        assert_eq!(Rejection::new(599, "").status(), 599);
    }

    #[test]
    fn a_header_of_the_server_or_an_invalid_one_makes_the_status_500() {
        for (name, value) in [
            ("Connection", "keep-alive"),
            ("upgrade", "h2c"),
            ("Content-Length", "0"),
            ("transfer-encoding", "chunked"),
            ("content-encoding", "gzip"),
            ("a b", "c"),
            ("x", "a\r\nSet-Cookie: b"),
        ] {
            let rejection = Rejection::new(403, "no").with_header(name, value);
            assert_eq!(rejection.status(), 500, "{name}");
            assert_eq!(rejection.headers(), None, "{name}");
        }
    }

    #[test]
    fn a_header_can_be_added_several_times() {
        let rejection = Rejection::new(401, "log in")
            .with_header("set-cookie", "a=1")
            .with_header("Set-Cookie", "b=2");
        let cookies = rejection.headers().unwrap().get_all("set-cookie");
        assert!(cookies.iter().eq(["a=1", "b=2"]));
    }

    #[test]
    fn or_reject_keeps_the_error_as_the_source() {
        use std::error::Error as _;

        let rejection = "x".parse::<u32>().or_reject(400, "no number").unwrap_err();
        assert_eq!(rejection.to_string(), "400 Bad Request: no number");
        let source = rejection.source().unwrap().to_string();
        assert_eq!(source, "invalid digit found in string");
        assert!(
            None::<()>
                .or_reject(401, "")
                .unwrap_err()
                .source()
                .is_none()
        );
    }
}
