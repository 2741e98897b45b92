//! The response to a rejected handshake or login.

use std::fmt;

use http::StatusCode;

use crate::path::PathValues;

use super::FromValue;

/// The response to a rejected handshake or login: a status and a text.
///
/// A [`FromHandshake`](super::FromHandshake) returns it, and so does the function of
/// `Session::login`.
///
/// ```
/// use harpia::extract::{FromHandshake, Handshake, Rejection};
/// use http::StatusCode;
///
/// struct Internal;
///
/// impl FromHandshake for Internal {
///     async fn from_handshake(handshake: &Handshake) -> Result<Self, Rejection> {
///         if !handshake.remote_addr().ip().is_loopback() {
///             return Err(Rejection::new(StatusCode::FORBIDDEN, "only from this machine"));
///         }
///         Ok(Self)
///     }
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    status: StatusCode,
    message: String,
}

impl Rejection {
    /// Rejects with this status, which must be 4xx or 5xx.
    ///
    /// Any other status becomes 500.
    ///
    /// ```
    /// use harpia::extract::Rejection;
    /// use http::StatusCode;
    ///
    /// let rejection = Rejection::new(StatusCode::FORBIDDEN, "this room is closed");
    /// assert_eq!(rejection.to_string(), "403 Forbidden: this room is closed");
    /// ```
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let is_error = status.is_client_error() || status.is_server_error();
        Self {
            status: if is_error {
                status
            } else {
                StatusCode::INTERNAL_SERVER_ERROR
            },
            message: message.into(),
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
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Rejection {}

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
