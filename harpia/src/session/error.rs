//! Errors of session operations, and the close frame for each.
//!
//! No text in this file quotes an id, a cookie, or the data of a session.

use std::{error, fmt};

use bytestring::ByteString;
use http::StatusCode;

use crate::close::CloseCode;
use crate::error::{BoxError, Error};
use crate::json::JsonError;

/// The error of an operation on a session.
///
/// With `?` in `auth`, `open` or `message`, it closes the connection. In `connect`, `NotFound` is a
/// 401 and every other error is a 500. [`status`](Self::status) is for handlers of HTTP requests of
/// your own:
///
/// | error | close frame | [`status`](Self::status) |
/// |---|---|---|
/// | [`NotFound`](Self::NotFound) | 1008 "Unauthorized" | 401 |
/// | [`Unavailable`](Self::Unavailable) | 1013 "Try Again Later" | 503 |
/// | [`Data`](Self::Data), [`AfterOpen`](Self::AfterOpen) | 1011 | 500 |
///
/// ```
/// use harpia::Session;
/// use harpia::session::SessionError;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), SessionError> {
/// let sessions = Session::<String>::memory();
/// let id = sessions.create("Ada".to_owned()).await?;
/// sessions.delete(&id).await?;
/// let name = match sessions.get(&id).await {
///     Ok(name) => name,
///     Err(SessionError::NotFound) => "stranger".to_owned(),
///     Err(error) => return Err(error),
/// };
/// assert_eq!(name, "stranger");
/// # Ok(())
/// # }
/// ```
///
/// Like [`harpia::Error`](Error), `{:?}` prints what happened and its cause in one line.
#[non_exhaustive]
pub enum SessionError {
    /// The session does not exist: there is no cookie, its value is not an id, or the session has
    /// expired.
    NotFound,
    /// The store cannot answer or has no room. The error inside has the close code and the cause.
    Unavailable(Error),
    /// The data in the store has another type, for example after a deployment that changed the
    /// type, or the data cannot be serialized as JSON.
    Data {
        /// A description of the mistake that does not quote the data.
        problem: String,
    },
    /// `open` has returned, and the cookies of the handshake were dropped. Keep the session's id in
    /// the connection's data: see [`id_from_ws`](crate::Session::id_from_ws).
    AfterOpen,
}

impl SessionError {
    /// Makes the error for a store that cannot answer.
    ///
    /// Use it in a [`Store`](super::Store) of your own.
    ///
    /// The cause goes to the `error` handler and the log, and never to the client. It must not name
    /// the key, which contains the session's id.
    ///
    /// ```
    /// use harpia::session::SessionError;
    ///
    /// let error = SessionError::unavailable("connection refused");
    /// assert_eq!(error.status(), 503);
    /// ```
    pub fn unavailable(cause: impl Into<BoxError>) -> Self {
        Self::Unavailable(Error::Close {
            code: CloseCode::TRY_AGAIN,
            reason: ByteString::from_static("Try Again Later"),
            source: Some(cause.into()),
        })
    }

    /// Returns the status for a response to an ordinary request: 401, 503 or 500.
    ///
    /// ```
    /// use harpia::session::SessionError;
    ///
    /// assert_eq!(SessionError::NotFound.status(), 401);
    /// ```
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::UNAUTHORIZED,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Data { .. } | Self::AfterOpen => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(super) fn data(error: &JsonError) -> Self {
        let problem = error.to_string();
        Self::Data { problem }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no such session"),
            Self::Unavailable(_) => f.write_str("the session store is unavailable"),
            Self::Data { problem } => write!(f, "unreadable session data: {problem}"),
            Self::AfterOpen => f.write_str(
                "the cookies of the handshake are dropped when `open` returns: \
                 read the session in `auth` or `open`, and keep its id in `ws.data`",
            ),
        }
    }
}

/// Prints what happened and its cause, since `main` prints an error with `Debug`.
impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match self {
            // The error inside only has the close code. Its source says what happened.
            Self::Unavailable(error) => match error::Error::source(error) {
                Some(cause) => write!(f, ": {cause}"),
                None => Ok(()),
            },
            Self::NotFound | Self::Data { .. } | Self::AfterOpen => Ok(()),
        }
    }
}

impl error::Error for SessionError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            // The source has the close code.
            Self::NotFound => Some(&UNAUTHORIZED),
            Self::Unavailable(source) => Some(source),
            Self::Data { .. } | Self::AfterOpen => None,
        }
    }
}

/// For functions that return harpia's error. The close frame stays the same.
impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        let (code, reason) = match &error {
            SessionError::NotFound => (CloseCode::POLICY, "Unauthorized"),
            SessionError::Unavailable(_) => (CloseCode::TRY_AGAIN, "Try Again Later"),
            SessionError::Data { .. } | SessionError::AfterOpen => (CloseCode::INTERNAL, ""),
        };
        Self::Close {
            code,
            reason: ByteString::from_static(reason),
            source: Some(error.into()),
        }
    }
}

static UNAUTHORIZED: Error = Error::Close {
    code: CloseCode::POLICY,
    reason: ByteString::from_static("Unauthorized"),
    source: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn closes_with(error: SessionError) -> (u16, String) {
        let error = Error::from_handler("open", error.into());
        (
            error.close_code().as_u16(),
            error.close_reason().to_string(),
        )
    }

    #[test]
    fn each_error_has_its_close_frame() {
        let unauthorized = (1008, "Unauthorized".to_owned());
        assert_eq!(closes_with(SessionError::NotFound), unauthorized);
        let down = closes_with(SessionError::unavailable("refused"));
        assert_eq!(down, (1013, "Try Again Later".to_owned()));
        assert_eq!(closes_with(SessionError::AfterOpen), (1011, String::new()));
        let own = Error::from(SessionError::NotFound);
        assert_eq!(own.close_code(), 1008);
        assert_eq!(own.close_reason(), "Unauthorized");
    }

    #[test]
    fn debug_prints_what_happened_and_its_cause() {
        let error = SessionError::unavailable("connection refused");
        let line = "the session store is unavailable: connection refused";
        assert_eq!(format!("{error:?}"), line);
        assert_eq!(format!("{:?}", SessionError::NotFound), "no such session");
    }

    #[test]
    fn a_store_that_is_down_in_auth_closes_with_1013_and_not_1008() {
        let source = SessionError::unavailable("refused").into();
        let error = Error::Auth { source };
        assert_eq!(error.close_code(), 1013);
        assert_eq!(error.close_reason(), "Try Again Later");
        let source = SessionError::NotFound.into();
        let error = Error::Auth { source };
        assert_eq!(error.close_code(), 1008);
        assert_eq!(error.close_reason(), "Invalid Token");
    }

    #[test]
    fn an_error_does_not_quote_the_data() {
        let error = serde_json::from_str::<u64>(r#""secret""#).unwrap_err();
        assert!(error.to_string().contains("secret"));
        let error = SessionError::data(&JsonError::new(&error));
        assert_eq!(
            error.to_string(),
            "unreadable session data: invalid data at line 1 column 8"
        );
    }
}
