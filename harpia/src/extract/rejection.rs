//! The answer to a handshake, or to a login, that is refused.

use std::fmt;

use http::StatusCode;

use crate::path::PathValues;

use super::FromValue;

/// Refuses an upgrade, or a login by `Session::login`, with a status and a text for the client.
///
/// ```
/// use harpia::extract::Rejection;
/// use http::StatusCode;
///
/// let rejection = Rejection::new(StatusCode::FORBIDDEN, "this room is closed");
/// assert_eq!(rejection.status(), 403);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    status: StatusCode,
    message: String,
}

impl Rejection {
    /// Refuses with any status of the classes 4xx and 5xx; another becomes a 500.
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

    /// Refuses with 400.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Refuses with 404, as for a path parameter that does not parse.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the text.
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
    /// 404 with the parameter's name where it is not there or does not parse.
    pub fn parse<T: FromValue>(&self, name: &str) -> Result<T, Rejection> {
        let value = self.get(name).and_then(T::from_value);
        value.ok_or_else(|| Rejection::not_found(format!("invalid path parameter `{name}`")))
    }
}
